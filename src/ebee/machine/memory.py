"""The memory of the machine: regions at their real addresses, every access checked.

A region's address is where its bytes lie in this process, so that the interpreter and compiled
code share maps, packets and stacks. The runtime (map and helper bodies) may touch any byte of any
region; a program only what a region grants: nothing, reading, or reading and writing, and in a
region of elements only inside the window of one element.
"""

from __future__ import annotations

import ctypes
import mmap
import threading
from bisect import bisect_right, insort
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from ebee.errors import MachineError

LOCK_SIZE = 4
"""sizeof(struct bpf_spin_lock)."""


class Fault(MachineError):
    """A program touched memory that it must not touch."""

    def __init__(self, addr: int, size: int, access: str, reason: str):
        super().__init__(f"{access} of {size} bytes at {addr:#x}: {reason}")
        self.addr, self.size, self.access, self.reason = addr, size, access, reason


@dataclass(slots=True, eq=False)
class Region:
    """`size` bytes at `base`.

    `readable`/`writable`: for programs. A region of elements has a `stride`; a program's access
    must lie within bytes `lo..hi` of one element, and not touch the spin lock at `skip`, if any.
    """

    name: str
    base: int
    size: int
    data: memoryview
    readable: bool = False
    writable: bool = False
    stride: int = 0
    lo: int = 0
    hi: int = 0
    skip: int = -1
    _owner: object = field(default=None, repr=False)

    @property
    def end(self) -> int:
        return self.base + self.size

    def refusal(self, addr: int, size: int, write: bool) -> str | None:
        """Why a program must not make this access (which lies inside the region), or None."""
        if not (self.writable if write else self.readable):
            return f"{self.name} is {'read-only' if self.readable else 'not for programs'}"
        if self.stride:
            at = (addr - self.base) % self.stride
            if not (self.lo <= at and at + size <= self.hi):
                return (
                    f"offset {at - self.lo} and {size} bytes leave the {self.hi - self.lo} bytes"
                    f" of an element of {self.name}"
                )
            if self.skip >= 0 and self.skip - size < at < self.skip + LOCK_SIZE:
                return f"a spin lock of {self.name} is there"
        return None


class Memory:
    """All regions of one machine. Implements `ebee.types.Memory` with the runtime's rights."""

    def __init__(self) -> None:
        self._bases: list[int] = []
        self._regions: dict[int, Region] = {}
        self._last: Region | None = None
        self.version = 0  # changes with the set of regions
        self._runs = 0
        self._active: set[int] = set()
        self._freed: list[tuple[int, Region]] = []  # with the number of the last run before
        self._lock = threading.Lock()
        self.programs = ProgramMemory(self)

    def allocate(self, name: str, size: int, kind: type[Region] = Region, **rights: int) -> Region:
        """A zeroed region of its own pages; `rights` as in Region.

        The page behind it stays outside all regions: what runs past the end meets no other region,
        wherever the pages of the two happen to lie.
        """
        try:
            pages = mmap.mmap(-1, size + mmap.PAGESIZE)
        except (OSError, ValueError, OverflowError) as e:
            raise MachineError(f"no memory for {name}: {size} bytes: {e}") from None
        base = ctypes.addressof(ctypes.c_char.from_buffer(pages))
        return self.add(
            kind(name, base, size, memoryview(pages)[:size], _owner=pages, **rights)  # type: ignore[arg-type]
        )

    def add(self, region: Region) -> Region:
        """Make a region part of this memory."""
        with self._lock:
            insort(self._bases, region.base)
            self._regions[region.base] = region
            self.version += 1
        return region

    @contextmanager
    def running(self) -> Iterator[None]:
        """While compiled code runs: what is freed meanwhile stays until all that might just be
        looking at it has ended (as in the kernel, where RCU sees to that)."""
        with self._lock:
            self._runs += 1
            run = self._runs
            self._active.add(run)
        try:
            yield
        finally:
            with self._lock:
                self._active.discard(run)
                if self._freed:
                    oldest = min(self._active, default=run + self._runs)
                    self._freed = [f for f in self._freed if f[0] >= oldest]
                    self.version += 1

    def free(self, region: Region) -> None:
        """Take a region out; its bytes live on while a view of them does."""
        with self._lock:
            if self._active:
                self._freed.append((self._runs, region))
            self._bases.remove(region.base)
            del self._regions[region.base]
            self.version += 1
        if self._last is region:
            self._last = None

    def regions(self) -> list[Region]:
        """All regions in the order of their addresses."""
        with self._lock:
            return [self._regions[b] for b in self._bases]

    def seen(self) -> list[Region]:
        """The same, with those that were freed but that programs may still be looking at."""
        with self._lock:
            left = [region for _, region in self._freed]
            return sorted([*self._regions.values(), *left], key=lambda r: r.base)

    def find(self, addr: int, size: int, access: str = "access") -> Region:
        """The region in which `size` bytes at `addr` lie; Fault if there is none."""
        last = self._last
        if last is not None and last.base <= addr and addr + size <= last.base + last.size:
            return last
        i = bisect_right(self._bases, addr)
        region = self._regions[self._bases[i - 1]] if i else None
        if region is None or addr >= region.end:
            reason = "null pointer" if addr < 4096 else "no memory there"
            raise Fault(addr, size, access, reason)
        if addr + size > region.end:
            raise Fault(
                addr, size, access, f"{addr + size - region.end} bytes behind {region.name}"
            )
        self._last = region
        return region

    def load(self, addr: int, size: int) -> int:
        region = self.find(addr, size, "read")
        at = addr - region.base
        return int.from_bytes(region.data[at : at + size], "little")

    def store(self, addr: int, size: int, value: int) -> None:
        region = self.find(addr, size, "write")
        at = addr - region.base
        region.data[at : at + size] = (value & ((1 << 8 * size) - 1)).to_bytes(size, "little")

    def read(self, addr: int, size: int) -> bytes:
        if not size:
            return b""
        region = self.find(addr, size, "read")
        at = addr - region.base
        return bytes(region.data[at : at + size])

    def write(self, addr: int, data: bytes) -> None:
        if data:
            region = self.find(addr, len(data), "write")
            at = addr - region.base
            region.data[at : at + len(data)] = data


class ProgramMemory:
    """The same memory with a program's rights."""

    __slots__ = ("memory",)

    def __init__(self, memory: Memory):
        self.memory = memory

    def check(self, addr: int, size: int, write: bool) -> Region:
        """The region of an access that a program may make; Fault if it may not."""
        access = "write" if write else "read"
        region = self.memory.find(addr, size, access)
        reason = region.refusal(addr, size, write)
        if reason is not None:
            raise Fault(addr, size, access, reason)
        return region

    def load(self, addr: int, size: int) -> int:
        region = self.check(addr, size, write=False)
        at = addr - region.base
        return int.from_bytes(region.data[at : at + size], "little")

    def store(self, addr: int, size: int, value: int) -> None:
        region = self.check(addr, size, write=True)
        at = addr - region.base
        region.data[at : at + size] = (value & ((1 << 8 * size) - 1)).to_bytes(size, "little")

    def read(self, addr: int, size: int) -> bytes:
        region = self.check(addr, size, write=False)
        at = addr - region.base
        return bytes(region.data[at : at + size])

    def write(self, addr: int, data: bytes) -> None:
        region = self.check(addr, len(data), write=True)
        at = addr - region.base
        region.data[at : at + len(data)] = data
