"""Bare programs: instructions over a buffer, with no hook, no maps and no kernel around them.

r1 is the address of the buffer and r2 its length, as engines without Linux's hooks have it
(uBPF, rbpf, the conformance suite).
"""

from __future__ import annotations

from collections.abc import Sequence

from ebee.isa import Insn, form_of
from ebee.isa.insn import U64
from ebee.machine.calls import Bound
from ebee.machine.code import FUNCTION_STEP, Code, prepare
from ebee.machine.interp import BUDGET, Interpreter
from ebee.machine.machine import Machine
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
    helpers: dict[int, Bound] | None = None,
    budget: int = BUDGET,
) -> tuple[int, RunResult]:
    """Run instructions; r0 in full, and the buffer afterwards. MachineError for what is no program
    or needs a kernel, ProgramFault when it misbehaves.

    >>> from ebee.isa import assemble
    >>> run(assemble("r0 = *(u8 *)(r1 + 1)\\nexit"), b"ab")[0]
    98
    """
    with Machine(helpers=helpers, seed=0) as machine:
        buffer = machine.memory.allocate("memory", len(memory), readable=True, writable=True)
        buffer.data[:] = memory
        text = machine.memory.allocate("code", FUNCTION_STEP * max(len(insns), 1))
        arguments = (Fact("mem", offset=0), SCALAR)
        code: Code = prepare(linked(insns), None, {}, text.base, arguments)
        engine = Interpreter(machine, machine.cpus[0], machine.helpers)
        engine.start(code, buffer.base if memory else 0, len(memory), budget)
        r0 = engine.run() & U64
        return r0, RunResult(r0 & 0xFFFF_FFFF, bytes(buffer.data), executed=engine.executed)
