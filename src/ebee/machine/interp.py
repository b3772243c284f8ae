"""The interpreter: the readable reference that the JIT and the kernel must agree with.

Every access is checked against the machine's memory; every instruction counts against a budget.
A `Code` is translated once into a handler per slot (a function of the interpreter that returns the
next slot), so that `run` is a loop and `step` is one turn of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ebee.errors import MachineError
from ebee.helpers import Helper
from ebee.isa import Form, Insn, imm64
from ebee.isa.insn import FP, U64, signed
from ebee.isa.semantics import ALU, ATOMIC, JUMP, compare_exchange
from ebee.machine.calls import bind
from ebee.machine.code import FUNCTION_STEP, Code, block_of
from ebee.machine.cpu import FRAMES, STACK, VirtualCpu
from ebee.machine.memory import Fault, Region
from ebee.machine.vm import BUDGET, MAY_GOTO, Host, ProgramFault, Resume
from ebee.types import ptr

Extra = Mapping[int, Helper]
"""Helpers of the caller's own, by number."""

Handler = Callable[["Interpreter"], int]


@dataclass(slots=True)
class Frame:
    """A call in progress: where to go on, the registers to restore, and for a callback what to do
    when it returns (`resume` gives the next slot, or None to return to the caller)."""

    code: Code
    back: int
    saved: list[int]
    resume: Resume | None = None
    may_goto: int = MAY_GOTO


class Interpreter:
    """One program on one virtual CPU.

    `regs` are r0-r10, `slot` the next instruction; `step()` runs one, `run()` all. `lock` is the
    address of the spin lock that the program holds, `dynptrs` the dynptrs that helpers have made,
    as they left them. Not to be used from two threads at a time.
    """

    def __init__(self, machine: Host, cpu: VirtualCpu, helpers: Extra | None = None):
        self.machine, self.cpu, self.memory = machine, cpu, machine.memory
        self.helpers = helpers or {}
        self.context: Any = None
        self.done = True
        self.lock = 0
        self.dynptrs: dict[int, bytes] = {}

    def start(self, code: Code, r1: int, r2: int = 0, budget: int = BUDGET) -> None:
        """Set the first instruction and the arguments."""
        if code.handlers is None:
            code.handlers = translate(code, self.helpers)
        for region in self.cpu.frames:
            region.readable = region.writable = False
        self.code, self.slot, self.done = code, 0, False
        self.budget, self.left, self.tail_calls = budget, budget, 0
        if code.hook is not None and code.hook.block is not None:
            self.context = ptr(self.memory, r1, block_of(code.hook))
        self.lock, self.dynptrs = 0, {}
        self.frames = [Frame(code, -1, [])]
        self.regs = [0, r1, r2, 0, 0, 0, 0, 0, 0, 0, self._open(0)]

    def _open(self, depth: int) -> int:
        """Make a frame's stack usable, zeroed; its upper end."""
        region = self.cpu.frames[depth]
        region.readable = region.writable = True
        region.data[:] = bytes(STACK)
        return region.base + STACK

    def run(self) -> int:
        """Run to the end; r0. ProgramFault when the program misbehaves."""
        try:
            while not self.done:
                self.step()
        finally:
            if self.lock:
                self.memory.store(self.lock, 4, 0)
        return self.regs[0]

    def step(self) -> None:
        """Run one instruction."""
        slot = self.slot
        if self.left <= 0:
            raise ProgramFault(
                f"{self.code.where(slot)}: stopped after {self.budget:,} instructions", slot
            )
        self.left -= 1
        handlers = self.code.handlers
        assert handlers is not None
        try:
            self.slot = handlers[slot](self)
        except ProgramFault:
            raise
        except MachineError as e:
            addr = e.addr if isinstance(e, Fault) else None
            raise ProgramFault(f"{self.code.where(slot)}: {e}", slot, addr) from None

    @property
    def executed(self) -> int:
        """Instructions run so far."""
        return self.budget - self.left

    # -- memory ------------------------------------------------------------------------------------

    def check(self, addr: int, size: int, write: bool) -> Region:
        """Fault unless the program may make this access."""
        return self.memory.programs.check(addr, size, write)

    def ctx_access(self, addr: int, size: int, write: bool) -> tuple[int, int] | None:
        """Where an access goes, if it is one of the context's."""
        at = addr - self.cpu.context.base
        if not 0 <= at < self.cpu.context.size or self.code.hook is None:
            return None
        found = self.code.place(at, size, write)
        if found is None:
            raise Fault(addr, size, "write" if write else "read", f"invalid context offset {at}")
        return self.cpu.context.base + found[0], found[1]

    def load(self, addr: int, size: int) -> int:
        target = self.ctx_access(addr, size, write=False)
        if target is not None:
            return self.memory.load(*target)
        return self.memory.programs.load(addr, size)

    def store(self, addr: int, size: int, value: int) -> None:
        target = self.ctx_access(addr, size, write=True)
        if target is not None:
            self.memory.store(*target, value)
        else:
            self.memory.programs.store(addr, size, value)

    # -- calls -------------------------------------------------------------------------------------

    def enter(self, slot: int, back: int, resume: Resume | None = None) -> int:
        """Call the function at `slot` of the running code; `back` is where to go on after."""
        if len(self.frames) >= FRAMES:
            raise Fault(0, 0, "call", f"more than {FRAMES} frames")
        self.frames.append(Frame(self.code, back, self.regs[6:11], resume))
        self.regs[0], self.regs[6:10] = 0, [0, 0, 0, 0]
        self.regs[FP] = self._open(len(self.frames) - 1)
        return slot

    def leave(self) -> int:
        """Return from the running function."""
        frame = self.frames[-1]
        if self.lock and len(self.frames) == 1:
            raise Fault(self.lock, 0, "exit", "a spin lock is held")
        if frame.resume is not None:
            again = frame.resume(self)
            if again is not None:
                self.regs[0], self.regs[6:10] = 0, [0, 0, 0, 0]
                self.regs[FP] = self._open(len(self.frames) - 1)
                return again
        self.frames.pop()
        if not self.frames:
            self.done = True
            return self.slot
        region = self.cpu.frames[len(self.frames)]
        region.readable = region.writable = False
        self.regs[1:11] = [0, 0, 0, 0, 0, *frame.saved]
        self.code = frame.code
        return frame.back

    def function_at(self, address: int) -> int:
        """The slot that a pointer to a function stands for."""
        offset = address - self.code.text
        slot = offset // FUNCTION_STEP
        if offset % FUNCTION_STEP or slot not in (start for _, start in self.code.funcs):
            raise Fault(address, 0, "call", "no function there")
        return slot

    def tail_call(self, code: Code) -> int:
        """Replace the running function by a program."""
        if code.handlers is None:
            code.handlers = translate(code, self.helpers)
        self.code = code
        self.frames[-1].may_goto = MAY_GOTO
        self.regs[1] = self.cpu.context.base
        self.regs[FP] = self._open(len(self.frames) - 1)
        return 0


# --- translation: a handler per slot -------------------------------------------------------------


def translate(code: Code, helpers: Extra) -> list[Handler]:
    """One handler per slot. MachineError for what the machine does not have."""
    handlers: list[Handler] = []
    for slot, (insn, form) in enumerate(zip(code.insns, code.forms, strict=True)):
        if form is None:
            handlers.append(_second_half)
        else:
            handlers.append(_KINDS[form.kind](code, slot, insn, form, helpers))
    return handlers


def _second_half(vm: Interpreter) -> int:
    raise Fault(0, 0, "jump", "into the second half of a wide load")


def _alu(code: Code, slot: int, insn: Insn, form: Form, helpers: Extra) -> Handler:
    operation, dst, src, follow = ALU[form.width][form.operation], insn.dst, insn.src, slot + 1

    def from_register(vm: Interpreter) -> int:
        regs = vm.regs
        regs[dst] = operation(regs[dst], regs[src])
        return follow

    constant = insn.imm & U64

    def from_immediate(vm: Interpreter) -> int:
        vm.regs[dst] = operation(vm.regs[dst], constant)
        return follow

    return from_register if form.source == "reg" else from_immediate


def _imm64(code: Code, slot: int, insn: Insn, form: Form, helpers: Extra) -> Handler:
    value, dst, follow = imm64(insn, code.insns[slot + 1]), insn.dst, slot + 2

    def handler(vm: Interpreter) -> int:
        vm.regs[dst] = value
        return follow

    return handler


def _load(code: Code, slot: int, insn: Insn, form: Form, helpers: Extra) -> Handler:
    dst, src, off, size, follow = insn.dst, insn.src, insn.off, form.size, slot + 1
    sign = form.size * 8 if form.signed else 0

    def plain(vm: Interpreter) -> int:
        vm.regs[dst] = vm.load(vm.regs[src] + off & U64, size)
        return follow

    def extended(vm: Interpreter) -> int:
        vm.regs[dst] = signed(vm.load(vm.regs[src] + off & U64, size), sign) & U64
        return follow

    return extended if sign else plain


def _store(code: Code, slot: int, insn: Insn, form: Form, helpers: Extra) -> Handler:
    dst, src, off, size, follow = insn.dst, insn.src, insn.off, form.size, slot + 1
    constant = insn.imm & U64

    def register(vm: Interpreter) -> int:
        vm.store(vm.regs[dst] + off & U64, size, vm.regs[src])
        return follow

    def immediate(vm: Interpreter) -> int:
        vm.store(vm.regs[dst] + off & U64, size, constant)
        return follow

    return register if form.source == "reg" else immediate


def _atomic(code: Code, slot: int, insn: Insn, form: Form, helpers: Extra) -> Handler:
    dst, src, off, size, follow = insn.dst, insn.src, insn.off, form.size, slot + 1
    name, mask = form.operation, (1 << 8 * form.size) - 1

    def address(vm: Interpreter, base: int) -> int:
        addr = vm.regs[base] + off & U64
        vm.check(addr, size, write=name != "load_acquire")
        if addr % size:
            raise Fault(addr, size, name, "atomic operations need an aligned address")
        return addr

    def acquire(vm: Interpreter) -> int:
        vm.regs[dst] = vm.memory.load(address(vm, src), size)
        return follow

    def release(vm: Interpreter) -> int:
        vm.memory.store(address(vm, dst), size, vm.regs[src])
        return follow

    def exchange_if_equal(vm: Interpreter) -> int:
        addr, regs = address(vm, dst), vm.regs
        old = vm.memory.load(addr, size)
        vm.memory.store(addr, size, compare_exchange(old, regs[0], regs[src], size * 8))
        regs[0] = old
        return follow

    if name in ("load_acquire", "store_release", "cmpxchg"):
        special = {"load_acquire": acquire, "store_release": release, "cmpxchg": exchange_if_equal}
        return special[name]
    operation, fetch = ATOMIC[form.width][name], name == "xchg" or name.startswith("fetch_")

    def update(vm: Interpreter) -> int:
        addr = address(vm, dst)
        old = vm.memory.load(addr, size)
        vm.memory.store(addr, size, operation(old, vm.regs[src]))
        if fetch:
            vm.regs[src] = old & mask
        return follow

    return update


def _packet(code: Code, slot: int, insn: Insn, form: Form, helpers: Extra) -> Handler:
    src, imm, size, follow = insn.src, insn.imm, form.size, slot + 1
    indirect = form.operation == "ind"

    def handler(vm: Interpreter) -> int:
        if vm.regs[6] != vm.cpu.context.base:
            raise Fault(vm.regs[6], 0, "packet load", "r6 is not the context")
        offset = signed(imm + (vm.regs[src] if indirect else 0), 32)
        data = vm.machine.packet_bytes(vm.cpu, offset, size)
        if data is None:  # outside the packet: the function ends with 0 (bpf_gen_ld_abs)
            vm.regs[0] = 0
            return vm.leave()
        vm.regs[0:6] = [int.from_bytes(data, "big"), *_NOTHING]
        return follow

    return handler


def _jump(code: Code, slot: int, insn: Insn, form: Form, helpers: Extra) -> Handler:
    dst, src, follow = insn.dst, insn.src, slot + 1
    target = follow + (insn.imm if form.imm == "jump" else insn.off)
    if form.operation == "ja":
        return lambda vm: target
    if form.operation == "may_goto":

        def may_goto(vm: Interpreter) -> int:
            frame = vm.frames[-1]
            if not frame.may_goto:
                return target
            frame.may_goto -= 1
            return follow

        return may_goto
    if form.operation == "gotox":
        raise MachineError(f"{code.where(slot)}: the machine has no jump tables")
    taken, constant = JUMP[form.width][form.operation], insn.imm & U64

    def registers(vm: Interpreter) -> int:
        return target if taken(vm.regs[dst], vm.regs[src]) else follow

    def immediate(vm: Interpreter) -> int:
        return target if taken(vm.regs[dst], constant) else follow

    return registers if form.source == "reg" else immediate


def _call(code: Code, slot: int, insn: Insn, form: Form, helpers: Extra) -> Handler:
    follow = slot + 1
    if form.operation == "local":
        target = follow + insn.imm
        return lambda vm: vm.enter(target, follow)
    if form.operation == "register":  # the number of a helper
        return lambda vm: bind(vm.regs[insn.dst], helpers)(vm, follow)
    if form.operation != "helper":
        raise MachineError(f"{code.where(slot)}: the machine has no kernel functions")
    try:
        bound = bind(insn.imm, helpers)
    except MachineError as e:
        raise MachineError(f"{code.where(slot)}: {e}") from None

    def handler(vm: Interpreter) -> int:
        if vm.lock and insn.imm != SPIN_UNLOCK:
            raise Fault(vm.lock, 0, "call", "a spin lock is held")
        back = bound(vm, follow)
        if back == follow:  # a call leaves r1-r5 without a value: 0 on the machine
            vm.regs[1:6] = _NOTHING
        return back

    return handler


_NOTHING = [0] * 5
SPIN_UNLOCK = 94
"""The one helper that may be called with a lock held."""


def _exit(code: Code, slot: int, insn: Insn, form: Form, helpers: Extra) -> Handler:
    return Interpreter.leave


def _barrier(code: Code, slot: int, insn: Insn, form: Form, helpers: Extra) -> Handler:
    return lambda vm: slot + 1


_KINDS: dict[str, Callable[[Code, int, Insn, Form, Extra], Handler]] = {
    "alu": _alu,
    "imm64": _imm64,
    "load": _load,
    "store": _store,
    "atomic": _atomic,
    "packet": _packet,
    "jump": _jump,
    "call": _call,
    "exit": _exit,
    "barrier": _barrier,
}
