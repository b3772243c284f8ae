"""The other way round: maps of a spec -> the BTF of `.maps`, as `__uint` and `__type` spell it."""

from __future__ import annotations

from dataclasses import replace

from ebee.btf import (
    Array,
    Btf,
    BtfBuilder,
    Datasec,
    Enum64,
    Enumerator,
    FuncProto,
    Int,
    Member,
    Ptr,
    SecVar,
    Struct,
    Var,
)
from ebee.btf.types import SIGNED, Linkage
from ebee.errors import BtfError, ObjectError
from ebee.obj.maps import POINTER, definition, type_number, without_sizes
from ebee.obj.spec import MapSpec, ObjectSpec

_U32 = 0xFFFF_FFFF
_MAX_SIZE = 1024
"""Bytes of a definition; a dozen attributes take 96, what is larger is not worth keeping."""


def write_maps(builder: BtfBuilder, spec: ObjectSpec, maps: list[MapSpec]) -> dict[str, int]:
    """Describe `maps` in the BTF being built, whose types up to now are those of `spec.btf`.

    What the BTF says of a map already and still is true stays as it is. Returns for each map its
    offset in `.maps`, and under "" the section's size.
    """
    known = _known(spec.btf)
    datasec = spec.btf.get(".maps", Datasec) if spec.btf else None
    writer = _Definitions(builder, spec.btf)
    offsets: dict[str, int] = {}
    at, entries = 0, []
    for made in maps:
        var, size = known.get(made.name, (0, 0))
        if not var or not _unchanged(spec.btf, made, var):
            struct, size = writer.struct(made)
            var = builder.add(Var(made.name, struct, Linkage.GLOBAL))
        size += POINTER * (max(made.contents, default=-1) + 1)
        offsets[made.name] = at
        entries.append(SecVar(var, at, size))
        at += size
    offsets[""] = at
    for extern in spec.externs.values():  # another object's, which is linked to this one later
        if extern.kind == "map" and extern.btf_id and spec.btf is not None:
            entries.append(SecVar(extern.btf_id, 0, spec.btf.sizeof(extern.btf_id)))
    if datasec is not None:
        builder.set(datasec.id, datasec._replace(size=at, vars=tuple(entries)))
    elif entries:
        builder.add(Datasec(".maps", at, tuple(entries)))
    return offsets


def _known(btf: Btf | None) -> dict[str, tuple[int, int]]:
    """Map -> (its Var, the bytes of its struct) in the BTF there is."""
    datasec = btf.get(".maps", Datasec) if btf else None
    if btf is None or datasec is None:
        return {}
    variables = [btf.type(entry.type) for entry in datasec.vars]
    sizes = {v.name: (v.id, btf.sizeof(v.type)) for v in variables if isinstance(v, Var)}
    return {name: (var, size) for name, (var, size) in sizes.items() if size <= _MAX_SIZE}


def _unchanged(btf: Btf | None, made: MapSpec, var_id: int) -> bool:
    assert btf is not None
    var = btf.type(var_id)
    assert isinstance(var, Var)
    try:
        declared = definition(btf, made.name, var.type)
        without_sizes(declared)
        return declared == replace(made, contents={}, data=None, weak=False) and (
            not made.contents or made.inner is not None or _has_values(btf, var)
        )
    except (BtfError, ObjectError):
        return False


def _has_values(btf: Btf, var: Var) -> bool:
    struct = btf.resolve(var.type)
    return isinstance(struct, Struct) and any(m.name == "values" for m in struct.members)


class _Definitions:
    """Writes structs that spell maps."""

    def __init__(self, builder: BtfBuilder, btf: Btf | None):
        self.builder, self.btf = builder, btf
        number = btf.get("int", Int) if btf else None
        self.int = number.id if number else builder.add(Int("int", 4, SIGNED))

    def struct(self, made: MapSpec) -> tuple[int, int]:
        """The type that spells a map, and its size without elements."""
        number = type_number(made.type)
        if number is None:
            raise ObjectError(f"map {made.name}: there is no map type {made.type!r}")
        members: list[tuple[str, int]] = [("type", self.number(number))]
        holds = made.inner is not None or bool(made.contents)
        members += self.side("key", made.key_btf_id, made.key_size)
        members += [] if holds else self.side("value", made.value_btf_id, made.value_size)
        for name, value in (
            ("max_entries", made.max_entries),
            ("map_flags", made.flags),
            ("pinning", made.pinning),
            ("map_extra", made.map_extra),
        ):
            members += [(name, self.number(value, name))] if value else []
        if made.numa_node is not None:
            members.append(("numa_node", self.number(made.numa_node)))
        size = POINTER * len(members)
        if holds:
            members.append(("values", self.elements(made)))
        fields = [Member(name, kind, at * POINTER * 8) for at, (name, kind) in enumerate(members)]
        return self.builder.add(Struct("", size, tuple(fields))), size

    def number(self, value: int, name: str = "") -> int:
        """`__uint(name, value)`, or `__ulong` for what needs 64 bits."""
        if value > _U32:
            return self.builder.add(Enum64("", 8, False, (Enumerator(f"__{name}", value),)))
        array = self.builder.intern(Array(self.int, self.int, value))
        return self.builder.intern(Ptr(array))

    def side(self, name: str, btf_id: int, size: int) -> list[tuple[str, int]]:
        """Key or value: by type where that has the size wanted, else by size."""
        if btf_id and self.btf and self.btf.sizeof(btf_id) == size:
            return [(name, self.builder.intern(Ptr(btf_id)))]
        return [(f"{name}_size", self.number(size))] if size else []

    def elements(self, made: MapSpec) -> int:
        """`__array(values, ...)`."""
        if made.inner is not None:
            held = self.struct(made.inner)[0]
        else:
            held = self.builder.intern(FuncProto(self.int, ()))
        pointer = self.builder.intern(Ptr(held))
        return self.builder.intern(Array(pointer, self.int, 0))
