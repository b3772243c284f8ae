"""A skeleton's object in the kernel: the same module that runs on the machine."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from ebee import clang, linux
from ebee.errors import CompileError
from ebee.machine.machine import Machine
from ebee.obj.skeleton import generate

pytestmark = pytest.mark.kernel

SOURCE = """
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
struct flow { __u32 from; char name[8]; };
struct count { __u64 packets; _Bool seen; };
struct { __uint(type, BPF_MAP_TYPE_HASH); __uint(max_entries, 8);
	__type(key, struct flow); __type(value, struct count); } flows SEC(".maps");
const volatile int threshold = 5;
struct flow last = { .from = 7, .name = "first" };
long seen;
SEC("xdp") int entry(struct xdp_md *ctx)
{
	struct count fresh = { .packets = threshold, .seen = 1 };
	seen++;
	bpf_map_update_elem(&flows, &last, &fresh, 0);
	return XDP_PASS;
}
char _license[] SEC("license") = "GPL";
"""


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    try:
        clang.find()
    except CompileError as error:
        pytest.skip(str(error))
    folder: Path = tmp_path_factory.mktemp("skeleton")
    (folder / "flows.c").write_text(SOURCE)
    (folder / "flows_skel.py").write_text(generate(clang.build(folder / "flows.c")))
    spec = importlib.util.spec_from_file_location("flows_skel", folder / "flows_skel.py")
    assert spec
    assert spec.loader
    made = sys.modules["flows_skel"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


@pytest.mark.parametrize("backend", ["linux", "machine"])
def test_maps_variables_and_programs_are_live_and_typed(module: ModuleType, backend: str) -> None:
    with Machine() as machine, module.Flows() as flows:
        flows.variables.threshold = 9
        flows.variables.last = module.flow(from_=3, name="x")
        flows.load(linux.load if backend == "linux" else machine.load)
        flows.programs.entry.test_run(bytes(64))
        assert dict(flows.maps.flows[module.flow(from_=3, name="x")].__dict__) == {
            "packets": 9,
            "seen": True,
        }
        flows.variables.last = module.flow(from_=4)
        flows.programs.entry.test_run(bytes(64))
        assert flows.variables.seen == 2
        assert sorted(key.from_ for key in flows.maps.flows) == [3, 4]
        del flows.maps.flows[module.flow(from_=4)]
        assert len(flows.maps.flows) == 1
