"""Looks past what stands between Ethernet and the payload: VLAN tags, IPv4 options, chains of IPv6
extension headers; counts what is there, and drops what is source-routed.

    $ ebee run examples/deep_look.py --pcap capture.pcapng
    a ping over IPv6 with a routing header, in two VLAN tags: found[58] = 1, tags[2] = 1; PASS
"""

from ebee import (  # isort: skip
    ETH_IP, ETH_IPV6, ICMPV6_PROTOCOL, XDP, Ethernet, Global, ICMPv6, IPv4, IPv4Option, IPv4Options,
    IPv6, IPv6Chain, LruPerCpuHash, Packet, PerCpuHash, VlanTags, XdpContext, func,
    read_ipv4_options, read_ipv6_extensions, read_vlan_tags, u8, u16, u64, xdp, zero,
)  # fmt: skip

ECHO_REQUEST = 128

found = PerCpuHash[u8, u64](max_entries=256)
tags = LruPerCpuHash[u16, u64](max_entries=8)
pings: Global[u64] = 0


@func
def look_into_ipv6(packet: Packet) -> XDP:
    global pings
    ip = packet.parse(IPv6)
    chain = zero(IPv6Chain)
    if ip is None or not read_ipv6_extensions(packet, ip.next_header, chain):
        return XDP.DROP
    found[chain.protocol] = found.get(chain.protocol, 0) + 1
    if chain.protocol == ICMPV6_PROTOCOL and chain.offset == 0:
        icmp = packet.parse(ICMPv6)
        if icmp is not None and icmp.type == ECHO_REQUEST:
            pings += 1
    return XDP.PASS


@func
def look_into_ipv4(packet: Packet) -> XDP:
    ip = packet.parse(IPv4)
    options = zero(IPv4Options)
    if ip is None or not read_ipv4_options(packet, ip, options):
        return XDP.DROP
    found[ip.protocol] = found.get(ip.protocol, 0) + 1
    routed = options.kinds >> IPv4Option.LOOSE_ROUTE | options.kinds >> IPv4Option.STRICT_ROUTE
    return XDP.DROP if routed & 1 else XDP.PASS


@xdp
def deep_look(ctx: XdpContext) -> XDP:
    packet = ctx.packet()
    eth = packet.parse(Ethernet)
    stack = zero(VlanTags)
    if eth is None or not read_vlan_tags(packet, eth.type, stack):
        return XDP.DROP
    tags[stack.count] = tags.get(stack.count, 0) + 1
    if stack.type == ETH_IP:
        return look_into_ipv4(packet)
    if stack.type == ETH_IPV6:
        return look_into_ipv6(packet)
    return XDP.PASS
