"""Functions that the verifier checks by their types alone: what they may be, and what they give."""

import os

import pytest

from ebee import linux
from ebee.errors import CompileError
from ebee.lang.bpf import build
from ebee.lang.source import define
from ebee.machine.machine import Machine

pytestmark = pytest.mark.differential

HEAD = """
from collections.abc import Callable

from ebee import *

@struct
class Pair:
    a: u32
    b: u32

table = Hash[u32, Pair](max_entries=4)

@func
def half(a: u64) -> u64:
    return a // 2

@func(separate=True)
"""
WEIGH = """\
def weigh(p: ptr[Pair] | None, by: u32) -> u64:
    if p is None:
        return 7
    p.b += 1
    total = u64(0)
    for i in range(min(by, u32(20))):
        total += p.a * i
    return total

@xdp
def prog(ctx: XdpContext) -> u32:
    table[1] = Pair(a=3, b=4)
    p = table.lookup(1)
    q = Pair(a=5)
    return u32(weigh(p, 4) + weigh(None, 3) * 100 + weigh(q, 3) * 10000) + q.b * 1000000
"""


def test_they_are_global_and_compiled_once():
    spec = build.compile(define(HEAD + WEIGH)["prog"])
    (made,) = spec.functions.values()
    assert (made.name, made.linkage) == ("weigh", "global")
    with Machine() as machine:
        assert machine.load(spec).programs["prog"].test_run(bytes(64)).retval == 1150718
    if os.geteuid() == 0:
        with linux.load(spec) as loaded:
            assert loaded.programs["prog"].test_run(bytes(64)).retval == 1150718


CONSTANTS = """\
def verdict(size: u32) -> u32:
    return 2

@func(separate=True)
def always(size: u32) -> bool:
    return True

@xdp
def prog(ctx: XdpContext) -> XDP:
    verdict(7)
    return verdict(1) if always(2) else XDP.DROP
"""


def test_what_they_give_is_not_known_to_callers():
    """Another program may take their place (freplace): they are called, and asked."""
    spec = build.compile(define(HEAD + CONSTANTS)["prog"])
    assert {f.name: (f.linkage, f.weak) for f in spec.functions.values()} == {
        "verdict": ("global", False), "always": ("global", False)
    }  # fmt: skip
    calls = [ref.symbol for ref in spec.programs["prog"].refs if ref.kind == "call"]
    assert sorted(calls) == ["always", "verdict", "verdict"]
    with Machine() as machine:
        assert machine.load(spec).programs["prog"].test_run(bytes(64)).retval == 2


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("def f(p: Callable[[u64], u64]) -> u64:\n    return u64(p(1))", "takes a function"),
        ("def f(a: u64) -> tuple[u64, u64]:\n    return a, a", "anything|returns a number"),
        ("def f(a: u64) -> u64:\n    assert a > 3\n    return a", "cannot raise"),
    ],
)
def test_what_the_verifier_could_not_check_is_refused(function, message):
    argument = "half" if "Callable" in function else "u64(ctx.rx_queue_index)"
    main = f"\n\n@xdp\ndef prog(ctx: XdpContext) -> u32:\n    f({argument})\n    return 1\n"
    with pytest.raises(CompileError, match=message):
        build.compile(define(HEAD + function + main)["prog"])
