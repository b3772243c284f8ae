"""Constant objects: memory whose address is a symbol and whose const members are known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ebee.types import Int, PtrType, Struct, fields, ptr, typeof


@dataclass(frozen=True)
class Known:
    """An object at `symbol` (a name that the loader resolves) or at a fixed address.

    `members`: values of its const members by byte offset: numbers, and objects that const
    pointers point to. Different symbols must name memory that does not overlap in what compiled
    code touches: LLVM takes them to be different objects.
    """

    symbol: str | int
    members: tuple[tuple[int, int | Known], ...] = ()

    @cached_property
    def by_offset(self) -> dict[int, int | Known]:
        return dict(self.members)

    @staticmethod
    def of(struct: type[Struct], symbol: str | int, **values: Any) -> Known:
        """A constant object from its members' values: numbers, for pointers symbols, addresses or
        Known objects, for nested structs dicts. TypeError for a member that is not const."""
        return Known(symbol, tuple(sorted(_flatten(struct, values, 0), key=lambda m: m[0])))

    @staticmethod
    def read(view: Any, symbol: str | int, pointers: Mapping[str, Any] | None = None) -> Known:
        """A constant object from live memory: `view` is a struct or a pointer to one; `pointers`
        gives symbols, addresses or Known objects for const pointers by (dotted) name, others keep
        the address that is there."""
        to = view._to if isinstance(view, ptr) else type(view)
        return Known(symbol, tuple(_read(to, view, "", 0, pointers or {})))


def _flatten(struct: Any, values: Mapping[str, Any], base: int) -> Any:
    members = fields(struct)
    for name, value in values.items():
        if name not in members:
            raise TypeError(f"{struct.__name__} has no member {name!r}")
        field = members[name]
        if isinstance(value, Mapping):
            yield from _flatten(field.type, value, base + field.offset)
            continue
        if not field.const:
            raise TypeError(f"{struct.__name__}.{name} is not const, so its value is not known")
        if isinstance(value, str):
            value = Known(value)
        yield base + field.offset, value if isinstance(value, Known) else int(value)


def _read(struct: Any, view: Any, path: str, base: int, pointers: Mapping[str, Any]) -> Any:
    for name, field in fields(struct).items():
        t, here = typeof(field.type), path + name
        if isinstance(t, type) and issubclass(t, Struct):
            yield from _read(t, getattr(view, name), here + ".", base + field.offset, pointers)
        elif field.const and isinstance(t, PtrType):
            value = pointers.get(here, int(getattr(view, name)))
            yield base + field.offset, Known(value) if isinstance(value, str) else value
        elif field.const and isinstance(t, type) and issubclass(t, Int):
            yield base + field.offset, int(getattr(view, name))
