"""Random programs that no verifier would take, written as an attacker would: pointers of all kinds
mixed up, moved, forged, kept too long, passed to helpers that do not want them.
"""

from __future__ import annotations

import random
from dataclasses import replace

from ebee.helpers import by_name
from ebee.isa import make
from ebee.obj.spec import MapSpec, ObjectSpec

from .program import Address, Call, Item, Jump, Label, Program
from .valid import ATOMICS, BINARY, COMPARE, MAPS, SHIFTS, SIZES, edge, imm, number_of, shared

RDONLY_PROG, WRONLY_PROG, NO_PREALLOC = 1 << 7, 1 << 8, 1

HOSTILE_MAPS = MAPS | {
    "fixed": MapSpec("fixed", "array", 4, 24, 2, flags=RDONLY_PROG),
    "dark": MapSpec("dark", "array", 4, 24, 2, flags=WRONLY_PROG),
    "prefixes": MapSpec("prefixes", "lpm_trie", 8, 8, 4, flags=NO_PREALLOC),
    "recent": MapSpec("recent", "lru_hash", 4, 16, 8),
    "each": MapSpec("each", "percpu_hash", 4, 16, 4),
    "devices": MapSpec("devices", "devmap", 4, 4, 4),
    "pile": MapSpec("pile", "stack", 0, 8, 2),
    "maybe": MapSpec("maybe", "bloom_filter", 0, 4, 8),
    "maps": MapSpec(
        "maps", "array_of_maps", 4, 4, 2, inner=MapSpec("inner", "array", 4, 64, 4),
        contents={0: "numbers"},
    ),
}  # fmt: skip

HELPERS = (
    "map_lookup_elem", "map_lookup_elem", "map_lookup_elem", "map_update_elem", "map_delete_elem",
    "map_push_elem", "map_pop_elem", "map_peek_elem", "map_lookup_percpu_elem",
    "ringbuf_reserve", "ringbuf_reserve", "ringbuf_submit", "ringbuf_discard", "ringbuf_output",
    "ringbuf_query", "xdp_adjust_head", "xdp_adjust_tail", "xdp_adjust_meta", "xdp_load_bytes",
    "xdp_store_bytes", "xdp_get_buff_len", "csum_diff", "strtol", "strtoul", "snprintf",
    "trace_printk", "trace_vprintk", "strncmp", "redirect", "redirect_map", "tail_call", "loop",
    "probe_read_kernel", "probe_read_kernel_str", "get_current_comm",
    "get_prandom_u32", "for_each_map_elem",
)  # fmt: skip
OBJECTS = (
    "dynptr_from_mem", "ringbuf_reserve_dynptr", "ringbuf_submit_dynptr", "dynptr_read",
    "dynptr_write", "dynptr_data", "spin_lock", "spin_unlock",
)  # fmt: skip
"""Those with objects of their own in the stack, in records or in values."""

OFFSETS = (
    *(0, 0, 0, 0, 1, 2, 4, 4, 8, 8) * 5,
    12, 16, 60, 63, 64, 255, 4096, 32767, -1, -4, -8, -16, -512, -32768,
)  # fmt: skip
DELTAS = (
    *(0, 0, 1, 1, 4, 8, -8) * 4,
    0, 1, 4, 8, 16, 24, 64, 255, 512, 4096, 1 << 20, 0x7FFF_FFFF, -1, -8, -16, -64, -512, -4096,
    -(1 << 31),
)  # fmt: skip
SIZE_ARGUMENTS = (0, 1, 4, 8, 16, 24, 64, 100, 512, 1 << 16, 0x7FFF_FFFF, -1, -8, -(1 << 31))


def hostile_maps() -> ObjectSpec:
    """The valid programs' object with more maps."""
    spec = shared()
    return replace(spec, maps=dict(HOSTILE_MAPS))


class Attack:
    """One function in the making; any register may hold anything."""

    def __init__(self, rng: random.Random, number: int, functions: int):
        self.rng, self.number, self.functions = rng, number, functions
        self.items: list[Item] = []
        self.labels: list[Label] = []
        self.hot: list[int] = []
        self.looping = False

    def emit(self, name: str, dst: int = 0, src: int = 0, off: int = 0, value: int = 0) -> None:
        self.items.append(make(name, dst, src, off, value))

    def reg(self, last: int = 9) -> int:
        return self.rng.randrange(last + 1)

    def base(self) -> int:
        """A register to use as a pointer: mostly one that holds some."""
        if self.hot and self.rng.random() < 0.75:
            return self.rng.choice(self.hot)
        return self.rng.choice((*range(10), 10, 10, 10, 10))

    def slot(self) -> int:
        """A stack offset: mostly a word near the top, so that spills and fills meet."""
        rng = self.rng
        if rng.random() < 0.85:
            return -8 * rng.randrange(1, 5)
        return rng.choice((-512, -504, -520, 0, 8, -3, -12, -13, -20))

    # -- statements ------------------------------------------------------------------------------

    def pointer(self) -> None:
        """Some pointer into a register."""
        rng, dst, kind = self.rng, self.reg(), self.rng.random()
        self.hot = [*self.hot[-2:], dst]
        if kind < 0.25:
            self.emit("load_u64", dst, 10, -8)
            self.emit("load_u32", dst, dst, rng.choice((0, 0, 0, 0, 0, 4, 8, 12, 2)))
        elif kind < 0.4:
            self.emit("mov64_reg", dst, 10)
            self.emit("add64_imm", dst, value=self.slot())
        elif kind < 0.5:
            self.emit("load_u64", dst, 10, -8)
        elif kind < 0.65:
            self.items.append(Address(dst, "data", "globals", rng.choice((0, 8, 56, 64))))
        elif kind < 0.75:
            self.items.append(Address(dst, "map", rng.choice(list(HOSTILE_MAPS))))
        elif kind < 0.8:
            self.items.append(Address(dst, "func", rng.randrange(self.functions)))
        elif kind < 0.85:
            self.emit("mov64_imm", dst, value=rng.choice((0, 0, 8, 4096, -4096)))
        else:
            self.lookup(dst)

    def lookup(self, dst: int) -> None:
        rng = self.rng
        name = rng.choice(("numbers", "table", "own", "fixed", "dark", "prefixes", "recent", "each",
                           "devices", "maps", "events", "programs"))  # fmt: skip
        self.emit("store64_imm", 10, 0, -40, rng.choice((0, 0, 0, 1, 7)))
        self.emit("mov64_reg", 2, 10)
        self.emit("add64_imm", 2, value=-40)
        self.items.append(Address(1, "map", name))
        if name in ("table", "recent", "each", "prefixes"):
            self.emit("mov64_reg", 3, 10)
            self.emit("add64_imm", 3, value=-64)
            self.emit("mov64_imm", 4, value=0)
            self.emit("call_helper", value=number_of("map_update_elem"))
            self.items.append(Address(1, "map", name))
            self.emit("mov64_reg", 2, 10)
            self.emit("add64_imm", 2, value=-40)
        if name == "events":
            self.emit("mov64_imm", 2, value=rng.choice((8, 16, 64)))
            self.emit("mov64_imm", 3, value=0)
            self.emit("call_helper", value=number_of("ringbuf_reserve"))
        else:
            self.emit("call_helper", value=number_of("map_lookup_elem"))
        if rng.random() < 0.8:
            self.skip("jeq64_imm", 0, 0)
        self.emit("mov64_reg", dst, 0)

    def skip(self, name: str, dst: int, value: int) -> None:
        """Jump to the end if the condition holds."""
        self.items.append(Jump(name, dst, 0, value, self.labels[0]))

    def arithmetic(self) -> None:
        rng, kind = self.rng, self.rng.random()
        dst, src = self.reg(), self.base()
        if rng.random() < 0.5 and self.hot:
            dst = rng.choice(self.hot)
        if kind < 0.3:
            self.emit("mov64_reg", dst, src)
            self.hot = [*self.hot[-3:], dst]
        elif kind < 0.5:
            self.emit(rng.choice(("add64_imm", "sub64_imm")), dst, value=rng.choice(DELTAS))
        elif kind < 0.65:
            self.emit(rng.choice(("add64_reg", "sub64_reg")), dst, src)
        elif kind < 0.75:  # the same pointer under another name
            self.emit("or64_imm" if rng.random() < 0.5 else "xor64_imm", dst, value=0)
        elif kind < 0.85:
            self.emit("mov64_imm", dst, value=rng.choice(DELTAS))
        elif kind < 0.9:
            self.emit("and64_imm", dst, value=rng.choice((7, 15, 63, 255, -8, imm(rng))))
        elif kind < 0.95:
            self.emit(f"{rng.choice(BINARY)}{rng.choice((32, 64))}_reg", dst, src)
        else:
            name = rng.choice(SHIFTS)
            self.emit(f"{name}64_imm", dst, value=rng.randrange(64))

    def spill(self) -> None:
        rng = self.rng
        if rng.random() < 0.5:
            self.emit("store64_reg", 10, self.base(), self.slot())
        else:
            self.emit("load_u64", self.reg(), 10, self.slot())

    def access(self) -> None:
        rng, size = self.rng, self.rng.choice(SIZES)
        base, off, kind = self.base(), rng.choice(OFFSETS), rng.random()
        if base == 10:
            off = self.slot()
        if kind < 0.4:
            self.emit(f"load_u{size * 8}", self.reg(), base, off)
        elif kind < 0.5 and size < 8:
            self.emit(f"load_s{size * 8}", self.reg(), base, off)
        elif kind < 0.75:
            self.emit(f"store{size * 8}_reg", base, self.base(), off)
        elif kind < 0.85:
            self.emit(f"store{size * 8}_imm", base, 0, off, imm(rng))
        else:
            size = rng.choice((4, 8))
            name = rng.choice((*ATOMICS, "load_acquire", "store_release"))
            if name == "load_acquire":
                self.emit(f"load_acquire{size * 8}", self.reg(), base, off)
            elif name == "store_release":
                self.emit(f"store_release{size * 8}", base, self.reg(), off)
            else:
                self.emit(f"atomic_{name}{size * 8}", base, self.reg(), off)

    def helper(self) -> None:
        """A helper with arguments as it wants them, but perhaps for one."""
        rng = self.rng
        name = rng.choice(HELPERS if rng.random() < 0.85 else OBJECTS)
        found = by_name(name)
        assert found is not None
        for r, param in enumerate(found.params, 1):
            self.argument(r, param.kind, param.of or "")
        if rng.random() < 0.4:
            wrong = rng.randrange(1, 6)
            if found.params and found.params[min(wrong, len(found.params)) - 1].kind == "map":
                wrong = 1 + wrong % 5 if rng.random() < 0.9 else wrong
            self.emit("mov64_reg", wrong, self.base())
        self.emit("call_helper", value=found.id)
        self.hot = [r for r in self.hot if r > 5]
        if rng.random() < 0.5:
            self.emit("mov64_reg", rng.choice((6, 7, 8, 9)), 0)

    def argument(self, r: int, kind: str, of: str) -> None:
        rng = self.rng
        if kind == "map":
            wanted = [n for n, m in HOSTILE_MAPS.items() if m.type in of.split("|")]
            self.items.append(Address(r, "map", rng.choice(wanted or list(HOSTILE_MAPS))))
        elif kind == "ctx":
            self.emit("load_u64", r, 10, -8)
        elif kind == "func":
            self.items.append(Address(r, "func", rng.randrange(self.functions)))
        elif kind in ("size", "size0"):
            if rng.random() < 0.7:
                self.emit("mov64_imm", r, value=rng.choice((1, 4, 8, 12, 16)))
            else:
                self.emit("mov64_imm", r, value=rng.choice(SIZE_ARGUMENTS))
        elif kind.startswith(("map_", "mem", "out", "inout", "stack", "any", "str", "dynptr")):
            if rng.random() < 0.6 or not self.hot:
                self.emit("mov64_reg", r, 10)
                self.emit("add64_imm", r, value=rng.choice((-16, -24, -40, -64, -64, -512)))
            else:
                self.emit("mov64_reg", r, rng.choice(self.hot))
        elif kind in ("alloc_mem", "spin_lock"):
            self.emit("mov64_reg", r, rng.choice(self.hot or [0]))
        else:
            self.emit("mov64_imm", r, value=rng.choice((0, 0, 0, 1, 2, 3, 14, -14, 64, -1)))

    def jump(self) -> None:
        rng = self.rng
        label = rng.choice(self.labels)
        kind = rng.random()
        if kind < 0.1:
            self.items.append(Jump("ja", 0, 0, 0, label))
        elif kind < 0.2:
            self.items.append(Jump("may_goto", 0, 0, 0, label))
        else:
            name = f"{rng.choice(COMPARE)}{rng.choice((32, 64))}"
            if rng.random() < 0.5:
                self.items.append(
                    Jump(f"{name}_imm", self.reg(), 0, rng.choice((0, imm(rng))), label)
                )
            else:
                self.items.append(Jump(f"{name}_reg", self.reg(), self.base(), 0, label))

    def call(self) -> None:
        for r in range(1, 6):
            if self.rng.random() < 0.5:
                self.emit("mov64_reg", r, self.base())
        self.items.append(Call(self.rng.randrange(self.functions)))

    def checked_packet(self) -> None:
        """A packet pointer held against the packet's end: rightly, nearly, or not at all."""
        rng = self.rng
        p, far, end = rng.sample(range(2, 10), 3)
        self.emit("load_u64", end, 10, -8)
        self.emit("load_u32", p, end, rng.choice((0, 0, 0, 8)))
        self.emit("load_u32", end, end, 4)
        index = rng.random() < 0.4
        if index:
            self.emit("load_u8", far, p, 0) if rng.random() < 0.5 else None
            self.emit("and64_imm", far, value=rng.choice((7, 31, 63, 255)))
            self.emit("add64_reg", p, far)
        self.emit("mov64_reg", far, p)
        reach = rng.choice((1, 4, 8, 14, 20, 34, 64, -8))
        self.emit("add64_imm", far, value=reach)
        name = rng.choice(("jgt64_reg",) * 4 + ("jge64_reg", "jlt64_reg", "jle64_reg", "jne64_reg"))
        pair = (far, end) if rng.random() < 0.9 else (end, far)
        self.items.append(Jump(name, *pair, 0, rng.choice(self.labels)))
        if rng.random() < 0.2:
            self.helper()
        if rng.random() < 0.2:
            self.emit("add64_imm", p, value=rng.choice((1, 4, -4, 14, 60)))
        self.hot = [*self.hot[-2:], p]
        size = rng.choice(SIZES)
        off = rng.choice((0, 0, 0, 1, 4, 6, 8, 13, 16, 33, 56, 63, -1))
        if rng.random() < 0.3:  # the last bytes, or one beside them
            off = reach - size + rng.choice((0, 1))
        self.emit(f"load_u{size * 8}", self.reg(), p, off)

    def bounded_index(self) -> None:
        """An index into a value or the stack, kept in bounds: rightly or nearly."""
        rng = self.rng
        p, i = rng.sample(range(2, 10), 2)
        if rng.random() < 0.5:
            self.items.append(Address(p, "data", "globals", rng.choice((0, 0, 8))))
        elif rng.random() < 0.5:
            self.lookup(p)
        else:
            self.emit("mov64_reg", p, 10)
            self.emit("add64_imm", p, value=rng.choice((-64, -64, -72, -8)))
        self.emit("load_u32", i, 10, -16)
        kind = rng.random()
        if kind < 0.4:
            self.emit(rng.choice(("and64_imm", "and32_imm")), i, value=rng.choice((7, 15, 56, 63)))
        elif kind < 0.7:
            name = f"{rng.choice(('jgt', 'jge', 'jsgt', 'jsge'))}{rng.choice((32, 64))}_imm"
            limit = rng.choice((0, 8, 56, 60, 64, -1))
            self.items.append(Jump(name, i, 0, limit, rng.choice(self.labels)))
        elif kind < 0.85:
            self.emit(rng.choice(("mod64_imm", "mod32_imm")), i, value=rng.choice((8, 57, 64)))
        else:
            self.emit("rsh32_imm", i, value=rng.choice((26, 28, 31)))
        if rng.random() < 0.3:
            self.emit(rng.choice(("lsh64_imm", "add64_imm", "sub64_imm", "mul32_imm")), i, value=3)
        self.emit(rng.choice(("add64_reg",) * 5 + ("sub64_reg",)), p, i)
        size = rng.choice(SIZES)
        off = rng.choice((0, 0, 0, 1, 8, -1))
        if rng.random() < 0.5:
            self.emit(f"load_u{size * 8}", self.reg(), p, off)
        else:
            self.emit(f"store{size * 8}_reg", p, self.base(), off)
        self.hot = [*self.hot[-2:], p]

    def counted(self) -> None:
        """A loop that counts, rightly or nearly, around some statements."""
        rng, again, counter = self.rng, Label(), self.rng.randrange(6, 10)
        if self.looping:
            return
        self.looping = True
        up = rng.random() < 0.5
        self.emit("mov64_imm", counter, value=0 if up else rng.choice((1, 5, 16)))
        self.items.append(again)
        for _ in range(rng.randrange(1, 4)):
            name = rng.choice(("access", "arithmetic", "bounded_index", "spill", "checked_packet"))
            getattr(self, name)()
        self.emit("add64_imm", counter, value=rng.choice((1, 1, 1, 2, 3)) * (1 if up else -1))
        test = rng.choice(("jne", "jlt", "jgt", "jsgt", "jsle", "jle")) + rng.choice(("32", "64"))
        limit = rng.choice((4, 8, 15, 16)) if up else rng.choice((0, 0, 1, -1))
        self.items.append(Jump(f"{test}_imm", counter, 0, limit, again))
        self.looping = False

    def leave(self) -> None:
        if self.rng.random() < 0.3:
            self.emit("exit")

    def write(self, count: int) -> list[Item]:
        rng = self.rng
        self.labels = [Label() for _ in range(rng.randrange(1, 4))]
        places = [(rng.randrange(1, count), label) for label in self.labels[1:]]
        if not self.number or rng.random() < 0.3:
            self.emit("store64_reg", 10, 1, -8)
            self.emit("mov64_reg", 6, 1)
        names, weights = list(STATEMENTS), list(STATEMENTS.values())
        for i in range(count):
            self.items += [label for at, label in places if at == i]
            getattr(self, rng.choices(names, weights)[0])()
        self.items.append(self.labels[0])
        self.emit("mov64_imm", 0, value=0) if rng.random() < 0.3 else None
        self.emit("exit")
        return self.items


STATEMENTS = {
    "pointer": 30, "arithmetic": 25, "spill": 15, "access": 30, "helper": 12, "jump": 7, "call": 3,
    "leave": 1, "checked_packet": 8, "bounded_index": 8, "counted": 3,
}  # fmt: skip


def make_hostile(seed: str, count: int = 2) -> Program:
    """The program of a seed, with `count` inputs."""
    rng = random.Random(seed)
    functions = rng.choice((1, 1, 2, 3))
    program = Program(seed)
    for number in range(functions):
        attack = Attack(rng, number, functions)
        program.functions.append(attack.write(rng.choice((3, 4, 6, 8, 8, 16, 30))))
    for _ in range(count):
        words = b"".join(edge(rng).to_bytes(8, "little") for _ in range(8))
        program.inputs.append(words[: rng.choice((14, 20, 60, 64))])
    return program
