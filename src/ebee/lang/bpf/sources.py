"""Objects by the text of their sources, so that nothing of a program is run to find one.

Only for files whose meaning is in their text: they import ebee, a few modules of Python that
compute, and other such files, and do not look at the world (`open`, `eval`, ...). All texts, the
compiler and the system are part of an object's name.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ebee import cachedir
from ebee.errors import CompileError
from ebee.lang.identity import front_end_identity

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterator

    from ebee.lang.bpf.build import Made

ROOM = "sources"
DIGEST = 32

EBEE = frozenset(("ebee", "ebee.api", "ebee.bpf", "ebee.native", "ebee.types", "ebee.vmlinux"))
"""Modules of ebee that are the same each time; those of ebee.lang are, too."""

PURE = frozenset((
    "__future__", "abc", "collections", "collections.abc", "dataclasses", "enum", "functools",
    "ipaddress", "itertools", "math", "operator", "string", "struct", "typing",
))  # fmt: skip
"""Modules of Python that say the same each time."""

IMPURE = frozenset((
    "__import__", "breakpoint", "compile", "eval", "exec", "hash", "id", "input", "open",
))  # fmt: skip
"""Builtins that look at the world."""


def find(file: str) -> Made | None:
    """The object of a file as it is now, if it is kept."""
    key = _key(file)
    data = cachedir.load(ROOM, key) if key else None
    if data is None or hashlib.sha256(data[DIGEST:]).digest() != data[:DIGEST]:
        return None
    head, _, elf = data[DIGEST:].partition(b"\n")
    kept = json.loads(head)
    for path, shadows, digest in kept["imports"]:
        if _digest(path) != digest or any(os.path.lexists(s) for s in shadows):
            return None
    entries = {m: {int(i): p for i, p in e.items()} for m, e in kept["entries"].items()}
    return elf, entries, kept["name"]


_read: set[str] = set()
"""Files of the system that the compiler has read since `prepare`."""


def reads(path: str) -> None:
    """Note that what is compiled depends on a file of the system, a tracepoint's format."""
    _read.add(path)


def prepare(file: str) -> None:
    """Start the compiler's process while the file is run, if it may be needed."""
    from ebee.lang.compiler import warm

    _read.clear()
    try:
        warm()
    except CompileError:  # it says so when it is needed
        return


def keep(file: str, made: Made) -> None:
    """Keep the object of a file that has just been compiled, if it depends on texts only."""
    key, imports = _key(file), imports_of(file)
    if not key or imports is None:
        return
    imports += [(path, [], _digest(path)) for path in sorted(_read)]
    elf, entries, name = made
    kept = json.dumps({"imports": imports, "entries": entries, "name": name}).encode()
    data = kept + b"\n" + elf
    cachedir.store(ROOM, key, hashlib.sha256(data).digest() + data)


def _key(file: str) -> str:
    """The name of a file's object: "" when it cannot be read."""
    digest = _digest(file)
    try:
        compiler = front_end_identity()
    except CompileError:
        return ""
    stamp = repr((compiler, file, os.path.abspath(file), digest))
    return hashlib.sha256(stamp.encode()).hexdigest() if digest else ""


def _digest(file: str) -> str:
    try:
        return hashlib.sha256(Path(file).read_bytes()).hexdigest()
    except OSError:
        return ""


# --- what a file depends on ----------------------------------------------------------------------


def imports_of(file: str) -> list[tuple[str, list[str], str]] | None:
    """The files that one imports, whole chains of them, with what would be imported instead if it
    were there, and digests; None when it depends on more than that. They have been imported."""
    found: dict[str, tuple[str, list[str], str]] = {}
    return list(found.values()) if _follow(file, "", found) else None


def _follow(file: str, package: str, found: dict[str, tuple[str, list[str], str]]) -> bool:
    import ast

    try:
        tree = ast.parse(Path(file).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return False
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in IMPURE and isinstance(node.ctx, ast.Load):
            return False
    folder = os.path.dirname(os.path.abspath(file))
    for name in _imported(tree, package):
        if name in EBEE or name in PURE or name.startswith(("ebee.lang.", "ebee.vmlinux.")):
            continue
        module = sys.modules.get(name)
        path = getattr(module, "__file__", None)
        standard = name.partition(".")[0] in (*sys.stdlib_module_names, "ebee")
        if standard or path is None or not path.endswith(".py"):
            return False
        if path not in found:
            shadows = [os.path.join(folder, name.partition(".")[0] + end) for end in ("", ".py")]
            shadows = [s for s in shadows if not os.path.lexists(s)]
            found[path] = path, shadows, _digest(path)
            if not _follow(path, getattr(module, "__package__", "") or "", found):
                return False
    return True


def _imported(tree: ast.Module, package: str) -> Iterator[str]:
    """Full names of the modules that a file imports, and of the packages around them."""
    import ast
    from importlib.util import resolve_name

    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = resolve_name("." * node.level + (node.module or ""), package)
            inside = (f"{base}.{alias.name}" for alias in node.names)
            names = [base, *(n for n in inside if n in sys.modules)]
        else:
            continue
        for name in names:
            parts = name.split(".")
            yield from (".".join(parts[: i + 1]) for i in range(len(parts)))


__all__ = ["find", "imports_of", "keep", "prepare", "reads"]
