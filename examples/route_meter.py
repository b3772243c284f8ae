"""Bytes that leave by one route: a program that belongs to the route sees each packet that
takes it.

    $ ip route add 10.99.0.2/32 encap bpf xmit pinned /sys/fs/bpf/route_meter dev veth0
    a datagram of 100 bytes: sent = 128
"""

from ebee import LWT, Global, SkbContext, atomic, lwt, u64

packets: Global[atomic[u64]] = 0
sent: Global[atomic[u64]] = 0


@lwt("xmit")
def route_meter(ctx: SkbContext) -> LWT:
    global packets, sent
    packets += 1
    sent += ctx.len
    return LWT.OK
