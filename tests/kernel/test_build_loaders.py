"""What `ebee build` makes of Python programs, loaded by others: bpftool, and libbpf in a small C
program; and what it looks like is what cilium/ebpf and Aya expect."""

import ctypes
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ebee.hooks import by_name
from ebee.hooks.numbers import PROG_TYPES
from ebee.obj import elf
from ebee.obj import load as read_object

pytestmark = pytest.mark.kernel

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(p for p in (ROOT / "examples").glob("*.py") if not p.stem.endswith("_rules"))
TYPES = {number: name for name, number in PROG_TYPES.items()}
WITHOUT_VALUES = ("ringbuf", "user_ringbuf", "arena")
SINCE = {
    "tcx/": (1, 3), "netfilter": (1, 3), "sk_skb/verdict": (1, 5), "freplace/": None,
    "arena": (1, 4),
}  # fmt: skip
"""What libbpf takes since which version (sections or types of maps begin so); None: not without
being told more."""
COMMAND = [sys.executable, "-c", "from ebee.cli import main; main()"]
LOADER = r"""
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>

/* Opens and loads an object; prints its programs and maps, and what XDP programs return. */
int main(int argc, char **argv)
{
    struct bpf_object *object = bpf_object__open_file(argv[1], NULL);
    struct bpf_program *program;
    struct bpf_map *map;

    if (!object || bpf_object__load(object))
        return 1;
    bpf_object__for_each_program(program, object) {
        printf("program %s %s", bpf_program__name(program),
               libbpf_bpf_prog_type_str(bpf_program__type(program)));
        if (bpf_program__type(program) == BPF_PROG_TYPE_XDP) {
            char packet[64] = { 0 };
            LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = packet,
                    .data_size_in = sizeof(packet));
            if (bpf_prog_test_run_opts(bpf_program__fd(program), &run))
                return 2;
            printf(" %u", run.retval);
        }
        printf("\n");
    }
    bpf_object__for_each_map(map, object)
        printf("map %s %s %u %u %u\n", bpf_map__name(map),
               libbpf_bpf_map_type_str(bpf_map__type(map)), bpf_map__key_size(map),
               bpf_map__value_size(map), bpf_map__max_entries(map));
    bpf_object__close(object);
    return 0;
}
"""


@pytest.fixture(scope="module")
def loader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program of libbpf's own."""
    if shutil.which("gcc") is None:
        pytest.skip("needs gcc")
    folder = tmp_path_factory.mktemp("loader")
    (folder / "loader.c").write_text(LOADER)
    done = subprocess.run(
        ["gcc", "-Wall", "-o", folder / "loader", folder / "loader.c", "-lbpf"],
        capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        pytest.skip(f"needs libbpf-dev: {done.stderr.strip().splitlines()[0]}")
    return folder / "loader"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory):
    """The object that `ebee build` makes of an example."""
    folder = tmp_path_factory.mktemp("built")

    def build(path: Path) -> Path:
        target = folder / f"{path.stem}.bpf.o"
        if not target.exists():
            done = subprocess.run(
                [*COMMAND, "build", path, "-o", target], capture_output=True, text=True
            )
            assert done.returncode == 0, done.stderr
        return target

    return build


def expect_loaded(done: subprocess.CompletedProcess[str], path: Path) -> None:
    """Skips what this kernel or this libbpf does not take."""
    if done.returncode:
        if "load failed: Operation not permitted" in done.stderr:
            pytest.skip("this kernel refuses programs of this type")
        spec = read_object(path)
        words = [p.section for p in spec.programs.values()] + [m.type for m in spec.maps.values()]
        libbpf = ctypes.CDLL("libbpf.so.1")
        here = (libbpf.libbpf_major_version(), libbpf.libbpf_minor_version())
        for word, since in SINCE.items():
            if any(w.startswith(word) for w in words) and (since is None or here < since):
                pytest.skip(f"libbpf {here[0]}.{here[1]} does not load {word}")
    assert done.returncode == 0, done.stderr
    assert "BTF is optional, ignoring" not in done.stderr


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_libbpf_loads_and_runs_it(loader: Path, built, path: Path) -> None:
    target = built(path)
    done = subprocess.run([loader, target], capture_output=True, text=True)
    expect_loaded(done, target)
    lines = [line.split() for line in done.stdout.splitlines()]
    spec = read_object(target)
    assert {w[1]: w[2] for w in lines if w[0] == "program"} == {
        p.name: TYPES[by_name(p.hook).prog_type] for p in spec.programs.values()
    }
    assert all(w[3] in ("1", "2") for w in lines if w[2] == "xdp")
    maps = {w[1]: w[2:] for w in lines if w[0] == "map"}
    for name, m in spec.maps.items():
        if not name.startswith(".") and m.type != "struct_ops":  # its size is the kernel's
            assert maps[name] == [m.type, *map(str, (m.key_size, m.value_size, m.max_entries))]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_bpftool_loads_it(built, tmp_path: Path, path: Path) -> None:
    if shutil.which("bpftool") is None:
        pytest.skip("needs bpftool")
    mount = tmp_path / "bpffs"
    mount.mkdir()
    subprocess.run(["mount", "-t", "bpf", "none", mount], check=True)
    try:
        done = subprocess.run(
            ["bpftool", "prog", "loadall", built(path), mount / "programs"],
            capture_output=True, text=True,
        )  # fmt: skip
        expect_loaded(done, built(path))
        spec = read_object(built(path))
        assert sorted(os.listdir(mount / "programs")) == sorted(spec.programs)
        one = next(iter(spec.programs))
        shown = subprocess.run(
            ["bpftool", "-j", "prog", "dump", "xlated", "pinned", mount / "programs" / one,
             "linum"], capture_output=True, text=True,
        )  # fmt: skip
        said = {insn.get("src", "").strip() for insn in json.loads(shown.stdout)}
        assert (said - {""}) & {line.strip() for line in path.read_text().splitlines()}
    finally:
        subprocess.run(["umount", mount], check=True)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_it_has_what_cilium_ebpf_and_aya_look_for(built, path: Path) -> None:
    """Both read .maps through BTF, licence, symbols of type FUNC and OBJECT, global data by symbol,
    and .BTF.ext whose records lie inside functions."""
    content = built(path).read_bytes()
    file = elf.read(content, path.name)
    names = {s.name for s in file.sections}
    spec = read_object(built(path))
    assert {"license", ".BTF", ".BTF.ext", ".symtab", ".strtab"} <= names
    assert file.machine == 247, "EM_BPF"
    types = {s.name: s.type for s in file.symbols if s.name}
    for program in spec.programs:
        assert types[program] == 2, "STT_FUNC"
    for name, m in spec.maps.items():
        if not name.startswith("."):
            assert types[name] == 1, "STT_OBJECT"
            assert m.value_size or m.type in WITHOUT_VALUES
    assert spec.license
    assert not spec.warnings
    assert {p.section for p in spec.programs.values()} <= names
    linked = (p for p in spec.programs.values() if any(r.kind != "core" for r in p.refs))
    assert {f".rel{p.section}" for p in linked} <= names
