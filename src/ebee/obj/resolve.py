"""CO-RE for whole objects: an object as it is for one target, to be run, checked or written.

made, lacking = resolved(load("prog.o"), Btf.load("vmlinux-6.1"))
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain

from ebee.btf import Btf
from ebee.btf.core import POISON, Relocator, Resolution, patch
from ebee.errors import BtfError
from ebee.obj.linker import link
from ebee.obj.spec import ObjectSpec


def resolved(
    spec: ObjectSpec,
    target: Btf,
    programs: Iterable[str] | None = None,
    modules: Callable[[], Iterable[Btf]] = lambda: (),
) -> tuple[ObjectSpec, dict[int, Resolution]]:
    """A copy of an object without CO-RE relocations: each written into its instruction. With
    `programs` only those of these and of what they call; the others stay as they are. `modules`:
    see Relocator.

    The second part are those that cannot be, by the helper number of the call that stands in
    their place (see ebee.btf.core.patch); for a program that gets there, `why` tells what was
    missing. BtfError for relocations that are damaged or ambiguous.
    """
    made = spec.copy()
    poisoned: dict[int, Resolution] = {}
    if spec.btf is None:
        return made, poisoned
    relocator = Relocator(spec.btf, target, modules)
    code = list(chain(made.functions.values(), made.programs.values()))
    if programs is not None:
        wanted = {info.name for name in programs for info in link(spec, name).funcs}
        code = [function for function in code if function.name in wanted]
    for function in code:
        for ref in function.refs:
            if ref.core is None:
                continue
            number = len(poisoned)
            try:
                found = relocator.resolve(ref.core)
                patch(function.insns, ref.slot, found, number)
            except BtfError as error:
                where = f"{spec.name}: {function.name}, instruction {ref.slot}"
                raise BtfError(f"{where}: {error}") from None
            if found.poison:
                poisoned[POISON + number] = found
        function.refs = [ref for ref in function.refs if ref.kind != "core"]
    return made, poisoned
