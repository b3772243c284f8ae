"""docs/ports.md: a table of the kernel selftests that tests/kernel/ports follows, from what those
files say. A test holds it to that.

    python scripts/gen_ports.py
    python scripts/gen_ports.py --count DIR    count the lines of C anew; DIR: .../selftests/bpf
"""

import ast
import re
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "ports.md"
PORTS = ROOT / "tests" / "kernel" / "ports"
EXAMPLES = runpy.run_path(str(ROOT / "scripts" / "gen_examples.py"))

OWN_MACHINE = {"fentry", "fexit", "fmod_ret", "freplace", "lsm", "lsm_cgroup"}
"""Hooks that the 6.18 test machine refuses: their ports run in the virtual machine with 6.12."""
ABOUT = {"FOLLOWS", "SINCE", "pytestmark"}
"""Names that belong to neither side."""
USER_SIDE = {"pytest", "ebee.errors", "ebee.lang.bpf"}
"""Modules that only tests import, beside those of the library."""
FEATURES = EXAMPLES["FEATURES"] | {
    "ListHead": "lists", "RbRoot": "trees", "new": "own objects", "loop": "bpf_loop",
    "for_each_map_elem": "callbacks", "separate": "separate functions",
}  # fmt: skip

HEAD = """\
# Selftests of the kernel, in Python

Ports of selftests (tools/testing/selftests/bpf of Linux 6.12), written anew: each file holds the
programs and the checks of one or two of them. Lines are those with code, of the programs and of
the user side; of selftests that are followed in part, the lines of that part. What both have in
common with others (helpers of the tests, in C and in Python) is not counted. They run on the test
machine with Linux 6.18, and with 6.12 (`python scripts/vm.py test --kernel 6.12` and the folder).
The machine refuses some hooks: of those with \\* a part, or all, runs with 6.12 only. Made by
scripts/gen_ports.py.

"""


def ports() -> list[Path]:
    """The files."""
    return sorted(PORTS.glob("test_*.py"))


# --- lines ----------------------------------------------------------------------------------------


def python_lines(path: Path) -> tuple[int, int]:
    """Lines with code of the programs, and of the user side."""
    text = path.read_text()
    counts = [0, 0]
    for node in ast.parse(text).body:
        if (side := _side(node)) is not None:
            first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
            counts[side] += _code(node, text.splitlines()[first - 1 : node.end_lineno], first)
    return counts[0], counts[1]


def _side(node: ast.stmt) -> int | None:
    """0: of the programs, 1: of the user side, None: of neither."""
    match node:
        case ast.Expr():
            return None
        case ast.Assign(targets=[ast.Name(id=name)]) if name in ABOUT:
            return None
        case ast.ImportFrom(module=str(module)):
            return 0 if module.startswith("ebee") and module not in USER_SIDE else 1
        case ast.Import():
            return 1
        case ast.FunctionDef() | ast.ClassDef():
            marks = {ast.unparse(d).partition("(")[0] for d in node.decorator_list}
            bases = {ast.unparse(b) for b in getattr(node, "bases", ())}
            own = any(m and "." not in m and m.islower() for m in marks) or bases & {"IntEnum"}
            return 0 if own else 1
    return 1 if "pytest" in ast.unparse(node) else 0


def _code(node: ast.stmt, lines: list[str], first: int) -> int:
    """Lines that are not empty, not a comment, and not of a docstring."""
    said: set[int] = set()
    for part in ast.walk(node):
        if isinstance(part, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(part):
            said |= set(range(part.body[0].lineno, (part.body[0].end_lineno or 0) + 1))
    return sum(
        bool(line.strip()) and not line.strip().startswith("#")
        for number, line in enumerate(lines, first)
        if number not in said
    )


def c_lines(text: str, functions: list[str]) -> int:
    """Lines with code of a C file, or of some of its functions."""
    text = re.sub(r"/\*.*?\*/|//[^\n]*", lambda m: "\n" * m[0].count("\n"), text, flags=re.DOTALL)
    if functions:
        parts = [re.search(rf"^[^\n;]*\b{name}[(,][^;{{]*\n?{{.*?^}}", text, re.M | re.S)
                 for name in functions]  # fmt: skip
        missing = [n for n, part in zip(functions, parts, strict=True) if part is None]
        if missing:
            raise SystemExit(f"there is no function {missing[0]}")
        text = "\n".join(part[0] for part in parts if part)
    return sum(bool(line.strip()) for line in text.splitlines())


def said(path: Path, name: str) -> ast.expr:
    """What a port says of itself: SINCE, a release of Linux; FOLLOWS: file -> lines of C, or
    "file: function, function" -> lines of C."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return node.value
    raise SystemExit(f"{path} has no {name}")


def count(path: Path, sources: Path) -> None:
    """Write the numbers of lines of C into a port."""
    found, lines = said(path, "FOLLOWS"), path.read_text().splitlines(keepends=True)
    assert isinstance(found, ast.Dict)
    for key, value in reversed(list(zip(found.keys, found.values, strict=True))):
        assert key is not None
        file, _, names = str(ast.literal_eval(key)).partition(": ")
        number = c_lines((sources / file).read_text(), names.split(", ") if names else [])
        at = value.lineno - 1
        line = lines[at]
        lines[at] = line[: value.col_offset] + str(number) + line[value.end_col_offset :]
    path.write_text("".join(lines))


# --- the page -------------------------------------------------------------------------------------


def _hooks(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        for mark in getattr(node, "decorator_list", ()):
            name = ast.unparse(mark).partition("(")[0]
            if name in EXAMPLES["HOOKS"]:
                yield name


def row(path: Path) -> list[str]:
    """A line of the table."""
    tree = ast.parse(path.read_text())
    about = " ".join((ast.get_docstring(tree) or "").split())
    lines: dict[str, int] = ast.literal_eval(said(path, "FOLLOWS"))
    tests = [Path(k.partition(":")[0]).stem for k in lines if k.startswith("prog_tests/")]
    user = sum(n for k, n in lines.items() if k.startswith("prog_tests/"))
    names = EXAMPLES["_names"](tree)
    features = {text for name, text in FEATURES.items() if name in names}
    maps = {f"`{n}`" for n in names if EXAMPLES["_is_map"](n) and n != "AnyMap"}
    hooks = list(dict.fromkeys(_hooks(tree)))
    programs, own = python_lines(path)
    star = " \\*" if OWN_MACHINE & set(hooks) else ""
    return [
        f"[{', '.join(dict.fromkeys(tests))}](../tests/kernel/ports/{path.name}){star}",
        about.partition(": ")[2].rstrip("."),
        ", ".join(f"`@{h}`" for h in hooks),
        ", ".join([*sorted(maps), *sorted(features)]),
        ast.literal_eval(said(path, "SINCE")),
        f"{sum(lines.values()) - user} + {user}",
        f"{programs} + {own}",
    ]


def page() -> str:
    """The page as it should be."""
    rows = [row(path) for path in ports()]
    sums = [[sum(int(r[i].split(" + ")[k]) for r in rows) for k in (0, 1)] for i in (5, 6)]
    rows.append([f"{len(rows)} files", "", "", "", "", *(f"{a} + {b}" for a, b in sums)])
    head = ["selftest", "what it is about", "hooks", "maps and features", "since Linux"]
    head += ["lines of C", "of Python"]
    table = [head, ["---"] * 5 + ["---:"] * 2, *rows]
    return HEAD + "".join(f"| {' | '.join(cells)} |\n" for cells in table)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--count"]:
        for each in ports():
            count(each, Path(sys.argv[2]))
    PAGE.write_text(page())
    print(f"{len(ports())} ports", file=sys.stderr)
