"""How a C compiler for BPF would lay out a struct, and what must be written so that it comes out
as BTF says: `packed`, and padding.

BTF keeps no attributes, only where members are. So natural alignment is tried first, and packed
only if some member is where natural alignment cannot put it. The rules are those of the x86-64
psABI (3.1.2, bitfields included), which clang follows for BPF: scalars are aligned to their
size, a bitfield does not cross a boundary of its type, unnamed bitfields do not align a struct.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

from ebee.btf.types import Composite, Member, Union


class Sizes(Protocol):
    """What is asked of a Btf."""

    def sizeof(self, id: int) -> int: ...
    def alignof(self, id: int) -> int: ...
    def bitfield(self, member: Member) -> tuple[int, int]: ...


class Place(NamedTuple):
    """A member with `pad` bits of padding to be written before it."""

    member: Member
    offset: int
    """In bits, from the start of the struct."""
    bits: int
    """A bitfield's width, else 0."""
    pad: int


class Layout(NamedTuple):
    """How to write a struct or union in C: `tail` bits of padding follow its members."""

    packed: bool
    align: int
    """Bytes."""
    places: tuple[Place, ...]
    tail: int


def layout(btf: Sizes, found: Composite) -> Layout | None:
    """The layout of a struct or union, or None if no C declaration gives it (members that
    overlap or stick out)."""
    make = _union if isinstance(found, Union) else _struct
    return make(btf, found, False) or make(btf, found, True)


def _round_up(value: int, unit: int) -> int:
    return -(-value // unit) * unit


def _struct(btf: Sizes, found: Composite, packed: bool) -> Layout | None:
    places: list[Place] = []
    end, widest = 0, 1
    for member in found.members:
        offset, bits = btf.bitfield(member)
        size = btf.sizeof(member.type) * 8
        align = 1 if packed else btf.alignof(member.type)
        if member.name or not bits:
            widest = max(widest, align)
        fits = _fit(offset, bits, size, align, packed)
        if fits != offset or _fit(end, bits, size, align, packed) > offset:
            return None
        padded = _fit(end, bits, size, align, packed) < offset
        places.append(Place(member, offset, bits, offset - end if padded else 0))
        end = offset + (bits or size)
    total = found.size * 8
    if _round_up(end, widest * 8) > total or found.size % widest:
        return None
    tail = 0 if _round_up(end, widest * 8) == total else total - end
    return Layout(packed, widest, tuple(places), tail)


def _fit(end: int, bits: int, size: int, align: int, packed: bool) -> int:
    """Where a compiler puts the next member after bit `end`."""
    if not bits:
        return _round_up(end, align * 8)
    return end if packed or end % size + bits <= size else _round_up(end, size)


def _union(btf: Sizes, found: Composite, packed: bool) -> Layout | None:
    places: list[Place] = []
    end, widest = 0, 1
    for member in found.members:
        offset, bits = btf.bitfield(member)
        if offset:
            return None
        widest = max(widest, 1 if packed else btf.alignof(member.type))
        end = max(end, bits or btf.sizeof(member.type) * 8)
        places.append(Place(member, 0, bits, 0))
    total = found.size * 8
    if _round_up(end, widest * 8) > total or found.size % widest:
        return None
    return Layout(packed, widest, tuple(places), total - _round_up(end, widest * 8))
