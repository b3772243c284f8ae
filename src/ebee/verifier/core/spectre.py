"""Speculative execution, where the loader has no CAP_PERFMON: ways that a processor may go although
they are not taken, and offsets that it may take for others than they are. Both are walked as well.

Since 6.17 an instruction that only such a way makes unsafe gets a barrier before it, at which the
way ends; earlier kernels reject the program. (kernel/bpf/verifier.c: sanitize_*, do_check)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from ebee.verifier.core import reg as R
from ebee.verifier.core import scalar, tnum
from ebee.verifier.core.code import Op
from ebee.verifier.core.errors import EACCES, EINVAL, EPERM, Rejected
from ebee.verifier.core.reg import UNKNOWN, Reg
from ebee.verifier.core.state import MISC, ZEROS, Frame, State
from ebee.verifier.core.tnum import U32

if TYPE_CHECKING:
    from ebee.verifier.core.program import MapInfo
    from ebee.verifier.core.walk import Walk

END = -1
STACK_SIZE = 512
RECOVERABLE = frozenset((EPERM, EACCES, EINVAL))
"""Errors that a barrier mends (error_recoverable_with_nospec)."""

# How an addition or subtraction is masked (BPF_ALU_*)
_SANITIZE_SRC, _SANITIZE_DST, _NEGATIVE, _NOT_POINTER, _IMMEDIATE = 1, 2, 4, 8, 16
ENOMEM = 12


class Speculation:
    """What is found out about instructions, whatever the path (bpf_insn_aux_data).

    barriers  slots before which speculation ends; `fenced`: stores after which it does
    masks     how an addition's operand is masked, and to which limit
    strict    some operand is masked, so states with other scalars are never the same
    tables    the map of each tail call; None: not always the same
    """

    __slots__ = ("barriers", "fenced", "masks", "strict", "tables")

    def __init__(self) -> None:
        self.barriers: set[int] = set()
        self.fenced: set[int] = set()
        self.masks: dict[int, tuple[int, int]] = {}
        self.strict = False
        self.tables: dict[int, MapInfo | None] = {}


def step(w: Walk, op: Op, walk: Callable[[Op], int]) -> int:
    """One instruction of a way that only speculation goes."""
    spec = w.spec
    assert spec is not None
    if not w.profile.barriers:
        return walk(op)
    if op.slot in spec.barriers:
        return END
    try:
        following = walk(op)
    except Rejected as error:
        _end(w, spec, error)
        following = END
    return END if op.slot in spec.fenced else following


def _end(w: Walk, spec: Speculation, error: Rejected) -> None:
    """End a way before what it makes unsafe, with a barrier; the error where none helps."""
    if not w.profile.barriers or error.errno not in RECOVERABLE:
        raise error
    spec.barriers.add(w.idx)
    spec.masks.pop(w.idx, None)
    if w.log is not None:
        w.log.add(f"{error.message}\n")


def no_instruction(w: Walk, error: Rejected) -> None:
    """Control comes to what is no instruction, which nothing but speculation may."""
    if w.spec is None or not w.state.speculative:
        raise error
    _end(w, w.spec, error)


def _set_aside(w: Walk, slot: int) -> State:
    other = w.branch(slot)
    other.speculative = True
    return other


# --- tail calls ----------------------------------------------------------------------------------


def note_tail_call(w: Walk, info: MapInfo | None) -> None:
    """A tail call through a map: its index is masked to the size of that map."""
    if w.spec is not None and w.spec.tables.setdefault(w.idx, info) is not info:
        w.spec.tables[w.idx] = None


def check_tail_calls(w: Walk) -> None:
    """No instruction jumps through two maps: it can mask for one only (do_misc_fixups)."""
    if w.spec is not None and None in w.spec.tables.values():
        raise Rejected("speculation", "tail_call abusing map_ptr", "", EINVAL)


# --- jumps and stores ----------------------------------------------------------------------------


def mispredict(w: Walk, op: Op, taken: bool) -> None:
    """A jump goes one way only, but may be guessed to go the other: there nothing is known of what
    was compared."""
    regs = _set_aside(w, op.slot + 1 if taken else op.target).frame.regs
    regs[op.dst] = UNKNOWN
    if op.reg:
        regs[op.src] = UNKNOWN


def fence(w: Walk, frame: Frame, off: int, size: int, stored: Reg | None) -> None:
    """A store that a load must not overtake: of a pointer, or over anything but plain data
    (Spectre v4)."""
    assert w.spec is not None
    types = frame.slots[(-off - 1) // 8][0][off % 8 :][:size]
    pointer = stored is not None and stored.type != R.SCALAR
    if pointer or any(kind not in (MISC, ZEROS) for kind in types):
        w.spec.fenced.add(w.idx)


# --- additions and subtractions ------------------------------------------------------------------


class Window(NamedTuple):
    """How far a pointer may go, before it is moved: `left`: towards smaller addresses."""

    mask: int
    limit: int
    left: bool


def _masked(w: Walk, op: Op) -> bool:
    """Whether an operand is masked: only a register, and none behind a barrier."""
    assert w.spec is not None
    return op.reg and op.operation in ("add", "sub") and op.slot not in w.spec.barriers


def _prohibited(op: Op, what: str) -> Rejected:
    verb = op.operation
    text = f"{what.format(verb=verb)}, pointer arithmetic with it prohibited for !root"
    return Rejected("speculation", text)


def mask_number(w: Walk, op: Op) -> None:
    """An addition or subtraction of two numbers must never be one of pointers on another path."""
    if _masked(w, op):
        _note(w, op, _NOT_POINTER, 0)


def _note(w: Walk, op: Op, mask: int, limit: int) -> None:
    assert w.spec is not None
    if w.spec.masks.setdefault(op.slot, (mask, limit)) != (mask, limit):
        raise _prohibited(op, f"R{op.dst} tried to {{verb}} from different maps, paths or scalars")


def before(w: Walk, op: Op, ptr: Reg, off: Reg) -> Window | None:
    """Before a pointer is moved: the window it may be moved in; None where nothing is masked. What
    happens when the offset is masked to zero is walked later."""
    spec = w.spec
    assert spec is not None
    if not _masked(w, op):
        return None
    window = None
    swapped = w.profile.barriers and w.regs[op.dst] is not ptr  # the number is in dst
    number, pointer = (op.dst, op.src) if swapped else (op.src, op.dst)
    if not w.state.speculative:
        negative = off.smin < 0
        if off.m and negative != (off.smax < 0):
            text = f"R{number} has unknown scalar with mixed signed bounds"
            raise _prohibited(op, text)
        left = (op.operation == "add") == negative
        mask = (_NEGATIVE if negative else 0) | (0 if off.m else _IMMEDIATE)
        mask |= _SANITIZE_SRC if w.regs[op.dst] is ptr else _SANITIZE_DST
        window = Window(mask, _limit(op, ptr, pointer, left), left)
        spec.strict |= bool(off.m)
    if off.m:
        guessed = ptr.copy()
        if w.profile.barriers:  # without ranges of 32 bits, which later levels put right: `settle`
            guessed.wmin, guessed.wmax, guessed.tmin, guessed.tmax = 0, U32, R.S32_MIN, R.S32_MAX
        try:
            _set_aside(w, op.slot + 1).frame.regs[op.dst] = guessed
        except Rejected as error:
            text = f"{error.message}\nR{op.dst} could not be pushed for speculative verification"
            errno = ENOMEM if w.profile.barriers else EACCES
            raise Rejected(error.id, _prohibited(op, text).message, "", errno) from None
    return window


def settle(w: Walk, regno: int) -> None:
    """A copy of a pointer whose ranges contradict each other has none (reg_bounds_sanity_check)."""
    reg = w.regs[regno]
    if reg.type != R.SCALAR and not scalar.consistent(reg):
        w.regs[regno] = made = reg.copy()
        R.unbounded(made)


def after(w: Walk, op: Op, made: Reg, window: Window | None) -> None:
    """A pointer was moved: it must stay inside of what it points to, and the window is as wide as
    the way it went."""
    _check_inside(w, op, made)
    if window is not None:
        limit = abs(window.limit - _limit(op, made, op.dst, window.left))
        _note(w, op, window.mask, limit)


def _limit(op: Op, ptr: Reg, regno: int, left: bool) -> int:
    """How far a pointer is from where its memory begins (retrieve_ptr_limit)."""
    if ptr.type == R.STACK:
        size, limit = STACK_SIZE + left, -(ptr.v + ptr.off) & U32
    elif ptr.type == R.MAP_VALUE and ptr.map is not None:
        size = ptr.map.value_size
        limit = (ptr.smin if left else ptr.umax) + ptr.off & U32
    else:
        text = f"R{regno} has pointer with unsupported alu operation"
        raise _prohibited(op, text)
    if limit >= size:
        raise _prohibited(op, f"R{op.dst} tried to {{verb}} beyond pointer bounds")
    return limit


def _check_inside(w: Walk, op: Op, made: Reg) -> None:
    """Pointers to the stack and to values of maps never leave them (sanitize_check_bounds)."""
    dst = op.dst
    if made.type == R.STACK:
        off = made.off + (made.v - (1 << 64) if made.v >> 63 else made.v)
        if made.m:
            place = f"var_off={tnum.text(made.v, made.m)} off={off}"
            text = f"R{dst} variable stack access prohibited for !root, {place}"
            raise Rejected("stack-variable", text)
        if not -STACK_SIZE <= off < 0:
            text = f"R{dst} stack pointer arithmetic goes out of range, prohibited for !root; "
            raise Rejected("stack-bounds", f"{text}off={off}")
    elif made.type == R.MAP_VALUE:
        from ebee.verifier.core import mem

        try:
            mem.check_value(made, dst, made.off, 1, helper=True)
        except Rejected as error:
            text = f"R{dst} pointer arithmetic of map value goes out of range, prohibited for !root"
            raise Rejected(error.id, f"{error.message}\n{text}", error.detail) from None
