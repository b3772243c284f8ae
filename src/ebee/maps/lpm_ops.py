# mypy: disable-error-code="arg-type,return-value,no-any-return,call-overload,assignment"
"""Operations of LPM tries (kernel/bpf/lpm_trie.c): restricted Python.

A binary trie whose nodes name the bits at which they part. Nodes are numbered from 1 and hold
their prefix as words in host order, first bit highest, so that comparing is one exclusive-or and
a shift. Intermediate nodes have no value and two children; the nodes below a prefix are below it
in the trie. A table by the first 8 bits of a key tells where to enter: at the first node of at
least 8 bits, with the longest prefix above it (`found << 32 | link`). Tries of IPv6 addresses have
a second one for the IPv4 addresses among them (::ffff:0:0/96), by the 8 bits after those 96, since
what tells the two apart would else be many nodes that every IPv4 address has to pass.

Writers hold one lock. Readers hold none: a change is one store of a link, and when a freed node
is used again the sequence number has moved, which a reader sees at its end.
"""

from typing import TYPE_CHECKING

from ebee.abi.cpu import Cpu
from ebee.abi.errno import EEXIST, EINVAL, ENOENT, ENOMEM, ENOSPC
from ebee.abi.map import (
    ACCESS_FLAGS,
    BPF_EXIST,
    BPF_F_NO_PREALLOC,
    BPF_F_NUMA_NODE,
    BPF_NOEXIST,
    MapHeader,
)
from ebee.maps import layout
from ebee.maps.value_ops import lock, unlock
from ebee.native import (
    acquire_fence,
    atomic_add,
    atomic_load,
    atomic_store,
    byte_offset,
    cast,
    clz64,
    memcpy,
    native,
    release_fence,
)
from ebee.types import be32, const, i64, null, ptr, struct, u8, u16, u32, u64

if TYPE_CHECKING:
    from ebee.obj.spec import MapSpec

DATA_MAX = 256
"""Bytes of the longest prefix (LPM_DATA_SIZE_MAX)."""

PREFIX = 4
"""Bytes of the prefix length before the data of a key."""

TABLE_BITS = 8
TABLE = 1 << TABLE_BITS

ADDRESS_BITS, MAPPED_BITS = 128, 96
MAPPED = 0xFFFF << 32
"""The second 64 bits of ::ffff:0:0 (RFC 4291, 2.5.5.2)."""

WORDS_AT = 16
NODES_MAX = 1 << 28
"""Nodes that a trie can have here, however large max_entries is."""


@struct
class Node:
    """What precedes the words of a node; `free`: the next node in the list of free ones."""

    zero: u32
    one: u32
    prefixlen: u16
    intermediate: u16
    free: u32


@struct
class Trie:
    """State of a trie: `bits` and `words` of the data, nodes `node_size` bytes apart. The free
    list is first in, first out, so that a node rests as long as possible."""

    head: MapHeader
    bits: const[u32]
    words: const[u32]
    value_at: const[u32]
    capacity: const[u32]
    node_size: const[u64]
    nodes: const[ptr[u8]]
    table: const[ptr[u64]]
    root: u32
    sequence: u32
    lock: u32
    fresh: u32
    free_first: u32
    free_last: u32
    count: u32
    reserved: u32


State = Trie


# --- set-up --------------------------------------------------------------------------------------


def check(spec: "MapSpec", cpus: int) -> None:
    """trie_alloc."""
    layout.check_flags(spec, BPF_F_NO_PREALLOC | BPF_F_NUMA_NODE | ACCESS_FLAGS)
    lazy = spec.flags & BPF_F_NO_PREALLOC
    layout.require(spec, bool(lazy), "an LPM trie needs the flag BPF_F_NO_PREALLOC")
    layout.require(spec, spec.max_entries > 0, "max_entries is 0")
    data = spec.key_size - PREFIX
    sizes = f"key_size is {spec.key_size}, it must be 4 and 1 to {DATA_MAX} bytes of data"
    layout.require(spec, 1 <= data <= DATA_MAX, sizes)
    fits = 1 <= spec.value_size <= layout.KMALLOC_MAX - DATA_MAX - 40
    layout.require(spec, fits, f"value_size is {spec.value_size}, it must be 1 to 4 MiB")


def plan(spec: "MapSpec", cpus: int) -> layout.Layout:
    """One area of nodes: a value takes at most two, and a replacement one more."""
    data = spec.key_size - PREFIX
    words = -(-data // 8)
    value_at = WORDS_AT + 8 * words
    size = value_at + layout.round_up(spec.value_size, 8)
    size = layout.power_of_two(size) if size <= layout.LINE else layout.round_up(size, layout.LINE)
    capacity = min(2 * spec.max_entries + 1, NODES_MAX)
    nodes = layout.Area(
        "nodes", (capacity + 1) * size, size, value_at, value_at + spec.value_size, program=True
    )
    members = {
        "bits": 8 * data,
        "words": words,
        "value_at": value_at,
        "capacity": capacity,
        "node_size": size,
    }
    tables = 2 if 8 * data == ADDRESS_BITS else 1
    return layout.Layout((nodes, layout.Area("table", 8 * TABLE * tables)), members)


# --- nodes ---------------------------------------------------------------------------------------


@native
def node_at(m: ptr[Trie], link: u32) -> ptr[Node]:
    return cast(ptr[Node], byte_offset(m.nodes, u64(link) * m.node_size))


@native
def value_of(m: ptr[Trie], link: u32) -> ptr[u8]:
    return byte_offset(m.nodes, u64(link) * m.node_size + m.value_at)


@native
def words_of(m: ptr[Trie], link: u32) -> ptr[u64]:
    return cast(ptr[u64], byte_offset(m.nodes, u64(link) * m.node_size + WORDS_AT))


@native
def child(m: ptr[Trie], link: u32, bit: u32) -> ptr[u32]:
    """The word with one of a node's two links."""
    return cast(ptr[u32], node_at(m, link)) + bit


@native
def allocate(m: ptr[Trie]) -> u32:
    """A node, with the lock held; 0 when there is none. Using one again moves the sequence."""
    link = m.free_first
    if link != 0:
        m.free_first = node_at(m, link).free
        atomic_add(m.ref.sequence, 1)
        release_fence()
        return link
    if m.fresh < m.capacity:
        m.fresh = m.fresh + 1
        return m.fresh
    return u32(0)


@native
def release(m: ptr[Trie], link: u32) -> None:
    """Put a node behind the other free ones, what readers need of it left as it is."""
    node_at(m, link).free = u32(0)
    if m.free_first == 0:
        m.free_first = link
    else:
        node_at(m, m.free_last).free = link
    m.free_last = link


# --- bits ----------------------------------------------------------------------------------------


@native
def word(m: ptr[Trie], data: ptr[u8], i: u32) -> u64:
    """The i-th 64 bits of a key's data in host order, zeros behind its end."""
    at = 8 * i
    rest = m.bits // 8 - at
    if rest >= 8:  # as two halves: see hash_function.word
        halves = cast(ptr[be32], byte_offset(data, at))
        return u64(halves[0]) << 32 | u64(halves[1])
    w = u64(0)
    if rest >= 4:
        w = u64(cast(ptr[be32], byte_offset(data, at))[0]) << 32
    for k in range(rest & 4, rest):
        w = w | (u64(data[at + k]) << (56 - 8 * k))
    return w


@native
def bit(data: ptr[u8], n: u32) -> u32:
    """Bit n of a key's data."""
    return (u32(data[n >> 3]) >> (7 - (n & 7))) & 1


@native
def covers(
    m: ptr[Trie], link: u32, first: u64, second: u64, data: ptr[u8], n: u32
) -> bool:  # fmt: skip
    """Whether the first n bits of a node and of the data are equal; `first` and `second` are words
    0 and 1."""
    words = words_of(m, link)
    differ = words[0] ^ first
    if n <= 64:
        return differ >> (64 - n) == 0
    if differ != 0:
        return False
    for i in range(1, m.words):
        end = 64 * u32(i + 1)
        differ = words[i] ^ (second if i == 1 else word(m, data, u32(i)))
        if n <= end:
            return differ >> (end - n) == 0
        if differ != 0:
            return False
    return True


@native
def common(m: ptr[Trie], link: u32, data: ptr[u8], limit: u32) -> u32:
    """How many bits of a node and of the data are equal from the start, at most `limit`."""
    words = words_of(m, link)
    for i in range(m.words):
        differ = words[i] ^ word(m, data, u32(i))
        if differ != 0:
            n = 64 * u32(i) + clz64(differ)
            return n if n < limit else limit
    return limit


@native
def match(m: ptr[Trie], link: u32, data: ptr[u8], prefixlen: u32) -> u32:
    """How many bits a node shares with a prefix."""
    own = u32(node_at(m, link).prefixlen)
    return common(m, link, data, own if own < prefixlen else prefixlen)


# --- lookup --------------------------------------------------------------------------------------


@native
def longest(m: ptr[Trie], data: ptr[u8], prefixlen: u32, first: u64, second: u64) -> u32:
    """The node with the longest prefix of the key, `first` and `second` its first words; 0 when
    there is none. Among nodes that change under it the walk still ends, since prefixes must grow.
    """
    found = u32(0)
    least = u32(0)
    link = u32(0)
    if (
        m.bits == ADDRESS_BITS
        and prefixlen >= MAPPED_BITS + TABLE_BITS
        and first == 0
        and second >> 32 == MAPPED >> 32
    ):
        at = u32(second >> (32 - TABLE_BITS)) & (TABLE - 1)
        entry = atomic_load(m.table + (TABLE + at))
        link = u32(entry)
        found = u32(entry >> 32)
        least = u32(MAPPED_BITS + TABLE_BITS)
    elif prefixlen >= TABLE_BITS:
        entry = atomic_load(m.table + u32(first >> (64 - TABLE_BITS)))
        link = u32(entry)
        found = u32(entry >> 32)
        least = u32(TABLE_BITS)
    else:
        link = atomic_load(m.ref.root)
    while link != 0:
        node = node_at(m, link)
        own = u32(node.prefixlen)
        if own < least or own > prefixlen or not covers(m, link, first, second, data, own):
            return found
        if node.intermediate == 0:
            found = link
        if own >= m.bits:
            return found
        least = own + 1
        link = atomic_load(child(m, link, bit(data, own)))
    return found


@native
def lookup(cpu: ptr[Cpu], m: ptr[Trie], key: ptr[u8]) -> ptr[u8]:
    prefixlen = cast(ptr[u32], key)[0]
    if prefixlen > m.bits:
        return null
    data = byte_offset(key, PREFIX)
    first = word(m, data, 0)  # before the first atomic load, behind which all is read anew
    second = word(m, data, 1) if m.words > 1 else u64(0)
    while True:
        sequence = atomic_load(m.ref.sequence)
        link = longest(m, data, prefixlen, first, second)
        acquire_fence()
        if atomic_load(m.ref.sequence) == sequence:
            if link == 0:
                return null
            return value_of(m, link)


# --- change --------------------------------------------------------------------------------------


@native
def update(cpu: ptr[Cpu], m: ptr[Trie], key: ptr[u8], value: ptr[u8], flags: u64) -> i64:
    prefixlen = cast(ptr[u32], key)[0]
    if flags > BPF_EXIST or prefixlen > m.bits:
        return -EINVAL
    lock(m.ref.lock)
    result = put(m, byte_offset(key, PREFIX), prefixlen, value, flags)
    unlock(m.ref.lock)
    return result


@native
def put(m: ptr[Trie], data: ptr[u8], prefixlen: u32, value: ptr[u8], flags: u64) -> i64:
    """Find the place of a prefix: an empty link, a node to replace, or a node to part from."""
    place = m.ref.root
    link = place[0]
    same = u32(0)
    before = u32(0)
    while link != 0:
        same = match(m, link, data, prefixlen)
        own = u32(node_at(m, link).prefixlen)
        if own != same or own == prefixlen:
            break
        if node_at(m, link).intermediate == 0:
            before = link
        place = child(m, link, bit(data, own))
        link = place[0]
    replaces = link != 0 and node_at(m, link).prefixlen == same
    exists = replaces and node_at(m, link).intermediate == 0
    if exists and flags == BPF_NOEXIST:
        return -EEXIST
    if not exists and flags == BPF_EXIST:
        return -ENOENT
    if not exists and m.count == m.head.max_entries:
        return -ENOSPC
    new = make(m, data, prefixlen, value)
    if new == 0:
        return -ENOMEM
    if link == 0:
        atomic_store(place, new)
    elif replaces:
        child(m, new, 0)[0] = child(m, link, 0)[0]
        child(m, new, 1)[0] = child(m, link, 1)[0]
        atomic_store(place, new)
        release(m, link)
    elif same == prefixlen:
        child(m, new, link_bit(m, link, same))[0] = link
        atomic_store(place, new)
    elif not part(m, place, link, new, data, same):
        release(m, new)
        return -ENOMEM
    if not exists:
        m.count = m.count + 1
    enter(m, data, prefixlen, link if exists else before, new)
    return 0


@native
def make(m: ptr[Trie], data: ptr[u8], prefixlen: u32, value: ptr[u8]) -> u32:
    """A node with a prefix and a value; 0 when there is no room."""
    link = allocate(m)
    if link != 0:
        node = node_at(m, link)
        node.zero = u32(0)
        node.one = u32(0)
        node.prefixlen = u16(prefixlen)
        node.intermediate = u16(0)
        words = words_of(m, link)
        for i in range(m.words):
            words[i] = word(m, data, u32(i))
        memcpy(value_of(m, link), value, m.head.value_size)
    return link


@native
def link_bit(m: ptr[Trie], link: u32, n: u32) -> u32:
    """Bit n of a node's prefix."""
    return u32(words_of(m, link)[n >> 6] >> (63 - (n & 63))) & 1


@native
def part(m: ptr[Trie], place: ptr[u32], link: u32, new: u32, data: ptr[u8], same: u32) -> bool:
    """Put an intermediate node where a node and a new one part."""
    between = allocate(m)
    if between == 0:
        return False
    node = node_at(m, between)
    node.prefixlen = u16(same)
    node.intermediate = u16(1)
    memcpy(words_of(m, between), words_of(m, link), 8 * m.words)
    side = bit(data, same)
    child(m, between, side)[0] = new
    child(m, between, 1 - side)[0] = link
    atomic_store(place, between)
    return True


@native
def delete(cpu: ptr[Cpu], m: ptr[Trie], key: ptr[u8]) -> i64:
    prefixlen = cast(ptr[u32], key)[0]
    if prefixlen > m.bits:
        return -EINVAL
    lock(m.ref.lock)
    result = remove(m, byte_offset(key, PREFIX), prefixlen)
    unlock(m.ref.lock)
    return result


@native
def remove(m: ptr[Trie], data: ptr[u8], prefixlen: u32) -> i64:
    """Take a prefix out, with an intermediate parent that it leaves with one child."""
    above = place = m.ref.root
    parent = u32(0)
    link = place[0]
    same = u32(0)
    before = u32(0)
    while link != 0:
        same = match(m, link, data, prefixlen)
        own = u32(node_at(m, link).prefixlen)
        if own != same or own == prefixlen:
            break
        if node_at(m, link).intermediate == 0:
            before = link
        parent = link
        above = place
        place = child(m, link, bit(data, own))
        link = place[0]
    if link == 0 or same != prefixlen:
        return -ENOENT
    node = node_at(m, link)
    if node.prefixlen != prefixlen or node.intermediate != 0:
        return -ENOENT
    m.count = m.count - 1
    if node.zero != 0 and node.one != 0:
        node.intermediate = u16(1)
        enter(m, data, prefixlen, link, before)
        return 0
    below = node.zero | node.one
    if below == 0 and parent != 0 and node_at(m, parent).intermediate != 0:
        other = node_at(m, parent)
        atomic_store(above, other.one if other.zero == link else other.zero)
        release(m, parent)
    else:
        atomic_store(place, below)
    enter(m, data, prefixlen, link, before)
    release(m, link)
    return 0


@native
def enter(m: ptr[Trie], data: ptr[u8], prefixlen: u32, old: u32, new: u32) -> None:
    """Bring the tables up to date where they speak of a prefix that changed, from node `old` (or
    the prefix before it) to node `new` (or the prefix before it)."""
    first = word(m, data, 0)
    refresh(m, 0, u32(first >> (64 - TABLE_BITS)), prefixlen, old, new)
    if m.bits == ADDRESS_BITS:
        second = word(m, data, 1)
        shared = prefixlen if prefixlen < MAPPED_BITS else u32(MAPPED_BITS)
        if agree(first, second, 0, MAPPED, shared):
            at = u32(second >> (32 - TABLE_BITS)) & (TABLE - 1)
            refresh(m, MAPPED_BITS, at, prefixlen, old, new)


@native
def refresh(m: ptr[Trie], base: u32, at: u32, prefixlen: u32, old: u32, new: u32) -> None:
    """The same for the table of the bits behind `base`, of which a prefix begins with `at`."""
    table = m.table + (TABLE if base != 0 else 0)
    if prefixlen >= base + TABLE_BITS:
        atomic_store(table + at, entry_of(m, base, at))
        return
    covered = u32(TABLE) >> (prefixlen - base if prefixlen > base else u32(0))
    start = at & ~(covered - 1)
    for i in range(covered):
        place = table + (start + u32(i))
        if u32(place[0] >> 32) == old:
            atomic_store(place, u64(u32(place[0])) | (u64(new) << 32))


@native
def entry_of(m: ptr[Trie], base: u32, at: u32) -> u64:
    """What a table has to say of keys with `at` in the bits behind `base`."""
    first = u64(0) if base != 0 else u64(at) << (64 - TABLE_BITS)
    second = u64(MAPPED) | (u64(at) << (32 - TABLE_BITS)) if base != 0 else u64(0)
    limit = base + TABLE_BITS
    found = u32(0)
    link = m.root
    while link != 0:
        node = node_at(m, link)
        own = u32(node.prefixlen)
        words = words_of(m, link)
        n = own if own < limit else limit
        if not agree(words[0], words[1] if n > 64 else u64(0), first, second, n):
            return u64(found) << 32
        if own >= limit:
            return (u64(found) << 32) | link
        if node.intermediate == 0:
            found = link
        side = first >> (63 - own) if own < 64 else second >> (127 - own)
        link = child(m, link, u32(side) & 1)[0]
    return u64(found) << 32


@native
def agree(first: u64, second: u64, other_first: u64, other_second: u64, n: u32) -> bool:
    """Whether the first n of 128 bits are the same."""
    if n <= 64:
        return (first ^ other_first) >> (64 - n) == 0
    return first == other_first and (second ^ other_second) >> (128 - n) == 0


# --- walk ----------------------------------------------------------------------------------------


@native
def next_key(m: ptr[Trie], key: ptr[u8], out: ptr[u8]) -> i64:
    """The next prefix in post-order, longer ones before the shorter they are part of; the first
    one when the key is null or not there."""
    lock(m.ref.lock)
    link = m.root
    if link != 0:
        link = following(m, key) if key else leftmost(m, link)
    if link != 0:
        write_key(m, link, out)
    unlock(m.ref.lock)
    return 0 if link != 0 else -ENOENT


@native
def following(m: ptr[Trie], key: ptr[u8]) -> u32:
    """The node after a key's. On the way down the last turn that leaves something to visit
    afterwards is kept: the other branch, or the node itself."""
    prefixlen = cast(ptr[u32], key)[0]
    data = byte_offset(key, PREFIX)
    link = m.root
    after = u32(0)
    branch = u32(0)
    while link != 0 and prefixlen <= m.bits:
        node = node_at(m, link)
        own = u32(node.prefixlen)
        if match(m, link, data, prefixlen) != own:
            break
        if own == prefixlen:
            if node.intermediate != 0:
                break
            return leftmost(m, branch) if branch != 0 else after
        side = bit(data, own)
        if side == 0 and node.one != 0:
            branch = node.one
        elif node.intermediate == 0:
            branch = u32(0)
            after = link
        link = child(m, link, side)[0]
    return leftmost(m, m.root)


@native
def leftmost(m: ptr[Trie], link: u32) -> u32:
    """The first node of a branch in post-order."""
    while True:
        node = node_at(m, link)
        if node.zero != 0:
            link = node.zero
        elif node.one != 0:
            link = node.one
        else:
            return link


@native
def write_key(m: ptr[Trie], link: u32, out: ptr[u8]) -> None:
    """A node's prefix as a key."""
    cast(ptr[u32], out)[0] = u32(node_at(m, link).prefixlen)
    words = words_of(m, link)
    for k in range(m.bits // 8):
        out[PREFIX + k] = u8(words[k >> 3] >> (56 - 8 * (k & 7)))
