"""What can be said of a program as a whole before its functions are lowered with checks."""

from __future__ import annotations

from collections.abc import Iterable, Set
from functools import cached_property

from ebee.helpers import Helper, all_helpers, by_id
from ebee.isa import Form, Insn
from ebee.isa.insn import FP
from ebee.machine.cpu import FRAMES, STACK
from ebee.machine.jit.flow import reachable
from ebee.machine.jit.unit import Unit
from ebee.verifier.facts import Fact


class Shape:
    """What can be said of a program's functions before they are lowered.

    `cost`: instructions that a call of each runs at the most, None where loops, circles of calls or
    callbacks leave it open; `nested`: calls may nest too deep, so the depth is counted; `escapes`:
    pointers to the stack may be followed where they are not known to be such, so frames lie in the
    machine's memory; `locks`, `dynptrs`: it may use these. `lowered`, `faulting`: functions that
    are done, and those that may fail.
    """

    def __init__(self, unit: Unit):
        self.unit, self.code = unit, unit.code
        numbers = self._numbers()
        self.locks = bool(numbers & LOCKS)
        self.dynptrs = bool(numbers & DYNPTRS)
        self.cost: dict[int, int | None] = {}
        self.lowered: set[int] = set()
        self.faulting: set[int] = set()
        self.escapes = self._escapes()
        depth: dict[int, int] = {}
        for start in unit.functions():  # callees first
            self.cost[start] = self._cost(start)
            below = [depth.get(c, FRAMES) for c in unit.callees(start)]
            depth[start] = 1 + max(below, default=0)
        self.nested = self.escapes or max(depth.values()) > FRAMES

    def _numbers(self) -> Set[int]:
        """The helpers that the program may call."""
        found, facts = set(), self.code.facts
        for slot, form in enumerate(self.code.forms):
            if form is not None and form.operation == "helper" and facts.before[slot] is not None:
                found.add(self.code.insns[slot].imm)
            elif form is not None and form.operation == "register":
                return LOCKS | DYNPTRS
        return found

    def _cost(self, start: int) -> int | None:
        code, facts, total = self.code, self.code.facts, 0
        for slot in reachable(code, start):
            form, runs = code.forms[slot], facts.runs.get(slot)
            assert form is not None
            if facts.before[slot] is None:
                continue  # control never comes there
            if runs is None:
                return None
            cost = 1
            if form.operation in ("helper", "register"):
                cost += 10
                if form.operation == "register" or code.insns[slot].imm in LEADING:
                    return None
            below = self.cost.get(code.targets[slot]) if slot in code.targets else 0
            if below is None:
                return None
            total += runs * (cost + below)
        return total if total < SHORT else None

    def _escapes(self) -> bool:
        facts, code = self.code.facts, self.code
        if self.dynptrs:
            return True  # where they are is noted by their places on the machine's stack
        for slot, form in enumerate(code.forms):
            if form is None or facts.before[slot] is None:
                continue
            if form.kind in ("load", "store", "atomic"):
                insn = code.insns[slot]
                fact = facts.reg(slot, _base(insn, form)).at(insn.off)
                sure = self._own(slot, fact) or fact.within(-STACK, 0, form.size)
                if fact.kind in ("unknown", "scalar") or (fact.kind == "stack" and not sure):
                    return True
            elif form.operation == "helper":
                if self._leaks(slot, by_id(code.insns[slot].imm)):
                    return True
            elif form.operation == "register":
                return True
        return False

    def _leaks(self, slot: int, helper: Helper | None) -> bool:
        """Whether a helper may be given a pointer to a stack that is not known to be one, or to be
        right, or reads one without its being checked as an argument."""
        for r in range(1, 6):
            fact = self.code.facts.reg(slot, r)
            kind = helper.params[r - 1].kind if helper and r <= len(helper.params) else ""
            if fact.kind == "unknown" and (kind or not helper):
                return True
            passed = helper is not None and helper.id in PASSING and kind == "any"
            if fact.kind == "stack" and (kind == "any" or not self._own(slot, fact)) and not passed:
                return True
        return False

    @cached_property
    def reached(self) -> dict[str, int]:
        """How many bytes at the upper end of its frames anything reaches, by a function's start as
        facts have it; where pointers to stacks escape, that may be all."""
        code, facts = self.code, self.code.facts
        found: dict[str, int] = {}
        for slot, form in enumerate(code.forms):
            if form is None or facts.before[slot] is None:
                continue
            insn, off = code.insns[slot], 0
            registers: Iterable[int] = ()
            if form.kind in ("load", "store", "atomic"):
                registers, off = (_base(insn, form),), insn.off
            elif form.operation in ("helper", "register"):
                registers = range(1, 6)
            for r in registers:
                fact = facts.reg(slot, r).at(off)
                if fact.kind == "stack":
                    low = STACK if fact.span is None else min(max(-fact.span[0], 0), STACK)
                    found[fact.of] = max(found.get(fact.of, 0), low)
        return found

    def _own(self, slot: int, fact: Fact) -> bool:
        """Whether a pointer to a stack leads to the running function's frame."""
        return fact.of == self.code.facts.reg(slot, FP).of


def _base(insn: Insn, form: Form) -> int:
    """The register with the address of an access."""
    loads = form.kind == "load" or form.operation == "load_acquire"
    return insn.src if loads else insn.dst


SHORT = 1 << 20
"""Functions that run fewer instructions need no budget of their own."""

LEADING = 12, 164, 181
"""Helpers that lead elsewhere or run for long: tail calls, walks through maps, loops."""

PASSING = 164, 181
"""Helpers that read nothing through a pointer, but pass it on to a function."""

UNLOCK = 94
LOCKS = frozenset((93, UNLOCK))
DYNPTRS = frozenset(
    h.id for h in all_helpers() if h.body and any(p.kind.startswith("dynptr") for p in h.params)
)
"""Helpers that work with spin locks and with dynptrs."""
