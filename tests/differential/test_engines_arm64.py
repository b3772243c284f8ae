"""The JIT's arm64 code, run by qemu: the same programs give the same as on the interpreter.

The programs of a module become one static executable together with a little runner (LLVM IR, with
Linux's system calls): for each program and packet it writes r0 and the packet.
"""

import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from engines import compare, valid

from ebee.abi.cpu import Cpu
from ebee.abi.packet import HEADROOM, Packet
from ebee.lang.build import build
from ebee.lang.compiler import Options
from ebee.lang.ir import symbol
from ebee.lang.target import ARM64
from ebee.machine.jit.calls import entry_name
from ebee.types import offsetof, sizeof

QEMU = shutil.which("qemu-aarch64-static") or shutil.which("qemu-aarch64")

pytestmark = [
    pytest.mark.differential,
    pytest.mark.skipif(QEMU is None, reason="needs qemu-aarch64 (package qemu-user-static)"),
]

FEATURES = {
    "alu", "wide", "branch", "loop", "stack", "packet", "packet_indexed", "atomic", "context",
    "meta",
}  # fmt: skip
BASE = 0x400000
SIZE = 300
"""Bytes of the packet in the output."""

LIBRARY = """
define void @memset(ptr %to, i32 %byte, i64 %n) "no-builtins" noinline {
  %value = trunc i32 %byte to i8
  br label %test
test:
  %i = phi i64 [ 0, %0 ], [ %next, %turn ]
  %more = icmp ult i64 %i, %n
  br i1 %more, label %turn, label %end
turn:
  %at = getelementptr i8, ptr %to, i64 %i
  store volatile i8 %value, ptr %at
  %next = add i64 %i, 1
  br label %test
end:
  ret void
}
define void @memcpy(ptr %to, ptr %from, i64 %n) "no-builtins" noinline {
  br label %test
test:
  %i = phi i64 [ 0, %0 ], [ %next, %turn ]
  %more = icmp ult i64 %i, %n
  br i1 %more, label %turn, label %end
turn:
  %source = getelementptr i8, ptr %from, i64 %i
  %value = load volatile i8, ptr %source
  %at = getelementptr i8, ptr %to, i64 %i
  store volatile i8 %value, ptr %at
  %next = add i64 %i, 1
  br label %test
end:
  ret void
}
declare i64 @system(i64, i64, i64, i64)
"""
WRITE, EXIT = 64, 94

SYSTEM = (
    0xAA0003E8,  # mov x8, x0
    0xAA0103E0,  # mov x0, x1
    0xAA0203E1,  # mov x1, x2
    0xAA0303E2,  # mov x2, x3
    0xD4000001,  # svc #0
    0xD65F03C0,  # ret
)
"""A system call: its number and three arguments."""


def runner(names, inputs):
    """IR of `_start`: each program on each input."""
    data = b"".join(inputs)
    text = "".join(f"\\{b:02X}" for b in data)
    members = {"data": 0, "data_end": 1, "data_meta": 0, "frame": 2, "frame_end": 3}
    places = ["%data", "%end", "%frame", "%limit"]
    lines = [
        LIBRARY,
        f'@inputs = internal constant [{len(data)} x i8] c"{text}"',
        '@"machine.regions" = internal constant [4 x i64] zeroinitializer',
        '@"machine.text" = internal constant [2 x i64] zeroinitializer',
        "define internal void @one(ptr %program, ptr %from, i64 %size) noinline {",
        f"  %cpu = alloca [{sizeof(Cpu)} x i8], align 16",
        f"  %block = alloca [{sizeof(Packet)} x i8], align 16",
        "  %frame = alloca [4096 x i8], align 16",
        "  %stacks = alloca [4096 x i8], align 16",
        "  %out = alloca i64",
        f"  call void @memset(ptr %cpu, i32 0, i64 {sizeof(Cpu)})",
        f"  call void @memset(ptr %block, i32 0, i64 {sizeof(Packet)})",
        "  call void @memset(ptr %frame, i32 0, i64 4096)",
        f"  %data = getelementptr i8, ptr %frame, i64 {HEADROOM}",
        "  %end = getelementptr i8, ptr %data, i64 %size",
        "  %limit = getelementptr i8, ptr %frame, i64 4096",
        "  call void @memcpy(ptr %data, ptr %from, i64 %size)",
    ]
    stores = [("block", offsetof(Packet, m), f"ptr {places[p]}") for m, p in members.items()]
    stores.append(("block", offsetof(Packet, "ingress_ifindex"), "i32 1"))
    stores.append(("cpu", offsetof(Cpu, "packet"), "ptr %block"))
    stores.append(("cpu", offsetof(Cpu, "budget"), "i64 1000000"))
    for i, (base, at, value) in enumerate(stores):
        lines.append(f"  %s{i} = getelementptr i8, ptr %{base}, i64 {at}")
        lines.append(f"  store {value}, ptr %s{i}")
    lines += [
        "  %top = getelementptr i8, ptr %stacks, i64 4096",
        f"  %st = getelementptr i8, ptr %cpu, i64 {offsetof(Cpu, 'stack')}",
        "  store ptr %top, ptr %st",
        "  %r0 = call i64 %program(ptr %cpu, ptr %block, ptr %data, ptr %end, i64 0, i64 0)",
        f"  %fp = getelementptr i8, ptr %cpu, i64 {offsetof(Cpu, 'fault')}",
        "  %fault = load i32, ptr %fp",
        "  %wide = zext i32 %fault to i64",
        "  %high = shl i64 %wide, 56",
        "  %low = and i64 %r0, 4294967295",
        "  %word = or i64 %low, %high",
        "  store i64 %word, ptr %out",
        "  %o = ptrtoint ptr %out to i64",
        f"  call i64 @system(i64 {WRITE}, i64 1, i64 %o, i64 8)",
        "  %d = ptrtoint ptr %data to i64",
        f"  call i64 @system(i64 {WRITE}, i64 1, i64 %d, i64 {SIZE})",
        "  ret void",
        "}",
        "define void @_start() {",
    ]
    at = 0
    for i, item in enumerate(inputs):
        lines.append(f"  %i{i} = getelementptr i8, ptr @inputs, i64 {at}")
        at += len(item)
    for name in names:
        lines += [
            f"  call void @one(ptr {symbol(name)}, ptr %i{i}, i64 {len(item)})"
            for i, item in enumerate(inputs)
        ]
    lines += [f"  call i64 @system(i64 {EXIT}, i64 0, i64 0, i64 0)", "  unreachable", "}"]
    return "\n".join(lines) + "\n"


def executable(image):
    """An image as a static ELF executable of one segment."""
    data = bytearray(image.data)
    assert list(image.imports) == ["system"]
    start = BASE + 0x1000
    struct.pack_into("<Q", data, image.imports["system"], start + len(data))
    data += struct.pack("<6I", *SYSTEM)
    for at in image.absolute:
        (offset,) = struct.unpack_from("<Q", data, at)
        struct.pack_into("<Q", data, at, start + offset)
    entry = start + image.symbols["_start"]
    head = struct.pack(
        "<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01", 2, ARM64.elf, 1, entry, 64, 0, 0,
        64, 56, 1, 0, 0, 0,
    )  # fmt: skip
    size = 0x1000 + len(data)
    head += struct.pack("<IIQQQQQQ", 1, 5, 0, BASE, BASE, size, size, 0x1000)
    return head.ljust(0x1000, b"\0") + bytes(data)


def run_on_arm(lowered, names, inputs, tier, tmp_path):
    """(r0 and fault, packet) of each program on each input."""
    options = Options(level=tier, target=ARM64, keep=("_start",))
    defined = "\n".join(
        line for line in lowered.text.splitlines()
        if not line.startswith(('@"machine.regions" =', '@"machine.text" ='))
    )  # fmt: skip
    image = build([defined + runner(names, inputs)], options, cached=False)
    path = tmp_path / "programs"
    path.write_bytes(executable(image))
    path.chmod(0o755)
    done = subprocess.run([QEMU, str(path)], capture_output=True, timeout=120)
    assert done.returncode == 0, (done.returncode, done.stderr)
    step = 8 + SIZE
    assert len(done.stdout) == step * len(names) * len(inputs)
    return [
        (int.from_bytes(done.stdout[i : i + 8], "little"), done.stdout[i + 8 : i + step])
        for i in range(0, len(done.stdout), step)
    ]


@pytest.fixture(scope="module")
def engines():
    made = compare.Engines(valid.shared())
    yield made
    made.close()


@pytest.mark.parametrize("tier", ["quick", "optimised", "most"])
@pytest.mark.parametrize("checked", [False, True])
def test_programs_on_arm64(engines, tier, checked, tmp_path):
    # Without the machine's table of regions checked code knows only pointers of which facts tell.
    features = FEATURES if checked else FEATURES | {"stack_indexed", "call"}
    inputs = [data[:200] for data in valid.make_program("arm64", 4).inputs]
    programs = [valid.make_program(f"arm64-{n}", 1, features) for n in range(25)]
    codes = [engines.prepare(p, f"p{i}") for i, p in enumerate(programs)]
    lowered = engines.lower(codes, checked)
    assert not any(lowered.errors)
    names = [entry_name(code) for code in codes]
    found = run_on_arm(lowered, names, inputs, tier, tmp_path)
    for i, (code, program) in enumerate(zip(codes, programs, strict=True)):
        expected = engines.interpret(code, inputs).frames
        for j, ((r0, packet), (want, data)) in enumerate(
            zip(found[i * len(inputs) :][: len(inputs)], expected, strict=True)
        ):
            same = (r0, packet[: len(data)]) == (want, data)
            assert same, f"input {j}: {r0:#x}, not {want:#x}\n{program.text()}"
