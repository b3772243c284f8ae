"""Running a compiled program over many packets: batches that fit into 50 ms, results in arrays."""

from __future__ import annotations

import time
from array import array
from collections.abc import Sequence
from operator import attrgetter, is_
from typing import Any

from ebee.abi.batch import ACTIONS, COPY_OUT, KEEP_CLOCK, Batch
from ebee.abi.packet import TAILROOM
from ebee.machine.buffer import address
from ebee.machine.cpu import VirtualCpu
from ebee.machine.jit.engine import Compiled
from ebee.machine.vm import BUDGET
from ebee.types import fields, sizeof

CHUNK_SECONDS = 0.05
"""How long one native call may take, so that Ctrl-C is heard."""

FIRST_CHUNK = 1024

APART = 128
"""Bytes between what a CPU writes all the time and anything of another CPU: two cache lines."""

_WORD = {name: field.offset // 8 for name, field in fields(Batch).items()}
_BUFFERS = (
    "data", "offsets", "lengths", "stamps", "verdicts", "targets", "out", "out_offsets",
    "out_lengths", "actions",
)  # fmt: skip


class PacketBatch:
    """Packets to run over, and what came of them.

    `data` holds all of them (a mapped capture), `offsets`, `lengths` and `stamps` (ns) say where
    each is. `verdicts` and `targets` fill up as it runs; with `keep` the packets as the program
    left them are in `packet(i)`. `packets` and `bytes` count by return value (7: any other).
    """

    def __init__(
        self,
        data: Any,
        offsets: array[int],
        lengths: array[int],
        stamps: array[int],
        *,
        keep: bool = False,
        follow_stamps: bool = True,
        ifindex: int = 1,
        rx_queue: int = 0,
        budget: int = BUDGET,
    ):
        self.data, self.offsets, self.lengths, self.stamps = data, offsets, lengths, stamps
        count = len(offsets)
        self.verdicts = array("I", bytes(4 * count))
        self.targets = array("I", bytes(4 * count))
        own = array("Q", bytes(sizeof(Batch) + 16 * ACTIONS + 3 * APART))
        self._block = memoryview(own)[APART // 8 :][: sizeof(Batch) // 8]
        self.actions = memoryview(own)[(2 * APART + sizeof(Batch)) // 8 :][: 2 * ACTIONS]
        self.out_offsets = array("Q", bytes(8 * count if keep else 0))
        self.out_lengths = array("I", bytes(4 * count if keep else 0))
        room = sum(lengths) + count * TAILROOM if keep else 0
        self.out = bytearray(room)
        self.done = 0
        self.seconds = 0.0
        self.flags = COPY_OUT * keep | KEEP_CLOCK * (not follow_stamps)
        self.ifindex, self.rx_queue = ifindex, rx_queue
        self.budget = budget
        self._chunk = FIRST_CHUNK
        self._address = address(self._block)
        self._buffers: tuple[Any, ...] = ()
        self._held: list[memoryview] = []

    def __len__(self) -> int:
        return len(self.offsets)

    def packet(self, i: int) -> memoryview:
        """A packet as the program left it."""
        at = self.out_offsets[i]
        return memoryview(self.out)[at : at + self.out_lengths[i]]

    def run(self, program: Compiled, cpu: VirtualCpu, rings: Sequence[int] = ()) -> bool:
        """Run one chunk; whether there is more to do. A fault is left in the CPU's block. Batches
        of different CPUs may run at the same time: the native call lets other threads go on.

        It ends early when a ring buffer of `rings` (addresses of their maps) is half full, so that
        it can be read; who does not read loses records, as with a kernel that does not wait."""
        before = self.done
        self._step(program, cpu, rings)
        if rings and self.done == before and not cpu.fault:
            self._step(program, cpu, ())
        return before < self.done < len(self.offsets)

    def _step(self, program: Compiled, cpu: VirtualCpu, rings: Sequence[int]) -> None:
        """One native call."""
        block, before = self._block, self.done
        buffers = _buffers(self)
        if not self._buffers or not all(map(is_, buffers, self._buffers)):
            self._bind(buffers)
        if rings or block[_WORD["ring_count"]]:
            watched = array("Q", rings)
            block[_WORD["rings"]], block[_WORD["ring_count"]] = address(watched), len(watched)
        if self.flags & COPY_OUT:
            block[_WORD["out_used"]] = self._used()
        block[_NEXT], block[_COUNT] = before, min(self._chunk, len(self.offsets) - before)
        begin = time.perf_counter()
        program.batch(cpu.address, cpu.context.base, self._address)
        took = time.perf_counter() - begin
        self.done = block[_NEXT]
        self.seconds += took
        if took:
            fits = int((self.done - before) * CHUNK_SECONDS / took)
            self._chunk = max(FIRST_CHUNK, min(fits, 1 << 24))

    def _bind(self, buffers: tuple[Any, ...]) -> None:
        """Fill the block with what stays the same from chunk to chunk."""
        block = self._block
        self._held = [memoryview(b) for b in buffers]  # so that none can be resized
        self._buffers = buffers
        values = {name: address(b) for name, b in zip(_BUFFERS, buffers, strict=True)}
        values |= {"data_size": self._held[0].nbytes, "out_size": len(self.out)}
        values |= {"budget": self.budget, "flags": self.flags | self.ifindex << 32}
        values["rx_queue"] = self.rx_queue
        for name, value in values.items():
            block[_WORD[name]] = value

    def _used(self) -> int:
        if not self.done:
            return 0
        return self.out_offsets[self.done - 1] + self.out_lengths[self.done - 1]


_buffers = attrgetter(*_BUFFERS)
_NEXT, _COUNT = _WORD["next"], _WORD["count"]
