"""Follows the selftest netfilter_link_attach: where between netfilter's own rules a program may
be, what its link tells of that, and that a place is taken once."""

import pytest

from ebee import NF, NetfilterContext, netfilter
from ebee.errors import EbeeError

pytestmark = pytest.mark.kernel
SINCE = "6.4"
FOLLOWS = {
    "prog_tests/netfilter_link_attach.c": 97,
    "progs/test_netfilter_link_attach.c": 9,
}
FORWARD, POST_ROUTING = 2, 4
LEAST, MOST = -(1 << 31), (1 << 31) - 1


@netfilter
def accept(ctx: NetfilterContext) -> NF:
    return NF.ACCEPT


@pytest.mark.parametrize(
    "options",
    [
        {"family": 0, "hook": POST_ROUTING, "priority": 1},
        {"family": "ipv4", "hook": 23, "priority": 1},
        {"family": "ipv4", "hook": POST_ROUTING, "priority": LEAST},
        {"family": "ipv4", "hook": POST_ROUTING, "priority": MOST},
        {"family": "ipv6", "hook": FORWARD, "priority": -401, "defrag": True},
    ],
)
def test_refused(port, loopback, options):
    with pytest.raises(EbeeError):
        port().programs["accept"].attach(**options)


@pytest.mark.parametrize(
    ("family", "number", "hook", "priority", "defrag"),
    [("ipv4", 2, POST_ROUTING, -10000, False), ("ipv6", 10, FORWARD, 10001, True)],
)
def test_a_place_is_taken_once(port, loopback, family, number, hook, priority, defrag):
    program = port().programs["accept"]
    options = {"family": family, "hook": hook, "priority": priority, "defrag": defrag}
    for _ in range(2):  # and again when it is free
        with program.attach(**options) as link:
            info = link.info()
            found = info.type, info.pf, info.hooknum, info.priority, info.flags
            assert found == ("netfilter", number, hook, priority, int(defrag))
            with pytest.raises(EbeeError):
                program.attach(**options)
