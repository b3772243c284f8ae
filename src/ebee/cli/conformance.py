"""`ebee conformance-plugin`: the protocol of the public eBPF conformance suite (bpf_conformance).

The memory is an argument (hex), the program comes on standard input (hex); r0 goes to standard
output in hex. Helper 5 returns r1.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from ebee.abi.cpu import Cpu
from ebee.errors import EbeeError, ObjectError
from ebee.helpers import Helper
from ebee.native import native
from ebee.types import ptr, u64

if TYPE_CHECKING:
    from ebee.isa import Insn

BUDGET = 10_000_000
"""Instructions of one case before it counts as hanging."""

ENGINES = ("interpreter", "quick", "optimised", "most", "trusted")


def _hex(text: str, what: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as e:
        raise EbeeError(f"{what} is not hex: {e}") from None


def _from_elf(data: bytes) -> list[Insn]:
    """The instructions of an object with one section of code that refers to nothing else."""
    from ebee import isa
    from ebee.obj import elf

    file = elf.read(data, "standard input")
    code = [s for s in file.sections if s.flags & elf.SHF_EXECINSTR and s.size]
    if len(code) != 1:
        raise ObjectError(f"standard input: {len(code)} sections of code; the protocol has one")
    for section in file.sections:
        if section.type in (elf.SHT_REL, elf.SHT_RELA) and section.info == code[0].index:
            raise ObjectError("standard input: relocated code is not part of the protocol")
    return isa.decode(bytes(code[0].data), file.endian)


@native
def unwind(cpu: ptr[Cpu], r1: u64) -> u64:
    return r1


UNWIND = Helper(5, "unwind", "r1: u64 -> u64", "", "Gives its argument.", f"{__name__}:unwind")


@click.command("conformance-plugin")
@click.argument("memory", default="")
@click.option("--elf", is_flag=True, help="Standard input is an ELF file in hex.")
@click.option("--engine", type=click.Choice(ENGINES), default="interpreter")
def conformance_plugin(memory: str, elf: bool, engine: str) -> None:
    """Run a program (hex on standard input) over MEMORY (hex) and print r0 in hex."""
    from ebee import isa
    from ebee.machine.bare import run

    data = _hex(sys.stdin.read(), "standard input")
    insns = _from_elf(data) if elf else isa.decode(data)
    r0, _ = run(
        insns, _hex(memory, "the memory"), helpers={5: UNWIND}, engine=engine, budget=10_000_000
    )
    click.echo(f"{r0:x}")
