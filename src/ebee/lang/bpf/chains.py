"""Headers in a row, walked to what is behind them: VLAN tags, IPv4 options, IPv6 extensions."""

from __future__ import annotations

from enum import IntEnum
from typing import Literal

from ebee.lang.bpf.packets import (
    AUTHENTICATION,
    DESTINATION,
    ETH_QINQ,
    ETH_VLAN,
    FRAGMENT_HEADER,
    HOP_BY_HOP,
    ROUTING,
    IPv4,
    Packet,
    Vlan,
)
from ebee.lang.bpf.programs import func
from ebee.native import cast
from ebee.types import array, be16, be32, ptr, struct, u8, u16, u32

TAGS = 4
"""VLAN tags that are read."""

EXTENSIONS = 8
"""Extension headers that are read."""

MOBILITY, HIP, SHIM6 = 135, 139, 140
"""Further extension headers of IPv6 (IANA)."""

MOST = 40
"""Bytes of options that an IPv4 header can have."""


@struct
class VlanTags:
    """What `read_vlan_tags` found: how many tags, outermost first, and the EtherType behind."""

    count: u16
    type: u16
    tci: array[u16, Literal[4]]


@func
def read_vlan_tags(packet: Packet, type: u16, tags: VlanTags) -> bool:
    """Read the VLAN tags behind an Ethernet header of this `type`, none to 4; False when the
    packet ends in one, or there are more. The cursor is behind them then."""
    tags.type = type
    for i in range(TAGS):
        if tags.type != ETH_VLAN and tags.type != ETH_QINQ:
            return True
        tag = packet.take(Vlan)
        if tag is None:
            return False
        tags.tci[i] = tag.tci
        tags.type = tag.type
        tags.count += 1
    return tags.type != ETH_VLAN and tags.type != ETH_QINQ


@struct
class IPv6Chain:
    """What `read_ipv6_extensions` found: the protocol behind, how many headers, and of a fragment
    (`fragment`) its place in bytes, whether more follow, and its number."""

    protocol: u8
    count: u8
    fragment: u8
    more: u8
    offset: u32
    id: u32


@struct
class _Extension:
    next_header: u8
    length: u8


@struct
class _Fragment:
    next_header: u8
    reserved: u8
    offset: be16
    id: be32


@func
def read_ipv6_extensions(packet: Packet, next_header: u8, chain: IPv6Chain) -> bool:
    """Read the extension headers behind an IPv6 header with this `next_header`, none to 8; False
    when one is cut off, or there are more. The cursor is at what `chain.protocol` says then; of a
    fragment that is not the first one (`chain.offset`), that is the middle of something."""
    chain.protocol = next_header
    for _ in range(EXTENSIONS):
        kind = chain.protocol
        if kind == FRAGMENT_HEADER:
            part = packet.take(_Fragment)
            if part is None:
                return False
            chain.fragment = u8(1)
            chain.offset = u32(part.offset & 0xFFF8)
            chain.more = u8(part.offset & 1)
            chain.id = part.id
            chain.protocol = part.next_header
            chain.count += 1
            if chain.offset != 0:
                return True
            continue
        if not is_extension(kind):
            return True
        header = packet.take(_Extension)
        if header is None:
            return False
        size = (u32(header.length) + 1) * 8
        if kind == AUTHENTICATION:
            size = (u32(header.length) + 2) * 4
        if not packet.skip(size - 2):
            return False
        chain.protocol = header.next_header
        chain.count += 1
    return not is_extension(chain.protocol) and chain.protocol != FRAGMENT_HEADER


@func
def is_extension(protocol: u8) -> bool:
    """Whether that is an extension header of IPv6 with a length of its own."""
    return protocol in (HOP_BY_HOP, ROUTING, DESTINATION, AUTHENTICATION, MOBILITY, HIP, SHIM6)


class IPv4Option(IntEnum):
    """Numbers of IPv4 options (IANA): the low five bits of their types."""

    LOOSE_ROUTE = 3
    TIMESTAMP = 4
    RECORD_ROUTE = 7
    STRICT_ROUTE = 9
    ROUTER_ALERT = 20


@struct
class IPv4Options:
    """What `read_ipv4_options` found: how many options (but for the one-byte ones), and a bit for
    each number: `options.kinds >> IPv4Option.ROUTER_ALERT & 1`."""

    count: u32
    kinds: u32


@struct
class _Byte:
    value: u8


@func
def read_ipv4_options(packet: Packet, ip: IPv4, options: IPv4Options) -> bool:
    """Read the options of a header that was parsed; False when one is longer than what is left of
    the header. The cursor stays behind them."""
    behind = packet.at
    packet.at = cast(ptr[u8], ip.ptr)  # type: ignore[attr-defined]
    whole = packet.skip(20) and walk_options(packet, u32(ip.version_ihl & 15) * 4, options)
    packet.at = behind
    return whole


@func
def walk_options(packet: Packet, header: u32, options: IPv4Options) -> bool:
    """Type, length, data; one byte for the end and for padding."""
    rest = u32(0)  # bytes of an option that are still to come
    known = True  # whether its length has been read
    for i in range(MOST):
        if i + 20 >= header:
            break
        letter = packet.take(_Byte)
        if letter is None:
            return False
        if not known:
            rest = u32(letter.value)
            if rest < 2 or rest - 2 > header - 21 - i:
                return False
            rest -= 2
            known = True
        elif rest > 0:
            rest -= 1
        else:
            if letter.value == 0:
                return True
            if letter.value != 1:
                options.kinds |= u32(1) << (letter.value & 31)
                options.count += 1
                known = False
    return known and rest == 0


__all__ = [
    "IPv4Option", "IPv4Options", "IPv6Chain", "VlanTags", "read_ipv4_options",
    "read_ipv6_extensions", "read_vlan_tags",
]  # fmt: skip
