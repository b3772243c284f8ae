"""Programs that change no packet run on packets where they lie; all others get a frame."""

import ctypes
import mmap
from array import array

import pytest

from ebee import helpers
from ebee.isa import parse
from ebee.machine.jit import loop
from ebee.machine.jit.batch import PacketBatch
from ebee.machine.jit.needs import needs_of
from ebee.machine.machine import Machine
from ebee.obj.spec import MapSpec, ObjectSpec, ProgramSpec, Ref

pytestmark = pytest.mark.unit

NUMBERS = {h.name: h.id for h in helpers.all_helpers()}
WAYS = [(tier, trusted) for tier in ("quick", "optimised") for trusted in (False, True)]
MAPS = {"a": MapSpec("a", "array", 4, 8, 1), "ring": MapSpec("ring", "ringbuf", 0, 0, 4096),
        "programs": MapSpec("programs", "prog_array", 4, 4, 1)}  # fmt: skip

BOUND = "r6 = r1; r7 = *(u32 *)(r1 +0); r8 = *(u32 *)(r1 +4); r2 = r7; r2 += 14; r0 = 1\n"
BOUND += "if r2 > r8 goto out\n"
VALUE = "*(u32 *)(r10 -4) = 0; r2 = r10; r2 += -4; r1 = map[a]; call map_lookup_elem\n"
VALUE += "if r0 == 0 goto out\n"

IN_PLACE = {
    "reads it": BOUND + "r0 = *(u8 *)(r7 +13); out: exit",
    "writes its stack": BOUND + "*(u64 *)(r10 -8) = r7; r0 = 2; out: exit",
    "counts in a map": BOUND + VALUE + "r1 = 1; lock *(u64 *)(r0 +0) += r1; r0 = 2; out: exit",
    "uses it as a key": BOUND + "r1 = map[a]; r2 = r7; call map_lookup_elem; r0 = 2; out: exit",
    "copies from it": BOUND + "r1 = r6; r2 = 0; r3 = r10; r3 += -8; r4 = 8; call xdp_load_bytes\n"
    "r0 = *(u8 *)(r10 -1); out: exit",
    "sends a record": BOUND + "r1 = map[ring]; r2 = r7; r3 = 8; r4 = 0; call ringbuf_output\n"
    "r0 = 2; out: exit",
}
FRAMED = {
    "writes it": BOUND + "*(u8 *)(r7 +13) = 7; r0 = 2; out: exit",
    "adds to it": BOUND + "r1 = 1; lock *(u32 *)(r7 +8) += r1; r0 = 2; out: exit",
    "has it written": BOUND + "r1 = r6; r2 = 4; r3 = r7; r4 = 4; call xdp_load_bytes\n"
    "r0 = 2; out: exit",
    "stores to it": BOUND + "*(u64 *)(r10 -8) = -1; r1 = r6; r2 = 0; r3 = r10; r3 += -8; r4 = 8\n"
    "call xdp_store_bytes; r0 = 2; out: exit",
    "moves its start": BOUND + "r1 = r6; r2 = 4; call xdp_adjust_head; r0 = 2; out: exit",
    "goes on elsewhere": BOUND + "r1 = r6; r2 = map[programs]; r3 = 0; call tail_call; r0 = 2\n"
    "out: exit",
    "writes through what may be it": BOUND + "r2 = r10; r2 += -8; *(u64 *)(r10 -8) = 0\n"
    "r3 = *(u32 *)(r6 +12); if r3 == 77 goto other; r2 = r7\nother: *(u8 *)(r2 +0) = 7; r0 = 2\n"
    "out: exit",
}


def spec_of(text):
    made = parse(text, helper_id=NUMBERS.get)
    refs = [Ref(r.slot, r.kind, r.symbol, r.addend) for r in made.references]
    program = ProgramSpec("p", "xdp", made.insns, refs, hook="xdp")
    return ObjectSpec("test", MAPS, {"p": program}, license="GPL")


def batch_of(data, places, **options):
    offsets, lengths = array("Q", [at for at, _ in places]), array("I", [n for _, n in places])
    return PacketBatch(data, offsets, lengths, array("Q", [0] * len(places)), **options)


@pytest.mark.parametrize("name", [*IN_PLACE, *FRAMED])
@pytest.mark.parametrize("checked", [False, True])
def test_who_needs_a_frame(name, checked):
    with Machine() as machine:
        code = machine.load(spec_of((IN_PLACE | FRAMED)[name])).programs["p"].code
        assert bool(needs_of(code, checked, {}) & loop.FRAME) == (name in FRAMED)


@pytest.mark.parametrize("name", [*IN_PLACE, *FRAMED])
@pytest.mark.parametrize(("tier", "trusted"), WAYS)
def test_the_capture_stays_as_it_is_and_all_engines_agree(name, tier, trusted):
    data = bytearray(range(200))
    before, places = bytes(data), [(0, 60), (60, 14), (74, 13), (90, 0), (100, 100)]
    text = (IN_PLACE | FRAMED)[name]
    with Machine(seed=1) as machine, Machine(seed=1) as other:
        batch = batch_of(data, places, keep=True)
        program = machine.load(spec_of(text)).programs["p"]
        while program.run_batch(batch, tier, trusted):
            pass
        assert data == before
        truth = other.load(spec_of(text)).programs["p"]
        for i, (at, size) in enumerate(places):
            result = truth.test_run(before[at : at + size])
            assert (batch.verdicts[i], bytes(batch.packet(i))) == (result.retval, result.data)


@pytest.mark.parametrize(("tier", "trusted"), WAYS)
def test_nothing_beside_a_packet_in_place_is_touched(tier, trusted):
    """Each packet ends where memory does."""
    page = mmap.PAGESIZE
    pages = mmap.mmap(-1, 2 * page)
    base = ctypes.addressof(ctypes.c_char.from_buffer(pages))
    assert ctypes.CDLL(None).mprotect(ctypes.c_void_p(base + page), page, 0) == 0
    places = [(page - n, n) for n in range(40)]
    with Machine() as machine:
        program = machine.load(spec_of(IN_PLACE["reads it"])).programs["p"]
        batch = batch_of(memoryview(pages)[:page], places)
        while program.run_batch(batch, tier, trusted):
            pass
        assert list(batch.verdicts) == [1] * 14 + [0] * 26
