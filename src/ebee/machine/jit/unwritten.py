"""Which bytes of its frame a verified function may read before it has written them.

Since Linux 6.3 a privileged program may do that, on purpose or with the gaps of a struct that is a
key. They are zero on the interpreter; to LLVM they would be undefined, and so would be what depends
on them, so the frame begins with zeroes there. Bytes count as written only where a store of the
function itself says so on all ways.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ebee.helpers import SCALARS, Helper, Param, by_id
from ebee.isa import access, successors
from ebee.isa.insn import FP
from ebee.machine.calls import FIXED
from ebee.machine.code import Code
from ebee.machine.cpu import STACK
from ebee.machine.jit.flow import reachable
from ebee.verifier.facts import Fact

ALL = (1 << STACK) - 1
WRITTEN_ONLY = frozenset(("out", "mem_out", "map_value_out", "dynptr_out"))

Size = Callable[[str, str], int | None]
"""Bytes of a key or a value ("map_key" or another kind) of a map by its name, where known."""


def unwritten(code: Code, start: int, size: Size) -> tuple[int, int] | None:
    """The range of the frame, as offsets from its top, that holds all such bytes; None if there are
    none."""
    slots = reachable(code, start)
    written = {start: 0}
    work, found = [start], 0
    while work:
        slot = work.pop()
        if code.facts.before[slot] is None:
            continue
        after = written[slot] | _stored(code, slot)
        for s in successors(code.insns[slot], slot):
            before = written.get(s, ALL + 1)
            merged = after if before > ALL else before & after
            if merged != before:
                written[s] = merged
                work.append(s)
    for slot in slots & written.keys():
        if code.facts.before[slot] is not None:
            found |= _read(code, slot, size) & ~written[slot]
    if not found:
        return None
    return (found & -found).bit_length() - 1 - STACK, found.bit_length() - STACK


def _bytes(fact: Fact, size: int | None) -> int:
    """The bytes of the frame that `size` bytes from a pointer on may be, as a mask."""
    if fact.span is None or size is None or fact.nullable:
        return ALL
    low, high = max(fact.span[0], -STACK), min(fact.span[1] + size, 0)
    return ((1 << max(high - low, 0)) - 1) << (low + STACK)


def _own(code: Code, slot: int, fact: Fact) -> bool:
    return fact.kind == "stack" and fact.of == code.facts.reg(slot, FP).of


def _stored(code: Code, slot: int) -> int:
    """What a store writes for certain."""
    form, found = code.forms[slot], access(code.insns[slot])
    if form is None or found is None or form.kind != "store":
        return 0
    fact = code.facts.reg(slot, found.base).at(found.offset)
    exact = _own(code, slot, fact) and fact.offset is not None and fact.span is not None
    return _bytes(fact, form.size) if exact and not fact.nullable else 0


def _read(code: Code, slot: int, size: Size) -> int:
    """What an instruction may read of the frame."""
    form, insn = code.forms[slot], code.insns[slot]
    assert form is not None
    if form.kind in ("load", "atomic"):
        found = access(insn)
        assert found is not None
        return _through(code, slot, code.facts.reg(slot, found.base).at(found.offset), form.size)
    if form.operation == "helper":
        helper = code.extra.get(insn.imm) or by_id(insn.imm)
        if helper is not None:
            return _given(code, slot, helper, size)
    if form.kind != "call":
        return 0
    facts = [code.facts.reg(slot, r) for r in range(1, 6)]
    return ALL if any(_through(code, slot, fact, None) for fact in facts) else 0


def _through(code: Code, slot: int, fact: Fact, size: int | None) -> int:
    """What may be read of the frame through a pointer."""
    if _own(code, slot, fact):
        return _bytes(fact, size)
    return ALL if fact.kind == "unknown" else 0


def _given(code: Code, slot: int, helper: Helper, size: Size) -> int:
    """What a helper may read of the frame through its arguments."""
    found, facts = 0, {p.name: code.facts.reg(slot, r) for r, p in enumerate(helper.params, 1)}
    for register, param in enumerate(helper.params, 1):
        if param.kind not in WRITTEN_ONLY and param.kind not in SCALARS:
            fact = code.facts.reg(slot, register)
            found |= _through(code, slot, fact, _length(param, facts, size))
    return found


def _length(param: Param, facts: Mapping[str, Fact], size: Size) -> int | None:
    """The bytes behind an argument at the most."""
    if param.kind in ("map_key", "map_value"):
        m = next((f for f in facts.values() if f.kind == "map"), None)
        return size(m.of, param.kind) if m is not None and m.offset == 0 else None
    if param.kind in FIXED:
        return FIXED[param.kind]
    if param.kind in ("mem", "mem_rw") and param.of:
        if param.of.isdigit():
            return int(param.of)
        fact = facts.get(param.of)
        if fact is not None and fact.kind == "scalar" and fact.span and fact.span[0] >= 0:
            return fact.span[1]
    return None
