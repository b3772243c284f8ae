"""Follows the selftest exceptions: `raise` and `assert` end a program from the depth of its
functions, with a result of its choice."""

import pytest

from ebee import ETH_IP, TC, Exit, ProgArray, SkbContext, func, tc, u32, u64

pytestmark = pytest.mark.kernel
SINCE = "5.17"
FOLLOWS = {
    "prog_tests/exceptions.c: test_exceptions_success": 327,
    "progs/exceptions.c: static_func, global2static_simple, global2static, static2global,"
    " exception_throw_always_1, exception_throw_always_2, exception_throw_unwind_1,"
    " exception_throw_unwind_2, exception_throw_default_value, exception_tail_call_target,"
    " exception_tail_call, exception_assert_range, exception_bad_assert_range": 64,
}
FRAME = bytes(12) + b"\x08\x00" + b"\x45" + bytes(45)

jumps = ProgArray(max_entries=4)


@func(inline=False)
def raises(n: u64) -> u64:
    if n:
        raise Exit(32)
    return n


@func(inline=False)
def raises_below(n: u64) -> u64:
    if n == ETH_IP:
        raise Exit(16)
    return raises(n)


@func(inline=False)
def deep(n: u64) -> u64:
    return raises_below(n) + n


@tc
def always(ctx: SkbContext) -> TC:
    raise Exit(64)


@tc
def in_a_function(ctx: SkbContext) -> TC:
    raises(ctx.protocol)
    return 1


@tc
def two_below(ctx: SkbContext) -> TC:
    return u32(deep(u64(ctx.protocol)))


@tc
def three_below(ctx: SkbContext) -> TC:
    return u32(deep(u64(ctx.protocol) - 1))


@tc
def not_at_all(ctx: SkbContext) -> TC:
    return u32(raises(u64(ctx.protocol) - ETH_IP)) + 5


@jumps.entry(0)
@tc
def target(ctx: SkbContext) -> TC:
    raise Exit(24)


@tc
def behind_a_tail_call(ctx: SkbContext) -> TC:
    jumps.call(ctx, 0)
    return 5


@func
def bounded(n: u64, low: u64, high: u64) -> u64:
    assert low <= n <= high, "out of bounds"
    return n


@tc
def asserted(ctx: SkbContext) -> TC:
    bounded(ctx.len, 10, 100)
    return 1


@tc
def asserted_wrongly(ctx: SkbContext) -> TC:
    bounded(ctx.len, 100, 200)
    return 1


@tc
def in_a_loop(ctx: SkbContext) -> TC:
    """Out of a function that the kernel calls again and again."""
    for i in range(200_000):
        if i * 3 == 300_000 + u32(ctx.protocol) - ETH_IP:
            raise Exit(9)
    return 1


@pytest.mark.parametrize(
    ("program", "result"),
    [
        ("always", 64), ("in_a_function", 32), ("two_below", 16), ("three_below", 32),
        ("not_at_all", 5), ("behind_a_tail_call", 24), ("asserted", 1),
        ("asserted_wrongly", TC.SHOT), ("in_a_loop", 9),
    ],
)  # fmt: skip
def test_programs_end(port, program, result):
    assert port().programs[program].test_run(FRAME).retval == result
