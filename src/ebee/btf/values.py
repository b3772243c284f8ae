"""The Python values that decoded BTF types become: records and enumeration members."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

try:  # The C descriptor behind named tuples: reads an item in 20 ns, past __getitem__.
    from collections import _tuplegetter as _item  # type: ignore[attr-defined]
except ImportError:  # pragma: no cover - other Python implementations

    def _item(index: int, doc: str) -> Any:
        return property(lambda self: tuple.__getitem__(self, index), doc=doc)


class EnumValue(int):
    """A member of an enumeration: an int that knows its name ("" for a value without one)."""

    name: str

    def __new__(cls, value: int, name: str = "") -> EnumValue:
        self = super().__new__(cls, value)
        self.name = name
        return self

    def __repr__(self) -> str:
        return f"<{self.name or '?'}: {int(self)}>"

    def __str__(self) -> str:
        return self.name or int.__repr__(self)

    def __format__(self, spec: str) -> str:
        return format(int(self) if spec[-1:] in tuple("bcdoxXneEfFgG%") else str(self), spec)

    def __reduce__(self) -> tuple[Any, ...]:
        return EnumValue, (int(self), self.name)


class Record(tuple[Any, ...]):
    """A decoded struct or union: `r.pid`, `r["pid"]`, `pid, comm = r`, `dict(r)`, `r == {...}`.

    Members of anonymous structs and unions appear as the record's own. A record does not change;
    `_replace` makes another. A member whose name the class needs itself (`keys`, `_fields`,
    `__iter__`, ...) is reached as `r["keys"]` only.

    It is stored as what `struct` unpacked; a member is converted when it is read, so that in a
    stream of events only those that are looked at cost anything.
    """

    __slots__ = ()
    _fields: ClassVar[tuple[str, ...]] = ()
    _getters: ClassVar[dict[str, Callable[[Any], Any]]] = {}
    _node: ClassVar[Any] = None

    def keys(self) -> tuple[str, ...]:
        """The names of the members; with this, `dict(record)` and `**record` work."""
        return self._fields

    def _asdict(self) -> dict[str, Any]:
        """Name and value of all members; records inside become dicts too."""
        return {name: _plain(value) for name, value in zip(self._fields, self, strict=True)}

    def _replace(self, **changes: Any) -> Record:
        """A copy with some members changed."""
        record: Record = self._node.replaced(self, changes)
        return record

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            try:
                return self._getters[key](self)
            except KeyError:
                raise KeyError(f"{type(self).__name__} has no member {key!r}") from None
        return tuple(self)[key]

    def __iter__(self) -> Iterator[Any]:
        return (getter(self) for getter in self._getters.values())

    def __len__(self) -> int:
        return len(self._fields)

    def __contains__(self, value: object) -> bool:
        return value in tuple(self)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Record):
            return self._fields == other._fields and tuple(self) == tuple(other)
        if isinstance(other, Mapping):
            return dict(zip(self._fields, self, strict=True)) == other
        if isinstance(other, (tuple, list)):
            return tuple(self) == tuple(other)
        return NotImplemented

    def __ne__(self, other: object) -> bool:
        equal = self.__eq__(other)
        return equal if equal is NotImplemented else not equal

    def __lt__(self, other: tuple[Any, ...]) -> bool:
        return tuple(self) < tuple(other)

    def __hash__(self) -> int:
        return hash(_fixed(self))

    def __repr__(self) -> str:
        inner = ", ".join(f"{n}={v!r}" for n, v in zip(self._fields, self, strict=True))
        return f"{type(self).__name__}({inner})"

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (self._asdict(),)  # classes made at run time cannot be found by name


def _fixed(value: Any) -> Any:
    """The same value without lists, so that it can be hashed."""
    if isinstance(value, (Record, list)):
        return tuple(map(_fixed, value))
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, Record):
        return value._asdict()
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


RESERVED = frozenset(dir(Record)) - {"count", "index"}


def record_class(
    name: str, getters: Mapping[str, int | Callable[[tuple[Any, ...]], Any]], node: Any
) -> type[Record]:
    """A Record class. A getter is the number of the stored item that is the member's value as it
    stands, or a function of the stored items."""
    reading: dict[str, Any] = {}
    for label, getter in getters.items():
        attribute: Any = _item(getter, "") if isinstance(getter, int) else property(getter)
        reading[label] = attribute
    body: dict[str, Any] = {
        "__slots__": (),
        "_fields": tuple(getters),
        "_getters": {label: attribute.__get__ for label, attribute in reading.items()},
        "_node": node,
    }
    body |= {label: how for label, how in reading.items() if label not in RESERVED}
    return type(name, (Record,), body)
