"""Tail calls: a dispatcher that jumps to a program for each kind of packet.

ebee run examples/dispatcher.py --prog dispatcher --pcap examples/data/web.pcapng
a packet of TCP, two of IPv6, one of ARP, one of nothing known: seen = {0: 1, 1: 2, 2: 1, 3: 1}
"""

from ebee import (  # isort: skip
    ETH_ARP, ETH_IP, ETH_IPV6, XDP, Array, Ethernet, ProgArray, XdpContext, atomic_add, func, u32,
    u64, xdp,
)  # fmt: skip

IP, IPV6, ARP, OTHER = range(4)

jumps = ProgArray(max_entries=4)
seen = Array[u64](max_entries=4)


@func
def count(kind: u32) -> None:
    counter = seen.lookup(kind)
    if counter is not None:
        atomic_add(counter[0], 1)


@jumps.entry(IP)
@xdp
def ipv4(ctx: XdpContext) -> XDP:
    count(u32(IP))
    return XDP.PASS


@jumps.entry(IPV6)
@xdp
def ipv6(ctx: XdpContext) -> XDP:
    count(u32(IPV6))
    return XDP.PASS


@jumps.entry(ARP)
@xdp
def arp(ctx: XdpContext) -> XDP:
    count(u32(ARP))
    return XDP.PASS


@xdp
def dispatcher(ctx: XdpContext) -> XDP:
    eth = ctx.packet().parse(Ethernet)
    if eth is not None:
        match eth.type:
            case 0x0800:
                jumps.call(ctx, IP)
            case 0x86DD:
                jumps.call(ctx, IPV6)
            case 0x0806:
                jumps.call(ctx, ARP)
            case _:
                pass
    count(u32(OTHER))  # also where a program is missing: a tail call that fails goes on here
    return XDP.PASS


assert (ETH_IP, ETH_IPV6, ETH_ARP) == (0x0800, 0x86DD, 0x0806)
