"""Write docs/coverage.md: what ebee can do with each word of eBPF, from the declarations.

    python scripts/gen_coverage.py               write the page
    python scripts/gen_coverage.py --check       fail if it is out of date, or a blank has no reason
    python scripts/gen_coverage.py --ran FILES   note what tests did on their kernels, then write it

How a cell is found:

* compiles: a C program may use the word (its prototype, section or map type is generated).
* verifies: ebee's own verifier knows it: a helper's rules, what a map is to helpers, and of a hook
  the smallest program. It reads the types that come with ebee, so each machine finds the same.
* machine: the declaration names what runs it there, and that exists.
* linux: ebee creates, loads or attaches it; a helper is the kernel's own.
* test: a test module names the word in its COVERS (`COVERS = ("helper:strtol", ...)`), or it is a
  test of maps (its file's name has `maps` in it) with the map type's name as a string. "declared":
  only by modules that go through all declarations of its kind (they use `all_helpers` and so on).

What programs of each hook do on which kernel is what tests did there that tests/kernel/matrix.py
names; they write it to a file when EBEE_MATRIX names one, and docs/kernels.json keeps it.

A blank needs a reason: `missing` in the declaration, or NOT_ATTACHED here.
A reason for a cell that is not blank is an error too.
"""

from __future__ import annotations

import ast
import json
import runpy
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))

from ebee import helpers, hooks, maps  # noqa: E402
from ebee.hooks.numbers import PROG_TYPES  # noqa: E402

PAGE = ROOT / "docs" / "coverage.md"
RESULTS = ROOT / "docs" / "kernels.json"
KERNELS = ("6.18", "6.12", "6.1")
COLUMNS = ("compiles", "verifies", "machine", "linux", "test")

NOT_ATTACHED = "attaching by this mechanism is not built yet: {}"
"""Why ebee cannot attach the programs of a hook."""

HEAD = """# Coverage

What ebee can do with each word of eBPF. Generated from the declarations by
`scripts/gen_coverage.py`, which also says how each cell is found; do not edit.

"""


@dataclass
class Row:
    """One word: the text of its cells, and the reasons of the blank ones."""

    kind: str
    name: str
    since: str
    cells: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    def problems(self) -> Iterator[str]:
        for column in COLUMNS:
            if not self.cells.get(column) and column not in self.missing:
                yield f"{self.kind} {self.name}: {column} is blank without a reason"
            if self.cells.get(column) and column in self.missing:
                yield f"{self.kind} {self.name}: {column} has a reason to be blank, but is not"

    def line(self) -> str:
        cells = [self.cells.get(c, "") for c in COLUMNS]
        reasons = "; ".join(f"{c}: {self.missing[c]}" for c in COLUMNS if c in self.missing)
        return f"| `{self.name}` | {self.since} | {' | '.join(cells)} | {reasons} |"


# --- tests ---------------------------------------------------------------------------------------


def strings(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def covered(tree: ast.Module) -> set[str]:
    """The words in a module's COVERS."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and "COVERS" in map(ast.unparse, node.targets):
            return set(strings(node.value))
    return set()


EVERY = {"all_helpers": "helper:*", "all_types": "map:*", "all_hooks": "hook:*"}


def names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr


def find_tests() -> dict[str, set[str]]:
    """The test modules of each word ("helper:strtol"), and of all words of a kind ("helper:*")."""
    found: dict[str, set[str]] = defaultdict(set)
    types = {m.name for m in maps.all_types()}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        tree = ast.parse(path.read_text())
        words = covered(tree) | {EVERY[n] for n in names(tree) if n in EVERY}
        if "maps" in path.stem:
            words |= {f"map:{s}" for s in strings(tree) if s in types}
        for word in words:
            found[word].add(path.stem)
    return found


def check_words(tests: dict[str, set[str]], rows: Iterable[Row]) -> Iterator[str]:
    """COVERS that name nothing."""
    known = {f"{r.kind}:{r.name}" for r in rows} | set(EVERY.values())
    for word in sorted(set(tests) - known):
        yield f"tests cover {word}, which is not declared: {', '.join(sorted(tests[word]))}"


# --- what there is -------------------------------------------------------------------------------


def there(place: str) -> bool:
    """Whether "module:name" exists."""
    module, _, name = place.partition(":")
    return hasattr(import_module(module), name)


def runs(body: str) -> bool:
    """Whether the body of a helper exists on the machine."""
    where, _, name = body.partition(":")
    if where == "engine":
        from ebee.machine.engine_calls import _ENGINE

        return name in _ENGINE
    if where == "map":
        modules = {m.ops for m in maps.all_types() if m.ops}
        return any(hasattr(import_module(module), name) for module in modules)
    return there(body)


def attaches(hook: hooks.Hook) -> bool:
    """Whether ebee can attach programs of a hook; those of struct_ops are, by their map."""
    if hook.attach == "struct_ops":
        return there("ebee.linux.struct_ops:StructOpsMap")
    from ebee.errors import KernelError
    from ebee.linux.attach import way

    names = {number: name for name, number in PROG_TYPES.items()}
    try:
        return callable(way(hook.attach, names[hook.prog_type]))
    except KernelError:
        return False


TARGETS = {
    "function": "tcp_v4_connect", "tracepoint": "sched_switch", "hook": "file_open",
    "iterator": "task",
}  # fmt: skip
"""What the smallest programs are for, by the kind of target that a hook has."""


def checks(hook: hooks.Hook) -> str:
    """What the verifier knows of a hook: "yes", or the structs whose rules it has."""
    from ebee.btf import Btf
    from ebee.isa.asm import assemble
    from ebee.obj import ObjectSpec, ProgramSpec
    from ebee.verifier.core.check import check
    from ebee.verifier.core.profile import Profile
    from ebee.verifier.core.target import UNSUPPORTED

    if hook.name == "struct_ops":
        return ", ".join(f"`{name}`" for name in UNSUPPORTED)
    target = "security_file_open" if hook.name == "fmod_ret" else TARGETS.get(hook.target or "", "")
    section = hook.sections[0]
    program = ProgramSpec(
        "smallest", section.name, assemble("r0 = 0; exit"), hook=hook.name, attach_to=target,
        attach_type=section.attach_type or 0,
    )  # fmt: skip
    spec = ObjectSpec("smallest", programs={"smallest": program}, license="GPL")
    verdict = check(spec, program, Profile(max(hook.since, "6.18", key=version)), Btf.bundled())
    return "" if verdict.outcome == "unknown" else "yes"


def version(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split(".")))


def rows() -> Iterator[Row]:
    from ebee.verifier.core import call

    yes = {"compiles": "C", "verifies": "yes", "linux": "yes"}
    for h in helpers.all_helpers():
        row = Row("helper", h.name, h.since, dict(yes), dict(h.missing))
        if h.body and runs(h.body):
            row.cells["machine"] = h.body.split(":")[0] if h.body.startswith("engine") else "yes"
        yield row
    for m in maps.all_types():
        row = Row("map", m.name, m.since, dict(yes), dict(m.missing))
        if not (m.program or m.name in call.PLAIN_MAPS):
            row.cells["verifies"] = ""
        if m.ops and import_module(m.ops):
            row.cells["machine"] = "yes"
        yield row
    for k in hooks.all_hooks():
        row = Row("hook", k.name, k.since, dict(yes), dict(k.missing))
        if k.block and there(k.block):
            row.cells["machine"] = "yes"
        row.cells["verifies"] = checks(k)
        if not attaches(k):
            del row.cells["linux"]
            row.missing.setdefault("linux", NOT_ATTACHED.format(k.attach))
        yield row


def matrix() -> tuple[list[Row], list[str]]:
    """All rows, and what is wrong with them."""
    found, tests = list(rows()), find_tests()
    for row in found:
        own = tests.get(f"{row.kind}:{row.name}")
        if own:
            row.cells["test"] = ", ".join(sorted(s.removeprefix("test_") for s in own))
        elif f"{row.kind}:*" in tests:
            row.cells["test"] = "declared"
    problems = [p for row in found for p in row.problems()]
    return found, problems + list(check_words(tests, found)) + on_kernels()[1]


# --- kernels -------------------------------------------------------------------------------------

Results = dict[str, dict[str, list[str]]]  # kernel -> test -> outcome, reason


def note(files: Iterable[str], wanted: set[str]) -> None:
    """Add what tests wrote to what is kept: the last outcome, a failure before a pass."""
    kept: Results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    fresh: Results = {}
    order = ("failed", "passed", "skipped")
    for line in (line for file in files for line in Path(file).read_text().splitlines()):
        ran = json.loads(line)
        version = ".".join(ran["kernel"].split(".")[:2])
        if ran["test"] in wanted and version in KERNELS:
            found = fresh.setdefault(version, {})
            now = [ran["outcome"], ran["reason"]]
            found[ran["test"]] = min(
                found.get(ran["test"], now), now, key=lambda r: order.index(r[0])
            )
    merged = {v: dict(sorted((kept.get(v, {}) | fresh.get(v, {})).items())) for v in KERNELS}
    RESULTS.write_text(json.dumps(merged, indent=1) + "\n")


def on_kernels() -> tuple[list[str], list[str]]:
    """The lines of the table of hooks and kernels, and what is wrong with it."""
    matrix = runpy.run_path(str(ROOT / "tests" / "kernel" / "matrix.py"))
    shown, not_shown = matrix["SHOWN"], matrix["NOT_SHOWN"]
    results: Results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    lines, problems = [], []
    names = {hook.name for hook in hooks.all_hooks()}
    for name in sorted({*shown, *not_shown} ^ names | shown.keys() & not_shown.keys()):
        problems.append(f"tests/kernel/matrix.py and the hooks do not agree about {name}")
    for hook in hooks.all_hooks():
        test = shown.get(hook.name, "")
        if test and not _exists(test):
            problems.append(f"hook {hook.name}: there is no test {test}")
        cells = []
        for kernel in KERNELS:
            outcome, reason = results.get(kernel, {}).get(test, ["", ""])
            if tuple(map(int, kernel.split("."))) < tuple(map(int, hook.since.split("."))):
                outcome, reason = "", f"requires Linux >= {hook.since}"
            reason = reason or not_shown.get(hook.name, "")
            if outcome != "passed" and not reason:
                problems.append(f"hook {hook.name} on Linux {kernel}: {outcome or 'not run'}")
            cells.append("yes" if outcome == "passed" else reason)
        steps = "load, run, see" if hook.attach is None else "load, attach, trigger, see"
        place = f"`{test}`" if test else ""
        lines.append(f"| `{hook.name}` | {steps if test else ''} | {' | '.join(cells)} | {place} |")
    return lines, problems


def _exists(test: str) -> bool:
    path, _, name = test.partition("::")
    file = ROOT / "tests" / "kernel" / path
    return file.exists() and f"def {name}(" in file.read_text()


# --- the page ------------------------------------------------------------------------------------


def section(title: str, found: list[Row]) -> str:
    counts = ", ".join(f"{c} {sum(bool(r.cells.get(c)) for r in found)}" for c in COLUMNS)
    lines = [f"## {title}", "", f"{len(found)} words: {counts}.", ""]
    lines += [f"| word | since | {' | '.join(COLUMNS)} | why blank |", "|---" * 8 + "|"]
    lines += [row.line() for row in found]
    return "\n".join(lines) + "\n"


def page(found: list[Row]) -> str:
    titles = {"hook": "Hooks", "map": "Map types", "helper": "Helpers"}
    parts = [section(t, [r for r in found if r.kind == kind]) for kind, t in titles.items()]
    title = "## Programs on kernels"
    why = """Programs of each hook, on the test machine's kernel and on Debian's in virtual machines
(`make test-vm`): loaded, attached, triggered, and what they saw was seen, by one test; or why not.
"""
    head = f"| word | what the test does | {' | '.join(KERNELS)} | test |\n{'|---' * 6}|"
    table = "\n".join(on_kernels()[0])
    return HEAD + "\n".join([*parts, f"{title}\n\n{why}\n{head}\n{table}\n"])


def main() -> int:
    if "--ran" in sys.argv[1:]:
        shown = runpy.run_path(str(ROOT / "tests" / "kernel" / "matrix.py"))["SHOWN"]
        note(sys.argv[sys.argv.index("--ran") + 1 :], set(shown.values()))
    found, problems = matrix()
    text = page(found)
    if "--check" in sys.argv[1:]:
        if not PAGE.exists() or PAGE.read_text() != text:
            problems.append(f"{PAGE.relative_to(ROOT)} is out of date: run `{sys.argv[0]}`")
    else:
        PAGE.write_text(text)
    for problem in problems:
        print(f"coverage: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
