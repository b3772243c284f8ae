"""Writing BTF: types and strings in, bytes out; and copying types from one BTF to another."""

from __future__ import annotations

import struct
import sys
from collections.abc import Callable

from ebee.btf.header import MAGIC, MAX_STRINGS
from ebee.btf.reader import Btf, describe
from ebee.btf.types import (
    KIND_OF,
    Array,
    Composite,
    Datasec,
    DeclTag,
    Enum,
    Enum64,
    Float,
    Func,
    FuncProto,
    Fwd,
    Int,
    Member,
    Reference,
    Type,
    Typedef,
    TypeTag,
    Var,
    Void,
    references,
    remap,
)
from ebee.errors import BtfError

MAX_VLEN = 0xFFFF


class BtfBuilder:
    """Collects types and emits BTF.

    >>> from ebee.btf import Int, Member, Struct
    >>> b = BtfBuilder()
    >>> u32 = b.add(Int("unsigned int", 4))
    >>> pair = b.add(Struct("pair", 8, (Member("x", u32, 0), Member("y", u32, 32))))
    >>> Btf.parse(b.bytes()).sizeof(pair)
    8

    Ids are given in the order of adding and may be used before they are given (`reserve`); the
    `id` of an added type object is ignored. With `base`, ids go on from the base's and what the
    base has as a string is not repeated.
    """

    def __init__(self, base: Btf | None = None, byteorder: str = ""):
        self.base = base
        self.byteorder = byteorder or (base.byteorder if base else sys.byteorder)
        self.start_id = len(base) if base else 1
        self._types: list[Type | None] = []
        self._known: dict[tuple[type, Type], int] = {}
        self._strings = _Strings(base)
        self._copied: dict[Btf, dict[int, int]] = {}

    @classmethod
    def edit(cls, btf: Btf) -> BtfBuilder:
        """A builder that begins with all types of `btf`, under the same ids."""
        builder = cls(btf.base, btf.byteorder)
        for found in btf:
            builder.add(found)
        return builder

    def __len__(self) -> int:
        """One past the last id, as for Btf."""
        return self.start_id + len(self._types)

    def add(self, new: Type) -> int:
        """Add a type; returns its id. Nothing is shared: use `intern` for that."""
        self._types.append(new)
        return len(self) - 1

    def intern(self, new: Type) -> int:
        """The id of a type equal to `new` that was interned before, else `new` is added."""
        key = (type(new), new._replace(id=0))
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self.add(new)
        return found

    def reserve(self) -> int:
        """An id whose type follows by `set`: for types that refer to each other."""
        self._types.append(None)
        return len(self) - 1

    def set(self, id: int, new: Type) -> None:
        """Put `new` in the place of the added or reserved type `id`."""
        if not self.start_id <= id < len(self):
            raise BtfError(f"the BTF being built has no type {id} to replace")
        self._types[id - self.start_id] = new

    def type(self, id: int) -> Type:
        """The type added under this id (its `id` filled in), or the base's."""
        if id < self.start_id:
            return self.base.type(id) if self.base else Void()
        found = self._types[id - self.start_id] if id < len(self) else None
        if found is None:
            raise BtfError(f"the BTF being built has no type {id}")
        return found._replace(id=id)

    def copy(
        self,
        source: Btf,
        id: int,
        replace: Callable[[Type], Type | int | None] | None = None,
    ) -> int:
        """Copy type `id` of `source` with all that it refers to; returns the new id.

        What was copied before from the same Btf is shared. `replace` is called with each source
        type and may return another (in the source's ids), or an int, the id to use in this
        builder, or None for no change.
        """
        shared = len(self.base) if self.base and self.base in (source, source.base) else 1
        known = self._copied.setdefault(source, {0: 0})
        done, found = dict(known), dict[int, Type]()
        waiting = [id]
        while waiting:
            at = waiting.pop()
            if at in done or at in found:
                continue
            if at < shared:
                done[at] = at
                continue
            old = source.type(at)
            changed = replace(old) if replace else None
            if isinstance(changed, int):
                done[at] = changed
                continue
            found[at] = old if changed is None else changed
            waiting += reversed(references(found[at]))
        # Only now, so that a damaged source leaves nothing half done here.
        for at in found:
            done[at] = self.reserve()
        for at, new in found.items():
            self.set(done[at], remap(new, done.__getitem__))
        known.update(done)
        return done[id]

    def string(self, text: str) -> int:
        """The offset that `text` has in the string section (it is added if need be)."""
        return self._strings.add(text)

    def bytes(self) -> bytes:
        """The BTF blob. BtfError for a reserved id without a type or a value that does not fit."""
        strings = self._strings
        pack = struct.Struct(("<" if self.byteorder == "little" else ">") + "I").pack
        words: list[int] = []
        for number, found in enumerate(self._types):
            id = self.start_id + number
            if found is None:
                raise BtfError(f"type {id} was reserved but never set")
            for target in references(found):
                if not 0 <= target < len(self):
                    raise BtfError(f"type {id} ({describe(found)}) refers to missing type {target}")
            try:
                words += _encode(found, strings.add)
            except BtfError as error:
                raise BtfError(f"type {id} ({describe(found)}): {error}") from None
        try:
            types = b"".join(map(pack, words))
        except struct.error:
            raise BtfError("a value of the BTF being built does not fit in 32 bits") from None
        header = struct.pack(
            ("<" if self.byteorder == "little" else ">") + "HBBIIIII",
            *(MAGIC, 1, 0, 24, 0, len(types), len(types), len(strings.data)),
        )
        return header + types + bytes(strings.data)

    def build(self) -> Btf:
        """The types as a Btf to read."""
        return Btf.parse(self.bytes(), self.base)


class _Strings:
    """A string section that grows; equal strings are stored once."""

    def __init__(self, base: Btf | None):
        self._base = base
        self._start = base.string_end if base else 0
        self._known = {"": 0}
        self.data = bytearray(b"" if base else b"\0")

    def add(self, text: str) -> int:
        """The offset of `text` in the section (or in the base's)."""
        found = self._known.get(text)
        if found is None:
            if "\0" in text:
                raise BtfError(f"the name {text!r} has a NUL character")
            found = self._base.string_offset(text) if self._base else None
            if found is None:
                found = self._start + len(self.data)
                self.data += text.encode() + b"\0"
            self._known[text] = found
            if self._start + len(self.data) > MAX_STRINGS:
                raise BtfError("the names take more than the 16 MB that BTF can hold")
        return found


def _encode(found: Type, string: Callable[[str], int]) -> list[int]:
    """The words of one type."""
    kind = KIND_OF[type(found)]
    words: list[int] = []
    name = vlen = flag = third = 0
    match found:
        case Int(label, size, encoding, bits, offset):
            bits = bits or size * 8
            name, third = string(label), size
            words = [_fit(encoding, 4, "encoding") << 24 | _fit(offset, 8, "bit offset") << 16]
            words[0] |= _fit(bits, 8, "width")
        case Reference(target):
            third = target
        case Array(element, index_type, nelems):
            words = [element, index_type, _fit(nelems, 32, "number of elements")]
        case Composite(label, size, members):
            name, third, vlen = string(label), size, len(members)
            flag = int(any(member.bits for member in members))
            for member in members:
                words += (string(member.name), member.type, _place(member, flag))
        case Enum(label, size, signed, values):
            name, third, vlen, flag = string(label), size, len(values), int(signed)
            for value in values:
                words += (string(value.name), _value(value.value, 32, signed))
        case Enum64(label, size, signed, values):
            name, third, vlen, flag = string(label), size, len(values), int(signed)
            for value in values:
                bits = _value(value.value, 64, signed)
                words += (string(value.name), bits & 0xFFFFFFFF, bits >> 32)
        case Fwd(label, union):
            name, flag = string(label), int(union)
        case Typedef(label, target):
            name, third = string(label), target
        case Func(label, target, linkage):
            name, third, vlen = string(label), target, linkage
        case FuncProto(target, params):
            third, vlen = target, len(params)
            for param in params:
                words += (string(param.name), param.type)
        case Var(label, target, linkage):
            name, third, words = string(label), target, [linkage]
        case Datasec(label, size, entries):
            name, third, vlen = string(label), size, len(entries)
            for entry in entries:
                words += entry
        case Float(label, size):
            name, third = string(label), size
        case DeclTag(label, target, component, attribute):
            name, third, flag = string(label), target, int(attribute)
            words = [component & 0xFFFFFFFF]
        case TypeTag(label, target, attribute):
            name, third, flag = string(label), target, int(attribute)
        case _:
            raise BtfError("void cannot be added; refer to it as type 0")
    if vlen > MAX_VLEN:
        raise BtfError(f"{vlen} entries; BTF can hold {MAX_VLEN}")
    return [name, flag << 31 | kind << 24 | vlen, _fit(third, 32, "size or type"), *words]


def _fit(value: int, bits: int, what: str) -> int:
    if not 0 <= value < 1 << bits:
        raise BtfError(f"{what} {value} does not fit in {bits} bits")
    return value


def _place(member: Member, flag: int) -> int:
    if not flag:
        return _fit(member.offset, 32, f"the offset of {member.name!r}")
    offset = _fit(member.offset, 24, f"the offset of {member.name!r} (in a struct with bitfields)")
    return _fit(member.bits, 8, f"the width of {member.name!r}") << 24 | offset


def _value(value: int, bits: int, signed: bool) -> int:
    low, high = (-1 << bits - 1, 1 << bits - 1) if signed else (0, 1 << bits)
    if not low <= value < high:
        raise BtfError(f"value {value} does not fit in {bits} bits")
    return value & (1 << bits) - 1
