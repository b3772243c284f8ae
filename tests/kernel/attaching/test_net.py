"""Programs at interfaces, in netfilter, in network namespaces and routes: attached, met by real
packets, in their order, replaced, taken out; by links and by what came before them."""

import contextlib
import errno
import itertools
import json
import mmap
import os
import socket
import struct
import subprocess
import time

import pytest

from ebee.errors import KernelError
from ebee.linux import LinuxMap, attach, netlink, query
from ebee.linux.attachments import Attachment
from ebee.linux.errors import older_than
from ebee.linux.links import Link

from .small import (
    BRIEF,
    PATIENCE,
    count,
    counter,
    counts,
    ip,
    load,
    reset,
    silent,
    tracer,
    wait_for,
)

pytestmark = pytest.mark.kernel

XDP_DROP, XDP_PASS = 1, 2
TC_NEXT, TC_OK, TC_SHOT = -1, 0, 2
NF_DROP, NF_ACCEPT = 0, 1


def since(version):
    return pytest.mark.skipif(older_than(version), reason=f"came with Linux {version}")


def send(net, sock, text=b"x"):
    try:
        sock.send(net.frame(text.ljust(50)))
    except OSError as error:
        if error.errno != errno.ENOBUFS:  # what a program at egress dropped
            raise


def comes(sock, text, wait=PATIENCE):
    """Whether a frame with this text arrives, behind others or not."""
    sock.settimeout(wait)
    try:
        while True:
            if sock.recv(2000)[14 : 14 + len(text)] == text:
                return True
    except TimeoutError:
        return False


def index_of(net, side="right", dev="veth1"):
    with net.inside(side):
        return attach.interface(dev)


# -- XDP by netlink --------------------------------------------------------------------------------


def xdp_of(net):
    """(mode, program id) of what `ip` sees on veth1."""
    (found,) = json.loads(ip("-j", "link", "show", "dev", "veth1", netns=net.right))
    return (found["xdp"]["mode"], found["xdp"]["prog"]["id"]) if "xdp" in found else None


@pytest.mark.parametrize(("mode", "number"), [("native", 1), ("generic", 2), ("auto", 1)])
def test_xdp_by_netlink_drops_is_replaced_and_goes(net, mode, number):
    with (
        net.socket("left") as sender,
        net.socket("right") as receiver,
        counts() as seen,
        counter(seen, "xdp", XDP_DROP) as drops,
        counter(seen, "xdp", XDP_PASS) as passes,
    ):
        with net.inside("right"):
            held = attach.xdp(drops, "veth1", mode, by="netlink")
        assert isinstance(held, Attachment)
        assert xdp_of(net) == (number, drops.id)
        send(net, sender, b"dropped")
        assert not comes(receiver, b"dropped", BRIEF)
        assert count(seen) == 1
        held.update(passes, replace=drops)
        assert xdp_of(net) == (number, passes.id)
        send(net, sender, b"passed")
        assert comes(receiver, b"passed")
        info = held.info()
        assert (info.prog_id, info.ifindex) == (passes.id, index_of(net))
        with pytest.raises(KernelError, match="another program than 'count' is attached"):
            held.update(drops, replace=drops)
        with pytest.raises(KernelError, match="cannot be pinned"):
            held.pin("/sys/fs/bpf/no")
        held.close()
        held.close()
        assert xdp_of(net) is None


def test_xdp_by_netlink_puts_back_what_it_replaced(net):
    with load("r0 = 2; exit", "xdp") as first, load("r0 = 2; exit", "xdp") as second:
        with net.inside("right"):
            held = attach.xdp(first, "veth1", by="netlink")
            with pytest.raises(KernelError, match="another XDP program is attached there"):
                attach.xdp(second, "veth1", by="netlink")
            with attach.xdp(second, "veth1", replace=True):
                assert xdp_of(net)[1] == second.id
        assert xdp_of(net)[1] == first.id
        held.leave()
        assert xdp_of(net)[1] == first.id
        ip("link", "set", "veth1", "xdp", "off", netns=net.right)


def test_xdp_by_netlink_leaves_alone_what_others_have_put_there(net):
    with (
        load("r0 = 2; exit", "xdp") as first,
        load("r0 = 2; exit", "xdp") as second,
        net.inside("right"),
    ):
        held = attach.xdp(first, "veth1", by="netlink")
        other = attach.xdp(second, "veth1", replace=True)
        held.close()
        assert xdp_of(net)[1] == second.id
        other.leave()
        ip("link", "set", "veth1", "xdp", "off", netns=net.right)
        with attach.xdp(first, "veth1", by="netlink") as gone:
            ip("link", "set", "veth1", "xdp", "off", netns=net.right)
            with pytest.raises(KernelError):
                gone.detach()


def test_offload_needs_a_card(net):
    with load("r0 = 2; exit", "xdp") as program, net.inside("right"):
        for by in ("link", "netlink"):
            with pytest.raises(KernelError, match=r"no card that runs XDP itself|not go with"):
                attach.xdp(program, "veth1", "offload", by=by)
        with pytest.raises(KernelError, match="no way to attach XDP"):
            attach.xdp(program, "veth1", by="magic")


# -- tcx -------------------------------------------------------------------------------------------


@pytest.fixture
def traces():
    """(the map, programs 1 to 4 that write down their number and go on)."""
    with counts() as seen:
        made = [tracer(seen, digit, "sched_cls", TC_NEXT) for digit in (1, 2, 3, 4)]
        yield seen, made
        for program in made:
            program.close()


@since("6.6")
def test_tcx_programs_run_in_the_order_of_their_anchors(net, traces):
    seen, (one, two, three, four) = traces
    with net.socket("left") as sender, net.socket("right") as receiver, net.inside("right"):

        def order():
            reset(seen)
            send(net, sender, b"now")
            assert comes(receiver, b"now")
            return count(seen)

        with attach.tcx(one, "veth1") as first:
            with attach.tcx(two, "veth1", before=first), attach.tcx(three, "veth1", after=one.id):
                assert order() == 213
                with attach.tcx(four, "veth1", before=True):
                    assert order() == 4213
                with attach.tcx(four, "veth1", after=True):
                    assert order() == 2134
                with attach.tcx(four, "veth1", before=three):
                    assert order() == 2143
            assert order() == 1
            found = query.query(attach.interface("veth1"), "tcx_ingress")
            assert [(p.prog_id, p.link_id) for p in found.programs] == [(one.id, first.info().id)]
            with attach.tcx(two, "veth1", expected_revision=found.revision):
                assert order() == 12
            with pytest.raises(KernelError, match="the list of programs has changed"):
                attach.tcx(two, "veth1", expected_revision=found.revision)
            with pytest.raises(KernelError, match="next to is not attached there"):
                attach.tcx(two, "veth1", before=three)
            with pytest.raises(KernelError, match="not both"):
                attach.tcx(two, "veth1", before=one, after=one)
            with pytest.raises(KernelError, match="take a program, a link or an id"):
                attach.tcx(two, "veth1", before="first")


@since("6.6")
@pytest.mark.parametrize("direction", ["ingress", "egress"])
def test_tcx_drops_is_updated_pinned_and_detached(net, bpffs, direction):
    side, other = ("right", "left") if direction == "ingress" else ("left", "right")
    dev = {"left": "veth0", "right": "veth1"}[side]
    with (
        load("r0 = 2; exit", "sched_cls") as shoots,
        load("r0 = 0; exit", "sched_cls") as passes,
        net.socket("left") as sender,
        net.socket("right") as receiver,
    ):
        with net.inside(side):
            link = attach.tcx(shoots, dev, direction)
        # What a packet socket sees comes before ingress, so look at what the stack answers instead.
        with net.inside("right"), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bound:
            bound.bind(("10.99.0.2", 9999))
            bound.settimeout(PATIENCE)
            with net.inside("left"), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                client.connect(("10.99.0.2", 9999))
                client.send(b"dropped")
                assert silent(bound)
                link.update(passes, replace=shoots)
                client.send(b"passed")
                assert bound.recv(100) == b"passed"
                link.update(shoots)
                link.pin(bpffs / "link")
                link.close()
                client.send(b"pinned")
                assert silent(bound)
                with Link.get(bpffs / "link") as again:
                    assert again.info().ifindex == index_of(net, side, dev)
                    again.detach()
                client.send(b"free")
                assert bound.recv(100) == b"free"
        assert other != side
        assert sender.fileno() != receiver.fileno()


# -- clsact ----------------------------------------------------------------------------------------


def qdiscs(net):
    text = subprocess.run(
        ["tc", "-n", net.right, "qdisc", "show", "dev", "veth1"], capture_output=True, text=True
    ).stdout
    return "clsact" in text


def test_classifiers_run_by_priority_and_clsact_goes_with_the_last(net, traces):
    seen, (one, two, three, four) = traces
    with net.socket("left") as sender, net.socket("right") as receiver, net.inside("right"):

        def order():
            reset(seen)
            send(net, sender, b"now")
            assert comes(receiver, b"now")
            return count(seen)

        assert not qdiscs(net)
        second = attach.tc(two, "veth1", priority=20)
        assert qdiscs(net)
        with attach.tc(one, "veth1", priority=10) as first, attach.tc(three, "veth1", priority=30):
            assert order() == 123
            first.update(four)
            assert order() == 423
            assert first.info().priority == 10
            with pytest.raises(KernelError, match="there is one of this priority and handle"):
                attach.tc(one, "veth1", priority=10, handle=first.info().handle)
        assert order() == 2
        with attach.tc(four, "veth1", "egress") as other:
            second.close()
            assert qdiscs(net)  # the other one still needs it
            assert other.info().direction == "egress"
        assert order() == 0


def test_a_classifier_drops_and_what_others_removed_is_no_trouble(net):
    with (
        load("r0 = 2; exit", "sched_cls") as shoots,
        net.inside("left"),
        net.socket("left") as sender,
        net.socket("right") as receiver,
    ):
        with attach.tc(shoots, "veth0", "egress") as held:
            send(net, sender, b"shot")
            assert not comes(receiver, b"shot", BRIEF)
            held.leave()
        send(net, sender, b"shot")
        assert not comes(receiver, b"shot", BRIEF)
        subprocess.run(["tc", "-n", net.left, "qdisc", "del", "dev", "veth0", "clsact"], check=True)
        send(net, sender, b"free")
        assert comes(receiver, b"free")
        with attach.tc(shoots, "veth0", "egress"):
            subprocess.run(
                ["tc", "-n", net.left, "qdisc", "del", "dev", "veth0", "clsact"], check=True
            )


def test_actions_need_a_kernel_that_has_them(net):
    """This is act_bpf below matchall, both modules that a kernel may lack."""
    with (
        counts() as seen,
        counter(seen, "sched_act", TC_SHOT) as shoots,
        net.inside("left"),
        net.socket("left") as sender,
        net.socket("right") as receiver,
    ):
        try:
            held = attach.way("tc", "sched_act")(shoots, "veth0", "egress")
        except KernelError as error:
            if "cannot attach program 'count' (sched_act) to veth0" not in str(error):
                raise
            pytest.skip("this kernel has no matchall classifier or BPF action")
        with held:
            send(net, sender, b"shot")
            assert not comes(receiver, b"shot", BRIEF)
            assert count(seen) == 1
        send(net, sender, b"free")
        assert comes(receiver, b"free")


# -- netkit ----------------------------------------------------------------------------------------


NO_NETKIT = r"no netkit device|without netkit|requires Linux"


def test_netkit_programs_see_packets_or_the_error_says_why_not(net):
    with (
        counts() as seen,
        counter(seen, "sched_cls", 2, "netkit_primary") as drops,
        net.inside("left"),
    ):
        with pytest.raises(KernelError, match=NO_NETKIT):
            attach.netkit(drops, "veth0")
        with pytest.raises(KernelError, match="no end of a netkit pair"):
            attach.netkit(drops, "veth0", "middle")
        index = netkit_pair("nk0")
        assert index, "a pair of its own"
        for name in ("nk0", "nk1"):
            ip("link", "set", name, "up", netns=net.left)
        with attach.netkit(drops, "nk0") as link:
            info = link.info()
            assert (info.type, info.ifindex) == ("netkit", index)
            send_frame("nk0")
            assert count(seen) == 1


@since("6.7")
def test_netkit_programs_of_both_ends_in_their_order_updated_and_detached(net):
    with (
        counts() as seen, counts() as other,
        counter(seen, "sched_cls", -1, "netkit_primary") as first,
        counter(other, "sched_cls", 2, "netkit_primary") as second,
        counter(seen, "sched_cls", 2, "netkit_primary") as third,
        counter(other, "sched_cls", 2, "netkit_peer") as peer,
        net.inside("left"),
    ):  # fmt: skip
        index = netkit_pair("nk0")
        for name in ("nk0", "nk1"):
            ip("link", "set", name, "up", netns=net.left)
        # The second drops; the first, which goes before it, lets it look.
        with attach.netkit(second, "nk0") as late, attach.netkit(first, "nk0", before=late):
            send_frame("nk0")
            assert (count(seen), count(other)) == (1, 1)
            late.update(third, replace=second)
            send_frame("nk0")
            assert (count(seen), count(other)) == (3, 1)
            found = query.query(index, "netkit_primary")
            assert [p.prog_id for p in found.programs] == [first.id, third.id]
            late.detach()
            send_frame("nk0")
            assert (count(seen), count(other)) == (4, 1)
        with attach.netkit(peer, "nk0", "peer"):
            send_frame("nk1")
            send_frame("nk0")
            assert (count(seen), count(other)) == (4, 2)


def netkit_pair(name):
    """A pair of netkit devices that forward, `name` and "nk1", in this thread's namespace: the
    index of the first. Debian's ip does not know them, the kernel's numbers are those of if_link.h.
    """
    peer = [(netlink.IFLA_IFNAME, "nk1")]
    data = [(1, netlink.interface_message() + netlink.pack(peer)), (3, 0), (4, 0), (5, 0)]
    attributes = [
        (netlink.IFLA_IFNAME, name), (netlink.IFLA_LINKINFO, [(1, "netkit"), (2, data)]),
    ]  # fmt: skip
    flags = netlink.CREATE | netlink.EXCL
    try:
        with netlink.Route() as route:
            what = netlink.interface_message()
            route.ask(netlink.NEWLINK, what, attributes, "make netkit devices", flags)
    except KernelError as error:
        if error.errno != errno.EOPNOTSUPP:
            raise
        pytest.skip("this kernel was built without CONFIG_NETKIT")
    return socket.if_nametoindex(name)


def send_frame(name):
    """A frame out of a device, past everything but its own programs."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
        raw.bind((name, 0))
        try:
            raw.send(bytes(64))
        except OSError as error:
            if error.errno != errno.ENOBUFS:  # a program dropped it
                raise


# -- netfilter -------------------------------------------------------------------------------------

FAMILIES = {
    "ipv4": (socket.AF_INET, "127.0.0.1"),
    "ipv6": (socket.AF_INET6, "::1"),
}


@since("6.4")
@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("hook", ["local_out", "pre_routing", "local_in", "post_routing"])
def test_netfilter_programs_drop_packets_of_their_family(net, family, hook):
    domain, address = FAMILIES[family]
    with (
        counts() as seen,
        counter(seen, "netfilter", NF_DROP, "netfilter") as drops,
        net.inside("right"),
        socket.socket(domain, socket.SOCK_DGRAM) as made,
    ):
        if family == "ipv6":
            with open("/proc/sys/net/ipv6/conf/lo/disable_ipv6", "w") as file:
                file.write("0")
            ip("addr", "replace", "::1/128", "dev", "lo", netns=net.right)
        made.bind((address, 9998))
        made.connect((address, 9998))
        made.settimeout(PATIENCE)
        made.send(b"before")
        assert made.recv(100) == b"before"
        with attach.netfilter(drops, family, hook, -5) as link:
            try:
                made.send(b"dropped")
            except PermissionError:
                assert hook in ("local_out", "post_routing")
            assert silent(made)
            assert count(seen) >= 1
            info = link.info()
            assert (info.pf, info.hooknum, info.priority) == (
                attach.way("netfilter", "").__globals__["NETFILTER_FAMILIES"][family],
                attach.way("netfilter", "").__globals__["NETFILTER_HOOKS"][hook],
                -5,
            )
        made.send(b"after")
        assert made.recv(100) == b"after"


@since("6.4")
def test_netfilter_programs_run_by_priority_and_forward_sees_what_passes(net):
    with counts() as seen, net.inside("right"):
        made = [tracer(seen, n, "netfilter", NF_ACCEPT, "netfilter") for n in (1, 2, 3)]
        links = [
            attach.netfilter(program, "ipv4", "local_out", priority)
            for program, priority in zip(made, (50, -50, 7), strict=True)
        ]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"x", ("10.99.0.1", 9))
        assert count(seen) == 231
        for held in (*links, *made):
            held.close()
        with open("/proc/sys/net/ipv4/ip_forward", "w") as file:
            file.write("1")
        reset(seen)
        ip("addr", "add", "10.98.0.2/24", "dev", "lo", netns=net.right)
        ip("route", "add", "10.97.0.0/24", "via", "10.99.0.1", netns=net.right)
        with (
            counter(seen, "netfilter", NF_ACCEPT, "netfilter") as program,
            attach.netfilter(program, "ipv4", "forward", 1),
        ):
            with net.inside("left"):
                ip("route", "add", "10.97.0.0/24", "via", "10.99.0.2", netns=net.left)
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                    sender.sendto(b"x", ("10.97.0.9", 9))
            assert wait_for(lambda: count(seen) >= 1)


@since("6.4")
def test_netfilter_refuses_what_cannot_be(net):
    with load("r0 = 1; exit", "netfilter", "netfilter") as program, net.inside("right"):
        for arguments, text in (
            (("ipx",), "no netfilter family; there are: ipv4, ipv6"),
            (("ipv4", "nowhere"), "no netfilter hook"),
            ((3, 0, 1), "BPF takes no 3"),
            (("ipv4", 9, 1), "one that BPF cannot have"),
            (("ipv4", 0, -(1 << 31)), "cannot have"),
            (("ipv4", 0, (1 << 31) - 1), "cannot have"),
        ):
            with pytest.raises(KernelError, match=text):
                attach.netfilter(program, *arguments)
        if not older_than("6.6"):
            with attach.netfilter(program, "ipv4", "pre_routing", 1, defrag=True) as link:
                assert link.info().flags == 1


# -- network namespaces ----------------------------------------------------------------------------


def connect(address, port):
    with socket.socket() as made:
        made.settimeout(PATIENCE)
        made.connect((address, port))


@since("5.9")
def test_socket_lookup_decides_who_gets_a_connection(net):
    with (
        counts() as seen,
        counter(seen, "sk_lookup", 0, "sk_lookup") as refuses,
        counter(seen, "sk_lookup", 1, "sk_lookup") as allows,
        net.inside("right"),
        socket.create_server(("127.0.0.1", 8080)),
    ):
        connect("127.0.0.1", 8080)
        with attach.netns(refuses, net.right) as link:  # by its name
            with pytest.raises(ConnectionRefusedError):
                connect("127.0.0.1", 8080)
            link.update(allows)
            connect("127.0.0.1", 8080)
            assert count(seen) >= 2
            with attach.netns(refuses), pytest.raises(ConnectionRefusedError):  # a second one
                connect("127.0.0.1", 8080)
            link.detach()
            assert link.info().netns_ino == 0
        connect("127.0.0.1", 8080)
        with pytest.raises(KernelError, match="cannot open /run/netns/nowhere"):
            attach.netns(allows, "nowhere")
        with pytest.raises(KernelError, match="is no network namespace"):
            attach.netns(allows, "/dev/null")


STEER = """
    r9 = r1
    *(u32 *)(r10 -4) = 0
    r2 = r10
    r2 += -4
    r1 = map[socks]
    call 1
    if r0 == 0 goto out
    r6 = r0
    r1 = r9
    r2 = r6
    r3 = 0
    call 124
    r7 = r0
    r1 = r6
    call 86
    r0 = 1
    exit
out:
    r0 = 1
    exit
"""


@since("5.9")
def test_socket_lookup_steers_to_a_socket_of_a_map(net):
    with (
        LinuxMap.create("sockmap", 4, 8, 1, name="socks") as socks,
        load(STEER, "sk_lookup", "sk_lookup", {"socks": socks}) as steers,
        net.inside("right"),
        socket.create_server(("127.0.0.1", 8081)) as server,
    ):
        socks.update(bytes(4), struct.pack("=Q", server.fileno()))
        with attach.netns(steers):
            connect("127.0.0.1", 4444)  # nobody listens there
            server.settimeout(PATIENCE)
            server.accept()[0].close()
        with pytest.raises(ConnectionRefusedError):
            connect("127.0.0.1", 4444)


@pytest.mark.parametrize("by", [pytest.param("link", marks=since("5.8")), "attach"])
def test_flow_dissection_is_asked_and_there_is_only_one(net, by):
    with (
        counts() as seen,
        counter(seen, "flow_dissector", 0, "flow_dissector") as program,
        net.inside("right"),
    ):
        try:
            link = attach.netns(program, by=by)
        except KernelError as error:
            if error.errno != errno.EEXIST:  # the first namespace has one
                raise
            pytest.skip("the first network namespace has a flow dissector")
        with link:
            with net.socket("right") as sender:
                send(net, sender)
            assert count(seen) >= 1
            with counter(seen, "flow_dissector", 0, "flow_dissector") as other:
                if by == "link":
                    with pytest.raises(KernelError, match="has a program for that already"):
                        attach.netns(other)
                link.update(other)
                link.update(program)
            with open("/proc/thread-self/ns/net") as namespace:
                from ebee.linux.sys import Fd

                fd = Fd(namespace.fileno())
                found = query.query(fd, "flow_dissector")
                fd.detach()
            assert [p.prog_id for p in found.programs] == [program.id]
        before = count(seen)
        with net.socket("right") as sender:
            send(net, sender)
        assert count(seen) == before


def test_only_programs_for_namespaces_go_there(net):
    with (
        load("r0 = 2; exit", "xdp") as program,
        pytest.raises(KernelError, match="a xdp program does not go to a network namespace"),
    ):
        attach.netns(program)


# -- routes ----------------------------------------------------------------------------------------

BPF_OK, BPF_DROP = 0, 2


@pytest.mark.parametrize("kind", ["lwt_out", "lwt_xmit"])
def test_a_route_drops_what_is_sent_over_it(net, kind):
    with (
        counts() as seen,
        counter(seen, kind, BPF_DROP) as drops,
        counter(seen, kind, BPF_OK) as passes,
        net.inside("left"),
        net.socket("right") as receiver,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):

        def arrives(text, wait=PATIENCE):
            try:
                sender.sendto(text.ljust(50), ("10.55.0.1", 9))
            except OSError as error:
                if error.errno not in (errno.EACCES, errno.EPERM, errno.EINVAL):
                    raise
            receiver.settimeout(wait)
            try:
                while text not in receiver.recv(2000):
                    pass
            except TimeoutError:
                return False
            return True

        with attach.route(drops, "10.55.0.0/16", "veth0", via="10.99.0.2") as held:
            assert not arrives(b"dropped", BRIEF)
            assert count(seen) == 1
            held.update(passes)
            assert arrives(b"passed")
            assert count(seen) == 2
            assert held.info().destination == "10.55.0.0/16"
            with pytest.raises(KernelError, match="there is such a route already"):
                attach.route(drops, "10.55.0.0/16", "veth0", via="10.99.0.2")
        assert "10.55" not in ip("route", "show", netns=net.left)


def test_a_route_sees_what_is_received_over_it(net):
    """lwt_in runs for packets whose input route it is: here to an address of ours."""
    with (
        counts() as seen,
        counter(seen, "lwt_in", BPF_OK) as program,
        net.inside("right"),
    ):
        with open("/proc/sys/net/ipv4/ip_forward", "w") as file:
            file.write("1")
        with attach.route(program, "10.66.0.0/16", via="10.99.0.1"), net.inside("left"):
            ip("route", "add", "10.66.0.0/16", "via", "10.99.0.2", netns=net.left)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.sendto(b"x", ("10.66.0.1", 9))
            assert wait_for(lambda: count(seen) >= 1)


def test_segment_routing_runs_a_program(net):
    for side in ("left", "right"):
        with net.inside(side):
            for dev in ("all", "lo", {"left": "veth0", "right": "veth1"}[side]):
                with open(f"/proc/sys/net/ipv6/conf/{dev}/disable_ipv6", "w") as file:
                    file.write("0")
            for dev in ("all", {"left": "veth0", "right": "veth1"}[side]):
                with open(f"/proc/sys/net/ipv6/conf/{dev}/seg6_enabled", "w") as file:
                    file.write("1")
            with open("/proc/sys/net/ipv6/conf/all/forwarding", "w") as file:
                file.write("1")
    ip("addr", "add", "fd99::1/64", "dev", "veth0", "nodad", netns=net.left)
    ip("addr", "add", "fd99::2/64", "dev", "veth1", "nodad", netns=net.right)
    with counts() as seen, counter(seen, "lwt_seg6local", BPF_OK) as program:
        with net.inside("right"):
            try:
                held = attach.route(program, "fd55::1/128", "veth1")
            except KernelError as error:
                if "no BPF for routes" not in str(error):
                    raise
                pytest.skip("this kernel has no segment routing with BPF")
        with held, net.inside("left"):
            ip("-6", "route", "add", "fd55::/64", "via", "fd99::2", netns=net.left)
            ip("-6", "route", "add", "fd77::/64", "encap", "seg6", "mode", "encap", "segs",
               "fd55::1,fd99::2", "dev", "veth0", netns=net.left)  # fmt: skip
            with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sender:
                sender.sendto(b"x", ("fd77::1", 9))
                assert wait_for(lambda: count(seen) >= 1)


def test_routes_that_cannot_be_are_refused(net):
    with load("r0 = 0; exit", "lwt_out") as program, net.inside("left"):
        for arguments, options, text in (
            (("10.0.0.0/8",), {}, "leads to an interface"),
            (("nonsense",), {"dev": "veth0"}, "cannot route to 'nonsense'"),
            (("10.0.0.0/8",), {"dev": "veth0", "headroom": 20}, "for lwt_xmit programs"),
            (("10.0.0.0/8",), {"dev": "nosuch"}, "no network interface 'nosuch'"),
        ):
            with pytest.raises(KernelError, match=text):
                attach.route(program, *arguments, **options)
        with load("r0 = 2; exit", "xdp") as other, pytest.raises(KernelError, match="is a xdp"):
            attach.route(other, "10.0.0.0/8", "veth0")


# -- replaced under traffic ------------------------------------------------------------------------

REPLACEMENTS = {"xdp link": 1000, "xdp netlink": 100, "tcx": 1000, "tc": 1000}
"""XDP waits 15 ms each time, until nobody runs the old program any more."""


@pytest.mark.parametrize("way", REPLACEMENTS)
def test_a_program_replaced_a_thousand_times_under_traffic_loses_no_packet(net, way):
    """Every packet is seen by one of the two programs that take turns, and arrives."""
    if way == "tcx" and older_than("6.6"):
        pytest.skip("came with Linux 6.6")
    kind, result = ("xdp", XDP_PASS) if way.startswith("xdp") else ("sched_cls", TC_OK)
    with (
        counts(2) as seen,
        counter(seen, kind, result, index=0) as even,
        counter(seen, kind, result, index=1) as odd,
        net.inside("right"),
    ):
        make = {
            "xdp link": lambda: attach.xdp(even, "veth1"),
            "xdp netlink": lambda: attach.xdp(even, "veth1", by="netlink"),
            "tcx": lambda: attach.tcx(even, "veth1"),
            "tc": lambda: attach.tc(even, "veth1"),
        }[way]
        with make() as link, net.socket("left") as sender:
            before = received(net)
            with traffic(sender, net.frame(bytes(50))) as sent:
                assert wait_for(lambda: sent[0] > 10)
                turn = itertools.cycle((odd, even))
                for _ in range(REPLACEMENTS[way]):
                    last = sent[0]
                    link.update(next(turn))
                    while sent[0] == last:
                        time.sleep(0)
            ran = count(seen, 0), count(seen, 1)
            assert min(ran) >= REPLACEMENTS[way] / 10
            assert sum(ran) == sent[0]
            assert received(net) - before == sent[0]


@contextlib.contextmanager
def traffic(sender, frame):
    """A process that sends frames until the end of the block; sent[0] is how many."""
    memory = mmap.mmap(-1, 4096)
    sent = memoryview(memory).cast("Q")  # how many, whether to stop
    child = os.fork()
    if not child:
        try:
            while not sent[1]:
                sender.send(frame)
                sent[0] += 1
        finally:
            os._exit(0)
    try:
        yield sent
    finally:
        sent[1] = 1
        os.waitpid(child, 0)


def received(net):
    (found,) = json.loads(ip("-j", "-s", "link", "show", "dev", "veth1", netns=net.right))
    return found["stats64"]["rx"]["packets"]
