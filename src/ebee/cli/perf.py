"""`ebee perf`: programs that run through perf events and raw tracepoints of processes."""

from __future__ import annotations

from typing import Any

import click

from ebee.cli import report

NAMED = {
    **dict.fromkeys(("raw_tracepoint", "tracepoint"), "tracepoint"),
    **dict.fromkeys(("kprobe", "kretprobe"), "func"),
    **dict.fromkeys(("uprobe", "uretprobe"), "filename"),
}
"""bpftool's key for the name of each kind of probe."""


@click.group()
def perf() -> None:
    """Programs at tracepoints, kprobes and uprobes that processes hold open."""


@perf.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def show(as_json: bool) -> None:
    """Show which program runs at which probe, and the process that holds it. Needs root."""
    from ebee.cli.link_show import program_name
    from ebee.linux.fdquery import probes

    found = [
        probe._asdict() | {"prog_name": program_name(probe.prog_id), "fd_type": probe.kind}
        | ({NAMED[probe.kind]: probe.name} if probe.kind in NAMED and probe.name else {})
        | ({"addr": probe.address} if probe.address else {})
        for probe in probes()
    ]  # fmt: skip
    if as_json:
        report.print_json(found)
        return
    if not found:
        click.echo("no process holds a probe with a program")
        return
    rows = [(str(p["pid"]), p["comm"], str(p["fd"]), p["kind"], _place(p), p["prog_name"],
             str(p["prog_id"])) for p in found]  # fmt: skip
    columns = ("pid", "process", "fd", "event", "at", "program", "id")
    report.show(report.table(report.plural(len(rows), "probe"), columns, rows))


perf.add_command(show, "list")


def _place(probe: dict[str, Any]) -> str:
    name = probe["name"] or (f"{probe['address']:#x}" if probe["address"] else "")
    return f"{name}+{probe['offset']:#x}" if probe["offset"] else name
