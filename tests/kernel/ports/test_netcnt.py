"""Follows the selftest netcnt: packets of a control group, counted for each CPU and then in one
place, in storage that is the program's in that group."""

import os
import socket

import pytest

from ebee import (  # isort: skip
    AttachedStorage, Cgroup, PerCpuAttachedStorage, SkbContext, atomic, cgroup_skb, struct, u64,
)  # fmt: skip

pytestmark = pytest.mark.kernel
SINCE = "5.9"  # one storage for all programs of a group
FOLLOWS = {"prog_tests/netcnt.c": 58, "progs/netcnt_prog.c": 52}
MOST = 32
PACKETS = 1000
BYTES = 20 + 8 + 100


@struct
class Total:
    packets: atomic[u64]
    bytes: atomic[u64]


@struct
class Part:
    packets: u64
    bytes: u64


totals = AttachedStorage[Total]()
parts = PerCpuAttachedStorage[Part]()


@cgroup_skb("egress")
def count(ctx: SkbContext) -> Cgroup:
    total, part = totals.get(), parts.get()
    part.packets += 1
    part.bytes += ctx.len
    if part.packets > MOST:
        total.packets += part.packets
        total.bytes += part.bytes
        part.packets = 0
        part.bytes = 0
    return Cgroup.PASS


def test_no_packet_is_lost(port, cgroup, in_cgroup, loopback):
    loaded = port()

    def send():
        with socket.socket(type=socket.SOCK_DGRAM) as s:
            s.bind(("127.0.0.1", 0))
            for _ in range(PACKETS):
                s.sendto(bytes(100), s.getsockname())

    with loaded.programs["count"].attach(str(cgroup)):
        assert in_cgroup(cgroup, send) == 0
        ((_, total),) = loaded.maps["totals"].items()
        ((_, part),) = loaded.maps["parts"].items()
    assert all(cpu.packets <= MOST for cpu in part)
    assert len(part) >= os.cpu_count()
    assert total.packets + part.sum().packets == PACKETS
    assert total.bytes + part.sum().bytes == PACKETS * BYTES
