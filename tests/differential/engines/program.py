"""Random programs as lists of items: easy to generate, to cut down, to link, to print."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from ebee.helpers import by_id
from ebee.isa import Insn, lddw, listing, make
from ebee.isa.disasm import Names
from ebee.obj.spec import FuncInfo, Linked, Ref


class Label:
    """A place to jump to."""


@dataclass(frozen=True)
class Jump:
    """A jump to a label; `name` is the form's ("jeq64_imm", "ja", "may_goto")."""

    name: str
    dst: int
    src: int
    imm: int
    to: Label


@dataclass(frozen=True)
class Address:
    """The address of a map, of byte `offset` in the value of a map, or of a function."""

    register: int
    kind: str
    of: str | int
    offset: int = 0


@dataclass(frozen=True)
class Call:
    """A call of a function of the program, by number."""

    function: int


Item = Insn | Label | Jump | Address | Call


@dataclass
class Program:
    """Functions as item lists, the first the entry; `seed` says where it came from."""

    seed: str
    functions: list[list[Item]] = field(default_factory=list)
    inputs: list[bytes] = field(default_factory=list)
    uses: set[str] = field(default_factory=set)

    def link(self, name: str = "p") -> Linked:
        """The program as engines take it."""
        starts, slot = [], 0
        for function in self.functions:
            starts.append(slot)
            slot += sum(_slots(item) for item in function)
        insns: list[Insn] = []
        refs: list[Ref] = []
        for function in self.functions:
            places, at = {}, len(insns)
            for item in function:
                if isinstance(item, Label):
                    places[item] = at
                at += _slots(item)
            for item in function:
                here = len(insns)
                if isinstance(item, Insn):
                    insns.append(item)
                elif isinstance(item, Jump):
                    insns.append(
                        make(item.name, item.dst, item.src, places[item.to] - here - 1, item.imm)
                    )
                elif isinstance(item, Call):
                    insns.append(make("call_local", imm=starts[item.function] - here - 1))
                elif isinstance(item, Address):
                    insns += _address(item, here, starts, refs)
        infos = [FuncInfo(f"f{i}" if i else name, start, 0) for i, start in enumerate(starts)]
        return Linked(name, insns, refs, infos, [])

    def without(self, slot: int) -> Program:
        """The program without the item that stands at a slot."""
        functions, at = [], 0
        for function in self.functions:
            kept: list[Item] = []
            for item in function:
                kept += [] if _slots(item) and at <= slot < at + _slots(item) else [item]
                at += _slots(item)
            functions.append(kept)
        return Program(self.seed, functions, self.inputs, self.uses)

    def text(self) -> str:
        """As assembly, with the inputs."""
        linked = self.link()
        refs = {r.slot: f"    ; {r.symbol} + {r.addend}" for r in linked.refs}
        starts = {f.start: f.name for f in linked.funcs}
        lines, slot = [f"; {self.seed}"], 0
        for line in listing(linked.insns, Names(helper=_helper)).splitlines():
            lines += [f"; {starts[slot]}"] if slot in starts else []
            lines.append(line + refs.get(slot, ""))
            slot += 2 if linked.insns[slot].op == 0x18 else 1
        return "\n".join([*lines, *(f"; input {data.hex()}" for data in self.inputs)])


def _helper(number: int) -> str | None:
    found = by_id(number)
    return f"bpf_{found.name}" if found else None


def _slots(item: Item) -> int:
    return 0 if isinstance(item, Label) else 2 if isinstance(item, Address) else 1


def _address(item: Address, here: int, starts: Sequence[int], refs: list[Ref]) -> tuple[Insn, ...]:
    if item.kind == "func":
        assert isinstance(item.of, int)
        return lddw(item.register, (starts[item.of] - here - 1) & 0xFFFF_FFFF, 4)
    assert isinstance(item.of, str)
    refs.append(Ref(here, item.kind, item.of, item.offset))  # type: ignore[arg-type]
    return lddw(item.register, 0, 1 if item.kind == "map" else 2)


def minimise(program: Program, fails: Callable[[Program], bool], rounds: int = 6) -> Program:
    """The program with items and inputs taken away as long as it still fails."""
    best = program
    for data in program.inputs:
        small = Program(best.seed, best.functions, [data], best.uses)
        if fails(small):
            best = small
            break
    size = max(map(len, best.functions)) // 2 or 1
    for _ in range(rounds):
        before = sum(map(len, best.functions))
        while size:
            for number in range(len(best.functions)):
                at = 0
                while at < len(best.functions[number]):
                    small = _without(best, number, at, size)
                    if small is not None and fails(small):
                        best = small
                    else:
                        at += size
            size //= 2
        size = 4
        if sum(map(len, best.functions)) == before:
            break
    return best


def _without(program: Program, number: int, at: int, size: int) -> Program | None:
    function = program.functions[number]
    cut = [i for i in function[at : at + size] if not isinstance(i, Label)]
    if not cut:
        return None
    labels = [i for i in function[at : at + size] if isinstance(i, Label)]
    functions = list(program.functions)
    functions[number] = function[:at] + labels + function[at + size :]
    return Program(program.seed, functions, program.inputs, program.uses)
