"""Kernel maps, byte for byte: create, open, look up, change, walk, batch, pin, map into memory.

A key or a value here is `bytes` exactly as bpf() takes it. A per-CPU value is one slot for each
possible CPU, each slot rounded up to 8 bytes.
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from ebee.errors import KernelError
from ebee.linux import features, uapi
from ebee.linux.errors import ENOTSUPP, name_of, object_name, older_than, refused
from ebee.linux.host import possible_cpus
from ebee.linux.info import Info, object_info, open_id, open_pinned, pin
from ebee.linux.sys import Attributes, Fd, call, last_errno, open_fd, strerror, submit, syscall
from ebee.maps import by_id, by_name
from ebee.maps.why import doing
from ebee.obj.handles import RawMapDefaults

if TYPE_CHECKING:
    from mmap import mmap

    from ebee.obj.spec import MapSpec

# Of two names for a number (cgroup_storage_deprecated, cgroup_storage) the second is current.
MAP_TYPE_NAMES = {number: name for name, number in uapi.MAP_TYPES.items()}
BATCH, BATCH_BYTES = 4096, 1 << 22  # What one batch asks for at most.
_LOOKUP, _UPDATE, _DELETE, _LOOKUP_AND_DELETE = (
    uapi.COMMANDS[f"MAP_{name}_ELEM"][0]
    for name in ("LOOKUP", "UPDATE", "DELETE", "LOOKUP_AND_DELETE")
)
_NEXT_KEY = uapi.COMMANDS["MAP_GET_NEXT_KEY"][0]
_ELEM = uapi.ATTRIBUTES["elem"]
_AT_FLAGS = _ELEM["flags"][0]
_ELEM_SIZE = _AT_FLAGS + 8
_FLAGS = struct.Struct("=Q")

# Why an operation on an element failed, by (operation, errno); "" stands for any operation.
WHY = {
    ("update", errno.EEXIST): "the key is there already (BPF_NOEXIST)",
    ("update", errno.ENOENT): "the key is not there (BPF_EXIST)",
    ("delete", errno.ENOENT): "the key is not there",
    ("delete", errno.EINVAL): "elements of this map cannot be deleted (sockmap: none is there)",
    ("lookup", errno.ENOSPC): "its values are too short for a socket's cookie, 8 bytes are needed",
    ("lookup_and_delete", errno.ENOENT): "there is nothing",
    ("", errno.EPERM): "the map is frozen or read-only here",
    ("", ENOTSUPP): "a {type} map has no such operation",
    ("", errno.EOPNOTSUPP): "a {type} map has no such operation",
    ("", errno.EINVAL): "the key, the value or the flags are not valid for a {type} map",
    ("", errno.ENOMEM): "no memory for another element",
    ("", errno.EBADF): "the value is no descriptor of what the map holds",
}


def entries(spec: MapSpec) -> int:
    """max_entries as the kernel gets it, completed as libbpf does: a perf_event_array without any
    has one for each CPU; a ring buffer is rounded up to a power of two of pages."""
    if spec.type == "perf_event_array" and not spec.max_entries:
        return possible_cpus()
    if spec.type in ("ringbuf", "user_ringbuf") and spec.max_entries:
        return max(os.sysconf("SC_PAGESIZE"), 1 << (spec.max_entries - 1).bit_length())
    return spec.max_entries


class _Slot:
    """The buffers of one element operation; a map keeps those that are not in use."""

    __slots__ = ("attr", "key", "value")

    def __init__(self, fd: int, key_size: int, value_bytes: int):
        import ctypes

        self.key = ctypes.create_string_buffer(max(key_size, 1))
        self.value = ctypes.create_string_buffer(max(value_bytes, key_size, 1))
        self.attr = ctypes.create_string_buffer(_ELEM_SIZE)
        struct.pack_into("=I4xQQQ", self.attr, 0, fd, 0, ctypes.addressof(self.value), 0)
        if key_size:
            struct.pack_into("=Q", self.attr, _ELEM["key"][0], ctypes.addressof(self.key))


class LinuxMap(RawMapDefaults):
    """One map of the kernel.

    Attributes as it was created: `type` (its name, "hash"), `name`, `key_size`, `value_size`,
    `max_entries`, `flags`. `value_bytes` is the length of a value as bpf() takes and gives it.
    All operations may be called from several threads. Closed by close(), `with`, or when collected;
    the kernel's map lives on while a program, a pin or another process holds it.
    """

    def __init__(self, fd: Fd, info: Info):
        self.fd = fd
        self.type = MAP_TYPE_NAMES.get(info.type, f"type_{info.type}")
        self.name: str = info.get("name", "")
        self.key_size: int = info.key_size
        self.value_size: int = info.value_size
        self.max_entries: int = info.max_entries
        self.flags: int = info.map_flags
        self.id: int = info.id
        declared = by_id(info.type)
        if declared is not None and declared.per_cpu:
            self.value_bytes = (self.value_size + 7 & ~7) * possible_cpus()
        else:
            self.value_bytes = self.value_size
        self._slots: list[_Slot] = []
        self._syscall = syscall()
        self._unbatched: set[str] = set()  # batch commands that the kernel has refused

    # -- making and finding ------------------------------------------------------------------

    @classmethod
    def create(
        cls,
        type: str,
        key_size: int = 0,
        value_size: int = 0,
        max_entries: int = 0,
        *,
        name: str = "",
        flags: int = 0,
        inner: LinuxMap | None = None,
        numa_node: int | None = None,
        map_extra: int = 0,
        btf: Fd | None = None,
        key_btf_id: int = 0,
        value_btf_id: int = 0,
        **attributes: Any,
    ) -> LinuxMap:
        """A new map. `inner` is the pattern of a map-in-map; `btf` describes key and value.

        `attributes` are further attributes of BPF_MAP_CREATE by name. Raises KernelError.
        """
        number = _type_number(type)
        attributes |= {"map_name": object_name(name)} if name and features.has("names") else {}
        attributes |= {"inner_map_fd": inner.fd} if inner is not None else {}
        attributes |= {"map_extra": map_extra} if map_extra else {}
        if numa_node is not None:
            attributes["numa_node"] = numa_node
            flags |= uapi.BPF_F_NUMA_NODE
        declared = by_id(number)
        described = declared is None or declared.btf != "forbidden"
        if btf is not None and value_btf_id and described:
            attributes |= {
                "btf_fd": btf, "btf_key_type_id": key_btf_id, "btf_value_type_id": value_btf_id
            }  # fmt: skip
        sizes = {"key_size": key_size, "value_size": value_size, "max_entries": max_entries}
        try:
            fd = open_fd("MAP_CREATE", map_type=number, **sizes, map_flags=flags, **attributes)
        except OSError as error:
            raise _create_error(error, type, name, sizes, flags) from None
        given = {"type": number, "map_flags": flags, "name": object_name(name).decode()}
        try:
            return cls(fd, object_info(fd, "map"))
        except KernelError:  # before Linux 4.13
            return cls(fd, Info(given, id=0, **sizes))

    @classmethod
    def from_spec(
        cls,
        spec: MapSpec,
        btf: Fd | None = None,
        inner: LinuxMap | None = None,
        **attributes: Any,
    ) -> LinuxMap:
        """A new map as its spec says, see `entries`; `attributes` as for `create`."""
        return cls.create(
            spec.type,
            spec.key_size,
            spec.value_size,
            entries(spec),
            name=spec.name,
            flags=spec.flags,
            inner=inner,
            numa_node=spec.numa_node,
            map_extra=spec.map_extra,
            btf=btf,
            key_btf_id=spec.key_btf_id,
            value_btf_id=spec.value_btf_id,
            **attributes,
        )

    @classmethod
    def from_fd(cls, fd: Fd) -> LinuxMap:
        """The map of a descriptor, which the map owns from now on."""
        return cls(fd, object_info(fd, "map"))

    @classmethod
    def from_id(cls, number: int) -> LinuxMap:
        """The map with that id. Needs CAP_SYS_ADMIN."""
        return cls.from_fd(open_id("map", number))

    @classmethod
    def get(cls, path: str | os.PathLike[str], flags: int = 0) -> LinuxMap:
        """The map pinned at a path; `flags` may be BPF_F_RDONLY or BPF_F_WRONLY."""
        return cls.from_fd(open_pinned(path, "map", flags))

    # -- elements ----------------------------------------------------------------------------

    def lookup(self, key: bytes, flags: int = 0) -> bytes | None:
        """The value of a key, None when there is none. Queues and stacks (key b""): a peek."""
        return self._read("lookup", _LOOKUP, key, flags)

    def lookup_and_delete(self, key: bytes, flags: int = 0) -> bytes | None:
        """The value of a key, which is removed; None when there is none. Queues and stacks: a pop.

        Hash maps since Linux 5.14, queues and stacks since 4.20.
        """
        return self._read("lookup_and_delete", _LOOKUP_AND_DELETE, key, flags)

    def update(self, key: bytes, value: bytes, flags: int = 0) -> None:
        """Set the value of a key; `flags`: BPF_ANY, BPF_NOEXIST, BPF_EXIST, BPF_F_LOCK."""
        if len(key) != self.key_size or len(value) != self.value_bytes:
            self._sizes(key, value)
        slot = self._take()
        slot.key.raw = key
        slot.value.raw = value
        _FLAGS.pack_into(slot.attr, _AT_FLAGS, flags)
        result = self._syscall(_UPDATE, slot.attr, _ELEM_SIZE)
        self._slots.append(slot)
        if result < 0:
            self._fail("update", key, last_errno())

    def delete(self, key: bytes) -> None:
        """Remove a key; KernelError (ENOENT, of a sockmap EINVAL) when it is not there."""
        if len(key) != self.key_size:
            self._sizes(key)
        slot = self._take()
        slot.key.raw = key
        result = self._syscall(_DELETE, slot.attr, _ELEM["value"][0])  # the value must not be given
        self._slots.append(slot)
        if result < 0:
            self._fail("delete", key, last_errno())

    def next_key(self, key: bytes | None) -> bytes | None:
        """The key after `key`; the first one for None or a key that is not there; None at the end.

        A hash map has no order, and a key that was deleted meanwhile starts it again: see keys().
        """
        if key is None:
            out = bytearray(self.key_size)
            try:
                call("MAP_GET_NEXT_KEY", map_fd=self.fd, key=0, next_key=out)
            except OSError as error:
                return self._none("next_key", b"", error.errno or 0)
            return bytes(out)
        if len(key) != self.key_size:
            self._sizes(key)
        slot = self._take()
        slot.key.raw = key
        if self._syscall(_NEXT_KEY, slot.attr, _AT_FLAGS) < 0:
            return self._none("next_key", key, last_errno())
        found = slot.value.raw[: self.key_size]
        self._slots.append(slot)
        return found

    def _read(self, what: str, command: int, key: bytes, flags: int) -> bytes | None:
        if len(key) != self.key_size:
            self._sizes(key)
        slot = self._take()
        slot.key.raw = key
        _FLAGS.pack_into(slot.attr, _AT_FLAGS, flags)
        if self._syscall(command, slot.attr, _ELEM_SIZE) < 0:
            self._slots.append(slot)
            return self._none(what, key, last_errno())
        found = slot.value.raw[: self.value_bytes]
        self._slots.append(slot)
        return found

    def _take(self) -> _Slot:
        """Buffers for one operation, nobody else's until they are put back."""
        number = self.fd.fileno()
        try:
            return self._slots.pop()
        except IndexError:
            return _Slot(number, self.key_size, self.value_bytes)

    def _none(self, what: str, key: bytes, code: int) -> bytes | None:
        """None for "there is none"; an error for everything else."""
        return None if code == errno.ENOENT else self._fail(what, key, code)

    def _sizes(self, key: bytes, value: bytes | None = None) -> NoReturn:
        text = f"map {self.name}: a key has {self.key_size} bytes, this one {len(key)}"
        if value is not None and len(key) == self.key_size:
            text = f"map {self.name}: a value has {self.value_bytes} bytes, this one {len(value)}"
        raise KernelError(text, errno.EINVAL)

    def _fail(self, what: str, key: bytes, code: int) -> NoReturn:
        why = WHY.get((what, code)) or WHY.get(("", code)) or strerror(code)
        if code == errno.E2BIG:
            declared = by_name(self.type)
            full = f"the map is full (max_entries is {self.max_entries})"
            beyond = f"the index is not below max_entries ({self.max_entries})"
            why = beyond if declared is not None and declared.indexed else full
        why = why.format(type=self.type)
        text = f"map {self.name or self.id}: cannot {doing(what, key)}: {why}"
        raise KernelError(f"{text} [{name_of(code)}]", code)

    # -- many at once ------------------------------------------------------------------------

    def lookup_batch(
        self, token: bytes | None = None, count: int = 0, flags: int = 0, delete: bool = False
    ) -> tuple[list[bytes], list[bytes], bytes | None]:
        """Some keys and values, and a token that gives the next ones; None at the end.

        `count`: how many at most (0: a few thousand); more come where a hash map's bucket holds
        more, for it gives whole buckets. `delete` removes what it gives. Since Linux 5.6;
        KernelError (ENOTSUPP or EINVAL) where kernel or type has no batches: see items().
        """
        command = "MAP_LOOKUP_AND_DELETE_BATCH" if delete else "MAP_LOOKUP_BATCH"
        after = bytearray(max(self.key_size, 8))
        fitting = BATCH_BYTES // max(self.key_size + self.value_bytes, 1)  # ring buffers: 0
        count = count or max(1, min(BATCH, fitting, self.max_entries))
        while True:
            keys, values = bytearray(count * self.key_size), bytearray(count * self.value_bytes)
            fields: dict[str, Any] = {"in_batch": token if token is not None else 0}
            fields |= {"out_batch": after, "keys": keys, "values": values, "count": count}
            reply = Attributes(command, fields | {"map_fd": self.fd, "elem_flags": flags})
            code = submit(reply)
            if code == errno.ENOSPC:  # A bucket holds more than was asked for.
                count *= 2
                continue
            if code == errno.EINTR:
                continue
            if code not in (0, errno.ENOENT):
                self._fail(command[4:].lower(), b"", code)
            found: int = reply["count"]
            return (
                _split(keys, self.key_size, found),
                _split(values, self.value_bytes, found),
                bytes(after) if code == 0 else None,
            )

    def update_batch(self, keys: Sequence[bytes], values: Sequence[bytes], flags: int = 0) -> None:
        """Set many elements, in one call since Linux 5.6; those before a failing one are set."""
        if len(keys) != len(values):
            raise KernelError(f"map {self.name}: {len(keys)} keys but {len(values)} values")
        for key, value in zip(keys, values, strict=True):
            if len(key) != self.key_size or len(value) != self.value_bytes:
                self._sizes(key, value)
        fields = {"keys": b"".join(keys), "values": b"".join(values), "elem_flags": flags}
        if not self._batch("update", keys, fields):
            super().update_batch(keys, values, flags)

    def delete_batch(self, keys: Sequence[bytes]) -> None:
        """Remove many keys, in one call since Linux 5.6; ENOENT at the first that is not there."""
        for key in keys:
            if len(key) != self.key_size:
                self._sizes(key)
        if not self._batch("delete", keys, {"keys": b"".join(keys)}):
            super().delete_batch(keys)

    def _batch(self, what: str, keys: Sequence[bytes], fields: dict[str, Any]) -> bool:
        """Whether the kernel has done it as one; an error names the key that it stopped at."""
        if what in self._unbatched or not keys:
            return not keys
        fields |= {"count": len(keys), "map_fd": self.fd}
        reply = Attributes(f"MAP_{what.upper()}_BATCH", fields)
        code = submit(reply)
        if code in (ENOTSUPP, errno.EOPNOTSUPP) or (code == errno.EINVAL and older_than("5.6")):
            self._unbatched.add(what)
            return False
        if code:
            done = reply["count"]  # the kernel leaves it alone when it refuses the whole
            self._fail(what, keys[done] if done < len(keys) else b"", code)
        return True

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Every key and value, in batches where there are some.

        Elements that come or go meanwhile may be seen or not; no other is left out or seen twice.
        """
        token: bytes | None = None
        while "lookup" not in self._unbatched:
            try:
                keys, values, token = self.lookup_batch(token)
            except KernelError as error:
                if error.errno not in (ENOTSUPP, errno.EOPNOTSUPP, errno.EINVAL):
                    raise
                self._unbatched.add("lookup")
                break
            yield from zip(keys, values, strict=True)
            if token is None:
                return
        yield from super().items()

    # -- the map as a whole ------------------------------------------------------------------

    def info(self) -> Info:
        """bpf_map_info: id, sizes, flags, BTF ids..."""
        return object_info(self.fd, "map")

    def freeze(self) -> None:
        """No more changes by system call, for good; programs may still write. Since Linux 5.2."""
        try:
            call("MAP_FREEZE", map_fd=self.fd)
        except OSError as error:
            why = {
                errno.EPERM: "it is frozen already, or open for reading only",
                errno.EBUSY: "it is mapped into memory for writing, or frozen already",
            }.get(error.errno or 0, "")
            raise refused(error, f"freeze map {self.name}", why, since="5.2") from None

    def pin(self, path: str | os.PathLike[str]) -> None:
        """Give the map a name in a BPF file system, which keeps it alive."""
        pin(self.fd, path, f"map {self.name}")

    def mmap(self, write: bool = True) -> mmap:
        """The values of an array made with BPF_F_MMAPABLE as memory, shared with programs.

        Each value takes value_size rounded up to 8 bytes. Since Linux 5.5. Close it when done.
        """
        import mmap

        if not self.flags & uapi.BPF_F_MMAPABLE:
            raise KernelError(f"map {self.name} was not created with BPF_F_MMAPABLE", errno.EINVAL)
        size = (self.value_size + 7 & ~7) * self.max_entries
        size = size + mmap.PAGESIZE - 1 & ~(mmap.PAGESIZE - 1)
        access = mmap.PROT_READ | (mmap.PROT_WRITE if write else 0)
        try:
            return mmap.mmap(self.fd.fileno(), size, mmap.MAP_SHARED, access)
        except OSError as error:
            why = "it is frozen or read-only" if error.errno == errno.EPERM else ""
            raise refused(error, f"map map {self.name} into memory", why, since="5.5") from None

    def close(self) -> None:
        """Give up this handle of the map."""
        self.fd.close()

    def __enter__(self) -> LinuxMap:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<LinuxMap {self.name!r} {self.type} {self.key_size}:{self.value_size}>"


def _type_number(type: str) -> int:
    """The number of a map type; a type newer than ebee may be given as "type_40"."""
    number = uapi.MAP_TYPES.get(type)
    if number is None and type.startswith("type_") and type[5:].isdigit():
        number = int(type[5:])
    if number is None:
        raise KernelError(f"{type!r} is no map type; there are: {', '.join(uapi.MAP_TYPES)}")
    return number


def _split(data: bytearray, size: int, count: int) -> list[bytes]:
    view = bytes(memoryview(data)[: size * count])
    return [view[at : at + size] for at in range(0, len(view), size)]


def _create_error(
    error: OSError, type: str, name: str, sizes: dict[str, int], flags: int
) -> KernelError:
    """Why a map could not be created."""
    given = ", ".join(f"{key} {value}" for key, value in sizes.items())
    declared = by_name(type)
    since = declared.since if declared else ""
    why = ""
    if error.errno == errno.E2BIG:
        why = "it is too large"
    elif error.errno == errno.ENOMEM:
        why = "there is not enough memory for it"
    elif error.errno == errno.EINVAL and not (since and older_than(since)):
        why = f"the sizes or flags do not fit this type ({given}, flags {flags:#x})"
    needs = ("CAP_BPF", *(declared.needs if declared else ()))
    needs = tuple(dict.fromkeys(needs))
    return refused(error, f"create map {name!r} ({type})", why, needs=needs, since=since)
