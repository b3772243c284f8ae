"""Lengths of the last packets: the oldest first in a queue, the newest first on a stack. Where
one is full, its oldest entry makes room.

    $ ebee run examples/recent_packets.py --dev eth0
    packets of 60, 70 and 80 bytes: 60 is next of `oldest_first`, 80 of `newest_first`
"""

from ebee import EXIST, XDP, Global, Queue, Stack, XdpContext, u32, u64, xdp

oldest_first = Queue[u32](max_entries=16)
newest_first = Stack[u32](max_entries=16)
made_room: Global[u64] = 0


@xdp
def recent_packets(ctx: XdpContext) -> XDP:
    global made_room
    length = ctx.packet().remaining()
    if oldest_first.push(length) != 0:
        oldest_first.push(length, EXIST)
        made_room += 1
    newest_first.push(length, EXIST)
    return XDP.PASS
