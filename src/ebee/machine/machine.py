"""The machine: a Linux for eBPF in user space. Holds memory, virtual CPUs, maps and programs."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING

from ebee import hooks
from ebee.errors import MachineError
from ebee.machine.code import FUNCTION_STEP, Code, prepare
from ebee.machine.cpu import VirtualCpu
from ebee.machine.interp import BUDGET, Interpreter
from ebee.machine.maps import MachineMap
from ebee.machine.memory import Memory, Region
from ebee.obj.handles import Object, Program
from ebee.obj.run import RunResult
from ebee.obj.linker import link
from ebee.obj.spec import MapSpec, ObjectSpec, ProgramSpec

if TYPE_CHECKING:
    from ebee.machine.calls import Bound

CPUS = 256
"""Virtual CPUs of one machine at the most."""

LOOPBACK = 1
"""Interface a packet comes from when none is said, as in BPF_PROG_TEST_RUN."""

SKF_NET_OFF, SKF_LL_OFF, ETH_HLEN = -0x100000, -0x200000, 14


class Machine:
    """A user-space Linux for eBPF.

    `cpus` virtual CPUs; `clock` in ns since boot makes time stand there (None: the host's), move
    it with `set_clock`; `seed` makes random numbers repeatable. `helpers` are extra ones by
    number. Close it, or use it as a context manager, to give its memory back.

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
        helpers: dict[int, Bound] | None = None,
    ):
        if not 1 <= cpus <= CPUS:
            raise MachineError(f"a machine has 1 to {CPUS} CPUs, not {cpus}")
        self.memory = Memory()
        self.lock = threading.RLock()
        self.helpers = helpers or {}
        self.cpus = [VirtualCpu(self.memory, i, cpus) for i in range(cpus)]
        numbers = random.Random(seed)
        for cpu in self.cpus:
            cpu.block.random = numbers.getrandbits(64) | 1
        self.set_clock(clock)
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

    def create_map(self, spec: MapSpec) -> MachineMap:
        """A map that programs loaded later can be given. Errors as the kernel's (KernelError)."""
        made = MachineMap(self.memory, spec, cpus=len(self.cpus), id=self.new_id())
        self._maps[made.address] = made
        return made

    def close_map(self, m: MachineMap) -> None:
        """Give a map's memory back."""
        self._maps.pop(m.address, None)
        m.close()

    def map_at(self, address: int) -> MachineMap | None:
        """The map that a program knows by this address."""
        return self._maps.get(address)

    def program_in(self, m: MachineMap, index: int) -> Code | None:
        """The program at an index of a prog_array."""
        value = m.lookup(index.to_bytes(4, "little"))
        program = self._programs.get(int.from_bytes(value, "little")) if value else None
        return program.code if program else None

    def load(
        self, spec: ObjectSpec, programs: Iterable[str] | None = None, **maps: MachineMap
    ) -> MachineObject:
        """Make an object's maps and load its programs (those named, or all). `maps` given by name
        are used instead of new ones. MachineError for what the machine does not have."""
        made = MachineObject(self, spec, maps)
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

    def __init__(self, machine: Machine, spec: ProgramSpec, code: Code):
        super().__init__(spec)
        self.machine, self.code, self.id = machine, code, machine.new_id()

    def run(
        self,
        data: bytes | memoryview = b"",
        *,
        ifindex: int = LOOPBACK,
        rx_queue: int = 0,
        repeat: int = 1,
        cpu: int = 0,
        budget: int = BUDGET,
    ) -> RunResult:
        """Run on one packet; what BPF_PROG_TEST_RUN gives. ProgramFault when it misbehaves.

        `data` is the frame from its Ethernet header on; `repeat` runs on what the run before left.
        """
        where = self.machine.cpus[cpu]
        with self.machine.lock:
            where.put_packet(data)
            where.packet.ingress_ifindex, where.packet.rx_queue_index = ifindex, rx_queue
            engine = Interpreter(self.machine, where, self.machine.helpers)
            retval = executed = 0
            for _ in range(max(repeat, 1)):
                engine.start(self.code, where.context.base, budget=budget)
                retval = engine.run() & 0xFFFF_FFFF
                executed = engine.executed
            return RunResult(retval, where.get_packet(), executed=executed)


class MachineObject(Object):
    """A loaded object on the machine."""

    def __init__(self, machine: Machine, spec: ObjectSpec, given: dict[str, MachineMap]):
        super().__init__(spec)
        self.machine = machine
        self._given = frozenset(given)
        self._raw = dict(given)
        self._texts: list[Region] = []

    def load(self, names: Iterable[str] | None) -> None:
        """Create the maps, then the programs, then fill what refers to them."""
        spec, machine = self.spec, self.machine
        chosen = [n for n, p in spec.programs.items() if p.autoload] if names is None else names
        for name, m in spec.maps.items():
            if name not in self._raw:
                self._raw[name] = machine.create_map(m)
            self.maps[name] = self.typed(m, self._raw[name])
        addresses = {name: m.address for name, m in self._raw.items()}
        for name, m in self._raw.items():
            if spec.maps.get(name) is not None and spec.maps[name].data is not None:
                addresses[f"{name}.value"] = m.value_address
        for name in chosen:
            self.programs[name] = self._program(spec.program(name), addresses)
        for name, m in spec.maps.items():
            for index, target in m.contents.items():
                self._fill(name, index, target)

    def _program(self, spec: ProgramSpec, addresses: dict[str, int]) -> MachineProgram:
        hook = hooks.by_name(spec.hook)
        if hook is None:
            raise MachineError(f"{spec.name}: there is no hook {spec.hook!r}")
        linked = link(self.spec, spec.name)
        text = self.machine.memory.allocate(
            f"code of {spec.name}", FUNCTION_STEP * len(linked.insns)
        )
        program = MachineProgram(self.machine, spec, prepare(linked, hook, addresses, text.base))
        self.machine._programs[program.id] = program
        self._texts.append(text)
        return program

    def _fill(self, name: str, index: int, target: str) -> None:
        """An element of a prog_array or of a map of maps that the object itself sets."""
        if target in self.programs:
            value = self.programs[target].id
        elif target in self._raw:
            value = self._raw[target].id
        else:
            return  # a program that was not loaded
        self._raw[name].update(index.to_bytes(4, "little"), value.to_bytes(4, "little"))

    def close(self) -> None:
        """Give maps and programs back; given maps stay."""
        machine = self.machine
        for program in self.programs.values():
            machine._programs.pop(program.id, None)
        for text in self._texts:
            machine.memory.free(text)
        for name, m in self._raw.items():
            if name not in self._given:
                machine.close_map(m)
        self.programs, self._raw, self._texts = {}, {}, []
        if self in machine._objects:
            machine._objects.remove(self)
