"""Start-up: processes of `import ebee`, `ebee --help`, `ebee run`, beside an empty Python.

Python's own bytecode is there, as after an installation. "cold" is with an empty cache of ebee's,
so the program is compiled, and its code for the host too; "warm" is the second time. `ebee run`
ends after the first packet: what is measured is from the shell to it, and the way out.

python bench/startup.py
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
CLI = "import sys; sys.argv[1:] = {!r}.split(); from ebee.cli import main; main()"
FIREWALL = "run examples/firewall.py --pcap examples/data/web.pcapng --limit 1 --top 0"


class Case(NamedTuple):
    """What is measured: code, its limit in ms, and whether ebee's cache is empty each time."""

    code: str
    limit: int | None = None
    cold: bool = False


CASES = {
    "python -c pass": Case("pass"),
    "import ebee": Case("import ebee", 50),
    "ebee --version": Case(CLI.format("--version"), 150),
    "ebee --help": Case(CLI.format("--help"), 150),
    "ebee run --help": Case(CLI.format("run --help"), 150),
    "ebee run firewall.py, warm": Case(CLI.format(FIREWALL), 350),
    "ebee run firewall.py, cold": Case(CLI.format(FIREWALL), 700, cold=True),
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
    """Milliseconds of one process: from start to end, and of processor time in it."""

    wall: float
    cpu: float


def measure(case: Case, env: dict[str, str]) -> Took:
    """One process."""
    with tempfile.TemporaryDirectory(prefix="ebee-bench-") as empty:
        if case.cold:
            env = env | {"XDG_CACHE_HOME": empty}
        begin = time.perf_counter()
        child = subprocess.Popen([sys.executable, "-c", case.code], env=env, cwd=ROOT,
                                 stdout=subprocess.DEVNULL)  # fmt: skip
        _, status, used = os.wait4(child.pid, 0)
        wall = (time.perf_counter() - begin) * 1e3
        child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise SystemExit(f"{case.code} ended with status {child.returncode}")
    return Took(wall, (used.ru_utime + used.ru_stime) * 1e3)


def main() -> int:
    """Print a line for each case; the exit code counts those over their limit. On a machine that is
    busy with other things processor time is what counts."""
    times: dict[str, list[Took]] = {name: [] for name in CASES}
    with surroundings() as env:
        for number in range(RUNS + 1):
            for name, case in CASES.items():  # in turn, so that a busy moment hits all alike
                if FIREWALL in case.code and number > FEW:
                    continue
                took = measure(case, env)
                if number:  # the first round fills the caches
                    times[name].append(took)
    cpus, load = os.cpu_count() or 1, os.getloadavg()[0]
    busy = load > cpus
    print(f"processes, median of {RUNS} ({FEW} of run) in ms ({cpus} CPUs, load {load:.1f})")
    print(f"{'':28} {'time':>8} {'of CPU':>8}")
    over = 0
    for name, case in CASES.items():
        wall, cpu = (statistics.median(part) for part in zip(*times[name], strict=True))
        line = f"{name:28} {wall:8.1f} {cpu:8.1f}"
        if case.limit is not None:
            counts = cpu if busy else wall
            over += counts > case.limit
            said = "within" if counts <= case.limit else "OVER"
            line += f"   limit {case.limit} ms: {said}{' (of CPU: it is busy here)' * busy}"
        print(line)
    return over


if __name__ == "__main__":
    sys.exit(main())
