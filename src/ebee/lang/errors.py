"""Diagnostics of the compiler: what is wrong, where, and the way out.

Lowering code raises `Refusal`; the walk over the syntax tree adds the place and makes a
`SourceError` of it, which is what users see:

    prog.py:12:9: `x` may not have a value here
        return x
               ^
    way out: assign it on every path, or before the `if`
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ebee.errors import CompileError

if TYPE_CHECKING:
    from ebee.lang.source import Source


class Refusal(Exception):
    """Something the language does not have: a message and a way out; the place is added later."""

    def __init__(self, message: str, way_out: str = ""):
        super().__init__(message)
        self.message, self.way_out = message, way_out


class SourceError(CompileError):
    """A CompileError with its place: `line` and `column` count from 1."""

    def __init__(self, message: str, file: str, line: int, column: int, text: str, way_out: str):
        shown = f"{file}:{line}:{column}: {message}"
        if text.strip():
            indent = len(text) - len(text.lstrip())
            shown += f"\n    {text.strip()}\n    {' ' * max(column - 1 - indent, 0)}^"
        if way_out:
            shown += f"\nway out: {way_out}"
        super().__init__(shown)
        self.message, self.file, self.line, self.column = message, file, line, column
        self.way_out = way_out


def at(source: Source, node: ast.AST, refusal: Refusal) -> SourceError:
    """The error of a refusal at a node of a function's tree."""
    line = getattr(node, "lineno", source.tree.lineno)
    text = source.lines[line - 1].rstrip("\n") if line <= len(source.lines) else ""
    offset = getattr(node, "col_offset", 0)  # in bytes of UTF-8
    column = len(text.encode()[:offset].decode(errors="replace")) + 1
    return SourceError(refusal.message, source.file, line, column, text, refusal.way_out)
