"""Methods of maps that are calls of one helper, as declarations; and those of queues and filters.

A declaration lists the helper's arguments: MAP, SIZE (of a record), a parameter of the method by
its name, or one with what it is when it is not given.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ebee.lang.bpf import maps_kernel as kernel
from ebee.lang.bpf import maps_more as more
from ebee.lang.bpf.maps import AnyMap
from ebee.lang.bpf.sockets import Sock
from ebee.lang.bpf.state import unit_of
from ebee.lang.errors import Refusal
from ebee.lang.values import Value, normal_target
from ebee.types import PtrType, sizeof

if TYPE_CHECKING:
    from ebee.lang.function import Function

MAP, SIZE = "map", "size"


@dataclass(frozen=True)
class Via:
    """A method that is the call of a helper: its name, or one for each hook, and arguments."""

    helper: str | dict[str, str]
    arguments: tuple[str | tuple[str, int], ...]


_REDIRECT = Via("redirect_map", (MAP, "key", ("otherwise", 0)))
_SKB = ("sk_skb",)


_SELECT = Via("sk_select_reuseport", ("ctx", MAP, "key", ("flags", 0)))


def _socket(kind: str) -> dict[str, Via]:
    ways = {"sk_msg": f"msg_redirect_{kind}"} | dict.fromkeys(_SKB, f"sk_redirect_{kind}")
    word = "sock_map_update" if kind == "map" else "sock_hash_update"
    return {
        "redirect": Via(ways, ("ctx", MAP, "key", ("flags", 0))),
        "select": _SELECT,
        "add": Via(word, ("ctx", MAP, "key", ("flags", 0))),
    }


def _storage(word: str) -> dict[str, Via]:
    return {
        "get": Via(f"{word}_storage_get", (MAP, "owner", ("value", 0), ("create", 1))),
        "delete": Via(f"{word}_storage_delete", (MAP, "owner")),
    }


_OWN = Via("get_local_storage", (MAP, ("flags", 0)))
_QUEUE = {"push": Via("map_push_elem", (MAP, "value", ("flags", 0)))}

VIA: dict[type, dict[str, Via]] = {
    more.Queue: _QUEUE, more.Stack: _QUEUE,
    more.Bloom: {"add": Via("map_push_elem", (MAP, "value", ("flags", 0)))},
    more.PerfEventArray: {"output": Via(
        "perf_event_output", ("ctx", MAP, ("flags", more.CURRENT_CPU), "record", SIZE))},
    more.StackTrace: {"id": Via("get_stackid", ("ctx", MAP, ("flags", 0)))},
    more.DevMap: {"redirect": _REDIRECT}, more.DevMapHash: {"redirect": _REDIRECT},
    more.CpuMap: {"redirect": _REDIRECT}, more.XskMap: {"redirect": _REDIRECT},
    more.SockMap: _socket("map"), more.SockHash: _socket("hash"),
    more.CgroupArray: {
        "has_current": Via("current_task_under_cgroup", (MAP, "index")),
        "has_socket_of": Via("skb_under_cgroup", ("ctx", MAP, "index")),
    },
    kernel.ReuseportArray: {"select": _SELECT},
    kernel.AttachedStorage: {"get": _OWN}, kernel.PerCpuAttachedStorage: {"get": _OWN},
    more.TaskStorage: _storage("task"), more.InodeStorage: _storage("inode"),
    more.SkStorage: _storage("sk"), more.CgroupStorage: _storage("cgrp"),
}  # fmt: skip
"""Kind of map -> method -> helper."""

Method = Callable[["Function", ast.Call, Value], Value]


def methods_of(m: AnyMap[Any, Any]) -> dict[str, Method] | None:
    """The methods of a map that are declared here, None when there are none."""
    from ebee.lang.bpf import map_calls

    declared = VIA.get(type(m))
    if declared is None:
        return None
    found: dict[str, Method] = {name: _calling(via) for name, via in declared.items()}
    if isinstance(m, more.Queue):
        found |= {"pop": _taking("map_pop_elem"), "peek": _taking("map_peek_elem")}
    if isinstance(m, more._Redirecting):
        found |= {"lookup": map_calls.ELEMENTS["lookup"]}
    if isinstance(m, more.SockMap | more.SockHash):
        found |= {"lookup": _socket_at, "delete": map_calls.ELEMENTS["delete"]}
    return found


def _calling(via: Via) -> Method:
    def method(f: Function, node: ast.Call, m: Value) -> Value:
        return _call(f, node, m, via)

    return method


def _call(f: Function, node: ast.Call, m: Value, via: Via) -> Value:
    """Call the helper of a method."""
    from ebee.lang.bpf.intrinsics import call_helper, helper_name

    helper = via.helper
    if isinstance(helper, dict):
        hook = unit_of(f).hook.name
        if hook not in helper:
            message = f"{hook} programs cannot call `{ast.unparse(node.func)}`"
            raise Refusal(message, f"only those of {', '.join(helper)} can")
        helper = helper[hook]
    name = helper_name(helper)
    assert name is not None
    here = ast.copy_location(ast.Name(" map", ast.Load()), node)
    given = _given(node, via)
    size = sizeof(m.type.thing.value) if SIZE in via.arguments else 0
    fixed: dict[Any, ast.expr] = {MAP: here, SIZE: ast.Constant(size)}
    arguments = [
        fixed[a] if isinstance(a, str) and a in fixed else given[a if isinstance(a, str) else a[0]]
        for a in via.arguments
    ]
    call = ast.copy_location(ast.Call(here, arguments, []), node)
    result: Value = f.with_local(" map", m, lambda: call_helper(f, call, name))
    return result


def _given(node: ast.Call, via: Via) -> dict[str, ast.expr]:
    """The arguments of a call by parameter, those that are not given as their defaults."""
    wanted = sorted((a for a in via.arguments if a not in (MAP, SIZE)),
                    key=lambda a: isinstance(a, tuple))  # fmt: skip
    names = [a if isinstance(a, str) else a[0] for a in wanted]
    found = dict(zip(names, node.args, strict=False))
    for keyword in node.keywords:
        if keyword.arg not in names or keyword.arg in found:
            raise Refusal(f"`{ast.unparse(node.func)}` takes {', '.join(names)}")
        found[keyword.arg] = keyword.value
    missing = [a for a in wanted if isinstance(a, str) and a not in found]
    if missing or len(node.args) > len(names):
        raise Refusal(f"`{ast.unparse(node.func)}` takes {', '.join(names)}")
    for a in wanted:
        if isinstance(a, tuple) and a[0] not in found:
            value = None if a == ("value", 0) else a[1]  # no first value: zeros
            found[a[0]] = ast.copy_location(ast.Constant(value), node)
    return found


def _socket_at(f: Function, node: ast.Call, m: Value) -> Value:
    """`sockets.lookup(key)`: the socket, which must be given back."""
    from ebee.lang.bpf import map_calls

    found: Value = map_calls.ELEMENTS["lookup"](f, node, m)
    return found._replace(type=PtrType(Sock), align=0)


# --- queues and filters --------------------------------------------------------------------------


def _taking(helper: str) -> Method:
    """`queue.pop()`, `queue.peek()`: a copy on the stack, or None."""

    def method(f: Function, node: ast.Call, m: Value) -> Value:
        from ebee.lang.bpf.intrinsics import check_allowed, helper_name
        from ebee.lang.bpf.map_calls import helper as call

        if node.args or node.keywords:
            raise Refusal(f"`{ast.unparse(node.func)}` takes no arguments")
        name = helper_name(helper)
        assert name is not None
        check_allowed(f, name.declared)
        t, b = m.type.thing.value, f.body
        slot = b.alloca(f"[{sizeof(t)} x i8]", 8, "taken")
        failed = call(f, name.declared.id, "i64", f"ptr {m.text}", f"ptr {slot}")
        there = b.op(f"icmp eq i64 {failed}, 0")
        text = b.op(f"select i1 {there}, ptr {slot}, ptr null")
        return Value(PtrType(normal_target(t)), text, stack=True, maybe=1, align=8)

    return method


def probably_in(f: Function, value: Value, m: Value) -> Value:
    """`value in bloom`."""
    from ebee.lang.bpf import map_calls

    node = ast.copy_location(ast.Name(" key", ast.Load()), f.source.tree)
    declared = m.type.thing
    there = f.with_local(
        " key", value, lambda: map_calls.operand(f, node, declared.value, "the value")
    )
    failed = map_calls.helper(f, 89, "i64", f"ptr {m.text}", there)
    return Value(bool, f.body.op(f"icmp eq i64 {failed}, 0"), 0, 1)


__all__ = ["VIA", "Via", "methods_of", "probably_in"]
