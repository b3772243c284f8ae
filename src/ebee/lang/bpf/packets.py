"""Packets: headers as structs, and a cursor that never goes past the end.

    packet = ctx.packet()
    eth = packet.parse(Ethernet)
    if eth is None:                  # too short
        return XDP.PASS
    if eth.type == ETH_IP: ...       # network order is the type's business: compare and assign

`parse` gives the next header and moves on, or None when the packet has no more bytes (or the
header is malformed: IPv4 and IPv6 look at their version and length); the cursor then stays.
Headers of your own are @struct classes like these; `@parser(Header)` gives one its own checks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from ebee.lang.bpf.programs import func
from ebee.types import array, be16, be32, ptr, struct, u8, u32

H = TypeVar("H")

PARSERS: dict[type, Callable[..., Any]] = {}
"""Headers with checks of their own."""


def parser(header: type) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator of `def f(packet: Packet) -> Header | None`: what `packet.parse(Header)`
    does. It begins with `packet.take(Header)`."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        PARSERS[header] = function = func(function)
        return function

    return register


@struct
class Packet:
    """What is left of a packet: `at` the next byte, `end` behind the last one."""

    at: ptr[u8]
    end: ptr[u8]

    if TYPE_CHECKING:

        def parse(self, header: type[H]) -> H | None:
            """The next header, by its own checks; None when it is not there whole, or malformed."""

        def take(self, header: type[H]) -> H | None:
            """The next bytes as a header, without further checks; None when there are fewer."""

        def skip(self, size: int) -> bool:
            """Move on by up to 65535 bytes; False when there are fewer."""

        def remaining(self) -> u32:
            """Bytes that are left."""


# --- link layer ----------------------------------------------------------------------------------

ETH_IP, ETH_ARP, ETH_IPV6 = 0x0800, 0x0806, 0x86DD
ETH_VLAN, ETH_QINQ = 0x8100, 0x88A8


@struct
class Ethernet:
    """Ethernet II header. `type`: ETH_IP and its like."""

    destination: array[u8, Literal[6]]
    source: array[u8, Literal[6]]
    type: be16


@struct
class Vlan:
    """IEEE 802.1Q tag, behind an Ethernet header or another tag. `tci & 0xfff`: the VLAN."""

    tci: be16
    type: be16


# --- network layer -------------------------------------------------------------------------------

ICMP_PROTOCOL, TCP_PROTOCOL, UDP_PROTOCOL, ICMPV6_PROTOCOL = 1, 6, 17, 58
HOP_BY_HOP, ROUTING, FRAGMENT_HEADER, AUTHENTICATION, DESTINATION = 0, 43, 44, 51, 60


@struct
class IPv4:
    """IPv4 header (RFC 791) without its options, which `parse` checks and skips."""

    version_ihl: u8
    tos: u8
    total_length: be16
    id: be16
    flags_offset: be16
    ttl: u8
    protocol: u8
    checksum: be16
    source: be32
    destination: be32


@struct
class IPv6:
    """IPv6 header (RFC 8200)."""

    version_class: be32
    payload_length: be16
    next_header: u8
    hop_limit: u8
    source: array[u8, Literal[16]]
    destination: array[u8, Literal[16]]


@struct
class IPv6Extension:
    """What extension headers have in common. `parse` also skips the rest of one of `length` units
    of 8 bytes; for fragment and authentication headers use `take`."""

    next_header: u8
    length: u8
    offset: be16
    data: be32


@parser(IPv4)
def parse_ipv4(packet: Packet) -> IPv4 | None:
    """A header of version 4, whole with its options, and no longer than the datagram."""
    start = packet.at
    ip = packet.take(IPv4)
    if ip is None:
        return None
    length = u32(ip.version_ihl & 15) * 4
    if ip.version_ihl >> 4 != 4 or length < 20 or ip.total_length < length:
        packet.at = start
        return None
    packet.at = start
    if not packet.skip(length):
        return None
    return ip


@parser(IPv6)
def parse_ipv6(packet: Packet) -> IPv6 | None:
    """A header of version 6."""
    start = packet.at
    ip = packet.take(IPv6)
    if ip is None:
        return None
    if ip.version_class >> 28 != 6:
        packet.at = start
        return None
    return ip


@parser(IPv6Extension)
def parse_extension(packet: Packet) -> IPv6Extension | None:
    """An extension header, whole."""
    start = packet.at
    header = packet.take(IPv6Extension)
    if header is None:
        return None
    packet.at = start
    if not packet.skip((u32(header.length) + 1) * 8):
        return None
    return header


# --- transport -----------------------------------------------------------------------------------


@struct
class TCP:
    """TCP header without options."""

    source: be16
    destination: be16
    sequence: be32
    acknowledgement: be32
    offset_flags: be16
    window: be16
    checksum: be16
    urgent: be16


@struct
class UDP:
    """UDP header."""

    source: be16
    destination: be16
    length: be16
    checksum: be16


@struct
class ICMP:
    """ICMP header."""

    type: u8
    code: u8
    checksum: be16
    rest: be32


@struct
class ICMPv6:
    """ICMPv6 header."""

    type: u8
    code: u8
    checksum: be16
    rest: be32


__all__ = [
    "AUTHENTICATION", "DESTINATION", "ETH_ARP", "ETH_IP", "ETH_IPV6", "ETH_QINQ", "ETH_VLAN",
    "FRAGMENT_HEADER", "HOP_BY_HOP", "ICMP", "ICMPV6_PROTOCOL", "ICMP_PROTOCOL", "ROUTING", "TCP",
    "TCP_PROTOCOL", "UDP", "UDP_PROTOCOL", "Ethernet", "ICMPv6", "IPv4", "IPv6", "IPv6Extension",
    "Packet", "Vlan", "parser",
]  # fmt: skip
