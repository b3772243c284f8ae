"""More headers: ARP and SCTP. Each is a @struct as `packets` has them."""

from __future__ import annotations

from enum import IntEnum
from typing import Literal

from ebee.lang.bpf.packets import Packet, parser
from ebee.lang.bpf.programs import func
from ebee.types import array, be16, be32, struct, u8, u16, u32

IPIP_PROTOCOL, IPV6_PROTOCOL, GRE_PROTOCOL, SCTP_PROTOCOL = 4, 41, 47, 132
"""Protocols of IP packets: IPv4 and IPv6 inside IP (parse the inner header), GRE, SCTP."""

ARP_REQUEST, ARP_REPLY = 1, 2


CHUNKS = 64
"""Chunks of a packet that are read."""

FAR = 0x7FFF
"""Where in a packet a chunk can begin: the verifier follows packets to twice that."""

_DATA_HEAD = 16
"""Bytes of a DATA chunk before the user's."""


@struct(packed=True)
class ARP:
    """ARP for IPv4 over Ethernet (RFC 826)."""

    hardware: be16
    protocol: be16
    hardware_size: u8
    protocol_size: u8
    operation: be16
    sender: array[u8, Literal[6]]
    sender_ip: be32
    target: array[u8, Literal[6]]
    target_ip: be32


@parser(ARP)
def parse_arp(packet: Packet) -> ARP | None:
    """A message about IPv4 over Ethernet."""
    start = packet.at
    arp = packet.take(ARP)
    if arp is None:
        return None
    if arp.hardware != 1 or arp.protocol != 0x0800:
        packet.at = start
        return None
    if arp.hardware_size != 6 or arp.protocol_size != 4:
        packet.at = start
        return None
    return arp


@struct
class SCTP:
    """SCTP common header (RFC 9260). The checksum is a CRC32c, and not corrected here."""

    source: be16
    destination: be16
    tag: be32
    checksum: u32


class SctpType(IntEnum):
    """Types of SCTP's chunks (RFC 9260, section 3.2)."""

    DATA = 0
    INIT = 1
    INIT_ACK = 2
    SACK = 3
    HEARTBEAT = 4
    HEARTBEAT_ACK = 5
    ABORT = 6
    SHUTDOWN = 7
    SHUTDOWN_ACK = 8
    ERROR = 9
    COOKIE_ECHO = 10
    COOKIE_ACK = 11
    SHUTDOWN_COMPLETE = 14


@struct
class SctpChunk:
    """Head of a chunk of SCTP; `length` counts it, and not the zeros up to the next multiple of
    4."""

    type: u8
    flags: u8
    length: be16


@struct
class SctpChunks:
    """What `read_sctp_chunks` found: how many chunks, the first one's type, the bytes of user
    data, and a bit for each type below 32 that was there."""

    count: u16
    first: u8
    padding: u8
    kinds: u32
    data: u32


@func
def read_sctp_chunks(packet: Packet, chunks: SctpChunks) -> bool:
    """Read the chunks behind a header that was just parsed, to the end of the packet; False when
    there is none, one is cut off or shorter than its head, there are more than 64, or one begins
    beyond 32,767 bytes. Zeros that
    are missing behind the last one do not matter (RFC 9260, section 3.2)."""
    start = packet.at
    size = packet.remaining()
    at = u32(0)
    for _ in range(CHUNKS):
        if at >= size:
            break
        packet.at = start
        if at > FAR or not packet.skip(at & FAR):
            return False
        chunk = packet.take(SctpChunk)
        if chunk is None:
            return False
        length = u32(chunk.length)
        if length < 4 or length > size - at:
            return False
        if chunks.count == 0:
            chunks.first = chunk.type
        if chunk.type < 32:
            chunks.kinds |= u32(1) << chunk.type
        if chunk.type == SctpType.DATA:
            if length < _DATA_HEAD:
                return False
            chunks.data += length - _DATA_HEAD
        chunks.count += 1
        at += (length + 3) & 0x1FFFC
    return chunks.count > 0 and at >= size


__all__ = [
    "ARP", "ARP_REPLY", "ARP_REQUEST", "GRE_PROTOCOL", "IPIP_PROTOCOL", "IPV6_PROTOCOL", "SCTP",
    "SCTP_PROTOCOL", "SctpChunk", "SctpChunks", "SctpType", "read_sctp_chunks",
]  # fmt: skip
