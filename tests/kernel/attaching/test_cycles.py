"""Ten thousand programs loaded, attached and detached leave nothing behind."""

import socket

import pytest

from ebee.linux import attach
from ebee.linux.errors import older_than
from ebee.linux.info import ids

from .small import load, wait_for

pytestmark = pytest.mark.kernel

WAYS = {
    # way: (program type, attach type, cycles, what attaches)
    "cgroup link": ("cgroup_skb", "cgroup_inet_egress", 1500, lambda p, at: attach.cgroup(p, at)),
    "cgroup": (
        "cgroup_skb", "cgroup_inet_egress", 1000, lambda p, at: attach.cgroup(p, at, mode="multi"),
    ),
    "tcx": ("sched_cls", "", 50, lambda p, at: attach.tcx(p, "lo")),
    "tc": ("sched_cls", "", 300, lambda p, at: attach.tc(p, "lo")),
    "netfilter": (
        "netfilter", "netfilter", 50, lambda p, at: attach.netfilter(p, "ipv4", "local_in", 7),
    ),
    "netns": ("sk_lookup", "sk_lookup", 400, lambda p, at: attach.netns(p)),
    "socket": ("socket_filter", "", 6700, lambda p, at: attach.socket(p, SOCKET)),
    "xdp": ("xdp", "", 20, lambda p, at: attach.xdp(p, "lo", "generic")),
    "xdp netlink": ("xdp", "", 20, lambda p, at: attach.xdp(p, "lo", "generic", by="netlink")),
}  # fmt: skip
NEEDS = {"tcx": "6.6", "netfilter": "6.4", "netns": "5.9", "cgroup link": "5.7"}
SOCKET = socket.socket(type=socket.SOCK_DGRAM)


def test_there_are_ten_thousand():
    assert sum(cycles for _, _, cycles, _ in WAYS.values()) >= 10_000


@pytest.mark.parametrize("way", WAYS)
def test_cycles_leave_no_descriptor_program_or_link(net, cgroup, open_fds, way):
    if older_than(NEEDS.get(way, "4.18")):
        pytest.skip(f"came with Linux {NEEDS[way]}")
    type, attach_type, cycles, put = WAYS[way]
    with net.inside("left"):
        before, own = open_fds(), set()
        for n in range(cycles):
            with load("r0 = 1; exit", type, attach_type) as program, put(program, cgroup):
                if n % 100 == 0:
                    own.add(program.id)
        assert open_fds() == before
    assert wait_for(lambda: not own & set(ids("prog")))
