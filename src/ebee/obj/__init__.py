"""Objects: what a program is (specs), reading and writing it as ELF, linking its functions."""

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
]
