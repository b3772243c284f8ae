"""Random functions within the language: compiled code does what CPython does, to the result and
to memory. EBEE_FUZZ=1 (`make fuzz`) makes it 20,000 functions instead of the everyday few hundred,
other numbers so many times as many."""

import ast
import copy
import os
import random

import pytest

from ebee.errors import CompileError
from ebee.lang.build import c_function, native
from ebee.lang.compiler import Options, compile_ir
from ebee.lang.source import define
from ebee.lang.unit import Spec, compile_native
from ebee.machine.memory import Memory
from ebee.types import i8, i16, i32, i64, ptr, u8, u16, u32, u64

pytestmark = pytest.mark.differential

FUNCTIONS = int(20_000 * float(os.environ["EBEE_FUZZ"])) if "EBEE_FUZZ" in os.environ else 300
BATCH = 50
INPUTS = 8
TYPES = ("u8", "u16", "u32", "u64", "i8", "i16", "i32", "i64")
BITS = {t: int(t[1:]) for t in TYPES}

HEAD = """\
from ebee.native import *
from ebee.types import *

@struct
class Inner:
    x: u16
    y: i32

@union
class Either:
    word: u32
    bytes: array[u8, 4]

@struct
class S:
    a: u8
    b: be16
    c: i32
    d: u64
    e: be32
    inner: Inner
    either: Either
    many: array[i16, 5]
    next: ptr[u8]

"""
FIELDS = {
    "u8": ["a"], "u16": ["b", "inner.x"], "i32": ["c", "inner.y"], "u64": ["d"],
    "u32": ["e", "either.word"], "i16": [f"many[{i}]" for i in range(5)],
}  # fmt: skip


STEPS = 2000


class Generator:
    """Writes one function. `names`: variables that have a value here, with their types; `steps`:
    about how many calls it takes, which CPython has to do in a moment."""

    def __init__(self, rng, name, helpers):
        self.rng, self.name, self.helpers = rng, name, helpers
        self.names, self.fresh, self.loops, self.budget = {}, 0, 0, rng.randint(4, 14)
        self.protected, self.indexing, self.steps = set(), 0, 1

    def function(self):
        rng = self.rng
        self.names = {n: rng.choice(TYPES) for n in "abc"}
        self.result = rng.choice(TYPES)
        shown = ", ".join(f"{n}: {t}" for n, t in self.names.items())
        body = self.block(1)
        lines = [f"@native\ndef {self.name}({shown}, p: ptr[u8], s: ptr[S]) -> {self.result}:"]
        return "\n".join([*lines, *body, f"    return {self.number(rng.choice(TYPES), 2)}", ""])

    # --- statements ---

    def block(self, depth):
        lines = []
        for _ in range(self.rng.randint(1, 4)):
            self.budget -= 1
            if self.budget < 0:
                break
            lines += self.statement(depth)
        return lines or ["    " * depth + "pass"]

    def statement(self, depth):
        kinds = [self.assign] * 4 + [self.change] * 3 + [self.store] * 3 + [self.struct_local]
        kinds += [self.swap, self.copy]
        if depth < 4:
            kinds += [self.if_] * 3 + [self.for_] * 2 + [self.while_, self.match]
        if self.loops:
            kinds += [self.leave]
        if self.rng.random() < 0.05:
            kinds = [self.early]
        return [
            line if line.startswith(" " * 4 * depth) else "    " * depth + line
            for line in self.rng.choice(kinds)(depth)
        ]

    def new(self, t):
        self.fresh += 1
        name = f"v{self.fresh}"
        self.names[name] = t
        return name

    def assign(self, depth):
        t = self.rng.choice([*TYPES, "bool"])
        value = self.number(t, 3) if t != "bool" else self.truth(3)
        return [f"{self.new(t)} = {value}"]

    def variable(self, want=None):
        names = [n for n, t in self.names.items() if t in TYPES and n not in self.protected]
        names = [n for n in names if want is None or self.names[n] == want]
        return self.rng.choice(names) if names else None

    def change(self, depth):
        name = self.variable()
        t = self.names[name]
        if self.rng.random() < 0.5:
            return [f"{name} = {self.number(t, 3)}"]
        op = self.rng.choice(["+", "-", "*", "//", "%", "&", "|", "^"])
        return [f"{name} {op}= {self.number(t, 2)}"]

    def swap(self, depth):
        x = self.variable()
        y = self.variable(self.names[x])
        return [f"{x}, {y} = {y}, {self.number(self.names[x], 1)}"]

    def place(self):
        """A place in memory and its type."""
        t = self.rng.choice(TYPES)
        kind = self.rng.random()
        if kind < 0.3:
            return f"p[{self.index(64)}]", "u8"
        if kind < 0.5:
            return f"cast(ptr[{t}], p)[{self.index(64 * 8 // BITS[t])}]", t
        if kind < 0.6:
            return f"s.many[{self.index(5)}]", "i16"
        if kind < 0.7:
            return f"s.either.bytes[{self.index(4)}]", "u8"
        t = self.rng.choice(list(FIELDS))
        field = self.rng.choice(FIELDS[t])
        local = [n for n, k in self.names.items() if k == "S"]
        return f"{self.rng.choice(['s', 's', 's[0]', *local])}.{field}", t

    def index(self, size):
        """An integer that is certainly below `size`."""
        self.indexing += 1
        options = [str(self.rng.randrange(size)), f"{self.number('u64', 1)} % {size}"]
        if size & (size - 1) == 0:
            options.append(f"{self.number('u32', 1)} & {size - 1}")
        self.indexing -= 1
        return self.rng.choice(options)

    def store(self, depth):
        place, t = self.place()
        if self.rng.random() < 0.3:
            return [f"{place} {self.rng.choice('+-*^|')}= {self.number(t, 1)}"]
        return [f"{place} = {self.number(self.rng.choice(TYPES), 2)}"]

    def struct_local(self, depth):
        t = self.rng.choice(TYPES)
        members = f"a={self.number(t, 1)}, e={self.number(t, 1)}"
        known = [n for n, kind in self.names.items() if kind == "S"]
        if known and self.rng.random() < 0.3:
            return [f"{self.new('S')} = {self.rng.choice(known)}"]
        return [f"{self.new('S')} = S({members})"]

    def copy(self, depth):
        size = self.rng.randint(0, 20)
        return self.rng.choice(
            [
                [f"memcpy(p, byte_offset(p, 32), {size})"],
                [f"memmove(byte_offset(p, {self.rng.randrange(9)}), p, {self.index(32)})"],
                [f"memset(byte_offset(p, {self.index(32)}), {self.number('i32', 1)}, {size})"],
                ["s.inner = s.inner"],
            ]
        )

    def branch(self, depth):
        """A block whose new variables end with it."""
        before = dict(self.names)
        lines = self.block(depth)
        self.names = before
        return lines

    def if_(self, depth):
        condition = self.truth(2)
        if self.rng.random() < 0.3:
            t = self.rng.choice(TYPES)
            value = self.number(t, 2)
            condition = f"({self.new(t)} := {value}) {self.rng.choice(['<', '>='])} {self.small()}"
        lines = [f"if {condition}:", *self.branch(depth + 1)]
        if self.rng.random() < 0.3:
            lines += [f"elif {self.truth(2)}:", *self.branch(depth + 1)]
        if self.rng.random() < 0.6:
            lines += ["else:", *self.branch(depth + 1)]
        if self.rng.random() < 0.3:  # a variable that both ways assign
            t, inner = self.rng.choice(TYPES), "    " * (depth + 1)
            x, y = self.number(t, 2), self.number(t, 2)
            condition, name = self.truth(2), self.new(t)
            lines += [f"if {condition}:", f"{inner}{name} = {x}", "else:", f"{inner}{name} = {y}"]
        return lines

    def for_(self, depth):
        rng = self.rng
        before = dict(self.names)
        start, stop = rng.randint(-3, 5), rng.randint(-3, 7)
        bounds = rng.choice(
            [
                f"{self.number('u64', 1)} % 6", f"{self.number('i32', 1)} % 5",
                f"{start}, {stop}", f"{start}, {stop}, {rng.choice([1, 2, 3, -1, -2])}",
                f"{self.number('i16', 1)} % 4, {stop}, {rng.choice([2, -1])}",
                f"{self.number('u8', 1)} & 7, {self.number('u64', 1)} % 4, {rng.choice([-3, 3])}",
            ]
        )  # fmt: skip
        name = self.new("int")
        self.protected.add(name)
        lines = [f"for {name} in range({bounds}):"]
        if rng.random() < 0.15:
            lines = [f"for {name} in s.many:"]
            self.names[name] = "i16"
        return self.loop(depth, before, lines)

    def while_(self, depth):
        self.loops += 1
        before = dict(self.names)
        name = self.new(self.rng.choice(["u8", "u32", "u64", "i32"]))
        t = self.names[name]
        self.protected.add(name)
        self.loops -= 1
        count = self.rng.randint(0, 5)
        head = [f"{name} = {t}(0)", f"while {name} < {count}:"]
        inner = "    " * (depth + 1)
        head.append(f"{inner}{name} = {name} + 1")
        return self.loop(depth, before, head)

    def loop(self, depth, before, lines):
        self.loops += 1
        body = self.block(depth + 1)
        self.loops -= 1
        self.names = before
        lines = [*lines, *body]
        if self.rng.random() < 0.2:
            lines += ["else:", *self.branch(depth + 1)]
        return lines

    def leave(self, depth):
        return [
            f"if {self.truth(2)}:",
            "    " * (depth + 1) + self.rng.choice(["break", "continue"]),
        ]

    def early(self, depth):
        inner = "    " * (depth + 1)
        return [f"if {self.truth(2)}:", f"{inner}return {self.number(self.rng.choice(TYPES), 2)}"]

    def match(self, depth):
        inner, t = "    " * (depth + 1), self.rng.choice(TYPES)
        lines = [f"match {self.number(t, 2)} % 5:"]
        for value in self.rng.sample(range(5), self.rng.randint(1, 3)):
            guard = f" if {self.truth(1)}" if self.rng.random() < 0.3 else ""
            other = f" | {(value + 7) % 9}" if self.rng.random() < 0.4 else ""
            lines += [f"{inner}case {value}{other}{guard}:", *self.branch(depth + 2)]
        if self.rng.random() < 0.5:
            lines += [f"{inner}case _:", *self.branch(depth + 2)]
        return lines

    # --- expressions ---

    def number(self, t, depth):
        """An expression of a fixed-width type."""
        rng = self.rng
        if depth <= 0 or rng.random() < 0.15:
            return self.leaf(t)
        sub = depth - 1
        x = self.number(t, sub)
        same = [
            lambda: f"({x} {rng.choice('+-*&|^')} {self.number(t, sub)})",
            lambda: f"({x} {rng.choice(['//', '%'])} {self.number(t, sub)})",
            lambda: f"({x} {rng.choice(['+', '-', '*', '//', '%', '&', '|', '^'])} {self.small()})",
            lambda: f"({self.small()} {rng.choice(['+', '-', '*', '//', '%'])} {x})",
            lambda: f"({x} {rng.choice(['<<', '>>'])} {self.number(rng.choice(TYPES[:4]), sub)})",
            lambda: f"({x} {rng.choice(['<<', '>>'])} ({self.plain(sub)} & 15))",
            lambda: f"({rng.choice('-~+')}{x})",
            lambda: f"abs({x})",
            lambda: f"({x} if {self.truth(sub)} else {self.number(t, sub)})",
            lambda: f"({x} {rng.choice(['and', 'or'])} {self.number(t, sub)})",
            lambda: f"{rng.choice(['min', 'max'])}({x}, {self.number(t, sub)})",
            lambda: f"{t}({self.number(rng.choice(TYPES), sub)})",
            lambda: f"{t}({self.plain(sub)})",
            lambda: f"{t}({self.truth(sub)})",
            lambda: f"cast({t}, {self.number(rng.choice(TYPES), sub)})",
        ]
        narrower = [n for n in TYPES if BITS[n] < BITS[t]]
        if narrower:
            same.append(
                lambda: f"({x} {rng.choice('+-*&|^')} {self.number(rng.choice(narrower), sub)})"
            )
        if t == "u64":
            y = self.number(rng.choice(TYPES), sub)
            same += [
                lambda: f"mulhi({x}, {y})",
                lambda: f"mulfold({x}, {y})",
                lambda: f"rotl64({x}, {y})",
                lambda: f"bswap64({x})",
            ]
        if t == "u32":
            y = self.number(rng.choice(TYPES), sub)
            same += [lambda: f"clz64({y})", lambda: f"ctz64({y})", lambda: f"rotl32({x}, {y})"]
            same += [lambda: f"opaque({x})"]
            same += [
                lambda: f"atomic_add(s.ref.either.ref.word, {y})" if False else f"bswap32({x})"
            ]
        if t == "u16":
            same += [lambda: f"bswap16({x})"]
        times = 4**self.loops
        calls = [h for h in self.helpers if h[1] == t and self.steps + h[3] * times < STEPS]
        if calls and self.rng.random() < 0.3:
            name, _, params, steps = rng.choice(calls)
            self.steps += steps * times
            arguments = [self.number(rng.choice(TYPES), sub) for _ in params]
            return f"{name}({', '.join(arguments)}, p, s)"
        return rng.choice(same)()

    def leaf(self, t):
        rng = self.rng
        name = self.variable(t)
        protected = [n for n in self.protected if self.names.get(n) == t]
        options = [self.literal(t)]
        if name is not None:
            options += [name] * 3
        options += protected
        place, kind = self.place() if rng.random() < 0.4 and not self.indexing else ("", "")
        if kind:
            options.append(place if kind == t else f"{t}({place})")
        return rng.choice(options)

    def literal(self, t):
        bits = BITS[t]
        value = self.rng.choice(
            [0, 1, 2, 7, 100, (1 << bits) - 1, 1 << (bits - 1), self.rng.getrandbits(bits), -1, -5]
        )
        return f"{t}({value})"

    def small(self):
        return str(self.rng.choice([0, 1, 2, 3, 5, 8, 16, 100, -1, -2, -7, 255, 1 << 40]))

    def plain(self, depth):
        """An expression of a plain integer that stays small."""
        rng = self.rng
        loops = [n for n, t in self.names.items() if t == "int"]
        options = [self.small, lambda: "len(s.many)", lambda: "sizeof(S)"]
        options += [lambda: rng.choice(loops)] * 3 if loops else []
        if depth > 0:
            x, y = self.plain(depth - 1), self.plain(depth - 1)
            number = self.number(rng.choice(TYPES), depth - 1)
            options += [
                lambda: f"({x} {rng.choice('+-')} {y})",
                lambda: f"({x} {rng.choice('&|^')} {y})",
                lambda: f"({x} {rng.choice(['//', '%'])} {rng.choice([-7, -2, 3, 5, 8])})",
                lambda: f"int({number}) {rng.choice(['//', '%'])} {rng.choice([3, 8, 1000])}",
                lambda: f"int({self.number(rng.choice(['u8', 'i16', 'u32']), depth - 1)})",
                lambda: f"(int({number}) >> {rng.randint(0, 70)})",
                lambda: f"({x} if {self.truth(depth - 1)} else {y})",
                lambda: f"(~{x})",
            ]
        return f"({rng.choice(options)()})"

    def truth(self, depth):
        rng = self.rng
        bools = [n for n, t in self.names.items() if t == "bool"]
        if depth <= 0:
            return rng.choice(bools or ["True", "False", f"({self.leaf('u8')} < 100)"])
        t, sub = rng.choice(TYPES), depth - 1
        x, y = self.number(t, sub), self.number(rng.choice(TYPES), sub)
        compare = rng.choice(["<", "<=", ">", ">=", "==", "!="])
        options = [
            f"({x} {compare} {y})", f"({x} {compare} {self.small()})",
            f"({x} {compare} {self.plain(sub)})", f"(not {self.truth(sub)})",
            f"({self.truth(sub)} {rng.choice(['and', 'or'])} {self.truth(sub)})",
            f"({self.small()} {compare} {x} {rng.choice(['<', '!='])} {y})",
            f"({x} in ({self.small()}, {y}))", f"({x} not in (1, 2))", f"bool({x})",
            f"memeq(p, byte_offset(p, {self.index(32)}), {rng.randint(0, 20)})",
        ]  # fmt: skip
        return rng.choice([*options, *bools])


def batch(seed):
    """Source and functions of one module."""
    rng = random.Random(seed)
    texts, helpers = [HEAD], []
    for i in range(BATCH):
        generator = Generator(rng, f"f{i}", helpers[-5:])
        texts.append(generator.function())
        helpers.append((f"f{i}", generator.result, "abc", generator.steps))
    return "\n".join(texts), helpers


KINDS = {"u8": u8, "u16": u16, "u32": u32, "u64": u64, "i8": i8, "i16": i16, "i32": i32, "i64": i64}


@pytest.mark.parametrize("seed", range(max(FUNCTIONS // BATCH, 1)))
def test_random_functions_agree(seed):
    text, functions = batch(seed)
    space = define(text)
    module = compile_native([space[name] for name, *_ in functions])
    level = ("optimised", "quick", "middle")[seed % 3]
    memory, rng = Memory(), random.Random(seed)
    region = memory.allocate("buffer", 1024)
    p = ptr(memory, region.base, u8)
    s = ptr(memory, region.base + 512, space["S"])
    with native(module, options=Options(level), cached=False) as code:
        for name, *_ in functions:
            compiled = c_function(code, f"source.{name}", module.exports[f"source.{name}"])
            kinds = [t for _, t in module.exports[f"source.{name}"].params[:3]]
            for _ in range(INPUTS):
                start = rng.randbytes(1024)
                bits = [rng.choice([0, 1, 3, 8, 64]) for _ in kinds]
                a = [
                    t(rng.getrandbits(n) - rng.randint(0, 2))
                    for t, n in zip(kinds, bits, strict=True)
                ]
                region.data[:] = start
                expected = space[name](*a, p, s), bytes(region.data)
                region.data[:] = start
                got = compiled(*a, int(p), int(s)), bytes(region.data)
                assert got == expected, (f"seed {seed}", name, a)


WORDS = """\
p|s|a|b|c|u8|u64|i32|null|True|None|1.5|'x'|-1|p.nope|s.many|s.next|s.inner|S|S()|range(3)|[1]|{1}
|(1, 2)|f0|native|ptr[u8]|cast|min|memcpy|len|s.ref|s.ptr|int|bool|abs|...|1<<70|v1|v2|sizeof(int)
|f0(a, b, c, p, s)|x := 3|lambda: 1|a if b else c|a and p|a[0]|p[1:2]|f'{a}'|s.a.b|not S|-p|~s
"""


def broken(text, rng):
    """The text with an expression or two in each function replaced by others."""
    tree = ast.parse(text)
    for n, function in enumerate(tree.body):
        if not isinstance(function, ast.FunctionDef):
            continue
        changed = copy.deepcopy(function)
        places = [
            (node, field, i)
            for node in ast.walk(ast.Module(changed.body, []))
            for field, value in ast.iter_fields(node)
            for i, item in enumerate(value if isinstance(value, list) else [value])
            if isinstance(item, ast.expr) and not isinstance(getattr(item, "ctx", None), ast.Store)
        ]
        for node, field, i in rng.sample(places, min(rng.choice([1, 1, 2]), len(places))):
            new = ast.parse(f"({rng.choice(WORDS.split('|'))})", mode="eval").body
            if isinstance(getattr(node, field), list):
                getattr(node, field)[i] = new
            else:
                setattr(node, field, new)
        try:
            compile(ast.unparse(changed), "changed", "exec")
        except SyntaxError:
            continue
        tree.body[n] = changed
    return ast.unparse(tree)


@pytest.mark.filterwarnings("ignore::SyntaxWarning")  # of sources that are broken on purpose
@pytest.mark.parametrize("seed", range(max(FUNCTIONS // BATCH // 2, 1)))
def test_broken_functions_are_refused_and_never_a_traceback(seed):
    rng = random.Random(seed)
    text, functions = batch(f"broken {seed}")
    space = define(broken(text, rng))
    errors, parts = [], []
    for name, *_ in functions:
        try:
            parts.append(compile_native([Spec(space[name], f"part{len(parts)}")]).ir)
        except CompileError as error:
            errors.append(str(error))
    assert len(errors) > 10
    assert all(error.startswith("<source ") for error in errors)
    for part in parts:
        compile_ir([part], Options("quick"), emit="ir")
