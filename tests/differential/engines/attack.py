"""Hostile programs under guard, in child processes: a crash or a hang is a finding, not an end."""

from __future__ import annotations

import json
import mmap
import os
import random
import re
import select
import signal
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from unittest.mock import patch

from ebee.abi.map import MapHeader
from ebee.errors import EbeeError
from ebee.isa import make
from ebee.machine.jit.checked import Shape
from ebee.maps import lpm_ops
from ebee.types import sizeof

from .compare import Engines, Result, name_of
from .guard import GuardedMemory
from .hostile import hostile_maps, make_hostile
from .program import Program

ESCAPE = "ESCAPE"
HARMLESS = (" stack", "frames", "code is not")
"""What the interpreter's fault says where the JIT may run on: frames of functions that are not
running, and addresses of functions, which are others there."""

BUDGET = 2_000
HANG = 600.0
"""Seconds without a sign of life: many, for machines that are busy with other things."""

CHECKED = (("quick", True), ("optimised", True))
MODULE = 25
TURNS = 12
INSTRUCTION = re.compile(r"instruction (\d+)")
EXIT = make("exit")


@dataclass
class Findings:
    """`bad`: (seed, what) of each violation; `counts`: how programs ended."""

    programs: int = 0
    runs: int = 0
    bad: list[tuple[str, str]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, other: Findings) -> None:
        self.programs += other.programs
        self.runs += other.runs
        self.bad += other.bad
        self.counts += other.counts

    def line(self) -> str:
        ends = ", ".join(f"{n:,} {what}" for what, n in self.counts.most_common())
        return f"{self.programs:,} programs, {self.runs:,} runs, {len(self.bad)} bad ({ends})"


class Range:
    """The machine that is attacked, with guards around all of its memory."""

    def __init__(self) -> None:
        self.engines = Engines(hostile_maps(), GuardedMemory)
        size = sizeof(MapHeader)
        self.headers = {
            name: (m._regions[0].data[:size], bytes(m._regions[0].data[:size]))
            for name, m in self.engines.maps.items()
        }
        self.blocks = [r for r in self.engines.machine.memory.regions() if r.name == "context"]

    def damage(self) -> str:
        """What no program may have done; "" if none has."""
        memory = self.engines.machine.memory
        assert isinstance(memory, GuardedMemory)
        if name := memory.overrun():
            return f"wrote beside {name}"
        for name, (now, before) in self.headers.items():
            if now != before:
                return f"changed the header of {name}"
        return ""

    def sharpen(self, program: Program) -> Program:
        """The program without most of the instructions that the interpreter stops at, so that what
        comes behind them has its turn."""
        rng, best = random.Random(program.seed), program
        for _ in range(TURNS):
            try:
                result = self.engines.interpret(self.engines.prepare(best), best.inputs, BUDGET)
            except EbeeError:
                return best
            found = INSTRUCTION.search(result.error)
            if found is None or "stopped after" in result.error or rng.random() < 0.15:
                return best
            shorter = best.without(int(found[1]))
            if any(not len(f) or f[-1] != EXIT for f in shorter.functions):
                return best
            best = shorter
        return best

    def escapes_again(self, program: Program, way: tuple[str, bool]) -> bool:
        """Whether it is still so when both engines have their frames in the same place: a program
        may well do something else where its stack lies elsewhere."""
        with patch.object(Shape, "_escapes", lambda _: True):
            again = self.engines.run_all([program], (way,), BUDGET)[0]
        return judge(again["interpreter"], again[name_of(way)]) == ESCAPE

    def run(
        self, programs: Sequence[Program], ways: Sequence[tuple[str, bool]],
        tell: Callable[[str], None],
    ) -> Findings:  # fmt: skip
        found = Findings(len(programs))
        results = self.engines.run_all(programs, ways, BUDGET, tell)
        for program, by_engine in zip(programs, results, strict=True):
            found.runs += len(program.inputs) * len(by_engine)
            reference = by_engine["interpreter"]
            found.counts["fault" if reference.error else "run through"] += 1
            for way in ways:
                verdict = judge(reference, by_engine[name_of(way)])
                if verdict == ESCAPE and not self.escapes_again(program, way):
                    verdict = "depends on addresses"
                found.counts[verdict] += 1
                if verdict == ESCAPE:
                    what = f"{name_of(way)} does not fault: {reference.error}"
                    found.bad.append((program.seed, what))
        if what := self.damage():
            found.bad.append((f"{programs[0].seed} .. {programs[-1].seed}", what))
        return found


def judge(reference: Result, result: Result) -> str:
    """How the checked JIT relates to the interpreter.

    It may fault where the interpreter does not: it holds a pointer into a map's value, a packet or
    a frame to that object, where the interpreter allows any memory of programs; and its stack
    frames lie elsewhere. It may run on where the interpreter faults in a frame of a function that
    is not running. Anything else is an escape.
    """
    a, b = reference.error, result.error
    if b.startswith(("refused", "unsupported")):
        return "left to the interpreter"
    if "stopped after" in a or "too many instructions" in b:
        return "budget"
    if not a and not b:
        return "same" if reference.frames == result.frames else "other results"
    if a and b:
        return "both fault"
    if b:
        return "only the JIT faults"
    return "only the interpreter faults" if any(h in a for h in HARMLESS) else ESCAPE


def attack(
    seeds: Sequence[str], ways: Sequence[tuple[str, bool]] = CHECKED,
    report: Callable[[Findings], None] = lambda _: None, inputs: int = 2,
) -> Findings:  # fmt: skip
    """All programs of the seeds, in children that are replaced when one dies of it."""
    total, left = Findings(), list(seeds)
    while left:
        done, bad = _child(left, ways, inputs, total, report)
        if bad is not None:
            total.bad.append((left[done], bad))
            done += MODULE if "lowering" in bad or "compiling" in bad else 1
        left = left[done:]
    return total


def _child(
    seeds: Sequence[str], ways: Sequence[tuple[str, bool]], inputs: int, total: Findings,
    report: Callable[[Findings], None],
) -> tuple[int, str | None]:  # fmt: skip
    """Run seeds in a child; how many were finished, and why it ended early."""
    where = mmap.mmap(-1, 4096)
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(reading)
        _in_child(seeds, ways, inputs, where, writing)
    os.close(writing)
    finished, buffer, reason = 0, b"", ""
    while True:
        if not select.select([reading], [], [], HANG)[0]:
            os.kill(pid, signal.SIGKILL)
            reason = f"hangs (more than {HANG:g} s)"
            break
        part = os.read(reading, 1 << 16)
        if not part:
            break
        *lines, buffer = (buffer + part).split(b"\n")
        for line in lines:
            raw = json.loads(line)
            one = Findings(raw["programs"], raw["runs"], [tuple(b) for b in raw["bad"]],
                           Counter(raw["counts"]))  # fmt: skip
            total.add(one)
            finished += one.programs
            report(total)
    os.close(reading)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status) and not reason:
        reason = f"died of {signal.Signals(os.WTERMSIG(status)).name}"
    elif os.WIFEXITED(status) and os.WEXITSTATUS(status):
        reason = "raised"
    if not reason:
        return finished, None
    text = where[:].split(b"\0")[0].decode(errors="replace")
    number, _, what = text.partition(" ")
    at = finished + int(number or 0)
    return min(at, len(seeds) - 1), f"{reason} in {what}"


def _in_child(
    seeds: Sequence[str], ways: Sequence[tuple[str, bool]], inputs: int, where: mmap.mmap,
    writing: int,
) -> None:  # fmt: skip
    def tell(text: str) -> None:
        data = text.encode()[:4000]
        where[: len(data) + 1] = data + b"\0"

    status = 1
    try:
        tell("0 start")
        lpm_ops.TABLE_BITS, lpm_ops.TABLE = 2, 4  # a large table takes long to interpret
        target = Range()
        for at in range(0, len(seeds), MODULE):
            programs = []
            for i, seed in enumerate(seeds[at : at + MODULE]):
                tell(f"{i} interpreter, sharpening")
                programs.append(target.sharpen(make_hostile(seed, inputs)))
            found = target.run(programs, ways, tell)
            text = json.dumps(
                {"programs": found.programs, "runs": found.runs, "bad": found.bad,
                 "counts": found.counts}
            )  # fmt: skip
            os.write(writing, text.encode() + b"\n")
        status = 0
    except BaseException:
        tell(where[:].split(b"\0")[0].decode() + ": " + traceback.format_exc()[-3000:])
    finally:
        from ebee.lang.compiler import shut_down

        shut_down()
        os._exit(status)
