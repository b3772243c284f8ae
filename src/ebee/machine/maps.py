"""Maps of the machine as user space sees them: byte for byte what the system call gives.

The operations are the native ones of `ebee.maps`; here stand the rules of kernel/bpf/syscall.c
around them: sizes, flags, access rights, frozen maps, per-CPU values in a row, batches.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

from ebee import maps
from ebee.abi.errno import (
    EBADF,
    EINVAL,
    ENOENT,
    ENOSPC,
    ENOTSUPP,
    EPERM,
)
from ebee.abi.map import (
    BPF_F_INNER_MAP,
    BPF_F_LOCK,
    BPF_F_RDONLY,
    BPF_F_WRONLY,
    NO_LOCK,
    MapHeader,
)
from ebee.errors import KernelError
from ebee.machine.map_state import GuardedRegion as GuardedRegion
from ebee.machine.map_state import MapState
from ebee.machine.memory import Region
from ebee.maps.hash_ops import END
from ebee.maps.layout import round_up
from ebee.maps.why import refusal
from ebee.types import ptr, u8, view

BATCH = 4096
"""Elements a batch asks for at first."""


class MachineMap(MapState):
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

    def compile(self) -> None:
        """Compile the operations for this map: worth it where user space calls them often."""
        from ebee.machine.native_maps import NativeOps

        if not isinstance(self.ops, NativeOps):
            self.ops = NativeOps(self)

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
        keys: list[bytes] = []
        values: list[bytes] = []
        with self.lock:
            for bucket in self._used_buckets(int.from_bytes(token or b"", "little")):
                if len(keys) >= count:
                    return keys, values, bucket.to_bytes(4, "little")
                for key, value in self._bucket(bucket, flags, delete):
                    keys.append(key)
                    values.append(value)
        return keys, values, None

    def _used_buckets(self, start: int) -> Iterator[int]:
        """The buckets from `start` on that hold something; whole pages without any are skipped."""
        base = int(self.state.buckets)
        words = self.memory.find(base, 4).data.cast("I")
        last = self.state.mask + 1
        while start < last:
            stop = min(start + 1024, last)
            page = words[start:stop]
            if any(page):
                for bucket, word in enumerate(page, start):
                    if word and not word & END:
                        yield bucket
            start = stop

    def _bucket(self, bucket: int, flags: int, delete: bool) -> Iterator[tuple[bytes, bytes]]:
        """The elements of one bucket, copied (and removed) in one step."""
        key, value = self.spec.key_size, self.value_bytes
        while True:
            room = self._room
            keys: ptr[Any] = ptr(self.memory, self._batch.base if self._batch else 0, u8)
            values = keys + room * key
            args = (self._cpu, self.state, bucket, keys, values, room, flags, int(delete))
            found = int(self.ops.read_bucket(*args))
            if found != -ENOSPC:
                break
            self._room = max(8, 2 * room)
            self._batch = self._region("batch", self._room * (key + value))
        if self._batch is not None:
            data, first = self._batch.data, room * key
            for i in range(found):
                at = first + i * value
                yield (
                    bytes(data[i * key : (i + 1) * key]),
                    self._unlocked(bytes(data[at : at + value])),
                )

    _batch: Region | None = None
    _room = 0

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
        """Every key; deleting elements while this runs is safe. A hash map's are those that were
        there at the start. Where a walk starts again because its key is gone, keys that were seen
        are passed over; it ends when that happens over and over."""
        if hasattr(self.ops, "read_bucket"):
            yield from [key for key, _ in self.items()]
            return
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
