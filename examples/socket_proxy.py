"""A proxy without copies through user space: what arrives at one socket of `pair` goes out of the
other one. What begins with "!" is dropped.

    from ebee import load; the program's attach(maps["pair"]), then pair[0] and pair[1]: sockets
    a client sends "hello" to the proxy: the server at the other end reads "hello"
"""

from ebee import SK, Global, SkbContext, SockMap, atomic, bpf, sk_skb, struct, u8, u32, u64

pair = SockMap(max_entries=2)
second: Global[u32] = 0  # the local port of the socket that is pair[1]
bytes_moved: Global[atomic[u64]] = 0


@struct
class First:
    letter: u8


@sk_skb("verdict")
def socket_proxy(ctx: SkbContext) -> SK:
    global bytes_moved
    bpf.skb_pull_data(ctx, 1)
    first = ctx.packet().take(First)
    if first is not None and first.letter == 33:
        return SK.DROP
    bytes_moved += ctx.len
    return pair.redirect(ctx, 0 if ctx.local_port == second else 1)
