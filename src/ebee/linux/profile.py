"""What runs of a program cost: perf events, read when it begins and when it ends.

Two programs of our own do that, attached to its entry and exit (fentry, fexit), so it must have
been compiled, and loaded with BTF. Since Linux 5.5; runs and time alone the kernel counts by itself
(since 5.8).
"""

from __future__ import annotations

import errno
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ebee.errors import KernelError
from ebee.isa import Insn
from ebee.isa.asm import parse
from ebee.linux import perf
from ebee.linux.errors import ENOTSUPP, refused
from ebee.linux.host import cpu_list, possible_cpus, read
from ebee.linux.programs import LinuxProgram, enable_stats
from ebee.linux.sys import Fd
from ebee.linux.uapi import ATTACH_TYPES, HELPERS
from ebee.obj import MapSpec, ObjectSpec, ProgramSpec, Ref

if TYPE_CHECKING:
    from ebee.linux.backend import LinuxObject

METRICS = {
    "cycles": "cycles", "instructions": "instructions", "l1d_loads": "L1-dcache-loads",
    "llc_misses": "LLC-load-misses", "itlb_misses": "iTLB-load-misses",
    "dtlb_misses": "dTLB-load-misses",
}  # fmt: skip
"""bpftool's names of perf events; those of perf (see perf.named) will do as well."""
MOST = 8
"""Metrics at a time."""
HEAD, READING = 16, 24
"""Bytes of what stands before the readings (running or runs, nanoseconds), and of one: struct
bpf_perf_event_value, of a counter and how long it was wanted and was there."""


@dataclass(frozen=True)
class Count:
    """A metric over all runs that were counted: `value`; `enabled` and `running` nanoseconds, which
    differ where there were fewer counters than events, and `value` is of a part of the time."""

    metric: str
    value: int
    enabled: int
    running: int

    @property
    def scaled(self) -> float:
        """The value, as if it had been counted all the time."""
        return self.value * self.enabled / self.running if self.running else 0.0


@dataclass(frozen=True)
class Profile:
    """`runs` that were counted, and their `nanoseconds`."""

    runs: int
    nanoseconds: int
    counts: tuple[Count, ...] = ()


@contextmanager
def counting(program: LinuxProgram, metrics: Sequence[str] = ()) -> Iterator[Callable[[], Profile]]:
    """Count the runs of a program while this is open; what it gives tells the counts up to now.

    Without `metrics` the kernel counts, runs and time alone. KernelError when it cannot be done.
    """
    with ExitStack() as held:
        yield _by_programs(program, metrics, held) if metrics else _by_the_kernel(program, held)


def _by_the_kernel(program: LinuxProgram, held: ExitStack) -> Callable[[], Profile]:
    held.enter_context(enable_stats())
    before = program.info()

    def tell() -> Profile:
        now = program.info()
        return Profile(*(now[name] - before[name] for name in ("run_cnt", "run_time_ns")))

    return tell


def _by_programs(
    program: LinuxProgram, metrics: Sequence[str], held: ExitStack
) -> Callable[[], Profile]:
    if len(set(metrics)) != len(metrics) or len(metrics) > MOST:
        raise KernelError(f"up to {MOST} metrics can be counted at a time, each once")
    events = [perf.named(METRICS.get(metric, metric)) for metric in metrics]
    loaded = _load(program, len(metrics), held)
    for number, metric in enumerate(metrics):
        array = loaded.maps[f"events{number}"].raw
        for cpu, event in _counters(metric, events[number], held):
            array.update(struct.pack("=I", cpu), struct.pack("=I", event.fileno()))
    # The exit first: a run whose beginning was not seen is left out by it.
    for name in ("leaves", "enters"):
        loaded.programs[name].attach()
    totals = loaded.maps["totals"].raw

    def tell() -> Profile:
        raw = totals.lookup(bytes(4)) or b""
        width = HEAD // 8 + len(metrics) * READING // 8
        found = struct.unpack(f"={len(raw) // 8}Q", raw)
        sums = [sum(found[i::width]) for i in range(width)]
        counts = (Count(m, *sums[2 + 3 * i : 5 + 3 * i]) for i, m in enumerate(metrics))
        return Profile(sums[0], sums[1], tuple(counts))

    return tell


def _load(program: LinuxProgram, number: int, held: ExitStack) -> LinuxObject:
    """The two programs and their maps."""
    from ebee.linux.backend import load

    spec = ObjectSpec("profile", license="GPL")
    size = HEAD + number * READING
    maps = [MapSpec(f"events{i}", "perf_event_array", 4, 4, possible_cpus()) for i in range(number)]
    maps += [MapSpec(name, "percpu_array", 4, size, 1) for name in ("begun", "totals")]
    spec.maps = {m.name: m for m in maps}
    for name, hook, text in (("enters", "fentry", _entry(number)), ("leaves", "fexit",
                                                                  _exit(number))):  # fmt: skip
        code, refs = _assembled(text)
        spec.programs[name] = ProgramSpec(name, hook, code, refs, hook=hook,
                                          attach_type=ATTACH_TYPES[f"trace_{hook}"])  # fmt: skip
    try:
        return held.enter_context(load(spec, targets=dict.fromkeys(spec.programs, program)))
    except KernelError as error:
        if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.EINVAL, ENOTSUPP):
            raise
        text = (
            f"cannot count metrics of program {program.name!r}: that takes programs at its entry"
            " and exit (fentry, fexit; since Linux 5.5, and the program must have been compiled"
            " and not be one of these itself). Without metrics, runs and their time can be counted"
        )
        raise KernelError(f"{text}\n{error}", error.errno) from None


def _counters(metric: str, event: perf.Event, held: ExitStack) -> Iterator[tuple[int, Fd]]:
    """The counters of a metric, one for each CPU that is there."""
    for cpu in cpu_list(read("/sys/devices/system/cpu/online") or "0"):
        try:
            fd = held.enter_context(perf.open_event(event, cpu=cpu))
        except OSError as error:
            why = {
                errno.ENOENT: "this machine has no counter for it",
                errno.EOPNOTSUPP: "this machine has no counter for it",
            }.get(error.errno or 0, "")
            doing = f"count {metric} on CPU {cpu}"
            raise refused(error, doing, why, needs=("CAP_PERFMON",)) from None
        yield cpu, fd


# -- the programs --------------------------------------------------------------------------------
# r6: where this CPU's run has begun: 1 while there is one, when, and a reading of each event.


def _element(name: str, register: str) -> str:
    """The CPU's element of a map in a register."""
    return f"""
        *(u32 *)(r10 -4) = 0
        r1 = map[{name}]
        r2 = r10
        r2 += -4
        call bpf_map_lookup_elem
        if r0 == 0 goto out
        {register} = r0
    """


def _reading(number: int, place: str) -> str:
    """An event's counter, read to a place."""
    return f"""
        r1 = map[events{number}]
        r2 = 0xffffffff ll
        r3 = {place.split()[0]}
        r3 += {place.split()[1]}
        r4 = {READING}
        call bpf_perf_event_read_value
        if r0 != 0 goto out
    """


def _entry(number: int) -> str:
    """The time and the counters, which are read last."""
    text = (
        _element("begun", "r6")
        + "*(u64 *)(r6 +0) = 0\ncall bpf_ktime_get_ns\n*(u64 *)(r6 +8) = r0\n"
    )
    text += "".join(_reading(i, f"r6 {HEAD + READING * i}") for i in range(number))
    return text + "*(u64 *)(r6 +0) = 1\nout: r0 = 0\nexit"


def _exit(number: int) -> str:
    """The differences, added to what there is; the counters are read first.

    A run that was interrupted by another of the same program on its CPU finds no beginning any
    more, and is left out.
    """
    text = _element("begun", "r6") + _element("totals", "r8")
    text += "r1 = *(u64 *)(r6 +0)\nif r1 == 0 goto out\n*(u64 *)(r6 +0) = 0\n"
    for i in range(number):
        text += _reading(i, f"r10 {-8 - READING * (i + 1)}")
    text += "call bpf_ktime_get_ns\nr1 = *(u64 *)(r6 +8)\nr0 -= r1\n"
    text += "r1 = *(u64 *)(r8 +8)\nr1 += r0\n*(u64 *)(r8 +8) = r1\n"
    text += "r1 = *(u64 *)(r8 +0)\nr1 += 1\n*(u64 *)(r8 +0) = r1\n"
    for i in range(number):
        for word in range(0, READING, 8):
            place = HEAD + READING * i + word
            text += f"""
                r1 = *(u64 *)(r10 {-8 - READING * (i + 1) + word})
                r2 = *(u64 *)(r6 +{place})
                r1 -= r2
                r2 = *(u64 *)(r8 +{place})
                r2 += r1
                *(u64 *)(r8 +{place}) = r2
            """
    return text + "out: r0 = 0\nexit"


def _assembled(text: str) -> tuple[list[Insn], list[Ref]]:
    done = parse(text, None, lambda name: HELPERS.get(name.removeprefix("bpf_")))
    return done.insns, [Ref(slot, "map", name) for slot, _, name, _ in done.references]
