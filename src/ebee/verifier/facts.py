"""Facts: what each register holds before each instruction.

`Facts` is the one shape; `pointer_kinds` is its first producer: a small flow-sensitive pass that
follows kinds of pointers through registers, stack slots and calls. It never fails: what it cannot
follow is "unknown". Code without checks, or with few, is made from facts, so they hold for programs
that no verifier has seen, as long as each access stays where its pointer's kind may lead:

    packet, packet_meta         the packet
    stack of the running frame  that frame
    map_value, mem              anything but stacks
    any other                   anything
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from ebee import helpers
from ebee.helpers import Helper
from ebee.hooks import Hook
from ebee.isa import Form, Insn, form_of, imm64
from ebee.isa.insn import FP
from ebee.obj.spec import Linked

Extra = Mapping[int, Helper]


class Fact(NamedTuple):
    """What one register or stack slot holds.

    kind      none (never written), scalar, unknown, or a pointer: ctx, packet, packet_meta,
              packet_end, stack, map, map_value, mem, func
    of        which one: name of the map, start slot of the frame's function, ...
    offset    distance from where the pointer began, or a scalar's value; None: not known
    nullable  may also be null
    """

    kind: str
    of: str = ""
    offset: int | None = None
    nullable: bool = False


NONE, SCALAR, UNKNOWN = Fact("none"), Fact("scalar"), Fact("unknown")
NULL = Fact("scalar", offset=0)
PACKET_KINDS = frozenset(("packet", "packet_meta", "packet_end"))
POINTERS = PACKET_KINDS | {"ctx", "stack", "map", "map_value", "mem", "func"}

_RESULTS = {"map_value": "map_value", "alloc_mem": "mem", "mem": "mem", "mem_out": "mem"}
_WRITTEN = frozenset(
    ("mem_out", "mem_rw", "map_value_out", "out", "inout", "dynptr", "dynptr_out", "spin_lock")
)
"""Kinds of arguments behind which a helper writes."""

_NEVER_STACK = frozenset(("packet", "packet_meta", "map_value", "mem"))
"""Kinds of pointers that no engine follows into a stack."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts of a linked program: for each slot the eleven registers before it runs, or None where
    control never comes."""

    before: list[tuple[Fact, ...] | None]

    def reg(self, slot: int, register: int) -> Fact:
        """What a register holds before the instruction at `slot`; UNKNOWN if it is never run."""
        regs = self.before[slot]
        return UNKNOWN if regs is None else regs[register]


def join(a: Fact, b: Fact) -> Fact:
    """What holds when either holds."""
    if a == b:
        return a
    if a == NULL and b.kind in POINTERS:
        return b._replace(nullable=True)
    if b == NULL and a.kind in POINTERS:
        return a._replace(nullable=True)
    if a.kind != b.kind or a.of != b.of:
        return NONE if "none" in (a.kind, b.kind) else UNKNOWN
    offset = a.offset if a.offset == b.offset else None
    return Fact(a.kind, a.of, offset, a.nullable or b.nullable)


@dataclass(slots=True)
class _State:
    """Registers, and what is known of the frame's stack by (negative) offset of 8-byte slots."""

    regs: list[Fact]
    stack: dict[int, Fact] = field(default_factory=dict)

    def copy(self) -> _State:
        return _State(list(self.regs), dict(self.stack))

    def merge(self, other: _State) -> bool:
        """Take in another way to get here; whether anything changed."""
        regs = [join(a, b) for a, b in zip(self.regs, other.regs, strict=True)]
        stack = {
            at: join(fact, other.stack[at]) for at, fact in self.stack.items() if at in other.stack
        }
        changed = regs != self.regs or stack != self.stack
        self.regs, self.stack = regs, stack
        return changed

    def forget(self, fact: Fact, size: int | None) -> None:
        """Memory at a stack pointer is overwritten (size None: unknown length)."""
        if fact.offset is None:
            self.stack.clear()
            return
        end = fact.offset + size if size is not None else 0
        for at in [a for a in self.stack if a < end and a + 8 > fact.offset]:
            del self.stack[at]


@dataclass(slots=True)
class _Function:
    """What is known of a subprogram from its callers and its exits. `writes_stacks`: it may write
    into frames of its callers."""

    result: Fact | None = None  # None: no exit reached yet
    moves_packet: bool = False
    writes_stacks: bool = False
    callers: set[int] = field(default_factory=set)


class _Pass:
    def __init__(self, program: Linked, hook: Hook | None, arguments: Sequence[Fact], extra: Extra):
        self.insns = program.insns
        self.forms = list(_forms(program.insns))
        self.hook, self.extra = hook, extra
        self.refs = {r.slot: r for r in program.refs if r.kind in ("map", "data")}
        self.starts = sorted(f.start for f in program.funcs)
        self.functions = {start: _Function() for start in self.starts}
        self.states: list[_State | None] = [None] * len(self.insns)
        self.work: list[int] = []
        self.flow(0, self.entry(0, arguments))

    def entry(self, start: int, arguments: Sequence[Fact]) -> _State:
        regs = [NONE, *arguments, *[NONE] * (9 - len(arguments)), Fact("stack", str(start), 0)]
        return _State(regs)

    def function_of(self, slot: int) -> int:
        return max((s for s in self.starts if s <= slot), default=0)

    def flow(self, slot: int, state: _State) -> None:
        if slot >= len(self.states):
            return
        known = self.states[slot]
        if known is None:
            self.states[slot] = state.copy()
        elif not known.merge(state):
            return
        self.work.append(slot)

    def run(self) -> Facts:
        while self.work:
            slot = self.work.pop()
            state = self.states[slot]
            assert state is not None
            for target, after in self.step(slot, state.copy()):
                self.flow(target, after)
        return Facts([None if s is None else tuple(s.regs) for s in self.states])

    # -- one instruction ---------------------------------------------------------------------------

    def step(self, slot: int, s: _State) -> Iterator[tuple[int, _State]]:
        insn, form = self.insns[slot], self.forms[slot]
        if form is None:
            return
        if form.kind == "jump":
            yield from self.jump(slot, insn, form, s)
            return
        if form.kind == "exit":
            self.leave(slot, s)
            return
        if form.kind == "call":
            if not self.call(slot, insn, form, s):
                return
        elif form.kind == "alu":
            s.regs[insn.dst] = _alu(form, insn, s.regs)
        elif form.kind == "imm64":
            s.regs[insn.dst] = self.wide(slot, insn, form)
        elif form.kind == "load":
            s.regs[insn.dst] = self.load(insn, form, s)
        elif form.kind in ("store", "atomic"):
            self.store(slot, insn, form, s)
        elif form.kind == "packet":
            s.regs[0:6] = [SCALAR] + [NONE] * 5
        yield slot + (2 if form.wide else 1), s

    def jump(self, slot: int, insn: Insn, form: Form, s: _State) -> Iterator[tuple[int, _State]]:
        if form.operation == "gotox":
            return
        target = slot + 1 + (insn.imm if form.imm == "jump" else insn.off)
        if form.terminator:
            yield target, s
            return
        taken = s.copy()
        fact = s.regs[insn.dst]
        if form.source == "imm" and insn.imm == 0 and fact.nullable and form.width == 64:
            there = fact._replace(nullable=False)
            if form.operation == "jeq":
                taken.regs[insn.dst], s.regs[insn.dst] = NULL, there
            elif form.operation == "jne":
                taken.regs[insn.dst], s.regs[insn.dst] = there, NULL
        yield target, taken
        yield slot + 1, s

    def leave(self, slot: int, s: _State) -> None:
        function = self.function(slot)
        result = s.regs[0] if function.result is None else join(function.result, s.regs[0])
        if result != function.result:
            function.result = result
            self.work.extend(function.callers)

    def wide(self, slot: int, insn: Insn, form: Form) -> Fact:
        ref = self.refs.get(slot)
        if ref is not None:
            return (
                Fact("map", ref.symbol, 0)
                if ref.kind == "map"
                else Fact("map_value", ref.symbol, ref.addend)
            )
        if form.operation == "imm":
            return Fact("scalar", offset=imm64(insn, self.insns[slot + 1]))
        if form.operation == "func":
            target = slot + 1 + insn.imm
            self.flow(target, self.entry(target, [UNKNOWN] * 5))  # a callback: called by a helper
            return Fact("func", str(target), 0)
        return UNKNOWN

    def load(self, insn: Insn, form: Form, s: _State) -> Fact:
        base = s.regs[insn.src]
        if base.kind == "ctx" and base.offset is not None:
            at = base.offset + insn.off
            for f in self.hook.fields if self.hook else ():
                if f.offset == at and f.size == form.size:
                    return Fact(f.kind, offset=None if f.kind == "scalar" else 0)
            return SCALAR
        if base.kind == "stack" and form.size == 8 and base.offset is not None and not form.signed:
            return s.stack.get(base.offset + insn.off, UNKNOWN) if self.own(base, s) else UNKNOWN
        return SCALAR if form.size < 8 else UNKNOWN

    @staticmethod
    def own(base: Fact, s: _State) -> bool:
        """Whether a stack pointer points into the running function's own frame."""
        return base.kind == "stack" and base.of == s.regs[FP].of

    def store(self, slot: int, insn: Insn, form: Form, s: _State) -> None:
        if form.operation == "load_acquire":
            s.regs[insn.dst] = SCALAR if form.size < 8 else UNKNOWN
            return
        base = s.regs[insn.dst]
        if base.kind == "stack" and self.own(base, s):
            where = base._replace(offset=None if base.offset is None else base.offset + insn.off)
            s.forget(where, form.size)
            whole = form.kind == "store" and form.size == 8 and form.source == "reg"
            if whole and where.offset is not None and where.offset % 8 == 0:
                s.stack[where.offset] = s.regs[insn.src]
        elif base.kind not in _NEVER_STACK:
            self.write_stacks(slot, s)
        if form.kind == "atomic" and form.operation.startswith(("fetch_", "xchg")):
            s.regs[insn.src] = UNKNOWN
        elif form.operation == "cmpxchg":
            s.regs[0] = UNKNOWN

    # -- calls -------------------------------------------------------------------------------------

    def call(self, slot: int, insn: Insn, form: Form, s: _State) -> bool:
        """Whether control comes back."""
        if form.operation == "local":
            return self.call_local(slot, slot + 1 + insn.imm, s)
        number = insn.imm if form.operation == "helper" else None
        helper = None if number is None else self.extra.get(number) or helpers.by_id(number)
        if helper is not None:
            result = self.call_helper(slot, helper, s)
        else:
            result = UNKNOWN
            self.write_stacks(slot, s)
            self.move_packet(slot, s)
        s.regs[0:6] = [result, *[NONE] * 5]
        return True

    def call_helper(self, slot: int, helper: Helper, s: _State) -> Fact:
        sizes = {p.name: s.regs[i].offset for i, p in enumerate(helper.params, 1)}
        for i, param in enumerate(helper.params, 1):
            fact = s.regs[i]
            if param.kind == "func":
                self.call_back(slot, fact, s)
            elif param.kind not in _WRITTEN or fact.kind in _NEVER_STACK:
                continue
            elif fact.kind == "stack" and self.own(fact, s):
                of = param.of or ""
                size = int(of) if of.isdigit() else sizes.get(of)
                s.forget(fact, None if size is None else size & 0xFFFF_FFFF)
            elif fact != NULL:
                self.write_stacks(slot, s)
        if helper.name == "tail_call":  # on success control is back in the caller next
            self.mark_writer(slot)
        if helper.moves_packet:
            self.move_packet(slot, s)
        kind = _RESULTS.get(helper.result.kind)
        if kind is None:
            return SCALAR
        of = s.regs[1].of if s.regs[1].kind == "map" else ""
        return Fact(kind, of, 0, helper.result.nullable)

    def call_back(self, slot: int, fact: Fact, s: _State) -> None:
        """A helper calls a function, with arguments that `wide` has seen to."""
        known = self.functions.get(int(fact.of)) if fact.kind == "func" else None
        if known is not None:
            known.callers.add(slot)
        if known is None or known.writes_stacks:
            self.write_stacks(slot, s)
        if known is None or known.moves_packet:
            self.move_packet(slot, s)

    def call_local(self, slot: int, target: int, s: _State) -> bool:
        if target not in self.functions:
            return False
        function = self.functions[target]
        function.callers.add(slot)
        # A frame of the same function is another one, which facts cannot tell from its own.
        passed = [UNKNOWN if self.frame_of(r, target) else r for r in s.regs[1:6]]
        self.flow(target, self.entry(target, passed))
        if function.result is None:
            return False  # the call is looked at again when an exit is reached
        if function.writes_stacks:
            self.write_stacks(slot, s)
        if function.moves_packet:
            self.move_packet(slot, s)
        result = UNKNOWN if self.own(function.result, s) else function.result
        s.regs[0:6] = [result, *[NONE] * 5]
        return True

    @staticmethod
    def frame_of(fact: Fact, start: int) -> bool:
        return fact.kind == "stack" and fact.of == str(start)

    def function(self, slot: int) -> _Function:
        return self.functions[self.function_of(slot)]

    def write_stacks(self, slot: int, s: _State) -> None:
        """Something was written that may lie in any frame, of the callers too."""
        s.stack.clear()
        self.mark_writer(slot)

    def mark_writer(self, slot: int) -> None:
        function = self.function(slot)
        if not function.writes_stacks:
            function.writes_stacks = True
            self.work.extend(function.callers)

    def move_packet(self, slot: int, s: _State) -> None:
        """The packet moved: pointers into it are worth nothing now, in the callers too."""
        function = self.function(slot)
        if not function.moves_packet:
            function.moves_packet = True
            self.work.extend(function.callers)
        s.regs = [UNKNOWN if r.kind in PACKET_KINDS else r for r in s.regs]
        s.stack = {at: UNKNOWN if f.kind in PACKET_KINDS else f for at, f in s.stack.items()}


def _forms(insns: Sequence[Insn]) -> Iterator[Form | None]:
    second = False
    for insn in insns:
        form = None if second else form_of(insn)
        second = form is not None and form.wide
        yield form


def _alu(form: Form, insn: Insn, regs: Sequence[Fact]) -> Fact:
    left = regs[insn.dst]
    right = regs[insn.src] if form.source == "reg" else Fact("scalar", offset=insn.imm)
    if form.operation == "mov":
        if form.width == 64:
            return right
        constant = right.kind == "scalar" and right.offset is not None
        return Fact("scalar", offset=(right.offset or 0) & 0xFFFF_FFFF) if constant else SCALAR
    if form.width != 64 or form.operation not in ("add", "sub"):
        return UNKNOWN if form.operation == "addr_space_cast" else SCALAR
    if form.operation == "add" and left.kind == "scalar" and right.kind in POINTERS:
        left, right = right, left
    if left.kind in POINTERS and right.kind == "scalar":
        if left.nullable:
            return UNKNOWN  # null plus something is no longer null
        offset = None
        if left.offset is not None and right.offset is not None:
            signed = (right.offset & (1 << 63) - 1) - (right.offset & 1 << 63)
            offset = left.offset + (signed if form.operation == "add" else -signed)
        return Fact(left.kind, left.of, offset)
    if left.kind in ("unknown", "none") or right.kind in ("unknown", "none"):
        return UNKNOWN
    return SCALAR


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


__all__ = ["NONE", "SCALAR", "UNKNOWN", "Fact", "Facts", "join", "pointer_kinds"]
