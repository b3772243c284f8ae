"""The instructions of a loaded program, with names for what they call and use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ebee.errors import EbeeError
from ebee.isa import Insn, decode
from ebee.isa.disasm import Line as Text
from ebee.isa.disasm import Names, auto_labels, disassemble, from_dump
from ebee.isa.table import form_of
from ebee.linux.proginfo import Function, Line, functions, lines
from ebee.linux.programs import LinuxProgram

BASE = "__bpf_call_base"
"""What the kernel makes the numbers of helpers relative to, when it rewrites calls."""


class Code(NamedTuple):
    """A program as the verifier left it: `insns` in the encoding of programs, `texts` of them (one
    for a wide load), where functions begin and source lines do."""

    insns: list[Insn]
    texts: list[Text]
    functions: dict[int, Function]
    lines: dict[int, Line]


def code(program: LinuxProgram) -> Code:
    """Read a loaded program. KernelError when its instructions are not for this user to see."""
    insns = from_dump(decode(program.xlated()))
    called = dict(_called(insns))
    kfunc = lambda number: called.get(number) or _kernel_function(number)  # noqa: E731
    names = Names(called.get, kfunc, _map_name, auto_labels(insns))
    texts = [line._replace(text=_clear(line.text)) for line in disassemble(insns, names)]
    found = {f.slot: f for f in functions(program)}
    return Code(insns, texts, found, {line.slot: line for line in lines(program)})


def _clear(text: str) -> str:
    """Maps are named by their ids in what the kernel hands out, not by descriptors."""
    return text.replace("map[fd:", "map[id:")


def _map_name(number: int) -> str:
    return f"id:{number}"


def _called(insns: Iterable[Insn]) -> Iterator[tuple[int, str]]:
    """(number in the instruction, name) of the functions that calls lead to: helpers, kernel
    functions, and what the kernel has put in their place."""
    forms = ((insn, form_of(insn)) for insn in insns)
    wanted = {i.imm for i, form in forms if form and form.name in ("call_helper", "call_kfunc")}
    if not wanted:
        return
    addresses = _symbols()
    start = next((at for at, name in addresses.items() if name == BASE), 0)
    for number in wanted:
        name = addresses.get(start + number) if start else None
        if name:
            yield number, name


def _symbols() -> dict[int, str]:
    """The kernel's symbols by address; empty where they are hidden."""
    found: dict[int, str] = {}
    try:
        with open("/proc/kallsyms") as listing:
            for line in listing:
                address, _, name, *_module = line.split()
                number = int(address, 16)
                if number and (number not in found or name.startswith("bpf_")):
                    found[number] = name
    except OSError:
        pass
    return found


def _kernel_function(number: int) -> str | None:
    """The name of a kernel function by its id in the kernel's types, where calls still have it."""
    from ebee.btf import Btf, Func

    try:
        found = Btf.vmlinux().type(number)
    except EbeeError:
        return None
    return found.name if isinstance(found, Func) else None
