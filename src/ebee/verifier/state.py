"""What is known at one place of a program: registers, stack, symbols, packet bounds; and joins.

A `State` stands for every machine state for which integers can be given to its symbols, each from
its range, so that all registers and stack slots are what their values say. That is also the proof
of each operation below: it says how the integers after it are made from those before it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from ebee.isa.insn import FP, Insn
from ebee.verifier.facts import NONE, PACKET_KINDS, POINTERS, Fact
from ebee.verifier.ranges import FULL, Linear, Range, Terms, add, constant, evaluate, hull, wrap

ENDLESS = 1 << 62
"""As the end of a loop counter's range: no bound is known."""

Widen = Callable[[int, Range, Range], Range]
"""(symbol, range so far, range that covers the new one) -> range to go on with."""


class Value(NamedTuple):
    """As `Fact`, the number (a scalar's, or a pointer's offset) being an expression; None: any."""

    kind: str
    of: str = ""
    number: Linear | None = None
    nullable: bool = False


ZERO = Linear(0)
NOTHING, ANYTHING, NULL = Value("none"), Value("unknown"), Value("scalar", "", ZERO)

# Symbols are numbers: the slot at which one is made in the upper bits, and in the lower ones
COUNTER = 0  # how often a loop's head was come back to since the loop was entered
JOINED = 1  # from here on: what a register or stack slot holds where control flows together
MADE = 100  # from here on: results and arguments
PER_SLOT = 256


def symbol(slot: int, index: int) -> int:
    return slot * PER_SLOT + index


def immediate(insn: Insn) -> Value:
    """The immediate of an instruction as a register would hold it."""
    return Value("scalar", "", constant(insn.imm))


@dataclass(slots=True)
class State:
    """Registers; the frame's stack by (negative) offsets of 8-byte slots; ranges of the symbols;
    `bounds[kind, terms]` = n: the packet goes on for at least the sum of the terms + n bytes behind
    where pointers of that kind begin."""

    regs: list[Value]
    stack: dict[int, Value] = field(default_factory=dict)
    env: dict[int, Range] = field(default_factory=dict)
    bounds: dict[tuple[str, Terms], int] = field(default_factory=dict)

    def prune(self) -> None:
        """Forget symbols that nothing refers to."""
        used = self.used()
        self.env = {n: r for n, r in self.env.items() if n in used}
        self.bounds = {k: n for k, n in self.bounds.items() if all(s in used for s, _ in k[1])}

    def blur(self) -> None:
        """Forget all numbers but constants: a state that would not come to rest."""
        fixed = [
            v if v.number is None or not v.number.terms else v._replace(number=None)
            for v in (*self.regs, *self.stack.values())
        ]
        self.regs, self.stack = fixed[:11], dict(zip(self.stack, fixed[11:], strict=True))
        self.env = {n: (0, ENDLESS) for n in self.env if n % PER_SLOT == COUNTER}
        self.bounds = {k: n for k, n in self.bounds.items() if not k[1]}

    def copy(self) -> State:
        return State(list(self.regs), dict(self.stack), dict(self.env), dict(self.bounds))

    def used(self) -> set[int]:
        """Symbols that something refers to; counters of loops count as such."""
        found = {s for s in self.env if s % PER_SLOT == COUNTER}
        for values in (self.regs, self.stack.values()):
            for v in values:
                if v.number is not None and v.number.terms:
                    found.update([s for s, _ in v.number.terms])
        return found

    def fresh(self, slot: int, r: Range) -> Linear:
        """A new symbol made at a slot. Symbols that are in use keep their names."""
        name = symbol(slot, MADE)
        if name in self.env:
            used = self.used()
            while name in used and name % PER_SLOT < PER_SLOT - 1:
                name += 1
            if name in used:
                self.lose(name)
        if self.bounds:  # what was known of the name's former meaning
            self.bounds = {k: n for k, n in self.bounds.items() if all(s != name for s, _ in k[1])}
        self.env[name] = r
        return Linear(0, ((name, 1),))

    def renamed(self, v: Value, r: Range | None, slot: int) -> Value:
        """A value of another function as its caller or callee sees it: its range, and a new
        symbol."""
        if r is None or r[1] - r[0] >= FULL[1]:
            return v._replace(number=None)
        return v._replace(number=constant(r[0]) if r[0] == r[1] else self.fresh(slot, r))

    def lose(self, name: int) -> None:
        """Forget what depends on a symbol."""

        def without(v: Value) -> Value:
            known = v.number is None or all(s != name for s, _ in v.number.terms)
            return v if known else v._replace(number=None)

        self.regs = [without(v) for v in self.regs]
        self.stack = {at: without(v) for at, v in self.stack.items()}

    def substitute(self, name: int, by: Linear) -> None:
        """A symbol is now called otherwise: `by`, an expression that has the same value."""

        def terms(old: Linear) -> Linear:
            n = next((n for s, n in old.terms if s == name), 0)
            rest = Linear(old.const, tuple(t for t in old.terms if t[0] != name))
            return add(rest, by, n) if n else old

        def value(v: Value) -> Value:
            if v.number is None or not v.number.terms:
                return v
            return v._replace(number=terms(v.number))

        self.regs = [value(v) for v in self.regs]
        self.stack = {at: value(v) for at, v in self.stack.items()}
        bounds = {}
        for (kind, key), n in self.bounds.items():
            moved = terms(Linear(0, key))
            bounds[kind, moved.terms] = n + moved.const
        self.bounds = bounds

    def number(self, slot: int, r: Range) -> Value:
        """A number of which only the range is known."""
        if r[0] == r[1]:
            return Value("scalar", "", constant(r[0]))
        return Value("scalar", "", self.fresh(slot, r))

    def own(self, v: Value) -> bool:
        """Whether a pointer points into the running function's own frame."""
        return v.kind == "stack" and v.of == self.regs[FP].of

    # -- the packet --------------------------------------------------------------------------------

    def reach(self, kind: str, number: Linear) -> int | None:
        """Bytes that are there behind a packet pointer for sure."""
        there = self.bounds.get((kind, number.terms))
        fixed = self.bounds.get((kind, ())) if number.terms else None
        found = [there - number.const] if there is not None else []
        if fixed is not None:
            found.append(fixed - evaluate(number, self.env)[1])
        return max(found, default=None)

    def bound(self, kind: str, number: Linear, more: int) -> None:
        """The packet was seen to go on to a pointer and `more` bytes behind it."""
        const = number.const + more
        keys = {(): evaluate(number, self.env)[0] + more, number.terms: const}
        for term in number.terms:  # and so it goes on at least as far without one of the terms
            rest = tuple(t for t in number.terms if t != term)
            keys[rest] = const + evaluate(Linear(0, (term,)), self.env)[0]
        for terms, n in keys.items():
            if n > self.bounds.get((kind, terms), -ENDLESS if terms else 0):
                self.bounds[kind, terms] = n

    # -- the stack ---------------------------------------------------------------------------------

    def forget(self, r: Range | None, size: int | None) -> None:
        """Memory of the frame was overwritten: `size` bytes from somewhere in r; None: any."""
        if r is None:
            self.stack.clear()
            return
        end = r[1] + size if size is not None else 0
        for at in [a for a in self.stack if a < end and a + 8 > r[0]]:
            del self.stack[at]

    # -- what others see ---------------------------------------------------------------------------

    def fact(self, v: Value) -> Fact:
        """A value without its symbols."""
        if v.number is None:
            return Fact(v.kind, v.of, None, v.nullable)
        lo, hi = evaluate(v.number, self.env)
        if hi - lo >= FULL[1]:
            return Fact(v.kind, v.of, None, v.nullable)
        if v.kind == "scalar" and lo < 0 and (hi < 0 or lo == hi):
            lo, hi = lo + FULL[1] + 1, hi + FULL[1] + 1
        reach = 0
        if v.kind in PACKET_KINDS and lo >= 0:
            reach = max(self.reach(v.kind, v.number) or 0, 0)
        return Fact(v.kind, v.of, lo if lo == hi else None, v.nullable, (lo, hi), reach)


# --- joins ---------------------------------------------------------------------------------------


def arrive(s: State, slot: int, back: bool) -> None:
    """Make a state ready to be joined in at the head of a loop: the counter starts anew, or it is
    one more than it was."""
    counter = symbol(slot, COUNTER)
    known = s.env.pop(counter, None)
    if not back:
        if known is not None:  # of an earlier run of the loop
            s.substitute(counter, s.fresh(slot, known))
        s.env[counter] = (0, 0)
    elif known is None:
        s.env[counter] = (0, ENDLESS)
    else:
        s.substitute(counter, Linear(-1, ((counter, 1),)))
        s.env[counter] = known[0] + 1, min(known[1] + 1, ENDLESS)


class Join:
    """One state taken into what is known at a slot (`into`).

    Where both agree on an expression it stays. Where they do not, there is a symbol of the slot for
    what the place holds, one for all places that differ in the same way; `bound` says what each is
    in the new state. At a loop's head a place that grew by a constant on the first way back is
    its old expression plus the counter times that constant.
    """

    def __init__(self, into: State, s: State, slot: int, head: bool, back: bool):
        self.into, self.s, self.slot = into, s, slot
        self.first = symbol(slot, COUNTER)
        turns = s.env.get(self.first, FULL)
        self.count = turns[0] if head and turns[0] == turns[1] else None  # of turns so far
        self.first_turn = back and self.count == 1 and into.env.get(self.first) == (0, 0)
        self.old = {n for n in into.env if self.first < n < self.first + MADE}
        self.bound: dict[int, Linear] = {}
        self.made: dict[tuple[Terms, Terms, int], tuple[int, int]] = {}
        self.moved: list[tuple[str, Linear, Linear, Linear]] = []

    def shapes(self) -> bool:
        """Join the expressions; whether any changed."""
        into, s = self.into, self.s
        regs = [self.value(a, b, i) for i, (a, b) in enumerate(zip(into.regs, s.regs, strict=True))]
        stack = {
            at: self.value(into.stack[at], s.stack[at], 10 - at // 8)
            for at in sorted(into.stack.keys() & s.stack.keys(), reverse=True)
        }
        changed = regs != into.regs or stack != into.stack
        into.regs, into.stack = regs, stack
        return changed

    def value(self, a: Value, b: Value, place: int) -> Value:
        if a == b and (a.number is None or not a.number.terms):
            return a
        if a == NULL and b.kind in POINTERS:
            return Value(b.kind, b.of, None if self.own(b.number) else b.number, True)
        if b == NULL and a.kind in POINTERS:
            return a._replace(nullable=True)
        if a.kind != b.kind or a.of != b.of:
            return NOTHING if NONE.kind in (a.kind, b.kind) else ANYTHING
        number = None
        if a.number is not None and b.number is not None:
            number = self.number(a.number, b.number, place)
            if number != a.number and number is not None and a.kind in PACKET_KINDS:
                self.moved.append((a.kind, a.number, b.number, number))
        return Value(a.kind, a.of, number, a.nullable or b.nullable)

    def number(self, a: Linear, b: Linear, place: int) -> Linear | None:
        base, b = self.counted(a), self.counted(b)
        own = [t for t in base.terms if t[0] in self.old]
        if not own:
            if base == b:
                return a
            if self.first_turn and a.terms == b.terms:
                return add(a, self.turns(wrap(b.const - a.const)))
        elif len(own) == 1 and own[0][1] == 1:
            # base = symbol + rest, so the symbol has to be b - rest.
            name, same = own[0][0], Linear(0, tuple(own))
            value, grown = add(add(b, base, -1), same), ZERO
            if self.first_turn and value.terms == same.terms:
                grown, value = self.turns(value.const), same
            if self.bound.setdefault(name, value) == value:
                return add(a, grown)
        elif base == b and all(self.unmoved(name) for name, _ in own):
            return a
        key = a.terms, b.terms, wrap(b.const - a.const)
        if key not in self.made:
            name = self.first + JOINED + place
            if name in self.old:
                return None
            self.made[key] = name, a.const
            self.bound[name] = b
            self.into.env[name] = evaluate(a, self.into.env)
        name, const = self.made[key]
        return Linear(wrap(a.const - const), ((name, 1),))

    def unmoved(self, name: int) -> bool:
        """Whether a symbol may stand for what the new state calls by the same name."""
        same = Linear(0, ((name, 1),))
        return self.bound.setdefault(name, same) == same

    def turns(self, n: int) -> Linear:
        """n times the counter, which is 1 in the new state and was 0 in all before."""
        return Linear(0, ((self.first, n),)) if n else ZERO

    def own(self, a: Linear | None) -> bool:
        """Whether an expression speaks of this slot's symbols, which have another meaning now."""
        return a is not None and any(0 <= n - self.first < MADE for n, _ in a.terms)

    def counted(self, a: Linear) -> Linear:
        """An expression without the counter, if that has one value in the new state."""
        if self.count is None or not any(name == self.first for name, _ in a.terms):
            return a
        factor = next(n for name, n in a.terms if name == self.first)
        rest = tuple(t for t in a.terms if t[0] != self.first)
        return Linear(wrap(a.const + factor * self.count), rest)

    def translate(self, terms: Terms) -> Linear:
        """Terms of the joined state in the new state's symbols."""
        made = ZERO
        for name, n in terms:
            made = add(made, self.bound.get(name, Linear(0, ((name, 1),))), n)
        return made

    def ranges(self) -> dict[int, Range]:
        """The ranges that the new state gives to the joined state's symbols. A symbol that one of
        the two lacks belongs to a pointer that is null there; a counter, to another way round."""
        env = self.s.env
        found = {}
        for name in self.into.used():
            if name in self.bound:
                found[name] = evaluate(self.bound[name], env)
            elif name % PER_SLOT == COUNTER and not (name in env and name in self.into.env):
                found[name] = (0, ENDLESS)
            elif name in env:
                found[name] = env[name]
        return found

    def bounds(self) -> dict[tuple[str, Terms], int]:
        """The joined state's bounds as far as they hold in the new state too."""
        found = {}
        known = self.s.env.keys()
        for (kind, terms), n in self.into.bounds.items():
            there = self.translate(terms)
            if all(name in known for name, _ in there.terms):
                reach = self.s.reach(kind, there)
                if reach is not None:
                    found[kind, terms] = min(n, reach)
        return found

    def apply(self, widen: Widen | None, shrink: bool = False) -> bool:
        """Join all; whether anything changed. `shrink`: a bound that has to give way is dropped."""
        into = self.into
        for_new: dict[tuple[str, Terms], int] = {}
        before = State([], {}, dict(into.env), into.bounds)
        changed = self.shapes()
        for kind, a, b, now in self.moved:
            reaches = before.reach(kind, a), self.s.reach(kind, b)
            if reaches[0] is not None and reaches[1] is not None:
                for_new[kind, now.terms] = min(reaches[0], reaches[1]) + now.const
        env = {n: into.env[n] for n in into.used() if n in into.env}
        for name, r in self.ranges().items():
            old = env.get(name)
            new = r if old is None else hull(old, r)
            if old is not None and new != old and widen is not None:
                new = widen(name, old, new)
            env[name] = new
        bounds = self.bounds()
        if shrink:
            bounds = {k: n for k, n in bounds.items() if n == into.bounds[k]}
        else:
            bounds = for_new | bounds
        changed |= env != into.env or bounds != into.bounds
        into.env, into.bounds = env, bounds
        return changed


__all__ = [
    "ANYTHING", "COUNTER", "ENDLESS", "MADE", "NOTHING", "NULL", "PER_SLOT", "ZERO", "Join",
    "State", "Value", "arrive", "immediate", "symbol",
]  # fmt: skip
