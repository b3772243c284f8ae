"""Names of C++ and Rust as their authors wrote them (by LLVM's demanglers, package pydemumble)."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from typing import cast

MANGLED = ("_Z", "__Z", "_R", "?", "_D", "$s", "_$s")
"""How names begin that a compiler has made: C++ and old Rust, macOS's, Rust, MSVC, D, Swift."""


@lru_cache(maxsize=65536)
def demangle(name: str) -> str:
    """A symbol's name in its language; as it is where it is no such name, or where the package is
    missing (`pip install ebee[symbols]`).

    >>> demangle("main")
    'main'
    """
    if not name.startswith(MANGLED):
        return name
    plain, dot, suffix = name.partition(".")  # gcc: .isra.0, .cold, .part.1
    function = _library()
    found = function(plain) if function is not None else ""
    return f"{found}{dot}{suffix}" if found else name


@cache
def _library() -> Callable[[str], str] | None:
    try:
        from pydemumble import demangle  # type: ignore[import-untyped]
    except ImportError:
        return None
    return cast("Callable[[str], str]", demangle)
