"""`ebee gen`: what is made from objects: Python skeletons; and bpftool's words for `link`, `btf
min`."""

from __future__ import annotations

from pathlib import Path

import click

from ebee.cli import report
from ebee.cli.source import read_spec


@click.group()
def gen() -> None:
    """Make things from objects: Python skeletons, linked objects, minimal BTF."""


@gen.command()
@click.argument("file")
@click.option("-o", "--output", metavar="FILE", help="The module's file; standard output without.")
@click.option("--name", help="Name of the object in the module, by default that of the file.")
def skeleton(file: str, output: str | None, name: str | None) -> None:
    """Write a typed Python module of FILE (an object, or source): its maps, programs and variables
    as attributes, its structs as dataclasses, the object itself inside.

    \b
    ebee gen skeleton firewall.o -o firewall_skel.py
    """
    from ebee.obj.skeleton import generate

    spec = read_spec(file)
    spec.name = name or spec.name
    text = generate(spec)
    if output in (None, "-"):
        click.echo(text, nl=False)
        return
    assert output is not None
    Path(output).write_text(text)
    parts = (len(spec.programs), "program"), (len(spec.variables), "variable")
    click.echo(f"{output}: {', '.join(report.plural(n, what) for n, what in parts)}", err=True)


@gen.command("object")
@click.argument("output")
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
def object_(output: str, inputs: tuple[str, ...]) -> None:
    """Link INPUT objects into OUTPUT (bpftool's words for `ebee link`)."""
    from ebee.cli.link import linked

    linked(inputs, output)


@gen.command("min_core_btf")
@click.argument("source", metavar="INPUT")
@click.argument("output")
@click.argument("objects", nargs=-1, required=True, metavar="OBJECT...")
def min_core_btf(source: str, output: str, objects: tuple[str, ...]) -> None:
    """Write what OBJECTs need of the types in INPUT to OUTPUT (bpftool's words for `ebee btf
    min`)."""
    from ebee.cli.btf import write_minimal

    write_minimal(source, objects, output)
