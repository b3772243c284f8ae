"""Follows the selftests task_local_storage and cgrp_local_storage: values that belong to a task or
to a control group, and go with it."""

import os

import pytest

from ebee import (  # isort: skip
    CgroupStorage, Global, TaskStorage, current, i64, syscall, struct, tp_btf, u32, u64,
)  # fmt: skip
from ebee.kfuncs import bpf_cgroup_from_id

pytestmark = pytest.mark.kernel
SINCE = "6.2"
FOLLOWS = {
    "prog_tests/task_local_storage.c: test_sys_enter_exit": 19,
    "progs/task_local_storage.c": 48,
    "prog_tests/cgrp_local_storage.c: test_tp_btf": 33,
    "progs/cgrp_ls_tp_btf.c": 95,
}

MAGIC = 0xABCD1234


@struct
class Given:
    group: u64


calls_of = TaskStorage[u64]()
of_group = CgroupStorage[u64]()
of_group_too = CgroupStorage[u64]()
target: Global[u32] = 0
group: Global[u64] = 0
entered: Global[u32] = 0
left: Global[u32] = 0
different: Global[u32] = 0
found: Global[u64] = 0
failed: Global[i64] = 0


@tp_btf("sys_enter")
def on_enter(regs, number) -> None:
    global entered
    if current.pid != target:
        return
    value = calls_of.get(current.task)
    if value is not None:
        entered += 1
        value[0] = MAGIC + entered


@tp_btf("sys_exit")
def on_exit(regs, result) -> None:
    global left, different
    if current.pid != target:
        return
    value = calls_of.get(current.task)
    if value is not None:
        left += 1
        if value[0] != MAGIC + left:
            different += 1


@syscall
def of_a_group(given: Given) -> int:
    """Keep a value with a group, find it again, and remove another one."""
    global found, failed
    with bpf_cgroup_from_id(given.group) as owner:
        if owner is None:
            return 1
        none = of_group.get(owner, create=False)
        if none is not None:
            found = none[0]
        made = of_group.get(owner)
        other = of_group_too.get(owner)
        if made is None or other is None:
            return 2
        made[0] += 200
        other[0] += 1
        failed = of_group_too.delete(owner)
        if of_group_too.get(owner, create=False) is not None:
            return 3
    return 0


def test_values_of_tasks(port):
    loaded = port("on_enter", "on_exit")
    values = loaded.variables
    with loaded.programs["on_enter"].attach(), loaded.programs["on_exit"].attach():
        values["target"].value = os.getpid()
        for _ in range(3):
            os.getppid()
        values["target"].value = 0
    assert values["entered"].value >= 3
    assert abs(values["entered"].value - values["left"].value) <= 1
    assert values["different"].value == 0


def test_values_of_control_groups(port, cgroup):
    loaded = port("of_a_group")
    given = cgroup.stat().st_ino.to_bytes(8, "little")
    run, values = loaded.programs["of_a_group"].test_run, loaded.variables
    assert [run(ctx=given).retval, values["found"].value] == [0, 0]
    assert [run(ctx=given).retval, values["found"].value] == [0, 200]
    assert values["failed"].value == 0
    of_group = loaded.maps["of_group"]
    fd = os.open(cgroup, os.O_RDONLY)
    try:
        assert of_group[fd] == 400
        of_group[fd] = 5
        assert [run(ctx=given).retval, values["found"].value] == [0, 5]
        del of_group[fd]
        assert fd not in of_group
        assert fd not in loaded.maps["of_group_too"]
    finally:
        os.close(fd)
