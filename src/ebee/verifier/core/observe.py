"""The second producer of facts: it watches the verifier walk a program that it accepts.

A fact must hold whenever its instruction runs, and the walk does not see all runs: it ends paths
that come to a state which one it remembers covers. Why what it saw before an instruction holds in
the runs that it did not see:

- Every run follows the walk's steps, where a path that was ended goes on with the state it equals.
  By induction over these steps, what the walk says of a pointer in a live register holds in the
  run. States are taken to be equal only if their live registers and slots hold pointers of one
  type, object and constant offset, and if ranges of variable offsets and the bytes of a packet that
  are there are those of the remembered state or better (`equal.reg_safe`; a packet's are more).
- Scalars are not compared as long as nothing depended on them, so a remembered state's may be
  anything in the run. No fact comes from them, with one exception: a scalar that its instruction
  itself depends on (`Walk.precise`) has been precise on the whole path to it, and so has all that
  it was made from. It counts where every visit of the instruction marked it.
- Pointers do not depend on scalars that may be anything: what is added to a pointer is precise.
  Nor do branches: where the walk follows but one way, what it compared is precise, and a pointer
  proved not to be null, or to be so far before the packet's end, is one everywhere.
- So an instruction that the walk never comes to never runs. And where no path was joined to one
  still being walked (open loops: iterators, callbacks, may_goto), states cannot follow each other
  in a circle, so that a run takes no step of the walk twice: an instruction runs at the most as
  often as the walk came to it.

Dead registers and stack slots are not compared; of them nothing is said. Neither is anything of
kernel objects, nor of memory of the caller's in global functions, which may be a stack.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebee.isa.insn import FP
from ebee.verifier.core import reg as R
from ebee.verifier.facts import UNKNOWN, Fact, Facts

if TYPE_CHECKING:
    from ebee.verifier.core.reg import Reg
    from ebee.verifier.core.state import State
    from ebee.verifier.core.walk import Walk

_KINDS = {
    R.CTX: "ctx", R.MAP: "map", R.MAP_VALUE: "map_value", R.STACK: "stack", R.META: "packet_meta",
    R.PACKET: "packet", R.PACKET_END: "packet_end", R.MEM: "mem", R.FUNC: "func",
}  # fmt: skip
_SAID = R.NULLABLE | R.RINGBUF | R.RDONLY
"""Flags of types that facts are made of, the null-ness of which they tell."""


class Observer:
    """What the walk saw, joined over all visits: `visits` of each slot, `found` by slot and
    register. `open` are the registers of which something is still known, `last` what they held."""

    def __init__(self, walk: Walk):
        self.cfg = walk.cfg
        count = self.cfg.count
        self.visits = [0] * count
        self.open: list[list[int]] = [
            [r for r in range(FP) if mask >> r & 1] for mask in self.cfg.live
        ]
        self.last: list[list[Reg]] = [[R.UNINIT] * FP for _ in range(count)]
        self.found: list[dict[int, Fact]] = [{} for _ in range(count)]
        self.sizes: dict[tuple[int, int], _Size] = {}

    def see(self, slot: int, state: State) -> None:
        """The walk is about to step over an instruction."""
        self.visits[slot] += 1
        regs, last = state.frames[-1].regs, self.last[slot]
        for r in self.open[slot]:
            reg = regs[r]
            if reg is not last[r]:
                last[r] = reg
                self._join(slot, r, reg, state)

    def _join(self, slot: int, r: int, reg: Reg, state: State) -> None:
        now = describe(reg, state, self.cfg.starts)
        known = self.found[slot].get(r)
        made = now if known is None else known.either(now)
        if made is UNKNOWN:
            self.open[slot] = [each for each in self.open[slot] if each != r]
        self.found[slot][r] = made
        if reg.type & R.BASE == R.STACK and reg.frame != len(state.frames) - 1:
            self.last[slot][r] = R.UNINIT  # what that means depends on the frames

    def precise(self, slot: int, r: int, reg: Reg) -> None:
        """The instruction that the walk is about to step over depends on a scalar's value."""
        size = self.sizes.setdefault((slot, r), _Size(reg))
        size.take(reg, self.visits[slot])

    def facts(self) -> Facts:
        """What holds if the program is accepted."""
        cfg = self.cfg
        before: list[tuple[Fact, ...] | None] = [None] * cfg.count
        for slot, found in enumerate(self.found):
            if self.visits[slot]:
                own = Fact("stack", str(cfg.starts[cfg.owner[slot]]), 0, False, (0, 0))
                before[slot] = (*(found.get(r, UNKNOWN) for r in range(FP)), own)
        for (slot, r), size in self.sizes.items():
            row = before[slot]
            if row is not None and size.times == self.visits[slot] and row[r] is UNKNOWN:
                before[slot] = (*row[:r], size.fact(), *row[r + 1 :])
        return Facts(before, self._runs())

    def _runs(self) -> dict[int, int]:
        cfg = self.cfg
        looping = any(op is not None and op.operation == "may_goto" for op in cfg.ops)
        if looping or cfg.iterators or cfg.callbacks:
            return {}
        return {slot: n for slot, n in enumerate(self.visits) if n}


class _Size:
    """A scalar that an instruction depended on: `times` it did, and its values."""

    __slots__ = ("hi", "lo", "seen", "times")

    def __init__(self, reg: Reg):
        self.lo, self.hi, self.times, self.seen = reg.umin, reg.umax, 0, 0

    def take(self, reg: Reg, visit: int) -> None:
        self.lo, self.hi = min(self.lo, reg.umin), max(self.hi, reg.umax)
        self.times += visit != self.seen
        self.seen = visit

    def fact(self) -> Fact:
        offset = self.lo if self.lo == self.hi else None
        return Fact("scalar", "", offset, False, (self.lo, self.hi))


def describe(reg: Reg, state: State, starts: list[int]) -> Fact:
    """What one register of the running function holds, as a fact; UNKNOWN where there is none."""
    kind = _KINDS.get(reg.type & R.BASE)
    if kind is None or reg.type & ~(R.BASE | _SAID):
        return UNKNOWN
    of, reach = "", 0
    if kind in ("map", "map_value"):
        of = reg.map.name if reg.map is not None else ""
    elif kind == "stack":
        start = state.frames[reg.frame].start
        if sum(frame.start == start for frame in state.frames) > 1:
            return UNKNOWN  # facts cannot tell frames of one function from each other
        of = str(start)
    elif kind == "func":
        of = str(starts[reg.frame])
    elif kind == "mem" and state.frames[0].start:
        return UNKNOWN
    lo, hi = reg.off + reg.smin, reg.off + reg.smax
    if hi - lo >> 64:
        return Fact(kind, of, None, bool(reg.type & R.NULLABLE))
    if kind in ("packet", "packet_meta") and lo >= 0:
        reach = max(reg.range - reg.off, 0)
    elif kind == "mem" and lo >= 0:
        reach = max(reg.range - hi, 0)
    return Fact(kind, of, lo if lo == hi else None, bool(reg.type & R.NULLABLE), (lo, hi), reach)


__all__ = ["Observer", "describe"]
