"""A program at netfilter, between iptables' and nftables' rules: counts packets by hook, and drops
those that are larger than `largest`.

    attach(family="ipv4", hook="local_in", priority=10)
    datagrams of 28 and 1428 bytes with largest=1000: the first arrives; counts = {1: 2}
"""

from ebee import NF, Array, Const, NetfilterContext, atomic_add, netfilter, u32, u64

largest: Const[u32] = 1500
counts = Array[u64](max_entries=8)


@netfilter
def packet_hook(ctx: NetfilterContext) -> NF:
    count = counts.lookup(u32(ctx.state.hook))
    if count is not None:
        atomic_add(count[0], 1)
    return NF.DROP if ctx.skb.len > largest else NF.ACCEPT
