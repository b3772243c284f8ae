"""What programs ask of the kernel that they are loaded into: `exists(task.loginuid)`,
`enum_value(...)`, `sizeof(task_struct)`; and pointers into its memory: `cast`, `container_of`."""

from __future__ import annotations

import ast
from collections.abc import Callable
from enum import IntEnum
from typing import TYPE_CHECKING, Any, TypeVar

from ebee import native, types
from ebee.btf.ext import CoreKind
from ebee.btf.types import Enumeration
from ebee.lang import arith
from ebee.lang.bpf import externs, members
from ebee.lang.bpf.kernel_types import KernelType, is_kernel_pointer
from ebee.lang.bpf.state import unit_of
from ebee.lang.calls import one_argument, type_argument
from ebee.lang.errors import Refusal, at
from ebee.lang.source import MISSING
from ebee.lang.static import static
from ebee.lang.values import NONE, Value, is_integer, is_ptr, name_of, span
from ebee.types import PtrType, i64, u32, u64

if TYPE_CHECKING:
    from ebee.btf import Btf
    from ebee.lang.bpf.members import Place
    from ebee.lang.function import Function

T = TypeVar("T")


def exists(thing: object) -> bool:
    """Whether the kernel that the program is loaded into has a member (`exists(task.loginuid)`),
    a type (`exists(bpf_iter_num)`), an enumerator (`exists(bpf_map_type.BPF_MAP_TYPE_ARENA)`), a
    kernel function or a symbol. What is not there may not be used where this is not asked first."""
    raise TypeError("exists asks about the kernel that a program is loaded into")


def enum_value(enumerator: int) -> int:
    """The value that an enumerator has in the kernel that the program is loaded into."""
    raise TypeError("enum_value asks about the kernel that a program is loaded into")


def container_of(member: object, struct: type[T], name: str) -> T:
    """The struct that a member lies in: `container_of(sk, tcp_sock, "inet_conn.icsk_inet.sk")`."""
    raise TypeError("container_of is for pointers into the kernel's memory")


def record(f: Function, symbol: str, kind: str = "i32") -> str:
    """The value of a record: a number that the loader puts in. It stays where it is, for that of
    what does not exist is an instruction that must not be reached."""
    text = f.body.op(f"load volatile {kind}, ptr {symbol}, align {int(kind[1:]) // 8}")
    return unit_of(f).core.kept(f, text, kind)


# --- exists --------------------------------------------------------------------------------------


def _exists(f: Function, node: ast.Call) -> Value:
    argument = one_argument(node)
    thing = static(f, argument)
    core = unit_of(f).core
    if isinstance(thing, KernelType):
        return _flag(f, core.type(thing, CoreKind.TYPE_EXISTS))
    if isinstance(thing, IntEnum):
        return _flag(f, _enumerator(f, thing, CoreKind.ENUMVAL_EXISTS))
    if isinstance(argument, ast.Name) and (extern := externs.named(f, argument.id)) is not None:
        thing = extern
    weak = getattr(thing, "__exists__", None)
    if weak is not None:
        found: Value = weak(f)
        return found
    place = named(f, argument)
    if place is None or not place.steps:
        raise Refusal(
            f"`{ast.unparse(argument)}` is nothing that kernels have or have not",
            "exists(task.loginuid), of a type, an enumerator or a kernel function",
        )
    return _flag(f, core.field(place.root, place.steps, CoreKind.FIELD_EXISTS))


def named(f: Function, node: ast.expr) -> Place | None:
    """The place that an expression names, without going there."""
    found: list[Place | None] = []

    def go() -> Value:
        found.append(members.place_of(f, node))
        return NONE

    f.tried(go)
    return found[0]


def _flag(f: Function, symbol: str) -> Value:
    return Value(bool, f.body.op(f"icmp ne i32 {record(f, symbol)}, 0"), 0, 1)


def _enumerator(f: Function, member: IntEnum, kind: CoreKind) -> str:
    where: tuple[Btf, int] | None = getattr(type(member), "__btf__", None)
    if where is None:
        raise Refusal(f"{type(member).__name__} is no enumeration of the kernel",
                      "from ebee.vmlinux import bpf_map_type")  # fmt: skip
    found = where[0].type(where[1])
    assert isinstance(found, Enumeration)
    names = [v.name for v in found.values]
    return unit_of(f).core.enumerator(*where, names.index(member.name), kind)


def _enum_value(f: Function, node: ast.Call) -> Value:
    argument = one_argument(node)
    thing = static(f, argument)
    if not isinstance(thing, IntEnum):
        raise Refusal(f"`{ast.unparse(argument)}` is no enumerator",
                      "enum_value(bpf_map_type.BPF_MAP_TYPE_HASH)")  # fmt: skip
    text = record(f, _enumerator(f, thing, CoreKind.ENUMVAL_VALUE), "i64")
    where = type(thing).__btf__  # type: ignore[attr-defined]
    t = i64 if where[0].type(where[1]).signed else u64
    return Value(t, text, *span(t))


# --- sizes, pointers -----------------------------------------------------------------------------


def _sizeof(f: Function, node: ast.Call) -> Value:
    thing = static(f, one_argument(node))
    if isinstance(thing, KernelType):
        symbol = unit_of(f).core.type(thing, CoreKind.TYPE_SIZE)
        return Value(u32, record(f, symbol), *span(u32))
    return _default(types.sizeof, f, node)


def _offsetof(f: Function, node: ast.Call) -> Value:
    thing = static(f, node.args[0]) if node.args else MISSING
    if not isinstance(thing, KernelType):
        return _default(types.offsetof, f, node)
    if len(node.args) != 2 or node.keywords:
        raise Refusal("offsetof takes a struct and the name of a member")
    return Value(u64, _offset(f, thing, node.args[1]), *span(u64))


def _offset(f: Function, t: KernelType, node: ast.expr) -> str:
    """Where a member is: `a.b[2].c`, written as text."""
    text = node.value if isinstance(node, ast.Constant) else None
    if not isinstance(text, str) or not text:
        raise at(f.source, node, Refusal("the member is named by a text", '"se.vruntime"'))
    try:
        path = ast.parse(f"_.{text}", mode="eval").body
    except SyntaxError:
        raise at(f.source, node, Refusal(f"{text!r} is no member")) from None
    for part in ast.walk(path):
        ast.copy_location(part, node)
    start = Value(PtrType(t.trusted), "poison")
    name = ast.copy_location(ast.Name(" struct", ast.Load()), node)
    inside = _Rename(name).visit(path)
    try:
        place: Place | None = f.with_local(" struct", start, lambda: named(f, inside))
    except Refusal as refusal:
        raise at(f.source, node, refusal) from None
    if place is None or place.base.text != "poison":
        raise at(f.source, node, Refusal(f"{text!r} is no place inside {t.__name__}"))
    symbol = unit_of(f).core.field(place.root, place.steps, CoreKind.FIELD_BYTE_OFFSET)
    return record(f, symbol, "i64")


class _Rename(ast.NodeTransformer):
    def __init__(self, to: ast.Name):
        self.to = to

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return self.to if node.id == "_" else node


def _cast(f: Function, node: ast.Call) -> Value:
    """`cast(task_struct, x)`: an address (a number, too) as a pointer of the kernel, whose memory
    is read with a helper."""
    if len(node.args) != 2 or node.keywords:
        return _default(native.cast, f, node)
    t = type_argument(f, node.args[0])
    if not is_kernel_pointer(t):
        return _default(native.cast, f, node)
    value = f.value(node.args[1])
    if is_ptr(value.type):
        same = is_kernel_pointer(value.type) and _essential(t) == _essential(value.type)
        if same and value.type.to.way != "probe":  # another flavour of the same struct
            t = PtrType(t.to.trusted)
        return Value(t, value.text, align=8)
    if not is_integer(value.type):
        raise Refusal(f"a `{name_of(value.type)}` is no address")
    number = arith.operand(f.body, arith.convert(f.body, value, u64), 64)
    return Value(t, f.body.op(f"inttoptr i64 {number} to ptr"), align=8)


def _essential(t: PtrType) -> str:
    name: str = t.to.__kernel__
    return name.partition("___")[0]


def _container_of(f: Function, node: ast.Call) -> Value:
    if len(node.args) != 3 or node.keywords:
        raise Refusal("container_of takes a pointer, a struct and the name of a member",
                      'container_of(node, task_struct, "tasks")')  # fmt: skip
    t = type_argument(f, node.args[1])
    if not is_kernel_pointer(t):
        raise at(f.source, node.args[1], Refusal(f"`{name_of(t)}` is no struct of the kernel"))
    inside = node.args[0]
    if (whole := _whole(f, inside, t.to, node.args[2])) is not None:
        return whole
    value = f.value(inside)
    if not is_kernel_pointer(value.type):
        raise at(f.source, inside, Refusal(f"`{name_of(value.type)}` is no pointer into it"))
    b = f.body
    offset = _offset(f, t.to, node.args[2])
    text = b.op(f"getelementptr i8, ptr {value.text}, i64 {b.op(f'sub i64 0, {offset}')}")
    return Value(t, text, align=8)


def _whole(f: Function, node: ast.expr, t: KernelType, path: ast.expr) -> Value | None:
    """`p` of `container_of(p.a.b, T, "a.b")` where p is a pointer to T: it remains what it is."""
    name = path.value if isinstance(path, ast.Constant) else None
    steps = str(name).split(".")
    while steps and isinstance(node, ast.Attribute) and node.attr.rstrip("_") == steps[-1]:
        node, _ = node.value, steps.pop()
    if steps or not is_kernel_pointer(f.type_of(node)):
        return None
    value = f.value(node)
    return value if value.type.to.untrusted is t.untrusted else None


def _default(thing: Any, f: Function, node: ast.Call) -> Value:
    from ebee.lang.intrinsics import INTRINSICS

    return INTRINSICS[thing](f, node)


CALLS: dict[Any, Callable[[Function, ast.Call], Value]] = {
    exists: _exists, enum_value: _enum_value, container_of: _container_of, native.cast: _cast,
    types.sizeof: _sizeof, types.offsetof: _offsetof,
}  # fmt: skip

__all__ = ["CALLS", "container_of", "enum_value", "exists", "record"]
