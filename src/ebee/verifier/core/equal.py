"""Whether a state is covered by one that was remembered, whose every continuation is safe
(kernel/bpf/verifier.c: states_equal, regsafe, stacksafe, refsafe)."""

from __future__ import annotations

from functools import cache
from itertools import product

from ebee.verifier.core import reg as R
from ebee.verifier.core.reg import Reg
from ebee.verifier.core.state import (
    ACTIVE,
    INVALID,
    IRQ_FLAG,
    ITER,
    MISC,
    SPECIAL,
    SPILL,
    SPILLED,
    ZEROS,
    Frame,
    Slot,
    State,
    as_scalar,
)
from ebee.verifier.core.tnum import contains

NOT_EXACT, EXACT, RANGE_WITHIN = range(3)


class Ids:
    """Pairs of ids, of the old state and the current one, that stand for each other. `free`: a
    scalar without an id stands for any (Profile.free_ids)."""

    __slots__ = ("current", "free", "fresh", "old")

    def __init__(self, free: bool = False) -> None:
        self.free = free
        self.old: dict[int, int] = {}
        self.current: set[int] = set()
        self.fresh = 1 << 40

    def same(self, old: int, current: int) -> bool:
        """Whether two ids may stand for each other."""
        if not old or not current:
            return old == current
        if old in self.old:
            return self.old[old] == current
        if current in self.current:
            return False
        self.old[old] = current
        self.current.add(current)
        return True

    def same_scalar(self, old: int, current: int) -> bool:
        """The same, where no id is one that nothing else has."""
        if not old:
            self.fresh += 1
            old = self.fresh
        if not current:
            self.fresh += 1
            current = self.fresh
        return self.same(old, current)


def within(old: Reg, cur: Reg) -> bool:
    """Whether the ranges and the tnum of `cur` are inside those of `old`."""
    return (
        old.umin <= cur.umin
        and old.umax >= cur.umax
        and old.smin <= cur.smin
        and old.smax >= cur.smax
        and old.wmin <= cur.wmin
        and old.wmax >= cur.wmax
        and old.tmin <= cur.tmin
        and old.tmax >= cur.tmax
        and contains(old.v, old.m, cur.v, cur.m)
    )


def alike(a: Reg, b: Reg) -> bool:
    """The same but for ids."""
    return a is b or (
        a.type == b.type
        and a.off == b.off
        and a.v == b.v
        and a.m == b.m
        and a.map is b.map
        and a.uid == b.uid
        and a.range == b.range
        and a.frame == b.frame
        and a.btf is b.btf
        and a.umin == b.umin
        and a.umax == b.umax
        and a.smin == b.smin
        and a.smax == b.smax
        and a.wmin == b.wmin
        and a.wmax == b.wmax
        and a.tmin == b.tmin
        and a.tmax == b.tmax
    )


def reg_safe(old: Reg, cur: Reg, precise: int, ids: Ids, exact: int) -> bool:
    """Whether what was safe with `old` is safe with `cur`."""
    if exact == EXACT:
        return alike(old, cur) and ids.same(old.id, cur.id) and ids.same(old.ref, cur.ref)
    kind = old.type
    if kind == R.NOT_INIT and (exact == NOT_EXACT or cur.type == R.NOT_INIT):
        return True
    if kind != cur.type:
        return False
    if kind == R.SCALAR:
        if not precise and exact == NOT_EXACT:
            return True
        if ids.free and not old.id:
            return within(old, cur)
        if (old.id ^ cur.id) & R.ADD_CONST:
            return False
        if old.id & R.ADD_CONST and old.off != cur.off:
            return False
        return within(old, cur) and ids.same_scalar(old.id, cur.id)
    if kind & R.BASE == R.ITER or kind & R.BASE == R.DYNPTR:
        return _objects_safe(old, cur, ids)
    base = kind & R.BASE
    if base in (R.MAP_VALUE, R.MAP_KEY, R.MEM, R.BUF, R.TP_BUFFER):
        return (
            old.off == cur.off
            and old.map is cur.map
            and old.uid == cur.uid
            and old.range == cur.range
            and within(old, cur)
            and ids.same(old.id, cur.id)
            and ids.same(old.ref, cur.ref)
        )
    if base in (R.PACKET, R.META):
        return (
            old.range <= cur.range
            and old.off == cur.off
            and ids.same(old.id, cur.id)
            and within(old, cur)
        )
    return alike(old, cur) and ids.same(old.id, cur.id) and ids.same(old.ref, cur.ref)


def _objects_safe(old: Reg, cur: Reg, ids: Ids) -> bool:
    """Dynptrs and iterators in slots; how often an iterator went on does not matter."""
    return (
        old.type == cur.type
        and old.range == cur.range
        and old.frame == cur.frame
        and old.btf is cur.btf
        and (old.type & R.BASE == R.ITER or ids.same(old.id, cur.id))
        and ids.same(old.ref, cur.ref)
    )


_NOTHING = frozenset(bytes(each) for each in product((INVALID, MISC), repeat=8))
"""Bytes of slots of which nothing is known."""


def _slots_safe(old: Frame, cur: Frame, ids: Ids, exact: int) -> bool:
    mine = cur.slots
    count = len(mine)
    for i, slot in enumerate(old.slots):
        there = mine[i] if i < count else None
        if slot is there and not slot[1].id and not slot[1].ref:
            continue
        types = slot[0]
        if exact != NOT_EXACT and (there is None or types != there[0]):
            return False
        if types in _NOTHING:
            continue
        if there is None:
            return False
        if types == SPILLED == there[0]:
            if not reg_safe(slot[1], there[1], old.sprecise >> i & 1, ids, exact):
                return False
        elif not _slot_safe(slot, there, old.sprecise >> i & 1, ids, exact):
            return False
    return True


def _slot_safe(old: Slot, cur: Slot, precise: int, ids: Ids, exact: int) -> bool:
    a, b = as_scalar(old), as_scalar(cur)
    if a is not None and b is not None:
        return reg_safe(a, b, precise, ids, exact)
    for was, now in zip(old[0], cur[0], strict=True):
        if was in (INVALID, MISC) or was == now or (was == MISC and now == ZEROS):
            continue
        return False
    kind = old[0][0]
    if kind == SPILL:
        return reg_safe(old[1], cur[1], precise, ids, exact)
    if kind in SPECIAL:
        if kind == IRQ_FLAG:
            return ids.same(old[1].ref, cur[1].ref) and old[1].uid == cur[1].uid
        return _objects_safe(old[1], cur[1], ids)
    return True


@cache
def bits(mask: int) -> tuple[int, ...]:
    """The registers of a mask, r0 to r9."""
    return tuple(i for i in range(10) if mask >> i & 1)


def _frame_safe(old: Frame, cur: Frame, live: int, ids: Ids, exact: int) -> bool:
    if old.callback_depth > cur.callback_depth:
        return False
    precise, mine, yours = old.precise, old.regs, cur.regs
    for i in bits(live):
        a, b = mine[i], yours[i]
        if a is b and not a.id and not a.ref:
            continue
        if not reg_safe(a, b, precise >> i & 1, ids, exact):
            return False
    return _slots_safe(old, cur, ids, exact)


def states_equal(old: State, cur: State, live: list[int], exact: int, free: bool = False) -> bool:
    """Whether `cur` is covered by `old`; both are at the same instruction. `live`: registers that
    are live at each instruction; `free`: as `Ids` has it."""
    if len(old.frames) != len(cur.frames) or len(old.refs) != len(cur.refs):
        return False
    if (old.locks, old.rcu, old.preempt) != (cur.locks, cur.rcu, cur.preempt):
        return False
    if old.sleepable != cur.sleepable:
        return False
    ids = Ids(free)
    if not ids.same(old.irq, cur.irq):
        return False
    for mine, yours in zip(old.refs, cur.refs, strict=True):
        if mine.kind != yours.kind or mine.owner is not yours.owner:
            return False
        if not ids.same(mine.id, yours.id):
            return False
    for depth, (a, b) in enumerate(zip(old.frames, cur.frames, strict=True)):
        if a.callsite != b.callsite or a.callback != b.callback:
            return False
        if not _frame_safe(a, b, live[old.at(depth)], ids, exact):
            return False
    return True


def maybe_looping(old: State, cur: State) -> bool:
    """Whether the current frames' registers are the same to the bit."""
    if len(old.frames) != len(cur.frames):
        return False
    mine, yours = old.frames[-1].regs, cur.frames[-1].regs
    a, b = mine[old.differs], yours[old.differs]
    if a.umin != b.umin or a.type != b.type:  # most likely a counter, which differs again
        return False
    for i in range(10):
        a, b = mine[i], yours[i]
        if a is not b and not (alike(a, b) and a.id == b.id and a.ref == b.ref):
            old.differs = i
            return False
    return True


def iterators_differ(old: State, cur: State) -> bool:
    """Whether an iterator went on between two states."""
    for a, b in zip(old.frames, cur.frames, strict=True):
        for i, slot in enumerate(a.slots):
            if slot[0][0] == ITER and slot[1].range == ACTIVE and slot[1].uid != b.slots[i][1].uid:
                return True
    return False
