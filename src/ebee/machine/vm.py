"""What the parts of the machine know of each other: limits, and the faces that calls see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from ebee.errors import MachineError
from ebee.machine.code import Code
from ebee.machine.cpu import VirtualCpu
from ebee.machine.maps import MachineMap
from ebee.machine.memory import Memory, Region

MAY_GOTO = 8 * 1024 * 1024
"""How often one may_goto of a frame is taken at the most (BPF_MAX_LOOPS)."""

TAIL_CALLS = 33
"""Tail calls in one run (MAX_TAIL_CALL_CNT)."""

BUDGET = 1 << 32
"""Instructions of one run before it counts as hanging."""


class ProgramFault(MachineError):
    """A program did what no verified program does; names the instruction and the address."""

    def __init__(self, message: str, slot: int, addr: int | None = None):
        super().__init__(message)
        self.slot, self.addr = slot, addr


class Host(Protocol):
    """What an engine needs of the machine around it."""

    memory: Memory

    def map_at(self, address: int) -> MachineMap | None: ...
    def rings(self) -> list[Any]: ...
    def program_in(self, m: MachineMap, index: int) -> Code | None: ...
    def packet_bytes(self, cpu: VirtualCpu, offset: int, size: int) -> bytes | None: ...


class Vm(Protocol):
    """What a helper's call sees of the interpreter that it is called from."""

    machine: Host
    memory: Memory
    cpu: VirtualCpu
    regs: list[int]
    context: Any
    dynptrs: dict[int, bytes]
    lock: int
    tail_calls: int

    def check(self, addr: int, size: int, write: bool) -> Region: ...
    def enter(self, slot: int, back: int, resume: Resume | None = None) -> int: ...
    def function_at(self, address: int) -> int: ...
    def tail_call(self, code: Code) -> int: ...


Resume = Callable[[Any], "int | None"]
"""What follows when a callback returns: the next slot, or None to go back to the caller."""

Bound = Callable[[Vm, int], int]
"""A helper bound for a call: takes its arguments from r1-r5, sets r0, and gives the slot where
control goes on: its second argument, unless the helper changes the flow."""

Converter = Callable[[Vm], Any]
"""Checks and converts one argument of a helper."""
