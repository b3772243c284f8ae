"""Regions in which not everything is allowed: under a lock, RCU read-locked, without preemption or
interrupts (process_spin_lock, process_irq_flag, check_resource_leak)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebee.verifier.core import dynptr, special, stack
from ebee.verifier.core import reg as R
from ebee.verifier.core.errors import EINVAL, Rejected
from ebee.verifier.core.reg import UNINIT, Reg
from ebee.verifier.core.special import Field
from ebee.verifier.core.state import INVALID, IRQ_FLAG, Frame, Held, State

if TYPE_CHECKING:
    from ebee.verifier.core.walk import Walk

KINDS = ("lock", "res_lock", "res_lock_irq")
_PLAIN = frozenset(("lock",))
_WHOLE, _NONE = bytes((IRQ_FLAG,)) * 8, bytes((INVALID,)) * 8


def fields_of(w: Walk, reg: Reg) -> tuple[Field, ...]:
    """The special fields of what a register points to (reg_btf_record)."""
    if reg.map is not None:
        return reg.map.fields
    if reg.btf is not None and reg.type & R.ALLOC:
        return special.fields(reg.btf.btf, reg.btf.id, w.program.kernel)
    return ()


def owner(reg: Reg) -> object:
    """What a lock is in: the map, or the BTF of the object."""
    return reg.map if reg.map is not None else reg.btf.btf if reg.btf is not None else None


# --- locks ---------------------------------------------------------------------------------------


def spin_lock(w: Walk, regno: int, take: bool, kind: str) -> None:
    """Take or give back a spin lock. `kind`: "lock", "res_lock" or "res_lock_irq"."""
    reg, state = w.regs[regno], w.state
    word = "bpf_spin" if kind == "lock" else "bpf_res_spin"
    field_name = f"{word}_lock"
    if reg.m:
        text = f"R{regno} doesn't have constant offset. {field_name} has to be at the constant"
        raise Rejected("lock", f"{text} offset", "", EINVAL)
    if reg.map is not None and reg.map.btf is None:
        text = f"map '{reg.map.name}' has to have BTF in order to use {field_name}"
        raise Rejected("lock", text, "", EINVAL)
    found = next((f for f in fields_of(w, reg) if f.name == field_name), None)
    if found is None:
        where, name = ("map", reg.map.name) if reg.map is not None else ("local", "kptr")
        raise Rejected("lock", f"{where} '{name}' has no valid {field_name}", "", EINVAL)
    at = reg.v + reg.off
    if found.offset != at:
        text = f"off {at} doesn't point to 'struct {field_name}' that is at {found.offset}"
        raise Rejected("lock", text, "", EINVAL)
    if take:
        _take(w, reg, kind)
        return
    if not state.locks:
        raise Rejected("lock", f"{word}_unlock without taking a lock", "", EINVAL)
    mine = (kind, reg.id, owner(reg))
    held = [h for h in state.refs if h.kind in KINDS]
    match = next((h for h in held if (h.kind, h.id, h.owner) == mine), None)
    if match is None:
        raise Rejected("lock", f"{word}_unlock of different lock", "", EINVAL)
    if held[-1] is not match:
        raise Rejected("lock", f"{word}_unlock cannot be out of order", "", EINVAL)
    state.refs = tuple(h for h in state.refs if h is not match)
    state.locks -= 1
    forget_non_owning(w)


def _take(w: Walk, reg: Reg, kind: str) -> None:
    state = w.state
    if kind in _PLAIN:
        if state.locks and any(h.kind in _PLAIN for h in state.refs):
            raise Rejected("lock", "Locking two bpf_spin_locks are not allowed", "", EINVAL)
    elif any(
        h.kind in KINDS and h.kind not in _PLAIN and h.id == reg.id and h.owner is owner(reg)
        for h in state.refs
    ):
        text = "Acquiring the same lock again, AA deadlock detected"
        raise Rejected("lock", text, "", EINVAL)
    state.refs += (Held(reg.id, w.idx, kind, owner(reg)),)
    state.locks += 1


def active(state: State) -> Held | None:
    """The lock that was taken last."""
    return next((h for h in reversed(state.refs) if h.kind in KINDS), None)


def forget_non_owning(w: Walk) -> None:
    """A lock was given back: what a list or tree owns may be gone."""
    w.forget(lambda reg: bool(reg.type & R.NON_OWNING))


# --- regions -------------------------------------------------------------------------------------


def read_lock(w: Walk, name: str) -> None:
    """RCU is read-locked from here on."""
    state = w.state
    if state.rcu:
        raise Rejected("region", f"nested rcu read lock (kernel function {name})", "", EINVAL)
    state.rcu += 1


def read_unlock(w: Walk, name: str) -> None:
    """RCU pointers are not trusted from here on."""
    state = w.state
    if not state.rcu:
        text = f"unmatched rcu read unlock (kernel function {name})"
        raise Rejected("region", text, "", EINVAL)
    state.rcu -= 1
    for frame in state.frames:
        for i, reg in enumerate(frame.regs):
            if reg.type & R.RCU:
                frame.regs[i] = _untrusted(reg)
        for i, slot in enumerate(frame.slots):
            if slot[1].type & R.RCU:
                frame.slots[i] = slot[0], _untrusted(slot[1])


def _untrusted(reg: Reg) -> Reg:
    made = reg.copy()
    made.type = reg.type & ~(R.RCU | R.NULLABLE) | R.UNTRUSTED
    return made


def preempt(w: Walk, name: str, off: bool) -> None:
    """Preemption is turned off, or on again."""
    state = w.state
    if not off and not state.preempt:
        text = f"unmatched attempt to enable preemption (kernel function {name})"
        raise Rejected("region", text, "", EINVAL)
    state.preempt += 1 if off else -1


def irq_save(w: Walk, regno: int, kind: str = "native") -> None:
    """Interrupts are off; the flags before stand in a slot of the stack."""
    reg = w.regs[regno]
    frame, spi = _flag(w, reg, regno)
    if spi >= 0 and IRQ_FLAG in frame.slots[spi][0]:
        text = f"expected uninitialized irq flag as arg#{regno - 1}"
        raise Rejected("region", text, "", EINVAL)
    stack.clear(w, reg, regno, reg.off)
    frame, spi = _flag(w, reg, regno)
    number = w.new_id()
    w.state.refs += (Held(number, w.idx, "irq"),)
    w.state.irq = number
    made = R.pointer(R.STACK)
    made.ref, made.uid = number, int(kind == "lock")
    frame.slots[spi] = _WHOLE, made
    stack.mark_slots_written(w, frame, 1 << spi)


def irq_restore(w: Walk, regno: int, kind: str = "native") -> None:
    """Interrupts are as they were when the flags were saved, which must be the last that were."""
    reg, state = w.regs[regno], w.state
    frame, spi = _flag(w, reg, regno)
    if spi < 0 or frame.slots[spi][0] != _WHOLE:
        text = f"expected an initialized irq flag as arg#{regno - 1}"
        raise Rejected("region", text, "", EINVAL)
    held = frame.slots[spi][1]
    if held.uid != int(kind == "lock"):
        names = {False: "native", True: "lock"}
        text = f"irq flag acquired by {names[bool(held.uid)]} kfuncs cannot be restored with"
        raise Rejected("region", f"{text} {kind} kfuncs", "", EINVAL)
    stack.mark_slots_read(w, frame, 1 << spi)
    if held.ref != state.irq:
        at = next((h.slot for h in state.refs if h.id == state.irq), 0)
        text = f"cannot restore irq state out of order, expected id={state.irq} acquired at"
        raise Rejected("region", f"{text} insn_idx={at}")
    state.refs = tuple(h for h in state.refs if h.id != held.ref or h.kind != "irq")
    left = [h.id for h in state.refs if h.kind == "irq"]
    state.irq = left[-1] if left else 0
    frame.slots[spi] = _NONE, UNINIT
    stack.mark_slots_written(w, frame, 1 << spi)


def _flag(w: Walk, reg: Reg, regno: int) -> tuple[Frame, int]:
    if reg.type != R.STACK:
        text = f"arg#{regno - 1} doesn't point to an irq flag on stack"
        raise Rejected("argument-type", text, "", EINVAL)
    return dynptr.place(w, reg, "irq_flag", 1)


# --- ends ----------------------------------------------------------------------------------------


def check_leaks(w: Walk, where: str, regions: bool, thrown: bool = False) -> None:
    """What was acquired must have been given back; `regions`: and all regions left."""
    state = w.state
    if regions and state.locks:
        text = f"{where} cannot be used inside bpf_spin_lock-ed region"
        raise Rejected("lock-held", text, "", EINVAL)
    if thrown or len(state.frames) == 1:
        lines = [
            f"Unreleased reference id={h.id} alloc_insn={h.slot}"
            for h in state.refs
            if h.kind == "ptr"
        ]
        if lines:
            if not w.profile.indirect or where == "tail_call":
                lines.append(f"{where} would lead to reference leak")
            raise Rejected("reference-leak", "\n".join(lines), "", EINVAL)
    if not regions:
        return
    for active_region, name in (
        (state.irq, "bpf_local_irq_save"), (state.rcu, "bpf_rcu_read_lock"),
        (state.preempt, "bpf_preempt_disable"),
    ):  # fmt: skip
        if active_region:
            text = f"{where} cannot be used inside {name}-ed region"
            raise Rejected("region", text, "", EINVAL)


def check_may_sleep(w: Walk, sentences: tuple[str, str, str]) -> None:
    """A call that may sleep; what is said of it under RCU, without preemption, interrupts."""
    state = w.state
    for region, text in zip((state.rcu, state.preempt, state.irq), sentences, strict=True):
        if region:
            raise Rejected("may-sleep", text, "", EINVAL)
