"""Holds the facts of a program against what its registers really are, step by step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ebee import hooks
from ebee.errors import MachineError
from ebee.isa import parse
from ebee.isa.insn import FP, U64
from ebee.machine.code import Code, prepare
from ebee.machine.interp import Interpreter
from ebee.machine.machine import Machine
from ebee.obj.spec import FuncInfo, Linked, MapSpec, Ref
from ebee.verifier.facts import Fact, Facts

MAPS = (
    MapSpec("table", "array", 4, 64, 4),
    MapSpec("flows", "hash", 4, 16, 8),
)


class Lie(AssertionError):
    """A fact that does not hold."""


class Witness:
    """One machine; `watch` runs programs on it and raises `Lie`."""

    def __init__(self, maps: Sequence[MapSpec] = MAPS) -> None:
        self.machine = Machine(clock=0, seed=1)
        self.maps = {m.name: self.machine.create_map(m) for m in maps}
        for m in maps:
            if m.type == "hash":
                self.maps[m.name].update(bytes(m.key_size), bytes(m.value_size))
        self.text = self.machine.memory.allocate("code", 1 << 20)

    def prepare(self, text: str) -> Code:
        """Assemble an XDP program; `map[NAME]` are the maps, labels behind `func_` functions."""
        return self.place(linked(text))

    def place(self, made: Linked) -> Code:
        """An XDP program, ready to run."""
        addresses = {name: m.address for name, m in self.maps.items()}
        return prepare(made, hooks.by_name("xdp"), addresses, self.text.base)

    def watch(
        self, code: Code, packet: bytes, steps: int = 3000, facts: Facts | None = None
    ) -> int:
        """Run a program, at the most for so many steps or until it faults, and look at all facts
        (those given, or the code's own) before each; how many steps it were."""
        facts = facts or code.facts
        cpu = self.machine.cpus[0]
        cpu.put_packet(packet)
        vm = Interpreter(self.machine, cpu, {})
        vm.start(code, cpu.context.base, budget=steps)
        calls: list[tuple[int, int, Counter[int]]] = []
        done = 0
        while not vm.done:
            if len(vm.frames) > len(calls):
                calls.append((vm.slot, vm.regs[FP], Counter()))
            del calls[len(vm.frames) :]
            self.look(vm, facts, calls)
            try:
                vm.step()
            except MachineError:
                break
            done += 1
        return done

    def look(
        self, vm: Interpreter, facts: Facts, calls: list[tuple[int, int, Counter[int]]]
    ) -> None:
        slot = vm.slot
        if facts.before[slot] is None:
            raise Lie(f"slot {slot} runs")
        for register in range(11):
            fact, value = facts.reg(slot, register), vm.regs[register]
            why = self.lie(vm, fact, value, calls)
            if why:
                raise Lie(f"slot {slot}: r{register} = {value:#x} is not {fact}: {why}")
        counted = calls[-1][2]
        counted[slot] += 1
        if counted[slot] > facts.runs.get(slot, U64):
            raise Lie(f"slot {slot} runs more than {facts.runs[slot]} times")

    def lie(
        self, vm: Interpreter, fact: Fact, value: int, calls: list[tuple[int, int, Counter[int]]]
    ) -> str:
        """What is wrong with a fact; empty when it holds."""
        if fact.nullable and value == 0:
            return ""
        packet, base = vm.cpu.packet, None
        if fact.kind == "scalar":
            base = 0
        elif fact.kind == "ctx":
            base = vm.cpu.context.base
        elif fact.kind in ("packet", "packet_meta", "packet_end"):
            name = {"packet": "data", "packet_meta": "data_meta", "packet_end": "data_end"}
            base = int(getattr(packet, name[fact.kind]))
        elif fact.kind == "stack":
            frames = [fp for start, fp, _ in calls if str(start) == fact.of]
            if not frames:
                return "no such frame"
            base = frames[-1]
        elif fact.kind == "map":
            base = self.maps[fact.of].address
        elif fact.kind == "map_value" and fact.span is not None:
            return self.outside(fact, value)
        if base is None:
            return ""
        if fact.offset is not None and (value - base - fact.offset) & U64:
            return "the offset"
        if fact.span is not None and (value - base - fact.span[0]) & U64 > (
            fact.span[1] - fact.span[0]
        ):
            return f"{value - base} is not in the span"
        if fact.kind == "mem" and fact.reach > 0:
            region = vm.memory.find(value, 1)
            return "" if value + fact.reach <= region.end else "reach"
        if fact.reach > 0 and value + fact.reach > int(packet.data_end):
            return "reach"
        return ""

    def outside(self, fact: Fact, value: int) -> str:
        window = self.maps[fact.of].window
        assert window is not None
        assert fact.span is not None
        lo, hi = fact.span
        for at in range(window.base + window.lo, window.end, window.stride):
            if (value - at - lo) & U64 <= hi - lo:
                return ""
        return "no element is there"


def linked(text: str) -> Linked:
    """Assembled text; labels that begin with `func_` are functions."""
    made = parse(text)
    refs = [Ref(r.slot, r.kind, r.symbol, r.addend) for r in made.references]
    funcs = [FuncInfo("main", 0, 0)]
    funcs += [
        FuncInfo(name, slot, 0) for name, slot in made.labels.items() if name.startswith("func_")
    ]
    return Linked("program", list(made.insns), refs, sorted(funcs, key=lambda f: f.start), [])
