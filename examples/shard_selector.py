"""One UDP port, many servers: the first byte of a datagram says which of the sockets that share the
port (SO_REUSEPORT) gets it.

    from ebee import load; the program's attach(a socket of the group), then shards[i] = sockets
    datagrams that begin with 1, 0, 1 go to the sockets 1, 0, 1
"""

from ebee import SK, Const, ReuseportArray, ReuseportContext, sk_reuseport, struct, u8, u32

count: Const[u32] = 2
shards = ReuseportArray(max_entries=64)

UDP_HEADER = 8


@struct
class Request:
    shard: u8


@sk_reuseport
def shard_selector(ctx: ReuseportContext) -> SK:
    packet = ctx.packet()
    if not packet.skip(UDP_HEADER):
        return SK.DROP
    request = packet.take(Request)
    if request is None:
        return SK.DROP
    shards.select(ctx, request.shard % count)
    return SK.PASS
