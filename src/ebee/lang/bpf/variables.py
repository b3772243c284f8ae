"""Variables of a module that programs have at run time.

    threshold: Const[u32] = 5        # .rodata: set before loading, the same for good
    dropped: Global[u64] = 0         # .data or .bss: live, shared with user space

A function that assigns one says so as Python wants it: `global dropped`.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import lru_cache
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

from ebee.lang.source import file_of
from ebee.types import Int, Struct, sizeof, typeof

T = TypeVar("T")
X = TypeVar("X")

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    Const: TypeAlias = T | int
    Global: TypeAlias = T | int
else:

    class _Marked:
        """The annotation `Const[T]` or `Global[T]`."""

        def __init__(self, const, type):
            self.const, self.type = const, type

    class _Marker:
        def __init__(self, const):
            self.const = const

        def __getitem__(self, type):
            return _Marked(self.const, typeof(type))

    Const, Global = _Marker(True), _Marker(False)


@dataclass(frozen=True)
class Variable:
    """A declared variable and its first value as bytes."""

    name: str
    type: Any
    const: bool
    data: bytes

    @property
    def section(self) -> str:
        """Where it is put."""
        return ".rodata" if self.const else ".data" if any(self.data) else ".bss"


def find(space: dict[str, Any], name: str) -> Variable | None:
    """The variable that a name of a module's namespace stands for; None when it is something
    else. TypeError when its value is none of its type."""
    hint = raw_hints(space).get(name)
    if isinstance(hint, str):
        if not ("Const" in hint or "Global" in hint):
            return None
        hint = eval(hint, space)
    if hint is not None and type(hint).__name__ == "_Marked":
        return Variable(name, hint.type, hint.const, _bytes(name, hint.type, space.get(name, 0)))
    return imported(space, name, find)


def raw_hints(space: dict[str, Any]) -> dict[str, Any]:
    """The annotations of a module, as they are."""
    found: dict[str, Any] | None = space.get("__annotations__")
    if found is None and (annotate := space.get("__annotate__")) is not None:
        found = annotate(1)  # Python 3.14 makes them on request
    return found or {}


def imported(
    space: dict[str, Any], name: str, find: Callable[[dict[str, Any], str], X | None]
) -> X | None:
    """The same for `from module import name` and `from module import *`."""
    import sys

    file = space.get("__file__")
    for local, module, original in _imports(file_of(file, space).tree) if file else ():
        if local not in (name, "*"):
            continue
        if module.startswith("."):
            from importlib.util import resolve_name

            module = resolve_name(module, space.get("__package__") or "")
        there = sys.modules.get(module)
        wanted = name if local == "*" else original
        if there is None or _is_pythons(there):
            continue
        if (found := find(vars(there), wanted)) is not None:
            return found
    return None


def _is_pythons(module: ModuleType) -> bool:
    """Whether a module is of Python's own library, which declares nothing for programs: to read
    `enum`, and `typing` for `enum`, takes as long as all the rest of a small program."""
    import os
    import sys

    root = module.__name__.partition(".")[0]
    place = getattr(module, "__file__", None) or os.__file__  # none: it is built in
    return root in sys.stdlib_module_names and place.startswith(os.path.dirname(os.__file__))


@lru_cache(64)
def _imports(tree: ast.Module | None) -> tuple[tuple[str, str, str], ...]:
    """Local name, module, and name there, of the imports at the top of a module."""
    body = tree.body if tree is not None else []
    return tuple(
        (alias.asname or alias.name, "." * node.level + (node.module or ""), alias.name)
        for node in body
        if isinstance(node, ast.ImportFrom) and node.module != "ebee"
        for alias in node.names
    )


def _bytes(name: str, t: Any, value: Any) -> bytes:
    """A value as the bytes of its type."""
    size = sizeof(t)
    if isinstance(t, type) and issubclass(t, Int) and isinstance(value, int):
        low, high = (-(1 << t.bits - 1), (1 << t.bits) - 1)
        if not low <= value <= high:
            raise TypeError(f"{name}: {value} does not fit a {t.__name__}")
        order = "big" if t.big else "little"
        return (int(value) & ((1 << t.bits) - 1)).to_bytes(size, order)  # type: ignore[arg-type]
    if value == 0 and not isinstance(value, Struct):
        return bytes(size)
    if isinstance(value, Struct | bytes) and len(bytes(value)) <= size:
        return bytes(value).ljust(size, b"\0")
    raise TypeError(f"{name}: {value!r} is no first value for a {getattr(t, '__name__', t)}")
