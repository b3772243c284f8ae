"""Exceptions of the kernel: `raise Throw(cookie)`, with and without a callback."""

import pytest

from ebee import linux
from ebee.errors import CompileError
from ebee.lang.bpf import build
from ebee.lang.source import define
from ebee.linux.errors import kernel_version
from ebee.verifier import check

pytestmark = pytest.mark.kernel

HEAD = """
from ebee import *
from ebee.lang.bpf.exceptions import Throw, exception_callback

seen: Global[u64] = 0
entries = Hash[u32, u64](max_entries=4)

@func(separate=True)
def failed(cookie: u64) -> u64:
    global seen
    seen = cookie
    return XDP.TX if cookie > 5 else XDP.DROP

@func(inline=False)
def deep(length: u32) -> u32:
    if length > 100:
        raise Throw(length)
    return length + 1

@func(separate=True)
def deeper(length: u32) -> u32:
    return deep(length) * 2

"""
PROGRAM = """
@xdp
def prog(ctx: XdpContext) -> XDP:
    length = u32(ctx.packet().remaining())
    if length == 60:
        raise Throw(XDP.DROP)
    return XDP.PASS if deeper(length) > 10 else XDP.ABORTED
"""


def results(text, lengths):
    spec = build.compile(define(HEAD + text)["prog"])
    if kernel_version()[:2] < (6, 7):
        pytest.skip("since Linux 6.7")
    verdict = check(spec, "prog")
    assert verdict.outcome == "accepted", verdict.message
    with linux.load(spec) as loaded:
        run = loaded.programs["prog"].test_run
        found = [run(bytes(n)).retval for n in lengths]
        return found, loaded.variables["seen"].value if "seen" in loaded.variables else None


def test_without_a_callback_the_cookie_is_the_result():
    assert results(PROGRAM, [60, 64, 200])[0] == [1, 2, 200]


def test_a_callback_is_given_the_cookie_and_gives_the_result():
    text = "@exception_callback(failed)" + PROGRAM
    assert results(text, [60, 64, 200]) == ([1, 2, 3], 200)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (PROGRAM.replace("Throw(XDP.DROP)", "Throw()"), "takes a number for the callback"),
        (
            "@func(separate=True)\ndef two(a: u64, b: u64) -> u64:\n    return a\n\n"
            "@exception_callback(two)" + PROGRAM,
            "is given a number, and gives the program's result",
        ),
        (
            "@func\ndef whole(a: u64) -> u64:\n    return a\n\n@exception_callback(whole)"
            + PROGRAM,
            "`whole` runs by itself",
        ),
        (
            PROGRAM.replace(
                "    if length",
                "    for i in range(90000):\n        if i == length:\n"
                "            raise Throw(1)\n    if length",
            ),
            "inside a loop whose rounds the kernel calls",
        ),
        (
            "@kprobe('do_exit')\ndef prog(code: i64) -> None:\n    raise Throw(1)\n",
            "kprobe programs cannot call `bpf_throw`",
        ),
    ],
)
def test_what_could_not_be_thrown_is_refused(text, message):
    with pytest.raises(CompileError, match=message):
        build.compile(define(HEAD + text)["prog"])
