"""The examples at sockets and control groups, and those with memory that user space shares: in the
kernel, with processes, connections and memory of their own."""

import errno
import socket
import struct
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from ebee.cli.events import EventReader
from ebee.linux.errors import older_than

pytestmark = pytest.mark.kernel

LOOPBACK = 0x7F000001


def pair(stack):
    """Two ends of a TCP connection over the loopback."""
    server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
    one = stack.enter_context(socket.create_connection(server.getsockname()))
    other = stack.enter_context(server.accept()[0])
    for s in (one, other):
        s.settimeout(5)
    return one, other


def receive(s, size):
    """That many bytes of a stream, however they come."""
    got = b""
    while len(got) < size and (more := s.recv(size - len(got))):
        got += more
    return got


def ip4(source):
    ends = bytes([192, 0, 2, source, 192, 0, 2, 99])
    head = struct.pack("!BBHHHBBH", 0x45, 0, 28, 1, 0, 64, 17, 0)
    return bytes(12) + b"\x08\x00" + head + ends + struct.pack("!HHHH", 1000, 53, 8, 0)


def test_rtt_meter(cgroup, load, in_cgroup):
    def talk():
        with ExitStack() as stack:
            one, other = pair(stack)
            for _ in range(10):
                one.sendall(b"x")
                other.recv(1)
                other.sendall(b"y")
                one.recv(1)

    with load("rtt_meter") as made, made.programs["rtt_meter"].attach(str(cgroup)):
        assert in_cgroup(cgroup, talk) == 0
        found = made.maps["times"][LOOPBACK]
    assert found["samples"] >= 10
    assert found["least"] <= found["last"] < 1_000_000


def test_sysctl_guard(cgroup, load, in_cgroup):
    setting = Path("/proc/sys/kernel/domainname")
    before = setting.read_text()

    def write():
        setting.write_text(before)

    with load("sysctl_guard") as made, made.programs["sysctl_guard"].attach(str(cgroup)):
        assert in_cgroup(cgroup, setting.read_text) == 0
        assert in_cgroup(cgroup, write) == errno.EPERM
        made.maps["writable"][{"text": "kernel/domainname"}] = 1
        assert in_cgroup(cgroup, write) == 0
        attempts, _ = EventReader(made, "attempts").read()
        assert {a["name"]["text"] for a in attempts} == {"kernel/domainname"}


def test_bind_guard(cgroup, load, in_cgroup):
    def bind(port):
        with socket.socket() as s:
            s.bind(("127.0.0.1", port))

    def raw():
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP).close()

    with load("bind_guard", first=9000, last=9999) as made, ExitStack() as stack:
        for name in ("creates", "binds"):
            stack.enter_context(made.programs[name].attach(str(cgroup)))
        assert in_cgroup(cgroup, raw) == errno.EPERM
        assert in_cgroup(cgroup, lambda: bind(8099)) == errno.EPERM
        assert in_cgroup(cgroup, lambda: bind(9321)) in (0, errno.EADDRINUSE)


def test_option_guard(cgroup, load, in_cgroup):
    def enlarge():
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 150_000)
            if s.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) != 2 * 65536:
                raise OSError(errno.ERANGE, "not lowered")

    with load("option_guard") as made, made.programs["option_guard"].attach(str(cgroup)):
        assert in_cgroup(cgroup, enlarge) == 0
        assert made.variables["lowered"].value == 1


def test_socket_proxy(load):
    with ExitStack() as stack, load("socket_proxy") as made:
        client, front = pair(stack)
        back, server = pair(stack)
        made.variables["second"].value = back.getsockname()[1]
        sockets = made.maps["pair"]
        stack.enter_context(made.programs["socket_proxy"].attach(sockets))
        sockets[0], sockets[1] = front.fileno(), back.fileno()
        client.sendall(b"hello")
        assert receive(server, 5) == b"hello"
        server.sendall(b"answer")
        assert receive(client, 6) == b"answer"
        client.sendall(b"!lost")
        time.sleep(0.1)  # two messages that are read at once are one
        client.sendall(b"more")
        assert receive(server, 4) == b"more"
        assert made.variables["bytes_moved"].value == 15


def test_message_filter(load):
    with ExitStack() as stack, load("message_filter") as made:
        client, server = pair(stack)
        stack.enter_context(made.programs["message_filter"].attach(made.maps["watched"]))
        made.maps["watched"][0] = client.fileno()
        client.sendall(b"GET /")
        assert receive(server, 5) == b"GET /"
        with pytest.raises(PermissionError):
            client.sendall(b"DEL /")
        assert made.variables["refused"].value == 1


def test_shard_selector(load):
    with ExitStack() as stack, load("shard_selector") as made:
        group = []
        for i in range(2):
            s = stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            s.bind(group[0].getsockname() if group else ("127.0.0.1", 0))
            s.settimeout(5)
            group.append(s)
            made.maps["shards"][i] = s.fileno()
        stack.enter_context(made.programs["shard_selector"].attach(group[0]))
        sender = stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
        for shard in (1, 0, 1, 1, 0):
            sender.sendto(bytes([shard, 9]), group[0].getsockname())
            assert group[shard].recv(10) == bytes([shard, 9])


def test_command_queue(load):
    if older_than("6.1"):
        pytest.skip("user ring buffers require Linux >= 6.1")
    from ebee.linux.user_ringbuf import UserRingBuffer

    with load("command_queue") as made, UserRingBuffer(made.maps["commands"].raw) as ring:
        for kind, amount in ((1, 100), (2, 20), (3, 0), (2, 1)):
            ring.send(struct.pack("<II", kind, amount))
        run = made.programs["command_queue"].test_run
        assert run(bytes(121)).retval == 1
        assert made.variables["limit"].value == 120
        assert run(bytes(121)).retval == 2
        assert made.variables["limit"].value == 121


def test_arena_list(load):
    if older_than("6.9"):
        pytest.skip("arenas require Linux >= 6.9")
    with load("arena_list") as made:
        for value in (5, 7, 30):
            assert made.programs["put"].test_run(ctx=struct.pack("<Q", value)).retval == 0
        memory = made.maps["heap"].memory()
        address, found = made.variables["head"].value, []
        while address:
            at = address - memory.address
            address, value = struct.unpack("<QQ", memory[at : at + 16])
            found.append(value)
        assert found == [30, 7, 5]


def test_session_table(soon, load):
    with load("session_table", idle=300_000_000) as made:
        run = made.programs["session_table"].test_run
        for source in (1, 1, 2):
            assert run(ip4(source)).retval == 0
        found = {key & 0xFF: value["packets"] for key, value in made.maps["sessions"].items()}
        assert found == {1: 2, 2: 1}
        assert soon(lambda: made.variables["expired"].value == 2)
        assert list(made.maps["sessions"].items()) == []


def test_flow_keys(load):
    with load("flow_keys") as made:
        run = made.programs["flow_keys"].test_run
        plain = ip4(1)
        tagged = plain[:12] + b"\x81\x00\x00\x05" + plain[12:]
        for frame, offset in ((plain, 14), (tagged, 18)):
            done = run(frame)
            assert done.retval == 0
            assert struct.unpack_from("<HHH", done.data) == (offset, offset + 20, 0x0800)
            assert done.data[10:24] == b"\x08\0" + bytes(4) + frame[-16:-8]
        assert run(bytes(12) + b"\x08\x06" + bytes(46)).retval == 129
