"""Images: an object file laid out for loading, as small as what the loader must know.

One block of bytes: code and the stubs of calls to far functions, then from the next page on the
read-only data and a table of outside addresses (GOT). Everything that does not depend on where
the block will lie is done here, once; an image is what the cache keeps.
"""

from __future__ import annotations

import json
import mmap
import struct
from dataclasses import dataclass, field

from ebee.errors import CompileError
from ebee.lang.relocations import Kind, patch_for
from ebee.lang.target import ARM64, X86_64, Target
from ebee.obj import elf
from ebee.obj.elf import Elf, Section, Symbol

_HEAD = struct.Struct("<I")


@dataclass
class Image:
    """`code`: bytes of code at the start of `data`, rounded up to pages; `symbols`: offsets of
    functions; `imports`: for each outside name the offset of its entry in the table;
    `absolute`: offsets of 8-byte words that hold an offset in the image and become addresses;
    `near`: instructions `mov reg, [table]` (offset of the displacement, name) that become `lea`
    where the outside address is near enough."""

    data: bytes
    code: int
    symbols: dict[str, int] = field(default_factory=dict)
    imports: dict[str, int] = field(default_factory=dict)
    absolute: list[int] = field(default_factory=list)
    near: list[tuple[int, str]] = field(default_factory=list)

    def pack(self) -> bytes:
        """The image as bytes."""
        head = json.dumps([self.code, self.symbols, self.imports, self.absolute, self.near])
        return _HEAD.pack(len(head)) + head.encode() + self.data

    @staticmethod
    def unpack(data: bytes) -> Image:
        """The image that `pack` made."""
        (size,) = _HEAD.unpack_from(data)
        at = _HEAD.size + size
        return Image(data[at:], *json.loads(data[_HEAD.size : at]))


def layout(obj: bytes, target: Target) -> Image:
    """Lay out a relocatable object that LLVM made; CompileError for what it cannot hold."""
    # The reader knows BPF objects only; apart from the machine number the format is the same.
    found = struct.unpack_from("<H", obj, 18)[0]
    if found != target.elf:
        raise CompileError(f"this object is for machine {found}, not for {target.name}")
    return _Layout(elf.read(obj[:18] + struct.pack("<H", elf.EM_BPF) + obj[20:]), target).image()


_STUBS = {
    X86_64.elf: 8,  # jmp *[entry]
    ARM64.elf: 12,  # adrp x16, entry; ldr x16, [x16, entry]; br x16
}


class _Layout:
    """The work of `layout`."""

    def __init__(self, obj: Elf, target: Target):
        self.elf, self.target = obj, target
        self.at: dict[int, int] = {}
        self.imports: dict[str, int] = {}
        self.stubs: dict[str, int] = {}
        self.absolute: list[int] = []
        self.near: list[tuple[int, str]] = []
        self.data = bytearray()

    def image(self) -> Image:
        alloc = [s for s in self.elf.sections if s.flags & elf.SHF_ALLOC and self._wanted(s)]
        patches = [
            (s, r, patch_for(self.target, r.type))
            for table in self.elf.sections
            if table.type == elf.SHT_RELA and table.info in {s.index for s in alloc}
            for s in [self.elf.sections[table.info]]
            for r in self.elf.relocs(table)
        ]
        outside = [
            (s.name, p.kind)
            for _, r, p in patches
            if (s := self.elf.symbols[r.symbol]).section == elf.SHN_UNDEF
        ]
        self._place([s for s in alloc if s.flags & elf.SHF_EXECINSTR])
        self._reserve_stubs(dict.fromkeys(n for n, kind in outside if kind is Kind.CALL))
        code = self._pad(mmap.PAGESIZE)
        self._place([s for s in alloc if not s.flags & elf.SHF_EXECINSTR])
        self._pad(8)
        got = {self.elf.symbols[r.symbol].name for _, r, p in patches if p.kind is Kind.GOT}
        for name in sorted(got | {n for n, _ in outside}):
            self.imports[name] = len(self.data)
            self.data += bytes(8)
        self._fill_stubs()
        for section, reloc, patch in patches:
            at = self.at[section.index] + reloc.offset
            symbol = self.elf.symbols[reloc.symbol]
            value = self._value(symbol, patch.kind, at) + (reloc.addend or 0)
            if patch.kind is Kind.ABSOLUTE:
                self.absolute.append(at)
            elif patch.near(self.data, at):
                self.near.append((at, symbol.name))
            patch.apply(self.data, at, value)
        symbols = {
            s.name: self.at[s.section] + s.value
            for s in self.elf.symbols
            if s.type == elf.STT_FUNC and s.section in self.at and s.bind != elf.STB_LOCAL
        }
        return Image(bytes(self.data), code, symbols, self._outside(), self.absolute, self.near)

    def _outside(self) -> dict[str, int]:
        """Imports; table entries of functions of our own become plain addresses."""
        own = {s.name: s for s in self.elf.symbols if s.section in self.at and s.name}
        for name, entry in list(self.imports.items()):
            if name in own:
                s = own[name]
                struct.pack_into("<Q", self.data, entry, self.at[s.section] + s.value)
                self.absolute.append(entry)
                self.near = [n for n in self.near if n[1] != name]
                del self.imports[name]
        return self.imports

    def _wanted(self, s: Section) -> bool:
        if s.flags & elf.SHF_WRITE and s.size and not s.name.startswith(".data.rel.ro"):
            raise CompileError(f"compiled code has variables of its own (section {s.name})")
        return bool(s.size) and not s.name.startswith(".eh_frame")

    def _pad(self, to: int) -> int:
        self.data += bytes(-len(self.data) % to)
        return len(self.data)

    def _place(self, sections: list[Section]) -> None:
        for s in sections:
            self.at[s.index] = self._pad(max(s.align, 1))
            self.data += s.data

    def _reserve_stubs(self, names: dict[str, None]) -> None:
        self._pad(16)
        for name in names:
            self.stubs[name] = len(self.data)
            self.data += bytes(_STUBS[self.target.elf])

    def _fill_stubs(self) -> None:
        for name, at in self.stubs.items():
            entry = self.imports[name]
            if self.target.elf == X86_64.elf:
                struct.pack_into("<Hi", self.data, at, 0x25FF, entry - (at + 6))
            else:
                pages = (entry >> 12) - (at >> 12)
                words = (
                    0x90000010 | (pages & 3) << 29 | (pages >> 2 & 0x7FFFF) << 5,
                    0xF9400210 | (entry & 0xFFF) >> 3 << 10,
                    0xD61F0200,
                )
                struct.pack_into("<3I", self.data, at, *words)

    def _value(self, symbol: Symbol, kind: Kind, at: int) -> int:
        """What a relocation refers to, as an offset in the image."""
        if kind is Kind.GOT:
            return self.imports[symbol.name]
        if symbol.section == elf.SHN_UNDEF:
            if kind is Kind.CALL:
                return self.stubs[symbol.name]
            raise CompileError(f"compiled code uses the address of {symbol.name} in an unknown way")
        if symbol.section not in self.at:
            raise CompileError(
                f"compiled code refers to {symbol.name or 'a section'} that is not code"
            )
        return self.at[symbol.section] + symbol.value
