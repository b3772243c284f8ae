"""Tells of associations of SCTP that begin and that are broken off, through a perf buffer: a record
for each packet with an INIT or an ABORT chunk. Packets whose first chunk is cut off are dropped.

    $ ebee run examples/sctp_watch.py --dev eth0
    a packet with INIT from port 5000 to 2905: {source_port: 5000, port: 2905, kind: 1, chunks: 1}
"""

from ebee import (  # isort: skip
    ETH_IP, SCTP, SCTP_PROTOCOL, XDP, Ethernet, IPv4, PerfEventArray, SctpChunk, SctpChunks,
    SctpType, XdpContext, read_sctp_chunks, struct, u16, u32, xdp, zero,
)  # fmt: skip


@struct
class Association:
    source: u32
    source_port: u16
    port: u16
    kind: u16
    chunks: u16


associations = PerfEventArray[Association]()


@xdp
def sctp_watch(ctx: XdpContext) -> XDP:
    packet, first = ctx.packet(), ctx.packet()
    eth = packet.parse(Ethernet)
    if eth is None or eth.type != ETH_IP:
        return XDP.PASS
    ip = packet.parse(IPv4)
    if ip is None or ip.protocol != SCTP_PROTOCOL or ip.version_ihl != 0x45:
        return XDP.PASS
    sctp = packet.parse(SCTP)
    if sctp is None or not first.skip(46) or first.parse(SctpChunk) is None:
        return XDP.DROP
    chunks = zero(SctpChunks)
    if not read_sctp_chunks(packet, chunks):
        return XDP.DROP
    for kind in (SctpType.INIT, SctpType.ABORT):
        if chunks.kinds >> kind & 1:
            record = zero(Association)
            record.source = ip.source
            record.source_port, record.port = sctp.source, sctp.destination
            record.kind, record.chunks = u16(kind), chunks.count
            associations.output(ctx, record)
    return XDP.PASS
