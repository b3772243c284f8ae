"""Start-up: processes of `import ebee`, `ebee --help`, `ebee run`, and compiling, beside an empty
Python.

Python's own bytecode is there, as after an installation. "cold" is with an empty cache of ebee's,
so the program is compiled; "warm" is the second time. `ebee run` ends after the first packet: what
is measured is from the shell to it, and the way out.

A compile is `ebee.compile(file)` in a new process that has imported ebee and nothing else of it, so
what the compile imports counts. "warm worker": the process has compiled something else before.

python bench/startup.py [RUNS]
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
RUNS, FEW = 20, 7
"""Rounds, and how many of them `ebee run` and first compiles take part in."""
CLI = "import sys; sys.argv[1:] = {!r}.split(); from ebee.cli import main; main()"
FIREWALL = "run examples/firewall.py --pcap examples/data/web.pcapng --limit 1 --top 0"


COMPILE = """
import sys, time, ebee
if {warm}: ebee.compile("examples/counter.py")
begin = time.perf_counter(), time.process_time()
ebee.compile({file!r})
end = time.perf_counter(), time.process_time()
print(*(b - a for a, b in zip(begin, end)))
"""
PARTS = "dns_watcher", "syscall_counter"
"""Examples that together are a program of a hundred lines."""


class Case(NamedTuple):
    """What is measured: code, its limit in ms, whether ebee's cache is empty each time, and whether
    the code says itself how many seconds it took."""

    code: str
    limit: int | None = None
    cold: bool = False
    says: bool = False

    @property
    def slow(self) -> bool:
        return self.cold or FIREWALL in self.code


def compiling(file: str, limit: int, cold: bool = False, warm: bool = False) -> Case:
    return Case(COMPILE.format(file=file, warm=warm), limit, cold, says=True)


def cases(hundred: str) -> dict[str, Case]:
    """What is measured, by name; `hundred`: a file of a hundred lines."""
    firewall = "examples/firewall.py"
    return {
        "python -c pass": Case("pass"),
        "import ebee": Case("import ebee", 50),
        "ebee --version": Case(CLI.format("--version"), 150),
        "ebee --help": Case(CLI.format("--help"), 150),
        "ebee run --help": Case(CLI.format("run --help"), 150),
        "ebee run firewall.py, warm": Case(CLI.format(FIREWALL), 350),
        "ebee run firewall.py, cold": Case(CLI.format(FIREWALL), 700, cold=True),
        "compile firewall.py, first": compiling(firewall, 300, cold=True),
        "compile firewall.py, from the cache": compiling(firewall, 15),
        "compile 100 lines, warm worker": compiling(hundred, 150, cold=True, warm=True),
        "compile 100 lines, from the cache": compiling(hundred, 10),
    }


@contextmanager
def surroundings() -> Iterator[dict[str, str]]:
    """An environment with a bytecode cache and a cache of ebee's that are ours alone."""
    with tempfile.TemporaryDirectory(prefix="ebee-bench-") as folder:
        env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        env |= {"PYTHONPYCACHEPREFIX": f"{folder}/bytecode", "XDG_CACHE_HOME": f"{folder}/cache"}
        Path(folder, "cache").mkdir(mode=0o700)
        yield env


class Took(NamedTuple):
    """Milliseconds: time that passed, and of processor time in the process and its children."""

    wall: float
    cpu: float


def measure(case: Case, env: dict[str, str]) -> Took:
    """One process."""
    with tempfile.TemporaryDirectory(prefix="ebee-bench-") as empty:
        if case.cold:
            env = env | {"XDG_CACHE_HOME": empty}
        begin = time.perf_counter()
        child = subprocess.Popen([sys.executable, "-c", case.code], env=env, cwd=ROOT,
                                 stdout=subprocess.PIPE, text=True)  # fmt: skip
        assert child.stdout is not None
        said = child.stdout.read()
        _, status, used = os.wait4(child.pid, 0)
        wall = (time.perf_counter() - begin) * 1e3
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{case.code} ended with status {child.returncode}")
    if case.says:
        return Took(*(float(word) * 1e3 for word in said.split()))
    return Took(wall, (used.ru_utime + used.ru_stime) * 1e3)


def main() -> int:
    """Print a line for each case; the exit code counts those over their limit. The least of all
    rounds is what counts, and on a machine that is busy with other things, of processor time."""
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    with surroundings() as env:
        hundred = Path(env["XDG_CACHE_HOME"], "hundred.py")
        parts = [(ROOT / "examples" / f"{name}.py").read_text() for name in PARTS]
        hundred.write_text("\n".join(parts))
        chosen = cases(str(hundred))
        times: dict[str, list[Took]] = {name: [] for name in chosen}
        for number in range(runs + 1):
            for name, case in chosen.items():  # in turn, so that a busy moment hits all alike
                if case.slow and number > FEW:
                    continue
                took = measure(case, env)
                if number:  # the first round fills the caches
                    times[name].append(took)
    cpus, load = os.cpu_count() or 1, os.getloadavg()[0]
    busy = load > cpus
    print(f"{runs} rounds ({min(FEW, runs)} of the slow ones), ms ({cpus} CPUs, load {load:.1f})")
    print(f"{'':36} {'least':>7} {'median':>7} {'of CPU':>7} {'median':>7}")
    over = 0
    for name, case in chosen.items():
        wall, cpu = zip(*times[name], strict=True)
        figures = min(wall), statistics.median(wall), min(cpu), statistics.median(cpu)
        line = f"{name:36}" + "".join(f" {figure:7.1f}" for figure in figures)
        if case.limit is not None:
            counts = min(cpu) if busy else min(wall)
            over += counts > case.limit
            said = "within" if counts <= case.limit else "OVER"
            line += f"   limit {case.limit} ms: {said}{' (of CPU: it is busy here)' * busy}"
        print(line)
    return over


if __name__ == "__main__":
    sys.exit(main())
