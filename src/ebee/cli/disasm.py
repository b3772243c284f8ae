"""`ebee disasm`: instructions as text, from objects, source and bare bytes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ebee.cli import report
from ebee.cli.source import C_SUFFIXES, PYTHON_SUFFIXES, STDIN, pick, read_bytes, read_spec, warn_of
from ebee.errors import AsmError, ObjectError

if TYPE_CHECKING:
    from ebee.obj.spec import FunctionSpec, ObjectSpec

ELF_MAGIC = b"\x7fELF"


@click.command()
@click.argument("file")
@click.option("--prog", metavar="NAME", help="Only this program or function.")
@click.option("-S", "--source", is_flag=True, help="Source lines between the instructions.")
@click.option("--bytes", "raw", is_flag=True, help="Each instruction's bytes, as objdump prints.")
@click.option("--hex", "form", flag_value="hex", help="FILE holds instructions in hex.")
@click.option("--raw", "form", flag_value="raw", help="FILE holds bare instruction bytes.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def disasm(
    file: str, prog: str | None, source: bool, raw: bool, form: str | None, as_json: bool
) -> None:
    """Print the instructions in FILE (`-`: standard input) as the kernel writes them.

    FILE is an object, Python or C source, or (found out by itself, or said with --hex and --raw)
    bare instructions. What is printed can be assembled again with `ebee asm`.

    \b
    ebee disasm -S firewall.bpf.o
    echo b7 00 00 00 02 00 00 00 95 00 00 00 00 00 00 00 | ebee disasm -
    """
    from ebee.cli import listing

    spec = _read(file, form)
    functions = _functions(spec, prog)
    if as_json:
        made = [listing.as_json(function, spec.btf) for function in functions]
        report.print_json({"name": spec.name, "endian": spec.endian, "functions": made})
        return
    for number, function in enumerate(functions):
        if function.section:
            hook = getattr(function, "hook", "")
            what = f"{hook} program" if hook else "function"
            title = f"{what} {function.name} in section {function.section}"
            slots = report.plural(len(function.insns), "slot")
            click.echo("\n" * (number > 0) + click.style(f"; {title}, {slots}", bold=True))
        for line in listing.text(function, spec.btf, source=source, raw=raw):
            click.echo(line)


def _read(file: str, form: str | None) -> ObjectSpec:
    """The object; bare instructions become one with a single function in no section."""
    from ebee import isa
    from ebee.cli.listing import bare
    from ebee.obj import ObjectSpec, read

    if form is None and Path(file).suffix in C_SUFFIXES | PYTHON_SUFFIXES:
        return read_spec(file)
    name = "standard input" if file == STDIN else file
    data = read_bytes(file)
    if form is None and data.startswith(ELF_MAGIC):
        spec = read(data, name)
        warn_of(spec)
        return spec
    packed = _hex(data)
    if form == "hex" and packed is None:
        raise AsmError(f"{name} is not hex")
    if form is None and packed is None:
        raise ObjectError(
            f"{name}: this is neither an ELF object nor hex; --raw takes it as bare instructions"
        )
    code = data if form == "raw" or packed is None else packed
    if not code:
        raise ObjectError(f"{name} is empty")
    try:
        insns = isa.decode(code)
    except AsmError as error:
        raise AsmError(f"{name}: {error}") from None
    return ObjectSpec(name, functions={"program": bare(insns)})


def _hex(data: bytes) -> bytes | None:
    """Bytes written as hex, with 0x, commas and blanks as people have them; None if it is not."""
    if len(data) > 1 << 26:
        return None
    text = re.sub(rb"0x|[\s,;:]+", b"", data).decode("ascii", "replace")
    try:
        return bytes.fromhex(text)
    except ValueError:
        return None


def _functions(spec: ObjectSpec, name: str | None) -> list[FunctionSpec]:
    everything: dict[str, FunctionSpec] = {**spec.programs, **spec.functions}
    if name is not None:
        return [pick("program or function", everything, name, spec.name)]
    if not everything:
        raise ObjectError(f"{spec.name} has no code")
    return list(everything.values())
