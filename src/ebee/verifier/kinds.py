"""The first producer of facts: a flow-sensitive pass that follows pointers and numbers.

It goes over blocks of code until nothing changes (a loop's numbers are widened to those that the
program compares with), then twice more from what it found, which can only make it exacter. It
never fails: what it cannot follow is "unknown".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import MappingProxyType

from ebee.hooks import Hook
from ebee.isa import Form, Insn, form_of, imm64
from ebee.isa.insn import U64
from ebee.obj.spec import Linked
from ebee.verifier.branch import holds
from ebee.verifier.calls import NEVER_STACK, Calls, Extra
from ebee.verifier.facts import POINTERS, Fact, Facts
from ebee.verifier.fixpoint import Flow
from ebee.verifier.graph import Graph
from ebee.verifier.ranges import (
    FULL,
    MANY_TERMS,
    NEGATED,
    Linear,
    add,
    compute,
    constant,
    evaluate,
    truncate,
)  # fmt: skip
from ebee.verifier.state import (
    ANYTHING,
    COUNTER,
    ENDLESS,
    NOTHING,
    NULL,
    ZERO,
    State,
    Value,
    immediate,
    symbol,
)  # fmt: skip

_NUMBERS = frozenset(("packet", "packet_meta", "map_value"))
"""Kinds of pointers behind which numbers stand, and no pointers."""


class _Pass(Calls):
    def __init__(self, program: Linked, hook: Hook | None, arguments: Sequence[Fact], extra: Extra):
        self.insns = program.insns
        self.forms = list(_forms(program.insns))
        self.hook, self.given = hook, arguments
        self.refs = {r.slot: r for r in program.refs if r.kind in ("map", "data")}
        starts = {0, *(f.start for f in program.funcs), *self._entered()}
        super().__init__(Graph(self.insns, self.forms, starts), extra)

    def _entered(self) -> Iterator[int]:
        """Slots that calls and addresses of functions lead to."""
        for slot, form in enumerate(self.forms):
            if form is not None and form.operation in ("local", "func") and form.imm == "jump":
                yield slot + 1 + self.insns[slot].imm

    def start(self) -> State:
        s = self.entry(0)
        for i, f in enumerate(self.given, 1):
            known = None if f.offset is None else constant(f.offset)
            s.regs[i] = Value(f.kind, f.of, known, f.nullable)
        return s

    def facts(self) -> Facts:
        """The program's facts."""
        self.solve()
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
                    target = slot + 1 + insn.imm
                    yield target, self.callback(target)
                s.regs[insn.dst] = self.wide(slot, insn, form)
            else:
                self.plain(slot, insn, form, s)
        end = self.graph.end[block]
        if end < len(self.insns):
            yield end, s

    def callback(self, start: int) -> State:
        """A function whose address is taken: a helper may call it, with whatever arguments."""
        s = self.entry(start)
        s.regs[1:6] = [ANYTHING] * 5
        return s

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
            s.regs[0] = s.number(slot, (0, (1 << 32) - 1))

    # -- arithmetic --------------------------------------------------------------------------------

    def alu(self, slot: int, insn: Insn, form: Form, s: State) -> None:
        left = s.regs[insn.dst]
        right = s.regs[insn.src] if form.source == "reg" else immediate(insn)
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
        return s.number(slot, made if made[1] - made[0] < U64 else FULL)

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
        elif s.own(base) and base.number is not None and not base.number.terms:
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
        s.regs[insn.dst] = s.number(slot, r)

    def store(self, slot: int, insn: Insn, form: Form, s: State) -> None:
        bits = form.size * 8
        if form.operation == "load_acquire":
            numbers = bits < 64 or s.regs[insn.src].kind in _NUMBERS
            s.regs[insn.dst] = ANYTHING
            if numbers:
                s.regs[insn.dst] = s.number(slot, (0, (1 << bits) - 1))
            return
        base = s.regs[insn.dst]
        if s.own(base):
            where = None if base.number is None else evaluate(base.number, s.env)
            if where is not None:
                where = where[0] + insn.off, where[1] + insn.off
            s.forget(where, form.size)
            at = where[0] if where is not None and where[0] == where[1] else 0
            if form.kind == "store" and form.size == 8 and at % 8 == 0 and -512 <= at < 0:
                s.stack[at] = s.regs[insn.src] if form.source == "reg" else immediate(insn)
        elif base.kind not in NEVER_STACK:
            self.write_stacks(slot, s)
        fetches = form.operation.startswith(("fetch_", "xchg"))
        if form.kind == "atomic" and (fetches or form.operation == "cmpxchg"):
            register = insn.src if fetches else 0
            s.regs[register] = ANYTHING
            if bits < 64 or base.kind in _NUMBERS:
                s.regs[register] = s.number(slot, (0, (1 << bits) - 1))

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
                s.regs[r] = s.number(slot, FULL)
        taken = s.copy()
        if holds(taken, self.note, form.operation, insn, form):
            yield target, taken
        if holds(s, self.note, NEGATED.get(form.operation, "not " + form.operation), insn, form):
            yield slot + 1, s


def _forms(insns: Sequence[Insn]) -> Iterator[Form | None]:
    second = False
    for insn in insns:
        form = None if second else form_of(insn)
        second = form is not None and form.wide
        yield form


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
    return _Pass(program, hook, arguments, extra).facts()


__all__ = ["pointer_kinds"]
