"""Programs and maps of the kernel by what people call them: `id 12`, `id:12`, `12`, `name xdp_fw`,
`tag 3b185187f1855c4c`, `pinned /sys/fs/bpf/p`, or simply the path of a pin."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from ebee.errors import ConfigError, KernelError

if TYPE_CHECKING:
    from ebee.linux.maps import LinuxMap
    from ebee.linux.programs import LinuxProgram

T = TypeVar("T")
Handle = TypeVar("Handle", "LinuxProgram", "LinuxMap")
WAYS = ("id", "name", "tag", "pinned")


def split(words: Sequence[str], what: str) -> tuple[str, str, list[str]]:
    """(way, value, what follows) of the words that name a program or map."""
    rest = list(words)
    if not rest:
        raise ConfigError(f"which {what}? Give its number, a pin's path, or `name NAME`")
    first = rest.pop(0)
    if first in WAYS and rest:
        return first, rest.pop(0), rest
    way, colon, value = first.partition(":")
    if colon and way in WAYS:
        return way, value, rest
    return ("id" if first.isdecimal() else "pinned"), first, rest


def program(words: Sequence[str]) -> tuple[LinuxProgram, list[str]]:
    """The program, and the words that follow. ConfigError or KernelError when there is none, or
    several of the name or tag."""
    from ebee.linux.programs import LinuxProgram

    way, value, rest = split(words, "program")
    return _one("prog", "program", LinuxProgram, way, value), rest


def map_(words: Sequence[str]) -> tuple[LinuxMap, list[str]]:
    """The map, and the words that follow."""
    from ebee.linux.maps import LinuxMap

    way, value, rest = split(words, "map")
    if way == "tag":
        raise ConfigError("maps have no tags")
    return _one("map", "map", LinuxMap, way, value), rest


def only_program(words: Sequence[str]) -> LinuxProgram:
    """The one program of these words, and nothing behind it."""
    return _nothing_behind(*program(words), "program")


def only_map(words: Sequence[str]) -> LinuxMap:
    """The one map of these words, and nothing behind it."""
    return _nothing_behind(*map_(words), "map")


def _nothing_behind(found: Handle, rest: Sequence[str], noun: str) -> Handle:
    if rest:
        found.close()
        raise ConfigError(f"what is {' '.join(rest)!r} behind the {noun}?")
    return found


def _one(kind: Any, noun: str, cls: Any, way: str, value: str) -> Any:
    if way == "pinned":
        return cls.get(value)
    if way == "id":
        if not value.isdecimal():
            raise ConfigError(f"{value!r} is no number of a {noun}")
        return cls.from_id(int(value))
    return _only(_all(kind, cls.from_id), way, value, noun)


def _all(kind: Any, open_: Callable[[int], T]) -> Iterable[T]:
    from ebee.linux.info import ids

    for number in ids(kind):
        try:
            yield open_(number)
        except KernelError:  # gone meanwhile
            continue


def _only(things: Iterable[Any], way: str, value: str, noun: str) -> Any:
    found = []
    for thing in things:
        # The kernel keeps 15 characters of a name.
        same = getattr(thing, way) == (value[:15] if way == "name" else value)
        if same:
            found.append(thing)
        else:
            thing.close()
    if len(found) == 1:
        return found[0]
    ids_ = ", ".join(str(thing.id) for thing in found)
    for thing in found:
        thing.close()
    if found:
        raise ConfigError(f"there are {len(found)} {noun}s with {way} {value!r}, by id: {ids_}")
    raise ConfigError(f"there is no {noun} with {way} {value!r}")
