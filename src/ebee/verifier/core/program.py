"""What is checked: one linked program with its maps and what its hook says, ready for the walk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from ebee import hooks, maps
from ebee.btf import Btf
from ebee.errors import EbeeError, ObjectError
from ebee.hooks import Hook
from ebee.isa import Insn
from ebee.maps import MapType
from ebee.obj import link
from ebee.obj.spec import FuncInfo, Line, MapSpec, ObjectSpec, ProgramSpec
from ebee.verifier.core import references, special
from ebee.verifier.core.errors import DoesNotKnow
from ebee.verifier.core.special import Field
from ebee.verifier.core.target import Target, target_of

GPL = frozenset(
    ("GPL", "GPL v2", "GPL and additional rights", "Dual BSD/GPL", "Dual MIT/GPL", "Dual MPL/GPL")
)
"""License texts that are GPL-compatible (license_is_gpl_compatible)."""

SLEEPABLE = 1 << 4  # BPF_F_SLEEPABLE
STRICT_ALIGNMENT, ANY_ALIGNMENT = 1 << 0, 1 << 1  # BPF_F_STRICT_ALIGNMENT, ...


@dataclass(eq=False, slots=True)
class MapInfo:
    """A map as the verifier sees it. `fields`: special fields of its value; `data`: the contents
    of a frozen data section; `btf` and `value`: what describes its values."""

    name: str
    type: MapType
    key_size: int
    value_size: int
    max_entries: int
    flags: int
    data: bytes | None = None
    inner: MapInfo | None = None
    fields: tuple[Field, ...] = ()
    btf: Btf | None = None
    value: int = 0
    extra: int = 0

    def field(self, name: str) -> Field | None:
        """The special field of a kind, if the value has one."""
        return next((f for f in self.fields if f.name == name), None)

    @property
    def lock(self) -> Field | None:
        """Its spin lock, of either kind."""
        return self.field("bpf_spin_lock") or self.field("bpf_res_spin_lock")


Pseudo = tuple[str, Any, int]


@dataclass(eq=False, slots=True)
class Program:
    """One program. `pseudo` says by slot what a wide load means: ("map", MapInfo, 0), ("data",
    MapInfo, offset), ("ksym", a BTF type's id in the kernel's BTF, 0) or ("number", None, 0);
    `unknown` by slot what ebee cannot resolve; `kernel` is the BTF of the kernel whose answer is
    wanted, `target` what the program is for where that is a function or struct of it; `config` what
    variables of its configuration hold."""

    name: str
    insns: list[Insn]
    hook: Hook
    attach_type: int = 0
    flags: int = 0
    attach_to: str = ""
    gpl: bool = True
    pseudo: dict[int, Pseudo] = field(default_factory=dict)
    unknown: dict[int, str] = field(default_factory=dict)
    funcs: list[FuncInfo] = field(default_factory=list)
    linkage: dict[int, str] = field(default_factory=dict)
    lines: list[Line] = field(default_factory=list)
    btf: Btf | None = None
    kernel: Btf | None = None
    target: Target | None = None
    exception_callback: str = ""
    config: Mapping[str, bytes] = field(default_factory=dict)

    @property
    def sleepable(self) -> bool:
        return bool(self.flags & SLEEPABLE)

    @property
    def catches(self) -> int:
        """Where the function begins that handles exceptions; -1: there is none."""
        name = self.exception_callback
        return next((f.start for f in self.funcs if name and f.name == name), -1)

    def types(self) -> Btf:
        """The kernel's BTF; DoesNotKnow without one."""
        if self.kernel is None:
            self.kernel = running_kernel()
        if self.kernel is None:
            raise DoesNotKnow("the kernel's types: name a file that has its BTF (--btf)")
        return self.kernel


@cache
def running_kernel() -> Btf | None:
    """The running kernel's BTF; where it has none, the part of one that comes with ebee."""
    from ebee.btf.target import target

    try:
        return target().btf
    except EbeeError:
        return None


def map_info(spec: MapSpec, btf: Btf | None, kernel: Btf | None = None) -> MapInfo:
    """A map of an object. DoesNotKnow when its type is not declared."""
    kind = maps.by_name(spec.type)
    if kind is None:
        raise DoesNotKnow(f"maps of type {spec.type}")
    fields: tuple[Field, ...] = ()
    if btf is not None and spec.value_btf_id:
        fields = special.fields(btf, spec.value_btf_id, kernel)
    data = None
    if spec.readonly and spec.data is not None:
        data = spec.data.ljust(spec.value_size, b"\0")
    inner = map_info(spec.inner, btf, kernel) if spec.inner is not None else None
    if inner is not None:
        inner.name = ""
    if kind.name in ("array", "percpu_array") and not spec.key_size:
        raise ObjectError(f"map {spec.name} has no key size")
    return MapInfo(
        spec.name, kind, spec.key_size, spec.value_size, spec.max_entries, spec.flags, data, inner,
        fields, btf, spec.value_btf_id, spec.map_extra,
    )  # fmt: skip


def from_spec(
    spec: ObjectSpec,
    program: ProgramSpec,
    kernel: Btf | None = None,
    config: Mapping[str, bytes] | None = None,
) -> Program:
    """A program of an object, linked and relocated. ObjectError when something is undefined;
    DoesNotKnow when its hook or a map is unknown here."""
    hook = hooks.by_name(program.hook)
    if hook is None:
        raise ObjectError(f"program {program.name}: hook {program.hook!r} is not declared")
    linked = link(spec, program)
    made = Program(
        program.name, list(linked.insns), hook, program.attach_type, program.flags,
        program.attach_to, spec.license in GPL, funcs=linked.funcs, lines=linked.lines,
        btf=spec.btf, kernel=kernel, exception_callback=program.exception_callback,
        config=config or {},
    )  # fmt: skip
    for function in linked.funcs:
        made.linkage[function.start] = spec.function(function.name).linkage
    references.resolve(spec, linked, made)
    made.target = target_of(spec, program, made)
    return made
