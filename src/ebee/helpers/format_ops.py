# mypy: disable-error-code="attr-defined,call-arg,no-any-return,return-value"
"""printf of the kernel's eBPF programs: restricted Python.

The formats are those of bpf_bprintf_prepare (kernel/bpf/helpers.c); what they print is
vsnprintf's (lib/vsprintf.c). A text is made twice: once to find errors, when nothing is written,
then for good. Pointers are printed as they are, where the kernel would hash them.
"""

from ebee.abi.errno import EINVAL, ENOSPC
from ebee.helpers.nofault import byte_at
from ebee.helpers.string_ops import is_space
from ebee.native import native
from ebee.types import i32, i64, ptr, struct, u8, u32, u64

PERCENT, SPACE, PLUS, MINUS, ZERO, NINE = 37, 32, 43, 45, 48, 57
COLON, DOT = 58, 46

LEFT, SIGN, SPACED, PADDED, SIGNED, LARGE = 1, 2, 4, 8, 16, 32
"""Flags of a conversion: `-`, `+`, ` `, `0`; a signed number; capital digits."""

NUMBER, CHAR, STRING, POINTER, SYMBOL, ADDRESS = range(6)
"""What a conversion prints."""

WIDTH_MAX = (1 << 23) - 1
"""FIELD_WIDTH_MAX."""

ROOM = 512
"""MAX_BPRINTF_BIN_ARGS: bytes that the values of one text may take."""


@struct
class Conversion:
    """One `%...` of a format. `size`: bytes of a number; `letter`: the last one; `width`: -1 when
    none was given; `next`: the index behind it."""

    what: u32
    flags: u32
    width: i32
    size: u32
    base: u32
    letter: u32
    next: u64


# --- reading a format ----------------------------------------------------------------------------


@native
def _is_alnum(c: u32) -> bool:
    """isalnum of the kernel (lib/ctype.c: Latin-1)."""
    if c < 128:
        return (c >= 48 and c <= 57) or (c & 0xDF >= 65 and c & 0xDF <= 90)
    return c >= 192 and c != 215 and c != 247


@native
def _is_punct(c: u32) -> bool:
    """ispunct of the kernel (lib/ctype.c: Latin-1)."""
    if c > 32 and c < 127:
        return not _is_alnum(c)
    return (c > 160 and c < 192) or c == 215 or c == 247


@native
def _ends(c: u32) -> bool:
    """Whether a conversion that takes letters behind it ends before this character."""
    return c == 0 or is_space(c) or _is_punct(c)


@native
def _read_flags(fmt: ptr[u8], start: u64, to: ptr[Conversion]) -> u64:
    """`[0 +-]*` and a width; the index behind them."""
    i = start
    to.flags = 0
    to.width = -1
    while fmt[i] == ZERO or fmt[i] == PLUS or fmt[i] == MINUS or fmt[i] == SPACE:
        if fmt[i] == ZERO:
            to.flags |= PADDED
        elif fmt[i] == PLUS:
            to.flags |= SIGN
        elif fmt[i] == MINUS:
            to.flags |= LEFT
        else:
            to.flags |= SPACED
        i += 1
    if fmt[i] > ZERO and fmt[i] <= NINE:
        width = u32(0)
        while fmt[i] >= ZERO and fmt[i] <= NINE:
            width = width * 10 + u32(fmt[i] - ZERO)
            i += 1
        to.width = width
        if to.width > WIDTH_MAX:
            to.width = WIDTH_MAX
        if to.width < -WIDTH_MAX:
            to.width = -WIDTH_MAX
    return i


@native
def _read_pointer(fmt: ptr[u8], at: u64, to: ptr[Conversion]) -> i64:
    """What stands behind `%p`; `at` is the index of the p."""
    c = u32(fmt[at + 1])
    to.size = 8
    to.base = 16
    to.what = POINTER
    to.next = at + 1
    if _ends(c):
        return 0
    to.next = at + 2
    to.letter = c
    if (c == 107 or c == 117) and fmt[at + 2] == 115:  # %pks, %pus
        to.what = STRING
        to.next = at + 3
        if _ends(u32(fmt[at + 3])):
            return 0
        return -EINVAL
    if c == 75 or c == 120:  # %pK, %px
        return 0
    if c == 115 or c == 83 or c == 66:  # %ps, %pS, %pB
        to.what = SYMBOL
        return 0
    if c != 105 and c != 73:  # %pi, %pI
        return -EINVAL
    to.what = ADDRESS
    to.next = at + 3
    if fmt[at + 2] == 52:
        to.size = 4
        return 0
    if fmt[at + 2] == 54:
        to.size = 16
        return 0
    return -EINVAL


@native
def _read_number(fmt: ptr[u8], at: u64, to: ptr[Conversion]) -> i64:
    """`l`, `ll` and one of `d i u x X`."""
    i = at
    to.what = NUMBER
    to.size = 4
    to.base = 10
    if fmt[i] == 108:
        to.size = 8
        i += 1
        if fmt[i] == 108:
            i += 1
    c = u32(fmt[i])
    to.next = i + 1
    if c == 100 or c == 105:
        to.flags |= SIGNED
    elif c == 88:
        to.flags |= LARGE
        to.base = 16
    elif c == 120:
        to.base = 16
    elif c != 117:
        return -EINVAL
    return 0


@native
def _read(fmt: ptr[u8], at: u64, to: ptr[Conversion]) -> i64:
    """The conversion whose % stands at an index: 0, or -EINVAL."""
    i = _read_flags(fmt, at + 1, to)
    c = u32(fmt[i])
    to.next = i + 1
    to.letter = c
    if c == 112:
        return _read_pointer(fmt, i, to)
    if c == 115:
        to.what = STRING
        if _ends(u32(fmt[i + 1])):
            return 0
        return -EINVAL
    if c == 99:
        to.what = CHAR
        to.size = 1
        return 0
    return _read_number(fmt, i, to)


# --- writing a text ------------------------------------------------------------------------------
# Each of these writes at index `at` what fits in `size` bytes, and returns the index behind it.


@native
def _put(text: ptr[u8], size: u64, at: u64, c: u32) -> u64:
    if at + 1 < size:
        text[at] = u8(c)
    return at + 1


@native
def _pad(text: ptr[u8], size: u64, at: u64, c: u32, count: i64) -> u64:
    i = at
    if count <= 0:
        return at
    while i + 1 < size and i < at + count:
        text[i] = u8(c)
        i += 1
    return at + count


@native
def _digit(value: u64, flags: u32) -> u32:
    if value < 10:
        return u32(value) + ZERO
    if flags & LARGE != 0:
        return u32(value) + 55
    return u32(value) + 87


@native
def _number(text: ptr[u8], size: u64, at: u64, value: u64, c: ptr[Conversion]) -> u64:
    """A number with its sign, padded to the width."""
    sign = u32(0)
    n = value
    if c.flags & SIGNED != 0:
        if i64(n) < 0:
            sign = u32(MINUS)
            n = -n
        elif c.flags & SIGN != 0:
            sign = u32(PLUS)
        elif c.flags & SPACED != 0:
            sign = u32(SPACE)
    base = u64(c.base)
    weight = u64(1)
    digits = i64(1)
    while n // weight >= base:
        weight *= base
        digits += 1
    room = i64(c.width) - digits
    if sign != 0:
        room -= 1
    i = at
    if c.flags & (LEFT | PADDED) == 0:
        i = _pad(text, size, i, u32(SPACE), room)
    if sign != 0:
        i = _put(text, size, i, sign)
    if c.flags & (LEFT | PADDED) == PADDED:
        i = _pad(text, size, i, u32(ZERO), room)
    while weight > 0:
        i = _put(text, size, i, _digit(n // weight % base, c.flags))
        weight //= base
    if c.flags & LEFT != 0:
        i = _pad(text, size, i, u32(SPACE), room)
    return i


@native
def _string(text: ptr[u8], size: u64, at: u64, addr: u64, length: u64, c: ptr[Conversion]) -> u64:
    """The first bytes of a string; only `%s` has a width."""
    room = i64(c.width) - i64(length)
    i = at
    if c.letter == 115 and c.flags & LEFT == 0:
        i = _pad(text, size, i, u32(SPACE), room)
    for k in range(length):
        i = _put(text, size, i, u32(byte_at(text, addr + k)))
    if c.letter == 115 and c.flags & LEFT != 0:
        i = _pad(text, size, i, u32(SPACE), room)
    return i


@native
def _char(text: ptr[u8], size: u64, at: u64, value: u64, c: ptr[Conversion]) -> u64:
    room = i64(c.width) - 1
    i = at
    if c.flags & LEFT == 0:
        i = _pad(text, size, i, u32(SPACE), room)
    i = _put(text, size, i, u32(value & 255))
    if c.flags & LEFT != 0:
        i = _pad(text, size, i, u32(SPACE), room)
    return i


@native
def _readable(memory: ptr[u8], addr: u64, size: u32) -> bool:
    for k in range(size):  # noqa: SIM110
        if byte_at(memory, addr + u64(k)) < 0:
            return False
    return True


@native
def _address(text: ptr[u8], size: u64, at: u64, addr: u64, c: ptr[Conversion]) -> u64:
    """An IP address: `%pI` as usual, `%pi` with leading zeros (v4) or without colons (v6)."""
    known = _readable(text, addr, c.size)
    i = at
    for k in range(c.size):
        byte = u32(0)
        if known:
            byte = u32(byte_at(text, addr + u64(k)))
        if c.size == 16:
            if c.letter == 73 and k > 0 and k & 1 == 0:
                i = _put(text, size, i, u32(COLON))
            i = _put(text, size, i, _digit(u64(byte >> 4), u32(0)))
            i = _put(text, size, i, _digit(u64(byte & 15), u32(0)))
        else:
            if k > 0:
                i = _put(text, size, i, u32(DOT))
            if byte >= 100 or c.letter == 105:
                i = _put(text, size, i, ZERO + byte // 100)
            if byte >= 10 or c.letter == 105:
                i = _put(text, size, i, ZERO + byte // 10 % 10)
            i = _put(text, size, i, ZERO + byte % 10)
    return i


@native
def _pointer(text: ptr[u8], size: u64, at: u64, value: u64, c: ptr[Conversion]) -> u64:
    """16 digits, unless a width was given. There are no symbols here: they print as 0x and the
    address, as the kernel prints an address without a symbol."""
    i = at
    if c.what == SYMBOL:
        i = _put(text, size, i, u32(ZERO))
        i = _put(text, size, i, u32(120))
    elif c.width == -1:
        c.width = 16
        c.flags |= PADDED
    return _number(text, size, i, value, c)


@native
def _narrow(value: u64, c: ptr[Conversion]) -> u64:
    """A value cut to the bytes of its conversion."""
    if c.size == 8:
        return value
    if c.flags & SIGNED != 0:
        return u64(i64(i32(value)))
    return value & 0xFFFF_FFFF


@native
def _convert(text: ptr[u8], size: u64, at: u64, value: u64, length: u64, c: ptr[Conversion]) -> u64:
    if c.what == NUMBER:
        return _number(text, size, at, _narrow(value, c), c)
    if c.what == CHAR:
        return _char(text, size, at, value, c)
    if c.what == STRING:
        return _string(text, size, at, value, length, c)
    if c.what == ADDRESS:
        return _address(text, size, at, value, c)
    return _pointer(text, size, at, value, c)


# --- the whole -----------------------------------------------------------------------------------


@native
def _string_length(memory: ptr[u8], addr: u64, room: u64) -> u64:
    """Length of a string of which the NUL must fit as well; 0 where it cannot be read."""
    n = u64(0)
    while n + 1 < room:
        byte = byte_at(memory, addr + n)
        if byte < 0:
            return 0
        if byte == 0:
            break
        n += 1
    return n


@native
def _take(used: u64, length: u64, c: ptr[Conversion]) -> u64:
    """Bytes used after the values of one more conversion; past ROOM when it does not fit."""
    if c.what == STRING:
        return used + length + 1
    if c.what == CHAR:
        return used + 1
    if c.what == ADDRESS:
        if c.size == 16:
            return used + 40
        return used + 8
    return ((used + 3) & ~u64(3)) + u64(c.size)


@native
def _walk(text: ptr[u8], size: u64, fmt: ptr[u8], values: ptr[u64], count: u32) -> i64:
    """Print what fits into `size` bytes; the length of all, or a negative error."""
    c = Conversion()
    i = u64(0)
    at = u64(0)
    used = u64(0)
    n = u32(0)
    while fmt[i] != 0:
        byte = u32(fmt[i])
        if (byte < SPACE and not is_space(byte)) or byte == 127:
            return -EINVAL
        if byte != PERCENT or fmt[i + 1] == PERCENT:
            at = _put(text, size, at, byte)
            i += 1
            if byte == PERCENT:
                i += 1
            continue
        if n >= count:
            return -EINVAL
        error = _read(fmt, i, c.ptr)
        if error < 0:
            return error
        length = u64(0)
        if c.what == STRING:
            if used >= ROOM:
                return -ENOSPC
            length = _string_length(fmt, values[n], ROOM - used)
        used = _take(used, length, c.ptr)
        if used > ROOM:
            return -ENOSPC
        at = _convert(text, size, at, values[n], length, c.ptr)
        n += 1
        i = c.next
    return at


@native
def format_text(text: ptr[u8], size: u64, fmt: ptr[u8], values: ptr[u64], count: u32) -> i64:
    """Print into `size` bytes with a NUL; the length of the whole text without it, or -EINVAL for
    a format that is not known or lacks values, -ENOSPC for too many long strings; then nothing is
    written."""
    length = _walk(text, u64(0), fmt, values, count)
    if length < 0 or size == 0:
        return length
    _walk(text, size, fmt, values, count)
    if u64(length) < size:
        text[length] = u8(0)
    else:
        text[size - 1] = u8(0)
    return length
