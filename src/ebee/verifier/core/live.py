"""Which stack slots may still be read: what a remembered state must have in common with another.

Marks are gathered while paths are walked, for each chain of calls and each instruction: slots of
each frame that it may read, and slots that it writes whenever it runs. From them follows, as a
data-flow problem, what is live before an instruction (kernel/bpf/liveness.c, since 6.18).
"""

from __future__ import annotations

from ebee.verifier.core.cfg import Cfg
from ebee.verifier.core.state import State

Chain = tuple[int, ...]


class Instance:
    """A function under one chain of calls; masks by frame, then by slot of code."""

    __slots__ = ("chain", "dirty", "end", "live", "must", "read", "seen", "start", "written")

    def __init__(self, chain: Chain, start: int, end: int):
        self.chain, self.start, self.end = chain, start, end
        size, frames = end - start, len(chain)
        self.read = [[0] * size for _ in range(frames)]
        self.must = [[0] * size for _ in range(frames)]
        self.live = [[0] * size for _ in range(frames)]
        self.written = [[0] * size for _ in range(frames)]
        self.seen = bytearray(size)
        self.dirty = True


class Liveness:
    """All instances of one walk."""

    def __init__(self, cfg: Cfg):
        self.cfg = cfg
        self.instances: dict[Chain, Instance] = {}
        self.writes: dict[int, int] = {}  # of the current instruction, by frame

    def instance(self, chain: Chain) -> Instance:
        """The instance of a chain of calls."""
        found = self.instances.get(chain)
        if found is None:
            start = chain[-1]
            end = self.cfg.ends[self.cfg.owner[start]]
            found = self.instances[chain] = Instance(chain, start, end)
        return found

    def mark_read(self, chain: Chain, frame: int, slot: int, mask: int) -> None:
        """The instruction at `slot` may read slots of a frame."""
        found = self.instance(chain)
        row, at = found.read[frame], slot - found.start
        if mask & ~row[at]:
            row[at] |= mask
            if mask & ~found.live[frame][at]:
                found.dirty = True

    def commit(self, chain: Chain, slot: int) -> None:
        """The current instruction is done: what it wrote on all paths is what it always writes."""
        found = self.instance(chain)
        at = slot - found.start
        first = not found.seen[at]
        if first:
            found.seen[at] = 1
            if not self.writes:
                return
        for frame, row in enumerate(found.must):
            mask = self.writes.get(frame, 0)
            mask = mask if first else mask & row[at]
            if mask != row[at]:
                row[at], found.dirty = mask, True
        self.writes.clear()

    def alive(self, state: State, depth: int) -> int:
        """The slots of a state's frame that may be read later, as a mask."""
        self._update()
        found, top = 0, len(state.frames) - 1
        for d in range(depth, top + 1):
            instance = self.instances.get(state.chain(d))
            if instance is None:
                continue
            slot = state.at(d) - instance.start
            if d < top:  # the call is under way: what lives after it
                slots = self.cfg.following[state.at(d)]
                for to in slots:
                    found |= instance.live[depth][to - instance.start]
                # A callback may be called again, which reads what the call itself reads.
                found |= instance.read[depth][slot]
            else:
                found |= instance.live[depth][slot]
        return found

    def _update(self) -> None:
        """Bring `live` up to date, callees before their callers."""
        work = [i for i in self.instances.values() if i.dirty]
        while work:
            work.sort(key=lambda i: -len(i.chain))
            instance = work.pop(0)
            if not instance.dirty:
                continue
            instance.dirty = False
            for frame in range(len(instance.chain)):
                self._solve(instance, frame)
            caller = self._to_caller(instance)
            if caller is not None and caller.dirty:
                work.append(caller)

    def _solve(self, instance: Instance, frame: int) -> None:
        """The data-flow equations of one frame's slots."""
        start, size = instance.start, instance.end - instance.start
        read, must = instance.read[frame], instance.must[frame]
        if not any(read):
            instance.live[frame] = [0] * size
        live = [0] * size
        # What is written for sure from here to the end of the function (greatest solution).
        every = -1
        written = [every] * size
        following = self.cfg.following
        changed = True
        while changed:
            changed = False
            for at in range(size - 1, -1, -1):
                after, sure = 0, every
                slots = following[start + at]
                for to in slots:
                    after |= live[to - start]
                    sure &= written[to - start]
                now = after & ~must[at] | read[at]
                sure = (sure if slots else 0) | must[at]
                if now != live[at] or sure != written[at]:
                    live[at], written[at], changed = now, sure, True
        instance.live[frame], instance.written[frame] = live, written

    def _to_caller(self, instance: Instance) -> Instance | None:
        """A call reads what its callee may read of the frames below."""
        chain = instance.chain
        if len(chain) == 1:
            return None
        call = chain[-2]
        owner = self.cfg.starts[self.cfg.owner[call]]
        caller = self.instance((*chain[:-2], owner))
        at = call - caller.start
        for frame in range(len(caller.chain)):
            mask = instance.live[frame][0]
            if mask & ~caller.read[frame][at]:
                caller.read[frame][at] |= mask
                caller.dirty = True
        return caller
