"""Work for later: a source that was seen is put down now, and taken up by a function that may
sleep, outside of the packet's path.

    $ ebee run examples/delayed_cleaner.py --dev eth0
    a packet of a new source: sources = {source: {cleaned: 1}} a moment later
"""

from ebee import (  # isort: skip
    ETH_IP, TC, Ethernet, Hash, IPv4, SkbContext, WorkQueue, func, i32, ptr, struct, tc, u8, u32,
    u64, zero,
)  # fmt: skip


@struct
class Source:
    work: WorkQueue
    cleaned: u64


sources = Hash[u32, Source](max_entries=4096)


@func
def clean(table: ptr[u8], key: ptr[u32], work: ptr[u8]) -> i32:
    source = sources.lookup(key[0])
    if source is not None:
        source.cleaned += 1
    return i32(0)


@tc
def delayed_cleaner(ctx: SkbContext) -> TC:
    packet = ctx.packet()
    eth = packet.parse(Ethernet)
    if eth is None or eth.type != ETH_IP:
        return TC.OK
    ip = packet.parse(IPv4)
    if ip is None or ip.source in sources:
        return TC.OK
    sources[ip.source] = zero(Source)
    source = sources.lookup(ip.source)
    if source is None or source.work.init(sources) != 0:
        return TC.OK
    if source.work.callback(clean) == 0:
        source.work.start()
    return TC.OK
