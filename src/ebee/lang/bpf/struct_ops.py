"""Kernel interfaces as classes: methods are the operations, attributes the data.

    @struct_ops("tcp_congestion_ops")
    class Calm:
        name = "calm"

        def ssthresh(self, sk: tcp_sock) -> u32:
            return u32(2)
        ...

Each operation is a program, `Calm_ssthresh`; the class is a map, `loaded.maps["Calm"].attach()`
registers it. `self` is the context. Operations without types of their own have those of the
kernel's struct. Since Linux 5.6.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from ebee.errors import CompileError
from ebee.lang.bpf.debug import quote
from ebee.lang.bpf.programs import Program
from ebee.lang.errors import Refusal, at
from ebee.lang.ir import symbol
from ebee.lang.source import source_of
from ebee.lang.values import NONE, name_of
from ebee.types import ArrayType, Int, char, sizeof, text_bytes, typeof

if TYPE_CHECKING:
    from ebee.btf import Btf
    from ebee.lang.bpf.unit import BpfUnit
    from ebee.lang.source import Source

C = TypeVar("C", bound=type)


@dataclass(frozen=True)
class Declared:
    """What @struct_ops noted of a class: the kernel's struct, and whether it gets a link."""

    kind: str
    link: bool
    cls: type

    @property
    def name(self) -> str:
        return self.cls.__name__

    @property
    def section(self) -> str:
        return ".struct_ops.link" if self.link else ".struct_ops"

    def operations(self) -> Iterator[tuple[str, Callable[..., Any]]]:
        """Members of the struct that are programs, and their functions."""
        for name, thing in list(vars(self.cls).items()):
            if isinstance(thing, types.FunctionType) and not name.startswith("__"):
                yield name, thing

    def data(self) -> Iterator[tuple[str, Any]]:
        """The other members, and what they hold."""
        for name, thing in list(vars(self.cls).items()):
            if not name.startswith("__") and not isinstance(thing, types.FunctionType):
                yield name, thing


def struct_ops(
    kind: str, *, link: bool = True, sleepable: tuple[str, ...] = ()
) -> Callable[[C], C]:
    """Make a class the implementation of one of the kernel's interfaces, "tcp_congestion_ops".

    `link`: registered by a link, which can be pinned and replaced (Linux 6.4); without, by its
    map. `sleepable`: operations that may sleep.
    """

    def mark(cls: C) -> C:
        if not isinstance(cls, type):
            raise CompileError("@struct_ops stands above a class whose methods are the operations")
        declared = Declared(kind, link, cls)
        names = {name for name, _ in declared.operations()}
        unknown = sorted(set(sleepable) - names)
        if not names or unknown:
            missing = f"no operation {unknown[0]!r}" if unknown else "no operations"
            raise CompileError(f"@struct_ops({kind!r}): {cls.__name__} has {missing}")
        for name, function in declared.operations():
            mark = ".s" if name in sleepable else ""
            function.__program__ = Program(f"struct_ops{mark}/{name}")  # type: ignore[attr-defined]
            function.__operation__ = declared  # type: ignore[attr-defined]
        cls.__struct_ops__ = declared  # type: ignore[attr-defined]
        return cls

    return mark


def declared_of(thing: Any) -> Declared | None:
    """What @struct_ops noted of a class."""
    found = vars(thing).get("__struct_ops__") if isinstance(thing, type) else None
    return found if isinstance(found, Declared) else None


def operation_of(function: Any) -> Declared | None:
    """The interface that a function is an operation of."""
    found = getattr(function, "__operation__", None)
    return found if isinstance(found, Declared) else None


# --- what the kernel knows -----------------------------------------------------------------------


def _kernel_struct(kind: str) -> tuple[Btf | None, Any]:
    from ebee.btf import Struct
    from ebee.lang.bpf import kernel_source, kernel_types

    kernel_types.note_use()
    return kernel_source.find(kind, Struct) or (None, None)


def complete(declared: Declared, source: Source) -> None:
    """Give an operation's parameters the types of the kernel's, where they have none; an error for
    what the struct does not have, and for types that are not the operation's."""
    from ebee.btf import FuncProto, Ptr
    from ebee.lang.bpf import kernel_types
    from ebee.lang.bpf.contexts import TraceContext
    from ebee.lang.unit import signature_of

    hints = source.function.__annotations__
    nodes = [*source.tree.args.posonlyargs, *source.tree.args.args]
    if not nodes or nodes[0].annotation is not None:
        message = "the first parameter of an operation is `self`"
        raise at(source, source.tree, Refusal(message, f"def {source.name}(self, ...)"))
    hints[nodes[0].arg] = TraceContext
    btf, struct = _kernel_struct(declared.kind)
    missing = [a for a in nodes[1:] if a.annotation is None]
    if btf is None:
        if missing:
            message = f"the kernel's types do not know struct {declared.kind}"
            raise at(source, missing[0], Refusal(message, f"{missing[0].arg}: u64"))
        return
    members = {m.name: m for m in struct.members}
    pointer = btf.resolve(members[source.name].type) if source.name in members else None
    proto = btf.resolve(pointer.type) if isinstance(pointer, Ptr) else None
    if not isinstance(proto, FuncProto):
        names = [n for n, m in members.items() if _is_operation(btf, m.type)]
        message = f"struct {declared.kind} has no operation `{source.name}`"
        raise at(source, source.tree, Refusal(message, f"it has {', '.join(names)}"))
    if len(nodes) - 1 > len(proto.params):
        types = (name_of(kernel_types.static_type(btf, p.type)) for p in proto.params)
        shown = ", ".join(types) or "none"
        message = f"`{source.name}` of {declared.kind} has {len(proto.params)} arguments: {shown}"
        raise at(source, nodes[len(proto.params) + 1], Refusal(message, "leave it away"))
    for node, param in zip(nodes[1:], proto.params, strict=False):
        if node.annotation is None:
            hints[node.arg] = kernel_types.static_type(btf, param.type)
    params, result = signature_of(source.function)
    for node, param, (_, t) in zip(nodes[1:], proto.params, params[1:], strict=False):
        wrong = kernel_types.mismatch(btf, param.type, t)
        if wrong and not _promoted(declared, t):
            raise at(source, node, Refusal(wrong, "leave the type away: it is known"))
    if (result is NONE.type) is not (proto.type == 0):
        gives = name_of(kernel_types.static_type(btf, proto.type)) if proto.type else "None"
        message = f"`{source.name}` of {declared.kind} gives a `{gives}`"
        raise at(source, source.tree.returns or source.tree, Refusal(message, f"-> {gives}"))


PROMOTED = {"tcp_congestion_ops": "tcp_sock"}
"""Interface -> what their operations' sockets are to programs (bpf_tcp_ca_is_valid_access)."""


def _promoted(declared: Declared, t: Any) -> bool:
    kernel = getattr(getattr(t, "to", None), "__kernel__", "")
    return kernel != "" and PROMOTED.get(declared.kind) == kernel


def _is_operation(btf: Btf, type_id: int) -> bool:
    from ebee.btf import FuncProto, Ptr

    pointer = btf.resolve(type_id)
    return isinstance(pointer, Ptr) and isinstance(btf.resolve(pointer.type), FuncProto)


def _bytes(declared: Declared, name: str, value: Any) -> tuple[Any, bytes]:
    """The type and bytes of a member that is data: by its annotation, else by the kernel."""
    hint = inspect.get_annotations(declared.cls).get(name)
    if isinstance(hint, str):
        hint = eval(hint, next(f.__globals__ for _, f in declared.operations()))
    t = typeof(hint) if hint is not None else _kernel_type(declared, name, value)
    where = f"{declared.name}.{name}"
    if isinstance(t, ArrayType) and isinstance(value, str | bytes):
        try:
            return t, text_bytes(t, value).ljust(t.size, b"\0")
        except TypeError as error:
            raise CompileError(f"{where}: {error}") from None
    if isinstance(t, type) and issubclass(t, Int) and isinstance(value, int):
        low, high = (-(1 << t.bits - 1), (1 << t.bits) - 1) if t.signed else (0, (1 << t.bits) - 1)
        if not low <= value <= high:
            raise CompileError(f"{where}: {value} does not fit a {t.__name__}")
        return t, (int(value) & ((1 << t.bits) - 1)).to_bytes(t.size, "little")
    raise CompileError(f"{where}: {value!r} is no value for it: a number, or a text")


def _kernel_type(declared: Declared, name: str, value: Any) -> Any:
    from ebee.types import i8, i16, i32, i64, u8, u16, u32, u64

    btf, struct = _kernel_struct(declared.kind)
    where = f"{declared.name}.{name}"
    if btf is None:
        hint = "array[char, 16]" if isinstance(value, str | bytes) else "u32"
        raise CompileError(
            f"{where}: the kernel's types do not know struct {declared.kind}\n"
            f"way out: give it a type: {name}: {hint} = {value!r}"
        )
    member = next((m for m in struct.members if m.name == name), None)
    if member is None:
        names = ", ".join(m.name for m in struct.members if m.name)
        raise CompileError(
            f"{where}: struct {declared.kind} has no member {name!r}\nway out: it has {names}"
        )
    found, size = btf.resolve(member.type), btf.sizeof(member.type)
    if type(found).__name__ == "Array":
        return ArrayType(char, size)
    signed = bool(getattr(found, "signed", False))
    kinds = {1: (u8, i8), 2: (u16, i16), 4: (u32, i32), 8: (u64, i64)}
    if size not in kinds or not _is_number(found):
        raise CompileError(f"{where}: it holds a {type(found).__name__.lower()}: no data for it")
    return kinds[size][signed]


def _is_number(found: Any) -> bool:
    return type(found).__name__ in ("Int", "Enum", "Enum64")


# --- the map -------------------------------------------------------------------------------------


def define(unit: BpfUnit, declared: Declared) -> None:
    """The variable that stands for the map: pointers to programs, and data."""
    debug = unit.debug
    proto = debug.pointer(debug.node(f"!DISubroutineType(types: {debug.node('!{null}')})"))
    number, at_byte, parts, members = debug.reserve(), 0, [], []
    for name, function in declared.operations():
        members.append((name, proto, 8, at_byte))
        parts.append(f"ptr {symbol(program_name(function))}")
        at_byte += 8
    for name, value in declared.data():
        t, data = _bytes(declared, name, value)
        members.append((name, debug.type(t), sizeof(t), at_byte))
        data = data.ljust(-(-len(data) // 8) * 8, b"\0")
        parts.append(f"[{len(data)} x i8] c{quote_bytes(data)}")
        at_byte += len(data)
    kind = debug.composite(number, "structure", declared.kind, at_byte, members)
    variable = debug.variable(declared.name, kind)
    shape = ", ".join(p.partition(" ")[0] if p.startswith("ptr") else p.partition(" c")[0]
                      for p in parts)  # fmt: skip
    unit.globals.append(
        f"{symbol(declared.name)} = dso_local global <{{ {shape} }}> <{{ {', '.join(parts)} }}>,"
        f" section {quote(declared.section)}, align 8, !dbg {variable}"
    )
    unit.used.append(symbol(declared.name))


def quote_bytes(data: bytes) -> str:
    """Bytes as IR writes them."""
    return '"' + "".join(f"\\{b:02X}" for b in data) + '"'


def program_name(function: Callable[..., Any]) -> str:
    """The name of an operation's program."""
    declared = operation_of(function)
    assert declared is not None
    return f"{declared.name}_{source_of(function).name}"


__all__ = ["Declared", "complete", "declared_of", "define", "operation_of", "struct_ops"]
