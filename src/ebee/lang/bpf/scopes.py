"""`with`: what is given back on every way out of a block.

`with events.reserve() as e:` is a record that is sent or discarded, `with entry.lock:` a lock,
`with rcu():` a section, `with bpf_task_from_pid(1) as task:` a reference. A hidden variable holds
the record or reference as long as it is not given back; leaving the block by its end, `return`,
`break` or `continue` gives back what it holds.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING

from ebee.lang.bpf.map_calls import helper
from ebee.lang.bpf.maps import RingBuf
from ebee.lang.bpf.special import SpinLock
from ebee.lang.errors import Refusal, at
from ebee.lang.function import Scope, Variable
from ebee.lang.values import NONE, Constant, Value, is_ptr, normal_target
from ebee.types import PtrType, sizeof

if TYPE_CHECKING:
    from ebee.helpers import Helper
    from ebee.lang.function import Function, Loop

RESERVE, SUBMIT, DISCARD = 131, 132, 133
LOCK, UNLOCK = "spin_lock", "spin_unlock"


def with_statement(f: Function, node: ast.With) -> None:
    """Lower a `with`, of one thing or of several, one inside the other."""
    _inside(f, node, node.items)


def _inside(f: Function, node: ast.With, items: list[ast.withitem]) -> None:
    if not items:
        f.block(node.body)
        return
    from ebee.lang.bpf.references import context_of

    item, *more = items
    call = item.context_expr
    method = call.func if isinstance(call, ast.Call) else None
    try:
        own = context_of(f, call)
        if own is not None:
            own(f, item, lambda: _inside(f, node, more))
        elif isinstance(method, ast.Attribute) and method.attr == "reserve":
            _reservation(f, item, method, lambda: _inside(f, node, more))
        else:
            _lock(f, item, lambda: _inside(f, node, more))
    except Refusal as refusal:
        raise at(f.source, call, refusal) from None


def _lock(f: Function, item: ast.withitem, body: Callable[[], None]) -> None:
    """`with entry.lock:`: held inside, and given back on every way out."""
    from ebee.lang.bpf.intrinsics import check_allowed

    lock = f.value(item.context_expr)
    if lock.type is not SpinLock:
        raise Refusal(
            "`with` of what is neither a reservation nor a lock",
            "with events.reserve() as e: or, where entry has lock: SpinLock, with entry.lock:",
        )
    if item.optional_vars is not None:
        raise Refusal("a lock has no value", "with entry.lock:")
    if any(scope.lock for scope in f.withs):
        raise Refusal("a lock inside another one", "the kernel takes one lock, and no calls in it")
    for name in (LOCK, UNLOCK):
        check_allowed(f, helper_named(name))
    call(f, LOCK, lock)
    f.withs.append(Scope(lambda: call(f, UNLOCK, lock), len(f.loops), lock=True))
    body()
    if f.env is not None:
        call(f, UNLOCK, lock)
    f.withs.pop()


def call(f: Function, name: str, lock: Value) -> None:
    """Call a helper of one argument."""
    helper(f, helper_named(name).id, "void", f"ptr {lock.text}")


def helper_named(name: str) -> Helper:
    """The declaration of a helper."""
    from ebee.helpers import by_name

    found = by_name(name)
    assert found is not None
    return found


def _reservation(
    f: Function, item: ast.withitem, method: ast.Attribute, body: Callable[[], None]
) -> None:
    """`with events.reserve() as e:`."""
    ring = f.value(method.value)
    if not (isinstance(ring.type, Constant) and isinstance(ring.type.thing, RingBuf)):
        raise Refusal("only ring buffers have `reserve`", "events = RingBuf[Event](size=1 << 20)")
    if not isinstance(item.optional_vars, ast.Name):
        raise Refusal("the record needs a name", f"with {ast.unparse(item.context_expr)} as e:")
    t = ring.type.thing.value
    size = f"i64 {sizeof(t)}"
    text = helper(f, RESERVE, "ptr", f"ptr {ring.text}", size, "i64 0")
    record = Value(PtrType(normal_target(t)), text, maybe=1, align=8)
    held(f, item.optional_vars.id, record, _given(f, SUBMIT), body)


def held(
    f: Function, name: str, record: Value, give_back: Callable[[str], None],
    body: Callable[[], None],
) -> None:  # fmt: skip
    """Hold what a variable `name` stands for inside a block, and give it back behind it."""
    f.assign(name, record)
    hidden = f"with.{f.body.name()}"
    slot = f.body.alloca("ptr", 8, "record")
    f.variables[hidden] = Variable(record.type, slot)
    f.body.emit(f"store ptr {record.text}, ptr {slot}")
    assert f.env is not None
    f.env[hidden] = record
    f.withs.append(Scope(lambda: _release(f, hidden, give_back), len(f.loops), hidden))
    body()
    if f.env is not None:
        _release(f, hidden, give_back)
    f.withs.pop()
    if f.env is not None:  # nobody may use the record any more, under whatever name
        gone = [n for n, v in f.env.items() if v.text == record.text and is_ptr(v.type)]
        for n in {hidden, name, *gone}:
            f.env.pop(n, None)


def given_away(f: Function, record: Value) -> None:
    """Note that a reference which a `with` holds has gone elsewhere."""
    assert f.env is not None
    for scope in f.withs:
        hidden = scope.name
        if hidden and hidden in f.env and f.env[hidden].text == record.text:
            if scope.depth != len(f.loops):
                raise Refusal(
                    "a reference is given away inside a loop", "note it in a variable, do it after"
                )
            f.body.emit(f"store ptr null, ptr {f.variables[hidden].slot}")
            f.env[hidden] = f.env[hidden]._replace(text="", maybe=2)


def _given(f: Function, how: int) -> Callable[[str], None]:
    """How a record of a ring buffer is given back."""

    def give_back(text: str) -> None:
        helper(f, how, "void", f"ptr {text}", "i64 0")

    return give_back


def leave(f: Function, loop: Loop | None) -> None:
    """Before a return (no loop), or a break or continue of a loop, from inside."""
    inside = 0 if loop is None else f.loops.index(loop) + 1
    for scope in reversed(f.withs):
        if scope.depth >= inside:
            scope.leave()


def _release(f: Function, hidden: str, give_back: Callable[[str], None]) -> None:
    assert f.env is not None
    known = f.env[hidden]
    if known.maybe == 2:
        return
    record, b = f.read(hidden), f.body
    if not known.maybe:
        give_back(record.text)
        return
    there, end = b.name("there"), b.name("end")
    null = b.op(f"icmp eq ptr {record.text}, null")
    b.end(f"br i1 {null}, label %{end}, label %{there}")
    b.label(there)
    give_back(record.text)
    b.label(end)


def discard(f: Function, node: ast.Call, ring: Value) -> Value:
    """`events.discard(e)`."""
    if len(node.args) != 1 or node.keywords or not isinstance(node.args[0], ast.Name):
        raise Refusal("`discard` takes the reserved record", "events.discard(e)")
    record = f.value(node.args[0])
    assert f.env is not None
    for scope in f.withs:
        hidden = scope.name
        if hidden and is_ptr(record.type) and f.env[hidden].text == record.text:
            if scope.depth != len(f.loops):
                raise Refusal(
                    "a record is discarded inside a loop", "note it in a variable, discard it after"
                )
            _release(f, hidden, _given(f, DISCARD))
            f.body.emit(f"store ptr null, ptr {f.variables[hidden].slot}")
            f.env[hidden] = f.env[hidden]._replace(text="", maybe=2)
            for name, v in f.env.items():
                if v.text == record.text and is_ptr(v.type):
                    f.env[name] = v._replace(maybe=2)
            return NONE
    raise Refusal(f"`{ast.unparse(node.args[0])}` is no record that is reserved here")


__all__ = ["discard", "leave", "with_statement"]
