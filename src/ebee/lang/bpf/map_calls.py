"""What programs do with maps: a handler for each method, and the brackets."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ebee.lang import arith, memory
from ebee.lang.bpf.map_methods import methods_of
from ebee.lang.bpf.maps import AnyMap, ProgArray, RingBuf, _PerCpu
from ebee.lang.bpf.maps_kernel import Arena, UserRingBuf
from ebee.lang.bpf.maps_more import ArrayOfMaps, HashOfMaps
from ebee.lang.errors import Refusal, at
from ebee.lang.values import (
    NONE,
    Constant,
    Value,
    constant,
    held,
    is_int,
    is_integer,
    is_ptr,
    is_struct,
    name_of,
    normal_target,
    span,
)
from ebee.types import PtrType, alignof, fields, i64, sizeof, u32, u64

if TYPE_CHECKING:
    from ebee.lang.function import Function

LOOKUP, UPDATE, DELETE, TAIL_CALL, OUTPUT = 1, 2, 3, 12, 130
"""Numbers of helpers (enum bpf_func_id)."""


def helper(f: Function, number: int, kind: str, *arguments: str) -> str:
    """Call a helper by its number: the text of the result, nothing for void."""
    call = f"call {kind} inttoptr (i64 {number} to ptr)({', '.join(arguments)})"
    if kind == "void":
        f.body.emit(call)
        return ""
    return f.body.op(call)


def operand(f: Function, node: ast.expr, t: Any, what: str) -> str:
    """The address of a key or value of type `t`, given by an expression."""
    value = f.value(node)
    try:
        return f"ptr {_address(f, value, t, what)}"
    except Refusal as refusal:
        raise at(f.source, node, refusal) from None


def _address(f: Function, value: Value, t: Any, what: str) -> str:
    given = value.type.to if is_ptr(value.type) else value.type
    if is_ptr(value.type) and value.type.to == t:
        memory.check_null(value, what)
        return value.text
    if is_int(t):
        return _integer(f, value, t, what)
    if given == t and not is_ptr(value.type):
        return value.text
    members = ", ".join(f"{m}=..." for m in fields(t)) if is_struct(t) else ""
    way_out = f"make one: {name_of(t)}({members})" if members else ""
    raise Refusal(f"{what} is a `{name_of(t)}`, not a `{name_of(value.type)}`", way_out)


def _integer(f: Function, value: Value, t: Any, what: str) -> str:
    """An integer in a slot of its own, or in that where it has been put before: nothing of it may
    be lost."""
    if not is_integer(value.type):
        hint = f"give a number: {name_of(held(t))}(...)"
        raise Refusal(f"{what} is a `{name_of(t)}`, not a `{name_of(value.type)}`", hint)
    low, high = span(t)
    if not (low <= value.lo and value.hi <= high):
        shown = value.lo if value.constant is not None else f"a `{name_of(value.type)}`"
        raise Refusal(
            f"{what} is a `{name_of(t)}`, and {shown} may not fit",
            f"convert it: {name_of(held(t))}(...)",
        )
    assert f.env is not None
    shown = value.text if value.constant is None else str(value.constant)
    hidden = f" key {id(f.body)} {t.__name__} {shown}"  # known on the paths that have stored it
    if hidden not in f.env:
        slot = f.body.alloca(f"i{t.bits}", max(t.size, 8), "key")
        memory.store(f.body, Value(PtrType(t), slot), value)
        f.env[hidden] = Value(PtrType(t), slot)
    return f.env[hidden].text


def _arguments(node: ast.Call, *names: str, optional: int = 0) -> list[ast.expr]:
    """The arguments of a method by position or name."""
    found = dict(zip(names, node.args, strict=False))
    given = len(node.args)
    for keyword in node.keywords:
        if keyword.arg in names and keyword.arg not in found:
            found[keyword.arg] = keyword.value
            given += 1
    missing = [n for n in names[: len(names) - optional] if n not in found]
    if missing or given != len(node.args) + len(node.keywords) or len(node.args) > len(names):
        shown = ast.unparse(node.func)
        raise Refusal(f"`{shown}` does not take these arguments", f"{shown}({', '.join(names)})")
    return [found[n] for n in names if n in found]


def _key(f: Function, m: AnyMap[Any, Any], node: ast.expr) -> str:
    return operand(f, node, m.key, f"a key of `{m.name}`")


def _value(f: Function, m: AnyMap[Any, Any], node: ast.expr) -> str:
    return operand(f, node, m.value, f"a value of `{m.name}`")


def _flags(f: Function, given: list[ast.expr]) -> str:
    value = f.as_type(given[0], u64, "the flags") if given else constant(u64, 0)
    return f"i64 {arith.operand(f.body, value, 64)}"


# --- elements ------------------------------------------------------------------------------------


def find(f: Function, m: Value, key: ast.expr) -> Value:
    """`m.lookup(key)`, `m[key]`."""
    declared = m.type.thing
    if isinstance(declared, ArrayOfMaps | HashOfMaps):
        call = ast.copy_location(ast.Call(key, [key], []), key)
        return _inner(f, call, m)
    text = helper(f, LOOKUP, "ptr", f"ptr {m.text}", _key(f, declared, key))
    align = 8 if sizeof(declared.value) >= 8 else alignof(declared.value)
    f.body.elsewhere.add(text)
    return Value(PtrType(normal_target(declared.value)), text, maybe=1, align=align)


def store(f: Function, m: Value, key: ast.expr, value: ast.expr, flags: list[ast.expr]) -> Value:
    """`m[key] = value`, `m.update(key, value, flags)`."""
    declared = m.type.thing
    operands = _key(f, declared, key), _value(f, declared, value), _flags(f, flags)
    return Value(i64, helper(f, UPDATE, "i64", f"ptr {m.text}", *operands), *span(i64))


def remove(f: Function, m: Value, key: ast.expr) -> Value:
    """`del m[key]`, `m.delete(key)`."""
    declared = m.type.thing
    if "delete" not in dir(declared):
        kind = name_of(m.type)
        raise Refusal(f"`del` of an element of a {kind}: all are always there", "store zeros")
    text = helper(f, DELETE, "i64", f"ptr {m.text}", _key(f, declared, key))
    return Value(i64, text, *span(i64))


def _lookup(f: Function, node: ast.Call, m: Value) -> Value:
    return find(f, m, *_arguments(node, "key"))


def _update(f: Function, node: ast.Call, m: Value) -> Value:
    key, value, *flags = _arguments(node, "key", "value", "flags", optional=1)
    return store(f, m, key, value, flags)


def _delete(f: Function, node: ast.Call, m: Value) -> Value:
    return remove(f, m, *_arguments(node, "key"))


def _get(f: Function, node: ast.Call, m: Value) -> Value:
    """`m.get(key, default)`: a number, of whatever element or default."""
    t = held(m.type.thing.value)
    if not is_int(t):
        raise Refusal(
            f"`get` gives numbers, but values of `{m.type.thing.name}` are `{name_of(t)}`",
            "use lookup, and test the pointer",
        )
    key, default = _arguments(node, "key", "default")
    other = f.as_type(default, t, "the default")
    found, b = find(f, m, key), f.body
    there, missing, end = (b.name(n) for n in ("there", "missing", "end"))
    null = b.op(f"icmp eq ptr {found.text}, null")
    b.end(f"br i1 {null}, label %{missing}, label %{there}")
    b.label(there)
    value = memory.load(b, found._replace(maybe=0))
    b.jump(end)
    b.label(missing)
    b.jump(end)
    b.label(end)
    return f.phi(t, [(value, there), (other, missing)])


# --- others --------------------------------------------------------------------------------------


def _output(f: Function, node: ast.Call, m: Value) -> Value:
    record, *flags = _arguments(node, "record", "flags", optional=1)
    declared = m.type.thing
    address = operand(f, record, declared.value, f"a record of `{declared.name}`")
    size = f"i64 {sizeof(declared.value)}"
    text = helper(f, OUTPUT, "i64", f"ptr {m.text}", address, size, _flags(f, flags))
    return Value(i64, text, *span(i64))


def _jump(f: Function, node: ast.Call, m: Value) -> Value:
    from ebee.lang.bpf.intrinsics import is_context

    ctx_node, index_node = _arguments(node, "ctx", "index")
    ctx, index = f.value(ctx_node), f.as_type(index_node, u32, "the index")
    if not is_context(f, ctx):
        raise Refusal("a tail call passes the program's context on", "jumps.call(ctx, index)")
    number = f"i64 {arith.operand(f.body, index, 64)}"
    helper(f, TAIL_CALL, "i64", f"ptr {ctx.text}", f"ptr {m.text}", number)
    return NONE


def _reserve(f: Function, node: ast.Call, m: Value) -> Value:
    raise Refusal(
        "a reserved record must be sent or discarded on every path",
        f"with {ast.unparse(node)} as record:",
    )


def _drain(f: Function, node: ast.Call, m: Value) -> Value:
    raise Refusal("the records of user space are what a loop goes over",
                  f"for record in {ast.unparse(node)}:")  # fmt: skip


def _inner(f: Function, node: ast.Call, m: Value) -> Value:
    """`maps.lookup(key)` of a map of maps."""
    declared = m.type.thing
    (key,) = _arguments(node, "key")
    text = helper(f, LOOKUP, "ptr", f"ptr {m.text}", _key(f, declared, key))
    declared.inner.name = declared.inner.name or f"a map of {declared.name}"
    return Value(Constant(declared.inner), text, maybe=1)


Method = Callable[["Function", ast.Call, Value], Value]

ELEMENTS: dict[str, Method] = {
    "lookup": _lookup, "update": _update, "delete": _delete, "get": _get,
}  # fmt: skip


def _lookup_cpu(f: Function, node: ast.Call, m: Value) -> Value:
    """`m.lookup_cpu(key, cpu)`."""
    from ebee.lang.bpf.intrinsics import check_allowed, helper_name

    found = helper_name("map_lookup_percpu_elem")
    assert found is not None
    check_allowed(f, found.declared)
    key, cpu = _arguments(node, "key", "cpu")
    number = f"i64 {arith.operand(f.body, f.as_type(cpu, u32, 'the CPU'), 64)}"
    declared = m.type.thing
    at_key = _key(f, declared, key)
    text = helper(f, found.declared.id, "ptr", f"ptr {m.text}", at_key, number)
    f.body.elsewhere.add(text)
    align = 8 if sizeof(declared.value) >= 8 else alignof(declared.value)
    return Value(PtrType(normal_target(declared.value)), text, maybe=1, align=align)


def method(m: AnyMap[Any, Any], name: str) -> Method:
    """The handler of a method of a map."""
    from ebee.lang.bpf.scopes import discard

    table: dict[str, Method] = ELEMENTS
    declared = methods_of(m)
    if declared is not None:
        table = declared
    elif isinstance(m, ArrayOfMaps | HashOfMaps):
        table = {"lookup": _inner}
    elif isinstance(m, RingBuf):
        table = {"output": _output, "reserve": _reserve, "discard": discard}
    elif isinstance(m, Arena):
        from ebee.lang.bpf.arenas import METHODS

        table = METHODS
    elif isinstance(m, UserRingBuf):
        table = {"drain": _drain}
    elif isinstance(m, _PerCpu):
        table = {**ELEMENTS, "lookup_cpu": _lookup_cpu}
    elif isinstance(m, ProgArray):
        table = {"call": _jump}
    if name not in table:
        raise Refusal(f"a {name_of_map(m)} has no `{name}`", f"it has {', '.join(table)}")
    return table[name]


def name_of_map(m: AnyMap[Any, Any]) -> str:
    return type(m).__name__


__all__ = ["find", "helper", "method", "operand", "remove", "store"]
