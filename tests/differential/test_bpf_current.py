"""Short names of helpers, values of other CPUs and programs of an enumeration: on the machine and
in the kernel."""

import os
import threading
import time
from pathlib import Path

import pytest

from ebee import linux
from ebee.errors import CompileError
from ebee.lang.bpf import build, current
from ebee.lang.bpf.intrinsics import helper_name
from ebee.lang.source import define
from ebee.machine.machine import Machine

pytestmark = pytest.mark.differential

FRAME = bytes(64)


@pytest.fixture(params=["machine", "kernel"])
def load(request):
    """A function that compiles and loads a text's program."""
    opened = []

    def backend(text):
        spec = build.compile(define("from ebee import *\n" + text)["program"])
        if request.param == "kernel":
            opened.append(linux.load(spec))
            return opened[-1]
        opened.append(machine := Machine())
        return machine.load(spec)

    if request.param == "kernel" and os.geteuid() != 0:
        pytest.skip("needs root")
    yield backend
    for one in opened:
        one.close()


ASKED = """
@struct
class Asked:
    time: u64
    again: u64
    boot: u64
    random: u32
    cpu: u32

asked = Array[Asked](max_entries=1)

@xdp
def program(ctx: XdpContext) -> XDP:
    place = asked.lookup(0)
    if place is None:
        return XDP.ABORTED
    place.time = ktime_ns()
    place.random = random_u32()
    place.cpu = current.cpu
    place.boot = ktime_boot_ns()
    place.again = ktime_ns()
    return XDP.PASS
"""


def test_what_xdp_programs_ask(load):
    made = load(ASKED)
    seen = []
    for _ in range(4):
        before = time.monotonic_ns()
        assert made.programs["program"].test_run(FRAME).retval == 2
        found = made.maps["asked"][0]
        assert before <= found["time"] <= found["again"] <= time.monotonic_ns()
        assert found["boot"] >= found["time"]
        assert found["cpu"] < (os.cpu_count() or 1)
        seen.append(found["random"])
    assert len(set(seen)) > 1


WHO = """
from typing import Literal

@struct
class Who:
    pid: u32
    tgid: u32
    uid: u32
    gid: u32
    matches: u32
    name: array[char, Literal[16]]

who = Array[Who](max_entries=1)

@raw_tracepoint("sys_enter")
def program(ctx: RawContext) -> None:
    place = who.lookup(0)
    if place is not None and ctx.args[1] == 121 and current.tgid == TGID:
        place.pid = current.pid
        place.tgid = current.tgid
        place.uid = current.uid
        place.gid = current.gid
        place.name = current.comm
        place.matches = u32(current.comm == "python") + u32(current.comm.startswith("py"))
"""


def test_the_current_task():
    """`tgid` is the process and `pid` the thread, as the kernel has it."""
    if os.geteuid() != 0:
        pytest.skip("needs root")
    native = []

    def ask():
        native.append(threading.get_native_id())
        os.getpgid(0)

    text = "from ebee import *\n" + WHO.replace("TGID", str(os.getpid()))
    made = linux.load(build.compile(define(text)["program"]))
    with made, made.programs["program"].attach():
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
        found = made.maps["who"][0]
    assert (found["pid"], found["tgid"]) == (native[0], os.getpid())
    assert found["pid"] != found["tgid"]
    assert (found["uid"], found["gid"]) == (os.getuid(), os.getgid())
    name = Path("/proc/self/comm").read_text().strip()
    assert found["name"] == name
    assert found["matches"] == (name == "python") + name.startswith("py")


CPUS = """
counts = PerCpuArray[u64](max_entries=1)
sum: Global[u64] = 0

@xdp
def program(ctx: XdpContext) -> XDP:
    global sum
    total = u64(0)
    for cpu in range(64):
        count = counts.lookup_cpu(0, u32(cpu))
        if count is not None:
            total += count[0]
    sum = total
    return XDP.PASS
"""


def test_values_of_other_cpus(load):
    made = load(CPUS)
    cpus = len(made.maps["counts"][0])
    made.maps["counts"][0] = [10 + i for i in range(cpus)]
    made.programs["program"].test_run(FRAME)
    assert made.variables["sum"].value == sum(10 + i for i in range(cpus))


STAGES = """
from enum import IntEnum

class Stage(IntEnum):
    COUNT = 0
    DROP = 3

stages = ProgArray[Stage]()
counted: Global[u32] = 0

@stages.entry(Stage.COUNT)
@xdp
def count(ctx: XdpContext) -> XDP:
    global counted
    counted += 1
    stages.call(ctx, Stage.DROP)
    return XDP.ABORTED

@stages.entry(Stage.DROP)
@xdp
def drop(ctx: XdpContext) -> XDP:
    return XDP.DROP

@xdp
def program(ctx: XdpContext) -> XDP:
    stages.call(ctx, Stage.COUNT)
    return XDP.ABORTED
"""


def test_programs_as_members_of_an_enumeration(load):
    made = load(STAGES)
    assert made.programs["program"].test_run(FRAME).retval == 1
    assert made.variables["counted"].value == 1


@pytest.mark.parametrize(
    ("change", "said"),
    [("entry(Stage.COUNT)", "no member of Stage"), ("ProgArray[Stage]", "an enumeration")],
)
def test_numbers_are_no_members_of_an_enumeration(change, said):
    other = {"entry(Stage.COUNT)": "entry(1)", "ProgArray[Stage]": "ProgArray[u32]"}[change]
    with pytest.raises((ValueError, TypeError), match=said):
        define("from ebee import *\n" + STAGES.replace(change, other))


def test_they_are_for_programs_only():
    for use in (lambda: current.current.pid, current.ktime_ns, current.random_u32):
        with pytest.raises(TypeError, match="program"):
            use()
    with pytest.raises(AttributeError, match="it has pid, tgid"):
        current.current.nobody  # noqa: B018
    assert all(helper_name(name) for name in current.SHORT.values())


def test_what_the_hook_may_not_ask():
    text = ASKED.replace("ktime_boot_ns()", "u64(current.uid)").replace("@xdp", "@sk_lookup")
    with pytest.raises(CompileError, match="no `XdpContext`"):
        build.compile(define("from ebee import *\n" + text)["program"])
