# mypy: disable-error-code="attr-defined,call-arg,no-any-return,return-value"
"""Bodies of the helpers that print: restricted Python. The text itself is made in format_ops."""

from typing import Literal

from ebee.abi.cpu import Cpu
from ebee.abi.errno import EINVAL
from ebee.helpers.format_ops import format_text
from ebee.native import byte_offset, cast, native
from ebee.types import array, i64, ptr, struct, u8, u32, u64

TEXT = 1024
"""MAX_BPRINTF_BUF: the longest line, with its NUL."""

VALUES = 12
"""MAX_BPRINTF_VARARGS."""

NEWLINE = 10


@struct
class Three:
    """The values that bpf_trace_printk takes from its registers."""

    value: array[u64, Literal[3]]


@native
def _terminated(fmt: ptr[u8], size: u32) -> bool:
    for i in range(size):  # noqa: SIM110
        if fmt[i] == 0:
            return True
    return False


@native
def _put(cpu: ptr[Cpu], byte: u8) -> None:
    trace = cpu.trace
    trace.buffer[trace.written % trace.size] = byte
    trace.written += 1


@native
def _print(cpu: ptr[Cpu], fmt: ptr[u8], size: u32, values: ptr[u64], count: u32) -> i64:
    """Format into the CPU's text room, then append that line to the trace."""
    if not _terminated(fmt, size):
        return -EINVAL
    text = byte_offset(cpu.ref.text, 0)
    length = format_text(text, u64(TEXT), fmt, values, count, byte_offset(cpu.ref.values, 0))
    if length < 0:
        return length
    last = u8(0)
    for i in range(TEXT):
        if text[i] == 0:
            break
        last = text[i]
        _put(cpu, last)
    if last != NEWLINE:
        _put(cpu, u8(NEWLINE))
    return length


@native
def trace_printk(cpu: ptr[Cpu], fmt: ptr[u8], size: u32, a: u64, b: u64, c: u64) -> i64:
    values = Three()
    first = cast(ptr[u64], values.ptr)
    first[0] = a
    first[1] = b
    first[2] = c
    return _print(cpu, fmt, size, first, u32(3))


@native
def _bad_values(values: ptr[u8], size: u32) -> bool:
    return size & 7 != 0 or size > VALUES * 8 or (size > 0 and not values)


@native
def trace_vprintk(cpu: ptr[Cpu], fmt: ptr[u8], size: u32, values: ptr[u8], length: u32) -> i64:
    if _bad_values(values, length):
        return -EINVAL
    return _print(cpu, fmt, size, cast(ptr[u64], values), length >> 3)


@native
def snprintf(
    cpu: ptr[Cpu], text: ptr[u8], size: u32, fmt: ptr[u8], values: ptr[u8], length: u32
) -> i64:
    if _bad_values(values, length):
        return -EINVAL
    room = byte_offset(cpu.ref.values, 0)
    done = format_text(text, u64(size), fmt, cast(ptr[u64], values), length >> 3, room)
    if done < 0:
        return done
    return done + 1
