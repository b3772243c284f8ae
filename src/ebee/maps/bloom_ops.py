# mypy: disable-error-code="arg-type,return-value,no-any-return,call-overload,assignment"
"""Operations of bloom filters (kernel/bpf/bloom_filter.c): restricted Python."""

from typing import TYPE_CHECKING

from ebee.abi.cpu import Cpu
from ebee.abi.errno import E2BIG, EINVAL, ENOENT, EOPNOTSUPP
from ebee.abi.map import ACCESS_FLAGS, BPF_ANY, BPF_F_NUMA_NODE, BPF_F_ZERO_SEED, MapHeader
from ebee.maps import layout
from ebee.maps.hash_function import hash_bytes
from ebee.native import atomic_load, atomic_or, native
from ebee.types import const, i64, ptr, struct, u8, u32, u64

if TYPE_CHECKING:
    from ebee.obj.spec import MapSpec

FUNCTIONS = 5
"""Hash functions where map_extra names none."""


@struct
class Bloom:
    """State of a bloom filter: `functions` hash functions, `mask` for bit numbers."""

    head: MapHeader
    functions: const[u32]
    mask: const[u32]
    seed: u64
    bits: const[ptr[u64]]


State = Bloom


def check(spec: "MapSpec", cpus: int) -> None:
    """bloom_map_alloc_check, bloom_map_alloc."""
    large = f"value_size is {spec.value_size}, over 4 MiB"
    layout.require(spec, spec.value_size <= layout.KMALLOC_MAX, large, E2BIG)
    layout.check_sizes(spec, key=0)
    layout.check_flags(spec, BPF_F_NUMA_NODE | BPF_F_ZERO_SEED | ACCESS_FLAGS)
    extra = "map_extra is the number of hash functions, at most 15"
    layout.require(spec, spec.map_extra <= 15, extra)


def plan(spec: "MapSpec", cpus: int) -> layout.Layout:
    """Bits: 7/5 of entries times functions, which is about 1/ln 2, and a power of two; 2**32 of
    them where that overflows 32 bits."""
    functions = spec.map_extra or FUNCTIONS
    wanted = spec.max_entries * functions
    bits = wanted // 5 * 7
    if wanted >= 1 << 32 or bits > 1 << 31:
        bits = 1 << 32
    bits = max(64, layout.power_of_two(bits))
    area = layout.Area("bits", bits // 8)
    return layout.Layout((area,), {"functions": functions, "mask": bits - 1})


@native
def bit(m: ptr[Bloom], value: ptr[u8], i: u32) -> u32:
    """The number of the bit that hash function i gives."""
    return hash_bytes(value, m.head.value_size, m.seed + i) & m.mask


@native
def push(cpu: ptr[Cpu], m: ptr[Bloom], value: ptr[u8], flags: u64) -> i64:
    if flags != BPF_ANY:
        return -EINVAL
    for i in range(m.functions):
        n = bit(m, value, u32(i))
        atomic_or(m.bits + (n >> 6), u64(1) << (n & 63))
    return 0


@native
def peek(cpu: ptr[Cpu], m: ptr[Bloom], value: ptr[u8]) -> i64:
    """0 when the value may be a member, ENOENT when it is none."""
    for i in range(m.functions):
        n = bit(m, value, u32(i))
        if atomic_load(m.bits + (n >> 6)) >> (n & 63) & 1 == 0:
            return -ENOENT
    return 0


@native
def delete(cpu: ptr[Cpu], m: ptr[Bloom], key: ptr[u8]) -> i64:
    return -EOPNOTSUPP


@native
def next_key(m: ptr[Bloom], key: ptr[u8], out: ptr[u8]) -> i64:
    return -EOPNOTSUPP
