# mypy: disable-error-code="arg-type,return-value,no-any-return,call-overload,assignment"
"""Operations of device maps (kernel/bpf/devmap.c): restricted Python.

A value is the number of a device, and in maps of 8-byte values a program to run on its way out,
which the machine does not have. A slot is empty where the device's number is 0.
"""

from typing import TYPE_CHECKING

from ebee.abi.cpu import Cpu
from ebee.abi.errno import E2BIG, EEXIST, EINVAL, EOPNOTSUPP
from ebee.abi.map import (
    BPF_EXIST,
    BPF_F_NUMA_NODE,
    BPF_F_RDONLY,
    BPF_F_WRONLY,
    BPF_NOEXIST,
    MapHeader,
)
from ebee.helpers.redirect_ops import BPF_F_BROADCAST, BPF_F_EXCLUDE_INGRESS, redirect_map
from ebee.maps import layout
from ebee.maps.array_ops import next_index
from ebee.native import atomic_load, atomic_store, byte_offset, cast, native, sizeof
from ebee.types import const, i64, null, ptr, struct, u8, u32, u64

if TYPE_CHECKING:
    from ebee.obj.spec import MapSpec

REDIRECT_FLAGS = BPF_F_BROADCAST | BPF_F_EXCLUDE_INGRESS


@struct
class Device:
    """A value; `program` as user space reads it: a number, here always 0."""

    ifindex: u32
    program: u32


@struct
class Devices:
    """State of a device map."""

    head: MapHeader
    values: const[ptr[u8]]


State = Devices


def check(spec: "MapSpec", cpus: int) -> None:
    """dev_map_alloc_check."""
    layout.check_sizes(spec, key=4)
    layout.require(spec, spec.value_size in (4, 8), f"value_size is {spec.value_size}, not 4 or 8")
    layout.check_flags(spec, BPF_F_NUMA_NODE | BPF_F_RDONLY | BPF_F_WRONLY)


def plan(spec: "MapSpec", cpus: int) -> layout.Layout:
    """One area of values, which programs may only read."""
    values = layout.values_area("values", spec.max_entries, 8, spec.value_size)
    return layout.Layout((values,)).read_only()


@native
def valid(head: ptr[MapHeader], value: ptr[u8]) -> i64:
    """Whether a value is one that the machine can hold: it names no program."""
    given = cast(ptr[Device], value)
    if head.value_size == sizeof(Device) and given.program != 0 and given.program < 1 << 31:
        return -EINVAL if given.ifindex == 0 else -EOPNOTSUPP
    return 0


@native
def word(m: ptr[Devices], index: u32) -> ptr[u32]:
    """The number in a slot."""
    return cast(ptr[u32], byte_offset(m.values, u64(index) * sizeof(Device)))


@native
def at(m: ptr[Devices], index: u32) -> ptr[u8]:
    """The value at an index; null when the slot is empty or not there."""
    if index >= m.head.max_entries:
        return null
    if atomic_load(word(m, index)) == 0:
        return null
    return cast(ptr[u8], word(m, index))


@native
def lookup(cpu: ptr[Cpu], m: ptr[Devices], key: ptr[u8]) -> ptr[u8]:
    return at(m, cast(ptr[u32], key)[0])


@native
def update(cpu: ptr[Cpu], m: ptr[Devices], key: ptr[u8], value: ptr[u8], flags: u64) -> i64:
    index = cast(ptr[u32], key)[0]
    if flags > BPF_EXIST:
        return -EINVAL
    if index >= m.head.max_entries:
        return -E2BIG
    if flags == BPF_NOEXIST:
        return -EEXIST
    refused = valid(m.ref.head, value)
    if refused != 0:
        return refused
    atomic_store(word(m, index), cast(ptr[Device], value).ifindex)
    return 0


@native
def delete(cpu: ptr[Cpu], m: ptr[Devices], key: ptr[u8]) -> i64:
    index = cast(ptr[u32], key)[0]
    if index >= m.head.max_entries:
        return -EINVAL
    atomic_store(word(m, index), 0)
    return 0


@native
def next_key(m: ptr[Devices], key: ptr[u8], out: ptr[u8]) -> i64:
    return next_index(m.head.max_entries, key, out)


@native
def redirect(cpu: ptr[Cpu], m: ptr[Devices], key: u64, flags: u64) -> i64:
    """bpf_redirect_map; the device goes to the CPU's redirect_ifindex."""
    found = at(m, u32(key))
    if found:
        cpu.redirect_ifindex = cast(ptr[Device], found).ifindex
    return redirect_map(cpu, m.ref.head, key, bool(found), flags, REDIRECT_FLAGS)
