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
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from ebee.btf.names import suggest
from ebee.btf.reader import Btf, describe
from ebee.btf.types import (
    CHAR,
    Array,
    Composite,
    Datasec,
    Enumeration,
    Float,
    Int,
    Member,
    Ptr,
    Type,
    Typedef,
    Var,
)
from ebee.btf.values import EnumValue, Record, record_class
from ebee.errors import BtfError

MAX_SIZE = 1 << 30
"""Bytes of the largest value that is decoded at once."""
Buffer = bytes | bytearray | memoryview


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
        node = _node(btf, type_id)
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
        if size in _UNSIGNED:
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


# -- nodes: how one type lies in one item of `struct` ---------------------------------------------

_UNSIGNED = {1: "B", 2: "H", 4: "I", 8: "Q"}
_FLOATS = {2: "e", 4: "f", 8: "d"}


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
                raise _wrong_length(data, self.size, describe) from None
            return item if direct else value(item)

        def decode_from(buffer: Buffer, offset: int = 0) -> Any:
            try:
                (item,) = unpack_from(buffer, offset)
            except struct.error:
                raise _wrong_length(memoryview(buffer)[offset:], self.size, describe) from None
            return item if direct else value(item)

        return decode, decode_from, lambda value: self.pack(value, "")


def _wrong_length(data: Buffer, size: int, describe: Callable[[], str]) -> BtfError:
    return BtfError(f"{len(data)} bytes given for {describe()}, which takes {size}")


class Integer(Node):
    """An integer of 1, 2, 4 or 8 bytes, or a pointer."""

    direct = True

    def __init__(self, prefix: str, size: int, signed: bool, label: str):
        code = _UNSIGNED[size]
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
        super().__init__(prefix, size, label, _FLOATS[size])

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
        data = _as_bytes(value)
        if data is None or len(data) != self.size:
            raise self.refuse(value, path, "is not the bytes")
        return data


def _as_bytes(value: Any) -> bytes | None:
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
            data = _as_bytes(value)
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
        data = _as_bytes(value)
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


class Field(NamedTuple):
    """A member of a Record, members of anonymous structs included: `size` bytes from `start`
    hold it, as a bitfield `bits` from bit `shift` on (counted from their low end)."""

    name: str
    start: int
    size: int
    node: Node
    bits: int = 0
    shift: int = 0
    signed: bool = False

    @property
    def end(self) -> int:
        return self.start + self.size


class Aggregate(Node):
    """A struct, union or data section. Its members are looked at when the first value comes, so
    a codec for a member of task_struct does not build the classes of its 600 structs."""

    def __init__(self, btf: Btf, found: Composite | Datasec, label: str):
        size = found.size
        if isinstance(found, Datasec):
            size = max([size, *(entry.offset + entry.size for entry in found.vars)])
        super().__init__("<" if btf.byteorder == "little" else ">", size, label)
        self.btf = btf
        self.found = found

    @cached_property
    def fields(self) -> dict[str, Field]:
        """The members by name, in the order of their declaration."""
        fields: dict[str, Field] = {}
        _refuse_cycle(self.btf, self.found)
        for field in _fields(self.btf, self.found, 0):
            if field.name in fields:
                raise BtfError(f"{self.label} has two members called {field.name!r}")
            if field.end > self.size:
                raise BtfError(
                    f"{self.label}: member {field.name} ends at byte {field.end} of {self.size}"
                )
            fields[field.name] = field
        return fields

    @cached_property
    def regions(self) -> list[tuple[int, int, list[Field]]]:
        """(start, end, fields) of the bytes that fields share: more than one field where unions
        or bitfields are."""
        regions: list[tuple[int, int, list[Field]]] = []
        for field in sorted(self.fields.values(), key=lambda field: field.start):
            if regions and field.start < regions[-1][1]:
                start, end, fields = regions[-1]
                regions[-1] = start, max(end, field.end), [*fields, field]
            else:
                regions.append((field.start, field.end, [field]))
        return regions

    @cached_property
    def layout(self) -> struct.Struct:
        """One item for each region; padding is skipped."""
        format, at = self.prefix, 0
        for start, end, fields in self.regions:
            alone = len(fields) == 1 and not fields[0].bits
            format += f"{start - at}x" + (fields[0].node.format if alone else f"{end - start}s")
            at = end
        return struct.Struct(format + f"{self.size - at}x")

    @cached_property
    def make(self) -> type[Record]:
        """The Record class; called with the items of `layout`."""
        getters: dict[str, Any] = dict.fromkeys(self.fields)
        for item, (start, _, fields) in enumerate(self.regions):
            for field in fields:
                alone = len(fields) == 1 and not field.bits
                getters[field.name] = _getter(field, item, None if alone else start, self.prefix)
        return record_class(self.found.name or "Record", getters, self)

    @cached_property
    def tail(self) -> Field | None:
        """The flexible array at the end, if there is one."""
        last = max(self.fields.values(), key=lambda field: field.start, default=None)
        if last and not last.size and isinstance(last.node, (Elements, Chars)):
            alone = len(self.regions[-1][2]) == 1
            return last if alone and self.regions[-1][2][0] is last else None
        return None

    @cached_property
    def plain(self) -> bool:
        """Whether `struct` alone can pack a tuple, range checks included."""
        return all(type(field.node) is Integer and not field.bits for field in self.fields.values())

    def value(self, item: Buffer) -> Record:
        return self.make(self.layout.unpack(item))

    def longer(self, data: Buffer) -> Record | None:
        """The value of more bytes than `size`, whose rest belongs to a flexible array."""
        if not self.tail or len(data) < self.size:
            return None
        items = self.layout.unpack_from(data)
        return self.make((*items[:-1], bytes(data[self.tail.start :])))

    def pack(self, value: Any, path: str) -> bytes:
        if isinstance(value, tuple) and type(value) is self.make:
            items = list(tuple.__iter__(value))
            packed = self.layout.pack(*items)
            return packed[: self.tail.start] + items[-1] if self.tail and items[-1] else packed
        data = _as_bytes(value)
        if data is not None:
            if len(data) != self.size:
                raise self.refuse(value, path, f"is not the {self.size} bytes")
            return data
        if isinstance(value, Record):
            value = dict(zip(value._fields, value, strict=True))
        elif isinstance(value, (tuple, list)):
            if len(value) > len(self.fields):
                raise self.refuse(value, path, f"has more than the {len(self.fields)} members")
            value = dict(zip(self.fields, value, strict=False))
        elif not isinstance(value, Mapping):
            raise self.refuse(value, path, "is neither record, dict, tuple nor bytes")
        fresh = bytearray(self.size)
        self.fill(fresh, value, path)
        return bytes(fresh)

    def fill(self, packed: bytearray, given: Mapping[str, Any], path: str) -> None:
        """Put the given members into `packed`. Members of a union may be given together only if
        they say the same."""
        taken: dict[int, int] = {}  # byte -> which of its bits are given
        for name, value in given.items():
            field = self.fields.get(name)
            if field is None:
                where = f"member {path}: " if path else ""
                raise BtfError(
                    f"{where}{self.label} has no member {name!r}{suggest(str(name), self.fields)}"
                )
            inner = f"{path}.{name}" if path else name
            data, mask = self._pack_field(field, value, inner)
            if len(data) > field.size:
                if field is not self.tail:
                    raise BtfError(f"member {inner}: only the last member can be longer")
                packed[field.start :] = data
                continue
            for at, (byte, bits) in enumerate(zip(data, mask, strict=True), field.start):
                if (packed[at] ^ byte) & bits & taken.get(at, 0):
                    raise BtfError(f"member {inner} shares its place with another and differs")
                packed[at] = packed[at] & ~bits | byte
                taken[at] = taken.get(at, 0) | bits

    def _pack_field(self, field: Field, value: Any, path: str) -> tuple[bytes, bytes]:
        """(bytes, mask of the bits that count) for the bytes of a field."""
        if not field.bits:
            data = field.node.pack(value, path)
            return data, b"\xff" * len(data)
        number = field.node.number(value, path)
        low = -1 << field.bits - 1 if field.signed else 0
        high = low + (1 << field.bits) - 1
        if not low <= number <= high:
            why = f"is out of range {low}..{high} of {field.bits} bits"
            raise field.node.refuse(value, path, why)
        mask = (1 << field.bits) - 1
        order: Any = "little" if self.prefix == "<" else "big"
        bits = (number & mask) << field.shift
        return bits.to_bytes(field.size, order), (mask << field.shift).to_bytes(field.size, order)

    def replaced(self, record: Record, changes: Mapping[str, Any]) -> Record:
        """`record` with some members changed."""
        packed = bytearray(self.pack(record, ""))
        self.fill(packed, changes, "")
        return self.longer(packed) or self.value(packed)

    def compile(
        self, describe: Callable[[], str]
    ) -> tuple[Callable[[Buffer], Any], Callable[..., Any], Callable[[Any], bytes]]:
        unpack, unpack_from, make = self.layout.unpack, self.layout.unpack_from, self.make
        pack, plain = self.layout.pack, self.plain

        def decode(data: Buffer) -> Record:
            try:
                return make(unpack(data))
            except struct.error:
                record = self.longer(data)
                if record is None:
                    raise _wrong_length(data, self.size, describe) from None
                return record

        def decode_from(buffer: Buffer, offset: int = 0) -> Record:
            try:
                return make(unpack_from(buffer, offset))
            except struct.error:
                raise _wrong_length(memoryview(buffer)[offset:], self.size, describe) from None

        def encode(value: Any) -> bytes:
            if plain and type(value) is tuple:
                try:
                    return pack(*value)
                except struct.error:
                    pass  # the long way says what is wrong, or fills up with zeros
            return self.pack(value, "")

        return decode, decode_from, encode


def _getter(field: Field, item: int, region: int | None, prefix: str) -> Any:
    """How to get a field from the stored items: see `record_class`. `region` is where the
    shared bytes of its item begin, None for a field with an item of its own."""
    node, get = field.node, tuple.__getitem__
    if region is None:
        return item if node.direct else lambda record: node.value(get(record, item))
    start, end = field.start - region, field.end - region
    if not field.bits:
        return lambda record: node.read(get(record, item), start)
    order: Any = "little" if prefix == "<" else "big"
    shift, mask = field.shift, (1 << field.bits) - 1
    sign = 1 << field.bits - 1 if field.signed else 0

    def bits(record: tuple[Any, ...]) -> Any:
        number = int.from_bytes(get(record, item)[start:end], order) >> shift & mask
        return node.value((number ^ sign) - sign)

    return bits


def _fields(btf: Btf, found: Composite | Datasec, start: int) -> Iterator[Field]:
    """The fields of a type that begins at byte `start`."""
    if isinstance(found, Datasec):
        for entry in found.vars:
            variable = btf.type(entry.type)
            if isinstance(variable, Var):
                node = _node(btf, variable.type)
                yield Field(variable.name, entry.offset, node.size, node)
        return
    for member in found.members:
        target = btf.resolve(member.type)
        offset, bits = btf.bitfield(member)
        if not member.name:
            if isinstance(target, Composite) and offset % 8 == 0:
                yield from _fields(btf, target, start + offset // 8)
            continue  # unnamed bitfields are padding
        node = _node(btf, member.type)
        if bits:
            yield _bitfield(btf, member, node, start * 8 + offset, bits)
        elif offset % 8:
            raise BtfError(
                f"{btf.name}: {describe(found)}: member {member.name} begins at bit {offset}"
            )
        else:
            yield Field(member.name, start + offset // 8, node.size, node)


def _bitfield(btf: Btf, member: Member, node: Node, offset: int, bits: int) -> Field:
    """The bytes that hold a bitfield, and where in them it is."""
    if not isinstance(node, (Integer, Bool)) or bits > node.size * 8:
        raise BtfError(f"{btf.name}: member {member.name} is {bits} bits of {node.label}")
    start, end = offset // 8, (offset + bits + 7) // 8
    shift = offset - start * 8 if btf.byteorder == "little" else end * 8 - offset - bits
    signed = isinstance(node, Integer) and node.low < 0
    return Field(member.name, start, end - start, node, bits, shift, signed)


def _refuse_cycle(btf: Btf, found: Composite | Datasec) -> None:
    """A struct that contains itself by value must be as large as what it contains."""
    seen, waiting = set[int](), [found.id]
    while waiting:
        at = btf.type(waiting.pop())
        for member in at.members if isinstance(at, Composite) else ():
            inner = btf.resolve(member.type)
            while isinstance(inner, Array):
                inner = btf.resolve(inner.type)
            if isinstance(inner, Composite) and inner.size >= found.size:
                if inner.id == found.id:
                    raise BtfError(f"{btf.name}: {describe(found)} contains itself")
                if inner.id not in seen:
                    seen.add(inner.id)
                    waiting.append(inner.id)


def _node(btf: Btf, id: int) -> Node:
    """The node of a type. Structs have one node and one Record class per Btf."""
    size = btf.sizeof(id)
    if size > MAX_SIZE:
        raise BtfError(f"{btf.name}: type {id} takes {size} bytes; the limit is {MAX_SIZE}")
    found, label = btf.resolve(id), _label(btf, id)
    if isinstance(found, (Composite, Datasec)):
        known: Aggregate | None = btf.nodes.get(found.id)
        if known is None:
            known = btf.nodes[found.id] = Aggregate(btf, found, label)
        return known
    prefix = "<" if btf.byteorder == "little" else ">"
    match found:
        case Var():
            return _node(btf, found.type)
        case Array():
            return _array(btf, found, prefix, label)
        case Enumeration():
            return Choice(prefix, found, label)
        case Ptr():
            return Integer(prefix, size, False, label)
        case Int() if found.boolean and size == 1:
            return Bool(prefix, size, label)
        case Int() if size in _UNSIGNED:
            return Integer(prefix, size, found.signed, label)
        case Int():
            return Wide(prefix, size, found.signed, label)
        case Float() if size in _FLOATS:
            return Real(prefix, size, label)
    return Raw(prefix, size, label)


def _array(btf: Btf, found: Array, prefix: str, label: str) -> Node:
    element = btf.resolve(found.type)
    node: Node
    if isinstance(element, Int) and element.size == 1 and _is_char(element):
        node = Chars(prefix, found.nelems, label)
    else:
        inner = _node(btf, found.type)
        if not inner.size and found.nelems:
            raise BtfError(f"{btf.name}: {label} is an array of values without a size")
        node = Elements(inner, found.nelems, label)
    node.flexible = not found.nelems
    return node


def _is_char(found: Int) -> bool:
    return found.name == "char" or bool(found.encoding & CHAR)


def _label(btf: Btf, id: int) -> str:
    """What messages call a type: the first name on the way to it."""
    suffix = ""
    for _ in range(8):
        found: Type = btf.type(id)
        if isinstance(found, Typedef):
            return found.name + suffix
        found = btf.resolve(id)
        if isinstance(found, Array):
            suffix = f"[{found.nelems}]{suffix}"
        elif isinstance(found, Ptr):
            suffix = f" *{suffix}"
        else:
            return describe(found) + suffix
        id = found.type
    return f"type {id}{suffix}"
