# mypy: disable-error-code="arg-type,return-value,no-any-return,call-overload,assignment"
"""Bodies of the dynptr helpers: restricted Python."""

from ebee.abi.cpu import Cpu
from ebee.abi.errno import E2BIG, EINVAL
from ebee.maps.ringbuf_ops import Ring, claim, discard, submit
from ebee.native import byte_offset, memmove, native
from ebee.types import i64, null, ptr, struct, u8, u32, u64

SIZE = (1 << 24) - 1
"""The longest memory a dynptr can name, and the bits of `size` that hold its length."""

READ_ONLY = 1 << 31
LOCAL, RINGBUF = 1 << 28, 2 << 28
"""What the memory is, in `size` (enum bpf_dynptr_type)."""


@struct
class Dynptr:
    """struct bpf_dynptr_kern; null while `data` is."""

    data: ptr[u8]
    size: u32
    offset: u32


@native
def clear(p: ptr[Dynptr]) -> None:
    p.data = null
    p.size = 0
    p.offset = 0


@native
def make(p: ptr[Dynptr], data: ptr[u8], size: u32, kind: u32) -> None:
    p.data = data
    p.size = size | kind
    p.offset = 0


@native
def dynptr_from_mem(cpu: ptr[Cpu], data: ptr[u8], size: u32, flags: u64, p: ptr[Dynptr]) -> i64:
    if size > SIZE:
        clear(p)
        return -E2BIG
    if flags != 0:
        clear(p)
        return -EINVAL
    make(p, data, size, u32(LOCAL))
    return 0


@native
def _outside(p: ptr[Dynptr], offset: u32, length: u32) -> bool:
    size = p.size & SIZE
    return length > size or offset > size - length


@native
def dynptr_read(
    cpu: ptr[Cpu], to: ptr[u8], length: u32, p: ptr[Dynptr], offset: u32, flags: u64
) -> i64:
    if not p.data or flags != 0:
        return -EINVAL
    if _outside(p, offset, length):
        return -E2BIG
    memmove(to, byte_offset(p.data, p.offset + offset), length)
    return 0


@native
def dynptr_write(
    cpu: ptr[Cpu], p: ptr[Dynptr], offset: u32, data: ptr[u8], length: u32, flags: u64
) -> i64:
    if not p.data or p.size & READ_ONLY != 0:
        return -EINVAL
    if _outside(p, offset, length):
        return -E2BIG
    if flags != 0:
        return -EINVAL
    memmove(byte_offset(p.data, p.offset + offset), data, length)
    return 0


@native
def dynptr_data(cpu: ptr[Cpu], p: ptr[Dynptr], offset: u32, length: u32) -> ptr[u8]:
    if not p.data or _outside(p, offset, length) or p.size & READ_ONLY != 0:
        return null
    return byte_offset(p.data, p.offset + offset)


@native
def ringbuf_reserve_dynptr(
    cpu: ptr[Cpu], m: ptr[Ring], size: u32, flags: u64, p: ptr[Dynptr]
) -> i64:
    clear(p)
    if flags != 0:
        return -EINVAL
    if size > SIZE:
        return -E2BIG
    record = claim(m, u64(size))
    if not record:
        return -EINVAL
    make(p, record, size, u32(RINGBUF))
    return 0


@native
def ringbuf_submit_dynptr(cpu: ptr[Cpu], p: ptr[Dynptr], flags: u64) -> None:
    if p.data:
        submit(cpu, p.data, flags)
        clear(p)


@native
def ringbuf_discard_dynptr(cpu: ptr[Cpu], p: ptr[Dynptr], flags: u64) -> None:
    if p.data:
        discard(cpu, p.data, flags)
        clear(p)
