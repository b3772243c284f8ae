"""Open-coded iterators: objects on the stack that are made, asked for the next element until there
is none, and destroyed (process_iter_arg, process_iter_next_call)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebee.verifier.core import dynptr, prune, stack
from ebee.verifier.core import reg as R
from ebee.verifier.core.btftype import BtfType
from ebee.verifier.core.errors import EINVAL, Rejected
from ebee.verifier.core.reg import UNINIT, ZERO, Reg
from ebee.verifier.core.state import ACTIVE, DRAINED, INVALID, ITER, Frame

if TYPE_CHECKING:
    from ebee.verifier.core.walk import Walk

PREFIX = "bpf_iter_"
_WHOLE, _NONE = bytes((ITER,)) * 8, bytes((INVALID,)) * 8


def check(w: Walk, regno: int, kind: BtfType, make: bool, protected: bool, name: str) -> None:
    """The iterator that a function of its family is given: made here, or there already.
    `protected`: it may be used while RCU is read-locked only."""
    reg = w.regs[regno]
    if reg.type != R.STACK:
        text = f"arg#{regno - 1} expected pointer to an iterator on stack"
        raise Rejected("argument-type", text, "", EINVAL)
    slots = kind.size // 8
    short = kind.name.removeprefix(PREFIX)
    if make:
        _make(w, reg, regno, kind, slots, short, protected)
        return
    found = _there(w, reg, kind, slots)
    if found is None:
        text = f"expected an initialized iter_{short} as arg #{regno - 1}"
        raise Rejected("iterator", text, "", EINVAL)
    frame, spi, held = found
    if held.type & R.UNTRUSTED:
        raise Rejected("iterator", f"expected an RCU CS when using {name}", "", 71)
    stack.mark_slots_read(w, frame, (1 << slots) - 1 << spi - slots + 1)


def _there(w: Walk, reg: Reg, kind: BtfType, slots: int) -> tuple[Frame, int, Reg] | None:
    """Where an iterator of a kind is, and what is known of it."""
    frame, spi = dynptr.place(w, reg, "iter", slots)
    if spi < 0:
        return None
    held = frame.slots[spi][1]
    for i in range(slots):
        types, each = frame.slots[spi - i]
        if each.type & R.UNTRUSTED and types == _WHOLE:
            return frame, spi, each
        if types != _WHOLE or each.btf is not kind or bool(each.ref) != (i == 0):
            return None
    return frame, spi, held


def _make(
    w: Walk, reg: Reg, regno: int, kind: BtfType, slots: int, short: str, protected: bool
) -> None:
    refused = f"expected uninitialized iter_{short} as arg #{regno - 1}"
    try:
        frame, spi = dynptr.place(w, reg, "iter", slots)
    except Rejected as error:
        raise Rejected("iterator", f"{error.message}\n{refused}", "", EINVAL) from None
    if spi >= 0 and any(ITER in frame.slots[spi - i][0] for i in range(slots)):
        raise Rejected("iterator", refused, "", EINVAL)
    for at in range(0, 8 * slots, 8):
        stack.clear(w, reg, regno, reg.off + at)
    frame, spi = dynptr.place(w, reg, "iter", slots)
    made = R.pointer(R.ITER)
    if protected:
        made.type |= R.RCU if w.in_rcu else R.UNTRUSTED
    made.btf, made.range = kind, ACTIVE
    first = made.copy()
    first.ref = w.acquire()
    for i in range(slots):
        frame.slots[spi - i] = _WHOLE, made if i else first
    stack.mark_slots_written(w, frame, (1 << slots) - 1 << spi - slots + 1)


def destroy(w: Walk, reg: Reg, kind: BtfType) -> None:
    """The iterator is given back."""
    slots = kind.size // 8
    frame, spi = dynptr.place(w, reg, "iter", slots)
    w.release(frame.slots[spi][1].ref)
    for i in range(slots):
        frame.slots[spi - i] = _NONE, UNINIT
    stack.mark_slots_written(w, frame, (1 << slots) - 1 << spi - slots + 1)


def next_element(w: Walk, reg: Reg, kind: BtfType) -> None:
    """Two ways from here: an element is there (r0 is not null), walked later and as often as
    states differ; or there is none, and the iterator is drained."""
    frame, spi = dynptr.place(w, reg, "iter", kind.size // 8)
    held = frame.slots[spi][1]
    state = w.state
    if held.range == ACTIVE:
        parent = state.parent
        before = w.memory.previous_entry(parent, w.idx) if parent is not None else None
        other = w.branch(w.idx + 1)
        again = held.copy()
        again.uid += 1
        other.frames[frame.number].slots[spi] = _WHOLE, again
        if before is not None:
            prune.widen(before, other)
        r0 = other.frame.regs[0]
        if r0.type & R.NULLABLE:
            made = r0.copy()
            made.type &= ~R.NULLABLE
            other.frame.regs[0] = made
    drained = held.copy()
    drained.range = DRAINED
    frame.slots[spi] = _WHOLE, drained
    state.frame.regs[0] = ZERO
