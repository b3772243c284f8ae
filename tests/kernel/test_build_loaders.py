"""What `ebee build` makes of Python programs, loaded by others: bpftool, small programs of libbpf,
cilium/ebpf and Aya; and what it looks like is what these expect."""

import ctypes
import json
import os
import shutil
import subprocess
from functools import cache
from pathlib import Path

import pytest

from ebee.cli import cli
from ebee.hooks import by_name
from ebee.hooks.numbers import PROG_TYPES
from ebee.linux import probe
from ebee.linux.host import possible_cpus
from ebee.obj import elf
from ebee.obj import load as read_object

pytestmark = pytest.mark.kernel

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(p for p in (ROOT / "examples").glob("*.py") if not p.stem.endswith("_rules"))
TYPES = {number: name for name, number in PROG_TYPES.items()}
WITHOUT_VALUES = ("ringbuf", "user_ringbuf", "arena")
SINCE = {
    "tcx/": (1, 3), "netfilter": (1, 3), "sk_skb/verdict": (1, 5), "freplace/": None,
    "arena": (1, 4), "kprobe.session/": (1, 5), "uprobe.session/": (1, 6),
    "uprobe.multi/": (1, 3), "netkit/": (1, 3),
}  # fmt: skip
"""What libbpf takes since which version (sections or types of maps begin so); None: not without
being told more."""
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


CILIUM = r"""
// Opens and loads each object; prints its programs, and what XDP programs return.
package main

import (
	"fmt"
	"os"

	"github.com/cilium/ebpf"
)

func load(path string) error {
	spec, err := ebpf.LoadCollectionSpec(path)
	if err != nil {
		return err
	}
	collection, err := ebpf.NewCollection(spec)
	if err != nil {
		return err
	}
	defer collection.Close()
	for name, program := range collection.Programs {
		fmt.Print(name, " ", program.Type())
		if program.Type() == ebpf.XDP {
			verdict, _, err := program.Test(make([]byte, 64))
			if err != nil {
				return err
			}
			fmt.Print(" ", verdict)
		}
		fmt.Println()
	}
	return nil
}

func main() {
	if err := load(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
"""
BEYOND_CILIUM = {
    "operation not permitted": "this kernel refuses programs of this type",
    "program remote_control: load program: invalid argument": "this kernel has no infrared remotes",
    "unknown kind: Unknown (19)": "knows no 64-bit enumerations, which this kernel's BTF has",
    "reference to .ksyms": "knows no kernel functions",
    "unrecognized field map_extra": "knows no map_extra",
    "'.struct_ops' section: not supported": "knows no struct_ops",
    "map_extra or mmap()": "places no arenas",
}
BEYOND_AYA = {
    "InvalidProgramSection": "knows no programs of this type",
    "MapError(Unsupported": "knows no maps of this type",
    "BtfError(UnexpectedBtfType": "fills no program arrays",
}
"""What cilium/ebpf and Aya say of objects that are beyond it, cilium/ebpf in version
0.9.1, as Debian has it, or ever; Aya in 0.14."""


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
def cilium(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program of cilium/ebpf's: the packaged one, or the checkout that EBEE_CILIUM names, which
    needs a Go as new as itself and golang.org/x/sys beside it, in `sys`."""
    go = shutil.which("go")
    if go is None:
        pytest.skip("needs go")
    folder = tmp_path_factory.mktemp("cilium")
    (folder / "main.go").write_text(CILIUM)
    how = {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode"}
    if checkout := os.environ.get("EBEE_CILIUM"):
        how = {"GOFLAGS": "-mod=mod", "GOPROXY": "off", "GONOSUMDB": "*"}
        (folder / "go.mod").write_text(
            "module load\n\ngo 1.25\n\n"
            "require github.com/cilium/ebpf v0.0.0\nrequire golang.org/x/sys v0.45.0\n"
            f"replace github.com/cilium/ebpf => {checkout}\n"
            f"replace golang.org/x/sys => {Path(checkout).parent / 'sys'}\n"
        )
    done = subprocess.run(
        [go, "build", "-o", "load", "."], capture_output=True, text=True, cwd=folder,
        env=os.environ | how | {"GOCACHE": str(folder / "cache")},
    )  # fmt: skip
    if done.returncode:
        pytest.skip(f"needs golang-github-cilium-ebpf-dev: {done.stderr.strip().splitlines()[0]}")
    return folder / "load"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory):
    """The object that `ebee build` makes of an example."""
    folder = tmp_path_factory.mktemp("built")

    def build(path: Path) -> Path:
        target = folder / f"{path.stem}.bpf.o"
        if not target.exists():
            # In this process, whose compiler is warm: as a command it is tested elsewhere.
            cli.main(["build", str(path), "-o", str(target)], standalone_mode=False)
        return target

    return build


@cache
def missing_types() -> set[str]:
    """Types of programs that this kernel does not have."""
    return {f.name.removeprefix("program type ") for f in probe.program_types() if f.ok is False}


def expect_loaded(done: subprocess.CompletedProcess[str], path: Path) -> None:
    """Skips what this kernel or this libbpf does not take."""
    if done.returncode:
        if "load failed: Operation not permitted" in done.stderr:
            pytest.skip("this kernel refuses programs of this type")
        spec = read_object(path)
        for program in spec.programs.values():
            if TYPES[by_name(program.hook).prog_type] in missing_types():
                pytest.skip(f"this kernel has no programs for {program.hook}")
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
            entries = m.max_entries
            if m.type == "perf_event_array" and not entries:
                entries = possible_cpus()
            assert maps[name] == [m.type, *map(str, (m.key_size, m.value_size, entries))]


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
def test_cilium_ebpf_loads_and_runs_it(cilium: Path, built, path: Path) -> None:
    target = built(path)
    done = subprocess.run([cilium, target], capture_output=True, text=True)
    for words, reason in BEYOND_CILIUM.items():
        if words in done.stderr:
            pytest.skip(reason)
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    loaded, programs = {words[0] for words in lines}, read_object(target).programs
    if loaded < programs.keys() and "EBEE_CILIUM" not in os.environ:
        pytest.skip("leaves out programs of types that are newer than itself")
    assert loaded == programs.keys()
    assert all(words[2] in ("1", "2") for words in lines if words[1] == "XDP")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_aya_loads_it(built, path: Path) -> None:
    """With EBEE_AYA naming a program of Aya's that loads the object it is given and says `ok` or
    what failed: there is no package of it."""
    loads = os.environ.get("EBEE_AYA")
    if loads is None:
        pytest.skip("EBEE_AYA names no loader")
    done = subprocess.run([loads, built(path)], capture_output=True, text=True)
    for words, reason in BEYOND_AYA.items():
        if words in done.stdout:
            pytest.skip(reason)
    assert done.stdout.split("\t")[1] == "ok", done.stdout


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
