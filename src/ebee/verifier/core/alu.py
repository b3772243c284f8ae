"""Arithmetic: on scalars what `scalar` says, on pointers offsets (check_alu_op)."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TYPE_CHECKING

from ebee.verifier.core import leaks, scalar, spectre, tnum
from ebee.verifier.core import reg as R
from ebee.verifier.core.code import Op
from ebee.verifier.core.errors import EINVAL, Rejected
from ebee.verifier.core.reg import S64_MAX, S64_MIN, Reg, known
from ebee.verifier.core.tnum import U32, U64

if TYPE_CHECKING:
    from ebee.verifier.core.walk import Walk

MAX_OFFSET = 1 << 29  # BPF_MAX_VAR_OFF
_MOVES_BITS = {"mov": 0, "movsx8": 8, "movsx16": 16, "movsx32": 32}
_FIXED = frozenset((R.CTX, R.MAP_VALUE, R.MAP_KEY, R.STACK, R.META, R.PACKET, R.TP_BUFFER,
                    R.BTF, R.MEM, R.BUF, R.FUNC, R.DYNPTR))  # fmt: skip

_CONSTANT: dict[str, Callable[[int, int], int]] = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "and": operator.and_,
    "or": operator.or_, "xor": operator.xor,
}  # fmt: skip
"""Operations of which two known numbers have a known result, without a look at ranges."""


def step(w: Walk, op: Op) -> int:
    """One arithmetic instruction."""
    operation = op.operation
    if operation in _MOVES_BITS:
        _move(w, op, _MOVES_BITS[operation])
    elif operation == "addr_space_cast":
        _cast(w, op)
    elif operation == "neg" and w.profile.negation:
        w.read(op.dst)
        _compute(w, op, known(0))
    elif not op.form.source:  # neg before 6.17, and changes of byte order
        target = w.read(op.dst)
        made = R.UNKNOWN
        if w.profile.byte_swaps and operation != "neg" and target.type == R.SCALAR:
            made = target.copy()
            made.id = made.off = 0
            scalar.change_order(made, operation, w.profile.single_values)
            scalar.settle(made)
        w.regs[op.dst] = made
    else:
        _binary(w, op)
    return op.slot + 1


def guarded(w: Walk, op: Op) -> int:
    """One arithmetic instruction of a loader without CAP_PERFMON."""
    leaks.check_arithmetic(w, op)
    following = step(w, op)
    if w.state.speculative:
        spectre.settle(w, op.dst)
    return following


# --- moves ---------------------------------------------------------------------------------------


def _move(w: Walk, op: Op, extend: int) -> None:
    regs = w.regs
    if not op.reg:
        regs[op.dst] = known(op.imm & (U64 if op.bits == 64 else U32))
        return
    source = w.read(op.src)
    if op.bits == 64 and not extend:
        regs[op.dst] = w.id_for_copy(op.src)
        return
    if source.type != R.SCALAR:
        made = R.scalar()
        if op.bits == 32:
            scalar.zext32(made, w.profile.single_values)
        regs[op.dst] = made
        return
    same = source.umax < 1 << extend - 1 if extend else source.bits <= 32
    if same:
        source = w.id_for_copy(op.src)
    made = source.copy()
    if not same:
        made.id = made.off = 0
    if extend and op.bits == 64:
        scalar.sign_extend(made, extend // 8, w.profile.single_values)
    elif extend:
        scalar.sign_extend32(made, extend // 8)
    if op.bits == 32:
        scalar.zext32(made, w.profile.single_values)
    scalar.settle(made)
    regs[op.dst] = made


def _cast(w: Walk, op: Op) -> None:
    """From a pointer as user space has it to one of the arena, or back."""
    w.read(op.src)
    if op.imm not in (1, 1 << 16):
        text = "addr_space_cast insn can only convert between address space 1 and 0"
        raise Rejected("address-space", text, "", EINVAL)
    if not w.has_arena:
        text = "addr_space_cast insn can only be used in a program that has an associated arena"
        raise Rejected("address-space", text, "", EINVAL)
    w.regs[op.dst] = R.pointer(R.ARENA) if op.imm == 1 else R.UNKNOWN


# --- operations ----------------------------------------------------------------------------------


def _binary(w: Walk, op: Op) -> None:
    regs, operation = w.regs, op.operation
    if op.reg:
        source = w.read(op.src)
        target = w.read(op.dst)
    else:
        target = w.read(op.dst)
        if op.form.operation in ("div", "mod", "sdiv", "smod") and op.imm == 0:
            raise Rejected("division-by-zero", "div by zero", "", EINVAL)
        if operation in scalar.SHIFTS and not 0 <= op.imm < op.bits:
            raise Rejected("shift-too-far", f"invalid shift {op.imm}", "", EINVAL)
        source = known(op.imm & U64)
    if target.type == R.SCALAR and source.type == R.SCALAR:
        _compute(w, op, source)
    elif target.type == R.ARENA:
        pass  # its low half is all that matters, and that may be anything
    elif target.type == R.SCALAR:
        # scalar += pointer: the sum is the pointer moved
        w.precise(op.dst)
        _pointer(w, op, source, target)
    elif source.type == R.SCALAR:
        if op.reg:
            w.precise(op.src)
        _pointer(w, op, target, source)
    elif op.bits == 64 and operation == "sub":
        regs[op.dst] = R.UNKNOWN
    else:
        regs[op.dst] = R.UNKNOWN if operation == "sub" else _no_pair(op)


def _no_pair(op: Op) -> Reg:
    text = f"R{op.dst} pointer {op.sign} pointer prohibited"
    raise Rejected("pointer-arithmetic", text)


def _compute(w: Walk, op: Op, source: Reg) -> None:
    """Both operands are scalars."""
    regs, operation, bits = w.regs, op.operation, op.bits
    target = regs[op.dst]
    if target.type != R.SCALAR:
        if target.type != R.ARENA:
            regs[op.dst] = R.UNKNOWN
        return
    if not target.m and not source.m and not target.id and operation in _CONSTANT:
        value = _CONSTANT[operation](target.v, source.v)
        regs[op.dst] = known(value & (U64 if bits == 64 else U32))
        return
    if not scalar.computable(operation, source, bits):
        regs[op.dst] = R.UNKNOWN
        return
    made = target.copy()
    scalar.OPS[bits][operation](made, source)
    if operation == "mul":
        made.v, made.m = w.profile.mul(target.v, target.m, source.v, source.m)
    if w.profile.old_ranges:
        scalar.forget_wrapped(made, target, source, operation)
    if bits == 32:
        scalar.zext32(made, w.profile.single_values)
    scalar.sync(made, w.profile.single_values)
    made.id = made.off = 0
    alone = op.reg and op.src == op.dst
    linked = operation == "add" and bits == 64 and target.id and not source.m and not alone
    if linked and w.capable:
        made.id, made.off = _linked_sum(target.id, source.v)
    scalar.settle(made)
    regs[op.dst] = made


def _linked_sum(number: int, constant: int) -> tuple[int, int]:
    """Id and distance of a register that is a constant more than those of an id."""
    if number & R.ADD_CONST or constant > 0x7FFF_FFFF:
        return 0, 0
    return number | R.ADD_CONST, constant


# --- pointers ------------------------------------------------------------------------------------


def _prohibited(op: Op, kind: int) -> Rejected:
    text = f"R{op.dst} pointer arithmetic on {R.type_name(kind)} prohibited"
    return Rejected("pointer-arithmetic", text)


def _pointer(w: Walk, op: Op, ptr: Reg, off: Reg) -> None:
    """A pointer and a scalar."""
    regs, operation, kind = w.regs, op.operation, ptr.type
    fixed = not off.m
    if (fixed and (off.smin != off.smax or off.umin != off.umax)) or not scalar.consistent(off):
        regs[op.dst] = R.UNKNOWN
        return
    if op.bits != 64:
        if operation == "sub":
            regs[op.dst] = R.UNKNOWN
            return
        raise Rejected("pointer-arithmetic", f"R{op.dst} 32-bit pointer arithmetic prohibited")
    if kind & R.NULLABLE:
        text = f"R{op.dst} pointer arithmetic on {R.type_name(kind)} prohibited"
        raise Rejected("null-pointer", f"{text}, null-check it first")
    base = kind & R.BASE
    movable = base in _FIXED or (base == R.FLOW_KEYS and fixed)
    if not movable and not (base == R.MAP and fixed and off.smin == 0 and operation == "add"):
        raise _prohibited(op, kind)
    _check_sane(off, kind)
    _check_sane(ptr, kind)
    window = spectre.before(w, op, ptr, off) if w.spec is not None else None
    if operation == "add":
        made = _add(w, ptr, off, fixed)
    elif operation == "sub":
        if regs[op.dst] is not ptr:
            text = f"R{op.dst} tried to subtract pointer from scalar"
            raise Rejected("pointer-arithmetic", text)
        if kind == R.STACK:
            text = f"R{op.dst} subtraction from stack pointer prohibited"
            raise Rejected("pointer-arithmetic", text)
        made = _sub(w, ptr, off, fixed)
    elif operation in ("and", "or", "xor"):
        text = f"R{op.dst} bitwise operator {op.sign} on pointer prohibited"
        raise Rejected("pointer-arithmetic", text)
    else:
        text = f"R{op.dst} pointer arithmetic with {op.sign} operator prohibited"
        raise Rejected("pointer-arithmetic", text)
    _check_sane(made, kind)
    scalar.sync(made, w.profile.single_values)
    if w.spec is not None:
        spectre.after(w, op, made, window)
    scalar.settle(made)
    regs[op.dst] = made


def _add(w: Walk, ptr: Reg, off: Reg, fixed: bool) -> Reg:
    made = ptr.copy()
    made.wmin, made.wmax, made.tmin, made.tmax = 0, U32, R.S32_MIN, R.S32_MAX
    if fixed and -(1 << 31) <= ptr.off + off.smin < 1 << 31:
        made.off = ptr.off + off.smin
        return made
    low, high = ptr.smin + off.smin, ptr.smax + off.smax
    bounded = low >= S64_MIN and high <= S64_MAX
    made.smin, made.smax = (low, high) if bounded else (S64_MIN, S64_MAX)
    high = ptr.umax + off.umax
    made.umin, made.umax = (ptr.umin + off.umin, high) if high <= U64 else (0, U64)
    made.v, made.m = tnum.add(ptr.v, ptr.m, off.v, off.m)
    if ptr.type in (R.PACKET, R.META):
        made.id, made.range = w.new_id(), 0
    return made


def _sub(w: Walk, ptr: Reg, off: Reg, fixed: bool) -> Reg:
    made = ptr.copy()
    made.wmin, made.wmax, made.tmin, made.tmax = 0, U32, R.S32_MIN, R.S32_MAX
    if fixed and -(1 << 31) <= ptr.off - off.smin < 1 << 31:
        made.off = ptr.off - off.smin
        return made
    low, high = ptr.smin - off.smax, ptr.smax - off.smin
    bounded = low >= S64_MIN and high <= S64_MAX
    made.smin, made.smax = (low, high) if bounded else (S64_MIN, S64_MAX)
    if ptr.umin < off.umax:
        made.umin, made.umax = 0, U64
    else:
        made.umin, made.umax = ptr.umin - off.umax, ptr.umax - off.umin
    made.v, made.m = tnum.sub(ptr.v, ptr.m, off.v, off.m)
    if ptr.type in (R.PACKET, R.META):
        made.id = w.new_id()
        if off.smin < 0:
            made.range = 0
    return made


def _check_sane(reg: Reg, kind: int) -> None:
    """Offsets that could overflow are refused early (check_reg_sane_offset)."""
    if not reg.m and not -MAX_OFFSET < scalar.s64(reg.v) < MAX_OFFSET:
        id, what = "offset-too-large", f"math between {{}} pointer and {scalar.s64(reg.v)}"
        text = f"{what} is not allowed"
    elif not -MAX_OFFSET < reg.off < MAX_OFFSET:
        id, text = "offset-too-large", f"{{}} pointer offset {reg.off} is not allowed"
    elif reg.smin == S64_MIN:
        what = "math between {} pointer and register with unbounded min value"
        id, text = "offset-unbounded", f"{what} is not allowed"
    elif not -MAX_OFFSET < reg.smin < MAX_OFFSET:
        id, text = "offset-too-large", f"value {reg.smin} makes {{}} pointer be out of bounds"
    else:
        return
    why = f"the limit is {MAX_OFFSET}" if id == "offset-too-large" else ""
    raise Rejected(id, text.format(R.type_name(kind)), why, EINVAL)
