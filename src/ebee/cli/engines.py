"""How the packets of a capture get through a program: one class for each way, all with one face.

`run` takes a batch of the capture and the packets of it to begin and to end with. It stops after
CHUNK seconds, so that events are read, rules followed and Ctrl-C heard in time.
"""

from __future__ import annotations

import errno
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from ebee.errors import CompileError, ConfigError, EbeeError, KernelError, MachineError

if TYPE_CHECKING:
    from ebee.machine.capture import Batch
    from ebee.machine.jit.engine import Tier
    from ebee.machine.machine import Machine, MachineProgram
    from ebee.obj.run import RunResult

CHUNK = 0.05
"""Seconds that one `run` takes at most."""

ETHERNET_HEADER = 14
ENGINES = ("jit", "interpreter")


@dataclass
class Ran:
    """What became of some packets: `count` of them; packets and bytes by return value (None: not
    run); with `keep` each one's return value, and the packet as the program left it."""

    count: int = 0
    packets: Counter[int | None] = field(default_factory=Counter)
    octets: Counter[int | None] = field(default_factory=Counter)
    kept: list[tuple[int | None, bytes]] = field(default_factory=list)


class Engine(Protocol):
    """A way to run a program over packets; `not_run` counts packets it does not take, by reason;
    `apart`: seconds that went by meanwhile, and not for running packets."""

    not_run: Counter[str]
    apart: float

    @property
    def name(self) -> str: ...

    def run(self, batch: Batch, first: int, stop: int, keep: bool) -> Ran: ...


class Compiled:
    """The machine's JIT: many packets in each call. Chunks of them go to the CPUs in turn."""

    name = "jit"
    apart = 0.0

    def __init__(
        self, machine: Machine, program: MachineProgram, trusted: bool, tier: Tier, before: int = 0
    ):
        self.machine, self.program, self.trusted, self.tier = machine, program, trusted, tier
        self.not_run: Counter[str] = Counter()
        self.before = before
        """Packets of the pieces of work before."""
        self.start = 0
        """Which packet of the batch the work begins with."""
        self.turn = 0
        self.work: Any = None
        program.compiled(tier, trusted)

    def run(self, batch: Batch, first: int, stop: int, keep: bool) -> Ran:
        """See Engine."""
        from ebee.abi.batch import ACTIONS
        from ebee.machine.jit.batch import PacketBatch

        if self.work is None or self.work.done == len(self.work):
            arrays = (batch.offsets, batch.lengths, batch.stamps)
            self.before += self.work.done if self.work else 0
            self.work = PacketBatch(batch.buffer, *(a[first:stop] for a in arrays), keep=keep)
            self.start = first
        work, counted = self.work, list(self.work.actions)
        self.machine.set_clock(batch.stamps[first])  # from then on it follows the packets
        self.turn = (self.turn + 1) % len(self.machine.cpus)
        begin = first - self.start
        try:
            self.program.run_batch(work, self.tier, self.trusted, self.turn)
        except MachineError as error:
            raise MachineError(f"packet {self.before + work.done + 1}: {error}") from None
        if work.done == begin:
            raise MachineError(f"packet {self.before + begin + 1}: it has grown out of all bounds")
        ran = Ran(work.done - begin)
        for value in range(ACTIONS - 1):
            packets, size = (work.actions[2 * value + i] - counted[2 * value + i] for i in (0, 1))
            if packets:
                ran.packets[value], ran.octets[value] = packets, size
        if work.actions[-2] != counted[-2]:  # values that have no place of their own
            for at in range(begin, work.done):
                if work.verdicts[at] >= ACTIONS - 1:
                    ran.packets[work.verdicts[at]] += 1
                    ran.octets[work.verdicts[at]] += work.lengths[at]
        if keep:
            ran.kept = [(work.verdicts[i], bytes(work.packet(i))) for i in range(begin, work.done)]
        return ran


class OneByOne:
    """An engine that is called for each packet."""

    name = ""
    apart = 0.0

    def __init__(self) -> None:
        self.not_run: Counter[str] = Counter()
        self.number = 0
        """Packets of the capture that were given to it."""

    def one(self, data: bytes, stamp: int) -> RunResult | None:
        """Run on one packet; None when this engine does not take it."""
        raise NotImplementedError

    def run(self, batch: Batch, first: int, stop: int, keep: bool) -> Ran:
        """See Engine."""
        ran, end = Ran(), time.perf_counter() + CHUNK
        for at in range(first, stop):
            start, length = batch.offsets[at], batch.lengths[at]
            data = bytes(batch.buffer[start : start + length])
            self.number += 1
            result = self.one(data, batch.stamps[at])
            value = result.retval if result else None
            ran.count += 1
            ran.packets[value] += 1
            ran.octets[value] += length
            if keep:
                ran.kept.append((value, result.data if result else data))
            if time.perf_counter() > end:
                break
        return ran


class Interpreted(OneByOne):
    """The machine's interpreter. Packets go to its CPUs in turn."""

    name = "interpreter"

    def __init__(self, machine: Machine, program: MachineProgram):
        super().__init__()
        self.machine, self.program = machine, program

    def one(self, data: bytes, stamp: int) -> RunResult:
        self.machine.set_clock(stamp)
        try:
            return self.program.test_run(data, cpu=self.number % len(self.machine.cpus))
        except MachineError as error:
            raise MachineError(f"packet {self.number}: {error}") from None


class Tiered:
    """The interpreter first: most captures that people try a program on are so small that it is
    done before compiling would be. When what is left takes it longer than that, or code is kept
    from an earlier run, the JIT goes on."""

    FEW = 4
    """Packets by which it is seen how long one takes. For no more than these even kept code is not
    worth loading."""

    WORTH = 0.3
    """Seconds in the interpreter that are worth compiling, which takes about as long."""

    def __init__(self, machine: Machine, program: MachineProgram, trusted: bool, tier: Tier):
        self.interpreted = Interpreted(machine, program)
        self.engine: Compiled | Interpreted = self.interpreted
        self.tier, self.trusted, self.possible = tier, trusted, True
        self.spent = self.apart = 0.0
        self.not_run: Counter[str] = Counter()

    @property
    def name(self) -> str:
        """Which engine it is now."""
        return self.engine.name

    def run(self, batch: Batch, first: int, stop: int, keep: bool) -> Ran:
        """See Engine."""
        done = self.interpreted.number
        if done < self.FEW:
            stop = min(stop, first + self.FEW - done)
        elif self.engine is self.interpreted and self.possible:
            self._go_on(done, self.spent + self.spent / done * (stop - first))
        begin = time.perf_counter()
        ran = self.engine.run(batch, first, stop, keep)
        self.spent += time.perf_counter() - begin
        return ran

    @cached_property
    def _is_kept(self) -> bool:
        return self.interpreted.program.is_compiled(self.tier, self.trusted)

    def _go_on(self, done: int, seconds: float) -> None:
        """With the JIT, if all packets would take the interpreter too many seconds, or if code is
        there already."""
        begin, i = time.perf_counter(), self.interpreted
        try:
            if seconds > self.WORTH or self._is_kept:
                self.engine = Compiled(i.machine, i.program, self.trusted, self.tier, done)
        except (CompileError, MachineError) as error:
            self.possible = False
            _warn_of_interpreter(error)
        self.apart += time.perf_counter() - begin


class TestRun(OneByOne):
    """The kernel, by BPF_PROG_TEST_RUN."""

    name = "BPF_PROG_TEST_RUN"

    def __init__(self, program: Any):
        super().__init__()
        self.test_run: Callable[[bytes], RunResult] = program.test_run

    def one(self, data: bytes, stamp: int) -> RunResult | None:
        try:
            return self.test_run(data)
        except KernelError as error:
            if error.errno not in (errno.EINVAL, errno.EMSGSIZE, errno.ENOSPC):
                raise
            reason = error.summary
            if len(data) < ETHERNET_HEADER:
                reason = f"the kernel's test run takes no frames under {ETHERNET_HEADER} bytes"
            self.not_run[reason] += 1
            return None


def on_machine(
    machine: Machine,
    program: MachineProgram,
    wanted: str | None,
    trusted: bool,
    tier: Tier = "optimised",
) -> Engine:
    """The engine asked for; if none was, the JIT as soon as it is worth it, or where that does not
    go, the interpreter."""
    from importlib.util import find_spec

    if wanted == "interpreter":
        return Interpreted(machine, program)
    if find_spec("llvmlite") is None:
        if wanted:
            raise ConfigError("--engine jit needs llvmlite: pip install llvmlite")
        return Interpreted(machine, program)
    try:
        if wanted or tier != "quick":
            return Compiled(machine, program, trusted, tier)
        return Tiered(machine, program, trusted, tier)
    except (CompileError, MachineError) as error:
        if wanted:
            raise
        _warn_of_interpreter(error)
        return Interpreted(machine, program)


def _warn_of_interpreter(error: EbeeError) -> None:
    from ebee.cli import report

    report.warn(f"the interpreter is used, for the JIT does not go: {error}")


def on_linux(program: Any) -> Engine:
    """The engine for a program in the kernel."""
    return TestRun(program)
