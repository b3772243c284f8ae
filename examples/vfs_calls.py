"""Calls of all functions of the kernel whose names begin with "vfs_", by function and process: one
probe for many functions.

    $ ebee run examples/vfs_calls.py
    a process that reads twice: {vfs_read, 4711}: 2 (by the function's address)
"""

from ebee import (  # isort: skip
    Hash, RegistersContext, atomic_add, bpf, current, kprobe_multi, struct, u32, u64,
)  # fmt: skip


@struct
class Call:
    function: u64
    pid: u32
    unused: u32


calls = Hash[Call, u64](max_entries=10240)


@kprobe_multi("vfs_*")
def vfs_calls(ctx: RegistersContext) -> None:
    key = Call(function=u64(bpf.get_func_ip(ctx)), pid=current.tgid, unused=u32(0))
    count = calls.lookup(key)
    if count is None:
        calls[key] = u64(1)
    else:
        atomic_add(count[0], 1)
