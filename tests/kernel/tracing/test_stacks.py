"""Stacks that programs take, with names: of the kernel and of processes, by address and build id;
libraries that were deleted or are in containers, code of just-in-time compilers."""

import ctypes
import mmap
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ebee.errors import KernelError
from ebee.linux import LinuxMap, attach, uapi
from ebee.linux.symbols.stacks import Symbolizer, all_stacks
from ebee.linux.symbols.user import ProcessSymbols

pytestmark = pytest.mark.kernel
COVERS = ("map:stack_trace", "helper:get_stackid")

SOURCE = """
#include <unistd.h>
__attribute__((noinline, optimize("no-omit-frame-pointer"))) int leaf(int a)
{
    return a + getpgid(0) * 0;
}
static __attribute__((noinline, optimize("no-omit-frame-pointer"))) int hidden(int a)
{
    int b = leaf(a);
    __asm__ volatile("");
    return b + 1;
}
__attribute__((noinline, optimize("no-omit-frame-pointer"))) int top(int a)
{
    int b = hidden(a);
    __asm__ volatile("");
    return b + 1;
}
"""
USER = 256  # BPF_F_USER_STACK


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    if not shutil.which("gcc"):
        pytest.skip("needs gcc")
    folder = tmp_path_factory.mktemp("stacks")
    (folder / "own.c").write_text(SOURCE)
    subprocess.run(
        ["gcc", "-O1", "-g", "-fPIC", "-shared", "-Wl,--build-id", "own.c", "-o", "own.so"],
        cwd=folder, check=True,
    )  # fmt: skip
    return folder / "own.so"


@pytest.fixture
def stacks():
    with LinuxMap.create("stack_trace", 4, 127 * 8, 64) as made:
        yield made


def taker(witness, stacks, flags, type="kprobe"):
    """A program that takes a stack; its number is the witness's value."""
    body = f"r1 = r6\nr2 = map[stacks]\nr3 = {flags}\ncall 27\nr7 = r0"
    cookie = type == "kprobe"
    return witness.program(type, body=body, cookie=cookie, maps={"stacks": stacks})


def names_of(frames):
    return [frame.name for frame in frames]


def test_a_user_stack_has_functions_and_lines(witness, stacks, library):
    own = ctypes.CDLL(str(library))
    names = Symbolizer()
    with attach.uprobe(taker(witness, stacks, USER), str(library), function="leaf"):
        own.top(1)
        frames = names.stack(stacks, witness.value, pid=os.getpid())
    assert names_of(frames)[:3] == ["leaf", "hidden", "top"]
    assert frames[0].offset == 0
    assert frames[0].module == str(library)
    assert [Path(f.source.file).name for f in frames[:3]] == ["own.c"] * 3
    assert frames[1].source.line in (10, 11)
    assert str(frames[1]).startswith("hidden+0x")
    assert witness.value in list(all_stacks(stacks))


def test_a_kernel_stack_has_the_kernel_s_functions(witness, stacks):
    program = taker(witness, stacks, 0, "raw_tracepoint")
    with attach.raw_tracepoint(program, "sys_enter"):
        os.getpgid(0)
        frames = Symbolizer().stack(stacks, witness.value)
    assert any("syscall" in name for name in names_of(frames))
    assert all(frame.name for frame in frames)


def test_stacks_by_build_id(witness, library):
    own = ctypes.CDLL(str(library))
    with LinuxMap.create(
        "stack_trace", 4, 127 * 32, 64, flags=uapi.BPF_F_STACK_BUILD_ID
    ) as stacks:  # fmt: skip
        with attach.uprobe(taker(witness, stacks, USER), str(library), function="leaf"):
            own.top(1)
        names = Symbolizer()
        unknown = names.stack(stacks, witness.value)
        assert len(unknown[0].module) == 40
        names.images.get(str(library))
        frames = names.stack(stacks, witness.value)
    assert names_of(frames)[:3] == ["leaf", "hidden", "top"]
    assert frames[1].source.line in (10, 11)


def test_no_stack_is_an_error_with_its_reason(witness, stacks):
    names = Symbolizer()
    with pytest.raises(KernelError, match="its bucket was taken"):
        names.stack(stacks, -17)
    with pytest.raises(KernelError, match="has no stack 3"):
        names.stack(stacks, 3)
    assert names_of(names.user(4194305, [1, 2])) == ["", ""]


CHILD = """
import ctypes, sys
own = ctypes.CDLL(sys.argv[1])
print(ctypes.cast(own.hidden if hasattr(own, "hidden") else own.top, ctypes.c_void_p).value)
sys.stdout.flush()
sys.stdin.readline()
"""


def start(*command):
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )  # fmt: skip


def test_a_library_that_was_deleted_meanwhile(library, tmp_path):
    copy = tmp_path / "gone.so"
    shutil.copy(library, copy)
    child = start(sys.executable, "-c", CHILD, str(copy))
    try:
        place = int(child.stdout.readline())
        copy.unlink()
        copy.write_text("another file")
        frame = ProcessSymbols(child.pid).frame(place)
        assert (frame.name, frame.module) == ("top", str(copy))
        assert frame.source.line in (14, 15)
    finally:
        child.communicate("\n", timeout=60)


def test_a_library_in_a_container(library, tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    script = f'mount -t tmpfs t {inside} && cp {library} {inside}/own.so && exec $0 -c "$1" $2'
    child = start("unshare", "-m", "sh", "-c", script, sys.executable, CHILD, f"{inside}/own.so")
    try:
        place = int(child.stdout.readline())
        assert not (inside / "own.so").exists()
        process = ProcessSymbols(child.pid)
        assert process.root == f"/proc/{child.pid}/root"
        frame = process.frame(place)
        assert frame.name == "top"
        assert frame.module.endswith(f"{inside}/own.so")
        assert frame.source is not None
    finally:
        child.communicate("\n", timeout=60)


def test_code_of_a_compiler_and_the_vdso(tmp_path):
    memory = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    place = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    path = Path(f"/tmp/perf-{os.getpid()}.map")
    path.write_text(f"{place:x} 40 py::handler:/srv/app.py\n{place + 0x40:x} 40 native\n")
    try:
        frames = Symbolizer().user(os.getpid(), [place + 4, place + 0x44, place + 0x400])
    finally:
        path.unlink()
    assert names_of(frames) == ["handler", "native", ""]
    assert frames[0].source.file == "/srv/app.py"
    maps = ProcessSymbols(os.getpid())
    vdso = next((m for m in maps._mappings if m.path == "[vdso]"), None)
    if vdso is not None:
        found = {maps.frame(place).name for place in range(vdso.start, vdso.end, 16)}
        assert any("clock_gettime" in name for name in found)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="Python 3.12 writes perf maps")
def test_functions_of_python(tmp_path):
    script = tmp_path / "app.py"
    script.write_text("def busy():\n    input()\nprint('ready', flush=True)\nbusy()\n")
    child = start(sys.executable, "-X", "perf", str(script))
    try:
        assert child.stdout.readline() == "ready\n"
        entries = ProcessSymbols(child.pid)._compiled._entries
        assert any(f"py::busy:{script}" in entry for entry in entries)
    finally:
        child.communicate("\n", timeout=60)
