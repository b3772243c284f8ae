# mypy: disable-error-code="arg-type,return-value,no-any-return,call-overload,assignment"
"""The hash function of the machine's maps: multiply, fold, one word at a time; restricted Python.

Keys are read as little-endian words of 8 bytes, the last one completed with zeros: all keys of a
map are of one length, so that no two of them become equal.

Words are read as two halves: a program has often just written its key 4 bytes at a time, and a
processor waits long for 8 bytes that two of its stores write. As halves they go from the stores to
here in registers; where LLVM knows no such stores, it makes one load of the two.
"""

from ebee.native import byte_offset, cast, memeq, mulfold, native
from ebee.types import ptr, u8, u16, u32, u64

FACTOR = 0x9E37_79B9_7F4A_7C15
"""2**64 divided by the golden ratio, odd."""


@native
def hash_bytes(key: ptr[u8], size: u32, seed: u64) -> u32:
    """32 bits of hash over `size` bytes."""
    h = seed
    halves = cast(ptr[u32], key)
    for i in range(size // 8):
        h = mulfold(h ^ (u64(halves[2 * i + 1]) << 32 | halves[2 * i]), u64(FACTOR))
    rest = size % 8
    if rest != 0:
        h = mulfold(h ^ tail(byte_offset(key, size - rest), rest), u64(FACTOR))
    return u32(h)


@native
def word(p: ptr[u8]) -> u64:
    """8 bytes as a number."""
    halves = cast(ptr[u32], p)
    return u64(halves[1]) << 32 | halves[0]


@native
def first_word(key: ptr[u8], size: u32) -> u64:
    """The first 8 bytes of a key, or all of a shorter one."""
    return word(key) if size >= 8 else tail(key, size)


@native
def last_word(key: ptr[u8], size: u32) -> u64:
    """The last 8 bytes of a key; 0 for one that is not longer than that."""
    return word(byte_offset(key, size - 8)) if size > 8 else u64(0)


@native
def same_key(a: ptr[u8], b: ptr[u8], size: u32, first: u64, last: u64) -> bool:
    """Whether two keys are equal; `first` and `last` are those words of b, in registers."""
    if first_word(a, size) != first or last_word(a, size) != last:
        return False
    return size <= 16 or memeq(byte_offset(a, 8), byte_offset(b, 8), size - 16)


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
