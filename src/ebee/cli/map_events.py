"""`ebee map events`: what programs send through a ring buffer or a perf event array."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from ebee.cli import report
from ebee.errors import BtfError, ConfigError

if TYPE_CHECKING:
    from ebee.btf.codec import Codec
    from ebee.linux.maps import LinuxMap
    from ebee.linux.reader import Reader

BYTES = 32
"""Bytes of a record without a type that stand on a line."""


@click.command()
@click.argument("words", nargs=-1, required=True, metavar="MAP")
@click.option("--type", "name", metavar="STRUCT", help="What records are.")
@click.option("--btf", "source", metavar="SOURCE", help="Whose types (see `ebee btf`).")
@click.option("-n", "--count", "most", type=click.IntRange(1), help="End after so many events.")
@click.option("--timeout", type=click.FloatRange(0), metavar="S",
              help="End when nothing came for S seconds.")  # fmt: skip
@click.option("--ordered", is_flag=True, help="Sort those of a perf event array by time.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def events(
    words: tuple[str, ...], name: str | None, source: str | None, most: int | None,
    timeout: float | None, ordered: bool, as_json: bool,
) -> None:  # fmt: skip
    """Print the events of MAP, a ring buffer or perf event array, until Ctrl-C.

    MAP: its number, `id N`, `name NAME`, or a pin's path. Events that are shown here are taken out
    of a ring buffer: a program that reads it does not get them.

    \b
    ebee map events pinned /sys/fs/bpf/events --type event --btf program.o
    ebee map events 42 --json --timeout 1
    """
    from ebee.cli.named import map_

    found, rest = map_(words)
    with found:
        if rest:
            raise ConfigError(f"{rest[0]!r} makes no sense here")
        codec = codec_of(found, name, source)
        with opened(found, codec, ordered) as reader, reader.stop_on():
            seen = reader.run(printer(reader, most, as_json), timeout=timeout)
            lost = reader.lost  # type: ignore[attr-defined]
        if lost:
            report.warn(f"{report.plural(lost, 'event')} found no room and were lost")
        if not as_json and not seen:
            click.echo("no events", err=True)


def opened(found: LinuxMap, codec: Codec | None, ordered: bool) -> Reader:
    """The reader of a map."""
    if found.type == "perf_event_array":
        from ebee.linux.perfbuf import PerfBuffer

        return PerfBuffer(found, codec, ordered=ordered)
    from ebee.linux.ringbuf import RingBuffer

    return RingBuffer(found, codec)


def codec_of(found: LinuxMap, name: str | None, source: str | None) -> Codec | None:
    """The type of the records: the one that is named, or the map's own."""
    from ebee.btf.codec import Codec
    from ebee.cli.typesource import open_types

    if name is None:
        if source is not None:
            raise ConfigError("--btf says whose types; say which one with --type")
        return None
    info = found.info()
    if source is None and not info.get("btf_id"):
        raise ConfigError(f"map {found.name} has no types of its own: say whose with --btf")
    btf = open_types(source or f"id:{info.btf_id}")
    named = [t for t in btf.find_all(name) if getattr(t, "size", 0)]
    if not named:
        raise BtfError(f"{source or found.name} has no type {name!r} with a size")
    return Codec(btf, named[0].id)


def printer(reader: Reader, most: int | None, as_json: bool) -> Any:
    """What prints each event, and says when there were enough."""
    count = 0

    def show(value: Any) -> bool:
        nonlocal count
        count += 1
        cpu = getattr(reader, "cpu", None)
        if as_json:
            row = {"cpu": cpu} if cpu is not None else {}
            click.echo(json.dumps({**row, "data": report.plain(value)}))
        else:
            place = f"cpu {cpu}  " if cpu is not None else ""
            click.echo(place + line(value))
        return count != most

    return show


def line(value: Any) -> str:
    """An event on a line."""
    if isinstance(value, bytes):
        more = f" ... {len(value)} bytes" if len(value) > BYTES else ""
        return value[:BYTES].hex(" ") + more
    if hasattr(value, "_fields"):
        return ", ".join(f"{name} {value[name]}" for name in value._fields)
    return str(value)
