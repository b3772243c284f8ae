"""The instruction set: encode, decode, check, assemble, disassemble; classic BPF.

    from ebee import isa
    program = isa.assemble("r0 = 0\nexit")     # text -> list[Insn]
    data = isa.encode(program)                  # -> bytes, little-endian
    print(isa.listing(isa.decode(data)))        # -> the kernel's own spelling

One table declares every instruction (`isa.table`); all else reads it:

    insn        Insn (a slot), decode, encode, the numbers of the encoding
    table       Form, FORMS, form_of(insn), make(name, ...)
    flow        registers read and written, memory access, jump target, successors
    legal       check(insn), check_program(insns): what is not well formed, and why
    semantics   what arithmetic, byte order, comparison and atomic operations mean
    asm         text -> instructions (grammar: which texts; source: errors with a place)
    disasm      instructions -> text
    cbpf        classic BPF: decode, print, parse, check, run, translate to eBPF
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ebee.isa.asm import Assembly, Reference, assemble, parse
    from ebee.isa.disasm import Names, auto_labels, disassemble, from_dump, listing, text_of
    from ebee.isa.flow import Access, access, reads, successors, target, writes
    from ebee.isa.insn import Insn, decode, encode, imm64, lddw
    from ebee.isa.legal import Fault, check, check_program
    from ebee.isa.source import SourceError
    from ebee.isa.table import BY_NAME, FORMS, Form, form_of, make

_HOME = {
    "asm": ("Assembly", "Reference", "assemble", "parse"),
    "legal": ("Fault", "check", "check_program"),
    "disasm": ("Names", "auto_labels", "disassemble", "from_dump", "listing", "text_of"),
    "flow": ("Access", "access", "reads", "successors", "target", "writes"),
    "insn": ("Insn", "decode", "encode", "imm64", "lddw"),
    "source": ("SourceError",),
    "table": ("BY_NAME", "FORMS", "Form", "form_of", "make"),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "BY_NAME",
    "FORMS",
    "Access",
    "Assembly",
    "Fault",
    "Form",
    "Insn",
    "Names",
    "Reference",
    "SourceError",
    "access",
    "assemble",
    "auto_labels",
    "check",
    "check_program",
    "decode",
    "disassemble",
    "encode",
    "form_of",
    "from_dump",
    "imm64",
    "lddw",
    "listing",
    "make",
    "parse",
    "reads",
    "successors",
    "target",
    "text_of",
    "writes",
]  # fmt: skip


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value
