"""What is somewhere in memory: pointers, arrays, structs and unions; their layout."""

from __future__ import annotations

import inspect
import sys
import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Any, ClassVar, Generic, Protocol, TypeVar, dataclass_transform
from typing import cast as _as

from ebee.types.integers import Int, bit_field, bits, enum_type, i64, u8, wrap

T = TypeVar("T")
N = TypeVar("N")


class Memory(Protocol):
    """What a pointer points into: addresses are 64-bit, integers little-endian and unsigned."""

    def load(self, addr: int, size: int) -> int: ...
    def store(self, addr: int, size: int, value: int) -> None: ...
    def read(self, addr: int, size: int) -> bytes: ...
    def write(self, addr: int, data: bytes) -> None: ...


# --- descriptions of types -------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PtrType:
    """`ptr[to]`: 8 bytes holding an address."""

    to: Any
    size: ClassVar[int] = 8
    align: ClassVar[int] = 8


@dataclass(frozen=True, slots=True)
class ArrayType:
    """`array[elem, count]`: `count` elements in a row."""

    elem: Any
    count: int

    @property
    def size(self) -> int:
        return sizeof(self.elem) * self.count

    @property
    def align(self) -> int:
        return alignof(self.elem)


@dataclass(frozen=True, slots=True)
class Field:
    """A member of a struct or union; `offset` in bytes. `const`: never changes after set-up."""

    name: str
    type: Any
    offset: int
    const: bool = False

    def __get__(self, view: Any, owner: type) -> Any:
        return self if view is None else load(self.type, view._mem, view._addr + self.offset)

    def __set__(self, view: Any, value: Any) -> None:
        store(self.type, view._mem, view._addr + self.offset, value)


if typing.TYPE_CHECKING:
    from typing import Annotated

    const = Annotated[T, "const"]
else:

    @dataclass(frozen=True, slots=True)
    class const:
        """`const[T]`: a field that never changes after set-up, so the compiler may fold it."""

        type: Any

        def __class_getitem__(cls, item: Any) -> Any:
            return cls(item)


class array(Generic[T, N]):
    """`array[T, n]`: as a field of a struct, n elements in a row; reading the field gives a view
    with `a[i]`, `len(a)` and iteration."""

    __slots__ = ("_addr", "_mem", "_type")

    if typing.TYPE_CHECKING:
        # As a member: text is assigned, too, and text that a pointer of the kernel points to.
        def __get__(self, view: Any, owner: Any = None) -> typing.Self: ...
        def __set__(self, view: Any, value: array[T, N] | str | bytes | ptr[Any]) -> None: ...

    def __init__(self, mem: Memory, addr: int, type: ArrayType):
        self._mem, self._addr, self._type = mem, addr, type

    def __class_getitem__(cls, item: Any) -> Any:
        elem, count = item
        if typing.get_origin(count) is typing.Literal:
            (count,) = typing.get_args(count)
        if not isinstance(count, int) or count < 0:
            raise TypeError(f"array length must be a constant, not {count!r}")
        return ArrayType(elem, count)

    def _at(self, i: int) -> int:
        if not 0 <= i < self._type.count:
            raise IndexError(f"index {i} of an array of {self._type.count}")
        return self._addr + int(i) * sizeof(self._type.elem)

    def __getitem__(self, i: int) -> Any:
        return load(self._type.elem, self._mem, self._at(i))

    def __setitem__(self, i: int, value: Any) -> None:
        store(self._type.elem, self._mem, self._at(i), value)

    def __len__(self) -> int:
        return self._type.count

    def __iter__(self) -> Iterator[Any]:
        return (self[i] for i in range(len(self)))

    def __eq__(self, other: object) -> bool:
        """With an array of the same type; with `str`: the text up to the first zero byte; with
        `bytes`: all of it, so there must be as many."""
        here = self._mem.read(self._addr, self._type.size)
        if isinstance(other, array):
            return self._type == other._type and here == other._mem.read(other._addr, len(here))
        if isinstance(other, str | bytes):
            data = text_bytes(self._type, other, whole=True)
            return here[: len(data)] == data
        return NotImplemented

    def startswith(self, text: str | bytes) -> bool:
        """Whether the first bytes are those of a literal."""
        data = text_bytes(self._type, text)
        return self._mem.read(self._addr, len(data)) == data

    __hash__ = None  # type: ignore[assignment]

    @property
    def ptr(self) -> Any:
        """A pointer to the first element."""
        return ptr(self._mem, self._addr, self._type.elem)


class ptr(Generic[T]):
    """A pointer to `T`: `p[i]` loads and stores elements, `p.field` members of a struct,
    `p.ref.field` is the address of a member, `p + n` steps by elements, `not p` tests for null.
    """

    __slots__ = ("_addr", "_mem", "_to")
    _mem: Memory
    _addr: int
    _to: Any

    def __init__(self, mem: Any, addr: int, to: Any):
        set_ = object.__setattr__
        set_(self, "_mem", mem)
        set_(self, "_addr", int(addr) & 0xFFFF_FFFF_FFFF_FFFF)
        set_(self, "_to", to)

    def __getitem__(self, i: int) -> Any:
        return load(self._to, self._mem, self._addr + int(i) * sizeof(self._to))

    def __setitem__(self, i: int, value: Any) -> None:
        store(self._to, self._mem, self._addr + int(i) * sizeof(self._to), value)

    def __getattr__(self, name: str) -> Any:
        field = fields(self._to).get(name)
        if field is None:  # a method or property
            return getattr(view(self._to, self._mem, self._addr), name)
        return field.__get__(self, ptr)

    def __setattr__(self, name: str, value: Any) -> None:
        fields(self._to)[name].__set__(self, value)

    @property
    def ref(self) -> Any:
        return _Ref(self)

    def __add__(self, n: int) -> Any:
        return ptr(self._mem, self._addr + int(n) * sizeof(self._to), self._to)

    def __sub__(self, other: Any) -> Any:
        if isinstance(other, ptr):
            return i64((self._addr - other._addr) // sizeof(self._to))
        return ptr(self._mem, self._addr - int(other) * sizeof(self._to), self._to)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ptr) and self._addr == other._addr

    def __lt__(self, other: ptr[Any]) -> bool:
        return self._addr < other._addr

    def __le__(self, other: ptr[Any]) -> bool:
        return self._addr <= other._addr

    def __gt__(self, other: ptr[Any]) -> bool:
        return self._addr > other._addr

    def __ge__(self, other: ptr[Any]) -> bool:
        return self._addr >= other._addr

    def __hash__(self) -> int:
        return hash(self._addr)

    def __bool__(self) -> bool:
        return self._addr != 0

    def __int__(self) -> int:
        return self._addr

    def __repr__(self) -> str:
        return f"<ptr[{getattr(self._to, '__name__', self._to)}] {self._addr:#x}>"


class _Ref:
    """`p.ref`: attribute access gives addresses instead of values."""

    __slots__ = ("view",)

    def __init__(self, view: Any):
        self.view = view

    def __getattr__(self, name: str) -> ptr[Any]:
        try:
            field = fields(self.view._to if isinstance(self.view, ptr) else type(self.view))[name]
        except KeyError:
            raise AttributeError(name) from None
        return ptr(self.view._mem, self.view._addr + field.offset, field.type)


null: ptr[Any] = ptr(None, 0, u8)


# --- structs and unions --------------------------------------------------------------------------


class LocalMemory:
    """The memory of one struct that a function made for itself; it begins at address START, so
    that 0 stays null."""

    __slots__ = ("data",)
    START = 1

    def __init__(self, size: int):
        self.data = bytearray(size)

    def _slice(self, addr: int, size: int) -> slice:
        at = addr - self.START
        if not 0 <= at <= len(self.data) - size:
            raise IndexError(f"{size} bytes at offset {at} of {len(self.data)}")
        return slice(at, at + size)

    def load(self, addr: int, size: int) -> int:
        return int.from_bytes(self.data[self._slice(addr, size)], "little")

    def store(self, addr: int, size: int, value: int) -> None:
        self.data[self._slice(addr, size)] = (value & ((1 << 8 * size) - 1)).to_bytes(
            size, "little"
        )

    def read(self, addr: int, size: int) -> bytes:
        return bytes(self.data[self._slice(addr, size)])

    def write(self, addr: int, data: bytes) -> None:
        self.data[self._slice(addr, len(data))] = data


class Struct:
    """What `@struct` and `@union` make of a class: a view of `size` bytes at `addr` of `mem`.

    `S(a=1)` makes a zeroed value of its own and sets members; `view(S, mem, addr)` views memory.
    """

    __slots__ = ("_addr", "_mem")
    __size__: ClassVar[int]
    __align__: ClassVar[int]
    __fields__: ClassVar[dict[str, Field]]

    def __init__(self, **values: Any):
        self._mem: Memory = LocalMemory(self.__size__)
        self._addr = LocalMemory.START
        for name, value in values.items():
            if name not in self.__fields__:
                raise TypeError(f"{type(self).__name__} has no member {name!r}")
            setattr(self, name, value)

    @property
    def ref(self) -> Any:
        return _Ref(self)

    @property
    def ptr(self) -> ptr[Any]:
        return ptr(self._mem, self._addr, type(self))

    def __bytes__(self) -> bytes:
        return self._mem.read(self._addr, self.__size__)

    def __repr__(self) -> str:
        inner = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__fields__)
        return f"{type(self).__name__}({inner})"


def _layout(cls: type, overlap: bool, packed: bool) -> type[Struct]:
    hints: dict[str, Any] = inspect.get_annotations(cls)
    if any(isinstance(h, str) for h in hints.values()):
        space = vars(sys.modules[cls.__module__]) | {cls.__name__: cls}
        hints = {k: eval(h, space) if isinstance(h, str) else h for k, h in hints.items()}
    members: dict[str, Field] = {}
    end, align = 0, 1  # the end in bits
    for name, hint in hints.items():
        if typing.get_origin(hint) is ClassVar:
            continue
        if name in _RESERVED:
            raise TypeError(f"{cls.__name__}.{name}: this name is taken by the struct itself")
        if vars(cls).get(name, 0) != 0:
            value = f"{name}={vars(cls)[name]!r}"
            raise TypeError(f"{cls.__name__}.{name}: members begin at 0; {cls.__name__}({value})")
        fixed = type(hint).__name__ == "const"
        if type(hint) is bits:
            width, t = hint.width, hint.host
            start = 0 if overlap else end
            if start // t.bits != (start + width - 1) // t.bits:
                start = -(-start // t.bits) * t.bits
            offset = start // t.bits * t.size
            t = bit_field(t, width, start % t.bits)
        else:
            t = typeof(hint.type if fixed else hint)
            a = 1 if packed else alignof(t)
            offset = 0 if overlap else -(-end // (8 * a)) * a
            start, width = 8 * offset, 8 * sizeof(t)
        members[name] = Field(name, t, offset, fixed)
        end, align = max(end, start + width), max(align, 1 if packed else alignof(t))
    body = {k: v for k, v in vars(cls).items() if k not in ("__dict__", "__weakref__", *members)}
    body |= {k: _method(v) for k, v in body.items() if not k.startswith("__")}
    body |= members | {"__fields__": members, "__align__": align, "__match_args__": (*members,)}
    body["__size__"] = -(-end // (8 * align)) * align
    body["__slots__"] = ()
    made = type(cls.__name__, (Struct,), body)
    for thing in body.values():
        function = getattr(thing, "fget", None) or getattr(thing, "__func__", thing)
        if isinstance(function, types.FunctionType):
            function.__struct__ = inspect.unwrap(function).__struct__ = made  # type: ignore[attr-defined]
    return _as("type[Struct]", made)


def _method(thing: Any) -> Any:
    """Functions of a struct's class are part of the language: methods, properties, static ones."""
    from ebee.native import native

    if isinstance(thing, types.FunctionType):
        return thing if hasattr(thing, "__native__") else native(thing)
    if isinstance(thing, property) and isinstance(thing.fget, types.FunctionType):
        if thing.fset is not None:
            raise TypeError(f"{thing.fget.__name__}: a property of a struct cannot be assigned")
        return property(_method(thing.fget), doc=thing.__doc__)
    if isinstance(thing, staticmethod):
        return staticmethod(_method(thing.__func__))
    return thing


_RESERVED = frozenset(("ref", "ptr"))


@dataclass_transform()
def struct(cls: type[T] | None = None, *, packed: bool = False) -> Any:
    """Make a struct of a class with annotated members, laid out as C does (or packed)."""
    if cls is None:
        return lambda c: _layout(c, overlap=False, packed=packed)
    return _layout(cls, overlap=False, packed=packed)


@dataclass_transform()
def union(cls: type[T]) -> Any:
    """Make a union of a class with annotated members: all of them at offset 0."""
    return _layout(cls, overlap=True, packed=False)


# --- one view on all of them ---------------------------------------------------------------------


def zero(t: type[T]) -> T:
    """A struct of zeros: `S()`, for type checkers that want every member named there."""
    return t()


def view(t: Any, mem: Memory, addr: int) -> Any:
    """The struct `t` at an address of a memory."""
    made = t.__new__(t)
    made._mem, made._addr = mem, addr
    return made


def typeof(annotation: Any) -> Any:
    """The type that an annotation names: an Int subclass, PtrType, ArrayType or Struct subclass."""
    if isinstance(annotation, PtrType | ArrayType):
        return annotation
    if isinstance(annotation, type) and issubclass(annotation, Int | Struct):
        return annotation
    if isinstance(annotation, type) and issubclass(annotation, IntEnum | IntFlag):
        return enum_type(annotation)
    if typing.get_origin(annotation) is ptr:
        (to,) = typing.get_args(annotation)
        return PtrType(to)
    if annotation is ptr:
        return PtrType(u8)
    raise TypeError(f"{annotation!r} is no static type")


def _is_struct(t: Any) -> bool:
    return isinstance(t, type) and issubclass(t, Struct)


def sizeof(t: Any) -> int:
    """Size of a type in bytes."""
    t = typeof(t)
    return _as(int, t.__size__ if _is_struct(t) else t.size)


def alignof(t: Any) -> int:
    """Alignment of a type in bytes."""
    t = typeof(t)
    return _as(int, t.__align__ if _is_struct(t) else t.align)


def fields(t: Any) -> dict[str, Field]:
    """The members of a struct or union by name; a pointer's target may be named by a string."""
    try:
        return _as("dict[str, Field]", t.__fields__)
    except AttributeError:
        raise TypeError(f"{t!r} has no members") from None


def offsetof(t: Any, name: str) -> int:
    """Offset of a member in bytes."""
    return fields(t)[name].offset


def load(t: Any, mem: Memory, addr: int) -> Any:
    """The value of type `t` at an address: an integer, pointer, or view of a struct or array."""
    if isinstance(t, type) and issubclass(t, Int):
        if t.big:
            return t(int.from_bytes(mem.read(addr, t.size), "big"))
        if t.width:
            value = mem.load(addr, t.size) >> t.shift & (1 << t.width) - 1
            return t(value - (1 << t.width) if t.signed and value >> t.width - 1 else value)
        return t(mem.load(addr, t.size))
    if isinstance(t, type) and issubclass(t, Struct):
        return view(t, mem, addr)
    if isinstance(t, ArrayType):
        return array(mem, addr, t)
    t = typeof(t)
    return ptr(mem, mem.load(addr, 8), t.to)


def store(t: Any, mem: Memory, addr: int, value: Any) -> None:
    """Store a value of type `t` at an address."""
    if isinstance(t, type) and issubclass(t, Int):
        value = wrap(t, int(value))
        if t.big:
            mem.write(addr, value.to_bytes(t.size, "big"))
        elif t.width:
            mask = (1 << t.width) - 1 << t.shift
            rest = mem.load(addr, t.size) & ~mask
            mem.store(addr, t.size, rest | value << t.shift & mask)
        else:
            mem.store(addr, t.size, value)
    elif isinstance(t, PtrType) or typing.get_origin(t) is ptr:
        mem.store(addr, 8, int(value))
    elif isinstance(t, ArrayType) and isinstance(value, str | bytes):
        mem.write(addr, text_bytes(t, value).ljust(t.size, b"\0"))
    else:  # structs and arrays are copied
        data = value._mem.read(value._addr, sizeof(t))
        mem.write(addr, data)


def text_bytes(t: ArrayType, text: str | bytes, whole: bool = False) -> bytes:
    """A literal as bytes of an array of char or u8; TypeError when it does not fit. `whole`: what
    the array begins with when it is equal: a zero byte ends a `str`."""
    elem = typeof(t.elem)
    if not (isinstance(elem, type) and issubclass(elem, u8)):
        raise TypeError(f"text goes into arrays of char or u8, not of {elem.__name__}")
    data = text.encode() if isinstance(text, str) else text
    if len(data) > t.count or (isinstance(text, str) and "\0" in text):
        raise TypeError(f"{text!r} does not fit in {t.count} bytes")
    if whole and isinstance(text, bytes) and len(data) != t.count:
        raise TypeError(f"{text!r} has {len(data)} bytes, the array {t.count}: use startswith")
    return data + b"\0" if whole and len(data) < t.count else data
