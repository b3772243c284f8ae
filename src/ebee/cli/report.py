"""Readable tables and JSON of what commands found; one place for how ebee looks."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console, Group
    from rich.text import Text

PLAIN_WIDTH = 200
"""Columns of output that goes to a file or a pipe, where nothing needs to be wrapped."""

VERDICTS = {
    "green": ("pass", "ok", "allow", "accept", "next"),
    "red": ("drop", "shot", "reject", "aborted", "not run"),
    "cyan": ("tx", "redirect"),
}
STYLES = {word: style for style, words in VERDICTS.items() for word in words}
EIGHTHS = " ▏▎▍▌▋▊▉"


@cache
def console(stderr: bool = False) -> Console:
    """A stream as people see it; plain text when it is no terminal."""
    from rich.console import Console, ConsoleDimensions

    made = Console(stderr=stderr, highlight=False, emoji=False, markup=False)
    if not is_terminal(stderr) and not os.environ.get("COLUMNS"):
        made.size = ConsoleDimensions(PLAIN_WIDTH, made.size.height)
    return made


def is_terminal(stderr: bool = False) -> bool:
    """Whether a stream goes to a person."""
    return (sys.stderr if stderr else sys.stdout).isatty()


def heading(title: str) -> Text:
    """A title as tables have it."""
    from rich.text import Text

    return Text(title, style="bold")


def table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    right: Iterable[str] = (),
    total: bool = False,
) -> Group:
    """A table under a title. Columns of numbers, and those called `right`, are aligned to the
    right; `total`: the last row is set off. Cells are text (also rich's), numbers, or None."""
    from rich.box import Box
    from rich.console import Group
    from rich.table import Table

    # Lines only under the head, and above a row of totals.
    box = Box("\n".join(("    ", "    ", " ── ", "    ", " ── ", " ── ", "    ", "    ")))
    rows = list(rows)
    made = Table(box=box, header_style="dim", show_edge=False, pad_edge=False)
    for i, column in enumerate(columns):
        cells = [row[i] for row in rows if row[i] not in (None, "")]
        numbers = bool(cells) and all(isinstance(c, int | float) for c in cells)
        aligned = "right" if numbers or column in right else "left"
        made.add_column(column, justify=aligned, overflow="fold")  # type: ignore[arg-type]
    for number, row in enumerate(rows, 1):
        last = total and number == len(rows)
        made.add_row(*map(_cell, row), style="bold" if last else "",
                     end_section=total and number == len(rows) - 1)  # fmt: skip
    return Group(heading(title), made)


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return count(value)
    return verdict(value) if isinstance(value, str) else value


def verdict(name: str) -> Text:
    """A text, in a verdict's colour if it is one: "pass", "XDP_DROP"."""
    from rich.text import Text

    word = name.lower().rpartition("_")[2] if name.isupper() else name
    return Text(name, style=STYLES.get(word, ""))


def bar(share: float, width: int = 24, style: str = "") -> Text:
    """A bar of `share` (0 to 1) of `width` columns, in steps of an eighth."""
    from rich.text import Text

    eighths = round(share * width * 8)
    if share > 0:
        eighths = max(eighths, 1)
    return Text("█" * (eighths // 8) + EIGHTHS[eighths % 8].strip(), style=style)


def show(*parts: Any, stderr: bool = False) -> None:
    """Print tables and lines, without the blanks at line ends that fill tables up."""
    out = console(stderr)
    with out.capture() as captured:
        for part in parts:
            out.print(part)
    stream = sys.stderr if stderr else sys.stdout
    stream.writelines(f"{line.rstrip()}\n" for line in captured.get().splitlines())


def show_fields(title: str, fields: Mapping[str, Any]) -> None:
    """Print names and values, one per line, under a title; what is empty is left out."""
    from rich.table import Table

    made = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    made.add_column(style="dim")
    made.add_column(overflow="fold")
    for name, value in fields.items():
        if value not in (None, "", []):
            made.add_row(name, _cell(value))
    show(heading(title), made)


def path(name: str) -> str:
    """A file's name as people at the working folder call it."""
    here = os.path.join(os.getcwd(), "")
    return name.removeprefix(here)


listeners: list[Callable[[str], None]] = []
"""Who is told what there is to warn of, in place of standard error: the live view."""


def warn(message: str) -> None:
    """One line on standard error, detail below it."""
    if listeners:
        listeners[-1](message)
        return
    import click

    click.secho(f"ebee: {message}", err=True, fg="yellow")


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    print(dumps(value))


def dumps(value: Any) -> str:
    """A value as JSON text."""
    import json

    return json.dumps(plain(value), indent=2)


def plain(value: Any) -> Any:
    """A decoded value as JSON: records and mappings as objects, bytes as hex, enumerators by name.

    >>> plain({"key": (1, b"ab")})
    {'key': [1, '6162']}
    """
    if isinstance(value, bool) or value is None or isinstance(value, str | float):
        return value
    if isinstance(value, int):
        return getattr(value, "name", None) or int(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).hex()
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if hasattr(value, "keys"):
        return {str(k): plain(value[k]) for k in value.keys()}  # noqa: SIM118 - records are no dicts
    if isinstance(value, Iterable):
        return [plain(v) for v in value]
    return str(value)


def count(n: int) -> str:
    """12,345."""
    return f"{n:,}"


def plural(n: int, what: str) -> str:
    """1 packet, 12,345 packets."""
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def rate(n: float) -> str:
    """A number a second, short: 1.23 M."""
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if n >= limit:
            return f"{n / limit:.2f} {unit}"
    return f"{n:.0f}"


def size(n: int) -> str:
    """Bytes, short: 1.2 MiB."""
    amount = float(n)
    for unit in ("B", "KiB", "MiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} GiB"


def compact(value: Any, depth: int = 0) -> str:
    """A decoded value on one line: `{prefixlen: 8, addr: 10.0.0.0}`."""
    value = plain(value) if depth == 0 else value
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {compact(v, depth + 1)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        shown = ", ".join(compact(v, depth + 1) for v in value[:8])
        return f"[{shown}{', ...' if len(value) > 8 else ''}]"
    return f"{value}"
