# mypy: disable-error-code="arg-type,return-value,no-any-return,call-overload,assignment"
"""Running a compiled program over many packets: restricted Python.

`run_batch` and `run_group` are compiled with each program, for what it needs. What they do once for
a group of packets (SHARED) is the same for all programs, so it is compiled only once.
"""

from collections.abc import Callable

from ebee.abi.batch import COPY_OUT, KEEP_CLOCK, OTHERS, Batch
from ebee.abi.cpu import FAULT_NONE, FAULT_PACKET, REDIRECT_NONE, Cpu
from ebee.abi.packet import HEADROOM, HEADROOM_USED, TAILROOM, Packet
from ebee.maps.ringbuf_ops import Ring, consumer, producer
from ebee.native import byte_offset, cast, memcpy, memset, native
from ebee.types import i64, ptr, u8, u32, u64

FRAME, CLOCK, REDIRECT, TAILS, BUDGET, FAULTS, RINGS = 1, 2, 4, 8, 16, 32, 64
"""What programs need of the loop: the packet in a frame of its own, time by the packets'
stamps, redirects and tail calls counted from the start, a budget, to be stopped at a fault, or when
the readers of ring buffers fall behind."""
EVERYTHING = FRAME | CLOCK | REDIRECT | TAILS | BUDGET | FAULTS | RINGS

GROUP = 256
"""Packets whose lengths are looked over, and whose return values are counted, at a time."""

PAGE = 4096
MAX_PACKET = 1 << 16
BLOCK = 64

Program = Callable[[ptr[Cpu], ptr[Packet], ptr[u8], ptr[u8], u64, u64], u64]
"""The entry of a program, which is given where the packet begins and ends."""


@native
def run_once(cpu: ptr[Cpu], program: Program) -> u64:
    """Run a program on the packet in the CPU's block."""
    cpu.walks = u32(0)
    packet = cast(ptr[Packet], cpu.packet)
    return program(cpu, packet, packet.data, packet.data_end, u64(0), u64(0))


@native
def run_batch(
    cpu: ptr[Cpu], packet: ptr[Packet], batch: ptr[Batch], program: Program, needs: u32
) -> None:
    """Run a program on the packets of a batch."""
    begin = batch.next
    end = begin_batch(cpu, packet, batch, needs)
    i = begin
    while i < end:
        stop = group_end(cpu, batch, i, end)
        if stop == i:
            break
        done = run_group(cpu, packet, batch, program, needs, i, stop)
        count(batch, i, done)
        i = done
        if i != stop:
            break
    end_batch(cpu, packet, batch, needs, i)


@native
def run_group(
    cpu: ptr[Cpu], packet: ptr[Packet], batch: ptr[Batch], program: Program, needs: u32,
    begin: u64, end: u64,
) -> u64:  # fmt: skip
    """Run a program on the packets from `begin` to before `end`; the first that is not done.

    What every packet needs is read once, since for all that the compiler knows the program could
    change it; the rest stays where it is, and leaves the registers to the program."""
    data = batch.data
    offsets = batch.offsets
    lengths = batch.lengths
    stamps = batch.stamps
    verdicts = batch.verdicts
    targets = batch.targets
    budget = i64(batch.budget)
    i = begin
    while i < end and not (needs & RINGS and batch.ring_count != 0 and crowded(batch)):
        size = lengths[i]
        start = byte_offset(data, offsets[i])
        if needs & CLOCK and batch.flags & KEEP_CLOCK == 0:
            cpu.now = stamps[i]
        if needs & TAILS:
            cpu.tail_calls = u32(0)
        if needs & BUDGET:
            cpu.budget = budget
        if needs & REDIRECT:
            cpu.redirect_kind = u32(REDIRECT_NONE)
        if needs & FRAME:
            place(packet, start, size, batch.data_size - offsets[i])
        else:
            packet.data = start
            packet.data_meta = start
            packet.data_end = byte_offset(start, size)
        verdict = u32(program(cpu, packet, packet.data, packet.data_end, u64(0), u64(0)))
        if needs & FAULTS and cpu.fault != FAULT_NONE:
            break
        if needs & FRAME and batch.flags & COPY_OUT:
            length = u32(packet.data_end - packet.data)
            if not copy_out(batch, i, packet.data, length):
                break
        verdicts[i] = verdict
        if needs & REDIRECT:
            targets[i] = cpu.redirect_ifindex if cpu.redirect_kind != REDIRECT_NONE else u32(0)
        i = i + 1
    return i


# --- once for each packet, where it is needed -----------------------------------------------------


@native
def copy_in(to: ptr[u8], source: ptr[u8], size: u64, room: u64) -> None:
    """Copy a packet, of which `room` bytes and more may be read: in whole blocks where they are
    there, since a call of memcpy costs more than a small packet."""
    if (size + BLOCK - 1) & ~u64(BLOCK - 1) > room:
        memcpy(to, source, size)
        return
    at = u64(0)
    while at < size:
        memcpy(byte_offset(to, at), byte_offset(source, at), BLOCK)
        at = at + BLOCK


@native
def place(packet: ptr[Packet], source: ptr[u8], size: u32, room: u64) -> None:
    """Put a packet into the frame as BPF_PROG_TEST_RUN does."""
    start = byte_offset(packet.frame, HEADROOM)
    if packet.flags & HEADROOM_USED:
        memset(packet.frame, 0, u64(HEADROOM))
        packet.flags = u32(0)
    copy_in(start, source, u64(size), room)
    packet.data = start
    packet.data_meta = start
    packet.data_end = byte_offset(start, size)
    whole = u64(HEADROOM + TAILROOM + PAGE - 1) + size
    packet.frame_end = byte_offset(packet.frame, whole & ~u64(PAGE - 1))


@native
def crowded(batch: ptr[Batch]) -> bool:
    """Whether one of the ring buffers is more than half full."""
    rings = cast(ptr[ptr[Ring]], batch.rings)
    for i in range(batch.ring_count):
        m = rings[i]
        if producer(m).position - consumer(m)[0] > (m.mask >> 1):
            return True
    return False


@native
def copy_out(batch: ptr[Batch], i: u64, start: ptr[u8], length: u32) -> bool:
    """Keep a packet as the program left it; False when there is no room."""
    if batch.out_size - batch.out_used < length:
        return False
    memcpy(byte_offset(batch.out, batch.out_used), start, u64(length))
    batch.out_offsets[i] = batch.out_used
    batch.out_lengths[i] = length
    batch.out_used = batch.out_used + length
    return True


# --- once for each batch --------------------------------------------------------------------------


@native
def begin_batch(cpu: ptr[Cpu], packet: ptr[Packet], batch: ptr[Batch], needs: u32) -> u64:
    """Make ready; the packet to end before."""
    begin = batch.next
    end = begin + batch.count
    packet.ingress_ifindex = batch.ifindex
    packet.rx_queue_index = batch.rx_queue
    cpu.tail_calls = u32(0)
    cpu.depth = u32(0)
    cpu.walks = u32(0)
    cpu.redirect_kind = u32(REDIRECT_NONE)
    if needs & REDIRECT:
        batch.redirected = u32(1)
    elif batch.redirected != 0:
        memset(cast(ptr[u8], batch.targets + begin), 0, 4 * batch.count)
    if needs & FRAME == 0 and batch.flags & COPY_OUT:
        end = copy_all(batch, begin, end)
    return end


@native
def copy_all(batch: ptr[Batch], begin: u64, end: u64) -> u64:
    """Keep packets that no program will change; the first one for which there is no room."""
    i = begin
    while i < end:
        start = byte_offset(batch.data, batch.offsets[i])
        if not copy_out(batch, i, start, batch.lengths[i]):
            break
        i = i + 1
    return i


@native
def end_batch(
    cpu: ptr[Cpu], packet: ptr[Packet], batch: ptr[Batch], needs: u32, done: u64
) -> None:  # fmt: skip
    """Leave everything as it is between batches; packets before `done` are done."""
    if done > batch.next and batch.flags & KEEP_CLOCK == 0:
        cpu.now = batch.stamps[done - 1]
    if needs & FRAME == 0:  # nobody may follow pointers to packets that are gone
        packet.data = byte_offset(packet.frame, HEADROOM)
        packet.data_meta = packet.data
        packet.data_end = packet.data
    batch.next = done


# --- once for each group --------------------------------------------------------------------------


@native
def group_end(cpu: ptr[Cpu], batch: ptr[Batch], begin: u64, end: u64) -> u64:
    """Where the group that begins with a packet ends: before a packet that is longer than a frame,
    which is a fault if it is the first."""
    lengths = batch.lengths
    stop = min(begin + GROUP, end)
    longest = u32(0)
    for i in range(begin, stop):
        longest = max(longest, lengths[i])
    if longest <= MAX_PACKET:
        return stop
    found = begin
    while lengths[found] <= MAX_PACKET:
        found = found + 1
    if found == begin:
        cpu.fault = u32(FAULT_PACKET)
        cpu.fault_slot = u32(0)
        cpu.fault_address = u64(0)
    return found


@native
def count(batch: ptr[Batch], begin: u64, end: u64) -> None:
    """Count packets and their bytes by what the program returned. Mostly that is the same for all
    of a group; where it is not, one pass for each value takes many packets at a time, too."""
    if begin == end:
        return
    verdicts = batch.verdicts
    lengths = batch.lengths
    first = min(verdicts[begin], u32(OTHERS))
    differ = u32(0)
    total = u32(0)
    for i in range(begin, end):
        differ = differ | (min(verdicts[i], u32(OTHERS)) ^ first)
        total = total + lengths[i]
    if differ == 0:
        add(batch, first, u32(end - begin), total)
        return
    for value in range(u32(OTHERS + 1)):
        packets = u32(0)
        total = u32(0)
        for i in range(begin, end):
            same = min(verdicts[i], u32(OTHERS)) == value
            packets = packets + u32(same)
            total = total + (lengths[i] if same else u32(0))
        add(batch, value, packets, total)


@native
def add(batch: ptr[Batch], value: u32, packets: u32, total: u32) -> None:
    actions = batch.actions
    actions[value * 2] = actions[value * 2] + packets
    actions[value * 2 + 1] = actions[value * 2 + 1] + total


SHARED = {f: f"machine.{f.__name__}" for f in (begin_batch, end_batch, group_end, count)}
"""The symbols of what is compiled for all programs at once."""
