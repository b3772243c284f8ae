"""Follows the selftest xdp_adjust_tail: packets get longer and shorter at their end, as far as
their memory lets them, and what is new is zero."""

import pytest

from ebee import XDP, Const, XdpContext, bpf, i32, xdp

pytestmark = pytest.mark.kernel
SINCE = "5.18"  # XDP with fragments
FOLLOWS = {
    "prog_tests/xdp_adjust_tail.c: test_xdp_adjust_tail_shrink, test_xdp_adjust_tail_grow,"
    " test_xdp_adjust_tail_grow2, test_xdp_adjust_frags_tail_shrink": 161,
    "progs/test_xdp_adjust_tail_shrink.c": 39,
    "progs/test_xdp_adjust_tail_grow.c": 38,
}
PAGE, HEADROOM, TAILROOM = 4096, 256, 320  # TAILROOM: struct skb_shared_info
ROOM = PAGE - HEADROOM - TAILROOM

by: Const[i32] = 0


@xdp
def adjust(ctx: XdpContext) -> XDP:
    return XDP.DROP if bpf.xdp_adjust_tail(ctx, by) != 0 else XDP.TX


@xdp(frags=True)
def adjust_fragments(ctx: XdpContext) -> XDP:
    return XDP.DROP if bpf.xdp_adjust_tail(ctx, by) != 0 else XDP.TX


@pytest.mark.parametrize(
    ("size", "by", "fits"),
    [
        (54, -54, False), (54, -41, False), (74, -20, True), (54, PAGE, False), (74, 40, True),
        (64, 128, True), (128, ROOM - 128, True), (128, ROOM - 127, False),
    ],
)  # fmt: skip
def test_one_piece(port, size, by, fits):
    """At least an Ethernet header stays."""
    frame = bytes(range(1, size + 1))
    result = port(by=by).programs["adjust"].test_run(frame)
    assert result.retval == (XDP.TX if fits else XDP.DROP)
    if fits:
        assert result.data == frame[: size + by] + bytes(max(by, 0))


@pytest.mark.parametrize("by", [-10, -4100, -8200])
def test_fragments(port, by):
    """Whole fragments go, too."""
    frame = bytes(i % 251 for i in range(9000))
    result = port(by=by).programs["adjust_fragments"].test_run(frame)
    assert result.retval == XDP.TX
    assert result.data == frame[:by]
