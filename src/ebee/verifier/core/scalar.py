"""Arithmetic on what is known of scalars: tnum and four ranges, each helping the others.

The functions change their first argument in place (a copy of the register that is computed upon).
Facts: kernel/bpf/verifier.c, reg_bounds_sync and the scalar*_min_max_* functions.
"""

from __future__ import annotations

from collections.abc import Callable

from ebee.verifier.core import tnum
from ebee.verifier.core.reg import S32_MAX, S32_MIN, S64_MAX, S64_MIN, Reg, set_known, unbounded
from ebee.verifier.core.tnum import U32, U64

HIGH = U64 ^ U32
SIGN32, SIGN64 = 1 << 31, 1 << 63
Op = Callable[[Reg, Reg], None]


def s32(value: int) -> int:
    """The low 32 bits as a signed number."""
    value &= U32
    return value - (1 << 32) if value >> 31 else value


def s64(value: int) -> int:
    """The low 64 bits as a signed number."""
    value &= U64
    return value - (1 << 64) if value >> 63 else value


# --- deductions ----------------------------------------------------------------------------------


def sync(r: Reg, single: bool) -> None:
    """Let tnum and ranges tighten each other, as far as the kernel goes. `single`: it sees where
    tnum and unsigned range have only one number in common (Profile.single_values)."""
    v = r.v
    if not r.m and (
        r.umin <= v <= r.umax
        and r.wmin <= v & U32 <= r.wmax
        and r.smin <= s64(v) <= r.smax
        and r.tmin <= s32(v) <= r.tmax
    ):
        set_known(r, v)
        return
    key = v, r.m, r.umin, r.umax, r.smin, r.smax, r.wmin, r.wmax, r.tmin, r.tmax
    synced = _synced[single]
    known = synced.get(key)
    if known is None:
        _deduce(r, single)
        if len(synced) >= SYNCED:
            synced.clear()
        synced[key] = (
            r.v, r.m, r.umin, r.umax, r.smin, r.smax, r.wmin, r.wmax, r.tmin, r.tmax,
        )  # fmt: skip
        return
    r.v, r.m, r.umin, r.umax, r.smin, r.smax, r.wmin, r.wmax, r.tmin, r.tmax = known


Known = tuple[int, int, int, int, int, int, int, int, int, int]
SYNCED = 1 << 15
_synced: tuple[dict[Known, Known], dict[Known, Known]] = {}, {}
"""What deductions led to: a program's paths ask for the same ones again and again."""


def _deduce(r: Reg, single: bool) -> None:
    _from_tnum(r)
    if single:
        _only_value(r)
    before = (r.umin, r.umax, r.smin, r.smax, r.wmin, r.wmax, r.tmin, r.tmax)
    for _ in range(3):
        _deduce32(r)
        _deduce64(r)
        _deduce_mixed(r)
        now = (r.umin, r.umax, r.smin, r.smax, r.wmin, r.wmax, r.tmin, r.tmax)
        if now == before:
            break
        before = now
    _bound_tnum(r)
    _from_tnum(r)
    if single:
        _only_value(r)


def consistent(r: Reg) -> bool:
    """Whether any value is left; else the path that led here is dead."""
    return (
        r.umin <= r.umax
        and r.smin <= r.smax
        and r.wmin <= r.wmax
        and r.tmin <= r.tmax
        and (bool(r.m) or (r.umin == r.v == r.umax and r.smin == s64(r.v) == r.smax))
        and (bool(r.m & U32) or (r.wmin == r.v & U32 == r.wmax and r.tmin == s32(r.v) == r.tmax))
    )


def settle(r: Reg) -> None:
    """What contradicts itself is unknown, as the kernel does (reg_bounds_sanity_check)."""
    if not consistent(r):
        r.v, r.m = 0, U64
        unbounded(r)


# Here every instruction of a walk comes by: comparisons in place of min and max, and of s32 and s64
# of numbers that have no higher bits.


def _from_tnum(r: Reg) -> None:
    v, m = r.v, r.m
    if v > r.umin:
        r.umin = v
    if v | m < r.umax:
        r.umax = v | m
    low = ((v | m & SIGN64) ^ SIGN64) - SIGN64
    high = ((v | m & S64_MAX) ^ SIGN64) - SIGN64
    if low > r.smin:
        r.smin = low
    if high < r.smax:
        r.smax = high
    v, m = v & U32, m & U32
    if v > r.wmin:
        r.wmin = v
    if v | m < r.wmax:
        r.wmax = v | m
    low = ((v | m & SIGN32) ^ SIGN32) - SIGN32
    high = ((v | m & S32_MAX) ^ SIGN32) - SIGN32
    if low > r.tmin:
        r.tmin = low
    if high < r.tmax:
        r.tmax = high


def _only_value(r: Reg) -> None:
    """The only number that is in tnum and unsigned range, if there is one."""
    v, m, low, high = r.v, r.m, r.umin, r.umax
    following = tnum.step(v, m, low)
    if low & ~m == v:
        if following > high:
            set_known(r, low)
    elif following == v | m or (following <= high and tnum.step(v, m, following) > high):
        set_known(r, following)


def _deduce32(r: Reg) -> None:
    wmin, wmax, tmin, tmax = r.wmin, r.wmax, r.tmin, r.tmax
    for low, high, signed in ((r.umin, r.umax, False), (r.smin, r.smax, True)):
        first, last = low & U32, high & U32
        a, b = (first ^ SIGN32) - SIGN32, (last ^ SIGN32) - SIGN32
        if low >> 32 == high >> 32:
            if not signed or first <= last:
                wmin, wmax = first if first > wmin else wmin, last if last < wmax else wmax
            if a > b:
                continue
        elif not ((low >> 32) + 1 & U32 == high >> 32 & U32 and a < 0 <= b):
            continue
        tmin, tmax = a if a > tmin else tmin, b if b < tmax else tmax
    a, b = s32(wmin), s32(wmax)
    if a <= b:
        tmin, tmax = a if a > tmin else tmin, b if b < tmax else tmax
    low, high = tmin & U32, tmax & U32
    if low <= high:
        wmin, wmax = low if low > wmin else wmin, high if high < wmax else wmax
    elif wmax < low:
        tmin, wmax = s32(wmin), min(wmax, high)
    elif high < wmin:
        tmax, wmin = s32(wmax), max(wmin, low)
    r.wmin, r.wmax, r.tmin, r.tmax = wmin, wmax, tmin, tmax


def _deduce64(r: Reg) -> None:
    umin, umax, smin, smax = r.umin, r.umax, r.smin, r.smax
    low, high = s64(umin), s64(umax)
    if low <= high:
        smin, smax = low if low > smin else smin, high if high < smax else smax
    low, high = smin & U64, smax & U64
    if low <= high:
        umin, umax = low if low > umin else umin, high if high < umax else umax
    elif umax < low:
        smin, umax = s64(umin), min(umax, high)
    elif high < umin:
        smax, umin = s64(umax), max(umin, low)
    r.umin, r.umax, r.smin, r.smax = umin, umax, smin, smax


def _deduce_mixed(r: Reg) -> None:
    tmin, tmax = r.tmin, r.tmax
    _low_halves(r, r.wmin, r.wmax)
    if tmin & U32 <= tmax & U32:
        _low_halves(r, tmin & U32, tmax & U32)
    if tmin >= 0 and r.smin >= S32_MIN and r.smax <= S32_MAX:
        # Sign-extended, and the low half is not negative: so is the whole.
        r.smin, r.smax, r.umin, r.umax = tmin, tmax, tmin, tmax & U64
        r.v, r.m = tnum.intersect(r.v, r.m, *tnum.between(tmin, tmax & U64))


def _low_halves(r: Reg, low: int, high: int) -> None:
    """The low 32 bits are between two unsigned numbers: so the 64-bit ranges can be narrower."""
    found = r.umin & HIGH | low
    if found > r.umin:
        r.umin = found
    found = r.umax & HIGH | high
    if found < r.umax:
        r.umax = found
    found = r.smin & ~U32 | low
    if found > r.smin:
        r.smin = found
    found = r.smax & ~U32 | high
    if found < r.smax:
        r.smax = found


def _bound_tnum(r: Reg) -> None:
    v, m = tnum.intersect(r.v, r.m, *tnum.between(r.umin, r.umax))
    low_v, low_m = tnum.intersect(v & U32, m & U32, *tnum.between(r.wmin, r.wmax))
    r.v, r.m = v & HIGH | low_v & U32, m & HIGH | low_m & U32


# --- changes of width ----------------------------------------------------------------------------


def zext32(r: Reg, single: bool) -> None:
    """Only the low half is left; the 64-bit ranges follow the 32-bit ones."""
    r.v, r.m = r.v & U32, r.m & U32
    r.umin, r.umax = r.wmin, r.wmax
    if r.tmin >= 0 and r.tmax >= 0:
        r.smin, r.smax = r.tmin, r.tmax
    else:
        r.smin, r.smax = 0, U32
    sync(r, single)


def truncate(r: Reg, size: int, single: bool) -> None:
    """Keep the low `size` bytes, zero the others (coerce_reg_to_size)."""
    mask = (1 << 8 * size) - 1
    r.v, r.m = r.v & mask, r.m & mask
    if r.umin & ~mask == r.umax & ~mask:
        r.umin, r.umax = r.umin & mask, r.umax & mask
    else:
        r.umin, r.umax = 0, mask
    r.smin, r.smax = r.umin, r.umax
    if size >= 4:
        r.tmin, r.tmax = max(r.tmin, S32_MIN), min(r.tmax, S32_MAX)
        sync(r, single)
        return
    r.wmin, r.wmax, r.tmin, r.tmax = 0, U32, S32_MIN, S32_MAX
    sync(r, single)


def sign_extend(r: Reg, size: int, single: bool) -> None:
    """The low `size` bytes, with their sign in all 64 bits (coerce_reg_to_size_sx)."""
    bits = 8 * size
    half, full = 1 << bits - 1, (1 << bits) - 1

    def extend(value: int) -> int:
        value &= full
        return value - (1 << bits) if value & half else value

    if not r.m:
        set_known(r, extend(r.v) & U64)
        return
    low, high = -half, half - 1
    if r.smin >> bits == r.smax >> bits:
        first, last = extend(r.smin), extend(r.smax)
        if (first >= 0) == (last >= 0):
            low, high = min(first, last), max(first, last)
    r.smin, r.smax, r.umin, r.umax = low, high, low & U64, high & U64
    r.tmin, r.tmax, r.wmin, r.wmax = s32(low), s32(high), low & U32, high & U32
    if low < 0 <= high:
        r.umin, r.umax, r.wmin, r.wmax = 0, U64, 0, U32
    r.v, r.m = tnum.between(r.umin, r.umax)
    sync(r, single)


def sign_extend32(r: Reg, size: int) -> None:
    """The same within the low half; the upper half is not looked at (coerce_subreg_to_size_sx)."""
    bits = 8 * size
    half, full = 1 << bits - 1, (1 << bits) - 1
    low, high = -half, half - 1
    if not r.m:
        low = high = (r.v & full) - (1 << bits if r.v & half else 0)
    elif r.tmin >> bits == r.tmax >> bits:
        first, last = ((x & full) - (1 << bits if x & half else 0) for x in (r.tmin, r.tmax))
        if (first >= 0) == (last >= 0):
            low, high = min(first, last), max(first, last)
    r.tmin, r.tmax = low, high
    r.wmin, r.wmax = (low & U32, high & U32) if low >= 0 or high < 0 else (0, U32)
    v, m = tnum.between(r.wmin, r.wmax)
    r.v, r.m = r.v & HIGH | v, r.m & HIGH | m


def change_order(r: Reg, operation: str, single: bool) -> None:
    """The order of bytes of a number as "be16", "le32" and "bswap64" change it on a machine that
    begins with the lowest; only the bytes that are named are left (scalar_byte_swap)."""
    size = int(operation[-2:]) // 8
    if not operation.startswith("le"):
        r.v, r.m = tnum.swap(r.v, r.m, size)
        unbounded(r)
    if size < 8:
        truncate(r, size, single)
    sync(r, single)


# --- operations ----------------------------------------------------------------------------------


def _add_ranges(low: int, high: int, a: int, b: int, first: int, last: int) -> tuple[int, int]:
    """[low, high] + [a, b] as signed numbers between `first` and `last`."""
    low, high = low + a, high + b
    return (low, high) if first <= low and high <= last else (first, last)


def _wrapping(low: int, high: int, full: int) -> tuple[int, int]:
    """An unsigned range that was left at neither end, or at both at the same side."""
    if low < 0 <= high or low <= full < high:
        return 0, full
    return low & full, high & full


def add(r: Reg, s: Reg) -> None:
    """r += s, both widths."""
    r.tmin, r.tmax = _add_ranges(r.tmin, r.tmax, s.tmin, s.tmax, S32_MIN, S32_MAX)
    r.smin, r.smax = _add_ranges(r.smin, r.smax, s.smin, s.smax, S64_MIN, S64_MAX)
    r.wmin, r.wmax = _wrapping(r.wmin + s.wmin, r.wmax + s.wmax, U32)
    r.umin, r.umax = _wrapping(r.umin + s.umin, r.umax + s.umax, U64)
    r.v, r.m = tnum.add(r.v, r.m, s.v, s.m)


def sub(r: Reg, s: Reg) -> None:
    """r -= s, both widths."""
    r.tmin, r.tmax = _add_ranges(r.tmin, r.tmax, -s.tmax, -s.tmin, S32_MIN, S32_MAX)
    r.smin, r.smax = _add_ranges(r.smin, r.smax, -s.smax, -s.smin, S64_MIN, S64_MAX)
    r.wmin, r.wmax = _wrapping(r.wmin - s.wmax, r.wmax - s.wmin, U32)
    r.umin, r.umax = _wrapping(r.umin - s.umax, r.umax - s.umin, U64)
    r.v, r.m = tnum.sub(r.v, r.m, s.v, s.m)


def _products(a: int, b: int, c: int, d: int, first: int, last: int) -> tuple[int, int]:
    found = (a * c, a * d, b * c, b * d)
    low, high = min(found), max(found)
    return (low, high) if first <= low and high <= last else (first, last)


def mul(r: Reg, s: Reg) -> None:
    """r *= s, both widths."""
    r.v, r.m = tnum.mul(r.v, r.m, s.v, s.m)
    r.tmin, r.tmax = _products(r.tmin, r.tmax, s.tmin, s.tmax, S32_MIN, S32_MAX)
    r.smin, r.smax = _products(r.smin, r.smax, s.smin, s.smax, S64_MIN, S64_MAX)
    high = r.wmax * s.wmax
    r.wmin, r.wmax = (r.wmin * s.wmin, high) if high <= U32 else (0, U32)
    high = r.umax * s.umax
    r.umin, r.umax = (r.umin * s.umin, high) if high <= U64 else (0, U64)


def forget_wrapped(r: Reg, a: Reg, b: Reg, operation: str) -> None:
    """Before 6.16 unsigned sums that may wrap were unknown, and so were products of numbers that
    may be negative or have more than half of the bits."""
    if operation == "mul":
        if min(a.smin, b.smin) < 0 or max(a.umax, b.umax) > U32:
            r.umin, r.umax, r.smin, r.smax = 0, U64, S64_MIN, S64_MAX
        if min(a.tmin, b.tmin) < 0 or max(a.wmax, b.wmax) > 0xFFFF:
            r.wmin, r.wmax, r.tmin, r.tmax = 0, U32, S32_MIN, S32_MAX
    elif operation in ("add", "sub"):
        plus = operation == "add"
        if a.umax + b.umax > U64 if plus else a.umin < b.umax:
            r.umin, r.umax = 0, U64
        if a.wmax + b.wmax > U32 if plus else a.wmin < b.wmax:
            r.wmin, r.wmax = 0, U32


def _bitwise_signs(r: Reg) -> None:
    """After a bitwise operation the signed ranges are the unsigned ones, if these keep a sign."""
    low, high = s32(r.wmin), s32(r.wmax)
    r.tmin, r.tmax = (low, high) if low <= high else (S32_MIN, S32_MAX)
    low, high = s64(r.umin), s64(r.umax)
    r.smin, r.smax = (low, high) if low <= high else (S64_MIN, S64_MAX)


def and_(r: Reg, s: Reg) -> None:
    """r &= s, both widths."""
    v, _ = r.v, r.m = tnum.and_(r.v, r.m, s.v, s.m)
    r.wmin, r.wmax = v & U32, min(r.wmax, s.wmax)
    r.umin, r.umax = v, min(r.umax, s.umax)
    _bitwise_signs(r)


def or_(r: Reg, s: Reg) -> None:
    """r |= s, both widths."""
    v, m = r.v, r.m = tnum.or_(r.v, r.m, s.v, s.m)
    r.wmin, r.wmax = max(r.wmin, s.wmin), (v | m) & U32
    r.umin, r.umax = max(r.umin, s.umin), v | m
    _bitwise_signs(r)


def xor(r: Reg, s: Reg) -> None:
    """r ^= s, both widths."""
    v, m = r.v, r.m = tnum.xor(r.v, r.m, s.v, s.m)
    r.wmin, r.wmax = v & U32, (v | m) & U32
    r.umin, r.umax = v, v | m
    _bitwise_signs(r)


# Shifts are computed for constant counts below the width only (`computable`).


def lsh32(r: Reg, s: Reg) -> None:
    """w <<= s."""
    count = s.wmin
    _shift_low_ranges(r, count)
    r.v, r.m = (r.v & U32) << count & U32, (r.m & U32) << count & U32


def _shift_low_ranges(r: Reg, count: int) -> None:
    r.tmin, r.tmax = S32_MIN, S32_MAX
    if count > 31 or r.wmax > 1 << 31 - count:
        r.wmin, r.wmax = 0, U32
    else:
        r.wmin, r.wmax = r.wmin << count, r.wmax << count


def lsh64(r: Reg, s: Reg) -> None:
    """r <<= s."""
    count = s.umin
    if count == 32:  # compilers extend the sign by << 32, s>> 32
        r.smin, r.smax = r.tmin << 32, r.tmax << 32
    else:
        r.smin, r.smax = S64_MIN, S64_MAX
    if r.umax > 1 << 63 - count:
        r.umin, r.umax = 0, U64
    else:
        r.umin, r.umax = r.umin << count, r.umax << count
    _shift_low_ranges(r, count)
    r.v, r.m = r.v << count & U64, r.m << count & U64


def rsh32(r: Reg, s: Reg) -> None:
    """w >>= s."""
    count = s.wmin
    r.v, r.m = (r.v & U32) >> count, (r.m & U32) >> count
    r.tmin, r.tmax = S32_MIN, S32_MAX
    r.wmin, r.wmax = r.wmin >> count, r.wmax >> count


def rsh64(r: Reg, s: Reg) -> None:
    """r >>= s."""
    count = s.umin
    r.v, r.m = r.v >> count, r.m >> count
    r.smin, r.smax = S64_MIN, S64_MAX
    r.umin, r.umax = r.umin >> count, r.umax >> count
    r.wmin, r.wmax, r.tmin, r.tmax = 0, U32, S32_MIN, S32_MAX


def arsh32(r: Reg, s: Reg) -> None:
    """w s>>= s."""
    count = s.wmin
    r.tmin, r.tmax = r.tmin >> count, r.tmax >> count
    r.v, r.m = tnum.arsh(r.v, r.m, count, 32)
    r.wmin, r.wmax = 0, U32


def arsh64(r: Reg, s: Reg) -> None:
    """r s>>= s."""
    count = s.umin
    r.smin, r.smax = r.smin >> count, r.smax >> count
    r.v, r.m = tnum.arsh(r.v, r.m, count, 64)
    r.umin, r.umax = 0, U64
    r.wmin, r.wmax, r.tmin, r.tmax = 0, U32, S32_MIN, S32_MAX


def neg(r: Reg, _: Reg) -> None:
    """r = -r (ranges are followed since 6.17)."""
    before = r.copy()
    set_known(r, 0)
    sub(r, before)


_BOTH: dict[str, Op] = {
    "add": add, "sub": sub, "mul": mul, "and": and_, "or": or_, "xor": xor, "neg": neg,
}  # fmt: skip
OPS: dict[int, dict[str, Op]] = {
    64: {**_BOTH, "lsh": lsh64, "rsh": rsh64, "arsh": arsh64},
    32: {**_BOTH, "lsh": lsh32, "rsh": rsh32, "arsh": arsh32},
}
"""OPS[width][operation](r, s): the operations of which something is known of the result."""

SHIFTS = frozenset(("lsh", "rsh", "arsh"))


def computable(operation: str, s: Reg, bits: int) -> bool:
    """Whether anything can be said of the result (is_safe_to_compute_dst_reg_range)."""
    if operation not in SHIFTS:
        return operation in _BOTH
    if bits == 32:
        constant = not s.m & U32 and s.tmin == s.tmax and s.wmin == s.wmax
    else:
        constant = not s.m and s.smin == s.smax and s.umin == s.umax
    return constant and s.umax < bits
