"""`for` loops: over `range` and over arrays.

The counter is the loop's own: assigning the loop variable inside does not move it, and after the
loop the variable has its last value, as in Python.
"""

from __future__ import annotations

import ast

from ebee.lang import arith, memory
from ebee.lang.errors import Refusal, at
from ebee.lang.function import Env, Function, Loop
from ebee.lang.source import MISSING
from ebee.lang.statements import after_loop, assign_to, loop_body
from ebee.lang.static import static
from ebee.lang.values import Value, constant, is_integer, name_of, normal_target
from ebee.types import ArrayType, PtrType


def for_loop(f: Function, node: ast.For) -> None:
    """Lower a `for`."""
    what = node.iter
    if isinstance(what, ast.Call) and static(f, what.func) is range:
        try:
            start, stop, step = _range_arguments(f, what)
        except Refusal as refusal:
            raise at(f.source, what, refusal) from None
        _count(f, node, start, stop, step, lambda i: i)
        return
    thing = static(f, what)
    if thing is MISSING:
        array = f.value(what)
        if isinstance(array.type, ArrayType):
            first = array._replace(type=PtrType(normal_target(array.type.elem)))
            stop = constant(int, array.type.count)
            _count(
                f, node, constant(int, 0), stop, 1,
                lambda i: memory.load(f.body, memory.element(f.body, first, i, access=True)),
            )  # fmt: skip
            return
        raise at(f.source, what, Refusal(f"a loop over a `{name_of(array.type)}`", _ITERABLES))
    raise at(f.source, what, Refusal(f"a loop over `{ast.unparse(what)}`", _ITERABLES))


_ITERABLES = "loop over range(...) or an array"


def _range_arguments(f: Function, node: ast.Call) -> tuple[Value, Value, int]:
    if node.keywords or not 1 <= len(node.args) <= 3:
        raise Refusal("range takes one to three values")
    values = []
    for argument in node.args:
        value = f.value(argument)
        if not is_integer(value.type):
            raise at(f.source, argument, Refusal(f"range of a `{name_of(value.type)}`"))
        values.append(arith.convert(f.body, value, int))
    start = values[0] if len(values) > 1 else constant(int, 0)
    stop = values[min(len(values), 2) - 1]
    if len(values) < 3:
        return start, stop, 1
    step = values[2].constant
    if step is None:
        raise Refusal("the step of a range must be a constant", "write a `while` loop")
    if step == 0:
        raise Refusal("the step of a range is 0")
    return start, stop, step


def _count(f: Function, node: ast.For, start: Value, stop: Value, step: int, item: object) -> None:
    """Lower a loop over start, start + step, ... before stop."""
    b = f.body
    lo, hi = (start.lo, stop.hi - 1) if step > 0 else (stop.lo + 1, start.hi)
    if min(start.lo, stop.lo) < 0 and max(start.hi, stop.hi) >= 1 << 63:
        message = "a range that needs both negative and unsigned 64-bit numbers"
        raise at(f.source, node.iter, Refusal(message))
    trips, counter_end = _trips(f, start, stop, step)
    slot = b.alloca("i64", 8, "i")
    left = b.alloca("i64", 8, "left") if trips is not None else ""
    b.emit(f"store i64 {arith.operand(b, start, 64)}, ptr {slot}")
    if trips is not None:
        b.emit(f"store i64 {trips}, ptr {left}")
    head, inside, latch, done, end = (b.name(n) for n in ("for", "body", "next", "done", "end"))
    b.label(head)
    runs = lo <= hi and (start.hi < stop.lo if step > 0 else start.lo > stop.hi)
    f.forget(node)
    at_head = f.fork()
    if lo > hi:  # it never runs
        b.jump(done)
        after_loop(f, Loop(end, latch, [], []), at_head, done, node.orelse)
        return
    i = b.op(f"load i64, ptr {slot}")
    if trips is None:
        order = "s" if min(start.lo, stop.lo) < 0 else "u"
        sign = "lt" if step > 0 else "gt"
        more = b.op(f"icmp {order}{sign} i64 {i}, {counter_end}")
    else:
        rest = b.op(f"load i64, ptr {left}")
        more = b.op(f"icmp ne i64 {rest}, 0")
    b.end(f"br i1 {more}, label %{inside}, label %{done}")
    b.label(inside)
    loop = Loop(end, latch, [], [])
    assign_to(f, node.target, item(Value(int, i, lo, hi)))  # type: ignore[operator]
    loop_body(f, loop, node.body)
    met = f.join(f.env, *loop.continued)
    if met is not None:
        b.label(latch)
        following = b.op(f"add i64 {i}, {step}")
        b.emit(f"store i64 {following}, ptr {slot}")
        if trips is not None:
            b.emit(f"store i64 {b.op(f'sub i64 {rest}, 1')}, ptr {left}")
        b.jump(head)
    at_end = _at_end(f, at_head, met, runs)
    if at_end is None:
        b.label(done)
        b.end("unreachable")
    after_loop(f, loop, at_end, done, node.orelse)


def _at_end(f: Function, at_head: Env, met: Env | None, runs: bool) -> Env | None:
    """What is known when the loop has run out: after at least one round, what every round knows
    at its end (but not in registers, which the head does not see)."""
    if met is None and runs:
        return None  # the first round always leaves
    if not runs or met is None:
        return at_head
    inner = {n: v for n, v in met.items() if n in at_head or f.variables[n].slot is not None}
    return {
        n: v
        if n in at_head and at_head[n].text == v.text and v.text
        else v._replace(text="", known=None)
        for n, v in inner.items()
    }


def _trips(f: Function, start: Value, stop: Value, step: int) -> tuple[str | None, str]:
    """How often a loop runs, where its counter might pass the end of 64 bits; else None and the
    end to compare the counter with."""
    b = f.body
    signed = min(start.lo, stop.lo) < 0
    first, last = (-(1 << 63), (1 << 63) - 1) if signed else (0, (1 << 64) - 1)
    start_text, stop_text = arith.operand(b, start, 64), arith.operand(b, stop, 64)
    if first <= stop.lo + min(step, 0) and stop.hi + max(step, 0) <= last:
        return None, stop_text
    if abs(step) == 1:  # the counter stops at `stop` itself
        return None, stop_text
    order = ("s" if signed else "u") + ("lt" if step > 0 else "gt")
    some = b.op(f"icmp {order} i64 {start_text}, {stop_text}")
    far, near = (stop_text, start_text) if step > 0 else (start_text, stop_text)
    apart = b.op(f"sub i64 {far}, {near}")
    less = b.op(f"sub i64 {apart}, 1")
    whole = b.op(f"udiv i64 {less}, {abs(step)}")
    count = b.op(f"add i64 {whole}, 1")
    return b.op(f"select i1 {some}, i64 {count}, i64 0"), stop_text
