"""Instructions to text, in the kernel's own spelling (that of verifier logs and bpftool).

The text can be assembled again to the same bytes. So three things differ from the kernel's: a
64-bit immediate ends in ` ll` as in LLVM, an unresolved kfunc is `call kfunc#7`, and what is no
legal instruction is written with its fields, `.insn 0xff, 1, 2, 3, 4` (op, dst, src, off, imm).
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ebee.isa.flow import target
from ebee.isa.insn import LDDW, U32, Insn, encode, imm64
from ebee.isa.legal import check
from ebee.isa.table import Form, form_of

Namer = Callable[[int], str | None]


class Line(NamedTuple):
    """One instruction of a listing; `raw` are its 8 or 16 bytes."""

    slot: int
    op: int
    text: str
    raw: bytes
    label: str | None


class Names(NamedTuple):
    """Where the disassembler gets names from. All are optional; None: print the number.

    helper, kfunc, map   from the number in the instruction
    labels               names of slots, for targets of jumps, calls and function addresses
    """

    helper: Namer = lambda _: None
    kfunc: Namer = lambda _: None
    map: Namer = lambda _: None
    labels: Mapping[int, str] = {}


NO_NAMES = Names()


class _View(NamedTuple):
    insn: Insn
    high: int
    slot: int
    names: Names


def _to(view: _View, prefix: str = "pc") -> str:
    to = target(view.insn, view.slot)
    assert to is not None
    return view.names.labels.get(to) or f"{prefix}{to - view.slot - 1:+d}"


OPERANDS: dict[str, Callable[[_View], object]] = {
    "dst": lambda v: v.insn.dst,
    "src": lambda v: v.insn.src,
    "off": lambda v: f"{v.insn.off:+d}",
    "imm": lambda v: v.insn.imm,
    "id": lambda v: v.insn.imm,
    "hex": lambda v: f"{v.insn.imm & U32:#x}",
    "plus": lambda v: f" + {v.insn.imm}",
    "imm64": lambda v: f"{imm64(v.insn, Insn(0, imm=v.high)):#x}",
    "high": lambda v: f"+{v.high & U32}",
    "to_space": lambda v: (v.insn.imm & U32) >> 16,
    "from_space": lambda v: v.insn.imm & 0xFFFF,
    "jump": _to,
    "callee": _to,
    "func": lambda v: _to(v, ""),
    "helper": lambda v: v.names.helper(v.insn.imm) or "unknown",
    "map": lambda v: v.names.map(v.insn.imm) or f"fd:{v.insn.imm}",
    "kfunc?": lambda v: f"[{name}]" if (name := v.names.kfunc(v.insn.imm)) else f"#{v.insn.imm}",
    "module?": lambda v: f" module {v.insn.off}" if v.insn.off else "",
}
"""The operands that texts in the table name, and how each is printed."""

_FIELD = re.compile(r"\{(\w+\??)\}")


def text_of(
    insn: Insn,
    following: Insn | None = None,
    slot: int = 0,
    names: Names = NO_NAMES,
) -> str:
    """One instruction as text. A wide load needs its second slot, `following`.

    >>> text_of(Insn(0x79, 1, 10, -8))
    'r1 = *(u64 *)(r10 -8)'
    """
    form = form_of(insn)
    if form is None or check(insn, following, internal=True):
        return f".insn {insn.op:#04x}, {insn.dst}, {insn.src}, {insn.off}, {insn.imm}"
    return _render(form, _View(insn, following.imm if following else 0, slot, names))


def _render(form: Form, view: _View) -> str:
    return _FIELD.sub(lambda field: str(OPERANDS[field[1]](view)), form.text)


def disassemble(insns: Sequence[Insn], names: Names = NO_NAMES) -> Iterator[Line]:
    """The instructions of a program, one `Line` each (a wide load is one)."""
    slot = 0
    while slot < len(insns):
        insn, following = insns[slot], insns[slot + 1] if slot + 1 < len(insns) else None
        text = text_of(insn, following, slot, names)
        size = 2 if insn.op == LDDW and not text.startswith(".insn") else 1
        raw = encode(insns[slot : slot + size])
        yield Line(slot, insn.op, text, raw, names.labels.get(slot))
        slot += size


def from_dump(insns: Sequence[Insn]) -> list[Insn]:
    """A loaded program's instructions, as the kernel hands them out, in the encoding of programs.

    In a program with functions that was compiled to machine code, the kernel has moved the distance
    of a call to `off`, and a function's number to the upper half of its address (jit_subprogs).
    """
    restored = list(insns)
    for slot, insn in enumerate(insns):
        form = form_of(insn)
        if form and form.name == "call_local" and insn.off:
            restored[slot] = insn._replace(off=0, imm=insn.off)
        elif form and form.name == "lddw_func" and slot + 1 < len(insns):
            restored[slot + 1] = Insn(0)
    return restored


def auto_labels(insns: Sequence[Insn]) -> dict[int, str]:
    """Names for the instructions that jumps ("L5") and calls ("F20") lead to."""
    labels: dict[int, str] = {}
    starts = {line.slot for line in disassemble(insns)}
    for slot in starts:
        form = form_of(insns[slot])
        if form and (to := target(insns[slot], slot)) in starts:
            if form.kind != "jump":
                labels[to] = f"F{to}"
            else:
                labels.setdefault(to, f"L{to}")
    return labels


def listing(
    insns: Sequence[Insn], names: Names = NO_NAMES, *, raw: bool = False, index: bool = True
) -> str:
    """A whole program as text, each instruction after its slot and opcode as the kernel prints
    them (`index`), or after its slot and bytes as llvm-objdump does (`raw`).

    >>> print(listing([Insn(0xB7), Insn(0x95)]), end="")
       0: (b7) r0 = 0
       1: (95) exit
    """
    out = []
    for line in disassemble(insns, names):
        if line.label:
            out.append(f"{line.label}:")
        head = (
            f"{line.slot:4}: {line.raw.hex(' ')}  " if raw else f"{line.slot:4}: ({line.op:02x}) "
        )
        out.append(f"{head if raw or index else '    '}{line.text}")
    return "\n".join(out) + "\n" if out else ""
