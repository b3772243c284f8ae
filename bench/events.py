"""Events from the kernel: how fast readers drain, and what they keep up with while programs write.

`python bench/events.py`, as root; only in buffers of its own. The live figure is with a writer in a
process of its own, at a rate that is given, and says what was lost.
"""

from __future__ import annotations

import mmap
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from ebee.btf import BtfBuilder, Int, Member, Struct
from ebee.btf.codec import Codec
from ebee.isa.asm import assemble
from ebee.linux import LinuxMap, LinuxProgram, RingBuffer
from ebee.linux.perfbuf import PerfBuffer
from ebee.linux.user_ringbuf import UserRingBuffer

FRAME = bytes(64)
ROUNDS = 5
SIZE = 64
RING = 1 << 24
LIVE_RING, LIVE_SECONDS = 1 << 27, 5.0
"""The buffer holds what comes while the reader is not scheduled: 1.8 million records."""
# Writes COUNT records; returns how many found no room. {send} leaves 0 in r0 for one that did.
LOOP = """
    r9 = r1
    r6 = 0
    r8 = 0
loop:
    *(u64 *)(r10 -64) = r6
    {send}
    if r0 == 0 goto sent
    r8 += 1
sent:
    r6 += 1
    if r6 < {count} goto loop
    r0 = r8
    exit
"""
OUTPUT = "r1 = map[events]; r2 = r10; r2 += -{size}; r3 = {size}; r4 = 0; call 130"
MIXED = """
    r3 = r6
    r3 &= 3
    r3 <<= 3
    r3 += 40
    r1 = map[events]
    r2 = r10
    r2 += -64
    r4 = 0
    call 130
"""
PERF = "r1 = r9; r2 = map[events]; w3 = -1; r4 = r10; r4 += -60; r5 = 60; call 25"


def writer(events: LinuxMap, count: int, send: str = OUTPUT.format(size=SIZE)) -> LinuxProgram:
    setup = "\n".join(f"*(u64 *)(r10 -{at}) = {at}" for at in range(8, SIZE + 8, 8))
    text = setup + LOOP.format(count=count, send=send)
    return LinuxProgram.load(assemble(text, {"events": events.fd.fileno()}), "xdp", name="bench")


def codec() -> Codec:
    """Eight numbers of 64 bits."""
    b = BtfBuilder()
    u64 = b.add(Int("unsigned long", 8))
    members = tuple(Member(f"m{n}", u64, 64 * n) for n in range(SIZE // 8))
    event = b.add(Struct("event", SIZE, members))
    return Codec(b.build(), event)


def show(what: str, per_second: float, beside: str = "") -> None:
    print(f"{what:<48}{per_second / 1e6:>10.2f} M/s   {beside}")


def rate(fill: Callable[[], object], drain: Callable[[], int], want: int) -> float:
    """Records a second of CPU time, the best of some rounds."""
    found = []
    for _ in range(ROUNDS):
        fill()
        start = time.process_time()
        count = drain()
        found.append(count / (time.process_time() - start))
        assert count == want, (count, want)
    return max(found)


def drains() -> None:
    """Full buffers, read to the end."""
    count, repeat = 1000, 100
    made = codec()
    for label, send in (("64 bytes", OUTPUT.format(size=SIZE)), ("40 to 64 bytes", MIXED)):
        with (
            LinuxMap.create("ringbuf", max_entries=RING, name="bench") as events,
            writer(events, count, send) as program,
            RingBuffer(events, made) as ring,
        ):
            for what, drain in (
                ("in place", lambda r=ring: sum(1 for _ in r.drain())),
                ("copies", lambda r=ring: len(r.read())),
                ("typed", lambda r=ring: len(r.read_values())),
            ):
                fill = partial(program.test_run, FRAME, repeat=repeat)
                show(f"ring buffer, {label}, {what}", rate(fill, drain, count * repeat))
    with (
        LinuxMap.create("perf_event_array", 4, 4, os.cpu_count() or 1, name="bench") as events,
        writer(events, 100, PERF) as program,
        PerfBuffer(events, made, pages=1024) as perf,
    ):
        fill = partial(program.test_run, FRAME, repeat=100)
        show(
            "perf buffer, 60 bytes, in place",
            rate(fill, lambda: sum(1 for _ in perf.drain()), 10_000),
        )
        show("perf buffer, 60 bytes, copies", rate(fill, lambda: len(perf.read()), 10_000))
    with (
        LinuxMap.create("user_ringbuf", max_entries=RING, name="bench") as ring_map,
        UserRingBuffer(ring_map) as producer,
    ):
        start, count = time.process_time(), 200_000
        for _ in range(count):
            producer.send(FRAME)
        show("user ring buffer, 64 bytes sent", count / (time.process_time() - start))


@contextmanager
def producer(program: LinuxProgram, each: int, per_second: int) -> Iterator[memoryview]:
    """A process that writes at a rate; [0]: how many it tried, [1]: how many found no room, [2]:
    whether it is done."""
    memory = memoryview(mmap.mmap(-1, 4096)).cast("Q")
    child = os.fork()
    if not child:
        try:
            cpus = sorted(os.sched_getaffinity(0))
            os.sched_setaffinity(0, {cpus[-1]})
            start = time.perf_counter()
            while (now := time.perf_counter() - start) < LIVE_SECONDS:
                behind = min(int(now * per_second) - memory[0], per_second // 20)
                for _ in range(behind // each):
                    memory[1] += program.test_run(FRAME).retval
                    memory[0] += each
                time.sleep(0.0005)
        finally:
            memory[2] = 1
            os._exit(0)
    try:
        yield memory
    finally:
        os.waitpid(child, 0)


def live(per_second: int) -> None:
    """Typed values, while a program writes."""
    made, each = codec(), 250
    with (
        LinuxMap.create("ringbuf", max_entries=LIVE_RING, name="bench") as events,
        writer(events, each) as program,
        RingBuffer(events, made) as ring,
        producer(program, each, per_second) as told,
    ):
        seen, total, start, cpu = 0, 0, time.perf_counter(), time.process_time()
        while not told[2] or ring.pending:
            for value in ring.read_values(4096):
                total += value.m0 * 0 + value.m7  # every one is looked at
                seen += 1
            ring.wait(0.01)
        seconds = time.perf_counter() - start
        busy = (time.process_time() - cpu) / seconds
        lost = told[1]
        assert seen + lost == told[0], (seen, lost, told[0])
        beside = f"{seen:,} read, {lost:,} lost of {told[0]:,}; {busy:.0%} of a CPU"
        show(f"live, typed, {per_second:,} a second asked for", seen / seconds, beside)


def main() -> None:
    drains()
    for per_second in (500_000, 700_000, 1_000_000):
        live(per_second)


if __name__ == "__main__":
    main()
