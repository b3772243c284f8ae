"""Integers of fixed width; types that only fields have: byte order, atomics, bit fields, enums."""

from __future__ import annotations

import functools
import operator
import typing
from collections.abc import Callable
from enum import IntEnum, IntFlag
from functools import cache
from typing import Any, ClassVar, TypeVar
from typing import cast as _as

T = TypeVar("T")
N = TypeVar("N")


class Int(int):
    """Base of the fixed-width integers. `T(x)` wraps any integer (or pointer) to the type."""

    __slots__ = ()
    bits: ClassVar[int] = 64
    signed: ClassVar[bool] = False
    size: ClassVar[int] = 8
    align: ClassVar[int] = 8
    big: ClassVar[bool] = False
    atomic: ClassVar[bool] = False
    width: ClassVar[int] = 0
    shift: ClassVar[int] = 0
    """Of a bit field: how many bits, above how many others."""
    padded: ClassVar[int] = 0
    """Bits of the whole place where the number is only its first bytes, zeros behind it."""

    def __new__(cls, value: Any = 0) -> typing.Self:
        return int.__new__(cls, wrap(cls, int(value)))

    if typing.TYPE_CHECKING:  # results keep the type; see _arithmetic below for what they do
        # Members of structs give their type, and take any integer.
        def __get__(self, view: Any, owner: Any = None) -> typing.Self: ...
        def __set__(self, view: Any, value: int) -> None: ...

        # What a map's lookup gives is the address of a number: `found[0]`.
        def __getitem__(self, index: int) -> typing.Self: ...
        def __setitem__(self, index: int, value: int) -> None: ...

        # Of any type: members are compared with those of enumerations.
        def __eq__(self, other: object) -> bool: ...
        def __hash__(self) -> int: ...

        def __add__(self, other: int) -> Any: ...
        def __radd__(self, other: int) -> Any: ...
        def __sub__(self, other: int) -> Any: ...
        def __rsub__(self, other: int) -> Any: ...
        def __mul__(self, other: int) -> Any: ...
        def __rmul__(self, other: int) -> Any: ...
        def __floordiv__(self, other: int) -> Any: ...
        def __rfloordiv__(self, other: int) -> Any: ...
        def __mod__(self, other: int) -> Any: ...
        def __rmod__(self, other: int) -> Any: ...
        def __and__(self, other: int) -> Any: ...
        def __rand__(self, other: int) -> Any: ...
        def __or__(self, other: int) -> Any: ...
        def __ror__(self, other: int) -> Any: ...
        def __xor__(self, other: int) -> Any: ...
        def __rxor__(self, other: int) -> Any: ...
        def __lshift__(self, other: int) -> Any: ...
        def __rshift__(self, other: int) -> Any: ...
        def __neg__(self) -> Any: ...
        def __pos__(self) -> Any: ...
        def __invert__(self) -> Any: ...
        def __abs__(self) -> Any: ...


def wrap(t: type[Int], value: int) -> int:
    value &= (1 << t.bits) - 1
    return value - (1 << t.bits) if t.signed and value >> (t.bits - 1) else value


def common(a: type[Int], b: type[Int]) -> type[Int]:
    """The type in which operands of types `a` and `b` meet; TypeError when they do not."""
    if a is b:
        return a
    if a.bits == b.bits:
        raise TypeError(f"{a.__name__} and {b.__name__} do not mix: convert one of them")
    return a if a.bits > b.bits else b


def _arithmetic(op: Callable[[int, int], int], swap: bool) -> Callable[[Int, Any], Any]:
    def method(self: Int, other: Any) -> Any:
        t = type(self)
        other_type = type(other)
        if other_type is int or other_type is bool:
            other = wrap(t, other)
        elif issubclass(other_type, Int):
            t = common(t, other_type)
        elif issubclass(other_type, int):  # a member of an enumeration
            other = wrap(t, other)
        else:
            return NotImplemented
        x, y = (other, self) if swap else (self, other)
        return int.__new__(t, wrap(t, op(wrap(t, int(x)), wrap(t, int(y)))))

    return method


def _shift(left: bool) -> Callable[[Int, Any], Any]:
    def method(self: Int, count: Any) -> Any:
        if not isinstance(count, int):
            return NotImplemented
        t = type(self)
        n = min(int(count), t.bits)  # further than the width changes nothing
        return t(int(self) << n if left else int(self) >> n)

    return method


def _floordiv(a: int, b: int) -> int:
    return a // b if b else 0


def _mod(a: int, b: int) -> int:
    return a % b if b else a


def _refuse(what: str) -> Callable[..., Any]:
    def method(self: Int, *_: Any) -> Any:
        raise TypeError(f"{type(self).__name__} has no {what}")

    return method


for _name, _op in {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "floordiv": _floordiv,
    "mod": _mod, "and": operator.and_, "or": operator.or_, "xor": operator.xor,
}.items():  # fmt: skip
    setattr(Int, f"__{_name}__", _arithmetic(_op, swap=False))
    setattr(Int, f"__r{_name}__", _arithmetic(_op, swap=True))
Int.__lshift__ = _shift(left=True)  # type: ignore[method-assign]
Int.__rshift__ = _shift(left=False)  # type: ignore[method-assign]
for _name, _what in {
    "truediv": "fractions: use //", "rtruediv": "fractions: use //", "pow": "power operator",
    "rpow": "power operator", "divmod": "divmod", "rdivmod": "divmod",
}.items():  # fmt: skip
    setattr(Int, f"__{_name}__", _refuse(_what))
for _name, _unary in {
    "neg": operator.neg, "pos": operator.pos, "invert": operator.invert, "abs": operator.abs,
}.items():  # fmt: skip
    setattr(Int, f"__{_name}__", lambda self, _op=_unary: type(self)(_op(int(self))))


def _int_type(name: str, bits: int, signed: bool) -> type[Int]:
    doc = f"{bits}-bit {'signed' if signed else 'unsigned'} integer."
    space = {
        "__slots__": (), "__doc__": doc, "__module__": __package__,
        "bits": bits, "signed": signed, "size": bits // 8, "align": bits // 8,
    }  # fmt: skip
    return _as("type[Int]", type(name, (Int,), space))


if typing.TYPE_CHECKING:

    class u8(Int): ...

    class u16(Int): ...

    class u32(Int): ...

    class u64(Int): ...

    class i8(Int): ...

    class i16(Int): ...

    class i32(Int): ...

    class i64(Int): ...

    class be16(u16): ...

    class be32(u32): ...

    class be64(u64): ...
else:
    u8, u16, u32, u64 = (_int_type(f"u{n}", n, False) for n in (8, 16, 32, 64))
    i8, i16, i32, i64 = (_int_type(f"i{n}", n, True) for n in (8, 16, 32, 64))

    def _big(host: type[Int]) -> type[Int]:
        """Storage in network byte order: a field of this type reads and writes host values."""
        space = {
            "__slots__": (),
            "__module__": __package__,
            "big": True,
            "host": host,
            "__new__": lambda cls, value=0: host(value),
            "__doc__": f"{host.bits}-bit unsigned integer stored in network byte order.",
        }
        return type(f"be{host.bits}", (host,), space)

    be16, be32, be64 = map(_big, (u16, u32, u64))


def storage(name: str, host: type[Int], **space: Any) -> type[Int]:
    """An integer type that only fields have: its values are those of `host`."""
    space |= {"__slots__": (), "__module__": __package__, "host": host}
    return _as("type[Int]", type(name, (host,), space | {"__new__": lambda _, v=0: host(v)}))


if typing.TYPE_CHECKING:

    class char(u8): ...
else:
    char = storage("char", u8, __doc__="A byte of text: user space sees `array[char, n]` as str.")


if typing.TYPE_CHECKING:
    from typing import Annotated

    atomic = Annotated[T, "atomic"]
    bits = Annotated[T, N]
else:

    class atomic:
        """`atomic[u64]`: storage that others change too, so `x += n` (also - | & ^) is one atomic
        step. Of 32 or 64 bits, signed or not."""

        def __class_getitem__(cls, t):
            if not (isinstance(t, type) and issubclass(t, Int)) or t.bits < 32 or t.big:
                raise TypeError(f"atomic[{getattr(t, '__name__', t)}]: only u32, u64, i32 and i64")
            return _atomic(t)

    class bits:
        """`bits[u8, 4]`: a member of so many bits, laid out as C does on little-endian machines:
        the first member takes the lowest bits."""

        def __init__(self, host, width):
            self.host, self.width = host, width

        def __class_getitem__(cls, item):
            host, width = item
            if typing.get_origin(width) is typing.Literal:
                (width,) = typing.get_args(width)
            if not (isinstance(host, type) and issubclass(host, Int)) or host.big:
                raise TypeError(f"bits of {host!r}: give an integer type, bits[u8, 4]")
            if not (isinstance(width, int) and 0 < width <= host.bits):
                raise TypeError(
                    f"bits[{host.__name__}, {width}]: 1 to {host.bits} bits are possible"
                )
            return cls(host, width)


@cache
def _atomic(host: type[Int]) -> type[Int]:
    return storage(f"atomic[{host.__name__}]", host, atomic=True)


@cache
def bit_field(host: type[Int], width: int, shift: int) -> type[Int]:
    """The storage of a bit field: `width` bits from bit `shift` of an integer."""
    return storage(f"bits[{host.__name__}, {width}]", host, width=width, shift=shift)


@cache
def enum_type(members: type[IntEnum | IntFlag]) -> type[Int]:
    """An enumeration as the type of a field: 4 bytes, as C has it (8 where a value needs them)."""
    low, high = min(members, default=0), max(members, default=0)
    if issubclass(members, IntFlag):  # combinations of its members, too
        low, high = 0, int(functools.reduce(operator.or_, members, 0))
    small = low >= -(1 << 31) and high < (1 << 31 if low < 0 else 1 << 32)
    host = (i32 if low < 0 else u32) if small else (i64 if low < 0 else u64)
    return storage(members.__name__, host, enum=members)
