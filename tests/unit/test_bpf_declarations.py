"""What Python programs are written with agrees with the declarations that everything reads."""

import inspect
import subprocess
import sys
import typing
from pathlib import Path

import pytest

import ebee
from ebee import api, hooks
from ebee.lang.bpf import contexts, decorators, packets, results
from ebee.lang.bpf.maps import AnyMap
from ebee.maps import all_types, by_name
from ebee.types import fields, sizeof

pytestmark = pytest.mark.unit

NAMES = Path(__file__).with_name("public_names.txt")


def test_public_names_are_those_that_are_written_down():
    """A change of the public interface is a change of this file, to be seen in review."""
    assert sorted(ebee.__all__) == sorted(api.__all__)
    assert sorted(api.__all__) == NAMES.read_text().split()


def test_star_import_gives_them_all():
    space = {}
    exec("from ebee import *", space)
    assert set(api.__all__) <= space.keys()


def plain(name):
    """A name of the kernel's without what says whose it is."""
    return name.upper().replace("REJECT", "DENY").removeprefix("TC_ACT_").rpartition(
        "BPF_LWT_" if "LWT" in name else "BPF_FLOW_DISSECTOR_" if "FLOW" in name else
        next((p for p in ("XDP_", "TCX_", "NETKIT_", "SK_", "NF_", "BPF_") if name.startswith(p)),
             "?")
    )[2]  # fmt: skip


@pytest.mark.parametrize("hook", [h for h in results.RESULTS if hooks.by_name(h).returns])
def test_results_are_the_hooks(hook):
    named = {m.name: m.value for m in results.RESULTS[hook]}
    declared = {plain(n): v for n, v in hooks.by_name(hook).returns.items()}
    more = {"ALLOW_ANY_PORT": 3} if results.RESULTS[hook] is ebee.Access else {}
    assert named == declared | more


@pytest.mark.parametrize("hook", hooks.all_hooks(), ids=lambda h: h.name)
def test_results_are_within_what_the_verifier_takes(hook):
    own = results.RESULTS.get(hook.name)
    assert own or hook.name in results.NOTHING or hook.name == "socket_filter"
    for attach_type in (None, *(s.attach_type for s in hook.sections)):
        low, high = results.bounds(hook, attach_type) or (-(1 << 31), 1 << 32)
        assert low <= results.wrong(hook, attach_type) <= high
        assert own is None or any(low <= m <= high for m in own)


@pytest.mark.parametrize("name", contexts.CONTEXTS)
def test_contexts_are_the_hooks(name):
    made, declared = fields(getattr(ebee, name)), {f.name: f for f in contexts.fields_of(name)}
    assert {n: f.offset for n, f in made.items()} == {n: f.offset for n, f in declared.items()}
    assert {n: sizeof(f.type) for n, f in made.items()} == {
        n: f.size * f.count for n, f in declared.items()
    }


def test_every_hook_has_a_context_and_a_decorator():
    for hook in hooks.all_hooks():
        if hook.context:
            name = contexts.BY_STRUCT[hook.context]
            known = contexts.fields_of(name) if name in contexts.CONTEXTS else ()
            assert {f.name for f in hook.fields} <= {f.name for f in known}
    made = {d.__program__.hook.name for d in marked()}
    later = {"fentry.multi", "fexit.multi", "fsession.multi"}
    assert made | later == {h.name for h in hooks.all_hooks()}


def marked():
    """A function for each decorator, with all that it takes."""
    takes = {
        "cgroup_skb": ["ingress", "egress"], "cgroup_sock": ["create", "release", "post_bind4"],
        "cgroup_sock_addr": ["bind4", "connect6", "sendmsg_unix"], "cgroup_sockopt": ["get", "set"],
        "lwt": ["in", "out", "xmit", "seg6local"], "tcx": ["ingress"], "netkit": ["peer"],
        "sk_skb": ["stream_parser", "stream_verdict", "verdict"], "usdt": ["libc:libc:exit"],
        "tracepoint": ["sched/sched_switch"],
    }  # fmt: skip
    plain = {"xdp", "tc", "tc_action", "flow_dissector", "netfilter", "socket_filter", "sk_lookup",
             "sk_reuseport", "sk_msg", "sock_ops", "cgroup_sysctl", "cgroup_device", "perf_event",
             "syscall", "lirc"}  # fmt: skip
    for name in decorators.__all__:
        mark = getattr(ebee, name)
        for given in [None] if name in plain else takes.get(name, ["something"]):

            def f(): ...

            yield mark(f) if given is None else mark(given)(f)

    @ebee.struct_ops("tcp_congestion_ops")
    class Calm:
        def ssthresh(self): ...

    yield Calm.ssthresh

    def writable(): ...

    yield ebee.raw_tracepoint("nbd_send_request", writable=True)(writable)


def test_maps_are_declared_types():
    known = [c for c in vars(api).values() if inspect.isclass(c) and issubclass(c, AnyMap)]
    kinds = [c for c in known if c is not AnyMap]
    assert {k.type for k in kinds} | {"struct_ops"} == {t.name for t in all_types()}
    for kind in kinds:
        declared = by_name(kind.type)
        assert declared is not None
        assert declared.required & ~kind.always == 0


@pytest.mark.parametrize(
    ("header", "size"),
    [("Ethernet", 14), ("Vlan", 4), ("IPv4", 20), ("IPv6", 40), ("IPv6Extension", 8), ("TCP", 20),
     ("UDP", 8), ("ICMP", 8), ("ICMPv6", 8)],
)  # fmt: skip
def test_headers_have_their_sizes(header, size):
    assert sizeof(getattr(packets, header)) == size


@pytest.mark.parametrize(
    ("declare", "said"),
    [
        (lambda: ebee.Hash[ebee.u32](max_entries=1), "types of key and value"),
        (lambda: ebee.Hash[int, ebee.u32](max_entries=1), "no static type"),
        (lambda: ebee.Array[ebee.u32, ebee.u32](max_entries=1), "one type"),
        (lambda: ebee.Hash[ebee.u32, ebee.u32](max_entries=0), "max_entries"),
        (lambda: ebee.RingBuf[ebee.u32](size=1000), "power of two"),
        (lambda: ebee.ProgArray(max_entries=2).entry(2), "no index"),
        (lambda: ebee.tracepoint("sched"), "category/name"),
        (lambda: ebee.cgroup_skb("inward"), "neither 'ingress' nor 'egress'"),
        (lambda: ebee.section("nothing"), "no hook"),
    ],
)
def test_declarations_that_make_no_sense(declare, said):
    with pytest.raises((TypeError, ValueError, ebee.EbeeError), match=said):
        declare()


def test_declarations_are_for_programs_only():
    table = ebee.Hash[ebee.u32, ebee.u64](max_entries=1)
    for use in (lambda: table[1], lambda: table.lookup(1), lambda: ebee.bpf.ktime_get_ns()):
        with pytest.raises(TypeError, match=r"program|load"):
            use()
    assert "Nanoseconds since boot" in ebee.bpf.ktime_get_ns.__doc__
    with pytest.raises(AttributeError, match="no helper 'bogus'"):
        ebee.bpf.bogus  # noqa: B018


def test_integer_functions_run_in_python():
    @ebee.func
    def wraps(n: ebee.u8) -> ebee.u8:
        return n + 200

    assert wraps(100) == 44
    assert typing.get_type_hints(wraps)["n"] is ebee.u8


def test_import_of_ebee_stays_light():
    code = "import ebee, sys; print([m for m in sys.modules if m.startswith('ebee.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("future", ["", "from __future__ import annotations\n"])
def test_the_types_of_a_map_may_stand_in_its_annotation(tmp_path, future):
    (tmp_path / "annotated_maps.py").write_text(
        f"{future}from ebee import *\n"
        "class Stage(IntEnum):\n    FIRST = 0\n"
        "hits: Hash[u32, u64] = Hash(max_entries=8)\n"
        "total: Array[u64] = Array(max_entries=1)\n"
        "events: RingBuf[u64] = RingBuf(size=4096)\n"
        "jumps: ProgArray[Stage] = ProgArray()\n"
        "peers: SockHash[u32] = SockHash(max_entries=2)\n"
        "kept: SkStorage[u64] = SkStorage()\n".replace("class", "from enum import IntEnum\nclass")
    )
    program = tmp_path / "prog.py"
    program.write_text(
        f"{future}from ebee import *\nfrom annotated_maps import hits, total, events\n"
        "from annotated_maps import jumps, peers, kept\n"
        "@xdp\ndef prog(ctx: XdpContext) -> XDP:\n"
        "    hits[1] = 2\n    n = total[0]\n    if n:\n        n[0] += 1\n    return XDP.PASS\n"
    )
    maps = ebee.compile(program).maps
    found = {name: (m.key_size, m.value_size) for name, m in maps.items() if name[0] != "."}
    assert found == {
        "hits": (4, 8), "total": (4, 8), "events": (0, 0), "jumps": (4, 4), "peers": (4, 4),
        "kept": (4, 8),
    }  # fmt: skip
    assert maps["jumps"].max_entries == 1
