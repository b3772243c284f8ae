"""Skeletons: modules that mypy takes, and that do what they say."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from ebee import clang
from ebee.errors import CompileError, ObjectError
from ebee.machine.machine import Machine
from ebee.obj import ObjectSpec
from ebee.obj.skeleton import generate, identifier

pytestmark = pytest.mark.unit

SOURCE = """
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
struct flow { __u32 from; char name[8]; struct { __u8 a, b; } parts[2]; };
struct count { __u64 packets; union { __u32 whole; __u16 halves[2]; }; _Bool seen; };
struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 8);
	__type(key, struct flow); __type(value, struct count); } flows SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY); __uint(max_entries, 2);
	__type(key, __u32); __type(value, struct count); } totals SEC(".maps");
struct { __uint(type, BPF_MAP_TYPE_RINGBUF); __uint(max_entries, 4096); } events SEC(".maps");
const volatile int threshold = 5;
struct flow last = { .from = 7, .name = "first" };
int table[3] = { 1, 2, 3 };
long seen;
SEC("xdp") int entry(struct xdp_md *ctx)
{
	struct count fresh = { .packets = threshold, .whole = 0x20001, .seen = 1 };
	seen += table[1];
	bpf_map_update_elem(&flows, &last, &fresh, 0);
	return XDP_PASS;
}
char _license[] SEC("license") = "GPL";
"""
USE = """
from ebee.machine.machine import Machine
from example_skel import Example, flow

def use(machine: Machine) -> int:
    with Example() as example:
        example.variables.threshold = 9
        example.variables.last = flow(from_=3, name="x")
        example.load(machine.load)
        counts = example.maps.flows.values()
        per_cpu: list[int] = [c.packets for c in example.maps.totals[0]]
        reveal_type(example.maps.flows[flow()])
        return sum(c.packets for c in counts) + example.variables.table[0] + per_cpu[0]
"""
WRONG = """
from example_skel import Example

example = Example()
example.variables.threshold = "nine"
example.maps.flows[5]
example.programs.missing
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the generated module."""
    try:
        clang.find()
    except CompileError as error:
        pytest.skip(str(error))
    made = tmp_path_factory.mktemp("skeleton")
    (made / "example.c").write_text(SOURCE)
    (made / "example_skel.py").write_text(generate(clang.build(made / "example.c")))
    return made


@pytest.fixture
def example(folder: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("example_skel", folder / "example_skel.py")
    assert spec
    assert spec.loader
    module = sys.modules["example_skel"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def check(folder: Path, source: str) -> str:
    (folder / "use.py").write_text(source)
    command = [sys.executable, "-m", "mypy", "--strict", "use.py", "example_skel.py"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True).stdout


def test_mypy_takes_it_and_knows_the_types(folder: Path) -> None:
    pytest.importorskip("mypy")
    said = check(folder, USE)
    assert 'Revealed type is "example_skel.count"' in said
    assert "error" not in said
    wrong = check(folder, WRONG)
    assert wrong.count("error:") == 3, wrong


def test_it_runs_on_the_machine(example: ModuleType) -> None:
    with Machine() as machine, example.Example() as skeleton:
        skeleton.variables.threshold = 9
        skeleton.variables.last = example.flow(from_=3, name="x")
        assert skeleton.variables.last.name == "x"
        skeleton.load(machine.load)
        skeleton.programs.entry.test_run(bytes(64))
        ((flow, count),) = skeleton.maps.flows.items()
        assert (flow.from_, flow.name, len(flow.parts), flow.parts[0].a) == (3, "x", 2, 0)
        assert (count.packets, count.seen, count.whole, count.halves) == (9, True, 0x20001, [1, 2])
        skeleton.variables.table = [5, 6, 7]
        skeleton.programs.entry.test_run(bytes(64))
        assert skeleton.variables.seen == 2 + 6
        skeleton.maps.flows[example.flow(from_=8)] = example.count(packets=1)
        assert len(skeleton.maps.flows) == 2
        assert all(isinstance(c, example.count) for c in skeleton.maps.totals[1])


def test_parts_are_there_when_they_can_be(example: ModuleType) -> None:
    skeleton = example.Example()
    assert skeleton.variables.threshold == 5
    assert skeleton.variables.last == example.flow(from_=7, name="first")
    with pytest.raises(ObjectError, match="not loaded"):
        len(skeleton.maps.flows)


def test_objects_without_anything() -> None:
    text = generate(ObjectSpec("empty-one"))
    compile(text, "empty", "exec")
    assert "class EmptyOne(skel.Skeleton)" in text
    assert generate(ObjectSpec("maps")).count("class Maps") == 2  # Maps and MapsObject


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("from", "from_"), ("touch.format", "touch_format"), ("9x", "_9x"), ("a@b+4", "a_b_4")],
)
def test_names_that_python_takes(name: str, wanted: str) -> None:
    assert identifier(name) == wanted
