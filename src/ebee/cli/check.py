"""`ebee check`: what Linux's verifier says of programs, without Linux."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from ebee.cli import report
from ebee.cli.source import pick, read_spec
from ebee.errors import EbeeError, KernelError, ObjectError, VerifierError

if TYPE_CHECKING:
    from ebee.btf import Btf
    from ebee.obj.spec import ObjectSpec
    from ebee.verifier.core.check import Verdict
    from ebee.verifier.core.privileges import Privileges
    from ebee.verifier.core.profile import Profile

_PROCESSED = re.compile(r"processed (\d+) insns")
RUN_BUDGET = 60_000
"""Instructions to walk at the most before a program is run: one to two seconds."""

REJECTED, UNKNOWN, DIFFERS = 3, 4, 5
"""Exit codes: a program is rejected; none is, but of one ebee does not know enough; ebee and the
running kernel say different things."""


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--prog", metavar="NAME", help="Only this program.")
@click.option(
    "--kernel",
    default="6.18",
    show_default=True,
    help="Whose rules: 6.12, 6.18 or a level (6.18.3).",
)
@click.option(
    "--max-processed", type=click.IntRange(1), metavar="N",
    help="Instructions to walk at the most (the kernel's limit is 1,000,000).",
)  # fmt: skip
@click.option(
    "--cpus", type=click.IntRange(1, 8192), metavar="N",
    help="Processors that the machine may have (any machine: 8192; --against-kernel: as here).",
)  # fmt: skip
@click.option(
    "--caps", metavar="NAMES",
    help="Capabilities of the loader, with commas: bpf, perfmon, net_admin; none; all (default).",
)  # fmt: skip
@click.option(
    "--config", metavar="FILE", type=click.Path(exists=True, dir_okay=False),
    help="That kernel's configuration (.config), which `__kconfig` variables show.",
)  # fmt: skip
@click.option(
    "--against-kernel", is_flag=True,
    help="Load each program into the running kernel as well, and report any difference.",
)  # fmt: skip
@click.option(
    "--log-level", type=click.IntRange(0, 2), default=0, metavar="N",
    help="Print the log in the kernel's format: 1: the path that failed, 2: every path.",
)  # fmt: skip
@click.option(
    "--btf", "btf_file", metavar="FILE",
    help="The kernel's types (a vmlinux or raw BTF), if not those of the running kernel.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def check(
    files: tuple[str, ...],
    prog: str | None,
    kernel: str,
    max_processed: int | None,
    cpus: int | None,
    caps: str | None,
    config: str | None,
    against_kernel: bool,
    log_level: int,
    btf_file: str | None,
    as_json: bool,
) -> None:
    """Say for each program in FILE (an object, C or Python source) whether Linux would accept it.

    Needs no root and no Linux, and accepts nothing of which it does not know the rules. (Python
    source is compiled first, which needs llvmlite; an object does not.) The exit code is 0 when
    all are accepted, 3 when one is rejected, 4 when ebee does not know, 5 when --against-kernel
    found a difference.

    \b
    ebee check firewall.bpf.o
    ebee check --kernel 6.12 --json firewall.c
    ebee check --against-kernel --log-level 1 firewall.bpf.o
    """
    from ebee.verifier.core.check import check as check_one

    if against_kernel and config is not None:
        raise click.UsageError("the running kernel has its own --config")
    rules = _rules(kernel, max_processed, cpus, caps, against_kernel)
    types = _types(btf_file) if btf_file is not None else None
    rows: list[dict[str, Any]] = []
    for file in files:
        spec = read_spec(file)
        programs = spec.programs
        if prog is not None:
            programs = {prog: pick("program", programs, prog, file)}
        if not programs:
            raise ObjectError(f"{file} has no programs to check")
        options = _options(spec, config) if config or against_kernel else None
        for name in programs:
            verdict = check_one(spec, name, rules, types, log_level, config=options)
            row = _row(file, verdict)
            if against_kernel:
                row["running"] = _running(spec, name)
                row["differs"] = _difference(row)
            rows.append(row)
            if not as_json:
                _show(row, verdict)
    if as_json:
        report.print_json(rows)
    _warn_of_types()
    raise click.exceptions.Exit(_status(rows))


def _rules(
    kernel: str, max_processed: int | None, cpus: int | None, caps: str | None, here: bool
) -> Profile:
    """The rules of a version, changed as the options say; `here`: to what holds on this machine."""
    from ebee.verifier.core.profile import profile

    rules = profile(kernel)
    if max_processed is not None:
        rules = replace(rules, max_processed=max_processed)
    if cpus is None and here:
        from ebee.linux.host import possible_cpus

        cpus = possible_cpus()
    if cpus is not None:
        rules = replace(rules, cpus=cpus)
    if caps is not None:
        from ebee.verifier.core.privileges import parse

        rules = replace(rules, privileges=parse(caps))
    if here:
        rules = replace(rules, privileges=_own_privileges(rules.privileges, caps))
    return rules


def _options(spec: ObjectSpec, config: str | None) -> dict[str, bytes]:
    """What variables of the configuration hold."""
    from ebee.linux.kconfig import values

    return values(spec, config)


def _own_privileges(asked: Privileges, caps: str | None) -> Privileges:
    """This process's capabilities, for which the running kernel answers."""
    from ebee.linux.host import missing_capabilities, read
    from ebee.verifier.core.privileges import CAPABILITIES, Privileges

    mine = {field: not missing_capabilities((name,)) for name, field in CAPABILITIES.items()}
    held = Privileges(**mine, mitigations="mitigations=off" not in (read("/proc/cmdline") or ""))
    if caps is not None and replace(asked, mitigations=held.mitigations) != held:
        names = ",".join(field for field, has in mine.items() if has) or "none"
        raise click.UsageError(
            f"the running kernel answers for this process, whose capabilities are {names}:"
            " --against-kernel goes with those only"
        )
    return held


def _warn_of_types() -> None:
    """Say so when the kernel's types were needed, and those that come with ebee stood in."""
    from ebee.verifier.core.program import running_kernel

    kernel = running_kernel() if running_kernel.cache_info().currsize else None
    if kernel is not None and kernel.partial:
        report.warn(f"there is no kernel with BTF here: checked against {kernel.name}; --btf FILE "
                    "takes another")  # fmt: skip


def _types(path: str) -> Btf:
    from ebee.btf import Btf
    from ebee.errors import BtfError

    try:
        return Btf.load(path)
    except (OSError, BtfError) as error:
        raise ObjectError(f"cannot read the kernel's types from {path}: {error}") from None


def _row(file: str, verdict: Verdict) -> dict[str, Any]:
    row: dict[str, Any] = {
        "file": file, "program": verdict.program, "kernel": verdict.kernel,
        "outcome": verdict.outcome, "processed": verdict.processed,
    }  # fmt: skip
    if not verdict.accepted:
        row |= {"id": verdict.id, "message": verdict.message, "detail": verdict.detail}
        row |= {"advice": verdict.advice, "instruction": verdict.slot, "text": verdict.instruction}
        if verdict.line is not None:
            at = verdict.line
            row |= {"source": at.file, "line": at.line, "column": at.column}
        if verdict.why is not None:
            row["why"] = list(verdict.why.lines())
    if verdict.log:
        row["log"] = verdict.log
    return row


def _running(spec: ObjectSpec, name: str) -> dict[str, Any]:
    """The running kernel's verdict; "unknown" when it did not come to one."""
    from ebee.linux.backend import load
    from ebee.linux.programs import digest

    spec = spec.copy()
    for each in spec.maps.values():
        if each.type == "prog_array":  # the other programs are not loaded, nor do they matter
            each.contents.clear()
    try:
        with load(spec, programs=[name], log_level=4) as made:
            found = _PROCESSED.search(made.programs[name].log)
            count = int(found[1]) if found else None
            return {"outcome": "accepted", "message": "", "processed": count}
    except VerifierError as error:
        found = _PROCESSED.search(error.log)
        if not found and error.errno == errno.EPERM:
            return {"outcome": "unknown", "message": error.summary}
        words = digest(error.log)[0]
        count = int(found[1]) if found else None
        return {"outcome": "rejected", "message": words, "processed": count}
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
    if last not in running["message"]:
        return "the messages differ"
    mine, theirs = row["processed"], running["processed"]
    if theirs is None or mine == theirs:
        return ""
    return f"ebee processed {mine:,} instructions, the running kernel {theirs:,}"


def _show(row: dict[str, Any], verdict: Verdict) -> None:
    style = {"accepted": "green", "rejected": "red", "unknown": "yellow"}[verdict.outcome]
    if verdict.log:
        click.echo(verdict.log, nl=False)
    click.echo(click.style("● ", fg=style) + str(verdict))
    if verdict.why is not None and not verdict.accepted:
        for line in verdict.why.lines():
            click.echo(f"    {line}")
    if verdict.advice:
        click.echo(f"    what to do: {verdict.advice}")
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


def before_run(
    spec: ObjectSpec, names: Iterable[str], budget: int = RUN_BUDGET, *, known: bool = False
) -> dict[str, bytes] | None:
    """The verifier's facts of all the programs, encoded, by name, if it accepts them, so that the
    machine may run them without checks of its own; else None, having said which it does not accept,
    and why. What was accepted is remembered; with `known` only that counts, for where the walk
    would take longer than all the rest."""
    from ebee import cachedir
    from ebee.obj import link
    from ebee.obj.packed import pack

    try:
        digest = _digest(pack(spec))
    except EbeeError:
        return None
    proofs = {}
    for name in names:
        if any(ref.kind in _KERNELS_OWN for ref in link(spec, spec.program(name)).refs):
            return None
        key = f"{digest}-{name}"
        proof = cachedir.load("verdicts", key)
        if proof is not None:
            proofs[name] = proof
            continue
        if known:
            return None
        from ebee.verifier.core.check import check as check_one
        from ebee.verifier.core.profile import PROFILES

        rules = replace(PROFILES["6.18"], max_processed=budget)
        verdict = check_one(spec, name, rules, facts=True)
        if verdict.facts is None:
            report.warn(f"runs with checks, for the verifier does not accept it: {verdict}")
            return None
        proofs[name] = verdict.facts.encode()
        cachedir.store("verdicts", key, proofs[name])
    return proofs


_KERNELS_OWN = frozenset(("core", "kfunc", "ksym", "kconfig"))
"""References that the machine resolves otherwise than a kernel, so that a verdict on the one says
nothing of the other."""


_RULES = "verifier", "verifier/core", "hooks", "helpers", "maps"
"""Folders of ebee that decide on a verdict."""


def _digest(data: bytes) -> str:
    """Of a program and of the rules that judge it, which a developer may change: what they once
    accepted wrongly must not run without checks for ever."""
    from hashlib import sha256

    from ebee import __version__
    from ebee.lang.identity import files_in

    rules = repr((__version__, files_in(_RULES)))
    return sha256(rules.encode() + b"\0" + data).hexdigest()[:32]
