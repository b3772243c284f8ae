"""The last step before loading: references in code become this kernel's descriptors and addresses.

What libbpf does (bpf_object__relocate_data, bpf_object__resolve_externs): maps and global data,
CO-RE against the kernel's BTF, kernel functions and variables, the kernel's configuration.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

from ebee.btf import Btf, Func, Var, Void
from ebee.btf.core import POISON, Relocator, Resolution, patch
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
from ebee.linux.host import kernel_symbols
from ebee.linux.kconfig import Kconfig
from ebee.linux.maps import LinuxMap
from ebee.obj.spec import ExternSpec, Linked, ObjectSpec, Ref

POISON_KFUNC = 2_002_000_000  # libbpf's number for a call to a weak function that is not there


class Patcher:
    """Resolves the references of one object's programs. `maps`: the object's, by name."""

    def __init__(self, spec: ObjectSpec, maps: Mapping[str, LinuxMap]):
        self.spec = spec
        self.maps = maps
        self.kconfig = Kconfig(spec)
        self.poisoned: dict[int, Resolution] = {}
        self._ways: dict[str, Callable[[list[Insn], Ref], None]] = {
            "map": self._map,
            "data": self._data,
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
                self._ways[ref.kind](insns, ref)
            except ObjectError as error:
                text = f"program {linked.name}, instruction {ref.slot}: {error}"
                raise ObjectError(text) from None
        return insns

    def explain(self, error: VerifierError) -> VerifierError:
        """The verifier's complaint about a poisoned instruction, in terms of what is missing."""
        for number, found in self.poisoned.items():
            if f"#{POISON + number}" in error.log or f"func {POISON + number}" in error.log:
                text = f"{error.summary}\n  this kernel lacks what it needs: {found.why}"
                return VerifierError(text, error.errno, error.log)
        return error

    def close(self) -> None:
        self.kconfig.close()

    @cached_property
    def _kernel(self) -> Btf:
        return Btf.vmlinux()

    @cached_property
    def _relocator(self) -> Relocator:
        if self.spec.btf is None:
            raise ObjectError("CO-RE relocations need the object's BTF")
        return Relocator(self.spec.btf, self._kernel)

    # -- one way for each kind of reference --------------------------------------------------

    def _load(self, insns: list[Insn], ref: Ref, value: int, source: int) -> None:
        insns[ref.slot : ref.slot + 2] = lddw(insns[ref.slot].dst, value, source)

    def _map(self, insns: list[Insn], ref: Ref) -> None:
        self._load(insns, ref, self._descriptor(ref), PSEUDO_MAP_FD)

    def _data(self, insns: list[Insn], ref: Ref) -> None:
        self._load(insns, ref, ref.addend << 32 | self._descriptor(ref), PSEUDO_MAP_VALUE)

    def _descriptor(self, ref: Ref) -> int:
        if ref.symbol not in self.maps:
            raise ObjectError(f"there is no map {ref.symbol!r}")
        return self.maps[ref.symbol].fd.fileno()

    def _core(self, insns: list[Insn], ref: Ref) -> None:
        if ref.core is None:
            raise ObjectError(f"a CO-RE relocation of {ref.symbol} without its record")
        found = self._relocator.resolve(ref.core)
        number = len(self.poisoned)
        if found.poison:
            self.poisoned[number] = found
        patch(insns, ref.slot, found, number)

    def _kfunc(self, insns: list[Insn], ref: Ref) -> None:
        extern = self._extern(ref)
        function = self._kernel.get(ref.symbol, Func)
        if function is not None:
            call = Insn(JMP | CALL, 0, PSEUDO_KFUNC_CALL, 0, function.id)
        elif extern.weak:
            call = Insn(JMP | CALL, imm=POISON_KFUNC)
        else:
            raise ObjectError(f"this kernel has no function {ref.symbol}() for BPF programs")
        insns[ref.slot] = call

    def _ksym(self, insns: list[Insn], ref: Ref) -> None:
        """A variable or function by its BTF; one declared `void` by its address alone."""
        extern = self._extern(ref)
        known = self._kernel.get(ref.symbol, (Var, Func))
        if known is not None and not self._typeless(extern):
            return self._load(insns, ref, known.id, PSEUDO_BTF_ID)
        address = kernel_symbols(ref.symbol).get(ref.symbol) if self._typeless(extern) else None
        if address is None and not extern.weak:
            what = "symbol" if self._typeless(extern) else "BTF of a variable"
            raise ObjectError(f"this kernel has no {what} {ref.symbol}")
        return self._load(insns, ref, (address or 0) + (ref.addend if address else 0), 0)

    def _typeless(self, extern: ExternSpec) -> bool:
        btf = self.spec.btf
        if btf is None or not extern.btf_id:
            return True
        found = btf.type(extern.btf_id)
        return isinstance(found, Var) and isinstance(btf.resolve(found.type), Void)

    def _kconfig(self, insns: list[Insn], ref: Ref) -> None:
        made, offset = self.kconfig.place(ref.symbol)
        value = (offset + ref.addend) << 32 | made.fd.fileno()
        self._load(insns, ref, value, PSEUDO_MAP_VALUE)

    def _extern(self, ref: Ref) -> ExternSpec:
        if ref.symbol not in self.spec.externs:
            raise ObjectError(f"{ref.symbol} is not declared as an extern")
        return self.spec.externs[ref.symbol]
