"""At a netkit pair (the devices of containers): only IPv4 and ARP leave the container, and only
frames of at most `largest` bytes.

    $ ebee run examples/pair_guard.py --dev nk0
    an ARP frame: NEXT; another protocol, or a longer frame: DROP, dropped = 1
"""

from ebee import ETH_ARP, ETH_IP, TCX, Const, Ethernet, Global, SkbContext, netkit, u32, u64

largest: Const[u32] = 1514
dropped: Global[u64] = 0


@netkit("primary")
def pair_guard(ctx: SkbContext) -> TCX:
    global dropped
    eth = ctx.packet().parse(Ethernet)
    if eth is not None and eth.type in (ETH_IP, ETH_ARP) and ctx.len <= largest:
        return TCX.NEXT
    dropped += 1
    return TCX.DROP
