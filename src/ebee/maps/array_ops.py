# mypy: disable-error-code="arg-type,return-value,no-any-return,call-overload,assignment"
"""Operations of arrays (kernel/bpf/arraymap.c): restricted Python.

A value's address is `values + index * value_stride`, in a per-CPU array within the CPU's part.
"""

from typing import TYPE_CHECKING

from ebee.abi.cpu import Cpu
from ebee.abi.errno import E2BIG, EEXIST, EINVAL, ENOENT
from ebee.abi.map import (
    ACCESS_FLAGS,
    BPF_EXIST,
    BPF_F_INNER_MAP,
    BPF_F_LOCK,
    BPF_F_MMAPABLE,
    BPF_F_NUMA_NODE,
    BPF_NOEXIST,
    NO_LOCK,
    MapHeader,
)
from ebee.maps import layout
from ebee.maps.value_ops import copy_in, copy_locked
from ebee.native import byte_offset, cast, memcpy, native
from ebee.types import const, i64, null, ptr, struct, u8, u32, u64

if TYPE_CHECKING:
    from ebee.obj.spec import MapSpec


@struct
class Array:
    """State of an array; `cpu_stride`: bytes between two CPUs' parts, 0 where they share one."""

    head: MapHeader
    cpu_stride: const[u64]
    values: const[ptr[u8]]


State = Array


def check(spec: "MapSpec", cpus: int) -> None:
    """array_map_alloc_check."""
    per_cpu = spec.type == "percpu_array"
    layout.check_sizes(spec, key=4)
    flags = BPF_F_NUMA_NODE | ACCESS_FLAGS
    layout.check_flags(spec, flags if per_cpu else flags | BPF_F_MMAPABLE | BPF_F_INNER_MAP)
    layout.require(spec, not (per_cpu and spec.flags & BPF_F_NUMA_NODE), "per-CPU and on one node")
    layout.require(spec, spec.value_size < 1 << 31, "value_size is over 2 GiB", E2BIG)
    if per_cpu:
        layout.check_per_cpu(spec)


def plan(spec: "MapSpec", cpus: int) -> layout.Layout:
    """One area of values; in a per-CPU array a part for each CPU."""
    stride = layout.round_up(spec.value_size, 8)
    count, between = spec.max_entries, 0
    if spec.type == "percpu_array":
        between = layout.per_cpu_stride(count, stride)
        count = between * cpus // stride
    values = layout.values_area("values", count, stride, spec.value_size)
    return layout.Layout((values,), {"cpu_stride": between})


@native
def value_at(m: ptr[Array], index: u32, cpu: u32) -> ptr[u8]:
    part = byte_offset(m.values, u64(cpu) * m.cpu_stride)
    return byte_offset(part, u64(index) * m.head.value_stride)


@native
def lookup(cpu: ptr[Cpu], m: ptr[Array], key: ptr[u8]) -> ptr[u8]:
    index = cast(ptr[u32], key)[0]
    if index >= m.head.max_entries:
        return null
    if m.cpu_stride == 0:
        return value_at(m, index, 0)
    return value_at(m, index, cpu.id)


@native
def lookup_percpu(cpu: ptr[Cpu], m: ptr[Array], key: ptr[u8], of: u32) -> ptr[u8]:
    index = cast(ptr[u32], key)[0]
    if index >= m.head.max_entries or of >= m.head.cpus:
        return null
    return value_at(m, index, of)


@native
def update(cpu: ptr[Cpu], m: ptr[Array], key: ptr[u8], value: ptr[u8], flags: u64) -> i64:
    index = cast(ptr[u32], key)[0]
    if (flags & ~u64(BPF_F_LOCK)) > BPF_EXIST:
        return -EINVAL
    if index >= m.head.max_entries:
        return -E2BIG
    if flags & BPF_NOEXIST:
        return -EEXIST
    if flags & BPF_F_LOCK:
        if m.head.lock_at == NO_LOCK:
            return -EINVAL
        copy_locked(m.ref.head, value_at(m, index, 0), value)
        return 0
    if m.cpu_stride == 0:
        copy_in(m.ref.head, value_at(m, index, 0), value)
    else:
        copy_in(m.ref.head, value_at(m, index, cpu.id), value)
    return 0


@native
def update_percpu(cpu: ptr[Cpu], m: ptr[Array], key: ptr[u8], values: ptr[u8], flags: u64) -> i64:
    """What user space does: `values` holds one value of value_stride bytes for each CPU."""
    index = cast(ptr[u32], key)[0]
    if flags > BPF_EXIST:
        return -EINVAL
    if index >= m.head.max_entries:
        return -E2BIG
    if flags == BPF_NOEXIST:
        return -EEXIST
    for of in range(m.head.cpus):
        each = byte_offset(values, u64(of) * m.head.value_stride)
        memcpy(value_at(m, index, u32(of)), each, m.head.value_stride)
    return 0


@native
def delete(cpu: ptr[Cpu], m: ptr[Array], key: ptr[u8]) -> i64:
    return -EINVAL


@native
def next_key(m: ptr[Array], key: ptr[u8], out: ptr[u8]) -> i64:
    return next_index(m.head.max_entries, key, out)


@native
def step(m: ptr[Array], cursor: u64) -> u64:
    """The element after the one at `cursor`, which is its index and 1; from 0 on, to 0 at the end
    (bpf_for_each_array_elem)."""
    return cursor + 1 if cursor < m.head.max_entries else u64(0)


@native
def element(cpu: ptr[Cpu], m: ptr[Array], cursor: u64, key: ptr[u8]) -> ptr[u8]:
    """The value of the element at `cursor`, whose key is copied to `key`."""
    index = u32(cursor - 1)
    cast(ptr[u32], key)[0] = index
    return value_at(m, index, cpu.id if m.cpu_stride != 0 else u32(0))


@native
def next_index(entries: u32, key: ptr[u8], out: ptr[u8]) -> i64:
    """The next index; the first one when the key is null or none."""
    index = u32(0)
    if key:
        index = cast(ptr[u32], key)[0] + 1
        if index == entries:
            return -ENOENT
        if index > entries:
            index = u32(0)
    cast(ptr[u32], out)[0] = index
    return 0
