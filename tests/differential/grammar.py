"""Random functions within the language: integers, structs, control flow, calls of each other.

    text, names = module(seed, 6)     # six functions f0..f5 of the same parameters

Every expression has a type and stays within the language, so all of it must compile.
"""

import random

from ebee.types import i8, i16, i32, i64, u8, u16, u32, u64

TYPES = (u8, u16, u32, u64, i8, i16, i32, i64)
PARAMETERS = {"a": u64, "b": i32, "c": u16, "d": i8, "e": i64}

STRUCTS = """\
from enum import IntEnum
from typing import Literal

LIMIT = 40
PORTS = (80, 443, 8080)


class Color(IntEnum):
    RED = 3
    GREEN = 5
    BLUE = 200


@struct
class Inner:
    x: i16
    y: u32
    net: be32

    def sum(self, more: i32 = 5) -> i64:
        return i64(self.x) * more - self.y

    def shift(self, by: u8) -> None:
        self.y <<= by & 7
        self.x += by

    @property
    def odd(self) -> bool:
        return self.y & 1 != 0

    @staticmethod
    def make(x: i16, y: u32) -> "Inner":
        return Inner(x=x, y=y)


@struct
class Outer:
    a: u64
    b: i8
    low: bits[u8, 3]
    high: bits[u8, 5]
    part: bits[i16, 9]
    counted: atomic[u32]
    port: be16
    inner: Inner
    many: array[u16, Literal[4]]
    pairs: array[Inner, Literal[2]]


@union
class Either:
    whole: u32
    halves: array[u16, Literal[2]]


"""
INNER = {"x": i16, "y": u32, "net": u32}
OUTER = {
    "a": u64, "b": i8, "low": u8, "high": u8, "part": i16, "port": u16, "inner.x": i16,
    "inner.y": u32, "inner.net": u32, "many[{}]4": u16, "pairs[{}]2.x": i16, "pairs[{}]2.y": u32,
}  # fmt: skip
EITHER = {"whole": u32, "halves[{}]2": u16}
MEMBERS = {"Inner": INNER, "Outer": OUTER, "Either": EITHER}


class Generator:
    """One module; `helpers` are functions that those made later may call."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.helpers = []  # name; types (or names of structs) and defaults of parameters
        self.count = 0

    # --- expressions -----------------------------------------------------------------------------

    def constant(self, t):
        top = 1 << t.bits
        near = [0, 1, 2, 3, 7, 255, top // 2 - 1, top // 2, top - 1, self.rng.getrandbits(t.bits)]
        named = ["LIMIT", "Color.GREEN", "PORTS[1]", "sizeof(Outer)"]
        shown = self.rng.choice(near) if self.rng.random() < 0.85 else self.rng.choice(named)
        return f"{t.__name__}({shown})"

    def member(self):
        """A member of a struct here, and its type."""
        name, kind = self.rng.choice(list(self.structs.items()))
        path, t = self.rng.choice(list(MEMBERS[kind].items()))
        if "[{}]" in path:
            before, _, after = path.partition("[{}]")
            count, after = int(after[0]), after[1:]
            index = self.rng.randrange(count)
            if self.rng.random() < 0.3:
                index = f"{self.leaf(u8)} % {count}"
            elif self.loops and self.rng.random() < 0.5:
                index = f"{self.rng.choice(self.loops)} & {count - 1}"
            path = f"{before}[{index}]{after}"
        return f"{name}.{path}", t

    def leaf(self, t):
        same = [n for n, other in self.variables.items() if other is t]
        if same and self.rng.random() < 0.7:
            return self.rng.choice(same)
        kind = self.rng.random()
        if kind < 0.3:
            name, _ = self.rng.choice(list(self.variables.items()))
            return f"{t.__name__}({name})"
        if kind < 0.6 and self.structs:
            shown, other = self.member()
            return shown if other is t else f"{t.__name__}({shown})"
        return self.constant(t)

    def value(self, t, depth):
        if depth <= 0:
            return self.leaf(t)
        x, y = (self.value(t, depth - 1) for _ in range(2))
        count = f"(u32({self.value(self.rng.choice(TYPES), depth - 2)}) & {t.bits * 2 - 1})"
        kind = self.rng.random()
        if kind < 0.08 and not self.rounds and (found := self.call(t, depth)):
            return found
        if kind < 0.12 and "Inner" in self.structs.values():
            return self.method(t)
        forms = [
            *(f"({x} {op} {y})" for op in ("+", "-", "*", "//", "%", "&", "|", "^")),
            f"({x} << {count})", f"({x} >> {count})", f"(-{x})", f"(~{x})", f"abs({x})",
            f"min({x}, {y})", f"max({x}, {y})", f"(+{x})",
            f"({x} if {self.condition(depth - 1)} else {y})",
            f"({x} and {y})", f"({x} or {y})",
            f"{t.__name__}({self.value(self.rng.choice(TYPES), depth - 1)})",
            f"({x} // {self.rng.choice((1, 3, 8, 10, -1, -7) if t.signed else (1, 3, 8, 10))})",
            f"({x} {self.rng.choice('+-*&|^')} {self.rng.randrange(100)})",
            f"{t.__name__}({self.condition(depth - 1)})",
        ]  # fmt: skip
        return self.rng.choice(forms)

    def call(self, t, depth):
        """A call of an earlier function."""
        fitting = [h for h in self.helpers if all(
            p in TYPES or p in self.structs.values() for p, _ in h[1].values())]  # fmt: skip
        if not fitting or self.calls > 3:
            return ""
        self.calls += 1
        name, parameters = self.rng.choice(fitting)
        shown, named = [], False
        for parameter, (kind, default) in parameters.items():
            if default and self.rng.random() < 0.5:
                break
            if kind in TYPES:
                given = self.value(kind, depth - 1)
            else:
                given = self.rng.choice([n for n, s in self.structs.items() if s == kind])
            named = named or self.rng.random() < 0.2
            shown.append(f"{parameter}={given}" if named else given)
        return f"{t.__name__}({name}({', '.join(shown)}))"

    def method(self, t):
        """A method or property of a struct."""
        name = self.rng.choice([n for n, s in self.structs.items() if s == "Inner"])
        forms = [f"{name}.sum()", f"{name}.sum({self.leaf(i32)})", f"{name}.odd"]
        forms += [f"{n}.counted" for n, s in self.structs.items() if s == "Outer"]
        shown = self.rng.choice(forms)
        return f"{t.__name__}({shown})"

    def condition(self, depth):
        t = self.rng.choice(TYPES)
        x, y, z = (self.value(t, depth - 1) for _ in range(3))
        op = self.rng.choice(("<", "<=", ">", ">=", "==", "!="))
        steps = f"range({self.rng.randrange(50)}, 300, {self.rng.randrange(1, 9)})"
        forms = [
            f"{x} {op} {y}", f"{x} < {y} <= {z}", f"not {x}", f"{x} in ({y}, 5, {z})",
            f"{x} not in PORTS", f"{x} in {steps}", f"{x} {op} {self.rng.randrange(300)}",
        ]  # fmt: skip
        if depth > 0:
            a, b = self.condition(depth - 1), self.condition(depth - 2)
            forms += [f"({a}) and ({b})", f"({a}) or ({b})", f"not ({a})"]
        return self.rng.choice(forms)

    # --- statements ------------------------------------------------------------------------------

    def place(self):
        """What can be assigned, and its type."""
        if self.structs and self.rng.random() < 0.45:
            return self.member()
        return self.rng.choice(list(self.variables.items()))

    def block(self, pad, depth):
        lines = []
        for _ in range(self.rng.randrange(1, 3 if self.rounds else 4)):
            lines += self.statement(pad, depth)
        return lines

    def statement(self, pad, depth):
        simple = (self.assign, self.assign, self.augment, self.unpack, self.walrus, self.copy,
                  self.change)  # fmt: skip
        compound = (self.branch, self.loop, self.go_through, self.repeat, self.match,
                    self.match_struct)  # fmt: skip
        if self.rounds > 1 or depth <= 0 or self.rng.random() < 0.6:
            kinds = simple
        else:  # the verifier follows every path of every round, so loops inside loops are small
            kinds = compound[: 3 if self.rounds else 6]
        return self.rng.choice(kinds)(pad, depth)

    def assign(self, pad, depth):
        place, t = self.place()
        return [f"{pad}{place} = {self.value(t, 2)}"]

    def augment(self, pad, depth):
        place, t = self.place()
        return [f"{pad}{place} {self.rng.choice('+-*&|^')}= {self.value(t, 1)}"]

    def unpack(self, pad, depth):
        (x, t), (y, s) = (self.rng.choice(list(self.variables.items())) for _ in range(2))
        return [f"{pad}{x}, {y} = {self.value(t, 1)}, {self.value(s, 1)}"]

    def walrus(self, pad, depth):
        name, t = self.rng.choice(list(self.variables.items()))
        lines = [f"{pad}if ({name} := {self.value(t, 1)}) > {self.value(t, 1)}:"]
        return lines + self.assign(pad + "    ", depth)

    def copy(self, pad, depth):
        outer = [n for n, s in self.structs.items() if s == "Outer"]
        if len(outer) < 2:
            return self.assign(pad, depth)
        x, y = self.rng.sample(outer, 2)
        part = self.rng.choice(("inner", "many", "pairs[1]", "pairs"))
        return [f"{pad}{x}.{part} = {y}.{part}"]

    def change(self, pad, depth):
        """A method that changes its struct, or an atomic step."""
        inner = [n for n, s in self.structs.items() if s == "Inner"]
        outer = [n for n, s in self.structs.items() if s == "Outer"]
        if outer and self.rng.random() < 0.5:
            op = self.rng.choice("+-&|^")
            return [f"{pad}{self.rng.choice(outer)}.counted {op}= {self.value(u32, 1)}"]
        if inner:
            return [f"{pad}{self.rng.choice(inner)}.shift({self.leaf(u8)})"]
        if outer:
            made = f"Inner.make({self.leaf(i16)}, {self.leaf(u32)})"
            return [f"{pad}{self.rng.choice(outer)}.inner = {made}"]
        return self.assign(pad, depth)

    def go_through(self, pad, depth):
        """A loop over a tuple or an array."""
        self.count += 1
        item, target = f"item{self.count}", self.rng.choice(list(self.variables))
        outer = [n for n, s in self.structs.items() if s == "Outer"]
        if outer and self.rng.random() < 0.6:
            array = f"{self.rng.choice(outer)}.many"
            numbered = f"for place{self.count}, {item} in enumerate({array}):"
            heads = (f"for {item} in {array}:", numbered, f"for {item} in reversed({array}):")
            head = self.rng.choice(heads)
            added = f"u8({item})" if self.variables[target] in (u8, i8) else item
            added = f"{self.variables[target].__name__}({added})"
        else:
            head, added = f"for {item} in (3, 40, 500):", item
        lines = [pad + head, *self.body(pad + "    ", depth)]
        return [*lines, f"{pad}    {target} += {added}"]

    def match_struct(self, pad, depth):
        """`match` of a struct's members."""
        inner = [n for n, s in self.structs.items() if s == "Inner"]
        if not inner:
            return self.branch(pad, depth)
        self.count += 1
        name, deeper = f"k{self.count}", pad + "        "
        return [
            f"{pad}match {self.rng.choice(inner)}:",
            f"{pad}    case Inner(x={self.rng.randrange(-2, 5)}):",
            *self.assign(deeper, depth),
            f"{pad}    case Inner(y={name}) if {name} > {self.value(u32, 1)}:",
            *self.assign(deeper, depth),
            f"{pad}    case Inner(1 | 2 | 3, net=0):",
            *self.assign(deeper, depth),
        ]

    def branch(self, pad, depth):
        lines = [f"{pad}if {self.condition(1)}:", *self.block(pad + "    ", depth - 1)]
        if self.rng.random() < 0.3:
            lines += [f"{pad}elif {self.condition(1)}:", *self.block(pad + "    ", depth - 1)]
        if self.rng.random() < 0.5:
            lines += [f"{pad}else:", *self.block(pad + "    ", depth - 1)]
        return lines

    def loop(self, pad, depth):
        self.count += 1
        counter = f"loop{self.count}"
        start, stop, step = self.rng.choice(((0, 3, 1), (1, 6, 2), (2, -1, -1), (0, 2, 1)))
        lines = [f"{pad}for {counter} in range({start}, {stop}, {step}):"]
        self.loops.append(counter)
        lines += self.body(pad + "    ", depth)
        lines += [f"{pad}    {self.rng.choice(list(self.variables))} += {counter}"]
        self.loops.pop()
        if self.rng.random() < 0.3:
            lines += [f"{pad}else:", *self.assign(pad + "    ", depth)]
        return lines

    def body(self, pad, depth):
        self.rounds += 1
        lines = self.block(pad, depth - 1)
        self.rounds -= 1
        if self.rng.random() < 0.5:
            jump = self.rng.choice(("break", "continue"))
            lines += [f"{pad}if {self.condition(1)}:", f"{pad}    {jump}"]
        return lines

    def repeat(self, pad, depth):
        self.count += 1
        n = f"left{self.count}"
        kind = self.rng.randrange(3)
        if kind == 0:
            lines = [f"{pad}{n} = 0", f"{pad}while {n} < {self.rng.randrange(1, 4)}:"]
            lines += [f"{pad}    {n} += 1", *self.body(pad + "    ", depth)]
        elif kind == 1:
            lines = [f"{pad}{n} = u8({self.leaf(u8)}) & 3", f"{pad}while {n}:"]
            lines += [f"{pad}    {n} -= 1", *self.body(pad + "    ", depth)]
        else:
            lines = [f"{pad}{n} = u16({self.leaf(u16)})", f"{pad}while {n} > 2:"]
            lines += [f"{pad}    {n} //= 10", *self.assign(pad + "    ", depth)]
        return lines

    def match(self, pad, depth):
        t = self.rng.choice((u8, u16, u32))
        inner = pad + "        "
        lines = [f"{pad}match {self.value(t, 1)}:", f"{pad}    case {self.rng.randrange(4)}:"]
        lines += self.assign(inner, depth)
        lines += [f"{pad}    case Color.RED | {self.rng.randrange(5, 200)}:"]
        lines += self.assign(inner, depth)
        if self.rng.random() < 0.5:
            self.count += 1
            name = f"k{self.count}"
            lines += [f"{pad}    case {name} if {name} > {self.rng.randrange(250)}:"]
            lines += self.assign(inner, depth)
        return [*lines, f"{pad}    case _:", *self.assign(inner, depth)]

    # --- functions -------------------------------------------------------------------------------

    def function(self, name, parameters, inline):
        """A function of parameters: name -> (type or struct, default)."""
        self.variables = {n: t for n, (t, _) in parameters.items() if t in TYPES}
        self.structs = {n: t for n, (t, _) in parameters.items() if t not in TYPES}
        self.loops, self.rounds, self.calls = [], 0, 0
        result = self.rng.choice(TYPES)
        shown = ", ".join(
            f"{n}: {t.__name__ if t in TYPES else t}" + (f" = {default}" if default else "")
            for n, (t, default) in parameters.items()
        )
        mark = "@func" if inline else "@func(inline=False)"
        lines = [mark, f"def {name}({shown}) -> {result.__name__}:"]
        lines += self.locals()
        lines += self.block("    ", 2)
        lines += [f"    return {self.value(result, 2)}"]
        return "\n".join(lines) + "\n\n\n", result

    def locals(self):
        """Structs of the function's own."""
        lines = []
        for name, kind in (("s", "Outer"), ("t", "Outer"), ("u", "Either"), ("v", "Inner")):
            if self.rng.random() < 0.4:
                continue
            given = ""
            if kind == "Outer":
                given = f"a={self.value(u64, 1)}, port={self.leaf(u16)}"
            elif kind == "Inner":
                given = f"x={self.leaf(i16)}, net={self.leaf(u32)}"
            self.structs[name] = kind
            lines.append(f"    {name} = {kind}({given})")
        return lines

    def helper(self, name):
        parameters, default = {}, ""
        for n in "xyz"[: self.rng.randrange(1, 4)]:
            plain = default or not parameters
            kind = self.rng.choice(TYPES if plain else (*TYPES, "Inner", "Outer"))
            if kind in TYPES and (default or self.rng.random() < 0.3):
                default = str(self.rng.randrange(100))
            parameters[n] = kind, default
        text, _ = self.function(name, parameters, self.rng.random() < 0.6)
        self.helpers.append((name, parameters))
        return text


def module(seed, count):
    """Source of some helpers and `count` functions of PARAMETERS, and their names. Seeds that begin
    with a w are of more of the language."""
    if str(seed).startswith("w"):
        import grammar_wide

        return grammar_wide.module(seed, count)
    made = Generator(seed)
    text = STRUCTS + "".join(made.helper(f"h{i}") for i in range(made.rng.randrange(4)))
    names = [f"f{i}" for i in range(count)]
    for name in names:
        parameters = {n: (t, "") for n, t in PARAMETERS.items()}
        text += made.function(name, parameters, made.rng.random() < 0.7)[0]
    return text, names
