"""`ebee run --reload`: the program's source is watched, compiled again when it changes, and put in
the place of the program that runs, with the maps whose definitions have stayed the same."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from ebee.errors import ConfigError
from ebee.obj.events import event_type
from ebee.obj.handles import BUFFERS

if TYPE_CHECKING:
    from ebee.obj.handles import Object
    from ebee.obj.spec import MapSpec, ObjectSpec, VariableSpec

FRESH = ("prog_array", "array_of_maps", "hash_of_maps", "struct_ops")
"""Map types that are filled anew: what they hold belongs to the object."""

Stamp = tuple[int, int, int]


# -- what has changed ------------------------------------------------------------------------------


class Sources:
    """The files that a program is made of, watched."""

    def __init__(self, file: str):
        self.file = file
        self.files: dict[str, Stamp | None] = {}
        self._seen: dict[str, Stamp | None] = {}

    def use(self, spec: ObjectSpec | None) -> None:
        """Watch the files that a spec came from (None: those known so far), as they are now."""
        names = set(self.files) if spec is None else set(sources(self.file, spec))
        self.files = {name: _stamp(name) for name in names}
        self._seen = dict(self.files)

    def changed(self) -> bool:
        """Whether a file is another than it was, and has been left alone since the last call: an
        editor may still be writing it."""
        now = {name: _stamp(name) for name in self.files}
        settled, self._seen = now == self._seen, now
        return settled and None not in now.values() and now != self.files


def sources(file: str, spec: ObjectSpec) -> Iterator[str]:
    """The files that a spec's code came from: source and what it includes or imports beside it."""
    yield file
    folder = os.path.realpath(os.path.dirname(file) or ".")
    for function in (*spec.programs.values(), *spec.functions.values()):
        for line in function.lines:
            if os.path.realpath(line.file).startswith(folder + os.sep):
                yield line.file
    if file.endswith(".c"):
        yield from _included(Path(file), set())
    elif file.endswith(".py"):
        yield from (str(m.__file__) for m in modules_beside(file).values())


def _included(path: Path, seen: set[Path]) -> Iterator[str]:
    """Headers that are included by a path relative to the file."""
    try:
        text = path.read_text(errors="replace")
    except OSError:
        return
    for name in re.findall(r'^\s*#\s*include\s*"([^"]+)"', text, re.MULTILINE):
        header = (path.parent / name).resolve()
        if header.is_file() and header not in seen:
            seen.add(header)
            yield str(header)
            yield from _included(header, seen)


def modules_beside(file: str) -> dict[str, ModuleType]:
    """The modules that a Python program has imported from its own folder, by name; not its
    companion, nor what is installed there."""
    path = Path(os.path.realpath(file))
    folder, companion = str(path.parent) + os.sep, f"{path.stem}_rules"
    found = {}
    for name, module in list(sys.modules.items()):
        where = getattr(module, "__file__", None) or ""
        own = name.partition(".")[0] not in ("ebee", "__main__", companion)
        if own and "site-packages" not in where and os.path.realpath(where).startswith(folder):
            found[name] = module
    return found


def _stamp(name: str) -> Stamp | None:
    try:
        found = os.stat(name)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


# -- which maps stay -------------------------------------------------------------------------------


@dataclass
class Fate:
    """What becomes of the maps: `kept` as they are, `reset` with the reason, `new` and `gone`;
    `values` of variables that are carried over into a new section."""

    kept: list[str] = field(default_factory=list)
    reset: dict[str, str] = field(default_factory=dict)
    new: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    values: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        parts = [
            ("kept", ", ".join(n for n in self.kept if not n.startswith("."))),
            ("reset", ", ".join(f"{n} ({why})" for n, why in self.reset.items())),
            ("new", ", ".join(self.new)),
            ("gone", ", ".join(self.gone)),
        ]
        said = "; ".join(f"{what}: {names}" for what, names in parts if names)
        return f"maps {said}" if said else "it has no maps"


def fate(old: ObjectSpec, new: ObjectSpec) -> Fate:
    """Compare the maps of two versions of a program."""
    found = Fate()
    for name, m in new.maps.items():
        before = old.maps.get(name)
        if m.readonly or m.type in FRESH:
            continue  # constants are those of the source; programs are all new
        if name.startswith("."):  # variables keep their values one by one
            if before is not None and _layout(old, name) == _layout(new, name):
                found.kept.append(name)
            else:
                found.values += [v for v in _variables(new, name) if same_variable(old, new, v)]
        elif before is None:
            found.new.append(name)
        elif why := difference(old, before, new, m):
            found.reset[name] = why
        else:
            found.kept.append(name)
    found.gone = [n for n, m in old.maps.items() if n not in new.maps and not n.startswith(".")]
    return found


ATTRIBUTES = ("type", "max_entries", "flags", "map_extra", "pinning", "numa_node", "data")


def difference(old: ObjectSpec, before: MapSpec, new: ObjectSpec, m: MapSpec) -> str:
    """What differs between two definitions of a map, in a few words; empty when nothing does."""
    for name in ATTRIBUTES:
        a, b = getattr(before, name), getattr(m, name)
        if a != b:
            return f"{name} {a} -> {b}" if name != "data" else "its first contents"
    for part in ("key", "value"):
        a, b = getattr(before, f"{part}_size"), getattr(m, f"{part}_size")
        if a != b:
            return f"{part} of {a} -> {b} bytes"
        ids = getattr(before, f"{part}_btf_id"), getattr(m, f"{part}_btf_id")
        if _type(old, ids[0]) != _type(new, ids[1]):
            return f"members of the {part}"
    if m.type in BUFFERS and _type(old, event_type(old, before)) != _type(new, event_type(new, m)):
        return "members of its records"
    return ""


def _type(spec: ObjectSpec, btf_id: int) -> str:
    """A type with all that it is made of, as text."""
    if spec.btf is None or not btf_id:
        return ""
    from ebee.btf import printer

    return printer.c(spec.btf, [btf_id]) + printer.oneline(spec.btf, btf_id)


def _variables(spec: ObjectSpec, section: str) -> dict[str, VariableSpec]:
    return {n: v for n, v in spec.variables.items() if v.map == section}


def _definition(spec: ObjectSpec, variable: VariableSpec) -> tuple[object, ...]:
    """Type and first value of a variable."""
    data = spec.maps[variable.map].data or b""
    first = data[variable.offset : variable.offset + variable.size]
    return variable.size, first.rstrip(b"\0"), _type(spec, variable.btf_id)


def _layout(spec: ObjectSpec, section: str) -> list[tuple[object, ...]]:
    found = _variables(spec, section).items()
    return sorted((v.offset, n, _definition(spec, v)) for n, v in found)


def same_variable(old: ObjectSpec, new: ObjectSpec, name: str) -> bool:
    """Whether a variable is the same in both: it keeps its value then."""
    a, b = old.variables.get(name), new.variables.get(name)
    if a is None or b is None or old.maps[a.map].readonly:
        return False
    return _definition(old, a) == _definition(new, b)


def carry_over(names: Sequence[str], old: Object, new: Object) -> None:
    """Give variables the values that they had."""
    for name in names:
        new.variables[name].write(old.variables[name].read())


# -- reading it again ------------------------------------------------------------------------------


def read_again(file: str, read: Callable[[str], ObjectSpec]) -> tuple[ObjectSpec, float]:
    """The spec of a source that has changed, with what it imports, and the seconds it took."""
    begin = time.perf_counter()
    if file.endswith(".py"):
        import importlib

        before = modules_beside(file)
        for name in before:
            del sys.modules[name]
        importlib.invalidate_caches()
        try:
            spec = read(file)
        except BaseException:
            for name, module in before.items():
                sys.modules.setdefault(name, module)
            raise
    else:
        spec = read(file)
    return spec, time.perf_counter() - begin


def check_replaceable(old: ObjectSpec, new: ObjectSpec, name: str) -> None:
    """ConfigError unless the new program can stand where the old one stands."""
    if name not in new.programs:
        there = ", ".join(new.programs) or "none"
        raise ConfigError(f"it has no program {name!r} any more; it has: {there}")
    was, becomes = old.programs[name], new.programs[name]
    if (was.hook, was.attach_type) != (becomes.hook, becomes.attach_type):
        raise ConfigError(
            f"program {name} has become a {becomes.section} program and cannot take the place of a"
            f" {was.section} one: start ebee again for that"
        )
