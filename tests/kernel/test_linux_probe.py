"""Probes: what they say is what bpftool says, and what is declared to be there is there."""

import json
import shutil
import subprocess

import pytest

from ebee.linux import probe
from ebee.linux.errors import older_than
from ebee.linux.host import kernel_version
from ebee.maps import all_types

pytestmark = pytest.mark.kernel


@pytest.fixture(scope="module")
def theirs():
    if not shutil.which("bpftool"):
        pytest.skip("needs bpftool")
    done = subprocess.run(
        ["bpftool", "-j", "feature", "probe", "kernel"], capture_output=True, text=True
    )
    return json.loads(done.stdout)


def answers(findings, prefix):
    return {f.name.removeprefix(prefix): f.ok for f in findings if f.name.startswith(prefix)}


def test_map_types_are_those_of_bpftool(theirs):
    known = theirs["map_types"]
    found = answers(probe.map_types(), "map type ")
    compared = {name: ok for name, ok in found.items() if f"have_{name}_map_type" in known}
    assert compared == {name: known[f"have_{name}_map_type"] for name in compared}
    assert len(compared) > 25


def test_program_types_are_those_of_bpftool(theirs):
    found = answers(probe.program_types(), "program type ")
    known = theirs["program_types"]
    for name, ok in found.items():
        if f"have_{name}_prog_type" in known and name not in ("lsm", "struct_ops"):
            assert ok == known[f"have_{name}_prog_type"], name
    assert len(found) > 30


def test_helpers_are_at_most_those_of_bpftool(theirs):
    """An old bpftool does not understand a newer kernel's refusal, and claims too much."""
    everywhere = {name for names in theirs["helpers"].values() for name in names}
    for type in ("xdp", "socket_filter", "cgroup_skb"):
        found = {f"bpf_{f.name}" for f in probe.helpers(type) if f.ok}
        assert found & everywhere <= set(theirs["helpers"][f"{type}_available_helpers"])
        assert len(found) > 60
        assert ("bpf_xdp_adjust_head" in found) == (type == "xdp")
        assert ("bpf_skb_load_bytes" in found) == (type != "xdp")


def test_a_map_type_is_there_since_the_version_declared():
    findings = answers(probe.map_types(), "map type ")
    absent = [m.name for m in all_types() if not older_than(m.since) and not findings[m.name]]
    assert not absent


def test_what_a_kernel_of_this_version_has_is_found():
    failed = [f for f in probe.features() if not f.ok]
    if kernel_version() >= (6, 9):
        assert not failed


def test_everything_is_said_with_a_reason_where_it_does_not_work():
    names = []
    for finding in probe.everything():
        names.append(finding.name)
        assert bool(finding.reason) == (not finding.ok), finding
    assert len(names) == len(set(names)) > 100


def test_without_privileges_probes_say_that_they_do_not_know(as_nobody):
    list(probe.everything())

    def ask():
        return repr([(f.name, f.ok, f.reason) for f in probe.everything()])

    found = {name: (ok, reason) for name, ok, reason in eval(as_nobody(ask))}
    assert found["CAP_BPF"][0] is False
    assert found["map type hash"] == (
        None,
        "cannot create map 'probe' (hash): needs CAP_BPF; run as root, or give these to the"
        " program (setcap) (kernel.unprivileged_bpf_disabled is 2) [EPERM]",
    )
    assert found["link: XDP"][0] is None
