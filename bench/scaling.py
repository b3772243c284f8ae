"""Two virtual CPUs on two threads of one machine, beside two processes with a machine each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from ebee.machine.machine import Machine, MachineProgram

from .build import Builder
from .packets import batch_of, firewall, web
from .report import Report

WORK = ("parse5", "firewall")
SECONDS = 0.4
ENOUGH = 1.5
"""Processors that two threads must get in some round, or nothing has run at the same time."""


def load(machine: Machine, builder: Builder, what: str) -> MachineProgram:
    """A program on the machine."""
    if what == "firewall":
        return firewall(machine, builder).programs["firewall"]
    return next(iter(machine.load(builder.small(what)).programs.values()))


def work(program: MachineProgram, cpu: int = 0) -> Callable[[float], int]:
    """Runs batches until a time (of time.monotonic) has come; how many packets that were."""
    batch = batch_of(web())
    program.compiled(trusted=True)

    def until(end: float) -> int:
        done = 0
        while time.monotonic() < end:
            batch.done = 0
            while program.run_batch(batch, trusted=True, cpu=cpu):
                pass
            done += len(batch)
        return done

    until(0)
    return until


def run(report: Report, builder: Builder, quick: bool) -> None:
    """Packets a second of both ways, in turn."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    if (cpus or 1) < 2:
        report.say("scaling: one processor, so there is nothing to see")
        return
    rounds = 2 if quick else 8
    rates = {what: _compare(builder, what, rounds) for what in WORK}
    report.numbers["scaling"] = rates
    columns = ["one CPU", "two processes", "two virtual CPUs"]
    report.table(
        "Two at once, million packets a second in all",
        ["program", *columns, "ratio"],
        [[w, *(r[c] for c in columns), r["ratio"]] for w, r in rates.items()],
        "ratio: two virtual CPUs over two processes, one right after the other; median of rounds.",
    )
    for what, rate in rates.items():
        what = f"two virtual CPUs beside two processes, {what}"
        got = f"the threads got {rate['processors']:.2g} processors"
        if rate["processors"] < ENOUGH:
            report.say(f"not judged: {what}: {got}, the machine is too busy with other things")
        else:
            report.judge(what, rate["ratio"], ">=", 0.95, detail=got)


def _compare(builder: Builder, what: str, rounds: int) -> dict[str, float]:
    with ExitStack() as stack:
        machine = stack.enter_context(Machine(cpus=2, clock=0, seed=0))
        program = load(machine, builder, what)
        threads = [work(program, cpu) for cpu in (0, 1)]
        processes = [stack.enter_context(Process(builder.folder, what)) for _ in (0, 1)]
        single, got, pairs = 0.0, 0.0, []
        for _ in range(rounds):
            single = max(single, threads[0](time.monotonic() + SECONDS) / SECONDS)
            theirs, used = _at_once([p.until for p in processes]), time.process_time()
            begin = time.monotonic()
            pairs.append((theirs, _at_once(threads)))
            got = max(got, (time.process_time() - used) / (time.monotonic() - begin))
        ratios = sorted(ours / theirs for theirs, ours in pairs)
        return {
            "one CPU": single / 1e6,
            "two processes": max(p[0] for p in pairs) / 1e6,
            "two virtual CPUs": max(p[1] for p in pairs) / 1e6,
            "ratio": ratios[len(ratios) // 2],
            "processors": got,
        }


def _at_once(tasks: list[Callable[[float], int]]) -> float:
    """Packets a second of all together."""
    end = time.monotonic() + SECONDS
    done: list[int] = []
    threads = [threading.Thread(target=lambda t=t: done.append(t(end))) for t in tasks]
    begin = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(done) != len(tasks):
        raise RuntimeError("a thread or a process has failed")
    return sum(done) / (time.monotonic() - begin)


class Process:
    """A process with a machine of its own, which works when it is told to."""

    def __init__(self, folder: Path, what: str):
        place = str(Path(__file__).resolve().parents[1])
        self.process = subprocess.Popen(
            [sys.executable, "-m", "bench.scaling", str(folder), what],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=place,
        )  # fmt: skip
        self.answer()  # it is ready

    def answer(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the other process ended with status {self.process.wait()}")
        return json.loads(line)

    def until(self, end: float) -> int:
        """See `work`."""
        assert self.process.stdin is not None
        print(end, file=self.process.stdin, flush=True)
        return int(self.answer())

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *error: object) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(timeout=30)
        assert self.process.stdout is not None
        self.process.stdout.close()


def main(folder: str, what: str) -> None:
    """The other process: times come in, counts go out."""
    with Machine(clock=0, seed=0) as machine:
        until = work(load(machine, Builder(Path(folder)), what))
        print("true", flush=True)
        for line in sys.stdin:
            print(until(float(line)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
