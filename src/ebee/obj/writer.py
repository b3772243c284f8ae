"""ObjectSpec -> ELF: an object as clang would have made it, for any loader.

Every reference becomes a relocation: calls and externs against their symbol, data and addresses
of functions against the section's symbol with the offset in the code (libbpf takes only these).
"""

from __future__ import annotations

import os
from pathlib import Path

from ebee.btf import BtfBuilder, Datasec, Func, SecVar, Struct, Var
from ebee.btf.ext import BtfExt, FuncInfo, LineInfo
from ebee.btf.types import Linkage
from ebee.errors import AsmError, ObjectError
from ebee.isa import encode
from ebee.isa import insn as isa
from ebee.obj import elf
from ebee.obj.code import is_text
from ebee.obj.data import ARENA
from ebee.obj.elf import ElfWriter, NewSection, NewSymbol
from ebee.obj.mapbtf import write_maps
from ebee.obj.maps import POINTER
from ebee.obj.spec import FunctionSpec, MapSpec, ObjectSpec, ProgramSpec, Ref, VariableSpec
from ebee.obj.struct_ops import write_types

_CODE = elf.SHF_ALLOC | elf.SHF_EXECINSTR
_MAX_TEXT = 4096
"""Bytes of a license; the kernel takes 128. A section that claims more is not worth filling."""


def save(spec: ObjectSpec, path: str | os.PathLike[str]) -> None:
    """Write an object file; ObjectError when that fails or the spec cannot be an object."""
    content = write(spec)
    try:
        Path(path).write_bytes(content)
    except OSError as error:
        raise ObjectError(f"cannot write {os.fspath(path)}: {error.strerror}") from None


def write(spec: ObjectSpec) -> bytes:
    """The bytes of an ELF object that says what the spec says; reading it gives an equal spec.

    ObjectError for what the format cannot hold: a variable of .bss that is not zero, a reference
    to something that is not there.
    """
    return _Writer(spec).build()


class _Writer:
    def __init__(self, spec: ObjectSpec):
        self.spec, self.elf = spec, ElfWriter(spec.endian)
        self.builder = BtfBuilder.edit(spec.btf) if spec.btf else BtfBuilder(byteorder=spec.endian)
        self.ext = BtfExt()
        self.symbols: dict[str, NewSymbol] = {}
        self.section_symbols: dict[str, NewSymbol] = {}
        self.offsets: dict[str, int] = {}
        self.variables: dict[str, list[VariableSpec]] = {}
        self.weak: dict[str, list[tuple[VariableSpec, NewSymbol]]] = {}
        for variable in spec.variables.values():
            self.variables.setdefault(variable.map, []).append(variable)

    def build(self) -> bytes:
        """All parts in the order of a compiler's object."""
        placed = self.place_functions()
        self.text("license", self.spec.license.encode() + b"\0" if self.spec.license else b"")
        version = self.spec.version.to_bytes(4, self.spec.endian) if self.spec.version else b""
        self.text("version", version)
        data = {name: m for name, m in self.spec.maps.items() if name.startswith(".")}
        maps = [
            m for name, m in self.spec.maps.items() if name not in data and m.type != "struct_ops"
        ]
        for made in data.values():
            self.data(made, made.name, made.value_size)
        for made in maps:
            if made.data is not None:
                self.data(made, ARENA, len(made.data))
                self.section_symbols[made.name] = self.section_symbols[ARENA]
        self.maps(maps)
        self.struct_ops()
        for extern in self.spec.externs.values():
            bind = elf.STB_WEAK if extern.weak else elf.STB_GLOBAL
            self.define(NewSymbol(extern.name, bind=bind))
        for section, functions in placed:
            section.data = b"".join(self.code(section, f) for f in functions)
        self.types()
        return self.elf.build()

    # -- sections and symbols -----------------------------------------------------------------

    def section(self, section: NewSection) -> NewSection:
        """A section that can be referred to by its own symbol."""
        self.elf.section(section)
        self.section_symbols[section.name] = self.elf.symbol(
            NewSymbol("", section, bind=elf.STB_LOCAL, type=elf.STT_SECTION)
        )
        return section

    def text(self, name: str, data: bytes) -> None:
        """`license` and `version`, with the variable that the BTF says is in it."""
        if not data:
            return
        label = f"_{name}"
        datasec = self.spec.btf.get(name, Datasec) if self.spec.btf else None
        if datasec and datasec.vars:
            entry = datasec.vars[0]
            label = self.builder.type(entry.type).name
            if entry.size <= _MAX_TEXT:
                data = data.ljust(entry.size, b"\0")  # the variable keeps its type, if it can
            if len(data) != entry.size:
                entry = entry._replace(size=len(data))
                self.builder.set(datasec.id, datasec._replace(size=len(data), vars=(entry,)))
        section = self.elf.section(
            NewSection(name, data, flags=elf.SHF_ALLOC | elf.SHF_WRITE, align=1)
        )
        self.elf.symbol(NewSymbol(label, section, 0, len(data), type=elf.STT_OBJECT))

    def place_functions(self) -> list[tuple[NewSection, list[FunctionSpec]]]:
        """Give every function its section, place and symbol."""
        groups: dict[str, list[FunctionSpec]] = {}
        for function in (*self.spec.functions.values(), *self.spec.programs.values()):
            groups.setdefault(_section_of(function), []).append(function)
        placed = []
        for name, functions in groups.items():
            section = self.section(NewSection(name, b"", flags=_CODE))
            at = 0
            for function in functions:
                size = len(function.insns) * isa.SLOT
                self.offsets[function.name] = at
                self.define(_function_symbol(function, section, at, size))
                at += size
            placed.append((section, functions))
        return placed

    def data(self, made: MapSpec, name: str, size: int) -> None:
        """A section of global data and its variables."""
        zero = name == ".bss" or name.startswith(".bss.")
        content = made.data if made.data is not None else b""
        if zero and content.strip(b"\0"):
            raise ObjectError(
                f"cannot write {self.spec.name}: variables in {made.name} are zero in an object"
                " file; give them a value in the source to have them in .data"
            )
        if len(content) > size:
            raise ObjectError(
                f"cannot write {self.spec.name}: {made.name} has {len(content)} bytes of data,"
                f" but its value_size is {size}"
            )
        flags = elf.SHF_ALLOC | (0 if made.readonly else elf.SHF_WRITE)
        section = self.section(
            NewSection(name, b"", elf.SHT_NOBITS, flags, size=size)
            if zero
            else NewSection(name, content.ljust(size, b"\0"), flags=flags)
        )
        variables = self.variables.get(made.name, [])
        for v in variables:
            bind = elf.STB_WEAK if v.weak else elf.STB_GLOBAL
            bind = elf.STB_LOCAL if v.linkage == "static" else bind
            symbol = NewSymbol(v.name, section, v.offset, v.size, bind, elf.STT_OBJECT)
            self.elf.symbol(symbol)
            if v.weak:
                self.weak.setdefault(v.map, []).append((v, symbol))
        described = made.value_btf_id or (self.spec.btf and self.spec.btf.get(name, Datasec))
        if not described and any(v.btf_id for v in variables):
            entries = []
            for v in sorted(variables, key=lambda v: v.offset):
                linkage = Linkage.STATIC if v.linkage == "static" else Linkage.GLOBAL
                var = self.builder.add(Var(v.name, v.btf_id, linkage))
                entries.append(SecVar(var, v.offset, v.size))
            self.builder.add(Datasec(name, size, tuple(entries)))

    def maps(self, maps: list[MapSpec]) -> None:
        """`.maps`, its symbols, and the elements that are named in it."""
        if not maps:
            return
        offsets = write_maps(self.builder, self.spec, maps)
        size = offsets.pop("")
        ends = [*list(offsets.values())[1:], size]
        section = self.elf.section(
            NewSection(".maps", bytes(size), flags=elf.SHF_ALLOC | elf.SHF_WRITE)
        )
        for (name, at), end in zip(offsets.items(), ends, strict=True):
            bind = elf.STB_WEAK if self.spec.maps[name].weak else elf.STB_GLOBAL
            self.define(NewSymbol(name, section, at, end - at, bind, elf.STT_OBJECT))
        for made, end in zip(maps, ends, strict=True):
            count = max(made.contents, default=-1) + 1
            for index, target in made.contents.items():
                at = end - (count - index) * POINTER
                symbol = self.symbol(target, f"map {made.name}, element {index}")
                self.elf.reloc(section, at, elf.R_BPF_64_ABS64, symbol)

    def struct_ops(self) -> None:
        """The sections of struct_ops maps, with their programs."""
        for name, placed in write_types(self.builder, self.spec).items():
            content = bytearray()
            for made, at in placed:
                data = (made.data or b"").ljust(made.value_size, b"\0")
                content += bytes(at - len(content)) + data
            flags = elf.SHF_ALLOC | elf.SHF_WRITE
            section = self.elf.section(NewSection(name, bytes(content), flags=flags))
            for made, at in placed:
                self.define(NewSymbol(made.name, section, at, made.value_size, type=elf.STT_OBJECT))
                for index, target in made.contents.items():
                    user = f"map {made.name}, member {index}"
                    place = at + self.member(made, index)
                    self.elf.reloc(section, place, elf.R_BPF_64_ABS64, self.symbol(target, user))

    def member(self, made: MapSpec, index: int) -> int:
        """The offset in bytes of a member of a struct_ops map's struct."""
        struct = self.spec.btf.resolve(made.value_btf_id) if self.spec.btf else None
        if not isinstance(struct, Struct) or index >= len(struct.members):
            raise ObjectError(f"map {made.name}: its struct has no member {index}")
        return struct.members[index].offset // 8

    def define(self, symbol: NewSymbol) -> None:
        """Something that references can name."""
        if symbol.name in self.symbols:
            raise ObjectError(
                f"cannot write {self.spec.name}: two things in it are called {symbol.name!r}"
            )
        self.symbols[symbol.name] = self.elf.symbol(symbol)

    def symbol(self, name: str, user: str) -> NewSymbol:
        """What a reference names; ObjectError when it is not there."""
        found = self.symbols.get(name)
        if found is None:
            raise ObjectError(f"cannot write {self.spec.name}: {user} refers to missing {name!r}")
        return found

    # -- code ---------------------------------------------------------------------------------

    def code(self, section: NewSection, function: FunctionSpec) -> bytes:
        """A function's bytes; its relocations and debug records go to their tables."""
        start, insns = self.offsets[function.name], list(function.insns)
        for ref in function.refs:
            place = start + ref.slot * isa.SLOT
            if ref.kind == "core":
                if ref.core is None:
                    raise ObjectError(f"function {function.name}: a core ref without its record")
                self.ext.relos.setdefault(section.name, []).append(ref.core._replace(offset=place))
                continue
            symbol, imm = self.target(function, ref)
            call = insns[ref.slot].op != isa.LDDW
            insns[ref.slot] = insns[ref.slot]._replace(src=isa.PSEUDO_CALL if call else 0, imm=imm)
            self.elf.reloc(section, place, elf.R_BPF_64_32 if call else elf.R_BPF_64_64, symbol)
        if function.hidden and function.btf_id:  # as the compiler says it: global, but not seen
            declared = self.builder.type(function.btf_id)
            if isinstance(declared, Func):
                self.builder.set(declared.id, declared._replace(linkage=Linkage.GLOBAL))
        if function.btf_id:
            self.ext.funcs.setdefault(section.name, []).append(FuncInfo(start, function.btf_id))
        if function.lines:
            self.ext.lines.setdefault(section.name, []).extend(
                LineInfo(start + at * isa.SLOT, file, text, line, column)
                for at, file, line, column, text in function.lines
            )
        try:
            return encode(insns, self.spec.endian)
        except AsmError as error:
            raise ObjectError(f"cannot write function {function.name}: {error}") from None

    def target(self, function: FunctionSpec, ref: Ref) -> tuple[NewSymbol, int]:
        """The symbol of a reference, and the immediate that goes with it."""
        user = f"function {function.name}"
        if ref.kind in ("call", "kfunc"):
            return self.symbol(ref.symbol, user), -1
        if ref.kind == "func":
            defined = self.symbol(ref.symbol, user).section
            if defined is not None:
                return self.section_symbols[defined.name], self.offsets[ref.symbol]
        for v, symbol in self.weak.get(ref.symbol, ()) if ref.kind == "data" else ():
            if 0 <= ref.addend - v.offset < v.size:  # by its name, so that it can be replaced
                return symbol, ref.addend - v.offset
        if ref.kind == "data" and ref.symbol in self.section_symbols:
            return self.section_symbols[ref.symbol], ref.addend
        return self.symbol(ref.symbol, user), ref.addend

    def types(self) -> None:
        """.BTF and .BTF.ext, if there is anything to say."""
        records = any((self.ext.funcs, self.ext.lines, self.ext.relos))
        ext = self.ext.bytes(self.builder.string, self.spec.endian) if records else b""
        if records or self.spec.btf is not None or len(self.builder) > 1:
            self.elf.section(NewSection(".BTF", self.builder.bytes(), align=4))
        if records:
            self.elf.section(NewSection(".BTF.ext", ext, align=4))


def _section_of(function: FunctionSpec) -> str:
    """The ELF section a function goes to."""
    if isinstance(function, ProgramSpec):
        return ("" if function.autoload else "?") + function.section.removeprefix("?")
    local = function.linkage == "static" and not (function.weak or function.hidden)
    if is_text(function.section) or local:
        return function.section
    return ".text"  # beside programs every global function would be a program, too


def _function_symbol(function: FunctionSpec, section: NewSection, at: int, size: int) -> NewSymbol:
    static = function.linkage == "static"
    program = isinstance(function, ProgramSpec)
    bind = elf.STB_WEAK if function.weak else elf.STB_GLOBAL
    if static and not (program or function.weak or function.hidden):
        bind = elf.STB_LOCAL
    hidden = elf.STV_HIDDEN if static and bind != elf.STB_LOCAL else elf.STV_DEFAULT
    return NewSymbol(function.name, section, at, size, bind, elf.STT_FUNC, hidden)
