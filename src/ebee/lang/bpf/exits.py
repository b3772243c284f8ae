"""`raise` and `assert`: the program ends at once, from wherever it is.

    raise Exit(XDP.DROP)        with that result
    assert length >= 20         with the hook's word for "something is wrong": XDP.ABORTED,
    raise ValueError            TC.SHOT, -EPERM of an LSM program, 0 elsewhere

    raise Throw(7)              by the kernel, with a callback of the program's: see exceptions

There are no exceptions that could be caught. A function that raises says so in a place of the
program's own, which its callers look at; when all is inlined nothing of that remains.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ebee.errors import EbeeError
from ebee.lang import arith
from ebee.lang.bpf import exceptions
from ebee.lang.bpf.exceptions import Throw
from ebee.lang.bpf.results import wrong
from ebee.lang.calls import EXIT
from ebee.lang.conditions import branch
from ebee.lang.errors import Refusal
from ebee.lang.static import static
from ebee.lang.values import Value, constant, is_integer, name_of
from ebee.types import i64

if TYPE_CHECKING:
    from ebee.lang.function import Function

PLACE = EXIT
"""Two numbers: whether the program ends (1: with a result, 2: without), and the result."""


class Exit(Exception):
    """Ends a program: `raise Exit(XDP.DROP)`."""

    def __init__(self, result: int):
        super().__init__(result)
        self.result = result


def raise_(f: Function, node: ast.Raise) -> None:
    """Lower a `raise`."""
    thrown = node.exc
    if thrown is None or node.cause is not None:
        raise Refusal("`raise` without an exception, or from another one", "raise Exit(XDP.DROP)")
    kind = static(f, thrown.func if isinstance(thrown, ast.Call) else thrown)
    if not (isinstance(kind, type) and issubclass(kind, Exception)) or issubclass(kind, EbeeError):
        raise Refusal(f"`{ast.unparse(thrown)}` is no exception", "raise Exit(XDP.DROP)")
    arguments = thrown.args if isinstance(thrown, ast.Call) else []
    if kind is Throw:
        exceptions.raise_(f, node, arguments)
        return
    if kind is not Exit:
        if not all(isinstance(a, ast.Constant) for a in arguments):
            raise Refusal("an exception with values: nobody could see them", "raise ValueError")
        _end(f, None)
        return
    if len(arguments) != 1 or (isinstance(thrown, ast.Call) and thrown.keywords):
        raise Refusal("`Exit` takes the result of the program", "raise Exit(XDP.DROP)")
    result = f.value(arguments[0])
    if not is_integer(result.type):
        raise Refusal(f"a program returns a number, not a `{name_of(result.type)}`")
    arith.check_fits(result, f.kept or i64, "the result")
    _end(f, arith.convert(f.body, result, i64))


def assert_(f: Function, node: ast.Assert) -> None:
    """Lower an `assert`: decided when compiling, or the end of the program where it fails."""
    b = f.body
    yes, no = b.name("holds"), b.name("fails")
    holds, fails = branch(f, node.test, yes, no)
    if holds is None:
        raise Refusal(f"assertion failed: {ast.unparse(node.msg or node.test)}")
    if fails is not None:
        b.label(no)
        f.env = fails
        _end(f, None)
    b.label(yes)
    f.env = holds


def check(f: Function, holds: Value) -> None:
    """The end of the program unless something holds."""
    b, env = f.body, f.env
    yes, no = b.name("holds"), b.name("fails")
    b.end(f"br i1 {holds.text}, label %{yes}, label %{no}")
    b.label(no)
    f.env = dict(env or {})
    _end(f, None)
    b.label(yes)
    f.env = env


def _end(f: Function, result: Value | None) -> None:
    """End the program from here."""
    from ebee.lang.bpf.state import unit_of

    b = f.body
    f.unit.leave(f, None)
    if unit_of(f).is_entry(f):
        unit = unit_of(f)
        otherwise = constant(i64, wrong(unit.hook, unit.attach_type))
        _finish(f, arith.operand(b, result or otherwise, 64))
        return
    f.raises = True
    code = arith.operand(b, result, 64) if result is not None else "0"
    behind = b.op(f"getelementptr inbounds i8, ptr {PLACE}, i64 8")
    b.emit(f"store i64 {code}, ptr {behind}, align 8")
    b.emit(f"store i64 {1 if result is not None else 2}, ptr {PLACE}, align 8")
    f.ret()
    f.env = None


def _finish(f: Function, code: str) -> None:
    """Return from the program with 64 bits."""
    if f.returns != "i64":
        code = f.body.op(f"trunc i64 {code} to {f.returns}")
    f.ret(code)
    f.env = None


def after_call(f: Function) -> None:
    """Go on only if the function just called has not raised."""
    from ebee.lang.bpf.state import unit_of

    b, f.raises = f.body, True
    raised, more = b.name("raised"), b.name("more")
    flag = b.op(f"load i64, ptr {PLACE}, align 8")
    b.end(f"br i1 {b.op(f'icmp eq i64 {flag}, 0')}, label %{more}, label %{raised}")
    b.label(raised)
    env = f.fork()
    f.unit.leave(f, None)
    if unit_of(f).is_entry(f):
        behind = b.op(f"getelementptr inbounds i8, ptr {PLACE}, i64 8")
        code = b.op(f"load i64, ptr {behind}, align 8")
        given = b.op(f"icmp eq i64 {flag}, 1")
        otherwise = wrong(unit_of(f).hook, unit_of(f).attach_type)
        _finish(f, b.op(f"select i1 {given}, i64 {code}, i64 {otherwise}"))
    else:
        f.ret()
    f.env = env
    b.label(more)


def begin_program(f: Function) -> None:
    """Room for how a program ends, if functions that it calls raise."""
    if f.raises:
        f.body.entry += [
            f"  {PLACE} = alloca [2 x i64], align 8", f"  store i64 0, ptr {PLACE}, align 8",
        ]  # fmt: skip


__all__ = ["PLACE", "Exit", "after_call", "assert_", "begin_program", "check", "raise_"]
