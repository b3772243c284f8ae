"""Checking a whole BTF as the kernel does before it loads one (kernel/bpf/btf.c)."""

from __future__ import annotations

import re

from ebee.btf.reader import Btf, describe
from ebee.btf.types import (
    Array,
    Composite,
    Datasec,
    DeclTag,
    Enumeration,
    Func,
    FuncProto,
    Fwd,
    Int,
    Ptr,
    Reference,
    Type,
    Typedef,
    TypeTag,
    Union,
    Var,
    Void,
)
from ebee.errors import BtfError

_IDENTIFIER = re.compile(r"[A-Za-z_.][\w.]*", re.ASCII)
_NEEDS_NAME = (Fwd, Typedef, Func, Var, Datasec, DeclTag, TypeTag)
_IDENTIFIERS = (Composite, Enumeration, Fwd, Typedef, Func, Var)
_NO_VALUE = (Void, Func, FuncProto, Var, Datasec, DeclTag)


def validate(btf: Btf) -> None:
    """BtfError for the first fault of any type of `btf` (its base is taken as sound). It takes a
    second for a kernel's BTF, so nothing does it unasked."""
    for found in btf:
        try:
            _check(btf, found)
        except BtfError as error:
            text = str(error).removeprefix(f"{btf.name}: ")
            raise BtfError(f"{btf.name}: type {found.id} ({describe(found)}): {text}") from None
    _check_containment(btf)


def _check(btf: Btf, found: Type) -> None:
    if isinstance(found, _NEEDS_NAME) and not found.name:
        raise BtfError("it needs a name")
    if found.name and isinstance(found, _IDENTIFIERS):
        _identifier(found.name)
    if isinstance(found, Int) and found.encoding & found.encoding - 1:
        raise BtfError(f"its encoding {found.encoding} is more than one of signed, char and bool")
    if isinstance(found, Composite):
        _check_members(btf, found)
    elif isinstance(found, Enumeration):
        if not found.size:
            raise BtfError("it is only declared, which the kernel does not take")
        for value in found.values:
            _identifier(value.name)
    elif isinstance(found, (Reference, Typedef, TypeTag)):
        target = btf.type(found.type)
        if isinstance(target, (Var, Datasec, DeclTag)):
            raise BtfError(f"it refers to type {found.type}, a {type(target).__name__.lower()}")
        if not isinstance(found, Ptr):
            btf.resolve(found.id)
    elif isinstance(found, Array):
        element = _value(btf, found.type, "its element")
        if isinstance(element, Int) and not _regular(element):
            raise BtfError(f"its element {found.type} is a bitfield")
        index = btf.resolve(found.index_type)
        if not isinstance(index, Int) or not _regular(index):
            raise BtfError(f"its index type {found.index_type} is no integer")
    elif isinstance(found, Func):
        if not isinstance(btf.type(found.type), FuncProto):
            raise BtfError(f"its type {found.type} is no function prototype")
        if found.linkage > 2:
            raise BtfError(f"linkage {found.linkage} is unknown")
    elif isinstance(found, FuncProto):
        _check_proto(btf, found)
    elif isinstance(found, Var):
        _value(btf, found.type, "it")
        if found.linkage > 2:
            raise BtfError(f"linkage {found.linkage} is unknown")
    elif isinstance(found, Datasec):
        _check_section(btf, found)
    elif isinstance(found, DeclTag):
        _check_tag(btf, found)


def _regular(found: Int) -> bool:
    """Whether an Int is a whole word, not a bitfield of old."""
    return not found.offset and found.bits in (8, 16, 32, 64, 128)


def _identifier(name: str) -> None:
    if not _IDENTIFIER.fullmatch(name):
        raise BtfError(f"{name!r} is no name")


def _value(btf: Btf, id: int, what: str) -> Type:
    """The resolved type `id`, which must be one that a variable can have."""
    found = btf.resolve(id)
    if isinstance(found, (*_NO_VALUE, Fwd)):
        raise BtfError(f"{what} has type {id} ({describe(found)}), of which there are no values")
    return found


def _check_members(btf: Btf, found: Composite) -> None:
    last = 0
    for member in found.members:
        if member.name:
            _identifier(member.name)
        what = f"member {member.name or '(anonymous)'}"
        if member.offset < last or (member.offset and isinstance(found, Union)):
            raise BtfError(f"{what} is at bit {member.offset}, out of order")
        last = member.offset
        target = _value(btf, member.type, what)
        offset, bits = btf.bitfield(member)
        if bits and not isinstance(target, (Int, Enumeration)):
            raise BtfError(f"{what} is a bitfield of {describe(target)}")
        size = btf.sizeof(member.type)
        if bits > size * 8:
            raise BtfError(f"{what} has {bits} bits in a type of {size} bytes")
        if not bits and offset % 8:
            raise BtfError(f"{what} is no bitfield but begins at bit {offset}")
        if offset + (bits or size * 8) > found.size * 8:
            raise BtfError(
                f"{what} reaches bit {offset + (bits or size * 8)} of only {found.size} bytes"
            )


def _check_proto(btf: Btf, found: FuncProto) -> None:
    if not isinstance(btf.resolve(found.type), Void):
        _returnable(btf, found.type, "what it returns")
    last = len(found.params) - 1
    for number, param in enumerate(found.params):
        if param.name:
            _identifier(param.name)
        if param.type == 0 and number == last and not param.name:
            continue
        _returnable(btf, param.type, f"parameter {number + 1}")


def _returnable(btf: Btf, id: int, what: str) -> None:
    """Prototypes may name types that are only declared (seen in kernels: `struct x` by value)."""
    found = btf.resolve(id)
    if isinstance(found, _NO_VALUE):
        raise BtfError(f"{what} has type {id} ({describe(found)}), of which there are no values")


def _check_section(btf: Btf, found: Datasec) -> None:
    end = 0
    for entry in found.vars:
        if not isinstance(btf.type(entry.type), (Var, Func)):
            raise BtfError(f"its entry of type {entry.type} is neither variable nor function")
        # The compiler leaves sizes and offsets of sections at 0; the loader fills them in.
        if not found.size:
            continue
        if entry.offset < end:
            raise BtfError(f"its entry at {entry.offset} overlaps the one before, or precedes")
        end = entry.offset + entry.size
        if end > found.size:
            raise BtfError(f"its entry of type {entry.type} ends at {end} of {found.size} bytes")


def _check_tag(btf: Btf, found: DeclTag) -> None:
    target = btf.type(found.type)
    if isinstance(target, Composite):
        count = len(target.members)
    elif isinstance(target, Func):
        proto = btf.type(target.type)
        count = len(proto.params) if isinstance(proto, FuncProto) else 0
    elif isinstance(target, (Var, Typedef)):
        count = 0
    else:
        raise BtfError(f"it tags type {found.type} ({describe(target)}), which has no declaration")
    if not -1 <= found.component < count:
        raise BtfError(f"it tags component {found.component} of {count}")


def _check_containment(btf: Btf) -> None:
    """No struct may contain itself by value, through arrays and typedefs or not."""
    done: set[int] = set(range(btf.start_id))
    for start in range(btf.start_id, len(btf)):
        if start in done or not issubclass(btf.kind(start), Composite):
            continue
        path: list[int] = []
        stack = [(start, False)]
        while stack:
            id, leave = stack.pop()
            if leave:
                done.add(path.pop())
                continue
            if id in done:
                continue
            if id in path:
                raise BtfError(f"{btf.name}: type {id} ({describe(btf.type(id))}) contains itself")
            path.append(id)
            stack.append((id, True))
            stack += ((inner, False) for inner in _contained(btf, id))


def _contained(btf: Btf, id: int) -> set[int]:
    found, inside = btf.type(id), set()
    for member in found.members if isinstance(found, Composite) else ():
        inner = btf.innermost(member.type)
        if isinstance(inner, Composite):
            inside.add(inner.id)
    return inside
