"""Follows the selftests sockmap_basic and sockmap_listen: maps of sockets, programs that look at
what those receive and send, and let it pass, drop it, or give it to another socket."""

import fcntl
import os
import select
import socket
import struct as bytes_
import termios
from contextlib import ExitStack

import pytest

from ebee import (  # isort: skip
    NOEXIST, SK, Array, Global, MsgContext, SkbContext, SockHash, SockMap, func, sk_msg, sk_skb,
    u32,
)  # fmt: skip
from ebee.errors import EbeeError

pytestmark = pytest.mark.kernel
SINCE = "5.15"
FOLLOWS = {
    "prog_tests/sockmap_basic.c: test_sockmap_create_update_free, test_sockmap_skb_verdict_attach,"
    " test_sockmap_skb_verdict_attach_with_link, test_sockmap_progs_query,"
    " test_sockmap_skb_verdict_shutdown, test_sockmap_skb_verdict_fionread,"
    " test_sockmap_skb_verdict_peek_helper, test_sockmap_same_sock": 277,
    "progs/test_sockmap_pass_prog.c": 39,
    "progs/test_sockmap_drop_prog.c": 27,
    "prog_tests/sockmap_listen.c: test_insert_invalid, test_insert_opened, test_insert_bound,"
    " test_insert, test_delete_after_insert, test_lookup_after_insert, test_lookup_after_delete,"
    " test_update_existing, redir_to_connected, test_skb_redir_to_connected,"
    " test_msg_redir_to_connected": 225,
    "progs/test_sockmap_listen.c": 110,
}
INGRESS, SO_COOKIE = 1, 57

sockets = SockMap(max_entries=2, cookies=True)
hashed = SockHash[u32](max_entries=2, cookies=True)
verdicts = Array[u32](max_entries=2)
use_hash: Global[u32] = 0
flags: Global[u32] = 0


@func
def counted(verdict: SK) -> SK:
    place = verdicts.lookup(u32(verdict) & 1)
    if place is not None:
        place[0] += 1
    return verdict


@sk_skb("stream_parser")
def parser(ctx: SkbContext) -> int:
    return ctx.len


@sk_skb("verdict")
def pass_(ctx: SkbContext) -> SK:
    return SK.PASS


@sk_skb("verdict")
def drop(ctx: SkbContext) -> SK:
    return counted(SK.DROP)


@sk_skb("stream_verdict")
def stream_pass(ctx: SkbContext) -> SK:
    return SK.PASS


@sk_skb("verdict")
def move(ctx: SkbContext) -> SK:
    """To the first socket: out of it, or (flags) as if it had come there."""
    if use_hash:
        return counted(hashed.redirect(ctx, u32(0), flags))
    return counted(sockets.redirect(ctx, 0, flags))


@sk_msg
def move_message(ctx: MsgContext) -> SK:
    if use_hash:
        return counted(hashed.redirect(ctx, u32(0), flags))
    return counted(sockets.redirect(ctx, 0, flags))


@pytest.fixture
def stack():
    with ExitStack() as made:
        yield made


def pair(stack):
    """Two ends of a TCP connection."""
    server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    one = stack.enter_context(socket.create_connection(server.getsockname()))
    other = stack.enter_context(server.accept()[0])
    for s in (one, other):
        s.settimeout(5)
    return one, other


def waiting(s):
    """Bytes that can be read (FIONREAD)."""
    return bytes_.unpack("i", fcntl.ioctl(s, termios.FIONREAD, bytes(4)))[0]


EACH = pytest.mark.parametrize("name", ["sockets", "hashed"])


@EACH
def test_sockets_come_and_go(port, stack, loopback, name):
    table = port().maps[name]
    one, _ = pair(stack)
    table[0] = one.fileno()
    cookie = table[0]
    assert cookie == bytes_.unpack("Q", one.getsockopt(socket.SOL_SOCKET, SO_COOKIE, 8))[0]
    table[0] = one.fileno()  # the same in its own place
    assert table[0] == cookie
    with pytest.raises(EbeeError, match="EEXIST"):
        table.raw.update(bytes(4), bytes_.pack("<Q", one.fileno()), NOEXIST)
    del table[0]
    assert 0 not in table
    with pytest.raises(KeyError):
        del table[0]


@EACH
def test_only_sockets_that_are_connected_or_wait(port, stack, loopback, name):
    table = port().maps[name]
    reading, writing = os.pipe()
    stack.callback(os.close, reading)
    stack.callback(os.close, writing)
    unused = stack.enter_context(socket.socket())
    bound = stack.enter_context(socket.socket())
    bound.bind(("127.0.0.1", 0))
    for wrong in (4711, reading, unused.fileno(), bound.fileno()):
        with pytest.raises(EbeeError):
            table[0] = wrong
    bound.listen()
    table[0] = bound.fileno()


def test_one_program_decides(port, stack, loopback):
    """A verdict on the stream and one on packets exclude each other."""
    loaded = port()
    table = loaded.maps["sockets"]
    with loaded.programs["pass_"].attach(table), pytest.raises(EbeeError):
        loaded.programs["stream_pass"].attach(table)
    with loaded.programs["stream_pass"].attach(table), pytest.raises(EbeeError):
        loaded.programs["drop"].attach(table)
    loaded.programs["parser"].attach(table).close()


def test_what_passes_can_be_looked_at_and_read(port, stack, loopback):
    loaded = port()
    one, other = pair(stack)
    stack.enter_context(loaded.programs["pass_"].attach(loaded.maps["sockets"]))
    loaded.maps["sockets"][0] = one.fileno()
    other.sendall(b"0123456789")
    assert one.recv(10, socket.MSG_PEEK) == b"0123456789"
    assert waiting(one) == 10
    assert one.recv(10) == b"0123456789"
    assert waiting(one) == 0


def test_what_is_dropped_is_not_there(port, stack, loopback, soon):
    loaded = port()
    one, other = pair(stack)
    stack.enter_context(loaded.programs["drop"].attach(loaded.maps["sockets"]))
    loaded.maps["sockets"][0] = one.fileno()
    other.sendall(bytes(256))
    assert soon(lambda: loaded.maps["verdicts"][SK.DROP] == 1)
    assert waiting(one) == 0
    one.setblocking(False)
    with pytest.raises(BlockingIOError):
        one.recv(1)


def test_the_end_of_a_connection_is_seen(port, stack, loopback):
    loaded = port()
    one, other = pair(stack)
    stack.enter_context(loaded.programs["pass_"].attach(loaded.maps["sockets"]))
    loaded.maps["sockets"][0] = one.fileno()
    other.shutdown(socket.SHUT_WR)
    poll = select.poll()
    poll.register(one, select.POLLIN)
    assert poll.poll(5000)
    assert one.recv(1, socket.MSG_DONTWAIT) == b""


@EACH
@pytest.mark.parametrize("flags", [0, INGRESS], ids=["out", "in"])
@pytest.mark.parametrize("program", ["move", "move_message"])
def test_to_another_socket(port, stack, loopback, name, flags, program):
    """What arrives at the second socket (or is sent there) goes to the first one."""
    loaded = port()
    near, far = pair(stack)
    mine, yours = pair(stack)
    table = loaded.maps[name]
    loaded.variables["use_hash"].value = name == "hashed"
    loaded.variables["flags"].value = flags
    stack.enter_context(loaded.programs[program].attach(table))
    table[0], table[1] = near.fileno(), mine.fileno()
    (yours if program == "move" else mine).sendall(b"a")
    assert (near if flags else far).recv(9) == b"a"
    assert loaded.maps["verdicts"][SK.PASS] == 1
    assert loaded.maps["verdicts"][SK.DROP] == 0
