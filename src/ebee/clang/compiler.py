"""Running clang: C source in, an object out, and what it has to say."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ebee.clang import headers, toolchain
from ebee.errors import CompileError, ObjectError
from ebee.obj import reader
from ebee.obj.hooks import unknown

if TYPE_CHECKING:
    from ebee.btf import Btf
    from ebee.obj import ObjectSpec

TIMEOUT = 120.0
"""Seconds until a compiler is given up."""
CPUS = ("v1", "v2", "v3", "v4")
_MISSING_TYPES = re.compile(r"fatal error: '(?:.*/)?vmlinux\.h' file not found")
_ERROR = re.compile(r"^(?P<place>.*?): (?:fatal )?error: (?P<text>.*)$", re.MULTILINE)
_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


@dataclass(frozen=True)
class Options:
    """How to compile. `vmlinux`: where vmlinux.h comes from when the source includes it: a BTF, a
    file with one, a finished header, or (None) the running kernel."""

    includes: tuple[str, ...] = ()
    defines: tuple[tuple[str, str | None], ...] = ()
    cpu: str = "v3"
    debug: bool = True
    endian: str = "little"
    vmlinux: str | os.PathLike[str] | Btf | None = None
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True)
class Compiled:
    """An object, the compiler's warnings, and the files that went into it."""

    content: bytes
    warnings: str
    inputs: tuple[str, ...]


def build(
    source: str | os.PathLike[str],
    output: str | os.PathLike[str] | None = None,
    *,
    includes: Iterable[str | os.PathLike[str]] = (),
    defines: Mapping[str, str | int | None] | Iterable[str] = (),
    cpu: str = "v3",
    debug: bool = True,
    endian: str = "little",
    vmlinux: str | os.PathLike[str] | Btf | None = None,
    arguments: Iterable[str] = (),
    programs: bool = True,
) -> ObjectSpec:
    """Compile a C file and read the object; with `output` the object is also written there.

    `includes` are further folders, `defines` macros ({"DEBUG": 1}, or ["DEBUG=1"]), `cpu` the
    instruction set (v1 to v4), `debug` whether to make BTF (maps need it), `vmlinux` the source of
    vmlinux.h (see Options), `arguments` more for clang. Warnings are in the spec's `warnings`.

    CompileError, with clang's own text, when it does not compile, when there is no compiler, or
    when (with `programs`) it has no programs. ObjectError as from reading an object.

    >>> build("firewall.c", cpu="v3").programs         # doctest: +SKIP
    """
    options = Options(
        includes=tuple(os.fspath(folder) for folder in includes),
        defines=_pairs(defines),
        cpu=cpu,
        debug=debug,
        endian=endian,
        vmlinux=vmlinux,
        arguments=tuple(arguments),
    )
    made = compile(source, options)
    spec = reader.read(made.content, os.fspath(source))
    if made.warnings:
        spec.warnings.append(made.warnings)
    for program in spec.programs.values():
        if not program.hook:
            raise ObjectError(f"{os.fspath(source)}: {unknown(program)}")
    if programs and not spec.programs:
        raise CompileError(
            f"{os.fspath(source)} has no programs; give a function a section that names its hook,"
            ' like SEC("xdp")'
        )
    if output is not None:
        try:
            Path(output).write_bytes(made.content)
        except OSError as error:
            raise CompileError(f"cannot write {os.fspath(output)}: {error.strerror}") from None
    return spec


def _pairs(
    defines: Mapping[str, str | int | None] | Iterable[str],
) -> tuple[tuple[str, str | None], ...]:
    """Macros as (name, value); None for a name alone."""
    if isinstance(defines, Mapping):
        return tuple((n, None if v is None else str(v)) for n, v in defines.items())
    parts = (define.partition("=") for define in defines)
    return tuple((name, value if equals else None) for name, equals, value in parts)


def compile(source: str | os.PathLike[str], options: Options = Options()) -> Compiled:
    """Compile a C file to the bytes of an object. CompileError as for `build`."""
    path = Path(source)
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "there is no such file"
        raise CompileError(f"cannot compile {path}: {what}")
    if options.cpu not in CPUS:
        raise CompileError(f"unknown instruction set {options.cpu!r}; known: {', '.join(CPUS)}")
    tools = toolchain.find()
    with tempfile.TemporaryDirectory(prefix="ebee-clang-") as folder:
        place = Path(folder)
        headers.generate(place, options.vmlinux, types=False)
        done = _run(tools, path, place, options)
        if done.returncode and _MISSING_TYPES.search(done.stderr):
            headers.generate(place, options.vmlinux, types=True)
            done = _run(tools, path, place, options)
        if done.returncode:
            raise CompileError(_failure(path, tools, done))
        inputs = tuple(p for p in _inputs(place / "inputs.d") if not p.startswith(folder))
        return Compiled((place / "object.o").read_bytes(), done.stderr.strip(), inputs)


def _run(
    tools: toolchain.Toolchain, source: Path, place: Path, options: Options
) -> subprocess.CompletedProcess[str]:
    machine = {"x86_64": "x86", "AMD64": "x86", "aarch64": "arm64"}
    arch = machine.get(os.uname().machine if hasattr(os, "uname") else "AMD64")
    command = [
        *tools.command,
        *tools.target[options.endian],
        f"-mcpu={options.cpu}",
        "-O2",
        *(["-g"] if options.debug else []),
        "-fcolor-diagnostics" if sys.stderr.isatty() else "-fno-color-diagnostics",
        *([f"-D__TARGET_ARCH_{arch}"] if arch else []),
        *(f"-D{name}" if value is None else f"-D{name}={value}" for name, value in options.defines),
        *(f"-I{folder}" for folder in options.includes),
        f"-I{headers.WRITTEN}",
        f"-I{place}",
        f"-I{place / 'bpf'}",  # bpf_helpers.h, beside the made bpf_helper_defs.h
        *(word for folder in tools.system_headers for word in ("-idirafter", folder)),
        *options.arguments,
        *("-MD", "-MF", str(place / "inputs.d")),
        *("-c", str(source), "-o", str(place / "object.o")),
    ]
    try:
        return subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=TIMEOUT,
            env={**os.environ, **tools.environment},
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise CompileError(
            f"{source} was not compiled within {TIMEOUT:.0f} s; {tools} was stopped"
        ) from None
    except OSError as error:
        raise CompileError(f"cannot start {tools}: {error.strerror}") from None


def _failure(
    source: Path, tools: toolchain.Toolchain, done: subprocess.CompletedProcess[str]
) -> str:
    """One line that says what is wrong first, then all that clang said."""
    said = done.stderr.strip()
    errors = _ERROR.findall(_COLOUR.sub("", said))
    if not errors:
        return f"{source} does not compile: {tools} ended with status {done.returncode}\n{said}"
    count = f" ({len(errors)} errors)" if len(errors) > 1 else ""
    return f"{source} does not compile{count}: {errors[0][1]}\n{said}"


def _inputs(path: Path) -> list[str]:
    """The files in a list that -MD made, without the target before the colon."""
    try:
        text = path.read_text()
    except OSError:
        return []
    words = re.split(r"(?<!\\)\s+", text.partition(": ")[2].replace("\\\n", " "))
    return [word.replace("\\ ", " ") for word in words if word]
