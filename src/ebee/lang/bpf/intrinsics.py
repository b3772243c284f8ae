"""Calls that only BPF has: the kernel's helpers, atomic operations on places, print."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ebee import native
from ebee.helpers import Helper, Param, by_name
from ebee.lang import arith, memory
from ebee.lang.bpf import map_calls, text
from ebee.lang.bpf.contexts import Context
from ebee.lang.bpf.maps import AnyMap
from ebee.lang.bpf.sockets import POINTED
from ebee.lang.bpf.state import unit_of
from ebee.lang.calls import one_argument, type_argument
from ebee.lang.errors import Refusal, at
from ebee.lang.expressions import place
from ebee.lang.values import (
    NONE,
    Constant,
    FunctionRef,
    Value,
    constant,
    is_int,
    is_integer,
    is_ptr,
    is_struct,
    name_of,
    normal_target,
    span,
)
from ebee.types import ArrayType, Int, PtrType, i32, i64, sizeof, u8, u16, u32, u64, zero

if TYPE_CHECKING:
    from ebee.lang.bpf.kernel_types import KernelType
    from ebee.lang.function import Function

GPL = ("GPL", "GPL v2", "GPL and additional rights", "Dual BSD/GPL", "Dual MIT/GPL", "Dual MPL/GPL")
"""Licences that the kernel takes for GPL-compatible (include/linux/license.h)."""

SCALARS: dict[str, type[Int]] = {
    "u8": u8, "u16": u16, "u32": u32, "u64": u64, "i32": i32, "int": i32, "long": i64, "i64": i64,
    "ulong": u64, "be16": u16, "be32": u32, "wsum": u32, "scalar": u64, "size": u32, "size0": u32,
    "alloc_size": u64, "variadic": u64,
}  # fmt: skip
"""Kinds of parameters that are numbers."""


class HelperName:
    """A helper of the kernel as Python sees it: something that only compiled code can call."""

    def __init__(self, declared: Helper):
        self.declared = declared
        self.__name__ = declared.name
        self.__doc__ = f"{declared.doc}\n\nSince Linux {declared.since}. {declared.signature}"

    def __call__(self, *arguments: Any) -> Any:
        raise TypeError(f"{self.__name__} is a helper of the kernel: only programs can call it")

    def __repr__(self) -> str:
        return f"<helper {self.__name__}>"


def helper_name(name: str) -> HelperName | None:
    """The helper of a name, with or without `bpf_`."""
    found = by_name(name)
    return HelperName(found) if found is not None else None


def call_helper(f: Function, node: ast.Call, name: HelperName) -> Value:
    """Call a helper by its declaration."""
    declared, hook = name.declared, unit_of(f).hook
    check_allowed(f, declared)
    params, result = declared.at(hook.name)
    given = _arguments(node, declared, params)
    operands, m = [], None
    for parameter, argument in zip(params, given, strict=False):
        text_of, m = _operand(f, parameter, argument, m)
        operands.append(text_of)
    found = _result(f, declared, result, operands, m)
    if result.kind == "percpu_mem":  # a CPU's own of the variable that was given
        return found._replace(type=f.type_of(given[0]))
    return found


def check_allowed(f: Function, declared: Helper) -> None:
    """Refuse a helper that the program's hook, or its licence, does not have."""
    hook, licence = unit_of(f).hook, unit_of(f).licence
    allowed = hook.helpers.union(*hook.more.values())
    if declared.name not in allowed:
        from difflib import get_close_matches

        near = get_close_matches(declared.name, sorted(allowed), 3, 0.3)
        raise Refusal(
            f"{hook.name} programs cannot call `{declared.name}`",
            f"among those that they can call: {', '.join(near)}",
        )
    if declared.gpl and licence not in GPL and hook.name not in declared.gpl_except:
        raise Refusal(
            f"`{declared.name}` is for programs under a GPL-compatible licence only",
            'LICENSE = "GPL" in the module, if it is',
        )


def _arguments(node: ast.Call, declared: Helper, params: tuple[Param, ...]) -> list[ast.expr]:
    fixed = [p for p in params if p.kind != "variadic"]
    names = [p.name for p in fixed]
    found = dict(zip(names, node.args, strict=False))
    for keyword in node.keywords:
        if keyword.arg not in names or keyword.arg in found:
            raise Refusal(f"`{declared.name}` takes {', '.join(names) or 'no arguments'}")
        found[keyword.arg or ""] = keyword.value
    rest = node.args[len(fixed) :]
    if len(found) != len(fixed) or len(node.args) > len(params):
        raise Refusal(
            f"`{declared.name}` takes {len(fixed)} arguments, not {len(node.args)}",
            f"its parameters: {', '.join(names) or 'none'}",
        )
    return [*(found[n] for n in names), *rest]


def _operand(
    f: Function, p: Param, node: ast.expr, m: AnyMap[Any, Any] | None
) -> tuple[str, AnyMap[Any, Any] | None]:
    """One argument, and the map that those after it belong to."""
    what = f"argument `{p.name}`"
    if p.kind in SCALARS:
        value = f.as_type(node, SCALARS[p.kind], what)
        return f"i64 {arith.operand(f.body, value, 64)}", m
    if p.kind == "map":
        value = f.value(node)
        if not (isinstance(value.type, Constant) and isinstance(value.type.thing, AnyMap)):
            raise at(f.source, node, Refusal(f"{what} is no map"))
        m = value.type.thing
        if p.of and m.type not in p.of.split("|"):
            wanted = p.of.replace("|", " or ")
            raise at(f.source, node, Refusal(f"{what} must be a {wanted} map, not {m.type}"))
        return f"ptr {value.text}", m
    null = isinstance(node, ast.Constant) and node.value is None and p.nullable
    if p.kind in ("map_key", "map_value") and m is not None and not null:
        return map_calls.operand(f, node, m.key if p.kind == "map_key" else m.value, what), m
    try:
        return f"ptr {_pointer(f, p, node, what)}", m
    except Refusal as refusal:
        raise at(f.source, node, refusal) from None


def _pointer(f: Function, p: Param, node: ast.expr, what: str) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
        if p.kind not in ("mem", "str"):
            raise Refusal(f"{what} is written, so it is no constant")
        data = node.value if isinstance(node.value, bytes) else node.value.encode() + b"\0"
        return unit_of(f).constant_bytes(data)
    value = f.value(node)
    if isinstance(value.type, FunctionRef) and p.kind == "func":
        return unit_of(f).called_back(value.type.function)
    if isinstance(value.type, FunctionRef) or p.kind == "func":
        raise Refusal(f"{what} is {'not ' if p.kind == 'func' else ''}a function")
    if value.text == "null" and p.nullable:
        return "null"
    is_ctx = is_context(f, value)
    if (p.kind == "ctx") != is_ctx:
        raise Refusal(f"{what} {'must be' if not is_ctx else 'cannot be'} the context")
    if p.kind == "any" and is_integer(value.type):  # an address, as a number
        return f.body.op(f"inttoptr i64 {arith.operand(f.body, value, 64)} to ptr")
    if value.maybe and not p.nullable:
        memory.check_null(value, what)
    if not (is_ptr(value.type) or is_struct(value.type) or isinstance(value.type, ArrayType)):
        wanted = {"btf": f"a {p.of} of the kernel", "btf_sock": "a socket: ctx.sk"}.get(p.kind)
        wanted = "current.task, or another task_struct" if p.of == "task_struct" else wanted
        message = f"{what} is a `{name_of(value.type)}`, not a pointer, struct or array"
        raise Refusal(message, wanted or "give a struct, or an address")
    return value.text


def is_context(f: Function, value: Value) -> bool:
    """Whether a value is the program's context: of its class, or the record that it is given."""
    t = value.type
    return is_struct(t) and (issubclass(t, Context) or t is unit_of(f).record)


def _result(
    f: Function, declared: Helper, result: Param, operands: list[str], m: AnyMap[Any, Any] | None
) -> Value:
    if result.kind == "void":
        map_calls.helper(f, declared.id, "void", *operands)
        return NONE
    if result.kind in SCALARS:
        t = SCALARS[result.kind]
        answer = map_calls.helper(f, declared.id, "i64", *operands)
        if t.bits < 64:
            answer = f.body.op(f"trunc i64 {answer} to i{t.bits}")
        return Value(t, answer, *span(t))
    if result.kind == "alloc_mem":
        raise Refusal("a reserved record", "with events.reserve() as e:")
    to = normal_target(m.value) if result.kind == "map_value" and m is not None else u8
    to = POINTED.get(result.kind, to)
    if result.kind == "btf" and result.of is not None:
        to = kernel_struct(result.of).trusted
    answer = map_calls.helper(f, declared.id, "ptr", *operands)
    return Value(PtrType(to), answer, maybe=int(result.nullable))


def kernel_struct(name: str) -> KernelType:
    """A struct of the kernel; Refusal when the types at hand have none of that name."""
    from ebee.lang.bpf.kernel_types import find, source

    found = find(name)
    if found is None:
        raise Refusal(f"{source().name} has no struct {name}", "EBEE_BTF=file names other types")
    return found  # type: ignore[no-any-return]


# --- atomic operations ---------------------------------------------------------------------------


def atomic_add(place: int, value: int) -> None:
    """Add to a number that other CPUs change too: `atomic_add(entry.packets, 1)`. Only in
    programs. Of 32 or 64 bits."""
    raise TypeError("atomic_add changes a place in memory: only programs can do that")


def _atomic_add(f: Function, node: ast.Call) -> Value:
    if len(node.args) != 2 or node.keywords:
        raise Refusal("atomic_add takes a place and a number", "atomic_add(entry.packets, 1)")
    where = _address(f, node.args[0])
    t = memory.target(where)
    if not is_int(t) or t.big or t.bits < 32:
        raise Refusal(f"atomic_add works on u32, u64, i32 and i64, not on `{name_of(t)}`")
    value = f.as_type(node.args[1], t, "the number")
    number = arith.operand(f.body, value, t.bits)
    kind = f"i{t.bits}"
    f.body.op(f"atomicrmw add ptr {where.text}, {kind} {number} monotonic, align {sizeof(t)}")
    return NONE


def _address(f: Function, node: ast.expr) -> Value:
    """The address of a place: a variable of the module, a member, an element."""
    if isinstance(node, ast.Name) and node.id not in f.writes:
        variable = unit_of(f).variable(f, node.id)
        if variable is not None and not variable.const:
            return unit_of(f).address(variable)
    if isinstance(node, ast.Attribute | ast.Subscript):
        where, const = place(f, node)
        if not const and is_ptr(where.type):
            return where
    raise at(f.source, node, Refusal(f"`{ast.unparse(node)}` is no place in memory"))


def _zero(f: Function, node: ast.Call) -> Value:
    t = type_argument(f, one_argument(node))
    if not is_struct(t):
        raise Refusal(f"zero of a `{name_of(t)}`, not a @struct")
    return memory.make(f.body, t)


# --- what the host has and BPF has not -----------------------------------------------------------


def _refuse(thing: Any, way_out: str) -> None:
    def handler(f: Function, node: ast.Call) -> Value:
        raise Refusal(f"`{thing.__name__}` does not exist in BPF", way_out)

    CALLS[thing] = handler


def _constant_length(thing: Any, most: int) -> None:
    """memcpy and its like: BPF has them for constant lengths only."""
    from ebee.lang.intrinsics import INTRINSICS

    def handler(f: Function, node: ast.Call) -> Value:
        length = f.value(node.args[2]).constant if len(node.args) == 3 else 0
        if length is None:
            raise Refusal(
                f"`{thing.__name__}` of a length that is not constant", "copy in a `for` loop"
            )
        if length > most:
            raise Refusal(f"`{thing.__name__}` of {length} bytes, at most {most} are possible")
        return INTRINSICS[thing](f, node)

    CALLS[thing] = handler


def _memeq(f: Function, node: ast.Call) -> Value:
    """Word by word, as aligned as the two places are: the first difference decides."""
    if len(node.args) != 3 or node.keywords:
        raise Refusal("`memeq` takes two pointers and a length")
    x, y, n = (f.value(a) for a in node.args)
    for p, argument in zip((x, y), node.args, strict=False):
        if not is_ptr(p.type):
            hint = "take its address: .ptr"
            raise at(f.source, argument, Refusal(f"`{name_of(p.type)}` is no pointer", hint))
        memory.check_null(p, f"`{ast.unparse(argument)}`")
    if n.constant is None or not 0 <= n.constant <= MEMEQ:
        raise Refusal(
            f"`memeq` of a length that is not a constant of at most {MEMEQ}",
            "compare in a `for` loop",
        )
    b, start, word = f.body, 0, min(memory.alignment(x), memory.alignment(y), 8)
    differ, end = b.name("differ"), b.name("end")
    while start < n.constant:
        while start + word > n.constant:
            word //= 2
        parts = [
            b.op(f"load i{word * 8}, ptr {address}, align {word}")
            for address in [
                b.op(f"getelementptr inbounds i8, ptr {p.text}, i64 {start}") for p in (x, y)
            ]
        ]
        same, more = b.op(f"icmp eq i{word * 8} {parts[0]}, {parts[1]}"), b.name("more")
        b.end(f"br i1 {same}, label %{more}, label %{differ}")
        b.label(more)
        start += word
    last = b.block
    b.jump(end)
    if not n.constant:
        b.label(end)
        return constant(bool, True)
    b.label(differ)
    b.jump(end)
    b.label(end)
    return Value(bool, b.op(f"phi i1 [ true, %{last} ], [ false, %{differ} ]"), 0, 1)


MEMEQ = 256
"""Bytes that memeq compares."""


def _mulhi(f: Function, node: ast.Call) -> Value:
    """The high half of a product, from four products of 32 bits."""
    if len(node.args) != 2 or node.keywords:
        raise Refusal("`mulhi` takes 2 arguments")
    b = f.body
    x, y = (arith.operand(b, f.as_type(a, u64, "the argument"), 64) for a in node.args)
    (xl, xh), (yl, yh) = (
        (b.op(f"and i64 {v}, 4294967295"), b.op(f"lshr i64 {v}, 32")) for v in (x, y)
    )
    # LLVM knows these four products and would make one of 128 bits of them, which BPF has not:
    # it must not see that the halves are of one number.
    xl = b.op(f'call i64 asm "", "=r,0"(i64 {xl})')
    low, cross, other, high = (
        b.op(f"mul i64 {p}, {q}") for p, q in ((xl, yl), (xh, yl), (xl, yh), (xh, yh))
    )
    first = b.op(f"add i64 {cross}, {b.op(f'lshr i64 {low}, 32')}")
    second = b.op(f"add i64 {other}, {b.op(f'and i64 {first}, 4294967295')}")
    carried = b.op(f"add i64 {high}, {b.op(f'lshr i64 {first}, 32')}")
    return Value(u64, b.op(f"add i64 {carried}, {b.op(f'lshr i64 {second}, 32')}"), *span(u64))


CALLS: dict[Any, Callable[[Function, ast.Call], Value]] = {
    builtins.print: text.print_call, atomic_add: _atomic_add, native.mulhi: _mulhi,
    native.memeq: _memeq,
    zero: _zero,
}  # fmt: skip
for _copy in (native.memcpy, native.memmove, native.memset):
    _constant_length(_copy, 512)
_refuse(native.host_clock, "call a helper: bpf.ktime_get_ns()")
_refuse(native.mulfold, "combine `mulhi(a, b)` and `a * b`")
_refuse(native.opaque, "write the number itself")
_refuse(native.cpu_relax, "programs cannot wait")
for _plain in (native.atomic_load, native.atomic_store):
    _refuse(_plain, "load and store plainly: aligned accesses are whole")
for _fence in (native.acquire_fence, native.release_fence):
    _refuse(_fence, "atomic operations that give a value order what is around them")

__all__ = ["CALLS", "HelperName", "atomic_add", "call_helper", "check_allowed", "helper_name"]
