"""What the verifier's facts are worth: the same program compiled with the facts of the quick pass
alone, and with those of the verifier, both in turn in one run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial

from ebee import clang
from ebee.machine.machine import Machine, MachineProgram
from ebee.obj import ObjectSpec

from .build import HERE, PROGRAMS, Builder, packet
from .measure import Disagreement, Engine, Plan, geometric_mean, measure
from .packets import batch_engine, batch_of, firewall, mixed, web
from .programs import UNLIMITED, fill
from .report import Report

OWN = ("callback", "config", "options", "window")
"""Programs of bench/progs, where facts matter: callbacks with pointers to other frames, constants
set before loading, offsets computed at run time into packet, map value and stack."""

MODES = ("checked", "trusted")
SOURCES = ("pass", "verifier")
Load = Callable[[], AbstractContextManager[MachineProgram]]
"""Loads a program onto a machine of its own."""

MakeEngine = Callable[[MachineProgram, bool], Engine]
"""The way to run a program, without checks or with them."""

Numbers = dict[str, dict[str, float]]


def compare(report: Report, builder: Builder, plan: Plan) -> None:
    """The small programs, whole ones, and those where facts matter."""
    numbers: Numbers = {}
    for name in PROGRAMS:
        numbers[name] = _measure(name, partial(_small, builder.small(name)), _called(builder), plan)
    for name in OWN:
        spec = clang.build(HERE / "progs" / f"{name}.c")
        numbers[name] = _measure(name, partial(_small, spec), _called(builder), plan)
    parser = builder.small("parse5")
    numbers["parse5, batch"] = _measure("parse5", partial(_small, parser), _batch(web()), plan)
    for name, packets in (("firewall, pass", web()), ("firewall, 30 % dropped", mixed())):
        numbers[name] = _measure(name, partial(_firewall, builder), _batch(packets), plan)
    report.numbers["facts"] = numbers
    _table(report, numbers)


@contextmanager
def _small(spec: ObjectSpec) -> Iterator[MachineProgram]:
    with Machine(clock=0, seed=0) as machine:
        loaded = machine.load(spec)
        fill(loaded)
        yield next(iter(loaded.programs.values()))


@contextmanager
def _firewall(builder: Builder) -> Iterator[MachineProgram]:
    with Machine(clock=0, seed=0) as machine:
        yield next(iter(firewall(machine, builder).programs.values()))


def _called(builder: Builder) -> MakeEngine:
    """One packet, again and again, by the loop of driver.c."""
    call = builder.driver.call_compiled

    def engine(program: MachineProgram, trusted: bool) -> Engine:
        cpu, compiled = program.machine.cpus[0], program.compiled(trusted=trusted)
        cpu.put_packet(packet())
        program.machine.regions.update()

        def run(n: int) -> int:
            cpu.block.budget = UNLIMITED
            return int(call(compiled.entry, int(cpu.block.ptr), cpu.context.base, n))

        return Engine(run)

    return engine


def _batch(packets: list[bytes]) -> MakeEngine:
    """Many packets from memory."""

    def engine(program: MachineProgram, trusted: bool) -> Engine:
        return batch_engine(program, batch_of(packets, 4096), trusted)

    return engine


def _measure(name: str, load: Load, engine: MakeEngine, plan: Plan) -> dict[str, float]:
    """Nanoseconds by mode and source of facts; each source on a machine of its own, in the same
    state."""
    with load() as plain, load() as proved:
        verdict = proved.verify()
        if not verdict.accepted:
            raise Disagreement(f"{name} is to be measured with the verifier's facts: {verdict}")
        pairs = {"pass": plain, "verifier": proved}
        engines = {
            f"{mode}, {source}": engine(pairs[source], mode == "trusted")
            for mode in MODES
            for source in SOURCES
        }
        figures = {label: f.ns for label, f in measure(engines, plan, name).items()}
        for program in pairs.values():
            program.machine.raise_fault(program.machine.cpus[0], program.code)
    return figures


def _table(report: Report, numbers: Numbers) -> None:
    gains = {
        mode: {name: f[f"{mode}, pass"] / f[f"{mode}, verifier"] for name, f in numbers.items()}
        for mode in MODES
    }
    rows = [
        [name, *(x for m in MODES for x in (*(f[f"{m}, {s}"] for s in SOURCES), gains[m][name]))]
        for name, f in numbers.items()
    ]
    means = {mode: geometric_mean(gains[mode].values()) for mode in MODES}
    rows.append(["geometric mean", *(x for m in MODES for x in (None, None, means[m]))])
    columns = [f"{m}, {c}" for m in MODES for c in ("pass, ns", "verifier, ns", "gain")]
    report.table(
        "Facts of the quick pass, and of the verifier as well (gain: how many times as fast)",
        ["program", *columns],
        rows,
        "The last three rows are for each of many packets in a batch.",
    )
    report.numbers["facts_gain"] = {"by program": gains, "geometric mean": means}
