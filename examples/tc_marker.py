"""Marks packets of TCP port 443 (fwmark 443), so that routing and firewall rules can tell them.

ebee run examples/tc_marker.py --dev eth0
packets to port 443 and to port 80: marks 443 and 0, both OK
"""

from ebee import ETH_IP, TC, TCP, TCP_PROTOCOL, Const, Ethernet, IPv4, SkbContext, tc, u16, u32

port: Const[u16] = 443
mark: Const[u32] = 443


@tc
def tc_marker(ctx: SkbContext) -> TC:
    packet = ctx.packet()
    eth = packet.parse(Ethernet)
    if eth is None or eth.type != ETH_IP:
        return TC.OK
    ip = packet.parse(IPv4)
    if ip is None or ip.protocol != TCP_PROTOCOL:
        return TC.OK
    tcp = packet.parse(TCP)
    if tcp is not None and port in (tcp.source, tcp.destination):
        ctx.mark = u32(mark)
    return TC.OK
