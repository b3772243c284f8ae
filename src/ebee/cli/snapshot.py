"""What the live view shows: a run at one moment, as plain values.

The run goes on in a thread of its own and makes these; the screen only ever reads the last one.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ebee.cli.companion import Table
    from ebee.cli.places import Loaded
    from ebee.cli.session import Session

COUNTS, TABLES = 0.2, 0.5
"""Seconds between two looks at counters, and at maps (which may be large)."""

PATIENCE = 20
"""Reading the maps may take one part in so many of the time."""

SLOW = 0.1
"""Seconds from which on reading the maps is too slow."""

ROWS = 200
"""Rows of a map that are looked at."""


@dataclass(frozen=True)
class Event:
    """One line of what happened: an event of the program's, or (`notice`) of the run's."""

    time: float
    text: str
    notice: bool = False


@dataclass(frozen=True)
class Snapshot:
    """A run at one moment. `verdicts` are packets and bytes by name; `runs` the kernel's count of
    runs (`unit`: of packets, or other ones) and of ns that they took; `when` and `seconds` the
    time, and how long it has been on; `filled` the share of the event buffer that is in use, `lost`
    events that found no room."""

    program: str
    hook: str
    place: str
    engine: str
    source: str
    state: str
    when: float
    seconds: float
    speed: float | None
    share: float | None
    verdicts: dict[str, tuple[int, int]]
    runs: tuple[int, int] | None
    unit: str
    not_run: dict[str, int]
    tables: list[Table]
    variables: dict[str, Any]
    event_count: int
    lost: int | None
    filled: float | None
    events: tuple[Event, ...]

    @property
    def packets(self) -> int:
        """All packets so far."""
        return sum(n for n, _ in self.verdicts.values()) or (self.runs or (0, 0))[0]


class Watcher:
    """Makes a snapshot of a session now and then, and hands it over."""

    def __init__(self, hand_over: Callable[[Snapshot], None]):
        self.hand_over = hand_over
        self.notices: list[Event] = []
        self._tables: list[Table] = []
        self._state = ""
        self._hastened: Loaded | None = None
        self._next = self._next_tables = 0.0

    def __call__(self, session: Session) -> None:
        """Called by the session again and again."""
        now = time.monotonic()
        if now < self._next and session.state == self._state:
            return
        self._next, ended = now + COUNTS, session.state != self._state
        self._state = session.state
        if now >= self._next_tables or ended:
            self._tables = session.companion.tables(session.loaded.object, ROWS)
            took = time.monotonic() - now
            if took > SLOW and self._hastened is not session.loaded:
                session.place.hasten(session.loaded)
                self._hastened, took = session.loaded, 0
            self._next_tables = now + max(TABLES, PATIENCE * took)
        self.hand_over(self.make(session))

    def note(self, message: str) -> None:
        """Something to tell about the run."""
        self.notices.append(Event(time.time(), message, notice=True))

    def make(self, session: Session) -> Snapshot:
        """The session now."""
        options, loaded = session.options, session.loaded
        events = [Event(*line) for line in session.recent]
        source = os.path.basename(session.source) if options["pcap"] else session.source
        runs = session.runs
        constant = {n for n, m in session.spec.maps.items() if m.readonly}
        return Snapshot(
            program=", ".join(session.names),
            hook=loaded.program.hook,
            place="machine" if session.place.name == "machine" else "kernel",
            engine=loaded.engine.name if options["pcap"] else "attached",
            source=source,
            state=session.state,
            when=time.monotonic(),
            seconds=session.seconds,
            speed=session.control.speed,
            share=session.share,
            verdicts={n: (p, session.bytes[n]) for n, p in session.packets.most_common()},
            runs=(sum(n for n, _ in runs.values()), sum(t for _, t in runs.values()))
            if runs
            else None,
            unit="runs" if source == "its hooks" else "packets",
            not_run=dict(loaded.engine.not_run),
            tables=self._tables,
            variables={
                name: variable.value
                for name, variable in loaded.object.variables.items()
                if variable.spec.map not in constant and not name.endswith("_type")
            },
            event_count=session.event_count,
            lost=_sum([r.events.lost for r in session.readers]),
            filled=_filled(session),
            events=tuple(sorted([*events, *self.notices], key=lambda e: e.time)),
        )


def _sum(numbers: list[int | None]) -> int | None:
    known = [n for n in numbers if n is not None]
    return sum(known) if known else None


def _filled(session: Session) -> float | None:
    """How full the fullest buffer of events is."""
    shares = [
        (reader.events.pending or 0) / session.spec.maps[reader.name].max_entries
        for reader in session.readers
        if session.spec.maps[reader.name].max_entries
    ]
    return max(shares) if shares else None
