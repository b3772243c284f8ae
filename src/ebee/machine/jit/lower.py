"""Bytecode to LLVM IR: a function for each subprogram.

A register is two values: an integer, and an address where the facts say that it holds a pointer.
Inside a block they are SSA values; between blocks a live register lies in one of two slots, and
which one is decided by the facts of the block that is entered, so all who jump there agree. LLVM
turns the slots back into SSA values. Addresses stay typed pointers all the way (no inttoptr), which
is what lets LLVM tell the packet from the stack, and vectorise.

Every function takes the virtual CPU, r1-r5, and returns r0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from ebee.abi.cpu import Cpu
from ebee.helpers import Helper
from ebee.isa import Form, Insn, imm64, successors
from ebee.isa.insn import FP, U64
from ebee.lang.ir import Body, Module, symbol
from ebee.machine.code import Code, ctx_target
from ebee.machine.cpu import STACK
from ebee.machine.jit.flow import liveness, reachable
from ebee.machine.jit.names import function_name, map_name
from ebee.machine.vm import MAY_GOTO
from ebee.types import offsetof
from ebee.verifier.facts import POINTERS, Fact

T = TypeVar("T")
_ALU = {"add": "add", "sub": "sub", "mul": "mul", "or": "or", "and": "and", "xor": "xor"}
_SHIFTS = {"lsh": "shl", "rsh": "lshr", "arsh": "ashr"}
_COMPARE = {
    "jeq": "eq", "jne": "ne", "jgt": "ugt", "jge": "uge", "jlt": "ult", "jle": "ule",
    "jsgt": "sgt", "jsge": "sge", "jslt": "slt", "jsle": "sle",
}  # fmt: skip
_RMW = {"add": "add", "or": "or", "and": "and", "xor": "xor", "xchg": "xchg"}


class Lowering:
    """One subprogram being lowered. `checked` adds checks to it; `mark` ends each access."""

    mark = ""

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

    # -- shape -------------------------------------------------------------------------------------

    def _leaders(self) -> set[int]:
        """Slots where a block begins."""
        found = {self.start}
        for slot in self.slots:
            form = self.code.forms[slot]
            assert form is not None
            if form.kind == "jump" or form.kind == "exit":
                found.update(s for s in successors(self.code.insns[slot], slot))
        return found

    def lower(self) -> str:
        """The whole function as text."""
        body, code = self.body, self.code
        self.begin()
        for slot in self.slots:
            if slot in self.leaders:
                if body.open:
                    self.flush((slot,))
                body.label(f"L{slot}")
                self.enter(slot)
            form = code.forms[slot]
            assert form is not None
            if code.facts.before[slot] is None:  # control never comes here
                if body.open:
                    body.end("unreachable")
                continue
            insn, form = code.converted.get(slot, (code.insns[slot], form))
            getattr(self, f"do_{form.kind}")(slot, insn, form)
            following = slot + (2 if form.wide else 1)
            if body.open and following in self.leaders:
                self.run_on(slot, following)
                self.flush((following,))
                body.jump(f"L{following}")
        self.finish()
        params = "ptr %cpu, " + ", ".join(f"i64 %a{r}" for r in range(1, 6))
        linkage = "" if self.start == 0 else "internal "
        name = symbol(function_name(code, self.start))
        return f"define {linkage}i64 {name}({params}) nounwind {{\n{body.text()}\n}}"

    def run_on(self, slot: int, following: int) -> None:
        """Where control runs into a block that others jump to."""

    def begin(self) -> None:
        """Everything before the first block."""
        self.stack = self.body.alloca(f"[{STACK} x i8]", 16, "stack")
        self.take_arguments()

    def take_arguments(self) -> None:
        """Enter the first block: r1-r5 as given, the others 0."""
        self.ints = ["0"] * 10 + [None]
        self.ptrs = [None] * 11
        for r in range(1, 6):
            self.ints[r] = f"%a{r}"
        self.flush((self.start,), everything=True)
        self.body.jump(f"L{self.start}")

    def finish(self) -> None:
        """Blocks behind all others."""

    def fact(self, slot: int, register: int) -> Fact:
        return self.code.facts.reg(slot, register)

    def is_pointer(self, slot: int, register: int) -> bool:
        return self.fact(slot, register).kind in POINTERS

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

    # -- registers ---------------------------------------------------------------------------------

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

    # -- arithmetic --------------------------------------------------------------------------------

    def do_alu(self, slot: int, insn: Insn, form: Form) -> None:
        name, dst, width = form.operation, insn.dst, form.width
        if width == 64 and name == "mov" and form.source == "reg":
            self.ints[dst], self.ptrs[dst] = self.ints[insn.src], self.ptrs[insn.src]
            if self.ints[dst] is None and self.ptrs[dst] is None:
                if insn.src == FP or self.is_pointer(self.entered, insn.src):
                    self.ptrs[dst] = self.pointer(insn.src)
                else:
                    self.ints[dst] = self.integer(insn.src)
            self.dirty |= 1 << dst
            return
        if width == 64 and name in ("add", "sub") and self._pointer_arithmetic(slot, insn, form):
            return
        value = self._value(insn, form)
        self.set_integer(dst, self.widen(value, width) if form.operation not in _WIDE else value)

    def _pointer_arithmetic(self, slot: int, insn: Insn, form: Form) -> bool:
        """Pointer plus or minus number as an address computation."""
        dst, b = insn.dst, self.body
        if self.is_pointer(slot, dst):
            if form.source == "reg":
                if self.is_pointer(slot, insn.src):
                    return False
                step = self.integer(insn.src)
                if form.operation == "sub":
                    step = b.op(f"sub i64 0, {step}")
            else:
                step = str(-insn.imm if form.operation == "sub" else insn.imm)
            self.set_pointer(dst, b.op(f"getelementptr i8, ptr {self.pointer(dst)}, i64 {step}"))
            return True
        if form.operation == "add" and form.source == "reg" and self.is_pointer(slot, insn.src):
            base, step = self.pointer(insn.src), self.integer(dst)
            self.set_pointer(dst, b.op(f"getelementptr i8, ptr {base}, i64 {step}"))
            return True
        return False

    def _value(self, insn: Insn, form: Form) -> str:
        """The result of arithmetic, `width` bits wide (64 for those of _WIDE)."""
        name, b, width = form.operation, self.body, form.width
        t = f"i{width}"
        if name == "mov":
            return self.operand(insn, form)
        if name.startswith("movsx"):
            small = self.narrow(insn.src, int(name[5:]))
            return b.op(f"sext i{name[5:]} {small} to {t}")
        if name in _WIDE:
            bits = int(name.lstrip("lebswap"))
            value = self.narrow(insn.dst, bits)
            if not name.startswith("le"):
                value = b.op(f"call i{bits} @llvm.bswap.i{bits}(i{bits} {value})")
                self.unit.intrinsic(f"declare i{bits} @llvm.bswap.i{bits}(i{bits})")
            return self.widen(value, bits)
        left = self.narrow(insn.dst, width)
        if name == "neg":
            return b.op(f"sub {t} 0, {left}")
        right = self.operand(insn, form)
        if name in _ALU:
            return b.op(f"{_ALU[name]} {t} {left}, {right}")
        if name in _SHIFTS:
            if form.source == "imm":
                count = str(insn.imm & width - 1)
            else:
                count = b.op(f"and {t} {right}, {width - 1}")
            return b.op(f"{_SHIFTS[name]} {t} {left}, {count}")
        return self._divide(name, t, width, left, right)

    def _divide(self, name: str, t: str, width: int, left: str, right: str) -> str:
        """Division with the meaning of RFC 9669: by zero gives 0 and leaves the dividend; the most
        negative number divided by -1 is itself."""
        b, is_signed, remainder = self.body, name[0] == "s", name.endswith("mod")
        if right.lstrip("-").isdigit():
            divisor = int(right) & ((1 << width) - 1)
            if divisor == 0:
                return left if remainder else "0"
            if is_signed and divisor == (1 << width) - 1:
                return "0" if remainder else b.op(f"sub {t} 0, {left}")
            operation = ("s" if is_signed else "u") + ("rem" if remainder else "div")
            return b.op(f"{operation} {t} {left}, {divisor}")
        zero = b.op(f"icmp eq {t} {right}, 0")
        if is_signed:
            minus = b.op(f"icmp eq {t} {right}, -1")
            odd = b.op(f"or i1 {zero}, {minus}")
            safe = b.op(f"select i1 {odd}, {t} 1, {t} {right}")
            value = b.op(f"{'srem' if remainder else 'sdiv'} {t} {left}, {safe}")
            negated = "0" if remainder else b.op(f"sub {t} 0, {left}")
            value = b.op(f"select i1 {minus}, {t} {negated}, {t} {value}")
        else:
            safe = b.op(f"select i1 {zero}, {t} 1, {t} {right}")
            value = b.op(f"{'urem' if remainder else 'udiv'} {t} {left}, {safe}")
        return b.op(f"select i1 {zero}, {t} {left if remainder else '0'}, {t} {value}")

    def do_imm64(self, slot: int, insn: Insn, form: Form) -> None:
        ref = self.code.refs.get(slot)
        if ref is not None and ref.kind in ("map", "data"):
            base = self.unit.external(map_name(ref.symbol, "" if ref.kind == "map" else "value"))
            at = f"getelementptr (i8, ptr {base}, i64 {ref.addend})" if ref.addend else base
            self.set_pointer(insn.dst, at)
        elif slot in self.code.targets:
            target = self.code.targets[slot]
            self.set_pointer(insn.dst, symbol(function_name(self.code, target)))
        else:
            value = imm64(insn, self.code.insns[slot + 1])
            self.set_integer(insn.dst, str(value - (1 << 64) if value >> 63 else value))

    # -- memory ------------------------------------------------------------------------------------

    def address(self, slot: int, register: int, off: int, size: int, write: bool) -> str:
        """The address of an access."""
        base = self.pointer(register)
        return self.body.op(f"getelementptr i8, ptr {base}, i64 {off}") if off else base

    def context(self, slot: int, register: int, off: int) -> str:
        """The address of a converted access to the context's block."""
        base = self.pointer(register)
        return self.body.op(f"getelementptr i8, ptr {base}, i64 {off}") if off else base

    def do_load(self, slot: int, insn: Insn, form: Form) -> None:
        b, size = self.body, form.size
        if slot in self.code.converted:
            at = self.context(slot, insn.src, insn.off)
            if self.is_pointer(slot + 1, insn.dst):
                self.set_pointer(insn.dst, b.op(f"load ptr, ptr {at}, align 8"))
                return
            value = b.op(f"load i{size * 8}, ptr {at}, align {size}")
        elif cases := self.context_cases(slot, insn.src, size, write=False):
            self.set_integer(insn.dst, self._load_either(slot, insn, form, cases))
            return
        else:
            at = self.address(slot, insn.src, insn.off, size, write=False)
            if size == 8 and self.is_pointer(slot + 1, insn.dst):
                self.set_pointer(insn.dst, b.op(f"load ptr, ptr {at}, align 1{self.mark}"))
                return
            value = b.op(f"load i{size * 8}, ptr {at}, align 1{self.mark}")
        self.set_integer(insn.dst, self.widen(value, size * 8, form.signed))

    def context_cases(
        self, slot: int, register: int, size: int, write: bool
    ) -> list[tuple[int, int, int]]:
        """What an access means if its pointer, of which nothing is known, is the context: offset
        there, offset in the block, bytes there."""
        hook = self.code.hook
        if hook is None or self.fact(slot, register).kind not in (
            "unknown",
            "scalar",
            "none",
            "ctx",
        ):
            return []
        last = max((f.offset + f.size for f in hook.fields), default=0)
        found = [
            (offset, ctx_target(hook, offset, size, write, self.code.attach_type))
            for offset in range(0, last, size)
        ]
        return [(offset, target[1], target[2]) for offset, target in found if target is not None]

    def _in_context(
        self, slot: int, register: int, off: int, cases: list[tuple[int, int, int]], otherwise: str
    ) -> tuple[str, list[str]]:
        """Go to a block for each case when an address lies in the context; the block behind it, and
        the labels."""
        b, number = self.body, self.integer(register)
        self.pointer(register)  # before the ways part
        at = b.op(f"getelementptr i8, ptr %cpu, i64 {offsetof(Cpu, 'packet')}")
        block = b.op(f"load ptr, ptr {at}")
        distance = b.op(f"sub i64 {number}, {b.op(f'ptrtoint ptr {block} to i64')}")
        labels = [b.name("field") for _ in cases]
        ways = " ".join(f"i64 {c[0] - off}, label %{n}" for c, n in zip(cases, labels, strict=True))
        b.end(f"switch i64 {distance}, label %{otherwise} [ {ways} ]")
        return block, labels

    def _load_either(
        self, slot: int, insn: Insn, form: Form, cases: list[tuple[int, int, int]]
    ) -> str:
        """A load from the context or from memory."""
        b = self.body
        plain, done = b.name("plain"), b.name("loaded")
        block, labels = self._in_context(slot, insn.src, insn.off, cases, plain)
        values = []
        for (_, offset, size), label in zip(cases, labels, strict=True):
            b.label(label)
            at = b.op(f"getelementptr i8, ptr {block}, i64 {offset}")
            value = b.op(f"load i{size * 8}, ptr {at}")
            values.append((self.widen(value, size * 8, form.signed), b.block))
            b.jump(done)
        b.label(plain)
        at = self.address(slot, insn.src, insn.off, form.size, write=False)
        value = b.op(f"load i{form.size * 8}, ptr {at}, align 1{self.mark}")
        values.append((self.widen(value, form.size * 8, form.signed), b.block))
        b.jump(done)
        b.label(done)
        return b.op("phi i64 " + ", ".join(f"[ {value}, %{at} ]" for value, at in values))

    def _either_address(
        self, slot: int, insn: Insn, size: int, cases: list[tuple[int, int, int]]
    ) -> str:
        """Where a store to the context or to memory goes."""
        b = self.body
        plain, done = b.name("plain"), b.name("place")
        block, labels = self._in_context(slot, insn.dst, insn.off, cases, plain)
        places = []
        for (_, offset, _), label in zip(cases, labels, strict=True):
            b.label(label)
            places.append((b.op(f"getelementptr i8, ptr {block}, i64 {offset}"), b.block))
            b.jump(done)
        b.label(plain)
        places.append((self.address(slot, insn.dst, insn.off, size, write=True), b.block))
        b.jump(done)
        b.label(done)
        return b.op("phi ptr " + ", ".join(f"[ {place}, %{at} ]" for place, at in places))

    def do_store(self, slot: int, insn: Insn, form: Form) -> None:
        size, b = form.size, self.body
        if slot in self.code.converted:
            at = self.context(slot, insn.dst, insn.off)
        elif cases := self.context_cases(slot, insn.dst, size, write=True):
            at = self._either_address(slot, insn, size, cases)
        else:
            at = self.address(slot, insn.dst, insn.off, size, write=True)
        if form.source == "reg" and size == 8 and self.is_pointer(slot, insn.src):
            b.emit(f"store ptr {self.pointer(insn.src)}, ptr {at}, align 1{self.mark}")
            return
        if form.source == "reg":
            value = self.narrow(insn.src, size * 8)
        else:
            value = str(_signed(insn.imm, size * 8))
        b.emit(f"store i{size * 8} {value}, ptr {at}, align 1{self.mark}")

    def do_atomic(self, slot: int, insn: Insn, form: Form) -> None:
        name, size, b = form.operation, form.size, self.body
        t, width = f"i{size * 8}", size * 8
        base = insn.src if name == "load_acquire" else insn.dst
        at = self.address(slot, base, insn.off, size, write=name != "load_acquire")
        if name == "load_acquire":
            value = b.op(f"load atomic {t}, ptr {at} acquire, align {size}")
            self.set_integer(insn.dst, self.widen(value, width))
            return
        value = self.narrow(insn.src, width)
        if name == "store_release":
            b.emit(f"store atomic {t} {value}, ptr {at} release, align {size}")
        elif name == "cmpxchg":
            expected = self.narrow(0, width)
            pair = b.op(
                f"cmpxchg ptr {at}, {t} {expected}, {t} {value} seq_cst seq_cst, align {size}"
            )
            self.set_integer(0, self.widen(b.op(f"extractvalue {{{t}, i1}} {pair}, 0"), width))
        else:
            fetch = name == "xchg" or name.startswith("fetch_")
            operation = _RMW[name.removeprefix("fetch_")]
            order = "seq_cst" if fetch else "monotonic"
            old = b.op(f"atomicrmw {operation} ptr {at}, {t} {value} {order}, align {size}")
            if fetch:
                self.set_integer(insn.src, self.widen(old, width))

    def do_packet(self, slot: int, insn: Insn, form: Form) -> None:
        """A legacy packet load: outside the packet the program ends with 0."""
        b = self.body
        offset = str(insn.imm)
        if form.operation == "ind":
            offset = b.op(f"add i32 {self.narrow(insn.src, 32)}, {insn.imm}")
        load = self.unit.runtime("packet_load")
        value = b.op(
            f"call i64 {load}(ptr %cpu, ptr {self.pointer(6)}, i32 {offset}, i32 {form.size})"
        )
        outside = b.op(f"icmp slt i64 {value}, 0")
        out, there = b.name("outside"), b.name("inside")
        b.end(f"br i1 {outside}, label %{out}, label %{there}")
        b.label(out)
        self.before_return()
        b.end("ret i64 0")
        b.label(there)
        self.clobber()
        self.set_integer(0, value)

    # -- control -----------------------------------------------------------------------------------

    def do_jump(self, slot: int, insn: Insn, form: Form) -> None:
        b, following = self.body, slot + 1
        target = following + (insn.imm if form.imm == "jump" else insn.off)
        if form.operation == "ja":
            self.flush((target,))
            self.jump_to(slot, target)
            return
        if form.operation == "may_goto":
            if not self.may_goto:
                self.may_goto = b.alloca("i64", 8, "may_goto")
                b.entry.append(f"  store i64 {MAY_GOTO}, ptr {self.may_goto}")
            left = b.op(f"load i64, ptr {self.may_goto}")
            taken = b.op(f"icmp eq i64 {left}, 0")
            less = b.op(f"sub i64 {left}, 1")
            kept = b.op(f"select i1 {taken}, i64 0, i64 {less}")
            b.emit(f"store i64 {kept}, ptr {self.may_goto}")
        else:
            taken = self.compare(slot, insn, form)
        self.flush((target, following))
        self.branch(slot, taken, target, following)

    def jump_to(self, slot: int, target: int) -> None:
        self.body.jump(f"L{target}")

    def branch(self, slot: int, taken: str, target: int, following: int) -> None:
        self.body.end(f"br i1 {taken}, label %L{target}, label %L{following}")

    def compare(self, slot: int, insn: Insn, form: Form) -> str:
        b, name = self.body, form.operation
        if form.width == 64 and self.is_pointer(slot, insn.dst) and name in _COMPARE:
            left = self.pointer(insn.dst)
            if form.source == "imm" and not insn.imm:
                return b.op(f"icmp {_COMPARE[name]} ptr {left}, null")
            if form.source == "reg" and self.is_pointer(slot, insn.src):
                return b.op(f"icmp {_COMPARE[name]} ptr {left}, {self.pointer(insn.src)}")
        t = f"i{form.width}"
        left, right = self.narrow(insn.dst, form.width), self.operand(insn, form)
        if name == "jset":
            return b.op(f"icmp ne {t} {b.op(f'and {t} {left}, {right}')}, 0")
        return b.op(f"icmp {_COMPARE[name]} {t} {left}, {right}")

    def do_exit(self, slot: int, insn: Insn, form: Form) -> None:
        self.body.end(f"ret i64 {self.integer(0)}")

    def do_barrier(self, slot: int, insn: Insn, form: Form) -> None:
        """A speculation barrier of the kernel: nothing to do."""

    # -- calls -------------------------------------------------------------------------------------

    def clobber(self) -> None:
        """A call leaves r1-r5 without a value: 0 on the machine."""
        for r in range(1, 6):
            self.set_integer(r, "0")

    def do_call(self, slot: int, insn: Insn, form: Form) -> None:
        if form.operation == "local":
            self.set_result(self.call_function(slot, self.code.targets[slot]))
        elif form.operation == "register":  # bare programs: the number of a helper
            self.unit.calls.helper(self, slot, self.fact(slot, insn.dst).offset)
        else:
            self.unit.calls.helper(self, slot, insn.imm)

    def check_arguments(self, slot: int, helper: Helper) -> None:
        """Verified programs pass what the declaration asks for."""

    def no_such_map(self, slot: int) -> bool:
        """Where a map is of a type that cannot be; whether control goes on behind it. Verified
        programs never come here."""
        self.body.end("unreachable")
        return False

    def require_walk(self, slot: int, holds: str) -> None:
        """Walks through maps do not nest deeper than there is room; verified programs' never do."""

    def tables_know_stacks(self) -> bool:
        """Whether frames lie in the machine's memory where their addresses are taken."""
        return False

    def before_return(self) -> None:
        """What has to be done before control leaves the function."""

    def set_result(self, value: str) -> None:
        self.clobber()
        self.set_integer(0, value)

    def call_function(self, slot: int, target: int, arguments: list[str] | None = None) -> str:
        """Call a subprogram, with r1-r5 or the given operands."""
        given = arguments or [self.integer(r) for r in range(1, 6)]
        values = ", ".join(f"i64 {v}" for v in given)
        name = symbol(function_name(self.code, target))
        return self.body.op(f"call i64 {name}(ptr %cpu, {values})", "result")


_WIDE = frozenset(f"{o}{n}" for o in ("le", "be", "bswap") for n in (16, 32, 64))


def _signed(value: int, bits: int) -> int:
    sign = 1 << bits - 1
    return (value & (sign << 1) - 1 ^ sign) - sign


class Unit:
    """The functions of one program, and what they refer to outside."""

    def __init__(self, code: Code, calls: Calls, lowering: type[Lowering] = Lowering):
        self.code, self.calls, self.lowering = code, calls, lowering
        self.module = Module()
        self._shape: Any = None

    def shape(self, make: Callable[[Unit], T]) -> T:
        """What `make` finds out about the whole program, once."""
        if self._shape is None:
            self._shape = make(self)
        return cast(T, self._shape)

    def external(self, name: str) -> str:
        """The symbol of a map or of a data map's value."""
        self.module.declarations[name] = f"{symbol(name)} = external global [0 x i8], align 8"
        return symbol(name)

    def intrinsic(self, declaration: str) -> None:
        self.module.declarations[declaration] = declaration

    def runtime(self, name: str) -> str:
        """The symbol of a function of the machine's own runtime."""
        return self.calls.runtime(name)

    def functions(self) -> list[int]:
        """Starts of the functions, callees before their callers where calls are no circle."""
        order: list[int] = []
        seen: set[int] = set()

        def visit(start: int) -> None:
            if start in seen:
                return
            seen.add(start)
            for callee in self.callees(start):
                visit(callee)
            order.append(start)

        for _, start in self.code.funcs:
            visit(start)
        return order

    def callees(self, start: int) -> set[int]:
        """Functions that a function calls, or has called back."""
        targets = self.code.targets
        return {targets[slot] for slot in reachable(self.code, start) if slot in targets}

    def lower(self) -> Module:
        """All functions of the program."""
        for start in self.functions():
            name = function_name(self.code, start)
            self.module.functions[name] = self.lowering(self, start).lower()
        return self.module


class Calls:
    """How helper calls are lowered; see `jit.calls`."""

    def helper(self, f: Lowering, slot: int, number: int | None) -> None:
        raise NotImplementedError

    def runtime(self, name: str) -> str:
        raise NotImplementedError


__all__ = ["U64", "Calls", "Lowering", "Unit", "function_name"]
