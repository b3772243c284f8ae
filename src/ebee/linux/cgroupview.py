"""Which programs are attached to cgroups."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from ebee.errors import EbeeError, KernelError
from ebee.linux import uapi
from ebee.linux.attach.common import opened
from ebee.linux.flags import BPF_F_ALLOW_MULTI, BPF_F_ALLOW_OVERRIDE, BPF_F_PREORDER
from ebee.linux.host import read
from ebee.linux.info import each
from ebee.linux.links import Link
from ebee.linux.programs import LinuxProgram
from ebee.linux.query import query

ATTACH_TYPES = [name for name in uapi.ATTACH_TYPES if name.startswith("cgroup_")] + ["lsm_cgroup"]
FLAGS = {BPF_F_ALLOW_MULTI: "multi", BPF_F_ALLOW_OVERRIDE: "override"}

Row = dict[str, Any]


def root() -> str:
    """Where cgroups of version 2 are mounted. KernelError when they are not."""
    for line in (read("/proc/self/mounts") or "").splitlines():
        _, path, kind, *_ = line.split(" ")
        if kind == "cgroup2":
            return path.replace("\\040", " ")
    raise KernelError(
        "cgroups of version 2 are not mounted; `mount -t cgroup2 cgroup2 DIR` does that",
        errno.ENOENT,
    )


class View:
    """Looks at cgroups; names and links are asked for once."""

    def __init__(self) -> None:
        self._about: dict[int, Row] = {}
        self._links: dict[tuple[int, int, int], int] | None = None
        self._unknown: set[str] = set()

    def show(self, path: str, effective: bool = False) -> list[Row]:
        """The programs of a cgroup: `id`, `name`, `attach_type`, `attach_flags` ("multi",
        "override", "" for one alone), `preorder`, and `link_id` where a link holds it. With
        `effective` all that run for the group, in their order, without flags.

        KernelError when the path is no cgroup of version 2. Needs CAP_NET_ADMIN.
        """
        rows: list[Row] = []
        with opened(path, os.O_DIRECTORY) as folder:
            group = os.fstat(folder.fileno()).st_ino
            for name in ATTACH_TYPES:
                if name in self._unknown:
                    continue
                try:
                    found = query(folder, name, effective)
                except KernelError as error:
                    if error.errno == errno.EINVAL:  # newer than this kernel
                        self._unknown.add(name)
                        continue
                    if error.errno == errno.EBADF:
                        text = f"{path} is no cgroup of version 2"
                        raise KernelError(text, error.errno) from None
                    raise
                for entry in found.programs:
                    row: Row = {"id": entry.prog_id, "attach_type": name}
                    if not effective:
                        flags = entry.flags or found.flags
                        row["attach_flags"] = FLAGS.get(flags & 3, "")
                        row["preorder"] = bool(flags & BPF_F_PREORDER)
                        link = self._link(group, name, entry.prog_id)
                        row |= {"link_id": link} if link else {}
                    rows.append(row | self._program(entry.prog_id))
        return rows

    def tree(self, top: str, effective: bool = False) -> Iterator[tuple[str, list[Row]]]:
        """(cgroup, its programs) for all below `top` that have some."""
        for path, folders, _ in os.walk(top):
            folders.sort()
            with suppress(FileNotFoundError):
                try:
                    rows = self.show(path, effective)
                except KernelError as error:
                    if error.errno == errno.ENOENT:  # gone meanwhile
                        continue
                    raise
                if rows:
                    yield path, rows

    def _program(self, number: int) -> Row:
        """Its name, and of lsm_cgroup the function: number of BTF, number in it, name."""
        if number not in self._about:
            row: Row = dict.fromkeys(("attach_btf_obj_id", "attach_btf_id"), 0)
            row |= {"name": "", "attach_btf_name": ""}
            with suppress(KernelError), LinuxProgram.from_id(number) as program:
                info = program.info()
                row |= {"name": program.name}
                row |= {key: info.get(key, 0) for key in ("attach_btf_obj_id", "attach_btf_id")}
                if row["attach_btf_id"]:
                    row["attach_btf_name"] = _function(**row)
            self._about[number] = row
        return self._about[number]

    def _link(self, group: int, name: str, program: int) -> int | None:
        if self._links is None:
            self._links = {}
            with suppress(KernelError):
                for link in each("link", Link.from_id):
                    info = link.info()
                    if info.type == "cgroup":
                        key = info.cgroup_id, info.attach_type, info.prog_id
                        self._links[key] = info.id
        return self._links.get((group, uapi.ATTACH_TYPES[name], program))


def _function(attach_btf_obj_id: int, attach_btf_id: int, **_: Any) -> str:
    """The name of a kernel function, by its number in BTF of the kernel."""
    from ebee.btf import Btf
    from ebee.linux.held_btf import VMLINUX, by_id, listing

    with suppress(EbeeError):
        names = {held.id: held.name for held in listing() if held.kernel}
        vmlinux = names.get(attach_btf_obj_id, VMLINUX) == VMLINUX
        types = Btf.vmlinux() if vmlinux else by_id(attach_btf_obj_id)
        return str(getattr(types.type(attach_btf_id), "name", ""))
    return ""


def detach(path: str, attach_type: str, program: LinuxProgram) -> None:
    """Take a program off a cgroup that was attached without a link."""
    from ebee.linux.errors import refused
    from ebee.linux.sys import call

    number = uapi.ATTACH_TYPES[attach_type]
    with opened(path, os.O_DIRECTORY) as folder:
        try:
            call("PROG_DETACH", target_fd=folder, attach_bpf_fd=program.fd, attach_type=number)
        except OSError as error:
            why = {
                errno.ENOENT: "it is not attached there, or a link holds it",
                errno.EBADF: "that is no cgroup of version 2",
            }.get(error.errno or 0, "")
            doing = f"detach program {program.name!r} from cgroup {path}"
            raise refused(error, doing, why, needs=("CAP_NET_ADMIN",)) from None
