"""One instruction slot of eBPF: its fields, its bytes, and the numbers that stand in them.

Sources: RFC 9669; include/uapi/linux/bpf.h and bpf_common.h for the values Linux adds.
"""

import struct
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from ebee.errors import AsmError

SLOT = 8  # bytes of a slot
MAX_INSNS = 1_000_000  # what the kernel takes with CAP_BPF (BPF_COMPLEXITY_LIMIT_INSNS), in slots

# op bits 0-2: the class
LD, LDX, ST, STX, ALU, JMP, JMP32, ALU64 = range(8)

# op bits 3-4: the size of a memory access; bits 5-7: its mode
W, H, B, DW = 0x00, 0x08, 0x10, 0x18
IMM, ABS, IND, MEM, MEMSX, ATOMIC = 0x00, 0x20, 0x40, 0x60, 0x80, 0xC0

# op bit 3 of arithmetic and jumps: the second operand is the immediate (K) or a register (X);
# for END the byte order to convert to.
K, X = 0x00, 0x08
TO_LE, TO_BE = 0x00, 0x08

# op bits 4-7 of arithmetic
ADD, SUB, MUL, DIV, OR, AND, LSH, RSH = range(0x00, 0x80, 0x10)
NEG, MOD, XOR, MOV, ARSH, END = range(0x80, 0xE0, 0x10)

# op bits 4-7 of jumps
JA, JEQ, JGT, JGE, JSET, JNE, JSGT, JSGE = range(0x00, 0x80, 0x10)
CALL, EXIT, JLT, JLE, JSLT, JSLE, JCOND = range(0x80, 0xF0, 0x10)

# imm of atomics: an arithmetic code, or one of these (FETCH is a flag)
FETCH = 0x01
XCHG = 0xE0 | FETCH
CMPXCHG = 0xF0 | FETCH
LOAD_ACQ = 0x100
STORE_REL = 0x110

# src of the wide load `LD | IMM | DW`: what the immediate stands for
PSEUDO_MAP_FD = 1
PSEUDO_MAP_VALUE = 2
PSEUDO_BTF_ID = 3
PSEUDO_FUNC = 4
PSEUDO_MAP_IDX = 5
PSEUDO_MAP_IDX_VALUE = 6

# src of a call
HELPER_CALL = 0
PSEUDO_CALL = 1
PSEUDO_KFUNC_CALL = 2

LDDW = LD | IMM | DW  # the one instruction of two slots
FP = 10  # r10, the frame pointer: read only
REGISTERS = 11

U32 = 0xFFFF_FFFF
U64 = 0xFFFF_FFFF_FFFF_FFFF

Endian = Literal["little", "big"]
_LAYOUT = {"little": struct.Struct("<BBhi"), "big": struct.Struct(">BBhi")}


class Insn(NamedTuple):
    """One 8-byte slot. `off` and `imm` are signed; a wide load is two slots (see `lddw`)."""

    op: int
    dst: int = 0
    src: int = 0
    off: int = 0
    imm: int = 0


def lddw(dst: int, value: int, src: int = 0) -> tuple[Insn, Insn]:
    """The two slots that load a 64-bit immediate (signed or unsigned); `src` is a PSEUDO_ value."""
    return Insn(LDDW, dst, src, 0, signed(value, 32)), Insn(0, 0, 0, 0, signed(value >> 32, 32))


def imm64(low: Insn, high: Insn) -> int:
    """The unsigned 64-bit immediate of a wide load's two slots."""
    return (high.imm & U32) << 32 | low.imm & U32


def signed(value: int, bits: int) -> int:
    """The low `bits` bits of `value`, read as a two's complement number."""
    sign = 1 << bits - 1
    return (value & (sign << 1) - 1 ^ sign) - sign


def decode(data: bytes | bytearray | memoryview, endian: Endian = "little") -> list[Insn]:
    """The slots in `data`. The bytes need not be legal instructions; see `table.check`.

    Raises AsmError when the length is no multiple of 8.
    """
    if len(data) % SLOT:
        raise AsmError(
            f"{len(data)} bytes are no eBPF program: an instruction slot has {SLOT} bytes, "
            f"the last one here only {len(data) % SLOT}"
        )
    slots = _LAYOUT[endian].iter_unpack(data)
    if endian == "little":
        return [Insn(op, regs & 15, regs >> 4, off, imm) for op, regs, off, imm in slots]
    return [Insn(op, regs >> 4, regs & 15, off, imm) for op, regs, off, imm in slots]


def encode(insns: Iterable[Insn], endian: Endian = "little") -> bytes:
    """The bytes of a program. Raises AsmError naming the slot whose field does not fit."""
    insns = insns if isinstance(insns, Sequence) else list(insns)
    pack = _LAYOUT[endian].pack
    low, high = (0, 4) if endian == "little" else (4, 0)
    out = []
    for slot, (op, dst, src, off, imm) in enumerate(insns):
        try:
            if (dst | src) & ~15:
                raise struct.error
            out.append(pack(op, dst << low | src << high, off, imm))
        except struct.error:
            raise AsmError(f"instruction {slot} does not fit its slot: {insns[slot]}") from None
    return b"".join(out)
