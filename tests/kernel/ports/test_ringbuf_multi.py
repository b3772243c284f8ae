"""Follows the selftest ringbuf_multi: ring buffers in maps of maps, and several of them read."""

import mmap

import pytest

from ebee import (  # isort: skip
    ArrayOfMaps, Global, HashOfMaps, RingBuf, array, char, current, i64, struct, syscall, u32,
)  # fmt: skip
from ebee.lang.bpf import build

pytestmark = pytest.mark.kernel
SINCE = "5.14"
FOLLOWS = {"prog_tests/ringbuf_multi.c": 111, "progs/test_ringbuf_multi.c": 67}


@struct
class Sample:
    pid: u32
    number: u32
    value: i64
    name: array[char, 16]


@struct
class Given:
    ring: u32
    value: i64


first = RingBuf[Sample](size=4096)
second = RingBuf[Sample](size=4096)
rings = ArrayOfMaps(max_entries=4, inner=first)
rings_by_key = HashOfMaps[u32](max_entries=1, inner=first)
total: Global[u32] = 0
dropped: Global[u32] = 0
skipped: Global[u32] = 0


@syscall
def send(given: Given) -> int:
    global total, dropped, skipped
    ring = rings.lookup(given.ring)
    if ring is None:
        skipped += 1
        return 1
    with ring.reserve() as sample:
        if sample is None:
            dropped += 1
            return 1
        sample.pid = current.tgid
        sample.name = current.comm
        sample.value = given.value
        sample.number = total
        total += 1
    return 0


def test_sizes_are_whole_pages(request):
    spec = build.compile(request.module)
    ring = spec.maps["first"]
    assert ring.max_entries == mmap.PAGESIZE


def test_samples_come_through_the_ring_that_was_meant(port, me):
    loaded = port()
    for slot, name in ((0, "first"), (2, "second")):
        loaded.maps["rings"][slot] = loaded.maps[name]
    loaded.maps["rings_by_key"][0] = loaded.maps["first"]
    for ring, value in ((0, 333), (1, 555), (2, 777)):  # nothing is in slot 1
        given = ring.to_bytes(8, "little") + value.to_bytes(8, "little")
        loaded.programs["send"].test_run(ctx=given)
    for name, number, value in (("first", 0, 333), ("second", 1, 777)):
        (sample,) = loaded.events(name).read()
        assert (sample.pid, sample.number, sample.value) == (me, number, value)
        assert not loaded.events(name).read()
    assert [loaded.variables[n].value for n in ("total", "dropped", "skipped")] == [2, 0, 1]
