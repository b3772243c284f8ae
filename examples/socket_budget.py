"""Each socket of a control group may send `budget` packets; the count is kept with the socket, and
is gone when it is closed.

    $ ebee run examples/socket_budget.py --cgroup /sys/fs/cgroup/my.slice
    with budget=3: the fourth datagram of a socket fails with EPERM; a new socket has three again
"""

from ebee import Cgroup, Const, SkbContext, SkStorage, bpf, cgroup_skb, struct, u32

budget: Const[u32] = 1000


@struct
class Sent:
    packets: u32


counts = SkStorage[Sent]()


@cgroup_skb("egress")
def socket_budget(ctx: SkbContext) -> Cgroup:
    common = ctx.sk
    if common is None:
        return Cgroup.PASS
    sk = bpf.sk_fullsock(common)
    if sk is None:
        return Cgroup.PASS
    count = counts.get(sk)
    if count is None:
        return Cgroup.PASS
    count.packets += 1
    return Cgroup.DROP if count.packets > budget else Cgroup.PASS
