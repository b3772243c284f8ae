"""Objects that programs allocate, and lists and trees of them in values of maps (since Linux 6.3):

    @struct
    class Job:
        node: ListNode
        id: u64

    @struct
    class Jobs:
        lock: SpinLock
        waiting: ListHead[Job, Literal["node"]]

    with new(Job) as job:                      # may be None; dropped behind the block
        ...
        with jobs.lock:
            jobs.waiting.push(job)             # the list's from here on

Lists have push, push_front, pop and pop_back; trees (`RbRoot`, of objects that begin with their
`RbNode`) add(item, less), first() and remove(item). All of them with the lock beside them held.
"""

from __future__ import annotations

import ast
import typing
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ebee.lang import memory
from ebee.lang.bpf import kfuncs
from ebee.lang.bpf.state import unit_of
from ebee.lang.calls import one_argument, type_argument
from ebee.lang.errors import Refusal, at
from ebee.lang.expressions import place
from ebee.lang.values import NONE, FunctionRef, Value, is_ptr, is_struct, name_of
from ebee.types import Field, PtrType, Struct, fields, struct, u64

if TYPE_CHECKING:
    from ebee.lang.function import Function

T = TypeVar("T")
N = TypeVar("N")


def new(kind: type[T]) -> AbstractContextManager[T | None]:
    """An object of a program's own; None when there is no memory. What is not put into a list or
    tree is given back by `drop`, or by `with`. Since Linux 6.3."""
    raise TypeError("objects of programs are made by programs")


def drop(thing: object) -> None:
    """Give back an object that `new`, or a list or tree, gave."""
    raise TypeError("objects of programs are dropped by programs")


@struct
class ListNode:
    """What makes a struct an element of lists. Since Linux 6.3."""

    first: u64
    second: u64
    third: u64


@struct
class RbNode:
    """What makes a struct an element of trees: its first member. Since Linux 6.4."""

    first: u64
    second: u64
    third: u64
    fourth: u64


setattr(ListNode, "__cname__", "bpf_list_node")  # noqa: B010
setattr(RbNode, "__cname__", "bpf_rb_node")  # noqa: B010

if TYPE_CHECKING:

    class ListHead(Generic[T, N]):
        """A list in a value of a map."""

        def push(self, item: T) -> None:
            """Add it at the end."""

        def push_front(self, item: T) -> None:
            """Add it at the beginning."""

        def pop(self) -> T | None:
            """Take the first one out."""

        def pop_back(self) -> T | None:
            """Take the last one out."""

    class RbRoot(Generic[T, N]):
        """A tree in a value of a map."""

        def add(self, item: T, less: Callable[[T, T], bool]) -> None:
            """Add it, in the order that `less` says."""

        def first(self) -> T | None:
            """The least one, which stays where it is."""

        def remove(self, item: T) -> T | None:
            """Take it out."""
else:

    class _Root:
        def __class_getitem__(cls, item):
            kind, name = item
            if typing.get_origin(name) is typing.Literal:
                (name,) = typing.get_args(name)
            return _root(cls.__name__, kind, name)

    class ListHead(_Root):
        """`ListHead[Job, "node"]`: a list of Jobs, by their member `node`."""

    class RbRoot(_Root):
        """`RbRoot[Job, "node"]`: a tree of Jobs, by their member `node`."""


_KINDS = {"ListHead": ("bpf_list_head", ListNode), "RbRoot": ("bpf_rb_root", RbNode)}


@cache
def _root(kind: str, item: Any, name: str) -> Any:
    """The type of a list or tree: 16 bytes that belong to the kernel."""
    cname, node = _KINDS[kind]
    if not is_struct(item) or name not in fields(item) or fields(item)[name].type is not node:
        shown = getattr(item, "__name__", item)
        raise TypeError(f"{kind}[{shown}, {name!r}]: {shown}.{name} is no {node.__name__}")
    if kind == "RbRoot" and fields(item)[name].offset:
        raise TypeError(f"{kind}[{item.__name__}, {name!r}]: it must be the first member")
    members = {n: Field(n, u64, 8 * i) for i, n in enumerate(("first_", "second_"))}
    space = {"__slots__": (), "__fields__": members, "__size__": 16, "__align__": 8}
    made: Any = type(kind, (Struct,), {**space, **members, "__cname__": cname})
    made.contains, made.tag = (item, name), f"contains:{item.__name__}:{name}"
    return made


# --- objects -------------------------------------------------------------------------------------


def _new(f: Function, node: ast.Call) -> Value:
    t = type_argument(f, one_argument(node))
    if not is_struct(t):
        raise Refusal(f"new of a `{name_of(t)}`, not a @struct")
    made = _function("bpf_obj_new_impl")
    kfuncs.check_allowed(f, made)
    number = unit_of(f).core.own(f, t)
    found = kfuncs.emit(f, made, [f"i64 {number}", "ptr null"])
    return found._replace(type=PtrType(t), maybe=1)


def _drop(f: Function, node: ast.Call) -> Value:
    from ebee.lang.bpf.scopes import given_away

    thing = f.value(one_argument(node))
    if not (is_ptr(thing.type) and is_struct(thing.type.to)):
        raise Refusal(f"a `{name_of(thing.type)}` is no object of the program")
    memory.check_null(thing, f"`{ast.unparse(node.args[0])}`")
    give_back(f, thing.text)
    given_away(f, thing)
    return NONE


def give_back(f: Function, text: str) -> None:
    """Drop an object."""
    kfuncs.emit(f, _function("bpf_obj_drop_impl"), [f"ptr {text}", "ptr null"])


def _function(name: str) -> kfuncs.Kfunc:
    from ebee.lang.bpf.references import function

    return function(name)


CALLS: dict[Any, Callable[[Function, ast.Call], Value]] = {new: _new, drop: _drop}


# --- lists and trees -----------------------------------------------------------------------------


def root_of(f: Function, node: ast.expr) -> Any:
    """The type of the list or tree that `entry.waiting.push` is a method of, or None."""
    from ebee.lang.bpf.members import plain_type

    if not isinstance(node, ast.Attribute) or node.attr not in _METHODS:
        return None
    t = plain_type(f, node.value)
    return t if is_struct(t) and hasattr(t, "contains") else None


def method(f: Function, node: ast.Call) -> Value | None:
    """`entry.waiting.push(job)` and the like; None when it is none of those."""
    t = root_of(f, node.func)
    if t is None:
        return None
    assert isinstance(node.func, ast.Attribute)
    kind, lower = _METHODS[node.func.attr]
    if kind != t.__name__:
        known = ", ".join(n for n, (k, _) in _METHODS.items() if k == t.__name__)
        raise Refusal(f"a {t.__name__} has no `{node.func.attr}`", f"it has {known}")
    root, _ = place(f, node.func.value)
    return lower(f, node, t, root.text)


Lower = Callable[["Function", ast.Call, Any, str], Value]


def _item(f: Function, node: ast.Call, t: Any, count: int) -> Value:
    """The first argument: an object of the type that the list or tree holds."""
    item, shown = t.contains[0], ast.unparse(node.func)
    if len(node.args) != count or node.keywords:
        raise Refusal(f"`{shown}` takes {count} argument{'s'[: count != 1]}")
    value = f.value(node.args[0])
    if not (is_ptr(value.type) and value.type.to is item):
        wrong = Refusal(f"`{name_of(value.type)}` where a {item.__name__} is wanted")
        raise at(f.source, node.args[0], wrong)
    memory.check_null(value, f"`{ast.unparse(node.args[0])}`")
    return value


def _inside(f: Function, t: Any, item: Value) -> str:
    """The address of an object's node."""
    offset = fields(t.contains[0])[t.contains[1]].offset
    b = f.body
    return b.op(f"getelementptr i8, ptr {item.text}, i64 {offset}") if offset else item.text


def _around(f: Function, t: Any, node: Value) -> Value:
    """The object that a node is in, if there is one: no arithmetic before that is known."""
    kind, name = t.contains
    offset, b = fields(kind)[name].offset, f.body
    text = node.text
    if offset:
        there, end, before = b.name("there"), b.name("end"), b.block
        b.end(f"br i1 {b.op(f'icmp eq ptr {text}, null')}, label %{end}, label %{there}")
        b.label(there)
        same = b.op(f'call ptr asm sideeffect "", "=r,0"(ptr {text})')
        back = b.op(f"getelementptr i8, ptr {same}, i64 -{offset}")
        b.jump(end)
        b.label(end)
        text = b.op(f"phi ptr [ null, %{before} ], [ {back}, %{there} ]")
    return Value(PtrType(kind), text, maybe=1, align=8)


def _push(name: str) -> Lower:
    def lower(f: Function, node: ast.Call, t: Any, root: str) -> Value:
        from ebee.lang.bpf.scopes import given_away

        item = _item(f, node, t, 1)
        operands = [f"ptr {root}", f"ptr {_inside(f, t, item)}", "ptr null", "i64 0"]
        kfuncs.emit(f, _function(name), operands)
        given_away(f, item)
        return NONE

    return lower


def _take(name: str) -> Lower:
    def lower(f: Function, node: ast.Call, t: Any, root: str) -> Value:
        if node.args or node.keywords:
            raise Refusal(f"`{ast.unparse(node.func)}` takes no arguments")
        return _around(f, t, kfuncs.emit(f, _function(name), [f"ptr {root}"]))

    return lower


def _add(f: Function, node: ast.Call, t: Any, root: str) -> Value:
    from ebee.lang.bpf.scopes import given_away

    item = _item(f, node, t, 2)
    less = f.value(node.args[1])
    if not isinstance(less.type, FunctionRef):
        raise at(f.source, node.args[1], Refusal("the order is a function", "tree.add(job, less)"))
    called = unit_of(f).called_back(less.type.function)
    operands = [f"ptr {root}", f"ptr {item.text}", f"ptr {called}", "ptr null", "i64 0"]
    kfuncs.emit(f, _function("bpf_rbtree_add_impl"), operands)
    given_away(f, item)
    return NONE


def _remove(f: Function, node: ast.Call, t: Any, root: str) -> Value:
    item = _item(f, node, t, 1)
    found = kfuncs.emit(f, _function("bpf_rbtree_remove"), [f"ptr {root}", f"ptr {item.text}"])
    return _around(f, t, found)


_METHODS: dict[str, tuple[str, Lower]] = {
    "push": ("ListHead", _push("bpf_list_push_back_impl")),
    "push_front": ("ListHead", _push("bpf_list_push_front_impl")),
    "pop": ("ListHead", _take("bpf_list_pop_front")),
    "pop_back": ("ListHead", _take("bpf_list_pop_back")),
    "add": ("RbRoot", _add),
    "first": ("RbRoot", _take("bpf_rbtree_first")),
    "remove": ("RbRoot", _remove),
}


def taken(f: Function, node: ast.expr) -> bool:
    """Whether an expression gives an object that must be given back."""
    from ebee.lang.static import static

    if not isinstance(node, ast.Call):
        return False
    if static(f, node.func) is new:
        return True
    given = isinstance(node.func, ast.Attribute) and node.func.attr in ("pop", "pop_back", "remove")
    return given and root_of(f, node.func) is not None


__all__ = ["CALLS", "ListHead", "ListNode", "RbNode", "RbRoot", "drop", "give_back", "method",
           "new", "taken"]  # fmt: skip
