"""Follows the selftest sockopt_sk: options that programs of a control group answer, change, keep
with the socket, and leave to the kernel."""

import errno
import mmap
import socket

import pytest

from ebee import (  # isort: skip
    Access, SkStorage, SockoptContext, array, cgroup_sockopt, char, struct, u8, u32,
)  # fmt: skip

pytestmark = pytest.mark.kernel
SINCE = "5.8"
FOLLOWS = {"prog_tests/sockopt_sk.c": 203, "progs/sockopt_sk.c": 138}

SOL_IP, SOL_SOCKET, SOL_TCP, SOL_CUSTOM = 0, 1, 6, 0xDEADBEEF - (1 << 32)
IP_TOS, IP_FREEBIND, SO_SNDBUF, TCP_CONGESTION = 1, 15, 7, 13
PAGE = mmap.PAGESIZE


@struct
class Byte:
    value: u8


@struct
class Number:
    value: u32


@struct
class Name:
    text: array[char, 5]


kept = SkStorage[Byte]()


@cgroup_sockopt("get")
def get(ctx: SockoptContext) -> Access:
    level, name = ctx.level, ctx.optname
    match (level, name):
        case (0, 1) | (1, 7) | (6, 13):  # IP_TOS, SO_SNDBUF, TCP_CONGESTION: the kernel's
            if ctx.optlen > PAGE:
                ctx.optlen = 0
            return Access.ALLOW
        case _:
            pass
    value = ctx.packet().take(Byte)
    if value is None:
        return Access.DENY
    if level == SOL_IP and name == IP_FREEBIND:
        ctx.retval = 0
        value.value = 0x55
        ctx.optlen = 1
        return Access.ALLOW
    sk = ctx.sk
    if level != SOL_CUSTOM or sk is None or ctx.retval == 0:
        return Access.DENY
    own = kept.get(sk)
    if own is None:
        return Access.DENY
    ctx.retval = 0
    value.value = own.value
    ctx.optlen = 1
    return Access.ALLOW


@cgroup_sockopt("set")
def set_(ctx: SockoptContext) -> Access:
    packet = ctx.packet()
    match (ctx.level, ctx.optname):
        case (0, 1):  # IP_TOS: what is longer than a page is the kernel's
            ctx.optlen = 0
            return Access.ALLOW
        case (1, 7):  # SO_SNDBUF
            number = packet.take(Number)
            if number is None:
                return Access.DENY
            number.value = 0x55AA
            ctx.optlen = 4
            return Access.ALLOW
        case (6, 13):  # TCP_CONGESTION
            text = packet.take(Name)
            if text is None:
                return Access.DENY
            text.text = "cubic"
            ctx.optlen = 5
            return Access.ALLOW
        case (0, 15):  # IP_FREEBIND: of two pages, one is seen
            flag = packet.take(Byte)
            if flag is None or ctx.optlen != 2 * PAGE or packet.remaining() != PAGE - 1:
                return Access.DENY
            flag.value = 0
            ctx.optlen = 1
            return Access.ALLOW
        case _:
            pass
    value, sk = packet.take(Byte), ctx.sk
    if ctx.level != SOL_CUSTOM or value is None or sk is None:
        return Access.DENY
    own = kept.get(sk)
    if own is None:
        return Access.DENY
    own.value = value.value
    ctx.optlen = -1  # the kernel is not asked
    return Access.ALLOW


def wants(got, wanted):
    if got != wanted:
        raise OSError(errno.ERANGE, f"{got!r} in place of {wanted!r}")


def test_options(port, cgroup, in_cgroup):
    loaded = port()
    for program in loaded.programs.values():
        program.attach(str(cgroup))

    def ask():
        with socket.socket() as s:
            s.setsockopt(SOL_IP, IP_TOS, b"\x08" + bytes(3))
            wants(s.getsockopt(SOL_IP, IP_TOS), 8)
            s.setsockopt(SOL_IP, IP_TOS, b"\x08" + bytes(2 * PAGE - 1))
            wants(s.getsockopt(SOL_IP, IP_TOS, 1), b"\x08")
            s.setsockopt(SOL_IP, IP_FREEBIND, bytes([1] * 2 * PAGE))
            wants(s.getsockopt(SOL_IP, IP_FREEBIND, 1), b"\x55")
            s.setsockopt(SOL_CUSTOM, 0, b"\x01")
            wants(s.getsockopt(SOL_CUSTOM, 0, 1), b"\x01")
            s.setsockopt(SOL_SOCKET, SO_SNDBUF, 0x01010101)
            wants(s.getsockopt(SOL_SOCKET, SO_SNDBUF), 2 * 0x55AA)
            s.setsockopt(SOL_TCP, TCP_CONGESTION, b"nv\0\0\0")
            wants(s.getsockopt(SOL_TCP, TCP_CONGESTION, 5), b"cubic")

    def ask_for_others():
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    assert in_cgroup(cgroup, ask) == 0
    assert in_cgroup(cgroup, ask_for_others) == errno.EPERM
