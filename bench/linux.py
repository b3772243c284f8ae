"""What the kernel backend costs: imports, map operations, batches, loading, the ring buffer.

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
from ebee.linux import LinuxMap, LinuxProgram, RingBuffer

ROUNDS = 5
COUNT = 50_000
FRAME = bytes(64)
# One record of 64 bytes for each of 1000 rounds of a loop.
PRODUCE = """
    r6 = 0
loop:
    r1 = map[events]
    r2 = r10
    r2 += -64
    r3 = 64
    r4 = 0
    call 130
    r6 += 1
    if r6 < {count} goto loop
    r0 = 0
    exit
"""


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
    print(f"{what:<44}{figure:>18}   {beside}")


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


def ring() -> None:
    count = 1000
    setup = "\n".join(f"*(u64 *)(r10 -{at}) = {at}" for at in range(8, 72, 8))
    with LinuxMap.create("ringbuf", max_entries=1 << 22, name="bench") as events:
        code = assemble(setup + PRODUCE.format(count=count), {"events": events.fd.fileno()})
        with LinuxProgram.load(code, "xdp", name="bench") as program, RingBuffer(events) as ring:
            for what, drain in (
                ("views", lambda: sum(1 for _ in ring.drain())),
                ("copies", lambda: len(ring.read())),
            ):
                rates = []
                for _ in range(ROUNDS):
                    program.test_run(FRAME, repeat=50)
                    start = time.process_time()
                    drained = drain()
                    rates.append(drained / (time.process_time() - start))
                    assert drained == 50 * count, drained
                show(f"ring buffer: 64-byte records, {what}", f"{max(rates) / 1e6:.2f} M/s")


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


def main() -> None:
    for group in (imports, elements, programs, objects, ring):
        group()


if __name__ == "__main__":
    main()
