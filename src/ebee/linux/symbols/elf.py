"""Programs and libraries of the host: segments, symbols with versions, notes, build id.

Only what probes and stack traces need, for files of any size: the file is mapped, tables are read
when they are asked for and unpacked by `struct`. Both word sizes, both byte orders (gABI; symbol
versions: the Linux Standard Base). DWARF is for pyelftools, see lines.py.
"""

from __future__ import annotations

import errno
import lzma
import mmap
import os
import struct
import zlib
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from ebee.errors import KernelError, ObjectError

ET_EXEC, ET_DYN = 2, 3
PT_LOAD, PT_NOTE, PF_X = 1, 4, 1
SHT_NOTE, SHT_NOBITS, SHT_SYMTAB, SHT_DYNSYM = 7, 8, 2, 11
SHT_VERDEF, SHT_VERSYM = 0x6FFFFFFD, 0x6FFFFFFF
SHF_COMPRESSED = 1 << 11
STB_LOCAL, STB_GLOBAL, STB_WEAK = 0, 1, 2
STT_NOTYPE, STT_OBJECT, STT_FUNC, STT_IFUNC = 0, 1, 2, 10
NT_GNU_BUILD_ID = 3
VERSION_HIDDEN = 0x8000
LARGEST = 1 << 31
"""Of a compressed section, unpacked."""


class Symbol(NamedTuple):
    """A defined symbol: `address` is the file's own, before it is loaded anywhere; `version` as in
    "GLIBC_2.34", `default` if a name without version means this one."""

    name: str
    address: int
    size: int
    type: int = STT_FUNC
    bind: int = STB_GLOBAL
    version: str = ""
    default: bool = True


class Segment(NamedTuple):
    """A part of the file that is loaded (PT_LOAD)."""

    address: int
    offset: int
    file_size: int
    size: int
    executable: bool


class Section(NamedTuple):
    name: str
    type: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    info: int


class Note(NamedTuple):
    name: bytes
    type: int
    desc: bytes


class Image:
    """One ELF file. ObjectError for what is none, or is damaged; KernelError when it cannot be
    read."""

    def __init__(self, data: bytes | mmap.mmap, name: str = "file"):
        self.name, self.data = name, data
        if (
            len(data) < 52
            or data[:4] != b"\x7fELF"
            or data[4] not in (1, 2)
            or data[5] not in (1, 2)
        ):
            raise ObjectError(f"{name} is no ELF program or library")
        self.wide, self.order = data[4] == 2, "<" if data[5] == 1 else ">"
        self.word = 8 if self.wide else 4
        form = "HHIQQQIHHHHHH" if self.wide else "HHIIIIIHHHHHH"
        header = self._unpack(form, 16)
        self.type, self.machine, self.entry = header[0], header[1], header[3]
        self._segments_at, self._sections_at = header[4], header[5]
        self._segment_size, self._segment_count = header[8], header[9]
        self._section_size, self._section_count, self._names_index = header[10:13]

    @classmethod
    def open(cls, path: str | os.PathLike[str], name: str = "") -> Image:
        """A file, mapped into memory; the mapping ends with the Image."""
        label = name or os.fspath(path)
        try:
            with open(path, "rb") as file:
                if not os.fstat(file.fileno()).st_size:
                    raise ObjectError(f"{label} is empty")
                return cls(mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ), label)
        except OSError as error:
            text = f"cannot read {label}: {error.strerror or error}"
            raise KernelError(text, error.errno or errno.EIO) from None

    def _unpack(self, form: str, at: int) -> tuple[int, ...]:
        try:
            return struct.unpack_from(self.order + form, self.data, at)
        except struct.error:
            raise ObjectError(f"{self.name} ends before what its headers name") from None

    # -- layout ------------------------------------------------------------------------------

    @cached_property
    def segments(self) -> list[Segment]:
        """What is loaded, in the file's order."""
        found = []
        for kind, flags, offset, address, file_size, size in self._program_headers():
            if kind == PT_LOAD:
                found.append(Segment(address, offset, file_size, size, bool(flags & PF_X)))
        return found

    def _program_headers(self) -> Iterator[tuple[int, int, int, int, int, int]]:
        for i in range(self._segment_count):
            at = self._segments_at + i * self._segment_size
            if self.wide:
                kind, flags, offset, address, _, file_size, size, _ = self._unpack("IIQQQQQQ", at)
            else:
                kind, offset, address, _, file_size, size, flags, _ = self._unpack("8I", at)
            yield kind, flags, offset, address, file_size, size

    @cached_property
    def sections(self) -> list[Section]:
        """The sections; stripped programs may have none."""
        form = "IIQQQQIIQQ" if self.wide else "10I"
        raw = [
            self._unpack(form, self._sections_at + i * self._section_size)
            for i in range(self._section_count if self._sections_at else 0)
        ]
        if not raw or self._names_index >= len(raw):
            return []
        names = self._bytes(raw[self._names_index][4], raw[self._names_index][5])
        return [Section(_string(names, s[0]), *s[1:8]) for s in raw]

    def section(self, name: str) -> Section | None:
        """The first section of a name."""
        return next((s for s in self.sections if s.name == name), None)

    def content(self, section: Section) -> bytes:
        """A section's bytes, unpacked where they are compressed."""
        if section.type == SHT_NOBITS:
            return b""
        raw = self._bytes(section.offset, section.size)
        if not section.flags & SHF_COMPRESSED:
            return raw
        kind, *rest = struct.unpack_from(self.order + ("IIQQ" if self.wide else "III"), raw)
        size, start = rest[-2], 24 if self.wide else 12
        if kind != 1 or size > LARGEST:
            raise ObjectError(f"{self.name}: section {section.name} is packed in an unknown way")
        return zlib.decompressobj().decompress(raw[start:], size)

    def _bytes(self, offset: int, size: int) -> bytes:
        if offset + size > len(self.data):
            raise ObjectError(f"{self.name} ends before what its headers name")
        return self.data[offset : offset + size]

    def file_offset(self, address: int) -> int | None:
        """Where in the file an address is; None when it is in no loaded segment."""
        for s in self.segments:
            if s.address <= address < s.address + s.file_size:
                return address - s.address + s.offset
        return None

    def address_at(self, offset: int) -> int | None:
        """The address of a place in the file; the executable segment goes first."""
        for s in sorted(self.segments, key=lambda s: not s.executable):
            if s.offset <= offset < s.offset + s.file_size:
                return offset - s.offset + s.address
        return None

    # -- notes -------------------------------------------------------------------------------

    def notes(self, section: str = "") -> Iterator[Note]:
        """All notes, or those of one section."""
        if section or self.sections:
            found = [s for s in self.sections if s.type == SHT_NOTE and section in ("", s.name)]
            blocks = [self._bytes(s.offset, s.size) for s in found]
        else:
            headers = [h for h in self._program_headers() if h[0] == PT_NOTE]
            blocks = [self._bytes(h[2], h[4]) for h in headers]
        for block in blocks:
            at = 0
            while at + 12 <= len(block):
                name_size, size, kind = struct.unpack_from(self.order + "III", block, at)
                start = at + 12 + (name_size + 3 & ~3)
                if start + size > len(block):
                    raise ObjectError(f"{self.name}: a note is longer than its section")
                name = block[at + 12 : at + 12 + name_size].rstrip(b"\0")
                yield Note(name, kind, block[start : start + size])
                at = start + (size + 3 & ~3)

    @cached_property
    def build_id(self) -> bytes:
        """What the linker has named this very file; empty when it has not."""
        found = (n.desc for n in self.notes() if (n.name, n.type) == (b"GNU", NT_GNU_BUILD_ID))
        return next(found, b"")

    @cached_property
    def debug_link(self) -> tuple[str, int] | None:
        """The name of the separate debug file, and the CRC of its content."""
        section = self.section(".gnu_debuglink")
        if section is None:
            return None
        raw = self.content(section)
        name = raw.partition(b"\0")[0]
        if len(raw) < len(name) + 5:
            return None
        return os.fsdecode(name), struct.unpack(self.order + "I", raw[-4:])[0]

    # -- symbols -----------------------------------------------------------------------------

    def symbols(self) -> Iterator[Symbol]:
        """Every defined symbol: of .symtab, else .dynsym and what .gnu_debugdata adds."""
        tables = [s for s in self.sections if s.type in (SHT_SYMTAB, SHT_DYNSYM)]
        for table in tables:
            yield from self._table(table)
        packed = self.section(".gnu_debugdata")
        if packed is not None and not any(s.type == SHT_SYMTAB for s in tables):
            yield from self._mini(packed)

    def _mini(self, section: Section) -> Iterator[Symbol]:
        """The symbols of a small ELF file that Fedora packs into stripped programs."""
        try:
            data = lzma.LZMADecompressor(memlimit=1 << 28).decompress(
                self.content(section), LARGEST
            )
            inner = Image(data, f"{self.name} (.gnu_debugdata)")
        except (lzma.LZMAError, ObjectError):
            return
        yield from inner.symbols()

    def _table(self, table: Section, wanted: set[int] | None = None) -> Iterator[Symbol]:
        if table.link >= len(self.sections):
            raise ObjectError(f"{self.name}: section {table.name} names no section of strings")
        strings = self.sections[table.link]
        names = self._bytes(strings.offset, strings.size)
        raw = self._bytes(table.offset, table.size)
        form = self.order + ("IBBHQQ" if self.wide else "IIIBBH")
        raw = raw[: len(raw) - len(raw) % struct.calcsize(form)]
        versions = self._versions() if table.type == SHT_DYNSYM else None
        for index, entry in enumerate(struct.iter_unpack(form, raw)):
            if self.wide:
                name, info, _, section, address, size = entry
            else:
                name, address, size, info, _, section = entry
            if not section or not name or (wanted is not None and name not in wanted):
                continue
            version, default = versions(index) if versions else ("", True)
            text = _string(names, name)
            if "@" in text:  # .symtab keeps versions in the name
                text, _, version = text.partition("@")
                default = version.startswith("@")
                version = version.removeprefix("@")
            yield Symbol(text, address, size, info & 15, info >> 4, version, default)

    def named(self, name: str) -> list[Symbol]:
        """The symbols of a name, with every version; a search of the tables of strings."""
        found = []
        for table in self.sections:
            if table.type in (SHT_SYMTAB, SHT_DYNSYM) and table.link < len(self.sections):
                strings = self.sections[table.link]
                names = self._bytes(strings.offset, strings.size)
                wanted = set(_occurrences(names, name.encode()))
                if wanted:
                    found += [s for s in self._table(table, wanted) if s.name == name]
        packed = self.section(".gnu_debugdata")
        if not found and packed is not None:
            found = [s for s in self._mini(packed) if s.name == name]
        return list(dict.fromkeys(found))

    def _versions(self) -> Versions | None:
        table = next((s for s in self.sections if s.type == SHT_VERSYM), None)
        defined = next((s for s in self.sections if s.type == SHT_VERDEF), None)
        if table is None:
            return None
        names: dict[int, str] = {}
        if defined is not None and defined.link < len(self.sections):
            strings = self.content(self.sections[defined.link])
            raw, at = self.content(defined), 0
            for _ in range(defined.info):
                _, _, index, _, _, first, following = struct.unpack_from(
                    self.order + "HHHHIII", raw, at
                )
                (name,) = struct.unpack_from(self.order + "I", raw, at + first)
                names[index] = _string(strings, name)
                at += following
        return Versions(self.content(table), self.order, names)


class Versions:
    """The version of a dynamic symbol, by its index: (name, whether it is the default one)."""

    def __init__(self, table: bytes, order: str, names: dict[int, str]):
        self._table, self._order, self._names = table, order, names

    def __call__(self, index: int) -> tuple[str, bool]:
        if 2 * index + 2 > len(self._table):
            return "", True
        (number,) = struct.unpack_from(self._order + "H", self._table, 2 * index)
        return self._names.get(number & ~VERSION_HIDDEN, ""), not number & VERSION_HIDDEN


def _string(data: bytes, at: int) -> str:
    end = data.find(b"\0", at)
    return data[at : end if end >= 0 else len(data)].decode(errors="replace")


def _occurrences(names: bytes, name: bytes) -> Iterator[int]:
    """Where in a table of strings a name may begin; also behind `@VERSION`, and inside others,
    for linkers let names share their ends."""
    for end in (b"\0", b"@"):
        at = names.find(name + end)
        while at >= 0:
            yield at
            at = names.find(name + end, at + 1)
