"""BTF as C: single declarations, types with what they need, or a whole vmlinux.h."""

from __future__ import annotations

from ebee.btf.reader import Btf, describe
from ebee.btf.types import (
    Ptr,
)

_DEPTH = 64


def declare(btf: Btf, id: int, name: str = "") -> str:
    """C's declaration of `name` with type `id`, structs by name: `int (*name)(char *)[4]`.

    Without a name the type as a cast spells it. Anonymous structs and enums are spelt
    `struct {...}`.
    """
    inner = name  # grows outwards: declarators bind from the name on
    for _ in range(_DEPTH):
        found = btf.type(id)
        match found:
            case Ptr():
                marks, id = "*", found.type
                inner = marks + inner
            case _:
                break
    return f"{describe(found)} {inner}".strip()


def oneline(btf: Btf, id: int) -> str:
    """A type on one line."""
    return declare(btf, id)
