"""What `with` holds of the kernel: references that functions acquire, and sections.

with bpf_task_from_pid(pid) as task:      # given back by bpf_task_release
with servers.lookup(0) as sk:             # a socket, given back by bpf_sk_release
with rcu():                               # bpf_rcu_read_lock and its end. Since Linux 6.2
with no_preemption():                     # bpf_preempt_disable and its end. Since Linux 6.10
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from ebee.lang.bpf import graphs, kfuncs
from ebee.lang.bpf.kfuncs import Kfunc
from ebee.lang.bpf.kptrs import kept_type, release_for
from ebee.lang.errors import Refusal
from ebee.lang.function import Scope
from ebee.lang.source import MISSING
from ebee.lang.static import static
from ebee.lang.values import Value

if TYPE_CHECKING:
    from ebee.lang.function import Function

Body = Callable[[], None]


def rcu() -> AbstractContextManager[None]:
    """A section in which what RCU protects stays. In programs that may sleep; others are in one
    anyway. Since Linux 6.2."""
    raise TypeError("rcu() is for programs")


def no_preemption() -> AbstractContextManager[None]:
    """A section that nothing else interrupts on this CPU. Since Linux 6.10."""
    raise TypeError("no_preemption() is for programs")


SECTIONS = {
    rcu: ("bpf_rcu_read_lock", "bpf_rcu_read_unlock"),
    no_preemption: ("bpf_preempt_disable", "bpf_preempt_enable"),
}
"""Functions that `with` calls -> how a section begins and ends."""


def function(name: str) -> Kfunc:
    """A function of the kernel; Refusal when the types at hand have none of that name."""
    found = kfuncs.find(name)
    if not isinstance(found, Kfunc):
        from ebee.lang.bpf.kernel_source import source

        raise Refusal(f"{source().name} has no function {name}", "EBEE_BTF=file names other types")
    return found


def context_of(
    f: Function, node: ast.expr
) -> Callable[[Function, ast.withitem, Body], None] | None:
    """How `with` of an expression is lowered, if it is one of these."""
    thing = static(f, node.func) if isinstance(node, ast.Call) else MISSING
    if isinstance(thing, Kfunc):
        return _reference
    if kept_type(f, node) is not None:
        return _exchanged
    if graphs.taken(f, node):
        return _object
    if _gives_socket(f, node, thing):
        return _socket
    return _section if callable(thing) and thing in SECTIONS else None


def _section(f: Function, item: ast.withitem, body: Body) -> None:
    call = item.context_expr
    assert isinstance(call, ast.Call)
    if call.args or call.keywords or item.optional_vars is not None:
        raise Refusal(f"`{ast.unparse(call)}` takes and gives nothing", "with rcu():")
    begin, end = (function(name) for name in SECTIONS[static(f, call.func)])
    kfuncs.call_with(f, call, begin, {})

    def leave() -> None:
        kfuncs.emit(f, end, [])

    f.withs.append(Scope(leave, len(f.loops)))
    body()
    if f.env is not None:
        leave()
    f.withs.pop()


def _exchanged(f: Function, item: ast.withitem, body: Body) -> None:
    """`with entry.task.exchange(None) as old:`."""
    t = kept_type(f, item.context_expr)
    assert t is not None
    _hold(f, item, _by(f, release_for(f, t)), body)


def _object(f: Function, item: ast.withitem, body: Body) -> None:
    """`with new(Job) as job:`, `with entry.waiting.pop() as job:`."""
    _hold(f, item, lambda text: graphs.give_back(f, text), body)


def _gives_socket(f: Function, node: ast.expr, thing: Any) -> bool:
    """Whether a call is a helper that gives a socket to keep, or the lookup of a map of sockets."""
    from ebee.lang.bpf.intrinsics import HelperName
    from ebee.lang.bpf.maps_more import SockHash, SockMap

    if isinstance(thing, HelperName):
        result = thing.declared.result
        return result.owned and result.kind in ("socket", "sock_common")
    func = node.func if isinstance(node, ast.Call) else None
    if not isinstance(func, ast.Attribute) or func.attr != "lookup":
        return False
    return isinstance(static(f, func.value), SockMap | SockHash)


def _socket(f: Function, item: ast.withitem, body: Body) -> None:
    """`with servers.lookup(0) as sk:`, `with bpf.sk_lookup_tcp(...) as sk:`. Since Linux 4.20."""
    from ebee.lang.bpf.intrinsics import check_allowed
    from ebee.lang.bpf.map_calls import helper
    from ebee.lang.bpf.scopes import helper_named

    release = helper_named("sk_release")
    check_allowed(f, release)

    def give_back(text: str) -> None:
        helper(f, release.id, "void", f"ptr {text}")

    _hold(f, item, give_back, body)


def _reference(f: Function, item: ast.withitem, body: Body) -> None:
    call = item.context_expr
    assert isinstance(call, ast.Call)
    kfunc: Any = static(f, call.func)
    release = kfuncs.release_of(kfunc) if "acquire" in kfunc.flags else None
    if release is None:
        raise Refusal(f"`{kfunc.name}` gives nothing that would be given back", "call it plainly")
    _hold(f, item, _by(f, release), body)


def _by(f: Function, release: Kfunc) -> Callable[[str], None]:
    """Giving back by a function of the kernel."""

    def give_back(text: str) -> None:
        kfuncs.emit(f, release, [f"ptr {text}"])

    return give_back


def _hold(
    f: Function, item: ast.withitem, give_back: Callable[[str], None], body: Body
) -> None:  # fmt: skip
    """Hold what an expression gives inside a block, and give it back behind it."""
    from ebee.lang.bpf.scopes import held

    if not isinstance(item.optional_vars, ast.Name):
        shown = ast.unparse(item.context_expr)
        raise Refusal("the reference needs a name", f"with {shown} as thing:")
    record: Value = f.value(item.context_expr)
    held(f, item.optional_vars.id, record, give_back, body)


__all__ = ["context_of", "function", "no_preemption", "rcu"]
