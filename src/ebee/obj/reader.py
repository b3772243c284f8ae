"""ELF object -> ObjectSpec: all that clang, gcc and their like emit for BPF."""

from __future__ import annotations

import os
from bisect import bisect_right

from ebee.btf import Btf, DeclTag
from ebee.btf.ext import BtfExt
from ebee.errors import BtfError, ObjectError
from ebee.obj import code, data, elf, externs, legacy, maps, struct_ops
from ebee.obj.elf import Elf
from ebee.obj.source import Source
from ebee.obj.spec import FunctionSpec, Line, ObjectSpec, Ref

SLOT = code.SLOT


def load(path: str | os.PathLike[str], *, strict: bool = False) -> ObjectSpec:
    """Read an object file; its name without the ending becomes the object's.

    What loaders other than libbpf take is taken too (maps in a `maps` section, section names with
    more behind them, static functions beside programs, ...), unless it shall be read `strict`ly.

    ObjectError when it cannot be read, is no BPF object, is damaged, or asks for something
    unknown; BtfError when its types are damaged.

    >>> load("firewall.o").programs            # doctest: +SKIP
    {'firewall': ProgramSpec(name='firewall', section='xdp', ...)}
    """
    try:
        with open(path, "rb") as opened:
            content = opened.read()
    except OSError as error:
        raise ObjectError(f"cannot read {os.fspath(path)}: {error.strerror}") from None
    return read(content, os.fspath(path), strict=strict)


def read(content: bytes, path: str = "object", *, strict: bool = False) -> ObjectSpec:
    """Read an object from memory; `path` stands in messages and names the object. See `load`."""
    file = elf.read(content, path)
    types, ext = _types(file)
    spec = ObjectSpec(os.path.basename(path).partition(".")[0] or "object", endian=file.endian)
    src = Source(file, spec, strict)
    spec.license, spec.version = _license(file), _version(src)
    if types is not None:
        data.complete_types(src, types)
        spec.btf = src.btf
    maps.read_maps(src)
    legacy.read_maps(src)
    struct_ops.read_maps(src)
    data.read_data(src)
    data.read_arena(src)
    externs.read_externs(src)
    extents = code.find_functions(src)
    code.read_functions(src, extents)
    maps.read_contents(src)
    struct_ops.read_members(src)
    if ext is not None:
        _attach(src, extents, ext)
    _exception_callbacks(spec)
    return spec


def _types(file: Elf) -> tuple[Btf | None, BtfExt | None]:
    types, more = file.find(".BTF"), file.find(".BTF.ext")
    if types is None:
        return None, None
    btf = Btf.parse(bytes(types.data), name=f"{file.name}: .BTF")
    if more is None:
        return btf, None
    try:
        return btf, BtfExt.parse(bytes(more.data), btf)
    except BtfError as error:
        raise BtfError(f"{file.name}: {error}") from None


def _license(file: Elf) -> str:
    section = file.find("license")
    raw = bytes(section.data) if section else b""
    return raw.split(b"\0")[0].decode(errors="replace")


def _version(src: Source) -> int:
    section = src.file.find("version")
    if section is None:
        return 0
    if len(section.data) != 4:
        src.libbpf_refuses(f"section version has {section.size} bytes instead of 4")
    if len(section.data) not in (4, 8):  # some say it as a `long`
        raise src.error(f"section version has {section.size} bytes instead of 4")
    return int.from_bytes(section.data, src.file.endian) & 0xFFFF_FFFF


def _attach(src: Source, extents: list[code.Extent], ext: BtfExt) -> None:
    """Give the functions their types, source lines and CO-RE relocations."""
    by_section: dict[str, list[code.Extent]] = {}
    for extent in extents:  # by name: of several sections with one name the first is meant
        group = by_section.setdefault(extent.section.name, [])
        if not group or group[0].section is extent.section:
            group.append(extent)
    for section, group in by_section.items():
        finder = _Finder(src, section, group)
        for info in ext.funcs.get(section, ()):
            function, slot = finder.at(info.offset)
            if function and slot == 0:
                function.btf_id = info.type
        for line in ext.lines.get(section, ()):
            function, slot = finder.at(line.offset)
            if function:
                function.lines.append(Line(slot, line.file, line.line, line.column, line.text))
        for core in ext.relos.get(section, ()):
            function, slot = finder.at(core.offset)
            if function:
                assert src.btf is not None
                name = src.btf.type(core.type).name
                function.refs.append(Ref(slot, "core", name, core.type, core._replace(offset=0)))
    for made in (*src.spec.functions.values(), *src.spec.programs.values()):
        made.refs.sort(key=lambda r: (r.slot, r.kind == "core"))
        made.lines.sort(key=lambda line: line.slot)


def _exception_callbacks(spec: ObjectSpec) -> None:
    """What __exception_cb(NAME) says: a tag on the program's function. The verifier refuses a
    program with several."""
    btf = spec.btf
    if btf is None:
        return
    found: dict[str, list[str]] = {}
    for number in range(btf.start_id, len(btf)):
        if btf.kind(number) is DeclTag:
            tag = btf.type(number)
            assert isinstance(tag, DeclTag)
            prefix, _, name = tag.name.partition(":")
            if prefix == "exception_callback" and name and tag.component == -1:
                found.setdefault(btf.type(tag.type).name, []).append(name)
    for program, names in found.items():
        if program in spec.programs and len(names) == 1:
            spec.programs[program].exception_callback = names[0]


class _Finder:
    """Functions of one section by byte offset."""

    def __init__(self, src: Source, section: str, extents: list[code.Extent]):
        self.src, self.section, self.extents = src, section, extents
        self.starts = [e.start for e in extents]

    def at(self, offset: int) -> tuple[FunctionSpec | None, int]:
        """The function there and the slot in it; None for code that belongs to none."""
        if offset % SLOT:
            raise self.src.error(f".BTF.ext: byte {offset} of {self.section} is no instruction")
        extent = self.extents[bisect_right(self.starts, offset) - 1]
        if not extent.start <= offset < extent.end:
            return None, 0
        name = self.src.function_at[extent.section.index, extent.start]
        return self.src.spec.function(name), (offset - extent.start) // SLOT
