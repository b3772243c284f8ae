"""Follows the selftest for_each: a function that the kernel calls for each element of a map."""

import pytest

from ebee import (  # isort: skip
    TC, Array, Const, Global, Hash, PerCpuArray, PerCpuHash, SkbContext, bpf, current, func, i64,
    ptr, struct, tc, u8, u32, u64,
)  # fmt: skip
from ebee.errors import VerifierError

pytestmark = pytest.mark.kernel
SINCE = "5.13"
FOLLOWS = {
    "prog_tests/for_each.c": 184,
    "progs/for_each_array_map_elem.c": 58,
    "progs/for_each_hash_map_elem.c": 77,
    "progs/for_each_map_elem_write_key.c": 22,
    "progs/for_each_multi_maps.c": 39,
}
FRAME = bytes(64)


@struct
class Work:
    seen: u64
    last: u32
    remove: u32


hashed = Hash[u32, u64](max_entries=3)
listed = Array[u64](max_entries=3)
hashed_per_cpu = PerCpuHash[u32, u64](max_entries=1)
listed_per_cpu = PerCpuArray[u64](max_entries=1)
use_array: Const[u32] = 0
elements: Global[i64] = 0
total: Global[u64] = 0
cpu: Global[u32] = 0
here: Global[u64] = 0


@func
def add(m: ptr[u8], key: ptr[u32], value: ptr[u64], work: ptr[Work]) -> i64:
    work.seen += value[0]
    return 1 if key[0] == work.last else 0


@func
def remove(m: ptr[u8], key: ptr[u32], value: ptr[u64], work: ptr[Work]) -> i64:
    work.seen += 1
    hashed.delete(key[0])
    return 0


@func
def remove_all(m: ptr[u8], key: ptr[u32], value: ptr[u64], work: ptr[Work]) -> i64:
    """A walk inside a walk."""
    global cpu, here
    cpu = current.cpu
    here = value[0]
    bpf.for_each_map_elem(hashed, remove, work, 0)
    return 0


@func
def write_key(m: ptr[u8], key: ptr[u32], value: ptr[u64], work: ptr[Work]) -> i64:
    key[0] += 1
    return 0


@tc
def until_the_second(ctx: SkbContext) -> TC:
    global elements, total
    work = Work(last=1)
    elements = bpf.for_each_map_elem(listed, add, work, 0)
    total = work.seen
    return TC.OK


@tc
def either(ctx: SkbContext) -> TC:
    """The same function over maps of two kinds."""
    global total
    work = Work(last=0xFFFFFFFF)
    if use_array:
        bpf.for_each_map_elem(listed, add, work, 0)
    else:
        bpf.for_each_map_elem(hashed, add, work, 0)
    total = work.seen
    return TC.OK


@tc
def nested(ctx: SkbContext) -> TC:
    global elements, total
    work = Work()
    elements = bpf.for_each_map_elem(hashed_per_cpu, remove_all, work, 0)
    total = work.seen
    return TC.OK


@tc
def in_the_language(ctx: SkbContext) -> TC:
    """The walk that stops and the walk in a walk, as loops of Python's."""
    global total, elements
    for i, value in listed.items():
        total += value[0]
        if i == 1:
            break
    for _ in hashed_per_cpu:
        for key in hashed:
            hashed.delete(key)
            elements += 1
    return TC.OK


@tc
def writes_keys(ctx: SkbContext) -> TC:
    bpf.for_each_map_elem(hashed, write_key, Work(), 0)
    return TC.OK


FINE = ("until_the_second", "either", "nested", "in_the_language")


def run(loaded, program):
    assert loaded.programs[program].test_run(FRAME).retval == 0
    return loaded.variables["elements"].value, loaded.variables["total"].value


def test_the_function_ends_the_walk(port):
    loaded = port(*FINE)
    loaded.maps["listed"].update({i: i + 1 for i in range(3)})
    assert run(loaded, "until_the_second") == (2, 1 + 2)


@pytest.mark.parametrize("use_array", [0, 1])
def test_one_function_for_maps_of_two_kinds(port, use_array):
    loaded = port(*FINE, use_array=use_array)
    loaded.maps["listed"].update({i: i + 1 for i in range(3)})
    loaded.maps["hashed"].update({i: i + 10 for i in range(100, 103)})
    assert run(loaded, "either")[1] == (1 + 2 + 3 if use_array else 110 + 111 + 112)


def test_walks_in_walks_remove_elements(port):
    loaded = port(*FINE)
    loaded.maps["hashed"].update({i: i for i in range(3)})
    slots = loaded.maps["hashed_per_cpu"]
    slots[1] = list(range(1, slots.raw.value_bytes // 8 + 1))
    assert run(loaded, "nested") == (1, 3)
    assert not dict(loaded.maps["hashed"])
    assert loaded.variables["here"].value == loaded.variables["cpu"].value + 1


def test_in_the_language(port):
    loaded = port(*FINE)
    loaded.maps["hashed"].update({i: i for i in range(3)})
    loaded.maps["listed"].update({i: i + 1 for i in range(3)})
    slots = loaded.maps["hashed_per_cpu"]
    slots[1] = [0] * (slots.raw.value_bytes // 8)
    assert run(loaded, "in_the_language") == (3, 1 + 2)


def test_keys_cannot_be_written(port):
    with pytest.raises(VerifierError, match="write to change key"):
        port("writes_keys")
