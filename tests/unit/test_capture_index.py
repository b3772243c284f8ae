"""Captures indexed by compiled code: the same index as the scanners in Python find."""

import ctypes
import gzip
import importlib.util
import io
import mmap
import os
import random
import struct
import sys
from array import array
from pathlib import Path

import pytest

from ebee.errors import CaptureError
from ebee.machine.capture import Capture, index, index_ops
from ebee.machine.capture.packet import Batch
from ebee.machine.capture.pcap import PcapScanner
from ebee.machine.capture.pcapng import PcapngScanner
from ebee.machine.memory import Memory
from ebee.types import sizeof

sys.path.insert(0, str(Path(__file__).parent))
from test_capture import block, enhanced, interface, pcap, section
from test_capture_fuzz import mutate

pytestmark = pytest.mark.unit

ROUNDS = int(3000 * float(os.environ["EBEE_FUZZ"])) if "EBEE_FUZZ" in os.environ else 100
MEMBERS = ("offsets", "lengths", "orig_lens", "stamps", "interfaces", "comments")
POWERS = 0, 3, 6, 9, 12, 28, 29, 48, 127, 128, 129, 137, 138, 158, 160, 191, 200, 201, 255
CLOCKS = [bytes([power]) for power in POWERS]
"""Values of if_tsresol."""
OFFSETS = [0, 0, 0, 1, -2, 1_600_000_000, -(2**33), 2**33 + 9, 2**34, 2**63 - 1, -(2**63)]

compiled = pytest.mark.skipif(
    not importlib.util.find_spec("llvmlite"), reason="llvmlite is not installed"
)


def random_pcap(dice):
    order, magic = dice.choice("<>"), dice.choice((0xA1B2C3D4, 0xA1B23C4D))
    records = [
        (dice.getrandbits(32), dice.getrandbits(32), dice.randbytes(dice.randrange(70)), 99)
        for _ in range(dice.randrange(40))
    ]
    return pcap(records, order, magic)


def random_pcapng(dice):
    parts = []
    for _ in range(dice.randrange(1, 3)):
        order, count = dice.choice("<>"), dice.randrange(1, 4)
        parts.append(section(order))
        for _ in range(count):
            offset = struct.pack(order + "q", dice.choice(OFFSETS))
            chosen = (9, dice.choice(CLOCKS)), (14, offset)
            parts.append(interface(order, 1, 0, *chosen[: dice.randrange(3)]))
        for _ in range(dice.randrange(30)):
            options = [
                (dice.choice((1, 2, 2, 2, 2, 2988)), dice.randbytes(dice.randrange(9)))
                for _ in range(dice.choice((0, 0, 0, 1, 2)))
            ]
            ticks = dice.getrandbits(dice.choice((20, 50, 60, 62, 64)))
            body = dice.randbytes(dice.randrange(40))
            parts.append(enhanced(ticks, body, order, dice.randrange(count), 77, *options))
            if not dice.randrange(9):
                parts.append(block(dice.choice((4, 5, 0xBAD)), bytes(20), order))
    return b"".join(parts)


def perhaps_mutate(data, dice):
    return mutate(data, dice) if dice.random() < 0.3 else data


MAKERS = {"pcap": random_pcap, "pcapng": random_pcapng}


def found(source, limit=1 << 16):
    """All that the batches of a capture say, and the error it ends in."""
    seen = []
    try:
        with Capture.open(source) as capture:
            for batch in capture.batches(limit):
                seen.append([list(getattr(batch, m)) for m in MEMBERS] + [str(batch.comments)])
    except CaptureError as error:
        return seen, str(error).replace(str(source), "")
    return seen, None


@pytest.fixture
def counted(monkeypatch):
    """Compiled code from the first packet on; holds how many packets it found."""
    counts = []
    real = index.compiled

    def compiled_and_counted(name, swapped):
        call = real(name, swapped)
        assert call is not None, "there is a compiler here"
        return lambda run: counts.append(call(run)) or counts[-1]

    monkeypatch.setattr(index, "SAMPLE", 0)
    monkeypatch.setattr(index, "WORTH", {True: 0, False: 0})
    monkeypatch.setattr(index, "compiled", compiled_and_counted)
    return counts


def in_python(source, limit=1 << 16):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(index, "compiled", lambda name, swapped: None)
        return found(source, limit)


@compiled
@pytest.mark.parametrize("damaged", [False, True])
@pytest.mark.parametrize("format", MAKERS)
def test_random_captures_have_the_same_index(format, damaged, tmp_path, counted):
    dice, path = random.Random(format), tmp_path / "a.cap"
    failures = 0
    for _ in range(ROUNDS):
        data = MAKERS[format](dice)
        data = mutate(data, dice) if damaged else data
        path.write_bytes(data)
        limit = dice.choice((1, 2, 7, 1 << 16))
        wanted = in_python(path, limit)
        failures += wanted[1] is not None
        assert found(path, limit) == wanted
        assert found(io.BytesIO(data), limit)[0] == in_python(io.BytesIO(data), limit)[0]
        path.write_bytes(gzip.compress(data, 1))
        assert found(path, limit) == in_python(path, limit)
    assert sum(counts := counted) > ROUNDS, "compiled code had a part in it"
    assert any(count > 3 for count in counts)
    assert failures > ROUNDS // 10 if damaged else format == "pcapng" or not failures


@compiled
@pytest.mark.parametrize("format", MAKERS)
def test_a_capture_may_be_cut_anywhere(format, tmp_path, counted):
    path, data = tmp_path / "a.cap", MAKERS[format](random.Random(5))
    for end in range(24, len(data), 3):
        path.write_bytes(data[:end])
        assert found(path) == in_python(path)
    assert sum(counted)


@compiled
@pytest.mark.parametrize("clock", CLOCKS)
@pytest.mark.parametrize("offset", OFFSETS[2:])
def test_times_at_the_edges_are_the_same(clock, offset, counted):
    options = (9, clock), (14, struct.pack("<q", offset))
    for ticks in (0, 1, 2**32, 2**63, 2**64 - 1, 10**9, 18_446_744_073_709_551, 2**34 * 10**6):
        data = section() + interface("<", 1, 0, *options) + enhanced(ticks, b"x")
        assert found(io.BytesIO(data)) == in_python(io.BytesIO(data))


def prepared(memory, data, scanner, pos, room):
    """A Run over a region of exactly these bytes, and its arrays."""
    arrays = {
        name: memory.allocate(name, max(room, 1) * size, writable=True)
        for name, (_, size) in index.ARRAYS.items()
    }
    bytes_ = memory.allocate("capture", len(data))
    bytes_.data[:] = data
    area = memory.allocate("run", sizeof(index_ops.Run))
    run = index_ops.ptr(memory, area.base, index_ops.Run)
    run.data, run.pos, run.end, run.room = bytes_.base, pos, len(data), room
    for name, region in arrays.items():
        setattr(run, name, region.base)
    if isinstance(scanner, PcapScanner):
        run.largest, run.unit = scanner._largest, scanner._fraction
    else:
        words = memory.allocate("clocks", 8 * len(scanner._clock_words))
        words.data[:] = scanner._clock_words.tobytes()
        run.clocks, run.interfaces_known = words.base, len(scanner._clocks)
    return run, arrays


@compiled
@pytest.mark.parametrize("format", MAKERS)
def test_the_source_means_the_same_and_reads_only_the_capture(format):
    dice, kind = random.Random(7), PcapScanner if format == "pcap" else PcapngScanner
    packets = 0
    for _ in range(ROUNDS):
        scanner = kind()
        data = MAKERS[format](dice)
        pos = scanner.scan(bytearray(data), 0, len(data), Batch(bytearray()), 0)
        if pos == len(data):
            continue
        data = data[:pos] + perhaps_mutate(data[pos:], dice)
        name, room = f"{format}_run", dice.choice((0, 1, 50))
        results = []
        swapped = scanner._order == ">"
        for is_compiled in (False, True):
            memory = Memory()
            run, arrays = prepared(memory, data, scanner, pos, room)
            if is_compiled:
                count = index.compiled(name, swapped)(int(run))
            else:
                count = getattr(index_ops, name)(run, int(swapped))
            results.append((count, run.pos, [bytes(a.data) for a in arrays.values()]))
        assert results[0] == results[1]
        packets += results[0][0]
    assert packets > ROUNDS // 5, "runs often end early, at a clock or an option"


@compiled
@pytest.mark.skipif(os.name != "posix", reason="needs mprotect")
@pytest.mark.parametrize("format", MAKERS)
def test_compiled_code_never_reads_past_the_end(format):
    page = mmap.PAGESIZE
    pages = mmap.mmap(-1, 3 * page)
    base = ctypes.addressof(ctypes.c_char.from_buffer(pages))
    assert ctypes.CDLL(None).mprotect(ctypes.c_void_p(base + 2 * page), page, 0) == 0
    dice, kind = random.Random(9), PcapScanner if format == "pcap" else PcapngScanner
    packets = 0
    for _ in range(ROUNDS):
        scanner, data = kind(), MAKERS[format](dice)[: 2 * page]
        start = scanner.scan(bytearray(data), 0, len(data), Batch(bytearray()), 0)
        data = data[:start] + perhaps_mutate(data[start:], dice)[: 2 * page - start]
        at = 2 * page - len(data)
        pages[at : 2 * page] = data
        memory = Memory()
        run, _ = prepared(memory, data, scanner, min(start, len(data)), 400)
        run.data = base + at
        packets += index.compiled(f"{format}_run", scanner._order == ">")(int(run))
    assert packets > ROUNDS // 5, "runs often end early, at a clock or an option"


def many(format, count=2000):
    body = bytes(60)
    if format == "pcap":
        return pcap([(at, 7, body, 60) for at in range(count)])
    return section() + interface() + b"".join(enhanced(at, body) for at in range(count))


@compiled
@pytest.mark.parametrize("format", MAKERS)
def test_only_large_captures_are_worth_a_compiler(format, tmp_path, monkeypatch):
    asked = []
    real = index.compiled
    monkeypatch.setattr(index, "compiled", lambda *of: asked.append(of) or real(*of))
    path = tmp_path / "a.cap"
    path.write_bytes(many(format))
    small = found(path)
    assert not asked
    monkeypatch.setattr(index, "WORTH", {True: 1900, False: 1900})
    assert found(path) == small
    assert asked == [(f"{format}_run", False)], "one call for all the rest"
    asked.clear()
    assert [n for b in found(path, 600)[0] for n in b[0]] == small[0][0][0]
    assert len(asked) == 4, "once for each batch"
    asked.clear()
    path.write_bytes(gzip.compress(many(format, 40_000)))
    monkeypatch.setattr(index, "WORTH", {True: 30_000, False: 30_000})
    with Capture.open(path) as capture:
        assert sum(map(len, capture.batches())) == 40_000
    assert asked, "of a stream, when enough packets have come"


@pytest.mark.parametrize("format", MAKERS)
def test_without_a_compiler_python_does_it(format, tmp_path, monkeypatch):
    from ebee.errors import CompileError
    from ebee.lang import build

    def missing(*_, **__):
        raise CompileError("compiling needs llvmlite, which is not installed")

    path = tmp_path / "a.cap"
    path.write_bytes(many(format))
    wanted = in_python(path)
    monkeypatch.setattr(index, "WORTH", {True: 0, False: 0})
    monkeypatch.setattr(build, "native", missing)
    index.compiled.cache_clear()
    try:
        assert found(path) == wanted
        assert index.compiled(f"{format}_run", False) is None
    finally:
        index.compiled.cache_clear()


@compiled
def test_packets_that_python_must_see_cost_few_calls(tmp_path, monkeypatch):
    calls = []
    real = index.Indexer._fill
    monkeypatch.setattr(
        index.Indexer, "_fill", lambda self, *given: calls.append(1) or real(self, *given)
    )
    monkeypatch.setattr(index, "WORTH", {True: 0, False: 0})
    path = tmp_path / "a.pcapng"
    noted = b"".join(enhanced(at, b"", "<", 0, 0, (1, b"note")) for at in range(4000))
    path.write_bytes(section() + interface() + noted)
    assert len(found(path)[0][0][0]) == 4000
    assert 0 < len(calls) <= 4000 // index.SAMPLE + 1


def test_a_batch_that_ends_in_damage_has_arrays_of_one_length():
    bad = block(6, struct.pack("<IIIII", 0, 0, 0, 0, 0) + b"\1\0\x05\0abcd")
    seen, error = found(io.BytesIO(section() + interface() + enhanced(1, b"") + bad))
    assert "reaches past its block" in error
    assert [len(member) for member in seen[0][:5]] == [1] * 5
    assert array(index.ARRAYS["offsets"][0]).itemsize == 8
