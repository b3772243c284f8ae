"""The flow of control inside functions: blocks, their order, loops."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ebee.isa import Form, Insn, successors

ENOUGH = 1 << 40
"""Counts above this say as little as none."""


class Graph:
    """Blocks of straight code, each named by its first slot, and how they follow each other.

    `after[b]`: the blocks that may follow; `order[b]`: its place in an order in which a block comes
    behind those that lead to it, but for edges that close a loop; those lead to `heads`.
    """

    def __init__(self, insns: Sequence[Insn], forms: Sequence[Form | None], starts: Iterable[int]):
        self.insns, self.forms = insns, forms
        self.starts = sorted(starts)
        self.leaders = self._leaders()
        self.end: dict[int, int] = {}
        self.after: dict[int, list[int]] = {}
        for leader in sorted(self.leaders):
            self._block(leader)
        self.order: dict[int, int] = {}
        for start in self.starts:
            self._walk(start)
        self.heads = {b for a in self.after for b in self.after[a] if self.closes(a, b)}

    def closes(self, source: int, target: int) -> bool:
        """Whether an edge between blocks closes a loop."""
        place = self.order.get(source)
        return place is not None and target in self.order and self.order[target] <= place

    def latches(self, head: int) -> Iterable[int]:
        """The blocks from which control comes back to a loop's head."""
        return [
            a for a, following in self.after.items() if head in following and self.closes(a, head)
        ]

    def slots(self, block: int) -> Iterable[int]:
        """The instructions of a block."""
        slot = block
        while slot < self.end[block]:
            yield slot
            form = self.forms[slot]
            slot += 2 if form is not None and form.wide else 1

    def _to(self, slot: int) -> list[int]:
        form = self.forms[slot]
        if form is None:
            return []
        return [s for s in successors(self.insns[slot], slot) if 0 <= s < len(self.insns)]

    def _leaders(self) -> set[int]:
        found = set(self.starts)
        for slot, form in enumerate(self.forms):
            if form is not None and form.kind == "jump":
                found.update(self._to(slot))
        return found

    def _block(self, leader: int) -> None:
        slot = leader
        while True:
            form = self.forms[slot]
            following = slot + (2 if form is not None and form.wide else 1)
            if form is None or form.kind in ("jump", "exit") or following >= len(self.forms):
                break
            if following in self.leaders:
                break
            slot = following
        self.end[leader], self.after[leader] = following, self._to(slot)

    def _walk(self, start: int) -> None:
        """Number the blocks of a function in reverse postorder, behind those of the last one."""
        done: list[int] = []
        seen = set(self.order) | {start}
        path = [(start, iter(self.after[start]))]
        while path:
            block, rest = path[-1]
            following = next((b for b in rest if b not in seen), None)
            if following is None:
                done.append(block)
                path.pop()
            else:
                seen.add(following)
                path.append((following, iter(self.after[following])))
        first = len(self.order)
        self.order |= {block: first + i for i, block in enumerate(reversed(done))}

    # -- how often ---------------------------------------------------------------------------------

    def runs(self, turns: Mapping[int, int]) -> dict[int, int]:
        """How often each slot runs at the most per call of its function, where that is known;
        `turns`: how often control comes back to a loop's head, by head, before it is entered anew.

        Inside its innermost loop a block runs once a turn, since its edges make no circle there;
        and a loop that is entered at its head only is entered once a turn of the next one.
        """
        times: dict[int, int | None] = dict.fromkeys(self.order, 1)
        before: dict[int, list[int]] = {}
        for a, following in self.after.items():
            for b in following:
                before.setdefault(b, []).append(a)
        for head in self.heads:
            body = self._body(head, before)
            sound = head in turns and not any(s in body and s != head for s in self.starts)
            for block in body:
                so_far = times.get(block)
                n = so_far * (turns[head] + 1) if sound and so_far is not None else ENOUGH
                times[block] = n if n < ENOUGH else None
        return {
            slot: n for block, n in times.items() if n is not None for slot in self.slots(block)
        }

    def _body(self, head: int, before: Mapping[int, list[int]]) -> set[int]:
        body = {head}
        work = [a for a in before[head] if self.closes(a, head)]
        while work:
            block = work.pop()
            if block not in body:
                body.add(block)
                work += before.get(block, [])
        return body
