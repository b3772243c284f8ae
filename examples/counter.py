"""Counts packets and bytes by IP protocol.

ebee run examples/counter.py --pcap examples/data/web.pcapng
two TCP packets and one of UDP: protocols = {6: {packets: 2, bytes: 108}, 17: {packets: 1, ...}}
"""

from ebee import (  # isort: skip
    ETH_IP, ETH_IPV6, XDP, Ethernet, IPv4, IPv6, PerCpuArray, XdpContext, func, struct, u8, u32,
    u64, xdp,
)  # fmt: skip


@struct
class Counter:
    packets: u64
    bytes: u64


protocols = PerCpuArray[Counter](max_entries=256)


@func
def count(protocol: u8, length: u32) -> None:
    counter = protocols.lookup(protocol)
    if counter is not None:
        counter.packets += 1
        counter.bytes += length


@xdp
def counter(ctx: XdpContext) -> XDP:
    packet = ctx.packet()
    length = packet.remaining()
    eth = packet.parse(Ethernet)
    if eth is None:
        return XDP.PASS
    if eth.type == ETH_IP:
        ip = packet.parse(IPv4)
        if ip is not None:
            count(ip.protocol, length)
    elif eth.type == ETH_IPV6:
        ip6 = packet.parse(IPv6)
        if ip6 is not None:
            count(ip6.next_header, length)
    return XDP.PASS
