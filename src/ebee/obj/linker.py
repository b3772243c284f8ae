"""Linking: one program with all the functions it reaches, as a single run of code.

The order is libbpf's (bpf_object__reloc_code): the program first; then each function when the
first reference to it is met, walking a function's references in order and a new function's own
ones before going on; the callback for exceptions and what that reaches come last. Functions that
nothing reaches are left out.
"""

from __future__ import annotations

from itertools import accumulate

from ebee.errors import ObjectError
from ebee.obj.spec import FuncInfo, FunctionSpec, Linked, ObjectSpec, ProgramSpec

_INTERNAL = ("call", "func")
_MAPS = ("map", "data")


def link(spec: ObjectSpec, program: str | FunctionSpec) -> Linked:
    """The code of a program (by name, or any function of the spec) and what it calls.

    Recursion is kept as it is: whether it may run is the verifier's to say. ObjectError when a
    function that it refers to is not in the spec.
    """
    entry = spec.function(program) if isinstance(program, str) else program
    functions = _reachable(spec, entry)
    sizes = [len(f.insns) for f in functions]
    starts = dict(zip((f.name for f in functions), accumulate(sizes, initial=0), strict=False))
    linked = Linked(entry.name, [], [], [], [])
    for function in functions:
        start = starts[function.name]
        linked.insns += function.insns
        linked.funcs.append(FuncInfo(function.name, start, function.btf_id))
        linked.lines += [line._replace(slot=line.slot + start) for line in function.lines]
        for ref in function.refs:
            slot = ref.slot + start
            if ref.kind in _INTERNAL:
                distance = starts[ref.symbol] - slot - 1
                linked.insns[slot] = linked.insns[slot]._replace(imm=distance)
            elif ref.kind in _MAPS and ref.symbol not in spec.maps:
                raise _undefined(spec, function.name, "uses", ref.symbol)
            else:
                linked.refs.append(ref._replace(slot=slot))
    return linked


def _reachable(spec: ObjectSpec, entry: FunctionSpec) -> list[FunctionSpec]:
    """`entry` and the functions it reaches, in libbpf's order."""
    found: dict[str, FunctionSpec] = {}
    _walk(spec, entry, found)
    callback = entry.exception_callback if isinstance(entry, ProgramSpec) else ""
    if callback and callback not in found:
        function = spec.functions.get(callback)
        if function is None or function.linkage == "static":
            raise ObjectError(
                f"{spec.name}: the exception callback {callback} of {entry.name} is no global"
                " function of this object"
            )
        _walk(spec, function, found)
    return list(found.values())


def _walk(spec: ObjectSpec, entry: FunctionSpec, found: dict[str, FunctionSpec]) -> None:
    """Add `entry` and what it reaches to `found` (without Python's recursion)."""
    found[entry.name] = entry
    walks = [iter(entry.refs)]
    callers = [entry.name]
    while walks:
        for ref in walks[-1]:
            if ref.kind in _INTERNAL and ref.symbol not in found:
                function = _defined(spec, ref.symbol, callers[-1])
                found[ref.symbol] = function
                walks.append(iter(function.refs))
                callers.append(ref.symbol)
                break
        else:
            walks.pop()
            callers.pop()


def _defined(spec: ObjectSpec, name: str, caller: str) -> FunctionSpec:
    function = spec.functions.get(name) or spec.programs.get(name)
    if function is None:
        raise _undefined(spec, caller, "calls", name)
    return function


def _undefined(spec: ObjectSpec, user: str, verb: str, name: str) -> ObjectError:
    return ObjectError(
        f"{spec.name}: {user} {verb} {name}, which is not defined in this object;"
        " link the object that defines it"
    )
