"""Calls: conversions, struct makers, builtins, intrinsics, other @native functions, pointers to
functions."""

from __future__ import annotations

import ast
import inspect
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ebee.lang import arith, memory
from ebee.lang.errors import Refusal, at
from ebee.lang.ir import symbol
from ebee.lang.source import MISSING, is_native
from ebee.lang.static import is_type, static
from ebee.lang.values import (
    NONE,
    FnType,
    FunctionRef,
    MaybePtr,
    TupleType,
    Type,
    Value,
    constant,
    held,
    is_int,
    is_integer,
    is_ptr,
    is_struct,
    llvm,
    name_of,
    normal,
    span,
)
from ebee.types import ArrayType, PtrType

if TYPE_CHECKING:
    from ebee.lang.function import Function


def call(f: Function, node: ast.Call) -> Value:
    """Lower a call by what is called."""
    for argument in node.args:
        if isinstance(argument, ast.Starred):
            raise at(f.source, argument, Refusal("`*` in a call", "write the arguments one by one"))
    for keyword in node.keywords:
        if keyword.arg is None:
            raise at(f.source, keyword, Refusal("`**` in a call", "write the arguments one by one"))
    thing = static(f, node.func)
    own = f.unit.call(f, node, thing)
    if own is not None:
        return own
    if thing is MISSING:
        return _call_value(f, node)
    if thing in (int, bool) or is_int(thing):
        return _convert(f, node, thing)
    if inspect.isfunction(thing) and thing in f.unit.external:
        return _call_external(f, node, thing)
    if is_struct(thing):
        return _make(f, node, thing)
    if is_native(thing):
        return call_native(f, node, FunctionRef(thing))
    from ebee.lang.intrinsics import INTRINSICS

    intrinsic = INTRINSICS.get(thing) if callable(thing) else None
    if intrinsic is not None:
        return intrinsic(f, node)
    raise _not_callable(f, node, thing)


def _not_callable(f: Function, node: ast.Call, thing: Any) -> Refusal:
    shown = ast.unparse(node.func)
    mark = f.unit.mark
    if inspect.isfunction(thing):
        return Refusal(f"`{shown}` is a plain function of Python", f"mark it {mark}")
    return Refusal(f"`{shown}` cannot be called here", f.unit.instead(thing))


def one_argument(node: ast.Call) -> ast.expr:
    """The only argument of a call that takes one."""
    if len(node.args) != 1 or node.keywords:
        count = len(node.args) + len(node.keywords)
        raise Refusal(f"`{ast.unparse(node.func)}` takes one argument, not {count}")
    return node.args[0]


def _convert(f: Function, node: ast.Call, t: Type) -> Value:
    """`u32(x)`, `int(x)`, `bool(x)`; without an argument zero."""
    if not node.args and not node.keywords:
        return constant(held(t), 0)
    argument = one_argument(node)
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str | float):
        raise Refusal(f"{t.__name__} of a {type(argument.value).__name__}", "write an integer")
    return (
        f.as_type(argument, held(t), "the argument")
        if is_int(t)
        else arith.convert(f.body, f.value(argument), t)
    )


def _make(f: Function, node: ast.Call, t: Any) -> Value:
    """`S(a=1)`: a zeroed struct with members set."""
    if node.args:
        raise Refusal(f"{t.__name__} takes its members by name", f"{t.__name__}(name=value)")
    values = []
    for keyword in node.keywords:
        assert keyword.arg is not None
        memory.find_field(t, keyword.arg)
        values.append((keyword, f.value(keyword.value)))
    made = memory.make(f.body, t)
    for keyword, value in values:
        field = memory.find_field(t, keyword.arg or "")
        try:
            memory.store(f.body, memory.member(f.body, made, field), value)
        except Refusal as refusal:
            raise at(f.source, keyword.value, refusal) from None
    return made


# --- other functions -----------------------------------------------------------------------------


def call_native(f: Function, node: ast.Call, ref: FunctionRef) -> Value:
    """Call a @native function, compiled for the constants among the arguments."""
    nodes = _bind(f, node, ref)
    params = f.unit.parameters(ref.function)
    arguments = []
    for (name, t), given in zip(params, nodes, strict=True):
        what = f"argument `{name}`"
        if isinstance(given, ast.expr):
            value = f.as_type(given, t, what) if not _is_function(t) else f.value(given)
            where = given
        else:  # a default value
            from ebee.lang.static import static_value

            value, where = static_value(name, given.default), node
        try:
            arguments.append(_argument(f, value, t, what))
        except Refusal as refusal:
            raise at(f.source, where, refusal) from None
    target = f.unit.specialise(f, node, ref.function, arguments)
    passed = [a for a, bound in zip(arguments, target.bound, strict=True) if not bound]
    shown = ", ".join(f"{llvm(v.type)} {_operand(f, v)}" for v in passed)
    return called(f, target.result, f"{target.symbol}({shown})")


def _is_function(t: Type) -> bool:
    return isinstance(t, FnType)


def _argument(f: Function, value: Value, t: Type, what: str) -> Value:
    if isinstance(t, FnType):
        if isinstance(value.type, FnType | FunctionRef):
            return value
        raise Refusal(f"{what} is a `{name_of(value.type)}`, not a function")
    return f.pass_as(value, t, what)


@lru_cache(1024)
def _python_signature(function: Any) -> inspect.Signature:
    return inspect.signature(getattr(function, "__wrapped__", function))


def _bind(f: Function, node: ast.Call, ref: FunctionRef) -> list[Any]:
    """The arguments in the order of the parameters: expressions, or parameters with defaults."""
    function: Any = ref.function
    signature = _python_signature(function)
    try:
        bound = signature.bind(*node.args, **{k.arg: k.value for k in node.keywords if k.arg})
    except TypeError as e:
        raise Refusal(f"{function.__name__}: {e}", f"its parameters: {signature}") from None
    # Python evaluates in the order of the call; so do we, unless keywords change it
    order = [*node.args, *(k.value for k in node.keywords)]
    given = [bound.arguments.get(name, p) for name, p in signature.parameters.items()]
    if [g for g in given if isinstance(g, ast.expr)] != order:
        raise Refusal("keyword arguments in another order than the parameters", "reorder them")
    return given


def _operand(f: Function, v: Value) -> str:
    if is_integer(v.type):
        return arith.operand(f.body, v, 1 if v.type is bool else int(llvm(v.type)[1:]))
    return v.text


def called(f: Function, result: Type, text: str) -> Value:
    """Emit a call and give its result."""
    if result is NONE.type:
        f.body.emit(f"call void {text}")
        return NONE
    answer = f.body.op(f"call {llvm(result)} {text}")
    if isinstance(result, MaybePtr):
        return Value(PtrType(result.to), answer, maybe=1)
    if isinstance(result, TupleType):
        elems = []
        for i, t in enumerate(result.elems):
            elem = f.body.op(f"extractvalue {llvm(result)} {answer}, {i}")
            elems.append(Value(t, elem, *(span(t) if is_integer(t) else (0, 0))))
        return Value(result, "", elems=tuple(elems))
    return Value(result, answer, *(span(result) if is_integer(result) else (0, 0)))


def _call_value(f: Function, node: ast.Call) -> Value:
    """`cb(a, b)` where cb is a parameter: a function known when this one was specialised, or a
    pointer to one."""
    if isinstance(node.func, ast.Attribute) and not isinstance(static(f, node.func.value), type):
        raise Refusal(
            f"`{ast.unparse(node.func)}`: there are no methods here", "call a @native function"
        )
    target = f.value(node.func)
    if isinstance(target.type, FunctionRef):
        return call_native(f, node, target.type)
    if not isinstance(target.type, FnType):
        raise Refusal(f"a `{name_of(target.type)}` cannot be called")
    if node.keywords:
        raise Refusal("keyword arguments for a function that is only known by its type")
    t = target.type
    if t.params is None:
        passed = [_register(f, f.value(a)) for a in node.args]
    else:
        if len(t.params) != len(node.args):
            raise Refusal(f"the function takes {len(t.params)} arguments, not {len(node.args)}")
        values = [f.as_type(a, p, "the argument") for a, p in zip(node.args, t.params, strict=True)]
        passed = [f"{llvm(v.type)} {_operand(f, v)}" for v in values]
    return called(f, t.result, f"{target.text}({', '.join(passed)})")


def _call_external(f: Function, node: ast.Call, function: Any) -> Value:
    """A function that is only known by its symbol and the annotation of its result."""
    result = held(normal(inspect.signature(function, eval_str=True).return_annotation))
    passed = []
    for argument in _bind(f, node, FunctionRef(function)):
        value = f.value(argument)
        kind = "ptr" if is_ptr(value.type) else "i64"
        passed.append((kind, value.text if kind == "ptr" else _register(f, value)[4:]))
    name = f.unit.external[function]
    kinds = ", ".join(kind for kind, _ in passed)
    f.unit.module.declarations[name] = f"declare {llvm(result)} {symbol(name)}({kinds}) nounwind"
    return called(f, result, f"{symbol(name)}({', '.join(f'{k} {t}' for k, t in passed)})")


def _register(f: Function, v: Value) -> str:
    """An argument of a function without declared types: 64 bits, as in a register of eBPF."""
    if is_ptr(v.type) or is_integer(v.type):
        return f"i64 {arith.operand(f.body, arith.convert(f.body, v, int), 64)}"
    raise Refusal(f"a `{name_of(v.type)}` does not go into a register")


def type_argument(f: Function, node: ast.expr) -> Type:
    """An argument that is a type: `sizeof(S)`, `cast(ptr[u32], p)`."""
    thing = static(f, node)
    if not is_type(thing):
        raise at(f.source, node, Refusal(f"`{ast.unparse(node)}` is no static type"))
    return thing if isinstance(thing, ArrayType) else normal(thing)
