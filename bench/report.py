"""What a run prints: tables, one line for each target, and all numbers as JSON."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

_HOLDS: dict[str, Callable[[float, float], bool]] = {"<=": operator.le, ">=": operator.ge}


@dataclass(frozen=True)
class Verdict:
    """A target and what was measured; `sense` is "<=" or ">="."""

    what: str
    measured: float
    sense: str
    target: float
    unit: str = ""
    detail: str = ""

    @property
    def met(self) -> bool:
        return _HOLDS[self.sense](self.measured, self.target)

    def __str__(self) -> str:
        word = "met   " if self.met else "MISSED"
        detail = f" ({self.detail})" if self.detail else ""
        asked = f"{self.sense} {self.target:g}{self.unit}"
        return f"{word}  {self.what}: {self.measured:.3g}{self.unit}, asked {asked}{detail}"


@dataclass
class Report:
    """Collects what suites find out. `show` prints along the way (None: says nothing)."""

    show: Callable[[Any], None] | None = None
    numbers: dict[str, Any] = field(default_factory=dict)
    verdicts: list[Verdict] = field(default_factory=list)

    def table(
        self, title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], note: str = ""
    ) -> None:
        """A table whose first column is text and whose others are numbers (None: left open)."""
        if self.show is None:
            return
        from rich.table import Table

        table = Table(title=title, title_justify="left", caption=note, caption_justify="left")
        for i, column in enumerate(columns):
            table.add_column(column, justify="right" if i else "left")
        for row in rows:
            table.add_row(*(cell(value) for value in row))
        self.show(table)

    def say(self, text: str) -> None:
        if self.show is not None:
            self.show(text)

    def judge(
        self, what: str, measured: float, sense: str, target: float, unit: str = "",
        detail: str = "",
    ) -> None:  # fmt: skip
        """Hold a figure against a target."""
        verdict = Verdict(what, measured, sense, target, unit, detail)
        self.verdicts.append(verdict)
        self.say(str(verdict))

    def as_json(self) -> dict[str, Any]:
        """All numbers and verdicts."""
        made = [
            {"what": v.what, "measured": v.measured, "sense": v.sense, "target": v.target,
             "unit": v.unit, "met": v.met}
            for v in self.verdicts
        ]  # fmt: skip
        return {**self.numbers, "verdicts": made}


def cell(value: Any) -> str:
    """A value as a table shows it: three digits that matter."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    if not isinstance(value, float):
        return f"{value:,}" if isinstance(value, int) else str(value)
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"
