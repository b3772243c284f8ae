# mypy: disable-error-code="arg-type,return-value,no-any-return,call-overload,assignment"
"""The hash function of the machine's maps: multiply, fold, one word at a time; restricted Python.

Keys are read as little-endian words of 8 bytes, the last one completed with zeros; the length is
part of the start value, so that the completion cannot make two keys of a map equal.
"""

from ebee.native import byte_offset, cast, mulhi, native
from ebee.types import ptr, u8, u16, u32, u64

FACTOR = 0x9E37_79B9_7F4A_7C15
"""2**64 divided by the golden ratio, odd."""

FACTOR2 = 0xD6E8_FEB8_6659_FD93
"""A prime with half of its bits set."""


@native
def fold(a: u64, b: u64) -> u64:
    """Both halves of the 128-bit product, combined."""
    return mulhi(a, b) ^ (a * b)


@native
def hash_bytes(key: ptr[u8], size: u32, seed: u64) -> u32:
    """32 bits of hash over `size` bytes."""
    h = seed ^ (u64(size) * FACTOR2)
    for i in range(size // 8):
        h = fold(h ^ cast(ptr[u64], key)[i], u64(FACTOR))
    rest = size % 8
    if rest != 0:
        h = fold(h ^ tail(byte_offset(key, size - rest), rest), u64(FACTOR))
    return u32(h)


@native
def tail(p: ptr[u8], size: u32) -> u64:
    """The last 1 to 7 bytes as a number."""
    word = u64(0)
    at = u32(0)
    if size & 4:
        word = u64(cast(ptr[u32], p)[0])
        at = u32(4)
    if size & 2:
        word = word | u64(cast(ptr[u16], byte_offset(p, at))[0]) << 8 * at
        at = at + 2
    if size & 1:
        word = word | u64(p[at]) << 8 * at
    return word
