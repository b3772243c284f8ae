"""`raise` and `assert` end the program, from wherever they are, with everything given back."""

import os

import pytest

from ebee import linux
from ebee.lang.bpf import build
from ebee.lang.source import define
from ebee.machine.machine import Machine

pytestmark = pytest.mark.differential

TEXT = """
from ebee import *

@struct
class Number:
    n: u32

events = RingBuf[Number](size=4096)

@func
def inner(n: u32) -> u32:
    if n == 3:
        raise Exit(XDP.TX)
    assert n != 4, "four"
    return n + 1

@func(inline=False)
def outer(n: u32) -> u32:
    if n > 10:
        raise ValueError("too big")
    return inner(n) * 2

@func
def pair(n: u32) -> tuple[u32, u32]:
    assert n < 100
    return n, n + 1

@{hook}
def prog(ctx: {context}) -> {result}:
    number = ctx.packet().take(Number)
    if number is None:
        raise Exit(1)
    n = number.n
    with events.reserve() as e:
        if e is not None:
            e.n = n
        assert n != 77
        x = outer(n)
        y, z = pair(n)
    return x + y + z
"""
HOOKS = {"xdp": ("XdpContext", 0), "tc": ("SkbContext", 2)}


@pytest.fixture(params=["machine", "kernel"])
def loaded(request):
    if request.param == "kernel" and os.geteuid():
        pytest.skip("needs root")
    opened = []

    def load(hook, context):
        text = TEXT.format(hook=hook, context=context, result="u32")
        spec = build.compile(define(text)["prog"])
        if request.param == "kernel":
            opened.append(made := linux.load(spec))
            return made
        opened.append(machine := Machine())
        return machine.load(spec)

    yield load
    for thing in opened:
        thing.close()


@pytest.mark.parametrize("hook", HOOKS)
def test_the_program_ends_with_what_was_raised_or_with_its_hooks_word(hook, loaded, request):
    context, wrong = HOOKS[hook]
    if hook == "tc" and "machine" in request.node.name:
        pytest.skip("the machine runs XDP only")
    program = loaded(hook, context).programs["prog"]
    expected = {0: 3, 1: 7, 3: 3, 4: wrong, 5: 23, 10: 43, 11: wrong, 77: wrong}
    for n, result in expected.items():
        frame = n.to_bytes(4, "little") + bytes(60)
        assert program.test_run(frame).retval == result, n
