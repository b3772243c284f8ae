"""Files that are opened: who, which, and what came of it. The name is read when the call begins,
its result when it ends.

    $ ebee run examples/open_snooper.py
    open("/etc/hostname") of process 4711: {pid: 4711, result: 3, file: "/etc/hostname"};
    a file that is not there: result -2
"""

from typing import Literal

from ebee import (  # isort: skip
    Hash, RingBuf, array, bpf, char, current, i32, i64, struct, tracepoint, u32, u64,
)  # fmt: skip


@struct
class Enter:
    common: u64
    number: u64
    directory: i64
    name: u64
    flags: u64
    mode: u64


@struct
class Exit:
    common: u64
    number: u64
    result: i64


@struct
class Opened:
    pid: u32
    result: i32
    name: array[char, Literal[16]]
    file: array[char, Literal[128]]


names = Hash[u32, u64](max_entries=10240)
opened = RingBuf[Opened](size=1 << 18)


@tracepoint("syscalls/sys_enter_openat")
def begins(ctx: Enter) -> None:
    names[current.pid] = ctx.name


@tracepoint("syscalls/sys_exit_openat")
def ends(ctx: Exit) -> None:
    thread = current.pid
    name = names.lookup(thread)
    if name is None:
        return
    with opened.reserve() as event:
        if event is not None:
            event.pid = current.tgid
            event.result = i32(ctx.result)
            event.name = current.comm
            bpf.probe_read_user_str(event.file, 128, name[0])
    del names[thread]
