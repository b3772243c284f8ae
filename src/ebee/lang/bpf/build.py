"""From a Python file, module or function to an ObjectSpec, or the ELF object itself."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ebee import cachedir

if TYPE_CHECKING:
    from ebee.lang.bpf.modules import Source
    from ebee.lang.bpf.unit import BpfUnit
    from ebee.obj.spec import ObjectSpec

CPU = "v3"
ROOM = "bpf"


def compile(source: Source, *, name: str = "") -> ObjectSpec:
    """Compile programs to a spec: all of a file or module, or one function.

    A file is run as a module of its own, so its folder's modules can be imported. With one
    function the spec has what it uses; otherwise all maps and variables of the module. `name`
    becomes the object's. CompileError (its text has file, line, column and a way out) for what is
    not in the language, and for whatever a file raises when it is run.

    Objects are kept: a file is not even run again when neither it nor what it imports has changed
    and all of that depends on nothing else.

    >>> compile("firewall.py").programs            # doctest: +SKIP
    {'firewall': ProgramSpec(name='firewall', section='xdp', ...)}
    """
    if not isinstance(source, str | os.PathLike):
        return _compile(source, name)
    from ebee.lang.bpf import sources

    file = os.fspath(source)
    spec = sources.find(file)
    if spec is None:
        sources.prepare(file)
        spec = _compile(file)
        sources.keep(file, spec)
    spec.name = name or spec.name
    return spec


def _compile(source: Source, name: str = "") -> ObjectSpec:
    from ebee.lang.bpf.maps import ProgArray
    from ebee.lang.bpf.modules import lower
    from ebee.obj import read

    unit, found = lower(source)
    spec = read(assemble(unit), name or found)
    for made in spec.functions.values():
        made.weak = False  # that was for LLVM
    for m in unit.maps.values():
        if isinstance(m, ProgArray):
            spec.maps[m.name].contents = {i: p.__name__ for i, p in m.entries.items()}
    return spec


def assemble(unit: BpfUnit, *, cached: bool = True) -> bytes:
    """The ELF object of a module, from the cache where it has been made before by this user."""
    import hashlib

    from ebee.lang.compiler import Options, StackError, compile_ir
    from ebee.lang.identity import compiler_identity
    from ebee.lang.target import BPF

    text = unit.text()
    options = Options(level="optimised", target=BPF, cpu=CPU)
    stamp = repr((compiler_identity(), sorted(options.request("object").items()), text))
    key = hashlib.sha256(stamp.encode()).hexdigest()
    if cached and (data := cachedir.load(ROOM, key)) is not None and data[:4] == b"\x7fELF":
        return data
    try:
        data = compile_ir([text], options)
    except StackError as error:
        raise unit.stack_error(error) from None
    if cached:
        cachedir.store(ROOM, key, data)
    return data


def __getattr__(name: str) -> object:
    if name in ("load", "lower"):  # the steps before, for those who want them
        from ebee.lang.bpf import modules

        return getattr(modules, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
