"""A little rtnetlink: what it takes to attach XDP, classifiers and routes without links, and to
look at them; small enough that no library has to be imported for it.

Messages are a fixed part and attributes; attributes are (type, value) pairs here, where a value is
bytes, text (zero-terminated), a list of pairs (nested) or an int (u32). Formats and numbers are
those of include/uapi/linux/{netlink,rtnetlink,if_link,pkt_sched,pkt_cls}.h.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from ebee.linux.errors import refused

Value: TypeAlias = "bytes | str | int | Sequence[tuple[int, Any]]"
Pairs: TypeAlias = Sequence[tuple[int, Value]]

NEWLINK, GETLINK, SETLINK = 16, 18, 19
NEWROUTE, DELROUTE = 24, 25
NEWQDISC, DELQDISC, GETQDISC = 36, 37, 38
NEWTFILTER, DELTFILTER, GETTFILTER = 44, 45, 46
REQUEST, ACK, ECHO, DUMP = 1, 4, 8, 0x300
REPLACE, EXCL, CREATE = 0x100, 0x200, 0x400

IFLA_IFNAME, IFLA_LINKINFO, IFLA_XDP = 3, 18, 43
TCA_KIND, TCA_OPTIONS = 1, 2

_HEADER = struct.Struct("=IHHII")
_ATTRIBUTE = struct.Struct("=HH")
_ERROR, _DONE = 2, 3
_CAPPED, _TLVS = 0x100, 0x200
_ERR_MESSAGE = 1
_NESTED = 0x8000
_SOL_NETLINK, _EXT_ACK = 270, 11
_ROOM = 1 << 16


class Route:
    """A connection to rtnetlink, in the network namespace of the thread that makes it.

        with Route() as route:
            route.ask(SETLINK, interface_message(index), [(IFLA_XDP, [(1, fd)])], "attach XDP")

    Failures are KernelErrors; `doing` says what was being done.
    """

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
        self._socket.setsockopt(_SOL_NETLINK, _EXT_ACK, 1)
        self._sequence = 0

    def ask(
        self, type: int, fixed: bytes, attributes: Pairs, doing: str, flags: int = 0
    ) -> list[bytes]:
        """Have something done; what came back before the acknowledgement (with ECHO)."""
        return list(self._exchange(type, fixed, attributes, doing, flags | ACK))

    def dump(
        self, type: int, fixed: bytes, doing: str, size: int, attributes: Pairs = ()
    ) -> Iterator[tuple[bytes, dict[int, bytes]]]:
        """Everything of a kind: the fixed part, of `size` bytes, and the attributes by number."""
        for body in self._exchange(type, fixed, attributes, doing, DUMP):
            yield body[:size], parse(body[size:])

    def _exchange(
        self, type: int, fixed: bytes, attributes: Pairs, doing: str, flags: int
    ) -> Iterator[bytes]:
        self._sequence += 1
        body = fixed + pack(attributes)
        size = _HEADER.size + len(body)
        self._socket.send(_HEADER.pack(size, type, REQUEST | flags, self._sequence, 0) + body)
        while True:
            data = self._socket.recv(_ROOM)
            at = 0
            while at + _HEADER.size <= len(data):
                size, kind, got, sequence, _ = _HEADER.unpack_from(data, at)
                part = data[at + _HEADER.size : at + size]
                at += (size + 3) & ~3
                if sequence != self._sequence:
                    continue
                if kind in (_ERROR, _DONE):
                    _raise(part, got, doing)
                    return
                yield part

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> Route:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _raise(part: bytes, flags: int, doing: str) -> None:
    """The error of an acknowledgement, in the kernel's own words where it has some."""
    (code,) = struct.unpack_from("=i", part)
    if not code:
        return
    text = ""
    if flags & _TLVS and len(part) >= 4 + _HEADER.size:
        (inner,) = struct.unpack_from("=I", part, 4)
        skip = _HEADER.size if flags & _CAPPED else (inner + 3) & ~3
        text = parse(part[4 + skip :]).get(_ERR_MESSAGE, b"").rstrip(b"\0").decode(errors="replace")
    number = -code
    text = text.rstrip(".") or {errno.EPERM: ""}.get(number, "")
    raise refused(OSError(number, os.strerror(number)), doing, text, needs=("CAP_NET_ADMIN",))


def pack(attributes: Pairs) -> bytes:
    """Attributes in bytes."""
    out = b""
    for type, value in attributes:
        if isinstance(value, int):
            raw = struct.pack("=I", value & 0xFFFF_FFFF)
        elif isinstance(value, str):
            raw = value.encode() + b"\0"
        elif isinstance(value, bytes):
            raw = value
        else:
            raw, type = pack(value), type | _NESTED
        out += _ATTRIBUTE.pack(_ATTRIBUTE.size + len(raw), type) + raw
        out += bytes(-len(raw) % 4)
    return out


def parse(data: bytes) -> dict[int, bytes]:
    """Attributes by type; nested ones are bytes to be parsed again."""
    found: dict[int, bytes] = {}
    at = 0
    while at + _ATTRIBUTE.size <= len(data):
        size, type = _ATTRIBUTE.unpack_from(data, at)
        if size < _ATTRIBUTE.size:
            break
        found[type & 0x3FFF] = data[at + _ATTRIBUTE.size : at + size]
        at += (size + 3) & ~3
    return found


def number(raw: bytes) -> int:
    """An attribute that is an unsigned number."""
    import sys

    return int.from_bytes(raw, sys.byteorder)


def text(raw: bytes) -> str:
    """An attribute that is text."""
    return raw.rstrip(b"\0").decode(errors="replace")


# -- the fixed parts -------------------------------------------------------------------------------

INTERFACE = struct.Struct("=BxHiII")  # struct ifinfomsg
TRAFFIC = struct.Struct("=BxxxiIII")  # struct tcmsg
ROUTE = struct.Struct("=BBBBBBBBI")  # struct rtmsg


def interface_message(index: int = 0) -> bytes:
    return INTERFACE.pack(0, 0, index, 0, 0)


def traffic_message(index: int, handle: int = 0, parent: int = 0, info: int = 0) -> bytes:
    return TRAFFIC.pack(0, index, handle, parent, info)
