"""Loading programs: what the verifier says, test runs, XDP on a veth pair, clean-up."""

import os
import signal
import struct
import subprocess
import textwrap

import pytest

from ebee.errors import KernelError, VerifierError
from ebee.isa import encode
from ebee.isa.asm import assemble
from ebee.linux import Link, LinuxMap, LinuxProgram, attach, uapi
from ebee.linux.errors import older_than
from ebee.linux.flags import BPF_F_SLEEPABLE, BPF_F_TEST_RUN_ON_CPU, BPF_F_TEST_XDP_LIVE_FRAMES
from ebee.linux.info import ids
from ebee.linux.programs import digest, enable_stats

pytestmark = pytest.mark.kernel

XDP_DROP, XDP_PASS = 1, 2
FRAME = bytes(64)


def load(text, type="xdp", symbols=None, **options):
    return LinuxProgram.load(assemble(text, symbols), type, name="probe", **options)


def counter(counts, verdict):
    """A program that counts packets in element 0 of an array and gives one verdict."""
    code = f"""
        *(u32 *)(r10 -4) = 0
        r2 = r10
        r2 += -4
        r1 = map[counts]
        call 1
        if r0 == 0 goto +2
        r1 = 1
        lock *(u64 *)(r0 +0) += r1
        r0 = {verdict}
        exit
    """
    return load(code, symbols={"counts": counts.fd.fileno()})


def test_a_test_run_gives_verdict_packet_and_time():
    with load("r0 = 2; exit") as program:
        found = program.test_run(FRAME, repeat=100)
        assert (found.retval, found.data) == (XDP_PASS, FRAME)
        assert found.duration < 10_000
        assert program.type == "xdp"
        assert len(program.tag) == 16


def test_a_test_run_shows_the_changed_packet():
    with load("""
        r2 = *(u32 *)(r1 +4)
        r1 = *(u32 *)(r1 +0)
        r3 = r1
        r3 += 2
        if r3 > r2 goto +1
        *(u16 *)(r1 +0) = 0x1234
        r0 = 2
        exit
    """) as program:
        assert program.test_run(FRAME).data == b"\x34\x12" + FRAME[2:]


def test_a_test_run_takes_and_gives_a_context():
    with load("r0 = *(u32 *)(r1 +16); exit") as program:
        ctx = struct.pack("=6I", 0, len(FRAME), 0, 0, 0, 0)
        found = program.test_run(FRAME, ctx=ctx)
        assert found.ctx[4:8] == struct.pack("=I", len(FRAME))
    with load("r0 = *(u64 *)(r1 +0); exit", "raw_tracepoint") as program:
        found = program.test_run(ctx=struct.pack("=Q", 77), flags=BPF_F_TEST_RUN_ON_CPU, cpu=1)
        assert found.retval == 77
    with load(
        "r2 = 9; *(u32 *)(r1 +0) = r2; r0 = 0; exit", "syscall", flags=BPF_F_SLEEPABLE
    ) as program:
        assert program.test_run(ctx=bytes(8)).ctx == struct.pack("=Q", 9)


def test_a_signal_ends_a_long_test_run():
    seen = []
    before = signal.signal(signal.SIGALRM, lambda *_: seen.append(1))
    try:
        with load("r0 = 2; exit") as program:
            signal.setitimer(signal.ITIMER_REAL, 0.02)
            with pytest.raises(KernelError, match="a signal came in between") as failed:
                program.test_run(FRAME, repeat=1 << 31)
        assert failed.value.errno == 4
        assert seen
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_a_test_run_that_cannot_be_says_why():
    with load("r0 = 0; exit") as program:
        with pytest.raises(KernelError, match="does not take this input"):
            program.test_run(b"short")
        with pytest.raises(KernelError, match="more out_room"):
            program.test_run(FRAME, out_room=-32)
    with load("r0 = 0; exit", "kprobe") as program, pytest.raises(KernelError, match="no test run"):
        program.test_run(FRAME)


@pytest.mark.parametrize(
    ("text", "complaint", "where"),
    [
        ("exit", "R0 !read_ok", "0: (95) exit"),
        ("r0 = *(u64 *)(r2 +0); exit", "R2 !read_ok", "0: (79) r0 = *(u64 *)(r2 +0)"),
        ("r0 = 7; r0 = *(u8 *)(r0 +0); exit", "R0 invalid mem access 'scalar'", "1: (71)"),
        ("r0 = 0; goto -2", "infinite loop detected|back-edge", ""),
        ("call 211211; exit", "invalid func", "0: (85) call"),
    ],
)
def test_a_rejected_program_gives_the_useful_line_first(text, complaint, where):
    with pytest.raises(VerifierError, match=complaint) as failed:
        load(text)
    first, *rest = str(failed.value).splitlines()
    assert first.startswith("cannot load program 'probe' (xdp): ")
    assert where in "\n".join(rest) or not where
    assert "processed" in failed.value.log
    assert failed.value.errno in (13, 22)


def test_a_log_of_any_length_comes_whole():
    steps = "\n".join("r0 += 1" for _ in range(22_000))
    with load(f"r0 = 1\n{steps}\nexit", log_level=2) as program:
        assert len(program.log) > 1 << 20
        assert "22000: (07) r0 += 1" in program.log
        assert "processed 22002 insns" in program.log


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: load("r0 = 0; exit", "mystery"), "'mystery' is no program type"),
        (lambda: LinuxProgram.load(b"", "xdp"), "it has 0 instructions"),
        (
            lambda: load("r0 = 0; exit", flags=1 << 31),
            "not with attach type 0 and flags 0x80000000",
        ),
        (lambda: load("r0 = 0; exit", colour=1), "no attribute 'colour'"),
        (lambda: load("r0 = 0; exit", prog_ifindex="veth"), "cannot point to 'veth'"),
        (lambda: load("r0 = 0; exit", prog_ifindex=1 << 40), "cannot be 1099511627776"),
    ],
)
def test_what_does_not_come_to_the_verifier_is_explained(call, text):
    with pytest.raises(KernelError, match=text) as failed:
        call()
    assert not isinstance(failed.value, VerifierError)


def test_digest_finds_complaint_instruction_and_source():
    log = textwrap.dedent("""\
        func#0 @0
        0: R1=ctx() R10=fp0
        ; int x = *p; @ fw.c:12
        3: (61) r0 = *(u32 *)(r2 +0)          ; R0_w=scalar()
        R2 invalid mem access 'scalar'
        processed 4 insns (limit 1000000) max_states_per_insn 0
        """)
    assert digest(log) == [
        "R2 invalid mem access 'scalar'",
        "at instruction 3: (61) r0 = *(u32 *)(r2 +0)",
        "from int x = *p; @ fw.c:12",
    ]
    assert digest("") == []


def test_info_tells_code_maps_and_statistics():
    with LinuxMap.create("array", 4, 8, 1) as counts, counter(counts, 2) as program:
        assert program.map_ids() == [counts.id]
        assert program.xlated()[-8:] == encode(assemble("exit"))
        assert program.id in list(ids("prog"))
        with enable_stats():
            program.test_run(FRAME, repeat=50)
            assert program.info().run_cnt == 50
        assert counts.lookup(bytes(4)) == struct.pack("=Q", 50)
        with LinuxProgram.from_id(program.id) as same:
            assert same.tag == program.tag


@pytest.mark.parametrize("mode", ["native", "generic", "auto"])
def test_xdp_drops_and_passes_real_packets(net, mode):
    with (
        LinuxMap.create("array", 4, 8, 1) as counts,
        counter(counts, XDP_DROP) as dropping,
        counter(counts, XDP_PASS) as passing,
        net.socket("left") as sender,
        net.socket("right") as receiver,
    ):
        with net.inside("right"):
            link = attach.xdp(dropping, "veth1", mode)
        with link:
            for number in range(5):
                sender.send(net.frame(b"dropped %d" % number))
            link.update(passing, replace=dropping)
            sender.send(net.frame(b"passed".ljust(50)))
            assert receiver.recv(2000)[14:20] == b"passed"
            assert counts.lookup(bytes(4)) == struct.pack("=Q", 6)
            info = link.info()
            assert (info.type, info.prog_id) == ("xdp", passing.id)
            with net.inside("right"):
                assert info.ifindex == attach.interface("veth1")
            link.detach()
            assert link.info().ifindex == 0
        sender.send(net.frame(b"free".ljust(50)))
        assert receiver.recv(2000)[14:18] == b"free"
        assert counts.lookup(bytes(4)) == struct.pack("=Q", 6)


def test_closing_a_link_detaches_and_a_pin_keeps_it(net, bpffs, soon):
    path = str(bpffs / "link")
    with load("r0 = 2; exit") as program, net.inside("right"):
        link = attach.xdp(program, "veth1")
        number = link.info().id
        link.pin(path)
        link.close()
        assert number in list(ids("link"))
        with Link.get(path) as again:
            assert again.info().id == number
            (bpffs / "link").unlink()
        assert soon(lambda: number not in list(ids("link")))


def test_a_killed_process_leaves_nothing_attached(net):
    with load("r0 = 1; exit") as program, net.inside("right"):
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            link = attach.xdp(program, "veth1")
            os.write(writing, link.info().id.to_bytes(4, "little"))
            signal.pause()
        number = int.from_bytes(os.read(reading, 4), "little")
        os.close(reading)
        os.close(writing)
        assert number in list(ids("link"))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        with attach.xdp(program, "veth1"):  # the place is free again
            assert number not in list(ids("link"))


def test_attaching_where_it_cannot_be_says_why(net):
    with load("r0 = 2; exit") as program, load("r0 = 0; exit", "socket_filter") as other:
        with pytest.raises(KernelError, match="no network interface 'nosuch' here; there are: "):
            attach.xdp(program, "nosuch")
        with pytest.raises(KernelError, match="no XDP mode"):
            attach.xdp(program, "lo", "sideways")
        with net.inside("right"), attach.xdp(program, "veth1") as link:
            with pytest.raises(KernelError, match="another XDP program is attached"):
                attach.xdp(program, "veth1")
            with pytest.raises(KernelError, match="another program than 'probe' is attached"):
                link.update(program, replace=other)
            with pytest.raises(KernelError, match="not with this type"):
                link.update(other)
            with pytest.raises(KernelError, match="no native XDP; mode 'generic' works"):
                attach.xdp(program, "lo", "native")
        with net.inside("right"), pytest.raises(KernelError, match="cannot attach program"):
            attach.xdp(other, "veth1")


def test_live_frames_enter_through_the_interface(net):
    with load("r0 = 2; exit") as program, net.socket("left") as receiver, net.inside("left"):
        ctx = struct.pack("=6I", 0, 64, 0, attach.interface("veth0"), 0, 0)
        frame = net.frame(b"alive".ljust(50))
        program.test_run(frame, ctx=ctx, repeat=4, flags=BPF_F_TEST_XDP_LIVE_FRAMES, batch_size=2)
        assert receiver.recv(2000)[14:19] == b"alive"


def since(version):
    """For what the kernel has since a version; before, the error must say so (see below)."""
    return pytest.mark.skipif(older_than(version), reason=f"came with Linux {version}")


@since("6.6")
def test_tcx_links(net):
    with (
        net.inside("right"),
        load("r0 = 0; exit", "sched_cls") as program,
        attach.tcx(program, "veth1", "egress") as link,
    ):
        assert link.info().attach_type == uapi.ATTACH_TYPES["tcx_egress"]
        with pytest.raises(KernelError, match="no direction"):
            attach.tcx(program, "veth1", "up")


@pytest.mark.skipif(not older_than("6.6"), reason="this kernel has it")
def test_what_came_later_says_since_when(net):
    with (
        net.inside("right"),
        load("r0 = 0; exit", "sched_cls") as program,
        pytest.raises(KernelError, match=r"requires Linux >= 6\.6; this is"),
    ):
        attach.tcx(program, "veth1", by="link")


@since("6.4")
def test_netfilter_links(net):
    kind = uapi.ATTACH_TYPES["netfilter"]
    with (
        net.inside("right"),
        load("r0 = 1; exit", "netfilter", attach_type=kind) as program,
        attach.netfilter(program, 2, 0, -100) as link,
    ):
        assert link.info().priority == -100
        with pytest.raises(KernelError, match="priority is taken"):
            attach.netfilter(program, 2, 0, -100)


def test_network_namespace_links(net):
    kind = uapi.ATTACH_TYPES["sk_lookup"]
    with (
        net.inside("right"),
        load("r0 = 1; exit", "sk_lookup", attach_type=kind) as program,
        attach.netns(program, "/proc/thread-self/ns/net") as link,
    ):
        assert link.info().type == "netns"


def test_cgroup_links(cgroup):
    with (
        load("r0 = 1; exit", "cgroup_skb", attach_type=0) as program,
        attach.cgroup(program, str(cgroup), "cgroup_inet_ingress") as link,
    ):
        assert link.info().cgroup_id == cgroup.stat().st_ino
        with pytest.raises(KernelError, match="cannot open /nowhere"):
            attach.cgroup(program, "/nowhere", "cgroup_inet_ingress")
        with pytest.raises(KernelError, match="no cgroup of version 2"):
            attach.cgroup(program, "/tmp", "cgroup_inet_ingress")


def test_raw_tracepoint_links():
    with (
        load("r0 = 0; exit", "raw_tracepoint") as program,
        attach.raw_tracepoint(program, "sys_enter") as link,
    ):
        assert (link.info().type, link.info().tp_name) == ("raw_tracepoint", "sys_enter")
        with pytest.raises(KernelError, match="none of this name"):
            attach.raw_tracepoint(program, "no_such_event")


@pytest.fixture
def tracefs(tmp_path, monkeypatch):
    """A tracefs of the test's own, in place of the machine's."""
    path = tmp_path / "tracing"
    path.mkdir()
    if subprocess.run(["mount", "-t", "tracefs", "tracefs", str(path)]).returncode:
        pytest.skip("this kernel has no tracefs")
    monkeypatch.setattr("ebee.linux.tracefs.ROOTS", (str(path),))
    yield path
    subprocess.run(["umount", "-l", str(path)], check=True)


def test_a_tracepoint_sees_this_process(tracefs):
    with (
        LinuxMap.create("array", 4, 8, 1) as counts,
        load(
            f"""
            call 14
            r0 >>= 32
            if r0 != {os.getpid()} goto out
            *(u32 *)(r10 -4) = 0
            r2 = r10
            r2 += -4
            r1 = map[counts]
            call 1
            if r0 == 0 goto out
            r1 = 1
            lock *(u64 *)(r0 +0) += r1
        out:
            r0 = 0
            exit
            """,
            "tracepoint",
            symbols={"counts": counts.fd.fileno()},
        ) as program,
    ):
        with attach.tracepoint(program, "sched:sched_process_fork", cookie=7):
            for _ in range(3):
                subprocess.run(["true"])
        seen = counts.lookup(bytes(4))
        assert struct.unpack("=Q", seen) >= (3,)
        subprocess.run(["true"])
        assert counts.lookup(bytes(4)) == seen
        with pytest.raises(KernelError, match="there is none of this name"):
            attach.tracepoint(program, "sched:no_such_event")


def test_without_tracefs_it_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr("ebee.linux.tracefs.ROOTS", ("/nowhere",))
    with (
        load("r0 = 0; exit", "tracepoint") as program,
        pytest.raises(KernelError, match="mount -t tracefs"),
    ):
        attach.tracepoint(program, "sched:sched_switch")


def test_hundreds_of_cycles_leak_nothing(net, open_fds):
    def cycle():
        with (
            LinuxMap.create("array", 4, 8, 1) as counts,
            counter(counts, XDP_PASS) as program,
            attach.xdp(program, "veth1") as link,
        ):
            counts.update(bytes(4), bytes(8))
            link.info()
        with pytest.raises(VerifierError):
            load("exit")

    with net.inside("right"):
        cycle()
        before = open_fds()
        for _ in range(200):
            cycle()
        assert open_fds() == before


def test_what_is_dropped_is_closed(open_fds):
    before = open_fds()
    for _ in range(20):
        LinuxMap.create("array", 4, 8, 1)
        load("r0 = 0; exit")
    assert open_fds() == before


def test_without_privileges_the_error_says_which(as_nobody):
    def attempts():
        code = encode(assemble("r0 = 0; exit"))
        lines = []
        for attempt in (
            lambda: LinuxProgram.load(code, "xdp", name="fw"),
            lambda: LinuxProgram.load(code, "kprobe", name="k"),
            lambda: LinuxMap.create("hash", 4, 4, 1, name="m"),
            lambda: LinuxMap.from_id(1),
        ):
            try:
                attempt()
            except KernelError as error:
                lines.append(f"{error.errno} {error}")
        return "\n".join(lines)

    load("r0 = 0; exit").close()
    program, probe, made, opened = as_nobody(attempts).splitlines()
    assert program.startswith(
        "1 cannot load program 'fw' (xdp): needs CAP_BPF and CAP_NET_ADMIN; run as root"
    )
    assert "'k' (kprobe): needs CAP_BPF and CAP_PERFMON; run as root" in probe
    assert "cannot create map 'm' (hash): needs CAP_BPF; run as root" in made
    assert "needs CAP_SYS_ADMIN" in opened
