"""`ebee link` and `ebee gen`: objects in, an object or a module out; no compiler is needed."""

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ebee import cli
from ebee.btf import SIGNED, BtfBuilder, Func, FuncProto, Int, Linkage, Member, Struct
from ebee.btf.ext import CoreKind, CoreRelo
from ebee.isa import assemble
from ebee.isa.insn import Insn
from ebee.obj import (
    ExternSpec,
    FunctionSpec,
    MapSpec,
    ObjectSpec,
    ProgramSpec,
    Ref,
    VariableSpec,
    load,
    save,
)

pytestmark = pytest.mark.unit

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def ebee(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run a command line: (exit code, standard output, standard error)."""

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["ebee", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capfd.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, out, err

    return run


@pytest.fixture
def main(tmp_path: Path) -> Path:
    """A program that calls `verdict`, which another object defines."""
    spec = ObjectSpec("main", license="GPL")
    builder = BtfBuilder()
    builder.add(Int("int", 4, SIGNED))
    builder.add(Struct("task", 8, (Member("pid", 1, 32),)))
    builder.add(FuncProto(1, ()))
    declared = builder.add(Func("verdict", 3, Linkage.EXTERN))
    spec.btf = builder.build()
    core = CoreRelo(0, 2, "0:0", CoreKind.FIELD_BYTE_OFFSET)
    spec.programs["entry"] = ProgramSpec(
        "entry",
        "xdp",
        [*assemble("r1 = 4"), Insn(0x85, 0, 1, 0, -1), Insn(0x95)],
        [Ref(0, "core", "task", 2, core), Ref(1, "call", "verdict")],
        hook="xdp",
    )
    spec.externs["verdict"] = ExternSpec("verdict", "func", declared)
    spec.maps["flows"] = MapSpec("flows", "hash", 4, 8, 16)
    path = tmp_path / "main.o"
    save(spec, path)
    return path


@pytest.fixture
def library(tmp_path: Path) -> Path:
    spec = ObjectSpec("library", license="GPL")
    spec.functions["verdict"] = FunctionSpec("verdict", ".text", assemble("r0 = 2; exit"))
    spec.maps[".data"] = MapSpec(".data", "array", 4, 4, 1, data=bytes(4))
    spec.variables["limit"] = VariableSpec("limit", ".data", 0, 4)
    path = tmp_path / "library.o"
    save(spec, path)
    return path


def test_objects_become_one(ebee: Run, main: Path, library: Path, tmp_path: Path) -> None:
    made = tmp_path / "all.o"
    code, out, err = ebee("link", main, library, "-o", made)
    assert (code, err) == (0, "")
    assert out.startswith(f"{made}: ")
    assert out.endswith(", 1 program, 1 function, 1 map, 1 variable\n")
    spec = load(made)
    assert (spec.name, list(spec.programs), list(spec.functions)) == ("all", ["entry"], ["verdict"])
    assert not spec.externs


def test_what_nobody_defines_is_named(ebee: Run, main: Path, tmp_path: Path) -> None:
    code, _, err = ebee("link", main, "-o", tmp_path / "all.o")
    assert (code, err) == (0, "ebee: still to be defined by others: verdict\n")
    _, out, _ = ebee("link", main, "-o", tmp_path / "all.o", "--json")
    assert json.loads(out)["undefined"] == ["verdict"]


def test_conflicts_are_told_and_nothing_is_written(
    ebee: Run, library: Path, tmp_path: Path
) -> None:
    made = tmp_path / "all.o"
    code, _, err = ebee("link", library, library, "-o", made)
    assert code == 1
    assert "verdict is defined in library and library; make one of them __weak or static" in err
    assert not made.exists()


def test_bpftools_words_do_the_same(ebee: Run, main: Path, library: Path, tmp_path: Path) -> None:
    ours, theirs = tmp_path / "all.o", tmp_path / "gen" / "all.o"
    theirs.parent.mkdir()
    ebee("link", main, library, "-o", ours)
    assert ebee("gen", "object", theirs, main, library) == (0, "", "")
    assert ours.read_bytes() == theirs.read_bytes()


def test_minimal_btf_by_bpftools_words(ebee: Run, main: Path, tmp_path: Path) -> None:
    spec = load(main)
    assert spec.btf is not None
    kernel, made, other = tmp_path / "kernel.btf", tmp_path / "min.btf", tmp_path / "other.btf"
    kernel.write_bytes(bytes(spec.btf.data))
    assert ebee("gen", "min_core_btf", kernel, made, main)[0] == 0
    assert ebee("btf", "min", main, "--in", kernel, "-o", other)[0] == 0
    assert made.read_bytes() == other.read_bytes()


def test_skeletons_are_modules(ebee: Run, library: Path, tmp_path: Path) -> None:
    made = tmp_path / "library_skel.py"
    code, out, err = ebee("gen", "skeleton", library, "-o", made)
    assert (code, out, err) == (0, "", f"{made}: 0 programs, 1 variable\n")
    space: dict[str, object] = {"__name__": "library_skel"}
    exec(compile(made.read_text(), made, "exec"), space)
    skeleton = space["Library"]()  # type: ignore[operator]
    skeleton.variables.limit = 7
    assert skeleton.spec.variables["limit"].value == 7
    assert ebee("gen", "skeleton", library)[1] == made.read_text()
    assert "class Other(skel.Skeleton)" in ebee("gen", "skeleton", library, "--name", "other")[1]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("link missing.o -o x.o", "missing.o: there is no such file"),
        ("gen skeleton missing.o", "missing.o: there is no such file"),
        ("gen object x.o missing.o", "missing.o: there is no such file"),
    ],
)
def test_mistakes_are_told(ebee: Run, words: str, why: str) -> None:
    code, _, err = ebee(*words.split())
    assert code == 1
    assert why in err
