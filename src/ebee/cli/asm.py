"""`ebee asm`: text to instructions: bytes, hex, C, or a whole object."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ebee.cli import report
from ebee.cli.source import STDIN, read_bytes
from ebee.errors import AsmError, ConfigError

if TYPE_CHECKING:
    from ebee.isa import Assembly, Insn
    from ebee.obj.spec import FunctionSpec, ObjectSpec

FORMATS = {"hex": (".hex", ".txt"), "raw": (".bin", ".raw"), "c": (".c", ".h"), "object": (".o",)}
"""Format -> endings of output files that ask for it."""


@click.command()
@click.argument("file")
@click.option("-o", "--output", metavar="OUT", help="Where to write (standard output).")
@click.option(
    "--format",
    "form",
    type=click.Choice(list(FORMATS)),
    help="What to write; by default what OUT's ending says, else hex.",
)
@click.option(
    "--section",
    default="xdp",
    show_default=True,
    metavar="SEC",
    help="The program's section, for an object.",
)
@click.option(
    "--license",
    default="GPL",
    show_default=True,
    metavar="TEXT",
    help="The licence, for an object.",
)
@click.option("--name", metavar="NAME", help="What to call the program (FILE's name).")
@click.option("--json", "as_json", is_flag=True, help="Instructions and labels as JSON.")
def asm(
    file: str, output: str | None, form: str | None, name: str | None, as_json: bool, **options: str
) -> None:
    """Assemble FILE (`-`: standard input), eBPF in the syntax of the kernel and of LLVM.

    \b
    echo 'r0 = 2; exit' | ebee asm -
    ebee asm prog.s -o prog.o --section xdp      an object that any loader takes
    """  # fmt: skip
    from ebee import isa
    from ebee.helpers import by_name

    shown = "<stdin>" if file == STDIN else file
    try:
        text = read_bytes(file).decode()
    except UnicodeDecodeError as error:
        raise AsmError(f"{shown} is not text: byte {error.start} is no UTF-8") from None
    done = isa.parse(text, helper_id=lambda n: getattr(by_name(n), "id", None), name=shown)
    if not done.insns:
        raise AsmError(f"{shown} has no instructions")
    open_slots = {ref.slot for ref in done.references}
    for fault in isa.check_program(done.insns):
        if fault.slot in open_slots:
            continue
        line = done.lines.get(fault.slot, 0)
        raise AsmError(f"{shown}:{line}: instruction {fault.slot}: {fault.reason}")
    stem = Path(file).stem if file != STDIN else Path(output or "program").stem
    name = name or re.sub(r"\W", "_", stem)
    form = form or _by_ending(output)
    if as_json:
        _write(output, report.dumps(_document(done, name)).encode() + b"\n")
    else:
        _write(output, _content(done, form, name, shown, options))


def _by_ending(output: str | None) -> str:
    ending = Path(output or "").suffix
    return next((form for form, endings in FORMATS.items() if ending in endings), "hex")


def _write(output: str | None, content: bytes) -> None:
    if output is None:
        sys.stdout.buffer.write(content)
        return
    try:
        Path(output).write_bytes(content)
    except OSError as error:
        raise ConfigError(f"cannot write {output}: {error.strerror}") from None


def _content(done: Assembly, form: str, name: str, shown: str, options: dict[str, str]) -> bytes:
    from ebee import isa
    from ebee.obj import write

    if done.references:
        ref = done.references[0]
        line = done.lines.get(ref.slot, 0)
        raise AsmError(
            f"{shown}:{line}: the {ref.kind} {ref.symbol!r} is not defined here, and {form} output"
            " has no place for names; give its number, or see the references with --json"
        )
    if form == "object":
        return write(to_object(done, name, **options))
    if form == "raw":
        return isa.encode(done.insns)
    lines = c_array(done.insns, name) if form == "c" else hex_lines(done.insns)
    return "".join(f"{line}\n" for line in lines).encode()


def hex_lines(insns: list[Insn]) -> Iterator[str]:
    """An instruction per line: its bytes."""
    from ebee import isa

    for line in isa.disassemble(insns):
        yield line.raw.hex(" ")


def c_array(insns: list[Insn], name: str) -> Iterator[str]:
    """A `struct bpf_insn` array of linux/bpf.h."""
    from ebee import isa
    from ebee.cli.listing import helper_name

    names = isa.Names(helper=helper_name, labels=isa.auto_labels(insns))
    yield f"static const struct bpf_insn {name}[] = {{"
    for line in isa.disassemble(insns, names):
        for op, dst, src, off, imm in isa.decode(line.raw):
            number = "(-2147483647 - 1)" if imm == -(1 << 31) else str(imm)
            note = f"  // {line.slot}: {line.text}" if op else ""
            yield f"\t{{ {op:#04x}, {dst}, {src}, {off}, {number} }},{note}"
    yield "};"


def to_object(done: Assembly, name: str, section: str, license: str) -> ObjectSpec:
    """An object whose program is the text's first function; what it calls become subprograms."""
    from ebee import hooks
    from ebee.machine.bare import functions as find_functions
    from ebee.obj import ObjectSpec, ProgramSpec

    found = hooks.for_section(section)
    if found is None:
        raise ConfigError(f"--section {section}: no hook has such a section")
    hook, declared, target = found
    labels = {slot: label for label, slot in done.labels.items()}
    starts = {f.start: labels.get(f.start, f.name) if f.start else name
              for f in find_functions(done.insns)}  # fmt: skip
    spec = ObjectSpec(name, license=license)
    for start, body in _split(done.insns, starts):
        if start:
            spec.functions[body.name] = body
        else:
            spec.programs[name] = ProgramSpec(
                **vars(body) | {"section": section, "linkage": "global"},
                hook=hook.name, attach_to=target or "", flags=declared.flags,
                attach_type=declared.attach_type or 0,
            )  # fmt: skip
    return spec


def _split(insns: list[Insn], starts: dict[int, str]) -> Iterator[tuple[int, FunctionSpec]]:
    """The functions of a text, each with references to the others."""
    from ebee.isa import form_of, target
    from ebee.isa.insn import LDDW
    from ebee.obj import FunctionSpec, Ref

    ends = [*sorted(starts)[1:], len(insns)]
    for start, end in zip(sorted(starts), ends, strict=True):
        body, refs = insns[start:end], []
        for slot, insn in enumerate(body):
            form = form_of(insn)
            if form is None or form.imm != "jump" or form.operation not in ("local", "func"):
                continue
            to = target(insn, start + slot)
            assert to is not None
            wide = insn.op == LDDW
            refs.append(Ref(slot, "func" if wide else "call", starts[to]))
            body[slot] = insn._replace(imm=0 if wide else -1)
        yield start, FunctionSpec(starts[start], ".text", body, refs, linkage="static")


def _document(done: Assembly, name: str) -> dict[str, Any]:
    from ebee import isa

    return {
        "name": name,
        "bytes": isa.encode(done.insns).hex(),
        "instructions": [
            {"slot": line.slot, "line": done.lines.get(line.slot), "bytes": line.raw.hex(),
             "text": line.text}
            for line in isa.disassemble(done.insns)
        ],
        "labels": done.labels,
        "references": [ref._asdict() for ref in done.references],
    }  # fmt: skip
