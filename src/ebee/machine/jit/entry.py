"""What the entry of a packet's program is given besides its context: where the packet begins and
ends, in the registers of r2 and r3, which mean nothing to a program there.

While nothing has moved the packet, its pointers in the context need not be loaded, and how far the
packet reaches is a number to compare with.
"""

from __future__ import annotations

from ebee.abi.packet import Packet
from ebee.helpers import by_id
from ebee.isa import successors
from ebee.lang.ir import symbol
from ebee.machine.code import Code, block_of
from ebee.machine.jit.flow import reachable
from ebee.types import offsetof

GIVEN = {offsetof(Packet, "data"): "%data", offsetof(Packet, "data_end"): "%end"}
"""The parameters by the members of the packet block that they stand for."""

PARAMETERS = "ptr %cpu, ptr %context, ptr %data, ptr %end, i64 %a4, i64 %a5"
INNER_PARAMETERS = "ptr %cpu, i64 %a1, i64 %a2, i64 %a3, i64 %a4, i64 %a5"
"""What an entry takes, and any other function (or the entry where the context is no packet)."""


def takes_packet(code: Code) -> bool:
    """Whether a program's context is a packet."""
    hook = code.hook if code.arguments is None else None
    return hook is not None and hook.block is not None and issubclass(block_of(hook), Packet)


def unmoved(code: Code, callees: dict[int, set[int]], callbacks: list[int]) -> frozenset[int]:
    """The slots of the first function before which nothing has moved the packet; `callees` of each
    function, and the functions whose addresses are taken."""
    moving = {start for start in callees if any(_moves(code, s) for s in reachable(code, start))}
    while more := {s for s, below in callees.items() if s not in moving and below & moving}:
        moving |= more
    first = reachable(code, 0)
    moved: set[int] = set()
    work = [
        slot for slot in first
        if _moves(code, slot) or code.targets.get(slot) in moving
        or (_calls_back(code, slot) and not moving.isdisjoint(callbacks))
    ]  # fmt: skip
    while work:
        slot = work.pop()
        after = [s for s in successors(code.insns[slot], slot) if s not in moved]
        moved.update(after)
        work += after
    return frozenset(first - moved)


def calling(name: str, inner: str) -> str:
    """An entry that calls the function it stands for, with nothing in r2-r5."""
    arguments = "ptr %cpu, i64 %r1, i64 0, i64 0, i64 0, i64 0"
    return f"""define i64 {symbol(name)}({PARAMETERS}) nounwind {{
  %r1 = ptrtoint ptr %context to i64
  %r0 = call i64 {symbol(inner)}({arguments})
  ret i64 %r0
}}"""


def _moves(code: Code, slot: int) -> bool:
    """Whether the helper that is called here, if any, moves the packet."""
    form, number = code.forms[slot], code.insns[slot].imm
    if form is None or form.operation not in ("helper", "register"):
        return False
    helper = None if form.operation == "register" or number in code.extra else by_id(number)
    # Where a tail call falls through, nothing has been moved.
    return helper is None or (helper.moves_packet and helper.name != "tail_call")


def _calls_back(code: Code, slot: int) -> bool:
    form = code.forms[slot]
    helper = by_id(code.insns[slot].imm) if form and form.operation == "helper" else None
    return helper is not None and any(p.kind == "func" for p in helper.params)
