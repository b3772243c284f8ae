"""`ebee link show`, `detach`, `pin`: the kernel's links, with their places in words."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ebee.isa import assemble
from ebee.linux import attach, uapi
from ebee.linux.links import Link
from ebee.linux.programs import LinuxProgram

pytestmark = pytest.mark.kernel

Run = Callable[..., tuple[int, str, str]]


def program(type: str, code: str = "r0 = 1; exit", **options: Any) -> LinuxProgram:
    if "attach_type" in options:
        options["attach_type"] = uapi.ATTACH_TYPES[options["attach_type"]]
    return LinuxProgram.load(assemble(code), type, name="linked", **options)


@pytest.fixture
def on_veth(net: Any) -> Iterator[Link]:
    with (
        net.inside("left"),
        program("xdp", "r0 = 2; exit") as loaded,
        attach.xdp(loaded, "veth0") as link,
    ):
        yield link


def test_a_link_is_described_as_bpftool_does(ebee: Run, on_veth: Link) -> None:
    number = on_veth.info().id
    ours = json.loads(ebee("link", "show", "id", number, "--json")[1])
    assert (ours["type"], ours["where"], ours["prog_name"]) == ("xdp", "veth0", "linked")
    assert any(owner["pid"] for owner in ours["pids"])
    if shutil.which("bpftool"):
        command = ["bpftool", "-j", "link", "show", "id", str(number)]
        theirs = json.loads(subprocess.run(command, capture_output=True, text=True).stdout)
        assert {k: ours[k] for k in ("id", "type", "prog_id")} == {
            k: theirs[k] for k in ("id", "type", "prog_id")
        }


def test_programs_are_told_with_their_places(ebee: Run, on_veth: Link, net: Any) -> None:
    info = on_veth.info()
    wanted = [{"id": info.id, "type": "xdp", "where": "veth0"}]
    with net.inside("left"):
        ours = json.loads(ebee("prog", "show", "id", info.prog_id, "--json")[1])
        assert ours["links"] == wanted
        assert "veth0 (xdp)" in ebee("prog", "show", "id", info.prog_id)[1]
        rows = ebee("prog", "show")[1].splitlines()
    assert any(row.startswith(str(info.prog_id)) and "veth0 (xdp)" in row for row in rows)


def test_all_links_are_listed(ebee: Run, on_veth: Link) -> None:
    number = on_veth.info().id
    rows = [line.split() for line in ebee("link", "list")[1].splitlines()]
    row = next(row for row in rows if row and row[0] == str(number))
    assert row[1:4] == ["xdp", "veth0", "linked"]
    assert number in [link["id"] for link in json.loads(ebee("link", "show", "--json")[1])]


def test_places_are_told_in_words(ebee: Run, cgroup: Path, net: Any) -> None:
    def place(link: Link) -> str:
        with link:
            found = json.loads(ebee("link", "show", "id", link.info().id, "--json")[1])
        return str(found["where"])

    with program("cgroup_skb", attach_type="cgroup_inet_ingress") as loaded:
        assert place(attach.cgroup(loaded, cgroup, "cgroup_inet_ingress")) == (
            f"{cgroup} cgroup_inet_ingress"
        )
    with program("raw_tracepoint") as loaded:
        assert place(attach.raw_tracepoint(loaded, "sched_process_exit")) == "sched_process_exit"
    with net.inside("left"):
        with program("netfilter", attach_type="netfilter") as loaded:
            made = attach.netfilter(loaded, 2, 1, -128)
            assert place(made) == "ipv4 input, priority -128"
        with program("sched_cls") as loaded:
            assert place(attach.tcx(loaded, "veth0")) == "veth0 tcx_ingress"
        with program("sk_lookup", attach_type="sk_lookup") as loaded:
            made = attach.netns(loaded, "/proc/thread-self/ns/net")
            assert place(made).startswith("network namespace ")


def test_links_are_pinned_and_detached(ebee: Run, on_veth: Link, bpffs: Path) -> None:
    number = on_veth.info().id
    assert ebee("link", "pin", number, bpffs / "held") == (0, "", "")
    found = json.loads(ebee("link", "show", bpffs / "held", "--json")[1])
    assert found["pinned"] == [str(bpffs / "held")]
    assert ebee("link", "detach", bpffs / "held") == (0, "", "")
    assert "an interface that is gone" in ebee("link", "show", number)[1]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("show id 4294967295", "there is none"),
        ("show id x", "'x' is no number of a link"),
        ("show name x", "links have no names"),
        ("show 1 2", "what is '2' behind the link?"),
        ("pin 1", "takes a link and the path"),
        ("detach /nowhere", "nothing is pinned there"),
    ],
)
def test_mistakes_are_told(ebee: Run, words: str, why: str) -> None:
    code, _, err = ebee("link", *words.split())
    assert code == 1
    assert why in err
