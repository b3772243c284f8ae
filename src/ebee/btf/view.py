"""A type as a person reads it: C, with the offset and size of every member and the holes."""

from __future__ import annotations

from collections.abc import Iterator

from ebee.btf.printer import declare, definition
from ebee.btf.reader import Btf, describe, keyword
from ebee.btf.types import Composite, Datasec, Union
from ebee.errors import BtfError

_DEPTH = 32


def view(btf: Btf, id: int) -> str:
    """Type `id` with byte offsets (`byte:bit` of bitfields) and sizes, anonymous structs and
    unions unfolded, holes and padding named:

        struct list_head {                /* 16 bytes */
            0    8    struct list_head *next;
            8    8    struct list_head *prev;
        }
    """
    found = btf.resolve(id)
    if isinstance(found, Datasec):
        rows = [
            (str(entry.offset), str(entry.size), f"    {_declaration(btf, entry.type)};")
            for entry in found.vars
        ]
        head = f'section "{found.name}"'
    elif isinstance(found, Composite):
        rows = list(_rows(btf, found, 0, 1))
        head = describe(found)
    else:
        return definition(btf, id)
    width = max((len(offset) for offset, _, _ in rows), default=0)
    digits = max((len(size) for _, size, _ in rows), default=0)
    lines = [f"{offset:>{width}}  {size:>{digits}}  {text}" for offset, size, text in rows]
    return "\n".join([f"{head} {{  /* {found.size} bytes */", *lines, "}"]) + "\n"


def _declaration(btf: Btf, id: int) -> str:
    return definition(btf, id).rstrip(";\n")


def _rows(btf: Btf, found: Composite, start: int, depth: int) -> Iterator[tuple[str, str, str]]:
    """(offset, size, text) of all members of a type that begins at bit `start`."""
    if depth > _DEPTH:
        raise BtfError(f"{btf.name}: {describe(found)} is nested more than {_DEPTH} deep")
    tabs = "    " * depth
    end = start
    for member in found.members:
        offset, bits = btf.bitfield(member)
        offset += start
        if offset > end and not isinstance(found, Union):
            yield "", "", f"{tabs}/* hole: {_extent(offset - end)} */"
        size = btf.sizeof(member.type)
        inner = btf.resolve(member.type)
        where = f"{offset // 8}:{offset % 8}" if bits else str(offset // 8)
        if isinstance(inner, Composite) and not inner.name and inner is btf.type(member.type):
            yield where, str(size), f"{tabs}{keyword(inner)} {{"
            yield from _rows(btf, inner, offset, depth + 1)
            yield "", "", f"{tabs}}}{' ' if member.name else ''}{member.name};"
        else:
            text = declare(btf, member.type, member.name).replace("\n\t", " ").replace("\n", " ")
            yield where, _bits(bits) if bits else str(size), f"{tabs}{text};"
        end = max(end, offset + (bits or size * 8))
    total = start + found.size * 8
    if end < total and not isinstance(found, Union):
        yield "", "", f"{tabs}/* padding: {_extent(total - end)} */"


def _bits(bits: int) -> str:
    return f"{bits} bit{'s' if bits != 1 else ''}"


def _extent(bits: int) -> str:
    if bits % 8:
        return _bits(bits)
    return f"{bits // 8} byte{'s' if bits != 8 else ''}"
