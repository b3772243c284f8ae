"""Iterators: attached, read as text; what is walked: everything, a process, a map, a cgroup."""

import os
import re
import subprocess
import threading

import pytest

from ebee.btf import Btf, Func
from ebee.errors import KernelError
from ebee.isa.asm import assemble
from ebee.linux import LinuxMap, LinuxProgram, attach, uapi
from ebee.linux.attach.iterators import IteratorLink
from ebee.linux.errors import older_than

pytestmark = pytest.mark.kernel
COVERS = ("hook:iter",)

SEQ_WRITE = 127
# Writes the 8 bytes at *(ctx + 8), a pointer to the object (null at the end), to the file.
PRESENT = """
    r6 = r1
    r7 = *(u64 *)(r6 +8)
    if r7 == 0 goto out
    {load}
    *(u64 *)(r10 -8) = r8
    r1 = *(u64 *)(r6 +0)
    r1 = *(u64 *)(r1 +0)
    r2 = r10
    r2 += -8
    r3 = 8
    call 127
out:
    r0 = 0
    exit
"""


def walker(target, load="r8 = 1"):
    number = Btf.vmlinux().find(f"bpf_iter_{target}", Func).id
    return LinuxProgram.load(
        assemble(PRESENT.format(load=load)), "tracing", name=target,
        attach_type=uapi.ATTACH_TYPES["trace_iter"], attach_btf_id=number,
    )  # fmt: skip


def numbers(raw):
    return [int.from_bytes(raw[at : at + 8], "little") for at in range(0, len(raw), 8)]


def member(struct, name, size="u32"):
    """The instruction that loads a member of the object into r8."""
    from ebee.btf import Struct

    found = next(m for m in Btf.vmlinux().find(struct, Struct).members if m.name == name)
    return f"r8 = *({size} *)(r7 +{found.offset // 8})"


@pytest.fixture(scope="module")
def tasks():
    with walker("task", member("task_struct", "pid")) as program:
        yield program


def test_all_tasks_are_walked_again_and_again(tasks):
    with attach.iterator(tasks) as walk:
        assert os.getpid() in numbers(walk.read())
        child = subprocess.Popen(["sleep", "60"])
        try:
            assert child.pid in numbers(walk.read())
        finally:
            child.kill()
            child.wait()
        assert child.pid not in numbers(walk.read())
        info = walk.info()
        assert (info.type, info.target_name) == ("iter", "task")


def test_one_process_or_one_thread(tasks):
    if older_than("6.1"):
        pytest.skip("requires Linux >= 6.1")
    stop = threading.Event()
    other = threading.Thread(target=stop.wait)
    other.start()
    try:
        pid, tid = os.getpid(), other.native_id
        with attach.iterator(tasks, pid=pid) as walk:
            assert {pid, tid} <= set(numbers(walk.read()))
            assert 1 not in numbers(walk.read())
            assert walk.info().task_pid == pid
        with attach.iterator(tasks, tid=tid) as walk:
            assert numbers(walk.read()) == [tid]
        pidfd = os.pidfd_open(pid)
        with attach.iterator(tasks, pidfd=pidfd) as walk:
            assert pid in numbers(walk.read())
        os.close(pidfd)
    finally:
        stop.set()
        other.join()
    with pytest.raises(KernelError, match="one of map, pid, tid, pidfd, cgroup, not pid and tid"):
        attach.iterator(tasks, pid=1, tid=1)


def test_the_elements_of_a_map():
    load = "r9 = *(u64 *)(r6 +24); r8 = 0; if r9 == 0 goto +1; r8 = *(u64 *)(r9 +0)"
    with (
        walker("bpf_map_elem", load) as program,
        LinuxMap.create("hash", 4, 8, 8) as numbered,
    ):
        for value in range(5):
            numbered.update(value.to_bytes(4, "little"), (value * 10).to_bytes(8, "little"))
        with attach.iterator(program, map=numbered) as walk:
            assert {10, 20, 30, 40} <= set(numbers(walk.read()))
            assert walk.info().map_map_id == numbered.id
        with pytest.raises(KernelError, match="needs what it is to walk: map="):
            attach.iterator(program)


def test_the_cgroups_below_one(cgroup):
    if older_than("6.1"):
        pytest.skip("requires Linux >= 6.1")
    inner = cgroup / "inner"
    inner.mkdir()
    try:
        with walker("cgroup", "r8 = *(u64 *)(r7 +0)") as program:
            for order, expected in (
                ("self", 1), ("descendants", 2), ("descendants_post", 2), ("ancestors", 1)
            ):  # fmt: skip
                with attach.iterator(program, cgroup=cgroup, order=order) as walk:
                    assert len(numbers(walk.read())) >= expected
                    assert walk.info().cgroup_cgroup_id == os.stat(cgroup).st_ino
            with pytest.raises(KernelError, match="is no cgroup"):
                attach.iterator(program, cgroup="/tmp")
    finally:
        inner.rmdir()
    with pytest.raises(KernelError, match="'up' is no order"):
        attach.iterator(program, cgroup=cgroup, order="up")


def test_every_kind_of_iterator_of_this_kernel_can_be_walked():
    types = Btf.vmlinux()
    kinds = sorted(
        name.removeprefix("bpf_iter_")
        for name, number in types.names()
        if re.fullmatch(r"bpf_iter_[a-z0-9_]+", name) and types.kind(number) is Func
        and not name.endswith(("_new", "_next", "_destroy", "_info"))
        and is_target(types, types.type(number))
    )  # fmt: skip
    walked, refused = set(), {}
    for kind in kinds:
        try:
            with walker(kind) as program, attach.iterator(program) as walk:
                walk.read()
            walked.add(kind)
        except KernelError as error:
            refused[kind] = error
    assert {"task", "task_file", "task_vma", "bpf_map", "bpf_prog", "tcp", "udp"} <= walked
    assert {"netlink", "unix", "bpf_link", "ksym"} <= walked
    needy = {"bpf_map_elem": "hash", "sockmap": "sockmap"}
    assert {*needy, "bpf_sk_storage_map"} <= set(refused), refused
    assert set(refused) <= {*needy, "bpf_sk_storage_map", "cgroup"}, refused
    for kind, type in needy.items():
        with LinuxMap.create(type, 4, 4, 1) as walked_map, walker(kind) as program:
            attach.iterator(program, map=walked_map).close()
    assert all("needs what it is to walk" in str(error) for error in refused.values()), refused


def is_target(types, function):
    """An iterator's declaration has a context: struct bpf_iter_meta comes first."""
    parameters = types.type(function.type).params
    return bool(parameters) and parameters[0].name == "meta"


def test_text_by_lines_and_a_pinned_iterator(bpffs):
    with walker("bpf_map", "r8 = 10") as program, LinuxMap.create("array", 4, 4, 1):
        with attach.iterator(program) as walk:
            assert "\n" in walk.text()
            assert all(line.strip("\0") == "" for line in walk)
            walk.pin(bpffs / "maps")
        again = IteratorLink.get(bpffs / "maps")
        assert again.read()
        again.close()
        assert (bpffs / "maps").read_bytes()
        os.unlink(bpffs / "maps")


def test_another_program_takes_over_a_running_iterator(tasks):
    with (
        walker("task", "r8 = 77") as other,
        attach.iterator(tasks) as walk,
    ):
        assert os.getpid() in numbers(walk.read())
        walk.update(other)
        assert set(numbers(walk.read())) == {77}
        with pytest.raises(KernelError, match="another program than 'task' is attached"):
            walk.update(other, replace=tasks)
