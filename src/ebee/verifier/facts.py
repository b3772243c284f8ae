"""Facts: what each register holds before each instruction.

`Facts` is the one shape; `verifier.kinds` is its first producer. Code without checks, or with few,
is made from facts, so they hold for programs that no verifier has seen, as long as each access
stays where its pointer's kind may lead:

    packet, packet_meta         the packet
    stack of the running frame  that frame
    map_value, mem              anything but stacks
    any other                   anything

Numbers are meant modulo 2**64, as registers are: a range (-4, 3) holds for 0xffff_ffff_ffff_fffc.
"""

from __future__ import annotations

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
    reach     packet, packet_meta: bytes that are known to be there from where it points on
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


NONE, SCALAR, UNKNOWN = Fact("none"), Fact("scalar"), Fact("unknown")
PACKET_KINDS = frozenset(("packet", "packet_meta", "packet_end"))
POINTERS = PACKET_KINDS | {"ctx", "stack", "map", "map_value", "mem", "func"}


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


__all__ = ["NONE", "PACKET_KINDS", "POINTERS", "SCALAR", "UNKNOWN", "Fact", "Facts"]
