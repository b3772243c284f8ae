"""More headers: ARP, SCTP, tunnels, DNS. Each is a @struct as `packets` has them.

`parse` skips what a header says it brings along: keys of GRE, options of Geneve.
"""

from __future__ import annotations

from typing import Literal

from ebee.lang.bpf.packets import Packet, parser
from ebee.lang.bpf.programs import func
from ebee.types import array, be16, be32, char, struct, u8, u16, u32

IPIP_PROTOCOL, IPV6_PROTOCOL, GRE_PROTOCOL, SCTP_PROTOCOL = 4, 41, 47, 132
"""Protocols of IP packets: IPv4 and IPv6 inside IP (parse the inner header), GRE, SCTP."""

VXLAN_PORT, GENEVE_PORT, DNS_PORT = 4789, 6081, 53
"""UDP ports of tunnels and of name servers."""

ARP_REQUEST, ARP_REPLY = 1, 2


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
    if arp.hardware != 1 or arp.protocol != 0x0800 or arp.hardware_size != 6:
        packet.at = start
        return None
    return arp


@struct
class SCTP:
    """SCTP common header (RFC 9260)."""

    source: be16
    destination: be16
    tag: be32
    checksum: u32


@struct
class GRE:
    """GRE header (RFC 2784, 2890); `parse` skips checksum, key and sequence number."""

    flags: be16
    protocol: be16


@parser(GRE)
def parse_gre(packet: Packet) -> GRE | None:
    """A header of version 0 with all that its flags announce."""
    start = packet.at
    gre = packet.take(GRE)
    if gre is None:
        return None
    more = u32(4) * (gre.flags >> 15 & 1) + 4 * (gre.flags >> 13 & 1) + 4 * (gre.flags >> 12 & 1)
    packet.at = start
    if gre.flags & 7 != 0 or not packet.skip(more + 4):
        return None
    return gre


@struct
class VXLAN:
    """VXLAN header (RFC 7348), behind UDP; an Ethernet frame follows."""

    flags: be32
    network: be32

    @property
    def vni(self) -> u32:
        """The virtual network's number."""
        return u32(self.network >> 8)


@struct
class Geneve:
    """Geneve header (RFC 8926), behind UDP; `parse` skips its options."""

    version_length: u8
    flags: u8
    protocol: be16
    network: be32

    @property
    def vni(self) -> u32:
        """The virtual network's number."""
        return u32(self.network >> 8)


@parser(Geneve)
def parse_geneve(packet: Packet) -> Geneve | None:
    """A header of version 0, whole with its options."""
    start = packet.at
    geneve = packet.take(Geneve)
    if geneve is None:
        return None
    packet.at = start
    if geneve.version_length >> 6 != 0 or not packet.skip(u32(geneve.version_length & 63) * 4 + 8):
        return None
    return geneve


@struct
class DNS:
    """DNS message header (RFC 1035)."""

    id: be16
    flags: be16
    questions: be16
    answers: be16
    authorities: be16
    additional: be16

    @property
    def is_response(self) -> bool:
        """Whether this is an answer."""
        return bool(self.flags >> 15)


NAME = 64
"""Bytes of a DnsName."""


@struct
class DnsName:
    """A name as text: "www.example.org", zero bytes behind it; longer ones are cut."""

    length: u16
    text: array[char, Literal[64]]


@struct
class _Byte:
    value: u8


@func
def read_dns_name(packet: Packet, name: DnsName) -> bool:
    """Read the name that follows in a DNS question; False when the packet ends, or the name is
    compressed or longer than a DnsName holds."""
    left = u8(0)  # letters of a label that are still to come
    name.length = 0
    for i in range(NAME):
        letter = packet.take(_Byte)
        if letter is None:
            return False
        symbol = letter.value
        if left == 0:
            if symbol == 0:
                name.length = 0 if i == 0 else i - 1
                return True
            if symbol > 63:
                return False
            left = symbol
            symbol = u8(46)  # a dot
        else:
            left -= 1
        if i > 0:
            name.text[i - 1] = symbol
    return False


__all__ = [
    "ARP", "ARP_REPLY", "ARP_REQUEST", "DNS", "DNS_PORT", "GENEVE_PORT", "GRE", "GRE_PROTOCOL",
    "IPIP_PROTOCOL", "IPV6_PROTOCOL", "SCTP", "SCTP_PROTOCOL", "VXLAN", "VXLAN_PORT", "DnsName",
    "Geneve", "read_dns_name",
]  # fmt: skip
