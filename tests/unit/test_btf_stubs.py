"""Stubs of kernels' types: what they say, and that type checkers take them."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ebee.btf import Btf, BtfBuilder, Int, Member, Ptr, Struct, Union
from ebee.btf.stubs import Stubs, functions

pytestmark = pytest.mark.unit
ROOT = Path(__file__).parents[2]


def lines_of(text, name):
    tree = ast.parse(text)
    found = next(n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == name)
    return [ast.unparse(n) for n in found.body]


def test_those_that_ship_are_those_of_the_bundled_types():
    script = ROOT / "scripts" / "gen_vmlinux.py"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_members_of_structs():
    text = Stubs(Btf.bundled()).text()
    task = lines_of(text, "task_struct")
    for line in ("pid: i32", "real_parent: task_struct", "comm: array[char, Literal[16]]",
                 "thread_info: _v.thread_info", "throttled: bool", "loginuid: kuid_t"):  # fmt: skip
        assert line in task
    assert "skc_dport: u16" in lines_of(text, "sock_common")  # in structs without a name
    assert "BPF_MAP_TYPE_HASH = 1" in lines_of(text, "bpf_map_type")


def test_words_of_python_and_names_of_types():
    b = BtfBuilder()
    u32 = b.add(Int("unsigned int", 4))
    inner = b.add(Struct("", 4, (Member("x", u32, 0),)))
    whole = b.reserve()
    members = (Member("class", u32, 0), Member("u32", u32, 32), Member("inner", inner, 64),
               Member("me", b.add(Ptr(whole)), 128), Member("not valid", u32, 192))  # fmt: skip
    b.set(whole, Struct("odd", 32, members))
    b.add(Union("empty", 0, ()))
    text = Stubs(b.build()).text()
    assert lines_of(text, "odd") == [
        "class_: _t.u32", "u32: _t.u32", "class inner_t(KernelStruct):\n    x: u32",
        "inner: inner_t", "me: odd",
    ]  # fmt: skip
    assert lines_of(text, "empty") == ["..."]


def test_functions_and_iterators():
    text = functions(Btf.bundled())
    ast.parse(text)
    assert "def bpf_task_from_pid(pid: int) -> vmlinux.task_struct: ..." in text
    assert "def bpf_iter_num(start: int, end: int) -> Iterator[int]: ..." in text
    assert "bpf_iter_num_next" not in text


PROGRAM = """
from ebee import exists, func, rcu, tp_btf, u32
from ebee.kfuncs import bpf_iter_task, bpf_task_from_pid
from ebee.vmlinux import linux_binprm, task_struct


@func
def depth(task: task_struct | None) -> u32:
    return u32(0) if task is None else u32(task.real_parent.pid)


@tp_btf("sched_process_exec")
def program(task: task_struct, old: int, binary: linux_binprm) -> None:
    with bpf_task_from_pid(task.tgid) as parent:
        if parent is not None and exists(parent.loginuid):
            depth(parent)
    with rcu():
        for thread in bpf_iter_task(task, 1):
            if thread.comm == "sh":
                break
"""


def test_type_checkers_see_members(tmp_path):
    good, bad = tmp_path / "good.py", tmp_path / "bad.py"
    good.write_text(PROGRAM)
    bad.write_text(PROGRAM.replace("task.real_parent.pid", "task.real_parent.pidd"))
    command = [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache")]
    ran = [subprocess.run([*command, str(p)], capture_output=True, text=True, cwd=ROOT,
                          env={**os.environ, "MYPYPATH": "src"}) for p in (good, bad)]  # fmt: skip
    assert ran[0].returncode == 0, ran[0].stdout
    assert '"task_struct" has no attribute "pidd"' in ran[1].stdout


def test_the_command_writes_both(tmp_path):
    from click.testing import CliRunner

    from ebee.cli.btf import btf

    path = tmp_path / "few.btf"
    b = BtfBuilder()
    u32 = b.add(Int("unsigned int", 4))
    b.add(Struct("pair", 8, (Member("a", u32, 0), Member("b", u32, 32))))
    path.write_bytes(b.bytes())
    done = CliRunner().invoke(btf, ["stubs", str(path), "-o", str(tmp_path / "typings")])
    assert done.exit_code == 0, done.output
    folder = tmp_path / "typings" / "ebee-stubs"
    assert lines_of((folder / "vmlinux.pyi").read_text(), "pair") == ["a: u32", "b: u32"]
    assert "def " not in (folder / "kfuncs.pyi").read_text().replace("def __getattr__", "")
