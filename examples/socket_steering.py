"""Gives the connections to a range of ports of a network namespace to one listening socket, the
first of `servers`.

ebee run examples/socket_steering.py --netns /run/netns/mine
connections to the ports 7000 and 7099 are accepted on 5555; 7100 is refused
"""

from ebee import SK, Const, SkLookupContext, SockMap, bpf, sk_lookup, u32

first: Const[u32] = 7000
last: Const[u32] = 7099

servers = SockMap(max_entries=1)


@sk_lookup
def socket_steering(ctx: SkLookupContext) -> SK:
    if not first <= ctx.local_port <= last:
        return SK.PASS
    with servers.lookup(0) as server:
        if server is None or bpf.sk_assign(ctx, server, 0) != 0:
            return SK.DROP
    return SK.PASS
