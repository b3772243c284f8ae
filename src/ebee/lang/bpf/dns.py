"""DNS messages (RFC 1035): their header, and names."""

from __future__ import annotations

from typing import Literal

from ebee.lang.bpf.packets import Packet
from ebee.lang.bpf.programs import func
from ebee.types import array, be16, char, struct, u8, u16, u32

DNS_PORT = 53
"""UDP port of name servers."""

NAME = 64
"""Bytes of a DnsName."""

POINTERS = 4
"""Compression pointers that lead from one to the next."""

FAR = 0x3FFF
"""Where in a message a pointer can lead."""

DOT = 46


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


@struct
class DnsName:
    """A name as text: "www.example.org", zero bytes behind it."""

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
            symbol = u8(DOT)
        else:
            left -= 1
        if i > 0:
            name.text[i - 1] = symbol
    return False


@func
def read_dns_name_in(message: Packet, packet: Packet, name: DnsName) -> bool:
    """The same anywhere in a message, whose beginning `message` is the cursor of: compressed names
    are followed (section 4.1.4), with at most 4 pointers in a row; what leads round in a circle is
    longer than a DnsName, so False. Messages have at most 16,383 bytes. `packet` is behind the
    name then, `message` somewhere else. Since Linux 6.12: the verifier of 6.1 loses track of it."""
    # Masks bring numbers back into one range, and places are compared, not letters counted: so the
    # verifier finds the rounds alike, and does not follow each way through all of them.
    start = message.at
    whole, rest = message.remaining(), packet.remaining()
    if rest > whole or whole > FAR:
        return False
    at = (whole - rest) & FAR  # of the next byte, in the message
    label = at  # of the next length
    behind = u32(0)  # where the name ends in its own place, once a pointer has been followed
    followed = u8(0)
    name.length = 0
    for i in range(NAME):
        symbol = u8(0)
        for _ in range(POINTERS + 1):
            message.at = start
            if not message.skip(at & FAR):
                return False
            letter = message.take(_Byte)
            if letter is None:
                return False
            symbol = letter.value
            if at != label or symbol < 64:
                break
            low = message.take(_Byte)
            if low is None or symbol < 0xC0:
                return False
            if followed == 0:
                behind = at + 2
            followed = u8(1)
            at = u32(symbol & 63) << 8 | low.value
            label = at
        else:
            return False
        if at == label:
            if symbol == 0:
                name.length = 0 if i == 0 else i - 1
                packet.at = start
                return packet.skip((at + 1 if followed == 0 else behind) & 0x7FFF)
            label = (at + symbol + 1) & FAR
            symbol = u8(DOT)
        at = (at + 1) & FAR
        if i > 0:
            name.text[i - 1] = symbol
    return False


__all__ = ["DNS", "DNS_PORT", "DnsName", "read_dns_name", "read_dns_name_in"]
