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
    """A function under one chain of calls; masks by frame, then by slot of code. `work` are (frame,
    slot) where other slots may be live than `live` says."""

    __slots__ = ("chain", "end", "live", "must", "read", "seen", "start", "work")

    def __init__(self, chain: Chain, start: int, end: int):
        self.chain, self.start, self.end = chain, start, end
        size, frames = end - start, len(chain)
        self.read = [[0] * size for _ in range(frames)]
        self.must = [[0] * size for _ in range(frames)]
        self.live = [[0] * size for _ in range(frames)]
        self.seen = bytearray(size)
        self.work: list[tuple[int, int]] = []


class Liveness:
    """All instances of one walk."""

    def __init__(self, cfg: Cfg):
        self.cfg = cfg
        self.instances: dict[Chain, Instance] = {}
        self.writes: dict[int, int] = {}  # of the current instruction, by frame
        self.touched: set[Instance] = set()  # of which `live` is not up to date

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
                found.work.append((frame, at))
                self.touched.add(found)

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
                row[at] = mask
                found.work.append((frame, at))
                self.touched.add(found)
        self.writes.clear()

    def alive(self, state: State, depth: int) -> int:
        """The slots of a state's frame that may be read later, as a mask."""
        if self.touched:
            self._update()
        found, top = 0, len(state.frames) - 1
        for d in range(depth, top + 1):
            instance = self.instances.get(state.chain(d))
            if instance is None:
                continue
            slot = state.at(d) - instance.start
            if d < top and state.at(d) not in self.cfg.callbacks:  # what lives after the call
                for to in self.cfg.following[state.at(d)]:
                    found |= instance.live[depth][to - instance.start]
            else:
                found |= instance.live[depth][slot]
        return found

    def _update(self) -> None:
        """Bring `live` up to date, callees before their callers."""
        while self.touched:
            instance = max(self.touched, key=lambda each: len(each.chain))
            self._solve(instance)
            self.touched.remove(instance)
            self._to_caller(instance)

    def _solve(self, instance: Instance) -> None:
        """Carry what has become live, or is so no more, back along the flow of control."""
        start, following, work = instance.start, self.cfg.following, instance.work
        steps = 256 * len(instance.seen)
        while work:
            frame, at = work.pop()
            live, after = instance.live[frame], 0
            for to in following[start + at]:
                after |= live[to - start]
            now = after & ~instance.must[frame][at] | instance.read[frame][at]
            if now != live[at]:
                live[at] = now
                work += [(frame, before - start) for before in self.cfg.preceding[start + at]]
            steps -= 1
            if not steps:  # in loops what comes and what goes might chase each other: begin anew
                for number, row in enumerate(instance.read):
                    instance.live[number] = [0] * len(row)
                    work += [(number, slot) for slot, mask in enumerate(row) if mask]

    def _to_caller(self, instance: Instance) -> None:
        """A call reads what its callee may read of the frames below."""
        chain = instance.chain
        if len(chain) == 1:
            return
        call = chain[-2]
        caller = (*chain[:-2], self.cfg.starts[self.cfg.owner[call]])
        for frame in range(len(caller)):
            self.mark_read(caller, frame, call, instance.live[frame][0])
