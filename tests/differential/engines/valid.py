"""Random XDP programs that the kernel's verifier accepts, or nearly always.

r9 holds the packet, of which SPAN bytes are there; r0-r8 numbers; the context lies at r10 - 8; the
stack from r10 - AREA on is full of numbers. At the end everything goes into the packet.
"""

from __future__ import annotations

import random

from ebee.helpers import by_name
from ebee.isa import make
from ebee.obj.spec import MapSpec, ObjectSpec

from .program import Address, Call, Item, Jump, Label, Program

SPAN = 160
"""Bytes of the packet that every program has checked."""

AREA, TOP = 80, 16
"""The part of the stack in use: r10 - AREA to r10 - TOP."""

KEY = -104
"""Where keys (8 bytes) and values (up to 32) of map operations are put together."""

MAPS = {
    "numbers": MapSpec("numbers", "array", 4, 64, 4),
    "globals": MapSpec("globals", "array", 4, 64, 1),
    "table": MapSpec("table", "hash", 8, 16, 8),
    "own": MapSpec("own", "percpu_array", 4, 32, 2),
    "line": MapSpec("line", "queue", 0, 8, 4),
    "programs": MapSpec("programs", "prog_array", 4, 4, 4, contents={1: "count", 2: "again"}),
    "events": MapSpec("events", "ringbuf", 0, 0, 4096),
}
"""The maps that all programs share."""

EDGES = (
    0, 1, 2, 3, 7, 8, 31, 32, 33, 63, 64, 65, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF,
    0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0x1_0000_0000, 0x7FFF_FFFF_FFFF_FFFF, 1 << 63,
    (1 << 63) + 1, (1 << 64) - 1, (1 << 64) - 2, 0xFFFF_FFFF_8000_0000, 0xFFFF_FFFF_0000_0000,
)  # fmt: skip

BINARY = ("add", "sub", "mul", "div", "sdiv", "mod", "smod", "or", "and", "xor", "mov")
SHIFTS = ("lsh", "rsh", "arsh")
BYTES = tuple(f"{o}{n}" for o in ("le", "be", "bswap") for n in (16, 32, 64))
COMPARE = (
    "jeq", "jne", "jset", "jgt", "jge", "jlt", "jle", "jsgt", "jsge", "jslt", "jsle",
)  # fmt: skip
ATOMICS = (
    "add",
    "or",
    "and",
    "xor",
    "fetch_add",
    "fetch_or",
    "fetch_and",
    "fetch_xor",
    "xchg",
    "cmpxchg",
)
SIZES = (1, 2, 4, 8)


def number_of(helper: str) -> int:
    found = by_name(helper)
    assert found is not None
    return found.id


def edge(rng: random.Random) -> int:
    """A 64-bit number, often a special one."""
    if rng.random() < 0.6:
        return rng.choice(EDGES)
    return rng.getrandbits(rng.choice((8, 16, 32, 64)))


def imm(rng: random.Random) -> int:
    """A 32-bit immediate."""
    value = edge(rng) & 0xFFFF_FFFF
    return value - (1 << 32) if value >> 31 else value


def inputs(rng: random.Random, count: int) -> list[bytes]:
    """Packets whose first bytes are operands."""
    found = []
    for _ in range(count):
        words = [edge(rng) for _ in range(SPAN // 8)]
        data = b"".join(w.to_bytes(8, "little") for w in words)
        found.append(data + rng.randbytes(rng.randrange(90)))
    return found


class Function:
    """One function in the making. `free`: registers that statements may write."""

    def __init__(self, maker: Maker, entry: bool, area: int = AREA, keys: bool = True):
        self.maker, self.rng, self.entry = maker, maker.rng, entry
        self.area, self.keys = area, keys
        self.items: list[Item] = []
        self.free = list(range(9)) if entry else list(range(6))
        self.numbers = list(self.free)
        self.calls = True

    # -- building --------------------------------------------------------------------------------

    def emit(self, name: str, dst: int = 0, src: int = 0, off: int = 0, value: int = 0) -> None:
        self.items.append(make(name, dst, src, off, value))

    def jump(self, name: str, to: Label, dst: int = 0, src: int = 0, value: int = 0) -> None:
        self.items.append(Jump(name, dst, src, value, to))

    def put(self, label: Label) -> None:
        self.items.append(label)

    def address(self, register: int, kind: str, of: str | int, offset: int = 0) -> None:
        self.items.append(Address(register, kind, of, offset))

    def helper(self, name: str) -> None:
        self.emit("call_helper", value=number_of(name))

    def any(self) -> int:
        return self.rng.choice(self.numbers)

    def target(self) -> int:
        return self.rng.choice(self.free)

    def place(self, size: int) -> int:
        """An aligned offset in the stack's area: the verifier wants no other."""
        return self.rng.randrange(-self.area, -TOP - size + 1) & -min(size, 8)

    def refill(self, registers: range = range(6)) -> None:
        """Numbers into registers that a call has left without any."""
        for r in registers:
            self.emit("load_u64", r, 10, self.place(8))

    # -- statements ------------------------------------------------------------------------------

    def alu(self) -> None:
        rng, width = self.rng, self.rng.choice((64, 32))
        kind = rng.random()
        if kind < 0.08:
            self.emit(rng.choice(BYTES), self.target())
        elif kind < 0.13:
            self.emit(f"neg{width}", self.target())
        elif kind < 0.2:
            bits = rng.choice((8, 16, 32) if width == 64 else (8, 16))
            self.emit(f"movsx{bits}_{width}", self.target(), self.any())
        elif kind < 0.35:
            name = f"{rng.choice(SHIFTS)}{width}"
            if rng.random() < 0.5:
                self.emit(f"{name}_reg", self.target(), self.any())
            else:
                self.emit(f"{name}_imm", self.target(), value=rng.randrange(width))
        else:
            name = rng.choice(BINARY)
            if rng.random() < 0.6:
                self.emit(f"{name}{width}_reg", self.target(), self.any())
            else:
                value = imm(rng)
                if not value and name.endswith(("div", "mod")):
                    value = -1
                self.emit(f"{name}{width}_imm", self.target(), value=value)

    def wide(self) -> None:
        value = edge(self.rng)
        low, high = value & 0xFFFF_FFFF, value >> 32
        dst = self.target()
        # As two halves: a wide load of two slots would be one item less to cut.
        self.emit("mov32_imm", dst, value=high - (high >> 31 << 32))
        self.emit("lsh64_imm", dst, value=32)
        self.emit("or64_imm", dst, value=low & 0x7FFF_FFFF)

    def branch(self) -> None:
        """Skip a few statements, or choose between two."""
        rng, other, end = self.rng, Label(), Label()
        width = rng.choice((64, 32))
        if rng.random() < 0.5:
            self.jump(f"{rng.choice(COMPARE)}{width}_reg", other, self.any(), self.any())
        else:
            self.jump(f"{rng.choice(COMPARE)}{width}_imm", other, self.any(), value=imm(rng))
        self.statements(rng.randrange(1, 4))
        if rng.random() < 0.4:
            self.jump("ja", end)
            self.put(other)
            self.statements(rng.randrange(1, 3))
            self.put(end)
        else:
            self.put(other)

    def loop(self) -> None:
        """A few turns, counted in a register that the body leaves alone."""
        rng, again, end = self.rng, Label(), Label()
        counter = rng.choice([r for r in self.free if r > 5] or self.free)
        if counter not in self.free or len(self.free) < 4 or self.maker.looping:
            return
        self.maker.looping = True
        self.free.remove(counter)
        self.emit("mov64_imm", counter, value=rng.randrange(1, 6))
        self.put(again)
        if rng.random() < 0.3:
            self.jump("may_goto", end)
        self.calls = counter > 5
        self.statements(rng.randrange(1, 4))
        self.calls = True
        self.emit("sub64_imm", counter, value=1)
        self.jump("jne64_imm", again, counter, value=0)
        self.put(end)
        self.free.append(counter)
        self.maker.looping = False

    def stack(self) -> None:
        rng, size = self.rng, self.rng.choice(SIZES)
        at, kind = self.place(size), rng.random()
        if kind < 0.4:
            self.emit(f"store{size * 8}_reg", 10, self.any(), at)
        elif kind < 0.55:
            self.emit(f"store{size * 8}_imm", 10, 0, at, imm(rng))
        elif kind < 0.7 and size < 8:
            self.emit(f"load_s{size * 8}", self.target(), 10, at)
        else:
            self.emit(f"load_u{size * 8}", self.target(), 10, at)

    def stack_indexed(self) -> None:
        """An access at an offset known only at run time."""
        rng, size, (at, other) = self.rng, 8, self.rng.sample(self.free, 2)
        self.emit("mov64_reg", at, self.any())
        self.emit("and64_imm", at, value=rng.choice((8, 0x38)))
        self.emit("mov64_reg", other, 10)
        self.emit("add64_imm", other, value=-self.area)
        self.emit("add64_reg", other, at)
        if rng.random() < 0.5:
            self.emit("store64_reg", other, at)
        self.emit(f"load_u{size * 8}", at, other)
        self.emit("mov64_imm", other, value=imm(rng))

    def packet(self) -> None:
        if not self.entry:
            return
        rng, size = self.rng, self.rng.choice(SIZES)
        at, kind = rng.randrange(SPAN - size + 1), rng.random()
        if kind < 0.4:
            self.emit(f"store{size * 8}_reg", 9, self.any(), at)
        elif kind < 0.5:
            self.emit(f"store{size * 8}_imm", 9, 0, at, imm(rng))
        elif kind < 0.65 and size < 8:
            self.emit(f"load_s{size * 8}", self.target(), 9, at)
        else:
            self.emit(f"load_u{size * 8}", self.target(), 9, at)

    def packet_indexed(self) -> None:
        """A byte at an offset from the packet, checked against its end."""
        if not self.entry:
            return
        rng, past = self.rng, Label()
        at, p, end = rng.sample(self.free, 3)
        self.emit("mov64_reg", at, self.any())
        self.emit("and64_imm", at, value=rng.choice((31, 127, 255)))
        self.emit("load_u64", end, 10, -8)
        self.emit("load_u32", end, end, 4)
        self.emit("mov64_reg", p, 9)
        self.emit("add64_reg", p, at)
        self.emit("mov64_reg", at, p)
        self.emit("add64_imm", at, value=4)
        self.jump("jgt64_reg", past, at, end)
        if rng.random() < 0.5:
            self.emit("store16_imm", p, 0, 1, imm(rng))
        self.emit("load_u32", at, p)
        self.emit("store32_reg", 10, at, self.place(4))
        self.put(past)
        for r in (at, p, end):
            self.emit("mov64_imm", r, value=imm(rng))

    def atomic_at(self, base: int, at: int, size: int) -> None:
        rng = self.rng
        name = rng.choice((*ATOMICS, "load_acquire", "store_release"))
        if name == "load_acquire":
            self.emit(f"load_acquire{size * 8}", self.target(), base, at)
        elif name == "store_release":
            self.emit(f"store_release{size * 8}", base, self.any(), at)
        else:
            source = self.target()
            if name == "cmpxchg" and 0 not in self.free:
                name = "xchg"
            self.emit(f"atomic_{name}{size * 8}", base, source, at)
            if name == "cmpxchg" and size == 4:
                # RFC 9669 zero-extends r0; Linux 6.18 on x86-64 leaves the upper half alone when
                # the exchange succeeds and r0 is next read in full behind the exit of a function.
                self.emit("mov32_reg", 0, 0)

    def atomic(self) -> None:
        size = self.rng.choice((4, 8))
        self.atomic_at(10, self.place(size), size)

    def context(self) -> None:
        if self.entry:
            dst = self.target()
            self.emit("load_u64", dst, 10, -8)
            self.emit("load_u32", dst, dst, self.rng.choice((12, 16)))

    def global_data(self) -> None:
        """A value that is addressed directly."""
        rng, size = self.rng, self.rng.choice(SIZES)
        p = self.target()
        self.free.remove(p)
        self.numbers.remove(p)
        self.address(p, "data", "globals", 8 * rng.randrange(8))
        offset = 0 if size == 8 else rng.randrange(8 - size + 1)
        kind = rng.random()
        if kind < 0.3:
            self.emit(f"store{size * 8}_reg", p, self.any(), offset)
        elif kind < 0.6:
            self.emit(f"load_u{size * 8}", self.target(), p, offset)
        else:
            self.atomic_at(p, 0, rng.choice((4, 8)))
        self.free.append(p)
        self.numbers.append(p)
        self.emit("mov64_imm", p, value=imm(rng))

    def key(self, size: int, bound: int) -> None:
        """A small key in the stack, and its address in r2."""
        self.emit("mov64_reg", 2, self.any())
        self.emit("and64_imm", 2, value=bound)
        self.emit(f"store{size * 8}_reg", 10, 2, KEY)
        self.emit("mov64_reg", 2, 10)
        self.emit("add64_imm", 2, value=KEY)

    def value(self, register: int, size: int) -> None:
        """The address of a value made of the stack's numbers."""
        self.emit("mov64_reg", register, 10)
        self.emit("add64_imm", register, value=self.place(size))

    def lookup(self) -> None:
        rng, none = self.rng, Label()
        name, key, size = rng.choice((("numbers", 4, 64), ("table", 8, 16), ("own", 4, 32)))
        self.key(key, 7)
        self.address(1, "map", name)
        self.helper("map_lookup_elem")
        self.jump("jeq64_imm", none, 0, value=0)
        for _ in range(rng.randrange(1, 4)):
            n = rng.choice(SIZES)
            at = rng.randrange(size - n + 1)
            kind = rng.random()
            if kind < 0.35:
                self.emit(f"load_u{n * 8}", rng.choice((1, 2, 3)), 0, at)
                self.emit("store64_imm", 10, 0, self.place(8), imm(rng))
            elif kind < 0.7:
                source = rng.choice([r for r in self.numbers if r > 5] or [10])
                if source == 10:
                    self.emit(f"store{n * 8}_imm", 0, 0, at, imm(rng))
                else:
                    self.emit(f"store{n * 8}_reg", 0, source, at)
            else:
                self.emit("load_u64", 1, 10, self.place(8))
                atomic = rng.choice(ATOMICS[:-1])
                self.emit(f"atomic_{atomic}64", 0, 1, 8 * rng.randrange(size // 8))
                self.emit("store64_reg", 10, 1, self.place(8))
        self.put(none)
        self.refill()

    def change(self) -> None:
        """Update or delete."""
        rng = self.rng
        name, key, size = rng.choice((("numbers", 4, 64), ("table", 8, 16), ("own", 4, 32)))
        self.key(key, 7 if name != "table" else 15)
        if rng.random() < 0.6:
            self.value(3, size)
            self.emit("mov64_imm", 4, value=rng.choice((0, 0, 0, 1, 2, 3)))
            self.address(1, "map", name)
            self.helper("map_update_elem")
        else:
            self.address(1, "map", name)
            self.helper("map_delete_elem")
        self.refill(range(1, 6))

    def queue(self) -> None:
        rng = self.rng
        if rng.random() < 0.5:
            self.value(2, 8)
            self.emit("mov64_imm", 3, value=rng.choice((0, 2)))
            self.address(1, "map", "line")
            self.helper("map_push_elem")
        else:
            self.value(2, 8)
            self.address(1, "map", "line")
            self.helper(rng.choice(("map_pop_elem", "map_peek_elem")))
        self.refill(range(1, 6))

    def ring(self) -> None:
        rng = self.rng
        self.address(1, "map", "events")
        if rng.random() < 0.5:
            self.value(2, 24)
            self.emit("mov64_imm", 3, value=rng.choice((0, 1, 8, 24)))
            self.emit("mov64_imm", 4, value=rng.choice((0, 1, 2, 4)))
            self.helper("ringbuf_output")
        else:
            none = Label()
            self.emit("mov64_imm", 2, value=rng.choice((8, 16, 40)))
            self.emit("mov64_imm", 3, value=0)
            self.helper("ringbuf_reserve")
            self.jump("jeq64_imm", none, 0, value=0)
            self.emit("load_u64", 1, 10, self.place(8))
            self.emit("store64_reg", 0, 1, 0)
            self.emit("store32_imm", 0, 0, 4, imm(rng))
            self.emit("mov64_reg", 1, 0)
            self.emit("mov64_imm", 2, value=0)
            self.helper(rng.choice(("ringbuf_submit", "ringbuf_submit", "ringbuf_discard")))
            self.put(none)
            self.emit("mov64_imm", 0, value=3)
        self.refill(range(1, 6))

    def checksum(self) -> None:
        rng = self.rng
        for pointer, size in ((1, 2), (3, 4)):
            length = rng.choice((0, 4, 8, 20, 40))
            if rng.random() < 0.2:
                self.emit("mov64_imm", pointer, value=0)
                length = 0
            elif self.entry and rng.random() < 0.4:
                self.emit("mov64_reg", pointer, 9)
                self.emit("add64_imm", pointer, value=4 * rng.randrange(20))
            else:
                self.emit("mov64_reg", pointer, 10)
                self.emit("add64_imm", pointer, value=-self.area + 4 * rng.randrange(6))
            self.emit("mov64_imm", size, value=length)
        self.emit("load_u32", 5, 10, self.place(4))
        self.helper("csum_diff")
        self.refill(range(1, 6))

    def packet_helper(self) -> None:
        """Packet bytes and length by helpers."""
        if not self.entry:
            return
        rng = self.rng
        self.emit("load_u64", 1, 10, -8)
        if rng.random() < 0.3:
            self.helper("xdp_get_buff_len")
        else:
            self.emit("mov64_imm", 2, value=rng.choice((0, 5, 100, 158, 300)))
            length = rng.choice((1, 6, 32))
            self.emit("mov64_reg", 3, 10)
            self.emit("add64_imm", 3, value=-AREA + rng.randrange(16))
            self.emit("mov64_imm", 4, value=length)
            self.helper(rng.choice(("xdp_load_bytes", "xdp_store_bytes")))
        self.refill(range(1, 6))

    def plain_helper(self) -> None:
        """Helpers without memory, and texts."""
        rng = self.rng
        kind = rng.random()
        if kind < 0.3:
            self.helper("get_smp_processor_id")
        elif kind < 0.5:
            self.emit("mov64_imm", 1, value=rng.choice((1, 7, -1)))
            self.emit("mov64_imm", 2, value=rng.choice((0, 0, 1)))
            self.helper("redirect")
        else:
            text = rng.choice((b"-123 ", b"0x7fzz", b"  +9", b"077", b"x", b"99999999999999999999"))
            data = text[:16].ljust(16, b"\0")
            for i in (0, 8):
                word = int.from_bytes(data[i : i + 8], "little")
                for part in (0, 4):
                    half = word >> 8 * part & 0xFFFF_FFFF
                    self.emit("store32_imm", 10, 0, KEY + i + part, half - (half >> 31 << 32))
            self.emit("mov64_reg", 1, 10)
            self.emit("add64_imm", 1, value=KEY)
            self.emit("mov64_imm", 2, value=len(text))
            self.emit("mov64_imm", 3, value=rng.choice((0, 8, 10, 16)))
            self.emit("mov64_reg", 4, 10)
            self.emit("add64_imm", 4, value=self.place(8))
            self.helper(rng.choice(("strtol", "strtoul")))
        self.refill(range(1, 6))

    def call(self) -> None:
        """Call a function with numbers, or with the address of eight bytes of the stack in r1."""
        number = self.maker.callee(self)
        if number is None:
            return
        self.emit("mov64_reg", 1, 10)
        self.emit("add64_imm", 1, value=self.place(8))
        for r in range(2, 6):
            self.emit("load_u64", r, 10, self.place(8))
        self.items.append(Call(number))
        self.refill(range(1, 6))

    def call_back(self) -> None:
        """bpf_loop with a callback that works on eight bytes of the stack."""
        number = None if self.maker.looping else self.maker.callback()
        if number is None:
            return
        self.emit("mov64_imm", 1, value=self.rng.choice((0, 1, 3, 9)))
        self.address(2, "func", number)
        self.emit("mov64_reg", 3, 10)
        self.emit("add64_imm", 3, value=self.place(8))
        self.emit("mov64_imm", 4, value=0)
        self.helper("loop")
        self.refill(range(1, 6))

    def tail(self) -> None:
        if not self.entry or self.maker.looping:
            return
        self.maker.program.uses.add("tail")
        self.emit("load_u64", 1, 10, -8)
        self.address(2, "map", "programs")
        self.emit("mov64_reg", 3, self.rng.choice((6, 7, 8)))
        if self.rng.random() < 0.8:
            self.emit("and64_imm", 3, value=7)
        self.helper("tail_call")
        self.emit("mov64_imm", 0, value=5)
        self.check_packet()
        self.refill(range(1, 6))

    def move(self) -> None:
        """Move the packet's start or end."""
        if not self.entry or self.maker.looping:
            return
        rng = self.rng
        name, deltas = rng.choice(
            (
                ("xdp_adjust_head", (-300, -64, -13, 0, 1, 14, 40, 100, 400)),
                ("xdp_adjust_tail", (-200, -30, 0, 1, 64, 3000, 5000)),
                ("xdp_adjust_meta", (-4, -8, -32, -256, -300, 0, 4, 2)),
            )
        )
        self.emit("load_u64", 1, 10, -8)
        self.emit("mov64_imm", 2, value=rng.choice(deltas))
        self.helper(name)
        self.check_packet()
        self.refill(range(1, 6))

    def meta(self) -> None:
        """A word before the packet."""
        if not self.entry:
            return
        past, rng = Label(), self.rng
        self.emit("load_u64", 1, 10, -8)
        self.emit("load_u32", 2, 1, 8)
        self.emit("load_u32", 3, 1, 0)
        self.emit("mov64_reg", 4, 2)
        self.emit("add64_imm", 4, value=4)
        self.jump("jgt64_reg", past, 4, 3)
        self.emit("load_u32", 5, 2, 0)
        self.emit("store32_imm", 2, 0, 0, imm(rng))
        self.emit("store32_reg", 10, 5, self.place(4))
        self.put(past)
        self.refill(range(1, 6))

    def check_packet(self) -> None:
        """r9 anew, SPAN bytes of it; the program ends where the packet is shorter."""
        self.emit("load_u64", 1, 10, -8)
        self.emit("load_u32", 9, 1, 0)
        self.emit("load_u32", 3, 1, 4)
        self.emit("mov64_reg", 2, 9)
        self.emit("add64_imm", 2, value=SPAN)
        self.jump("jgt64_reg", self.maker.out, 2, 3)

    def statements(self, count: int) -> None:
        for _ in range(count):
            if self.maker.size > self.maker.limit:
                return
            table = self.maker.table[self.keys] if self.calls else self.maker.quiet
            name = self.rng.choices(*table)[0]
            before = len(self.items)
            getattr(self, name)()
            self.maker.size += len(self.items) - before if name not in ("branch", "loop") else 2


WEIGHTS = {
    "alu": 40, "wide": 3, "branch": 10, "loop": 3, "stack": 12, "stack_indexed": 2, "packet": 6,
    "packet_indexed": 2, "atomic": 5, "context": 1, "global_data": 4, "lookup": 3, "change": 3,
    "queue": 1, "ring": 1, "checksum": 1, "packet_helper": 2, "plain_helper": 1, "call": 3,
    "call_back": 1, "tail": 1, "move": 2, "meta": 1,
}  # fmt: skip
KEYED = ("lookup", "change", "plain_helper", "ring", "call_back")
"""Statements that need a lot of stack."""

LIMITS = (4, 4, 8, 8, 8, 8, 8, 15, 15, 15, 15, 15, 25, 25, 40, 90)
"""How many items a program has about: most are small, for many of them."""

QUIET = ("alu", "wide", "branch", "stack", "stack_indexed", "packet", "atomic", "global_data")


class Maker:
    """One program in the making."""

    def __init__(self, rng: random.Random, seed: str, features: set[str] | None = None):
        self.rng, self.program = rng, Program(seed)
        if features is None and rng.random() < 0.8:  # most programs are small, for many of them
            features = {*QUIET, "packet_indexed", "loop", "call"} | set(
                rng.sample(list(WEIGHTS), 2)
            )
        chosen = {n: w for n, w in WEIGHTS.items() if features is None or n in features}
        lean = {n: w for n, w in chosen.items() if n not in KEYED} or {"alu": 1}
        self.table = (list(lean), list(lean.values())), (list(chosen), list(chosen.values()))
        quiet = {n: w for n, w in chosen.items() if n in QUIET} or {"alu": 1}
        self.quiet = list(quiet), list(quiet.values())
        self.size, self.limit, self.looping = 0, rng.choice(LIMITS), False
        self.out = Label()
        self.depth = 0
        self.callees: dict[int, list[int]] = {}
        self.callbacks: list[int] = []

    def make(self) -> Program:
        self.program.functions.append([])
        main = Function(self, entry=True)
        main.emit("mov64_imm", 0, value=2)
        main.emit("store64_reg", 10, 1, -8)
        main.check_packet()
        for i, at in enumerate(range(-AREA, -TOP, 8)):
            main.emit("load_u64", 0, 9, 8 * i)
            main.emit("store64_reg", 10, 0, at)
        for at in range(KEY - 24, -AREA, 8):
            main.emit("store64_imm", 10, 0, at, 0)
        for r in range(9):
            main.emit("load_u64", r, 9, 8 * (r + 8))
        main.statements(1000)
        for r in range(9):
            main.emit("store64_reg", 9, r, 8 * r)
        for i, at in enumerate(range(-AREA, -TOP, 8)):
            main.emit("load_u64", 1, 10, at)
            main.emit("store64_reg", 9, 1, 72 + 8 * i)
        main.put(self.out)
        main.emit("mov64_imm", 0, value=self.rng.randrange(5)) if self.rng.random() < 0.2 else None
        main.emit("exit")
        self.program.functions[0] = main.items
        return self.program

    def callee(self, caller: Function) -> int | None:
        """A function to call, new or known, one level deeper."""
        depth = self.depth + 1
        if depth > 3:
            return None
        known = self.callees.setdefault(depth, [])
        if known and self.rng.random() < 0.5:
            return self.rng.choice(known)
        made = Function(self, entry=False, keys=False)
        number = self._function(depth, made, callback=False)
        known.append(number)
        return number

    def callback(self) -> int | None:
        if self.depth:
            return None
        if not self.callbacks or self.rng.random() < 0.5:
            self.callbacks.append(self._function(3, Function(self, entry=False), callback=True))
        return self.rng.choice(self.callbacks)

    def _function(self, depth: int, f: Function, callback: bool) -> int:
        number = len(self.program.functions)
        self.program.functions.append([])
        before, self.depth = self.depth, depth
        looping, self.looping = self.looping, True
        pointer = 2 if callback else 1
        f.emit("mov64_reg", 6, pointer)
        f.emit("load_u64", 0, 6)
        for at in range(-f.area, -TOP + 1, 8):
            f.emit("store64_reg", 10, 0, at)
        for at in range(KEY - 24, -AREA, 8) if f.keys else ():
            f.emit("store64_imm", 10, 0, at, at)
        f.emit("mov64_imm", pointer, value=imm(self.rng))
        if callback:
            f.refill(range(3, 6))
        f.statements(self.rng.randrange(2, 7))
        f.emit("store64_reg", 6, f.rng.choice((0, 1, 2)), 0)
        if callback:
            f.emit("and64_imm", 0, value=1)
        f.emit("exit")
        self.program.functions[number] = f.items
        self.depth, self.looping = before, looping
        return number


def make_program(seed: str, count: int = 10, features: set[str] | None = None) -> Program:
    """The program of a seed, with `count` inputs."""
    rng = random.Random(seed)
    program = Maker(rng, seed, features).make()
    program.inputs = inputs(rng, count)
    return program


def shared() -> ObjectSpec:
    """The maps, and the programs that tail calls lead to."""
    from ebee.isa import parse
    from ebee.obj.spec import ProgramSpec, Ref

    names = {"map_lookup_elem": 1, "tail_call": 12}
    texts = {
        "count": "r1 = map[globals][0]+8; r2 = 1; lock *(u64 *)(r1 +0) += r2; r0 = 3; exit",
        "again": "r6 = r1; r1 = map[globals][0]+16; r2 = 1; lock *(u64 *)(r1 +0) += r2; r1 = r6; "
        "r2 = map[programs]; r3 = 2; call tail_call; r0 = 4; exit",
    }
    programs = {}
    for name, text in texts.items():
        made = parse(text, helper_id=names.get)
        refs = [Ref(r.slot, r.kind, r.symbol, r.addend) for r in made.references]
        programs[name] = ProgramSpec(name, "xdp", made.insns, refs, hook="xdp", attach_type=37)
    return ObjectSpec("shared", dict(MAPS), programs, license="GPL")
