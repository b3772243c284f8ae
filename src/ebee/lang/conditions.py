"""Conditions: control flow that goes one of two ways, and what is known on each.

`if 0 < n < 16:` tells the range of n inside; constants decide, so that the other way is not even
lowered.
"""

from __future__ import annotations

import ast

from ebee.lang import arith, memory
from ebee.lang.errors import Refusal, at
from ebee.lang.function import Env, Function
from ebee.lang.static import static, text_of
from ebee.lang.values import NULL_VALUE, TupleType, Value, constant, is_integer, is_ptr, name_of
from ebee.types import ArrayType, sizeof

Ways = tuple[Env | None, Env | None]

COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
}  # fmt: skip


def branch(f: Function, node: ast.expr, yes: str, no: str) -> Ways:
    """Go to a label by a condition; gives what is known at each, None where control cannot go."""
    try:
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            fails, holds = branch(f, node.operand, no, yes)
            return holds, fails
        if isinstance(node, ast.BoolOp):
            return _branch_bool(f, node, yes, no)
        if isinstance(node, ast.Compare):
            return _branch_compare(f, node, yes, no)
        value = f.value(node)
        holds, fails = go(f, arith.truth(f.body, value), yes, no)
        _narrow_null(f, holds, fails, node, value)
        return holds, fails
    except Refusal as refusal:
        raise at(f.source, node, refusal) from None


def go(f: Function, holds: Value, yes: str, no: str) -> Ways:
    """Branch on a bool."""
    env = f.env
    assert env is not None
    if holds.constant is not None:
        f.body.jump(yes if holds.constant else no)
        return (env, None) if holds.constant else (None, env)
    f.body.end(f"br i1 {holds.text}, label %{yes}, label %{no}")
    return env, dict(env)


def _branch_bool(f: Function, node: ast.BoolOp, yes: str, no: str) -> Ways:
    both = isinstance(node.op, ast.And)
    early: list[Env | None] = []
    for part in node.values[:-1]:
        more = f.body.name("more")
        holds, fails = branch(f, part, *((more, no) if both else (yes, more)))
        on, off = (holds, fails) if both else (fails, holds)
        early.append(off)
        if on is None:
            met = f.join(*early)
            return (None, met) if both else (met, None)
        f.body.label(more)
        f.env = on
    holds, fails = branch(f, node.values[-1], yes, no)
    if both:
        return holds, f.join(*early, fails)
    return f.join(*early, holds), fails


def _branch_compare(f: Function, node: ast.Compare, yes: str, no: str) -> Ways:
    left_node, left = node.left, f.value(node.left)
    failed: list[Env | None] = []
    last = len(node.ops) - 1
    for i, (op, right_node) in enumerate(zip(node.ops, node.comparators, strict=True)):
        answer, right = comparison(f, op, left, right_node)
        if right is None and last:
            raise Refusal("`in` among other comparisons", "write them apart, joined by `and`")
        more = yes if i == last else f.body.name("more")
        holds, fails = go(f, answer, more, no)
        if right is not None and type(op) in COMPARISONS and is_integer(left.type):
            sign = COMPARISONS[type(op)]
            _narrow(holds, left_node, left, sign, right)
            _narrow(holds, right_node, right, arith.MIRROR[sign], left)
            _narrow(fails, left_node, left, arith.OPPOSITE[sign], right)
            _narrow(fails, right_node, right, arith.MIRROR[arith.OPPOSITE[sign]], left)
        if right is not None and right.text == "null" and isinstance(op, _EQUALITY):
            ways = (holds, fails) if isinstance(op, ast.NotEq | ast.IsNot) else (fails, holds)
            _narrow_null(f, *ways, left_node, left)
        failed.append(fails)
        if holds is None or i == last:
            return holds, f.join(*failed)
        f.body.label(more)
        f.env = holds
        assert right is not None
        left_node, left = right_node, right
    raise AssertionError("a comparison has an operator")


def _narrow(env: Env | None, node: ast.expr, value: Value, op: str, other: Value) -> None:
    """Note what a comparison says of a variable."""
    if isinstance(node, ast.NamedExpr):
        node = node.target
    if env is None or not isinstance(node, ast.Name):
        return
    now = env.get(node.id)
    if now is not None and is_integer(now.type) and now.text == value.text:
        env[node.id] = arith.narrowed(op, now, other)


_EQUALITY = (ast.Eq, ast.NotEq, ast.Is, ast.IsNot)


def _narrow_null(
    f: Function, there: Env | None, null: Env | None, node: ast.expr, value: Value
) -> None:
    """Note what a test for null says of a variable."""
    if isinstance(node, ast.NamedExpr):
        node = node.target
    if f.unit.target.nulls and isinstance(node, ast.Name):
        note_null(there, null, value)


def note_null(there: Env | None, null: Env | None, value: Value) -> None:
    """Note of all names of a pointer where it is not null, and where it is."""
    for env, maybe in ((there, 0), (null, 2)):
        for name, now in (env or {}).items():
            tested = is_ptr(now.type) or now.maybe
            if env is not None and tested and now.text == value.text:
                env[name] = now._replace(maybe=maybe)


def comparison(
    f: Function, op: ast.cmpop, left: Value, right_node: ast.expr
) -> tuple[Value, Value | None]:
    """`left op right` as a bool, and the right side where it is a single value."""
    if isinstance(left.type, ArrayType) and isinstance(op, ast.Eq | ast.NotEq):
        return _same_array(f, op, left, right_node), None
    if isinstance(op, ast.In | ast.NotIn):
        return _contains(f, left, right_node, isinstance(op, ast.NotIn)), None
    if isinstance(op, ast.Is | ast.IsNot):
        sign = "==" if isinstance(op, ast.Is) else "!="
        none = isinstance(right_node, ast.Constant) and right_node.value is None
        if none and f.unit.target.nulls and (is_ptr(left.type) or left.maybe):
            null = NULL_VALUE._replace(type=left.type, maybe=2)
            return compare_pointers(f, sign, left, null), null
        raise Refusal("`is` compares objects of Python, not values", f"use {sign}")
    right = f.value(right_node)
    sign = COMPARISONS[type(op)]
    if is_integer(left.type) and is_integer(right.type):
        return arith.compare(f.body, sign, left, right), right
    if is_ptr(left.type) and is_ptr(right.type):
        return compare_pointers(f, sign, left, right), right
    if isinstance(left.type, TupleType) and sign in ("==", "!="):
        same = _same(f, left, right, "tuples are compared by their integers")
        return same if sign == "==" else opposite(f, same), right
    names = f"`{name_of(left.type)}` and `{name_of(right.type)}`"
    hint = "compare with `null`" if is_ptr(left.type) or is_ptr(right.type) else ""
    raise Refusal(f"{names} cannot be compared", hint)


def _same_array(f: Function, op: ast.cmpop, left: Value, node: ast.expr) -> Value:
    """Arrays compared byte by byte, with text or with one another."""
    text = text_of(f, node)
    if text is not None:
        same = memory.begins_with(f.body, left, memory.literal(left.type, text, whole=True))
    else:
        right = f.value(node)
        if right.type != left.type:
            names = f"`{name_of(left.type)}` and `{name_of(right.type)}`"
            raise Refusal(f"{names} cannot be compared", "compare arrays of one type, or text")
        same = memory.same_bytes(f.body, left, right, sizeof(left.type))
    return same if isinstance(op, ast.Eq) else opposite(f, same)


def opposite(f: Function, holds: Value) -> Value:
    """`not holds`."""
    if holds.constant is not None:
        return constant(bool, not holds.constant)
    return Value(bool, f.body.op(f"xor i1 {holds.text}, true"), 0, 1)


def compare_pointers(f: Function, sign: str, left: Value, right: Value) -> Value:
    """Addresses, as unsigned numbers."""
    for one, other in ((left, right), (right, left)):
        if one.text == "null" and other.known is not None and sign in ("==", "!="):
            return constant(bool, sign == "!=")
    if left.text == right.text:
        return constant(bool, arith.COMPARE[sign](0, 0))
    if right.text == "null" and sign in ("==", "!="):
        null = Value(bool, f.body.is_null(left.text), 0, 1)
        return null if sign == "==" else opposite(f, null)
    names = {"<": "ult", "<=": "ule", ">": "ugt", ">=": "uge", "==": "eq", "!=": "ne"}
    text = f.body.op(f"icmp {names[sign]} ptr {left.text}, {right.text}")
    return Value(bool, text, 0, 1)


def _contains(f: Function, left: Value, node: ast.expr, negate: bool) -> Value:
    """`x in (1, 2, 3)`, or a tuple constant of the module."""
    own = f.unit.contains(f, left, node)
    if own is not None:
        return opposite(f, own) if negate else own
    if isinstance(node, ast.Call) and static(f, node.func) is range:
        found = _in_range(f, left, node)
        return opposite(f, found) if negate else found
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        members = [f.value(e) for e in node.elts]
    else:
        container = f.value(node)
        if not isinstance(container.type, TupleType):
            raise Refusal(
                f"`in` of a `{name_of(container.type)}`", "use a tuple of values: x in (1, 2, 3)"
            )
        members = list(container.elems)
    found = constant(bool, False)
    for m in members:
        found = either(f, found, _same(f, left, m, "`in` compares integers, and tuples of them"))
    return opposite(f, found) if negate else found


def _same(f: Function, a: Value, b: Value, otherwise: str) -> Value:
    """Whether two integers are equal, or two tuples in all their elements."""
    if is_integer(a.type) and is_integer(b.type):
        return arith.compare(f.body, "==", a, b)
    if not (isinstance(a.type, TupleType) and isinstance(b.type, TupleType)):
        names = f"not a `{name_of(a.type)}` and a `{name_of(b.type)}`"
        raise Refusal(f"{otherwise}, {names}", "compare them apart, joined by `and`")
    same = constant(bool, len(a.elems) == len(b.elems))
    for x, y in zip(a.elems, b.elems, strict=False) if same.constant else ():
        same = both(f, same, _same(f, x, y, otherwise))
    return same


def _in_range(f: Function, x: Value, node: ast.Call) -> Value:
    """`x in range(...)`: between its ends, and on one of its steps."""
    from ebee.lang.loops import range_arguments

    if not is_integer(x.type):
        raise Refusal(f"a `{name_of(x.type)}` in a range")
    start, stop, step = range_arguments(f, node)
    b, up = f.body, step > 0
    inside = both(f, arith.compare(b, ">=" if up else "<=", x, start),
                  arith.compare(b, "<" if up else ">", x, stop))  # fmt: skip
    if abs(step) == 1:
        return inside
    near, far = (arith.operand(b, v, 64) for v in ((start, x) if up else (x, start)))
    apart = b.op(f"sub i64 {far}, {near}")  # what it is outside does not matter
    rest = b.op(f"urem i64 {apart}, {abs(step)}")
    return both(f, inside, Value(bool, b.op(f"icmp eq i64 {rest}, 0"), 0, 1))


def both(f: Function, a: Value, b: Value) -> Value:
    """`a and b` of two bools that are known already."""
    if a.constant is not None:
        return b if a.constant else a
    if b.constant is not None:
        return a if b.constant else b
    return Value(bool, f.body.op(f"and i1 {a.text}, {b.text}"), 0, 1)


def either(f: Function, a: Value, b: Value) -> Value:
    """`a or b` of two bools that are known already."""
    if a.constant is not None:
        return a if a.constant else b
    if b.constant is not None:
        return b if b.constant else a
    return Value(bool, f.body.op(f"or i1 {a.text}, {b.text}"), 0, 1)
