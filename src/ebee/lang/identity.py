"""Which compiler this is: what cached results are named by. Imports nothing of the compiler."""

from __future__ import annotations

import os
import sys
from functools import cache
from typing import TYPE_CHECKING

import ebee
from ebee.errors import CompileError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.machinery import ModuleSpec

FORMAT = "1"
"""Changes when images or their making change without a change of IR."""

_PARTS = ("", "types", "lang", "lang/bpf", "hooks", "helpers", "maps", "obj", "btf")
"""Folders of ebee that decide what a program becomes."""


@cache
def llvmlite_place() -> str:
    """The folder that llvmlite is in, without importing it; CompileError when it is missing."""
    found = _find("llvmlite")
    if found is None or found.origin is None:
        raise CompileError(
            "compiling needs llvmlite, which is not installed\n"
            "way out: pip install llvmlite, or use the interpreter"
        )
    return os.path.dirname(found.origin)


def _find(name: str) -> ModuleSpec | None:
    """What importlib.util.find_spec says, whose import takes a millisecond."""
    return next((s for finder in sys.meta_path if (s := finder.find_spec(name, None))), None)


@cache
def compiler_identity() -> str:
    """The versions of ebee, of the library of LLVM, and of what drives it."""
    folder = os.path.join(llvmlite_place(), "binding")
    libraries = [name for name in os.listdir(folder) if name.startswith("libllvmlite.")]
    library = os.path.join(folder, max(libraries, default=""))
    info, driver = os.stat(library), os.stat(os.path.join(os.path.dirname(__file__), "worker.py"))
    parts = (FORMAT, ebee.__version__, library, info.st_size, info.st_mtime_ns,
             driver.st_size, driver.st_mtime_ns)  # fmt: skip
    return "\0".join(map(str, parts))


@cache
def front_end_identity() -> str:
    """The compiler, Python, the system, and ebee's own files, which a developer may change."""
    system = os.uname() if hasattr(os, "uname") else ()
    return repr((compiler_identity(), sys.version, system, files_in(_PARTS)))


def files_in(parts: Iterable[str]) -> list[tuple[str, int, int]]:
    """Python files in folders of ebee: name, size, time of change."""
    root, files = os.path.dirname(ebee.__file__), []
    for part in parts:
        with os.scandir(os.path.join(root, part)) as found:
            files += [(e.name, s.st_size, s.st_mtime_ns) for e in found
                      if e.name.endswith(".py") and (s := e.stat())]  # fmt: skip
    return sorted(files)
