"""Reads of files that take longer than `slow` nanoseconds: a probe at the beginning of the kernel's
function notes the time, one at its return asks how long it took.

    $ ebee run examples/slow_reads.py
    reading from a pipe that is empty for 50 ms: {pid: 4711, time: 50131877, result: 1}
"""

from ebee import (  # isort: skip
    Const, Hash, RingBuf, current, i64, kprobe, kretprobe, ktime_ns, struct, u32, u64,
)  # fmt: skip


@struct
class Slow:
    time: u64
    result: i64
    pid: u32


slow: Const[u64] = 10_000_000
started = Hash[u32, u64](max_entries=10240)
reads = RingBuf[Slow](size=1 << 16)


@kprobe("vfs_read")
def begins() -> None:
    started[current.pid] = ktime_ns()


@kretprobe("vfs_read")
def ends(result: i64) -> None:
    since = started.lookup(current.pid)
    if since is None:
        return
    time = ktime_ns() - since[0]
    del started[current.pid]
    if time <= slow:
        return
    with reads.reserve() as read:
        if read is not None:
            read.time = time
            read.result = result
            read.pid = current.tgid
