"""How the packets of a capture get through a program: one class for each way, all with one face.

`run` takes a batch of the capture and the numbers of the packets to begin and end with. It stops
after CHUNK seconds, so that events are read, rules followed and Ctrl-C heard in time.
"""

from __future__ import annotations

import errno
import time
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from ebee.errors import KernelError, MachineError

if TYPE_CHECKING:
    from ebee.machine.capture import Batch
    from ebee.machine.machine import Machine, MachineProgram
    from ebee.obj.run import RunResult

CHUNK = 0.05
"""Seconds that one `run` takes at most."""

ETHERNET_HEADER = 14


class Ran(NamedTuple):
    """What became of some packets: their verdicts (None: it could not be run), and with `keep` the
    packets as the program left them."""

    verdicts: list[int | None]
    packets: list[bytes]


class Engine(Protocol):
    """A way to run a program over packets; `not_run` counts packets it does not take, by reason."""

    name: str
    not_run: Counter[str]

    def run(self, batch: Batch, first: int, stop: int, keep: bool) -> Ran: ...


class OneByOne:
    """An engine that is called for each packet."""

    name = ""

    def __init__(self) -> None:
        self.not_run: Counter[str] = Counter()
        self.number = 0
        """How many packets of the capture were given to it."""

    def one(self, data: bytes, stamp: int) -> RunResult | None:
        """Run on one packet; None when this engine does not take it."""
        raise NotImplementedError

    def run(self, batch: Batch, first: int, stop: int, keep: bool) -> Ran:
        """See Engine."""
        verdicts: list[int | None] = []
        packets: list[bytes] = []
        end = time.perf_counter() + CHUNK
        for at in range(first, stop):
            start = batch.offsets[at]
            data = bytes(batch.buffer[start : start + batch.lengths[at]])
            self.number += 1
            result = self.one(data, batch.stamps[at])
            verdicts.append(result.retval if result else None)
            if keep:
                packets.append(result.data if result else data)
            if time.perf_counter() > end:
                break
        return Ran(verdicts, packets)


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
            if error.errno == errno.EINVAL and len(data) < ETHERNET_HEADER:
                self.not_run[
                    f"the kernel's test run takes no frames under {ETHERNET_HEADER} bytes"
                ] += 1
            elif error.errno in (errno.EINVAL, errno.EMSGSIZE, errno.ENOSPC):
                self.not_run[f"the kernel's test run does not take them: {error.summary}"] += 1
            else:
                raise
            return None


def on_machine(machine: Machine, program: MachineProgram) -> Engine:
    """The fastest engine that takes a program on the machine."""
    return Interpreted(machine, program)


def on_linux(program: Any) -> Engine:
    """The engine for a program in the kernel."""
    return TestRun(program)
