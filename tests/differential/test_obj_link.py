"""Objects linked by ebee are what `bpftool gen object` makes of them, to the last instruction."""

import shutil
import subprocess
from pathlib import Path

import pytest

from ebee import clang, linux
from ebee.obj import link, link_objects, load, read, save

pytestmark = [pytest.mark.differential, pytest.mark.kernel]

SOURCES = Path(__file__).parents[1] / "fixtures" / "linked"


@pytest.fixture
def linked(tmp_path: Path):
    """(ebee's object, bpftool's)."""
    if not shutil.which("bpftool"):
        pytest.skip("needs bpftool")
    parts = []
    for name in ("first", "second"):
        parts.append(read(clang.compile(SOURCES / f"{name}.c").content, f"{name}.o"))
        save(parts[-1], tmp_path / f"{name}.o")  # without .eh_frame, which bpftool does not take
    out = tmp_path / "both.o"
    command = ["bpftool", "gen", "object", out, tmp_path / "first.o", tmp_path / "second.o"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return link_objects(parts, "both"), load(out)


def test_programs_are_equal(linked) -> None:
    ours, theirs = linked
    assert set(ours.programs) == set(theirs.programs) == {"enter", "leave"}
    for name in ours.programs:
        mine, other = link(ours, name), link(theirs, name)
        assert mine.insns == other.insns
        assert mine.refs == other.refs
        assert [f.start for f in mine.funcs] == [f.start for f in other.funcs]
        assert [(at.slot, at.line, at.text) for at in mine.lines] == [
            (at.slot, at.line, at.text) for at in other.lines
        ]


def test_maps_and_externs_are_equal(linked) -> None:
    ours, theirs = linked
    assert set(ours.externs) == set(theirs.externs)
    assert set(ours.maps) == set(theirs.maps)
    for name, made in ours.maps.items():
        other = theirs.maps[name]
        assert (made.type, made.value_size, made.max_entries) == (
            other.type, other.value_size, other.max_entries,
        ), name  # fmt: skip
        assert made.data == other.data, name


def test_both_do_the_same_in_the_kernel(linked) -> None:
    seen = []
    for spec in linked:
        with linux.load(spec) as made:
            results = {n: p.test_run(bytes(64)).retval for n, p in made.programs.items()}
            seen.append((results, made.variables["total"].value))
    assert seen[0] == seen[1]
    assert seen[0][1] != 100
