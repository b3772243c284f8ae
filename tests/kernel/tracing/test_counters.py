"""Programs on perf events: software, hardware, by frequency and period, for a process, a CPU, a
cgroup; the names of events; tracepoints by every mechanism."""

import mmap
import os
import subprocess
import sys
import time

import pytest

from ebee.errors import KernelError
from ebee.linux import attach, perf
from ebee.linux.attach.perf_events import online
from ebee.linux.errors import older_than

pytestmark = pytest.mark.kernel
COVERS = ("hook:perf_event", "hook:tracepoint")


def spin(seconds=0.3):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass


def spin_until(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        spin(0.02)


def test_samples_of_the_clock_on_all_cpus(witness):
    program = witness.program("perf_event")
    with attach.perf_event(program, frequency=200, cookie=3) as link:
        spin_until(lambda: witness.count > 3)
        assert witness.cookie == 3
        infos = link.info().get("links", [link.info()])
        assert len(infos) == len(online())
        assert {info.type for info in infos} == {"perf_event"}
        if not older_than("6.6"):
            assert {info.event for info in infos} == {"event"}
    seen = witness.count
    spin(0.05)
    assert witness.count == seen


def test_one_process_one_cpu(witness):
    program = witness.program("perf_event", everyone=True)
    other = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        with attach.perf_event(program, "task-clock", period=1_000_000, pid=0):
            time.sleep(0.2)  # the other one runs, and is not counted
            asleep = witness.count
            spin_until(lambda: witness.count > asleep + 20)
            assert asleep < 20
        witness.clear()
        with attach.perf_event(program, "task-clock", period=1_000_000, pid=other.pid):
            deadline = time.monotonic() + 20
            while witness.count < 20:
                assert time.monotonic() < deadline
                time.sleep(0.05)
    finally:
        other.kill()
        other.wait()
    witness.clear()
    with attach.perf_event(witness.program("perf_event"), frequency=200, cpu=online()[0]) as link:
        before = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {online()[0]})
        try:
            spin_until(lambda: witness.count > 3)
        finally:
            os.sched_setaffinity(0, before)
        assert "links" not in link.info()


def test_every_page_fault(witness):
    program = witness.program("perf_event", body="r7 = *(u64 *)(r6 +168)")  # sample_period
    with (
        mmap.mmap(-1, 1 << 20) as memory,
        attach.perf_event(program, "page-faults", period=1, pid=0),
    ):
        memory.madvise(mmap.MADV_NOHUGEPAGE)
        for place in range(0, 1 << 20, 4096):
            memory[place] = 1
    assert witness.count >= 100
    assert witness.value == 1


def test_a_hardware_counter_where_the_machine_has_one(witness):
    program = witness.program("perf_event")
    try:
        link = attach.perf_event(program, "cycles", period=10_000_000, pid=0)
    except KernelError as error:
        assert "this machine does not count that" in str(error)  # noqa: PT017
        pytest.skip("this machine has no hardware counters")
    with link:
        spin_until(lambda: witness.count > 3)


def test_the_processes_of_a_cgroup(witness, cgroup):
    program = witness.program("perf_event", everyone=True)
    try:
        link = attach.perf_event(program, "cpu-clock", frequency=200, cgroup=cgroup)
    except KernelError as error:
        assert "is no cgroup that counts perf events" in str(error)  # noqa: PT017
        pytest.skip("this kernel counts no perf events of cgroups of version 2")
    with link:
        spin(0.1)
        assert witness.count == 0
        (cgroup / "cgroup.procs").write_text(str(os.getpid()))
        spin_until(lambda: witness.count > 3)
        (cgroup.parent / "cgroup.procs").write_text(str(os.getpid()))


def test_the_kernel_lets_no_other_program_take_over(witness):
    with (
        attach.perf_event(witness.program("perf_event"), pid=0) as link,
        pytest.raises(KernelError, match="the link cannot be updated"),
    ):
        link.update(witness.program("perf_event"))


def test_events_by_name():
    number = perf.named
    assert number("cpu-clock") == perf.Event(1, 0)
    assert number("faults") == number("page-faults") == perf.Event(1, 2)
    assert number("cycles") == number("cpu-cycles") == perf.Event(0, 0)
    assert number("LLC-load-misses") == perf.Event(3, 2 | 1 << 16)
    assert number("L1-dcache-stores") == perf.Event(3, 1 << 8)
    assert number("r1a8") == perf.Event(4, 0x1A8)
    assert number("mem:0x1000/8:w") == perf.Event(5, 0, 0x1000, 8, bp_type=2)
    assert number("cycles:u").flags == {"exclude_kernel"}
    assert number("software/config=3/") == perf.Event(1, 3)
    assert "cpu-clock" in perf.names()
    for name in ("no-such", "LLC-loads-misses", "r"):
        with pytest.raises(KernelError, match="no perf event"):
            number(name)
    with pytest.raises(KernelError, match="no unit 'nounit'"):
        number("nounit/event=1/")


def test_mistakes_are_explained(witness):
    program = witness.program("perf_event")
    for options, text in (
        ({"frequency": 1, "period": 1}, "a frequency or a period, not both"),
        ({"pid": 1, "cgroup": "/"}, "a process or a cgroup, not both"),
        ({"cpu": 4000}, "no such CPU|EINVAL"),
        ({"pid": 4194305}, "no process 4194305"),
        ({"frequency": 10_000_000}, "frequency may be too high"),
    ):
        with pytest.raises(KernelError, match=text):
            attach.perf_event(program, **options)


@pytest.mark.parametrize("mode", ["link", "ioctl"])
def test_tracepoints_by_every_mechanism(witness, own_tracefs, mode):
    program = witness.program("tracepoint")
    cookie = 8 if mode == "link" else 0
    with attach.tracepoint(program, "syscalls:sys_enter_getpgid", cookie=cookie, mode=mode):
        os.getpgid(0)
        os.getpgid(0)
        assert (witness.count, witness.cookie) == (2, cookie)
    os.getpgid(0)
    assert witness.count == 2
    with pytest.raises(KernelError, match=r"did you mean .*sys_enter_getpgid"):
        attach.tracepoint(program, "syscalls:sys_enter_getpgidd")
