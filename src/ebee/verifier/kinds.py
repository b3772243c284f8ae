"""The first producer of facts: a flow-sensitive pass that follows pointers and numbers.

It goes over blocks of code until nothing changes (a loop's numbers are widened to those that the
program compares with), then twice more from what it found, which can only make it exacter. It
never fails: what it cannot follow is "unknown".
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from ebee import helpers
from ebee.helpers import Helper
from ebee.hooks import Hook
from ebee.isa import Form, Insn, form_of, imm64
from ebee.isa.insn import FP, U64
from ebee.obj.spec import Linked
from ebee.verifier.facts import PACKET_KINDS, POINTERS, Fact, Facts
from ebee.verifier.graph import Graph
from ebee.verifier.ranges import (
    FULL,
    MANY_TERMS,
    NEGATED,
    SWAPPED,
    Linear,
    Range,
    add,
    assume,
    compute,
    constant,
    evaluate,
    hull,
    restrict,
    truncate,
)
from ebee.verifier.state import (
    ANYTHING,
    COUNTER,
    ENDLESS,
    MADE,
    NOTHING,
    NULL,
    PER_SLOT,
    ZERO,
    Join,
    State,
    Value,
    arrive,
    symbol,
)

Extra = Mapping[int, Helper]
Flow = tuple[int, State]

_RESULTS = {"map_value": "map_value", "alloc_mem": "mem", "mem": "mem", "mem_out": "mem"}
_WRITTEN = frozenset(
    ("mem_out", "mem_rw", "map_value_out", "out", "inout", "dynptr", "dynptr_out", "spin_lock")
)
"""Kinds of arguments behind which a helper writes."""

_NEVER_STACK = frozenset(("packet", "packet_meta", "map_value", "mem"))
"""Kinds of pointers that no engine follows into a stack."""

_NUMBERS = frozenset(("packet", "packet_meta", "map_value"))
"""Kinds of pointers behind which numbers stand, and no pointers."""

_FAR = 1 << 62
"""Offsets up to here make no address wrap around: user memory ends below 2**57."""

_LONGEST = 1 << 24
"""No packet has more bytes: the machine's frames and the kernel's socket buffers are shorter."""

_CLIMBS, _RESTLESS = 8, 40
"""Steps that one end of a range is widened in; joins at a slot before it is blurred."""

_STEPS_UP = {(1 << 31) - 1, (1 << 32) - 1, (1 << 63) - 1}
_STEPS_DOWN = {0, -(1 << 31)}
_ROUNDS, _RESTARTS, _PATIENCE = 2, 3, 2


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


class _Pass:
    def __init__(self, program: Linked, hook: Hook | None, arguments: Sequence[Fact], extra: Extra):
        self.insns = program.insns
        self.forms = list(_forms(program.insns))
        self.hook, self.extra = hook, extra
        self.refs = {r.slot: r for r in program.refs if r.kind in ("map", "data")}
        self.starts = sorted({0, *(f.start for f in program.funcs), *self._entered()})
        self.functions = {start: _Function() for start in self.starts}
        self.graph = Graph(self.insns, self.forms, self.starts)
        self.states: dict[int, State] = {}
        self.arrived: dict[int, dict[int, State]] = {}
        self.visits: dict[int, int] = {}
        self.restarts: dict[int, int] = {}
        self.thresholds: dict[int, set[int]] = {}
        self.climbs: dict[tuple[int, int], int] = {}
        self.work: list[tuple[int, int]] = []
        self.waiting: set[int] = set()
        self.settled = False
        self.given = [Value(f.kind, f.of, _known(f), f.nullable) for f in arguments]

    def _entered(self) -> Iterator[int]:
        """Slots that calls and addresses of functions lead to."""
        for slot, form in enumerate(self.forms):
            if form is not None and form.operation in ("local", "func") and form.imm == "jump":
                yield slot + 1 + self.insns[slot].imm

    # -- fixed point -------------------------------------------------------------------------------

    def run(self) -> Facts:
        self.join(-1, 0, self.entry(0, self.given))
        while self.work:
            block = heapq.heappop(self.work)[1]
            self.waiting.discard(block)
            for target, after in self.block(block):
                self.join(block, target, after)
        self.settled = True
        for _ in range(_ROUNDS if self.graph.heads else 0):
            self.narrow()
        return self.facts()

    def again(self, block: int) -> None:
        if block not in self.waiting and not self.settled:
            self.waiting.add(block)
            heapq.heappush(self.work, (self.graph.order[block], block))

    def join(self, source: int, target: int, s: State) -> None:
        """Take in a state that arrives at a block.

        Where no circle is closed, what is known follows from the states that arrived last. Heads of
        loops and functions, where circles begin, only ever get to know less, and so come to rest;
        but a loop whose start is described anew may begin anew a few times.
        """
        head, back = target in self.graph.heads, self.closes(source, target)
        if head:
            arrive(s, target, back)
        s.prune()
        known = self.states.get(target)
        if back:
            arrived = [s]
        else:
            self.arrived.setdefault(target, {})[source] = s
            arrived = list(self.arrived[target].values())
        gathers = head or target in self.functions
        if known is not None and gathers and not self.begins_anew(known, target, s, back):
            self.gather(known, target, s, back)
            return
        made = self.together(target, arrived)
        if made != known:
            self.states[target] = made
            self.again(target)

    def together(self, target: int, arrived: Sequence[State]) -> State:
        """What holds in all states that arrive at a block, none of them by closing a loop."""
        made = arrived[0].copy()
        for s in arrived[1:]:
            Join(made, s, target, target in self.graph.heads, False).apply(None)
        return made

    def begins_anew(self, known: State, target: int, s: State, back: bool) -> bool:
        if back or target in self.functions or self.restarts.get(target, 0) >= _RESTARTS:
            return False
        if Join(known.copy(), s, target, True, False).shapes():
            self.restarts[target] = self.restarts.get(target, 0) + 1
            self.climbs = {k: n for k, n in self.climbs.items() if k[0] // PER_SLOT != target}
            return True
        return False

    def gather(self, known: State, target: int, s: State, back: bool) -> None:
        visits = self.visits[target] = self.visits.get(target, 0) + 1
        joined = Join(known, s, target, target in self.graph.heads, back)
        if joined.apply(self.widen if back else None, shrink=visits > _CLIMBS):
            if visits > _RESTLESS:
                known.blur()
            self.again(target)

    def closes(self, source: int, target: int) -> bool:
        """Whether control comes back to a loop's head; a call of a function enters it."""
        return target in self.graph.after.get(source, ()) and self.graph.closes(source, target)

    def widen(self, name: int, old: Range, new: Range) -> Range:
        """Let an end of a range that moved go on to the next number that is compared with."""
        marks = self.thresholds.get(name, set())
        lo, hi = new
        endless = ENDLESS if name % PER_SLOT == COUNTER else U64
        if hi > old[1] and (climbs := self.climb(name, 1)) > _PATIENCE:
            steps = marks | (_STEPS_UP if endless == U64 else set())
            hi = min((n for n in steps if n >= hi and climbs < _CLIMBS), default=endless)
        if lo < old[0] and (climbs := self.climb(name, -1)) > _PATIENCE:
            steps = marks | _STEPS_DOWN
            lo = max((n for n in steps if n <= lo and climbs < _CLIMBS), default=-(1 << 63))
        return (lo, hi) if hi - lo < U64 else FULL

    def climb(self, name: int, way: int) -> int:
        """How often one end of a symbol's range has moved."""
        n = self.climbs[name, way] = self.climbs.get((name, way), 0) + 1
        return n

    def narrow(self) -> None:
        """Find all states anew from those that are known to hold: what one step from them gives
        holds as well. Expressions stay; only ranges of symbols become narrower."""
        flows: dict[int, list[tuple[int, State]]] = {0: [(-1, self.entry(0, self.given))]}
        for block in self.states:
            for target, after in self.block(block):
                flows.setdefault(target, []).append((block, after))
        states = {}
        for target, arriving in flows.items():
            for source, s in arriving:
                if target in self.graph.heads:
                    arrive(s, target, self.closes(source, target))
                s.prune()
            if target in self.graph.heads or target in self.functions:
                states[target] = self.narrowed(target, arriving)
            else:
                states[target] = self.together(target, [s for _, s in arriving])
        self.states = states

    def narrowed(self, target: int, arriving: list[tuple[int, State]]) -> State:
        """The same expressions as before, with the ranges that the symbols have now."""
        known = self.states[target]
        env: dict[int, Range] = {}
        for source, s in arriving:
            back = self.closes(source, target)
            joined = Join(known.copy(), s, target, target in self.graph.heads, back)
            joined.first_turn = False
            if joined.shapes():
                return known
            for name, r in joined.ranges().items():
                env[name] = hull(env[name], r) if name in env else r
        return State(known.regs, known.stack, known.env | env, known.bounds)

    # -- what was found ----------------------------------------------------------------------------

    def facts(self) -> Facts:
        before: list[tuple[Fact, ...] | None] = [None] * len(self.insns)
        for block in self.states:
            for _ in self.block(block, before):
                pass
        turns = {}
        for head in self.graph.heads:
            s = self.states.get(head)
            most = s.env[symbol(head, COUNTER)][1] if s is not None else 0
            if most < ENDLESS:
                turns[head] = most
        return Facts(before, self.graph.runs(turns))

    # -- one block ---------------------------------------------------------------------------------

    def entry(self, start: int, arguments: Sequence[Value]) -> State:
        frame = Value("stack", str(start), ZERO)
        return State([NOTHING, *arguments, *[NOTHING] * (9 - len(arguments)), frame])

    def function_of(self, slot: int) -> int:
        return self.starts[max(bisect_right(self.starts, slot) - 1, 0)]

    def block(
        self, block: int, record: list[tuple[Fact, ...] | None] | None = None
    ) -> Iterator[Flow]:
        """Run a block; where control goes on, and what is known there."""
        s = self.states[block].copy()
        seen: list[Value | None] = [None] * 11
        facts: list[Fact] = [Fact("none")] * 11
        for slot in self.graph.slots(block):
            if record is not None:
                for i, v in enumerate(s.regs):
                    if v is not seen[i]:
                        seen[i], facts[i] = v, s.fact(v)
                record[slot] = tuple(facts)
            insn, form = self.insns[slot], self.forms[slot]
            if form is None or form.kind == "exit":
                if form is not None:
                    self.leave(slot, s.regs[0], s)
                return
            if form.kind == "jump":
                yield from self.jump(slot, insn, form, s)
                return
            if form.kind == "call":
                entered: list[Flow] = []
                returns = self.call(block, slot, insn, form, s, entered)
                yield from entered
                if not returns:
                    return
            elif form.kind == "imm64":
                if form.operation == "func":
                    target = slot + 1 + insn.imm  # a callback: called by a helper
                    yield target, self.entry(target, [ANYTHING] * 5)
                s.regs[insn.dst] = self.wide(slot, insn, form)
            else:
                self.plain(slot, insn, form, s)
        end = self.graph.end[block]
        if end < len(self.insns):
            yield end, s

    def plain(self, slot: int, insn: Insn, form: Form, s: State) -> None:
        if form.kind == "alu":
            self.alu(slot, insn, form, s)
        elif form.kind == "load":
            self.load(slot, insn, form, s)
        elif form.kind in ("store", "atomic"):
            self.store(slot, insn, form, s)
        elif form.kind == "packet":
            self.leave(slot, NULL, s)  # outside the packet
            s.regs[0:6] = [NOTHING] * 6
            s.regs[0] = self.number(slot, s, (0, (1 << 32) - 1))

    @staticmethod
    def number(slot: int, s: State, r: Range) -> Value:
        """A number of which only the range is known."""
        if r[0] == r[1]:
            return Value("scalar", "", constant(r[0]))
        return Value("scalar", "", s.fresh(slot, r))

    # -- arithmetic --------------------------------------------------------------------------------

    def alu(self, slot: int, insn: Insn, form: Form, s: State) -> None:
        left = s.regs[insn.dst]
        right = s.regs[insn.src] if form.source == "reg" else _immediate(insn)
        op, width = form.operation, form.width
        s.regs[insn.dst] = ANYTHING
        if op == "addr_space_cast":
            return
        if op == "mov" and width == 64:
            s.regs[insn.dst] = right
            return
        if width == 64 and op in ("add", "sub"):
            if op == "add" and left.kind == "scalar" and right.kind in POINTERS:
                left, right = right, left
            if left.kind in POINTERS and right.kind == "scalar":
                if not left.nullable:  # null plus something is no longer null
                    number = self.moved(slot, s, left.number, right.number, op)
                    s.regs[insn.dst] = left._replace(number=number)
                return
            if not {left.kind, right.kind}.isdisjoint(("unknown", "none")):
                return
        s.regs[insn.dst] = self.result(slot, s, op, width, left, right)

    def moved(
        self, slot: int, s: State, a: Linear | None, b: Linear | None, op: str
    ) -> Linear | None:
        if a is None or b is None:
            return None
        made = add(a, b, 1 if op == "add" else -1)
        return s.fresh(slot, evaluate(made, s.env)) if len(made.terms) > MANY_TERMS else made

    def result(self, slot: int, s: State, op: str, width: int, left: Value, right: Value) -> Value:
        """The number that an operation gives; what is no number to us may have any bits."""
        a = left.number if left.kind == "scalar" else None
        b = right.number if right.kind == "scalar" else None
        if a is not None and b is not None:
            made = compute(op, width, a, b, s.env)
        else:
            env = {**s.env, -1: FULL, -2: FULL}
            any_a, any_b = Linear(0, ((-1, 1),)), Linear(0, ((-2, 1),))
            made = compute(op, width, a or any_a, b or any_b, env)
            if isinstance(made, Linear):
                made = evaluate(made, env)
        if isinstance(made, Linear):
            return Value("scalar", "", made)
        return self.number(slot, s, made if made[1] - made[0] < U64 else FULL)

    def wide(self, slot: int, insn: Insn, form: Form) -> Value:
        ref = self.refs.get(slot)
        if ref is not None:
            if ref.kind == "map":
                return Value("map", ref.symbol, ZERO)
            return Value("map_value", ref.symbol, constant(ref.addend))
        if form.operation == "imm":
            return Value("scalar", "", constant(imm64(insn, self.insns[slot + 1])))
        if form.operation == "func":
            return Value("func", str(slot + 1 + insn.imm), ZERO)
        return ANYTHING

    # -- memory ------------------------------------------------------------------------------------

    def load(self, slot: int, insn: Insn, form: Form, s: State) -> None:
        base, bits = s.regs[insn.src], form.size * 8
        s.regs[insn.dst] = ANYTHING
        r = (0, (1 << bits) - 1)
        if form.signed:
            r = (-1 << bits - 1, (1 << bits - 1) - 1)
        if base.kind == "ctx" and base.number is not None and not base.number.terms:
            at = base.number.const + insn.off
            for f in self.hook.fields if self.hook else ():
                if f.offset == at and f.size == form.size and f.kind != "scalar":
                    s.regs[insn.dst] = Value(f.kind, "", ZERO)
                    return
        elif self.own(base, s) and base.number is not None and not base.number.terms:
            v = s.stack.get(base.number.const + insn.off, ANYTHING)
            if bits == 64:
                s.regs[insn.dst] = v
                return
            if v.kind == "scalar" and v.number is not None:
                low = truncate(v.number, s.env, bits, form.signed)
                if isinstance(low, Linear):
                    s.regs[insn.dst] = v._replace(number=low)
                    return
        elif bits == 64 and base.kind not in _NUMBERS:
            return
        s.regs[insn.dst] = self.number(slot, s, r)

    @staticmethod
    def own(base: Value, s: State) -> bool:
        """Whether a stack pointer points into the running function's own frame."""
        return base.kind == "stack" and base.of == s.regs[FP].of

    def store(self, slot: int, insn: Insn, form: Form, s: State) -> None:
        bits = form.size * 8
        if form.operation == "load_acquire":
            numbers = bits < 64 or s.regs[insn.src].kind in _NUMBERS
            s.regs[insn.dst] = ANYTHING
            if numbers:
                s.regs[insn.dst] = self.number(slot, s, (0, (1 << bits) - 1))
            return
        base = s.regs[insn.dst]
        if self.own(base, s):
            where = None if base.number is None else evaluate(base.number, s.env)
            if where is not None:
                where = where[0] + insn.off, where[1] + insn.off
            s.forget(where, form.size)
            at = where[0] if where is not None and where[0] == where[1] else 0
            if form.kind == "store" and form.size == 8 and at % 8 == 0 and -512 <= at < 0:
                s.stack[at] = s.regs[insn.src] if form.source == "reg" else _immediate(insn)
        elif base.kind not in _NEVER_STACK:
            self.write_stacks(slot, s)
        fetches = form.operation.startswith(("fetch_", "xchg"))
        if form.kind == "atomic" and (fetches or form.operation == "cmpxchg"):
            register = insn.src if fetches else 0
            s.regs[register] = ANYTHING
            if bits < 64 or base.kind in _NUMBERS:
                s.regs[register] = self.number(slot, s, (0, (1 << bits) - 1))

    # -- jumps -------------------------------------------------------------------------------------

    def jump(self, slot: int, insn: Insn, form: Form, s: State) -> Iterator[Flow]:
        if form.operation == "gotox":
            return
        target = slot + 1 + (insn.imm if form.imm == "jump" else insn.off)
        if form.terminator or target == slot + 1:
            yield target, s
            return
        for r in (insn.dst, insn.src) if form.source == "reg" else (insn.dst,):
            v = s.regs[r]
            if v.kind == "scalar" and v.number is None:
                s.regs[r] = self.number(slot, s, FULL)
        taken = s.copy()
        if self.holds(taken, form.operation, insn, form):
            yield target, taken
        if self.holds(s, NEGATED.get(form.operation, "not " + form.operation), insn, form):
            yield slot + 1, s

    def holds(self, s: State, op: str, insn: Insn, form: Form) -> bool:
        """Take in that a comparison is true; False when it never is."""
        a = s.regs[insn.dst]
        b = s.regs[insn.src] if form.source == "reg" else _immediate(insn)
        if a.nullable and b == NULL and form.width == 64:
            if op == "jeq":
                s.regs[insn.dst] = NULL
            elif op == "jne":
                s.regs[insn.dst] = a._replace(nullable=False)
            return True
        if a.number is None or b.number is None or a.nullable or b.nullable:
            return True
        if a.kind == b.kind == "scalar":
            return self.compare(s, op, form.width, a.number, b.number)
        if form.width == 64 and op in SWAPPED:
            if a.kind == b.kind and (a.kind in ("packet", "packet_meta") or self.own_both(a, b, s)):
                return self.compare_offsets(s, op, a.number, b.number)
            self.see_end(s, op, a, b)
            self.see_end(s, SWAPPED[op], b, a)
        return True

    def own_both(self, a: Value, b: Value, s: State) -> bool:
        return self.own(a, s) and self.own(b, s)

    def compare(self, s: State, op: str, width: int, a: Linear, b: Linear) -> bool:
        if op not in SWAPPED:
            # No bit of the mask is set: where the mask is the upper bits, the number is below them.
            mask = b.const & (1 << width) - 1
            low = (1 << width) - mask
            if op != "not jset" or b.terms or not mask or low & low - 1:
                return True
            op, b = "jlt", constant(low)
        self.note(a, b, s)
        self.note(b, a, s)
        for x, y, how in ((a, b, op), (b, a, SWAPPED[op])):
            r = restrict(how, width, evaluate(x, s.env), evaluate(y, s.env))
            if r is None or not assume(x, r, s.env):
                return False
        return True

    def compare_offsets(self, s: State, op: str, a: Linear, b: Linear) -> bool:
        """Pointers that begin at one place compare as their offsets do, if no address wraps."""
        ranges = evaluate(a, s.env), evaluate(b, s.env)
        near = all(r[0] >= -512 and r[1] <= _FAR for r in ranges)
        if op not in ("jeq", "jne"):
            if not near:
                return True
            op = op if op[1] == "s" else "js" + op[1:]  # offsets may be below zero
        return self.compare(s, op, 64, a, b)

    def see_end(self, s: State, op: str, a: Value, b: Value) -> None:
        """a compares like that with b: it may tell how far the packet goes."""
        ends = {"packet": ("packet_end",), "packet_meta": ("packet_end", "packet")}
        if b.kind not in ends.get(a.kind, ()) or b.number != ZERO or a.number is None:
            return
        # The end lies behind the start: data_meta <= data <= data_end is the machine's rule.
        lo, hi = evaluate(a.number, s.env)
        self.note(a.number, constant(_LONGEST), s)
        if op in ("jle", "jlt", "jeq", "jsle", "jslt") and lo >= 0 and hi <= _FAR:
            s.bound(a.kind, a.number, 1 if op in ("jlt", "jslt") else 0)
            assume(a.number, (lo, _LONGEST), s.env)

    def note(self, a: Linear, b: Linear, s: State) -> None:
        """Remember what a loop's symbols are compared with, as ends for their ranges."""
        if self.settled:
            return
        for name, n in a.terms:
            if name % PER_SLOT >= MADE or name // PER_SLOT not in self.graph.heads:
                continue
            marks = self.thresholds.setdefault(name, set())
            if len(marks) > 32:
                continue
            rest = evaluate(Linear(a.const, tuple(t for t in a.terms if t[0] != name)), s.env)
            for y in evaluate(b, s.env):
                marks.update((y - 1, y, y + 1))
                for part in set(rest):
                    at = (y - part) // n
                    marks.update((at - 1, at, at + 1))

    # -- calls -------------------------------------------------------------------------------------

    def leave(self, slot: int, v: Value, s: State) -> None:
        """A function ends at a slot, with a result."""
        if self.settled:
            return
        function = self.function(slot)
        r = evaluate(v.number, s.env) if v.number is not None else FULL
        v = Value("null") if v == NULL else v._replace(number=None)
        if function.result is not None and function.range is not None:
            v = _join_results(function.result, v)
            r = (0, 0) if v.kind == "null" else hull(function.range, r)
            if (v, r) == (function.result, function.range):
                return
            function.exits += 1
            if function.exits > _RESTLESS:
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
            s.regs[0] = self.number(slot, s, FULL)
        return True

    def call_helper(self, block: int, slot: int, helper: Helper, s: State) -> Value:
        sizes = {p.name: s.regs[i] for i, p in enumerate(helper.params, 1)}
        for i, param in enumerate(helper.params, 1):
            v = s.regs[i]
            if param.kind == "func":
                self.call_back(block, slot, v, s)
            elif param.kind not in _WRITTEN or v.kind in _NEVER_STACK:
                continue
            elif self.own(v, s):
                of = param.of or ""
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
        elif result.kind == "stack" and (result.of == str(target) or self.own(result, s)):
            s.regs[0] = ANYTHING  # of a frame that is gone, or of another one of this function
        else:
            s.regs[0] = s.renamed(result, r, slot)
        return True

    def passed(self, target: int, s: State) -> State:
        """What a function is entered with."""
        inside = self.entry(target, [])
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
        return self.functions[self.function_of(slot)]

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


def _forms(insns: Sequence[Insn]) -> Iterator[Form | None]:
    second = False
    for insn in insns:
        form = None if second else form_of(insn)
        second = form is not None and form.wide
        yield form


def _immediate(insn: Insn) -> Value:
    return Value("scalar", "", constant(insn.imm))


def _known(fact: Fact) -> Linear | None:
    return None if fact.offset is None else constant(fact.offset)


def _most(v: Value | None, s: State) -> int | None:
    """The greatest length that a register may hold; engines look at its low 32 bits."""
    if v is None or v.number is None:
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


def pointer_kinds(
    program: Linked,
    hook: Hook | None,
    arguments: Sequence[Fact] = (Fact("ctx", offset=0),),
    extra: Extra = MappingProxyType({}),
) -> Facts:
    """Facts of a linked program that starts with `arguments` in r1 and following; `extra` are
    helpers that stand for those of Linux, by number.

    >>> from ebee.isa import assemble
    >>> code = Linked("p", assemble("r2 = r1\\nr0 = 0\\nexit"), [], [], [])
    >>> pointer_kinds(code, None).reg(2, 2).kind
    'ctx'
    """
    return _Pass(program, hook, arguments, extra).run()


__all__ = ["pointer_kinds"]
