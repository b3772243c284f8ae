"""Calls of helpers from a program: arguments checked by the helper's declaration, then the body.

The body trusts its arguments, as in the kernel, where the verifier has seen them; so the check
stands here, and what it refuses is a Fault that names the helper and the argument.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ebee import helpers
from ebee.abi.map import MapHeader
from ebee.errors import MachineError
from ebee.helpers import Helper, Param
from ebee.isa.insn import U64
from ebee.machine.memory import Fault
from ebee.types import ptr, u8

if TYPE_CHECKING:
    from ebee.machine.interp import Interpreter

Bound = Callable[["Interpreter", int], int]
"""A helper bound for a call: takes its arguments from r1-r5, sets r0, and gives the slot where
control goes on: its second argument, unless the helper changes the flow."""

Converter = Callable[["Interpreter"], Any]

_SCALARS = frozenset(
    ("u8", "u16", "u32", "u64", "i8", "i16", "i32", "i64", "be16", "be32", "any", "alloc_size")
)


def bind(number: int, extra: dict[int, Bound]) -> Bound:
    """The callable behind a helper's number; `extra` are the caller's own helpers. MachineError
    when there is none."""
    if number in extra:
        return extra[number]
    helper = helpers.by_id(number)
    if helper is None:
        raise MachineError(f"there is no helper number {number}")
    if helper.body is None:
        reason = helper.missing.get("machine", "it needs a kernel")
        raise MachineError(f"bpf_{helper.name} is not on the machine: {reason}")
    module, _, name = helper.body.partition(":")
    convert = [_argument(helper, i, p) for i, p in enumerate(helper.params)]
    if module == "engine":
        from ebee.machine import engine_calls

        return engine_calls.bind(helper, name, convert)
    if module == "map":
        return _map_operation(name, convert)
    body = getattr(import_module(module), name)

    def call(vm: Interpreter, follow: int) -> int:
        result = body(vm.cpu.block.ptr, *[c(vm) for c in convert])
        vm.regs[0] = 0 if result is None else int(result) & U64
        return follow

    return call


def _map_operation(name: str, convert: list[Converter]) -> Bound:
    """An operation of the map in r1: its type decides which body runs."""

    def call(vm: Interpreter, follow: int) -> int:
        convert[0](vm)
        m = vm.machine.map_at(vm.regs[1])
        assert m is not None
        body = getattr(m.ops, name, None)
        if body is None:
            raise Fault(vm.regs[1], 0, name, f"maps of type {m.spec.type} have no such operation")
        state: Any = ptr(vm.memory, m.address, m.ops.State)
        result = body(vm.cpu.block.ptr, state, *[c(vm) for c in convert[1:]])
        vm.regs[0] = 0 if result is None else int(result) & U64
        return follow

    return call


def _argument(helper: Helper, index: int, param: Param) -> Converter:
    """How to check and convert one argument."""
    register = index + 1
    names = [p.name for p in helper.params]

    def fail(vm: Interpreter, reason: str) -> Fault:
        what = f"bpf_{helper.name}: argument {param.name!r}"
        return Fault(vm.regs[register], 0, what, reason)

    def map_of(vm: Interpreter) -> Any:
        if vm.machine.map_at(vm.regs[register]) is None:
            raise fail(vm, "is no map")
        return ptr(vm.memory, vm.regs[register], MapHeader)

    def length(vm: Interpreter) -> int:
        of = param.of or "1"
        if of.isdigit():
            return int(of)
        if of in names:
            return vm.regs[1 + names.index(of)] & 0xFFFF_FFFF
        raise MachineError(f"bpf_{helper.name}: length {of!r} of {param.name!r} is unknown")

    def element(size: str) -> Callable[[Interpreter], int]:
        at = next((i for i, p in enumerate(helper.params) if p.kind == "map"), 0)

        def of(vm: Interpreter) -> int:
            m = vm.machine.map_at(vm.regs[at + 1])
            return 0 if m is None else getattr(m.spec, size)

        return of

    def pointer(size: Callable[[Interpreter], int], write: bool) -> Converter:
        def convert(vm: Interpreter) -> Any:
            addr, n = vm.regs[register], size(vm)
            if n and not (addr == 0 and param.nullable):
                try:
                    vm.check(addr, n, write)
                except Fault as e:
                    raise fail(vm, f"{e.access} of {n} bytes: {e.reason}") from None
            return ptr(vm.memory, addr, u8)

        return convert

    def context(vm: Interpreter) -> Any:
        if vm.regs[register] != vm.cpu.context.base:
            raise fail(vm, "is not the context")
        return vm.context

    def text(vm: Interpreter) -> Any:
        addr = end = vm.regs[register]
        try:
            while vm.memory.programs.load(end, 1):
                end += 1
        except Fault as e:
            raise fail(vm, f"no string: {e.reason}") from None
        return ptr(vm.memory, addr, u8)

    def size0(vm: Interpreter) -> int:
        return vm.regs[register]

    def size(vm: Interpreter) -> int:
        if vm.regs[register] & 0xFFFF_FFFF == 0:
            raise fail(vm, "must not be zero")
        return vm.regs[register]

    def alloc_mem(vm: Interpreter) -> Any:
        return ptr(vm.memory, vm.regs[register], u8)

    if param.kind in _SCALARS:
        return size0
    table: dict[str, Converter] = {
        "map": map_of,
        "map_key": pointer(element("key_size"), write=False),
        "map_value": pointer(element("value_size"), write=False),
        "map_value_out": pointer(element("value_size"), write=True),
        "mem": pointer(length, write=False),
        "mem_out": pointer(length, write=True),
        "size": size,
        "size0": size0,
        "str": text,
        "alloc_mem": alloc_mem,
        "ctx": context,
        "func": size0,
        "stack": size0,
    }
    if param.kind not in table:
        raise MachineError(f"bpf_{helper.name} is not on the machine: argument {param.kind}")
    return table[param.kind]
