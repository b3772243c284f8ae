"""Section names -> hooks, for the object reader."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from ebee.errors import ObjectError
from ebee.obj.source import Source
from ebee.obj.spec import ProgramSpec

if TYPE_CHECKING:
    from ebee.hooks import Hook, Section


def select(src: Source, section: str) -> tuple[Hook, Section, str] | None:
    """(hook, its section declaration, what follows the name); None for a name of no hook.

    A declared name with more behind it will do, too (`xdp/eth0`, `classifier_2`: what older
    loaders compared was the beginning).
    """
    from ebee.hooks import for_section

    found = for_section(section)
    if found is not None:
        return found[0], found[1], found[2] or ""
    return None if src.strict else _beginning(section)


def unknown(program: ProgramSpec) -> ObjectError:
    """The error for starting a program whose section names no hook."""
    return ObjectError(
        f'program {program.name} is in section "{program.section}", which is no hook that ebee'
        f" knows{_nearest(program.section.removeprefix('?'))}"
    )


@cache
def _declared() -> dict[str, tuple[Hook, Section]]:
    """Section names without their `+`, the longest first."""
    from ebee.hooks import all_hooks

    found = {s.name.rstrip("+"): (hook, s) for hook in all_hooks() for s in hook.sections}
    return dict(sorted(found.items(), key=lambda item: -len(item[0])))


def _beginning(name: str) -> tuple[Hook, Section, str] | None:
    """The declaration with the longest name that `name` begins with."""
    for known, (hook, section) in _declared().items():
        rest = name[len(known) :]
        if name.startswith(known) and not rest[:1].isalpha():
            return hook, section, rest[1:] if section.name.endswith("+") else ""
    return None


def _nearest(name: str) -> str:
    from difflib import get_close_matches

    from ebee.hooks import all_hooks

    known = sorted({s.name.rstrip("+/") for hook in all_hooks() for s in hook.sections})
    near = get_close_matches(name, known, 3) or get_close_matches(name.split("/")[0], known, 3)
    return f"; did you mean {' or '.join(near)}?" if near else f"; it knows {', '.join(known)}"
