"""What is said to those who write about types and functions of the kernel that are not so. With the
types that come with ebee."""

import pytest

from ebee.btf import Btf
from ebee.errors import CompileError
from ebee.lang.bpf import build, kernel_source, modules
from ebee.lang.source import define

pytestmark = pytest.mark.unit

HEAD = """\
from ebee import *
from ebee import bpf
from ebee.kfuncs import bpf_cpumask_create, bpf_iter_num, bpf_rcu_read_lock, bpf_task_from_pid
from ebee.kfuncs import bpf_xdp_ct_lookup
from ebee.vmlinux import bpf_map_type, sk_buff, sock, task_struct

"""


@pytest.fixture(autouse=True)
def bundled(monkeypatch):
    """As where there is no kernel with BTF."""
    monkeypatch.setattr(kernel_source, "_first", lambda path: Btf.bundled())
    monkeypatch.setattr(kernel_source, "_find", kernel_source._find.__wrapped__)


def said(body, hook='tp_btf("sched_process_exit")', arguments="task: task_struct", head=""):
    lines = "".join(f"    {line}\n" for line in body.strip("\n").splitlines())
    text = f"{HEAD}{head}@{hook}\ndef program({arguments}) -> None:\n{lines}"
    with pytest.raises(CompileError) as error:
        build.compile(define(text)["program"])
    first, *_, last = str(error.value).splitlines()
    place, _, message = first.partition(": ")
    column = int(place.rpartition(":")[2])
    wrong = text.splitlines()[int(place.split(":")[1]) - 1][column - 1 :]
    return wrong, message, last.removeprefix("way out: ")


MEMBERS = {
    "x = task.pidd": (
        "task.pidd",
        "`task_struct` of the bundled BTF (Linux 6.18, x86_64) has no member `pidd`",
        "there is pid; of other kernels: a flavour, task_struct___other",
    ),
    "x = task.pid.value": ("task.pid.value", "`i32` has no member `value`", None),
    "x = task.comm[16]": (
        "task.comm[16]",
        "the index may be outside the array of 16: it is 16..16",
        "compare it first (`if i < 16:`), or take `i % 16`",
    ),
    "x = task.comm[task.pid]": (
        "task.comm[task.pid]",
        "the index may be outside the array of 16",
        None,
    ),
    "x = task.se[0]": ("task.se[0]", "`task.se` has no elements", None),
    "task.in_execve = 1": (
        "task.in_execve",
        "`task.in_execve` cannot be assigned",
        "only whole numbers can",
    ),
    "task.real_parent = task": ("task.real_parent", "`task.real_parent` cannot be assigned", None),
    "cast(task_struct, u64(5)).pid = 1": (
        "cast(task_struct, u64(5)).pid",
        "`cast(task_struct, u64(5)).pid` is memory of the kernel, which programs read only",
        "struct_ops programs may change some members",
    ),
    "p = task\nfor i in range(3):\n    p = cast(task_struct, u64(i))": (
        "p = cast",
        "`p` is a pointer that the verifier knows, and this is any address",
        "let it begin as any, too: p = cast(ptr[task_struct], ...)",
    ),
    "x = task_struct()": ("task_struct()", "`task_struct` cannot be called here", None),
}

QUESTIONS = {
    "x = exists(5)": (
        "exists(5)",
        "`5` is nothing that kernels have or have not",
        "exists(task.loginuid), of a type, an enumerator or a kernel function",
    ),
    "x = exists(task)": ("exists(task)", "`task` is nothing that kernels have or have not", None),
    "x = enum_value(5)": (
        "enum_value(5)",
        "`5` is no enumerator",
        "enum_value(bpf_map_type.BPF_MAP_TYPE_HASH)",
    ),
    "x = enum_value(XDP.DROP)": (
        "enum_value(XDP.DROP)",
        "XDP is no enumeration of the kernel",
        "from ebee.vmlinux import bpf_map_type",
    ),
    'x = offsetof(task_struct, "pidd")': ('"pidd"', "`task_struct` of the bundled BTF", None),
    'x = offsetof(task_struct, "real_parent.pid")': (
        '"real_parent.pid"',
        "'real_parent.pid' is no place inside task_struct",
        None,
    ),
    "x = offsetof(task_struct, task)": ("task)", "the member is named by a text", '"se.vruntime"'),
    'x = container_of(5, task_struct, "se")': ("5", "`int` is no pointer into it", None),
    'x = container_of(task.se, u64, "se")': ("u64", "`u64` is no struct of the kernel", None),
}

FUNCTIONS = {
    "x = bpf_task_from_pid()": (
        "bpf_task_from_pid()",
        "`bpf_task_from_pid` takes 1 argument, not 0",
        "its parameters: pid",
    ),
    "x = bpf_task_from_pid(p=1)": (
        "bpf_task_from_pid(p=1)",
        "`bpf_task_from_pid` has no parameter `p`",
        "its parameters: pid",
    ),
    "x = bpf_task_from_pid(task)": (
        "task)",
        "argument `pid` is a `ptr[task_struct]`, not a number",
        None,
    ),
    "x = bpf_task_from_pid(1).pid": (
        "bpf_task_from_pid(1).pid",
        "`bpf_task_from_pid(1)` may be None here",
        None,
    ),
    "with bpf_rcu_read_lock() as x:\n    pass": (
        "bpf_rcu_read_lock()",
        "`bpf_rcu_read_lock` gives nothing that would be given back",
        "call it plainly",
    ),
    "with bpf_task_from_pid(1):\n    pass": (
        "bpf_task_from_pid(1)",
        "the reference needs a name",
        "with bpf_task_from_pid(1) as thing:",
    ),
    "with rcu() as x:\n    pass": ("rcu()", "`rcu()` takes and gives nothing", "with rcu():"),
    "for i in bpf_iter_num(1):\n    pass": (
        "bpf_iter_num(1)",
        "`bpf_iter_num` takes 2 arguments, not 1",
        None,
    ),
    "with bpf_task_from_pid(1) as x:\n    pass\ny = x": (
        "x",
        "`x` may not have a value here",
        None,
    ),
}


@pytest.mark.parametrize("body", [*MEMBERS, *QUESTIONS, *FUNCTIONS])
def test_what_is_said(body):
    where, message, way_out = (MEMBERS | QUESTIONS | FUNCTIONS)[body]
    wrong, text, way = said(body)
    assert wrong.startswith(where)
    assert text.startswith(message)
    if way_out is not None:
        assert way == way_out


def test_functions_of_other_hooks():
    text = f"{HEAD}@socket_filter\ndef program(ctx: SkbContext) -> int:\n"
    with pytest.raises(CompileError) as error:
        build.compile(define(f"{text}    x = bpf_task_from_pid(1)\n    return 0\n")["program"])
    first, *_, last = str(error.value).splitlines()
    text, way = first.partition(": ")[2], last.removeprefix("way out: ")
    assert text == "socket_filter programs cannot call `bpf_task_from_pid`"
    assert way == "it is for: cgroup, struct_ops, syscall, tc, tracing, xdp"


def test_names_that_no_kernel_has(tmp_path):
    path = tmp_path / "program.py"
    path.write_text("from ebee import *\nfrom ebee.vmlinux import task_strukt\n")
    with pytest.raises(CompileError) as error:
        modules.load(path)
    assert str(error.value) == (
        f"{path}:2: ImportError: the bundled BTF (Linux 6.18, x86_64) has no type 'task_strukt';"
        " did you mean task_struct?"
    )


def test_separate_functions_take_only_pointers_that_the_kernel_vouches_for():
    head = "@func(separate=True)\ndef f(task: task_struct | None) -> u32:\n    return 1\n\n"
    _, text, _ = said("x = f(cast(task_struct, u64(5)))", head=head)
    assert "argument `task` is an address that the kernel does not vouch for" in text
