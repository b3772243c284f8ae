"""What an expression is at compile time: a typed operand of LLVM, and what is known of it.

Types are Python's own objects: `int` (a plain integer), `bool`, `NoneType`, the Int subclasses
and Structs of `ebee.types`, PtrType, ArrayType, and FnType and TupleType from here.

Of integers the range is known. A constant is a range of one value.
"""

from __future__ import annotations

import collections.abc
import types
import typing
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import NoneType
from typing import Any, NamedTuple

from ebee.lang.errors import Refusal
from ebee.lang.known import Known
from ebee.types import ArrayType, Int, PtrType, Struct, typeof, u64

Type = Any
"""One of the objects that the module's text names."""

NULL = PtrType(None)
"""The type of `null`: a pointer to nothing yet, which goes with every pointer type."""


@dataclass(frozen=True, slots=True)
class FnType:
    """A function that can be called through a pointer."""

    params: tuple[Type, ...] | None
    result: Type


@dataclass(frozen=True, slots=True)
class MaybePtr(PtrType):
    """`ptr[T] | None` in a signature; values of it are of the type `ptr[T]`, marked `maybe`."""


@dataclass(frozen=True, slots=True)
class Constant:
    """The type of what only exists while compiling: its value is `thing`. As the type of a
    parameter `thing` is None and `accepts` says what may be given."""

    thing: Any = None
    accepts: Callable[[Any], bool] | None = None


class FunctionRef(NamedTuple):
    """A @native function as a value, known at compile time."""

    function: Callable[..., Any]


@dataclass(frozen=True, slots=True)
class TupleType:
    """Several values at once: results and unpacking."""

    elems: tuple[Type, ...]


class Value(NamedTuple):
    """An operand. `text`: how LLVM names it; structs and arrays are represented by their address.

    `lo..hi`: range of an integer or bool. `known`, `at`: the constant object (and the offset in
    it) that an address points to. `stack`: an address inside a struct made by this function.
    `elems`: of a tuple. An empty `text`: the value lies in the slot of its variable. `maybe`: 1
    for a pointer that may be null and has to be tested, 2 for one that is null; `align`: what is
    known of an address beyond the alignment of its type (0: nothing); `volatile`: what is there
    may change before the program runs; `member`: 2 for a plain int that is a member of an
    enumeration in Python, 1 for one that may be.
    """

    type: Type
    text: str
    lo: int = 0
    hi: int = 0
    known: Known | None = None
    at: int = 0
    stack: bool = False
    elems: tuple[Any, ...] = ()
    maybe: int = 0
    align: int = 0
    volatile: bool = False
    member: int = 0

    @property
    def constant(self) -> int | None:
        """The value of an integer or bool that is known, else None."""
        return self.lo if self.lo == self.hi and is_integer(self.type) else None


def is_int(t: Type) -> bool:
    """A fixed-width integer type."""
    return isinstance(t, type) and issubclass(t, Int)


def is_integer(t: Type) -> bool:
    """Any integer type: fixed-width, plain or bool."""
    return t is int or t is bool or is_int(t)


def is_ptr(t: Type) -> bool:
    return isinstance(t, PtrType)


def is_struct(t: Type) -> bool:
    return isinstance(t, type) and issubclass(t, Struct)


def bits_of(t: Type) -> int:
    """Width of an integer type's operands; a plain integer takes 64 bits."""
    return 1 if t is bool else 64 if t is int else int(t.bits)


def span(t: Type) -> tuple[int, int]:
    """The range of an integer type; of a plain integer of unknown origin, that of i64."""
    if t is bool:
        return 0, 1
    if t is int:
        return -(1 << 63), (1 << 63) - 1
    return (-(1 << t.bits - 1), (1 << t.bits - 1) - 1) if t.signed else (0, (1 << t.bits) - 1)


def fits64(lo: int, hi: int) -> bool:
    """Whether 64 bits represent every number of a range (as signed or as unsigned ones)."""
    return (lo >= -(1 << 63) and hi < 1 << 63) or (lo >= 0 and hi < 1 << 64)


def llvm(t: Type) -> str:
    """The LLVM type of operands of a type."""
    if t is NoneType:
        return "void"
    if is_integer(t):
        return f"i{bits_of(t)}"
    if isinstance(t, TupleType):
        return f"{{ {', '.join(map(llvm, t.elems))} }}"
    return "ptr"


def name_of(t: Type) -> str:
    """A type as users write it."""
    if t is NULL:
        return "null"
    if isinstance(t, MaybePtr):
        return f"ptr[{name_of(t.to)}] | None"
    if isinstance(t, PtrType):
        return f"ptr[{name_of(t.to)}]"
    if isinstance(t, ArrayType):
        return f"array[{name_of(normal(t.elem))}, {t.count}]"
    if isinstance(t, TupleType):
        return f"tuple[{', '.join(map(name_of, t.elems))}]"
    if isinstance(t, FnType):
        return "fn"
    if isinstance(t, Constant):
        return getattr(t.thing, "__typename__", type(t.thing).__name__)
    if isinstance(t, FunctionRef):
        return t.function.__name__
    return "None" if t is NoneType else getattr(t, "__name__", str(t))


def normal(annotation: Any) -> Type:
    """The type that an annotation names, in its one form; Refusal when it is none."""
    if annotation is None or annotation is NoneType:
        return NoneType
    if annotation is int or annotation is bool:
        return annotation
    if isinstance(annotation, FnType | Constant | typing.TypeVar):
        return annotation
    if type(annotation).__name__ in ("TypeAliasType", "NewType"):  # type Port = u16
        return normal(getattr(annotation, "__value__", None) or annotation.__supertype__)
    if (make := getattr(annotation, "__static__", None)) is not None:
        return make()
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType):
        return _optional(annotation)
    if origin is tuple:
        return TupleType(tuple(map(normal, typing.get_args(annotation))))
    if origin is collections.abc.Callable:
        params, result = typing.get_args(annotation)
        if params is ...:
            return FnType(None, u64)
        return FnType(tuple(map(normal, params)), normal(result))
    if isinstance(annotation, PtrType) and annotation.to is None:
        return annotation
    try:
        t = typeof(annotation)
    except TypeError:
        shown = getattr(annotation, "__name__", repr(annotation))
        way_out = "use u8..u64, i8..i64, be16..be64, int, bool, ptr[T], a @struct class or None"
        if annotation in (str, bytes):
            way_out = (
                "text is written where it is used, or lies in an array[char, 16] of a @struct;"
                " a function is given that struct, or a number that stands for the text"
            )
        raise Refusal(f"`{shown}` is no static type", way_out) from None
    if isinstance(t, PtrType):
        return PtrType(normal_target(t.to))
    return t


def _optional(annotation: Any) -> Type:
    """`ptr[T] | None`, or `S | None` of a struct."""
    parts = [a for a in typing.get_args(annotation) if a is not NoneType]
    t = normal(parts[0]) if len(parts) == 1 else None
    if is_struct(t):
        return MaybePtr(t)
    if is_ptr(t):
        return MaybePtr(t.to)  # type: ignore[union-attr]
    raise Refusal(f"`{annotation}` is no static type", "only pointers may be None: ptr[T] | None")


def normal_target(to: Any) -> Type:
    """The type that a pointer points to; be16 and the like stay, being storage."""
    if isinstance(to, typing.ForwardRef | str):
        shown = to.__forward_arg__ if isinstance(to, typing.ForwardRef) else to
        raise Refusal(f"ptr[{shown!r}]: a target named by a string", "use ptr[u8], and cast")
    if getattr(to, "__kernel__", None) is not None:
        return to  # where it is, and so how it is read, is known when the program is loaded
    t = normal(to)
    if t in (int, bool, NoneType) or isinstance(t, FnType | TupleType):
        raise Refusal(
            f"a pointer to `{name_of(t)}`, which has no size", "use ptr[u8], ptr[i64], ..."
        )
    return t


def held(t: Type) -> Type:
    """The type of a value read from storage of type `t`: network order is storage only."""
    return getattr(t, "host", t) if is_int(t) else t


def constant(t: Type, value: int) -> Value:
    """A constant of an integer type, wrapped to it."""
    if t is bool:
        return Value(bool, "true" if value else "false", int(bool(value)), int(bool(value)))
    if t is not int:
        value = wrap(t, value)
    return Value(t, str(value), value, value)


def wrap(t: Type, value: int) -> int:
    """A number wrapped to a fixed-width type."""
    value &= (1 << t.bits) - 1
    return value - (1 << t.bits) if t.signed and value >> t.bits - 1 else value


def member_of(values: Iterable[Value]) -> int:
    """Whether one of these is a member of an enumeration, as `Value.member` says it."""
    found = {v.member for v in values}
    return found.pop() if len(found) == 1 else 1


NONE = Value(NoneType, "")
NULL_VALUE = Value(NULL, "null")
