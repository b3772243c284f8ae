"""Running a compiled program over many packets: batches that fit into 50 ms, results in arrays."""

from __future__ import annotations

import ctypes
import time
from array import array
from collections.abc import Sequence
from typing import Any

from ebee.abi.batch import ACTIONS, COPY_OUT, KEEP_CLOCK, Batch
from ebee.abi.packet import TAILROOM
from ebee.machine.cpu import VirtualCpu
from ebee.machine.jit.engine import Compiled
from ebee.machine.vm import BUDGET
from ebee.types import LocalMemory, sizeof, view

CHUNK_SECONDS = 0.05
"""How long one native call may take, so that Ctrl-C is heard."""

FIRST_CHUNK = 1024


def address(buffer: Any) -> int:
    """Where the bytes of a buffer lie (also of a read-only one)."""
    holder = ctypes.py_object(buffer)
    made = _Buffer()
    if _get_buffer(holder, ctypes.byref(made), 0):
        raise BufferError("no contiguous buffer")
    try:
        return int(made.buf or 0)
    finally:
        _release(ctypes.byref(made))


class _Buffer(ctypes.Structure):
    """Py_buffer of the C API."""

    _fields_ = [
        ("buf", ctypes.c_void_p), ("obj", ctypes.c_void_p), ("len", ctypes.c_ssize_t),
        ("itemsize", ctypes.c_ssize_t), ("readonly", ctypes.c_int), ("ndim", ctypes.c_int),
        ("format", ctypes.c_char_p), ("shape", ctypes.c_void_p), ("strides", ctypes.c_void_p),
        ("suboffsets", ctypes.c_void_p), ("internal", ctypes.c_void_p),
    ]  # fmt: skip


_get_buffer = ctypes.pythonapi.PyObject_GetBuffer
_get_buffer.argtypes = (ctypes.py_object, ctypes.POINTER(_Buffer), ctypes.c_int)
_release = ctypes.pythonapi.PyBuffer_Release
_release.argtypes = (ctypes.POINTER(_Buffer),)
_release.restype = None


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
        self.actions = array("Q", bytes(16 * ACTIONS))
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
        if rings and self.done == before and not cpu.block.fault:
            self._step(program, cpu, ())
        return before < self.done < len(self)

    def _step(self, program: Compiled, cpu: VirtualCpu, rings: Sequence[int]) -> None:
        """One native call."""
        block = LocalMemory(sizeof(Batch))
        b = view(Batch, block, LocalMemory.START)
        members: Sequence[tuple[str, Any]] = (
            ("data", self.data), ("offsets", self.offsets), ("lengths", self.lengths),
            ("stamps", self.stamps), ("verdicts", self.verdicts), ("targets", self.targets),
            ("out", self.out), ("out_offsets", self.out_offsets),
            ("out_lengths", self.out_lengths), ("actions", self.actions),
        )  # fmt: skip
        for name, buffer in members:
            setattr(b, name, address(buffer))
        b.data_size = memoryview(self.data).nbytes
        b.out_size, b.flags = len(self.out), self.flags
        b.ifindex, b.rx_queue = self.ifindex, self.rx_queue
        b.out_used, b.budget = self._used(), self.budget
        watched = array("Q", rings)
        b.rings, b.ring_count = address(watched), len(watched)
        b.next, b.count = self.done, min(self._chunk, len(self) - self.done)
        before = self.done
        begin = time.perf_counter()
        program.batch(int(cpu.block.ptr), cpu.context.base, address(block.data))
        took = time.perf_counter() - begin
        self.done = int(b.next)
        self.seconds += took
        if took:
            fits = int((self.done - before) * CHUNK_SECONDS / took)
            self._chunk = max(FIRST_CHUNK, min(fits, 1 << 24))

    def _used(self) -> int:
        if not self.flags & COPY_OUT or not self.done:
            return 0
        return self.out_offsets[self.done - 1] + self.out_lengths[self.done - 1]
