"""`ebee prog profile`: what runs of a program cost."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from ebee.cli import report
from ebee.errors import ConfigError

if TYPE_CHECKING:
    from ebee.linux.profile import Profile

YEAR = 365 * 86400


@click.command()
@click.argument("words", nargs=-1, required=True, metavar="PROGRAM [duration S] [METRIC]...")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def profile(words: tuple[str, ...], as_json: bool) -> None:
    """Count what a program's runs cost, for S seconds or until Ctrl-C: runs and time, and with
    METRICs (cycles, instructions, l1d_loads, llc_misses, itlb_misses, dtlb_misses, or any event of
    perf's: branch-misses, page-faults, r1a8, ...) these, by programs at its entry and exit.

    \b
    ebee prog profile name firewall duration 10 cycles instructions
    """
    from ebee.cli import named
    from ebee.linux.profile import counting

    program, rest = named.program(words)
    with program:
        seconds, metrics = _asked(rest)
        began = time.monotonic()
        with counting(program, metrics) as tell:
            with suppress(KeyboardInterrupt):
                time.sleep(YEAR if seconds is None else seconds)
            found, took = tell(), time.monotonic() - began
        about = {"id": program.id, "name": program.name, "seconds": round(took, 3)}
    if as_json:
        report.print_json(about | _document(found))
    else:
        _show(f"program {program.id}: {program.name}, {took:.1f} s", found)


def _asked(words: Sequence[str]) -> tuple[float | None, list[str]]:
    """(seconds, metrics)."""
    if not words or words[0] != "duration":
        return None, list(words)
    try:
        seconds = float(words[1])
    except (IndexError, ValueError):
        raise ConfigError("`duration` takes a number of seconds") from None
    if not 0 < seconds <= YEAR:
        raise ConfigError(f"for {words[1]} seconds? Give a positive number")
    return seconds, list(words[2:])


def _document(found: Profile) -> dict[str, Any]:
    """Keys of the metrics are bpftool's, but for `scaled`: a value as if counted all the time."""
    return {
        "run_cnt": found.runs,
        "run_time_ns": found.nanoseconds,
        "metrics": [
            {"metric": c.metric, "run_cnt": found.runs, "value": c.value, "enabled": c.enabled,
             "running": c.running, "scaled": round(c.scaled)}
            for c in found.counts
        ],
    }  # fmt: skip


def _show(title: str, found: Profile) -> None:
    if not found.runs:
        click.echo(f"{title}: it did not run")
        return
    values: list[tuple[str, int, str | None]] = [("time, ns", found.nanoseconds, None)]
    values += [(c.metric, round(c.scaled), _share(c.running, c.enabled)) for c in found.counts]
    by_metric = {c.metric: c.scaled for c in found.counts}
    rows: list[tuple[Any, ...]] = [
        (name, value, f"{value / found.runs:,.1f}", share) for name, value, share in values
    ]
    if by_metric.get("cycles") and "instructions" in by_metric:
        ratio = by_metric["instructions"] / by_metric["cycles"]
        rows.append(("instructions a cycle", None, f"{ratio:.2f}", None))
    columns = ("metric", "in all", "a run", "counted")
    used = 4 if any(row[3] for row in rows) else 3
    shown = [row[:used] for row in rows]
    report.show(report.table(
        f"{title}, {report.plural(found.runs, 'run')}", columns[:used], shown, ["a run", "counted"],
    ))  # fmt: skip


def _share(running: int, enabled: int) -> str | None:
    """How much of the time there was a counter for it, where that was not all of it."""
    return f"{running / enabled:.0%} of the time" if enabled and running < enabled else None
