"""Objects attach as their sections say: one with a program in every section of networks, cgroups
and sockets."""

import contextlib
import socket

import pytest

from ebee import clang, linux
from ebee.errors import CompileError, KernelError, ObjectError
from ebee.linux.errors import older_than
from ebee.obj import read

pytestmark = pytest.mark.kernel

SOURCE = """
#include <linux/bpf.h>
#define SEC(name) __attribute__((section(name), used))
struct {
    int (*type)[BPF_MAP_TYPE_SOCKMAP]; int (*max_entries)[2]; unsigned *key; unsigned long *value;
} socks SEC(".maps");
#define PROGRAM(name, section, result) SEC(section) int name(void *ctx) { return result; }
PROGRAM(on_xdp, "xdp", XDP_PASS)
PROGRAM(on_tc, "tc", 0)
PROGRAM(on_egress, "tcx/egress", -1)
PROGRAM(on_action, "action", 0)
PROGRAM(on_skb, "cgroup_skb/egress", 1)
PROGRAM(on_old_skb, "cgroup/skb", 1)
PROGRAM(on_connect, "cgroup/connect4", 1)
PROGRAM(on_device, "cgroup/dev", 1)
PROGRAM(on_sockops, "sockops", 1)
PROGRAM(on_sockopt, "cgroup/getsockopt", 1)
PROGRAM(on_sysctl, "cgroup/sysctl", 1)
PROGRAM(on_message, "sk_msg", 1)
PROGRAM(on_verdict, "sk_skb/stream_verdict", 1)
PROGRAM(on_lookup, "sk_lookup", 1)
PROGRAM(on_flow, "flow_dissector", 0)
PROGRAM(on_filter, "netfilter", 1)
PROGRAM(on_socket, "socket", -1)
PROGRAM(on_reuseport, "sk_reuseport", 1)
PROGRAM(on_route, "lwt_out", 0)
char LICENSE[] SEC("license") = "GPL";
"""
SINCE = {"on_egress": "6.6", "on_filter": "6.4", "on_lookup": "5.9", "on_flow": "5.8"}


@pytest.fixture(scope="module")
def spec(tmp_path_factory):
    path = tmp_path_factory.mktemp("sections") / "sections.c"
    path.write_text(SOURCE)
    try:
        return read(clang.compile(path).content)
    except CompileError as error:
        pytest.skip(error.summary)


@pytest.fixture
def loaded(spec):
    left_out = {name for name, since in SINCE.items() if older_than(since)} | {"on_action"}
    with linux.load(spec, programs=[n for n in spec.programs if n not in left_out]) as made:
        yield made


@contextlib.contextmanager
def reuseport():
    with socket.socket(type=socket.SOCK_DGRAM) as made:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        made.bind(("127.0.0.1", 0))
        yield made


PLACES = {
    # program: (what attaches it, what its target says)
    "on_xdp": (lambda p, o, g: p.attach("veth0", mode="native"), "veth0 (native XDP)"),
    "on_tc": (lambda p, o, g: p.attach("veth0", direction="egress"), "veth0 (egress tc)"),
    "on_egress": (lambda p, o, g: p.attach(dev="veth0"), "veth0 (egress tcx)"),
    "on_skb": (lambda p, o, g: p.attach(g), "(cgroup_inet_egress)"),
    "on_old_skb": (
        lambda p, o, g: p.attach(g, attach_type="cgroup_inet_ingress"), "(cgroup_inet_ingress)",
    ),
    "on_connect": (lambda p, o, g: p.attach(g, mode="multi"), "(cgroup_inet4_connect), multi"),
    "on_device": (lambda p, o, g: p.attach(path=g), "(cgroup_device)"),
    "on_sockops": (lambda p, o, g: p.attach(g), "(cgroup_sock_ops)"),
    "on_sockopt": (lambda p, o, g: p.attach(g), "(cgroup_getsockopt)"),
    "on_sysctl": (lambda p, o, g: p.attach(g), "(cgroup_sysctl)"),
    "on_message": (lambda p, o, g: p.attach(o.maps["socks"]), "map socks (sk_msg_verdict)"),
    "on_verdict": (lambda p, o, g: p.attach(o.maps["socks"]), "map socks (sk_skb_stream_verdict)"),
    "on_lookup": (lambda p, o, g: p.attach(), "network namespace /proc/thread-self/ns/net"),
    "on_flow": (lambda p, o, g: p.attach(), "network namespace /proc/thread-self/ns/net"),
    "on_filter": (
        lambda p, o, g: p.attach("ipv6", hook="forward", priority=3), "netfilter ipv6 forward",
    ),
    "on_route": (lambda p, o, g: p.attach("10.9.0.0/16", dev="veth0"), "route to 10.9.0.0/16"),
}  # fmt: skip


@pytest.mark.parametrize("name", PLACES)
def test_a_program_attaches_as_its_section_says(net, cgroup, loaded, name):
    if name not in loaded.programs:
        pytest.skip(f"came with Linux {SINCE[name]}")
    put, target = PLACES[name]
    program = loaded.programs[name]
    with net.inside("left"), put(program, loaded, cgroup) as link:
        assert link.target.endswith(target)
        assert link.info().prog_id == program.id
        if name == "on_filter":
            with pytest.raises(KernelError, match="this type of link cannot be updated"):
                link.update(program)
        else:
            link.update(program)
    assert link.closed


def test_socket_programs_attach_to_sockets(loaded):
    with socket.socket(type=socket.SOCK_DGRAM) as one, loaded.programs["on_socket"].attach(one):
        one.bind(("127.0.0.1", 0))
        one.settimeout(20)
        one.sendto(b"whole", one.getsockname())
        assert one.recv(10) == b"whole"
    with reuseport() as one, loaded.programs["on_reuseport"].attach(one) as held:
        assert held.info().prog_id == loaded.programs["on_reuseport"].id


def test_every_program_has_its_place(spec):
    assert set(spec.programs) == {*PLACES, "on_socket", "on_reuseport", "on_action"}


def test_what_is_not_said_is_asked_for(loaded):
    programs = loaded.programs
    for call, text in (
        (lambda: programs["on_xdp"].attach(), "attaching xdp needs dev="),
        (lambda: programs["on_skb"].attach(), "attaching cgroup_skb needs path="),
        (lambda: programs["on_route"].attach("10.0.0.0/8", colour=1), "no option .colour."),
        (lambda: programs["on_socket"].attach(), "needs sock="),
    ):
        with pytest.raises(ObjectError, match=text):
            call()


def test_links_go_with_their_object(net, cgroup, spec, open_fds):
    names = ["on_xdp", "on_tc", "on_skb", "on_route"]
    before = open_fds()
    with net.inside("left"):
        for _ in range(2):  # the places are free again the second time
            with linux.load(spec, programs=names) as made:
                made.programs["on_xdp"].attach("veth0", by="netlink")
                made.programs["on_tc"].attach("veth0", priority=5)
                made.programs["on_skb"].attach(cgroup, mode="exclusive")
                made.programs["on_route"].attach("10.9.0.0/16", dev="veth0")
    assert open_fds() == before
