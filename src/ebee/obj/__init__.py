"""Objects: what a program is (specs), reading and writing it as ELF, linking its functions."""

from ebee.obj.linker import link
from ebee.obj.reader import load, read
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
from ebee.obj.writer import save, write

__all__ = [
    "ExternSpec",
    "FuncInfo",
    "FunctionSpec",
    "Line",
    "Linked",
    "MapSpec",
    "ObjectSpec",
    "ProgramSpec",
    "Ref",
    "VariableSpec",
    "link",
    "load",
    "read",
    "save",
    "write",
]
