"""Calls of helpers from a program: arguments checked by the helper's declaration, then the body.

The body trusts its arguments, as in the kernel, where the verifier has seen them; so the check
stands here, and what it refuses is a Fault that names the helper and the argument.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from ebee import helpers
from ebee.abi.map import MapHeader
from ebee.errors import MachineError
from ebee.helpers import SCALARS, Helper, Param
from ebee.helpers.dynptr_ops import SIZE, Dynptr
from ebee.isa.insn import U64
from ebee.machine.jit.runtime import record
from ebee.machine.memory import Fault
from ebee.machine.vm import Bound, Converter, Vm
from ebee.types import ptr, u8, u32, view

PLAIN = frozenset(SCALARS) | {"scalar", "any", "alloc_size", "func", "stack", "size0", "variadic"}
"""Kinds of arguments that are taken as they are."""

WRITES = frozenset(
    (
        "map_value_out",
        "mem_out",
        "mem_rw",
        "out",
        "inout",
        "spin_lock",
        "timer",
        "kptr",
        "dynptr_out",
    )
)
"""Kinds of pointers to memory that the helper writes."""

FIXED = {"spin_lock": 4, "timer": 16, "kptr": 8, "dynptr": 16, "dynptr_out": 16}
"""Bytes behind pointers of these kinds."""


KEPT = frozenset((("dynptr_from_mem", "data"),))
"""Arguments of helpers that are kept, so they must not lead to a stack (in the kernel: only to a
value of a map)."""

DYNPTR_ALIGN = 8


def bind(number: int, extra: Mapping[int, Helper]) -> Bound:
    """The callable behind a helper's number; `extra` are the caller's own helpers. MachineError
    when there is none."""
    helper = extra.get(number) or helpers.by_id(number)
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
    made = [i for i, p in enumerate(helper.params, 1) if p.kind.startswith("dynptr")]

    def call(vm: Vm, follow: int) -> int:
        result = body(vm.cpu.block.ptr, *[c(vm) for c in convert])
        for register in made:
            vm.dynptrs[vm.regs[register]] = vm.memory.read(vm.regs[register], FIXED["dynptr_out"])
        vm.regs[0] = 0 if result is None else int(result) & U64
        return follow

    return call


def _map_operation(name: str, convert: list[Converter]) -> Bound:
    """An operation of the map in r1: its type decides which body runs."""

    def call(vm: Vm, follow: int) -> int:
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
    if param.kind in PLAIN:
        return lambda vm: vm.regs[register]

    def fail(vm: Vm, reason: str) -> Fault:
        what = f"bpf_{helper.name}: argument {param.name!r}"
        return Fault(vm.regs[register], 0, what, reason)

    def map_of(vm: Vm) -> Any:
        m = vm.machine.map_at(vm.regs[register])
        if m is None:
            raise fail(vm, "is no map")
        if not m.kind.takes(helper.name):
            raise fail(vm, f"is a map of type {m.type}, on which it does not work")
        return ptr(vm.memory, vm.regs[register], MapHeader)

    def context(vm: Vm) -> Any:
        if vm.context is None or vm.regs[register] != vm.cpu.context.base:
            raise fail(vm, "is not the context")
        return vm.context

    def text(vm: Vm) -> Any:
        end = vm.regs[register]
        try:
            while vm.memory.programs.load(end, 1):
                end += 1
        except Fault as e:
            raise fail(vm, f"no string: {e.reason}") from None
        return ptr(vm.memory, vm.regs[register], u8)

    def size(vm: Vm) -> int:
        if vm.regs[register] & 0xFFFF_FFFF == 0:
            raise fail(vm, "must not be zero")
        return vm.regs[register]

    def alloc_mem(vm: Vm) -> Any:
        found: ptr[u8] = ptr(vm.memory, vm.regs[register], u8)
        if not any(record(ring, found) for ring in vm.machine.rings()):
            raise fail(vm, "is no record in work")
        return found

    def dynptr(vm: Vm) -> Any:
        addr = vm.regs[register]
        try:
            vm.check(addr, FIXED["dynptr"], False)
        except Fault as e:
            raise fail(vm, e.reason) from None
        if vm.dynptrs.get(addr) != vm.memory.read(addr, FIXED["dynptr"]):
            raise fail(vm, "is no dynptr that a helper has made")
        found = view(Dynptr, vm.memory, addr)
        if found.data and (size := found.size & SIZE):
            try:
                vm.check(int(found.data) + int(found.offset), int(size), True)
            except Fault as e:
                raise fail(vm, f"leads to memory that is gone: {e.reason}") from None
        return ptr(vm.memory, addr, u8)

    def dynptr_out(vm: Vm) -> Any:
        addr = vm.regs[register]
        try:
            region = vm.check(addr, FIXED["dynptr_out"], True)
        except Fault as e:
            raise fail(vm, e.reason) from None
        if region.name != "stack" or addr % DYNPTR_ALIGN:
            raise fail(vm, "is no aligned place on the stack")
        return ptr(vm.memory, addr, u8)

    def spin_lock(vm: Vm) -> Any:
        addr, held = vm.regs[register], vm.lock
        region = vm.memory.find(addr, FIXED["spin_lock"], "lock")
        if region.skip < 0 or (addr - region.base) % region.stride != region.skip:
            raise fail(vm, "is no spin lock of a map value")
        if helper.name == "spin_unlock":
            if addr != held:
                raise fail(vm, "is not held")
            vm.lock = 0
        elif held or vm.memory.load(addr, 4):
            raise fail(vm, "is taken already: this would wait for ever")
        else:
            vm.lock = addr
        return ptr(vm.memory, addr, u32)

    special: dict[str, Converter] = {
        "map": map_of, "ctx": context, "str": text, "size": size, "alloc_mem": alloc_mem,
        "dynptr": dynptr, "dynptr_out": dynptr_out, "spin_lock": spin_lock,
    }  # fmt: skip
    if param.kind in special:
        return special[param.kind]
    length, write = _length(helper, param), param.kind in WRITES

    def memory(vm: Vm) -> Any:
        addr, n = vm.regs[register], length(vm)
        if n:  # null, where it is allowed, goes with a length of zero (check_helper_mem_access)
            try:
                region = vm.check(addr, n, write)
            except Fault as e:
                raise fail(vm, f"{e.access} of {n} bytes: {e.reason}") from None
            if (helper.name, param.name) in KEPT and region.name == "stack":
                raise fail(vm, "is on a stack")
        return ptr(vm.memory, addr, u8)

    return memory


def _length(helper: Helper, param: Param) -> Callable[[Vm], int]:
    """How many bytes stand behind a pointer argument; MachineError where it cannot be told."""
    registers = {p.name: i for i, p in enumerate(helper.params, 1)}

    def constant(n: int) -> Callable[[Vm], int]:
        return lambda vm: n

    if param.kind.startswith("map_"):
        at = next(i for i, p in enumerate(helper.params, 1) if p.kind == "map")
        member = "key_size" if param.kind == "map_key" else "value_size"

        def of_map(vm: Vm) -> int:
            m = vm.machine.map_at(vm.regs[at])
            return 0 if m is None else int(getattr(m, member))

        return of_map
    if param.kind in FIXED:
        return constant(FIXED[param.kind])
    if param.kind in ("out", "inout") and param.type in SCALARS:
        bits = "".join(c for c in param.type if c.isdigit())  # none: a C long
        return constant(int(bits or 64) // 8)
    if param.kind.startswith("mem") and param.of is not None:
        if param.of.isdigit():
            return constant(int(param.of))
        register = registers[param.of]
        return lambda vm: vm.regs[register] & 0xFFFF_FFFF
    raise MachineError(
        f"bpf_{helper.name} is not on the machine: it takes a {param.kind} ({param.name})"
    )
