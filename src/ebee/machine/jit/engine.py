"""Compiled programs: from `Code` to functions in memory, and running them over many packets."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, Protocol

from ebee.errors import MachineError
from ebee.helpers import Helper
from ebee.lang.build import build, input_key, keep, kept
from ebee.lang.compiler import Options
from ebee.lang.identity import files_in, front_end_identity
from ebee.lang.image import Image
from ebee.lang.known import Known
from ebee.lang.loader import Loaded
from ebee.machine.code import Code
from ebee.machine.jit.known import known_map
from ebee.machine.jit.names import entry_name, map_name
from ebee.machine.jit.regions import RegionTable
from ebee.machine.maps import MachineMap
from ebee.machine.memory import Region

if TYPE_CHECKING:
    from ebee.machine.jit.calls import HelperCalls

BATCH = "machine.batch"
"""Symbol of the batch loop. Those of maps begin with "map/", those of programs with "program/"."""

GROUP = "machine.group"
"""Symbol of the loop over some packets inside of it."""

Tier = Literal["quick", "optimised", "most"]


class Host(Protocol):
    """What compiling needs of a machine."""

    @property
    def helpers(self) -> Mapping[int, Helper]: ...
    def program_table(self, checked: bool) -> Region: ...
    @property
    def regions(self) -> RegionTable: ...


ONCE = "machine.once"
"""Symbol of what runs the program once, on the packet in the CPU's block."""


class Compiled:
    """A program in memory: `entry` is its address. `batch(cpu, packet, batch)` is the batch loop
    around it, during which other threads go on; `once(cpu)` runs it on the packet in the CPU's
    block and gives r0. Both take addresses."""

    def __init__(self, code: Code, loaded: Loaded, *calls: Loaded):
        self.code, self.loaded = code, loaded
        self._calls = calls  # other code that it calls stays as long
        self.entry = loaded.symbols[entry_name(code)]
        self.batch = loaded.function(BATCH, None, *[ctypes.c_void_p] * 3)
        self.once = loaded.function(ONCE, ctypes.c_uint64, ctypes.c_void_p)
        self._call = loaded.function(
            entry_name(code), ctypes.c_uint64, ctypes.c_void_p, *[ctypes.c_uint64] * 5
        )

    def call(self, cpu: int, r1: int, r2: int = 0) -> int:
        """Run once with r1 and r2; r0."""
        return int(self._call(cpu, r1, r2, 0, 0, 0))


def ir_of(
    code: Code,
    maps: Mapping[str, MachineMap],
    programs: int,
    checked: bool = False,
    extra: Mapping[int, Helper] | None = None,
) -> tuple[str, HelperCalls]:
    """The IR of a program with all that it calls."""
    from ebee.lang.unit import Spec, compile_native
    from ebee.machine.jit import loop
    from ebee.machine.jit.calls import HelperCalls
    from ebee.machine.jit.checked import METADATA, CheckedLowering
    from ebee.machine.jit.lower import Lowering
    from ebee.machine.jit.needs import needs_of
    from ebee.machine.jit.unit import Unit

    lowering = CheckedLowering if checked else Lowering
    calls = HelperCalls(maps, programs, extra or {})
    module = Unit(code, calls, lowering).lower()
    bind: dict[str, Any] = {"program": Known(entry_name(code))}
    needs = {"needs": needs_of(code, checked, calls.extra)}
    specs = [
        Spec(loop.run_group, GROUP, bind | needs, inline="never"),  # all registers for itself
        Spec(loop.run_batch, BATCH, bind | needs),
        Spec(loop.run_once, ONCE, bind),
    ]
    runner = compile_native(specs, external=loop.SHARED)
    text = module.merge(calls.module(), runner).ir
    return text + (METADATA if checked else ""), calls


def _key(
    machine: Host, code: Code, maps: Mapping[str, MachineMap], checked: bool, options: Options
) -> str | None:
    """A name for what a program becomes, from all that it is made of, so that code that is known
    need not even be lowered; None where that depends on this run (addresses of functions)."""
    if machine.helpers or any(
        form is not None and form.wide and slot in code.targets
        for slot, form in enumerate(code.forms)
    ):
        return None
    insns = list(code.insns)
    for slot in code.refs:
        insns[slot] = insns[slot]._replace(imm=0)
        if (form := code.forms[slot]) is not None and form.wide:
            insns[slot + 1] = insns[slot + 1]._replace(imm=0)
    refs = [(slot, r.kind, r.symbol, r.addend) for slot, r in sorted(code.refs.items())]
    known = [(name, repr(m.spec), repr(known_map(map_name(name), m)[0]))
             for name, m in sorted(maps.items())]  # fmt: skip
    hook = code.hook.name if code.hook else ""
    program = (code.name, hook, code.attach_type, code.arguments, code.funcs, refs, checked)
    parts = [_identity(), repr(program), repr(insns), repr(known), repr(code.proof)]
    return input_key(parts, options)


@cache
def _identity() -> str:
    """The files of ebee's that decide what a program becomes, which a developer may change."""
    parts = ("abi", "isa", "machine", "machine/jit", "verifier")
    return front_end_identity() + repr(files_in(parts))


@cache
def shared() -> Loaded:
    """What all programs' loops call: compiled once, then from the cache."""
    from ebee.machine.jit.loop import SHARED

    names = tuple(SHARED.values())
    options = Options(keep=names)
    key = input_key([_identity(), *names], options)
    image = kept(key)
    if image is None:
        from ebee.lang.unit import Spec, compile_native

        module = compile_native([Spec(f, name) for f, name in SHARED.items()])
        image = build([module.ir], options)
        keep(key, image)
    return Loaded(image)


def compile_code(
    machine: Host,
    code: Code,
    maps: Mapping[str, MachineMap],
    tier: Tier = "optimised",
    checked: bool = False,
    cached: bool = True,
) -> Compiled:
    """Compile a program for this machine. CompileError when there is no compiler; Unsupported for
    what only the interpreter does."""
    if cached and (found := kept_code(machine, code, maps, tier, checked)) is not None:
        return found
    options = _options(code, tier)
    text, calls = ir_of(code, maps, machine.program_table(checked).base, checked, machine.helpers)
    image = build([text], options, cached=cached)
    if cached and (key := _key(machine, code, maps, checked, options)) is not None:
        keep(key, image)
    return _load(machine, code, maps, checked, image, calls.addresses)


def kept_code(
    machine: Host, code: Code, maps: Mapping[str, MachineMap], tier: Tier, checked: bool
) -> Compiled | None:
    """The same, if it is in the cache."""
    key = _key(machine, code, maps, checked, _options(code, tier))
    image = kept(key) if key else None
    if image is None:
        return None
    addresses: dict[str, int] = {}
    for name, m in maps.items():
        addresses |= known_map(map_name(name), m)[1]
    return _load(machine, code, maps, checked, image, addresses)


def _options(code: Code, tier: Tier) -> Options:
    return Options(level=tier, keep=(entry_name(code), BATCH, ONCE))


def _load(
    machine: Host, code: Code, maps: Mapping[str, MachineMap], checked: bool, image: Image,
    addresses: dict[str, int],
) -> Compiled:  # fmt: skip
    """Code in memory, which has been told where everything is."""
    common = shared()
    symbols = common.symbols | addresses
    for name, m in maps.items():
        symbols.setdefault(map_name(name), m.address)
        symbols.setdefault(map_name(name, "value"), m.value_address)
    symbols["machine.programs"] = machine.program_table(checked).base
    symbols["machine.regions"] = machine.regions.address
    symbols["machine.text"] = code.text
    try:
        return Compiled(code, Loaded(image, symbols), common)
    except KeyError as e:
        raise MachineError(f"{code.name}: {e} is missing in the compiled code") from None
