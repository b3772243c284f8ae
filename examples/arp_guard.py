"""Drops ARP messages that claim an address that belongs to another machine: `owners` says whose the
addresses are.

    $ ebee run examples/arp_guard.py --dev eth0
    a reply of the owner: PASS; of another: DROP and a record; for an address without owner: PASS
"""

from typing import Literal

from ebee import (  # isort: skip
    ARP, ETH_ARP, XDP, Ethernet, Hash, RingBuf, XdpContext, array, struct, u8, u32, xdp,
)  # fmt: skip


@struct
class Owner:
    mac: array[u8, Literal[6]]


@struct
class Claim:
    address: u32
    mac: array[u8, Literal[6]]


owners = Hash[u32, Owner](max_entries=1024)
claims = RingBuf[Claim](size=1 << 14)


@xdp
def arp_guard(ctx: XdpContext) -> XDP:
    packet = ctx.packet()
    eth = packet.parse(Ethernet)
    if eth is None or eth.type != ETH_ARP:
        return XDP.PASS
    arp = packet.parse(ARP)
    if arp is None:
        return XDP.DROP
    owner = owners.lookup(arp.sender_ip)
    if owner is None:
        return XDP.PASS
    same = True
    for i in range(6):
        if arp.sender[i] != owner.mac[i]:
            same = False
    if same:
        return XDP.PASS
    with claims.reserve() as claim:
        if claim is not None:
            claim.address = arp.sender_ip
            for i in range(6):
                claim.mac[i] = arp.sender[i]
    return XDP.DROP
