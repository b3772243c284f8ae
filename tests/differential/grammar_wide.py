"""More of the language at random: text, tuples and structs as results, generics, `match` of tuples,
flags, enumerations as types, arrays in arrays, `while ... else`, bools in variables, `zip`.

    text, names = module("w1", 6)     # of grammar: seeds that begin with a w

Statements and expressions are those of `grammar`, and these.
"""

from grammar import PARAMETERS, STRUCTS, TYPES, Generator

from ebee.types import u8, u16, u32

MORE = (
    "from enum import IntFlag\nfrom typing import TypeVar\n"
    + STRUCTS
    + """\
T = TypeVar("T", u8, u16, u32, u64, i8, i16, i32, i64)


class Bits(IntFlag):
    LOW = 1
    MID = 6
    HIGH = 128


class Level(IntEnum):
    NONE = 0
    SOME = 1
    MUCH = 2
    ALL = 3


@struct
class Row:
    cells: array[u16, Literal[3]]
    level: Level


@struct
class Grid:
    rows: array[Row, Literal[2]]
    last: Row


@struct
class Named:
    name: array[char, Literal[8]]
    tag: array[u8, Literal[4]]
    level: Level

    @property
    def short(self) -> bool:
        return self.name.startswith("a")

    def mark(self, at: u8, letter: u8 = 97) -> u8:
        before = self.name[at & 7]
        self.name[at & 7] = letter
        return before


@func
def nearer(x: T, y: T, by: T) -> T:
    return max(x, y) - by if x > y else min(x, by) ^ y


@func(inline=False)
def larger(x: T, y: T) -> T:
    return x if x > y else y


@func
def leveled(level: Level, more: u8) -> Level:
    return Level(more & 3) if level == Level.SOME else level


"""
)
TEXTS = ('"abc"', '"a"', '""', '"abcdefgh"', '"xyz"', "b'a\\x00b'", "b'abc'")
TAGS = ("b'\\x01\\x02\\x03\\x04'", "b''", "b'\\xff\\x00\\x00\\x01'", "b'ab'")


class Wide(Generator):
    """A module with all of it."""

    def __init__(self, seed):
        super().__init__(seed)
        self.tuples = []  # functions that give several numbers: name, their types, parameters
        self.makers = []  # functions that give a struct
        self.bools = []

    # --- expressions -----------------------------------------------------------------------------

    def value(self, t, depth):
        if depth > 0 and self.rng.random() < 0.2:
            return self.rng.choice((self.flags, self.generic, self.part, self.inside))(t, depth)
        return super().value(t, depth)

    def flags(self, t, depth):
        x = self.value(t, depth - 1)
        names = ["Bits.LOW", "Bits.MID"] + ["Bits.HIGH"] * (t.bits > 8 or not t.signed)
        one, other = self.rng.choice(names), self.rng.choice(names)
        forms = [f"({x} & {one})", f"({x} | {one})", f"({x} ^ ({one} | {other}))",
                 f"({x} & ~{one})", f"({x} & ~({one} | {other}))"]  # fmt: skip
        return self.rng.choice(forms)

    def generic(self, t, depth):
        x, y = self.leaf(t), self.value(t, depth - 1)
        x = f"{t.__name__}({x})"
        if self.rounds or self.rng.random() < 0.5:
            return f"nearer({x}, {y}, {self.leaf(t)})"
        return f"larger({x}, y={y})"

    def part(self, t, depth):
        """One of several results."""
        if not self.tuples or self.rounds or self.calls > 3:
            return super().value(t, depth)
        self.calls += 1
        name, types, parameters = self.rng.choice(self.tuples)
        given = ", ".join(self.value(p, depth - 1) for p in parameters)
        return f"{t.__name__}({name}({given})[{self.rng.randrange(len(types))}])"

    def inside(self, t, depth):
        """What lies in texts and in arrays of arrays."""
        kinds = [(n, k) for n, k in self.structs.items() if k in ("Named", "Grid")]
        if not kinds:
            return super().value(t, depth)
        name, kind = self.rng.choice(kinds)
        return f"{t.__name__}({self.rng.choice(self.places(name, kind))[0]})"

    def places(self, name, kind):
        index = f"{self.leaf(u8)} & 3"
        if kind == "Named":
            return [(f"{name}.name[{index}]", u8), (f"{name}.tag[{index}]", u8),
                    (f"{name}.level", None)]  # fmt: skip
        row = f"{name}.rows[{self.leaf(u16)} % 2]"
        cell = f"cells[{self.rng.randrange(3)}]"
        return [(f"{row}.{cell}", u16), (f"{name}.last.{cell}", u16), (f"{row}.level", None)]

    def condition(self, depth):
        named = [n for n, k in self.structs.items() if k == "Named"]
        kind = self.rng.random()
        if named and kind < 0.15:
            n = self.rng.choice(named)
            forms = [f"{n}.name == {self.rng.choice(TEXTS[:5])}", f"{n}.name.startswith('ab')",
                     f"{n}.tag != {self.rng.choice(TAGS[::2])}", f"{n}.short",
                     f"{n}.level in (Level.SOME, Level.ALL)"]  # fmt: skip
            return self.rng.choice(forms)
        if self.bools and kind < 0.25:
            return self.rng.choice(self.bools)
        return super().condition(depth)

    # --- statements ------------------------------------------------------------------------------

    def statement(self, pad, depth):
        if self.rng.random() < 0.3:
            simple = (self.text, self.cell, self.several, self.made, self.truth, self.level)
            compound = (self.match_tuple, self.until, self.pairs)
            kinds = simple if depth <= 0 or self.rounds or self.rng.random() < 0.6 else compound
            return self.rng.choice(kinds)(pad, depth)
        return super().statement(pad, depth)

    def text(self, pad, depth):
        named = [n for n, k in self.structs.items() if k == "Named"]
        if not named:
            return self.assign(pad, depth)
        n = self.rng.choice(named)
        target, _ = self.rng.choice(list(self.variables.items()))
        t = self.variables[target].__name__
        forms = [f"{n}.name = {self.rng.choice(TEXTS)}", f"{n}.tag = {self.rng.choice(TAGS)}",
                 f"{n}.name[{self.leaf(u8)} & 7] = {self.value(u8, 1)}",
                 f"{target} = {t}({n}.mark({self.leaf(u8)}))",
                 f"{n}.mark(letter={self.leaf(u8)}, at=3)"]  # fmt: skip
        return [pad + self.rng.choice(forms)]

    def cell(self, pad, depth):
        grids = [n for n, k in self.structs.items() if k == "Grid"]
        if not grids:
            return self.assign(pad, depth)
        g, other = self.rng.choice(grids), self.rng.choice(grids)
        place, t = self.rng.choice(self.places(g, "Grid")[:2])
        forms = [f"{place} = {self.value(t, 1)}", f"{place} += {self.value(t, 1)}",
                 f"{g}.last = {other}.rows[{self.leaf(u8)} & 1]",
                 f"{g}.rows[0].cells = {other}.last.cells"]  # fmt: skip
        return [pad + self.rng.choice(forms)]

    def several(self, pad, depth):
        """Several results at once."""
        if not self.tuples or self.rounds or self.calls > 3:
            return self.assign(pad, depth)
        self.calls += 1
        name, types, parameters = self.rng.choice(self.tuples)
        given = ", ".join(self.value(p, 1) for p in parameters)
        self.count += 1
        parts = [f"part{self.count}{i}" for i in range(len(types))]
        target = self.rng.choice(list(self.variables))
        t = self.variables[target].__name__
        used = " + ".join(f"{t}({p})" for p in parts)
        return [f"{pad}{', '.join(parts)} = {name}({given})", f"{pad}{target} = {used}"]

    def made(self, pad, depth):
        """A struct as a result."""
        outer = [n for n, k in self.structs.items() if k == "Outer"]
        if not outer or not self.makers or self.rounds or self.calls > 3:
            return self.assign(pad, depth)
        self.calls += 1
        name, parameters = self.rng.choice(self.makers)
        given = ", ".join(self.value(p, 1) for p in parameters)
        return [f"{pad}{self.rng.choice(outer)}.inner = {name}({given})"]

    def truth(self, pad, depth):
        self.count += 1
        name = f"is{self.count}"
        lines = [f"{pad}{name} = bool({self.condition(1)})"]
        target = self.rng.choice(list(self.variables))
        shown = f"{self.variables[target].__name__}({name})"
        return [*lines, f"{pad}if {name} or {self.condition(0)}:", f"{pad}    {target} += {shown}"]

    def level(self, pad, depth):
        """A variable of an enumeration."""
        self.count += 1
        name, target = f"level{self.count}", self.rng.choice(list(self.variables))
        t = self.variables[target].__name__
        kind = f"Level.MUCH if {self.condition(0)} else Level.SOME"
        lines = [f"{pad}{name}: Level = {kind}"]
        if self.rng.random() < 0.5:
            lines += [f"{pad}{target} += {t}(leveled({name}, {self.leaf(u8)}))"]
        else:
            lines += [f"{pad}{target} ^= {t}(Level({self.leaf(u32)} % 4)) + {t}({name})"]
        return lines

    def match_tuple(self, pad, depth):
        x, y = self.value(self.rng.choice((u8, u32)), 1), self.value(self.rng.choice(TYPES), 1)
        self.count += 1
        k, inner = f"k{self.count}", pad + "        "
        lines = [f"{pad}match ({x}, {y}):", f"{pad}    case (0, {k}) if {k} < 100:"]
        lines += self.assign(inner, depth)
        lines += [f"{pad}    case (1 | 2, _) | (_, 0):", *self.assign(inner, depth)]
        lines += [f"{pad}    case (Color.RED, {self.rng.randrange(5)}):"]
        lines += self.assign(inner, depth)
        lines += [f"{pad}    case ({k}1, {k}2):"]
        target = self.rng.choice(list(self.variables))
        t = self.variables[target].__name__
        return [*lines, f"{inner}{target} += {t}({k}1) - {t}({k}2)"]

    def until(self, pad, depth):
        """`while ... else`, left from inside or not."""
        self.count += 1
        n = f"turn{self.count}"
        lines = [f"{pad}{n} = 0", f"{pad}while {n} < {self.rng.randrange(2, 5)}:"]
        lines += [f"{pad}    {n} += 1", f"{pad}    if {self.condition(1)}:", f"{pad}        break"]
        lines += [*self.assign(pad + "    ", depth), f"{pad}else:"]
        return lines + self.assign(pad + "    ", depth)

    def pairs(self, pad, depth):
        """Loops over several things side by side, and rows of cells."""
        self.count += 1
        a, b, target = f"a{self.count}", f"b{self.count}", self.rng.choice(list(self.variables))
        t = self.variables[target].__name__
        grids = [n for n, k in self.structs.items() if k == "Grid"]
        if grids and self.rng.random() < 0.6:
            g = self.rng.choice(grids)
            lines = [f"{pad}for {a} in {g}.rows:", f"{pad}    for {b} in {a}.cells:"]
            return [*lines, f"{pad}        {target} += {t}({b})"]
        lines = [f"{pad}for {a}, {b} in zip((3, 5, 7), range(10, 40, 10)):"]
        lines += [f"{pad}    {target} += {t}({a}) * {t}({b})"]
        if self.rng.random() < 0.5:
            lines += [f"{pad}    if {self.condition(0)}:", f"{pad}        continue"]
        return lines + self.assign(pad + "    ", depth)

    # --- functions -------------------------------------------------------------------------------

    def locals(self):
        lines = super().locals()
        for name, kind in (("n", "Named"), ("g", "Grid")):
            if self.rng.random() < 0.5:
                continue
            given = ""
            if kind == "Named":
                given = f"name={self.rng.choice(TEXTS[:5])}, level=Level.{self.rng.choice(LEVELS)}"
            lines.append(f"    {name} = {kind}({given})")
            self.structs[name] = kind
        return lines

    def member(self):
        """As before: members of the structs that `grammar` knows."""
        every = self.structs
        self.structs = {n: k for n, k in every.items() if k not in ("Named", "Grid")}
        try:
            return super().member() if self.structs else self.rng.choice(
                list(self.variables.items()))  # fmt: skip
        finally:
            self.structs = every

    def gives(self, name):
        """A function with several results, or a struct as one."""
        parameters = [self.rng.choice(TYPES) for _ in range(self.rng.randrange(1, 4))]
        self.variables = dict(zip("xyz", parameters, strict=False))
        self.structs, self.loops, self.rounds, self.calls = {}, [], 0, 9
        shown = ", ".join(f"{n}: {t.__name__}" for n, t in self.variables.items())
        mark = "@func" if self.rng.random() < 0.6 else "@func(inline=False)"
        if self.rng.random() < 0.4:
            lines = [mark, f'def {name}({shown}) -> "Inner":', *self.block("    ", 1)]
            lines += [f"    made = Inner(x={self.value(TYPES[5], 1)}, y={self.value(u32, 1)})"]
            lines += [f"    if {self.condition(1)}:", f"        made.net = {self.leaf(u32)}"]
            lines += ["    return made"]
            self.makers.append((name, parameters))
        else:
            types = [self.rng.choice(TYPES) for _ in range(self.rng.randrange(2, 4))]
            kinds = ", ".join(t.__name__ for t in types)
            lines = [mark, f"def {name}({shown}) -> tuple[{kinds}]:", *self.block("    ", 1)]
            for again in range(2):
                given = ", ".join(f"{t.__name__}({self.value(t, 1)})" for t in types)
                if not again:
                    lines += [f"    if {self.condition(1)}:", f"        return {given}"]
            lines += [f"    return {given}"]
            self.tuples.append((name, types, parameters))
        return "\n".join(lines) + "\n\n\n"


LEVELS = ("NONE", "SOME", "MUCH", "ALL")


def module(seed, count):
    """Source of some helpers and `count` functions of PARAMETERS, and their names."""
    made = Wide(seed)
    text = MORE + "".join(made.gives(f"g{i}") for i in range(made.rng.randrange(1, 4)))
    text += "".join(made.helper(f"h{i}") for i in range(made.rng.randrange(3)))
    names = [f"f{i}" for i in range(count)]
    for name in names:
        parameters = {n: (t, "") for n, t in PARAMETERS.items()}
        text += made.function(name, parameters, made.rng.random() < 0.7)[0]
    return text, names


__all__ = ["Wide", "module"]
