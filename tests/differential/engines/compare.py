"""The same programs on the interpreter, the JIT in all its ways, and in the kernel."""

from __future__ import annotations

import ctypes
import os
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import accumulate
from typing import Any, NamedTuple
from unittest.mock import patch

from ebee import hooks
from ebee.abi.cpu import FAULTS
from ebee.btf import BtfBuilder, Func, FuncProto, Int
from ebee.btf.types import Linkage
from ebee.errors import EbeeError, KernelError
from ebee.isa import Insn
from ebee.lang.build import build
from ebee.lang.compiler import Options
from ebee.lang.ir import Module
from ebee.lang.loader import Loaded
from ebee.lang.unit import Spec, compile_native
from ebee.machine.code import Code, prepare
from ebee.machine.interp import Interpreter
from ebee.machine.jit import loop
from ebee.machine.jit.batch import PacketBatch
from ebee.machine.jit.calls import HelperCalls, Unsupported, entry_name
from ebee.machine.jit.checked import METADATA, CheckedLowering
from ebee.machine.jit.engine import BATCH
from ebee.machine.jit.lower import Lowering
from ebee.machine.jit.unit import Unit
from ebee.machine.machine import Machine
from ebee.machine.memory import Memory
from ebee.obj.spec import ObjectSpec

from .program import Program

WAYS = tuple(
    (tier, checked) for tier in ("quick", "optimised", "most") for checked in (True, False)
)
"""The tiers of the JIT, with and without checks."""

BUDGET = 1_000_000
CODE = 1 << 20
MAX_PACKET = 4096


class Result(NamedTuple):
    """What came of a program: r0 and the packet for each input, then what the maps hold; or why it
    did not run, in `error`."""

    runs: tuple[tuple[int, bytes], ...] = ()  # with metadata, as BPF_PROG_TEST_RUN gives them
    maps: tuple[tuple[str, Any], ...] = ()
    error: str = ""
    frames: tuple[tuple[int, bytes], ...] = ()  # without

    def same(self, other: Result) -> bool:
        """Whether two engines agree; the batch loop knows frames only, the kernel none."""
        if self.error or other.error:
            return False
        if self.frames and other.frames:
            return self.frames == other.frames and self.maps == other.maps
        return self.runs == other.runs and self.maps == other.maps


class Engines:
    """One machine with the shared maps, as new for each run of a program; the interpreter and all
    ways of the JIT work on it."""

    def __init__(self, spec: ObjectSpec, memory: type[Memory] = Memory):
        with patch("ebee.machine.machine.Memory", memory):
            self.machine = Machine(clock=0, seed=0)
        self.object = self.machine.load(spec)
        self.maps = self.object.raw_maps
        self.addresses = {name: m.address for name, m in self.maps.items()}
        self.addresses |= {f"{name}.value": m.value_address for name, m in self.maps.items()}
        self.text = self.machine.memory.allocate("code", CODE)
        self._fresh = [(r, bytes(r.data)) for m in self.maps.values() for r in m._regions]
        self._targets: dict[tuple[str, bool], dict[int, int]] = {}
        self._contents: tuple[bytes, tuple[tuple[str, Any], ...]] = b"", ()

    def close(self) -> None:
        self.machine.close()

    def prepare(self, program: Program, name: str = "p") -> Code:
        """Ready to run; MachineError when the machine refuses it."""
        return prepare(program.link(name), hooks.by_name("xdp"), self.addresses, self.text.base)

    def reset(self) -> None:
        for region, data in self._fresh:
            region.data[:] = data
        cpu = self.machine.cpus[0]
        cpu.block.random, cpu.block.redirect_ifindex = 1, 0

    def contents(self) -> tuple[tuple[str, Any], ...]:
        """What the maps hold. Where all their bytes are as they were the last time, so is that:
        engines that agree leave the very same bytes."""
        raw = b"".join([region.data for region, _ in self._fresh])
        if raw != self._contents[0]:
            self._contents = raw, contents(self.maps)
        return self._contents[1]

    # -- the interpreter -------------------------------------------------------------------------

    def defined(self, program: Program) -> bool:
        """Whether a program does the same whatever lies in its stack when it begins."""
        code = self.prepare(program)
        results = (self.interpret(code, program.inputs, kind=k) for k in (Interpreter, Littered))
        return len(set(results)) == 1

    def interpret(
        self,
        code: Code,
        inputs: Sequence[bytes],
        budget: int = BUDGET,
        kind: type[Interpreter] = Interpreter,
    ) -> Result:
        self.reset()
        cpu = self.machine.cpus[0]
        engine, runs, frames = kind(self.machine, cpu, {}), [], []
        for data in inputs:
            cpu.put_packet(data)
            cpu.packet.ingress_ifindex, cpu.packet.rx_queue_index = 1, 0
            try:
                engine.start(code, cpu.context.base, budget=budget)
                retval = engine.run() & 0xFFFF_FFFF
            except EbeeError as e:
                return Result(tuple(runs), error=str(e), frames=tuple(frames))
            runs.append((retval, cpu.get_packet()))
            frames.append((retval, cpu.get_packet(metadata=False)))
        return Result(tuple(runs), self.contents(), frames=tuple(frames))

    # -- the JIT ---------------------------------------------------------------------------------

    def lower(self, codes: Sequence[Code], checked: bool) -> Lowered:
        """Programs p0, p1, ... in one module; empty texts are why a program is not among them."""
        calls = HelperCalls(self.maps, self.machine.program_table(checked).base, {})
        lowering = CheckedLowering if checked else Lowering
        whole, errors = Module(), []
        for code in codes:
            try:
                whole = whole.merge(Unit(code, calls, lowering).lower())
                errors.append("")
            except Unsupported as e:
                errors.append(f"unsupported: {e}")
        runner = compile_native([Spec(loop.run_batch, BATCH, {"needs": loop.EVERYTHING})])
        text = whole.merge(calls.module(), runner).ir + (METADATA if checked else "")
        keep = (BATCH, *(entry_name(c) for c, e in zip(codes, errors, strict=True) if not e))
        symbols = {f"map/{name}": at for name, at in self.addresses.items()} | calls.addresses
        symbols["machine.regions"] = self.machine.regions.address
        symbols["machine.text"] = self.text.base
        return Lowered(text, keep, symbols, errors, checked)

    def load(self, lowered: Lowered, tier: str) -> Loaded:
        options = Options(level=tier, keep=lowered.keep)  # type: ignore[arg-type]
        return Loaded(build([lowered.text], options, cached=False), lowered.symbols)

    def execute(
        self, loaded: Loaded, way: tuple[str, bool], code: Code, inputs: Sequence[bytes],
        budget: int = BUDGET,
    ) -> Result:  # fmt: skip
        """Run a compiled program over its inputs."""
        self.reset()
        self._aim(*way)
        self.machine.regions.update()
        lengths = array("I", map(len, inputs))
        offsets = array("Q", [0, *accumulate(lengths)][:-1])
        packets = PacketBatch(
            b"".join(inputs), offsets, lengths, array("Q", bytes(8 * len(inputs))),
            keep=True, budget=budget,
        )  # fmt: skip
        packets.out = bytearray(len(inputs) * 2 * MAX_PACKET)
        cpu = self.machine.cpus[0]
        packets.run(_Runner(loaded, entry_name(code)), cpu)  # type: ignore[arg-type]
        frames = tuple((packets.verdicts[i], bytes(packets.packet(i))) for i in range(packets.done))
        fault = int(cpu.block.fault)
        if fault:
            cpu.block.fault = 0
            slot, address = int(cpu.block.fault_slot), int(cpu.block.fault_address)
            return Result(
                error=f"instruction {slot}: {FAULTS[fault]} at {address:#x}", frames=frames
            )
        if packets.done < len(inputs):
            return Result(error=f"stopped after {packets.done} packets", frames=frames)
        return Result(maps=self.contents(), frames=frames)

    def _aim(self, tier: str, checked: bool) -> None:
        """Tail calls lead to programs that were compiled in the same way."""
        table = self.machine.program_table(checked)
        if (tier, checked) not in self._targets:
            entries = {}
            for made in self.object.programs.values():
                made.compiled(tier, not checked)  # type: ignore[arg-type]
                at = table.base + 8 * made.id
                entries[at] = self.machine.memory.load(at, 8)
            self._targets[tier, checked] = entries
        for at, entry in self._targets[tier, checked].items():
            self.machine.memory.store(at, 8, entry)

    # -- all -------------------------------------------------------------------------------------

    def each_way(
        self, programs: Sequence[Program], ways: Sequence[tuple[str, bool]] = WAYS,
        tell: Callable[[str], None] = lambda _: None,
    ) -> Iterator[tuple[int, str, Run]]:  # fmt: skip
        """Each program's number, an engine's name, and how to run it there, the interpreter first.
        What the machine refuses, all refuse. `tell` hears the number and the engine before."""
        ready: list[tuple[int, Code]] = []
        for i, program in enumerate(programs):
            tell(f"{i} preparing")
            try:
                ready.append((i, self.prepare(program, f"p{i}")))
            except EbeeError as e:
                for name in ("interpreter", *map(name_of, ways)):
                    yield i, name, _fails(f"refused: {e}")
        for i, code in ready:
            tell(f"{i} interpreter")
            yield i, "interpreter", partial(self.interpret, code)
        for checked in sorted({c for _, c in ways}) if ready else ():
            tell("0 lowering")
            lowered = self.lower([code for _, code in ready], checked)
            for way in (w for w in ways if w[1] == checked):
                tell(f"0 compiling, {name_of(way)}")
                loaded = self.load(lowered, way[0])
                for (i, code), error in zip(ready, lowered.errors, strict=True):
                    tell(f"{i} {name_of(way)}")
                    run = _fails(error) if error else partial(self.execute, loaded, way, code)
                    yield i, name_of(way), run

    def run_all(
        self, programs: Sequence[Program], ways: Sequence[tuple[str, bool]] = WAYS,
        budget: int = BUDGET,
    ) -> list[dict[str, Result]]:  # fmt: skip
        """What comes of each program by each engine's name."""
        found: list[dict[str, Result]] = [{} for _ in programs]
        for i, name, run in self.each_way(programs, ways):
            found[i][name] = run(programs[i].inputs, budget)
        return found


Run = Callable[[Sequence[bytes], int], Result]
"""Runs a program over inputs with a budget of instructions."""


def _fails(error: str) -> Run:
    return lambda inputs, budget: Result(error=error)


class Littered(Interpreter):
    """Stacks begin with something in them, as in the kernel."""

    def _open(self, depth: int) -> int:
        top = super()._open(depth)
        region = self.cpu.frames[depth]
        region.data[:] = b"\xaa" * len(region.data)
        return top


class Lowered(NamedTuple):
    """Programs as IR, on the way to a module."""

    text: str
    keep: tuple[str, ...]
    symbols: dict[str, int]
    errors: list[str]
    checked: bool


class _Runner:
    """What PacketBatch.run takes for a compiled program."""

    def __init__(self, loaded: Loaded, name: str):
        self.function = loaded.function(BATCH, None, *[ctypes.c_void_p] * 4)
        self.entry = loaded.symbols[name]

    def batch(self, cpu: int, packet: int, batch: int) -> None:
        self.function(cpu, packet, batch, self.entry)


def contents(maps: Any) -> tuple[tuple[str, Any], ...]:
    """What maps hold, in an order that does not depend on the engine."""
    found = []
    for name, m in maps.items():
        if m.type in ("array", "hash", "percpu_array"):
            found.append((name, tuple(sorted(m.items()))))
        elif m.type == "queue":
            values = []
            while (value := m.lookup_and_delete(b"")) is not None:
                values.append(value)
            found.append((name, tuple(values)))
    return tuple(found)


def name_of(way: tuple[str, bool]) -> str:
    return f"JIT {way[0]} {'checked' if way[1] else 'trusted'}"


class Kernel:
    """The oracle."""

    def __init__(self, spec: ObjectSpec):
        from ebee.linux.backend import load
        from ebee.linux.btf import load as load_btf

        self.stack = ExitStack()
        self.object = self.stack.enter_context(load(spec))
        self.maps = self.object._raw
        number = (builder := BtfBuilder()).add(Int("int", 4, 1))
        proto = builder.add(FuncProto(number, ()))
        self.main = builder.add(Func("main", proto))
        self.static = builder.add(Func("callback", proto, Linkage.STATIC))
        self.btf = load_btf(builder.build())
        self.stack.callback(self.btf.close)

    def load(self, program: Program) -> Any:
        """The loaded program; KernelError when the kernel refuses it."""
        from ebee.linux.programs import LinuxProgram

        linked = program.link()
        insns = list(linked.insns)
        for ref in linked.refs:
            low, high = insns[ref.slot], insns[ref.slot + 1]
            fd = self.maps[ref.symbol].fd.fileno()
            insns[ref.slot] = Insn(low.op, low.dst, 1 if ref.kind == "map" else 2, 0, fd)
            insns[ref.slot + 1] = high._replace(imm=ref.addend)
        info = b"".join(
            f.start.to_bytes(4, "little")
            + (self.static if f.start else self.main).to_bytes(4, "little")
            for f in linked.funcs
        )
        return LinuxProgram.load(insns, "xdp", attach_type=37, btf=self.btf.fd, func_info=info)

    def reset(self) -> None:
        for m in self.maps.values():
            if m.type in ("array", "percpu_array"):
                zero = bytes(m.value_bytes)
                for i in range(m.max_entries):
                    m.update(i.to_bytes(4, "little"), zero)
            elif m.type == "hash":
                for key, _ in list(m.items()):
                    m.delete(key)
            elif m.type == "queue":
                while m.lookup_and_delete(b"") is not None:
                    pass
        list(self.object.ring_buffer("events").read())

    def run(self, program: Program) -> Result:
        """On the first CPU: the machine has no other."""
        before = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {0})
        try:
            return self._run(program)
        finally:
            os.sched_setaffinity(0, before)

    def _run(self, program: Program) -> Result:
        try:
            loaded = self.load(program)
        except KernelError as e:
            return Result(error=f"refused: {e}")
        with loaded:
            self.reset()
            runs = []
            for data in program.inputs:
                try:
                    run = loaded.test_run(data)
                except KernelError as e:
                    return Result(tuple(runs), error=str(e))
                runs.append((run.retval, run.data))
            return Result(tuple(runs), self.contents())

    def contents(self) -> tuple[tuple[str, Any], ...]:
        found = dict(contents(self.maps))
        if "own" in found:  # the machine has one CPU, the kernel runs on the first
            size = self.maps["own"].value_size
            found["own"] = tuple((k, v[:size]) for k, v in found["own"])
        return tuple((name, found[name]) for name in self.maps if name in found)

    def close(self) -> None:
        self.stack.close()
