"""Structs, unions and data sections as Records, and the choice of the node for every type."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any, NamedTuple

from ebee.btf.names import suggest
from ebee.btf.nodes import (
    FLOATS,
    UNSIGNED,
    Bool,
    Buffer,
    Chars,
    Choice,
    Elements,
    Integer,
    Node,
    Raw,
    Real,
    Wide,
    as_bytes,
    wrong_length,
)
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
from ebee.btf.values import Record, record_class
from ebee.errors import BtfError

MAX_SIZE = 1 << 30
"""Bytes of the largest value that is decoded at once."""


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
                fields.append(field)
                regions[-1] = start, max(end, field.end), fields
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
    def shared(self) -> frozenset[str]:
        """The fields whose bytes hold others too."""
        regions = (fields for _, _, fields in self.regions if len(fields) > 1 or fields[0].bits)
        return frozenset(field.name for fields in regions for field in fields)

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
        data = as_bytes(value)
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
            if name not in self.shared:
                packed[field.start : field.end] = data
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
                    raise wrong_length(data, self.size, describe) from None
                return record

        def decode_from(buffer: Buffer, offset: int = 0) -> Record:
            try:
                return make(unpack_from(buffer, offset))
            except struct.error:
                raise wrong_length(memoryview(buffer)[offset:], self.size, describe) from None

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
        names = set()  # static variables of several linked objects may share one
        for entry in found.vars:
            variable = btf.type(entry.type)
            if isinstance(variable, Var):
                node = node_of(btf, variable.type)
                name = variable.name
                name = f"{name}@{entry.offset}" if name in names else name
                names.add(name)
                yield Field(name, entry.offset, node.size, node)
        return
    for member in found.members:
        target = btf.resolve(member.type)
        offset, bits = btf.bitfield(member)
        if not member.name:
            if isinstance(target, Composite) and offset % 8 == 0:
                yield from _fields(btf, target, start + offset // 8)
            continue  # unnamed bitfields are padding
        node = _inner_node(btf, member.type)
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
    """A struct that contains itself by value must be as large as what it contains; and nothing
    contains a data section."""
    seen, waiting = set[int](), [found.id]
    while waiting:
        at = btf.type(waiting.pop())
        members = at.members if isinstance(at, Composite) else ()
        for member in at.vars if isinstance(at, Datasec) else members:
            inner = btf.innermost(member.type)
            if isinstance(inner, Datasec):
                raise BtfError(f"{btf.name}: {describe(at)} contains the section {inner.name!r}")
            if isinstance(inner, Composite) and inner.size >= found.size:
                if inner.id == found.id:
                    raise BtfError(f"{btf.name}: {describe(found)} contains itself")
                if inner.id not in seen:
                    seen.add(inner.id)
                    waiting.append(inner.id)


def node_of(btf: Btf, id: int) -> Node:
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
            return node_of(btf, found.type)
        case Array():
            return _array(btf, found, prefix, label)
        case Enumeration():
            return Choice(prefix, found, label)
        case Ptr():
            return Integer(prefix, size, False, label)
        case Int() if found.boolean and size == 1:
            return Bool(prefix, size, label)
        case Int() if size in UNSIGNED:
            return Integer(prefix, size, found.signed, label)
        case Int() if size <= 16:
            return Wide(prefix, size, found.signed, label)
        case Float() if size in FLOATS:
            return Real(prefix, size, label)
    return Raw(prefix, size, label)


def _inner_node(btf: Btf, id: int) -> Node:
    """The node of a member or element, which cannot be a variable or section."""
    if isinstance(btf.resolve(id), (Var, Datasec)):
        raise BtfError(f"{btf.name}: a member or element has type {id}, which is no value's type")
    return node_of(btf, id)


def _array(btf: Btf, found: Array, prefix: str, label: str) -> Node:
    element = btf.resolve(found.type)
    node: Node
    if isinstance(element, Int) and element.size == 1 and _is_char(element):
        node = Chars(prefix, found.nelems, label)
    else:
        inner = _inner_node(btf, found.type)
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
