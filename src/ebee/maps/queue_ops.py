# mypy: disable-error-code="arg-type,return-value,no-any-return,call-overload,assignment"
"""Operations of queues and stacks (kernel/bpf/queue_stack_maps.c): restricted Python.

A ring of values under one lock; `head` is where the next value goes, `used` how many there are.
"""

from typing import TYPE_CHECKING

from ebee.abi.cpu import Cpu
from ebee.abi.errno import E2BIG, EINVAL, ENOENT
from ebee.abi.map import ACCESS_FLAGS, BPF_EXIST, BPF_F_NUMA_NODE, BPF_NOEXIST, MapHeader
from ebee.maps import layout
from ebee.maps.value_ops import lock, unlock
from ebee.native import byte_offset, memcpy, memset, native
from ebee.types import const, i64, ptr, struct, u8, u32, u64

if TYPE_CHECKING:
    from ebee.obj.spec import MapSpec

U32_MAX = 0xFFFF_FFFF


@struct
class Queue:
    """State of a queue, or of a stack where `lifo` is set."""

    head: MapHeader
    lifo: const[u32]
    lock: u32
    next: u32
    used: u32
    values: const[ptr[u8]]


State = Queue


def check(spec: "MapSpec", cpus: int) -> None:
    """queue_stack_map_alloc_check."""
    layout.check_sizes(spec, key=0)
    layout.check_flags(spec, BPF_F_NUMA_NODE | ACCESS_FLAGS)
    large = f"value_size is {spec.value_size}, over 4 MiB"
    layout.require(spec, spec.value_size <= layout.KMALLOC_MAX, large, E2BIG)
    many = "max_entries values take over 4 GiB"
    layout.require(spec, spec.max_entries < U32_MAX // spec.value_size, many, E2BIG)


def plan(spec: "MapSpec", cpus: int) -> layout.Layout:
    """The ring; programs never see it, values are copied."""
    size = spec.max_entries * layout.round_up(spec.value_size, 8)
    return layout.Layout((layout.Area("values", size),), {"lifo": int(spec.type == "stack")})


@native
def slot(m: ptr[Queue], back: u32) -> ptr[u8]:
    """The value put in `back` pushes ago, 0 for the place of the next one."""
    index = m.next - back if m.next >= back else m.next + m.head.max_entries - back
    return byte_offset(m.values, u64(index) * m.head.value_stride)


@native
def push(cpu: ptr[Cpu], m: ptr[Queue], value: ptr[u8], flags: u64) -> i64:
    """BPF_EXIST makes room in a full map by dropping the oldest value."""
    if flags & BPF_NOEXIST or flags > BPF_EXIST:
        return -EINVAL
    lock(m.ref.lock)
    if m.used == m.head.max_entries and flags != BPF_EXIST:
        unlock(m.ref.lock)
        return -E2BIG
    memcpy(slot(m, 0), value, m.head.value_size)
    m.next = m.next + 1 if m.next + 1 != m.head.max_entries else u32(0)
    if m.used != m.head.max_entries:
        m.used = m.used + 1
    unlock(m.ref.lock)
    return 0


@native
def read(m: ptr[Queue], value: ptr[u8], remove: u32) -> i64:
    lock(m.ref.lock)
    if m.used == 0:
        unlock(m.ref.lock)
        memset(value, 0, m.head.value_size)
        return -ENOENT
    memcpy(value, slot(m, 1 if m.lifo else m.used), m.head.value_size)
    if remove:
        m.used = m.used - 1
        if m.lifo:
            m.next = m.next - 1 if m.next != 0 else m.head.max_entries - 1
    unlock(m.ref.lock)
    return 0


@native
def pop(cpu: ptr[Cpu], m: ptr[Queue], value: ptr[u8]) -> i64:
    return read(m, value, 1)


@native
def peek(cpu: ptr[Cpu], m: ptr[Queue], value: ptr[u8]) -> i64:
    return read(m, value, 0)


@native
def delete(cpu: ptr[Cpu], m: ptr[Queue], key: ptr[u8]) -> i64:
    return -EINVAL


@native
def next_key(m: ptr[Queue], key: ptr[u8], out: ptr[u8]) -> i64:
    return -EINVAL
