"""`print(f"...")`: a format and numbers for the kernel's trace log."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ebee.lang import arith
from ebee.lang.bpf.state import unit_of
from ebee.lang.errors import Refusal, at
from ebee.lang.values import NONE, Value, is_integer, is_ptr, is_struct, name_of
from ebee.types import ArrayType, char, typeof

if TYPE_CHECKING:
    from ebee.lang.function import Function

MOST = 3
"""Values that trace_printk takes."""
MANY = 12
"""Values that trace_vprintk takes (MAX_BPRINTF_VARARGS)."""

_SPECS = {"": "", "d": "", "x": "x", "X": "X", "#x": "x"}


def print_call(f: Function, node: ast.Call) -> Value:
    """Lower a print: one text, or an f-string."""
    if node.keywords or len(node.args) != 1:
        raise Refusal("print takes one text", "print(f'...{value}...')")
    form, operands = _format(f, node.args[0])
    data = form.encode() + b"\0"
    address = unit_of(f).constant_bytes(data)
    if len(operands) <= MOST:
        _call(f, 6, "trace_printk", f"ptr {address}", f"i64 {len(data)}", *operands)
        return NONE
    if len(operands) > MANY:
        raise Refusal(f"print of {len(operands)} values, at most {MANY} are possible")
    slot = f.body.alloca(f"[{len(operands)} x i64]", 8, "values")
    for i, operand in enumerate(operands):
        where = f.body.op(f"getelementptr inbounds i8, ptr {slot}, i64 {8 * i}")
        f.body.emit(f"store {operand}, ptr {where}, align 8")
    size = f"i64 {8 * len(operands)}"
    _call(f, 177, "trace_vprintk", f"ptr {address}", f"i64 {len(data)}", f"ptr {slot}", size)
    return NONE


def _call(f: Function, number: int, name: str, *operands: str) -> None:
    from ebee.helpers import by_id
    from ebee.lang.bpf.intrinsics import check_allowed
    from ebee.lang.bpf.map_calls import helper

    declared = by_id(number)
    assert declared is not None
    check_allowed(f, declared)
    helper(f, number, "i64", *operands)


def _format(f: Function, node: ast.expr) -> tuple[str, list[str]]:
    """The kernel's format of a text, and the operands that go with it."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return _plain(f, node, node.value), []
    if not isinstance(node, ast.JoinedStr):
        raise at(f.source, node, Refusal("print takes a text", "print(f'...{value}...')"))
    form, operands = "", []
    for part in node.values:
        if isinstance(part, ast.FormattedValue):
            spec, operand = _value(f, part)
            form += spec
            operands.append(operand)
        else:
            assert isinstance(part, ast.Constant)
            form += _plain(f, node, str(part.value))
    return form, operands


def _plain(f: Function, node: ast.expr, text: str) -> str:
    if not all(c.isascii() and (c.isprintable() or c.isspace()) for c in text):
        raise at(f.source, node, Refusal("print of letters that are not ASCII"))
    return text.replace("%", "%%")


def _value(f: Function, part: ast.FormattedValue) -> tuple[str, str]:
    """The conversion and the operand of `{value:spec}`."""
    spec = ast.unparse(part.format_spec)[2:-1] if part.format_spec else ""
    value = f.value(part.value)
    try:
        if part.conversion != -1:
            raise Refusal("`!r` and its like in an f-string", "leave it away")
        if isinstance(value.type, ArrayType) and typeof(value.type.elem) is char and not spec:
            return "%s", f"i64 {f.body.op(f'ptrtoint ptr {value.text} to i64')}"
        if is_struct(value.type) or isinstance(value.type, ArrayType):
            way_out = "print its members: " + "{" + f"{ast.unparse(part.value)}.member" + "}"
            raise Refusal(f"a `{name_of(value.type)}` in an f-string", way_out)
        if is_ptr(value.type) and not spec:
            return "%px", f"i64 {f.body.op(f'ptrtoint ptr {value.text} to i64')}"
        if spec not in _SPECS or not is_integer(value.type):
            raise Refusal(f"the format `{spec}` of a `{name_of(value.type)}`", "use {x} or {x:x}")
    except Refusal as refusal:
        raise at(f.source, part.value, refusal) from None
    prefix = "0x" if spec == "#x" else ""
    kind = _SPECS[spec] or ("d" if value.lo < 0 else "u")
    if kind in "xX" and value.lo < 0:
        raise at(
            f.source, part.value,
            Refusal("a number that may be negative in hexadecimal", "convert it: u64(...)"),
        )  # fmt: skip
    return f"{prefix}%ll{kind}", f"i64 {arith.operand(f.body, value, 64)}"
