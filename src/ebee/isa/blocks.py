"""A program's control flow: runs of instructions without a way in or out between, and the ways."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from ebee.isa.disasm import Line
from ebee.isa.flow import successors
from ebee.isa.insn import LDDW, Insn
from ebee.isa.table import form_of


class Block(NamedTuple):
    """Instructions from slot `start` up to `end`; `ways`: the blocks that may follow, by start."""

    start: int
    end: int
    ways: tuple[int, ...]


def blocks(insns: Sequence[Insn], starts: Collection[int] = (0,)) -> list[Block]:
    """The blocks of a program whose functions begin at `starts`, in order. Calls are passed over;
    what leads out of the program is no way."""
    heads = {0, *starts}
    after: dict[int, tuple[int, ...]] = {}
    slot = 0
    while slot < len(insns):
        size = 2 if insns[slot].op == LDDW else 1
        ways = tuple(to for to in _after(insns[slot], slot) if 0 <= to < len(insns))
        after[slot] = ways
        if ways != (slot + size,):
            heads |= {*ways, slot + size}
        slot += size
    bounds = sorted(head for head in heads if head in after)
    found = []
    for start, end in zip(bounds, [*bounds[1:], len(insns)], strict=False):
        last = max(slot for slot in after if start <= slot < end)
        found.append(Block(start, end, after[last]))
    return found


def _after(insn: Insn, slot: int) -> tuple[int, ...]:
    """The ways on from an instruction; the kernel's own ones, which are not legal, just go on."""
    return successors(insn, slot) if form_of(insn) else (slot + 1,)


def dot(insns: Sequence[Insn], texts: Sequence[Line], functions: Mapping[int, str]) -> str:
    """The control flow as a graph in Graphviz's language; `functions`: names by first slot."""
    found = blocks(insns, functions)
    out = ['digraph "program" {', '  node [shape=box, fontname="monospace"];']
    for block in found:
        inside = [line for line in texts if block.start <= line.slot < block.end]
        rows = [f"{line.slot}: {line.text}" for line in inside]
        if block.start in functions:
            rows.insert(0, f"{functions[block.start]}():")
        label = "".join(f"{_escaped(row)}\\l" for row in rows)
        out.append(f'  b{block.start} [label="{label}"];')
    for block in found:
        for number, way in enumerate(block.ways):
            taken = ' [label="taken"]' if len(block.ways) > 1 and number else ""
            out.append(f"  b{block.start} -> b{way}{taken};")
    return "\n".join([*out, "}"]) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
