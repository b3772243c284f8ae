"""`ebee load`: load an object into the kernel, and pin what shall stay."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ebee.cli import report
from ebee.cli.source import pick, read_spec, set_variables
from ebee.errors import ConfigError, KernelError, VerifierError

if TYPE_CHECKING:
    from ebee.btf.core import Resolution
    from ebee.linux.backend import LinuxObject, Program
    from ebee.linux.maps import LinuxMap
    from ebee.obj.spec import ObjectSpec


@click.command()
@click.argument("file")
@click.option("--pin", metavar="DIR", help="Pin the programs in this folder of a BPF file system.")
@click.option("--pin-maps", metavar="DIR", help="Pin the maps there.")
@click.option("--prog", "programs", multiple=True, metavar="NAME", help="Only this program.")
@click.option("--set", "assignments", multiple=True, metavar="VAR=N", help="Set a variable first.")
@click.option("--map", "given", multiple=True, metavar="NAME=MAP",
              help="Use a map that exists: a pinned one's path, or id:NUMBER.")  # fmt: skip
@click.option("--btf", "source", metavar="SOURCE",
              help="The kernel's types for CO-RE (see `ebee btf`).")  # fmt: skip
@click.option("--pin-root", default="/sys/fs/bpf", show_default=True, metavar="DIR",
              help="Where maps are that the object pins by name.")  # fmt: skip
@click.option("--attach", is_flag=True, help="Attach, as the sections say.")
@click.option("--to", "place", metavar="TARGET", help="Attach there (an interface, a cgroup, ...).")
@click.option("--log", "log_level", type=click.IntRange(0, 7), default=0, metavar="N",
              help="Print the verifier's log: 1 a little, 2 all, 4 totals.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="What was loaded as JSON.")
def load(
    file: str, pin: str | None, pin_maps: str | None, programs: tuple[str, ...],
    assignments: tuple[str, ...], given: tuple[str, ...], source: str | None, pin_root: str,
    attach: bool, place: str | None, log_level: int, as_json: bool,
) -> None:  # fmt: skip
    """Load FILE (an object, or source) into the kernel; needs root.

    Without --pin nothing stays: it shows that the kernel takes the programs, and what they have
    become. Either all is loaded and pinned, or nothing. Links of attached programs are pinned
    beside them, as link_NAME.

    \b
    ebee load firewall.o --pin /sys/fs/bpf/firewall --set threshold=100
    ebee load prog.o --btf min.btf --map flows=/sys/fs/bpf/flows --pin /sys/fs/bpf/prog
    """
    from ebee.linux import backend

    spec = read_spec(file)
    for name in programs:
        pick("program", spec.programs, name, spec.name)
    set_variables(spec, assignments)
    poisoned: dict[int, Resolution] = {}
    if source is not None:
        spec, poisoned = _for_target(spec, source, programs)
    with ExitStack() as open_now:
        maps = {name: open_now.enter_context(m) for name, m in _maps(spec, given)}
        try:
            made = open_now.enter_context(
                backend.load(spec, programs=programs or None, maps=maps, pin_path=pin_root,
                             log_level=log_level)
            )  # fmt: skip
        except VerifierError as error:
            raise _explained(error, poisoned) from None
        pinned: list[str] = []
        undo = open_now.enter_context(ExitStack())
        links = _attach(made, place) if attach or place else {}
        if pin:
            _pin_all(pin, {n: p.raw for n, p in made.programs.items()}, pinned, undo)
            _pin_all(pin, {f"link_{n}": link for n, link in links.items()}, pinned, undo)
        if pin_maps:
            _pin_all(pin_maps, {n: m.raw for n, m in made.maps.items()}, pinned, undo)
        found = _document(made, pinned, {n: link.target for n, link in links.items()})
        undo.pop_all()
    if as_json:
        report.print_json(found)
    else:
        _show(found, log_level)


def _for_target(
    spec: ObjectSpec, source: str, programs: Iterable[str]
) -> tuple[ObjectSpec, dict[int, Resolution]]:
    """The object as it is for a kernel's types."""
    from ebee.cli.typesource import open_types
    from ebee.obj.resolve import resolved

    wanted = list(programs) or [n for n, p in spec.programs.items() if p.autoload]
    return resolved(spec, open_types(source), wanted)


def _explained(error: VerifierError, poisoned: Mapping[int, Resolution]) -> VerifierError:
    """The verifier's complaint about an instruction that could not be relocated, in words."""
    for number, found in poisoned.items():
        if f"#{number}" in error.log or f"func {number}" in error.log:
            text = f"{error.summary}\n  the types lack what it needs: {found.why}"
            return VerifierError(text, error.errno, error.log)
    return error


def _maps(spec: ObjectSpec, given: Iterable[str]) -> Iterable[tuple[str, LinuxMap]]:
    """The maps of `--map name=path` or `--map name=id:number`, open."""
    from ebee.linux.maps import LinuxMap

    for text in given:
        name, equals, where = text.partition("=")
        if not equals or not where:
            raise ConfigError(f"--map {text}: write it as NAME=PATH or NAME=id:NUMBER")
        pick("map", spec.maps, name, spec.name)
        kind, colon, number = where.partition(":")
        if kind == "id" and colon:
            if not number.isdecimal():
                raise ConfigError(f"--map {text}: {number!r} is no number")
            yield name, LinuxMap.from_id(int(number))
        else:
            yield name, LinuxMap.get(where)


def _attach(made: LinuxObject, place: str | None) -> dict[str, Any]:
    """Links by program; `place` for programs whose section says none."""
    return {
        name: program.attach(None if program.spec.attach_to else place)
        for name, program in made.programs.items()
    }


def _pin_all(folder: str, things: Mapping[str, Any], pinned: list[str], undo: ExitStack) -> None:
    """Pin things under their names; `undo` takes it back. A name in a BPF file system has no dots:
    they become underscores, as libbpf has it."""
    place = Path(folder)
    if not place.is_dir():
        try:
            place.mkdir()
        except OSError as error:
            raise KernelError(f"cannot make {folder}: {error.strerror}", error.errno or 0) from None
        undo.callback(place.rmdir)
    for name, thing in things.items():
        path = place / name.replace(".", "_")
        thing.pin(path)
        undo.callback(_unpin, path)
        pinned.append(str(path))


def _unpin(path: Path) -> None:
    if path.is_dir():  # a link of several parts
        for part in path.iterdir():
            part.unlink()
        path.rmdir()
    else:
        path.unlink()


def _document(made: LinuxObject, pinned: list[str], links: dict[str, str]) -> dict[str, Any]:
    return {
        "name": made.name,
        "programs": {name: _program(program) for name, program in made.programs.items()},
        "maps": {
            name: {"id": getattr(m.raw, "id", 0), "type": m.type, "entries": m.max_entries}
            for name, m in made.maps.items()
        },
        "attached": links,
        "pinned": pinned,
    }


def _program(program: Program) -> dict[str, Any]:
    info = program.info()
    return {
        "id": program.id,
        "type": program.raw.type,
        "tag": program.raw.tag,
        "instructions": info.get("xlated_prog_len", 0) // 8,
        "compiled": info.get("jited_prog_len", 0),
        "verified": info.get("verified_insns"),
        "log": program.log,
    }


def _show(found: dict[str, Any], log_level: int) -> None:
    rows = [
        (str(p["id"]), name, p["type"], p["tag"], p["instructions"], p["verified"], p["compiled"],
         found["attached"].get(name))
        for name, p in found["programs"].items()
    ]  # fmt: skip
    columns = ("id", "program", "type", "tag", "instructions", "verified", "compiled to bytes",
               "attached to")  # fmt: skip
    kept = [i for i in range(len(columns)) if i < 7 or any(row[i] for row in rows)]
    cells = [[row[i] for i in kept] for row in rows]
    report.show(report.table("Programs", [columns[i] for i in kept], cells))
    if found["maps"]:
        maps = [(str(m["id"]), name, m["type"], m["entries"]) for name, m in found["maps"].items()]
        report.show("", report.table("Maps", ("id", "map", "type", "entries"), maps))
    for path in found["pinned"]:
        click.echo(f"pinned: {path}")
    if not found["pinned"]:
        click.echo("nothing is pinned, so all is gone again")
    for name, program in found["programs"].items():
        if log_level and program["log"]:
            click.echo(f"\nverifier's log of {name}:\n{program['log'].rstrip()}")
