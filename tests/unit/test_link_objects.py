"""Static linking: names are resolved across objects, data and maps joined, conflicts refused."""

from functools import cache
from pathlib import Path

import pytest

from ebee import clang
from ebee.errors import CompileError, ObjectError
from ebee.obj import ObjectSpec, link, link_objects, read, write

pytestmark = pytest.mark.unit

SOURCES = Path(__file__).parents[1] / "fixtures" / "linked"
HEAD = (
    "#include <linux/bpf.h>\n#include <bpf/bpf_helpers.h>\n"
    'char _license[] SEC("license") = "GPL";\n'
)


@cache
def compiled(name: str) -> bytes:
    try:
        clang.find()
    except CompileError as error:
        pytest.skip(str(error))
    return clang.compile(SOURCES / f"{name}.c").content


def both(order: tuple[str, ...] = ("first", "second")) -> ObjectSpec:
    return link_objects([read(compiled(name), f"{name}.o") for name in order], "both")


def build(folder: Path, name: str, source: str) -> ObjectSpec:
    try:
        clang.find()
    except CompileError as error:
        pytest.skip(str(error))
    path = folder / f"{name}.c"
    path.write_text(HEAD + source)
    return clang.build(path, programs=False)


@pytest.mark.parametrize("order", [("first", "second"), ("second", "first")])
def test_declarations_find_their_definitions(order: tuple[str, ...]) -> None:
    spec = both(order)
    assert set(spec.externs) == {"LINUX_KERNEL_VERSION"}
    names = {f.name for f in link(spec, "enter").funcs}
    assert {"enter", "second_half", "first_half", "replaced"} <= names
    assert len(names) == 6  # and a static helper of each object
    assert {r.symbol for r in link(spec, "leave").refs if r.kind == "map"} == {"pairs", "common"}


def test_strong_definitions_replace_weak_ones() -> None:
    spec = both()
    assert spec.functions["replaced"].insns == read(compiled("second")).functions["replaced"].insns
    assert not spec.functions["replaced"].weak
    assert spec.variables["settable"].value == 11  # of two weak ones the first
    assert both(("second", "first")).variables["settable"].value == 99


def test_variables_keep_their_values_and_types() -> None:
    values = {name: v.value for name, v in both().variables.items()}
    assert values["table"] == [1, 20, 300, 4000]
    assert (values["total"], values["threshold"], values["factor"]) == (100, 40, 3)
    assert (values["words"], values["private_state@second"]) == ("two objects", 0)


def test_references_to_data_name_the_variable_that_counts() -> None:
    spec = both()
    settable = spec.variables["settable"]
    for program in ("enter", "leave"):
        places = {(r.symbol, r.addend) for r in link(spec, program).refs if r.kind == "data"}
        assert (settable.map, settable.offset) in places


def test_the_types_are_joined() -> None:
    spec = both()
    assert spec.btf is not None
    assert len([t for t in spec.btf.find_all("pair") if hasattr(t, "members")]) == 1
    assert {spec.btf.type(f.btf_id).name for f in link(spec, "enter").funcs} == {
        "enter", "second_half", "first_half", "replaced", "helper",
    }  # fmt: skip
    section = spec.btf.type(spec.maps[".data"].value_btf_id)
    assert {spec.btf.type(v.type).name: v.offset for v in section.vars}["threshold"] == (
        spec.variables["threshold"].offset
    )


def test_lines_are_kept() -> None:
    files = {Path(line.file).name for line in link(both(), "enter").lines}
    assert {"first.c", "second.c"} <= files


def test_linked_objects_are_written_and_read() -> None:
    spec = both()
    assert read(write(spec), "both.o") == spec


def test_hidden_functions_are_found_and_stay_static(tmp_path: Path) -> None:
    one = build(tmp_path, "one", "__hidden __noinline int inner(int x) { return x * 9 ^ 5; }\n")
    two = build(
        tmp_path,
        "two",
        "extern int inner(int x);\n"
        'SEC("xdp") int f(struct xdp_md *c) { return inner(c->ingress_ifindex); }\n',
    )
    spec = link_objects([two, one])
    assert [f.name for f in link(spec, "f").funcs] == ["f", "inner"]
    assert (spec.functions["inner"].linkage, spec.functions["inner"].hidden) == ("static", True)


def test_what_nobody_defines_stays_open() -> None:
    spec = link_objects([read(compiled("second"), "second.o")])
    assert set(spec.externs) == {"pairs", "total", "first_half"}
    assert link_objects([spec, read(compiled("first"), "first.o")]).externs.keys() == {
        "LINUX_KERNEL_VERSION"
    }
    with pytest.raises(ObjectError, match="first_half, which is not defined"):
        link(spec, spec.functions["second_half"])


@pytest.mark.parametrize(
    ("one", "two", "message"),
    [
        ("int f(int x) { return 1; }", "int f(int x) { return 2; }", "f is defined in one and two"),
        ("int v = 1;", "int v = 2;", "v is defined in one and two"),
        (
            "int v = 1;",
            'extern long v; SEC("xdp") int f(void *c) { return v; }',
            "v is declared in two not as it is defined in one",
        ),
        (
            "int f(int x, int y) { return 1; }",
            'extern int f(int x); SEC("xdp") int g(void *c) { return f(1); }',
            "f is declared in two not as it is defined in one",
        ),
        (
            'struct { __uint(type, 2); __uint(max_entries, 1); __type(key, int);'
            ' __type(value, int); } m __weak SEC(".maps");',
            'struct { __uint(type, 2); __uint(max_entries, 2); __type(key, int);'
            ' __type(value, int); } m __weak SEC(".maps");',
            "map m is defined differently in one and two",
        ),
        ("int f = 1;", "int f(void) { return 1; }", "f is not the same kind of thing"),
    ],
)  # fmt: skip
def test_conflicts_are_refused(one: str, two: str, message: str, tmp_path: Path) -> None:
    specs = [build(tmp_path, "one", one + "\n"), build(tmp_path, "two", two + "\n")]
    with pytest.raises(ObjectError, match=message):
        link_objects(specs)


def test_licenses_must_agree() -> None:
    one, two = ObjectSpec("one", license="GPL"), ObjectSpec("two", license="MIT")
    with pytest.raises(ObjectError, match="license of one is 'GPL', that of two 'MIT'"):
        link_objects([one, two])
    assert link_objects([one, ObjectSpec("three")]).license == "GPL"


def test_objects_of_both_byte_orders_are_refused() -> None:
    with pytest.raises(ObjectError, match="big-endian"):
        link_objects([ObjectSpec("one"), ObjectSpec("two", endian="big")])
    with pytest.raises(ObjectError, match="no objects"):
        link_objects([])
