"""Objects: what a program is (specs), reading and writing it as ELF, linking its functions.

Names are imported when they are first used (PEP 562): whoever needs a spec pays for no ELF reader.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ebee.obj.core import minimal_btf
    from ebee.obj.linker import link
    from ebee.obj.reader import load, read
    from ebee.obj.resolve import resolved
    from ebee.obj.skeleton import generate
    from ebee.obj.spec import (
        ExternSpec,
        FuncInfo,
        FunctionSpec,
        Line,
        Linked,
        MapSpec,
        ObjectSpec,
        ProgramSpec,
        Ref,
        VariableSpec,
    )
    from ebee.obj.static import link_objects
    from ebee.obj.writer import save, write

_HOME = {
    "core": ("minimal_btf",),
    "linker": ("link",),
    "reader": ("load", "read"),
    "resolve": ("resolved",),
    "skeleton": ("generate",),
    "spec": (
        "ExternSpec", "FuncInfo", "FunctionSpec", "Line", "Linked", "MapSpec", "ObjectSpec",
        "ProgramSpec", "Ref", "VariableSpec",
    ),
    "static": ("link_objects",),
    "writer": ("save", "write"),
}  # fmt: skip
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "ExternSpec", "FuncInfo", "FunctionSpec", "Line", "Linked", "MapSpec", "ObjectSpec",
    "ProgramSpec", "Ref", "VariableSpec", "generate", "link", "link_objects", "load",
    "minimal_btf", "read", "resolved", "save", "write",
]  # fmt: skip


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value
