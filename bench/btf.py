"""What the kernel's BTF costs, beside bpftool reading the same in the same run.

    python bench/btf.py          needs /sys/kernel/btf/vmlinux

Each figure is the best of several rounds, in time of this process (of bpftool: its own).
"""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

from ebee.btf import Array, Btf, BtfBuilder, Enum, Enumerator, Int, Member, Struct
from ebee.btf.codec import Codec
from ebee.btf.files import VMLINUX
from ebee.btf.printer import c

MEMORY = """
import re
from pathlib import Path
from ebee.btf import Btf, Struct
def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
before = peak()
Btf.vmlinux().find("task_struct", Struct)
print(peak() - before)
"""
"""Prints kB. (The peak that getrusage knows is inherited from the parent.)"""


def best(action: Callable[[], object], rounds: int = 7) -> float:
    """Milliseconds of the fastest round."""
    times = []
    for _ in range(rounds):
        started = time.process_time()
        action()
        times.append(time.process_time() - started)
    return min(times) * 1000


def child(*command: str) -> float:
    """Milliseconds of processor time that a command takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000


def row(what: str, value: float, unit: str, aim: str = "") -> None:
    print(f"{what:<52} {value:>10.2f} {unit:<8} {aim}")


def kernel() -> None:
    data = VMLINUX.read_bytes()
    indexing = best(lambda: Btf.parse(data))
    row("first indexing of vmlinux", indexing, "ms", "(aim: under 120)")
    Btf.vmlinux()
    row("open vmlinux from the cached index", best(Btf.vmlinux), "ms", "(aim: under 3)")
    row("open and decode task_struct by name", best(one_type), "ms")
    row("decode all types", best(lambda: list(Btf.parse(data)), 2) - indexing, "ms")
    row("vmlinux.h", best(lambda: c(Btf.parse(data)), 2), "ms")
    done = subprocess.run([sys.executable, "-c", MEMORY], capture_output=True, text=True)
    row("memory for task_struct", int(done.stdout) / 1024, "MB", "(aim: under 30)")
    if bpftool := shutil.which("bpftool", path="/usr/sbin:/usr/bin"):
        command = (bpftool, "btf", "dump", "file", str(VMLINUX), "format", "c")
        theirs = min(child(*command) for _ in range(3))
        row("bpftool's vmlinux.h", theirs, "ms")
        row("ebee's first indexing / bpftool's vmlinux.h", indexing / theirs, "ratio")


def one_type() -> object:
    return Btf.vmlinux().find("task_struct", Struct)


def event() -> Codec:
    """A typical event: two numbers, an enum, a name."""
    b = BtfBuilder()
    u32, u64, char = b.add(Int("u32", 4)), b.add(Int("u64", 8)), b.add(Int("char", 1))
    comm = b.add(Array(char, u32, 16))
    act = b.add(Enum("act", 4, False, (Enumerator("PASS", 0), Enumerator("DROP", 1))))
    members = (
        Member("time", u64, 0),
        Member("pid", u32, 64),
        Member("act", act, 96),
        Member("comm", comm, 128),
    )
    id = b.add(Struct("event", 32, members))
    return Codec(b.build(), id)


def values() -> None:
    count = 100_000
    codec = event()
    data = codec.encode({"time": 1, "pid": 2, "act": "DROP", "comm": "python"})
    stream = data * count
    decode, record = codec.decode, codec.decode(data)

    def each(action: Callable[[], object]) -> float:
        """Nanoseconds of one of `count` records."""
        return best(action) * 1e6 / count

    rounds = range(count)
    row("decode one event", each(lambda: [decode(data) for _ in rounds]), "ns", "(aim: 500,000/s)")
    row("decode one event and read three members", each(lambda: _read(decode, data, rounds)), "ns")
    row("decode a stream of events, each", each(lambda: codec.decode_all(stream)), "ns")
    row("encode a record", each(lambda: [codec.encode(record) for _ in rounds]), "ns")


def _read(decode: Callable[[bytes], object], data: bytes, rounds: range) -> None:
    for _ in rounds:
        record = decode(data)
        record.time, record.pid, record.comm  # type: ignore[attr-defined]  # noqa: B018


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as cache:
        os.environ["XDG_CACHE_HOME"] = cache
        if VMLINUX.exists():
            kernel()
        values()
