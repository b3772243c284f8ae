"""Functions, iterators, symbols and configuration of the kernel in Python programs."""

import gzip
import os
import re
from pathlib import Path

import pytest

from ebee import linux
from ebee.errors import CompileError, KernelError, ObjectError, VerifierError
from ebee.lang.bpf import build
from ebee.lang.source import define

pytestmark = pytest.mark.kernel
COVERS = (
    "helper:kptr_xchg", "helper:per_cpu_ptr", "helper:this_cpu_ptr", "helper:dynptr_read",
)  # fmt: skip


def program(body, head=""):
    lines = "".join(f"    {line}\n" for line in body.strip("\n").splitlines())
    return (
        "from ebee import *\nfrom ebee import bpf\nfrom ebee.vmlinux import task_struct, rq\n"
        "from ebee.kfuncs import *\n"
        "@struct\nclass Args:\n    x: u64\n"
        f"a: Global[u64] = 0\nb: Global[u64] = 0\n{head}\n"
        f"@syscall\ndef program(args: Args) -> int:\n    global a, b\n{lines}    return 0\n"
    )


def compiled(text):
    return build.compile(define(text)["program"])


def run(body, head="", x=0):
    with linux.load(compiled(program(body, head))) as loaded:
        result = loaded.programs["program"].test_run(ctx=x.to_bytes(8, "little"))
        values = {name: v.value for name, v in loaded.variables.items()}
        return result.retval, values.get("a", 0), values.get("b", 0)


def refused(body, head=""):
    with pytest.raises(CompileError) as error:
        compiled(program(body, head))
    return str(error.value)


FUNCTIONS = "from ebee.kfuncs import bpf_task_from_pid, bpf_task_release, bpf_task_acquire\n"


# --- functions -----------------------------------------------------------------------------------


def test_references_are_given_back_on_every_way_out():
    body = """
for i in range(3):
    with bpf_task_from_pid(i32(args.x)) as task:
        if task is None:
            return 5
        a += u64(task.tgid)
        if i == 1:
            continue
        if args.x == 77777:
            raise Exit(3)
        with bpf_task_acquire(task) as same:
            if same is None:
                break
            b += u64(same.tgid)
            if b > 1000000000:
                return 9
"""
    me = os.getpid()
    assert run(body, FUNCTIONS, me) == (0, 3 * me, 2 * me)
    assert run(body, FUNCTIONS, 0x7FFF0000) == (5, 0, 0)


def test_what_is_not_given_back_the_kernel_refuses():
    spec = compiled(program("task = bpf_task_from_pid(1)\n", FUNCTIONS))
    with pytest.raises(VerifierError, match=r"(?i)reference"):
        linux.load(spec)


def test_references_given_back_by_hand():
    body = """
task = bpf_task_from_pid(i32(args.x))
if task is not None:
    a = u64(task.pid)
    bpf_task_release(task)
"""
    assert run(body, FUNCTIONS, os.getpid())[1] == os.getpid()


def test_functions_that_no_kernel_has(tmp_path):
    text = "from ebee.kfuncs import bpf_no_such_function\n"
    (tmp_path / "p.py").write_text(text)
    with pytest.raises(CompileError, match="no function 'bpf_no_such_function' that programs"):
        build.compile(tmp_path / "p.py")


def test_functions_that_the_kernel_may_lack():
    body = """
if exists(bpf_task_from_pid):
    a = 1
    with bpf_task_from_pid(i32(args.x)) as task:
        if task is not None:
            b = u64(task.tgid)
"""
    spec = compiled(program(body, FUNCTIONS))
    assert spec.externs["bpf_task_from_pid"].weak
    with linux.load(spec) as loaded:
        loaded.programs["program"].test_run(ctx=os.getpid().to_bytes(8, "little"))
        assert (loaded.variables["a"].value, loaded.variables["b"].value) == (1, os.getpid())


def test_sections():
    body = """
with rcu():
    task = bpf.get_current_task_btf()
    for _ in range(3):
        with no_preemption():
            if task.tgid == 1:
                continue
            a += 1
    if args.x == 5:
        return 5
b = 1
"""
    assert run(body) == (0, 3, 1)
    assert run(body, x=5) == (5, 3, 0)


# --- iterators -----------------------------------------------------------------------------------

ITERATORS = "from ebee.kfuncs import bpf_iter_num, bpf_iter_task, bpf_iter_bits\n"


def test_loops_over_numbers():
    body = """
for i in bpf_iter_num(3, i32(args.x)):
    if i == 50:
        break
    if i % 2:
        continue
    a += u64(i)
else:
    b = 1
if b == 0:
    for i in bpf_iter_num(0, 4):
        for j in bpf_iter_num(0, i):
            if j == 2:
                return i32(100 + i)
            b += 1
"""
    assert run(body, ITERATORS, 20) == (0, sum(range(4, 20, 2)), 1)
    assert run(body, ITERATORS, 60) == (103, sum(range(4, 50, 2)), 5)
    assert run(body, ITERATORS, 3) == (0, 0, 1)


def test_loops_over_tasks():
    body = """
with rcu():
    for task in bpf_iter_task(None, 0):
        if task.tgid == i32(args.x):
            a = u64(task.pid)
            b = u64(task.real_parent.tgid)
            break
"""
    assert run(body, ITERATORS, os.getpid()) == (0, os.getpid(), os.getppid())


def test_loops_over_bits_groups_and_memory():
    head = """
from ebee.kfuncs import bpf_cgroup_from_id, bpf_iter_bits, bpf_iter_css, bpf_iter_task_vma
"""
    body = """
for bit in bpf_iter_bits(args, 1):
    a += u64(1) << u32(bit)
with bpf_cgroup_from_id(1) as root:
    if root is not None:
        with rcu():
            for css in bpf_iter_css(root.self, 4):
                b |= 1
for vma in bpf_iter_task_vma(bpf.get_current_task_btf(), 0):
    if vma.vm_start >= vma.vm_end:
        return 9
    b |= 2
"""
    assert run(body, head, 0b1011001) == (0, 0b1011001, 3)


def test_iterators_are_for_loops_only():
    assert "cannot be called here" in refused("a = bpf_iter_num(0, 5)", ITERATORS)


# --- references in maps --------------------------------------------------------------------------

KEPT = (
    FUNCTIONS
    + """
@struct
class Kept:
    task: Kptr[task_struct]
    count: u64

kept = Array[Kept](max_entries=1)
"""
)


def test_references_in_maps_are_exchanged():
    body = """
entry = kept.lookup(0)
if entry is None:
    return 1
with bpf_task_from_pid(i32(args.x)) as task:
    if task is None:
        return 2
    if entry.count == 1000:
        return 3
    with entry.task.exchange(task) as old:
        if old is not None:
            b += u64(old.pid)
with rcu():
    now = entry.task.get()
    if now is not None:
        a += u64(now.tgid)
if args.x == 1:
    with entry.task.exchange(None) as last:
        entry.count += 1 if last is not None else 0
"""
    me, parent = os.getpid(), os.getppid()
    with linux.load(compiled(program(body, KEPT))) as loaded:
        for number in (me, parent, 0x7FFF0000):
            loaded.programs["program"].test_run(ctx=number.to_bytes(8, "little"))
        assert loaded.variables["a"].value == me + parent
        assert loaded.variables["b"].value == me


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("entry.task.exchange(entry)", "`ptr[Kept]` where a task_struct is kept"),
        ("entry.task.exchange()", "`exchange` takes what is to be there"),
        ("entry.task.get(1)", "`get` takes no arguments"),
        (
            "for i in range(2):\n    with bpf_task_from_pid(1) as task:\n        if task is None:\n"
            "            return 0\n        for j in range(2):\n            a = 1\n"
            "            entry.task.exchange(task)",
            "a reference is given away inside a loop",
        ),
    ],
)
def test_wrong_exchanges(body, said):
    start = "entry = kept.lookup(0)\nif entry is None:\n    return 1\n"
    assert said in refused(start + body, KEPT)


# --- objects of programs -------------------------------------------------------------------------

QUEUE = """
from typing import Literal

@struct
class Job:
    id: u64
    node: ListNode

@struct
class Jobs:
    lock: SpinLock
    waiting: ListHead[Job, Literal["node"]]

jobs = Array[Jobs](max_entries=1)
"""

TREE = """
from typing import Literal

@struct
class Item:
    node: RbNode
    key: u64

@struct
class Items:
    lock: SpinLock
    sorted: RbRoot[Item, Literal["node"]]

items = Array[Items](max_entries=1)

@func
def less(one: ptr[Item], other: ptr[Item]) -> bool:
    return one.key < other.key
"""


def test_lists():
    body = """
entry = jobs.lookup(0)
if entry is None:
    return 1
for i in range(4):
    with new(Job) as job:
        if job is None:
            return 2
        job.id = args.x + i
        if i == 1:
            continue
        with entry.lock:
            if i == 3:
                entry.waiting.push_front(job)
            else:
                entry.waiting.push(job)
order = u64(0)
for i in range(4):
    with entry.lock:
        job = entry.waiting.pop()
    if job is None:
        break
    order = order * 10 + job.id
    drop(job)
a = order
with entry.lock:
    last = entry.waiting.pop_back()
if last is None:
    b = 1
else:
    drop(last)
"""
    assert run(body, QUEUE, 2) == (0, 524, 1)


def test_trees():
    body = """
entry = items.lookup(0)
if entry is None:
    return 1
for i in range(5):
    item = new(Item)
    if item is None:
        return 2
    item.key = args.x * (i + 1) % 11
    with entry.lock:
        entry.sorted.add(item, less)
order = u64(0)
for i in range(5):
    with entry.lock:
        least = entry.sorted.first()
        if least is None:
            return 3
        out = entry.sorted.remove(least)
    if out is None:
        return 4
    order = order * 16 + out.key
    drop(out)
a = order
"""
    keys = sorted(7 * (i + 1) % 11 for i in range(5))
    assert run(body, TREE, 7)[:2] == (0, int("".join(f"{k:x}" for k in keys), 16))


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("entry.waiting.push(entry)", "`ptr[Jobs]` where a Job is wanted"),
        ("entry.waiting.push()", "`entry.waiting.push` takes 1 argument"),
        ("entry.waiting.first()", "a ListHead has no `first`"),
        ("x = entry.waiting.pop(1)", "`entry.waiting.pop` takes no arguments"),
        ("x = new(u64)", "new of a `u64`, not a @struct"),
        ("drop(5)", "a `int` is no object of the program"),
        ("drop(new(Job))", "`new(Job)` may be None here"),
        ("with entry.lock:\n    with entry.lock:\n        pass", "a lock inside another one"),
    ],
)
def test_wrong_uses_of_objects(body, said):
    start = "entry = jobs.lookup(0)\nif entry is None:\n    return 1\n"
    assert said in refused(start + body, QUEUE)


def test_wrong_declarations_of_lists():
    with pytest.raises(TypeError, match=r"Job\.id is no ListNode"):
        define("from ebee import *\n" + QUEUE.replace('["node"]', '["id"]'))
    late = TREE.replace("    node: RbNode\n    key: u64", "    key: u64\n    node: RbNode")
    with pytest.raises(TypeError, match="it must be the first member"):
        define("from ebee import *\n" + late)


# --- memory of any size --------------------------------------------------------------------------


def test_slices_of_packets():
    text = """
from ebee import *
from ebee import bpf
from ebee.kfuncs import bpf_dynptr_adjust, bpf_dynptr_from_skb, bpf_dynptr_size, bpf_dynptr_slice
a: Global[u64] = 0
b: Global[u64] = 0

@tc
def program(ctx: SkbContext) -> TC:
    global a, b
    data = Dynptr()
    if bpf_dynptr_from_skb(ctx, 0, data) != 0:
        return TC.SHOT
    eth = bpf_dynptr_slice(data, 0, Ethernet())
    ip = bpf_dynptr_slice(data, 14, buffer=IPv4())
    if eth is None or ip is None:
        return TC.SHOT
    a = u64(eth.type) << 8 | ip.ttl
    copy = IPv4()
    if bpf.dynptr_read(copy, sizeof(IPv4), data, 14, 0) == 0 and copy.ttl == ip.ttl:
        b = u64(bpf_dynptr_size(data))
    if bpf_dynptr_adjust(data, 60, 64) == 0:
        b += 1000 * u64(bpf_dynptr_size(data))
    return TC.OK if bpf_dynptr_slice(data, 0, IPv4()) is None else TC.SHOT
"""
    packet = bytes(12) + b"\x08\x00" + bytes([0x45, 0, 0, 20, 0, 0, 0, 0, 64, 6]) + bytes(40)
    with linux.load(compiled(text)) as loaded:
        assert loaded.programs["program"].test_run(packet).retval == 0
        assert loaded.variables["a"].value == 0x0800 << 8 | 64
        assert loaded.variables["b"].value == len(packet) + 4000


# --- symbols and configuration -------------------------------------------------------------------


def configuration(name):
    data = gzip.decompress(Path("/proc/config.gz").read_bytes()).decode()
    found = re.search(rf"^{name}=(.*)$", data, re.M)
    return found and found[1]


@pytest.mark.skipif(not Path("/proc/config.gz").exists(), reason="no /proc/config.gz")
def test_configuration():
    head = """
CONFIG_HZ: Kconfig[u32]
CONFIG_BPF: Kconfig[bool]
CONFIG_NO_SUCH_OPTION: Kconfig[u64] = 0
LINUX_KERNEL_VERSION: Kconfig[u32]
"""
    body = """
a = u64(CONFIG_HZ) * 10 + (1 if CONFIG_BPF else 0) + CONFIG_NO_SUCH_OPTION
b = u64(LINUX_KERNEL_VERSION)
"""
    major, minor = (int(n) for n in os.uname().release.split(".")[:2])
    found = run(body, head)
    assert found[1] == int(configuration("CONFIG_HZ")) * 10 + 1
    assert found[2] >> 8 == major << 8 | minor


def test_options_that_must_be_there():
    spec = compiled(program("a = CONFIG_NO_SUCH_OPTION", "CONFIG_NO_SUCH_OPTION: Kconfig[u64]"))
    with pytest.raises((ObjectError, KernelError), match="CONFIG_NO_SUCH_OPTION"):
        linux.load(spec)


def address(name):
    found = re.findall(rf"^(\w+) \w {name}$", Path("/proc/kallsyms").read_text(), re.M)
    return int(found[0], 16) if found else 0


def test_symbols():
    head = "__start_rodata: Ksym[None]\nno_such_symbol: Ksym[None]\n"
    body = """
a = u64(__start_rodata)
if exists(no_such_symbol):
    b = 99
"""
    assert run(body, head) == (0, address("__start_rodata"), 0)


@pytest.mark.skipif(not address("runqueues"), reason="kallsyms has no data (KALLSYMS_ALL)")
def test_variables_of_each_cpu():
    body = """
mine = bpf.this_cpu_ptr(runqueues)
first = bpf.per_cpu_ptr(runqueues, 0)
if first is not None:
    b = u64(first.cpu) + 1
a = u64(mine.cpu < 1000)
"""
    assert run(body, "runqueues: Ksym[rq]\n") == (0, 1, 1)


def test_first_values_of_externs():
    message = refused("a = CONFIG_HZ", "CONFIG_HZ: Kconfig[u64] = 5")
    assert "what the kernel lacks is 0" in message
