"""Readers of events: typed values, two readers, fork, signals, callbacks; perf buffers; producers
of user ring buffers."""

import asyncio
import contextlib
import os
import random
import signal
import struct
import threading
import time

import pytest

from ebee.btf import BtfBuilder, Int, Member, Struct
from ebee.btf.codec import Codec
from ebee.errors import KernelError
from ebee.isa.asm import assemble
from ebee.linux import LinuxMap, LinuxProgram, RingBuffer
from ebee.linux.errors import older_than
from ebee.linux.perfbuf import PerfBuffer
from ebee.linux.user_ringbuf import UserRingBuffer

pytestmark = pytest.mark.kernel

PAGE = 4096
# Sends the first 8 bytes of the packet as a record, COUNT times; returns how often that failed.
RING = """
    r6 = *(u32 *)(r1 +0)
    r7 = *(u32 *)(r1 +4)
    r2 = r6
    r2 += 8
    r0 = 0
    if r2 > r7 goto out
    r1 = *(u64 *)(r6 +0)
    *(u64 *)(r10 -16) = r1
    *(u64 *)(r10 -8) = 0
    r8 = 0
    r9 = 0
loop:
    *(u64 *)(r10 -8) = r9
    r1 = map[events]
    r2 = r10
    r2 += -16
    r3 = 16
    r4 = 0
    call 130
    if r0 == 0 goto ok
    r8 += 1
ok:
    r9 += 1
    if r9 < {count} goto loop
    r0 = r8
out:
    exit
"""
# Sends SIZE bytes: the packet's first 8 and zeros, to this CPU's buffer; returns 1 on failure.
PERF = """
    r9 = r1
    r6 = *(u32 *)(r1 +0)
    r7 = *(u32 *)(r1 +4)
    r2 = r6
    r2 += 8
    r0 = 2
    if r2 > r7 goto out
    r1 = *(u64 *)(r6 +0)
    {zero}
    *(u64 *)(r10 -{size}) = r1
    r1 = r9
    r2 = map[events]
    w3 = -1
    r4 = r10
    r4 += -{size}
    r5 = {size}
    call 25
    if r0 == 0 goto out
    r0 = 1
out:
    exit
"""


def ring_writer(events, count=1):
    code = assemble(RING.format(count=count), {"events": events.fd.fileno()})
    return LinuxProgram.load(code, "xdp", name="writer")


def perf_writer(events, size=16):
    zero = "\n".join(f"*(u64 *)(r10 -{at}) = 0" for at in range(8, size + 1, 8))
    code = assemble(PERF.format(size=size, zero=zero), {"events": events.fd.fileno()})
    return LinuxProgram.load(code, "xdp", name="writer")


def packet(number):
    return struct.pack("=Q", number).ljust(64, b"\0")


def first(record):
    return struct.unpack_from("=Q", record)[0]


def codec(*names):
    b = BtfBuilder()
    u64 = b.add(Int("unsigned long", 8))
    members = tuple(Member(name, u64, 64 * n) for n, name in enumerate(names))
    made = b.add(Struct("event", 8 * len(names), members))
    return Codec(b.build(), made)


@pytest.fixture
def events():
    with LinuxMap.create("ringbuf", max_entries=16 * PAGE, name="events") as made:
        yield made


@pytest.fixture
def perf():
    with LinuxMap.create("perf_event_array", 4, 4, os.cpu_count() or 1, name="events") as made:
        yield made


def on_cpu(cpu, function):
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {cpu})
    try:
        return function()
    finally:
        os.sched_setaffinity(0, before)


# -- ring buffers ----------------------------------------------------------------------------------


def test_values_have_the_type_that_was_given(events):
    with (
        ring_writer(events, 3) as write,
        RingBuffer(events, codec("packet", "turn")) as ring,
    ):
        write.test_run(packet(7))
        assert [(v.packet, v.turn) for v in ring.read_values()] == [(7, 0), (7, 1), (7, 2)]
        write.test_run(packet(8))
        assert [v.packet for v in ring.values(0)] == [8, 8, 8]


def test_values_of_records_that_are_too_short_are_their_bytes(events):
    with ring_writer(events) as write, RingBuffer(events, codec("a", "b", "c")) as ring:
        write.test_run(packet(1))
        assert ring.read_values() == [struct.pack("=QQ", 1, 0)]


def test_values_of_longer_records_are_their_beginning(events):
    with ring_writer(events, 2) as write, RingBuffer(events, codec("a")) as ring:
        write.test_run(packet(9))
        assert [tuple(v) for v in ring.read_values()] == [(9,), (9,)]


def test_a_limit_leaves_the_rest(events):
    with ring_writer(events, 100) as write, RingBuffer(events) as ring:
        write.test_run(packet(0))
        assert len(ring.read(0)) == 0
        taken = [len(ring.read(limit)) for limit in (1, 30, 40, 100, 1)]
        assert taken == [1, 30, 40, 29, 0]


def test_random_sizes_discards_and_ways_of_reading_lose_nothing(events):
    """Programs of many sizes, some of which discard; all ways to read, in turn."""
    chance = random.Random(5)
    text = """
        r6 = *(u32 *)(r1 +0)
        r7 = *(u32 *)(r1 +4)
        r2 = r6
        r2 += 8
        if r2 > r7 goto fail
        r1 = map[events]
        r2 = {size}
        r3 = 0
        call 131
        if r0 == 0 goto fail
        r1 = *(u64 *)(r6 +0)
        *(u64 *)(r0 +0) = r1
        r1 = r0
        r2 = 0
        call {end}
        r0 = 0
        exit
    fail:
        r0 = 1
        exit
    """
    fd = {"events": events.fd.fileno()}
    programs = {
        (size, end): LinuxProgram.load(assemble(text.format(size=size, end=end), fd), "xdp")
        for size in (8, 9, 24, 100, 2000)
        for end in (132, 133)
    }
    with RingBuffer(events) as ring:
        ways = (
            ring.read,
            lambda: ring.read(chance.randrange(1, 20)),
            lambda: [bytes(r) for r in ring.drain()],
            ring.read_values,
        )
        sent, seen, discarded, number = [], [], 0, 0
        for _ in range(400):
            size, end = chance.choice(list(programs))
            for _ in range(chance.choice((1, 1, 2, 30))):
                number += 1
                if programs[size, end].test_run(packet(number)).retval == 0:
                    if end == 132:
                        sent.append((number, size))
                    else:
                        discarded += 1
            if chance.random() < 0.3:
                seen += [(first(r), len(r)) for r in chance.choice(ways)()]
        seen += [(first(r), len(r)) for r in ring.read()]
        assert seen == sent
        assert ring.discarded == discarded
    for program in programs.values():
        program.close()


def test_overflow_is_counted_to_the_last_record(events, in_thread):
    """What the program could not write and what is read is together all there was."""
    failed, rounds, each = 0, 13, 5000
    done = threading.Event()

    def produce():
        nonlocal failed
        for n in range(1, rounds):
            failed += write.test_run(packet(n)).retval
        done.set()

    with (
        ring_writer(events, each) as write,
        RingBuffer(events, lost=lambda: failed) as ring,
    ):
        failed = write.test_run(packet(0)).retval  # more than there is room for, and nobody reads
        assert failed > 0
        in_thread(produce)
        seen = []
        while not done.is_set() or ring.pending:
            seen += ring.read()
            ring.wait(0.01)
        assert ring.lost == failed
        assert len(seen) + ring.lost == rounds * each
        assert len(set(seen)) == len(seen)


def test_a_map_has_one_reader_at_a_time(events):
    with (
        RingBuffer(events),
        LinuxMap.from_id(events.id) as same,
        pytest.raises(KernelError, match="events has a reader already"),
    ):
        RingBuffer(same)
    with RingBuffer(events) as again:
        assert again.read() == []


def test_a_reader_notices_another_one(events):
    """Of another process, say; here the child of a fork, which makes one of its own."""
    with ring_writer(events, 5) as write, RingBuffer(events) as ring:
        write.test_run(packet(1))
        records = ring.drain()
        next(records)
        pid = os.fork()
        if not pid:
            with RingBuffer(events) as other:
                os._exit(len(other.read()))
        _, status = os.waitpid(pid, 0)
        assert os.waitstatus_to_exitcode(status) == 5
        with pytest.raises(KernelError, match="somebody else reads ring buffer events"):
            next(records)


def test_the_child_of_a_fork_does_not_read_its_parents_records(events):
    with ring_writer(events) as write, RingBuffer(events) as ring:
        write.test_run(packet(3))
        pid = os.fork()
        if not pid:
            try:
                ring.read()
            except KernelError as error:
                os._exit(42 if "make one of your own after fork()" in str(error) else 1)
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        assert os.waitstatus_to_exitcode(status) == 42
        assert [first(r) for r in ring.read()] == [3]


def test_signals_that_are_handled_lose_and_end_nothing(events, in_thread):
    handled = []
    before = signal.signal(signal.SIGUSR1, lambda *_: handled.append(1))
    main = threading.main_thread().ident

    def produce():
        for n in range(50):
            before = len(handled)
            signal.pthread_kill(main, signal.SIGUSR1)
            write.test_run(packet(n))
            signal.pthread_kill(main, signal.SIGUSR1)
            while len(handled) == before:
                time.sleep(0.0005)
        ring.stop()

    try:
        with ring_writer(events, 20) as write, RingBuffer(events) as ring:
            in_thread(produce)
            seen = [first(r) for r in ring]
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert seen == [n for n in range(50) for _ in range(20)]
    assert len(handled) >= 50


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_can_stop_a_reader_cleanly(events, in_thread, number):
    def later():
        time.sleep(0.05)
        write.test_run(packet(1))
        signal.pthread_kill(threading.main_thread().ident, number)

    before = signal.getsignal(number)
    with ring_writer(events, 3) as write, RingBuffer(events) as ring:
        with ring.stop_on():
            in_thread(later)
            assert [first(r) for r in ring] == [1, 1, 1]
        assert ring.stopped
        assert not ring.wait()
        assert signal.getsignal(number) is before


def test_control_c_without_stop_on_is_a_keyboard_interrupt_and_the_rest_stays(events, in_thread):
    def later():
        time.sleep(0.05)
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with ring_writer(events) as write, RingBuffer(events) as ring:
            in_thread(later)
            with pytest.raises(KeyboardInterrupt):
                for _ in ring:
                    pass
            write.test_run(packet(4))
            assert [first(r) for r in ring.read()] == [4]
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_callback_sees_every_event_until_it_says_no(events):
    seen = []

    def take(value):
        seen.append(value.turn)
        return value.turn != 5

    with ring_writer(events, 10) as write, RingBuffer(events, codec("packet", "turn")) as ring:
        write.test_run(packet(0))
        assert ring.run(take, timeout=5) == 6
        assert seen == [0, 1, 2, 3, 4, 5]
        assert ring.run(lambda record: seen.append(len(record)), timeout=0, typed=False) == 4
        assert seen[6:] == [16] * 4


def test_iterating_ends_when_nothing_comes_for_a_while(events, in_thread):
    def produce():
        for n in range(5):
            write.test_run(packet(n))
            time.sleep(0.02)

    with ring_writer(events) as write, RingBuffer(events) as ring:
        in_thread(produce)
        assert [first(r) for r in ring.records(2)] == [0, 1, 2, 3, 4]


def test_async_values_wait_and_time_out(events, in_thread):
    async def collect():
        return [v.turn async for v in ring.async_values(2)]

    with ring_writer(events, 3) as write, RingBuffer(events, codec("packet", "turn")) as ring:
        in_thread(lambda: (time.sleep(0.05), write.test_run(packet(1))))
        assert asyncio.run(collect()) == [0, 1, 2]


def test_stop_ends_async_iteration_from_another_thread(events, in_thread):
    async def collect():
        return [first(r) async for r in ring]

    with ring_writer(events) as write, RingBuffer(events) as ring:
        in_thread(lambda: (time.sleep(0.05), write.test_run(packet(6)), ring.stop()))
        assert asyncio.run(asyncio.wait_for(collect(), 30)) == [6]


def test_a_closed_reader_says_so(events):
    ring = RingBuffer(events)
    ring.close()
    with pytest.raises(KernelError, match="closed"):
        ring.read()
    with pytest.raises(KernelError, match="closed"):
        ring.wait()
    assert list(ring) == []


# -- perf event arrays -----------------------------------------------------------------------------


def test_perf_records_come_in_order_with_their_cpu(perf):
    cpus = sorted(os.sched_getaffinity(0))
    with perf_writer(perf) as write, PerfBuffer(perf, codec("packet", "rest"), pages=1) as reader:
        assert reader.read() == []
        for cpu in cpus:
            for n in range(5):
                assert on_cpu(cpu, lambda n=n: write.test_run(packet(n))).retval == 0
        seen = [(reader.cpu, reader.value(r).packet) for r in reader.drain()]
        assert sorted(seen) == [(cpu, n) for cpu in cpus for n in range(5)]
        assert reader.read() == []
        write.test_run(packet(77))
        assert [v.packet for v in reader.values(0)] == [77]


@pytest.mark.parametrize("size", [8, 16, 40, 496])
def test_the_end_of_a_perf_buffer_breaks_no_record(perf, size):
    cpu = min(os.sched_getaffinity(0))
    with perf_writer(perf, size) as write, PerfBuffer(perf, pages=1) as reader:
        for n in range(3 * PAGE // size):
            on_cpu(cpu, lambda n=n: write.test_run(packet(n)))
            if n % 3 == 2:
                found = reader.read() if n % 2 else [bytes(r) for r in reader.drain()]
                assert [first(r) for r in found] == [n - 2, n - 1, n]
                assert {(len(r) + 4) % 8 for r in found} == {0}
                assert min(map(len, found)) >= size


def test_what_a_perf_buffer_cannot_hold_is_counted(perf):
    cpu = min(os.sched_getaffinity(0))
    with perf_writer(perf, 56) as write, PerfBuffer(perf, pages=1) as reader:
        total = seen = 0
        for _ in range(4):
            results = [on_cpu(cpu, lambda: write.test_run(packet(1))).retval for _ in range(200)]
            total += len(results)
            got = len(reader.read())
            assert got == results.count(0)
            seen += got
            on_cpu(cpu, lambda: write.test_run(packet(1)))  # carries the report of what was lost
            total += 1
            seen += len(reader.read())
        assert reader.lost == total - seen > 0
        assert {c for c, n in reader.lost_by_cpu.items() if n} == {cpu}


def test_a_limit_leaves_the_rest_in_a_perf_buffer(perf):
    with perf_writer(perf) as write, PerfBuffer(perf) as reader:
        for n in range(50):
            write.test_run(packet(n))
        assert [len(reader.read(limit)) for limit in (1, 20, 100, 1)] == [1, 20, 29, 0]


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two CPUs")
def test_ordered_perf_records_are_sorted_by_time_across_cpus(perf):
    cpus = sorted(os.sched_getaffinity(0))
    chance = random.Random(1)
    with perf_writer(perf) as write, PerfBuffer(perf, ordered=True) as reader:
        seen = []
        for n in range(300):
            on_cpu(chance.choice(cpus), lambda n=n: write.test_run(packet(n)))
            if chance.random() < 0.1:
                seen += [first(r) for r in reader.read(chance.choice((None, 3)))]
        while reader.wait(0):
            seen += [first(r) for r in reader.drain()]
        assert seen == list(range(300))


def test_waiting_for_perf_records(perf, in_thread):
    with perf_writer(perf) as write, PerfBuffer(perf) as reader:
        assert not reader.wait(0.02)
        in_thread(lambda: (time.sleep(0.05), write.test_run(packet(5))))
        assert reader.wait(30)
        assert [first(r) for r in reader.read()] == [5]
        in_thread(lambda: (time.sleep(0.05), write.test_run(packet(6)), reader.stop()))

        async def collect():
            return [first(r) async for r in reader]

        assert asyncio.run(asyncio.wait_for(collect(), 30)) == [6]


def test_a_perf_reader_gives_everything_back(perf, open_fds):
    before = open_fds()
    for _ in range(20):
        with perf_writer(perf) as write:
            with PerfBuffer(perf, pages=2) as reader:
                write.test_run(packet(1))
                assert len(reader.read()) == 1
            assert write.test_run(packet(1)).retval == 1  # nobody reads any more
    assert open_fds() == before


def test_perf_buffers_that_cannot_be_are_refused(perf, events):
    with pytest.raises(KernelError, match="power of two of pages, not 3"):
        PerfBuffer(perf, pages=3)
    with pytest.raises(KernelError, match="is a ringbuf map, not a perf event array"):
        PerfBuffer(events)


# -- user ring buffers -----------------------------------------------------------------------------

# Drains at most one record's number into the map `seen` (count, sum, last length); r0: drained.
DRAIN = """
    r1 = map[ring]
    r2 = func[each]
    r3 = 0
    r4 = 0
    call 209
    exit
each:
    *(u64 *)(r10 -8) = 0
    r2 = 0
    r3 = r1
    r1 = r10
    r1 += -8
    r2 = 8
    r4 = 0
    r5 = 0
    call 201
    if r0 != 0 goto out
    r6 = *(u64 *)(r10 -8)
    *(u32 *)(r10 -16) = 0
    r1 = map[seen]
    r2 = r10
    r2 += -16
    call 1
    if r0 == 0 goto out
    r1 = *(u64 *)(r0 +0)
    r1 += 1
    *(u64 *)(r0 +0) = r1
    r1 = *(u64 *)(r0 +8)
    r1 += r6
    *(u64 *)(r0 +8) = r1
out:
    r0 = 0
    exit
"""
needs_user_ring = pytest.mark.skipif(older_than("6.1"), reason="user ring buffers: Linux 6.1")


@pytest.fixture
def drain():
    """(producer's map, function that lets the program drain it, function that reads sums)."""
    with (
        LinuxMap.create("user_ringbuf", max_entries=PAGE, name="ring") as ring,
        LinuxMap.create("array", 4, 16, 1, name="seen") as seen,
    ):
        program = drainer(ring, seen)

        def sums():
            return struct.unpack("=QQ", seen.lookup(bytes(4)))

        with program:
            yield ring, program, sums


def drainer(ring, seen):
    """A program of two functions, with the function info that callbacks need."""
    from ebee.btf import Func, FuncProto, Param, Ptr
    from ebee.isa import Insn
    from ebee.linux.btf import load_bytes

    b = BtfBuilder()
    number = b.add(Int("int", 4, encoding=1))
    void = b.add(Ptr(0))
    main = b.add(Func("main", b.add(FuncProto(number, (Param("ctx", void),))), 0))
    args = (Param("record", void), Param("ctx", void))
    each = b.add(Func("each", b.add(FuncProto(number, args)), 0))
    text, _, callback = DRAIN.partition("each:\n")
    head = assemble(text.replace("func[each]", "0x7777 ll"), {"ring": ring.fd.fileno()})
    tail = assemble(callback, {"seen": seen.fd.fileno()})
    at = next(n for n, insn in enumerate(head) if insn.op == 0x18 and insn.imm == 0x7777)
    head[at] = Insn(0x18, 2, 4, 0, len(head) - at - 1)  # BPF_PSEUDO_FUNC, relative to what follows
    funcs = struct.pack("=IIII", 0, main, len(head), each)
    with load_bytes(b.bytes()) as btf:
        return LinuxProgram.load(
            [*head, *tail], "syscall", name="drain", flags=16, btf=btf, func_info=funcs
        )


@needs_user_ring
def test_a_program_takes_what_is_sent_to_it(drain):
    made, program, sums = drain
    with UserRingBuffer(made) as ring:
        for n in range(10):
            ring.send(struct.pack("=Q", n))
        with ring.reserve(8) as record:
            record[:] = struct.pack("=Q", 100)
        with contextlib.suppress(ZeroDivisionError), ring.reserve(8) as record:
            record[:] = struct.pack("=Q", 1 << 40)
            raise ZeroDivisionError
        assert ring.free < made.max_entries
        assert program.test_run().retval == 11
        assert sums() == (11, 145)
        assert ring.free == made.max_entries


@needs_user_ring
def test_a_full_user_ring_waits_for_room(drain, in_thread):
    made, program, sums = drain
    with UserRingBuffer(made, codec("number")) as ring:
        sent = 0
        while ring.free >= 16:
            ring.send((1,), timeout=0)
            sent += 1
        assert sent == PAGE // 16
        started = time.monotonic()
        with pytest.raises(KernelError, match="ring is full"):
            ring.send({"number": 1}, timeout=0.05)
        assert time.monotonic() - started >= 0.05
        in_thread(lambda: (time.sleep(0.05), program.test_run()))
        ring.send((1,), timeout=30)
        program.test_run()
        assert sums() == (sent + 1, sent + 1)


@needs_user_ring
def test_a_record_that_is_being_written_holds_back_later_ones(drain):
    made, program, sums = drain
    with UserRingBuffer(made) as ring:
        with ring.reserve(8) as record:
            record[:] = struct.pack("=Q", 5)
            ring.send(struct.pack("=Q", 6))
            program.test_run()
            assert sums() == (0, 0)
        program.test_run()
        assert sums() == (2, 11)


@needs_user_ring
def test_threads_share_a_producer(drain, in_thread):
    made, program, sums = drain
    with UserRingBuffer(made) as ring:
        threads = [
            in_thread(lambda: [ring.send(struct.pack("=Q", 1), 60) for _ in range(500)])
            for _ in range(3)
        ]
        while any(t.is_alive() for t in threads):
            program.test_run()
            time.sleep(0.001)
        program.test_run()
        assert sums() == (1500, 1500)


@needs_user_ring
def test_user_rings_refuse_what_cannot_be(drain, events, open_fds):
    made, _, _ = drain
    before = open_fds()
    with UserRingBuffer(made) as ring, pytest.raises(KernelError, match="cannot fit into 4096"):
        ring.send(bytes(5000))
    assert open_fds() == before
    with pytest.raises(KernelError, match="producer is closed"):
        ring.send(b"x")
    with pytest.raises(KernelError, match="not a user ring buffer"):
        UserRingBuffer(events)


# -- events of objects -----------------------------------------------------------------------------

OBJECT = """
from ebee import XDP, Global, PerfEventArray, RingBuf, XdpContext, struct, u64, xdp


@struct
class Event:
    length: u64
    number: u64


samples = PerfEventArray[Event]()
ring = RingBuf[Event](size=4096)
ring_lost: Global[u64] = 0
number: Global[u64] = 0


@xdp
def watch(ctx: XdpContext) -> XDP:
    global number, ring_lost
    number += 1
    samples.output(ctx, Event(length=u64(64), number=number))
    with ring.reserve() as e:
        if e is None:
            ring_lost += 1
        else:
            e.length = u64(1)
            e.number = number
    return XDP.PASS
"""


def test_events_of_an_object_are_typed_and_what_it_lost_is_known(tmp_path):
    pytest.importorskip("llvmlite")
    import ebee
    from ebee import linux

    path = tmp_path / "watch.py"
    path.write_text(OBJECT)
    with linux.load(ebee.read(path)) as loaded:
        ring, samples = loaded.events("ring", timeout=0), loaded.events("samples", timeout=0)
        assert (ring.lost, samples.lost) == (0, 0)
        for _ in range(300):
            loaded.programs["watch"].test_run(bytes(64))
        numbers = sorted(event.number for event in samples)
        assert numbers == list(range(1, 301))
        seen = [event.number for event in ring]
        assert seen == list(range(1, len(seen) + 1))
        assert len(seen) + ring.lost == 300
        assert ring.lost > 0
