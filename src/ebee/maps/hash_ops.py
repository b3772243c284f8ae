# mypy: disable-error-code="arg-type,return-value,no-any-return,call-overload,assignment"
"""Operations of hash maps (kernel/bpf/hashtab.c): restricted Python.

Twice as many buckets as elements, each one word; elements are records of fixed place, chained
by link numbers from 1. A link word is 0 or END | bucket at the end of a chain; in a bucket's word
the bit LOCKED keeps other writers out. Readers take no lock: a record may be used again under a
reader, who then ends in another chain, sees that bucket's END and starts anew (the kernel's
"nulls" lists). For this a record enters a chain only at its head, and its link number stays
readable after it has left: free records are chained through `links`.

An update puts a new record before the old one, so that readers see the old or the new value and
never a mixture; for this each CPU keeps one spare record. Per-CPU values are changed in place.
"""

from typing import TYPE_CHECKING

from ebee.abi.cpu import Cpu
from ebee.abi.errno import E2BIG, EEXIST, EINVAL, ENOENT, ENOSPC
from ebee.abi.map import (
    ACCESS_FLAGS,
    BPF_EXIST,
    BPF_F_LOCK,
    BPF_F_NO_PREALLOC,
    BPF_F_NUMA_NODE,
    BPF_F_ZERO_SEED,
    BPF_NOEXIST,
    NO_LOCK,
    MapHeader,
)
from ebee.maps import layout
from ebee.maps.hash_function import first_word, hash_bytes, last_word, same_key
from ebee.maps.value_ops import copy_in, copy_locked, copy_out_locked
from ebee.native import (
    atomic_add,
    atomic_cas,
    atomic_load,
    atomic_store,
    byte_offset,
    cast,
    cpu_relax,
    memcpy,
    memset,
    native,
    opaque,
)
from ebee.types import array, const, i64, null, ptr, sizeof, struct, u8, u32, u64

if TYPE_CHECKING:
    from typing import Literal

    from ebee.obj.spec import MapSpec

    Padding = array[u8, Literal[32]]
else:
    Padding = array[u8, 32]

LOCKED = 1 << 31
END = 1 << 30
MAX_ENTRIES = 1 << 27
"""Beyond this the kernel's table of buckets is too large (htab_map_alloc)."""


@struct
class Record:
    """What precedes the key of an element."""

    next: u32
    hash: u32


@struct
class Slot:
    """What one CPU owns; user space is the CPU behind the last one. `free`: free records, the
    first link number below a tag that every return raises; `spare`: the record for the next
    replacement; `count`: elements put in less elements taken out; `fresh`, `hand`: see lru_ops."""

    free: u64
    count: i64
    spare: u32
    fresh: u32
    hand: u64
    padding: Padding


@struct
class Hash:
    """State of a hash map. Records are `record_size` bytes apart, keys at `key_at`, values at
    `value_at` of a record, per-CPU ones at `values` with `cpu_stride` bytes between CPUs. `share`:
    records that each CPU has for itself (BPF_F_NO_COMMON_LRU), 0 where they are everybody's. The
    seed is not const, so that compiled code is the same for all maps of a shape."""

    head: MapHeader
    mask: const[u32]
    capacity: const[u32]
    key_at: const[u32]
    value_at: const[u32]
    share: const[u32]
    reserved: u32
    record_size: const[u64]
    cpu_stride: const[u64]
    seed: u64
    buckets: const[ptr[u32]]
    records: const[ptr[u8]]
    links: const[ptr[u32]]
    slots: const[ptr[Slot]]
    values: const[ptr[u8]]
    fresh: u32
    reserved2: u32


State = Hash


# --- set-up --------------------------------------------------------------------------------------


def check(spec: "MapSpec", cpus: int) -> None:
    """htab_map_alloc_check, htab_map_alloc."""
    allowed = BPF_F_NO_PREALLOC | BPF_F_NUMA_NODE | BPF_F_ZERO_SEED | ACCESS_FLAGS
    layout.check_flags(spec, allowed)
    check_shape(spec)


def check_shape(spec: "MapSpec") -> None:
    """The rules of sizes, common to all hash maps."""
    per_cpu = "percpu" in spec.type
    on_node = per_cpu and spec.flags & BPF_F_NUMA_NODE
    layout.require(spec, not on_node, "per-CPU and on one node")
    layout.check_sizes(spec)
    size = f"key and value take {spec.key_size + spec.value_size} bytes"
    fits = spec.key_size + spec.value_size < layout.KMALLOC_MAX - 48
    layout.require(spec, fits, f"{size}, the limit is 4 MiB", E2BIG)
    if per_cpu:
        layout.check_per_cpu(spec)
    many = f"max_entries {spec.max_entries} is over {MAX_ENTRIES}"
    layout.require(spec, spec.max_entries <= MAX_ENTRIES, many, E2BIG)


def plan(spec: "MapSpec", cpus: int) -> layout.Layout:
    """Areas of a hash map."""
    return plan_records(spec, cpus, spec.max_entries, sizeof(Record))


def plan_records(spec: "MapSpec", cpus: int, entries: int, key_at: int) -> layout.Layout:
    """Areas and members for records with keys at `key_at`; per-CPU values lie apart."""
    per_cpu = "percpu" in spec.type
    value_at = key_at + layout.round_up(spec.key_size, 8)
    stride = layout.round_up(spec.value_size, 8)
    size = value_at if per_cpu else value_at + stride
    # No small record crosses a cache line, and a larger one begins with one.
    size = layout.power_of_two(size) if size <= layout.LINE else layout.round_up(size, layout.LINE)
    slots = cpus + 1
    records = entries + slots + 1  # one spare for each slot; number 0 is nobody
    buckets = 2 * layout.power_of_two(entries)
    between = layout.per_cpu_stride(records, stride) if per_cpu else 0
    areas = [
        layout.Area("buckets", 4 * buckets),
        layout.Area("records", records * size)
        if per_cpu
        else layout.Area(
            "records", records * size, size, value_at, value_at + spec.value_size, program=True
        ),
        layout.Area("links", 4 * records),
        layout.Area("slots", slots * sizeof(Slot)),
    ]
    if per_cpu:
        count = between * cpus // stride
        areas.append(layout.values_area("values", count, stride, spec.value_size))
    members = {
        "mask": buckets - 1, "capacity": entries, "key_at": key_at, "value_at": value_at,
        "record_size": size, "cpu_stride": between,
    }  # fmt: skip
    return layout.Layout(tuple(areas), members, entries)


@native
def init(m: ptr[Hash]) -> None:
    """Give each slot its spare record; all others are taken in turn (`fresh`) at first."""
    for i in range(m.head.cpus + 1):
        m.slots[i].spare = m.capacity + 1 + u32(i)


# --- records -------------------------------------------------------------------------------------


@native
def record(m: ptr[Hash], link: u32) -> ptr[Record]:
    return cast(ptr[Record], byte_offset(m.records, u64(link) * m.record_size))


@native
def key_of(m: ptr[Hash], link: u32) -> ptr[u8]:
    return byte_offset(m.records, u64(link) * m.record_size + m.key_at)


@native
def value_of(m: ptr[Hash], link: u32, cpu: u32) -> ptr[u8]:
    if m.cpu_stride == 0:
        return byte_offset(m.records, u64(link) * m.record_size + m.value_at)
    part = byte_offset(m.values, u64(cpu) * m.cpu_stride)
    return byte_offset(part, u64(link) * m.head.value_stride)


@native
def hash_key(m: ptr[Hash], key: ptr[u8]) -> u32:
    return hash_bytes(key, m.head.key_size, m.seed)


@native
def push_free(m: ptr[Hash], slot: u32, link: u32) -> None:
    top = (m.slots + slot).ref.free
    while True:
        old = atomic_load(top)
        atomic_store(m.links + link, u32(old))
        if atomic_cas(top, old, (((old >> 32) + 1) << 32) | link):
            return
        cpu_relax()


@native
def pop_free(m: ptr[Hash], slot: u32) -> u32:
    top = (m.slots + slot).ref.free
    while True:
        old = atomic_load(top)
        link = u32(old)
        if link == 0:
            return u32(0)
        if atomic_cas(top, old, ((old >> 32) << 32) | atomic_load(m.links + link)):
            return link
        cpu_relax()


@native
def allocate(m: ptr[Hash], slot: u32) -> u32:
    """A record: one that this CPU freed, one never used, one that another CPU freed; 0 when all
    are in use."""
    link = pop_free(m, slot)
    if link != 0:
        return link
    if atomic_load(m.ref.fresh) < m.capacity:
        used = atomic_add(m.ref.fresh, 1)
        if used < m.capacity:
            return used + 1
    slots = m.head.cpus + 1
    for step in range(1, slots):
        other = slot + u32(step)
        if other >= slots:
            other = other - slots
        link = pop_free(m, other)
        if link != 0:
            return link
    return u32(0)


# --- chains --------------------------------------------------------------------------------------


@native
def matches(m: ptr[Hash], link: u32, h: u32, key: ptr[u8], first: u64, last: u64) -> bool:
    """Whether a record has this key, which has the hash `h`. Both are compared: the key of a record
    that is used again may be half of the old one, half of the new one."""
    if record(m, link).hash != h:
        return False
    return same_key(key_of(m, link), key, m.head.key_size, first, last)


@native
def find(m: ptr[Hash], key: ptr[u8]) -> u32:
    """The link of a key without a lock; 0 when it is not there."""
    head = first_word(key, m.head.key_size)
    last = last_word(key, m.head.key_size)
    h = hash_key(m, key)
    link = atomic_load(m.buckets + (h & m.mask))
    while True:
        while link != 0 and link < END:
            if matches(m, link, h, key, head, last):
                return link
            link = atomic_load(record(m, link).ref.next)
        if link & LOCKED:  # a bucket that a writer holds
            link = link & ~u32(LOCKED)
        elif link == 0 or (link ^ h) & m.mask == 0:
            return u32(0)
        else:  # begin anew, which is rare: no register need be kept for the bucket
            h = opaque(h)
            link = atomic_load(m.buckets + (h & m.mask))


@native
def lock_bucket(word: ptr[u32]) -> u32:
    """Take a bucket; gives its first link."""
    while True:
        first = atomic_load(word)
        if first & LOCKED == 0 and atomic_cas(word, first, first | LOCKED):
            return first
        cpu_relax()


@native
def find_locked(m: ptr[Hash], first: u32, h: u32, key: ptr[u8]) -> u32:
    """The link of a key in a chain that we hold."""
    link = first
    head = first_word(key, m.head.key_size)
    last = last_word(key, m.head.key_size)
    while link != 0 and link < END:
        if matches(m, link, h, key, head, last):
            return link
        link = record(m, link).next
    return u32(0)


@native
def insert(m: ptr[Hash], bucket: u32, first: u32, link: u32) -> None:
    """Put a record at the head of a chain that we hold, and keep holding it."""
    after = first if first != 0 else u32(END) | bucket
    atomic_store(record(m, link).ref.next, after)
    atomic_store(m.buckets + bucket, link | LOCKED)


@native
def unlink(m: ptr[Hash], bucket: u32, first: u32, link: u32) -> u32:
    """Take a record out of a chain that we hold; gives the chain's first link now."""
    after = record(m, link).next
    if first == link:
        return after
    before = first
    while record(m, before).next != link:
        before = record(m, before).next
    atomic_store(record(m, before).ref.next, after)
    return first


@native
def write_key(m: ptr[Hash], link: u32, h: u32, key: ptr[u8]) -> None:
    record(m, link).hash = h
    memcpy(key_of(m, link), key, m.head.key_size)


@native
def write_value(m: ptr[Hash], link: u32, cpu: u32, value: ptr[u8], every: u32, is_new: u32) -> None:
    """Set a record's value. Per-CPU: on this CPU, where a new element begins with zeros on the
    others, or (`every`) one from `value` on each."""
    if m.cpu_stride == 0:
        copy_in(m.ref.head, value_of(m, link, 0), value)
    elif every:
        for of in range(m.head.cpus):
            each = byte_offset(value, u64(of) * m.head.value_stride)
            memcpy(value_of(m, link, u32(of)), each, m.head.value_stride)
    else:
        if is_new:
            for of in range(m.head.cpus):
                memset(value_of(m, link, u32(of)), 0, m.head.value_stride)
        memcpy(value_of(m, link, cpu), value, m.head.value_size)


# --- what programs and user space call -----------------------------------------------------------


@native
def lookup(cpu: ptr[Cpu], m: ptr[Hash], key: ptr[u8]) -> ptr[u8]:
    link = find(m, key)
    if link == 0:
        return null
    return value_of(m, link, cpu.id)


@native
def lookup_percpu(cpu: ptr[Cpu], m: ptr[Hash], key: ptr[u8], of: u32) -> ptr[u8]:
    if of >= m.head.cpus:
        return null
    link = find(m, key)
    if link == 0:
        return null
    return value_of(m, link, of)


@native
def update(cpu: ptr[Cpu], m: ptr[Hash], key: ptr[u8], value: ptr[u8], flags: u64) -> i64:
    if flags & BPF_F_LOCK:
        if m.head.lock_at == NO_LOCK:
            return -EINVAL
        return put(cpu.id, m, key, value, flags & ~u64(BPF_F_LOCK), 0, 1)
    return put(cpu.id, m, key, value, flags, 0, 0)


@native
def update_percpu(cpu: ptr[Cpu], m: ptr[Hash], key: ptr[u8], values: ptr[u8], flags: u64) -> i64:
    """What user space does: `values` holds one value of value_stride bytes for each CPU."""
    return put(cpu.id, m, key, values, flags, 1, 0)


@native
def put(
    slot: u32, m: ptr[Hash], key: ptr[u8], value: ptr[u8], flags: u64, every: u32, locked: u32
) -> i64:
    """Insert or change, `locked`: change in place under the value's own lock."""
    if flags > BPF_EXIST:
        return -EINVAL
    h = hash_key(m, key)
    bucket = h & m.mask
    first = lock_bucket(m.buckets + bucket)
    old = find_locked(m, first, h, key)
    result = i64(0)
    if old != 0:
        if flags == BPF_NOEXIST:
            result = i64(-EEXIST)
        elif locked:
            copy_locked(m.ref.head, value_of(m, old, 0), value)
        elif m.cpu_stride != 0:
            write_value(m, old, slot, value, every, 0)
        else:
            first = replace(m, slot, bucket, first, old, h, key, value)
    elif flags == BPF_EXIST:
        result = i64(-ENOENT)
    else:
        link = allocate(m, slot)
        if link == 0:
            result = i64(-E2BIG)
        else:
            write_key(m, link, h, key)
            write_value(m, link, slot, value, every, 1)
            insert(m, bucket, first, link)
            first = link
            m.slots[slot].count = m.slots[slot].count + 1
    atomic_store(m.buckets + bucket, first)
    return result


@native
def replace(
    m: ptr[Hash], slot: u32, bucket: u32, first: u32, old: u32, h: u32, key: ptr[u8],
    value: ptr[u8],
) -> u32:  # fmt: skip
    """Put this CPU's spare record in the place of an old one, which is the next spare; gives the
    chain's first link."""
    link = m.slots[slot].spare
    write_key(m, link, h, key)
    write_value(m, link, slot, value, 0, 1)
    insert(m, bucket, first, link)
    m.slots[slot].spare = old
    return unlink(m, bucket, link, old)


@native
def delete(cpu: ptr[Cpu], m: ptr[Hash], key: ptr[u8]) -> i64:
    h = hash_key(m, key)
    bucket = h & m.mask
    first = lock_bucket(m.buckets + bucket)
    link = find_locked(m, first, h, key)
    if link != 0:
        first = unlink(m, bucket, first, link)
    atomic_store(m.buckets + bucket, first)
    if link == 0:
        return -ENOENT
    release(m, cpu.id, link)
    return 0


@native
def release(m: ptr[Hash], slot: u32, link: u32) -> None:
    """Give back a record that was taken out of its chain."""
    m.slots[slot].count = m.slots[slot].count - 1
    give_back(m, slot, link)


@native
def give_back(m: ptr[Hash], slot: u32, link: u32) -> None:
    """Give back a record that is in no chain."""
    if m.share == 0:
        push_free(m, slot, link)
    else:
        push_free(m, (link - 1) // m.share, link)


@native
def copy_value(m: ptr[Hash], link: u32, out: ptr[u8], flags: u64) -> None:
    """A value as user space sees it: without its lock, per-CPU ones in a row."""
    if m.cpu_stride != 0:
        for of in range(m.head.cpus):
            each = byte_offset(out, u64(of) * m.head.value_stride)
            memcpy(each, value_of(m, link, u32(of)), m.head.value_stride)
    elif flags & BPF_F_LOCK:
        copy_out_locked(m.ref.head, out, value_of(m, link, 0))
    else:
        copy_in(m.ref.head, out, value_of(m, link, 0))


@native
def take(cpu: ptr[Cpu], m: ptr[Hash], key: ptr[u8], out: ptr[u8], flags: u64) -> i64:
    """Look up and delete in one step (user space only)."""
    h = hash_key(m, key)
    bucket = h & m.mask
    first = lock_bucket(m.buckets + bucket)
    link = find_locked(m, first, h, key)
    if link != 0:
        copy_value(m, link, out, flags)
        first = unlink(m, bucket, first, link)
    atomic_store(m.buckets + bucket, first)
    if link == 0:
        return -ENOENT
    release(m, cpu.id, link)
    return 0


@native
def next_key(m: ptr[Hash], key: ptr[u8], out: ptr[u8]) -> i64:
    """The key behind `key` in the order of buckets; the first one when `key` is null or gone."""
    bucket = u32(0)
    if key:
        link = find(m, key)
        if link != 0:
            after = atomic_load(record(m, link).ref.next)
            if after < END:
                memcpy(out, key_of(m, after), m.head.key_size)
                return 0
            bucket = (hash_key(m, key) & m.mask) + 1
    while bucket <= m.mask:
        link = atomic_load(m.buckets + bucket) & ~u32(LOCKED)
        if link != 0 and link < END:
            memcpy(out, key_of(m, link), m.head.key_size)
            return 0
        bucket = bucket + 1
    return -ENOENT


@native
def step(m: ptr[Hash], cursor: u64) -> u64:
    """The element after the one at `cursor`, as `bucket << 32 | record`; from 0 on, to 0 at the end
    (bpf_for_each_hash_elem)."""
    link = u32(cursor)
    bucket = u32(cursor >> 32)
    if link != 0:
        after = atomic_load(record(m, link).ref.next)
        if after != 0 and after < END:
            return (u64(bucket) << 32) | after
        bucket = bucket + 1
    while bucket <= m.mask:
        link = atomic_load(m.buckets + bucket) & ~u32(LOCKED)
        if link != 0 and link < END:
            return (u64(bucket) << 32) | link
        bucket = bucket + 1
    return u64(0)


@native
def element(cpu: ptr[Cpu], m: ptr[Hash], cursor: u64, key: ptr[u8]) -> ptr[u8]:
    """The value of the element at `cursor`, whose key is copied to `key`."""
    link = u32(cursor)
    memcpy(key, key_of(m, link), m.head.key_size)
    return value_of(m, link, cpu.id)


@native
def read_bucket(
    cpu: ptr[Cpu], m: ptr[Hash], bucket: u32, keys: ptr[u8], values: ptr[u8], room: u32,
    flags: u64, remove: u32,
) -> i64:  # fmt: skip
    """Copy, and remove, all elements of one bucket (batches); gives their number, or ENOSPC and
    changes nothing when they are more than `room`."""
    word = m.buckets + bucket
    first = lock_bucket(word)
    count = u32(0)
    link = first
    while link != 0 and link < END:
        count = count + 1
        link = record(m, link).next
    if count > room:
        atomic_store(word, first)
        return -ENOSPC
    size = u64(m.head.value_size)
    if m.cpu_stride != 0:
        size = u64(m.head.value_stride) * m.head.cpus
    link = first
    for i in range(count):
        memcpy(byte_offset(keys, u64(i) * m.head.key_size), key_of(m, link), m.head.key_size)
        copy_value(m, link, byte_offset(values, u64(i) * size), flags)
        link = record(m, link).next
    if remove:
        atomic_store(word, u32(LOCKED))
        link = first
        for _ in range(count):
            after = record(m, link).next
            release(m, cpu.id, link)
            link = after
        first = u32(0)
    atomic_store(word, first)
    return i64(count)


@native
def length(m: ptr[Hash]) -> i64:
    """Elements in the map: exact when nobody changes it meanwhile."""
    total = i64(0)
    for slot in range(m.head.cpus + 1):
        total = total + m.slots[slot].count
    return total
