"""The small programs on all engines: ratios of run time to native -O2."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from ebee.machine.interp import Interpreter
from ebee.machine.machine import Machine, MachineObject, MachineProgram
from ebee.obj import ObjectSpec

from .build import HERE, O2, O3, PROGRAMS, Builder, entry, packet
from .measure import FULL, QUICK, Engine, Plan, geometric_mean, measure, pinned
from .report import Report

TIERS: dict[str, dict[str, Any]] = {
    "trusted": {"tier": "optimised", "trusted": True},
    "most": {"tier": "most", "trusted": True},
    "checked": {"tier": "optimised"},
    "quick": {"tier": "quick", "trusted": True},
}
NATIVE = {"-O2": O2, "-O3 native": O3}
ENGINES = (*NATIVE, "kernel", *TIERS, "interpreter")
LOOP, NET = "kernel, empty", "kernel, net"

FLOWS = 2048
"""Elements in the map that maplook looks into, half full."""
UNLIMITED = 1 << 62
KERNEL_SAMPLE = 2e-3
"""Seconds that a run in the kernel takes."""
KERNEL_CLOCK = 1.0
"""Nanoseconds: the kernel's clock counts whole ones."""


def run(report: Report, builder: Builder, quick: bool) -> None:
    """All small programs; see docs/benchmarks.md for how."""
    from . import facts

    plan = QUICK if quick else FULL
    with pinned():
        numbers = {name: compare(builder, name, plan) for name in ("empty", *PROGRAMS)}
        report.numbers["programs"] = numbers
        _table(report, numbers)
        facts.compare(report, builder, plan)
    _judge(report, numbers)


def compare(builder: Builder, name: str, plan: Plan) -> dict[str, float]:
    """Nanoseconds of one program on every engine there is."""
    spec = builder.small(name)
    with ExitStack() as stack:
        machine = stack.enter_context(Machine(clock=0, seed=0))
        loaded = machine.load(spec)
        program = next(iter(loaded.programs.values()))
        fill(loaded)
        engines = {label: native_engine(builder, name, f, loaded) for label, f in NATIVE.items()}
        for label, what in (("kernel", spec), (LOOP, builder.small("empty"))):
            kernel = stack.enter_context(kernel_engine(what, alike=label != LOOP))
            engines |= {label: kernel} if kernel else {}
        engines |= machine_engines(builder, program)
        figures = {label: f.ns for label, f in measure(engines, plan, name).items()}
        machine.raise_fault(machine.cpus[0], program.code)
    if LOOP in figures:
        figures[NET] = max(figures["kernel"] - figures[LOOP], KERNEL_CLOCK)
    return figures


def fill(loaded: Any) -> None:
    """Put flows into the map, if there is one: the packet's own, and others."""
    if "flows" not in loaded.maps:
        return
    flows, data = loaded.maps["flows"].raw, packet()
    source, target = struct.unpack_from("<II", data, 26)
    ports = struct.unpack_from(">HH", data, 34)
    for i in range(FLOWS):
        flows.update(struct.pack("<IIHHB3x", source + i, target, *ports, data[23]), bytes(16))


# -- engines ---------------------------------------------------------------------------------------


def native_engine(
    builder: Builder, name: str, flags: tuple[str, ...], loaded: MachineObject
) -> Engine:
    """The program as a function of this machine; maplook looks into the machine's own map."""
    if "flows" in loaded.maps:
        lib = native_map(builder, name, flags, loaded)
    else:
        lib = builder.small_native(name, flags)
    data = ctypes.create_string_buffer(packet(), len(packet()))
    call, address = builder.driver.call_native, entry(lib)

    def run(n: int) -> int:
        return int(call(address, data, len(data), n))

    return Engine(run)


class NativeMap(ctypes.Structure):
    """struct map of native_map.c."""

    _fields_ = (
        ("buckets", ctypes.c_void_p),
        ("records", ctypes.c_void_p),
        ("seed", ctypes.c_uint64),
    )


def native_map(
    builder: Builder, name: str, flags: tuple[str, ...], loaded: MachineObject
) -> ctypes.CDLL:
    """The program with native_map.c in it, over the memory of the machine's map."""
    state: Any = loaded.raw_maps["flows"].state
    members = ("mask", "key_at", "value_at", "record_size")
    defines = {m.upper(): int(getattr(state, m)) for m in members}
    defines["KEY_SIZE"] = int(state.head.key_size)
    source = builder.progs / f"{name}.c"
    lib = builder.native(name, source, flags, defines=defines, include=HERE / "native_map.c")
    flows = NativeMap.in_dll(lib, "flows")
    flows.buckets, flows.records = int(state.buckets), int(state.records)
    flows.seed = int(state.seed)
    return lib


@contextmanager
def kernel_engine(spec: ObjectSpec, alike: bool) -> Iterator[Engine | None]:
    """BPF_PROG_TEST_RUN and its clock, which is in whole nanoseconds; None where none lets us.
    (The call as a whole cannot be timed: to begin, it waits for all CPUs.)"""
    from ebee.errors import KernelError, VerifierError
    from ebee.linux import backend

    try:
        loaded = backend.load(spec)
    except VerifierError:
        raise
    except KernelError:
        yield None
        return
    with loaded:
        fill(loaded)
        program, data = next(iter(loaded.programs.values())), packet()
        last = program.test_run(data, repeat=1000)

        def run(n: int) -> int:
            nonlocal last
            last = program.test_run(data, repeat=n)
            return last.retval * n

        times = int(KERNEL_SAMPLE / (max(last.duration, 1) * 1e-9)) + 1
        yield Engine(run, 1, lambda: last.duration, times, alike)


def machine_engines(builder: Builder, program: MachineProgram) -> dict[str, Engine]:
    """The tiers of the JIT, called by the same loop in C as native functions; the interpreter."""
    machine = program.machine
    cpu = machine.cpus[0]
    cpu.put_packet(packet())
    call = builder.driver.call_compiled

    def tier(options: dict[str, Any]) -> Engine:
        compiled = program.compiled(**options)

        def run(n: int) -> int:
            cpu.block.budget = UNLIMITED
            return int(call(compiled.entry, int(cpu.block.ptr), cpu.context.base, n))

        return Engine(run)

    engines = {name: tier(options) for name, options in TIERS.items()}
    interpreter = Interpreter(machine, cpu, machine.helpers)

    def interpret(n: int) -> int:
        total = 0
        for _ in range(n):
            interpreter.start(program.code, cpu.context.base)
            total += interpreter.run() & 0xFFFF_FFFF
        return total

    machine.regions.update()
    return {**engines, "interpreter": Engine(interpret)}


# -- results ---------------------------------------------------------------------------------------

Numbers = dict[str, dict[str, float]]


def ratios(numbers: Numbers, engine: str) -> dict[str, float]:
    """Run time over native -O2, by program, where the engine took part."""
    return {
        name: figures[engine] / figures["-O2"]
        for name, figures in numbers.items()
        if name != "empty" and engine in figures
    }


def _table(report: Report, numbers: Numbers) -> None:
    engines = [e for e in (*ENGINES[:3], NET, *ENGINES[3:]) if e != "-O2"]
    shown = [e for e in engines if any(e in figures for figures in numbers.values())]
    by_engine = {e: ratios(numbers, e) for e in shown}
    rows: list[list[Any]] = [
        [name, figures["-O2"], *(by_engine[e].get(name) for e in shown)]
        for name, figures in numbers.items()
        if name != "empty"
    ]
    means = [geometric_mean(by_engine[e].values()) for e in shown]
    rows.append(["geometric mean", None, *means])
    loops = ", ".join(f"{e} {numbers['empty'][e]:.2f}" for e in ENGINES if e in numbers["empty"])
    report.table(
        "Run time, as a ratio to native -O2 (lower is better)",
        ["program", "-O2, ns", *shown],
        rows,
        f"Each figure holds the loop around the program, which costs, in ns: {loops}."
        " kernel, net: without it.",
    )
    report.numbers["programs_geometric_mean"] = dict(zip(shown, means, strict=True))


def _judge(report: Report, numbers: Numbers) -> None:
    trusted, checked = ratios(numbers, "trusted"), ratios(numbers, "checked")
    report.judge("trusted, geometric mean", geometric_mean(trusted.values()), "<=", 0.60)
    worst = max(trusted, key=trusted.__getitem__)
    report.judge("trusted, the slowest", trusted[worst], "<=", 1.05, detail=worst)
    if beside := beside_kernel(numbers):
        worst = max(beside, key=beside.__getitem__)
        report.judge("trusted beside the kernel's JIT, the slowest", beside[worst], "<=", 1.02,
                     detail=f"{worst}; both without their loops")  # fmt: skip
    report.judge("checked, geometric mean", geometric_mean(checked.values()), "<=", 1.3)
    lookup = numbers["maplook"]
    report.judge("hash lookup beside C", lookup["trusted"] / lookup["-O2"], "<=", 1.0)


def beside_kernel(numbers: Numbers) -> dict[str, float]:
    """Trusted code beside the kernel's JIT by program, each without the loop around it; as near as
    the kernel's clock tells."""
    floor, found = numbers["empty"]["trusted"], {}
    for name, figures in numbers.items():
        if name != "empty" and NET in figures:
            found[name] = max(figures["trusted"] - floor, 0.0) / (figures[NET] + KERNEL_CLOCK)
    return found
