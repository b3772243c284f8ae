"""Types of maps that stand in their annotations: `hits: Hash[u32, u64] = Hash(max_entries=64)`."""

from __future__ import annotations

import ast
from typing import Any

from ebee.errors import CompileError
from ebee.lang.bpf.maps import AnyMap, Typed
from ebee.lang.bpf.variables import imported, raw_hints
from ebee.lang.errors import Refusal, SourceError
from ebee.lang.source import file_of


def complete(space: dict[str, Any], name: str, m: AnyMap[Any, Any]) -> None:
    """Give the map that a name of a module means the types that its declaration does not have.
    Refusal when no types are to be found, or others."""
    kind, hint = type(m).__name__, _typed(space, name)
    if hint is not None and not isinstance(m, hint.cls):
        raise Refusal(f"`{name}` is annotated as {hint.cls.__name__} and declared as {kind}",
                      f"{name}: {hint} = {hint.cls.__name__}(...)")  # fmt: skip
    if hint is not None and not m.given:
        try:
            hint.give(m)
        except TypeError as error:
            raise Refusal(
                f"`{name}`: {error}", f"{name}: {_example(type(m))} = {kind}(...)"
            ) from None
    elif hint is not None and m.given != hint.types:
        declared = Typed(type(m), m.given)
        raise Refusal(f"`{name}` is annotated as {hint} and declared as {declared}",
                      "say the types once")  # fmt: skip
    if m.inner is not None and _lacks_types(m.inner):
        inner = type(m.inner)
        raise Refusal(f"the maps in `{name}` have no types", f"inner={_example(inner)}(...)")
    if _lacks_types(m):
        example = _example(type(m))
        raise Refusal(f"the map `{name}` has no types",
                      f"{name} = {example}(...), or {name}: {example} = {kind}(...)")  # fmt: skip


def _typed(space: dict[str, Any], name: str) -> Typed | None:
    """The annotation of a name, here or in the module that it comes from, if it is of a map."""
    hint = raw_hints(space).get(name)
    if hint is None:
        return imported(space, name, _typed)
    if isinstance(hint, str):  # of a module with `from __future__ import annotations`
        try:
            hint = eval(hint, space)
        except (NameError, SyntaxError, TypeError, AttributeError):
            return None
    return hint if isinstance(hint, Typed) else None


def _lacks_types(m: AnyMap[Any, Any]) -> bool:
    return bool(m.types) and m.value is None


def _example(kind: type[AnyMap[Any, Any]]) -> str:
    types = "u32, u64" if kind.types == 2 else "u32" if "Hash" in kind.__name__ else "u64"
    return f"{kind.__name__}[{types}]"


def at_declaration(space: dict[str, Any], name: str, refusal: Refusal) -> CompileError:
    """The error of a map's declaration, with its place where the module's text has it."""
    file = space.get("__file__") or ""
    lines, tree, _ = file_of(file, space)
    for node in tree.body if tree is not None else []:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(t, ast.Name) and t.id == name for t in targets):
            text = lines[node.lineno - 1].rstrip("\n")
            return SourceError(
                refusal.message, file, node.lineno, node.col_offset + 1, text, refusal.way_out
            )
    return CompileError(f"{refusal.message}\nway out: {refusal.way_out}")
