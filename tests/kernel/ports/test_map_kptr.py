"""Follows the selftest map_kptr: references to an object of the kernel that values of maps of every
kind keep, counted in the object, and given up with the element or the map."""

import subprocess

import pytest

from ebee import (  # isort: skip
    Array, Global, Hash, Kptr, LruHash, TaskStorage, func, i32, ptr, rcu, struct, syscall, u32,
    u64, zero,
)  # fmt: skip
from ebee.kfuncs import bpf_task_acquire, bpf_task_from_pid
from ebee.vmlinux import task_struct

pytestmark = pytest.mark.kernel
SINCE = "6.4"
FOLLOWS = {
    "prog_tests/map_kptr.c: test_map_kptr_success": 92,
    "progs/map_kptr.c: test_kptr_ref, test_map_kptr_ref_pre, test_map_kptr_ref_post": 99,
}


@struct
class Given:
    pid: u64


@struct
class Kept:
    task: Kptr[task_struct]


listed = Array[Kept](max_entries=1)
hashed = Hash[u32, Kept](max_entries=1)
allocated = Hash[u32, Kept](max_entries=1, flags=1)  # BPF_F_NO_PREALLOC
recent = LruHash[u32, Kept](max_entries=1)
of_task = TaskStorage[Kept]()
references: Global[i32] = 0


@func
def put(kept: ptr[Kept], task: task_struct) -> i32:
    """In, out and in again: the count of references tells."""
    before = task.rcu_users.refs.counter
    with bpf_task_acquire(task) as own:
        if own is None:
            return 1
        if task.rcu_users.refs.counter != before + 1:
            return 2
        with kept.task.exchange(own) as old:
            if old is not None:
                return 3
    if task.rcu_users.refs.counter != before + 1:
        return 4
    with kept.task.exchange(None) as old:
        if old is None:
            return 5
    if task.rcu_users.refs.counter != before:
        return 6
    with bpf_task_acquire(task) as own:
        if own is None:
            return 7
        with kept.task.exchange(own) as old:
            if old is not None:
                return 8
    return 0 if task.rcu_users.refs.counter == before + 1 else 9


@func
def kept_still(kept: ptr[Kept], pid: i32) -> i32:
    """Seen where it is, and taken out and put back."""
    with rcu():
        task = kept.task.get()
        if task is None or task.pid != pid:
            return 1
    with kept.task.exchange(None) as own:
        if own is None:
            return 2
        with kept.task.exchange(own) as old:
            if old is not None:
                return 3
    return 0


@syscall
def fill(given: Given) -> int:
    hashed[0] = zero(Kept)
    allocated[0] = zero(Kept)
    recent[0] = zero(Kept)
    with bpf_task_from_pid(i32(given.pid)) as task:
        if task is None:
            return 90
        one, two, three, four = (
            listed.lookup(0), hashed.lookup(0), allocated.lookup(0), recent.lookup(0),
        )  # fmt: skip
        five = of_task.get(task)
        if one is None or two is None or three is None or four is None or five is None:
            return 91
        return (
            put(one, task) or put(two, task) or put(three, task) or put(four, task)
            or put(five, task)
        )  # fmt: skip


@syscall
def look(given: Given) -> int:
    one, two, three, four = (
        listed.lookup(0), hashed.lookup(0), allocated.lookup(0), recent.lookup(0),
    )  # fmt: skip
    if one is None or two is None or three is None or four is None:
        return 91
    pid = i32(given.pid)
    return (
        kept_still(one, pid)
        or kept_still(two, pid)
        or kept_still(three, pid)
        or kept_still(four, pid)
    )


@syscall
def count(given: Given) -> int:
    global references
    with bpf_task_from_pid(i32(given.pid)) as task:
        references = i32(-1) if task is None else task.rcu_users.refs.counter - 1
    return 0


@pytest.fixture
def child():
    process = subprocess.Popen(["sleep", "100"])
    yield process.pid
    process.kill()
    process.wait()


@pytest.fixture
def run(port, child):
    loaded = port()

    def ask(name):
        assert loaded.programs[name].test_run(ctx=child.to_bytes(8, "little")).retval == 0
        return loaded.variables["references"].value

    ask.loaded, ask.child = loaded, child
    return ask


def test_references_are_counted_and_given_up(run, soon):
    before = run("count")
    run("fill")
    run("look")
    assert run("count") == before + 5
    for i, name in enumerate(("hashed", "allocated", "recent"), 1):
        del run.loaded.maps[name][0]
        assert soon(lambda i=i: run("count") == before + 5 - i)
    run.loaded.maps["listed"].raw.update(bytes(4), bytes(8))
    assert soon(lambda: run("count") == before + 1)


def test_they_go_with_the_maps(port, run, soon):
    before = run("count")
    for _ in range(2):
        other = port()
        given = {"ctx": run.child.to_bytes(8, "little")}
        assert other.programs["fill"].test_run(**given).retval == 0
        assert run("count") == before + 5
        other.close()
        assert soon(lambda: run("count") == before)
