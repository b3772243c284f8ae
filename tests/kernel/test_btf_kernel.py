"""The running kernel's BTF: as bpftool reads it, as clang compiles what we print of it, and with
CO-RE results equal to libbpf's."""

import json
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ebee.btf import (
    Array,
    Btf,
    BtfBuilder,
    Composite,
    DeclTag,
    Enumeration,
    FuncProto,
    Fwd,
    Int,
    Ptr,
    Struct,
    Type,
    Union,
)
from ebee.btf.codec import Codec
from ebee.btf.core import Relocator
from ebee.btf.dump import as_dict, as_text
from ebee.btf.ext import BtfExt
from ebee.btf.files import VMLINUX, build_id, section
from ebee.btf.printer import c
from ebee.btf.validate import validate
from ebee.errors import BtfError

pytestmark = pytest.mark.kernel

BPFTOOL = shutil.which("bpftool", path="/usr/sbin:/usr/bin:/sbin:/bin")
CLANG = shutil.which("clang-19") or shutil.which("clang")
needs_bpftool = pytest.mark.skipif(not BPFTOOL, reason="needs bpftool")
needs_clang = pytest.mark.skipif(not CLANG, reason="needs clang with the bpf target")


@pytest.fixture(scope="module")
def vmlinux() -> Btf:
    return Btf.vmlinux()


# -- against bpftool -----------------------------------------------------------------------------


def bpftool_dump(path: Path) -> list[dict[str, Any]]:
    done = subprocess.run(
        [BPFTOOL, "--json", "btf", "dump", "file", path], capture_output=True, check=True
    )
    types: list[dict[str, Any]] = json.loads(done.stdout)["types"]
    return types


@needs_bpftool
def test_every_type_of_the_kernel_is_as_bpftool_reads_it(vmlinux):
    compared = 0
    for theirs in bpftool_dump(VMLINUX):
        if theirs["kind"] == "ENUM" and theirs["encoding"] == "UNSIGNED":
            for value in theirs["values"]:
                value["val"] &= 0xFFFFFFFF  # bpftool 7.1 shows big unsigned ones sign-extended
        ours = as_dict(vmlinux.type(theirs["id"]))
        ours.pop("kind_flag", None)  # newer than bpftool 7.1
        assert ours == theirs
        compared += 1
    assert compared == len(vmlinux) - 1


@needs_bpftool
def test_types_as_text_are_bpftools(vmlinux):
    """But for big constants of 32 bits without a sign, which bpftool 7.1 shows as negative."""
    done = subprocess.run(
        [BPFTOOL, "btf", "dump", "file", VMLINUX], capture_output=True, check=True, text=True
    )
    ours = "\n".join(map(as_text, vmlinux)).splitlines()
    behind = re.compile(r" \((FUNC|VAR) .*\)$|,(?= linkage=)")
    theirs = [behind.sub("", line) for line in done.stdout.splitlines()]
    ours = [line.removesuffix(" kind_flag=1") for line in ours]
    differing = [(a, b) for a, b in zip(ours, theirs, strict=True) if a != b]
    assert all(re.search(r"val=-\d+$", b) for _, b in differing), differing[:5]


def test_the_kernels_own_types_are_valid_and_come_back_from_the_builder(vmlinux):
    validate(vmlinux)
    again = Btf.parse(BtfBuilder.edit(vmlinux).bytes())
    assert all(one == other for one, other in zip(vmlinux, again, strict=True))


# -- as C ------------------------------------------------------------------------------------------


def compiled(folder: Path, source: str, *options: str) -> Path:
    (folder / "test.c").write_text(source)
    command = [CLANG, "-target", "bpf", "-Werror", *options, "-c", "test.c", "-o", "test.o"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:4000]
    return folder / "test.o"


@pytest.fixture(scope="module")
def header(vmlinux) -> str:
    return c(vmlinux)


def once(btf: Btf) -> list[Composite]:
    """The structs and unions whose tag no other type has, so that C knows them by it."""
    tags = [t for t in btf if isinstance(t, (Composite, Enumeration)) and t.name]
    counts: dict[str, int] = {}
    for tag in tags:
        counts[tag.name] = counts.get(tag.name, 0) + 1
    return [t for t in tags if isinstance(t, Composite) and counts[t.name] == 1]


def spelt(found: Composite) -> str:
    return f"{'union' if isinstance(found, Union) else 'struct'} {found.name}"


@needs_clang
@pytest.mark.parametrize("standard", ["gnu11", "gnu23"])
def test_vmlinux_h_compiles_with_all_sizes_and_offsets_of_500_types(
    vmlinux, header, tmp_path, standard
):
    lines = [header]
    for found in random.Random(standard).sample(once(vmlinux), 500):
        lines.append(f"_Static_assert(sizeof({spelt(found)}) == {found.size});")
        for member in found.members:
            if member.name and not member.bits:
                offset = f"__builtin_offsetof({spelt(found)}, {member.name})"
                lines.append(f"_Static_assert({offset} == {member.offset // 8});")
    compiled(tmp_path, "\n".join(lines), f"-std={standard}", "-Wno-c23-extensions")


def same(one: Btf, first: int, other: Btf, second: int, seen: set[tuple[int, int]]) -> bool:
    """Whether two types are equal all the way down (names, offsets, bitfields, signs)."""
    stack = [(first, second)]
    while stack:
        pair = stack.pop()
        if pair in seen:
            continue
        seen.add(pair)
        a, b = one.resolve(pair[0]), other.resolve(pair[1])
        if isinstance(a, Fwd) or isinstance(b, Fwd):
            continue
        if a.name != b.name and not isinstance(a, Int):
            return False
        match a, b:
            case Composite(), Composite():
                named = [m for m in b.members if m.name or not m.bits]
                if type(a) is not type(b) or a.size != b.size or len(a.members) != len(named):
                    return False
                for x, y in zip(a.members, named, strict=True):
                    if (x.name, *one.bitfield(x)) != (y.name, *other.bitfield(y)):
                        return False
                    stack.append((x.type, y.type))
            case Int(), Int():
                if (a.size, a.boolean) != (b.size, b.boolean):
                    return False
            case Enumeration(), Enumeration():
                if a.size != b.size or a.values != b.values:
                    return False
            case (Ptr(), Ptr()):
                stack.append((a.type, b.type))
            case (Array(), Array()):
                if a.nelems != b.nelems:
                    return False
                stack.append((a.type, b.type))
            case FuncProto(), FuncProto():
                if len(a.params) != len(b.params):
                    return False
                stack.append((a.type, b.type))
                stack += [(x.type, y.type) for x, y in zip(a.params, b.params, strict=True)]
            case _:
                if type(a) is not type(b):
                    return False
    return True


@needs_clang
def test_types_that_went_through_c_and_clang_are_the_same(vmlinux, header, tmp_path):
    """Members, offsets, bitfields, signs, arrays and prototypes, all the way down."""
    chosen = [
        found
        for found in random.Random(3).sample(once(vmlinux), 400)
        if found.members and "___" not in header.split(f"{spelt(found)} {{")[1].split("\n}")[0]
    ]
    lines = [f"{spelt(found)} v{number};" for number, found in enumerate(chosen)]
    again = Btf.load(compiled(tmp_path, "\n".join([header, *lines]), "-g", "-O2"))
    kind = {Struct: Struct, Union: Union}
    for found in chosen:
        other = again.find(found.name, kind[type(found)])
        assert same(vmlinux, found.id, again, other.id, set()), found


@needs_clang
def test_a_single_type_compiles_with_what_it_needs(vmlinux, tmp_path):
    for name in ("task_struct", "sk_buff", "bpf_prog", "tcp_sock"):
        found = vmlinux.find(name, Struct)
        source = c(vmlinux, [found.id])
        check = f'_Static_assert(sizeof(struct {name}) == {found.size}, "");'
        compiled(tmp_path, f"{source}\n{check}")


def test_every_kfunc_has_a_prototype(vmlinux, header):
    tagged = {t.type for t in vmlinux if isinstance(t, DeclTag) and t.name == "bpf_kfunc"}
    for id in tagged:
        function = vmlinux.type(id)
        assert f" {function.name}(" in header or f"*{function.name}(" in header
    assert header.count(" __weak __ksym;") == len(tagged) > 50


# -- the kernel's verdict --------------------------------------------------------------------------


def kernel_takes(data: bytes) -> bool:
    """Whether BPF_BTF_LOAD accepts a blob."""
    import ctypes
    import os
    import struct

    libc = ctypes.CDLL(None, use_errno=True)
    number = {"x86_64": 321, "aarch64": 280}[os.uname().machine]
    buffer = ctypes.create_string_buffer(data, len(data))
    attr = struct.pack("=QQIIIIII", ctypes.addressof(buffer), 0, len(data), 0, 0, 0, 0, 0)
    fd = libc.syscall(number, 18, attr, len(attr))
    if fd >= 0:
        os.close(fd)
    return bool(fd >= 0)


def samples(btf: Btf) -> Iterator[bytes]:
    """Types of the kernel as BTF of their own, small enough to load many."""
    structs = [found for found in btf if isinstance(found, Struct) and found.name]
    for found in random.Random(5).sample(structs, 60):
        builder = BtfBuilder()
        builder.copy(btf, found.id, emptied)
        yield builder.bytes()


def emptied(found: Type) -> Type | None:
    """Big structs without their members, so that not half the kernel comes along."""
    if isinstance(found, (Struct, Union)) and found.name and found.size > 256:
        return found._replace(members=())
    return None


def test_what_the_builder_copies_the_kernel_takes(vmlinux):
    for data in samples(vmlinux):
        validate(Btf.parse(data))
        assert kernel_takes(data)


def fault_of(data: bytes) -> str:
    """What validation says."""
    try:
        validate(Btf.parse(data))
    except BtfError as error:
        return str(error)
    return ""


def test_what_we_refuse_the_kernel_refuses_too(vmlinux):
    """Over mutations of real types: no false alarm, and hardly anything passed over."""
    rng = random.Random(11)
    blobs = [data for data in samples(vmlinux) if len(data) < 20_000]
    refused_by_both = taken_by_both = missed = 0
    for _ in range(3000):
        data = bytearray(rng.choice(blobs))
        types = int.from_bytes(data[12:16], "little")
        at = 24 + rng.randrange(types // 4) * 4
        value = rng.choice((0, 1, 2, 5, 1 << 24, 0x7FFFFFFF, rng.randrange(1 << 32)))
        if rng.random() < 0.5:
            value = int.from_bytes(data[at : at + 4], "little") ^ 1 << rng.randrange(32)
        data[at : at + 4] = value.to_bytes(4, "little")
        taken, fault = kernel_takes(bytes(data)), fault_of(bytes(data))
        assert not (taken and fault), fault
        refused_by_both += bool(fault)
        taken_by_both += taken
        missed += not taken and not fault
    print(refused_by_both, taken_by_both, missed)
    assert refused_by_both > 500
    assert missed < refused_by_both / 20


# -- CO-RE -----------------------------------------------------------------------------------------

CORE = r"""
#define PAI __attribute__((preserve_access_index))
typedef unsigned int u32; typedef unsigned long long u64;
struct task_struct { int pid; char comm[16]; unsigned sched_reset_on_fork : 1; u64 nope;
                     struct { int a; } thread_info; u64 start_time; } PAI;
struct task_struct___v2 { unsigned in_execve : 1; u32 tgid; } PAI;
struct sk_buff { u32 len; unsigned char pkt_type : 3; unsigned l4_hash : 1; char cb[48]; } PAI;
struct missing { int a; } PAI;
struct list_head { struct list_head *next, *prev; };
struct path { int mnt; };
enum bpf_map_type { BPF_MAP_TYPE_HASH = 77, BPF_MAP_TYPE_NOPE = 78 };
typedef int pid_t;
"""
EXPRESSIONS = [
    *(
        f"__builtin_preserve_field_info(((struct {struct} *)0)->{field}, {kind})"
        for struct, field in (
            ("task_struct", "pid"),
            ("task_struct", "comm"),
            ("task_struct", "sched_reset_on_fork"),
            ("task_struct", "start_time"),
            ("task_struct___v2", "in_execve"),
            ("task_struct___v2", "tgid"),
            ("sk_buff", "len"),
            ("sk_buff", "pkt_type"),
            ("sk_buff", "l4_hash"),
            ("sk_buff", "cb"),
        )
        # clang knows signs and shifts of integers only.
        for kind in range(3 if field in ("comm", "cb") else 6)
    ),
    "__builtin_preserve_field_info(((struct task_struct *)0)->comm[3], 0)",
    "__builtin_preserve_field_info(((struct task_struct *)0)->nope, 2)",
    "__builtin_preserve_field_info(((struct missing *)0)->a, 2)",
    *(
        f"__builtin_preserve_type_info(*({type_} *)0, {kind})"
        for type_ in ("struct list_head", "struct missing", "struct path", "pid_t")
        for kind in range(3)
    ),
    "__builtin_btf_type_id(*(struct list_head *)0, 1)",
    *(
        f"__builtin_preserve_enum_value(*(enum bpf_map_type *)BPF_MAP_TYPE_{value}, {kind})"
        for value, kind in (("HASH", 0), ("HASH", 1), ("NOPE", 0))
    ),
]


@needs_clang
@needs_bpftool
def test_core_results_are_libbpfs(vmlinux, bpffs, tmp_path):
    """Each expression is a program that returns it: libbpf relocates, the kernel runs."""
    functions = "".join(
        f'__attribute__((section("socket"))) int f{number}(void *ctx) {{ return {text}; }}\n'
        for number, text in enumerate(EXPRESSIONS)
    )
    license = 'char L[] __attribute__((section("license"))) = "GPL";'
    path = compiled(tmp_path, CORE + functions + license, "-g", "-O2", "-Wno-everything")
    local = Btf.load(path)
    ext = BtfExt.parse(section(path.read_bytes(), ".BTF.ext", "test"), local)
    relocator = Relocator(local, vmlinux)
    starts = {info.offset: local.type(info.type).name for info in ext.funcs["socket"]}
    ours: dict[str, int] = {}
    for relo in ext.relos["socket"]:
        found = relocator.resolve(relo)
        assert not found.poison, found.why
        name = starts[max(offset for offset in starts if offset <= relo.offset)]
        assert name not in ours
        ours[name] = found.new & 0xFFFFFFFF
    assert len(ours) == len(EXPRESSIONS)

    subprocess.run([BPFTOOL, "prog", "loadall", path, bpffs / "p"], check=True)
    packet = tmp_path / "packet"
    packet.write_bytes(bytes(64))
    theirs = {}
    for name in ours:
        command = [BPFTOOL, "--json", "prog", "run", "pinned", bpffs / "p" / name]
        done = subprocess.run([*command, "data_in", packet], capture_output=True, check=True)
        theirs[name] = json.loads(done.stdout)["retval"]
    assert ours == theirs


# -- speed and memory ------------------------------------------------------------------------------


def test_the_index_is_kept_and_read_back(vmlinux, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert build_id()
    Btf.vmlinux()
    files = list((tmp_path / "ebee" / "btf").iterdir())
    assert [path.name for path in files] == [f"kernel-{build_id()}"]
    cached = Btf.vmlinux()
    assert cached.find("task_struct", Struct) == vmlinux.find("task_struct", Struct)
    files[0].write_bytes(files[0].read_bytes()[:-8])
    assert Btf.vmlinux().find("task_struct", Struct) == vmlinux.find("task_struct", Struct)
    assert len(files[0].read_bytes()) > 100_000


PEAK = """
import re, sys
from pathlib import Path
from ebee.btf import Btf, Struct
def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
before = peak()
eval(sys.argv[1])
print(peak() - before)
"""


def test_a_type_of_the_kernel_takes_less_than_30_mb(tmp_path, monkeypatch):
    def taken(action: str) -> int:
        """Kilobytes by which the peak of a fresh process grows."""
        command = [sys.executable, "-c", PEAK, action]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for _ in ("without an index", "with one"):
        assert taken("Btf.vmlinux().find('task_struct', Struct)") < 30 << 10
    assert taken("bytes(b'x') * (40 << 20)") > 30 << 10  # the measure measures


def test_a_codec_for_a_kernel_struct_decodes_it(vmlinux):
    codec = Codec(vmlinux, vmlinux.find("task_struct", Struct).id)
    record = codec.decode(bytes(codec.size))
    assert (record.comm, record.pid, record.thread_info.flags) == ("", 0, 0)
    assert codec.encode(record) == bytes(codec.size)
    assert codec.decode(codec.encode({"comm": "init", "pid": 1})).comm == "init"
