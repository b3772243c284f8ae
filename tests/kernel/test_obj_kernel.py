"""Objects in the kernel: written ones become the same programs; ebee's C headers work."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from ebee import clang
from ebee.linux.errors import older_than
from ebee.obj import read, write

pytestmark = pytest.mark.kernel

SOURCES = Path(__file__).parents[1] / "fixtures" / "c"
PACKET = bytes(64)


@pytest.fixture(autouse=True)
def _tools() -> None:
    if not shutil.which("bpftool"):
        pytest.skip("needs bpftool")


def bpftool(*words: object) -> str:
    done = subprocess.run(["bpftool", *map(str, words)], capture_output=True, text=True)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def loaded(content: bytes, bpffs: Path, folder: Path) -> dict[str, Path]:
    """Load an object by bpftool (libbpf); program -> where it is pinned."""
    shutil.rmtree(bpffs / "programs", ignore_errors=True)
    path = folder / "prog.o"
    path.write_bytes(content)
    bpftool("prog", "loadall", path, bpffs / "programs")
    return {pin.name: pin for pin in (bpffs / "programs").iterdir()}


def xlated(pin: Path) -> str:
    """A program as the verifier left it, without the numbers that each load gives anew."""
    text = bpftool("prog", "dump", "xlated", "pinned", pin, "linum")
    return re.sub(r"map\[id:\d+\]|bpf_prog_[0-9a-f]{16}|\[file:.*", "", text)


def run(pin: Path, folder: Path) -> int:
    (folder / "packet").write_bytes(PACKET)
    out = bpftool("-j", "prog", "run", "pinned", pin, "data_in", folder / "packet")
    return int(json.loads(out)["retval"])


@pytest.mark.parametrize(
    "name", ["maps", "subprogs", "globals", "tailcalls", "loops", "core", "externs", "headers"]
)
def test_written_objects_become_the_same_programs(name: str, bpffs: Path, tmp_path: Path) -> None:
    if name == "externs" and older_than("6.2"):
        pytest.skip("its kernel functions came with Linux 6.2")
    content = clang.compile(SOURCES / f"{name}.c").content
    spec = read(content)
    seen = []
    for made in (content, write(spec)):
        pins = loaded(made, bpffs, tmp_path)
        assert set(pins) == set(spec.programs)
        seen.append({program: xlated(pin) for program, pin in pins.items()})
    assert all(seen[0].values())
    assert seen[0] == seen[1]


@pytest.mark.parametrize(
    ("source", "results"),
    [
        ("headers", {"printing": 58, "jumping": 77, "arithmetic": 1, "arguments": 1}),
        ("iterators", {"loops": 60, "bounded": 192}),
    ],
)
def test_the_headers_do_what_they_say(
    source: str, results: dict[str, int], bpffs: Path, tmp_path: Path
) -> None:
    if source == "iterators" and older_than("6.4"):
        pytest.skip("iterators in programs (bpf_iter_num) came with Linux 6.4")
    pins = loaded(clang.compile(SOURCES / f"{source}.c").content, bpffs, tmp_path)
    assert {name: run(pin, tmp_path) for name, pin in pins.items()} == results
