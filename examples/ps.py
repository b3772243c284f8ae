"""`ps`, in the kernel: a line for each process, made by a task iterator while its link is read
(40 bytes for each process).

    $ ebee run examples/ps.py
    {pid: 4711, parent: 815, threads: 1, start: 73012345678, name: "bash"}
"""

from typing import Literal

from ebee import Iter, array, bpf, char, i32, iterator, sizeof, struct, u64
from ebee.vmlinux import bpf_iter_meta, task_struct


@struct
class Line:
    pid: i32
    parent: i32
    threads: i32
    exiting: i32
    start: u64
    name: array[char, Literal[16]]


@iterator("task")
def ps(meta: bpf_iter_meta, task: task_struct | None) -> Iter:
    if task is None or task.pid != task.tgid:
        return Iter.NEXT
    line = Line(
        pid=task.pid, parent=task.real_parent.tgid, threads=task.signal.nr_threads,
        exiting=i32(task.flags >> 2 & 1), start=task.start_time, name=task.comm,
    )  # fmt: skip
    bpf.seq_write(meta.seq, line, sizeof(Line))
    return Iter.NEXT
