"""The other kinds of maps: queues, filters, arrays of devices, sockets and maps, storage.

Those that hold what only user space can put there (devices, sockets, control groups) are filled
through `loaded.maps[...]`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

from ebee.lang.bpf.maps import AnyMap, _Deletable, _only_compiled
from ebee.lang.bpf.maps_kernel import CpuMapValue, DevMapValue
from ebee.lang.bpf.sockets import Sock
from ebee.types import array, ptr, u32, u64

if TYPE_CHECKING:
    from ebee.lang.bpf.results import SK, XDP

K = TypeVar("K")
V = TypeVar("V")

CURRENT_CPU = 0xFFFF_FFFF
"""BPF_F_CURRENT_CPU."""


class Queue(AnyMap[None, V]):
    """Values in order: `jobs = Queue[Job](max_entries=64)`. Since Linux 4.20."""

    type = "queue"
    types = 1

    def push(self, value: V | int, flags: int = 0) -> int:
        """Put a value in; 0, or -E2BIG when it is full (flags=2 drops the oldest then)."""
        raise _only_compiled(self)

    def pop(self) -> ptr[V] | None:
        """Take a value out: a copy of the program's own, or None when there is none."""
        raise _only_compiled(self)

    def peek(self) -> ptr[V] | None:
        """A copy of the value that `pop` would take."""
        raise _only_compiled(self)


class Stack(Queue[V]):
    """Values, the last one in first. Since Linux 4.20."""

    type = "stack"


class Bloom(AnyMap[None, V]):
    """Answers "was this put in?" with "no" or "probably": `seen = Bloom[u32](max_entries=1000)`.
    `hashes`: 1 to 15 functions, 5 unless it says otherwise. Since Linux 5.16."""

    type = "bloom_filter"
    types = 1

    def __init__(self, *, max_entries: int, hashes: int = 5, pinned: bool = False):
        if not 1 <= hashes <= 15:
            raise ValueError(f"Bloom: hashes is {hashes}; 1 to 15 are possible")
        super().__init__(max_entries=max_entries, pinned=pinned)
        self.map_extra = hashes

    def add(self, value: V | int, flags: int = 0) -> int:
        """Put a value in."""
        raise _only_compiled(self)

    def __contains__(self, value: V | int) -> bool:
        """False: it was not put in for sure."""
        raise _only_compiled(self)


class PerfEventArray(AnyMap[Any, V]):
    """Records for user space, a buffer for each CPU: `events = PerfEventArray[Event]()`. Since
    Linux 4.3; newer kernels have RingBuf."""

    type = "perf_event_array"
    types = 1
    sizes = (4, 4)

    def __init__(self, *, max_entries: int = 0, pinned: bool = False):
        super().__init__(max_entries=max_entries or 1, pinned=pinned)
        self.max_entries = max_entries  # 0: as many as there are CPUs

    def output(self, ctx: Any, record: V, flags: int = CURRENT_CPU) -> int:
        """Send a copy of a record; 0, or a negative error number."""
        raise _only_compiled(self)


class StackTrace(AnyMap[Any, Any]):
    """Stacks by number: `stacks = StackTrace(max_entries=1024)`. Since Linux 4.6."""

    type = "stack_trace"
    types = 0

    def __init__(self, *, max_entries: int, flags: int = 0, pinned: bool = False):
        super().__init__(max_entries=max_entries, flags=flags, pinned=pinned)
        self.key, self.value = u32, array[u64, Literal[127]]

    def id(self, ctx: Any, flags: int = 0) -> int:
        """The number of the stack that led here, or a negative error number. `flags`: how many
        frames to skip; 0x100: the stack of user space."""
        raise _only_compiled(self)


class _Redirecting(AnyMap[Any, Any]):
    """Maps of where packets can be sent to."""

    types = 0

    def __init__(self, *, max_entries: int, flags: int = 0, pinned: bool = False):
        super().__init__(max_entries=max_entries, flags=flags, pinned=pinned)
        self.key, self.value = u32, u32

    def redirect(self, key: int, otherwise: int = 0) -> XDP:
        """Send the packet there: return what this gives. `otherwise`: what it gives where there
        is nothing under the key."""
        raise _only_compiled(self)


class DevMap(_Redirecting):
    """Devices by index; with `programs` values are DevMapValue, each with a program that packets
    pass on their way. Since Linux 4.14, `programs` 5.8."""

    type = "devmap"

    def __init__(
        self, *, max_entries: int, flags: int = 0, pinned: bool = False, programs: bool = False
    ):
        super().__init__(max_entries=max_entries, flags=flags, pinned=pinned)
        if programs:
            self.value = DevMapValue


class DevMapHash(DevMap):
    """Devices by a number. Since Linux 5.4."""

    type = "devmap_hash"


class CpuMap(_Redirecting):
    """CPUs that go on with a packet, and the lengths of their queues; with `programs` values are
    CpuMapValue. Since Linux 4.15, `programs` 5.9."""

    type = "cpumap"

    def __init__(
        self, *, max_entries: int, flags: int = 0, pinned: bool = False, programs: bool = False
    ):
        super().__init__(max_entries=max_entries, flags=flags, pinned=pinned)
        if programs:
            self.value = CpuMapValue


class XskMap(_Redirecting):
    """Sockets of AF_XDP by queue. Since Linux 4.18."""

    type = "xskmap"


class SockMap(AnyMap[Any, Any]):
    """Sockets by index. Since Linux 4.14.

    `cookies`: user space can look up which socket it is, as its cookie (SO_COOKIE). Since 5.7.
    """

    type = "sockmap"
    types = 0
    _key: ClassVar[Any] = u32

    def __init__(self, *, max_entries: int, pinned: bool = False, cookies: bool = False):
        super().__init__(max_entries=max_entries, pinned=pinned)
        self.key, self.value = self._key, u64 if cookies else u32

    def redirect(self, ctx: Any, key: Any, flags: int = 0) -> SK:
        """Send a packet or message to that socket: return what this gives."""
        raise _only_compiled(self)

    def add(self, ctx: Any, key: Any, flags: int = 0) -> int:
        """Put the socket of a sock_ops program in."""
        raise _only_compiled(self)

    def lookup(self, key: Any) -> Sock:
        """The socket, or None: `with servers.lookup(0) as sock:` gives it back. Since Linux 5.7."""
        raise _only_compiled(self)

    def select(self, ctx: Any, key: Any, flags: int = 0) -> int:
        """In @sk_reuseport programs: give the packet to that socket. Since Linux 5.8."""
        raise _only_compiled(self)

    def delete(self, key: Any) -> int:
        """Take a socket out; 0, or -ENOENT."""
        raise _only_compiled(self)


class SockHash(AnyMap[K, Any]):
    """Sockets by key: `peers = SockHash[Tuple](max_entries=64)`. Since Linux 4.18.

    `cookies`: user space can look up which socket it is, as its cookie (SO_COOKIE). Since 5.7.
    """

    type = "sockhash"
    types = 1

    def __init__(self, *, max_entries: int, pinned: bool = False, cookies: bool = False):
        super().__init__(max_entries=max_entries, pinned=pinned)
        self._cookies = cookies

    def _set_types(self, given: tuple[Any, ...]) -> None:
        super()._set_types(given)
        self.key, self.value = self.value, u64 if self._cookies else u32

    def redirect(self, ctx: Any, key: K, flags: int = 0) -> SK:
        """Send a packet or message to that socket: return what this gives."""
        raise _only_compiled(self)

    def add(self, ctx: Any, key: K, flags: int = 0) -> int:
        """Put the socket of a sock_ops program in."""
        raise _only_compiled(self)

    def lookup(self, key: Any) -> Sock:
        """The socket, or None: `with servers.lookup(0) as sock:` gives it back. Since Linux 5.7."""
        raise _only_compiled(self)

    def select(self, ctx: Any, key: K, flags: int = 0) -> int:
        """In @sk_reuseport programs: give the packet to that socket. Since Linux 5.8."""
        raise _only_compiled(self)

    def delete(self, key: Any) -> int:
        """Take a socket out; 0, or -ENOENT."""
        raise _only_compiled(self)


class CgroupArray(AnyMap[Any, Any]):
    """Control groups by index. Since Linux 4.8."""

    type = "cgroup_array"
    types = 0

    def __init__(self, *, max_entries: int, pinned: bool = False):
        super().__init__(max_entries=max_entries, pinned=pinned)
        self.key, self.value = u32, u32

    def has_current(self, index: int) -> int:
        """1 when the current task is in that control group, 0 when not; or an error number."""
        raise _only_compiled(self)

    def has_socket_of(self, ctx: Any, index: int) -> int:
        """The same of the socket of a packet (since Linux 4.8)."""
        raise _only_compiled(self)


class _Storage(AnyMap[Any, V]):
    """A value for each object of the kernel, gone with it: `Storage[Value]()`."""

    types = 1
    always = 1  # BPF_F_NO_PREALLOC
    _any: ClassVar[dict[str, Any]] = {}

    def __init__(self, *, pinned: bool = False):
        super().__init__(max_entries=1, pinned=pinned)
        self.max_entries, self.key = 0, u32

    def _set_types(self, given: tuple[Any, ...]) -> None:
        super()._set_types(given)
        self.key = u32

    def get(self, owner: Any, create: int = True) -> ptr[V] | None:
        """The value of an object; `create`: make one where there is none (BPF_*_GET_F_CREATE)."""
        raise _only_compiled(self)

    def delete(self, owner: Any) -> int:
        """Take it away; 0, or -ENOENT."""
        raise _only_compiled(self)


class TaskStorage(_Storage[V]):
    """A value for each task. Since Linux 5.11."""

    type = "task_storage"


class InodeStorage(_Storage[V]):
    """A value for each inode, in LSM programs. Since Linux 5.10."""

    type = "inode_storage"


class SkStorage(_Storage[V]):
    """A value for each socket. Since Linux 5.2."""

    type = "sk_storage"


class CgroupStorage(_Storage[V]):
    """A value for each control group. Since Linux 6.2."""

    type = "cgrp_storage"


class ArrayOfMaps(AnyMap[int, Any]):
    """Maps by index: `ArrayOfMaps(max_entries=4, inner=Hash[u32, u64](max_entries=16))`. In
    `inner` all maps are like the one given. Since Linux 4.12."""

    type = "array_of_maps"
    types = 0

    def __init__(self, *, max_entries: int, inner: Any, pinned: bool = False):
        if not isinstance(inner, AnyMap):
            raise TypeError(f"{type(self).__name__}: inner is {inner!r}, not a map")
        super().__init__(max_entries=max_entries, pinned=pinned)
        self.inner, self.key, self.value = inner, u32, u32

    def lookup(self, key: Any) -> Any:
        """The map, or None: test it before it is used."""
        raise _only_compiled(self)


class HashOfMaps(_Deletable[K, Any]):
    """Maps by key: `HashOfMaps[u32](max_entries=4, inner=Hash[u32, u64](max_entries=16))`. Since
    Linux 4.12."""

    type = "hash_of_maps"
    types = 1

    def __init__(self, *, max_entries: int, inner: Any, pinned: bool = False):
        if not isinstance(inner, AnyMap):
            raise TypeError(f"{type(self).__name__}: inner is {inner!r}, not a map")
        super().__init__(max_entries=max_entries, pinned=pinned)
        self.inner = inner

    def _set_types(self, given: tuple[Any, ...]) -> None:
        super()._set_types(given)
        self.key, self.value = self.value, u32

    def lookup(self, key: Any) -> Any:
        """The map, or None: test it before it is used."""
        raise _only_compiled(self)


__all__ = [
    "ArrayOfMaps", "Bloom", "CgroupArray", "CgroupStorage", "CpuMap", "DevMap", "DevMapHash",
    "HashOfMaps", "InodeStorage", "PerfEventArray", "Queue", "SkStorage", "SockHash", "SockMap",
    "Stack", "StackTrace", "TaskStorage", "XskMap",
]  # fmt: skip
