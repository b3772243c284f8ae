"""The long random tests, with one line of totals each; what fails is cut down and printed.

    python scripts/fuzz.py [KIND ...] [--seed TEXT] [--from N] [--count N] [--jobs N] [--state DIR]

valid      programs on the interpreter, the JIT in all its ways and in the kernel (10 inputs each)
hostile    programs that no verifier would take, under guard, on 64 packets each
verifier   programs before ebee's verifier and the kernel's; what both accept is run with checks
btf        damaged BTF and .BTF.ext
objects    damaged ELF objects
functions  functions of the language under CPython, on the machine and in the kernel
language   the same with more of the language: text, tuples, structs, generics, flags, ...

A run that was interrupted goes on where it was when it is started again with the same --state.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "unit"))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "differential"))

from campaign import Batch, Kind, at_most, main
from engines import attack, compare, valid
from engines.program import Program, minimise

INPUTS, PACKETS = 10, 64
MODULE = 100
EVERYDAY = tuple(way for way in compare.WAYS if way[0] != "most")
MOST = 20
"""Every so many-th module also at the highest tier."""

KERNEL = "the kernel"
CUT = 2
"""How many findings of a module are cut down; the others probably have the same cause."""

GROUP = 100
"""Cases of the smaller kinds in a batch."""


def _groups(numbers: range, size: int) -> Iterator[range]:
    for at in range(0, len(numbers), size):
        yield numbers[at : at + size]


# --- engines -------------------------------------------------------------------------------------


def fuzz_valid(seed: str, numbers: range) -> Iterator[Batch]:
    """Programs that the kernel accepts: all engines and the kernel agree."""
    spec = valid.shared()
    engines = compare.Engines(spec)
    kernel = compare.Kernel(spec) if os.geteuid() == 0 else None
    for at, group in enumerate(_groups(numbers, MODULE)):
        ways = EVERYDAY if at % MOST else compare.WAYS
        programs = [valid.make_program(f"{seed}{n}", INPUTS) for n in group]
        batch = Batch(len(group))
        for program, found in zip(programs, engines.run_all(programs, ways), strict=True):
            truth = kernel.run(program) if kernel else None
            if truth is not None and truth.error.startswith("refused"):
                batch.counts["refused by the kernel"] += 1
                continue
            batch.counts["compared with the kernel" if kernel else "compared"] += 1
            batch.counts["runs"] += len(program.inputs) * (len(found) + (kernel is not None))
            if culprit := disagree(found, truth):
                few = len(batch.bad) < CUT
                shown = cut_down(program, culprit, engines, kernel) if few else program
                why = found.get(culprit, found["interpreter"]).error
                batch.bad.append(f"{program.seed}: the interpreter and {culprit} disagree: {why}\n"
                                 + shown.text())  # fmt: skip
        yield batch


def disagree(by_engine: dict[str, compare.Result], kernel: compare.Result | None) -> str:
    """The first engine that disagrees with the interpreter, "" if none does."""
    reference = by_engine["interpreter"]
    if kernel is not None and not reference.same(kernel):
        return KERNEL
    return next((n for n, r in by_engine.items() if n != "interpreter" and not reference.same(r)),
                "")  # fmt: skip


def cut_down(
    program: Program, culprit: str, engines: compare.Engines, kernel: compare.Kernel | None
) -> Program:
    """The smallest program that the kernel takes and the same engine runs otherwise."""
    ways = [way for way in compare.WAYS if compare.name_of(way) == culprit]

    def fails(smaller: Program) -> bool:
        truth = kernel.run(smaller) if kernel else None
        if (truth is not None and truth.error) or not engines.defined(smaller):
            return False
        found = engines.run_all([smaller], ways)[0]
        return bool(disagree(found, truth if culprit == KERNEL else None))

    return minimise(program, fails)


def fuzz_hostile(seed: str, numbers: range) -> Iterator[Batch]:
    """Hostile programs: nothing beside their memory, no crash, no hang; and what the interpreter
    stops, compiled code stops."""
    for found in attack.attack([f"{seed}{n}" for n in numbers], inputs=PACKETS):
        counts = Counter({"packets": found.packets, "runs": found.runs})
        counts += Counter({f"compared: {what}": n for what, n in found.counts.items()})
        bad = [f"{one}: {what}\n" + ("" if " .. " in one else _program(one))
               for one, what in found.bad]  # fmt: skip
        yield Batch(found.programs, counts, bad)


def _program(seed: str) -> str:
    return attack.cut_down(seed, PACKETS).text()


def fuzz_verifier(seed: str, numbers: range) -> Iterator[Batch]:
    """What ebee's verifier accepts the kernel accepts, and it runs without a fault."""
    from fuzz_verifier import Both, Runner, show, trial

    both, runner = Both(), Runner()
    for group in _groups(numbers, GROUP):
        batch = Batch(len(group))
        for n in group:
            found = trial(both, seed, n, runner)
            batch.counts += found.counts()
            if found.kind == "false accept" or found.fault:
                batch.bad.append(show(both, found))
            elif found.kind in ("false reject", "does not know"):
                batch.notes.append(show(both, found))
        yield batch


# --- formats -------------------------------------------------------------------------------------


def fuzz_btf(seed: str, numbers: range) -> Iterator[Batch]:
    """Damaged BTF is read or refused with BtfError, in bounded time and memory."""
    import test_btf_fuzz as btf

    with btf.bounded_memory(btf.MEMORY):
        for group in _groups(numbers, GROUP):
            batch = Batch(len(group))
            for n in group:
                try:
                    with at_most(btf.LIMIT):
                        batch.counts["read"] += btf.attempt(seed, n)[0] > 0
                except Exception as e:
                    batch.bad.append(f"seed {seed!r}, {n}: {type(e).__name__}: {e}")
            yield batch


def fuzz_objects(seed: str, numbers: range) -> Iterator[Batch]:
    """Damaged objects are read or refused with one of ebee's errors, in bounded time and memory."""
    import test_obj_fuzz as obj

    originals = obj.originals()
    for group in _groups(numbers, GROUP):
        batch = Batch(len(group))
        for n in group:
            try:
                with at_most(2 * obj.SECONDS):
                    batch.counts[obj.attempt(originals, seed, n)] += 1
            except Exception as e:
                batch.bad.append(f"seed {seed!r}, {n}: {type(e).__name__}: {e}")
        yield batch


# --- the language --------------------------------------------------------------------------------


def fuzz_functions(seed: str, numbers: range) -> Iterator[Batch]:
    """Functions give the same three ways. Numbers are functions: a module has some of them."""
    import test_bpf_functions as functions

    with patch("ebee.cachedir.folder", lambda room: None):  # each is compiled only once
        for group in _groups(numbers, functions.BATCH):
            batch = Batch(len(group))
            part = group.start // functions.BATCH
            try:
                batch.counts += functions.attempt(f"{seed}{part}" if seed else part, len(group))
            except Exception as e:
                batch.bad.append(f"seed {seed!r}, module {part}: {type(e).__name__}: {e}")
            yield batch


def fuzz_language(seed: str, numbers: range) -> Iterator[Batch]:
    """The same, of more of the language."""
    yield from fuzz_functions(f"w{seed}", numbers)


KINDS = {
    "valid": Kind(fuzz_valid, 100_000, "programs"),
    "hostile": Kind(fuzz_hostile, 24_000, "programs"),
    "verifier": Kind(fuzz_verifier, 200_000, "programs", root=True),
    "btf": Kind(fuzz_btf, 100_000, "inputs"),
    "objects": Kind(fuzz_objects, 100_000, "inputs"),
    "functions": Kind(fuzz_functions, 50_000, "functions"),
    "language": Kind(fuzz_language, 10_000, "functions"),
}

if __name__ == "__main__":
    sys.exit(main(KINDS, __doc__))
