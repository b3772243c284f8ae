"""The examples with storage of the kernel's objects, sockets by key, sessions, and at hooks that
few kernels have: attached to what is the test's own, where the kernel has them."""

import ctypes
import os
import socket
import struct
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from ebee import linux
from ebee.errors import KernelError
from ebee.lang.bpf import build
from ebee.linux.errors import older_than
from ebee.linux.xsk import Umem, XdpSocket

pytestmark = pytest.mark.kernel

HEAD = bytes(12) + b"\x08\0"
EXAMPLES = Path(__file__).parents[2] / "examples"


def ip4(protocol, payload):
    head = struct.pack("!BBHHHBBHII", 0x45, 0, 20 + len(payload), 1, 0, 64, protocol, 0, 1, 2)
    return head + payload


def udp(port, data=b"data"):
    return struct.pack("!HHHH", 1000, port, 8 + len(data), 0) + data


def open_folder(stack, path):
    made = os.open(path, os.O_RDONLY)
    stack.callback(os.close, made)
    return made


def send(times=1, size=100):
    with socket.socket(type=socket.SOCK_DGRAM) as s:
        for _ in range(times):
            s.sendto(bytes(size), ("127.0.0.1", 9))


def test_group_meter(cgroup, load, in_cgroup):
    with load("group_meter") as made, made.programs["group_meter"].attach(str(cgroup)):
        assert in_cgroup(cgroup, lambda: send(3)) == 0
        (sent,) = made.maps["total"].values()
        (by_cpu,) = made.maps["by_cpu"].values()
        assert (sent["packets"], sent["bytes"], sum(by_cpu)) == (3, 384, 3)


def test_group_marker(cgroup, load, in_cgroup, net):
    with ExitStack() as stack:
        made = stack.enter_context(load("group_marker"))
        made.maps["groups"][0] = open_folder(stack, cgroup)
        stack.enter_context(net.inside("left"))
        stack.enter_context(made.programs["group_marker"].attach("veth0", direction="egress"))

        def knock():
            with socket.socket(type=socket.SOCK_DGRAM) as s:
                s.sendto(b"x", ("10.99.0.2", 9))

        knock()
        assert made.variables["marked"].value == 0
        assert in_cgroup(cgroup, knock) == 0
        assert made.variables["marked"].value == 1


def test_socket_switch(cgroup, load, in_cgroup):
    def talk():
        with ExitStack() as stack:
            server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            client = stack.enter_context(socket.create_connection(server.getsockname()))
            there = stack.enter_context(server.accept()[0])
            for s in (client, there):
                s.settimeout(5)
            for one, other in ((client, there), (there, client)):
                one.sendall(b"hello")
                assert other.recv(5) == b"hello"

    with ExitStack() as stack:
        made = stack.enter_context(load("socket_switch"))
        stack.enter_context(made.programs["switch"].attach(made.maps["sockets"]))
        stack.enter_context(made.programs["joins"].attach(str(cgroup)))
        assert in_cgroup(cgroup, talk) == 0
        assert made.variables["switched"].value == 2


@pytest.mark.skipif(older_than("6.2"), reason="storage of control groups needs Linux 6.2")
def test_group_execs(cgroup, load):
    with ExitStack() as stack:
        made = stack.enter_context(load("group_execs"))
        stack.enter_context(made.programs["group_execs"].attach())
        key = open_folder(stack, cgroup)
        for _ in range(2):
            text = f"echo $$ > {cgroup}/cgroup.procs; exec true"
            subprocess.run(["sh", "-c", text], check=True)
        assert made.maps["execs"][key]["count"] == 2


def test_file_opens(needs, load, tmp_path):
    needs("lsm")
    path = tmp_path / "file"
    path.write_text("text")
    with load("file_opens") as made, made.programs["file_opens"].attach(), ExitStack() as stack:
        for _ in range(2):
            number = open_folder(stack, path)
        assert made.maps["opens"][number]["count"] == 2


def test_group_leader_guard(needs, load):
    needs("fmod_ret")
    with load("group_leader_guard", user=os.getuid()) as made, ExitStack() as stack:
        stack.enter_context(made.programs["counts"].attach())
        with made.programs["group_leader_guard"].attach(), pytest.raises(PermissionError):
            os.getpgid(os.getpid())
        os.getpgid(os.getpid())
        assert made.variables["asked"].value >= 1


def test_frame_tap(load, net):
    with ExitStack() as stack:
        made = stack.enter_context(load("frame_tap"))
        with net.inside("right"):
            umem = stack.enter_context(Umem(64))
            tap = stack.enter_context(XdpSocket("veth1", 0, umem))
            stack.enter_context(made.programs["frame_tap"].attach("veth1"))
        made.maps["sockets"][0] = tap
        left = stack.enter_context(net.socket("left"))
        for port in (7001, 7000):
            left.send(net.frame(ip4(17, udp(port)), ethertype=0x800))
        frames = [bytes(f) for f in tap.receive(timeout=1.0)]
    assert [f[36:38] for f in frames] == [struct.pack("!H", 7000)]


def test_pair_guard(load, net):
    done = subprocess.run(
        ["ip", "-n", net.left, "link", "add", "nk0", "type", "netkit"], capture_output=True
    )
    with load("pair_guard", largest=200) as made:
        run = made.programs["pair_guard"].test_run
        arp = bytes(12) + b"\x08\x06" + bytes(40)
        verdicts = [run(f).retval & 0xFFFFFFFF for f in (arp, bytes(60), arp + bytes(200))]
        assert verdicts == [0xFFFFFFFF, 2, 2]
        assert made.variables["dropped"].value == 2
        if done.returncode:
            pytest.skip("this system makes no netkit pairs; ran as test runs")
        with net.inside("left"), made.programs["pair_guard"].attach("nk0"):
            pass


def test_police_action(load):
    with load("police_action", largest=100) as made:
        run = made.programs["police_action"].test_run
        assert [run(bytes(12) + b"\x88\xb5" + bytes(n)).retval for n in (46, 200)] == [0, 2]
        assert made.variables["dropped"].value == 1


def test_remote_control(load):
    """No machine of ours has a receiver: the kernel accepts the program, and has no such device."""
    try:
        made = load("remote_control")
    except KernelError as error:
        pytest.skip(str(error).splitlines()[0])
    with made, pytest.raises((KernelError, OSError)):
        made.programs["remote_control"].attach("/dev/lirc-that-is-not-there")


def test_call_results(needs, load):
    for hook in ("ksyscall", "kprobe.multi"):
        needs(hook)
    with load("call_results") as made, ExitStack() as stack:
        for name in ("ends", "begins", "fails"):
            stack.enter_context(made.programs[name].attach())
        with pytest.raises(FileNotFoundError):
            os.open("/no-such-file", os.O_RDONLY)
        assert made.maps["errors"][2] >= 1
        assert made.variables["slowest"].value > 0


def test_library_calls(needs, load):
    needs("uprobe.multi")
    with load("library_calls") as made, ExitStack() as stack:
        for name in ("called", "returned"):
            stack.enter_context(made.programs[name].attach())
        for _ in range(3):
            ctypes.CDLL(None).getppid()
        calls, returns = (made.maps[name][os.getpid()] for name in ("calls", "returns"))
        assert calls >= 3
        assert returns >= 3


@pytest.mark.parametrize(
    ("name", "hook"),
    [("malloc", "uprobe.session"), ("sleeping", "kprobe.session"), ("sleeping_typed", "fsession")],
)
def test_sessions(needs, name, hook):
    needs(hook)
    spec = build.compile(EXAMPLES / "sessions.py")
    spec.programs = {name: spec.programs[name]}
    with linux.load(spec) as made, made.programs[name].attach():
        libc = ctypes.CDLL(None)
        libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
        libc.free.argtypes = [ctypes.c_void_p]
        libc.free(libc.malloc(1 << 21))
        time.sleep(0.01)
        counter = "large" if name == "malloc" else "sleeps"
        assert made.variables[counter].value >= 1


def test_sctp_watch(load):
    def packet(*chunks):
        body = b"".join(struct.pack("!BBH", kind, 0, 4) for kind in chunks)
        return HEAD + ip4(132, struct.pack("!HHII", 5000, 2905, 0, 0) + body)

    loaded = load("sctp_watch")
    frames = [
        packet(1),
        packet(3, 6),
        packet(3),
        packet(),
        packet(1)[:-1],
        bytes(12) + b"\x08\0" + ip4(17, b"12345678"),
    ]
    want = [2, 2, 2, 1, 1, 2]
    run = loaded.programs["sctp_watch"].test_run
    with loaded, loaded.events("associations", timeout=0) as events:
        assert [run(f).retval for f in frames] == want
        seen = [(e.source_port, e.port, e.kind, e.chunks) for e in events]
    assert seen == [(5000, 2905, 1, 1), (5000, 2905, 6, 2)]
