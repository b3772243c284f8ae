"""Follows the selftest timer: timers in maps of several kinds, which arm themselves and each other,
are cancelled, and end with what they are in."""

import errno

import pytest

from ebee import (  # isort: skip
    AnyMap, Array, Global, Hash, LruHash, Timer, bpf, func, i32, ktime_ns, ptr, struct, syscall,
    u8, u32, u64, zero,
)  # fmt: skip

pytestmark = pytest.mark.kernel
SINCE = "6.7"
FOLLOWS = {"prog_tests/timer.c": 67, "progs/timer.c": 307}

BOOTTIME = 7
ABSOLUTE, PINNED = 1, 2


@struct
class Counted:
    rounds: u32
    timer: Timer


@struct
class Plain:
    timer: Timer


@struct
class Given:
    unused: u64


hashed = Hash[u32, Counted](max_entries=1000)
allocated = Hash[u32, Counted](max_entries=1000, flags=1)  # BPF_F_NO_PREALLOC
listed = Array[Plain](max_entries=2)
recent = LruHash[u32, Plain](max_entries=4)
absolute = Array[Plain](max_entries=1)
pinned = Array[Plain](max_entries=1)

calls: Global[u32] = 0
calls_of_hashes: Global[u32] = 0
calls_at_times: Global[u32] = 0
calls_here: Global[u32] = 0
cpu: Global[u32] = 0
cancelled: Global[i32] = 99
cancelled_itself: Global[i32] = 0
started_when_deleted: Global[i32] = 0
gone: Global[i32] = 0


# --- a timer in an array arms itself far away, and one in an LRU map, which is pushed out ---------


@func
def far_away(m: ptr[u8], key: ptr[u32], entry: ptr[Plain]) -> i32:
    global calls
    calls += 1
    entry.timer.start(1 << 35)
    other = recent.lookup(4)
    if other is not None:
        other.timer.callback(pushed_out)
        other.timer.start(0)
    return 0


@func
def pushed_out(m: ptr[u8], key: ptr[u32], entry: ptr[Plain]) -> i32:
    """Adds elements until this one is another's: its timer is gone then."""
    global calls, gone
    calls += 1
    for i in range(5, 100):
        recent[i] = zero(Plain)
        if i not in recent or key[0] != 4:
            break
    gone = i32(entry.timer.cancel())
    return 0


@syscall
def arm_the_array(given: Given) -> int:
    entry = listed.lookup(1)
    recent[4] = zero(Plain)
    other = recent.lookup(4)
    unused = listed.lookup(0)
    if entry is None or other is None or unused is None:
        return 1
    other.timer.init(recent)
    unused.timer.init(listed)
    entry.timer.init(listed)
    entry.timer.callback(far_away)
    return i32(entry.timer.start(0))


# --- timers in hashes arm themselves ten times ----------------------------------------------------


@func
def again(m: ptr[u8], key: ptr[u32], entry: ptr[Counted]) -> i32:
    global calls_of_hashes, cancelled, cancelled_itself, started_when_deleted
    calls_of_hashes += 1
    entry.rounds -= 1
    if entry.rounds > 0:
        entry.timer.start(1000)
        return 0
    other = listed.lookup(1)
    if other is not None and key[0] == 2:
        cancelled = i32(other.timer.cancel())
    cancelled_itself = i32(entry.timer.cancel())
    if key[0] == 2:
        hashed.delete(key[0])
        started_when_deleted = i32(entry.timer.start(1000))
    else:
        allocated.delete(key[0])
    return 0


@func
def prepare(m: AnyMap[u32, Counted], key: u32) -> i32:
    """What is written anew or removed gives up its timer."""
    m[key] = Counted(rounds=10)
    entry = m.lookup(key)
    if entry is None or entry.timer.init(m, BOOTTIME) != 0:
        return 1
    m[key] = Counted(rounds=10)
    entry = m.lookup(key)
    if entry is None or entry.timer.init(m, BOOTTIME) != 0:
        return 2
    entry.timer.callback(again)
    m[0] = zero(Counted)
    unused = m.lookup(0)
    if unused is not None:
        unused.timer.init(m, BOOTTIME)
    del m[0]
    return i32(entry.timer.start(1000))


@syscall
def arm_the_hashes(given: Given) -> int:
    return prepare(hashed, 2) or prepare(allocated, 3)


# --- at a time, and on a CPU ----------------------------------------------------------------------


@func
def at_its_time(m: ptr[u8], key: ptr[u32], entry: ptr[Plain]) -> i32:
    global calls_at_times
    calls_at_times += 1
    if calls_at_times == 1:
        entry.timer.callback(at_its_time)
        entry.timer.start(bpf.ktime_get_boot_ns() + 1000, ABSOLUTE)
    return 0


@func
def here(m: ptr[u8], key: ptr[u32], entry: ptr[Plain]) -> i32:
    global calls_here
    if bpf.get_smp_processor_id() == cpu:
        calls_here += 1
    return 0


@syscall
def arm_at_a_time(given: Given) -> int:
    entry = absolute.lookup(0)
    if entry is None:
        return 1
    entry.timer.init(absolute, BOOTTIME)
    entry.timer.callback(at_its_time)
    return i32(entry.timer.start(bpf.ktime_get_boot_ns() + 1000, ABSOLUTE))


@syscall
def arm_here(given: Given) -> int:
    global cpu
    entry = pinned.lookup(0)
    if entry is None:
        return 1
    cpu = bpf.get_smp_processor_id()
    entry.timer.init(pinned)
    entry.timer.callback(here)
    return i32(entry.timer.start(ktime_ns() + 1000, ABSOLUTE | PINNED))


@pytest.fixture
def run(port):
    loaded = port()

    def arm(name):
        assert loaded.programs[name].test_run(ctx=bytes(8)).retval == 0
        return lambda variable: loaded.variables[variable].value

    return arm


def test_timers_arm_themselves_and_each_other(run, soon):
    run("arm_the_array")
    value = run("arm_the_hashes")
    assert soon(lambda: value("calls_of_hashes") == 20)
    assert soon(lambda: value("calls") == 2)
    assert soon(lambda: value("cancelled_itself") == -errno.EDEADLK)
    assert soon(lambda: value("gone") == -errno.EINVAL)
    assert value("cancelled") == 1
    assert value("started_when_deleted") == -errno.EINVAL


def test_timers_at_a_time(run, soon):
    value = run("arm_at_a_time")
    assert soon(lambda: value("calls_at_times") == 2)


def test_timers_on_a_cpu(run, soon):
    value = run("arm_here")
    assert soon(lambda: value("calls_here") == 1)
