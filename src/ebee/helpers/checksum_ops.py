# mypy: disable-error-code="arg-type,return-value,no-any-return,call-overload,assignment"
"""Bodies of the checksum helpers: restricted Python."""

from ebee.abi.cpu import Cpu
from ebee.native import cast, native
from ebee.types import i64, ptr, u8, u32, u64

U32_MAX = 0xFFFF_FFFF


@native
def _partial(data: ptr[u8], size: u32, seed: u32) -> u32:
    """The ones' complement sum of 32-bit words and a seed: 0 only when all of them are 0."""
    words = cast(ptr[u32], data)
    total = u64(seed)
    for i in range(size >> 2):
        total += u64(words[i])
    for i in range(size & 3):
        total += u64(data[(size & ~u32(3)) + i]) << (8 * u32(i))
    total = (total & U32_MAX) + (total >> 32)
    return u32((total & U32_MAX) + (total >> 32))


@native
def _add(a: u32, b: u32) -> u32:
    total = u64(a) + u64(b)
    return u32((total & U32_MAX) + (total >> 32))


@native
def _fold(total: u32) -> u32:
    """A sum of 32 bits as one of 16 (csum_from32to16)."""
    total = (total & 0xFFFF) + (total >> 16)
    return (total & 0xFFFF) + (total >> 16)


@native
def csum_diff(
    cpu: ptr[Cpu], old: ptr[u8], old_size: u32, new: ptr[u8], new_size: u32, seed: u32
) -> i64:
    """As in Linux 6.18: the result is folded to 16 bits, and any length will do. (Before 6.13 it
    had 32 bits on some architectures.)"""
    total = seed
    if new_size > 0:
        total = _partial(new, new_size, seed)
        if old_size > 0:
            total = _add(total, ~_partial(old, old_size, u32(0)))
    elif old_size > 0:
        total = ~_partial(old, old_size, ~seed)
    return i64(_fold(total))
