"""The kinds of BTF types as small immutable values (Documentation/bpf/btf.rst, uapi/linux/btf.h).

A type refers to others by id. `id` is the type's own number in its Btf, 0 for one that is not in
any yet (id 0 itself is void). Sizes are in bytes, member offsets in bits, as in BTF.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import NamedTuple, TypeAlias

__all__ = [
    "BOOL",
    "CHAR",
    "KINDS",
    "KIND_OF",
    "SIGNED",
    "VOID",
    "Array",
    "Composite",
    "Const",
    "Datasec",
    "DeclTag",
    "Enum",
    "Enum64",
    "Enumeration",
    "Enumerator",
    "Float",
    "Func",
    "FuncProto",
    "Fwd",
    "Int",
    "Linkage",
    "Member",
    "Modifier",
    "Param",
    "Ptr",
    "Reference",
    "Restrict",
    "SecVar",
    "Struct",
    "Type",
    "TypeTag",
    "Typedef",
    "Union",
    "Var",
    "Void",
    "Volatile",
    "references",
    "remap",
]


SIGNED, CHAR, BOOL = 1, 2, 4
"""Encodings of Int."""


class Linkage(IntEnum):
    """How a function or variable is bound; for Var, GLOBAL means allocated here."""

    STATIC = 0
    GLOBAL = 1
    EXTERN = 2


class Void(NamedTuple):
    """Type 0."""

    id: int = 0

    @property
    def name(self) -> str:
        return "void"


class Int(NamedTuple):
    """An integer of `size` bytes; `bits` and `offset` differ from the full width only in the
    bitfields of old producers, where an int type stands for one bitfield."""

    name: str
    size: int
    encoding: int = 0
    """0 (unsigned), SIGNED, CHAR or BOOL."""
    bits: int = 0
    """Width in bits; 0 means size * 8."""
    offset: int = 0
    id: int = 0

    @property
    def signed(self) -> bool:
        """Whether values are signed (a plain `char` says SIGNED, not CHAR, in practice)."""
        return bool(self.encoding & SIGNED)

    @property
    def boolean(self) -> bool:
        """Whether this is `bool`."""
        return bool(self.encoding & BOOL)


class Reference(NamedTuple):
    """What Ptr, Const, Volatile and Restrict have in common."""

    type: int
    id: int = 0

    @property
    def name(self) -> str:
        return ""


class Ptr(Reference):
    """A pointer to `type`."""

    __slots__ = ()


class Array(NamedTuple):
    """`nelems` times `type`, counted with `index_type`."""

    type: int
    index_type: int
    nelems: int
    id: int = 0

    @property
    def name(self) -> str:
        return ""


class Member(NamedTuple):
    """A member of a struct or union at bit `offset`; `bits` is a bitfield's width, else 0."""

    name: str
    type: int
    offset: int
    bits: int = 0


class Composite(NamedTuple):
    """What Struct and Union have in common: `size` bytes of members."""

    name: str
    size: int
    members: tuple[Member, ...]
    id: int = 0


class Struct(Composite):
    """A struct: its members follow each other."""

    __slots__ = ()


class Union(Composite):
    """A union: its members share their place."""

    __slots__ = ()


class Enumerator(NamedTuple):
    """One named constant of an enumeration."""

    name: str
    value: int


class Enumeration(NamedTuple):
    """What Enum and Enum64 have in common: named constants, stored in `size` bytes."""

    name: str
    size: int
    signed: bool
    values: tuple[Enumerator, ...]
    id: int = 0


class Enum(Enumeration):
    """An enumeration with 32-bit values."""

    __slots__ = ()


class Fwd(NamedTuple):
    """`struct name;` or `union name;` without its body."""

    name: str
    union: bool = False
    id: int = 0


class Typedef(NamedTuple):
    """`name` as another word for `type`."""

    name: str
    type: int
    id: int = 0


class Volatile(Reference):
    """A volatile `type`."""

    __slots__ = ()


class Const(Reference):
    """A const `type`."""

    __slots__ = ()


class Restrict(Reference):
    """A restrict `type` (a pointer)."""

    __slots__ = ()


class Func(NamedTuple):
    """A function; `type` is its FuncProto."""

    name: str
    type: int
    linkage: int = Linkage.GLOBAL
    id: int = 0


class Param(NamedTuple):
    """A parameter; nameless and of type 0 in last place it stands for `...`."""

    name: str
    type: int


class FuncProto(NamedTuple):
    """A function's signature; `type` is what it returns."""

    type: int
    params: tuple[Param, ...]
    id: int = 0

    @property
    def name(self) -> str:
        return ""

    @property
    def variadic(self) -> bool:
        """Whether the parameters end with `...`."""
        return bool(self.params) and self.params[-1] == ("", 0)


class Var(NamedTuple):
    """A global variable."""

    name: str
    type: int
    linkage: int = Linkage.GLOBAL
    id: int = 0


class SecVar(NamedTuple):
    """Where a Datasec holds the variable `type` (a Var, or the Func of an extern): bytes."""

    type: int
    offset: int
    size: int


class Datasec(NamedTuple):
    """An ELF section with its variables."""

    name: str
    size: int
    vars: tuple[SecVar, ...]
    id: int = 0


class Float(NamedTuple):
    """A floating-point number of `size` bytes."""

    name: str
    size: int
    id: int = 0


class DeclTag(NamedTuple):
    """`btf_decl_tag(name)` on `type`, or on its member or parameter number `component` (-1: on
    the whole). `attribute`: the text is a plain `__attribute__` (since Linux 6.15)."""

    name: str
    type: int
    component: int = -1
    attribute: bool = False
    id: int = 0


class TypeTag(NamedTuple):
    """`btf_type_tag(name)` on `type`; `attribute` as for DeclTag."""

    name: str
    type: int
    attribute: bool = False
    id: int = 0


class Enum64(Enumeration):
    """An enumeration with 64-bit values (since Linux 6.0)."""

    __slots__ = ()


Modifier: TypeAlias = Typedef | Volatile | Const | Restrict | TypeTag
"""What `Btf.resolve` looks through."""

Type: TypeAlias = (
    Void
    | Int
    | Ptr
    | Array
    | Struct
    | Union
    | Enum
    | Fwd
    | Typedef
    | Volatile
    | Const
    | Restrict
    | Func
    | FuncProto
    | Var
    | Datasec
    | Float
    | DeclTag
    | TypeTag
    | Enum64
)

VOID = Void()

KINDS: tuple[type[Type], ...] = (
    Void,
    Int,
    Ptr,
    Array,
    Struct,
    Union,
    Enum,
    Fwd,
    Typedef,
    Volatile,
    Const,
    Restrict,
    Func,
    FuncProto,
    Var,
    Datasec,
    Float,
    DeclTag,
    TypeTag,
    Enum64,
)
"""The classes in the order of their BTF_KIND_* numbers."""

KIND_OF: dict[type[Type], int] = {kind: number for number, kind in enumerate(KINDS)}
"""The BTF_KIND_* number of each class."""


def references(found: Type) -> list[int]:
    """The ids of all types that `found` refers to, in order, void included."""
    match found:
        case Composite():
            return [member.type for member in found.members]
        case Array():
            return [found.type, found.index_type]
        case FuncProto():
            return [found.type, *(param.type for param in found.params)]
        case Datasec():
            return [entry.type for entry in found.vars]
        case Reference() | Typedef() | TypeTag() | DeclTag() | Func() | Var():
            return [found.type]
    return []


def remap(found: Type, new_id: Callable[[int], int]) -> Type:
    """`found` with every id it refers to passed through `new_id`."""
    match found:
        case Composite():
            members = tuple(m._replace(type=new_id(m.type)) for m in found.members)
            return found._replace(members=members)
        case Array():
            return found._replace(type=new_id(found.type), index_type=new_id(found.index_type))
        case FuncProto():
            params = tuple(p._replace(type=new_id(p.type)) for p in found.params)
            return found._replace(type=new_id(found.type), params=params)
        case Datasec():
            entries = tuple(entry._replace(type=new_id(entry.type)) for entry in found.vars)
            return found._replace(vars=entries)
        case Reference() | Typedef() | TypeTag() | DeclTag() | Func() | Var():
            return found._replace(type=new_id(found.type))
    return found
