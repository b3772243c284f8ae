"""Loops whose body is a function that the kernel calls: over many numbers, over a map's elements.

The body is lowered into a function of its own. What it uses of the function around it (values,
and the addresses of variables) goes through a frame on the stack, whose address the kernel passes
on: after lowering, each name of LLVM's that the body uses and does not define is put there.

    frame   0: how the loop ended (1: break, 2: return)    8: the function's result    16: ...
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ebee.lang import memory
from ebee.lang.bpf.map_calls import helper
from ebee.lang.bpf.state import unit_of
from ebee.lang.calls import EXIT
from ebee.lang.errors import Refusal
from ebee.lang.function import Env, Loop
from ebee.lang.ir import Body, symbol
from ebee.lang.statements import assign_to
from ebee.lang.values import Value, normal_target
from ebee.types import PtrType, sizeof

if TYPE_CHECKING:
    from ebee.lang.function import Function

LOOP, FOR_EACH, DRAIN, READ = 181, 164, 209, 201
"""Numbers of helpers (enum bpf_func_id)."""

MOST = 1 << 23
"""Rounds of bpf_loop (BPF_MAX_LOOPS)."""

BROKEN, RETURNED = 1, 2

_WHERE_RESULT, _CAPTURED = 8, 16


def many_rounds(f: Function, node: ast.For, count: Value, item: Callable[[Value], Value]) -> None:
    """A loop of bpf_loop: so many rounds, `item` of the number of the round. Since Linux 5.17."""
    _check(f, "loop")

    def begin(index: str) -> None:
        wide = f.body.op(f"and i64 {index}, 4294967295")
        assign_to(f, node.target, item(Value(int, wide, 0, max(count.hi - 1, 0))))

    def call(callback: str, frame: str) -> None:
        from ebee.lang import arith

        rounds = arith.operand(f.body, count, 64)
        helper(f, LOOP, "i64", f"i64 {rounds}", f"ptr {callback}", f"ptr {frame}", "i64 0")

    _loop(f, node, ["i64", "ptr"], begin, call)


def each_element(f: Function, node: ast.For, m: Value, item: Callable[[str, str], Value]) -> None:
    """A loop over the elements of a map: `item` of the addresses of key and value. Since 5.13."""
    _check(f, "for_each_map_elem")

    def begin(_: str, key: str, value: str) -> None:
        assign_to(f, node.target, item(key, value))

    def call(callback: str, frame: str) -> None:
        helper(f, FOR_EACH, "i64", f"ptr {m.text}", f"ptr {callback}", f"ptr {frame}", "i64 0")

    _loop(f, node, ["ptr", "ptr", "ptr", "ptr"], begin, call)


def each_record(f: Function, node: ast.For, ring: Value, t: Any) -> None:
    """A loop over the records of a user ring buffer: a copy of each. Since Linux 6.1."""
    for name in ("user_ringbuf_drain", "dynptr_read"):
        _check(f, name)

    def begin(dynptr: str) -> None:
        b, size = f.body, sizeof(t)
        slot = b.alloca(f"[{size} x i8]", 8, "record")
        b.emit(f"call void @llvm.memset.p0.i64(ptr align 8 {slot}, i8 0, i64 {size}, i1 false)")
        failed = helper(f, READ, "i64", f"ptr {slot}", f"i64 {size}", f"ptr {dynptr}", "i64 0",
                        "i64 0")  # fmt: skip
        short, whole = b.name("short"), b.name("whole")
        b.end(f"br i1 {b.op(f'icmp eq i64 {failed}, 0')}, label %{whole}, label %{short}")
        b.label(short)
        b.end("ret i64 0")
        b.label(whole)
        place = Value(PtrType(normal_target(t)), slot, stack=True, align=8)
        assign_to(f, node.target, memory.load(b, place))

    def call(callback: str, frame: str) -> None:
        helper(f, DRAIN, "i64", f"ptr {ring.text}", f"ptr {callback}", f"ptr {frame}", "i64 0")

    _loop(f, node, ["ptr", "ptr"], begin, call)


def _check(f: Function, name: str) -> None:
    from ebee.lang.bpf.intrinsics import check_allowed, helper_name

    found = helper_name(name)
    assert found is not None
    check_allowed(f, found.declared)


# --- lowering ------------------------------------------------------------------------------------


def _loop(
    f: Function, node: ast.For, kinds: list[str], begin: Callable[..., None],
    call: Callable[[str, str], None],
) -> None:  # fmt: skip
    """Lower the loop: its body into a function of parameters `kinds`, the last one the frame."""
    unit, outer = unit_of(f), f.body
    f.forget(node)
    at_head = f.fork()
    variables, loops, withs = dict(f.variables), f.loops, f.withs
    name = unit.callback_name(f)
    parameters = [f"%given.{i}" for i in range(len(kinds))]
    f.body = inner = Body(f.unit.target)
    inner.use_names_after(outer)
    with unit.callback_scope(f, name, len(kinds)):
        done, broken = inner.name("done"), inner.name("broken")
        loop = Loop(broken, done, [], [])
        before, f.on_return = f.on_return, _returning(f, parameters[-1])
        f.loops, f.withs = [loop], []
        begin(*parameters[:-1])
        f.block(node.body)
        f.on_return = before
        if f.env is not None:
            inner.jump(done)
        _ends(inner, loop, parameters[-1], done, broken)
    f.loops, f.withs, f.body = loops, withs, outer
    f.variables = variables
    f.env = at_head
    outer.use_names_after(inner)
    outer.types[EXIT] = "ptr"
    captured = _free_names(inner, parameters)
    size = _CAPTURED + 8 * len(captured)
    unit.add_callback(
        name, kinds, parameters, _with_captured(inner, parameters[-1], outer, captured)
    )
    frame = outer.alloca(f"[{size} x i8]", 8, "frame")
    outer.emit(f"store i64 0, ptr {frame}, align 8")
    _fill(outer, frame, captured)
    call(symbol(name), frame)
    _after(f, node, frame, bool(loop.broken), f"i64 {RETURNED}" in inner.text())


def _returning(f: Function, frame: str) -> Callable[[str], None]:
    """What `return` does inside: note the result, and end the loop."""

    def leave(text: str) -> None:
        b = f.body
        if f.returns != "void":
            if f.returns.startswith("{"):
                raise Refusal("a tuple returned from inside a long loop", "break, return it after")
            at = b.op(f"getelementptr i8, ptr {frame}, i64 {_WHERE_RESULT}")
            b.emit(f"store {f.returns} {text}, ptr {at}, align 8")
        b.emit(f"store i64 {RETURNED}, ptr {frame}, align 8")
        b.end("ret i64 1")

    return leave


def _ends(b: Body, loop: Loop, frame: str, done: str, broken: str) -> None:
    b.label(done)
    b.end("ret i64 0")
    if loop.broken:
        b.label(broken)
        b.emit(f"store i64 {BROKEN}, ptr {frame}, align 8")
        b.end("ret i64 1")


def _after(f: Function, node: ast.For, frame: str, breaks: bool, returns: bool) -> None:
    """Behind the loop: how it ended."""
    b = f.body
    if not (breaks or returns):
        f.block(node.orelse)
        return
    how = b.op(f"load i64, ptr {frame}, align 8")
    if returns:
        gone, on = b.name("returned"), b.name("on")
        b.end(f"br i1 {b.op(f'icmp eq i64 {how}, {RETURNED}')}, label %{gone}, label %{on}")
        b.label(gone)
        env = f.fork()
        f.unit.leave(f, None)
        at = b.op(f"getelementptr i8, ptr {frame}, i64 {_WHERE_RESULT}")
        f.ret("" if f.returns == "void" else b.op(f"load {f.returns}, ptr {at}, align 8"))
        f.env = env
        b.label(on)
    if node.orelse:
        orelse, end = b.name("else"), b.name("end")
        b.end(f"br i1 {b.op(f'icmp eq i64 {how}, 0')}, label %{orelse}, label %{end}")
        skipped: Env | None = f.fork()
        b.label(orelse)
        f.block(node.orelse)
        if f.env is not None:
            b.jump(end)
        f.env = f.join(f.env, skipped)
        b.label(end)


# --- what the body uses --------------------------------------------------------------------------

_NAME = re.compile(r"%[A-Za-z_][\w.]*")
_LABEL = re.compile(r"label (%[\w.]+)|\[ [^]]*, (%[\w.]+) \]")


def _free_names(b: Body, parameters: list[str]) -> list[str]:
    """Names that a body uses and does not define."""
    defined, used = set(parameters), dict[str, None]()
    for line in [*b.entry, *b.lines]:
        if line.endswith(":"):
            continue
        plain = re.sub(r'c?"[^"]*"', "", line.partition(", !dbg")[0])
        head, equals, rest = plain.strip().partition(" = ")
        if equals and head.startswith("%"):
            defined.add(head)
        labels = {g for m in _LABEL.finditer(plain) for g in m.groups() if g}
        used |= dict.fromkeys(
            n for n in _NAME.findall(rest if equals else plain) if n not in labels
        )
    return [n for n in used if n not in defined]


def _with_captured(b: Body, frame: str, outer: Body, names: list[str]) -> str:
    """The text of the body, with what it captures loaded at its beginning."""
    loads = []
    for i, name in enumerate(names):
        at = f"%captured.{i}"
        loads.append(f"  {at} = getelementptr i8, ptr {frame}, i64 {_CAPTURED + 8 * i}")
        loads.append(f"  {name} = load {outer.type_of(name)}, ptr {at}, align 8")
    b.entry[:0] = loads
    return b.text()


def _fill(b: Body, frame: str, names: list[str]) -> None:
    for i, name in enumerate(names):
        at = b.op(f"getelementptr i8, ptr {frame}, i64 {_CAPTURED + 8 * i}")
        b.emit(f"store {b.type_of(name)} {name}, ptr {at}, align 8")


__all__ = ["MOST", "each_element", "each_record", "many_rounds"]
