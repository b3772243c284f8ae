"""The machine: memory, virtual CPUs, packets, faults, calls, time, interfaces, and its end."""

import mmap
import re
from itertools import pairwise

import pytest

from ebee import helpers
from ebee.abi.cpu import Cpu
from ebee.abi.packet import HEADROOM
from ebee.errors import MachineError
from ebee.helpers import Helper
from ebee.isa import assemble, parse
from ebee.machine import bare
from ebee.machine.interp import Interpreter
from ebee.machine.machine import Machine
from ebee.machine.memory import Fault, Memory, Region
from ebee.machine.vm import ProgramFault
from ebee.native import native
from ebee.obj.spec import Line, MapSpec, ObjectSpec, ProgramSpec, Ref
from ebee.types import ptr, u64

pytestmark = pytest.mark.unit

NUMBERS = {h.name: h.id for h in helpers.all_helpers()}
PASS = "r0 = 2; exit"


def spec_of(*maps, lines=(), **texts):
    """An object of XDP programs given as text."""
    programs = {}
    for name, text in texts.items():
        made = parse(text, helper_id=NUMBERS.get)
        refs = [Ref(r.slot, r.kind, r.symbol, r.addend) for r in made.references]
        programs[name] = ProgramSpec(name, "xdp", made.insns, refs, list(lines), hook="xdp")
    return ObjectSpec("test", {m.name: m for m in maps}, programs, license="GPL")


def run(text, packet=bytes(64), *maps, **options):
    with Machine(clock=0, seed=1) as machine:
        return machine.load(spec_of(*maps, p=text)).programs["p"].test_run(packet, **options)


# --- memory --------------------------------------------------------------------------------------


def test_a_region_is_found_by_each_of_its_addresses():
    memory = Memory()
    region = memory.allocate("r", 100, readable=True)
    assert memory.find(region.base, 1) is region
    assert memory.find(region.base + 96, 4) is region
    with pytest.raises(Fault, match=r"read of 8 bytes at 0x[0-9a-f]+: 4 bytes behind r"):
        memory.load(region.base + 96, 8)
    memory.free(region)
    with pytest.raises(Fault, match="no memory there"):
        memory.find(region.base, 1)


def test_the_runtime_touches_what_programs_may_not():
    memory = Memory()
    region = memory.allocate("secret", 8)
    memory.store(region.base, 8, 7)
    assert memory.load(region.base, 8) == 7
    with pytest.raises(Fault, match="secret is not for programs"):
        memory.programs.load(region.base, 8)
    region.readable = True
    assert memory.programs.load(region.base, 8) == 7
    with pytest.raises(Fault, match="secret is read-only"):
        memory.programs.store(region.base, 8, 1)


def test_a_window_of_each_element_and_not_its_lock():
    memory = Memory()
    region = memory.allocate("e", 64, readable=True, writable=True, stride=32, lo=8, hi=24)
    region.skip = 12
    base = region.base
    for at, size in ((8, 4), (16, 8), (40, 4), (48, 8)):
        memory.programs.store(base + at, size, 1)
    for at, size in ((0, 8), (4, 8), (20, 8), (24, 1), (32, 8), (12, 4), (8, 8), (15, 1)):
        with pytest.raises(Fault):
            memory.programs.load(base + at, size)


def test_null_and_wrapping_addresses():
    memory = Memory()
    for addr, text in ((0, "null pointer"), (4095, "null pointer"), ((1 << 64) - 1, "no memory")):
        with pytest.raises(Fault, match=text):
            memory.load(addr, 8)


def test_no_memory_is_an_error_of_ours():
    with pytest.raises(MachineError, match="no memory for x"):
        Memory().allocate("x", 1 << 62)


def test_numbers_are_cut_to_the_size_of_the_access():
    memory = Memory()
    region = memory.allocate("r", 8)
    memory.store(region.base, 2, 0x12345)
    assert memory.load(region.base, 8) == 0x2345
    assert isinstance(region, Region)


# --- packets and virtual CPUs --------------------------------------------------------------------


def test_a_packet_lies_behind_its_headroom_in_whole_pages():
    with Machine() as machine:
        cpu = machine.cpus[0]
        for size, room in ((0, 4096), (60, 4096), (3520, 4096), (3521, 8192), (65536, 69632)):
            cpu.put_packet(bytes(size))
            p = cpu.packet
            assert int(p.data) - int(p.frame) == HEADROOM
            assert int(p.data_end) - int(p.data) == size
            assert int(p.data_meta) == int(p.data)
            assert int(p.frame_end) - int(p.frame) == room
            assert cpu.get_packet() == bytes(size)
        with pytest.raises(MachineError, match="65537 bytes is longer than 65536"):
            cpu.put_packet(bytes(65537))


def test_the_headroom_is_zero_for_each_packet():
    grow = "r6 = r1; r2 = -8; call xdp_adjust_head; r1 = *(u32 *)(r6 +0); r2 = *(u32 *)(r6 +4)\n"
    grow += "r3 = r1; r3 += 8; if r3 > r2 goto out; r0 = *(u64 *)(r1 +0); r4 = -1\n"
    grow += "*(u64 *)(r1 +0) = r4; out: exit"
    with Machine() as machine:
        program = machine.load(spec_of(p=grow)).programs["p"]
        for _ in range(2):
            run = program.test_run(b"x" * 20)
            assert run.retval == 0
            assert run.data == b"\xff" * 8 + b"x" * 20


def test_metadata_is_given_and_stays_on_the_machine():
    text = "r6 = r1; r2 = -4; call xdp_adjust_meta; r1 = *(u32 *)(r6 +8); r2 = *(u32 *)(r6 +0)\n"
    text += "r3 = r1; r3 += 4; if r3 > r2 goto out; *(u32 *)(r1 +0) = 7; out: r0 = 2; exit"
    with Machine() as machine:
        made = machine.load(spec_of(p=text))
        result = made.programs["p"].test_run(b"y" * 20)
        assert (result.data, result.metadata) == (b"\x07\0\0\0" + b"y" * 20, 4)
        made.programs["p"].attach("eth0")
        assert machine.interface("eth0").receive(b"y" * 20).data == b"y" * 20


def test_each_cpu_has_its_number_and_its_own_values():
    text = "*(u32 *)(r10 -4) = 0; r2 = r10; r2 += -4; r1 = map[n]; call map_lookup_elem\n"
    text += "if r0 == 0 goto out; r6 = r0; call get_smp_processor_id; r0 += 10\n"
    text += "*(u64 *)(r6 +0) = r0; out: exit"
    with Machine(3) as machine:
        made = machine.load(spec_of(MapSpec("n", "percpu_array", 4, 8, 1), p=text))
        for cpu in (0, 2):
            assert made.programs["p"].test_run(bytes(14), cpu=cpu).retval == 10 + cpu
        values = made.raw_maps["n"].lookup(bytes(4))
        assert [values[i] for i in (0, 8, 16)] == [10, 0, 12]


@pytest.mark.parametrize("cpus", [0, -1, 257])
def test_a_machine_has_one_to_256_cpus(cpus):
    with pytest.raises(MachineError, match="a machine has 1 to 256 CPUs"):
        Machine(cpus)


def test_time_stands_where_it_is_put():
    with Machine(2, clock=5) as machine:
        program = machine.load(spec_of(p="call ktime_get_ns; exit")).programs["p"]
        assert program.test_run().retval == 5
        machine.set_clock(77)
        assert [program.test_run(cpu=i).retval for i in (0, 1)] == [77, 77]
        machine.set_clock(None)
        assert program.test_run().retval != program.test_run().retval


def test_a_seed_makes_random_numbers_repeatable():
    def numbers(seed):
        with Machine(2, seed=seed) as machine:
            program = machine.load(spec_of(p="call get_prandom_u32; exit")).programs["p"]
            return [program.test_run(cpu=c).retval for c in (0, 0, 1)]

    assert numbers(1) == numbers(1)
    assert numbers(1) != numbers(2)
    assert len(set(numbers(1))) == 3


def test_printk_writes_a_line_and_says_what_was_lost():
    text = "r1 = 0x6425203a6e ll; *(u64 *)(r10 -8) = r1; r1 = r10; r1 += -8; r2 = 8; r3 = 42\n"
    text += "call trace_printk; exit"
    with Machine() as machine:
        program = machine.load(spec_of(p=text)).programs["p"]
        program.test_run()
        program.test_run()
        assert machine.cpus[0].read_trace() == ("n: 42\n" * 2, 0)
        assert machine.cpus[0].read_trace() == ("", 0)
        for _ in range(2000):
            machine.cpus[0].trace.written = int(machine.cpus[0].trace.written) + 60
        text, lost = machine.cpus[0].read_trace()
        assert lost == 2000 * 60 - 65536
        assert len(text) == 65536


# --- faults, in words ----------------------------------------------------------------------------

FAULTS = {
    "r0 = *(u64 *)(r10 +0); exit": "p, instruction 0: read of 8 bytes at 0x*: no memory there",
    "r1 = 0; *(u8 *)(r1 +0) = 1; exit": "p, instruction 1: write of 1 bytes at 0x0: null pointer",
    "r2 = *(u32 *)(r1 +0); r0 = *(u8 *)(r2 +64); exit": (
        "p, instruction 1: read of 1 bytes at 0x*: offset 64 and 1 bytes leave the packet of 64"
        " bytes"
    ),
    "r0 = *(u16 *)(r1 +0); exit": (
        "p, instruction 0: read of 2 bytes at 0x*: invalid context offset 0"
    ),
    "*(u32 *)(r1 +0) = 0; exit": (
        "p, instruction 0: write of 4 bytes at 0x*: invalid context offset 0"
    ),
    "r0 = 1; lock *(u64 *)(r10 -12) += r0; exit": (
        "p, instruction 1: add of 8 bytes at 0x*: atomic operations need an aligned address"
    ),
    "r1 = map[a]; r0 = *(u64 *)(r1 +0); exit": (
        "p, instruction 2: read of 8 bytes at 0x*: a state is not for programs"
    ),
    "*(u64 *)(r10 -8) = 0; r2 = r10; r2 += -8; r1 = map[a]; call map_lookup_elem\n"
    "r0 = *(u64 *)(r0 +12); exit": (
        "p, instruction 6: read of 8 bytes at 0x*: offset 12 and 8 bytes leave the 16 bytes of an"
        " element of a values"
    ),
    "r1 = 7; r2 = r10; call map_lookup_elem; exit": (
        "p, instruction 2: bpf_map_lookup_elem: argument 'map' of 0 bytes at 0x7: is no map"
    ),
    "r1 = map[a]; r2 = 0; call map_lookup_elem; exit": (
        "p, instruction 3: bpf_map_lookup_elem: argument 'key' of 0 bytes at 0x0: read of 4 bytes:"
        " null pointer"
    ),
    "r2 = 0; r1 = 5; call xdp_adjust_head; exit": (
        "p, instruction 2: bpf_xdp_adjust_head: argument 'xdp_md' of 0 bytes at 0x5: is not the"
        " context"
    ),
    "r3 = r10; r3 += -8; r2 = 0; r4 = 0; call xdp_load_bytes; exit": (
        "p, instruction 4: bpf_xdp_load_bytes: argument 'len' of 0 bytes at 0x0: must not be zero"
    ),
    "r0 += 1; goto -2; exit": "p, instruction *: stopped after 1,000 instructions",
}  # fmt: skip


@pytest.mark.parametrize("text", FAULTS)
def test_a_fault_says_what_where_and_why(text):
    with pytest.raises(ProgramFault) as e:
        run(text, bytes(64), MapSpec("a", "array", 4, 16, 2), budget=1000)
    pattern = re.escape(FAULTS[text]).replace(re.escape("*"), "[0-9a-f]+")
    assert re.fullmatch(pattern, str(e.value)), str(e.value)


def test_only_the_frames_of_a_stack_touch_each_other():
    with Machine() as machine:
        for number in range(64):
            machine.memory.allocate(f"page {number}", mmap.PAGESIZE)
        touching = [
            (a.name, b.name) for a, b in pairwise(machine.memory.regions()) if a.end == b.base
        ]
        assert set(touching) == {("stack", "stack")}


def test_a_fault_names_the_line_of_the_source():
    lines = (Line(0, "a.c", 7, 1, "  int x = *p;"),)
    with Machine() as machine:
        spec = spec_of(lines=lines, p="r0 = 0; r0 = *(u8 *)(r0 +0); exit")
        with pytest.raises(ProgramFault, match=r"instruction 1 \(a.c:7: int x = \*p;\): read of 1"):
            machine.load(spec).programs["p"].test_run()


REFUSED = {
    "call 999; exit": "there is no helper number 999",
    "r0 = 0": "no valid program: instruction 0: control runs off the end",
    "call get_stackid; exit": "xdp programs cannot call bpf_get_stackid",
    "r0 = r1; goto +1; exit": "no valid program: instruction 1: leads to slot 3, outside",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_the_machine_does_not_run_is_refused(text):
    with pytest.raises(MachineError, match=re.escape(REFUSED[text])):
        run(text)


def test_control_stays_in_its_function():
    insns = assemble("call pc+1; exit; r0 = 1; goto -3; exit")
    with pytest.raises(MachineError, match="instruction 3: leads to 1, out of its function"):
        bare.run(insns)


# --- single step, calls, limits ------------------------------------------------------------------


def test_single_step():
    with Machine() as machine:
        program = machine.load(spec_of(p="r1 = 5; r0 = r1; r0 += 2; exit")).programs["p"]
        cpu = machine.cpus[0]
        cpu.put_packet(bytes(14))
        engine = Interpreter(machine, cpu)
        engine.start(program.code, cpu.context.base)
        seen = []
        while not engine.done:
            seen.append((engine.slot, engine.regs[0], engine.regs[1] == cpu.context.base))
            engine.step()
        assert seen == [(0, 0, True), (1, 0, False), (2, 5, False), (3, 7, False)]
        assert (engine.regs[0], engine.executed) == (7, 4)


def test_eight_frames_and_no_more():
    def deep(n):
        """Functions that call each other, n in all."""
        text = "call pc+1; exit; " * (n - 1) + "r0 = 9; exit"
        return bare.run(assemble(text))[0]

    assert deep(8) == 9
    with pytest.raises(ProgramFault, match="more than 8 frames"):
        deep(9)


def test_a_call_leaves_r6_to_r9_and_gives_the_callee_none():
    text = "r6 = 1; r7 = 2; r0 = 5; call pc+3; r0 += r6; r0 += r7; exit\n"
    text += "r0 += r6; r0 += r7; r6 = 100; r7 = 100; exit"
    assert bare.run(assemble(text))[0] == 3


def test_stacks_are_zero_at_first_and_not_kept():
    text = "call pc+2; call pc+1; exit; r0 = *(u64 *)(r10 -8); *(u64 *)(r10 -8) = 7; exit"
    assert bare.run(assemble(text))[0] == 0


def test_thirty_three_tail_calls():
    count = MapSpec("n", "array", 4, 8, 1)
    programs = MapSpec("t", "prog_array", 4, 4, 1, contents={0: "p"})
    text = "r6 = r1; r1 = map[n][0]+0; r2 = 1; lock *(u64 *)(r1 +0) += r2; r1 = r6; r2 = map[t]\n"
    text += "r3 = 0; call tail_call; r0 = 5; exit"
    with Machine() as machine:
        made = machine.load(spec_of(count, programs, p=text))
        assert made.programs["p"].test_run().retval == 5
        assert made.raw_maps["n"].lookup(bytes(4))[0] == 34


def test_the_budget_counts_instructions():
    assert run("r0 = 0; r0 += 1; if r0 != 10 goto -2; exit").executed == 22
    with pytest.raises(ProgramFault, match="stopped after 21 instructions"):
        run("r0 = 0; r0 += 1; if r0 != 10 goto -2; exit", budget=21)


def test_repeat_runs_on_what_the_run_before_left():
    text = "r2 = *(u32 *)(r1 +0); r0 = *(u8 *)(r2 +0); r0 += 1; *(u8 *)(r2 +0) = r0; exit"
    result = run(text, bytes(14), repeat=5)
    assert (result.retval, result.data[0]) == (5, 5)


# --- what callers add ----------------------------------------------------------------------------


@native
def triple(cpu: ptr[Cpu], x: u64) -> u64:
    return x * 3


@native
def number(cpu: ptr[Cpu], a: u64, b: u64) -> u64:
    return u64(4096)


def test_helpers_of_the_callers_own():
    extra = {700: Helper(700, "triple", "x: u64 -> u64", "", "", f"{__name__}:triple")}
    import sys

    sys.modules.setdefault(__name__, sys.modules[triple.__module__])
    assert bare.run(assemble("r1 = 5; call 700; exit"), helpers=extra)[0] == 15
    with pytest.raises(MachineError, match="there is no helper number 700"):
        bare.run(assemble("r1 = 5; call 700; exit"))


def test_a_helper_of_ones_own_under_the_number_of_linux():
    """What it returns is no value of a map, whatever Linux's helper of that number returns."""
    extra = {1: Helper(1, "number", "a: u64, b: u64 -> u64", "", "", f"{__name__}:number")}
    text = "call 1; if r0 == 0 goto +1; r0 = *(u64 *)(r0 +0); exit"
    for engine in ("interpreter", "quick", "optimised"):
        with pytest.raises(ProgramFault, match="instruction 2"):
            bare.run(assemble(text), helpers=extra, engine=engine)


# --- interfaces ----------------------------------------------------------------------------------

SEND = "r1 = 3; r2 = 0; call redirect; exit"


@pytest.mark.parametrize(
    ("text", "action", "left"),
    [
        ("r0 = 0; exit", "XDP_ABORTED", None),
        ("r0 = 1; exit", "XDP_DROP", None),
        (PASS, "XDP_PASS", None),
        ("r0 = 3; exit", "XDP_TX", "eth0"),
        (SEND, "XDP_REDIRECT", "eth1"),
        ("r0 = 9; exit", "unknown(9)", None),
        ("r1 = 77; r2 = 0; call redirect; exit", "XDP_ABORTED", None),
    ],
)
def test_actions_on_an_interface(text, action, left):
    frame = bytes(range(60))
    with Machine() as machine:
        interfaces = [machine.interface(name) for name in ("eth0", "eth1")]
        program = machine.load(spec_of(p=text)).programs["p"]
        with program.attach("eth0"):
            delivery = interfaces[0].receive(frame)
            assert (delivery.action, delivery.out) == (action, left)
            assert interfaces[0].counts == {action: 1}
            assert [i.name for i in interfaces if i.sent] == [left] * (left is not None)
            assert interfaces[0].passed == [frame] * (action == "XDP_PASS")
        assert interfaces[0].receive(frame).action == "XDP_PASS"  # nothing is attached


def test_one_program_on_an_interface():
    with Machine() as machine:
        made = machine.load(spec_of(p=PASS, q="r0 = 1; exit"))
        link = made.programs["p"].attach("eth0")
        with pytest.raises(MachineError, match="eth0: p is attached already"):
            made.programs["q"].attach("eth0")
        link.update(made.programs["q"])
        assert machine.interface("eth0").receive(bytes(60)).action == "XDP_DROP"
        link.close()
        link.close()
        with pytest.raises(MachineError, match="name an interface"):
            made.programs["p"].attach()


# --- the end -------------------------------------------------------------------------------------


def test_closing_an_object_gives_everything_back():
    maps = [
        MapSpec("a", "array", 4, 8, 4), MapSpec("h", "hash", 4, 8, 4),
        MapSpec("r", "ringbuf", 0, 0, 4096), MapSpec("c", "percpu_hash", 4, 8, 4),
        MapSpec("l", "lpm_trie", 8, 8, 4, flags=1), MapSpec("u", "lru_hash", 4, 8, 4),
        MapSpec("t", "prog_array", 4, 4, 1, contents={0: "p"}),
    ]  # fmt: skip
    walk = (
        "r1 = map[a]; r2 = subprog[2]; r3 = 0; r4 = 0; call for_each_map_elem; exit; r0 = 0; exit"
    )
    del walk
    with Machine() as machine:
        before = [(r.name, r.size) for r in machine.memory.regions()]
        for _ in range(3):
            with machine.load(spec_of(*maps, p=PASS)) as made:
                made.programs["p"].test_run()
                made.ring_buffer("r").read()
                assert len(machine.memory.regions()) > len(before)
            assert [(r.name, r.size) for r in machine.memory.regions()] == before
            assert machine.programs() == []


def test_an_object_that_cannot_be_loaded_leaves_nothing():
    with Machine() as machine:
        before = len(machine.memory.regions())
        with pytest.raises(MachineError):
            machine.load(spec_of(MapSpec("a", "array", 4, 8, 4), p="call 999; exit"))
        assert len(machine.memory.regions()) == before


def test_a_given_map_outlives_the_object():
    with Machine() as machine:
        shared = machine.create_map(MapSpec("a", "array", 4, 8, 1))
        text = "r1 = map[a][0]+0; r2 = 1; lock *(u64 *)(r1 +0) += r2; r0 = 0; exit"
        for _ in range(3):
            with machine.load(spec_of(MapSpec("a", "array", 4, 8, 1), p=text), a=shared) as made:
                made.programs["p"].test_run()
        assert shared.lookup(bytes(4))[0] == 3


def test_a_closed_machine_has_no_memory():
    machine = Machine(2)
    machine.load(spec_of(MapSpec("a", "array", 4, 8, 1), p=PASS))
    machine.close()
    names = {r.name for r in machine.memory.regions()}
    assert names <= {"programs", "regions"}
