"""Programs of sockets and of maps of sockets."""

import contextlib
import socket
import struct

import pytest

from ebee.errors import KernelError
from ebee.linux import LinuxMap, attach, query
from ebee.linux.errors import older_than
from ebee.linux.links import Link

from .small import PATIENCE, count, counter, counts, load, silent, wait_for

pytestmark = pytest.mark.kernel


def since(version):
    return pytest.mark.skipif(older_than(version), reason=f"came with Linux {version}")


@contextlib.contextmanager
def pair(kind=socket.SOCK_DGRAM):
    """Two connected UDP or TCP sockets on the loopback of a test's own namespace."""
    if kind == socket.SOCK_DGRAM:
        with socket.socket(type=kind) as one, socket.socket(type=kind) as two:
            one.bind(("127.0.0.1", 0))
            two.bind(("127.0.0.1", 0))
            one.connect(two.getsockname())
            two.connect(one.getsockname())
            one.settimeout(PATIENCE)
            two.settimeout(PATIENCE)
            yield one, two
    else:
        with (
            socket.create_server(("127.0.0.1", 0)) as server,
            socket.create_connection(server.getsockname(), PATIENCE) as one,
        ):
            two, _ = server.accept()
            one.settimeout(PATIENCE)
            two.settimeout(PATIENCE)
            with two:
                yield one, two


# -- filters ---------------------------------------------------------------------------------------


def test_a_socket_filter_cuts_drops_and_is_taken_out(net):
    with (
        load("r0 = 11; exit", "socket_filter") as cuts,  # 8 bytes of UDP header, 3 of payload
        load("r0 = 0; exit", "socket_filter") as drops,
        net.inside("left"),
        pair() as (one, two),
    ):
        with attach.socket(cuts, two) as held:
            one.send(b"abcdef")
            assert two.recv(100) == b"abc"
            held.update(drops)
            one.send(b"gone")
            assert silent(two)
            assert held.info().prog_id == drops.id
        one.send(b"whole")
        assert two.recv(100) == b"whole"
        held = attach.socket(drops, two)
        two.close()
        held.close()


def test_filters_go_to_sockets_and_are_of_their_type(net):
    with (
        load("r0 = 2; exit", "xdp") as other,
        load("r0 = 0; exit", "socket_filter") as program,
        net.inside("left"),
        pair() as (one, _),
    ):
        with pytest.raises(KernelError, match="a xdp program does not go to a socket_filter"):
            attach.socket(other, one)
        with pytest.raises(KernelError, match="is attached to a socket object, not to 5"):
            attach.socket(program, 5)
        so_lock_filter = 44
        one.setsockopt(socket.SOL_SOCKET, so_lock_filter, 1)
        with pytest.raises(KernelError, match="filter is locked"):
            attach.socket(program, one)


# -- reuseport -------------------------------------------------------------------------------------


@contextlib.contextmanager
def group(members=3):
    """UDP sockets that share a port, and one that sends to it."""
    made, port = [], 0
    try:
        for _ in range(members):
            one = socket.socket(type=socket.SOCK_DGRAM)
            made.append(one)
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            one.bind(("127.0.0.1", port))
            one.setblocking(False)
            port = one.getsockname()[1]
        with socket.socket(type=socket.SOCK_DGRAM) as sender:
            sender.connect(("127.0.0.1", port))
            yield made, sender
    finally:
        for one in made:
            one.close()


def received(sockets, total=20):
    """How many datagrams each socket has got, when all of them have come."""
    found = [0] * len(sockets)

    def all_have_come():
        for number, one in enumerate(sockets):
            with contextlib.suppress(BlockingIOError):
                while one.recv(100):
                    found[number] += 1
        return sum(found) >= total

    wait_for(all_have_come)
    return found


def test_a_filter_chooses_the_socket_of_a_reuseport_group_by_its_index(net):
    with (
        load("r0 = 2; exit", "socket_filter") as program,
        net.inside("left"),
        group() as (sockets, sender),
    ):
        with attach.reuseport(program, sockets[0]) as held:
            for _ in range(20):
                sender.send(b"x")
            assert received(sockets) == [0, 0, 20]
            if not older_than("5.3"):
                held.detach()
        with socket.socket(type=socket.SOCK_STREAM) as alone:
            alone.bind(("127.0.0.1", 0))
            with pytest.raises(KernelError, match="in no SO_REUSEPORT group"):
                attach.reuseport(program, alone)


SELECT = """
    r6 = r1
    *(u32 *)(r10 -4) = {index}
    r2 = map[socks]
    r3 = r10
    r3 += -4
    r4 = 0
    call 82
    r0 = 1
    exit
"""


@since("4.19")
def test_a_program_chooses_the_socket_of_a_reuseport_group_from_a_map(net):
    with (
        LinuxMap.create("reuseport_sockarray", 4, 8, 3, name="socks") as socks,
        load(SELECT.format(index=1), "sk_reuseport", "sk_reuseport_select", {"socks": socks}) as a,
        load(SELECT.format(index=0), "sk_reuseport", "sk_reuseport_select", {"socks": socks}) as b,
        net.inside("left"),
        group() as (sockets, sender),
    ):
        for index, one in enumerate(sockets):
            socks.update(struct.pack("=I", index), struct.pack("=Q", one.fileno()))
        with attach.reuseport(a, sockets[0]) as held:
            for _ in range(10):
                sender.send(b"x")
            assert received(sockets, 10) == [0, 10, 0]
            held.update(b)
            for _ in range(10):
                sender.send(b"x")
            assert received(sockets, 10) == [10, 0, 0]


# -- maps of sockets -------------------------------------------------------------------------------


@pytest.fixture(params=["sockmap", "sockhash"])
def socks(request):
    with LinuxMap.create(request.param, 4, 8, 4, name="socks") as made:
        yield made


def put(socks, index, one):
    socks.update(struct.pack("=I", index), struct.pack("=Q", one.fileno()))


WAYS = [
    pytest.param("attach", id="attach"),
    pytest.param("link", id="link", marks=since("6.10")),
]


@pytest.mark.parametrize("by", WAYS)
def test_a_message_program_drops_what_a_socket_sends(net, socks, by):
    with (
        counts() as seen,
        counter(seen, "sk_msg", 0, "sk_msg_verdict") as drops,
        counter(seen, "sk_msg", 1, "sk_msg_verdict") as passes,
        net.inside("left"),
        pair(socket.SOCK_STREAM) as (one, two),
    ):
        with attach.sockmap(passes, socks, by=by) as link:
            put(socks, 0, one)
            one.send(b"passed")
            assert two.recv(100) == b"passed"
            assert count(seen) == 1
            link.update(drops)
            socks.delete(bytes(4))  # a socket keeps the programs that it was put in with
            put(socks, 0, one)
            with contextlib.suppress(OSError):
                one.send(b"dropped")
            assert silent(two)
            assert count(seen) == 2
            if by == "link":
                assert link.info().map_id == socks.id
            found = query.query(socks.fd, "sk_msg_verdict") if not older_than("5.12") else None
            assert found is None or [p.prog_id for p in found.programs] == [drops.id]
            socks.delete(bytes(4))
        one.send(b"free")
        assert two.recv(100) == b"free"


REDIRECT = """
    r2 = map[socks]
    r3 = 1
    r4 = 0
    call 52
    exit
"""


@pytest.mark.parametrize("by", WAYS)
def test_a_verdict_redirects_what_a_socket_receives(net, by):
    with (
        LinuxMap.create("sockmap", 4, 8, 4, name="socks") as socks,
        load("r0 = *(u32 *)(r1 +0); exit", "sk_skb", "sk_skb_stream_parser") as parses,
        load(REDIRECT, "sk_skb", "sk_skb_stream_verdict", {"socks": socks}) as redirects,
        net.inside("left"),
        pair(socket.SOCK_STREAM) as (one, two),
        pair(socket.SOCK_STREAM) as (three, four),
        attach.sockmap(parses, socks, by=by) as parser,
        attach.sockmap(redirects, socks, by=by),
    ):
        put(socks, 0, two)
        put(socks, 1, three)
        one.send(b"hello")  # to two, whose data goes out of three, to four
        assert four.recv(100) == b"hello"
        assert parser.target == "map socks (sk_skb_stream_parser)"


@since("5.13")
@pytest.mark.parametrize("by", WAYS)
def test_a_verdict_alone_drops(net, socks, by):
    with (
        counts() as seen,
        counter(seen, "sk_skb", 0, "sk_skb_verdict") as drops,
        net.inside("left"),
        pair() as (one, two),
        attach.sockmap(drops, socks, by=by),
    ):
        put(socks, 0, two)
        one.send(b"dropped")
        assert silent(two)
        assert wait_for(lambda: count(seen) >= 1)


@since("6.10")
def test_a_sockmap_link_is_pinned_and_holds_its_place(net, socks, bpffs):
    with load("r0 = 1; exit", "sk_msg", "sk_msg_verdict") as program:
        with attach.sockmap(program, socks) as link:
            link.pin(bpffs / "link")
            with pytest.raises(KernelError, match="a link holds this place"):
                attach.sockmap(program, socks, by="link")
        with Link.get(bpffs / "link") as again:
            assert again.info().prog_id == program.id
            again.detach()


def test_maps_and_programs_that_do_not_go_together_are_refused(socks):
    with (
        LinuxMap.create("hash", 4, 4, 1, name="h") as other,
        load("r0 = 1; exit", "sk_skb") as vague,
        load("r0 = 1; exit", "sk_msg", "sk_msg_verdict") as program,
        load("r0 = 2; exit", "xdp", "xdp") as foreign,
    ):
        for arguments, options, text in (
            ((program, other), {}, "goes to a sockmap or sockhash"),
            ((program, socks), {"by": "magic"}, "no way to attach to a map"),
            ((vague, socks), {}, "is no sk_ attach type"),
            ((foreign, socks), {}, "is no sk_ attach type"),
            ((program, socks, "sk_skb_verdict"), {}, "cannot attach program"),
        ):
            with pytest.raises(KernelError, match=text):
                attach.sockmap(*arguments, **options)
        with attach.sockmap(vague, socks, "sk_skb_stream_parser", by="attach"):
            pass
