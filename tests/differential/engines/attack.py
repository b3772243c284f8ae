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
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from unittest.mock import patch

from ebee.abi.map import MapHeader
from ebee.errors import EbeeError
from ebee.isa import make
from ebee.machine.jit.checked import Shape
from ebee.maps import lpm_ops
from ebee.types import sizeof

from .compare import Engines, Result, Run, name_of
from .guard import GuardedMemory
from .hostile import hostile_maps, make_hostile
from .program import Program, minimise

ESCAPE = "ESCAPE"
HARMLESS = (" stack", "frames", "code is not")
"""What the interpreter's fault says where the JIT may run on: frames of functions that are not
running, and addresses of functions, which are others there."""

BUDGET = 2_000
HANG = 600.0
"""Seconds without a sign of life: many, for machines that are busy with other things."""

CHECKED = (("quick", True), ("optimised", True))
MODULE = 50
TURNS = 12
COMPARED = 4
"""Inputs that the interpreter runs too."""

FAULTS = 6
"""A program that has faulted so often goes no further."""

SMALL = {"TABLE_BITS": 2, "TABLE": 4}
"""Of an LPM trie: a large table takes long to interpret."""

INSTRUCTION = re.compile(r"instruction (\d+)")
EXIT = make("exit")


@dataclass
class Findings:
    """`bad`: (seed, what) of each violation; `counts`: how programs ended."""

    programs: int = 0
    packets: int = 0  # pairs of a program and a packet that compiled code ran on
    runs: int = 0
    bad: list[tuple[str, str]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, other: Findings) -> None:
        self.programs += other.programs
        self.packets += other.packets
        self.runs += other.runs
        self.bad += other.bad
        self.counts += other.counts

    def line(self) -> str:
        ends = ", ".join(f"{n:,} {what}" for what, n in self.counts.most_common())
        return (f"{self.programs:,} programs on {self.packets:,} packets, {self.runs:,} runs, "
                f"{len(self.bad)} bad (compared: {ends})")  # fmt: skip


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
                inputs = best.inputs[:COMPARED]
                result = self.engines.interpret(self.engines.prepare(best), inputs, BUDGET)
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

    def escapes_again(self, program: Program, way: tuple[str, bool], count: int) -> bool:
        """Whether it is still so when both engines have their frames in the same place: a program
        may well do something else where its stack lies elsewhere."""
        with patch.object(Shape, "_escapes", lambda _: True):
            again = {
                name: outcomes(run, program.inputs[:count])
                for _, name, run in self.engines.each_way([program], (way,))
            }
        return compare(again["interpreter"], again[name_of(way)])[-1] == ESCAPE

    def run(
        self, programs: Sequence[Program], ways: Sequence[tuple[str, bool]],
        tell: Callable[[str], None], compared: int = COMPARED,
    ) -> Findings:  # fmt: skip
        """All engines over the inputs, the interpreter over the first `compared`."""
        found = Findings(len(programs))
        references: dict[int, list[Result]] = {}
        ran = [0] * len(programs)
        for i, name, run in self.engines.each_way(programs, ways, tell):
            program = programs[i]
            if name == "interpreter":
                references[i] = outcomes(run, program.inputs[:compared])
                continue
            results = outcomes(run, program.inputs)
            if not results[0].error.startswith(("refused", "unsupported")):
                ran[i] = max(ran[i], len(results))
                found.runs += len(results)
            way = next(w for w in ways if name_of(w) == name)
            for at, verdict in enumerate(compare(references[i], results)):
                if verdict == ESCAPE and not self.escapes_again(program, way, at + 1):
                    verdict = "depends on addresses"
                found.counts[verdict] += 1
                if verdict == ESCAPE:
                    what = f"{name} does not fault on input {at}: {references[i][at].error}"
                    found.bad.append((program.seed, what))
        found.packets += sum(ran)
        if what := self.damage():
            found.bad.append((f"{programs[0].seed} .. {programs[-1].seed}", what))
        return found


def outcomes(run: Run, inputs: Sequence[bytes]) -> list[Result]:
    """The result of each input: behind a fault it goes on with the next one, in maps as new."""
    found: list[Result] = []
    for _ in range(FAULTS):
        result = run(inputs[len(found) :], BUDGET)
        found += [Result(frames=(frame,)) for frame in result.frames]
        if result.error:
            found.append(Result(error=result.error))
        if len(found) >= len(inputs) or result.error.startswith(("refused", "unsupported")):
            break
    return found


def compare(reference: Sequence[Result], results: Sequence[Result]) -> list[str]:
    """How the checked JIT relates to the interpreter on each input, up to the first one where they
    part: from there on their maps may differ."""
    found: list[str] = []
    for a, b in zip(reference, results, strict=False):
        found.append(judge(a, b))
        if found[-1] not in ("same", "both fault"):
            break
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
    seeds: Sequence[str], ways: Sequence[tuple[str, bool]] = CHECKED, inputs: int = 2,
) -> Iterator[Findings]:  # fmt: skip
    """All programs of the seeds, a module at a time, in children that are replaced when one dies
    of it."""
    left = list(seeds)
    while left:
        done, at, bad = yield from _child(left, ways, inputs)
        if "lowering" in bad or "compiling" in bad:
            lost = left[done : done + MODULE]
            yield Findings(len(lost), bad=[(f"{lost[0]} .. {lost[-1]}", bad)])
            left = left[done + MODULE :]
        elif bad:
            yield Findings(1, bad=[(left[at], bad)])
            left = left[done:at] + left[at + 1 :]
        else:
            left = left[done:]


def _child(
    seeds: Sequence[str], ways: Sequence[tuple[str, bool]], inputs: int
) -> Generator[Findings, None, tuple[int, int, str]]:
    """Run seeds in a child; in the end how many were finished, and at which one it ended early and
    why ("" if it did not)."""
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
            raw |= {"bad": [tuple(b) for b in raw["bad"]], "counts": Counter(raw["counts"])}
            finished += raw["programs"]
            yield Findings(**raw)
    os.close(reading)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status) and not reason:
        reason = f"died of {signal.Signals(os.WTERMSIG(status)).name}"
    elif os.WIFEXITED(status) and os.WEXITSTATUS(status):
        reason = "raised"
    if not reason:
        return finished, 0, ""
    text = where[:].split(b"\0")[0].decode(errors="replace")
    number, _, what = text.partition(" ")
    at = finished + int(number or 0)
    return finished, min(at, len(seeds) - 1), f"{reason} in {what}"


def cut_down(seed: str, inputs: int) -> Program:
    """The program of a finding, as it ran; where it kills its process, the smallest that does."""

    def kills(program: Program) -> bool:
        pid = os.fork()
        if not pid:
            try:
                signal.alarm(int(HANG / 10))
                target.run([program], CHECKED, lambda _: None)
            finally:
                os._exit(0)
        return os.WIFSIGNALED(os.waitpid(pid, 0)[1])

    with patch.multiple(lpm_ops, **SMALL):
        target = Range()
        program = target.sharpen(make_hostile(seed, inputs))
        return minimise(program, kills) if kills(program) else program


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
        vars(lpm_ops).update(SMALL)
        target = Range()
        for at in range(0, len(seeds), MODULE):
            programs = []
            for i, seed in enumerate(seeds[at : at + MODULE]):
                tell(f"{i} interpreter, sharpening")
                programs.append(target.sharpen(make_hostile(seed, inputs)))
            found = target.run(programs, ways, tell)
            os.write(writing, json.dumps(vars(found)).encode() + b"\n")
        status = 0
    except BaseException:
        tell(where[:].split(b"\0")[0].decode() + ": " + traceback.format_exc()[-3000:])
    finally:
        from ebee.lang.compiler import shut_down

        shut_down()
        os._exit(status)
