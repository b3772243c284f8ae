"""Internet checksums (RFC 1071), made anew and corrected (RFC 1624). Plain functions of numbers."""

from __future__ import annotations

from typing import Literal

from ebee.lang.bpf.packets import IPv4, IPv6, Packet
from ebee.lang.bpf.programs import func
from ebee.types import array, struct, u8, u16, u32, u64

MOST = 0x3FFF
"""Bytes that are summed: more cost the verifier too much."""


@struct
class _Part:
    words: array[u32, Literal[16]]


@struct
class _Word:
    value: u32


@struct
class _Byte:
    value: u8


@func
def fold_checksum(total: u64) -> u16:
    """The checksum of a sum of 16-bit words: carries added, then all bits turned."""
    total = (total & 0xFFFF_FFFF) + (total >> 32)
    total = (total & 0xFFFF) + (total >> 16)
    total = (total & 0xFFFF) + (total >> 16)
    total = (total & 0xFFFF) + (total >> 16)
    return u16(~total)


@func
def replace_checksum16(checksum: u16, old: u16, new: u16) -> u16:
    """A checksum after one of its 16-bit words has changed."""
    return fold_checksum(u64(~checksum) + ~old + new)


@func
def replace_checksum32(checksum: u16, old: u32, new: u32) -> u16:
    """A checksum after 32 bits (an address, say) have changed."""
    before = u64(u16(~(old >> 16))) + u16(~old)
    return fold_checksum(u64(~checksum) + before + (new >> 16) + (new & 0xFFFF))


@func
def ipv4_checksum(ip: IPv4) -> u16:
    """The checksum of an IPv4 header without options."""
    total = u64(ip.version_ihl) * 256 + ip.tos + ip.total_length + ip.id + ip.flags_offset
    total += u64(ip.ttl) * 256 + ip.protocol
    for address in (ip.source, ip.destination):
        total += (address >> 16) + (address & 0xFFFF)
    return fold_checksum(total)


@func
def sum_bytes(packet: Packet, length: u32) -> u64:
    """The sum of the next `length` bytes as 16-bit words, or of those that are there, at most
    16,383; the cursor moves behind them. `fold_checksum` makes a checksum of it, and of what else
    is added."""
    # Where each loop has ended the cursor is put by the size, so that the verifier sees one case.
    start = packet.at
    size = min(length, packet.remaining(), u32(MOST))
    total = u64(0)  # of words in the host's order, which a sum does not mind (RFC 1071, 2.B)
    for _ in range(size >> 6):
        part = packet.take(_Part)
        if part is None:
            break
        for number in part.words:
            total += number
    packet.at = start
    packet.skip(size & 0x3FC0)
    for _ in range(size >> 2 & 15):
        word = packet.take(_Word)
        if word is None:
            break
        total += word.value
    packet.at = start
    packet.skip(size & 0x3FFC)
    for i in range(size & 3):
        byte = packet.take(_Byte)
        if byte is None:
            break
        total += u64(byte.value) << i * 8
    folded = ~fold_checksum(total)
    return u64(folded >> 8 | folded << 8)


@func
def pseudo_sum4(ip: IPv4, length: u32) -> u64:
    """The sum of the pseudo header that checksums of TCP and UDP over IPv4 begin with; `length`:
    of their own header and data."""
    total = u64(ip.protocol) + length
    for address in (ip.source, ip.destination):
        total += (address >> 16) + (address & 0xFFFF)
    return u64(total)


@func
def pseudo_sum6(ip: IPv6, protocol: u8, length: u32) -> u64:
    """The same over IPv6, and of ICMPv6: `protocol` is the one behind extension headers."""
    total = u64(protocol) + (length >> 16) + (length & 0xFFFF)
    for i in range(8):
        total += (u64(ip.source[2 * i]) << 8) + ip.source[2 * i + 1]
        total += (u64(ip.destination[2 * i]) << 8) + ip.destination[2 * i + 1]
    return u64(total)


__all__ = [
    "fold_checksum", "ipv4_checksum", "pseudo_sum4", "pseudo_sum6", "replace_checksum16",
    "replace_checksum32", "sum_bytes",
]  # fmt: skip
