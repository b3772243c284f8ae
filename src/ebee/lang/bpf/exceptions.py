"""Exceptions of the kernel (bpf_throw, since Linux 6.7): `raise Throw(cookie)` ends the program
from wherever it is, also from separate functions, and callers need not look at anything.

    @func(separate=True)
    def failed(cookie: u64) -> u64:
        print(f"failed: {cookie}")
        return XDP.DROP

    @exception_callback(failed)
    @xdp
    def program(ctx: XdpContext) -> XDP:

What the callback gives is the program's result; without one the cookie is. Nothing that has to be
given back may be held (`with` blocks give back what they took).
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from ebee.errors import CompileError
from ebee.lang import arith
from ebee.lang.errors import Refusal, at
from ebee.lang.values import is_int, is_integer, name_of

if TYPE_CHECKING:
    from ebee.lang.function import Function

F = TypeVar("F", bound=Callable[..., Any])

THROW = "bpf_throw"
TAG = "exception_callback:"


class Throw(Exception):
    """Ends a program: `raise Throw(7)`. Its callback is given the number; without one it is the
    program's result."""

    def __init__(self, cookie: int):
        super().__init__(cookie)
        self.cookie = cookie


def exception_callback(function: Callable[[Any], int]) -> Callable[[F], F]:
    """What runs when a program throws: a function of a number, marked @func(separate=True). It
    gives the program's result. Above the decorator of the hook. Since Linux 6.7."""
    if not getattr(function, "__separate__", False):
        name = getattr(function, "__name__", repr(function))
        raise CompileError(f"`{name}` runs by itself\nway out: mark it @func(separate=True)")

    def mark(f: F) -> F:
        f.__exception__ = function  # type: ignore[attr-defined]
        return f

    return mark


def raise_(f: Function, node: ast.Raise, arguments: list[ast.expr]) -> None:
    """Lower `raise Throw(cookie)`."""
    from ebee.lang.bpf import kfuncs, references

    if len(arguments) != 1:
        raise Refusal("`Throw` takes a number for the callback", "raise Throw(1)")
    cookie = f.value(arguments[0])
    if not is_integer(cookie.type):
        raise Refusal(f"`Throw` takes a number, not a `{name_of(cookie.type)}`")
    if f.on_return is not None:
        message = "`raise Throw` inside a loop whose rounds the kernel calls"
        raise Refusal(message, "break, and raise it behind the loop")
    thrower = references.function(THROW)
    kfuncs.check_allowed(f, thrower)
    f.unit.leave(f, None)
    kfuncs.emit(f, thrower, [f"i64 {arith.operand(f.body, cookie, 64)}"])
    f.ret()  # nobody comes here
    f.env = None


def check(source: Any, params: list[tuple[str, Any]], result: Any) -> None:
    """Refuse a callback that is no function of a number that gives one."""
    if [is_integer(t) for _, t in params] != [True] or not (is_int(result) or result is int):
        message = "an exception's callback is given a number, and gives the program's result"
        way_out = f"def {source.name}(cookie: u64) -> u64:"
        raise at(source, source.tree, Refusal(message, way_out))


__all__ = ["TAG", "Throw", "check", "exception_callback", "raise_"]
