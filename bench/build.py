"""Building what is measured: C programs for BPF and for this machine, in a scratch folder."""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from ebee import clang
from ebee.clang import toolchain
from ebee.errors import CompileError
from ebee.obj import ObjectSpec

HERE = Path(__file__).resolve().parent
EXAMPLES = HERE.parent / "examples"
ENVIRONMENT = "EBEE_BENCH_PROGS"

PROGRAMS = (
    "parse5", "csum", "jhash", "xxh64", "calls", "switch", "loop", "log2", "isqrt", "prime",
    "strcmp", "maplook",
)  # fmt: skip
"""Besides `empty`, which is the loop around them."""

O2, O3 = ("-O2",), ("-O3", "-march=native")


def programs_folder() -> Path:
    """Where the small programs are: $EBEE_BENCH_PROGS, or ../shared/bench/progs beside the
    repository. CompileError when they are not there."""
    chosen = os.environ.get(ENVIRONMENT, "")
    place = Path(chosen) if chosen else HERE.parents[1] / "shared" / "bench" / "progs"
    missing = [name for name in (*PROGRAMS, "empty") if not (place / f"{name}.c").is_file()]
    if missing:
        raise CompileError(
            f"the small programs are not in {place} ({missing[0]}.c is missing);"
            f" set {ENVIRONMENT} to the folder they are in"
        )
    return place


def packet() -> bytes:
    """The 512 bytes that all small programs read: an Ethernet, IPv4 and TCP header in front of
    numbers. Bytes 320 to 415 come twice; from 64 on are numbers to test for being prime."""
    data, x = bytearray(512), 12345
    for i in range(512):
        x = (x * 1103515245 + 12345) & 0x7FFF_FFFF
        data[i] = x >> 16 & 255 or 1
    primes = (65521, 64507, 62615, 3, 49, 65519, 60491, 251, 32749, 16381, 8191, 4099, 65497, 143,
              57, 61169)  # fmt: skip
    parts = {12: b"\x08\x00\x45", 16: (498).to_bytes(2, "big"), 20: bytes(2), 23: b"\x06",
             34: (43210).to_bytes(2, "big") + (443).to_bytes(2, "big"), 46: b"\x50",
             64: b"".join(p.to_bytes(2, "little") for p in primes)}  # fmt: skip
    for at, part in parts.items():
        data[at : at + len(part)] = part
    data[416:512] = data[320:416]
    return bytes(data)


class Builder:
    """Compiles into a folder: with clang-19 where it is, else with what ebee finds."""

    def __init__(self, folder: Path):
        self.folder = folder
        if not os.environ.get("EBEE_CLANG") and shutil.which("clang-19"):
            os.environ["EBEE_CLANG"] = "clang-19"

    @cached_property
    def tools(self) -> toolchain.Toolchain:
        return toolchain.find()

    @cached_property
    def progs(self) -> Path:
        return programs_folder()

    def small(self, name: str) -> ObjectSpec:
        """One of the small programs as an XDP program."""
        return clang.build(self.progs / f"{name}.c", defines={"MODE_KERN": None})

    def example(self, name: str) -> ObjectSpec:
        """One of the examples."""
        return clang.build(EXAMPLES / f"{name}.c")

    def native(
        self, name: str, source: Path, flags: Sequence[str] = O2, *,
        defines: Mapping[str, int] | None = None, include: Path | None = None,
    ) -> ctypes.CDLL:  # fmt: skip
        """A C file as code of this machine."""
        output = self.folder / f"{name}{''.join(flags)}.so"
        command = [
            *self.tools.command, *self._host(flags), *flags, "-fPIC", "-shared", "-DMODE_NATIVE",
            *(f"-D{key}={value}" for key, value in (defines or {}).items()),
            *(("-include", str(include)) if include else ()),
            str(source), "-o", str(output),
        ]  # fmt: skip
        done = subprocess.run(
            command, capture_output=True, text=True, check=False,
            env={**os.environ, **self.tools.environment},
        )  # fmt: skip
        if done.returncode:
            raise CompileError(f"{source} does not compile for this machine:\n{done.stderr}")
        return ctypes.CDLL(str(output))

    def _host(self, flags: Sequence[str]) -> tuple[str, ...]:
        """What makes zig compile as clang does: no run-time checks, for any CPU of this kind."""
        if "cc" not in self.tools.command:
            return ()
        any_cpu = () if O3[1] in flags else ("-target", f"{platform.machine()}-linux-gnu")
        return ("-fno-sanitize=all", *any_cpu)

    def small_native(self, name: str, flags: Sequence[str]) -> ctypes.CDLL:
        """One of the small programs as a function of this machine."""
        return self.native(name, self.progs / f"{name}.c", flags)

    @cached_property
    def driver(self) -> ctypes.CDLL:
        """The loops of driver.c."""
        lib = self.native("driver", HERE / "driver.c")
        pointer, number = ctypes.c_void_p, ctypes.c_uint64
        lib.call_native.argtypes = (pointer, pointer, number, number)
        lib.call_compiled.argtypes = (pointer, pointer, number, number)
        lib.call_packets.argtypes = (pointer, pointer, pointer, pointer, number, pointer)
        lib.call_frames.argtypes = (*lib.call_packets.argtypes, pointer)
        lib.call_native.restype = lib.call_compiled.restype = number
        lib.call_packets.restype = lib.call_frames.restype = None
        return lib


def entry(lib: ctypes.CDLL) -> int:
    """The address of a native program's function."""
    function: Any = lib.prog
    return ctypes.cast(function, ctypes.c_void_p).value or 0
