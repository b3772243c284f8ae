# mypy: disable-error-code="arg-type,return-value,no-any-return,call-overload,assignment"
"""Map operations compiled for the host and called by several threads at once keep their promises:
what nobody else touches is always found, nothing is lost or doubled, records arrive whole."""

import ctypes
import threading
from collections import Counter

import pytest

from ebee.abi import ringbuf
from ebee.abi.cpu import Cpu
from ebee.machine.maps import MachineMap
from ebee.machine.memory import Memory
from ebee.maps.array_ops import Array
from ebee.maps.hash_function import hash_bytes
from ebee.maps.hash_ops import Hash, pop_free, push_free, record
from ebee.maps.hash_ops import delete as hash_delete
from ebee.maps.hash_ops import lookup as hash_lookup
from ebee.maps.hash_ops import update as hash_update
from ebee.maps.lpm_ops import Trie
from ebee.maps.lpm_ops import delete as lpm_delete
from ebee.maps.lpm_ops import lookup as lpm_lookup
from ebee.maps.lpm_ops import update as lpm_update
from ebee.maps.lru_ops import delete as lru_delete
from ebee.maps.lru_ops import length
from ebee.maps.lru_ops import lookup as lru_lookup
from ebee.maps.lru_ops import update as lru_update
from ebee.maps.queue_ops import Queue, pop, push
from ebee.maps.ringbuf_ops import CONSUMER_AT, DATA_AT, PRODUCER_AT, Ring, discard, reserve, submit
from ebee.native import atomic_add, atomic_store, atomic_xchg, cast, cpu_relax, native
from ebee.obj.spec import MapSpec
from ebee.types import ptr, sizeof, struct, u8, u32, u64, view

pytest.importorskip("llvmlite")
pytestmark = pytest.mark.unit

THREADS = 3
ROUNDS = 60_000


@struct
class Work:
    """What one thread uses: its random number, a key and a value, and what it counted."""

    random: u64
    key: u64
    more: u64
    value: u64
    check: u64
    full: u64
    failed: u64
    done: u64


@native
def chance(w: ptr[Work]) -> u64:
    """The next random number (xorshift)."""
    x = w.random
    x = x ^ (x << 13)
    x = x ^ (x >> 7)
    x = x ^ (x << 17)
    w.random = x
    return x


@native
def key_of(w: ptr[Work]) -> ptr[u8]:
    return cast(ptr[u8], w.ref.key)


@native
def value_of(w: ptr[Work]) -> ptr[u8]:
    return cast(ptr[u8], w.ref.value)


@native
def stress_hash(cpu: ptr[Cpu], m: ptr[Hash], w: ptr[Work], rounds: u64) -> None:
    """Keys of our own come and go among everybody's; each is there exactly while it should be.
    `done` has a bit for each of our 32 keys."""
    for _ in range(rounds):
        r = chance(w)
        n = r & 31
        w.key = u64(cpu.id) << 32 | n
        w.value = r
        w.check = ~r
        there = w.done >> n & 1
        found = hash_lookup(cpu, m, key_of(w))
        if bool(found) != (there != 0):
            w.failed = w.failed + 1
        if r >> 40 & 1:
            result = hash_update(cpu, m, key_of(w), value_of(w), 0)
            if result == 0:
                w.done = w.done | u64(1) << n
                found = hash_lookup(cpu, m, key_of(w))
                if not found:
                    w.failed = w.failed + 1
                else:
                    if cast(ptr[u64], found)[0] != r or cast(ptr[u64], found)[1] != ~r:
                        w.failed = w.failed + 1
            elif there != 0:
                w.failed = w.failed + 1  # replacing needs no room
            else:
                w.full = w.full + 1
        else:
            result = hash_delete(cpu, m, key_of(w))
            if (result == 0) != (there != 0):
                w.failed = w.failed + 1
            w.done = w.done & ~(u64(1) << n)


@native
def stress_shared(cpu: ptr[Cpu], m: ptr[Hash], w: ptr[Work], rounds: u64) -> None:
    """Everybody changes the same few keys; `done` counts insertions less deletions."""
    for _ in range(rounds):
        r = chance(w)
        w.key = r & 7
        if r >> 40 & 1:
            if hash_update(cpu, m, key_of(w), value_of(w), 1) == 0:
                w.done = w.done + 1
        elif hash_delete(cpu, m, key_of(w)) == 0:
            w.done = w.done - 1


@native
def stress_count(cpu: ptr[Cpu], m: ptr[Hash], w: ptr[Work], rounds: u64) -> None:
    """Every key counts on every CPU, made by whoever comes first."""
    for _ in range(rounds):
        w.key = chance(w) & 15
        w.value = 0
        found = hash_lookup(cpu, m, key_of(w))
        if not found:
            hash_update(cpu, m, key_of(w), value_of(w), 1)
            found = hash_lookup(cpu, m, key_of(w))
        count = cast(ptr[u64], found)
        count[0] = count[0] + 1


@native
def stress_chain(cpu: ptr[Cpu], m: ptr[Hash], w: ptr[Work], rounds: u64) -> None:
    """CPU 0 moves one record between the heads of two chains; `more` stands behind it in the first
    one and must be found all the time. `key` and `value` are the two keys that move."""
    for _ in range(rounds):
        if cpu.id != 0:
            if not hash_lookup(cpu, m, cast(ptr[u8], w.ref.more)):
                w.failed = w.failed + 1
        else:
            hash_update(cpu, m, key_of(w), value_of(w), 0)
            hash_delete(cpu, m, key_of(w))
            hash_update(cpu, m, value_of(w), value_of(w), 0)
            hash_delete(cpu, m, value_of(w))


@native
def stress_free(cpu: ptr[Cpu], m: ptr[Hash], w: ptr[Work], rounds: u64) -> None:
    """All take records from one free list and put them back in another order. A record's `hash`
    says that it is taken."""
    for _ in range(rounds):
        a = pop_free(m, 0)
        b = pop_free(m, 0)
        if a != 0 and atomic_xchg(record(m, a).ref.hash, 1) != 0:
            w.failed = w.failed + 1
        if b != 0 and atomic_xchg(record(m, b).ref.hash, 1) != 0:
            w.failed = w.failed + 1
        if a != 0:
            atomic_store(record(m, a).ref.hash, 0)
            push_free(m, 0, a)
        if b != 0:
            atomic_store(record(m, b).ref.hash, 0)
            push_free(m, 0, b)


@native
def stress_reuse(cpu: ptr[Cpu], m: ptr[Trie], w: ptr[Work], rounds: u64) -> None:
    """CPU 0 uses one node for a prefix above `more`, which must be found all the time, and then
    for another prefix. `key` and `value` are the two prefixes."""
    for _ in range(rounds):
        if cpu.id != 0:
            if not lpm_lookup(cpu, m, cast(ptr[u8], w.ref.more)):
                w.failed = w.failed + 1
        else:
            lpm_update(cpu, m, key_of(w), value_of(w), 0)
            lpm_delete(cpu, m, key_of(w))
            lpm_update(cpu, m, value_of(w), value_of(w), 0)
            lpm_delete(cpu, m, value_of(w))


@native
def stress_lru(cpu: ptr[Cpu], m: ptr[Hash], w: ptr[Work], rounds: u64) -> None:
    """Insert, look up, delete, far more keys than there is room for."""
    for _ in range(rounds):
        r = chance(w)
        w.key = r & 1023
        w.value = r
        if r >> 40 & 7 == 0:
            lru_delete(cpu, m, key_of(w))
        elif r >> 40 & 1:
            lru_lookup(cpu, m, key_of(w))
        elif lru_update(cpu, m, key_of(w), value_of(w), 0) != 0:
            w.failed = w.failed + 1
        if length(m) > m.head.max_entries:
            w.full = w.full + 1


@native
def stress_trie(cpu: ptr[Cpu], m: ptr[Trie], w: ptr[Work], rounds: u64) -> None:
    """CPU 0 puts in and takes out prefixes between 10/8 and 10.n.n.n/32, which stay and must be
    found all the time by the others."""
    for _ in range(rounds):
        r = chance(w)
        n = r & 15
        if cpu.id == 0:
            w.key = u64(9 + (r >> 8) % 23) | (u64(10) << 32 | n << 40 | n << 48 | n << 56)
            if r >> 40 & 1:
                w.value = 99
                lpm_update(cpu, m, key_of(w), value_of(w), 0)
            else:
                lpm_delete(cpu, m, key_of(w))
        else:
            w.key = u64(32) | (u64(10) << 32 | n << 40 | n << 48 | n << 56)
            found = lpm_lookup(cpu, m, key_of(w))
            if not found or cast(ptr[u64], found)[0] != n:
                w.failed = w.failed + 1
            w.key = u64(8) | u64(10) << 32
            if not lpm_lookup(cpu, m, key_of(w)):
                w.failed = w.failed + 1


@native
def stress_ring(cpu: ptr[Cpu], m: ptr[Ring], w: ptr[Work], rounds: u64) -> None:
    """Records of 16 to 64 bytes: who, which, and that again to the end; every eighth is dropped.
    Waits for room."""
    for _ in range(rounds):
        r = chance(w)
        words = 2 + r % 7
        record = reserve(cpu, m, words * 8, 0)
        while not record:
            cpu_relax()
            record = reserve(cpu, m, words * 8, 0)
        p = cast(ptr[u64], record)
        if r >> 40 & 7 == 0:
            discard(cpu, record, 0)
        else:
            p[0] = u64(cpu.id)
            for k in range(1, words):
                p[k] = w.done
            w.done = w.done + 1
            submit(cpu, record, 0)


@native
def stress_queue(cpu: ptr[Cpu], m: ptr[Queue], w: ptr[Work], rounds: u64) -> None:
    """`done` is the sum of what was put in less what was taken out."""
    for _ in range(rounds):
        r = chance(w)
        w.value = r >> 20 & 0xFFFF
        if r & 1:
            if push(cpu, m, value_of(w), 0) == 0:
                w.done = w.done + w.value
        elif pop(cpu, m, value_of(w)) == 0:
            w.done = w.done - w.value


@native
def stress_array(cpu: ptr[Cpu], m: ptr[Array], w: ptr[Work], rounds: u64) -> None:
    """An atomic counter in the first value."""
    for _ in range(rounds):
        atomic_add(cast(ptr[u64], m.values), 1)


class Crew:
    """Threads with a CPU and a Work each that run one compiled function on a map."""

    def __init__(self, body, spec: MapSpec):
        from ebee.lang.build import c_function
        from ebee.lang.build import native as compiled
        from ebee.lang.unit import Spec, compile_native
        from ebee.machine.jit.known import known_map

        self.memory = Memory()
        self.map = MachineMap(self.memory, spec, cpus=THREADS, seed=1)
        known, addresses = known_map("map", self.map)
        module = compile_native([Spec(body, "body", {"m": known})])
        self.body = c_function(compiled(module, addresses), "body", module.exports["body"])
        region = self.memory.allocate("crew", THREADS * (sizeof(Cpu) + 128))
        self.cpus, self.work = [], []
        for i in range(THREADS):
            at = region.base + i * (sizeof(Cpu) + 128)
            self.cpus.append(view(Cpu, self.memory, at))
            self.work.append(view(Work, self.memory, at + sizeof(Cpu)))
            self.cpus[i].id, self.cpus[i].count = i, THREADS
            self.work[i].random = 0x9E37_79B9_7F4A_7C15 + i

    def start(self, rounds: int = ROUNDS) -> list[threading.Thread]:
        threads = [
            threading.Thread(target=self.body, args=(int(c.ptr), int(w.ptr), rounds))
            for c, w in zip(self.cpus, self.work, strict=True)
        ]
        for t in threads:
            t.start()
        return threads

    def run(self, rounds: int = ROUNDS) -> "Crew":
        for t in self.start(rounds):
            t.join()
        return self

    def total(self, name: str) -> int:
        return sum(getattr(w, name) for w in self.work)


def records_of(m: MachineMap) -> list[int]:
    """Every record of a hash map, wherever it is: in chains, free, spare, never used."""
    state, ops, found = m.state, m.ops, []
    from ebee.maps import hash_ops

    for bucket in range(state.mask + 1):
        link = int(state.buckets[bucket])
        assert not link & hash_ops.LOCKED
        while link and link < hash_ops.END:
            assert hash_ops.record(state, link).hash & state.mask == bucket
            found.append(link)
            link = int(hash_ops.record(state, link).next)
        assert link in (0, hash_ops.END | bucket)
    assert len(found) == ops.length(state) == len(list(m.keys()))
    for slot in range(m.cpus + 1):
        found.append(int(state.slots[slot].spare))
        link = int(state.slots[slot].free) & 0xFFFF_FFFF
        while link:
            found.append(link)
            link = int(state.links[link])
        if state.share and slot < m.cpus:
            used = min(int(state.slots[slot].fresh), int(state.share))
            found += [slot * int(state.share) + 1 + k for k in range(used, int(state.share))]
    if not state.share:
        found += range(min(int(state.fresh), int(state.capacity)) + 1, int(state.capacity) + 1)
    return found


def assert_nothing_lost(m: MachineMap) -> None:
    everything = int(m.state.capacity) + m.cpus + 1
    assert sorted(records_of(m)) == list(range(1, everything + 1))


@pytest.mark.parametrize("entries", [8, 40, 96, 1000])
def test_own_keys_are_there_exactly_while_they_should_be(entries):
    crew = Crew(stress_hash, MapSpec("m", "hash", 8, 16, entries)).run()
    assert crew.total("failed") == 0
    assert sum(int(w.done).bit_count() for w in crew.work) == len(list(crew.map.keys()))
    assert (crew.total("full") > 0) == (entries < 96)
    assert_nothing_lost(crew.map)


def test_keys_that_all_fight_for_are_inserted_and_deleted_by_one():
    crew = Crew(stress_shared, MapSpec("m", "hash", 8, 16, 100)).run()
    there = ctypes.c_int64(crew.total("done") & (1 << 64) - 1).value
    assert there == len(list(crew.map.keys()))
    assert_nothing_lost(crew.map)


def test_a_reader_whose_record_moves_to_another_chain_starts_again():
    crew = Crew(stress_chain, MapSpec("m", "hash", 8, 8, 64))
    chains: dict[int, list[int]] = {}
    for k in range(1000):
        h = hash_bytes(cast(ptr[u8], (raw := Work(key=k)).ref.key), u32(8), crew.map.state.seed)
        chains.setdefault(h & crew.map.state.mask, []).append(raw.key)
    (moving, staying, *_), (other, *_) = list(chains.values())[:2]
    crew.map.update(int(staying).to_bytes(8, "little"), bytes(8))
    for w in crew.work:
        w.key, w.more, w.value = moving, staying, other
    crew.run(400 * ROUNDS)
    assert crew.total("failed") == 0
    assert_nothing_lost(crew.map)


def test_free_records_are_given_to_one():
    crew = Crew(stress_free, MapSpec("m", "hash", 8, 8, 64))
    for link in range(1, 6):
        push_free(crew.map.state, 0, link)
    crew.run(100 * ROUNDS)
    assert crew.total("failed") == 0


def test_per_cpu_counters_lose_no_step():
    crew = Crew(stress_count, MapSpec("m", "percpu_hash", 8, 8, 16)).run()
    values = [memoryview(v).cast("Q") for _, v in crew.map.items()]
    assert [sum(v[i] for v in values) for i in range(THREADS)] == [ROUNDS] * THREADS
    assert_nothing_lost(crew.map)


@pytest.mark.parametrize("kind", ["lru_hash", "lru_percpu_hash"])
@pytest.mark.parametrize("flags", [0, 2])
@pytest.mark.parametrize("entries", [6, 60, 600])
def test_lru_maps_stay_within_their_size(kind, flags, entries):
    crew = Crew(stress_lru, MapSpec("m", kind, 8, 8, entries, flags)).run(ROUNDS // 2)
    assert crew.total("full") == 0
    assert crew.map.ops.length(crew.map.state) <= entries
    assert_nothing_lost(crew.map)
    if entries > 6:  # with a few records the others may hold them all for a moment
        assert crew.total("failed") == 0


def test_prefixes_that_stay_are_always_found():
    crew = Crew(stress_trie, MapSpec("m", "lpm_trie", 8, 8, 64, 1))
    for n in range(16):
        key = bytes([32, 0, 0, 0, 10, n, n, n])
        crew.map.update(key, n.to_bytes(8, "little"))
    crew.map.update(bytes([8, 0, 0, 0, 10, 0, 0, 0]), (77).to_bytes(8, "little"))
    crew.run()
    assert crew.total("failed") == 0
    assert len(list(crew.map.keys())) == crew.map.state.count


def test_a_reader_whose_node_is_used_again_starts_again():
    crew = Crew(stress_reuse, MapSpec("m", "lpm_trie", 8, 8, 64, 1))
    for w in crew.work:
        w.key, w.more, w.value = (
            int.from_bytes(bytes([bits, 0, 0, 0, *address]), "little")
            for bits, address in ((16, (10, 1, 0, 0)), (32, (10, 1, 1, 1)), (16, (20, 1, 0, 0)))
        )
    crew.map.update(int(crew.work[0].more).to_bytes(8, "little"), bytes(8))
    crew.run(20 * ROUNDS)
    assert crew.total("failed") == 0


def test_records_arrive_whole_and_in_order():
    crew = Crew(stress_ring, MapSpec("m", "ringbuf", 0, 0, 4096))
    area = crew.memory.find(int(crew.map.state.area), DATA_AT).data
    consumer = area[CONSUMER_AT : CONSUMER_AT + 8].cast("Q")
    producer = area[PRODUCER_AT : PRODUCER_AT + 8].cast("Q")
    data = area[DATA_AT : DATA_AT + 8192]
    words, seen, dropped = data.cast("I"), Counter[int](), 0

    def read() -> None:
        nonlocal dropped
        for position, payload in ringbuf.records(data, words, consumer[0], producer[0]):
            if payload is None:
                dropped += 1
            else:
                who, *which = payload.cast("Q")
                assert set(which) == {seen[who]}
                seen[who] += 1
            consumer[0] = position

    threads = crew.start(ROUNDS // 60)
    while any(t.is_alive() for t in threads):
        read()
    read()
    assert consumer[0] == producer[0]
    assert seen == {i: w.done for i, w in enumerate(crew.work)}
    assert dropped + seen.total() == THREADS * (ROUNDS // 60)


@pytest.mark.parametrize("kind", ["queue", "stack"])
def test_queues_and_stacks_lose_nothing(kind):
    crew = Crew(stress_queue, MapSpec("m", kind, 0, 8, 10)).run()
    left = 0
    while (value := crew.map.lookup_and_delete(b"")) is not None:
        left += int.from_bytes(value, "little")
    assert left == crew.total("done") & (1 << 64) - 1


def test_atomic_adds_lose_nothing():
    crew = Crew(stress_array, MapSpec("m", "array", 4, 8, 1)).run()
    assert crew.map.lookup(bytes(4)) == (THREADS * ROUNDS).to_bytes(8, "little")
