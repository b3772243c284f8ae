"""How `ebee prog dump` shows programs: instructions, machine code, the flow of control."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ebee.cli import report
from ebee.errors import KernelError

if TYPE_CHECKING:
    from ebee.linux.progdump import Code
    from ebee.linux.proginfo import Function, Line
    from ebee.linux.programs import LinuxProgram

HIDDEN = "the kernel does not show it to this user: it takes CAP_SYSLOG and kernel.kptr_restrict=0"
MACHINES = {"x86_64": "i386:x86-64", "aarch64": "aarch64", "riscv64": "riscv:rv64",
            "s390x": "s390:64-bit", "ppc64le": "powerpc:common64"}  # fmt: skip
"""What objdump calls machines."""


def write(data: bytes, path: str) -> None:
    """Bare bytes to a file, or standard output."""
    if path == "-":
        sys.stdout.buffer.write(data)
    else:
        Path(path).write_bytes(data)


def hex_lines(data: bytes) -> Iterator[str]:
    """Bytes as people read them, 16 a line."""
    for at in range(0, len(data), 16):
        row = data[at : at + 16]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        yield f"{at:6x}  {row.hex(' '):<47}  {text}"


def _code(program: LinuxProgram) -> Code:
    from ebee.linux.progdump import code

    found = code(program)
    if not found.insns:
        raise KernelError(f"no instructions of program {program.name!r}: {HIDDEN}")
    return found


def graph(program: LinuxProgram) -> str:
    """The flow of control for Graphviz."""
    from ebee.isa.blocks import dot

    found = _code(program)
    names = {slot: function.name for slot, function in found.functions.items()}
    return dot(found.insns, found.texts, names)


# -- instructions ----------------------------------------------------------------------------------


def show_xlated(program: LinuxProgram, source: bool, opcodes: bool, as_json: bool) -> None:
    """The instructions as text or JSON."""
    found = _code(program)
    if as_json:
        report.print_json([
            {"slot": text.slot, "text": text.text, "bytes": text.raw.hex(),
             "function": found.functions[text.slot].name if text.slot in found.functions else None,
             "source": _place(found.lines.get(text.slot))}
            for text in found.texts
        ])  # fmt: skip
        return
    for text in found.texts:
        if text.slot in found.functions and (found.functions[text.slot].name or text.slot):
            click.secho(f"{found.functions[text.slot].name or f'F{text.slot}'}():", bold=True)
        elif text.label:
            click.secho(f"{text.label}:", fg="cyan")
        line = found.lines.get(text.slot)
        if source and line:
            click.secho(f"      ; {line.line}: {line.text.strip()}", fg="green")
        head = text.raw.hex(" ") if opcodes else f"({text.op:02x})"
        click.echo(f"{text.slot:4}: {head} {text.text}")


def _place(line: Line | None) -> dict[str, Any] | None:
    if line is None:
        return None
    return {"file": line.file, "line": line.line, "column": line.column, "text": line.text.strip()}


# -- machine code ----------------------------------------------------------------------------------


def show_jited(program: LinuxProgram, source: bool, opcodes: bool, as_json: bool) -> None:
    """The machine code, function by function."""
    from ebee.linux.proginfo import functions, jited_lines

    found = [function for function in functions(program) if function.code]
    if not found:
        raise KernelError(f"no machine code of program {program.name!r}: it is not compiled, or "
                          + HIDDEN)  # fmt: skip
    lines = dict(jited_lines(program)) if source else {}
    if as_json:
        report.print_json([
            {"name": f.name, "address": f.address, "bytes": f.code.hex(),
             "instructions": list(_disassembled(f))}
            for f in found
        ])  # fmt: skip
        return
    for number, function in enumerate(found):
        click.secho(f"{chr(10) * bool(number)}{function.name}: {function.address:#x}, "
                    f"{report.plural(len(function.code), 'byte')}", bold=True)  # fmt: skip
        for row in _disassembled(function):
            line = lines.get(function.address + row["offset"])
            if line:
                click.secho(f"        ; {line.line}: {line.text.strip()}", fg="green")
            shown = f"{row['bytes']:<32} " if opcodes else ""
            click.echo(f"{row['offset']:6x}: {shown}{row['text']}")


def _disassembled(function: Function) -> Iterator[dict[str, Any]]:
    """Rows of offset, bytes and text; plain bytes where there is no objdump for this machine."""
    machine = MACHINES.get(platform.machine())
    tool = shutil.which("objdump")
    if tool is None or machine is None:
        for at in range(0, len(function.code), 16):
            yield {"offset": at, "bytes": function.code[at : at + 16].hex(" "), "text": ""}
        return
    with tempfile.NamedTemporaryFile() as file:
        file.write(function.code)
        file.flush()
        command = [tool, "-D", "-b", "binary", "-m", machine, "-w", file.name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    for row in re.finditer(r"(?m)^ *([0-9a-f]+):\t([0-9a-f ]+?) *\t(.*)$", done.stdout):
        text = row[3].expandtabs(1).strip()
        yield {"offset": int(row[1], 16), "bytes": row[2].strip(), "text": text}
