"""What the symbols of compiled programs are called: those of maps begin with "map/", those of
programs with "program/", all others with "machine."."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ebee.machine.code import Code


def function_name(code: Code, start: int) -> str:
    """The symbol of a subprogram."""
    return f"program/{code.name}.{start}"


def entry_name(code: Code) -> str:
    """The symbol of a program's entry."""
    return function_name(code, 0)


def map_name(name: str, part: str = "") -> str:
    """The symbol of a map or of a part of it, whatever the map is called."""
    return f"map/{name}.{part}" if part else f"map/{name}"
