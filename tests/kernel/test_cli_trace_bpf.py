"""`ebee trace-bpf` beside strace, and what it leaves alone: output, signals, the exit code."""

import ctypes
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.kernel

Trace = Callable[..., tuple[subprocess.CompletedProcess[str], list[dict[str, Any]]]]

PR_SET_DUMPABLE = 4
WRITTEN = re.compile(r"(^|_)id$|^count$|^info_len$|_size_out$|^retval$|^duration$")
"""What differs from run to run, or is written by the kernel, which strace does not show."""
CALLS = """
import os, sys
from ebee.isa import assemble
from ebee.linux.maps import LinuxMap
from ebee.linux.programs import LinuxProgram
from ebee.linux.info import ids
from ebee.linux.sys import call
from ebee.linux import attach
from ebee.errors import KernelError

def main():
    flows = LinuxMap.create("hash", 4, 8, 16, name="flows", flags=1)
    flows.update(b"abcd", b"12345678", 1)
    assert flows.lookup(b"abcd") == b"12345678"
    flows.lookup(b"none")
    flows.next_key(None)
    flows.delete(b"abcd")
    each = LinuxMap.create("percpu_array", 4, 8, 1, name="each")
    each.update(bytes(4), bytes(each.value_bytes))
    flows.update_batch([b"0001", b"0002"], [b"x" * 8, b"y" * 8])
    flows.lookup_batch(None, 16)
    program = LinuxProgram.load(assemble("r0 = 2; exit"), "xdp", name="pass_all", log_level=1)
    program.test_run(bytes(range(64)), repeat=3)
    program.info()
    with attach.xdp(program, "lo", "generic"):
        pass
    with LinuxProgram.load(assemble("r0 = 1; exit"), "cgroup_skb", attach_type=1) as egress:
        call("PROG_QUERY", target_fd=cgroup(), attach_type=1, prog_cnt=0)
        with attach.cgroup(egress, sys.argv[1]):
            pass
    try:
        LinuxProgram.load(assemble("r0 = *(u64 *)(r3 +0); exit"), "socket_filter", name="bad")
    except KernelError:
        pass
    next(ids("prog"), None)
    call("PROG_GET_NEXT_ID", start_id=0, next_id=0)
    LinuxMap.from_id(flows.id).close()

def cgroup():
    return os.open(sys.argv[1], os.O_RDONLY)

main()
"""


@pytest.fixture
def calls(tmp_path: Path, cgroup: Path) -> list[str]:
    """A command that makes calls of many kinds."""
    script = tmp_path / "calls.py"
    script.write_text(CALLS)
    return [sys.executable, str(script), str(cgroup)]


@pytest.fixture
def trace(tmp_path: Path) -> Trace:
    """Run a command under `ebee trace-bpf`: how it ended, and its calls."""

    def run(
        *words: object, **options: Any
    ) -> tuple[subprocess.CompletedProcess[str], list[dict[str, Any]]]:
        file = tmp_path / "trace"
        start = [sys.executable, "-m", "ebee", "trace-bpf", "--json", "-o", str(file), "--"]
        done = subprocess.run([*start, *map(str, words)], capture_output=True, text=True, **options)
        text = file.read_text() if file.exists() else ""
        return done, [json.loads(line) for line in text.splitlines()]

    return run


def test_calls_are_those_strace_sees(net: Any, trace: Trace, calls: list[str]) -> None:
    """The same commands, results and errors, and for each attribute that both show as a number or
    a word, the same."""
    if not shutil.which("strace"):
        pytest.skip("needs strace")
    with net.inside("left"):
        done, ours = trace(*calls)
        assert done.returncode == 0, done.stderr
        theirs = subprocess.run(
            ["strace", "-f", "-v", "-e", "trace=bpf", *calls], capture_output=True, text=True
        ).stderr.replace("\n", "\0")
    lines = [line for line in theirs.split("\0") if line.startswith("bpf(")]
    found = [re.match(r"bpf\((?:BPF_)?(\w+).* = (-?\d+)(?: (E\w+|errno \d+))?", x) for x in lines]
    said = [(m[1], int(m[2]) < 0) for m in found if m]
    assert len(said) == len(lines)
    assert [(c["command"], c["result"] < 0) for c in ours] == said
    compared = 0
    for call, line, match in zip(ours, lines, found, strict=True):
        if match and match[3] and match[3].startswith("E"):
            assert (call["errno"], line) == (match[3], line)
        for name, value in call["attributes"].items():
            for word in re.findall(rf"[{{ ]{name}=(\w+)[,}}]", line)[:1]:
                number = re.fullmatch(r"\d+|0x[0-9a-f]+", word)
                if isinstance(value, int) and number and not WRITTEN.search(name):
                    if int(word, 0) < 1 << 40:  # no address
                        assert (name, int(word, 0), line) == (name, value, line)
                        compared += 1
                elif isinstance(value, str) and word.startswith("BPF_"):
                    assert (name, value, line) == (name, word, line)
                    compared += 1
    assert compared > len(lines)


def one(calls: list[dict[str, Any]], command: str, **wanted: Any) -> dict[str, Any]:
    """The call of that command with these attributes."""
    found = [
        call for call in calls
        if call["command"] == command and wanted.items() <= call["attributes"].items()
    ]  # fmt: skip
    assert len(found) == 1, (command, wanted, calls)
    return found[0]


def test_what_pointers_point_to_is_read(net: Any, trace: Trace, calls: list[str]) -> None:
    with net.inside("left"):
        _, found = trace(*calls)
    made = one(found, "MAP_CREATE", map_name="flows")
    assert made["attributes"] == {
        "map_type": "BPF_MAP_TYPE_HASH", "key_size": 4, "value_size": 8, "max_entries": 16,
        "map_flags": 1, "map_name": "flows",
    }  # fmt: skip
    flows = made["objects"]["result"]
    assert re.fullmatch(r"map \d+", flows)
    written = one(found, "MAP_UPDATE_ELEM", key=b"abcd".hex())
    assert written["attributes"]["value"] == b"12345678".hex()
    assert written["objects"] == {"map_fd": flows}
    assert one(found, "MAP_LOOKUP_ELEM", key=b"abcd".hex())["attributes"]["value"] == (
        b"12345678".hex()
    )
    missing = one(found, "MAP_LOOKUP_ELEM", key=b"none".hex())
    assert (missing["result"], missing["errno"]) == (-1, "ENOENT")
    [wide] = [c for c in found if c["command"] == "MAP_UPDATE_ELEM" and c is not written]
    assert len(wide["attributes"]["value"]) % 16 == 0
    batch = one(found, "MAP_UPDATE_BATCH")["attributes"]
    assert batch["keys"] == b"00010002".hex()
    assert batch["values"] == (b"x" * 8 + b"y" * 8).hex()
    loaded = one(found, "PROG_LOAD", prog_name="pass_all")
    assert loaded["attributes"]["license"] == "GPL"
    assert "processed 2 insns" in loaded["attributes"]["log_buf"]
    ran = one(found, "PROG_TEST_RUN")["attributes"]
    assert (ran["retval"], ran["repeat"]) == (2, 3)
    assert ran["data_in"] == ran["data_out"] == bytes(range(64)).hex()
    infos = [c["attributes"]["info"] for c in found if c["command"] == "OBJ_GET_INFO_BY_FD"]
    assert any(info.get("name") == "pass_all" for info in infos)
    link = one(found, "LINK_CREATE", attach_type="BPF_XDP")
    assert link["attributes"]["target_ifindex"] == 1
    assert link["objects"]["prog_fd"] == loaded["objects"]["result"]
    assert link["objects"]["result"].startswith("link ")


def test_lines_have_the_verifiers_complaint(ebee: Any, tmp_path: Path) -> None:
    """In words, as `ebee check` has it; the command's instructions on request."""
    bad = tmp_path / "bad.py"
    bad.write_text(
        "from ebee.isa import assemble\nfrom ebee.linux.programs import LinuxProgram\n"
        "LinuxProgram.load(assemble('r0 = *(u64 *)(r3 +0); exit'), 'socket_filter', name='bad')\n"
    )
    words = ("-e", "bpf_prog_load", "-Z", "--insns", sys.executable, bad)
    done = subprocess.run(
        [sys.executable, "-m", "ebee", "trace-bpf", *map(str, words)],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1
    lines = [line for line in done.stderr.splitlines() if "bpf(" in line]
    assert all(" = -1 EACCES <" in line and "BPF_PROG_LOAD" in line for line in lines)
    assert "    R3 !read_ok\n" in done.stderr
    assert "    0: (79) r0 = *(u64 *)(r3 +0)\n" in done.stderr.replace("       0:", "    0:")


@pytest.mark.parametrize("code", [0, 3, 255])
def test_the_exit_code_and_the_output_are_the_commands(trace: Trace, code: int) -> None:
    done, calls = trace("sh", "-c", f"cat; echo err >&2; exit {code}", input="through\n")
    assert (done.returncode, done.stdout, done.stderr) == (code, "through\n", "err\n")
    assert calls == []


def test_children_and_threads_are_followed(trace: Trace, tmp_path: Path) -> None:
    """Also those that outlive the command: tracing ends with the last of them."""
    script = tmp_path / "many.py"
    script.write_text(
        "import os, threading, subprocess, sys\n"
        "from ebee.linux.maps import LinuxMap\n"
        "def make(name): LinuxMap.create('array', 4, 4, 1, name=name).close()\n"
        "if sys.argv[1:]: make(sys.argv[1]); sys.exit()\n"
        "threads = [threading.Thread(target=make, args=(f't{n}',)) for n in range(3)]\n"
        "[t.start() for t in threads]; [t.join() for t in threads]\n"
        "subprocess.run([sys.executable, __file__, 'child'], check=True)\n"
        "if not os.fork():\n"
        "    if not os.fork(): make('orphan')\n"
        "    os._exit(0)\n"
        "os._exit(7)\n"
    )
    done, calls = trace(sys.executable, script)
    assert done.returncode == 7
    names = [c["attributes"].get("map_name") for c in calls if c["command"] == "MAP_CREATE"]
    assert {"t0", "t1", "t2", "child", "orphan"} <= set(names)
    assert len({c["pid"] for c in calls}) >= 5


def test_signals_are_the_commands(tmp_path: Path) -> None:
    """A handler runs, a signal to ebee reaches the command, and one that kills it shows as in a
    shell."""
    shell = 'trap "echo handled; exit 9" TERM; echo ready; while :; do sleep 0.05; done'
    start = [sys.executable, "-m", "ebee", "trace-bpf", "sh", "-c"]
    with subprocess.Popen([*start, shell], stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        assert running.stdout.readline() == "ready\n"
        running.terminate()
        assert running.stdout.read() == "handled\n"
        assert running.wait(30) == 9
    done = subprocess.run([*start, "kill -KILL $$"])
    assert done.returncode == 128 + signal.SIGKILL


def test_a_stopped_command_stays_stopped_until_it_is_continued(tmp_path: Path) -> None:
    shell = "echo $$; kill -STOP $$; echo on"
    start = [sys.executable, "-m", "ebee", "trace-bpf", "sh", "-c", shell]
    with subprocess.Popen(start, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout
        pid = int(running.stdout.readline())
        while not re.search(r"State:\s+[Tt]", Path(f"/proc/{pid}/status").read_text()):
            time.sleep(0.01)
        os.kill(pid, signal.SIGCONT)
        assert running.stdout.read() == "on\n"
        assert running.wait(30) == 0


def test_other_children_of_the_process_go_on(ebee: Any) -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as other:
        code, _, _ = ebee("trace-bpf", "sh", "-c", "(sleep 0.1; exit 1) & wait; exit 3")
        assert code == 3
        assert other.poll() is None
        other.communicate(timeout=30)


def test_no_privilege_is_needed(as_nobody: Callable[[Callable[[], str]], str]) -> None:
    """The filter then takes the promise to gain none."""
    from ebee.linux import bpfcalls, host, info, owners, ptrace

    del host, info, owners
    code = "import ctypes; ctypes.CDLL(None).syscall(NUMBER, 0, b'\\1' * 72, 72)"
    number = ptrace.NUMBERS[os.uname().machine][0][1]
    if not os.access("/usr/bin/python3", os.X_OK):
        pytest.skip("needs a Python that everybody may run")

    def run() -> str:
        ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)  # as after an exec
        seen: list[bpfcalls.BpfCall] = []
        decoder = bpfcalls.Decoder(seen.append)
        command = ["/usr/bin/python3", "-c", code.replace("NUMBER", str(number))]
        ended = ptrace.watch(command, decoder.enter, decoder.leave)
        return f"{ended.code} {[(c.command, c.error) for c in seen]}"

    assert as_nobody(run).startswith("0 [('MAP_CREATE', 'E")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("no-such-command-here",), "run no-such-command-here: No such file or directory"),
        (("-e", "MAP_CREAT", "true"), "no command 'MAP_CREAT'. Did you mean"),
        (("-o", "/no/such/folder/x", "true"), "cannot use /no/such/folder/x"),
    ],
)
def test_mistakes_are_told(ebee: Any, words: tuple[str, ...], why: str) -> None:
    code, _, err = ebee("trace-bpf", *words)
    assert code == 1
    assert why in err
