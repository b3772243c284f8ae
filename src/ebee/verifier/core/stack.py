"""The stack: what is spilled to it and filled from it, byte by byte (check_stack_read and
check_stack_write in kernel/bpf/verifier.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebee.verifier.core import leaks, tnum
from ebee.verifier.core import reg as R
from ebee.verifier.core.code import Op
from ebee.verifier.core.errors import EINVAL, Rejected
from ebee.verifier.core.reg import UNINIT, ZERO, Reg, known
from ebee.verifier.core.state import (
    DYNPTR,
    INVALID,
    MISC,
    SPECIAL,
    SPILL,
    SPILLED,
    ZEROS,
    Frame,
    Slot,
    special,
    spilled,
    spilled_scalar,
)

if TYPE_CHECKING:
    from ebee.verifier.core.walk import Walk

SIZE = 512  # MAX_BPF_STACK
MAX_VAR_OFF = 1 << 29


def check_bounds(w: Walk, reg: Reg, regno: int, off: int, size: int, what: str) -> None:
    """The access stays inside the 512 bytes of a frame, which grows as needed."""
    if not reg.m:
        low = _signed(reg.v) + off
        high = low + size
    else:
        if reg.smax >= MAX_VAR_OFF or reg.smin <= -MAX_VAR_OFF:
            text = f"invalid unbounded variable-offset{what} stack R{regno}"
            raise Rejected("stack-unbounded", text)
        low, high = reg.smin + off, reg.smax + off + size
    frame = w.state.frames[reg.frame]
    least = -SIZE
    if not w.perfmon and what == " read from":
        least = -8 * len(frame.slots)  # what was never written is not read
    if low < least or low > -1 or high > 0 or size < 0:
        if not reg.m:
            text = f"invalid{what} stack R{regno} off={off} size={size}"
        else:
            place = f"var_off={tnum.text(reg.v, reg.m)} off={off} size={size}"
            text = f"invalid variable-offset{what} stack R{regno} {place}"
        why = f"bytes {low} to {high - 1} of a stack from {least} to -1"
        raise Rejected("stack-bounds", text, why)
    frame.grow(low)
    saved = w.saved.get(frame.subprog)
    if saved is not None and low < saved.top and w.idx not in saved.slots:
        del w.saved[frame.subprog]  # these slots are for more than what is saved around calls
    used = 8 * ((-low + 7) // 8)
    if w.depths.get(frame.subprog, 0) < used:
        w.depths[frame.subprog] = used


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


# --- marks for liveness --------------------------------------------------------------------------


def mark_read(w: Walk, frame: Frame, low: int, high: int) -> None:
    """Bytes low..high-1 of a frame may be read by the current instruction."""
    first, last = (-high) // 8, (-low - 1) // 8
    mask = (1 << last + 1) - (1 << first)
    state = w.state
    w.live.mark_read(state.chain(len(state.frames) - 1), frame.number, w.idx, mask)


def mark_slots_read(w: Walk, frame: Frame, mask: int) -> None:
    """The current instruction looks into slots."""
    state = w.state
    w.live.mark_read(state.chain(len(state.frames) - 1), frame.number, w.idx, mask)


def mark_slots_written(w: Walk, frame: Frame, mask: int) -> None:
    """The current instruction replaces slots."""
    w.live.writes[frame.number] = w.live.writes.get(frame.number, 0) | mask


def _mark_written(w: Walk, frame: Frame, spi: int) -> None:
    w.live.writes[frame.number] = w.live.writes.get(frame.number, 0) | 1 << spi


# --- loads ---------------------------------------------------------------------------------------


def load(w: Walk, reg: Reg, regno: int, off: int, size: int, value: int) -> Reg | None:
    """A load; what the register then holds (before it is cut to the size)."""
    frame = w.state.frames[reg.frame]
    if reg.m:
        if value < 0:
            place = f"var_off={tnum.text(reg.v, reg.m)} off={off} size={size}"
            text = "variable offset stack pointer cannot be passed into helper function"
            raise Rejected("stack-variable", f"{text}; {place}")
        low, high = reg.smin + off, reg.smax + off + size
        _check_plain(w, frame, regno, low, high - low, reg, size)
        mark_read(w, frame, low, high)
        return _bytes_at(frame, low, high)
    off += _signed(reg.v)
    mark_read(w, frame, off, off + size)
    spi = (-off - 1) // 8
    slot = frame.slots[spi]
    if not spilled(slot):
        start = off % 8
        for i, kind in enumerate(slot[0][start : start + size]):
            if kind in w.unreadable:
                text = f"invalid read from stack off {off}+{i} size {size}"
                raise Rejected("unwritten-stack" if kind == INVALID else "stack-object", text)
        return _bytes_at(frame, off, off + size)
    if value < 0 and not w.perfmon and size == 8 and slot[1].type != R.SCALAR:
        raise Rejected("pointer-leak", f"leaking pointer from stack off {off}")
    return _fill(w, frame, spi, slot, off, size)


def _fill(w: Walk, frame: Frame, spi: int, slot: Slot, off: int, size: int) -> Reg:
    """A load from a slot that holds a register."""
    types, reg = slot
    if types == SPILLED and size == 8:
        w.push_history((frame.number, spi))
        return reg
    if reg.type != R.SCALAR:
        raise Rejected("spill-size", "invalid size of register fill")
    width = 8 - types[::-1].index(SPILL)
    if size <= width and off % 8 == 0:
        w.push_history((frame.number, spi))
        if reg.bits > 8 * size:
            reg = reg.copy()
            reg.id = reg.off = 0
        return reg
    start = off % 8
    seen = types[start : start + size]
    if not w.perfmon and INVALID in seen:
        text = f"invalid read from stack off {off}+{seen.index(INVALID)} size {size}"
        raise Rejected("unwritten-stack", text)
    if all(t == SPILL for t in seen) and not reg.m and not reg.v:
        w.push_history((frame.number, spi))
        return ZERO
    return ZERO if all(t == ZEROS for t in seen) else R.UNKNOWN


def _check_plain(
    w: Walk,
    frame: Frame,
    regno: int,
    low: int,
    length: int,
    reg: Reg,
    size: int,
    what: str = " read from",
) -> None:
    """None of the bytes is of an object that only helpers look into (nor, for loaders without
    CAP_PERFMON, of a pointer, or unwritten)."""
    perfmon, how = w.perfmon, " indirect" if "indirect" in what else ""
    what = f"{how} read from"
    if w.spec is not None and reg.m:
        text = f"R{regno}{how} variable offset stack access prohibited for !root,"
        text = f"{text} var_off={tnum.text(reg.v, reg.m)}"
        raise Rejected("stack-variable", text)
    for at in range(low, low + length):
        slot = frame.slots[(-at - 1) // 8]
        kind = slot[0][at % 8]
        if kind in SPECIAL if perfmon else not leaks.readable(slot, kind):
            if not reg.m:
                text = f"invalid{what} stack R{regno} off {low}+{at - low} size {size}"
            else:
                place = f"var_off {tnum.text(reg.v, reg.m)}+{at - low} size {size}"
                text = f"invalid{what} stack R{regno} {place}"
            raise Rejected("stack-object", text)


def _bytes_at(frame: Frame, low: int, high: int) -> Reg:
    """What bytes hold that are not filled as one register."""
    for at in range(low, high):
        if frame.slots[(-at - 1) // 8][0][at % 8] != ZEROS:
            return R.UNKNOWN
    return ZERO


# --- stores --------------------------------------------------------------------------------------


def store(w: Walk, op: Op, reg: Reg, regno: int, off: int, size: int, value: int) -> None:
    """A store of register `value`, or of a constant, or (an atomic) of what is not known."""
    frame = w.state.frames[reg.frame]
    if reg.m:
        _store_somewhere(w, op, frame, reg.smin + off, reg.smax + off + size, value)
        return
    off += _signed(reg.v)
    spi = (-off - 1) // 8
    if frame.slots[spi][0][0] == DYNPTR:
        from ebee.verifier.core import dynptr

        dynptr.destroy(w, frame, spi)
    stored = w.regs[value] if value >= 0 else None
    constant = stored is None and op.kind == "store"
    if not w.perfmon:
        leaks.check_store(w, frame, off, size, stored)
    if size == 8:
        _mark_written(w, frame, spi)
    if stored is not None and off % 8 == 0 and stored.type == R.SCALAR and w.capable:
        fits = stored.bits <= 8 * size
        stored = w.id_for_copy(value) if fits else stored.with_id(0)
        _spill(w, frame, spi, stored, size)
    elif constant and off % 8 == 0 and w.capable:
        _spill(w, frame, spi, known(op.imm & tnum.U64), size)
    elif stored is not None and stored.type != R.SCALAR:
        if size != 8:
            raise Rejected("spill-size", "invalid size of register spill")
        if frame is not w.state.frame and stored.type == R.STACK:
            text = "cannot spill pointers to stack into stack frame of the caller"
            raise Rejected("spill-to-caller", text, "", EINVAL)
        _spill(w, frame, spi, stored, size)
    else:
        zero = stored.is_null if stored is not None else constant and op.imm == 0
        if zero and value >= 0:
            w.precise(value)
        _write_bytes(frame, off, size, ZEROS if zero else MISC)


def _spill(w: Walk, frame: Frame, spi: int, reg: Reg, size: int) -> None:
    """Put a register into a slot, whose higher bytes are no part of it."""
    types = SPILLED
    if size < 8:
        before = frame.slots[spi][0]
        kept = bytes(t if t in (ZEROS, INVALID) else MISC for t in before[size:])
        types = SPILLED[:size] + kept
    frame.slots[spi] = types, reg
    frame.sprecise &= ~(1 << spi)
    w.push_history((frame.number, spi))


def _write_bytes(frame: Frame, off: int, size: int, kind: int) -> None:
    """Plain bytes inside one slot; a register that was there is gone."""
    spi, start = (-off - 1) // 8, off % 8
    types = bytearray(scrubbed(frame.slots[spi]))
    types[start : start + size] = bytes((kind,)) * size
    frame.slots[spi] = bytes(types), UNINIT
    frame.sprecise &= ~(1 << spi)


def scrubbed(slot: Slot) -> bytes:
    """The bytes of a slot without the register that was spilled there."""
    if not spilled(slot) and not special(slot):
        return slot[0]
    return bytes(t if t == INVALID else MISC for t in slot[0])


def _store_somewhere(w: Walk, op: Op, frame: Frame, low: int, high: int, value: int) -> None:
    """A store at an offset that is not known: any of the bytes may be written."""
    stored = w.regs[value] if value >= 0 else None
    zero = stored.is_null if stored is not None else op.kind == "store" and op.imm == 0
    used = False
    for spi in range((-high) // 8, (-low - 1) // 8 + 1):
        if frame.slots[spi][0][0] == DYNPTR:
            from ebee.verifier.core import dynptr

            dynptr.destroy(w, frame, spi)
    for at in range(low, high):
        spi, byte = (-at - 1) // 8, at % 8
        slot = frame.slots[spi]
        kind = slot[0][byte]
        if not w.perfmon:
            leaks.check_store_somewhere(w, kind, at)
        if zero and kind == SPILL and spilled_scalar(slot) and slot[1].is_null:
            used = True
            continue
        types = bytearray(scrubbed(slot))
        keep = zero and kind == ZEROS
        used |= keep
        types[byte] = ZEROS if keep else MISC
        frame.slots[spi] = bytes(types), UNINIT
    if used and value >= 0:
        w.precise(value)


# --- helpers -------------------------------------------------------------------------------------


def check_helper(
    w: Walk, reg: Reg, regno: int, off: int, size: int, zero: bool, raw: bool, write: bool
) -> bool:
    """Memory on the stack for a helper, which may read it and, for all that is known, write it.
    Whether the bytes are written afterwards by the caller of this (`raw`)."""
    if size == 0 and not zero:
        raise Rejected("zero-size", "invalid zero-sized read")
    what = " write to" if write else " read from"
    if w.profile.indirect:
        what = " indirect access to"
    check_bounds(w, reg, regno, off, size, what)
    frame = w.state.frames[reg.frame]
    if not reg.m:
        low = high = _signed(reg.v) + off
        if raw:
            for at in range(low, low + size):
                if frame.slots[(-at - 1) // 8][0][at % 8] == DYNPTR:
                    text = f"potential write to dynptr at off={at} disallowed"
                    raise Rejected("stack-object", text)
            return True
    else:
        low, high = reg.smin + off, reg.smax + off
    end = high + size
    _check_plain(w, frame, regno, low, end - low, reg, size, what)
    if end > low:
        mark_read(w, frame, low, end)
    if not write and not w.profile.indirect:
        return False  # since 6.14 what a helper only reads stays known
    for at in range(low, end):
        spi, byte = (-at - 1) // 8, at % 8
        slot = frame.slots[spi]
        if spilled(slot):
            frame.slots[spi] = scrubbed(slot), UNINIT
        elif slot[0][byte] in (ZEROS, INVALID):
            types = bytearray(slot[0])
            types[byte] = MISC
            frame.slots[spi] = bytes(types), UNINIT
    return False


def overwrite(w: Walk, reg: Reg, off: int, size: int) -> None:
    """A helper writes all of these bytes."""
    frame = w.state.frames[reg.frame]
    low = _signed(reg.v) + off
    for at in range(low, low + size):
        if not w.perfmon:
            leaks.check_store(w, frame, at, 1, None)
        _write_bytes(frame, at, 1, MISC)


def clear(w: Walk, reg: Reg, regno: int, off: int) -> None:
    """Eight bytes are written with what is not known, as room for an object."""
    check_bounds(w, reg, regno, off, 8, " write to")
    frame = w.state.frames[reg.frame]
    at = _signed(reg.v) + off
    spi = (-at - 1) // 8
    if frame.slots[spi][0][0] == DYNPTR:
        from ebee.verifier.core import dynptr

        dynptr.destroy(w, frame, spi)
    if not w.perfmon:
        leaks.check_store(w, frame, at, 8, None)
    _write_bytes(frame, at, 8, MISC)
    _mark_written(w, frame, spi)
