"""Measuring on a machine that others use too: short samples, all engines in turn, many rounds."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from ebee.errors import EbeeError


class Disagreement(EbeeError):
    """Engines returned different values for the same input: no figure of theirs means anything."""


@dataclass(frozen=True)
class Plan:
    """`sample`: seconds that one sample takes; `rounds`: samples of each engine.

    Samples are short because disturbances are long: out of many millisecond samples, spread over a
    second, some meet a quiet machine, and the least of them is the figure.
    """

    sample: float = 1e-3
    rounds: int = 100


OWN_CLOCK_EVERY = 8
"""Engines with a clock of their own take part in one round of so many."""

MOST = 1 << 32
"""Runs that no sample needs."""

QUICK, FULL = Plan(0.5e-3, 12), Plan()


@dataclass(frozen=True)
class Engine:
    """One of those that are compared: `run(n)` does the work n times and gives the sum of what the
    program returned; `unit`: how many things (packets) are done each time. An engine with a clock
    of its own says with `clock` how many nanoseconds each thing took in the last run, and with
    `times` what n it needs. `alike`: whether it must return what the others do."""

    run: Callable[[int], int]
    unit: int = 1
    clock: Callable[[], float] | None = None
    times: int = 0
    alike: bool = True


@dataclass(frozen=True)
class Figure:
    """Nanoseconds for one thing, and what the program returned (over `unit` things, in all)."""

    ns: float
    value: int


def measure(engines: Mapping[str, Engine], plan: Plan = FULL, what: str = "") -> dict[str, Figure]:
    """The least time of each engine, all in turn. Disagreement when values differ, between engines
    or from run to run.

    An engine whose samples have to be longer takes part in fewer rounds, but in two at least.
    """
    times = {name: _calibrate(e, plan) for name, e in engines.items()}
    least = dict.fromkeys(engines, math.inf)
    values: dict[str, int] = {}
    for turn in range(plan.rounds):
        for name, engine in engines.items():
            n, every = times[name]
            if turn % min(every, plan.rounds // 2 or 1):
                continue
            begin = time.perf_counter_ns()
            total = engine.run(n)
            took = (time.perf_counter_ns() - begin) / n / engine.unit
            least[name] = min(least[name], engine.clock() if engine.clock else took)
            value, rest = divmod(total, n)
            if rest or values.setdefault(name, value) != value:
                raise Disagreement(f"{what or name}: {name} returns now this, now that")
    alike = {name: value for name, value in values.items() if engines[name].alike}
    if len(set(alike.values())) > 1:
        listed = ", ".join(f"{name} {value}" for name, value in alike.items())
        raise Disagreement(f"{what}: engines return different values: {listed}")
    return {name: Figure(least[name], values[name]) for name in engines}


def _calibrate(engine: Engine, plan: Plan) -> tuple[int, int]:
    """How often to run in a sample, and that only every so many rounds."""
    if engine.times:
        return engine.times, OWN_CLOCK_EVERY
    engine.run(1)  # whatever is made on first use
    n = 1
    while (took := best(partial(engine.run, n), 3)) < plan.sample / 2:  # of 3: some are disturbed
        if n > MOST:
            raise Disagreement("an engine does not take longer for more work")
        n *= max(2, min(16, int(plan.sample / took)))
    return n, max(1, round(took / plan.sample))


def best(
    work: Callable[[], object], rounds: int, clock: Callable[[], float] = time.perf_counter
) -> float:
    """The least time of several runs, in seconds. Runs that last much longer than a sample need a
    `clock` that stands while others have the processor (time.process_time)."""
    found = math.inf
    for _ in range(rounds):
        begin = clock()
        work()
        found = min(found, clock() - begin)
    return found


def geometric_mean(values: Iterable[float]) -> float:
    """nan of nothing."""
    logs = [math.log(v) for v in values]
    return math.exp(sum(logs) / len(logs)) if logs else math.nan


@contextmanager
def pinned() -> Iterator[None]:
    """On one CPU, the one that others use least, where the system lets us choose."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {max(sorted(before, reverse=True), key=_share)})
        yield
    finally:
        os.sched_setaffinity(0, before)


def _share(cpu: int) -> float:
    """How much of a CPU's time we get, tried for a moment."""
    os.sched_setaffinity(0, {cpu})
    used, begin = time.process_time(), time.perf_counter()
    while time.perf_counter() < begin + 0.03:
        pass
    return (time.process_time() - used) / (time.perf_counter() - begin)
