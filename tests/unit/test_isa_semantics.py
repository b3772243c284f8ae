"""The corners of arithmetic, as RFC 9669 has them (the kernel confirms the rest)."""

import pytest

from ebee.isa import FORMS
from ebee.isa.semantics import ALU, ATOMIC, JUMP, compare_exchange, signed_immediate

pytestmark = pytest.mark.unit

M1, MIN64, MIN32 = (1 << 64) - 1, 1 << 63, 1 << 31


@pytest.mark.parametrize(
    ("width", "operation", "dst", "src", "result"),
    [
        (64, "add", M1, 2, 1),
        (32, "add", 0xFFFFFFFF, 2, 1),
        (32, "sub", M1, 0, 0xFFFFFFFF),
        (64, "mul", M1, M1, 1),
        (64, "div", 7, 0, 0),
        (32, "div", 7 | 1 << 40, 1 << 40, 0),
        (64, "mod", M1, 0, M1),
        (32, "mod", M1, 0, 0xFFFFFFFF),
        (64, "sdiv", MIN64, M1, MIN64),
        (32, "sdiv", MIN32, 0xFFFFFFFF, MIN32),
        (64, "sdiv", M1 - 6, 2, M1 - 2),
        (64, "sdiv", 5, 0, 0),
        (64, "smod", M1 - 6, 2, M1),
        (64, "smod", 7, M1 - 1, 1),
        (64, "smod", MIN64, M1, 0),
        (32, "smod", M1, 0, 0xFFFFFFFF),
        (64, "lsh", 1, 65, 2),
        (32, "lsh", 1, 33, 2),
        (64, "rsh", M1, 63, 1),
        (64, "arsh", MIN64, 63, M1),
        (32, "arsh", MIN32, 31, 0xFFFFFFFF),
        (32, "neg", 1, 0, 0xFFFFFFFF),
        (64, "neg", MIN64, 0, MIN64),
        (32, "mov", 0, M1, 0xFFFFFFFF),
        (64, "movsx8", 0, 0x80, M1 - 0x7F),
        (32, "movsx16", 0, 0x8000, 0xFFFF8000),
        (64, "movsx32", 0, MIN32, M1 - MIN32 + 1),
        (64, "le16", 0x123456, 0, 0x3456),
        (64, "be16", 0x123456, 0, 0x5634),
        (64, "be32", 0x0102030405, 0, 0x05040302),
        (64, "bswap64", 0x01, 0, 1 << 56),
    ],
)
def test_arithmetic(width: int, operation: str, dst: int, src: int, result: int) -> None:
    assert ALU[width][operation](dst, src) == result


@pytest.mark.parametrize(
    ("width", "operation", "dst", "src", "taken"),
    [
        (64, "jgt", M1, 1, True),
        (64, "jsgt", M1, 1, False),
        (32, "jeq", 1 << 32, 0, True),
        (64, "jeq", 1 << 32, 0, False),
        (32, "jslt", MIN32, 0, True),
        (64, "jslt", MIN32, 0, False),
        (32, "jset", 1 << 32, 1 << 32, False),
        (64, "jle", 5, 5, True),
    ],
)
def test_comparisons(width: int, operation: str, dst: int, src: int, taken: bool) -> None:
    assert JUMP[width][operation](dst, src) is taken


def test_immediates_extend_their_sign() -> None:
    assert signed_immediate(-1) == M1
    assert JUMP[64]["jeq"](M1, signed_immediate(-1))


def test_atomics() -> None:
    assert ATOMIC[32]["fetch_add"](0xFFFFFFFF, 1) == 0
    assert ATOMIC[64]["xchg"](1, 2) == 2
    assert compare_exchange(5, 5, 9, 64) == 9
    assert compare_exchange(5, 6, 9, 64) == 5
    assert compare_exchange(5, 5 | 1 << 40, 9, 32) == 9


def test_every_operation_of_the_table_has_a_meaning() -> None:
    elsewhere = {"addr_space_cast", "mov_percpu", "ja", "gotox", "may_goto", "cmpxchg"}
    elsewhere |= {"load_acquire", "store_release"}
    tables = {"alu": ALU, "jump": JUMP, "atomic": ATOMIC}
    for form in FORMS:
        if form.kind in tables and form.operation not in elsewhere:
            assert form.operation in tables[form.kind][form.width]
