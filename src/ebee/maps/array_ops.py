"""Operations of arrays (kernel/bpf/arraymap.c): restricted Python.

A value's address is `values + index * value_stride`, in a per-CPU array within the CPU's part.
"""

from ebee.abi.cpu import Cpu
from ebee.abi.map import MapHeader
from ebee.native import byte_offset, cast, native
from ebee.types import const, null, ptr, struct, u8, u32, u64


@struct
class Array:
    """State of an array."""

    head: MapHeader
    values: const[ptr[u8]]


@native
def lookup(cpu: ptr[Cpu], m: ptr[Array], key: ptr[u8]) -> ptr[u8]:
    index = cast(ptr[u32], key)[0]
    if index >= m.head.max_entries:
        return null
    return byte_offset(m.values, u64(index) * m.head.value_stride)
