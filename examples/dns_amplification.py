"""Stops DNS answers that nobody here asked for: those of servers that are not among `resolvers`,
and from these, what is larger than `largest` bytes.

    $ ebee run examples/dns_amplification.py --pcap examples/data/web.pcapng
    an answer of a resolver: PASS; of a stranger: DROP; one of 2000 bytes: DROP; a question: PASS
"""

from ebee import (  # isort: skip
    DNS, DNS_PORT, ETH_IP, UDP, UDP_PROTOCOL, XDP, Const, Ethernet, Global, Hash, IPv4, XdpContext,
    u8, u16, u32, u64, xdp,
)  # fmt: skip

largest: Const[u16] = 1232

resolvers = Hash[u32, u8](max_entries=64)
stopped: Global[u64] = 0


@xdp
def dns_amplification(ctx: XdpContext) -> XDP:
    global stopped
    packet = ctx.packet()
    eth = packet.parse(Ethernet)
    if eth is None or eth.type != ETH_IP:
        return XDP.PASS
    ip = packet.parse(IPv4)
    if ip is None or ip.protocol != UDP_PROTOCOL:
        return XDP.PASS
    udp = packet.parse(UDP)
    if udp is None or udp.source != DNS_PORT:
        return XDP.PASS
    dns = packet.parse(DNS)
    if dns is not None and not dns.is_response:
        return XDP.PASS
    if ip.source in resolvers and udp.length <= largest:
        return XDP.PASS
    stopped += 1
    return XDP.DROP
