"""What the parts of the object reader share: the parsed file, and where things are in it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from ebee.btf import Btf, Datasec, Func, Var
from ebee.errors import ObjectError
from ebee.isa.insn import SLOT
from ebee.obj import elf
from ebee.obj.elf import Elf, Reloc, Section, Symbol
from ebee.obj.spec import ObjectSpec

Place = tuple[int, int]
"""A section's index and an offset in it."""


@dataclass
class Source:
    """One file being read into `spec`; each part adds what the next ones look up."""

    file: Elf
    spec: ObjectSpec
    strict: bool = False
    btf: Btf | None = None
    datasecs: dict[str, Datasec] = field(default_factory=dict)
    functions: dict[str, Func] = field(default_factory=dict)
    variables: dict[str, Var] = field(default_factory=dict)
    function_at: dict[Place, str] = field(default_factory=dict)
    map_at: dict[Place, str] = field(default_factory=dict)
    data_map: dict[int, str] = field(default_factory=dict)
    """Section index of global data -> its map."""

    def __post_init__(self) -> None:
        comment = self.file.find(".comment")
        self._gnu = comment is not None and b"GCC:" in bytes(comment.data)
        self.symbols_in: defaultdict[int, list[Symbol]] = defaultdict(list)
        for symbol in self.file.symbols:
            self.symbols_in[symbol.section].append(symbol)
        self._reloc_sections: defaultdict[int, list[Section]] = defaultdict(list)
        for section in self.file.sections:
            if section.type in (elf.SHT_REL, elf.SHT_RELA):
                self._reloc_sections[section.info].append(section)

    def set_types(self, btf: Btf) -> None:
        """Take the object's BTF, with an index of what is looked up for sections and symbols."""
        self.btf = btf
        index: dict[type, dict[str, Any]] = {Datasec: {}, Func: {}, Var: {}}
        for number in range(btf.start_id, len(btf)):
            names = index.get(btf.kind(number))
            if names is not None:
                found = btf.type(number)
                names.setdefault(found.name, found)
        self.datasecs, self.functions, self.variables = index.values()

    def error(self, message: str) -> ObjectError:
        """An error that names the file."""
        return ObjectError(f"{self.file.name}: {message}")

    def libbpf_refuses(self, message: str) -> None:
        """What libbpf refuses and ebee need not; an error when reading strictly."""
        if self.strict:
            raise self.error(message)

    def place(self, symbol: Symbol, addend: int) -> Place:
        """Where a symbol and the addend that stands in the code (or data) point to.

        binutils (2.40, with gcc 12) leaves their sum there for symbols of variables and functions.
        """
        start = symbol.value
        if self._gnu and start <= addend < start + symbol.size:
            start = 0
        return symbol.section, start + addend

    def callee(self, symbol: Symbol, imm: int) -> Place:
        """Where a call goes: the immediate counts instructions from the symbol, less one (binutils:
        it is the symbol's byte, less one)."""
        if self._gnu and imm + 1 == symbol.value:
            return symbol.section, symbol.value
        return symbol.section, symbol.value + (imm + 1) * SLOT

    def section_name(self, symbol: Symbol) -> str:
        """Where a symbol is, for messages."""
        if symbol.section < len(self.file.sections):
            return self.file.sections[symbol.section].name or "no section"
        return {elf.SHN_ABS: "*ABS*", elf.SHN_COMMON: "*COM*"}.get(symbol.section, "no section")

    def relocs(self, section: Section) -> dict[int, Reloc]:
        """The relocations of a section by offset; ObjectError when two are at one place."""
        found: dict[int, Reloc] = {}
        for table in self._reloc_sections[section.index]:
            if table.type == elf.SHT_RELA:
                raise self.error(
                    f"{table.name} has explicit addends (RELA); BPF objects have them in the code"
                )
            for reloc in self.file.relocs(table):
                if reloc.offset in found:
                    raise self.error(f"two relocations at byte {reloc.offset} of {section.name}")
                found[reloc.offset] = reloc
        return found

    def symbol(self, reloc: Reloc) -> Symbol:
        """The symbol that a relocation names."""
        if not self.file.symbols:
            raise self.error("there are relocations, but no symbol table")
        return self.file.symbols[reloc.symbol]
