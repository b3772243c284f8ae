"""What changed between two kernels' types (or two versions of an object's): by name, member by
member, so that moved, retyped and renamed members are told from removed and added ones."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal, NamedTuple

from ebee.btf.printer import declare
from ebee.btf.reader import Btf
from ebee.btf.types import (
    Composite,
    Enumeration,
    Float,
    Func,
    FuncProto,
    Fwd,
    Int,
    Type,
    Typedef,
    Var,
)
from ebee.errors import BtfError

What = Literal["added", "removed", "changed"]
How = Literal["added", "removed", "renamed", "retyped", "moved", "value"]
KINDS = ("struct", "union", "enum", "typedef", "function", "variable", "number")
"""What is compared; the two enum kinds are one, integers and floats are numbers."""
_DEPTH = 32


class Detail(NamedTuple):
    """One difference inside a type. Offsets are texts: bytes, or `byte:bit` of bitfields.

    `name` is the member (`outer.inner` where a member's own type has no name), the enumerator, or
    "" for the type as a whole (a function's signature, what a typedef stands for); `old` and `new`
    its type, value, name or place; `times`: of how many members in a row, up to `last`, this holds.
    """

    how: How
    name: str
    old: str = ""
    new: str = ""
    offset: str = ""
    times: int = 1
    last: str = ""


class Change(NamedTuple):
    """One type that is not as it was; sizes in bytes (0 for what has none)."""

    kind: str
    name: str
    what: What
    old_size: int = 0
    new_size: int = 0
    details: tuple[Detail, ...] = ()

    @property
    def breaking(self) -> bool:
        """Whether a program made for the old type, without CO-RE, may go wrong with the new."""
        return self.what == "removed" or any(d.how != "added" for d in self.details)


def diff(
    old: Btf,
    new: Btf,
    kinds: Iterable[str] = KINDS,
    wanted: Callable[[str], bool] = lambda name: True,
) -> Iterator[Change]:
    """Every named type of `kinds` that `new` lacks, adds or has otherwise, in the order of kinds
    and names; `wanted` chooses names. Anonymous types count as part of those that hold them.
    BtfError when a type that is compared is damaged, or a kind unknown."""
    kinds = list(kinds)
    for kind in kinds:
        if kind not in KINDS:
            raise BtfError(f"there is no kind {kind!r} to compare; there are: {', '.join(KINDS)}")
    before, after = _Side(old, wanted), _Side(new, wanted)
    for kind in sorted(set(kinds), key=KINDS.index):
        for name in sorted(before.by_name[kind].keys() | after.by_name[kind].keys()):
            yield from _pairs(before, after, kind, name)


class Field(NamedTuple):
    """A member as it lies: bit offset, bits (0 unless it is a bitfield), type as C writes it."""

    name: str
    offset: int
    bits: int
    type: str

    @property
    def place(self) -> str:
        """Bytes, with the bit where one begins inside."""
        at, bit = divmod(self.offset, 8)
        return f"{at}:{bit}" if self.bits else str(at)


class Shape(NamedTuple):
    """All of a type that counts for comparison."""

    size: int
    text: str = ""
    parts: tuple[Field, ...] | tuple[tuple[str, int], ...] = ()


class _Side:
    """One of the two: named types by kind and name, and what they look like."""

    def __init__(self, btf: Btf, wanted: Callable[[str], bool]):
        self.btf = btf
        self._texts: dict[int, str] = {}
        self.by_name: dict[str, dict[str, list[int]]] = {kind: defaultdict(list) for kind in KINDS}
        for name, id in btf.names():
            kind = _KIND.get(btf.kind(id).__name__)
            if kind and wanted(name):
                self.by_name[kind][name].append(id)

    def shapes(self, kind: str, name: str) -> list[Shape]:
        """What the types of a name look like, each once; mere declarations only if nothing else
        is there."""
        types = [self.btf.type(id) for id in self.by_name[kind].get(name, ())]
        if (kind == "struct" and not types) or all(isinstance(t, Fwd) for t in types):
            return []
        return list(dict.fromkeys(self.shape(t) for t in types))

    def shape(self, found: Type) -> Shape:
        match found:
            case Composite():
                return Shape(found.size, "", tuple(_once(self.fields(found))))
            case Enumeration():
                return Shape(found.size, "", tuple((v.name, v.value) for v in found.values))
            case Func():
                return Shape(0, self.signature(found.type))
            case Int():
                sign = "bool" if found.boolean else "signed" if found.signed else "unsigned"
                return Shape(found.size, sign)
            case Float():
                return Shape(found.size, "float")
            case Typedef() | Var():
                return Shape(0, self.text(found.type))
        return Shape(0)

    def signature(self, id: int) -> str:
        """A function's type without the names of its parameters, which mean nothing to callers."""
        found = self.btf.type(id)
        if not isinstance(found, FuncProto):
            return self.text(id)
        params = ["..." if p == ("", 0) else self.text(p.type) for p in found.params]
        return f"{self.text(found.type)} ({', '.join(params) or 'void'})"

    def text(self, id: int) -> str:
        """A type on one line, as C has it."""
        known = self._texts.get(id)
        if known is None:
            known = self._texts[id] = " ".join(declare(self.btf, id).split())
        return known

    def fields(
        self, found: Composite, prefix: str = "", at: int = 0, depth: int = 0
    ) -> Iterator[Field]:
        """The members, also those of anonymous structs and unions inside."""
        if depth > _DEPTH:
            raise BtfError(f"{self.btf.name}: type {found.id} is nested more than {_DEPTH} deep")
        for member in found.members:
            offset, bits = self.btf.bitfield(member)
            inner = self.btf.type(member.type)
            if isinstance(inner, Composite) and not inner.name:
                deeper = f"{prefix}{member.name}." if member.name else prefix
                yield from self.fields(inner, deeper, at + offset, depth + 1)
            else:
                name = f"{prefix}{member.name}"
                yield Field(name, at + offset, bits, self.text(member.type))


def _once(fields: Iterator[Field]) -> Iterator[Field]:
    """Without what the kernel's macros say a second time: struct_group() has its members by
    themselves and under the group's name; marks of cache lines are of no size."""
    known = set[tuple[str, int]]()
    for field in fields:
        group, dot, name = field.name.rpartition(".")
        outer = group.rpartition(".")[0]
        again = dot and ((f"{outer}.{name}" if outer else name), field.offset) in known
        if not again and not name.startswith("__cacheline_group_"):
            known.add((field.name, field.offset))
            yield field


_KIND = {
    "Struct": "struct", "Union": "union", "Enum": "enum", "Enum64": "enum", "Typedef": "typedef",
    "Func": "function", "Var": "variable", "Int": "number", "Float": "number",
}  # fmt: skip


def _pairs(before: _Side, after: _Side, kind: str, name: str) -> Iterator[Change]:
    """The changes of one name. Of several types with it, those that are the same go first, and
    the rest are compared in the order of their ids."""
    old, new = before.shapes(kind, name), after.shapes(kind, name)
    both = set(old) & set(new)
    old, new = [s for s in old if s not in both], [s for s in new if s not in both]
    for one, other in zip(old, new, strict=False):
        details = tuple(_details(one, other))
        yield Change(kind, name, "changed", one.size, other.size, details)
    # A further type of a name that stays is no news: it is as the others are used.
    if not both:
        yield from (Change(kind, name, "removed", one.size) for one in old[len(new) :])
        yield from (Change(kind, name, "added", 0, one.size) for one in new[len(old) :])


def _details(old: Shape, new: Shape) -> Iterator[Detail]:
    if old.text != new.text:
        yield Detail("retyped", "", old.text, new.text)
    parts: Any = (old.parts, new.parts)
    if any(isinstance(part, Field) for group in parts for part in group):
        yield from _members(*parts)
    else:
        yield from _constants(*parts)


def _constants(
    old: tuple[tuple[str, int], ...], new: tuple[tuple[str, int], ...]
) -> Iterator[Detail]:
    before, after = dict(old), dict(new)
    for name, value in before.items():
        if name not in after:
            yield Detail("removed", name, old=str(value))
        elif after[name] != value:
            yield Detail("value", name, str(value), str(after[name]))
    for name, value in after.items():
        if name not in before:
            yield Detail("added", name, new=str(value))


def _members(old: tuple[Field, ...], new: tuple[Field, ...]) -> Iterator[Detail]:
    before = {f.name: f for f in old if f.name}
    after = {f.name: f for f in new if f.name}
    renamed = _renamed(before, after)
    gone = [f for f in before.values() if f.name not in after and f.name not in renamed]
    yield from (Detail("removed", f.name, old=_typed(f), offset=f.place) for f in gone)
    known = {now: then for then, now in renamed.items()}
    row: list[tuple[Field, Field]] = []
    for field in after.values():
        was = before.get(field.name) or before.get(known.get(field.name, ""))
        if row and (was is None or not _together(row[0], was, field)):
            yield _moved(row)
            row = []
        if was is None:
            yield Detail("added", field.name, new=_typed(field), offset=field.place)
            continue
        if was.name != field.name:
            yield Detail("renamed", field.name, was.name, field.name, field.place)
        if (was.type, was.bits) != (field.type, field.bits):
            yield Detail("retyped", field.name, _typed(was), _typed(field), field.place)
        if was.offset != field.offset:
            row.append((was, field))
    if row:
        yield _moved(row)


def _renamed(before: dict[str, Field], after: dict[str, Field]) -> dict[str, str]:
    """Old name -> new name of what has the same type at the same place under another name."""

    def alone(
        fields: dict[str, Field], others: dict[str, Field]
    ) -> dict[tuple[int, int, str], str]:
        left = [f for f in fields.values() if f.name not in others]
        times = Counter(f[1:] for f in left)
        return {f[1:]: f.name for f in left if times[f[1:]] == 1}

    old, new = alone(before, after), alone(after, before)
    return {old[place]: new[place] for place in old.keys() & new.keys()}


def _together(first: tuple[Field, Field], was: Field, field: Field) -> bool:
    """Whether a member has moved as far as the one that a row began with."""
    return field.offset - was.offset == first[1].offset - first[0].offset


def _moved(row: list[tuple[Field, Field]]) -> Detail:
    was, field = row[0]
    last = row[-1][1].name if len(row) > 1 else ""
    return Detail("moved", field.name, was.place, field.place, field.place, len(row), last)


def _typed(field: Field) -> str:
    return f"{field.type} : {field.bits}" if field.bits else field.type
