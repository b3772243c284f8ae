"""The programs of the guides for those who come from elsewhere: compiled, loaded into the kernel,
and run where it lets them be run; the tables name only what there is."""

import os
import re
import sys
from pathlib import Path

import pytest

import ebee
from ebee import hooks
from ebee.lang.bpf import build
from ebee.lang.bpf.current import PARTS
from ebee.lang.source import define
from ebee.machine.machine import Machine

sys.path.insert(0, str(Path(__file__).parent))

from test_bpf_reference import in_kernel

pytestmark = pytest.mark.differential

PAGES = sorted((Path(__file__).parents[2] / "docs").glob("from-*.md"))
PROGRAMS = [
    pytest.param(block, id=f"{page.stem}:{i}")
    for page in PAGES
    for i, block in enumerate(re.findall(r"^```python\n(.*?)^```", page.read_text(), re.S | re.M))
    if not block.startswith("# ")  # a file, which the page itself runs
]


def test_the_guides_are_there():
    assert [page.stem for page in PAGES] == ["from-bcc", "from-bpftrace", "from-c"]
    assert len(PROGRAMS) >= 16


@pytest.mark.parametrize("block", PROGRAMS)
def test_a_program_does_what_the_compiler_and_the_kernel_allow(block):
    spec = build.compile(define("from ebee import *\n" + block)["program"])
    hook = hooks.by_name(spec.programs["program"].hook)
    if "machine" not in hook.missing:
        with Machine() as machine:
            machine.load(spec).programs["program"].test_run(bytes(64))
    if os.geteuid() == 0:
        with in_kernel(spec) as loaded:
            if hook.name in ("xdp", "tc", "cgroup_skb"):
                loaded.programs["program"].test_run(bytes(64))


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.stem)
def test_tables_name_what_there_is(page):
    """Decorators, map types, helpers and members of `current` in the right-hand columns."""
    right = "\n".join(
        row.split(" | ")[-1] for row in page.read_text().splitlines() if row.startswith("| `")
    )
    for name in re.findall(r"@(\w+)", right):
        assert hasattr(ebee, name) or name == "jumps", name
    for name in re.findall(r"\b([A-Z]\w+)(?=\[|\()", right):
        assert hasattr(ebee, name), name
    for name in re.findall(r"\bbpf\.([a-z]\w+)", right):
        assert hasattr(ebee.bpf, name), name
    for name in re.findall(r"\bcurrent\.(\w+)", right):
        assert name in {*PARTS, "comm", "task"}, name
