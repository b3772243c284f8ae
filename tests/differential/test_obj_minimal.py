"""Minimal BTF: relocations come to the same as against the whole kernel's, and against what
`bpftool gen min_core_btf` makes."""

import shutil
import subprocess
from pathlib import Path

import pytest

from ebee import clang
from ebee.btf import Btf, validate
from ebee.btf.core import Relocator
from ebee.btf.ext import CoreKind
from ebee.obj import ObjectSpec, read
from ebee.obj.core import minimal_btf, relocations

pytestmark = [pytest.mark.differential, pytest.mark.kernel]

SOURCES = Path(__file__).parents[1] / "fixtures" / "c"
KERNEL = "/sys/kernel/btf/vmlinux"
IDS = (CoreKind.TYPE_ID_TARGET, CoreKind.TYPE_ID_LOCAL)


def results(spec: ObjectSpec, target: Btf) -> list[tuple[object, ...]]:
    """What every relocation comes to, but for ids of types."""
    assert spec.btf is not None
    relocator = Relocator(spec.btf, target)
    found = [relocator.resolve(relo) for relo in relocations(spec)]
    return [
        (r.relo, r.poison, r.new if r.relo.kind not in IDS else bool(r.new), r.new_size)
        for r in found
    ]


@pytest.mark.parametrize("name", ["core", "tracing"])
def test_relocations_come_to_the_same(name: str, tmp_path: Path) -> None:
    content = clang.compile(SOURCES / f"{name}.c").content
    spec, kernel = read(content, name), Btf.vmlinux()
    ours = minimal_btf([spec], kernel)
    validate.validate(ours)
    wanted = results(spec, kernel)
    assert len(wanted) > 5
    assert results(spec, ours) == wanted
    if shutil.which("bpftool"):
        path, out = tmp_path / "prog.o", tmp_path / "min.btf"
        path.write_bytes(content)
        subprocess.run(["bpftool", "gen", "min_core_btf", KERNEL, out, path], check=True)
        theirs = Btf.load(out)
        assert results(spec, theirs) == wanted
        assert len(ours.data) <= len(theirs.data) * 1.5
    assert len(ours.data) < 20_000


def test_types_that_are_compared_as_a_whole_stay_whole(tmp_path: Path) -> None:
    path = tmp_path / "prog.c"
    path.write_text(
        "#include <linux/bpf.h>\n#include <bpf/bpf_helpers.h>\n#include <bpf/bpf_core_read.h>\n"
        "#define CORE __attribute__((preserve_access_index))\n"
        "struct list_head { struct list_head *next, *prev; } CORE;\n"
        "struct callback_head { struct callback_head *next; void (*func)(struct callback_head *);"
        " } CORE;\n"
        'SEC("xdp") int f(void *c) {\n'
        "  return bpf_core_type_matches(struct list_head)"
        " + 2 * bpf_core_type_matches(struct callback_head)"
        " + 4 * bpf_core_type_size(struct callback_head);\n}\n"
    )
    spec = clang.build(path)
    kernel = Btf.vmlinux()
    ours = minimal_btf([spec], kernel)
    assert results(spec, ours) == results(spec, kernel)
    assert [r[2] for r in results(spec, ours)].count(1) == 2
    assert len(ours) < 15
