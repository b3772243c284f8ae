"""The long random tests of the engines: valid programs on every engine and in the kernel, hostile
ones under guard. One line of totals each; what fails is cut down and printed as assembly.

    python scripts/fuzz.py [--valid N] [--hostile N] [--inputs N] [--seed TEXT] [--jobs N]
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "differential"))

from engines import attack, compare, hostile, valid
from engines.program import Program, minimise

EVERYDAY = tuple(way for way in compare.WAYS if way[0] != "most")
MODULE = 50
MOST = 5
"""Every fifth module also at the highest tier."""


def disagree(by_engine: dict[str, compare.Result], kernel: compare.Result | None) -> str:
    """The first engine that disagrees with the interpreter, which may disagree with the kernel."""
    reference = by_engine["interpreter"]
    if kernel is not None and not reference.same(kernel):
        return f"the interpreter and the kernel ({reference.error or kernel.error})"
    for name, result in by_engine.items():
        if name != "interpreter" and not reference.same(result):
            return f"the interpreter and {name} ({result.error or reference.error})"
    return ""


def fuzz_valid(args: argparse.Namespace) -> int:
    """Programs `first, first + jobs, ...` of the seed; how many were found wanting."""
    spec = valid.shared()
    engines = compare.Engines(spec)
    kernel = compare.Kernel(spec) if os.geteuid() == 0 else None
    counts: Counter[str] = Counter()
    begin = time.monotonic()
    numbers = range(args.part, args.valid, args.jobs)
    for at in range(0, len(numbers), MODULE):
        seeds = [f"{args.seed}{n}" for n in numbers[at : at + MODULE]]
        programs = [valid.make_program(seed, args.inputs) for seed in seeds]
        ways = EVERYDAY if at // MODULE % MOST else compare.WAYS
        for program, found in zip(programs, engines.run_all(programs, ways), strict=True):
            truth = kernel.run(program) if kernel else None
            if truth is not None and truth.error.startswith("refused"):
                counts["refused by the kernel"] += 1
                continue
            counts["compared"] += 1
            counts["runs"] += len(program.inputs) * (len(found) + (kernel is not None))
            if what := disagree(found, truth):
                counts["bad"] += 1
                report(program, what, engines, kernel, ways)
        took = time.monotonic() - begin
        done = at + len(programs)
        print(f"{done:,} of {len(numbers):,} programs, {done / took:.1f} a second, {dict(counts)}",
              file=sys.stderr, flush=True)  # fmt: skip
    oracle = "with the kernel" if kernel else "without a kernel (not root)"
    print(f"valid: {counts['compared']:,} programs, {counts['runs']:,} runs {oracle}, "
          f"{counts['refused by the kernel']:,} refused by it, {counts['bad']:,} bad, "
          f"{time.monotonic() - begin:.0f} s", flush=True)  # fmt: skip
    return counts["bad"]


def report(
    program: Program, what: str, engines: compare.Engines, kernel: compare.Kernel | None,
    ways: tuple[tuple[str, bool], ...],
) -> None:  # fmt: skip
    """The smallest program that still shows a disagreement."""

    def fails(smaller: Program) -> bool:
        truth = kernel.run(smaller) if kernel else None
        if (truth is not None and truth.error) or not engines.defined(smaller):
            return False
        return bool(disagree(engines.run_all([smaller], ways)[0], truth))

    print(f"\n{program.seed}: {what} disagree:\n{minimise(program, fails).text()}\n", flush=True)


def fuzz_hostile(args: argparse.Namespace) -> int:
    """Hostile programs, each on a few packets."""
    begin = time.monotonic()
    seeds = [f"{args.seed}{n}" for n in range(args.part, args.hostile, args.jobs)]

    told = 0

    def progress(found: attack.Findings) -> None:
        nonlocal told
        for seed, what in found.bad[told:]:
            print(f"\n{seed}: {what}", flush=True)
            if " .. " not in seed:
                print(hostile.make_hostile(seed, args.packets).text(), flush=True)
        told = len(found.bad)
        took = time.monotonic() - begin
        rate = found.programs / took
        print(f"{found.line()}, {rate:.1f} programs a second", file=sys.stderr, flush=True)

    found = attack.attack(seeds, inputs=args.packets, report=progress)
    progress(found)
    print(f"hostile: {found.line()}, {time.monotonic() - begin:.0f} s", flush=True)
    return len(found.bad)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--valid", type=int, default=100_000, help="valid programs")
    parser.add_argument("--inputs", type=int, default=10, help="packets for each of them")
    parser.add_argument("--hostile", type=int, default=250_000, help="hostile programs")
    parser.add_argument("--packets", type=int, default=4, help="packets for each of them")
    parser.add_argument("--seed", default="", help="what the programs are made from")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--part", type=int, default=-1, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.part >= 0 or args.jobs == 1:
        args.part = max(args.part, 0)
        return 1 if fuzz_valid(args) + fuzz_hostile(args) else 0
    commands = [[sys.executable, *sys.argv, "--jobs", str(args.jobs), "--part", str(part)]
                for part in range(args.jobs)]  # fmt: skip
    children = [subprocess.Popen(command) for command in commands]
    return max([child.wait() for child in children])


if __name__ == "__main__":
    sys.exit(main())
