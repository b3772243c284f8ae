"""The examples at security hooks, functions, and on the way of packets through the stack: attached
to what is the test's own, and seen to decide."""

import errno
import os
import socket
import struct
import threading
from contextlib import ExitStack

import pytest

from ebee import linux
from ebee.cli.events import EventReader
from ebee.errors import KernelError
from ebee.lang.bpf import build
from ebee.lang.source import define
from ebee.linux.errors import older_than

pytestmark = pytest.mark.kernel


def datagram(to, size=0, times=1):
    with socket.socket(type=socket.SOCK_DGRAM) as s:
        for _ in range(times):
            s.sendto(bytes(size), to)


def test_file_guard(needs, tmp_path, load):
    needs("lsm")
    path = tmp_path / "file"
    path.write_text("before")
    with load("file_guard", directory=tmp_path.stat().st_ino) as made:
        with made.programs["file_guard"].attach():
            assert path.read_text() == "before"
            with pytest.raises(PermissionError):
                os.open(path, os.O_WRONLY)
            assert made.variables["denied"].value == 1
        path.write_text("after")


def test_address_guard(needs, cgroup, load, in_cgroup):
    def bind(host):
        with socket.socket() as s:
            s.bind((host, 0))

    needs("lsm_cgroup")
    with load("address_guard") as made, made.programs["address_guard"].attach(str(cgroup)):
        assert in_cgroup(cgroup, lambda: bind("127.0.0.1")) == 0
        assert in_cgroup(cgroup, lambda: bind("0.0.0.0")) == errno.EPERM


FILTER = """
from ebee import *

@func(separate=True)
def verdict(length: u32) -> u32:
    return 2 if length >= 14 else 1

@xdp
def program(ctx: XdpContext) -> XDP:
    return verdict(ctx.packet().remaining())
"""


def test_verdict_plugin(needs, load):
    needs("freplace")
    with linux.load(build.compile(define(FILTER)["program"])) as judged:
        program = judged.programs["program"]
        assert program.test_run(bytes(1200)).retval == 2
        with (
            load("verdict_plugin", {"verdict_plugin": program}) as made,
            made.programs["verdict_plugin"].attach(),
        ):
            assert [program.test_run(bytes(n)).retval for n in (1000, 1200)] == [2, 1]


def test_packet_hook(net, load):
    if older_than("6.4"):
        pytest.skip("netfilter requires Linux >= 6.4")
    with load("packet_hook", largest=1000) as made, net.inside("right"):
        hook = made.programs["packet_hook"]
        try:
            link = hook.attach(family="ipv4", hook="local_in", priority=10)
        except KernelError as error:
            pytest.skip(str(error))
        with link, socket.socket(type=socket.SOCK_DGRAM) as s:
            s.bind(("127.0.0.1", 0))
            s.settimeout(0.3)
            datagram(s.getsockname(), 1400)
            datagram(s.getsockname(), 1)
            assert s.recv(2000) == bytes(1)
            with pytest.raises(TimeoutError):
                s.recv(2000)
        assert made.maps["counts"][1] == 2


def test_slow_reads(needs, load):
    needs("kprobe")
    with load("slow_reads") as made, ExitStack() as stack:
        for name in ("ends", "begins"):
            stack.enter_context(made.programs[name].attach())
        reading, writing = os.pipe()
        timer = threading.Timer(0.05, os.write, (writing, b"x"))
        timer.start()
        assert os.read(reading, 10) == b"x"
        timer.join()
        os.close(reading)
        os.close(writing)
        events, _ = EventReader(made, "reads").read()
    own = [e for e in events if e["pid"] == os.getpid()]
    assert all(e["time"] > 10_000_000 for e in own)
    assert any(e["result"] == 1 and e["time"] > 30_000_000 for e in own)


def test_socket_budget(cgroup, load, in_cgroup):
    def send(times):
        datagram(("127.0.0.1", 9), 1, times)

    with (
        load("socket_budget", budget=3) as made,
        made.programs["socket_budget"].attach(str(cgroup)),
    ):
        assert in_cgroup(cgroup, lambda: [send(3), send(3)]) == 0
        assert in_cgroup(cgroup, lambda: send(4)) == errno.EPERM


def test_delayed_cleaner(soon, load):
    if older_than("6.10"):
        pytest.skip("work queues require Linux >= 6.10")
    ends = bytes([192, 0, 2, 1, 192, 0, 2, 2])
    frame = bytes(12) + b"\x08\0" + struct.pack("!BBHHHBBH", 0x45, 0, 28, 1, 0, 64, 17, 0) + ends
    with load("delayed_cleaner") as made:
        for _ in range(2):
            assert made.programs["delayed_cleaner"].test_run(frame + bytes(8)).retval == 0
        sources = made.maps["sources"]
        assert soon(lambda: [v["cleaned"] for v in sources.values()] == [1])
        assert list(sources) == [0xC0000201]


def test_http_tap(net, load):
    def frame(port):
        head = struct.pack("!BBHHHBBH", 0x45, 0, 240, 1, 0, 64, 6, 0) + bytes(8)
        ports = struct.pack("!HHIIHHHH", 40000, port, 1, 0, 0x5010, 9, 0, 0)
        return net.frame(head + ports + bytes(200), ethertype=0x0800)

    with (
        load("http_tap") as made,
        net.socket("left") as sender,
        net.socket("right") as tap,
        made.programs["http_tap"].attach(tap),
    ):
        for port in (22, 80):
            sender.send(frame(port))
        assert tap.recv(2000) == frame(80)[:96]


def test_mirror(net, soon, load):
    if older_than("6.6"):
        pytest.skip("tcx requires Linux >= 6.6")
    with net.inside("right"), net.socket("left") as sender:
        device = socket.if_nametoindex("veth1")
        with load("mirror", watcher=device) as made, made.programs["mirror"].attach("veth1"):
            sender.send(net.frame(b"copied" + bytes(60)))
            assert soon(lambda: made.variables["mirrored"].value == 1)
            while (frame := sender.recv(2000))[14:20] != b"copied":
                pass
            assert len(frame) == 80


def test_route_meter(net, load):
    with load("route_meter") as made, net.inside("left"):
        try:
            link = made.programs["route_meter"].attach("10.66.0.0/16", dev="veth0", via="10.99.0.2")
        except KernelError as error:
            if "no BPF for routes" not in str(error):
                raise
            pytest.skip(str(error))
        with link:
            datagram(("10.66.0.1", 9), 100)
            assert made.variables["packets"].value == 1
            assert made.variables["sent"].value == 128


def test_vfs_calls(needs, load):
    needs("kprobe.multi")
    with load("vfs_calls") as made, made.programs["vfs_calls"].attach():
        for _ in range(3):
            comm = os.open("/proc/self/comm", os.O_RDONLY)
            os.pread(comm, 1, 0)
            os.close(comm)
        counts = [v for k, v in made.maps["calls"].items() if k["pid"] == os.getpid()]
    assert max(counts) >= 3


def test_fsync_errors(needs, tmp_path, load):
    needs("fexit")
    with load("fsync_errors") as made, made.programs["fsync_errors"].attach():
        with open(tmp_path / "file", "w") as file:
            os.fsync(file.fileno())
        assert made.variables["calls"].value >= 1
        assert made.variables["failed"].value == 0
