"""Calls of contexts and packets: the cursor's moves, in the shape that the verifier knows."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from ebee.lang import arith, memory
from ebee.lang.bpf.packets import PARSERS, Packet
from ebee.lang.bpf.state import unit_of
from ebee.lang.calls import call_native, one_argument, type_argument
from ebee.lang.errors import Refusal
from ebee.lang.values import (
    FunctionRef,
    Value,
    constant,
    is_integer,
    is_struct,
    name_of,
)
from ebee.types import PtrType, fields, sizeof, u8, u32

if TYPE_CHECKING:
    from ebee.hooks import CtxField
    from ebee.lang.function import Function

MOST = 0xFFFF
"""Bytes that the cursor may move at once: the verifier follows packets no further."""

_BYTES = PtrType(u8)

_HIDE = 'call ptr asm "", "=r,0"(ptr {}) nounwind willreturn memory(none)'
"""A pointer as one of which LLVM knows nothing."""


def context_field(f: Function, name: str, write: bool = False) -> CtxField:
    """A member of the context at the current hook; Refusal when the hook has none of that name,
    or programs cannot `write` it."""
    hook, attach_type = unit_of(f).hook, unit_of(f).attach_type
    members = [m for m in hook.fields if not m.at or attach_type in m.at]
    for field in members:
        if field.name == name:
            if write and not _can_change(field, attach_type):
                changed = (m.name for m in members if _can_change(m, attach_type))
                writable = ", ".join(changed) or "none"
                raise Refusal(
                    f"{hook.name} programs cannot change `{name}` of their context",
                    f"members that they can change: {writable}",
                )
            return field
    names = ", ".join(field.name for field in members)
    raise Refusal(f"the context of a {hook.name} program has no member `{name}`", f"it has {names}")


def _can_change(field: CtxField, attach_type: int | None) -> bool:
    return field.write and (not field.write_at or attach_type in field.write_at)


def context_pointer(f: Function, ctx: Value, name: str) -> Value:
    """`ctx.data` and its like: 32 bits in the context that stand for a pointer."""
    field = context_field(f, name)
    at = f.body.op(f"getelementptr inbounds i8, ptr {ctx.text}, i64 {field.offset}")
    debug = unit_of(f).debug
    if field.size == 8:
        text = f.body.op(f"load ptr, ptr {at}, align 8, !nonnull {debug.node('!{}')}")
        return Value(_BYTES, text)
    # never null: without that knowledge LLVM tests it again wherever a header was found
    some = debug.node("!{i32 1, i32 0}")
    low = f.body.op(f"load i32, ptr {at}, align 4, !range {some}")
    wide = f.body.op(f"zext i32 {low} to i64")
    return Value(_BYTES, f.body.op(f"inttoptr i64 {wide} to ptr", name))


def packet(f: Function, node: ast.Call, ctx: Value) -> Value:
    """`ctx.packet()`."""
    if node.args or node.keywords:
        raise Refusal("`packet` takes no arguments")
    hook = unit_of(f).hook
    found = {m.kind: m.name for m in hook.fields}
    if "packet" not in found:
        raise Refusal(f"a {hook.name} program has no packet")
    made = Value(Packet, f.body.alloca("[2 x ptr]", 8, "packet"), stack=True, align=8)
    for kind, member in (("packet", "at"), ("packet_end", "end")):
        memory.store(f.body, _member(f, made, member), context_pointer(f, ctx, found[kind]))
    return made


def _member(f: Function, cursor: Value, name: str) -> Value:
    return memory.member(f.body, cursor, fields(Packet)[name])


def parse(f: Function, node: ast.Call, cursor: Value) -> Value:
    """`packet.parse(Header)`."""
    header = type_argument(f, one_argument(node))
    own = PARSERS.get(header)
    if own is None:
        return take(f, node, cursor)
    name = ast.copy_location(ast.Name(" packet", ast.Load()), node)
    call = ast.copy_location(ast.Call(node.func, [name], []), node)
    result: Value = f.with_local(" packet", cursor, lambda: call_native(f, call, FunctionRef(own)))
    return result


def take(f: Function, node: ast.Call, cursor: Value) -> Value:
    """`packet.take(Header)`."""
    header = type_argument(f, one_argument(node))
    if not is_struct(header):
        raise Refusal(f"`{name_of(header)}` is no header", "define it as a @struct class")
    missing, text = _advance(f, cursor, constant(int, sizeof(header)))
    f.body.elsewhere.add(text)
    f.body.nulls[text] = missing
    return Value(PtrType(header), text, maybe=1)


def skip(f: Function, node: ast.Call, cursor: Value) -> Value:
    """`packet.skip(n)`."""
    size = f.value(one_argument(node))
    if not is_integer(size.type):
        raise Refusal(f"`{name_of(size.type)}` is no number of bytes")
    if size.lo < 0 or size.hi > MOST:
        raise Refusal(
            f"the number of bytes may be {size.lo}..{size.hi}, more than {MOST}",
            "bound it: packet.skip(n & 0x7ff), or packet.skip(min(n, u32(1500)))",
        )
    missing, _ = _advance(f, cursor, size)
    return Value(bool, f.body.op(f"xor i1 {missing}, true"), 0, 1)


def _advance(f: Function, cursor: Value, size: Value) -> tuple[str, str]:
    """Move a cursor if there are so many bytes: whether there were too few, and where it was, or
    null then.

    LLVM does not see what both are where there were too few, so that they remain what this path
    chose. It would choose again where they are used (a base and one of two offsets, null or not),
    by comparing again with the packet's end; and of that the verifier forgets how it went.
    """
    b = f.body
    at, end = (_member(f, cursor, name) for name in ("at", "end"))
    start, last = memory.load(b, at).text, memory.load(b, end).text
    behind = b.op(f"getelementptr inbounds i8, ptr {start}, i64 {arith.operand(b, size, 64)}")
    missing = b.op(f"icmp ugt ptr {behind}, {last}")
    stays, moves, on = (b.name(n) for n in ("short", "enough", "parsed"))
    b.end(f"br i1 {missing}, label %{stays}, label %{moves}")
    b.label(moves)
    b.emit(f"store ptr {behind}, ptr {at.text}, align 8")
    b.jump(on)
    b.label(stays)
    same, null = (b.op(_HIDE.format(p)) for p in (start, "null"))
    b.emit(f"store ptr {same}, ptr {at.text}, align 8")
    b.jump(on)
    b.label(on)
    return missing, b.op(f"phi ptr [ {null}, %{stays} ], [ {start}, %{moves} ]")


def remaining(f: Function, node: ast.Call, cursor: Value) -> Value:
    """`packet.remaining()`."""
    if node.args or node.keywords:
        raise Refusal("`remaining` takes no arguments")
    b = f.body
    at, end = (memory.load(b, _member(f, cursor, name)).text for name in ("at", "end"))
    left, right = (b.op(f"ptrtoint ptr {p} to i64") for p in (end, at))
    size = b.op(f"sub i64 {left}, {right}")
    return Value(u32, b.op(f"trunc i64 {size} to i32"), 0, MOST)


METHODS: dict[str, Any] = {"parse": parse, "take": take, "skip": skip, "remaining": remaining}
