"""`for` loops: over `range` and over arrays.

The counter is the loop's own: assigning the loop variable inside does not move it, and after the
loop the variable has its last value, as in Python.
"""

from __future__ import annotations

import ast
from collections.abc import Callable

from ebee.lang import arith, memory
from ebee.lang.errors import Refusal, at
from ebee.lang.function import Env, Function, Loop
from ebee.lang.ir import Body
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
            rounds = (stop.hi - start.lo if step > 0 else start.hi - stop.lo) // abs(step)
            f.unit.check_rounds(rounds)
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
        if n in at_head or f.variables[n].slot is not None
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
