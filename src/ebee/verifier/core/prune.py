"""Remembering states, and ending paths that came to one already found safe
(kernel/bpf/verifier.c: is_state_visited and the precision of loops)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ebee.verifier.core import leaks, precision
from ebee.verifier.core.equal import (
    EXACT,
    NOT_EXACT,
    RANGE_WITHIN,
    iterators_differ,
    maybe_looping,
    states_equal,
)
from ebee.verifier.core.errors import EINVAL, Rejected
from ebee.verifier.core.privileges import MAX_STATES
from ebee.verifier.core.reg import SCALAR, UNINIT, UNKNOWN, Reg
from ebee.verifier.core.scalar import s64
from ebee.verifier.core.state import ACTIVE, EMPTY, State, spilled

if TYPE_CHECKING:
    from ebee.verifier.core.walk import Walk

HISTORY_LIMIT = 40
HIT, MISS, LOOPING = range(3)
"""What a comparison finds; LOOPING: the remembered state is still being walked."""
BACKEDGE_ROUNDS = 64

Visit = tuple[int, ...]


class Loop:
    """One visit of a loop (a strongly connected part of the flow, under a chain of calls): the
    state that entered it, and states that were found equal to one still being walked."""

    __slots__ = ("back", "entry")

    def __init__(self) -> None:
        self.entry: State | None = None
        self.back: list[State] = []


class Memory:
    """The remembered states, and the rules of when to remember and when to end a path."""

    def __init__(self, walk: Walk):
        self.walk = walk
        self.states: dict[tuple[int, int], list[State]] = {}
        self.loops: dict[Visit, Loop] = {}
        self.total = self.most = 0
        self.last_jumps = self.last_processed = 0
        free = walk.profile.free_ids
        alike = partial(states_equal, free=free) if free else states_equal
        self.equal = alike if walk.perfmon else partial(leaks.covered, walk)
        self.precise = 0 if walk.capable else -1  # marks of all scalars, of a state that is new

    def visited(self, idx: int) -> bool:
        """Whether the current path may end here; else its state may have been remembered."""
        w, cur = self.walk, self.walk.state
        history, checkpoint = cur.history, bool(w.cfg.checkpoint[idx])
        force = checkpoint or (history is not None and history.count > HISTORY_LIMIT)
        jumps, processed = w.jumps - self.last_jumps, w.processed - self.last_processed
        add = force or (jumps >= 2 and processed >= 8)
        found = self.states.setdefault((idx, cur.frames[-1].callsite), [])
        for old in found:
            if not old.branches and not old.cleaned:
                self._clean(old, cur)
        looked = len(found)
        for old in tuple(found):
            if old.branches and not checkpoint and not maybe_looping(old, cur):
                outcome = LOOPING
            else:
                outcome = self._compare(old, cur, idx, checkpoint)
            if outcome is HIT:
                return True
            if outcome is LOOPING and not force and jumps < 20 and processed < 100:
                add = False
            if add:
                old.misses += 1
            often = 64 if checkpoint and old.branches > 0 else 3
            if old.misses > old.hits * often + often:
                found.remove(old)
        self.most = max(self.most, len(found))
        if not w.capable and looked > MAX_STATES:
            return False
        if add:
            self._remember(found, idx)
        return False

    def _compare(self, old: State, cur: State, idx: int, checkpoint: bool) -> int:
        w, live = self.walk, self.walk.cfg.live
        loop = False
        if old.branches:
            if old.frames[-1].entry != cur.frames[-1].entry:
                return LOOPING
            if checkpoint:
                covered = self._converges(old, cur, idx)
                if covered is None:
                    return LOOPING
                loop = covered
            if not loop:
                same = (
                    old.goto_depth == cur.goto_depth
                    and old.unroll_depth == cur.unroll_depth
                    and maybe_looping(old, cur)
                    and self.equal(old, cur, live, EXACT)
                    and not iterators_differ(old, cur)
                )
                if same:
                    text = f"infinite loop detected at insn {idx}"
                    raise Rejected("infinite-loop", text, "", EINVAL)
                return LOOPING
        if not loop:
            loop = self._incomplete(old)
            if not self.equal(old, cur, live, RANGE_WITHIN if loop else NOT_EXACT):
                return MISS
        old.hits += 1
        if w.cfg.jumps[idx]:
            w.push_history()
        precision.propagate(w, old, cur)
        if loop:
            kept = cur.copy()
            kept.equal = old
            visit = self._visit(old)
            if visit is not None:
                self.loops.setdefault(visit, Loop()).back.append(kept)
        return HIT

    def _converges(self, old: State, cur: State, idx: int) -> bool | None:
        """Whether a loop's next round is covered by one that is still walked; None: not yet, and
        there is no more to ask (iterators, and functions that are called back)."""
        w = self.walk
        live, op = w.cfg.live, w.cfg.ops[idx]
        if idx in w.cfg.iterators:
            covered = self.equal(old, cur, live, RANGE_WITHIN) and self._goes_on(cur)
            return covered or None
        loop = False
        if op is not None and op.operation == "may_goto" and old.goto_depth != cur.goto_depth:
            loop = self.equal(old, cur, live, RANGE_WITHIN)
        if not loop and idx in w.cfg.callbacks:
            return self.equal(old, cur, live, RANGE_WITHIN) or None
        return loop

    def _goes_on(self, cur: State) -> bool:
        """Whether the iterator that is asked for its next element may have one."""
        reg = cur.frame.regs[1]
        spi = (-(reg.off + s64(reg.v)) - 1) // 8
        return cur.frames[reg.frame].slots[spi][1].range == ACTIVE

    def _remember(self, found: list[State], idx: int) -> None:
        w, cur = self.walk, self.walk.state
        self.total += 1
        self.last_jumps, self.last_processed = w.jumps, w.processed
        for frame in cur.frames:
            frame.precise = frame.sprecise = self.precise
        new = cur.copy()
        new.idx = idx
        cur.parent, cur.first, cur.history = new, idx, None
        cur.depth = new.depth + 1
        found.insert(0, new)
        visit = self._visit(new)
        if visit is not None:
            loop = self.loops.setdefault(visit, Loop())
            if loop.entry is None:
                loop.entry = new

    def _clean(self, state: State, cur: State) -> None:
        """Forget what cannot be read any more in a state whose continuations are all walked."""
        if len(state.frames) != len(cur.frames):
            return
        pairs = zip(state.frames, cur.frames, strict=True)
        if any(a.callsite != b.callsite for a, b in pairs) or self._incomplete(state):
            return
        state.cleaned = True
        for depth, frame in enumerate(state.frames):
            live = self.walk.cfg.live[state.at(depth)]
            for i in range(10):
                if not live >> i & 1:
                    frame.regs[i] = UNINIT
            alive = self.walk.live.alive(state, depth)
            for i in range(len(frame.slots)):
                if not alive >> i & 1:
                    frame.slots[i] = EMPTY

    # -- the ends of paths ---------------------------------------------------------------------

    def ended(self, state: State | None) -> None:
        """A path is walked to its end."""
        while state is not None:
            state.branches -= 1
            if state.branches:
                return
            self._leave(state)
            state = state.parent

    def _visit(self, state: State) -> Visit | None:
        """The loop that a state is in: calls that lead there, and its number."""
        if not self.walk.cfg.loops:
            return None
        calls: list[int] = []
        for depth in range(len(state.frames)):
            at = state.at(depth)
            number = self.walk.cfg.loop[at]
            if number:
                return (*calls, number)
            calls.append(at)
        return None

    def _incomplete(self, state: State) -> bool:
        """Whether marks may be missing, for an end of a loop was joined to its beginning."""
        visit = self._visit(state)
        found = self.loops.get(visit) if visit is not None else None
        return found is not None and bool(found.back)

    def _leave(self, state: State) -> None:
        """All of a loop is walked: carry precision round it until nothing changes."""
        visit = self._visit(state)
        loop = self.loops.get(visit) if visit is not None else None
        if loop is None or loop.entry is not state:
            return
        loop.entry = None
        for _ in range(BACKEDGE_ROUNDS):
            changed = False
            for back in loop.back:
                assert back.equal is not None
                changed |= precision.propagate(self.walk, back.equal, back)
            if not changed:
                break
        else:
            for back in loop.back:
                precision.mark_all(back)
        loop.back.clear()

    # -- widening ------------------------------------------------------------------------------

    def previous_entry(self, state: State, idx: int) -> State | None:
        """The last remembered state of the path at an instruction, under the same calls."""
        found = state.parent
        while found is not None:
            if found.idx == idx and len(found.frames) == len(state.frames):
                pairs = zip(found.frames, state.frames, strict=True)
                if all(a.callsite == b.callsite for a, b in pairs):
                    return found
            found = found.parent
        return None


def widen(old: State, cur: State) -> None:
    """Scalars that changed since `old`, and on which nothing depended, may be anything: else a
    loop would be walked for each of their values."""
    for a, b in zip(old.frames, cur.frames, strict=True):
        for i in range(10):
            if _may_widen(a.regs[i], b.regs[i], a.precise >> i & 1):
                b.regs[i] = UNKNOWN
        for i in range(min(len(a.slots), len(b.slots))):
            both = spilled(a.slots[i]) and spilled(b.slots[i])
            if both and _may_widen(a.slots[i][1], b.slots[i][1], a.sprecise >> i & 1):
                b.slots[i] = b.slots[i][0], UNKNOWN


def _may_widen(old: Reg, cur: Reg, precise: int) -> bool:
    if old.type != SCALAR or cur.type != SCALAR or precise:
        return False
    same = (old.v, old.m, old.umin, old.umax, old.smin, old.smax, old.wmin, old.wmax) == (
        cur.v, cur.m, cur.umin, cur.umax, cur.smin, cur.smax, cur.wmin, cur.wmax
    )  # fmt: skip
    return not same or old.tmin != cur.tmin or old.tmax != cur.tmax
