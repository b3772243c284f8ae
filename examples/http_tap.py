"""A tap for a raw socket: of all packets, only the beginnings (96 bytes) of those from or to a TCP
port reach it.

    attach(a packet socket)
    packets of port 80 and 22: recv() gives 96 bytes of the first one, nothing of the second
"""

from ebee import (  # isort: skip
    ETH_IP, TCP, TCP_PROTOCOL, Const, Ethernet, IPv4, SkbContext, bpf, socket_filter, u16, u32,
    zero,
)  # fmt: skip

IP, KEEP, NOTHING = 14, 96, 0

port: Const[u16] = 80


@socket_filter
def http_tap(ctx: SkbContext) -> u32:
    eth, ip, tcp = zero(Ethernet), zero(IPv4), zero(TCP)
    if bpf.skb_load_bytes(ctx, 0, eth, 14) != 0 or eth.type != ETH_IP:
        return u32(NOTHING)
    if bpf.skb_load_bytes(ctx, IP, ip, 20) != 0 or ip.protocol != TCP_PROTOCOL:
        return u32(NOTHING)
    if bpf.skb_load_bytes(ctx, IP + (ip.version_ihl & 15) * 4, tcp, 20) != 0:
        return u32(NOTHING)
    return u32(KEEP) if port in (tcp.source, tcp.destination) else u32(NOTHING)
