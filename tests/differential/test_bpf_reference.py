"""Every example of docs/language.md: functions three ways, programs on the machine and in the
kernel."""

import errno
import os
import random
import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from threeway import ThreeWay, rows

from ebee import hooks, linux
from ebee.errors import KernelError
from ebee.lang.bpf import build
from ebee.lang.source import define
from ebee.machine.machine import Machine

pytestmark = pytest.mark.differential

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "language.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.S)
FUNCTIONS = [b for b in BLOCKS if "def example(" in b]
PROGRAMS = [b for b in BLOCKS if "def program(" in b]
CLASSES = [b for b in BLOCKS if "@struct_ops(" in b]


def title(block):
    return next(line for line in block.splitlines() if line and "import" not in line)[:40]


def test_every_block_is_one_or_the_other():
    assert len(FUNCTIONS) + len(PROGRAMS) + len(CLASSES) == len(BLOCKS) >= 20
    assert all(re.search(r"^# example\(.*\) == ", b, re.M) for b in FUNCTIONS)


@pytest.mark.parametrize("block", FUNCTIONS, ids=title)
def test_functions_mean_the_same_everywhere(block):
    stated = re.findall(r"^# example\((.*)\) == (-?\d+)$", block, re.M)
    with ThreeWay(block, "example") as way:
        for arguments, result in stated:
            assert way.agree(*(int(a) for a in arguments.split(","))) == int(result)
        way.check(rows(way.types, random.Random(block), 4 if "20000" in block else 25))


@pytest.mark.parametrize("block", PROGRAMS, ids=title)
def test_programs_run(block):
    spec = build.compile(define("from ebee import *\n" + block)["program"])
    hook = hooks.by_name(spec.programs["program"].hook)
    functions = [*spec.programs.values(), *spec.functions.values()]
    kernels = any(ref.kind == "kfunc" for function in functions for ref in function.refs)
    if "machine" not in hook.missing and not kernels:
        with Machine() as machine:
            machine.load(spec).programs["program"].test_run(bytes(64))
    if os.geteuid() == 0:
        with in_kernel(spec) as loaded:
            if hook.name in ("xdp", "tc", "cgroup_skb"):
                loaded.programs["program"].test_run(bytes(64))


@pytest.mark.parametrize("block", CLASSES, ids=title)
def test_interfaces_are_registered(block):
    name = re.search(r"^class (\w+)", block, re.M)[1]
    spec = build.compile(define("from ebee import *\n" + block)[name])
    if os.geteuid() == 0:
        with in_kernel(spec) as loaded, loaded.maps[name].attach():
            pass


def in_kernel(spec):
    """The object in the kernel; skipped where a policy forbids what is there (the machine of the
    tests has no fentry), or what it reads is not there."""
    try:
        return linux.load(spec)
    except KernelError as error:
        if error.errno == errno.EPERM:
            pytest.skip(str(error).splitlines()[0])
        raise
