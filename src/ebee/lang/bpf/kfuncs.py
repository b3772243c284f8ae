"""Calls of the kernel's functions (kfuncs), by their prototypes in BTF.

How an argument is meant is in its name (Documentation/bpf/kfuncs.rst): `NAME__sz` is the size of
the argument before, `meta__ign` is the verifier's own, `__nullable` may be None, `__str` is text.
What a function takes and gives (`acquire`, `release`, `ret_null`) BTF does not tell: that is a
table.
"""

from __future__ import annotations

import ast
from functools import cache
from typing import TYPE_CHECKING, Any

from ebee.btf.types import (
    Array,
    Composite,
    DeclTag,
    Enum,
    Enum64,
    Func,
    FuncProto,
    Fwd,
    Int,
    Param,
    Ptr,
    Void,
)
from ebee.lang import arith, memory
from ebee.lang.bpf import kernel_source
from ebee.lang.bpf.debug import quote
from ebee.lang.bpf.kernel_types import pointee, static_type
from ebee.lang.bpf.state import unit_of
from ebee.lang.errors import Refusal, at
from ebee.lang.ir import symbol
from ebee.lang.values import (
    NONE,
    Constant,
    FunctionRef,
    Value,
    is_int,
    is_integer,
    is_ptr,
    is_struct,
    llvm,
    name_of,
    span,
)
from ebee.types import ArrayType, PtrType, sizeof, u8

if TYPE_CHECKING:
    from ebee.btf import Btf
    from ebee.lang.bpf.core_records import Records
    from ebee.lang.function import Function

SIZES = ("__sz", "__szk")
"""Ends of names of sizes of the argument before."""

OWN = ("meta__ign", "aux__ign", "__prog")
"""Ends of names of arguments that the verifier fills in."""

OPTIONAL = ("__nullable", "__opt")
"""Ends of names of arguments that may be None."""


BUFFER = "buffer__opt"
"""The argument of bpf_dynptr_slice for bytes that are not in one piece."""


class Kfunc:
    """A function of the kernel as Python sees it: something that only compiled code can call."""

    def __init__(self, name: str, btf: Btf, proto: FuncProto, flags: frozenset[str] | None):
        self.name, self.btf, self.proto = name, btf, proto
        self.flags = flags or frozenset()
        self.known = flags is not None
        """Whether its flags are."""
        self.__name__ = name

    def __call__(self, *_: Any, **__: Any) -> Any:
        raise TypeError(f"{self.name} is a function of the kernel: only programs can call it")

    def __exists__(self, f: Function) -> Value:
        """`exists(kfunc)`: it may be missing, then."""
        unit_of(f).externs.function(self, weak=True)
        return Value(bool, f.body.op(f"icmp ne ptr {symbol(self.name)}, null"), 0, 1)

    def __repr__(self) -> str:
        return f"<kernel function {self.name}>"

    @property
    def params(self) -> list[Param]:
        return [p for p in self.proto.params if p.type]


class Iterator:
    """An iterator of the kernel: `for task in bpf_iter_task(None, 0):`."""

    def __init__(self, name: str, btf: Btf, size: int):
        self.name, self.btf, self.size = name, btf, size
        self.__name__ = name

    def __call__(self, *_: Any, **__: Any) -> Any:
        raise TypeError(f"{self.name} is an iterator of the kernel: only programs have it")

    def __exists__(self, f: Function) -> Value:
        made: Kfunc = find(f"{self.name}_new")
        return made.__exists__(f)

    def __repr__(self) -> str:
        return f"<kernel iterator {self.name}>"


def find(name: str) -> Any:
    """A function, or an iterator, by the kernel's name; None when there is none."""
    return _find(name, kernel_source.source())


@cache
def _find(name: str, _source: Btf) -> Any:
    made = kernel_source.find(name, Composite) if name.startswith("bpf_iter_") else None
    if made is not None and kernel_source.find(f"{name}_new", Func) is not None:
        return Iterator(name, made[0], made[0].sizeof(made[1].id))
    found = kernel_source.find(name, Func)
    if found is not None and (_flags(name) is not None or found[1].id in _marked(found[0])):
        btf, function = found
        assert isinstance(function, Func)
        proto = btf.type(function.type)
        assert isinstance(proto, FuncProto)
        return Kfunc(name, btf, proto, _flags(name))
    return None


@cache
def _marked(btf: Btf) -> frozenset[int]:
    """The functions that a BTF marks as ones that programs may call (since Linux 6.10)."""
    tags = (btf.type(id) for id in btf.find_ids("bpf_kfunc"))
    return frozenset(t.type for t in tags if isinstance(t, DeclTag))


def _flags(name: str) -> frozenset[str] | None:
    from ebee.helpers.kfuncs import all_kfuncs

    found = all_kfuncs().get(name)
    return None if found is None else found.flags


def check_allowed(f: Function, kfunc: Kfunc) -> None:
    """Refuse a function that programs of this hook do not find."""
    from ebee.helpers.kfuncs import all_kfuncs, may_call

    known, hook = all_kfuncs().get(kfunc.name), unit_of(f).hook
    if known is not None and not may_call(known, hook.name):
        where = ", ".join(sorted(known.only or known.lists))
        raise Refusal(f"{hook.name} programs cannot call `{kfunc.name}`", f"it is for: {where}")


# --- calls ---------------------------------------------------------------------------------------


def call(f: Function, node: ast.Call, kfunc: Kfunc) -> Value:
    """`bpf_task_from_pid(1)`."""
    return call_with(f, node, kfunc, bind(node, kfunc))


def call_with(
    f: Function, node: ast.AST, kfunc: Kfunc, given: dict[str, ast.expr | Value]
) -> Value:
    """Call a function with expressions, or values, for its parameters."""
    check_allowed(f, kfunc)
    operands: list[str] = []
    size = ""
    for p in kfunc.params:
        argument = given.get(p.name)
        if argument is None:
            operands.append(f"i32 {size}" if p.name.endswith(SIZES) else _absent(kfunc, p))
            continue
        try:
            text, size = _operand(f, kfunc, p, argument)
        except Refusal as refusal:
            where = argument if isinstance(argument, ast.expr) else node
            raise at(f.source, where, refusal) from None
        operands.append(text)
    made = emit(f, kfunc, operands)
    if (buffer := given.get(BUFFER)) is not None and is_ptr(made.type):  # a slice as what it is of
        t = f.type_of(buffer) if isinstance(buffer, ast.expr) else buffer.type
        return made._replace(type=PtrType(t.to if is_ptr(t) else t))
    return made


def emit(f: Function, kfunc: Kfunc, operands: list[str]) -> Value:
    """Emit a call; its result by the prototype."""
    unit_of(f).externs.function(kfunc)
    result = result_type(kfunc)
    kind = _passed(kfunc.btf, kfunc.proto.type)
    text = f"call {kind} {symbol(kfunc.name)}({', '.join(operands)})"
    if result is NONE.type:
        f.body.emit(text)
        return NONE
    answer = f.body.op(text)
    if result is bool:
        return Value(bool, f.body.op(f"icmp ne i8 {answer}, 0"), 0, 1)
    if is_ptr(result):
        never = kfunc.known and not kfunc.flags & {"ret_null"}
        return Value(result, answer, maybe=0 if never else 1, align=8)
    return Value(result, answer, *span(result))


def result_type(kfunc: Kfunc) -> Any:
    """What a function gives: memory of the kernel is read directly."""
    btf = kfunc.btf
    found = btf.resolve(kfunc.proto.type)
    match found:
        case Void():
            return NONE.type
        case Int() if found.boolean:
            return bool
        case Ptr():
            to = btf.resolve(found.type)
            if isinstance(to, Int | Enum | Enum64):
                return PtrType(static_type(btf, to.id))
            if isinstance(to, Void):
                return PtrType(u8)
            return PtrType(pointee(btf, found.type, "trusted"))
    return static_type(btf, found.id)


def _passed(btf: Btf, id: int) -> str:
    """LLVM's type of an argument or result."""
    found = btf.resolve(id)
    if isinstance(found, Void):
        return "void"
    if isinstance(found, Ptr):
        return "ptr"
    if isinstance(found, Composite | Array):
        raise Refusal("a struct passed by value")
    return "i8" if isinstance(found, Int) and found.boolean else llvm(static_type(btf, id))


def signature(kfunc: Kfunc) -> list[str]:
    """LLVM's types of the result and the parameters."""
    return [_passed(kfunc.btf, id) for id in (kfunc.proto.type, *(p.type for p in kfunc.params))]


def _absent(kfunc: Kfunc, p: Param) -> str:
    kind = _passed(kfunc.btf, p.type)
    return f"{kind} {'null' if kind == 'ptr' else 0}"


def bind(node: ast.Call, kfunc: Kfunc, skip: int = 0) -> dict[str, ast.expr | Value]:
    """The arguments of a call by parameter, but for the first `skip` of them; sizes may be left
    away."""
    called = ast.unparse(node.func)
    params = [p for p in kfunc.params[skip:] if not p.name.endswith(OWN)]
    sizes = [p for p in params if p.name.endswith(SIZES)]
    count = len(node.args) + len(node.keywords)
    if count == len(params) - len(sizes):
        params = [p for p in params if p not in sizes]
    names = [p.name for p in params]
    shown = {_plain(n): n for n in names}
    found: dict[str, ast.expr | Value] = dict(zip(names, node.args, strict=False))
    for keyword in node.keywords:
        name = shown.get(keyword.arg or "", keyword.arg or "")
        if name not in names or name in found:
            raise Refusal(f"`{called}` has no parameter `{keyword.arg}`",
                          f"its parameters: {', '.join(shown)}")  # fmt: skip
        found[name] = keyword.value
    if len(found) != len(params) or len(node.args) > len(params):
        raise Refusal(
            f"`{called}` takes {len(params)} argument{'s'[: len(params) != 1]}, not {count}",
            f"its parameters: {', '.join(shown) or 'none'}",
        )
    return found


def _plain(name: str) -> str:
    """A parameter as programs name it."""
    return (name.partition("__")[0] or name) + ("_size" if name.endswith(SIZES) else "")


def _operand(f: Function, kfunc: Kfunc, p: Param, argument: ast.expr | Value) -> tuple[str, str]:
    """One argument, and the size of what it points to."""
    btf, what = kfunc.btf, f"argument `{_plain(p.name)}`"
    if not isinstance(btf.resolve(p.type), Ptr):
        return _number(f, btf, p, argument, what), ""
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str | bytes):
        text = argument.value
        data = text if isinstance(text, bytes) else text.encode() + b"\0"
        return f"ptr {unit_of(f).constant_bytes(data)}", str(len(data))
    value = f.value(argument) if isinstance(argument, ast.expr) else argument
    return f"ptr {_pointer(f, p, value, what)}", _size_behind(value)


def _number(f: Function, btf: Btf, p: Param, argument: ast.expr | Value, what: str) -> str:
    found = btf.resolve(p.type)
    boolean = isinstance(found, Int) and found.boolean
    t: Any = bool if boolean else static_type(btf, p.type)
    if isinstance(argument, ast.expr):
        if not is_integer(have := f.type_of(argument)):
            raise Refusal(f"{what} is a `{name_of(have)}`, not a number")
        if boolean:
            value = arith.truth(f.body, f.value(argument))
        else:
            value = f.as_type(argument, t, what)
    else:
        value = argument if boolean else f.pass_as(argument, t, what)
    bits = 8 if boolean else t.bits
    return f"i{bits} {arith.operand(f.body, value, bits)}"


def _pointer(f: Function, p: Param, value: Value, what: str) -> str:
    """A pointer as an argument: which ones do the verifier knows."""
    if isinstance(value.type, FunctionRef):
        return unit_of(f).called_back(value.type.function)
    if isinstance(value.type, Constant):  # a map
        return value.text
    optional = p.name.endswith(OPTIONAL) or value.text == "null"
    if not (is_ptr(value.type) or is_struct(value.type) or isinstance(value.type, ArrayType)):
        raise Refusal(f"{what} is a `{name_of(value.type)}`, not a pointer, struct or array")
    if not optional:
        memory.check_null(value, what)
    return value.text


def _size_behind(value: Value) -> str:
    to = value.type.to if is_ptr(value.type) else value.type
    if is_struct(to) or isinstance(to, ArrayType) or is_int(to):
        return str(sizeof(to))
    return "0"


# --- what must be given back ---------------------------------------------------------------------


def release_of(kfunc: Kfunc) -> Kfunc | None:
    """The function that gives back what one has acquired: it takes that type, and releases."""
    return release_of_type(kfunc.btf, kfunc.proto.type)


def release_of_type(btf: Btf, id: int) -> Kfunc | None:
    """The function that gives back objects of a type, or those that a pointer points to: it is in
    the same BTF."""
    from ebee.helpers.kfuncs import all_kfuncs

    wanted = _struct_name(btf, id)
    for name, known in all_kfuncs().items():
        if "release" not in known.flags or "acquire" in known.flags or "test" in name:
            continue
        function = btf.get(name, Func)
        proto = btf.type(function.type) if function is not None else None
        if not isinstance(proto, FuncProto) or len(proto.params) != 1:
            continue
        if wanted and _struct_name(btf, proto.params[0].type) == wanted:
            return Kfunc(name, btf, proto, known.flags)
    return None


def _struct_name(btf: Btf, id: int) -> str:
    found = btf.resolve(id)
    to = btf.resolve(found.type) if isinstance(found, Ptr) else found
    return getattr(to, "name", "").partition("___")[0]


# --- declarations --------------------------------------------------------------------------------


def prototype(records: Records, btf: Btf, id: int) -> str:
    """The metadata of a function's type."""
    proto = btf.type(id)
    assert isinstance(proto, FuncProto)
    parts = [spelled(records, btf, i) for i in (proto.type, *(p.type for p in proto.params))]
    types = records.debug.node(f"!{{{', '.join(parts)}}}")
    return records.debug.node(f"!DISubroutineType(types: {types})")


def spelled(records: Records, btf: Btf, id: int) -> str:
    """The metadata of a type, with what pointers in it point to: loaders compare those."""
    debug, found = records.debug, btf.resolve(id)
    match found:
        case Void():
            return "null"
        case Ptr():
            to = btf.resolve(found.type)
            if isinstance(to, FuncProto):
                return debug.pointer(prototype(records, btf, to.id))
            return debug.pointer(spelled(records, btf, found.type))
        case Fwd():
            tag = "union" if found.union else "structure"
            return debug.node(
                f"!DICompositeType(tag: DW_TAG_{tag}_type, name: {quote(found.name)},"
                f" file: {debug.main}, flags: DIFlagFwdDecl)"
            )
    return records.number(btf, id)


__all__ = [
    "Iterator", "Kfunc", "bind", "call", "call_with", "check_allowed", "emit", "find", "prototype",
    "release_of", "release_of_type", "result_type", "signature", "spelled",
]  # fmt: skip
