"""Integers: the rules of `ebee.types` as LLVM instructions, with ranges.

A result is computed exactly and wrapped to the operands' common type. Plain integers have no
width, so nothing of them may ever wrap: an operation whose result may leave 64 bits is refused.
Ranges also say which guards (divisor zero, shift past the width) are not needed.
"""

from __future__ import annotations

import operator
from collections.abc import Callable

from ebee.lang.errors import Refusal
from ebee.lang.ir import Body
from ebee.lang.values import (
    Type,
    Value,
    bits_of,
    constant,
    fits64,
    is_int,
    is_integer,
    is_ptr,
    llvm,
    name_of,
    span,
    wrap,
)
from ebee.types import common

Range = tuple[int, int]


# --- conversions ---------------------------------------------------------------------------------


def operand(b: Body, v: Value, bits: int) -> str:
    """The operand with its value wrapped to a width."""
    if v.constant is not None:
        low = v.constant & ((1 << bits) - 1)
        return str(low - (1 << bits) if low >> (bits - 1) and bits > 1 else low)
    have = bits_of(v.type)
    if have == bits:
        return v.text
    if have > bits:
        return b.op(f"trunc i{have} {v.text} to i{bits}")
    how = "sext" if v.lo < 0 else "zext"
    return b.op(f"{how} i{have} {v.text} to i{bits}")


def convert(b: Body, v: Value, t: Type) -> Value:
    """`t(v)`: an integer or pointer wrapped to an integer type; what does not fit a plain integer
    is refused."""
    if is_ptr(v.type):
        if t is bool:
            return truth(b, v)
        wide = Value(int, b.op(f"ptrtoint ptr {v.text} to i64"), 0, (1 << 64) - 1)
        return convert(b, wide, t)
    if not is_integer(v.type):
        raise Refusal(f"`{name_of(v.type)}` does not become `{name_of(t)}`")
    if v.type is t:
        return v._replace(member=0) if v.member else v
    if t is bool:
        return truth(b, v)
    if v.constant is not None:
        return constant(t, v.constant)
    if t is int:
        return Value(int, operand(b, v, 64), v.lo, v.hi)
    lo, hi = span(t)
    inside = lo <= v.lo and v.hi <= hi
    return Value(t, operand(b, v, t.bits), *((v.lo, v.hi) if inside else (lo, hi)))


def check_fits(v: Value, t: Type, what: str) -> None:
    """Refuse a plain int that no value of a fixed-width type is, with a sign or without: cutting
    it is never meant."""
    if v.type is not int or not is_int(t):
        return
    bits = t.width or t.bits
    if v.lo >= 1 << bits or v.hi < -(1 << bits - 1):
        shown = v.lo if v.constant is not None else f"{v.lo}..{v.hi}"
        t, width = getattr(t, "host", t), t.width
        name = f"{bits} bits" if width else name_of(t)
        way_out = f"use a wider type, or say that it is cut: {name_of(t)}(...)"
        if width:
            way_out = f"use a wider field, or say what is kept: ... & {(1 << bits) - 1:#x}"
        raise Refusal(f"{what} is {shown}, which does not fit {name}", way_out)


def truth(b: Body, v: Value) -> Value:
    """`bool(v)`."""
    if v.type is bool:
        return v
    if is_ptr(v.type) or v.maybe:
        if v.known is not None or v.text == "null":
            return constant(bool, v.known is not None)
        return Value(bool, b.op(f"xor i1 {b.is_null(v.text)}, true"), 0, 1)
    if not is_integer(v.type):
        raise Refusal(
            f"a value of type `{name_of(v.type)}` is no condition", "compare a member of it"
        )
    return compare(b, "!=", v, constant(int, 0))


# --- arithmetic ----------------------------------------------------------------------------------


def _corners(f: Callable[[int, int], int], x: Value, y: Value) -> Range:
    results = [f(a, b) for a in (x.lo, x.hi) for b in (y.lo, y.hi)]
    return min(results), max(results)


def _bit_range(x: Value, y: Value) -> Range:
    """Of or and xor."""
    width = max(n.bit_length() for n in (x.lo, x.hi, y.lo, y.hi))
    return (0 if min(x.lo, y.lo) >= 0 else -(1 << width)), (1 << width) - 1


def _and_range(x: Value, y: Value) -> Range:
    bounds = [v.hi for v in (x, y) if v.lo >= 0]
    return (0, min(bounds)) if bounds else _bit_range(x, y)


def _div_range(x: Value, y: Value) -> Range:
    if y.lo <= 0 <= y.hi:  # by zero gives 0, by -1 the largest number
        most = max(abs(x.lo), abs(x.hi))
        return (0 if x.lo >= 0 and y.lo >= 0 else -most), most
    return _corners(operator.floordiv, x, y)


def _mod_range(x: Value, y: Value) -> Range:
    lo, hi = min(y.lo + 1, 0), max(y.hi - 1, 0)  # the result has the divisor's sign
    if y.lo <= 0 <= y.hi:  # by zero leaves the dividend
        return min(lo, x.lo), max(hi, x.hi)
    if x.lo >= 0 and y.lo > 0:
        hi = min(hi, x.hi)
    return lo, hi


RANGES: dict[str, Callable[[Value, Value], Range]] = {
    "+": lambda x, y: (x.lo + y.lo, x.hi + y.hi),
    "-": lambda x, y: (x.lo - y.hi, x.hi - y.lo),
    "*": lambda x, y: _corners(operator.mul, x, y),
    "//": _div_range,
    "%": _mod_range,
    "&": _and_range,
    "|": _bit_range,
    "^": _bit_range,
}

EXACT: dict[str, Callable[[int, int], int]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "&": operator.and_,
    "|": operator.or_, "^": operator.xor,
    "//": lambda a, b: a // b if b else 0,
    "%": lambda a, b: a % b if b else a,
}  # fmt: skip

_PLAIN = (int, bool)


def binary(b: Body, op: str, x: Value, y: Value) -> Value:
    """`x op y` of two integers."""
    for v in (x, y):
        if not is_integer(v.type):
            raise Refusal(f"`{op}` does not go with `{name_of(v.type)}`")
    if op in ("<<", ">>"):
        return _shift(b, op, x, y)
    t = meet(op, x, y)
    if t is not int:
        if op in ("//", "%") and b.target is not None and b.target.strict:
            _check_operands(op, x, y, t)
        x, y = convert(b, x, t), convert(b, y, t)
    elif op in ("//", "%") and y.lo <= 0 <= y.hi:
        raise Refusal(
            "a plain int may be divided by zero here",
            "give the operands a type: u64(x) // 0 is 0 and u64(x) % 0 is x",
        )
    if x.constant is not None and y.constant is not None:
        return constant(t, EXACT[op](x.constant, y.constant))
    lo, hi = RANGES[op](x, y)
    if t is int:
        check_plain(op, lo, hi)
        if op in ("//", "%") and min(x.lo, y.lo) < 0 and max(x.hi, y.hi) >= 1 << 63:
            raise Refusal(
                f"`{op}` of plain ints, one of which may be negative and one over 2**63",
                "convert them to one type first: i64(x)",
            )
        text = _emit(b, op, x, y, 64, "")
        return Value(int, text, lo, hi)
    first, last = span(t)
    inside = first <= lo and hi <= last
    flags = ""
    if op in "+-*" and inside:
        flags = " nsw" if t.signed else " nuw"
    text = _emit(b, op, x, y, bits_of(t), flags)
    return Value(t, text, *((lo, hi) if inside else (first, last)))


def _check_operands(op: str, x: Value, y: Value, t: Type) -> None:
    """Refuse a division in which a constant would become another number first. (With the other
    operators that makes no difference to the bits that remain.)"""
    first, last = span(t)
    for v in (x, y):
        if v.type is int and (v.lo > last or v.hi < first):
            raise Refusal(
                f"`{op}` of a `{name_of(t)}` and {v.lo}, which is none",
                "convert the other operand to a type that holds both: i64(x)",
            )


def meet(op: str, x: Value, y: Value) -> Type:
    """The type of a result; Refusal where the two do not mix."""
    if x.type is bool and y.type is bool and op in "&|^":
        return bool
    if x.type in _PLAIN:
        return int if y.type in _PLAIN else y.type
    if y.type in _PLAIN:
        return x.type
    try:
        return common(x.type, y.type)
    except TypeError:
        a, c = name_of(x.type), name_of(y.type)
        raise Refusal(
            f"{a} and {c} do not mix", f"convert one of them: {a}(...) or {c}(...)"
        ) from None


def check_plain(op: str, lo: int, hi: int) -> None:
    """Refuse a result that may leave 64 bits."""
    if not fits64(lo, hi):
        raise _leaves(op)


def _leaves(op: str) -> Refusal:
    return Refusal(
        f"the result of `{op}` is a plain int that may leave 64 bits",
        "give it a type that wraps: convert an operand, u64(...), or start with x = u64(0)",
    )


_SIMPLE = {"+": "add", "-": "sub", "*": "mul", "&": "and", "|": "or", "^": "xor"}


def _emit(b: Body, op: str, x: Value, y: Value, bits: int, flags: str) -> str:
    xs, ys, t = operand(b, x, bits), operand(b, y, bits), f"i{bits}"
    if op in _SIMPLE:
        return b.op(f"{_SIMPLE[op]}{flags} {t} {xs}, {ys}")
    power = y.constant is not None and y.constant > 0 and y.constant & (y.constant - 1) == 0
    if power and op == "%":
        return b.op(f"and {t} {xs}, {y.lo - 1}")
    if power:
        return b.op(f"{'ashr' if x.lo < 0 else 'lshr'} {t} {xs}, {y.lo.bit_length() - 1}")
    if x.lo >= 0 and y.lo >= 0:
        return _unsigned_division(b, op, xs, y, ys, t)
    return _floor_division(b, op, x, xs, y, ys, bits)


def _unsigned_division(b: Body, op: str, xs: str, y: Value, ys: str, t: str) -> str:
    what = "udiv" if op == "//" else "urem"
    if y.lo > 0:
        result = b.op(f"{what} {t} {xs}, {ys}")
        b.unfollowed.add(result)
        return result
    zero = b.op(f"icmp eq {t} {ys}, 0")
    safe = b.op(f"select i1 {zero}, {t} 1, {t} {ys}")
    result = b.op(f"{what} {t} {xs}, {safe}")
    return b.op(f"select i1 {zero}, {t} {'0' if op == '//' else xs}, {t} {result}")


def _floor_division(b: Body, op: str, x: Value, xs: str, y: Value, ys: str, bits: int) -> str:
    """Rounding down; divisors 0 and -1 (where the quotient may overflow) go their own way."""
    t = f"i{bits}"
    if b.target is not None and not b.target.sdiv:
        return _floor_division_unsigned(b, op, x, xs, y, ys, t)
    odd = y.lo <= 0 <= y.hi or y.lo <= -1 <= y.hi
    if odd:
        zero = b.op(f"icmp eq {t} {ys}, 0")
        minus = b.op(f"icmp eq {t} {ys}, -1")
        either = b.op(f"or i1 {zero}, {minus}")
        safe = b.op(f"select i1 {either}, {t} 1, {t} {ys}")
    else:
        safe = ys
    rest = b.op(f"srem {t} {xs}, {safe}")
    signs = b.op(f"xor {t} {rest}, {safe}")
    differ = b.op(f"icmp slt {t} {signs}, 0")
    some = b.op(f"icmp ne {t} {rest}, 0")
    adjust = b.op(f"and i1 {some}, {differ}")
    if op == "%":
        up = b.op(f"add {t} {rest}, {safe}")
        result = b.op(f"select i1 {adjust}, {t} {up}, {t} {rest}")
        return b.op(f"select i1 {zero}, {t} {xs}, {t} {result}") if odd else result
    quotient = b.op(f"sdiv {t} {xs}, {safe}")
    one = b.op(f"sext i1 {adjust} to {t}")
    result = b.op(f"add {t} {quotient}, {one}")
    if not odd:
        return result
    opposite = b.op(f"sub {t} 0, {xs}")
    other = b.op(f"select i1 {zero}, {t} 0, {t} {result}")
    return b.op(f"select i1 {minus}, {t} {opposite}, {t} {other}")


def _floor_division_unsigned(b: Body, op: str, x: Value, xs: str, y: Value, ys: str, t: str) -> str:
    """Rounding down where only unsigned numbers can be divided."""

    def absolute(v: Value, text: str) -> tuple[str, str]:
        """Whether a number is negative, and without its sign."""
        if v.lo >= 0:
            return "false", text
        below = b.op(f"icmp slt {t} {text}, 0")
        negated = b.op(f"sub {t} 0, {text}")
        return below, b.op(f"select i1 {below}, {t} {negated}, {t} {text}")

    (x_below, ax), (y_below, ay) = absolute(x, xs), absolute(y, ys)
    zero = b.op(f"icmp eq {t} {ys}, 0")
    safe = b.op(f"select i1 {zero}, {t} 1, {t} {ay}")
    quotient = b.op(f"udiv {t} {ax}, {safe}")
    rest = b.op(f"urem {t} {ax}, {safe}")
    differ = b.op(f"xor i1 {x_below}, {y_below}")
    some = b.op(f"icmp ne {t} {rest}, 0")
    up = b.op(f"and i1 {differ}, {some}")
    if op == "//":
        more = b.op(f"zext i1 {up} to {t}")
        floor = b.op(f"add {t} {quotient}, {more}")
        negated = b.op(f"sub {t} 0, {floor}")
        result = b.op(f"select i1 {differ}, {t} {negated}, {t} {floor}")
        return b.op(f"select i1 {zero}, {t} 0, {t} {result}")
    other = b.op(f"sub {t} {safe}, {rest}")
    size = b.op(f"select i1 {up}, {t} {other}, {t} {rest}")
    negated = b.op(f"sub {t} 0, {size}")
    result = b.op(f"select i1 {y_below}, {t} {negated}, {t} {size}")
    return b.op(f"select i1 {zero}, {t} {xs}, {t} {result}")


def _shift(b: Body, op: str, x: Value, count: Value) -> Value:
    """Shifts; past the width they give 0, or -1 for a negative number shifted right."""
    if count.lo < 0:
        if count.hi < 0:
            raise Refusal("a shift by a negative count")
        raise Refusal(
            f"the shift count is `{name_of(count.type)}`, which may be negative",
            "convert it: u32(n)",
        )
    t = int if x.type is bool else x.type
    if t is int:
        x = convert(b, x, int)
    bits = bits_of(t)
    most = min(count.hi, 64 if t is int else bits)
    least = min(count.lo, most)
    f = operator.lshift if op == "<<" else operator.rshift
    if x.constant is not None and count.constant is not None and count.constant <= 4096:
        return constant(t, f(x.constant, count.constant))
    if t is int and op == "<<":
        most = count.hi if x.lo or x.hi else 0
        check_plain(op, x.lo << min(most, 65), x.hi << min(most, 65))
    lo, hi = _corners(f, x, Value(int, "", least, most))
    first, last = span(t)
    if t is not int and not (first <= lo and hi <= last):
        lo, hi = first, last
    return Value(t, _emit_shift(b, op, x, count, bits), lo, hi)


def _emit_shift(b: Body, op: str, x: Value, count: Value, bits: int) -> str:
    t, signed = f"i{bits}", x.lo < 0
    xs = operand(b, x, bits)
    what = "shl" if op == "<<" else "ashr" if signed else "lshr"
    if count.hi < bits:
        return b.op(f"{what} {t} {xs}, {operand(b, count, bits)}")
    inside = compare(b, "<", count, constant(int, bits))
    n = operand(b, count, bits)
    if what == "ashr":
        if inside.constant is not None:
            n = str(bits - 1)
        else:
            n = b.op(f"select i1 {inside.text}, {t} {n}, {t} {bits - 1}")
        return b.op(f"ashr {t} {xs}, {n}")
    if inside.constant is not None:
        return "0"
    shifted = b.op(f"{what} {t} {xs}, {n}")
    return b.op(f"select i1 {inside.text}, {t} {shifted}, {t} 0")


def unary(b: Body, op: str, x: Value) -> Value:
    """`-x`, `+x`, `~x`, and `abs`."""
    t = int if x.type is bool else x.type
    if not is_integer(t):
        raise Refusal(f"`{op}` does not go with `{name_of(t)}`")
    x = convert(b, x, t)
    minus_one, zero = constant(t, -1), constant(t, 0)
    if op == "+":
        return x
    if op == "-":
        return binary(b, "-", zero, x)
    if op == "~":
        return binary(b, "-" if t is int else "^", minus_one, x)
    if x.lo >= 0:
        return x
    negative = binary(b, "-", zero, x)
    if x.hi < 0 or x.constant is not None:
        return negative
    below = b.op(f"icmp slt {llvm(t)} {x.text}, 0")
    text = b.op(f"select i1 {below}, {llvm(t)} {negative.text}, {llvm(t)} {x.text}")
    lo, hi = 0, max(-x.lo, x.hi)
    return Value(t, text, *((lo, hi) if hi <= span(t)[1] or t is int else span(t)))


# --- comparisons ---------------------------------------------------------------------------------

COMPARE: dict[str, Callable[[int, int], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
MIRROR = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}
_PREDICATE = {"<": "lt", "<=": "le", ">": "gt", ">=": "ge"}


def compare(b: Body, op: str, x: Value, y: Value) -> Value:
    """`x op y` of the values of two integers, whatever their types."""
    decided = _decide(op, x, y)
    if decided is not None:
        return constant(bool, decided)
    bits = max(_width(x), _width(y))
    signed = x.lo < 0 or y.lo < 0
    if signed and max(x.hi, y.hi) >= 1 << (bits - 1):  # one has a sign, the other needs the top bit
        if bits == 64:
            return _compare_mixed(b, op, x, y)
        bits *= 2
    predicate = ("s" if signed else "u") + _PREDICATE[op] if op in _PREDICATE else _EQUAL[op]
    xs, ys = operand(b, x, bits), operand(b, y, bits)
    return Value(bool, b.op(f"icmp {predicate} i{bits} {xs}, {ys}"), 0, 1)


_EQUAL = {"==": "eq", "!=": "ne"}


def _width(v: Value) -> int:
    """The width at which a value is compared; a constant takes the least that holds it."""
    n = v.constant
    if n is None:
        return bits_of(v.type)
    needed = n.bit_length() if n >= 0 else (~n).bit_length() + 1
    return next((w for w in (1, 8, 16, 32) if needed <= w), 64)


def _decide(op: str, x: Value, y: Value) -> bool | None:
    """The answer where the ranges give it."""
    if op in ("==", "!="):
        if x.hi < y.lo or y.hi < x.lo:
            return op == "!="
        return op == "==" if x.lo == x.hi == y.lo == y.hi else None
    if op in (">", ">="):
        op, x, y = MIRROR[op], y, x
    if COMPARE[op](x.hi, y.lo):
        return True
    return None if COMPARE[op](x.lo, y.hi) else False


def _compare_mixed(b: Body, op: str, x: Value, y: Value) -> Value:
    """Two 64-bit numbers, one with a sign and one without."""
    if x.lo >= 0:
        op, x, y = MIRROR[op], y, x
    xs, ys = operand(b, x, 64), operand(b, y, 64)
    predicate = "u" + _PREDICATE[op] if op in _PREDICATE else _EQUAL[op]
    among = b.op(f"icmp {predicate} i64 {xs}, {ys}")
    if op in ("<", "<=", "!="):
        below = b.op(f"icmp slt i64 {xs}, 0")
        return Value(bool, b.op(f"or i1 {below}, {among}"), 0, 1)
    above = b.op(f"icmp sge i64 {xs}, 0")
    return Value(bool, b.op(f"and i1 {above}, {among}"), 0, 1)


def narrowed(op: str, x: Value, y: Value) -> Value:
    """x where `x op y` is known to hold."""
    lo, hi = x.lo, x.hi
    if op in ("<", "<="):
        hi = min(hi, y.hi - (op == "<"))
    elif op in (">", ">="):
        lo = max(lo, y.lo + (op == ">"))
    elif op == "==":
        lo, hi = max(lo, y.lo), min(hi, y.hi)
    elif y.lo == y.hi:
        lo, hi = lo + (lo == y.lo), hi - (hi == y.lo)
    return x if lo > hi else x._replace(lo=lo, hi=hi)


__all__ = [
    "COMPARE", "MIRROR", "OPPOSITE", "binary", "check_fits", "check_plain", "compare", "convert",
    "is_int", "narrowed", "operand", "truth", "unary", "wrap",
]  # fmt: skip
