"""Pointers of the kernel that values of maps keep: `task: Kptr[task_struct]`. Since Linux 5.19.

What is there is changed by exchange only: `old = entry.task.exchange(new)` puts in a reference that
the program holds (or None) and gives the program the one that was there, to be given back.
`entry.task.get()` looks at it; it may be None, and it stays as long as RCU protects it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ebee.lang.bpf import kfuncs
from ebee.lang.bpf.kernel_types import KernelType, is_kernel_pointer
from ebee.lang.bpf.map_calls import helper
from ebee.lang.errors import Refusal, at
from ebee.lang.expressions import place
from ebee.lang.values import Value, name_of
from ebee.types import PtrType

if TYPE_CHECKING:
    from ebee.lang.function import Function

T = TypeVar("T")

EXCHANGE = 194
"""bpf_kptr_xchg."""

if TYPE_CHECKING:

    class Kptr(Generic[T]):
        """A reference to an object of the kernel in a value of a map."""

        def exchange(self, new: T | None) -> T:
            """Put in a reference that the program holds, or None; gives what was there."""

        def get(self) -> T | None:
            """What is there, to be looked at."""
else:

    class Kptr:
        """`Kptr[task_struct]`: a reference to an object of the kernel in a value of a map."""

        def __class_getitem__(cls, to):
            if not isinstance(to, KernelType):
                raise TypeError(f"Kptr[{to!r}]: a struct of the kernel, from ebee.vmlinux")
            return KptrType(to)


@dataclass(frozen=True, slots=True)
class KptrType(PtrType):
    """The type of such a member."""

    tag = "kptr"


def method(f: Function, node: ast.Call) -> Value | None:
    """`entry.task.exchange(new)`, `entry.task.get()`; None when it is neither."""
    from ebee.lang.bpf.members import plain_type

    func = node.func
    if not isinstance(func, ast.Attribute) or func.attr not in _METHODS:
        return None
    t = plain_type(f, func.value)
    if not isinstance(t, KptrType):
        return None
    where, _ = place(f, func.value)
    return _METHODS[func.attr](f, node, t, where)


def _exchange(f: Function, node: ast.Call, t: KptrType, where: Value) -> Value:
    from ebee.lang.bpf.intrinsics import check_allowed
    from ebee.lang.bpf.scopes import given_away, helper_named

    check_allowed(f, helper_named("kptr_xchg"))
    if len(node.args) != 1 or node.keywords:
        raise Refusal("`exchange` takes what is to be there", "entry.task.exchange(None)")
    new = f.value(node.args[0])
    if new.text != "null":
        if not (is_kernel_pointer(new.type) and new.type.to.untrusted is t.to):
            wrong = Refusal(f"`{name_of(new.type)}` where a {t.to.__name__} is kept")
            raise at(f.source, node.args[0], wrong)
        if new.maybe:
            from ebee.lang.memory import check_null

            check_null(new, f"`{ast.unparse(node.args[0])}`")
    old = helper(f, EXCHANGE, "ptr", f"ptr {where.text}", f"ptr {new.text}")
    given_away(f, new)
    return Value(PtrType(t.to.trusted), old, maybe=1, align=8)


def _get(f: Function, node: ast.Call, t: KptrType, where: Value) -> Value:
    if node.args or node.keywords:
        raise Refusal("`get` takes no arguments")
    text = f.body.op(f"load ptr, ptr {where.text}, align 8")
    return Value(PtrType(t.to.trusted), text, maybe=1, align=8)


_METHODS: dict[str, Callable[[Function, ast.Call, KptrType, Value], Value]] = {
    "exchange": _exchange, "get": _get,
}  # fmt: skip


def release_for(f: Function, t: KernelType) -> kfuncs.Kfunc:
    """What gives back an object of a type."""
    found = kfuncs.release_of_type(t.btf, t.id)
    if found is None:
        raise Refusal(f"nothing gives back a {t.__name__}", "exchange it plainly")
    kfuncs.check_allowed(f, found)
    return found


def kept_type(f: Function, node: ast.expr) -> KernelType | None:
    """What `with entry.task.exchange(...)` holds, if it is that."""
    from ebee.lang.bpf.members import plain_type

    func = node.func if isinstance(node, ast.Call) else None
    if isinstance(func, ast.Attribute) and func.attr == "exchange":
        t: Any = plain_type(f, func.value)
        if isinstance(t, KptrType):
            return t.to  # type: ignore[no-any-return]
    return None


__all__ = ["Kptr", "KptrType", "kept_type", "method", "release_for"]
