"""`ebee doctor`: what works on this machine, what does not, why, and what would change it."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from importlib import metadata
from typing import Any, NamedTuple

import click

from ebee import __version__
from ebee.cli import report
from ebee.errors import EbeeError

JOINED = 3
"""From so many on, what does not work for one reason is one line."""
MARKS = {True: ("✓", "green"), False: ("✗", "red"), None: ("?", "yellow")}


class Row(NamedTuple):
    """One answer; as ebee.linux.probe.Finding, which stands here where there is Linux."""

    name: str
    ok: bool | None
    detail: str = ""
    reason: str = ""
    since: str = ""


class Group(NamedTuple):
    """A title, and what finds its rows. A group with a `noun` shows fewer, see `joined`; their
    names begin with it."""

    name: str
    find: Callable[[], Iterable[Any]]
    noun: str | None = None


@click.command()
@click.option("--all", "everything", is_flag=True, help="Every single answer on a line of its own.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
def doctor(everything: bool, as_json: bool) -> None:
    """Say what works on this machine, what does not, and why.

    Nothing is guessed: maps are created, small programs loaded, links made in a network namespace
    of their own. Nothing of that stays.
    """
    made = {}
    for group in groups():
        rows = [Row(*finding) for finding in group.find()]
        if as_json:
            made[group.name] = [row._asdict() for row in rows]
            continue
        _show(group, rows, everything)
    if as_json:
        report.print_json(made)


def _show(group: Group, rows: list[Row], everything: bool) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(width=1)
    table.add_column(min_width=30)
    table.add_column(overflow="fold", max_width=110)
    if group.noun is not None and not everything:
        rows = [row._replace(name=row.name.removeprefix(group.noun)) for row in rows]
        rows = joined(rows, bool(group.noun))
    for row in rows:
        mark, style = MARKS[row.ok]
        table.add_row(Text(mark, style=style), row.name, row.detail if row.ok else row.reason)
    report.show(report.heading(group.name), table, "")


def joined(rows: list[Row], brief: bool) -> list[Row]:
    """Fewer rows: those in one that do not work for one reason, and (`brief`) those that do."""
    alike: dict[tuple[bool | None, str], list[Row]] = {}
    for row in rows:
        key = (True, "" if brief else row.name) if row.ok else (row.ok, why(row.reason))
        alike.setdefault(key, []).append(row)
    found = []
    for (ok, reason), group in alike.items():
        names = ", ".join(row.name for row in group)
        if ok:
            listed = f"{len(group)} of {len(rows)}: {names}"
            found += [Row("work", True, listed)] if brief else group
        elif len(group) < JOINED:
            found += [row._replace(reason=reason) for row in group]
        else:
            title = "not known" if ok is None else "do not work"
            found.append(Row(f"{title}: {len(group)} of {len(rows)}", ok, "", f"{names}: {reason}"))
    return found


def why(reason: str) -> str:
    """A reason without what was tried and the error's name, which are different each time."""
    text = reason.partition(": ")[2] if reason.startswith("cannot ") else reason
    return re.sub(r" \[[A-Z0-9]+\]$", "", text) or reason


def groups() -> Iterator[Group]:
    """What to look at here, in the order of showing."""
    yield Group("ebee", _ebee)
    if not sys.platform.startswith("linux"):
        yield Group(
            "Linux",
            lambda: [
                Row(
                    "kernel",
                    False,
                    "",
                    f"this is {platform.system()}: "
                    "programs run on the machine, in user space; the kernel's part needs Linux",
                )
            ],
        )
        return  # fmt: skip
    from ebee.linux import probe

    yield Group("Kernel", probe.kernel)
    yield Group("Privileges", probe.privileges)
    yield Group("What can be done", probe.abilities)
    yield Group("Settings", probe.settings)
    yield Group("Features", _features, "")
    yield Group("Map types", probe.map_types, "map type ")
    yield Group("Program types", probe.program_types, "program type ")


# -- ebee itself -----------------------------------------------------------------------------------


def _ebee() -> Iterator[Row]:
    yield Row("ebee", True, __version__)
    version = platform.python_version()
    yield Row("Python", True, f"{version}, {sys.executable}")
    yield _package("llvmlite", "the JIT and the Python compiler need it; the interpreter does not")
    yield _clang()
    yield _cache()


def _package(name: str, reason: str) -> Row:
    try:
        return Row(name, True, metadata.version(name))
    except metadata.PackageNotFoundError:
        return Row(name, False, "", f"{reason}: pip install {name}")


def _clang() -> Row:
    """The C compiler, and what it says its version is."""
    import subprocess

    from ebee.clang import find

    try:
        tools = find()
        command = [*tools.command, "--version"]
        environment = {**os.environ, **tools.environment}
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=60, check=False, env=environment
        )
    except EbeeError as error:
        return Row("clang", False, "", error.summary)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Row("clang", False, "", f"{' '.join(tools.command)} does not run: {error}")
    first = next(iter(done.stdout.splitlines()), "")
    if done.returncode or not first:
        return Row("clang", False, "", f"{tools} --version ended with status {done.returncode}")
    return Row("clang", True, f"{first.split(' (')[0]}, {tools}")


def _cache() -> Row:
    from ebee import cachedir

    place = cachedir.folder("doctor")
    if place is None:
        reason = "no folder that only this user can write to: set XDG_CACHE_HOME to one; until then"
        return Row("cache folder", False, "", f"{reason} compiled code and BTF are made anew")
    place.rmdir()
    return Row("cache folder", True, str(place.parent))


# -- what ebee.linux.probe leaves out --------------------------------------------------------------


def _features() -> Iterator[Any]:
    from ebee.linux import probe

    yield from probe.features()
    yield _native_xdp()


def _native_xdp() -> Row:
    """XDP in a driver, tried on a veth interface in a network namespace of its own."""
    import subprocess

    from ebee.errors import KernelError
    from ebee.linux import attach
    from ebee.linux.netns import in_new_netns
    from ebee.linux.programs import LinuxProgram

    def attempt() -> None:
        command = ["ip", "link", "add", "ebee0", "type", "veth", "peer", "name", "ebee1"]
        subprocess.run(command, check=True, capture_output=True, timeout=10)
        from ebee.isa import assemble

        with LinuxProgram.load(assemble("r0 = 2; exit"), "xdp", name="probe") as program:
            attach.xdp(program, "ebee0", "native").close()

    name = "link: XDP in the driver"
    try:
        in_new_netns(attempt)
    except KernelError as error:
        return Row(name, None if error.errno == 1 else False, "", error.summary)
    except (OSError, subprocess.SubprocessError):
        return Row(name, None, "", "trying it takes a veth interface, which `ip` could not make")
    return Row(name, True, "veth; other drivers say so when a program is attached")
