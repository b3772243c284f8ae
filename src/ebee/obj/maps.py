"""Maps declared through BTF: a variable in `.maps` whose struct type spells the definition.

`__uint(name, n)` is a pointer to an array of n elements, `__ulong` an enum with one value,
`__type(key, T)` a pointer to T, `__array(values, T)` an array of pointers (libbpf's
bpf_helpers.h; parse_btf_map_def in its libbpf.c has the rules).
"""

from __future__ import annotations

from bisect import bisect_right

from ebee.btf import Array, Btf, Enum, Enum64, FuncProto, Member, Ptr, Struct, Var
from ebee.btf.types import Linkage
from ebee.errors import EbeeError, ObjectError
from ebee.obj import elf
from ebee.obj.elf import Section, Symbol
from ebee.obj.source import Source
from ebee.obj.spec import MapSpec

_NUMBERS = {
    "type": "type",
    "max_entries": "max_entries",
    "map_flags": "flags",
    "key_size": "key_size",
    "value_size": "value_size",
    "pinning": "pinning",
    "map_extra": "map_extra",
    "numa_node": "numa_node",
}
"""Members that are numbers -> field of MapSpec."""

_U32, _U64 = 0xFFFF_FFFF, 0xFFFF_FFFF_FFFF_FFFF
POINTER, EVENT_SIZE = 8, 4
ADDRESSES = (elf.R_BPF_64_ABS64, elf.R_BPF_64_64, elf.R_BPF_DATA_64)
"""The relocations that put an address into data."""


def type_name(number: int) -> str:
    """bpftool's name of a map type; `type_N` when ebee has no declaration of it."""
    from ebee.maps import by_id

    declared = by_id(number)
    return declared.name if declared else f"type_{number}"


def type_number(name: str) -> int | None:
    """The BPF_MAP_TYPE_* number behind a name that `type_name` gave."""
    from ebee.maps import by_name

    declared = by_name(name)
    if declared:
        return declared.id
    prefix, _, number = name.partition("_")
    return int(number) if prefix == "type" and number.isdecimal() else None


def read_maps(src: Source) -> None:
    """Add the maps of `.maps` to the spec, in the order of their places."""
    section = src.file.find(".maps")
    if section is None or not section.size:
        return
    if src.btf is None:
        raise src.error("maps are declared through BTF, but there is none; compile with -g")
    datasec = src.datasecs.get(".maps")
    if datasec is None:
        raise src.error("the BTF does not describe the section .maps; compile with -g")
    variables = {
        v.name: v
        for v in (src.btf.type(s.type) for s in datasec.vars)
        if not (isinstance(v, Var) and v.linkage == Linkage.EXTERN)
    }
    symbols = sorted(
        (s for s in src.symbols_in[section.index] if s.type in (elf.STT_OBJECT, elf.STT_NOTYPE)),
        key=lambda s: (s.value, s.index),
    )
    for symbol in symbols:
        var = variables.pop(symbol.name, None)
        if isinstance(var, Var):
            _add(src, section, symbol, var)
    if variables:
        raise src.error(f"map {min(variables)} of the BTF has no symbol in .maps")


def _add(src: Source, section: Section, symbol: Symbol, var: Var) -> None:
    assert src.btf is not None
    if symbol.value + symbol.size > section.size:
        raise src.error(f"map {var.name} reaches outside its section")
    if var.name in src.spec.maps or (section.index, symbol.value) in src.map_at:
        raise src.error(f"map {var.name} is defined twice, or shares its place with another")
    try:
        made = src.spec.maps[var.name] = definition(src.btf, var.name, var.type)
    except EbeeError as error:
        raise src.error(f"map {var.name}: {error}") from None
    made.weak = symbol.bind == elf.STB_WEAK
    wrong = without_sizes(made)
    if wrong:
        src.libbpf_refuses(wrong)
    src.map_at[section.index, symbol.value] = var.name


def definition(btf: Btf, name: str, type_id: int, *, inner: bool = False) -> MapSpec:
    """The map that a struct type spells; ObjectError or BtfError when it spells none."""
    found = btf.resolve(type_id)
    if not isinstance(found, Struct):
        raise ObjectError("it is not declared as a struct of attributes")
    made = MapSpec(name, "")
    numbers: dict[str, int] = {}
    for position, member in enumerate(found.members):
        if member.name in _NUMBERS:
            _set(numbers, _NUMBERS[member.name], _number(btf, member))
        elif member.name in ("key", "value"):
            target = btf.resolve(member.type)
            if not isinstance(target, Ptr):
                raise ObjectError(f"{member.name} is not declared with __type()")
            _set(numbers, f"{member.name}_size", btf.sizeof(target.type))
            setattr(made, f"{member.name}_btf_id", target.type)
        elif member.name == "values":
            if inner or position != len(found.members) - 1:
                raise ObjectError("`values` is allowed once, as the last member")
            _set(numbers, "value_size", 4)
            made.inner = _element(btf, name, member.type)
        else:
            raise ObjectError(
                f"unknown attribute {member.name!r};"
                f" known are {', '.join([*_NUMBERS, 'key', 'value', 'values'])}"
            )
    if "type" not in numbers:
        raise ObjectError("it does not say its type (__uint(type, BPF_MAP_TYPE_...))")
    if numbers.get("pinning", 0) > (0 if inner else 1):
        raise ObjectError(f"pinning {numbers['pinning']} is not LIBBPF_PIN_BY_NAME (1) of a map")
    made.type = type_name(numbers.pop("type"))
    for attribute, number in numbers.items():
        setattr(made, attribute, number)
    return made


def without_sizes(made: MapSpec) -> str:
    """Take back the sizes of a key or value that the type of map has not, as of a ring buffer
    whose declaration says what its records are, and give a perf_event_array, whose declaration may
    say the same, those that it must have; "" or what was wrong with them."""
    from ebee.maps import by_name

    declared = by_name(made.type)
    wrong = ""
    for side in ("key", "value"):
        size = getattr(made, f"{side}_size")
        if made.type == "perf_event_array" and size != EVENT_SIZE:
            setattr(made, f"{side}_size", EVENT_SIZE)
            wrong = wrong or f"map {made.name} has a {side} of {size} bytes instead of {EVENT_SIZE}"
        elif declared is not None and size and getattr(declared, side) == "none":
            setattr(made, f"{side}_size", 0)
            wrong = wrong or f"map {made.name} has a {side} of {size} bytes; a {made.type} has none"
    return wrong


def _set(numbers: dict[str, int], attribute: str, number: int) -> None:
    if numbers.setdefault(attribute, number) != number:
        raise ObjectError(f"{attribute} is both {numbers[attribute]} and {number}")


def _number(btf: Btf, member: Member) -> int:
    found = btf.resolve(member.type)
    number = None
    if isinstance(found, Ptr):
        target = btf.resolve(found.type)
        number = target.nelems if isinstance(target, Array) else None
    elif isinstance(found, Enum | Enum64) and len(found.values) == 1:
        number = found.values[0].value
    if number is None:
        raise ObjectError(f"{member.name} is not declared with __uint() or __ulong()")
    if not 0 <= number <= (_U64 if member.name == "map_extra" else _U32):
        raise ObjectError(f"{member.name} is {number}, which does not fit")
    return number


def _element(btf: Btf, name: str, type_id: int) -> MapSpec | None:
    """What `values` holds: an inner map's definition, or (None) programs."""
    array = btf.resolve(type_id)
    target = btf.resolve(array.type) if isinstance(array, Array) else array
    if isinstance(array, Array) and isinstance(target, Ptr):
        what = btf.resolve(target.type)
        if isinstance(what, FuncProto):
            return None
        if isinstance(what, Struct):
            return definition(btf, f"{name}.inner", target.type, inner=True)
    raise ObjectError("`values` is an array of neither maps nor programs")


def read_contents(src: Source) -> None:
    """Fill `contents` from the relocations in `.maps`: programs and maps named as elements."""
    section = src.file.find(".maps")
    if section is None or not src.map_at:
        return
    starts = sorted(offset for index, offset in src.map_at if index == section.index)
    values = _values_offsets(src)
    for offset, reloc in sorted(src.relocs(section).items()):
        position = bisect_right(starts, offset) - 1
        if reloc.type not in ADDRESSES or position < 0:
            raise src.error(f"a relocation of type {reloc.type} at byte {offset} of .maps")
        where = src.spec.maps[src.map_at[section.index, starts[position]]]
        first = starts[position] + values.get(where.name, section.size)
        index, rest = divmod(offset - first, POINTER)
        if index < 0 or rest or offset + POINTER > section.size:
            raise src.error(f"map {where.name}: only `values` may hold addresses")
        symbol = src.symbol(reloc)
        addend = int.from_bytes(section.data[offset : offset + POINTER], src.file.endian)
        target = (src.map_at if where.inner else src.function_at).get(src.place(symbol, addend))
        if target is None or (not where.inner and target not in src.spec.programs):
            raise src.error(
                f"map {where.name}: element {index} is {symbol.name or 'nameless'}"
                f" in {src.section_name(symbol)}, which is no {'map' if where.inner else 'program'}"
            )
        where.contents[index] = target


def _values_offsets(src: Source) -> dict[str, int]:
    """Map -> byte offset of `values` in its definition, where it has that."""
    assert src.btf is not None
    found = {}
    for entry in src.datasecs[".maps"].vars:
        var = src.btf.type(entry.type)
        struct = src.btf.resolve(var.type) if isinstance(var, Var) else var
        if isinstance(struct, Struct) and struct.members and struct.members[-1].name == "values":
            found[var.name] = struct.members[-1].offset // 8
    return found
