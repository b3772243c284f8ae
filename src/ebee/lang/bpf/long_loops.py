"""Which loops are functions that the kernel calls, and what they go over."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from ebee.lang import arith, memory
from ebee.lang.bpf import callbacks
from ebee.lang.bpf.maps import AnyMap, Array, Hash, LruHash, LruPerCpuHash, PerCpuHash
from ebee.lang.bpf.maps_kernel import UserRingBuf
from ebee.lang.errors import Refusal, at
from ebee.lang.loops import rounds_of
from ebee.lang.source import MISSING
from ebee.lang.static import static
from ebee.lang.values import TupleType, Value, constant, normal_target
from ebee.types import PtrType, alignof, sizeof

if TYPE_CHECKING:
    from ebee.lang.function import Function

COSTLY = 400_000
"""Rounds times nodes of the body, beyond which the verifier would not follow each round."""

ITERABLE = (Hash, Array, PerCpuHash, LruHash, LruPerCpuHash)
"""Maps whose elements a program can go through."""


def over_numbers(f: Function, node: ast.For, start: Value, stop: Value, step: int) -> bool:
    """A range of many rounds."""
    most = rounds_of(start, stop, step)
    size = sum(1 for part in node.body for _ in ast.walk(part))
    if most * size <= COSTLY or most > callbacks.MOST or min(start.lo, stop.lo) < -(1 << 62):
        return False
    count = _count(f, start, stop, step)

    def item(i: Value) -> Value:
        steps = i if abs(step) == 1 else arith.binary(f.body, "*", i, constant(int, abs(step)))
        return arith.binary(f.body, "+" if step > 0 else "-", start, steps)

    callbacks.many_rounds(f, node, count, item)
    return True


def _count(f: Function, start: Value, stop: Value, step: int) -> Value:
    """How many rounds a range has."""
    b = f.body
    near, far = (start, stop) if step > 0 else (stop, start)
    apart = arith.binary(b, "-", far, near)
    if apart.lo < 0:
        none = arith.compare(b, "<", apart, constant(int, 0))
        text = b.op(f"select i1 {none.text}, i64 0, i64 {arith.operand(b, apart, 64)}")
        apart = Value(int, text, 0, max(apart.hi, 0))
    if abs(step) > 1:
        more = arith.binary(b, "+", apart, constant(int, abs(step) - 1))
        apart = arith.binary(b, "//", more, constant(int, abs(step)))
    return apart


def over_map(f: Function, node: ast.For) -> bool:
    """The elements of a map: `for key in m`, `for key, value in m.items()`, `m.values()`."""
    what, part = node.iter, ""
    if isinstance(what, ast.Call) and isinstance(what.func, ast.Attribute):
        part = what.func.attr
        if part == "drain" and not what.args and not what.keywords:
            return _over_records(f, node, what.func.value)
        if part not in ("items", "keys", "values") or what.args or what.keywords:
            return False
        what = what.func.value
    thing = static(f, what) if isinstance(what, ast.Name | ast.Attribute) else MISSING
    if not isinstance(thing, AnyMap):
        return False
    if not isinstance(thing, ITERABLE):
        kinds = ", ".join(k.__name__ for k in ITERABLE)
        kind = type(thing).__name__
        refusal = Refusal(f"a program cannot go through a {kind}", f"it can through {kinds}")
        raise at(f.source, node.iter, refusal)
    callbacks.each_element(f, node, f.value(what), lambda k, v: _element(f, thing, part, k, v))
    return True


def _over_records(f: Function, node: ast.For, ring: ast.expr) -> bool:
    """`for command in commands.drain():`."""
    thing = static(f, ring) if isinstance(ring, ast.Name | ast.Attribute) else MISSING
    if not isinstance(thing, UserRingBuf):
        return False
    callbacks.each_record(f, node, f.value(ring), thing.value)
    return True


def _element(f: Function, m: AnyMap[Any, Any], part: str, key: str, value: str) -> Value:
    """What a round is given: the key, the address of the value, or both."""
    at_key = Value(PtrType(normal_target(m.key)), key)
    align = 8 if sizeof(m.value) >= 8 else alignof(m.value)
    at_value = Value(PtrType(normal_target(m.value)), value, align=align)
    if part == "values":
        return at_value
    loaded = memory.load(f.body, at_key)
    if part != "items":
        return loaded
    return Value(TupleType((loaded.type, at_value.type)), "", elems=(loaded, at_value))


__all__ = ["over_map", "over_numbers"]
