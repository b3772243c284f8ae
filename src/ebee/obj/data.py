"""Global data: .rodata, .data and .bss (and their like) as maps, with the variables in them."""

from __future__ import annotations

import re

from ebee.btf import Btf, BtfBuilder, Datasec, Func, SecVar, Var
from ebee.btf.types import Linkage
from ebee.obj import elf
from ebee.obj.elf import Section
from ebee.obj.source import Source
from ebee.obj.spec import MapSpec, VariableSpec

F_RDONLY_PROG, F_MMAPABLE = 1 << 7, 1 << 10
MAX_VALUE = 0x7FFF_FFFF
"""INT_MAX, the largest value an array takes (array_map_alloc_check)."""

ARENA = ".addr_space.1"
"""The section of variables in the object's arena (LLVM's address space 1)."""

_DATA = re.compile(r"\.(rodata|data|bss)(\.|$)")


def is_data(section: Section) -> bool:
    """Whether a section becomes a map of global data."""
    stored = section.type in (elf.SHT_PROGBITS, elf.SHT_NOBITS) and section.flags & elf.SHF_ALLOC
    return bool(stored and section.size and _DATA.match(section.name))


def read_data(src: Source) -> None:
    """Add a map for each data section, and its variables, to the spec."""
    for section in filter(is_data, src.file.sections):
        if section.size > MAX_VALUE:
            raise src.error(
                f"section {section.name} of {section.size} bytes is too large for a map"
            )
        if section.name in src.spec.maps:
            raise src.error(f"there are two sections (or a map) called {section.name}")
        datasec = src.datasecs.get(section.name)
        readonly = section.name.startswith(".rodata")
        mapped = any(_is_global(src.btf, v) for v in datasec.vars) if datasec else False
        src.spec.maps[section.name] = MapSpec(
            section.name,
            "array",
            key_size=4,
            value_size=section.size,
            max_entries=1,
            flags=F_RDONLY_PROG * readonly | F_MMAPABLE * mapped,
            value_btf_id=datasec.id if datasec else 0,
            data=None if section.type == elf.SHT_NOBITS else bytes(section.data),
            readonly=readonly,
        )
        src.data_map[section.index] = section.name
        _read_variables(src, section, datasec, section.name)
        pointers = len(src.relocs(section))
        if pointers:
            src.spec.warnings.append(
                f"{section.name} holds {pointers} address(es), which nothing fills in at load time"
            )


def read_arena(src: Source) -> None:
    """What the arena's memory begins with, and the variables there."""
    section = src.file.find(ARENA)
    if section is None or not section.size:
        return
    arenas = [m for m in src.spec.maps.values() if m.type == "arena"]
    if len(arenas) != 1:
        raise src.error(
            f"{ARENA} holds variables of an arena, but {len(arenas)} arena maps are declared;"
            " there must be one"
        )
    if section.type != elf.SHT_PROGBITS:
        raise src.error(f"section {ARENA} has no contents")
    arenas[0].data = bytes(section.data)
    src.data_map[section.index] = arenas[0].name
    _read_variables(src, section, src.datasecs.get(ARENA), arenas[0].name)


def _is_global(btf: Btf | None, var: SecVar) -> bool:
    found = btf.type(var.type) if btf else None
    return isinstance(found, Var) and found.linkage == Linkage.GLOBAL


def _read_variables(src: Source, section: Section, datasec: Datasec | None, owner: str) -> None:
    types: dict[tuple[str, int], Var] = {}  # by place: linked objects may have a name twice
    if src.btf and datasec:
        for entry in datasec.vars:
            var = src.btf.type(entry.type)
            if isinstance(var, Var):
                types[var.name, entry.offset] = var
    for symbol in sorted(src.symbols_in[section.index], key=lambda s: s.value):
        if symbol.type != elf.STT_OBJECT or not symbol.name:
            continue
        if symbol.value + symbol.size > section.size:
            raise src.error(f"variable {symbol.name} reaches outside its section {section.name}")
        name = symbol.name
        if name in src.spec.variables:  # static variables of several merged files
            name = f"{name}@{section.name}+{symbol.value}"
        declared = types.get((symbol.name.partition("@")[0], symbol.value))
        src.spec.variables[name] = VariableSpec(
            name,
            owner,
            symbol.value,
            symbol.size,
            declared.type if declared else 0,
            "static" if symbol.bind == elf.STB_LOCAL else "global",
            symbol.bind == elf.STB_WEAK,
            src.spec,
        )


def complete_types(src: Source, btf: Btf) -> None:
    """Give the source an object's BTF, with what only the linker knows: the sizes of data sections
    and the places of their variables, which compilers leave zero (libbpf: btf_fixup_datasec), and
    functions and variables that hidden visibility makes static to the kernel.
    """
    src.set_types(btf)
    changed: dict[int, Datasec | Func | Var] = {}
    for section in src.file.sections:
        found = src.datasecs.get(section.name)
        if found is None or found.size or found.id in changed or not section.size:
            continue
        places = {s.name: s.value for s in src.symbols_in[section.index]}
        entries = [
            v._replace(offset=places.get(btf.type(v.type).name, v.offset)) for v in found.vars
        ]
        changed[found.id] = found._replace(
            size=section.size, vars=tuple(sorted(entries, key=lambda v: v.offset))
        )
    for symbol in src.file.symbols:
        if symbol.type == elf.STT_FUNC and symbol.visibility and symbol.section:
            function = src.functions.get(symbol.name)
            if function is not None and function.linkage == Linkage.GLOBAL:
                changed[function.id] = function._replace(linkage=Linkage.STATIC)
        elif symbol.type == elf.STT_OBJECT and symbol.visibility and symbol.section:
            variable = src.variables.get(symbol.name)
            if variable is not None and variable.linkage == Linkage.GLOBAL:
                changed[variable.id] = variable._replace(linkage=Linkage.STATIC)
    if changed:
        edit = BtfBuilder.edit(btf)
        for type_id, new in changed.items():
            edit.set(type_id, new)
        src.set_types(edit.build())
