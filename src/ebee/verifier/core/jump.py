"""Conditional jumps: which way they go, and what each way tells (check_cond_jmp_op)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebee.verifier.core import btfptr, leaks, prune, scalar, special, spectre, tnum
from ebee.verifier.core import reg as R
from ebee.verifier.core.code import Op
from ebee.verifier.core.errors import DoesNotKnow
from ebee.verifier.core.profile import NEVER_NULL
from ebee.verifier.core.reg import Reg, known
from ebee.verifier.core.scalar import HIGH, s32, s64
from ebee.verifier.core.state import Linked, State, spilled_scalar
from ebee.verifier.core.tnum import U32, U64

if TYPE_CHECKING:
    from ebee.verifier.core.walk import Walk

MAX_LINKED = 6  # LINKED_REGS_MAX
AT_END, BEYOND_END = -1, -2
"""Ranges of a packet pointer that was compared with the packet's end."""

FLIPPED = {
    "jeq": "jeq", "jne": "jne", "jset": "jset", "jgt": "jlt", "jge": "jle", "jlt": "jgt",
    "jle": "jge", "jsgt": "jslt", "jsge": "jsle", "jslt": "jsgt", "jsle": "jsge",
}  # fmt: skip
REVERSED = {
    "jeq": "jne", "jne": "jeq", "jset": "not jset", "jgt": "jle", "jge": "jlt", "jlt": "jge",
    "jle": "jgt", "jsgt": "jsle", "jsge": "jslt", "jslt": "jsge", "jsle": "jsgt",
}  # fmt: skip
_PACKETS = frozenset((R.PACKET, R.META, R.PACKET_END))


def step(w: Walk, op: Op) -> int:
    """One jump."""
    w.jumps += 1
    if op.operation == "ja":
        return op.target
    if op.operation == "may_goto":
        return _may_goto(w, op)
    if op.operation == "gotox":
        raise DoesNotKnow("indirect jumps")
    dst = w.read(op.dst)
    if op.reg:
        src = w.read(op.src)
        src_stack, dst_stack = src.type == R.STACK, dst.type == R.STACK
        if src_stack or dst_stack:
            w.push_history(dst_stack=dst_stack, src_stack=src_stack)
        if not w.perfmon:
            leaks.check_compared(op, dst, src)
    else:
        src = known(op.imm & U64)
        if dst.type == R.STACK:
            w.push_history(dst_stack=True)
    never_null = w.profile.never_null
    taken = outcome(dst, src, op.operation, op.bits, never_null)
    if taken is not None:
        if dst.type == R.SCALAR:
            w.precise(op.dst)
        if op.reg and src.type == R.SCALAR:
            w.precise(op.src)
        if w.spec is not None:
            spectre.mispredict(w, op, taken)
        return op.target if taken else op.slot + 1
    return _both_ways(w, op, dst, src)


def _may_goto(w: Walk, op: Op) -> int:
    last = w.state.parent
    before = w.memory.previous_entry(last, op.slot) if last is not None else None
    other = w.branch(op.slot + 1)
    other.goto_depth += 1
    if before is not None:
        prune.widen(before, other)
    return op.target


def _both_ways(w: Walk, op: Op, dst: Reg, src: Reg) -> int:
    state = w.state
    linked = _linked(w, state, src.id if op.reg and src.type == R.SCALAR else 0,
                     dst.id if dst.type == R.SCALAR else 0)  # fmt: skip
    if len(linked) > 1:
        w.push_history(linked=linked)
    other = w.branch(op.target)
    mine, theirs = state.frame.regs, other.frame.regs
    if dst.type == R.SCALAR and src.type == R.SCALAR:
        for regs, operation in ((theirs, op.operation), (mine, REVERSED[op.operation])):
            a = dst.copy()
            b = a if op.reg and op.src == op.dst else src.copy()
            refine(a, b, operation, op.bits)
            both = (a, b) if op.reg else (a,)
            for r in both:  # twice where it is one register
                scalar.sync(r, w.profile.single_values)
            for r in both:
                scalar.settle(r)
            regs[op.dst] = a
            if op.reg:
                regs[op.src] = b
        for each in (state, other):
            regs = each.frame.regs
            if op.reg and src.id:
                _share(each, regs[op.src], linked, op.src)
            if dst.id:
                _share(each, regs[op.dst], linked, op.dst)
    if op.bits == 64 and op.reg:
        _compare_pointers(op, dst, src, mine, theirs)
    null_test = op.bits == 64 and not op.reg and op.imm == 0 and op.operation in ("jeq", "jne")
    if null_test and dst.type & R.NULLABLE:
        mark_null(state, dst, op.operation == "jeq")
        mark_null(other, dst, op.operation == "jne")
    elif op.bits == 64 and op.reg and _packet_bounds(op, dst, src, state, other):
        pass
    elif not w.perfmon and dst.type != R.SCALAR:
        raise leaks.no_comparison(op.dst)
    return op.slot + 1


# --- which way -----------------------------------------------------------------------------------


def outcome(
    a: Reg, b: Reg, operation: str, bits: int, never_null: frozenset[int] = NEVER_NULL
) -> bool | None:
    """Whether the jump is taken; None if that is not known."""
    if a.type == R.SCALAR and b.type == R.SCALAR:
        return _scalars(a, b, operation, bits)
    if a.type in _PACKETS and b.type in _PACKETS and bits == 64:
        return _packets(a, b, operation)
    if not _constant(b, bits):
        a, b = b, a
    if not _constant(b, bits) or b.v & (U64 if bits == 64 else U32):
        return None
    if not surely_not_null(a, never_null):
        return None
    return {"jeq": False, "jne": True}.get(operation)


def surely_not_null(reg: Reg, never_null: frozenset[int]) -> bool:
    """Whether a pointer is known not to be null (reg_not_null)."""
    kind = reg.type
    if kind & R.NULLABLE:
        return False
    base = kind & R.BASE
    if base == R.BTF:
        return btfptr.trusted(reg)
    return base in never_null or (base == R.MEM and not kind & R.UNTRUSTED)


def _constant(reg: Reg, bits: int) -> bool:
    return reg.type == R.SCALAR and not reg.m & (U64 if bits == 64 else U32)


def _packets(a: Reg, b: Reg, operation: str) -> bool | None:
    if b.type == R.PACKET_END:
        packet = a
    elif a.type == R.PACKET_END:
        packet, operation = b, FLIPPED[operation]
    else:
        return None
    if packet.range >= 0:
        return None
    if operation in ("jle", "jgt") and packet.range == BEYOND_END:
        return operation == "jgt"
    if operation in ("jlt", "jge"):
        return operation == "jge"
    return None


def _scalars(a: Reg, b: Reg, operation: str, bits: int) -> bool | None:
    if bits == 64:
        av, am, bv, bm = a.v, a.m, b.v, b.m
        ulow, uhigh, vlow, vhigh = a.umin, a.umax, b.umin, b.umax
        slow, shigh, tlow, thigh = a.smin, a.smax, b.smin, b.smax
    else:
        av, am, bv, bm = a.v & U32, a.m & U32, b.v & U32, b.m & U32
        ulow, uhigh, vlow, vhigh = a.wmin, a.wmax, b.wmin, b.wmax
        slow, shigh, tlow, thigh = a.tmin, a.tmax, b.tmin, b.tmax
    if operation in ("jeq", "jne"):
        if not am and not bm:
            return (av == bv) == (operation == "jeq")
        apart = (
            not tnum.overlap(av, am, bv, bm)
            or ulow > vhigh or uhigh < vlow or slow > thigh or shigh < tlow
            or (bits == 64 and (a.wmin > b.wmax or a.wmax < b.wmin
                                or a.tmin > b.tmax or a.tmax < b.tmin))
        )  # fmt: skip
        return operation == "jne" if apart else None
    if operation == "jset":
        if bm:
            av, am, bv, bm = bv, bm, av, am
        if bm:
            return None
        if av & ~am & bv:
            return True
        return None if (av | am) & bv else False
    if operation[1] == "s":
        ulow, uhigh, vlow, vhigh, operation = slow, shigh, tlow, thigh, "j" + operation[2:]
    if operation == "jgt":
        return True if ulow > vhigh else False if uhigh <= vlow else None
    if operation == "jlt":
        return True if uhigh < vlow else False if ulow >= vhigh else None
    if operation == "jge":
        return True if ulow >= vhigh else False if uhigh < vlow else None
    return True if uhigh <= vlow else False if ulow > vhigh else None


# --- what it tells -------------------------------------------------------------------------------


def refine(a: Reg, b: Reg, operation: str, bits: int) -> None:
    """The comparison holds: change the ranges of both (regs_refine_cond_op)."""
    if operation in ("jge", "jgt", "jsge", "jsgt"):
        a, b, operation = b, a, FLIPPED[operation]
    if operation == "jeq":
        _equal(a, b, bits)
    elif operation == "jne":
        if not _constant(b, bits):
            a, b = b, a
        if _constant(b, bits):
            _unequal(a, b.v, bits)
    elif operation in ("jset", "not jset"):
        if not _constant(b, bits):
            a, b = b, a
        if _constant(b, bits):
            _bits_set(a, b.v if bits == 64 else b.v & U32, bits, operation == "jset")
    elif operation in ("jle", "jlt"):
        less = operation == "jlt"
        if bits == 64:
            a.umax, b.umin = min(a.umax, b.umax - less), max(a.umin + less, b.umin)
        else:
            a.wmax, b.wmin = min(a.wmax, b.wmax - less), max(a.wmin + less, b.wmin)
    else:
        less = operation == "jslt"
        if bits == 64:
            a.smax, b.smin = min(a.smax, b.smax - less), max(a.smin + less, b.smin)
        else:
            a.tmax, b.tmin = min(a.tmax, b.tmax - less), max(a.tmin + less, b.tmin)


def _equal(a: Reg, b: Reg, bits: int) -> None:
    if bits == 64:
        a.umin = b.umin = max(a.umin, b.umin)
        a.umax = b.umax = min(a.umax, b.umax)
        a.smin = b.smin = max(a.smin, b.smin)
        a.smax = b.smax = min(a.smax, b.smax)
        a.v, a.m = b.v, b.m = tnum.intersect(a.v, a.m, b.v, b.m)
        return
    a.wmin = b.wmin = max(a.wmin, b.wmin)
    a.wmax = b.wmax = min(a.wmax, b.wmax)
    a.tmin = b.tmin = max(a.tmin, b.tmin)
    a.tmax = b.tmax = min(a.tmax, b.tmax)
    v, m = tnum.intersect(a.v & U32, a.m & U32, b.v & U32, b.m & U32)
    for r in (a, b):
        r.v, r.m = r.v & HIGH | v, r.m & HIGH | m


def _unequal(a: Reg, value: int, bits: int) -> None:
    if bits == 64:
        signed = s64(value)
        a.umin += a.umin == value
        a.umax -= a.umax == value
        a.smin += a.smin == signed
        a.smax -= a.smax == signed
    else:
        value, signed = value & U32, s32(value)
        a.wmin += a.wmin == value
        a.wmax -= a.wmax == value
        a.tmin += a.tmin == signed
        a.tmax -= a.tmax == signed


def _bits_set(a: Reg, value: int, bits: int, some: bool) -> None:
    """Some of the bits of `value` are set (known only of a single one), or none is."""
    if some:
        if not value or value & value - 1:
            return
        a.v, a.m = a.v | value, a.m & ~value
        return
    R.unbounded(a)
    a.v, a.m = a.v & ~value, a.m & ~value


# --- registers that are the same -----------------------------------------------------------------


def _linked(w: Walk, state: State, *ids: int) -> Linked:
    """Registers and slots that share one of the ids, six at the most; others lose theirs."""
    at = [frame.callsite for frame in state.frames[1:]] + [w.idx]
    live = [w.cfg.live[slot] if w.profile.live_links else -1 for slot in at]
    found: list[tuple[int, int, bool]] = []
    for number in ids:
        number &= ~R.ADD_CONST
        if not number:
            continue
        for frame in state.frames:
            for i in range(10):
                reg = frame.regs[i]
                same = reg.type == R.SCALAR and reg.id & ~R.ADD_CONST == number
                same = same and bool(live[frame.number] >> i & 1)
                if same and not _append(found, (frame.number, i, False)):
                    frame.regs[i] = reg.with_id(0)
            for i, slot in enumerate(frame.slots):
                same = spilled_scalar(slot) and slot[1].id & ~R.ADD_CONST == number
                if same and not _append(found, (frame.number, i, True)):
                    frame.slots[i] = slot[0], slot[1].with_id(0)
    return tuple(found)


def _append(found: list[tuple[int, int, bool]], entry: tuple[int, int, bool]) -> bool:
    if entry in found:
        return True
    if len(found) >= MAX_LINKED:
        return False
    found.append(entry)
    return True


def _share(state: State, source: Reg, linked: Linked, regno: int) -> None:
    """What was learnt of a register holds for those that share its id, apart by constants."""
    top = len(state.frames) - 1
    number = source.id & ~R.ADD_CONST
    if not number:
        return
    for depth, i, slot in linked:
        frame = state.frames[depth]
        reg = frame.slots[i][1] if slot else frame.regs[i]
        if reg.type != R.SCALAR or reg.id & ~R.ADD_CONST != number:
            continue
        if not slot and depth == top and i == regno:
            continue
        plain = not reg.id & R.ADD_CONST and not source.id & R.ADD_CONST
        if plain or reg.off == source.off:
            made = source.copy()
        else:
            made = source.copy()
            made.off, made.id = reg.off, reg.id
            scalar.add(made, known(reg.off - source.off & U64))
            scalar.settle(made)
        if slot:
            frame.slots[i] = frame.slots[i][0], made
        else:
            frame.regs[i] = made


# --- pointers ------------------------------------------------------------------------------------


def _compare_pointers(op: Op, dst: Reg, src: Reg, mine: list[Reg], theirs: list[Reg]) -> None:
    """A pointer that equals one that is not null is not null."""
    if dst.type == R.SCALAR or src.type == R.SCALAR or R.BTF in (dst.type & 255, src.type & 255):
        return
    regs = {"jeq": theirs, "jne": mine}.get(op.operation)
    if regs is None:
        return
    for one, two, at in ((dst, src, op.src), (src, dst, op.dst)):
        if not one.type & R.NULLABLE and two.type & R.NULLABLE:
            made = regs[at].copy()
            made.type = not_null_type(made)
            regs[at] = made


def not_null_type(reg: Reg) -> int:
    """The type of a nullable pointer that is found not to be null."""
    kind = reg.type & ~R.NULLABLE
    if kind == R.MAP_VALUE and reg.map is not None:
        if reg.map.inner is not None:
            return R.MAP
        if reg.map.type.name == "xskmap":
            return R.XDP_SOCK
        if reg.map.type.name in ("sockmap", "sockhash"):
            return R.SOCKET
    return kind


def mark_null(state: State, reg: Reg, not_null: bool) -> None:
    """A nullable pointer was compared with null: so are all its copies. Where it is null, a
    reference that it held was never acquired."""
    number, held = reg.id, reg.ref
    if held and held == number and not not_null:
        state.refs = tuple(h for h in state.refs if h.id != number or h.kind != "ptr")
    for frame in state.frames:
        for i, each in enumerate(frame.regs):
            if each.type & R.NULLABLE and each.id == number:
                frame.regs[i] = _decided(each, not_null)
        for i, slot in enumerate(frame.slots):
            if slot[1].type & R.NULLABLE and slot[1].id == number:
                frame.slots[i] = slot[0], _decided(slot[1], not_null)


def _decided(reg: Reg, not_null: bool) -> Reg:
    if not not_null:
        return R.ZERO
    made = reg.copy()
    made.type = not_null_type(reg)
    if made.type == R.MAP and reg.map is not None:
        made.map = reg.map.inner
        if made.map is not None and made.map.fields:
            made.uid = reg.id
    if not keeps_id(made):
        made.id = 0
    return made


def keeps_id(reg: Reg) -> bool:
    """Whether a pointer's id still matters when it is known not to be null: there may be a spin
    lock behind it."""
    if reg.type == R.MAP_VALUE and reg.map is not None:
        return reg.map.lock is not None
    if reg.type & (R.BASE | R.ALLOC) == R.BTF | R.ALLOC and reg.btf is not None:
        found = special.fields(reg.btf.btf, reg.btf.id, None)
        return any("spin_lock" in field.name for field in found)
    return False


# Comparisons of a packet pointer with the packet's end (or of metadata with the packet's start):
# for each, the pointer's side that is inside in the branch that falls through or jumps, and whether
# one byte more is there (the comparison excludes equality).
_BOUNDS = {
    # operation: (good branch falls through, open) when the pointer is on the left
    "jgt": (True, False), "jlt": (False, True), "jge": (True, True), "jle": (False, False),
}  # fmt: skip


def _packet_bounds(op: Op, dst: Reg, src: Reg, state: State, other: State) -> bool:
    """What a comparison with the packet's end tells; whether it is one."""
    operation = op.operation
    if operation not in _BOUNDS:
        return False
    if _bounded_by(dst, src):
        packet, regno = dst, op.dst
    elif _bounded_by(src, dst):
        packet, regno, operation = src, op.src, FLIPPED[operation]
    else:
        return False
    falls, open_end = _BOUNDS[operation]
    good, bad = (state, other) if falls else (other, state)
    _found(good, packet, open_end)
    reg = bad.frame.regs[regno]
    if reg.type == R.PACKET:
        made = reg.copy()
        made.range = AT_END if open_end else BEYOND_END
        bad.frame.regs[regno] = made
    return True


def _bounded_by(packet: Reg, end: Reg) -> bool:
    start = end.type == R.PACKET and not end.off and not end.m and not end.v and not end.id
    return (packet.type == R.PACKET and end.type == R.PACKET_END) or (
        packet.type == R.META and start
    )


def _found(state: State, packet: Reg, open_end: bool) -> None:
    """All pointers of the same base may reach as far as this one (find_good_pkt_pointers)."""
    if packet.off < 0 or (packet.off == 0 and open_end):
        return
    if packet.umax > 0xFFFF or packet.umax + packet.off > 0xFFFF:
        return
    length = packet.off + open_end
    for frame in state.frames:
        for i, reg in enumerate(frame.regs):
            if reg.type == packet.type and reg.id == packet.id and reg.range < length:
                frame.regs[i] = made = reg.copy()
                made.range = length
        for i, slot in enumerate(frame.slots):
            reg = slot[1]
            if reg.type == packet.type and reg.id == packet.id and reg.range < length:
                made = reg.copy()
                made.range = length
                frame.slots[i] = slot[0], made
