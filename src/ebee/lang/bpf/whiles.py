"""How often a `while` loop runs at the most: the kernel takes only loops that certainly end.

A loop is bounded where a variable of it is compared in every round, and changes in every round
towards the bound: by constants (`i += 2`), or by growing smaller (`n //= 10`, `n >>= 1`,
`n &= n - 1`). The comparison is a part of the loop's condition, or of an `if` with `break` or
`return` in its body.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ebee.lang import arith
from ebee.lang.conditions import COMPARISONS
from ebee.lang.errors import Refusal, SourceError
from ebee.lang.static import static
from ebee.lang.steps import Step, step_of, steps_of, writes_in
from ebee.lang.values import Value, is_int, is_integer, span

if TYPE_CHECKING:
    from ebee.lang.function import Function

UNKNOWN = Refusal(
    "nothing says how often this `while` loop runs, and the kernel takes only loops that end",
    "count the rounds: for _ in range(64): if not ({test}): break; or compare a variable that"
    " each round changes by a constant",
)

Guard = tuple[str, str, ast.expr | int]
"""What holds of a variable in a round: its name, an operator, and a bound."""

AFTER = {"!=": "after !="}
"""Where it is tested after a step, that step may have gone past the bound."""


@dataclass(frozen=True)
class Bound:
    """The most rounds of a loop. `followed`: the verifier sees that by itself."""

    rounds: int
    followed: bool


def bound(f: Function, node: ast.While) -> Bound:
    """The bound of a loop whose head is next; Refusal when there is none to be seen."""
    found = [b for guard in _guards(node) if (b := _bound(f, node, guard)) is not None]
    if not found:
        test = ast.unparse(node.test)
        raise Refusal(UNKNOWN.message, UNKNOWN.way_out.format(test=test))
    return min(found, key=lambda b: (b.rounds, not b.followed))


def _bound(f: Function, node: ast.While, guard: Guard) -> Bound | None:
    """The rounds that one guard allows."""
    name, op, limit = guard
    start = f.env.get(name) if f.env is not None else None
    if start is None or not is_integer(start.type) or name not in writes_in(node):
        return None
    steps = steps_of(f, node, name)
    if not steps or not _progress(f, node.body, name):
        return None
    edge = _edge(f, node, limit)
    if edge is None:
        return None
    if all(s.shrinks for s in steps):
        positive = is_int(start.type) and not start.type.signed
        least = {">": 0, ">=": 1, "!=": 0, AFTER["!="]: 0}.get(op)
        ends = least is not None and edge.lo >= least and ("!" not in op or edge.hi == 0)
        return Bound(max(s.shrinks for s in steps), False) if positive and ends else None
    if any(s.shrinks for s in steps):
        return None
    return _linear(start, steps, op, edge)


def _linear(start: Value, steps: list[Step], op: str, edge: Value) -> Bound | None:
    """Of a variable that constants are added to, all of one sign, while `variable op edge`."""
    up = steps[0].by > 0
    if any((s.by > 0) is not up for s in steps):
        return None
    total, least = sum(abs(s.by) for s in steps), min(abs(s.by) for s in steps)
    if op == "!=" and edge.constant is not None and total == 1:  # no step goes past it
        op = "<" if up and start.hi <= edge.lo else ">" if not up and start.lo >= edge.hi else ""
    first, last = span(start.type)
    if up and op in ("<", "<="):
        most = edge.hi - (op == "<")
        if is_int(start.type) and most + total > last:
            return None  # it would wrap and go on from the other end
        apart = most - start.lo
    elif not up and op in (">", ">="):
        most = edge.lo + (op == ">")
        if is_int(start.type) and most - total < first:
            return None
        apart = start.hi - most
    else:
        return None
    exact = start.constant is not None and edge.constant is not None
    return Bound(max(apart, 0) // least + 2, exact)


# --- what is tested ------------------------------------------------------------------------------


def _guards(node: ast.While) -> Iterator[Guard]:
    """What holds in every round that goes on to the next."""
    yield from _conjuncts(node.test, False)
    for statement in node.body:
        if _mentions(statement, ast.Continue):
            return
        if isinstance(statement, ast.If) and isinstance(statement.body[-1], ast.Break | ast.Return):
            for name, op, limit in _conjuncts(statement.test, True):
                yield name, AFTER.get(op, op), limit


def _conjuncts(test: ast.expr, negated: bool) -> Iterator[Guard]:
    """Comparisons that all hold where a condition does (or does not)."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        yield from _conjuncts(test.operand, not negated)
    elif isinstance(test, ast.BoolOp):
        if isinstance(test.op, ast.Or) is negated:
            for part in test.values:
                yield from _conjuncts(part, negated)
    elif isinstance(test, ast.Name):
        yield test.id, "==" if negated else "!=", 0
    elif isinstance(test, ast.Compare) and (len(test.ops) == 1 or not negated):
        sides = [test.left, *test.comparators]
        for left, op, right in zip(sides, test.ops, sides[1:], strict=False):
            if type(op) in COMPARISONS:
                sign = COMPARISONS[type(op)]
                sign = arith.OPPOSITE[sign] if negated else sign
                if isinstance(left, ast.Name):
                    yield left.id, sign, right
                if isinstance(right, ast.Name):
                    yield right.id, arith.MIRROR[sign], left


def _edge(f: Function, node: ast.While, limit: ast.expr | int) -> Value | None:
    """What a bound can be in any round; the code that computes it is thrown away."""
    if isinstance(limit, int):
        return Value(int, str(limit), limit, limit)
    if not all(_harmless(f, n) for n in ast.walk(limit)):
        return None
    expression = limit

    def lower() -> Value:
        f.forget(node)
        return f.value(expression)

    try:
        value = f.tried(lower)
    except (Refusal, SourceError):
        return None
    return value if is_integer(value.type) else None


_PURE = (
    ast.Name, ast.Constant, ast.Attribute, ast.Subscript, ast.BinOp, ast.UnaryOp, ast.operator,
    ast.unaryop, ast.expr_context,
)  # fmt: skip


def _harmless(f: Function, node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        thing = static(f, node.func)
        return thing in (min, max, len, abs, int) or is_int(thing)
    return isinstance(node, _PURE)


# --- what changes --------------------------------------------------------------------------------


class _Idle(Exception):
    """A round that changes nothing."""


def _progress(f: Function, body: list[ast.stmt], name: str) -> bool:
    """Whether every round that is followed by another changes a variable."""
    try:
        return _flow(f, body, name, False) is not False
    except _Idle:
        return False


def _flow(f: Function, body: list[ast.stmt], name: str, changed: bool) -> bool | None:
    """Whether the variable has changed at the end of a body, None where no path comes there."""
    for statement in body:
        if step_of(f, statement, name) is not None:
            changed = True
        elif isinstance(statement, ast.Continue):
            if not changed:
                raise _Idle
            return None
        elif isinstance(statement, ast.Break | ast.Return | ast.Raise):
            return None
        elif isinstance(statement, ast.If):
            ways = [_flow(f, part, name, changed) for part in (statement.body, statement.orelse)]
            if ways == [None, None]:
                return None
            changed = False not in ways
        elif not changed and _mentions(statement, ast.Continue):
            raise _Idle
    return changed


def _mentions(node: ast.AST, kind: type[ast.stmt]) -> bool:
    """Whether a statement has one of a kind that belongs to the same loop."""
    if isinstance(node, kind):
        return True
    inner: list[ast.AST] = list(ast.iter_child_nodes(node))
    if isinstance(node, ast.For | ast.While):
        inner = list(node.orelse)
    return any(_mentions(n, kind) for n in inner if isinstance(n, ast.stmt | ast.match_case))
