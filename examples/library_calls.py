"""Calls of a library's functions by pattern, and their returns: one attachment for all functions of
libc whose names begin with "getp", counted by process.

    $ ebee run examples/library_calls.py
    os.getppid() three times: calls[pid] >= 3, returns[pid] the same
"""

from ebee import Hash, atomic_add, current, u32, u64

from ebee import uprobe_multi, uretprobe_multi  # isort: skip


calls = Hash[u32, u64](max_entries=10_000)
returns = Hash[u32, u64](max_entries=10_000)


@uprobe_multi("libc:getp*")
def called() -> None:
    found = calls.lookup(current.tgid)
    if found is None:
        calls[current.tgid] = u64(1)
    else:
        atomic_add(found[0], 1)


@uretprobe_multi("libc:getp*")
def returned() -> None:
    found = returns.lookup(current.tgid)
    if found is None:
        returns[current.tgid] = u64(1)
    else:
        atomic_add(found[0], 1)
