"""What an instruction touches and where it leads: registers, memory, successors."""

from typing import NamedTuple

from ebee.errors import AsmError
from ebee.isa.insn import Insn
from ebee.isa.table import Form, form_of

CALL_CLOBBERS = 0b11_1111  # r0-r5, by every call and packet load
CALL_ARGUMENTS = 0b11_1110  # r1-r5
_CONTEXT = 1 << 6  # packet loads take the context from r6

# Registers that are touched without being named in a field: (read, written), by operation
_IMPLICIT = {
    "abs": (_CONTEXT, CALL_CLOBBERS),
    "ind": (_CONTEXT, CALL_CLOBBERS),
    "cmpxchg": (1, 1),
    "helper": (CALL_ARGUMENTS, CALL_CLOBBERS),
    "local": (CALL_ARGUMENTS, CALL_CLOBBERS),
    "kfunc": (CALL_ARGUMENTS, CALL_CLOBBERS),
    "register": (CALL_ARGUMENTS, CALL_CLOBBERS),
    "exit": (1, 0),
}


class Access(NamedTuple):
    """A memory access: `size` bytes at register `base` + `offset`."""

    base: int
    offset: int
    size: int
    signed: bool
    reads: bool
    writes: bool


def legal_form(insn: Insn) -> Form:
    """The form of an instruction; raises AsmError when there is none."""
    form = form_of(insn)
    if form is None:
        raise AsmError(f"no eBPF instruction: {insn}")
    return form


def reads(insn: Insn) -> int:
    """The registers read, as a bit mask. A call is taken to read all of r1-r5: how many are
    arguments only the callee's prototype knows.
    """
    form = legal_form(insn)
    named = (form.dst in ("r", "rw")) << insn.dst | (form.src in ("r", "rw")) << insn.src
    return named | _IMPLICIT.get(form.operation, (0, 0))[0]


def writes(insn: Insn) -> int:
    """The registers written or left without a defined value, as a bit mask."""
    form = legal_form(insn)
    named = (form.dst in ("w", "rw")) << insn.dst | (form.src == "rw") << insn.src
    return named | _IMPLICIT.get(form.operation, (0, 0))[1]


def access(insn: Insn) -> Access | None:
    """The memory access of a load, store or atomic; None for others and for packet loads."""
    form = legal_form(insn)
    if form.off != "mem":
        return None
    loads = form.kind == "load" or form.operation == "load_acquire"
    stores = form.kind == "store" or form.operation == "store_release"
    base = insn.src if loads else insn.dst
    return Access(base, insn.off, form.size, form.signed, not stores, not loads)


def target(insn: Insn, slot: int) -> int | None:
    """The slot that a jump, or a call or address of a function in this program, leads to."""
    form = legal_form(insn)
    distance = insn.off if form.off == "jump" else insn.imm if form.imm == "jump" else None
    return None if distance is None else slot + 1 + distance


def successors(insn: Insn, slot: int) -> tuple[int, ...]:
    """The slots where control can go on, calls stepped over; the fall-through comes first.

    Empty for `exit` and for `gotox`, whose targets are data.
    """
    form = legal_form(insn)
    following = () if form.terminator else (slot + 1 + form.wide,)
    if form.kind != "jump" or form.operation == "gotox":
        return following
    to = target(insn, slot)
    assert to is not None
    return (*following, to)
