"""The examples that watch the system: attached, and seen to tell what this process does."""

import ctypes
import os
import shutil
import signal
import socket
import struct
import subprocess
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from ebee import linux
from ebee.cli.events import EventReader
from ebee.lang.bpf import build
from ebee.linux.errors import older_than

pytestmark = pytest.mark.kernel

EXAMPLES = Path(__file__).parents[2] / "examples"


@contextmanager
def attached(name, *programs, **options):
    """An example, loaded and attached to what it names."""
    with linux.load(build.compile(EXAMPLES / f"{name}.py")) as made, ExitStack() as stack:
        for program in programs or (name,):
            stack.enter_context(made.programs[program].attach(**options))
        yield made


def events(made, name):
    found, _ = EventReader(made, name).read()
    return found


def test_runqueue_latency():
    with attached("runqueue_latency", "wakes", "switches") as made:
        for _ in range(20):
            time.sleep(0.001)
        assert sum(made.maps["waits"][i] for i in range(40)) >= 20


def test_open_snooper():
    with attached("open_snooper", "ends", "begins") as made:
        os.close(number := os.open("/etc/hostname", os.O_RDONLY))
        with suppress(FileNotFoundError):
            os.open("/etc/no-such-file", os.O_RDONLY)
        found = [e for e in events(made, "opened") if e["pid"] == os.getpid()]
    seen = [(e["file"], e["result"]) for e in found]
    assert [s for s in seen if s[0].startswith("/etc/")] == [
        ("/etc/hostname", number), ("/etc/no-such-file", -2),
    ]  # fmt: skip


def test_tcp_tracer():
    with attached("tcp_tracer") as made:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
            with socket.create_connection(("127.0.0.1", port)) as client:
                own = client.getsockname()[1]
        found = [e for e in events(made, "changes") if e["destination_port"] == port]
    assert [(e["before"], e["after"]) for e in found][:2] == [(7, 2), (2, 1)]
    assert found[1]["source_port"] == own
    assert found[1]["source"] == found[1]["destination"] == 0x7F000001


def test_block_latency(tmp_path):
    """A loop device of the test's own is read."""
    image = tmp_path / "disk"
    image.write_bytes(bytes(1 << 20))
    done = subprocess.run(["losetup", "-f", "--show", image], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no loop device: {done.stderr.strip()}")
    device = done.stdout.strip()
    try:
        with attached("block_latency", "issued", "completed") as made:
            subprocess.run(
                ["dd", f"if={device}", "of=/dev/null", "bs=4096", "count=16", "iflag=direct"],
                check=True, capture_output=True,
            )  # fmt: skip
            number = os.stat(device).st_rdev
            wanted = os.major(number) << 20 | os.minor(number)
            counts = [v for k, v in made.maps["times"].items() if k["device"] == wanted]
        assert sum(counts) >= 16
    finally:
        subprocess.run(["losetup", "-d", device], check=True)


def test_ps():
    line = struct.Struct("=iiiiQ16s")
    with attached("ps") as made, made.programs["ps"].attach() as link:
        text = link.read()
    found = {fields[0]: fields for fields in line.iter_unpack(text)}
    own = found[os.getpid()]
    assert own[1] == os.getppid()
    assert own[5].rstrip(b"\0").decode() == Path("/proc/self/comm").read_text().strip()
    assert os.getppid() in found


def test_who_signals():
    if older_than("6.2"):
        pytest.skip("bpf_task_from_pid requires Linux >= 6.2")
    sleeper = subprocess.Popen(["sleep", "30"])
    try:
        time.sleep(0.1)  # until it has its name
        with attached("who_signals") as made:
            os.kill(sleeper.pid, 0)
            with suppress(ProcessLookupError):
                os.kill(1 << 22, 0)
            os.kill(sleeper.pid, signal.SIGTERM)
            found = [e for e in events(made, "sent") if e["sender"] == os.getpid()]
    finally:
        sleeper.kill()
        sleeper.wait()
    seen = [(e["target"], e["signal"], e["name"]) for e in found]
    assert seen == [(sleeper.pid, 0, "sleep"), (sleeper.pid, signal.SIGTERM, "sleep")]


def test_syscalls_of_tasks():
    with attached("syscalls_of_tasks", "begins", "ends", "exits") as made:
        child = subprocess.Popen(["/bin/true"])
        child.wait()
        found = [e for e in events(made, "ended") if e["pid"] == child.pid]
    assert [e["name"] for e in found] == ["true"]
    assert found[0]["calls"] > 10
    assert found[0]["time"] > 0


def test_profiler():
    with attached("profiler", event="cpu-clock", period=1_000_000, pid=0) as made:
        end = time.monotonic() + 0.3
        while time.monotonic() < end:
            pass
        found = {k["user"]: v for k, v in made.maps["ticks"].items() if k["pid"] == os.getpid()}
    assert sum(found.values()) > 10


MARKED = r"""
void grow(long address, long size)
{
    __asm__ volatile("990: nop\n.pushsection .note.stapsdt,\"\",\"note\"\n.balign 4\n"
        ".4byte 992f-991f,994f-993f,3\n991: .asciz \"stapsdt\"\n992: .balign 4\n"
        "993: .8byte 990b\n.8byte 0\n.8byte 0\n.asciz \"libc\"\n.asciz \"memory_sbrk_more\"\n"
        ".asciz \"8@%[a] 8@%[b]\"\n994: .balign 4\n.popsection"
        :: [a] "nor"(address), [b] "nor"(size));
}
"""


def test_malloc_sizes(tmp_path):
    """C libraries are often built without markers: here a library that has the same one."""
    if not shutil.which("gcc"):
        pytest.skip("needs gcc")
    (tmp_path / "marked.c").write_text(MARKED)
    library = tmp_path / "libmarked.so"
    command = ["gcc", "-O1", "-fPIC", "-shared", "marked.c", "-o", library]
    subprocess.run(command, cwd=tmp_path, check=True)
    text = (EXAMPLES / "malloc_sizes.py").read_text()
    assert '"libc:libc:' in text
    program = tmp_path / "malloc_sizes.py"
    program.write_text(text.replace('"libc:libc:', f'"{library}:libc:'))
    grow = ctypes.CDLL(str(library)).grow
    grow.argtypes = ctypes.c_long, ctypes.c_long
    with linux.load(build.compile(program)) as made, made.programs["malloc_sizes"].attach():
        for _ in range(3):
            grow(1 << 40, 135168)
        found = made.maps["heaps"][os.getpid()]
    assert (found["times"], found["bytes"]) == (3, 3 * 135168)


def test_lookup_watch():
    with attached("lookup_watch", "answers", "asks") as made:
        socket.getaddrinfo("127.0.0.1", None)
        with suppress(socket.gaierror):
            socket.getaddrinfo("no name", None, flags=socket.AI_NUMERICHOST)
        found = [e for e in events(made, "lookups") if e["pid"] == os.getpid()]
    assert [e["name"] for e in found] == ["127.0.0.1", "no name"]
    assert found[0]["result"] == 0
    assert found[1]["result"] < 0
