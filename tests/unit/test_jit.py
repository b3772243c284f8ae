"""Compiled programs: pages never writable and executable, names, refusals, faults, ends."""

import os
import re
import sys
import threading
import time
from array import array
from pathlib import Path

import pytest

from ebee import helpers
from ebee.errors import MachineError
from ebee.isa import assemble, parse
from ebee.machine import bare
from ebee.machine.jit.batch import PacketBatch
from ebee.machine.jit.calls import Unsupported
from ebee.machine.jit.engine import ir_of
from ebee.machine.machine import Machine
from ebee.machine.vm import ProgramFault
from ebee.obj.spec import MapSpec, ObjectSpec, ProgramSpec, Ref

pytestmark = pytest.mark.unit

NUMBERS = {h.name: h.id for h in helpers.all_helpers()}
WAYS = [(tier, trusted) for tier in ("quick", "optimised", "most") for trusted in (False, True)]


def spec_of(*maps, **texts):
    programs = {}
    for name, text in texts.items():
        made = parse(text, helper_id=NUMBERS.get)
        refs = [Ref(r.slot, r.kind, r.symbol, r.addend) for r in made.references]
        programs[name] = ProgramSpec(name, "xdp", made.insns, refs, hook="xdp")
    return ObjectSpec("test", {m.name: m for m in maps}, programs, license="GPL")


def batch_of(packets, **options):
    offsets, at = array("Q"), 0
    for data in packets:
        offsets.append(at)
        at += len(data)
    stamps = array("Q", [0] * len(packets))
    return PacketBatch(b"".join(packets), offsets, array("I", map(len, packets)), stamps, **options)


def run(program, packets, tier="quick", trusted=False, **options):
    batch = batch_of(packets, **options)
    while program.run_batch(batch, tier, trusted):
        pass
    return batch


# --- what LLVM dies of ---------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["interpreter", "optimised", "most", "trusted"])
def test_code_that_the_instruction_selection_dies_of_is_selected_otherwise(engine):
    # LLVM 22 on x86-64: bit 63 as an index of eight-byte elements that is also stored.
    insns = assemble("""
        r3 = *(u64 *)(r1 +0); r3 >>= 60; r3 &= 8; r4 = r10; r4 += -16; r4 += r3
        *(u64 *)(r4 +0) = r3; r0 = *(u64 *)(r10 -8); exit""")
    assert bare.run(insns, b"\xff" * 8, engine=engine)[0] == 8


# --- code pages ----------------------------------------------------------------------------------


def writable_and_executable():
    """Mappings of this process that are both."""
    lines = Path("/proc/self/maps").read_text().splitlines()
    return [line for line in lines if "w" in line.split()[1] and "x" in line.split()[1]]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/self/maps")
def test_no_page_is_writable_and_executable_at_any_time():
    """Not while programs are compiled, loaded, or run over packets, in any tier."""
    seen, stop = [], threading.Event()

    def watch():
        while not stop.is_set():
            seen.append(writable_and_executable())
            time.sleep(0.002)

    before = writable_and_executable()  # ctypes may have made one for callbacks, of others
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        with Machine() as machine:
            text = "r2 = *(u32 *)(r1 +0); r3 = *(u32 *)(r1 +4); r2 += 14; r0 = 1; "
            text += "if r2 > r3 goto out; r0 = 2; out: exit"
            program = machine.load(spec_of(p=text)).programs["p"]
            for tier, trusted in WAYS:
                assert set(run(program, [bytes(64)] * 5000, tier, trusted).verdicts) == {2}
            while len(seen) <= 3:  # all of it came from the cache: too quick to be watched
                run(program, [bytes(64)] * 5000, *WAYS[0])
    finally:
        stop.set()
        watcher.join()
    assert len(seen) > 3
    assert [pages for pages in seen if set(pages) - set(before)] == []


# --- names ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["programs", "regions", "batch", "cpu", "memcpy", "llvm.bswap.i64", "p", "entry", "ä"]
)
def test_a_map_may_have_any_name(name):
    """Also one that the compiler or the machine uses itself."""
    text = "*(u32 *)(r10 -4) = 0; r2 = r10; r2 += -4; r1 = 0 ll; call map_lookup_elem\n"
    text += "if r0 == 0 goto out; r1 = r0; r0 = *(u64 *)(r1 +0); r0 += 1; *(u64 *)(r1 +0) = r0\n"
    text += "out: exit"
    spec = spec_of(MapSpec(name, "array", 4, 8, 1), p=text)
    spec.programs["p"].refs.append(Ref(3, "map", name))
    with Machine() as machine:
        program = machine.load(spec).programs["p"]
        assert list(run(program, [bytes(14)] * 3).verdicts) == [1, 2, 3]


def test_two_programs_of_an_object_in_one_process():
    with Machine() as machine:
        made = machine.load(spec_of(p="r0 = 1; exit", q="r0 = 2; exit"))
        for tier, trusted in WAYS:
            verdicts = [run(made.programs[n], [bytes(14)], tier, trusted).verdicts[0] for n in "pq"]
            assert verdicts == [1, 2]


# --- maps that are known only at run time --------------------------------------------------------

EITHER = """
    r7 = *(u32 *)(r1 +12); *(u32 *)(r10 -4) = 0; *(u64 *)(r10 -16) = 5; r1 = map[a]
    if r7 == 1 goto +2; r1 = map[b]; r6 = r1; r2 = r10; r2 += -4; r3 = r10; r3 += -16; r4 = 0
    call map_update_elem; r1 = r6; r2 = r10; r2 += -4; call map_lookup_elem; if r0 == 0 goto +1
    r0 = *(u64 *)(r0 +0); exit"""


@pytest.mark.parametrize(("tier", "trusted"), WAYS)
def test_one_of_several_maps(tier, trusted):
    maps = [MapSpec("a", "array", 4, 8, 1), MapSpec("b", "hash", 4, 8, 1)]
    with Machine() as machine:
        made = machine.load(spec_of(*maps, p=EITHER))
        for ifindex, there, other in ((1, "a", "b"), (2, "b", "a")):
            assert list(run(made.programs["p"], [bytes(14)], tier, trusted, ifindex=ifindex)
                        .verdicts) == [5]  # fmt: skip
            assert made.raw_maps[there].lookup(bytes(4)) == (5).to_bytes(8, "little")
            assert not int.from_bytes(made.raw_maps[other].lookup(bytes(4)) or b"", "little")
            made.raw_maps[there].update(bytes(4), bytes(8))
            if there == "a":
                assert made.raw_maps["b"].lookup(bytes(4)) is None


FORGED = {
    "a value": (
        "r2 = r10; r2 += -4; *(u32 *)(r10 -4) = 0; r1 = map[a]; call map_lookup_elem; r1 = r0"
    ),
    "the inside of a map": "r1 = map[a]; r1 += 8",
    "null": "r1 = 0",
    "a map that takes no such call": "r1 = *(u32 *)(r1 +12); r1 = map[ring]; r1 ^= 0",
    "a number": "r1 = 0x123456",
}


@pytest.mark.parametrize("text", FORGED)
@pytest.mark.parametrize("tier", ["interpreter", "quick", "optimised"])
def test_what_is_no_map_is_taken_for_none(text, tier):
    maps = [MapSpec("a", "array", 4, 64, 1), MapSpec("ring", "ringbuf", 0, 0, 4096)]
    text = FORGED[text] + "; *(u32 *)(r10 -4) = 0; r2 = r10; r2 += -4; call map_lookup_elem; exit"
    with Machine() as machine:
        program = machine.load(spec_of(*maps, p=text)).programs["p"]
        engine = program.test_run if tier == "interpreter" else lambda p: run(program, [p], tier)
        with pytest.raises(MachineError) as e:
            engine(bytes(14))
        assert not isinstance(e.value, Unsupported)


# --- what no engine has --------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["fib_lookup", "timer_init"])
def test_a_helper_that_is_not_on_the_machine_is_refused_by_all(name):
    with Machine() as machine:
        program = machine.load(spec_of(p=f"call {name}; exit")).programs["p"]
        with pytest.raises(
            MachineError, match=f"p, instruction 0: bpf_{name} is not on the machine"
        ):
            program.test_run(bytes(14))
        with pytest.raises(Unsupported, match=r"helper [0-9]+ is not on the machine"):
            program.compiled("quick")


def test_an_unknown_level_is_refused():
    with pytest.raises(MachineError):
        bare.run(assemble("call 9999; exit"), engine="quick")


# --- faults --------------------------------------------------------------------------------------


@pytest.mark.parametrize("tier", ["quick", "optimised", "most"])
def test_a_fault_names_instruction_and_address(tier):
    text = "r2 = *(u32 *)(r1 +0); r0 = *(u8 *)(r2 +14); if r0 == 7 goto +1; exit\n"
    text += "r0 = *(u64 *)(r0 +0); exit"
    with Machine() as machine:
        program = machine.load(spec_of(p=text)).programs["p"]
        batch = batch_of([bytes(20), bytes(20), bytes(14) + b"\7" + bytes(5), bytes(20)])
        with pytest.raises(ProgramFault, match=r"p, instruction 4: read outside .* at 0x7$") as e:
            program.run_batch(batch, tier)
        assert (batch.done, e.value.slot, e.value.addr) == (2, 4, 7)
        assert run(program, [bytes(20)], tier).done == 1  # the machine goes on


def test_a_fault_behind_a_tail_call_names_the_other_program():
    programs = MapSpec("t", "prog_array", 4, 4, 1, contents={0: "q"})
    text = "r2 = map[t]; r3 = 0; call tail_call; r0 = 2; exit"
    with Machine() as machine:
        made = machine.load(spec_of(programs, p=text, q="r0 = 0; r0 = *(u8 *)(r0 +1); exit"))
        for run_it in (
            lambda: made.programs["p"].test_run(bytes(14)),
            lambda: run(made.programs["p"], [bytes(14)]),
        ):
            with pytest.raises(ProgramFault, match=r"^q, instruction 1: read"):
                run_it()


@pytest.mark.parametrize("tier", ["quick", "optimised"])
def test_the_budget_ends_what_would_not_end(tier):
    for text in ("r0 += 1; goto -2; exit", "r0 = 0; call pc-2; exit"):
        with pytest.raises(ProgramFault, match=r"too many instructions|nested too deep"):
            bare.run(assemble(text), engine=tier, budget=100_000)


# --- programs that go ----------------------------------------------------------------------------


@pytest.mark.parametrize("trusted", [False, True])
def test_a_tail_call_to_a_program_that_is_gone_falls_through(trusted):
    """Its code is out of memory; the map that named it is still there."""
    array_of = MapSpec("t", "prog_array", 4, 4, 1)
    text = "r2 = map[t]; r3 = 0; call tail_call; r0 = 2; exit"
    with Machine() as machine:
        shared = machine.create_map(array_of)
        caller = machine.load(spec_of(array_of, p=text), t=shared).programs["p"]
        other = machine.load(spec_of(q="r0 = 9; exit"))
        shared.update(bytes(4), other.programs["q"].id.to_bytes(4, "little"))
        assert run(caller, [bytes(14)], trusted=trusted).verdicts[0] == 9
        assert caller.test_run(bytes(14)).retval == 9
        other.close()
        assert run(caller, [bytes(14)], trusted=trusted).verdicts[0] == 2
        assert caller.test_run(bytes(14)).retval == 2


@pytest.mark.parametrize(("tier", "trusted"), WAYS)
@pytest.mark.parametrize("before", ["", "r0 = 7; "])
def test_a_tail_call_that_leads_nowhere_leaves_0(before, tier, trusted):
    """As any helper that returns nothing. r0 without a value was undefined to LLVM: it took the
    branch on it for one that is never reached, and jumped to where there is no program."""
    text = f"{before}r2 = map[t]; r3 = 0; call tail_call; if w0 >= w0 goto +1; r0 = 9; exit"
    with Machine() as machine:
        program = machine.load(spec_of(MapSpec("t", "prog_array", 4, 4, 1), p=text)).programs["p"]
        assert program.test_run(bytes(14)).retval == 0
        assert run(program, [bytes(14)], tier, trusted=trusted).verdicts[0] == 0


# --- frames --------------------------------------------------------------------------------------

UNWRITTEN = {
    "a word": "r1 = *(u64 *)(r10 -8); r0 = 1; if r1 != 0 goto +1; r0 = 2; exit",
    "half of a word": """
        *(u32 *)(r10 -8) = 0; r1 = *(u64 *)(r10 -8); r0 = 1; if r1 != 0 goto +1; r0 = 2; exit""",
    "on one way": """
        r2 = *(u32 *)(r1 +12); if r2 == 7 goto +1; goto +1; *(u64 *)(r10 -16) = 0
        r1 = *(u64 *)(r10 -16); r0 = 1; if r1 != 0 goto +1; r0 = 2; exit""",
    "the gap in a key": """
        *(u32 *)(r10 -8) = 5; *(u16 *)(r10 -4) = 0; r1 = map[table]; r2 = r10; r2 += -8
        call map_lookup_elem; if r0 == 0 goto +1; r0 = *(u32 *)(r0 +0); exit""",
    "through a function": """
        *(u32 *)(r10 -8) = 0; r1 = r10; r1 += -8; call f; exit
        f: r2 = *(u32 *)(r1 +4); r0 = 1; if r2 != 0 goto +1; r0 = 2; exit""",
}
"""What Linux lets privileged programs read since 6.3."""


@pytest.mark.parametrize("tier", ["quick", "optimised", "most"])
@pytest.mark.parametrize("what", UNWRITTEN)
def test_what_a_verified_program_has_not_written_is_zero(what, tier):
    table = MapSpec("table", "hash", 8, 4, 4)
    with Machine() as machine:
        loaded = machine.load(spec_of(table, p=UNWRITTEN[what]))
        program = loaded.programs["p"]
        loaded.raw_maps["table"].update(b"\5" + bytes(7), b"\2" + bytes(3))
        assert run(program, [bytes(14)] * 2, tier, trusted=True).verdicts.tolist() == [2, 2]
        assert program.test_run(bytes(14)).retval == 2


def test_frames_that_are_written_first_are_not_cleared():
    texts = {
        "r0 = 2; exit": 0,
        "*(u64 *)(r10 -8) = 5; r0 = *(u32 *)(r10 -4); exit": 0,
        "*(u64 *)(r10 -8) = 5; r1 = map[t]; r2 = r10; r2 += -8; call map_lookup_elem;"
        "r0 = 2; exit": 0,
        "*(u32 *)(r10 -8) = 5; r1 = map[t]; r2 = r10; r2 += -8; call map_lookup_elem;"
        "r0 = 2; exit": 4,
        "r0 = *(u64 *)(r10 -512); exit": 8,
    }
    table = MapSpec("t", "hash", 8, 4, 4)
    for text, cleared in texts.items():
        with Machine() as machine:
            loaded = machine.load(spec_of(table, p=text))
            ir = ir_of(loaded.programs["p"].code, loaded.raw_maps, 0)[0]
            body = ir[ir.index('define i64 @"program/p.0"') :].split("\n}")[0]
            found = re.findall(r"memset\.p0\.i64\(ptr [^,]*, i8 0, i64 (\d+)", body)
            assert found == [str(cleared)] * bool(cleared)


# --- where the packet lies -----------------------------------------------------------------------

LOOK = """
    r2 = *(u32 *)(r1 +0); r3 = *(u32 *)(r1 +4); r0 = 99; r4 = r2; r4 += 2; if r4 > r3 goto +1
    r0 = *(u8 *)(r2 +1); exit"""
"""The second byte of a packet, 99 if there is none."""
PLACES = {
    "where it was given": (LOOK, 1),
    "cut off": ("""
        r6 = r1; r2 = -2; call xdp_adjust_tail; r2 = *(u32 *)(r6 +0); r3 = *(u32 *)(r6 +4)
        r0 = 99; r2 += 20; if r2 > r3 goto +1; r0 = *(u8 *)(r2 -1); exit""", 99),
    "moved before": ("r6 = r1; r2 = 4; call xdp_adjust_head; r1 = r6;" + LOOK, 5),
    "moved on one way": ("r6 = r1; if r10 == 0 goto +2; r2 = 4; call xdp_adjust_head; r1 = r6;"
                         + LOOK, 5),
    "moved in a loop": ("""
        r6 = r1; r7 = 3
        again: r1 = r6; r2 = *(u32 *)(r1 +0); r3 = *(u32 *)(r1 +4); r4 = r2; r4 += 2
        r0 = 99; if r4 > r3 goto out; r8 = *(u8 *)(r2 +1); r2 = 2; call xdp_adjust_head
        r7 += -1; if r7 != 0 goto again; r0 = r8
        out: exit""", 5),
    "moved by a function": ("r6 = r1; call move; r1 = r6;" + LOOK
                            + "\nmove: r2 = 4; call xdp_adjust_head; r0 = 0; exit", 5),
    "moved by a function's function": ("r6 = r1; call f; r1 = r6;" + LOOK
                                       + "\nf: call move; exit"
                                       "\nmove: r2 = 4; call xdp_adjust_head; r0 = 0; exit", 5),
    "by a function": ("call look; exit\nlook: " + LOOK, 1),
    "behind a tail call": ("r6 = r1; r2 = 4; call xdp_adjust_head; r1 = r6; r2 = map[t]; r3 = 0;"
                           "call tail_call; r0 = 98; exit", 5),
    "behind a tail call that leads nowhere": ("r6 = r1; r2 = map[t]; r3 = 1; call tail_call;"
                                              "r1 = r6;" + LOOK, 1),
}  # fmt: skip


@pytest.mark.parametrize(("tier", "trusted"), WAYS)
@pytest.mark.parametrize("place", PLACES)
def test_programs_know_where_the_packet_lies(place, tier, trusted):
    text, expected = PLACES[place]
    packet = bytes(range(20))
    targets = MapSpec("t", "prog_array", 4, 4, 2, contents={0: "q"})
    with Machine() as machine:
        program = machine.load(spec_of(targets, p=text, q=LOOK)).programs["p"]
        assert run(program, [packet] * 3, tier, trusted).verdicts.tolist() == [expected] * 3
        assert program.test_run(packet).retval == expected


@pytest.mark.parametrize(("tier", "trusted"), WAYS)
def test_an_entry_that_is_called_as_a_function_takes_the_arguments_of_calls(tier, trusted):
    text = "if r2 == 0 goto first; r0 = r2; r0 += r3; exit\nfirst: r2 = 3; r3 = 4; call pc-7; exit"
    with Machine() as machine:
        program = machine.load(spec_of(p=text)).programs["p"]
        assert run(program, [bytes(14)] * 2, tier, trusted).verdicts.tolist() == [7, 7]
        assert program.test_run(bytes(14)).retval == 7


@pytest.mark.parametrize("register", [2, 3, 4, 5])
def test_r2_to_r5_say_nothing_when_a_program_starts(register):
    """Where the packet lies is no business of a program that nobody has verified."""
    with Machine() as machine:
        program = machine.load(spec_of(p=f"r0 = r{register}; exit")).programs["p"]
        for tier, trusted in WAYS:
            assert run(program, [bytes(14)], tier, trusted).verdicts[0] == 0


def test_a_packet_that_does_not_fit_is_refused():
    with Machine() as machine:
        program = machine.load(spec_of(p="r0 = 2; exit")).programs["p"]
        with pytest.raises(MachineError, match="the packet is longer than a frame"):
            run(program, [bytes(64), bytes(70_000)])
        assert run(program, [bytes(65536)], keep=True).packet(0) == bytes(65536)


def test_the_worker_goes_with_the_process():
    """Compiling leaves one child, which ends when it is told to."""
    from ebee.lang import compiler

    bare.run(assemble("r0 = 1; exit"), engine="quick")
    compiler.warm()
    worker = compiler._worker
    assert worker is not None
    pid = worker.pid
    compiler.shut_down()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
