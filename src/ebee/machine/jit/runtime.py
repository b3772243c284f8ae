# mypy: disable-error-code="arg-type,return-value,no-any-return,call-overload,assignment"
"""What compiled programs need of the machine besides helpers and maps: restricted Python."""

from ebee.abi.cpu import WALKS, Cpu
from ebee.abi.map import NO_LOCK, MapHeader
from ebee.abi.packet import Packet
from ebee.abi.ringbuf import BUSY, HEADER
from ebee.helpers.dynptr_ops import SIZE, Dynptr
from ebee.maps.ringbuf_ops import DATA_AT, Ring, owns
from ebee.maps.slot_ops import Slots
from ebee.maps.slot_ops import get as slot_get
from ebee.maps.value_ops import unlock
from ebee.native import (
    acquire_fence,
    atomic_load,
    bswap16,
    bswap32,
    byte_offset,
    cast,
    cpu_relax,
    memcpy,
    memset,
    native,
)
from ebee.types import i32, i64, null, ptr, sizeof, struct, u8, u16, u32, u64

TAIL_CALLS = 33
LOCK_SIZE = 4
EFAULT, E2BIG = 14, 7
ETH_HLEN = 14
SKF_NET_OFF, SKF_LL_OFF = -0x100000, -0x200000


@native
def tail_target(cpu: ptr[Cpu], m: ptr[Slots], programs: ptr[u64], index: u32) -> u64:
    """Entry address of the program at an index of a prog_array; 0 to go on here."""
    number = slot_get(m, index)
    if number == 0 or cpu.tail_calls >= TAIL_CALLS:
        return u64(0)
    entry = programs[number]
    if entry != 0:
        cpu.tail_calls = cpu.tail_calls + 1
    return entry


@native
def key_room(cpu: ptr[Cpu], size: u32) -> ptr[u8]:
    """Room for the key of a walk through a map, one deeper than those before; null when there is
    none."""
    deep = cpu.walks
    keys = cpu.keys
    room = cast(ptr[u64], keys)[0]
    if deep >= WALKS or size > room:
        return null
    cpu.walks = deep + 1
    return byte_offset(keys, sizeof(u64) + deep * room)


@native
def packet_load(cpu: ptr[Cpu], packet: ptr[Packet], offset: i32, size: u32) -> i64:
    """A legacy packet load in host order; -1 outside the packet."""
    at = i64(offset)
    if at < 0:
        if at >= SKF_NET_OFF:
            at = at - SKF_NET_OFF + ETH_HLEN
        elif at >= SKF_LL_OFF:
            at = at - SKF_LL_OFF
        else:
            return i64(-1)
    length = packet.data_end - packet.data
    if at + size > length:
        return i64(-1)
    p = byte_offset(packet.data, at)
    if size == 1:
        return i64(p[0])
    if size == 2:
        return i64(bswap16(cast(ptr[u16], p)[0]))
    return i64(bswap32(cast(ptr[u32], p)[0]))


# --- the machine's memory, for accesses that are not known before they happen ---------------------

READABLE, WRITABLE, IS_PACKET, IS_RING, IS_STACK, NO_STACK, IS_MAP = 1, 2, 4, 8, 16, 32, 64
"""Rights and kinds of regions; NO_STACK goes with the right asked for, and refuses stacks."""


MADE, DYNPTR_ALIGN = 512, 8
"""Places on a CPU's stack where a dynptr may be: its size, and its alignment."""


@struct
class Made:
    """What a helper left in a dynptr, in a run of the program."""

    data: u64
    size: u32
    offset: u32
    run: u64


@struct
class RegionEntry:
    """One region: bytes `base..end`; for elements `stride` apart, only `lo..hi` of each, without
    the spin lock at `skip` (NO_LOCK: there is none). `rights` for programs. Of a packet's frame
    only what lies between the pointers of `block`, its Packet; of a ring buffer only the records in
    work, `block` is its Ring. Of a map nothing, `block` is its MapHeader."""

    base: u64
    end: u64
    stride: u64
    lo: u32
    hi: u32
    rights: u32
    skip: u32
    block: ptr[u8]


@struct
class Regions:
    """The table: `count` entries in the order of their addresses. `sequence` is odd while it is
    written, so that programs may run meanwhile."""

    count: u64
    entries: ptr[RegionEntry]
    sequence: u32
    reserved: u32


@native
def entries_until(regions: ptr[Regions], addr: u64) -> u64:
    """How many entries begin at this address or before it."""
    low = u64(0)
    high = regions.count
    while low < high:
        middle = (low + high) >> 1
        if regions.entries[middle].base <= addr:
            low = middle + 1
        else:
            high = middle
    return low


@native
def stable(regions: ptr[Regions]) -> u32:
    """The sequence number of a table that is not being written."""
    sequence = atomic_load(regions.ref.sequence)
    while sequence & 1 != 0:
        cpu_relax()
        sequence = atomic_load(regions.ref.sequence)
    return sequence


@native
def same(regions: ptr[Regions], sequence: u32) -> bool:
    """Whether nobody has written the table since."""
    acquire_fence()
    return atomic_load(regions.ref.sequence) == sequence


@native
def is_map(regions: ptr[Regions], addr: u64, only: u32) -> bool:
    """Whether a map is at this address; of the type `only`, if that is not 0."""
    while True:
        sequence = stable(regions)
        found = map_there(regions, addr, only)
        if same(regions, sequence):
            return found


@native
def map_there(regions: ptr[Regions], addr: u64, only: u32) -> bool:
    place = entries_until(regions, addr)
    if place == 0:
        return False
    r = regions.entries + (place - 1)
    if r.base != addr or r.rights & IS_MAP == 0:
        return False
    return only == 0 or cast(ptr[MapHeader], r.block).type == only


@native
def allowed(regions: ptr[Regions], addr: u64, size: u64, right: u32) -> bool:
    """Whether a program may make this access: READABLE or WRITABLE, perhaps with NO_STACK."""
    while True:
        sequence = stable(regions)
        found = granted(regions, addr, size, right)
        if same(regions, sequence):
            return found


@native
def granted(regions: ptr[Regions], addr: u64, size: u64, right: u32) -> bool:
    place = entries_until(regions, addr)
    if place == 0:
        return False
    r = regions.entries + (place - 1)
    if addr >= r.end or size > r.end - addr or r.rights & right == 0:
        return False
    if r.rights & IS_STACK and right & NO_STACK:
        return False
    if r.rights & IS_PACKET:
        packet = cast(ptr[Packet], r.block)
        start = u64(packet.data_meta)
        end = u64(packet.data_end)
        return addr >= start and addr <= end and size <= end - addr
    if r.rights & IS_RING:
        return owns(cast(ptr[Ring], r.block), byte_offset(r.block, addr - u64(r.block)), size)
    if r.stride != 0:
        at = (addr - r.base) % r.stride
        if at < r.lo or at + size > r.hi:
            return False
        return r.skip == NO_LOCK or at >= r.skip + LOCK_SIZE or at + size <= r.skip
    return True


@native
def is_lock(regions: ptr[Regions], addr: u64) -> bool:
    """Whether a spin lock of a map value is at this address."""
    while True:
        sequence = stable(regions)
        found = lock_there(regions, addr)
        if same(regions, sequence):
            return found


@native
def lock_there(regions: ptr[Regions], addr: u64) -> bool:
    place = entries_until(regions, addr)
    if place == 0:
        return False
    r = regions.entries + (place - 1)
    if addr >= r.end or r.stride == 0 or r.skip == NO_LOCK:
        return False
    return (addr - r.base) % r.stride == r.skip


@native
def take_lock(cpu: ptr[Cpu], regions: ptr[Regions], word: ptr[u32]) -> bool:
    """Note which lock the program is about to take; False when it must not: it is none, or the
    program holds one."""
    if cpu.lock or not is_lock(regions, u64(word)):
        return False
    cpu.lock = word
    return True


@native
def give_lock(cpu: ptr[Cpu], word: ptr[u32]) -> bool:
    """Note that the program is about to give a lock back; False when it does not hold it."""
    if not word or u64(cpu.lock) != u64(word):
        return False
    cpu.lock = null
    return True


@native
def drop_lock(cpu: ptr[Cpu]) -> None:
    """Give back what a program held that failed."""
    if cpu.lock:
        unlock(cpu.lock)
        cpu.lock = null


# --- dynptrs of programs that nobody has verified -------------------------------------------------


@native
def made_at(cpu: ptr[Cpu], p: ptr[Dynptr]) -> ptr[Made]:
    """Where it is noted what helpers left in this place of the stack; null anywhere else."""
    bottom = byte_offset(cpu.stack, -MADE * DYNPTR_ALIGN)
    at = u64(p) - u64(bottom)
    if u64(p) < u64(bottom) or at > (MADE - 2) * DYNPTR_ALIGN or at & (DYNPTR_ALIGN - 1) != 0:
        return null
    return cast(ptr[Made], cpu.made) + at // DYNPTR_ALIGN


@native
def new_run(cpu: ptr[Cpu]) -> None:
    """What programs before made counts no more."""
    cpu.run = cpu.run + 1


@native
def keep_dynptr(cpu: ptr[Cpu], p: ptr[Dynptr]) -> None:
    """Note what a helper left in a dynptr."""
    made = made_at(cpu, p)
    if made:
        made.run = cpu.run
        made.data = u64(p.data)
        made.size = p.size
        made.offset = p.offset


@native
def is_dynptr(cpu: ptr[Cpu], regions: ptr[Regions], p: ptr[Dynptr]) -> bool:
    """Whether a dynptr is as a helper left it, and its memory still the program's."""
    made = made_at(cpu, p)
    if not made or made.run != cpu.run:
        return False
    if made.data != u64(p.data) or made.size != p.size or made.offset != p.offset:
        return False
    size = u64(p.size & SIZE)
    return size == 0 or not p.data or allowed(regions, made.data + p.offset, size, WRITABLE)


@native
def byte_at(regions: ptr[Regions], memory: ptr[u8], addr: u64) -> i32:
    """The byte at an address, or -1 where a program may not read."""
    if not allowed(regions, addr, u64(1), READABLE):
        return i32(-1)
    return i32(byte_offset(memory, addr - u64(memory))[0])


@native
def string(regions: ptr[Regions], text: ptr[u8]) -> bool:
    """Whether a NUL-terminated string that a program may read begins there."""
    at = text
    while allowed(regions, u64(at), u64(1), READABLE):
        if at[0] == 0:
            return True
        at = at + 1
    return False


@native
def record(m: ptr[Ring], sample: ptr[u8]) -> bool:
    """Whether a record of this ring buffer that is still in work begins there."""
    start = byte_offset(m.area, DATA_AT)
    header = byte_offset(sample, -HEADER)
    at = u64(header) - u64(start)
    if u64(header) < u64(start) or at > m.mask or at & 7 != 0:
        return False
    words = cast(ptr[u32], header)
    pages = u32((u64(header) - u64(m.area)) >> 12)
    return words[0] & BUSY != 0 and words[1] == pages


@native
def probe_read(
    cpu: ptr[Cpu], regions: ptr[Regions], target: ptr[u8], size: u32, source: ptr[u8], sure: bool
) -> i64:
    """Copy from any address; where there is nothing to read, -EFAULT and zeroes. `sure`: it is the
    program's own stack, which the table does not know."""
    if size == 0:
        return i64(0)
    if not sure and not allowed(regions, u64(source), u64(size), READABLE):
        memset(target, 0, u64(size))
        return i64(-EFAULT)
    memcpy(target, source, u64(size))
    return i64(0)


@native
def probe_read_str(
    cpu: ptr[Cpu], regions: ptr[Regions], target: ptr[u8], size: u32, source: ptr[u8], sure: bool
) -> i64:
    """Copy a string from any address; its length with the NUL, or -EFAULT and zeroes."""
    if i32(size) <= 0:
        return i64(0) if size == 0 else i64(-E2BIG)
    n = u64(0)
    while n < size - 1:
        if not sure and not allowed(regions, u64(source) + n, u64(1), READABLE):
            memset(target, 0, u64(size))
            return i64(-EFAULT)
        byte = source[n]
        if byte == 0:
            break
        target[n] = byte
        n = n + 1
    target[n] = u8(0)
    return i64(n + 1)
