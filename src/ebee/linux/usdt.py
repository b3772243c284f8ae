"""USDT: the markers that programs' authors put into them (<sys/sdt.h>), and how their arguments are
written down.

A note in section .note.stapsdt has the marker's address, its semaphore (a counter that the program
looks at) and a text for the arguments: "-4@%edi 8@-16(%rbp) 4@$7". What BPF programs need to
fetch one is an `Argument`; libbpf's usdt.bpf.h reads it from a map, in the layout of `pack`.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from typing import NamedTuple

from ebee.errors import KernelError, ObjectError
from ebee.linux.symbols.elf import Image

NOTES = ".note.stapsdt"
NT_STAPSDT = 3
EM_X86_64, EM_AARCH64 = 62, 183
MAX_ARGUMENTS = 12
"""Of one marker: what the maps of libbpf's usdt.bpf.h have room for."""


class Marker(NamedTuple):
    """One place of a marker (an author's line may be compiled into many): addresses as in the file,
    `semaphore` 0 where it has none; `arguments`: their text."""

    provider: str
    name: str
    address: int
    semaphore: int
    arguments: str


class Argument(NamedTuple):
    """How to fetch one argument: `kind` is "const" (the value), "reg" (a register), "deref" (memory
    at register + value), or "sib" (memory at register + (index_register << scale) + value).

    Registers are offsets in the context (struct pt_regs). `size` in bytes.
    """

    kind: str
    size: int
    signed: bool
    value: int = 0
    register: int = 0
    index_register: int = 0
    scale: int = 0


KINDS = {"const": 0, "reg": 1, "deref": 2, "sib": 3}
"""enum __bpf_usdt_arg_type."""

# -- registers -------------------------------------------------------------------------------------

# struct pt_regs of x86-64 by the order in memory; each register's names for 8, 4, 2, 1 byte.
_X86_LEGACY = {
    "rbp": 4, "rbx": 5, "rax": 10, "rcx": 11, "rdx": 12, "rsi": 13, "rdi": 14, "rsp": 19,
}  # fmt: skip
_X86_NUMBERED = {"r15": 0, "r14": 1, "r13": 2, "r12": 3, "r11": 6, "r10": 7, "r9": 8, "r8": 9}


def _x86_registers() -> dict[str, int]:
    found = {"rip": 16 * 8}
    for name, index in _X86_NUMBERED.items():
        found |= dict.fromkeys((name, name + "d", name + "w", name + "b"), index * 8)
    for name, index in _X86_LEGACY.items():
        short = name[1:]
        low = short[0] + "l" if short.endswith("x") else short + "l"
        found |= dict.fromkeys((name, "e" + short, short, low), index * 8)
    return found


REGISTERS: dict[int, dict[str, int]] = {
    EM_X86_64: _x86_registers(),
    EM_AARCH64: {f"{bank}{i}": i * 8 for bank in "xw" for i in range(31)}
    | {"sp": 31 * 8, "wsp": 31 * 8, "lr": 30 * 8, "fp": 29 * 8},
}
"""By machine (e_machine): where registers are in the context of a uprobe, in bytes."""

_REGISTER, _NUMBER = r"%?(?P<register>[a-z]\w*)", r"(?P<value>[-+]?(?:0x[0-9a-fA-F]+|\d+))"
_SCALE = {"1": 0, "2": 1, "4": 2, "8": 3}
_FORMS: dict[int, tuple[tuple[str, re.Pattern[str]], ...]] = {
    EM_X86_64: (
        ("const", re.compile(rf"\${_NUMBER}")),
        ("reg", re.compile(r"%(?P<register>\w+)")),
        (
            "sib",
            re.compile(
                rf"(?:{_NUMBER})?\(%(?P<register>\w+),\s*%(?P<index>\w+)(?:,\s*(?P<scale>[1248]))?\)"
            ),
        ),
        ("deref", re.compile(rf"(?:{_NUMBER})?\(%(?P<register>\w+)\)")),
    ),
    EM_AARCH64: (
        ("const", re.compile(_NUMBER)),
        ("deref", re.compile(rf"\[\s*(?P<register>\w+)\s*(?:,\s*#?{_NUMBER}\s*)?\]")),
        ("sib", re.compile(
            r"\[\s*(?P<register>\w+)\s*,\s*(?P<index>\w+)(?:\s*,\s*lsl\s*#?(?P<shift>[0-3]))?\s*\]"
        )),
        ("reg", re.compile(r"(?P<register>\w+)")),
    ),
}  # fmt: skip
_START = re.compile(r"(?P<size>-?\d+)(?P<float>f?)@")


def arguments(text: str, machine: int) -> list[Argument]:
    """The arguments of a marker from their text; KernelError for what programs cannot fetch.

    >>> arguments("-4@%edi 8@-16(%rbp) 4@$7", EM_X86_64)[1]
    Argument(kind='deref', size=8, signed=False, value=-16, register=32, index_register=0, scale=0)
    >>> arguments("-4@[sp, 60]", EM_AARCH64)[0].register
    248
    """
    if machine not in _FORMS:
        raise KernelError(f"USDT arguments of this kind of machine (ELF {machine}) are not known")
    starts = list(_START.finditer(text))
    rest = text[: starts[0].start()] if starts else text
    if rest.strip():
        raise KernelError(f"USDT arguments {text!r}: {rest.strip()!r} is none")
    if len(starts) > MAX_ARGUMENTS:
        raise KernelError(f"a marker has {len(starts)} arguments; programs get {MAX_ARGUMENTS}")
    ends = [*(start.start() for start in starts), len(text)][1:]
    return [
        _argument(start, text[start.end() : end].strip(), machine)
        for start, end in zip(starts, ends, strict=True)
    ]


def _argument(start: re.Match[str], operand: str, machine: int) -> Argument:
    whole = start[0] + operand
    size = int(start["size"])
    if start["float"]:
        raise KernelError(f"USDT argument {whole}: programs cannot read floating-point numbers")
    if abs(size) not in (1, 2, 4, 8):
        raise KernelError(f"USDT argument {whole}: {abs(size)} bytes are no size of an argument")
    for kind, form in _FORMS[machine]:
        if found := form.fullmatch(operand):
            parts = found.groupdict()
            shift = parts.get("shift") or _SCALE[parts.get("scale") or "1"]
            return Argument(
                kind, abs(size), size < 0, int(parts.get("value") or "0", 0),
                _register(parts.get("register"), machine, whole),
                _register(parts.get("index"), machine, whole), int(shift),
            )  # fmt: skip
    raise KernelError(f"USDT argument {whole}: programs cannot fetch such an operand")


def _register(name: str | None, machine: int, argument: str) -> int:
    if not name:
        return 0
    found = REGISTERS[machine].get(name)
    if found is None:
        raise KernelError(f"USDT argument {argument}: programs see no register {name!r}")
    return found


def pack(found: list[Argument], cookie: int, value_size: int) -> bytes:
    """struct __bpf_usdt_spec of libbpf's usdt.bpf.h, of that size in the object.

    16 bytes for each argument (the index register and scale of "sib" in bits that older headers
    leave empty), then the cookie and the number of arguments.
    """
    room = (value_size - 16) // 16
    if len(found) > room:
        raise KernelError(f"the object's maps have room for {room} arguments, not {len(found)}")
    packed = b""
    for a in found:
        word = KINDS[a.kind] | a.index_register << 8 | a.scale << 20
        shift = 64 - 8 * a.size
        packed += struct.pack("<qIh?b", a.value, word, a.register, a.signed, shift)
    return (packed.ljust(16 * room, b"\0") + struct.pack("<Qh", cookie, len(found))).ljust(
        value_size, b"\0"
    )


# -- notes -----------------------------------------------------------------------------------------


def markers(image: Image) -> Iterator[Marker]:
    """The markers of a program or library; none if it has no section for them."""
    if image.section(NOTES) is None:
        return
    base = image.section(".stapsdt.base")
    form = image.order + ("QQQ" if image.wide else "III")
    size = struct.calcsize(form)
    for note in image.notes(NOTES):
        if note.name != b"stapsdt" or note.type != NT_STAPSDT:
            continue
        texts = note.desc[size:].split(b"\0")
        if len(note.desc) < size or len(texts) < 4:
            raise ObjectError(f"{image.name}: a note of {NOTES} is damaged")
        place, linked, semaphore = struct.unpack_from(form, note.desc)
        moved = base.address - linked if base is not None and linked else 0  # by prelink
        provider, name, text = (t.decode(errors="replace") for t in texts[:3])
        yield Marker(provider, name, place + moved, semaphore and semaphore + moved, text)


def find(image: Image, provider: str, name: str) -> list[Marker]:
    """The places of one marker; KernelError, with the names there are, when it has none."""
    every = list(markers(image))
    found = [m for m in every if m.name == name and m.provider in (provider or m.provider,)]
    if found:
        return found
    if not every:
        raise KernelError(f"{image.name} has no USDT markers")
    names = sorted({f"{m.provider}:{m.name}" for m in every})
    raise KernelError(f"{image.name} has no marker {provider}:{name}; it has {', '.join(names)}")
