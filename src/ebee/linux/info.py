"""What the kernel says about its objects: OBJ_GET_INFO_BY_FD, and walking all objects by id."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Iterator
from typing import Any, Literal, Protocol, TypeVar

from ebee.errors import KernelError
from ebee.linux.errors import refused
from ebee.linux.host import missing_capabilities
from ebee.linux.sys import CStruct, Fd, Value, call, info_layout, open_fd

Kind = Literal["prog", "map", "link", "btf"]
NOUNS: dict[Kind, str] = {"prog": "program", "map": "map", "link": "link", "btf": "BTF"}


class _Closed(Protocol):
    def close(self) -> None: ...


T = TypeVar("T", bound=_Closed)


class Info(dict[str, Any]):
    """An info structure's fields, as items and as attributes; names without their padding.

    It holds what the running kernel knows; asking for more is a KernelError.
    """

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            if name.startswith("__"):
                raise AttributeError(name) from None
            raise KernelError(f"the running kernel does not report {name!r}") from None


def object_info(fd: Fd, kind: Kind, **buffers: Value) -> Info:
    """The info of an object. `buffers` are fields that say where the kernel may put more."""
    info = CStruct(info_layout(kind), buffers)
    try:
        reply = call("OBJ_GET_INFO_BY_FD", bpf_fd=fd, info_len=len(info.data), info=info.data)
    except OSError as error:
        raise refused(error, f"read the info of a {NOUNS[kind]}", since="4.13") from None
    info.size = reply["info_len"]
    fields = info.items()
    if isinstance(name := fields.get("name"), bytes):
        fields["name"] = name.rstrip(b"\0").decode(errors="replace")
    if "tag" in fields:
        fields["tag"] = fields["tag"].hex()
    return Info(fields)


def ids(kind: Kind) -> Iterator[int]:
    """The ids of all objects of a kind, ascending; links since Linux 5.8, BTF since 5.4.

    Needs CAP_SYS_ADMIN.
    """
    found = 0
    while True:
        try:
            found = call(f"{kind.upper()}_GET_NEXT_ID", start_id=found, next_id=0)["next_id"]
        except OSError as error:
            if error.errno == errno.ENOENT:
                return
            since = {"link": "5.8", "btf": "5.4"}.get(kind, "4.13")
            doing = f"list the {NOUNS[kind]}s of the system"
            raise refused(error, doing, needs=("CAP_SYS_ADMIN",), since=since) from None
        yield found


def each(kind: Kind, open_: Callable[[int], T]) -> Iterator[T]:
    """All objects of a kind, opened by their ids, each until the next one is asked for; those that
    are gone meanwhile are left out.

        for program in each("prog", LinuxProgram.from_id): ...
    """
    for number in ids(kind):
        try:
            found = open_(number)
        except KernelError:
            continue
        try:
            yield found
        finally:
            found.close()


def open_id(kind: Kind, number: int) -> Fd:
    """The object with an id; KernelError when there is none. Needs CAP_SYS_ADMIN."""
    command = f"{kind.upper()}_GET_FD_BY_ID"
    try:
        return open_fd(command, **{f"{kind}_id": number})
    except OSError as error:
        why = "there is none" if error.errno == errno.ENOENT else ""
        doing = f"open {NOUNS[kind]} {number}"
        raise refused(error, doing, why, needs=("CAP_SYS_ADMIN",)) from None


def pin(fd: Fd, path: str | os.PathLike[str], what: str) -> None:
    """Pin an object under a name in a BPF file system, where it outlives this process."""
    try:
        call("OBJ_PIN", pathname=os.fspath(path), bpf_fd=fd)
    except OSError as error:
        why = {
            errno.EEXIST: "something is pinned there already",
            errno.ENOENT: "the folder does not exist",
        }.get(error.errno or 0, "")
        if error.errno == errno.EPERM and not missing_capabilities(("CAP_BPF",)):
            why = (
                "the folder is on no BPF file system (`mount -t bpf bpf /sys/fs/bpf` makes one),"
                " or the name holds a dot"
            )
        raise refused(error, f"pin {what} at {path}", why, needs=("CAP_BPF",)) from None


def open_pinned(path: str | os.PathLike[str], kind: Kind, flags: int = 0) -> Fd:
    """The object of a kind that is pinned at a path."""
    try:
        fd = open_fd("OBJ_GET", pathname=os.fspath(path), file_flags=flags)
    except OSError as error:
        why = {
            errno.ENOENT: "nothing is pinned there",
            errno.EACCES: "it is no pinned object, or not for this user to open",
        }.get(error.errno or 0, "")
        raise refused(error, f"open {path}", why, needs=("CAP_BPF",)) from None
    if kind_of(fd) != kind:
        fd.close()
        raise KernelError(f"{path} is no pinned {NOUNS[kind]}", errno.EINVAL)
    return fd


def kind_of(fd: Fd) -> str:
    """What a descriptor is of: "prog", "map", "link", "btf", or the name the kernel gives it."""
    name = os.readlink(f"/proc/self/fd/{fd.fileno()}")
    return re.sub(r"^anon_inode:(bpf[-_])?", "", name)
