"""What a conditional jump tells: of numbers, of null, of offsets, of how far the packet goes."""

from __future__ import annotations

from collections.abc import Callable

from ebee.isa import Form, Insn
from ebee.verifier.ranges import SWAPPED, Linear, assume, constant, evaluate, restrict
from ebee.verifier.state import NULL, ZERO, State, Value, immediate

Note = Callable[[Linear, Linear, State], None]
"""Told of all numbers that are compared, before they are narrowed."""

_FAR = 1 << 62
"""Offsets up to here make no address wrap around: user memory ends below 2**57."""

_NEAR = -512
"""Nor do offsets from here on: nothing is mapped in the first page."""

_LONGEST = 1 << 24
"""No packet has more bytes: the machine's frames and the kernel's socket buffers are shorter."""


def holds(s: State, note: Note, op: str, insn: Insn, form: Form) -> bool:
    """Take in that a comparison is true; False when it never is."""
    a = s.regs[insn.dst]
    b = s.regs[insn.src] if form.source == "reg" else immediate(insn)
    if a.nullable and b == NULL and form.width == 64:
        if op == "jeq":
            s.regs[insn.dst] = NULL
        elif op == "jne":
            s.regs[insn.dst] = a._replace(nullable=False)
        return True
    if a.number is None or b.number is None or a.nullable or b.nullable:
        return True
    if a.kind == b.kind == "scalar":
        return compare(s, note, op, form.width, a.number, b.number)
    if form.width == 64 and op in SWAPPED:
        if a.kind == b.kind and (a.kind in ("packet", "packet_meta") or (s.own(a) and s.own(b))):
            return compare_offsets(s, note, op, a.number, b.number)
        see_end(s, note, op, a, b)
        see_end(s, note, SWAPPED[op], b, a)
    return True


def compare(s: State, note: Note, op: str, width: int, a: Linear, b: Linear) -> bool:
    if op not in SWAPPED:
        # No bit of the mask is set: where the mask is the upper bits, the number is below them.
        mask = b.const & (1 << width) - 1
        low = (1 << width) - mask
        if op != "not jset" or b.terms or not mask or low & low - 1:
            return True
        op, b = "jlt", constant(low)
    note(a, b, s)
    note(b, a, s)
    for x, y, how in ((a, b, op), (b, a, SWAPPED[op])):
        r = restrict(how, width, evaluate(x, s.env), evaluate(y, s.env))
        if r is None or not assume(x, r, s.env):
            return False
    return True


def compare_offsets(s: State, note: Note, op: str, a: Linear, b: Linear) -> bool:
    """Pointers that begin at one place compare as their offsets do, if no address wraps."""
    ranges = evaluate(a, s.env), evaluate(b, s.env)
    near = all(r[0] >= _NEAR and r[1] <= _FAR for r in ranges)
    if op not in ("jeq", "jne"):
        if not near:
            return True
        op = op if op[1] == "s" else "js" + op[1:]  # offsets may be below zero
    return compare(s, note, op, 64, a, b)


def see_end(s: State, note: Note, op: str, a: Value, b: Value) -> None:
    """a compares like that with b: it may tell how far the packet goes."""
    ends = {"packet": ("packet_end",), "packet_meta": ("packet_end", "packet")}
    if b.kind not in ends.get(a.kind, ()) or b.number != ZERO or a.number is None:
        return
    # The end lies behind the start: data_meta <= data <= data_end is the machine's rule.
    lo, hi = evaluate(a.number, s.env)
    note(a.number, constant(_LONGEST), s)
    if op in ("jle", "jlt", "jeq", "jsle", "jslt") and lo >= 0 and hi <= _FAR:
        s.bound(a.kind, a.number, 1 if op in ("jlt", "jslt") else 0)
        assume(a.number, (lo, _LONGEST), s.env)
