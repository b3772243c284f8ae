"""Readable tables and JSON of what commands found; one place for how ebee looks."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


@cache
def console() -> Console:
    """Standard output as people see it; plain text when it is no terminal."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=False)


def table(
    title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], numbers: Iterable[int] = ()
) -> Table:
    """A table with a title; `numbers` are the columns to align to the right."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    right = set(numbers)
    made = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    for i, column in enumerate(columns):
        made.add_column(column, justify="right" if i in right else "left", overflow="fold")
    for row in rows:
        made.add_row(*[cell if isinstance(cell, str) else str(cell) for cell in row])
    return made


def show(*parts: Any) -> None:
    """Print tables and lines to standard output."""
    for part in parts:
        console().print(part)


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    print(json.dumps(value, indent=2, default=plain))


def plain(value: Any) -> Any:
    """A decoded value as JSON: records as objects, bytes as hex."""
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if hasattr(value, "_asdict"):
        return value._asdict()
    if hasattr(value, "keys"):
        return {k: value[k] for k in value.keys()}  # noqa: SIM118 - records are no dicts
    return str(value)


def count(n: int) -> str:
    """12,345."""
    return f"{n:,}"


def rate(n: float) -> str:
    """A number a second, short: 1.23 M."""
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if n >= limit:
            return f"{n / limit:.2f} {unit}"
    return f"{n:.0f}"


def size(n: int) -> str:
    """Bytes, short: 1.2 MiB."""
    amount = float(n)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024 or unit == "GiB":
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{n} B"


def compact(value: Any) -> str:
    """A decoded value on one line: `{prefixlen: 8, addr: 10.0.0.0}`."""
    value = plain(value) if not isinstance(value, str | int | float | list | tuple) else value
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {compact(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        shown = ", ".join(compact(v) for v in value[:8])
        return f"[{shown}{', ...' if len(value) > 8 else ''}]"
    return f"{value}"
