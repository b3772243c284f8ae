"""Before any path is walked: where functions begin, that every instruction can be reached, where
paths are worth comparing, which registers are live, what is a loop (check_subprogs, check_cfg,
compute_live_registers, compute_scc)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ebee import helpers
from ebee.isa.flow import CALL_ARGUMENTS, CALL_CLOBBERS, reads, writes
from ebee.isa.insn import Insn
from ebee.verifier.core.code import Op, fault, scan
from ebee.verifier.core.errors import EINVAL, DoesNotKnow, Rejected
from ebee.verifier.core.kfuncs import all_kfuncs, called
from ebee.verifier.core.privileges import check_no_loops

if TYPE_CHECKING:
    from ebee.verifier.core.profile import Profile
    from ebee.verifier.core.program import Program

MAX_SUBPROGS = 256
SYNC_CALLBACKS = frozenset((
    "for_each_map_elem", "find_vma", "loop", "user_ringbuf_drain", "bpf_rbtree_add_impl",
))  # fmt: skip
ASYNC_CALLBACKS = frozenset((
    "timer_set_callback", "bpf_wq_set_callback_impl", "bpf_task_work_schedule_signal_impl",
    "bpf_task_work_schedule_resume_impl",
))  # fmt: skip
"""What calls functions of the program: while it runs, or later."""


class Cfg:
    """The flow of control.

    starts      the first slot of each function, ascending; `owner` is the function of each slot
    prune       slots where paths are compared; `jumps` those entered in history when reached
    checkpoint  slots where a state is always remembered
    live        registers that may be read at or after a slot, before they are written
    loop        number of the loop that a slot is in; 0: none. `loops`: there are any
    kfuncs      name and prototype of the kernel function that a slot calls
    iterators   slots that ask an iterator for its next element; `callbacks`: calls that call back
    """

    def __init__(self, insns: list[Insn], ops: list[Op | None], program: Program, profile: Profile):
        self.insns, self.ops, self.count = insns, ops, len(insns)
        self.hook, self.catches = program.hook.name, program.catches
        self.packets_read_all = profile.packets_read_all
        self.kfuncs = {
            op.slot: called(program, op)
            for op in ops
            if op is not None and op.name == "call_kfunc" and op.imm
        }
        self.iterators: set[int] = set()
        self.prune, self.jumps = bytearray(self.count + 1), bytearray(self.count + 1)
        self.checkpoint = bytearray(self.count + 1)
        self.callbacks: set[int] = set()
        self.shown_loops = 0  # numbers of loops up to it are the kernel's
        self._find_functions()
        self._check_jumps()
        scan(insns, profile.version)
        self.following = [self._successors(slot) for slot in range(self.count)]
        self.preceding: list[list[int]] = [[] for _ in range(self.count)]
        for slot, after in enumerate(self.following):
            for to in after:
                if to < self.count:
                    self.preceding[to].append(slot)
        if not profile.privileges.bpf:
            check_no_loops(self.following, self.starts)
        self._reach()
        self.live = self._live_registers()
        self.traces = [self._trace(op) for op in ops]
        self.loop = self._loops()
        self.loops = any(self.loop)

    def op(self, slot: int) -> Op:
        """The instruction at a slot; Rejected when there is none."""
        found = self.ops[slot]
        if found is None:
            raise self.fault(slot)
        return found

    def fault(self, slot: int) -> Rejected:
        """Why there is no instruction at a slot."""
        return fault(self.insns, slot)

    def _find_functions(self) -> None:
        starts = {0, max(self.catches, 0)}
        for op in self.ops:
            if op is not None and op.name in ("call_local", "lddw_func"):
                if not 0 <= op.target < self.count:
                    raise Rejected("bad-call", "call to invalid destination", "", EINVAL)
                starts.add(op.target)
        self.starts = sorted(starts)
        if len(self.starts) > MAX_SUBPROGS:
            raise Rejected("too-many-functions", "too many subprograms", "", EINVAL)
        ends = [*self.starts[1:], self.count]
        self.ends = ends
        self.owner = [0] * self.count
        for number, (start, end) in enumerate(zip(self.starts, ends, strict=True)):
            self.owner[start:end] = [number] * (end - start)

    def _check_jumps(self) -> None:
        """Jumps stay in their function, which control does not run out of at the end."""
        for number, (start, end) in enumerate(zip(self.starts, self.ends, strict=True)):
            for slot in range(start, end):
                insn = self.insns[slot]
                cls, code = insn.op & 7, insn.op & 0xF0
                if cls in (5, 6) and code not in (0x80, 0x90):
                    to = slot + 1 + (insn.imm if insn.op == 0x06 else insn.off)
                    if not start <= to < end:
                        text = f"jump out of range from insn {slot} to {to}"
                        raise Rejected("jump-out-of-range", text, f"function {number}", EINVAL)
            last = self.insns[end - 1]
            if last.op not in (0x95, 0x05, 0x06):
                text = "last insn is not an exit or jmp"
                raise Rejected("falls-off", text, f"function {number}", EINVAL)

    def _successors(self, slot: int) -> tuple[int, ...]:
        op = self.ops[slot]
        if op is None:
            return (slot + 1,) if slot + 1 < self.count else ()
        after = slot + op.width
        if op.operation == "exit":
            return ()
        if op.kind == "jump":
            return (op.target,) if op.operation == "ja" else (after, op.target)
        return (after,)

    # -- reachability --------------------------------------------------------------------------

    def _reach(self) -> None:
        seen = bytearray(self.count)
        work = [0, max(self.catches, 0)]
        while work:
            slot = work.pop()
            if seen[slot]:
                continue
            seen[slot] = 1
            work += [to for to in self._visit(slot) if not seen[to]]
        for slot in range(self.count):
            op = self.ops[slot]
            if not seen[slot] and not (slot and self._second_half(slot)):
                text = f"unreachable insn {slot}"
                raise Rejected("unreachable", text, "", EINVAL)
            if seen[slot] and op is not None and op.width == 2 and seen[slot + 1]:
                text = f"jump into the middle of ldimm64 insn {slot}"
                raise Rejected("jump-into-wide-load", text, "", EINVAL)

    def _second_half(self, slot: int) -> bool:
        before = self.ops[slot - 1]
        return before is not None and before.width == 2

    def _visit(self, slot: int) -> Iterable[int]:
        """Mark what an instruction says about places to compare; where control goes from it."""
        op = self.ops[slot]
        following = self.following[slot]
        if op is None:
            return following
        if op.kind == "call" or op.name == "lddw_func":
            return self._visit_call(op)
        if op.operation == "ja":
            self.prune[op.target] = self.jumps[op.target] = 1
        elif op.kind == "jump":
            self.prune[slot] = 1
            if op.operation == "may_goto":
                self.checkpoint[slot] = 1
            self.prune[op.target] = self.jumps[op.target] = 1
        elif op.kind == "packet":  # may leave the function, as an exit does
            self.jumps[slot + 1] = self.prune[slot + 1] = 1
        return following

    def _visit_call(self, op: Op) -> Iterable[int]:
        slot, after = op.slot, op.slot + op.width
        if op.name == "call_helper":
            helper = helpers.by_id(op.imm)
            if helper is not None and helper.name in ASYNC_CALLBACKS:
                self.prune[slot] = 1
            if helper is not None and helper.name in SYNC_CALLBACKS:
                self._calls_back(slot)
        elif op.name == "call_kfunc" and slot in self.kfuncs:
            name = self.kfuncs[slot][0]
            if name in SYNC_CALLBACKS:
                self._calls_back(slot)
            if name in ASYNC_CALLBACKS:
                self.prune[slot] = 1
            known = all_kfuncs().get(name)
            if known is not None and "iter_next" in known.flags:
                self.iterators.add(slot)
                self.prune[slot] = self.checkpoint[slot] = 1
        self.prune[after] = self.jumps[after] = 1
        if op.name in ("call_local", "lddw_func"):
            self.prune[slot] = self.prune[op.target] = self.jumps[op.target] = 1
            return (after, op.target)
        return (after,)

    def _calls_back(self, slot: int) -> None:
        self.callbacks.add(slot)
        self.checkpoint[slot] = self.prune[slot] = self.jumps[slot] = 1

    # -- live registers ------------------------------------------------------------------------

    def _live_registers(self) -> list[int]:
        uses, gens = [0] * self.count, [0] * self.count
        for op in self.ops:
            if op is not None:
                uses[op.slot], gens[op.slot] = self._touched(op)
        live, following = [0] * self.count, self.following
        changed = True
        while changed:
            changed = False
            for slot in range(self.count - 1, -1, -1):
                after = 0
                for to in following[slot]:
                    after |= live[to]
                now = after & ~gens[slot] | uses[slot]
                if now != live[slot]:
                    live[slot], changed = now, True
        return live

    def touched(self, op: Op) -> int:
        """Registers that an instruction reads or writes."""
        if op.kind == "call":
            return 0x3F
        return reads(op.insn) | writes(op.insn)

    def _touched(self, op: Op) -> tuple[int, int]:
        """Registers that an instruction reads and writes."""
        if op.kind == "call":
            read = CALL_ARGUMENTS
            helper = helpers.by_id(op.imm) if op.name == "call_helper" else None
            if helper is not None:
                read = (1 << len(helper.at(self.hook)[0]) + 1) - 2
            elif op.slot in self.kfuncs:
                read = (1 << min(len(self.kfuncs[op.slot][1].params), 5) + 1) - 2
            return read, CALL_CLOBBERS
        if op.kind == "packet" and self.packets_read_all:
            return 0x3FF, 0
        written = writes(op.insn)
        return reads(op.insn) & 0x3FF, written

    def _trace(self, op: Op | None) -> int:
        """The registers by which an instruction matters to the search for precision, where it has
        no entry in the history; -1: always."""
        if op is None:
            return 0
        if op.kind == "alu" and not op.reg and not op.operation.startswith("mov"):
            return 0  # what is wanted after it is wanted before it
        if op.kind in ("alu", "load", "imm64", "store"):
            return 1 << op.dst
        if op.kind == "jump":
            return (1 << op.dst | 1 << op.src) if op.reg else 0
        return -1

    # -- loops ---------------------------------------------------------------------------------

    def _loops(self) -> list[int]:
        """Strongly connected parts of the flow, numbered from 1 (Tarjan, without recursion)."""
        loop, order, low = [0] * self.count, [0] * self.count, [0] * self.count
        on_stack, stack = bytearray(self.count), list[int]()
        clock = parts = 0
        for root in self.starts:
            if order[root]:
                continue
            clock += 1
            order[root] = low[root] = clock
            stack.append(root)
            on_stack[root] = 1
            work = [(root, iter(self.following[root]))]
            while work:
                slot, rest = work[-1]
                to = next(rest, -1)
                if to >= 0:
                    if not order[to]:
                        clock += 1
                        order[to] = low[to] = clock
                        stack.append(to)
                        on_stack[to] = 1
                        work.append((to, iter(self.following[to])))
                    elif on_stack[to]:
                        low[slot] = min(low[slot], order[to])
                    continue
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[slot])
                if low[slot] == order[slot]:
                    part: list[int] = []
                    while not part or part[-1] != slot:
                        part.append(stack.pop())
                        on_stack[part[-1]] = 0
                    if len(part) > 1 or slot in self.following[slot]:
                        parts += 1
                        for each in part:
                            loop[each] = parts
        self.shown_loops = parts
        for slot in self.callbacks:  # a callback is called again and again from its call
            if not loop[slot]:
                parts += 1
                loop[slot] = parts
        return loop


def refuse_unknown(unknown: dict[int, str]) -> None:
    """Raise DoesNotKnow for what a program names that ebee cannot resolve."""
    for what in unknown.values():
        raise DoesNotKnow(what)
