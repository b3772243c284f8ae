"""Programs in Python at functions, tracepoints, security hooks and user programs: their typed
arguments and results are those that the process gave and got."""

import ctypes
import os
import shutil
import subprocess
import sys
from contextlib import suppress

import pytest

from ebee import linux
from ebee.errors import CompileError
from ebee.lang.bpf import build
from ebee.lang.source import define

pytestmark = pytest.mark.kernel
COVERS = (
    "hook:fentry", "hook:fexit", "hook:fmod_ret", "hook:lsm", "hook:lsm_cgroup", "hook:kprobe",
    "hook:ksyscall", "hook:kprobe.multi", "hook:uprobe", "hook:usdt", "hook:tracepoint",
    "hook:raw_tracepoint", "hook:tp_btf", "hook:iter", "hook:freplace", "hook:perf_event",
)  # fmt: skip

HEAD = """
from ebee import *
from ebee.vmlinux import task_struct

@struct
class Seen:
    count: u64
    first: i64
    second: i64
    result: i64

seen = Array[Seen](max_entries=1)
wanted: Global[u32] = 0

@func
def note(first: i64, second: i64, result: i64) -> None:
    place = seen.lookup(0)
    if place is not None and current.tgid == wanted:
        place.count += 1
        place.first = first
        place.second = second
        place.result = result

"""


class Tracer:
    """A program that notes what it was given while this process does something."""

    def __init__(self, text, name="program"):
        self.loaded = linux.load(build.compile(define(HEAD + text)[name]))
        if "wanted" in self.loaded.variables:
            self.loaded.variables["wanted"].value = os.getpid()
        self.program = self.loaded.programs[name]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.loaded.close()

    def sees(self, action, *target, **options):
        """What was noted during an action: count, first, second, result."""
        self.loaded.maps["seen"][0] = {"count": 0, "first": 0, "second": 0, "result": 0}
        with self.program.attach(*target, **options):
            action()
        found = self.loaded.maps["seen"][0]
        return tuple(found[n] for n in ("count", "first", "second", "result"))


def ask(pid):
    with suppress(OSError):
        os.getpgid(pid)


PID = 1


def test_a_function_s_arguments_by_btf(needs):
    """`p` has the type that the kernel's BTF says."""
    needs("fentry")
    with Tracer("""
@fentry("security_task_getpgid")
def program(p) -> None:
    note(i64(p.tgid), i64(p.pid), 0)
""") as tracer:
        assert tracer.sees(lambda: ask(PID)) == (1, PID, PID, 0)


def test_a_function_s_arguments_by_annotation_and_its_result(needs):
    needs("fexit")
    with Tracer("""
@fexit("security_task_getpgid")
def program(ctx: TraceContext, p: task_struct, result: i32) -> None:
    note(i64(p.tgid), i64(bpf.get_func_arg_cnt(ctx)), i64(result))
""") as tracer:
        assert tracer.sees(lambda: ask(PID)) == (1, PID, 1, 0)


def test_a_result_by_btf_wherever_it_stands(needs):
    needs("fexit")
    with Tracer("""
@fexit("security_task_getpgid")
def program(result, p) -> None:
    note(i64(p.tgid), 0, i64(result))
""") as tracer:
        assert tracer.sees(lambda: ask(PID)) == (1, PID, 0, 0)


def test_the_result_of_a_system_call_s_function(needs):
    needs("fexit")
    with Tracer(
        """
@fexit("FUNCTION")
def program(result: i64) -> None:
    note(0, 0, result)
""".replace("FUNCTION", "__x64_sys_getpgid")
    ) as tracer:
        assert tracer.sees(lambda: ask(0)) == (1, 0, 0, os.getpgid(0))
        assert tracer.sees(lambda: ask(1 << 22)) == (1, 0, 0, -3)


def test_another_result_in_place_of_a_function_s(needs):
    needs("fmod_ret")
    with Tracer("""
@fmod_ret("security_task_getpgid")
def program(p: task_struct) -> int:
    note(i64(p.tgid), 0, 0)
    return -13 if current.tgid == wanted else 0
""") as tracer:

        def denied():
            with pytest.raises(PermissionError):
                os.getpgid(PID)

        assert tracer.sees(denied) == (1, PID, 0, 0)
        os.getpgid(PID)


def test_a_security_hook_denies(needs):
    needs("lsm")
    with Tracer("""
@lsm("task_getpgid")
def program(p, before: i32) -> LSM:
    note(i64(p.tgid), i64(before), 0)
    return LSM.NO_ACCESS if current.tgid == wanted else LSM.ALLOW
""") as tracer:

        def denied():
            with pytest.raises(PermissionError):
                os.getpgid(PID)

        assert tracer.sees(denied) == (1, PID, 0, 0)


def test_a_security_hook_of_a_control_group(needs, cgroup):
    needs("lsm_cgroup")
    with Tracer("""
from ebee.vmlinux import sockaddr, socket

@lsm_cgroup("socket_bind")
def program(sock: socket, address: sockaddr, size: i32) -> Access:
    return Access.DENY if size == 16 and address.sa_family == AF_INET else Access.ALLOW
""") as tracer:
        code = (
            f"import socket, os; open('{cgroup}/cgroup.procs', 'w').write(str(os.getpid()));"
            " socket.socket(socket.AF_INET).bind(('127.0.0.1', 0))"
        )
        run = [sys.executable, "-c", code]
        with tracer.program.attach(str(cgroup)):
            assert b"PermissionError" in subprocess.run(run, capture_output=True).stderr
        assert subprocess.run(run, capture_output=True).returncode == 0


KPROBE = """
@kprobe("security_task_getpgid")
def program(ctx: RegistersContext, p: task_struct) -> None:
    note(i64(p.tgid), i64(ctx.rip != 0), 0)
"""


def test_a_kprobe_s_arguments(needs):
    needs("kprobe")
    with Tracer(KPROBE) as tracer:
        assert tracer.sees(lambda: ask(PID)) == (1, PID, 1, 0)


def test_a_kprobe_s_arguments_by_btf(needs):
    needs("kprobe")
    with Tracer(KPROBE.replace("p: task_struct", "p")) as tracer:
        assert tracer.sees(lambda: ask(PID)) == (1, PID, 1, 0)


def test_a_kretprobe_s_result(needs):
    needs("kprobe")
    with Tracer("""
@kretprobe("__x64_sys_getpgid")
def program(result: i64) -> None:
    note(0, 0, result)
""") as tracer:
        assert tracer.sees(lambda: ask(1 << 22)) == (1, 0, 0, -3)


def test_many_kprobes_at_once(needs):
    needs("kprobe.multi")
    text = KPROBE.replace("@kprobe(", "@kprobe_multi(").replace("task_getpgid", "task_getpgi*")
    with Tracer(text) as tracer:
        assert tracer.sees(lambda: ask(PID))[:2] == (1, PID)


def test_a_system_call_s_arguments(needs):
    needs("ksyscall")
    with Tracer("""
@ksyscall("setpriority")
def program(which: i32, who: u32, priority: i32) -> None:
    note(i64(which), i64(who), i64(priority))
""") as tracer:

        def action():
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, 1 << 22, -7)

        assert tracer.sees(action) == (1, 0, 1 << 22, -7)


@pytest.mark.parametrize(
    "head", ['@tp_btf("sys_enter")\ndef program(regs, number: i64)',
             '@raw_tracepoint("sys_enter")\ndef program(regs: u64, number: i64)'],
)  # fmt: skip
def test_arguments_of_raw_tracepoints(head):
    with Tracer(
        head
        + """ -> None:
    if number == 121:
        note(number, 0, 0)
"""
    ) as tracer:
        assert tracer.sees(lambda: ask(0)) == (1, 121, 0, 0)


@pytest.fixture
def tracefs():
    """Where formats of tracepoints can be read."""
    if not os.path.isdir("/sys/kernel/tracing/events"):
        pytest.skip("tracefs is not mounted")


def test_members_of_a_record_by_its_format(tracefs):
    with Tracer("""
from typing import Literal

@struct
class Name:
    text: array[char, Literal[16]]

@tracepoint("sched/sched_process_exec")
def program(ctx: Record) -> None:
    name = Name()
    length = bpf.probe_read_kernel_str(name, 16, ctx.filename)
    place = seen.lookup(0)
    if place is not None and name.text.startswith("/bin/true"):
        place.count += 1
        place.first = i64(ctx.pid)
        place.second = length
""") as tracer:
        child = []

        def action():
            made = subprocess.Popen(["/bin/true"])
            made.wait()
            child.append(made.pid)

        assert tracer.sees(action) == (1, child[0], 10, 0)


def test_members_of_a_system_call_s_record(tracefs):
    with Tracer("""
@tracepoint("syscalls/sys_enter_getpgid")
def program(ctx: Record) -> None:
    note(i64(ctx.pid), i64(ctx.__syscall_nr), 0)
""") as tracer:
        assert tracer.sees(lambda: ask(PID)) == (1, PID, 121, 0)


LIBRARY = r"""
__attribute__((noinline)) long ebee_add(int a, long b) { __asm__ volatile(""); return a + b; }
__attribute__((noinline)) long ebee_mark(int a, long b)
{
    __asm__ volatile("990: nop\n.pushsection .note.stapsdt,\"\",\"note\"\n.balign 4\n"
        ".4byte 992f-991f,994f-993f,3\n991: .asciz \"stapsdt\"\n992: .balign 4\n"
        "993: .8byte 990b\n.8byte 0\n.8byte 0\n.asciz \"ebee\"\n.asciz \"mark\"\n"
        ".asciz \"-4@%[a] 8@%[b] -1@$-3\"\n994: .balign 4\n.popsection"
        :: [a] "nor"(a), [b] "nor"(b));
    return a;
}
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    if not shutil.which("gcc"):
        pytest.skip("needs gcc")
    folder = tmp_path_factory.mktemp("bpf")
    (folder / "own.c").write_text(LIBRARY)
    command = ["gcc", "-O1", "-fPIC", "-shared", "own.c", "-o", "libown.so"]
    subprocess.run(command, cwd=folder, check=True)
    return folder / "libown.so"


def own(library):
    made = ctypes.CDLL(str(library))
    for f in (made.ebee_add, made.ebee_mark):
        f.argtypes, f.restype = (ctypes.c_int, ctypes.c_long), ctypes.c_long
    return made


def test_a_user_function_s_arguments_and_result(library):
    text = '@uprobe("LIB:ebee_add")\ndef program(a: i32, b: i64) -> None:\n    note(i64(a), b, 0)\n'
    with Tracer(text.replace("LIB", str(library))) as tracer:
        assert tracer.sees(lambda: own(library).ebee_add(-4, 1 << 40)) == (1, -4, 1 << 40, 0)
    text = '@uretprobe("LIB:ebee_add")\ndef program(result: i64) -> None:\n    note(0, 0, result)\n'
    with Tracer(text.replace("LIB", str(library))) as tracer:
        assert tracer.sees(lambda: own(library).ebee_add(-4, 46)) == (1, 0, 0, 42)


def test_a_marker_s_arguments(library):
    text = """
@usdt("LIB:ebee:mark")
def program(a: i32, b: i64, c: i8) -> None:
    note(i64(a), b, i64(c))
"""
    with Tracer(text.replace("LIB", str(library))) as tracer:
        assert tracer.sees(lambda: own(library).ebee_mark(-4, 1 << 40)) == (1, -4, 1 << 40, -3)


def test_an_iterator_goes_over_tasks():
    text = """
@iterator("task")
def program(meta, task: task_struct | None) -> Iter:
    if task is None:
        return Iter.NEXT
    if u32(task.pid) == wanted:
        place = seen.lookup(0)
        if place is not None:
            place.count += 1
            place.first = i64(task.tgid)
    return Iter.NEXT
"""
    with Tracer(text) as tracer:
        link = tracer.program.attach()
        with link:
            assert link.read() == b""
        found = tracer.loaded.maps["seen"][0]
        assert (found["count"], found["first"]) == (1, os.getpid())


def test_samples_of_a_counter():
    text = """
@perf_event
def program(ctx: PerfEventContext) -> None:
    note(i64(ctx.sample_period), 0, 0)
"""

    def work():
        for i in range(3_000_000):
            i * i

    with Tracer(text) as tracer:
        count, period, *_ = tracer.sees(work, event="cpu-clock", period=1_000_000, pid=0)
        assert count > 0
        assert period == 1_000_000


REPLACED = """
from ebee import *

@func(separate=True)
def verdict(length: u32) -> u32:
    return 2 if length > 10 else 1

@xdp
def program(ctx: XdpContext) -> XDP:
    return verdict(ctx.packet().remaining())
"""

REPLACING = """
from ebee import *

@freplace("verdict")
def other(length: u32) -> u32:
    return 3 if length == 64 else 0
"""


def test_a_function_of_another_program_is_replaced(needs):
    needs("freplace")
    target = build.compile(define(REPLACED)["program"])
    with linux.load(target) as one:
        run = one.programs["program"].test_run
        assert run(bytes(64)).retval == 2
        spec = build.compile(define(REPLACING)["other"])
        targets = {"other": one.programs["program"]}
        with linux.load(spec, targets=targets) as two, two.programs["other"].attach():
            assert run(bytes(64)).retval == 3
        assert run(bytes(64)).retval == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('@fentry("security_task_getpgid")\ndef program(p, more) -> None: ...', "1 arguments: p"),
        ('@fentry("no_such_function_at_all")\ndef program(p) -> None: ...', "do not know"),
        ('@kprobe("do_exit")\ndef program(result: i64) -> None: ...', "before there is a result"),
        ('@kretprobe("do_exit")\ndef program(code: i64) -> None: ...', "arguments are gone"),
        ('@kprobe("do_exit")\ndef program(a: i64, ctx: RegistersContext) -> None: ...', "first"),
        ('@fentry("security_task_getpgid")\ndef program(p: u32) -> None: ...',
         "`p` is declared as `u32`: it is a `ptr.task_struct.`"),
        ('from ebee.vmlinux import sock\n@fentry("security_task_getpgid")\n'
         "def program(p: sock) -> None: ...", "it is a `ptr.task_struct.`"),
        ('@kprobe("do_exit")\ndef program(code: i32) -> None: ...', "of 8 bytes"),
        ('@lsm("file_mprotect")\ndef program(a: u64, b: u64, c: u64, d: i32, e: u64) -> LSM:\n'
         "    return LSM.ALLOW", "has 3 arguments"),
        ('@kprobe("do_exit+0x10")\ndef program(code: i64) -> None: ...', "may be anywhere"),
        ('@kprobe("do_exit")\ndef program(code, more) -> None: ...', "1 arguments: code"),
        ('@kprobe("do_exit")\ndef program(c: RegistersContext, code, more) -> None: ...',
         "1 arguments: code"),
        ('@kprobe("do_exit")\ndef program(ctx: XdpContext) -> None: ...', "is no `XdpContext`"),
        ('@tracepoint("no/such")\ndef program(ctx: Record) -> None: ...', "not known here"),
        ('@lsm("file_open")\ndef program(f: u64) -> XDP:\n    return XDP.DROP', "no result of lsm"),
        ('@kprobe("f")\n' f"def program({', '.join(f'a{i}: u64' for i in range(7))}) -> None: ...",
         "6 arguments in registers"),
    ],
)  # fmt: skip
def test_what_makes_no_sense(text, said):
    with pytest.raises(CompileError, match=said):
        build.compile(define(HEAD + text)["program"])
