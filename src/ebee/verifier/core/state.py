"""What is known at one point of one path: frames of registers and stack slots, references held.

States are cheap to copy: registers and slots are frozen and shared. Precision marks, which are set
on states of the past, are bit masks beside them. History is a linked list, shared as well.
"""

from __future__ import annotations

from typing import NamedTuple

from ebee.verifier.core.reg import SCALAR, UNINIT, UNKNOWN, Reg

# What a byte of the stack holds (enum bpf_stack_slot_type)
INVALID, SPILL, MISC, ZEROS, DYNPTR, ITER, IRQ_FLAG = range(7)

Slot = tuple[bytes, Reg]
"""Eight bytes of the stack, what each holds (lowest address first), and the register that was
spilled there, if the first byte is SPILL."""

EMPTY: Slot = (bytes(8), UNINIT)
SPILLED, ALL_MISC, ALL_ZERO = bytes((SPILL,) * 8), bytes((MISC,) * 8), bytes((ZEROS,) * 8)

SPECIAL = frozenset((DYNPTR, ITER, IRQ_FLAG))
"""Kinds of bytes that no program may load."""

Linked = tuple[tuple[int, int, bool], ...]
"""Registers that share an id: (frame, register or slot, whether it is a slot)."""


ACTIVE, DRAINED = 1, 2
"""States of an iterator."""


class Held(NamedTuple):
    """What a path must give back: a reference ("ptr"), interrupts that are off ("irq"), or a lock
    ("lock", "res_lock", "res_lock_irq") of `owner`, a map or the BTF of an object."""

    id: int
    slot: int
    kind: str = "ptr"
    owner: object = None


class Jump:
    """One entry of a path's history: control came to `idx` from `previous`, or what `idx` did:
    `access` names the (frame, slot) of a spill or fill, `linked` registers that gained a range;
    `regs` and `slots` of the running frame were found to matter before it did."""

    __slots__ = (
        "access", "before", "count", "dst_stack", "idx", "linked", "previous", "regs", "slots",
        "src_stack",
    )  # fmt: skip

    def __init__(self, before: Jump | None, idx: int, previous: int):
        self.before, self.idx, self.previous = before, idx, previous
        self.count: int = before.count + 1 if before is not None else 1
        self.access: tuple[int, int] | None = None
        self.linked: Linked = ()
        self.src_stack = self.dst_stack = False
        self.regs = self.slots = 0


class Frame:
    """One call: registers r0 to r10 and stack slots, the one below r10 first."""

    __slots__ = (
        "callback", "callback_depth", "callsite", "entry", "number", "precise", "regs", "result",
        "slots", "sprecise", "start", "subprog",
    )  # fmt: skip

    def __init__(self, number: int, subprog: int, start: int, callsite: int):
        self.number, self.subprog, self.start, self.callsite = number, subprog, start, callsite
        self.regs: list[Reg] = [UNINIT] * 11
        self.slots: list[Slot] = []
        self.precise = self.sprecise = 0
        self.callback: str = ""  # the helper that called this function back
        self.callback_depth = 0
        self.entry = 0  # of a callback that runs later: how many such calls led to it
        self.result = (0, 1)  # what a callback may return

    def copy(self) -> Frame:
        f = _new_frame(Frame)
        f.number, f.subprog, f.start = self.number, self.subprog, self.start
        f.callsite, f.regs, f.slots = self.callsite, self.regs[:], self.slots[:]
        f.precise, f.sprecise = self.precise, self.sprecise
        f.callback, f.callback_depth = self.callback, self.callback_depth
        f.entry, f.result = self.entry, self.result
        return f

    def grow(self, offset: int) -> None:
        """Have slots down to r10 + offset."""
        wanted = (-offset + 7) // 8
        if wanted > len(self.slots):
            self.slots += [EMPTY] * (wanted - len(self.slots))

    def forget(self, first: int, last: int, value: Reg = UNINIT) -> None:
        """Registers first..last hold nothing."""
        for i in range(first, last + 1):
            self.regs[i] = value


_new_frame = Frame.__new__


class State:
    """A state: of the path being walked, waiting on the stack of branches, or remembered at `idx`.

    branches    paths that begin here and are not walked to their end
    parent      the remembered state from which this one came
    first, last the instruction of that state, and the one walked before the current one
    refs        what must be given back, in the order in which it was acquired
    locks       how many of these are locks
    rcu, preempt, irq   how often RCU is read-locked and preemption is off; id of the saved flags
    sleepable   a callback that may sleep where the program may not
    speculative only a processor that speculates comes here
    """

    __slots__ = (
        "all_precise", "branches", "cleaned", "depth", "differs", "entered", "equal", "first",
        "frames", "goto_depth", "history", "hits", "idx", "irq", "last", "locks", "misses",
        "parent", "preempt", "rcu", "refs", "sleepable", "speculative", "unroll_depth",
    )  # fmt: skip

    def __init__(self, frames: list[Frame]):
        self.frames = frames
        self.branches = 1
        self.parent: State | None = None
        self.idx = self.first = self.last = 0
        self.history: Jump | None = None
        self.refs: tuple[Held, ...] = ()
        self.locks = self.rcu = self.preempt = self.irq = 0
        self.sleepable = self.speculative = False
        self.goto_depth = self.unroll_depth = self.depth = 0
        self.hits = self.misses = 0
        self.differs = 0  # the register in which another state differed from it, last
        self.cleaned = self.all_precise = False
        self.equal: State | None = None  # of the end of a loop: the remembered state it equals
        self.entered = False

    @property
    def frame(self) -> Frame:
        return self.frames[-1]

    def copy(self) -> State:
        s = _new_state(State)
        s.frames = [f.copy() for f in self.frames]
        s.branches, s.parent, s.idx = self.branches, self.parent, self.idx
        s.first, s.last, s.history, s.refs = self.first, self.last, self.history, self.refs
        s.goto_depth, s.unroll_depth, s.depth = self.goto_depth, self.unroll_depth, self.depth
        s.locks, s.rcu, s.preempt, s.irq = self.locks, self.rcu, self.preempt, self.irq
        s.sleepable, s.speculative = self.sleepable, self.speculative
        s.hits = s.misses = s.differs = 0
        s.cleaned = s.all_precise = s.entered = False
        s.equal = None
        return s

    def at(self, depth: int) -> int:
        """The instruction at which a frame is."""
        last = depth == len(self.frames) - 1
        return self.idx if last else self.frames[depth + 1].callsite

    def chain(self, depth: int) -> tuple[int, ...]:
        """The calls that lead to a frame, and where its function starts."""
        return (*(f.callsite for f in self.frames[1 : depth + 1]), self.frames[depth].start)


_new_state = State.__new__


def special(slot: Slot) -> bool:
    """Whether the slot is part of an object that only helpers look into."""
    return slot[0][0] in SPECIAL


def spilled(slot: Slot) -> bool:
    """Whether the slot holds a register, or the low bytes of one."""
    return slot[0][0] == SPILL


def spilled_scalar(slot: Slot) -> bool:
    return slot[0][0] == SPILL and slot[1].type == SCALAR


def as_scalar(slot: Slot) -> Reg | None:
    """The scalar that a load of the whole slot would give; None if it gives something else."""
    types = slot[0]
    if types == SPILLED and slot[1].type == SCALAR:
        return slot[1]
    return UNKNOWN if all(t in (MISC, INVALID) for t in types) else None
