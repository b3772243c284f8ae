"""What the verifier is told of the arguments of separate functions, which it checks by their types
alone: btf_prepare_func_args in kernel/bpf/btf.c.

    u32, bool            a number, any
    ptr[S] | None        memory of a struct, an array, a number; maybe None      since Linux 5.12
    ptr[S], S            the same, not None                     arg:nonnull      since Linux 6.8
    XdpContext, ...      the program's context                  (arg:ctx for records, since 6.8)
    task_struct          an object that the kernel vouches for  arg:trusted      since Linux 6.9
    task_struct | None                                          and arg:nullable
    arena_ptr[S]         a place in an arena                    arg:arena        since Linux 6.9
    Dynptr               memory of any size, to be read                          since Linux 6.8

Words like `arg:nonnull` are notes in BTF (decl tags) at the parameter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ebee.lang.bpf.contexts import Context
from ebee.lang.bpf.kernel_types import is_kernel, is_kernel_pointer
from ebee.lang.errors import Refusal
from ebee.lang.values import MaybePtr, Type, Value, is_integer, is_ptr, is_struct, name_of
from ebee.types import PtrType, ptr, typeof

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypeAlias

    from ebee.lang.function import Function

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ArenaPtr(PtrType):
    """`arena_ptr[T]` in a signature; values of it are of the type `ptr[T]`."""


if TYPE_CHECKING:
    arena_ptr: TypeAlias = ptr[T]
else:

    class arena_ptr(Generic[T]):
        """As the type of a parameter of a separate function: a pointer into an arena. Since Linux
        6.9."""

        def __class_getitem__(cls, to):
            made = _Marked()
            made.to = to
            return made


class _Marked:
    """The annotation `arena_ptr[T]`."""

    to: Any

    def __static__(self) -> PtrType:
        return ArenaPtr(typeof(self.to))


def tags(name: str, t: Type, record: Any) -> tuple[str, ...]:
    """The notes at a parameter of a type; Refusal where there is no way to tell the verifier.
    `record`: the @struct that is the program's context, if one is."""
    if is_integer(t) or _is_named(t):
        return ()
    if is_struct(t) and t is record:
        return ("arg:ctx",)
    if isinstance(t, ArenaPtr):
        return ("arg:arena",)
    if is_kernel_pointer(t):
        if not t.to.__kernel__:
            raise Refusal(f"`{name}` points to {t.to.__name__}", "pass what it is in")
        return ("arg:trusted", "arg:nullable") if isinstance(t, MaybePtr) else ("arg:trusted",)
    if isinstance(t, MaybePtr):
        return ()
    if is_struct(t) or is_ptr(t):
        return ("arg:nonnull",)
    raise Refusal(
        f"`{name}` is a `{name_of(t)}`, of which the verifier cannot be told",
        "a number, a pointer, a struct, the context, or inline=False",
    )


def _is_named(t: Type) -> bool:
    """Whether the verifier knows a struct by its name: contexts, dynptrs."""
    return is_struct(t) and (issubclass(t, Context) or vars(t).get("__cname__") == "bpf_dynptr")


def trusted(params: Mapping[str, Type], values: Mapping[str, Value]) -> dict[Type, Type]:
    """The types that pointers to the kernel's objects have inside a separate function."""
    found = {}
    for name, t in params.items():
        if not is_kernel_pointer(t):
            continue
        given = values[name]
        if given.text != "null" and not (is_kernel(given.type.to) and given.type.to.way != "probe"):
            raise Refusal(
                f"argument `{name}` is an address that the kernel does not vouch for",
                "pass one that a hook, a helper or a function of the kernel gives; or inline=False",
            )
        found[t] = type(t)(t.to.trusted)
    return found


def begin(f: Function, params: list[tuple[str, Type]]) -> None:
    """Inside the function the verifier takes addresses in arenas for numbers."""
    for name, t in params:
        if isinstance(t, ArenaPtr):
            from ebee.lang.bpf.arenas import near

            given = f.read(name)
            address = f.body.op(f"ptrtoint ptr {given.text} to i64")
            f.assign(name, given._replace(text=near(f.body, address)))


__all__ = ["ArenaPtr", "arena_ptr", "begin", "tags", "trusted"]
