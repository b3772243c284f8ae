"""Helpers: the functions that Linux offers to eBPF programs; declarations, a file per family.

A helper's signature is one line, read by the compiler (types), the verifier (argument rules), the
generator of C headers, and the machine (which checks arguments before it calls the body):

    "map: map, key: map_key -> map_value?"

A parameter is `name: kind`. The kinds are in `KINDS`; `?` after a kind means that null is allowed
(argument) or possible (result). `ctx[xdp_md]` names the context struct, `mem[size]` a buffer whose
length is the parameter `size`, `mem[16]` one of 16 bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module

FAMILIES: tuple[str, ...] = ()
"""The modules of this package that declare helpers, each in a tuple HELPERS."""

KINDS = {
    # scalars, named by their C type
    "u8": "__u8", "u16": "__u16", "u32": "__u32", "u64": "__u64",
    "i8": "__s8", "i16": "__s16", "i32": "int", "i64": "long", "be16": "__be16", "be32": "__be32",
    "void": "void",
    # maps
    "map": "void *",                # a map, known when the program is loaded
    "map_key": "const void *",      # key_size bytes to read
    "map_value": "const void *",    # value_size bytes to read; as a result: a value of the map
    "map_value_out": "void *",      # value_size bytes that the helper writes
    # memory
    "mem": "const void *",          # bytes to read; length in brackets
    "mem_out": "void *",            # bytes that the helper writes: need not be initialised
    "size": "__u32",                # a length above zero
    "size0": "__u32",               # a length that may be zero
    "str": "const char *",          # a NUL-terminated constant in a read-only map
    "any": "const void *",          # any value at all, never dereferenced directly
    "alloc_size": "__u64",          # constant size of the memory that the result points to
    "alloc_mem": "void *",          # memory from a ring buffer; as an argument it is given up
    # the rest
    "ctx": "void *",                # the program's context
    "func": "void *",               # a subprogram, called back
    "stack": "void *",              # a pointer into the program's stack
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Param:
    """One parameter (or the result): `kind` from KINDS, `of`: what stood in brackets."""

    name: str
    kind: str
    of: str | None = None
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class Helper:
    """One helper.

    `body`: "module:function" of restricted Python that the machine runs, its first argument the
    virtual CPU; "map:OP": operation OP of the map that is the first argument; "engine:NAME": the
    engine itself does it, because it changes the flow of control. `gpl`: only for programs under a
    GPL-compatible licence; `moves_packet`: makes packet pointers that the program holds invalid;
    `missing`: why a cell of the coverage matrix is blank.
    """

    id: int
    name: str
    signature: str
    since: str
    doc: str
    body: str | None = None
    gpl: bool = False
    moves_packet: bool = False
    missing: dict[str, str] = field(default_factory=dict)

    @property
    def params(self) -> tuple[Param, ...]:
        return _parse(self.signature)[0]

    @property
    def result(self) -> Param:
        return _parse(self.signature)[1]


_PARAM = re.compile(r"(?:(\w+): )?(\w+)(?:\[(\w+)\])?(\?)?")


@cache
def _parse(signature: str) -> tuple[tuple[Param, ...], Param]:
    left, _, right = signature.rpartition("->")

    def param(text: str) -> Param:
        match = _PARAM.fullmatch(text.strip())
        if match is None or match[2] not in KINDS:
            raise ValueError(f"helper signature {signature!r}: {text.strip()!r} is unknown")
        return Param(match[1] or "", match[2], match[3], match[4] is not None)

    return tuple(param(p) for p in left.split(",") if p.strip()), param(right)


@cache
def all_helpers() -> tuple[Helper, ...]:
    """Every declared helper, by number."""
    found = [h for f in FAMILIES for h in import_module(f"ebee.helpers.{f}").HELPERS]
    return tuple(sorted(found, key=lambda h: h.id))


@cache
def _tables() -> tuple[dict[int, Helper], dict[str, Helper]]:
    return {h.id: h for h in all_helpers()}, {h.name: h for h in all_helpers()}


def by_id(number: int) -> Helper | None:
    """The helper of a BPF_FUNC_* number."""
    return _tables()[0].get(number)


def by_name(name: str) -> Helper | None:
    """The helper of a name, with or without `bpf_`."""
    return _tables()[1].get(name.removeprefix("bpf_"))
