"""Every kind of node of Python's syntax in BPF mode: it compiles and means what it means in Python
(on the machine and in the kernel), or is refused with its place and a way out. The kinds are those
that the running Python has."""

import ast
import importlib.util
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from threeway import ThreeWay

from ebee.lang.bpf import build
from ebee.lang.errors import SourceError
from ebee.lang.source import define

pytestmark = pytest.mark.differential


def native_cases():
    path = Path(__file__).parents[1] / "unit" / "test_lang_nodes.py"
    spec = importlib.util.spec_from_file_location("lang_nodes_for_bpf", path)
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


native = native_cases()
HEAD = native.HEAD.replace("@native", "@func").replace("import native, cast", "import cast")

OWN = {
    "While": """\
x = a
while x > 10:
    x = x // 3
    if x == 100:
        break
else:
    x = x + 1000
n = 0
while True:
    x = x + 1
    n += 1
    if x % 7 == 0 or n > 8:
        return x + n
""",
    "Match": native.COMPILES["Match"],
}  # fmt: skip
COMPILES = native.COMPILES | OWN
MORE = {
    # what has a meaning of its own in programs: statements of an XDP program that gives a verdict
    "Delete": "del table[7]\nreturn XDP.PASS",
    "With": "with events.reserve() as e:\n    pass\nreturn XDP.PASS",
    "Raise": "if ctx.rx_queue_index > 5:\n    raise ValueError\nreturn XDP.PASS",
    "Global": "global seen\nseen += 1\nreturn XDP.PASS",
    "JoinedStr": "print(f'{ctx.rx_queue_index}')\nreturn XDP.PASS",
    "FormattedValue": "print(f'{ctx.rx_queue_index:x}')\nreturn XDP.PASS",
    "Is": "p = table.lookup(1)\nif p is None:\n    return XDP.PASS\nreturn XDP.DROP",
    "IsNot": "p = table.lookup(1)\nif p is not None:\n    return XDP.DROP\nreturn XDP.PASS",
}
PROGRAM = """\
table = Hash[u32, u64](max_entries=8)
events = RingBuf[Pair](size=4096)
seen: Global[u64] = 0

@xdp
def prog(ctx: XdpContext) -> XDP:
"""
REFUSED = {k: v for k, v in native.REFUSED.items() if k not in COMPILES} | {
    "Raise": "«raise»", "With": "with «a»:\n    pass\nreturn a",
}  # fmt: skip
INPUTS = [
    [a, b]
    for a in (0, 1, 2, 3, 4, 5, 7, 9, 40, 80, 100, 1000, 2**63, 2**64 - 1)
    for b in (0, 1, 2, 3, 7, 60, 64, 70, 2**64 - 1)
]


@pytest.mark.parametrize("kind", sorted(native.kinds()))
def test_every_kind_of_node_is_known(kind):
    assert (kind in COMPILES) != (kind in REFUSED)


@pytest.mark.parametrize("kind", sorted(COMPILES))
def test_what_compiles_means_what_it_means_in_python(kind):
    lines = COMPILES[kind].rstrip("\n").split("\n")
    text = HEAD + "@func\ndef f(a: u64, b: u64) -> u64:\n"
    text += "".join(f"    {line}\n" for line in lines)
    assert any(type(node).__name__ == kind for node in ast.walk(ast.parse(text)))
    with ThreeWay(text) as way:
        way.check(INPUTS)


@pytest.mark.parametrize("kind", sorted(MORE))
def test_what_only_programs_have_compiles(kind):
    lines = MORE[kind].split("\n")
    text = "from ebee import *\n" + HEAD + PROGRAM + "".join(f"    {line}\n" for line in lines)
    assert any(type(node).__name__ == kind for node in ast.walk(ast.parse(text)))
    assert build.compile(define(text)["prog"]).programs["prog"].insns


@pytest.mark.parametrize("kind", sorted(k for k in REFUSED if k in native.kinds()))
def test_what_is_refused_says_where_and_what_to_do(kind):
    body = REFUSED[kind]
    if body is None:
        pytest.skip("stands only inside what is refused itself (async and nested functions)")
    before, _, after = body.partition("«")
    inside, _, after = after.partition("»")
    text = "from ebee import *\n" + HEAD + "@func\ndef f(a: u64, b: u64) -> u64:\n"
    start = text.count("\n") + 1 + before.count("\n"), 4 + len(before) - before.rfind("\n")
    text += "".join(f"    {line}\n" for line in (before + inside + after).split("\n"))
    assert any(type(node).__name__ == kind for node in ast.walk(ast.parse(text)))
    text += "@xdp\ndef prog(ctx: XdpContext) -> XDP:\n    f(u64(ctx.rx_queue_index), u64(1))\n"
    text += "    return XDP.PASS\n"
    with pytest.raises(SourceError) as caught:
        build.compile(define(text, file=f"{kind}.py")["prog"])
    error = caught.value
    assert (error.file, error.line, error.column) == (f"{kind}.py", *start)
    first, shown, caret, way_out = str(error).split("\n")[:4]
    assert first.startswith(f"{kind}.py:{start[0]}:{start[1]}: ")
    there = text.splitlines()[start[0] - 1]
    assert shown == "    " + there.strip()
    assert caret.index("^") == 4 + start[1] - 1 - (len(there) - len(there.lstrip()))
    assert way_out.startswith("way out: ")
    assert "@native" not in str(error)
