"""What is checked: one linked program with its maps and what its hook says, ready for the walk."""

from __future__ import annotations

from dataclasses import dataclass, field

from ebee import hooks, maps
from ebee.btf import Btf
from ebee.errors import ObjectError
from ebee.hooks import Hook
from ebee.isa import Insn, lddw
from ebee.isa.insn import PSEUDO_MAP_FD, PSEUDO_MAP_VALUE
from ebee.maps import MapType
from ebee.obj import link
from ebee.obj.spec import FuncInfo, Line, MapSpec, ObjectSpec, ProgramSpec
from ebee.verifier.core.errors import DoesNotKnow

GPL = frozenset(
    ("GPL", "GPL v2", "GPL and additional rights", "Dual BSD/GPL", "Dual MIT/GPL", "Dual MPL/GPL")
)
"""License texts that are GPL-compatible (license_is_gpl_compatible)."""

SLEEPABLE = 1 << 4  # BPF_F_SLEEPABLE
STRICT_ALIGNMENT = 1 << 0  # BPF_F_STRICT_ALIGNMENT


@dataclass(eq=False, slots=True)
class MapInfo:
    """A map as the verifier sees it. `fields`: special fields by offset, as (name, offset, size);
    `data`: the contents of a frozen data section."""

    name: str
    type: MapType
    key_size: int
    value_size: int
    max_entries: int
    flags: int
    data: bytes | None = None
    inner: MapInfo | None = None
    fields: tuple[tuple[str, int, int], ...] = ()


@dataclass(eq=False, slots=True)
class Program:
    """One program. `pseudo` says by slot what a wide load means: ("map", MapInfo, 0) or ("data",
    MapInfo, offset); `unknown` by slot what ebee cannot resolve."""

    name: str
    insns: list[Insn]
    hook: Hook
    attach_type: int = 0
    flags: int = 0
    attach_to: str = ""
    gpl: bool = True
    pseudo: dict[int, tuple[str, MapInfo, int]] = field(default_factory=dict)
    unknown: dict[int, str] = field(default_factory=dict)
    funcs: list[FuncInfo] = field(default_factory=list)
    linkage: dict[int, str] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    btf: Btf | None = None


_SIZES = {
    "bpf_spin_lock": 4, "bpf_res_spin_lock": 4, "bpf_timer": 16, "bpf_wq": 16, "bpf_list_head": 16,
    "bpf_list_node": 24, "bpf_rb_root": 16, "bpf_rb_node": 32, "bpf_refcount": 4,
    "bpf_task_work": 16,
}  # fmt: skip


def map_info(spec: MapSpec, btf: Btf | None) -> MapInfo:
    """A map of an object. DoesNotKnow when its type is not declared."""
    kind = maps.by_name(spec.type)
    if kind is None:
        raise DoesNotKnow(f"maps of type {spec.type}")
    fields: tuple[tuple[str, int, int], ...] = ()
    if btf is not None and spec.value_btf_id:
        from ebee.maps.special import special_fields

        found = special_fields(btf, spec.value_btf_id)
        fields = tuple((name, at, _SIZES.get(name, 8)) for name, at in found)
    data = None
    if spec.readonly and spec.data is not None:
        data = spec.data.ljust(spec.value_size, b"\0")
    inner = map_info(spec.inner, btf) if spec.inner is not None else None
    if kind.name in ("array", "percpu_array") and not spec.key_size:
        raise ObjectError(f"map {spec.name} has no key size")
    return MapInfo(
        spec.name, kind, spec.key_size, spec.value_size, spec.max_entries, spec.flags, data, inner,
        fields,
    )  # fmt: skip


def from_spec(spec: ObjectSpec, program: ProgramSpec) -> Program:
    """A program of an object, linked. ObjectError when something is undefined; DoesNotKnow when
    its hook or a map is unknown here."""
    hook = hooks.by_name(program.hook)
    if hook is None:
        raise ObjectError(f"program {program.name}: hook {program.hook!r} is not declared")
    linked = link(spec, program)
    made = Program(
        program.name, list(linked.insns), hook, program.attach_type, program.flags,
        program.attach_to, spec.license in GPL, funcs=linked.funcs, lines=linked.lines,
        btf=spec.btf,
    )  # fmt: skip
    for function in linked.funcs:
        made.linkage[function.start] = spec.function(function.name).linkage
    if program.exception_callback:
        raise DoesNotKnow("exception callbacks")
    infos: dict[str, MapInfo] = {}
    for ref in linked.refs:
        if ref.kind in ("map", "data"):
            if ref.symbol not in infos:
                infos[ref.symbol] = map_info(spec.maps[ref.symbol], spec.btf)
            made.pseudo[ref.slot] = ref.kind, infos[ref.symbol], ref.addend
            source = PSEUDO_MAP_FD if ref.kind == "map" else PSEUDO_MAP_VALUE
            high = ref.addend << 32 if ref.kind == "data" else 0
            made.insns[ref.slot : ref.slot + 2] = lddw(made.insns[ref.slot].dst, high, source)
        else:
            made.unknown[ref.slot] = {
                "kfunc": f"kernel function {ref.symbol}",
                "ksym": f"kernel symbol {ref.symbol}",
                "kconfig": f"the kernel's configuration ({ref.symbol})",
                "core": "CO-RE relocations",
            }.get(ref.kind, f"references of kind {ref.kind}")
    return made
