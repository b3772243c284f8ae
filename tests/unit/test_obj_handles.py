"""Live maps behave as mappings of typed values, over any map that takes bytes."""

import errno
import struct

import pytest

from ebee.btf import Btf, BtfBuilder, Int, Member, Struct
from ebee.errors import BtfError, KernelError, ObjectError
from ebee.obj import MapSpec, VariableSpec
from ebee.obj.handles import Map, Object, PerCpu, RawMapDefaults, Variable

pytestmark = pytest.mark.unit


class FakeMap(RawMapDefaults):
    """A hash map in bytes; `after` is called after each step of next_key."""

    def __init__(self, key_size=4, value_size=8, max_entries=8, type="hash", cpus=1):
        self.name, self.type = "fake", type
        self.key_size, self.value_size, self.max_entries = key_size, value_size, max_entries
        self.value_bytes = (value_size + 7 & ~7) * cpus if "percpu" in type else value_size
        self.data: dict[bytes, bytes] = {}
        self.after = lambda: None
        self.batches = 0
        self.atomic_pop = True

    def lookup(self, key: bytes) -> bytes | None:
        assert len(key) == self.key_size
        return self.data.get(key)

    def lookup_and_delete(self, key: bytes) -> bytes | None:
        if not self.atomic_pop:
            raise KernelError("no such operation", 524)
        return self.data.pop(key, None)

    def update(self, key: bytes, value: bytes, flags: int = 0) -> None:
        assert len(key) == self.key_size
        assert len(value) == self.value_bytes
        if flags == 1 and key in self.data:
            raise KernelError("it is there", errno.EEXIST)
        if flags == 2 and key not in self.data:
            raise KernelError("it is not there", errno.ENOENT)
        if key not in self.data and len(self.data) >= self.max_entries:
            raise KernelError("full", errno.E2BIG)
        self.data[key] = value

    def delete(self, key: bytes) -> None:
        if self.type == "array":
            raise KernelError("elements of an array stay", errno.EINVAL)
        if self.data.pop(key, None) is None:
            raise KernelError("not there", errno.ENOENT)

    def next_key(self, key: bytes | None) -> bytes | None:
        keys = list(self.data)
        at = keys.index(key) + 1 if key in keys else 0
        self.after()
        return keys[at] if at < len(keys) else None

    def update_batch(self, keys, values, flags=0) -> None:
        self.batches += 1
        super().update_batch(keys, values, flags)


def types() -> tuple[Btf, int]:
    builder = BtfBuilder(byteorder="little")
    u32 = builder.add(Int("unsigned int", 4))
    i32 = builder.add(Int("int", 4, 1))
    pair = builder.add(Struct("pair", 8, (Member("count", u32, 0), Member("rest", i32, 32))))
    return builder.build(), pair


@pytest.fixture
def raw() -> FakeMap:
    return FakeMap()


@pytest.fixture
def typed(raw: FakeMap) -> Map:
    btf, pair = types()
    return Map(raw, MapSpec("flows", "hash", 4, 8, 8, value_btf_id=pair), btf)


def test_values_are_typed_both_ways(typed: Map, raw: FakeMap) -> None:
    typed[7] = {"count": 1, "rest": -2}
    assert raw.data == {struct.pack("<I", 7): struct.pack("<Ii", 1, -2)}
    assert typed[7] == {"count": 1, "rest": -2}
    assert typed[7].rest == -2
    assert (7 in typed, 8 in typed, len(typed)) == (True, False, 1)
    typed[7] = (5, 6)
    assert dict(typed) == {7: (5, 6)}
    del typed[7]
    assert list(typed) == []
    assert typed.get(7) is None


def test_missing_keys_are_key_errors(typed: Map) -> None:
    with pytest.raises(KeyError):
        typed[1]
    with pytest.raises(KeyError):
        del typed[1]
    with pytest.raises(KeyError):
        typed.pop(1)
    assert typed.pop(1, None) is None


def test_what_does_not_fit_names_the_map(typed: Map) -> None:
    with pytest.raises(BtfError, match=r"map flows: a value: .*count"):
        typed[1] = {"count": -1}
    with pytest.raises(BtfError, match="map flows: a key: "):
        typed[1 << 40] = (0, 0)


def test_what_the_map_refuses_is_a_kernel_error(typed: Map) -> None:
    typed.update({n: (n, n) for n in range(8)})
    with pytest.raises(KernelError) as caught:
        typed[99] = (0, 0)
    assert caught.value.errno == errno.E2BIG


def test_update_takes_conditions_and_goes_in_one_batch(typed: Map, raw: FakeMap) -> None:
    typed.update({1: (1, 1), 2: (2, 2)}, noexist=True)
    typed.update([(1, (3, 3))], exist=True)
    assert raw.batches == 1
    for arguments, code in (({"noexist": True}, errno.EEXIST), ({"exist": True}, errno.ENOENT)):
        with pytest.raises(KernelError) as caught:
            typed.update({1 if "noexist" in arguments else 5: (0, 0)}, **arguments)
        assert caught.value.errno == code
    assert dict(typed.items()) == {1: (3, 3), 2: (2, 2)}
    assert list(typed.values()) == [(3, 3), (2, 2)]


def test_pop_and_setdefault(typed: Map, raw: FakeMap) -> None:
    assert typed.setdefault(1, (4, 4)) == (4, 4)
    assert typed.setdefault(1, (5, 5)) == (4, 4)
    assert typed.pop(1) == (4, 4)
    raw.atomic_pop = False  # a kernel before 5.14
    typed[2] = (6, 6)
    assert typed.pop(2) == (6, 6)
    assert raw.data == {}


def test_clear(typed: Map, raw: FakeMap) -> None:
    typed.update({n: (n, n) for n in range(5)})
    typed.clear()
    assert raw.data == {}
    array = FakeMap(type="array")
    array.update(bytes(4), bytes(8))
    with pytest.raises(KernelError):
        Map(array).clear()


def test_iteration_survives_deletion_of_what_was_seen(typed: Map) -> None:
    typed.update({n: (n, n) for n in range(8)})
    for key in typed:
        del typed[key]
    assert len(typed) == 0


def test_iteration_ends_though_elements_come_and_go(raw: FakeMap, typed: Map) -> None:
    typed.update({n: (n, n) for n in range(4)})
    counter = iter(range(100, 1_000_000))

    def churn() -> None:
        raw.data.pop(next(iter(raw.data)), None)
        raw.data[struct.pack("<I", next(counter))] = bytes(8)

    raw.after = churn
    seen = []
    for key in typed:
        seen.append(key)
        if len(seen) > 200:
            raw.after = lambda: None
    assert len(seen) == len(set(seen))


def test_items_leave_out_what_vanishes(raw: FakeMap, typed: Map) -> None:
    typed.update({1: (1, 1), 2: (2, 2)})
    found = []
    for key, _ in typed.items():
        found.append(key)
        raw.data.clear()
    assert found == [1]


def test_per_cpu_values_are_lists() -> None:
    btf, pair = types()
    raw = FakeMap(value_size=8, type="percpu_hash", cpus=3)
    counters = Map(raw, MapSpec("counters", "percpu_hash", 4, 8, 8, value_btf_id=pair), btf)
    assert counters.per_cpu
    counters[1] = [(1, 1), (2, 2), (3, -9)]
    assert counters[1] == [(1, 1), (2, 2), (3, -9)]
    assert counters[1].sum() == {"count": 6, "rest": -6}
    assert counters[1].sum().count == 6
    counters[2] = (5, 5)  # one for all
    assert counters[2].sum().count == 15
    with pytest.raises(BtfError, match="2 values for 3 CPUs"):
        counters[1] = [(1, 1), (2, 2)]


def test_per_cpu_slots_are_rounded_up() -> None:
    raw = FakeMap(value_size=4, type="percpu_array", cpus=2)
    plain = Map(raw)
    plain[0] = [1, 2]
    assert raw.data[bytes(4)] == struct.pack("<I4xI4x", 1, 2)
    assert plain[0] == [1, 2]


def test_sums() -> None:
    assert PerCpu([[1, 2], [3, 4]]).sum() == [4, 6]
    assert PerCpu([2**64 - 1, 1]).sum() == 2**64
    assert (PerCpu([[1, 9], [3, 4]]).max(), PerCpu([[1, 9], [3, 4]]).min()) == ([3, 9], [1, 4])
    assert (PerCpu([-1, 7]).max(), PerCpu([-1, 7]).min()) == (7, -1)
    with pytest.raises(TypeError, match="no numbers to reckon with"):
        PerCpu(["a", "b"]).sum()


def test_without_types_values_are_integers_or_bytes() -> None:
    assert Map(FakeMap(key_size=2, value_size=8)).encode_key(258) == b"\2\1"
    odd = Map(FakeMap(value_size=5))
    odd[1] = b"12345"
    assert odd[1] == b"12345"


def test_queues() -> None:
    raw = FakeMap(key_size=0, value_size=4, type="queue")
    queue = Map(raw)
    assert (queue.peek(), queue.take()) == (None, None)
    queue.push(9)
    assert (queue.peek(), queue.take(), queue.peek()) == (9, 9, None)


def test_a_map_is_true_and_shows_its_types(typed: Map) -> None:
    assert typed
    assert repr(typed) == "<Map flows: hash, u32 -> struct pair, max_entries 8>"


def test_variables_change_only_their_own_bytes() -> None:
    raw = FakeMap(value_size=12, type="array")
    raw.update(bytes(4), b"aaaabbbbcccc")
    middle = Variable(VariableSpec("x", ".data", 4, 4), raw)
    assert middle.value == int.from_bytes(b"bbbb", "little")
    middle.value = 0x01020304
    assert raw.data[bytes(4)] == b"aaaa\4\3\2\1cccc"
    with pytest.raises(BtfError, match="variable x: "):
        middle.value = 1 << 32
    constant = Variable(VariableSpec("k", ".rodata", 0, 4), raw, readonly=True)
    with pytest.raises(ObjectError, match="k is constant once loaded"):
        constant.value = 1


def test_objects_close_at_the_end_of_a_with() -> None:
    from ebee.obj import ObjectSpec

    closed = []

    class Backend(Object):
        def close(self) -> None:
            closed.append(self.name)

    with Backend(ObjectSpec("prog")) as obj:
        assert repr(obj) == "<Backend prog: 0 programs, 0 maps>"
        assert closed == []
    assert closed == ["prog"]
