"""Hooks: the places where Linux runs eBPF programs; declarations, a file per family.

A hook says what kind of program it takes, what its sections are called, what its context looks
like, what its return values mean, and by which of the few mechanisms it is attached. The backends
know how each mechanism works.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from importlib import import_module

FAMILIES = ("xdp",)
"""The modules of this package that declare hooks, each in a tuple HOOKS."""


@dataclass(frozen=True, slots=True)
class CtxField:
    """A member of the context as the program sees it (UAPI struct), and where it comes from.

    `kind`: what a load gives: "scalar", or a pointer kind ("packet", "packet_meta",
    "packet_end", ...); `source`: the member of the machine's block that holds it;
    `write`: the program may store; `narrow`: it may load a part.
    """

    name: str
    offset: int
    size: int
    source: str
    kind: str = "scalar"
    write: bool = False
    narrow: bool = True


@dataclass(frozen=True, slots=True)
class Section:
    """A section name that selects a hook. `name` may end in `+` (optional `/extra`) or `/`
    (required extra), as in libbpf; `attach_type` is the expected attach type (None: not set)."""

    name: str
    attach_type: int | None = None
    flags: int = 0
    sleepable: bool = False


@dataclass(frozen=True, slots=True)
class Hook:
    """One hook.

    `prog_type`: number of the BPF_PROG_TYPE_*; `context`: name of the UAPI struct; `fields`: its
    members; `block`: "module:Struct" that backs the context on the machine; `returns`: name of
    each return value with a meaning; `attach`: the mechanism ("netdev", ...); `helpers`: names of
    the helpers that a program here may call; `missing`: why a coverage cell is blank.
    """

    name: str
    prog_type: int
    since: str
    doc: str
    sections: tuple[Section, ...]
    context: str | None = None
    fields: tuple[CtxField, ...] = ()
    block: str | None = None
    returns: dict[str, int] = field(default_factory=dict)
    attach: str | None = None
    helpers: frozenset[str] = frozenset()
    missing: dict[str, str] = field(default_factory=dict)


@cache
def all_hooks() -> tuple[Hook, ...]:
    """Every declared hook."""
    return tuple(h for f in FAMILIES for h in import_module(f"ebee.hooks.{f}").HOOKS)


@cache
def by_name(name: str) -> Hook | None:
    """The hook of a name."""
    return next((h for h in all_hooks() if h.name == name), None)


@cache
def by_prog_type(number: int) -> Hook | None:
    """The first hook of a BPF_PROG_TYPE_* number."""
    return next((h for h in all_hooks() if h.prog_type == number), None)


def for_section(section: str) -> tuple[Hook, Section, str | None] | None:
    """The hook that an ELF section name selects, its declaration, and the part behind the slash.

    A leading `?` (do not load by default) is the caller's to strip.
    """
    for hook in all_hooks():
        for s in hook.sections:
            base = s.name.rstrip("+/")
            if section == base and not s.name.endswith("/"):
                return hook, s, None
            if s.name != base and section.startswith(base + "/"):
                return hook, s, section[len(base) + 1 :]
    return None
