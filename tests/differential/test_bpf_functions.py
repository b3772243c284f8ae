"""Random functions of integers as BPF: CPython, the machine and the kernel give the same results.
`EBEE_FUZZ=N` makes it N functions instead of the everyday few dozen."""

import os
import random

import pytest

from ebee import linux
from ebee.lang.bpf import build
from ebee.lang.source import define
from ebee.machine.machine import Machine
from ebee.types import i8, i16, i32, i64, u8, u16, u32, u64

pytestmark = pytest.mark.differential

FUNCTIONS = int(os.environ.get("EBEE_FUZZ", "60"))
BATCH = 6
INPUTS = 12
TYPES = (u8, u16, u32, u64, i8, i16, i32, i64)
FRAME = bytes(64)

HEAD = """\
from ebee import *

@struct
class Numbers:
    a: u64
    b: i32
    c: u16
    d: i8
    e: i64
    results: array[u64, 16]

numbers = Array[Numbers](max_entries=1)

"""
MEMBERS = {"a": u64, "b": i32, "c": u16, "d": i8, "e": i64}


class Generator:
    """Functions of typed integers; every expression has a type and stays within the language."""

    def __init__(self, seed):
        self.rng = random.Random(seed)

    def pick(self, *choices):
        return self.rng.choice(choices)()

    def constant(self, t):
        top = 1 << t.bits
        near = [0, 1, 2, 3, 7, 255, top // 2 - 1, top // 2, top - 1, self.rng.getrandbits(t.bits)]
        return f"{t.__name__}({self.rng.choice(near)})"

    def leaf(self, t):
        same = [n for n, other in self.variables.items() if other is t]
        if same and self.rng.random() < 0.7:
            return self.rng.choice(same)
        if self.rng.random() < 0.5:
            name, _ = self.rng.choice(list(self.variables.items()))
            return f"{t.__name__}({name})"
        return self.constant(t)

    def value(self, t, depth):
        if depth <= 0:
            return self.leaf(t)
        x, y = (self.value(t, depth - 1) for _ in range(2))
        count = f"(u32({self.value(self.rng.choice(TYPES), depth - 2)}) & {t.bits * 2 - 1})"
        forms = [
            *(f"({x} {op} {y})" for op in ("+", "-", "*", "//", "%", "&", "|", "^")),
            f"({x} << {count})", f"({x} >> {count})", f"(-{x})", f"(~{x})", f"abs({x})",
            f"min({x}, {y})", f"max({x}, {y})",
            f"({x} if {self.condition(depth - 1)} else {y})",
            f"{t.__name__}({self.value(self.rng.choice(TYPES), depth - 1)})",
            f"({x} // {self.rng.choice((1, 3, 8, 10, -1, -7) if t.signed else (1, 3, 8, 10))})",
        ]  # fmt: skip
        return self.rng.choice(forms)

    def condition(self, depth):
        t = self.rng.choice(TYPES)
        x, y, z = (self.value(t, depth - 1) for _ in range(3))
        op = self.rng.choice(("<", "<=", ">", ">=", "==", "!="))
        forms = [f"{x} {op} {y}", f"{x} < {y} <= {z}", f"not {x}", f"{x} in ({y}, 5, {z})"]
        if depth > 0:
            a, b = self.condition(depth - 1), self.condition(depth - 2)
            forms += [f"({a}) and ({b})", f"({a}) or ({b})"]
        return self.rng.choice(forms)

    def block(self, indent, depth):
        pad = "    " * indent
        lines = []
        for _ in range(self.rng.randrange(1, 4)):
            name, t = self.rng.choice(list(self.variables.items()))
            kind = self.rng.random()
            if kind < 0.5 or depth <= 0:
                lines.append(f"{pad}{name} = {self.value(t, 2)}")
            elif kind < 0.65:
                lines.append(f"{pad}{name} {self.rng.choice('+-*&|^')}= {self.value(t, 1)}")
            elif kind < 0.85:
                lines.append(f"{pad}if {self.condition(1)}:")
                lines += self.block(indent + 1, depth - 1)
                if self.rng.random() < 0.5:
                    lines.append(f"{pad}else:")
                    lines += self.block(indent + 1, depth - 1)
            else:
                loop = f"i{indent}"
                lines.append(f"{pad}for {loop} in range({self.rng.randrange(1, 6)}):")
                lines += self.block(indent + 1, depth - 1)
                lines.append(f"{pad}    {name} += {loop}")
                if self.rng.random() < 0.4:
                    lines += [f"{pad}    if {self.condition(1)}:", f"{pad}        break"]
        return lines

    def function(self, name):
        self.variables = dict(MEMBERS)
        inline = self.rng.random() < 0.7
        result = self.rng.choice(TYPES)
        shown = ", ".join(f"{n}: {t.__name__}" for n, t in MEMBERS.items())
        mark = "@func" if inline else "@func(inline=False)"
        lines = [mark, f"def {name}({shown}) -> {result.__name__}:", *self.block(1, 2)]
        return "\n".join([*lines, f"    return {self.value(result, 2)}"]) + "\n\n\n"


def program(seed):
    made = Generator(seed)
    names = [f"f{i}" for i in range(BATCH)]
    text = HEAD + "".join(made.function(n) for n in names)
    text += "@xdp\ndef run(ctx: XdpContext) -> XDP:\n    n = numbers.lookup(0)\n"
    text += "    if n is None:\n        return XDP.ABORTED\n"
    given = ", ".join(f"n.{m}" for m in MEMBERS)
    for i, name in enumerate(names):
        text += f"    n.results[{i}] = u64({name}({given}))\n"
    return text + "    return XDP.PASS\n", names


def inputs(rng):
    for _ in range(INPUTS):
        yield {
            m: int(t(rng.choice((0, 1, -1, 1 << t.bits - 1, rng.getrandbits(t.bits)))))
            for m, t in MEMBERS.items()
        }


def results(loaded, values):
    numbers = loaded.maps["numbers"]
    numbers[0] = values | {"results": [0] * 16}
    assert loaded.programs["run"].test_run(FRAME).retval == 2
    return list(numbers[0]["results"])[:BATCH]


@pytest.mark.parametrize("batch", range(max(FUNCTIONS // BATCH, 1)))
def test_functions_of_integers(batch):
    text, names = program(batch)
    space = define(text)
    spec = build.compile(space["run"])
    rng = random.Random(batch)
    with Machine() as machine:
        loaded = machine.load(spec)
        kernel = linux.load(spec) if os.geteuid() == 0 else None
        try:
            for values in inputs(rng):
                expected = [int(u64(space[n](*values.values()))) for n in names]
                assert results(loaded, values) == expected, (values, text)
                if kernel is not None:
                    assert results(kernel, values) == expected, (values, text)
        finally:
            if kernel is not None:
                kernel.close()
