"""Constants that fit nowhere are refused; those that Python and C would both take are kept."""

import pytest

from ebee.errors import CompileError
from ebee.lang.bpf import build
from ebee.lang.source import define

pytestmark = pytest.mark.unit

HEAD = """
from ebee import *

count: Global[u8] = 0
table = Hash[u8, u16](max_entries=4)


@struct
class S:
    x: u8
    low: bits[u8, 4]
    rest: bits[u8, 4]
    many: array[u8, 4]
    net: be16


@func
def narrow(a: u8 = {default}) -> u8:
    return a


@func
def big() -> u32:
    return {result}


@xdp
def prog(ctx: XdpContext) -> {returns}:
    global count
    s = S()
    a = u8(ctx.rx_queue_index)
{body}
    return {verdict}
"""


def compiled(body="pass", **given):
    given = {"default": 0, "result": 0, "returns": "XDP", "verdict": "XDP.PASS"} | given
    lines = "".join(f"    {line}\n" for line in body.split("\n"))
    return build.compile(define(HEAD.format(body=lines, **given))["prog"])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("s.x = 256", "the value is 256, which does not fit u8"),
        ("s.x = -129", "which does not fit u8"),
        ("s = S(x=300)", "which does not fit u8"),
        ("s.low = 16", "which does not fit 4 bits"),
        ("s.many[a & 3] = 256", "which does not fit u8"),
        ("s.net = 65536", "which does not fit u16"),
        ("count = 256", "which does not fit u8"),
        ("table[256] = 1", "a key of `table` is a `u8`, and 256 may not fit"),
        ("table[1] = 65536", "a value of `table` is a `u16`, and 65536 may not fit"),
        ("table[1] = u16(table.get(1, 65536))", "the default is 65536, which does not fit u16"),
        ("narrow(256)", "argument `a` is 256, which does not fit u8"),
        ("narrow(256 if a > 3 else 1)", "argument `a` is 256"),
        ("s.x = a // 256", "`//` of a `u8` and 256, which is none"),
        ("a %= -3", "`%` of a `u8` and -3, which is none"),
        ("bpf.redirect(1 << 32, 0)", "which does not fit u32"),
        ("for i in range(3):\n    s.x = 256 + i", "the value is 256..258"),
    ],
)
def test_what_no_place_holds_is_refused(body, message):
    with pytest.raises(CompileError, match=message):
        compiled(body)


@pytest.mark.parametrize(
    "given",
    [
        {"body": "s.x = narrow()", "default": 256},
        {"body": "s.x = u8(big())", "result": 99999999999},
        {"verdict": "99999999999"},
        {"verdict": "99999999999", "returns": "int"},
        {"verdict": "99999999999", "returns": "u32"},
        {"body": "raise Exit(1 << 32)"},
    ],
)
def test_results_and_defaults_are_looked_at(given):
    with pytest.raises(CompileError, match=r"which does not fit|is no result"):
        compiled(**given)


@pytest.mark.parametrize(
    "body",
    [
        "s.x = -1", "s.x = 255", "s.x = -128", "s.x = u8(256)", "s.low = 15", "s.low = -8",
        "s.x = a + 300", "s.x = a & 0xF0F", "s.x = a << 9", "s.net = 0xFFFF", "count = -1",
        "if a < 300:\n    s.x = 1", "match a:\n    case 300:\n        s.x = 1",
        "s.x = 1 if a in (5, 300) else 2", "s.x = i64(a) // 300",
    ],
)  # fmt: skip
def test_what_is_meant_is_taken(body):
    compiled(body)


def test_members_have_no_first_values_but_zero():
    text = "from ebee import *\n\n@struct\nclass S:\n    a: u32 = 0\n    b: u32 = {}\n"
    assert define(text.format(0))["S"]().b == 0
    with pytest.raises(TypeError, match=r"S\.b: members begin at 0; S\(b=3\)"):
        define(text.format(3))
