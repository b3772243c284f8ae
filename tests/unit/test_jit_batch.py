"""Batches of the JIT: they pause for readers of ring buffers, and run side by side."""

import random
import threading
from array import array

import pytest

from ebee.errors import MachineError
from ebee.isa import assemble
from ebee.machine.jit.batch import PacketBatch
from ebee.machine.machine import Machine
from ebee.machine.vm import ProgramFault
from ebee.obj.spec import MapSpec, ObjectSpec, ProgramSpec, Ref

pytestmark = pytest.mark.unit

RING = 4096
SEND = """
    r6 = r1
    r1 = 0 ll
    r2 = 8
    r3 = 0
    call 131
    if r0 == 0 goto full
    *(u64 *)(r0 +0) = 7
    r1 = r0
    r2 = 0
    call 132
    r0 = 2
    exit
full:
    r0 = 1
    exit
"""
COUNT = """
    *(u32 *)(r10 -4) = 0
    r2 = r10
    r2 += -4
    r1 = 0 ll
    call 1
    if r0 == 0 goto out
    r1 = 1
    lock *(u64 *)(r0 +0) += r1
out:
    r0 = 2
    exit
"""


def program(text, name, refers_to):
    insns = assemble(text)
    slot = next(i for i, insn in enumerate(insns) if insn.op == 0x18)
    return ProgramSpec(name, "xdp", insns, [Ref(slot, "map", refers_to)], hook="xdp")


def spec_of(text, m):
    return ObjectSpec("o", maps={m.name: m}, programs={"p": program(text, "p", m.name)})


def packets(count):
    data = bytes(64)
    zeros = array("Q", bytes(8 * count))
    return PacketBatch(data, zeros, array("I", [64]) * count, zeros)


def test_a_batch_ends_early_for_the_reader_of_a_ring_buffer():
    with Machine() as machine:
        loaded = machine.load(spec_of(SEND, MapSpec("ring", "ringbuf", max_entries=RING)))
        ring, batch, seen = loaded.ring_buffer("ring"), packets(5000), 0
        while loaded.programs["p"].run_batch(batch):
            seen += len(ring.read())
        seen += len(ring.read())
        assert (batch.done, seen) == (5000, 5000)
        assert set(batch.verdicts) == {2}


def test_without_a_reader_a_batch_does_not_wait_and_the_program_sees_the_full_ring():
    with Machine() as machine:
        loaded = machine.load(spec_of(SEND, MapSpec("ring", "ringbuf", max_entries=RING)))
        batch = packets(5000)
        while loaded.programs["p"].run_batch(batch):
            pass
        sent = RING // 16 - 1
        assert (batch.verdicts.count(2), batch.verdicts.count(1)) == (sent, 5000 - sent)


def test_a_reader_that_does_not_read_stops_nobody():
    with Machine() as machine:
        loaded = machine.load(spec_of(SEND, MapSpec("ring", "ringbuf", max_entries=RING)))
        loaded.ring_buffer("ring")
        batch = packets(5000)
        while loaded.programs["p"].run_batch(batch):
            pass
        assert batch.done == 5000


@pytest.mark.parametrize("cpus", [1, 2, 3])
def test_batches_on_several_cpus_lose_no_count(cpus):
    with Machine(cpus) as machine:
        counter = MapSpec("counter", "array", 4, 8, 1)
        loaded = machine.load(spec_of(COUNT, counter))
        batches = [packets(20_000) for _ in range(cpus)]
        loaded.programs["p"].run_parallel(batches)
        assert all(batch.done == 20_000 for batch in batches)
        assert loaded.maps["counter"][0] == cpus * 20_000


FIRST_BYTE = """
    r2 = *(u32 *)(r1 +0)
    r3 = *(u32 *)(r1 +4)
    r4 = r2
    r4 += 1
    r0 = 0
    if r4 > r3 goto out
    r0 = *(u8 *)(r2 +0)
out:
    exit
"""
REDIRECT = """
    r1 = 3
    r2 = 0
    call 23
    exit
"""


def plain(machine, text):
    spec = ProgramSpec("p", "xdp", assemble(text), [], hook="xdp")
    return machine.load(ObjectSpec("o", programs={"p": spec})).programs["p"]


@pytest.mark.parametrize("alike", [1, 100, 300, 2000])
@pytest.mark.parametrize("trusted", [False, True])
def test_packets_and_bytes_are_counted_by_what_the_program_returned(trusted, alike):
    rng = random.Random(alike)
    values = [v for _ in range(0, 2000, alike) for v in [rng.randrange(9)] * alike]
    lengths = array("I", [rng.randrange(1, 1500) for _ in values])
    offsets = array("Q", [1500 * v for v in values])
    data = b"".join(bytes([v]) * 1500 for v in range(9))
    batch = PacketBatch(data, offsets, lengths, array("Q", bytes(8 * len(values))))
    with Machine() as machine:
        while plain(machine, FIRST_BYTE).run_batch(batch, trusted=trusted):
            pass
    assert list(batch.verdicts) == values
    for action in range(8):
        these = [n for v, n in zip(values, lengths, strict=True) if min(v, 7) == action]
        assert batch.actions[2 * action : 2 * action + 2].tolist() == [len(these), sum(these)]


@pytest.mark.parametrize("place", [0, 1, 255, 256, 700])
@pytest.mark.parametrize("trusted", [False, True])
def test_a_packet_longer_than_a_frame_ends_a_batch_before_it(trusted, place):
    lengths = array("I", [64]) * 800
    lengths[place] = (1 << 16) + 1
    batch = PacketBatch(bytes(1 << 17), array("Q", bytes(6400)), lengths, array("Q", bytes(6400)))
    with Machine() as machine:
        program = plain(machine, FIRST_BYTE)
        with pytest.raises(ProgramFault, match="longer than a frame"):
            program.run_batch(batch, trusted=trusted)
        assert (batch.done, batch.actions[0], batch.actions[1]) == (place, place, 64 * place)
        lengths[place] = 64
        while program.run_batch(batch, trusted=trusted):
            pass
        assert batch.actions[0] == 800


def test_targets_are_those_of_the_program_that_ran_last():
    batch = packets(600)
    with Machine() as machine:
        for text, target in ((FIRST_BYTE, 0), (REDIRECT, 3), (FIRST_BYTE, 0), (FIRST_BYTE, 0)):
            batch.done = 0
            while plain(machine, text).run_batch(batch):
                pass
            assert set(batch.targets) == {target}


CHOSEN = """
    *(u32 *)(r10 -4) = 0
    r2 = r10
    r2 += -4
    r1 = 0 ll
    call 1
    if r0 == 0 goto out
    r1 = r0
    *(u32 *)(r10 -8) = 0
    r2 = r10
    r2 += -8
    call 1
    if r0 == 0 goto out
    r1 = *(u64 *)(r0 +0)
    r1 += 1
    *(u64 *)(r0 +0) = r1
    r0 = 2
    exit
out:
    r0 = 1
    exit
"""
"""Counts in a map in a map: what it touches is looked up in the table of regions."""


def test_maps_may_come_and_go_while_programs_run():
    inner = MapSpec("inner", "array", 4, 8, 1)
    maps = {"outer": MapSpec("outer", "array_of_maps", 4, 4, 1, inner=inner, contents={0: "inner"}),
            "inner": inner}  # fmt: skip
    spec = ObjectSpec("o", maps=maps, programs={"p": program(CHOSEN, "p", "outer")})
    with Machine() as machine:
        loaded = machine.load(spec)
        p = loaded.programs["p"]
        faults, counted = [], 0

        def run():
            nonlocal counted
            while not stop.is_set():
                batch = packets(20_000)
                try:
                    while p.run_batch(batch):
                        pass
                except MachineError as e:
                    faults.append(e)
                    return
                counted += batch.verdicts.count(2)

        run_batch_once = packets(10)
        p.run_batch(run_batch_once)
        stop = threading.Event()
        thread = threading.Thread(target=run)
        thread.start()
        kept = loaded.raw_maps["inner"]
        for _ in range(60):
            other = machine.create_map(inner)
            machine.regions.update()
            loaded.raw_maps["outer"].update(bytes(4), other.id.to_bytes(4, "little"))
            loaded.raw_maps["outer"].update(bytes(4), kept.id.to_bytes(4, "little"))
            machine.close_map(other)
            machine.regions.update()
        stop.set()
        thread.join()
        assert not faults
        assert counted > 1000
        assert loaded.maps["inner"][0] <= counted + 10
