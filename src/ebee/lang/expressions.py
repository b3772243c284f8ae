"""Expressions: a handler for each kind of node that has a value."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any, TypeVar

from ebee.lang import arith, calls, memory
from ebee.lang.conditions import branch
from ebee.lang.enums import beside, check_inverted, flags
from ebee.lang.errors import Refusal, SourceError
from ebee.lang.function import EXPRESSIONS, Function
from ebee.lang.source import MISSING
from ebee.lang.static import static, static_value
from ebee.lang.values import (
    FunctionRef,
    TupleType,
    Value,
    constant,
    is_integer,
    is_ptr,
    is_struct,
    name_of,
    normal_target,
    span,
)
from ebee.types import ArrayType, PtrType, i64, sizeof

H = TypeVar("H", bound=Callable[..., Any])


def handles(*kinds: type[ast.AST]) -> Callable[[H], H]:
    """Register a handler for kinds of nodes."""

    def register(handler: H) -> H:
        for kind in kinds:
            EXPRESSIONS[kind] = handler
        return handler

    return register


OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.FloorDiv: "//", ast.Mod: "%",
    ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^", ast.LShift: "<<", ast.RShift: ">>",
}  # fmt: skip

NO_OPERATORS: dict[type[ast.operator], tuple[str, str]] = {
    ast.Div: ("`/` gives a fraction", "use //"),
    ast.Pow: ("`**` of values that are not constant", "multiply, or shift: 1 << n"),
    ast.MatMult: ("`@` is no operation on integers", "use *"),
}


# --- names and constants -------------------------------------------------------------------------


@handles(ast.Constant)
def _constant(f: Function, node: ast.Constant) -> Value:
    return static_value(node, node.value)


@handles(ast.Name)
def _name(f: Function, node: ast.Name) -> Value:
    if node.id in f.writes:
        return f.read(node.id)
    thing = f.source.resolve(node.id)
    if thing is MISSING:
        raise Refusal(f"there is no `{node.id}`")
    return static_value(node.id, thing)


@handles(ast.Tuple)
def _tuple(f: Function, node: ast.Tuple) -> Value:
    elems = tuple(f.value(e) for e in node.elts)
    return Value(TupleType(tuple(e.type for e in elems)), "", elems=elems)


# --- places --------------------------------------------------------------------------------------


def place(f: Function, node: ast.expr) -> tuple[Value, bool]:
    """The address that `p.member` or `p[i]` names, and whether what is there never changes."""
    own = f.unit.place(f, node)
    if own is not None:
        return own
    if isinstance(node, ast.Attribute):
        base, to = _struct_of(f, node)
        field = memory.find_field(to, node.attr)
        return memory.member(f.body, base, field), field.const
    assert isinstance(node, ast.Subscript)
    return _element(f, f.value(node.value), node), False


def _element(f: Function, base: Value, node: ast.Subscript) -> Value:
    """The address of an element of an array, or behind a pointer."""
    if isinstance(node.slice, ast.Slice):
        raise Refusal("slices do not exist here", "use p + n and a length")
    index = f.value(node.slice)
    if isinstance(base.type, ArrayType):
        return memory.array_element(f.body, base, index)
    if not is_ptr(base.type):
        raise Refusal(f"`{name_of(base.type)}` has no elements")
    memory.check_null(base, f"`{ast.unparse(node.value)}`")
    return memory.element(f.body, base, index, access=True)


def _members(base: Value) -> str:
    if is_ptr(base.type):
        return "only pointers to structs have members: cast(ptr[S], p)"
    return "arrays have .ptr" if isinstance(base.type, ArrayType) else ""


@handles(ast.Attribute)
def _attribute(f: Function, node: ast.Attribute) -> Value:
    thing = static(f, node)
    if thing is not MISSING:
        return static_value(node, thing)
    if isinstance(node.value, ast.Attribute) and node.value.attr == "ref":
        base = f.value(node.value.value)
        to = memory.target(base) if is_ptr(base.type) else base.type
        if is_struct(to):
            memory.check_null(base, f"`{ast.unparse(node.value.value)}`")
            return memory.member(f.body, base, memory.find_field(to, node.attr))
    if node.attr == "ref":
        raise Refusal("`.ref` alone is no value", "name the member: p.ref.member")
    if node.attr == "ptr":
        base = f.value(node.value)
        if isinstance(base.type, ArrayType):
            return base._replace(type=PtrType(normal_target(base.type.elem)))
        if is_struct(base.type):
            return base._replace(type=PtrType(base.type))
    base_thing = static(f, node.value)
    if base_thing is not MISSING and not isinstance(base_thing, int):
        members = list(getattr(base_thing, "__members__", ()))
        way_out = f"{base_thing.__name__} has {', '.join(members)}" if members else ""
        raise Refusal(f"there is no `{ast.unparse(node)}` that is known at compile time", way_out)
    own = f.unit.place(f, node)
    if own is not None:
        return memory.load(f.body, *own)
    base, to = _struct_of(f, node)
    getter = vars(to).get(node.attr)
    if isinstance(getter, property):
        return calls.with_self(f, node, base, getter.fget, ast.Call(node, [], []))
    if calls.method(base, node.attr) is not None:
        raise Refusal(f"`{node.attr}` is a method", f"call it: {ast.unparse(node)}()")
    field = memory.find_field(to, node.attr)
    return memory.load(f.body, memory.member(f.body, base, field), field.const)


def _struct_of(f: Function, node: ast.Attribute) -> tuple[Value, Any]:
    """What has a member: a struct, or a pointer to one, and the struct's type."""
    base = f.value(node.value)
    to = memory.target(base) if is_ptr(base.type) else base.type
    if not is_struct(to):
        raise Refusal(f"`{name_of(base.type)}` has no member `{node.attr}`", _members(base))
    memory.check_null(base, f"`{ast.unparse(node.value)}`")
    return base, to


@handles(ast.Subscript)
def _subscript(f: Function, node: ast.Subscript) -> Value:
    base = f.value(node.value)
    if isinstance(base.type, TupleType):
        return _tuple_element(f, base, node)
    return memory.load(f.body, _element(f, base, node))


def _tuple_element(f: Function, base: Value, node: ast.Subscript) -> Value:
    index = f.value(node.slice).constant
    if index is None:
        raise Refusal("the index of a tuple must be a constant", "use an array of a struct")
    if not -len(base.elems) <= index < len(base.elems):
        raise Refusal(f"index {index} of a tuple of {len(base.elems)}")
    element: Value = base.elems[index]
    return element


# --- operators -----------------------------------------------------------------------------------


@handles(ast.BinOp)
def _binary(f: Function, node: ast.BinOp) -> Value:
    if (found := flags(f, node)) is not None:
        return static_value(node, found)
    x, y = f.value(node.left), f.value(node.right)
    return operate(f, node.op, x, beside(f, node, x, y))


def operate(f: Function, op: ast.operator, x: Value, y: Value) -> Value:
    """`x op y`."""
    plain = x.type is int and y.type is int and x.constant is not None
    if isinstance(op, ast.Pow) and plain and 0 <= y.lo == y.hi <= 256:
        return constant(int, x.lo**y.lo)
    if type(op) in NO_OPERATORS:
        raise Refusal(*NO_OPERATORS[type(op)])
    symbol = OPERATORS[type(op)]
    if is_ptr(x.type) and symbol in "+-":
        if is_ptr(y.type) and symbol == "-":
            return _distance(f, x, y)
        if symbol == "-":
            y = _negated(f, y)
        return memory.element(f.body, x, y, access=False)
    if is_ptr(y.type):
        raise Refusal(f"`{symbol}` with a pointer on the right", "write p + n")
    return arith.binary(f.body, symbol, x, y)


def _negated(f: Function, n: Value) -> Value:
    """A number of elements to go back; addresses wrap at 64 bits, so this may wrap too."""
    if not is_integer(n.type):
        raise Refusal(f"`-` of a pointer and `{name_of(n.type)}`")
    if n.constant is not None:
        return constant(int, -n.constant)
    return Value(i64, f.body.op(f"sub i64 0, {arith.operand(f.body, n, 64)}"), *span(i64))


def _distance(f: Function, x: Value, y: Value) -> Value:
    """Elements between two pointers, rounded down as `//` does."""
    b = f.body
    size = sizeof(memory.target(x))
    if not size:
        raise Refusal("the distance of pointers to nothing of size")
    left, right = (b.op(f"ptrtoint ptr {v.text} to i64") for v in (x, y))
    apart = Value(i64, b.op(f"sub i64 {left}, {right}"), *span(i64))
    return apart if size == 1 else arith.binary(b, "//", apart, constant(i64, size))


@handles(ast.UnaryOp)
def _unary(f: Function, node: ast.UnaryOp) -> Value:
    if isinstance(node.op, ast.Invert) and (found := flags(f, node)) is not None:
        return static_value(node, found)
    x = f.value(node.operand)
    if isinstance(node.op, ast.Invert) and x.type is int:
        check_inverted(f, node.operand)
    if isinstance(node.op, ast.Not):
        holds = arith.truth(f.body, x)
        if holds.constant is not None:
            return constant(bool, not holds.constant)
        return Value(bool, f.body.op(f"xor i1 {holds.text}, true"), 0, 1)
    names = {ast.USub: "-", ast.UAdd: "+", ast.Invert: "~"}
    return arith.unary(f.body, names[type(node.op)], x)


@handles(ast.Compare)
def _compare(f: Function, node: ast.Compare) -> Value:
    """A chain as a value: each comparison only where the ones before it hold."""
    if len(node.ops) == 1:
        from ebee.lang.conditions import comparison

        return comparison(f, node.ops[0], f.value(node.left), node.comparators[0])[0]
    return _as_value(f, node)


def _as_value(f: Function, node: ast.expr) -> Value:
    """A condition as a bool."""
    yes, no, end = (f.body.name(n) for n in ("true", "false", "end"))
    holds, fails = branch(f, node, yes, no)
    incoming = []
    for env, label, value in ((holds, yes, 1), (fails, no, 0)):
        if env is not None:
            f.body.label(label)
            f.body.jump(end)
            incoming.append((constant(bool, value), label))
    f.body.label(end)
    f.env = f.join(holds, fails)
    return f.phi(bool, incoming)


@handles(ast.BoolOp)
def _bool_op(f: Function, node: ast.BoolOp) -> Value:
    """`a and b`, `a or b` as values: the last one that was evaluated."""
    stop_on = isinstance(node.op, ast.Or)
    end = f.body.name("end")
    incoming: list[tuple[Value, str]] = []
    envs = []
    value = f.value(node.values[0])
    for following in node.values[1:]:
        holds = arith.truth(f.body, value)
        if holds.constant is not None:
            if bool(holds.constant) is stop_on:
                break
            value = f.value(following)
            continue
        more = f.body.name("more")
        to = (end, more) if stop_on else (more, end)
        incoming.append((value, f.body.block))
        envs.append(f.fork())
        f.body.end(f"br i1 {holds.text}, label %{to[0]}, label %{to[1]}")
        f.body.label(more)
        value = f.value(following)
    if not incoming:
        return value
    incoming.append((value, f.body.block))
    f.body.label(end)
    f.env = f.join(*envs, f.env)
    return f.phi(_agreed([v for v, _ in incoming], "`and`/`or`"), incoming)


def _agreed(values: list[Value], what: str) -> Any:
    """The one type of the values of several paths."""
    types = {v.type for v in values if not (is_ptr(v.type) and v.type.to is None)}
    if len(types) > 1:
        names = " and ".join(sorted(name_of(t) for t in types))
        raise Refusal(
            f"{what} joins values of different types: {names}",
            "convert them to one type; where only truth counts, compare: x != 0",
        )
    return types.pop() if types else values[0].type


@handles(ast.IfExp)
def _if_exp(f: Function, node: ast.IfExp) -> Value:
    return conditional(f, node, f.value)


def conditional(f: Function, node: ast.IfExp, lower: Callable[[ast.expr], Value]) -> Value:
    """`a if c else b`, each branch lowered by `lower`."""
    yes, no, end = (f.body.name(n) for n in ("then", "else", "end"))
    holds, fails = branch(f, node.test, yes, no)
    incoming: list[tuple[Value, str]] = []
    envs = []
    for env, label, part in ((holds, yes, node.body), (fails, no, node.orelse)):
        if env is None:
            continue
        f.body.label(label)
        f.env = env
        incoming.append((lower(part), f.body.block))
        envs.append(f.env)
        f.body.jump(end)
    f.body.label(end)
    f.env = f.join(*envs)
    t = _agreed([v for v, _ in incoming], "the conditional expression")
    if is_struct(t) or (isinstance(t, ArrayType | TupleType | FunctionRef) and len(incoming) > 1):
        raise Refusal(f"a conditional expression of `{name_of(t)}`", "choose by `if`, or a pointer")
    return f.phi(t, incoming)


@handles(ast.NamedExpr)
def _walrus(f: Function, node: ast.NamedExpr) -> Value:
    value = f.value(node.value)
    f.assign(node.target.id, value)
    return value


@handles(ast.Call)
def _call(f: Function, node: ast.Call) -> Value:
    return calls.call(f, node)


__all__ = ["SourceError", "conditional", "handles", "operate", "place"]
