"""Drops the connections (SYN without ACK) of a source that opens more than `limit` in a second.

$ ebee run examples/syn_limiter.py --pcap examples/data/flood.pcap.gz
five SYNs of one source with limit=3: PASS PASS PASS DROP DROP, dropped = 2
"""

from ebee import (  # isort: skip
    ETH_IP, TCP, TCP_PROTOCOL, XDP, Const, Ethernet, Global, IPv4, LruHash, XdpContext, ktime_ns,
    struct, u32, u64, xdp,
)  # fmt: skip

SYN, ACK = 0x02, 0x10
SECOND = 1_000_000_000

limit: Const[u32] = 100
dropped: Global[u64] = 0


@struct
class Opened:
    since: u64
    count: u32


sources = LruHash[u32, Opened](max_entries=65536)


@xdp
def syn_limiter(ctx: XdpContext) -> XDP:
    global dropped
    packet = ctx.packet()
    eth = packet.parse(Ethernet)
    if eth is None or eth.type != ETH_IP:
        return XDP.PASS
    ip = packet.parse(IPv4)
    if ip is None or ip.protocol != TCP_PROTOCOL:
        return XDP.PASS
    tcp = packet.parse(TCP)
    if tcp is None or tcp.offset_flags & (SYN | ACK) != SYN:
        return XDP.PASS
    now = ktime_ns()
    opened = sources.lookup(ip.source)
    if opened is None or now - opened.since > SECOND:
        sources[ip.source] = Opened(since=now, count=1)
        return XDP.PASS
    opened.count += 1
    if opened.count <= limit:
        return XDP.PASS
    dropped += 1
    return XDP.DROP
