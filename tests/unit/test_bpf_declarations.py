"""What Python programs are written with agrees with the declarations that everything reads."""

import inspect
import subprocess
import sys
import typing
from pathlib import Path

import pytest

import ebee
from ebee import api, hooks
from ebee.lang.bpf import packets, programs
from ebee.lang.bpf.maps import AnyMap
from ebee.maps import by_name
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


@pytest.mark.parametrize(
    ("enum", "hook", "prefix"),
    [(ebee.XDP, "xdp", "XDP_"), (ebee.TC, "tc", "TC_ACT_"), (ebee.TCX, "tcx", "TCX_")],
)
def test_results_are_the_hooks(enum, hook, prefix):
    returns = hooks.by_name(hook).returns
    assert {prefix + m.name: m.value for m in enum} == returns


@pytest.mark.parametrize(
    ("name", "hook_names"),
    [("XdpContext", ["xdp"]), ("SkbContext", ["tc", "cgroup_skb", "socket_filter"])],
)
def test_contexts_are_the_hooks(name, hook_names):
    """Also those members that editors are told of: the classes behind TYPE_CHECKING."""
    made = fields(getattr(ebee, name))
    declared = {f.name: f for h in hook_names for f in hooks.by_name(h).fields}
    assert {n: f.offset for n, f in made.items()} == {n: f.offset for n, f in declared.items()}
    source = inspect.getsource(programs)
    text = source[source.index("_WithPacket(Context)") : source.index("_BY_SIZE")]
    part = text[text.index(f"class {name}(") :].split("\n    class ")[0]
    told = {line.split(":")[0].strip() for line in part.splitlines() if ": " in line}
    common = {"data", "data_end"}
    assert told & declared.keys() | common >= declared.keys() - {"sk"}


def test_maps_are_declared_types():
    kinds = [c for c in vars(api).values() if inspect.isclass(c) and issubclass(c, AnyMap)]
    assert len(kinds) == 27
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
