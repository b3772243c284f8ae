"""How variables change in a loop: by constants, or by growing smaller."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from ebee.lang.source import MISSING
from ebee.lang.static import static

if TYPE_CHECKING:
    from ebee.lang.function import Function


@cache
def writes_in(node: ast.AST) -> set[str]:
    """Names that code assigns."""
    names: set[str] = set()
    for n in ast.walk(node):
        if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store):
            names.add(n.id)
        elif isinstance(n, ast.MatchAs | ast.MatchStar) and n.name:
            names.add(n.name)
    return names


_SHRINKS = (ast.FloorDiv, ast.RShift)


@dataclass(frozen=True)
class Step:
    """How a variable changes: by `by`, or to a part of it (`shrinks`: rounds until 64 bits are
    gone)."""

    by: int
    shrinks: int = 0


def steps_of(f: Function, node: ast.stmt, name: str) -> list[Step]:
    """All changes of a variable in the rounds of a loop; none when one of them is of another
    kind, or in a loop inside."""
    found: list[Step] = []
    stores = 0
    for n in _rounds(node):
        if isinstance(n, ast.For | ast.While) and name in writes_in(n):
            return []
        stores += isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Store)
        stores += isinstance(n, ast.MatchAs | ast.MatchStar) and n.name == name
        step = step_of(f, n, name)
        if step is not None:
            found.append(step)
    return found if len(found) == stores else []


def _rounds(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes of a loop but those of its `else`."""
    for name, value in ast.iter_fields(node):
        if name != "orelse":
            for part in value if isinstance(value, list) else [value]:
                if isinstance(part, ast.AST):
                    yield from ast.walk(part)


def step_of(f: Function, node: ast.AST, name: str) -> Step | None:
    """The step that a statement is."""
    if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        target, op, value = node.target.id, node.op, node.value
    elif (
        isinstance(node, ast.Assign) and len(node.targets) == 1
        and isinstance(node.targets[0], ast.Name) and isinstance(node.value, ast.BinOp)
        and isinstance(node.value.left, ast.Name) and node.value.left.id == node.targets[0].id
    ):  # fmt: skip
        target, op, value = node.targets[0].id, node.value.op, node.value.right
    else:
        return None
    if target != name:
        return None
    if isinstance(op, ast.BitAnd) and ast.unparse(value) == f"{name} - 1":
        return Step(0, 66)
    by = _constant(f, value)
    if by is None:
        return None
    if isinstance(op, ast.Add | ast.Sub) and by:
        return Step(by if isinstance(op, ast.Add) else -by)
    if isinstance(op, _SHRINKS) and by > isinstance(op, ast.FloorDiv):
        bits = by if isinstance(op, ast.RShift) else by.bit_length() - 1
        return Step(0, 64 // bits + 2)
    return None


def _constant(f: Function, node: ast.expr) -> int | None:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, int) else None
    thing = static(f, node)
    return thing if thing is not MISSING and isinstance(thing, int) else None


def reach(f: Function, node: ast.stmt, name: str, rounds: int) -> tuple[int, int] | None:
    """How far down and up constants take a variable in so many rounds of a loop; None when it
    changes otherwise."""
    steps = steps_of(f, node, name)
    if not steps or any(s.shrinks for s in steps):
        return None
    down, up = (sum(s.by for s in steps if (s.by > 0) is sign) for sign in (False, True))
    return rounds * down, rounds * up
