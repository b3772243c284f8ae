"""`python -m bench [SUITE...]`: measure, print tables and how the figures stand to the targets."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

from ebee.errors import EbeeError

from .build import HERE, Builder
from .report import Report

SUITES = {
    "programs": ("programs:run", "small programs: ratios to native code and the kernel's JIT"),
    "compile": ("compile:run", "compile times by tier and from the cache"),
    "calls": ("packets:calls", "one call through ctypes beside a batch"),
    "rates": ("packets:rates", "parser and firewall: packets a second from memory"),
    "replay": ("packets:replay", "capture files: packets a second by packet size"),
    "scaling": ("scaling:run", "two virtual CPUs beside two processes"),
}
"""Suites by name: where they are, what they are."""

SCRIPTS = {
    "lang": "the compiler: its time, and its code beside C's: pairs of programs, a hash lookup",
    "btf": "BTF, beside bpftool",
    "startup": "importing ebee and starting the command",
    "linux": "the kernel backend, beside bpftool (as root)",
    "events": "readers of events: full buffers, and live with losses (as root)",
    "xsk": "AF_XDP sockets over a veth pair (as root)",
}
"""Benchmarks that print for themselves, and run only when they are asked for."""

WIDTH = 120
"""Columns of tables that go into a file."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.list:
        for name, text in ({n: t for n, (_, t) in SUITES.items()} | SCRIPTS).items():
            print(f"{name:<10} {text}")
        return 0
    unknown = [name for name in options.suite if name not in SUITES and name not in SCRIPTS]
    if unknown:
        parser.error(f"there is no suite {unknown[0]!r}; see --list")
    chosen = options.suite or list(SUITES)
    scripts = [name for name in chosen if name in SCRIPTS]
    if scripts and options.json:
        parser.error(f"{scripts[0]} prints for itself and has no JSON")
    report = Report(None if options.json else _console())
    try:
        measured = [name for name in chosen if name in SUITES]
        if measured:
            _measure(report, measured, options.quick)
        for name in scripts:
            command = [sys.executable, "-m", f"bench.{name}"]
            subprocess.run(command, cwd=HERE.parent, check=True)
    except (EbeeError, subprocess.CalledProcessError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    if options.json:
        print(json.dumps(report.as_json(), indent=1))
    elif report.verdicts:
        met = sum(v.met for v in report.verdicts)
        report.say(f"\n{met} of {len(report.verdicts)} targets met")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    names = ", ".join((*SUITES, *SCRIPTS))
    parser.add_argument("suite", nargs="*", help=f"{names}; all of the first six by default")
    parser.add_argument("--list", action="store_true", help="what the suites are")
    parser.add_argument("--json", action="store_true", help="all numbers, for other programs")
    parser.add_argument("--quick", action="store_true", help="fewer rounds: rough figures")
    return parser


def _measure(report: Report, names: Sequence[str], quick: bool) -> None:
    with tempfile.TemporaryDirectory(prefix="ebee-bench-") as folder:
        builder = Builder(Path(folder))
        for name in names:
            module, _, function = SUITES[name][0].partition(":")
            suite = getattr(import_module(f".{module}", __package__), function)
            suite(report, builder, quick)
            report.say("")


def _console() -> Callable[[object], None]:
    from rich.console import Console

    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console.width = WIDTH
    return lambda what: console.print(what, soft_wrap=isinstance(what, str))


if __name__ == "__main__":
    sys.exit(main())
