"""The ring buffer from end to end: order, wrap-around, discards, overflow, waiting, closing."""

import asyncio
import os
import struct
import time

import pytest

from ebee.abi.ringbuf import record_size
from ebee.errors import KernelError
from ebee.isa.asm import assemble
from ebee.linux import LinuxMap, LinuxProgram, RingBuffer
from ebee.linux.errors import older_than

pytestmark = pytest.mark.kernel

PAGE = 4096
NO_WAKEUP, FORCE_WAKEUP = 1, 2
# Copies the packet's first SIZE bytes (a constant) into a record; 1 when there was no room.
WRITE = """
    r6 = *(u32 *)(r1 +0)
    r7 = *(u32 *)(r1 +4)
    r2 = r6
    r2 += {size}
    if r2 > r7 goto fail
    r1 = map[events]
    r2 = {size}
    r3 = 0
    call 131
    if r0 == 0 goto fail
    {copy}
    r1 = r0
    r2 = {flags}
    call {end}
    r0 = 0
    exit
fail:
    r0 = 1
    exit
"""
SUBMIT, DISCARD = 132, 133


def writer(events, size, end=SUBMIT, flags=0):
    """A program that makes a record of the packet's first bytes and submits or discards it."""
    copy = "\n".join(
        f"r1 = *(u8 *)(r6 +{at}); *(u8 *)(r0 +{at}) = r1" for at in range(min(size, 8))
    )
    text = WRITE.format(size=size, copy=copy, end=end, flags=flags)
    code = assemble(text, {"events": events.fd.fileno()})
    return LinuxProgram.load(code, "xdp", name="writer")


@pytest.fixture
def events():
    with LinuxMap.create("ringbuf", max_entries=PAGE, name="events") as made:
        yield made


def packet(number, size=1024):
    return struct.pack("=Q", number).ljust(size, b"\0")


def number(record):
    return struct.unpack_from("=Q", record)[0]


def test_records_come_in_order_and_whole(events):
    with writer(events, 40) as write, RingBuffer(events) as ring:
        assert ring.read() == []
        for n in range(10):
            assert write.test_run(packet(n)).retval == 0
        assert ring.pending == 10 * record_size(40)
        records = ring.read()
        assert [number(r) for r in records] == list(range(10))
        assert {len(r) for r in records} == {40}
        assert ring.pending == 0


@pytest.mark.parametrize("size", [1, 7, 8, 9, 63, 1000])
def test_the_end_of_the_buffer_breaks_no_record(events, size):
    with writer(events, size) as write, RingBuffer(events) as ring:
        total = 4 * PAGE // record_size(size)
        for n in range(total):
            assert write.test_run(packet(n & 0xFF)).retval == 0
            (record,) = ring.read()
            assert len(record) == size
            assert record[0] == n & 0xFF


def test_overflow_is_seen_by_the_program_and_loses_nothing_else(events):
    with writer(events, 56) as write, RingBuffer(events) as ring:
        for _ in range(3):
            sent = [n for n in range(100) if write.test_run(packet(n)).retval == 0]
            assert len(sent) == (PAGE - 1) // record_size(56)  # one byte always stays free
            assert [number(r) for r in ring.read()] == sent


def test_discarded_records_are_skipped_and_counted(events):
    with (
        writer(events, 16) as write,
        writer(events, 16, DISCARD) as discard,
        RingBuffer(events) as ring,
    ):
        for n in range(20):
            (discard if n % 3 else write).test_run(packet(n))
        assert [number(r) for r in ring.read()] == [0, 3, 6, 9, 12, 15, 18]
        assert ring.discarded == 13


def test_a_record_can_be_used_until_the_next_one(events):
    with writer(events, 8) as write, RingBuffer(events) as ring:
        for n in range(3):
            write.test_run(packet(n))
        records = ring.drain()
        first = next(records)
        assert number(first) == 0
        assert ring.pending == 3 * record_size(8)
        second = next(records)
        assert number(second) == 1
        assert ring.pending == 2 * record_size(8)
        with pytest.raises(ValueError, match="released"):
            bytes(first)


def test_records_that_were_not_taken_stay(events):
    with writer(events, 8) as write, RingBuffer(events) as ring:
        for n in range(4):
            write.test_run(packet(n))
        for record in ring.drain():
            if number(record) == 2:
                break
        assert [number(r) for r in ring.read()] == [2, 3]


def test_a_new_reader_goes_on_where_the_last_one_stopped(events):
    with writer(events, 8) as write:
        for n in range(4):
            write.test_run(packet(n))
        with RingBuffer(events) as ring:
            records = ring.drain()
            next(records)
            next(records)
        with RingBuffer(events) as ring:
            assert [number(r) for r in ring.read()] == [1, 2, 3]


def test_waiting_ends_at_a_record_or_at_the_time_given(events, in_thread):
    with writer(events, 8) as write, RingBuffer(events) as ring:
        assert not ring.wait(0)
        started = time.monotonic()
        assert not ring.wait(0.05)
        assert time.monotonic() - started >= 0.05
        in_thread(lambda: (time.sleep(0.05), write.test_run(packet(7))))
        assert ring.wait(30)
        assert [number(r) for r in ring.read()] == [7]
        assert not ring.wait(0)


def test_records_without_wakeup_are_found_all_the_same(events, in_thread):
    with (
        writer(events, 8, flags=NO_WAKEUP) as quiet,
        writer(events, 8, flags=FORCE_WAKEUP) as loud,
        RingBuffer(events) as ring,
    ):
        quiet.test_run(packet(1))
        assert ring.wait(0)
        in_thread(lambda: (time.sleep(0.05), quiet.test_run(packet(2)), loud.test_run(packet(3))))
        records = iter(ring)
        assert [number(next(records)) for _ in range(3)] == [1, 2, 3]


def test_iterating_waits_and_ends_when_closed(events, in_thread):
    def write_slowly():
        for n in range(300):
            while write.test_run(packet(n)).retval:
                time.sleep(0.001)
            if n % 50 == 0:
                time.sleep(0.01)

    with writer(events, 24) as write, RingBuffer(events) as ring:
        in_thread(write_slowly)
        seen = []
        for record in ring:
            seen.append(number(record))
            if len(seen) == 300:
                ring.close()
        assert seen == list(range(300))


SLOW = """
    r1 = map[events]
    r2 = 8
    r3 = 0
    call 131
    if r0 == 0 goto out
    *(u64 *)(r0 +0) = 99
    r6 = r0
loop:
    may_goto done
    goto loop
done:
    r1 = r6
    r2 = 0
    call 132
out:
    r0 = 0
    exit
"""


def on_cpu(cpu, function):
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cpu})
    try:
        return function()
    finally:
        os.sched_setaffinity(0, before)


@pytest.mark.skipif(older_than("6.9"), reason="the slow program needs may_goto")
@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two CPUs")
def test_an_unfinished_record_holds_back_later_ones_and_is_waited_for(events, in_thread):
    cpus = sorted(os.sched_getaffinity(0))
    code = assemble(SLOW, {"events": events.fd.fileno()})
    with (
        LinuxProgram.load(code, "xdp", name="slow") as slow,
        writer(events, 8) as write,
        RingBuffer(events) as ring,
    ):
        held_back = turns = 0
        while not held_back:  # we may come too late
            turns += 1
            assert turns < 200
            thread = in_thread(lambda: on_cpu(cpus[0], lambda: slow.test_run(packet(0))))
            while not ring.pending:
                time.sleep(0)
            on_cpu(cpus[1], lambda: write.test_run(packet(1)))
            records = ring.read()
            if not records:  # the first one is still being written
                held_back += 1
                assert ring.wait(30)
                thread.join(10)
                records = ring.read()
            else:
                thread.join(10)
            assert [number(r) for r in records] == [99, 1]


def test_async_iteration_leaves_the_loop_free(events, in_thread):
    ticks = []

    async def collect():
        async def tick():
            while True:
                ticks.append(None)
                await asyncio.sleep(0.005)

        ticking = asyncio.create_task(tick())
        seen = []
        async for record in ring:
            seen.append(number(record))
            if len(seen) == 30:
                break
        ticking.cancel()
        return seen

    def write_slowly():
        for n in range(30):
            while len(ticks) < n // 3:  # the loop is free while it waits for records
                time.sleep(0.001)
            write.test_run(packet(n))

    with writer(events, 24) as write, RingBuffer(events) as ring:
        in_thread(write_slowly)
        seen = asyncio.run(asyncio.wait_for(collect(), 60))
        assert seen == list(range(30))
        assert len(ticks) >= 9


def test_closing_gives_everything_back(events, open_fds):
    with writer(events, 8) as write:
        before = open_fds()
        for _ in range(50):
            write.test_run(packet(5))
            with RingBuffer(events) as ring:
                held = next(ring.drain())
            assert ring.closed
            assert number(held) == 5
            held.release()
            with RingBuffer(events) as ring:
                ring.read()
        assert open_fds() == before
        ring.close()


def test_only_ring_buffers_can_be_read():
    with (
        LinuxMap.create("hash", 4, 4, 4, name="h") as made,
        pytest.raises(KernelError, match="map h is a hash map, not a ring buffer"),
    ):
        RingBuffer(made)
