"""`for` loops: over `range`, arrays and tuples.

The counter is the loop's own: assigning the loop variable inside does not move it, and after the
loop the variable has its last value, as in Python.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from ebee.lang import arith, memory
from ebee.lang.errors import Refusal, at
from ebee.lang.function import Env, Function, Loop
from ebee.lang.ir import Body
from ebee.lang.source import MISSING
from ebee.lang.statements import after_loop, assign_to, loop_body
from ebee.lang.static import static
from ebee.lang.values import TupleType, Value, constant, is_integer, name_of, normal_target
from ebee.types import ArrayType, PtrType


def for_loop(f: Function, node: ast.For) -> None:
    """Lower a `for`."""
    if f.unit.for_loop(f, node):
        return
    try:
        counted = _counted(f, node.iter)
        if counted is not None and f.unit.long_loop(f, node, *counted):
            return
        if counted is not None:
            f.unit.check_rounds(rounds_of(*counted))
    except Refusal as refusal:
        raise at(f.source, node.iter, refusal) from None
    if counted is not None:
        _count(f, node, *counted, lambda i: i)
        return
    items = _items(f, node.iter)
    if isinstance(items, list):
        _unrolled(f, node, items)
    else:
        _count(f, node, constant(int, 0), constant(int, items.count), 1, items.get)


def _counted(f: Function, node: ast.expr) -> tuple[Value, Value, int] | None:
    """Start, stop and step of `range(...)` and `reversed(range(...))`."""
    thing = static(f, node.func) if isinstance(node, ast.Call) else None
    if thing is range:
        start, stop, step = range_arguments(f, node)  # type: ignore[arg-type]
    elif thing is reversed and _is_range(f, node.args):  # type: ignore[attr-defined]
        start, stop, step = _backwards(f, node.args[0])  # type: ignore[attr-defined]
    else:
        return None
    return start, stop, step


def rounds_of(start: Value, stop: Value, step: int) -> int:
    """How many rounds a range may have."""
    apart = stop.hi - start.lo if step > 0 else start.hi - stop.lo
    return -(-max(apart, 0) // abs(step))


_ITERABLES = "loop over range(...), an array or a tuple; enumerate, zip and reversed of those"


@dataclass(frozen=True)
class Items:
    """What a loop goes over at run time: how many, and how to get each."""

    count: int
    get: Callable[[Value], Value]


Known = list[Callable[[], Value]]
"""What a loop goes over that is unrolled: how to get each."""


def _items(f: Function, node: ast.expr) -> Items | Known:
    """What a loop goes over: values that are known one by one, or elements of arrays."""
    thing = static(f, node.func) if isinstance(node, ast.Call) else static(f, node)
    if isinstance(node, ast.Call) and thing in _COMBINED and node.args and not node.keywords:
        return _COMBINED[thing](f, node)
    if isinstance(node, ast.Tuple | ast.List):
        return _given([f.value(e) for e in node.elts])
    whole = f.value(node) if thing is MISSING or isinstance(thing, tuple) else None
    if whole is not None and isinstance(whole.type, TupleType):
        return _given(whole.elems)
    if whole is not None and isinstance(whole.type, ArrayType):
        first = whole._replace(type=PtrType(normal_target(whole.type.elem)))

        def get(i: Value) -> Value:
            return memory.load(f.body, memory.element(f.body, first, i, access=True))

        return Items(whole.type.count, get)
    shown = f"`{ast.unparse(node)}`" if whole is None else f"a `{name_of(whole.type)}`"
    raise at(f.source, node, Refusal(f"a loop over {shown}", _ITERABLES))


def _given(values: Iterable[Value]) -> Known:
    return [lambda v=v: v for v in values]  # type: ignore[misc]


def _enumerate(f: Function, node: ast.Call) -> Items | Known:
    first = f.value(node.args[1]) if len(node.args) == 2 else constant(int, 0)
    inner = _items(f, node.args[0])
    if first.constant is None or len(node.args) > 2:
        raise Refusal("enumerate begins at a constant")
    if isinstance(inner, list):
        return [lambda i=i, get=get: _pair(constant(int, i), get())  # type: ignore[misc]
                for i, get in enumerate(inner, first.constant)]  # fmt: skip
    return Items(inner.count, lambda i: _pair(arith.binary(f.body, "+", i, first), inner.get(i)))


def _zip(f: Function, node: ast.Call) -> Items | Known:
    parts = [_items(f, a) for a in node.args]
    arrays = [p for p in parts if isinstance(p, Items)]
    if len(arrays) == len(parts):
        return Items(min(p.count for p in arrays), lambda i: _pair(*(p.get(i) for p in arrays)))
    lists = [_one_by_one(p) if isinstance(p, Items) else p for p in parts]
    return [lambda row=row: _pair(*(get() for get in row))  # type: ignore[misc]
            for row in zip(*lists, strict=False)]  # fmt: skip


def _one_by_one(items: Items) -> Known:
    return [lambda i=i: items.get(constant(int, i))  # type: ignore[misc]
            for i in range(items.count)]  # fmt: skip


def _reversed(f: Function, node: ast.Call) -> Items | Known:
    inner = _items(f, node.args[0])
    if isinstance(inner, list):
        return inner[::-1]
    last = constant(int, inner.count - 1)
    return Items(inner.count, lambda i: inner.get(arith.binary(f.body, "-", last, i)))


def _range(f: Function, node: ast.Call) -> Items | Known:
    """A range beside other things: of known ends."""
    start, stop, step = range_arguments(f, node)
    if start.constant is None or stop.constant is None:
        raise Refusal(f"`{ast.unparse(node)}` among others, whose ends are not constants")
    b, by = f.body, constant(int, step)
    count = len(range(start.constant, stop.constant, step))
    return Items(count, lambda i: arith.binary(b, "+", start, arith.binary(b, "*", i, by)))


_COMBINED: dict[Any, Callable[[Function, ast.Call], Items | Known]] = {
    enumerate: _enumerate, zip: _zip, reversed: _reversed, range: _range,
}  # fmt: skip


def _pair(*values: Value) -> Value:
    return Value(TupleType(tuple(v.type for v in values)), "", elems=values)


def _is_range(f: Function, args: list[ast.expr]) -> bool:
    return len(args) == 1 and isinstance(args[0], ast.Call) and static(f, args[0].func) is range


def _backwards(f: Function, node: ast.Call) -> tuple[Value, Value, int]:
    """The range that goes through another from its end."""
    start, stop, step = range_arguments(f, node)
    one = constant(int, 1)
    if abs(step) == 1:
        ends = [arith.binary(f.body, "-" if step > 0 else "+", v, one) for v in (stop, start)]
        return ends[0], ends[1], -step
    if start.constant is None or stop.constant is None:
        raise Refusal("reversed of a range with a step, and ends that are no constants")
    back = range(start.constant, stop.constant, step)[::-1]
    return constant(int, back.start), constant(int, back.stop), back.step


def _unrolled(f: Function, node: ast.For, items: Known) -> None:
    """Lower a loop over known values: its body once for each."""
    b, end = f.body, f.body.name("end")
    broken: list[Env] = []
    for item in items:
        following = b.name("next")
        loop = Loop(end, following, [], [])
        assign_to(f, node.target, item())
        loop_body(f, loop, node.body)
        broken += loop.broken
        f.env = f.join(f.env, *loop.continued)
        if f.env is None:
            break
        b.label(following)
    f.block(node.orelse)
    if f.env is not None:
        b.jump(end)
    f.env = f.join(f.env, *broken)
    if f.env is not None:
        b.label(end)


def range_arguments(f: Function, node: ast.Call) -> tuple[Value, Value, int]:
    """Start, stop and step of a `range`, the step a constant."""
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


def _count(
    f: Function, node: ast.For, start: Value, stop: Value, step: int,
    item: Callable[[Value], Value],
) -> None:  # fmt: skip
    """Lower a loop over start, start + step, ... before stop."""
    b = f.body
    lo, hi = (start.lo, stop.hi - 1) if step > 0 else (stop.lo + 1, start.hi)
    if min(start.lo, stop.lo) < 0 and max(start.hi, stop.hi) >= 1 << 63:
        message = "a range that needs both negative and unsigned 64-bit numbers"
        raise at(f.source, node.iter, Refusal(message))
    counter = _Counter(b, start, stop, step)
    head, inside, latch, done, end = (b.name(n) for n in ("for", "body", "next", "done", "end"))
    loop = Loop(end, latch, [], [])
    b.label(head)
    f.forget(node, max(hi - lo, 0) // abs(step) + 1)
    at_head = f.fork()
    if lo > hi:  # it never runs
        b.jump(done)
        after_loop(f, loop, at_head, done, node.orelse)
        return
    i, more = counter.test()
    b.end(f"br i1 {more}, label %{inside}, label %{done}")
    b.label(inside)
    assign_to(f, node.target, item(Value(int, i, lo, hi)))
    loop_body(f, loop, node.body)
    met = f.join(f.env, *loop.continued)
    if met is not None:
        b.label(latch)
        counter.advance()
        b.jump(head)
    at_end: Env | None = at_head
    if start.hi < stop.lo if step > 0 else start.lo > stop.hi:  # it runs at least once
        at_end = _at_end(f, at_head, met)
    if at_end is None:
        b.label(done)
        b.end("unreachable")
    after_loop(f, loop, at_end, done, node.orelse)


def _at_end(f: Function, at_head: Env, met: Env | None) -> Env | None:
    """What is known when a loop that runs at least once has run out: what every round knows at
    its end, though not in registers, which the head does not see. None: no round ends."""
    if met is None:
        return None
    return {
        n: v
        if n in at_head and at_head[n].text == v.text and v.text
        else v._replace(text="", known=None)
        for n, v in met.items()
        if n in at_head or (n in f.variables and f.variables[n].slot is not None)
    }


class _Counter:
    """The counter of a loop. Where it might pass the end of 64 bits before it is compared, the
    rounds are counted instead."""

    def __init__(self, b: Body, start: Value, stop: Value, step: int):
        self.body, self.step, self.i, self.rest = b, step, "", ""
        signed = min(start.lo, stop.lo) < 0
        first, last = (-(1 << 63), (1 << 63) - 1) if signed else (0, (1 << 64) - 1)
        self.order = ("s" if signed else "u") + ("lt" if step > 0 else "gt")
        self.start, self.stop = arith.operand(b, start, 64), arith.operand(b, stop, 64)
        inside = first <= stop.lo + min(step, 0) and stop.hi + max(step, 0) <= last
        self.slot = b.alloca("i64", 8, "i")
        b.emit(f"store i64 {self.start}, ptr {self.slot}")
        self.left = None
        if not inside and abs(step) > 1:  # by steps of 1 it stops at `stop` itself
            self.left = b.alloca("i64", 8, "left")
            b.emit(f"store i64 {self._rounds()}, ptr {self.left}")

    def _rounds(self) -> str:
        """How often the loop runs."""
        b = self.body
        some = b.op(f"icmp {self.order} i64 {self.start}, {self.stop}")
        far, near = (self.stop, self.start) if self.step > 0 else (self.start, self.stop)
        apart = b.op(f"sub i64 {far}, {near}")
        less = b.op(f"sub i64 {apart}, 1")
        whole = b.op(f"udiv i64 {less}, {abs(self.step)}")
        return b.op(f"select i1 {some}, i64 {b.op(f'add i64 {whole}, 1')}, i64 0")

    def test(self) -> tuple[str, str]:
        """The counter, and whether there is a round for it."""
        b = self.body
        self.i = b.op(f"load i64, ptr {self.slot}")
        if self.left is None:
            return self.i, b.op(f"icmp {self.order} i64 {self.i}, {self.stop}")
        self.rest = b.op(f"load i64, ptr {self.left}")
        return self.i, b.op(f"icmp ne i64 {self.rest}, 0")

    def advance(self) -> None:
        """To the next round."""
        b = self.body
        b.emit(f"store i64 {b.op(f'add i64 {self.i}, {self.step}')}, ptr {self.slot}")
        if self.left is not None:
            b.emit(f"store i64 {b.op(f'sub i64 {self.rest}, 1')}, ptr {self.left}")
