"""`ebee top`: which programs of the kernel take how much time, live."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from ebee.cli import report

if TYPE_CHECKING:
    from rich.console import Group

SORTS = {"cpu": "cpu", "runs": "runs", "time": "mean", "memory": "memory"}


class Sample(NamedTuple):
    """A program's counters at one time: `runs` and `ns` since it was loaded."""

    id: int
    name: str
    type: str
    runs: int
    ns: int
    memory: int


@click.command()
@click.option("--interval", type=click.FloatRange(0.05), default=1.0, show_default=True,
              metavar="S", help="Seconds between two looks.")  # fmt: skip
@click.option("-n", "--count", type=click.IntRange(1), help="End after so many looks.")
@click.option("--sort", type=click.Choice(list(SORTS)), default="cpu", show_default=True)
@click.option("--all", "everything", is_flag=True, help="Programs that did not run, too.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document for each look.")
def top(interval: float, count: int | None, sort: str, everything: bool, as_json: bool) -> None:
    """Show which programs take how much time: CPU, runs a second, time of a run. Needs root; ends
    with Ctrl-C.

    While it runs the kernel counts the runs of all programs, which costs each run some 20 ns.
    """
    from ebee.linux.programs import enable_stats

    with enable_stats():
        looks = _looks(interval, count, SORTS[sort], everything)
        if as_json:
            import json

            for rows in looks:
                print(json.dumps(rows), flush=True)
        elif report.is_terminal():
            _live(looks)
        else:
            for number, rows in enumerate(looks):
                report.show(*([""] if number else []), _table(rows))


def _looks(
    interval: float, count: int | None, key: str, everything: bool
) -> Iterator[list[dict[str, Any]]]:
    """What happened between one look and the next, `count` times."""
    before, then = _samples(), time.monotonic()
    number = 0
    while count is None or number < count:
        time.sleep(interval)
        now, after = time.monotonic(), _samples()
        rows = [_row(before.get(id), sample, now - then) for id, sample in after.items()]
        rows = [row for row in rows if row["runs"] or everything]
        yield sorted(rows, key=lambda row: (-row[key], row["id"]))
        before, then, number = after, now, number + 1


def _samples() -> dict[int, Sample]:
    from ebee.linux.info import each
    from ebee.linux.owners import fdinfo
    from ebee.linux.programs import LinuxProgram

    found = {}
    for program in each("prog", LinuxProgram.from_id):
        info = program.info()
        memory = int(fdinfo("self", program.fd.fileno()).get("memlock", 0))
        found[program.id] = Sample(program.id, program.name, program.type, info.get("run_cnt", 0),
                                   info.get("run_time_ns", 0), memory)  # fmt: skip
    return found


def _row(before: Sample | None, after: Sample, seconds: float) -> dict[str, Any]:
    runs = after.runs - (before.runs if before else 0)
    ns = after.ns - (before.ns if before else 0)
    return {
        "id": after.id, "name": after.name, "type": after.type,
        "cpu": ns / seconds / 1e9 * 100, "runs": round(runs / seconds, 1),
        "mean": ns / runs if runs else 0.0, "memory": after.memory,
    }  # fmt: skip


def _table(rows: list[dict[str, Any]]) -> Group:
    cells = [
        (str(row["id"]), row["name"], row["type"], f"{row['cpu']:.3f} %", report.rate(row["runs"]),
         f"{row['mean']:,.0f}", report.size(row["memory"]))
        for row in rows
    ]  # fmt: skip
    columns = ("id", "program", "type", "CPU", "runs/s", "ns a run", "memory")
    return report.table(time.strftime("%H:%M:%S"), columns, cells, columns[3:])


def _live(looks: Iterator[list[dict[str, Any]]]) -> None:
    from rich.live import Live

    out = report.console()
    with Live(console=out, screen=True, auto_refresh=False) as live:
        for rows in looks:
            live.update(_table(rows[: max(out.height - 4, 1)]), refresh=True)
