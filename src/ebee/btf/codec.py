"""Between bytes and Python values, by type: what maps, variables, events and contexts hold.

| BTF | Python | encode also takes |
|---|---|---|
| bool, integers, float | bool, int, float | |
| pointer | int | |
| enum | EnumValue (an int with `.name`) | int, the name |
| array of char | str up to the NUL (bytes if not UTF-8) | bytes |
| other array | list | any sequence; bytes for 1-byte elements |
| struct, union, data section | Record | dict, tuple, bytes |

Missing members and elements are zero. What does not fit is refused with the member's path.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from ebee.btf.nodes import UNSIGNED, Buffer, Integer, Node, Raw
from ebee.btf.reader import Btf
from ebee.btf.records import MAX_SIZE, Aggregate, node_of
from ebee.btf.values import EnumValue as EnumValue
from ebee.btf.values import Record as Record
from ebee.errors import BtfError


class Codec:
    """Encodes and decodes the values of one type.

    >>> from ebee.btf import BtfBuilder, Int, Member, Struct
    >>> b = BtfBuilder()
    >>> u16 = b.add(Int("unsigned short", 2))
    >>> flow = b.add(Struct("flow", 4, (Member("src", u16, 0), Member("dst", u16, 16))))
    >>> codec = Codec(b.build(), flow)
    >>> codec.encode({"src": 80})
    b'P\\x00\\x00\\x00'
    >>> codec.decode(b"P\\0\\0\\0")
    flow(src=80, dst=0)

    size: bytes of one value. decode(data) wants exactly these (more only for a struct that ends
    in a flexible array) and raises BtfError otherwise. decode_from(buffer, offset=0) is for
    streams: it ignores what follows and is the fastest. encode(value) raises BtfError naming
    the member, what it was given and what it takes.
    """

    decode: Callable[[Buffer], Any]
    decode_from: Callable[..., Any]
    encode: Callable[[Any], bytes]

    def __init__(self, btf: Btf, type_id: int):
        """BtfError if the type has no size (void, a function, a struct without body)."""
        node = node_of(btf, type_id)
        self._set(node, lambda: _declare(btf, type_id))

    def _set(self, node: Node, describe: Callable[[], str]) -> None:
        self.size = node.size
        self.node = node
        self.describe: Callable[[], str] = describe
        self.decode, self.decode_from, self.encode = node.compile(describe)

    @classmethod
    def from_size(cls, size: int, byteorder: str = "little") -> Codec:
        """A codec without BTF: unsigned integers for 1, 2, 4 and 8 bytes, else bytes."""
        self = cls.__new__(cls)
        prefix = "<" if byteorder == "little" else ">"
        node: Node
        if size in UNSIGNED:
            node = Integer(prefix, size, False, f"u{size * 8}")
        elif 0 <= size <= MAX_SIZE:
            node = Raw(prefix, size, f"{size} bytes")
        else:
            raise BtfError(f"a value of {size} bytes cannot be")
        self._set(node, lambda: node.label)
        return self

    def decode_all(self, data: Buffer) -> list[Any]:
        """The values that stand one after the other in `data`."""
        if not self.size or len(data) % self.size:
            raise BtfError(
                f"{len(data)} bytes are no whole number of {self.describe()} ({self.size} bytes)"
            )
        value = self.node.value
        if isinstance(self.node, Aggregate):
            layout, make = self.node.layout, self.node.make
            return [make(items) for items in layout.iter_unpack(data)]
        slots = struct.iter_unpack(self.node.prefix + self.node.format, data)
        return [value(slot) for (slot,) in slots]

    def __repr__(self) -> str:
        return f"<Codec {self.describe()}: {self.size} bytes>"


def _declare(btf: Btf, id: int) -> str:
    from ebee.btf.printer import oneline

    return oneline(btf, id)
