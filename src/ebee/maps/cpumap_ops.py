# mypy: disable-error-code="arg-type,return-value,no-any-return,call-overload,assignment"
"""Operations of CPU maps (kernel/bpf/cpumap.c): restricted Python.

A value is the size of a queue, and in maps of 8-byte values a program to run on the other CPU,
which the machine does not have. A slot is empty where the size is 0.
"""

from typing import TYPE_CHECKING

from ebee.abi.cpu import Cpu
from ebee.abi.errno import E2BIG, EEXIST, EINVAL, ENODEV, EOPNOTSUPP, EOVERFLOW
from ebee.abi.map import BPF_EXIST, BPF_F_NUMA_NODE, BPF_NOEXIST
from ebee.helpers.redirect_ops import redirect_map
from ebee.maps import devmap_ops, layout
from ebee.maps.devmap_ops import Device, Devices, at, delete, next_key, word
from ebee.native import atomic_store, cast, native, sizeof
from ebee.types import i64, ptr, u8, u32, u64

if TYPE_CHECKING:
    from ebee.obj.spec import MapSpec

CPUS_MAX = 8192
"""The largest max_entries (CONFIG_NR_CPUS of usual x86-64 kernels)."""

QUEUE_MAX = 16384

State = Devices


def check(spec: "MapSpec", cpus: int) -> None:
    """cpu_map_alloc."""
    layout.check_sizes(spec, key=4)
    layout.require(spec, spec.value_size in (4, 8), f"value_size is {spec.value_size}, not 4 or 8")
    layout.check_flags(spec, BPF_F_NUMA_NODE)
    layout.require(spec, spec.max_entries <= CPUS_MAX, f"there are at most {CPUS_MAX} CPUs", E2BIG)


def plan(spec: "MapSpec", cpus: int) -> layout.Layout:
    """One area of values, out of programs' reach."""
    return devmap_ops.plan(spec, cpus).hidden()


@native
def lookup_user(cpu: ptr[Cpu], m: ptr[Devices], key: ptr[u8]) -> ptr[u8]:
    return at(m, cast(ptr[u32], key)[0])


@native
def update(cpu: ptr[Cpu], m: ptr[Devices], key: ptr[u8], value: ptr[u8], flags: u64) -> i64:
    index = cast(ptr[u32], key)[0]
    size = cast(ptr[u32], value)[0]
    if flags > BPF_EXIST:
        return -EINVAL
    if index >= m.head.max_entries:
        return -E2BIG
    if flags == BPF_NOEXIST:
        return -EEXIST
    if size > QUEUE_MAX:
        return -EOVERFLOW
    if index >= m.head.cpus:
        return -ENODEV
    if size != 0 and m.head.value_size == sizeof(Device):
        program = cast(ptr[u32], value)[1]
        if program != 0 and program < 1 << 31:
            return -EOPNOTSUPP
    atomic_store(word(m, index), size)
    return 0


@native
def redirect(cpu: ptr[Cpu], m: ptr[Devices], key: u64, flags: u64) -> i64:
    """bpf_redirect_map."""
    return redirect_map(cpu, m.ref.head, key, bool(at(m, u32(key))), flags, 0)


__all__ = [
    "State",
    "check",
    "delete",
    "lookup_user",
    "next_key",
    "plan",
    "redirect",
    "update",
]
