"""How one type lies in one item of a `struct` format: the parts of a Codec."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Any

from ebee.btf.names import suggest
from ebee.btf.types import Enumeration
from ebee.btf.values import EnumValue
from ebee.errors import BtfError

Buffer = bytes | bytearray | memoryview

UNSIGNED = {1: "B", 2: "H", 4: "I", 8: "Q"}
FLOATS = {2: "e", 4: "f", 8: "d"}


class Node:
    """A type, as one item of a `struct` format: `value` makes the item a Python value, `pack`
    makes bytes of a Python value (`path` is the member's, for messages)."""

    direct = False
    """Whether items are values as they stand."""
    flexible = False
    """Whether this ends in a flexible array, so that more bytes may follow."""

    def __init__(self, prefix: str, size: int, label: str, format: str = ""):
        self.prefix = prefix
        self.size = size
        self.label = label
        self.format = format or f"{size}s"

    def value(self, item: Any) -> Any:
        return item

    def read(self, buffer: Buffer, offset: int) -> Any:
        """The value at `offset`."""
        (item,) = struct.unpack_from(self.prefix + self.format, buffer, offset)
        return self.value(item)

    def pack(self, value: Any, path: str) -> bytes:
        raise NotImplementedError

    def number(self, value: Any, path: str) -> int:
        """The integer that `value` stands for, for a bitfield."""
        raise self.refuse(value, path, "cannot be a bitfield")

    def refuse(self, value: Any, path: str, why: str = "") -> BtfError:
        shown = repr(value)
        shown = shown if len(shown) <= 60 else shown[:57] + "..."
        where = f"member {path}: " if path else ""
        return BtfError(f"{where}{shown} {why or 'is no value'} for {self.label}")

    def compile(
        self, describe: Callable[[], str]
    ) -> tuple[Callable[[Buffer], Any], Callable[..., Any], Callable[[Any], bytes]]:
        """decode, decode_from and encode of Codec."""
        layout = struct.Struct(self.prefix + self.format)
        unpack, unpack_from, value = layout.unpack, layout.unpack_from, self.value
        direct = self.direct

        def decode(data: Buffer) -> Any:
            try:
                (item,) = unpack(data)
            except struct.error:
                raise wrong_length(data, self.size, describe) from None
            return item if direct else value(item)

        def decode_from(buffer: Buffer, offset: int = 0) -> Any:
            try:
                (item,) = unpack_from(buffer, offset)
            except struct.error:
                raise wrong_length(memoryview(buffer)[offset:], self.size, describe) from None
            return item if direct else value(item)

        return decode, decode_from, lambda value: self.pack(value, "")


def wrong_length(data: Buffer, size: int, describe: Callable[[], str]) -> BtfError:
    return BtfError(f"{len(data)} bytes given for {describe()}, which takes {size}")


class Integer(Node):
    """An integer of 1, 2, 4 or 8 bytes, or a pointer."""

    direct = True

    def __init__(self, prefix: str, size: int, signed: bool, label: str):
        code = UNSIGNED[size]
        super().__init__(prefix, size, label, code.lower() if signed else code)
        self.low = -1 << size * 8 - 1 if signed else 0
        self.high = self.low + (1 << size * 8) - 1
        self._pack = struct.Struct(prefix + self.format).pack

    def pack(self, value: Any, path: str) -> bytes:
        try:
            return self._pack(value)
        except struct.error:
            raise self.misfit(value, path) from None

    def number(self, value: Any, path: str) -> int:
        if not hasattr(value, "__index__"):
            raise self.misfit(value, path)
        return int(value)

    def misfit(self, value: Any, path: str) -> BtfError:
        if hasattr(value, "__index__"):
            return self.refuse(value, path, f"is out of range {self.low}..{self.high}")
        return self.refuse(value, path, "is no integer")


class Wide(Node):
    """An integer of any width that `struct` does not know: __int128."""

    def __init__(self, prefix: str, size: int, signed: bool, label: str):
        super().__init__(prefix, size, label)
        self.signed = signed
        self.order: Any = "little" if prefix == "<" else "big"

    def value(self, item: bytes) -> int:
        return int.from_bytes(item, self.order, signed=self.signed)

    def pack(self, value: Any, path: str) -> bytes:
        try:
            return value.__index__().to_bytes(self.size, self.order, signed=self.signed)  # type: ignore[no-any-return]
        except AttributeError:
            raise self.refuse(value, path, "is no integer") from None
        except OverflowError:
            raise self.refuse(value, path, f"does not fit in {self.size} bytes") from None


class Bool(Node):
    """bool: any byte but 0 is True."""

    direct = True

    def __init__(self, prefix: str, size: int, label: str):
        super().__init__(prefix, size, label, "?")

    def value(self, item: Any) -> bool:
        return bool(item)

    def number(self, value: Any, path: str) -> int:
        if not isinstance(value, int) or value not in (0, 1):
            raise self.refuse(value, path, "is neither True nor False")
        return int(value)

    def pack(self, value: Any, path: str) -> bytes:
        return bytes([self.number(value, path)])


class Real(Node):
    """A floating-point number of 2, 4 or 8 bytes."""

    direct = True

    def __init__(self, prefix: str, size: int, label: str):
        super().__init__(prefix, size, label, FLOATS[size])

    def pack(self, value: Any, path: str) -> bytes:
        try:
            return struct.pack(self.prefix + self.format, value)
        except (struct.error, OverflowError):
            raise self.refuse(value, path, "is no number that fits") from None


class Choice(Integer):
    """An enumeration."""

    direct = False

    def __init__(self, prefix: str, found: Enumeration, label: str):
        super().__init__(prefix, found.size, found.signed, label)
        # Of several names for one value the first is shown, as C programmers expect.
        self.names = dict(reversed(found.values))
        self.members = {v.value: EnumValue(v.value, v.name) for v in reversed(found.values)}

    def value(self, item: int) -> EnumValue:
        found = self.members.get(item)
        return EnumValue(item) if found is None else found

    def number(self, value: Any, path: str) -> int:
        if isinstance(value, str):
            if value not in self.names:
                raise self.refuse(value, path, f"is no name{suggest(value, self.names)}")
            return self.names[value]
        return super().number(value, path)

    def pack(self, value: Any, path: str) -> bytes:
        return super().pack(self.number(value, path), path)


class Raw(Node):
    """Bytes as they stand: long double, and values without a type."""

    direct = True

    def pack(self, value: Any, path: str) -> bytes:
        data = as_bytes(value)
        if data is None or len(data) != self.size:
            raise self.refuse(value, path, "is not the bytes")
        return data


def as_bytes(value: Any) -> bytes | None:
    return bytes(value) if isinstance(value, (bytes, bytearray, memoryview)) else None


class Chars(Node):
    """An array of char: text."""

    def value(self, item: bytes) -> str | bytes:
        try:
            return item.partition(b"\0")[0].decode()
        except UnicodeDecodeError:
            return item

    def pack(self, value: Any, path: str) -> bytes:
        if isinstance(value, str):
            if "\0" in value:
                raise self.refuse(value, path, "has a NUL inside, which ends the text")
            data: bytes | None = value.encode("utf-8", "surrogateescape")
        else:
            data = as_bytes(value)
        if data is None:
            raise self.refuse(value, path, "is neither str nor bytes")
        if len(data) > self.size and not self.flexible:
            raise self.refuse(value, path, f"takes {len(data)} bytes, which is too long")
        return data.ljust(self.size, b"\0")


class Elements(Node):
    """An array of anything else."""

    def __init__(self, element: Node, count: int, label: str):
        super().__init__(element.prefix, element.size * count, label)
        self.element = element
        self.count = count

    def value(self, item: bytes) -> list[Any]:
        element = self.element
        if not element.size:
            return [element.value(b"") for _ in range(self.count)]
        count = len(item) // element.size
        whole = item[: count * element.size]
        slots = struct.iter_unpack(self.prefix + element.format, whole)
        if element.direct:
            return [slot for (slot,) in slots]
        return [element.value(slot) for (slot,) in slots]

    def pack(self, value: Any, path: str) -> bytes:
        data = as_bytes(value)
        if data is not None:
            if self.element.size != 1 and len(data) != self.size:
                raise self.refuse(value, path, f"is not the {self.size} bytes")
            value = data if self.element.size == 1 else self.value(data)
        if isinstance(value, str) or not isinstance(value, Sequence):
            raise self.refuse(value, path, "is no sequence")
        if len(value) > self.count and not self.flexible:
            raise self.refuse(value, path, f"has {len(value)} elements, more than {self.count},")
        pack = self.element.pack
        packed = b"".join([pack(item, f"{path}[{number}]") for number, item in enumerate(value)])
        return packed.ljust(self.size, b"\0")
