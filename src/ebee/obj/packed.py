"""Specs as bytes that are quickly read again, for caches that nobody else can write.

An object file says the same in a standard form; this is what comes of reading it: the members of
everything in it, as what `marshal` knows.
"""

from __future__ import annotations

import marshal
from typing import Any, TypeVar

from ebee.btf.relo import CoreKind, CoreRelo
from ebee.errors import ObjectError
from ebee.isa.insn import decode, encode
from ebee.obj.spec import (
    ExternSpec,
    FunctionSpec,
    Line,
    MapSpec,
    ObjectSpec,
    ProgramSpec,
    Ref,
    VariableSpec,
)

T = TypeVar("T")
KINDS: dict[str, type[Any]] = {
    "maps": MapSpec, "programs": ProgramSpec, "functions": FunctionSpec,
    "variables": VariableSpec, "externs": ExternSpec,
}  # fmt: skip
"""What an object has several of, by name."""
TYPES = "btf", "_later"
"""Where an object has its types."""

PLAIN = 2
"""The last version of the format without references, whose use depends on how often something is
referred to at the moment."""


def pack(spec: ObjectSpec) -> bytes:
    """A spec as bytes: the same for the same spec. ObjectError when it holds what no reader of
    objects makes."""
    said = {n: v for n, v in vars(spec).items() if n not in TYPES}
    for kind in KINDS:
        said[kind] = [_plain(thing) for thing in said[kind].values()]
    types = None if spec.btf is None else (bytes(spec.btf.data), spec.btf.name)
    try:
        return marshal.dumps((said, types), PLAIN)
    except ValueError:
        text = f"object {spec.name} holds something that is neither number, text nor bytes"
        raise ObjectError(text) from None


def unpack(data: bytes) -> ObjectSpec:
    """The spec that `pack` made bytes of. Its types are parsed when they are first asked for."""
    said, types = marshal.loads(data)
    for kind, of in KINDS.items():
        said[kind] = {each["name"]: _made(of, each) for each in said[kind]}
    spec = _with(ObjectSpec, said)
    for variable in spec.variables.values():
        variable.spec = spec
    if types is None:
        spec.btf = None
    else:
        spec.parse_later(*types)
    return spec


def _plain(thing: Any) -> dict[str, Any]:
    """The members of a part of an object."""
    said = {name: _number(value) for name, value in vars(thing).items()}
    if isinstance(thing, FunctionSpec):
        said["insns"] = encode(thing.insns)
        said["lines"] = [tuple(line) for line in thing.lines]
        said["refs"] = [(*ref, core and (*core[:-1], int(core.kind)))
                        for *ref, core in thing.refs]  # fmt: skip
    elif isinstance(thing, MapSpec):
        said["inner"] = thing.inner and _plain(thing.inner)
        said["contents"] = {_number(key): name for key, name in thing.contents.items()}
    elif isinstance(thing, VariableSpec):
        said["spec"] = None
    return said


def _number(value: Any) -> Any:
    """A number of whatever type as Python's own."""
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _made(kind: type[T], said: dict[str, Any]) -> T:
    """The part that has these members."""
    if issubclass(kind, FunctionSpec):
        said["insns"] = decode(said["insns"])
        said["lines"] = [Line(*line) for line in said["lines"]]
        said["refs"] = [Ref(slot, to, symbol, addend, core and _core(*core))
                        for slot, to, symbol, addend, core in said["refs"]]  # fmt: skip
    elif kind is MapSpec:
        said["inner"] = said["inner"] and _made(MapSpec, said["inner"])
    return _with(kind, said)


def _core(offset: int, type_id: int, access: str, kind: int) -> CoreRelo:
    return CoreRelo(offset, type_id, access, CoreKind(kind))


def _with(kind: type[T], said: dict[str, Any]) -> T:
    """A thing with these members, made without its class's `__init__`, as a copy is."""
    made = kind.__new__(kind)
    for name, value in said.items():
        setattr(made, name, value)
    return made


__all__ = ["pack", "unpack"]
