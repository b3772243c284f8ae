"""Virtual machines: a command runs on another kernel, in this folder; its status and output come
back, what it writes does not; nothing is left when it is over, or ended from outside."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.vm

SCRIPT = Path(__file__).parents[2] / "scripts" / "vm.py"


def start(*arguments):
    return subprocess.Popen(
        [sys.executable, SCRIPT, *map(str, arguments)], stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def vm(*arguments):
    process = start(*arguments)
    text, _ = process.communicate(timeout=600)
    return process.returncode, text


def children(pid):
    """The processes that a process has started, and theirs."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            child = int(path.parent.name)
            found += [child, *children(child)]
    return found


def alive(pids):
    return [pid for pid in pids if Path(f"/proc/{pid}").exists()]


@pytest.mark.parametrize("kernel", ["6.12", "6.1"])
def test_a_command_runs_on_another_kernel_and_its_status_comes_back(kernel, tmp_path):
    text = (
        "uname -r; pwd; id -u; cat /sys/kernel/security/lsm; echo; touch written; ls /tmp | wc -l;"
        " test -e /sys/kernel/tracing/events && test -e /sys/kernel/btf/vmlinux && exit 7"
    )
    status, output = vm("--kernel", kernel, "--timeout", 300, "--", "sh", "-c", text)
    lines = [line for line in output.splitlines() if not line.startswith("vm: fetching")]
    assert status == 7, output
    assert lines[0].startswith(f"{kernel}.")
    assert lines[1:3] == [os.getcwd(), "0"]
    assert "bpf" in lines[3].split(",")
    assert lines[4] == "0"
    assert not Path("written").exists()


def test_what_takes_too_long_is_ended():
    process = start("--kernel", "6.12", "--timeout", -10, "--", "sleep", "1000")
    while not (started := children(process.pid)) and process.poll() is None:
        time.sleep(0.05)
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 124, output
    assert started
    assert not alive(started)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_ending_the_script_ends_the_machine(how):
    process = start("--kernel", "6.12", "--", "sleep", "1000")
    deadline = time.monotonic() + 120
    while len(started := children(process.pid)) < 2:
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(how)
    process.communicate(timeout=60)
    deadline = time.monotonic() + 30
    while alive(started):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_folder_that_is_shared_can_be_written_to():
    folder = Path.home() / f"ebee-vm-test-{os.getpid()}"
    folder.mkdir()
    try:
        vm("--kernel", "6.12", "--share", folder, "--", "sh", "-c", f"uname -r > {folder}/kernel")
        assert (folder / "kernel").read_text().startswith("6.12")
    finally:
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()


def test_mistakes_have_a_line():
    for arguments, text in (
        ((), "say what to run"),
        (("--kernel", "1.0", "--", "true"), "no cloud kernel 1.0"),
    ):
        status, output = vm(*arguments)
        assert status in (2, 125)
        assert text in output
        assert "Traceback" not in output
