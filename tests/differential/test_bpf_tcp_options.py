"""TCP options: what programs read of random ones, on the machine and in the kernel, is what the RFC
says; the same of those that are cut or broken."""

import os
import random
import struct

import pytest

from ebee import linux
from ebee.lang.bpf import build
from ebee.lang.source import define
from ebee.machine.machine import Machine

pytestmark = pytest.mark.differential

PROGRAM = """
from ebee import *

@struct
class Out:
    ok: u32
    left: u32
    options: TcpOptions

out = Array[Out](max_entries=1)

@xdp
def program(ctx: XdpContext) -> XDP:
    packet = ctx.packet()
    tcp = packet.parse(TCP)
    found = out.lookup(0)
    if tcp is None or found is None:
        return XDP.ABORTED
    options = TcpOptions()
    found.ok = u32(read_tcp_options(packet, tcp, options))
    found.options = options
    found.left = packet.remaining()
    return XDP.PASS
"""
PAYLOAD = 60


def expected(options):
    """The outcome by the book: None where it is broken, else what was found."""
    found = dict.fromkeys(("kinds", "mss", "window_scale", "timestamp", "echo"), 0)
    at = 0
    while at < len(options):
        kind = options[at]
        if kind == 0:
            break
        if kind == 1:
            at += 1
            continue
        if at + 1 >= len(options):
            return None
        length = options[at + 1]
        if length < 2 or at + length > len(options):
            return None
        body = options[at + 2 : at + length]
        value = int.from_bytes(body[-8:], "big")
        found["kinds"] |= 1 << kind if kind < 32 else 0
        if kind == 2:
            found["mss"] = value & 0xFFFF
        elif kind == 3:
            found["window_scale"] = value & 0xFF
        elif kind == 8:
            found["timestamp"], found["echo"] = value >> 32, value & 0xFFFFFFFF
        at += length
    return found


def option(r):
    return r.choice([
        lambda: b"\1", lambda: b"\2\4" + r.randbytes(2), lambda: b"\3\3" + r.randbytes(1),
        lambda: b"\4\2", lambda: b"\5\x0a" + r.randbytes(8), lambda: b"\x08\x0a" + r.randbytes(8),
        lambda: bytes([r.randrange(9, 256), 2 + (n := r.randrange(9))]) + r.randbytes(n),
        lambda: r.randbytes(2), lambda: b"\0",
    ])()  # fmt: skip


def frames(count):
    r = random.Random(9293)
    yield b""
    for _ in range(count):
        whole = b"".join(option(r) for _ in range(r.randrange(1, 9)))[:40]
        yield whole.ljust(-(-len(whole) // 4) * 4, b"\0")


def test_options_are_those_of_the_book():
    spec = build.compile(define(PROGRAM)["program"])
    backends = [Machine()]
    loaded = [backends[0].load(spec)]
    if os.geteuid() == 0:
        loaded.append(linux.load(spec))
    try:
        for options in frames(200):
            words = 5 + len(options) // 4
            header = struct.pack(">HHIIHHHH", 1, 2, 3, 4, words << 12, 5, 6, 7)
            frame = header + options + bytes(PAYLOAD)
            want = expected(options)
            for one in loaded:
                assert one.programs["program"].test_run(frame).retval == 2
                got = one.maps["out"][0]
                assert got["ok"] == (want is not None), options.hex()
                if want is not None:
                    assert {n: got["options"][n] for n in want} == want, options.hex()
                    assert got["left"] == PAYLOAD
    finally:
        for one in (*loaded[1:], *backends):
            one.close()


def test_options_that_are_not_there():
    """A header that announces more than the packet has, or less than itself."""
    spec = build.compile(define(PROGRAM)["program"])
    with Machine() as machine:
        made = machine.load(spec)
        for words, more in ((15, b"\1" * 20), (4, b""), (0, b"")):
            header = struct.pack(">HHIIHHHH", 1, 2, 3, 4, words << 12, 5, 6, 7)
            made.programs["program"].test_run(header + more)
            assert made.maps["out"][0]["ok"] == 0
