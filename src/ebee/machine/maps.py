"""Maps of the machine as user space sees them: byte for byte what the system call gives.

The operations are the native ones of `ebee.maps`; here stand the rules of kernel/bpf/syscall.c
around them: sizes, flags, access rights, frozen maps, per-CPU values in a row, batches.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from importlib import import_module
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn

from ebee import maps
from ebee.abi.cpu import Cpu
from ebee.abi.errno import (
    EACCES,
    EBADF,
    EINVAL,
    ENOENT,
    ENOMEM,
    ENOSPC,
    ENOTSUPP,
    EOPNOTSUPP,
    EPERM,
)
from ebee.abi.map import (
    BPF_F_INNER_MAP,
    BPF_F_LOCK,
    BPF_F_NUMA_NODE,
    BPF_F_RDONLY,
    BPF_F_RDONLY_PROG,
    BPF_F_WRONLY,
    BPF_F_WRONLY_PROG,
    BPF_F_ZERO_SEED,
    NO_LOCK,
    MapHeader,
)
from ebee.errors import KernelError, MachineError
from ebee.machine.memory import Memory, Region
from ebee.maps.layout import Area, power_of_two, refuse, require, round_up
from ebee.maps.why import refusal
from ebee.types import fields, ptr, sizeof, u8, view

if TYPE_CHECKING:
    from ebee.btf import Btf
    from ebee.obj.spec import MapSpec

BATCH = 4096
"""Elements a batch asks for at first."""

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


class MachineMap:
    """One map on the machine; closed by close() or `with`.

    `spec` is the completed spec; `address` that of the state, which programs hold as the map;
    `value_address` that of the first value where programs may point to it directly, else 0.
    `value_bytes` is the length of a value here: of all CPUs in a row, for per-CPU maps. `resolve`
    turns what user space writes into a map of programs or maps (a program's number, a map's id)
    into what the slot holds (the number, the map's address); None when there is no such thing.
    `lock` is held during each operation: the machine's own, where its reference engine runs.

    Raises KernelError with the kernel's error number where the kernel would refuse, MachineError
    for a type that the machine does not have.
    """

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

    # -- making ------------------------------------------------------------------------------

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
        state = self._region("state", sizeof(self.ops.State))
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

    def close(self) -> None:
        """Take the map's memory out of the machine's; doing so again does nothing."""
        while self._regions:
            self.memory.free(self._regions.pop())

    def __enter__(self) -> MachineMap:
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

    def compile(self) -> None:
        """Compile the operations for this map: worth it where user space calls them often."""
        from ebee.machine.native_maps import NativeOps

        if not isinstance(self.ops, NativeOps):
            self.ops = NativeOps(self)

    # -- what it is --------------------------------------------------------------------------

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

    def freeze(self) -> None:
        """No more changes by user space; programs may go on. EPERM when it is frozen already."""
        if self.state.head.lock_at != NO_LOCK:
            self._fail("freeze", b"", ENOTSUPP)
        self._writable("freeze", b"")
        self.frozen = True

    # -- elements ----------------------------------------------------------------------------

    def lookup(self, key: bytes, flags: int = 0) -> bytes | None:
        """The value of a key, None when there is none. Queues and stacks (key b""): a peek."""
        self._known_flags("lookup", key, flags)
        self._readable("lookup", key)
        self._lock_flag("lookup", key, flags)
        with self._args(key):
            return self._lookup(key, flags)

    def _lookup(self, key: bytes, flags: int) -> bytes | None:
        """The value of the key in the buffer."""
        ops, m, n = self.ops, self.state, self.spec.value_size
        if self.kind.handle is not None:
            return self._number(int(ops.held(self._cpu, m, self._key)))
        if hasattr(ops, "peek"):
            return self._result("lookup", key, ops.peek(self._cpu, m, self._value))
        if self.kind.per_cpu:
            look = getattr(ops, "lookup_percpu_user", None) or ops.lookup_percpu
            found = [look(self._cpu, m, self._key, c) for c in range(self.cpus)]
            if not found[0]:
                return None
            return b"".join(self.memory.read(int(p), round_up(n, 8)) for p in found)
        look = getattr(ops, "lookup_user", None) or self._operation("lookup")
        where = look(self._cpu, m, self._key)
        if not where:
            return None
        if flags & BPF_F_LOCK:
            self._value_ops().copy_out_locked(m.ref.head, self._value, where)
            where = self._value
        return self._unlocked(self.memory.read(int(where), n))

    def _number(self, held: int) -> bytes | None:
        """What user space reads of a slot: the number of the program, the id of the map."""
        if held and self.kind.handle == "map":
            held = int(view(MapHeader, self.memory, held).id)
        return held.to_bytes(4, "little") if held else None

    def update(self, key: bytes, value: bytes, flags: int = 0) -> None:
        """Set the value of a key; `flags`: BPF_ANY, BPF_NOEXIST, BPF_EXIST, BPF_F_LOCK."""
        self._writable("update", key)
        self._lock_flag("update", key, flags)
        with self._args(key, value):
            self._ok("update", key, self._update(flags))

    def _update(self, flags: int) -> int:
        ops, args = self.ops, (self._cpu, self.state, self._key, self._value)
        if self.kind.handle is not None:
            return self._update_handle(flags)
        if self.kind.per_cpu:
            return int(ops.update_percpu(*args, flags))
        if hasattr(ops, "push"):
            return int(ops.push(self._cpu, self.state, self._value, flags))
        return int(ops.update(*args, flags))

    def _update_handle(self, flags: int) -> int:
        """Set a slot to what a number that user space gave stands for."""
        number = self.memory.load(int(self._value), 4)
        held = number if self.resolve is None else self.resolve(number)
        refused = int(self.ops.may_set(self.state, self._key, flags))
        if refused or not held:
            return refused or -EBADF
        if self.kind.handle == "map" and not self._same_shape(held):
            return -EINVAL
        self.memory.store(int(self._value), 8, held)
        return int(self.ops.update(self._cpu, self.state, self._key, self._value, flags))

    def _same_shape(self, address: int) -> bool:
        """Whether the map at an address is like the pattern of inner maps (bpf_map_meta_equal)."""
        inner, pattern = view(MapHeader, self.memory, address), self.spec.inner
        assert pattern is not None
        kind = maps.by_name(pattern.type)
        any_size = pattern.type != "array" or pattern.flags & BPF_F_INNER_MAP
        return (
            kind is not None
            and inner.type == kind.id
            and inner.key_size == pattern.key_size
            and inner.value_size == pattern.value_size
            and inner.flags == pattern.flags & ~(BPF_F_RDONLY | BPF_F_WRONLY)
            and bool(any_size or inner.max_entries == pattern.max_entries)
        )

    def delete(self, key: bytes) -> None:
        """Remove a key; KernelError (ENOENT) when it is not there."""
        self._writable("delete", key)
        with self._args(key):
            self._ok("delete", key, self._operation("delete")(self._cpu, self.state, self._key))

    def next_key(self, key: bytes | None) -> bytes | None:
        """The key after `key`; the first one for None or a key that is not there; None at the end.

        A hash map has no order, and a key that was deleted meanwhile starts it again: see keys().
        """
        self._readable("next_key", key or b"")
        operation = self._operation("next_key")
        with self._args(key if key is not None else bytes(self.spec.key_size)):
            start = self._key if key is not None else ptr(self.memory, 0, u8)
            code = int(operation(self.state, start, self._out))
            if code == -ENOENT:
                return None
            self._ok("next_key", key or b"", code)
            return self.memory.read(int(self._out), self.spec.key_size)

    def lookup_and_delete(self, key: bytes, flags: int = 0) -> bytes | None:
        """The value of a key, which is removed; None when there is none. Queues and stacks: a
        pop."""
        self._known_flags("lookup_and_delete", key, flags)
        self._readable("lookup_and_delete", key)
        self._writable("lookup_and_delete", key)
        self._lock_flag("lookup_and_delete", key, flags)
        if "take" not in self.kind.user:
            self._fail("lookup_and_delete", key, ENOTSUPP)
        with self._args(key):
            if hasattr(self.ops, "pop"):
                code = -EINVAL if flags else self.ops.pop(self._cpu, self.state, self._value)
            else:
                code = self.ops.take(self._cpu, self.state, self._key, self._value, flags)
            found = self._result("lookup_and_delete", key, code)
            return found if found is None else self._unlocked(found)

    # -- many at once ------------------------------------------------------------------------

    def lookup_batch(
        self, token: bytes | None = None, count: int = BATCH, flags: int = 0, delete: bool = False
    ) -> tuple[list[bytes], list[bytes], bytes | None]:
        """Some keys and values, and a token that gives the next ones; None at the end.

        More than `count` may come: a hash map gives whole buckets. `delete` removes what it gives.
        KernelError (ENOTSUPP) where the type has no batches; see items().
        """
        what = "lookup_and_delete_batch" if delete else "lookup_batch"
        self._readable(what, b"")
        if delete:
            self._writable(what, b"")
        if ("take_batch" if delete else "lookup_batch") not in self.kind.user.split():
            self._fail(what, b"", ENOTSUPP)
        self._known_flags(what, b"", flags)
        self._lock_flag(what, b"", flags)
        if hasattr(self.ops, "read_bucket"):  # but maps of maps, whose values are not plain bytes
            return self._bucket_batch(token, count, flags, delete)
        keys: list[bytes] = []
        values: list[bytes] = []
        key = self.next_key(token)
        while key is not None and len(keys) < count:
            value = self.lookup(key, flags)
            if value is not None:
                keys.append(key)
                values.append(value)
            following = self.next_key(key)
            if delete:
                self.delete(key)
            token, key = key, following
        return keys, values, None if key is None else token

    def _bucket_batch(
        self, token: bytes | None, count: int, flags: int, delete: bool
    ) -> tuple[list[bytes], list[bytes], bytes | None]:
        """Whole buckets until `count` is reached; the token is the next bucket's number."""
        bucket = int.from_bytes(token or b"", "little")
        keys, values = bytearray(), bytearray()
        got = 0
        with self.lock:
            room = min(64, self.spec.max_entries)
            buffers = self._room(room)
            while (bucket := int(self.ops.next_bucket(self.state, bucket))) <= self.state.mask:
                if got >= count:
                    break
                args = (self._cpu, self.state, bucket, *buffers, room, flags, int(delete))
                n = int(self.ops.read_bucket(*args))
                if n == -ENOSPC:
                    room *= 2
                    buffers = self._room(room)
                    continue
                keys += self.memory.read(int(buffers[0]), n * self.spec.key_size)
                values += self.memory.read(int(buffers[1]), n * self.value_bytes)
                got, bucket = got + n, bucket + 1
            self._free_room()
        end = bucket > self.state.mask
        return (
            _split(keys, self.spec.key_size, got),
            [self._unlocked(v) for v in _split(values, self.value_bytes, got)],
            None if end else bucket.to_bytes(4, "little"),
        )

    def _room(self, count: int) -> tuple[ptr[Any], ptr[Any]]:
        """Memory for `count` keys and values."""
        self._free_room()
        keys = round_up(count * self.spec.key_size, 8)
        region = self._region("batch", keys + count * self.value_bytes)
        self._batch_region = region
        return ptr(self.memory, region.base, u8), ptr(self.memory, region.base + keys, u8)

    _batch_region: Region | None = None

    def _free_room(self) -> None:
        region, self._batch_region = self._batch_region, None
        if region is not None:
            self._regions.remove(region)
            self.memory.free(region)

    def update_batch(self, keys: Sequence[bytes], values: Sequence[bytes], flags: int = 0) -> None:
        """Set many elements; those before a failing one are set. Where the kernel has a batch for
        it, the only flag is BPF_F_LOCK."""
        if len(keys) != len(values):
            raise KernelError(f"map {self.name}: {len(keys)} keys but {len(values)} values", EINVAL)
        if keys and "update_batch" in self.kind.user.split():
            self._writable("update_batch", keys[0])
            self._known_flags("update_batch", keys[0], flags)
        for key, value in zip(keys, values, strict=True):
            self.update(key, value, flags)

    def delete_batch(self, keys: Sequence[bytes]) -> None:
        """Remove many keys; ENOENT at the first that is not there."""
        for key in keys:
            self.delete(key)

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Every key and value, in batches where there are some."""
        if "lookup_batch" not in self.kind.user.split():
            for key in self.keys():
                value = self.lookup(key)
                if value is not None:
                    yield key, value
            return
        token: bytes | None = None
        while True:
            keys, values, token = self.lookup_batch(token)
            yield from zip(keys, values, strict=True)
            if token is None:
                return

    def keys(self) -> Iterator[bytes]:
        """Every key. Deleting elements while this runs is safe: where the walk starts again, keys
        that were seen are passed over; it ends when that happens over and over."""
        seen: set[bytes] = set()
        stale = 0
        key = self.next_key(None)
        while key is not None and stale <= self.spec.max_entries:
            following = self.next_key(key)
            if key in seen:
                stale += 1
            else:
                stale = 0
                seen.add(key)
                yield key
            key = following

    # -- the rules around --------------------------------------------------------------------

    @contextmanager
    def _args(self, key: bytes, value: bytes | None = None) -> Iterator[None]:
        """Put key and value into the buffers and hold them."""
        if len(key) != self.spec.key_size:
            text = f"a key has {self.spec.key_size} bytes, this one {len(key)}"
            raise KernelError(f"map {self.name}: {text}", EINVAL)
        if value is not None and len(value) != self.value_bytes:
            text = f"a value has {self.value_bytes} bytes, this one {len(value)}"
            raise KernelError(f"map {self.name}: {text}", EINVAL)
        with self.lock:
            self.memory.write(int(self._key), key)
            if value is not None:
                self.memory.write(int(self._value), value)
            yield

    def _readable(self, what: str, key: bytes) -> None:
        self._open()
        if self.spec.flags & BPF_F_WRONLY:
            self._fail(what, key, EPERM)

    def _writable(self, what: str, key: bytes) -> None:
        self._open()
        if self.spec.flags & BPF_F_RDONLY or self.frozen:
            self._fail(what, key, EPERM)

    def _open(self) -> None:
        if not self._regions:
            raise KernelError(f"map {self.name} is closed", EBADF)

    def _known_flags(self, what: str, key: bytes, flags: int) -> None:
        if flags & ~BPF_F_LOCK:
            self._fail(what, key, EINVAL)

    def _lock_flag(self, what: str, key: bytes, flags: int) -> None:
        """BPF_F_LOCK only where values have a lock."""
        if flags & BPF_F_LOCK and self.state.head.lock_at == NO_LOCK:
            self._fail(what, key, EINVAL)

    def _operation(self, name: str) -> Any:
        operation = getattr(self.ops, name, None)
        if operation is None:
            self._fail(name, b"", ENOTSUPP)
        return operation

    def _unlocked(self, value: bytes) -> bytes:
        """A value as user space sees it: its lock reads as zero."""
        at = int(self.state.head.lock_at)
        return value if at == NO_LOCK else value[:at] + bytes(4) + value[at + 4 :]

    def _value_ops(self) -> Any:
        from ebee.maps import value_ops

        return value_ops

    def _result(self, what: str, key: bytes, code: int) -> bytes | None:
        """The value in the buffer after an operation that gave `code`."""
        if code == -ENOENT:
            return None
        self._ok(what, key, code)
        return self.memory.read(int(self._value), self.value_bytes)

    def _ok(self, what: str, key: bytes, code: int) -> None:
        if code < 0:
            self._fail(what, key, -int(code))

    def _fail(self, what: str, key: bytes, code: int) -> NoReturn:
        spec, indexed = self.spec, self.kind.indexed
        raise refusal(spec.name, spec.type, spec.max_entries, what, key, code, indexed)


def _split(data: bytes | bytearray, size: int, count: int) -> list[bytes]:
    return [bytes(data[i * size : (i + 1) * size]) for i in range(count)]


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
