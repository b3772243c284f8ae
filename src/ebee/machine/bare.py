"""Bare programs: instructions over a buffer, with no hook, no maps and no kernel around them.

r1 is the address of the buffer and r2 its length, as engines without Linux's hooks have it
(uBPF, rbpf, the conformance suite).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ebee.helpers import Helper
from ebee.isa import Insn, form_of
from ebee.isa.insn import U64
from ebee.machine.code import FUNCTION_STEP, Code, prepare
from ebee.machine.interp import Interpreter
from ebee.machine.machine import Machine
from ebee.machine.vm import BUDGET
from ebee.obj.run import RunResult
from ebee.obj.spec import FuncInfo, Linked
from ebee.verifier.facts import SCALAR, Fact


def functions(insns: Sequence[Insn]) -> list[FuncInfo]:
    """The functions of a program that carries no names: slot 0, and whatever is called or has its
    address taken."""
    starts = {0}
    for slot, insn in enumerate(insns):
        form = form_of(insn)
        if form is not None and form.operation in ("local", "func") and form.imm == "jump":
            starts.add(slot + 1 + insn.imm)
    return [FuncInfo(f"f{start}" if start else "main", start, 0) for start in sorted(starts)]


def linked(insns: Sequence[Insn], name: str = "program") -> Linked:
    """Bare instructions as a linked program."""
    return Linked(name, list(insns), [], functions(insns), [])


def run(
    insns: Sequence[Insn],
    memory: bytes = b"",
    *,
    helpers: Mapping[int, Helper] | None = None,
    engine: str = "interpreter",
    budget: int = BUDGET,
) -> tuple[int, RunResult]:
    """Run instructions; r0 in full, and the buffer afterwards. `engine`: "interpreter", a tier of
    the JIT ("quick", "optimised", "most": checked), or "trusted" (the JIT without checks). Raises
    MachineError for what is no program or needs a kernel, ProgramFault when it misbehaves.

    >>> from ebee.isa import assemble
    >>> run(assemble("r0 = *(u8 *)(r1 + 1)\\nexit"), b"ab")[0]
    98
    """
    with Machine(helpers=helpers, seed=0) as machine:
        buffer = machine.memory.allocate("memory", len(memory), readable=True, writable=True)
        buffer.data[:] = memory
        text = machine.memory.allocate("code", FUNCTION_STEP * max(len(insns), 1))
        arguments = (Fact("mem", offset=0), SCALAR)
        code = prepare(linked(insns), None, {}, text.base, arguments, extra=machine.helpers)
        r1, r2 = buffer.base if memory else 0, len(memory)
        if engine == "interpreter":
            interpreter = Interpreter(machine, machine.cpus[0], machine.helpers)
            interpreter.start(code, r1, r2, budget)
            r0, executed = interpreter.run() & U64, interpreter.executed
        else:
            r0, executed = _run_compiled(machine, code, r1, r2, engine, budget), 0
        return r0, RunResult(r0 & 0xFFFF_FFFF, bytes(buffer.data), executed=executed)


def _run_compiled(machine: Machine, code: Code, r1: int, r2: int, engine: str, budget: int) -> int:
    from ebee.machine.jit.engine import compile_code

    trusted = engine == "trusted"
    tier: Any = "optimised" if trusted else engine
    program = compile_code(machine, code, {}, tier, checked=not trusted)
    block = machine.cpus[0].block
    block.budget = budget
    machine.regions.update()
    r0 = program.call(int(block.ptr), r1, r2)
    machine.raise_fault(machine.cpus[0], code)
    return r0
