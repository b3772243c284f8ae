"""Random programs through ebee's verifier and the running kernel's: who accepts what.

    python scripts/fuzz_verifier.py [--count 1000] [--seed 1] [--from 0] [--seconds S] [--run]

Programs are built of fragments that are mostly right (a bounds check and a load, a lookup and a
null check, a spill and a fill, a loop, a call) with registers and constants chosen at random, so
that both verdicts are common. What ebee accepts and the kernel rejects is cut down and printed,
and makes the status non-zero. Needs root; in the kernel programs are loaded and never run. Long
runs that can be taken up again: `scripts/fuzz.py verifier`. Seeds that begin with "wide" make
programs of all hooks, with kernel functions, callbacks and objects (fuzz_wide).
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ebee import hooks, maps
from ebee.errors import KernelError, MachineError, VerifierError
from ebee.isa import Insn, listing, make
from ebee.isa.insn import LDDW
from ebee.linux.host import possible_cpus
from ebee.linux.maps import LinuxMap
from ebee.linux.programs import LinuxProgram, digest
from ebee.machine.machine import Machine
from ebee.machine.vm import ProgramFault
from ebee.obj.spec import MapSpec, ObjectSpec, ProgramSpec, Ref
from ebee.verifier.core.check import Verdict, check_program
from ebee.verifier.core.profile import PROFILES, Profile
from ebee.verifier.core.program import MapInfo, Program

WIDE = "wide"
"""How seeds begin whose programs are of any hook (fuzz_wide)."""

RUNS = ("xdp",)
"""Hooks whose context the machine's test runs have."""

LENGTHS = (14, 15, 22, 64, 200)
"""Lengths of packets to run on."""


def _version() -> str:
    """The version of the running kernel, if there is a profile of it."""
    release = ".".join(os.uname().release.split(".")[:2])
    return release if release in PROFILES else "6.18"


PROFILE, PATIENT = (
    replace(PROFILES[_version()], max_processed=n, cpus=possible_cpus()) for n in (2_500, 20_000)
)
"""Loops of a million rounds would take all the time; one program of 16 may take more of it."""

HOOKS = {"xdp": "xdp", "tc": "sched_cls", "socket_filter": "socket_filter"}
SPECS = (
    MapSpec("array", "array", 4, 48, 4), MapSpec("hash", "hash", 8, 24, 16),
    MapSpec("ring", "ringbuf", 0, 0, 4096),
)  # fmt: skip
NUMBERS = (0, 1, 2, 3, 4, 7, 8, 14, 15, 16, 31, 32, 40, 47, 48, 63, 64, 255, 256, 511, 512, 0x7FFF,
           0xFFFF, 0x10000, 0x7FFFFFFF, -1, -2, -8, -14, -64, -0x80000000)  # fmt: skip
ALU = ("add", "sub", "mul", "div", "mod", "or", "and", "xor", "lsh", "rsh", "arsh", "mov")
JUMPS = ("jeq", "jne", "jgt", "jge", "jlt", "jle", "jsgt", "jsge", "jslt", "jsle", "jset")


def _inside_slot(rng: random.Random, size: int) -> int:
    """An offset inside a slot of the stack: mostly aligned, mostly its beginning."""
    if rng.random() < 0.7:
        return 0
    return rng.randrange(0, 8, size // 8) if rng.random() < 0.97 else rng.randrange(8)


class Generator:
    """One random program. `guess`: what a register probably holds."""

    def __init__(self, rng: random.Random, hook: str, fds: Sequence[int]):
        self.rng, self.hook, self.fds = rng, hook, fds
        self.code: list[Insn] = []
        self.maps: dict[int, int] = {}
        self.calls: list[int] = []  # slots of calls, to be pointed at the one subprogram
        self.guess: dict[int, str] = {1: "ctx", 10: "stack"}

    def make(self) -> list[Insn]:
        """The program."""
        rng = self.rng
        self.move(6, 1)
        for _ in range(rng.randrange(2, 14)):
            self.fragment(rng.choice(self.fragments))
        self.emit("mov64_imm", 0, imm=rng.choice((0, 1, 2)))
        self.emit("exit")
        if self.calls:
            start = len(self.code)
            for slot in self.calls:
                self.code[slot] = self.code[slot]._replace(imm=start - slot - 1)
            self.calls = []
            self.guess = {i: rng.choice(("scalar", "stack")) for i in range(1, 6)}
            self.guess[10] = "stack"
            inner = (Generator.arithmetic, Generator.spill, Generator.load, Generator.branch,
                     Generator.lookup)  # fmt: skip
            for _ in range(rng.randrange(1, 5)):
                self.fragment(rng.choice(inner))
            self.move(0, self.any("scalar"))
            self.emit("exit")
        return self.code

    # -- small parts ---------------------------------------------------------------------------

    def emit(self, name: str, dst: int = 0, src: int = 0, off: int = 0, imm: int = 0) -> int:
        self.code.append(make(name, dst, src, off, imm))
        return len(self.code) - 1

    def patch(self, slot: int, to: int | None = None) -> None:
        """Point a jump at a slot, or at what comes next."""
        where = len(self.code) if to is None else to
        self.code[slot] = self.code[slot]._replace(off=where - slot - 1)

    def move(self, dst: int, src: int) -> None:
        self.emit("mov64_reg", dst, src)
        self.guess[dst] = self.guess.get(src, "scalar")

    def any(self, kind: str) -> int:
        """A register that probably holds such a thing (rarely: any register)."""
        found = [r for r, k in self.guess.items() if k == kind]
        if found and self.rng.random() < 0.995:
            return self.rng.choice(found)
        if kind == "scalar":
            return self.fresh_scalar()
        return self.rng.choice(list(self.guess))

    def target(self) -> int:
        return self.rng.choice((0, 1, 2, 3, 4, 5, 7, 8, 9))

    def number(self) -> int:
        if self.rng.random() < 0.7:
            return self.rng.choice(NUMBERS)
        return self.rng.randrange(-0x80000000, 0x80000000)

    def fresh_scalar(self) -> int:
        """A scalar of which nothing, or little, or all is known."""
        dst, rng = self.target(), self.rng
        way = rng.randrange(4)
        if way == 0:
            self.emit("mov64_imm", dst, imm=self.number())
        elif way == 1:
            self.call(7)
            self.emit("mov64_reg", dst, 0)
        else:
            self.emit("load_u32", dst, 6, 12 if self.hook == "xdp" else 0)
            if way == 3:
                self.emit("and64_imm", dst, imm=rng.choice((1, 3, 7, 15, 31, 63, 255, -8)))
        self.guess[dst] = "scalar"
        return dst

    def call(self, number: int) -> None:
        self.emit("call_helper", imm=number)
        for r in range(1, 6):
            self.guess.pop(r, None)
        self.guess[0] = "scalar"

    def load_map(self, dst: int, index: int) -> None:
        slot = self.emit("lddw_map_fd", dst, imm=self.fds[index])
        self.code.append(Insn(0))
        self.maps[slot] = index

    # -- fragments -----------------------------------------------------------------------------

    def fragment(self, which: Callable[[Generator], None]) -> None:
        which(self)

    def arithmetic(self) -> None:
        rng = self.rng
        for _ in range(rng.randrange(1, 5)):
            dst, name, bits = self.any("scalar"), rng.choice(ALU), rng.choice((64, 64, 32))
            if dst == 10:
                continue
            way = rng.random()
            if way < 0.08:
                self.emit(f"neg{bits}", dst)
            elif way < 0.15:
                size = rng.choice((8, 16, 32) if bits == 64 else (8, 16))
                self.emit(f"movsx{size}_{bits}", dst, self.any("scalar"))
            elif way < 0.55:
                imm = self.number()
                if name in ("lsh", "rsh", "arsh"):
                    imm = rng.randrange(bits)
                if name in ("div", "mod"):
                    imm = imm or 3
                self.emit(f"{name}{bits}_imm", dst, imm=imm)
            else:
                self.emit(f"{name}{bits}_reg", dst, self.any("scalar"))

    def branch(self) -> None:
        """A comparison, and something that only one side does."""
        rng = self.rng
        dst, name, bits = self.any("scalar"), rng.choice(JUMPS), rng.choice((64, 64, 32))
        if rng.random() < 0.6:
            slot = self.emit(f"{name}{bits}_imm", dst, imm=self.number())
        else:
            slot = self.emit(f"{name}{bits}_reg", dst, self.any("scalar"))
        before = dict(self.guess)
        if rng.random() < 0.3:
            self.emit("mov64_imm", 0, imm=0)
            self.emit("exit")
        else:
            for _ in range(rng.randrange(1, 3)):
                self.arithmetic()
        self.guess = {r: k for r, k in self.guess.items() if before.get(r) == k} | {10: "stack"}
        self.patch(slot)

    def spill(self) -> None:
        rng, src = self.rng, self.rng.choice(list(self.guess))
        off = -8 * rng.randrange(1, 6)
        size = rng.choice((64, 64, 64, 32, 16, 8))
        if self.guess[src] != "scalar" and rng.random() < 0.95:
            size = 64
        off += _inside_slot(rng, size)
        if rng.random() < 0.25:
            self.emit(f"store{size}_imm", 10, off=off, imm=self.number())
        else:
            self.emit(f"store{size}_reg", 10, src, off)

    def load(self) -> None:
        rng, dst = self.rng, self.target()
        size = rng.choice((64, 64, 64, 32, 16, 8))
        off = -8 * rng.randrange(1, 6) + _inside_slot(rng, size)
        name = f"load_s{size}" if size < 64 and rng.random() < 0.2 else f"load_u{size}"
        self.emit(name, dst, 10, off)
        self.guess[dst] = "scalar" if size < 64 or rng.random() < 0.3 else "other"

    def variable_stack(self) -> None:
        """A stack access at an offset that is bounded by a mask."""
        rng, index = self.rng, self.fresh_scalar()
        self.emit("and64_imm", index, imm=rng.choice((1, 3, 7, 8, 15, 24, 56)))
        base = rng.choice([r for r in (7, 8, 9) if r != index])
        self.move(base, 10)
        self.emit("add64_imm", base, imm=-rng.choice((8, 16, 32, 64)))
        self.emit("add64_reg", base, index)
        self.guess[base] = "other"
        size = rng.choice((64, 32, 8))
        if rng.random() < 0.5:
            self.emit(f"store{size}_reg", base, self.any("scalar"), 0)
        else:
            dst = self.target()
            self.emit(f"load_u{size}", dst, base, 0)
            self.guess[dst] = "scalar"

    def packet(self) -> None:
        """A check against the packet's end, and accesses around it."""
        rng = self.rng
        if self.hook == "socket_filter" and rng.random() < 0.98:
            return
        data, end = rng.sample((2, 3, 4, 5, 7, 8, 9), 2)
        where = (0, 4) if self.hook == "xdp" else (76, 80)
        self.emit("load_u32", data, 6, where[0])
        self.emit("load_u32", end, 6, where[1])
        at = rng.choice([r for r in (0, 1, 2, 3, 4, 5, 7, 8, 9) if r not in (data, end)])
        if rng.random() < 0.3:
            index = self.any("scalar")
            if index not in (data, end, 10):
                self.emit("and64_imm", index, imm=rng.choice((7, 31, 255, 0xFFFF)))
                self.emit("add64_reg", data, index)
        self.move(at, data)
        size = rng.choice((1, 4, 8, 14, 20))
        self.emit("add64_imm", at, imm=size)
        left = rng.random() < 0.6
        name = rng.choice(("jgt", "jgt", "jge", "jlt", "jle"))
        slot = self.emit(f"{name}64_reg", *((at, end) if left else (end, at)))
        good = (name in ("jgt", "jge")) == left
        length = rng.choice((1, 2, 4, 8))
        bits, off = 8 * length, max(size - length + rng.choice((0,) * 12 + (-1, 1)), 0)

        def use() -> None:
            if rng.random() < 0.7:
                dst = rng.choice([r for r in (0, 1, 5, 7, 8, 9) if r not in (data, end)])
                self.emit(f"load_u{bits}", dst, data, off)
            else:
                self.emit(f"store{bits}_imm", data, off=off, imm=1)

        if good:
            use()
            self.patch(slot)
        else:
            leave = self.emit("ja")
            self.patch(slot)
            use()
            self.patch(leave)
        for r in (data, end, at, 0, 1, 5, 7, 8, 9):
            self.guess.pop(r, None)
        self.guess[10] = "stack"

    def lookup(self) -> None:
        """A lookup, mostly a null check, and accesses to the value."""
        rng, index = self.rng, self.rng.choice((0, 1))
        key = SPECS[index].key_size
        imm = rng.choice((0, 1, 3, 4, 9))
        self.emit(f"store{rng.choice((8 * key, 64))}_imm", 10, off=-8, imm=imm)
        self.move(2, 10)
        self.emit("add64_imm", 2, imm=-8)
        self.load_map(1, index)
        self.call(1)
        size = SPECS[index].value_size
        slot = self.emit("jeq64_imm", 0, imm=0) if rng.random() < 0.93 else None
        pointer = rng.choice((0, 7, 8, 9))
        if pointer:
            self.move(pointer, 0)
        self.guess.pop(pointer, None)
        if rng.random() < 0.5:
            offset = self.any("scalar")
            if offset != pointer and offset != 10:
                if rng.random() < 0.5:
                    self.emit("and64_imm", offset, imm=rng.choice((7, 15, 31, 16)))
                else:
                    skip = self.emit(f"jgt{rng.choice((64, 32))}_imm", offset,
                                     imm=rng.choice((size - 8, size - 1, size, 7)))  # fmt: skip
                    self.emit(rng.choice(("add64_reg", "add64_reg", "sub64_reg")), pointer, offset)
                    self._value(pointer, size)
                    self.patch(skip)
                    if slot is not None:
                        self.patch(slot)
                    self.guess.pop(0, None)
                    return
                self.emit("add64_reg", pointer, offset)
        self._value(pointer, size)
        if slot is not None:
            self.patch(slot)
        self.guess.pop(0, None)

    def _value(self, pointer: int, size: int) -> None:
        rng, length = self.rng, self.rng.choice((1, 2, 4, 8))
        off = rng.choice((0, 0, 0, 0, 4, 8) * 3 + (size - length, size - length + 1, -1))
        if rng.random() < 0.5:
            dst = rng.choice((1, 2, 3, 4, 5))
            self.emit(f"load_u{8 * length}", dst, pointer, off)
            self.guess.pop(dst, None)
        elif rng.random() < 0.3 and length >= 4:
            self.emit("mov64_imm", 1, imm=1)
            self.emit(f"atomic_fetch_add{8 * length}", pointer, 1, off)
            self.guess[1] = "scalar"
        else:
            self.emit(f"store{8 * length}_imm", pointer, off=off, imm=self.number())

    def loop(self) -> None:
        """A loop with a bound, known or looked at."""
        rng, counter = self.rng, self.rng.choice((7, 8, 9))
        self.emit("mov64_imm", counter, imm=0)
        self.guess[counter] = "other"
        top = len(self.code)
        for _ in range(rng.randrange(1, 3)):
            rng.choice((Generator.arithmetic, Generator.spill, Generator.load))(self)
        self.emit("add64_imm", counter, imm=rng.choice((1, 1, 1, 2, 3)))
        name = rng.choice(("jlt64_imm", "jlt64_imm", "jne64_imm", "jlt32_imm", "jslt64_imm"))
        slot = self.emit(name, counter, imm=rng.choice((2, 3, 5, 8, 12)))
        self.patch(slot, top)
        self.guess[counter] = "scalar"

    def subprogram(self) -> None:
        rng = self.rng
        for r in range(1, 6):
            if rng.random() < 0.7:
                self.move(r, self.any(rng.choice(("scalar", "stack"))))
            else:
                self.emit("mov64_imm", r, imm=self.number())
        self.calls.append(self.emit("call_local"))
        for r in range(1, 6):
            self.guess.pop(r, None)
        self.guess[0] = "scalar"

    def reserve(self) -> None:
        """A record of a ring buffer: written, and (mostly) given back."""
        rng = self.rng
        self.load_map(1, 2)
        size = rng.choice((8, 16, 24))
        self.emit("mov64_imm", 2, imm=size)
        self.emit("mov64_imm", 3, imm=0)
        self.call(131)
        self.guess.pop(0, None)
        slot = self.emit("jeq64_imm", 0, imm=0) if rng.random() < 0.95 else None
        self.emit("store64_imm", 0, off=rng.choice((0, 8, size - 8, size)), imm=5)
        if rng.random() < 0.9:
            self.emit("mov64_reg", 1, 0)
            self.emit("mov64_imm", 2, imm=0)
            self.call(rng.choice((132, 133)))
            self.guess.pop(0, None)
        if slot is not None:
            self.patch(slot)
        self.guess = {r: k for r, k in self.guess.items() if r > 5}

    def change(self) -> None:
        """Helpers with sizes that may be anything."""
        rng = self.rng
        size = self.any("scalar")
        self.move(2, size) if size != 2 else None
        if rng.random() < 0.6:
            self.emit("and64_imm", 2, imm=rng.choice((7, 15, 31)))
        self.move(1, 10)
        self.emit("add64_imm", 1, imm=rng.choice((-8, -16, -32, -40)))
        for r in (3, 4):
            self.emit("mov64_imm", r, imm=0)
        self.emit("mov64_imm", 5, imm=0)
        self.call(rng.choice((28, 16, 8, 14)))

    fragments: tuple[Callable[[Generator], None], ...] = (
        arithmetic, arithmetic, arithmetic, branch, branch, spill, spill, load, load,
        variable_stack, packet, packet, lookup, lookup, loop, subprogram, reserve, change,
    )  # fmt: skip


class Runner:
    """Runs what was accepted on the machine's interpreter, which checks every access."""

    def __init__(self) -> None:
        self.machine = Machine(1, seed=1)
        self.maps = {spec.name: self.machine.create_map(spec) for spec in SPECS}
        for key in range(4):
            self.maps["array"].update(key.to_bytes(4, "little"), bytes(range(48)))

    def faults(self, code: list[Insn], hook: str, fds: Sequence[int], rng: random.Random) -> str:
        """What goes wrong on packets of several lengths; "" when nothing does, or the machine does
        not take the program."""
        spec = ObjectSpec("fuzz", maps={m.name: m for m in SPECS}, license="GPL")
        code, refs = list(code), []
        for slot, insn in enumerate(code):
            if insn.op == LDDW and insn.src == 1:
                refs.append(Ref(slot, "map", SPECS[fds.index(insn.imm)].name))
                code[slot] = insn._replace(imm=0)
        spec.programs["fuzz"] = ProgramSpec("fuzz", hook, code, refs, hook=hook)
        try:
            loaded = self.machine.load(spec, ["fuzz"], **self.maps)
        except MachineError:
            return ""
        with loaded as made:
            for length in LENGTHS:
                try:
                    made.programs["fuzz"].test_run(rng.randbytes(length))
                except ProgramFault as error:
                    return f"{length} bytes of packet: {error}"
        return ""


class Both:
    """Both verifiers, with the same maps."""

    def __init__(self) -> None:
        self.maps = [LinuxMap.from_spec(spec, None, None) for spec in SPECS]
        self.infos = [_info(spec) for spec in SPECS]
        self.fds = [m.fd.fileno() for m in self.maps]

    def kernel(self, code: list[Insn], hook: str) -> tuple[bool, str]:
        """Whether the kernel accepts, and what it says if not."""
        try:
            LinuxProgram.load(code, HOOKS[hook]).close()
            return True, ""
        except VerifierError as error:
            return False, "; ".join(digest(error.log)[:1])
        except KernelError as error:
            return False, str(error).split("\n")[0]

    def ebee(self, code: list[Insn], hook: str, profile: Profile = PATIENT) -> Verdict:
        """ebee's verdict."""
        found = hooks.by_name(hook)
        assert found is not None
        pseudo = {}
        for slot, insn in enumerate(code):
            if insn.op == LDDW and insn.src == 1:
                pseudo[slot] = ("map", self.infos[self.fds.index(insn.imm)], 0)
        return check_program(Program("fuzz", code, found, pseudo=pseudo), profile)

    def differs(self, code: list[Insn], hook: str) -> bool:
        """A false accept."""
        return self.ebee(code, hook).accepted and not self.kernel(code, hook)[0]

    def cut(self, code: list[Insn], hook: str) -> list[Insn]:
        """The same fault in fewer instructions: what can be is replaced by `goto +0`."""
        nothing, slot = make("ja"), 0
        while slot < len(code):
            width = 2 if code[slot].op == LDDW else 1
            made = code[:slot] + [nothing] * width + code[slot + width :]
            if code[slot] != nothing and self.differs(made, hook):
                code = made
            slot += width
        return code


def _info(spec: MapSpec) -> MapInfo:
    kind = maps.by_name(spec.type)
    assert kind is not None
    return MapInfo(spec.name, kind, spec.key_size, spec.value_size, spec.max_entries, spec.flags)


@dataclass
class Trial:
    """One program, and what was said of it. `same`: the same final message; `fault`: what went
    wrong on the machine, where it `ran`."""

    name: str
    hook: str
    code: list[Insn]
    verdict: Verdict
    kind: str
    words: str = ""
    same: bool = False
    ran: bool = False
    fault: str = ""

    def counts(self) -> Counter[str]:
        """Itself, to be summed up."""
        found = Counter({self.kind: 1, "processed": self.verdict.processed})
        found["same final message"] = self.same
        found["run"], found["faults when run"] = self.ran, bool(self.fault)
        return +found


def trial(both: Both, seed: str | int, number: int, runner: Runner | None = None) -> Trial:
    """The program of a number: both verdicts, and a run of what both accept."""
    rng = random.Random(f"{seed}/{number}")
    if str(seed).startswith(WIDE):
        import fuzz_wide

        both = fuzz_wide.both()
        hook = rng.choice(fuzz_wide.places())
        code = fuzz_wide.Wide(rng, hook, both.fds).make()
    else:
        hook = rng.choice(list(HOOKS))
        code = Generator(rng, hook, both.fds).make()
    verdict = both.ebee(code, hook, PROFILE if number % 16 else PATIENT)
    found = Trial(f"{seed}/{number}", hook, code, verdict, "too long")
    if verdict.id == "too-complex":
        return found  # the kernel would walk a million instructions
    accepted, found.words = both.kernel(code, hook)
    found.kind = _kind(verdict, accepted)
    found.same = not accepted and verdict.message.split("\n")[-1] in found.words
    if runner is not None and verdict.accepted and accepted and hook in RUNS:
        found.ran, found.fault = True, runner.faults(code, hook, both.fds, rng)
    return found


def show(both: Both, found: Trial) -> str:
    """A trial for reading, a false accept cut down."""
    code, words = found.code, found.words
    if found.name.startswith(WIDE):
        import fuzz_wide

        both = fuzz_wide.both()
    if found.kind == "false accept":
        code = both.cut(code, found.hook)
        words = both.kernel(code, found.hook)[1]
    what = found.fault or f"{found.verdict}\n  kernel: {words}"
    return f"{found.kind}: {found.name}, {found.hook}: {what}\n{listing(code)}"


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", default="1")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the first number")
    parser.add_argument("--seconds", type=float, default=1e9, help="stop after so long")
    parser.add_argument("--show", type=int, default=3, help="differences to print")
    parser.add_argument("--run", action="store_true", help="run what is accepted, with checks")
    parser.add_argument("--rejects", action="store_true", help="print false rejects as well")
    given = parser.parse_args()
    both, kinds, shown = Both(), Counter[str](), 0
    runner = Runner() if given.run else None
    messages: Counter[str] = Counter()
    causes: Counter[str] = Counter()
    start, done = time.monotonic(), 0
    for number in range(given.first, given.first + given.count):
        if time.monotonic() - start > given.seconds:
            break
        found = trial(both, given.seed, number, runner)
        done += 1
        kinds += found.counts()
        if found.kind == "agree: rejected":
            causes[found.verdict.id] += 1
            if not found.same:
                messages[f"{found.verdict.message!r} / {found.words!r}"] += 1
        bad = found.kind == "false accept" or found.fault
        if (bad or (found.kind == "false reject" and given.rejects)) and shown < given.show:
            shown += 1
            print(show(both, found))
    for text, count in messages.most_common(5):
        print(f"{count:5} {text}")
    print("rejected for:", ", ".join(f"{cause} {n}" for cause, n in causes.most_common()))
    for kind, count in sorted(kinds.items()):
        print(f"{kind:20} {count:7}")
    print(f"{done:,} programs in {time.monotonic() - start:.0f} s")
    return bool(kinds["false accept"] or kinds["faults when run"])


def _kind(verdict: Verdict, accepted: bool) -> str:
    if verdict.outcome == "unknown":
        return "does not know"
    if verdict.accepted:
        return "agree: accepted" if accepted else "false accept"
    return "false reject" if accepted else "agree: rejected"


if __name__ == "__main__":
    sys.exit(main())
