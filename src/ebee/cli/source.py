"""What the commands take as a program: C source, an object file; read into an ObjectSpec."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ebee.errors import ConfigError, ObjectError

if TYPE_CHECKING:
    from ebee.obj.spec import ObjectSpec, ProgramSpec

C_SUFFIXES = {".c"}


def read_spec(path: str) -> ObjectSpec:
    """The object in a file: compiled when it is C source, else read as ELF."""
    file = Path(path)
    if not file.exists():
        raise ObjectError(f"{path}: there is no such file")
    if file.is_dir():
        raise ObjectError(f"{path} is a folder, not a program")
    if file.suffix in C_SUFFIXES:
        from ebee.clang import build

        return build(file)
    from ebee.obj import load

    return load(file)


def choose_program(spec: ObjectSpec, name: str | None, hook: str | None = None) -> ProgramSpec:
    """The program named, or the only one (of a hook); an error that lists them otherwise."""
    if name is not None:
        return spec.program(name)
    found = [p for p in spec.programs.values() if hook is None or p.hook == hook]
    if len(found) == 1:
        return found[0]
    kind = f"{hook} " if hook else ""
    if not found:
        others = ", ".join(f"{p.name} ({p.hook})" for p in spec.programs.values()) or "none"
        raise ObjectError(f"{spec.name} has no {kind}program; its programs: {others}")
    names = ", ".join(p.name for p in found)
    raise ObjectError(f"{spec.name} has {len(found)} {kind}programs, choose with --prog: {names}")


def set_variables(spec: ObjectSpec, assignments: tuple[str, ...]) -> None:
    """Apply `--set name=value`: numbers in any base, true/false, or text."""
    for text in assignments:
        name, equals, value = text.partition("=")
        if not equals:
            raise ConfigError(f"--set {text}: write it as name=value")
        spec.variables[name.strip()].value = _value(value.strip())


def _value(text: str) -> int | bool | str:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        return int(text, 0)
    except ValueError:
        return text
