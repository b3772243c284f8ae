"""A map's state in the machine's memory: made as its spec says, or refused as the kernel would."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from importlib import import_module
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from ebee import maps
from ebee.abi.cpu import Cpu
from ebee.abi.errno import (
    EACCES,
    EBADF,
    EINVAL,
    ENOMEM,
    EOPNOTSUPP,
)
from ebee.abi.map import (
    BPF_F_NUMA_NODE,
    BPF_F_RDONLY,
    BPF_F_RDONLY_PROG,
    BPF_F_WRONLY,
    BPF_F_WRONLY_PROG,
    BPF_F_ZERO_SEED,
    NO_LOCK,
)
from ebee.errors import MachineError
from ebee.machine.memory import Memory, Region
from ebee.maps.layout import Area, power_of_two, refuse, require, round_up
from ebee.types import fields, ptr, sizeof, u8

if TYPE_CHECKING:
    from ebee.btf import Btf
    from ebee.obj.spec import MapSpec

PAGE = 4096


class GuardedRegion(Region):
    """Memory of which an operation of the map says what programs may touch."""

    __slots__ = ("guard",)
    guard: tuple[Callable[..., bool], Any]

    def refusal(self, addr: int, size: int, write: bool) -> str | None:
        allowed, state = self.guard
        if allowed(state, ptr(state._mem, addr, u8), size):
            return None
        return f"{size} bytes at offset {addr - self.base} of {self.name} are no reserved record"


class MapRegion(Region):
    """The state of a map: its address is the map's, and no program may touch it."""

    __slots__ = ()


def complete(spec: MapSpec, cpus: int) -> MapSpec:
    """A spec with its sizes completed as libbpf does: a perf_event_array without max_entries gets
    one for each CPU, a ring buffer a power of two of pages."""
    entries = spec.max_entries
    if spec.type == "perf_event_array" and not entries:
        entries = cpus
    if spec.type in ("ringbuf", "user_ringbuf") and entries:
        entries = max(PAGE, power_of_two(entries))
    flags = spec.flags | (BPF_F_NUMA_NODE if spec.numa_node is not None else 0)
    return replace(spec, max_entries=entries, flags=flags)


class MapState:
    """One map in memory; closed by close() or `with`. See MachineMap."""

    def __init__(
        self,
        memory: Memory,
        spec: MapSpec,
        *,
        cpus: int = 1,
        id: int = 1,
        seed: int | None = None,
        btf: Btf | None = None,
        resolve: Callable[[int], int | None] | None = None,
        lock: AbstractContextManager[Any] | None = None,
    ):
        found = maps.by_name(spec.type)
        if found is None:
            raise refuse(spec, EINVAL, "there is no such map type")
        if found.ops is None:
            reason = found.missing.get("machine", "it needs a kernel")
            raise MachineError(
                f"map {spec.name}: {spec.type} maps are not on the machine: {reason}"
            )
        self.kind = found
        self.ops: Any = import_module(found.ops)
        self.spec = complete(spec, cpus)
        self.cpus, self.id, self.memory, self.resolve = cpus, id, memory, resolve
        self.frozen = False
        self.lock: AbstractContextManager[Any] = lock or threading.RLock()
        self._regions: list[Region] = []
        self._check()
        try:
            self._allocate(_lock_offset(btf, self.spec), seed)
            if spec.data is not None:
                self.memory.write(self.value_address, spec.data)
        except BaseException:
            self.close()
            raise

    def _check(self) -> None:
        spec, flags = self.spec, self.spec.flags
        both = flags & BPF_F_RDONLY and flags & BPF_F_WRONLY
        require(spec, not both, "BPF_F_RDONLY and BPF_F_WRONLY exclude each other")
        extra = spec.map_extra == 0 or self.kind.name in ("bloom_filter", "arena")
        require(spec, extra, "map_extra is only for bloom filters and arenas")
        node = spec.numa_node or 0
        require(spec, node == 0, f"there is no NUMA node {node}: the machine has one, number 0")
        self.ops.check(spec, self.cpus)
        if self.kind.handle == "map":
            inner = spec.inner
            require(spec, inner is not None, "it needs the pattern of its inner maps", EBADF)
            nested = inner is not None and inner.inner is not None
            require(spec, not nested, "its inner maps must not be maps of maps")
        if spec.data is not None:
            size = spec.value_size * spec.max_entries
            fits = spec.type == "array" and len(spec.data) <= size
            require(spec, fits, f"its {len(spec.data)} bytes of contents do not fit")

    def _allocate(self, lock_at: int, seed: int | None) -> None:
        plan = self.ops.plan(self.spec, self.cpus)
        if plan.max_entries is not None:
            self.spec = replace(self.spec, max_entries=plan.max_entries)
        spec, flags = self.spec, self.spec.flags
        inside = plan.value_size or spec.value_size
        state = self._region("state", sizeof(self.ops.State), kind=MapRegion)
        self.address = state.base
        self.state: Any = ptr(self.memory, state.base, self.ops.State)
        members = {"seed": _seed(flags, seed)} | plan.members
        for name, value in members.items():
            if name in fields(self.ops.State):
                setattr(self.state, name, value)
        head = {
            "type": self.kind.id, "id": self.id, "key_size": spec.key_size,
            "value_size": inside, "max_entries": spec.max_entries, "lock_at": lock_at,
            "value_stride": round_up(inside, 8), "cpus": self.cpus,
            "flags": flags & ~(BPF_F_RDONLY | BPF_F_WRONLY), "map_extra": spec.map_extra,
        }  # fmt: skip
        for name, value in head.items():
            setattr(self.state.head, name, value)
        for area in plan.areas:
            setattr(self.state, area.name, ptr(self.memory, self._area(area).base, u8))
        if lock_at != NO_LOCK and self.window is not None:
            self.window.skip = self.window.lo + lock_at
        if hasattr(self.ops, "init"):
            self.ops.init(self.state)
        self.value_address: int = int(self.state.values) if self.kind.direct else 0
        self._buffers()

    def _region(self, name: str, size: int, **how: Any) -> Region:
        try:
            region = self.memory.allocate(f"{self.spec.name} {name}", size, **how)
        except MachineError as e:
            raise refuse(self.spec, ENOMEM, str(e)) from None
        self._regions.append(region)
        return region

    def _area(self, area: Area) -> Region:
        rights: dict[str, Any] = {}
        if area.guard:
            region = self._region(area.name, area.size, kind=GuardedRegion)
            region.guard = getattr(self.ops, area.guard), self.state  # type: ignore[attr-defined]
            return region
        if area.program:
            rights = {
                "readable": not self.spec.flags & BPF_F_WRONLY_PROG,
                "writable": area.writable and not self.spec.flags & BPF_F_RDONLY_PROG,
                "stride": area.stride, "lo": area.lo, "hi": area.hi,
            }  # fmt: skip
        return self._region(area.name, area.size, **rights)

    def _buffers(self) -> None:
        """What user space's operations work with: its own CPU number, a key, a key out, a value."""
        size = self.spec.value_size
        stride = round_up(size, 8)
        self.value_bytes = stride * self.cpus if self.kind.per_cpu else size
        key = round_up(self.spec.key_size, 8)
        own = self._region("buffers", sizeof(Cpu) + 2 * key + max(self.value_bytes, 8))
        at = (own.base, own.base + sizeof(Cpu), own.base + sizeof(Cpu) + key)
        self._cpu: ptr[Any] = ptr(self.memory, at[0], Cpu)
        self._cpu.id, self._cpu.count = self.cpus, self.cpus
        self._key: ptr[Any] = ptr(self.memory, at[1], u8)
        self._out: ptr[Any] = ptr(self.memory, at[2], u8)
        self._value: ptr[Any] = ptr(self.memory, at[2] + key, u8)

    @property
    def window(self) -> Region | None:
        """The region of the elements whose values programs may touch; None where it is not one."""
        found = [r for r in self._regions if r.stride]
        return found[0] if len(found) == 1 else None

    def close(self) -> None:
        """Take the map's memory out of the machine's; doing so again does nothing."""
        while self._regions:
            self.memory.free(self._regions.pop())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{self.spec.type} map {self.spec.name}, id {self.id}>"

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def type(self) -> str:
        return self.spec.type

    @property
    def key_size(self) -> int:
        return self.spec.key_size

    @property
    def value_size(self) -> int:
        return self.spec.value_size

    @property
    def max_entries(self) -> int:
        return self.spec.max_entries

    @property
    def flags(self) -> int:
        return self.spec.flags & ~(BPF_F_RDONLY | BPF_F_WRONLY)

    def info(self) -> dict[str, Any]:
        """The members of struct bpf_map_info that the machine has."""
        spec = self.spec
        return {
            "type": self.kind.id, "id": self.id, "name": self.name, "key_size": spec.key_size,
            "value_size": spec.value_size, "max_entries": spec.max_entries,
            "map_flags": self.flags, "map_extra": spec.map_extra,
        }  # fmt: skip


def _seed(flags: int, seed: int | None) -> int:
    if flags & BPF_F_ZERO_SEED:
        return 0
    return int.from_bytes(os.urandom(8), "little") if seed is None else seed


def _lock_offset(btf: Btf | None, spec: MapSpec) -> int:
    """Where the spin lock of a value is; NO_LOCK without one (map_check_btf)."""
    if btf is None or not spec.value_btf_id:
        return NO_LOCK
    from ebee.maps.special import SPIN_LOCK, special_fields

    fields = list(special_fields(btf, spec.value_btf_id))
    if not fields:
        return NO_LOCK
    name, at = fields[0]
    if len(fields) > 1 or name != SPIN_LOCK:
        names = ", ".join(sorted({name for name, _ in fields}))
        raise MachineError(
            f"map {spec.name}: a value holds {names}; the machine knows values with one {SPIN_LOCK}"
        )
    access = spec.flags & (BPF_F_RDONLY_PROG | BPF_F_WRONLY_PROG)
    require(spec, not access, f"a value with a {name} that programs may only read or write", EACCES)
    known = spec.type in ("hash", "array")
    require(spec, known, f"a value of this type of map cannot hold a {name}", EOPNOTSUPP)
    require(spec, at + 4 <= spec.value_size and at % 4 == 0, f"misplaced {name}")
    return at
