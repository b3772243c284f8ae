"""Puts the packets of a control port into a VLAN of their own, and takes the tags of that VLAN off
again: headers are pushed and popped on XDP.

    $ ebee run examples/vlan_tagger.py --dev eth0
    UDP to port 6000: 4 bytes longer, in VLAN 100; the same packet again: as it was
"""

from ebee import (  # isort: skip
    ETH_IP, ETH_VLAN, UDP, UDP_PROTOCOL, XDP, Const, Ethernet, IPv4, Vlan, XdpContext, func, u16,
    xdp,
)  # fmt: skip

port: Const[u16] = 6000
vlan: Const[u16] = 100


@func
def tag(ctx: XdpContext) -> XDP:
    if not ctx.push(4):
        return XDP.ABORTED
    packet = ctx.packet()
    eth = packet.parse(Ethernet)
    header = packet.parse(Vlan)
    if eth is None or header is None:
        return XDP.ABORTED
    eth.type = u16(ETH_VLAN)
    header.tci = vlan
    header.type = u16(ETH_IP)
    return XDP.PASS


@func
def untag(ctx: XdpContext, inner: u16) -> XDP:
    if not ctx.pop(4):
        return XDP.ABORTED
    eth = ctx.packet().parse(Ethernet)
    if eth is None:
        return XDP.ABORTED
    eth.type = inner
    return XDP.PASS


@xdp
def vlan_tagger(ctx: XdpContext) -> XDP:
    packet = ctx.packet()
    eth = packet.parse(Ethernet)
    if eth is None:
        return XDP.PASS
    if eth.type == ETH_VLAN:
        header = packet.parse(Vlan)
        if header is None or header.tci & 0xFFF != vlan:
            return XDP.PASS
        return untag(ctx, header.type)
    if eth.type != ETH_IP:
        return XDP.PASS
    ip = packet.parse(IPv4)
    if ip is None or ip.protocol != UDP_PROTOCOL:
        return XDP.PASS
    udp = packet.parse(UDP)
    if udp is None or udp.destination != port:
        return XDP.PASS
    return tag(ctx)
