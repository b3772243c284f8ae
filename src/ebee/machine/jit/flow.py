"""How control flows in a function: what it reaches, what stays alive, and the edges that close a
circle, whatever order the slots are laid out in."""

from __future__ import annotations

from ebee.isa import reads, successors, writes
from ebee.machine.code import Code

Edge = tuple[int, int]


def closing_edges(code: Code, start: int) -> dict[Edge, int]:
    """The edges that lead back into the path they come from, each with the number of instructions
    of its loop: every circle has one of them, so who counts there counts every turn."""
    before: dict[int, list[int]] = {}
    closing: list[Edge] = []
    on_path = {start: True}
    path = [(start, iter(successors(code.insns[start], start)))]
    while path:
        slot, rest = path[-1]
        for target in rest:
            before.setdefault(target, []).append(slot)
            if target not in on_path:
                on_path[target] = True
                path.append((target, iter(successors(code.insns[target], target))))
                break
            if on_path[target]:
                closing.append((slot, target))
        else:
            on_path[slot] = False
            path.pop()
    return {(slot, target): len(_body(before, slot, target)) for slot, target in closing}


def _body(before: dict[int, list[int]], slot: int, target: int) -> set[int]:
    """What lies between the head of a loop and the edge that closes it."""
    body, work = {target}, [slot]
    while work:
        at = work.pop()
        if at not in body:
            body.add(at)
            work += before.get(at, [])
    return body


def reachable(code: Code, start: int) -> set[int]:
    """The slots that control can reach from the start of a function."""
    seen: set[int] = set()
    work = [start]
    while work:
        slot = work.pop()
        if slot not in seen:
            seen.add(slot)
            work.extend(successors(code.insns[slot], slot))
    return seen


def liveness(code: Code, slots: list[int]) -> dict[int, int]:
    """Registers that are still read, as a mask, before each slot."""
    live = dict.fromkeys(slots, 0)
    follow = {s: successors(code.insns[s], s) for s in slots}
    use = {s: (reads(code.insns[s]), writes(code.insns[s])) for s in slots}
    changed = True
    while changed:
        changed = False
        for slot in reversed(slots):
            after = 0
            for s in follow[slot]:
                after |= live[s]
            read, written = use[slot]
            before = read | after & ~written
            if before != live[slot]:
                live[slot], changed = before, True
    return live
