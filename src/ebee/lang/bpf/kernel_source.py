"""Which kernel's types programs are compiled with.

Those in the file that EBEE_BTF names, or else the running kernel's, those of its modules, and what
comes with ebee, in this order. CO-RE makes the program fit the kernel that it is loaded into, so
this decides what there is to write about, not where the program runs.
"""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING

from ebee.errors import BtfError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ebee.btf import Btf
    from ebee.btf.types import Type

VARIABLE = "EBEE_BTF"
"""The environment's variable that names a file with BTF."""

NOTES = "/sys/kernel/notes"
"""Where the running kernel says which one it is."""


def identity() -> str:
    """Which types there are, for names of what is kept; without importing anything of BTF."""
    path = os.environ.get(VARIABLE, "")
    try:
        if path:
            found = os.stat(path)
            return repr((os.path.abspath(path), found.st_size, found.st_mtime_ns))
        with open(NOTES, "rb") as notes:
            return notes.read().hex()
    except OSError:
        return path


def source() -> Btf:
    """The types to ask first: the file's, the running kernel's, or the bundled ones."""
    return _first(os.environ.get(VARIABLE, ""))


@cache
def _first(path: str) -> Btf:
    from ebee.btf.target import target

    return target(path).btf


def _all(path: str) -> Iterator[Btf]:
    """The places to look in, one after the other."""
    from ebee.btf import Btf
    from ebee.btf.files import modules

    first = _first(path)
    yield first
    if path or first.partial:
        return
    for name in modules():
        try:
            yield _module(name)
        except BtfError:  # unloaded meanwhile
            continue
    yield Btf.bundled()


@cache
def _module(name: str) -> Btf:
    from ebee.btf import Btf

    return Btf.module(name, _first(""))


def find(name: str, kinds: type | tuple[type, ...]) -> tuple[Btf, Type] | None:
    """The type of a name, and the BTF it is in; None when no place has it."""
    return _find(os.environ.get(VARIABLE, ""), name, kinds)


@cache
def _find(path: str, name: str, kinds: type | tuple[type, ...]) -> tuple[Btf, Type] | None:
    for btf in _all(path):
        found: Type | None = btf.get(name, kinds)
        if found is not None:
            return btf, found
    return None


__all__ = ["VARIABLE", "find", "identity", "source"]
