"""The machine's maps: creation, access rights, special values, batches, LRU, ring buffers."""

from __future__ import annotations

import ipaddress
import struct
from collections import OrderedDict

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ebee import maps
from ebee.abi import errno, ringbuf
from ebee.abi.cpu import Cpu
from ebee.btf import BtfBuilder, Int, Member, Struct
from ebee.errors import KernelError, MachineError
from ebee.machine.maps import MachineMap
from ebee.machine.memory import Fault, Memory
from ebee.machine.ringbuf import RingBuffer
from ebee.maps import layout, lpm_ops, ringbuf_ops, why
from ebee.maps.hash_function import hash_bytes
from ebee.obj.spec import MapSpec
from ebee.types import ptr, sizeof, u8, u32, u64, view

pytestmark = pytest.mark.unit


def make(kind: str, *sizes: int, cpus: int = 1, memory: Memory | None = None, **more) -> MachineMap:
    options = {k: more.pop(k) for k in ("btf", "resolve", "seed") if k in more}
    spec = MapSpec("test", kind, *sizes, **more)
    return MachineMap(memory or Memory(), spec, cpus=cpus, **options)


def key(n: int) -> bytes:
    return struct.pack("<I", n)


def value(n: int) -> bytes:
    return struct.pack("<Q", n)


class Program:
    """Calls operations of a map as a program on one CPU does."""

    def __init__(self, m: MachineMap, cpu: int = 0):
        self.map, memory = m, m.memory
        own = memory.allocate("program", sizeof(Cpu) + 512)
        self.cpu = view(Cpu, memory, own.base)
        self.cpu.id, self.cpu.count = cpu, m.cpus
        self.key = ptr(memory, own.base + sizeof(Cpu), u8)
        self.value = ptr(memory, own.base + sizeof(Cpu) + 256, u8)

    def call(self, name: str, key: bytes, *more):
        self.map.memory.write(int(self.key), key)
        more = [self.put(m) if isinstance(m, bytes) else m for m in more]
        return getattr(self.map.ops, name)(self.cpu.ptr, self.map.state, self.key, *more)

    def put(self, data: bytes):
        self.map.memory.write(int(self.value), data)
        return self.value

    def read(self, key: bytes) -> bytes | None:
        found = self.call("lookup", key)
        memory = self.map.memory.programs
        return memory.read(int(found), self.map.value_size) if found else None


# --- declarations --------------------------------------------------------------------------------


def test_types_are_found_by_number_and_name():
    assert maps.by_id(11) is maps.by_name("lpm_trie")
    assert maps.by_name("no_such") is None
    assert maps.by_id(0) is None
    assert [m.id for m in maps.all_types()] == list(range(1, 34))


def test_every_type_runs_on_the_machine_or_says_why_not():
    for kind in maps.all_types():
        assert (kind.ops is None) == ("machine" in kind.missing), kind.name


def test_every_helper_that_a_declaration_names_exists():
    from ebee import helpers

    for kind in maps.all_types():
        for name in kind.program.split():
            assert helpers.by_name(name), (kind.name, name)


def test_the_flags_of_declarations_and_operations_are_the_same():
    from ebee.abi import map as flags

    for name, flag in maps.FLAGS.items():
        assert getattr(flags, f"BPF_F_{name.upper()}") == flag


# --- making --------------------------------------------------------------------------------------


def test_an_unknown_type_is_refused():
    with pytest.raises(KernelError, match="there is no such map type"):
        make("nonsense", 4, 4, 1)


def test_a_type_without_operations_says_why():
    with pytest.raises(MachineError, match="sockmap maps are not on the machine: there"):
        make("sockmap", 4, 4, 1)


@pytest.mark.parametrize(
    ("kind", "sizes", "flags", "code", "text"),
    [
        ("hash", (0, 4, 1), 0, errno.EINVAL, "key_size is 0"),
        ("hash", (4, 4, 0), 0, errno.EINVAL, "max_entries is 0"),
        ("hash", (4, 4 << 20, 1), 0, errno.E2BIG, "4 MiB"),
        ("hash", (4, 4, (1 << 27) + 1), 0, errno.E2BIG, "max_entries"),
        ("hash", (4, 4, 1), 1 << 1, errno.EINVAL, "flags 0x2"),
        ("hash", (4, 4, 1), 0x180, errno.EINVAL, "neither reading nor writing"),
        ("hash", (4, 4, 1), 0x18, errno.EINVAL, "exclude each other"),
        ("lru_hash", (4, 4, 1), 1, errno.ENOTSUPP, "NO_PREALLOC"),
        ("percpu_array", (4, 40000, 1), 0, errno.E2BIG, "per-CPU value"),
        ("array", (8, 4, 1), 0, errno.EINVAL, "key_size is 8, it must be 4"),
        ("lpm_trie", (8, 4, 1), 0, errno.EINVAL, "BPF_F_NO_PREALLOC"),
        ("lpm_trie", (261, 4, 1), 1, errno.EINVAL, "1 to 256 bytes"),
        ("ringbuf", (4, 0, 4096), 0, errno.EINVAL, "no keys"),
        ("queue", (0, 1 << 20, 1 << 20), 0, errno.E2BIG, "4 GiB"),
        ("array_of_maps", (4, 4, 1), 0, errno.EBADF, "pattern"),
    ],
)
def test_what_the_kernel_refuses_is_refused_in_words(kind, sizes, flags, code, text):
    with pytest.raises(KernelError, match=text) as e:
        make(kind, *sizes, flags=flags)
    assert e.value.errno == code
    assert errno.NAMES[code] in str(e.value)


def test_a_map_that_memory_cannot_hold_gives_its_regions_back():
    memory = Memory()
    with pytest.raises(KernelError, match="ENOMEM") as e:
        make("array", 4, (1 << 31) - 1, 0xFFFF_FFFF, memory=memory)
    assert e.value.errno == errno.ENOMEM
    assert memory.regions() == []


def test_close_frees_the_regions_and_later_calls_are_refused():
    memory = Memory()
    with make("hash", 4, 8, 4, memory=memory) as m:
        m.update(key(1), value(1))
    assert memory.regions() == []
    with pytest.raises(KernelError, match="is closed"):
        m.lookup(key(1))


def test_sizes_are_completed_as_libbpf_does():
    assert make("ringbuf", 0, 0, 5000).max_entries == 8192
    assert make("lru_hash", 4, 4, 10, flags=2, cpus=4).max_entries == 12


def test_contents_of_a_data_map_are_its_first_value():
    m = make("array", 4, 6, 1, data=b"abcdef")
    assert m.lookup(key(0)) == b"abcdef"
    assert m.memory.read(m.value_address, 6) == b"abcdef"
    with pytest.raises(KernelError, match="contents do not fit"):
        make("array", 4, 5, 1, data=b"abcdef")


def test_info_is_what_the_map_was_made_of():
    m = make("hash", 4, 8, 10, flags=64 | 8)
    assert m.info() | {"id": 1} == {
        "type": 1, "id": 1, "name": "test", "key_size": 4, "value_size": 8, "max_entries": 10,
        "map_flags": 64, "map_extra": 0,
    }  # fmt: skip


# --- rights --------------------------------------------------------------------------------------

BORDERS = [
    ("array", 5, 0), ("percpu_array", 5, 0), ("hash", 5, 0), ("percpu_hash", 5, 0),
    ("lru_hash", 5, 0), ("lru_percpu_hash", 5, 0),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "size", "flags"), BORDERS)
def test_programs_touch_values_and_nothing_beside_them(kind, size, flags):
    m = make(kind, 4, size, 3, flags=flags, cpus=2)
    m.update(key(1), bytes(range(8)) * 2 if m.kind.per_cpu else bytes(range(5)))
    p = Program(m, cpu=1)
    found = int(p.call("lookup", key(1)))
    programs = m.memory.programs
    assert programs.read(found, 5) == bytes(range(5))
    programs.write(found, b"12345")
    for start, n in ((found - 1, 1), (found + 4, 2), (found + 5, 1), (found - 1, 7)):
        with pytest.raises(Fault):
            programs.read(start, n)
        with pytest.raises(Fault):
            programs.write(start, bytes(n))
    for address in (m.address, int(m._key)):
        with pytest.raises(Fault, match="not for programs"):
            programs.read(address, 1)


@pytest.mark.parametrize(
    ("flag", "reads", "writes"), [(1 << 7, True, False), (1 << 8, False, True)]
)
def test_rights_of_programs_follow_the_creation_flags(flag, reads, writes):
    m = make("array", 4, 8, 1, flags=flag)
    for right, call in ((reads, m.memory.programs.load), (writes, m.memory.programs.store)):
        args = (m.value_address, 4) if call == m.memory.programs.load else (m.value_address, 4, 1)
        if right:
            call(*args)
        else:
            with pytest.raises(Fault):
                call(*args)


def test_rights_of_user_space_follow_the_creation_flags():
    m = make("array", 4, 8, 1, flags=1 << 3)
    m.lookup(key(0))
    with pytest.raises(KernelError, match="EPERM"):
        m.update(key(0), value(1))
    m = make("array", 4, 8, 1, flags=1 << 4)
    m.update(key(0), value(1))
    with pytest.raises(KernelError, match="EPERM"):
        m.lookup(key(0))


def test_a_frozen_map_is_read_only_for_user_space_but_not_for_programs():
    m = make("array", 4, 8, 1)
    m.freeze()
    assert m.lookup(key(0)) == bytes(8)
    for call in (lambda: m.update(key(0), value(1)), lambda: m.delete(key(0)), m.freeze):
        with pytest.raises(KernelError, match="EPERM"):
            call()
    m.memory.programs.store(m.value_address, 8, 5)
    assert m.lookup(key(0)) == value(5)


def test_keys_and_values_of_wrong_length_are_refused():
    m = make("hash", 4, 8, 1)
    with pytest.raises(KernelError, match="a key has 4 bytes, this one 3"):
        m.lookup(b"abc")
    with pytest.raises(KernelError, match="a value has 8 bytes, this one 1"):
        m.update(key(0), b"a")


# --- programs and user space ---------------------------------------------------------------------


def test_programs_see_their_own_cpus_value():
    for kind in ("percpu_array", "percpu_hash", "lru_percpu_hash"):
        m = make(kind, 4, 3, 2, cpus=3)
        m.update(key(1), b"one\0\0\0\0\0two\0\0\0\0\0thr\0\0\0\0\0")
        assert [Program(m, c).read(key(1)) for c in range(3)] == [b"one", b"two", b"thr"]
        p = Program(m, 1)
        assert p.call("update", key(1), b"new", 0) == 0
        assert m.lookup(key(1)) == b"one\0\0\0\0\0new\0\0\0\0\0thr\0\0\0\0\0"
        other = p.call("lookup_percpu", key(1), 2)
        assert m.memory.read(int(other), 3) == b"thr"
        assert not p.call("lookup_percpu", key(1), 3)


def test_a_per_cpu_element_made_by_a_program_is_zero_on_other_cpus():
    m = make("percpu_hash", 4, 4, 1, cpus=2)
    m.update(key(1), b"\xff" * 16)
    m.delete(key(1))
    assert Program(m, 1).call("update", key(2), b"mine", 0) == 0
    assert m.lookup(key(2)) == bytes(8) + b"mine\0\0\0\0"


def test_an_update_leaves_the_old_value_to_those_who_hold_it():
    m = make("hash", 4, 8, 2)
    m.update(key(1), value(1))
    old = Program(m).call("lookup", key(1))
    m.update(key(1), value(2))
    assert m.memory.read(int(old), 8) == value(1)
    assert m.lookup(key(1)) == value(2)


@pytest.mark.parametrize("kind", ["array", "hash"])
def test_a_spin_lock_in_a_value_is_kept_and_reads_as_zero(kind):
    b = BtfBuilder()
    number = b.add(Int("u32", 4))
    lock = b.add(Struct("bpf_spin_lock", 4, (Member("val", number, 0),)))
    timer = b.add(Struct("bpf_timer", 16, (Member("val", number, 0),)))
    pair = b.add(Struct("pair", 8, (Member("a", number, 0), Member("lock", lock, 32))))
    element = b.add(Struct("element", 12, (Member("pair", pair, 0), Member("b", number, 64))))
    both = b.add(Struct("both", 20, (Member("timer", timer, 0), Member("lock", lock, 128))))
    m = make(kind, 4, 12, 2, btf=b.build(), value_btf_id=element)
    m.update(key(0), b"aaaaLLLLbbbb")
    assert m.lookup(key(0)) == b"aaaa\0\0\0\0bbbb"
    m.update(key(0), b"ccccLLLLdddd", 4)
    assert m.lookup(key(0), 4) == b"cccc\0\0\0\0dddd"
    with pytest.raises(KernelError, match="ENOTSUPP"):
        m.freeze()
    with pytest.raises(MachineError, match="bpf_spin_lock, bpf_timer"):
        make(kind, 4, 20, 2, btf=b.build(), value_btf_id=both)


# --- hashing and batches -------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 40])
def test_every_byte_of_a_key_counts(size):
    memory = Memory()
    at = memory.allocate("key", size)
    seen = set()
    for i in range(size):
        for bit in range(8):
            at.data[:] = bytes(size)
            at.data[i] = 1 << bit
            seen.add(int(hash_bytes(ptr(memory, at.base, u8), u32(size), u64(7))))
    assert len(seen) == 8 * size


@pytest.mark.parametrize("step", [1, 256, 1 << 16, 1 << 24, 12345])
@pytest.mark.parametrize("size", [4, 8, 13])
def test_keys_in_rows_spread_over_the_buckets(step, size):
    memory = Memory()
    at = memory.allocate("key", 16)
    buckets = [0] * 512
    for i in range(256):
        at.data[:size] = (i * step % 256 ** min(size, 8)).to_bytes(size, "little")
        buckets[hash_bytes(ptr(memory, at.base, u8), u32(size), u64(99)) & 511] += 1
    assert max(buckets) <= 6
    assert sum(n * n for n in buckets) < 256 * 2.2  # random: 1.5


def test_batches_give_every_element_once_in_portions():
    m = make("hash", 4, 8, 200)
    expected = {key(i): value(i) for i in range(200)}
    m.update_batch(list(expected), list(expected.values()))
    found, token, rounds = {}, None, 0
    while True:
        keys, values, token = m.lookup_batch(token, 16)
        assert not found.keys() & set(keys)
        found |= dict(zip(keys, values, strict=True))
        rounds += 1
        if token is None:
            break
    assert found == expected
    assert 8 <= rounds <= 13
    keys, values, token = m.lookup_batch(None, 1000, delete=True)
    assert dict(zip(keys, values, strict=True)) == expected
    assert token is None
    assert list(m.items()) == []
    m.update_batch(list(expected), list(expected.values()))
    assert len(list(m.keys())) == 200


def test_a_batch_stops_at_the_first_failure():
    m = make("hash", 4, 8, 2)
    with pytest.raises(KernelError, match="E2BIG"):
        m.update_batch([key(1), key(2), key(3)], [value(1)] * 3)
    with pytest.raises(KernelError, match="ENOENT"):
        m.delete_batch([key(1), key(9), key(2)])
    assert list(m.keys()) == [key(2)]
    with pytest.raises(KernelError, match="1 keys but 2 values"):
        m.update_batch([key(1)], [value(1)] * 2)


def test_keys_may_be_deleted_while_they_are_walked():
    m = make("hash", 4, 8, 50)
    m.update_batch([key(i) for i in range(50)], [value(i) for i in range(50)])
    seen = []
    for k in m.keys():  # noqa: SIM118
        seen.append(k)
        m.delete(k)
    assert sorted(seen) == sorted(key(i) for i in range(50))
    assert m.next_key(None) is None


# --- LRU -----------------------------------------------------------------------------------------


def test_without_lookups_the_oldest_is_evicted():
    m = make("lru_hash", 4, 8, 8)
    for i in range(100):
        m.update(key(i), value(i))
        there = sorted(int.from_bytes(k, "little") for k, _ in m.items())
        assert there == list(range(max(0, i - 7), i + 1))


def test_what_programs_look_up_stays_and_what_user_space_reads_does_not_matter():
    m = make("lru_hash", 4, 8, 8)
    for i in range(8):
        m.update(key(i), value(i))
        m.lookup(key(i))
    p = Program(m)
    for i in range(8, 50):
        assert p.read(key(0)) == value(0)
        m.update(key(i), value(i))
    assert m.lookup(key(0)) == value(0)
    assert m.lookup(key(1)) is None


def test_replacing_a_value_evicts_nothing():
    m = make("lru_hash", 4, 8, 4)
    for i in range(4):
        m.update(key(i), value(i))
    for i in range(40):
        m.update(key(2), value(i))
    assert sorted(m.keys()) == [key(i) for i in range(4)]


def test_each_cpu_evicts_from_its_own_share():
    m = make("lru_hash", 4, 8, 8, flags=2, cpus=2)
    zero, one = Program(m, 0), Program(m, 1)
    for i in range(4):
        assert one.call("update", key(100 + i), value(i), 0) == 0
    for i in range(50):
        assert zero.call("update", key(i), value(i), 0) == 0
    assert sorted(m.keys()) == sorted(key(i) for i in (46, 47, 48, 49, 100, 101, 102, 103))


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["lru_hash", "lru_percpu_hash"]),
    st.sampled_from([0, 2]),
    st.integers(1, 9),
    st.lists(
        st.tuples(
            st.sampled_from(["update", "update", "lookup", "delete"]), st.integers(0, 14),
            st.integers(0, 2), st.sampled_from([0, 0, 0, 1, 2]),
        ),
        max_size=60,
    ),
)  # fmt: skip
@example("lru_hash", 2, 1, [("update", 0, 0, 0), ("update", 0, 0, 2)])
def test_lru_invariants(kind, flags, entries, steps):
    """A key just set is there with its value; a key that is there has the value last set; never
    more than max_entries; deleted keys are gone."""
    m = make(kind, 4, 8, entries, flags=flags, cpus=2)
    cpus = [Program(m, 0), Program(m, 1)]
    model: OrderedDict[bytes, bytes] = OrderedDict()
    for n, (name, i, cpu, how) in enumerate(steps):
        k, before = key(i), set(m.keys())
        if cpu == 2 or kind == "lru_percpu_hash":
            raw = value(n) * (2 if m.kind.per_cpu else 1)
            call = {
                "update": lambda k=k, raw=raw, how=how: m.update(k, raw, how),
                "lookup": lambda k=k: m.lookup(k),
                "delete": lambda k=k: m.delete(k),
            }[name]
            try:
                result = call() or 0
            except KernelError as e:
                result = -e.errno
        else:
            more = (value(n), how) if name == "update" else ()
            result = cpus[cpu].call(name, k, *more)
        if name == "update":
            expected = -errno.EEXIST if how == 1 and k in before else 0
            expected = -errno.ENOENT if how == 2 and k not in before else expected
            assert result == expected
            if not result:
                model[k] = value(n)
                assert m.lookup(k)[:8] == value(n)
        elif name == "delete":
            assert result == (0 if k in before else -errno.ENOENT)
            model.pop(k, None)
        there = dict(m.items())
        assert len(there) <= m.max_entries
        assert m.ops.length(m.state) == len(there)
        assert all(v[:8] == model[k] for k, v in there.items())
        if name == "update" and k in before:
            assert before <= there.keys() or flags == 2
        assert not before - there.keys() - {k} or name == "update"


# --- tries ---------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.booleans(), st.sampled_from([0, 1, 3, 7, 8, 9, 12, 16]),
            st.sampled_from([0x0000, 0x00FF, 0x4000, 0x7FFF, 0x8000, 0x80FF, 0xA000, 0xFFFF]),
        ),
        max_size=25,
    )
)  # fmt: skip
def test_a_tries_table_is_always_what_a_walk_gives(steps):
    m = make("lpm_trie", 6, 4, 20, flags=1)
    there: dict[tuple[int, int], bytes] = {}
    for put, bits, data in steps:
        k = struct.pack("<I", bits) + data.to_bytes(2, "big")
        known = bits, data >> (16 - bits)
        if put:
            m.update(k, key(data))
            there[known] = key(data)
        elif there.pop(known, None) is not None:
            m.delete(k)
        walked = [int(lpm_ops.entry_of(m.state, u32(0), u32(i))) for i in range(256)]
        assert [int(m.state.table[i]) for i in range(256)] == walked
    for data in (0x0000, 0x0081, 0x4001, 0x80FF, 0x80F0, 0xABCD, 0xFFFF):
        best = [there.get((n, data >> (16 - n))) for n in range(16, -1, -1)]
        expected = next((v for v in best if v is not None), None)
        assert m.lookup(struct.pack("<I", 16) + data.to_bytes(2, "big")) == expected


ADDRESSES = [int(ipaddress.IPv6Address(text)) for text in (
    "::", "::1", "::fffe:0:0", "::ffff:0:0", "::ffff:10.0.0.0", "::ffff:10.0.0.1",
    "::ffff:10.128.0.1", "::ffff:11.0.0.0", "::ffff:255.255.255.255", "::1:0:0:0", "2001:db8::",
)]  # fmt: skip


@settings(max_examples=12, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.booleans(),
            st.sampled_from([0, 1, 64, 80, 81, 95, 96, 97, 100, 103, 104, 105, 112, 128]),
            st.sampled_from(ADDRESSES),
        ),
        max_size=12,
    )
)
def test_the_tables_of_a_trie_of_addresses_are_always_what_a_walk_gives(steps):
    m = make("lpm_trie", 20, 4, 20, flags=1)
    there: dict[tuple[int, int], bytes] = {}
    for put, bits, data in steps:
        k = struct.pack("<I", bits) + data.to_bytes(16, "big")
        known = bits, data >> (128 - bits)
        if put:
            m.update(k, key(bits))
            there[known] = key(bits)
        elif there.pop(known, None) is not None:
            m.delete(k)
        for half, base in enumerate((0, 96)):
            for i in (0, 1, 10, 11, 32, 127, 128, 255):
                expected = int(lpm_ops.entry_of(m.state, u32(base), u32(i)))
                assert int(m.state.table[256 * half + i]) == expected
    for data in (*ADDRESSES, ADDRESSES[4] + 7, ADDRESSES[3] + (200 << 24)):
        for bits in (128, 110, 104, 103):
            best = [there.get((n, data >> (128 - n))) for n in range(bits, -1, -1)]
            expected = next((v for v in best if v is not None), None)
            assert m.lookup(struct.pack("<I", bits) + data.to_bytes(16, "big")) == expected


# --- ring buffers --------------------------------------------------------------------------------


class Ring:
    def __init__(self, size: int = 4096):
        self.map = make("ringbuf", 0, 0, size)
        self.p = Program(self.map)
        self.reader = RingBuffer(self.map)

    def reserve(self, size: int):
        return ringbuf_ops.reserve(self.p.cpu.ptr, self.map.state, size, 0)

    def output(self, data: bytes, flags: int = 0) -> int:
        at = self.map.memory.allocate("data", len(data))
        at.data[:] = data
        source = ptr(self.map.memory, at.base, u8)
        return int(ringbuf_ops.output(self.p.cpu.ptr, self.map.state, source, len(data), flags))

    def submit(self, record, flags: int = 0) -> None:
        ringbuf_ops.submit(self.p.cpu.ptr, record, flags)

    def query(self, what: int) -> int:
        return int(ringbuf_ops.query(self.p.cpu.ptr, self.map.state, what))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 900), st.integers(0, 3)), max_size=60))
def test_a_ring_gives_what_was_put_in_as_long_as_there_was_room(steps):
    ring, expected, used = Ring(), [], 0
    for n, (size, read) in enumerate(steps):
        data = bytes([n % 256]) * size
        need = ringbuf.record_size(size)
        if used + need <= 4095:
            assert ring.output(data) == 0
            expected.append(data)
            used += need
        else:
            assert ring.output(data) == -errno.EAGAIN
        assert ring.query(0) == used
        if not read:
            assert ring.reader.read() == expected
            expected, used = [], 0
    assert ring.reader.read() == expected


def test_programs_touch_only_the_record_that_they_hold():
    ring = Ring()
    ring.output(b"before")
    record = ring.reserve(20)
    programs, at = ring.map.memory.programs, int(record)
    programs.write(at, bytes(20))
    for start, size in ((at - 1, 1), (at + 17, 4), (at - 8, 8), (at - 24, 4), (at + 24, 4)):
        with pytest.raises(Fault, match="no reserved record"):
            programs.read(start, size)
    ring.submit(record)
    with pytest.raises(Fault, match="no reserved record"):
        programs.write(at, b"x")
    assert ring.reader.read() == [b"before", bytes(20)]


def test_a_record_in_work_keeps_later_ones_back_and_the_room_behind_it():
    ring = Ring()
    first = ring.reserve(8)
    for _ in range(200):
        if ring.output(b"x" * 56) != 0:
            break
    assert ring.reader.read() == []
    ringbuf_ops.discard(ring.p.cpu.ptr, first, 0)
    assert ring.reader.read() == [b"x" * 56] * 63
    assert ring.reader.discarded == 1


def test_readers_are_woken_when_they_wait_for_the_record_or_as_the_flags_say():
    ring = Ring()
    woken = []
    for flags in (0, 0, 2, 1):
        ring.output(b"x", flags)
        woken.append(int(ring.map.state.wakeups))
    assert woken == [1, 1, 2, 2]
    ring.reader.read()
    ring.output(b"x")
    assert ring.map.state.wakeups == 3


def test_wrong_use_of_a_ring_is_refused():
    ring = Ring()
    assert not ringbuf_ops.reserve(ring.p.cpu.ptr, ring.map.state, 8, 1)
    assert not ring.reserve(4089)
    assert not ring.reserve(1 << 30)
    assert not ring.reserve(1 << 63)
    assert ring.output(b"x", 4) == -errno.EINVAL
    assert ring.query(9) == 0
    assert [ring.query(i) for i in range(4)] == [0, 4096, 0, 0]
    for call in (lambda: ring.map.lookup(b""), lambda: ring.map.delete(b"")):
        with pytest.raises(KernelError, match="has no such operation"):
            call()


# --- slots, sets, targets ------------------------------------------------------------------------


def test_slots_hold_what_resolve_says():
    m = make("prog_array", 4, 4, 3, resolve={7: 700}.get)
    m.update(key(1), key(7))
    assert m.ops.get(m.state, 1) == 700
    assert m.ops.get(m.state, 0) == m.ops.get(m.state, 3) == 0
    with pytest.raises(KernelError, match="EBADF"):
        m.update(key(1), key(8))
    m.delete(key(1))
    with pytest.raises(KernelError, match="ENOENT"):
        m.delete(key(1))


@pytest.mark.parametrize("kind", ["array_of_maps", "hash_of_maps"])
def test_programs_find_inner_maps(kind):
    memory = Memory()
    inner = make("hash", 4, 8, 2, memory=memory)
    pattern = MapSpec("inner", "hash", 4, 8, 5)
    m = make(kind, 4, 4, 2, memory=memory, inner=pattern, resolve=lambda n: inner.address)
    m.update(key(1), key(1))
    p = Program(m)
    assert int(p.call("lookup", key(1))) == inner.address
    assert not p.call("lookup", key(0))
    assert m.lookup(key(1)) == key(inner.id)


def test_a_bloom_filter_never_forgets_and_seldom_errs():
    m = make("bloom_filter", 0, 8, 100, map_extra=3)
    for i in range(100):
        m.update(b"", value(i))
    m_in = [Program(m).map.ops.peek(m._cpu, m.state, _value(m, i)) for i in range(100)]
    assert m_in == [0] * 100
    wrong = sum(m.ops.peek(m._cpu, m.state, _value(m, i)) == 0 for i in range(1000, 1300))
    assert wrong < 60


def _value(m: MachineMap, n: int):
    m.memory.write(int(m._value), value(n))
    return m._value


def test_redirection_finds_its_target_or_gives_the_action_of_the_flags():
    for kind in ("devmap", "devmap_hash", "cpumap"):
        m = make(kind, 4, 4, 2, cpus=2)
        m.update(key(1), key(5))
        p = Program(m)
        redirect = m.ops.redirect
        assert redirect(p.cpu.ptr, m.state, 1, 2) == 4
        assert p.cpu.redirect_map == m.address
        assert p.cpu.redirect_key == 1
        if kind != "cpumap":
            assert p.cpu.redirect_ifindex == 5
        assert redirect(p.cpu.ptr, m.state, 0, 2) == 2
        assert p.cpu.redirect_kind == 0
        assert redirect(p.cpu.ptr, m.state, 9, 1) == 1
        assert redirect(p.cpu.ptr, m.state, 1, 1 << 10) == 0
        assert redirect(p.cpu.ptr, m.state, 9, 1 << 3) == (0 if kind == "cpumap" else 4)


def test_rounding():
    assert [layout.power_of_two(n) for n in (1, 2, 3, 4, 5, 64, 65)] == [1, 2, 4, 4, 8, 64, 128]
    assert layout.per_cpu_stride(3, 24) == 192


@pytest.mark.parametrize(
    ("what", "key", "words"),
    [
        ("update", b"\1\2", "update key 0102"),
        ("lookup_and_delete", b"", "lookup and delete"),
        ("next_key", b"\1", "read the key after 01"),
        ("next_key", b"", "read the first key"),
        ("lookup_and_delete_batch", b"", "take a batch of elements"),
    ],
)
def test_what_failed_is_said_in_words(what, key, words) -> None:
    refused = why.refusal("m", "hash", 4, what, key, errno.EPERM, indexed=False)
    assert str(refused).startswith(f"map m: cannot {words}: the map is frozen")
