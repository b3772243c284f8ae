"""Marks the packets that a control group's processes send (fwmark), where they leave a device.

loaded.maps["groups"][0] = the control group's descriptor; attach to the device's egress
a datagram of a process of the group: mark 7, marked = 1; of others: as it was
"""

from ebee import TC, CgroupArray, Const, Global, SkbContext, tc, u32, u64

mark: Const[u32] = 7
groups = CgroupArray(max_entries=1)
marked: Global[u64] = 0


@tc
def group_marker(ctx: SkbContext) -> TC:
    global marked
    if groups.has_socket_of(ctx, 0) == 1:
        ctx.mark = mark
        marked += 1
    return TC.OK
