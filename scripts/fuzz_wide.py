"""The wide area of scripts/fuzz_verifier.py: all hooks, kernel functions, callbacks, objects.

    python scripts/fuzz_verifier.py --seed wide1 [--count N] ...      seeds that begin with "wide"

Beside what all areas have: contexts of thirty hooks, any helper with arguments of its kinds,
functions (static, global, called back), iterators, dynptrs, spin locks, kernel pointers, own
objects in lists and trees, timers, exceptions, regions, tail calls, may_goto, all atomics. One
program of three is changed in one place, at random.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache

from fuzz_verifier import PATIENT, SPECS, Both, Generator

from ebee import helpers, hooks
from ebee.btf import (
    Array,
    Btf,
    BtfBuilder,
    DeclTag,
    Func,
    FuncProto,
    Int,
    Member,
    Param,
    Ptr,
    Struct,
    TypeTag,
)
from ebee.errors import KernelError, VerifierError
from ebee.helpers import SCALARS
from ebee.isa import Insn, make, parse
from ebee.isa.insn import LDDW
from ebee.linux.btf import load_bytes
from ebee.linux.maps import LinuxMap
from ebee.linux.programs import PROG_TYPE_NAMES, LinuxProgram, digest
from ebee.obj.spec import FuncInfo, MapSpec
from ebee.verifier.core.check import Verdict, check_program
from ebee.verifier.core.profile import Profile
from ebee.verifier.core.program import MapInfo, Program, map_info, running_kernel

PLACES = (
    "xdp", "tc", "socket_filter", "sk_reuseport", "sk_lookup", "flow_dissector", "sk_skb", "sk_msg",
    "cgroup_skb", "cgroup_sock", "cgroup_sock_addr", "cgroup_sockopt", "cgroup_sysctl",
    "cgroup_dev", "sock_ops", "lwt_in", "lwt_xmit", "lwt_seg6local", "kprobe", "uprobe",
    "tracepoint", "raw_tracepoint", "perf_event", "netfilter", "syscall",
)  # fmt: skip
GLOBAL, GLOBAL_POINTER = 0x6701, 0x6702
"""What the first instruction of a global function puts into r0, by which it is known again."""

LOCK, TASK, TIMER, HEAD, ROOT = 4, 8, 0, 16, 32
"""Places of special fields in values of maps."""

MUTATED = 0.3


class Types:
    """The BTF of all programs and maps."""

    def __init__(self) -> None:
        b = self.builder = BtfBuilder()
        u32, u64 = b.add(Int("unsigned int", 4)), b.add(Int("unsigned long long", 8))
        self.u64 = u64
        lock = b.add(Struct("bpf_spin_lock", 4, (Member("val", u32, 0),)))
        timer = self._opaque("bpf_timer", 2)
        head, root = self._opaque("bpf_list_head", 2), self._opaque("bpf_rb_root", 2)
        link, leaf = self._opaque("bpf_list_node", 3), self._opaque("bpf_rb_node", 4)
        count = b.add(Struct("bpf_refcount", 4, (Member("x", u32, 0),)))
        task = b.add(Ptr(b.add(TypeTag("kptr", b.add(Struct("task_struct", 0, ()))))))
        self.locked = self._struct("locked", ("a", u32), ("lock", lock), ("b", u64), ("c", u64))
        self.kept = self._struct("kept", ("a", u64), ("task", task))
        self.timed = self._struct("timed", ("timer", timer), ("a", u64))
        self.item = self._struct("item", ("key", u64), ("link", link))
        self.entry = self._struct("entry", ("key", u64), ("leaf", leaf), ("count", count),
                                  ("more", u32))  # fmt: skip
        self.graph = self._struct("graph", ("a", u32), ("lock", lock), ("b", u64), ("head", head),
                                  ("root", root))  # fmt: skip
        b.add(DeclTag("contains:item:link", self.graph, 3))
        b.add(DeclTag("contains:entry:leaf", self.graph, 4))
        number = b.add(Int("int", 4, 1))
        numbers = tuple(Param(name, u64) for name in "abcde")
        self.static = b.add(Func("inner", b.add(FuncProto(number, numbers)), 0))
        self.wide = b.add(Func("outer", b.add(FuncProto(number, numbers[:2])), 1))
        one = (Param("p", b.add(Ptr(u64))), Param("n", u64))
        self.pointed = b.add(Func("pointed", b.add(FuncProto(number, one)), 1))
        self.bytes = b.bytes()
        self.btf = Btf.parse(self.bytes)

    def _opaque(self, name: str, words: int) -> int:
        index = self.builder.intern(Int("unsigned int", 4))
        array = self.builder.add(Array(self.u64, index, words))
        return self.builder.add(Struct(name, 8 * words, (Member("__opaque", array, 0),)))

    def _struct(self, name: str, *members: tuple[str, int]) -> int:
        made, at = [], 0
        built = self.builder.build()
        for member, type in members:
            size = built.sizeof(type)
            at += -at % min(size, 8)
            made.append(Member(member, type, 8 * at))
            at += size
        return self.builder.add(Struct(name, at + -at % 8, tuple(made)))

    def maps(self) -> Iterator[tuple[MapSpec, bool]]:
        """The maps, and whether they have types."""
        yield from ((spec, False) for spec in SPECS)
        for name, type in (("locked", self.locked), ("kept", self.kept), ("timed", self.timed),
                           ("graph", self.graph)):  # fmt: skip
            spec = MapSpec(name, "array", 4, self.btf.sizeof(type), 4)
            spec.key_btf_id, spec.value_btf_id = 1, type
            yield spec, True
        yield MapSpec("programs", "prog_array", 4, 4, 4), False
        yield MapSpec("each", "percpu_array", 4, 16, 2), False
        yield MapSpec("lru", "lru_hash", 4, 16, 8), False
        yield MapSpec("queue", "queue", 0, 8, 4), False


NAMES = {"array": 0, "hash": 1, "ring": 2, "locked": 3, "kept": 4, "timed": 5, "graph": 6,
         "programs": 7, "each": 8, "lru": 9, "queue": 10}  # fmt: skip


@cache
def places() -> tuple[str, ...]:
    """Hooks with their attach types: "cgroup_skb:1"."""
    found = []
    for name in PLACES:
        hook = hooks.by_name(name)
        assert hook is not None
        kinds = {s.attach_type or 0 for s in hook.sections if not s.sleepable}
        found += [f"{name}:{kind}" for kind in sorted(kinds or {0})]
    return tuple(found)


@cache
def kfunc(name: str) -> int:
    """The number of a kernel function."""
    found = Btf.vmlinux().get(name, Func)
    return found.id if found is not None else 0


@cache
def _member(struct: str, name: str) -> int:
    """Where a member of a kernel's struct is."""
    found = Btf.vmlinux().get(struct, Struct)
    members = found.members if found is not None else ()
    return next((m.offset // 8 for m in members if m.name == name), 0)


def starts(code: Sequence[Insn]) -> dict[int, str]:
    """Where functions begin, and what kind they are."""
    found = {0: "static"}
    for slot, insn in enumerate(code):
        if (insn.op, insn.src) == (0x85, 1) or (insn.op, insn.src) == (LDDW, 4):
            start = slot + 1 + insn.imm
            if 0 <= start < len(code):
                first = code[start]
                mark = first.imm if first.op == 0xB7 and first.dst == 0 else 0
                kinds = {GLOBAL: "wide", GLOBAL_POINTER: "pointed"}
                found[start] = kinds.get(mark, "static")
    return dict(sorted(found.items()))


class Wide(Generator):
    """One random program of any hook."""

    def __init__(self, rng: random.Random, place: str, fds: Sequence[int]):
        self.place = place
        name = place.partition(":")[0]
        super().__init__(rng, name, fds)
        self.wanted: list[tuple[int, str]] = []  # slots that name functions, and which
        self.saved = hooks.by_name(name)

    def make(self) -> list[Insn]:
        rng = self.rng
        self.move(6, 1)
        if rng.random() < 0.7:
            for off in range(-64, 0, 8):
                self.emit("store64_imm", 10, off=off, imm=0)
        for _ in range(rng.randrange(1, 9)):
            self.fragment(rng.choice(self.fragments if rng.random() < 0.75 else super().fragments))
        self.emit("mov64_imm", 0, imm=rng.choice((0, 0, 1, 1, 2)))
        self.emit("exit")
        made: dict[str, int] = {}
        for slot, kind in self.wanted + [(slot, "static") for slot in self.calls]:
            if kind not in made:
                made[kind] = len(self.code)
                self._function(kind)
            self.code[slot] = self.code[slot]._replace(imm=made[kind] - slot - 1)
        return self._mutated() if rng.random() < MUTATED else self.code

    def _function(self, kind: str) -> None:
        rng, depth = self.rng, len(self.code)
        marks = {"wide": GLOBAL, "pointed": GLOBAL_POINTER}
        if kind in marks:
            self.emit("mov64_imm", 0, imm=marks[kind])
        self.guess = dict.fromkeys(range(1, {"wide": 3, "pointed": 3}.get(kind, 5)), "scalar")
        self.guess[10] = "stack"
        if kind == "pointed":
            self.guess[1] = "other"
            slot = self.emit("jeq64_imm", 1, imm=0) if rng.random() < 0.8 else None
            self.emit("load_u64", 3, 1, rng.choice((0, 0, 0, 4, 8)))
            if slot is not None:
                self.patch(slot)
        if kind == "tail":
            self.load_map(2, NAMES["programs"])
            self.emit("mov64_imm", 3, imm=rng.choice((0, 9)))
            self.call(12)
            self.guess.pop(0)
        inner = (Generator.arithmetic, Generator.spill, Generator.load, Generator.branch,
                 Generator.lookup, Wide.atomic)  # fmt: skip
        for _ in range(rng.randrange(0, 4)):
            self.fragment(rng.choice(inner))
        low = rng.random() < 0.85
        self.emit("mov64_imm", 0, imm=rng.choice((0, 0, 1)) if low else 2)
        if not low:
            self.move(0, self.any("scalar"))
        self.emit("exit")
        assert len(self.code) > depth

    def _mutated(self) -> list[Insn]:
        """The program with one field of one instruction changed."""
        rng, code = self.rng, list(self.code)
        slot = rng.randrange(len(code))
        insn = code[slot]
        if insn.op in (0, LDDW) or insn.op & 7 == 5:
            return code
        which = rng.randrange(4)
        if which == 0:
            code[slot] = insn._replace(dst=rng.randrange(11))
        elif which == 1 and insn.src:
            code[slot] = insn._replace(src=rng.randrange(11))
        elif which == 2 and insn.off:
            code[slot] = insn._replace(off=insn.off + rng.choice((-8, -1, 1, 8)))
        else:
            code[slot] = make("ja")
        return code

    # -- parts ---------------------------------------------------------------------------------

    def fresh_scalar(self) -> int:
        dst, way = self.target(), self.rng.randrange(3)
        if way == 0:
            self.emit("mov64_imm", dst, imm=self.number())
        else:
            self.call(7)
            self.emit("mov64_reg", dst, 0)
            if way == 2:
                self.emit("and64_imm", dst, imm=self.rng.choice((1, 3, 7, 15, 31, 63, 255, -8)))
        self.guess[dst] = "scalar"
        return dst

    def kfunc(self, name: str) -> None:
        self.code.append(Insn(0x85, 0, 2, 0, kfunc(name)))
        for r in range(6):
            self.guess.pop(r, None)

    def function(self, dst: int, kind: str) -> None:
        slot = self.emit("lddw_func", dst)
        self.code.append(Insn(0))
        self.wanted.append((slot, kind))

    def stack(self, dst: int, off: int) -> None:
        self.emit("mov64_reg", dst, 10)
        self.emit("add64_imm", dst, imm=off)

    def value(self, name: str, keep: int = 7) -> int:
        """A lookup in a map; the slot of the jump for null."""
        index = NAMES[name]
        self.emit("store32_imm", 10, off=-8, imm=self.rng.choice((0, 0, 1, 9)))
        self.stack(2, -8)
        self.load_map(1, index)
        self.call(1)
        slot = self.emit("jeq64_imm", 0, imm=0)
        self.emit("mov64_reg", keep, 0)
        self.guess.pop(keep, None)
        self.guess.pop(0, None)
        return slot

    def some(self, *more: Callable[[Generator], None]) -> None:
        """A fragment inside of another; what it needs to know of registers is kept."""
        small = (Generator.arithmetic, Generator.spill, Generator.load, Wide.atomic, *more)
        for _ in range(self.rng.randrange(0, 2)):
            self.fragment(self.rng.choice(small))

    # -- fragments -----------------------------------------------------------------------------

    def context(self) -> None:
        """A load or a store of a context's member, mostly a whole one."""
        rng, hook = self.rng, self.saved
        assert hook is not None
        for _ in range(rng.randrange(1, 4)):
            member = rng.choice(hook.fields) if hook.fields and rng.random() < 0.95 else None
            if member is not None:
                size = member.size if rng.random() < 0.9 else rng.choice((1, 2, 4, 8))
                off = member.offset + (rng.choice((1, 2, 4)) if rng.random() < 0.07 else 0)
            else:
                size, off = rng.choice((1, 2, 4, 8)), rng.choice((0, 4, 8, 16, 20, 64, 120, 200))
            size = size if size in (1, 2, 4, 8) else 8
            writes = member is not None and member.write and size == member.size
            if rng.random() < (0.6 if writes else 0.93):
                dst = rng.choice((0, 1, 2, 3, 7, 8))
                self.emit(f"load_u{8 * size}", dst, 6, off)
                plain = member is not None and member.kind == "scalar"
                self.guess[dst] = "scalar" if plain else "other"
            elif rng.random() < 0.5:
                self.emit(f"store{8 * size}_imm", 6, off=off, imm=self.number())
            else:
                self.emit(f"store{8 * size}_reg", 6, self.any("scalar"), off)

    def helper(self) -> None:
        """Any helper, with arguments of the kinds that it declares."""
        rng, hook = self.rng, self.saved
        assert hook is not None
        number = rng.randrange(1, 212)
        mine = sorted(hook.helpers | hook.more.get(int(self.place.partition(":")[2]), frozenset()))
        if mine and rng.random() < 0.9:
            name = rng.choice(mine)
            number = next(n for n in range(1, 212) if (h := helpers.by_id(n)) and h.name == name)
        found = helpers.by_id(number)
        if found is None or found.name in ("tail_call", "spin_lock", "spin_unlock"):
            return
        for regno, param in enumerate(found.at(self.hook)[0], 1):
            self._give(regno, param.kind, param.nullable, param.of or "")
        self.call(number)
        if found.at(self.hook)[1].kind not in SCALARS or found.result.kind == "void":
            self.guess.pop(0)
        elif rng.random() < 0.5:
            self.move(rng.choice((7, 8, 9)), 0)

    def _give(self, regno: int, kind: str, nullable: bool, of: str) -> None:
        rng = self.rng
        if rng.random() < 0.03 or (nullable and rng.random() < 0.3):
            self.emit("mov64_imm", regno, imm=0)
        elif kind == "ctx":
            self.emit("mov64_reg", regno, 6)
        elif kind == "map":
            fitting = [n for n, spec in enumerate(_specs()) if spec.type in of.split("|")]
            self.load_map(regno, rng.choice(fitting or [0, 0, 1, 9, rng.randrange(len(NAMES))]))
        elif kind in ("size", "size0", "alloc_size"):
            self.emit("mov64_imm", regno, imm=rng.choice((0, 1, 4, 8, 8, 16, 16, 32)))
        elif kind == "func":
            self.function(regno, "static")
        elif kind in SCALARS or kind == "scalar":
            near = rng.choice([r for r, k in self.guess.items() if k == "scalar" and r > 5] or [0])
            if near and rng.random() < 0.4:
                self.emit("mov64_reg", regno, near)
            else:
                self.emit("mov64_imm", regno, imm=rng.choice((0, 0, 0, 1, 2, 4, 8, 14, 255, -1)))
        else:
            self.stack(regno, -8 * rng.randrange(1, 9))

    def atomic(self) -> None:
        """Any atomic operation, on the stack."""
        rng = self.rng
        size, off = rng.choice((32, 64)), -8 * rng.randrange(1, 7)
        self.emit("store64_imm", 10, off=off, imm=1)
        which = rng.choice(("add", "or", "and", "xor", "xchg", "cmpxchg", "acquire", "release"))
        if which in ("acquire", "release"):
            size = rng.choice((8, 16, 32, 64))
        src = self.any("scalar")
        if which == "cmpxchg":
            self.emit("mov64_imm", 0, imm=1)
            self.guess[0] = "scalar"
        if which == "acquire":
            dst = self.target()
            self.emit(f"load_acquire{size}", dst, 10, off)
            self.guess[dst] = "scalar"
        elif which == "release":
            self.emit(f"store_release{size}", 10, src, off)
        else:
            fetch = "fetch_" if which[0] in "aox" and "xch" not in which else ""
            fetch = fetch if rng.random() < 0.5 else ""
            self.emit(f"atomic_{fetch}{which}{size}", 10, src, off)

    def call_global(self) -> None:
        kind = self.rng.choice(("wide", "pointed"))
        if kind == "wide":
            for r in (1, 2):
                self.move(r, self.any("scalar"))
        else:
            self.stack(1, -8 * self.rng.randrange(1, 6))
            self.emit("mov64_imm", 2, imm=3)
        self.wanted.append((self.emit("call_local"), kind))
        for r in range(1, 6):
            self.guess.pop(r, None)
        self.guess[0] = "scalar"

    def called_back(self) -> None:
        """bpf_loop, or bpf_for_each_map_elem."""
        rng = self.rng
        if rng.random() < 0.6:
            self.emit("mov64_imm", 1, imm=rng.choice((0, 1, 5, 100)))
            if rng.random() < 0.3:
                self.move(1, self.any("scalar"))
            number = 181
        else:
            self.load_map(1, rng.choice((0, 1, 8, 9, 2)))
            number = 164
        self.function(2, "back")
        self.stack(3, -rng.choice((8, 16)))
        if rng.random() < 0.2:
            self.emit("mov64_imm", 3, imm=0)
        self.emit("mov64_imm", 4, imm=0 if rng.random() < 0.97 else 1)
        self.call(number)

    def iterate(self) -> None:
        """A loop over numbers."""
        rng, at = self.rng, -8 * rng_between(self.rng, 1, 6)
        self.stack(1, at)
        self.emit("mov64_imm", 2, imm=rng.choice((0, 1, -3)))
        self.emit("mov64_imm", 3, imm=rng.choice((3, 10, 1000)))
        self.kfunc("bpf_iter_num_new")
        top = len(self.code)
        self.stack(1, at)
        self.kfunc("bpf_iter_num_next")
        out = self.emit("jeq64_imm", 0, imm=0) if rng.random() < 0.95 else None
        if rng.random() < 0.5:
            self.emit("load_u32", 8, 0, 0)
            self.guess[8] = "scalar"
        self.guess.pop(0, None)
        self.some()
        self.patch(self.emit("ja"), top)
        if out is None:
            return
        self.patch(out)
        self.stack(1, at)
        if rng.random() < 0.95:
            self.kfunc("bpf_iter_num_destroy")

    def region(self) -> None:
        """Something inside a region of RCU, preemption or interrupts."""
        rng = self.rng
        which = rng.choice(("rcu_read_lock rcu_read_unlock", "preempt_disable preempt_enable",
                            "local_irq_save local_irq_restore")).split()  # fmt: skip
        for at, name in enumerate(which):
            if rng.random() < 0.04:
                continue
            if "irq" in name:
                self.stack(1, -72)
            self.kfunc(f"bpf_{name}")
            if not at:
                self.some(Generator.lookup, Wide.helper, Wide.call_global)

    def dynptr(self) -> None:
        rng = self.rng
        way = rng.randrange(3)
        if way == 0:
            self.load_map(1, NAMES["ring"])
            self.emit("mov64_imm", 2, imm=rng.choice((8, 16, 64)))
            self.emit("mov64_imm", 3, imm=0)
            self.stack(4, -88)
            self.call(198)
        elif way == 1:
            slot = self.value("array")
            self.emit("mov64_reg", 1, 7)
            self.emit("mov64_imm", 2, imm=rng.choice((8, 48, 49)))
            self.emit("mov64_imm", 3, imm=0)
            self.stack(4, -88)
            self.call(197)
        else:
            self.emit("mov64_reg", 1, 6)
            self.emit("mov64_imm", 2, imm=0)
            self.stack(3, -88)
            self.kfunc("bpf_dynptr_from_xdp" if self.hook == "xdp" else "bpf_dynptr_from_skb")
        for _ in range(rng.randrange(0, 3)):
            self._use_dynptr()
        if (way == 0) == (rng.random() < 0.95):
            self.stack(1, -88)
            self.emit("mov64_imm", 2, imm=0)
            self.call(rng.choice((199, 200)))
        if way == 1:
            self.patch(slot)

    def _use_dynptr(self) -> None:
        rng, way = self.rng, self.rng.randrange(4)
        if way == 0:  # bpf_dynptr_read(dst, len, src, offset, flags)
            self.stack(1, -16)
            self.emit("mov64_imm", 2, imm=rng.choice((4, 8, 16)))
            self.stack(3, -88)
        elif way == 1:  # bpf_dynptr_write(dst, offset, src, len, flags)
            self.stack(1, -88)
            self.emit("mov64_imm", 2, imm=0)
            self.stack(3, -16)
            self.emit("mov64_imm", 4, imm=8)
            self.emit("mov64_imm", 5, imm=0)
            self.call(202)
            return
        elif way == 2:  # bpf_dynptr_data(ptr, offset, len)
            self.stack(1, -88)
            self.emit("mov64_imm", 2, imm=0)
            self.emit("mov64_imm", 3, imm=rng.choice((4, 8)))
            self.call(203)
            slot = self.emit("jeq64_imm", 0, imm=0)
            self.emit("load_u32", 1, 0, rng.choice((0, 0, 4, 8)))
            self.patch(slot)
            self.guess.pop(0, None)
            return
        else:  # bpf_dynptr_slice(ptr, offset, buffer, size)
            self.stack(1, -88)
            self.emit("mov64_imm", 2, imm=0)
            self.stack(3, -16)
            self.emit("mov64_imm", 4, imm=rng.choice((4, 8, 16)))
            name = rng.choice(("bpf_dynptr_slice", "bpf_dynptr_slice", "bpf_dynptr_slice_rdwr"))
            self.kfunc(name)
            slot = self.emit("jeq64_imm", 0, imm=0)
            if rng.random() < 0.7:
                self.emit("load_u32", 1, 0, rng.choice((0, 0, 4, 8)))
            else:
                self.emit("store32_imm", 0, off=0, imm=1)
            self.patch(slot)
            self.guess.pop(0, None)
            return
        self.emit("mov64_imm", 4, imm=0)
        self.emit("mov64_imm", 5, imm=0)
        self.call(201)

    def lock(self) -> None:
        """A value under its lock."""
        rng = self.rng
        slot = self.value("locked")
        for number in (93, 94):
            self.emit("mov64_reg", 1, 7)
            self.emit("add64_imm", 1, imm=LOCK if rng.random() < 0.97 else 8)
            if rng.random() < 0.97:
                self.call(number)
            if number == 93:
                off = rng.choice((8, 8, 16, 0, 4))
                if rng.random() < 0.5:
                    self.emit("store64_imm" if off else "store32_imm", 7, off=off, imm=1)
                self.some()
        self.patch(slot)

    def kept(self) -> None:
        """A task in a map: put there, taken out, read."""
        rng = self.rng
        slot = self.value("kept")
        way, out = rng.randrange(3), None
        if way == 0:
            self.emit("mov64_imm", 2, imm=0)
        elif way == 1:
            self.emit("mov64_imm", 1, imm=1)
            self.kfunc("bpf_task_from_pid")
            out = self.emit("jeq64_imm", 0, imm=0)
            self.emit("mov64_reg", 2, 0)
        else:
            self.emit("load_u64", 8, 7, TASK)
            if rng.random() < 0.9:
                out = self.emit("jeq64_imm", 8, imm=0)
            self.emit("load_u32", 0, 8, rng.choice((0, 8, 64, 1000)))
        if way < 2:
            self.emit("mov64_reg", 1, 7)
            self.emit("add64_imm", 1, imm=TASK if rng.random() < 0.95 else 0)
            self.call(194)
            if rng.random() < 0.95:
                null = self.emit("jeq64_imm", 0, imm=0)
                if rng.random() < 0.95:
                    self.emit("mov64_reg", 1, 0)
                    self.kfunc("bpf_task_release")
                self.patch(null)
        for each in (out, slot):
            if each is not None:
                self.patch(each)

    def objects(self) -> None:
        """An object of its own, in a list or tree or given back."""
        rng, types = self.rng, _types()
        tree = rng.random() < 0.4
        slot = self.value("graph", 8)
        self.code += [Insn(LDDW, 1, 0, 0, types.entry if tree else types.item), Insn(0)]
        self.emit("mov64_imm", 2, imm=0)
        self.kfunc("bpf_obj_new_impl")
        null = self.emit("jeq64_imm", 0, imm=0) if rng.random() < 0.97 else None
        self.emit("mov64_reg", 9, 0)
        self.guess.pop(9, None)
        self.emit("store64_imm", 9, off=rng.choice((0, 0, 0, 8, 48)), imm=5)
        if rng.random() < 0.3:
            self.emit("mov64_reg", 1, 9)
            self.emit("mov64_imm", 2, imm=0)
            self.kfunc("bpf_obj_drop_impl")
        else:
            self._under_lock(tree)
        for each in (null, slot):
            if each is not None:
                self.patch(each)

    def _under_lock(self, tree: bool) -> None:
        rng = self.rng
        self.emit("mov64_reg", 1, 8)
        self.emit("add64_imm", 1, imm=LOCK)
        locked = rng.random() < 0.97
        if locked:
            self.call(93)
        self.emit("mov64_reg", 1, 8)
        self.emit("add64_imm", 1, imm=ROOT if tree else HEAD)
        self.emit("mov64_reg", 2, 9)
        self.emit("add64_imm", 2, imm=8)
        if tree:
            self.function(3, "less")
        else:
            self.emit("mov64_imm", 3, imm=0)
        self.emit("mov64_imm", 4, imm=0)
        self.emit("mov64_imm", 5, imm=0)
        self.kfunc("bpf_rbtree_add_impl" if tree else "bpf_list_push_front_impl")
        if rng.random() < 0.3:
            self.emit("load_u64", 0, 9, 0)
        taken = not tree and rng.random() < 0.5
        if taken:
            self.emit("mov64_reg", 1, 8)
            self.emit("add64_imm", 1, imm=HEAD)
            self.kfunc("bpf_list_pop_front")
            self.emit("mov64_reg", 9, 0)
        if locked:
            self.emit("mov64_reg", 1, 8)
            self.emit("add64_imm", 1, imm=LOCK)
            self.call(94)
        if taken:
            null = self.emit("jeq64_imm", 9, imm=0)
            self.emit("mov64_reg", 1, 9)
            self.emit("add64_imm", 1, imm=-8)
            self.emit("mov64_imm", 2, imm=0)
            self.kfunc("bpf_obj_drop_impl")
            self.patch(null)

    def timer(self) -> None:
        slot = self.value("timed")
        self.emit("mov64_reg", 1, 7)
        self.load_map(2, NAMES["timed"])
        self.emit("mov64_imm", 3, imm=1)
        self.call(169)
        self.emit("mov64_reg", 1, 7)
        self.function(2, "later")
        self.call(170)
        self.patch(slot)

    def throw(self) -> None:
        dst = self.any("scalar")
        slot = self.emit("jgt64_imm", dst, imm=self.number())
        self.emit("mov64_imm", 1, imm=self.rng.choice((0, 0, 1, 5)))
        self.kfunc("bpf_throw")
        self.patch(slot)

    def socket(self) -> None:
        """A socket that is looked up, read, cast, and given back."""
        rng = self.rng
        self.emit("mov64_reg", 1, 6)
        self.stack(2, -24)
        self.emit("mov64_imm", 3, imm=rng.choice((12, 12, 36, 8)))
        self.emit("mov64_imm", 4, imm=-1)
        self.emit("mov64_imm", 5, imm=0)
        self.call(rng.choice((84, 85, 99)))
        self.guess.pop(0, None)
        null = self.emit("jeq64_imm", 0, imm=0) if rng.random() < 0.95 else None
        self.emit("mov64_reg", 9, 0)
        self.guess.pop(9, None)
        for _ in range(rng.randrange(0, 3)):
            way = rng.randrange(3)
            if way == 0:
                self.emit("load_u32", 1, 9, rng.choice((0, 4, 8, 44, 72, 76, 80)))
            elif way == 1:
                self.emit("mov64_reg", 1, 9)
                self.call(rng.choice((95, 96, 98, 136, 137)))
                other = self.emit("jeq64_imm", 0, imm=0)
                self.emit("load_u32", 1, 0, rng.choice((0, 4, 8)))
                self.patch(other)
                self.guess.pop(0, None)
            else:
                self.emit("store64_reg", 10, 9, -48)
        self.emit("mov64_reg", 1, 9)
        if rng.random() < 0.95:
            self.call(86)
        if rng.random() < 0.05:
            self.emit("load_u32", 1, 9, 0)
        if null is not None:
            self.patch(null)

    def first(self) -> None:
        """What is first in a tree: looked at, or taken out and given back."""
        rng = self.rng
        slot = self.value("graph", 8)
        self.emit("mov64_reg", 1, 8)
        self.emit("add64_imm", 1, imm=LOCK)
        self.call(93)
        self.emit("mov64_reg", 1, 8)
        self.emit("add64_imm", 1, imm=ROOT)
        self.kfunc(rng.choice(("bpf_rbtree_first", "bpf_rbtree_first", "bpf_rbtree_root")))
        some = self.emit("jne64_imm", 0, imm=0)
        self._unlock()
        leave = self.emit("ja")
        self.patch(some)
        self.emit("load_u64", 2, 0, rng.choice((-8, -8, 32, 0)))
        taken = rng.random() < 0.7
        if taken:
            self.emit("mov64_reg", 1, 8)
            self.emit("add64_imm", 1, imm=ROOT)
            self.emit("mov64_reg", 2, 0)
            self.kfunc("bpf_rbtree_remove")
            self.emit("mov64_reg", 9, 0)
        else:
            self.emit("mov64_reg", 9, 0)
        self.guess.pop(9, None)
        self._unlock()
        null = self.emit("jeq64_imm", 9, imm=0)
        if taken == (rng.random() < 0.95):
            if rng.random() < 0.3:
                self.emit("mov64_reg", 1, 9)
                self.emit("add64_imm", 1, imm=-8)
                self.emit("mov64_imm", 2, imm=0)
                self.kfunc("bpf_refcount_acquire_impl")
                self.emit("mov64_reg", 1, 0)
                self.emit("mov64_imm", 2, imm=0)
                self.kfunc("bpf_obj_drop_impl")
            self.emit("mov64_reg", 1, 9)
            self.emit("add64_imm", 1, imm=-8)
            self.emit("mov64_imm", 2, imm=0)
            self.kfunc("bpf_obj_drop_impl")
        for each in (null, leave, slot):
            self.patch(each)

    def _unlock(self) -> None:
        self.emit("store64_reg", 10, 0, -80)
        self.emit("mov64_reg", 1, 8)
        self.emit("add64_imm", 1, imm=LOCK)
        self.call(94)
        self.emit("load_u64", 0, 10, -80)
        self.guess.pop(0, None)

    def task(self) -> None:
        """The current task, and tasks that it points to."""
        rng = self.rng
        self.call(158)
        self.emit("mov64_reg", 7, 0)
        self.guess.pop(7, None)
        self.guess.pop(0, None)
        inside = rng.random() < 0.5
        if inside:
            self.kfunc("bpf_rcu_read_lock")
        where = {name: _member("task_struct", name) for name in
                 ("pid", "parent", "real_parent", "cpus_ptr", "mm", "flags")}  # fmt: skip
        name = rng.choice(list(where))
        self.emit("load_u64", 8, 7, where[name])
        self.guess.pop(8, None)
        if rng.random() < 0.6:
            null = self.emit("jeq64_imm", 8, imm=0)
            self.emit("load_u32", 9, 8, rng.choice((0, 8, where["pid"])))
            self.guess[9] = "other"
            self.patch(null)
        elif name in ("parent", "real_parent"):
            self.emit("mov64_reg", 1, 8)
            self.kfunc("bpf_task_acquire")
            null = self.emit("jeq64_imm", 0, imm=0)
            self.emit("mov64_reg", 1, 0)
            self.kfunc("bpf_task_release")
            self.patch(null)
        if inside:
            self.kfunc("bpf_rcu_read_unlock")

    def jump_on(self) -> None:
        self.emit("mov64_reg", 1, 6)
        self.load_map(2, NAMES["programs"])
        self.emit("mov64_imm", 3, imm=self.rng.choice((0, 1, 9)))
        self.call(12)
        if self.rng.random() < 0.95:
            self.guess.pop(0)

    def leave(self) -> None:
        """A tail call in a function."""
        self.emit("mov64_reg", 1, 6)
        self.wanted.append((self.emit("call_local"), "tail"))
        for r in range(1, 6):
            self.guess.pop(r, None)
        self.guess[0] = "scalar"

    def order(self) -> None:
        """Another order of bytes."""
        dst, rng = self.any("scalar"), self.rng
        if dst != 10:
            self.emit(f"{rng.choice(('le', 'be', 'bswap'))}{rng.choice((16, 32, 64))}", dst)

    def may_goto(self) -> None:
        """A loop that the kernel ends."""
        top = len(self.code)
        slot = self.emit("may_goto")
        self.some(Generator.branch)
        self.patch(self.emit("ja"), top)
        self.patch(slot)

    fragments: tuple[Callable[[Generator], None], ...] = (
        context, context, helper, helper, helper, atomic, call_global, called_back, iterate, region,
        dynptr, lock, kept, objects, timer, throw, jump_on, may_goto,
        leave, order, order, socket, first, task,
    )  # fmt: skip


def rng_between(rng: random.Random, low: int, high: int) -> int:
    """A number of a range."""
    return rng.randrange(low, high)


@cache
def _types() -> Types:
    return Types()


@cache
def _specs() -> list[MapSpec]:
    return [spec for spec, _ in _types().maps()]


def _locked_down() -> bool:
    """Whether this kernel lets no program write the memory of processes."""
    code = parse("r1 = 0; r2 = r10; r2 += -8; r3 = 8; call 36; r0 = 0; exit").insns
    try:
        LinuxProgram.load(code, "kprobe").close()
    except KernelError:
        return True
    return False


class WideBoth(Both):
    """Both verifiers, at all hooks; a hook is named with its attach type."""

    def __init__(self) -> None:
        self.types = _types()
        self.btf = load_bytes(self.types.bytes)
        self.maps, self.infos = [], list[MapInfo]()
        self.specs, self.locked = _specs(), _locked_down()
        for spec, typed in self.types.maps():
            self.maps.append(LinuxMap.from_spec(spec, self.btf if typed else None, None))
            btf = self.types.btf if typed else None
            self.infos.append(map_info(spec, btf, running_kernel() if typed else None))
        self.fds = [m.fd.fileno() for m in self.maps]
        assert [info.name for info in self.infos] == list(NAMES)

    def funcs(self, code: Sequence[Insn]) -> list[FuncInfo]:
        """The functions of a program, with their types."""
        ids = {start: getattr(self.types, kind) for start, kind in starts(code).items()}
        btf = self.types.btf
        return [FuncInfo(btf.type(id).name, start, id) for start, id in ids.items()]

    def kernel(self, code: list[Insn], hook: str) -> tuple[bool, str]:
        name, _, kind = hook.partition(":")
        found = hooks.by_name(name)
        assert found is not None
        info = b"".join(struct.pack("=II", f.start, f.btf_id) for f in self.funcs(code))
        flags = 1 << 4 if name == "syscall" else 0
        # A map of programs belongs to the kind of program that first used it.
        index = NAMES["programs"]
        shared, own = self.fds[index], LinuxMap.from_spec(self.specs[index], None, None)
        code = [insn._replace(imm=own.fd.fileno()) if insn.op == LDDW and insn.src == 1
                and insn.imm == shared else insn for insn in code]  # fmt: skip
        try:
            LinuxProgram.load(
                code, PROG_TYPE_NAMES[found.prog_type], attach_type=int(kind), flags=flags,
                btf=self.btf, func_info=info,
            ).close()  # fmt: skip
            return True, ""
        except VerifierError as error:
            return False, "; ".join(digest(error.log)[:2])
        except KernelError as error:
            return False, str(error).split("\n")[0]
        finally:
            own.close()

    def ebee(self, code: list[Insn], hook: str, profile: Profile = PATIENT) -> Verdict:
        name, _, kind = hook.partition(":")
        found = hooks.by_name(name)
        assert found is not None
        pseudo = {}
        for slot, insn in enumerate(code):
            if insn.op == LDDW and insn.src == 1:
                pseudo[slot] = ("map", self.infos[self.fds.index(insn.imm)], 0)
        made = Program("fuzz", code, found, int(kind), pseudo=pseudo, btf=self.types.btf)
        made.flags = 1 << 4 if name == "syscall" else 0
        made.funcs = self.funcs(code)
        for start, what in starts(code).items():
            made.linkage[start] = "static" if what == "static" else "global"
        return check_program(made, replace(profile, lockdown=self.locked))


@cache
def both() -> WideBoth:
    """The one of this process."""
    return WideBoth()
