"""Two virtual CPUs on two threads of one machine, beside two processes with a machine each."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ebee.machine.machine import Machine, MachineProgram

from .build import Builder
from .packets import batch_of, firewall, web
from .report import Report

WORK = {
    "parse5": ("parse5", True),
    "firewall": ("firewall", True),
    "firewall, the same flows on both": ("firewall", False),
}
"""Program, and whether each CPU has flows of its own, as network cards hand them out."""

COUNT = 1 << 17
"""Packets of a batch: from batch to batch each thread needs Python's lock for some microseconds."""

SECONDS = 0.3
ENOUGH = 1.7
"""Processors that both sides must get in a round, or not much has run at the same time."""

Until = Callable[[float], tuple[int, float]]
"""Works until a time (of time.monotonic) has come: packets, and seconds of processor time."""


def load(machine: Machine, builder: Builder, what: str) -> MachineProgram:
    """A program on the machine."""
    if what == "firewall":
        return firewall(machine, builder).programs["firewall"]
    return next(iter(machine.load(builder.small(what)).programs.values()))


def flows(cpu: int, own: bool) -> list[bytes]:
    """One packet of each flow that a CPU meets: a half of the clients, or all of them."""
    packets = web()
    half = len(packets) // 2
    return sorted(packets)[cpu * half :][:half] if own else packets


def work(program: MachineProgram, packets: list[bytes], cpu: int = 0) -> Until:
    """Runs batches of these packets."""
    batch = batch_of(packets, COUNT)
    program.compiled(trusted=True)

    def until(end: float) -> tuple[int, float]:
        done, begin = 0, time.thread_time()
        while time.monotonic() < end:
            batch.done = 0
            while program.run_batch(batch, trusted=True, cpu=cpu):
                pass
            done += len(batch)
        return done, time.thread_time() - begin

    until(time.monotonic() + SECONDS / 10)  # maps fill, caches warm
    return until


def run(report: Report, builder: Builder, quick: bool) -> None:
    """Packets a second of both ways, in turn."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    if (cpus or 1) < 2:
        report.say("scaling: one processor, so there is nothing to see")
        return
    rounds = 3 if quick else 12
    rates = {name: _compare(builder, *what, rounds) for name, what in WORK.items()}
    report.numbers["scaling"] = rates
    columns = ["one CPU", "two processes", "two virtual CPUs"]
    report.table(
        "Two at once, million packets a second in all",
        ["program", *columns, "ratio"],
        [[w, *(r[c] for c in columns), r["ratio"]] for w, r in rates.items()],
        "ratio: two virtual CPUs over two processes, one right after the other, per second of"
        " processor time; median of the rounds in which both got their processors. The two"
        " processes have maps of their own, the two CPUs share them: with the same flows on both"
        " they count in the same places.",
    )
    for name, rate in rates.items():
        what = f"two virtual CPUs beside two processes, {name}"
        if not rate["rounds"]:
            report.say(f"not judged: {what}: the machine is too busy with other things")
        elif WORK[name][1]:  # else the processes have less to do: they share nothing
            got = f"{rate['rounds']:.0f} of {rounds} rounds"
            report.judge(what, rate["ratio"], ">=", 0.95, detail=got)


def _compare(builder: Builder, what: str, own: bool, rounds: int) -> dict[str, float]:
    with ExitStack() as stack:
        machine = stack.enter_context(Machine(cpus=2, clock=0, seed=0))
        program = load(machine, builder, what)
        threads = [work(program, flows(cpu, own), cpu) for cpu in (0, 1)]
        processes = [
            stack.enter_context(Process(builder.folder, what, cpu, own)).until for cpu in (0, 1)
        ]
        single, pairs = 0.0, []
        for _ in range(rounds):
            single = max(single, _at_once(threads[:1])[0])
            pairs.append((_at_once(processes), _at_once(threads)))
        full = [p for p in pairs if min(p[0][1], p[1][1]) >= ENOUGH]
        ratios = sorted(ours[0] / theirs[0] for theirs, ours in full)
        return {
            "one CPU": single / 1e6,
            "two processes": 2 * max(p[0][0] for p in pairs) / 1e6,
            "two virtual CPUs": 2 * max(p[1][0] for p in pairs) / 1e6,
            "ratio": ratios[len(ratios) // 2] if ratios else math.nan,
            "rounds": len(full),
        }


def _at_once(tasks: Sequence[Until]) -> tuple[float, float]:
    """Packets per second of processor time, and processors that all together got."""
    begin = time.monotonic()
    end = begin + SECONDS
    done: list[tuple[int, float]] = []
    threads = [threading.Thread(target=lambda t=t: done.append(t(end))) for t in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(done) != len(tasks):
        raise RuntimeError("a thread or a process has failed")
    used = sum(seconds for _, seconds in done)
    return sum(count for count, _ in done) / used, used / (time.monotonic() - begin)


class Process:
    """A process with a machine of its own, which works when it is told to."""

    def __init__(self, folder: Path, what: str, cpu: int, own: bool):
        place = str(Path(__file__).resolve().parents[1])
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bench.scaling", str(folder), what, str(cpu), str(int(own))],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=place,
        )  # fmt: skip
        self.answer()  # it is ready

    def answer(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the other process ended with status {self.process.wait()}")
        return json.loads(line)

    def until(self, end: float) -> tuple[int, float]:
        """See `Until`."""
        assert self.process.stdin is not None
        print(end, file=self.process.stdin, flush=True)
        count, seconds = self.answer()
        return int(count), float(seconds)

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *error: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(timeout=30)
        assert self.process.stdout is not None
        self.process.stdout.close()


def main(folder: str, what: str, cpu: str, own: str) -> None:
    """The other process: times come in, counts and processor seconds go out."""
    with Machine(clock=0, seed=0) as machine:
        program = load(machine, Builder(Path(folder)), what)
        until = work(program, flows(int(cpu), own == "1"))
        print("true", flush=True)
        for line in sys.stdin:
            print(json.dumps(until(float(line))), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
