"""Integer arithmetic: compiled code gives what CPython gives, for every operation, every pair of
types, and the values at their edges."""

import itertools
import random

import pytest

from ebee.lang.build import c_function, native
from ebee.lang.compiler import Options
from ebee.lang.source import define
from ebee.lang.unit import compile_native
from ebee.types import i8, i16, i32, i64, u8, u16, u32, u64

pytestmark = pytest.mark.differential

TYPES = (u8, u16, u32, u64, i8, i16, i32, i64)
ARITHMETIC = ("+", "-", "*", "//", "%", "&", "|", "^")
COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
CONSTANTS = (0, 1, 2, 3, 7, 8, 10, 64, 100, -1, -2, -3, -8, 255, 256, 1 << 31, (1 << 64) - 1)
HEAD = "from ebee.native import native\nfrom ebee.types import *\n"


def edges(t, rng):
    """Values at which something changes, and some others."""
    top = 1 << t.bits
    near = [0, 1, 2, 3, 7, 8, top // 2 - 1, top // 2, top // 2 + 1, top - 1, top - 2, top - 8]
    return sorted({int(t(v)) for v in [*near, *(rng.getrandbits(t.bits) for _ in range(4))]})


def mixes(a, b):
    return a is b or a.bits != b.bits


def function(name, params, result, body):
    shown = ", ".join(f"{n}: {t.__name__}" for n, t in params)
    return f"@native\ndef {name}({shown}) -> {result}:\n    return {body}\n"


def wider(a, b):
    return (a if a.bits >= b.bits else b).__name__


def two_operands():
    """(source, types of the parameters) of all operations on two values."""
    texts, kinds = [], []

    def add(result, body, *types):
        params = list(zip("xyz", types, strict=False))
        texts.append(function(f"f{len(texts)}", params, result, body))
        kinds.append(types)

    for a, b in itertools.product(TYPES, TYPES):
        if mixes(a, b):
            for op in ARITHMETIC:
                add(wider(a, b), f"x {op} y", a, b)
        for op in COMPARISONS:
            add("bool", f"x {op} y", a, b)
        if not b.signed:
            for op in ("<<", ">>"):
                add(a.__name__, f"x {op} y", a, b)
    return texts, kinds


def one_operand():
    texts, kinds = [], []

    def add(result, body, *types):
        params = list(zip("xyz", types, strict=False))
        texts.append(function(f"f{len(texts)}", params, result, body))
        kinds.append(types)

    for t in TYPES:
        name = t.__name__
        for c in CONSTANTS:
            for op in ARITHMETIC:
                add(name, f"x {op} {c}", t)
                add(name, f"{c} {op} x", t)
            for op in COMPARISONS:
                add("bool", f"x {op} {c}", t)
                add("bool", f"{c} {op} x", t)
            if 0 <= c <= 256:
                add(name, f"x << {c}", t)
                add(name, f"x >> {c}", t)
        for form in ("-x", "+x", "~x", "abs(x)", "x if x else 0", "x << (x & 7)", "x >> (x & 63)"):
            add(name, form, t)
        for form in ("not x", "bool(x)", "3 < x < 100", "x in (1, 2, 200)", "x not in (0, -1)"):
            add("bool", form, t)
        for other in TYPES:
            add(other.__name__, "x", t)
            add(other.__name__, f"{other.__name__}(x)", t)
            add(other.__name__, f"{other.__name__}(int(x) // 3)", t)
            add(other.__name__, f"{other.__name__}(int(x) % 5 - 2)", t)
            add(other.__name__, f"{other.__name__}(int(x) >> 3)", t)
            add("bool", f"int(x) < {other.__name__}(100)", t)
    return texts, kinds


def agree(texts, kinds, rng, level):
    space = define(HEAD + "\n".join(texts))
    functions = [space[f"f{i}"] for i in range(len(texts))]
    module = compile_native(functions)
    with native(module, options=Options(level), cached=False) as code:
        for i, (f, types) in enumerate(zip(functions, kinds, strict=True)):
            compiled = c_function(code, f"source.f{i}", module.exports[f"source.f{i}"])
            values = [edges(t, rng) for t in types]
            if len(types) == 2 and types[0].bits + types[1].bits > 16:
                values = [rng.sample(v, 9) for v in values]
            for arguments in itertools.product(*values):
                assert compiled(*arguments) == f(*arguments), (texts[i], arguments)


@pytest.mark.parametrize("level", ["quick", "optimised"])
def test_operations_on_two_types_agree(level):
    agree(*two_operands(), random.Random(level), level)


@pytest.mark.parametrize("level", ["quick", "optimised"])
def test_operations_with_constants_and_conversions_agree(level):
    agree(*one_operand(), random.Random(level), level)


def test_all_values_of_eight_bits_agree():
    texts, kinds = [], []
    for t, op in itertools.product((u8, i8), ARITHMETIC):
        texts.append(function(f"f{len(texts)}", [("x", t), ("y", t)], t.__name__, f"x {op} y"))
        kinds.append(t)
    space = define(HEAD + "\n".join(texts))
    module = compile_native([space[f"f{i}"] for i in range(len(texts))])
    with native(module, cached=False) as code:
        for i, t in enumerate(kinds):
            compiled = c_function(code, f"source.f{i}", module.exports[f"source.f{i}"])
            f = space[f"f{i}"].__wrapped__
            numbers = [t(v) for v in range(256)]
            for x, y in itertools.product(numbers[::3], numbers):
                assert compiled(x, y) == f(x, y), (texts[i], x, y)


def test_what_a_comparison_tells_of_a_variable_is_true():
    """Behind a comparison the compiler knows a range, by which it decides further ones."""
    texts, kinds = [], []
    for t, op in itertools.product((u8, i16, u32, u64, i64), COMPARISONS):
        low, high = int(t(1 << t.bits - 1)) if t.signed else 0, (1 << t.bits - t.signed) - 1
        for c in (low, low + 1, 5, high - 1, high):
            probes = " + ".join(f"u64(x == {c + d}) * {4 ** (d + 2)}" for d in range(-2, 3))
            probes += f" + u64(x > {c}) * 2000 + u64({c} >= x) * 3000 + u64(x % 7 == 3) * 5000"
            for condition in (f"x {op} {c}", f"{c} {op} x", f"not x {op} {c}", f"1 < x {op} {c}"):
                texts.append(
                    f"@native\ndef f{len(texts)}(x: {t.__name__}) -> u64:\n"
                    f"    if {condition}:\n        return {probes}\n"
                    f"    return ({probes}) * 7 + 1\n"
                )
                kinds.append((t, c))
    space = define(HEAD + "\n".join(texts))
    module = compile_native([space[f"f{i}"] for i in range(len(texts))])
    with native(module, options=Options("quick"), cached=False) as code:
        for i, (t, c) in enumerate(kinds):
            compiled = c_function(code, f"source.f{i}", module.exports[f"source.f{i}"])
            for x in {int(t(v)) for v in (*range(c - 3, c + 4), 0, 1, 2, 3, -1)}:
                assert compiled(x) == space[f"f{i}"](x), (texts[i], x)


def test_ranges_at_the_ends_of_64_bits():
    """Loops whose counter would pass the end of its 64 bits."""
    top, low = 2**64 - 1, -(2**63)
    head = "@native\ndef f{}(a: {}, b: {}) -> u64:\n    n = u64(0)\n"
    body = "    for i in range({}):\n        n += u64(i) + 1\n    return n\n"
    cases = [
        ("u64", "a, b, 5", (top - 12, top)), ("u64", "a, b, 3", (0, 7)),
        ("u64", "a, b", (top - 3, top)), ("u64", "b, a, -5", (3, 17)),
        ("i64", "a, b, 4", (2**63 - 9, 2**63 - 1)),
        ("i64", "a, b, -4", (low + 9, low)), ("i64", "a, b, -1", (low + 2, low)),
        ("i64", "a, b, 7", (5, -5)), ("u64", "a, b, 7", (9, 2)), ("i64", "-3, b, 2", (0, 6)),
    ]  # fmt: skip
    texts = [head.format(i, t, t) + body.format(r) for i, (t, r, _) in enumerate(cases)]
    space = define(HEAD + "\n".join(texts))
    module = compile_native([space[f"f{i}"] for i in range(len(cases))])
    for level in ("quick", "optimised"):
        with native(module, options=Options(level), cached=False) as code:
            for i, (_, _, arguments) in enumerate(cases):
                compiled = c_function(code, f"source.f{i}", module.exports[f"source.f{i}"])
                assert compiled(*arguments) == space[f"f{i}"](*arguments), texts[i]
