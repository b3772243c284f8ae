"""Maps declared without BTF: structs of numbers in sections `maps` and `maps/NAME`.

libbpf before 1.0, the kernel's samples, gobpf, older cilium/ebpf and Aya have `bpf_map_def`:

    type, key_size, value_size, max_entries, map_flags [, inner_map_idx, numa_node]

iproute2 (include/bpf_elf.h) has `bpf_elf_map`, which names maps by numbers of its own:

    type, size_key, size_value, max_elem, flags, id, pinning, inner_id, inner_idx
"""

from __future__ import annotations

import struct
from dataclasses import replace

from ebee.btf import Struct
from ebee.obj import elf
from ebee.obj.elf import Section, Symbol
from ebee.obj.maps import type_name, without_sizes
from ebee.obj.source import Source
from ebee.obj.spec import MapSpec

_HEAD = ("type", "key_size", "value_size", "max_entries", "flags")
_SAMPLES = ("inner_map_idx", "numa_node")
_IPROUTE2 = ("id", "pinning", "inner_id", "inner_idx")
IPROUTE2_SIZE = 4 * len(_HEAD + _IPROUTE2)
F_NUMA_NODE, PIN_BY_NAME = 1 << 2, 1
_NOWHERE = 0xFFFF_FFFF
_KINDS = (elf.STT_OBJECT, elf.STT_NOTYPE)


def read_maps(src: Source) -> None:
    """Add the maps of such sections to the spec."""
    for section in src.file.sections:
        named = section.name == "maps" or section.name.startswith("maps/")
        if not named or not section.size or section.type != elf.SHT_PROGBITS:
            continue
        src.libbpf_refuses(f"maps are defined the old way, in section {section.name}")
        _read(src, section)


def _read(src: Source, section: Section) -> None:
    symbols = [s for s in src.symbols_in[section.index] if s.name and s.type in _KINDS]
    symbols.sort(key=lambda s: s.value)
    starts = [s.value for s in symbols]
    if not symbols or len(set(starts)) < len(starts):
        raise src.error(f"section {section.name} has maps without, or with two names")
    ends = [*starts[1:], section.size]
    found = [_words(src, section, s, end) for s, end in zip(symbols, ends, strict=True)]
    made = [_spec(src, s, words) for s, words in zip(symbols, found, strict=True)]
    for spec, words, symbol in zip(made, found, symbols, strict=True):
        if spec.type in ("array_of_maps", "hash_of_maps"):
            inner = _inner(src, spec, words, made, found)
            spec.inner = replace(inner, name=f"{spec.name}.inner", pinning=0, contents={})
        if spec.name in src.spec.maps:
            raise src.error(f"map {spec.name} is defined twice")
        src.spec.maps[spec.name] = spec
        src.map_at[section.index, symbol.value] = spec.name


def _words(src: Source, section: Section, symbol: Symbol, end: int) -> dict[str, int]:
    """The numbers of one definition by name; what is behind those that are known must be zero."""
    data = bytes(section.data[symbol.value : end])
    if symbol.size and symbol.size <= len(data):
        data = data[: symbol.size]
    if len(data) < 16:
        raise src.error(f"map {symbol.name}: its definition has {len(data)} bytes instead of 20")
    names = _HEAD + (_IPROUTE2 if _is_iproute2(src, symbol, len(data)) else _SAMPLES)
    count = min(len(data) // 4, len(names))
    order = "<" if src.file.endian == "little" else ">"
    words = struct.unpack_from(f"{order}{count}I", data)
    if data[count * 4 :].strip(b"\0"):
        src.spec.warnings.append(
            f"map {symbol.name}: what its definition says after {names[count - 1]} is not known"
        )
    return dict(zip(names, words, strict=False))


def _is_iproute2(src: Source, symbol: Symbol, size: int) -> bool:
    """By the name of the struct where there is BTF, else by its size."""
    var = src.variables.get(symbol.name)
    struct = src.btf.resolve(var.type) if src.btf and var else None
    if isinstance(struct, Struct) and struct.name:
        return struct.name == "bpf_elf_map"
    return size == IPROUTE2_SIZE


def _spec(src: Source, symbol: Symbol, words: dict[str, int]) -> MapSpec:
    made = MapSpec(symbol.name, type_name(words["type"]))
    for name in _HEAD[1:]:
        setattr(made, name, words.get(name, 0))
    without_sizes(made)
    if words.get("pinning"):
        made.pinning = PIN_BY_NAME
    if made.flags & F_NUMA_NODE:
        made.numa_node = words.get("numa_node", 0)
    # BPF_ANNOTATE_KV_PAIR(name, key, value) of that time.
    pair = src.btf.get(f"____btf_map_{symbol.name}", Struct) if src.btf else None
    if pair is not None and src.btf and [m.name for m in pair.members] == ["key", "value"]:
        key, value = (member.type for member in pair.members)
        sizes = src.btf.sizeof(key), src.btf.sizeof(value)
        if sizes == (made.key_size, made.value_size):
            made.key_btf_id, made.value_btf_id = key, value
    return made


def _inner(
    src: Source,
    spec: MapSpec,
    words: dict[str, int],
    made: list[MapSpec],
    found: list[dict[str, int]],
) -> MapSpec:
    """The map whose definition a map of maps takes as its pattern. iproute2 also puts the maps
    that say so into the outer one."""
    if "inner_id" not in words:
        index = words.get("inner_map_idx", _NOWHERE)
        if index >= len(made) or made[index] is spec:
            raise src.error(f"map {spec.name}: there is no map {index} to be its inner one")
        return made[index]
    inner = [(m, w) for m, w in zip(made, found, strict=True) if w.get("id") == words["inner_id"]]
    if not inner or not words["inner_id"]:
        raise src.error(f"map {spec.name}: there is no map with id {words['inner_id']}")
    for member, its in inner:
        if its.get("inner_idx", _NOWHERE) != _NOWHERE:
            spec.contents[its["inner_idx"]] = member.name
    return inner[0][0]
