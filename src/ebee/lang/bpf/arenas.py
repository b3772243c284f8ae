"""Memory of arenas: pages, and their addresses as programs and user space have them.

A program's pointer into an arena is the kernel's; what is kept in the arena, or shown to user
space, are addresses of user space. LLVM knows the latter as pointers of address space 1, and has an
instruction (addr_space_cast) to go from one to the other.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import TYPE_CHECKING

from ebee.lang import arith, memory
from ebee.lang.bpf import kfuncs, references
from ebee.lang.errors import Refusal
from ebee.lang.values import NONE, Value, constant, is_ptr, is_struct, name_of, normal_target, span
from ebee.types import PtrType, u32, u64

if TYPE_CHECKING:
    from ebee.lang.function import Function
    from ebee.lang.ir import Body

ALLOC, FREE = "bpf_arena_alloc_pages", "bpf_arena_free_pages"
ANYWHERE = -1
"""NUMA_NO_NODE."""


def _pages(f: Function, given: list[ast.expr]) -> str:
    value = f.as_type(given[0], u32, "the number of pages") if given else constant(u32, 1)
    return f"i32 {arith.operand(f.body, value, 32)}"


def _alloc(f: Function, node: ast.Call, m: Value) -> Value:
    """`heap.alloc(pages)`."""
    from ebee.lang.bpf.map_calls import _arguments

    pages = _pages(f, _arguments(node, "pages", optional=1))
    found = kfuncs.emit(
        f, references.function(ALLOC),
        [f"ptr {m.text}", "ptr null", pages, f"i32 {ANYWHERE}", "i64 0"],
    )  # fmt: skip
    return _here(f, m, f.body.op(f"ptrtoint ptr {found.text} to i64"))


def _free(f: Function, node: ast.Call, m: Value) -> Value:
    """`heap.free(place, pages)`."""
    from ebee.lang.bpf.map_calls import _arguments

    place, *more = _arguments(node, "place", "pages", optional=1)
    there = f.body.op(f"inttoptr i64 {_there(f, place)} to ptr")
    kfuncs.emit(f, references.function(FREE), [f"ptr {m.text}", f"ptr {there}", _pages(f, more)])
    return NONE


def _address(f: Function, node: ast.Call, m: Value) -> Value:
    """`heap.address(place)`."""
    from ebee.lang.bpf.map_calls import _arguments

    (place,) = _arguments(node, "place")
    return Value(u64, _there(f, place), *span(u64))


def _at(f: Function, node: ast.Call, m: Value) -> Value:
    """`heap.at(address)`."""
    from ebee.lang.bpf.map_calls import _arguments

    (address,) = _arguments(node, "address")
    value = f.as_type(address, u64, "the address")
    mention = f'  call void asm sideeffect "", "r"(ptr {m.text})'
    if mention not in f.body.entry:  # the kernel knows a program's arena by its address
        f.body.entry.append(mention)
    return _here(f, m, arith.operand(f.body, value, 64))


def _here(f: Function, m: Value, address: str) -> Value:
    """The program's pointer to what user space has at an address."""
    return Value(
        PtrType(normal_target(m.type.thing.value)), near(f.body, address), maybe=1, align=8
    )


def near(b: Body, address: str) -> str:
    """An address of user space, or what the program has for it, as the program's pointer."""
    hidden = b.op(f'call i64 asm "", "=r,0"(i64 {address})')
    far = b.op(f"inttoptr i64 {hidden} to ptr addrspace(1)")
    made = b.op(f"addrspacecast ptr addrspace(1) {far} to ptr")
    b.types[made] = "ptr"
    b.elsewhere.add(made)
    return made


def _there(f: Function, node: ast.expr) -> str:
    """The address that user space has for a program's pointer, as 64 bits."""
    value, b = f.value(node), f.body
    if not (is_ptr(value.type) or is_struct(value.type)) or value.stack:
        raise Refusal(f"`{name_of(value.type)}` is no place in an arena", "heap.alloc()")
    memory.check_null(value, f"`{ast.unparse(node)}`")
    far = b.op(f"addrspacecast ptr {value.text} to ptr addrspace(1)")
    return b.op(f"ptrtoint ptr addrspace(1) {far} to i64")


METHODS: dict[str, Callable[..., Value]] = {
    "alloc": _alloc, "free": _free, "address": _address, "at": _at,
}  # fmt: skip

__all__ = ["METHODS", "near"]
