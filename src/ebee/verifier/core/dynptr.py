"""Dynptrs: pointers with a length that only helpers look into, in two slots of the stack
(process_dynptr_func, mark_stack_slots_dynptr)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebee.verifier.core import reg as R
from ebee.verifier.core import stack
from ebee.verifier.core.errors import EINVAL, Rejected
from ebee.verifier.core.reg import UNINIT, UNKNOWN, Reg
from ebee.verifier.core.scalar import s64
from ebee.verifier.core.state import DYNPTR, INVALID, Frame

if TYPE_CHECKING:
    from ebee.verifier.core.walk import Walk

SIZE = 16
KINDS = ("", "local", "ringbuf", "skb", "xdp", "skb_meta")
NAMES = {"local": "local", "ringbuf": "ringbuf", "skb": "skb ", "xdp": "xdp ",
         "skb_meta": "skb_meta "}  # fmt: skip
REFERENCED = frozenset((KINDS.index("ringbuf"),))
_WHOLE, _NONE = bytes((DYNPTR,)) * 8, bytes((INVALID,)) * 8


def place(w: Walk, reg: Reg, what: str = "dynptr", slots: int = 2) -> tuple[Frame, int]:
    """The frame and the upper slot of an object that a stack pointer points to
    (stack_slot_obj_get_spi). -1 where the stack does not reach so far yet."""
    if reg.m:
        raise Rejected("stack-object", f"{what} has to be at a constant offset", "", EINVAL)
    off = reg.off + s64(reg.v)
    if off % 8 or off >= 0:
        raise Rejected("stack-object", f"cannot pass in {what} at an offset={off}", "", EINVAL)
    spi = (-off - 1) // 8
    if spi + 1 < slots:
        raise Rejected("stack-object", f"cannot pass in {what} at an offset={off}", "", EINVAL)
    frame = w.state.frames[reg.frame]
    return frame, spi if spi < len(frame.slots) else -1


def slot_of(w: Walk, reg: Reg) -> Reg | None:
    """What is known of an initialised dynptr; None when there is none."""
    if reg.type == R.DYNPTR:
        return reg
    frame, spi = place(w, reg)
    if spi < 0:
        return None
    types, held = frame.slots[spi]
    below = frame.slots[spi - 1][0]
    return held if types == below == _WHOLE and held.frame else None


def check(w: Walk, regno: int, kind: str, make: bool, constant: bool, clone: int = 0) -> Reg:
    """An argument: a dynptr that is there (of a kind, if one is wanted), or room for a new one.
    `constant`: the call does not change it; `clone`: the reference that a copy shares."""
    reg = w.regs[regno]
    if reg.type not in (R.STACK, R.DYNPTR):
        text = f"arg#{regno - 1} expected pointer to stack or const struct bpf_dynptr"
        raise Rejected("argument-type", text, "", EINVAL)
    if make:
        return _make(w, reg, regno, kind, clone)
    if reg.type == R.DYNPTR and not constant:
        text = "cannot pass pointer to const bpf_dynptr, the helper mutates it"
        raise Rejected("argument-type", text, "", EINVAL)
    found = slot_of(w, reg)
    if found is None:
        text = f"Expected an initialized dynptr as arg #{regno - 1}"
        raise Rejected("dynptr", text, "", EINVAL)
    if kind and KINDS[found.range] != kind:
        name = NAMES[kind]
        text = f"Expected a dynptr of type {name} as arg #{regno - 1}"
        raise Rejected("dynptr", text, "", EINVAL)
    if reg.type == R.STACK:
        frame, spi = place(w, reg)
        stack.mark_slots_read(w, frame, 0b11 << spi - 1)
    return found


def _make(w: Walk, reg: Reg, regno: int, kind: str, clone: int) -> Reg:
    if reg.type == R.DYNPTR:
        raise Rejected("dynptr", "Dynptr has to be an uninitialized dynptr", "", EINVAL)
    try:
        place(w, reg)
    except Rejected as error:
        text = f"{error.message}\nDynptr has to be an uninitialized dynptr"
        raise Rejected("dynptr", text, "", EINVAL) from None
    for at in range(0, SIZE, 8):
        stack.clear(w, reg, regno, reg.off + at)
    frame, spi = place(w, reg)
    destroy(w, frame, spi)
    destroy(w, frame, spi - 1)
    made = R.pointer(R.DYNPTR)
    made.range, made.frame, made.id = KINDS.index(kind), 1, w.new_id()
    if made.range in REFERENCED:
        made.ref = clone or w.acquire()
    second = made.copy()
    second.frame = 0
    frame.slots[spi], frame.slots[spi - 1] = (_WHOLE, made), (_WHOLE, second)
    stack.mark_slots_written(w, frame, 0b11 << spi - 1)
    return made


def destroy(w: Walk, frame: Frame, spi: int) -> None:
    """A slot is written: a dynptr there is gone, with all that points to its bytes
    (destroy_if_dynptr_stack_slot)."""
    types, held = frame.slots[spi]
    if types[0] != DYNPTR:
        return
    if not held.frame:
        spi += 1
    if held.range in REFERENCED:
        raise Rejected("dynptr", "cannot overwrite referenced dynptr", "", EINVAL)
    frame.slots[spi] = frame.slots[spi - 1] = _NONE, UNINIT
    forget_slices(w, held.id)
    stack.mark_slots_written(w, frame, 0b11 << spi - 1)


def forget_slices(w: Walk, number: int) -> None:
    """Memory behind a dynptr that is gone."""
    for frame in w.state.frames:
        for i, reg in enumerate(frame.regs):
            if reg.type & R.BASE == R.MEM and reg.uid == number:
                frame.regs[i] = UNKNOWN
        for i, slot in enumerate(frame.slots):
            if slot[1].type & R.BASE == R.MEM and slot[1].uid == number:
                frame.slots[i] = stack.scrubbed(slot), UNINIT


def release(w: Walk, reg: Reg) -> None:
    """A helper takes a dynptr: its reference, and every copy of it (unmark_stack_slots_dynptr)."""
    frame, spi = place(w, reg)
    held = frame.slots[spi][1]
    if held.range not in REFERENCED:
        frame.slots[spi] = frame.slots[spi - 1] = _NONE, UNINIT
        stack.mark_slots_written(w, frame, 0b11 << spi - 1)
        return
    w.release(held.ref)
    for each in w.state.frames:
        for i in range(1, len(each.slots)):
            types, there = each.slots[i]
            if types == _WHOLE and there.ref == held.ref and there.frame:
                each.slots[i] = each.slots[i - 1] = _NONE, UNINIT
                forget_slices(w, there.id)


def forget_packets(w: Walk) -> None:
    """The packet moved: slices of it are worth nothing (clear_all_pkt_pointers). They are known by
    their dynptr's kind."""
    moved = {KINDS.index("skb"), KINDS.index("xdp")}
    ids = {
        slot[1].id
        for frame in w.state.frames
        for slot in frame.slots
        if slot[0][0] == DYNPTR and slot[1].range in moved
    }
    for number in ids:
        forget_slices(w, number)
