"""Which programs run at probes that processes hold: perf events and raw tracepoints
(TASK_FD_QUERY), and the links that newer kernels have for them."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from typing import NamedTuple

from ebee.errors import KernelError
from ebee.linux.errors import refused
from ebee.linux.host import read
from ebee.linux.links import Link
from ebee.linux.owners import fdinfo
from ebee.linux.sys import Attributes, strerror, submit

KINDS = ("raw_tracepoint", "tracepoint", "kprobe", "kretprobe", "uprobe", "uretprobe")
"""enum bpf_task_fd_type."""
NAME_SIZE = 4096
_WATCHED = ("anon_inode:[perf_event]", "anon_inode:bpf-raw-tracepoint", "anon_inode:bpf_link")
_AT_PROBES = ("perf_event", "kprobe_multi", "uprobe_multi")


class Probe(NamedTuple):
    """A program behind a descriptor of a process: `kind` of event, its `name` (a tracepoint, a
    function, a file), `offset` in it, `address` of a kernel function without a name."""

    pid: int
    comm: str
    fd: int
    prog_id: int
    kind: str
    name: str
    offset: int
    address: int


def probes() -> Iterator[Probe]:
    """All of them, by process. Needs CAP_SYS_ADMIN; since Linux 4.18."""
    for entry in sorted(filter(str.isdecimal, os.listdir("/proc")), key=int):
        try:
            numbers = sorted(map(int, os.listdir(f"/proc/{entry}/fd")))
        except OSError:  # ended
            continue
        for number in numbers:
            if _is_watched(entry, number):
                found = query(int(entry), number) or _of_link(int(entry), number)
                if found is not None:
                    yield found


def _is_watched(pid: str, fd: int) -> bool:
    try:
        return os.readlink(f"/proc/{pid}/fd/{fd}") in _WATCHED
    except OSError:
        return False


def _of_link(pid: int, fd: int) -> Probe | None:
    """The probe that a link holds, whose event has no descriptor of its own."""
    number = fdinfo(pid, fd).get("link_id", "")
    if not number.isdecimal():
        return None
    try:
        with Link.from_id(int(number)) as link:
            info = link.info()
    except KernelError:  # gone meanwhile
        return None
    if info["type"] not in _AT_PROBES:
        return None
    kind = info.get("event") or info["type"]
    name = next((info[n] for n in ("func_name", "file_name", "tp_name", "path") if info.get(n)), "")
    if not name and "count" in info:
        name = f"{info['count']} functions"
    comm = read(f"/proc/{pid}/comm") or ""
    place = info.get("offset", 0), info.get("addr", 0)
    return Probe(pid, comm, fd, info["prog_id"], kind, name, *place)


def query(pid: int, fd: int) -> Probe | None:
    """The program behind one descriptor; None when there is none."""
    name = bytearray(NAME_SIZE)
    fields = {"pid": pid, "fd": fd, "buf_len": len(name), "buf": name, "prog_id": 0, "fd_type": 0,
              "probe_offset": 0, "probe_addr": 0}  # fmt: skip
    reply = Attributes("TASK_FD_QUERY", fields)
    code = submit(reply)
    if code in (errno.ENOTSUP, errno.ENOENT, errno.EBADF, errno.ESRCH, errno.EINVAL, 524):
        return None  # an event without a program, or gone meanwhile
    if code:
        doing = f"ask about descriptor {fd} of process {pid}"
        error = OSError(code, strerror(code))
        raise refused(error, doing, needs=("CAP_SYS_ADMIN",), since="4.18")
    number = reply["fd_type"]
    return Probe(
        pid,
        read(f"/proc/{pid}/comm") or "",
        fd,
        reply["prog_id"],
        KINDS[number] if number < len(KINDS) else f"type {number}",
        name.partition(b"\0")[0].decode(errors="replace"),
        reply["probe_offset"],
        reply["probe_addr"],
    )
