"""Maps as declarations of a module: `flows = Hash[Key, Value](max_entries=1024)`.

In a program `flows.lookup(key)` is a pointer to the value or None, `flows[key] = value` stores,
`del flows[key]` deletes. In user space the same map of a loaded object is a mapping:
`loaded.maps["flows"]`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from enum import IntEnum
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from ebee.types import sizeof, u32

F = TypeVar("F", bound=Callable[..., Any])
K = TypeVar("K")
V = TypeVar("V")

ANY, NOEXIST, EXIST = 0, 1, 2
"""Flags of update: always, only a new key, only an old one."""


class Typed:
    """A map class with its types, `Hash[Key, Value]`: calling it declares a map. As an annotation
    it has the types of a map that is declared without; see `declared`."""

    def __init__(self, cls: type[AnyMap[Any, Any]], types: tuple[Any, ...]):
        self.cls, self.types = cls, types

    def __call__(self, *args: Any, **attributes: Any) -> Any:
        made = self.cls(*args, **attributes)
        self.give(made)
        return made

    def give(self, m: AnyMap[Any, Any]) -> None:
        """Give a map its types; TypeError when it takes no such types."""
        m._set_types(self.types)
        m.given = self.types

    def __str__(self) -> str:
        names = ", ".join(getattr(t, "__name__", str(t)) for t in self.types)
        return f"{self.cls.__name__}[{names}]"

    def __static__(self) -> Any:
        """As the annotation of a parameter: a map of this kind and these types."""
        from ebee.lang.values import Constant

        want = self.cls(**self.cls._any)
        want._set_types(self.types)

        def accepts(thing: Any) -> bool:
            same = isinstance(thing, AnyMap) and (thing.key, thing.value) == (want.key, want.value)
            return same and isinstance(thing, self.cls)

        return Constant(None, accepts)


class AnyMap(Generic[K, V]):
    """Base of the declarations: `type` is the kernel's name of the map type.

    `max_entries`: elements it can hold. `flags`: BPF_F_* of creation. `pinned`: keep it under its
    name in the BPF file system, and use the one that is there.
    """

    type: ClassVar[str] = ""
    always: ClassVar[int] = 0
    """Flags that every map of this type has."""
    _any: ClassVar[dict[str, Any]] = {"max_entries": 1}
    types: ClassVar[int] = 2
    """How many types the brackets take: key and value, or the value."""
    index: ClassVar[Any] = None
    """The type of keys that are indexes."""
    sizes: ClassVar[tuple[int, int] | None] = None
    """Bytes of key and value where those have no types in the object."""

    def __init__(self, *, max_entries: int, flags: int = 0, pinned: bool = False):
        if not 0 < max_entries < 1 << 32:
            raise ValueError(f"{type(self).__name__}: max_entries is {max_entries}")
        self.max_entries, self.flags, self.pinned = max_entries, flags | self.always, pinned
        self.map_extra = 0
        self.inner: AnyMap[Any, Any] | None = None
        self.key: Any = None
        self.value: Any = None
        self.given: tuple[Any, ...] = ()
        """The types that stood in brackets."""
        self.name = ""

    def _set_types(self, given: tuple[Any, ...]) -> None:
        if len(given) != self.types:
            what = "the types of key and value" if self.types == 2 else "one type"
            raise TypeError(f"{type(self).__name__} takes {what}, not {len(given)} types")
        for t in given:
            sizeof(t)  # TypeError for what is no static type
        if given:
            self.key, self.value = given if len(given) == 2 else (self.index, given[0])

    @property
    def __typename__(self) -> str:
        return type(self).__name__

    if not TYPE_CHECKING:

        def __class_getitem__(cls, item):
            items = item if isinstance(item, tuple) else (item,)
            if any(i in (Any, None) or isinstance(i, TypeVar) for i in items):
                return super().__class_getitem__(item)  # the bases of the classes below
            return Typed(cls, items)

    # What programs may do; compiled, never run.

    # To type checkers the address of a value is the value: members of structs complete.

    def lookup(self, key: K | int) -> V | None:
        """The address of the value, or None: test it before it is used. A number is `found[0]`."""
        raise _only_compiled(self)

    def __getitem__(self, key: K | int) -> V | None:
        raise _only_compiled(self)

    def update(self, key: K | int, value: V | int, flags: int = ANY) -> int:
        """Store a value; 0, or a negative error number (-E2BIG: full, -EEXIST, -ENOENT)."""
        raise _only_compiled(self)

    def __setitem__(self, key: K | int, value: V | int) -> None:
        raise _only_compiled(self)

    def get(self, key: K | int, default: int) -> Any:
        """The value where it is a number, or the default where there is none."""
        raise _only_compiled(self)


class _Keyed(AnyMap[K, V]):
    """Maps that programs ask for keys, and go through."""

    if TYPE_CHECKING:

        def __contains__(self, key: K | int) -> bool: ...
        def __iter__(self) -> Iterator[K]: ...
        def keys(self) -> Iterator[K]: ...
        def values(self) -> Iterator[V]: ...
        def items(self) -> Iterator[tuple[K, V]]: ...


class _Deletable(_Keyed[K, V]):
    def delete(self, key: K | int) -> int:
        """Take a key out; 0, or -ENOENT."""
        raise _only_compiled(self)

    def __delitem__(self, key: K | int) -> None:
        raise _only_compiled(self)


class Hash(_Deletable[K, V]):
    """Values by key; storing into a full map fails. Since Linux 3.19."""

    type = "hash"


class LruHash(_Deletable[K, V]):
    """A hash map that makes room by dropping what was not used for long. Since Linux 4.10."""

    type = "lru_hash"


class _PerCpu(AnyMap[K, V]):
    def lookup_cpu(self, key: K | int, cpu: int) -> V | None:
        """The address of the value that one CPU has, or None. Since Linux 5.19."""
        raise _only_compiled(self)


class PerCpuHash(_Deletable[K, V], _PerCpu[K, V]):
    """A hash map with a value of its own for each CPU. Since Linux 4.6."""

    type = "percpu_hash"


class LruPerCpuHash(_Deletable[K, V], _PerCpu[K, V]):
    """Both of the above. Since Linux 4.10."""

    type = "lru_percpu_hash"


class LpmTrie(_Deletable[K, V]):
    """Values by prefix: a lookup finds the longest one that matches. The key is a struct of
    `prefixlen: u32` (bits) and the data. Since Linux 4.11."""

    type = "lpm_trie"
    always = 1  # BPF_F_NO_PREALLOC


class Array(_Keyed[int, V]):
    """Values by index; all are there from the start, zeroed. `Array[Value](max_entries=n)`, keys
    are u32. Since Linux 3.19."""

    type = "array"
    types = 1
    index = u32


class PerCpuArray(Array[V], _PerCpu[int, V]):
    """An array with values of its own for each CPU. Since Linux 4.6."""

    type = "percpu_array"


class RingBuf(AnyMap[None, V]):
    """Records for user space, in order: `events = RingBuf[Event](size=1 << 20)`. `size` in bytes:
    a power of two of pages. Since Linux 5.8."""

    type = "ringbuf"
    types = 1
    sizes = (0, 0)
    _any: ClassVar[dict[str, Any]] = {"size": 4096}

    def __init__(self, *, size: int, pinned: bool = False):
        if size < 4096 or size & (size - 1):
            raise ValueError(f"RingBuf: size is {size}; it must be a power of two, at least 4096")
        super().__init__(max_entries=size, pinned=pinned)

    def reserve(self) -> AbstractContextManager[V | None]:
        """Room for a record: `with events.reserve() as e:`. None when the buffer is full. The
        record is sent when the block is left, on whatever way, unless it was discarded."""
        raise _only_compiled(self)

    def discard(self, record: V) -> None:
        """Do not send a reserved record."""
        raise _only_compiled(self)

    def output(self, record: V, flags: int = 0) -> int:
        """Send a copy of a record; 0, or -EAGAIN when the buffer is full."""
        raise _only_compiled(self)


class ProgArray(AnyMap[Any, Any]):
    """Programs to jump to: `jumps = ProgArray(max_entries=4)`, filled by the numbers of
    `@jumps.entry(0)` above a program's hook, or from user space. `ProgArray[Stage]()` has a
    program for each member of an enumeration. Since Linux 4.2."""

    type = "prog_array"
    types = 0
    sizes = (4, 4)

    def __init__(self, *, max_entries: int = 0, pinned: bool = False):
        super().__init__(max_entries=max_entries or 1, pinned=pinned)
        self.max_entries = max_entries
        self.entries: dict[int, Any] = {}
        self.members: type[IntEnum] | None = None
        """The enumeration of the programs."""

    def _set_types(self, given: tuple[Any, ...]) -> None:
        kind = given[0] if len(given) == 1 else None
        if not (isinstance(kind, type) and issubclass(kind, IntEnum)) or not kind or min(kind) < 0:
            raise TypeError("ProgArray takes an enumeration of programs: ProgArray[Stage]()")
        self.members, self.max_entries = kind, self.max_entries or max(kind) + 1

    def entry(self, index: int) -> Callable[[F], F]:
        """Decorator: put a program into the map."""
        if not 0 <= index < self.max_entries:
            raise ValueError(f"ProgArray: {index} is no index below {self.max_entries}")
        if self.members is not None and not isinstance(index, self.members):
            raise ValueError(f"ProgArray: {index!r} is no member of {self.members.__name__}")

        def put(program: F) -> F:
            self.entries[index] = program
            return program

        return put

    def call(self, ctx: Any, index: int) -> None:
        """Go on with the program at an index, for good; when there is none, simply go on."""
        raise _only_compiled(self)


def _only_compiled(m: AnyMap[Any, Any]) -> TypeError:
    return TypeError(
        f"the declaration of a {type(m).__name__} has no contents: compile and load the program,"
        " then use loaded.maps[...]"
    )


__all__ = [
    "ANY", "EXIST", "NOEXIST", "AnyMap", "Array", "Hash", "LpmTrie", "LruHash", "LruPerCpuHash",
    "PerCpuArray", "PerCpuHash", "ProgArray", "RingBuf", "Typed",
]  # fmt: skip
