"""Bytes that a control group sends and receives, kept with the attachment itself: no keys, no table
that fills up, and gone when the program is detached. One value for all, and one for each CPU.

    $ ebee run examples/group_meter.py --cgroup /sys/fs/cgroup/my.slice
    three datagrams of 100 bytes: packets = 3, bytes = 384 (28 of headers each)
"""

from ebee import AttachedStorage, Cgroup, PerCpuAttachedStorage, SkbContext, cgroup_skb

from ebee import atomic, struct, u64  # isort: skip


@struct
class Sent:
    packets: atomic[u64]
    bytes: atomic[u64]


total = AttachedStorage[Sent]()
by_cpu = PerCpuAttachedStorage[u64]()


@cgroup_skb("egress")
def group_meter(ctx: SkbContext) -> Cgroup:
    sent = total.get()
    sent.packets += 1
    sent.bytes += ctx.len
    by_cpu.get()[0] += 1
    return Cgroup.PASS
