"""A kernel's types and functions as stubs: what editors complete and type checkers check in
`from ebee.vmlinux import ...` and `from ebee.kfuncs import ...`."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Iterator

from ebee.btf.reader import Btf
from ebee.btf.types import (
    Array,
    Composite,
    DeclTag,
    Enum,
    Enum64,
    Enumeration,
    Func,
    FuncProto,
    Int,
    Member,
    Ptr,
    Type,
    Typedef,
    Void,
)

_NUMBERS = {(1, False): "u8", (2, False): "u16", (4, False): "u32", (8, False): "u64",
            (1, True): "i8", (2, True): "i16", (4, True): "i32", (8, True): "i64"}  # fmt: skip

_IMPORTED = {*_NUMBERS.values(), "array", "bool", "char", "ptr", "IntEnum"}

_TYPES = """\
\"\"\"Types of {name}, for editors and type checkers. Made by `ebee btf stubs`.\"\"\"

import builtins as _b
from enum import IntEnum
from typing import Any, Literal, Self, TypeAlias

from ebee import types as _t
from ebee import vmlinux as _v
from ebee.types import array, char, i8, i16, i32, i64, ptr, u8, u16, u32, u64

class KernelStruct:
    def __enter__(self) -> Self | None: ...
    def __exit__(self, *_: object) -> None: ...

def __getattr__(name: str) -> Any: ...
"""

_FUNCTIONS = """\
\"\"\"Functions of {name} that programs may call, for editors and type checkers. Made by
`ebee btf stubs`.\"\"\"

from collections.abc import Iterator
from typing import Any

from ebee import vmlinux
from ebee.types import i8, i16, i32, i64, ptr, u8, u16, u32, u64

def __getattr__(name: str) -> Any: ...
"""


class Stubs:
    """Stubs of some of the types of a BTF."""

    def __init__(self, btf: Btf, types: Iterable[Type] = (), module: str = ""):
        self.btf, self.module = btf, module
        self.names: dict[str, Type] = {}
        for found in types or btf:
            self._take(found)

    def _take(self, found: Type) -> None:
        name = getattr(found, "name", "")
        if not name.isidentifier() or keyword.iskeyword(name) or name in _IMPORTED:
            return
        known = isinstance(found, Composite | Enumeration)
        before = self.names.get(name)
        better = known and not isinstance(before, Composite)
        if better or (isinstance(found, Typedef) and before is None):
            self.names[name] = found

    def text(self) -> str:
        """The stub of the types."""
        lines = [_TYPES.format(name=self.btf.name)]
        for name, found in sorted(self.names.items()):
            lines += self._type(name, found)
        return "\n".join(lines) + "\n"

    def _type(self, name: str, found: Type) -> Iterator[str]:
        resolved = self.btf.resolve(found.id)
        if isinstance(resolved, Composite):
            if resolved.name and resolved.name != name:
                if resolved.name in self.names:
                    yield f"{name}: TypeAlias = {resolved.name}"
                return
            yield from self._class(name, resolved, "")
        elif isinstance(resolved, Enumeration) and resolved.values:
            yield f"class {name}(IntEnum):"
            yield from (f"    {_safe(v.name)} = {v.value}" for v in resolved.values)
        elif isinstance(found, Typedef) and (shown := self.spelled(found.id)) != "Any":
            yield f"{name}: TypeAlias = {shown}"

    def _class(self, name: str, found: Composite, indent: str) -> Iterator[str]:
        yield f"{indent}class {name}(KernelStruct):"
        members = list(_named(self.btf, found))
        names = {_safe(m.name) for m in members}
        for member in members:
            here = self.btf.resolve(member.type)
            label = _safe(member.name)
            if isinstance(here, Composite) and not here.name:
                own = self.btf.type(member.type)
                if not (isinstance(own, Typedef) and own.name in self.names):
                    yield from self._class(f"{label}_t", here, indent + "    ")
                    yield f"{indent}    {label}: {label}_t"
                    continue
            yield f"{indent}    {label}: {_apart(self.spelled(member.type), names)}"
        if not members:
            yield f"{indent}    ..."

    def spelled(self, id: int) -> str:
        """A type as an annotation: structs and pointers to them by name; what is not among these
        types may be anything."""
        own, found = self.btf.type(id), self.btf.resolve(id)
        match found:
            case Int() if found.boolean:
                return "bool"
            case Int() | Enum() | Enum64():
                return _NUMBERS.get((found.size, found.signed), "Any")
            case Composite():
                return self._struct(own, found)
            case Array():
                elem = self.btf.resolve(found.type)
                text = isinstance(elem, Int) and elem.size == 1 and elem.name == "char"
                inner = "char" if text else self.spelled(found.type)
                return f"array[{inner}, Literal[{found.nelems}]]"
            case Ptr():
                return self._pointer(found)
        return "Any"

    def _struct(self, own: Type, found: Composite) -> str:
        name = found.name or getattr(own, "name", "")
        return f"{self.module}{name}" if name in self.names else "Any"

    def _pointer(self, found: Ptr) -> str:
        to = self.btf.resolve(found.type)
        if isinstance(to, Composite):
            return self._struct(self.btf.type(found.type), to)
        if isinstance(to, Int) and (to.size, to.signed) in _NUMBERS:
            return f"ptr[{'u8' if to.boolean else _NUMBERS[to.size, to.signed]}]"
        return "Any"


def _named(btf: Btf, found: Composite, seen: set[str] | None = None) -> Iterator[Member]:
    """Members by name, through structs without one; each name once."""
    seen = set() if seen is None else seen
    for member in found.members:
        inside = btf.resolve(member.type)
        if member.name:
            if member.name.isidentifier() and member.name not in seen:
                seen.add(member.name)
                yield member
        elif isinstance(inside, Composite):
            yield from _named(btf, inside, seen)


_WORDS = re.compile(r"[A-Za-z_]\w*")
_PLAIN = {"Any", "Literal"}


def _apart(text: str, taken: set[str]) -> str:
    """An annotation in a class some of whose members are called like types."""

    def found(word: re.Match[str]) -> str:
        name = word[0]
        if name not in taken or name in _PLAIN:
            return name
        if name == "bool":
            return "_b.bool"
        here = name in (*_NUMBERS.values(), "array", "char", "ptr")
        return f"_t.{name}" if here else f"_v.{name}"

    return _WORDS.sub(found, text)


def _safe(name: str) -> str:
    return f"{name}_" if keyword.iskeyword(name) else name


_OWN = ("meta__ign", "aux__ign", "__prog")
"""Ends of names of parameters that the verifier fills in."""

# --- functions -----------------------------------------------------------------------------------


def functions(btf: Btf) -> str:
    """The stub of the functions that programs may call: those that BTF marks (Linux 6.10)."""
    spelled = Stubs(btf, module="vmlinux.")
    lines = [_FUNCTIONS.format(name=btf.name)]
    tagged = sorted({t.type for t in btf if isinstance(t, DeclTag) and t.name == "bpf_kfunc"})
    found = {f.name: f for f in map(btf.type, tagged) if isinstance(f, Func)}
    for name, function in sorted(found.items()):
        if name.startswith("bpf_iter_") and name.endswith(("_new", "_next", "_destroy")):
            if name.endswith("_next"):
                lines.append(_iterator(btf, spelled, found, name.removesuffix("_next")))
            continue
        lines.append(_function(btf, spelled, name, function, 0))
    return "\n".join(lines) + "\n"


def _function(btf: Btf, spelled: Stubs, name: str, function: Func, skip: int) -> str:
    proto = btf.type(function.type)
    assert isinstance(proto, FuncProto)
    params = [p for p in proto.params[skip:] if p.type and not p.name.endswith(_OWN)]
    shown = []
    for p in params:
        optional = " = 0" if p.name.endswith(("__sz", "__szk")) else ""
        number = isinstance(btf.resolve(p.type), Int | Enum | Enum64)
        size = "_size" if optional else ""
        label = _safe((p.name.partition("__")[0] or p.name) + size)
        shown.append(f"{label}: {'int' if number else 'Any'}{optional}")
    result = btf.resolve(proto.type)
    given = "None" if isinstance(result, Void) else spelled.spelled(proto.type)
    return f"def {name}({', '.join(_ordered(shown))}) -> {given}: ..."


def _ordered(shown: list[str]) -> list[str]:
    """Parameters, those with a default only where all behind them have one."""
    last = max((i for i, text in enumerate(shown) if " = " not in text), default=-1)
    return [t.removesuffix(" = 0") if i < last else t for i, t in enumerate(shown)]


def _iterator(btf: Btf, spelled: Stubs, found: dict[str, Func], name: str) -> str:
    new, following = found.get(f"{name}_new"), found[f"{name}_next"]
    proto = btf.type(following.type)
    assert isinstance(proto, FuncProto)
    element = spelled.spelled(proto.type)
    element = "int" if element.startswith("ptr[") else element
    head = _function(btf, spelled, name, new or following, 1)
    return f"{head.rpartition(' -> ')[0]} -> Iterator[{element}]: ..."


__all__ = ["Stubs", "functions"]
