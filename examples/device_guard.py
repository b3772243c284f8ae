"""Lets the processes of a control group open only the devices of a table, and counts what was
denied.

ebee run examples/device_guard.py --cgroup /sys/fs/cgroup/my.slice
with allowed = {1:5}: /dev/zero opens; /dev/urandom fails with EPERM, denied = {1:9: 1}
"""

from ebee import Access, DeviceContext, Hash, cgroup_device, struct, u8, u32, u64


@struct
class Device:
    major: u32
    minor: u32


allowed = Hash[Device, u8](max_entries=256)
denied = Hash[Device, u64](max_entries=256)


@cgroup_device
def device_guard(ctx: DeviceContext) -> Access:
    device = Device(major=ctx.major, minor=ctx.minor)
    if device in allowed:
        return Access.ALLOW
    count = denied.lookup(device)
    if count is None:
        denied[device] = u64(1)
    else:
        count[0] += 1
    return Access.DENY
