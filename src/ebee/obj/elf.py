"""ELF64 relocatable objects for the BPF machine: read in both byte orders, and written.

Small and exact (gABI chapters 4 and 5; relocation types: LLVM's BPF ABI). Everything read is
checked against the file's bounds; sections may not overlap, so work and memory stay proportional
to the file. Section contents are views into the file, never copies.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from ebee.errors import ObjectError

Endian = Literal["little", "big"]

EM_BPF = 247
ET_REL = 1
SHT_NULL, SHT_PROGBITS, SHT_SYMTAB, SHT_STRTAB, SHT_RELA = 0, 1, 2, 3, 4
SHT_NOTE, SHT_NOBITS, SHT_REL, SHT_SYMTAB_SHNDX = 7, 8, 9, 18
SHF_WRITE, SHF_ALLOC, SHF_EXECINSTR, SHF_INFO_LINK = 1, 2, 4, 0x40
SHN_UNDEF, SHN_LORESERVE, SHN_ABS, SHN_COMMON, SHN_XINDEX = 0, 0xFF00, 0xFFF1, 0xFFF2, 0xFFFF
STB_LOCAL, STB_GLOBAL, STB_WEAK = 0, 1, 2
STT_NOTYPE, STT_OBJECT, STT_FUNC, STT_SECTION, STT_FILE = 0, 1, 2, 3, 4
STV_DEFAULT, STV_INTERNAL, STV_HIDDEN = 0, 1, 2
R_BPF_NONE, R_BPF_64_64, R_BPF_64_ABS64, R_BPF_64_ABS32 = 0, 1, 2, 3
R_BPF_64_NODYLD32, R_BPF_64_32 = 4, 10
R_BPF_DATA_32, R_BPF_DATA_64 = 11, 12
"""What binutils calls ABS32 and ABS64."""

EHDR_SIZE, SHDR_SIZE, SYM_SIZE, REL_SIZE, RELA_SIZE = 64, 64, 24, 16, 24
_EHDR, _SHDR, _SYM, _REL, _RELA = "16sHHIQQQIHHHHHH", "IIQQQQIIQQ", "IBBHQQ", "QQ", "QQq"

_MACHINES = {
    3: "an x86", 8: "a MIPS", 20: "a PowerPC", 21: "a PowerPC64", 22: "an s390x", 40: "an ARM",
    62: "an x86-64", 183: "an arm64", 243: "a RISC-V", 258: "a LoongArch",
}  # fmt: skip
_NOT_RELOCATABLE = {2: "an executable", 3: "a shared library or executable", 4: "a core dump"}
_FOREIGN = [
    (b"BC\xc0\xde", "LLVM bitcode; compile it to an object (clang -c without -emit-llvm)"),
    (b"!<arch>\n", "an archive; extract its members first (ar x)"),
    (b"\x9f\xeb", "bare BTF, not an object"),
    (b"\xeb\x9f", "bare BTF, not an object"),
    (b"#include", "C source; compile it first (ebee build)"),
    (b"//", "source text; compile it first (ebee build)"),
    (b"/*", "source text; compile it first (ebee build)"),
]


@dataclass(frozen=True, slots=True)
class Section:
    """One section. `data` is empty for SHT_NOBITS, whose `size` may be anything."""

    index: int
    name: str
    type: int
    flags: int
    size: int
    link: int
    info: int
    align: int
    entsize: int
    data: memoryview


@dataclass(frozen=True, slots=True)
class Symbol:
    """One symbol; `section` is an index, or one of the SHN_ values."""

    index: int
    name: str
    bind: int
    type: int
    visibility: int
    section: int
    value: int
    size: int


class Reloc(NamedTuple):
    """One relocation: patch `type` at `offset` with the symbol of that index (REL: addend None)."""

    offset: int
    type: int
    symbol: int
    addend: int | None


class Note(NamedTuple):
    name: str
    type: int
    desc: bytes


@dataclass
class Elf:
    """A parsed file."""

    name: str
    endian: Endian
    machine: int
    sections: list[Section]
    symbols: list[Symbol]

    def find(self, name: str) -> Section | None:
        """The first section of that name."""
        return next((s for s in self.sections if s.name == name), None)

    def relocs(self, section: Section) -> Iterator[Reloc]:
        """The entries of a REL or RELA section; ObjectError when one is damaged."""
        rela = section.type == SHT_RELA
        entry, size = (_RELA, RELA_SIZE) if rela else (_REL, REL_SIZE)
        if section.size % size:
            raise ObjectError(
                f"{self.name}: relocation section {section.name} is {section.size} bytes,"
                f" no multiple of {size}"
            )
        for offset, info, *addend in struct.iter_unpack(_order(self.endian) + entry, section.data):
            if info >> 32 >= max(len(self.symbols), 1):
                raise ObjectError(
                    f"{self.name}: {section.name} refers to symbol {info >> 32}"
                    f" of {len(self.symbols)}"
                )
            yield Reloc(offset, info & 0xFFFFFFFF, info >> 32, addend[0] if rela else None)

    def notes(self, section: Section) -> Iterator[Note]:
        """The notes of a SHT_NOTE section."""
        at, data = 0, section.data
        while at < len(data):
            if at + 12 > len(data):
                raise ObjectError(f"{self.name}: a note in {section.name} is cut off")
            name, desc, kind = struct.unpack_from(_order(self.endian) + "III", data, at)
            body = at + 12 + (name + 3) // 4 * 4
            at = body + (desc + 3) // 4 * 4
            if body + desc > len(data):
                raise ObjectError(f"{self.name}: a note in {section.name} is cut off")
            label = bytes(data[body - (name + 3) // 4 * 4 :][:name]).rstrip(b"\0")
            yield Note(label.decode(errors="replace"), kind, bytes(data[body : body + desc]))


def read(data: bytes, name: str = "object") -> Elf:
    """Parse a BPF object file; `name` stands in messages.

    ObjectError when it is no ELF64 relocatable object for BPF, or damaged.
    """
    endian = _check_ident(data, name)
    order = _order(endian)
    fields = struct.unpack_from(order + _EHDR, data)
    kind, machine, shoff, shentsize, shnum, shstrndx = (fields[i] for i in (1, 2, 6, 11, 12, 13))
    if machine not in (0, EM_BPF):  # 0: LLVM before the number was assigned
        raise ObjectError(
            f"{name}: this is {_MACHINES.get(machine, f'a machine-{machine}')} object, not BPF;"
            " compile with clang -target bpf"
        )
    if kind != ET_REL:
        what = _NOT_RELOCATABLE.get(kind, f"an ELF file of type {kind}")
        raise ObjectError(f"{name}: this is {what}, not a relocatable object (.o)")
    headers = _section_headers(data, order, shoff, shentsize, shnum, name)
    if shstrndx == SHN_XINDEX and headers:
        shstrndx = headers[0][6]
    sections = _sections(data, headers, shstrndx, name)
    return Elf(name, endian, machine, sections, _symbols(sections, order, len(data), name))


def _order(endian: Endian) -> str:
    return "<" if endian == "little" else ">"


def _check_ident(data: bytes, name: str) -> Endian:
    if not data:
        raise ObjectError(f"{name}: the file is empty")
    if data[:4] != b"\x7fELF":
        what = next((what for magic, what in _FOREIGN if data.startswith(magic)), "")
        raise ObjectError(f"{name}: this is {what or 'not an ELF object'}")
    if len(data) < EHDR_SIZE:
        raise ObjectError(f"{name}: truncated ELF: {len(data)} of {EHDR_SIZE} header bytes")
    if data[4] != 2:
        raise ObjectError(f"{name}: this is a 32-bit ELF file; BPF objects are 64-bit")
    if data[5] not in (1, 2) or data[6] != 1:
        raise ObjectError(f"{name}: unknown ELF byte order {data[5]} or version {data[6]}")
    return "little" if data[5] == 1 else "big"


def _section_headers(
    data: bytes, order: str, shoff: int, shentsize: int, shnum: int, name: str
) -> list[tuple[int, ...]]:
    if not shoff:
        return []
    if shentsize != SHDR_SIZE:
        raise ObjectError(f"{name}: section headers of {shentsize} bytes instead of {SHDR_SIZE}")
    if not shnum and shoff + SHDR_SIZE <= len(data):  # too many for 16 bits: header 0 has it
        shnum = struct.unpack_from(order + _SHDR, data, shoff)[5]
    if shoff + shnum * SHDR_SIZE > len(data):
        raise ObjectError(
            f"{name}: truncated ELF: {shnum} section headers at byte {shoff:#x},"
            f" but the file has {len(data)} bytes"
        )
    table = memoryview(data)[shoff : shoff + shnum * SHDR_SIZE]
    return list(struct.iter_unpack(order + _SHDR, table))


def _sections(
    data: bytes, headers: list[tuple[int, ...]], shstrndx: int, name: str
) -> list[Section]:
    views: list[memoryview] = []
    for index, (_, kind, _, _, offset, size, *_) in enumerate(headers):
        stored = 0 if kind in (SHT_NULL, SHT_NOBITS) else size
        if stored and offset + stored > len(data):
            raise ObjectError(
                f"{name}: section {index} (bytes {offset:#x} to {offset + stored:#x}) is outside"
                f" the file of {len(data):#x} bytes; the file is truncated or damaged"
            )
        views.append(memoryview(data)[offset : offset + stored] if stored else memoryview(b""))
    if sum(map(len, views)) > len(data):
        raise ObjectError(f"{name}: sections overlap; the file is damaged")
    if headers and shstrndx >= len(headers):
        raise ObjectError(f"{name}: section names are in section {shstrndx} of {len(headers)}")
    names = _Strings(views[shstrndx] if headers else memoryview(b""), len(data), name)
    return [
        Section(i, names[h[0]], h[1], h[2], h[5], h[6], h[7], h[8], h[9], views[i])
        for i, h in enumerate(headers)
    ]


def _symbols(sections: list[Section], order: str, size: int, name: str) -> list[Symbol]:
    tables = [s for s in sections if s.type == SHT_SYMTAB]
    if len(tables) > 1:
        raise ObjectError(f"{name}: {len(tables)} symbol tables; there can be one")
    if not tables:
        return []
    table = tables[0]
    if table.size % SYM_SIZE:
        raise ObjectError(f"{name}: the symbol table is {table.size} bytes, no multiple of 24")
    if table.link >= len(sections) or sections[table.link].type != SHT_STRTAB:
        raise ObjectError(f"{name}: the symbol table's string table is missing")
    names = _Strings(sections[table.link].data, size, name)
    wide = next((s for s in sections if s.type == SHT_SYMTAB_SHNDX), None)
    symbols = []
    for index, (at, info, other, section, value, length) in enumerate(
        struct.iter_unpack(order + _SYM, table.data)
    ):
        if section == SHN_XINDEX and wide is not None and index * 4 + 4 <= len(wide.data):
            section = struct.unpack_from(order + "I", wide.data, index * 4)[0]
            in_file = section < len(sections)
        else:
            in_file = section < len(sections) or SHN_LORESERVE <= section != SHN_XINDEX
        if not in_file:
            raise ObjectError(f"{name}: symbol {index} is in section {section} of {len(sections)}")
        symbols.append(
            Symbol(index, names[at], info >> 4, info & 15, other & 3, section, value, length)
        )
    return symbols


class _Strings:
    """A string table. Names that share bytes count against a budget, so that a hostile table
    cannot make memory grow with the square of the file."""

    def __init__(self, data: memoryview, file_size: int, name: str):
        self._data = bytes(data)
        self._budget = 16 * file_size
        self._name = name
        self._seen: dict[int, str] = {}

    def __getitem__(self, at: int) -> str:
        if at == 0 and not self._data:
            return ""
        if at not in self._seen:
            end = self._data.find(b"\0", at)
            if at >= len(self._data) or end < 0:
                raise ObjectError(
                    f"{self._name}: a name at byte {at} of a string table of"
                    f" {len(self._data)} bytes has no end"
                )
            self._budget -= end - at
            if self._budget < 0:
                raise ObjectError(f"{self._name}: the names of a string table overlap too much")
            self._seen[at] = self._data[at:end].decode(errors="backslashreplace")
        return self._seen[at]


@dataclass
class NewSection:
    """A section to be written; `size` counts only for SHT_NOBITS."""

    name: str
    data: bytes
    type: int = SHT_PROGBITS
    flags: int = 0
    align: int = 8
    entsize: int = 0
    size: int = 0
    link: NewSection | None = None
    info: int = 0
    index: int = 0
    offset: int = 0


@dataclass
class NewSymbol:
    """A symbol to be written; `index` is known once the file is built."""

    name: str
    section: NewSection | None = None
    value: int = 0
    size: int = 0
    bind: int = STB_GLOBAL
    type: int = STT_NOTYPE
    visibility: int = STV_DEFAULT
    index: int = 0


@dataclass
class ElfWriter:
    """Collects sections, symbols and relocations, then lays them out as one object file."""

    endian: Endian = "little"
    sections: list[NewSection] = field(default_factory=list)
    symbols: list[NewSymbol] = field(default_factory=list)
    _relocs: list[tuple[NewSection, int, int, NewSymbol]] = field(default_factory=list)

    def section(self, section: NewSection) -> NewSection:
        self.sections.append(section)
        return section

    def symbol(self, symbol: NewSymbol) -> NewSymbol:
        self.symbols.append(symbol)
        return symbol

    def reloc(self, section: NewSection, offset: int, kind: int, symbol: NewSymbol) -> None:
        """Patch `section` at `offset`; BPF objects use REL, whose addend is in the code itself."""
        self._relocs.append((section, offset, kind, symbol))

    def build(self) -> bytes:
        """The file. Local symbols are sorted before the others, as the gABI wants."""
        order = _order(self.endian)
        ordered = sorted(self.symbols, key=lambda s: s.bind != STB_LOCAL)
        for index, symbol in enumerate(ordered, 1):
            symbol.index = index
        strings = NewSection(".strtab", b"", SHT_STRTAB, align=1)
        table = NewSection(
            ".symtab", b"", SHT_SYMTAB, entsize=SYM_SIZE, link=strings,
            info=1 + sum(s.bind == STB_LOCAL for s in ordered),
        )  # fmt: skip
        sections = [*self.sections, *self._reloc_sections(order, table), table, strings]
        for index, section in enumerate(sections, 1):
            section.index = index
        if len(sections) >= SHN_LORESERVE - 1:
            raise ObjectError(f"cannot write an object of {len(sections)} sections")
        names = _StringTable()
        table.data = bytes(SYM_SIZE) + b"".join(_pack_symbol(order, s, names) for s in ordered)
        for section in self.sections:  # relocation sections name what they belong to
            names.add(section.name)
        return _layout(order, sections, strings, names)

    def _reloc_sections(self, order: str, table: NewSection) -> list[NewSection]:
        entries: dict[int, list[tuple[int, int]]] = {}
        for target, offset, kind, symbol in self._relocs:
            entries.setdefault(id(target), []).append((offset, symbol.index << 32 | kind))
        made = []
        for index, target in enumerate(self.sections, 1):
            if id(target) in entries:
                data = b"".join(
                    struct.pack(order + _REL, *entry) for entry in sorted(entries[id(target)])
                )
                made.append(
                    NewSection(
                        ".rel" + target.name, data, SHT_REL, SHF_INFO_LINK,
                        entsize=REL_SIZE, link=table, info=index,
                    )
                )  # fmt: skip
        return made


def _pack_symbol(order: str, symbol: NewSymbol, names: _StringTable) -> bytes:
    return struct.pack(
        order + _SYM,
        names.add(symbol.name),
        symbol.bind << 4 | symbol.type,
        symbol.visibility,
        symbol.section.index if symbol.section else SHN_UNDEF,
        symbol.value,
        symbol.size,
    )


def _layout(
    order: str, sections: list[NewSection], strings: NewSection, names: _StringTable
) -> bytes:
    name_at = [names.add(section.name) for section in sections]
    strings.data = names.data()
    out = bytearray(EHDR_SIZE)
    headers = [bytes(SHDR_SIZE)]
    for section, name in zip(sections, name_at, strict=True):
        out += bytes(-len(out) % max(section.align, 1))
        section.offset = len(out)
        stored = section.type != SHT_NOBITS
        headers.append(
            struct.pack(
                order + _SHDR, name, section.type, section.flags, 0, section.offset,
                len(section.data) if stored else section.size,
                section.link.index if section.link else 0,
                section.info, section.align, section.entsize,
            )
        )  # fmt: skip
        if stored:
            out += section.data
    out += bytes(-len(out) % 8)
    ident = b"\x7fELF\x02" + (b"\x01" if order == "<" else b"\x02") + b"\x01" + bytes(9)
    out[:EHDR_SIZE] = struct.pack(
        order + _EHDR, ident, ET_REL, EM_BPF, 1, 0, 0, len(out), 0, EHDR_SIZE, 0, 0,
        SHDR_SIZE, len(headers), strings.index,
    )  # fmt: skip
    return bytes(out) + b"".join(headers)


class _StringTable:
    def __init__(self) -> None:
        self._at = {"": 0}
        self._size = 1

    def add(self, text: str) -> int:
        if text not in self._at:
            self._at[text] = self._size
            self._size += len(text.encode(errors="backslashreplace")) + 1
        return self._at[text]

    def data(self) -> bytes:
        return b"".join(text.encode(errors="backslashreplace") + b"\0" for text in self._at)
