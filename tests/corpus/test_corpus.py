"""What ebee asks the kernel for is what libbpf asks for, program by program: our own objects every
day, and (where it has been made ready) a part of `make corpus`."""

import ctypes.util
import json
import os
import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from ebee.clang import build

pytestmark = [pytest.mark.corpus, pytest.mark.kernel]

SCRIPT = Path(__file__).parents[2] / "scripts" / "corpus.py"
SOURCES = Path(__file__).parents[1] / "fixtures" / "c"
OWN = ("custom_bss", "globals", "iterators", "loops", "maps", "optional", "subprogs", "tailcalls",
       "core")  # fmt: skip
PATTERNS = ("arena_*", "exceptions*", "struct_ops_*", "test_subprogs*", "linked_*", "xdp_*",
            "test_ksyms*", "core_*", "rbtree*", "test_global_func*")  # fmt: skip


@pytest.mark.parametrize("pattern", PATTERNS)
def test_ebee_does_what_libbpf_does(pattern: str) -> None:
    folder = os.environ.get("EBEE_CORPUS")
    if not folder:
        pytest.skip("EBEE_CORPUS names the folder where `make corpus` has left its objects")
    command = [sys.executable, SCRIPT, "--folder", folder, "--only", pattern, "--again", "ebee"]
    said = subprocess.run(command, capture_output=True, text=True).stdout
    assert "0 differences to explain" in said, said
    equal = re.search(r"equal in (\d+) of (\d+) programs", said)
    assert equal, said
    assert equal[1] == equal[2], said


@pytest.fixture(scope="module")
def recorder(tmp_path_factory):
    """What writes down the calls of the process that it is loaded into before libc."""
    if not shutil.which("cc"):
        pytest.skip("needs a C compiler")
    made = tmp_path_factory.mktemp("recorder") / "record.so"
    source = SCRIPT.with_name("corpus_record.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", made, source, "-ldl"], check=True)
    return made


@pytest.mark.parametrize("name", OWN)
def test_own_objects(name, recorder, tmp_path, monkeypatch):
    library = ctypes.util.find_library("bpf")
    if library is None:
        pytest.skip("needs libbpf.so")
    monkeypatch.syspath_prepend(SCRIPT.parent)
    compare = import_module("corpus")
    path = tmp_path / f"{name}.o"
    build(SOURCES / f"{name}.c", path)
    found = {}
    for loader in ("ebee", "libbpf"):
        command = [sys.executable, SCRIPT.with_name("corpus_loaders.py"), loader, path, library]
        environment = {**os.environ, "LD_PRELOAD": str(recorder)}
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        assert done.returncode == 0, done.stderr
        found[loader] = dict(map(json.loads, done.stdout.splitlines()))
    for program, theirs in found["libbpf"].items():
        mine = found["ebee"][program]
        if "error" not in theirs:
            assert "error" not in mine, (program, mine)
            if program:
                assert compare.difference(mine, theirs) == "", program
    assert any("error" not in theirs for program, theirs in found["libbpf"].items() if program)
