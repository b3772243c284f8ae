"""Every program that is started: process id, user id, name.

ebee run examples/exec_snooper.py
/bin/true is started: {pid: 4711, uid: 0, name: "true"}
"""

from typing import Literal

from ebee import RingBuf, array, bpf, char, i32, struct, tracepoint, u32, u64


@struct
class Record:
    """/sys/kernel/tracing/events/sched/sched_process_exec/format"""

    common: u64
    filename: u32  # where the name is in the record, and how long
    pid: i32
    old_pid: i32


@struct
class Exec:
    pid: i32
    uid: u32
    name: array[char, Literal[16]]


events = RingBuf[Exec](size=1 << 16)


@tracepoint("sched/sched_process_exec")
def exec_snooper(ctx: Record) -> int:
    with events.reserve() as event:
        if event is not None:
            event.pid = ctx.pid
            event.uid = u32(bpf.get_current_uid_gid())
            bpf.get_current_comm(event.name, 16)
    return 0
