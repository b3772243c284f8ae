"""The functions of `ebee.native` and the builtins that the compiler knows, each with a handler."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from ebee import native, types
from ebee.lang import arith, memory
from ebee.lang.calls import one_argument, type_argument
from ebee.lang.errors import Refusal, at
from ebee.lang.values import (
    NONE,
    TupleType,
    Type,
    Value,
    constant,
    held,
    is_int,
    is_integer,
    is_ptr,
    is_struct,
    llvm,
    member_of,
    name_of,
    span,
)
from ebee.types import ArrayType, Int, PtrType, offsetof, sizeof, u8, u16, u32, u64

if TYPE_CHECKING:
    from ebee.lang.function import Function
    from ebee.lang.ir import Body

Handler = Callable[["Function", ast.Call], Value]
INTRINSICS: dict[Any, Handler] = {}
H = TypeVar("H", bound=Callable[..., Value])


def intrinsic(*things: Any) -> Callable[[Handler], Handler]:
    """Register a handler that looks at the call itself."""

    def register(handler: Handler) -> Handler:
        for thing in things:
            INTRINSICS[thing] = handler
        return handler

    return register


def simple(thing: Any, *kinds: str) -> Callable[[H], H]:
    """Register a handler that takes values: `kinds` are "ptr", "int" or the name of a type."""

    def register(handler: H) -> H:
        def lower(f: Function, node: ast.Call) -> Value:
            if node.keywords or len(node.args) != len(kinds):
                count = len(node.args) + len(node.keywords)
                raise Refusal(f"`{thing.__name__}` takes {len(kinds)} arguments, not {count}")
            return handler(f, *[_take(f, a, k) for a, k in zip(node.args, kinds, strict=True)])

        INTRINSICS[thing] = lower
        return handler

    return register


_TYPES: dict[str, type[Int]] = {"u8": u8, "u16": u16, "u32": u32, "u64": u64}


def _take(f: Function, node: ast.expr, kind: str) -> Value:
    if kind in _TYPES:
        return f.as_type(node, _TYPES[kind], "the argument")
    value = f.value(node)
    if kind == "ptr" and not is_ptr(value.type):
        hint = "take its address: .ptr" if is_struct(value.type) else ""
        raise at(f.source, node, Refusal(f"`{name_of(value.type)}` is no pointer", hint))
    if kind == "int" and not is_integer(value.type):
        raise at(f.source, node, Refusal(f"`{name_of(value.type)}` is no integer"))
    return value


# --- types ---------------------------------------------------------------------------------------


def _measure(thing: Callable[[Any], int]) -> None:
    def handler(f: Function, node: ast.Call) -> Value:
        return constant(int, thing(type_argument(f, one_argument(node))))

    INTRINSICS[thing] = handler


_measure(types.sizeof)
_measure(types.alignof)


@intrinsic(types.offsetof)
def _offsetof(f: Function, node: ast.Call) -> Value:
    if len(node.args) != 2 or not isinstance(node.args[1], ast.Constant):
        raise Refusal("offsetof takes a struct and the name of a member", 'offsetof(S, "member")')
    t = type_argument(f, node.args[0])
    if not is_struct(t):
        raise Refusal(f"`{name_of(t)}` has no members")
    memory.find_field(t, str(node.args[1].value))
    return constant(int, offsetof(t, str(node.args[1].value)))


@intrinsic(native.cast)
def _cast(f: Function, node: ast.Call) -> Value:
    if len(node.args) != 2 or node.keywords:
        raise Refusal("cast takes a type and a value", "cast(ptr[u32], p)")
    t = type_argument(f, node.args[0])
    if is_int(t):
        return f.as_type(node.args[1], held(t), "the value")
    value = f.value(node.args[1])
    if not isinstance(t, PtrType):
        raise Refusal(f"cast to `{name_of(t)}`", f"cast(ptr[{name_of(t)}], p)[0]")
    if not is_ptr(value.type):
        hint = "take its address: .ptr" if is_struct(value.type) else ""
        raise Refusal("only a pointer can become a pointer: integers carry no memory", hint)
    return memory.retype(value, t)


# --- builtins ------------------------------------------------------------------------------------


@intrinsic(builtins.len)
def _len(f: Function, node: ast.Call) -> Value:
    value = f.value(one_argument(node))
    if isinstance(value.type, ArrayType):
        return constant(int, value.type.count)
    if isinstance(value.type, TupleType):
        return constant(int, len(value.elems))
    raise Refusal(f"a `{name_of(value.type)}` has no length")


@intrinsic(builtins.abs)
def _abs(f: Function, node: ast.Call) -> Value:
    return arith.unary(f.body, "abs", f.value(one_argument(node)))


def _least(name: str, sign: str) -> None:
    def handler(f: Function, node: ast.Call) -> Value:
        if len(node.args) < 2 or node.keywords:
            raise Refusal(f"{name} takes two or more values")
        result, *others = (f.value(a) for a in node.args)
        for other in others:
            if result.type != other.type or not is_integer(result.type):
                names = f"`{name_of(result.type)}` and `{name_of(other.type)}`"
                raise Refusal(f"{name} of {names}", "convert them to one integer type")
            result = _choose(f, sign, result, other)
        return result

    INTRINSICS[getattr(builtins, name)] = handler


_least("min", "<")
_least("max", ">")


def _choose(f: Function, sign: str, x: Value, y: Value) -> Value:
    """y if y is less (greater) than x, else x: the first of equals, as Python has it."""
    take_y = arith.compare(f.body, sign, y, x)
    pick = min if sign == "<" else max
    if take_y.constant is not None:
        return y if take_y.constant else x
    t, bits = llvm(x.type), int(llvm(x.type)[1:])
    xs, ys = arith.operand(f.body, x, bits), arith.operand(f.body, y, bits)
    text = f.body.op(f"select i1 {take_y.text}, {t} {ys}, {t} {xs}")
    lo, hi = pick(x.lo, y.lo), pick(x.hi, y.hi)
    return Value(x.type, text, lo, hi, member=member_of((x, y)))


# --- memory --------------------------------------------------------------------------------------


def _length(f: Function, n: Value) -> str:
    if n.lo < 0:
        way_out = "convert it: u64(n)" if n.constant is None else ""
        raise Refusal(f"the length is `{name_of(n.type)}`, which may be negative", way_out)
    return arith.operand(f.body, n, 64)


@simple(native.memcpy, "ptr", "ptr", "int")
def _memcpy(f: Function, to: Value, source: Value, n: Value) -> Value:
    return _copy(f, "memcpy", to, source, n)


@simple(native.memmove, "ptr", "ptr", "int")
def _memmove(f: Function, to: Value, source: Value, n: Value) -> Value:
    return _copy(f, "memmove", to, source, n)


def _copy(f: Function, name: str, to: Value, source: Value, n: Value) -> Value:
    if n.constant != 0:
        length = _length(f, n)
        places = f"ptr {to.text}, ptr {source.text}"
        f.body.emit(f"call void @llvm.{name}.p0.p0.i64({places}, i64 {length}, i1 false)")
    return NONE


@simple(native.memset, "ptr", "u8", "int")
def _memset(f: Function, to: Value, byte: Value, n: Value) -> Value:
    if n.constant != 0:
        value = arith.operand(f.body, byte, 8)
        length = _length(f, n)
        f.body.emit(
            f"call void @llvm.memset.p0.i64(ptr {to.text}, i8 {value}, i64 {length}, i1 false)"
        )
    return NONE


INLINE_COMPARE = 128
"""Up to this many bytes memeq compares words in line."""


@simple(native.memeq, "ptr", "ptr", "int")
def _memeq(f: Function, x: Value, y: Value, n: Value) -> Value:
    b, length = f.body, _length(f, n)
    if n.constant == 0:
        return constant(bool, True)
    if n.constant is None or n.constant > INLINE_COMPARE:
        different = b.op(f"call i32 @bcmp(ptr {x.text}, ptr {y.text}, i64 {length})")
        return Value(bool, b.op(f"icmp eq i32 {different}, 0"), 0, 1)
    words = []
    widest = f"i{_words(n.constant)[0][1] * 8}"
    for at_, size in _words(n.constant):
        places = [_behind(f, p, at_) for p in (x, y)]
        left, right = (b.op(f"load i{size * 8}, ptr {p}, align 1") for p in places)
        word = b.op(f"xor i{size * 8} {left}, {right}")
        words.append(
            word if f"i{size * 8}" == widest else b.op(f"zext i{size * 8} {word} to {widest}")
        )
    different = words[0]
    for word in words[1:]:
        different = b.op(f"or {widest} {different}, {word}")
    return Value(bool, b.op(f"icmp eq {widest} {different}, 0"), 0, 1)


def _words(n: int) -> list[tuple[int, int]]:
    """Places and sizes of loads that cover n bytes; the last may overlap the one before."""
    size = next(s for s in (8, 4, 2, 1) if s <= n)
    found = [(i, size) for i in range(0, n - size + 1, size)]
    rest = n % size
    if rest:
        last = next(s for s in (1, 2, 4, 8) if s >= rest)
        found.append((n - last, last))
    return found


def _behind(f: Function, p: Value, n: int) -> str:
    return f.body.op(f"getelementptr i8, ptr {p.text}, i64 {n}") if n else p.text


@simple(native.byte_offset, "ptr", "int")
def _byte_offset(f: Function, p: Value, n: Value) -> Value:
    return memory.element(f.body, memory.retype(p, PtrType(u8)), n, access=False)


# --- atomics -------------------------------------------------------------------------------------


def _cell(p: Value, pointers: bool = False) -> Type:
    """The type of what an atomic operation works on."""
    t = memory.target(p)
    if pointers and is_ptr(t):
        return t
    if not is_int(t) or t.big or t.bits < 32:
        allowed = "32- and 64-bit integers" + (" and pointers" if pointers else "")
        raise Refusal(f"atomics work on {allowed}, not on `{name_of(t)}`")
    return t


def _cell_value(f: Function, t: Type, value: Value) -> str:
    if is_ptr(t):
        if not is_ptr(value.type):
            raise Refusal(f"`{name_of(value.type)}` is no pointer, but the place holds one")
        return value.text
    if not is_integer(value.type):
        raise Refusal(f"`{name_of(value.type)}` is no integer")
    return arith.operand(f.body, arith.convert(f.body, value, t), t.bits)


def _old(t: Type, text: str) -> Value:
    return Value(t, text, *((0, 0) if is_ptr(t) else span(t)))


@simple(native.atomic_load, "ptr")
def _atomic_load(f: Function, p: Value) -> Value:
    t = _cell(p, pointers=True)
    text = f.body.op(f"load atomic {llvm(t)}, ptr {p.text} acquire, align {sizeof(t)}")
    return _old(t, text)


@simple(native.atomic_store, "ptr", "any")
def _atomic_store(f: Function, p: Value, value: Value) -> Value:
    t = _cell(p, pointers=True)
    text = _cell_value(f, t, value)
    f.body.emit(f"store atomic {llvm(t)} {text}, ptr {p.text} release, align {sizeof(t)}")
    return NONE


def _read_modify_write(thing: Any, op: str) -> None:
    def handler(f: Function, p: Value, value: Value) -> Value:
        t = _cell(p, pointers=op == "xchg")
        text = _cell_value(f, t, value)
        order = f"seq_cst, align {sizeof(t)}"
        return _old(t, f.body.op(f"atomicrmw {op} ptr {p.text}, {llvm(t)} {text} {order}"))

    simple(thing, "ptr", "any")(handler)


for _thing, _op in {
    native.atomic_add: "add", native.atomic_sub: "sub", native.atomic_or: "or",
    native.atomic_and: "and", native.atomic_xchg: "xchg",
}.items():  # fmt: skip
    _read_modify_write(_thing, _op)


@simple(native.atomic_cas, "ptr", "any", "any")
def _atomic_cas(f: Function, p: Value, expected: Value, value: Value) -> Value:
    t = _cell(p, pointers=True)
    if is_int(t) and is_integer(expected.type):
        lo, hi = span(t)
        if not (lo <= expected.lo and expected.hi <= hi):
            raise Refusal(
                f"the expected value may be no `{name_of(t)}`, so it would never be there",
                f"convert it: {name_of(t)}(...)",
            )
    old, new = _cell_value(f, t, expected), _cell_value(f, t, value)
    kind, order = llvm(t), f"seq_cst seq_cst, align {sizeof(t)}"
    pair = f.body.op(f"cmpxchg ptr {p.text}, {kind} {old}, {kind} {new} {order}")
    return Value(bool, f.body.op(f"extractvalue {{ {kind}, i1 }} {pair}, 1"), 0, 1)


def _fence(thing: Any, order: str) -> None:
    def handler(f: Function) -> Value:
        f.body.emit(f"fence {order}")
        return NONE

    simple(thing)(handler)


_fence(native.acquire_fence, "acquire")
_fence(native.release_fence, "release")


@simple(native.cpu_relax)
def _cpu_relax(f: Function) -> Value:
    f.body.emit(f.unit.target.relax)
    return NONE


# --- bits and numbers ----------------------------------------------------------------------------


def _product(b: Body, x: Value, y: Value) -> tuple[str, str]:
    """The product of two numbers of 64 bits, and its high half as 128 bits."""
    wide = [b.op(f"zext i64 {arith.operand(b, v, 64)} to i128") for v in (x, y)]
    product = b.op(f"mul nuw i128 {wide[0]}, {wide[1]}")
    return product, b.op(f"lshr i128 {product}, 64")


@simple(native.mulhi, "u64", "u64")
def _mulhi(f: Function, x: Value, y: Value) -> Value:
    if x.constant is not None and y.constant is not None:
        return constant(u64, x.constant * y.constant >> 64)
    _, high = _product(f.body, x, y)
    return Value(u64, f.body.op(f"trunc i128 {high} to i64"), *span(u64))


@simple(native.mulfold, "u64", "u64")
def _mulfold(f: Function, x: Value, y: Value) -> Value:
    if x.constant is not None and y.constant is not None:
        return constant(u64, int(native.mulfold(x.constant, y.constant)))
    b = f.body
    low, high = (b.op(f"trunc i128 {half} to i64") for half in _product(b, x, y))
    return Value(u64, b.op(f"xor i64 {low}, {high}"), *span(u64))


@simple(native.opaque, "u32")
def _opaque(f: Function, x: Value) -> Value:
    v = arith.operand(f.body, x, 32)
    return Value(u32, f.body.op(f'call i32 asm "", "=r,0"(i32 {v})'), *span(u32))


def _rotate(f: Function, t: type[Int], x: Value, n: Value) -> Value:
    kind, v, by = llvm(t), arith.operand(f.body, x, t.bits), arith.operand(f.body, n, t.bits)
    return Value(
        t,
        f.body.op(f"call {kind} @llvm.fshl.{kind}({kind} {v}, {kind} {v}, {kind} {by})"),
        *span(t),
    )


@simple(native.rotl32, "u32", "int")
def _rotl32(f: Function, x: Value, n: Value) -> Value:
    return _rotate(f, u32, x, n)


@simple(native.rotl64, "u64", "int")
def _rotl64(f: Function, x: Value, n: Value) -> Value:
    return _rotate(f, u64, x, n)


def _count_zeros(f: Function, name: str, x: Value) -> Value:
    v = arith.operand(f.body, x, 64)
    count = f.body.op(f"call i64 @llvm.{name}.i64(i64 {v}, i1 false)")
    return Value(u32, f.body.op(f"trunc i64 {count} to i32"), 0, 64)


@simple(native.clz64, "u64")
def _clz64(f: Function, x: Value) -> Value:
    return _count_zeros(f, "ctlz", x)


@simple(native.ctz64, "u64")
def _ctz64(f: Function, x: Value) -> Value:
    return _count_zeros(f, "cttz", x)


def _swap(thing: Any, t: type[Int]) -> None:
    def handler(f: Function, x: Value) -> Value:
        if x.constant is not None:
            return constant(t, int.from_bytes(x.constant.to_bytes(t.size, "little"), "big"))
        kind = llvm(t)
        return Value(t, f.body.op(f"call {kind} @llvm.bswap.{kind}({kind} {x.text})"), *span(t))

    simple(thing, t.__name__)(handler)


_swap(native.bswap16, u16)
_swap(native.bswap32, u32)
_swap(native.bswap64, u64)


# --- the outside ---------------------------------------------------------------------------------


@simple(native.host_clock, "int")
def _host_clock(f: Function, clock: Value) -> Value:
    """clock_gettime(2); a clock that does not exist stands at 0."""
    b = f.body
    at_ = b.alloca("[2 x i64]", 8, "timespec")
    b.emit(f"store [2 x i64] zeroinitializer, ptr {at_}, align 8")
    b.op(f"call i32 @clock_gettime(i32 {arith.operand(b, clock, 32)}, ptr {at_})")
    seconds = b.op(f"load i64, ptr {at_}, align 8")
    part = b.op(f"getelementptr nuw i8, ptr {at_}, i64 8")
    nanoseconds = b.op(f"load i64, ptr {part}, align 8")
    scaled = b.op(f"mul i64 {seconds}, 1000000000")
    return Value(u64, b.op(f"add i64 {scaled}, {nanoseconds}"), *span(u64))
