"""Drops what comes from the networks of a list, and counts it by network.

$ ebee run examples/block_list.py --dev eth0
with 192.0.2.0/24 in `blocked`: 192.0.2.1 DROP, 198.51.100.1 PASS; with 192.0.2.1/32 as well,
its own entry counts 192.0.2.1
"""

from typing import Literal

from ebee import (  # isort: skip
    ETH_IP, XDP, Ethernet, IPv4, LpmTrie, XdpContext, array, atomic_add, struct, u8, u32, u64, xdp,
    zero,
)  # fmt: skip


@struct
class Network:
    length: u32  # bits of the address that count
    address: array[u8, Literal[4]]


blocked = LpmTrie[Network, u64](max_entries=65536)


@xdp
def block_list(ctx: XdpContext) -> XDP:
    packet = ctx.packet()
    eth = packet.parse(Ethernet)
    if eth is None or eth.type != ETH_IP:
        return XDP.PASS
    ip = packet.parse(IPv4)
    if ip is None:
        return XDP.PASS
    key = zero(Network)
    key.length = u32(32)
    for i in range(4):
        key.address[i] = u8(ip.source >> (24 - 8 * i))
    count = blocked.lookup(key)
    if count is None:
        return XDP.PASS
    atomic_add(count[0], 1)
    return XDP.DROP
