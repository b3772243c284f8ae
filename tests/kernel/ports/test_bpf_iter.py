"""Follows the selftest bpf_iter: programs that write what is read from a file: of tasks, of the
elements of a map, of connections."""

import os
import re
import socket

import pytest

from ebee import (  # isort: skip
    Array, Const, Global, Hash, Iter, PerCpuArray, bpf, iterator, ptr, struct, u32, u64,
)  # fmt: skip
from ebee.vmlinux import bpf_iter_meta, bpf_map, sock_common, task_struct

pytestmark = pytest.mark.kernel
SINCE = "6.1"
FOLLOWS = {
    "prog_tests/bpf_iter.c: test_task_common_nocheck, test_task_common, test_task_pid, test_tcp4,"
    " test_bpf_hash_map, test_bpf_array_map, test_bpf_percpu_array_map": 249,
    "progs/bpf_iter_tasks.c": 67,
    "progs/bpf_iter_bpf_hash_map.c": 73,
    "progs/bpf_iter_bpf_array_map.c": 36,
    "progs/bpf_iter_bpf_percpu_array_map.c": 29,
    "progs/bpf_iter_tcp4.c": 190,
}
CPUS = 256


@struct
class Two:
    first: u64
    second: u64


@struct
class Four:
    a: u64
    b: u64
    c: u64
    d: u64


hashed = Hash[u32, u64](max_entries=16)
removed = Hash[u32, u64](max_entries=16)
listed = Array[u64](max_entries=4)
per_cpu = PerCpuArray[u64](max_entries=3)
cpus: Const[u32] = 1
everywhere: Global[u64] = 0
here: Global[u64] = 0
keys: Global[u64] = 0
values: Global[u64] = 0
target: Global[u32] = 0
pages: Const[u32] = 1


@iterator("task")
def tasks(meta: bpf_iter_meta, task: task_struct | None) -> Iter:
    global everywhere, here
    if task is None:
        return Iter.NEXT
    if task.tgid == target:
        here += 1
    else:
        everywhere += 1
    if meta.seq_num == 0:
        bpf.seq_write(meta.seq, b"    tgid      gid\n", 18)
    line = Two(first=u64(task.tgid), second=u64(task.pid))
    bpf.seq_printf(meta.seq, "%8d %8d\n", 9, line, 16)
    return Iter.NEXT


@iterator("bpf_map_elem")
def elements(meta: bpf_iter_meta, m: bpf_map, key: ptr[u32] | None, value: ptr[u64] | None) -> Iter:
    """The sums of both, and every second element is removed from another map."""
    global keys, values
    if key is None or value is None:
        return Iter.NEXT
    keys += key[0]
    values += value[0]
    if key[0] % 2 == 0:
        removed.delete(key[0])
    line = Two(first=u64(key[0]), second=value[0])
    bpf.seq_printf(meta.seq, "%d: %d\n", 8, line, 16)
    return Iter.NEXT


@iterator("bpf_map_elem")
def elements_of_cpus(
    meta: bpf_iter_meta, m: bpf_map, key: ptr[u32] | None, value: ptr[u64] | None
) -> Iter:
    global keys, values
    if key is None or value is None:
        return Iter.NEXT
    keys += key[0]
    for i in range(CPUS):
        if i >= cpus:
            break
        values += value[i]
    return Iter.NEXT


@iterator("tcp")
def connections(meta: bpf_iter_meta, sk: sock_common | None, uid: u32) -> Iter:
    if sk is None:
        return Iter.NEXT
    ends = Four(
        a=u64(sk.skc_rcv_saddr), b=u64(sk.skc_num), c=u64(sk.skc_daddr), d=u64(sk.skc_state)
    )
    bpf.seq_printf(meta.seq, "%08X:%04X %08X %d\n", 19, ends, 32)
    return Iter.NEXT


def numbers(text):
    return [tuple(map(int, line.split())) for line in text.decode().splitlines()[1:]]


def test_all_tasks(port):
    loaded = port("tasks")
    loaded.variables["target"].value = os.getpid()
    with loaded.programs["tasks"].attach() as link:
        lines = numbers(link.read())
    threads = {int(name) for name in os.listdir("/proc/self/task")}
    assert {pid for tgid, pid in lines if tgid == os.getpid()} >= threads
    assert loaded.variables["here"].value >= len(threads)
    assert loaded.variables["everywhere"].value > 0


def test_tasks_of_one_process(port):
    loaded = port("tasks")
    loaded.variables["target"].value = os.getpid()
    with loaded.programs["tasks"].attach(pid=os.getpid()) as link:
        lines = numbers(link.read())
    assert {tgid for tgid, _ in lines} == {os.getpid()}
    assert loaded.variables["everywhere"].value == 0


@pytest.mark.parametrize("name", ["hashed", "listed"])
def test_elements(port, name):
    loaded = port("elements")
    table = loaded.maps[name]
    table.update({i: 10 * i + 1 for i in range(4)})
    loaded.maps["removed"].update(dict.fromkeys(range(4), 0))
    with loaded.programs["elements"].attach(map=table) as link:
        text = link.read().decode()
    assert sorted(text.splitlines()) == [f"{i}: {10 * i + 1}" for i in range(4)]
    assert loaded.variables["keys"].value == sum(range(4))
    assert loaded.variables["values"].value == sum(10 * i + 1 for i in range(4))
    assert sorted(loaded.maps["removed"]) == [1, 3]


def test_elements_of_each_cpu(port):
    from ebee.linux.host import possible_cpus

    count = possible_cpus()
    loaded = port("elements_of_cpus", cpus=count)
    table = loaded.maps["per_cpu"]
    for i in range(3):
        table[i] = [i + 1] * count
    with loaded.programs["elements_of_cpus"].attach(map=table) as link:
        assert link.read() == b""
    assert loaded.variables["keys"].value == 3
    assert loaded.variables["values"].value == count * (1 + 2 + 3)


def test_connections(port, loopback):
    """What /proc/net/tcp says, too."""
    loaded = port("connections")
    with socket.create_server(("127.0.0.1", 0)) as server:
        local = server.getsockname()[1]
        with loaded.programs["connections"].attach() as link:
            text = link.read().decode()
    assert re.search(rf"^0100007F:{local:04X} 00000000 10$", text, re.MULTILINE)
