"""Writes random programs that look a little like compiled ones."""

from __future__ import annotations

import random

NUMBERS = (0, 1, 2, 3, 4, 7, 8, 14, 16, 20, 34, 60, 63, 64, 255, 256, 0xFFFF, -1, -2, -4, -8, -64,
           0x7FFFFFFF, -0x80000000)  # fmt: skip
ALU = ("+=", "-=", "*=", "&=", "|=", "^=", "<<=", ">>=", "s>>=", "/=", "%=", "s/=", "s%=")
COMPARE = ("==", "!=", ">", ">=", "<", "<=", "s>", "s>=", "s<", "s<=", "&")


class Author:
    """Writes programs that look a little like compiled ones: r6 packet, r7 its end, r8 its
    metadata, r9 context; r0-r5 come and go."""

    def __init__(self, seed: int):
        self.random = random.Random(seed)
        self.lines: list[str] = []
        self.labels = 0
        self.loops = 0
        self.inside = False  # a subprogram

    def write(self) -> str:
        self.function(self.random.randrange(4, 14))
        for name in ("func_a", "func_b"):
            self.lines.append(f"{name}:")
            self.inside = True
            self.function(self.random.randrange(1, 6))
        return "\n".join(self.lines)

    def emit(self, line: str) -> None:
        self.lines.append(line)

    def label(self) -> str:
        self.labels += 1
        return f"l{self.labels}"

    def number(self) -> int:
        pick = self.random.random()
        if pick < 0.7:
            return self.random.choice(NUMBERS)
        return self.random.randrange(-80, 130)

    def scratch(self) -> str:
        return str(self.random.randrange(6))

    def function(self, statements: int) -> None:
        if not self.inside:
            self.emit("r9 = r1")
            self.load_packet()
            for r in range(6):
                self.emit(f"r{r} = {self.number()}")
        else:
            for r in (0, 3, 4, 5):
                self.emit(f"r{r} = {self.number()}")
            for r in (6, 7, 8, 9):
                self.emit(f"r{r} = r{self.random.choice((1, 2, 3))}")
        for _ in range(statements):
            self.statement(2)
        if self.random.random() < 0.7:
            self.emit(f"r0 = r{self.random.choice('0012345678')}")
        self.emit("exit")

    def load_packet(self) -> None:
        self.emit("r6 = *(u32 *)(r9 +0)")
        self.emit("r7 = *(u32 *)(r9 +4)")
        self.emit("r8 = *(u32 *)(r9 +8)")

    def statement(self, depth: int) -> None:
        kinds = [
            (6, self.arithmetic), (2, self.move), (3, self.pointer), (3, self.bounds),
            (2, self.access), (2, self.spill), (1, self.fill), (1, self.call), (1, self.map_value),
            (1, self.stack_access), (1, self.adjust), (1, self.atomic),
        ]  # fmt: skip
        if depth:
            kinds += [
                (4, lambda: self.branch(depth - 1)),
                (3, lambda: self.loop(depth - 1)),
                (1, lambda: self.walk(depth - 1)),
            ]
        weights = [w for w, _ in kinds]
        self.random.choices([k for _, k in kinds], weights)[0]()

    def operand(self, width: str) -> str:
        if self.random.random() < 0.5:
            return str(self.number())
        return f"{width}{self.scratch()}"

    def arithmetic(self) -> None:
        w = self.random.choice("rw")
        d = self.scratch()
        pick = self.random.random()
        if pick < 0.06:
            kind = self.random.choice(("s8", "s16", "s32") if w == "r" else ("s8", "s16"))
            self.emit(f"{w}{d} = ({kind}){w}{self.scratch()}")
        elif pick < 0.12:
            swap = self.random.choice(("be16", "be32", "be64", "le16", "le32", "bswap16"))
            self.emit(f"r{d} = {swap} r{d}")
        elif pick < 0.16:
            self.emit(f"{w}{d} = -{w}{d}")
        else:
            op = self.random.choice(ALU)
            right = self.operand(w)
            if op in ("<<=", ">>=", "s>>=") and right.lstrip("-").isdigit():
                right = str(self.random.randrange(64 if w == "r" else 32))
            if op in ("/=", "%=", "s/=", "s%=") and right == "0":
                right = "3"
            self.emit(f"{w}{d} {op} {right}")

    def move(self) -> None:
        w = self.random.choice("rrw")
        source = (
            self.operand(w) if self.random.random() < 0.7 else f"{w}{self.random.choice('678')}"
        )
        self.emit(f"{w}{self.scratch()} = {source}")

    def pointer(self) -> None:
        """A pointer into the packet, at a constant or a masked offset."""
        d = self.scratch()
        self.emit(f"r{d} = r{self.random.choice('6668')}")
        if self.random.random() < 0.5:
            self.emit(f"r{d} += {self.random.randrange(0, 70)}")
        else:
            s = self.scratch()
            if s != d:
                if self.random.random() < 0.7:
                    self.emit(
                        f"{self.random.choice('rw')}{s} &= {self.random.choice((3, 7, 15, 60))}"
                    )
                if self.random.random() < 0.3:
                    self.emit(f"r{s} <<= {self.random.randrange(4)}")
                self.emit(f"r{d} {self.random.choice(('+=', '+=', '+=', '-='))} r{s}")

    def bounds(self) -> None:
        d, s = self.scratch(), self.scratch()
        if d == s:
            return
        far, out = self.random.randrange(0, 90), self.label()
        self.emit(f"r{d} = r{self.random.choice((s, s, '6', '8'))}")
        self.emit(f"r{d} += {far}")
        end = self.random.choice(("7", "7", "7", "6"))
        op = self.random.choice(COMPARE[:-1])
        if self.random.random() < 0.5:
            self.emit(f"if r{d} {op} r{end} goto {out}")
        else:
            self.emit(f"if r{end} {op} r{d} goto {out}")
        for _ in range(self.random.randrange(1, 4)):
            self.statement(0)
        self.emit(f"{out}:")

    def access(self) -> None:
        """An access that is allowed, most of the time: guarded at run time."""
        size = self.random.choice((1, 2, 4, 8))
        t = {1: "u8", 2: "u16", 4: "u32", 8: "u64"}[size]
        out, p, d = self.label(), self.scratch(), self.scratch()
        if self.random.random() < 0.8:
            self.emit(f"if r{p} < r6 goto {out}")
            self.emit(f"r{p} += {size}")
            self.emit(f"if r{p} > r7 goto {out}")
            self.emit(f"r{p} -= {size}")
        else:
            p = "6"
        if self.random.random() < 0.7:
            self.emit(f"r{d} = *({t} *)(r{p} +0)")
        else:
            self.emit(f"*({t} *)(r{p} +0) = r{d}")
        self.emit(f"{out}:")

    def spill(self) -> None:
        at = -8 * self.random.randrange(1, 5)
        t = self.random.choice(("u64", "u64", "u64", "u32", "u8"))
        off = at if t == "u64" else at + self.random.randrange(8)
        if t == "u32":
            off = at + self.random.choice((0, 4))
        if self.random.random() < 0.7:
            self.emit(f"*({t} *)(r10 {off}) = r{self.random.randrange(9)}")
        else:
            self.emit(f"*({t} *)(r10 {off}) = {self.number()}")

    def fill(self) -> None:
        t = self.random.choice(("u64", "u64", "u32", "u16", "u8", "s32", "s8"))
        self.emit(f"r{self.scratch()} = *({t} *)(r10 {-8 * self.random.randrange(1, 5)})")

    def stack_access(self) -> None:
        d, s = self.scratch(), self.scratch()
        if d == s:
            return
        self.emit(f"r{s} &= {self.random.choice((7, 24, 31))}")
        self.emit(f"r{d} = r10")
        self.emit(f"r{d} += {self.random.choice((-40, -32, -64))}")
        self.emit(f"r{d} += r{s}")
        if self.random.random() < 0.5:
            self.emit(f"*(u64 *)(r{d} +0) = r{self.scratch()}")
        else:
            self.emit(f"r{s} = *(u32 *)(r{d} +0)")

    def atomic(self) -> None:
        s = self.scratch()
        op = self.random.choice(
            ("lock *(u64 *)(r10 -8) += r{s}", "r{s} = atomic64_fetch_add((u64 *)(r10 -16), r{s})",
             "r{s} = xchg32_32(r10 -8, w{s})")
        )  # fmt: skip
        if "xchg" in op:
            op = "w{s} = xchg32_32(r10 -8, w{s})"
        self.emit(op.format(s=s))

    def condition(self) -> str:
        w = self.random.choice("rw")
        left = f"{w}{self.scratch()}" if self.random.random() < 0.9 else f"r{self.scratch()}"
        return f"{left} {self.random.choice(COMPARE)} {self.operand(left[0])}"

    def branch(self, depth: int) -> None:
        other, out = self.label(), self.label()
        self.emit(f"if {self.condition()} goto {other}")
        for _ in range(self.random.randrange(0, 4)):
            self.statement(depth)
        self.emit(f"goto {out}")
        self.emit(f"{other}:")
        for _ in range(self.random.randrange(0, 4)):
            self.statement(depth)
        self.emit(f"{out}:")

    def loop(self, depth: int) -> None:
        """A counter, and perhaps a pointer or a second counter that goes along."""
        again, out = self.label(), self.label()
        i, p = self.random.sample("012345", 2)
        w = self.random.choice("rw")
        self.emit(f"{w}{i} = {self.random.choice((0, 0, 1, 5, 64, 16, -3))}")
        if self.random.random() < 0.6:
            self.emit(f"r{p} = r6")
            self.emit(f"r{p} += {self.random.randrange(20)}")
        self.emit(f"{again}:")
        limit = self.random.choice((0, 3, 8, 10, 60, 64, 65))
        stop = f"{w}{i} {self.random.choice(COMPARE[:-1])} {limit}"
        head = self.random.random() < 0.4
        if head:
            self.emit(f"if {stop} goto {out}")
        for _ in range(self.random.randrange(0, 3)):
            self.statement(depth)
        if self.random.random() < 0.3:
            self.emit(f"if {self.condition()} goto {again if self.random.random() < 0.4 else out}")
        self.emit(f"r{p} += {self.random.choice((1, 2, 4, 4, 12, -1))}")
        self.emit(f"{w}{i} += {self.random.choice((1, 1, 2, 3, -1, -3, 32))}")
        self.emit(f"goto {again}" if head else f"if {stop} goto {again}")
        self.emit(f"{out}:")

    def walk(self, depth: int) -> None:
        """A pointer that steps through the packet to a fixed end."""
        again, out = self.label(), self.label()
        p, e = self.random.sample("012345", 2)
        count, step = self.random.randrange(1, 9), self.random.choice((1, 2, 4, 8))
        self.emit(f"r{e} = r6")
        self.emit(f"r{e} += {count * step}")
        self.emit(f"if r{e} > r7 goto {out}")
        self.emit(f"r{p} = r6")
        self.emit(f"{again}:")
        self.emit(
            f"r{self.random.choice([c for c in '012345' if c not in (p, e)])} = *(u8 *)(r{p} +0)"
        )
        if self.random.random() < 0.3:
            self.statement(depth)
        self.emit(f"r{p} += {step}")
        self.emit(f"if r{p} {self.random.choice(('!=', '<', '!='))} r{e} goto {again}")
        self.emit(f"{out}:")

    def call(self) -> None:
        if self.inside and self.random.random() < 0.6:
            return
        self.emit(f"r1 = r{self.random.choice('67012')}")
        self.emit(f"r2 = r{self.random.choice('0267')}")
        if self.random.random() < 0.3:
            self.emit("r3 = r10")
            self.emit(f"r3 += {self.random.choice((-8, -16, -32))}")
        self.emit(f"call {self.random.choice(('func_a', 'func_b'))}")
        self.after_call()

    def after_call(self) -> None:
        for r in range(1, 6):
            self.emit(f"r{r} = {self.number()}")

    def map_value(self) -> None:
        out, name = self.label(), self.random.choice(("table", "flows"))
        self.emit(f"*(u32 *)(r10 -48) = {self.random.choice((0, 0, 1, 3, 9))}")
        self.emit("r2 = r10")
        self.emit("r2 += -48")
        self.emit(f"r1 = map[{name}]")
        self.emit("call 1")
        self.after_call()
        self.emit(f"if r0 == 0 goto {out}")
        s = self.random.choice("12345")
        self.emit(f"r{s} = r{self.random.choice('12345')}")
        self.emit(f"r{s} &= 8")
        self.emit(f"r0 += r{s}")
        if self.random.random() < 0.5:
            self.emit(f"r{s} = *(u64 *)(r0 +0)")
        else:
            self.emit(f"*(u64 *)(r0 +0) = r{self.scratch()}")
        for _ in range(self.random.randrange(0, 3)):
            self.statement(0)
        self.emit(f"{out}:")

    def adjust(self) -> None:
        if self.inside and self.random.random() < 0.5:
            return
        self.emit("r1 = r9")
        self.emit(f"r2 = {self.random.choice((-8, 4, 2, -14))}")
        self.emit(f"call {self.random.choice((44, 65, 54))}")
        self.after_call()
        if self.random.random() < 0.8:
            self.load_packet()
