"""Types as plain data, and one per line as text: in the words of `bpftool btf dump`, which tools
for BTF understand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ebee.btf.reader import Kind
from ebee.btf.types import (
    BOOL,
    CHAR,
    SIGNED,
    Array,
    Composite,
    Datasec,
    DeclTag,
    Enum64,
    Enumeration,
    Float,
    Func,
    FuncProto,
    Fwd,
    Int,
    Reference,
    Typedef,
    TypeTag,
    Var,
)

LINKAGES = ("static", "global", "extern")
_ANONYMOUS = "(anon)"
_WORDS = {"FuncProto": "FUNC_PROTO", "DeclTag": "DECL_TAG", "TypeTag": "TYPE_TAG"}
_ENCODINGS = {0: "(none)", SIGNED: "SIGNED", CHAR: "CHAR", BOOL: "BOOL"}


def as_dict(found: Kind) -> dict[str, Any]:
    """A type with all its fields, as `bpftool --json btf dump` has it."""
    head = {"id": found.id, "kind": kind_name(type(found)), "name": _name(found.name)}
    return head | _fields(found)


def kind_name(kind: type) -> str:
    """The name of a kind without BTF_KIND_: "STRUCT", "FUNC_PROTO"."""
    return _WORDS.get(kind.__name__, kind.__name__.upper())


def as_text(found: Kind, name_of: Callable[[int], str] | None = None) -> str:
    """A type on one line, and each of its members on a further one. `name_of`: what to say behind
    the id of a type, if anything."""
    made = as_dict(found)
    suffix = ""
    if isinstance(found, Enum64):
        suffix = "LL" if found.signed else "ULL"
    lines = [f"[{made.pop('id')}] {made.pop('kind')} '{made.pop('name')}'"]
    parts = [value for value in made.values() if isinstance(value, list)]
    lines[0] += "".join(_pairs({k: v for k, v in made.items() if not isinstance(v, list)}, name_of))
    for part in parts[0] if parts else ():
        label = f"'{part.pop('name')}'" if "name" in part else ""
        if "val" in part:
            part["val"] = f"{part['val']}{suffix}"
        lines.append("\t" + (label + "".join(_pairs(part, name_of))).lstrip())
    return "\n".join(lines)


def _pairs(fields: dict[str, Any], name_of: Callable[[int], str] | None) -> Iterator[str]:
    for key, value in fields.items():
        behind = name_of(value) if name_of and key.endswith("type_id") else ""
        yield f" {key}={value}" + (f" ({behind})" if behind else "")


def _name(name: str) -> str:
    return name or _ANONYMOUS


def _linkage(number: int) -> str:
    return LINKAGES[number] if number < len(LINKAGES) else "(unknown)"


def _fields(found: Kind) -> dict[str, Any]:
    match found:
        case Int():
            bits = found.bits or found.size * 8
            encoding = _ENCODINGS.get(found.encoding, "UNKN")
            place = {"bits_offset": found.offset, "nr_bits": bits}
            return {"size": found.size, **place, "encoding": encoding}
        case TypeTag() | DeclTag() if found.attribute:
            return _tag(found) | {"kind_flag": 1}
        case TypeTag() | DeclTag():
            return _tag(found)
        case Reference() | Typedef():
            return {"type_id": found.type}
        case Array():
            count = {"nr_elems": found.nelems}
            return {"type_id": found.type, "index_type_id": found.index_type, **count}
        case Composite():
            members = [
                {"name": _name(m.name), "type_id": m.type, "bits_offset": m.offset}
                | ({"bitfield_size": m.bits} if m.bits else {})
                for m in found.members
            ]
            return {"size": found.size, "vlen": len(members), "members": members}
        case Enumeration():
            values = [{"name": v.name, "val": v.value} for v in found.values]
            encoding = "SIGNED" if found.signed else "UNSIGNED"
            head = {"encoding": encoding, "size": found.size}
            return {**head, "vlen": len(values), "values": values}
        case Fwd():
            return {"fwd_kind": "union" if found.union else "struct"}
        case FuncProto():
            params = [{"name": _name(p.name), "type_id": p.type} for p in found.params]
            return {"ret_type_id": found.type, "vlen": len(params), "params": params}
        case Func() | Var():
            return {"type_id": found.type, "linkage": _linkage(found.linkage)}
        case Datasec():
            entries = [{"type_id": v.type, "offset": v.offset, "size": v.size} for v in found.vars]
            return {"size": found.size, "vlen": len(entries), "vars": entries}
        case Float():
            return {"size": found.size}
    return {}


def _tag(found: TypeTag | DeclTag) -> dict[str, Any]:
    place = {"component_idx": found.component} if isinstance(found, DeclTag) else {}
    return {"type_id": found.type, **place}
