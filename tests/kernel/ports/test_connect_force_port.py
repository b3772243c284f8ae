"""Follows the selftest connect_force_port: a control group's connections leave from a port that a
program chose, and go to another server than the one that they believe to talk to."""

import errno
import socket

import pytest

from ebee import (  # isort: skip
    Access, SkStorage, SockAddrContext, bpf, be16, be32, cgroup_sock_addr, struct, u16, u32,
)  # fmt: skip

pytestmark = pytest.mark.kernel
SINCE = "5.8"
FOLLOWS = {
    "prog_tests/connect_force_port.c": 138,
    "progs/connect_force_port4.c": 68,
}

AF_INET = 2
HERE, SERVICE = 0x7F000001, 0x01020304
LOCAL_PORT, SERVICE_PORT, BACKEND = 22222, 60000, 60123


@struct
class Address:
    family: u16
    port: be16
    ip: be32
    zero: be32
    more: be32


@struct
class Asked:
    ip: u32
    port: u32


asked = SkStorage[Asked]()


@cgroup_sock_addr("connect4")
def connect(ctx: SockAddrContext) -> Access:
    own = Address(family=AF_INET, port=LOCAL_PORT, ip=HERE)
    if bpf.bind(ctx, own, 16) != 0:
        return Access.DENY
    if ctx.user_port == SERVICE_PORT:
        place = asked.get(ctx.sk)
        if place is None:
            return Access.DENY
        place.ip, place.port = ctx.user_ip4, ctx.user_port
        ctx.user_ip4 = HERE
        ctx.user_port = BACKEND
    return Access.ALLOW


@cgroup_sock_addr("getsockname4")
def getsockname(ctx: SockAddrContext) -> Access:
    if ctx.user_port == BACKEND:
        ctx.user_ip4 = SERVICE
        ctx.user_port = SERVICE_PORT
    return Access.ALLOW


@cgroup_sock_addr("getpeername4")
def getpeername(ctx: SockAddrContext) -> Access:
    if ctx.user_port == BACKEND:
        place = asked.get(ctx.sk, create=False)
        if place is not None:
            ctx.user_ip4 = place.ip
            ctx.user_port = u16(place.port)
    return Access.ALLOW


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM], ids=["tcp", "udp"])
def test_both_ends_are_what_the_programs_say(port, cgroup, in_cgroup, loopback, kind):
    loaded = port()
    for program in loaded.programs.values():
        program.attach(str(cgroup))

    def talk():
        with socket.socket(type=kind) as server, socket.socket(type=kind) as client:
            server.bind(("127.0.0.1", BACKEND))
            if kind == socket.SOCK_STREAM:
                server.listen()
            client.settimeout(5)
            client.connect(("1.2.3.4", SERVICE_PORT))
            ends = client.getsockname(), client.getpeername(), server.getsockname()
        service = "1.2.3.4", SERVICE_PORT
        if ends != (("127.0.0.1", LOCAL_PORT), service, service):
            raise OSError(errno.ERANGE, str(ends))

    assert in_cgroup(cgroup, talk) == 0
