"""Bytecode to LLVM IR: a function for each subprogram, which takes the virtual CPU, r1-r5, and
returns r0.
"""

from __future__ import annotations

from ebee.helpers import Helper
from ebee.isa import Form, Insn, imm64
from ebee.isa.insn import FP
from ebee.lang.ir import symbol
from ebee.machine.cpu import STACK
from ebee.machine.jit.accesses import Accesses
from ebee.machine.jit.entry import GIVEN, INNER_PARAMETERS, PARAMETERS
from ebee.machine.jit.names import entry_name, map_name
from ebee.machine.jit.unwritten import unwritten
from ebee.machine.vm import MAY_GOTO

_ALU = {"add": "add", "sub": "sub", "mul": "mul", "or": "or", "and": "and", "xor": "xor"}
_SHIFTS = {"lsh": "shl", "rsh": "lshr", "arsh": "ashr"}
_COMPARE = {
    "jeq": "eq", "jne": "ne", "jgt": "ugt", "jge": "uge", "jlt": "ult", "jle": "ule",
    "jsgt": "sgt", "jsge": "sge", "jslt": "slt", "jsle": "sle",
}  # fmt: skip


class Lowering(Accesses):
    """One subprogram being lowered; checked mode adds checks to it."""

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
        params = PARAMETERS if self.is_entry else INNER_PARAMETERS
        name = self.unit.name(self.start)
        linkage = "" if name == entry_name(code) else "internal "
        return f"define {linkage}i64 {symbol(name)}({params}) nounwind {{\n{body.text()}\n}}"

    def run_on(self, slot: int, following: int) -> None:
        """Where control runs into a block that others jump to."""

    def begin(self) -> None:
        """Everything before the first block."""
        self.stack = self.body.alloca(f"[{STACK} x i8]", 16, "stack")
        self.clear_stack()
        self.take_arguments()

    def clear_stack(self) -> None:
        """Put zeroes where the frame may be read before it is written."""
        if found := unwritten(self.code, self.start, self.unit.calls.size):
            low, high = found
            at = self.body.op(f"getelementptr i8, ptr {self.stack}, i64 {STACK + low}")
            arguments = f"ptr {at}, i8 0, i64 {high - low}, i1 false"
            self.body.emit(f"call void @llvm.memset.p0.i64({arguments})")
            self.unit.intrinsic("declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)")

    def take_arguments(self) -> None:
        """Enter the first block: r1-r5 as given, r1 alone where it is the entry, the others 0."""
        self.ints = ["0"] * 10 + [None]
        self.ptrs = [None] * 11
        if self.is_entry:
            self.ints[1], self.ptrs[1] = None, "%context"
            ends = [self.body.op(f"ptrtoint ptr {given} to i64") for given in GIVEN.values()]
            self.length = self.body.op(f"sub i64 {ends[1]}, {ends[0]}", "length")
        else:
            for r in range(1, 6):
                self.ints[r] = f"%a{r}"
        self.flush((self.start,), everything=True)
        self.body.jump(f"L{self.start}")

    def finish(self) -> None:
        """Blocks behind all others."""

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
            self.set_pointer(insn.dst, symbol(self.unit.name(target)))
        else:
            value = imm64(insn, self.code.insns[slot + 1])
            self.set_integer(insn.dst, str(value - (1 << 64) if value >> 63 else value))

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
        if (distances := self.distances(slot, insn, form)) is not None:
            return b.op(f"icmp {_COMPARE[name]} i64 {distances[0]}, {distances[1]}")
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

    def distances(self, slot: int, insn: Insn, form: Form) -> tuple[str, str] | None:
        """How far from the packet's start two pointers lie that are compared, where one of them is
        the packet's end and the other one at a known place."""
        if form.width != 64 or form.source != "reg" or form.operation not in _COMPARE:
            return None
        left, right = self.distance(slot, insn.dst), self.distance(slot, insn.src)
        if left and right and self.length in (left, right):
            return left, right
        return None

    def do_exit(self, slot: int, insn: Insn, form: Form) -> None:
        self.body.end(f"ret i64 {self.integer(0)}")

    def do_barrier(self, slot: int, insn: Insn, form: Form) -> None:
        """A speculation barrier of the kernel: nothing to do."""

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
        self.leave(slot)
        self.before_return()
        b.end("ret i64 0")
        b.label(there)
        self.clobber()
        self.set_integer(0, value)

    # -- calls -------------------------------------------------------------------------------------

    def do_call(self, slot: int, insn: Insn, form: Form) -> None:
        if form.operation == "local":
            self.set_result(self.call_function(slot, self.code.targets[slot]))
        elif form.operation == "register":  # bare programs: the number of a helper
            self.unit.calls.helper(self, slot, self.fact(slot, insn.dst).offset)
        else:
            self.unit.calls.helper(self, slot, insn.imm)

    def check_arguments(self, slot: int, helper: Helper) -> None:
        """Verified programs pass what the declaration asks for."""

    def called(self, slot: int, helper: Helper) -> None:
        """Behind a call of a helper; r1-r5 are worth nothing any more."""

    def no_such_map(self, slot: int, register: int) -> bool:
        """Where a map is of a type that cannot be; whether control goes on behind it. Verified
        programs never come here."""
        self.body.end("unreachable")
        return False

    def no_such_helper(self, slot: int, number: str) -> bool:
        """Where there is no helper of a number; whether control goes on behind it."""
        self.body.end("unreachable")
        return False

    def require_valid(self, slot: int, holds: str, value: str) -> None:
        """An argument is what the helper takes; verified programs' always are."""

    def require_walk(self, slot: int, holds: str) -> None:
        """Walks through maps do not nest deeper than there is room; verified programs' never do."""

    def tables_know_stacks(self) -> bool:
        """Whether frames lie in the machine's memory where their addresses are taken."""
        return False

    def leave(self, slot: int) -> None:
        """Where the function ends, before it returns."""

    def before_return(self) -> None:
        """What has to be done before control leaves the function."""

    def call_function(self, slot: int, target: int, arguments: list[str] | None = None) -> str:
        """Call a subprogram, with r1-r5 or the given operands."""
        given = arguments or [self.integer(r) for r in range(1, 6)]
        values = ", ".join(f"i64 {v}" for v in given)
        name = symbol(self.unit.name(target))
        return self.body.op(f"call i64 {name}(ptr %cpu, {values})", "result")


_WIDE = frozenset(f"{o}{n}" for o in ("le", "be", "bswap") for n in (16, 32, 64))
