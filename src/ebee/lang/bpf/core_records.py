"""CO-RE: what a program says about types of the kernel, for the loader to put right.

LLVM turns a load of a global with the attribute `btf_ama` into an immediate and a record in
.BTF.ext; the global's name says what is meant, `llvm.NAME:KIND:VALUE$ACCESS`, and its metadata of
which type (llvm/lib/Target/BPF: BPFAbstractMemberAccess.cpp makes them from clang's intrinsics).
They are made here, without the intrinsics.

The object's own BTF has of each type only the members that are meant, in their places: their
numbers are known at the end. Until then a record is called `@"core.N"`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from ebee.btf.ext import CoreKind, CoreRelo
from ebee.btf.types import (
    Array,
    Composite,
    Enumeration,
    Float,
    Int,
    Member,
    Ptr,
    Typedef,
    Union,
)
from ebee.lang.bpf.debug import quote

if TYPE_CHECKING:
    from ebee.btf import Btf
    from ebee.lang.bpf.debug import Debug
    from ebee.lang.bpf.kernel_types import KernelType
    from ebee.lang.function import Function

WIDE = (CoreKind.FIELD_BYTE_OFFSET, CoreKind.ENUMVAL_VALUE)
"""Kinds whose values are of 64 bits, others of 32."""

ENUM_KINDS = (CoreKind.ENUMVAL_EXISTS, CoreKind.ENUMVAL_VALUE)


class Step(NamedTuple):
    """A step of an access: a member of the composite `owner`, or (0) an element of an array."""

    owner: int
    at: int


@dataclass
class _Part:
    """A composite or enumeration of the kernel in the object's BTF: the members that are meant."""

    btf: Btf
    id: int
    number: str
    used: set[int] = field(default_factory=set)

    def place(self, index: int) -> int:
        """The number that a member has in the object."""
        return sorted(self.used).index(index)


@dataclass(frozen=True)
class _Record:
    btf: Btf
    root: int
    steps: tuple[Step, ...]
    kind: CoreKind


_PLACEHOLDER = re.compile(r'@"core\.(\d+)"')


class Records:
    """The records of a module."""

    def __init__(self, debug: Debug):
        self.debug = debug
        self._parts: dict[tuple[Btf, int], _Part] = {}
        self._records: dict[_Record, int] = {}
        self._own: dict[Any, int] = {}
        self._uses = 0

    def field(self, root: KernelType, steps: tuple[Step, ...], kind: CoreKind) -> str:
        """The symbol of a record about a field, `steps` from the root."""
        for step in steps:
            if step.owner:
                self._part(root.btf, step.owner).used.add(step.at)
        return self._add(_Record(root.btf, root.id, steps, kind))

    def type(self, root: KernelType, kind: CoreKind) -> str:
        """The symbol of a record about a type."""
        return self._add(_Record(root.btf, root.id, (), kind))

    def enumerator(self, btf: Btf, id: int, index: int, kind: CoreKind) -> str:
        """The symbol of a record about an enumerator."""
        self._part(btf, id).used.add(index)
        return self._add(_Record(btf, id, (Step(id, index),), kind))

    def own(self, f: Function, t: Any) -> str:
        """The id of a struct of the program in the object's BTF, as the loader will say it."""
        n = self._own.setdefault(t, len(self._own))
        text = f.body.op(f'load volatile i64, ptr @"llvm.own.{n}${int(CoreKind.TYPE_ID_LOCAL)}"')
        return self.kept(f, text, "i64")

    def _add(self, record: _Record) -> str:
        return f'@"core.{self._records.setdefault(record, len(self._records))}"'

    def kept(self, f: Function, text: str, kind: str) -> str:
        """What a record was used for, as LLVM must leave it: two records look equal to it where
        their values are."""
        name = "p0" if kind == "ptr" else kind
        intrinsic = f"llvm.bpf.passthrough.{name}.{name}"
        declared = f"declare {kind} @{intrinsic}(i32, {kind}) nounwind memory(none)"
        f.unit.module.declarations[intrinsic] = declared
        self._uses += 1
        return f.body.op(f"call {kind} @{intrinsic}(i32 {self._uses}, {kind} {text})")

    # --- the object's types ----------------------------------------------------------------------

    def _part(self, btf: Btf, id: int) -> _Part:
        if (btf, id) not in self._parts:
            self._parts[btf, id] = _Part(btf, id, self.debug.reserve())
        return self._parts[btf, id]

    def number(self, btf: Btf, id: int) -> str:
        """The metadata of a type of the kernel; of structs the members that are meant."""
        debug, found = self.debug, btf.type(id)
        if isinstance(found, Typedef):
            to = btf.resolve(id)
            if isinstance(to, Composite) and not to.name:
                base = self._part(btf, to.id).number
                named = f"name: {quote(found.name)}, file: {debug.main}, baseType: {base}"
                return debug.node(f"!DIDerivedType(tag: DW_TAG_typedef, {named})")
        found = btf.resolve(id)
        match found:
            case Int() if found.boolean:
                return debug.type(bool)
            case Int() if found.size in (1, 2, 4, 8):
                return debug.base(found.size, found.signed)
            case Composite() | Enumeration():
                return self._part(btf, found.id).number
            case Ptr():
                return debug.pointer("null")
            case Array():
                size = btf.sizeof(found.id)
                return debug.array(self.number(btf, found.type), found.nelems, size)
            case Float():
                return debug.node(
                    f"!DIBasicType(name: {quote(found.name)}, size: {found.size * 8},"
                    " encoding: DW_ATE_float)"
                )
        return debug.array(debug.base(1, False), btf.sizeof(found.id), btf.sizeof(found.id))

    def _define(self, part: _Part) -> None:
        found = part.btf.type(part.id)
        if isinstance(found, Enumeration):
            self._define_enumeration(part, found)
            return
        assert isinstance(found, Composite)
        debug = self.debug
        members = [self._member(part, found.members[i]) for i in sorted(part.used)]
        elements = debug.node(f"!{{{', '.join(members)}}}")
        named = f"name: {quote(found.name)}, " if found.name else ""
        tag = "union" if isinstance(found, Union) else "structure"
        debug.set(
            part.number,
            f"distinct !DICompositeType(tag: DW_TAG_{tag}_type, {named}file: {debug.main},"
            f" line: 1, size: {found.size * 8}, elements: {elements})",
        )

    def _member(self, part: _Part, member: Member) -> str:
        debug, btf = self.debug, part.btf
        at, bits = btf.bitfield(member)
        size = bits or btf.sizeof(member.type) * 8
        more = ""
        if bits:
            unit = btf.sizeof(member.type) * 8
            more = f", flags: DIFlagBitField, extraData: i64 {at // unit * unit}"
        named = f"name: {quote(member.name)}, " if member.name else ""
        return debug.node(
            f"!DIDerivedType(tag: DW_TAG_member, {named}scope: {part.number},"
            f" file: {debug.main}, baseType: {self.number(btf, member.type)}, size: {size},"
            f" offset: {at}{more})"
        )

    def _define_enumeration(self, part: _Part, found: Enumeration) -> None:
        debug, sign = self.debug, "" if found.signed else ", isUnsigned: true"
        values = [found.values[i] for i in sorted(part.used or {0})]
        nodes = [debug.node(f"!DIEnumerator(name: {quote(v.name)}, value: {v.value}{sign})")
                 for v in values]  # fmt: skip
        elements = debug.node(f"!{{{', '.join(nodes)}}}")
        named = f"name: {quote(found.name)}, " if found.name else ""
        debug.set(
            part.number,
            f"!DICompositeType(tag: DW_TAG_enumeration_type, {named}file: {debug.main},"
            f" baseType: {debug.base(found.size, found.signed)}, size: {found.size * 8},"
            f" elements: {elements})",
        )

    # --- the end ---------------------------------------------------------------------------------

    def finish(self, functions: str) -> tuple[list[str], str]:
        """The globals that stand for the records, and code with their names; once, at the end."""
        roots = {r: self.number(r.btf, r.root) for r in self._records}
        defined: set[int] = set()
        while len(defined) < len(self._parts):  # members bring in further types
            for part in [p for p in self._parts.values() if id(p) not in defined]:
                self._define(part)
                defined.add(id(part))
        names, texts = [], [
            f'@"llvm.own.{n}${int(CoreKind.TYPE_ID_LOCAL)}" = external global i64,'
            f' !llvm.preserve.access.index {self.debug.type(t)} "btf_type_id"'
            for t, n in self._own.items()
        ]  # fmt: skip
        for record, n in self._records.items():
            symbol = f"@{quote(f'llvm.core.{n}:{self._text(record)}')}"
            kind = "i64" if record.kind in WIDE else "i32"
            names.append(symbol)
            texts.append(
                f"{symbol} = external global {kind},"
                f' !llvm.preserve.access.index {roots[record]} "btf_ama"'
            )
        return texts, _PLACEHOLDER.sub(lambda m: names[int(m[1])], functions)

    def _text(self, record: _Record) -> str:
        """`KIND:VALUE$ACCESS`: what the loader will find in the object's own BTF."""
        from ebee.btf import core

        enum = record.kind in ENUM_KINDS
        there = [s.at for s in record.steps]
        path = there if enum else [0, *there]
        relo = CoreRelo(0, record.root, ":".join(map(str, path)), record.kind)
        found = core.value_of(core.parse(record.btf, relo), record.kind)
        assert found is not None
        here = [
            self._part(record.btf, s.owner).place(s.at) if s.owner else s.at for s in record.steps
        ]
        access = ":".join(map(str, here if enum else [0, *here]))
        value = found.value - (1 << 64) if found.value >= 1 << 63 else found.value
        return f"{int(record.kind)}:{value}${access}"


__all__ = ["Records", "Step"]
