"""The walk: every path through the program, one instruction at a time, with what is known there
(kernel/bpf/verifier.c: do_check)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ebee.obj.spec import Line
from ebee.verifier.core import (
    alu,
    btftype,
    call,
    compat,
    fastcall,
    jump,
    leaks,
    mem,
    precision,
    privileges,
    ret,
    spectre,
    subprog,
)
from ebee.verifier.core import reg as R
from ebee.verifier.core.btftype import BtfType
from ebee.verifier.core.cfg import Cfg, refuse_unknown
from ebee.verifier.core.code import Op, decode
from ebee.verifier.core.errors import E2BIG, EFAULT, EINVAL, DoesNotKnow, Rejected
from ebee.verifier.core.live import Liveness
from ebee.verifier.core.log import Log
from ebee.verifier.core.observe import Observer
from ebee.verifier.core.profile import Profile
from ebee.verifier.core.program import Program
from ebee.verifier.core.prune import Memory
from ebee.verifier.core.reg import Reg
from ebee.verifier.core.state import SPECIAL, Frame, Held, Jump, Linked, State

MAX_BRANCHES = 8192  # BPF_COMPLEXITY_LIMIT_JMP_SEQ
END = -1
"""What a handler returns in place of the next slot where a path ends."""


class Walk:
    """One check of one program.

    `state` is that of the current path, `idx` the current instruction and `previous` the one
    before; `waiting` are branches not yet walked, the last is next. With `observe` it gathers
    facts along the way.
    """

    def __init__(
        self, program: Program, profile: Profile, log_level: int = 0, observe: bool = False
    ):
        self.program, self.profile = program, profile
        self.processed = self.jumps = self.ids = 0
        self.waiting: list[tuple[State, int, int]] = []
        self.idx = self.previous = 0
        self.state = State([])
        self.entry: Jump | None = None
        self.log = Log(log_level) if log_level else None
        self.returned = 0  # where the last return led to
        self.called_globals: set[int] = set()
        self.run_later: set[int] = set()  # numbers of functions that do not run below the program
        self.place_types: dict[int, int] = {}  # of the pointer of each load and store
        self.entered: set[int] = {0}  # numbers of functions that control came to
        self.taken: set[int] = set()  # ... of those whose address was taken
        self.throws = False
        self.inlined: dict[int, tuple[bool, int]] = {}  # by calls of bpf_loop(): if, of which
        self.missing_kfuncs = False  # calls of functions that the kernel has not were reached
        self.depths: dict[int, int] = {}  # stack used, by function
        held = profile.privileges
        self.capable, self.perfmon = held.bpf, held.perfmon
        self.spec = spectre.Speculation() if held.speculates else None
        self.unreadable = SPECIAL if held.perfmon else leaks.UNREADABLE
        ops = decode(program.insns, profile.version)
        if not self.capable:
            privileges.check_alone(ops)
        self.cfg = Cfg(program.insns, ops, program, profile)
        self.saved = fastcall.patterns(self.cfg)
        self.observer = Observer(self) if observe else None
        self.has_arena = compat.check(self)
        subprog.check_results(program.btf, self)
        refuse_unknown(program.unknown)
        self.handlers: dict[str, Callable[[Op], int]] = {
            "alu": partial(alu.step if held.perfmon else alu.guarded, self),
            "load": partial(mem.load, self),
            "store": partial(mem.store, self),
            "atomic": partial(mem.atomic, self),
            "packet": partial(call.packet_load, self),
            "imm64": partial(call.wide_load, self),
            "jump": partial(jump.step, self),
            "call": partial(call.step, self),
            "exit": partial(ret.step, self),
        }
        self._lines: list[Line | None] | None = None
        self._fresh()
        if self.log is not None:
            self.log.begin(self)

    def _fresh(self) -> None:
        self.live = Liveness(self.cfg)
        self.memory = Memory(self)

    @property
    def regs(self) -> list[Reg]:
        """The registers of the running function."""
        return self.state.frames[-1].regs

    def new_id(self) -> int:
        self.ids += 1
        return self.ids

    def is_global(self, start: int) -> bool:
        """Whether a function is verified on its own, not in each of its callers."""
        return start != 0 and self.program.linkage.get(start) == "global"

    # -- the loop ------------------------------------------------------------------------------

    def run(self) -> None:
        """Walk the program, then each global function that it calls. Rejected or DoesNotKnow when
        it is not accepted."""
        frame = Frame(0, 0, 0, -1)
        frame.regs[1] = R.pointer(R.CTX)
        self._walk(frame)
        if self.log is not None:
            self.log.checked(self, 0)
        if (catches := self.program.catches) > 0:
            self.called_globals.add(catches)
            self.run_later.add(self.cfg.owner[catches])
        done: set[int] = set()
        while todo := sorted(self.called_globals - done):
            start = todo[0]
            done.add(start)
            self._fresh()
            self.entered.add(self.cfg.owner[start])
            self._walk(call.global_frame(self, start))
            if self.log is not None:
                self.log.checked(self, start)
        ret.check_stack_depth(self)
        spectre.check_tail_calls(self)
        ret.check_taken(self)
        if self.missing_kfuncs:
            text = "invalid kernel function call not eliminated in verifier pass"
            raise Rejected("kfunc", text, "", EINVAL)

    def _walk(self, frame: Frame) -> None:
        frame.regs[10] = R.pointer(R.STACK)
        self.state = State([frame])
        self.idx, self.previous = frame.start, -1
        self.state.first = frame.start
        self.waiting.clear()
        if self.log is not None:
            self.log.function(self, frame.start)
        while True:
            if self._path():
                return

    def _path(self) -> bool:
        """Walk one path to its end; whether it was the last."""
        cfg, live, memory, handlers = self.cfg, self.live, self.memory, self.handlers
        ops, prune, jumps, state = cfg.ops, cfg.prune, cfg.jumps, self.state
        limit, count, log = self.profile.max_processed, cfg.count, self.log
        plain = log is None and not state.speculative
        observer = self.observer
        idx = self.idx
        while True:
            self.entry = None
            if idx >= count:
                text = f"invalid insn idx {idx} insn_cnt {count}"
                raise Rejected("falls-off", text, "", EINVAL)
            op = ops[idx]
            self.idx = idx
            self.processed += 1
            if self.processed > limit:
                text = f"BPF program is too large. Processed {self.processed} insn"
                raise Rejected("too-complex", text, f"the limit is {limit:,}", E2BIG)
            state.last, state.idx = self.previous, idx
            if prune[idx] and memory.visited(idx):
                if log is not None:
                    log.safe(self)
                break
            if op is None:
                spectre.no_instruction(self, cfg.fault(idx))
                break
            if jumps[idx]:
                self.push_history()
            if observer is not None:
                observer.see(idx, state)
            if plain:
                following = handlers[op.kind](op)
            elif state.speculative:
                following = spectre.step(self, op, self._logged)
            else:
                following = self._logged(op)
            if op.stores:  # no other instruction marks slots as written
                live.commit(state.chain(len(state.frames) - 1), idx)
            if following < 0:
                break
            self.previous, idx = idx, following
        memory.ended(self.state)
        if not self.waiting:
            return True
        self.state, self.idx, self.previous = self.waiting.pop()
        if log is not None:
            log.popped(self.state)
        return False

    def _logged(self, op: Op) -> int:
        """Walk one instruction, and say so where there is a log."""
        log = self.log
        if log is None:
            return self.handlers[op.kind](op)
        log.before(self, op)
        state = self.state
        depth, frame = len(state.frames), state.frames[-1]
        following = self.handlers[op.kind](op)
        if following != END:
            self.returned = following
            log.after(self, op, depth, frame)
        return following

    def line_of(self, idx: int) -> Line | None:
        """The source line that begins at or before an instruction."""
        if self._lines is None:
            self._lines = [None] * self.cfg.count
            at = {line.slot: line for line in self.program.lines}
            found = None
            for slot in range(self.cfg.count):
                found = at.get(slot, found)
                self._lines[slot] = found
        return self._lines[idx]

    def touched(self, op: Op) -> int:
        """The registers that an instruction names, as a mask."""
        return self.cfg.touched(op)

    # -- branches and history --------------------------------------------------------------------

    def branch(self, idx: int) -> State:
        """Set a copy of the current state aside, to go on at `idx` later."""
        if len(self.waiting) >= MAX_BRANCHES:
            text = f"The sequence of {len(self.waiting) + 1} jumps is too complex."
            raise Rejected("too-complex", text, "", E2BIG)
        other = self.state.copy()
        if other.parent is not None:
            other.parent.branches += 1
        self.waiting.append((other, idx, self.idx))
        if self.log is not None:
            self.log.set_aside(other)
        return other

    def set_aside(self, state: State, idx: int) -> None:
        """A state that has nothing of the current path, to be walked later. Its history leads back
        into the path, though, as Linux's does."""
        if len(self.waiting) >= MAX_BRANCHES:
            text = f"The sequence of {len(self.waiting) + 1} jumps is too complex for async cb."
            raise Rejected("too-complex", text, "", EFAULT)
        self.waiting.append((state, idx, self.idx))
        if self.log is not None:
            self.log.set_aside(state)

    def struct(self, name: str) -> BtfType:
        """A struct of the kernel; DoesNotKnow when it has none of that name."""
        found = btftype.struct(self.program.types(), name)
        if found is None:
            raise DoesNotKnow(f"a struct {name} of the kernel")
        return found

    def kfunc_name(self, op: Op) -> str:
        """The name of the kernel function that an instruction calls."""
        return self.cfg.kfuncs[op.slot][0] if op.slot in self.cfg.kfuncs else ""

    def push_history(
        self,
        access: tuple[int, int] | None = None,
        linked: Linked = (),
        dst_stack: bool = False,
        src_stack: bool = False,
    ) -> None:
        """Note in the path's history that control came here, and what happens here."""
        entry = self.entry
        if entry is None:
            entry = Jump(self.state.history, self.idx, self.previous)
            self.entry = self.state.history = entry
        entry.access = access or entry.access
        entry.linked = linked or entry.linked
        entry.dst_stack |= dst_stack
        entry.src_stack |= src_stack

    def precise(self, regno: int) -> None:
        """The value of a register matters from here on: see `precision`."""
        reg = self.regs[regno]
        if reg.type == R.SCALAR:
            precision.mark(self, regno)
            if self.observer is not None:
                self.observer.precise(self.idx, regno, reg)

    # -- registers -----------------------------------------------------------------------------

    def read(self, regno: int) -> Reg:
        """A register that is read; Rejected when nothing was ever put there."""
        reg = self.state.frames[-1].regs[regno]
        if reg.type == R.NOT_INIT:
            raise Rejected("unwritten-register", f"R{regno} !read_ok")
        return reg

    def id_for_copy(self, regno: int) -> Reg:
        """A scalar that is copied gets an id, by which what is learnt of one is known of all."""
        reg = self.regs[regno]
        if reg.type != R.SCALAR:
            return reg
        if reg.id & R.ADD_CONST:
            reg = reg.copy()
            reg.id = reg.off = 0
        if not reg.id and reg.m:
            reg = reg.with_id(self.new_id())
        self.regs[regno] = reg
        return reg

    # -- references and regions ----------------------------------------------------------------

    @property
    def in_rcu(self) -> bool:
        """Whether what RCU protects stays there (in_rcu_cs)."""
        state = self.state
        return bool(state.rcu or state.locks) or not self.sleepable

    @property
    def sleepable(self) -> bool:
        return self.program.sleepable or self.state.sleepable

    def acquire(self) -> int:
        """A new reference, acquired by the current instruction; its id."""
        number = self.new_id()
        self.state.refs += (Held(number, self.idx),)
        return number

    def release(self, number: int) -> None:
        """A reference is given back: nothing that held it may be used (release_reference)."""
        state = self.state
        state.refs = tuple(h for h in state.refs if h.id != number or h.kind != "ptr")
        self.forget(lambda reg: reg.ref == number and reg.type not in (R.ITER, R.DYNPTR))

    def holds(self, number: int) -> bool:
        return any(h.id == number and h.kind == "ptr" for h in self.state.refs)

    def forget(self, which: Callable[[Reg], bool], left: Reg | None = None) -> None:
        """Registers and spilled ones of a kind hold nothing that can be used any more: `left`, or
        a number, or nothing where a number would tell of addresses."""
        found = left or (R.UNKNOWN if self.perfmon else R.UNINIT)
        self.change(which, lambda _: found)

    def change(self, which: Callable[[Reg], bool], how: Callable[[Reg], Reg]) -> None:
        """Put others in the place of registers and spilled ones of a kind."""
        for frame in self.state.frames:
            for i, reg in enumerate(frame.regs):
                if which(reg):
                    frame.regs[i] = how(reg)
            for i, slot in enumerate(frame.slots):
                if slot[1].type and which(slot[1]):
                    frame.slots[i] = slot[0], how(slot[1])

    def unknown(self, what: str) -> DoesNotKnow:
        """What to raise where a rule is not known."""
        return DoesNotKnow(what)
