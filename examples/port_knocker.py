"""Opens TCP port 22 to an IPv4 source that knocked at three ports in the right order.

A knock is a TCP packet to one of the ports; a wrong one starts the sequence anew.

    ebee run examples/port_knocker.py --dev eth0
    22, 7000, 8000, 9000, 22: DROP DROP DROP DROP PASS, and the record {source: 192.0.2.1}
"""

from ebee import (  # isort: skip
    ETH_IP, TCP, TCP_PROTOCOL, XDP, Ethernet, IPv4, LruHash, RingBuf, XdpContext, func, struct,
    u16, u32, xdp,
)  # fmt: skip

KNOCKS = (7000, 8000, 9000)
GUARDED = 22
OPEN = len(KNOCKS)


@struct
class Opened:
    source: u32


progress = LruHash[u32, u32](max_entries=4096)  # source -> how many knocks were right
events = RingBuf[Opened](size=4096)


@func
def knock(source: u32, port: u16, done: u32) -> None:
    right = (
        (done == 0 and port == KNOCKS[0])
        or (done == 1 and port == KNOCKS[1])
        or (done == 2 and port == KNOCKS[2])
    )
    if not right:
        progress[source] = 1 if port == KNOCKS[0] else 0
        return
    progress[source] = done + 1
    if done + 1 == OPEN:
        events.output(Opened(source=source))


@xdp
def port_knocker(ctx: XdpContext) -> XDP:
    packet = ctx.packet()
    eth = packet.parse(Ethernet)
    if eth is None or eth.type != ETH_IP:
        return XDP.PASS
    ip = packet.parse(IPv4)
    if ip is None or ip.protocol != TCP_PROTOCOL:
        return XDP.PASS
    tcp = packet.parse(TCP)
    if tcp is None:
        return XDP.PASS
    done = progress.get(ip.source, 0)
    if tcp.destination == GUARDED:
        return XDP.PASS if done == OPEN else XDP.DROP
    if tcp.destination in KNOCKS and done != OPEN:
        knock(ip.source, tcp.destination, done)
        return XDP.DROP
    return XDP.PASS
