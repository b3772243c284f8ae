"""A Python file, module or function as a module of IR: running the file, finding its programs."""

from __future__ import annotations

import builtins
import linecache
import os
import sys
import types
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from importlib import invalidate_caches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ebee.errors import CompileError, EbeeError
from ebee.lang.bpf import struct_ops
from ebee.lang.bpf.declared import at_declaration, complete
from ebee.lang.bpf.maps import AnyMap, ProgArray
from ebee.lang.bpf.programs import program_of
from ebee.lang.bpf.struct_ops import Declared, declared_of, operation_of
from ebee.lang.bpf.unit import BpfUnit, Entry
from ebee.lang.errors import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

LICENCE = "GPL"
"""Of a module that has no LICENSE of its own."""

Source = str | os.PathLike[str] | types.ModuleType | Callable[..., Any]


def lower(source: Source) -> tuple[BpfUnit, str]:
    """The module of IR that a source becomes, and its name."""
    kernel: list[Declared] = []
    """Interfaces of the kernel that classes implement."""
    if isinstance(source, types.FunctionType):
        space, entries, whole = source.__globals__, [_entry(source)], False
        name = source.__name__
    elif (declared := declared_of(source)) is not None:
        kernel, entries, whole, name = [declared], [], False, declared.name
        space = vars(sys.modules.get(declared.cls.__module__, types))
        space = next((f.__globals__ for _, f in declared.operations()), space)
    else:
        module = source if isinstance(source, types.ModuleType) else load(source)  # type: ignore[arg-type]
        space, whole = vars(module), True
        entries = [_entry(f) for f in _unique(space.values()) if program_of(f)]
        kernel = [d for t in space.values() if (d := declared_of(t)) is not None]
        name = module.__name__.rpartition(".")[2]
        if not entries and not kernel:
            shown = getattr(module, "__file__", name)
            raise CompileError(f"{shown} has no programs\nway out: mark a function with @xdp")
    licence = space.get("LICENSE", LICENCE)
    if not isinstance(licence, str):
        raise CompileError(f"LICENSE is a text, not {licence!r}")
    unit = BpfUnit(licence)
    if whole:
        for key, thing in space.items():
            if isinstance(thing, AnyMap):
                _map(unit, space, key, thing)
    entries += [_entry(f) for d in kernel for _, f in d.operations()]
    for entry in entries:
        unit.program(entry)
    for declared in kernel:
        struct_ops.define(unit, declared)
    if whole:
        unit.all_variables(space)
    missing = {p for m in unit.maps.values() if isinstance(m, ProgArray)
               for p in m.entries.values()} - {e.function for e in entries}  # fmt: skip
    for function in missing:
        unit.program(_entry(function))
    return unit, name


def _map(unit: BpfUnit, space: dict[str, Any], name: str, m: AnyMap[Any, Any]) -> None:
    try:
        complete(space, name, m)
        unit.map(name, m)
    except Refusal as refusal:
        raise at_declaration(space, name, refusal) from None


def _entry(function: Any) -> Entry:
    program = program_of(function)
    if program is None:
        raise CompileError(
            f"`{getattr(function, '__name__', function)}` is no program\n"
            "way out: mark it with its hook, @xdp and the like"
        )
    operation = operation_of(function)
    return Entry(function, program, operation.name if operation else "")


def _unique(things: Iterable[Any]) -> list[Any]:
    return list({id(t): t for t in things if isinstance(t, types.FunctionType)}.values())


def load(path: str | os.PathLike[str]) -> types.ModuleType:
    """Run a file as a module; CompileError when it cannot be read or fails.

    Not by import: that may take a stale __pycache__ for a file that was changed twice in a second,
    and sources must be those of the code that runs. Modules that it imports from its own folder
    are run anew, too.
    """
    path = os.fspath(path)
    module = types.ModuleType(Path(path).name.partition(".")[0])
    module.__file__ = path
    try:
        text = Path(path).read_text()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise CompileError(f"cannot read {path}: {reason}") from None
    linecache.cache[path] = len(text), None, text.splitlines(keepends=True), path
    with _importable(Path(path).resolve().parent):
        try:
            exec(builtins.compile(text, path, "exec", dont_inherit=True), vars(module))
        except EbeeError:
            raise
        except Exception as error:
            raise CompileError(_failure(path, error)) from None
    return module


_imported: dict[str, str] = {}
"""Modules that programs brought in from their folders, and their files."""


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """The modules beside a file can be imported, as when it is run, and are those of the files."""
    for name, file in _imported.items():
        sys.modules.pop(name, None)
        linecache.cache.pop(file, None)
    _imported.clear()
    invalidate_caches()
    before, writes = set(sys.modules), sys.dont_write_bytecode
    sys.path.insert(0, str(folder))
    sys.dont_write_bytecode = True
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        sys.dont_write_bytecode = writes
        for name in sys.modules.keys() - before:
            file = getattr(sys.modules[name], "__file__", None) or ""
            if Path(file).is_relative_to(folder):
                _imported[name] = file


def _failure(path: str, error: Exception) -> str:
    """What a file raised, and the line of it that did."""
    if isinstance(error, SyntaxError) and error.filename == path:
        text = (error.text or "").rstrip("\n")
        indent = len(text) - len(text.lstrip())
        at = max((error.offset or 1) - 1 - indent, 0)
        where = f"{path}:{error.lineno}:{error.offset}"
        return f"{where}: {error.msg}\n    {text.strip()}\n    {' ' * at}^"
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == path:
            line = trace.tb_lineno
        trace = trace.tb_next
    where = f"{path}:{line}" if line else path
    return f"{where}: {type(error).__name__}: {error}"
