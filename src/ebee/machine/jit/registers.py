"""The registers of one subprogram on their way to LLVM.

A register is two values: an integer, and an address where the facts say that it holds a pointer.
Inside a block they are SSA values; between blocks a live register lies in one of two slots, and
which one is decided by the facts of the block that is entered, so all who jump there agree. LLVM
turns the slots back into SSA values.
"""

from __future__ import annotations

from ebee.isa import Form, Insn, successors
from ebee.isa.insn import FP
from ebee.lang.ir import Body
from ebee.machine.cpu import STACK
from ebee.machine.jit.flow import liveness, reachable
from ebee.machine.jit.unit import Unit
from ebee.verifier.facts import POINTERS, Fact

NEAR = 1 << 31
"""Constant offsets below this cannot wrap an address around."""


class Registers:
    """One subprogram's blocks and what its registers hold."""

    def __init__(self, unit: Unit, start: int):
        self.unit, self.code, self.start = unit, unit.code, start
        self.body = Body()
        self.slots = sorted(reachable(self.code, start))
        self.leaders = self._leaders()
        self.live = liveness(self.code, self.slots)
        self.ints: list[str | None] = []
        self.ptrs: list[str | None] = []
        self.int_slots = [self.body.alloca("i64", 8, f"r{r}") for r in range(10)]
        self.ptr_slots = [self.body.alloca("ptr", 8, f"p{r}") for r in range(10)]
        self.stack = ""
        self.may_goto = ""
        self.is_entry = start == 0 and unit.takes_packet
        self.length = ""

    def _leaders(self) -> set[int]:
        """Slots where a block begins."""
        found = {self.start}
        for slot in self.slots:
            form = self.code.forms[slot]
            assert form is not None
            if form.kind == "jump" or form.kind == "exit":
                found.update(s for s in successors(self.code.insns[slot], slot))
        return found

    def fact(self, slot: int, register: int) -> Fact:
        return self.code.facts.reg(slot, register)

    def is_pointer(self, slot: int, register: int) -> bool:
        return self.fact(slot, register).kind in POINTERS

    def distance(self, slot: int, register: int) -> str:
        """How far from the packet's start a register points, "" if that is not known."""
        fact = self.fact(slot, register)
        if not self.is_entry or slot not in self.unit.unmoved or fact.nullable:
            return ""
        if fact.kind == "packet_end" and fact.offset == 0:
            return self.length
        known = fact.kind == "packet" and fact.offset is not None and 0 <= fact.offset < NEAR
        return str(fact.offset) if known else ""

    def enter(self, slot: int) -> None:
        """At the start of a block registers lie in their slots."""
        self.ints, self.ptrs = [None] * 11, [None] * 11
        self.entered = slot
        self.dirty = 0

    def flush(self, targets: tuple[int, ...], everything: bool = False) -> None:
        """Put registers where the blocks that come next look for them."""
        for r in range(10):
            done = set()
            for target in targets:
                if not self.live[target] >> r & 1:
                    continue
                as_pointer = self.is_pointer(target, r)
                if as_pointer in done:
                    continue
                done.add(as_pointer)
                kept = not everything and not self.dirty >> r & 1
                if kept and self.is_pointer(self.entered, r) == as_pointer:
                    continue  # still lies there
                if as_pointer:
                    self.body.emit(f"store ptr {self.pointer(r)}, ptr {self.ptr_slots[r]}")
                else:
                    self.body.emit(f"store i64 {self.integer(r)}, ptr {self.int_slots[r]}")

    # -- values ------------------------------------------------------------------------------------

    def integer(self, r: int) -> str:
        """A register as an i64."""
        value = self.ints[r]
        if value is None:
            if self.ptrs[r] is None and r != FP and not self.is_pointer(self.entered, r):
                value = self.body.op(f"load i64, ptr {self.int_slots[r]}", f"r{r}")
            else:
                value = self.body.op(f"ptrtoint ptr {self.pointer(r)} to i64", f"r{r}")
            self.ints[r] = value
        return value

    def pointer(self, r: int) -> str:
        """A register as a ptr."""
        value = self.ptrs[r]
        if value is None:
            if r == FP:
                value = self.body.op(f"getelementptr i8, ptr {self.stack}, i64 {STACK}", "fp")
            elif self.ints[r] is None and self.is_pointer(self.entered, r):
                value = self.body.op(f"load ptr, ptr {self.ptr_slots[r]}", f"p{r}")
            else:
                value = self.body.op(f"inttoptr i64 {self.integer(r)} to ptr", f"p{r}")
            self.ptrs[r] = value
        return value

    def set_integer(self, r: int, value: str) -> None:
        self.ints[r], self.ptrs[r] = value, None
        self.dirty |= 1 << r

    def set_pointer(self, r: int, value: str) -> None:
        self.ints[r], self.ptrs[r] = None, value
        self.dirty |= 1 << r

    def narrow(self, r: int, width: int) -> str:
        """A register's low bits as an i{width}."""
        value = self.integer(r)
        return value if width == 64 else self.body.op(f"trunc i64 {value} to i{width}")

    def widen(self, value: str, width: int, signed: bool = False) -> str:
        if width == 64:
            return value
        return self.body.op(f"{'sext' if signed else 'zext'} i{width} {value} to i64")

    def operand(self, insn: Insn, form: Form) -> str:
        """The second operand of arithmetic and comparisons."""
        if form.source == "reg":
            return self.narrow(insn.src, form.width)
        return str(insn.imm)

    def clobber(self) -> None:
        """A call leaves r1-r5 without a value: 0 on the machine."""
        for r in range(1, 6):
            self.set_integer(r, "0")

    def set_result(self, value: str) -> None:
        self.clobber()
        self.set_integer(0, value)
