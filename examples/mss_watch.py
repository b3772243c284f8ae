"""Largest segment that the machines ask for in their SYNs (a TCP option); connections with one that
is below `smallest` are dropped: they would cost us a packet for a few bytes.

    $ ebee run examples/mss_watch.py --pcap examples/data/web.pcapng
    SYNs with 1460, 1460 and 100: PASS PASS DROP, sizes = {1460: 2, 100: 1}
"""

from ebee import (  # isort: skip
    ETH_IP, OPTION_MSS, TCP, TCP_PROTOCOL, XDP, Const, Ethernet, Hash, IPv4, TcpOptions,
    XdpContext, atomic_add, read_tcp_options, u16, u64, xdp, zero,
)  # fmt: skip

SYN = 0x02

smallest: Const[u16] = 500
sizes = Hash[u16, u64](max_entries=4096)


@xdp
def mss_watch(ctx: XdpContext) -> XDP:
    packet = ctx.packet()
    eth = packet.parse(Ethernet)
    if eth is None or eth.type != ETH_IP:
        return XDP.PASS
    ip = packet.parse(IPv4)
    if ip is None or ip.protocol != TCP_PROTOCOL:
        return XDP.PASS
    tcp = packet.parse(TCP)
    if tcp is None or tcp.offset_flags & SYN == 0:
        return XDP.PASS
    options = zero(TcpOptions)
    if not read_tcp_options(packet, tcp, options):
        return XDP.DROP
    if not options.kinds >> OPTION_MSS & 1:
        return XDP.PASS
    count = sizes.lookup(options.mss)
    if count is None:
        sizes[options.mss] = u64(1)
    else:
        atomic_add(count[0], 1)
    return XDP.PASS if options.mss >= smallest else XDP.DROP
