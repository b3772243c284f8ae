"""Members of the kernel's structs: `task.real_parent.tgid`, `skb.head[i]`, `task.comm`.

A chain of members and elements inside one object is one place, with one CO-RE record; a pointer in
it is loaded, and begins the next. Chains are recognised by their types before anything of them is
lowered.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ebee.btf.ext import CoreKind
from ebee.btf.names import near
from ebee.btf.types import Array, Composite, Enum, Enum64, Int, Member, Ptr
from ebee.lang import arith, memory
from ebee.lang.bpf import contexts, current
from ebee.lang.bpf.core_records import Step
from ebee.lang.bpf.kernel_types import KernelType, is_kernel_pointer, pointee, static_type
from ebee.lang.bpf.map_calls import helper
from ebee.lang.bpf.state import unit_of
from ebee.lang.errors import Refusal
from ebee.lang.source import MISSING
from ebee.lang.static import static
from ebee.lang.values import Value, is_integer, is_ptr, is_struct, llvm, name_of, span
from ebee.types import ArrayType, PtrType, fields, sizeof

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ebee.lang.function import Function

READ, READ_TEXT = 113, 115
"""bpf_probe_read_kernel and bpf_probe_read_kernel_str."""

LONGEST = 256
"""Bytes of an array that are copied to the stack as a whole."""


@dataclass(frozen=True)
class Place:
    """A place in an object of the kernel: `steps` from `root`, which `base` points to. `type`: of
    what is there, in the root's BTF; `member`: the last step, if that is one; `maybe`: whether a
    pointer there may be None."""

    base: Value
    root: KernelType
    steps: tuple[Step, ...]
    type: int
    member: Member | None = None
    maybe: bool = False
    shown: str = ""

    @property
    def bits(self) -> int:
        """The width of a bit field, else 0."""
        return self.root.btf.bitfield(self.member)[1] if self.member is not None else 0


# --- finding places ------------------------------------------------------------------------------


def place_of(f: Function, node: ast.expr) -> Place | None:
    """The place that a chain of members and elements names, if it is one in the kernel. Where
    the chain goes through a pointer, that is loaded."""
    if not isinstance(node, ast.Attribute | ast.Subscript):
        return None
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        return None
    around = _type_of(f, node.value)
    if not isinstance(around, KernelType):
        return None
    inner = _base(f, node.value)
    if isinstance(node, ast.Attribute):
        if node.attr == "ptr" and _find(around, node.attr) is None:
            return None
        return _member(f, inner, node)
    return _element(f, inner, node)


def _base(f: Function, node: ast.expr) -> Place:
    """The place whose member or element is meant, a pointer being followed."""
    found = place_of(f, node)
    if found is not None and not isinstance(found.root.btf.resolve(found.type), Ptr):
        return found
    value = load(f, found) if found is not None else f.value(node)
    return behind(value, ast.unparse(node))


def behind(value: Value, shown: str) -> Place:
    """What a pointer points to."""
    root = value.type.to
    if root.way != "probe":
        memory.check_null(value, f"`{shown}`")
    return Place(value, root, (), root.id, shown=shown)


def _member(f: Function, inner: Place, node: ast.Attribute) -> Place:
    root, btf = inner.root, inner.root.btf
    here = btf.resolve(inner.type)
    if not isinstance(here, Composite):
        raise Refusal(f"`{pointee(btf, inner.type).__name__}` has no member `{node.attr}`")
    if not inner.steps and not root.__kernel__:
        raise Refusal(
            f"`{inner.shown}` is a struct without a name, which CO-RE cannot find again",
            "go to its members from the struct around it, in one expression",
        )
    found = _find(pointee(btf, inner.type), node.attr)
    if found is None:
        raise _no_member(btf, here, node.attr)
    steps, member = found
    known = not (root.way == "context" and here.name.startswith("bpf_iter__"))
    maybe = not (known or member.name == "meta")
    return replace(inner, steps=(*inner.steps, *steps), type=member.type, member=member,
                   maybe=maybe, shown=ast.unparse(node))  # fmt: skip


def _no_member(btf: Any, here: Composite, name: str) -> Refusal:
    close = near(name, (n for n, _ in members_of(btf, here)), 5)
    way_out = f"there is {', '.join(close)}" if close else ""
    if btf.is_opaque(here.id):
        way_out = "its members are not among these types; EBEE_BTF=file names others"
    else:
        way_out += f"{'; ' if way_out else ''}of other kernels: a flavour, {here.name}___other"
    return Refusal(f"`{here.name}` of {btf.name} has no member `{name}`", way_out)


def members_of(btf: Any, here: Composite) -> Iterator[tuple[str, Member]]:
    """All members of a struct with a name, those of structs without one inside it, too."""
    for member in here.members:
        inside = btf.resolve(member.type)
        if member.name:
            yield member.name, member
        elif isinstance(inside, Composite):
            yield from members_of(btf, inside)


def _find(t: KernelType, name: str) -> tuple[tuple[Step, ...], Member] | None:
    """The way to a member, through structs without names; `class_` is what Python cannot say."""
    here = t.btf.resolve(t.id)
    return _seek(t.btf, here, name) or _seek(t.btf, here, name.removesuffix("_"))


def _seek(btf: Any, here: Any, name: str) -> tuple[tuple[Step, ...], Member] | None:
    if not isinstance(here, Composite):
        return None
    for i, member in enumerate(here.members):
        if member.name == name:
            return (Step(here.id, i),), member
    for i, member in enumerate(here.members):
        if not member.name and (found := _seek(btf, btf.resolve(member.type), name)):
            return (Step(here.id, i), *found[0]), found[1]
    return None


def _element(f: Function, inner: Place, node: ast.Subscript) -> Place:
    """An element of an array, or behind a pointer."""
    btf = inner.root.btf
    index = f.value(node.slice)
    if not is_integer(index.type):
        raise Refusal(f"`{name_of(index.type)}` is no index")
    here = btf.resolve(inner.type)
    if not isinstance(here, Array):  # behind a pointer
        if inner.steps:
            raise Refusal(f"`{inner.shown}` has no elements")
        return _behind(f, inner, index)
    if index.constant is not None and index.constant >= 0 and (
        index.constant < here.nelems or not here.nelems
    ):  # fmt: skip
        steps = (*inner.steps, Step(0, index.constant))
        return replace(inner, steps=steps, type=here.type, member=None, shown=ast.unparse(node))
    if here.nelems and (index.lo < 0 or index.hi >= here.nelems):
        raise Refusal(
            f"the index may be outside the array of {here.nelems}: it is {index.lo}..{index.hi}",
            f"compare it first (`if i < {here.nelems}:`), or take `i % {here.nelems}`",
        )
    start = Value(PtrType(pointee(btf, here.type)), address(f, inner), align=8)
    return _behind(f, behind(start, ast.unparse(node.value)), index)


def _behind(f: Function, inner: Place, index: Value) -> Place:
    """Element `index` behind a pointer, read with a helper: the verifier wants constant offsets."""
    if index.constant == 0:
        return inner
    b, root = f.body, inner.root.untrusted
    here = root.btf.resolve(root.id)
    if isinstance(here, Composite):
        from ebee.lang.bpf.core_calls import record

        size = b.op(f"zext i32 {record(f, unit_of(f).core.type(root, CoreKind.TYPE_SIZE))} to i64")
    else:
        size = str(root.btf.sizeof(here.id))
    apart = b.op(f"mul i64 {arith.operand(b, index, 64)}, {size}")
    text = b.op(f"getelementptr i8, ptr {inner.base.text}, i64 {apart}")
    base = Value(PtrType(root), text, align=inner.base.align)
    return Place(base, root, (), root.id, shown=f"{inner.shown}[...]")


# --- types, without lowering ---------------------------------------------------------------------


def _type_of(f: Function, node: ast.expr) -> Any:
    """The KernelType that an expression is a pointer to or a place of; else its type, as far as
    that can be told without lowering it, or None."""
    t = plain_type(f, node)
    return t.to if is_kernel_pointer(t) else t


def plain_type(f: Function, node: ast.expr) -> Any:
    """The type of an expression, as far as it can be told without lowering it."""
    if isinstance(node, ast.Name):
        value = (f.env or {}).get(node.id) if node.id in f.writes else None
        return value.type if value is not None else None
    if isinstance(node, ast.NamedExpr):
        return plain_type(f, node.value)
    if isinstance(node, ast.Call):
        return _call_type(f, node)
    if isinstance(node, ast.Attribute) and static(f, node.value) is current.current:
        return f.type_of(node) if node.attr == "task" else None
    if isinstance(node, ast.Attribute | ast.Subscript):
        return _part_type(f, _type_of(f, node.value), node)
    return None


def _part_type(f: Function, around: Any, node: ast.Attribute | ast.Subscript) -> Any:
    """The type of a member or element of a type."""
    if isinstance(around, KernelType):
        btf = around.btf
        if isinstance(node, ast.Attribute):
            found = _find(around, node.attr)
            return static_or_none(btf, found[1].type) if found is not None else None
        here = btf.resolve(around.id)
        return static_or_none(btf, here.type if isinstance(here, Array) else here.id)
    to = around.to if is_ptr(around) else around
    if isinstance(node, ast.Attribute) and (kernel := contexts.pointed(to, node.attr)):
        return kernel
    if isinstance(node, ast.Attribute) and is_struct(to) and node.attr in fields(to):
        return _declared(fields(to)[node.attr].type)
    if isinstance(node, ast.Subscript):
        from ebee.lang.bpf.maps import AnyMap

        thing = static(f, node.value) if isinstance(node.value, ast.Name | ast.Attribute) else None
        if isinstance(thing, AnyMap):
            return None
        return _declared(to.elem if isinstance(to, ArrayType) else to if is_ptr(around) else None)
    return None


def _declared(t: Any) -> Any:
    from ebee.lang.bpf.kptrs import KptrType
    from ebee.lang.values import normal

    if isinstance(t, KptrType):
        return t
    try:
        return normal(t) if t is not None else None
    except Refusal:
        return None


def static_or_none(btf: Any, id: int) -> Any:
    """What a place holds as a type of programs: an array of numbers as what it is in BTF."""
    if isinstance(btf.resolve(id), Array):
        return pointee(btf, id)
    try:
        return static_type(btf, id)
    except Refusal:
        return None


def _call_type(f: Function, node: ast.Call) -> Any:
    """The type of a call's result: such calls are lowered for it, and thrown away."""
    thing = static(f, node.func)
    if thing is MISSING and not isinstance(node.func, ast.Name):
        return None  # a method of a map, a packet or a struct
    try:
        return f.type_of(node)
    except Exception:  # it is reported when it is lowered
        return None


# --- reading -------------------------------------------------------------------------------------


def attribute(f: Function, node: ast.Attribute) -> Value | None:
    """`p.member` of the kernel as a value, if it is one."""
    found = place_of(f, node)
    if found is not None:
        return load(f, found)
    if node.attr == "ptr" and isinstance(_type_of(f, node.value), KernelType):
        return _address_of(f, _base(f, node.value))
    return None


def subscript(f: Function, node: ast.Subscript) -> Value | None:
    """`p[i]` of the kernel as a value, if it is one."""
    found = place_of(f, node)
    return load(f, found) if found is not None else None


def _address_of(f: Function, found: Place) -> Value:
    """A place as a pointer: to its first element, where it is an array."""
    btf = found.root.btf
    here = btf.resolve(found.type)
    to = here.type if isinstance(here, Array) else found.type
    return Value(PtrType(pointee(btf, to, _way(found))), address(f, found), align=8)


def _way(found: Place) -> Any:
    return "probe" if found.root.way == "probe" else "trusted"


def load(f: Function, found: Place) -> Value:
    """The value at a place: numbers and pointers; structs and arrays of them by their address;
    arrays of numbers as a copy on the stack."""
    btf = found.root.btf
    here = btf.resolve(found.type)
    if isinstance(here, Composite):
        return _address_of(f, found)
    if isinstance(here, Array):
        t = static_type(btf, here.id)
        return _copied(f, found, t) if isinstance(t, ArrayType) else _address_of(f, found)
    t = static_type(btf, found.type, _way(found))
    if found.bits:
        return _bit_field(f, found, t)
    text = _loaded(f, found, llvm(t), sizeof(t))
    if isinstance(here, Ptr):
        return Value(t, text, maybe=int(found.maybe), align=8)
    if isinstance(here, Int) and here.boolean:
        return Value(bool, f.body.op(f"icmp ne i8 {text}, 0"), 0, 1)
    return Value(t, text, *span(t))


def _loaded(f: Function, found: Place, kind: str, size: int) -> str:
    """A number or pointer read from a place."""
    b = f.body
    if found.root.way != "probe":
        return b.op(f"load {kind}, ptr {address(f, found)}, align {size}")
    slot = scratch(f)
    read(f, READ, slot, str(size), address(f, found, False))
    return b.op(f"load {kind}, ptr {slot}, align 8")


def scratch(f: Function) -> str:
    """Eight bytes of the stack that each read uses anew."""
    slots, b = unit_of(f).scratch, f.body
    there = b in slots and any(line.startswith(f"  {slots[b]} = ") for line in b.entry)
    if not there:  # or made by what was only tried
        slots[b] = b.alloca("i64", 8, "read")
    return slots[b]


def read(f: Function, how: int, to: str, size: str, source: str) -> str:
    """Copy from an address of the kernel: where that cannot be read, zeros."""
    from ebee.lang.bpf.intrinsics import check_allowed
    from ebee.lang.bpf.scopes import helper_named

    check_allowed(f, helper_named("probe_read_kernel" + ("_str" if how == READ_TEXT else "")))
    return helper(f, how, "i64", f"ptr {to}", f"i64 {size}", f"ptr {source}")


def _copied(f: Function, found: Place, t: ArrayType) -> Value:
    """An array of numbers as a copy on the stack."""
    size = sizeof(t)
    if not 0 < size <= LONGEST:
        raise Refusal(
            f"`{found.shown}` is an array of {size} bytes, at most {LONGEST} are copied",
            f"take an element, {found.shown}[i], or its address, {found.shown}.ptr",
        )
    slot = f.body.alloca(f"[{size} x i8]", 8, "array")
    read(f, READ, slot, str(size), address(f, found, False))
    return Value(t, slot, stack=True, align=8)


def address(f: Function, found: Place, access: bool = True) -> str:
    """The address of a place. `access`: it is loaded or stored at once, so that the offset may
    become a part of that instruction."""
    if not found.steps:
        return found.base.text
    from ebee.lang.bpf.core_calls import record

    b, unit = f.body, unit_of(f)
    kind = CoreKind.FIELD_BYTE_OFFSET
    symbol = unit.core.field(found.root, found.steps, kind)
    if not access:
        offset = record(f, symbol, "i64")
        return b.op(f"getelementptr i8, ptr {found.base.text}, i64 {offset}")
    offset = b.op(f"load volatile i64, ptr {symbol}, align 8")
    text = b.op(f"getelementptr i8, ptr {found.base.text}, i64 {offset}")
    return unit.core.kept(f, text, "ptr")


def _bit_field(f: Function, found: Place, t: Any) -> Value:
    """A bit field: the word around it, and where the field is in there, are the target's."""
    from ebee.lang.bpf.core_calls import record

    b, core = f.body, unit_of(f).core
    fact = {
        kind: record(f, core.field(found.root, found.steps, kind))
        for kind in (CoreKind.FIELD_BYTE_SIZE, CoreKind.FIELD_LSHIFT_U64, CoreKind.FIELD_RSHIFT_U64)
    }
    size, up, down = (b.op(f"zext i32 {text} to i64") for text in fact.values())
    where = address(f, found, False)
    if found.root.way == "probe":
        slot = scratch(f)
        b.emit(f"store i64 0, ptr {slot}, align 8")
        read(f, READ, slot, size, where)
        word = b.op(f"load i64, ptr {slot}, align 8")
    else:
        word = _word(f, size, where)
    word = b.op(f"{'ashr' if t.signed else 'lshr'} i64 {b.op(f'shl i64 {word}, {up}')}, {down}")
    text = word if t.bits == 64 else b.op(f"trunc i64 {word} to {llvm(t)}")
    return Value(t, text, *span(t))


def _word(f: Function, size: str, where: str) -> str:
    """A word of as many bytes as the loader will say."""
    b = f.body
    end = b.name("word")
    labels = {n: b.name(f"load{n}") for n in (1, 2, 4, 8)}
    cases = " ".join(f"i64 {n}, label %{labels[n]}" for n in (1, 2, 4))
    b.end(f"switch i64 {size}, label %{labels[8]} [ {cases} ]")
    incoming = []
    for n, label in labels.items():
        b.label(label)
        text = b.op(f"load i{8 * n}, ptr {where}, align {n}")
        wide = text if n == 8 else b.op(f"zext i{8 * n} {text} to i64")
        incoming.append(f"[ {wide}, %{b.block} ]")
        b.jump(end)
    b.label(end)
    return b.op(f"phi i64 {', '.join(incoming)}")


def store_text(f: Function, target: ast.expr, value: Value) -> bool:
    """`event.name = dentry.d_name.name`: the text that a pointer of the kernel points to, up to its
    zero byte or as far as there is room; whether it is that."""
    if not is_kernel_pointer(value.type) or not isinstance(target, ast.Attribute):
        return False
    root = value.type.to
    of = root.btf.resolve(root.id)
    to = plain_type(f, target)
    if not (isinstance(of, Int) and of.size == 1 and isinstance(to, ArrayType)):
        return False
    from ebee.lang.expressions import place

    where, const = place(f, target)
    if const or sizeof(to) != to.count:
        raise Refusal("a text of the kernel goes into an array of bytes", "name: array[char, 16]")
    read(f, READ_TEXT, where.text, str(to.count), value.text)
    return True


# --- writing -------------------------------------------------------------------------------------


def writable(f: Function, node: ast.expr) -> Value | None:
    """The address of a number or pointer of the kernel that an assignment changes. Which ones may
    be changed (`tp.snd_cwnd` in a congestion control) the verifier knows."""
    found = place_of(f, node)
    if found is None:
        return None
    here = found.root.btf.resolve(found.type)
    if found.root.way == "probe":
        raise Refusal(
            f"`{found.shown}` is memory of the kernel, which programs read only",
            "struct_ops programs may change some members",
        )
    if found.bits or not isinstance(here, Int | Enum | Enum64):
        raise Refusal(f"`{found.shown}` cannot be assigned", "only whole numbers can")
    t = static_type(found.root.btf, found.type)
    return Value(PtrType(t), address(f, found), align=sizeof(t))


__all__ = ["READ", "READ_TEXT", "Place", "address", "attribute", "behind", "load",
           "place_of", "plain_type", "read", "store_text", "subscript", "writable"]  # fmt: skip
