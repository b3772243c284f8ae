"""The same operations on a map of the machine and on a map of the kernel give the same results,
values, keys and error numbers, for random sequences with wrong flags, full maps and batches."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ebee import maps
from ebee.errors import KernelError
from ebee.linux.host import possible_cpus
from ebee.linux.maps import LinuxMap
from ebee.machine.maps import MachineMap
from ebee.machine.memory import Memory
from ebee.obj.spec import MapSpec

pytestmark = [pytest.mark.differential, pytest.mark.kernel]

few = settings(max_examples=80, deadline=None)
flags_st = st.sampled_from([0, 0, 0, 1, 2, 1, 2, 3, 4, 5, 6, 8, 1 << 31, 1 << 32])
CPUS = possible_cpus()


def outcome(call: Callable[..., Any], *args: Any, **more: Any) -> Any:
    """What a call gives: its result, or its error number."""
    try:
        return call(*args, **more)
    except KernelError as e:
        return ("errno", e.errno)


@contextmanager
def pair(spec: MapSpec) -> Iterator[tuple[MachineMap, LinuxMap]]:
    """The same map twice."""
    machine = MachineMap(Memory(), spec, cpus=CPUS)
    kernel = LinuxMap.from_spec(spec)
    try:
        yield machine, kernel
    finally:
        machine.close()
        kernel.fd.close()


def contents(m: Any) -> list[tuple[bytes, bytes]]:
    return sorted(m.items())


def agree(machine: MachineMap, kernel: LinuxMap, name: str, *args: Any, **more: Any) -> Any:
    """Both do it with the same outcome; gives it."""
    results = [outcome(getattr(m, name), *args, **more) for m in (machine, kernel)]
    assert results[0] == results[1], (name, args, more)
    return results[0]


# --- arrays and hash maps ------------------------------------------------------------------------

KEYED = ("array", "percpu_array", "hash", "percpu_hash", "lpm_trie")
OPERATIONS = (
    "lookup update update delete next lookup_and_delete update_batch delete_batch take_batch freeze"
)


PREFIXES = {
    2: [0, 0x8000, 0x8100, 0x81FF, 0xC000],
    16: [0, 1, 0xFFFF_0000_0000, 0xFFFF_0A00_0000, 0xFFFF_0A00_0001, 0xFFFF_8000_0000, 1 << 120],
}
"""Bytes of data -> what prefixes begin with: of 16, IPv4 addresses among IPv6 ones."""


def lpm_key(bits: int, data: int, size: int = 2) -> bytes:
    return struct.pack("<I", bits) + data.to_bytes(size, "big")


@st.composite
def scenario(draw: Any) -> tuple[MapSpec, list[tuple[str, int, int, int]], list[bytes]]:
    """A map, operations as (name, key, value, flags), and the keys that they use."""
    kind = draw(st.sampled_from(KEYED))
    entries = draw(st.integers(1, 6))
    flags = 1 if kind == "lpm_trie" else 0
    if kind in ("hash", "percpu_hash"):
        flags |= draw(st.sampled_from([0, 1, 64]))
    size = draw(st.sampled_from([1, 3, 4, 7, 8, 16, 33]))
    if kind == "lpm_trie":
        data = draw(st.sampled_from(sorted(PREFIXES)))
        bits = st.integers(max(0, 8 * data - 40), 8 * data + 1) | st.integers(0, 8 * data)
        prefix = st.tuples(bits, st.sampled_from(PREFIXES[data]))
        keys = [lpm_key(*p, data) for p in draw(st.lists(prefix, min_size=1, max_size=10))]
        key_size = 4 + data
    elif "array" in kind:
        key_size = 4
        keys = [struct.pack("<I", i) for i in [*range(entries + 2), 0xFFFF_FFFF]]
    else:
        key_size = draw(st.sampled_from([1, 2, 4, 5, 8, 13, 16, 24]))
        keys = [bytes([i]) * key_size for i in range(entries + 3)]
    spec = MapSpec("test", kind, key_size, size, entries, flags)
    steps = st.tuples(
        st.sampled_from(OPERATIONS.split()[: 9 + draw(st.booleans())]),
        st.integers(0, len(keys) - 1),
        st.integers(0, 255),
        flags_st,
    )
    return spec, draw(st.lists(steps, max_size=30)), keys


def step(pair_: tuple[MachineMap, LinuxMap], keys: list[bytes], what: tuple[Any, ...]) -> None:
    name, which, seed, flags = what
    machine, kernel = pair_
    kernel._unbatched.clear()  # ask each time anew
    key = keys[which]

    def value(n: int) -> bytes:
        each = bytes((n + i) % 256 for i in range(machine.value_size))
        slot = each + bytes(-len(each) % 8)
        return slot * CPUS if machine.kind.per_cpu else each

    if name in ("lookup", "lookup_and_delete"):
        agree(*pair_, name, key, flags)
    elif name == "update":
        agree(*pair_, name, key, value(seed), flags)
    elif name == "delete":
        agree(*pair_, name, key)
    elif name == "next" and "hash" not in machine.type:
        agree(*pair_, "next_key", key)
        agree(*pair_, "next_key", None)
    elif name == "update_batch":
        several = [keys[(which + i) % len(keys)] for i in range(3)]
        agree(*pair_, name, several, [value(seed + i) for i in range(3)], flags)
    elif name == "delete_batch":
        agree(*pair_, name, [keys[(which + i) % len(keys)] for i in range(2)])
    elif name == "take_batch":
        taken = [outcome(m.lookup_batch, None, 64, 0, delete=True) for m in pair_]
        if taken[0][0] == "errno":
            assert taken[0] == taken[1]
        else:
            results = [(sorted(zip(t[0], t[1], strict=True)), t[2]) for t in taken]
            assert results[0] == results[1]
    elif name == "freeze":
        assert outcome(machine.freeze) == outcome(kernel.freeze)
    assert contents(machine) == contents(kernel)


@few
@given(scenario())
@example(
    (MapSpec("x", "hash", 4, 4, 1), [("update", 0, 1, 0), ("update", 1, 1, 2)], [b"aaaa", b"bbbb"])
)
@example(
    (
        MapSpec("x", "lpm_trie", 6, 4, 1, 1),
        [("update", 0, 1, 0), ("update", 1, 1, 2)],
        [lpm_key(3, 0), lpm_key(2, 0)],
    )
)
def test_random_operations(case):
    spec, steps, keys = case
    with pair(spec) as both:
        for what in steps:
            step(both, keys, what)


@few
@given(
    st.sampled_from([1, 3, 4, 8, 9, 16, 32]),
    st.lists(st.tuples(st.integers(0, 256), st.binary(min_size=32, max_size=32)), max_size=12),
    st.lists(st.tuples(st.integers(0, 256), st.binary(min_size=32, max_size=32)), max_size=12),
    st.data(),
)
def test_tries_of_any_width(width, prefixes, others, data):
    """Prefixes that share beginnings, looked up, walked in order and deleted."""
    stems = [p[1] for p in prefixes] or [bytes(32)]

    def key(bits: int, raw: bytes) -> bytes:
        stem = data.draw(st.sampled_from(stems))
        cut = data.draw(st.integers(0, width))
        return struct.pack("<I", min(bits, 8 * width)) + (stem[:cut] + raw[cut:])[:width]

    spec = MapSpec("test", "lpm_trie", 4 + width, 8, 8, 1)
    with pair(spec) as (machine, kernel):
        keys = [key(*p) for p in prefixes]
        for i, k in enumerate(keys):
            agree(machine, kernel, "update", k, struct.pack("<Q", i))
        probes = (
            keys + [key(*o) for o in others] + [struct.pack("<I", 8 * width) + k[4:] for k in keys]
        )
        for k in probes:
            agree(machine, kernel, "lookup", k)
            agree(machine, kernel, "next_key", k)
        assert list(machine.keys()) == list(kernel.keys())
        for k in keys[::2]:
            agree(machine, kernel, "delete", k)
            assert list(machine.keys()) == list(kernel.keys())
        for k in probes:
            agree(machine, kernel, "lookup", k)


# --- queues, stacks, bloom filters ---------------------------------------------------------------


@few
@given(
    st.sampled_from(["queue", "stack"]),
    st.integers(1, 5),
    st.lists(
        st.tuples(st.sampled_from(["push", "push", "pop", "peek"]), st.integers(0, 255), flags_st),
        max_size=40,
    ),
)
def test_queues_and_stacks(kind, entries, steps):
    with pair(MapSpec("test", kind, 0, 5, entries)) as both:
        for name, n, flags in steps:
            if name == "push":
                agree(*both, "update", b"", bytes([n]) * 5, flags)
            elif name == "pop":
                agree(*both, "lookup_and_delete", b"", flags)
            else:
                agree(*both, "lookup", b"", flags)
        agree(*both, "next_key", None)
        agree(*both, "delete", b"")


@pytest.mark.parametrize("kind", ["devmap", "devmap_hash", "cpumap"])
def test_redirect_targets(kind):
    """Devices and CPUs that are there (the loopback device, CPU 0); with values of both sizes."""
    for size in (4, 8):
        with pair(MapSpec("test", kind, 4, size, 3)) as both:
            one = struct.pack("<I", 1) + bytes(size - 4)
            none = bytes(size)
            for i in (0, 3, 9):
                key = struct.pack("<I", i)
                for flags in (0, 1, 2, 3, 4):
                    for value in (one, none, one):
                        if i == 0 or kind != "cpumap":
                            agree(*both, "update", key, value, flags)
                        agree(*both, "lookup", key)
                for _ in range(2):
                    agree(*both, "delete", key)
                    agree(*both, "lookup", key)
                if kind != "devmap_hash":
                    agree(*both, "next_key", key)
            agree(*both, "next_key", None)
            for name in ("lookup_and_delete",):
                agree(*both, name, bytes(4))
            if kind == "cpumap":
                agree(*both, "update", bytes(4), struct.pack("<I", 16385) + bytes(size - 4))
                agree(*both, "update", struct.pack("<I", 2), one)


# --- maps of handles -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["array_of_maps", "hash_of_maps"])
@pytest.mark.parametrize("flags", [0, 1, 2, 3])
def test_maps_of_maps(kind, flags):
    shape = {"type": "array", "key_size": 4, "value_size": 4, "max_entries": 2}
    memory, pattern = Memory(), MapSpec("inner", **shape)
    good, bad = (
        MachineMap(memory, pattern, id=7),
        MachineMap(memory, MapSpec("bad", "array", 4, 8, 2)),
    )
    by_number = {7: good.address, 8: bad.address}
    machine = MachineMap(
        memory, MapSpec("outer", kind, 4, 4, 2, inner=pattern), resolve=by_number.get
    )
    inner, other = LinuxMap.create(**shape), LinuxMap.create("array", 4, 8, 2)
    kernel = LinuxMap.create(kind, 4, 4, 2, inner=inner)

    def seen(value: Any, ours: int) -> Any:
        return value == struct.pack("<I", ours) if isinstance(value, bytes) else value

    for index in (0, 1, 2, 0):
        key = struct.pack("<I", index)
        for ours, theirs in ((7, inner.fd.fileno()), (8, other.fd.fileno()), (99, 9999)):
            results = [
                outcome(m.update, key, struct.pack("<I", n), flags)
                for m, n in ((machine, ours), (kernel, theirs))
            ]
            assert results[0] == results[1], (index, ours)
        found = outcome(machine.lookup, key), outcome(kernel.lookup, key)
        assert seen(found[0], 7) == seen(found[1], inner.id)
        assert len(machine.lookup_batch()[0]) == len(kernel.lookup_batch()[0])
    for index in (0, 1, 2, 0):
        agree(machine, kernel, "delete", struct.pack("<I", index))


# --- making them ---------------------------------------------------------------------------------

HERE = [m.name for m in maps.all_types() if m.ops and m.handle != "map"]
small = st.sampled_from([0, 1, 4, 4, 4, 5, 8, 8, 261, 4096])


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(HERE),
    small,
    small | st.sampled_from([32768, 32769, (4 << 20) - 100, 4 << 20, (1 << 31) - 1, 1 << 31]),
    small | st.sampled_from([8192, 12288]),
    st.sets(st.sampled_from(list(maps.FLAGS.values())), max_size=2).map(sum),
    st.sampled_from([0, 0, 0, 0, 3, 16]),
)
def test_creation_is_refused_with_the_same_error(kind, key, value, entries, flags, extra):
    if value * entries > 1 << 26:
        entries = min(entries, 4)
    if kind == "cpumap":
        entries = min(entries, 4)  # the limit is CONFIG_NR_CPUS
    spec = MapSpec("test", kind, key, value, entries, flags, map_extra=extra)

    def here() -> None:
        MachineMap(Memory(), spec, cpus=CPUS).close()

    results = [outcome(here), outcome(lambda: LinuxMap.from_spec(spec).fd.close())]
    if results[1] != ("errno", 12):  # the kernel could not find that much memory
        assert results[0] == results[1], spec


@pytest.mark.parametrize("kind", ["lru_hash", "lru_percpu_hash"])
def test_lru_maps_agree_while_nothing_is_evicted(kind):
    steps = [("update", i % 5, i, f) for i, f in enumerate([0, 0, 1, 2, 0, 1, 2, 3, 0, 4])]
    steps += [("lookup", 1, 0, 0), ("delete", 1, 0, 0), ("lookup_and_delete", 2, 0, 0)]
    steps += [("take_batch", 0, 0, 0), ("update_batch", 0, 7, 0), ("delete_batch", 1, 0, 0)]
    keys = [bytes([i]) * 6 for i in range(6)]
    with pair(MapSpec("test", kind, 6, 9, 256)) as both:
        for what in steps:
            step(both, keys, what)


# --- locks in values -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["hash", "array"])
def test_values_with_a_spin_lock(kind):
    from ebee.btf import BtfBuilder, Int, Member, Struct
    from ebee.linux.btf import load

    b = BtfBuilder()
    number = b.add(Int("u32", 4))
    lock = b.add(Struct("bpf_spin_lock", 4, (Member("val", number, 0),)))
    members = (Member("a", number, 0), Member("l", lock, 32), Member("b", number, 64))
    value = b.add(Struct("element", 12, members))
    btf = b.build()
    spec = MapSpec("test", kind, 4, 12, 3, key_btf_id=number, value_btf_id=value)
    loaded = load(btf)
    machine, kernel = MachineMap(Memory(), spec, btf=btf), LinuxMap.from_spec(spec, loaded.fd)
    for i, flags in enumerate([4, 0, 4, 5, 6, 2, 1, 7, 8, 4]):
        for k in (0, 1, 9):
            data = bytes([i, k]) * 6
            agree(machine, kernel, "update", struct.pack("<I", k), data, flags)
            for how in (0, 4, 1):
                agree(machine, kernel, "lookup", struct.pack("<I", k), how)
    agree(machine, kernel, "update_batch", [bytes(4)] * 2, [bytes(range(12))] * 2, 4)
    assert contents(machine) == contents(kernel)
    agree(machine, kernel, "lookup_and_delete", bytes(4), 4)
    assert outcome(machine.freeze) == outcome(kernel.freeze)
    loaded.close()
