"""Code for arm64 does what CPython does: random functions as a program of their own under qemu."""

import importlib.util
import random
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from ebee.lang.build import build
from ebee.lang.compiler import Options
from ebee.lang.source import define
from ebee.lang.target import ARM64
from ebee.lang.unit import Spec, compile_native
from ebee.machine.memory import Memory
from ebee.types import ptr, sizeof

pytestmark = [
    pytest.mark.differential,
    pytest.mark.skipif(not shutil.which("qemu-aarch64-static"), reason="needs qemu-aarch64-static"),
]

CODE, DATA, PAGE = 0x40_0000, 0x1000_0000, 0x1_0000
INPUTS = 4

MAIN = """
@struct
class Record:
    index: u64
    a: u64
    b: u64
    c: u64
    result: u64
    buffer: array[u8, 1024]

@native
def run(r: ptr[Record]) -> u64:
    p = r.buffer.ptr
    s = cast(ptr[S], byte_offset(p, 512))
{calls}
    return 0

@native
def main(records: ptr[Record]) -> None:
    for i in range({count}):
        records[i].result = run(records + i)

@native
def copy(to: ptr[u8], source: ptr[u8], n: u64) -> ptr[u8]:
    if to > source:
        while n > 0:
            n -= 1
            to[n] = source[n]
    else:
        for i in range(n):
            to[i] = source[i]
    return to

@native
def fill(to: ptr[u8], byte: i32, n: u64) -> ptr[u8]:
    for i in range(n):
        to[i] = byte
    return to

@native
def differ(a: ptr[u8], b: ptr[u8], n: u64) -> i32:
    for i in range(n):
        if a[i] != b[i]:
            return 1
    return 0
"""


def generator():
    path = Path(__file__).with_name("test_lang_functions.py")
    spec = importlib.util.spec_from_file_location("lang_functions", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def program(image, size):
    """An executable that reads its data, runs `main` over it, and writes it."""

    def move(register, value):
        return [
            0xD2800000 | (value & 0xFFFF) << 5 | register,
            0xF2A00000 | (value >> 16) << 5 | register,
        ]

    def call(number, *arguments):
        moves = [w for i, v in enumerate(arguments) for w in move(i, v)]
        return [*moves, *move(8, number), 0xD4000001]

    start = [*call(63, 0, DATA, size), *move(0, DATA)]
    entry = (len(image.data) + 3) // 4 * 4
    start += [0x94000000 | (image.symbols["main"] - entry - 4 * len(start)) >> 2 & 0x3FFFFFF]
    start += [*call(64, 1, DATA, size), *call(93, 0)]
    code = bytearray(image.data.ljust(entry, b"\0")) + struct.pack(f"<{len(start)}I", *start)
    for at in image.absolute:
        struct.pack_into("<Q", code, at, CODE + struct.unpack_from("<Q", code, at)[0])
    head = struct.pack(
        "<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 2, 183, 1, CODE + entry, 64, 0, 0, 64, 56, 2, 0, 0, 0
    )
    segments = struct.pack("<IIQQQQQQ", 1, 5, PAGE, CODE, CODE, len(code), len(code), PAGE)
    segments += struct.pack("<IIQQQQQQ", 1, 6, 0, DATA, DATA, 0, size, PAGE)
    return (head + segments).ljust(PAGE, b"\0") + code


@pytest.mark.parametrize("level", ["quick", "optimised"])
def test_random_functions_agree_on_arm64(level, tmp_path):
    text, functions = generator().batch(level)
    count = len(functions) * INPUTS
    calls = "\n".join(
        f"    if r.index == {i}:\n        return u64({name}(r.a, r.b, r.c, p, s))"
        for i, (name, *_) in enumerate(functions)
    )
    space = define(text + MAIN.format(calls=calls, count=count))
    names = {
        "main": "main",
        "memcpy": "copy",
        "memmove": "copy",
        "memset": "fill",
        "bcmp": "differ",
    }
    module = compile_native([Spec(space[f], n) for n, f in names.items()], target=ARM64)
    options = Options(level, target=ARM64, keep=tuple(names))
    image = build([module.ir], options, cached=False)
    assert not image.imports

    rng, record = random.Random(level), space["Record"]
    memory, size = Memory(), sizeof(record)
    region = memory.allocate("records", size * count)
    for i in range(count):
        numbers = [rng.getrandbits(rng.choice([0, 1, 3, 8, 64])) for _ in "abc"]
        head = struct.pack("<5Q", i // INPUTS, *numbers, 0)
        region.data[i * size : (i + 1) * size] = head + rng.randbytes(size - len(head))
    (tmp_path / "program").write_bytes(program(image, size * count))
    (tmp_path / "input").write_bytes(region.data)
    (tmp_path / "program").chmod(0o700)
    with (tmp_path / "input").open() as file:
        done = subprocess.run(
            ["qemu-aarch64-static", tmp_path / "program"], stdin=file, capture_output=True,
            timeout=60, check=True,
        )  # fmt: skip
    space["main"](ptr(memory, region.base, record))
    for i in range(count):
        part = slice(i * size, (i + 1) * size)
        assert done.stdout[part] == bytes(region.data[part]), functions[i // INPUTS][0]
