"""Probes: what they say is what bpftool says, and what is declared to be there is there."""

import json
import os
import shutil
import subprocess

import pytest

from ebee.linux import probe
from ebee.linux.errors import older_than
from ebee.linux.host import kernel_symbols
from ebee.linux.probe_links import LINKS
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


# What a kernel may lack although it is new enough: a function that is there when it was built with
# the option.
BUILT_WITH = {
    "program type lirc_mode2": ("CONFIG_BPF_LIRC_MODE2", "lirc_mode2_is_valid_access"),
    "link: kprobe": ("CONFIG_KPROBES", "register_kprobe"),
    "link: kprobe.multi": ("CONFIG_FPROBE", "register_fprobe_ips"),
    "link: kprobe.session": ("CONFIG_FPROBE", "register_fprobe_ips"),
}
# What a kernel that is locked down in its own way refuses with EPERM; none of ours in the virtual
# machines does.
REFUSED = {"fentry", "fexit", "fmod_ret", "freplace", "lsm", "lsm_cgroup", "LSM"}


@pytest.fixture(scope="module")
def everything():
    return list(probe.everything())


def test_what_is_declared_to_be_there_since_a_version_is_there(everything):
    wrong = []
    for finding in everything:
        if not finding.since or older_than(finding.since) or finding.ok:
            continue
        function = BUILT_WITH.get(finding.name, ("", ""))[1]
        if function and not kernel_symbols(function):
            continue
        refused = finding.name.rpartition(" ")[2] in REFUSED and "forbids it" in finding.reason
        if not (refused and not os.environ.get("EBEE_VM")):
            wrong.append(finding)
    assert not wrong


def test_nothing_is_there_before_the_version_declared(everything):
    early = [f for f in everything if f.since and older_than(f.since) and f.ok]
    assert not early


def test_every_kind_of_thing_has_its_version(everything):
    named = {f.name for f in everything if f.since}
    assert {f"map type {m.name}" for m in all_types()} <= named
    assert {f"link: {name}" for name in LINKS} <= named
    assert len({name for name in named if name.startswith("program type ")}) > 30


def test_everything_is_said_with_a_reason_where_it_does_not_work(everything):
    names = []
    for finding in everything:
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
