"""When a type of a program and a type of the kernel count as the same for CO-RE.

The rules are the kernel's and libbpf's (kernel/bpf/btf.c: bpf_core_types_are_compat,
bpf_core_types_match; tools/lib/bpf/relo_core.c). Names are compared without their flavour, the
part from `___` on.
"""

from __future__ import annotations

from ebee.btf.reader import Btf
from ebee.btf.types import (
    Array,
    Composite,
    Enumeration,
    Float,
    FuncProto,
    Fwd,
    Int,
    Ptr,
    Type,
    Union,
    Void,
)
from ebee.errors import BtfError

_DEPTH = 32


def essential(name: str) -> str:
    """The name without flavour: `task_struct___old` is `task_struct`. (A name that begins with
    `___`, or ends there, has none.)"""
    for at in range(len(name) - 5, -1, -1):
        if name[at + 1 : at + 4] == "___" and name[at] != "_" and name[at + 4] != "_":
            return name[: at + 1]
    return name


def same_kind(local: Type, target: Type) -> bool:
    """Whether kinds agree; the two enum kinds count as one."""
    if isinstance(local, Enumeration):
        return isinstance(target, Enumeration)
    return type(local) is type(target)


def fields_compatible(local: Btf, local_id: int, target: Btf, target_id: int) -> bool:
    """Whether a member may be read as the other: any two structs, pointers, integers or floats;
    enums of one name; arrays of such."""
    for _ in range(_DEPTH):
        mine, theirs = local.resolve(local_id), target.resolve(target_id)
        if isinstance(mine, Composite) and isinstance(theirs, Composite):
            return True
        if not same_kind(mine, theirs):
            return False
        match mine:
            case Ptr() | Float():
                return True
            case Fwd() | Enumeration():
                names = essential(mine.name), essential(theirs.name)
                return not all(names) or names[0] == names[1]
            case Int():
                # Old bitfields, an Int with an offset, are beyond comparison.
                return mine.offset == 0 and theirs.offset == 0  # type: ignore[union-attr]
            case Array():
                local_id, target_id = mine.type, theirs.type  # type: ignore[union-attr]
            case _:
                return False
    raise _too_deep(local, local_id)


def types_compatible(
    local: Btf, local_id: int, target: Btf, target_id: int, depth: int = _DEPTH
) -> bool:
    """Whether types are of one shape as far as a type's existence, id and size go: structs and
    enums by kind alone, pointers, arrays and functions by what they are made of."""
    if not same_kind(local.type(local_id), target.type(target_id)):
        return False
    for level in range(depth, 0, -1):
        mine, theirs = local.resolve(local_id), target.resolve(target_id)
        if not same_kind(mine, theirs):
            return False
        match mine, theirs:
            case ((Void() | Composite() | Enumeration() | Fwd()), _):
                return True
            case Int(), Int():
                return mine.offset == 0 and theirs.offset == 0
            case Ptr(), Ptr():
                local_id, target_id = mine.type, theirs.type
            case Array(), Array():
                local_id, target_id = mine.type, theirs.type
            case FuncProto(), FuncProto():
                if len(mine.params) != len(theirs.params):
                    return False
                for one, other in zip(mine.params, theirs.params, strict=True):
                    ids = _plain_id(local, one.type), _plain_id(target, other.type)
                    if not types_compatible(local, ids[0], target, ids[1], level - 1):
                        return False
                local_id, target_id = mine.type, theirs.type
            case _:
                return False
    raise _too_deep(local, local_id)


def _plain_id(btf: Btf, id: int) -> int:
    return btf.resolve(id).id


def types_match(
    local: Btf,
    local_id: int,
    target: Btf,
    target_id: int,
    behind_pointer: bool = False,
    depth: int = _DEPTH,
) -> bool:
    """Whether the target type has all that the local one says: every member with a matching
    type, every enumerator; sizes and signs of integers; behind a pointer only names (TYPE_MATCHES,
    since Linux 6.0)."""
    for level in range(depth, 0, -1):
        mine, theirs = local.resolve(local_id), target.resolve(target_id)
        if essential(mine.name) != essential(theirs.name) and not isinstance(mine, Void):
            return False
        match mine, theirs:
            case Void(), _:
                return isinstance(theirs, Void)
            case Fwd(), Fwd():
                return mine.union == theirs.union
            case Fwd(), Composite() if behind_pointer:
                return mine.union == isinstance(theirs, Union)
            case Enumeration(), Enumeration():
                names = {essential(value.name) for value in theirs.values}
                fits = len(mine.values) <= len(theirs.values)
                return fits and all(essential(value.name) in names for value in mine.values)
            case Composite(), Fwd() if behind_pointer:
                return theirs.union == isinstance(mine, Union)
            case Composite(), Composite():
                if not same_kind(mine, theirs):
                    return False
                if behind_pointer:
                    return True
                return _members_match(local, mine, target, theirs, level - 1)
            case Int(), Int():
                return mine.size == theirs.size and mine.signed == theirs.signed
            case Ptr(), Ptr():
                behind_pointer = True
                local_id, target_id = mine.type, theirs.type
            case Array(), Array():
                if mine.nelems != theirs.nelems:
                    return False
                local_id, target_id = mine.type, theirs.type
            case FuncProto(), FuncProto():
                if len(mine.params) != len(theirs.params):
                    return False
                for one, other in zip(mine.params, theirs.params, strict=True):
                    if not types_match(
                        local, one.type, target, other.type, behind_pointer, level - 1
                    ):
                        return False
                local_id, target_id = mine.type, theirs.type
            case _:
                return False
    raise _too_deep(local, local_id)


def _members_match(local: Btf, mine: Composite, target: Btf, theirs: Composite, depth: int) -> bool:
    if len(mine.members) > len(theirs.members):
        return False
    return all(
        any(
            essential(one.name) == essential(other.name)
            and types_match(local, one.type, target, other.type, False, depth)
            for other in theirs.members
        )
        for one in mine.members
    )


def _too_deep(btf: Btf, id: int) -> BtfError:
    return BtfError(f"{btf.name}: type {id} is nested more than {_DEPTH} deep")
