"""Follows the selftest iters: the kernel's iterators as loops of Python's: numbers, tasks, control
groups, and the memory of a process."""

import ctypes
import errno
import mmap
import os
import threading
from pathlib import Path

import pytest

from ebee import LSM, Array, Global, bpf, current, i64, lsm, rcu, struct, syscall, u32, u64

from ebee.kfuncs import (  # isort: skip
    bpf_cgroup_from_id, bpf_iter_css, bpf_iter_css_task, bpf_iter_num, bpf_iter_task,
    bpf_iter_task_vma,
)  # fmt: skip
from ebee.vmlinux import vm_area_struct

pytestmark = pytest.mark.kernel
SINCE = "6.7"
FOLLOWS = {
    "prog_tests/iters.c: subtest_num_iters, subtest_task_vma_iters, subtest_task_iters,"
    " subtest_css_task_iters, subtest_css_iters": 177,
    "progs/iters_num.c": 175,
    "progs/iters_task.c": 36,
    "progs/iters_css.c": 55,
    "progs/iters_css_task.c: iter_css_task_for_each": 20,
    "progs/iters_task_vma.c": 31,
}
ALL_PROCS, ALL_THREADS, PROC_THREADS = range(3)
PARENTS_FIRST, CHILDREN_FIRST, ANCESTORS = 2, 3, 4  # BPF_CGROUP_ITER_DESCENDANTS_PRE, ...
PROCESSES = 1  # CSS_TASK_ITER_PROCS
MOST_AREAS = 1000


@struct
class Range:
    start: i64
    end: i64


@struct
class Given:
    first: u64
    second: u64


@struct
class Area:
    start: u64
    end: u64


rounds: Global[i64] = 0
total: Global[i64] = 0
processes: Global[u32] = 0
threads: Global[u32] = 0
own_threads: Global[u32] = 0
invalid: Global[u32] = 0
down: Global[u32] = 0
up: Global[u32] = 0
height: Global[i64] = 0
first_id: Global[u64] = 0
last_id: Global[u64] = 0
areas = Array[Area](max_entries=MOST_AREAS)
seen: Global[u32] = 0
group: Global[u64] = 0
members: Global[u32] = 0
process: Global[u32] = 0


@syscall
def numbers(given: Range) -> int:
    global rounds, total
    for i in bpf_iter_num(int(given.start), int(given.end)):
        rounds += 1
        total += i
    return 0


@syscall
def tasks(given: Given) -> int:
    global processes, threads, own_threads, invalid
    me = bpf.get_current_task_btf()
    with rcu():
        for _ in bpf_iter_task(None, 0xFFFFFFFF):
            invalid += 1
        for _ in bpf_iter_task(None, PROC_THREADS):
            invalid += 1
        for task in bpf_iter_task(None, ALL_PROCS):
            if task.pid == me.tgid:
                processes += 1
        for _ in bpf_iter_task(me, PROC_THREADS):
            own_threads += 1
        for task in bpf_iter_task(None, ALL_THREADS):
            if task.tgid == me.tgid:
                threads += 1
    return 0


@syscall
def groups(given: Given) -> int:
    global down, up, height, first_id, last_id
    with bpf_cgroup_from_id(given.first) as root, bpf_cgroup_from_id(given.second) as leaf:
        if root is None or leaf is None:
            return 1
        with rcu():
            for css in bpf_iter_css(root.self, CHILDREN_FIRST):
                up += 1
                last_id = css.cgroup.kn.id
            for css in bpf_iter_css(root.self, PARENTS_FIRST):
                down += 1
                if first_id == 0:
                    first_id = css.cgroup.kn.id
            for _ in bpf_iter_css(leaf.self, ANCESTORS):
                height += 1
            for _ in bpf_iter_css(root.self, ANCESTORS):
                height -= 1
    return 0


@syscall
def memory(given: Given) -> int:
    global seen
    for vma in bpf_iter_task_vma(bpf.get_current_task_btf(), 0):
        if seen >= MOST_AREAS:
            break
        areas[seen] = Area(start=vma.vm_start, end=vma.vm_end)
        seen += 1
    return 0


@lsm("file_mprotect")
def members_of_a_group(vma: vm_area_struct, wanted, protection) -> LSM:
    """Only where a hook may take the kernel's lock for it."""
    global members
    if current.tgid != process:
        return LSM.ALLOW
    with bpf_cgroup_from_id(group) as found:
        if found is not None:
            for task in bpf_iter_css_task(found.self, PROCESSES):
                if task.pid == process:
                    members += 1
    return LSM.DENY


HERE = ("numbers", "tasks", "groups", "memory")


def run(loaded, program, first=0, second=0):
    given = first.to_bytes(8, "little", signed=True) + second.to_bytes(8, "little", signed=True)
    assert loaded.programs[program].test_run(ctx=given).retval == 0
    return lambda *names: tuple(loaded.variables[name].value for name in names)


@pytest.mark.parametrize(
    ("first", "end"),
    [
        (0, 0), (-(1 << 31), -(1 << 31)), ((1 << 31) - 1, (1 << 31) - 1), (-1, -1),  # empty
        (0, 10), (-5, 0), (-(1 << 31), -(1 << 31) + 2), (-3, 4),
        (1, 0), (0, 1 << 23), (0, (1 << 23) + 1), (-(1 << 22), 1 << 22),
    ],
)  # fmt: skip
def test_numbers(port, first, end):
    fits = 0 <= end - first <= 1 << 23  # BPF_MAX_LOOPS
    expected = range(first, end) if fits else range(0)
    values = run(port(*HERE), "numbers", first, end)
    assert values("rounds", "total") == (len(expected), sum(expected))


def test_tasks(port, in_thread):
    over = threading.Event()
    for _ in range(2):
        in_thread(over.wait)
    try:
        values = run(port(*HERE), "tasks")
        count = len(os.listdir("/proc/self/task"))
    finally:
        over.set()
    assert count >= 3
    names = ("processes", "threads", "own_threads", "invalid")
    assert values(*names) == (1, count, count, 0)


def test_control_groups(port, cgroup):
    nested = [cgroup, cgroup / "2", cgroup / "2/3", cgroup / "2/3/4"]
    for path in nested[1:]:
        path.mkdir()
    try:
        root, leaf = cgroup.stat().st_ino, nested[-1].stat().st_ino
        values = run(port(*HERE), "groups", root, leaf)
    finally:
        for path in reversed(nested[1:]):
            path.rmdir()
    assert values("down", "up", "height") == (4, 4, 3)
    assert values("first_id", "last_id") == (root, root)


def test_members_of_a_control_group(port, cgroup, in_cgroup):
    libc = ctypes.CDLL(None, use_errno=True)
    loaded = port("members_of_a_group", group=cgroup.stat().st_ino)
    with loaded.programs["members_of_a_group"].attach():

        def protect():
            place = mmap.mmap(-1, mmap.PAGESIZE)
            address = ctypes.addressof(ctypes.c_char.from_buffer(place))
            loaded.variables["process"].value = os.getpid()
            if libc.mprotect(ctypes.c_void_p(address), mmap.PAGESIZE, mmap.PROT_READ):
                raise OSError(ctypes.get_errno(), "refused")

        assert in_cgroup(cgroup, protect) == errno.EPERM
    assert loaded.variables["members"].value == 1


def test_memory_of_a_process(port):
    loaded = port(*HERE)
    (count,) = run(loaded, "memory")("seen")
    lines = [line for line in Path("/proc/self/maps").read_text().splitlines()
             if "[vsyscall]" not in line]  # fmt: skip
    assert count > 0
    found = [(a.start, a.end) for a in (loaded.maps["areas"][i] for i in range(count))]
    shown = [tuple(int(n, 16) for n in line.split()[0].split("-")) for line in lines]
    assert len(set(found) & set(shown)) > 0.9 * len(shown)  # reading them allocates memory
