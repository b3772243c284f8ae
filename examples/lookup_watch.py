"""Names that programs look up: the arguments and the result of the C library's getaddrinfo(), which
uprobes see, whoever calls it.

    $ ebee run examples/lookup_watch.py
    socket.getaddrinfo("localhost", None): {pid: 4711, result: 0, name: "localhost"}
"""

from typing import Literal

from ebee import (  # isort: skip
    Hash, RingBuf, array, bpf, char, current, i32, struct, u32, u64, uprobe, uretprobe,
)  # fmt: skip


@struct
class Lookup:
    pid: u32
    result: i32
    name: array[char, Literal[64]]


asked = Hash[u32, u64](max_entries=10240)
lookups = RingBuf[Lookup](size=1 << 16)


@uprobe("libc:getaddrinfo")
def asks(name: u64) -> None:
    asked[current.pid] = name


@uretprobe("libc:getaddrinfo")
def answers(result: i32) -> None:
    thread = current.pid
    name = asked.lookup(thread)
    if name is None:
        return
    with lookups.reserve() as lookup:
        if lookup is not None:
            lookup.pid = current.tgid
            lookup.result = result
            bpf.probe_read_user_str(lookup.name, 64, name[0])
    del asked[thread]
