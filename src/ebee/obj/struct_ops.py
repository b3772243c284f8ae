"""Struct_ops maps: variables in `.struct_ops` and its like, each one of the kernel's structs of
functions (tcp_congestion_ops, sched_ext_ops, ...) whose function pointers name programs.

The variable's bytes become the map's `data`, the programs its `contents`, by member index. What
differs in the running kernel's struct is the loader's to translate (ebee.linux.struct_ops).
"""

from __future__ import annotations

from bisect import bisect_right

from ebee.btf import Btf, BtfBuilder, Datasec, FuncProto, Ptr, SecVar, Struct, Var
from ebee.btf.types import Linkage
from ebee.obj import elf
from ebee.obj.elf import Section
from ebee.obj.source import Source
from ebee.obj.spec import MapSpec, ObjectSpec

F_LINK = 1 << 13
SECTIONS = {".struct_ops": 0, ".struct_ops.link": F_LINK}
"""Section -> flags of its maps; a leading `?` says not to create them by default."""
NAMES = tuple(mark + name for mark in ("", "?") for name in SECTIONS)


def section_of(made: MapSpec) -> str:
    """The section that a struct_ops map goes to."""
    return ("" if made.autocreate else "?") + (
        ".struct_ops.link" if made.flags & F_LINK else ".struct_ops"
    )


def read_maps(src: Source) -> None:
    """Add the struct_ops maps to the spec."""
    for section in src.file.sections:
        if section.name not in NAMES or not section.size:
            continue
        datasec = src.datasecs.get(section.name)
        if src.btf is None or datasec is None:
            raise src.error(f"section {section.name} is not described by BTF; compile with -g")
        for entry in datasec.vars:
            _add(src, section, entry)


def _add(src: Source, section: Section, entry: SecVar) -> None:
    assert src.btf is not None
    var = src.btf.type(entry.type)
    struct = src.btf.resolve(var.type) if isinstance(var, Var) else var
    if not isinstance(struct, Struct) or not struct.name:
        raise src.error(f"{var.name or 'a variable'} in {section.name} is not of a named struct")
    end = entry.offset + struct.size
    if end > section.size or section.type == elf.SHT_NOBITS:
        raise src.error(f"{var.name} reaches outside section {section.name}")
    if var.name in src.spec.maps or (section.index, entry.offset) in src.map_at:
        raise src.error(f"map {var.name} is defined twice, or shares its place with another")
    src.spec.maps[var.name] = MapSpec(
        var.name,
        "struct_ops",
        key_size=4,
        value_size=struct.size,
        max_entries=1,
        flags=SECTIONS[section.name.removeprefix("?")],
        value_btf_id=struct.id,
        data=bytes(section.data[entry.offset : end]),
        autocreate=not section.name.startswith("?"),
    )
    src.map_at[section.index, entry.offset] = var.name


def read_members(src: Source) -> None:
    """Fill the maps' `contents` from the relocations of their sections."""
    for section in src.file.sections:
        if section.name not in NAMES or src.btf is None:
            continue
        starts = sorted(at for index, at in src.map_at if index == section.index)
        for offset, reloc in src.relocs(section).items():
            where, at = _map_at(src, section.index, starts, offset)
            index = member_at(src.btf, where.value_btf_id, at)
            symbol = src.symbol(reloc)
            addend = int.from_bytes(section.data[offset : offset + 8], src.file.endian)
            target = src.function_at.get(src.place(symbol, addend), "")
            if index is None:
                raise src.error(f"map {where.name}: there is no function pointer at byte {at}")
            program = src.spec.programs.get(target)
            if program is None or program.hook != "struct_ops":
                raise src.error(
                    f"map {where.name}: {symbol.name or target or 'what a member points to'}"
                    ' is no program in SEC("struct_ops")'
                )
            where.contents[index] = target


def _map_at(src: Source, section: int, starts: list[int], offset: int) -> tuple[MapSpec, int]:
    """The map at a byte of a section, and the byte in it; `starts`: where maps begin, in order."""
    start = starts[bisect_right(starts, offset) - 1] if starts else 0
    name = src.map_at.get((section, start))
    if name is not None and start <= offset < start + src.spec.maps[name].value_size:
        return src.spec.maps[name], offset - start
    raise src.error(f"a relocation at byte {offset} of a struct_ops section is in no map")


def member_at(btf: Btf, struct: int, at: int) -> int | None:
    """The index of the function pointer at byte `at` of a struct."""
    found = btf.resolve(struct)
    for index, member in enumerate(found.members if isinstance(found, Struct) else ()):
        if member.offset == at * 8:
            pointer = btf.resolve(member.type)
            if isinstance(pointer, Ptr) and isinstance(btf.resolve(pointer.type), FuncProto):
                return index
    return None


def write_types(builder: BtfBuilder, spec: ObjectSpec) -> dict[str, list[tuple[MapSpec, int]]]:
    """Describe the struct_ops maps in the BTF being built; section -> (map, its offset)."""
    placed: dict[str, list[tuple[MapSpec, int]]] = {}
    for name in NAMES:
        at = 0
        for made in spec.maps.values():
            if made.type == "struct_ops" and section_of(made) == name:
                at += -at % 8
                placed.setdefault(name, []).append((made, at))
                at += made.value_size
        datasec = spec.btf.get(name, Datasec) if spec.btf else None
        entries = tuple(
            SecVar(_var(builder, spec.btf, made), start, made.value_size)
            for made, start in placed.get(name, ())
        )
        if datasec is not None:
            builder.set(datasec.id, datasec._replace(size=at, vars=entries))
        elif entries:
            builder.add(Datasec(name, at, entries))
    return placed


def _var(builder: BtfBuilder, btf: Btf | None, made: MapSpec) -> int:
    known = btf.get(made.name, Var) if btf else None
    if known is not None and btf is not None and btf.resolve(known.type).id == made.value_btf_id:
        return known.id
    return builder.add(Var(made.name, made.value_btf_id, Linkage.GLOBAL))
