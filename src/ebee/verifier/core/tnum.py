"""Tristate numbers: 64-bit values of which each bit is 0, 1 or unknown (kernel/bpf/tnum.c).

A tnum is a pair of ints: the bits known to be 1, and the unknown ones. No bit is in both.
"""

from __future__ import annotations

from functools import lru_cache

U32 = 0xFFFF_FFFF
U64 = 0xFFFF_FFFF_FFFF_FFFF

Tnum = tuple[int, int]
UNKNOWN: Tnum = (0, U64)


def between(low: int, high: int) -> Tnum:
    """The smallest tnum with all of the unsigned range."""
    bits = (low ^ high).bit_length()
    if bits > 63:
        return UNKNOWN
    delta = (1 << bits) - 1
    return low & ~delta, delta


def add(av: int, am: int, bv: int, bm: int) -> Tnum:
    """a + b."""
    low, masks = av + bv, am + bm
    unknown = ((low + masks) ^ low) | am | bm
    return low & ~unknown & U64, unknown & U64


def sub(av: int, am: int, bv: int, bm: int) -> Tnum:
    """a - b."""
    difference = av - bv
    unknown = ((difference + am) ^ (difference - bm)) | am | bm
    return difference & ~unknown & U64, unknown & U64


def and_(av: int, am: int, bv: int, bm: int) -> Tnum:
    """a & b."""
    v = av & bv
    return v, (av | am) & (bv | bm) & ~v


def or_(av: int, am: int, bv: int, bm: int) -> Tnum:
    """a | b."""
    v = av | bv
    return v, (am | bm) & ~v


def xor(av: int, am: int, bv: int, bm: int) -> Tnum:
    """a ^ b."""
    unknown = am | bm
    return (av ^ bv) & ~unknown, unknown


@lru_cache(1 << 12)
def mul(av: int, am: int, bv: int, bm: int) -> Tnum:
    """a * b, by partial products of which the uncertain ones are joined (since 6.18)."""
    if not am and not bm:
        return av * bv & U64, 0
    rv, rm = 0, 0
    while av or am:
        if (av | am) & 1:
            low, masks = rv + bv, rm + bm  # the sum, as `add` has it
            unknown = ((low + masks) ^ low) | rm | bm
            low, unknown = low & ~unknown & U64, unknown & U64
            if not av & 1:  # or no sum
                unknown |= (rv ^ low) | rm
                low &= rv & ~unknown
            rv, rm = low, unknown
        av, am = av >> 1, am >> 1
        bv, bm = bv << 1 & U64, bm << 1 & U64
    return rv, rm


@lru_cache(1 << 12)
def mul_wide(av: int, am: int, bv: int, bm: int) -> Tnum:
    """a * b, as before 6.18: values and uncertainty apart."""
    if not am and not bm:
        return av * bv & U64, 0
    product, rv, rm = av * bv & U64, 0, 0
    while av or am:
        if av & 1:
            rv, rm = add(rv, rm, 0, bm)
        elif am & 1:
            rv, rm = add(rv, rm, 0, bv | bm)
        av, am = av >> 1, am >> 1
        bv, bm = bv << 1 & U64, bm << 1 & U64
    return add(product, 0, rv, rm)


def union(av: int, am: int, bv: int, bm: int) -> Tnum:
    """What may be a or b."""
    unknown = (av ^ bv) | am | bm
    return av & bv & ~unknown, unknown


def intersect(av: int, am: int, bv: int, bm: int) -> Tnum:
    """What is both a and b, if anything is."""
    unknown = am & bm
    return (av | bv) & ~unknown, unknown


def overlap(av: int, am: int, bv: int, bm: int) -> bool:
    """Whether a value may be both."""
    return not (av ^ bv) & ~(am | bm)


def contains(av: int, am: int, bv: int, bm: int) -> bool:
    """Whether every value of b is one of a."""
    return not bm & ~am and av == bv & ~am


def step(v: int, m: int, number: int) -> int:
    """The smallest member above a number; where there is none, the largest."""
    if number < v:
        return v
    if number >= v | m:
        return v | m
    rest = number + 1 - v
    unlike = rest & ~m
    if not unlike:  # members are v plus any of the mask's bits
        return v | rest
    below = (1 << unlike.bit_length()) - 1
    return v | ((rest | ~m | below) + 1) & m


def swap(v: int, m: int, size: int) -> Tnum:
    """The low `size` bytes in the other order; of the others nothing is left."""
    full = (1 << 8 * size) - 1
    low, masks = (v & full).to_bytes(size, "little"), (m & full).to_bytes(size, "little")
    return int.from_bytes(low, "big"), int.from_bytes(masks, "big")


def arsh(v: int, m: int, count: int, bits: int) -> Tnum:
    """Shift right with the sign, in a register of 32 or 64 bits."""
    full, sign = (1 << bits) - 1, 1 << bits - 1
    v, m = v & full, m & full
    if v & sign:
        v -= 1 << bits
    if m & sign:
        m -= 1 << bits
    v, m = v >> count & full, m >> count & full
    return v & ~m, m


def text(v: int, m: int) -> str:
    """As the kernel prints it: a constant, or value and mask."""
    if not m:
        return f"{v:#x}" if v else "0"
    return f"({v:#x}; {m:#x})" if v else f"(0x0; {m:#x})"
