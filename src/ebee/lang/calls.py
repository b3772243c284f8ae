"""Calls: conversions, struct makers, builtins, intrinsics, other @native functions, pointers to
functions."""

from __future__ import annotations

import ast
import inspect
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from ebee.lang import arith, memory
from ebee.lang.enums import is_enum, member
from ebee.lang.errors import Refusal, at
from ebee.lang.ir import symbol
from ebee.lang.source import MISSING, is_native
from ebee.lang.static import is_type, static, static_value, text_of
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
from ebee.types import ArrayType, PtrType, sizeof

if TYPE_CHECKING:
    from ebee.lang.function import Function
    from ebee.lang.unit import Specialised


EXIT = "%exit.0"
"""Where a program keeps that it ends early, in it and in the functions that it calls."""


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
    if is_enum(thing):
        return member(f, node, thing)
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
        f.as_type(argument, held(t), "the argument", fits=int)
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
        text = text_of(f, keyword.value)
        values.append((keyword, f.value(keyword.value) if text is None else text))
    made = memory.make(f.body, t)
    for keyword, value in values:
        field = memory.find_field(t, keyword.arg or "")
        try:
            place = memory.member(f.body, made, field)
            if isinstance(value, Value):
                memory.store(f.body, place, value)
            else:
                memory.set_text(f.body, place, value)
        except Refusal as refusal:
            raise at(f.source, keyword.value, refusal) from None
    return made


# --- other functions -----------------------------------------------------------------------------


def call_native(f: Function, node: ast.Call, ref: FunctionRef) -> Value:
    """Call a @native function, compiled for the constants among the arguments."""
    params = dict(f.unit.parameters(ref.function))
    given = _bind(f, node, ref)
    types = _type_variables(f, node, params, given)
    values = {}
    for name, argument in given.items():  # in the order of the call
        t = types.get(params[name], params[name])
        what = f"argument `{name}`"
        if isinstance(argument, ast.expr):
            value = f.value(argument) if isinstance(t, FnType) else f.as_type(argument, t, what)
            where: ast.AST = argument
        else:  # a default value
            value, where = static_value(name, argument.default), node
        try:
            values[name] = _argument(f, value, t, what)
        except Refusal as refusal:
            raise at(f.source, where, refusal) from None
    types |= f.unit.refined(ref.function, params, values)
    arguments = [values[name] for name in params]
    target = f.unit.specialise(f, node, ref.function, arguments, types)
    passed = [a for a, bound in zip(arguments, target.bound, strict=True) if not bound]
    shown = [f"{llvm(v.type)} {_operand(f, v)}" for v in passed]
    if target.raises:
        shown.append(f"ptr {EXIT}")
    if target.by_place:
        result = _called_by_place(f, target, shown)
    else:
        text = f"{target.symbol}({', '.join(shown)})"
        result = called(f, target.result, text, target.returns)
    f.unit.after_call(f, target)
    f.body.nulls.clear()
    return result


def _called_by_place(f: Function, target: Specialised, passed: list[str]) -> Value:
    """Call a function that puts its result in a place of the caller's."""
    result = target.result
    kind = f"[{sizeof(result)} x i8]" if is_struct(result) else llvm(result)
    slot = f.body.alloca(kind, 8, "result")
    call = f"call {target.returns} {target.symbol}({', '.join([f'ptr {slot}', *passed])})"
    f.body.emit(call)
    if is_struct(result):
        return Value(result, slot, stack=True, align=8)
    return _taken_apart(f, result, f.body.op(f"load {kind}, ptr {slot}, align 8"))


def _type_variables(
    f: Function, node: ast.Call, params: dict[str, Type], given: dict[str, Any]
) -> dict[Type, Type]:
    """What the type variables of a function stand for in a call: the type of the first argument
    that has a width."""
    found: dict[Type, Type] = {}
    wanted = {t for t in params.values() if isinstance(t, TypeVar)}
    for name, argument in given.items():
        t = params[name]
        if isinstance(t, TypeVar) and t not in found and isinstance(argument, ast.expr):
            have = f.type_of(argument)
            if is_int(have):
                _check_constraint(f, argument, t, have)
                found[t] = have
    for t in wanted - found.keys():
        raise Refusal(f"nothing says which type {t} is here", "convert an argument: u64(...)")
    return found


def _check_constraint(f: Function, node: ast.expr, t: TypeVar, have: Type) -> None:
    allowed = [held(normal(c)) for c in t.__constraints__]
    if allowed and have not in allowed:
        names = ", ".join(map(name_of, allowed))
        raise at(f.source, node, Refusal(f"{t} is none of {names}, but a `{name_of(have)}`"))


def _argument(f: Function, value: Value, t: Type, what: str) -> Value:
    if isinstance(t, FnType):
        if isinstance(value.type, FnType | FunctionRef):
            return value
        raise Refusal(f"{what} is a `{name_of(value.type)}`, not a function")
    return f.pass_as(value, t, what)


@lru_cache(1024)
def _python_signature(function: Any) -> inspect.Signature:
    return inspect.signature(getattr(function, "__wrapped__", function))


def _bind(f: Function, node: ast.Call, ref: FunctionRef) -> dict[str, Any]:
    """The arguments by parameter, in the order of the call: expressions, or parameters with
    defaults."""
    function: Any = ref.function
    signature = _python_signature(function)
    try:
        bound = signature.bind(*node.args, **{k.arg: k.value for k in node.keywords if k.arg})
    except TypeError as e:
        raise Refusal(f"{function.__name__}: {e}", f"its parameters: {signature}") from None
    order = [*node.args, *(k.value for k in node.keywords)]
    given = {id(value): name for name, value in bound.arguments.items()}
    found: dict[str, Any] = {given[id(value)]: value for value in order}
    return found | {n: p for n, p in signature.parameters.items() if n not in found}


def _operand(f: Function, v: Value) -> str:
    if is_integer(v.type):
        return arith.operand(f.body, v, 1 if v.type is bool else int(llvm(v.type)[1:]))
    return v.text


def called(f: Function, result: Type, text: str, returns: str = "void") -> Value:
    """Emit a call and give its result; `returns`: what LLVM gives where there is none."""
    if result is NONE.type:
        f.body.emit(f"call {returns} {text}")
        return NONE
    answer = f.body.op(f"call {llvm(result)} {text}")
    if isinstance(result, MaybePtr):
        return Value(PtrType(result.to), answer, maybe=1)
    if isinstance(result, TupleType):
        return _taken_apart(f, result, answer)
    return Value(result, answer, *(span(result) if is_integer(result) else (0, 0)))


def _taken_apart(f: Function, t: TupleType, text: str) -> Value:
    """A tuple of LLVM as one of values."""
    elems = []
    for i, elem in enumerate(t.elems):
        part = f.body.op(f"extractvalue {llvm(t)} {text}, {i}")
        elems.append(Value(elem, part, *(span(elem) if is_integer(elem) else (0, 0))))
    return Value(t, "", elems=tuple(elems))


def with_self(f: Function, node: ast.expr, base: Value, function: Any, args: ast.Call) -> Value:
    """Call a method of a struct, or (of a property) its function."""
    name = ast.copy_location(ast.Name(" self", ast.Load()), node)
    call = ast.Call(name, [name, *args.args], args.keywords)
    made = ast.copy_location(call, node)
    result: Value = f.with_local(" self", base, lambda: call_native(f, made, FunctionRef(function)))
    return result


def method(base: Value, name: str) -> Any:
    """The method of a struct (or of what a pointer points to) of that name, or None."""
    to = base.type.to if is_ptr(base.type) else base.type
    found = getattr(to, name, None) if is_struct(to) else None
    return found if is_native(found) else None


def _call_value(f: Function, node: ast.Call) -> Value:
    """`cb(a, b)` where cb is a parameter: a function known when this one was specialised, or a
    pointer to one."""
    if isinstance(node.func, ast.Attribute) and not isinstance(static(f, node.func.value), type):
        return call_method(f, node, node.func, f.value(node.func.value))
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


def call_method(f: Function, node: ast.Call, func: ast.Attribute, base: Value) -> Value:
    """`base.method(...)`: of a struct, or of an array of bytes."""
    found = method(base, func.attr)
    if found is not None:
        memory.check_null(base, f"`{ast.unparse(func.value)}`")
        return with_self(f, node, base, found, node)
    if isinstance(base.type, ArrayType) and func.attr == "startswith":
        text = text_of(f, one_argument(node))
        if text is None:
            raise Refusal("`startswith` of what is no literal", 's.name.startswith("eth")')
        return memory.begins_with(f.body, base, memory.literal(base.type, text))
    to = base.type.to if is_ptr(base.type) else base.type
    known = ", ".join(n for n in dir(to) if is_native(getattr(to, n))) if is_struct(to) else ""
    way_out = f"it has {known}" if known else "call a @native function"
    raise Refusal(f"`{name_of(base.type)}` has no method `{func.attr}`", way_out)


def _call_external(f: Function, node: ast.Call, function: Any) -> Value:
    """A function that is only known by its symbol and the annotation of its result."""
    result = held(normal(inspect.signature(function, eval_str=True).return_annotation))
    passed = []
    given = _bind(f, node, FunctionRef(function))
    for argument in (given[name] for name in _python_signature(function).parameters):
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
