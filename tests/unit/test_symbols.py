"""ELF files of the host are read as readelf and nm read them; names, lines, perf maps, kallsyms."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from ebee.errors import KernelError, ObjectError
from ebee.linux.symbols.demangle import demangle
from ebee.linux.symbols.elf import STT_FUNC, Image
from ebee.linux.symbols.kernel import KernelSymbols
from ebee.linux.symbols.lines import Lines
from ebee.linux.symbols.user import PerfMap, ProcessSymbols

pytestmark = pytest.mark.unit

SOURCE = """
#include <stdio.h>
static __attribute__((noinline)) int inner(int a)
{
    return printf("%d", a) * 3;
}
int outer(int a)
{
    return inner(a) + 1;
}
namespace shapes { struct Circle { double area(int, const char *); };
double Circle::area(int a, const char *) { return a; } }
int main() { return outer(1); }
"""


def tool(name, *arguments):
    if not shutil.which(name):
        pytest.skip(f"needs {name}")
    done = subprocess.run([name, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module", params=["-gdwarf-5", "-gdwarf-4", "-gdwarf-5 -gz"])
def program(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("program")
    (folder / "own.cc").write_text(SOURCE)
    tool("g++", "-O1", *request.param.split(), "-Wl,--build-id", folder / "own.cc", "-o",
         folder / "own")  # fmt: skip
    return folder / "own"


def libc():
    from ebee.linux.symbols.files import binary

    return binary("libc.so.6")


@pytest.mark.parametrize("path", [libc, lambda: sys.executable, lambda: "/bin/sh"])
def test_symbols_are_those_of_nm(path):
    image = Image.open(os.path.realpath(path()))
    theirs = set()
    for options in (["-D"], []):
        done = subprocess.run(
            ["nm", "--defined-only", *options, image.name], capture_output=True, text=True
        )
        for line in done.stdout.splitlines():
            address, kind, name = line.split(maxsplit=2)
            if kind.upper() in "TWIBDRV":
                theirs.add((name.partition("@")[0], int(address, 16)))
    ours = {(s.name, s.address) for s in image.symbols()}
    assert theirs <= ours
    assert theirs


def test_versions_of_symbols_are_those_of_nm():
    text = tool("nm", "-D", "--defined-only", libc())
    found = re.findall(r"^([0-9a-f]+) T (\w+)(@@?)(\S+)$", text, re.MULTILINE)
    assert found
    ours = {
        (s.name, s.address, s.version, s.default) for s in Image.open(libc()).symbols()
    }  # fmt: skip
    theirs = {(name, int(at, 16), version, mark == "@@") for at, name, mark, version in found}
    assert theirs <= ours
    name = next(n for _, n, mark, _ in found if mark == "@")
    assert {s.version for s in Image.open(libc()).named(name)} == {
        v for _, n, _, v in found if n == name
    }


def test_build_ids_segments_and_offsets_are_those_of_readelf(program):
    image = Image.open(program)
    notes = tool("readelf", "-nW", program)
    assert re.search(r"Build ID: (\w+)", notes)[1] == image.build_id.hex()
    text = tool("readelf", "-lW", program)
    for kind, offset, address, size, whole in re.findall(
        r"^  (LOAD)\s+0x(\w+) 0x(\w+) 0x\w+ 0x(\w+) 0x(\w+)", text, re.MULTILINE
    ):
        found = [s for s in image.segments if s.offset == int(offset, 16)]
        assert [(s.address, s.file_size, s.size) for s in found] == [
            (int(address, 16), int(size, 16), int(whole, 16))
        ], kind
    outer = image.named("_Z5outeri")[0]
    assert outer.type == STT_FUNC
    assert image.address_at(image.file_offset(outer.address)) == outer.address
    assert image.file_offset(1 << 60) is None
    assert image.address_at(1 << 60) is None


def test_lines_are_those_of_addr2line(program):
    image = Image.open(program)
    lines = Lines.of(image)
    for name in ("_Z5outeri", "main", "_ZN6shapes6Circle4areaEiPKc"):
        symbol = image.named(name)[0]
        for address in range(symbol.address, symbol.address + symbol.size):
            place = tool("addr2line", "-e", program, hex(address)).split()[0]
            found = lines.at(address)
            assert f"{found.file}:{found.line}" == place
    assert lines.at(1) is None
    assert Lines.of(Image.open("/bin/sh")) is None


def test_damaged_files_are_refused(tmp_path, program):
    good = program.read_bytes()
    for data, text in ((b"", "is empty"), (b"#!/bin/sh" * 20, "no ELF"), (good[:60], None)):
        path = tmp_path / "bad"
        path.write_bytes(data)
        if text:
            with pytest.raises(ObjectError, match=text):
                Image.open(path)
        else:
            with pytest.raises(ObjectError, match="ends before"):
                list(Image.open(path).symbols())
    with pytest.raises(KernelError, match="No such file"):
        Image.open(tmp_path / "missing")


@pytest.mark.parametrize("seed", range(40))
def test_random_damage_is_no_traceback(program, seed):
    import random
    import struct

    chance = random.Random(seed)
    data = bytearray(program.read_bytes())
    headers = [*range(64), *range(len(data) - 2048, len(data))]
    for _ in range(8):
        at = chance.choice(headers)
        data[at] = chance.randrange(256)
    try:
        image = Image(bytes(data), "damaged")
        list(image.symbols())
        list(image.notes())
        assert isinstance(image.build_id, bytes)
    except ObjectError:
        pass
    except struct.error:
        pytest.fail("struct.error")


def test_names_of_c_plus_plus_and_rust():
    pytest.importorskip("pydemumble")
    for mangled, plain in (
        ("_ZN6shapes6Circle4areaEiPKc", "shapes::Circle::area(int, char const*)"),
        ("_RNvCskwGfYPst2Cb_3foo3bar", "foo::bar"),
        ("_ZN4core3fmt9Formatter3pad17h0123456789abcdefE", "core::fmt::Formatter::pad"),
        ("_Z5outeri.cold", "outer(int).cold"),
        ("main", "main"),
        ("_Zbroken", "_Zbroken"),
    ):
        assert demangle(mangled) == plain


def test_kernel_addresses_by_kallsyms():
    symbols = KernelSymbols(
        [
            "ffffffff81000000 T _text", "ffffffff81000010 t __pfx_work", "ffffffff81000010 t alias",
            "ffffffff81000010 T work", "ffffffff81000080 D data", "ffffffffc0000000 t other [mod]",
            "ffffffffc0100000 t bpf_prog_0123_x [bpf]",
        ]
    )  # fmt: skip
    assert symbols.at(0xFFFFFFFF81000014)[0].name == "work"
    assert symbols.at(0xFFFFFFFF81000090) == (symbols.named("work")[0], 0x80)
    assert symbols.at(0xFFFFFFFFC0000004) == (symbols.named("other", "mod")[0], 4)
    assert symbols.at(0xFFFFFFFFC0100001)[0].module == "bpf"
    assert symbols.at(5) is None
    assert symbols.named("nothing") == []
    assert len(list(symbols)) == len(symbols) == 7


def test_perf_maps_of_compilers():
    found = PerfMap(
        ["1000 20 py::work:/srv/app.py\n", "2000 10 LazyCompile:*f file.js:3\n", "rubbish\n",
         "2000 10 newer\n", "3000 8 _Z3fooi\n", "4000"]
    )  # fmt: skip
    frame = found.at(0x1004)
    assert (frame.name, frame.offset, frame.source.file) == ("work", 4, "/srv/app.py")
    assert found.at(0x2001).name == "newer"
    assert found.at(0x2010) is None
    assert found.at(0xFFF) is None


def test_addresses_of_this_process():
    import ctypes

    place = ctypes.cast(ctypes.CDLL(None).getpid, ctypes.c_void_p).value
    frame = ProcessSymbols(os.getpid()).frame(place + 3)
    assert frame.name.endswith("getpid")
    assert frame.offset == 3
    assert "libc" in frame.module
    assert ProcessSymbols(os.getpid()).frame(8).name == ""
    with pytest.raises(KernelError, match="no process 4194305"):
        ProcessSymbols(4194305)
