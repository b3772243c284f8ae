"""What the commands take as a source of types: the kernel, its modules, files, objects, ids."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ebee.cli.source import C_SUFFIXES, PYTHON_SUFFIXES, read_bytes, read_spec
from ebee.errors import BtfError, ConfigError

if TYPE_CHECKING:
    from ebee.btf import Btf

HELP = (
    "SOURCE is a file (BTF, a vmlinux, a module, an object, C source), or one of: `kernel` (the "
    "running one), `module:NAME`, `id:NUMBER` (of BTF in the kernel), `bundled` (comes with ebee)."
)
KERNEL = "kernel"


def open_types(source: str, base: str | None = None) -> Btf:
    """The types that a word of the command line means; `base`: what split BTF stands on."""
    from ebee.btf import Btf

    kind, colon, name = source.partition(":")
    if source == KERNEL:
        return Btf.vmlinux()
    if source == "bundled":
        return Btf.bundled()
    if colon and kind == "module":
        return Btf.module(name, open_types(base) if base else None)
    if colon and kind == "id":
        from ebee.linux.held_btf import by_id

        if not name.isdecimal():
            raise ConfigError(f"{source}: write id:NUMBER (`ebee btf list` shows them)")
        return by_id(int(name))
    if Path(source).suffix in C_SUFFIXES | PYTHON_SUFFIXES:
        spec = read_spec(source)
        if spec.btf is None:
            raise BtfError(f"{source} was compiled without types")
        return spec.btf
    read_bytes(source)  # for its words about files that cannot be read
    return Btf.load(source, open_types(base) if base else None)
