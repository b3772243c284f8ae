"""What the code of an object names outside itself, looked up in the kernel whose answer is wanted:
CO-RE relocations, kernel functions and variables, the kernel's configuration."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ebee import maps
from ebee.btf import Btf, Func, Var, Void
from ebee.btf.core import Relocator, patch
from ebee.errors import BtfError
from ebee.isa import Insn, lddw
from ebee.isa.insn import (
    CALL,
    JMP,
    PSEUDO_BTF_ID,
    PSEUDO_KFUNC_CALL,
    PSEUDO_MAP_FD,
    PSEUDO_MAP_VALUE,
)
from ebee.verifier.core import special
from ebee.verifier.core.errors import DoesNotKnow, Rejected

if TYPE_CHECKING:
    from ebee.obj.spec import ExternSpec, Linked, MapSpec, ObjectSpec, Ref
    from ebee.verifier.core.program import MapInfo, Program

MISSING_KFUNC = 2_002_000_000  # libbpf's number for a call to a weak function that is not there


class _Resolver:
    def __init__(self, spec: ObjectSpec, made: Program):
        self.spec, self.made = spec, made
        self.infos: dict[str, MapInfo] = {}
        self.relocator: Relocator | None = None
        self.poisoned = 0
        self.options: dict[str, int] = {}  # where in the map of options each is

    def map(self, ref: Ref) -> None:
        from ebee.verifier.core.program import map_info

        made = self.made
        if ref.symbol not in self.infos:
            spec = self.spec.maps[ref.symbol]
            kernel = made.types() if _points_to_kernel(spec, self.spec.btf) else made.kernel
            info = self.infos[ref.symbol] = map_info(spec, self.spec.btf, kernel)
            if info.name in (".data", ".rodata", ".bss"):
                info.name = self.spec.name[: 15 - len(".rodata")] + info.name  # as libbpf does
        made.pseudo[ref.slot] = ref.kind, self.infos[ref.symbol], ref.addend
        source = PSEUDO_MAP_FD if ref.kind == "map" else PSEUDO_MAP_VALUE
        high = ref.addend << 32 if ref.kind == "data" else 0
        made.insns[ref.slot : ref.slot + 2] = lddw(made.insns[ref.slot].dst, high, source)

    def core(self, ref: Ref) -> None:
        if self.spec.btf is None or ref.core is None:
            raise DoesNotKnow("CO-RE relocations without BTF")
        if self.relocator is None:
            self.relocator = Relocator(self.spec.btf, self.made.types())
        try:
            found = self.relocator.resolve(ref.core)
            patch(self.made.insns, ref.slot, found, self.poisoned)
        except BtfError as error:
            raise DoesNotKnow(f"this CO-RE relocation: {error}") from None
        self.poisoned += found.poison

    def kfunc(self, ref: Ref) -> None:
        extern = self.spec.externs[ref.symbol]
        found = self.made.types().get(ref.symbol, Func)
        if found is not None:
            call = Insn(JMP | CALL, 0, PSEUDO_KFUNC_CALL, 0, found.id)
        elif extern.weak and not self.made.types().partial:
            call = Insn(JMP | CALL, imm=MISSING_KFUNC)
        else:
            raise DoesNotKnow(f"a kernel function {ref.symbol}")
        self.made.insns[ref.slot] = call

    def ksym(self, ref: Ref) -> None:
        extern, made = self.spec.externs[ref.symbol], self.made
        if not self._typeless(extern):
            found = made.types().get(ref.symbol, (Var, Func))
            if found is not None:
                if not has_address(made.types(), ref.symbol):
                    text = "ldimm64 failed to find the address for kernel symbol"
                    raise Rejected("kernel-symbol", f"{text} '{ref.symbol}'.", "", ENOENT)
                made.pseudo[ref.slot] = "ksym", found.id, 0
                insn = made.insns[ref.slot]
                made.insns[ref.slot : ref.slot + 2] = lddw(insn.dst, found.id, PSEUDO_BTF_ID)
                return
            if extern.weak and not made.types().partial:
                made.insns[ref.slot : ref.slot + 2] = lddw(made.insns[ref.slot].dst, 0, 0)
                return
            raise DoesNotKnow(f"a kernel variable {ref.symbol}")
        made.insns[ref.slot : ref.slot + 2] = lddw(made.insns[ref.slot].dst, 0, 0)
        made.pseudo[ref.slot] = "number", None, 0  # an address, which differs by machine

    def _typeless(self, extern: ExternSpec) -> bool:
        btf = self.spec.btf
        if btf is None or not extern.btf_id:
            return True
        found = btf.type(extern.btf_id)
        return isinstance(found, Var) and isinstance(btf.resolve(found.type), Void)

    def kconfig(self, ref: Ref) -> None:
        """Options stand in a read-only map; what is in it is known where all of them are."""
        from ebee.verifier.core.program import MapInfo

        if ".kconfig" not in self.infos:
            array = maps.by_name("array")
            assert array is not None
            data = self._lay_out()
            known = data if len(self.made.config) == len(self.options) else None
            flags = maps.FLAGS["rdonly_prog"]
            self.infos[".kconfig"] = MapInfo(".kconfig", array, 4, len(data), 1, flags, known)
        offset = self.options[ref.symbol] + ref.addend
        self.made.pseudo[ref.slot] = "data", self.infos[".kconfig"], offset
        insn = self.made.insns[ref.slot]
        wide = lddw(insn.dst, offset << 32, PSEUDO_MAP_VALUE)
        self.made.insns[ref.slot : ref.slot + 2] = wide

    def _lay_out(self) -> bytes:
        """The options one after the other, as libbpf lays them out; `options` says where each is,
        and what is not known is zero."""
        btf, data = self.spec.btf, b""
        sizes = list[tuple[int, int, str]]()
        for extern in self.spec.externs.values():
            declared = btf.type(extern.btf_id) if btf is not None else None
            if extern.kind == "kconfig":
                if btf is None or not isinstance(declared, Var):
                    raise DoesNotKnow(f"the type of {extern.name}")
                kind = declared.type
                sizes.append((-btf.alignof(kind), btf.sizeof(kind), extern.name))
        for align, size, name in sorted(sizes):
            data += bytes(-len(data) % -align)
            self.options[name] = len(data)
            data += self.made.config.get(name, bytes(size))
        return data


ENOENT = 2


def has_address(kernel: Btf, name: str) -> bool:
    """Whether a kernel's table of symbols has a name: known of the running kernel alone, any other
    is taken to have it (CONFIG_KALLSYMS_ALL)."""
    from ebee.verifier.core.program import running_kernel

    return kernel is not running_kernel() or name in _symbols()


@cache
def _symbols() -> frozenset[str]:
    try:
        lines = Path("/proc/kallsyms").read_text().splitlines()
    except OSError:
        return frozenset()
    return frozenset(line.split()[2] for line in lines)


def _points_to_kernel(spec: MapSpec, btf: Btf | None) -> bool:
    """Whether values hold pointers, whose types are looked up in the kernel."""
    from ebee.maps.special import special_fields

    found = special_fields(btf, spec.value_btf_id) if btf and spec.value_btf_id else ()
    return any(name in special.REFS for name, _ in found)


def resolve(spec: ObjectSpec, linked: Linked, made: Program) -> None:
    """Resolve the references of a linked program, in the program that is made of it."""
    resolver = _Resolver(spec, made)
    ways = {
        "map": resolver.map, "data": resolver.map, "core": resolver.core, "kfunc": resolver.kfunc,
        "ksym": resolver.ksym, "kconfig": resolver.kconfig,
    }  # fmt: skip
    for ref in linked.refs:
        way = ways.get(ref.kind)
        if way is None:
            made.unknown[ref.slot] = f"references of kind {ref.kind}"
        else:
            way(ref)
