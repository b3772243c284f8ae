"""Equal programs in C (clang-19 -O2 -mcpu=v3) and in Python: the same verdicts and packets, and
instructions side by side. EBEE_SHOW=1 prints the table."""

import math
import os
import random
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from ebee import linux
from ebee.lang.bpf import build
from ebee.lang.source import define
from ebee.machine.machine import Machine
from ebee.obj import link, read

pytestmark = pytest.mark.differential

HERE = Path(__file__).parents[1] / "fixtures" / "pairs"
PARTS = re.split(r"^=== (.*)\n", (HERE / "pairs.txt").read_text(), flags=re.M)[1:]
PAIRS = {t: p.split("---\n") for t, p in zip(PARTS[::2], PARTS[1::2], strict=True)}
CLANG = shutil.which("clang-19")
C = """
#include "common.h"
SEC("xdp") int prog(struct xdp_md *ctx) {{
    void *at = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
    {}
}}
"""
FLAGS = ("-O2", "-mcpu=v3", "-g", "-target", "bpf", "-c", "-I", str(HERE), "-x", "c", "-",
         "-idirafter", "/usr/include/x86_64-linux-gnu", "-o", "-")  # fmt: skip


def c_spec(title):
    if CLANG is None:
        pytest.skip("needs clang-19")
    made = subprocess.run(
        [CLANG, *FLAGS], input=C.format(PAIRS[title][0]).encode(), capture_output=True
    )
    assert made.returncode == 0, made.stderr.decode()
    return read(made.stdout, title)


def python_spec(title):
    body = "".join(f"    {line}\n" for line in PAIRS[title][1].strip("\n").split("\n"))
    head = "\n\n@xdp\ndef prog(ctx: XdpContext) -> u32:\n"
    return build.compile(define((HERE / "common.py").read_text() + head + body)["prog"])


@cache
def specs(title):
    return c_spec(title), python_spec(title)


def size(spec):
    return len(link(spec, "prog").insns)


def frames():
    rng = random.Random(5)
    for kind in (b"\x08\x00", b"\x86\xdd", b"\x81\x00", b"\x88\xa8", b"\x08\x06"):
        for _ in range(14):
            head = bytes([2, 0, 0, 0, 0, 1]) if rng.random() < 0.5 else rng.randbytes(6)
            rest = bytearray(rng.randbytes(rng.choice((1, 20, 40, 46, 90, 300))))
            if len(rest) > 30:
                rest[8] = rng.choice((0, 1, 2, 64))
                rest[9] = rng.choice((6, 17, 1))
                rest[22:24] = rng.choice((80, 53, 22, 9)).to_bytes(2, "big")
            yield rng.randbytes(6) + head + kind + bytes(rest)


def outcome(loaded):
    run = loaded.programs["prog"].test_run
    done = [run(frame) for frame in frames()]
    return [(r.retval, bytes(r.data)) for r in done]


@pytest.mark.parametrize("title", PAIRS)
def test_they_are_equal(title):
    found = []
    for spec in specs(title):
        with Machine(clock=0) as machine:
            found.append(outcome(machine.load(spec)))
    assert found[0] == found[1]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
@pytest.mark.parametrize("title", PAIRS)
def test_the_kernel_takes_both(title):
    for spec in specs(title):
        linux.load(spec).close()


def test_python_is_no_larger_than_c():
    """The geometric mean of all pairs, and each for itself within a few instructions."""
    sizes = {t: (size(c), size(python)) for t in PAIRS for c, python in [specs(t)]}
    mean = math.exp(sum(math.log(p / c) for c, p in sizes.values()) / len(sizes))
    if os.environ.get("EBEE_SHOW"):
        for title, (c, python) in sizes.items():
            print(f"{title:<32}{c:>5}{python:>5}{python / c:>7.2f}", file=sys.stderr)
        print(f"geometric mean of {len(sizes)}: {mean:.3f}", file=sys.stderr)
    assert len(sizes) >= 25
    assert mean <= 1.0
    assert all(python <= c * 1.1 + 3 for c, python in sizes.values()), sizes
