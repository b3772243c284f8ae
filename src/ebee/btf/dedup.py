"""Deduplication: one type where several are the same, as after copying objects together.

Two types are the same if they read the same all the way down. That is found by partition: types
start in one class if they look alike without what they refer to, and classes are split until all
members of a class refer to the same classes; cycles need no special care that way.

Declarations join definitions by name: `struct x;` is the `struct x {...}` of another unit, and a
struct that points to the one is the same as a struct that points to the other. So while all
definitions of a tag are in one class, references to it count by name. Tags with definitions that
differ are referred to by class, and their mere declarations stay.
"""

from __future__ import annotations

from collections.abc import Hashable

from ebee.btf.builder import BtfBuilder
from ebee.btf.reader import Btf, keyword
from ebee.btf.types import Composite, Datasec, Enumeration, Fwd, Type, Var, references, remap
from ebee.errors import BtfError

MIN_ROUNDS, WORK = 128, 6_000_000
"""How often all types are looked at, at least; and how many types in all, at most otherwise. What
people write takes a dozen rounds."""

Tag = tuple[str, str]


def dedup(btf: Btf) -> tuple[Btf, list[int]]:
    """(BTF without duplicates, new id of each old id).

    Of the same types the first stays, the base's in split BTF. Variables and sections are never
    joined: each is a thing of its own. BtfError for references to nowhere, and chains of types of
    a length that nobody writes.
    """
    types = [btf.type(id) for id in range(len(btf))]
    for found in types:
        for target in references(found):
            if target >= len(types):
                raise BtfError(f"{btf.name}: type {found.id} refers to missing type {target}")
    tags = [_tag(found) for found in types]
    definitions: dict[Tag, list[int]] = {}
    for id, tag in enumerate(tags):
        if tag and not _is_open(types[id]):
            definitions.setdefault(tag, []).append(id)
    classes = _partition(types, tags, definitions)
    kept = _representatives(types, tags, definitions, classes)
    return _rebuilt(btf, types, kept)


def _tag(found: Type) -> Tag | None:
    """What names a struct, union or enum across units."""
    if found.name and isinstance(found, (Composite, Fwd, Enumeration)):
        return keyword(found), found.name
    return None


def _is_open(found: Type) -> bool:
    """Whether a tagged type is only declared (an enum then has no values)."""
    return isinstance(found, Fwd) or (isinstance(found, Enumeration) and not found.values)


def _partition(
    types: list[Type], tags: list[Tag | None], definitions: dict[Tag, list[int]]
) -> list[int]:
    """The class of each type."""
    shapes: list[Hashable] = [
        id if isinstance(found, (Var, Datasec)) else (type(found), remap(found, lambda _: 0)[:-1])
        for id, found in enumerate(types)
    ]
    targets = [references(found) for found in types]
    classes = _numbered(shapes)
    by_name = set(definitions) | {tag for tag in tags if tag}
    rounds = max(MIN_ROUNDS, WORK // len(types))
    while True:
        named = [tag if tag in by_name else None for tag in tags]
        while True:
            labels = [tag or number for tag, number in zip(named, classes, strict=True)]
            finer = _numbered(
                [
                    (number, *map(labels.__getitem__, refs))
                    for number, refs in zip(classes, targets, strict=True)
                ]
            )
            if max(finer) == max(classes):
                break
            classes = finer
            rounds -= 1  # each tells types apart that differ one reference farther
            if not rounds:
                raise BtfError("the types refer to each other in chains too long to compare")
        differing = {
            tag for tag in by_name if len({classes[id] for id in definitions.get(tag, ())}) > 1
        }
        if not differing:
            return classes
        by_name -= differing


def _numbered(keys: list[Hashable]) -> list[int]:
    """Equal keys to equal numbers, counted from 0."""
    numbers: dict[Hashable, int] = {}
    return [numbers.setdefault(key, len(numbers)) for key in keys]


def _representatives(
    types: list[Type],
    tags: list[Tag | None],
    definitions: dict[Tag, list[int]],
    classes: list[int],
) -> list[int]:
    """For each type the one that stays in its place."""
    first: dict[int, int] = {}
    for id, number in enumerate(classes):
        first.setdefault(number, id)
    kept = [first[number] for number in classes]
    for id, tag in enumerate(tags):
        if tag and _is_open(types[id]):
            defined = {kept[other] for other in definitions.get(tag, ())}
            if len(defined) == 1:
                kept[id] = defined.pop()
    return kept


def _rebuilt(btf: Btf, types: list[Type], kept: list[int]) -> tuple[Btf, list[int]]:
    builder = BtfBuilder(btf.base, btf.byteorder)
    new = list(range(btf.start_id)) + [0] * (len(types) - btf.start_id)
    stays = [id for id in range(btf.start_id, len(types)) if kept[id] == id]
    for place, id in enumerate(stays, btf.start_id):
        new[id] = place
    new = [new[kept[id]] for id in range(len(types))]
    for id in stays:
        builder.add(remap(types[id], new.__getitem__))
    return builder.build(), new
