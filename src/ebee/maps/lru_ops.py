# mypy: disable-error-code="arg-type,return-value,no-any-return,call-overload,assignment"
"""Operations of LRU hash maps: hash maps that make room by evicting; restricted Python.

The kernel keeps lists (kernel/bpf/bpf_lru_list.c); here a hand goes round the records (CLOCK): a
referenced one loses its mark and stays, the first other one is evicted. New elements take the
place of the evicted ones behind the hand, so that without lookups the oldest goes first. As in the
kernel a search does not go on for ever: after SCAN marks were taken the next element goes in any
case. Lookups by programs mark, those by user space do not, changing an element marks it.

Unlike the kernel's, an update of a key that is there evicts nothing. With BPF_F_NO_COMMON_LRU
each CPU evicts only from its own share of the records (user space works with CPU 0's), and a
replacement takes a record of that share, so there it may.
"""

from typing import TYPE_CHECKING

from ebee.abi.cpu import Cpu
from ebee.abi.errno import EEXIST, EINVAL, ENOENT, ENOMEM, ENOTSUPP
from ebee.abi.map import (
    ACCESS_FLAGS,
    BPF_ANY,
    BPF_EXIST,
    BPF_F_NO_COMMON_LRU,
    BPF_F_NO_PREALLOC,
    BPF_F_NUMA_NODE,
    BPF_F_ZERO_SEED,
    BPF_NOEXIST,
)
from ebee.maps import layout
from ebee.maps.hash_ops import (
    END,
    Hash,
    allocate,
    check_shape,
    delete,
    element,
    find,
    find_locked,
    give_back,
    hash_key,
    init,
    insert,
    length,
    lock_bucket,
    next_key,
    plan_records,
    pop_free,
    read_bucket,
    record,
    replace,
    step,
    take,
    unlink,
    value_of,
    write_key,
    write_value,
)
from ebee.maps.hash_ops import lookup as lookup_user
from ebee.maps.hash_ops import lookup_percpu as lookup_percpu_user
from ebee.native import (
    atomic_add,
    atomic_load,
    atomic_store,
    cast,
    native,
    sizeof,
)
from ebee.types import i64, null, ptr, struct, u8, u32, u64

if TYPE_CHECKING:
    from ebee.obj.spec import MapSpec

SCAN = 256
"""Marks that one search takes away before it evicts whatever comes next."""

ATTEMPTS = 4
"""Searches for a record before an update fails with ENOMEM."""


@struct
class LruRecord:
    """A record of an LRU map: `used` is set when the element is looked up or changed."""

    next: u32
    hash: u32
    used: u32
    reserved: u32


State = Hash


# --- set-up --------------------------------------------------------------------------------------


def check(spec: "MapSpec", cpus: int) -> None:
    """htab_map_alloc_check for the LRU types."""
    allowed = BPF_F_NO_PREALLOC | BPF_F_NO_COMMON_LRU | BPF_F_NUMA_NODE | BPF_F_ZERO_SEED
    layout.check_flags(spec, allowed | ACCESS_FLAGS)
    preallocated = not spec.flags & BPF_F_NO_PREALLOC
    layout.require(spec, preallocated, "LRU maps need BPF_F_NO_PREALLOC off", ENOTSUPP)
    both = spec.flags & BPF_F_NO_COMMON_LRU and spec.flags & BPF_F_NUMA_NODE
    layout.require(spec, not both, "BPF_F_NO_COMMON_LRU and on one node")
    check_shape(spec)


def plan(spec: "MapSpec", cpus: int) -> layout.Layout:
    """Areas of an LRU map; shares are equal, so max_entries is rounded to a multiple of CPUs."""
    entries, share = spec.max_entries, 0
    if spec.flags & BPF_F_NO_COMMON_LRU:
        entries = layout.round_up(entries, cpus)
        share = entries // cpus
    made = plan_records(spec, cpus, entries, sizeof(LruRecord))
    made.members["share"] = share
    return made


# --- the clock -----------------------------------------------------------------------------------


@native
def lru_record(m: ptr[Hash], link: u32) -> ptr[LruRecord]:
    return cast(ptr[LruRecord], record(m, link))


@native
def mark(m: ptr[Hash], link: u32) -> None:
    """Note that an element was used; a mark that is there is not written again."""
    used = lru_record(m, link).ref.used
    if atomic_load(used) == 0:
        atomic_store(used, 1)


@native
def detach(m: ptr[Hash], slot: u32, link: u32) -> bool:
    """Take a record out of its chain; False when it is in none."""
    bucket = atomic_load(record(m, link).ref.hash) & m.mask
    first = lock_bucket(m.buckets + bucket)
    at = first
    while at != link and at != 0 and at < END:
        at = record(m, at).next
    if at == link:
        first = unlink(m, bucket, first, link)
        m.slots[slot].count = m.slots[slot].count - 1
    atomic_store(m.buckets + bucket, first)
    return at == link


@native
def evict(m: ptr[Hash], slot: u32, hand: ptr[u64], start: u32, records: u32) -> u32:
    """A record out of `records` ones from `start` on; 0 if other CPUs took all of them."""
    passed = u32(0)
    for _ in range(2 * u64(records) + 1):
        link = start + u32(atomic_add(hand, 1) % records)
        used = lru_record(m, link).ref.used
        if passed < SCAN and atomic_load(used) != 0:
            atomic_store(used, 0)
            passed = passed + 1
        elif detach(m, slot, link):
            atomic_store(used, 0)
            return link
    return u32(0)


@native
def obtain(m: ptr[Hash], slot: u32) -> u32:
    """A record for a new element. Other CPUs may free all records that the hand would pass while
    it does, so what is free is asked for again."""
    for _ in range(ATTEMPTS):
        link = from_all(m, slot) if m.share == 0 else from_share(m, slot)
        if link != 0:
            return link
    return u32(0)


@native
def from_all(m: ptr[Hash], slot: u32) -> u32:
    """A free record, or an evicted one; unmarked unless its place is anywhere before the hand."""
    link = allocate(m, slot)
    if link != 0:
        mark_unless_new(m, link)
        return link
    return evict(m, slot, m.slots.ref.hand, 1, m.capacity + m.head.cpus + 1)


@native
def from_share(m: ptr[Hash], slot: u32) -> u32:
    """The same out of the CPU's share."""
    owner = slot if slot < m.head.cpus else u32(0)
    link = pop_free(m, owner)
    if link != 0:
        mark(m, link)
        return link
    fresh = (m.slots + owner).ref.fresh
    if atomic_load(fresh) < m.share:
        used = atomic_add(fresh, 1)
        if used < m.share:
            return owner * m.share + used + 1
    return evict(m, slot, (m.slots + owner).ref.hand, owner * m.share + 1, m.share)


@native
def mark_unless_new(m: ptr[Hash], link: u32) -> None:
    """A record used before may lie just before the hand: let it pass once."""
    if record(m, link).next != 0:
        mark(m, link)


# --- what programs and user space call -----------------------------------------------------------


@native
def lookup(cpu: ptr[Cpu], m: ptr[Hash], key: ptr[u8]) -> ptr[u8]:
    link = find(m, key)
    if link == 0:
        return null
    mark(m, link)
    return value_of(m, link, cpu.id)


@native
def lookup_percpu(cpu: ptr[Cpu], m: ptr[Hash], key: ptr[u8], of: u32) -> ptr[u8]:
    if of >= m.head.cpus:
        return null
    link = find(m, key)
    if link == 0:
        return null
    mark(m, link)
    return value_of(m, link, of)


@native
def update(cpu: ptr[Cpu], m: ptr[Hash], key: ptr[u8], value: ptr[u8], flags: u64) -> i64:
    return put(cpu.id, m, key, value, flags, 0)


@native
def update_percpu(cpu: ptr[Cpu], m: ptr[Hash], key: ptr[u8], values: ptr[u8], flags: u64) -> i64:
    """What user space does: `values` holds one value of value_stride bytes for each CPU."""
    return put(cpu.id, m, key, values, flags, 1)


@native
def put(slot: u32, m: ptr[Hash], key: ptr[u8], value: ptr[u8], flags: u64, every: u32) -> i64:
    """Insert or change. A record is obtained before the bucket is locked, since evicting locks
    another one."""
    if flags > BPF_EXIST:
        return -EINVAL
    h = hash_key(m, key)
    while True:
        there = find(m, key)
        if there != 0 and flags == BPF_NOEXIST:
            return -EEXIST
        if there == 0 and flags == BPF_EXIST:
            return -ENOENT
        link = u32(0)
        if there == 0 or (m.share != 0 and m.cpu_stride == 0):
            if there != 0:
                mark(m, there)
            link = obtain(m, slot)
            if link == 0:
                return -ENOMEM
            write_key(m, link, h, key)
            write_value(m, link, slot, value, every, 1)
        how = flags if link != there else u64(BPF_ANY)  # the key's own record was evicted
        result = commit(m, slot, h, key, value, how, every, link)
        if result <= 0:
            return result


@native
def commit(
    m: ptr[Hash], slot: u32, h: u32, key: ptr[u8], value: ptr[u8], flags: u64, every: u32, link: u32
) -> i64:
    """The part of put under the bucket's lock, `link` being the new record or 0; 1 when the key
    was deleted meanwhile and a record is needed after all."""
    bucket = h & m.mask
    first = lock_bucket(m.buckets + bucket)
    old = find_locked(m, first, h, key)
    result = i64(0)
    surplus = link
    if old == 0:
        if link == 0:
            result = i64(1)
        elif flags == BPF_EXIST:
            result = i64(-ENOENT)
        else:
            insert(m, bucket, first, link)
            first = link
            surplus = u32(0)
            m.slots[slot].count = m.slots[slot].count + 1
    elif flags == BPF_NOEXIST:
        result = i64(-EEXIST)
    elif m.cpu_stride != 0:
        write_value(m, old, slot, value, every, 0)
        mark(m, old)
    elif m.share != 0:
        mark(m, link)
        insert(m, bucket, first, link)
        first = unlink(m, bucket, link, old)
        surplus = old
    else:
        first = replace(m, slot, bucket, first, old, h, key, value)
        mark(m, first)
    atomic_store(m.buckets + bucket, first)
    if surplus != 0:
        give_back(m, slot, surplus)
    return result


__all__ = [
    "State",
    "check",
    "delete",
    "element",
    "init",
    "length",
    "lookup",
    "lookup_percpu",
    "lookup_percpu_user",
    "lookup_user",
    "next_key",
    "plan",
    "read_bucket",
    "step",
    "take",
    "update",
    "update_percpu",
]
