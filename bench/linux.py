"""What the kernel backend costs: imports, map operations, batches, loading, attaching.

    python bench/linux.py        as root; bpftool, where it is there, is timed beside it

Every figure is the best of several rounds, in CPU time: that of this process, or of the process
that is measured (imports, bpftool).
"""

import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from ebee.isa.asm import assemble
from ebee.linux import LinuxMap, LinuxProgram

ROUNDS = 5
COUNT = 50_000
FRAME = bytes(64)
TRACEPOINT = """
#include <linux/bpf.h>
static void *(*lookup)(void *map, const void *key) = (void *)BPF_FUNC_map_lookup_elem;
struct {
    int (*type)[BPF_MAP_TYPE_ARRAY];
    int (*max_entries)[1];
    unsigned *key;
    unsigned long *value;
} counts __attribute__((section(".maps"), used));
__attribute__((section("tracepoint/sched/sched_process_exec"), used))
int on_exec(void *ctx)
{
    unsigned key = 0;
    unsigned long *value = lookup(&counts, &key);
    if (value)
        __sync_fetch_and_add(value, 1);
    return 0;
}
char LICENSE[] __attribute__((section("license"), used)) = "GPL";
"""
"""One map, one program."""
ATTACH = """
import sys
from ebee import linux
from ebee.obj import load
loaded = linux.load(load(sys.argv[1]))
loaded.programs["on_exec"].attach()
assert "llvmlite" not in sys.modules
status = open("/proc/self/status").read()
print(status.partition("VmHWM:")[2].split()[0])  # most KiB resident so far
"""
LIMITS = 150, 60
"""Milliseconds, and MiB, that loading and attaching may take with all that Python needs."""


def best(
    function: Callable[[], object],
    rounds: int = ROUNDS,
    clock: Callable[[], float] = time.process_time,
) -> float:
    """The shortest time of a few calls, in seconds."""
    times = []
    for _ in range(rounds):
        start = clock()
        function()
        times.append(clock() - start)
    return min(times)


def children() -> float:
    """The CPU time that processes started from here have taken, in seconds."""
    times = os.times()
    return times.children_user + times.children_system


def run(command: list[str]) -> float:
    """The CPU time of a process, in seconds; counted in hundredths, so of many at once."""

    def many() -> None:
        for _ in range(10):
            subprocess.run(command, check=True, capture_output=True)

    return best(many, clock=children) / 10


def show(what: str, figure: str, beside: str = "") -> None:
    print(f"{what:<50}{figure:>12}   {beside}")


def python(code: str) -> float:
    return run([sys.executable, "-c", code])


def imports() -> None:
    nothing = python("pass")
    show("import ebee.linux", f"{(python('import ebee.linux') - nothing) * 1e3:.1f} ms")
    code = "from ebee.linux import LinuxMap, LinuxProgram"
    show("import LinuxMap, LinuxProgram", f"{(python(code) - nothing) * 1e3:.1f} ms")
    code = "from ebee.linux import load"
    show("import load (objects)", f"{(python(code) - nothing) * 1e3:.1f} ms")
    code += "\nfrom ebee.linux import LinuxMap\nLinuxMap.create('array', 4, 4, 1)"
    show("... and a first map", f"{(python(code) - nothing) * 1e3:.1f} ms")


def elements() -> None:
    for type in ("hash", "percpu_hash"):
        with LinuxMap.create(type, 4, 8, COUNT, name="bench") as made:
            keys = [struct.pack("=I", n) for n in range(COUNT)]
            value = bytes(made.value_bytes)

            def update(made: LinuxMap = made, keys: list[bytes] = keys) -> None:
                for key in keys:
                    made.update(key, bytes(made.value_bytes))

            def lookup(made: LinuxMap = made, keys: list[bytes] = keys) -> None:
                for key in keys:
                    made.lookup(key)

            show(f"{type}: update", f"{best(update) / COUNT * 1e6:.2f} us")
            show(f"{type}: lookup", f"{best(lookup) / COUNT * 1e6:.2f} us")
            seconds = best(lambda m=made, k=keys, v=value: m.update_batch(k, [v] * COUNT))
            show(f"{type}: update_batch", f"{COUNT / seconds / 1e6:.2f} M/s")
            seconds = best(lambda m=made: sum(1 for _ in m.items()))
            beside = ""
            if shutil.which("bpftool"):
                command = ["bpftool", "-j", "map", "dump", "id", str(made.id)]
                beside = f"bpftool map dump: {COUNT / run(command) / 1e6:.2f} M/s"
            show(f"{type}: items", f"{COUNT / seconds / 1e6:.2f} M/s", beside)


def programs() -> None:
    code = assemble("r0 = 2; exit")

    def load() -> None:
        for _ in range(100):
            LinuxProgram.load(code, "xdp", name="bench").close()

    show("load and close a program", f"{best(load) / 100 * 1e6:.0f} us")
    with LinuxProgram.load(code, "xdp", name="bench") as program:

        def test() -> None:
            for _ in range(10_000):
                program.test_run(FRAME)

        show("test_run of one packet", f"{best(test) / 10_000 * 1e6:.2f} us")
        duration = program.test_run(FRAME, repeat=1_000_000).duration
        show("... of which in the kernel, repeated", f"{duration} ns")


def objects() -> None:
    from ebee import linux
    from ebee.clang import compile
    from ebee.obj import read

    source = Path(__file__).parents[1] / "examples" / "firewall.c"
    content = compile(source).content
    spec = read(content)
    beside = ""
    with tempfile.NamedTemporaryFile(suffix=".o") as file:
        file.write(content)
        file.flush()
        if shutil.which("bpftool"):
            pin = "/sys/fs/bpf/ebee-bench"
            loading = f"bpftool prog load {file.name} {pin} type xdp && rm {pin}"
            try:
                beside = (
                    f"bpftool prog load (one process): {run(['sh', '-c', loading]) * 1e3:.1f} ms"
                )
            except subprocess.CalledProcessError as error:
                beside = f"bpftool cannot load it: {error.stderr.decode()[:60]}"
    show("read firewall.o", f"{best(lambda: read(content)) * 1e3:.1f} ms")
    seconds = best(lambda: linux.load(spec).close())
    show("load firewall.o and close it", f"{seconds * 1e3:.1f} ms", beside)


def cost() -> None:
    """A process that loads and attaches a tracepoint program with one map from its object."""
    from ebee.clang import compile

    with tempfile.TemporaryDirectory() as folder:
        source, path = Path(folder, "probe.c"), Path(folder, "probe.o")
        source.write_text(TRACEPOINT)
        path.write_bytes(compile(source).content)
        seconds, printed = process([sys.executable, "-c", ATTACH, str(path)])
        beside = ""
        if shutil.which("bpftool"):
            pin = "/sys/fs/bpf/ebee-bench"
            command = ["bpftool", "prog", "load", str(path), pin]
            try:
                other, _ = process(command, after=lambda: os.unlink(pin))
                beside = f"bpftool prog load, not attached: {other * 1e3:.0f} ms"
            except OSError as error:
                beside = f"bpftool: {error}"
        show(f"load and attach a tracepoint (at most {LIMITS[0]} ms)", f"{seconds * 1e3:.0f} ms",
             beside)  # fmt: skip
        memory = f"{int(printed) / 1024:.1f} MiB"
        show(f"... resident memory (at most {LIMITS[1]} MiB)", memory)


def process(command: list[str], after: Callable[[], object] = lambda: None) -> tuple[float, str]:
    """The least CPU time of a process, of some runs, in seconds; and what it printed."""
    found = []
    for _ in range(4 * ROUNDS):
        child = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        printed = child.stdout.read() if child.stdout else ""
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise OSError(f"{command[0]} ended with status {child.returncode}")
        after()
        found.append(usage.ru_utime + usage.ru_stime)
    return min(found), printed


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        # Processes find compiled modules, as they do where ebee is installed.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = folder
        for group in (imports, elements, programs, objects, cost):
            group()


if __name__ == "__main__":
    main()
