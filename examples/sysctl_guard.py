"""A control group's processes may read settings of the kernel, but write only those of a list; what
they tried is told.

    $ ebee run examples/sysctl_guard.py --cgroup /sys/fs/cgroup/my.slice
    writing kernel/hostname: EPERM, and the record {pid: 4711, name: "kernel/hostname"}
"""

from typing import Literal

from ebee import (  # isort: skip
    Access, Hash, RingBuf, SysctlContext, array, bpf, cgroup_sysctl, char, current, sizeof, struct,
    u8, u32, zero,
)  # fmt: skip


@struct
class Name:
    text: array[char, Literal[64]]


@struct
class Attempt:
    pid: u32
    name: Name


writable = Hash[Name, u8](max_entries=256)
attempts = RingBuf[Attempt](size=1 << 14)


@cgroup_sysctl
def sysctl_guard(ctx: SysctlContext) -> Access:
    if not ctx.write:
        return Access.ALLOW
    name = zero(Name)
    bpf.sysctl_get_name(ctx, name, sizeof(Name), 0)
    if name in writable:
        return Access.ALLOW
    with attempts.reserve() as attempt:
        if attempt is not None:
            attempt.pid = current.tgid
            attempt.name = name
    return Access.DENY
