"""Damaged captures raise CaptureError and nothing else, in little time.

EBEE_FUZZ=1 (`make fuzz`) makes 100,000 mutations, other numbers so many times as many; the
everyday suite 3,000.
"""

import gzip
import io
import os
import random
import time

import pytest

from ebee.errors import CaptureError
from ebee.machine.capture import Capture, CaptureWriter
from ebee.machine.capture.pcapng import PcapngScanner

pytestmark = pytest.mark.unit

MUTATIONS = int(100_000 * float(os.environ["EBEE_FUZZ"])) if "EBEE_FUZZ" in os.environ else 3000
EDGES = [0, 1, 3, 4, 0x7F, 0x80, 0xFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]


def seed(format):
    out = io.BytesIO()
    with CaptureWriter(out, format) as writer:
        if format == "pcapng":
            writer.add_interface(1, "second")
        for at in range(12):
            note = "XDP_DROP by rule 3" if format == "pcapng" and at % 3 else ""
            writer.write(bytes(range(at * 5)), at * 10**9, at * 6, note)
    return out.getvalue()


def mutate(data, dice):
    """A few changes of the kinds that damage files: flips, edge numbers, cuts, doubled parts."""
    out = bytearray(data)
    for _ in range(dice.choice((1, 1, 2, 4, 12))):
        at = dice.randrange(len(out) + 1)
        kind = dice.randrange(6)
        if kind == 0 and at < len(out):
            out[at] ^= 1 << dice.randrange(8)
        elif kind == 1:
            size = dice.choice((1, 2, 4))
            order = dice.choice(("little", "big"))
            out[at & ~3 : (at & ~3) + size] = (dice.choice(EDGES) & (1 << 8 * size) - 1).to_bytes(
                size, order
            )
        elif kind == 2:
            del out[at:]
        elif kind == 3:
            del out[at : at + dice.randrange(40)]
        elif kind == 4:
            out[at:at] = out[dice.randrange(len(out) + 1) :][: dice.randrange(80)]
        else:
            out[at:at] = dice.randbytes(dice.randrange(9))
    return bytes(out)


def digest(source):
    """All there is to know of a capture: its packets, and whether it ended in an error."""
    packets = []
    try:
        with Capture.open(source) as capture:
            for packet in capture:
                packets.append(packet)
    except CaptureError:
        return packets, True
    return packets, False


@pytest.mark.parametrize("format", ["pcap", "pcapng"])
def test_mutated_captures_raise_only_capture_errors(format, tmp_path):
    dice, whole, path = random.Random(format), seed(format), tmp_path / "mutant"
    began, broken = time.process_time(), 0
    for turn in range(MUTATIONS // 2):
        data = mutate(whole, dice)
        path.write_bytes(data)
        packets, failed = digest(path)
        broken += failed
        assert digest(io.BytesIO(data)) == (packets, failed)
        if turn % 10 == 0:
            packed = mutate(gzip.compress(data, 1), dice)
            digest(io.BytesIO(packed))
    assert broken > MUTATIONS // 8, "the mutations do damage"
    assert time.process_time() - began < 0.01 * MUTATIONS + 5


def test_the_fast_path_changes_nothing(monkeypatch):
    dice, whole = random.Random(3), seed("pcapng")
    mutants = [mutate(whole, dice) for _ in range(MUTATIONS // 6)]
    fast = [digest(io.BytesIO(data)) for data in mutants]
    monkeypatch.setattr(PcapngScanner, "_run", lambda self, buffer, pos, *rest: pos)
    assert [digest(io.BytesIO(data)) for data in mutants] == fast


def test_a_false_length_in_a_pipe_takes_no_memory():
    import tracemalloc

    head = seed("pcap")[:24]
    lying = head[:16] + (0xFFFFFFFF).to_bytes(4, "little") + head[20:]
    lying += bytes(8) + (100 << 20).to_bytes(4, "little") * 2 + bytes(1000)
    tracemalloc.start()
    try:
        assert digest(io.BytesIO(lying)) == ([], True)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
