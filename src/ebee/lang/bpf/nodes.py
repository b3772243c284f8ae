"""Kinds of nodes that mean something in BPF only, or something more."""

from __future__ import annotations

import ast
import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ebee.lang import memory
from ebee.lang.bpf import (
    contexts,
    current,
    externs,
    graphs,
    kfuncs,
    kptrs,
    map_calls,
    members,
    packet_calls,
)
from ebee.lang.bpf.contexts import Context
from ebee.lang.bpf.exits import assert_, raise_
from ebee.lang.bpf.formats import Record
from ebee.lang.bpf.map_methods import probably_in
from ebee.lang.bpf.maps import AnyMap
from ebee.lang.bpf.maps_more import Bloom
from ebee.lang.bpf.packets import Packet
from ebee.lang.bpf.scopes import with_statement
from ebee.lang.bpf.state import unit_of
from ebee.lang.bpf.variables import Variable
from ebee.lang.bpf.whiles import bound
from ebee.lang.calls import call_method, with_self
from ebee.lang.errors import Refusal
from ebee.lang.expressions import place as place_of
from ebee.lang.function import EXPRESSIONS
from ebee.lang.source import MISSING
from ebee.lang.statements import while_loop
from ebee.lang.static import static
from ebee.lang.values import NULL_VALUE, Constant, Value, is_ptr, is_struct, name_of
from ebee.types import PtrType, u8

if TYPE_CHECKING:
    from ebee.hooks import CtxField
    from ebee.lang.function import Function

POINTERS = ("packet", "packet_end", "packet_meta")
"""Kinds of context members that are read as pointers."""


def _name(f: Function, node: ast.Name) -> Value:
    if node.id in f.writes:
        return _default(f, node)
    return _module_name(f, node, node.id, f.source.resolve(node.id))


def _module_name(f: Function, node: ast.expr, name: str, thing: Any) -> Value:
    """What a name of a module stands for: a map, a variable, or a constant."""
    from ebee.lang.bpf.unit import map_value

    if isinstance(thing, AnyMap):
        return map_value(f, name, thing)
    if isinstance(node, ast.Name) and (extern := externs.named(f, name)) is not None:
        return externs.value(f, extern)
    variable = unit_of(f).variable(f, name) if isinstance(node, ast.Name) else None
    if variable is not None:
        return memory.load(f.body, unit_of(f).address(variable))
    return _default(f, node)


def _default(f: Function, node: ast.expr) -> Value:
    return EXPRESSIONS[type(node)](f, node)


def _constant(f: Function, node: ast.Constant) -> Value:
    return NULL_VALUE if node.value is None else _default(f, node)


def _attribute(f: Function, node: ast.Attribute) -> Value:
    if static(f, node.value) is current.current:
        return current.member(f, node)
    thing = static(f, node)
    if isinstance(thing, AnyMap):
        return _module_name(f, node, node.attr, thing)
    if (variable := _module_variable(f, node)) is not None:
        return memory.load(f.body, unit_of(f).address(variable))
    if _is_variable(f, node.value):
        address, const = place_of(f, node)
        return memory.load(f.body, address, const)
    if (member := members.attribute(f, node)) is not None:
        return member
    if isinstance(node.value, ast.Name) and node.value.id in f.writes:
        base = f.value(node.value)
        if is_struct(base.type) and issubclass(base.type, Context | Record):
            return _context_member(f, node, base)
    return _default(f, node)


def _context_member(f: Function, node: ast.Attribute, ctx: Value) -> Value:
    """A member of the context: as the hook declares it."""
    found = _context_field(f, ctx.type, node.attr)
    if found is not None and found.kind in POINTERS:
        return packet_calls.context_pointer(f, ctx, node.attr)
    kernel = contexts.pointed(ctx.type, node.attr)
    if kernel is not None and found is not None:
        at = f.body.op(f"getelementptr inbounds i8, ptr {ctx.text}, i64 {found.offset}")
        return Value(kernel, f.body.op(f"load ptr, ptr {at}, align 8"))
    members = ctx.type.__fields__
    if issubclass(ctx.type, Record) and getattr(
        getattr(members.get(node.attr), "type", None), "located", False
    ):
        return _located(f, ctx, members[node.attr])
    value = _default(f, node)
    if found is None or not is_ptr(value.type):
        return value
    return value._replace(maybe=int(found.kind.endswith("?")))


def _located(f: Function, ctx: Value, field: Any) -> Value:
    """The address of what a member of a record tells the place of: offset and length in halves."""
    b = f.body
    word = memory.load(b, memory.member(b, ctx, field)).text
    offset = b.op(f"zext i32 {b.op(f'and i32 {word}, 65535')} to i64")
    base = ctx.text
    if getattr(field.type, "relative", False):
        base = b.op(f"getelementptr i8, ptr {base}, i64 {field.offset + 4}")
    return Value(PtrType(u8), b.op(f"getelementptr i8, ptr {base}, i64 {offset}"))


def _module_variable(f: Function, node: ast.expr) -> Variable | None:
    """The variable that `module.name` names, if it does."""
    if not isinstance(node, ast.Attribute):
        return None
    module = static(f, node.value)
    if not isinstance(module, types.ModuleType):
        return None
    return unit_of(f).variable_in(vars(module), node.attr)


def _is_variable(f: Function, node: ast.expr) -> bool:
    """Whether an expression begins with a variable of a module."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        if _module_variable(f, node) is not None:
            return True
        node = node.value
    if not isinstance(node, ast.Name) or node.id in f.writes:
        return False
    return unit_of(f).variable(f, node.id) is not None


def _context_field(f: Function, t: Any, name: str, write: bool = False) -> CtxField | None:
    """The declaration of a member of the context; Refusal when the hook has none of that name."""
    from ebee.lang.bpf.contexts import BY_STRUCT

    hook = unit_of(f).hook
    if issubclass(t, Record):
        if write:
            raise Refusal("a record cannot be changed")
        return None
    if BY_STRUCT.get(hook.context or "") != t.__name__ or not hook.fields:
        return None
    return packet_calls.context_field(f, name, write)


def _subscript(f: Function, node: ast.Subscript) -> Value:
    m = _map(f, node.value)
    if m is not None:
        return map_calls.find(f, m, node.slice)
    if _is_variable(f, node.value):
        address, const = place_of(f, node)
        return memory.load(f.body, address, const)
    element = members.subscript(f, node)
    return element if element is not None else _default(f, node)


def _map(f: Function, node: ast.expr) -> Value | None:
    """The map that an expression names, if it does."""
    if isinstance(node, ast.Name | ast.Attribute):
        local = isinstance(node, ast.Name) and node.id in f.writes
        thing = MISSING if local else static(f, node)
        if isinstance(thing, AnyMap) or (local and _is_map(f, node)):
            m = f.value(node)
            memory.check_null(m, f"`{ast.unparse(node)}`")
            return m
    return None


def _is_map(f: Function, node: ast.expr) -> bool:
    assert f.env is not None
    value = f.env.get(node.id) if isinstance(node, ast.Name) else None
    return value is not None and isinstance(value.type, Constant)


def place(f: Function, node: ast.expr) -> tuple[Value, bool] | None:
    """The address of what only BPF has: none, but a map's element is no place."""
    if isinstance(node, ast.Subscript):
        m = _map(f, node.value)
        if m is not None:
            name = m.type.thing.name
            raise Refusal(
                f"an element of `{name}` may not be there",
                f"entry = {name}.lookup({ast.unparse(node.slice)}), then test it and change that",
            )
    if (variable := _module_variable(f, node)) is not None:
        return unit_of(f).address(variable), variable.const
    if (kernel := members.writable(f, node)) is not None:
        return kernel, False
    if isinstance(node, ast.Name):
        variable = None if node.id in f.writes else unit_of(f).variable(f, node.id)
        return None if variable is None else (unit_of(f).address(variable), variable.const)
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        base = f.env.get(node.value.id) if f.env is not None else None
        if base is not None and is_struct(base.type) and issubclass(base.type, Context | Record):
            write = isinstance(node.ctx, ast.Store)
            found = _context_field(f, base.type, node.attr, write)
            if found is not None and (not found.narrow or found.count > 1):
                # as it stands: LLVM would load parts of it, or two at once
                base = f.value(node.value)
                at = memory.member(f.body, base, memory.find_field(base.type, node.attr))
                return at._replace(volatile=True), False
    return None


def store_item(f: Function, target: ast.expr, value: Value) -> bool:
    """`m[key] = value`, `s.name = text of the kernel`; whether it was one."""
    if members.store_text(f, target, value):
        return True
    if not isinstance(target, ast.Subscript):
        return False
    m = _map(f, target.value)
    if m is None:
        return False
    if "update" not in dir(m.type.thing) or m.type.thing.key is None:
        raise Refusal(f"a {name_of(m.type)} has no elements to store")
    name = ast.copy_location(ast.Name(" value", ast.Load()), target)
    f.with_local(" value", value, lambda: map_calls.store(f, m, target.slice, name, []))
    return True


def contains(f: Function, key: Value, node: ast.expr) -> Value | None:
    """`key in m` of a map."""
    m = _map(f, node)
    if m is None:
        return None
    if isinstance(m.type.thing, Bloom):
        return probably_in(f, key, m)
    if m.type.thing.key is None:
        raise Refusal(f"a {name_of(m.type)} has no keys")
    name = ast.copy_location(ast.Name(" key", ast.Load()), node)
    found: Value = f.with_local(" key", key, lambda: map_calls.find(f, m, name))
    return Value(bool, f.body.op(f"icmp ne ptr {found.text}, null"), 0, 1)


def _delete(f: Function, node: ast.Delete) -> None:
    for target in node.targets:
        m = _map(f, target.value) if isinstance(target, ast.Subscript) else None
        if m is None or not isinstance(target, ast.Subscript):
            raise Refusal("`del` of anything but an element of a map", "del flows[key]")
        map_calls.remove(f, m, target.slice)


def _global(f: Function, node: ast.Global) -> None:
    from ebee.lang.bpf.unit import find_variable

    for name in node.names:
        if find_variable(f, name) is None:
            raise Refusal(
                f"`{name}` is a constant of the module",
                f"declare it as a variable: {name}: Global[u64] = 0",
            )


def _while(f: Function, node: ast.While) -> None:
    """A loop that certainly ends, its rounds counted where the verifier could not follow it."""
    found = bound(f, node)
    f.unit.check_rounds(found.rounds, "while i < min(n, u32(64))")
    while_loop(f, node, found.rounds, count=not found.followed)


def _text(f: Function, node: ast.expr) -> Value:
    raise Refusal("an f-string", "there is no text at run time but in print(f'...')")


def _collection(f: Function, node: ast.expr) -> None:
    kind = type(node).__name__.lower()
    raise Refusal(
        f"a {kind}: programs have no memory for those",
        "keep many things in a map (Array, Hash), a few in a @struct with array[u32, 16]",
    )


HANDLERS: dict[type[ast.AST], Callable[[Function, Any], Any]] = {
    ast.Name: _name, ast.Constant: _constant, ast.Attribute: _attribute, ast.Subscript: _subscript,
    ast.Delete: _delete, ast.Global: _global, ast.While: _while, ast.With: with_statement,
    ast.JoinedStr: _text, ast.List: _collection, ast.Dict: _collection, ast.Raise: raise_,
    ast.Assert: assert_,
}  # fmt: skip


def _context_call(f: Function, node: ast.Call, ctx: Value, name: str) -> Value:
    """A method of the context."""
    from ebee.lang.bpf.room import ROOM

    if name == "packet":
        return packet_calls.packet(f, node, ctx)
    ways, hook = ROOM.get(name), unit_of(f).hook.name
    if ways is None:
        raise Refusal(f"a context has no `{name}`", f"it has packet, {', '.join(ROOM)}")
    if hook not in ways:
        raise Refusal(f"{hook} programs cannot `{name}`", f"only those of {', '.join(ways)}")
    return with_self(f, node, ctx, ways[hook], node)


# --- calls ---------------------------------------------------------------------------------------


def call(f: Function, node: ast.Call, thing: Any) -> Value | None:
    """A call that only BPF has: methods of maps, contexts and packets, helpers, print."""
    from ebee.lang.bpf import core_calls
    from ebee.lang.bpf.intrinsics import CALLS, HelperName, call_helper

    if isinstance(thing, HelperName):
        return call_helper(f, node, thing)
    if isinstance(thing, kfuncs.Kfunc):
        return kfuncs.call(f, node, thing)
    can = thing is not MISSING and callable(thing)
    tables = (CALLS, core_calls.CALLS, graphs.CALLS) if can else ()
    own = next((table[thing] for table in tables if thing in table), None)
    if own is not None:
        return own(f, node)
    if thing is not MISSING or not isinstance(node.func, ast.Attribute):
        return None
    if (kept := kptrs.method(f, node) or graphs.method(f, node)) is not None:
        return kept
    base = f.value(node.func.value)
    name = node.func.attr
    if isinstance(base.type, Constant) and isinstance(base.type.thing, AnyMap):
        memory.check_null(base, f"`{ast.unparse(node.func.value)}`")
        return map_calls.method(base.type.thing, name)(f, node, base)
    if base.type is Packet:
        if name not in packet_calls.METHODS:
            known = ", ".join(packet_calls.METHODS)
            raise Refusal(f"a packet has no `{name}`", f"it has {known}")
        return packet_calls.METHODS[name](f, node, base)  # type: ignore[no-any-return]
    if is_struct(base.type) and issubclass(base.type, Context):
        return _context_call(f, node, base, name)
    return call_method(f, node, node.func, base)
