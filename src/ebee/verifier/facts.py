"""Facts: what each register holds before each instruction.

`Facts` is the one shape. It has two producers: `verifier.kinds`, a quick pass over any program,
and `verifier.core.observe`, which watches the verifier walk a program that it accepts. What both
say holds, so `refined` takes the best of each. Code without checks, or with few, is made from
facts, so those of the pass hold for programs that no verifier has seen, as long as each access
stays where its pointer's kind may lead:

    packet, packet_meta         the packet
    stack of the running frame  that frame
    map_value, mem              anything but stacks
    any other                   anything

Numbers are meant modulo 2**64, as registers are: a range (-4, 3) holds for 0xffff_ffff_ffff_fffc.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import NamedTuple


class Fact(NamedTuple):
    """What one register or stack slot holds.

    kind      none (never written), scalar, unknown, or a pointer: ctx, packet, packet_meta,
              packet_end, stack, map, map_value, mem, func
    of        which one: name of the map, start slot of the frame's function, ...
    offset    distance from where the pointer began, or a scalar's value; None: not known
    nullable  may also be null; what follows and `offset` are meant for the case that it is not
    span      least and greatest offset or value, where one is known that says something
    reach     packet, packet_meta, mem: bytes that are known to be there from where it points on
    """

    kind: str
    of: str = ""
    offset: int | None = None
    nullable: bool = False
    span: tuple[int, int] | None = None
    reach: int = 0

    def at(self, off: int) -> Fact:
        """The same pointer, moved."""
        offset = None if self.offset is None else self.offset + off
        span = None if self.span is None else (self.span[0] + off, self.span[1] + off)
        reach = max(self.reach - off, 0) if self.reach else 0  # 0 says nothing, wherever it goes
        return self._replace(offset=offset, span=span, reach=reach)

    def within(self, lo: int, hi: int, size: int) -> bool:
        """Whether `size` bytes from here lie between the offsets lo and hi for sure."""
        if self.span is None or self.nullable:
            return False
        return lo <= self.span[0] and self.span[1] + size <= hi

    def either(self, other: Fact) -> Fact:
        """What is known of something that one or the other holds for."""
        if self == other:
            return self
        if self.kind != other.kind:
            return UNKNOWN
        of = self.of if self.of == other.of else ""
        if of != self.of and self.kind not in _NAMELESS:
            return UNKNOWN
        span = None
        if self.span is not None and other.span is not None:
            span = min(self.span[0], other.span[0]), max(self.span[1], other.span[1])
        offset = self.offset if self.offset == other.offset else None
        reach, nullable = min(self.reach, other.reach), self.nullable or other.nullable
        return Fact(self.kind, of, offset, nullable, span, reach)

    def both(self, other: Fact) -> Fact:
        """What is known of something that both hold for; where they cannot be told in one, what
        says more."""
        if self == other or other.kind not in POINTERS | {"scalar"}:
            return self
        if self.kind != other.kind or (self.of and other.of and self.of != other.of):
            return self if self.kind in POINTERS else other
        offset, span = self.offset, _overlap(self.span, other.span)
        if offset is None and other.offset is not None:
            offset, span = other.offset, other.span
        return Fact(
            self.kind, self.of or other.of, offset, self.nullable and other.nullable, span,
            max(self.reach, other.reach),
        )  # fmt: skip


def _overlap(a: Span | None, b: Span | None) -> Span | None:
    """What both spans leave. Numbers that differ by 2**64 are the same, so spans must lie close to
    each other; else the first."""
    if a is None or b is None:
        return a or b
    lo, hi = max(a[0], b[0]), min(a[1], b[1])
    close = max(a[1], b[1]) - min(a[0], b[0]) < 1 << 64
    return (lo, hi) if lo <= hi and close else a


Span = tuple[int, int]

NONE, SCALAR, UNKNOWN = Fact("none"), Fact("scalar"), Fact("unknown")
PACKET_KINDS = frozenset(("packet", "packet_meta", "packet_end"))
POINTERS = PACKET_KINDS | {"ctx", "stack", "map", "map_value", "mem", "func"}
_NAMELESS = frozenset(("map", "map_value", "mem"))
"""Kinds of pointers that say something even where it is not known which one it is."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts of a linked program: for each slot the eleven registers before it runs, or None where
    control never comes; `runs`, how often a slot runs at the most in one call of its function,
    where that is known."""

    before: list[tuple[Fact, ...] | None]
    runs: dict[int, int] = field(default_factory=dict)

    def reg(self, slot: int, register: int) -> Fact:
        """What a register holds before the instruction at `slot`; UNKNOWN if it is never run."""
        regs = self.before[slot]
        return UNKNOWN if regs is None else regs[register]

    def refined(self, other: Facts) -> Facts:
        """What is known of the same program where both hold."""
        before: list[tuple[Fact, ...] | None] = [
            None if a is None or b is None else tuple(map(Fact.both, a, b))
            for a, b in zip(self.before, other.before, strict=True)
        ]
        runs = dict(self.runs)
        for slot, n in other.runs.items():
            runs[slot] = min(n, runs.get(slot, n))
        return Facts(before, runs)

    def encode(self) -> bytes:
        """As text; facts that are the same stand in it once."""
        found: dict[Fact, int] = {}
        rows = [
            None if regs is None else [found.setdefault(f, len(found)) for f in regs]
            for regs in self.before
        ]
        return json.dumps([list(found), rows, list(self.runs.items())]).encode()

    @staticmethod
    def decode(data: bytes) -> Facts:
        """The reverse of `encode`. ValueError where that is not what it made."""
        try:
            known, rows, runs = json.loads(data)
            facts = [
                Fact(
                    kind, of, offset, nullable, None if span is None else (span[0], span[1]), reach
                )
                for kind, of, offset, nullable, span, reach in known
            ]
            before = [None if row is None else tuple(facts[i] for i in row) for row in rows]
            return Facts(before, dict(runs))
        except (TypeError, IndexError, KeyError) as error:
            raise ValueError(f"no facts: {error}") from None


__all__ = ["NONE", "PACKET_KINDS", "POINTERS", "SCALAR", "UNKNOWN", "Fact", "Facts"]
