"""Uprobes: attached to programs and libraries by name, offset, version, pattern; hit and seen."""

import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ebee.errors import KernelError
from ebee.linux import attach
from ebee.linux.attach import uprobes
from ebee.linux.errors import older_than
from ebee.linux.symbols.elf import Image
from ebee.linux.symbols.files import binary

pytestmark = pytest.mark.kernel
COVERS = ("hook:uprobe", "hook:uprobe.multi", "hook:uprobe.session")

SOURCE = """
#include <string.h>
__attribute__((noinline)) int ebee_add(int a, int b) { __asm__ volatile(""); return a + b; }
__attribute__((noinline)) int ebee_sub(int a, int b) { __asm__ volatile(""); return a - b; }
static __attribute__((noinline)) int hidden(int a) { __asm__ volatile(""); return a * 3; }
int ebee_call(int a) { return hidden(a); }
__attribute__((noinline)) int old_make(void) { __asm__ volatile(""); return 1; }
__attribute__((noinline)) int new_make(void) { __asm__ volatile(""); return 2; }
__asm__(".symver old_make, make@EBEE_1"); __asm__(".symver new_make, make@@EBEE_2");
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """A library of our own: its path; `.debug` beside it has what was stripped off."""
    if not shutil.which("gcc"):
        pytest.skip("needs gcc")
    folder = tmp_path_factory.mktemp("uprobes")
    (folder / "own.c").write_text(SOURCE)
    (folder / "own.map").write_text("EBEE_1 { global: ebee_*; make; local: *; }; EBEE_2 {} EBEE_1;")
    subprocess.run(
        ["gcc", "-O1", "-g", "-fPIC", "-shared", "-Wl,--build-id", "-Wl,--version-script=own.map",
         "own.c", "-o", "libown.so.1"], cwd=folder, check=True,
    )  # fmt: skip
    return folder / "libown.so.1"


@pytest.fixture(scope="module")
def own(library):
    return ctypes.CDLL(str(library))


def test_a_uprobe_sees_arguments_and_results(witness, library, own):
    program = witness.program(body="r7 = *(u64 *)(r6 +104)")  # si, the second argument
    with attach.uprobe(program, str(library), function="ebee_add", cookie=6) as link:
        assert own.ebee_add(4, 38) == 42
        assert (witness.count, witness.value, witness.cookie) == (1, 38, 6)
        info = link.info()
        assert info.type == "perf_event"
        if not older_than("6.6"):
            assert (info.event, info.file_name) == ("uprobe", str(library))
    own.ebee_add(1, 1)
    assert witness.count == 1
    program = witness.program(body="r7 = *(u64 *)(r6 +80)")  # ax
    with attach.uprobe(program, f"{library}:ebee_add", on_return=True):
        own.ebee_add(4, 38)
        assert witness.value == 42


@pytest.mark.parametrize("mode", ["link", "ioctl", "tracefs"])
@pytest.mark.parametrize("on_return", [False, True])
def test_every_mechanism_of_old_and_new_kernels(
    witness, library, own, mode, on_return, own_tracefs
):
    events = own_tracefs / "uprobe_events"
    program = witness.program(cookie=False)
    link = attach.uprobe(program, str(library), function="ebee_sub", mode=mode, on_return=on_return)
    own.ebee_sub(3, 1)
    assert witness.count == 1
    assert link.info().prog_id == program.id
    if mode == "tracefs":
        assert f"ebee/p{os.getpid()}" in events.read_text()
    link.close()
    own.ebee_sub(3, 1)
    assert witness.count == 1
    assert f"ebee/p{os.getpid()}" not in events.read_text()


def test_only_one_process(witness, library, own):
    program = witness.program(everyone=True)
    command = f"import ctypes; ctypes.CDLL({str(library)!r}).ebee_add(1, 2)"
    with attach.uprobe(program, str(library), function="ebee_add", pid=0):
        subprocess.run([sys.executable, "-c", command], check=True)
        assert witness.count == 0
        own.ebee_add(1, 2)
        assert witness.count == 1
    with attach.uprobe(program, str(library), function="ebee_add"):
        subprocess.run([sys.executable, "-c", command], check=True)
        assert witness.count == 2
    with pytest.raises(KernelError, match="there is no process 4194305"):
        attach.uprobe(program, str(library), function="ebee_add", pid=4194305)


def test_places_by_offset_version_and_debug_file(witness, library, own, tmp_path):
    program = witness.program()
    place = uprobes.resolve(str(library), "ebee_add")
    with attach.uprobe(program, str(library), offset=place.offset):
        own.ebee_add(1, 1)
    with attach.uprobe(program, f"{library}:{place.offset:#x}"):
        own.ebee_add(1, 1)
    assert witness.count == 2
    versions = {v: uprobes.resolve(str(library), f"make@{v}").offset for v in ("EBEE_1", "EBEE_2")}
    assert versions["EBEE_1"] != versions["EBEE_2"]
    assert uprobes.resolve(str(library), "make").offset == versions["EBEE_2"]
    with attach.uprobe(program, str(library), function="hidden"):  # a static function
        assert own.ebee_call(2) == 6
    assert witness.count == 3
    stripped = tmp_path / "stripped.so"
    subprocess.run(["strip", "-o", stripped, library], check=True)
    with pytest.raises(KernelError, match="no function 'hidden'"):
        uprobes.resolve(str(stripped), "hidden")
    debug = tmp_path / ".debug"
    debug.mkdir()
    subprocess.run(["objcopy", "--only-keep-debug", library, debug / "stripped.debug"], check=True)
    subprocess.run(
        ["objcopy", f"--add-gnu-debuglink={debug / 'stripped.debug'}", stripped], check=True
    )
    found = uprobes.resolve(str(stripped), "hidden")
    assert found.offset == uprobes.resolve(str(library), "hidden").offset


def test_libraries_and_programs_are_found_by_name(witness):
    libc = binary("libc.so.6")
    assert binary("libc") == binary("c") == libc
    assert "libc.so.6" in libc
    assert Image.open(libc).build_id
    assert os.path.samefile(binary("libc", os.getpid()), libc)
    assert binary("sh") == shutil.which("sh")
    with attach.uprobe(witness.program(), "libc:getpgid"):
        os.getpgid(0)
        assert witness.count == 1
    with pytest.raises(KernelError, match="'no-such-thing' is on no path"):
        binary("no-such-thing")


def test_files_of_another_mount_namespace(witness, library, tmp_path):
    """A container's library is found by the path that the container knows."""
    inside = tmp_path / "inside"
    inside.mkdir()
    script = (
        f"mount -t tmpfs t {inside} && cp {library} {inside}/lib.so && echo ready && read line && "
        f"exec {sys.executable} -c 'import ctypes; ctypes.CDLL(\"{inside}/lib.so\").ebee_add(1, 2)'"
    )
    child = subprocess.Popen(
        ["unshare", "-m", "sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    try:
        assert child.stdout.readline() == "ready\n"
        assert not Path(inside, "lib.so").exists()
        program = witness.program(everyone=True)
        with attach.uprobe(program, f"{inside}/lib.so", function="ebee_add", pid=child.pid):
            child.communicate("go\n", timeout=60)
            assert child.returncode == 0
            assert witness.count == 1
    finally:
        child.kill()
        child.communicate()


def test_mistakes_are_explained(witness, library):
    program = witness.program()
    for call, text in (
        (lambda: attach.uprobe(program, "/no/such/file", function="f"), "no file /no/such/file"),
        (lambda: attach.uprobe(program, str(library), function="ebee_ad"), "did you mean ebee_add"),
        (lambda: attach.uprobe(program, str(library)), "no place in"),
        (lambda: attach.uprobe(program, f"{library}:ebee_add+x"), "'x' is no offset"),
        (lambda: attach.uprobe(program, str(library), offset=1 << 40), "outside|begins"),
        (lambda: attach.uprobe(program, "libc:strlen"), "IFUNC"),
        (lambda: attach.uprobe_multi(program, str(library), function="no_*"), "matches 'no_\\*'"),
        (lambda: attach.uprobe_multi(program, str(library), function=["ebee_add"], cookies=[1, 2]),
         "2 cookies for 1 functions"),
    ):  # fmt: skip
        with pytest.raises(KernelError, match=text):
            call()
    script = library.parent / "script"
    script.write_text("#!/bin/sh\n" * 10)
    with pytest.raises(Exception, match="is no ELF program"):
        attach.uprobe(program, str(script), function="f")


def test_many_functions_at_once(needs, witness, library, own):
    needs("uprobe.multi")
    program = witness.program(attach_type="trace_uprobe_multi")
    with attach.uprobe_multi(program, str(library), function="ebee_[as]*") as link:
        own.ebee_add(1, 1)
        own.ebee_sub(1, 1)
        assert witness.count == 2
        info = link.info()
        assert (info.type, info.count) == ("uprobe_multi", 2)
        if not older_than("6.8"):
            assert info.path == str(library)
            assert len(info.offsets) == 2
    names = ["ebee_add", "ebee_sub"]
    with attach.uprobe_multi(
        program, str(library), function=names, cookies={"ebee_sub": 4}, on_return=True, pid=0
    ):
        own.ebee_sub(1, 1)
        assert witness.cookie == 4
        own.ebee_add(1, 1)
        assert witness.cookie == 0


def test_a_session_is_entry_and_return(needs, witness, library, own):
    needs("uprobe.session")
    program = witness.program(attach_type="trace_uprobe_session", cookie=False)
    with attach.uprobe_multi(program, f"{library}:ebee_add", session=True):
        own.ebee_add(1, 1)
        assert witness.count == 2


def test_before_multi_there_are_many_uprobes(witness, library, own):
    program = witness.program()
    with attach.uprobe_multi(program, f"{library}:ebee_[as]*") as links:
        own.ebee_add(1, 1)
        own.ebee_sub(1, 1)
        assert witness.count == 2
        assert len(links.info().links) == 2
    own.ebee_add(1, 1)
    assert witness.count == 2
