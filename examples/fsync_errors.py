"""Calls of fsync() and its like, and those that fail: arguments and result of the kernel's own
function, by their types.

    $ ebee run examples/fsync_errors.py
    fsync() of a file: calls = 1, failed = 0
"""

from ebee import Global, atomic, fexit, i32, i64, u64
from ebee.vmlinux import file

calls: Global[atomic[u64]] = 0
failed: Global[atomic[u64]] = 0


@fexit("vfs_fsync_range")
def fsync_errors(opened: file, start: i64, end: i64, datasync: i32, result: i32) -> None:
    global calls, failed
    calls += 1
    if result < 0:
        failed += 1
