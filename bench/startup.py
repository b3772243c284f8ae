"""Start-up: processes of `import ebee`, `ebee --help` and others, beside an empty Python.

python bench/startup.py
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time

RUNS = 20
CLI = "import sys; sys.argv[1:] = {!r}.split(); from ebee.cli import main; main()"
CASES = {
    "python -c pass": ("pass", None),
    "import ebee": ("import ebee", 50),
    "ebee --version": (CLI.format("--version"), 150),
    "ebee --help": (CLI.format("--help"), 150),
    "ebee run --help": (CLI.format("run --help"), 150),
}
"""What is measured -> (code, limit in ms)."""


def milliseconds(code: str) -> float:
    """One process, from start to end."""
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], stdout=subprocess.DEVNULL, check=True)
    return (time.perf_counter() - begin) * 1e3


def main() -> int:
    """Print a line for each case; the exit code counts those over their limit."""
    times: dict[str, list[float]] = {name: [] for name in CASES}
    for number in range(RUNS + 1):
        for name, (code, _) in CASES.items():  # in turn, so that a busy moment hits all alike
            took = milliseconds(code)
            if number:  # the first round fills the caches
                times[name].append(took)
    base = statistics.median(times["python -c pass"])
    over = 0
    print(f"process times, median and best of {RUNS}, in ms ({os.cpu_count()} CPUs)")
    for name, (_, limit) in CASES.items():
        median, best = statistics.median(times[name]), min(times[name])
        line = f"{name:18} {median:7.1f} {best:7.1f}   {median / base:4.1f} x an empty Python"
        if limit is not None:
            over += median > limit
            line += f"   limit {limit} ms: {'within' if median <= limit else 'OVER'}"
        print(line)
    return over


if __name__ == "__main__":
    sys.exit(main())
