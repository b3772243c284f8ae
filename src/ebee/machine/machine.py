"""The machine: a Linux for eBPF in user space. Holds memory, virtual CPUs, maps and programs."""

from __future__ import annotations

import random
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property, partial
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ebee import hooks, maps
from ebee.abi.cpu import FAULT_NONE, FAULTS, REDIRECT_MAP, REDIRECT_NONE
from ebee.errors import MachineError
from ebee.machine.code import FUNCTION_STEP, Code, prepare
from ebee.machine.cpu import VirtualCpu
from ebee.machine.interp import Interpreter
from ebee.machine.maps import MachineMap
from ebee.machine.memory import Memory, Region
from ebee.machine.relocate import relocated
from ebee.machine.ringbuf import RingBuffer
from ebee.machine.vm import BUDGET, ProgramFault
from ebee.obj.handles import Link, Map, Object, Program, Variable
from ebee.obj.linker import link
from ebee.obj.run import RunResult
from ebee.obj.spec import MapSpec, ObjectSpec, ProgramSpec

if TYPE_CHECKING:
    from ebee.btf import Btf
    from ebee.helpers import Helper
    from ebee.machine.devices import Interface
    from ebee.machine.jit.batch import PacketBatch
    from ebee.machine.jit.engine import Compiled, Tier
    from ebee.machine.jit.regions import RegionTable
    from ebee.verifier.core.check import Verdict

PROGRAMS = 1 << 16
"""Programs of one machine at the most: entries of the table of compiled ones."""

CPUS = 256
"""Virtual CPUs of one machine at the most."""

LOOPBACK = 1
"""Interface a packet comes from when none is said, as in BPF_PROG_TEST_RUN."""

SKF_NET_OFF, SKF_LL_OFF, ETH_HLEN = -0x100000, -0x200000, 14


class Machine:
    """A user-space Linux for eBPF.

    `cpus` virtual CPUs; `clock` in ns since boot makes time stand there (None: the host's), move
    it with `set_clock`; `seed` makes random numbers repeatable. `helpers` are extra ones by
    number; `btf` are the kernel's types for CO-RE (see `load`). Close it, or use it as a context
    manager, to give its memory back.

    >>> with Machine() as machine:
    ...     len(machine.cpus)
    1
    """

    def __init__(
        self,
        cpus: int = 1,
        *,
        clock: int | None = None,
        seed: int | None = None,
        helpers: Mapping[int, Helper] | None = None,
        btf: Btf | None = None,
    ):
        if not 1 <= cpus <= CPUS:
            raise MachineError(f"a machine has 1 to {CPUS} CPUs, not {cpus}")
        self.memory = Memory()
        self.lock = threading.RLock()
        self.helpers = helpers or {}
        self.btf = btf
        self.cpus = [VirtualCpu(self.memory, i, cpus) for i in range(cpus)]
        self.seed = seed
        numbers = random.Random(seed)
        for cpu in self.cpus:
            cpu.block.random = numbers.getrandbits(64) | 1
        self._tables: dict[bool, Region] = {}
        self.set_clock(clock)
        self.interfaces: dict[str, Interface] = {}
        self._maps: dict[int, MachineMap] = {}
        self._programs: dict[int, MachineProgram] = {}
        self._objects: list[MachineObject] = []
        self._ids = 0

    def set_clock(self, now: int | None) -> None:
        """Let time stand at `now` ns since boot on all CPUs; None: the host's clocks."""
        for cpu in self.cpus:
            cpu.set_clock(now)

    def new_id(self) -> int:
        """A number that no map or program of this machine has had."""
        self._ids += 1
        return self._ids

    # -- maps and programs -------------------------------------------------------------------------

    def create_map(self, spec: MapSpec, btf: Btf | None = None) -> MachineMap:
        """A map that programs loaded later can be given. Errors as the kernel's (KernelError)."""
        kind = maps.by_name(spec.type)
        made = MachineMap(
            self.memory, spec, cpus=len(self.cpus), id=self.new_id(), seed=self.seed, btf=btf,
            resolve=partial(self._resolve, kind.handle if kind else None), lock=self.lock,
        )  # fmt: skip
        self._maps[made.address] = made
        if spec.readonly:
            made.freeze()  # what the verifier reads in it stays so
        for cpu in self.cpus:
            cpu.make_room(made.key_size)
        return made

    def _resolve(self, handle: str | None, number: int) -> int | None:
        """What a number that user space gave stands for in a map of programs or maps."""
        if handle == "program":
            return number if number in self._programs else None
        return next((m.address for m in self._maps.values() if m.id == number), None)

    def close_map(self, m: MachineMap) -> None:
        """Give a map's memory back."""
        self._maps.pop(m.address, None)
        m.close()

    def map_at(self, address: int) -> MachineMap | None:
        """The map that a program knows by this address."""
        return self._maps.get(address)

    def rings(self) -> list[Any]:
        """The states of all ring buffers."""
        return [m.state for m in self._maps.values() if m.type == "ringbuf"]

    def program_in(self, m: MachineMap, index: int) -> Code | None:
        """The program at an index of a prog_array."""
        program = self._programs.get(int(m.ops.get(m.state, index)))
        return program.code if program else None

    def programs(self) -> list[MachineProgram]:
        """All programs that are loaded."""
        return list(self._programs.values())

    def load(
        self, spec: ObjectSpec, programs: Iterable[str] | None = None, **maps: MachineMap
    ) -> MachineObject:
        """Make an object's maps and load its programs (those named, or all). `maps` given by name
        are used instead of new ones. MachineError for what the machine does not have.

        CO-RE relocations are resolved against the machine's `btf`, else the running kernel's
        types, else those that come with ebee; the object's spec is then a copy."""
        programs = None if programs is None else list(programs)
        made = MachineObject(self, relocated(spec, self.btf, programs), maps)
        try:
            made.load(programs)
        except BaseException:
            made.close()
            raise
        self._objects.append(made)
        return made

    def close(self) -> None:
        """Give everything back."""
        while self._objects:
            self._objects[-1].close()
        for m in list(self._maps.values()):
            self.close_map(m)
        for cpu in self.cpus:
            cpu.close()
        self.cpus = []

    def __enter__(self) -> Machine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, e: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.close()

    def program_table(self, checked: bool) -> Region:
        """Entry addresses of the compiled programs by their numbers; checked ones and others do
        not call each other."""
        if checked not in self._tables:
            self._tables[checked] = self.memory.allocate("programs", 8 * PROGRAMS)
        return self._tables[checked]

    def forget(self, program: MachineProgram) -> None:
        """Nobody calls a program's compiled code any more."""
        for table in self._tables.values():
            self.memory.store(table.base + 8 * program.id, 8, 0)

    @cached_property
    def regions(self) -> RegionTable:
        """The memory's regions as compiled code sees them."""
        from ebee.machine.jit.regions import RegionTable

        return RegionTable(self.memory)

    def raise_fault(self, cpu: VirtualCpu, code: Code) -> None:
        """ProgramFault if compiled code has left one in the CPU's block: `code` was started, the
        fault may be in a program that it went on with."""
        if fault := cpu.fault:
            slot = int(cpu.block.fault_slot)
            address, text = int(cpu.block.fault_address), int(cpu.block.fault_text)
            found = (p.code for p in self._programs.values() if p.code.text == text)
            cpu.block.fault = FAULT_NONE
            at = f" at {address:#x}" if address else ""
            where = next(found, code).where(slot)
            raise ProgramFault(f"{where}: {FAULTS[fault]}{at}", slot, address)

    # -- interfaces --------------------------------------------------------------------------------

    def interface(self, name: str) -> Interface:
        """The interface of that name, which is made when it is first asked for."""
        from ebee.machine.devices import Interface

        if name not in self.interfaces:
            number = LOOPBACK + 1 + len(self.interfaces)
            self.interfaces[name] = Interface(
                name, number, lambda cpu: self.redirect_target(self.cpus[cpu])
            )
        return self.interfaces[name]

    def _route(self, cpu: int) -> Interface | None:
        return self.redirect_target(self.cpus[cpu])

    def redirect_target(self, cpu: VirtualCpu) -> Interface | None:
        """Where the redirect that a program just asked for leads; None: nowhere."""
        kind, ifindex = int(cpu.block.redirect_kind), int(cpu.block.redirect_ifindex)
        cpu.block.redirect_kind = REDIRECT_NONE
        if kind == REDIRECT_MAP:
            m = self.map_at(int(cpu.block.redirect_map))
            key = int(cpu.block.redirect_key).to_bytes(8, "little")[: m.key_size] if m else b""
            value = m.lookup(key) if m and m.type in ("devmap", "devmap_hash") else None
            ifindex = int.from_bytes(value[:4], "little") if value else 0
        elif kind == REDIRECT_NONE:
            return None
        return next((i for i in self.interfaces.values() if i.ifindex == ifindex), None)

    # -- what engines ask --------------------------------------------------------------------------

    @staticmethod
    def packet_bytes(cpu: VirtualCpu, offset: int, size: int) -> bytes | None:
        """Bytes for a legacy packet load (LD_ABS, LD_IND); None outside the packet."""
        if SKF_LL_OFF <= offset < 0:
            base = SKF_NET_OFF if offset >= SKF_NET_OFF else SKF_LL_OFF
            offset = offset - base + (ETH_HLEN if base == SKF_NET_OFF else 0)
        start, end = int(cpu.packet.data), int(cpu.packet.data_end)
        if offset < 0 or start + offset + size > end:
            return None
        return cpu.memory.read(start + offset, size)


class MachineProgram(Program):
    """A program on the machine; `code` is what the engines run."""

    def __init__(self, machine: Machine, spec: ProgramSpec, code: Code, owner: MachineObject):
        super().__init__(spec)
        self.machine, self.code, self.id, self.owner = machine, code, machine.new_id(), owner
        self._compiled: dict[tuple[str, bool], Compiled] = {}

    def test_run(
        self,
        data: bytes | memoryview = b"",
        *,
        ifindex: int = LOOPBACK,
        rx_queue: int = 0,
        repeat: int = 1,
        cpu: int = 0,
        budget: int = BUDGET,
    ) -> RunResult:
        """Run on one packet in the interpreter; what BPF_PROG_TEST_RUN gives. ProgramFault when it
        misbehaves.

        `data` is the frame from its Ethernet header on; `repeat` runs on what the run before left.
        """
        where = self.machine.cpus[cpu]
        with self.machine.lock:
            where.put_packet(data)
            where.packet.ingress_ifindex, where.packet.rx_queue_index = ifindex, rx_queue
            engine = Interpreter(self.machine, where, self.machine.helpers)
            retval = executed = 0
            for _ in range(max(repeat, 1)):
                where.block.redirect_kind = REDIRECT_NONE
                engine.start(self.code, where.context.base, budget=budget)
                retval = engine.run() & 0xFFFF_FFFF
                executed = engine.executed
            metadata = int(where.packet.data) - int(where.packet.data_meta)
            data = where.get_packet()
            return RunResult(retval, data, executed=executed, metadata=metadata)

    def verify(self, kernel: str = "6.18") -> Verdict:
        """What Linux's verifier says of the program, by ebee's own rules for that version. Facts of
        an accepted program go into the code that is compiled from then on, which needs fewer
        checks. (Maps given to `Machine.load` are taken to be as the object says.)"""
        from ebee.verifier.core.check import check
        from ebee.verifier.core.profile import profile

        verdict = check(self.owner.spec, self.name, profile(kernel), facts=True)
        self.prove(verdict.facts.encode() if verdict.facts is not None else b"")
        return verdict

    def prove(self, proof: bytes) -> None:
        """Take the verifier's facts of this program as `Facts.encode` gives them; b"": none. Not
        while the program runs."""
        self.code.prove(proof)
        self.machine.forget(self)
        self._compiled.clear()

    def compiled(self, tier: Tier = "optimised", trusted: bool = False) -> Compiled:
        """The program as host code. `trusted`: without checks, for programs that the kernel or a
        verifier has accepted. Unsupported for what only the interpreter does, CompileError where
        there is no compiler."""
        self._compile(tier, trusted)
        if self.owner.tail_calls:
            for other in self.machine.programs():  # tail calls must find them
                other._compile(tier, trusted)
        return self._compiled[tier, trusted]

    def is_compiled(self, tier: Tier = "optimised", trusted: bool = False) -> bool:
        """Whether `compiled` takes no time, since it has been done before, perhaps by another
        process."""
        from ebee.machine.jit.engine import kept_code

        if (tier, trusted) not in self._compiled:
            maps = self.owner.raw_maps
            made = kept_code(self.machine, self.code, maps, tier, not trusted)
            if made is not None:
                self._enter(made, tier, trusted)
        return (tier, trusted) in self._compiled

    def _compile(self, tier: Tier, trusted: bool) -> None:
        from ebee.machine.jit.engine import compile_code

        if (tier, trusted) not in self._compiled:
            maps = self.owner.raw_maps
            made = compile_code(self.machine, self.code, maps, tier, not trusted)
            self._enter(made, tier, trusted)

    def _enter(self, made: Compiled, tier: Tier, trusted: bool) -> None:
        self._compiled[tier, trusted] = made
        table = self.machine.program_table(not trusted)
        self.machine.memory.store(table.base + 8 * self.id, 8, made.entry)

    def run_batch(
        self, batch: PacketBatch, tier: Tier = "optimised", trusted: bool = False, cpu: int = 0
    ) -> bool:
        """Run compiled code over the next packets of a batch, for at most some 50 ms; whether there
        are more. ProgramFault when the program misbehaves; `batch.done` is the packet then."""
        program, where = self.compiled(tier, trusted), self.machine.cpus[cpu]
        self.machine.regions.update()
        with self.machine.memory.running():
            more = batch.run(program, where, self.owner.read_rings())
        self.machine.raise_fault(where, self.code)
        return more

    def run_parallel(
        self, batches: Sequence[PacketBatch], tier: Tier = "optimised", trusted: bool = False
    ) -> None:
        """Run batches to their ends at the same time, the i-th on the i-th CPU, each on a thread.
        ProgramFault of the first that misbehaves, once all have stopped."""
        from concurrent.futures import ThreadPoolExecutor

        if len(batches) > len(self.machine.cpus):
            there = len(self.machine.cpus)
            raise MachineError(f"{len(batches)} batches at a time on a machine of {there} CPUs")
        program = self.compiled(tier, trusted)
        self.machine.regions.update()

        rings = self.owner.read_rings()

        def run(batch: PacketBatch, cpu: VirtualCpu) -> None:
            while batch.run(program, cpu, rings) and not cpu.fault:
                pass

        with self.machine.memory.running(), ThreadPoolExecutor(len(batches) or 1) as pool:
            list(pool.map(run, batches, self.machine.cpus))
        for cpu in self.machine.cpus[: len(batches)]:
            self.machine.raise_fault(cpu, self.code)

    def attach(self, target: Any = None, **options: Any) -> Link:
        """Attach to an interface of the machine, by name or as the section names it."""
        where = target or self.spec.attach_to
        if self.hook != "xdp" or not where:
            raise MachineError(f"{self.name}: name an interface of the machine to attach to")
        return self.machine.interface(where).attach(self, **options)


class HandleMap(Map):
    """Values are programs or maps, given as such or by their ids, as which they are read."""

    def encode_value(self, value: Any) -> bytes:
        """The id as bytes; BtfError for what has none."""
        held = getattr(value, "raw", value)
        return super().encode_value(getattr(held, "id", held))


class MachineObject(Object):
    """A loaded object on the machine."""

    programs: dict[str, MachineProgram]  # type: ignore[assignment]

    def __init__(self, machine: Machine, spec: ObjectSpec, given: dict[str, MachineMap]):
        super().__init__(spec)
        self.machine = machine
        self._given = frozenset(given)
        self.tail_calls = any(m.type == "prog_array" for m in spec.maps.values())
        self.raw_maps: dict[str, MachineMap] = dict(given)
        self._texts: list[Region] = []
        self._readers: dict[str, RingBuffer] = {}

    def load(self, names: Iterable[str] | None) -> None:
        """Create the maps, then the programs, then fill what refers to them."""
        spec, machine = self.spec, self.machine
        if spec.endian != sys.byteorder:
            raise MachineError(f"{spec.name} is for {spec.endian}-endian machines; this one is not")
        chosen = [n for n, p in spec.programs.items() if p.autoload] if names is None else names
        for name, m in spec.maps.items():
            if name not in self.raw_maps:
                self.raw_maps[name] = machine.create_map(m, spec.btf)
            held = self.raw_maps[name].kind.handle in ("map", "program")
            made = (HandleMap if held else Map)(self.raw_maps[name], m, spec.btf)
            self.maps[name] = made
        addresses = {name: raw.address for name, raw in self.raw_maps.items()}
        addresses |= {f"{name}.value": raw.value_address for name, raw in self.raw_maps.items()}
        for name, v in spec.variables.items():
            readonly = spec.maps[v.map].readonly
            self.variables[name] = Variable(v, self.raw_maps[v.map], spec.btf, readonly)
        for name in chosen:
            self.programs[name] = self._program(spec.program(name), addresses)
        for name, m in spec.maps.items():
            for index, target in m.contents.items():
                self._fill(name, index, target)

    def ring_buffer(self, name: str) -> RingBuffer:
        """The reader of a ring buffer map."""
        if name not in self.raw_maps:
            raise MachineError(f"object {self.name} has no map {name!r}")
        if name not in self._readers:
            self._readers[name] = RingBuffer(self.raw_maps[name])
        return self._readers[name]

    def read_rings(self) -> list[int]:
        """Addresses of the ring buffers that somebody reads."""
        return [self.raw_maps[name].address for name in self._readers]

    def _program(self, spec: ProgramSpec, addresses: dict[str, int]) -> MachineProgram:
        hook = hooks.by_name(spec.hook)
        if hook is None:
            raise MachineError(f"{spec.name}: there is no hook {spec.hook!r}")
        linked = link(self.spec, spec.name)
        text = self.machine.memory.allocate(
            f"code of {spec.name}", FUNCTION_STEP * len(linked.insns)
        )
        self._texts.append(text)
        program = MachineProgram(
            self.machine,
            spec,
            prepare(
                linked,
                hook,
                addresses,
                text.base,
                attach_type=spec.attach_type,
                extra=self.machine.helpers,
            ),
            self,
        )
        self.machine._programs[program.id] = program
        return program

    def _fill(self, name: str, index: int, target: str) -> None:
        """An element of a prog_array or of a map of maps that the object itself sets."""
        if target in self.programs:
            value = self.programs[target].id
        elif target in self.raw_maps:
            value = self.raw_maps[target].id
        else:
            return  # a program that was not loaded
        self.raw_maps[name].update(index.to_bytes(4, "little"), value.to_bytes(4, "little"))

    def close(self) -> None:
        """Give maps and programs back; given maps stay."""
        machine = self.machine
        for reader in self._readers.values():
            reader.close()
        for program in self.programs.values():
            machine._programs.pop(program.id, None)
            machine.forget(program)
        for text in self._texts:
            machine.memory.free(text)
        for name, m in self.raw_maps.items():
            if name not in self._given:
                machine.close_map(m)
        self.programs, self.raw_maps, self._texts, self._readers = {}, {}, [], {}
        if self in machine._objects:
            machine._objects.remove(self)
