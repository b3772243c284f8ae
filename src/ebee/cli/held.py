"""How programs and maps are shown: one in full or all in a table, for people or as JSON, with who
holds them and where they are pinned."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from ebee.cli import report

SHOWN = 3
"""Owners that a cell of a table names."""


class Handle(Protocol):
    """A program or map."""

    def close(self) -> None: ...


def show(
    found: Iterable[Handle],
    document: Callable[..., dict[str, Any]],
    with_pins: bool,
    as_json: bool,
    show_one: Callable[[dict[str, Any]], None] | None,
    show_all: Callable[[Sequence[dict[str, Any]]], None],
) -> None:
    """Show what was found: with `show_one` there is one, whose document is in full."""
    from ebee.linux import owners

    holders = owners.processes()
    pinned = owners.pins() if with_pins or show_one else {}
    made = []
    for handle in found:
        try:
            made.append(document(handle, holders, pinned, full=bool(show_one)))
        finally:
            handle.close()
    if as_json:
        report.print_json(made[0] if show_one else made)
    elif show_one:
        show_one(made[0])
    else:
        show_all(made)


def owners_text(owners: Sequence[dict[str, Any]], limit: int = SHOWN) -> str:
    """The processes that hold something, the first `limit` by name."""
    text = ", ".join(f"{o['comm']} ({o['pid']})" for o in owners[:limit])
    return text + (f" and {len(owners) - limit} more" if len(owners) > limit else "")
