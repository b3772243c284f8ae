"""Tells who changes the priority of which process: a record for each call of setpriority(), whose
arguments are in the registers of the process (here of x86-64).

ebee run examples/priority_watch.py
setpriority(PRIO_PROCESS, 4194304, 3): {pid: 4711, who: 4194304, priority: 3, name: "python3"}
"""

from typing import Literal

from ebee import (
    RawContext,
    RingBuf,
    array,
    cast,
    char,
    current,
    i32,
    ktime_ns,
    raw_tracepoint,
    struct,
    u32,
    u64,
)
from ebee.vmlinux import pt_regs

SETPRIORITY = 141


@struct
class Change:
    time: u64
    pid: u32
    uid: u32
    who: i32
    priority: i32
    name: array[char, Literal[16]]


changes = RingBuf[Change](size=1 << 16)


@raw_tracepoint("sys_enter")
def priority_watch(ctx: RawContext) -> None:
    if ctx.args[1] != SETPRIORITY:
        return
    with changes.reserve() as change:
        if change is None:
            return
        change.time = ktime_ns()
        change.pid = current.tgid
        change.uid = current.uid
        registers = cast(pt_regs, ctx.args[0])
        change.who = i32(registers.si)
        change.priority = i32(registers.dx)
        change.name = current.comm
