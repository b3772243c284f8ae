"""Going over blocks of code until nothing changes: joins, widening at loops, narrowing after."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence

from ebee.isa.insn import U64
from ebee.verifier.graph import Graph
from ebee.verifier.ranges import FULL, Linear, Range, evaluate, hull
from ebee.verifier.state import COUNTER, ENDLESS, MADE, PER_SLOT, Join, State, arrive

Flow = tuple[int, State]
"""Where control goes on, and what is known there."""

_ROUNDS = 2
"""How often the fixed point is made exacter."""

_RESTARTS = 3
"""How often a loop begins anew because its start is described in other expressions."""

_PATIENCE, _CLIMBS = 2, 8
"""Moves of a range's end from which on it is widened to thresholds, and given up."""

RESTLESS = 40
"""Joins at a slot that change something before its numbers are given up: what bounds the work."""

_MARKS = 32
"""Thresholds of one symbol at the most."""

_STEPS_UP = {(1 << 31) - 1, (1 << 32) - 1, (1 << 63) - 1}
_STEPS_DOWN = {0, -(1 << 31)}


class Fixpoint:
    """The states at the starts of all blocks; what a block does is said by who inherits."""

    def __init__(self, graph: Graph):
        self.graph = graph
        self.states: dict[int, State] = {}
        self.arrived: dict[int, dict[int, State]] = {}
        self.visits: dict[int, int] = {}
        self.restarts: dict[int, int] = {}
        self.thresholds: dict[int, set[int]] = {}
        self.climbs: dict[tuple[int, int], int] = {}
        self.work: list[tuple[int, int, int]] = []  # round, place in the order, block
        self.waiting: set[int] = set()
        self.now = (0, -1)
        self.settled = False

    def start(self) -> State:
        """What is known where the program starts."""
        raise NotImplementedError

    def block(self, block: int) -> Iterator[Flow]:
        """Run a block from its state on."""
        raise NotImplementedError

    def solve(self) -> None:
        """Find states that hold whatever way control takes."""
        self.join(-1, 0, self.start())
        while self.work:
            now, place, block = heapq.heappop(self.work)
            self.now = now, place
            self.waiting.discard(block)
            for target, after in self.block(block):
                self.join(block, target, after)
        self.settled = True
        for _ in range(_ROUNDS if self.graph.heads else 0):
            self.narrow()

    def again(self, block: int) -> None:
        """Have a block looked at: in this round, or in the next if its place has gone by, so that
        a loop's head hears of all ways back before it is looked at again."""
        if block not in self.waiting and not self.settled:
            self.waiting.add(block)
            (now, at), place = self.now, self.graph.order[block]
            heapq.heappush(self.work, (now + (place <= at), place, block))

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
        gathers = head or target in self.graph.starts
        if known is not None and gathers and not self.begins_anew(known, target, s, back):
            self.gather(known, target, s, back)
            return
        made = self.together(target, arrived)
        if made != known:
            self.states[target] = made
            self.again(target)
        if known is not None and gathers:  # what came back to it is to come again
            for latch in self.graph.latches(target):
                if latch in self.states:
                    self.again(latch)

    def together(self, target: int, arrived: Sequence[State]) -> State:
        """What holds in all states that arrive at a block, none of them by closing a loop."""
        made = arrived[0].copy()
        for s in arrived[1:]:
            Join(made, s, target, target in self.graph.heads, False).apply(None)
        return made

    def begins_anew(self, known: State, target: int, s: State, back: bool) -> bool:
        if back or target in self.graph.starts or self.restarts.get(target, 0) >= _RESTARTS:
            return False
        if Join(known.copy(), s, target, True, False).shapes():
            self.restarts[target] = self.restarts.get(target, 0) + 1
            self.climbs = {k: n for k, n in self.climbs.items() if k[0] // PER_SLOT != target}
            return True
        return False

    def gather(self, known: State, target: int, s: State, back: bool) -> None:
        visits = self.visits.get(target, 0)
        joined = Join(known, s, target, target in self.graph.heads, back)
        if joined.apply(self.widen if back else None, shrink=visits > _CLIMBS):
            self.visits[target] = visits + 1
            if visits > RESTLESS:
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
        return (lo, hi) if lo <= new[0] and new[1] <= hi and hi - lo < U64 else FULL

    def climb(self, name: int, way: int) -> int:
        """How often one end of a symbol's range has moved."""
        n = self.climbs[name, way] = self.climbs.get((name, way), 0) + 1
        return n

    def narrow(self) -> None:
        """Find all states anew from those that are known to hold: what one step from them gives
        holds as well. Expressions stay; only ranges of symbols become narrower."""
        flows: dict[int, list[tuple[int, State]]] = {0: [(-1, self.start())]}
        for block in self.states:
            for target, after in self.block(block):
                flows.setdefault(target, []).append((block, after))
        states = {}
        for target, arriving in flows.items():
            for source, s in arriving:
                if target in self.graph.heads:
                    arrive(s, target, self.closes(source, target))
                s.prune()
            if target in self.graph.heads or target in self.graph.starts:
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

    def note(self, a: Linear, b: Linear, s: State) -> None:
        """Remember what a loop's symbols are compared with, as ends for their ranges."""
        if self.settled:
            return
        for name, n in a.terms:
            if name % PER_SLOT >= MADE or name // PER_SLOT not in self.graph.heads:
                continue
            marks = self.thresholds.setdefault(name, set())
            if len(marks) > _MARKS:
                continue
            rest = evaluate(Linear(a.const, tuple(t for t in a.terms if t[0] != name)), s.env)
            for y in evaluate(b, s.env):
                marks.update((y - 1, y, y + 1))
                for part in set(rest):
                    at = (y - part) // n
                    marks.update((at - 1, at, at + 1))
