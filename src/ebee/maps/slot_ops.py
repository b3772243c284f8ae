# mypy: disable-error-code="arg-type,return-value,no-any-return,call-overload,assignment"
"""Operations of arrays whose slots hold handles (fd_array_map_* of kernel/bpf/arraymap.c):
restricted Python. A slot is a word: 0 when it is empty, else what user space's number stands for.
"""

from typing import TYPE_CHECKING

from ebee.abi.cpu import Cpu
from ebee.abi.errno import E2BIG, EINVAL, ENOENT
from ebee.abi.map import BPF_ANY, BPF_F_NUMA_NODE, BPF_F_RDONLY, BPF_F_WRONLY, MapHeader
from ebee.maps import layout
from ebee.maps.array_ops import next_index
from ebee.native import atomic_load, atomic_store, atomic_xchg, cast, native
from ebee.types import const, i64, ptr, struct, u8, u32, u64

if TYPE_CHECKING:
    from ebee.obj.spec import MapSpec


@struct
class Slots:
    """State of an array of handles."""

    head: MapHeader
    slots: const[ptr[u64]]


State = Slots


def check(spec: "MapSpec", cpus: int) -> None:
    """fd_array_map_alloc_check."""
    layout.require(spec, spec.value_size == 4, f"value_size is {spec.value_size}, it must be 4")
    layout.check_flags(spec, BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY)
    layout.check_sizes(spec, key=4)


def plan(spec: "MapSpec", cpus: int) -> layout.Layout:
    """One word for each slot, out of programs' reach."""
    return layout.Layout((layout.Area("slots", 8 * spec.max_entries),))


@native
def get(m: ptr[Slots], index: u32) -> u64:
    """What a slot holds; 0 when it is empty or not there."""
    if index >= m.head.max_entries:
        return u64(0)
    return atomic_load(m.slots + index)


@native
def may_set(m: ptr[Slots], key: ptr[u8], flags: u64) -> i64:
    """The rules of an update that come before the look at what is to be set."""
    if flags != BPF_ANY:
        return -EINVAL
    if cast(ptr[u32], key)[0] >= m.head.max_entries:
        return -E2BIG
    return 0


@native
def update(cpu: ptr[Cpu], m: ptr[Slots], key: ptr[u8], value: ptr[u8], flags: u64) -> i64:
    """Set a slot to the word at `value` (user space, after may_set)."""
    atomic_store(m.slots + cast(ptr[u32], key)[0], cast(ptr[u64], value)[0])
    return 0


@native
def held(cpu: ptr[Cpu], m: ptr[Slots], key: ptr[u8]) -> u64:
    """What the slot of a key holds (user space)."""
    return get(m, cast(ptr[u32], key)[0])


@native
def delete(cpu: ptr[Cpu], m: ptr[Slots], key: ptr[u8]) -> i64:
    index = cast(ptr[u32], key)[0]
    if index >= m.head.max_entries:
        return -E2BIG
    if atomic_xchg(m.slots + index, 0) == 0:
        return -ENOENT
    return 0


@native
def next_key(m: ptr[Slots], key: ptr[u8], out: ptr[u8]) -> i64:
    return next_index(m.head.max_entries, key, out)
