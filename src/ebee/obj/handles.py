"""Live things as Python sees them, the same on every backend: objects, programs, maps, links.

A backend supplies byte-level maps (`RawMap`; `RawMapDefaults` completes the four basic
operations) and subclasses of `Object`, `Program` and `Link`. Types come from BTF.
"""

from __future__ import annotations

import errno
from abc import ABC, abstractmethod
from collections.abc import (
    Callable,
    ItemsView,
    Iterable,
    Iterator,
    Mapping,
    MutableMapping,
    Sequence,
    ValuesView,
)
from sys import byteorder
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from ebee.errors import BtfError, KernelError, ObjectError
from ebee.obj.named import Named
from ebee.obj.spec import MapSpec, ObjectSpec, ProgramSpec, VariableSpec, value_codec

if TYPE_CHECKING:
    from ebee.obj.events import Events

Self = TypeVar("Self", bound="Closing")
T = TypeVar("T")

BUFFERS = ("ringbuf", "perf_event_array")
"""Types of maps that events come from."""

BPF_NOEXIST, BPF_EXIST = 1, 2
_NO_OPERATION = (524, errno.EOPNOTSUPP, errno.EINVAL)
"""What a kernel answers where a map has no such operation; 524 is its own ENOTSUPP."""


class RawMap(Protocol):
    """A map in bytes. Keys are `key_size` bytes, values `value_bytes`: value_size, or for per-CPU
    maps one slot for each CPU, each rounded up to 8 bytes. Failures raise KernelError with the
    errno that Linux has for it."""

    @property
    def name(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def key_size(self) -> int: ...
    @property
    def value_size(self) -> int: ...
    @property
    def max_entries(self) -> int: ...

    value_bytes: int

    def lookup(self, key: bytes) -> bytes | None: ...
    def lookup_and_delete(self, key: bytes) -> bytes | None: ...
    def update(self, key: bytes, value: bytes, flags: int = 0) -> None: ...
    def delete(self, key: bytes) -> None: ...
    def next_key(self, key: bytes | None) -> bytes | None: ...
    def keys(self) -> Iterator[bytes]: ...
    def items(self) -> Iterator[tuple[bytes, bytes]]: ...
    def update_batch(
        self, keys: Sequence[bytes], values: Sequence[bytes], flags: int = 0
    ) -> None: ...
    def delete_batch(self, keys: Sequence[bytes]) -> None: ...


class RawMapDefaults(ABC):
    """Iteration and batches for a raw map that has but the single operations."""

    max_entries: int

    @abstractmethod
    def lookup(self, key: bytes) -> bytes | None: ...
    @abstractmethod
    def update(self, key: bytes, value: bytes, flags: int = 0) -> None: ...
    @abstractmethod
    def delete(self, key: bytes) -> None: ...
    @abstractmethod
    def next_key(self, key: bytes | None) -> bytes | None: ...

    def keys(self) -> Iterator[bytes]:
        """Every key once, also while elements come and go: a hash map starts again when the key
        to go on from is gone, so keys that were seen are passed over, up to `max_entries` times in
        a row."""
        seen: set[bytes] = set()
        stale, key = 0, self.next_key(None)
        while key is not None and stale <= self.max_entries:
            following = self.next_key(key)  # before the caller may delete it
            stale = stale + 1 if key in seen else 0
            if not stale:
                seen.add(key)
                yield key
            key = following

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        """Every key with its value; elements that vanish meanwhile are left out."""
        for key in self.keys():
            value = self.lookup(key)
            if value is not None:
                yield key, value

    def update_batch(self, keys: Sequence[bytes], values: Sequence[bytes], flags: int = 0) -> None:
        """Set many elements, one after the other."""
        for key, value in zip(keys, values, strict=True):
            self.update(key, value, flags)

    def delete_batch(self, keys: Sequence[bytes]) -> None:
        """Remove many keys, one after the other."""
        for key in keys:
            self.delete(key)


class Total(dict[str, Any]):
    """Sums by member, also as attributes: plain integers of Python, which do not wrap."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"no member {name!r}; there are {', '.join(self)}") from None


class PerCpu(list[Any]):
    """One value for each CPU.

    >>> PerCpu([3, 4]).sum()
    7
    """

    def sum(self) -> Any:
        """The values added up: numbers, lists by element, records by member (as a `Total`)."""
        return _reduce(sum, self)

    def max(self) -> Any:
        """The largest one: of numbers, of lists by element, of records by member."""
        return _reduce(max, self)

    def min(self) -> Any:
        """The smallest one, likewise."""
        return _reduce(min, self)


def _reduce(what: Callable[[Sequence[Any]], Any], values: Sequence[Any]) -> Any:
    """One value of many: numbers by a function, lists by element, records by member."""
    first = values[0]
    if isinstance(first, int | float):
        return what(values)
    if isinstance(first, list):
        return [_reduce(what, column) for column in zip(*values, strict=True)]
    if hasattr(first, "_fields"):
        return Total({name: _reduce(what, [v[name] for v in values]) for name in first._fields})
    raise TypeError(f"values of type {type(first).__name__} are no numbers to reckon with")


class Closing:
    """Something with a life: closed by close(), or at the end of a `with`."""

    def close(self) -> None:
        """Give it up; doing so again does nothing."""

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class Map(MutableMapping[Any, Any]):
    """A live map with typed keys and values.

    >>> flows = obj.maps["flows"]                                     # doctest: +SKIP
    >>> flows[{"saddr": 1, "daddr": 2}] = {"packets": 0, "bytes": 0}  # doctest: +SKIP
    >>> for flow, count in flows.items(): ...                         # doctest: +SKIP

    Values of per-CPU maps are `PerCpu` lists; setting one takes a list with a value for each CPU,
    or a single value for all of them. A missing key is a KeyError, what the map refuses a
    KernelError, what does not fit the type a BtfError. `raw` is the map in bytes.
    """

    def __init__(self, raw: RawMap, spec: MapSpec | None = None, btf: Any = None):
        from ebee.maps import by_name

        self.raw, self.spec = raw, spec
        self.name, self.type, self.max_entries = raw.name, raw.type, raw.max_entries
        if spec is not None:
            self.name = spec.name
        self._key = value_codec(btf, spec.key_btf_id if spec else 0, raw.key_size, byteorder)
        self._value = value_codec(btf, spec.value_btf_id if spec else 0, raw.value_size, byteorder)
        declared = by_name(raw.type)
        self.per_cpu = bool(declared and declared.per_cpu)
        self._slot = raw.value_size + 7 & ~7

    def encode_key(self, key: Any) -> bytes:
        """A key as bytes; BtfError when it does not fit the key's type."""
        return self._pack("a key", self._key.encode, key)

    def encode_value(self, value: Any) -> bytes:
        """A value as bytes. Backends override this for maps that hold maps or programs."""
        if not self.per_cpu:
            return self._pack("a value", self._value.encode, value)
        cpus = self.raw.value_bytes // self._slot if self._slot else 0
        values = value if isinstance(value, list) else [value] * cpus
        if len(values) != cpus:
            raise BtfError(f"map {self.name}: {len(values)} values for {cpus} CPUs")
        packed = (self._pack("a value", self._value.encode, v) for v in values)
        return b"".join(p.ljust(self._slot, b"\0") for p in packed)

    def decode_key(self, raw: bytes) -> Any:
        """Bytes as a key."""
        return self._key.decode(raw)

    def decode_value(self, raw: bytes) -> Any:
        """Bytes as a value."""
        if not self.per_cpu:
            return self._value.decode(raw)
        size, slot = self.raw.value_size, self._slot
        return PerCpu(self._value.decode(raw[at : at + size]) for at in range(0, len(raw), slot))

    def _pack(self, what: str, encode: Callable[[Any], bytes], value: Any) -> bytes:
        try:
            return encode(value)
        except BtfError as error:
            raise BtfError(f"map {self.name}: {what}: {error}") from None

    def __getitem__(self, key: Any) -> Any:
        found = self.raw.lookup(self.encode_key(key))
        if found is None:
            raise KeyError(key)
        return self.decode_value(found)

    def __setitem__(self, key: Any, value: Any) -> None:
        self.raw.update(self.encode_key(key), self.encode_value(value))

    def __delitem__(self, key: Any) -> None:
        try:
            self.raw.delete(self.encode_key(key))
        except KernelError as error:
            gone = errno.EINVAL if self.raw.type == "sockmap" else errno.ENOENT
            if error.errno == gone:
                raise KeyError(key) from None
            raise

    def __contains__(self, key: object) -> bool:
        return self.raw.lookup(self.encode_key(key)) is not None

    def __iter__(self) -> Iterator[Any]:
        """Every key once; the map may change meanwhile."""
        return map(self.decode_key, self.raw.keys())

    def __len__(self) -> int:
        """The number of elements, counted."""
        keys = self.raw.keys()
        return sum(1 for _ in keys)

    def __bool__(self) -> bool:
        return True  # a handle is there, whether or not the map has elements

    def items(self) -> ItemsView[Any, Any]:
        """Every key with its value, read in batches where the map has those."""
        return _Items(self)

    def values(self) -> ValuesView[Any]:
        """Every value."""
        return _Values(self)

    def update(  # type: ignore[override]
        self,
        elements: Mapping[Any, Any] | Iterable[tuple[Any, Any]] = (),
        *,
        exist: bool = False,
        noexist: bool = False,
    ) -> None:
        """Set many elements, in one call where the map has batches.

        `exist`: only keys that are there; `noexist`: only keys that are not. Otherwise KernelError
        (ENOENT, EEXIST) at the first one; those before it are set.
        """
        pairs = elements.items() if isinstance(elements, Mapping) else elements
        encoded = [(self.encode_key(k), self.encode_value(v)) for k, v in pairs]
        flags = BPF_EXIST * exist | BPF_NOEXIST * noexist
        if len(encoded) == 1:
            self.raw.update(*encoded[0], flags)
        elif encoded:
            self.raw.update_batch([k for k, _ in encoded], [v for _, v in encoded], flags)

    _MISSING: Any = object()

    def pop(self, key: Any, default: Any = _MISSING) -> Any:
        """Remove a key and return its value; in one step where the map can (hashes: Linux 5.14)."""
        raw_key = self.encode_key(key)
        try:
            found = self.raw.lookup_and_delete(raw_key)
        except KernelError as error:
            if error.errno not in _NO_OPERATION:
                raise
            found = self.raw.lookup(raw_key)
            if found is not None:
                self.raw.delete(raw_key)
        if found is not None:
            return self.decode_value(found)
        if default is self._MISSING:
            raise KeyError(key)
        return default

    def setdefault(self, key: Any, default: Any = None) -> Any:
        """The value of a key, set to `default` first if it is not there."""
        raw_key = self.encode_key(key)
        found = self.raw.lookup(raw_key)
        if found is None:
            value = self.encode_value(default)
            try:
                self.raw.update(raw_key, value, BPF_NOEXIST)
                found = value
            except KernelError as error:
                if error.errno != errno.EEXIST:
                    raise
                found = self.raw.lookup(raw_key) or value
        return self.decode_value(found)

    def clear(self) -> None:
        """Remove every element. KernelError for arrays, whose elements stay."""
        for key in list(self.raw.keys()):
            try:
                self.raw.delete(key)
            except KernelError as error:
                if error.errno != errno.ENOENT:
                    raise

    def push(self, value: Any) -> None:
        """Append to a queue or stack; KernelError (E2BIG) when it is full."""
        self.raw.update(b"", self.encode_value(value))

    def peek(self) -> Any:
        """The next value of a queue or stack, which stays; None when it is empty."""
        found = self.raw.lookup(b"")
        return None if found is None else self.decode_value(found)

    def take(self) -> Any:
        """The next value of a queue or stack, which is removed; None when it is empty."""
        found = self.raw.lookup_and_delete(b"")
        return None if found is None else self.decode_value(found)

    def __repr__(self) -> str:
        key, value = (c.describe().partition(" {")[0] for c in (self._key, self._value))
        kinds = f"{key} -> {value}"
        each = " per CPU" if self.per_cpu else ""
        return f"<Map {self.name}: {self.type}, {kinds}{each}, max_entries {self.max_entries}>"

    def _repr_html_(self) -> str:
        from ebee.obj.display import map_html

        return map_html(self)


class _Items(ItemsView[Any, Any]):
    _mapping: Map

    def __iter__(self) -> Iterator[tuple[Any, Any]]:
        handle = self._mapping
        for key, value in handle.raw.items():
            yield handle.decode_key(key), handle.decode_value(value)


class _Values(ValuesView[Any]):
    _mapping: Map

    def __iter__(self) -> Iterator[Any]:
        handle = self._mapping
        return (handle.decode_value(value) for _, value in handle.raw.items())


class Variable:
    """A live global variable: `.value` reads and writes it in the map of its section.

    Writing replaces the section's whole value, so a program's writes to neighbours in that instant
    can be lost; backends that map the section into memory override `read` and `write`.
    """

    def __init__(
        self, spec: VariableSpec, section: RawMap, btf: Any = None, readonly: bool = False
    ):
        self.spec, self.section, self.readonly = spec, section, readonly
        self._codec = value_codec(btf, spec.btf_id, spec.size, byteorder)

    def read(self) -> bytes:
        """The variable's bytes."""
        whole = self.section.lookup(bytes(self.section.key_size)) or b""
        return whole[self.spec.offset : self.spec.offset + self.spec.size]

    def write(self, data: bytes) -> None:
        """Replace the variable's bytes."""
        key, at = bytes(self.section.key_size), self.spec.offset
        whole = self.section.lookup(key) or bytes(self.section.value_size)
        self.section.update(key, whole[:at] + data + whole[at + len(data) :])

    @property
    def value(self) -> Any:
        """The value now, typed by BTF."""
        return self._codec.decode(self.read())

    @value.setter
    def value(self, value: Any) -> None:
        name = self.spec.name
        if self.readonly:
            raise ObjectError(f"variable {name} is constant once loaded; set it in the ObjectSpec")
        try:
            data = self._codec.encode(value)
        except BtfError as error:
            raise BtfError(f"variable {name}: {error}") from None
        self.write(data)

    def __repr__(self) -> str:
        return f"<Variable {self.spec.name}: {self._codec.describe()} in {self.spec.map}>"


class Link(Closing):
    """A program in its place. Closing it takes the program out, unless it has been pinned."""

    def pin(self, path: str) -> None:
        """Let it outlive this process under a name, where the backend can."""
        raise ObjectError(f"{type(self).__name__} cannot be pinned")


class Program(ABC):
    """A loaded program; it lives as long as its object."""

    def __init__(self, spec: ProgramSpec):
        self.spec, self.name, self.hook = spec, spec.name, spec.hook

    @abstractmethod
    def attach(self, target: Any = None, **options: Any) -> Link:
        """Put the program into its place; `target` as its hook wants (an interface, ...), or what
        its section names."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name} ({self.spec.section})>"


class Object(Closing):
    """A loaded object: live maps, programs and variables by name, and the events it sends.

    Closing it takes its programs out of their places and gives everything back.
    """

    def __init__(self, spec: ObjectSpec):
        self.spec, self.name = spec, spec.name
        owner = f"object {spec.name}"
        self.maps: dict[str, Map] = Named((), "map", owner)
        self.programs: dict[str, Program] = Named((), "program", owner)
        self.variables: dict[str, Variable] = Named((), "variable", owner)
        self._events: dict[str, Events] = {}

    def ring_buffer(self, name: str) -> Any:
        """The backend's reader of a buffer, in bytes; see `events` for typed values."""
        raise ObjectError(f"{type(self).__name__} has no reader of {name!r}")

    def events(self, name: str | None = None, *, timeout: float | None = None) -> Events:
        """The events of a ring buffer (of the only one, if no name is given), as typed values.

        `timeout` is how many seconds an iteration waits for the next one (None: for ever).

        >>> for event in obj.events("events", timeout=1): ...             # doctest: +SKIP
        """
        from ebee.obj.events import Events, event_codec

        buffers = [n for n, m in self.spec.maps.items() if m.type in BUFFERS]
        if name is None and len(buffers) == 1:
            name = buffers[0]
        if name not in buffers:
            there = ", ".join(buffers) or "none"
            fault = f"{name!r} is no buffer of events" if name else "say which buffer of events"
            raise ObjectError(f"{self.name}: {fault}; it has: {there}")
        raw = self.ring_buffer(name)
        made = self._events.get(name)
        if made is None or made.raw is not raw:
            codec = event_codec(self.spec, self.spec.maps[name])
            made = self._events[name] = Events(raw, name, codec)
        made.timeout = timeout
        return made

    def __repr__(self) -> str:
        parts = ((len(self.programs), "program"), (len(self.maps), "map"))
        text = ", ".join(f"{count} {word}{'s' * (count != 1)}" for count, word in parts)
        return f"<{type(self).__name__} {self.name}: {text}>"

    def _repr_html_(self) -> str:
        from ebee.obj.display import object_html

        return object_html(self)
