# mypy: disable-error-code="arg-type,return-value,no-any-return,call-overload,assignment"
"""Runs of common records of a capture, into arrays: restricted Python.

Each function begins at a record and stops where the arrays are full, the bytes end, or something
comes that is not common or not sound: the scanners, which know what to say of it, go on there.
"""

from ebee.machine.capture.packet import LARGEST
from ebee.native import bswap16, bswap32, byte_offset, cast, mulhi, native
from ebee.types import i64, ptr, struct, u8, u16, u32, u64

AHEAD = 12
"""Each record tells only where the next one is, and memory is slow to answer: so a byte is asked
for where the record after so many will be if all are of one size."""

ENHANCED_PACKET, OPT_END, OPT_COMMENT = 6, 0, 1


@struct
class Clock:
    """What makes nanoseconds of an interface's ticks: `(ticks * times >> shift) // over + plus`.

    `shift` is at most 63, and 0 where `over` is not 1; `times` is 0 for a clock that is beyond
    this."""

    times: u64
    over: u64
    plus: i64
    shift: u64


@struct
class Run:
    """The bytes `pos..end` at `data`, and arrays with `room` elements for what is found.

    pcap: `largest` packet allowed, `unit`: nanoseconds of a fraction. pcapng: `clocks` of the
    section's `interfaces_known` interfaces, the first of which is number `first` of the file.
    `asked`: of no use but to keep the bytes asked for ahead (see AHEAD) from being left out."""

    data: ptr[u8]
    pos: u64
    end: u64
    room: u64
    offsets: ptr[u64]
    lengths: ptr[u32]
    orig_lens: ptr[u32]
    stamps: ptr[u64]
    interfaces: ptr[u32]
    largest: u64
    unit: u64
    clocks: ptr[Clock]
    interfaces_known: u64
    first: u64
    asked: u64


@struct
class Record:
    """A pcap record's header."""

    seconds: u32
    fraction: u32
    length: u32
    orig_len: u32


@struct
class Enhanced:
    """The head of an enhanced packet block."""

    kind: u32
    size: u32
    interface: u32
    high: u32
    low: u32
    length: u32
    orig_len: u32


@struct
class Option:
    """An option's head; its value follows, padded to 4 bytes."""

    code: u16
    length: u16


@native
def order32(x: u32, swapped: u32) -> u32:
    return bswap32(x) if swapped else x


@native
def order16(x: u16, swapped: u32) -> u16:
    return bswap16(x) if swapped else x


@native
def pcap_run(run: ptr[Run], swapped: u32) -> u64:
    """Index pcap records from `run.pos` on, which moves; returns how many."""
    data, pos, end, room = run.data, run.pos, run.end, run.room
    offsets, lengths, orig_lens = run.offsets, run.lengths, run.orig_lens
    stamps, largest, unit = run.stamps, run.largest, run.unit
    n = u64(0)
    asked = u64(0)
    while n < room and end - pos >= 16:
        record = cast(ptr[Record], byte_offset(data, pos))
        length = order32(record.length, swapped)
        if length > largest or end - pos - 16 < length:
            break
        seconds = u64(order32(record.seconds, swapped))
        stamps[n] = seconds * 1_000_000_000 + u64(order32(record.fraction, swapped)) * unit
        offsets[n] = pos + 16
        lengths[n] = length
        orig_lens[n] = order32(record.orig_len, swapped)
        if AHEAD * (16 + u64(length)) < end - pos:
            asked = asked | data[pos + AHEAD * (16 + u64(length))]
        pos = pos + 16 + length
        n = n + 1
    run.pos = pos
    run.asked = asked
    return n


@native
def pcapng_run(run: ptr[Run], swapped: u32) -> u64:
    """Index enhanced packets without comments from `run.pos` on, which moves; returns how many."""
    data, pos, end, room = run.data, run.pos, run.end, run.room
    offsets, lengths, orig_lens = run.offsets, run.lengths, run.orig_lens
    stamps, interfaces = run.stamps, run.interfaces
    clocks, known, first = run.clocks, run.interfaces_known, u32(run.first)
    n = u64(0)
    asked = u64(0)
    while n < room and end - pos >= 32:
        block = cast(ptr[Enhanced], byte_offset(data, pos))
        size = u64(order32(block.size, swapped))
        if order32(block.kind, swapped) != ENHANCED_PACKET or size & 3 or size < 32:
            break
        if size > LARGEST or size > end - pos:
            break
        length = order32(block.length, swapped)
        options = pos + 28 + (u64(length) + 3 & ~3)
        trailer = pos + size - 4
        if options > trailer:
            break
        if cast(ptr[u32], byte_offset(data, trailer))[0] != block.size:
            break
        if options != trailer and not plain_options(data, options, trailer, swapped):
            break
        interface = order32(block.interface, swapped)
        if interface >= known:
            break
        clock = clocks + interface
        high = u64(order32(block.high, swapped))
        ticks = high << 32 | u64(order32(block.low, swapped))
        low = ticks * clock.times
        over = mulhi(ticks, clock.times)
        shift = clock.shift
        if clock.times == 0 or over >> shift != 0:
            break
        if shift:
            low = over << 64 - shift | low >> shift
        if clock.over != 1:
            low = low // clock.over
        stamp = low + u64(clock.plus)
        if (stamp < low) != (clock.plus < 0):
            break
        stamps[n] = stamp
        offsets[n] = pos + 28
        lengths[n] = length
        orig_lens[n] = order32(block.orig_len, swapped)
        interfaces[n] = first + interface
        if AHEAD * size < end - pos:
            asked = asked | data[pos + AHEAD * size]
        pos = pos + size
        n = n + 1
    run.pos = pos
    run.asked = asked
    return n


@native
def plain_options(data: ptr[u8], pos: u64, end: u64, swapped: u32) -> bool:
    """Whether the options at `pos..end` (both multiples of 4 from the block's begin) are sound
    and none is a comment."""
    while pos < end:
        option = cast(ptr[Option], byte_offset(data, pos))
        code = order16(option.code, swapped)
        if code == OPT_END:
            return True
        length = u64(order16(option.length, swapped)) + 3 & ~3
        if code == OPT_COMMENT or end - pos - 4 < length:
            return False
        pos = pos + 4 + length
    return True
