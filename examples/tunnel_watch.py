"""What goes through tunnels: packets by kind (GRE, VXLAN, Geneve, IPv4 and IPv6 in IPv4) and the
number of the network inside.

    $ ebee run examples/tunnel_watch.py --pcap capture.pcapng
    a frame in VXLAN 42, one in Geneve 7, one in GRE:
    {(VXLAN, 42): 1, (GENEVE, 7): 1, (GRE, 0): 1}
"""

from enum import IntEnum

from ebee import (  # isort: skip
    ETH_IP, GENEVE_PORT, GRE, GRE_PROTOCOL, IPIP_PROTOCOL, IPV6_PROTOCOL, UDP, UDP_PROTOCOL, VXLAN,
    VXLAN_PORT, XDP, Ethernet, Geneve, Hash, IPv4, Packet, XdpContext, atomic_add, func, struct,
    u32, u64, xdp,
)  # fmt: skip


class Kind(IntEnum):
    IPIP = 1
    IPV6 = 2
    GRE = 3
    VXLAN = 4
    GENEVE = 5


@struct
class Tunnel:
    kind: u32
    network: u32


tunnels = Hash[Tunnel, u64](max_entries=4096)


@func
def note(kind: Kind, network: u32) -> None:
    key = Tunnel(kind=u32(kind), network=network)
    count = tunnels.lookup(key)
    if count is None:
        tunnels[key] = u64(1)
    else:
        atomic_add(count[0], 1)


@func
def look_into_udp(packet: Packet) -> None:
    udp = packet.parse(UDP)
    if udp is None:
        return
    if udp.destination == VXLAN_PORT:
        vxlan = packet.parse(VXLAN)
        if vxlan is not None:
            note(Kind.VXLAN, vxlan.vni)
    elif udp.destination == GENEVE_PORT:
        geneve = packet.parse(Geneve)
        if geneve is not None:
            note(Kind.GENEVE, geneve.vni)


@xdp
def tunnel_watch(ctx: XdpContext) -> XDP:
    packet = ctx.packet()
    eth = packet.parse(Ethernet)
    if eth is None or eth.type != ETH_IP:
        return XDP.PASS
    ip = packet.parse(IPv4)
    if ip is None:
        return XDP.PASS
    if ip.protocol == UDP_PROTOCOL:
        look_into_udp(packet)
    elif ip.protocol == GRE_PROTOCOL:
        if packet.parse(GRE) is not None:
            note(Kind.GRE, u32(0))
    elif ip.protocol == IPIP_PROTOCOL:
        note(Kind.IPIP, u32(0))
    elif ip.protocol == IPV6_PROTOCOL:
        note(Kind.IPV6, u32(0))
    return XDP.PASS
