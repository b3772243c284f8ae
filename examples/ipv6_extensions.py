"""Counts the extension headers of IPv6 by kind, and drops packets with more than `most` of them.

$ ebee run examples/ipv6_extensions.py --pcap capture.pcapng
a packet with hop-by-hop and destination options before its UDP: kinds = {0: 1, 60: 1}
"""

from ebee import (  # isort: skip
    DESTINATION, ETH_IPV6, FRAGMENT_HEADER, HOP_BY_HOP, ROUTING, XDP, Const, Ethernet, Hash, IPv6,
    IPv6Extension, XdpContext, atomic_add, func, u8, u32, u64, xdp,
)  # fmt: skip

EXTENSIONS = (HOP_BY_HOP, ROUTING, FRAGMENT_HEADER, DESTINATION)

most: Const[u32] = 3
kinds = Hash[u8, u64](max_entries=256)


@func
def note(kind: u8) -> None:
    count = kinds.lookup(kind)
    if count is None:
        kinds[kind] = u64(1)
    else:
        atomic_add(count[0], 1)


@xdp
def ipv6_extensions(ctx: XdpContext) -> XDP:
    packet = ctx.packet()
    eth = packet.parse(Ethernet)
    if eth is None or eth.type != ETH_IPV6:
        return XDP.PASS
    ip = packet.parse(IPv6)
    if ip is None:
        return XDP.PASS
    kind = ip.next_header
    found = u32(0)
    for _ in range(8):
        if kind not in EXTENSIONS:
            break
        fragment = kind == FRAGMENT_HEADER  # always 8 bytes: its length says nothing
        header = packet.take(IPv6Extension) if fragment else packet.parse(IPv6Extension)
        if header is None:
            return XDP.DROP
        note(kind)
        found += 1
        kind = header.next_header
    return XDP.PASS if found <= most else XDP.DROP
