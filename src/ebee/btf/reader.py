"""Reading BTF: lazily, type by type, with split BTF (modules) on top of a base."""

from __future__ import annotations

import builtins
from bisect import bisect_left
from collections.abc import Iterator
from functools import cache
from os import PathLike
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

from ebee.btf import files
from ebee.btf import index as indexing
from ebee.btf.decode import DECODERS
from ebee.btf.header import as_words, read_header
from ebee.btf.layout import layout
from ebee.btf.names import suggest
from ebee.btf.types import (
    KINDS,
    VOID,
    Array,
    Composite,
    Const,
    Datasec,
    Enum64,
    Enumeration,
    Float,
    Fwd,
    Int,
    Member,
    Ptr,
    Reference,
    Restrict,
    Type,
    Typedef,
    TypeTag,
    Var,
    Void,
    Volatile,
)
from ebee.errors import BtfError

if TYPE_CHECKING:
    from mmap import mmap

Kind = Type | Composite | Enumeration | Reference
T = TypeVar("T", bound=Kind)

MAX_SIZE = 0xFFFFFFFF
_DEPTH = 64
"""How deep arrays and structs may be nested by value (the kernel's limit is 32)."""
_CACHE = 4096
"""Decoded types kept; beyond it all are dropped, for a whole kernel's types take 100 MB."""

_LONGS = ("long unsigned int", "long int", "unsigned long", "long", "unsigned long int")


class Btf:
    """The types of one BTF blob, decoded when asked for.

    >>> btf = Btf.vmlinux()                                        # doctest: +SKIP
    >>> btf.find("sk_buff", Struct).members[0]                     # doctest: +SKIP
    Member(name='', type=2113, offset=0, bits=0)

    Ids count from 1 (0 is void) and go on from the base's in split BTF. Objects do not change.
    """

    def __init__(
        self,
        data: bytes | mmap,
        base: Btf | None = None,
        *,
        name: str = "BTF",
        cache_key: str = "",
    ):
        """Parse `data`; see `parse`. With `cache_key` the index is kept in the user's cache."""
        self.data = data
        self.base = base
        self.name = name
        self.byteorder, types, self._strings = read_header(data, name, base is not None)
        self.words = as_words(types, self.byteorder)
        self.start_id: int = len(base) if base else 1
        self._start_string: int = base.string_end if base else 0
        self.string_end: int = self._start_string + len(self._strings)
        if base and base.byteorder != self.byteorder:
            raise BtfError(f"{name}: split BTF is {self.byteorder}-endian, its base is not")
        try:
            self._index = self._load_index(cache_key)
        except BtfError as error:
            raise BtfError(f"{name}: {error}") from None
        self._local: int = len(self._index.starts)
        self._types: dict[int, Type] = {0: VOID}
        self._ids: dict[str, list[int]] = {}
        self._pointer_size = 0
        self._aligns: dict[int, int] = {}
        self._aligning: set[int] = set()
        self.nodes: dict[int, Any] = {}
        """What `codec` has made of these types, by id."""
        self.partial = False
        """Whether this is only a part of a kernel's types: what is not in it may yet exist; see
        also `is_opaque`."""

    def _load_index(self, key: str) -> indexing.Index:
        if not key:
            return indexing.build(self.words)
        found = indexing.cached(key, self.words)
        if found is None:
            found = indexing.build(self.words)
            indexing.keep(key, self.words, found)
        return found

    @classmethod
    def parse(cls, data: bytes, base: Btf | None = None, name: str = "BTF") -> Btf:
        """Read the bytes of a .BTF section or file, of either byte order.

        The header and the extent of every type are checked now; what a type says when it is
        asked for; everything by ebee.btf.validate. BtfError tells what is wrong and where.
        """
        return cls(bytes(data), base, name=name)

    @classmethod
    def load(cls, path: str | PathLike[str], base: Btf | None = None) -> Btf:
        """Read a file: raw BTF, or an ELF file with a .BTF section (a vmlinux, module, object)."""
        return cls._of(files.load(path), base)

    @classmethod
    def vmlinux(cls) -> Btf:
        """The running kernel's types (/sys/kernel/btf/vmlinux, since Linux 5.4)."""
        return cls._of(files.vmlinux())

    @classmethod
    def bundled(cls) -> Btf:
        """The types that programs mostly use, of the kernel whose name it has: for where there is
        none with BTF, to check programs and relocate them. `partial` is true of it. Read once;
        takes some 20 ms."""
        return _bundled()

    @classmethod
    def module(cls, name: str, base: Btf | None = None) -> Btf:
        """A loaded kernel module's types, split on vmlinux (since Linux 5.11)."""
        return cls._of(files.module(name), base or cls.vmlinux())

    @classmethod
    def _of(cls, blob: files.Blob, base: Btf | None = None) -> Btf:
        if base is None and blob.base:
            base = cls._of(blob.base)
        return cls(blob.data, base, name=blob.name, cache_key=blob.key)

    def __len__(self) -> int:
        """The number of ids in use, void and the base's included: one past the last id."""
        return self.start_id + self._local

    def __repr__(self) -> str:
        return f"<Btf {self.name}: {len(self) - self.start_id} types>"

    def __iter__(self) -> Iterator[Type]:
        """All types of this blob (not the base's) in the order of their ids."""
        return (self.type(id) for id in range(self.start_id, len(self)))

    # -- one type ---------------------------------------------------------------------------

    def type(self, id: int) -> Type:
        """The type with this id; type 0 is void. BtfError if there is none or it is damaged."""
        found = self._types.get(id)
        if found is not None:
            return found
        if id < self.start_id and self.base and id >= 0:
            return self.base.type(id)
        if not self.start_id <= id < len(self):
            raise BtfError(f"{self.name}: there is no type {id}; ids go up to {len(self) - 1}")
        if len(self._types) >= _CACHE:
            self._types = {0: VOID}
        found = self._types[id] = self._decode(id)
        return found

    def kind(self, id: int) -> builtins.type[Type]:
        """The class of type `id`, without decoding the type."""
        if self.start_id <= id < len(self):
            return KINDS[self.words[self._index.starts[id - self.start_id] + 1] >> 24 & 0x1F]
        if self.base and 0 <= id < self.start_id:
            return self.base.kind(id)
        return type(self.type(id))

    def _decode(self, id: int) -> Type:
        try:
            words = self.words
            start = self._index.starts[id - self.start_id]
            name, info, third = words[start], words[start + 1], words[start + 2]
            decode = DECODERS[info >> 24 & 0x1F]
            return decode(self, id, name, info, third, start + 3)
        except (IndexError, KeyError):  # only with a stale index
            raise BtfError(f"{self.name}: type {id} lies outside its section") from None
        except BtfError as error:
            raise BtfError(f"{self.name}: type {id}: {error}") from None

    def string(self, offset: int) -> str:
        """The string at this offset of the string section (the base's come first)."""
        return self._string_bytes(offset).decode()

    def _string_bytes(self, offset: int) -> bytes:
        if offset < self._start_string and self.base:
            return self.base._string_bytes(offset)
        local = offset - self._start_string
        if not 0 <= local < len(self._strings):
            raise BtfError(f"string offset {offset} is outside the {self.string_end} bytes")
        text = self._strings[local : self._strings.index(b"\0", local)]
        try:
            text.decode()
        except UnicodeDecodeError:
            raise BtfError(f"the string at offset {offset} is not UTF-8: {text[:40]!r}") from None
        return text

    def string_offset(self, text: str) -> int | None:
        """The offset of a string, or None if no string section holds it."""
        return next(self._offsets_of(text.encode() + b"\0"), None) if text else 0

    def entries(self, info: int, start: int, width: int) -> Iterator[tuple[int, ...]]:
        """The `vlen` entries of `width` words each from word `start`."""
        flat = self.words[start : start + (info & 0xFFFF) * width].tolist()
        return cast("Iterator[tuple[int, ...]]", zip(*[iter(flat)] * width, strict=True))

    # -- finding ----------------------------------------------------------------------------

    def find_ids(self, name: str) -> list[int]:
        """The ids of all types called `name`, the base's first."""
        found = self._ids.get(name)
        if found is None:
            if len(self._ids) >= _CACHE:
                self._ids = {}
            found = self._ids[name] = self._find_ids(name)
        return list(found)

    def _find_ids(self, name: str) -> list[int]:
        if not name or "\0" in name:
            return []
        found = self.base.find_ids(name) if self.base else []
        own: list[int] = []
        for offset in self._offsets_of(name.encode("utf-8", "surrogatepass") + b"\0"):
            own += self._named_at(offset)
        return found + sorted(own)

    def _offsets_of(self, text: bytes) -> Iterator[int]:
        """Every place where `text` stands in the string sections. Producers may let one string
        share another's tail, so a hit need not begin a string."""
        if self.base:
            yield from self.base._offsets_of(text)
        at = self._strings.find(text)
        while at >= 0:
            yield at + self._start_string
            at = self._strings.find(text, at + 1)

    def _named_at(self, offset: int) -> Iterator[int]:
        """The ids of this blob's types whose name is the string at `offset`."""
        words, (starts, by_name) = self.words, self._index
        place = bisect_left(by_name, offset, key=lambda i: words[starts[i]])
        while place < len(by_name) and words[starts[by_name[place]]] == offset:
            yield by_name[place] + self.start_id
            place += 1

    def ids_with_flavours(self, name: str) -> list[int]:
        """The ids of all types called `name` or `name___anything` (CO-RE's flavours)."""
        found = self.base.ids_with_flavours(name) if self.base else []
        own = set(self.find_ids(name))
        for offset in self._offsets_of(name.encode() + b"___"):
            own.update(self._named_at(offset))
        return found + sorted(id for id in own if id >= self.start_id)

    def find_all(self, name: str) -> list[Type]:
        """All types called `name`, in the order of their ids."""
        return [self.type(id) for id in self.find_ids(name)]

    @overload
    def get(self, name: str) -> Type | None: ...
    @overload
    def get(self, name: str, kind: builtins.type[T]) -> T | None: ...
    @overload
    def get(self, name: str, kind: tuple[builtins.type[Kind], ...]) -> Type | None: ...
    def get(self, name: str, kind: Any = None) -> Any:
        """The first type called `name` that is of `kind` (a class, such as Struct, Composite or
        Enumeration, or several), or None."""
        for id in self.find_ids(name):
            if kind is None or issubclass(self.kind(id), kind):
                return self.type(id)
        return None

    @overload
    def find(self, name: str) -> Type: ...
    @overload
    def find(self, name: str, kind: builtins.type[T]) -> T: ...
    @overload
    def find(self, name: str, kind: tuple[builtins.type[Kind], ...]) -> Type: ...
    def find(self, name: str, kind: Any = None) -> Any:
        """Like `get`, but BtfError with the nearest names if there is none."""
        found = self.get(name, kind)
        if found is None:
            raise BtfError(self.missing(name, kind))
        return found

    def missing(self, name: str, kind: Any = None) -> str:
        """Why `find` finds nothing of this name and kind, with the nearest names there are."""
        kinds: tuple[builtins.type, ...] = kind if isinstance(kind, tuple) else (kind,)
        kinds = kinds if kind else ()
        what = " or ".join(sorted({_WORDS.get(k, k.__name__.lower()) for k in kinds})) or "type"
        other = sorted({type(found).__name__.lower() for found in self.find_all(name)})
        if other:
            there = " and a ".join(other)
            return f"{self.name} has no {what} {name!r}, only a {there} of that name"
        known: list[str] = []
        btf: Btf | None = self
        while btf:
            known += [n for n, id in btf.names() if not kinds or issubclass(btf.kind(id), kinds)]
            btf = btf.base
        return f"{self.name} has no {what} {name!r}{suggest(name, known)}"

    def is_opaque(self, id: int) -> bool:
        """Whether of the struct or union that type `id` comes down to only name and size are in
        this part of a kernel's types (`partial`): its members exist, but are not known here."""
        found: Type = self.resolve(id)
        home = self
        while home.base and found.id < home.start_id:
            home = home.base
        cut = isinstance(found, Composite) and found.name and found.size and not found.members
        return bool(cut) and home.partial

    def names(self) -> Iterator[tuple[str, int]]:
        """(name, id) of every named type of this blob, cheaply: no type is decoded."""
        words, starts = self.words, self._index.starts
        for local, start in enumerate(starts):
            if words[start]:
                yield self.string(words[start]), local + self.start_id

    # -- sizes ------------------------------------------------------------------------------

    @property
    def pointer_size(self) -> int:
        """Bytes of a pointer: what `long` takes, else 8."""
        if not self._pointer_size:
            longs = (self.get(name, Int) for name in _LONGS)
            sizes = (found.size for found in longs if found and found.size in (4, 8))
            self._pointer_size = next(sizes, 8)
        return self._pointer_size

    def resolve(self, id: int) -> Type:
        """Type `id` without typedefs, const, volatile, restrict and type tags."""
        found = self.type(id)
        steps = 0
        while isinstance(found, _MODIFIERS):
            steps += 1
            if steps > len(self):
                raise BtfError(f"{self.name}: type {id} refers to itself")
            found = self.type(found.type)
        return found

    def innermost(self, id: int) -> Type:
        """What the elements of type `id` are, if it is an array (of arrays), or a variable of one;
        else the resolved type itself."""
        found = self.resolve(id)
        for _ in range(_DEPTH):
            if not isinstance(found, Array | Var):
                return found
            found = self.resolve(found.type)
        raise BtfError(f"{self.name}: type {id} nests more than {_DEPTH} arrays")

    def sizeof(self, id: int) -> int:
        """Bytes of a value of type `id`; BtfError if it has no size (void, functions, `struct x;`
        without a body)."""
        count, at = 1, id
        for _ in range(_DEPTH):
            found = self.resolve(at)
            if isinstance(found, Array):
                count, at = count * found.nelems, found.type
            elif isinstance(found, Var):
                at = found.type
            else:
                break
        else:
            raise BtfError(f"{self.name}: type {id} nests more than {_DEPTH} arrays")
        if isinstance(found, _SIZED) and (found.size or not isinstance(found, Enumeration)):
            size = found.size
        elif isinstance(found, Ptr):
            size = self.pointer_size
        else:
            raise BtfError(f"{self.name}: type {id} ({describe(found)}) has no size")
        if count * size > MAX_SIZE:
            raise BtfError(f"{self.name}: type {id} is an array of {count * size} bytes")
        return count * size

    def alignof(self, id: int) -> int:
        """Bytes that a value of type `id` is aligned to in C for bpf; 1 for what has no values.
        (BTF does not record attributes; that a struct is packed shows in its offsets.)"""
        known = self._aligns.get(id)
        if known is None:
            if id in self._aligning or len(self._aligning) > _DEPTH:
                raise BtfError(f"{self.name}: type {id} contains itself, or nests too deep")
            self._aligning.add(id)
            try:
                known = self._aligns[id] = self._align(self.resolve(id))
            finally:
                self._aligning.remove(id)
        return known

    def _align(self, found: Type) -> int:
        if isinstance(found, Array):
            return self.alignof(found.type)
        if isinstance(found, Ptr):
            return self.pointer_size
        if isinstance(found, (Int, Enumeration, Float)):
            # Of a size that is no power of two (long double on i386) the lowest bit counts.
            return min(found.size & -found.size, 16)
        if not isinstance(found, Composite):
            return 1
        how = layout(self, found)
        return how.align if how else 1

    def bitfield(self, member: Member) -> tuple[int, int]:
        """(bit offset, width in bits) of `member` in its struct; width 0 if it is no bitfield.

        The bit offset counts from the struct's start, in the order of the struct's bytes for a
        little-endian target and from each byte's top bit for a big-endian one. Both encodings
        are understood: the kind flag's, and the old one with a narrow Int.
        """
        if member.bits:
            return member.offset, member.bits
        found = self.resolve(member.type)
        if isinstance(found, Int):
            narrow = found.offset or found.bits not in (0, found.size * 8)
            if narrow or member.offset % 8:
                return member.offset + found.offset, found.bits or found.size * 8
        return member.offset, 0


@cache
def _bundled() -> Btf:
    btf = Btf._of(files.bundled())
    btf.partial = True
    return btf


_SIZED = (Int, Composite, Enumeration, Float, Datasec)
_WORDS = {Enum64: "enum", Enumeration: "enum", Composite: "struct or union"}
_MODIFIERS = (Typedef, Volatile, Const, Restrict, TypeTag)


def keyword(found: Kind) -> str:
    """C's word for a kind of tagged type, else the kind's name: "struct", "enum", "typedef"."""
    if isinstance(found, Enumeration):
        return "enum"
    if isinstance(found, Fwd):
        return "union" if found.union else "struct"
    return type(found).__name__.lower()


def describe(found: Kind) -> str:
    """How messages name a type: "struct task_struct", "int", "const (anonymous)"."""
    if isinstance(found, (Int, Float, Typedef, Void)) and found.name:
        return found.name
    return f"{keyword(found)} {found.name or '(anonymous)'}"
