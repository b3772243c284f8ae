"""What the commands take as a program: C source, an object file; read into an ObjectSpec."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, TypeVar

from ebee.errors import ConfigError, ObjectError

if TYPE_CHECKING:
    from ebee.obj.spec import ObjectSpec, ProgramSpec

C_SUFFIXES = {".c"}
PYTHON_SUFFIXES = {".py"}
STDIN = "-"
T = TypeVar("T")


def nearest(name: str, known: Iterable[str]) -> str:
    """` Did you mean 'firewall'?` when a known name is close, else nothing."""
    from difflib import get_close_matches

    found = get_close_matches(name, list(known), 1)
    return f" Did you mean {found[0]!r}?" if found else ""


def pick(kind: str, known: Mapping[str, T], name: str, where: str) -> T:
    """The program, map, variable ... of a name; ObjectError with the nearest and all the names."""
    if name in known:
        return known[name]
    there = ", ".join(known) or "none"
    raise ObjectError(f"{where} has no {kind} {name!r}.{nearest(name, known)} It has: {there}")


def read_bytes(path: str) -> bytes:
    """A file, or standard input for `-`; ObjectError when it cannot be read."""
    try:
        if path == STDIN:
            return sys.stdin.buffer.read()
        with open(path, "rb") as opened:
            return opened.read()
    except IsADirectoryError:
        raise ObjectError(f"{path} is a folder, not a file") from None
    except FileNotFoundError:
        raise ObjectError(f"{path}: there is no such file") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ObjectError(f"cannot read {path}: {reason}") from None


def read_spec(path: str) -> ObjectSpec:
    """The object in a file (`-`: standard input): compiled when it is C or Python source, else
    read as ELF. What reading or compiling it warns of goes to standard error."""
    suffix = os.path.splitext(path)[1]
    if suffix in C_SUFFIXES:
        read_bytes(path)  # clang has no good words for what cannot be read
        from ebee.clang import build

        spec = build(path)
    elif suffix in PYTHON_SUFFIXES:
        from ebee.lang.bpf.build import compile

        spec = compile(path)
    else:
        from ebee.obj import read

        spec = read(read_bytes(path), "standard input" if path == STDIN else path)
    warn_of(spec)
    return spec


def warn_of(spec: ObjectSpec) -> None:
    """Pass on what was met and left out."""
    from ebee.cli import report

    for warning in spec.warnings:
        report.warn(warning)


def choose_program(spec: ObjectSpec, name: str | None, hooks: Iterable[str] = ()) -> ProgramSpec:
    """The program named, or the only one (of some hooks); an error that lists them otherwise."""
    if name is not None:
        return pick("program", spec.programs, name, spec.name)
    hooks = list(hooks)
    found = [p for p in spec.programs.values() if not hooks or p.hook in hooks]
    if len(found) == 1:
        return found[0]
    if not found:
        others = ", ".join(f"{p.name} ({p.hook})" for p in spec.programs.values()) or "none"
        kind = f"{' or '.join(hooks)} " if hooks else ""
        raise ObjectError(f"{spec.name} has no {kind}program; its programs: {others}")
    names = ", ".join(p.name for p in found)
    raise ObjectError(f"{spec.name} has {len(found)} programs, choose with --prog: {names}")


def set_variables(spec: ObjectSpec, assignments: tuple[str, ...]) -> None:
    """Apply `--set name=value`: numbers in any base, true/false, or text."""
    for text in assignments:
        name, equals, value = text.partition("=")
        if not equals:
            raise ConfigError(f"--set {text}: write it as name=value")
        variable = pick("variable", spec.variables, name.strip(), spec.name)
        variable.value = _value(value.strip())


def _value(text: str) -> int | bool | str:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        return int(text, 0)
    except ValueError:
        return text
