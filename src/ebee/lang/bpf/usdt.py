"""Arguments of USDT markers, in the way of libbpf's usdt.bpf.h: how to fetch each is in a map that
is filled when the program is attached, under the number that is the attachment's cookie (Linux
5.15)."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any, Literal

from ebee import bpf
from ebee.lang.bpf.contexts import RegistersContext
from ebee.lang.bpf.maps import Array
from ebee.lang.bpf.programs import func
from ebee.lang.values import FunctionRef, Value
from ebee.types import PtrType, array, i8, i16, i64, ptr, struct, u8, u16, u32, u64

if TYPE_CHECKING:
    from ebee.lang.function import Function

CONST, REGISTER, DEREF, SIB = 0, 1, 2, 3
"""Kinds of arguments (enum __bpf_usdt_arg_type)."""


@struct
class Argument:
    """How to fetch one: see `ebee.linux.usdt.Argument`. `word`: kind, index register, scale."""

    value: u64
    word: u32
    register: i16
    signed: u8
    shift: i8


@struct
class Spec:
    """All arguments of one place (struct __bpf_usdt_spec)."""

    arguments: array[Argument, Literal[12]]
    cookie: u64
    count: u16


@struct
class Word:
    value: u64


specs = Array[Spec](max_entries=256)
specs.name = "__bpf_usdt_specs"


@func
def usdt_argument(ctx: RegistersContext, registers: ptr[u8], out: ptr[u64], number: u32) -> None:
    """Fetch an argument: 0 where it is not there."""
    out[0] = 0
    spec = specs.lookup(u32(bpf.get_attach_cookie(ctx)))
    if spec is None or number >= 12 or number >= spec.count:
        return
    how = spec.arguments[number]
    kind = how.word & 0xFF
    found = Word(value=how.value)
    if kind != CONST:
        bpf.probe_read_kernel(found, 8, registers + how.register)
    if kind == SIB:
        index = Word(value=0)
        bpf.probe_read_kernel(index, 8, registers + (how.word >> 8 & 0xFFF))
        found.value += index.value << (how.word >> 20 & 15)
    if kind in (DEREF, SIB):
        place = found.value + how.value
        found.value = 0
        bpf.probe_read_user(found, 8, place)
    shift = u32(how.shift) & 63
    if how.signed != 0:
        out[0] = u64(i64(found.value << shift) >> shift)
    else:
        out[0] = found.value << shift >> shift


def fetch(f: Function, ctx: str, number: int, place: str) -> None:
    """Call `usdt_argument` for a parameter of a program."""
    from ebee.lang.calls import call_native

    given = (Value(RegistersContext, ctx), Value(PtrType(u8), ctx),
             Value(PtrType(u64), place, align=8))  # fmt: skip
    names: list[ast.expr] = [ast.Name(f" given{i}", ast.Load()) for i in range(len(given))]
    call = ast.Call(names[0], [*names, ast.Constant(number)], [])
    for node in ast.walk(call):
        ast.copy_location(node, f.source.tree)

    def inside(i: int) -> Any:
        if i == len(given):
            return call_native(f, call, FunctionRef(usdt_argument))
        return f.with_local(f" given{i}", given[i], lambda: inside(i + 1))

    inside(0)


__all__ = ["fetch", "specs", "usdt_argument"]
