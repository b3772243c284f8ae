"""`ebee build`: C or Python to a BPF object."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ebee.cli import report
from ebee.cli.source import C_SUFFIXES, PYTHON_SUFFIXES, read_bytes, warn_of
from ebee.errors import ConfigError

if TYPE_CHECKING:
    from ebee.obj.spec import ObjectSpec


@click.command()
@click.argument("file")
@click.option("-o", "--output", metavar="OUT", help="The object to write (FILE's name, .bpf.o).")
@click.option("-I", "includes", multiple=True, metavar="DIR", help="A further folder of headers.")
@click.option("-D", "defines", multiple=True, metavar="NAME[=VALUE]", help="Define a macro.")
@click.option(
    "--cpu",
    type=click.Choice(["v1", "v2", "v3", "v4"]),
    default="v3",
    show_default=True,
    help="Instruction set: v1 runs everywhere, v2 needs Linux 4.14, v3 5.1, v4 6.6.",
)
@click.option("--big-endian", is_flag=True, help="For machines of that byte order.")
@click.option("--no-debug", is_flag=True, help="No BTF and source lines; maps need them.")
@click.option("--vmlinux", metavar="FILE", help="Where vmlinux.h comes from: BTF, or a header.")
@click.option("--json", "as_json", is_flag=True, help="What was made as JSON.")
def build(
    file: str,
    output: str | None,
    includes: tuple[str, ...],
    defines: tuple[str, ...],
    cpu: str,
    big_endian: bool,
    no_debug: bool,
    vmlinux: str | None,
    as_json: bool,
) -> None:
    """Compile FILE (C or Python) to a BPF object that ebee, libbpf and others load.

    \b
    ebee build firewall.c                     makes firewall.bpf.o
    ebee build -DDEBUG -I include prog.c -o prog.o
    """
    from ebee import clang

    read_bytes(file)
    if Path(file).suffix not in C_SUFFIXES | PYTHON_SUFFIXES:
        raise ConfigError(f"{file} is no C source (*.c) nor Python (*.py)")
    for folder in includes:
        if not Path(folder).is_dir():
            raise ConfigError(f"-I {folder}: there is no such folder")
    target = output or f"{Path(file).stem}.bpf.o"
    if Path(file).suffix in PYTHON_SUFFIXES:
        for_c = {
            "-I": includes, "-D": defines, "--cpu": cpu != "v3", "--big-endian": big_endian,
            "--no-debug": no_debug, "--vmlinux": vmlinux,
        }  # fmt: skip
        given = [option for option, value in for_c.items() if value]
        if given:
            raise ConfigError(f"{given[0]} is for C; Python is compiled for v3, with BTF")
        spec = _build_python(file, target)
    else:
        spec = clang.build(
            file,
            target,
            includes=includes,
            defines=defines,
            cpu=cpu,
            debug=not no_debug,
            endian="big" if big_endian else "little",
            vmlinux=vmlinux,
        )
    warn_of(spec)
    made: dict[str, Any] = {
        "output": target,
        "size": Path(target).stat().st_size,
        "cpu": cpu,
        "compiler": "ebee" if Path(file).suffix in PYTHON_SUFFIXES else str(clang.find()),
        "programs": {
            name: {"hook": p.hook, "section": p.section, "instructions": len(p.insns)}
            for name, p in spec.programs.items()
        },
        "maps": list(spec.maps),
        "warnings": spec.warnings,
    }
    if as_json:
        report.print_json(made)
        return
    programs = ", ".join(
        f"{name} ({p.hook}, {report.plural(len(p.insns), 'instruction')})"
        for name, p in spec.programs.items()
    )
    maps = report.plural(sum(m.data is None for m in spec.maps.values()), "map")
    click.echo(f"{target}: {report.size(made['size'])}, {maps}; {programs}")


def _build_python(file: str, target: str) -> ObjectSpec:
    """Compile Python source and write the object; options of clang do not matter there."""
    from ebee.lang.bpf.build import compile
    from ebee.obj import save

    spec = compile(file)
    save(spec, target)
    return spec
