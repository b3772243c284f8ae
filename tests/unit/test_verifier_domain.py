"""The verifier's numbers: every result that is possible is among those that are said to be."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebee.isa.semantics import ALU, JUMP
from ebee.verifier.core import scalar, tnum
from ebee.verifier.core.jump import REVERSED, outcome, refine
from ebee.verifier.core.reg import Reg, known
from ebee.verifier.core.reg import scalar as anything
from ebee.verifier.core.scalar import s32, s64
from ebee.verifier.core.tnum import U32, U64

pytestmark = pytest.mark.unit

BINARY = {"add": tnum.add, "sub": tnum.sub, "and": tnum.and_, "or": tnum.or_, "xor": tnum.xor,
          "mul": tnum.mul, "mul_wide": tnum.mul_wide}  # fmt: skip
EDGES = (0, 1, 2, 7, 8, 0x7F, 0x80, 0xFF, 0x7FFF_FFFF, 0x8000_0000, U32, U32 + 1, 1 << 63,
         (1 << 63) - 1, U64, U64 - 1, U64 ^ U32, 0xFFFF_FFFF_8000_0000)  # fmt: skip
values = st.one_of(st.sampled_from(EDGES), st.integers(0, U64), st.integers(0, 300))


def all_tnums(bits):
    return [(v, m) for v in range(1 << bits) for m in range(1 << bits) if not v & m]


def members(v, m):
    found, sub = [v], m
    while sub:
        found.append(v | sub)
        sub = sub - 1 & m
    return found


def holds(r: Reg, value: int) -> bool:
    low = value & U32
    return (
        not (value ^ r.v) & ~r.m
        and r.umin <= value <= r.umax
        and r.smin <= s64(value) <= r.smax
        and r.wmin <= low <= r.wmax
        and r.tmin <= s32(low) <= r.tmax
    )


@st.composite
def scalars(draw):
    """A value, and a register that may hold it (among others)."""
    value, r = draw(values), anything()
    mask = draw(st.one_of(st.just(0), st.just(U64), st.integers(0, U64), st.just(0xFF)))
    r.v, r.m = value & ~mask, mask
    if draw(st.booleans()):
        spread = draw(st.sampled_from((0, 1, 8, 1000, 1 << 31, 1 << 40)))
        r.umin, r.umax = max(value - spread, 0), min(value + spread, U64)
    if draw(st.booleans()):
        spread = draw(st.sampled_from((0, 1, 8, 1000, 1 << 20)))
        low = s32(value)
        r.tmin, r.tmax = max(low - spread, -(1 << 31)), min(low + spread, (1 << 31) - 1)
    scalar.sync(r, draw(st.booleans()))
    return value, r


@pytest.mark.parametrize("name", BINARY)
def test_tnums_of_three_bits_contain_every_result(name):
    real = ALU[64][name.removesuffix("_wide")]
    for a in all_tnums(3):
        for b in all_tnums(3):
            v, m = BINARY[name](*a, *b)
            assert not v & m
            for x in members(*a):
                for y in members(*b):
                    assert not (real(x, y) ^ v) & ~m, (name, a, b, x, y)


def test_tnum_of_a_range_contains_it():
    for low in range(64):
        for high in range(low, 64):
            v, m = tnum.between(low, high)
            assert all(not (x ^ v) & ~m for x in range(low, high + 1))


def test_tnums_know_when_they_overlap_and_what_is_in_both():
    for a in all_tnums(3):
        for b in all_tnums(3):
            common = set(members(*a)) & set(members(*b))
            assert tnum.overlap(*a, *b) == bool(common)
            assert tnum.contains(*a, *b) == (set(members(*b)) <= set(members(*a)))
            if common:
                assert set(members(*tnum.intersect(*a, *b))) == common
            assert set(members(*a)) | set(members(*b)) <= set(members(*tnum.union(*a, *b)))


def test_the_next_member_of_a_tnum_is_the_smallest_above_a_number():
    for each in all_tnums(5):
        inside = sorted(members(*each))
        for number in range(40):
            above = [x for x in inside if x > number]
            assert tnum.step(*each, number) == (above[0] if above else inside[-1])


def test_a_single_value_of_tnum_and_range_is_found_wherever_it_is():
    for each in all_tnums(4):
        for low in range(16):
            for high in range(low, 16):
                common = [x for x in members(*each) if low <= x <= high]
                for single in (False, True):
                    r = anything()
                    (r.v, r.m), r.umin, r.umax = each, low, high
                    scalar.sync(r, single)
                    assert all(holds(r, x) for x in common)
                    assert not single or len(common) != 1 or (r.m == 0 and r.v == common[0])


@given(scalars())
def test_deductions_keep_the_value(pair):
    value, r = pair
    assert holds(r, value)
    assert scalar.consistent(r)


@settings(max_examples=1500)
@given(scalars(), scalars(), st.sampled_from(sorted(scalar.OPS[64])), st.sampled_from((32, 64)),
       st.booleans())  # fmt: skip
def test_arithmetic_keeps_the_result(first, second, name, bits, single):
    (x, a), (y, b) = first, second
    if name in scalar.SHIFTS:
        y %= bits
        b = known(y)
    made = a.copy()
    if not scalar.computable(name, b, bits):
        return
    scalar.OPS[bits][name](made, b)
    if bits == 32:
        scalar.zext32(made, single)
    scalar.sync(made, single)
    assert holds(made, ALU[bits][name](x, y)), (name, bits, x, y)


@given(scalars(), st.sampled_from(("le", "be", "bswap")), st.sampled_from((16, 32, 64)),
       st.booleans())  # fmt: skip
def test_other_orders_of_bytes_keep_the_value(pair, order, bits, single):
    value, r = pair
    scalar.change_order(r, f"{order}{bits}", single)
    low = (value & (1 << bits) - 1).to_bytes(bits // 8, "little")
    assert holds(r, int.from_bytes(low, "little" if order == "le" else "big"))


@settings(max_examples=600)
@given(scalars(), st.sampled_from((1, 2, 4)), st.booleans())
def test_changes_of_width_keep_the_value(pair, size, single):
    value, r = pair
    cut, extended, low = r.copy(), r.copy(), r.copy()
    scalar.truncate(cut, size, single)
    assert holds(cut, value & (1 << 8 * size) - 1)
    scalar.sign_extend(extended, size, single)
    assert holds(extended, ALU[64][f"movsx{8 * size}"](0, value))
    if size < 4:
        scalar.sign_extend32(low, size)
        scalar.zext32(low, single)
        assert holds(low, ALU[32][f"movsx{8 * size}"](0, value))


@settings(max_examples=1500)
@given(scalars(), scalars(), st.sampled_from(sorted(REVERSED)), st.sampled_from((32, 64)),
       st.booleans())  # fmt: skip
def test_comparisons_are_decided_and_teach_only_what_is_true(first, second, name, bits, single):
    (x, a), (y, b) = first, second
    truth = JUMP[bits][name](x, y)
    decided = outcome(a, b, name, bits)
    assert decided is None or decided == truth
    p, q = a.copy(), b.copy()
    refine(p, q, name if truth else REVERSED[name], bits)
    for r in (p, q):
        scalar.sync(r, single)
        scalar.settle(r)
    assert holds(p, x), (name, bits, x, y)
    assert holds(q, y), (name, bits, x, y)


def test_small_ranges_contain_every_sum_and_product():
    """All ranges of numbers below 6, all members: what ranges say, not only what tnums say."""
    rng = random.Random(1)
    pairs = [(low, high) for low in range(6) for high in range(low, 6)]
    for name in ("add", "sub", "mul", "and", "or", "xor"):
        for low, high in pairs:
            for first, last in rng.sample(pairs, 8):
                a, b = anything(), anything()
                a.umin, a.umax, b.umin, b.umax = low, high, first, last
                scalar.sync(a, True)
                scalar.sync(b, True)
                scalar.OPS[64][name](a, b)
                scalar.sync(a, True)
                for x in range(low, high + 1):
                    for y in range(first, last + 1):
                        assert holds(a, ALU[64][name](x, y)), (name, x, y)
