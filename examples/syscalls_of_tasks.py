"""System calls of each thread, and the time they took, kept with the thread itself: the value goes
when the thread goes. A thread that ends is reported.

    $ ebee run examples/syscalls_of_tasks.py
    a process that ends: {pid: 4711, calls: 61, time: 1883122, name: "true"}
"""

from typing import Literal

from ebee import (  # isort: skip
    RingBuf, TaskStorage, array, bpf, char, ktime_ns, struct, tp_btf, u32, u64,
)  # fmt: skip
from ebee.vmlinux import task_struct


@struct
class Calls:
    calls: u64
    time: u64
    since: u64


@struct
class Ended:
    pid: u32
    calls: u64
    time: u64
    name: array[char, Literal[16]]


threads = TaskStorage[Calls]()
ended = RingBuf[Ended](size=1 << 18)


@tp_btf("sys_enter")
def begins() -> None:
    value = threads.get(bpf.get_current_task_btf(), create=True)
    if value is not None:
        value.calls += 1
        value.since = ktime_ns()


@tp_btf("sys_exit")
def ends() -> None:
    value = threads.get(bpf.get_current_task_btf(), create=False)
    if value is not None and value.since:
        value.time += ktime_ns() - value.since
        value.since = u64(0)


@tp_btf("sched_process_exit")
def exits(task: task_struct) -> None:
    value = threads.get(task, create=False)
    if value is None:
        return
    with ended.reserve() as event:
        if event is not None:
            event.pid = u32(task.pid)
            event.calls = value.calls
            event.time = value.time
            event.name = task.comm
