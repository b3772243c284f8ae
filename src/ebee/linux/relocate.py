"""The last step before loading: references in code become this kernel's descriptors and addresses.

What libbpf does (bpf_object__relocate_data, bpf_program_record_relos): maps and global data, CO-RE
against the kernel's BTF, kernel functions and variables, the kernel's configuration; and helpers
that an old kernel lacks by those that it has. What is missing and need not be there becomes a call
of a helper that does not exist, with libbpf's numbers: only a program that can get there is wrong,
and is told what was missing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from ebee.btf import Btf
from ebee.errors import ObjectError, VerifierError
from ebee.isa import Insn, lddw
from ebee.isa.insn import (
    CALL,
    JMP,
    PSEUDO_BTF_ID,
    PSEUDO_KFUNC_CALL,
    PSEUDO_MAP_FD,
    PSEUDO_MAP_VALUE,
)
from ebee.linux import features
from ebee.linux.externs import Externs
from ebee.linux.kconfig import Kconfig
from ebee.linux.maps import LinuxMap
from ebee.obj.spec import Linked, ObjectSpec, Ref

if TYPE_CHECKING:  # imported when there is something to relocate
    from ebee.btf.core import Relocator

POISON_MAP, POISON_KFUNC = 2_001_000_000, 2_002_000_000
"""libbpf's numbers for maps that were not created and functions that are not there, by index."""

_CALL = JMP | CALL
OLDER_READS = {113: 4, 112: 4, 115: 45, 114: 45}
"""probe_read_kernel, probe_read_user and their _str -> what served for both before Linux 5.5."""

_REACHED = re.compile(r"^(\d+): \(85\) call \S*#(\d+)", re.MULTILINE)


class Patcher:
    """Resolves the references of one object's programs. `maps`: the object's, by name; `core_btf`:
    the target of CO-RE, the running kernel and its modules by default."""

    def __init__(
        self,
        spec: ObjectSpec,
        maps: Mapping[str, LinuxMap],
        externs: Externs,
        kconfig: Kconfig,
        core_btf: Btf | None = None,
    ):
        self.spec, self.maps, self.externs, self.kconfig = spec, maps, externs, kconfig
        self.core_btf = core_btf
        self.missing: dict[tuple[str, int], Callable[[], str]] = {}
        """(program, slot) -> what is missing where a poisoned instruction stands."""
        self._ways: dict[str, Callable[[list[Insn], Ref], Callable[[], str] | None]] = {
            "map": self._map,
            "data": self._map,
            "core": self._core,
            "kfunc": self._kfunc,
            "ksym": self._ksym,
            "kconfig": self._kconfig,
        }

    def patch(self, linked: Linked) -> list[Insn]:
        """The program's code, ready for this kernel. ObjectError for what cannot be resolved."""
        insns = list(linked.insns)
        for ref in linked.refs:
            try:
                missing = self._ways[ref.kind](insns, ref)
            except ObjectError as error:
                text = f"program {linked.name}, instruction {ref.slot}: {error}"
                raise ObjectError(text) from None
            if missing is not None:
                self.missing[linked.name, ref.slot] = missing
        return insns if features.has("probe_read_kernel") else [_older(insn) for insn in insns]

    def explain(self, error: VerifierError, program: str) -> VerifierError:
        """The verifier's complaint about a poisoned instruction, in terms of what is missing."""
        reached = _REACHED.findall(error.log)
        missing = self.missing.get((program, int(reached[-1][0]))) if reached else None
        if missing is None:
            return error
        text = f"{error.summary}\n  this kernel lacks what it needs: {missing()}"
        return VerifierError(text, error.errno, error.log)

    @cached_property
    def _relocator(self) -> Relocator:
        from ebee.btf.core import Relocator

        if self.spec.btf is None:
            raise ObjectError("CO-RE relocations need the object's BTF")
        if self.core_btf is not None:
            return Relocator(self.spec.btf, self.core_btf)
        kernel = self.externs.kernel
        return Relocator(self.spec.btf, kernel.vmlinux, kernel.module_types)

    # -- one way for each kind of reference --------------------------------------------------

    def _load(self, insns: list[Insn], ref: Ref, value: int, source: int) -> None:
        insns[ref.slot : ref.slot + 2] = lddw(insns[ref.slot].dst, value, source)

    def _map(self, insns: list[Insn], ref: Ref) -> Callable[[], str] | None:
        """A map, or a place in the value of one that holds global data."""
        made = self.maps.get(ref.symbol)
        if made is None:
            if ref.symbol not in self.spec.maps:
                raise ObjectError(f"there is no map {ref.symbol!r}")
            for slot in (ref.slot, ref.slot + 1):
                insns[slot] = Insn(_CALL, imm=POISON_MAP + self._map_index(ref.symbol))
            return lambda: f"map {ref.symbol} was not created"
        if ref.kind == "map":
            self._load(insns, ref, made.fd.fileno(), PSEUDO_MAP_FD)
        else:
            self._load(insns, ref, ref.addend << 32 | made.fd.fileno(), PSEUDO_MAP_VALUE)
        return None

    def _map_index(self, name: str) -> int:
        """The map's place among libbpf's: declared ones, data, configuration, struct_ops."""
        ranks = [
            (2 if m.type == "struct_ops" else m.name.startswith("."), n)
            for n, m in self.spec.maps.items()
        ]
        configured = any(e.kind == "kconfig" for e in self.spec.externs.values())
        ordered = [n for _, n in sorted(ranks, key=lambda pair: pair[0])]
        return ordered.index(name) + (configured and self.spec.maps[name].type == "struct_ops")

    def _core(self, insns: list[Insn], ref: Ref) -> Callable[[], str] | None:
        if ref.core is None:
            raise ObjectError(f"a CO-RE relocation of {ref.symbol} without its record")
        from ebee.btf.core import patch

        found = self._relocator.resolve(ref.core)
        patch(insns, ref.slot, found)
        return (lambda: found.why) if found.poison else None

    def _kfunc(self, insns: list[Insn], ref: Ref) -> Callable[[], str] | None:
        place = self.externs.place(ref.symbol)
        if place is None:
            number = POISON_KFUNC + self.externs.order.index(ref.symbol)
            insns[ref.slot] = Insn(_CALL, imm=number)
            return lambda: f"function {ref.symbol}(), which is declared weak"
        index = self.externs.module_index(place)
        insns[ref.slot] = Insn(_CALL, 0, PSEUDO_KFUNC_CALL, index, place.id)
        return None

    def _ksym(self, insns: list[Insn], ref: Ref) -> None:
        """A variable or function by its BTF; one declared `void` by its address alone."""
        extern = self.externs.extern(ref.symbol)
        if self.externs.typeless(extern):
            address = self.externs.address(ref.symbol)
            self._load(insns, ref, address + (ref.addend if address else 0), 0)
            return
        place = self.externs.place(ref.symbol)
        if place is None:
            self._load(insns, ref, 0, 0)
        else:
            self._load(insns, ref, place.fd << 32 | place.id, PSEUDO_BTF_ID)

    def _kconfig(self, insns: list[Insn], ref: Ref) -> None:
        made, offset = self.kconfig.place(ref.symbol)
        value = (offset + ref.addend) << 32 | made.fd.fileno()
        self._load(insns, ref, value, PSEUDO_MAP_VALUE)


def _older(insn: Insn) -> Insn:
    """A call of a helper that came with Linux 5.5 by that of the one before it."""
    if insn.op == _CALL and insn.src == 0 and insn.imm in OLDER_READS:
        return insn._replace(imm=OLDER_READS[insn.imm])
    return insn
