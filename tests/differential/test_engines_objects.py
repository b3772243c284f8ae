"""Objects in the styles that people write: the machine (interpreter, JIT with and without checks)
and the kernel give each packet the same verdict and form, and leave the same in maps.

The firewall does so over its whole captures (the interpreter over a part of the flood).
"""

import importlib.util
import os
import sys
from array import array
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from engines.valid import inputs

from ebee.errors import EbeeError
from ebee.machine.capture import Capture
from ebee.machine.jit.batch import PacketBatch
from ebee.machine.machine import Machine

pytestmark = pytest.mark.differential

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[1] / "examples"
STYLES = sorted(path.stem for path in (HERE / "engines" / "styles").glob("*.c"))
WAYS = (("quick", False), ("optimised", False), ("optimised", True))
SOME = 800
"""Packets of the flood that the interpreter takes."""


def compiled(path):
    from ebee.clang import build

    try:
        return build(path)
    except EbeeError as e:
        pytest.skip(f"needs clang: {e}")


def frames_of(name):
    return [(bytes(p.data), p.ts_ns) for p in Capture.open(EXAMPLES / "data" / name)]


@pytest.fixture(scope="module")
def web():
    return frames_of("web.pcapng")


def packets_of(frames):
    offsets, at = array("Q"), 0
    for data, _ in frames:
        offsets.append(at)
        at += len(data)
    batch = PacketBatch(
        b"".join(data for data, _ in frames), offsets, array("I", [len(d) for d, _ in frames]),
        array("Q", [stamp for _, stamp in frames]), keep=True,
    )  # fmt: skip
    batch.out = bytearray(at + 4096 * min(len(frames), 1000) + 512 * len(frames))
    return batch


def in_batches(program, frames, tier, trusted, each=lambda: None):
    """Verdict and frame of each packet, from compiled code; `each` after every chunk."""
    batch = packets_of(frames)
    while program.run_batch(batch, tier, trusted):
        each()
    each()
    assert batch.done == len(frames)
    return [(batch.verdicts[i], bytes(batch.packet(i))) for i in range(len(frames))]


def one_by_one(made, program, frames):
    """The same from the interpreter or the kernel, with metadata and without."""
    whole, bare = [], []
    for data, stamp in frames:
        if hasattr(made, "machine"):
            made.machine.set_clock(stamp)
        result = made.programs[program].test_run(data)
        whole.append((result.retval, bytes(result.data)))
        bare.append((result.retval, bytes(result.data[result.metadata :])))
    return whole, bare


def maps_of(made, leave=()):
    """What maps hold; of per-CPU ones the first CPU's value."""
    found = {}
    for name, m in made.maps.items():
        raw = made.raw_maps[name] if hasattr(made, "raw_maps") else m.raw
        if name in leave or raw.type in ("ringbuf", "prog_array") or "of_maps" in raw.type:
            continue
        size = raw.value_size
        found[name] = {bytes(k): bytes(v[:size]) for k, v in raw.items()}
    return found


def same_maps(a, b):
    assert a.keys() == b.keys()
    for name in a:
        assert a[name] == b[name], name


@pytest.fixture
def first_cpu():
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {0})
    yield
    os.sched_setaffinity(0, before)


def style_packets(web):
    import random

    rng = random.Random(5)
    packets = [(data, stamp) for data, stamp in web[:150] if len(data) >= 14]
    for data in inputs(rng, 40):
        head = bytearray(data)
        head[12:15] = b"\x08\x00\x45" if rng.random() < 0.7 else head[12:15]
        packets.append((bytes(head), 0))
    return packets


@pytest.mark.parametrize("style", STYLES)
def test_an_object_in_this_style(style, web, first_cpu):
    spec = compiled(HERE / "engines" / "styles" / f"{style}.c")
    packets = style_packets(web)
    rings = [name for name, m in spec.maps.items() if m.type == "ringbuf"]
    with Machine(clock=0, seed=1) as machine:
        made = machine.load(spec)
        whole, bare = one_by_one(made, "program", packets)
        left = maps_of(made)
        events = [made.ring_buffer(name).read() for name in rings]
    if not os.geteuid():
        from ebee.linux.backend import load

        with load(spec) as kernel:
            truth, _ = one_by_one(kernel, "program", packets)
            for i, (a, b) in enumerate(zip(whole, truth, strict=True)):
                assert a == b, (i, packets[i][0].hex())
            same_maps(left, maps_of(kernel))
            theirs = [[bytes(r) for r in kernel.ring_buffer(name).read()] for name in rings]
            assert events == theirs
    for tier, trusted in WAYS:
        with Machine(clock=0, seed=1) as machine:
            made = machine.load(spec)
            got = in_batches(made.programs["program"], packets, tier, trusted)
            for i, (a, b) in enumerate(zip(bare, got, strict=True)):
                assert a == b, (tier, trusted, i, packets[i][0].hex())
            same_maps(left, maps_of(made))
            assert [made.ring_buffer(name).read() for name in rings] == events
    assert len({verdict for verdict, _ in bare}) > 1


# --- the firewall --------------------------------------------------------------------------------


def load_rules():
    place = importlib.util.spec_from_file_location("firewall_rules", EXAMPLES / "firewall_rules.py")
    module = importlib.util.module_from_spec(place)
    place.loader.exec_module(module)
    return module


STAMP = 8
"""Bytes at the start of an event that tell the time."""


@pytest.mark.parametrize(
    ("capture", "interpreted"), [("web.pcapng", None), ("flood.pcap.gz", SOME)]
)
def test_the_firewall(capture, interpreted, first_cpu):
    """Verdict of every packet, all maps, and the events but for their time."""
    rules = load_rules()
    spec = compiled(EXAMPLES / "firewall.c")
    frames = [(d, s) for d, s in frames_of(capture) if len(d) >= 14]
    results = {}

    def keep(name, verdicts, made, events):
        results[name] = (verdicts, maps_of(made, leave=("top_sources",)), events)

    for tier, trusted in (("optimised", False), ("optimised", True)):
        with Machine(clock=0, seed=1) as machine:
            made = machine.load(spec)
            rules.RuleFile(EXAMPLES / "firewall.toml").update(made.maps)
            events = []
            ring = made.ring_buffer("events")
            got = in_batches(
                made.programs["firewall"], frames, tier, trusted,
                lambda ring=ring, to=events: to.extend(r[STAMP:] for r in ring.read()),
            )  # fmt: skip
            keep((tier, trusted), got, made, events)
    checked, trusted = results.values()
    assert checked == trusted
    with Machine(clock=0, seed=1) as machine:
        made = machine.load(spec)
        rules.RuleFile(EXAMPLES / "firewall.toml").update(made.maps)
        _, bare = one_by_one(made, "firewall", frames[:interpreted])
        assert bare == checked[0][:interpreted]
        if interpreted is None:
            same_maps(maps_of(made, leave=("top_sources",)), checked[1])
    if not os.geteuid():
        from ebee.linux.backend import load

        with load(spec) as kernel:
            rules.RuleFile(EXAMPLES / "firewall.toml").update(kernel.maps)
            truth, events = [], []
            ring = kernel.ring_buffer("events")
            for data, _ in frames:
                result = kernel.programs["firewall"].test_run(data)
                truth.append((result.retval, bytes(result.data)))
                if len(truth) % 64 == 0:
                    events += [bytes(r)[STAMP:] for r in ring.read()]
            events += [bytes(r)[STAMP:] for r in ring.read()]
            assert truth == checked[0]
            same_maps(maps_of(kernel, leave=("top_sources",)), checked[1])
            assert events == checked[2]
