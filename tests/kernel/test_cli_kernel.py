"""`ebee run` in the kernel: by test runs, attached to an interface, and without the privileges."""

import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path

import pytest

from ebee import cli, isa
from ebee.cli.asm import to_object
from ebee.machine.capture import CaptureWriter
from ebee.obj import load as read_object
from ebee.obj import write

pytestmark = pytest.mark.kernel

EXAMPLES = Path(__file__).parents[2] / "examples"
CAPTURES = ("web.pcapng", "flood.pcap.gz")
COMMAND = [sys.executable, "-c", "from ebee.cli import main; main()"]
DROP_LOCAL = """
    r2 = *(u32 *)(r1 +4)
    r1 = *(u32 *)(r1 +0)
    r0 = 2
    r3 = r1
    r3 += 14
    if r3 > r2 goto done
    r2 = *(u16 *)(r1 +12)
    if r2 != 0xb588 goto done
    r0 = 1
done:
    exit
"""
"""XDP: drops the frames of tests (ethertype 0x88b5), passes all others."""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "local.o"
    path.write_bytes(write(to_object(isa.parse(DROP_LOCAL), "local", "xdp", "GPL")))
    return path


@pytest.mark.parametrize("name", CAPTURES)
def test_machine_and_kernel_show_the_same(ebee, name: str) -> None:
    words = ("run", EXAMPLES / "firewall.c", "--pcap", EXAMPLES / "data" / name,
             "--config", EXAMPLES / "firewall.toml", "--json", "--top", 100_000)  # fmt: skip
    shown = []
    for on in ("machine", "linux"):
        code, out, err = ebee(*words, "--on", on)
        assert code == 0, err
        made = json.loads(out)
        assert made["on"] == on
        for event in made["events"]["first"]:
            del event["time"]
        keys = ("packets", "bytes", "verdicts", "not_run", "cut", "variables", "tables", "events")
        shown.append({key: made[key] for key in keys})
    assert shown[0] == shown[1]
    assert shown[0]["events"]["count"] == shown[0]["variables"]["events_sent"] > 0


def test_frames_that_the_kernel_does_not_take_are_counted(
    ebee, program: Path, tmp_path: Path
) -> None:
    with CaptureWriter(tmp_path / "short.pcapng") as out:
        for length in (60, 13, 14, 0):
            out.write(bytes(length))
    words = ("run", program, "--pcap", tmp_path / "short.pcapng", "--on", "linux")
    code, text, err = ebee(*words, "--out", tmp_path / "out.pcapng")
    assert code == 0, err
    assert re.search(r"^not run +2 +13 +50\.0 %", text, re.MULTILINE)
    assert "2 packets not run: the kernel's test run takes no frames under 14 bytes" in text


@pytest.mark.parametrize(
    ("section", "verdict"),
    [("tc", "TC_ACT_SHOT"), ("tcx/ingress", "TCX_DROP"), ("cgroup_skb/egress", "drop_congested"),
     ("socket", "2"), ("lwt_in", "BPF_DROP")],
)  # fmt: skip
def test_other_programs_that_take_packets(ebee, tmp_path: Path, section: str, verdict: str) -> None:
    (tmp_path / "two.s").write_text("r0 = 2; exit\n")
    assert ebee("asm", tmp_path / "two.s", "-o", tmp_path / "two.o", "--section", section)[0] == 0
    with CaptureWriter(tmp_path / "in.pcapng") as out:
        out.write(bytes(12) + b"\x08\x00" + bytes.fromhex("45") + bytes(60))
    words = ("run", tmp_path / "two.o", "--pcap", tmp_path / "in.pcapng", "--json")
    code, out, err = ebee(*words, "--on", "linux")
    assert code == 0, err
    assert json.loads(out)["verdicts"] == {verdict: {"packets": 1, "bytes": 75}}
    code, _, err = ebee(*words, "--on", "machine")
    assert code == 1
    assert "no xdp program" in err


def test_a_rejected_program_gives_the_verifiers_reason(ebee, tmp_path: Path) -> None:
    text = "r1 = *(u32 *)(r1 +0); r0 = *(u8 *)(r1 +0); exit"
    (tmp_path / "bad.o").write_bytes(write(to_object(isa.parse(text), "bad", "xdp", "GPL")))
    code, _, err = ebee("run", tmp_path / "bad.o", "--pcap", EXAMPLES / "data/web.pcapng",
                        "--on", "linux")  # fmt: skip
    assert code == 1
    assert err.startswith("ebee: ")
    assert "invalid access to packet" in err
    assert "Traceback" not in err


@contextmanager
def attached(netns: str, *words: object):
    """`ebee run` in a network namespace, as soon as it says that it is attached."""
    command = ["ip", "netns", "exec", netns, *COMMAND, "run", *map(str, words)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr is not None
            first = process.stderr.readline()
            assert " runs on veth1" in first, first + process.stderr.read()
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("mode", ["auto", "native", "generic"])
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_live_until_a_signal_comes(net, program: Path, mode: str, stop: int) -> None:
    with net.socket("left") as sender, net.socket("right") as receiver:
        with attached(net.right, program, "--dev", "veth1", "--mode", mode) as process:
            for payload, ethertype in ((b"dropped", 0x88B5), (b"passed", 0x88B6)):
                sender.send(net.frame(payload.ljust(46), ethertype=ethertype))
            assert b"passed" in receiver.recv(100)
            process.send_signal(stop)
            out, err = process.communicate(timeout=10)
        assert process.returncode == 0, err
        assert re.match(r"local: 2 packets in [\d.]+ s \(\d+/s, \d+ ns each\)\n", out)
        sender.send(net.frame(b"dropped".ljust(46)))
        assert b"dropped" in receiver.recv(100), "the program is still attached"


def test_a_tcx_program_is_attached_as_its_section_says(net, ebee, tmp_path: Path) -> None:
    (tmp_path / "drop.s").write_text("r0 = 2; exit\n")
    ebee("asm", tmp_path / "drop.s", "-o", tmp_path / "drop.o", "--section", "tcx/ingress")
    with net.socket("left") as sender:
        with attached(net.right, tmp_path / "drop.o", "--dev", "veth1") as process:
            sender.send(net.frame(b"gone".ljust(46)))
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=10)
        assert process.returncode == 0, err
        assert out.startswith("drop: 1 packet in ")


def test_live_for_some_time_as_json(net, program: Path) -> None:
    words = ["run", program, "--dev", "veth1", "--duration", "0.3", "--json"]
    done = subprocess.run(
        ["ip", "netns", "exec", net.right, *COMMAND, *words], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")
    made = json.loads(done.stdout)
    assert 0.3 <= made["seconds"] < 3
    assert (made["source"], made["engine"], made["runs"]["count"]) == ("veth1", "live", 0)


def test_rules_change_under_traffic(net, tmp_path: Path) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text('default = "pass"\n')
    words = (EXAMPLES / "firewall.c", "--dev", "veth1", "--config", rules)
    udp = bytes.fromhex(
        "4500001c 00000000 4011 0000 0a630001 0a63000203e8 0035 0008 0000".replace(" ", "")
    )
    with net.socket("left") as sender, attached(net.right, *words) as process:
        assert process.stderr is not None
        assert process.stdout is not None
        rules.write_text('default = "nonsense"\n')
        assert "'nonsense' is no action" in process.stderr.readline()
        assert process.stderr.readline() == "the rules in force stay as they are\n"
        rules.write_text('default = "drop"\nlog = true\n')
        assert process.stderr.readline().startswith("ebee: the rules have changed: ")
        sender.send(net.frame(udp.ljust(46, b"\0"), ethertype=0x0800))
        line = process.stdout.readline()
        assert line == "rule default: udp 10.99.0.1:1000 > 10.99.0.2:53, 60 bytes\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
        assert process.returncode == 0, err
        assert re.search(r"^default +drop +1 +60$", out, re.MULTILINE)


def test_a_missing_interface(ebee, program: Path) -> None:
    code, _, err = ebee("run", program, "--dev", "nodev0")
    assert code == 1
    assert re.fullmatch(
        r"ebee: there is no network interface 'nodev0' here; there are: .*\blo\b.*\n", err
    )


def without_privileges(words: list[str]) -> str:
    """What a command says, and its exit code, in this process."""
    sys.argv = ["ebee", *words]
    out, err = io.TextIOWrapper(io.BytesIO()), io.TextIOWrapper(io.BytesIO())
    with redirect_stdout(out), redirect_stderr(err):
        try:
            cli.main()
        except SystemExit as ended:
            code = ended.code
    for stream in (out, err):
        stream.seek(0)
    return f"{code}\n{err.read()}{out.read()}"


@pytest.fixture
def open_tmp_path(tmp_path: Path) -> Path:
    """A folder that other users can reach."""
    for folder in (tmp_path, *tmp_path.parents[:3]):
        if folder.stat().st_uid == os.getuid() and folder != Path("/tmp"):
            folder.chmod(0o755)
    return tmp_path


@pytest.mark.parametrize(
    "words", [["--pcap", str(EXAMPLES / "data/web.pcapng"), "--on", "linux"], ["--dev", "lo"]]
)
def test_no_privileges(as_nobody, ebee, program: Path, open_tmp_path: Path, words) -> None:
    ebee("run", program, *words[:-1], "nothing")  # imports what nobody may not
    text = as_nobody(lambda: without_privileges(["run", str(program), *words]))
    assert re.fullmatch(r"1\nebee: cannot .*needs CAP_BPF.*run as root, or .*\n", text)


def test_the_machine_needs_no_privileges(as_nobody, ebee, program: Path, open_tmp_path) -> None:
    words = ["run", str(program), "--pcap", str(EXAMPLES / "data/web.pcapng"),
             "--engine", "interpreter"]  # fmt: skip
    assert ebee(*words)[0] == 0
    text = as_nobody(lambda: without_privileges(words))
    assert text.startswith("0\nlocal on the machine, web.pcapng\n")


def test_a_file_that_may_not_be_read(as_nobody, ebee, program: Path, open_tmp_path: Path) -> None:
    program.chmod(0)
    ebee("obj", "show", program)
    text = as_nobody(lambda: without_privileges(["obj", "show", str(program)]))
    assert text == f"1\nebee: cannot read {program}: Permission denied\n"


def test_doctor_says_what_a_user_lacks(as_nobody, ebee) -> None:
    assert ebee("doctor")[0] == 0
    text = as_nobody(lambda: without_privileges(["doctor", "--json"]))
    code, _, document = text.partition("\n")
    assert code == "0"
    rows = {row["name"]: row for group in json.loads(document).values() for row in group}
    assert rows["CAP_BPF"]["ok"] is False
    assert "run as root" in rows["CAP_BPF"]["reason"]
    assert rows["map type lpm_trie"]["ok"] is None
    assert "needs CAP_BPF" in rows["map type lpm_trie"]["reason"]


# -- reload, and counting verdicts -----------------------------------------------------------------

SO_RCVBUFFORCE = 33
NUMBERED = """
from ebee import XDP, Array, Ethernet, Global, XdpContext, atomic_add, struct, u32, u64, xdp

@struct
class Payload:
    number: u32

old: Global[u64] = 0
new: Global[u64] = 0
total = Array[u64](max_entries=1)
SCRATCH = Array[u64](max_entries=4)

@xdp
def numbered(ctx: XdpContext) -> XDP:
    packet = ctx.packet()
    eth = packet.parse(Ethernet)
    if eth is None or eth.type != 0x88B5:
        return XDP.PASS
    count = total.lookup(0)
    if count is not None:
        atomic_add(count[0], 1)
    atomic_add(old, 1)
    return XDP.PASS
"""


def test_a_program_is_replaced_under_traffic_and_no_packet_is_lost(net, tmp_path: Path) -> None:
    """Frames go through all the time; the program is edited twice, and once wrongly."""
    source = tmp_path / "numbered.py"
    source.write_text(NUMBERED)
    words = (source, "--dev", "veth1", "--reload", "--plain", "--json")
    sent = 0
    with net.socket("left") as sender, net.socket("right") as receiver:
        receiver.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
        stop = threading.Event()

        def traffic() -> None:
            nonlocal sent
            while not stop.is_set():
                for _ in range(20):
                    sender.send(net.frame(sent.to_bytes(4, "little").ljust(46, b"\0")))
                    sent += 1
                time.sleep(0.001)

        with running(net.right, *words) as process:
            thread = threading.Thread(target=traffic)
            thread.start()
            try:
                source.write_text(NUMBERED.replace("atomic_add(old, 1)", "atomic_add(new, 1)"))
                first = process.stderr.readline()
                source.write_text(NUMBERED.replace("atomic_add(old, 1)", "atomic_add(nowhere, 1)"))
                complaint = ""
                while "stays as it is" not in complaint:
                    complaint += process.stderr.readline()
                source.write_text(NUMBERED.replace("max_entries=4", "max_entries=8"))
                last = process.stderr.readline()
                time.sleep(0.1)
            finally:
                stop.set()
                thread.join()
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
        assert "maps kept: total, SCRATCH" in first
        assert "nowhere" in complaint
        assert "maps kept: total; reset: SCRATCH (max_entries 4 -> 8)" in last
        got = []
        receiver.settimeout(20)
        with suppress(TimeoutError):
            while len(got) < sent:
                frame = receiver.recv(100)
                if frame[12:14] == b"\x88\xb5":
                    got.append(int.from_bytes(frame[14:18], "little"))
    made = json.loads(out)
    assert got == list(range(sent)), "frames were lost, or came twice"
    (total,) = (t for t in made["tables"] if t["title"].startswith("Map total"))
    assert total["rows"] == [{"key": 0, "value": sent}]
    # Variables may have been laid out anew: what was added while they were copied is not there.
    assert sent - 20 <= made["variables"]["old"] + made["variables"]["new"] <= sent
    assert made["variables"]["old"] > 0 < made["variables"]["new"]
    assert made["runs"]["count"] >= sent


def test_verdicts_are_counted_in_the_kernel(net, program: Path) -> None:
    words = (program, "--dev", "veth1", "--count", "--json")
    with (
        net.socket("left") as sender,
        net.socket("right") as receiver,
        running(net.right, *words) as process,
    ):
        for payload, ethertype in ((b"dropped", 0x88B5), (b"gone", 0x88B5), (b"ok", 0x88B6)):
            sender.send(net.frame(payload.ljust(46), ethertype=ethertype))
        assert b"ok" in receiver.recv(100)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
    assert process.returncode == 0, err
    made = json.loads(out)
    assert made["verdicts"] == {
        "XDP_DROP": {"packets": 2, "bytes": 120},
        "XDP_PASS": {"packets": 1, "bytes": 60},
    }
    assert not any("ebee_verdicts" in table["title"] for table in made["tables"])


@pytest.mark.parametrize(
    ("section", "code", "verdict"),
    [("xdp", 2, "XDP_PASS"), ("tc", -1, "TC_ACT_UNSPEC"), ("tcx/ingress", 0, "TCX_PASS"),
     ("xdp", 77, "unknown(77)"), ("xdp.frags", 2, "XDP_PASS")],
)  # fmt: skip
def test_counting_changes_no_verdict(ebee, tmp_path: Path, section, code: int, verdict) -> None:
    """Also of programs with tail calls and with as much stack as there is."""
    from ebee import hooks
    from ebee.cli.counted import counted, counts
    from ebee.linux import load as load_linux

    (tmp_path / "x.s").write_text(f"*(u64 *)(r10 -256) = 1; r0 = {code}; exit\n")
    assert ebee("asm", tmp_path / "x.s", "-o", tmp_path / "x.o", "--section", section)[0] == 0
    spec = read_object(tmp_path / "x.o")
    with load_linux(counted(spec, "x", hooks.by_name(spec.programs["x"].hook))) as made:
        for length in (60, 100):
            assert made.programs["x"].test_run(bytes(length)).retval == code & 0xFFFFFFFF
        slot = code & 0xFFFFFFFF if code < 14 else 14
        assert counts(made.maps) == {slot: (2, 160)}


@contextmanager
def running(netns: str, *words: object):
    """`ebee run --dev` in a namespace, as soon as the interface has the program."""
    command = ["ip", "netns", "exec", netns, *COMMAND, "run", *map(str, words)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            for _ in range(1200):
                shown = subprocess.run(["ip", "-n", netns, "-d", "link", "show", "veth1"],
                                       capture_output=True, text=True).stdout  # fmt: skip
                if "prog/xdp" in shown:
                    break
                assert process.poll() is None, process.stderr.read()
                time.sleep(0.05)
            else:
                raise AssertionError(f"it is not attached: {shown}")
            yield process
        finally:
            process.kill()


# -- programs that are not run on packets ----------------------------------------------------------


@contextmanager
def said(*words: object):
    """`ebee run` as soon as it has said that its program runs."""
    with subprocess.Popen(
        [*COMMAND, "run", *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    ) as process:  # fmt: skip
        try:
            assert process.stderr is not None
            line = process.stderr.readline()
            assert " runs on " in line, line + process.stderr.read()
            yield process
        finally:
            process.kill()


def ended(process) -> tuple[str, str]:
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    return out, err


def test_programs_attach_where_their_hooks_say() -> None:
    with said(EXAMPLES / "exec_snooper.py") as process:
        child = subprocess.Popen(["true"])
        child.wait()
        lines = []
        while not any(f"pid: {child.pid}," in line for line in lines):
            lines.append(process.stdout.readline())
        assert lines[-1] == f"{{pid: {child.pid}, uid: 0, name: true}}\n"
        out, _ = ended(process)
    assert re.search(r"^exec_snooper: [\d,]+ runs? in [\d.]+ s ", out, re.MULTILINE)


def test_a_program_at_its_hook_is_reloaded(tmp_path: Path) -> None:
    source = tmp_path / "exec_snooper.py"
    source.write_text((EXAMPLES / "exec_snooper.py").read_text())
    with said(source, "--reload") as process:
        source.write_text(source.read_text().replace("= ctx.pid\n", "= ctx.pid + 100_000_000\n"))
        assert "maps kept: events" in process.stderr.readline()
        child = subprocess.Popen(["true"])
        child.wait()
        wanted = f"pid: {child.pid + 100_000_000},"
        while wanted not in process.stdout.readline():
            pass
        out, _ = ended(process)
    assert out.count("exec_snooper: ") == 1


def test_programs_of_a_control_group(cgroup) -> None:
    with said(EXAMPLES / "cgroup_traffic.py", "--cgroup", cgroup) as process:
        code = "import socket; socket.socket(2, 2).sendto(bytes(100), ('127.0.0.1', 9))"
        enter = f'echo $$ > {cgroup}/cgroup.procs; exec {sys.executable} -c "{code}"'
        subprocess.run(["sh", "-c", enter], check=True)
        out, _ = ended(process)
    assert re.search(r"^egress: 1 packet in ", out, re.MULTILINE)


def test_a_classifier_at_an_interface(net, tmp_path: Path) -> None:
    with attached(net.right, EXAMPLES / "tc_marker.py", "--dev", "veth1") as process:
        out, _ = ended(process)
    assert "tc_marker: 0 packets in " in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["firewall.py"], "say what to run on: --pcap IN for a capture, or --dev IF"),
        (["cgroup_traffic.py"], "--cgroup PATH for a control group"),
        (["cgroup_traffic.py", "--cgroup", "/nosuch"], "/nosuch"),
        (["exec_snooper.py", "--on", "machine"], "say what to run on: --pcap IN"),
        (["exec_snooper.py", "--cgroup", "/"], "has no "),
        (["exec_snooper.py", "--dev", "lo"], "has no "),
        (["firewall.py", "--dev", "lo", "--cgroup", "/"], "two things to run on; choose one"),
        (["firewall.py", "--prog", "firewall"], "its section does not say where to attach it"),
    ],
)  # fmt: skip
def test_what_to_run_on_must_be_said(ebee, words: list[str], said: str) -> None:
    code, _, err = ebee("run", EXAMPLES / words[0], *words[1:])
    assert code == 1
    assert said in err
