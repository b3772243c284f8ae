"""Special fields: what the kernel owns inside values of maps and objects of the program
(kernel/bpf/btf.c: btf_parse_fields)."""

from __future__ import annotations

from typing import NamedTuple

from ebee.btf import Array, Btf, Datasec, DeclTag, Ptr, Struct, Union, Var
from ebee.maps.special import STRUCTS, TAGS, special_fields
from ebee.verifier.core import btftype
from ebee.verifier.core.btftype import BtfType
from ebee.verifier.core.errors import DoesNotKnow

_SIZES = {
    "bpf_spin_lock": 4, "bpf_res_spin_lock": 8, "bpf_timer": 16, "bpf_wq": 16, "bpf_list_head": 16,
    "bpf_list_node": 24, "bpf_rb_root": 16, "bpf_rb_node": 32, "bpf_refcount": 4,
    "bpf_task_work": 8,
}  # fmt: skip
MAX_FIELDS = 11  # BTF_FIELDS_MAX
_NODES = {"bpf_list_head": "bpf_list_node", "bpf_rb_root": "bpf_rb_node"}
REFS = frozenset(TAGS)
"""Kinds of fields that hold a pointer to an object."""


class Field(NamedTuple):
    """One special field: its kind, where it is; of a pointer and of the head of a list or tree
    the type of the objects; of a head also where the node is in them."""

    name: str
    offset: int
    size: int
    target: BtfType | None = None
    node: int = 0


_known: dict[tuple[int, int, bool], tuple[Btf, tuple[Field, ...]]] = {}


def fields(btf: Btf, type_id: int, kernel: Btf | None) -> tuple[Field, ...]:
    """The special fields of a type, by offset."""
    key = id(btf), type_id, kernel is None
    known = _known.get(key)
    if known is not None and known[0] is btf:
        return known[1]
    found = tuple(_fields(btf, type_id, kernel))
    _known[key] = btf, found
    return found


def _fields(btf: Btf, type_id: int, kernel: Btf | None) -> list[Field]:
    made = []
    for name, at in special_fields(btf, type_id):
        target, node = None, 0
        if name in REFS:
            target = _pointed(btf, type_id, at, kernel)
        elif name in _NODES:
            target, node = _contained(btf, type_id, at, _NODES[name])
            if target is None and isinstance(btf.type(type_id), Datasec):
                return []  # as for all that is wrong with fields, the map has none
        made.append(Field(name, at, _SIZES.get(name, 8), target, node))
    if len(made) > MAX_FIELDS:  # the kernel then knows of none
        return []
    return sorted(made, key=lambda f: f.offset)


def _place(btf: Btf, type_id: int, at: int) -> tuple[BtfType, int, int]:
    """The innermost struct around an offset: it, the index of the member there, its type."""
    holder = found = btftype.of(btf, type_id)
    index, member = -1, type_id
    for _ in range(32):
        t = found.type
        if isinstance(t, Datasec):
            for var in t.vars:
                if var.offset <= at < var.offset + var.size:
                    inner = btf.type(var.type)
                    assert isinstance(inner, Var)
                    at -= var.offset
                    holder, index, member = found, -1, inner.type
                    break
            else:
                break
        elif isinstance(t, Array):
            at %= btf.sizeof(t.type) or 1
            found = btftype.of(btf, t.type)
            if isinstance(found.type, Ptr):
                return holder, index, t.type
            continue
        elif isinstance(t, Struct | Union) and t.name not in STRUCTS:
            for number, each in enumerate(t.members):
                start = each.offset // 8
                if start <= at < start + btf.sizeof(each.type):
                    at -= start
                    holder, index, member = found, number, each.type
                    break
            else:
                break
        else:
            return holder, index, member
        found = btftype.of(btf, member)
        if isinstance(found.type, Ptr) or found.name in STRUCTS:
            return holder, index, member
    raise DoesNotKnow("this layout of special fields")


def _pointed(btf: Btf, type_id: int, at: int, kernel: Btf | None) -> BtfType | None:
    """What a pointer in a map points to: a type of the kernel, or else of the program."""
    _, _, member = _place(btf, type_id, at)
    pointer = btftype.of(btf, member).type
    assert isinstance(pointer, Ptr)
    local = btftype.of(btf, pointer.type)
    found = btftype.struct(kernel, local.name) if kernel is not None else None
    if found is None and kernel is not None and kernel.partial:
        raise DoesNotKnow(f"whether the kernel has a struct {local.name}: {kernel.name} is a part")
    return found or local


def _contained(btf: Btf, type_id: int, at: int, node: str) -> tuple[BtfType | None, int]:
    """What a list or tree holds, by the tag `contains:TYPE:MEMBER` of its head."""
    holder, index, _ = _place(btf, type_id, at)
    owner, component = holder.id, index
    if index < 0:  # a variable
        assert isinstance(holder.type, Datasec)
        owner = next(v.type for v in holder.type.vars if v.offset <= at < v.offset + v.size)
    for tag in tags(btf, owner, component):
        if tag.startswith("contains:"):
            _, type_name, member_name = tag.split(":", 2)
            target = btftype.struct(btf, type_name)
            if target is None or not isinstance(target.type, Struct):
                break
            for member in target.type.members:
                if member.name == member_name:
                    if btftype.of(btf, member.type).name != node:
                        break
                    return target, member.offset // 8
    return None, 0


def tags(btf: Btf, owner: int, component: int = -1) -> list[str]:
    """The declaration tags of a type, or of one of its members or parameters."""
    table = _tags.get(id(btf))
    if table is None or table[0] is not btf:
        by: dict[tuple[int, int], list[str]] = {}
        for found in btf:
            if isinstance(found, DeclTag):
                by.setdefault((found.type, found.component), []).append(found.name)
        table = _tags[id(btf)] = btf, by
    return table[1].get((owner, component), [])


_tags: dict[int, tuple[Btf, dict[tuple[int, int], list[str]]]] = {}
