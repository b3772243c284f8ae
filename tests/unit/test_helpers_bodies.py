"""Helper bodies that have no oracle in the kernel, or none that is exact: time, the current task,
random numbers, redirection, the trace. (The others: tests/differential/test_helpers_kernel.py.)"""

import time

import pytest

from ebee.abi.cpu import CLOCK_FIXED, CLOCK_HOST, REDIRECT_IFINDEX, REDIRECT_MAP, Cpu, Trace
from ebee.abi.errno import EINVAL
from ebee.abi.map import MapHeader
from ebee.helpers import flow_ops, nofault, redirect_ops, task_ops, time_ops, trace_ops
from ebee.machine.memory import Memory
from ebee.types import ptr, sizeof, u8, u32, u64, view

pytestmark = pytest.mark.unit

COVERS = (
    "helper:get_prandom_u32", "helper:get_smp_processor_id", "helper:get_numa_node_id",
    "helper:get_current_pid_tgid", "helper:get_current_uid_gid", "helper:get_current_comm",
    "helper:get_current_cgroup_id", "helper:ktime_get_ns", "helper:ktime_get_boot_ns",
    "helper:ktime_get_coarse_ns", "helper:ktime_get_tai_ns", "helper:jiffies64", "helper:redirect",
    "helper:redirect_map", "helper:spin_lock", "helper:spin_unlock", "helper:trace_printk",
    "helper:trace_vprintk",
)  # fmt: skip


@pytest.fixture
def memory():
    return Memory()


@pytest.fixture
def cpu(memory):
    made = view(Cpu, memory, memory.allocate("cpu", sizeof(Cpu)).base)
    trace = view(Trace, memory, memory.allocate("trace", sizeof(Trace)).base)
    trace.buffer, trace.size = ptr(memory, memory.allocate("text", 64).base, u8), 64
    made.trace = trace.ptr
    return made


def place(memory, data, t=u8):
    region = memory.allocate("data", len(data))
    region.data[:] = data
    return ptr(memory, region.base, t)


# --- time ----------------------------------------------------------------------------------------

CLOCKS = {
    time_ops.ktime_get_ns: time.CLOCK_MONOTONIC,
    time_ops.ktime_get_boot_ns: time.CLOCK_BOOTTIME,
    time_ops.ktime_get_coarse_ns: 6,
    time_ops.ktime_get_tai_ns: time.CLOCK_TAI,
}


@pytest.mark.parametrize("body", CLOCKS, ids=lambda b: b.__name__)
def test_the_time_is_the_hosts(cpu, body):
    cpu.clock = CLOCK_HOST
    before = time.clock_gettime_ns(CLOCKS[body])
    now = int(body(cpu.ptr))
    assert before <= now <= time.clock_gettime_ns(CLOCKS[body])


def test_time_that_stands(cpu):
    cpu.clock, cpu.now, cpu.realtime_offset = CLOCK_FIXED, 5_000_000_000, 1_700_000_000 * 10**9
    assert time_ops.ktime_get_ns(cpu.ptr) == time_ops.ktime_get_boot_ns(cpu.ptr) == 5 * 10**9
    assert time_ops.ktime_get_coarse_ns(cpu.ptr) == 5 * 10**9
    assert time_ops.ktime_get_tai_ns(cpu.ptr) == 1_700_000_005 * 10**9
    assert time_ops.jiffies64(cpu.ptr) == (1 << 32) - 300_000 + 5000


# --- CPU and task --------------------------------------------------------------------------------


def test_cpu_and_task(cpu):
    cpu.id, cpu.node, cpu.task_pid_tgid, cpu.task_cgroup = 3, 1, 7 << 32 | 9, 1234
    cpu.task_uid, cpu.task_gid = 1000, 0xFFFF_FFFF
    assert task_ops.get_smp_processor_id(cpu.ptr) == 3
    assert task_ops.get_numa_node_id(cpu.ptr) == 1
    assert task_ops.get_current_pid_tgid(cpu.ptr) == 7 << 32 | 9
    assert task_ops.get_current_uid_gid(cpu.ptr) == 0xFFFF_FFFF << 32 | 1000
    assert task_ops.get_current_cgroup_id(cpu.ptr) == 1234


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (1, b"\0"),
        (4, b"nam\0"),
        (5, b"name\0"),
        (16, b"name" + bytes(12)),
        (20, b"name" + bytes(16)),
    ],
)
def test_the_name_of_the_task_is_cut_and_padded(memory, cpu, size, expected):
    for i, c in enumerate(b"name"):
        cpu.task_comm[i] = c
    to = place(memory, b"\xff" * size)
    assert task_ops.get_current_comm(cpu.ptr, to, size) == 0
    assert memory.read(int(to), size) == expected


def test_a_name_of_full_length_ends_with_nul(memory, cpu):
    for i in range(15):
        cpu.task_comm[i] = 65 + i
    to = place(memory, b"\xff" * 16)
    task_ops.get_current_comm(cpu.ptr, to, 16)
    assert memory.read(int(to), 16) == b"ABCDEFGHIJKLMNO\0"


def test_random_numbers_repeat_with_the_seed_and_fill_32_bits(cpu):
    cpu.random = 1
    first = [int(task_ops.get_prandom_u32(cpu.ptr)) for _ in range(1000)]
    cpu.random = 1
    assert [int(task_ops.get_prandom_u32(cpu.ptr)) for _ in range(1000)] == first
    assert len(set(first)) > 990
    for bit in range(32):
        assert 400 < sum(x >> bit & 1 for x in first) < 600


# --- redirection ---------------------------------------------------------------------------------


def test_redirect_to_a_device(cpu):
    assert redirect_ops.redirect(cpu.ptr, 12, 0) == 4
    assert (cpu.redirect_kind, cpu.redirect_ifindex) == (REDIRECT_IFINDEX, 12)


def test_redirect_knows_no_flags(cpu):
    assert redirect_ops.redirect(cpu.ptr, 12, 1) == 0
    assert cpu.redirect_kind == 0


BROADCAST, EXCLUDE = redirect_ops.BPF_F_BROADCAST, redirect_ops.BPF_F_EXCLUDE_INGRESS


@pytest.mark.parametrize(
    ("found", "flags", "known", "result", "kind"),
    [
        (True, 0, 0, 4, REDIRECT_MAP),
        (True, 2, 0, 4, REDIRECT_MAP),
        (False, 0, 0, 0, 0),
        (False, 2, 0, 2, 0),  # the default action: XDP_PASS
        (False, 3, 0, 3, 0),
        (True, 4, 0, 0, 5),  # an unknown flag: XDP_ABORTED, nothing is changed
        (True, BROADCAST, 0, 0, 5),
        (False, BROADCAST, BROADCAST | EXCLUDE, 4, REDIRECT_MAP),
        (False, EXCLUDE | 1, BROADCAST | EXCLUDE, 1, 0),
    ],
)
def test_redirect_through_a_map(memory, cpu, found, flags, known, result, kind):
    m = ptr(memory, memory.allocate("map", sizeof(MapHeader)).base, MapHeader)
    cpu.redirect_kind = 5
    assert redirect_ops.redirect_map(cpu.ptr, m, 77, found, flags, known) == result
    assert cpu.redirect_kind == kind
    if kind == REDIRECT_MAP:
        assert (cpu.redirect_map, cpu.redirect_key) == (int(m), 77)
        assert cpu.redirect_flags == flags & known


# --- locks, trace --------------------------------------------------------------------------------


def test_a_spin_lock_is_one_while_it_is_held(memory, cpu):
    word = place(memory, bytes(4), u32)
    flow_ops.spin_lock(cpu.ptr, word)
    assert word[0] == 1
    flow_ops.spin_unlock(cpu.ptr, word)
    assert word[0] == 0


def read_trace(memory, cpu):
    trace = cpu.trace
    ring = memory.read(int(trace.buffer), int(trace.size))
    start, end = int(trace.read), int(trace.written)
    trace.read = end
    return bytes(ring[i % len(ring)] for i in range(max(start, end - len(ring)), end))


def test_printk_writes_a_line_and_returns_its_length(memory, cpu):
    fmt = b"a=%d b=%x c=%c\0"
    assert trace_ops.trace_printk(cpu.ptr, place(memory, fmt), len(fmt), 5, 255, 65) == 12
    assert read_trace(memory, cpu) == b"a=5 b=ff c=A\n"
    fmt = b"line\n\0"
    assert trace_ops.trace_printk(cpu.ptr, place(memory, fmt), len(fmt), 0, 0, 0) == 5
    assert read_trace(memory, cpu) == b"line\n"


def test_the_trace_is_a_ring(memory, cpu):
    fmt = place(memory, b"%d\0")
    for i in range(100, 150):
        trace_ops.trace_printk(cpu.ptr, fmt, 3, i, 0, 0)
    assert cpu.trace.written == 200
    assert read_trace(memory, cpu) == b"".join(b"%d\n" % i for i in range(134, 150))


def test_a_long_line_is_cut(memory, cpu):
    fmt = place(memory, b"%1500d\0")
    assert trace_ops.trace_printk(cpu.ptr, fmt, 7, 1, 0, 0) == 1500
    assert cpu.trace.written == 1024  # 1023 characters and the end of the line


def test_vprintk_takes_values_from_memory(memory, cpu):
    values = place(memory, b"".join(i.to_bytes(8, "little") for i in range(12)))
    fmt = b"%d" * 12 + b"\0"
    assert trace_ops.trace_vprintk(cpu.ptr, place(memory, fmt), len(fmt), values, 96) == 14
    assert read_trace(memory, cpu) == b"01234567891011\n"


@pytest.mark.parametrize(
    ("fmt", "length"), [(b"no end", 0), (b"%d\0", 0), (b"%d\0", 7), (b"%d\0", 104), (b"%q\0", 8)]
)
def test_formats_and_lengths_that_printk_refuses(memory, cpu, fmt, length):
    values = place(memory, bytes(104))
    result = trace_ops.trace_vprintk(cpu.ptr, place(memory, fmt), len(fmt), values, length)
    assert result == -EINVAL
    assert cpu.trace.written == 0


def test_values_without_an_address_are_refused(memory, cpu):
    null = ptr(memory, 0, u8)
    fmt = place(memory, b"%d\0")
    assert trace_ops.trace_vprintk(cpu.ptr, fmt, 3, null, 8) == -EINVAL


def test_a_byte_that_is_not_there(memory):
    there = place(memory, b"\x80")
    assert nofault.byte_at(there, u64(there)) == 0x80
    assert nofault.byte_at(there, u64(8)) == -1
