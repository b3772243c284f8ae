"""Types of the kernel as types of programs: `from ebee.vmlinux import task_struct`.

A struct (or union) of the kernel has no layout here: where its members are is found out when the
program is loaded, by CO-RE. So programs have it behind pointers only, and its name alone, as an
annotation, is such a pointer: `task: task_struct`. How memory behind it is read is a part of the
type:

    PtrType(task_struct)             with bpf_probe_read_kernel: any address will do
    PtrType(task_struct.trusted)     directly: the verifier knows what it points to
    PtrType(bpf_iter__task.context)  directly, and the pointers in it may be None
"""

from __future__ import annotations

import enum
import inspect
import sys
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from ebee.btf.types import (
    Array,
    Composite,
    Enum,
    Enum64,
    Enumeration,
    Float,
    Fwd,
    Int,
    Member,
    Ptr,
    Struct,
    Typedef,
    Union,
    Void,
)
from ebee.errors import CompileError
from ebee.lang.bpf import kernel_source
from ebee.lang.errors import Refusal
from ebee.lang.values import MaybePtr, Type, name_of
from ebee.types import (
    ArrayType,
    PtrType,
    alignof,
    char,
    i8,
    i16,
    i32,
    i64,
    sizeof,
    u8,
    u16,
    u32,
    u64,
)

if TYPE_CHECKING:
    from ebee.btf import Btf

T = TypeVar("T")

Way = Literal["probe", "trusted", "context"]

DIRECT = frozenset((
    "fentry", "fexit", "fmod_ret", "fsession", "tp_btf", "lsm", "lsm_cgroup", "iter", "struct_ops",
    "syscall", "netfilter",
))  # fmt: skip
"""Hooks whose arguments are pointers that the verifier knows."""

_NUMBERS = {(1, False): u8, (2, False): u16, (4, False): u32, (8, False): u64,
            (1, True): i8, (2, True): i16, (4, True): i32, (8, True): i64}  # fmt: skip


class KernelType(type):
    """What a pointer into the kernel's memory points to: type `id` of `btf`.

    `__kernel__`: its name in BTF, "" where it has none.
    """

    __kernel__: str
    btf: Btf
    id: int
    way: Way

    def __static__(cls) -> PtrType:
        """As an annotation: a pointer to it."""
        return PtrType(cls)

    @property
    def trusted(cls) -> KernelType:
        """The same, read directly."""
        return pointee(cls.btf, cls.id, "trusted")

    @property
    def context(cls) -> KernelType:
        """The same as the context of a program."""
        return pointee(cls.btf, cls.id, "context")

    @property
    def untrusted(cls) -> KernelType:
        """The same, read with a helper."""
        return pointee(cls.btf, cls.id, "probe")

    def __call__(cls, *_: Any, **__: Any) -> Any:
        raise TypeError(f"{cls.__name__} is a type of the kernel, which programs have pointers to")

    def __repr__(cls) -> str:
        return f"<kernel type {cls.__name__}>"


def is_kernel(t: Any) -> bool:
    """Whether a pointer's target is memory of the kernel."""
    return isinstance(t, KernelType)


def is_kernel_pointer(t: Type) -> bool:
    """Whether values of a type point into the kernel's memory."""
    return isinstance(t, PtrType) and isinstance(t.to, KernelType)


def pointee(btf: Btf, id: int, way: Way = "probe") -> KernelType:
    """Type `id` of a BTF as what a pointer points to: the same object each time."""
    while btf.base is not None and id < btf.start_id:  # a module's is the kernel's
        btf = btf.base
    return _pointee(btf, id, way)


@cache
def _pointee(btf: Btf, id: int, way: Way) -> KernelType:
    kept = _known_as(btf, id)
    if kept != id:
        return pointee(btf, kept, way)
    found = btf.type(id)
    if isinstance(found, Fwd) and (known := kernel_source.find(found.name, Composite)) is not None:
        return pointee(known[0], known[1].id, way)
    name = getattr(found, "name", "")
    space = {"__kernel__": name, "btf": btf, "id": id, "way": way, "__module__": "ebee.vmlinux"}
    return KernelType(name or _shown(btf, id), (), space)


def _known_as(btf: Btf, id: int) -> int:
    """A type without what does not matter: a struct without a name keeps the typedef's."""
    found = btf.type(id)
    resolved = btf.resolve(id)
    while not isinstance(found, Typedef) and found.id != resolved.id:
        found = btf.type(found.type)  # type: ignore[union-attr]
    nameless = isinstance(resolved, Composite) and not resolved.name
    return found.id if nameless else resolved.id


def _shown(btf: Btf, id: int) -> str:
    """What has no name, for messages."""
    found = btf.resolve(id)
    match found:
        case Void():
            return "void"
        case Ptr():
            return f"ptr[{_shown(btf, found.type)}]"
        case Array():
            return f"array[{_shown(btf, found.type)}, {found.nelems}]"
        case Composite():
            return "a union without a name" if isinstance(found, Union) else "a struct without name"
    return getattr(found, "name", "") or "a function"


# --- by name -------------------------------------------------------------------------------------


def find(name: str) -> Any:
    """What `from ebee.vmlinux import NAME` gives: a struct or union, an enumeration (as an IntEnum)
    or the type that a typedef stands for; None when the kernel has none."""
    known = (Composite, Enumeration, Typedef)
    found = kernel_source.find(name, known)
    if found is None:
        return None
    btf, t = found
    resolved = btf.resolve(t.id)
    match resolved:
        case Composite():
            return pointee(btf, t.id)
        case Enum() | Enum64():
            return enumeration(btf, resolved.id, name)
    try:
        return static_type(btf, t.id)
    except Refusal:
        return None


@cache
def enumeration(btf: Btf, id: int, name: str) -> type[enum.IntEnum]:
    """An enumeration of the kernel, with the values of the compile-time BTF."""
    found = btf.type(id)
    assert isinstance(found, Enumeration)
    made = enum.IntEnum(name, [(v.name, v.value) for v in found.values], module="ebee.vmlinux")  # type: ignore[misc]
    made.__kernel__ = found.name  # type: ignore[attr-defined]
    made.__btf__ = btf, id  # type: ignore[attr-defined]
    return made


# --- declared by programs ------------------------------------------------------------------------


def kernel_struct(cls: type[T]) -> type[T]:
    """A struct as some kernels have it: the members that a program wants, in any order, for those
    that the types at hand lack. It is looked up by its name up to `___`.

    @kernel_struct
    class task_struct___before_5_14:
        state: i64
    """
    from ebee.btf.builder import BtfBuilder
    from ebee.btf.static import StaticTypes

    builder, space = BtfBuilder(), sys._getframe(1).f_globals
    words, members, at = StaticTypes(builder), [], 0
    id = builder.reserve()
    for name, annotation in inspect.get_annotations(cls).items():
        t = eval(annotation, dict(space)) if isinstance(annotation, str) else annotation
        t = t.__static__() if isinstance(t, KernelType) else t
        to = getattr(t, "to", None) if isinstance(t, PtrType) else None
        if isinstance(to, KernelType):
            kind, size = builder.intern(Ptr(builder.intern(Fwd(to.__kernel__)))), 8
        else:
            kind, size = words.add(t), sizeof(t)
        align = 8 if to is not None else alignof(t)
        at = -(-at // align) * align
        members.append(Member(name, kind, at * 8))
        at += size
    if not members:
        raise CompileError(f"{cls.__name__} has no members\nway out: name: type, as in a @struct")
    builder.set(id, Struct(cls.__name__, at, tuple(members)))
    made: Any = pointee(builder.build(), id)
    return made  # type: ignore[no-any-return]


# --- from BTF ------------------------------------------------------------------------------------


def static_type(btf: Btf, id: int, way: Way = "probe") -> Type:
    """A type of BTF as one of programs: numbers by size and sign, pointers to types of the kernel,
    arrays of numbers; structs as themselves. Refusal for floats and numbers over 64 bits."""
    found = btf.resolve(id)
    match found:
        case Int() if (found.size, found.signed) in _NUMBERS:
            return _NUMBERS[found.size, found.signed]
        case Enum() | Enum64():
            return _NUMBERS[found.size, found.signed]
        case Ptr():
            return PtrType(pointee(btf, found.type, way))
        case Array():
            elem = btf.resolve(found.type)
            if isinstance(elem, Int | Enum | Enum64):
                text = isinstance(elem, Int) and elem.size == 1 and elem.name == "char"
                return ArrayType(char if text else static_type(btf, elem.id), found.nelems)
            return pointee(btf, found.id, way)
        case Composite():
            return pointee(btf, found.id, way)
    what = "a float" if isinstance(found, Float) else f"`{_shown(btf, id)}`"
    raise Refusal(f"{what} of the kernel is no type of programs")


def argument(t: Type, hook: str) -> Type:
    """The type of a program's argument, declared as `t`, at a hook: of pointers into the kernel
    whether they are read directly."""
    if is_kernel_pointer(t) and hook in DIRECT:
        return type(t)(t.to.trusted)
    return t


def mismatch(btf: Btf, id: int, t: Type) -> str:
    """Why a parameter declared as `t` cannot be what BTF says it is; "" when it can."""
    try:
        want = static_type(btf, id)
    except Refusal as refusal:
        return str(refusal)
    shown = name_of(want)
    if isinstance(t, MaybePtr):
        t = PtrType(t.to)
    if isinstance(want, PtrType) != isinstance(t, PtrType):
        return f"it is a `{shown}`"
    if isinstance(want, PtrType):
        same = not (is_kernel_pointer(t) and is_kernel_pointer(want))
        named = same or not want.to.__kernel__ or not t.to.__kernel__
        fits = (
            named or want.to.__kernel__.partition("___")[0] == t.to.__kernel__.partition("___")[0]
        )
        return "" if fits else f"it is a `{shown}`"
    size, have = getattr(want, "size", 0), 1 if t is bool else 8 if t is int else t.size
    return "" if size == have or t is int else f"it is a `{shown}`, of {size} bytes"


source = kernel_source.source


def note_use() -> None:
    """Nothing to note: which types there are is part of what kept objects are named by."""


__all__ = [
    "DIRECT", "KernelType", "argument", "enumeration", "find", "is_kernel", "is_kernel_pointer",
    "kernel_struct", "mismatch", "pointee", "source", "static_type",
]  # fmt: skip
