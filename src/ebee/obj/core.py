"""CO-RE for linked code: each relocation looked up in a target's BTF and written into place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import chain

from ebee.btf import Btf
from ebee.btf.core import Relocator, Resolution, patch
from ebee.btf.ext import CoreRelo
from ebee.errors import BtfError, ObjectError
from ebee.obj.spec import Linked, ObjectSpec


def relocate(linked: Linked, relocator: Relocator) -> tuple[Linked, list[Resolution]]:
    """The code as it must be for the relocator's target, and what each relocation came to.

    What the target lacks becomes a call of helper `ebee.btf.core.POISON` + its place in that list,
    whose `why` tells what is missing: only a program that can get there is wrong. One relocator
    serves all programs of an object. BtfError for relocations that are damaged or ambiguous.
    """
    insns = list(linked.insns)
    found: list[Resolution] = []
    for ref in linked.refs:
        if ref.kind != "core":
            continue
        if ref.core is None:
            raise ObjectError(f"program {linked.name}: a core ref without its record")
        try:
            resolution = relocator.resolve(ref.core)
            patch(insns, ref.slot, resolution, len(found))
        except BtfError as error:
            raise BtfError(f"program {linked.name}, instruction {ref.slot}: {error}") from None
        found.append(resolution)
    others = [ref for ref in linked.refs if ref.kind != "core"]
    return replace(linked, insns=insns, refs=others), found


def relocations(spec: ObjectSpec) -> list[CoreRelo]:
    """All CO-RE relocations of an object's functions and programs."""
    code = chain(spec.functions.values(), spec.programs.values())
    return [ref.core for function in code for ref in function.refs if ref.core is not None]


def minimal_btf(specs: Iterable[ObjectSpec], target: Btf) -> Btf:
    """The part of a kernel's BTF that the objects' relocations need, see ebee.btf.minimal."""
    from ebee.btf.minimal import minimal

    return minimal(target, [(s.btf, relocations(s)) for s in specs if s.btf is not None])
