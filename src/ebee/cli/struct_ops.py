"""`ebee struct_ops`: structs of functions that programs fill, registered with the kernel."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ebee.cli import report
from ebee.cli.options import WHICH_MAP, json_option
from ebee.cli.source import read_spec
from ebee.errors import ConfigError, KernelError

if TYPE_CHECKING:
    from ebee.btf import Btf
    from ebee.btf.types import Struct
    from ebee.linux.maps import LinuxMap

KEY = bytes(4)
"""A struct_ops map has one element."""
STATES = ("empty", "registered", "unregistering", "filled")
"""enum bpf_struct_ops_state: INIT, INUSE, TOBEFREE, READY. One that is filled may have a link."""


@click.group("struct_ops", epilog=WHICH_MAP)
def struct_ops() -> None:
    """Structs of functions that programs fill (congestion controls, schedulers, ...)."""


@struct_ops.command(epilog=WHICH_MAP)
@click.argument("words", nargs=-1, metavar="[MAP]")
@json_option
def show(words: tuple[str, ...], as_json: bool) -> None:
    """Show all struct_ops maps, or one: which struct it fills, and whether it is registered."""
    links = _links()
    if words:
        with _map(words) as one:
            found = [document(one, links)]
    else:
        found = [document(each, links) for each in _maps()]
    if as_json:
        report.print_json(found[0] if words else found)
        return
    if not found:
        click.echo("there are no struct_ops maps")
        return
    rows = [
        (str(m["id"]), m["name"], m["kernel_struct_ops"], m["state"],
         ", ".join(map(str, m["links"])))
        for m in found
    ]  # fmt: skip
    columns = ("id", "map", "struct", "state", "links")
    used = [i for i in range(len(columns)) if any(row[i] for row in rows)]
    cells = [[row[i] for i in used] for row in rows]
    title = report.plural(len(rows), "struct_ops map")
    report.show(report.table(title, [columns[i] for i in used], cells))


struct_ops.add_command(show, "list")


@struct_ops.command(epilog=WHICH_MAP)
@click.argument("words", nargs=-1, metavar="[MAP]")
@json_option
def dump(words: tuple[str, ...], as_json: bool) -> None:
    """Print what all struct_ops maps hold, or one: each member of the kernel's struct, its
    functions with the programs that fill them."""
    links = _links()
    found = []
    for each in [_map(words)] if words else _maps():
        with each:
            found.append(document(each, links) | {"value": _value(each)})
    if as_json:
        report.print_json(found[0] if words else found)
        return
    if not found:
        click.echo("there are no struct_ops maps")
    for one in found:
        title = f"{one['name']} (map {one['id']}): {one['kernel_struct_ops']}, {one['state']}"
        report.show_fields(title, {n: _member(v) for n, v in one["value"]["data"].items()})


def _member(value: Any) -> str:
    if not isinstance(value, dict) or "program" not in value:
        return report.compact(value)
    program = value["program"]
    return f"{program['name']} (program {program['id']})" if program else ""


@struct_ops.command()
@click.argument("file")
@click.argument("folder", required=False, metavar="[LINK_DIR]")
@json_option
def register(file: str, folder: str | None, as_json: bool) -> None:
    """Load FILE (an object, or source) and register its struct_ops maps, until they are
    unregistered.

    Those in SEC(".struct_ops.link") are held by links, which are pinned in LINK_DIR, a folder of a
    BPF file system, under the maps' names.

    \b
    ebee struct_ops register congestion.o /sys/fs/bpf/links
    """
    from ebee.linux import backend
    from ebee.linux.struct_ops import StructOpsMap

    spec = read_spec(file)
    wanted = [m for m in spec.maps.values() if m.type == "struct_ops" and m.autocreate]
    if not wanted:
        raise ConfigError(f'{file} has no map in SEC(".struct_ops") or SEC(".struct_ops.link")')
    linked = [m.name for m in wanted if _has_link(m.flags)]
    if linked and folder is None:
        text = f"{', '.join(linked)}: registered only as long as a link lives"
        raise ConfigError(f"{text}; say the folder to pin links in (LINK_DIR)")
    rows = []
    with backend.load(spec) as made, ExitStack() as undo:
        for name, held in made.maps.items():
            if not isinstance(held, StructOpsMap):
                continue
            link = held.attach()
            undo.callback(link.close)
            path = None
            if name in linked:
                path = Path(folder or "", name)
                link.pin(path)
                undo.callback(path.unlink)
            raw = held.raw
            rows.append({"id": getattr(raw, "id", 0), "name": name,
                         "pinned": str(path) if path else None})  # fmt: skip
        undo.pop_all()
    if as_json:
        report.print_json(rows)
        return
    for row in rows:
        pinned = f", link pinned: {row['pinned']}" if row["pinned"] else ""
        click.echo(f"registered {row['name']} (map {row['id']}){pinned}")


@struct_ops.command(epilog=WHICH_MAP)
@click.argument("words", nargs=-1, required=True, metavar="MAP")
def unregister(words: tuple[str, ...]) -> None:
    """Take the functions of a map back from the kernel; its links are detached."""
    with _map(words) as found:
        if not _has_link(found.flags):
            try:
                found.delete(KEY)
            except KernelError as error:
                if error.errno != errno.ENOENT:
                    raise
                raise ConfigError(f"map {found.id} ({found.name}) is not registered") from None
            return
        numbers = _links().get(found.id, [])
        if not numbers:
            raise ConfigError(f"map {found.id} ({found.name}) is not registered: it has no link")
        from ebee.linux.links import Link

        for number in numbers:
            with Link.from_id(number) as link:
                link.detach()


def document(found: LinuxMap, links: dict[int, list[int]]) -> dict[str, Any]:
    """What is known of a map: bpftool's keys, and its state and links."""
    value = found.lookup(KEY) or b""
    # The value begins with `refcount_t refcnt; enum bpf_struct_ops_state state`, in each kernel.
    number = int.from_bytes(value[4:8], "little")
    own = links.get(found.id, [])
    state = STATES[number] if number < len(STATES) else str(number)
    return {
        "id": found.id,
        "name": found.name,
        "kernel_struct_ops": _struct(found),
        "state": "registered" if own else state,
        "links": own,
    }


def _type(found: LinuxMap) -> tuple[Btf, Struct]:
    """The kernel's struct that the map holds, which may be a module's (told since Linux 6.9)."""
    from ebee.btf.types import Struct
    from ebee.cli.typesource import open_types

    info = found.info()
    number = info.get("btf_vmlinux_id")
    types = open_types(f"id:{number}" if number else "kernel")
    struct = types.type(info.btf_vmlinux_value_type_id)
    assert isinstance(struct, Struct)
    return types, struct


def _struct(found: LinuxMap) -> str:
    """The name of the struct that programs fill."""
    from ebee.linux.struct_ops import PREFIX

    return _type(found)[1].name.removeprefix(PREFIX)


def _value(found: LinuxMap) -> dict[str, Any]:
    """What the map holds, decoded; a function as its type and the program behind it."""
    from ebee.btf.codec import Codec
    from ebee.btf.types import FuncProto, Ptr, Struct

    btf, struct = _type(found)
    value = report.plain(Codec(btf, struct.id).decode(found.lookup(KEY) or bytes(struct.size)))
    made: dict[str, Any] = value
    data = next(btf.resolve(m.type) for m in struct.members if m.name == "data")
    assert isinstance(data, Struct)
    for member in data.members:
        kind = btf.resolve(member.type)
        if isinstance(kind, Ptr) and isinstance(btf.resolve(kind.type), FuncProto):
            number = made["data"][member.name]
            made["data"][member.name] = _function(btf, member.type, number)
    return made


def _function(btf: Btf, type_id: int, number: int) -> dict[str, Any]:
    from ebee.btf.printer import oneline
    from ebee.linux.programs import LinuxProgram

    name = ""
    if number:
        with suppress(KernelError), LinuxProgram.from_id(number) as program:
            name = program.name
    told = {"id": number, "name": name} if number else None
    return {"type": oneline(btf, type_id), "program": told}


def _links() -> dict[int, list[int]]:
    """Links of struct_ops by their map's number."""
    from ebee.linux.info import each
    from ebee.linux.links import Link

    found: dict[int, list[int]] = {}
    for link in each("link", Link.from_id):
        info = link.info()
        # A link that was detached names no map.
        if info.type == "struct_ops" and info.get("map_id"):
            found.setdefault(info.map_id, []).append(info.id)
    return found


def _maps() -> Iterator[LinuxMap]:
    from ebee.linux.info import each
    from ebee.linux.maps import LinuxMap

    return (found for found in each("map", LinuxMap.from_id) if found.type == "struct_ops")


def _map(words: Sequence[str]) -> LinuxMap:
    """The struct_ops map of these words."""
    from ebee.cli import named

    found, rest = named.map_(words)
    try:
        if rest:
            raise ConfigError(f"what is {' '.join(rest)!r} behind the map?")
        if found.type != "struct_ops":
            raise ConfigError(f"map {found.id} ({found.name}) is of type {found.type}")
    except ConfigError:
        found.close()
        raise
    return found


def _has_link(flags: int) -> bool:
    from ebee.linux.uapi import BPF_F_LINK

    return bool(flags & BPF_F_LINK)
