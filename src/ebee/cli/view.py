"""The full-screen view of `ebee run`: rates by verdict, maps, events. Needs textual.

The session runs in a thread and hands over snapshots; nothing here touches maps or programs.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical, VerticalScroll
from textual.theme import Theme
from textual.widgets import Footer, Static

from ebee.cli import drawing, report, summary
from ebee.cli.drawing import DIM, History
from ebee.cli.snapshot import Snapshot, Watcher

if TYPE_CHECKING:
    from textual.events import Resize

    from ebee.cli.session import Session

REFRESH = 0.1
"""Seconds between two looks for a new snapshot."""

NARROW, SHORT = 90, 24
"""Columns below which panels stand one above the other; rows below which there is no chart."""

SPEEDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 25.0, 100.0, None)
"""Speeds of a replay that keys choose from; None: as fast as it goes."""

STATES = {"running": ("▶ running", "#7fd88f"), "paused": ("‖ paused", "#e5c07b"),
          "finished": ("■ finished", DIM), "frozen": ("‖ frozen", "#e5c07b")}  # fmt: skip

THEME = Theme(
    name="ebee", dark=True, primary="#f2b134", secondary="#56c2d6", accent="#f2b134",
    foreground="#d6dbe5", background="#12151c", surface="#171b24", panel="#1f2530",
    success="#7fd88f", warning="#e5c07b", error="#f4707a",
)  # fmt: skip


class Panel(Static):
    """A box with a title that is drawn anew for each snapshot."""


class LiveView(App[None]):
    """The screen of a session; `run()` returns when the person has seen enough."""

    CSS = """
    Screen { layout: vertical; }
    #head { height: 1; background: $panel; padding: 0 1; }
    #body { layout: horizontal; height: 1fr; }
    #left { width: 1fr; min-width: 44; }
    .box { border: round $panel-lighten-2; border-title-color: $primary;
           border-subtitle-color: $foreground-muted; padding: 0 1; }
    #verdicts { height: auto; max-height: 14; }
    #chart { height: 1fr; min-height: 4; }
    #table { width: 1.2fr; scrollbar-size-vertical: 1; }
    #table:focus { border: round $primary; }
    #events { height: 35%; min-height: 4; }
    .narrow #body { layout: vertical; }
    .narrow #left { width: 100%; min-width: 0; height: auto; }
    .narrow #table { width: 100%; height: 1fr; }
    .narrow #chart, .short #chart { display: none; }
    .short #events { height: 5; }
    .short.narrow #events { display: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "pause", "Pause"),
        Binding("tab,m", "page(1)", "Next map", priority=True),
        Binding("shift+tab,M", "page(-1)", show=False, priority=True),
        Binding("s", "sort", "Sort"),
        Binding("plus,equals_sign", "speed(1)", "Faster", key_display="+"),
        Binding("minus", "speed(-1)", "Slower", key_display="-"),
        Binding("r", "again", "Run again"),
        Binding("q,ctrl+c,ctrl+q,escape", "quit", "Quit", key_display="q", priority=True),
    ]
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, session: Session):
        super().__init__()
        self.session, self.history = session, History()
        self.latest: Snapshot | None = None
        self.shown: Snapshot | None = None
        self.page, self.by_rate, self.frozen = 0, False, False
        self.error: BaseException | None = None
        self._told = 0
        self._thread = threading.Thread(target=self._work, name="session", daemon=True)

    # -- the session's thread --------------------------------------------------------------------

    def _work(self) -> None:
        session = self.session
        try:
            if not session.options["pcap"]:
                session.live()
                self.session.control.stop()  # its time is over
                return
            while session.replay() and session.await_change():
                pass
        except BaseException as error:
            self.error = error

    def take(self, snapshot: Snapshot) -> None:
        """The session's new snapshot; called in its thread."""
        self.latest = snapshot

    # -- the screen ------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        """The panels."""
        yield Static(id="head")
        with Container(id="body"):
            with Vertical(id="left"):
                yield Panel(id="verdicts", classes="box")
                yield Panel(id="chart", classes="box")
            with VerticalScroll(id="table", classes="box"):
                yield Panel(id="rows")
        yield Panel(id="events", classes="box")
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Begin."""
        self.register_theme(THEME)
        self.theme = "ebee"
        self.title = "ebee"
        for number in (signal.SIGTERM, signal.SIGHUP):
            try:
                asyncio.get_running_loop().add_signal_handler(number, self.exit)
            except (NotImplementedError, RuntimeError, ValueError):  # Windows; not the main thread
                break
        self.query_one("#table").focus()
        self._thread.start()
        self.set_interval(REFRESH, self.follow)

    def on_resize(self, event: Resize) -> None:
        """Arrange the panels for the size there is."""
        self.screen.set_class(event.size.width < NARROW, "narrow")
        self.screen.set_class(event.size.height < SHORT, "short")
        self.call_after_refresh(self.draw)

    def follow(self) -> None:
        """Draw what is new; leave when the session has ended."""
        snapshot = self.latest
        if snapshot is not None and snapshot is not self.shown:
            self.history.add(snapshot)
            self._tell(snapshot)
            if not self.frozen:
                self.shown = snapshot
                self.draw()
        if not self._thread.is_alive() and (self.error or self.session.control.stopped):
            self.exit()

    def _tell(self, snapshot: Snapshot) -> None:
        """Show what has happened to the run itself as a note that stays for a while."""
        notices = [event for event in snapshot.events if event.notice]
        for notice in notices[self._told :]:
            failed = "stays as" in notice.text or "stay as" in notice.text
            self.notify(
                notice.text,
                severity="error" if failed else "information",
                timeout=12 if failed else 5,
                markup=False,
            )
        self._told = len(notices)

    def draw(self) -> None:
        """All panels."""
        snapshot = self.shown
        if snapshot is None:
            return
        self.query_one("#head", Static).update(self._head(snapshot))
        self._box("verdicts", snapshot.unit.capitalize()).update(self._verdicts(snapshot))
        chart = self._box("chart", f"{snapshot.unit.capitalize()} per second")
        size = chart.content_size
        if size.width > 0 and size.height > 0:
            series = {name: list(values) for name, values in self.history.series.items()}
            chart.update(drawing.chart(series, size.width, size.height))
        titles = drawing.pages(snapshot)
        self.page %= len(titles)
        box = self.query_one("#table")
        order = "by rate" if self.by_rate else "as they are"
        box.border_title = titles[self.page]
        box.border_subtitle = f"{self.page + 1} of {len(titles)} · {order}"
        rows = self.query_one("#rows", Static)
        rows.update(drawing.table(snapshot, self.page, self.history, self.by_rate))
        events = self._box("events", drawing.events_title(snapshot))
        events.update(drawing.events(snapshot, events.content_size.height))

    def _box(self, name: str, title: str) -> Static:
        found = self.query_one(f"#{name}", Static)
        found.border_title = title
        return found

    def _verdicts(self, snapshot: Snapshot) -> Any:
        from rich.console import Group

        width = self.query_one("#verdicts").content_size.width
        table = drawing.verdicts(snapshot, self.history, width)
        return Group(table, drawing.totals(snapshot, self.history))

    def _head(self, snapshot: Snapshot) -> Any:
        from rich.text import Text

        state, paint = STATES["frozen" if self.frozen else snapshot.state]
        share = f"{100 * snapshot.share:.0f} %  " if snapshot.share is not None else ""
        minutes, seconds = divmod(snapshot.seconds, 60)
        right = Text.assemble((share, DIM), (state, paint), f"  {minutes:02.0f}:{seconds:04.1f}")
        room = self.query_one("#head").content_size.width - len(right) - 1
        where = f"{snapshot.place} ({snapshot.engine}) · " if room > 60 else ""
        left = Text.assemble(
            (" ebee ", "bold #12151c on #f2b134"),
            ("  " + snapshot.program, "bold"),
            (f"  {snapshot.hook} · {where}", DIM),
            snapshot.source,
        )
        if snapshot.engine != "attached":
            left.append(f"  {_speed(snapshot.speed)}", style="#56c2d6")
        left.truncate(max(room, 0), overflow="ellipsis", pad=True)
        return Text.assemble(left, " ", right)

    # -- keys ------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Keys that make sense for replays only are not shown for interfaces."""
        if action in ("speed", "again"):
            return bool(self.session.options["pcap"])
        return True

    def action_pause(self) -> None:
        """A replay stops; on an interface packets go on, only the picture stands still."""
        if self.session.options["pcap"]:
            self.session.control.paused = not self.session.control.paused
        else:
            self.frozen = not self.frozen
        self.draw()

    def action_page(self, step: int) -> None:
        """Look at the next table."""
        self.page += step
        self.query_one("#table").scroll_home(animate=False)
        self.draw()

    def action_sort(self) -> None:
        """Sort by what grows fastest, or not."""
        self.by_rate = not self.by_rate
        self.draw()

    def action_speed(self, step: int) -> None:
        """Replay faster or more slowly."""
        control = self.session.control
        near = next(i for i, s in enumerate(SPEEDS) if s is None or s >= (control.speed or 1e9))
        control.speed = SPEEDS[min(max(near + step, 0), len(SPEEDS) - 1)]
        self.notify(f"speed {_speed(control.speed)}", timeout=1.5)

    def action_again(self) -> None:
        """Replay the capture once more, with empty maps."""
        if self.shown is not None and self.shown.state == "finished":
            self.session.control.again = True
        else:
            self.notify("the capture is not over yet", timeout=2)

    async def action_quit(self) -> None:
        """Enough seen."""
        self.session.control.stop()
        self.exit()

    def end(self) -> None:
        """After the screen: wait for the session; raise what went wrong in it."""
        self.session.control.stop()
        if self._thread.ident is not None:
            self._thread.join()
        if self.error is not None:
            raise self.error


def _speed(speed: float | None) -> str:
    return "at full speed" if speed is None else f"× {speed:g}"


def view_of(session: Session) -> LiveView:
    """The view of a session that has not begun."""
    view = LiveView(session)
    watcher = Watcher(view.take)
    session.watch = watcher
    report.listeners.append(watcher.note)
    return view


def show(session: Session) -> None:
    """Run a session on the full screen; afterwards its tables are printed."""
    view = view_of(session)
    try:
        view.run()
        view.end()
    finally:
        session.watch = None
        report.listeners.pop()
        if session.total or session.runs:
            summary.finish(session)
