"""`ebee iter`: targets of the kernel, walks as text, pins that are read."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from ebee.linux.errors import older_than
from ebee.linux.links import Link
from ebee.linux.maps import LinuxMap

pytestmark = pytest.mark.kernel

Run = Callable[..., tuple[int, str, str]]
SOURCE = """
#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

SEC("iter/task")
int tasks(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	if (task)
		BPF_SEQ_PRINTF(ctx->meta->seq, "task %d\\n", task->tgid);
	return 0;
}

SEC("iter/bpf_map_elem")
int elements(struct bpf_iter__bpf_map_elem *ctx)
{
	unsigned int *key = ctx->key;
	if (key)
		BPF_SEQ_PRINTF(ctx->meta->seq, "key %u\\n", *key);
	return 0;
}

SEC("iter/cgroup")
int groups(struct bpf_iter__cgroup *ctx)
{
	struct cgroup *group = ctx->cgroup;
	if (group)
		BPF_SEQ_PRINTF(ctx->meta->seq, "group %llu\\n", group->kn->id);
	return 0;
}

SEC("xdp")
int pass(struct xdp_md *ctx) { return XDP_PASS; }

char _license[] SEC("license") = "GPL";
"""


@pytest.fixture(scope="module")
def walkers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An object with iterators over tasks and over a map's elements, and one other program."""
    from ebee.clang import build
    from ebee.obj import save

    folder = tmp_path_factory.mktemp("iter")
    (folder / "walkers.c").write_text(SOURCE)
    save(build(str(folder / "walkers.c")), folder / "walkers.o")
    return folder / "walkers.o"


def test_the_targets_of_the_kernel_are_listed(ebee: Run) -> None:
    found = {t["name"]: t for t in json.loads(ebee("iter", "list", "--json")[1])}
    assert {"task", "task_file", "bpf_map", "bpf_map_elem", "tcp", "netlink"} <= set(found)
    assert not {"num_new", "num_next", "get_info"} & set(found)
    assert found["task"]["objects"] == ["task"]
    assert found["task"]["takes"] == ["pid", "tid"]
    assert found["bpf_map_elem"]["takes"] == ["map"]
    assert f"{len(found)} targets" in ebee("iter", "list")[1]


def test_a_walk_is_printed(ebee: Run, walkers: Path) -> None:
    code, out, err = ebee("iter", "run", walkers, "--prog", "tasks")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert f"task {os.getpid()}" in lines
    assert f"task {os.getppid()}" in lines
    if not older_than("6.1"):
        out = ebee("iter", "run", walkers, "--prog", "tasks", "--pid", os.getpid())[1]
        assert set(out.splitlines()) == {f"task {os.getpid()}"}


def test_the_elements_of_a_map_are_walked(ebee: Run, walkers: Path, bpffs: Path) -> None:
    with LinuxMap.create("hash", 4, 8, 8, name="walked") as numbers:
        for key in (3, 5, 8):
            numbers.update(key.to_bytes(4, "little"), bytes(8))
        words = ("iter", "run", walkers, "--prog", "elements", "--map", f"id:{numbers.id}")
        assert sorted(ebee(*words)[1].split("\n")) == ["", "key 3", "key 5", "key 8"]
        where = ("map", "id", numbers.id)
        done = ebee("iter", "pin", walkers, bpffs / "keys", "--prog", "elements", *where)
        assert done == (0, "", "")
        assert "key 5\n" in (bpffs / "keys").read_text()


@pytest.mark.skipif(older_than("6.1"), reason="requires Linux >= 6.1")
def test_control_groups_are_walked_in_an_order(ebee: Run, walkers: Path, cgroup: Path) -> None:
    (cgroup / "inner").mkdir()
    try:
        own, inner = (f"group {path.stat().st_ino}" for path in (cgroup, cgroup / "inner"))
        words = ("iter", "run", walkers, "--prog", "groups", "--cgroup", cgroup)
        for order, expected in (
            ((), [own]),
            (("--order", "descendants"), [own, inner]),
            (("--order", "descendants_post"), [inner, own]),
        ):
            assert ebee(*words, *order)[1].splitlines() == expected
    finally:
        (cgroup / "inner").rmdir()


def test_a_pinned_iterator_is_read_by_its_path_or_number(
    ebee: Run, walkers: Path, bpffs: Path
) -> None:
    assert ebee("iter", "pin", walkers, bpffs / "t", "--prog", "tasks") == (0, "", "")
    with Link.get(bpffs / "t") as link:
        number = link.info().id
    for words in ((bpffs / "t",), ("pinned", bpffs / "t"), ("id", number)):
        code, out, _ = ebee("iter", "read", *words)
        assert code == 0
        assert f"task {os.getpid()}\n" in out


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("run {o} --prog pass", "program pass is no iterator, but in section 'xdp'"),
        ("run {o} --prog task", "Did you mean 'tasks'?"),
        ("run {o} --prog tasks --map id:1", "walks task, which takes --pid, --tid"),
        ("run {o} --prog elements --pid 1", "walks bpf_map_elem, which takes --map"),
        ("run {o} --prog elements --map id:x", "'x' is no number of a map"),
        ("run {o} --prog elements --map /nowhere", "nothing is pinned there"),
        ("run {o} --prog elements", "needs what it is to walk"),
        ("run {o} --prog tasks --pid 999999999", "there is no process 999999999"),
        ("run {o} --prog tasks --order self", "--order is for a walk from a control group"),
        ("run {o} --prog tasks --cgroup /x --order up", "'up' is no order"),
        ("pin {o} /nowhere/x --prog tasks", "cannot pin"),
        ("pin {o} /nowhere/x --prog tasks mapp", "one `map MAP` may stand there, not 'mapp'"),
        ("read id 4294967295", "there is none"),
        ("read /nowhere", "nothing is pinned there"),
    ],
)
def test_mistakes_are_told(ebee: Run, walkers: Path, words: str, why: str) -> None:
    code, _, err = ebee("iter", *words.format(o=walkers).split())
    assert code == 1
    assert why in err


def test_one_pin_is_one_iterator(ebee: Run, walkers: Path, tmp_path: Path, bpffs: Path) -> None:
    source = tmp_path / "two.c"
    first = SOURCE.replace('"iter/bpf_map_elem"', '"?iter/bpf_map_elem"')
    source.write_text(first.replace('"iter/cgroup"', '"?iter/cgroup"'))
    assert ebee("iter", "pin", source, bpffs / "one") == (0, "", "")
    other = SOURCE[SOURCE.index('SEC("iter/task")') : SOURCE.index('SEC("iter/bpf_map_elem")')]
    source.write_text(source.read_text() + other.replace("int tasks", "int more"))
    code, _, err = ebee("iter", "pin", source, bpffs / "two")
    assert code == 1
    assert "has several iterators, say which with --prog: tasks, more" in err
    assert not (bpffs / "two").exists()
