"""Lets each IPv4 source send so many packets a second, and drops what is beyond: a token bucket
for each of the last 65,536 sources.

    ebee run examples/rate_limiter.py --pcap examples/data/flood.pcap.gz --set per_second=10
    six packets at once with burst=3: PASS PASS PASS DROP DROP DROP, dropped = 3
"""

from ebee import (  # isort: skip
    ETH_IP, XDP, Const, Ethernet, Global, IPv4, LruHash, XdpContext, atomic_add, bpf, func,
    struct, u32, u64, xdp,
)  # fmt: skip

per_second: Const[u64] = 100
burst: Const[u64] = 200
dropped: Global[u64] = 0

SECOND = 1_000_000_000


@struct
class Bucket:
    filled: u64  # when, in nanoseconds
    tokens: u64  # in billionths of a packet


buckets = LruHash[u32, Bucket](max_entries=65536)


@func
def allowed(source: u32) -> bool:
    now = bpf.ktime_get_ns()
    bucket = buckets.lookup(source)
    if bucket is None:
        buckets[source] = Bucket(filled=now, tokens=(u64(burst) - 1) * SECOND)
        return True
    # CPUs may race for the last packet of a bucket: one more gets through, which does no harm
    tokens = min(bucket.tokens + (now - bucket.filled) * u64(per_second), u64(burst) * SECOND)
    bucket.filled = now
    if tokens < SECOND:
        bucket.tokens = tokens
        return False
    bucket.tokens = tokens - SECOND
    return True


@xdp
def rate_limiter(ctx: XdpContext) -> XDP:
    packet = ctx.packet()
    eth = packet.parse(Ethernet)
    if eth is None or eth.type != ETH_IP:
        return XDP.PASS
    ip = packet.parse(IPv4)
    if ip is None:
        return XDP.DROP
    if allowed(ip.source):
        return XDP.PASS
    atomic_add(dropped, 1)
    return XDP.DROP
