"""What kernel tests may use: network namespaces, veth pairs, cgroups, BPF file systems, all made
for one test and gone after it."""

import contextlib
import errno
import gc
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest

CGROUP_ROOTS = ("/sys/fs/cgroup/unified", "/sys/fs/cgroup")
ETH_P_ALL = 3
EXAMPLES = Path(__file__).parents[2] / "examples"
# What a kernel may have been built without: hook -> option, and a function that is there with it.
BUILT_WITH = {
    "kprobe": ("CONFIG_KPROBES", "register_kprobe"),
    "ksyscall": ("CONFIG_KPROBES", "register_kprobe"),
    "kprobe.multi": ("CONFIG_FPROBE", "register_fprobe_ips"),
    "kprobe.session": ("CONFIG_FPROBE", "register_fprobe_ips"),
}
# What a kernel outside our virtual machines may refuse although it is there.
MAY_BE_REFUSED = {"fentry", "fexit", "fmod_ret", "lsm", "lsm_cgroup", "freplace"}


def ip(*words: str, netns: str = "") -> str:
    """Run iproute2's ip, in a named network namespace if one is given."""
    command = ["ip", *(["-n", netns] if netns else []), *words]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout


@contextlib.contextmanager
def entered(netns: str) -> Iterator[None]:
    """This thread inside a named network namespace."""
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    clone_newnet = 0x40000000
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    other = os.open(f"/run/netns/{netns}", os.O_RDONLY | os.O_CLOEXEC)
    try:
        assert libc.setns(other, clone_newnet) == 0
        yield
    finally:
        assert libc.setns(home, clone_newnet) == 0
        os.close(home)
        os.close(other)


@dataclass
class Net:
    """Two network namespaces joined by a veth pair: `left` (dev "veth0") and `right` ("veth1").

    Addresses are 10.99.0.1/24 on the left, 10.99.0.2/24 on the right; neighbours are static, and
    IPv6 is off: nothing moves on the wire but what the test sends.
    """

    left: str
    right: str
    macs: dict[str, str] = field(default_factory=dict)

    def inside(self, side: str) -> contextlib.AbstractContextManager[None]:
        """Everything this thread does happens on the "left" or on the "right"."""
        return entered(getattr(self, side))

    def socket(self, side: str, dev: str = ""):
        """A packet socket on that side's interface; received frames are whole Ethernet frames."""
        import socket

        with self.inside(side):
            made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
            made.bind((dev or {"left": "veth0", "right": "veth1"}[side], 0))
            made.settimeout(5)
        return made

    def frame(self, payload: bytes, source: str = "left", ethertype: int = 0x88B5) -> bytes:
        """An Ethernet frame to the other side; the default type is one for local experiments."""
        other = "right" if source == "left" else "left"
        raw = [bytes.fromhex(self.macs[side].replace(":", "")) for side in (other, source)]
        return b"".join(raw) + ethertype.to_bytes(2, "big") + payload


_COUNTER = iter(range(1_000_000))


@pytest.fixture
def net() -> Iterator[Net]:
    """A fresh pair of network namespaces; see Net."""
    tag = f"ebee-{os.getpid()}-{next(_COUNTER)}"
    made = Net(f"{tag}-l", f"{tag}-r")
    try:
        for name in (made.left, made.right):
            ip("netns", "add", name)
            with entered(name):
                for scope in ("all", "default"):
                    Path(f"/proc/sys/net/ipv6/conf/{scope}/disable_ipv6").write_text("1")
            ip("link", "set", "lo", "up", netns=name)
        ip("link", "add", "veth0", "netns", made.left, "type", "veth", "peer", "name", "veth1",
           "netns", made.right)  # fmt: skip
        for netns, dev, address in (
            (made.left, "veth0", "10.99.0.1/24"),
            (made.right, "veth1", "10.99.0.2/24"),
        ):
            ip("addr", "add", address, "dev", dev, netns=netns)
            ip("link", "set", dev, "up", netns=netns)
        for side, netns, dev in (("left", made.left, "veth0"), ("right", made.right, "veth1")):
            made.macs[side] = ip("-br", "link", "show", dev, netns=netns).split()[2]
        ip("neigh", "replace", "10.99.0.2", "lladdr", made.macs["right"], "dev", "veth0",
           netns=made.left)  # fmt: skip
        ip("neigh", "replace", "10.99.0.1", "lladdr", made.macs["left"], "dev", "veth1",
           netns=made.right)  # fmt: skip
        yield made
    finally:
        for name in (made.left, made.right):
            subprocess.run(["ip", "netns", "del", name], capture_output=True)


@pytest.fixture(scope="module")
def _loopback() -> Iterator[str]:
    name = f"ebee-{os.getpid()}-{next(_COUNTER)}"
    try:
        ip("netns", "add", name)
        ip("link", "set", "lo", "up", netns=name)
        yield name
    finally:
        subprocess.run(["ip", "netns", "del", name], capture_output=True)


@pytest.fixture
def loopback(_loopback: str) -> Iterator[str]:
    """Inside a network namespace with nothing but a loopback interface, which the tests of a file
    have in common: its file."""
    with entered(_loopback):
        yield f"/run/netns/{_loopback}"


@pytest.fixture
def cgroup() -> Iterator[Path]:
    """A fresh, empty cgroup of version 2. Processes that a test puts in are moved out again."""
    root = next((Path(r) for r in CGROUP_ROOTS if Path(r, "cgroup.controllers").exists()), None)
    if root is None:
        pytest.skip("no cgroup version 2 is mounted")
    path = root / f"ebee-{os.getpid()}-{next(_COUNTER)}"
    path.mkdir()
    try:
        yield path
    finally:
        for pid in (path / "cgroup.procs").read_text().split():
            with contextlib.suppress(ProcessLookupError):
                (root / "cgroup.procs").write_text(pid)
        path.rmdir()


@pytest.fixture
def bpffs(tmp_path: Path) -> Iterator[Path]:
    """A BPF file system of its own."""
    path = tmp_path / "bpffs"
    path.mkdir()
    subprocess.run(["mount", "-t", "bpf", "bpf", str(path)], check=True)
    try:
        yield path
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


@pytest.fixture
def ebee(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Run a command line in this process: (exit code, standard output, standard error)."""
    from ebee import cli

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["ebee", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        out, err = capfd.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, out, err

    return run


@pytest.fixture
def bpftool() -> Callable[..., Any]:
    """What `bpftool -j` says; with `plain`, what it prints."""
    if shutil.which("bpftool") is None:
        pytest.skip("bpftool is not installed")

    def run(*words: object, netns: str = "", plain: bool = False) -> Any:
        command = ["bpftool", *([] if plain else ["-j"]), *map(str, words)]
        if netns:
            command = ["ip", "netns", "exec", netns, *command]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"
        # bpftool 7.1 forgets the braces of flow dissectors.
        text = re.sub(r'\["id":(\d+)\]', r'[{"id":\1}]', done.stdout)
        return text if plain else json.loads(text or "[]")

    return run


@pytest.fixture
def soon() -> Callable[[Callable[[], bool]], bool]:
    """Whether something becomes true before long, as the end of what was unpinned."""

    def run(true: Callable[[], bool]) -> bool:
        end = time.monotonic() + 20
        while not true() and time.monotonic() < end:
            time.sleep(0.01)
        return true()

    return run


@pytest.fixture
def in_thread() -> Iterator[Callable[[Callable[[], None]], threading.Thread]]:
    """Run a function in a thread that has ended when the test has."""
    started: list[threading.Thread] = []

    def run(function: Callable[[], None]) -> threading.Thread:
        started.append(threading.Thread(target=function, daemon=True))
        started[-1].start()
        return started[-1]

    yield run
    for thread in started:
        thread.join(60)
        assert not thread.is_alive()


@pytest.fixture
def open_fds() -> Callable[[], int]:
    """Count the descriptors that this process has open."""

    def count() -> int:
        gc.collect()  # what earlier tests left in cycles is not what is counted
        return len(os.listdir("/proc/self/fd")) - 1

    return count


@pytest.fixture
def as_nobody() -> Callable[[Callable[[], str]], str]:
    """Run a function in a child process without any privilege; what it returns.

    The child is forked, for an unprivileged user may not be able to read Python's own library; what
    the function imports must have been imported before.
    """

    def run(function: Callable[[], str]) -> str:
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            status = 1
            try:
                os.setgroups([])
                os.setresgid(65534, 65534, 65534)
                os.setresuid(65534, 65534, 65534)
                os.write(writing, function().encode())
                status = 0
            except BaseException as error:
                os.write(writing, repr(error).encode())
            finally:
                os._exit(status)
        os.close(writing)
        with os.fdopen(reading) as pipe:
            text = pipe.read()
        _, status = os.waitpid(child, 0)
        assert status == 0, text
        return text

    return run


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Write down what came out of the tests that matrix.py names, where EBEE_MATRIX says."""
    outcome = yield
    report, path = outcome.get_result(), os.environ.get("EBEE_MATRIX")
    if path and (report.when == "call" or report.outcome != "passed"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
        name = item.nodeid.partition("tests/kernel/")[2].partition("[")[0]
        found = {"kernel": os.uname().release, "test": name, "outcome": report.outcome}
        with open(path, "a") as file:
            file.write(json.dumps(found | {"reason": reason.removeprefix("Skipped: ")}) + "\n")


@pytest.fixture
def load():
    """An example, compiled and loaded, with these values of its variables."""

    from ebee import linux
    from ebee.lang.bpf import build

    def loaded(name, targets=None, **variables):
        spec = build.compile(EXAMPLES / f"{name}.py")
        for variable, value in variables.items():
            spec.variables[variable] = value
        return linux.load(spec, targets=targets)

    return loaded


@pytest.fixture
def in_cgroup():
    """The number of the error that an action ends with in a process of a group, or 0."""

    def done(cgroup, action):
        child = os.fork()
        if not child:
            code = 255
            with contextlib.suppress(BaseException):
                (cgroup / "cgroup.procs").write_text(str(os.getpid()))
                code = 0
                try:
                    action()
                except OSError as error:
                    code = error.errno
            os._exit(code)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    return done


@cache
def lacks(hook: str) -> str:
    """Why programs of a hook cannot be here: the kernel is older than its declaration says, was
    built without it, or refuses it with EPERM. Anything else is no reason."""
    from ebee import hooks
    from ebee.linux.errors import older_than
    from ebee.linux.host import kernel_symbols

    since = hooks.by_name(hook).since
    if older_than(since):
        return f"{hook} requires Linux >= {since}"
    option, function = BUILT_WITH.get(hook, ("", ""))
    if option and not kernel_symbols(function):
        return f"this kernel was built without {option}"
    if hook in MAY_BE_REFUSED and not os.environ.get("EBEE_VM") and _refused(hook):
        return f"this kernel refuses {hook} with EPERM"
    return ""


def _refused(hook: str) -> bool:
    from ebee.btf import Btf, Func
    from ebee.errors import KernelError
    from ebee.isa.asm import assemble
    from ebee.linux import LinuxProgram, uapi

    kind = {"lsm_cgroup": "lsm", "freplace": "fentry"}.get(hook, hook)
    target = {"lsm": "bpf_lsm_file_open", "fmod_ret": "security_task_getpgid"}
    attach = {"fentry": "trace_fentry", "fexit": "trace_fexit", "fmod_ret": "modify_return"}
    try:
        LinuxProgram.load(
            assemble("r0 = 0; exit"),
            "lsm" if kind == "lsm" else "tracing",
            attach_type=uapi.ATTACH_TYPES[attach.get(kind, "lsm_mac")],
            attach_btf_id=Btf.vmlinux().find(target.get(kind, "bpf_fentry_test1"), Func).id,
        ).close()
    except KernelError as error:
        if error.errno == errno.EPERM:
            return True
        raise
    return False


@pytest.fixture
def needs() -> Callable[[str], None]:
    """Skip where programs of a hook cannot be."""

    def check(hook: str) -> None:
        if reason := lacks(hook):
            pytest.skip(reason)

    return check
