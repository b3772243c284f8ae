"""Follows the selftest dynptr: memory whose size is known when the program runs, in ring buffers,
map values and packets."""

import errno

import pytest

from ebee import (  # isort: skip
    Array, Cgroup, Dynptr, Global, RingBuf, SkbContext, array, bpf, cgroup_skb, char, func, i64,
    ptr, struct, syscall, u8, u32, u64,
)  # fmt: skip
from ebee.kfuncs import (  # isort: skip
    bpf_dynptr_adjust, bpf_dynptr_clone, bpf_dynptr_from_skb, bpf_dynptr_is_null,
    bpf_dynptr_is_rdonly, bpf_dynptr_size, bpf_dynptr_slice,
)  # fmt: skip

pytestmark = pytest.mark.kernel
SINCE = "6.5"
FOLLOWS = {"prog_tests/dynptr.c": 111, "progs/dynptr_success.c": 412}


@struct
class Given:
    unused: u64


@struct
class Sample:
    pid: u32
    number: u32
    value: i64
    name: array[char, 16]


@struct
class Text:
    text: array[char, 64]


@struct
class Two:
    first: u8
    second: u8


ring = RingBuf[Sample](size=4096)
values = Array[u32](max_entries=1)


@syscall
def what_is_written_is_read(given: Given) -> int:
    data = Dynptr()
    written, read = Text(text="hello there, world!!"), Text()
    bpf.ringbuf_reserve_dynptr(ring, 64, 0, data)
    failed = bpf.dynptr_write(data, 0, written, 64, 0)
    failed = failed or bpf.dynptr_read(read, 64, data, 0, 0)
    bpf.ringbuf_discard_dynptr(data, 0)
    return 1 if failed != 0 or read.text != "hello there, world!!" else 0


@syscall
def places_are_inside(given: Given) -> int:
    values[0] = 235
    value = values.lookup(0)
    if value is None:
        return 1
    data = Dynptr()
    bpf.dynptr_from_mem(value, 4, 0, data)
    if bpf.dynptr_data(data, 5, 1) is not None or bpf.dynptr_data(data, 0, 5) is not None:
        return 2
    place = bpf.dynptr_data(data, 0, 4)
    if place is None:
        return 3
    place[0] = 99
    return 0 if values.get(0, 0) == 99 else 4


@func
def add(index: u32, data: ptr[Dynptr]) -> i64:
    place = bpf.dynptr_data(data, 0, 24)
    if place is None:
        return 1
    place[0] += u8(index)
    return 0


@syscall
def functions_get_them(given: Given) -> int:
    """A record of a size that is not constant, filled by a function that is called back."""
    data = Dynptr()
    size = values.get(0, 0) + 100
    failed = bpf.ringbuf_reserve_dynptr(ring, size, 0, data)
    if failed == 0:
        bpf.loop(10, add, data, 0)
    place = bpf.dynptr_data(data, 0, 24)
    total = u32(0)
    if place is not None:
        total = u32(place[0])
    bpf.ringbuf_discard_dynptr(data, 0)
    return 0 if total == 45 else 1


@func
def resized(data: ptr[Dynptr]) -> i64:
    """From byte 10, and then 5 bytes of those."""
    if bpf_dynptr_size(data) != 64 or bpf_dynptr_adjust(data, 10, 64) != 0:
        return 1
    if bpf_dynptr_size(data) != 54 or bpf_dynptr_adjust(data, 10, 15) != 0:
        return 2
    return 0 if bpf_dynptr_size(data) == 5 else 3


@syscall
def they_shrink(given: Given) -> int:
    data = Dynptr()
    failed = i64(9)
    if bpf.ringbuf_reserve_dynptr(ring, 64, 0, data) == 0:
        failed = resized(data)
    bpf.ringbuf_discard_dynptr(data, 0)
    return failed


@func
def wrongly_resized(data: ptr[Dynptr]) -> i64:
    if bpf_dynptr_adjust(data, 5, 1) != -errno.EINVAL:
        return 1
    if bpf_dynptr_adjust(data, 65, 65) != -errno.ERANGE:
        return 2
    if bpf_dynptr_adjust(data, 0, 65) != -errno.ERANGE:
        return 3
    if bpf_dynptr_adjust(data, 20, 64) != 0:
        return 4
    return 0 if bpf.dynptr_write(data, 0, Text(), 45, 0) == -errno.E2BIG else 5


@syscall
def they_do_not_grow(given: Given) -> int:
    data = Dynptr()
    failed = i64(9)
    if bpf.ringbuf_reserve_dynptr(ring, 64, 0, data) == 0:
        failed = wrongly_resized(data)
    bpf.ringbuf_submit_dynptr(data, 0)
    return failed


@func
def emptied(data: ptr[Dynptr]) -> i64:
    byte = Two()
    if bpf_dynptr_adjust(data, 64, 64) != 0:
        return 1
    if bpf.dynptr_read(byte, 1, data, 0, 0) != -errno.E2BIG:
        return 2
    if bpf.dynptr_write(data, 0, byte, 1, 0) != -errno.E2BIG:
        return 3
    if bpf.dynptr_read(byte, 0, data, 0, 0) != 0 or bpf.dynptr_write(data, 0, byte, 0, 0) != 0:
        return 4
    return 0


@syscall
def they_may_be_empty(given: Given) -> int:
    data = Dynptr()
    failed = i64(9)
    if bpf.ringbuf_reserve_dynptr(ring, 64, 0, data) == 0:
        failed = emptied(data)
    bpf.ringbuf_discard_dynptr(data, 0)
    return failed


@syscall
def they_may_be_null(given: Given) -> int:
    """After a failure, which must be given back nevertheless."""
    wrong, right = Dynptr(), Dynptr()
    failed = bpf.ringbuf_reserve_dynptr(ring, 4, 123, wrong)
    null = bpf_dynptr_is_null(wrong)
    bpf.ringbuf_discard_dynptr(wrong, 0)
    also = bpf.ringbuf_reserve_dynptr(ring, 4, 0, right)
    valid = not bpf_dynptr_is_null(right)
    bpf.ringbuf_discard_dynptr(right, 0)
    return 0 if failed == -errno.EINVAL and null and also == 0 and valid else 1


# --- packets, which these programs can only read --------------------------------------------------

problem: Global[u32] = 0


@func
def check(right: bool, number: u32) -> None:
    global problem
    if not right and problem == 0:
        problem = number


@cgroup_skb("egress")
def packets_are_not_written(ctx: SkbContext) -> Cgroup:
    data = Dynptr()
    check(bpf_dynptr_from_skb(ctx, 0, data) == 0, 1)
    check(bpf.dynptr_write(data, 0, Two(first=1, second=2), 2, 0) == -errno.EINVAL, 2)
    return Cgroup.PASS


@cgroup_skb("egress")
def packets_come_in_slices(ctx: SkbContext) -> Cgroup:
    """A pointer into the packet, where it lies in one piece, else to the copy that is given."""
    data = Dynptr()
    check(bpf_dynptr_from_skb(ctx, 0, data) == 0, 1)
    check(bpf.dynptr_data(data, 0, 1) is None, 2)
    start = bpf_dynptr_slice(data, 0, Two())
    check(start is not None, 3)
    if start is not None:
        check(start.first >> 4 == 4, 4)
    check(bpf_dynptr_slice(data, 60, Two()) is None, 5)
    return Cgroup.PASS


@cgroup_skb("egress")
def only_some_can_be_written(ctx: SkbContext) -> Cgroup:
    wrong, packet, record = Dynptr(), Dynptr(), Dynptr()
    check(bpf_dynptr_from_skb(ctx, 123, wrong) == -errno.EINVAL, 1)
    check(not bpf_dynptr_is_rdonly(wrong), 2)
    check(bpf_dynptr_from_skb(ctx, 0, packet) == 0, 3)
    check(bpf_dynptr_is_rdonly(packet), 4)
    bpf.ringbuf_reserve_dynptr(ring, 64, 0, record)
    check(not bpf_dynptr_is_rdonly(record), 5)
    bpf.ringbuf_discard_dynptr(record, 0)
    return Cgroup.PASS


@cgroup_skb("egress")
def copies_are_of_their_own(ctx: SkbContext) -> Cgroup:
    data, copy = Dynptr(), Dynptr()
    check(bpf_dynptr_from_skb(ctx, 0, data) == 0, 1)
    check(bpf_dynptr_adjust(data, 2, bpf_dynptr_size(data)) == 0, 2)
    check(bpf_dynptr_clone(data, copy) == 0, 3)
    size = bpf_dynptr_size(data)
    check(bpf_dynptr_size(copy) == size, 4)
    check(bpf_dynptr_is_rdonly(copy) == bpf_dynptr_is_rdonly(data), 5)
    bpf_dynptr_adjust(data, 5, 5)
    check(bpf_dynptr_size(copy) == size, 6)
    return Cgroup.PASS


FRAME = bytes(12) + b"\x08\x00" + b"\x45" + bytes(45)


def test_dynptrs(port):
    """Each program gives 0, or leaves the number of what was wrong."""
    loaded = port()
    for name, program in loaded.programs.items():
        if program.spec.hook == "syscall":
            assert program.test_run(ctx=bytes(8)).retval == 0, name
        else:
            assert program.test_run(FRAME).retval == 1
            assert loaded.variables["problem"].value == 0, name
