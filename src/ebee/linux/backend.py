"""Loading an ObjectSpec into the kernel: maps, BTF, programs, and Python's handles of them.

    with load(spec) as obj:
        link = obj.programs["firewall"].attach("veth0")
        obj.maps["rules"][key] = value

Closing the object closes links, programs and maps: what was not pinned is gone.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from mmap import mmap
from typing import TYPE_CHECKING, Any, Unpack

from ebee.btf import Btf
from ebee.errors import KernelError, ObjectError, VerifierError
from ebee.hooks import by_name
from ebee.linux import attach, features, targets, uapi
from ebee.linux.btf import LoadedBtf
from ebee.linux.btf import load as load_btf
from ebee.linux.errors import older_than, version_text
from ebee.linux.externs import Externs
from ebee.linux.flags import BPF_F_XDP_DEV_BOUND_ONLY
from ebee.linux.info import Info
from ebee.linux.kconfig import Given, Kconfig
from ebee.linux.kernel_btf import KernelBtf
from ebee.linux.links import Link
from ebee.linux.maps import LinuxMap, entries
from ebee.linux.programs import PROG_TYPE_NAMES, LinuxProgram
from ebee.linux.relocate import Patcher
from ebee.linux.typed import Memory, typed
from ebee.maps import by_name as map_type
from ebee.obj import handles
from ebee.obj.hooks import unknown
from ebee.obj.linker import link
from ebee.obj.run import RunResult
from ebee.obj.spec import Linked, MapSpec, ObjectSpec, ProgramSpec, VariableSpec

if TYPE_CHECKING:  # what few objects need is imported when one does
    from ebee.linux.arena import ArenaMemory
    from ebee.linux.attach.options import Options as AttachOptions
    from ebee.linux.perfbuf import PerfBuffer
    from ebee.linux.ringbuf import RingBuffer
    from ebee.linux.struct_ops import StructOps

BPFFS = "/sys/fs/bpf"
PIN_BY_NAME = 1
NAME_LENGTH = 15
READONLY_TYPES = ("devmap", "devmap_hash")
"""The kernel itself adds BPF_F_RDONLY_PROG to the flags of these."""


def load(
    spec: ObjectSpec,
    *,
    programs: Iterable[str] | None = None,
    maps: Mapping[str, LinuxMap] | None = None,
    pin_path: str = BPFFS,
    log_level: int = 0,
    targets: Mapping[str, Program | LinuxProgram] | None = None,
    kconfig: Given = None,
    ifindex: int = 0,
    core_btf: Btf | None = None,
) -> LinuxObject:
    """Load an object into the kernel; all of it or, after an error, nothing.

    `programs`: the names to load (by default those with `autoload`); `maps`: open maps to use in
    place of those of the same name, which stay the caller's; `pin_path`: the folder of maps that
    are pinned by name; `log_level`: for every program's `.log`. `targets`: for programs that trace
    or replace a function of another eBPF program, that one; `kconfig`: values of CONFIG_ options
    by name, or a configuration file, before this kernel's own; `ifindex`: the interface that
    programs belong to: those with BPF_F_XDP_DEV_BOUND_ONLY among their flags may use what its
    driver offers (Linux 6.3), others run on it (offload), with all maps. `core_btf`: the types that
    CO-RE is resolved against, where the kernel does not publish its own. The spec is not changed.
    """
    held = {n: p.raw if isinstance(p, Program) else p for n, p in (targets or {}).items()}
    made = LinuxObject(spec, Options(pin_path, log_level, held, kconfig, ifindex, core_btf))
    try:
        made._load(programs, dict(maps or {}))
    except BaseException:
        made.close()
        raise
    return made


@dataclass(frozen=True)
class Options:
    """How to load, see `load`."""

    pin_path: str = BPFFS
    log_level: int = 0
    targets: Mapping[str, LinuxProgram] = field(default_factory=dict)
    kconfig: Given = None
    ifindex: int = 0
    core_btf: Btf | None = None


class LinuxObject(handles.Object):
    """An object in the kernel: `maps`, `programs`, `variables` by name; see `load`."""

    programs: dict[str, Program]  # type: ignore[assignment]

    def __init__(self, spec: ObjectSpec, options: Options | None = None):
        super().__init__(spec)
        self._options = options or Options()
        self.btf: LoadedBtf | None = None
        self._kernel = KernelBtf()
        self._raw: dict[str, LinuxMap] = {}
        self._memory: dict[str, mmap | ArenaMemory] = {}
        self._ops: dict[str, StructOps] = {}
        self._links: list[Link] = []
        self._readers: dict[str, RingBuffer | PerfBuffer] = {}
        self._stack = ExitStack()

    def attach(self) -> dict[str, Link]:
        """Attach every program whose section says where (SEC("kprobe/do_exit"), SEC("iter/task"),
        ...), and register what the struct_ops maps hold: links by name of program or map.

        Programs for interfaces, cgroups, sockets and the like are left out: attach those one by
        one. When one cannot be attached, those before it are detached.
        """
        made: dict[str, Link] = {}
        try:
            for name, program in self.programs.items():
                if attach.automatic(program.spec):
                    made[name] = program.attach()
            for name, held in self.maps.items():
                if name in self._ops:
                    made[name] = held.attach()  # type: ignore[attr-defined]
                    self._links.append(made[name])
        except BaseException:
            for attached in made.values():
                attached.close()
            raise
        return made

    def ring_buffer(self, name: str) -> RingBuffer | PerfBuffer:
        """The reader of a ring buffer or perf event array; the object closes it.

        What a ring buffer could not take, only the program knows: if it counts that in a variable
        `<name>_lost` or `lost`, the reader's `lost` is that count.
        """
        raw = self._raw.get(name)
        if raw is None:
            raise ObjectError(f"object {self.name} has no map {name!r}")
        reader = self._readers.get(name)
        if reader is None or reader.closed:
            if raw.type == "perf_event_array":
                from ebee.linux.perfbuf import PerfBuffer

                reader = PerfBuffer(raw)
            else:
                from ebee.linux.ringbuf import RingBuffer

                counters = [v for n, v in self.variables.items() if n in (f"{name}_lost", "lost")]
                reader = RingBuffer(raw, lost=_reading(counters[0]) if counters else None)
            self._readers[name] = reader
        return reader

    def release(self, link: Link) -> None:
        """Let go of a link of one of its programs: it is the caller's to close from now on, and
        stays when the object is closed (another object's program may have been put there)."""
        self._links[:] = [own for own in self._links if own is not link]

    def close(self) -> None:
        """Detach, unload and free everything that is not pinned."""
        for attached in self._links:
            attached.close()
        for reader in self._readers.values():
            reader.close()
        for memory in self._memory.values():
            memory.close()
        self._links.clear()
        self._readers.clear()
        self._memory.clear()
        self._stack.close()

    # -- loading -----------------------------------------------------------------------------

    def _load(
        self,
        programs: Iterable[str] | None,
        given: dict[str, LinuxMap],
    ) -> None:
        spec = self.spec
        self._stack.callback(self._kernel.close)
        if spec.endian != sys.byteorder:
            raise ObjectError(
                f"object {spec.name} is for {spec.endian}-endian machines, this one is"
                f" {sys.byteorder}-endian"
            )
        for name, own in given.items():
            _check_same(spec.map(name), own, f"map {own.name!r} given")
        for name, made in spec.maps.items():
            if made.type == "struct_ops" and made.autocreate:
                from ebee.linux.struct_ops import StructOps

                self._ops[name] = StructOps(spec, made, self._kernel)
        if programs is not None:
            wanted = {name: spec.program(name) for name in programs}
        else:
            wanted = {n: p for n, p in spec.programs.items() if self._autoload(p)}
        linked = self._load_btf({name: link(spec, p) for name, p in wanted.items()})
        for name, made in spec.maps.items():
            if made.autocreate or name in given:
                self._raw[name] = given.get(name) or self._make_map(made)
        externs = Externs(spec, self._kernel)
        label = internal_name(".kconfig", spec.name)
        kconfig = Kconfig(spec, externs.order, label, self._options.kconfig)
        self._stack.callback(kconfig.close)
        self._patcher = Patcher(spec, self._raw, externs, kconfig, self._options.core_btf)
        for name, program in wanted.items():
            self.programs[name] = self._load_program(program, linked[name])
        for made in spec.maps.values():
            if made.type != "struct_ops":
                self._fill(made)
        self._make_handles()

    def _autoload(self, program: ProgramSpec) -> bool:
        """Whether a program is loaded unless the caller says which; a struct_ops program that maps
        name is when one of these is created (libbpf: bpf_object_adjust_struct_ops_autoload)."""
        users = [
            name
            for name, made in self.spec.maps.items()
            if made.type == "struct_ops" and program.name in made.contents.values()
        ]
        return any(name in self._ops for name in users) if users else program.autoload

    def _load_btf(self, linked: dict[str, Linked]) -> dict[str, Linked]:
        """Load the object's BTF as the kernel and the programs need it; the programs, which may
        have to refer to other types then."""
        btf = self.spec.btf
        if btf is None or older_than("4.18"):
            return linked
        if not features.has("context tags"):
            from ebee.linux import context_tags

            btf, linked = context_tags.typed(btf, {n: self._typed(c) for n, c in linked.items()})
        lines = [line for code in linked.values() for line in code.lines]
        strings = {line.file for line in lines} | {line.text for line in lines}
        self.btf = load_btf(btf, strings)
        self._stack.callback(self.btf.close)
        return linked

    def _typed(self, code: Linked) -> tuple[Linked, str, str]:
        from ebee.linux import context_tags

        hook = by_name(self.spec.program(code.name).hook)
        type = PROG_TYPE_NAMES[hook.prog_type] if hook else ""
        return code, type, context_tags.context_name(hook, type) if hook else ""

    def _make_map(self, spec: MapSpec) -> LinuxMap:
        path = os.path.join(self._options.pin_path, spec.name.replace(".", "_"))
        pinned = spec.pinning == PIN_BY_NAME
        if pinned and os.path.exists(path):
            made = self._stack.enter_context(LinuxMap.get(path))
            _check_same(spec, made, f"map pinned at {path}")
            return made
        if spec.name.startswith(".") and not features.has("global data"):
            raise KernelError(
                f"global data ({spec.name}) requires Linux >= 5.2; this is {version_text()}"
            )
        with ExitStack() as temporary:
            inner = None
            if spec.inner is not None:
                inner = temporary.enter_context(self._make_map(spec.inner))
            made = self._create(spec, inner)
        self._stack.enter_context(made)
        if spec.type == "arena":
            from ebee.linux.arena import ArenaMemory

            memory = self._memory[spec.name] = ArenaMemory(made, spec.map_extra)
            memory[: len(spec.data or b"")] = spec.data or b""
        elif spec.data is not None and spec.type != "struct_ops":
            made.update(bytes(4), spec.data.ljust(spec.value_size, b"\0"))
        if spec.readonly:
            made.freeze()
        if pinned:
            made.pin(path)
        return made

    def _create(self, spec: MapSpec, inner: LinuxMap | None) -> LinuxMap:
        """A new map; as libbpf does, without its BTF where the kernel does not like that."""
        btf = self.btf.fd if self.btf else None
        if spec.type == "struct_ops" and btf is not None:
            return self._ops[spec.name].create(spec, btf)
        if spec.name.startswith(".") and not features.has("arrays in memory"):
            spec = replace(spec, flags=spec.flags & ~uapi.BPF_F_MMAPABLE)
        named = replace(spec, name=internal_name(spec.name, self.spec.name))
        bound = {"map_ifindex": self._options.ifindex} if self._offloaded else {}
        try:
            return LinuxMap.from_spec(named, btf, inner, **bound)
        except KernelError:
            declared = map_type(spec.type)
            if btf is None or not spec.value_btf_id or (declared and declared.btf == "required"):
                raise
            return LinuxMap.from_spec(named, None, inner, **bound)

    @property
    def _offloaded(self) -> bool:
        flagged = any(p.flags & BPF_F_XDP_DEV_BOUND_ONLY for p in self.spec.programs.values())
        return bool(self._options.ifindex) and not flagged

    def _load_program(self, spec: ProgramSpec, linked: Linked) -> Program:
        hook = by_name(spec.hook)
        if hook is None:
            raise unknown(spec)
        attach_type = spec.attach_type
        if hook.name == "struct_ops":
            more, attach_type = self._member(spec)
        else:
            more = targets.attributes(
                hook, spec, self._kernel, self._options.targets.get(spec.name)
            )
        if hook.name == "usdt" and features.has("uprobe.multi"):
            attach_type = uapi.ATTACH_TYPES["trace_uprobe_multi"]
        if self.btf is not None:
            more["btf"] = self.btf.fd
            more["func_info"] = self.btf.func_info(linked.funcs)
            more["line_info"] = self.btf.line_info(linked.lines, linked.funcs)
        if self._offloaded or spec.flags & BPF_F_XDP_DEV_BOUND_ONLY:
            more["prog_ifindex"] = self._options.ifindex
        insns = self._patcher.patch(linked)
        try:
            raw = LinuxProgram.load(
                insns,
                PROG_TYPE_NAMES[hook.prog_type],
                name=spec.name,
                license=self.spec.license,
                version=self.spec.version,
                attach_type=attach_type,
                flags=spec.flags,
                log_level=self._options.log_level,
                fd_array=self._patcher.externs.fd_array,
                **more,
            )
        except VerifierError as error:
            raise self._patcher.explain(error, spec.name) from None
        self._stack.enter_context(raw)
        self._bind(raw)
        return Program(spec, raw, self._raw, self._links)

    def _bind(self, program: LinuxProgram) -> None:
        """Let the program hold the object's constants, also those that its code does not name."""
        for name, spec in self.spec.maps.items():
            if spec.readonly and name in self._raw and features.has("maps bound to programs"):
                program.bind(self._raw[name].fd)

    def _member(self, spec: ProgramSpec) -> tuple[dict[str, Any], int]:
        """The kernel's struct that a program is a member of, and which one."""
        holders = [ops for ops in self._ops.values() if spec.name in ops.places]
        if not holders:
            raise ObjectError(f"program {spec.name} is in no struct_ops map that is created")
        first, *others = holders
        place = first.attributes(), first.places[spec.name]
        for other in others:
            if (other.attributes(), other.places[spec.name]) != place:
                text = f"maps {first.name} and {other.name}, which want it for different members"
                raise ObjectError(f"program {spec.name} is in {text}: write one for each")
        return place

    def _fill(self, spec: MapSpec) -> None:
        """Put programs and maps that the spec names into a map."""
        for index, name in spec.contents.items():
            value: LinuxMap | LinuxProgram | None = self._raw.get(name)
            if name in self.programs and self._raw[spec.name].type == "prog_array":
                value = self.programs[name].raw
            if value is None:
                where = f"map {spec.name}[{index}]"
                raise ObjectError(f"{where} is to hold {name!r}, which is not loaded; load it too")
            key = index.to_bytes(spec.key_size or 4, sys.byteorder)
            self._raw[spec.name].update(key, value.fd.fileno().to_bytes(4, sys.byteorder))

    # -- handles -----------------------------------------------------------------------------

    def _make_handles(self) -> None:
        btf = self.spec.btf
        loaded = {name: program.fd for name, program in self.programs.items()}
        for name, spec in self.spec.maps.items():
            raw = self._raw.get(name)
            if raw is None:
                continue
            if name in self._ops:
                from ebee.linux.struct_ops import StructOpsMap

                self.maps[name] = StructOpsMap(raw, self._ops[name], loaded)
                continue
            self.maps[name] = typed(raw, spec, btf, self._mapped(name))
        for name, variable in self.spec.variables.items():
            readonly = self.spec.maps[variable.map].readonly
            self.variables[name] = Variable(variable, self, readonly)

    def _mapped(self, name: str) -> Callable[[], Memory] | None:
        """What gives a map's memory, for those that have some."""
        raw = self._raw[name]
        return partial(self._section, name) if raw.flags & uapi.BPF_F_MMAPABLE else None

    def _section(self, name: str) -> Any:
        """The memory of a data section, where its map can be mapped."""
        raw = self._raw[name]
        if name not in self._memory and raw.flags & uapi.BPF_F_MMAPABLE:
            self._memory[name] = raw.mmap(write=not self.spec.maps[name].readonly)
        return self._memory.get(name)


def _reading(variable: handles.Variable) -> Callable[[], int]:
    return lambda: int(variable.value)


class Program(handles.Program):
    """A program in the kernel; `raw` is the LinuxProgram."""

    def __init__(
        self, spec: ProgramSpec, raw: LinuxProgram, maps: Mapping[str, LinuxMap], links: list[Link]
    ):
        super().__init__(spec)
        self.raw, self.fd = raw, raw.fd
        self._maps, self._links = maps, links

    @property
    def id(self) -> int:
        """The kernel's number of it."""
        return self.raw.id

    @property
    def log(self) -> str:
        """The verifier's log, when one was asked for."""
        return self.raw.log

    def info(self) -> Info:
        """See LinuxProgram.info."""
        return self.raw.info()

    def test_run(self, data: bytes = b"", **options: Any) -> RunResult:
        """Run it on test data; see LinuxProgram.test_run."""
        return self.raw.test_run(data, **options)

    def attach(  # type: ignore[override]
        self, target: Any = None, **options: Unpack[AttachOptions]
    ) -> Link:
        """Attach as the hook says: XDP takes an interface and `mode`, see ebee.linux.attach.

        The target may also be given by its name there (dev=, path=, name=) or by the section.
        The link stays until it or the object is closed.
        """
        made = attach.attach(self.spec, self.raw, target, options, self._maps)
        self._links[:] = [link for link in self._links if not link.closed]
        self._links.append(made)
        return made


class Variable(handles.Variable):
    """A global variable in the kernel: one load or store where its section is mapped."""

    def __init__(self, spec: VariableSpec, owner: LinuxObject, readonly: bool):
        super().__init__(spec, owner._raw[spec.map], owner.spec.btf, readonly)
        self._owner = owner

    def read(self) -> bytes:
        """The variable's bytes now."""
        memory = self._owner._section(self.spec.map)
        if memory is None:
            return super().read()
        return bytes(memory[self.spec.offset : self.spec.offset + self.spec.size])

    def write(self, data: bytes) -> None:
        """Replace the variable's bytes."""
        memory = self._owner._section(self.spec.map)
        if memory is None:
            super().write(data)
        else:
            memory[self.spec.offset : self.spec.offset + self.spec.size] = data


def internal_name(name: str, owner: str) -> str:
    """A data section's map is called as its object, then the section: "firewall.rodata"; a
    section with a name of its own (.data.custom) keeps that. As libbpf cuts them off."""
    if not name.startswith(".") or "." in name[1:]:
        return name
    kept = owner[:NAME_LENGTH][: NAME_LENGTH - min(max(7, len(name)), NAME_LENGTH)]
    return kept + name


def _check_same(spec: MapSpec, found: LinuxMap, what: str) -> None:
    """A map can stand for a spec only if it is the same in everything that matters."""
    wanted = {"type": spec.type, "key_size": spec.key_size, "value_size": spec.value_size}
    wanted |= {"max_entries": entries(spec), "flags": spec.flags}
    ours = uapi.BPF_F_RDONLY_PROG if spec.type in READONLY_TYPES else 0
    for name, want in wanted.items():
        have = getattr(found, name)
        if want not in (have, have & ~ours if name == "flags" else have):
            text = f"the {what} has {name} {have}, but {spec.name} wants {want}"
            raise KernelError(text, errno.EINVAL)
