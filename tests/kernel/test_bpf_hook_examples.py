"""The examples at hooks that only the kernel has: attached, and seen to do what they say."""

import errno
import os
import socket
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from ebee.cli.events import EventReader

pytestmark = pytest.mark.kernel


def test_connect_redirect(cgroup, load, in_cgroup):
    def call(port):
        socket.create_connection(("10.11.12.13", port), 5).close()

    with load("connect_redirect") as made, made.programs["connect_redirect"].attach(str(cgroup)):
        with socket.create_server(("127.0.0.1", 0)) as server:
            made.maps["ports"][80] = server.getsockname()[1]
            assert in_cgroup(cgroup, lambda: call(80)) == 0
        assert in_cgroup(cgroup, lambda: call(81)) == errno.EPERM


def test_device_guard(cgroup, load, in_cgroup):
    def open_(path):
        os.close(os.open(path, os.O_RDONLY))

    with load("device_guard") as made, made.programs["device_guard"].attach(str(cgroup)):
        made.maps["allowed"][{"major": 1, "minor": 5}] = 1
        assert in_cgroup(cgroup, lambda: open_("/dev/zero")) == 0
        for _ in range(2):
            assert in_cgroup(cgroup, lambda: open_("/dev/urandom")) == errno.EPERM
        assert made.maps["denied"][{"major": 1, "minor": 9}] == 2


def test_socket_steering(net, load):
    with ExitStack() as stack, load("socket_steering") as made:
        with net.inside("right"):
            server = stack.enter_context(socket.create_server(("10.99.0.2", 5555)))
            made.maps["servers"][0] = server.fileno()
            steering = made.programs["socket_steering"]
            stack.enter_context(steering.attach(f"/run/netns/{net.right}"))
        with net.inside("left"):
            for port in (7000, 7099):
                socket.create_connection(("10.99.0.2", port), 5).close()
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(("10.99.0.2", 7100), 5)


def test_priority_watch(load):
    with load("priority_watch") as made, made.programs["priority_watch"].attach():
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 1 << 22, 3)
        events, _ = EventReader(made, "changes").read()
    (seen,) = (e for e in events if e["pid"] == os.getpid())
    assert (seen["uid"], seen["who"], seen["priority"]) == (os.getuid(), 1 << 22, 3)
    assert seen["name"] == Path("/proc/self/comm").read_text().strip()


def test_congestion_control(load):
    with load("congestion_control") as made, ExitStack() as stack:
        stack.enter_context(made.maps["Steady"].attach())
        server = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        client = stack.enter_context(socket.socket())
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"ebee_steady")
        client.connect(server.getsockname())
        there = stack.enter_context(server.accept()[0])
        for _ in range(20):
            client.sendall(bytes(1000))
            there.recv(1000)
        assert made.variables["acknowledged"].value > 0
