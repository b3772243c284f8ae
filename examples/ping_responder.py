"""Answers pings before the network stack sees them: the request goes back as its reply.

$ ebee run examples/ping_responder.py --dev eth0
an echo request: TX, addresses swapped, type 0, checksum correct; all else: PASS
"""

from ebee import (  # isort: skip
    ETH_IP, ICMP, ICMP_PROTOCOL, XDP, Ethernet, Global, IPv4, XdpContext, ipv4_checksum,
    replace_checksum16, u8, u16, u64, xdp,
)  # fmt: skip

REPLY, REQUEST = 0, 8
TTL = 64

answered: Global[u64] = 0


@xdp
def ping_responder(ctx: XdpContext) -> XDP:
    global answered
    packet = ctx.packet()
    eth = packet.parse(Ethernet)
    if eth is None or eth.type != ETH_IP:
        return XDP.PASS
    ip = packet.parse(IPv4)
    if ip is None or ip.protocol != ICMP_PROTOCOL or ip.version_ihl != 0x45:
        return XDP.PASS
    icmp = packet.parse(ICMP)
    if icmp is None or icmp.type != REQUEST or icmp.code != 0:
        return XDP.PASS
    for i in range(6):
        eth.destination[i], eth.source[i] = eth.source[i], eth.destination[i]
    ip.source, ip.destination = ip.destination, ip.source
    ip.ttl = u8(TTL)
    ip.checksum = u16(0)
    ip.checksum = ipv4_checksum(ip)
    icmp.type = u8(REPLY)
    icmp.checksum = replace_checksum16(icmp.checksum, u16(REQUEST << 8), u16(REPLY << 8))
    answered += 1
    return XDP.TX
