"""Programs that were compiled before are found by their sources, and only when nothing changed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ebee.errors import ObjectError
from ebee.lang import source
from ebee.lang.bpf import build, sources
from ebee.obj.packed import pack, unpack
from ebee.obj.spec import ProgramSpec
from ebee.types import u32

pytestmark = pytest.mark.unit

EXAMPLES = Path(__file__).parents[2] / "examples"
LIB = "from ebee import *\nlimit = {}\n@func\ndef verdict() -> u32:\n    return limit\n"
MAIN = (
    "from ebee import *\nfrom lib_of_cache import verdict\n"
    "jumps = ProgArray(max_entries=2)\n"
    "@jumps.entry(1)\n@xdp\ndef prog(ctx: XdpContext) -> u32:\n    return verdict()\n"
)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir()


@pytest.fixture
def files(tmp_path):
    (tmp_path / "lib_of_cache.py").write_text(LIB.format(1))
    (tmp_path / "main.py").write_text(MAIN)
    return tmp_path


def result(spec):
    """The verdict, which is the first instruction's constant."""
    return spec.programs["prog"].insns[0].imm


def compile_anew(files):
    return build.compile(files / "main.py")


def test_a_second_compile_finds_the_object(files):
    first = build.compile(files / "main.py")
    assert sources.find(str(files / "main.py")) is not None
    second = build.compile(files / "main.py")
    assert second == first
    assert second.btf.data == first.btf.data
    assert second.maps["jumps"].contents == {1: "prog"}
    assert build.compile(files / "main.py", name="other").name == "other"


def test_types_of_a_found_object_are_parsed_when_asked_for(files):
    build.compile(files / "main.py")
    found = build.compile(files / "main.py")
    copied = found.copy()
    assert "btf" not in vars(found)
    assert list(copied.btf) == list(found.btf)
    assert found.btf is found.btf
    with pytest.raises(AttributeError, match="no 'types'"):
        found.types  # noqa: B018


@pytest.mark.parametrize("example", ["congestion_control", "tenants", "dns_watcher", "firewall"])
def test_all_of_an_object_is_kept(example):
    spec = build.compile(EXAMPLES / f"{example}.py")
    kept = unpack(pack(spec))
    assert (kept, repr(kept), list(kept.btf)) == (spec, repr(spec), list(spec.btf))
    assert {*map(type, kept.programs.values())} == {ProgramSpec}
    assert all(v.spec is kept for v in kept.variables.values())
    assert unpack(pack(kept)) == kept


STEPS = (
    "from enum import IntEnum\nfrom ebee import *\n"
    "class Step(IntEnum):\n    PARSE = 1\n"
    "jumps = ProgArray(max_entries=2)\n"
    "@jumps.entry(Step.PARSE)\n@xdp\ndef prog(ctx: XdpContext) -> XDP:\n    return XDP.PASS\n"
)


def test_numbers_of_all_types_are_kept(files):
    (files / "main.py").write_text(STEPS)
    assert build.compile(files / "main.py").maps["jumps"].contents == {1: "prog"}
    kept = sources.find(str(files / "main.py"))
    assert kept.maps["jumps"].contents == {1: "prog"}
    kept.maps["jumps"].max_entries = u32(7)
    assert unpack(pack(kept)) == kept
    kept.maps["jumps"].max_entries = object()
    with pytest.raises(ObjectError, match="object main holds something that is neither number"):
        pack(kept)


def test_a_change_of_the_file_or_of_what_it_imports_is_seen(files):
    assert result(compile_anew(files)) == 1
    (files / "lib_of_cache.py").write_text(LIB.format(7))
    assert sources.find(str(files / "main.py")) is None
    assert result(compile_anew(files)) == 7
    (files / "main.py").write_text(MAIN.replace("return verdict()", "return 3"))
    assert result(compile_anew(files)) == 3


def test_a_module_that_would_be_imported_instead_is_seen(files):
    (files / "deeper").mkdir()
    build.compile(files / "main.py")
    (files / "lib_of_cache").mkdir()
    (files / "lib_of_cache" / "__init__.py").write_text(LIB.format(9))
    assert result(compile_anew(files)) == 9


@pytest.mark.parametrize(
    "line",
    [
        "import os",
        "import time",
        "x = len(open(__file__).read())",
        "x = eval('1')",
        "import random",
    ],
)
def test_files_that_look_at_the_world_are_compiled_each_time(files, line):
    (files / "main.py").write_text(f"{line}\n{MAIN}")
    build.compile(files / "main.py")
    assert sources.find(str(files / "main.py")) is None
    (files / "main.py").write_text(MAIN)
    (files / "lib_of_cache.py").write_text(f"{line}\n{LIB.format(2)}")
    compile_anew(files)
    assert sources.find(str(files / "main.py")) is None


def test_a_damaged_entry_is_no_entry(files, tmp_path):
    build.compile(files / "main.py")
    (entry,) = (tmp_path / "cache" / "ebee" / "sources").iterdir()
    entry.write_bytes(entry.read_bytes()[:-1] + b"x")
    assert sources.find(str(files / "main.py")) is None
    assert result(compile_anew(files)) == 1


def test_what_is_found_needs_neither_the_compiler_nor_the_program_to_run(files):
    build.compile(files / "main.py")
    script = (
        "import sys, ebee\n"
        f"spec = ebee.compile({str(files / 'main.py')!r})\n"
        "assert spec.programs['prog'].insns\n"
        "loaded = ('llvmlite', 'lib_of_cache', 'ebee.lang.unit', 'ebee.lang.compiler',"
        " 'ebee.lang.bpf.unit', 'ebee.types', 'ebee.btf.reader', 'ebee.hooks', 'pathlib',"
        " 'hashlib', 'dataclasses', 'inspect', 'pickle')\n"
        "print([m for m in loaded if m in sys.modules])\n"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert ran.stdout == "[]\n", ran.stderr


RECORD = """\
from ebee import *

last: Global[u32] = 0

@tracepoint("made/up")
def program(ctx: Record) -> None:
    global last
    last = u32(ctx.wanted)
"""
FORMAT = """\
name: up
ID: 1
format:
	field:unsigned short common_type;	offset:0;	size:2;	signed:0;

	field:int other;	offset:8;	size:4;	signed:1;
	field:u32 wanted;	offset:{at};	size:4;	signed:0;
	field:__data_loc char[] text;	offset:20;	size:4;	signed:0;
	field:char name[16];	offset:24;	size:16;	signed:0;
	field:unsigned long args[6];	offset:40;	size:48;	signed:0;
	field:const char * where;	offset:88;	size:8;	signed:0;
	field:__u8 addr[4];	offset:96;	size:4;	signed:0;

print fmt: "%d", REC->other
"""


def test_a_tracepoint_s_format_is_part_of_what_is_kept(tmp_path, monkeypatch):
    from ebee.lang.bpf import formats

    folder = tmp_path / "events" / "made" / "up"
    folder.mkdir(parents=True)
    monkeypatch.setattr(formats, "ROOTS", (str(tmp_path),))
    file = tmp_path / "prog.py"
    file.write_text(RECORD)
    offsets = []
    for at in (12, 12, 16):
        (folder / "format").write_text(FORMAT.format(at=at))
        spec = build.compile(file)
        (load,) = (i for i in spec.programs["program"].insns if i.op == 0x61 and i.src == 1)
        offsets.append(load.off)
    assert offsets == [12, 12, 16]


def test_members_of_records_have_the_types_of_their_formats(tmp_path, monkeypatch):
    from ebee.lang.bpf import formats
    from ebee.types import ArrayType, PtrType, char, fields, i32, u8, u32, u64

    folder = tmp_path / "events" / "made" / "up"
    folder.mkdir(parents=True)
    (folder / "format").write_text(FORMAT.format(at=12))
    monkeypatch.setattr(formats, "ROOTS", (str(tmp_path),))
    found = {n: (f.offset, f.type) for n, f in fields(formats.record_of("made/up")).items()}
    assert found == {
        "other": (8, i32), "wanted": (12, u32), "text": (20, formats.LOCATED),
        "name": (24, ArrayType(char, 16)), "args": (40, ArrayType(u64, 6)),
        "where": (88, PtrType(u8)), "addr": (96, ArrayType(u8, 4)),
    }  # fmt: skip


def test_of_python_s_own_library_no_source_is_read(files):
    build.compile(files / "main.py")
    own = os.path.dirname(os.__file__)
    read = [f for f in source._files if f.startswith(own) and "site-packages" not in f]
    assert read == []
    assert str(files / "lib_of_cache.py") in source._files


def test_a_module_may_be_called_as_one_of_python_s(files, monkeypatch):
    monkeypatch.delitem(sys.modules, "statistics", raising=False)
    (files / "statistics.py").write_text("from ebee import *\nlimit: Const[u32] = 7\n")
    (files / "main.py").write_text(
        "from ebee import *\nfrom statistics import limit\n"
        "@xdp\ndef prog(ctx: XdpContext) -> u32:\n    return limit\n"
    )
    assert build.compile(files / "main.py").variables["limit"].value == 7
    del sys.modules["statistics"]
