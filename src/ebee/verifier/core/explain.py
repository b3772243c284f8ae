"""Why a program was rejected, for the person who wrote it: the way there, and what became of the
register that it is about."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ebee.isa.flow import writes
from ebee.obj.spec import Line
from ebee.verifier.core import reg as R

if TYPE_CHECKING:
    from ebee.verifier.core.errors import Rejected
    from ebee.verifier.core.walk import Walk

BRANCHES, CHANGES, STEPS = 8, 5, 100_000
"""How many branches and changes are told, and how far back they are looked for."""

_REGISTER = re.compile(r"\bR(\d+)\b")


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction of the way: its slot, its text, its source line; of a branch also whether it
    was taken, and how often before (`times` in all)."""

    slot: int
    text: str
    line: Line | None = None
    taken: bool | None = None
    times: int = 1

    def __str__(self) -> str:
        how = "" if self.taken is None else ": taken" if self.taken else ": not taken"
        how += f", {self.times:,} times" if self.times > 1 else ""
        if self.line is None:
            return f"instruction {self.slot}: {self.text}{how}"
        place = f"{self.line.file.rsplit('/', 1)[-1]}:{self.line.line}"
        return f"{place}: {self.line.text.strip()}  [{self.slot}: {self.text}{how}]"


@dataclass(frozen=True, slots=True)
class Explanation:
    """The way to the error.

    register    the register that the message is about ("R2"), and what is known of it (`holds`)
    changes     the instructions that made it what it is, the last one first
    branches    the branches on the way, and the calls of functions in which it ends, in the order
                in which they were walked (the last time); `more` before them
    """

    register: str = ""
    holds: str = ""
    changes: list[Step] = field(default_factory=list)
    branches: list[Step] = field(default_factory=list)
    more: bool = False

    def lines(self) -> Iterator[str]:
        """As text, a line each."""
        if self.register:
            yield (
                f"{self.register} holds {self.holds}" if self.holds else f"{self.register} is unset"
            )
        if self.changes:
            yield f"{self.register} was changed by"
            yield from (f"    {step}" for step in self.changes)
        if self.branches:
            yield "the way there" + (" (its last branches)" if self.more else "")
            yield from (f"    {step}" for step in self.branches)


def explain(w: Walk, error: Rejected) -> Explanation:
    """The explanation of an error at the walk's current instruction."""
    found = _REGISTER.search(error.message)
    regno = int(found[1]) if found is not None else _moved_by(w)
    holds = ""
    if 0 <= regno <= 10 and w.state.frames:
        from ebee.verifier.core.log import reg_text

        reg = w.state.frame.regs[regno]
        if reg.type != R.NOT_INIT:
            holds = reg_text(reg, len(w.state.frames) - 1)
    changes, branches, more = _way(w, regno)
    register = f"R{regno}" if 0 <= regno <= 10 else ""
    return Explanation(register, holds, changes, branches, more)


def _moved_by(w: Walk) -> int:
    """The number that was to move a pointer, where the message does not name it."""
    op = w.cfg.ops[w.idx]
    if op is None or op.kind != "alu" or not op.reg or not w.state.frames:
        return -1
    return op.src if w.state.frame.regs[op.src].type == R.SCALAR else op.dst


def _way(w: Walk, regno: int) -> tuple[list[Step], list[Step], bool]:
    changes: list[Step] = []
    steps: dict[tuple[int, bool | None], Step] = {}  # the last ones first
    more = False
    after, inside = -1, 0
    for count, slot in enumerate(backwards(w)):
        op = w.cfg.ops[slot]
        if op is None:
            continue
        if count and op.kind == "jump" and op.operation not in ("ja", "may_goto") and after >= 0:
            more |= not _note(w, steps, slot, after == op.target)
        if count and op.operation == "exit":
            inside += 1
        elif op.name == "call_local" and count:
            if not inside:
                more |= not _note(w, steps, slot, None)
                regno = regno if 1 <= regno <= 5 else -1  # what the caller passed
            inside = max(inside - 1, 0)
        elif count and regno >= 0 and not inside and len(changes) < CHANGES:
            if op.kind == "call":
                if regno == 0:
                    changes.append(_step(w, slot))
                    regno = -1
            elif writes(op.insn) >> regno & 1:
                changes.append(_step(w, slot))
                if op.operation == "mov":
                    regno = op.src if op.reg else -1
                elif op.kind in ("load", "imm64"):
                    regno = -1
        after = slot
        if count > STEPS:
            more = True
            break
    return changes, list(steps.values())[::-1], more


def _note(
    w: Walk, steps: dict[tuple[int, bool | None], Step], slot: int, taken: bool | None
) -> bool:
    """Add a branch, or count it again; whether there was room."""
    known = steps.get((slot, taken))
    if known is not None:
        steps[slot, taken] = replace(known, times=known.times + 1)
    elif len(steps) < BRANCHES:
        steps[slot, taken] = _step(w, slot, taken)
    return known is not None or (slot, taken) in steps


def _step(w: Walk, slot: int, taken: bool | None = None) -> Step:
    from ebee.verifier.core.log import instruction

    op = w.cfg.op(slot)
    return Step(slot, instruction(w, op).partition(") ")[2], w.line_of(slot), taken)


def backwards(w: Walk) -> Iterator[int]:
    """The instructions of the current path, the last one first."""
    state = w.state
    slot, first, history = w.idx, state.first, state.history
    while True:
        yield slot
        at_start = slot == first
        if at_start and (history is None or (history.before is None and history.idx == slot)):
            if state.parent is None:
                return
            state = state.parent
            slot, first, history = state.last, state.first, state.history
            if slot < 0:
                return
            continue
        if history is not None and history.idx == slot:
            slot, history = history.previous, history.before
        else:
            slot -= 1
        if slot < 0:
            return
