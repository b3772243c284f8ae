"""Of a kernel's BTF what some objects' CO-RE relocations need, and no more: a few kilobytes that
can travel with the objects to kernels without BTF (`bpftool gen min_core_btf` makes the same).

What a relocation finds in the target is kept: of structs the members on its path, at their places;
of enums the values; pointers lose what they point to, unless the type as a whole is compared.
"""

from __future__ import annotations

from collections.abc import Iterable

from ebee.btf.builder import BtfBuilder
from ebee.btf.core import Path, Relocator
from ebee.btf.ext import CoreKind, CoreRelo
from ebee.btf.reader import Btf
from ebee.btf.types import (
    Array,
    Composite,
    DeclTag,
    FuncProto,
    Int,
    Ptr,
    Reference,
    Type,
    Typedef,
    TypeTag,
    references,
    remap,
)

_FIELDS = range(CoreKind.FIELD_BYTE_OFFSET, CoreKind.FIELD_RSHIFT_U64 + 1)


def minimal(target: Btf, uses: Iterable[tuple[Btf, Iterable[CoreRelo]]]) -> Btf:
    """The part of `target` that relocations need; `uses` are objects' BTFs with their relocations.

    A relocation has the same result against it, but for ids of types, which differ. What the
    target lacks, the part lacks, too. BtfError for relocations that are damaged or ambiguous.
    """
    part = _Part(target)
    for local, relos in uses:
        relocator = Relocator(local, target)
        for relo in relos:
            if relo.kind is CoreKind.TYPE_ID_LOCAL:
                continue
            found = relocator.resolve(relo).target
            if found is not None and found.btf is target:
                part.keep_path(found, relo.kind)
    return part.build()


class _Part:
    """What is kept: ids of types, and of structs the indexes of their members."""

    def __init__(self, btf: Btf):
        self.btf = btf
        self.types: set[int] = set()
        self.followed: set[int] = set()
        self.matched: set[tuple[int, bool]] = set()
        self.members: dict[int, set[int]] = {}
        if btf.pointer_size != 8:  # which the size of `long` tells
            self.types |= {t.id for t in btf.find_all("long") if isinstance(t, Int)}

    def keep_path(self, path: Path, kind: CoreKind) -> None:
        """Keep what one relocation refers to."""
        if kind is CoreKind.TYPE_MATCHES:
            self.match(path.root, False)
            return
        self.keep(path.root, follow=kind not in _FIELDS)
        at = self.btf.resolve(path.root).id
        for number, step in enumerate(path.steps):
            if step.name and kind in _FIELDS:
                self.through(at, step.type, set())
                owner = self.btf.type(step.type)
                assert isinstance(owner, Composite)
                self.member(step.type, step.at)
                at = self.btf.resolve(owner.members[step.at].type).id
            elif number and kind in _FIELDS:
                array = self.btf.resolve(at)
                at = self.btf.resolve(array.type).id if isinstance(array, Array) else at

    def member(self, owner: int, index: int) -> None:
        """Keep one member of a struct, with its type."""
        self.types.add(owner)
        self.members.setdefault(owner, set()).add(index)
        found = self.btf.type(owner)
        assert isinstance(found, Composite)
        self.keep(found.members[index].type)

    def through(self, at: int, owner: int, seen: set[int]) -> bool:
        """Keep the anonymous members that lead from struct `at` to struct `owner`."""
        if at == owner:
            return True
        found = self.btf.type(at)
        if not isinstance(found, Composite) or at in seen:
            return False
        seen.add(at)
        for index, member in enumerate(found.members):
            inner = self.btf.resolve(member.type).id
            if not member.name and self.through(inner, owner, seen):
                self.member(at, index)
                return True
        return False

    def keep(self, id: int, follow: bool = False) -> None:
        """Keep a type with what its size and kind depend on; `follow`: through pointers."""
        waiting = [id]
        while waiting:
            at = waiting.pop()
            known = self.followed if follow else self.types
            if not at or at in known:
                continue
            self.types.add(at)
            known.add(at)
            found = self.btf.type(at)
            through = follow or not isinstance(found, (Ptr, FuncProto))
            if through and isinstance(found, (Reference, Typedef, TypeTag, Array, FuncProto)):
                waiting += references(found)

    def match(self, id: int, behind: bool) -> None:
        """Keep what a comparison of whole types looks at: members, but behind pointers names."""
        waiting = [(id, behind)]
        while waiting:
            at, behind = waiting.pop()
            if not at or (at, behind) in self.matched:
                continue
            self.matched.add((at, behind))
            self.types.add(at)
            found = self.btf.type(at)
            if isinstance(found, Composite):
                if behind:
                    continue
                self.members.setdefault(at, set()).update(range(len(found.members)))
            behind = behind or isinstance(found, Ptr)
            if not isinstance(found, DeclTag):
                waiting += [(target, behind) for target in references(found)]

    def build(self) -> Btf:
        """The types that are kept, in their order; references to others become void."""
        builder = BtfBuilder(byteorder=self.btf.byteorder)
        kept = sorted(self.types)
        new = {id: place for place, id in enumerate(kept, 1)}
        for id in kept:
            builder.add(remap(self.reduced(id), lambda old: new.get(old, 0)))
        return builder.build()

    def reduced(self, id: int) -> Type:
        """A type without the members that nobody asked for."""
        found = self.btf.type(id)
        if isinstance(found, Composite):
            wanted = self.members.get(id, set())
            members = tuple(m for i, m in enumerate(found.members) if i in wanted)
            return found._replace(members=members)
        return found
