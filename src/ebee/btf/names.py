"""Messages about a name that is not there, with the nearest ones that are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ebee.btf.reader import Btf
from ebee.btf.types import Composite, Enum64, Enumeration

_WORDS = {Enum64: "enum", Enumeration: "enum", Composite: "struct or union"}


def near(name: str, known: Iterable[str], count: int = 3) -> list[str]:
    """Up to `count` of the `known` names that look most like `name`, best first."""
    from difflib import SequenceMatcher

    low = name.lower()
    matcher = SequenceMatcher(b=low)
    scored = []
    for other in set(known):
        # Comparing in full takes 20 us, so names of quite another length or letters go first.
        matcher.set_seq1(other.lower())
        if matcher.real_quick_ratio() > 0.7 and matcher.quick_ratio() > 0.7:
            ratio = matcher.ratio()
            if ratio > 0.7:
                scored.append((-ratio, other))
    return [other for _, other in sorted(scored)[:count]]


def suggest(name: str, known: Iterable[str]) -> str:
    """ "; did you mean a, b?" or nothing."""
    found = near(name, known)
    return f"; did you mean {', '.join(found)}?" if found else ""


def missing(btf: Btf, name: str, kind: Any = None) -> str:
    """Why `btf.find(name, kind)` found nothing."""
    kinds: tuple[type, ...] = kind if isinstance(kind, tuple) else (kind,) if kind else ()
    words = sorted({_WORDS.get(k, k.__name__.lower()) for k in kinds})
    what = " or ".join(words) or "type"
    other = sorted({type(found).__name__.lower() for found in btf.find_all(name)})
    if other:
        return f"{btf.name} has no {what} {name!r}, only a {' and a '.join(other)} of that name"
    names = (other for other, id in _all_names(btf) if not kinds or issubclass(btf.kind(id), kinds))
    return f"{btf.name} has no {what} {name!r}{suggest(name, names)}"


def _all_names(btf: Btf) -> Iterable[tuple[str, int]]:
    if btf.base:
        yield from _all_names(btf.base)
    yield from btf.names()
