"""Instructions as `ebee disasm` shows them: with names for what they refer to, and source lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

from ebee.isa.disasm import Names, auto_labels, disassemble
from ebee.isa.insn import Insn
from ebee.obj.spec import FunctionSpec, Line, Ref

if TYPE_CHECKING:
    from ebee.btf import Btf


class Row(NamedTuple):
    """One instruction: `note` says what its text cannot (a CO-RE relocation)."""

    slot: int
    op: int
    text: str
    raw: bytes
    label: str | None
    note: str
    refs: list[Ref]
    source: Line | None


def helper_name(number: int) -> str | None:
    """A helper's C name."""
    from ebee.helpers import by_id

    found = by_id(number)
    return f"bpf_{found.name}" if found else None


def rows(function: FunctionSpec, btf: Btf | None = None) -> Iterator[Row]:
    """A function's instructions. What refers to symbols is written as the assembler takes it."""
    insns, symbols = list(function.insns), [ref.symbol for ref in function.refs]
    refs = {slot: list(group) for slot, group in groupby(function.refs, lambda ref: ref.slot)}
    for number, ref in enumerate(function.refs):
        _number(insns, ref, number)
    lines = {line.slot: line for line in function.lines}

    def name_of(number: int) -> str | None:
        return symbols[number] if 0 <= number < len(symbols) else None

    calls = {ref.slot for ref in function.refs if ref.kind in ("call", "func")}
    jumps = [Insn(0) if slot in calls else insn for slot, insn in enumerate(insns)]
    names = Names(helper_name, name_of, name_of, auto_labels(jumps))
    for line in disassemble(insns, names):
        own = refs.get(line.slot, [])
        text, note = line.text, ""
        for ref in own:
            if ref.kind == "core":
                note = f"CO-RE {core_text(ref, btf)}"
            else:
                text = _symbolic(text, insns[line.slot], ref)
        source = lines.get(line.slot)
        yield Row(line.slot, line.op, text, line.raw, line.label, note, own, source)


def bare(insns: Sequence[Insn], name: str = "program") -> FunctionSpec:
    """Instructions without an object around them."""
    return FunctionSpec(name, "", list(insns))


def _number(insns: list[Insn], ref: Ref, number: int) -> None:
    """Put a ref's number where the disassembler looks for a name, and its addend beside it."""
    insn = insns[ref.slot]
    if ref.kind in ("map", "data", "kfunc"):
        insns[ref.slot] = insn._replace(imm=number)
    if ref.kind == "data":
        insns[ref.slot + 1] = insns[ref.slot + 1]._replace(imm=ref.addend)


def _symbolic(text: str, insn: Insn, ref: Ref) -> str:
    """The text of what the disassembler has no names for: functions, the kernel's variables."""
    plus = f"+{ref.addend}" if ref.addend else ""
    return {
        "call": f"call {ref.symbol}",
        "func": f"r{insn.dst} = subprog[{ref.symbol}]",
        "ksym": f"r{insn.dst} = btf[{ref.symbol}]{plus}",
        "kconfig": f"r{insn.dst} = map[.kconfig][0]+{ref.addend}",
    }.get(ref.kind, text)


def core_text(ref: Ref, btf: Btf | None) -> str:
    """What a CO-RE relocation asks for: `field_byte_offset task_struct.pid`."""
    if ref.core is None or btf is None:
        return ref.symbol
    from ebee.btf.core import parse
    from ebee.errors import BtfError

    try:
        path = str(parse(btf, ref.core))
    except BtfError:
        path = f"{ref.symbol} {ref.core.access}"
    return f"{ref.core.kind.name.lower()} {path}"


def as_json(function: FunctionSpec, btf: Btf | None) -> dict[str, Any]:
    """A function with its instructions as a document."""
    return {
        "name": function.name,
        "section": function.section,
        "hook": getattr(function, "hook", None),
        "instructions": [
            {
                "slot": row.slot,
                "bytes": row.raw.hex(),
                "text": row.text,
                "label": row.label,
                "refs": [
                    {"kind": r.kind, "symbol": r.symbol, "addend": r.addend} for r in row.refs
                ],
                "core": row.note or None,
                "source": row.source
                and {
                    "file": row.source.file,
                    "line": row.source.line,
                    "column": row.source.column,
                    "text": row.source.text.strip(),
                },
            }
            for row in rows(function, btf)
        ],
    }


def text(
    function: FunctionSpec, btf: Btf | None, *, source: bool = False, raw: bool = False
) -> Iterator[str]:
    """A function's instructions as lines, coloured for a terminal (click takes that out)."""
    from click import style

    from ebee.cli.report import path

    shown: tuple[str, int] | None = None
    for row in rows(function, btf):
        if row.label:
            yield style(f"{row.label}:", fg="cyan")
        if source and row.source and (row.source.file, row.source.line) != shown:
            if shown is None or shown[0] != row.source.file:
                yield style(f"      ; {path(row.source.file)}", fg="green", dim=True)
            shown = row.source.file, row.source.line
            yield style(f"      ; {row.source.line}: {row.source.text.strip()}", fg="green")
        head = row.raw.hex(" ") if raw else f"({row.op:02x})"
        note = style(f"   // {row.note}", dim=True) if row.note else ""
        yield f"{style(f'{row.slot:4}: {head}', dim=True)} {row.text}{note}"
