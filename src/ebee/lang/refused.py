"""What the language does not have, by kind of node: a message and a way out each."""

from __future__ import annotations

import ast

from ebee.lang.errors import Refusal

_COLLECTION = "there are no collections at run time: use a struct, an array, or memory of a map"
_COMPREHENSION = "write a `for` loop"
_TEXT = "there is no text at run time"

REFUSED: dict[str, tuple[str, str]] = {
    # statements
    "FunctionDef": ("a function inside a function", "define it in the module, marked @native"),
    "AsyncFunctionDef": ("`async`", "write a plain function"),
    "ClassDef": ("a class inside a function", "define the @struct in the module"),
    "Delete": ("`del`", "variables end with the function"),
    "AsyncFor": ("`async for`", "write a plain `for`"),
    "With": ("`with`", "write the steps before and after by themselves"),
    "AsyncWith": ("`async with`", "write the steps by themselves"),
    "Raise": ("`raise`: there are no exceptions", "return an error number"),
    "Try": ("`try`: there are no exceptions", "test the result of each step"),
    "TryStar": ("`try`: there are no exceptions", "test the result of each step"),
    "Import": ("`import` inside a function", "import at the top of the module"),
    "ImportFrom": ("`import` inside a function", "import at the top of the module"),
    "Global": ("`global`: module variables are constants here", "pass a pointer to what changes"),
    "Nonlocal": ("`nonlocal`: variables of other functions are constants here", "pass a pointer"),
    "TypeAlias": ("`type` inside a function", "define the alias in the module"),
    # expressions
    "Lambda": ("`lambda`", "define a @native function in the module"),
    "Dict": ("a dict", _COLLECTION),
    "Set": ("a set", "for a test of membership: x in (1, 2, 3); else " + _COLLECTION),
    "List": ("a list", "for a test of membership: x in (1, 2, 3); else " + _COLLECTION),
    "ListComp": ("a list comprehension", _COMPREHENSION),
    "SetComp": ("a set comprehension", _COMPREHENSION),
    "DictComp": ("a dict comprehension", _COMPREHENSION),
    "GeneratorExp": ("a generator", _COMPREHENSION),
    "Await": ("`await`", "call the function directly"),
    "Yield": ("`yield`", "return a value, or fill memory of the caller"),
    "YieldFrom": ("`yield from`", "return a value, or fill memory of the caller"),
    "JoinedStr": ("an f-string", _TEXT),
    "FormattedValue": ("an f-string", _TEXT),
    "TemplateStr": ("a template string", _TEXT),
    "Interpolation": ("a template string", _TEXT),
    "Starred": ("`*`", "write the values one by one"),
    "Slice": ("a slice", "use p + n and a length"),
    # patterns
    "MatchMapping": ("a mapping in a pattern", "match integers and tuples of them"),
    "MatchClass": ("a class in a pattern", "match the members: match (s.a, s.b):"),
    "MatchStar": ("`*` in a pattern", "name each value"),
}


def refusal_of(node: ast.AST) -> Refusal:
    """The refusal of a node that no handler takes."""
    kind = type(node).__name__
    message, way_out = REFUSED.get(kind, (f"{kind} is not part of the language", ""))
    return Refusal(message, way_out)
