"""Iterators: programs whose output is read like a file, once for each object of the kernel."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Iterator as PyIterator
from typing import Any, Literal

from ebee.errors import KernelError
from ebee.linux import uapi
from ebee.linux.attach.common import opened
from ebee.linux.errors import older_than, refused, version_text
from ebee.linux.links import HasFd, Link, create
from ebee.linux.programs import LinuxProgram
from ebee.linux.sys import Fd, open_fd

Order = Literal["self", "descendants", "descendants_post", "ancestors"]
ORDERS = {"self": 1, "descendants": 2, "descendants_post": 3, "ancestors": 4}
"""enum bpf_cgroup_iter_order."""
NEEDS = ("CAP_BPF", "CAP_PERFMON")


class IteratorLink(Link):
    """A program that walks the kernel's objects each time it is read.

    with program.attach() as walk:
        print(walk.read())
        for line in walk: ...
    """

    def open(self) -> io.BufferedReader:
        """Begin a walk: a file of what the program writes, which ends with the last object."""
        try:
            fd = open_fd("ITER_CREATE", link_fd=self.fd)
        except OSError as error:
            raise refused(error, f"begin to walk {self.target}", since="5.8") from None
        return open(fd.detach(), "rb")

    def read(self) -> bytes:
        """All that one walk writes; KernelError when the program or the walk fails."""
        with self.open() as file:
            try:
                return file.read()
            except OSError as error:
                raise refused(error, f"walk {self.target}") from None

    def text(self) -> str:
        """What one walk writes, as text; bytes that are none are replaced."""
        return self.read().decode(errors="replace")

    def __iter__(self) -> PyIterator[str]:
        """The lines that one walk writes, without their ends, as they are read."""
        with self.open() as file:
            try:
                for line in file:
                    yield line.decode(errors="replace").rstrip("\n")
            except OSError as error:
                raise refused(error, f"walk {self.target}") from None

    @classmethod
    def get(cls, path: str | os.PathLike[str]) -> IteratorLink:
        """The iterator pinned at a path (which can also be read like any file: `cat PATH`)."""
        from ebee.linux.info import open_pinned

        return cls(open_pinned(path, "link"), os.fspath(path))


def iterator(
    program: LinuxProgram,
    *,
    map: HasFd | None = None,
    pid: int = 0,
    tid: int = 0,
    pidfd: int = 0,
    cgroup: str | os.PathLike[str] = "",
    order: Order = "self",
) -> IteratorLink:
    """Attach an iterator to what it was loaded for (tasks, sockets, ...). Since Linux 5.8.

    `map`: whose elements are walked (bpf_map_elem, bpf_sk_storage_map, sockmap); since 5.9.
    `pid` (or `pidfd`), `tid`: only that process or thread (task, task_file, task_vma); since 6.1.
    `cgroup`: the folder of the cgroup where a walk begins, and the `order`: "self" (only it),
    "descendants" (itself before them), "descendants_post" (after), "ancestors"; since 6.1.
    """
    parts = {"map": map is not None, "pid": pid, "tid": tid, "pidfd": pidfd, "cgroup": cgroup}
    given = [name for name, value in parts.items() if value]
    if len(given) > 1:
        raise KernelError(f"an iterator takes one of {', '.join(parts)}, not {' and '.join(given)}")
    if order not in ORDERS:
        raise KernelError(f"{order!r} is no order; there are: {', '.join(ORDERS)}")
    since = "5.9" if map is not None else "6.1" if given else "5.8"
    if older_than(since):
        text = f"walking by {given[0]} requires Linux >= {since}; this is {version_text()}"
        raise KernelError(text, errno.EOPNOTSUPP)
    folder = opened(os.fspath(cgroup), os.O_DIRECTORY) if cgroup else None
    try:
        info = _info(getattr(map, "raw", map), (tid, pid, pidfd), folder, ORDERS[order])
        target = "its objects" + (f" by {given[0]}" if given else "")
        fields: dict[str, Any] = {"attach_type": uapi.ATTACH_TYPES["trace_iter"]}
        if info:
            fields |= {"iter_info": info, "iter_info_len": len(info)}
        needed = "this kind of iterator needs what it is to walk: map= or cgroup="
        why = {
            errno.EINVAL: f"this kind of iterator does not take {given[0]}=" if given else needed,
            errno.EBADF: f"{cgroup} is no cgroup of version 2" if given else needed,
            errno.EACCES: "the program reads or writes more than the map's elements have",
            errno.ESRCH: f"there is no process or thread {pid or tid}",
        }
        made = create(program, target, fields, why, since, NEEDS)
    finally:
        if folder is not None:
            folder.close()
    return IteratorLink(made.fd, target)


def _info(map: Any, task: tuple[int, int, int], folder: Fd | None, order: int) -> bytes:
    """union bpf_iter_link_info; empty when nothing is said."""
    import struct

    if map is not None:
        return struct.pack("=I", map.fd.fileno())
    if folder is not None:
        return struct.pack("=IIQ", order, folder.fileno(), 0)
    return struct.pack("=III4x", *task) if any(task) else b""
