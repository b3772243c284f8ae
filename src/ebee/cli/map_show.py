"""`ebee map show`, `create`, `freeze`, `pin`: maps as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from ebee.cli import report
from ebee.cli.named import only_map
from ebee.cli.options import WHICH_MAP, json_option
from ebee.errors import ConfigError

if TYPE_CHECKING:
    from ebee.linux.maps import LinuxMap
    from ebee.linux.owners import Key, Owner

NUMBERS = {"key": "key_size", "value": "value_size", "entries": "max_entries", "flags": "flags"}
"""Words of `map create` that numbers follow."""


@click.command(epilog=WHICH_MAP)
@click.argument("words", nargs=-1, metavar="[MAP]")
@click.option("-f", "--pins", is_flag=True, help="Where they are pinned, too.")
@json_option
def show(words: tuple[str, ...], pins: bool, as_json: bool) -> None:
    """Show all maps, or one in full: type, sizes, memory, types of keys and values, owners. Needs
    root.

    \b
    ebee map show
    ebee map show name flows
    """
    from ebee.cli import held
    from ebee.linux.info import each
    from ebee.linux.maps import LinuxMap

    found = [only_map(words)] if words else each("map", LinuxMap.from_id)
    held.show(found, document, pins, as_json, _show_one if words else None, _show_all)


def document(
    found: LinuxMap, held: Mapping[Key, list[Owner]], pinned: Mapping[Key, list[str]],
    full: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """What the kernel and /proc say of a map. Keys are bpftool's where it has them."""
    from ebee.linux.owners import fdinfo

    info = found.info()
    said = fdinfo("self", found.fd.fileno())
    made: dict[str, Any] = {
        "id": found.id,
        "type": found.type,
        "name": found.name,
        "flags": info.get("map_flags", 0),
        "bytes_key": found.key_size,
        "bytes_value": found.value_size,
        "max_entries": found.max_entries,
        "bytes_memlock": int(said.get("memlock", 0)),
        "frozen": int(said.get("frozen", 0)),
        "btf_id": info.get("btf_id", 0) or None,
        "pids": [owner._asdict() for owner in held.get(("map", found.id), ())],
        "pinned": pinned.get(("map", found.id), []),
    }
    if "owner_prog_type" in said:  # of a prog_array, after its first program
        from ebee.linux.programs import PROG_TYPE_NAMES

        number = int(said["owner_prog_type"])
        made["owner_prog_type"] = PROG_TYPE_NAMES.get(number, f"type {number}")
        made["owner_jited"] = said.get("owner_jited") == "1"
    if full:
        made["map_extra"] = info.get("map_extra", 0)
        made["key_type"], made["value_type"] = _types(found)
    return made


def _types(found: LinuxMap) -> tuple[str, str]:
    """The types of keys and values as C has them, "" where they are not known."""
    from ebee.btf.printer import oneline
    from ebee.cli.map_elements import typed_spec

    spec, btf = typed_spec(found)
    if btf is None:
        return "", ""
    ids = spec.key_btf_id, spec.value_btf_id
    key, value = (oneline(btf, id) if id else "" for id in ids)
    return key, value


def _show_all(made: Sequence[dict[str, Any]]) -> None:
    from ebee.cli.held import owners_text

    if not made:
        print("there are no maps")
        return
    rows = [
        (str(m["id"]), m["type"], m["name"], m["bytes_key"] or None, m["bytes_value"] or None,
         m["max_entries"] or None, report.size(m["bytes_memlock"]),
         "frozen" if m["frozen"] else "", owners_text(m["pids"]), ", ".join(m["pinned"]))
        for m in made
    ]  # fmt: skip
    columns = ("id", "type", "name", "key", "value", "entries", "memory", "", "held by", "pinned")
    used = [i for i in range(len(columns)) if any(row[i] not in (None, "") for row in rows)]
    cells = [[row[i] for i in used] for row in rows]
    report.show(report.table(f"{len(made)} maps", [columns[i] for i in used], cells, ["memory"]))


def _show_one(m: dict[str, Any]) -> None:
    from ebee.cli.held import owners_text

    report.show_fields(f"map {m['id']}: {m['name'] or '(without a name)'}", {
        "type": m["type"],
        "key": _sized(m["key_type"], m["bytes_key"]),
        "value": _sized(m["value_type"], m["bytes_value"]),
        "entries": f"at most {m['max_entries']:,}",
        "flags": f"{m['flags']:#x}" if m["flags"] else "",
        "extra": f"{m['map_extra']:#x}" if m["map_extra"] else "",
        "memory": report.size(m["bytes_memlock"]),
        "frozen": "yes: user space cannot write" if m["frozen"] else "",
        "types": f"BTF {m['btf_id']}" if m["btf_id"] else "",
        "held by": owners_text(m["pids"], len(m["pids"])),
        "pinned": ", ".join(m["pinned"]),
    })  # fmt: skip


def _sized(type: str, size: int) -> str:
    return f"{type}, {report.plural(size, 'byte')}" if type else report.plural(size, "byte")


@click.command()
@click.argument("path")
@click.argument("words", nargs=-1, required=True,
                metavar="type TYPE key N value N entries N ...")  # fmt: skip
def create(path: str, words: tuple[str, ...]) -> None:
    """Create a map, and pin it at PATH. `name NAME`, `flags N`, `inner_map MAP` and `dev NAME` (an
    interface that programs are offloaded to) may follow.

    \b
    ebee map create /sys/fs/bpf/seen type lru_hash key 4 value 8 entries 1000 name seen
    """
    from ebee.linux.maps import LinuxMap

    given = _pairs(words)
    kind = given.pop("type", None)
    if kind is None:
        raise ConfigError("of which type? `type hash`, ... (`ebee feature` lists them)")
    numbers = {"key_size": 0, "value_size": 0, "max_entries": 0, "flags": 0}
    for word, field in NUMBERS.items():
        if word in given:
            numbers[field] = _number(word, given.pop(word))
    name, inner = given.pop("name", ""), given.pop("inner_map", None)
    flags = numbers.pop("flags")
    options: dict[str, Any] = {"flags": flags, "name": name}
    if "dev" in given:
        from ebee.linux.attach import interface

        options["map_ifindex"] = interface(given.pop("dev"))
    if inner is not None:
        options["inner"] = only_map(inner.split(" ", 1))
    try:
        with LinuxMap.create(kind, *numbers.values(), **options) as made:
            made.pin(path)
    finally:
        if inner is not None:
            options["inner"].close()


def _pairs(words: Sequence[str]) -> dict[str, str]:
    """`type hash key 4` as a mapping."""
    from ebee.cli.named import WAYS

    known = ("type", "name", "inner_map", "dev", *NUMBERS)
    made: dict[str, str] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word not in known:
            from ebee.cli.source import nearest

            raise ConfigError(f"`map create` does not know {word!r}.{nearest(word, known)}"
                              f" It takes {', '.join(known)}")  # fmt: skip
        if not rest:
            raise ConfigError(f"`map create`: what {word}?")
        made[word] = rest.pop(0)
        if word == "inner_map" and made[word] in WAYS and rest:
            made[word] += f" {rest.pop(0)}"
    return made


def _number(word: str, text: str) -> int:
    try:
        return int(text, 0)
    except ValueError:
        raise ConfigError(f"`map create`: {word} {text!r} is no number") from None


@click.command(epilog=WHICH_MAP)
@click.argument("words", nargs=-1, required=True, metavar="MAP")
def freeze(words: tuple[str, ...]) -> None:
    """Let user space write into a map no more, for good (programs may go on)."""
    with only_map(words) as found:
        found.freeze()


@click.command(epilog=WHICH_MAP)
@click.argument("words", nargs=-1, required=True, metavar="MAP PATH")
def pin(words: tuple[str, ...]) -> None:
    """Pin a map under PATH in a BPF file system."""
    from ebee.cli import named

    found, rest = named.map_(words)
    with found:
        if len(rest) != 1:
            raise ConfigError("`map pin` takes a map and the path to pin it at")
        found.pin(rest[0])
