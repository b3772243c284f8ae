"""Locks and timers in values of maps."""

import os
import time

import pytest

from ebee import linux
from ebee.errors import CompileError, MachineError
from ebee.lang.bpf import build
from ebee.lang.source import define
from ebee.machine.machine import Machine

pytestmark = pytest.mark.differential

HEAD = """
from ebee import *

@struct
class Entry:
    lock: SpinLock
    count: u32
    total: u64

@struct
class Alarm:
    total: u64
    timer: Timer

@struct
class Number:
    n: u32

entries = Hash[u32, Entry](max_entries=8)
alarms = Hash[u32, Alarm](max_entries=8)
events = RingBuf[Number](size=4096)
fired: Global[u64] = 0

"""


@pytest.fixture(params=["machine", "kernel"])
def run(request):
    if request.param == "kernel" and os.geteuid():
        pytest.skip("needs root")
    opened = []

    def load(text):
        spec = build.compile(define(HEAD + text)["prog"])
        if request.param == "kernel":
            opened.append(loaded := linux.load(spec))
            return loaded
        opened.append(machine := Machine())
        try:
            return machine.load(spec)
        except MachineError as error:
            pytest.skip(str(error))

    yield load
    for thing in opened:
        thing.close()


LOCKED = """
@xdp
def prog(ctx: XdpContext) -> u32:
    number = ctx.packet().take(Number)
    if number is None:
        return 0
    n = number.n
    entry = entries.lookup(1)
    if entry is None:
        return 0
    for i in range(4):
        with entry.lock:
            entry.count += 1
            if n == 1:
                return 10
            if i == n:
                break
            if n == 7:
                continue
            entry.total += n
    with entry.lock:
        if n == 3:
            raise Exit(11)
        entry.total += 100
    return entry.count
"""


def test_a_lock_is_given_back_on_every_way(run):
    loaded = run(LOCKED)
    empty = {"lock": {"value": 0}, "count": 0, "total": 0}
    for n, result, count, total in (
        (0, 1, 1, 100), (1, 10, 1, 0), (2, 3, 3, 104), (3, 11, 4, 9), (7, 4, 4, 100),
    ):  # fmt: skip
        loaded.maps["entries"][1] = empty
        assert (
            loaded.programs["prog"].test_run(n.to_bytes(4, "little") + bytes(60)).retval == result
        )
        found = loaded.maps["entries"][1]
        assert (found["count"], found["total"]) == (count, total), n


def test_a_lock_is_the_only_one(tmp_path):
    text = """
@xdp
def prog(ctx: XdpContext) -> u32:
    entry = entries.lookup(1)
    other = entries.lookup(2)
    if entry is None or other is None:
        return 0
    with entry.lock, other.lock:
        entry.count += 1
    return 1
"""
    with pytest.raises(CompileError, match="the kernel takes one lock"):
        build.compile(define(HEAD + text)["prog"])


TIMED = """
@func
def ring(m: ptr[u8], key: ptr[u32], entry: ptr[Alarm]) -> i32:
    global fired
    entry.total += key[0]
    fired += 1
    if fired < 3:
        bpf.timer_start(entry.timer, 1_000_000, 0)
    return 0

@xdp
def prog(ctx: XdpContext) -> u32:
    entry = alarms.lookup(5)
    if entry is None:
        return 1
    if bpf.timer_init(entry.timer, alarms, CLOCK_MONOTONIC) != 0:
        return 2
    if bpf.timer_set_callback(entry.timer, ring) != 0:
        return 3
    return u32(bpf.timer_start(entry.timer, 1_000_000, 0))
"""


def test_a_timer_runs_a_function(run, request):
    loaded = run(TIMED)
    loaded.maps["alarms"][5] = {"total": 0, "timer": {"first": 0, "second": 0}}
    try:
        retval = loaded.programs["prog"].test_run(bytes(64)).retval
    except MachineError as error:
        pytest.skip(str(error))
    assert retval == 0
    deadline = time.monotonic() + 5
    while loaded.variables["fired"].value < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert loaded.variables["fired"].value == 3
    assert loaded.maps["alarms"][5]["total"] == 15
