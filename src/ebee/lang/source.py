"""From a function to its source: the tree, the lines, and what its names mean.

Works for whatever `linecache` knows: files, notebook cells, and code given to `exec` whose text
was registered there.
"""

from __future__ import annotations

import ast
import builtins
import linecache
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from ebee.errors import CompileError

MISSING = object()
"""No such name."""


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """One function: `lines` are those of its whole file."""

    function: Callable[..., Any]
    file: str
    tree: ast.FunctionDef
    lines: list[str]

    @property
    def name(self) -> str:
        return self.tree.name

    def resolve(self, name: str) -> Any:
        """What a name that is no local of the function means; MISSING when nothing."""
        f: Any = self.function
        if name in f.__code__.co_freevars:
            try:
                return f.__closure__[f.__code__.co_freevars.index(name)].cell_contents
            except ValueError:  # the enclosing function has not assigned it yet
                return MISSING
        if name in f.__globals__:
            return f.__globals__[name]
        return getattr(builtins, name, MISSING)


def is_native(thing: Any) -> bool:
    """Whether something is a function marked @native."""
    return isinstance(thing, types.FunctionType) and getattr(thing, "__native__", False)


class File(NamedTuple):
    """A file: its functions by name and first line (that of a decorator). `tree`: None for one that
    does not parse, having changed since the import."""

    lines: list[str]
    tree: ast.Module | None
    functions: dict[tuple[str, int], ast.FunctionDef]


_files: dict[str, File] = {}


def source_of(function: Callable[..., Any]) -> Source:
    """The source of a function (decorated ones are unwrapped); CompileError without one."""
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    code = getattr(function, "__code__", None)
    if code is None:
        raise CompileError(f"{function!r} is not a Python function, so it cannot be compiled")
    if code.co_name == "<lambda>":
        raise CompileError(
            f"{code.co_filename}:{code.co_firstlineno}: a lambda cannot be compiled\n"
            "way out: write it as a function with `def`"
        )
    lines, _, functions = file_of(code.co_filename, getattr(function, "__globals__", {}))
    tree = functions.get((code.co_name, code.co_firstlineno))
    if tree is None:
        where = f"{code.co_filename}:{code.co_firstlineno}: the source of {code.co_name}"
        if lines:
            raise CompileError(f"{where} is not there any more: the file changed since the import")
        raise CompileError(
            f"{where} is not available\nway out: put the function into a file, or register its"
            " text in linecache.cache before it is compiled"
        )
    return Source(function, code.co_filename, tree, lines)


def file_of(name: str, space: dict[str, Any] | None = None) -> File:
    """A file as `linecache` has it, parsed once; `space` is that of a module of it."""
    lines = linecache.getlines(name, space)
    known = _files.get(name)
    if known is not None and (known.lines is lines or known.lines == lines):
        return known
    try:
        tree = ast.parse("".join(lines), name)
    except (SyntaxError, ValueError):
        return File(lines, None, {})
    functions = {
        (node.name, min([node.lineno, *(d.lineno for d in node.decorator_list)])): node
        for node in _functions(tree)
    }
    _files[name] = File(lines, tree, functions)
    return _files[name]


def _functions(block: ast.AST) -> Iterator[ast.FunctionDef]:
    """The functions in a block, in whatever order. Only statements are looked at: most of a tree
    are expressions."""
    for part in ("body", "orelse", "finalbody", "handlers", "cases"):
        for node in getattr(block, part, ()):
            if isinstance(node, ast.FunctionDef):
                yield node
            yield from _functions(node)


def define(text: str, space: dict[str, Any] | None = None, file: str = "") -> dict[str, Any]:
    """Run source text whose functions can be compiled later; gives its names.

    For notebooks, generated code and tests: the text stays available under a name of its own.
    """
    file = file or f"<source {len(linecache.cache)}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    names: dict[str, Any] = {"__name__": "source"} | (space or {})
    exec(compile(text, file, "exec", dont_inherit=True), names)
    return names
