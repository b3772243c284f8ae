"""Checked mode: compiled code that no program can lead astray.

Every access is held against the region that its pointer belongs to, as far as the facts tell, or
against the table of all regions; loops and calls count against a budget; calls nest eight deep.
What is refused ends the program: the CPU's block says why, where and at which address. Accesses
that the facts show to be right cost nothing, and LLVM drops checks that the program made itself.
"""

from __future__ import annotations

from collections.abc import Callable

from ebee.abi.cpu import (
    FAULT_ARGUMENT,
    FAULT_BUDGET,
    FAULT_DEPTH,
    FAULT_HELPER,
    FAULT_LOCK,
    FAULT_READ,
    FAULT_WRITE,
    Cpu,
)
from ebee.abi.map import MapHeader
from ebee.abi.packet import Packet
from ebee.helpers import Helper, Param
from ebee.isa import Form, Insn
from ebee.isa.insn import FP
from ebee.machine.calls import FIXED, KEPT, PLAIN, WRITES
from ebee.machine.cpu import FRAMES, STACK
from ebee.machine.jit import runtime
from ebee.machine.jit.calls import HelperCalls, Unsupported
from ebee.machine.jit.flow import closing_edges
from ebee.machine.jit.lower import Lowering
from ebee.machine.jit.names import map_name
from ebee.machine.jit.registers import NEAR
from ebee.machine.jit.shape import UNLOCK, Shape
from ebee.machine.memory import LOCK_SIZE
from ebee.maps.layout import round_up
from ebee.types import offsetof
from ebee.verifier.facts import Fact

CONTEXT = Fact("ctx", offset=0)

PROG_ARRAY = 3
"""Type of maps that tail calls take."""

NO_MEMORY = frozenset(("ctx", "map", "func", "packet_end"))
"""Kinds of pointers through which nothing is accessed."""


class CheckedLowering(Lowering):
    """Lowers with checks. Faults of one function meet in its block `fault`."""

    mark = ", !noalias !3"

    # -- life of a call ----------------------------------------------------------------------------

    def begin(self) -> None:
        b = self.body
        self.faults: list[tuple[str, str, str, str]] = []
        self.budget = self.own_depth = ""
        self.closing = closing_edges(self.code, self.start)
        if self.shape.nested:
            self.descend()
        if self.escapes():
            top = b.op(f"load ptr, ptr {self.cpu('stack')}, !invariant.load !9", "top")
            distance = b.op(f"mul i32 {b.op(f'add i32 {self.own_depth}, 1')}, {-STACK}")
            wide = b.op(f"sext i32 {distance} to i64")
            self.stack = b.op(f"getelementptr i8, ptr {top}, i64 {wide}", "frame")
        else:
            self.stack = b.alloca(f"[{STACK} x i8]", 16, "stack")
        self._clear()
        if self.shape.dynptrs and self.start == 0:
            self.at_depth_zero(
                lambda: b.emit(f"call void {self.unit.runtime('new_run')}(ptr %cpu)")
            )
        if self.shape.cost[self.start] is None:
            self.budget = b.alloca("i64", 8, "budget")
            self.load_budget()
            self.spend(len(self.slots), self.start)
        self.take_arguments()

    def _clear(self) -> None:
        """Nothing is left on the stack of what ran before: where it may be read."""
        size = STACK if self.escapes() else round_up(self.shape.reached.get(str(self.start), 0), 8)
        b, at = self.body, self.stack
        if size < STACK:
            at = b.op(f"getelementptr i8, ptr {at}, i64 {STACK - size}")
        b.emit(f"call void @llvm.memset.p0.i64(ptr {at}, i8 0, i64 {size}, i1 false)")
        self.unit.intrinsic("declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)")

    @property
    def shape(self) -> Shape:
        return self.unit.shape(Shape)

    def descend(self) -> None:
        """One call deeper."""
        b = self.body
        self.own_depth = b.op(f"load i32, ptr {self.cpu('depth')}", "depth")
        deeper = b.op(f"add i32 {self.own_depth}, 1")
        b.emit(f"store i32 {deeper}, ptr {self.cpu('depth')}")
        fits = b.op(f"icmp ult i32 {self.own_depth}, {FRAMES}")
        self.require(fits, self.start, FAULT_DEPTH, "0")

    def cpu(self, member: str) -> str:
        """The address of a member of the CPU's block."""
        at = offsetof(Cpu, member)
        return self.body.op(f"getelementptr i8, ptr %cpu, i64 {at}", member)

    def finish(self) -> None:
        b = self.body
        self.shape.lowered.add(self.start)
        if not self.faults:
            return
        b.label("fault")
        kinds = (("fault", "i32"), ("fault_slot", "i32"), ("fault_address", "i64"))
        values = [
            b.op(f"phi {t} " + ", ".join(f"[ {f[i]}, %{f[3]} ]" for f in self.faults), name)
            for i, (name, t) in enumerate(kinds)
        ]
        for (name, t), value in zip(kinds, values, strict=True):
            b.emit(f"store {t} {value}, ptr {self.cpu(name)}")
        text = b.op(f"ptrtoint ptr {self.unit.external('machine.text')} to i64")
        b.emit(f"store i64 {text}, ptr {self.cpu('fault_text')}")
        if self.shape.locks:
            b.emit(f"call void {self.unit.runtime('drop_lock')}(ptr %cpu)")
        self.ascend()
        b.end("ret i64 0")
        self.shape.faulting.add(self.start)

    def ascend(self) -> None:
        if self.own_depth:
            self.body.emit(f"store i32 {self.own_depth}, ptr {self.cpu('depth')}")

    def before_return(self) -> None:
        self.ascend()
        self.save_budget()

    def at_depth_zero(self, then: Callable[[], None]) -> None:
        """Do something where the program itself begins or ends, and not a call of it by itself."""
        b = self.body
        if not self.own_depth:
            then()
            return
        here, on = b.name("outermost"), b.name("on")
        b.end(f"br i1 {b.op(f'icmp eq i32 {self.own_depth}, 0')}, label %{here}, label %{on}")
        b.label(here)
        then()
        b.label(on)

    def leave(self, slot: int) -> None:
        """A program must not end with a lock held."""
        if self.shape.locks and self.start == 0:
            self.at_depth_zero(lambda: self.require_no_lock(slot))

    def require_no_lock(self, slot: int) -> None:
        held = self.body.op(f"load ptr, ptr {self.cpu('lock')}", "lock")
        address = self.body.op(f"ptrtoint ptr {held} to i64")
        self.require(self.body.op(f"icmp eq ptr {held}, null"), slot, FAULT_LOCK, address)

    def save_budget(self) -> None:
        if self.budget:
            left = self.body.op(f"load i64, ptr {self.budget}")
            self.body.emit(f"store i64 {left}, ptr {self.cpu('budget')}")

    def load_budget(self) -> None:
        if self.budget:
            left = self.body.op(f"load i64, ptr {self.cpu('budget')}")
            self.body.emit(f"store i64 {left}, ptr {self.budget}")

    def do_exit(self, slot: int, insn: Insn, form: Form) -> None:
        self.leave(slot)
        value = self.integer(0)
        self.before_return()
        self.body.end(f"ret i64 {value}")

    def do_packet(self, slot: int, insn: Insn, form: Form) -> None:
        if self.fact(slot, 6) != CONTEXT:
            self.require(self._is_context(6), slot, FAULT_ARGUMENT, self.integer(6))
        super().do_packet(slot, insn, form)

    # -- refusing ----------------------------------------------------------------------------------

    def require(self, holds: str, slot: int, why: int, address: str) -> None:
        """End the program unless the condition holds."""
        b = self.body
        bad, good = b.name("bad"), b.name("good")
        b.end(f"br i1 {holds}, label %{good}, label %{bad}, !prof !8")
        b.label(bad)
        self.faults.append((str(why), str(slot), address, bad))
        b.end("br label %fault")
        b.label(good)

    def refuse(self, slot: int, why: int, address: str) -> None:
        """End the program."""
        self.require("false", slot, why, address)

    def spend(self, count: int, slot: int) -> None:
        """Take instructions off the budget; a function without one is short, its callers pay."""
        if not self.budget:
            return
        b = self.body
        left = b.op(f"load i64, ptr {self.budget}")
        after = b.op(f"sub i64 {left}, {count}")
        b.emit(f"store i64 {after}, ptr {self.budget}")
        self.require(b.op(f"icmp sge i64 {after}, 0"), slot, FAULT_BUDGET, "0")

    def run_on(self, slot: int, following: int) -> None:
        if (slot, following) in self.closing:
            self.spend(self.closing[slot, following], slot)

    def do_jump(self, slot: int, insn: Insn, form: Form) -> None:
        turns = [n for edge, n in self.closing.items() if edge[0] == slot]
        if turns:
            self.spend(max(turns), slot)
        super().do_jump(slot, insn, form)

    def call_function(self, slot: int, target: int, arguments: list[str] | None = None) -> str:
        b, cost = self.body, self.shape.cost[target]
        if cost is None:
            self.save_budget()
        else:
            self.spend(cost, slot)
        value = super().call_function(slot, target, arguments)
        if target in self.shape.faulting or target not in self.shape.lowered:
            failed = b.op(f"load i32, ptr {self.cpu('fault')}")
            ok = b.op(f"icmp eq i32 {failed}, 0")
            good, bad = b.name("good"), b.name("bad")
            b.end(f"br i1 {ok}, label %{good}, label %{bad}, !prof !8")
            b.label(bad)
            self.ascend()
            b.end("ret i64 0")
            b.label(good)
            self.shape.faulting.add(self.start)
        if cost is None:
            self.load_budget()
        return value

    def no_such_map(self, slot: int, register: int) -> bool:
        self.refuse(slot, FAULT_ARGUMENT, self.integer(register))
        return True

    def no_such_helper(self, slot: int, number: str) -> bool:
        self.refuse(slot, FAULT_HELPER, number)
        return True

    def require_valid(self, slot: int, holds: str, value: str) -> None:
        self.require(holds, slot, FAULT_ARGUMENT, value)

    def require_walk(self, slot: int, holds: str) -> None:
        self.require(holds, slot, FAULT_DEPTH, "0")

    def tables_know_stacks(self) -> bool:
        return True

    def escapes(self) -> bool:
        return self.shape.escapes

    # -- memory ------------------------------------------------------------------------------------

    def address(self, slot: int, register: int, off: int, size: int, write: bool) -> str:
        b, fact = self.body, self.fact(slot, register)
        base = self.pointer(register)
        at = b.op(f"getelementptr i8, ptr {base}, i64 {off}") if off else base
        why = FAULT_WRITE if write else FAULT_READ
        self.check(slot, fact.at(off), at, str(size), write, why)
        if self.code.forms[slot].kind == "atomic" and size > 1:  # type: ignore[union-attr]
            number = b.op(f"ptrtoint ptr {at} to i64")
            odd = b.op(f"and i64 {number}, {size - 1}")
            self.require(b.op(f"icmp eq i64 {odd}, 0"), slot, why, number)
        return at

    def check(self, slot: int, fact: Fact, at: str, size: str, write: bool, why: int) -> None:
        """Refuse an access of `size` bytes (an i64 operand) at the address `at` unless it is one
        that the program may make. `fact` is what is known of `at`."""
        known = int(size) if size.isdigit() else None
        if fact.nullable:
            fact = Fact(fact.kind, fact.of)  # what is known of the pointer does not hold for null
        if known is not None and self._is_right(fact, known, write):
            return
        if fact.kind in ("packet", "packet_meta"):
            self._check_packet(slot, fact, at, size, known, why)
        elif fact.kind == "stack" and fact.of == self.fact(slot, FP).of:
            self._check_stack(slot, fact, at, size, known, why)
        elif fact.kind in NO_MEMORY or (
            fact.kind == "map_value" and known and self._in_value(fact, known, write) is False
        ):
            self.refuse(slot, why, self.body.op(f"ptrtoint ptr {at} to i64"))
        else:
            self._check_any(slot, at, size, write, why, fact.kind not in ("map_value", "mem"))

    def _is_right(self, fact: Fact, size: int, write: bool) -> bool:
        """Whether the facts show that `size` bytes, and fewer, are there for the program."""
        if fact.kind in ("packet", "packet_meta", "mem"):
            return fact.within(0, NEAR, size) and size <= fact.reach
        if fact.kind == "stack":
            return fact.within(-STACK, 0, size)
        return fact.kind == "map_value" and bool(self._in_value(fact, size, write))

    def _in_value(self, fact: Fact, size: int, write: bool) -> bool | None:
        """Whether `size` bytes lie in what may be accessed of the values of a known map; None where
        that depends on the offset."""
        calls = self.unit.calls
        assert isinstance(calls, HelperCalls)
        m = calls.maps.get(fact.of)
        window = m.window if m is not None else None
        if window is None or fact.span is None:
            return None
        if not (window.writable if write else window.readable):
            return False
        end = window.hi - window.lo
        if window.skip < 0:
            inside = fact.within(0, end, size)
        else:
            lock = window.skip - window.lo
            inside = fact.within(0, lock, size) or fact.within(lock + LOCK_SIZE, end, size)
        return inside or (None if fact.offset is None else False)

    def _check_packet(
        self, slot: int, fact: Fact, at: str, size: str, known: int | None, why: int
    ) -> None:
        b = self.body
        block = b.op(f"load ptr, ptr {self.cpu('packet')}, !invariant.load !9", "block")

        def pointer(member: str) -> str:
            place = b.op(f"getelementptr i8, ptr {block}, i64 {offsetof(Packet, member)}")
            return b.op(f"load ptr, ptr {place}, align 8, !alias.scope !3", member)

        end = pointer("data_end")
        if known is not None and fact.within(0, NEAR, known):
            # From the packet's start on, and too short a way to wrap around.
            behind = b.op(f"getelementptr nuw i8, ptr {at}, i64 {size}")
            holds = b.op(f"icmp ule ptr {behind}, {end}")
        else:
            start = b.op(f"ptrtoint ptr {pointer('data_meta')} to i64")
            number = b.op(f"ptrtoint ptr {at} to i64")
            index = b.op(f"sub i64 {number}, {start}")
            limit = b.op(f"sub i64 {b.op(f'ptrtoint ptr {end} to i64')}, {start}")
            inside = b.op(f"icmp ule i64 {index}, {limit}")
            left = b.op(f"sub i64 {limit}, {index}")
            holds = b.op(f"and i1 {inside}, {b.op(f'icmp uge i64 {left}, {size}')}")
        self.require(holds, slot, why, b.op(f"ptrtoint ptr {at} to i64"))

    def _check_stack(
        self, slot: int, fact: Fact, at: str, size: str, known: int | None, why: int
    ) -> None:
        b = self.body
        number = b.op(f"ptrtoint ptr {at} to i64")
        if known is not None and fact.offset is not None:
            self.refuse(slot, why, number)
            return
        index = b.op(f"sub i64 {number}, {b.op(f'ptrtoint ptr {self.stack} to i64')}")
        inside = b.op(f"icmp ule i64 {index}, {STACK}")
        left = b.op(f"sub i64 {STACK}, {index}")
        holds = b.op(f"and i1 {inside}, {b.op(f'icmp uge i64 {left}, {size}')}")
        self.require(holds, slot, why, number)

    def _check_any(
        self, slot: int, at: str, size: str, write: bool, why: int, stacks: bool = True
    ) -> None:
        """An access of anything that programs may touch, stacks among it or not (see the table of
        `ebee.verifier.facts`)."""
        b = self.body
        look = self.unit.runtime("allowed")
        table = self.unit.external("machine.regions")
        number = b.op(f"ptrtoint ptr {at} to i64")
        right = runtime.WRITABLE if write else runtime.READABLE
        if not stacks:
            right |= runtime.NO_STACK
        arguments = f"ptr {table}, i64 {number}, i64 {size}, i32 {right}"
        self.require(b.op(f"call i1 {look}({arguments})"), slot, why, number)

    # -- arguments of helpers ----------------------------------------------------------------------

    def check_arguments(self, slot: int, helper: Helper) -> None:
        if self.shape.locks and helper.id != UNLOCK:
            self.require_no_lock(slot)
        self.dynptrs = [self.pointer(r) for r, p in enumerate(helper.params, 1)
                        if p.kind.startswith("dynptr")]  # fmt: skip
        for register, param in enumerate(helper.params, 1):
            self._check_argument(slot, helper, register, param)

    def called(self, slot: int, helper: Helper) -> None:
        for pointer in self.dynptrs:
            keep = self.unit.runtime("keep_dynptr")
            self.body.emit(f"call void {keep}(ptr %cpu, ptr {pointer})")

    def _check_argument(self, slot: int, helper: Helper, register: int, param: Param) -> None:
        b, kind, fact = self.body, param.kind, self.fact(slot, register)
        sure = fact.kind == "map" and fact.offset == 0 and not fact.nullable
        if kind in PLAIN or (kind == "map" and sure):
            return
        number = self.integer(register)
        if kind == "size":
            holds = b.op(f"icmp ne i32 {self.narrow(register, 32)}, 0")
        elif kind == "ctx":
            holds = self._is_context(register)
        elif kind == "str":
            look, table = self.unit.runtime("string"), self.unit.external("machine.regions")
            holds = b.op(f"call i1 {look}(ptr {table}, ptr {self.pointer(register)})")
        elif kind == "spin_lock":
            holds = self._lock(register, take=helper.id != UNLOCK)
        elif kind == "dynptr":
            self._check_pointer(slot, helper, register, param, fact)
            look, table = self.unit.runtime("is_dynptr"), self.unit.external("machine.regions")
            holds = b.op(f"call i1 {look}(ptr %cpu, ptr {table}, ptr {self.pointer(register)})")
        elif kind == "dynptr_out":
            self._check_pointer(slot, helper, register, param, fact)
            look = self.unit.runtime("made_at")
            place = b.op(f"call ptr {look}(ptr %cpu, ptr {self.pointer(register)})")
            holds = b.op(f"icmp ne ptr {place}, null")
        elif kind == "alloc_mem":
            holds = self._is_record(slot, register)
        elif kind == "map":
            holds = self._is_map(slot, register, param.of == "prog_array")
        elif kind.startswith(("map_", "mem", "out", "inout")):
            self._check_pointer(slot, helper, register, param, fact)
            return
        else:
            raise Unsupported(
                f"{self.code.where(slot)}: bpf_{helper.name} takes a {kind}, which is safe only"
                " in a program that has been verified"
            )
        self.require(holds, slot, FAULT_ARGUMENT, number)

    def _is_context(self, register: int) -> str:
        """Whether a register holds the context."""
        block = self.body.op(f"load i64, ptr {self.cpu('packet')}, !invariant.load !9")
        return self.body.op(f"icmp eq i64 {self.integer(register)}, {block}")

    def _lock(self, register: int, take: bool) -> str:
        """Whether the spin lock in a register may be taken, or given back; notes that it is."""
        word = self.pointer(register)
        if not take:
            give = self.unit.runtime("give_lock")
            return self.body.op(f"call i1 {give}(ptr %cpu, ptr {word})")
        look, table = self.unit.runtime("take_lock"), self.unit.external("machine.regions")
        return self.body.op(f"call i1 {look}(ptr %cpu, ptr {table}, ptr {word})")

    def _is_map(self, slot: int, register: int, programs: bool) -> str:
        """Whether a register holds a map: the one that the facts name, or any of the machine's."""
        calls, b = self.unit.calls, self.body
        assert isinstance(calls, HelperCalls)
        number, known = self.integer(register), calls.known_map(self, slot, register)
        if known is not None:
            there = b.op(f"ptrtoint ptr {self.unit.external(map_name(known))} to i64")
            return b.op(f"icmp eq i64 {number}, {there}")
        look, table = self.unit.runtime("is_map"), self.unit.external("machine.regions")
        only = PROG_ARRAY if programs else 0
        return b.op(f"call i1 {look}(ptr {table}, i64 {number}, i32 {only})")

    def _is_record(self, slot: int, register: int) -> str:
        """Whether a register holds an unfinished record of one of the program's ring buffers."""
        calls, b = self.unit.calls, self.body
        assert isinstance(calls, HelperCalls)
        holds = "false"
        for name, m in calls.maps.items():
            if m.type == "ringbuf":
                look = calls.native(f"map/{name}:record", runtime.record, m=calls.map(name))
                found = b.op(f"call i1 {look}(ptr {self.pointer(register)})")
                holds = b.op(f"or i1 {holds}, {found}")
        return holds

    def _check_pointer(
        self, slot: int, helper: Helper, register: int, param: Param, fact: Fact
    ) -> None:
        """Bytes to read or write; null where it is allowed goes with a length of zero, as in the
        kernel (check_helper_mem_access)."""
        size = self._length(slot, helper, param)
        if size != "0":
            write = param.kind in WRITES
            if (helper.name, param.name) in KEPT and fact.kind != "map_value":
                fact = Fact("mem")  # not on a stack
            most = self._most(slot, helper, param)
            if most is None or fact.nullable or not self._is_right(fact, most, write):
                self._check_range(slot, fact, self.pointer(register), size, write)

    def _most(self, slot: int, helper: Helper, param: Param) -> int | None:
        """The greatest length in a register that the facts allow for."""
        at = next((i for i, p in enumerate(helper.params, 1) if p.name == param.of), None)
        fact = self.fact(slot, at) if at is not None else None
        if fact is None or fact.kind != "scalar" or fact.span is None:
            return None
        return fact.span[1] if fact.span[0] >= 0 and fact.span[1] < NEAR else None

    def _check_range(self, slot: int, fact: Fact, at: str, size: str, write: bool) -> None:
        """A range whose length may be known only at run time, and may be zero."""
        if size.isdigit():
            self.check(slot, fact, at, size, write, FAULT_ARGUMENT)
            return
        b = self.body
        none = b.op(f"icmp eq i64 {size}, 0")
        check, done = b.name("some"), b.name("checked")
        b.end(f"br i1 {none}, label %{done}, label %{check}")
        b.label(check)
        self.check(slot, fact, at, size, write, FAULT_ARGUMENT)
        b.label(done)

    def _length(self, slot: int, helper: Helper, param: Param) -> str:
        """The bytes behind a pointer argument as an i64 operand."""
        calls = self.unit.calls
        assert isinstance(calls, HelperCalls)
        if param.kind.startswith("map_"):
            at = next(i for i, p in enumerate(helper.params, 1) if p.kind == "map")
            known = calls.known_map(self, slot, at)
            if known is not None:
                m = calls.maps[known]
                return str(m.key_size if param.kind == "map_key" else m.value_size)
            member = offsetof(MapHeader, "key_size" if param.kind == "map_key" else "value_size")
            place = self.body.op(f"getelementptr i8, ptr {self.pointer(at)}, i64 {member}")
            size = self.body.op(f"load i32, ptr {place}")
            return self.body.op(f"zext i32 {size} to i64")
        if param.kind in FIXED:
            return str(FIXED[param.kind])
        if param.kind in ("out", "inout") and param.type is not None:
            return str(int("".join(c for c in param.type if c.isdigit()) or 64) // 8)
        of = param.of or ""
        if of.isdigit():
            return of
        register = next(i for i, p in enumerate(helper.params, 1) if p.name == of)
        return self.body.op(f"zext i32 {self.narrow(register, 32)} to i64")


METADATA = """
!1 = distinct !{!1}
!2 = distinct !{!2, !1}
!3 = !{!2}
!8 = !{!"branch_weights", i32 1048576, i32 1}
!9 = !{}
"""
"""What the texts above refer to: the scope of the packet block, likely branches, invariance."""
