"""The assembler's grammar: the texts and aliases of the instruction table, as a tree of tokens.

A statement is matched token by token against all spellings at once, so an error can say at which
token no spelling goes on, and what could have stood there.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from ebee.isa.table import FORMS, Form

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<pc>pc\s*[+-]\s*(?:0[xX][0-9a-fA-F]+|\d{1,20})\b)
    | (?P<number>(?:[+-]\s*){0,2}(?:0[xX][0-9a-fA-F]+|\d{1,20})\b)
    | (?P<register>[rw]\d{1,3}\b)
    | (?P<sign>s?>>=|<<=|s[/%<>]=|s[<>]|[-+*/%|&^=!<>]=|[-=*()\[\],:#&<>+])
    | (?P<word>kernel-function\b|[A-Za-z_.][\w.$]*)
    )""",
    re.VERBOSE,
)
_OPERAND = re.compile(r"\s*(?P<register>[rw]?)\{(?P<name>\w+\??)\}")


class Token(NamedTuple):
    """A token; `kind` is the group of _TOKEN that matched, "" for the end of the statement."""

    kind: str
    text: str
    column: int


class Operand(NamedTuple):
    """A place for an operand: `name` as in the table's texts, `letter` r or w for a register."""

    letter: str
    name: str

    def takes(self, token: Token) -> bool:
        if self.letter:
            return token.kind == "register" and token.text[0] == self.letter
        return token.kind in _KINDS[self.name][0]

    def __str__(self) -> str:
        return f"{self.letter}0-{self.letter}10" if self.letter else _KINDS[self.name][1]


RAW = Form("raw", "raw", "raw", 0, ".insn {op}, {dst}, {src}, {off}, {imm}", since="")
"""Any slot by its fields: not an instruction, but for the assembler a spelling like others."""

_NUMBER = (("number",), "a number")
_VALUE = (("number", "word"), "a number")
_NAME = (("word",), "a name")
_KINDS: dict[str, tuple[tuple[str, ...], str]] = {
    **dict.fromkeys(("imm", "hex", "imm64", "plus"), _VALUE),
    **dict.fromkeys(("id", "off", "high", "module", "to_space", "from_space"), _NUMBER),
    **dict.fromkeys(("op", "dst", "src"), _NUMBER),
    **dict.fromkeys(("helper", "map", "ksym", "kfunc", "note"), _NAME),
    "jump": (("pc", "number", "word"), "a label or a distance such as +2"),
    "func": (("pc", "number", "word"), "a function or a distance such as +2"),
    "callee": (("pc", "word"), "a function"),
}
"""The kinds of token an operand takes, and what it is called in an error message."""


class Node:
    """A point in the tree: what may follow, and the forms that are complete here."""

    __slots__ = ("forms", "operands", "words")

    def __init__(self) -> None:
        self.words: dict[str, Node] = {}
        self.operands: dict[Operand, Node] = {}
        self.forms: list[Form] = []


class Match(NamedTuple):
    """A form whose spelling fits, and the token of each operand."""

    form: Form
    operands: dict[str, Token]


class Mismatch(Exception):
    """No spelling goes on at `token`; `expected` describes what could stand there."""

    def __init__(self, token: Token, expected: list[str]):
        super().__init__(token, expected)
        self.token, self.expected = token, expected


def tokens(text: str, start: int = 0) -> Iterator[Token]:
    """The tokens of the statement in text[start:], and one of kind "" for its end."""
    text = text.rstrip()
    while start < len(text):
        match = _TOKEN.match(text, start)
        if not match or not match.lastgroup:
            column = start + len(text[start:]) - len(text[start:].lstrip())
            yield Token("unknown", text[column], column)
            return
        kind = match.lastgroup
        yield Token(kind, match[kind], match.start(kind))
        start = match.end()
    yield Token("", "", len(text))


@cache
def tree() -> Node:
    """The grammar of all instructions."""
    root = Node()
    for form in (*FORMS, RAW):
        for text in (form.text, *form.aliases):
            node: Node | None = _insert(root, text)
            if node:
                node.forms.append(form)
    return root


def _insert(node: Node, text: str) -> Node | None:
    """Add a spelling; None for one with an optional operand (spelled out in the aliases)."""
    start = 0
    while start < len(text):
        if match := _OPERAND.match(text, start):
            operand = Operand(match["register"], match["name"])
            if operand.name.endswith("?"):
                return None
            node = node.operands.setdefault(operand, Node())
        else:
            match = _TOKEN.match(text, start)
            assert match, text
            assert match.lastgroup, text
            node = node.words.setdefault(match[match.lastgroup], Node())
        start = match.end()
    return node


def match(statement: list[Token]) -> list[Match]:
    """The forms that a statement spells, the usual one first (the table's order). Raises Mismatch
    when there is none.
    """
    states: list[tuple[Node, dict[str, Token]]] = [(tree(), {})]
    for token in statement:
        if not token.kind:
            found = [Match(form, bound) for node, bound in states for form in node.forms]
            if found:
                return found
        following = []
        for node, bound in states:
            if token.kind != "unknown" and token.text in node.words:
                following.append((node.words[token.text], bound))
            for operand, after in node.operands.items():
                known = bound.get(operand.name)
                if operand.takes(token) and (not known or known.text == token.text):
                    following.append((after, {**bound, operand.name: token}))
        if not following:
            raise Mismatch(token, _expected(states))
        states = following
    raise AssertionError("a statement ends in an end token")


def _expected(states: list[tuple[Node, dict[str, Token]]]) -> list[str]:
    options: dict[str, None] = {}
    for node, bound in states:
        for operand in node.operands:
            known = bound.get(operand.name)
            options[f"'{known.text}'" if known else str(operand)] = None
        options.update(dict.fromkeys(f"'{word}'" for word in node.words))
        if node.forms:
            options["the end"] = None
    return list(options)
