"""Test runs of every type of program, with packets and contexts; tail calls; what the kernel keeps
of a program."""

import ctypes
import os
import struct
import time

import pytest

from ebee.btf import Btf, BtfBuilder, Func, FuncProto, Int, Param, Ptr, Struct
from ebee.errors import KernelError
from ebee.isa import Insn, decode
from ebee.isa.asm import assemble
from ebee.linux import LinuxMap, LinuxProgram, attach, proginfo, uapi
from ebee.linux.btf import load_bytes
from ebee.linux.contexts import pack, unpack
from ebee.linux.errors import ENOTSUPP, older_than
from ebee.linux.flags import BPF_F_SLEEPABLE, BPF_F_TEST_XDP_LIVE_FRAMES
from ebee.linux.programs import TEST_RUNS, enable_stats

pytestmark = pytest.mark.kernel

IPV4 = bytes(12) + b"\x08\x00" + b"\x45\x00\x00\x28" + bytes(4) + b"\x40\x11" + bytes(30)
FRAME = bytes(64)
COUNT = """
    *(u32 *)(r10 -4) = 0
    r1 = map[counts]
    r2 = r10
    r2 += -4
    call 1
    if r0 == 0 goto out
    r1 = 1
    lock *(u64 *)(r0 +0) += r1
out:
    r0 = 2
    exit
"""


def load(code, type, attach_type="", maps=None, **options):
    fds = {name: made.fd.fileno() for name, made in (maps or {}).items()}
    kind = options.pop("number", 0) or (uapi.ATTACH_TYPES[attach_type] if attach_type else 0)
    return LinuxProgram.load(assemble(code, fds), type, name="probe", attach_type=kind, **options)


# Type -> (code, how to load it, how to run it, what comes back).
RUNS = {
    "socket_filter": ("r0 = *(u32 *)(r1 +0); exit", {}, {"data": FRAME}, 50),
    "sched_cls": (
        "r2 = *(u32 *)(r1 +8); r0 = r2; exit", {}, {"data": FRAME, "ctx": {"mark": 77}}, 77,
    ),
    "sched_act": ("r0 = 3; exit", {}, {"data": FRAME}, 3),
    "xdp": (
        "r2 = *(u32 *)(r1 +12); r0 = r2; exit", {}, {"data": FRAME, "ctx": {"ingress_ifindex": 1}},
        1,
    ),
    "cgroup_skb": ("r0 = 1; exit", {}, {"data": FRAME}, 1),
    "lwt_in": ("r0 = 0; exit", {}, {"data": FRAME}, 0),
    "lwt_out": ("r0 = 2; exit", {}, {"data": FRAME}, 2),
    "lwt_xmit": ("r0 = 2; exit", {}, {"data": FRAME}, 2),
    "flow_dissector": ("r0 = 0; exit", {"attach_type": "flow_dissector"}, {"data": IPV4}, 0),
    "raw_tracepoint": (
        "r0 = *(u64 *)(r1 +8); exit", {}, {"ctx": struct.pack("=QQ", 1, 42)}, 42,
    ),
    "sk_lookup": (
        "r2 = *(u32 *)(r1 +60); r0 = 0; if r2 != 80 goto out; r0 = 1\nout: exit",
        {"attach_type": "sk_lookup"},
        {"ctx": {"family": 2, "protocol": 6, "local_port": 80}}, 1,
    ),
    "syscall": (
        "r0 = *(u64 *)(r1 +0); exit", {"flags": BPF_F_SLEEPABLE},
        {"ctx": struct.pack("=Q", 123)}, 123,
    ),
    "netfilter": ("r0 = 1; exit", {"attach_type": "netfilter"}, {"data": IPV4}, 1),
}  # fmt: skip


@pytest.mark.parametrize("type", RUNS)
def test_a_program_runs_on_what_its_type_takes(type):
    if older_than(TEST_RUNS[type]):
        pytest.skip(f"test runs of {type} came with Linux {TEST_RUNS[type]}")
    code, options, given, want = RUNS[type]
    with load(code, type, **options) as program:
        assert program.test_run(**given).retval == want


def test_traced_functions_run(in_thread):
    """fentry, fexit and fmod_ret run on functions that the kernel has for that."""
    found = Btf.vmlinux().get("bpf_fentry_test1", Func)
    try:
        program = load("r0 = 0; exit", "tracing", "trace_fentry", attach_btf_id=found.id)
    except KernelError as error:
        if error.errno != 1:
            raise
        pytest.skip("this kernel refuses fentry programs")
    with program, attach.tracing(program):
        result = program.test_run()
        assert result.retval == 0


def test_struct_ops_run_by_the_dummy_of_the_kernel():
    found = Btf.vmlinux().get("bpf_dummy_ops", Struct)
    if found is None or older_than(TEST_RUNS["struct_ops"]):
        pytest.skip("this kernel has no bpf_dummy_ops")
    state = ctypes.c_int(5)
    with LinuxProgram.load(
        assemble("r0 = 33; exit"), "struct_ops", name="probe", attach_btf_id=found.id
    ) as program:
        context = struct.pack("=Q", ctypes.addressof(state))
        assert program.test_run(ctx=context).retval == 33


# How to load a program of a type that has no test run.
OTHERS = {
    "cgroup_sock_addr": {"attach_type": "cgroup_inet4_bind"},
    "cgroup_sockopt": {"attach_type": "cgroup_getsockopt"},
    "sk_reuseport": {"attach_type": "sk_reuseport_select"},
    "lsm": {"attach_type": "lsm_mac", "btf": "bpf_lsm_file_open"},
}


@pytest.mark.parametrize("type", [t for t in uapi.PROG_TYPES if t not in (*TEST_RUNS, "unspec")])
def test_other_types_say_that_they_have_none(type):
    if type == "ext":
        pytest.skip("an extension runs as the program that it is put into")
    if type == "lwt_seg6local" and older_than("6.12"):
        pytest.skip("older kernels run it on a packet")
    options = dict(OTHERS.get(type, {}))
    if "btf" in options:
        options["attach_btf_id"] = Btf.vmlinux().get(options.pop("btf"), Func).id
    try:
        program = load("r0 = 0; exit", type, **options)
    except KernelError as error:
        if error.errno not in (1, 22):
            raise
        pytest.skip(f"this kernel has no {type} programs: {error.summary}")
    with program, pytest.raises(KernelError, match=f"{type} programs have no test run") as failed:
        program.test_run(FRAME)
    assert failed.value.errno == ENOTSUPP


def test_every_type_is_in_one_of_the_two_tables():
    tried = {*RUNS, "tracing", "struct_ops"}
    assert tried == set(TEST_RUNS)
    assert set(TEST_RUNS) <= set(uapi.PROG_TYPES)


# -- what goes in and comes out --------------------------------------------------------------------


def test_contexts_have_members_by_name():
    assert pack("xdp", {"rx_queue_index": 3}, FRAME) == struct.pack("=6I", 0, 64, 0, 0, 3, 0)
    assert unpack("xdp", struct.pack("=6I", 0, 64, 0, 7, 3, 0))["ingress_ifindex"] == 7
    raw = pack("sched_cls", {"cb": [1, 2, 3], "tstamp": 1 << 40})
    assert (unpack("sched_cls", raw)["cb"], unpack("sched_cls", raw)["tstamp"]) == (
        [1, 2, 3, 0, 0],
        1 << 40,
    )
    for type, members, text in (
        ("xdp", {"nothing": 1}, "has no 'nothing'; it has data, data_end"),
        ("xdp", {"rx_queue_index": 1 << 32}, "has 4 bytes, and cannot be"),
        ("sched_cls", {"cb": [0] * 6}, "has 5 elements, not 6"),
        ("syscall", {"x": 1}, "no named members: give bytes"),
    ):
        with pytest.raises(KernelError, match=text):
            pack(type, members)


def test_a_context_that_the_program_changed_comes_back():
    code = "r2 = 9; *(u32 *)(r1 +8) = r2; r2 = 5; *(u32 *)(r1 +48) = r2; r0 = 0; exit"
    with load(code, "sched_cls") as program:
        result = program.test_run(FRAME, ctx={"mark": 1, "cb": [0, 8]})
        after = unpack("sched_cls", result.ctx)
        assert (after["mark"], after["cb"]) == (9, [5, 8, 0, 0, 0])


def test_metadata_stands_before_the_packet_of_xdp():
    code = "r2 = *(u32 *)(r1 +8); r3 = *(u32 *)(r1 +0); r0 = r3; r0 -= r2; exit"
    with load(code, "xdp") as program:
        ctx = {"data": 8, "data_end": 72}
        assert program.test_run(b"metadata" + FRAME, ctx=ctx).retval == 8


def test_runs_are_repeated_and_timed():
    with (
        LinuxMap.create("array", 4, 8, 1) as counts,
        load(COUNT, "xdp", maps={"counts": counts}) as program,
    ):
        assert program.test_run(FRAME, repeat=1000).duration >= 0
        assert counts.lookup(bytes(4)) == struct.pack("=Q", 1000)


@pytest.mark.skipif(older_than("5.10"), reason="choosing the CPU came with Linux 5.10")
def test_a_run_is_on_the_cpu_that_was_asked_for():
    with load("call 8; exit", "raw_tracepoint") as program:
        for cpu in sorted(os.sched_getaffinity(0)):
            assert program.test_run(cpu=cpu).retval == cpu
        with pytest.raises(KernelError):
            program.test_run(cpu=100_000)


@pytest.mark.skipif(older_than("5.18"), reason="live frames came with Linux 5.18")
@pytest.mark.parametrize(("batch", "repeat"), [(0, 1), (1, 5), (16, 100), (64, 300)])
def test_live_frames_leave_by_the_interface(net, batch, repeat):
    """XDP_TX on the frames of a test run sends them out of the interface that they came from."""
    with (
        LinuxMap.create("array", 4, 8, 1) as counts,
        load("r0 = 3; exit", "xdp") as program,
        load("r0 = 2; exit", "xdp") as passes,
        load(COUNT, "xdp", maps={"counts": counts}) as arrives,
    ):
        with net.inside("left"):
            index = attach.interface("veth0")
            held = attach.xdp(passes, "veth0")
        with net.inside("right"):
            other = attach.xdp(arrives, "veth1")
        with held, other:
            with net.inside("left"):
                program.test_run(
                    net.frame(bytes(50)), ctx={"ingress_ifindex": index}, repeat=repeat,
                    batch_size=batch, flags=BPF_F_TEST_XDP_LIVE_FRAMES,
                )  # fmt: skip
            end = time.monotonic() + 20
            while counts.lookup(bytes(4)) != struct.pack("=Q", repeat) and time.monotonic() < end:
                time.sleep(0.01)
            assert counts.lookup(bytes(4)) == struct.pack("=Q", repeat)


# -- tail calls ------------------------------------------------------------------------------------

TAIL = "r2 = map[jumps]; r3 = {index}; call 12; r0 = 99; exit"


@pytest.fixture
def jumps():
    with LinuxMap.create("prog_array", 4, 4, 4, name="jumps") as made:
        yield made


def set_entry(jumps, index, program):
    jumps.update(struct.pack("=I", index), struct.pack("=I", program.fd.fileno()))


def test_a_tail_call_goes_where_the_map_says_and_that_can_change(jumps):
    with (
        load(TAIL.format(index=1), "xdp", maps={"jumps": jumps}) as first,
        load("r0 = 11; exit", "xdp") as one,
        load("r0 = 22; exit", "xdp") as two,
    ):
        assert first.test_run(FRAME).retval == 99  # an empty place: it goes on
        for program, want in ((one, 11), (two, 22)):
            set_entry(jumps, 1, program)
            assert first.test_run(FRAME).retval == want
        assert jumps.lookup(struct.pack("=I", 1)) == struct.pack("=I", two.id)
        jumps.delete(struct.pack("=I", 1))
        assert first.test_run(FRAME).retval == 99


def test_tail_calls_end_after_33(jumps):
    code = """
        r6 = r1
        *(u32 *)(r10 -4) = 0
        r1 = map[counts]
        r2 = r10
        r2 += -4
        call 1
        if r0 == 0 goto out
        r1 = *(u64 *)(r0 +0)
        r1 += 1
        *(u64 *)(r0 +0) = r1
        r1 = r6
        r2 = map[jumps]
        r3 = 0
        call 12
    out:
        r0 = 7
        exit
    """
    with (
        LinuxMap.create("array", 4, 8, 1) as counts,
        load(code, "xdp", maps={"jumps": jumps, "counts": counts}) as program,
    ):
        set_entry(jumps, 0, program)
        assert program.test_run(FRAME).retval == 7
        runs = struct.unpack("=Q", counts.lookup(bytes(4)))[0]
        assert runs == 34 - older_than("5.16")  # the first, and 33 (32 before) tail calls


def test_only_programs_of_one_kind_share_a_prog_array(jumps):
    with (
        load(TAIL.format(index=0), "xdp", maps={"jumps": jumps}),
        load("r0 = 0; exit", "socket_filter") as other,
        pytest.raises(KernelError, match="not valid for a prog_array map"),
    ):
        set_entry(jumps, 0, other)


def test_packets_take_tail_calls(net, jumps):
    with (
        load(TAIL.format(index=2), "xdp", maps={"jumps": jumps}) as entry,
        load("r0 = 1; exit", "xdp") as drops,
        load("r0 = 2; exit", "xdp") as passes,
        net.socket("left") as sender,
        net.socket("right") as receiver,
    ):
        set_entry(jumps, 2, drops)
        with net.inside("right"):
            link = attach.xdp(entry, "veth1")
        with link:
            sender.send(net.frame(b"dropped".ljust(50)))
            set_entry(jumps, 2, passes)
            sender.send(net.frame(b"passed".ljust(50)))
            assert receiver.recv(2000)[14:20] == b"passed"


# -- what the kernel keeps -------------------------------------------------------------------------


@pytest.fixture
def described():
    """A program of two functions with source lines."""
    b = BtfBuilder()
    number, void = b.add(Int("int", 4, encoding=1)), b.add(Ptr(0))
    prototype = b.add(FuncProto(number, (Param("ctx", void),)))
    entry, helper = b.add(Func("entry", prototype, 1)), b.add(Func("helper", prototype, 0))
    main = assemble("r6 = r1; call 0; r0 += 1; exit")
    main[1] = Insn(0x85, 0, 1, 0, 2)  # BPF_PSEUDO_CALL: two slots on is what follows
    code = [*main, *assemble("r0 = 41; exit")]
    funcs = struct.pack("=IIII", 0, entry, 4, helper)
    rows = ((0, "int entry(void *ctx)", 10, 1), (1, "  return helper(ctx) + 1;", 11, 10),
            (4, "static int helper(void *ctx)", 3, 1), (5, "  return 41;", 5, 3))  # fmt: skip
    lines = b"".join(
        struct.pack("=IIII", slot, b.string("probe.c"), b.string(text), line << 10 | column)
        for slot, text, line, column in rows
    )
    with load_bytes(b.bytes()) as btf:
        made = LinuxProgram.load(
            code, "xdp", name="entry", btf=btf, func_info=funcs, line_info=lines
        )
    with made:
        yield made, rows


@pytest.mark.skipif(older_than("5.0"), reason="line info came with Linux 5.0")
def test_source_lines_and_functions_come_back(described):
    program, rows = described
    assert program.test_run(FRAME).retval == 42
    found = proginfo.lines(program)
    assert [(at.slot, at.text, at.line, at.column) for at in found] == list(rows)
    assert {at.file for at in found} == {"probe.c"}
    made = proginfo.functions(program)
    assert [(f.name, f.slot) for f in made] == [("entry", 0), ("helper", 4)]
    assert {len(f.tag) for f in made} == {16}
    assert b"".join(f.code for f in made) == program.jited()
    if made[0].address:  # shown to those who may see kernel addresses
        jited = proginfo.jited_lines(program)
        assert [line.text for _, line in jited] == [text for _, text, *_ in rows]
        for function, (address, _) in zip(made, (jited[0], jited[2]), strict=True):
            assert function.address <= address < function.address + len(function.code)


def test_programs_without_btf_have_one_function_and_no_lines():
    with load("r0 = 0; exit", "xdp") as program:
        assert proginfo.lines(program) == []
        (only,) = proginfo.functions(program)
        assert (only.name, only.slot, only.code) == ("probe", 0, program.jited())
        assert [insn.op for insn in decode(program.xlated())] == [0xB7, 0x95]


def test_statistics_count_while_they_are_on():
    with load("r0 = 0; exit", "xdp") as program:
        program.test_run(FRAME, repeat=10)
        before = proginfo.statistics(program)
        with enable_stats():
            program.test_run(FRAME, repeat=100)
        program.test_run(FRAME, repeat=10)
        after = proginfo.statistics(program)
        assert after.runs - before.runs == 100
        assert after.nanoseconds > before.nanoseconds
        assert after.mean > 0
        assert after.verified is None or after.verified >= 2
