"""What a program leaves to the kernel: its functions, variables, symbols and configuration.

    CONFIG_HZ: Kconfig[u32]             # an option that the kernel was built with; must be there
    CONFIG_DEBUG_FS: Kconfig[bool] = False           # of others False: it was built without
    runqueues: Ksym[rq]                 # a variable in the kernel's BTF: a pointer to it
    bpf_map_fops: Ksym[None]            # any symbol: its address

What `exists(...)` asks about may be missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from ebee.lang.bpf import kfuncs
from ebee.lang.bpf.debug import quote
from ebee.lang.bpf.kernel_types import KernelType
from ebee.lang.errors import Refusal
from ebee.lang.ir import symbol
from ebee.lang.values import Value, normal_target, span
from ebee.types import ArrayType, PtrType, alignof, sizeof, typeof, u8

if TYPE_CHECKING:
    from typing import TypeAlias

    from ebee.lang.bpf.core_records import Records
    from ebee.lang.bpf.kfuncs import Kfunc
    from ebee.lang.function import Function

T = TypeVar("T")

if TYPE_CHECKING:
    Kconfig: TypeAlias = T
    Ksym: TypeAlias = T
else:

    class _Extern:
        """The annotation `Kconfig[T]` or `Ksym[T]`."""

        def __init__(self, kind, type):
            self.kind, self.type = kind, type

    class _Marker:
        """`Kconfig[T]`, `Ksym[T]`: the annotation of a variable that the kernel has."""

        def __init__(self, kind):
            self.kind = kind

        def __getitem__(self, type):
            plain = type is None or type is bool or isinstance(type, KernelType)
            return _Extern(self.kind, type if plain else typeof(type))

    Kconfig, Ksym = _Marker("kconfig"), _Marker("ksym")


@dataclass(frozen=True)
class Extern:
    """A declared variable of the kernel. `weak`: it may be missing."""

    name: str
    kind: Literal["kconfig", "ksym"]
    type: Any
    weak: bool = False

    def __exists__(self, f: Function) -> Value:
        from ebee.lang.bpf.state import unit_of

        if self.kind == "kconfig":
            raise Refusal(f"{self.name} is 0 in kernels without it, when declared so",
                          f"{self.name}: Kconfig[...] = 0")  # fmt: skip
        unit_of(f).externs.variable(self, weak=True)
        return Value(bool, f.body.op(f"icmp ne ptr {symbol(self.name)}, null"), 0, 1)


def find(space: dict[str, Any], name: str) -> Extern | None:
    """The extern that a name of a module stands for, if it does."""
    from ebee.lang.bpf.variables import imported, raw_hints

    hint = raw_hints(space).get(name)
    if isinstance(hint, str):
        if not ("Kconfig" in hint or "Ksym" in hint):
            return None
        hint = eval(hint, space)
    if hint is None:
        return imported(space, name, find)
    if type(hint).__name__ != "_Extern":
        return None
    if name in space and space[name] not in (0, False):
        raise Refusal(f"{name} = {space[name]!r}: what the kernel lacks is 0, or must be there")
    return Extern(name, hint.kind, hint.type, weak=name in space)


def value(f: Function, extern: Extern) -> Value:
    """A name in an expression: an option's value, the address of a symbol."""
    from ebee.lang.bpf.state import unit_of

    unit_of(f).externs.variable(extern)
    at, b = symbol(extern.name), f.body
    if extern.kind == "ksym":
        to = extern.type
        to = to.trusted if isinstance(to, KernelType) else u8 if to is None else normal_target(to)
        return Value(PtrType(to), at, align=8)
    if extern.type is bool:
        return Value(bool, b.op(f"icmp ne i8 {b.op(f'load i8, ptr {at}, align 1')}, 0"), 0, 1)
    if isinstance(extern.type, ArrayType):
        return Value(extern.type, at, align=1)
    t = extern.type
    return Value(t, b.op(f"load i{t.bits}, ptr {at}, align {t.size}"), *span(t))


def named(f: Function, name: str) -> Extern | None:
    """The extern that a name means in a function."""
    return None if name in f.writes else find(f.source.function.__globals__, name)


class Externs:
    """The externs of a module, each declared once."""

    def __init__(self) -> None:
        self._functions: dict[str, tuple[Kfunc, bool]] = {}
        self._variables: dict[str, tuple[Extern, bool]] = {}

    def function(self, kfunc: Kfunc, weak: bool = False) -> None:
        """Take in a function of the kernel."""
        before = self._functions.get(kfunc.name, (kfunc, False))[1]
        self._functions[kfunc.name] = kfunc, before or weak

    def variable(self, extern: Extern, weak: bool = False) -> None:
        """Take in a variable of the kernel."""
        before = self._variables.get(extern.name, (extern, extern.weak))[1]
        self._variables[extern.name] = extern, before or weak

    def text(self, records: Records) -> list[str]:
        """The declarations, once, at the end."""
        return [self._declared(records, *f) for f in self._functions.values()] + [
            self._defined(records, *v) for v in self._variables.values()
        ]

    def _declared(self, records: Records, kfunc: Kfunc, weak: bool) -> str:
        debug = records.debug
        kind = kfuncs.prototype(records, kfunc.btf, kfunc.proto.id)
        number = debug.set(
            debug.reserve(),
            f"!DISubprogram(name: {quote(kfunc.name)}, scope: {debug.main}, file: {debug.main},"
            f" line: 1, type: {kind}, flags: DIFlagPrototyped, spFlags: DISPFlagOptimized)",
        )
        result, *params = kfuncs.signature(kfunc)
        linkage = "extern_weak " if weak else ""
        return (
            f"declare !dbg {number} {linkage}dso_local {result} {symbol(kfunc.name)}"
            f'({", ".join(params)}) nounwind section ".ksyms"'
        )

    def _defined(self, records: Records, extern: Extern, weak: bool) -> str:
        debug, t = records.debug, extern.type
        if t is None:
            kind, size, align = debug.const("null"), 1, 1
        elif isinstance(t, KernelType):
            kind = debug.const(records.number(t.btf, t.id))
            size, align = t.btf.sizeof(t.id), 8
        else:
            kind = debug.const(debug.type(t))
            size, align = (1, 1) if t is bool else (sizeof(t), alignof(t))
        number = debug.variable(extern.name, kind, defined=False)
        section = ".kconfig" if extern.kind == "kconfig" else ".ksyms"
        return (
            f"{symbol(extern.name)} = {'extern_weak' if weak else 'external'} dso_local constant"
            f' [{size} x i8], section "{section}", align {align}, !dbg {number}'
        )


__all__ = ["Extern", "Externs", "Kconfig", "Ksym", "find", "named", "value"]
