"""`ebee btf`: types of kernels, modules and objects: found, compared, written as C, cut down."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ebee.cli import report
from ebee.cli.options import json_option
from ebee.cli.typesource import HELP, KERNEL, open_types
from ebee.errors import BtfError, ConfigError

if TYPE_CHECKING:
    from ebee.btf import Btf
    from ebee.btf.diff import Change

MANY = 40
"""Matches of a pattern that are shown at once without --all."""

base_option = click.option(
    "--base", metavar="SOURCE", help="What split BTF (a module's) stands on."
)
in_option = click.option(
    "--in", "source", default=KERNEL, metavar="SOURCE", show_default=True, help="Whose types."
)
output_option = click.option("-o", "--output", metavar="FILE", help="Where to write it.")


@click.group(epilog=HELP)
def btf() -> None:
    """Types: find, dump, compare, write as C, cut down to what programs need."""


@btf.command(epilog=HELP)
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@in_option
@base_option
@click.option("--member", is_flag=True, help="NAME is a member: which structs have it?")
@click.option("--users", is_flag=True, help="Which types refer to NAME?")
@click.option("--all", "everything", is_flag=True, help="All matches, however many.")
@json_option
def find(
    names: tuple[str, ...], source: str, base: str | None, member: bool, users: bool,
    everything: bool, as_json: bool,
) -> None:  # fmt: skip
    """Show types by name, with the offset and size of every member.

    NAME may be a pattern (`tcp_*`), or lead to a member, through pointers too.

    \b
    ebee btf find task_struct
    ebee btf find 'task_struct.mm->pgd' sock.__sk_common.skc_family
    ebee btf find --member skc_family
    """
    from ebee.cli import btf_find

    types = open_types(source, base)
    if member:
        btf_find.members(types, names, as_json)
    elif users:
        btf_find.users(types, names, as_json)
    else:
        btf_find.types(types, names, None if everything else MANY, as_json)


@btf.command(epilog=HELP)
@click.argument("source", default=KERNEL)
@base_option
@click.option("--id", "ids", type=int, multiple=True, metavar="N", help="Only this type.")
@click.option("--kind", "kinds", multiple=True, metavar="KIND", help="Only struct, func, enum ...")
@json_option
def dump(
    source: str, base: str | None, ids: tuple[int, ...], kinds: tuple[str, ...], as_json: bool
) -> None:
    """Print the types of SOURCE as they are stored, each with its id (as bpftool does)."""
    from ebee.btf.dump import as_dict, as_text
    from ebee.btf.reader import describe

    types = open_types(source, base)
    wanted = {kind.upper() for kind in kinds}
    known = _kinds()
    for kind in sorted(wanted - known):
        raise ConfigError(f"--kind {kind.lower()}: there is no such kind; there are: "
                          + ", ".join(sorted(k.lower() for k in known)))  # fmt: skip
    chosen = map(types.type, ids) if ids else iter(types)
    shown = (t for t in chosen if not wanted or as_dict(t)["kind"] in wanted)
    if as_json:
        report.print_json({"types": [as_dict(found) for found in shown]})
        return
    name_of = (lambda id: describe(types.type(id))) if ids else None
    for found in shown:
        print(as_text(found, name_of))


def _kinds() -> set[str]:
    from ebee.btf.dump import kind_name
    from ebee.btf.types import KINDS

    return {kind_name(kind) for kind in KINDS[1:]}


@btf.command(epilog=HELP)
@click.argument("source", default=KERNEL)
@click.argument("names", nargs=-1, metavar="[NAME...]")
@base_option
@output_option
def c(source: str, names: tuple[str, ...], base: str | None, output: str | None) -> None:
    """Write C: all types of SOURCE as a header for programs (vmlinux.h), or with NAMEs only these
    types and what they need.

    \b
    ebee btf c > vmlinux.h
    ebee btf c kernel task_struct 'tcp_*' -o few.h
    """
    from ebee.btf import lookup
    from ebee.btf.printer import c as as_c

    types = open_types(source, base)
    ids: list[int] | None = None
    if names:
        ids = []
        for name in names:
            found = [id for _, id in lookup.matching(types, name)]
            ids += found or [types.find(name).id]
    _write(output, as_c(types, ids))


@btf.command(epilog=HELP)
@click.argument("source", default=KERNEL)
@click.option("-o", "--output", required=True, metavar="DIR", help="The folder to write into.")
def stubs(source: str, output: str) -> None:
    """Write what editors and type checkers know of the types that programs import: vmlinux.pyi and
    kfuncs.pyi in DIR/ebee-stubs, of the running kernel or of SOURCE. Without them they know the
    types that come with ebee. Programs are compiled with SOURCE's under EBEE_BTF=SOURCE.

    \b
    ebee btf stubs -o typings
    """
    from ebee.btf.stubs import Stubs, functions

    types, folder = open_types(source, None), Path(output) / "ebee-stubs"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (("vmlinux", Stubs(types).text()), ("kfuncs", functions(types))):
        (folder / f"{name}.pyi").write_text(text)
    (folder / "py.typed").write_text("partial\n")
    print(folder)


@btf.command("min", epilog=HELP)
@click.argument("objects", nargs=-1, required=True, metavar="OBJECT...")
@click.option("-o", "--output", required=True, metavar="FILE", help="Where to write it.")
@in_option
def minimal(objects: tuple[str, ...], output: str, source: str) -> None:
    """Keep of a kernel's types (--in) what the CO-RE relocations of OBJECTs need, and no more.

    Some kilobytes, with which the objects can be loaded on that kernel although it has no BTF of
    its own: `ebee load --btf FILE`.

    \b
    ebee btf min prog.o other.o --in /boot/vmlinux-5.4 -o min.btf
    """
    write_minimal(source, objects, output)


def write_minimal(source: str, objects: Iterable[str], output: str) -> None:
    """See `minimal`."""
    from ebee.cli.source import read_spec
    from ebee.obj.core import minimal_btf

    target = open_types(source)
    specs = [read_spec(path) for path in objects]
    for spec in specs:
        if spec.btf is None:
            raise BtfError(f"{spec.name} has no types: compile it with -g")
    part = minimal_btf(specs, target)
    _write(output, bytes(part.data))
    if output != "-":
        size = report.size(len(part.data))
        click.echo(f"{output}: {size}, {len(part) - 1:,} of {len(target) - 1:,} types", err=True)


@btf.command(epilog=HELP)
@click.argument("old")
@click.argument("new", default=KERNEL)
@click.argument("names", nargs=-1, metavar="[NAME...]")
@click.option("--kind", "kinds", multiple=True, metavar="KIND",
              help="Only struct, union, enum, typedef, function, variable or number.")  # fmt: skip
@click.option("--for", "objects", multiple=True, metavar="OBJECT",
              help="Only what the CO-RE relocations of this object come to.")  # fmt: skip
@click.option("--full", is_flag=True, help="Every change in full, also without NAMEs.")
@click.option("--breaking", is_flag=True, help="Leave out what was only added.")
@json_option
def diff(
    old: str, new: str, names: tuple[str, ...], kinds: tuple[str, ...], objects: tuple[str, ...],
    full: bool, breaking: bool, as_json: bool,
) -> None:  # fmt: skip
    """Compare the types of two kernels (OLD, and NEW: by default the running one): members that
    are added (+), removed (-), renamed (=), of another type (~), or moved (>). Exit code 0 when
    nothing differs, 1 when something does.

    \b
    ebee btf diff vmlinux-6.1 vmlinux-6.12                    # an overview
    ebee btf diff vmlinux-6.1 kernel task_struct 'tcp_*'      # these in full
    ebee btf diff vmlinux-6.1 vmlinux-6.12 --for prog.o       # what it means for a program
    """
    from ebee.cli import btf_diff

    before, after = open_types(old), open_types(new)
    if objects:
        differs = btf_diff.show_objects(before, after, objects, as_json)
    else:
        changes = _changes(before, after, names, kinds, breaking)
        differs = btf_diff.show(before, after, changes, full or bool(names), as_json)
    raise click.exceptions.Exit(int(differs))


def _changes(
    before: Btf, after: Btf, names: tuple[str, ...], kinds: tuple[str, ...], breaking: bool
) -> list[Change]:
    from fnmatch import fnmatchcase

    from ebee.btf.diff import KINDS
    from ebee.btf.diff import diff as compare

    def wanted(name: str) -> bool:
        return not names or any(fnmatchcase(name, pattern) for pattern in names)

    for name in names:
        if not _is_pattern(name) and before.get(name) is None:
            after.find(name)  # for the error, with what comes near
    changes = compare(before, after, kinds or KINDS, wanted)
    return [change for change in changes if change.breaking or not breaking]


def _is_pattern(name: str) -> bool:
    return any(mark in name for mark in "*?[")


@btf.command(epilog=HELP)
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@base_option
def check(sources: tuple[str, ...], base: str | None) -> None:
    """Check all that the kernel checks of BTF when it is loaded."""
    from ebee.btf.validate import validate

    for source in sources:
        types = open_types(source, base)
        validate(types)
        click.echo(f"{source}: {report.plural(len(types) - types.start_id, 'type')}, valid")


@btf.command("list")
@json_option
def listing(as_json: bool) -> None:
    """List the BTF that the kernel holds: its own, its modules', its programs' (needs root)."""
    from ebee.linux.held_btf import listing as held
    from ebee.linux.held_btf import users

    found = list(held())
    if as_json:
        used = users()
        report.print_json([
            {**e._asdict(), "prog_ids": used["prog", e.id], "map_ids": used["map", e.id]}
            for e in found
        ])  # fmt: skip
        return
    rows = [(str(e.id), e.name, report.size(e.size), "kernel" if e.kernel else "program")
            for e in found]  # fmt: skip
    report.show(report.table("BTF in the kernel", ("id", "name", "size", "of"), rows, ["size"]))


btf.add_command(listing, "show")


def _write(output: str | None, content: str | bytes) -> None:
    """To a file, or standard output."""
    data = content.encode() if isinstance(content, str) else content
    if output in (None, "-"):
        sys.stdout.buffer.write(data)
    else:
        assert output is not None
        Path(output).write_bytes(data)
