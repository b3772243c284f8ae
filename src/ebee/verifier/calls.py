"""What calls do to the facts: helpers by their declarations, functions by what is known of them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field

from ebee import helpers
from ebee.helpers import Helper
from ebee.isa import Form, Insn
from ebee.verifier.facts import PACKET_KINDS, POINTERS
from ebee.verifier.fixpoint import RESTLESS, Fixpoint, Flow
from ebee.verifier.graph import Graph
from ebee.verifier.ranges import FULL, Range, constant, evaluate, hull
from ebee.verifier.state import ANYTHING, NOTHING, NULL, ZERO, State, Value

Extra = Mapping[int, Helper]

_RESULTS = {"map_value": "map_value", "alloc_mem": "mem", "mem": "mem", "mem_out": "mem"}
_WRITTEN = frozenset(
    ("mem_out", "mem_rw", "map_value_out", "out", "inout", "dynptr", "dynptr_out", "spin_lock",
     "timer", "kptr")
)  # fmt: skip
"""Kinds of arguments behind which a helper writes."""

_SIZES = {"dynptr": 16, "dynptr_out": 16}
"""How much, where the kind says it."""

NEVER_STACK = frozenset(("packet", "packet_meta", "map_value", "mem"))
"""Kinds of pointers that no engine follows into a stack."""


@dataclass(slots=True)
class _Function:
    """What is known of a subprogram from its callers and its exits. `writes_stacks`: it may write
    into frames of its callers."""

    result: Value | None = None  # None: no exit reached yet
    range: Range | None = None  # of the result's number
    exits: int = 0
    moves_packet: bool = False
    writes_stacks: bool = False
    callers: set[int] = field(default_factory=set)


class Calls(Fixpoint):
    """The part of the pass that deals with functions."""

    def __init__(self, graph: Graph, extra: Extra):
        super().__init__(graph)
        self.extra = extra
        self.functions = {start: _Function() for start in graph.starts}

    @staticmethod
    def entry(start: int) -> State:
        """What every function knows when it starts."""
        return State([NOTHING] * 10 + [Value("stack", str(start), ZERO)])

    def leave(self, slot: int, v: Value, s: State) -> None:
        """A function ends at a slot, with a result."""
        if self.settled:
            return
        function = self.function(slot)
        r = evaluate(v.number, s.env) if v.number is not None else FULL
        v = Value("null") if v == NULL else v._replace(number=None)
        if function.result is not None and function.range is not None:
            v, r = _join_results(function.result, v), hull(function.range, r)
            if (v, r) == (function.result, function.range):
                return
            function.exits += 1
            if function.exits > RESTLESS or v == ANYTHING:
                r = FULL
        function.result, function.range = v, r
        for caller in function.callers:
            self.again(caller)

    def call(
        self, block: int, slot: int, insn: Insn, form: Form, s: State, entered: list[Flow]
    ) -> bool:
        """Whether control comes back; `entered` takes the flows into functions."""
        if form.operation == "local":
            return self.call_local(block, slot, slot + 1 + insn.imm, s, entered)
        number = insn.imm if form.operation == "helper" else None
        helper = None if number is None else self.extra.get(number) or helpers.by_id(number)
        if helper is not None:
            result = self.call_helper(block, slot, helper, s)
        else:
            result = ANYTHING
            self.write_stacks(slot, s)
            self.move_packet(slot, s)
        s.regs[0:6] = [result, *[NOTHING] * 5]
        if result.kind == "scalar":
            s.regs[0] = s.number(slot, FULL)
        return True

    def call_helper(self, block: int, slot: int, helper: Helper, s: State) -> Value:
        sizes = {p.name: s.regs[i] for i, p in enumerate(helper.params, 1)}
        for i, param in enumerate(helper.params, 1):
            v = s.regs[i]
            if param.kind == "func":
                self.call_back(block, slot, v, s)
            elif param.kind not in _WRITTEN or v.kind in NEVER_STACK:
                continue
            elif s.own(v):
                of = param.of or ""
                size = _SIZES.get(param.kind)
                if size is None:
                    size = int(of) if of.isdigit() else _most(sizes.get(of), s)
                s.forget(evaluate(v.number, s.env) if v.number else None, size)
            elif v != NULL:
                self.write_stacks(slot, s)
        if helper.name == "tail_call":  # on success control is back in the caller next
            self.mark_writer(slot)
            self.leave(slot, Value("scalar"), s)
        if helper.moves_packet:
            self.move_packet(slot, s)
        kind = _RESULTS.get(helper.result.kind)
        if kind is None:
            return Value("scalar")
        of = s.regs[1].of if s.regs[1].kind == "map" else ""
        return Value(kind, of, ZERO, helper.result.nullable)

    def call_back(self, block: int, slot: int, v: Value, s: State) -> None:
        """A helper calls a function, with arguments that `block` has seen to."""
        known = self.functions.get(int(v.of)) if v.kind == "func" else None
        if known is not None:
            known.callers.add(block)
        if known is None or known.writes_stacks:
            self.write_stacks(slot, s)
        if known is None or known.moves_packet:
            self.move_packet(slot, s)

    def call_local(self, block: int, slot: int, target: int, s: State, entered: list[Flow]) -> bool:
        if target not in self.functions:
            return False
        function = self.functions[target]
        function.callers.add(block)
        entered.append((target, self.passed(target, s)))
        if function.result is None:
            return False  # the call is looked at again when an exit is reached
        if function.writes_stacks:
            self.write_stacks(slot, s)
        if function.moves_packet:
            self.move_packet(slot, s)
        result, r = function.result, function.range
        s.regs[0:6] = [NOTHING] * 6
        if result.kind == "null":
            s.regs[0] = NULL
        elif result.kind == "stack" and (result.of == str(target) or s.own(result)):
            s.regs[0] = ANYTHING  # of a frame that is gone, or of another one of this function
        else:
            s.regs[0] = s.renamed(result, r, slot)
        return True

    def passed(self, target: int, s: State) -> State:
        """What a function is entered with."""
        inside = self.entry(target)
        for i in range(1, 6):
            v = s.regs[i]
            if v.kind == "stack" and v.of == str(target):
                # A frame of the same function is another one, which facts cannot tell from its own.
                v = ANYTHING
            r = evaluate(v.number, s.env) if v.number is not None else None
            inside.regs[i] = made = inside.renamed(v, r, target)
            if v.kind in PACKET_KINDS and v.number is not None and made.number is not None:
                reach = s.reach(v.kind, v.number)
                if reach is not None and r is not None and r[0] >= 0:
                    inside.bound(v.kind, made.number, reach)
        for (kind, terms), n in s.bounds.items():
            if not terms:
                inside.bound(kind, constant(n), 0)
        return inside

    def function(self, slot: int) -> _Function:
        starts = self.graph.starts
        return self.functions[starts[max(bisect_right(starts, slot) - 1, 0)]]

    def write_stacks(self, slot: int, s: State) -> None:
        """Something was written that may lie in any frame, of the callers too."""
        s.stack.clear()
        self.mark_writer(slot)

    def mark_writer(self, slot: int) -> None:
        function = self.function(slot)
        if not function.writes_stacks:
            function.writes_stacks = True
            for caller in function.callers:
                self.again(caller)

    def move_packet(self, slot: int, s: State) -> None:
        """The packet moved: pointers into it are worth nothing now, in the callers too."""
        function = self.function(slot)
        if not function.moves_packet:
            function.moves_packet = True
            for caller in function.callers:
                self.again(caller)
        s.regs = [ANYTHING if v.kind in PACKET_KINDS else v for v in s.regs]
        s.stack = {at: ANYTHING if v.kind in PACKET_KINDS else v for at, v in s.stack.items()}
        s.bounds = {}


def _most(v: Value | None, s: State) -> int | None:
    """The greatest length that a register may hold; engines look at its low 32 bits. (The number of
    a pointer is no length: it is where that points to, from the start of the object.)"""
    if v is None or v.kind != "scalar" or v.number is None:
        return None
    lo, hi = evaluate(v.number, s.env)
    return hi if lo >= 0 and hi < 1 << 32 else None


def _join_results(a: Value, b: Value) -> Value:
    """As `Join.value`, for results; their numbers are joined as ranges."""
    if a == b:
        return a
    for null, other in ((a, b), (b, a)):
        if null.kind == "null" and other.kind in POINTERS:
            return other._replace(nullable=True)
        if null.kind == "null" and other.kind == "scalar":
            return other
    if a.kind != b.kind or a.of != b.of:
        return NOTHING if "none" in (a.kind, b.kind) else ANYTHING
    return a._replace(nullable=a.nullable or b.nullable)
