"""Frames for a process: UDP to `port` goes past the network stack into the AF_XDP socket of the
queue that it came in by; everything else, and queues without a socket, go on as before.

    with Umem(4096) as umem, XdpSocket("eth0", 0, umem) as xsk: loaded.maps["sockets"][0] = xsk
    a datagram to port 7000: xsk.receive() gives the frame; to 7001: PASS
"""

from ebee import (  # isort: skip
    ETH_IP, UDP, UDP_PROTOCOL, XDP, Const, Ethernet, IPv4, XdpContext, XskMap, u16, xdp,
)  # fmt: skip

port: Const[u16] = 7000
sockets = XskMap(max_entries=64)


@xdp
def frame_tap(ctx: XdpContext) -> XDP:
    packet = ctx.packet()
    eth = packet.parse(Ethernet)
    if eth is None or eth.type != ETH_IP:
        return XDP.PASS
    ip = packet.parse(IPv4)
    if ip is None or ip.protocol != UDP_PROTOCOL:
        return XDP.PASS
    udp = packet.parse(UDP)
    if udp is None or udp.destination != port:
        return XDP.PASS
    return sockets.redirect(ctx.rx_queue_index, XDP.PASS)
