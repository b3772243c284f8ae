"""Run a command, or the kernel tests, in a virtual machine with another kernel of Debian's.

    python scripts/vm.py --kernel 6.12 -- uname -r           any command; its exit status is ours
    python scripts/vm.py --kernel 6.1 -- .venv/bin/python -m pytest tests/kernel/test_linux_load.py
    python scripts/vm.py test                                the kernel tests on every kernel
    python scripts/vm.py test --kernel 6.12 -k kprobe        ... on one; the rest goes to pytest

The machine is qemu with software emulation (no KVM needed), two CPUs and 2 GB; it is up in some
five seconds and runs Python about 15 times slower than the host. It sees the host's files, at the
same paths, over virtiofs; what it writes goes to an overlay in its own memory and is gone when it
ends, but for the folders named with --share. It has a loopback interface and no network. /tmp and
/run are empty; tracefs, debugfs, bpffs, cgroup2 (/sys/fs/cgroup) and securityfs are mounted; the
command is root and runs in the folder that this script was called in. EBEE_VM names the kernel.

What it takes is downloaded with `apt-get download` and unpacked, nothing is installed, into the
folder --cache (by default $XDG_CACHE_HOME/ebee-vm; some 200 MB, used again next time; remove it
for newer packages). qemu is taken from the system where that has it. Needs root (virtiofsd), and
Debian or Ubuntu with their package lists. The machine ends with the command, after --timeout
seconds, or with this script, however that ends; nothing but the cache folder is left.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import re
import runpy
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

ROOT = Path(__file__).resolve().parent.parent
KERNELS = ("6.12", "6.1")
TOOLS = ("qemu-system-x86", "qemu-system-common", "busybox-static", "kmod")
MACHINE_SECONDS = 30  # What starting and ending the machine takes at most, on a busy host.
BOOT_MODULES = ("virtio_pci", "virtiofs", "overlay")
ARGUMENTS = "console=ttyS0 panic=-1 quiet lsm=lockdown,yama,bpf"

INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
for module in {modules}; do modprobe $module; done
mount -t virtiofs host /host && mount -t tmpfs -o size=1G upper /upper || poweroff -f
mkdir /upper/upper /upper/work
mount -t overlay -o lowerdir=/host,upperdir=/upper/upper,workdir=/upper/work all /all
mount --bind /host/{images} /lib/modules
cd /all
mount -t proc proc proc; mount -t sysfs sys sys; mount -t devtmpfs dev dev
mkdir -p dev/pts dev/shm
mount -t devpts pts dev/pts; mount -t tmpfs shm dev/shm
mount -t tmpfs tmp tmp; mount -t tmpfs run run; mkdir -p run/netns run/lock; chmod 1777 tmp dev/shm
mount -t tracefs t sys/kernel/tracing; mount -t debugfs d sys/kernel/debug
mount -t bpf b sys/fs/bpf; mount -t cgroup2 c sys/fs/cgroup
mount -t securityfs s sys/kernel/security
mkdir -p lib/modules; mount --bind /host/{images} lib/modules
for folder in {shares}; do mkdir -p ./$folder; mount --bind /host/$folder ./$folder; done
ip link set lo up
ulimit -n 65536
chroot /all /bin/sh /{run}/command >/host/{run}/output 2>&1 </dev/null
echo $? >/host/{run}/status
sync
poweroff -f
"""


class VmError(Exception):
    """What cannot be done, for the person at the keyboard."""


# -- what the machine is made of -----------------------------------------------------------------


@dataclass(frozen=True)
class Tools:
    """The programs: from the system, or unpacked below `root`."""

    root: Path

    def find(self, *names: str) -> str:
        """The first of these programs, here or below the root; VmError if there is none."""
        folders = [*os.environ.get("PATH", "").split(os.pathsep), "/usr/sbin", "/sbin"]
        folders += ["/usr/lib/qemu", "/usr/libexec"]
        for base in ("", str(self.root)):
            for folder in folders:
                for name in names:
                    path = f"{base}{folder}/{name}"
                    if folder and os.access(path, os.X_OK):
                        return path
        raise VmError(f"there is no {' or '.join(names)}, not even in {self.root}")

    def environment(self) -> dict[str, str]:
        """For what was unpacked: where its libraries are."""
        places = [self.root / p / "x86_64-linux-gnu" for p in ("usr/lib", "lib")]
        return {**os.environ, "LD_LIBRARY_PATH": os.pathsep.join(map(str, places))}

    def start(self, *command: str, **options: object) -> subprocess.Popen[bytes]:
        """Start one of them, to be killed when this process ends, however it ends."""
        own = command[0].startswith(str(self.root))
        return subprocess.Popen(
            command,
            env=self.environment() if own else None,
            preexec_fn=_die_with_parent,
            **options,  # type: ignore[call-overload]
        )


def _die_with_parent() -> None:
    import ctypes

    set_parent_death_signal = 1
    ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGKILL)
    os.setsid()  # Ctrl-C is for this script, which ends the machine in order.


def output(*command: str, cwd: Path | None = None) -> str:
    """What a command prints; VmError with its last words if it fails."""
    try:
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=600)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise VmError(f"cannot run {command[0]}: {error}") from None
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        raise VmError(f"`{shlex.join(command)}` failed: {' '.join(last)}")
    return done.stdout


def fetch(packages: list[str], target: Path) -> None:
    """Download packages and unpack them below a folder, which appears only when it is complete."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="fetch-") as name:
        folder, tree = Path(name), Path(name, "tree")
        tree.mkdir()
        for name in ("downloads", "tree"):
            (folder / name).mkdir(exist_ok=True)
        print(f"vm: fetching {', '.join(packages[:4])}{' ...' * (len(packages) > 4)}", flush=True)
        # The folder belongs to root, so that apt does not warn of its own user.
        output("apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", *packages,
               cwd=folder / "downloads")  # fmt: skip
        for package in sorted((folder / "downloads").glob("*.deb")):
            output("dpkg", "-x", str(package), str(tree))
        tree.rename(target)


def tools(cache: Path) -> Tools:
    """qemu, virtiofsd, busybox, depmod: those of the system, else those of packages."""
    found = Tools(cache / "tools")
    needed = (("qemu-system-x86_64",), ("virtiofsd",), ("busybox",), ("depmod",))
    try:
        for names in needed:
            found.find(*names)
    except VmError:
        if found.root.exists():
            raise
        planned = output("apt-get", "install", "-s", "--no-install-recommends", *TOOLS)
        names = re.findall(r"^Inst (\S+)(?: \[\S+\])? \((\S+)", planned, re.MULTILINE)
        fetch([f"{name}={version}" for name, version in names], found.root)
    return found


def kernel(cache: Path, version: str, programs: Tools) -> Path:
    """The tree with Debian's newest cloud kernel of a version ("6.12"), its modules indexed."""
    tree = cache / f"linux-{version}"
    if not tree.exists():
        pattern = rf"linux-image-({re.escape(version)}\.\S+)-cloud-amd64"
        known = output("apt-cache", "pkgnames", f"linux-image-{version}.").split()
        names = [name for name in known if re.fullmatch(pattern, name)]
        if not names:
            raise VmError(f"the package lists have no cloud kernel {version}: apt-get update?")
        names.sort(key=lambda name: [int(n) for n in re.findall(r"\d+", name)])
        fetch([names[-1]], tree)
    if not (tree / "indexed").exists():
        modules = tree / "lib" if (tree / "lib").exists() else tree / "usr/lib"
        output(programs.find("depmod"), "-b", str(modules.parent), release(tree))
        (tree / "indexed").touch()
    return tree


def modules_folder(tree: Path) -> Path:
    folder = next((p for p in (tree / "lib/modules", tree / "usr/lib/modules") if p.exists()), None)
    if folder is None:
        raise VmError(f"{tree} holds no kernel modules; remove it to fetch it again")
    return folder


def release(tree: Path) -> str:
    """The kernel's own name, as `uname -r` prints it."""
    return next(modules_folder(tree).iterdir()).name


def module_files(folder: Path, names: tuple[str, ...]) -> Iterator[Path]:
    """The files of modules and of all they depend on, below a release's folder of modules."""
    depends: dict[str, list[str]] = {}
    for line in (folder / "modules.dep").read_text().splitlines():
        path, _, others = line.partition(":")
        depends[path] = others.split()
    for name in names:
        for path, others in depends.items():
            if re.fullmatch(rf"{name}\.ko(\.\w+)?", path.rpartition("/")[2].replace("-", "_")):
                yield from (folder / p for p in (path, *others))


def initramfs(target: Path, tree: Path, programs: Tools, init: str) -> None:
    """A tiny root: busybox, the modules that reach the host's files, and init."""
    with tempfile.TemporaryDirectory(dir=target.parent, prefix="initramfs-") as name:
        root, folder = Path(name), modules_folder(tree) / release(tree)
        for part in ("bin", "proc", "sys", "dev", "host", "upper", "all"):
            (root / part).mkdir()
        (root / "sbin").symlink_to("bin")
        shutil.copy(programs.find("busybox"), root / "bin/busybox")
        own = root / "lib/modules" / release(tree)
        for file in {*module_files(folder, BOOT_MODULES), *folder.glob("modules.*")}:
            place = own / file.relative_to(folder)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, place)
        (root / "init").write_text(init)
        (root / "init").chmod(0o755)
        listing = "\n".join(str(p.relative_to(root)) for p in sorted(root.rglob("*")))
        with target.open("wb") as file:
            pack = [programs.find("busybox"), "cpio", "-o", "-H", "newc"]
            subprocess.run(pack, input=listing.encode(), cwd=root, stdout=file,
                           stderr=subprocess.DEVNULL, check=True)  # fmt: skip


# -- running it ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Run:
    """What to run, on which kernel, and what for."""

    version: str
    command: list[str]
    cache: Path
    seconds: float
    shares: tuple[Path, ...] = ()

    def script(self, release: str) -> str:
        """The shell script that the machine runs: this process's folder and variables."""
        kept = {k: v for k, v in os.environ.items() if k.startswith(("EBEE_", "PYTEST", "HYPO"))}
        kept |= {
            k: os.environ[k] for k in ("PATH", "PYTHONPATH", "HOME", "LANG") if k in os.environ
        }
        kept |= {"EBEE_VM": self.version, "XDG_CACHE_HOME": str(self.cache / "home" / release)}
        lines = [f"export {name}={shlex.quote(value)}" for name, value in kept.items()]
        return "\n".join((*lines, f"cd {shlex.quote(os.getcwd())}", shlex.join(self.command), ""))


def run(job: Run, show: Callable[[bytes], object]) -> int:
    """Boot, run the command, show what it prints as it comes; its exit status, 124 after a timeout.

    VmError when there is no status: the machine did not start, or died.
    """
    if os.geteuid() != 0:
        raise VmError("this needs root: virtiofsd serves the host's files as they are")
    job.cache.mkdir(parents=True, exist_ok=True)
    with (job.cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _sweep(job.cache)
        programs = tools(job.cache)
        tree = kernel(job.cache, job.version, programs)
    home = job.cache / "home" / release(tree)
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=job.cache, prefix=f"run-{os.getpid()}-") as name:
        folder = Path(name)
        shares = [str(p.resolve()).lstrip("/") for p in (folder, home, *job.shares)]
        init = INIT.format(
            modules=" ".join(BOOT_MODULES),
            images=str(modules_folder(tree)).lstrip("/"),
            shares=shlex.join(shares),
            run=str(folder).lstrip("/"),
        )
        (folder / "command").write_text(job.script(release(tree)))
        (folder / "output").touch()
        initramfs(folder / "initrd", tree, programs, init)
        with contextlib.ExitStack() as stack:
            machine = _start(stack, programs, tree, folder)
            expired = _follow(machine, folder / "output", job.seconds, show)
        status = folder / "status"
        if expired:
            return 124
        if not status.exists() or not status.read_text().strip():
            raise VmError(f"the machine ended without a result. Its last words:\n{_words(folder)}")
        return int(status.read_text())


def _sweep(cache: Path) -> None:
    """Remove what scripts have left that were killed."""
    for folder in cache.glob("r[ua]n-*-*"):
        pid = folder.name.split("-")[1]
        if not Path("/proc", pid).exists():
            shutil.rmtree(folder, ignore_errors=True)


def _words(folder: Path) -> str:
    """The end of the machine's console and of its file server's log."""
    texts = [(folder / n).read_bytes().decode(errors="replace") for n in ("console", "files.log")]
    return "\n".join(line for text in texts for line in text.splitlines()[-15:])


def _start(
    stack: contextlib.ExitStack, programs: Tools, tree: Path, folder: Path
) -> subprocess.Popen[bytes]:
    """Start the file server and the machine; the stack ends both."""
    socket = folder / "files.sock"
    options = "source=/,cache=always,sandbox=chroot"
    with (folder / "files.log").open("wb") as log:
        server = programs.start(
            programs.find("virtiofsd"), f"--socket-path={socket}", "-o", options,
            stdout=log, stderr=log,
        )  # fmt: skip
    stack.callback(_end, server)
    deadline = time.monotonic() + 20
    while not socket.exists():
        if server.poll() is not None or time.monotonic() > deadline:
            raise VmError(f"virtiofsd did not start:\n{(folder / 'files.log').read_text()}")
        time.sleep(0.02)
    qemu = programs.find("qemu-system-x86_64")
    places = ("usr/share/qemu", "usr/share/seabios", "usr/lib/ipxe/qemu")
    libraries = [
        w for p in places if (programs.root / p).exists() for w in ("-L", str(programs.root / p))
    ]
    with (folder / "console").open("wb") as console:
        machine = programs.start(
            qemu, *libraries, "-accel", "tcg,thread=multi", "-cpu", "max", "-m", "2G", "-smp", "2",
            "-nographic", "-no-reboot", "-nodefaults", "-serial", "stdio",
            "-kernel", str(tree / "boot" / f"vmlinuz-{release(tree)}"),
            "-initrd", str(folder / "initrd"), "-append", ARGUMENTS,
            "-object", "memory-backend-memfd,id=memory,size=2G,share=on",
            "-numa", "node,memdev=memory",
            "-chardev", f"socket,id=files,path={socket}",
            "-device", "vhost-user-fs-pci,chardev=files,tag=host",
            stdin=subprocess.DEVNULL, stdout=console, stderr=console,
        )  # fmt: skip
    stack.callback(_end, machine)
    return machine


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.kill()
    process.wait()


def _follow(
    machine: subprocess.Popen[bytes], path: Path, seconds: float, show: Callable[[bytes], object]
) -> bool:
    """Show a growing file until the machine has ended; whether it was the time that ended it."""
    deadline = time.monotonic() + seconds
    with path.open("rb") as file:
        while True:
            over = machine.poll() is not None
            if text := file.read():
                show(text)
            if over or STOP.is_set() or time.monotonic() > deadline:
                return not over
            with contextlib.suppress(subprocess.TimeoutExpired):
                machine.wait(0.2)


# -- commands ------------------------------------------------------------------------------------


def show(text: bytes) -> None:
    """Pass on what the machine's command printed."""
    sys.stdout.buffer.write(text)
    sys.stdout.buffer.flush()


@dataclass
class Tested:
    """How the tests went on one kernel: the last line that pytest printed, its status, seconds."""

    version: str
    printed: bytearray = field(default_factory=bytearray)
    status: int = 125
    seconds: float = 0.0

    def line(self) -> str:
        words = self.printed.decode(errors="replace").strip().splitlines()[-1:] or ["nothing ran"]
        if self.status == 124:
            words = ["stopped, for it took too long"]
        how = f"status {self.status}, {self.seconds:.0f} s"
        return f"Linux {self.version}: {words[0].strip('= ')} ({how})"


def test(
    versions: tuple[str, ...], arguments: list[str], cache: Path, seconds: float, record: bool
) -> int:
    """The kernel tests on each kernel, in machines side by side; then a line of totals for each."""
    with tempfile.TemporaryDirectory(dir=_made(cache), prefix=f"ran-{os.getpid()}-") as folder:
        ran = [Tested(version) for version in versions]
        threads = [Thread(target=_test, args=(t, arguments, cache, seconds, folder)) for t in ran]
        for thread in threads:
            thread.start()
        for thread, tested in zip(threads, ran, strict=True):
            _join(thread)
            print(f"== Linux {tested.version}", flush=True)
            show(bytes(tested.printed))
        if record:
            files = sorted(str(path) for path in Path(folder).iterdir())
            script = str(ROOT / "scripts/gen_coverage.py")
            subprocess.run([sys.executable, script, "--ran", *files], check=False)
    print("\n".join(tested.line() for tested in ran))
    return next((tested.status for tested in ran if tested.status), 0)


def _join(thread: Thread) -> None:
    """Wait for a thread; when this process is to end meanwhile, end the machines first."""
    try:
        thread.join()
    except BaseException:
        STOP.set()
        raise


ATTEMPTS = 2
"""A kernel may panic when qemu's emulation misses that one processor has patched the code which
another one runs (an int3 that is there no more)."""
STOP = Event()
"""Every machine is to end."""


def _test(tested: Tested, arguments: list[str], cache: Path, seconds: float, folder: str) -> None:
    paths = [] if any(os.path.exists(a.partition("::")[0]) for a in arguments) else everyday()
    matrix = f"EBEE_MATRIX={folder}/{tested.version}"
    command = [
        "env",
        matrix,
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "-m",
        "kernel",
    ]
    started = time.monotonic()
    job = Run(tested.version, [*command, *paths, *arguments], cache, seconds, (Path(folder),))
    for attempt in range(ATTEMPTS):
        try:
            tested.status = run(job, tested.printed.extend)
            break
        except VmError as error:
            tested.printed.extend(f"vm: {error}\nvm: attempt {attempt + 1}\n".encode())
    tested.seconds = time.monotonic() - started


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


LONG = "tracing/test_bpf_loads.py"
"""Compiles a hundred programs, most of which the host loads as well."""
ALSO = ("test_linux_probe.py", "test_cli_prog_profile.py", "test_cli_token.py")


def everyday() -> list[str]:
    """What is tested: tracing, what is declared to be there, what takes fentry or tokens, and
    a test for each hook."""
    shown = runpy.run_path(str(ROOT / "tests/kernel/matrix.py"))["SHOWN"].values()
    paths = [f"tests/kernel/{name}" for name in ("tracing", *ALSO)]
    paths += [f"--ignore=tests/kernel/{LONG}"]
    return paths + sorted({f"tests/kernel/{t}" for t in shown if not t.startswith("tracing/")})


def main() -> int:
    """Read the command line; the exit status is that of the command, or of the first bad test."""
    words, command = sys.argv[1:], []
    if "--" in words:
        at = words.index("--")
        words, command = words[:at], words[at + 1 :]
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    default = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ebee-vm"
    parser.add_argument("--kernel", action="append", help="6.12 or 6.1; again for more")
    parser.add_argument("--timeout", type=float, default=600, help="seconds for each machine")
    parser.add_argument("--cache", type=Path, default=default, help="where packages are kept")
    parser.add_argument("--share", type=Path, action="append", default=[], help="writable folder")
    parser.add_argument("--record", action="store_true", help="note results in docs/kernels.json")
    parser.add_argument("what", nargs="?", choices=["test"], help="run the kernel tests")
    chosen, rest = parser.parse_known_args(words)
    versions = tuple(chosen.kernel or KERNELS)
    cache = chosen.cache.resolve()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        if chosen.what == "test":
            return test(versions, rest + command, cache, chosen.timeout, chosen.record)
        if not command or rest:
            parser.error("say what to run: -- COMMAND, or test")
        seconds, shares = chosen.timeout + MACHINE_SECONDS, tuple(chosen.share)
        for version in versions:
            if status := run(Run(version, command, cache, seconds, shares), show):
                return status
    except VmError as error:
        print(f"vm: {error}", file=sys.stderr)
        return 125
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
