"""Programs of cgroups: every attach type is met by what it is for; modes, orders, queries."""

import contextlib
import os
import socket
import stat
from pathlib import Path

import pytest

from ebee.errors import KernelError
from ebee.linux import attach, query, uapi
from ebee.linux.errors import older_than
from ebee.linux.links import Link

from .small import count, counter, counts, in_child, load, reset, tracer

pytestmark = pytest.mark.kernel


def since(version):
    return pytest.mark.skipif(older_than(version), reason=f"came with Linux {version}")


# -- what a process does to meet each attach type --------------------------------------------------

V4, V6 = "127.0.0.1", "::1"


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def talk(address, receive=True):
    """A datagram to oneself."""
    with socket.socket(family(address), socket.SOCK_DGRAM) as made:
        made.bind((address, 0))
        made.settimeout(20)
        made.sendto(b"x", made.getsockname()[:2])
        if receive:
            made.recvfrom(10)


def bind(address):
    with socket.socket(family(address), socket.SOCK_STREAM) as made:
        made.bind((address, 0))


def converse(address):
    """A TCP connection to oneself."""
    with (
        socket.create_server((address, 0), family=family(address)) as server,
        socket.create_connection(server.getsockname()[:2], 20) as client,
    ):
        client.getpeername()
        client.getsockname()
        accepted, _ = server.accept()
        accepted.close()


@contextlib.contextmanager
def unix(kind):
    """Two unix datagram or stream sockets with names, in the abstract space."""
    name = f"\0ebee-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, kind) as server, socket.socket(socket.AF_UNIX, kind) as made:
        server.bind(name)
        made.bind(name + "-client")
        if kind == socket.SOCK_STREAM:
            server.listen()
            made.connect(name)
        yield server, made, name


def unix_stream():
    with unix(socket.SOCK_STREAM) as (_, made, _name):
        made.getpeername()
        made.getsockname()


def unix_datagram():
    with unix(socket.SOCK_DGRAM) as (server, made, name):
        made.sendto(b"x", name)
        server.recvfrom(10)


def options():
    with socket.socket() as made:
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        made.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


DOINGS = {
    # attach type: (program type, since, what a process does)
    "cgroup_inet_ingress": ("cgroup_skb", "4.10", lambda: talk(V4)),
    "cgroup_inet_egress": ("cgroup_skb", "4.10", lambda: talk(V4)),
    "cgroup_inet_sock_create": ("cgroup_sock", "4.10", lambda: bind(V4)),
    "cgroup_inet_sock_release": ("cgroup_sock", "5.9", lambda: bind(V4)),
    "cgroup_sock_ops": ("sock_ops", "4.13", lambda: converse(V4)),
    "cgroup_device": ("cgroup_device", "4.15", lambda: Path("/dev/null").write_text("x")),
    "cgroup_inet4_bind": ("cgroup_sock_addr", "4.17", lambda: bind(V4)),
    "cgroup_inet6_bind": ("cgroup_sock_addr", "4.17", lambda: bind(V6)),
    "cgroup_inet4_connect": ("cgroup_sock_addr", "4.17", lambda: converse(V4)),
    "cgroup_inet6_connect": ("cgroup_sock_addr", "4.17", lambda: converse(V6)),
    "cgroup_inet4_post_bind": ("cgroup_sock", "4.17", lambda: bind(V4)),
    "cgroup_inet6_post_bind": ("cgroup_sock", "4.17", lambda: bind(V6)),
    "cgroup_udp4_sendmsg": ("cgroup_sock_addr", "4.18", lambda: talk(V4)),
    "cgroup_udp6_sendmsg": ("cgroup_sock_addr", "4.18", lambda: talk(V6)),
    "cgroup_udp4_recvmsg": ("cgroup_sock_addr", "5.2", lambda: talk(V4)),
    "cgroup_udp6_recvmsg": ("cgroup_sock_addr", "5.2", lambda: talk(V6)),
    "cgroup_inet4_getpeername": ("cgroup_sock_addr", "5.8", lambda: converse(V4)),
    "cgroup_inet6_getpeername": ("cgroup_sock_addr", "5.8", lambda: converse(V6)),
    "cgroup_inet4_getsockname": ("cgroup_sock_addr", "5.8", lambda: converse(V4)),
    "cgroup_inet6_getsockname": ("cgroup_sock_addr", "5.8", lambda: converse(V6)),
    "cgroup_unix_connect": ("cgroup_sock_addr", "6.7", unix_stream),
    "cgroup_unix_sendmsg": ("cgroup_sock_addr", "6.7", unix_datagram),
    "cgroup_unix_recvmsg": ("cgroup_sock_addr", "6.7", unix_datagram),
    "cgroup_unix_getpeername": ("cgroup_sock_addr", "6.7", unix_stream),
    "cgroup_unix_getsockname": ("cgroup_sock_addr", "6.7", unix_stream),
    "cgroup_sysctl": ("cgroup_sysctl", "5.2", lambda: Path("/proc/sys/kernel/ostype").read_text()),
    "cgroup_getsockopt": ("cgroup_sockopt", "5.3", options),
    "cgroup_setsockopt": ("cgroup_sockopt", "5.3", options),
}


def test_every_cgroup_attach_type_has_something_to_meet():
    assert set(DOINGS) == {name for name in uapi.ATTACH_TYPES if name.startswith("cgroup_")}


@pytest.mark.parametrize("name", DOINGS)
def test_a_program_meets_what_the_groups_processes_do(cgroup, name):
    kind, version, act = DOINGS[name]
    if older_than(version):
        pytest.skip(f"{name} came with Linux {version}")
    with counts() as seen, counter(seen, kind, 1, name) as program:
        with attach.cgroup(program, cgroup) as link:
            in_child(act, own_net=True)  # not in the group
            assert count(seen) == 0
            in_child(act, cgroup, own_net=True)
            ran = count(seen)
            assert ran > 0
            if not older_than("5.7"):
                info = link.info()
                assert (info.type, info.cgroup_id) == ("cgroup", cgroup.stat().st_ino)
                assert info.attach_type == uapi.ATTACH_TYPES[name]
            found = query.cgroup(cgroup, name)
            assert [p.prog_id for p in found.programs] == [program.id]
            with counter(seen, kind, 1, name) as other:
                link.update(other, replace=program)
                in_child(act, cgroup, own_net=True)
                assert count(seen) == 2 * ran
                assert [p.prog_id for p in query.cgroup(cgroup, name).programs] == [other.id]
        in_child(act, cgroup, own_net=True)
        assert count(seen) == 2 * ran
        assert query.cgroup(cgroup, name).programs == []


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("cgroup_inet_sock_create", PermissionError),
        ("cgroup_inet4_bind", PermissionError),
        ("cgroup_inet4_connect", PermissionError),
        ("cgroup_udp4_sendmsg", PermissionError),
        ("cgroup_device", PermissionError),
        ("cgroup_sysctl", PermissionError),
        ("cgroup_setsockopt", PermissionError),
        ("cgroup_inet_egress", PermissionError),
    ],
)
def test_a_program_forbids(cgroup, name, error):
    kind, version, act = DOINGS[name]
    if older_than(version):
        pytest.skip(f"{name} came with Linux {version}")

    def forbidden():
        with pytest.raises(error):
            act()

    with counts() as seen, counter(seen, kind, 0, name) as program:
        with attach.cgroup(program, cgroup):
            in_child(forbidden, cgroup, own_net=True)
            assert count(seen) > 0
        in_child(act, cgroup, own_net=True)


def test_a_group_cannot_make_device_nodes(cgroup, tmp_path):
    path = tmp_path / "zero"

    def make():
        with pytest.raises(PermissionError):
            os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 5))

    with load("r0 = 0; exit", "cgroup_device", "cgroup_device") as program:
        with attach.cgroup(program, cgroup):
            in_child(make, cgroup)
        in_child(lambda: os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 5)), cgroup)


# -- modes -----------------------------------------------------------------------------------------

EGRESS = "cgroup_inet_egress"


@pytest.fixture
def traced(cgroup):
    """(cgroup, a group in it, programs 1 to 4 that write down their number, what ran)."""
    inner = cgroup / "inner"
    inner.mkdir()
    with counts() as seen:
        made = [tracer(seen, digit, "cgroup_skb", 1, EGRESS) for digit in (1, 2, 3, 4)]

        def ran(group=inner):
            reset(seen)
            in_child(lambda: talk(V4), group, own_net=True)
            return count(seen)

        try:
            yield cgroup, inner, made, ran
        finally:
            for program in made:
                program.close()
            inner.rmdir()


def test_links_and_multi_run_from_the_group_upwards(traced):
    outer, inner, (one, two, three, _), ran = traced
    with (
        attach.cgroup(one, outer) as first,
        attach.cgroup(two, inner, mode="multi"),
        attach.cgroup(three, inner, EGRESS, "multi") as last,
    ):
        assert ran() == 231
        assert ran(outer) == 1
        effective = [p.prog_id for p in query.cgroup(inner, EGRESS, effective=True).programs]
        assert effective == [two.id, three.id, one.id]
        own = query.cgroup(inner, EGRESS)
        assert [p.prog_id for p in own.programs] == [two.id, three.id]
        assert last.info().prog_id == three.id
        with pytest.raises(KernelError, match="or is attached there already"):
            attach.cgroup(three, inner, mode="multi")
        first.detach()
        assert ran() == 23
    assert ran() == 0


def test_an_override_gives_way_to_a_group_below(traced):
    outer, inner, (one, two, three, _), ran = traced
    with attach.cgroup(one, outer, mode="override") as held:
        assert ran() == 1
        with attach.cgroup(two, inner, mode="override"):
            assert ran() == 2
        assert ran() == 1
        held.update(three)
        assert ran() == 3


def test_exclusive_programs_forbid_others_below(traced):
    outer, inner, (one, two, *_), ran = traced
    with attach.cgroup(one, outer, mode="exclusive"):
        assert ran() == 1
        for mode in ("link", "multi", "override", "exclusive"):
            with pytest.raises(KernelError, match="forbids others"):
                attach.cgroup(two, inner, mode=mode)


@since("5.5")
def test_a_program_takes_the_place_of_another(traced):
    _, inner, (one, two, three, _), ran = traced
    with attach.cgroup(one, inner, mode="multi") as first, attach.cgroup(two, inner, mode="multi"):
        replaced = attach.cgroup(three, inner, replace=one)
        assert ran() == 32
        first.close()  # it is not there any more
        assert ran() == 32
        replaced.update(one)
        assert ran() == 12
        replaced.close()
        assert ran() == 2


@since("6.17")
def test_anchors_and_revisions_order_the_programs_of_a_group(traced):
    _, inner, (one, two, three, four), ran = traced
    with attach.cgroup(one, inner) as first:
        with attach.cgroup(two, inner, before=first), attach.cgroup(three, inner, after=first):
            assert ran() == 213
            with attach.cgroup(four, inner, before=True):
                assert ran() == 4213
        with attach.cgroup(two, inner, mode="multi") as second:
            with attach.cgroup(three, inner, mode="multi", before=two):
                assert ran() == 132
            revision = query.cgroup(inner, EGRESS).revision
            with attach.cgroup(three, inner, expected_revision=revision):
                assert ran() == 123
            with pytest.raises(KernelError, match="the list of programs has changed"):
                attach.cgroup(three, inner, expected_revision=revision)
            second.detach()
        assert ran() == 1


@since("6.15")
def test_preorder_programs_run_first_from_the_top_down(traced):
    outer, inner, (one, two, three, four), ran = traced
    with (
        attach.cgroup(one, outer, preorder=True),
        attach.cgroup(two, inner, preorder=True),
        attach.cgroup(three, outer),
        attach.cgroup(four, inner),
    ):
        assert ran() == 1243


@pytest.mark.skipif(not older_than("6.17"), reason="this kernel has an order of programs")
def test_older_kernels_say_that_they_have_no_order(traced):
    _, inner, (one, two, *_), _ = traced
    with attach.cgroup(one, inner), pytest.raises(KernelError, match=r"order|place"):
        attach.cgroup(two, inner, before=one)


@since("5.7")
def test_a_pinned_cgroup_link_outlives_its_handle(traced, bpffs):
    _, inner, (one, *_), ran = traced
    with attach.cgroup(one, inner) as link:
        link.pin(bpffs / "link")
    assert ran() == 1
    with Link.get(bpffs / "link") as again:
        again.detach()
    assert ran() == 0


def test_what_was_attached_stays_when_it_is_left(traced):
    _, inner, (one, *_), ran = traced
    held = attach.cgroup(one, inner, mode="multi")
    held.leave()
    assert ran() == 1
    with attach.cgroup(one, inner, mode="multi", replace=one):
        pass
    assert ran() == 0


def test_groups_and_programs_that_do_not_go_together_are_refused(cgroup, tmp_path):
    with (
        load("r0 = 1; exit", "cgroup_skb", EGRESS) as program,
        load("r0 = 2; exit", "xdp", "xdp") as other,
    ):
        for arguments, options, text in (
            ((program, tmp_path), {}, "is no cgroup of version 2"),
            ((program, cgroup / "nowhere"), {}, "cannot open"),
            ((program, cgroup), {"attach_type": "xdp"}, "'xdp' is no cgroup attach type"),
            ((program, cgroup), {"attach_type": "cgroup_device"}, "was not loaded for"),
            ((program, cgroup), {"mode": "sometimes"}, "no mode of attaching"),
            ((program, cgroup), {"mode": "link", "preorder": True}, "are for mode 'multi'"),
            ((other, cgroup), {}, "'xdp' is no cgroup attach type"),
        ):
            with pytest.raises(KernelError, match=text):
                attach.cgroup(*arguments, **options)
