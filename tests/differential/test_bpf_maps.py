"""Maps beside hashes and arrays, in programs on the machine and in the kernel."""

import os

import pytest

from ebee import linux
from ebee.lang.bpf import build
from ebee.lang.bpf.maps import AnyMap
from ebee.lang.source import define
from ebee.machine.machine import Machine
from ebee.maps import all_types

pytestmark = pytest.mark.differential

HEAD = """
from ebee import *

@struct
class Job:
    a: u32
    b: u32

jobs = Queue[Job](max_entries=2)
last = Stack[u64](max_entries=4)
seen = Bloom[u32](max_entries=100)
devices = DevMap(max_entries=4)
others = DevMapHash(max_entries=4)
cpus = CpuMap(max_entries=2)
queues = XskMap(max_entries=2)
nested = ArrayOfMaps(max_entries=2, inner=Hash[u32, u64](max_entries=4))
named = HashOfMaps[u32](max_entries=2, inner=Array[u64](max_entries=4))
records = PerfEventArray[Job]()
stacks = StackTrace(max_entries=16)
groups = CgroupArray(max_entries=2)
sockets = SockMap(max_entries=2)
peers = SockHash[Job](max_entries=2)
of_tasks = TaskStorage[Job]()
of_sockets = SkStorage[Job]()
of_groups = CgroupStorage[Job]()
of_inodes = InodeStorage[Job]()
table = Hash[u32, u64](max_entries=8)
out = Array[u64](max_entries=16)

@func
def put(i: u32, v: u64) -> None:
    p = out.lookup(i)
    if p is not None:
        p[0] = v

@xdp
def prog(ctx: XdpContext) -> u32:
"""
MINUS = 1 << 64


@pytest.fixture(params=["machine", "kernel"])
def run(request):
    if request.param == "kernel" and os.geteuid():
        pytest.skip("needs root")
    opened = []

    def once(body, prepare=None):
        lines = "".join(f"    {line}\n" for line in body.strip("\n").split("\n"))
        spec = build.compile(define(HEAD + lines)["prog"])
        if request.param == "kernel":
            opened.append(loaded := linux.load(spec))
        else:
            opened.append(machine := Machine())
            loaded = machine.load(spec)
        if prepare is not None:
            prepare(loaded)
        retval = loaded.programs["prog"].test_run(bytes(64)).retval
        results = [loaded.maps["out"][i] for i in range(16)] if "out" in loaded.maps else []
        return retval, results

    yield once
    for thing in opened:
        thing.close()


def test_queues_and_stacks(run):
    _, out = run("""
put(0, jobs.pop() is None)
put(1, u64(jobs.push(Job(a=1, b=2))))
put(2, u64(jobs.push(Job(a=3, b=4), 0)))
put(3, u64(jobs.push(Job(a=5, b=6))))
put(4, u64(jobs.push(Job(a=7, b=8), flags=2)))
first = jobs.peek()
if first is not None:
    put(5, u64(first.a))
again = jobs.pop()
if again is not None:
    put(6, u64(again.b))
    again.b = 9
third = jobs.pop()
if third is not None and again is not None:
    put(7, u64(third.a * 10 + again.b))
for i in range(3):
    last.push(u64(i))
top = last.pop()
if top is not None:
    put(8, top[0])
return 1
""")
    assert out[:9] == [1, 0, 0, MINUS - 7, 0, 3, 4, 79, 2]


def test_filters(run):
    _, out = run("""
seen.add(u32(5))
put(0, u32(5) in seen)
put(1, u32(6) not in seen)
return 1
""")
    assert out[:2] == [1, 1]


def test_membership_of_keys(run):
    _, out = run("""
table[3] = 4
put(0, 3 in table)
put(1, 4 in table)
put(2, 4 not in table)
n = u32(3)
if n in table and not (n + 1 in table):
    put(3, 1)
return 1
""")
    assert out[:4] == [1, 0, 1, 1]


def test_maps_in_maps(run):
    body = """
inner = nested.lookup(1)
if inner is None:
    put(0, 1)
else:
    inner[3] = u64(9)
    put(1, inner.get(3, 0))
    del inner[3]
    put(2, 3 in inner)
array = named[4]
if array:
    p = array.lookup(2)
    if p is not None:
        p[0] += 5
        put(3, p[0])
return 1
"""
    assert run(body)[1][:4] == [1, 0, 0, 0]


def test_redirections(run):
    assert run("return u32(devices.redirect(1, 2))")[0] == 2
    assert run("return u32(devices.redirect(key=1, otherwise=1))")[0] == 1
    assert run("return u32(others.redirect(7))")[0] == 0
    assert run("return u32(cpus.redirect(0, XDP.PASS))")[0] == 2


def test_records_for_a_buffer_of_each_cpu(run, request):
    if "machine" in request.node.name:
        pytest.skip("the machine has no perf events")
    _, out = run("put(0, u64(records.output(ctx, Job(a=1))))\nreturn 1")
    assert out[0] == MINUS - 2  # nobody reads there


def test_each_kind_of_the_kernel_is_declared_or_has_a_reason():
    import ebee

    kinds = {getattr(ebee, n) for n in dir(ebee) if isinstance(getattr(ebee, n, None), type)}
    declared = {k.type for k in kinds if issubclass(k, AnyMap)}
    missing = {t.name for t in all_types()} - declared
    assert missing == {"struct_ops"}  # declared by the class of its operations


def test_elements_one_after_the_other(run):
    _, out = run("""
for i in range(5):
    table[10 + i] = u64(i * i)
total = u64(0)
keys = u64(0)
for key, value in table.items():
    total += value[0]
    value[0] += key
    keys += key
put(0, total)
put(1, keys)
again = u64(0)
for value in table.values():
    again += value[0]
put(2, again)
found = u32(0)
for key in table:
    if key < 12:
        continue
    found = key
    break
else:
    put(3, 1)
put(4, u64(found >= 12))
missing = u32(0)
for key in table.keys():
    if key == 99:
        break
else:
    missing = u32(7)
put(5, u64(missing))
return 1
""")
    assert out[:6] == [0 + 1 + 4 + 9 + 16, 60, 90, 0, 1, 7]


def test_the_program_can_end_inside_such_a_loop(run):
    body = """
table[3] = 30
table[4] = 40
for key, value in table.items():
    if value[0] == {}:
        {}
put(0, 1)
return 5
"""
    assert run(body.format(40, "return key + 100"))[0] == 104
    assert run(body.format(30, "raise Exit(9)"))[0] == 9
    assert run(body.format(30, "assert key != 3"))[0] == 0
    retval, out = run(body.format(31, "return 1"))
    assert (retval, out[0]) == (5, 1)


def test_loops_of_elements_inside_functions_and_blocks(run):
    _, out = run("""
for i in range(3):
    table[i] = u64(i + 1)
for k in range(2):
    total = u64(k)
    job = Job(a=k)
    for key, value in table.items():
        for bit in range(4):
            if value[0] >> bit & 1:
                total += 10
                job.b += 1
        if key == 1:
            job.a += key
    put(k, total)
    put(4 + k, u64(job.a * 10 + job.b))
return 1
""")
    assert (out[0], out[1], out[4], out[5]) == (40, 41, 14, 24)
