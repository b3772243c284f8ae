"""Specs as bytes that are quickly read again, for caches that nobody else can write.

An object file says the same in a standard form; this is what comes of reading it.
"""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ebee.obj.spec import ObjectSpec


def pack(spec: ObjectSpec) -> bytes:
    """A spec as bytes."""
    plain = spec.copy()
    types = None if spec.btf is None else (bytes(spec.btf.data), spec.btf.name)
    plain.btf = None
    return pickle.dumps((plain, types), 5)


def unpack(data: bytes) -> ObjectSpec:
    """The spec that `pack` made bytes of. Its types are parsed when they are first asked for."""
    spec: ObjectSpec
    spec, types = pickle.loads(data)
    if types is not None:
        spec.parse_later(*types)
    return spec


__all__ = ["pack", "unpack"]
