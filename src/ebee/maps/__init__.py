"""Map types: declarations, a file per family; `by_id` and `by_name` find them.

A declaration says what the kernel knows of the type; the operations stand in a module of
restricted Python beside it (`ops`), which only the machine imports.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from importlib import import_module

FAMILIES = ("array",)
"""The modules of this package that declare map types, each in a tuple MAPS."""


@dataclass(frozen=True, slots=True)
class MapType:
    """One map type.

    `key`: rule of key_size ("u32": 4 bytes, "any", "none": 0, "lpm": prefix length and data);
    `value`: rule of value_size ("any", "none", "u32"); `flags`: the creation flags it takes;
    `per_cpu`: one value per possible CPU; `ops`: module with its operations for the machine;
    `missing`: why a cell of the coverage matrix is blank.
    """

    id: int
    name: str
    since: str
    doc: str
    key: str = "any"
    value: str = "any"
    flags: int = 0
    per_cpu: bool = False
    ops: str | None = None
    missing: dict[str, str] = field(default_factory=dict)


@cache
def all_types() -> tuple[MapType, ...]:
    """Every declared map type, by number."""
    found = [m for f in FAMILIES for m in import_module(f"ebee.maps.{f}").MAPS]
    return tuple(sorted(found, key=lambda m: m.id))


@cache
def _tables() -> tuple[dict[int, MapType], dict[str, MapType]]:
    return {m.id: m for m in all_types()}, {m.name: m for m in all_types()}


def by_id(number: int) -> MapType | None:
    """The map type of a BPF_MAP_TYPE_* number."""
    return _tables()[0].get(number)


def by_name(name: str) -> MapType | None:
    """The map type of a name as bpftool prints it (`hash`, `percpu_array`)."""
    return _tables()[1].get(name)
