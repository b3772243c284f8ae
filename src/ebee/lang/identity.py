"""Which compiler this is: what cached results are named by. Imports nothing of the compiler."""

from __future__ import annotations

import os
import sys
from functools import cache
from pathlib import Path

import ebee
from ebee.errors import CompileError

FORMAT = "1"
"""Changes when images or their making change without a change of IR."""

_PARTS = ("", "lang", "lang/bpf", "hooks", "helpers", "maps", "obj", "btf")
"""Folders of ebee that decide what a program becomes."""


@cache
def llvmlite_place() -> Path:
    """The folder that llvmlite is in, without importing it; CompileError when it is missing."""
    from importlib.util import find_spec

    found = find_spec("llvmlite")
    if found is None or found.origin is None:
        raise CompileError(
            "compiling needs llvmlite, which is not installed\n"
            "way out: pip install llvmlite, or use the interpreter"
        )
    return Path(found.origin).parent


@cache
def compiler_identity() -> str:
    """The versions of ebee, of the library of LLVM, and of what drives it."""
    library = max(llvmlite_place().glob("binding/libllvmlite.*"), default=llvmlite_place())
    info, driver = library.stat(), Path(__file__).with_name("worker.py").stat()
    parts = (FORMAT, ebee.__version__, library, info.st_size, info.st_mtime_ns,
             driver.st_size, driver.st_mtime_ns)  # fmt: skip
    return "\0".join(map(str, parts))


@cache
def front_end_identity() -> str:
    """The compiler, Python, the system, and ebee's own files, which a developer may change."""
    root = Path(__file__).parents[1]
    files = []
    for part in _PARTS:
        with os.scandir(root / part) as found:
            files += [(e.name, s.st_size, s.st_mtime_ns) for e in found
                      if e.name.endswith(".py") and (s := e.stat())]  # fmt: skip
    system = os.uname() if hasattr(os, "uname") else ()
    return repr((compiler_identity(), sys.version, system, sorted(files)))
