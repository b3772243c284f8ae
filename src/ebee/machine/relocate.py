"""CO-RE on the machine: programs as they are for a kernel's types, without that kernel.

What the types lack is no error until a program gets there: the instruction becomes one that faults.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import TYPE_CHECKING

from ebee.isa.insn import CALL, JMP, Insn
from ebee.obj.spec import ObjectSpec, Ref

if TYPE_CHECKING:
    from ebee.btf import Btf

TRAP = Insn(0x7A, 10, 0, 0x7FF8, 0)
"""*(u64 *)(r10 + 0x7ff8) = 0: outside of every stack."""


def relocated(
    spec: ObjectSpec, target: Btf | None, programs: Iterable[str] | None = None
) -> ObjectSpec:
    """The object for `target`, else for the running kernel's types, else for the bundled ones
    (which a warning in the spec says). The spec itself when it has no CO-RE relocations.
    `programs`: those that matter, by default the ones that are loaded unasked.

    Instructions that cannot be relocated are traps, with a `core` ref whose symbol says why.
    BtfError for relocations that are damaged or ambiguous.
    """
    code = chain(spec.functions.values(), spec.programs.values())
    if not any(ref.core for function in code for ref in function.refs):
        return spec
    from ebee.btf.target import Target
    from ebee.btf.target import target as of_kernel
    from ebee.obj.resolve import resolved

    found = Target(target) if target is not None else of_kernel()
    if programs is None:
        programs = [name for name, program in spec.programs.items() if program.autoload]
    made, poisoned = resolved(spec, found.btf, programs, found.modules)
    if found.notice:
        made.warnings.append(found.notice)
    for function in chain(made.functions.values(), made.programs.values()):
        for slot, insn in enumerate(function.insns):
            if insn.op == JMP | CALL and insn.src == 0 and insn.imm in poisoned:
                function.insns[slot] = TRAP
                why = "; ".join(map(str.strip, poisoned[insn.imm].why.splitlines()))
                function.refs.append(Ref(slot, "core", why))
    return made
