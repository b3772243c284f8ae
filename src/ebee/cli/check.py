"""`ebee check`: what Linux's verifier says of programs, without Linux."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from ebee.cli import report
from ebee.cli.source import pick, read_spec
from ebee.errors import KernelError, ObjectError, VerifierError

if TYPE_CHECKING:
    from ebee.obj.spec import ObjectSpec
    from ebee.verifier.core.check import Verdict

REJECTED, UNKNOWN, DIFFERS = 3, 4, 5
"""Exit codes: a program is rejected; none is, but of one ebee does not know enough; ebee and the
running kernel say different things."""


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--prog", metavar="NAME", help="Only this program.")
@click.option("--kernel", default="6.18", show_default=True, help="Whose rules: 6.12 or 6.18.")
@click.option(
    "--max-processed", type=click.IntRange(1), metavar="N",
    help="Instructions to walk at the most (the kernel's limit is 1,000,000).",
)  # fmt: skip
@click.option(
    "--against-kernel", is_flag=True,
    help="Load each program into the running kernel as well, and report any difference.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def check(
    files: tuple[str, ...],
    prog: str | None,
    kernel: str,
    max_processed: int | None,
    against_kernel: bool,
    as_json: bool,
) -> None:
    """Say for each program in FILE (an object or C source) whether Linux would accept it.

    Needs no root and no Linux, and accepts nothing of which it does not know the rules. The exit
    code is 0 when all are accepted, 3 when one is rejected, 4 when ebee does not know, 5 when
    --against-kernel found a difference.

    \b
    ebee check firewall.bpf.o
    ebee check --kernel 6.12 --json firewall.c
    """
    from ebee.verifier.core.check import check as check_one
    from ebee.verifier.core.profile import profile

    rules = profile(kernel)
    if max_processed is not None:
        rules = replace(rules, max_processed=max_processed)
    rows: list[dict[str, Any]] = []
    for file in files:
        spec = read_spec(file)
        programs = spec.programs
        if prog is not None:
            programs = {prog: pick("program", programs, prog, file)}
        if not programs:
            raise ObjectError(f"{file} has no programs to check")
        for name in programs:
            verdict = check_one(spec, name, rules)
            row = _row(file, verdict)
            if against_kernel:
                row["running"] = _running(spec, name)
                row["differs"] = _difference(row)
            rows.append(row)
            if not as_json:
                _show(row, verdict)
    if as_json:
        report.print_json(rows)
    raise click.exceptions.Exit(_status(rows))


def _row(file: str, verdict: Verdict) -> dict[str, Any]:
    row: dict[str, Any] = {
        "file": file, "program": verdict.program, "kernel": verdict.kernel,
        "outcome": verdict.outcome, "processed": verdict.processed,
    }  # fmt: skip
    if not verdict.accepted:
        row |= {"id": verdict.id, "message": verdict.message, "detail": verdict.detail}
        row |= {"instruction": verdict.slot, "text": verdict.instruction}
        if verdict.line is not None:
            at = verdict.line
            row |= {"source": at.file, "line": at.line, "column": at.column}
    return row


def _running(spec: ObjectSpec, name: str) -> dict[str, Any]:
    """The running kernel's verdict; "unknown" when it did not come to one."""
    from ebee.linux.backend import load
    from ebee.linux.programs import digest

    try:
        with load(spec, programs=[name]):
            return {"outcome": "accepted", "message": ""}
    except VerifierError as error:
        return {"outcome": "rejected", "message": digest(error.log)[0]}
    except KernelError as error:
        return {"outcome": "unknown", "message": error.summary}


def _difference(row: dict[str, Any]) -> str:
    """How the two verdicts differ; "" when they do not."""
    running = row["running"]
    if "unknown" in (row["outcome"], running["outcome"]):
        return ""
    if row["outcome"] != running["outcome"]:
        return f"ebee: {row['outcome']}, the running kernel: {running['outcome']}"
    last = row.get("message", "").split("\n")[-1]
    return "" if last in running["message"] else "the messages differ"


def _show(row: dict[str, Any], verdict: Verdict) -> None:
    style = {"accepted": "green", "rejected": "red", "unknown": "yellow"}[verdict.outcome]
    click.echo(click.style("● ", fg=style) + str(verdict))
    if running := row.get("running"):
        words = f": {running['message']}" if running["message"] else ""
        click.echo(f"  the running kernel: {running['outcome']}{words}")
        if row["differs"]:
            click.secho(f"  difference: {row['differs']}", fg="yellow")


def _status(rows: list[dict[str, Any]]) -> int:
    if any(row.get("differs") for row in rows):
        return DIFFERS
    outcomes = {row["outcome"] for row in rows}
    if "rejected" in outcomes:
        return REJECTED
    return UNKNOWN if "unknown" in outcomes else 0
