"""The BTF of objects that are linked: types copied together and joined, sections made anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ebee.btf import Btf, BtfBuilder, Datasec, DeclTag, Func, SecVar, Type, Var
from ebee.btf.dedup import dedup
from ebee.btf.types import Linkage
from ebee.obj.spec import FunctionSpec, MapSpec, ObjectSpec

if TYPE_CHECKING:
    from ebee.obj.static import Part

_FIXED = ("license", "version")
"""Sections of which the first object's counts."""


class Types:
    """The joined BTF (`btf`, None without any), and the new ids of all objects' types."""

    def __init__(
        self,
        parts: Sequence[Part],
        owners: Mapping[str, tuple[Part, str, Any]],
        out: ObjectSpec,
    ):
        self._parts, self._owners, self._out = parts, owners, out
        self._ids: dict[int, dict[int, int]] = {}
        self._builder = BtfBuilder(byteorder=out.endian)
        self._sections: dict[str, list[SecVar]] = {}
        self.btf: Btf | None = None
        if any(part.spec.btf for part in parts):
            for part in parts:
                if part.spec.btf is not None:
                    self._ids[id(part)] = self._copy(part, part.spec.btf)
            places = {
                name: self._builder.add(Datasec(name, self._size(name), tuple(entries)))
                for name, entries in self._sections.items()
            }
            self.btf, new = dedup(self._builder.build())
            self._places = {name: new[number] for name, number in places.items()}
            for ids in self._ids.values():
                ids.update((old, new[number]) for old, number in list(ids.items()))

    def id(self, part: Part, number: int) -> int:
        """What a type of one object is called now; 0 for what is not there any more."""
        return self._ids.get(id(part), {}).get(number, 0)

    def of_map(self, part: Part, made: MapSpec) -> MapSpec:
        """A map with its types' new ids, its pattern's too."""
        inner = self.of_map(part, made.inner) if made.inner is not None else None
        key, value = self.id(part, made.key_btf_id), self.id(part, made.value_btf_id)
        return replace(made, key_btf_id=key, value_btf_id=value, inner=inner)

    def set_sections(self) -> None:
        """Tell the data maps of the linked object which section describes them."""
        for name, made in self._out.maps.items():
            if name.startswith(".") and self.btf is not None:
                made.value_btf_id = self._places.get(name, 0)

    def _size(self, section: str) -> int:
        made = self._out.maps.get(section)
        if made is not None:
            return made.value_size
        return max((e.offset + e.size for e in self._sections[section]), default=0)

    def _copy(self, part: Part, btf: Btf) -> dict[int, int]:
        """Copy all types but sections, and what another object's definition stands for."""
        gone = {found.id for found in btf if self._is_gone(part, btf, found)}
        # A tag of what is gone is gone, too.
        gone |= {t.id for t in btf if isinstance(t, DeclTag) and t.type in gone}
        wanted = [
            n for n in range(btf.start_id, len(btf)) if n not in gone and btf.kind(n) is not Datasec
        ]
        ids = {number: self._builder.copy(btf, number) for number in wanted}
        for found in btf:
            if isinstance(found, Datasec):
                self._entries(part, found, ids)
        return ids

    def _is_gone(self, part: Part, btf: Btf, found: Type) -> bool:
        if not isinstance(found, Func | Var):
            return False
        owner = self._owners.get(found.name)
        if found.linkage == Linkage.EXTERN:
            return owner is not None and found.name in part.spec.externs
        if found.name not in part.dropped or owner is None:
            return False
        lost = part.spec.functions.get(found.name) or part.spec.programs.get(found.name)
        is_function = isinstance(found, Func)
        return is_function == isinstance(owner[2], FunctionSpec) and (
            not is_function or lost is None or lost.btf_id in (0, found.id)
        )

    def _entries(self, part: Part, section: Datasec, ids: Mapping[int, int]) -> None:
        """Add one object's entries to a section of the linked one."""
        known = self._sections.setdefault(section.name, [])
        if section.name in _FIXED and known:
            return
        start = part.starts.get(section.name, 0)
        names = {self._builder.type(entry.type).name for entry in known}
        for entry in section.vars:
            new = ids.get(entry.type)
            declared = section.name in (".ksyms", ".kconfig")  # maybe by several objects
            if new is None or (declared and self._builder.type(new).name in names):
                continue
            known.append(SecVar(new, entry.offset + start, entry.size))
