"""Questions to BTF: where a path of members leads, who has a member or a type, what matches."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import NamedTuple

from ebee.btf.names import suggest
from ebee.btf.reader import Btf, Kind, describe
from ebee.btf.types import Array, Composite, Member, Ptr, references
from ebee.errors import BtfError

_STEP = re.compile(r"(?P<by>\.|->)?(?P<name>\w+)|\[(?P<index>\d+)\]")


class Place(NamedTuple):
    """Where a path of members ends: `bits` (0 unless it is a bitfield) from bit `offset` of
    `owner`, which is the struct that the path began with, or the last one behind a pointer."""

    owner: Kind
    offset: int
    bits: int
    type: int
    dereferenced: int
    """How many pointers must be followed to get there."""


def place(btf: Btf, root: int, path: str) -> Place:
    """Follow `path` ("mm->pgd", "sk.__sk_common.skc_family", "comm[3]") from type `root`.

    Members of anonymous structs are found by their own names; `.` and `->` both go through a
    pointer. BtfError names the nearest members where there is none.
    """
    owner, offset, bits, at, followed = btf.resolve(root), 0, 0, root, 0
    end = 0
    for step in _STEP.finditer(path):
        if step.start() != end:
            break
        end = step.end()
        here = btf.resolve(at)
        if isinstance(here, Ptr):
            owner, at, offset, followed = btf.resolve(here.type), here.type, 0, followed + 1
            here = owner if step["index"] is None else here
        if step["index"] is not None:
            at, offset, bits = _element(btf, here, int(step["index"]), offset)
            continue
        found = _member(btf, here, step["name"], set())
        if found is None:
            known = list(names(btf, here))
            raise BtfError(
                f"{describe(here)} has no member {step['name']!r}{suggest(step['name'], known)}"
            )
        inside, bits, at = found
        offset += inside
    if end != len(path):
        raise BtfError(f"cannot read {path!r} from {path[end:]!r} on: write member.member[3]->...")
    return Place(owner, offset, bits, at, followed)


def _element(btf: Btf, here: Kind, index: int, offset: int) -> tuple[int, int, int]:
    if not isinstance(here, (Array, Ptr)):
        raise BtfError(f"{describe(here)} has no elements")
    if isinstance(here, Array) and here.nelems and index >= here.nelems:
        raise BtfError(f"the array has {here.nelems} elements, no [{index}]")
    return here.type, offset + index * btf.sizeof(here.type) * 8, 0


def _member(btf: Btf, found: Kind, name: str, seen: set[int]) -> tuple[int, int, int] | None:
    """(bit offset, bits, type) of a member, also of one in an anonymous struct inside."""
    if not isinstance(found, Composite) or found.id in seen:
        return None
    seen.add(found.id)
    for member in found.members:
        offset, bits = btf.bitfield(member)
        if member.name == name:
            return offset, bits, member.type
        if not member.name:
            inner = _member(btf, btf.resolve(member.type), name, seen)
            if inner:
                return offset + inner[0], inner[1], inner[2]
    return None


def names(btf: Btf, found: Kind, depth: int = 8) -> Iterator[str]:
    """The names of all members that can be reached without another name before them."""
    for member in found.members if isinstance(found, Composite) and depth else ():
        if member.name:
            yield member.name
        else:
            yield from names(btf, btf.resolve(member.type), depth - 1)


def matching(btf: Btf, pattern: str) -> Iterator[tuple[str, int]]:
    """(name, id) of the types whose name a shell pattern (`tcp_*`) fits."""
    if btf.base:
        yield from matching(btf.base, pattern)
    yield from ((name, id) for name, id in btf.names() if fnmatchcase(name, pattern))


def having_member(btf: Btf, pattern: str) -> Iterator[tuple[Composite, Member]]:
    """Every struct and union with a member whose name a shell pattern fits."""
    for found in btf:
        if isinstance(found, Composite):
            yield from ((found, m) for m in found.members if fnmatchcase(m.name, pattern))


def users(btf: Btf, ids: set[int]) -> Iterator[Kind]:
    """Every named type that refers to one of `ids`, be it through pointers, arrays, modifiers or
    anonymous types."""
    behind: dict[int, list[int]] = {}
    for found in btf:
        for target in references(found):
            behind.setdefault(target, []).append(found.id)
    seen, waiting = set(ids), list(ids)
    told: list[int] = []
    while waiting:
        for user in behind.get(waiting.pop(), ()):
            if user not in seen:
                seen.add(user)
                (told if btf.type(user).name else waiting).append(user)
    yield from (btf.type(user) for user in sorted(told))
