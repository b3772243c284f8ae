"""`ebee top`: which programs of the kernel take how much time, and which maps how much memory."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from ebee.cli import report

if TYPE_CHECKING:
    from rich.console import Group

SORTS = {"cpu": "cpu", "runs": "runs", "time": "mean", "memory": "memory"}
MAPS = 10
"""Maps that are shown, unless all are asked for."""


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
@click.option("--all", "everything", is_flag=True,
              help="Programs that did not run, too, and all maps.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON document for each look.")
def top(interval: float, count: int | None, sort: str, everything: bool, as_json: bool) -> None:
    """Show which programs take how much time (CPU, runs a second, time of a run), and the maps that
    take most memory. Needs root; ends with Ctrl-C.

    While it runs the kernel counts the runs of all programs, which costs each run some 20 ns.
    """
    from ebee.linux.programs import enable_stats

    with enable_stats():
        looks = _looks(interval, count, SORTS[sort], everything)
        if as_json:
            import json

            for programs, maps in looks:
                print(json.dumps({"programs": programs, "maps": maps}), flush=True)
        elif report.is_terminal():
            _live(looks)
        else:
            for number, (programs, maps) in enumerate(looks):
                parts = [_table(programs), *(["", _map_table(maps)] if maps else [])]
                report.show(*([""] if number else []), *parts)


def _looks(
    interval: float, count: int | None, key: str, everything: bool
) -> Iterator[tuple[list[dict[str, Any]], list[dict[str, Any]]]]:
    """(what programs did between one look and the next, maps), `count` times."""
    before, then = _samples(), time.monotonic()
    number = 0
    while count is None or number < count:
        time.sleep(interval)
        now, after = time.monotonic(), _samples()
        rows = [_row(before.get(id), sample, now - then) for id, sample in after.items()]
        rows = [row for row in rows if row["runs"] or everything]
        rows.sort(key=lambda row: (-row[key], row["id"]))
        yield rows, _maps()[: None if everything else MAPS]
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


def _maps() -> list[dict[str, Any]]:
    """The maps, those that take most memory first."""
    from ebee.linux.info import each
    from ebee.linux.maps import LinuxMap
    from ebee.linux.owners import fdinfo

    rows = [
        {"id": m.id, "name": m.name, "type": m.type, "max_entries": m.max_entries,
         "memory": int(fdinfo("self", m.fd.fileno()).get("memlock", 0))}
        for m in each("map", LinuxMap.from_id)
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (-row["memory"], row["id"]))


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


def _map_table(rows: list[dict[str, Any]]) -> Group:
    cells = [
        (str(row["id"]), row["name"], row["type"], row["max_entries"], report.size(row["memory"]))
        for row in rows
    ]
    return report.table("Maps", ("id", "map", "type", "entries", "memory"), cells, ["memory"])


def _live(looks: Iterator[tuple[list[dict[str, Any]], list[dict[str, Any]]]]) -> None:
    from rich.console import Group
    from rich.live import Live

    out = report.console()
    with Live(console=out, screen=True, auto_refresh=False) as live:
        for programs, maps in looks:
            room = max(out.height - 8, 2)  # for rows, beside titles and heads
            below = min(len(maps), room // 3)
            parts = [_table(programs[: room - below])]
            parts += [Group("", _map_table(maps[:below]))] if below else []
            live.update(Group(*parts), refresh=True)
