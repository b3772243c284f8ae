"""Drawing with characters: sparklines, stacked charts, and what the live view's panels hold."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ebee.cli import report

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from ebee.cli.snapshot import Snapshot

LEVELS = " ▁▂▃▄▅▆▇█"
COLOURS = {"green": "#7fd88f", "red": "#f4707a", "cyan": "#56c2d6", "": "#e5c07b"}
"""Styles of verdicts (`report.STYLES`) -> colours of the full screen."""

DIM, NOTICE = "#7d8799", "#e5c07b"
BIN = 0.5
"""Seconds that one column of a chart stands for."""

WINDOW = 1.0
"""Seconds over which a rate is taken."""


def colour(verdict: str) -> str:
    """The colour of a verdict."""
    return COLOURS[str(report.verdict(verdict).style)]


def sparkline(values: Sequence[float], width: int, top: float = 0) -> str:
    """The last values as columns of eight heights, up to `top` (else the largest of them).

    >>> sparkline([0, 1, 2, 4, 8], 6)
    '  ▁▂▄█'
    """
    shown = list(values)[-width:] if width > 0 else []
    top = top or max(shown, default=0)
    heights = [min(-(-8 * v // top), 8) if top and v > 0 else 0 for v in shown]
    return "".join(LEVELS[int(h)] for h in heights).rjust(width)


def chart(series: Mapping[str, Sequence[float]], width: int, height: int) -> Text:
    """Values over time, stacked, each in its verdict's colour; the newest at the right.

    Cells have eight steps; where one colour ends inside a cell the next one is its background.
    """
    from rich.text import Text

    axis = 8
    columns = max(width - axis, 1)
    stacks = [
        [(max(values[-back], 0) if back <= len(values) else 0.0, colour(name))
         for name, values in series.items()]
        for back in range(columns, 0, -1)
    ]  # fmt: skip
    top = _round_up(max((sum(v for v, _ in stack) for stack in stacks), default=0))
    lines = []
    for row in range(height - 1, -1, -1):
        label = report.rate(top) if row == height - 1 else "0" if row == 0 else ""
        line = Text(f"{label:>{axis - 2}} ", style=DIM)
        line.append("┤" if label else "│", style=DIM)
        for stack in stacks:
            line.append(*_cell(stack, row, height * 8 / top))
        lines.append(line)
    return Text("\n").join(lines)


def _round_up(top: float) -> float:
    """The next number that is good for an axis: one digit, and noughts."""
    size = 1.0
    while size * 10 <= top:
        size *= 10
    return next(size * step for step in (1, 1.5, 2, 3, 4, 6, 8, 10) if size * step >= top)


def _cell(stack: Sequence[tuple[float, str]], row: int, scale: float) -> tuple[str, str]:
    """One cell of a stacked column: character and style."""
    bottom, end, inside = 8 * row, 0.0, []
    for value, paint in stack:
        start, end = end, end + value * scale
        # What is there shows, however little it is.
        until = max(round(end), round(start) + (value > 0 and not round(start)))
        if value > 0 and until > bottom and round(start) < bottom + 8:
            inside.append((min(until - bottom, 8), paint))
    if not inside:
        return " ", ""
    height, paint = inside[0]
    above = f" on {inside[1][1]}" if height < 8 and len(inside) > 1 else ""
    return LEVELS[height], paint + above


class History:
    """Rates over time, from snapshots: what was counted since the one before."""

    def __init__(self, columns: int = 400):
        self.columns = columns
        self.series: dict[str, deque[float]] = {}
        """Packets a second by verdict, a value for each BIN."""
        self.rates: dict[str, float] = {}
        """Packets a second by verdict, now."""
        self.rows: dict[tuple[str, Any], float] = {}
        """What a row of a table grows by in a second: title and texts of the row -> rate."""
        self._bin: tuple[float, dict[str, int]] | None = None
        self._recent: deque[tuple[float, dict[str, int]]] = deque()
        self._before: dict[tuple[str, Any], tuple[float, float]] = {}
        self._tables: list[Any] = []

    def add(self, snapshot: Snapshot) -> None:
        """Take the next snapshot in."""
        counts = {name: n for name, (n, _) in snapshot.verdicts.items()}
        if not counts and snapshot.runs:
            counts = {snapshot.unit: snapshot.runs[0]}
        now = snapshot.when
        if self._recent and any(n < self._recent[-1][1].get(k, 0) for k, n in counts.items()):
            self.__init__(self.columns)  # type: ignore[misc]  # it has begun anew
        self._recent.append((now, counts))
        while len(self._recent) > 2 and now - self._recent[1][0] >= WINDOW:
            self._recent.popleft()
        self.rates = _rates(*self._recent[0], now, counts)
        if self._bin is None:
            self._bin = now, counts
        elif now - self._bin[0] >= BIN:
            rates = _rates(*self._bin, now, counts)
            length = max((len(s) for s in self.series.values()), default=0)
            for name in rates:
                self.series.setdefault(name, deque([0.0] * length, maxlen=self.columns))
            for name, values in self.series.items():
                values.append(rates.get(name, 0.0))
            self._bin = now, counts
        self._add_rows(snapshot)

    def _add_rows(self, snapshot: Snapshot) -> None:
        if snapshot.tables is self._tables:  # maps are read less often than counters
            return
        self._tables = snapshot.tables
        for title, _, rows in snapshot.tables:
            at = first_number(rows)
            if at is None:
                continue
            for row in rows:
                key = _title(title), row_key(row)
                when, value = self._before.get(key, (snapshot.when, row[at]))
                passed = snapshot.when - when
                self.rows[key] = max(row[at] - value, 0) / passed if passed else 0.0
                self._before[key] = snapshot.when, row[at]


def _rates(
    then: float, before: Mapping[str, int], now: float, after: Mapping[str, int]
) -> dict[str, float]:
    passed = now - then
    return {k: (n - before.get(k, 0)) / passed if passed else 0.0 for k, n in after.items()}


def _title(title: str) -> str:
    """A table's name without the numbers in it, which change: "Top 4 of 16 sources"."""
    return "".join(c for c in title if not c.isdigit())


def first_number(rows: Sequence[Sequence[Any]]) -> int | None:
    """The first column of numbers behind the first column."""
    if not rows:
        return None
    width = min(map(len, rows))
    return next((i for i in range(1, width) if all(_is_number(r[i]) for r in rows)), None)


def row_key(row: Sequence[Any]) -> tuple[Any, ...]:
    """What a row is called: its first cell, and all texts."""
    return (str(row[0]), *(str(cell) for cell in row[1:] if not _is_number(cell)))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


# -- panels ----------------------------------------------------------------------------------------


def _columns(*justify: str) -> Table:
    from rich.table import Table

    made = Table(box=None, show_edge=False, pad_edge=False, padding=(0, 2, 0, 0), expand=True)
    for side in justify:
        made.add_column(justify=side, no_wrap=True)  # type: ignore[arg-type]
    return made


def verdicts(snapshot: Snapshot, history: History, width: int) -> Table:
    """Packets by verdict: how many, what share, how fast, and how fast lately."""
    from rich.text import Text

    wide = width >= 58
    made = _columns("left", "right", "right", "right", *(["right"] if wide else []))
    head = ["verdict", snapshot.unit, "share", "per second" if width >= 44 else "/s"]
    for column, text in zip(made.columns, head, strict=False):
        column.header = Text(text, style=DIM)
    total, spark = max(snapshot.packets, 1), max(width - 52, 0)
    for name, (packets, _) in snapshot.verdicts.items():
        paint, rate = colour(name), history.rates.get(name, 0.0)
        line = Text(sparkline(list(history.series.get(name, ())), spark), style=paint)
        cells = [
            Text.assemble(("● ", paint), name),
            Text(f"{packets:,}"),
            Text(f"{100 * packets / total:.1f} %"),
            Text(report.rate(rate), style="bold" if rate else DIM),
        ]
        made.add_row(*cells, *([line] if wide else []))
    if not snapshot.verdicts and snapshot.runs:
        rate = history.rates.get(snapshot.unit, 0.0)
        made.add_row(f"● {snapshot.unit}", f"{snapshot.runs[0]:,}", "", report.rate(rate))
    return made


def totals(snapshot: Snapshot, history: History) -> Text:
    """One line below: all packets and bytes, and what the kernel says they cost."""
    from rich.text import Text

    octets = sum(b for _, b in snapshot.verdicts.values())
    parts = [f"{snapshot.packets:,} {snapshot.unit}"]
    if octets:
        parts.append(report.size(octets))
    parts.append(f"{report.rate(sum(history.rates.values()))}/s")
    if snapshot.runs and snapshot.runs[0]:
        parts.append(f"{snapshot.runs[1] / snapshot.runs[0]:.0f} ns each")
    if snapshot.not_run:
        parts.append(f"{sum(snapshot.not_run.values()):,} not run")
    return Text(" · ".join(parts), style="bold")


def pages(snapshot: Snapshot) -> list[str]:
    """Titles of the tables that can be looked at."""
    found = [title for title, _, _ in snapshot.tables]
    return [*found, "Variables"] if snapshot.variables else found or ["Maps"]


def table(snapshot: Snapshot, page: int, history: History, by_rate: bool) -> Table | Text:
    """One of the tables, with what its rows grow by in a second."""
    from rich.text import Text

    if page >= len(snapshot.tables):
        if not snapshot.variables:
            return Text("\nno map has entries yet", style=DIM, justify="center")
        made = _columns("left", "right")
        for name, value in snapshot.variables.items():
            made.add_row(name, report.compact(value) if not _is_number(value) else f"{value:,}")
        return made
    title, columns, rows = snapshot.tables[page]
    at = first_number(rows)
    rates = [history.rows.get((_title(title), row_key(row)), 0.0) for row in rows]
    order = sorted(range(len(rows)), key=lambda i: -rates[i]) if by_rate else range(len(rows))
    numbers = [bool(rows) and all(_is_number(r[i]) for r in rows) for i in range(len(columns))]
    made = _columns(*("right" if n else "left" for n in numbers), *(["right"] if at else []))
    for column, text in zip(made.columns, [*columns, "/s"], strict=False):
        column.header = Text(text, style=DIM)
    for i in order:
        cells = [_shown(cell) for cell in rows[i]]
        busy = Text(report.rate(rates[i]) if rates[i] else "", style=f"bold {COLOURS['green']}")
        made.add_row(*cells, *([busy] if at else []), style="" if rates[i] or not at else "#aab2c0")
    return made


def _shown(cell: Any) -> Text:
    from rich.text import Text

    if _is_number(cell):
        return Text(f"{cell:,}")
    text = "" if cell is None else str(cell)
    style = str(report.verdict(text).style)
    return Text(text, style=COLOURS[style] if style else "")


def events(snapshot: Snapshot, most: int) -> Text:
    """The last lines of what happened, the newest last."""
    from rich.text import Text

    shown = snapshot.events[-most:] if most > 0 else ()
    if not shown:
        return Text("no events yet", style=DIM)
    lines = []
    for event in shown:
        stamp = time.strftime("%H:%M:%S ", time.localtime(event.time))
        style = NOTICE if event.notice else ""
        lines.append(Text.assemble((stamp, DIM), (event.text, style)))
    return Text("\n").join(lines)


def events_title(snapshot: Snapshot) -> str:
    """How many events there were, what became of them, and how full their buffer is."""
    parts = [f"Events  {snapshot.event_count:,}"]
    if snapshot.lost is not None:
        parts.append(f"{snapshot.lost:,} lost")
    if snapshot.filled is not None:
        parts.append(f"buffer {100 * snapshot.filled:.0f} % full")
    return " · ".join(parts)
