"""Arguments of programs: from where the hook has them to the program's parameters."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ebee.hooks import pt_regs
from ebee.lang.bpf import kernel_types, signatures
from ebee.lang.bpf.contexts import Context
from ebee.lang.bpf.map_calls import helper
from ebee.lang.errors import Refusal, at
from ebee.lang.values import MaybePtr, Value, is_int, is_ptr, is_struct, span
from ebee.types import PtrType

if TYPE_CHECKING:
    from ebee.lang.bpf.programs import Program
    from ebee.lang.function import Function

READ_KERNEL, FUNC_RET = "probe_read_kernel", "get_func_ret"

Fetch = Callable[["Function", str, int], str]
"""An argument by its number: 64 bits, or a pointer, as text; from the context."""


def bind(f: Function, program: Program, params: list[tuple[str, Any]]) -> str:
    """Give the parameters of a program their values: the name of LLVM's one parameter."""
    ctx = "%" + f.body.name("ctx")
    f.body.types[ctx] = "ptr"
    number = 0
    for name, t in params:
        if is_struct(t) and issubclass(t, Context):
            f.assign(name, Value(t, ctx))
            continue
        try:
            if name == signatures.RESULT and signatures.has_result(program):
                bits = _result(f, ctx, program)
            else:
                bits, number = _FETCH[signatures.form_of(program.hook)](f, ctx, number), number + 1
        except Refusal as refusal:
            node = next(a for a in f.source.tree.args.args if a.arg == name)
            raise at(f.source, node, refusal) from None
        f.assign(name, _typed(f, program, bits, t))
    return f"ptr {ctx}"


def _typed(f: Function, program: Program, place: str, t: Any) -> Value:
    """The argument that lies at an address, in 8 bytes."""
    b, t = f.body, kernel_types.argument(t, program.hook.name)
    if is_ptr(t) or is_struct(t):
        text = b.op(f"load ptr, ptr {place}, align 8")
        if isinstance(t, MaybePtr):
            return Value(PtrType(t.to), text, maybe=1)
        b.elsewhere.add(text)
        return Value(t, text)
    text = b.op(f"load i64, ptr {place}, align 8")
    if t is bool:
        low = b.op(f"trunc i64 {text} to i8")
        return Value(bool, b.op(f"icmp ne i8 {low}, 0"), 0, 1)
    if is_int(t) and t.bits < 64:
        text = b.op(f"trunc i64 {text} to i{t.bits}")
    return Value(t, text, *span(t))


def _at(f: Function, base: str, offset: int) -> str:
    return f.body.op(f"getelementptr inbounds i8, ptr {base}, i64 {offset}") if offset else base


def _slot(f: Function, ctx: str, number: int) -> str:
    return _at(f, ctx, 8 * number)


def machine() -> str:
    """The machine whose registers programs of kprobes and uprobes read."""
    name = os.uname().machine if hasattr(os, "uname") else ""
    if name not in pt_regs.ARGUMENTS:
        known = ", ".join(pt_regs.ARGUMENTS)
        raise Refusal(f"where functions of {name} have arguments is not known", f"on {known} it is")
    return name


def _offset(table: tuple[int, ...], number: int, what: str) -> int:
    if number >= len(table):
        raise Refusal(
            f"{what} has {len(table)} arguments in registers, and this is one more",
            "read it from the stack: bpf.probe_read_kernel(...)",
        )
    return table[number]


def _register(f: Function, ctx: str, number: int) -> str:
    return _at(f, ctx, _offset(pt_regs.ARGUMENTS[machine()], number, "a function"))


def _syscall(f: Function, ctx: str, number: int) -> str:
    """In the registers of the process, which are the one argument of the kernel's function."""
    offset = _offset(pt_regs.SYSCALL[machine()], number, "a system call")
    b = f.body
    regs = b.op(f"load ptr, ptr {_register(f, ctx, 0)}, align 8")
    place = b.alloca("i64", 8, "argument")
    _call(f, READ_KERNEL, f"ptr {place}", "i64 8", f"ptr {_at(f, regs, offset)}")
    return place


def _usdt(f: Function, ctx: str, number: int) -> str:
    from ebee.lang.bpf import usdt

    place = f.body.alloca("i64", 8, "argument")
    usdt.fetch(f, ctx, number, place)
    return place


_FETCH: dict[str, Fetch] = {
    signatures.SLOTS: _slot, signatures.REGISTERS: _register, signatures.SYSCALL: _syscall,
    signatures.USDT: _usdt,
}  # fmt: skip


def _result(f: Function, ctx: str, program: Program) -> str:
    """Where the result of the function lies."""
    if signatures.form_of(program.hook) != signatures.SLOTS:
        return _at(f, ctx, pt_regs.RESULT[machine()])
    place = f.body.alloca("i64", 8, "result")  # how many arguments are before it, the kernel knows
    f.body.emit(f"store i64 0, ptr {place}, align 8")
    _call(f, FUNC_RET, f"ptr {ctx}", f"ptr {place}")
    return place


def _call(f: Function, name: str, *operands: str) -> None:
    from ebee.lang.bpf.intrinsics import check_allowed, helper_name

    found = helper_name(name)
    assert found is not None
    check_allowed(f, found.declared)
    helper(f, found.declared.id, "i64", *operands)


__all__ = ["bind", "machine"]
