"""Network interfaces of the machine: where packets come in, and where the five XDP actions lead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple, Protocol

from ebee.errors import MachineError
from ebee.obj.handles import Link
from ebee.obj.run import RunResult

XDP_ABORTED, XDP_DROP, XDP_PASS, XDP_TX, XDP_REDIRECT = range(5)
ACTIONS = ("XDP_ABORTED", "XDP_DROP", "XDP_PASS", "XDP_TX", "XDP_REDIRECT")


def action_name(retval: int) -> str:
    """The name of an XDP return value; the kernel treats unknown ones as XDP_ABORTED."""
    return ACTIONS[retval] if retval < len(ACTIONS) else f"unknown({retval})"


class Delivery(NamedTuple):
    """What became of a received packet: the action, the packet as the program left it, and the
    interface it left through (XDP_TX, XDP_REDIRECT)."""

    action: str
    data: bytes
    out: str | None = None


class Runnable(Protocol):
    """What can be attached: a program of the machine."""

    name: str

    def test_run(self, data: bytes, *, ifindex: int, rx_queue: int, cpu: int) -> RunResult: ...


class Interface:
    """One interface: `received` frames run the attached program.

    `passed` are the frames handed to the network stack, `sent` those that left here (by XDP_TX or a
    redirect from anywhere); `counts` how often each action was taken. `route` says where the
    redirect that a program on some CPU just asked for leads.
    """

    def __init__(self, name: str, ifindex: int, route: Callable[[int], Interface | None]):
        self.name, self.ifindex, self.route = name, ifindex, route
        self.program: Runnable | None = None
        self.passed: list[bytes] = []
        self.sent: list[bytes] = []
        self.counts: Counter[str] = Counter()

    def attach(self, program: Runnable) -> MachineLink:
        """Run a program for each received frame; MachineError if there is one already."""
        if self.program is not None:
            raise MachineError(f"{self.name}: {self.program.name} is attached already")
        self.program = program
        return MachineLink(self, program)

    def receive(self, frame: bytes, *, rx_queue: int = 0, cpu: int = 0) -> Delivery:
        """A frame arrives: run the program and do what it says."""
        if self.program is None:
            self.passed.append(frame)
            return Delivery("XDP_PASS", frame)
        run = self.program.test_run(frame, ifindex=self.ifindex, rx_queue=rx_queue, cpu=cpu)
        data = run.data[run.metadata :]  # metadata does not leave the machine
        action, out = action_name(run.retval), None
        if run.retval == XDP_PASS:
            self.passed.append(data)
        elif run.retval == XDP_TX:
            out = self
        elif run.retval == XDP_REDIRECT:
            out = self.route(cpu)
            if out is None:  # as in the kernel, the frame is lost: an exception, not an error
                action = "XDP_ABORTED"
        self.counts[action] += 1
        if out is not None:
            out.sent.append(data)
        return Delivery(action, data, out.name if out else None)


class MachineLink(Link):
    """A program on an interface of the machine."""

    def __init__(self, interface: Interface, program: Runnable):
        self.interface, self.program = interface, program

    def update(self, program: Runnable) -> None:
        """Replace the program between two packets."""
        self.interface.program = self.program = program

    def close(self) -> None:
        """Take the program off; doing so again does nothing."""
        if self.interface.program is self.program:
            self.interface.program = None
