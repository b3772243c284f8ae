"""Python programs in the kernel: those that the machine has no hooks for, attached; what the
kernel knows of them; and the objects that others load."""

import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ebee import linux
from ebee.errors import VerifierError
from ebee.lang.bpf import build
from ebee.lang.source import define
from ebee.obj import save

pytestmark = pytest.mark.kernel

EXAMPLES = Path(__file__).parents[2] / "examples"
FRAME = bytes(12) + b"\x08\x00" + bytes(50)


def example(name):
    return build.compile(EXAMPLES / f"{name}.py")


SNOOP = """
import os, subprocess, sys
from ebee import linux
from ebee.cli.events import EventReader
from ebee.lang.bpf import build

with linux.load(build.compile(sys.argv[1])) as loaded:
    with loaded.programs["exec_snooper"].attach():
        child = subprocess.Popen(["/bin/true"])
        child.wait()
    events, _ = EventReader(loaded, "events").read()
print([(e["name"], e["uid"]) for e in events if e["pid"] == child.pid])
"""


def test_exec_snooper_sees_what_is_started():
    """In a mount namespace of its own, where tracefs can be mounted."""
    mount = 'mount -t tracefs none /sys/kernel/tracing 2>/dev/null; exec "$@"'
    command = ["unshare", "--mount", "sh", "-c", mount, "sh", sys.executable, "-c", SNOOP]
    command.append(str(EXAMPLES / "exec_snooper.py"))
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stdout.strip() == f"[('true', {os.getuid()})]", done.stderr


def test_syscall_counter_counts_this_process():
    with linux.load(example("syscall_counter")) as loaded:
        with loaded.programs["syscall_counter"].attach():
            for _ in range(100):
                os.getppid()
        calls = {k["number"]: v for k, v in loaded.maps["calls"].items() if k["pid"] == os.getpid()}
    assert max(calls.values()) >= 100


def test_cgroup_traffic(cgroup, net):
    with linux.load(example("cgroup_traffic")) as loaded:
        with (
            loaded.programs["ingress"].attach(str(cgroup)),
            loaded.programs["egress"].attach(str(cgroup)),
        ):
            talk(cgroup)
            time.sleep(0.05)
        found = {k: (v["received"], v["sent"]) for k, v in loaded.maps["traffic"].items()}
    assert found.keys() == {cgroup.stat().st_ino}
    assert found[cgroup.stat().st_ino] == (1028, 1028)


def talk(cgroup):
    """A datagram of 1000 bytes over the loopback, by a process of the group."""
    child = os.fork()
    if not child:
        (cgroup / "cgroup.procs").write_text(str(os.getpid()))
        receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        receiver.bind(("127.0.0.1", 0))
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sender.sendto(bytes(1000), receiver.getsockname())
        receiver.recv(2000)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


def test_tc_marker():
    frame = bytes(12) + b"\x08\x00" + b"\x45\0\0\x28" + bytes(5) + b"\x06" + bytes(10)
    with linux.load(example("tc_marker")) as loaded:
        run = loaded.programs["tc_marker"].test_run
        for port, marked in ((443, 443), (80, 0)):
            data = frame + port.to_bytes(2, "big") + bytes(2) + bytes(16)
            done = run(data, ctx=bytes(192))
            assert done.retval == 0
            assert int.from_bytes(done.ctx[8:12], "little") == marked


SOCKET = """
from ebee import *
seen = Array[u64](max_entries=1)

@socket_filter
def keep(ctx: SkbContext) -> u32:
    count = seen.lookup(0)
    if count is not None:
        count[0] += ctx.len
    return 20
"""


def test_socket_filter():
    with linux.load(build.compile(define(SOCKET)["keep"])) as loaded:
        assert loaded.programs["keep"].test_run(FRAME).retval == 20
        assert loaded.maps["seen"][0] == len(FRAME) - 14  # the socket sees no Ethernet header


def test_lines_and_types_in_the_kernel():
    spec = example("firewall")
    firewall = spec.programs["firewall"]
    text = (EXAMPLES / "firewall.py").read_text().splitlines()
    for line in firewall.lines:
        if line.file.endswith("firewall.py"):
            assert text[line.line - 1].strip() == line.text.strip()
            assert 0 < line.column <= len(text[line.line - 1])
    files = {Path(line.file).name for line in firewall.lines}
    assert files == {"firewall.py", "packets.py"}
    with linux.load(spec) as loaded:
        number = str(loaded.programs["firewall"].id)
        command = ["bpftool", "prog", "dump", "xlated", "id", number, "linum"]
        shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "u32 firewall(" in shown
    assert re.search(
        r"; ethernet = packet.parse\(Ethernet\) \[file:.*firewall\.py line_num:\d+", shown
    )


def test_the_verifier_s_log_names_lines_of_python():
    program = """
from ebee import *

@xdp
def prog(ctx: XdpContext) -> u32:
    p = ctx.data
    return p[0]
"""
    spec = build.compile(define(program)["prog"])
    with pytest.raises(VerifierError) as error:
        linux.load(spec)
    assert "; return p[0] @ " in error.value.log


@pytest.mark.parametrize(
    "name", ["firewall", "counter", "rate_limiter", "port_knocker", "dispatcher", "flow_table",
             "dns_watcher", "tc_marker", "cgroup_traffic", "exec_snooper", "syscall_counter"],
)  # fmt: skip
def test_bpftool_loads_the_objects(name, bpffs, tmp_path):
    path = tmp_path / f"{name}.bpf.o"
    save(example(name), path)
    where = bpffs / name.replace(".", "_")
    command = ["bpftool", "prog", "loadall", str(path), str(where)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert {p.name for p in where.iterdir()} == set(example(name).programs)
