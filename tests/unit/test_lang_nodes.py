"""Every kind of node of Python's syntax either compiles with Python's meaning or is refused with
its place and a way out. The kinds are those that the running Python has."""

import ast

import pytest

from ebee.lang.build import c_function, native
from ebee.lang.errors import SourceError
from ebee.lang.source import define
from ebee.lang.unit import compile_native

pytestmark = pytest.mark.unit

HEAD = """\
import enum
from ebee.native import native, cast, byte_offset, memcpy
from ebee.types import *

class Color(enum.IntEnum):
    RED = 3
    BLUE = 4

LIMIT = 40
PORTS = (80, 443, 8080)

@struct
class Pair:
    a: u32
    b: u32
    many: array[u8, 8]

@native
def add(x: u64, y: u64) -> u64:
    return x + y

@native
def both(x: u64, y: u64) -> tuple[u64, u64]:
    return y, x

"""

COMPILES = {
    # statements
    "Return": "return a",
    "Assign": "x = y = a + 1\n(p, q), r = (x, y), b\nreturn p + q * r",
    "AugAssign": "x = a\nx += b\nx -= 3\nx *= 2\nx //= 3\nx ^= b\nx <<= 1\nx >>= 2\nreturn x",
    "AnnAssign": "x: u64\nx: u64 = a + 1\nreturn x",
    "For": """\
x = u64(0)
for i in range(2, 20, 3):
    for k in range(9, 0, -2):
        if k == 5:
            continue
        x += i * k
    i = 100
    if x > b:
        break
else:
    x += 1
return x + i
""",
    "While": """\
x = a
while x > 10:
    x = x // 3
    if x == 100:
        break
else:
    x = x + 1000
while True:
    x = x + 1
    if x % 7 == 0:
        return x
""",
    "If": "if a > b:\n    x = a\nelif a == b:\n    x = u64(7)\nelse:\n    x = b\nreturn x",
    "Match": """\
match a:
    case 0:
        return 10
    case 1 | 2 as x:
        return x + 20
    case Color.RED | Color.BLUE if b != 7:
        return 30
    case x if x > 50:
        return x
    case _:
        return 50
""",
    "Assert": "assert sizeof(Pair) == 16, 'layout'\nreturn a",
    "Expr": "'docstring'\nadd(a, b)\n...\nreturn a",
    "Pass": "pass\nreturn a",
    "Break": "for i in range(10):\n    if i == a:\n        break\nreturn i",
    "Continue": (
        "x = u64(0)\nfor i in range(9):\n    if i == a:\n        continue\n    x += i\nreturn x"
    ),
    # expressions
    "BoolOp": "x = (a > 3 and b > 3) or a == b\nreturn (1 if x else 0) + 2 * u64(a and b)",
    "NamedExpr": "if (x := a + 1) > 5:\n    return x\nreturn x * 2",
    "BinOp": "return (a + b) * (a - b) // 3 % 1000 ^ (a & b | 5) << 2 >> 1",
    "UnaryOp": "return -a + ~b + +a + u64(not a)",
    "IfExp": "x = a if a > b else b\nreturn x + (1 if b else 2)",
    "Compare": "return u64(a < b < 100) + u64(a in PORTS) + u64(a != b >= 3)",
    "Call": "return add(a, b) + u32(a) + sizeof(Pair) + min(a, b) + len(PORTS)",
    "Constant": "return 0x7F + a * 3 + u64(True)",
    "Attribute": "s = Pair(a=a, b=7)\ns.b = s.b + 1\nreturn s.a * 3 + s.b + s.ref.b[0]",
    "Subscript": "s = Pair(a=a)\ns.many[3] = b\np = s.ptr\nreturn s.many[3] + p[0].a + PORTS[1]",
    "Name": "x = a\nreturn x + LIMIT",
    "Tuple": "x, y = both(a, b)\nx, y = y, x\nreturn x * 3 + y",
    # operators
    "Add": "return a + b",
    "Sub": "return a - b",
    "Mult": "return a * b",
    "FloorDiv": "return a // b",
    "Mod": "return a % b",
    "LShift": "return a << b",
    "RShift": "return a >> b",
    "BitOr": "return a | b",
    "BitXor": "return a ^ b",
    "BitAnd": "return a & b",
    "Pow": "return a * 3**4",
    "Invert": "return ~a",
    "Not": "return u64(not a)",
    "UAdd": "return +a",
    "USub": "return -a",
    "Eq": "return u64(a == b)",
    "NotEq": "return u64(a != b)",
    "Lt": "return u64(a < b)",
    "LtE": "return u64(a <= b)",
    "Gt": "return u64(a > b)",
    "GtE": "return u64(a >= b)",
    "In": "return u64(a in (1, 2, LIMIT))",
    "NotIn": "return u64(a not in [1, 2, LIMIT])",
    "And": "return u64(a > 1 and b > 1)",
    "Or": "return u64(a > 1 or b > 1)",
    # patterns
    "MatchValue": (
        "match a:\n    case 7:\n        return 1\n    case Color.BLUE:\n        return 2\nreturn 3"
    ),
    "MatchSingleton": (
        "match a > b:\n    case True:\n        return 1\n    case False:\n        return 2\nreturn 3"  # noqa: E501
    ),
    "MatchSequence": (
        "match (a, b):\n    case (1, y):\n        return y\n"
        "    case [x, 2 | 3]:\n        return x + 1\n"
        "    case (x, y, z):\n        return 9\n    case _:\n        return 4"
    ),
    "MatchClass": (
        "s = Pair(a=a, b=b)\nmatch s:\n    case Pair(a=7):\n        return 1\n"
        "    case Pair(1 | 2, y):\n        return y\nreturn 3"
    ),
    "MatchAs": "match a:\n    case 1 as x:\n        return x\n    case y:\n        return y + 1",
    "MatchOr": "match a:\n    case 1 | 2 | 3:\n        return 1\n    case _:\n        return 0",
}  # fmt: skip

REFUSED = {
    # statements: source with the offending place between « and »
    "FunctionDef": "«def g(): pass»\nreturn a",
    "AsyncFunctionDef": "«async def g(): pass»\nreturn a",
    "ClassDef": "«class C: pass»\nreturn a",
    "Delete": "x = a\n«del x»\nreturn a",
    "AsyncFor": None,
    "AsyncWith": None,
    "With": "«with a:\n    pass»\nreturn a",
    "Raise": "«raise ValueError»",
    "Try": "«try:\n    pass\nfinally:\n    pass»\nreturn a",
    "TryStar": "«try:\n    pass\nexcept* OSError:\n    pass»\nreturn a",
    "Import": "«import os»\nreturn a",
    "ImportFrom": "«from os import path»\nreturn a",
    "Global": "«global LIMIT»\nreturn a",
    "Nonlocal": None,
    "TypeAlias": "«type T = int»\nreturn a",
    # expressions
    "Lambda": "x = «lambda: 1»\nreturn a",
    "Dict": "x = «{1: 2}»\nreturn a",
    "Set": "x = «{1, 2}»\nreturn a",
    "List": "x = «[1, 2]»\nreturn a",
    "ListComp": "x = «[i for i in PORTS]»\nreturn a",
    "SetComp": "x = «{i for i in PORTS}»\nreturn a",
    "DictComp": "x = «{i: i for i in PORTS}»\nreturn a",
    "GeneratorExp": "x = «(i for i in PORTS)»\nreturn a",
    "Await": None,
    "Yield": "«yield a»",
    "YieldFrom": "«yield from PORTS»",
    "JoinedStr": "x = «f'{a}'»\nreturn a",
    "FormattedValue": "x = «f'{a}'»\nreturn a",
    "TemplateStr": "x = «t'{a}'»\nreturn a",
    "Interpolation": "x = «t'{a}'»\nreturn a",
    "Starred": "return add(«*PORTS»)",
    "Slice": "s = Pair()\nreturn «s.many[1:2]»[0]",
    # operators
    "Div": "return «a / b»",
    "MatMult": "return «a @ b»",
    "Is": "return u64(«a is b»)",
    "IsNot": "return u64(«a is not b»)",
    # patterns
    "MatchMapping": "match a:\n    case «{'x': 1}»:\n        return 1\nreturn 2",
    "MatchStar": "match (a, b):\n    case (1, «*rest»):\n        return 1\nreturn 2",
}  # fmt: skip

ABSTRACT = (
    ast.stmt, ast.expr, ast.pattern, ast.operator, ast.unaryop, ast.cmpop, ast.boolop,
)  # fmt: skip


def kinds():
    """The concrete kinds of nodes that code inside a function is made of."""
    found = {}
    for base in ABSTRACT:
        for kind in base.__subclasses__():
            found[kind.__name__] = kind
    return found


def source(body, head="def f(a: u64, b: u64) -> u64:"):
    lines = body.rstrip("\n").split("\n")
    return HEAD + "@native\n" + head + "\n" + "\n".join("    " + line for line in lines) + "\n"


@pytest.mark.parametrize("kind", sorted(kinds()))
def test_every_kind_of_node_is_known(kind):
    assert (kind in COMPILES) != (kind in REFUSED)


@pytest.mark.parametrize("kind", sorted(COMPILES))
def test_what_compiles_means_what_it_means_in_python(kind):
    text = source(COMPILES[kind])
    assert any(type(node).__name__ == kind for node in ast.walk(ast.parse(text)))
    f = define(text)["f"]
    module = compile_native([f])
    with native(module, cached=False) as code:
        compiled = c_function(code, "source.f", module.exports["source.f"])
        for a in (0, 1, 2, 3, 4, 5, 7, 9, 40, 80, 100, 1000, 2**63, 2**64 - 1):
            for b in (0, 1, 2, 3, 7, 60, 64, 70, 2**64 - 1):
                assert compiled(a, b) == f(a, b), (a, b)


@pytest.mark.parametrize("kind", sorted(k for k, v in REFUSED.items() if k in kinds()))
def test_what_is_refused_says_where_and_what_to_do(kind):
    body = REFUSED[kind]
    if body is None:
        pytest.skip("stands only inside what is refused itself (async and nested functions)")
    marked = source(body)
    text = marked.replace("«", "").replace("»", "")
    assert any(type(node).__name__ == kind for node in ast.walk(ast.parse(text)))
    before = marked[: marked.index("«")]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    f = define(text, file=f"{kind}.py")["f"]
    with pytest.raises(SourceError) as caught:
        compile_native([f])
    error = caught.value
    assert (error.file, error.line, error.column) == (f"{kind}.py", line, column)
    first, shown, caret, way_out = str(error).split("\n")[:4]
    assert first.startswith(f"{kind}.py:{line}:{column}: ")
    there = text.splitlines()[line - 1]
    assert shown == "    " + there.strip()
    assert caret.index("^") == 4 + column - 1 - (len(there) - len(there.lstrip()))
    assert way_out.startswith("way out: ")


@pytest.mark.parametrize("kind", ["AsyncFor", "AsyncWith", "Await", "Nonlocal"])
def test_nodes_of_other_functions_are_refused_by_the_table(kind):
    """They cannot stand in a plain function, but the compiler must not depend on that."""
    from ebee.lang.refused import refusal_of

    assert refusal_of(kinds()[kind]()).way_out
