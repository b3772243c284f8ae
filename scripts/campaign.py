"""Long random runs: the numbered cases of a seed, a batch at a time, which may be interrupted and
taken up again, or shared among processes.

A kind of run is a function from a seed and numbers to batches; `main` gives it a command line, a
line of progress on standard error, and in the end the line of totals that may be quoted.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PROGRESS = 10.0
"""Seconds between lines of progress."""


@dataclass
class Batch:
    """What came of the next `done` numbers. `bad`: findings, as texts; `notes`: what is worth a
    look and no failure."""

    done: int
    counts: Counter[str] = field(default_factory=Counter)
    bad: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Kind:
    """`count`: how many cases a full run has; `unit`: what they are; `root`: without it there is
    nothing to compare with."""

    work: Callable[[str, range], Iterator[Batch]]
    count: int
    unit: str
    root: bool = False


@dataclass
class Total:
    """Where a run is, as it is kept between two starts of it."""

    kind: str
    seed: str
    first: int
    end: int
    next: int
    seconds: float = 0.0
    bad: int = 0
    counts: Counter[str] = field(default_factory=Counter)

    def line(self, unit: str) -> str:
        counts = "".join(f"{n:,} {what}, " for what, n in self.counts.most_common())
        return (f"{self.kind}: {self.next - self.first:,} of {self.end - self.first:,} {unit} (seed"
                f" {self.seed!r}, {self.first:,} to {self.next - 1:,}), {counts}{self.bad:,} bad,"
                f" {self.seconds:,.0f} s")  # fmt: skip


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """TimeoutError after so much processor time: a case that hangs is a finding, not an end."""

    def stop(*_: Any) -> None:
        raise TimeoutError(f"took more than {seconds:g} s")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _load(path: Path) -> Total:
    raw = json.loads(path.read_text())
    return Total(**raw | {"counts": Counter(raw["counts"])})


def _save(path: Path, total: Total) -> None:
    new = path.with_suffix(".new")
    new.write_text(json.dumps(vars(total)))
    new.replace(path)


def run(name: str, kind: Kind, numbers: range, seed: str, state: Path) -> Total:
    """The numbers, or those that an earlier start has left."""
    path = state / f"{name}-{seed or 'none'}-{numbers.start}-{numbers.stop}.json"
    total = Total(name, seed, numbers.start, numbers.stop, numbers.start)
    if path.exists():
        total = _load(path)
    began, told = time.monotonic() - total.seconds, 0.0
    for batch in kind.work(seed, range(total.next, total.end)):
        total.next += batch.done
        total.counts += batch.counts
        total.bad += len(batch.bad)
        total.seconds = time.monotonic() - began
        for text in (*batch.bad, *batch.notes):
            print(f"\n{name}: {text}\n", flush=True)
        _save(path, total)
        if total.seconds - told > PROGRESS:
            told = total.seconds
            print(total.line(kind.unit), file=sys.stderr, flush=True)
    _save(path, total)
    return total


def _shared(name: str, kind: Kind, numbers: range, args: argparse.Namespace, state: Path) -> Total:
    """The numbers, in as many processes as there are jobs."""
    if args.jobs == 1:
        return run(name, kind, numbers, args.seed, state)
    size = -(-len(numbers) // args.jobs)
    parts = [numbers[at : at + size] for at in range(0, len(numbers), size)]
    children = [
        subprocess.Popen([sys.executable, sys.argv[0], name, "--seed", args.seed, "--jobs", "1",
                          "--from", str(part.start), "--count", str(len(part)),
                          "--state", str(state), "--quiet"])
        for part in parts
    ]  # fmt: skip
    statuses = [child.wait() for child in children]
    total = Total(name, args.seed, numbers.start, numbers.stop, numbers.start)
    for part, status in zip(parts, statuses, strict=True):
        path = state / f"{name}-{args.seed or 'none'}-{part.start}-{part.stop}.json"
        one = _load(path) if path.exists() else Total(name, args.seed, 0, 0, 0)
        total.next += one.next - one.first
        total.bad += one.bad or bool(status)
        total.counts += one.counts
        total.seconds = max(total.seconds, one.seconds)
    return total


def main(kinds: Mapping[str, Kind], text: str) -> int:
    """The command; non-zero when something was found."""
    parser = argparse.ArgumentParser(
        description=text, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("kinds", nargs="*", choices=[*kinds, []], metavar="KIND",
                        help=", ".join(kinds) + " (all of them)")  # fmt: skip
    parser.add_argument("--seed", default="", help="what the cases are made from")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first number")
    parser.add_argument("--count", type=int, help="how many (as many as a full run has)")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--state", type=Path, help="folder to keep totals in, and to go on from")
    parser.add_argument("--quiet", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    bad = 0
    with tempfile.TemporaryDirectory() as scratch:
        state = args.state or Path(scratch)
        state.mkdir(parents=True, exist_ok=True)
        for name in args.kinds or kinds:
            if kinds[name].root and os.geteuid():
                print(f"{name}: left out, it needs root", flush=True)
                continue
            count = kinds[name].count if args.count is None else args.count
            numbers = range(args.first, args.first + count)
            total = _shared(name, kinds[name], numbers, args, state)
            bad += total.bad
            if not args.quiet:
                print(total.line(kinds[name].unit), flush=True)
    return 1 if bad else 0
