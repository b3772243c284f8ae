"""Places in memory: loads, stores, members, elements; constant members are folded.

Loads and stores are emitted with the alignment that is certain: one byte on the host, whose
pointers may come from packets.
"""

from __future__ import annotations

from typing import Any

from ebee.lang import arith
from ebee.lang.errors import Refusal
from ebee.lang.ir import Body, symbol
from ebee.lang.known import Known
from ebee.lang.values import (
    NULL,
    NULL_VALUE,
    Type,
    Value,
    constant,
    held,
    is_int,
    is_integer,
    is_ptr,
    is_struct,
    llvm,
    name_of,
    normal_target,
    span,
)
from ebee.types import ArrayType, Field, PtrType, Struct, alignof, fields, sizeof, text_bytes


def alignment(p: Value) -> int:
    """What an address is a multiple of, as far as its type or its making promises."""
    if p.align:
        return p.align
    t = p.type.to if is_ptr(p.type) else p.type
    return 1 if t is None or hasattr(t, "__kernel__") else alignof(t)


def common_alignment(a: Value, b: Value) -> int:
    """What both of two addresses are multiples of."""
    return min(alignment(a), alignment(b)) if is_ptr(a.type) and is_ptr(b.type) else 0


def _align(b: Body, p: Value) -> int:
    """The alignment of a load or store."""
    return alignment(p) if b.target is not None and b.target.aligned else 1


def check_null(p: Value, what: str) -> None:
    """Refuse a pointer that may be null where it must not be."""
    if p.maybe == 2:
        raise Refusal(f"{what} is None here", "use it where it is not None")
    if p.maybe:
        name = what[1:-1] if what.startswith("`") else "p"
        test = f"`if {name} is None: return ...`"
        if not name.isidentifier():
            test = f"`p = {name}`, `if p is None: return ...`, and use `p`"
        raise Refusal(f"{what} may be None here", f"test it first: {test}")


def known_address(t: Type, known: Known, at: int) -> Value:
    """An address inside a constant object."""
    if isinstance(known.symbol, int):
        address = known.symbol + at
        text = f"inttoptr (i64 {address} to ptr)" if address else "null"
        return Value(t, text, known=known if address else None, at=at)
    base = symbol(known.symbol)
    text = f"getelementptr (i8, ptr {base}, i64 {at})" if at else base
    return Value(t, text, known=known, at=at)


def member(b: Body, base: Value, field: Field) -> Value:
    """The address of a member: a pointer to it."""
    t = PtrType(normal_target(field.type))
    if base.known is not None:
        return known_address(t, base.known, base.at + field.offset)
    align = alignment(base)
    if not field.offset:
        return Value(t, base.text, stack=base.stack, align=align, volatile=base.volatile)
    align = min(align, field.offset & -field.offset)
    text = b.op(f"getelementptr nuw i8, ptr {base.text}, i64 {field.offset}")
    _same_place(b, base.text, text)
    return Value(t, text, stack=base.stack, align=align, volatile=base.volatile)


def find_field(t: Type, name: str) -> Field:
    """A member by name; Refusal with the names there are."""
    members = fields(t)
    if name not in members:
        raise Refusal(f"{name_of(t)} has no member `{name}`", f"its members: {', '.join(members)}")
    return members[name]


def element(b: Body, p: Value, index: Value, access: bool) -> Value:
    """The address of element `index` behind a pointer. `access`: it is loaded or stored at once,
    so the sum is an address and does not wrap."""
    to = target(p)
    if not is_integer(index.type):
        raise Refusal(f"`{name_of(index.type)}` is no index")
    if index.constant == 0:
        return p
    size = sizeof(to)
    if p.known is not None and index.constant is not None:
        return known_address(p.type, p.known, p.at + index.constant * size)
    flags = " nusw" if access and index.hi < 1 << 63 else ""
    if p.known is not None and index.lo >= 0 and index.hi * size < 1 << 40:
        flags = " nuw"  # no address of a user is so near the end; so it is none that is null
    text = arith.operand(b, index, 64)
    if _may_become_or(b, p, index, size):
        hide = 'call i64 asm "", "=r,0"(i64 {})'
        if index.lo >= 0 and not index.hi & (index.hi + 1):  # again: LLVM knows of more ranges
            text = b.op(f"and i64 {b.op(hide.format(text))}, {index.hi}")
        text = b.op(hide.format(text))
    unit = llvm(to) if is_int(to) or is_ptr(to) else f"[{size} x i8]"
    text = b.op(f"getelementptr{flags} {unit}, ptr {p.text}, i64 {text}")
    _same_place(b, p.text, text)
    align = min(alignment(p), size & -size) if size else 1
    if index.constant is not None and size:
        step = index.constant * size
        align = min(alignment(p), step & -step)
    return Value(p.type, text, stack=p.stack, align=align, volatile=p.volatile)


def _may_become_or(b: Body, p: Value, index: Value, size: int) -> bool:
    """Whether LLVM may add the index by `or`, which the verifier forbids: so few bytes to an
    address on the stack, whose alignment is known."""
    few = index.constant is None and index.hi * size < 8
    return few and b.target is not None and b.target.aligned and p.text not in b.elsewhere


def _same_place(b: Body, base: str, made: str) -> None:
    if base in b.elsewhere:
        b.elsewhere.add(made)


def array_element(b: Body, array: Value, index: Value) -> Value:
    """The address of an element of an array; the index must be known to be inside."""
    t = array.type
    if not is_integer(index.type):
        raise Refusal(f"`{name_of(index.type)}` is no index")
    if index.hi < 0 or index.lo >= t.count:
        shown = index.lo if index.constant is not None else f"{index.lo}..{index.hi}"
        raise Refusal(f"index {shown} of an array of {t.count}")
    if index.lo < 0 or index.hi >= t.count:
        raise Refusal(
            f"the index may be outside the array of {t.count}: it is {index.lo}..{index.hi}",
            f"compare it first (`if i < {t.count}:`), take `i % {t.count}`, or use `.ptr[i]`,"
            " which is not checked",
        )
    if b.target is not None and b.target.nulls and index.text in b.unfollowed:
        index = _bounded(b, index, t.count)
    first = array._replace(type=PtrType(normal_target(t.elem)))
    return element(b, first, index, access=True)


def _bounded(b: Body, index: Value, count: int) -> Value:
    """An index with a comparison that the kernel's verifier understands, and LLVM, which knows
    the range already, does not see through."""
    kind = llvm(index.type)
    same = b.op(f'call {kind} asm "", "=r,0"({kind} {index.text})')
    inside = b.op(f"icmp ult {kind} {same}, {count}")
    return index._replace(text=b.op(f"select i1 {inside}, {kind} {same}, {kind} 0"))


def target(p: Value) -> Type:
    """What a pointer points to."""
    if p.type.to is None:
        raise Refusal("`null` points to nothing", "give the variable a type: p: ptr[T] = null")
    return p.type.to


def load(b: Body, p: Value, const: bool = False) -> Value:
    """The value at an address: structs and arrays stay where they are."""
    t = target(p)
    if is_struct(t) or isinstance(t, ArrayType):
        return p._replace(type=t)
    result = held(t)
    if const and p.known is not None:
        value = p.known.by_offset.get(p.at)
        if value is not None:
            return _known_value(result, value)
    invariant = ", !invariant.load !{}" if const else ""
    volatile = " volatile" if p.volatile else ""
    text = b.op(f"load{volatile} {llvm(result)}, ptr {p.text}, align {_align(b, p)}{invariant}")
    if is_ptr(t):
        return Value(t, text)
    if t.big:
        text = b.op(f"call {llvm(result)} @llvm.bswap.{llvm(result)}({llvm(result)} {text})")
    if t.width:
        return _bit_field(b, t, text)
    return Value(result, text, *span(result))


def _bit_field(b: Body, t: Any, text: str) -> Value:
    """The value of a bit field in what its unit holds."""
    kind, above = llvm(t), t.bits - t.width - t.shift
    text = b.op(f"shl {kind} {text}, {above}") if above else text
    text = b.op(f"{'ashr' if t.signed else 'lshr'} {kind} {text}, {t.bits - t.width}")
    low, high = (
        (-(1 << t.width - 1), (1 << t.width - 1) - 1) if t.signed else (0, (1 << t.width) - 1)
    )
    return Value(held(t), text, low, high)


def _known_value(t: Type, value: int | Known) -> Value:
    if is_ptr(t):
        known = value if isinstance(value, Known) else Known(value)
        return known_address(t, known, 0)
    if isinstance(value, Known):
        raise Refusal(f"the value given for this member is an object, not a `{name_of(t)}`")
    return constant(t, value)


def store(b: Body, p: Value, value: Value) -> None:
    """Store at an address: integers wrap, structs and arrays are copied."""
    t = target(p)
    if is_int(t):
        arith.check_fits(value, t, "the value")
        value = arith.convert(b, value, held(t))
        text = arith.operand(b, value, t.bits)
        if t.big:
            text = b.op(f"call i{t.bits} @llvm.bswap.i{t.bits}(i{t.bits} {text})")
        if t.width:
            text = _with_bits(b, p, text)
        bits = t.padded or t.bits
        if t.padded:
            text = b.op(f"zext i{t.bits} {text} to i{bits}")
        b.emit(f"store i{bits} {text}, ptr {p.text}, align {_align(b, p)}")
    elif is_ptr(t):
        if not is_ptr(value.type):
            raise Refusal(f"`{name_of(value.type)}` is no pointer, but the place holds one")
        if value.stack:
            raise Refusal(
                "the address of a local struct is stored", "it is gone when the function returns"
            )
        b.emit(f"store ptr {value.text}, ptr {p.text}, align {_align(b, p)}")
    else:
        if value.type != t:
            raise Refusal(f"`{name_of(value.type)}` is stored where `{name_of(t)}` is held")
        copy(b, p, value, sizeof(t))


def _with_bits(b: Body, p: Value, text: str) -> str:
    """A bit field's unit with the field changed."""
    t = target(p)
    kind, mask = llvm(t), (1 << t.width) - 1 << t.shift
    before = b.op(f"load {kind}, ptr {p.text}, align {_align(b, p)}")
    rest = b.op(f"and {kind} {before}, {~mask}")
    placed = b.op(f"shl {kind} {text}, {t.shift}")
    return b.op(f"or {kind} {rest}, {b.op(f'and {kind} {placed}, {mask}')}")


ATOMIC = {"+": "add", "-": "sub", "&": "and", "|": "or", "^": "xor"}
"""Operators that change an atomic place in one step."""


def change(b: Body, p: Value, op: str, value: Value) -> None:
    """`place op= value` of an atomic place."""
    t = target(p)
    if op not in ATOMIC:
        ways = ", ".join(f"{o}=" for o in ATOMIC)
        raise Refusal(f"`{op}=` is no atomic step", f"use {ways}, or a plain member")
    arith.meet(op, Value(held(t), ""), value)
    arith.check_fits(value, t, "the value")
    text = arith.operand(b, arith.convert(b, value, held(t)), t.bits)
    size = sizeof(t)
    b.op(f"atomicrmw {ATOMIC[op]} ptr {p.text}, i{t.bits} {text} monotonic, align {size}")


def set_text(b: Body, p: Value, text: str | bytes) -> None:
    """Store a literal in an array of bytes, zeros behind it."""
    t = target(p)
    data = literal(t, text).ljust(t.count, b"\0")
    for at, size in words(len(data), alignment(p) if b.target and b.target.aligned else 8):
        place = b.op(f"getelementptr inbounds i8, ptr {p.text}, i64 {at}") if at else p.text
        number = int.from_bytes(data[at : at + size], "little")
        b.emit(f"store i{8 * size} {number}, ptr {place}, align {min(size, _align(b, p))}")


def literal(t: Type, text: str | bytes, whole: bool = False) -> bytes:
    """A literal as the first bytes of an array; Refusal when it does not fit."""
    if not isinstance(t, ArrayType):
        raise Refusal(f"a text where a `{name_of(t)}` is held", "text goes into array[char, n]")
    try:
        return text_bytes(t, text, whole)
    except TypeError as e:
        raise Refusal(str(e)) from None


def words(n: int, widest: int) -> list[tuple[int, int]]:
    """Places and sizes of words that make up n bytes, none larger than `widest`."""
    found, at, size = [], 0, min(widest, 8)
    while at < n:
        while size > n - at:
            size //= 2
        found.append((at, size))
        at += size
    return found


def begins_with(b: Body, p: Value, data: bytes) -> Value:
    """Whether the first bytes at an address are these."""
    differ = ""
    for at, size in words(len(data), alignment(p) if b.target and b.target.aligned else 8):
        place = b.op(f"getelementptr inbounds i8, ptr {p.text}, i64 {at}") if at else p.text
        kind, number = f"i{8 * size}", int.from_bytes(data[at : at + size], "little")
        word = b.op(f"load {kind}, ptr {place}, align {min(size, _align(b, p))}")
        other = b.op(f"icmp ne {kind} {word}, {number}")
        differ = b.op(f"or i1 {differ}, {other}") if differ else other
    if not differ:
        return constant(bool, True)
    return Value(bool, b.op(f"xor i1 {differ}, true"), 0, 1)


def same_bytes(b: Body, x: Value, y: Value, n: int) -> Value:
    """Whether n bytes at two addresses are equal."""
    widest = min(alignment(x), alignment(y)) if b.target and b.target.aligned else 8
    differ = ""
    for at, size in words(n, widest):
        kind, parts = f"i{8 * size}", []
        for p in (x, y):
            place = b.op(f"getelementptr inbounds i8, ptr {p.text}, i64 {at}") if at else p.text
            parts.append(b.op(f"load {kind}, ptr {place}, align {min(size, _align(b, p))}"))
        other = b.op(f"icmp ne {kind} {parts[0]}, {parts[1]}")
        differ = b.op(f"or i1 {differ}, {other}") if differ else other
    if not differ:
        return constant(bool, True)
    return Value(bool, b.op(f"xor i1 {differ}, true"), 0, 1)


def copy(b: Body, to: Value, source: Value, size: int) -> None:
    """Copy a struct or array, as if read first and then written."""
    if b.target is None or not b.target.aligned:
        places = f"ptr align 1 {to.text}, ptr align 1 {source.text}"
        b.emit(f"call void @llvm.memmove.p0.p0.i64({places}, i64 {size}, i1 false)")
        return
    # BPF has no memmove, but there two places are the same or apart, as they are of one type;
    # nor has it a memcpy to call, so it must be short enough for LLVM to spell it out.
    aligns = [min(alignment(p), 8) for p in (to, source)]
    step = min(aligns) * _STORES
    for start in range(0, size, step):
        ends = [
            b.op(f"getelementptr inbounds i8, ptr {p.text}, i64 {start}") if start else p.text
            for p in (to, source)
        ]
        places = ", ".join(f"ptr align {a} {t}" for a, t in zip(aligns, ends, strict=True))
        length = min(step, size - start)
        b.emit(f"call void @llvm.memcpy.p0.p0.i64({places}, i64 {length}, i1 false)")


_STORES = 64
"""Stores that a copy may take: LLVM's BPF back end spells out 128 at the most."""


def make(b: Body, t: type[Struct]) -> Value:
    """A zeroed struct on the stack."""
    size, align = sizeof(t), max(alignof(t), 8)
    limit = b.target.stack if b.target is not None else 0
    if limit and size > limit:
        raise Refusal(
            f"a `{name_of(t)}` takes {size} bytes of stack, {limit} are possible",
            "keep it in a map: PerCpuArray[...](max_entries=1) and lookup(0)",
        )
    text = b.alloca(f"[{size} x i8]", align, t.__name__ if t.__name__.isalnum() else "struct")
    if size:
        b.emit(
            f"call void @llvm.memset.p0.i64(ptr align {align} {text}, i8 0, i64 {size}, i1 false)"
        )
    return Value(t, text, stack=True, align=align)


def retype(p: Value, t: Type) -> Value:
    """A pointer as a pointer to another type. One into the kernel's memory that is read directly
    remains one."""
    if p.type is NULL or p.text == "null":
        return NULL_VALUE._replace(type=t)
    if getattr(p.type.to, "untrusted", None) is t.to:
        return p
    return p._replace(type=t)


__all__ = ["array_element", "copy", "element", "find_field", "known_address", "load", "make",
           "member", "retype", "store", "target"]  # fmt: skip
