"""USDT markers in a program and in a library: arguments, semaphores, cookies; old kernels' ways."""

import ctypes
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from ebee import clang, linux
from ebee.errors import KernelError
from ebee.linux import attach, features, kconfig, usdt
from ebee.linux.symbols.elf import Image

pytestmark = pytest.mark.kernel
COVERS = ("hook:usdt",)

MARKED = r"""
#define NOTE(name, sem, n1, a1, n2, a2, n3, a3)                                               \
    __asm__ volatile("990: nop\n.pushsection .note.stapsdt,\"\",\"note\"\n.balign 4\n"          \
        ".4byte 992f-991f,994f-993f,3\n991: .asciz \"stapsdt\"\n992: .balign 4\n"              \
        "993: .8byte 990b\n.8byte 0\n.8byte " sem "\n.asciz \"ebee\"\n.asciz \"" name "\"\n"     \
        ".asciz \"%c[s1]@%[x1] %c[s2]@%[x2] %c[s3]@%[x3]\"\n994: .balign 4\n.popsection"        \
        :: [s1] "n"(n1), [x1] "nor"(a1), [s2] "n"(n2), [x2] "nor"(a2), [s3] "n"(n3),            \
           [x3] "nor"(a3))
unsigned short ebee_semaphore __attribute__((section(".probes"), visibility("hidden"), used));
struct pair { int first; long second; };
__attribute__((noinline)) int work(int a, struct pair *p, unsigned char c)
{
    NOTE("work", "0", -4, a, 8, p->second, 1, c);
    if (c)
        NOTE("work", "0", -4, -a, -4, p->first, 4, 1234567);
    return a;
}
__attribute__((noinline)) int watched(long a)
{
    if (!*(volatile unsigned short *)&ebee_semaphore)
        return 0;
    NOTE("watched", "ebee_semaphore", 8, a, -2, (short)-5, -1, (signed char)-1);
    return 1;
}
"""

READER = r"""
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <bpf/bpf_helpers.h>
#define bool _Bool
#include <bpf/usdt.bpf.h>
long values[3][3];
int seen, argc;
long cookies[3];
SEC("usdt") int handler(struct pt_regs *ctx)
{
    unsigned int n = seen;
    if (n >= 3)
        return 0;
    bpf_usdt_arg(ctx, 0, &values[n][0]);
    bpf_usdt_arg(ctx, 1, &values[n][1]);
    bpf_usdt_arg(ctx, 2, &values[n][2]);
    cookies[n] = bpf_usdt_cookie(ctx);
    argc = bpf_usdt_arg_cnt(ctx);
    seen = n + 1;
    return 0;
}
char LICENSE[] SEC("license") = "GPL";
"""


class Pair(ctypes.Structure):
    _fields_ = [("first", ctypes.c_int), ("second", ctypes.c_long)]


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    if not shutil.which("gcc"):
        pytest.skip("needs gcc")
    folder = tmp_path_factory.mktemp("usdt")
    (folder / "marked.c").write_text(MARKED)
    subprocess.run(["gcc", "-O1", "-fPIC", "-shared", "marked.c", "-o", "libmarked.so"],
                   cwd=folder, check=True)  # fmt: skip
    return folder / "libmarked.so"


@pytest.fixture(scope="module")
def own(library):
    made = ctypes.CDLL(str(library))
    made.watched.argtypes = [ctypes.c_long]
    return made


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    if not Path("/usr/include/bpf/usdt.bpf.h").exists():
        pytest.skip("needs libbpf's headers (libbpf-dev)")
    path = tmp_path_factory.mktemp("reader") / "reader.c"
    path.write_text(READER)
    spec = clang.build(path, includes=["/usr/include"], defines=["__TARGET_ARCH_x86"])
    return lambda: spec.copy()


def clear(obj):
    obj.variables["seen"].value = 0


def test_notes_are_what_readelf_reads(library):
    if not shutil.which("readelf"):
        pytest.skip("needs readelf")
    done = subprocess.run(["readelf", "-nW", library], capture_output=True, text=True, check=True)
    pattern = (
        r"Provider: (\w+)\s+Name: (\w+)\s+Location: (\w+), Base: \w+, Semaphore: (\w+)"
        r"\s+Arguments: (.*)"
    )
    theirs = [
        (p, n, int(at, 16), int(sem, 16), text.strip())
        for p, n, at, sem, text in re.findall(pattern, done.stdout)
    ]
    assert len(theirs) == 3
    assert list(usdt.markers(Image.open(library))) == theirs


@pytest.fixture
def old_ways(monkeypatch):
    """As on a kernel without uprobe.multi."""
    there = features.has
    monkeypatch.setattr(features, "has", lambda name: name != "uprobe.multi" and there(name))


@pytest.mark.parametrize("multi", [False, True])
def test_arguments_of_every_place_come_with_a_cookie(library, own, reader, multi, request):
    if not multi:
        request.getfixturevalue("old_ways")
    elif not features.has("uprobe.multi"):
        pytest.skip("this kernel has no uprobe.multi for markers")
    with linux.load(reader()) as obj:
        program = obj.programs["handler"]
        with program.attach(f"{library}:ebee:work", cookie=99, pid=0) as link:
            own.work(-7, ctypes.byref(Pair(-3, 1 << 40)), 200)
            assert obj.variables["seen"].value == 2
            assert obj.variables["argc"].value == 3
            assert obj.variables["values"].value[:2] == [[-7, 1 << 40, 200], [7, -3, 1234567]]
            assert obj.variables["cookies"].value[:2] == [99, 99]
            assert link.info().type == ("uprobe_multi" if multi else "perf_event")
        own.work(1, ctypes.byref(Pair()), 1)
        assert obj.variables["seen"].value == 2


def test_a_semaphore_is_raised_while_attached(library, own, reader):
    with linux.load(reader()) as obj:
        assert own.watched(5) == 0
        with obj.programs["handler"].attach(str(library), provider="ebee", name="watched"):
            assert own.watched(5) == 1
            assert obj.variables["values"].value[0] == [5, -5, -1]
        assert own.watched(5) == 0


def test_without_cookies_places_are_known_by_their_addresses(
    library, own, reader, old_ways, monkeypatch
):
    monkeypatch.setitem(kconfig.VIRTUAL, "LINUX_HAS_BPF_COOKIE", lambda: 0)
    with linux.load(reader()) as obj:
        program = obj.programs["handler"]
        with program.attach(f"{library}:ebee:work", pid=0, mode="ioctl"):
            assert len(obj.maps["__bpf_usdt_ip_to_spec_id"]) == 2
            own.work(-7, ctypes.byref(Pair(-3, 9)), 200)
            assert obj.variables["values"].value[:2] == [[-7, 9, 200], [7, -3, 1234567]]
        assert len(obj.maps["__bpf_usdt_ip_to_spec_id"]) == 0
        with pytest.raises(KernelError, match="take pid= or cookies"):
            program.attach(f"{library}:ebee:work", mode="ioctl")


def test_specs_are_shared_and_freed(library, own, reader):
    with linux.load(reader()) as obj:
        program = obj.programs["handler"]
        for _ in range(3):  # 256 would be taken by now if they were not given back
            links = [program.attach(f"{library}:ebee:work", cookie=c) for c in range(100)]
            for link in links:
                link.close()
        links = [program.attach(f"{library}:ebee:work", cookie=c) for c in range(128)]
        again = program.attach(f"{library}:ebee:work", cookie=5)
        with pytest.raises(KernelError, match="BPF_USDT_MAX_SPEC_CNT larger than 256"):
            program.attach(f"{library}:ebee:work", cookie=1000)
        for link in [*links, again]:
            link.close()


def test_mistakes_are_explained(library, reader):
    with linux.load(reader()) as obj:
        program = obj.programs["handler"]
        for target, text in (
            (f"{library}:ebee:wrok", "no marker ebee:wrok; it has ebee:watched, ebee:work"),
            (str(library), "no marker of .* is named"),
            ("libc:ebee:work", "has no USDT markers"),
        ):
            with pytest.raises(KernelError, match=text):
                program.attach(target)
        with pytest.raises(KernelError, match="does not include <bpf"):
            attach.usdt_marker(program.raw, f"{library}:ebee:work", maps={})
