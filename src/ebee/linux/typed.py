"""Typed handles of kernel maps, and what keys and values stand for where they are no plain data.

obj.maps["targets"][3] = "veth1"                        a devmap: an interface
obj.maps["targets"][3] = ("veth1", obj.programs["p"])   and a program that runs before it
obj.maps["cpus"][0] = (192, obj.programs["p"])          a cpumap: queue size, and a program
obj.maps["sockets"][0] = connection                     sockmap, sockhash, xskmap, ...: a socket
obj.maps["inner"][0] = obj.maps["counts"]               maps and programs
obj.maps["per_task"][os.getpid()]                       task storage: a process
obj.maps["per_cgroup"]["/sys/fs/cgroup/x"]              cgroup storage: a path; files alike
"""

from __future__ import annotations

import errno
import os
import struct
import sys
from collections.abc import Callable
from mmap import mmap
from typing import Any, NamedTuple, TypeAlias

from ebee.errors import BtfError, KernelError
from ebee.linux.arena import ArenaMemory
from ebee.linux.maps import LinuxMap
from ebee.linux.programs import LinuxProgram
from ebee.linux.sys import Fd
from ebee.maps import by_name
from ebee.obj import handles
from ebee.obj.spec import MapSpec

Memory: TypeAlias = mmap | ArenaMemory
_NO_BATCH = (errno.EINVAL, errno.EOPNOTSUPP, 524)


class Redirect(NamedTuple):
    """An element of a devmap or cpumap as it is read: the interface's number, or the size of the
    queue; and the id of the program that runs there (0: none)."""

    target: int
    program: int


class KernelMap(handles.Map):
    """A typed map of the kernel; `raw` is the LinuxMap."""

    raw: LinuxMap

    def __init__(
        self,
        raw: LinuxMap,
        spec: MapSpec | None = None,
        btf: Any = None,
        memory: Callable[[], Memory] | None = None,
    ):
        super().__init__(raw, spec, btf)
        self._memory = memory

    def freeze(self) -> None:
        """No more changes from user space, for good. Since Linux 5.2."""
        self.raw.freeze()

    def pin(self, path: str | os.PathLike[str]) -> None:
        """Give the map a name in a BPF file system, which keeps it alive."""
        self.raw.pin(path)

    def memory(self) -> Memory:
        """An arena's pages, or the values of an array made with BPF_F_MMAPABLE, as memory that
        programs share; an object's own closes with it, any other is the caller's to close."""
        if self._memory is not None:
            return self._memory()
        return ArenaMemory(self.raw) if self.type == "arena" else self.raw.mmap()

    def drain(self) -> list[tuple[Any, Any]]:
        """All elements, which are removed: each is given or stays, none is lost in between.

        In batches where the map has these (hashes, Linux 5.6), else one by one.
        """
        found: list[tuple[bytes, bytes]] = []
        token: bytes | None = None
        try:
            while True:
                keys, values, token = self.raw.lookup_batch(token, delete=True)
                found += zip(keys, values, strict=True)
                if token is None:
                    break
        except KernelError as error:
            if error.errno not in _NO_BATCH or found:
                raise
            for key in list(self.raw.keys()):
                value = self._pop(key)
                if value is not None:
                    found.append((key, value))
        return [(self.decode_key(key), self.decode_value(value)) for key, value in found]

    def _pop(self, key: bytes) -> bytes | None:
        try:
            return self.raw.lookup_and_delete(key)
        except KernelError as error:
            if error.errno not in _NO_BATCH:
                raise
        value = self.raw.lookup(key)
        if value is not None:
            self.raw.delete(key)
        return value


class HandleMap(KernelMap):
    """Values are programs, maps, sockets, perf events or cgroups, given as what holds them open:
    an object with a descriptor (programs and maps: also their ids; a cgroup: also its path).
    Reading gives ids, of sockets cookies, where the kernel tells them."""

    def encode_value(self, value: Any) -> bytes:
        """The descriptor as bytes; BtfError when it is of nothing that the map can hold."""
        kind = _holds(self.type)
        held = getattr(value, "raw", value) if kind in ("program", "map") else value
        kinds: dict[str, type[LinuxMap | LinuxProgram]]
        kinds = {"map": LinuxMap, "program": LinuxProgram}
        wanted = kinds.get(kind)
        if wanted is not None and type(held) is int:
            held = wanted.from_id(held)
        if wanted is not None and not isinstance(held, wanted):
            raise BtfError(f"map {self.name} holds loaded {kind}s, not {value!r}")
        if kind == "cgroup" and isinstance(held, str | os.PathLike):
            held = _open(held, os.O_DIRECTORY)
        return _Held(descriptor(held, self.name, kind), self.raw.value_size)


class RedirectMap(KernelMap):
    """A devmap or cpumap: an interface (name or number) or a queue size, or that and a program."""

    def encode_value(self, value: Any) -> bytes:
        """The value as bytes; BtfError when it is none."""
        target, program = value if isinstance(value, tuple) else (value, None)
        if isinstance(target, str) and "devmap" in self.type:
            try:
                import socket

                target = socket.if_nametoindex(target)
            except OSError:
                raise BtfError(f"map {self.name}: there is no interface {target!r} here") from None
        if not isinstance(target, int):
            return super().encode_value(value)
        held: Any = 0
        if program:
            held = descriptor(getattr(program, "raw", program), self.name, "program")
            held = held if isinstance(held, int) else held.fileno()
        if held and self.raw.value_size < 8:
            raise BtfError(f"map {self.name} has values of 4 bytes, with no room for a program")
        try:
            packed = struct.pack("=Ii", target, held)[: self.raw.value_size]
        except struct.error:
            raise BtfError(f"map {self.name}: {target} is no 32-bit number") from None
        return packed.ljust(self.raw.value_size, b"\0")

    def decode_value(self, raw: bytes) -> Any:
        """The interface's number or the queue's size; with room for a program a Redirect."""
        target, program = struct.unpack("=II", raw[:8].ljust(8, b"\0"))
        return Redirect(target, program) if len(raw) >= 8 else target


class StorageMap(KernelMap):
    """A value for each socket, process, file or cgroup. A key is what has a descriptor; a process
    may be given by its id, a file or cgroup by its path. Such maps cannot be walked."""

    def encode_key(self, key: Any) -> bytes:
        """The descriptor as bytes; BtfError when the key is nothing that has storage."""
        what = self.type.removesuffix("_storage")
        if what == "task" and isinstance(key, int):
            try:
                key = Fd(os.pidfd_open(key))
            except OSError as error:
                raise BtfError(f"map {self.name}: process {key}: {error.strerror}") from None
        elif what in ("inode", "cgrp") and isinstance(key, str | os.PathLike):
            key = _open(key, os.O_DIRECTORY if what == "cgrp" else 0)
        return _Held(descriptor(key, self.name, STORED[what]), 4)


class CgroupStorageMap(KernelMap):
    """A value for each cgroup that a program is attached to: keys are the cgroup's path or id
    (with the attach type's number, where the map tells these apart)."""

    def encode_key(self, key: Any) -> bytes:
        """The id of the cgroup, and the attach type."""
        cgroup, kind = key if isinstance(key, tuple) and len(key) == 2 else (key, 0)
        if isinstance(cgroup, str | os.PathLike):
            try:
                cgroup = os.stat(cgroup).st_ino
            except OSError as error:
                raise BtfError(f"map {self.name}: {cgroup}: {error.strerror}") from None
        if not isinstance(cgroup, int) or not isinstance(kind, int):
            return super().encode_key(key)
        return struct.pack("=QI4x", cgroup, kind)[: self.raw.key_size]


STORED = {"sk": "socket", "task": "process", "inode": "file", "cgrp": "cgroup"}


def typed(
    raw: LinuxMap,
    spec: MapSpec | None = None,
    btf: Any = None,
    memory: Callable[[], Memory] | None = None,
) -> KernelMap:
    """The handle for a map's type."""
    made: type[KernelMap] = KernelMap
    if raw.type in ("devmap", "devmap_hash", "cpumap"):
        made = RedirectMap
    elif raw.type in ("cgroup_storage", "percpu_cgroup_storage"):
        made = CgroupStorageMap
    elif raw.type.endswith("_storage"):
        made = StorageMap
    elif _holds(raw.type):
        made = HandleMap
    return made(raw, spec, btf, memory)


def _holds(type: str) -> str:
    declared = by_name(type)
    return (declared.handle if declared else "") or ""


class _Held(bytes):
    """A descriptor in bytes, which keeps what was opened for it open as long as it is used."""

    holder: Any

    def __new__(cls, holder: Any, size: int) -> _Held:
        number = holder if isinstance(holder, int) else holder.fileno()
        made = super().__new__(cls, number.to_bytes(size, sys.byteorder))
        made.holder = holder
        return made


def descriptor(value: Any, owner: str, what: str) -> Any:
    """What holds a descriptor open: the value itself, its `fd`, or a plain number."""
    held = getattr(value, "fd", value)
    if isinstance(held, bool) or not (isinstance(held, int) or hasattr(held, "fileno")):
        raise BtfError(f"map {owner}: {value!r} is no {what or 'descriptor'} that is open")
    number = held if isinstance(held, int) else held.fileno()
    if number < 0:
        raise BtfError(f"map {owner}: the {what or 'descriptor'} is closed")
    return held


def _open(path: str | os.PathLike[str], flags: int) -> Fd:
    try:
        return Fd(os.open(path, os.O_RDONLY | os.O_CLOEXEC | flags))
    except OSError as error:
        raise BtfError(f"cannot open {os.fspath(path)}: {error.strerror}") from None
