"""Internet checksums (RFC 1071), made anew and corrected (RFC 1624). Plain functions of numbers."""

from __future__ import annotations

from ebee.lang.bpf.packets import IPv4
from ebee.lang.bpf.programs import func
from ebee.types import u16, u32, u64


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


__all__ = ["fold_checksum", "ipv4_checksum", "replace_checksum16", "replace_checksum32"]
