# mypy: disable-error-code="attr-defined,call-arg,no-any-return,return-value"
"""Bodies of the string helpers: restricted Python."""

from ebee.abi.cpu import Cpu
from ebee.abi.errno import EINVAL, ERANGE
from ebee.native import native
from ebee.types import i64, ptr, struct, u8, u32, u64

BASE_MASK = 31
"""BPF_STRTOX_BASE_MASK."""

DIGITS = 63
"""Characters of a number, behind its sign, that are looked at."""

U64_MAX = 0xFFFF_FFFF_FFFF_FFFF
I64_MIN = 1 << 63
"""The size of the smallest signed number, without its sign."""

NOT_A_DIGIT = 99


@struct
class Number:
    """A number without its sign."""

    value: u64
    negative: u32
    overflow: u32


@native
def is_space(c: u32) -> bool:
    """isspace of the kernel (lib/ctype.c: Latin-1)."""
    return c == 32 or (c >= 9 and c <= 13) or c == 160


@native
def _digit(c: u32) -> u32:
    if c >= 48 and c <= 57:
        return c - 48
    if c | 32 >= 97 and c | 32 <= 102:
        return (c | 32) - 97 + 10
    return u32(NOT_A_DIGIT)


@native
def _at(text: ptr[u8], i: u64, end: u64) -> u32:
    """The character at an index, NUL behind the end."""
    if i < end:
        return u32(text[i])
    return 0


@native
def _is_hex(text: ptr[u8], i: u64, end: u64) -> bool:
    """Whether `0x` stands here."""
    return _at(text, i, end) == 48 and _at(text, i + 1, end) | 32 == 120


@native
def _parse(text: ptr[u8], size: u64, flags: u64, number: ptr[Number]) -> i64:
    """__bpf_strtoull: the number of characters used, or a negative error."""
    base = flags & BASE_MASK
    if base != 0 and base != 8 and base != 10 and base != 16:
        return -EINVAL
    if flags & ~u64(BASE_MASK) != 0:
        return -EINVAL
    i = u64(0)
    while i < size and is_space(u32(text[i])):
        i += 1
    number.negative = 0
    if i < size and text[i] == 45:
        number.negative = 1
        i += 1
    if i == size:
        return -EINVAL
    end = size
    if end - i > DIGITS:
        end = i + DIGITS
    if base == 0:
        base = u64(10)
        if text[i] == 48:
            base = u64(8)
            if _is_hex(text, i, end) and _digit(_at(text, i + 2, end)) != NOT_A_DIGIT:
                base = u64(16)
    if base == 16 and _is_hex(text, i, end):
        i += 2
    return _digits(text, i, end, base, number)


@native
def _digits(text: ptr[u8], start: u64, end: u64, base: u64, number: ptr[Number]) -> i64:
    """Read digits; the index behind them, -EINVAL if there is none, -ERANGE past 64 bits."""
    i = start
    value = u64(0)
    overflow = False
    while i < end:
        digit = u64(_digit(u32(text[i])))
        if digit >= base:
            break
        if value > (U64_MAX - digit) // base:
            overflow = True
        value = value * base + digit
        i += 1
    if overflow:
        return -ERANGE
    if i == start:
        return -EINVAL
    number.value = value
    return i


@native
def strtol(cpu: ptr[Cpu], text: ptr[u8], size: u64, flags: u64, result: ptr[i64]) -> i64:
    number = Number()
    result[0] = i64(0)
    used = _parse(text, size, flags, number.ptr)
    if used < 0:
        return used
    if number.negative != 0:
        if number.value > I64_MIN:
            return -ERANGE
        result[0] = i64(-number.value)
    else:
        if number.value >= I64_MIN:
            return -ERANGE
        result[0] = i64(number.value)
    return used


@native
def strtoul(cpu: ptr[Cpu], text: ptr[u8], size: u64, flags: u64, result: ptr[u64]) -> i64:
    number = Number()
    result[0] = u64(0)
    used = _parse(text, size, flags, number.ptr)
    if used < 0:
        return used
    if number.negative != 0:
        return -EINVAL
    result[0] = number.value
    return used


@native
def strncmp(cpu: ptr[Cpu], a: ptr[u8], size: u32, b: ptr[u8]) -> i64:
    """-1, 0 or 1, as strncmp of the kernel (lib/string.c)."""
    for i in range(size):
        if a[i] != b[i]:
            if a[i] < b[i]:
                return -1
            return 1
        if a[i] == 0:
            break
    return 0
