"""The names that come nearest to one that is not there."""

from __future__ import annotations

from collections.abc import Iterable


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
