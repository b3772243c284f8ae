"""Special fields of map values: structs that the kernel owns inside a value (btf_parse_fields)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ebee.btf import Btf

SPIN_LOCK = "bpf_spin_lock"

STRUCTS = (
    SPIN_LOCK, "bpf_res_spin_lock", "bpf_timer", "bpf_wq", "bpf_list_head", "bpf_list_node",
    "bpf_rb_root", "bpf_rb_node", "bpf_refcount", "bpf_task_work",
)  # fmt: skip
"""The structs by name."""

TAGS = ("kptr", "kptr_untrusted", "percpu_kptr", "uptr")
"""Type tags of pointers that are special."""


def special_fields(btf: Btf, type_id: int, at: int = 0) -> Iterator[tuple[str, int]]:
    """Name and byte offset of each special field of a type, also in members that are structs or
    arrays, and in the variables of a data section."""
    from ebee.btf import Array, Datasec, Ptr, Struct, TypeTag

    found = btf.resolve(type_id)
    if isinstance(found, Datasec):
        for part in found.vars:
            yield from special_fields(btf, btf.type(part.type).type, at + part.offset)  # type: ignore[union-attr]
    elif isinstance(found, Array):
        inner = list(special_fields(btf, found.type))
        size = btf.sizeof(found.type) if inner else 0
        for i in range(found.nelems if inner else 0):
            yield from ((name, at + i * size + offset) for name, offset in inner)
    elif isinstance(found, Ptr):
        tag = btf.type(found.type)
        if isinstance(tag, TypeTag) and tag.name in TAGS:
            yield tag.name, at
    elif isinstance(found, Struct):
        if found.name in STRUCTS:
            yield found.name, at
            return
        for member in found.members:
            yield from special_fields(btf, member.type, at + member.offset // 8)
