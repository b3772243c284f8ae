"""Whole objects attached by what their sections say; struct_ops replaced while they are in use."""

import os
import socket
import time
from pathlib import Path

import pytest

from ebee import clang, linux
from ebee.errors import ObjectError
from ebee.linux.errors import older_than

pytestmark = pytest.mark.kernel
COVERS = ("hook:struct_ops", "hook:iter", "hook:tp_btf")

STRUCTS = Path(__file__).parents[2] / "fixtures" / "structs"
SOURCE = r"""
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
const volatile int pid;
long calls[4];
static int count(int i)
{
    if (bpf_get_current_pid_tgid() >> 32 == pid)
        __sync_fetch_and_add(&calls[i], 1);
    return 0;
}
SEC("raw_tp/sys_enter") int raw(void *ctx) { return count(0); }
SEC("tp_btf/sys_enter") int typed(void *ctx) { return count(1); }
SEC("uprobe/libc:getpgid") int user(void *ctx) { return count(2); }
SEC("xdp") int packets(void *ctx) { return 2; }
SEC("uprobe") int nowhere(void *ctx) { return count(3); }
char LICENSE[] SEC("license") = "GPL";
"""


@pytest.fixture(scope="module")
def spec(tmp_path_factory):
    path = tmp_path_factory.mktemp("objects") / "several.c"
    path.write_text(SOURCE)
    made = clang.build(path)
    made.variables["pid"] = os.getpid()
    return made


def test_an_object_attaches_what_its_sections_place(spec):
    with linux.load(spec) as obj:
        links = obj.attach()
        assert set(links) == {"raw", "typed", "user"}
        os.getpgid(0)
        calls = obj.variables["calls"].value
        assert calls[0] >= 1
        assert calls[1] >= 1
        assert calls[2:] == [1, 0]
    assert all(link.closed for link in links.values())


def test_one_that_fails_detaches_the_others(spec):
    broken = spec.copy()
    broken.programs["user"].attach_to = "libc:no_such_function"
    with linux.load(broken) as obj:
        with pytest.raises(Exception, match="no function 'no_such_function'"):
            obj.attach()
        os.getpgid(0)
        before = obj.variables["calls"].value
        os.getpgid(0)
        assert obj.variables["calls"].value == before


def test_options_that_a_hook_does_not_have_are_named(spec):
    with linux.load(spec) as obj:
        for name, options, text in (
            ("raw", {"dev": "lo"}, "no option 'dev'; it takes name, cookie"),
            ("typed", {"name": "x"}, "no option 'name'; it takes cookie"),
            ("nowhere", {}, "needs path="),
            ("user", {"maps": {}}, "no option 'maps'"),
        ):
            with pytest.raises(ObjectError, match=text):
                obj.programs[name].attach(**options)
        with pytest.raises(ObjectError, match="takes no target"):
            obj.programs["typed"].attach("sched_switch")


def talk(name: str) -> None:
    """A connection that uses a congestion control."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, name.encode())
        client.connect(server.getsockname())
        with server.accept()[0] as other:
            client.sendall(bytes(5000))
            received = 0
            while received < 5000:
                received += len(other.recv(5000))
            client.sendall(b"x")
            other.recv(1)


def test_struct_ops_are_replaced_without_a_gap_and_pinned(bpffs):
    if older_than("6.4"):
        pytest.skip("requires Linux >= 6.4")
    available = Path("/proc/sys/net/ipv4/tcp_available_congestion_control")
    made = clang.build(STRUCTS / "congestion.c")
    with linux.load(made) as first, linux.load(made) as second:
        link = first.maps["linked"].attach()
        assert link.info().type == "struct_ops"
        assert link.info().map_id == first.maps["linked"].raw.id
        talk("ebee_linked")
        assert first.variables["calls"].value > 0
        assert second.variables["calls"].value == 0
        link.update(second.maps["linked"], replace=first.maps["linked"])
        talk("ebee_linked")
        assert second.variables["calls"].value > 0
        link.pin(bpffs / "congestion")
        link.close()
        assert "ebee_linked" in available.read_text()
        os.unlink(bpffs / "congestion")  # which takes effect a little later
        deadline = time.monotonic() + 10
        while "ebee_linked" in available.read_text():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        again = first.maps["linked"].attach()
        again.detach()
        assert "ebee_linked" not in available.read_text()
        again.close()
