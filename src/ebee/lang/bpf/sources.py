"""Objects by the text of their sources, so that nothing of a program is run to find one.

Only for files whose meaning is in their text: they import ebee, a few modules of Python that
compute, and other such files, and do not look at the world (`open`, `eval`, ...). All texts, the
compiler and the system are part of an object's name.
"""

from __future__ import annotations

import marshal
import os
import sys
import zlib
from typing import TYPE_CHECKING

from ebee import cachedir
from ebee.errors import CompileError
from ebee.lang.identity import front_end_identity

if TYPE_CHECKING:
    import ast

    from ebee.obj.spec import ObjectSpec

    Stamp = tuple[str, str, str, bytes]
    Import = tuple[str, list[str], bytes | None]

ROOM = "sources"
CHECK = 4
"""Bytes at the start of an entry, by which one is recognised that was damaged."""

EBEE = frozenset((
    "ebee", "ebee.api", "ebee.bpf", "ebee.kfuncs", "ebee.native", "ebee.types", "ebee.vmlinux",
))  # fmt: skip
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


def find(file: str) -> ObjectSpec | None:
    """The object of a file as it is now, if it is kept."""
    stamp, data = _stamp(file), cachedir.load(ROOM, _name(file))
    if stamp is None or data is None or _check(data[CHECK:]) != data[:CHECK]:
        return None
    known, imports, packed = marshal.loads(data[CHECK:])
    if known != stamp:
        return None
    for path, shadows, text in imports:
        if _text(path) != text or any(os.path.lexists(s) for s in shadows):
            return None
    from ebee.obj.packed import unpack

    return unpack(packed)


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


def keep(file: str, spec: ObjectSpec) -> None:
    """Keep the object of a file that has just been compiled, if it depends on texts only."""
    from ebee.obj.packed import pack

    stamp, imports = _stamp(file), imports_of(file)
    if stamp is None or imports is None:
        return
    imports += [(path, [], _text(path)) for path in sorted(_read)]
    data = marshal.dumps((stamp, imports, pack(spec)))
    cachedir.store(ROOM, _name(file), _check(data) + data)


def _name(file: str) -> str:
    """What the entry of a file is called. Two of the same name are told apart by their stamps."""
    path = os.path.abspath(file)
    stem = "".join(c for c in os.path.basename(path)[:40] if c.isascii() and c.isalnum())
    return f"{stem}-{zlib.crc32(os.fsencode(path)):08x}-{zlib.crc32(os.fsencode(file)):08x}"


def _stamp(file: str) -> Stamp | None:
    """What the object of a file depends on, besides what it imports: None when it cannot be
    read."""
    from ebee.lang.bpf.kernel_source import identity

    text = _text(file)
    try:
        compiler = front_end_identity() + identity()
        return None if text is None else (compiler, file, os.path.abspath(file), text)
    except CompileError:
        return None


def _check(data: bytes) -> bytes:
    return zlib.crc32(data).to_bytes(CHECK, "little")


def _text(file: str) -> bytes | None:
    try:
        with open(file, "rb") as opened:
            return opened.read()
    except OSError:
        return None


# --- what a file depends on ----------------------------------------------------------------------


def imports_of(file: str) -> list[Import] | None:
    """The files that one imports, whole chains of them, with what would be imported instead if it
    were there, and their texts; None when it depends on more than that. They have been imported."""
    found: dict[str, Import] = {}
    return list(found.values()) if _follow(file, "", found) else None


def _follow(file: str, package: str, found: dict[str, Import]) -> bool:
    from ebee.lang.source import file_of

    lines, tree, _ = file_of(file)
    text = (_text(file) or b"").decode(errors="replace")
    if tree is None or "".join(lines).rstrip() != text.rstrip():  # changed since it was compiled
        return False
    names = _imported(tree, package)
    if names is None:
        return False
    folder = os.path.dirname(os.path.abspath(file))
    for name in names:
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
            found[path] = path, shadows, _text(path)
            if not _follow(path, getattr(module, "__package__", "") or "", found):
                return False
    return True


def _imported(tree: ast.Module, package: str) -> list[str] | None:
    """Full names of the modules that a file imports, and of the packages around them; None when it
    looks at the world."""
    import ast
    from importlib.util import resolve_name

    found: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in IMPURE and isinstance(node.ctx, ast.Load):
            return None
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
            found += (".".join(parts[: i + 1]) for i in range(len(parts)))
    return found


__all__ = ["find", "imports_of", "keep", "prepare", "reads"]
