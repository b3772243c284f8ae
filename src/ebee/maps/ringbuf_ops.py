# mypy: disable-error-code="arg-type,return-value,no-any-return,call-overload,assignment"
"""Operations of ring buffers (kernel/bpf/ringbuf.c): restricted Python.

One area as in the kernel: a page of our own (the address of the map's state), the consumer's
page, the producer's page, the data. From a record's header, which holds its distance in pages, the
map is found again. The data area is twice as long as the buffer, so that a record that begins in
the first half is never broken; the kernel maps the same pages twice instead.
"""

from typing import TYPE_CHECKING

from ebee.abi.cpu import Cpu
from ebee.abi.errno import EAGAIN, EINVAL
from ebee.abi.map import BPF_F_NUMA_NODE, MapHeader
from ebee.abi.ringbuf import (
    BPF_RB_AVAIL_DATA,
    BPF_RB_CONS_POS,
    BPF_RB_FORCE_WAKEUP,
    BPF_RB_NO_WAKEUP,
    BPF_RB_PROD_POS,
    BPF_RB_RING_SIZE,
    BUSY,
    DISCARD,
    HEADER,
    LENGTH,
)
from ebee.maps import layout
from ebee.maps.value_ops import lock, unlock
from ebee.native import (
    atomic_add,
    atomic_load,
    atomic_store,
    atomic_xchg,
    byte_offset,
    cast,
    memcpy,
    native,
)
from ebee.types import const, i64, null, ptr, struct, u8, u32, u64

if TYPE_CHECKING:
    from ebee.obj.spec import MapSpec

PAGE = 4096
PAGE_BITS = 12
CONSUMER_AT, PRODUCER_AT, DATA_AT = PAGE, 2 * PAGE, 3 * PAGE
"""Where the parts of the area begin (RINGBUF_PGOFF and what follows it)."""

RECORD_MAX = (1 << 32) // 4 - 1
"""Largest record (RINGBUF_MAX_RECORD_SZ)."""


@struct
class Producer:
    """The producer's page: where the next record goes, the oldest record that may still be in
    work, and the lock of both."""

    position: u64
    pending: u64
    lock: u32


@struct
class Ring:
    """State of a ring buffer; `wakeups` counts how often a waiting reader was to be woken."""

    head: MapHeader
    mask: const[u64]
    area: const[ptr[u8]]
    wakeups: u64


State = Ring


# --- set-up --------------------------------------------------------------------------------------


def check(spec: "MapSpec", cpus: int) -> None:
    """ringbuf_map_alloc."""
    layout.check_flags(spec, BPF_F_NUMA_NODE)
    layout.require(spec, not spec.key_size and not spec.value_size, "it has no keys and no values")
    size = spec.max_entries
    power = size >= PAGE and size & (size - 1) == 0
    text = f"max_entries is {size}, it must be a power of two of pages"
    layout.require(spec, power, text)


def plan(spec: "MapSpec", cpus: int) -> layout.Layout:
    """The one area; programs may touch the records that they have reserved."""
    area = layout.Area("area", DATA_AT + 2 * spec.max_entries, program=True, guard="owns")
    return layout.Layout((area,), {"mask": spec.max_entries - 1})


@native
def init(m: ptr[Ring]) -> None:
    cast(ptr[ptr[Ring]], m.area)[0] = m


# --- positions and records -----------------------------------------------------------------------


@native
def consumer(m: ptr[Ring]) -> ptr[u64]:
    return cast(ptr[u64], byte_offset(m.area, CONSUMER_AT))


@native
def producer(m: ptr[Ring]) -> ptr[Producer]:
    return cast(ptr[Producer], byte_offset(m.area, PRODUCER_AT))


@native
def header(m: ptr[Ring], position: u64) -> ptr[u32]:
    """The two words before the payload of the record at a position."""
    return cast(ptr[u32], byte_offset(m.area, DATA_AT + (position & m.mask)))


@native
def record_size(length: u64) -> u64:
    """Bytes that a record takes, with its header and up to the next one."""
    return (length + HEADER + 7) & ~u64(7)


@native
def map_of(record: ptr[u8]) -> ptr[Ring]:
    """The map of a record, by the distance in its header."""
    words = cast(ptr[u32], byte_offset(record, -HEADER))
    back = (u64(words[1]) << PAGE_BITS) + ((u64(record) - HEADER) & (PAGE - 1))
    return cast(ptr[ptr[Ring]], byte_offset(cast(ptr[u8], words), -i64(back)))[0]


@native
def settled(m: ptr[Ring], pending: u64, position: u64) -> u64:
    """The oldest record from `pending` on that is in work; `position` when there is none."""
    at = pending
    while at < position:
        length = atomic_load(header(m, at))
        if length & BUSY:
            return at
        at = at + record_size(u64(length & LENGTH))
    return at


@native
def owns(m: ptr[Ring], addr: ptr[u8], size: u64) -> bool:
    """Whether `size` bytes lie in the payload of one record that is reserved now."""
    p = producer(m)
    at = p.pending
    while at < p.position:
        words = header(m, at)
        length = words[0]
        start = cast(ptr[u8], words + 2)
        if length & BUSY and addr >= start and addr + size <= start + (length & LENGTH):
            return True
        at = at + record_size(u64(length & LENGTH))
    return False


# --- what programs call --------------------------------------------------------------------------


@native
def claim(m: ptr[Ring], size: u64) -> ptr[u8]:
    """A record of `size` bytes in work; null when it does not fit between the oldest record that
    is unread or in work and the next."""
    if size > RECORD_MAX:
        return null
    need = record_size(size)
    if need > m.mask + 1:
        return null
    read = atomic_load(consumer(m))
    p = producer(m)
    lock(p.ref.lock)
    position = p.position
    p.pending = settled(m, p.pending, position)
    end = position + need
    if end - read > m.mask or end - p.pending > m.mask:
        unlock(p.ref.lock)
        return null
    words = header(m, position)
    words[1] = u32((DATA_AT + (position & m.mask)) >> PAGE_BITS)
    atomic_store(words, u32(size) | BUSY)
    atomic_store(p.ref.position, end)
    unlock(p.ref.lock)
    return cast(ptr[u8], words + 2)


@native
def commit(m: ptr[Ring], record: ptr[u8], flags: u64, discard: u32) -> None:
    """Let the reader have a record, or pass it over. The reader is woken when it waits for this
    very record, unless the flags say otherwise."""
    words = cast(ptr[u32], byte_offset(record, -HEADER))
    atomic_xchg(words, (words[0] & ~u32(BUSY)) | discard)
    wake = flags & BPF_RB_FORCE_WAKEUP != 0
    if flags & (BPF_RB_FORCE_WAKEUP | BPF_RB_NO_WAKEUP) == 0:
        wake = header(m, atomic_load(consumer(m))) == words
    if wake:
        atomic_add(m.ref.wakeups, 1)


@native
def reserve(cpu: ptr[Cpu], m: ptr[Ring], size: u64, flags: u64) -> ptr[u8]:
    if flags != 0:
        return null
    return claim(m, size)


@native
def submit(cpu: ptr[Cpu], record: ptr[u8], flags: u64) -> None:
    commit(map_of(record), record, flags, 0)


@native
def discard(cpu: ptr[Cpu], record: ptr[u8], flags: u64) -> None:
    commit(map_of(record), record, flags, DISCARD)


@native
def output(cpu: ptr[Cpu], m: ptr[Ring], data: ptr[u8], size: u64, flags: u64) -> i64:
    if flags & ~u64(BPF_RB_NO_WAKEUP | BPF_RB_FORCE_WAKEUP):
        return -EINVAL
    record = claim(m, size)
    if not record:
        return -EAGAIN
    memcpy(record, data, size)
    commit(m, record, flags, 0)
    return 0


@native
def query(cpu: ptr[Cpu], m: ptr[Ring], what: u64) -> u64:
    read = atomic_load(consumer(m))
    written = atomic_load(producer(m).ref.position)
    if what == BPF_RB_AVAIL_DATA:
        return written - read
    if what == BPF_RB_RING_SIZE:
        return m.mask + 1
    if what == BPF_RB_CONS_POS:
        return read
    if what == BPF_RB_PROD_POS:
        return written
    return u64(0)
