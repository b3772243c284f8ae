"""A flow dissector that looks into one tag of a VLAN and hashes UDP flows by their addresses only:
fragments of one datagram then have the same hash.

    $ ebee run examples/flow_keys.py --netns /run/netns/mine
    UDP from port 1000 to 53: keys with both addresses and no ports; ARP: the kernel's dissector
"""

from ebee import (  # isort: skip
    ETH_IP, ETH_VLAN, UDP_PROTOCOL, Ethernet, Flow, IPv4, SkbContext, Vlan, flow_dissector, u8,
    u16,
)  # fmt: skip


@flow_dissector
def flow_keys(ctx: SkbContext) -> Flow:
    packet = ctx.packet()
    keys = ctx.flow_keys
    eth = packet.parse(Ethernet)
    if eth is None:
        return Flow.DROP
    kind, offset = eth.type, u16(14)
    if kind == ETH_VLAN:
        vlan = packet.parse(Vlan)
        if vlan is None:
            return Flow.DROP
        kind, offset = vlan.type, u16(18)
    if kind != ETH_IP:
        return Flow.CONTINUE
    ip = packet.parse(IPv4)
    if ip is None:
        return Flow.DROP
    if ip.protocol != UDP_PROTOCOL:
        return Flow.CONTINUE
    keys.nhoff = offset
    keys.thoff = offset + u16(ip.version_ihl & 15) * 4
    keys.addr_proto = u16(ETH_IP)
    keys.n_proto = u16(ETH_IP)
    keys.ip_proto = u8(ip.protocol)
    keys.addresses.ipv4.source = ip.source
    keys.addresses.ipv4.destination = ip.destination
    return Flow.OK
