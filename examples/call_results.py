"""System calls and functions that fail, from their results: openat() by error number, with the time
it took; all of the kernel's functions `vfs_*` that gave an error.

    $ ebee run examples/call_results.py
    a file that is not there: errors[2] = 1; failed counts vfs functions with results below 0
"""

from ebee import (  # isort: skip
    Global, Hash, atomic, current, kretprobe_multi, kretsyscall, ksyscall, ktime_ns, u32, u64, i64,
)  # fmt: skip

begun = Hash[u32, u64](max_entries=10_000)
errors = Hash[u32, u64](max_entries=256)
slowest: Global[u64] = 0
failed: Global[atomic[u64]] = 0


@ksyscall("openat")
def begins(folder: u64, name: u64) -> None:
    begun[current.pid] = ktime_ns()


@kretsyscall("openat")
def ends(result: i64) -> None:
    global slowest
    since = begun.lookup(current.pid)
    if since is None:
        return
    slowest = max(slowest, ktime_ns() - since[0])
    del begun[current.pid]
    if result < 0:
        error = u32(-result)
        errors[error] = errors.get(error, 0) + 1


@kretprobe_multi("vfs_*")
def fails(result: i64) -> None:
    global failed
    if -4096 < result < 0:
        failed += 1
