# mypy: disable-error-code="assignment,attr-defined,call-arg,no-any-return,return-value"
"""printf of the kernel's eBPF programs: restricted Python.

As in the kernel this takes two steps. The first (bpf_bprintf_prepare in kernel/bpf/helpers.c)
checks the format and collects the values, what pointers lead to included; the second (bstr_printf
in lib/vsprintf.c) prints them. Pointers are printed as they are, where the kernel would hash them.
"""

from ebee.abi.errno import EINVAL, ENOSPC
from ebee.helpers.nofault import byte_at
from ebee.helpers.string_ops import is_space
from ebee.native import byte_offset, native
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
    if count <= 0:
        return at
    end = at + u64(count)
    i = at
    while i + 1 < size and i < end:
        text[i] = u8(c)
        i += 1
    return end


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
def _length(text: ptr[u8]) -> u64:
    n = u64(0)
    while text[n] != 0:
        n += 1
    return n


@native
def _string(text: ptr[u8], size: u64, at: u64, source: ptr[u8], c: ptr[Conversion]) -> u64:
    length = _length(source)
    room = i64(c.width) - i64(length)
    i = at
    if c.flags & LEFT == 0:
        i = _pad(text, size, i, u32(SPACE), room)
    for k in range(length):
        i = _put(text, size, i, u32(source[k]))
    if c.flags & LEFT != 0:
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


# --- collecting values ---------------------------------------------------------------------------
# Each of these puts a value at index `used` of the room, and returns the index behind it.


@native
def _take_string(room: ptr[u8], used: u64, addr: u64) -> u64:
    """A string as far as there is room, with a NUL; empty where it cannot be read."""
    n = used
    while n + 1 < ROOM:
        byte = byte_at(room, addr + (n - used))
        if byte < 0:
            n = used
            break
        if byte == 0:
            break
        room[n] = u8(byte)
        n += 1
    room[n] = u8(0)
    return n + 1


@native
def _byte_or_0(room: ptr[u8], addr: u64) -> u32:
    byte = byte_at(room, addr)
    if byte < 0:
        return 0
    return u32(byte)


@native
def _is_there(room: ptr[u8], addr: u64, size: u32) -> bool:
    for k in range(size):  # noqa: SIM110
        if byte_at(room, addr + u64(k)) < 0:
            return False
    return True


@native
def _take_ipv4(room: ptr[u8], used: u64, addr: u64, c: ptr[Conversion]) -> u64:
    """`%pI4` as usual, `%pi4` with leading zeros."""
    i = used
    for k in range(4):
        byte = _byte_or_0(room, addr + u64(k))
        if k > 0:
            i = _put(room, u64(ROOM), i, u32(DOT))
        if byte >= 100 or c.letter == 105:
            i = _put(room, u64(ROOM), i, ZERO + byte // 100)
        if byte >= 10 or c.letter == 105:
            i = _put(room, u64(ROOM), i, ZERO + byte // 10 % 10)
        i = _put(room, u64(ROOM), i, ZERO + byte % 10)
    return i


@native
def _take_ipv6(room: ptr[u8], used: u64, addr: u64, c: ptr[Conversion]) -> u64:
    """`%pI6` in eight groups, `%pi6` without colons."""
    i = used
    for k in range(16):
        byte = _byte_or_0(room, addr + u64(k))
        if c.letter == 73 and k > 0 and k & 1 == 0:
            i = _put(room, u64(ROOM), i, u32(COLON))
        i = _put(room, u64(ROOM), i, _digit(u64(byte >> 4), u32(0)))
        i = _put(room, u64(ROOM), i, _digit(u64(byte & 15), u32(0)))
    return i


@native
def _take_address(room: ptr[u8], used: u64, addr: u64, c: ptr[Conversion]) -> u64:
    """An IP address as text; all zeroes where it cannot be read."""
    source = addr
    if not _is_there(room, addr, c.size):
        source = u64(0)
    if c.size == 4:
        end = _take_ipv4(room, used, source, c)
    else:
        end = _take_ipv6(room, used, source, c)
    if end < ROOM:
        room[end] = u8(0)
    else:
        room[u64(ROOM - 1)] = u8(0)
    return end + 1


@native
def _take(room: ptr[u8], used: u64, value: u64, c: ptr[Conversion]) -> i64:
    """Put a value into the room; the index behind it, or -ENOSPC."""
    if c.what == STRING or c.what == CHAR:
        if used >= ROOM:
            return -ENOSPC
        if c.what == STRING:
            return i64(_take_string(room, used, value))
        room[used] = u8(value)
        return i64(used + 1)
    if c.what == ADDRESS:
        if used + u64(c.size) > ROOM:
            return -ENOSPC
        return i64(_take_address(room, used, value, c))
    start = (used + 3) & ~u64(3)
    if start + u64(c.size) > ROOM:
        return -ENOSPC
    for k in range(c.size):
        room[start + u64(k)] = u8(value >> (8 * u64(k)))
    return i64(start + u64(c.size))


@native
def _collect(room: ptr[u8], fmt: ptr[u8], values: ptr[u64], count: u32) -> i64:
    """Check the format and put the values into the room: 0, or a negative error."""
    c = Conversion()
    i = u64(0)
    used = i64(0)
    n = u32(0)
    while fmt[i] != 0:
        byte = u32(fmt[i])
        if (byte < SPACE and not is_space(byte)) or byte == 127:
            return -EINVAL
        i += 1
        if byte != PERCENT:
            continue
        if fmt[i] == PERCENT:
            i += 1
            continue
        if n >= count or _read(fmt, i - 1, c.ptr) < 0:
            return -EINVAL
        used = _take(room, u64(used), values[n], c.ptr)
        if used < 0:
            return used
        n += 1
        i = c.next
    return 0


# --- the whole -----------------------------------------------------------------------------------


@native
def _load(room: ptr[u8], at: u64, size: u32) -> u64:
    value = u64(0)
    for k in range(size):
        value |= u64(room[at + u64(k)]) << (8 * u64(k))
    return value


@native
def _is_text(c: ptr[Conversion]) -> bool:
    """Whether what a pointer leads to was made text already (`%pI4`, `%pks`): it has no width."""
    return c.what == ADDRESS or (c.what == STRING and c.letter != 115)


@native
def _print(text: ptr[u8], size: u64, fmt: ptr[u8], room: ptr[u8]) -> u64:
    """Print the format, whose values are in the room; the length of the whole text."""
    c = Conversion()
    i = u64(0)
    at = u64(0)
    used = u64(0)
    while fmt[i] != 0:
        byte = u32(fmt[i])
        if byte != PERCENT or fmt[i + 1] == PERCENT:
            at = _put(text, size, at, byte)
            i += 1
            if byte == PERCENT:
                i += 1
            continue
        _read(fmt, i, c.ptr)
        i = c.next
        if c.what == POINTER or c.what == SYMBOL or _is_text(c.ptr):
            while _is_alnum(u32(fmt[i])):  # vsprintf takes them for a part of the conversion
                i += 1
        if c.what == CHAR:
            at = _char(text, size, at, u64(room[used]), c.ptr)
            used += 1
        elif c.what == STRING or c.what == ADDRESS:
            if _is_text(c.ptr):
                if at >= size:
                    continue  # bstr_printf then leaves the value for the next conversion
                c.width = -1
            source = byte_offset(room, used)
            at = _string(text, size, at, source, c.ptr)
            used += _length(source) + 1
        else:
            used = (used + 3) & ~u64(3)
            value = _load(room, used, c.size)
            used += u64(c.size)
            if c.what == NUMBER:
                at = _number(text, size, at, _narrow(value, c.ptr), c.ptr)
            else:
                at = _pointer(text, size, at, value, c.ptr)
    return at


@native
def format_text(
    text: ptr[u8], size: u64, fmt: ptr[u8], values: ptr[u64], count: u32, room: ptr[u8]
) -> i64:
    """Print into `size` bytes with a NUL; the length of the whole text without it. -EINVAL for a
    format that is not known or lacks values, -ENOSPC for too many long strings; then nothing is
    written. `room`: 512 bytes for the values."""
    error = _collect(room, fmt, values, count)
    if error < 0:
        return error
    length = _print(text, size, fmt, room)
    if size > 0:
        if length < size:
            text[length] = u8(0)
        else:
            text[size - 1] = u8(0)
    return i64(length)
