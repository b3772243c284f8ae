"""Externs: what an object declares and leaves to the kernel, or to another object, to define."""

from __future__ import annotations

from ebee.btf import Func, Var
from ebee.btf.types import Linkage
from ebee.obj import elf
from ebee.obj.source import Source
from ebee.obj.spec import ExternKind, ExternSpec

_SECTIONS: dict[str, ExternKind] = {".ksyms": "ksym", ".kconfig": "kconfig", ".maps": "map"}
"""Where an extern variable is declared -> what it is."""


def read_externs(src: Source) -> None:
    """Add the undefined symbols that the BTF explains; any other is refused where it is used."""
    wanted = {
        s.name: s for s in src.symbols_in[elf.SHN_UNDEF] if s.name and s.bind != elf.STB_LOCAL
    }
    if not wanted or src.btf is None:
        return
    for section, kind in _SECTIONS.items():
        datasec = src.datasecs.get(section)
        for entry in datasec.vars if datasec else ():
            found = src.btf.type(entry.type)
            if not isinstance(found, Var | Func):
                raise src.error(f"{section} has an entry that is neither variable nor function")
            _add(src, wanted, found.name, "kfunc" if isinstance(found, Func) else kind, found.id)
    for name in list(wanted):
        function, variable = src.functions.get(name), src.variables.get(name)
        if function is not None and function.linkage == Linkage.EXTERN:
            _add(src, wanted, name, "func", function.id)
        elif variable is not None and variable.linkage == Linkage.EXTERN:
            _add(src, wanted, name, "var", variable.id)
    for extern in src.spec.externs.values():
        if extern.kind in ("func", "map", "var"):
            src.libbpf_refuses(f"{extern.name!r} is not defined here; link the object that has it")


def _add(
    src: Source, wanted: dict[str, elf.Symbol], name: str, kind: ExternKind, btf_id: int
) -> None:
    symbol = wanted.pop(name, None)
    if symbol is not None:  # a declaration that nothing uses has no symbol
        src.spec.externs[name] = ExternSpec(name, kind, btf_id, symbol.bind == elf.STB_WEAK)
