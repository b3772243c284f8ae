"""Every classic BPF instruction that Linux takes, once; and bytes, numbers and checks.

The machine has two 32-bit registers, A and X, 16 words of scratch memory M, and a packet.
Sources: net/core/filter.c (chk_code_allowed, bpf_check_classic) and uapi/linux/filter.h of Linux.
"""

import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ebee.errors import AsmError
from ebee.isa.insn import Endian

MAX_INSNS = 4096
SCRATCH_WORDS = 16

# The second half of 32-bit offsets is not the packet: what an skb knows besides its data ...
ANCILLARY_BASE = 0xFFFF_F000  # SKF_AD_OFF
# ... and the data again, from the network header and from the link-layer header on.
NETWORK_BASE = 0xFFF0_0000  # SKF_NET_OFF
LINK_BASE = 0xFFE0_0000  # SKF_LL_OFF

ANCILLARY = {
    0: "proto", 4: "type", 8: "ifidx", 12: "nla", 16: "nlan", 20: "mark", 24: "queue",
    28: "hatype", 32: "rxhash", 36: "cpu", 40: "xor_x", 44: "vlan_tci", 48: "vlanp",
    52: "poff", 56: "rand", 60: "vlan_tpid",
}  # fmt: skip
"""Ancillary loads by their distance from ANCILLARY_BASE."""

_LAYOUT = {"little": struct.Struct("<HBBI"), "big": struct.Struct(">HBBI")}


class SockFilter(NamedTuple):
    """One instruction (struct sock_filter): `jt` and `jf` count instructions from the next one."""

    code: int
    jt: int = 0
    jf: int = 0
    k: int = 0


class Form(NamedTuple):
    """One kind of instruction.

    name       the mnemonic
    kind       packet, imm, mem, len, store, alu, jump, return, move
    operation  abs, ind, msh; an arithmetic or comparison of `isa.semantics`; ja; tax, txa
    register   "a" or "x": what is loaded, stored, returned ("k": the constant)
    source     "k", "x" or "" (none): the second operand of arithmetic and comparisons
    size       bytes that a packet load takes
    operand    how the operand is written: a key of `text.OPERANDS`
    """

    code: int
    name: str
    kind: str
    operand: str
    operation: str = ""
    register: str = "a"
    source: str = ""
    size: int = 0


def _forms() -> Iterator[Form]:
    for size, code, name in ((4, 0x00, "ld"), (2, 0x08, "ldh"), (1, 0x10, "ldb")):
        yield Form(0x20 | code, name, "packet", "abs", "abs", size=size)
        yield Form(0x40 | code, name, "packet", "ind", "ind", size=size)
    yield Form(0xB1, "ldxb", "packet", "msh", "msh", "x", size=1)
    for code, name, register in ((0x00, "ld", "a"), (0x01, "ldx", "x")):
        yield Form(0x00 | code, name, "imm", "hex", register=register)
        yield Form(0x60 | code, name, "mem", "mem", register=register)
        yield Form(0x80 | code, name, "len", "len", register=register)
    yield Form(0x02, "st", "store", "mem", register="a")
    yield Form(0x03, "stx", "store", "mem", register="x")
    names = ("add", "sub", "mul", "div", "or", "and", "lsh", "rsh")
    for k, name in (*enumerate(names), (9, "mod"), (10, "xor")):
        operand = "hex" if name in ("or", "and", "xor") else "number"
        yield Form(0x04 | k << 4, name, "alu", operand, name, source="k")
        yield Form(0x0C | k << 4, name, "alu", "x", name, source="x")
    yield Form(0x84, "neg", "alu", "none", "neg")
    yield Form(0x05, "ja", "jump", "to", "ja")
    for k, name in enumerate(("jeq", "jgt", "jge", "jset"), 1):
        yield Form(0x05 | k << 4, name, "jump", "hex", name, source="k")
        yield Form(0x0D | k << 4, name, "jump", "x", name, source="x")
    yield Form(0x06, "ret", "return", "number", register="k")
    yield Form(0x16, "ret", "return", "none", register="a")
    yield Form(0x07, "tax", "move", "none", "tax", "x")
    yield Form(0x87, "txa", "move", "none", "txa", "a")


FORMS: dict[int, Form] = {form.code: form for form in _forms()}


def decode(data: bytes, endian: Endian = "little") -> list[SockFilter]:
    """The instructions in an array of struct sock_filter. AsmError when one is cut short."""
    if len(data) % 8:
        raise AsmError(f"{len(data)} bytes are no classic BPF filter: an instruction has 8 bytes")
    return [SockFilter(*fields) for fields in _LAYOUT[endian].iter_unpack(data)]


def encode(program: Iterable[SockFilter], endian: Endian = "little") -> bytes:
    """The bytes of a filter, as SO_ATTACH_FILTER takes them."""
    try:
        return b"".join(_LAYOUT[endian].pack(*insn) for insn in program)
    except struct.error as error:
        raise AsmError(f"an instruction does not fit struct sock_filter: {error}") from None


def ancillary(insn: SockFilter) -> str | None:
    """The name of the ancillary value that a load is of, None for a load of packet data."""
    form = FORMS.get(insn.code)
    return ANCILLARY.get(insn.k - ANCILLARY_BASE) if form and form.operation == "abs" else None


def check(program: Sequence[SockFilter]) -> str | None:
    """Why Linux would refuse a filter, or None: what SO_ATTACH_FILTER checks."""
    if not 0 < len(program) <= MAX_INSNS:
        return f"a filter has 1 to {MAX_INSNS} instructions, this one {len(program)}"
    for at, insn in enumerate(program):
        if reason := _check_one(insn, len(program) - at - 1):
            return f"instruction {at}: {reason}"
    if FORMS[program[-1].code].kind != "return":
        return f"instruction {len(program) - 1}: the last one must be ret"
    return _check_scratch(program)


def _check_one(insn: SockFilter, left: int) -> str | None:
    """`left` instructions follow."""
    form = FORMS.get(insn.code)
    if form is None:
        return f"unknown code {insn.code:#06x}"
    if form.operation in ("div", "mod") and form.source == "k" and not insn.k:
        return "division by zero"
    if form.operation in ("lsh", "rsh") and form.source == "k" and insn.k >= 32:
        return f"a shift by {insn.k} is not less than 32"
    if form.operand == "mem" and insn.k >= SCRATCH_WORDS:
        return f"there is no M[{insn.k}]"
    if form.kind == "jump":
        furthest = insn.k if form.operation == "ja" else max(insn.jt, insn.jf)
        if furthest >= left:
            return "a jump leads past the end"
    if form.operation == "abs" and insn.k >= ANCILLARY_BASE and not ancillary(insn):
        return f"there is no ancillary value at {insn.k - (1 << 32)}"
    return None


def _check_scratch(program: Sequence[SockFilter]) -> str | None:
    """Scratch words may be loaded only where every path has stored them (jumps go forward)."""
    every = (1 << SCRATCH_WORDS) - 1
    stored, at_target = 0, [every] * len(program)
    for at, insn in enumerate(program):
        form = FORMS[insn.code]
        stored &= at_target[at]
        if form.kind == "store":
            stored |= 1 << insn.k
        elif form.kind == "mem" and not stored >> insn.k & 1:
            return f"instruction {at}: M[{insn.k}] is loaded, but not stored before on every path"
        elif form.kind == "jump":
            for distance in (insn.k,) if form.operation == "ja" else (insn.jt, insn.jf):
                at_target[at + 1 + distance] &= stored
            stored = every
    return None
