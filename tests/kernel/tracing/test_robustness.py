"""Nothing is left behind: descriptors, links of processes that were killed; forks and signals."""

import os
import resource
import signal
import subprocess
import sys
import time
from typing import Literal

import pytest

from ebee.btf import Btf, Func
from ebee.errors import KernelError
from ebee.isa.asm import assemble
from ebee.linux import Link, LinuxMap, LinuxProgram, attach, uapi
from ebee.linux.info import ids

pytestmark = pytest.mark.kernel
CYCLES = 10_000
IN_VM = bool(os.environ.get("EBEE_VM"))
"""An emulated machine is slow, and what is counted is the same on each."""


@pytest.fixture(scope="module")
def walker():
    """How to load a program that walks maps and does nothing."""
    number = Btf.vmlinux().find("bpf_iter_bpf_map", Func).id
    kind = uapi.ATTACH_TYPES["trace_iter"]
    code = assemble("r0 = 0; exit")
    return lambda: LinuxProgram.load(code, "tracing", attach_type=kind, attach_btf_id=number)


def memory() -> int:
    """Resident pages of this process."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1])


def test_ten_thousand_cycles_leave_no_descriptor(walker, open_fds):
    def cycle():
        with walker() as program, attach.iterator(program):
            pass

    for _ in range(100):
        cycle()
    before, size = open_fds(), memory()
    for _ in range(CYCLES // (40 if IN_VM else 1)):
        cycle()
    assert open_fds() == before
    assert (memory() - size) * resource.getpagesize() < 16 << 20


KINDS = {
    "uprobe": (lambda p: attach.uprobe(p, "libc.so.6", function="getpgid", pid=0), "kprobe", ""),
    "uprobe by ioctl": (
        lambda p: attach.uprobe(p, "libc.so.6", function="getpgid", pid=0, mode="ioctl"),
        "kprobe", "",
    ),
    "perf event": (lambda p: attach.perf_event(p, "dummy", period=1, pid=0), "perf_event", ""),
    "perf events of all CPUs": (
        lambda p: attach.perf_event(p, "dummy", period=1), "perf_event", ""
    ),
    "raw tracepoint": (lambda p: attach.raw_tracepoint(p, "task_rename"), "raw_tracepoint", ""),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_link_gives_its_descriptors_back(kind, open_fds):
    function, type, _ = KINDS[kind]
    with LinuxProgram.load(assemble("r0 = 0; exit"), type) as program:
        function(program).close()
        before = open_fds()
        for _ in range(5 if IN_VM else 20):
            function(program).close()
        function(program)  # and so does one that is merely forgotten
        assert open_fds() == before


def test_failures_leave_no_descriptor(witness, open_fds):
    program = witness.program("perf_event")
    attempts = (
        lambda: attach.perf_event(program, cgroup="/tmp"),
        lambda: attach.perf_event(program, cpu=4000),
        lambda: attach.uprobe(program, "libc.so.6", function="no_such"),
        lambda: attach.uprobe(witness.program("raw_tracepoint", cookie=False), "libc:getpgid"),
        lambda: attach.raw_tracepoint(program, "no_such"),
        lambda: attach.iterator(program, cgroup="/tmp"),
    )
    for attempt in attempts:
        with pytest.raises(KernelError):
            attempt()
    before = open_fds()
    for attempt in attempts * (1 if IN_VM else 5):
        with pytest.raises(KernelError):
            attempt()
    witness.stack.pop_all().close()
    assert open_fds() <= before


CHILD = """
import sys
from ebee.linux import LinuxProgram, attach
from ebee.isa.asm import assemble
program = LinuxProgram.load(assemble("r0 = 0; exit"), "kprobe", name="mortal")
kept = attach.uprobe(program, "libc.so.6", function="getpgid", pid=0)
pinned = attach.uprobe(program, "libc.so.6", function="getsid", pid=0)
pinned.pin(sys.argv[1])
print(program.id, kept.info().id, pinned.info().id, flush=True)
sys.stdin.read()
"""


def gone(number: int, kind: Literal["link", "prog"] = "link") -> bool:
    """Whether a link or program has ended; the kernel takes its time."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if number not in ids(kind):
            return True
        time.sleep(0.05)
    return False


def test_a_killed_process_leaves_only_what_it_pinned(bpffs):
    path = bpffs / "pinned"
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    program, kept, pinned = map(int, child.stdout.readline().split())
    assert {kept, pinned} <= set(ids("link"))
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert gone(kept)
    assert pinned in ids("link")
    with Link.get(path) as link:
        assert link.info().prog_id == program
        path.unlink()
    assert gone(pinned)
    assert gone(program, "prog")


def test_a_fork_holds_what_its_parent_closes(witness):
    link = attach.uprobe(witness.program(), "libc:getpgid", pid=0)
    number = link.info().id
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(writing)
        os.read(reading, 1)
        os._exit(0)
    os.close(reading)
    link.close()
    os.getpgid(0)
    assert witness.count == 1
    assert number in ids("link")
    os.close(writing)
    os.waitpid(child, 0)
    assert gone(number)
    os.getpgid(0)
    assert witness.count == 1


def test_signals_interrupt_nothing(walker):
    caught = 0

    def handler(*_):
        nonlocal caught
        caught += 1

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    try:
        while caught <= 50:
            with walker() as program, attach.iterator(program) as walk:
                assert walk.read() == b""
            with LinuxMap.create("array", 4, 8, 4) as made:
                made.update(bytes(4), bytes(8))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
