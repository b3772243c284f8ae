"""Functions: cut out of their sections, with everything they point to made symbolic.

What a relocation means follows libbpf (bpf_program__record_reloc, bpf_object__reloc_code); the
addend of a REL entry is in the instruction's own immediate.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise

from ebee.errors import AsmError
from ebee.isa import Insn, decode
from ebee.isa import insn as isa
from ebee.obj import elf
from ebee.obj.elf import Reloc, Section, Symbol
from ebee.obj.hooks import select, unknown
from ebee.obj.source import Source
from ebee.obj.spec import (
    ExternKind,
    ExternSpec,
    FunctionSpec,
    Linkage,
    ProgramSpec,
    Ref,
    RefKind,
)

_CALL = isa.JMP | isa.CALL
_EXTERN_LOADS: dict[ExternKind, tuple[RefKind, int]] = {
    "kfunc": ("ksym", 0),
    "ksym": ("ksym", 0),
    "kconfig": ("kconfig", 0),
    "map": ("map", isa.PSEUDO_MAP_FD),
    "var": ("data", isa.PSEUDO_MAP_VALUE),
}
"""What loading the address of an extern is: the kind of reference, the pseudo source register."""

SLOT = isa.SLOT
F_SLEEPABLE = 1 << 4


@dataclass(frozen=True, slots=True)
class Extent:
    """The bytes of one function in its section."""

    symbol: Symbol
    section: Section
    start: int
    end: int


def is_code(section: Section) -> bool:
    """Whether a section holds functions."""
    return bool(
        section.type == elf.SHT_PROGBITS and section.flags & elf.SHF_EXECINSTR and section.size
    )


def find_functions(src: Source) -> list[Extent]:
    """All functions of the file; their names become known to the source by place."""
    found: list[Extent] = []
    names: set[str] = set()
    for section in filter(is_code, src.file.sections):
        for extent in _extents(src, section):
            name = extent.symbol.name
            if name in names:  # static functions of several merged files
                name = f"{name}@{section.name}+{extent.start}"
            names.add(name)
            src.function_at[section.index, extent.start] = name
            found.append(extent)
    return found


def _extents(src: Source, section: Section) -> list[Extent]:
    if section.size % SLOT:
        raise src.error(f"section {section.name} of {section.size} bytes is no multiple of 8")
    symbols = [s for s in src.symbols_in[section.index] if s.type == elf.STT_FUNC]
    if not symbols:  # hand-written assembly: labels, or nothing at all
        labels = [s for s in src.symbols_in[section.index] if s.type == elf.STT_NOTYPE and s.name]
        whole = Symbol(0, section.name, elf.STB_GLOBAL, elf.STT_FUNC, 0, section.index, 0, 0)
        symbols = [s for s in labels if s.bind != elf.STB_LOCAL] or [whole]
    at: dict[int, Symbol] = {}
    for symbol in symbols:  # of several names for one place the first global one counts
        known = at.get(symbol.value)
        if known is None or (known.bind == elf.STB_LOCAL != symbol.bind):
            at[symbol.value] = symbol
    ends = [*sorted(at), section.size]
    extents = []
    for start, following in pairwise(ends):
        symbol = at[start]
        end = start + symbol.size if symbol.size else following
        if start % SLOT or end % SLOT or not start < end <= following:
            raise src.error(
                f"function {symbol.name} (bytes {start} to {end} of {section.name},"
                f" {section.size} bytes) is empty, overlaps another or is cut off"
            )
        extents.append(Extent(symbol, section, start, end))
    return extents


def read_functions(src: Source, extents: list[Extent]) -> None:
    """Add the functions and programs to the spec."""
    by_section: dict[int, list[Extent]] = {}
    for extent in extents:
        by_section.setdefault(extent.section.index, []).append(extent)
    for index, group in by_section.items():
        section = src.file.sections[index]
        try:
            insns = decode(section.data, src.file.endian)
        except AsmError as error:
            raise src.error(f"section {section.name}: {error}") from None
        relocs: list[dict[int, Reloc]] = [{} for _ in group]
        starts = [e.start for e in group]
        for offset, reloc in src.relocs(section).items():
            inside = bisect_right(starts, offset) - 1
            if offset % SLOT or offset >= section.size:
                raise src.error(
                    f"a relocation at byte {offset} of {section.name} is in no function"
                )
            # What no symbol names is left of a weak function that a linker has replaced.
            if inside >= 0 and offset < group[inside].end:
                relocs[inside][(offset - starts[inside]) // SLOT] = reloc
        for extent, own in zip(group, relocs, strict=True):
            _add(src, extent, insns[extent.start // SLOT : extent.end // SLOT], own)


def _add(src: Source, extent: Extent, insns: list[Insn], relocs: dict[int, Reloc]) -> None:
    symbol, section = extent.symbol, extent.section
    body = _Body(src, extent, insns)
    body.resolve(relocs)
    name = src.function_at[section.index, extent.start]
    local = symbol.bind == elf.STB_LOCAL
    if local and not is_text(section.name):
        src.libbpf_refuses(f'function {name} in section "{section.name}" is static')
    linkage: Linkage = "static" if local or symbol.visibility else "global"
    made = FunctionSpec(
        name,
        section.name,
        insns,
        body.refs,
        linkage=linkage,
        weak=symbol.bind == elf.STB_WEAK,
        hidden=not local and bool(symbol.visibility),
    )
    if is_entry(extent):
        src.spec.programs[name] = _program(src, made)
    else:
        src.spec.functions[name] = made


def is_entry(extent: Extent) -> bool:
    """Whether a function is a program: all are that are not static and not in .text."""
    return extent.symbol.bind != elf.STB_LOCAL and not is_text(extent.section.name)


def is_text(section: str) -> bool:
    """Whether a section is for subprograms (.text.name: compilers with a section a function)."""
    return section == ".text" or section.startswith(".text.")


def _program(src: Source, function: FunctionSpec) -> ProgramSpec:
    name = function.section.removeprefix("?")
    autoload = name == function.section
    found = select(src, name)
    if found is None:
        made = ProgramSpec(**vars(function), autoload=autoload)
        src.spec.warnings.append(str(unknown(made)))
        return made
    hook, section, target = found
    return ProgramSpec(
        **vars(function),
        hook=hook.name,
        attach_to=target,
        flags=section.flags | (F_SLEEPABLE if section.sleepable else 0),
        attach_type=section.attach_type or 0,
        autoload=autoload,
    )


class _Body:
    """One function's slots while their references are being made symbolic."""

    def __init__(self, src: Source, extent: Extent, insns: list[Insn]):
        self.src, self.extent, self.insns = src, extent, insns
        self.refs: list[Ref] = []

    def resolve(self, relocs: dict[int, Reloc]) -> None:
        slot, insns = 0, self.insns
        while slot < len(insns):
            insn = insns[slot]
            wide = insn.op == isa.LDDW
            if wide and slot + 1 == len(insns):
                raise self.error(slot, "a 64-bit load is cut off")
            reloc = relocs.pop(slot, None)
            if reloc is not None:
                self.relocated(slot, insn, reloc)
            elif insn.op == _CALL and insn.src == isa.PSEUDO_CALL:
                self.call(slot, self.extent.section.index, self.byte(slot + 1 + insn.imm))
            slot += 1 + wide
        if relocs:
            raise self.error(min(relocs), "a relocation is in the middle of an instruction")

    def error(self, slot: int, message: str) -> Exception:
        name = self.extent.symbol.name
        return self.src.error(f"function {name}, instruction {slot}: {message}")

    def byte(self, slot: int) -> int:
        """The offset in the section of a slot of this function."""
        return self.extent.start + slot * SLOT

    def relocated(self, slot: int, insn: Insn, reloc: Reloc) -> None:
        symbol = self.src.symbol(reloc)
        if insn.op == _CALL and reloc.type == elf.R_BPF_64_32:
            if symbol.section == elf.SHN_UNDEF:
                self.extern_call(slot, symbol)
            elif insn.src != isa.PSEUDO_CALL:
                raise self.error(slot, f"a helper call is relocated against {symbol.name!r}")
            else:
                self.call(slot, *self.src.callee(symbol, insn.imm))
        elif insn.op == isa.LDDW and reloc.type == elf.R_BPF_64_64:
            self.load(slot, insn, symbol)
        else:
            raise self.error(
                slot, f"relocation type {reloc.type} does not belong to opcode {insn.op:#04x}"
            )

    def call(self, slot: int, section: int, offset: int) -> None:
        name = self.src.function_at.get((section, offset))
        if name is None:
            raise self.error(slot, f"it calls byte {offset} of its section, where no function is")
        self.put(slot, Ref(slot, "call", name), isa.PSEUDO_CALL, -1)

    def extern_call(self, slot: int, symbol: Symbol) -> None:
        extern = self.extern(slot, symbol, "func")
        if extern.kind == "kfunc":
            self.put(slot, Ref(slot, "kfunc", symbol.name), isa.PSEUDO_KFUNC_CALL, 0)
        elif extern.kind == "func":
            self.put(slot, Ref(slot, "call", symbol.name), isa.PSEUDO_CALL, -1)
        else:
            raise self.error(slot, f"it calls the variable {symbol.name!r}")

    def extern(self, slot: int, symbol: Symbol, kind: ExternKind) -> ExternSpec:
        """The declaration of an undefined symbol. One that the BTF does not explain counts as
        another object's, to be linked or replaced before its program is loaded."""
        found = self.src.spec.externs.get(symbol.name)
        if found is None:
            if self.src.strict or not symbol.name:
                raise self.undefined(slot, symbol)
            found = ExternSpec(symbol.name, kind, weak=symbol.bind == elf.STB_WEAK)
            self.src.spec.externs[symbol.name] = found
        return found

    def undefined(self, slot: int, symbol: Symbol) -> Exception:
        hint = "declare it with __ksym or __kconfig, or link the object that defines it"
        if self.src.btf is None:
            hint = "without BTF ebee cannot know what it is; compile with -g"
        return self.error(slot, f"{symbol.name!r} is not defined here; {hint}")

    def load(self, slot: int, insn: Insn, symbol: Symbol) -> None:
        """A wide load of an address."""
        src, place = self.src, self.src.place(symbol, insn.imm)
        if symbol.section == elf.SHN_UNDEF:
            self.load_extern(slot, insn, symbol)
        elif place in src.map_at:
            self.put_wide(slot, Ref(slot, "map", src.map_at[place]), isa.PSEUDO_MAP_FD)
        elif symbol.section in src.data_map:
            if not -(1 << 31) <= place[1] < 1 << 31:
                raise self.error(slot, f"offset {place[1]} in {src.section_name(symbol)} is absurd")
            ref = Ref(slot, "data", src.data_map[symbol.section], place[1])
            self.put_wide(slot, ref, isa.PSEUDO_MAP_VALUE)
        elif place in src.function_at:
            self.put_wide(slot, Ref(slot, "func", src.function_at[place]), isa.PSEUDO_FUNC)
        else:
            raise self.error(
                slot,
                f"it loads the address of {symbol.name or 'something'} in"
                f" {src.section_name(symbol)}, which is no map, data or function",
            )

    def load_extern(self, slot: int, insn: Insn, symbol: Symbol) -> None:
        extern = self.extern(slot, symbol, "var")
        if extern.kind == "func":
            raise self.undefined(slot, symbol)
        kind, pseudo = _EXTERN_LOADS[extern.kind]
        self.put_wide(slot, Ref(slot, kind, symbol.name, insn.imm), pseudo)

    def put_wide(self, slot: int, ref: Ref, pseudo: int) -> None:
        self.put(slot, ref, pseudo, 0)
        self.insns[slot + 1] = self.insns[slot + 1]._replace(imm=0)

    def put(self, slot: int, ref: Ref, pseudo: int, imm: int) -> None:
        self.insns[slot] = self.insns[slot]._replace(src=pseudo, imm=imm)
        self.refs.append(ref)
