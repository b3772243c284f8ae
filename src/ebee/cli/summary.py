"""What `ebee run` shows at the end: tables for people, or a document for programs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from ebee.cli import report

if TYPE_CHECKING:
    from ebee.cli.companion import Table
    from ebee.cli.session import Session


MANY = 2000
"""Packets from which on maps may be large."""


def finish(session: Session) -> None:
    """Show what came out: the tables, or one JSON document."""
    if session.options["as_json"]:
        report.print_json(document(session))
    else:
        show(session, stderr=session.options["out"] == "-")


def show(session: Session, stderr: bool = False) -> None:
    """The tables."""
    total = session.total
    if total:
        report.show(_verdicts(session), *_notes(session), "", stderr=stderr)
    elif session.options["pcap"]:
        report.show("the capture has no packets", "", stderr=stderr)
    if session.runs:
        report.show(*_runs(session), "", stderr=stderr)
    for title, columns, rows in tables(session):
        if rows:
            report.show(report.table(title, columns, rows), "", stderr=stderr)
    if session.events and session.options["pcap"]:
        shown, n = len(session.events), session.event_count
        title = f"Events, the first {shown} of {n:,}" if n > shown else "Events"
        lines = [f"  {session.companion.event_line(e)}" for e in session.events]
        report.show(report.heading(title), *lines, "", stderr=stderr)


def tables(session: Session) -> list[Table]:
    """What to show of the maps."""
    if session.total > MANY:
        session.place.hasten(session.loaded)
    return session.companion.tables(session.loaded.object, session.options["top"])


def _verdicts(session: Session) -> Any:
    total, octets = session.total, sum(session.bytes.values())
    where = {"machine": "on the machine", "linux": "in the kernel"}[session.place.name]
    rows: list[tuple[Any, ...]] = []
    for name, n in session.packets.most_common():
        colour = report.verdict(name)
        filled = report.bar(n / total, style=str(colour.style))
        rows.append((colour, n, session.bytes[name], f"{100 * n / total:.1f} %", filled))
    rows.append(("total", total, octets, "", ""))
    source = os.path.basename(session.source) or session.source
    title = f"{session.program.name} {where}, {source}"
    columns = ("verdict", "packets", "bytes", "share", "")
    return report.table(title, columns, rows, right=("share",), total=True)


def _notes(session: Session) -> list[Any]:
    if not session.options["pcap"]:
        return []
    engine, seconds = session.loaded.engine, session.seconds
    ran = session.total - sum(engine.not_run.values())
    rate = report.rate(ran / max(seconds, 1e-9))
    notes = [f"{rate} packets/s ({engine.name}, {seconds:.2f} s)"]
    for reason, n in engine.not_run.items():
        notes.append(f"{report.plural(n, 'packet')} not run: {reason}")
    if session.cut:
        notes.append(f"{report.plural(session.cut, 'packet')} had been cut when captured")
    return notes


def _runs(session: Session) -> list[str]:
    """What the kernel counted, a line for each program."""
    lines, unit = [], "run" if session.source == "its hooks" else "packet"
    for name, (count, ns) in (session.runs or {}).items():
        each = f", {ns / count:.0f} ns each" if count else ""
        rate = report.rate(count / max(session.seconds, 1e-9))
        many = report.plural(count, unit)
        lines.append(f"{name}: {many} in {session.seconds:.1f} s ({rate}/s{each})")
    return lines


def document(session: Session) -> dict[str, Any]:
    """The same as JSON. Keys are only ever added."""
    options = session.options
    runs = None
    if session.runs is not None:
        runs = [sum(part) for part in zip(*session.runs.values(), strict=True)]
    found: dict[str, Any] = {
        "file": session.file,
        "program": session.program.name,
        "on": session.place.name,
        "engine": session.loaded.engine.name if options["pcap"] else "live",
        "source": session.source,
        "packets": session.total,
        "bytes": sum(session.bytes.values()),
        "seconds": round(session.seconds, 6),
        "verdicts": {
            name: {"packets": n, "bytes": session.bytes[name]}
            for name, n in sorted(session.packets.items())
        },
        "not_run": dict(session.loaded.engine.not_run),
        "cut": session.cut,
        "runs": None if runs is None else {"count": runs[0], "ns": runs[1]},
        "variables": {name: v.value for name, v in session.loaded.object.variables.items()},
        "tables": [
            {"title": title, "rows": [dict(zip(columns, row, strict=True)) for row in rows]}
            for title, columns, rows in tables(session)
        ],
        "events": {"count": session.event_count, "first": session.events},
    }
    return found
