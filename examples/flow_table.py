"""The last 16,384 flows of TCP and UDP over IPv4: packets, bytes, first and last time.

ebee run examples/flow_table.py --pcap examples/data/web.pcapng
two TCP packets of one flow: {(192.0.2.1, 192.0.2.2, 40000, 80, 6): {packets: 2, bytes: 108, ...}}
"""

from ebee import (  # isort: skip
    ETH_IP, TCP_PROTOCOL, UDP, UDP_PROTOCOL, XDP, Ethernet, IPv4, LruHash, XdpContext, atomic_add,
    bpf, struct, u16, u32, u64, xdp,
)  # fmt: skip


@struct
class Key:
    source: u32
    destination: u32
    source_port: u16
    destination_port: u16
    protocol: u32


@struct
class Flow:
    packets: u64
    bytes: u64
    first: u64  # nanoseconds since boot
    last: u64


flows = LruHash[Key, Flow](max_entries=16384)


@xdp
def flow_table(ctx: XdpContext) -> XDP:
    packet = ctx.packet()
    length = packet.remaining()
    eth = packet.parse(Ethernet)
    if eth is None or eth.type != ETH_IP:
        return XDP.PASS
    ip = packet.parse(IPv4)
    if ip is None or ip.flags_offset & 0x1FFF != 0:
        return XDP.PASS
    if ip.protocol not in (TCP_PROTOCOL, UDP_PROTOCOL):
        return XDP.PASS
    ports = packet.parse(UDP)  # TCP begins with the same two members
    if ports is None:
        return XDP.PASS
    key = Key(
        source=ip.source, destination=ip.destination, source_port=ports.source,
        destination_port=ports.destination, protocol=ip.protocol,
    )  # fmt: skip
    now = bpf.ktime_get_ns()
    flow = flows.lookup(key)
    if flow is None:
        flows[key] = Flow(packets=1, bytes=length, first=now, last=now)
    else:
        atomic_add(flow.packets, 1)
        atomic_add(flow.bytes, length)
        flow.last = now
    return XDP.PASS
