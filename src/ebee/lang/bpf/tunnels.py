"""Headers of tunnels: GRE, VXLAN, Geneve. `parse` skips what a header says it brings along."""

from __future__ import annotations

from enum import IntFlag

from ebee.lang.bpf.packets import Packet, parser
from ebee.lang.bpf.programs import func
from ebee.types import be16, be32, struct, u8, u16, u32

VXLAN_PORT, GENEVE_PORT = 4789, 6081
"""UDP ports."""

REFUSED = 0x4007
"""Of GRE's flags: routing (RFC 1701) and versions other than 0 are not read, as in Linux."""

GENEVE_OPTIONS = 63
"""Options that a header can have: 252 bytes, 4 each at least."""


@struct
class GRE:
    """GRE header (RFC 2784, 2890); `parse` skips checksum, key and sequence number, which
    `read_gre` reads."""

    flags: be16
    protocol: be16


class GreFlags(IntFlag):
    """What a GRE header brings along."""

    CHECKSUM = 0x8000
    KEY = 0x2000
    SEQUENCE = 0x1000


@struct
class GreFields:
    """A whole GRE header in host order, to read and to write; numbers that `flags` does not
    announce are 0. The checksum is over header and payload, see `sum_bytes`."""

    flags: u16
    protocol: u16
    checksum: u16
    padding: u16
    key: u32
    sequence: u32

    @property
    def size(self) -> u32:
        """Bytes on the wire: 4 to 16."""
        return gre_size(self.flags)


@struct
class _Number:
    value: be32


@func
def gre_size(flags: u16) -> u32:
    """Bytes of a GRE header with these flags."""
    return u32(((flags >> 15 & 1) + (flags >> 13 & 1) + (flags >> 12 & 1) + 1) * 4)


@parser(GRE)
def parse_gre(packet: Packet) -> GRE | None:
    """A header of version 0, without routing, with all that its flags announce."""
    start = packet.at
    gre = packet.take(GRE)
    if gre is None:
        return None
    packet.at = start
    if gre.flags & REFUSED != 0 or not packet.skip(gre_size(gre.flags) & 31):
        return None
    return gre


@func
def read_gre(packet: Packet, fields: GreFields) -> bool:
    """Read the GRE header that follows, with checksum, key and sequence number; False when it is
    cut off, or of a kind that `parse` refuses. The cursor is behind it then."""
    gre = packet.take(GRE)
    if gre is None or gre.flags & REFUSED != 0:
        return False
    fields.flags = gre.flags
    fields.protocol = gre.protocol
    fields.checksum = u16(0)
    fields.key = u32(0)
    fields.sequence = u32(0)
    if fields.flags & GreFlags.CHECKSUM:
        checksum = packet.take(_Number)
        if checksum is None:
            return False
        fields.checksum = u16(checksum.value >> 16)
    if fields.flags & GreFlags.KEY:
        key = packet.take(_Number)
        if key is None:
            return False
        fields.key = key.value
    if fields.flags & GreFlags.SEQUENCE:
        sequence = packet.take(_Number)
        if sequence is None:
            return False
        fields.sequence = sequence.value
    return True


@func
def write_gre(packet: Packet, fields: GreFields) -> bool:
    """Write a GRE header at the cursor, which moves behind it; False when there is no room for
    what `fields.flags` announces."""
    gre = packet.take(GRE)
    if gre is None:
        return False
    gre.flags = fields.flags
    gre.protocol = fields.protocol
    if fields.flags & GreFlags.CHECKSUM:
        checksum = packet.take(_Number)
        if checksum is None:
            return False
        checksum.value = u32(fields.checksum) << 16
    if fields.flags & GreFlags.KEY:
        key = packet.take(_Number)
        if key is None:
            return False
        key.value = fields.key
    if fields.flags & GreFlags.SEQUENCE:
        sequence = packet.take(_Number)
        if sequence is None:
            return False
        sequence.value = fields.sequence
    return True


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


@struct
class GeneveOption:
    """Head of an option of Geneve; `parse` also skips its data, of `length & 31` times 4 bytes.
    Bit 7 of `type`: who does not know the option drops the packet."""

    option_class: be16
    type: u8
    length: u8


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


@parser(GeneveOption)
def parse_geneve_option(packet: Packet) -> GeneveOption | None:
    """An option, whole with its data."""
    start = packet.at
    option = packet.take(GeneveOption)
    if option is None:
        return None
    packet.at = start
    if not packet.skip(u32(option.length & 31) * 4 + 4):
        return None
    return option


@func
def find_geneve_option(
    packet: Packet, geneve: Geneve, option_class: u16, kind: u8
) -> GeneveOption | None:
    """The first option of a class and type, behind a header that was just taken (`packet.take(
    Geneve)`, not `parse`); the cursor is at its data then. None: there is none, or an option
    before it is longer than what is left."""
    left = u32(geneve.version_length & 63) * 4
    for _ in range(GENEVE_OPTIONS):
        option = packet.take(GeneveOption)
        if option is None or left < 4:
            return None
        size = u32(option.length & 31) * 4
        if size > left - 4:
            return None
        if option.option_class == option_class and option.type == kind:
            return option
        left -= size + 4
        if not packet.skip(size):
            return None
    return None


__all__ = [
    "GENEVE_PORT", "GRE", "VXLAN", "VXLAN_PORT", "Geneve", "GeneveOption", "GreFields", "GreFlags",
    "find_geneve_option", "read_gre", "write_gre",
]  # fmt: skip
