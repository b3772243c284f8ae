"""`ebee btf` on small BTF made here, and on the types that come with ebee: no kernel is needed."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from ebee import cli
from ebee.btf import SIGNED, Btf, BtfBuilder, Enum, Enumerator, Int, Member, Ptr, Struct, Typedef
from ebee.btf.ext import CoreKind, CoreRelo
from ebee.isa import assemble
from ebee.obj import ObjectSpec, ProgramSpec, Ref, write

pytestmark = pytest.mark.unit

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def ebee(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run a command line: (exit code, standard output, standard error)."""

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["ebee", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capfd.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, out, err

    return run


def kernel(path: Path, name: str, size: int, *members: tuple[str, int, int], more: int = 1) -> Path:
    """A file of BTF: int (1), char * (3), struct NAME (4) of (name, type, byte offset)."""
    builder = BtfBuilder()
    builder.add(Int("int", 4, SIGNED))
    builder.add(Int("char", 1, SIGNED))
    builder.add(Ptr(2))
    builder.add(Struct(name, size, tuple(Member(n, t, 8 * at) for n, t, at in members)))
    builder.add(Ptr(4))
    builder.add(Typedef(f"{name}_t", 5))
    builder.add(Enum("e", 4, False, (Enumerator("A", more),)))
    path.write_bytes(builder.bytes())
    return path


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return kernel(tmp_path / "old.btf", "task", 16, ("pid", 1, 0), ("name", 3, 8))


@pytest.fixture
def new(tmp_path: Path) -> Path:
    members = (("cpu", 1, 0), ("pid", 1, 4), ("name", 3, 8))
    return kernel(tmp_path / "new.btf", "task", 16, *members, more=2)


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """An object that asks where task.pid and task.cpu are."""
    spec = ObjectSpec("prog", license="GPL")
    builder = BtfBuilder()
    builder.add(Int("int", 4, SIGNED))
    builder.add(Struct("task", 8, (Member("pid", 1, 0), Member("cpu", 1, 32))))
    spec.btf = builder.build()
    refs = [
        Ref(slot, "core", "task", 2, CoreRelo(0, 2, f"0:{slot}", CoreKind.FIELD_BYTE_OFFSET))
        for slot in (0, 1)
    ]
    code = assemble("r1 = 0; r2 = 4; r0 = 2; exit")
    spec.programs["main"] = ProgramSpec("main", "xdp", code, refs, hook="xdp")
    path = tmp_path / "prog.o"
    path.write_bytes(write(spec))
    return path


def test_types_are_shown_with_their_layout(ebee: Run, old: Path) -> None:
    assert ebee("btf", "find", "--in", old, "task") == (
        0,
        "struct task {  /* 16 bytes */\n"
        "0  4      int pid;\n"
        "          /* hole: 4 bytes */\n"
        "8  8      char *name;\n"
        "}\n",
        "",
    )


def test_members_are_found_through_pointers(ebee: Run, old: Path) -> None:
    _, out, _ = ebee("btf", "find", "--in", old, "task.name", "task_t->pid", "struct task.name[2]")
    assert out.splitlines() == [
        "task.name: char * at byte 8, 8 bytes of struct task",
        "task_t->pid: int at byte 0, 4 bytes of struct task",
        "task.name[2]: char at byte 2, 1 byte of char",
    ]
    (found,) = json.loads(ebee("btf", "find", "--in", old, "--json", "task_t->pid")[1])
    assert (found["in"], found["offset"], found["pointers"]) == ("struct task", 0, 1)


def test_patterns_members_and_users(ebee: Run, old: Path) -> None:
    _, out, _ = ebee("btf", "find", "--in", old, "task*")
    assert [line.split() for line in out.splitlines()[3:]] == [
        ["4", "struct", "task", "16"],
        ["6", "typedef", "task_t", "8"],
    ]
    _, out, _ = ebee("btf", "find", "--in", old, "--member", "na*")
    assert out.splitlines()[-1].split() == ["4", "struct", "task", "8", "char", "*name"]
    _, out, _ = ebee("btf", "find", "--in", old, "--users", "task", "--json")
    assert json.loads(out) == [{"id": 6, "kind": "typedef", "name": "task_t"}]


def test_many_matches_are_cut_short(ebee: Run) -> None:
    _, out, _ = ebee("btf", "find", "--in", "bundled", "bpf_*")
    assert re.search(r"\.\.\. and [\d,]+ more: --all shows them", out)
    assert "more: --all" not in ebee("btf", "find", "--in", "bundled", "--all", "bpf_*")[1]


def test_dump_prints_all_some_or_one(ebee: Run, old: Path) -> None:
    _, out, _ = ebee("btf", "dump", old)
    assert out.startswith("[1] INT 'int' size=4 bits_offset=0 nr_bits=32 encoding=SIGNED\n")
    assert "\t'A' val=1\n" in out
    assert ebee("btf", "dump", old, "--kind", "ptr")[1].count("\n") == 2
    assert ebee("btf", "dump", old, "--id", "5")[1] == "[5] PTR '(anon)' type_id=4 (struct task)\n"
    found = json.loads(ebee("btf", "dump", old, "--json")[1])
    assert [t["kind"] for t in found["types"]][:4] == ["INT", "INT", "PTR", "STRUCT"]


def test_c_is_all_or_some(ebee: Run, old: Path, tmp_path: Path) -> None:
    _, out, _ = ebee("btf", "c", old)
    assert out.startswith("#ifndef __VMLINUX_H__")
    assert ebee("btf", "c", old, "e")[1] == "enum e {\n\tA = 1,\n};\n"
    made = tmp_path / "few.h"
    assert ebee("btf", "c", old, "task*", "-o", made)[1] == ""
    assert "struct task {" in made.read_text()


def test_diff_is_an_overview_or_in_full(ebee: Run, old: Path, new: Path) -> None:
    code, out, _ = ebee("btf", "diff", old, new)
    assert code == 1
    rows = [line.split() for line in out.splitlines()]
    assert ["struct", "1"] in rows
    assert ["struct", "task", "16", "1", "1"] in rows  # one added, one moved
    code, out, _ = ebee("btf", "diff", old, new, "task", "e")
    assert out.splitlines() == [
        "struct task  16 bytes",
        "  + int cpu at 0",
        "  > pid: 0 → 4 (+4)",
        "",
        "enum e  4 bytes",
        "  ~ A: 1 → 2",
    ]
    assert ebee("btf", "diff", old, old) == (0, "no differences\n", "")


def test_diff_as_json(ebee: Run, old: Path, new: Path) -> None:
    found = json.loads(ebee("btf", "diff", old, new, "--kind", "struct", "--json")[1])
    assert found["changes"] == [
        {
            **{"kind": "struct", "name": "task", "what": "changed"},
            **{"old_size": 16, "new_size": 16, "breaking": True},
            "details": [
                {"how": "added", "name": "cpu", "new": "int", "offset": "0"},
                {"how": "moved", "name": "pid", "old": "0", "new": "4", "offset": "4"},
            ],
        }
    ]


def test_diff_tells_what_it_means_for_a_program(
    ebee: Run, old: Path, new: Path, program: Path
) -> None:
    code, out, _ = ebee("btf", "diff", old, new, "--for", program)
    assert code == 1
    assert re.search(r"struct task\.pid +field_byte_offset +0 +4\n", out)
    assert re.search(r"struct task\.cpu +field_byte_offset +is not there +0\n", out)
    assert out.endswith(
        "2 relocations: 0 the same, 2 follow the change, 0 not to be resolved any more\n"
    )
    assert ebee("btf", "diff", new, old, "--for", program)[1].endswith("1 follow the change, "
        "1 not to be resolved any more\n")  # fmt: skip


def test_min_keeps_what_is_needed(ebee: Run, new: Path, program: Path, tmp_path: Path) -> None:
    made = tmp_path / "min.btf"
    code, _, err = ebee("btf", "min", program, "--in", new, "-o", made)
    assert (code, err) == (0, f"{made}: {made.stat().st_size} B, 2 of 7 types\n")
    task = Btf.load(made).find("task", Struct)
    assert [(m.name, m.offset) for m in task.members] == [("cpu", 0), ("pid", 32)]


def test_check_validates(ebee: Run, old: Path, tmp_path: Path) -> None:
    assert ebee("btf", "check", old)[1] == f"{old}: 7 types, valid\n"
    damaged = tmp_path / "damaged.btf"
    builder = BtfBuilder()
    builder.add(Int("int", 4))
    builder.add(Struct("s", 4, (Member("far", 1, 64),)))
    damaged.write_bytes(builder.bytes())
    code, _, err = ebee("btf", "check", damaged)
    assert code == 1
    assert "far" in err


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("find --in {old} tsak", "has no type 'tsak'; did you mean task?"),
        ("find --in {old} task.pdi", "struct task has no member 'pdi'"),
        ("find --in {old} x*", "has no type 'x*'"),
        ("find --in {old} --member x*", "no struct or union of"),
        ("find --in {old} --users nix", "has no type 'nix'"),
        ("find --in nothing.btf task", "nothing.btf: there is no such file"),
        ("find --in id:x task", "write id:NUMBER"),
        ("find --in module:no/such task", "there is no BTF of a kernel module 'no/such'"),
        ("dump {old} --kind strut", "--kind strut: there is no such kind; there are: array,"),
        ("dump {old} --id 99", "there is no type 99"),
        ("diff {old} {new} tsak", "did you mean task?"),
        ("diff {old} {new} --kind strut", "there is no kind 'strut' to compare"),
        ("c {old} nix", "has no type 'nix'"),
        ("min {old} -o x --in {old}", "this is bare BTF, not an object"),
    ],
)
def test_mistakes_are_told(ebee: Run, old: Path, new: Path, words: str, why: str) -> None:
    code, out, err = ebee("btf", *words.format(old=old, new=new).split())
    assert (code, out) == (1, "")
    assert why in err
    assert "Traceback" not in err
