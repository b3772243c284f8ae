"""Equal programs in C (clang-19 -O2 -mcpu=v3) and in Python: instructions, and how many of them the
kernel's verifier walks.

The programs are in tests/fixtures/pairs: pairs.txt at packets, kernel.txt over types of the kernel
(these need the running kernel's, of which bpftool makes a vmlinux.h).
"""

from __future__ import annotations

import errno
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from bench.measure import geometric_mean

if TYPE_CHECKING:
    from ebee.obj import ObjectSpec

HERE = Path(__file__).parents[1] / "tests" / "fixtures" / "pairs"
PACKETS, KERNEL = "pairs", "kernel"
PROGRAM = "prog"
CLANG, BPFTOOL = "clang-19", "bpftool"
VMLINUX = Path("/sys/kernel/btf/vmlinux")
XDP_IN_C = """
#include "common.h"
SEC("xdp") int prog(struct xdp_md *ctx) {{
    void *at = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
    {}
}}
"""
XDP_IN_PYTHON = "\n\n@xdp\ndef prog(ctx: XdpContext) -> u32:\n"
FLAGS = ("-O2", "-mcpu=v3", "-g", "-target", "bpf", "-D__TARGET_ARCH_x86", "-c", "-x", "c", "-",
         "-idirafter", "/usr/include/x86_64-linux-gnu", "-o", "-")  # fmt: skip


@dataclass(frozen=True)
class Pair:
    """A program in both languages; `file`: which of the two files it is from."""

    title: str
    file: str
    c: str
    python: str


def _read(file: str) -> list[Pair]:
    parts = re.split(r"^=== (.*)\n", (HERE / f"{file}.txt").read_text(), flags=re.M)[1:]
    texts = zip(parts[::2], parts[1::2], strict=True)
    return [Pair(title, file, *text.split("---\n")) for title, text in texts]


PAIRS = {pair.title: pair for file in (PACKETS, KERNEL) for pair in _read(file)}


def missing(pair: Pair) -> str:
    """What this machine lacks to compile a pair; "" for nothing."""
    tools = [CLANG] if pair.file == PACKETS else [CLANG, BPFTOOL]
    absent = [tool for tool in tools if shutil.which(tool) is None]
    if absent:
        return f"needs {' and '.join(absent)}"
    return "" if pair.file == PACKETS or VMLINUX.exists() else "needs the kernel's BTF"


@cache
def _vmlinux(folder: str) -> None:
    command = [BPFTOOL, "btf", "dump", "file", str(VMLINUX), "format", "c"]
    with Path(folder, "vmlinux.h").open("wb") as file:
        subprocess.run(command, check=True, stdout=file)


_FOLDER = tempfile.TemporaryDirectory(prefix="ebee-pairs-")


@cache
def in_c(title: str) -> ObjectSpec:
    """A pair's program in C, compiled."""
    from ebee.obj import read

    pair = PAIRS[title]
    text = XDP_IN_C.format(pair.c) if pair.file == PACKETS else f'#include "kernel.h"\n{pair.c}'
    if pair.file == KERNEL:
        _vmlinux(_FOLDER.name)
    command = [CLANG, *FLAGS, "-I", str(HERE), "-I", _FOLDER.name]
    made = subprocess.run(command, input=text.encode(), capture_output=True, check=False)
    if made.returncode:
        raise RuntimeError(f"{title}: {made.stderr.decode()}")
    return read(made.stdout, title)


@cache
def in_python(title: str) -> ObjectSpec:
    """A pair's program in Python, compiled."""
    from ebee.lang.bpf import build
    from ebee.lang.source import define

    pair = PAIRS[title]
    if pair.file == PACKETS:
        lines = pair.python.strip("\n").split("\n")
        body = XDP_IN_PYTHON + "".join(f"    {line}\n" for line in lines)
        head = (HERE / "common.py").read_text()
    else:
        head, body = (HERE / "kernel.py").read_text(), "\n\n" + pair.python
    return build.compile(define(head + body)[PROGRAM])


def size(spec: ObjectSpec) -> int:
    """Instructions of a program and all that it calls."""
    from ebee.obj import link

    return len(link(spec, PROGRAM).insns)


def walked(spec: ObjectSpec) -> int:
    """Instructions that the running kernel's verifier walks (since Linux 5.16), or, where programs
    may not be loaded, ebee's. KernelError where it does not accept the program."""
    from ebee import linux, verifier
    from ebee.errors import KernelError, VerifierError

    try:
        with linux.load(spec) as loaded:
            if found := loaded.programs[PROGRAM].info().get("verified_insns"):
                return int(found)
    except VerifierError:
        raise
    except KernelError as error:
        if error.errno not in (errno.EPERM, errno.EACCES, errno.EOPNOTSUPP):
            raise
    return verifier.check(spec, PROGRAM).processed


def table(files: tuple[str, ...] = (PACKETS, KERNEL)) -> dict[str, tuple[int, int, int, int]]:
    """Title -> instructions in C and in Python, those walked in C and in Python."""
    found = {}
    for title, pair in PAIRS.items():
        if pair.file in files and not missing(pair):
            c, python = in_c(title), in_python(title)
            found[title] = size(c), size(python), walked(c), walked(python)
    return found


def show() -> None:
    """Print the table, and its geometric means."""
    print(f"{'':<34}{'instructions':>21}{'verifier walks':>24}")
    print(f"{'program':<34}{'C':>7}{'Python':>7}{'':>7}{'C':>10}{'Python':>7}")
    rows = table()
    for title, (c, python, c_walked, python_walked) in rows.items():
        print(f"{title:<34}{c:>7}{python:>7}{python / c:>7.2f}"
              f"{c_walked:>10}{python_walked:>7}{python_walked / c_walked:>7.2f}")  # fmt: skip
    means = means_of(rows)
    if means:
        print(f"geometric mean of {len(rows):<16}{means[0]:>21.3f}{means[1]:>24.3f}")


def means_of(rows: dict[str, tuple[int, int, int, int]]) -> tuple[float, float] | None:
    """Python to C, of instructions and of those walked."""
    if not rows:
        return None
    return (geometric_mean([p / c for c, p, _, _ in rows.values()]),
            geometric_mean([p / c for _, _, c, p in rows.values()]))  # fmt: skip


if __name__ == "__main__":
    show()
