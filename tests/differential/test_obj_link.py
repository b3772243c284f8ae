"""Objects linked by ebee are what `bpftool gen object` makes of them, to the last instruction."""

import shutil
import subprocess
from pathlib import Path

import pytest

from ebee import clang, linux
from ebee.errors import ObjectError
from ebee.obj import link, link_objects, load, read, save

pytestmark = [pytest.mark.differential, pytest.mark.kernel]

SOURCES = Path(__file__).parents[1] / "fixtures" / "linked"


@pytest.fixture
def linked(tmp_path: Path):
    """(ebee's object, bpftool's)."""
    if not shutil.which("bpftool"):
        pytest.skip("needs bpftool")
    parts = []
    for name in ("first", "second"):
        parts.append(read(clang.compile(SOURCES / f"{name}.c").content, f"{name}.o"))
        save(parts[-1], tmp_path / f"{name}.o")  # without .eh_frame, which bpftool does not take
    out = tmp_path / "both.o"
    command = ["bpftool", "gen", "object", out, tmp_path / "first.o", tmp_path / "second.o"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return link_objects(parts, "both"), load(out)


def test_programs_are_equal(linked) -> None:
    ours, theirs = linked
    assert set(ours.programs) == set(theirs.programs) == {"enter", "leave"}
    for name in ours.programs:
        mine, other = link(ours, name), link(theirs, name)
        assert mine.insns == other.insns
        assert mine.refs == other.refs
        assert [f.start for f in mine.funcs] == [f.start for f in other.funcs]
        assert [(at.slot, at.line, at.text) for at in mine.lines] == [
            (at.slot, at.line, at.text) for at in other.lines
        ]


def test_maps_and_externs_are_equal(linked) -> None:
    ours, theirs = linked
    assert set(ours.externs) == set(theirs.externs)
    assert set(ours.maps) == set(theirs.maps)
    for name, made in ours.maps.items():
        other = theirs.maps[name]
        assert (made.type, made.value_size, made.max_entries) == (
            other.type, other.value_size, other.max_entries,
        ), name  # fmt: skip
        assert made.data == other.data, name


def test_both_do_the_same_in_the_kernel(linked) -> None:
    seen = []
    for spec in linked:
        with linux.load(spec) as made:
            results = {n: p.test_run(bytes(64)).retval for n, p in made.programs.items()}
            seen.append((results, made.variables["total"].value))
    assert seen[0] == seen[1]
    assert seen[0][1] != 100


# -- who may be linked with whom -------------------------------------------------------------------

HEAD = "#include <linux/bpf.h>\n#include <bpf/bpf_helpers.h>\n"
GPL = 'char _license[] SEC("license") = "GPL";\n'
USE_MAP = 'SEC("xdp") int use(void *c) { int k = 0; return !bpf_map_lookup_elem(&m, &k); }\n'


def a_map(before: str = "", entries: int = 4, value: str = "int", weak: str = "") -> str:
    return (
        f"{before} struct {{ __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, {entries});"
        f' __type(key, int); __type(value, {value}); }} m {weak} SEC(".maps");\n'
    )


def other_map(entries: int = 4, value: str = "int") -> str:
    return a_map("extern", entries, value) + USE_MAP


OTHER = 'SEC("tc") int o(void *c) { return f(2); }'
CALL = 'SEC("xdp") int use(void *c) { return f(1); }\n'
PAIRS = {
    "a function defined twice": ("int f(int x) { return x + 1; }", "int f(int x) { return x; }"),
    "a weak one beside a strong one": (
        "__weak int f(int x) { return x + 1; }", "__noinline int f(int x) { return x * 3; }" + CALL,
    ),
    "two weak ones": (
        "__weak int f(int x) { return x + 1; }", "__weak int f(int x) { return x * 3; }" + CALL,
    ),
    "a function declared as it is": (
        "__noinline int f(int x) { return x * 3; }", "extern int f(int x);" + CALL,
    ),
    "a function declared with other arguments": (
        "__noinline int f(int x, int y) { return x * y; }", "extern int f(int x);" + CALL,
    ),
    "a hidden function": (
        "__hidden __noinline int f(int x) { return x * 3; }", "extern int f(int x);" + CALL,
    ),
    "a static function that another wants": (
        "static __noinline int f(int x) { return x * 3; }" + OTHER,
        "extern int f(int x) __weak;" + CALL,
    ),
    "static functions of one name": (
        "static __noinline int f(int x) { return x ^ 3; }" + OTHER,
        "static __noinline int f(int x) { return x ^ 5; }" + CALL,
    ),
    "a variable defined twice": ("int v = 1;", "int v = 2;"),
    "a weak variable": ("int v __weak = 1;", "int v = 2;"),
    "a variable declared as it is": (
        "int v = 7;", 'extern int v; SEC("xdp") int use(void *c) { return v; }',
    ),
    "a variable declared wider": (
        "int v = 7;", 'extern long v; SEC("xdp") int use(void *c) { return v; }',
    ),
    "a constant": (
        "const volatile int v = 7;",
        'extern const int v; SEC("xdp") int use(void *c) { return v; }',
    ),
    "static variables of one name": (
        'static volatile int v = 1; SEC("tc") int o(void *c) { return v; }',
        'static volatile int v = 2; SEC("xdp") int use(void *c) { return v; }',
    ),
    "a map declared as it is": (a_map(), other_map()),
    "a map declared larger": (a_map(), other_map(entries=8)),
    "a map declared with another value": (a_map(), other_map(value="long")),
    "a map defined twice": (a_map(), a_map()),
    "weak maps that are equal": (a_map(weak="__weak"), a_map(weak="__weak") + USE_MAP),
    "weak maps that differ": (
        a_map(weak="__weak"), a_map(entries=8, weak="__weak") + USE_MAP,
    ),
    "a function and a variable of one name": ("int f = 1;", "int f(int x) { return x; }"),
    "sections that go on": (
        'int a = 1; SEC("xdp") int one(void *c) { return a; }',
        'char b = 2; long d = 3; SEC("xdp") int two(void *c) { return b + d; }',
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_what_may_be_linked_is_what_bpftool_links(name: str, tmp_path: Path) -> None:
    if not shutil.which("bpftool"):
        pytest.skip("needs bpftool")
    specs, files = [], []
    for number, source in enumerate(PAIRS[name]):
        path = tmp_path / f"part{number}.c"
        path.write_text(HEAD + GPL + source + "\n")
        specs.append(read(clang.compile(path).content, f"part{number}.o"))
        save(specs[-1], path.with_suffix(".o"))
        files.append(path.with_suffix(".o"))
    out = tmp_path / "all.o"
    done = subprocess.run(["bpftool", "gen", "object", out, *files], capture_output=True, text=True)
    if done.returncode:
        with pytest.raises(ObjectError):
            link_objects(specs, "all")
        return
    ours = link_objects(specs, "all")
    theirs = load(out)
    assert set(ours.programs) == set(theirs.programs)
    assert ours.externs.keys() == theirs.externs.keys()
    for program in ours.programs if not ours.externs else ():
        mine, other = link(ours, program), link(theirs, program)
        assert mine.insns == other.insns
        assert mine.refs == other.refs
    assert {n: m.data for n, m in ours.maps.items()} == {n: m.data for n, m in theirs.maps.items()}
