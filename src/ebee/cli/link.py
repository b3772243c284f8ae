"""`ebee link`: several objects become one; and the kernel's links, as bpftool has them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ebee.cli import report
from ebee.cli.link_show import detach, pin, show
from ebee.cli.source import C_SUFFIXES, read_bytes, read_spec, warn_of

if TYPE_CHECKING:
    from ebee.obj.spec import ObjectSpec


class Links(click.Group):
    """What is no command are objects to link: `ebee link a.o b.o -o all.o`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in (*self.commands, *ctx.help_option_names):
            args = ["objects", *args]
        return super().parse_args(ctx, args)


@click.group(cls=Links)
def link() -> None:
    """Link objects into one (`ebee link a.o b.o -o all.o`); show the kernel's links."""


@link.command()
@click.argument("objects", nargs=-1, required=True, metavar="OBJECT...")
@click.option("-o", "--output", required=True, metavar="FILE", help="Where to write the object.")
@click.option("--json", "as_json", is_flag=True, help="What was made as JSON.")
def objects(objects: tuple[str, ...], output: str, as_json: bool) -> None:
    """Link OBJECTs (or C sources) into one: functions, maps and variables that one declares
    `extern` are those that another defines; types are joined; weak definitions give way.

    \b
    ebee link main.o library.o -o all.o
    """
    made = linked(objects, output)
    open_ends = [
        name for name, extern in made.externs.items() if extern.kind in ("func", "map", "var")
    ]
    summary: dict[str, Any] = {
        "output": output,
        "size": Path(output).stat().st_size,
        "objects": list(objects),
        "programs": list(made.programs),
        "functions": list(made.functions),
        "maps": [name for name in made.maps if not name.startswith(".")],
        "variables": list(made.variables),
        "undefined": open_ends,
    }
    if as_json:
        report.print_json(summary)
        return
    counts = ", ".join(
        report.plural(len(summary[what]), what[:-1])
        for what in ("programs", "functions", "maps", "variables")
    )
    click.echo(f"{output}: {report.size(summary['size'])}, {counts}")
    if open_ends:
        report.warn(f"still to be defined by others: {', '.join(open_ends)}")


link.add_command(show)
link.add_command(show, "list")
link.add_command(detach)
link.add_command(pin)


def linked(objects: Iterable[str], output: str) -> ObjectSpec:
    """Link files, and write the outcome."""
    from ebee.obj import link_objects, save

    name = Path(output).name.partition(".")[0] or "linked"
    made = link_objects([_read(path) for path in objects], name)
    save(made, output)
    return made


def _read(path: str) -> ObjectSpec:
    """An object, or C of which another source may hold the programs."""
    if Path(path).suffix not in C_SUFFIXES:
        return read_spec(path)
    from ebee.clang import build

    read_bytes(path)
    spec = build(path, programs=False)
    warn_of(spec)
    return spec
