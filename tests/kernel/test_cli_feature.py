"""`ebee feature` says what bpftool says, in a document whose keys stay."""

import json
import shutil
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from ebee.btf import Btf, Func
from ebee.linux import inventory

pytestmark = pytest.mark.kernel

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def ours() -> dict[str, Any]:
    return inventory.document()


@pytest.fixture(scope="module")
def theirs() -> dict[str, Any]:
    if not shutil.which("bpftool"):
        pytest.skip("needs bpftool")
    command = ["bpftool", "-j", "feature", "probe", "kernel"]
    found: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True).stdout)
    return found


def test_the_keys_stay(ours: dict[str, Any], ebee: Run) -> None:
    keys = ["kernel", "parameters", "config", "limits", "program_types", "map_types", "features"]
    assert [*ours] == [*keys, "helpers", "kfuncs"]
    assert json.loads(ebee("feature", "--json")[1]).keys() == ours.keys()


def test_bpftools_words_are_understood(
    ebee: Run, bpftool: Callable[..., Any], ours: dict[str, Any]
) -> None:
    assert json.loads(ebee("feature", "probe", "kernel", "--json")[1]).keys() == ours.keys()
    for group in ("prog_types", "map_types", "attach_types", "link_types", "helpers"):
        mine = json.loads(ebee("feature", "list_builtins", group, "--json")[1])
        theirs = {name.removesuffix("_deprecated") for name in
                  bpftool("feature", "list_builtins", group)}  # fmt: skip
        assert theirs <= set(mine), group
        assert ebee("feature", "list_builtins", group)[1].split() == mine
    code, _, err = ebee("feature", "list_builtins", "helper")
    assert code == 1
    assert "Did you mean 'helpers'?" in err


def test_program_types_are_bpftools(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """But for struct_ops, lsm and tracing, of which it tries another attach type."""
    known = {
        name.removeprefix("have_").removesuffix("_prog_type"): there
        for name, there in theirs["program_types"].items()
    }
    for name in known.keys() & ours["program_types"].keys() - {"lsm", "struct_ops", "tracing"}:
        assert ours["program_types"][name]["available"] == known[name], name


def test_map_types_are_bpftools(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    for name, there in theirs["map_types"].items():
        short = name.removeprefix("have_").removesuffix("_map_type")
        assert ours["map_types"][short]["available"] == there


def test_the_configuration_is_bpftools(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    compared = 0
    for name, value in theirs["system_config"].items():
        option = name.removeprefix("CONFIG_")
        if name.startswith("CONFIG_") and option in ours["config"]:
            assert ours["config"][option] == value
            compared += 1
        elif f"net.core.{name}" in ours["parameters"]:
            assert ours["parameters"][f"net.core.{name}"] == value
            compared += 1
    assert compared > 25


def test_instructions_are_bpftools(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    words = {
        "have_large_insn_limit": "more than 4096 instructions",
        "have_bounded_loops": "bounded loops",
        "have_v2_isa_extension": "instruction set v2",
        "have_v3_isa_extension": "instruction set v3",
    }
    for name, word in words.items():
        assert ours["features"][word]["available"] == theirs["misc"][name]


def test_helpers_are_at_most_bpftools(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """An old bpftool does not understand a newer kernel's refusal, and claims too much."""
    known = {name for names in theirs["helpers"].values() for name in names}
    for type, names in ours["helpers"].items():
        claimed = set(theirs["helpers"].get(f"{type}_available_helpers") or known)
        assert set(names or ()) & known <= claimed, type


def test_kernel_functions_are_those_of_its_btf(ours: dict[str, Any]) -> None:
    if not ours["kfuncs"]:
        pytest.skip("this kernel's BTF does not tag its functions for programs")
    btf = Btf.vmlinux()
    assert len(ours["kfuncs"]) > 100
    for name, text in ours["kfuncs"].items():
        assert btf.find(name, Func)
        assert f"{name}(" in text


def test_who_may_call_kernel_functions(ebee: Run) -> None:
    wanted = ["bpf_xdp_metadata_rx_hash", "bpf_task_acquire", "bpf_dynptr_clone"]
    allowed = {
        type: [f.name for f in inventory.kfuncs_of(type, wanted) if f.ok]
        for type in ("xdp", "syscall", "socket_filter")
    }
    assert allowed == {  # the metadata of packets only on an interface
        "xdp": ["bpf_task_acquire", "bpf_dynptr_clone"],
        "syscall": ["bpf_task_acquire", "bpf_dynptr_clone"],
        "socket_filter": ["bpf_dynptr_clone"],
    }
    out = ebee("feature", "--kfuncs", "socket_filter")[1]
    assert out.startswith("Kernel functions for socket_filter programs: ")
    assert "bpf_dynptr_clone" in out
    assert "bpf_task_acquire" not in out


def test_single_features_are_answered(ebee: Run) -> None:
    code, out, _ = ebee("feature", "hash", "bpf_map_lookup_elem", "xdp", "--json")
    assert code == 0
    assert [(row["kind"], row["available"]) for row in json.loads(out)] == [
        ("map type", True),
        ("helper", True),
        ("program type", True),
    ]
    code, _, err = ebee("feature", "xpd")
    assert (code, err) == (1, "ebee: ebee knows of no feature 'xpd'. Did you mean 'xdp'?\n")
    code, _, err = ebee("feature", "--helpers", "xpd")
    assert code == 1
    assert "Did you mean 'xdp'? There are: socket_filter," in err


def test_it_is_readable(ebee: Run) -> None:
    out = ebee("feature")[1]
    for title in ("Limits", "Parameters", "Program types: ", "Map types: ", "Helpers"):
        assert title in out
