"""`ebee map dump`, `lookup`, `update` and their like: elements, typed where the map has types.

Keys and values are written `key 5`, `key '{"from": 3}'` (typed), `key 0 0 0 5` (bytes, as bpftool
takes them) or `key hex 00 00 00 05`; values of maps that hold programs or maps as `value id 7` or
`value pinned PATH`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from ebee.cli import report
from ebee.cli.options import WHICH_MAP, json_option
from ebee.errors import ConfigError, KernelError

if TYPE_CHECKING:
    from ebee.btf import Btf
    from ebee.linux.maps import LinuxMap
    from ebee.linux.typed import KernelMap
    from ebee.obj.spec import MapSpec

FLAGS = {"any": 0, "noexist": 1, "exist": 2, "lock": 4}
"""BPF_ANY and its like, by bpftool's words."""
NOT_FOUND = 1
_ELEMENT = "MAP key DATA"


def typed_spec(found: LinuxMap) -> tuple[MapSpec, Btf | None]:
    """What is known of a map's types: those it was made with, if they are still there."""
    from ebee.linux.held_btf import by_id
    from ebee.obj.spec import MapSpec

    info = found.info()
    spec = MapSpec(found.name, found.type, found.key_size, found.value_size, found.max_entries)
    number = info.get("btf_id", 0)
    if not number:
        return spec, None
    try:
        btf = by_id(number)
    except KernelError:
        return spec, None
    spec.key_btf_id = info.get("btf_key_type_id", 0)
    spec.value_btf_id = info.get("btf_value_type_id", 0)
    return spec, btf


class Words(NamedTuple):
    """A command line taken apart: `key` and `value` None where they were not given."""

    key: list[str] | None
    value: list[str] | None
    flags: int


@contextmanager
def opened(words: Sequence[str]) -> Iterator[tuple[KernelMap, Words]]:
    """The map that words name, with a typed handle, and what follows it."""
    from ebee.cli import named
    from ebee.linux.typed import typed

    raw, rest = named.map_(words)
    with raw:
        yield typed(raw, *typed_spec(raw)), _taken_apart(rest)


def _taken_apart(rest: Sequence[str]) -> Words:
    parts: dict[str, list[str]] = {}
    current: list[str] | None = None
    flags = 0
    for number, word in enumerate(rest):
        if word in ("key", "value") and word not in parts:
            current = parts[word] = []
        elif word in FLAGS and number == len(rest) - 1 and number:
            flags = FLAGS[word]
        elif current is None:
            raise ConfigError(f"what is {word!r}? After the map come `key DATA` and `value DATA`")
        else:
            current.append(word)
    for name, words in parts.items():
        if not words:
            raise ConfigError(f"`{name}` is followed by nothing")
    return Words(parts.get("key"), parts.get("value"), flags)


# -- values from words and back --------------------------------------------------------------------


def from_words(words: Sequence[str], size: int) -> Any:
    """What the words of a key or value say: bytes, or something for the codec."""
    if words[0] == "hex":
        try:
            data = bytes.fromhex(" ".join(words[1:]))
        except ValueError:
            raise ConfigError(f"{' '.join(words[1:])!r} are no bytes in hex") from None
        return _checked(data, size)
    if len(words) > 1:
        try:
            data = bytes(int(word, 0) for word in words)
        except ValueError:
            raise ConfigError(f"{' '.join(words)!r} are no bytes (0 to 255): several words are"
                              " bytes, one word is a value") from None  # fmt: skip
        return _checked(data, size)
    return _literal(words[0])


def _checked(data: bytes, size: int) -> bytes:
    if len(data) != size:
        raise ConfigError(f"{report.plural(len(data), 'byte')} were given; there must be {size}")
    return data


def _literal(text: str) -> Any:
    """JSON, a number in any base, or text."""
    try:
        return int(text, 0)
    except ValueError:
        pass
    try:
        return json.loads(text)
    except ValueError:
        return text


def _value(made: KernelMap, words: Sequence[str]) -> Any:
    from ebee.maps import by_name

    declared = by_name(made.type)
    held = declared.handle if declared else None
    if held in ("program", "map") and words[0] in ("id", "pinned", "name", "tag"):
        from ebee.cli import named

        found, _ = (named.program if held == "program" else named.map_)(words)
        return found
    return from_words(words, made.raw.value_size)


def _key(made: KernelMap, words: Words) -> Any:
    if words.key is None:
        raise ConfigError(f"which element of {made.name or 'the map'}? Give `key DATA`")
    return from_words(words.key, made.raw.key_size)


def _encoded(made: KernelMap, key: Any) -> bytes:
    return key if isinstance(key, bytes) else made.encode_key(key)


def _packed(made: KernelMap, value: Any) -> bytes:
    if isinstance(value, bytes) and not made.per_cpu:
        return value
    return made.encode_value(value)


# -- commands --------------------------------------------------------------------------------------


@click.command(epilog=WHICH_MAP)
@click.argument("words", nargs=-1, required=True, metavar="MAP")
@json_option
def dump(words: tuple[str, ...], as_json: bool) -> None:
    """Print all elements, with keys and values as their types say.

    \b
    ebee map dump name flows
    ebee map dump pinned /sys/fs/bpf/flows --json
    """
    with opened(words) as (made, _):
        if as_json:
            found = made.items()
            report.print_json([{"key": key, "value": value} for key, value in found])
            return
        count = 0
        for key, value in made.items():
            click.echo(_row(key, value))
            count += 1
        click.echo(report.plural(count, "element"))


def _row(key: Any, value: Any) -> str:
    return f"{report.compact(key)}: {report.compact(value)}"


@click.command(epilog=WHICH_MAP)
@click.argument("words", nargs=-1, required=True, metavar=_ELEMENT)
@json_option
def lookup(words: tuple[str, ...], as_json: bool) -> None:
    """Print one element; exit code 1 when there is none.

    \b
    ebee map lookup name flows key '{"from": 3}'
    ebee map lookup id 7 key 0 0 0 1
    """
    with opened(words) as (made, given):
        key = _key(made, given)
        raw = made.raw.lookup(_encoded(made, key))
        if raw is None:
            raise _missing(made, key)
        value = made.decode_value(raw)
        if as_json:
            shown = made.decode_key(key) if isinstance(key, bytes) else key
            report.print_json({"key": shown, "value": value})
        else:
            click.echo(report.compact(value))


def _missing(made: KernelMap, key: Any) -> KernelError:
    import errno

    shown = key.hex(" ") if isinstance(key, bytes) else report.compact(key)
    return KernelError(f"map {made.name} has no element {shown}", errno.ENOENT)


@click.command(epilog=WHICH_MAP)
@click.argument("words", nargs=-1, required=True,
                metavar="MAP key DATA value DATA [any|exist|noexist]")  # fmt: skip
def update(words: tuple[str, ...]) -> None:
    """Set an element; with `exist` only one that is there, with `noexist` only a new one.

    \b
    ebee map update name limits key 3 value 100
    ebee map update name jumps key 0 value id 12
    """
    with opened(words) as (made, given):
        if given.value is None:
            raise ConfigError("set it to what? Give `value DATA`")
        key = _encoded(made, _key(made, given)) if made.raw.key_size else b""
        made.raw.update(key, _packed(made, _value(made, given.value)), given.flags)


@click.command(epilog=WHICH_MAP)
@click.argument("words", nargs=-1, required=True, metavar=_ELEMENT)
def delete(words: tuple[str, ...]) -> None:
    """Remove an element."""
    import errno

    with opened(words) as (made, given):
        key = _key(made, given)
        try:
            made.raw.delete(_encoded(made, key))
        except KernelError as error:
            raise (_missing(made, key) if error.errno == errno.ENOENT else error) from None


@click.command(epilog=WHICH_MAP)
@click.argument("words", nargs=-1, required=True, metavar="MAP [key DATA]")
@json_option
def getnext(words: tuple[str, ...], as_json: bool) -> None:
    """Print the key after one, or the first; exit code 1 at the end."""
    with opened(words) as (made, given):
        key = None if given.key is None else _encoded(made, _key(made, given))
        found = made.raw.next_key(key)
        if found is None:
            raise click.exceptions.Exit(NOT_FOUND)
        shown = made.decode_key(found)
        if as_json:
            report.print_json({"next_key": shown})
        else:
            click.echo(report.compact(shown))


def _taking(name: str, about: str, take: Callable[[KernelMap], Any]) -> click.Command:
    """A command that prints the next value of a queue or stack."""

    @click.command(name, help=about, epilog=WHICH_MAP)
    @click.argument("words", nargs=-1, required=True, metavar="MAP")
    @json_option
    def command(words: tuple[str, ...], as_json: bool) -> None:
        with opened(words) as (made, _):
            value = take(made)
            if value is None:
                raise KernelError(f"map {made.name} is empty")
            if as_json:
                report.print_json({"value": value})
            else:
                click.echo(report.compact(value))

    return command


def _giving(name: str, about: str) -> click.Command:
    """A command that puts a value into a queue or stack."""

    @click.command(name, help=about, epilog=WHICH_MAP)
    @click.argument("words", nargs=-1, required=True, metavar="MAP value DATA")
    def command(words: tuple[str, ...]) -> None:
        with opened(words) as (made, given):
            if given.value is None:
                raise ConfigError("put in what? Give `value DATA`")
            made.raw.update(b"", _packed(made, _value(made, given.value)), given.flags)

    return command


peek = _taking("peek", "Print the next value of a queue or stack, which stays.",
               lambda made: made.peek())  # fmt: skip
pop = _taking("pop", "Take the next value off a stack.", lambda made: made.take())
dequeue = _taking("dequeue", "Take the next value out of a queue.", lambda made: made.take())
push = _giving("push", "Put a value on a stack.")
enqueue = _giving("enqueue", "Put a value into a queue.")

COMMANDS = (dump, lookup, update, delete, getnext, peek, push, pop, enqueue, dequeue)
