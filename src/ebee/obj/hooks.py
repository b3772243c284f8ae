"""Section names -> hooks, for the object reader."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ebee.obj.source import Source

if TYPE_CHECKING:
    from ebee.hooks import Hook, Section


def select(src: Source, section: str, program: str) -> tuple[Hook, Section, str, bool]:
    """(hook, its section declaration, what follows the name, whether to load by default).

    A leading `?` says not to load by default. ObjectError for a name that no hook declares.
    """
    from ebee.hooks import for_section

    name = section.removeprefix("?")
    found = for_section(name)
    if found is None:
        raise src.error(
            f'program {program} is in section "{section}", which is no hook that ebee knows'
            + _nearest(name)
        )
    hook, declared, target = found
    return hook, declared, target or "", name == section


def _nearest(name: str) -> str:
    from difflib import get_close_matches

    from ebee.hooks import all_hooks

    known = sorted({s.name.rstrip("+/") for hook in all_hooks() for s in hook.sections})
    near = get_close_matches(name, known, 3) or get_close_matches(name.split("/")[0], known, 3)
    return f"; did you mean {' or '.join(near)}?" if near else f"; it knows {', '.join(known)}"
