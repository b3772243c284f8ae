"""Iterators of the kernel: `for task in bpf_iter_task(None, 0):` (since Linux 6.4).

An iterator lives on the stack. It is begun by bpf_iter_NAME_new, gives an element or null by _next,
and is ended by _destroy, on every way out of the loop.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from ebee.lang import memory
from ebee.lang.bpf import kfuncs
from ebee.lang.bpf.kernel_types import is_kernel_pointer
from ebee.lang.bpf.kfuncs import Iterator
from ebee.lang.bpf.references import function
from ebee.lang.errors import Refusal, at
from ebee.lang.function import Loop, Scope
from ebee.lang.statements import after_loop, assign_to, loop_body
from ebee.lang.static import static
from ebee.lang.values import Value
from ebee.types import ArrayType, PtrType, u8

if TYPE_CHECKING:
    from ebee.lang.function import Function


def over(f: Function, node: ast.For) -> bool:
    """A loop over an iterator of the kernel; whether it is one."""
    call = node.iter
    thing = static(f, call.func) if isinstance(call, ast.Call) else None
    if not isinstance(thing, Iterator):
        return False
    assert isinstance(call, ast.Call)
    try:
        _loop(f, node, thing, call)
    except Refusal as refusal:
        raise at(f.source, call, refusal) from None
    return True


def _loop(f: Function, node: ast.For, iterator: Iterator, call: ast.Call) -> None:
    b = f.body
    new, following, destroy = (
        function(f"{iterator.name}_{end}") for end in ("new", "next", "destroy")
    )
    text = b.alloca(f"[{iterator.size} x i8]", 8, "iterator")
    it = Value(PtrType(u8), text, stack=True, align=8)
    given = kfuncs.bind(call, new, skip=1)
    kfuncs.call_with(f, call, new, {**given, new.params[0].name: it})

    def leave() -> None:
        kfuncs.emit(f, destroy, [f"ptr {text}"])

    head, inside, done, end = (b.name(n) for n in ("for", "body", "done", "end"))
    loop = Loop(end, head, [], [])
    f.withs.append(Scope(leave, len(f.loops)))
    b.label(head)
    f.forget(node)
    at_head = f.fork()
    item = kfuncs.emit(f, following, [f"ptr {text}"])
    more = b.op(f"icmp ne ptr {item.text}, null")
    b.end(f"br i1 {more}, label %{inside}, label %{done}")
    b.label(inside)
    item = item._replace(maybe=0)
    plain = not (is_kernel_pointer(item.type) or isinstance(item.type.to, ArrayType))
    assign_to(f, node.target, memory.load(b, item) if plain else item)
    loop_body(f, loop, node.body)
    if f.env is not None:
        b.jump(head)
    after_loop(f, loop, at_head, done, node.orelse)
    if f.env is not None:
        leave()
    f.withs.pop()


__all__ = ["over"]
