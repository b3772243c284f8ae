"""The machine's regions as a table that compiled code looks up addresses in."""

from __future__ import annotations

import threading

from ebee.abi.map import NO_LOCK
from ebee.errors import MachineError
from ebee.machine.cpu import PacketRegion
from ebee.machine.jit.runtime import (
    IS_MAP,
    IS_PACKET,
    IS_RING,
    IS_STACK,
    READABLE,
    WRITABLE,
    RegionEntry,
    Regions,
)
from ebee.machine.map_state import GuardedRegion, MapRegion
from ebee.machine.memory import Memory, Region
from ebee.maps.ringbuf_ops import owns
from ebee.types import ptr, sizeof, view

CAPACITY = 1 << 16
"""Regions that the table has room for."""


class RegionTable:
    """Kept at one `address`; `update` brings it in line with the memory."""

    def __init__(self, memory: Memory):
        self.memory = memory
        room = memory.allocate("regions", sizeof(Regions) + CAPACITY * sizeof(RegionEntry))
        self.address = room.base
        self._table = view(Regions, memory, room.base)
        self._first = room.base + sizeof(Regions)
        self._table.entries = ptr(memory, self._first, RegionEntry)
        self._version = -1
        self._lock = threading.Lock()

    def update(self) -> None:
        """Write the table anew if regions have come or gone. Programs that run meanwhile wait with
        what they look up in it."""
        if self._version == self.memory.version:
            return
        with self._lock:
            version = self.memory.version
            regions = [r for r in self.memory.seen() if _rights(r)]
            if len(regions) > CAPACITY:
                raise MachineError(f"{len(regions)} regions of memory are more than {CAPACITY}")
            self._table.sequence = self._table.sequence + 1
            try:
                for i, region in enumerate(regions):
                    at = self._first + i * sizeof(RegionEntry)
                    self._write(view(RegionEntry, self.memory, at), region)
                self._table.count = len(regions)
            finally:
                self._table.sequence = self._table.sequence + 1
            self._version = version

    def _write(self, entry: RegionEntry, region: Region) -> None:
        entry.base, entry.end = region.base, region.end
        entry.stride, entry.lo, entry.hi = region.stride, region.lo, region.hi
        entry.rights = _rights(region)
        entry.skip = region.skip if region.skip >= 0 else NO_LOCK
        if isinstance(region, PacketRegion):
            entry.block = region.packet.ptr
        elif isinstance(region, GuardedRegion):
            entry.block = region.guard[1]
        elif isinstance(region, MapRegion):
            entry.block = ptr(self.memory, region.base, RegionEntry)
        else:
            entry.block = ptr(self.memory, 0, RegionEntry)


def _rights(region: Region) -> int:
    if isinstance(region, PacketRegion):
        return READABLE | WRITABLE | IS_PACKET
    if isinstance(region, GuardedRegion):
        ring = region.guard[0] is owns
        return READABLE | WRITABLE | IS_RING if ring else 0
    if isinstance(region, MapRegion):
        return IS_MAP
    if region.name == "stack":  # frames are opened as calls nest; compiled code counts the depth
        return READABLE | WRITABLE | IS_STACK
    return READABLE * region.readable | WRITABLE * region.writable
