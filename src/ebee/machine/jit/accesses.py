"""Loads, stores and atomic operations of one subprogram.

Addresses stay typed pointers all the way (no inttoptr), which is what lets LLVM tell the packet
from the stack, and vectorise.
"""

from __future__ import annotations

from ebee.abi.cpu import Cpu
from ebee.isa import Form, Insn
from ebee.machine.code import ctx_target
from ebee.machine.jit.entry import GIVEN
from ebee.machine.jit.registers import Registers
from ebee.types import offsetof

_RMW = {"add": "add", "or": "or", "and": "and", "xor": "xor", "xchg": "xchg"}


class Accesses(Registers):
    """What a subprogram does with memory. `mark` ends each access."""

    mark = ""

    def address(self, slot: int, register: int, off: int, size: int, write: bool) -> str:
        """The address of an access."""
        base = self.pointer(register)
        return self.body.op(f"getelementptr i8, ptr {base}, i64 {off}") if off else base

    def context(self, slot: int, register: int, off: int) -> str:
        """The address of a converted access to the context's block."""
        base = self.pointer(register)
        return self.body.op(f"getelementptr i8, ptr {base}, i64 {off}") if off else base

    def given(self, slot: int, insn: Insn) -> str:
        """The parameter that is what a load from the packet block gives, "" if none is."""
        offset = self.fact(slot, insn.src).offset
        if offset is None or not self.is_pointer(slot + 1, insn.dst):
            return ""
        return GIVEN.get(offset + insn.off, "")

    def do_load(self, slot: int, insn: Insn, form: Form) -> None:
        b, size = self.body, form.size
        if slot in self.code.converted:
            if self.is_entry and slot in self.unit.unmoved and (given := self.given(slot, insn)):
                self.set_pointer(insn.dst, given)
                return
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


def _signed(value: int, bits: int) -> int:
    sign = 1 << bits - 1
    return (value & (sign << 1) - 1 ^ sign) - sign
