"""`ebee net`, `ebee cgroup` and `ebee map events`, beside bpftool where that is."""

import json
import os
import struct
import subprocess
import sys

import pytest

from ebee.btf import BtfBuilder, Int, Member, Struct
from ebee.errors import KernelError
from ebee.isa.asm import assemble
from ebee.linux import LinuxMap, LinuxProgram, attach, uapi
from ebee.linux.errors import older_than

pytestmark = pytest.mark.kernel

EGRESS = "cgroup_inet_egress"


def load(code, type, attach_type="", name="probe"):
    kind = uapi.ATTACH_TYPES[attach_type] if attach_type else 0
    return LinuxProgram.load(assemble(code), type, name=name, attach_type=kind)


def facts(rows, *names):
    """Rows as sets of some of their facts."""
    return {tuple(row.get(name) for name in names) for row in rows}


# -- net -------------------------------------------------------------------------------------------


def test_net_shows_what_bpftool_shows_and_more(net, ebee, bpftool):
    with (
        load("r0 = 2; exit", "xdp", name="to_pass") as first,
        load("r0 = 0; exit", "sched_cls", name="to_ok") as second,
        load("r0 = 0; exit", "flow_dissector", "flow_dissector", name="flows") as third,
    ):
        with net.inside("right"):
            held = [
                attach.xdp(first, "veth1"), attach.xdp(first, "lo", "generic"),
                attach.tc(second, "veth1", priority=3), attach.tc(second, "veth1", "egress"),
                attach.netns(third),
            ]  # fmt: skip
        try:
            code, out, _ = ebee("net", "show", "--netns", net.right, "--json")
            assert code == 0
            (ours,) = json.loads(out)
            (theirs,) = bpftool("net", "show", netns=net.right)
            xdp = ("devname", "ifindex", "mode", "id")
            assert facts(ours["xdp"], *xdp) == facts(theirs["xdp"], *xdp)
            assert len(ours["xdp"]) == 2
            tc = ("devname", "ifindex", "kind", "id")
            assert facts(ours["tc"], *tc) == facts(theirs["tc"], *tc)
            assert {row["label"] for row in ours["tc"]} == {row["name"] for row in theirs["tc"]}
            assert facts(ours["flow_dissector"], "id") == facts(theirs["flow_dissector"], "id")
            assert {row["name"] for row in ours["xdp"]} == {"to_pass"}
            assert {row["link_id"] for row in ours["xdp"]} == {h.info().id for h in held[:2]}
            assert ours["netns"] == net.right
            (only,) = json.loads(
                ebee("net", "show", "dev", "lo", "--netns", net.right, "--json")[1]
            )
            assert (len(only["xdp"]), only["tc"], only["netfilter"]) == (1, [], [])
            code, out, _ = ebee("net", "list", "--netns", net.right)
            assert {"to_pass", "clsact/ingress", "flow_dissector"} <= set(out.split())
        finally:
            for one in held:
                one.close()


@pytest.mark.skipif(older_than("6.6"), reason="tcx came with Linux 6.6")
def test_net_shows_tcx_and_netfilter_in_all_namespaces(net, ebee):
    with (
        load("r0 = 0; exit", "sched_cls", name="one") as one,
        load("r0 = 0; exit", "sched_cls", name="two") as two,
        load("r0 = 1; exit", "netfilter", "netfilter", name="filter") as third,
        load("r0 = 1; exit", "sk_lookup", "sk_lookup", name="looks") as fourth,
    ):
        with net.inside("left"):
            links = [
                attach.tcx(one, "veth0"), attach.tcx(two, "veth0", before=one),
                attach.tcx(two, "veth0", "egress", by="attach"),
                attach.netfilter(third, "ipv6", "forward", 9), attach.netns(fourth),
            ]  # fmt: skip
        try:
            code, out, _ = ebee("net", "show", "--all", "--json")
            assert code == 0
            (found,) = [d for d in json.loads(out) if d["netns"] == net.left]
            rows = [(r["kind"], r["position"], r["name"], "link_id" in r) for r in found["tcx"]]
            assert rows == [
                ("tcx_ingress", 0, "two", True), ("tcx_ingress", 1, "one", True),
                ("tcx_egress", 0, "two", False),
            ]  # fmt: skip
            mine = [r for r in found["netfilter"] if r["id"] == third.id]
            assert facts(mine, "pf", "hook", "priority") == {("ipv6", "forward", 9)}
            assert [r["name"] for r in found["sk_lookup"]] == ["looks"]
            code, out, _ = ebee("net", "show", "--all")
            assert f"network namespace {net.left}" in out
        finally:
            for link in links:
                link.close()


KINDS = ["xdp", "xdpdrv", "xdpgeneric", "tc_ingress", "tc_egress"]
KINDS += [] if older_than("6.6") else ["tcx_ingress", "tcx_egress"]


@pytest.mark.parametrize("kind", KINDS)
def test_net_attaches_and_detaches_what_stays(net, ebee, kind):
    family = "xdp" if kind.startswith("xdp") else kind.partition("_")[0]
    type, code = ("xdp", "r0 = 2; exit") if family == "xdp" else ("sched_cls", "r0 = 0; exit")

    def attached():
        document = json.loads(ebee("net", "show", "--netns", net.right, "--json")[1])[0]
        return [row["id"] for row in document[family]]

    with load(code, type, name=f"own_{os.getpid() % 1000}") as one, load(code, type) as two:
        where = ("dev", "veth1", "--netns", net.right)
        assert ebee("net", "attach", kind, "name", one.name, *where)[0] == 0
        assert attached() == [one.id]
        if family == "xdp":
            status, _, err = ebee("net", "attach", kind, two.id, *where)
            assert status == 1
            assert "another XDP program is attached there" in err
            words = ("id", two.id, "dev", "veth1", "overwrite", "--netns", net.right)
            assert ebee("net", "attach", kind, *words)[0] == 0
            assert attached() == [two.id]
        assert ebee("net", "detach", kind, *where)[0] == 0
        assert attached() == []
        status, _, err = ebee("net", "detach", kind, *where)
        assert status == 1
        assert f"cannot detach {kind} from veth1: no program is attached there" in err


def test_net_says_what_is_wrong(net, ebee):
    for words, text in (
        (("show", "dev", "nosuch", "--netns", net.right), "no network interface 'nosuch' here"),
        (("show", "veth1"), "takes `dev NAME`, not 'veth1'"),
        (("show", "--netns", "nowhere"), "cannot open network namespace /run/netns/nowhere"),
        (("attach", "xdp", "name", "nosuch", "dev", "lo"), "no program with name 'nosuch'"),
        (("attach", "xdp", "99999999", "dev", "lo"), "cannot open program 99999999"),
        (("attach", "xdp", "/nowhere", "dev", "lo"), "cannot open /nowhere"),
        (("detach", "xdp", "lo"), "cannot open lo"),
    ):
        status, _, err = ebee("net", *words)
        assert status == 1, words
        assert text in err
    assert ebee("net", "attach", "sideways", "1", "dev", "lo")[0] == 2


def test_without_privileges_net_and_cgroup_say_what_they_need(as_nobody, cgroup):
    import ctypes  # noqa: F401  (the child could not import any of these)

    from ebee.linux import cgroupview, netview

    def tried():
        found = []
        for call in (netview.view, lambda: cgroupview.View().show(str(cgroup))):
            try:
                call()
                found.append("")
            except KernelError as error:
                found.append(error.summary)
        return "\n".join(found)

    answers = as_nobody(tried).splitlines()
    assert len(answers) == 2
    assert all("needs CAP_NET_ADMIN" in answer for answer in answers)


# -- cgroup ----------------------------------------------------------------------------------------


def test_cgroup_shows_what_bpftool_shows(cgroup, ebee, bpftool):
    inner = cgroup / "inner"
    inner.mkdir()
    try:
        with (
            load("r0 = 1; exit", "cgroup_skb", EGRESS, "first") as first,
            load("r0 = 1; exit", "cgroup_device", "cgroup_device", "second") as second,
            load("r0 = 1; exit", "cgroup_skb", EGRESS, "third") as third,
            attach.cgroup(first, cgroup) as link,
            attach.cgroup(second, cgroup, mode="override"),
            attach.cgroup(third, inner, mode="multi"),
        ):
            names = ("id", "attach_type", "attach_flags", "name")
            code, out, _ = ebee("cgroup", "show", cgroup, "--json")
            assert code == 0
            ours = json.loads(out)
            assert facts(ours, *names) == facts(bpftool("cgroup", "show", cgroup), *names)
            assert {row.get("link_id") for row in ours} == {link.info().id, None}
            effective = json.loads(ebee("cgroup", "show", inner, "effective", "--json")[1])
            theirs = bpftool("cgroup", "show", inner, "effective")
            few = ("id", "attach_type", "name")
            assert facts(effective, *few) == facts(theirs, *few)
            assert [r["name"] for r in effective if r["attach_type"] == EGRESS] == [
                "third", "first"
            ]  # fmt: skip
            ours = json.loads(ebee("cgroup", "tree", cgroup, "--json")[1])
            theirs = {t["cgroup"]: t["programs"] for t in bpftool("cgroup", "tree", cgroup)}
            assert [t["cgroup"] for t in ours] == [str(cgroup), str(inner)]
            for part in ours:
                assert facts(part["programs"], *names) == facts(theirs[part["cgroup"]], *names)
            code, out, _ = ebee("cgroup", "tree", cgroup)
            assert {"override", str(inner)} <= set(out.split())
            code, out, _ = ebee("cgroup", "list", inner)
            assert {"third", "multi"} <= set(out.split())
    finally:
        inner.rmdir()


def test_cgroup_attaches_and_detaches_what_stays(cgroup, ebee, bpffs):
    with load("r0 = 1; exit", "cgroup_skb", EGRESS) as program:
        program.pin(bpffs / "prog")

        def attached():
            rows = json.loads(ebee("cgroup", "show", cgroup, "--json")[1])
            return [(row["id"], row["attach_flags"]) for row in rows]

        for words, mode in (((), ""), (("multi",), "multi"), (("override",), "override")):
            path = bpffs / "prog"
            assert ebee("cgroup", "attach", cgroup, EGRESS, "pinned", path, *words)[0] == 0
            assert attached() == [(program.id, mode)]
            assert ebee("cgroup", "detach", cgroup, "egress", program.id)[0] == 0
            assert attached() == []
        for words, text in (
            (("detach", cgroup, EGRESS, program.id), "it is not attached there"),
            (("attach", cgroup, "cgroup_inet_egres", program.id), "Did you mean 'cgroup_inet_egr"),
            (("attach", cgroup, EGRESS, program.id, "often"), "a mode is multi or override"),
            (("show", bpffs), "is no cgroup of version 2"),
            (("show", "/nowhere"), "cannot open /nowhere"),
            (("show", cgroup, "all"), "`effective` may stand there"),
        ):
            status, _, err = ebee("cgroup", *words)
            assert status == 1
            assert text in err


# -- map events ------------------------------------------------------------------------------------

SEND = """
    r6 = r1
    *(u64 *)(r10 -16) = 7
    *(u64 *)(r10 -8) = 9
    {call}
    r0 = 2
    exit
"""
RING = "r1 = map[events]; r2 = r10; r2 += -16; r3 = 16; r4 = 0; call 130"
PERF = "r1 = r6; r2 = map[events]; w3 = -1; r4 = r10; r4 += -16; r5 = 16; call 25"


@pytest.mark.parametrize(("type", "call"), [("ringbuf", RING), ("perf_event_array", PERF)])
def test_map_events_prints_what_comes(bpffs, type, call, tmp_path):
    sizes = (0, 0, 4096) if type == "ringbuf" else (4, 4, os.cpu_count() or 1)
    b = BtfBuilder()
    u64 = b.add(Int("unsigned long", 8))
    b.add(Struct("event", 16, (Member("first", u64, 0), Member("second", u64, 64))))
    types = tmp_path / "types.btf"
    types.write_bytes(b.bytes())
    command = [sys.executable, "-m", "ebee", "map", "events", "pinned", str(bpffs / "events")]
    with LinuxMap.create(type, *sizes, name="events") as events:
        events.pin(bpffs / "events")
        code = assemble(SEND.format(call=call), {"events": events.fd.fileno()})
        with LinuxProgram.load(code, "xdp") as program:
            reader = subprocess.Popen(
                [*command, "--json", "-n", "3"], stdout=subprocess.PIPE, text=True
            )
            while reader.poll() is None:
                program.test_run(bytes(64))
            rows = [json.loads(line) for line in reader.stdout]
            reader.stdout.close()
            assert len(rows) == 3
            assert all(row["data"].startswith(struct.pack("=QQ", 7, 9).hex()) for row in rows)
            assert ("cpu" in rows[0]) == (type == "perf_event_array")
            if type == "ringbuf":
                while program.test_run(bytes(64)).retval != 2:
                    pass
                done = subprocess.run(
                    [*command, "--type", "event", "--btf", str(types), "--timeout", "0", "-n", "1"],
                    capture_output=True, text=True,
                )  # fmt: skip
                assert done.stdout == "first 7, second 9\n", done.stderr


def test_map_events_says_what_is_wrong(ebee):
    with LinuxMap.create("hash", 4, 4, 1, name="h") as other:
        status, _, err = ebee("map", "events", other.id)
        assert status == 1
        assert "is a hash map, not a ring buffer" in err
    with LinuxMap.create("ringbuf", 0, 0, 4096, name="e") as events:
        status, _, err = ebee("map", "events", events.id, "--type", "x")
        assert "has no types of its own: say whose with --btf" in err
        status, _, err = ebee("map", "events", events.id, "--timeout", "0")
        assert (status, "no events" in err) == (0, True)
