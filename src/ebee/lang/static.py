"""What is known before anything runs: names of modules, constants, types, functions.

A name that the function does not assign is looked up where Python would look it up, once, when
the function is compiled: module variables are constants here.
"""

from __future__ import annotations

import ast
import enum
import types
from collections.abc import Container
from typing import TYPE_CHECKING, Any

from ebee.lang.errors import Refusal
from ebee.lang.source import MISSING, Source, is_native
from ebee.lang.values import NULL_VALUE, FunctionRef, TupleType, Value, constant, is_int, is_struct
from ebee.types import ArrayType, PtrType, ptr

if TYPE_CHECKING:
    from ebee.lang.function import Function


def static(f: Function, node: ast.expr) -> Any:
    """The Python object that an expression names, or MISSING when it names none."""
    if isinstance(node, ast.Subscript) and is_type_constructor(static(f, node.value)):
        return _generic(f, node)
    if isinstance(node, ast.Constant) and node.value is None:
        return None
    return static_in(f.source, node, f.writes)


def static_in(source: Source, node: ast.expr, local: Container[str] = ()) -> Any:
    """The object that a dotted name names."""
    if isinstance(node, ast.Name):
        return MISSING if node.id in local else source.resolve(node.id)
    if isinstance(node, ast.Attribute):
        base = static_in(source, node.value, local)
        if isinstance(base, types.ModuleType | enum.EnumType):
            return getattr(base, node.attr, MISSING)
        if isinstance(base, enum.Enum) and node.attr == "value":
            return base.value
        if is_struct(base) and isinstance(vars(base).get(node.attr), staticmethod):
            return getattr(base, node.attr)
    return MISSING


def is_type_constructor(thing: Any) -> bool:
    """`ptr` and `array`, which take their types in brackets."""
    from ebee.types import array

    return thing is ptr or thing is array


def _generic(f: Function, node: ast.Subscript) -> Any:
    base = static(f, node.value)
    parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    items = []
    for part in parts:
        item = static(f, part)
        if item is MISSING and isinstance(part, ast.Constant):
            item = part.value
        if item is MISSING:
            return MISSING
        items.append(item)
    try:
        return base[items[0] if len(items) == 1 else tuple(items)]
    except TypeError as e:
        raise Refusal(str(e)) from None


def is_type(thing: Any) -> bool:
    """A static type that may stand where a type is expected."""
    import typing

    return (
        is_int(thing)
        or is_struct(thing)
        or isinstance(thing, PtrType | ArrayType)
        or typing.get_origin(thing) is ptr
        or hasattr(thing, "__kernel__")
    )


def text_of(f: Function, node: ast.expr) -> str | bytes | None:
    """The literal or constant text that an expression is, if it is one."""
    thing = node.value if isinstance(node, ast.Constant) else static(f, node)
    return thing if isinstance(thing, str | bytes) else None


def static_value(name: str | ast.expr, thing: Any) -> Value:
    """A Python object as a value; Refusal, with the name it goes by, when it can be none."""
    if isinstance(thing, bool):
        return constant(bool, thing)
    if is_int(type(thing)):
        return constant(type(thing), int(thing))
    if isinstance(thing, int):
        return constant(int, int(thing))._replace(member=2 * isinstance(thing, enum.Enum))
    if isinstance(thing, ptr) and not int(thing):
        return NULL_VALUE
    if isinstance(thing, tuple):
        elems = tuple(static_value(name, t) for t in thing)
        return Value(TupleType(tuple(e.type for e in elems)), "", elems=elems)
    if is_native(thing):
        return Value(FunctionRef(thing), "")
    raise Refusal(*_no_value(name if isinstance(name, str) else ast.unparse(name), thing))


def _no_value(name: str, thing: Any) -> tuple[str, str]:
    if isinstance(thing, float):
        return f"`{name}` is a float", "there are only integers here: scale it, x * 1000 // n"
    if isinstance(thing, str | bytes | list | dict | set):
        kind = type(thing).__name__
        way_out = "only integers and tuples of them are constants"
        if isinstance(thing, str | bytes):
            way_out = "text goes into arrays: entry.name = 'eth0', where name: array[char, 16]"
        return f"`{name}` is a {kind} of Python", way_out
    if thing is None:
        return "None is no value here", "use `null` for a pointer to nothing"
    if isinstance(thing, types.ModuleType):
        return f"`{name}` is a module", ""
    if callable(thing):
        return f"`{name}` is a function or class of Python, not a value", "call it"
    return f"`{name}` is a {type(thing).__name__}, which is no constant of this language", ""
