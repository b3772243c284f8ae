"""Bytes that each control group receives and sends.

ebee run examples/cgroup_traffic.py --cgroup /sys/fs/cgroup/my.slice
a datagram of 1000 bytes over the loopback: {received: 1028, sent: 1028}
"""

from ebee import Cgroup, Hash, SkbContext, atomic_add, bpf, cgroup_skb, func, struct, u32, u64


@struct
class Traffic:
    received: u64
    sent: u64


traffic = Hash[u64, Traffic](max_entries=1024)


@func
def count(group: u64, received: u32, sent: u32) -> None:
    entry = traffic.lookup(group)
    if entry is None:
        traffic[group] = Traffic(received=received, sent=sent)
    else:
        atomic_add(entry.received, received)
        atomic_add(entry.sent, sent)


@cgroup_skb("ingress")
def ingress(ctx: SkbContext) -> Cgroup:
    count(bpf.skb_cgroup_id(ctx), ctx.len, u32(0))
    return Cgroup.PASS


@cgroup_skb("egress")
def egress(ctx: SkbContext) -> Cgroup:
    count(bpf.skb_cgroup_id(ctx), u32(0), ctx.len)
    return Cgroup.PASS
