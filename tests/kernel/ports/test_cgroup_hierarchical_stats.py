"""Follows the selftest cgroup_hierarchical_stats: numbers of a control group and of all below it,
which the kernel's own flushing of statistics adds up, and an iterator shows."""

import re

import pytest

from ebee import (  # isort: skip
    Hash, Iter, PerCpuHash, bpf, current, fentry, i32, iterator, struct, u64,
)  # fmt: skip
from ebee.vmlinux import bpf_iter_meta, cgroup

try:
    from ebee.kfuncs import cgroup_rstat_flush, cgroup_rstat_updated
except ImportError:  # from Linux 6.1 to 6.15
    pytest.skip("this kernel has no cgroup_rstat_flush()", allow_module_level=True)

pytestmark = pytest.mark.kernel
SINCE = "6.1"
FOLLOWS = {
    "prog_tests/cgroup_hierarchical_stats.c": 226,
    "progs/cgroup_hierarchical_stats.c": 115,
}
PROCESSES = 3


@struct
class Here:
    state: u64
    before: u64


@struct
class Total:
    state: u64
    pending: u64


@struct
class Shown:
    group: u64
    total: u64


of_cpu = PerCpuHash[u64, Here](max_entries=1024)
of_group = Hash[u64, Total](max_entries=1024)


@fentry("cgroup_attach_task")
def counter(group: cgroup, leader, whole) -> None:
    """A process comes."""
    number = group.kn.id
    here = of_cpu.lookup(number)
    if here is None:
        of_cpu[number] = Here(state=1)
    else:
        here.state += 1
    cgroup_rstat_updated(group, i32(current.cpu))


@fentry("bpf_rstat_flush")
def flusher(group: cgroup, parent: cgroup | None, cpu: i32) -> None:
    """What has come since the last time, and what came up from below, goes into the group's
    number, and waits for the group above."""
    number = group.kn.id
    more = u64(0)
    here = of_cpu.lookup_cpu(number, cpu)
    if here is not None:
        more = here.state - here.before
        here.before = here.state
    total = of_group.lookup(number)
    if total is None:
        of_group[number] = Total(state=more)
    else:
        more += total.pending
        total.pending = 0
        total.state += more
    if more == 0 or parent is None:
        return
    above = of_group.lookup(parent.kn.id)
    if above is None:
        of_group[parent.kn.id] = Total(pending=more)
    else:
        above.pending += more


@iterator("cgroup", sleepable=True)
def shown(meta: bpf_iter_meta, group: cgroup | None) -> Iter:
    if group is None:
        return Iter.NEXT
    cgroup_rstat_flush(group)
    total = of_group.lookup(group.kn.id)
    line = Shown(group=group.kn.id)
    if total is not None:
        line.total = total.state
    bpf.seq_printf(meta.seq, "group: %llu, total: %llu\n", 26, line, 16)
    return Iter.NEXT


@pytest.fixture
def tree(cgroup):
    """Two groups with two groups each below one; paths from the top down."""
    made = [cgroup, *(cgroup / a for a in "12"), *(cgroup / a / b for a in "12" for b in "12")]
    for path in made[1:]:
        path.mkdir()
    yield made
    for path in reversed(made[1:]):
        path.rmdir()


def test_sums_of_groups(port, tree, in_cgroup):
    loaded = port()
    show = loaded.programs["shown"]
    with loaded.programs["counter"].attach(), loaded.programs["flusher"].attach():
        for leaf in tree[3:]:
            for _ in range(PROCESSES):
                assert in_cgroup(leaf, lambda: None) == 0
        found = {}
        for path in tree:
            with show.attach(cgroup=path) as link:
                text = link.read().decode()
            group, total = map(int, re.fullmatch(r"group: (\d+), total: (\d+)\n", text).groups())
            assert group == path.stat().st_ino
            found[path] = total
    assert [found[path] for path in tree[3:]] == [PROCESSES] * 4
    assert [found[path] for path in tree[1:3]] == [2 * PROCESSES] * 2
    assert found[tree[0]] == 4 * PROCESSES
