"""`XDP(x)`: a number as a member of an enumeration.

Members are plain ints here. Of an IntEnum only its values are members; another one ends the program
as `raise ValueError` does, which Python raises. Operators of an IntFlag give an IntFlag in Python:
`~` keeps to its bits. Numbers of a width become plain ones to the right of a member, also of one
that a variable or parameter holds (`Value.member`).
"""

from __future__ import annotations

import ast
import enum
import operator
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeGuard

from ebee.lang import arith
from ebee.lang.errors import Refusal
from ebee.lang.static import static
from ebee.lang.values import Value, constant, is_int, is_integer, name_of

if TYPE_CHECKING:
    from ebee.lang.function import Function


def is_enum(thing: Any) -> TypeGuard[type[enum.IntEnum] | type[enum.IntFlag]]:
    """Whether it is an enumeration of numbers."""
    return isinstance(thing, enum.EnumType) and issubclass(thing, int)


def member(f: Function, node: ast.Call, kind: type[enum.IntEnum] | type[enum.IntFlag]) -> Value:
    """Lower `kind(x)`."""
    from ebee.lang.calls import one_argument

    x, b = f.value(one_argument(node)), f.body
    if issubclass(kind, enum.IntFlag):
        raise Refusal("flags of a number are that number", f"test it: x & {kind.__name__}.NAME")
    if not is_integer(x.type):
        raise Refusal(f"a `{name_of(x.type)}` is no `{kind.__name__}`")
    values = sorted({int(m) for m in kind})
    holds = _among(f, x, values)
    if holds.constant == 0:
        shown = x.lo if x.constant is not None else ast.unparse(node.args[0])
        names = ", ".join(f"{kind.__name__}.{m.name}" for m in kind)
        raise Refusal(f"{shown} is no `{kind.__name__}`", names)
    if holds.constant is None:
        f.unit.check(f, holds)
    whole = arith.convert(b, x, int)
    return whole._replace(lo=max(x.lo, values[0]), hi=min(x.hi, values[-1]), member=2)


def _among(f: Function, x: Value, values: list[int]) -> Value:
    """Whether a number is one of these, by runs of them."""
    from ebee.lang.conditions import both, either

    found, first = constant(bool, False), 0
    for i, value in enumerate(values):
        if i + 1 < len(values) and values[i + 1] == value + 1:
            continue
        low, high = (constant(int, n) for n in (values[first], value))
        above = arith.compare(f.body, ">=", x, low)
        run = both(f, above, arith.compare(f.body, "<=", x, high))
        found, first = either(f, found, run), i + 1
    return found


# --- flags ---------------------------------------------------------------------------------------

_OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.BitAnd: operator.and_, ast.BitOr: operator.or_, ast.BitXor: operator.xor,
}  # fmt: skip


def flags(f: Function, node: ast.expr) -> enum.IntFlag | None:
    """The constant flags that an expression is, as Python has them."""
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        x, y = flags(f, node.left), flags(f, node.right)
        found = None if x is None or y is None else _OPERATORS[type(node.op)](x, y)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Invert):
        x = flags(f, node.operand)
        found = None if x is None else ~x
    else:
        found = static(f, node)
    return found if isinstance(found, enum.IntFlag) else None


def check_inverted(f: Function, node: ast.expr) -> None:
    """Refuse `~` of a variable with flags: which bits those are is not known."""
    if not (isinstance(node, ast.Name) and node.id in f.writes):
        return
    for place in ast.walk(f.source.tree):
        named = isinstance(place, ast.NamedExpr | ast.AnnAssign) and [place.target]
        targets = place.targets if isinstance(place, ast.Assign) else named or []
        value = getattr(place, "value", None)
        if not any(isinstance(t, ast.Name) and t.id == node.id for t in targets) or value is None:
            continue
        if any(isinstance(static(f, n), enum.IntFlag) for n in ast.walk(value)
               if isinstance(n, ast.Attribute | ast.Name)):  # fmt: skip
            raise Refusal(
                f"`~` of `{node.id}`, which has flags: in Python it keeps to those",
                f"~ of constants (x & ~Flags.NAME), or of a number: ~u32({node.id})",
            )


# --- members on the left -------------------------------------------------------------------------


def beside(f: Function, node: ast.BinOp, x: Value, y: Value) -> Value:
    """The right side of an operator: a number of a width is a plain one in Python where a member
    is on the left."""
    if not (x.member and is_int(y.type)):
        return y
    if x.member == 1:
        shown = ast.unparse(node.left)
        raise Refusal(
            f"`{shown}` may be a member of an enumeration, or a number: in Python the result has"
            " a width with the one and none with the other",
            f"say which: int({shown}), or convert both sides to one type",
        )
    if y.lo < 0 and flags(f, node.left) is not None:
        raise Refusal("flags with a number that may be negative", "convert it: u32(x)")
    return arith.convert(f.body, y, int)


def may_become(f: Function, loop: ast.AST, name: str) -> bool:
    """Whether a loop may make a member of an enumeration of a variable."""
    for place in ast.walk(loop):
        if isinstance(place, ast.Assign | ast.AnnAssign | ast.NamedExpr):
            targets = place.targets if isinstance(place, ast.Assign) else [place.target]
            value = place.value
        elif isinstance(place, ast.For):
            targets, value = [place.target], place.iter
        else:
            continue
        names = {n.id for t in targets for n in ast.walk(t) if isinstance(n, ast.Name)}
        if name in names and value is not None and _gives(f, loop, value):
            return True
    return False


def _gives(f: Function, loop: ast.AST, node: ast.expr) -> bool:
    """Whether an expression in a loop may be a member. A variable may be one if it is before the
    loop, or if members occur in the loop at all."""
    parts: list[ast.expr] = []
    if isinstance(node, ast.IfExp):
        parts = [node.body, node.orelse]
    elif isinstance(node, ast.BoolOp):
        parts = node.values
    elif isinstance(node, ast.Tuple | ast.List):
        parts = node.elts
    elif isinstance(node, ast.NamedExpr | ast.Subscript):
        parts = [node.value]
    elif isinstance(node, ast.Call):
        if is_enum(thing := static(f, node.func)):
            return True
        parts = node.args if thing in (min, max) else []
    elif isinstance(node, ast.Name) and node.id in f.writes:
        here = (f.env or {}).get(node.id)
        return bool(here is not None and here.member) or _occurs(f, loop)
    thing = flags(f, node) or static(f, node)
    among = thing if isinstance(thing, tuple) else (thing,)
    found = any(isinstance(t, enum.Enum) for t in among)
    return found or any(_gives(f, loop, part) for part in parts)


def _occurs(f: Function, loop: ast.AST) -> bool:
    found = (static(f, n) for n in ast.walk(loop) if isinstance(n, ast.Attribute | ast.Name))
    return any(isinstance(thing, enum.Enum) or is_enum(thing) for thing in found)


__all__ = ["beside", "check_inverted", "flags", "is_enum", "may_become", "member"]
