"""Programs that call helpers behave on the machine as in the kernel: result, packet, maps.

Each is assembly; `out` is an array map whose one value both sides leave equal.
"""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebee import helpers
from ebee.btf import BtfBuilder, Func, FuncProto, Int
from ebee.btf.types import Linkage
from ebee.isa import parse
from ebee.machine.machine import Machine
from ebee.obj.spec import FunctionSpec, MapSpec, ObjectSpec, ProgramSpec, Ref

pytestmark = [pytest.mark.differential, pytest.mark.kernel]

COVERS = (
    "hook:xdp", "helper:map_lookup_elem", "helper:map_update_elem", "helper:map_delete_elem",
    "helper:map_push_elem", "helper:map_pop_elem", "helper:map_peek_elem",
    "helper:map_lookup_percpu_elem", "helper:for_each_map_elem", "helper:loop", "helper:tail_call",
    "helper:ringbuf_output", "helper:ringbuf_reserve", "helper:ringbuf_submit",
    "helper:ringbuf_discard", "helper:ringbuf_query", "helper:ringbuf_reserve_dynptr",
    "helper:ringbuf_submit_dynptr", "helper:ringbuf_discard_dynptr", "helper:dynptr_write",
    "helper:dynptr_data", "helper:trace_printk", "helper:trace_vprintk", "helper:probe_read_user",
    "helper:probe_read_user_str", "helper:probe_read_kernel", "helper:probe_read_kernel_str",
    "helper:redirect", "helper:redirect_map", "helper:get_smp_processor_id",
    "helper:get_current_comm",
)  # fmt: skip

OUT = 512
NUMBERS = {h.name: h.id for h in helpers.all_helpers()}


def spec_of(text, maps, callback=""):
    """An object with one XDP program, and a function `callback` if there is text for it."""
    specs = {"out": MapSpec("out", "array", 4, OUT, 1)} | {m.name: m for m in maps}

    def code(kind, name, body, **fields):
        made = parse(body, helper_id=lambda n: NUMBERS.get(n.removeprefix("bpf_")))
        refs = [Ref(r.slot, r.kind, r.symbol, r.addend) for r in made.references]
        return kind(name, fields.pop("section", ".text"), made.insns, refs, **fields)

    btf = BtfBuilder()
    number = btf.add(Int("int", 4, 1))
    proto = btf.add(FuncProto(number, ()))
    entry = btf.add(Func("p", proto))
    static = btf.add(Func("callback", proto, Linkage.STATIC))
    p = code(ProgramSpec, "p", text, section="xdp", hook="xdp", attach_type=37, btf_id=entry)
    functions = {}
    if callback:
        functions["callback"] = code(
            FunctionSpec, "callback", callback, linkage="static", btf_id=static
        )
    return ObjectSpec("test", specs, {"p": p}, functions, btf=btf.build(), license="GPL")


@pytest.fixture(autouse=True)
def on_the_first_cpu():
    """Per-CPU values and the CPU's number are then those of the machine's only CPU."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {0})
    yield
    os.sched_setaffinity(0, before)


def run_both(text, *maps, packet=bytes(64), callback=""):
    """(result, packet, out, ring records) of the machine and of the kernel."""
    from ebee.linux.backend import load

    spec = spec_of(text, maps, callback)
    rings = [m.name for m in maps if m.type == "ringbuf"]
    answers = []
    with Machine() as machine, load(spec) as kernel:
        for made in (machine.load(spec), kernel):
            run = made.programs["p"].test_run(packet)
            raw = made.maps["out"].raw if hasattr(made.maps["out"], "raw") else made.raw_maps["out"]
            records = [bytes(r) for name in rings for r in made.ring_buffer(name).read()]
            answers.append((run.retval, bytes(run.data), raw.lookup(bytes(4)), records))
    return answers


def same(text, *maps, **options):
    ours, theirs = run_both(text, *maps, **options)
    assert ours == theirs
    return ours


def store(at, register="r0"):
    """Store a result at an offset of `out`."""
    return f"r1 = map[out][0]+{at}; *(u64 *)(r1 +0) = {register}\n"


END = "r0 = 2; exit\n"


def key(value):
    return f"r2 = {value}; *(u32 *)(r10 -4) = r2; r2 = r10; r2 += -4\n"


def test_elements_of_a_hash():
    text = ""
    at = 0
    for n, flags in ((1, 0), (1, 1), (2, 2), (2, 1), (3, 0), (4, 0), (1, 2), (5, 7)):
        text += key(n) + f"r3 = {n * 100}; *(u64 *)(r10 -16) = r3; r3 = r10; r3 += -16\n"
        text += f"r1 = map[h]; r4 = {flags}; call bpf_map_update_elem\n" + store(at)
        at += 8
    for n in (1, 2, 9):
        text += key(n) + "r1 = map[h]; call bpf_map_lookup_elem\n"
        text += "if r0 == 0 goto +1; r0 = *(u64 *)(r0 +0)\n" + store(at)
        text += key(n) + "r1 = map[h]; call bpf_map_delete_elem\n" + store(at + 8)
        at += 16
    same(text + END, MapSpec("h", "hash", 4, 8, 3))


def test_values_of_each_cpu():
    text = key(0) + "r1 = map[a]; call bpf_map_lookup_elem\n"
    text += "if r0 == 0 goto +2; r1 = 77; *(u64 *)(r0 +0) = r1\n"
    for i, cpu in enumerate((0, 100_000)):
        text += key(0) + f"r1 = map[a]; r3 = {cpu}; call bpf_map_lookup_percpu_elem\n"
        text += "if r0 == 0 goto +1; r0 = *(u64 *)(r0 +0)\n" + store(8 * i)
    _, _, out, _ = same(text + END, MapSpec("a", "percpu_array", 4, 8, 2))
    assert out[:16] == (77).to_bytes(8, "little") + bytes(8)


@pytest.mark.parametrize("kind", ["queue", "stack"])
def test_queues_and_stacks(kind):
    text, at = "", 0
    for n, flags in ((11, 0), (12, 0), (13, 0), (14, 2), (15, 1)):
        text += f"r2 = {n}; *(u64 *)(r10 -8) = r2; r2 = r10; r2 += -8\n"
        text += f"r1 = map[q]; r3 = {flags}; call bpf_map_push_elem\n" + store(at)
        at += 8
    for call in ("peek", "pop", "pop", "pop", "peek"):
        text += "r2 = 0; *(u64 *)(r10 -8) = r2; r2 = r10; r2 += -8\n"
        text += f"r1 = map[q]; call bpf_map_{call}_elem\n" + store(at)
        text += "r2 = *(u64 *)(r10 -8)\n" + store(at + 8, "r2")
        at += 16
    same(text + END, MapSpec("q", kind, 0, 8, 2))


@pytest.mark.parametrize("count", [0, 1, 5, 100])
@pytest.mark.parametrize("stop", [3, 1000])
def test_a_loop_calls_back(count, stop):
    text = "r1 = 0; *(u64 *)(r10 -8) = r1\n"
    text += f"r1 = {count}; r2 = subprog[callback]; r3 = r10; r3 += -8; r4 = 0\n"
    text += "call bpf_loop\n" + store(0) + "r2 = *(u64 *)(r10 -8)\n" + store(8, "r2")
    callback = (
        "r3 = *(u64 *)(r2 +0); r3 += r1; r3 += 1; *(u64 *)(r2 +0) = r3; r0 = 0\n"
        f"if r1 < {stop} goto +1; r0 = 1; exit\n"
    )
    same(text + END, callback=callback)


@pytest.mark.parametrize(("count", "flags"), [((1 << 23) + 1, 0), (5, 1)])
def test_loops_that_are_refused(count, flags):
    """The kernel writes the loop into the program and then gives E2BIG in 32 bits only."""
    text = f"r1 = {count}; r2 = subprog[callback]; r3 = 0; r4 = {flags}; call bpf_loop\n"
    ours, theirs = run_both(text + store(0) + END, callback="r0 = 0; exit")
    assert ours[2][:4] == theirs[2][:4] != bytes(4)


def test_a_walk_through_an_array():
    text = "r1 = 0; *(u64 *)(r10 -8) = r1\n"
    text += "r1 = map[a]; r2 = subprog[callback]; r3 = r10; r3 += -8; r4 = 0\n"
    text += "call bpf_for_each_map_elem\n" + store(0) + "r2 = *(u64 *)(r10 -8)\n" + store(8, "r2")
    callback = (
        "r2 = *(u32 *)(r2 +0); r5 = *(u64 *)(r4 +0); r5 += r2; r5 += 10; *(u64 *)(r4 +0) = r5\n"
        "r0 = 0; exit\n"
    )
    same(text + END, MapSpec("a", "array", 4, 8, 7), callback=callback)


def test_a_tail_call_that_finds_nothing_goes_on():
    text = "r6 = r1; r2 = map[programs]; r3 = 1; call bpf_tail_call\n"
    text += "r1 = r6; r2 = map[programs]; r3 = 99; call bpf_tail_call\n"
    same(text + "r0 = 1; exit", MapSpec("programs", "prog_array", 4, 4, 2))


RING = MapSpec("ring", "ringbuf", max_entries=4096)


def query():
    return "".join(
        f"r1 = map[ring]; r2 = {what}; call bpf_ringbuf_query\n" + store(64 + 8 * what)
        for what in range(5)
    )


def test_records_of_a_ring_buffer():
    text = "r1 = 0x1122334455667788 ll; *(u64 *)(r10 -8) = r1\n"
    for i, (size, flags) in enumerate(((8, 0), (3, 1), (8, 4), (0, 0))):
        text += f"r1 = map[ring]; r2 = r10; r2 += -8; r3 = {size}; r4 = {flags}\n"
        text += "call bpf_ringbuf_output\n" + store(8 * i)
    for value, call in ((5, "submit"), (6, "discard"), (7, "submit")):
        text += "r1 = map[ring]; r2 = 16; r3 = 0; call bpf_ringbuf_reserve\n"
        text += f"if r0 == 0 goto +6; r1 = {value}; *(u64 *)(r0 +0) = r1; *(u64 *)(r0 +8) = r1\n"
        text += f"r1 = r0; r2 = 1; call bpf_ringbuf_{call}\n"
    _, _, _, records = same(text + query() + END, RING)
    assert [len(r) for r in records] == [8, 3, 0, 16, 16]


sizes = st.integers(0, 64) | st.sampled_from([3000, 4072, 4073, 4080, 1 << 24, (1 << 32) - 1])


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(sizes, st.booleans()), min_size=1, max_size=4), st.integers(0, 24))
def test_records_of_any_size(records, offset):
    """Reserve as a dynptr, write 8 bytes at an offset, submit or discard."""
    text = "r1 = 0x0807060504030201 ll; *(u64 *)(r10 -8) = r1\n"
    for i, (size, keep) in enumerate(records):
        text += f"r1 = map[ring]; r2 = {size} ll; r3 = 0; r4 = r10; r4 += -24\n"
        text += "call bpf_ringbuf_reserve_dynptr\n" + store(16 * i)
        # the bytes of a fresh record are not defined: clear those that fit
        text += "r1 = r10; r1 += -24; r2 = 0; r3 = 8; call bpf_dynptr_data\n"
        text += "if r0 == 0 goto +2; r1 = 0; *(u64 *)(r0 +0) = r1\n"
        text += f"r1 = r10; r1 += -24; r2 = {offset}; r3 = r10; r3 += -8; r4 = 8; r5 = 0\n"
        text += "call bpf_dynptr_write\n" + store(16 * i + 8)
        call = "submit" if keep else "discard"
        text += f"r1 = r10; r1 += -24; r2 = 0; call bpf_ringbuf_{call}_dynptr\n"
    ours, theirs = run_both(text + query() + END, RING)
    assert ours[:3] == theirs[:3]
    assert [len(r) for r in ours[3]] == [len(r) for r in theirs[3]]


def test_printing():
    text = "r1 = 0x0a75257b ll; *(u64 *)(r10 -8) = r1; r1 = 0x7d; *(u64 *)(r10 -16) = r1\n"
    text += "r1 = r10; r1 += -8; r2 = 8; r3 = 1234567; r4 = 0; r5 = 0\n"  # "{%u\n"
    text += "call bpf_trace_printk\n" + store(0)
    text += "r1 = r10; r1 += -8; r2 = 3; r3 = 1; r4 = 0; r5 = 0\n"  # without its end
    text += "call bpf_trace_printk\n" + store(8)
    text += "r1 = r10; r1 += -8; r2 = 8; r3 = r10; r3 += -16; r4 = 8\n"
    text += "call bpf_trace_vprintk\n" + store(16)
    text += "r1 = r10; r1 += -8; r2 = 8; r3 = 0; r4 = 0\n"
    text += "call bpf_trace_vprintk\n" + store(24)
    _, _, out, _ = same(text + END)
    results = [int.from_bytes(out[i : i + 8], "little", signed=True) for i in range(0, 32, 8)]
    assert results == [9, -22, 5, -22]


NOWHERE = 0xFFFF_FF00_0000_1000  # a kernel address with nothing behind it


def test_reading_memory_that_may_not_be_there():
    text = "r1 = 0x00646362 ll; *(u64 *)(r10 -8) = r1\n"
    for i, (call, size, source) in enumerate((
        ("probe_read_kernel", 8, "r10; r3 += -8"), ("probe_read_kernel", 8, f"{NOWHERE} ll"),
        ("probe_read_kernel", 0, f"{NOWHERE} ll"), ("probe_read_kernel_str", 8, "r10; r3 += -8"),
        ("probe_read_kernel_str", 2, "r10; r3 += -8"),
        ("probe_read_kernel_str", 8, f"{NOWHERE} ll"),
    )):  # fmt: skip
        text += f"r1 = map[out][0]+{8 + 24 * i}; r2 = {size}; r3 = {source}\n"
        text += f"call bpf_{call}\n" + store(24 * i)
    same(text + END)


def test_redirection_of_a_packet():
    text = ""
    for i, flags in enumerate((0, 1, 8)):
        text += f"r1 = 5; r2 = {flags}; call bpf_redirect\n" + store(8 * i)
    for i, flags in enumerate((0, 1, 2, 3, 4, 8, 16, 24, 32)):
        text += f"r1 = map[d]; r2 = 0; r3 = {flags}; call bpf_redirect_map\n" + store(64 + 8 * i)
    same(text + "r0 = 1; exit", MapSpec("d", "devmap", 4, 4, 2))


def test_where_the_program_runs():
    same("call bpf_get_smp_processor_id\n" + store(0) + END)


@pytest.mark.parametrize("size", [1, 4, 16, 40])
def test_the_name_of_the_task_has_an_end(size):
    """Its text differs; that it fits, ends and is padded does not."""
    text = f"r1 = map[out][0]+8; r2 = {size}; call bpf_get_current_comm\n" + store(0) + END
    for _, _, out, _ in run_both(text):
        name = out[8 : 8 + size]
        assert out[:8] == bytes(8)
        assert name.rstrip(b"\0") == name.split(b"\0")[0]
        assert name[-1] == 0
        assert not any(out[8 + size :])


@pytest.mark.parametrize("call", ["probe_read_user", "probe_read_user_str"])
def test_user_memory_is_the_machines_own(call):
    """There is one address space: the program's memory can be read, other addresses fault."""
    text = "r1 = 0x00646362 ll; *(u64 *)(r10 -8) = r1\n"
    for i, source in enumerate(("r10; r3 += -8", "8")):
        text += f"r1 = map[out][0]+{8 + 24 * i}; r2 = 8; r3 = {source}; call bpf_{call}\n"
        text += store(24 * i)
    with Machine() as machine:
        made = machine.load(spec_of(text + END, ()))
        made.programs["p"].test_run(bytes(64))
        out = made.raw_maps["out"].lookup(bytes(4))
    expected = 4 if call.endswith("str") else 0
    assert out[:16] == expected.to_bytes(8, "little") + b"bcd".ljust(8, b"\0")
    assert out[24:40] == (-14).to_bytes(8, "little", signed=True) + bytes(8)
