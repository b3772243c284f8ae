# mypy: disable-error-code="arg-type,return-value,no-any-return,call-overload,assignment"
"""Bodies of the XDP packet helpers: restricted Python. The machine's packets have no fragments."""

from ebee.abi.cpu import Cpu
from ebee.abi.errno import EACCES, EFAULT, EINVAL
from ebee.abi.packet import FRAME_HEADER, HEADROOM_USED, TAILROOM, Packet
from ebee.native import byte_offset, memcpy, memmove, memset, native
from ebee.types import i32, i64, ptr, u8, u32, u64

ETH_HLEN = 14
META_MAX = 255
"""The largest value of skb_shared_info.meta_len."""

REACH = 0xFFFF
"""Offsets and lengths that bpf_xdp_pointer takes."""


@native
def xdp_adjust_head(cpu: ptr[Cpu], xdp: ptr[Packet], delta: i32) -> i64:
    meta_length = xdp.data - xdp.data_meta
    data = byte_offset(xdp.data, delta)
    if data < byte_offset(xdp.frame, FRAME_HEADER + meta_length):
        return -EINVAL
    if data > byte_offset(xdp.data_end, -ETH_HLEN):
        return -EINVAL
    meta = byte_offset(xdp.data_meta, delta)
    xdp.flags = xdp.flags | HEADROOM_USED
    if meta_length > 0:
        memmove(meta, xdp.data_meta, meta_length)
    xdp.data_meta = meta
    xdp.data = data
    return 0


@native
def xdp_adjust_meta(cpu: ptr[Cpu], xdp: ptr[Packet], delta: i32) -> i64:
    meta = byte_offset(xdp.data_meta, delta)
    if meta < byte_offset(xdp.frame, FRAME_HEADER) or meta > xdp.data:
        return -EINVAL
    length = xdp.data - meta
    if length & 3 != 0 or length > META_MAX:
        return -EACCES
    xdp.flags = xdp.flags | HEADROOM_USED
    xdp.data_meta = meta
    return 0


@native
def xdp_adjust_tail(cpu: ptr[Cpu], xdp: ptr[Packet], delta: i32) -> i64:
    end = byte_offset(xdp.data_end, delta)
    if end > byte_offset(xdp.frame_end, -TAILROOM) or end < byte_offset(xdp.data, ETH_HLEN):
        return -EINVAL
    if delta > 0:
        memset(xdp.data_end, 0, delta)
    xdp.data_end = end
    return 0


@native
def xdp_get_buff_len(cpu: ptr[Cpu], xdp: ptr[Packet]) -> u64:
    return u64(xdp.data_end - xdp.data)


@native
def _outside(xdp: ptr[Packet], offset: u32, length: u32) -> i64:
    """The error of a range that is not in the packet, or 0 (bpf_xdp_pointer)."""
    if offset > REACH or length > REACH:
        return -EFAULT
    if i64(offset) + i64(length) > xdp.data_end - xdp.data:
        return -EINVAL
    return 0


@native
def xdp_load_bytes(cpu: ptr[Cpu], xdp: ptr[Packet], offset: u32, buf: ptr[u8], length: u32) -> i64:
    error = _outside(xdp, offset, length)
    if error == 0:
        memcpy(buf, byte_offset(xdp.data, offset), length)
    return error


@native
def xdp_store_bytes(cpu: ptr[Cpu], xdp: ptr[Packet], offset: u32, buf: ptr[u8], length: u32) -> i64:
    error = _outside(xdp, offset, length)
    if error == 0:
        memmove(byte_offset(xdp.data, offset), buf, length)
    return error
