"""Enumerations as types, and their members as numbers, mean what they mean in Python."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from threeway import ThreeWay

from ebee.errors import CompileError
from ebee.lang.bpf import build
from ebee.lang.source import define
from ebee.machine.machine import Machine

pytestmark = pytest.mark.differential

HEAD = """
from enum import IntEnum, IntFlag

class Kind(IntEnum):
    A = 1
    B = 2
    FAR = 200

class Bits(IntFlag):
    LOW = 2
    HIGH = 16

KINDS = (Kind.A, Kind.FAR)

@func
def same(v: XDP) -> XDP:
    return v

@func
def plus(v: int, a: u8) -> u32:
    return u32(v + a)

"""
BODIES = [
    "return u32(XDP(a & 3))",
    "return u32(XDP(2)) + a",
    "return u32(Kind(1 + (a & 1))) if a else Kind(200 if a else 1)",
    "v: XDP = XDP.PASS\n    if a > 3:\n        v = XDP(a & 1)\n    return u32(same(v))",
    "k: Kind = Kind.FAR if a > 100 else Kind.A\n    return k + 300",
    "return a & ~Bits.LOW",
    "return a & ~(Bits.LOW | Bits.HIGH) ^ Bits.HIGH",
    "return (Bits.LOW | a) + 300",
    "return u32(a + Kind.FAR) + (a | Bits.LOW)",
    "return Kind.FAR + a",
    "k = a\n    k |= Bits.LOW\n    return u32(~k)",
    "return (Bits.LOW ^ Bits.HIGH) * a",
    "k = Kind.FAR\n    return k + a",
    "k: Kind = Kind.FAR if a > 100 else Kind.A\n    return k + a",
    "k = Bits.LOW | Bits.HIGH\n    return k * a",
    "k, j = Kind.FAR, 200\n    return (k + a) + u32(j + a)",
    "t = u32(0)\n    for k in KINDS:\n        t += u32(k + a)\n    return t",
    "n, k = 0, Kind.FAR\n    while n < 3:\n        n += 1\n"
    "        k = Kind.A if a > 9 else Kind.FAR\n    return u32(n + a) + u32(int(k) + a)",
    "return plus(Kind.FAR, a) + plus(200, a)",
    "return Kind(200) + a",
    "return (Kind.FAR if a else Kind.A) + a",
    "return (k := Kind.FAR) + a + u32(k)",
    "k = Kind.FAR\n    j = k\n    return u32(j + a) + u32(int(j) + a)",
    "return max(Kind.FAR, Kind.A) + a",
    "return (KINDS[1] - a) & 0xffff",
]


@pytest.mark.parametrize("body", BODIES)
def test_members_mean_what_they_mean_in_python(body):
    with ThreeWay(f"{HEAD}@func\ndef f(a: u8) -> u32:\n    {body}\n", "f") as way:
        way.check([(v,) for v in (0, 1, 2, 4, 18, 100, 200, 255)])


PROGRAM = """
from ebee import *

@xdp
def prog(ctx: XdpContext) -> XDP:
    return XDP(ctx.packet().remaining())
"""


def test_a_number_of_no_member_ends_the_program():
    spec = build.compile(define(PROGRAM)["prog"])
    with Machine() as machine:
        run = machine.load(spec).programs["prog"].test_run
        assert [run(bytes(n)).retval for n in (14, 60)] == [0, 0]
    assert build.compile(define(PROGRAM.replace("remaining()", "remaining() & 3"))["prog"])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return u32(XDP(77))", "77 is no `XDP`"),
        ("return u32(Kind(a & 0))", "0 is no `Kind`"),
        ("return u32(Bits(a))", "flags of a number are that number"),
        ("k = Bits.LOW\n    return a & ~k", "`~` of `k`, which has flags"),
        ("return Bits.LOW | i8(a)", "flags with a number that may be negative"),
        ("k = Kind.A if a else 5\n    return u32(k + a)", "`k` may be a member of an enumeration"),
        (
            "k = 5\n    for _ in range(3):\n        if u32(k + a) > 3:\n            k = Kind.A\n"
            "    return u32(k)",
            "`k` may be a member of an enumeration",
        ),
    ],
)
def test_what_python_would_not_do_is_refused(body, message):
    text = f"from ebee import *\n{HEAD}@func\ndef f(a: u8) -> u32:\n    {body}\n"
    text += "\n\n@xdp\ndef prog(ctx: XdpContext) -> u32:\n    return f(u8(ctx.rx_queue_index))\n"
    with pytest.raises(CompileError, match=message):
        build.compile(define(text)["prog"])
