"""Helpers that the engine itself does: they change the flow of control, or may fail where a body
must not."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ebee.errors import MachineError
from ebee.helpers import Helper
from ebee.isa.insn import U32, U64, signed
from ebee.machine.maps import MachineMap
from ebee.machine.memory import Fault
from ebee.machine.vm import TAIL_CALLS, Bound, Converter, Vm
from ebee.types import ptr, u8

EFAULT, EINVAL, E2BIG = 14, 22, 7
LOOPS = 1 << 23
"""Iterations of one bpf_loop at the most (BPF_MAX_LOOPS)."""
TURNS = 2
"""Of so many times its max_entries a map's elements are visited at the most, whatever comes and
goes meanwhile."""


def _result(vm: Vm, value: int, follow: int) -> int:
    vm.regs[0] = value & U64
    return follow


def tail_call(vm: Vm, follow: int, arguments: list[Converter]) -> int:
    """Go on in the program at an index of a prog_array; fall through when there is none."""
    context, programs, index = (c(vm) for c in arguments)
    del context
    m = vm.machine.map_at(int(programs))
    assert m is not None
    code = vm.machine.program_in(m, index & U32)
    if code is None or vm.tail_calls >= TAIL_CALLS:
        return _result(vm, 0, follow)
    vm.tail_calls += 1
    return vm.tail_call(code)


def loop(vm: Vm, follow: int, arguments: list[Converter]) -> int:
    """Call a function with 0..n-1 until it returns 1; r0 is how often it ran."""
    n, callback, context, flags = (c(vm) for c in arguments)
    n &= U32
    if flags:
        return _result(vm, -EINVAL, follow)
    if n > LOOPS:
        return _result(vm, -E2BIG, follow)
    if not n:
        return _result(vm, 0, follow)
    target, done = vm.function_at(callback), 0

    def resume(vm: Vm) -> int | None:
        nonlocal done
        done += 1
        if vm.regs[0] or done == n:
            vm.regs[0] = done
            return None
        vm.regs[1:6] = [done, context, 0, 0, 0]
        return target

    vm.regs[1:6] = [0, context, 0, 0, 0]
    return vm.enter(target, follow, resume)


def for_each_map_elem(vm: Vm, follow: int, arguments: list[Converter]) -> int:
    """Call a function with each element of a map until it returns 1; r0 is how often it ran."""
    pointer, callback, context, flags = (c(vm) for c in arguments)
    m = vm.machine.map_at(int(pointer))
    assert m is not None
    if flags:
        return _result(vm, -EINVAL, follow)
    target, done = vm.function_at(callback), 0
    elements = _elements(vm, m)

    def resume(vm: Vm) -> int | None:
        nonlocal done
        done += 1
        element = None if vm.regs[0] else next(elements, None)
        if element is None:
            vm.regs[0] = done
            return None
        vm.regs[1:6] = [int(pointer), *element, context, 0]
        return target

    first = next(elements, None)
    if first is None:
        return _result(vm, 0, follow)
    vm.regs[1:6] = [int(pointer), *first, context, 0]
    return vm.enter(target, follow, resume)


def _elements(vm: Vm, m: MachineMap) -> Iterator[tuple[int, int]]:
    """Address of each key and of its value; the keys are copies that a program may read."""
    room = vm.memory.allocate(f"key of {m.name}", max(m.key_size, 1), readable=True)
    key: ptr[u8] = ptr(vm.memory, room.base, u8)
    try:
        cursor, left = m.ops.step(m.state, 0), TURNS * m.max_entries
        while cursor and left:
            following, left = m.ops.step(m.state, cursor), left - 1
            yield room.base, int(m.ops.element(vm.cpu.block.ptr, m.state, cursor, key))
            cursor = following
    finally:
        vm.memory.free(room)


def probe_read(vm: Vm, follow: int, arguments: list[Converter]) -> int:
    """Copy from any address; where there is nothing to read, -EFAULT and zeroes."""
    target, size, source = (c(vm) for c in arguments)
    size &= U32
    try:
        data, result = vm.memory.programs.read(source, size) if size else b"", 0
    except Fault:
        data, result = bytes(size), -EFAULT
    vm.memory.write(int(target), data)
    return _result(vm, result, follow)


def probe_read_str(vm: Vm, follow: int, arguments: list[Converter]) -> int:
    """Copy a string from any address; its length with the NUL, or -EFAULT and zeroes."""
    target, size, source = (c(vm) for c in arguments)
    size = signed(size, 32)
    if size <= 0:
        return _result(vm, 0 if not size else -E2BIG, follow)
    text = bytearray()
    try:
        while len(text) < size - 1:
            byte = vm.memory.programs.load(source + len(text), 1)
            if not byte:
                break
            text.append(byte)
    except Fault:
        vm.memory.write(int(target), bytes(size))
        return _result(vm, -EFAULT, follow)
    vm.memory.write(int(target), bytes(text) + b"\0")
    return _result(vm, len(text) + 1, follow)


_ENGINE: dict[str, Callable[[Vm, int, list[Converter]], int]] = {
    "tail_call": tail_call,
    "loop": loop,
    "for_each_map_elem": for_each_map_elem,
    "probe_read": probe_read,
    "probe_read_str": probe_read_str,
}


def bind(helper: Helper, name: str, arguments: list[Converter]) -> Bound:
    """The engine's function of that name as a helper."""
    function = _ENGINE.get(name)
    if function is None:
        raise MachineError(f"bpf_{helper.name}: the interpreter has no {name!r}")
    return lambda vm, follow: function(vm, follow, arguments)
