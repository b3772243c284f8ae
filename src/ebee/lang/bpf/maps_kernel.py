"""Maps of what only the kernel has: sockets of a port, records from user space, memory shared with
it, values of attachments."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, TypeVar

from ebee.lang.bpf.maps import AnyMap, _only_compiled
from ebee.types import struct, u32, u64

V = TypeVar("V")

PAGE = 4096


class ReuseportArray(AnyMap[Any, Any]):
    """Sockets of a SO_REUSEPORT group by index: `servers = ReuseportArray(max_entries=8)`. Since
    Linux 4.19."""

    type = "reuseport_sockarray"
    types = 0

    def __init__(self, *, max_entries: int, pinned: bool = False):
        super().__init__(max_entries=max_entries, pinned=pinned)
        self.key, self.value = u32, u64

    def select(self, ctx: Any, key: int, flags: int = 0) -> int:
        """Give the packet to that socket; 0, or -ENOENT when there is none."""
        raise _only_compiled(self)


class UserRingBuf(AnyMap[None, V]):
    """Records from user space, in order: `commands = UserRingBuf[Command](size=4096)`. A program
    takes them by `for command in commands.drain():`. `size` in bytes: a power of two of pages.
    Since Linux 6.1."""

    type = "user_ringbuf"
    types = 1
    sizes = (0, 0)
    _any: ClassVar[dict[str, Any]] = {"size": PAGE}

    def __init__(self, *, size: int, pinned: bool = False):
        if size < PAGE or size & (size - 1):
            raise ValueError(f"UserRingBuf: size is {size}; it must be a power of two from {PAGE}")
        super().__init__(max_entries=size, pinned=pinned)

    def drain(self) -> Iterator[V]:
        """The records that are there, at most 4096, each a copy of the program's own; those that
        are too short are left out. What is read is gone."""
        raise _only_compiled(self)


class Arena(AnyMap[Any, V]):
    """Memory that programs and user space share: `heap = Arena[Node](pages=100)`. `address`: where
    user space has it, 0: anywhere. Since Linux 6.9."""

    type = "arena"
    types = 1
    sizes = (0, 0)
    _any: ClassVar[dict[str, Any]] = {"pages": 1}
    always = 1 << 10  # BPF_F_MMAPABLE

    def __init__(self, *, pages: int, flags: int = 0, address: int = 0, pinned: bool = False):
        if pages > 1 << 20:
            raise ValueError(f"Arena: {pages} pages are more than 4 GiB")
        super().__init__(max_entries=pages, flags=flags, pinned=pinned)
        self.map_extra = address

    def alloc(self, pages: int = 1) -> V | None:
        """Pages of zeros, or None when there are no more; in sleepable programs (@syscall)."""
        raise _only_compiled(self)

    def free(self, place: V, pages: int = 1) -> None:
        """Give pages back; in sleepable programs."""
        raise _only_compiled(self)

    def address(self, place: V) -> u64:
        """Where user space has what is at an address, for pointers that are kept there."""
        raise _only_compiled(self)

    def at(self, address: int) -> V | None:
        """What is at an address as user space knows it; None at 0."""
        raise _only_compiled(self)


class AttachedStorage(AnyMap[Any, V]):
    """A value for each control group that the program is attached to: `state =
    AttachedStorage[State]()`. Since Linux 4.19; newer kernels have CgroupStorage."""

    type = "cgroup_storage"
    types = 1
    index = u64

    def __init__(self, *, pinned: bool = False):
        super().__init__(max_entries=1, pinned=pinned)
        self.max_entries = 0

    def get(self, key: Any = None, default: Any = None) -> V:
        """The value: there always is one. Takes no arguments."""
        raise _only_compiled(self)


class PerCpuAttachedStorage(AttachedStorage[V]):
    """The same with a value for each CPU. Since Linux 4.20."""

    type = "percpu_cgroup_storage"


@struct
class DevMapValue:
    """A value of a DevMap with programs: a device, and the program (its descriptor when it is
    stored, its id when it is read) that packets to it pass. Since Linux 5.8."""

    ifindex: u32
    program: u32


@struct
class CpuMapValue:
    """A value of a CpuMap with programs: the length of the queue, and a program. Since Linux
    5.9."""

    qsize: u32
    program: u32


setattr(DevMapValue, "__cname__", "bpf_devmap_val")  # noqa: B010
setattr(CpuMapValue, "__cname__", "bpf_cpumap_val")  # noqa: B010

__all__ = [
    "Arena", "AttachedStorage", "CpuMapValue", "DevMapValue", "PerCpuAttachedStorage",
    "ReuseportArray", "UserRingBuf",
]  # fmt: skip
