"""Maps of what only the kernel has, declared and used by programs in Python: storage, records from
user space, timers, values of CPUs, programs as members of an enumeration."""

import os
import socket
import struct
import time
from contextlib import ExitStack

import pytest

from ebee import linux
from ebee.errors import KernelError
from ebee.lang.bpf import build
from ebee.lang.source import define
from ebee.linux.errors import older_than

pytestmark = pytest.mark.kernel
COVERS = (
    "map:task_storage", "map:sk_storage", "map:user_ringbuf", "map:cgroup_storage",
    "map:percpu_cgroup_storage", "map:reuseport_sockarray", "map:arena", "map:cgroup_array",
)  # fmt: skip

FRAME = bytes(64)


def loaded(text, name="program"):
    return linux.load(build.compile(define("from ebee import *\n" + text)[name]))


STORED = """
from ebee.vmlinux import task_struct

@struct
class Seen:
    calls: u64
    pid: u32

seen = TaskStorage[Seen]()
wanted: Global[u32] = 0
total: Global[u64] = 0

@tp_btf("sys_enter")
def program(regs: u64, number: i64) -> None:
    global total
    task = bpf.get_current_task_btf()
    if number != 110 or u32(bpf.get_current_pid_tgid() >> 32) != wanted:
        return
    value = seen.get(task, create=True)
    if value is None:
        return
    value.calls += 1
    value.pid = wanted
    total = value.calls
"""


def test_a_value_for_each_task():
    """System call 110 is getppid."""
    with loaded(STORED) as made:
        made.variables["wanted"].value = os.getpid()
        with made.programs["program"].attach():
            for _ in range(5):
                os.getppid()
        assert made.variables["total"].value == 5


SOCKET = """
@struct
class State:
    packets: u32

states = SkStorage[State]()
last: Global[u32] = 0

@cgroup_skb("egress")
def program(ctx: SkbContext) -> Cgroup:
    global last
    common = ctx.sk
    if common is None:
        return Cgroup.PASS
    sk = bpf.sk_fullsock(common)
    if sk is None:
        return Cgroup.PASS
    state = states.get(sk)
    if state is not None:
        state.packets += 1
        last = state.packets
    return Cgroup.PASS
"""

ATTACHED = """
@struct
class Bytes:
    sent: u64

sent = AttachedStorage[Bytes]()
each = PerCpuAttachedStorage[Bytes]()

@cgroup_skb("egress")
def program(ctx: SkbContext) -> Cgroup:
    sent.get().sent += ctx.len
    each.get().sent += 1
    return Cgroup.PASS
"""


def talk(cgroup, times):
    """Datagrams of 100 bytes over the loopback, from one socket of a process of the group."""
    child = os.fork()
    if not child:
        (cgroup / "cgroup.procs").write_text(str(os.getpid()))
        with socket.socket(type=socket.SOCK_DGRAM) as s:
            s.bind(("127.0.0.1", 0))
            for _ in range(times):
                s.sendto(bytes(100), s.getsockname())
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


def test_a_value_for_each_socket(cgroup):
    with loaded(SOCKET) as made, made.programs["program"].attach(str(cgroup)):
        talk(cgroup, 3)
        assert made.variables["last"].value == 3
        talk(cgroup, 2)
        assert made.variables["last"].value == 2


def test_a_value_for_each_attachment(cgroup):
    with loaded(ATTACHED) as made, made.programs["program"].attach(str(cgroup)):
        talk(cgroup, 3)
        (found,) = made.maps["sent"].values()
        assert found["sent"] == 3 * 128
        (counts,) = made.maps["each"].values()
        assert sum(c["sent"] for c in counts) == 3


COMMANDS = """
@struct
class Command:
    kind: u32
    amount: u32

commands = UserRingBuf[Command](size=4096)
total: Global[u64] = 0
left: Global[u32] = 0

@xdp
def program(ctx: XdpContext) -> XDP:
    global total, left
    sum = u64(0)
    for command in commands.drain():
        if command.kind == 9:
            break
        if command.kind == 2:
            continue
        sum += command.amount
    else:
        left = 1
    total += sum
    return XDP.PASS
"""


def test_records_from_user_space():
    if older_than("6.1"):
        pytest.skip("user ring buffers require Linux >= 6.1")
    from ebee.linux.user_ringbuf import UserRingBuffer

    with loaded(COMMANDS) as made:
        run = made.programs["program"].test_run
        with UserRingBuffer(made.maps["commands"].raw) as ring:
            for kind, amount in ((1, 5), (2, 100), (1, 7)):
                ring.send(struct.pack("<II", kind, amount))
            ring.send(b"abc")  # too short for a command
            run(FRAME)
            assert (made.variables["total"].value, made.variables["left"].value) == (12, 1)
            for kind, amount in ((1, 3), (9, 0), (1, 50)):
                ring.send(struct.pack("<II", kind, amount))
            run(FRAME)
            assert made.variables["total"].value == 15
            run(FRAME)
            assert made.variables["total"].value == 65


TIMER = """
@struct
class Entry:
    timer: Timer
    fired: u64

entries = Hash[u32, Entry](max_entries=4)
states: Global[i64] = 0

@func
def expired(m: ptr[u8], key: ptr[u32], entry: ptr[Entry]) -> i32:
    entry.fired += key[0]
    return 0

@xdp
def program(ctx: XdpContext) -> XDP:
    global states
    key = u32(7)
    if key not in entries:
        fresh = Entry()
        entries[key] = fresh
    entry = entries.lookup(key)
    if entry is None:
        return XDP.ABORTED
    states = entry.timer.start(1) * 100 + entry.timer.init(entries, CLOCK_MONOTONIC)
    entry.timer.callback(expired)
    if entry.timer.start(3600 * 10**9) == 0 and entry.timer.cancel() == 1:
        entry.timer.callback(expired)
        entry.timer.start(1000)
    return XDP.PASS
"""


def test_timers_fire():
    with loaded(TIMER) as made:
        made.programs["program"].test_run(FRAME)
        assert made.variables["states"].value == -2200  # -EINVAL before `init`, then 0
        deadline = time.monotonic() + 5
        while made.maps["entries"][7]["fired"] != 7 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert made.maps["entries"][7]["fired"] == 7


WORK = """
@struct
class Entry:
    work: WorkQueue
    done: u64

entries = Hash[u32, Entry](max_entries=4)

@func
def clean(m: ptr[u8], key: ptr[u32], work: ptr[u8]) -> i32:
    entry = entries.lookup(key[0])
    if entry is not None:
        entry.done += 5
    return 0

@xdp
def program(ctx: XdpContext) -> XDP:
    key = u32(7)
    if key not in entries:
        entries[key] = Entry()
    entry = entries.lookup(key)
    if entry is None:
        return XDP.ABORTED
    if entry.work.init(entries) != 0 or entry.work.callback(clean) != 0:
        return XDP.ABORTED
    return XDP.PASS if entry.work.start() == 0 else XDP.ABORTED
"""


def test_work_is_done_later():
    if older_than("6.10"):
        pytest.skip("work queues require Linux >= 6.10")
    with loaded(WORK) as made:
        assert made.programs["program"].test_run(FRAME).retval == 2
        deadline = time.monotonic() + 5
        while made.maps["entries"][7]["done"] != 5 and time.monotonic() < deadline:
            time.sleep(0.01)
        assert made.maps["entries"][7]["done"] == 5


CGROUPS = """
groups = CgroupArray(max_entries=1)

@cgroup_skb("egress")
def program(ctx: SkbContext) -> Cgroup:
    return Cgroup.DROP if groups.has_socket_of(ctx, 0) == 1 else Cgroup.PASS
"""


def test_whose_control_group(cgroup):
    """Every kind of program that has it: here that of a queueing discipline."""
    text = CGROUPS.replace('@cgroup_skb("egress")', "@tc").replace("-> Cgroup", "-> TC")
    text = text.replace("Cgroup.DROP", "TC.SHOT").replace("Cgroup.PASS", "TC.OK")
    with loaded(text) as made:
        made.maps["groups"][0] = str(cgroup)
        assert made.programs["program"].test_run(FRAME).retval == 0


ARENA = """
@struct
class Node:
    next: u64
    value: u64

@struct
class Given:
    value: u64
    sum: u64
    head: u64

heap = Arena[Node](pages=4)
head: Global[u64] = 0

@syscall
def program(ctx: Given) -> int:
    '''Put a value in front of a list that is kept in the arena, and add all of it up.'''
    global head
    node = heap.alloc()
    if node is None:
        return 1
    node.value = ctx.value
    node.next = head
    head = heap.address(node)
    address = head
    for _ in range(8):
        here = heap.at(address)
        if address == 0 or here is None:
            break
        ctx.sum += here.value
        address = here.next
    ctx.head = head
    return 0

@syscall
def clear(ctx: Given) -> int:
    global head
    address = head
    for _ in range(8):
        here = heap.at(address)
        if address == 0 or here is None:
            break
        address = here.next
        heap.free(here)
    head = 0
    return 0
"""


def test_a_list_in_an_arena():
    if older_than("6.9"):
        pytest.skip("arenas require Linux >= 6.9")
    import types

    module = types.ModuleType("arena")
    vars(module).update(define("from ebee import *\n" + ARENA))
    with linux.load(build.compile(module)) as made:
        assert made.maps["heap"].max_entries == 4
        run = made.programs["program"].test_run

        def put(value):
            done = run(ctx=struct.pack("<QQQ", value, 0, 0))
            return done.retval, struct.unpack("<QQQ", done.ctx)

        assert put(5)[1][1] == 5
        assert put(7)[1][1] == 12
        code, (_, total, head) = put(30)
        assert (code, total) == (0, 42)
        assert put(1)[0] == 0
        assert put(1)[0] == 1  # all four pages are taken
        memory = made.maps["heap"].memory()
        at = head - memory.address
        following, value = struct.unpack("<QQ", memory[at : at + 16])
        assert value == 30
        assert following - memory.address in range(0, 4 * 4096, 4096)
        made.programs["clear"].test_run(ctx=bytes(24))
        assert put(9)[1][1] == 9


DEVICES = """
devices = DevMap(max_entries=2, programs=True)
cpus = CpuMap(max_entries=2, programs=True)

@xdp
def program(ctx: XdpContext) -> XDP:
    device = devices.lookup(0)
    if device is not None and device.ifindex == 77:
        return XDP.DROP
    return cpus.redirect(0, XDP.PASS)
"""


def test_maps_with_programs_for_what_they_redirect():
    with ExitStack() as stack:
        made = stack.enter_context(loaded(DEVICES))
        assert made.programs["program"].test_run(FRAME).retval == 2
        assert {made.maps[n].raw.value_size for n in ("devices", "cpus")} == {8}
        with pytest.raises(KernelError):
            made.maps["devices"][0] = {"ifindex": 1 << 30, "program": 0}
