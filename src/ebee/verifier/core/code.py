"""The program's instructions, decoded once for the walk, and what their fields must be."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from ebee.isa import Form, Insn, form_of
from ebee.isa.insn import LDDW, MEM, MEMSX
from ebee.isa.legal import check as check_insn
from ebee.isa.table import FORMS
from ebee.verifier.core.errors import EINVAL, Rejected

CLASSES = ("LD", "LDX", "ST", "STX", "ALU", "JMP", "JMP32", "ALU64")


class Op:
    """One instruction with its form's fields at hand. `imm` of a wide load is all 64 bits."""

    __slots__ = (
        "bits",
        "dst",
        "form",
        "imm",
        "insn",
        "kind",
        "name",
        "off",
        "operation",
        "reg",
        "signed",
        "size",
        "slot",
        "src",
        "stores",
        "target",
        "width",
    )  # fmt: skip

    def __init__(self, slot: int, insn: Insn, form: Form, high: int):
        self.slot, self.insn, self.form = slot, insn, form
        self.dst, self.src, self.off, self.imm = insn.dst, insn.src, insn.off, insn.imm
        self.kind, self.operation, self.name = form.kind, form.operation, form.name
        self.bits, self.reg, self.size, self.signed = (
            form.width, form.source == "reg", form.size, form.signed,
        )  # fmt: skip
        self.width = 2 if form.wide else 1
        self.stores = form.kind in ("store", "atomic")
        if form.name == "lddw_imm":
            self.imm = (insn.imm & 0xFFFF_FFFF) | (high & 0xFFFF_FFFF) << 32
        elif form.wide:
            self.imm = high
        distance = insn.off if form.off == "jump" else insn.imm if form.imm == "jump" else None
        self.target = -1 if distance is None else slot + 1 + distance

    @property
    def sign(self) -> str:
        """The operator as the kernel prints it: "+=", "&="."""
        return self.form.text.split()[1]


def decode(insns: Sequence[Insn], version: str) -> list[Op | None]:
    """An Op for each slot; None for the second slot of a wide load, and for what is no instruction
    of a version of Linux, which is an error where control comes (`fault`), if not before
    (`scan`)."""
    newest = _numbers(version)
    found: list[Op | None] = [None] * len(insns)
    slot = 0
    while slot < len(insns):
        insn = insns[slot]
        form = form_of(insn)
        following = insns[slot + 1] if slot + 1 < len(insns) else None
        high = following.imm if insn.op == LDDW and following is not None else 0
        known = form is not None and form.since and _numbers(form.since) <= newest
        if form is not None and known and not check_insn(insn, following):
            found[slot] = Op(slot, insn, form, high)
        slot += 2 if insn.op == LDDW else 1
    return found


@cache
def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


@cache
def _opcodes(version: str) -> frozenset[int]:
    newest = _numbers(version)
    return frozenset(f.op for f in FORMS if f.since and _numbers(f.since) <= newest)


def scan(insns: Sequence[Insn], version: str) -> None:
    """What is looked at in every instruction before any path is walked: opcodes, the fields of
    loads and of wide loads (resolve_pseudo_ldimm64)."""
    slot = 0
    while slot < len(insns):
        insn = insns[slot]
        if insn.op & 7 == 1 and (insn.op & 0xE0 not in (MEM, MEMSX) or insn.imm):
            raise _bad("BPF_LDX uses reserved fields")
        if insn.op == LDDW:
            _scan_wide(insn, insns[slot + 1] if slot + 1 < len(insns) else None)
            slot += 1
        elif insn.op not in _opcodes(version):
            raise _bad(f"unknown opcode {insn.op:02x}")
        slot += 1


def _scan_wide(insn: Insn, following: Insn | None) -> None:
    if following is None or following[:4] != (0, 0, 0, 0):
        raise _bad("invalid bpf_ld_imm64 insn")
    form = form_of(insn)
    if form is None or (form.high == 0 and following.imm and form.name.startswith("lddw_map")):
        raise _bad("unrecognized bpf_ld_imm64 insn")


def _bad(message: str, reason: str = "") -> Rejected:
    return Rejected("bad-instruction", message, reason, EINVAL)


def _reserved(insn: Insn) -> bool:
    """Whether a field holds something that its form does not have, of which Linux complains before
    it looks at registers."""
    form = form_of(insn)
    roles = (form.dst, form.src, form.off, form.imm) if form is not None else ()
    return form is None or any(
        isinstance(role, int) and value != role
        for role, value in zip(roles, insn[1:], strict=True)
    )  # fmt: skip


def fault(insns: Sequence[Insn], slot: int) -> Rejected:
    """Why there is no Op at a slot, as the kernel says it where that is known."""
    insn = insns[slot]
    following = insns[slot + 1] if slot + 1 < len(insns) else None
    reason = check_insn(insn, following) or "it is the second half of a wide load"
    cls = CLASSES[insn.op & 7]
    if (insn.dst > 10 or insn.src > 10) and not _reserved(insn):
        message = f"R{insn.dst if insn.dst > 10 else insn.src} is invalid"
    elif "read-only" in reason:
        message = "frame pointer is read only"
    elif insn.op == LDDW:
        message = "BPF_LD_IMM64 uses reserved fields"
    elif cls in ("LDX", "ST"):
        message = f"BPF_{cls} uses reserved fields"
    elif cls == "STX":
        message = "BPF_STX uses reserved fields"
        if insn.op >> 5 == 6:
            message = f"BPF_ATOMIC uses invalid atomic opcode {insn.imm & 0xFFFF_FFFF:02x}"
    elif cls in ("ALU", "ALU64"):
        code = insn.op & 0xF0
        name = {0x80: "BPF_NEG", 0xD0: "BPF_END", 0xB0: "BPF_MOV"}.get(code, "BPF_ALU")
        message = (
            f"{name} uses reserved fields" if code <= 0xD0 else f"invalid BPF_ALU opcode {code:x}"
        )
    elif insn.op & 0xF0 == 0x80:
        message = "BPF_CALL uses reserved fields"
    elif insn.op & 0xF0 == 0x90:
        message = "BPF_EXIT uses reserved fields"
    elif insn.op & 0xF0 == 0:
        message = "BPF_JA uses reserved fields"
    elif cls == "LD":
        message = "BPF_LD_[ABS|IND] uses reserved fields"
    else:
        message = "BPF_JMP/JMP32 uses reserved fields"
    return _bad(message, reason)
