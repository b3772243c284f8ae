"""Follows the selftest sk_lookup: programs that choose the socket for a connection or datagram,
alone, with SO_REUSEPORT groups, and one after the other."""

import errno
import socket
import subprocess
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from ebee import (  # isort: skip
    SK, Array, Global, ReuseportContext, SkLookupContext, SockMap, bpf, func, i64, sk_lookup,
    sk_reuseport, u32, u64,
)  # fmt: skip
from ebee.errors import EbeeError

pytestmark = pytest.mark.kernel
SINCE = "5.9"
FOLLOWS = {"prog_tests/sk_lookup.c": 1168, "progs/test_sk_lookup.c": 527}

A, B = 0, 1
PORT, OTHER_PORT, CLIENT_PORT = 7007, 8008, 8009
IP4, OTHER_IP4 = 0x7F000001, 0x7F000002
ADDRESSES = {socket.AF_INET: ("127.0.0.1", "127.0.0.2"), socket.AF_INET6: ("fd00::1", "fd00::2")}
AF_INET, AF_INET6 = 2, 10
NO_REUSEPORT, REPLACE = 2, 1  # BPF_SK_LOOKUP_F_*
STREAM, LISTENS = 1, 10

servers = SockMap(max_entries=32)
ran = Array[u32](max_entries=2)
given: Global[i64] = 0


@func
def assign(ctx: SkLookupContext, which: u32, flags: u64) -> SK:
    """Choose one of the servers; where it is missing, others decide."""
    with servers.lookup(which) as sk:
        if sk is not None and bpf.sk_assign(ctx, sk, flags) != 0:
            return SK.DROP
    return SK.PASS


@sk_lookup
def drop(ctx: SkLookupContext) -> SK:
    return SK.DROP


@sk_lookup
def drop_of_loopback(ctx: SkLookupContext) -> SK:
    return SK.DROP if ctx.ingress_ifindex == 1 else SK.PASS


@sk_reuseport
def group_drop(ctx: ReuseportContext) -> SK:
    return SK.DROP


@sk_reuseport
def group_b(ctx: ReuseportContext) -> SK:
    return SK.PASS if servers.select(ctx, u32(B)) == 0 else SK.DROP


@sk_lookup
def by_port(ctx: SkLookupContext) -> SK:
    return assign(ctx, A, 0) if ctx.local_port == PORT else SK.PASS


@sk_lookup
def by_ip4(ctx: SkLookupContext) -> SK:
    if ctx.family != AF_INET or ctx.local_port != PORT or ctx.local_ip4 != IP4:
        return SK.PASS
    return assign(ctx, A, 0)


@sk_lookup
def by_ip6(ctx: SkLookupContext) -> SK:
    ip = ctx.local_ip6
    if ctx.family != AF_INET6 or ctx.local_port != PORT:
        return SK.PASS
    if ip[0] != 0xFD000000 or ip[1] != 0 or ip[2] != 0 or ip[3] != 1:
        return SK.PASS
    return assign(ctx, A, 0)


@sk_lookup
def a(ctx: SkLookupContext) -> SK:
    return assign(ctx, A, 0)


@sk_lookup
def a_itself(ctx: SkLookupContext) -> SK:
    return assign(ctx, A, NO_REUSEPORT)


# --- the helper -----------------------------------------------------------------------------------


@sk_lookup
def only_once(ctx: SkLookupContext) -> SK:
    if assign(ctx, B, 0) != SK.PASS:
        return SK.DROP
    with servers.lookup(A) as sk:
        if sk is None or bpf.sk_assign(ctx, sk, 0) != -errno.EEXIST:
            return SK.DROP
    return SK.PASS


@sk_lookup
def replaced(ctx: SkLookupContext) -> SK:
    return SK.DROP if assign(ctx, A, 0) != SK.PASS else assign(ctx, B, REPLACE)


@sk_lookup
def taken_back(ctx: SkLookupContext) -> SK:
    if bpf.sk_assign(ctx, None, 0) != 0:
        return SK.DROP
    with servers.lookup(B) as sk:
        if sk is None or bpf.sk_assign(ctx, sk, REPLACE) != 0:
            return SK.DROP
        if bpf.sk_assign(ctx, None, 0) != -errno.EEXIST:
            return SK.DROP
        if bpf.sk_assign(ctx, None, REPLACE) != 0 or ctx.sk is not None:
            return SK.DROP
        if bpf.sk_assign(ctx, sk, REPLACE) != 0:
            return SK.DROP
    return SK.PASS


@sk_lookup
def seen(ctx: SkLookupContext) -> SK:
    """What was chosen is the context's socket."""
    if ctx.sk is not None or assign(ctx, A, 0) != SK.PASS:
        return SK.DROP
    sk = ctx.sk
    if sk is None or sk.family != AF_INET or sk.type != STREAM or sk.state != LISTENS:
        return SK.DROP
    return assign(ctx, B, REPLACE)


@sk_lookup
def whole(ctx: SkLookupContext) -> SK:
    """All that the context tells, in the numbers of the user."""
    if ctx.protocol != 6 or ctx.remote_port != CLIENT_PORT or ctx.local_port != PORT:
        return SK.DROP
    local, remote = ctx.local_ip6, ctx.remote_ip6
    if ctx.family == AF_INET:
        if ctx.local_ip4 != IP4 or ctx.remote_ip4 != OTHER_IP4 or local[0] | remote[3] != 0:
            return SK.DROP
    elif ctx.local_ip4 | ctx.remote_ip4 != 0 or local[3] != 1 or remote[3] != 2:
        return SK.DROP
    return assign(ctx, B, 0)


@sk_lookup
def no_listener(ctx: SkLookupContext) -> SK:
    global given
    with servers.lookup(A) as sk:
        if sk is None:
            return SK.DROP
        given = bpf.sk_assign(ctx, sk, 0)
    return SK.PASS


# --- one after the other --------------------------------------------------------------------------


@sk_lookup
def pass1(ctx: SkLookupContext) -> SK:
    ran[0] = 1
    return SK.PASS


@sk_lookup
def pass2(ctx: SkLookupContext) -> SK:
    ran[1] = 1
    return SK.PASS


@sk_lookup
def drop1(ctx: SkLookupContext) -> SK:
    ran[0] = 1
    return SK.DROP


@sk_lookup
def drop2(ctx: SkLookupContext) -> SK:
    ran[1] = 1
    return SK.DROP


@sk_lookup
def to_a1(ctx: SkLookupContext) -> SK:
    ran[0] = 1
    return assign(ctx, A, 0)


@sk_lookup
def to_a2(ctx: SkLookupContext) -> SK:
    ran[1] = 1
    return assign(ctx, A, 0)


# --- user space -----------------------------------------------------------------------------------

KINDS = pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM], ids=["tcp", "udp"])
FAMILIES = pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6], ids=["4", "6"])


class Space:
    """A network namespace with servers, in which programs choose."""

    def __init__(self, stack, loaded, netns, kind, family):
        self.stack, self.loaded, self.netns = stack, loaded, netns
        self.kind, self.family = kind, family
        self.here, self.there = ADDRESSES[family]

    def attach(self, name):
        return self.stack.enter_context(self.loaded.programs[name].attach(self.netns))

    def server(self, which=None, address=None, port=PORT, group="", before=()):
        """A listening socket, put into the map; `group`: the program of its SO_REUSEPORT group."""
        s = self.stack.enter_context(socket.socket(self.family, self.kind))
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, self.kind == socket.SOCK_STREAM)
        s.settimeout(5)
        if group or before:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        s.bind((address or self.here, port))
        if self.kind == socket.SOCK_STREAM:
            s.listen()
        if which is not None:
            self.loaded.maps["servers"][which] = s.fileno()
        if group:
            self.stack.enter_context(self.loaded.programs[group].attach(s))
        return s

    def knock(self, port=PORT, source=None):
        """Send to the first address, from the second one."""
        client = self.stack.enter_context(socket.socket(self.family, self.kind))
        client.settimeout(5)
        if source:
            client.bind((self.there, source))
        client.connect((self.here, port))
        client.send(b"?")
        return client

    def answers(self, server):
        """Whether it was this server that was meant."""
        if self.kind == socket.SOCK_STREAM:
            server = self.stack.enter_context(server.accept()[0])
        return server.recv(9) == b"?"

    def refuses(self):
        with pytest.raises(ConnectionRefusedError):
            self.knock().recv(9)
        return True


def reachable(address):
    with suppress(OSError), socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s:
        s.connect((address, PORT))
        return True
    return False


@pytest.fixture
def space(port, loopback, soon):
    for address in ADDRESSES[socket.AF_INET6]:
        words = "ip", "addr", "replace", f"{address}/128", "dev", "lo", "nodad"
        subprocess.run(words, check=True)
        assert soon(lambda address=address: reachable(address))
    with ExitStack() as stack:
        yield lambda kind=socket.SOCK_STREAM, family=socket.AF_INET: Space(
            stack, port(), loopback, kind, family
        )


@KINDS
@FAMILIES
@pytest.mark.parametrize("program", ["by_port", "by_ip"])
def test_sockets_that_nobody_asked_for(space, kind, family, program):
    s = space(kind, family)
    s.attach(program if program == "by_port" else f"by_ip{4 if family == socket.AF_INET else 6}")
    server = s.server(A, address=s.there, port=OTHER_PORT)
    s.knock()
    assert s.answers(server)


@KINDS
@FAMILIES
@pytest.mark.parametrize(("program", "answering"), [("a", B), ("a_itself", A)])
def test_groups_choose_after_them_or_do_not(space, kind, family, program, answering):
    s = space(kind, family)
    s.attach(program)
    first = s.server(A, address=s.there, port=OTHER_PORT, group="group_b")
    servers = first, s.server(B, address=s.there, port=OTHER_PORT, before=(first,))
    s.knock()
    assert s.answers(servers[answering])


@KINDS
@FAMILIES
@pytest.mark.parametrize("program", ["drop", "drop_of_loopback"])
def test_dropped(space, kind, family, program):
    s = space(kind, family)
    s.server(A)
    s.attach(program)
    assert s.refuses()


@KINDS
@FAMILIES
def test_dropped_by_the_group(space, kind, family):
    s = space(kind, family)
    s.attach("a")
    first = s.server(A, address=s.there, port=OTHER_PORT, group="group_drop")
    s.server(B, before=(first,))
    assert s.refuses()


@pytest.mark.parametrize("program", ["only_once", "replaced", "taken_back", "seen"])
def test_choosing_again(space, program):
    s = space()
    s.attach(program)
    s.server(A, address=s.there, port=OTHER_PORT)
    server = s.server(B, address=s.there, port=OTHER_PORT + 100)
    s.knock()
    assert s.answers(server)


@FAMILIES
def test_what_the_context_tells(space, family):
    s = space(family=family)
    s.attach("whole")
    server = s.server(B, address=s.there, port=OTHER_PORT)
    s.knock(source=CLIENT_PORT)
    assert s.answers(server)


@KINDS
def test_only_sockets_that_wait_can_be_chosen(space, kind):
    """Not a client's: those lookups go on as if nothing had been."""
    s = space(kind)
    server = s.server()
    client = s.knock()
    assert s.answers(server)
    s.loaded.maps["servers"][A] = client.fileno()
    s.attach("no_listener")
    s.knock()
    assert s.answers(server)
    assert s.loaded.variables["given"].value == -errno.ESOCKTNOSUPPORT


@pytest.mark.parametrize(
    ("first", "second", "answering"),
    [
        ("pass1", "pass2", B), ("drop1", "drop2", None), ("pass1", "drop2", None),
        ("drop1", "pass2", None), ("pass1", "to_a2", A), ("to_a1", "pass2", A),
        ("drop1", "to_a2", A), ("to_a1", "drop2", A), ("to_a1", "to_a2", A),
    ],
)  # fmt: skip
def test_all_programs_run_and_a_choice_wins(space, first, second, answering):
    s = space()
    s.attach(first)
    s.attach(second)
    servers = s.server(A, address=s.there, port=OTHER_PORT), s.server()
    if answering is None:
        assert s.refuses()
    else:
        s.knock()
        assert s.answers(servers[answering])
    assert dict(s.loaded.maps["ran"]) == {0: 1, 1: 1}


def test_links_tell_where_they_are(space):
    s = space()
    links = [s.attach(name) for name in ("pass1", "pass2", "drop")]
    inode = Path(s.netns).stat().st_ino
    assert [link.info().netns_ino for link in links] == [inode] * 3
    assert s.refuses()
    links[2].detach()
    assert links[2].info().netns_ino == 0
    server = s.server()
    s.knock()
    assert s.answers(server)
    with pytest.raises(EbeeError):
        links[2].update(s.loaded.programs["pass1"])
