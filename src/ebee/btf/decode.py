"""One type from the words of the type section (uapi/linux/btf.h)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from ebee.btf.index import Words
from ebee.btf.types import (
    BOOL,
    CHAR,
    SIGNED,
    Array,
    Const,
    Datasec,
    DeclTag,
    Enum,
    Enum64,
    Enumerator,
    Float,
    Func,
    FuncProto,
    Fwd,
    Int,
    Member,
    Param,
    Ptr,
    Restrict,
    SecVar,
    Struct,
    Type,
    Typedef,
    TypeTag,
    Union,
    Var,
    Volatile,
)
from ebee.errors import BtfError

MAX_OFFSET = 0x00FFFFFF
"""Largest bit offset of a member in a struct with the kind flag."""


class Source(Protocol):
    """What decoding needs of a Btf."""

    words: Words

    def string(self, offset: int) -> str: ...

    def entries(self, info: int, start: int, width: int) -> Iterator[tuple[int, ...]]: ...


Decoder = Callable[[Source, int, int, int, int, int], Type]
"""(source, id, name offset, info word, size or type, first word after these) -> type"""


def _int(btf: Source, id: int, name: int, info: int, size: int, at: int) -> Int:
    data = btf.words[at]
    encoding, offset, bits = data >> 24 & 0xF, data >> 16 & 0xFF, data & 0xFF
    # gcc 12 marks its char as SIGNED | CHAR; the kernel takes but one mark (see validate).
    if encoding & ~(SIGNED | CHAR | BOOL) or data >> 28:
        raise BtfError(f"integer with unknown encoding {data:#x}")
    # Odd sizes are accepted as the kernel does; what cannot use them says so itself.
    if offset + bits > min(size * 8, 128):
        raise BtfError(f"integer of {size} bytes with {bits} bits at bit {offset}")
    return Int(btf.string(name), size, encoding, bits, offset, id)


def _reference(kind: Callable[[int, int], Type]) -> Decoder:
    def decode(btf: Source, id: int, name: int, info: int, target: int, at: int) -> Type:
        _nameless(name)
        return kind(target, id)

    return decode


def _nameless(name: int) -> None:
    if name:
        raise BtfError(f"a name (at string offset {name}) for a kind that has none")


def _array(btf: Source, id: int, name: int, info: int, size: int, at: int) -> Array:
    _nameless(name)
    if size:
        raise BtfError(f"array with a size field of {size}")
    element, index_type, count = btf.words[at : at + 3]
    return Array(element, index_type, count, id)


def _composite(kind: Callable[..., Struct | Union]) -> Decoder:
    def decode(btf: Source, id: int, name: int, info: int, size: int, at: int) -> Type:
        string, flag = btf.string, info >> 31
        members = tuple(
            Member(string(label), target, offset & MAX_OFFSET, offset >> 24)
            if flag
            else Member(string(label), target, offset)
            for label, target, offset in btf.entries(info, at, 3)
        )
        return kind(string(name), size, members, id)

    return decode


def _enum(btf: Source, id: int, name: int, info: int, size: int, at: int) -> Enum:
    string, sign = btf.string, info >> 31 << 31
    values = tuple(
        Enumerator(string(label), (value ^ sign) - sign)
        for label, value in btf.entries(info, at, 2)
    )
    return Enum(string(name), _enum_size(size, info), bool(sign), values, id)


def _enum64(btf: Source, id: int, name: int, info: int, size: int, at: int) -> Enum64:
    string, sign = btf.string, info >> 31 << 63
    values = tuple(
        Enumerator(string(label), ((high << 32 | low) ^ sign) - sign)
        for label, low, high in btf.entries(info, at, 3)
    )
    return Enum64(string(name), _enum_size(size, info), bool(sign), values, id)


def _enum_size(size: int, info: int) -> int:
    """The size checked; 0 is clang's for `enum x;`."""
    if size not in (1, 2, 4, 8) and (size or info & 0xFFFF):
        raise BtfError(f"enumeration of {size} bytes")
    return size


def _fwd(btf: Source, id: int, name: int, info: int, third: int, at: int) -> Fwd:
    # The third word is nothing's; gcc 12 leaves something there, which does no harm.
    return Fwd(btf.string(name), bool(info >> 31), id)


def _typedef(btf: Source, id: int, name: int, info: int, target: int, at: int) -> Typedef:
    return Typedef(btf.string(name), target, id)


def _func(btf: Source, id: int, name: int, info: int, target: int, at: int) -> Func:
    return Func(btf.string(name), target, info & 0xFFFF, id)


def _proto(btf: Source, id: int, name: int, info: int, target: int, at: int) -> FuncProto:
    params = tuple(Param(btf.string(label), type_id) for label, type_id in btf.entries(info, at, 2))
    return FuncProto(target, params, id)


def _var(btf: Source, id: int, name: int, info: int, target: int, at: int) -> Var:
    return Var(btf.string(name), target, btf.words[at], id)


def _datasec(btf: Source, id: int, name: int, info: int, size: int, at: int) -> Datasec:
    entries = tuple(SecVar(*entry) for entry in btf.entries(info, at, 3))
    return Datasec(btf.string(name), size, entries, id)


def _float(btf: Source, id: int, name: int, info: int, size: int, at: int) -> Float:
    if size not in (2, 4, 8, 12, 16):
        raise BtfError(f"floating-point number of {size} bytes")
    return Float(btf.string(name), size, id)


def _decl_tag(btf: Source, id: int, name: int, info: int, target: int, at: int) -> DeclTag:
    component = (btf.words[at] ^ 1 << 31) - (1 << 31)
    return DeclTag(btf.string(name), target, component, bool(info >> 31), id)


def _type_tag(btf: Source, id: int, name: int, info: int, target: int, at: int) -> TypeTag:
    return TypeTag(btf.string(name), target, bool(info >> 31), id)


DECODERS: dict[int, Decoder] = {
    1: _int,
    2: _reference(Ptr),
    3: _array,
    4: _composite(Struct),
    5: _composite(Union),
    6: _enum,
    7: _fwd,
    8: _typedef,
    9: _reference(Volatile),
    10: _reference(Const),
    11: _reference(Restrict),
    12: _func,
    13: _proto,
    14: _var,
    15: _datasec,
    16: _float,
    17: _decl_tag,
    18: _type_tag,
    19: _enum64,
}
