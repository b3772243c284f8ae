"""A virtual CPU: its block, its stack, the packet frame, in regions of the machine's memory."""

from __future__ import annotations

from typing import Any

from ebee.abi.cpu import CLOCK_FIXED, CLOCK_HOST, KEY_ROOM, WALKS, Cpu, Trace
from ebee.abi.packet import HEADROOM, HEADROOM_USED, TAILROOM, Packet
from ebee.errors import MachineError
from ebee.machine.memory import Memory, Region
from ebee.types import offsetof, ptr, sizeof, view

FRAMES = 8
"""Depth of calls (MAX_CALL_FRAMES in include/linux/bpf_verifier.h)."""

STACK = 512
"""Bytes of one frame (MAX_BPF_STACK)."""

MADE_SIZE = 24
"""Bytes of the note of one dynptr (`Made` of jit.runtime)."""

PAGE = 4096
MAX_PACKET = 1 << 16
TRACE = 1 << 16


class ContextRegion(Region):
    """The block behind a context: programs reach it only through their context's declared fields,
    which the engines convert."""

    __slots__ = ()

    def refusal(self, addr: int, size: int, write: bool) -> str | None:
        return f"no access of {size} bytes at offset {addr - self.base} of the context"


class PacketRegion(Region):
    """A frame: programs may touch what lies between data_meta and data_end now."""

    __slots__ = ("packet",)
    packet: Any

    def refusal(self, addr: int, size: int, write: bool) -> str | None:
        start, end = int(self.packet.data_meta), int(self.packet.data_end)
        if start <= addr and addr + size <= end:
            return None
        at = addr - int(self.packet.data)
        return f"offset {at} and {size} bytes leave the packet of {end - start} bytes"


class VirtualCpu:
    """One virtual CPU.

    `block` is its `abi.cpu.Cpu`, at `address`, `packet` the packet block, whose address is the
    context that programs get. `frames[i]` is the stack of the i-th nested function.
    """

    def __init__(self, memory: Memory, number: int, count: int):
        self.memory, self.number = memory, number
        own = memory.allocate(f"cpu{number}", sizeof(Cpu) + sizeof(Trace))
        self.address = own.base
        self.block = view(Cpu, memory, own.base)
        self._fault = own.data[offsetof(Cpu, "fault") :][:4].cast("I")
        self.trace = view(Trace, memory, own.base + sizeof(Cpu))
        text = memory.allocate(f"cpu{number}.trace", TRACE)
        self.trace.buffer, self.trace.size = ptr(memory, text.base, Cpu), TRACE
        self.block.id, self.block.count, self.block.trace = number, count, self.trace.ptr
        self.context = memory.allocate("context", sizeof(Packet), kind=ContextRegion)
        self.packet = view(Packet, memory, self.context.base)
        self.frame = memory.allocate("packet", HEADROOM + MAX_PACKET + PAGE, kind=PacketRegion)
        self.frame.packet = self.packet  # type: ignore[attr-defined]
        self.packet.frame = ptr(memory, self.frame.base, Packet)
        stack = memory.allocate("stack", FRAMES * STACK)
        memory.free(stack)
        self.frames = [self._frame(stack, i) for i in range(FRAMES)]
        self.block.stack = ptr(memory, stack.base + FRAMES * STACK, Cpu)
        self.block.packet = self.packet.ptr
        made = memory.allocate("dynptrs", FRAMES * STACK // 8 * MADE_SIZE)
        self.block.made = ptr(memory, made.base, Cpu)
        self._regions = [own, text, self.context, self.frame, made, *self.frames]
        self._keys: Region | None = None
        self._key_room = 0
        self.make_room(KEY_ROOM)

    def make_room(self, key_size: int) -> None:
        """Let walks through maps with keys of this size be possible."""
        if key_size <= self._key_room:
            return
        before, self._key_room = self._keys, (key_size + 7) & ~7
        keys = self.memory.allocate("keys", 8 + WALKS * self._key_room, readable=True)
        self.memory.store(keys.base, 8, self._key_room)
        self.block.keys = ptr(self.memory, keys.base, Cpu)
        self._keys = keys
        self._regions.append(keys)
        if before is not None:
            self._regions.remove(before)
            self.memory.free(before)

    def _frame(self, stack: Region, depth: int) -> Region:
        """The stack of one depth: deeper ones lie lower; unreachable until the depth is entered."""
        at = (FRAMES - 1 - depth) * STACK
        return self.memory.add(
            Region("stack", stack.base + at, STACK, stack.data[at : at + STACK], _owner=stack)
        )

    @property
    def fault(self) -> int:
        """Why compiled code ended a program early: FAULT_NONE and so on."""
        return self._fault[0]

    def close(self) -> None:
        """Give the memory back."""
        for region in self._regions:
            self.memory.free(region)

    def set_clock(self, now: int | None, realtime_offset: int = 0) -> None:
        """Time stands at `now` ns (None: the host's clock)."""
        self.block.clock = CLOCK_HOST if now is None else CLOCK_FIXED
        self.block.now, self.block.realtime_offset = now or 0, realtime_offset

    def put_packet(self, data: bytes | memoryview) -> None:
        """Place a packet in the frame as BPF_PROG_TEST_RUN does: behind 256 bytes of headroom, in
        a frame of one page (of more, where the packet needs them). MachineError past 64 KiB."""
        size = len(data)
        if size > MAX_PACKET:
            raise MachineError(f"a packet of {size} bytes is longer than {MAX_PACKET}")
        base, packet, memory = self.frame.base, self.packet, self.memory
        room = max(PAGE, -(-(HEADROOM + size + TAILROOM) // PAGE) * PAGE)
        start = base + HEADROOM
        if packet.flags & HEADROOM_USED:
            self.frame.data[:HEADROOM] = bytes(HEADROOM)
            packet.flags = 0
        self.frame.data[HEADROOM : HEADROOM + size] = data
        packet.data = packet.data_meta = ptr(memory, start, Packet)
        packet.data_end = ptr(memory, start + size, Packet)
        packet.frame_end = ptr(memory, base + room, Packet)

    def get_packet(self, metadata: bool = True) -> bytes:
        """The packet as it is now, behind its metadata if it has any (as BPF_PROG_TEST_RUN)."""
        start = int(self.packet.data_meta if metadata else self.packet.data)
        return self.memory.read(start, int(self.packet.data_end) - start)

    def read_trace(self) -> tuple[str, int]:
        """What bpf_printk wrote since the last call, and how many bytes of it were lost."""
        t = self.trace
        start, end = int(t.read), int(t.written)
        lost = max(0, end - start - TRACE)
        ring = self.memory.read(int(t.buffer), TRACE)
        start += lost
        text = bytes(ring[i % TRACE] for i in range(start, end))
        t.read = end
        return text.decode("utf-8", "replace"), lost
