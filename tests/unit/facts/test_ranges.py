"""Ranges hold every number that they stand for: all of them tried, on small widths."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ebee.isa import semantics
from ebee.isa.insn import U64
from ebee.verifier.ranges import (
    FULL,
    NEGATED,
    SWAPPED,
    TRANSFER,
    Linear,
    Range,
    add,
    assume,
    compute,
    evaluate,
    hull,
    restrict,
    truncate,
    view,
    window,
    wrap,
)

pytestmark = pytest.mark.unit

BITS = 4
SIZE = 1 << BITS
RANGES = [(lo, hi) for lo in range(SIZE) for hi in range(lo, SIZE)]


@pytest.fixture(autouse=True, scope="module")
def narrow_registers():
    """The meaning of operations on registers of 4 bits."""
    semantics._MASK[BITS] = SIZE - 1
    yield
    del semantics._MASK[BITS]


@pytest.mark.parametrize("op", sorted(TRANSFER))
def test_a_result_holds_what_each_pair_of_operands_gives(op):
    meaning = semantics._arithmetic(BITS)[op]
    results = [[meaning(a, b) for b in range(SIZE)] for a in range(SIZE)]
    for a, b in product(RANGES, RANGES):
        lo, hi = TRANSFER[op](a, b, BITS)
        got = {results[x][y] for x in range(a[0], a[1] + 1) for y in range(b[0], b[1] + 1)}
        assert all((n - lo) % SIZE <= hi - lo for n in got), (a, b, (lo, hi), got)


@pytest.mark.parametrize("op", ["add", "sub", "neg", "mov", "rsh", "arsh"])
def test_some_results_of_constants_are_constants(op):
    for a, b in product(range(SIZE), range(SIZE)):
        lo, hi = TRANSFER[op]((a, a), (b, b), BITS)
        assert lo == hi


WIDE = [(lo, hi) for lo in range(-SIZE - 3, 2 * SIZE) for hi in range(lo, lo + SIZE + 3, 3)]


@pytest.mark.parametrize("op", sorted(NEGATED))
def test_a_comparison_keeps_all_that_can_make_it_true(op):
    compare = semantics._comparisons(BITS)[op]
    true = [[compare(a, b) for b in range(SIZE)] for a in range(SIZE)]
    for a, b in product(WIDE, RANGES[::3]):
        kept = restrict(op, BITS, a, b)
        for n in range(a[0], a[1] + 1):
            if any(true[n % SIZE][y] for y in range(b[0], b[1] + 1)):
                lo, hi = kept or (1, 0)
                assert lo <= n <= hi, (a, b, kept, n)


def test_a_comparison_with_a_constant_keeps_nothing_else_at_the_ends():
    for op in NEGATED:
        compare = semantics._comparisons(BITS)[op]
        for a, c in product(WIDE, range(SIZE)):
            kept = restrict(op, BITS, a, (c, c))
            if kept is not None and op != "jne":
                assert all(compare(n % SIZE, c) for n in kept), (op, a, c, kept)


def test_swapped_and_negated_comparisons_are_what_they_say():
    for op in NEGATED:
        table = semantics._comparisons(BITS)
        for a, b in product(range(SIZE), range(SIZE)):
            assert table[op](a, b) == table[SWAPPED[op]](b, a) != table[NEGATED[op]](a, b)


def test_views_are_the_low_bits():
    for r in WIDE:
        for signed in (False, True):
            lo, hi = view(r, BITS, signed)
            half = SIZE // 2 if signed else 0
            assert all(lo <= (n + half) % SIZE - half <= hi for n in range(r[0], r[1] + 1))
            at = window(r, BITS, signed)
            assert at is None or (lo, hi) == (r[0] - at, r[1] - at)


# --- expressions ---------------------------------------------------------------------------------

numbers = st.one_of(
    st.integers(-20, 300),
    st.sampled_from([U64, 1 << 63, (1 << 63) - 1, 1 << 32, (1 << 32) - 1, 1 << 31, -(1 << 31)]),
    st.integers(-(1 << 63), U64),
)
factors = st.one_of(st.integers(-16, 16).filter(bool), numbers.map(wrap).filter(bool))


@st.composite
def expressions(draw: st.DrawFn) -> tuple[dict[int, Range], dict[int, int], list[Linear]]:
    """Symbols with their ranges, a value of each, and expressions over them."""
    env, values = {}, {}
    for name in range(draw(st.integers(1, 3))):
        value, below, above = draw(numbers), draw(st.integers(0, 99)), draw(st.integers(0, 99))
        env[name] = draw(st.sampled_from([(value - below, value + above), (value, value)]))
        values[name] = value
    made = []
    for _ in range(2):
        terms = tuple((n, draw(factors)) for n in env if draw(st.booleans()))
        made.append(Linear(wrap(draw(numbers)), terms))
    return env, values, made


def value_of(a: Linear, values: dict[int, int]) -> int:
    return a.const + sum(n * values[s] for s, n in a.terms)


OPERATIONS = [(w, op) for w, table in semantics.ALU.items() for op in table]


@given(expressions(), st.sampled_from(OPERATIONS), st.booleans(), numbers)
def test_arithmetic_gives_the_machines_results(made, operation, constant, number):
    env, values, (a, b) = made
    width, op = operation
    b = Linear(wrap(number)) if constant else b
    got = compute(op, width, a, b, env)
    true = semantics.ALU[width][op](value_of(a, values) & U64, value_of(b, values) & U64) & U64
    if isinstance(got, Linear):
        assert value_of(got, values) & U64 == true
        lo, hi = evaluate(got, env)
        assert lo <= value_of(got, values) <= hi
    else:
        assert (true - got[0]) & U64 <= got[1] - got[0]


@given(expressions(), st.sampled_from(OPERATIONS))
def test_constants_give_constants(made, operation):
    _, _, (a, b) = made
    width, op = operation
    a, b = Linear(a.const), Linear(b.const)
    true = semantics.ALU[width][op](a.const & U64, b.const & U64)
    assert compute(op, width, a, b, {}) == Linear(wrap(true))


@given(expressions(), st.sampled_from([8, 16, 32, 64]), st.booleans())
def test_truncation_is_extension_of_the_low_bits(made, bits, signed):
    env, values, (a, _) = made
    got = truncate(a, env, bits, signed)
    half = 1 << bits - 1 if signed else 0
    true = (value_of(a, values) + half) % (1 << bits) - half
    if isinstance(got, Linear):
        assert (value_of(got, values) - true) & U64 == 0
    else:
        assert got[0] <= true <= got[1]


@given(expressions(), st.sampled_from(sorted(NEGATED)), st.sampled_from([32, 64]))
def test_what_a_comparison_tells_is_true_of_all_symbols(made, op, width):
    env, values, (a, b) = made
    if not semantics.JUMP[width][op](value_of(a, values) & U64, value_of(b, values) & U64):
        op = NEGATED[op]
    for x, y, how in ((a, b, op), (b, a, SWAPPED[op])):
        r = restrict(how, width, evaluate(x, env), evaluate(y, env))
        assert r is not None
        assert assume(x, r, env)
        assert all(env[s][0] <= n <= env[s][1] for s, n in values.items())


@given(expressions(), st.integers(-9, 9))
def test_sums_are_sums(made, factor):
    _, values, (a, b) = made
    total = value_of(add(a, b, factor), values)
    assert (total - value_of(a, values) - factor * value_of(b, values)) & U64 == 0


@given(numbers, st.integers(0, 99), numbers, st.integers(0, 99))
def test_a_hull_covers_both_modulo_2_to_the_64(a, wide, b, far):
    lo, hi = hull((a, a + wide), (b, b + far))
    assert hi - lo <= U64
    for n in (a, a + wide, b, b + far):
        assert (n - lo) & U64 <= hi - lo


def test_a_hull_takes_the_short_way_round():
    assert hull((0, 3), (U64 - 1, U64)) == (-2, 3)
    assert hull((-5, 0), (0, U64)) == FULL
