"""Rules for loaders without CAP_PERFMON: programs learn nothing of addresses, and read no stack
that they have not written (kernel/bpf/verifier.c: allow_ptr_leaks, allow_uninit_stack)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebee.verifier.core import reg as R
from ebee.verifier.core import spectre
from ebee.verifier.core.code import Op
from ebee.verifier.core.equal import EXACT, Ids, alike, states_equal
from ebee.verifier.core.errors import EINVAL, EPERM, Rejected
from ebee.verifier.core.reg import Reg
from ebee.verifier.core.state import (
    INVALID,
    MISC,
    SPECIAL,
    SPILLED,
    ZEROS,
    Frame,
    Slot,
    State,
    spilled,
    spilled_scalar,
)

if TYPE_CHECKING:
    from ebee.verifier.core.walk import Walk

UNREADABLE = SPECIAL | {INVALID}
"""Kinds of bytes of the stack that no such program may load."""

_PACKETS = frozenset((R.PACKET, R.META, R.PACKET_END))


def _leak(regno: int, where: str) -> Rejected:
    return Rejected("pointer-leak", f"R{regno} leaks addr {where}")


# --- arithmetic and jumps ------------------------------------------------------------------------


def check_arithmetic(w: Walk, op: Op) -> None:
    """Arithmetic gives no numbers that were pointers, nor parts of them."""
    if not op.reg:
        alone = not op.form.source or op.operation == "neg"  # or a change of the order of bytes
        if alone and w.read(op.dst).type != R.SCALAR:
            raise Rejected("pointer-arithmetic", f"R{op.dst} pointer arithmetic prohibited")
        if op.operation == "sub" and op.bits != 64 and w.read(op.dst).type != R.SCALAR:
            raise _narrow(op)
        return
    source = w.read(op.src)
    if op.operation.startswith("mov") or op.operation == "addr_space_cast":
        if source.type != R.SCALAR:
            _check_move(op)
        return
    target = w.read(op.dst)
    pointers = (source.type != R.SCALAR) + (target.type != R.SCALAR)
    if pointers == 2 and op.operation == "sub":
        text = f"R{op.dst} pointer {op.sign} pointer prohibited"
        raise Rejected("pointer-arithmetic", text)
    if pointers == 1 and op.operation == "sub" and op.bits != 64:
        raise _narrow(op)
    if not pointers and w.spec is not None:
        spectre.mask_number(w, op)


def _narrow(op: Op) -> Rejected:
    return Rejected("pointer-arithmetic", f"R{op.dst} 32-bit pointer arithmetic prohibited")


def _check_move(op: Op) -> None:
    """Of a pointer all is copied, or nothing."""
    if op.bits != 64:
        raise Rejected("pointer-leak", f"R{op.src} partial copy of pointer")
    if op.operation != "mov" and op.operation != "addr_space_cast":
        raise Rejected("pointer-leak", f"R{op.src} sign-extension part of pointer")


def check_compared(op: Op, dst: Reg, src: Reg) -> None:
    """Pointers are compared with null and with the packet's end only."""
    if src.type != R.SCALAR and not (dst.type in _PACKETS and src.type in _PACKETS):
        raise no_comparison(op.src)


def no_comparison(regno: int) -> Rejected:
    return Rejected("pointer-leak", f"R{regno} pointer comparison prohibited")


# --- memory --------------------------------------------------------------------------------------

_LEAKS = {R.MAP_VALUE: "map", R.MEM: "mem", R.CTX: "ctx", R.PACKET: "packet", R.META: "packet",
          R.FLOW_KEYS: "flow keys"}  # fmt: skip


def check_access(w: Walk, reg: Reg, write: bool, value: int, may_write_packet: bool) -> None:
    """No pointer is stored where others see it, and nothing is loaded from the kernel's structs."""
    kind = reg.type & R.BASE
    if kind == R.BTF and reg.btf is not None:
        raise _struct(reg.btf.name)
    if not write or value < 0 or w.regs[value].type == R.SCALAR:
        return
    fixed = (kind == R.MEM and reg.type & R.RDONLY) or (kind in _PACKETS and not may_write_packet)
    if kind in _LEAKS and not fixed:
        raise _leak(value, f"into {_LEAKS[kind]}")


def _struct(name: str) -> Rejected:
    text = f"'struct {name}' access is allowed only to CAP_PERFMON and CAP_SYS_ADMIN"
    return Rejected("not-permitted", text, "", EPERM)


def check_map(name: str) -> None:
    """A map's own struct is one of the kernel's."""
    raise _struct(name)


def check_atomic(w: Walk, op: Op) -> None:
    """Atomic operations take numbers."""
    for regno in (0, op.src) if op.operation == "cmpxchg" else (op.src,):
        if w.regs[regno].type != R.SCALAR:
            raise _leak(regno, "into mem")


def check_argument(reg: Reg, regno: int) -> None:
    """Helpers are given pointers where they take them."""
    if reg.type != R.SCALAR:
        raise _leak(regno, "into helper function")


def check_result(reg: Reg, regno: int) -> None:
    """A program's result is a number."""
    if reg.type != R.SCALAR:
        raise _leak(regno, "as return value")


# --- the stack -----------------------------------------------------------------------------------


def check_store(w: Walk, frame: Frame, off: int, size: int, stored: Reg | None) -> None:
    """A store over a spilled pointer replaces all of it."""
    slot = frame.slots[(-off - 1) // 8]
    if size != 8 and spilled(slot) and slot[1].type != R.SCALAR:
        raise Rejected("stack-object", "attempt to corrupt spilled pointer on stack")
    if w.spec is not None:
        spectre.fence(w, frame, off, size, stored)


def check_store_somewhere(w: Walk, kind: int, at: int) -> None:
    """A store at an offset that is not known may hit plain data only."""
    if kind not in (MISC, ZEROS):
        where = f"insn {w.idx}, ptr off: {at}"
        text = f"spilled ptr in range of var-offset stack write; {where}"
        raise Rejected("stack-object", text, "", EINVAL)


def readable(slot: Slot, kind: int) -> bool:
    """Whether a helper may read a byte of a slot."""
    return kind in (MISC, ZEROS) or (spilled(slot) and slot[1].type == R.SCALAR)


# --- states that are the same --------------------------------------------------------------------


def covered(w: Walk, old: State, cur: State, live: list[int], exact: int) -> bool:
    """Whether a state is covered by a remembered one: bytes of the stack that were never written
    differ from those that were, and speculation shows nothing of what is no speculation."""
    if old.speculative and not cur.speculative:
        return False
    if len(old.frames) != len(cur.frames):
        return False
    if not w.perfmon and exact != EXACT and not _written_alike(old, cur):
        return False
    strict = w.spec is not None and w.spec.strict and exact != EXACT
    if strict and not _scalars_alike(old, cur, live):
        return False
    return states_equal(old, cur, live, exact)


def _written_alike(old: State, cur: State) -> bool:
    """What was written when the old state was found safe is written now."""
    for a, b in zip(old.frames, cur.frames, strict=True):
        for i, slot in enumerate(a.slots):
            there = b.slots[i] if i < len(b.slots) else None
            if there is None:
                if any(slot[0]):
                    return False
            elif slot[0] != there[0] and not (_number(slot) and _number(there)):
                for was, now in zip(slot[0], there[0], strict=True):
                    if was not in (INVALID, now) and not (was == MISC and now == ZEROS):
                        return False
    return True


def _number(slot: Slot) -> bool:
    """Whether a load of the whole slot gives a number, known or not."""
    return spilled_scalar(slot) if slot[0] == SPILLED else slot[0] == _ALL_MISC


_ALL_MISC = bytes((MISC,) * 8)


def _scalars_alike(old: State, cur: State, live: list[int]) -> bool:
    """Scalars are the same to the bit, so that masks are looked for on every path."""
    ids = Ids()
    for depth, (a, b) in enumerate(zip(old.frames, cur.frames, strict=True)):
        mask = live[old.at(depth)]
        pairs = [(a.regs[i], b.regs[i]) for i in range(10) if mask >> i & 1]
        pairs += [
            (was[1], now[1])
            for was, now in zip(a.slots, b.slots, strict=False)
            if spilled_scalar(was) and spilled_scalar(now)
        ]
        for was, now in pairs:
            if was.type == R.SCALAR == now.type and not (
                alike(was, now) and ids.same_scalar(was.id, now.id)
            ):
                return False
    return True
