"""Relocations that LLVM emits for position-independent code: what each refers to, and how its
value goes into the bytes (psABI of x86-64, table 4.9; ELF for the Arm 64-bit architecture, 5.7).
"""

from __future__ import annotations

import enum
import struct
from dataclasses import dataclass

from ebee.errors import CompileError
from ebee.lang.target import ARM64, X86_64, Target


class Kind(enum.Enum):
    """What is meant by the symbol: its place, a call of it (a stub will do), its entry in the
    table of addresses, or its absolute address (known when the image is loaded)."""

    PLACE = enum.auto()
    CALL = enum.auto()
    GOT = enum.auto()
    ABSOLUTE = enum.auto()


@dataclass(frozen=True, slots=True)
class Patch:
    """A kind of relocation. `form`: how the value is written, see FORMS; `bits`: of the field;
    `shift`: low bits that are not stored."""

    name: str
    kind: Kind
    form: str
    bits: int
    shift: int = 0

    def apply(self, data: bytearray, at: int, value: int) -> None:
        """Write the value, an offset in the image with the addend."""
        if self.form in ("relative", "branch", "condition", "test"):
            value -= at
        elif self.form == "page":
            value = (value >> 12) - (at >> 12)
        elif self.form == "low":
            value &= 0xFFF
        if self.form in ("relative", "word"):
            self._check(value, self.bits)
            size = self.bits // 8
            data[at : at + size] = (value & ((1 << self.bits) - 1)).to_bytes(size, "little")
            return
        (word,) = struct.unpack_from("<I", data, at)
        if value & ((1 << self.shift) - 1):
            raise CompileError(f"{self.name}: {value:#x} is not aligned")
        value >>= self.shift
        if self.form != "low":
            self._check(value, self.bits)
        value &= (1 << self.bits) - 1
        if self.form == "page":
            word = word & 0x9F00001F | (value & 3) << 29 | value >> 2 << 5
        else:
            place = {"branch": 0, "condition": 5, "test": 5, "low": 10}[self.form]
            word = word & ~(((1 << self.bits) - 1) << place) | value << place
        struct.pack_into("<I", data, at, word)

    def _check(self, value: int, bits: int) -> None:
        if not -(1 << bits - 1) <= value < 1 << bits - 1:
            raise CompileError(f"{self.name}: compiled code is too large: {value:#x} does not fit")

    def near(self, data: bytearray, at: int) -> bool:
        """Whether this is `mov reg, [rip + table]`, which may become `lea reg, [rip + symbol]`."""
        return self.name == "R_X86_64_REX_GOTPCRELX" and data[at - 2] == 0x8B


_X86 = {
    1: Patch("R_X86_64_64", Kind.ABSOLUTE, "word", 64),
    2: Patch("R_X86_64_PC32", Kind.PLACE, "relative", 32),
    4: Patch("R_X86_64_PLT32", Kind.CALL, "relative", 32),
    9: Patch("R_X86_64_GOTPCREL", Kind.GOT, "relative", 32),
    24: Patch("R_X86_64_PC64", Kind.PLACE, "relative", 64),
    41: Patch("R_X86_64_GOTPCRELX", Kind.GOT, "relative", 32),
    42: Patch("R_X86_64_REX_GOTPCRELX", Kind.GOT, "relative", 32),
}

_ARM64 = {
    257: Patch("R_AARCH64_ABS64", Kind.ABSOLUTE, "word", 64),
    260: Patch("R_AARCH64_PREL64", Kind.PLACE, "relative", 64),
    261: Patch("R_AARCH64_PREL32", Kind.PLACE, "relative", 32),
    275: Patch("R_AARCH64_ADR_PREL_PG_HI21", Kind.PLACE, "page", 21),
    277: Patch("R_AARCH64_ADD_ABS_LO12_NC", Kind.PLACE, "low", 12),
    278: Patch("R_AARCH64_LDST8_ABS_LO12_NC", Kind.PLACE, "low", 12),
    279: Patch("R_AARCH64_TSTBR14", Kind.PLACE, "test", 14, 2),
    280: Patch("R_AARCH64_CONDBR19", Kind.PLACE, "condition", 19, 2),
    282: Patch("R_AARCH64_JUMP26", Kind.CALL, "branch", 26, 2),
    283: Patch("R_AARCH64_CALL26", Kind.CALL, "branch", 26, 2),
    284: Patch("R_AARCH64_LDST16_ABS_LO12_NC", Kind.PLACE, "low", 11, 1),
    285: Patch("R_AARCH64_LDST32_ABS_LO12_NC", Kind.PLACE, "low", 10, 2),
    286: Patch("R_AARCH64_LDST64_ABS_LO12_NC", Kind.PLACE, "low", 9, 3),
    299: Patch("R_AARCH64_LDST128_ABS_LO12_NC", Kind.PLACE, "low", 8, 4),
    311: Patch("R_AARCH64_ADR_GOT_PAGE", Kind.GOT, "page", 21),
    312: Patch("R_AARCH64_LD64_GOT_LO12_NC", Kind.GOT, "low", 9, 3),
}

_TABLES = {X86_64.elf: _X86, ARM64.elf: _ARM64}


def patch_for(target: Target, number: int) -> Patch:
    """The relocation of a number; CompileError when it is not known."""
    patch = _TABLES[target.elf].get(number)
    if patch is None:
        raise CompileError(
            f"compiled code has relocation {number} of {target.name}, which is unknown"
        )
    return patch
