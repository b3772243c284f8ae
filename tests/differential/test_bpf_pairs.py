"""Equal programs in C (clang-19 -O2 -mcpu=v3) and in Python: the same results, and no more
instructions, nor more that the verifier walks (`python -m bench.pairs` prints them)."""

import os
import random

import pytest
from bench import pairs
from bench.measure import geometric_mean

from ebee import linux
from ebee.machine.machine import Machine

pytestmark = pytest.mark.differential

AT_PACKETS = [t for t, p in pairs.PAIRS.items() if p.file == pairs.PACKETS]
ROOT = os.geteuid() == 0


def specs(title):
    if absent := pairs.missing(pairs.PAIRS[title]):
        pytest.skip(absent)
    return pairs.in_c(title), pairs.in_python(title)


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


@pytest.mark.parametrize("title", AT_PACKETS)
def test_they_are_equal(title):
    found = []
    for spec in specs(title):
        with Machine(clock=0) as machine:
            found.append(outcome(machine.load(spec)))
    assert found[0] == found[1]


@pytest.mark.skipif(not ROOT, reason="needs root")
@pytest.mark.parametrize("title", pairs.PAIRS)
def test_the_kernel_takes_both(title):
    for spec in specs(title):
        linux.load(spec).close()


@pytest.mark.skipif(not ROOT, reason="needs root")
@pytest.mark.parametrize("title", [t for t, p in pairs.PAIRS.items() if "@syscall" in p.python])
def test_what_they_find_in_the_kernel_is_the_same(title):
    found = []
    for spec in specs(title):
        with linux.load(spec) as loaded:
            found.append(bytes(loaded.programs["prog"].test_run(ctx=bytes(24)).ctx))
    assert found[0] == found[1]
    assert any(found[0]) or title == "bit fields"


@pytest.mark.parametrize("file", [pairs.PACKETS, pairs.KERNEL])
def test_python_is_no_larger_than_c(file):
    """The geometric mean of all pairs, and each for itself within a few instructions."""
    titles = [t for t, p in pairs.PAIRS.items() if p.file == file]
    sizes = {t: tuple(map(pairs.size, specs(t))) for t in titles}
    mean = geometric_mean([python / c for c, python in sizes.values()])
    assert len(sizes) >= (25 if file == pairs.PACKETS else 14)
    assert mean <= 1.0
    assert all(python <= c * 1.1 + 3 for c, python in sizes.values()), sizes


@pytest.mark.skipif(not ROOT, reason="needs root")
def test_the_kernels_verifier_walks_no_more_of_python_than_of_c():
    rows = pairs.table()
    if not rows:
        pytest.skip("needs clang-19")
    _, walked = pairs.means_of(rows)
    assert walked <= 1.0, rows
