"""Members of the kernel's structs in Python: what programs read is what /proc says, whatever layout
they were compiled with."""

import os
import random
from contextlib import contextmanager
from pathlib import Path

import pytest

from ebee import linux
from ebee.btf import Btf, BtfBuilder, Composite, Struct
from ebee.lang.bpf import build, kernel_source
from ebee.lang.source import define

pytestmark = pytest.mark.kernel
COVERS = ("helper:get_current_task_btf", "helper:get_current_task", "helper:probe_read_kernel_str")
DIRECT = "bpf.get_current_task_btf()"
PROBED = "cast(task_struct, bpf.get_current_task())"


def program(body, imports="task_struct", head="", names=()):
    lines = "".join(f"    {line}\n" for line in body.strip("\n").splitlines())
    declared = "".join(f"{n}: Global[u64] = 0\n" for n in ("a", "b", "c", "d", *names))
    return (
        f"from ebee import *\nfrom ebee import bpf\nfrom ebee.vmlinux import {imports}\n"
        "@struct\nclass Args:\n    x: u64\n"
        f"comm: Global[array[char, 16]] = 0\n{declared}{head}\n"
        f"@syscall\ndef program(args: Args) -> int:\n"
        f"    global comm, a, b, c, d{''.join(f', {n}' for n in names)}\n{lines}    return 0\n"
    )


def compiled(text):
    return build.compile(define(text)["program"])


def run(text, spec=None):
    """The program's variables after it has run once in this process."""
    with linux.load(spec or compiled(text)) as loaded:
        result = loaded.programs["program"].test_run(ctx=bytes(8))
        values = {name: v.value for name, v in loaded.variables.items()}
    return values | {"returned": result.retval}


@contextmanager
def reset_on_fork():
    """A bit field of this process that is 1."""
    zero = os.sched_param(0)
    os.sched_setscheduler(0, os.SCHED_OTHER | os.SCHED_RESET_ON_FORK, zero)
    try:
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, zero)


@contextmanager
def types_of(path):
    """Compile with the types of a file."""
    os.environ[kernel_source.VARIABLE] = str(path)
    try:
        yield
    finally:
        del os.environ[kernel_source.VARIABLE]


MEMBERS = """
task = {task}
a = u64(task.tgid)
b = u64(task.real_parent.tgid)
c = u64(task.cred.uid.val) * 1000 + task.cred.egid.val
d = u64(task.comm[0]) << 8 | task.comm[1]
flags = task.in_execve + task.sched_reset_on_fork * 2
n = u64(task.nsproxy.net_ns.ns.inum)
"""


def check_members(got):
    name = Path("/proc/self/comm").read_text()
    assert got["a"] == os.getpid()
    assert got["b"] == os.getppid()
    assert got["c"] == os.getuid() * 1000 + os.getegid()
    assert got["d"] == ord(name[0]) << 8 | ord(name[1])
    assert got["flags"] == 2 * bool(os.sched_getscheduler(0) & os.SCHED_RESET_ON_FORK)
    assert got["n"] == os.stat("/proc/self/ns/net").st_ino


@pytest.mark.parametrize("task", [DIRECT, PROBED], ids=["direct", "probed"])
def test_members_are_what_proc_says(task):
    spec = compiled(program(MEMBERS.format(task=task), names=("flags", "n")))
    check_members(run("", spec))
    with reset_on_fork():
        check_members(run("", spec))


# --- other layouts -------------------------------------------------------------------------------

MOVED = ("kuid_t", "nsproxy", "ns_common", "cred", "net", "task_struct")


def moved(seed):
    """The bundled types, the members of some structs in another order, at other places."""
    rng, btf = random.Random(seed), Btf.bundled()
    builder = BtfBuilder.edit(btf)
    for name in MOVED:
        found = btf.get(name, Struct)
        if found is None:
            continue
        members, at = list(found.members), rng.randrange(0, 9)
        rng.shuffle(members)
        made = []
        for m in members:
            bits = btf.bitfield(m)[1]
            size = builder.build().sizeof(m.type) if name == "task_struct" and not bits else 4
            size = size if not bits else 4
            size = max(size, btf.sizeof(m.type))
            inside = rng.randrange(0, 32 - bits) if bits else 0
            made.append(m._replace(offset=at * 64 + inside))
            at += (size + 7) // 8 + rng.randrange(0, 2)
        builder.set(found.id, found._replace(members=tuple(made), size=at * 8))
    return builder.bytes()


def test_programs_fit_kernels_of_other_layouts(tmp_path):
    for seed in range(3):
        path = tmp_path / f"moved{seed}.btf"
        path.write_bytes(moved(seed))
        other = Btf.load(path)
        for task in (DIRECT, PROBED):
            text = program(MEMBERS.format(task=task), names=("flags", "n"))
            with types_of(path):
                spec = compiled(text)
            place = spec.btf.find("task_struct", Struct)
            there = {m.name: m.offset for m in other.find("task_struct", Composite).members}
            assert {m.name: m.offset for m in place.members} == {
                m.name: there[m.name] for m in place.members
            }
            with reset_on_fork():
                check_members(run(text, spec))


def test_kept_objects_are_of_the_types_at_hand(tmp_path):
    source, places = tmp_path / "program.py", []
    source.write_text(program(f"a = u64({DIRECT}.tgid)"))
    for seed in (11, 12, 11):
        path = tmp_path / f"moved{seed}.btf"
        if not path.exists():
            path.write_bytes(moved(seed))
        with types_of(path):
            spec = build.compile(source)
        places.append(spec.btf.find("task_struct", Struct).members[0].offset)
    assert places[0] == places[2] != places[1]


# --- text, pointers, arrays ----------------------------------------------------------------------


@pytest.mark.parametrize("task", [DIRECT, PROBED], ids=["direct", "probed"])
def test_text(task):
    name = Path("/proc/self/comm").read_text().strip()
    got = run(
        program(f"""
task = {task}
comm = task.comm
a = u64(task.comm == "{name}") + u64(task.comm.startswith("{name[:2]}")) * 2
b = u64(task.comm == "another")
total = u64(0)
for letter in task.comm:
    total += letter
c = total
i = total & 15
d = u64(task.comm[i])
""")
    )
    assert got["comm"] == name
    assert (got["a"], got["b"]) == (3, 0)
    letters = name.encode().ljust(16, b"\0")
    assert got["c"] == sum(letters)
    assert got["d"] == letters[sum(letters) & 15]


@pytest.mark.parametrize("task", [DIRECT, PROBED], ids=["direct", "probed"])
def test_pointers_that_may_be_none_and_chains(task):
    got = run(
        program(f"""
task = {task}
a = 1 if task.mm is not None else 0
init = task
for _ in range(40):
    if init is None or init.tgid == 1:
        break
    init = init.real_parent
if init is not None:
    b = u64(init.tgid)
se = task.se
c = se.vruntime
files = task.files.fdt
d = u64(files.max_fds)
""")
    )
    assert got["a"] == 1
    assert got["b"] == 1
    assert got["c"] > 0
    assert got["d"] >= 64


def test_addresses_that_cannot_be_read_read_as_zero():
    got = run(
        program("""
task = cast(task_struct, u64(64))
a = u64(task.pid) + task.real_parent.tgid + task.in_execve + task.comm[2]
""")
    )
    assert got["a"] == 0


@pytest.mark.parametrize("task", [DIRECT, PROBED], ids=["direct", "probed"])
def test_text_behind_pointers(task):
    exe = Path(os.readlink("/proc/self/exe")).name
    text = program(
        f"""
named.name = {task}.mm.exe_file.f_path.dentry.d_name.name
at = {task}.mm.exe_file.f_path.dentry.d_name.name
a = u64(at[1])
b = u64(named.name == "{exe}")
""",
        head="@struct\nclass Named:\n    name: array[char, 32]\n",
    ).replace("    named.name =", "    named = Named()\n    named.name =")
    got = run(text)
    assert got["a"] == ord(exe[1])
    assert got["b"] == 1


# --- facts about the kernel ----------------------------------------------------------------------


def test_sizes_and_offsets_are_the_kernels(tmp_path):
    path = tmp_path / "moved.btf"
    path.write_bytes(moved(7))
    with types_of(path):
        spec = compiled(
            program("""
a = u64(sizeof(task_struct))
b = offsetof(task_struct, "cred")
c = offsetof(task_struct, "comm[3]")
d = offsetof(task_struct, "se.vruntime")
""")
        )
    got, btf = run("", spec), Btf.vmlinux()
    task = btf.find("task_struct", Struct)
    at = {m.name: m for m in task.members}
    inside = {m.name: m for m in btf.resolve(at["se"].type).members}
    assert got["a"] == task.size
    assert got["b"] == at["cred"].offset // 8
    assert got["c"] == at["comm"].offset // 8 + 3
    assert got["d"] == (at["se"].offset + inside["vruntime"].offset) // 8


def altered():
    """The bundled types with what no kernel has: a member, an enumerator, a struct."""
    btf = Btf.bundled()
    builder = BtfBuilder.edit(btf)
    task = btf.find("task_struct", Struct)
    pid = next(m for m in task.members if m.name == "pid")
    extra = pid._replace(name="of_another_kernel", offset=task.size * 8)
    builder.set(task.id, task._replace(members=(*task.members, extra), size=task.size + 8))
    kinds = btf.get("bpf_map_type")
    more = kinds.values[1]._replace(name="BPF_MAP_TYPE_OF_ANOTHER_KERNEL", value=999)
    swapped = kinds.values[1]._replace(value=777)
    values = (kinds.values[0], swapped, *kinds.values[2:], more)
    builder.set(kinds.id, kinds._replace(values=values))
    builder.add(Struct("struct_of_another_kernel", 8, (pid._replace(name="x", offset=0),)))
    return builder.bytes()


def test_exists(tmp_path):
    path = tmp_path / "altered.btf"
    path.write_bytes(altered())
    with types_of(path):
        spec = compiled(program(f"""
task = {DIRECT}
probed = {PROBED}
a = 1
if exists(task.of_another_kernel):
    a = 2 + u64(task.of_another_kernel) + probed.of_another_kernel
for i in range(3):
    if exists(probed.of_another_kernel):
        a += u64(probed.of_another_kernel)
if exists(task.pid) and exists(probed.cred.uid):
    b = u64(task.pid)
if exists(struct_of_another_kernel):
    c += 1
if exists(task_struct):
    c += 2
if exists(bpf_map_type.BPF_MAP_TYPE_OF_ANOTHER_KERNEL):
    d += 1000 + enum_value(bpf_map_type.BPF_MAP_TYPE_OF_ANOTHER_KERNEL)
if exists(bpf_map_type.BPF_MAP_TYPE_HASH):
    d += enum_value(bpf_map_type.BPF_MAP_TYPE_HASH)
""", "task_struct, struct_of_another_kernel, bpf_map_type"))  # fmt: skip
    got = run("", spec)
    assert (got["a"], got["c"], got["d"]) == (1, 2, 1)
    assert got["b"] > 0


def test_questions_about_what_is_behind_pointers():
    got = run(
        program(f"""
if exists({PROBED}.real_parent.cred.uid) and exists({DIRECT}.cred.user.uid):
    a = u64({PROBED}.real_parent.tgid)
""")
    )
    assert got["a"] == os.getppid()


def test_many_rounds_read_members():
    got = run(
        program(f"""
task = {DIRECT}
probed = {PROBED}
for i in range(300000):
    if task is None:
        break
    a += u64(task.tgid) + probed.tgid
    b = u64(task.comm[i & 15])
""")
    )
    assert got["a"] == 600000 * os.getpid()


def test_container_of():
    got = run(program(f"""
task = {DIRECT}
around = container_of(task.se, task_struct, "se")
a = u64(around.tgid)
b = u64(container_of(around.cred, cred, "usage").uid.val)
""", "task_struct, cred"))  # fmt: skip
    assert (got["a"], got["b"]) == (os.getpid(), os.getuid())


def test_functions_take_pointers_of_the_kernel():
    text = program(
        f"""
a = ids({DIRECT})
b = ids({PROBED})
c = none(None) + none({DIRECT})
d = apart({DIRECT}, 5)
""",
        head="""
@func
def ids(task: task_struct) -> u64:
    return u64(task.tgid) + parent(task).tgid

@func
def parent(task: task_struct) -> task_struct:
    return task.real_parent

@func
def none(task: task_struct | None) -> u64:
    return 7 if task is None else u64(task.tgid)

@func(inline=False)
def apart(task: task_struct, x: u64) -> u64:
    return u64(task.tgid) + x
""",
    )
    got = run(text)
    assert got["a"] == got["b"] == os.getpid() + os.getppid()
    assert got["c"] == 7 + os.getpid()
    assert got["d"] == os.getpid() + 5
