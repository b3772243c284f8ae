"""Is an instruction, and a sequence of them, well formed?

This is what Linux checks before it follows a single path (bpf_check, check_subprogs, check_cfg):
known opcodes, reserved fields zero, registers that exist, jumps that land on instructions. What
registers and memory hold is the verifier's business.
"""

from collections.abc import Sequence
from typing import NamedTuple

from ebee.isa.flow import target
from ebee.isa.insn import FP, LDDW, REGISTERS, Insn
from ebee.isa.table import OPCODES, Form, form_of

_SPACES = (1, 1 << 16)  # the casts there are: from address space 1 to 0, and back


class Fault(NamedTuple):
    """A slot and what is wrong with it."""

    slot: int
    reason: str


def check(insn: Insn, following: Insn | None = None, *, internal: bool = False) -> str | None:
    """Why `insn` is no legal instruction, or None. A wide load needs its second slot `following`.
    With `internal`, what the kernel itself puts into a loaded program is legal too: its scratch
    register r11 and the forms without a `since`.

    Division by a constant zero and constant shifts past the width are legal here (RFC 9669 gives
    them a meaning); Linux's verifier refuses them. Linux ignores `off` of exit, which is reserved.
    """
    form = form_of(insn)
    if form is None:
        return _unknown(insn)
    if not form.since and not internal:
        return f"{form.name} is no instruction that Linux takes from a program"
    for field, role, value in zip(
        ("dst", "src", "off", "imm"),
        (form.dst, form.src, form.off, form.imm),
        insn[1:],
        strict=True,
    ):
        if isinstance(role, int):
            if value != role:
                wanted = f"{role}" if role else "zero (it is reserved)"
                return f"{field} is {value}, but in {form.name} must be {wanted}"
        elif field in ("dst", "src"):
            if value >= REGISTERS + internal:
                return f"there is no register r{value}"
            if value == FP and "w" in role:
                return "r10, the frame pointer, is read-only"
        elif role == "btf" and value < 0:
            return f"there is no module's BTF at the negative index {value}"
        elif role == "space" and value not in _SPACES:
            return "addr_space_cast converts only between address spaces 0 and 1"
    return _check_high(form, following) if form.wide else None


def _unknown(insn: Insn) -> str:
    if insn.op not in OPCODES:
        return f"unknown opcode {insn.op:#04x}"
    return f"opcode {insn.op:#04x} does not exist with src={insn.src} off={insn.off} imm={insn.imm}"


def _check_high(form: Form, following: Insn | None) -> str | None:
    if following is None:
        return "the second slot of a 64-bit immediate load is missing"
    if following[:4] != (0, 0, 0, 0):
        return "the second slot of a 64-bit immediate load has reserved fields that are not zero"
    if form.high == 0 and following.imm:
        return f"the upper immediate of {form.name} must be zero, not {following.imm}"
    return None


def check_program(insns: Sequence[Insn]) -> list[Fault]:
    """All that is wrong with a program as a whole; an empty list if nothing is.

    Besides each instruction: it is not empty, jumps and calls land on the start of an instruction
    inside it, and control cannot run off its end.
    """
    faults, starts, last, slot = [], set(), None, 0
    while slot < len(insns):
        following = insns[slot + 1] if slot + 1 < len(insns) else None
        if reason := check(insns[slot], following):
            faults.append(Fault(slot, reason))
        starts.add(slot)
        last, slot = slot, slot + 1 + (insns[slot].op == LDDW)
    if last is None:
        return [Fault(0, "the program has no instructions")]
    for start in sorted(starts):
        if form_of(insns[start]) and (to := target(insns[start], start)) is not None:
            if not 0 <= to < len(insns):
                faults.append(Fault(start, f"leads to slot {to}, outside the program"))
            elif to not in starts:
                faults.append(Fault(start, f"leads into the middle of the instruction at {to - 1}"))
    form = form_of(insns[last])
    if form and not form.terminator:
        faults.append(Fault(last, "control runs off the end: the last must be exit or goto"))
    return sorted(faults)
