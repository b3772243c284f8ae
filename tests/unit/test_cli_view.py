"""The live view: what is drawn of a run, and what its keys do."""

import asyncio
import io
import re
import time
from dataclasses import replace
from pathlib import Path

import pytest

from ebee import isa
from ebee.cli import drawing, report
from ebee.cli.asm import to_object
from ebee.cli.drawing import History
from ebee.cli.snapshot import Event, Snapshot
from ebee.machine.capture import CaptureWriter
from ebee.obj import write

pytest.importorskip("textual")

from ebee.cli import run as run_command
from ebee.cli import view

pytestmark = pytest.mark.unit

BY_LENGTH = """
    r2 = *(u32 *)(r1 +4)
    r3 = *(u32 *)(r1 +0)
    r2 -= r3
    r0 = 2
    if r2 < 100 goto done
    r0 = 1
done:
    exit
"""
SNAPSHOT = Snapshot(
    program="firewall", hook="xdp", place="machine", engine="jit", source="web.pcapng",
    state="running", when=100.0, seconds=62.5, speed=1.0, share=0.5,
    verdicts={"XDP_PASS": (3, 300), "XDP_DROP": (1, 60)}, runs=None, unit="packets", not_run={},
    tables=[("Rules", ("rule", "action", "packets"), [("web", "pass", 3), ("ssh", "drop", 1)])],
    variables={"lost": 0}, event_count=2, lost=None, filled=0.25,
    events=(Event(1.0, "one"), Event(2.0, "the rules have changed", notice=True)),
)  # fmt: skip


def text_of(*parts: object, width: int = 80) -> str:
    """What is drawn, as plain text."""
    from rich.console import Console

    console = Console(width=width, color_system=None, record=True, file=io.StringIO())
    for part in parts:
        console.print(part)
    return console.export_text()


# -- drawing ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "width", "top", "shown"),
    [
        ([], 3, 0, "   "),
        ([0, 0], 3, 0, "   "),
        ([1, 2, 3, 4, 5, 6, 7, 8], 8, 0, "▁▂▃▄▅▆▇█"),
        ([8, 1], 1, 0, "█"),
        ([0.001, 1000], 4, 0, "  ▁█"),
        ([4], 1, 8, "▄"),
        ([9], 1, 8, "█"),
        ([1], 0, 0, ""),
    ],
)
def test_sparklines(values, width, top, shown) -> None:
    assert drawing.sparkline(values, width, top) == shown


def test_charts_are_stacked_and_scaled() -> None:
    series = {"XDP_PASS": [4.0, 8.0], "XDP_DROP": [0.0, 2.0]}
    chart = drawing.chart(series, 12, 5)
    lines = chart.plain.splitlines()
    assert lines[0].startswith("    10 ┤")
    assert lines[-1].startswith("     0 ┤")
    assert [line[8:] for line in lines] == ["   █", "   █", "   █", "  ██", "  ██"]
    assert drawing.chart({}, 20, 3).plain.count("\n") == 2


@pytest.mark.parametrize(
    ("top", "axis"),
    [(0, 1), (1, 1), (1.2, 1.5), (7, 8), (9, 10), (11, 15), (999, 1000), (6e6, 6e6)],
)
def test_axes_end_at_round_numbers(top, axis) -> None:
    assert drawing._round_up(top) == axis


def test_a_small_share_shows_in_a_chart() -> None:
    chart = drawing.chart({"XDP_DROP": [1.0], "XDP_PASS": [1e6]}, 9, 4)
    bottom = chart.plain.splitlines()[-1]
    assert bottom[-1] == "▁", "one drop among a million"
    assert any(drawing.COLOURS["red"] in str(span.style) for span in chart.spans)


def moved(packets: int, when: float) -> Snapshot:
    return replace(
        SNAPSHOT, when=when, verdicts={"XDP_PASS": (packets, packets)},
        tables=[("Top 3 of 9 flows", ("flow", "packets"), [("a", packets), ("b", 7)])],
    )  # fmt: skip


def test_rates_are_those_of_the_last_second() -> None:
    history = History()
    for step in range(11):
        history.add(moved(100 * step, 10 + step / 5))
    assert history.rates["XDP_PASS"] == pytest.approx(500)
    assert list(history.series["XDP_PASS"]) == [pytest.approx(500)] * 3
    assert history.rows["Top  of  flows", ("a",)] == pytest.approx(500)
    assert history.rows["Top  of  flows", ("b",)] == 0
    history.add(moved(1000, 13))
    assert history.rates["XDP_PASS"] < 300


def test_a_new_run_begins_a_new_history() -> None:
    history = History()
    for step in range(6):
        history.add(moved(100 * step, 10 + step))
    history.add(moved(5, 20))
    assert history.series == {}
    assert history.rates == {"XDP_PASS": 0.0}


def test_panels_tell_what_a_snapshot_holds() -> None:
    history = History()
    history.add(SNAPSHOT)
    text = text_of(drawing.verdicts(SNAPSHOT, history, 70))
    assert re.search(r"● XDP_PASS +3 +75\.0 %", text)
    assert re.search(r"● XDP_DROP +1 +25\.0 %", text)
    assert drawing.totals(SNAPSHOT, history).plain == "4 packets · 360 B · 0/s"
    assert drawing.pages(SNAPSHOT) == ["Rules", "Variables"]
    rules = text_of(drawing.table(SNAPSHOT, 0, history, by_rate=False))
    assert re.search(r"rule +action +packets +/s", rules)
    assert re.search(r"ssh +drop +1", rules)
    assert re.search(r"lost +0", text_of(drawing.table(SNAPSHOT, 1, history, by_rate=False)))
    assert drawing.events_title(SNAPSHOT) == "Events  2 · buffer 25 % full"
    lines = drawing.events(SNAPSHOT, 5).plain.splitlines()
    assert [line[9:] for line in lines] == ["one", "the rules have changed"]
    assert drawing.events(SNAPSHOT, 1).plain.endswith("the rules have changed")


def test_panels_of_a_program_that_has_nothing_yet() -> None:
    empty = replace(SNAPSHOT, verdicts={}, tables=[], variables={}, events=(), runs=(9, 900),
                    not_run={"too short": 2}, lost=3)  # fmt: skip
    history = History()
    history.add(empty)
    assert re.search(r"● packets +9", text_of(drawing.verdicts(empty, history, 70)))
    assert drawing.totals(empty, history).plain == "9 packets · 0/s · 100 ns each · 2 not run"
    assert "no map has entries" in text_of(drawing.table(empty, 0, history, by_rate=True))
    assert drawing.events(empty, 5).plain == "no events yet"
    assert "3 lost" in drawing.events_title(empty)


def test_tables_can_be_sorted_by_rate() -> None:
    history = History()
    table = ("flows", ("flow", "packets"), [("a", 1), ("b", 1)])
    later = ("flows", ("flow", "packets"), [("a", 1), ("b", 9)])
    history.add(replace(SNAPSHOT, tables=[table]))
    last = replace(SNAPSHOT, tables=[later], when=102.0)
    history.add(last)
    for by_rate, order in ((False, "ab"), (True, "ba")):
        text = text_of(drawing.table(last, 0, history, by_rate=by_rate))
        assert "".join(re.findall(r"^([ab]) ", text, re.MULTILINE)) == order
    assert re.search(r"b +9 +4\b", text)


# -- the screen ------------------------------------------------------------------------------------


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "lengths.o"
    path.write_bytes(write(to_object(isa.parse(BY_LENGTH), "lengths", "xdp", "GPL")))
    return path


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """300 packets in three seconds, one in three long."""
    path = tmp_path / "in.pcapng"
    with CaptureWriter(path) as out:
        for number in range(300):
            out.write(bytes(150 if number % 3 == 0 else 60), 10**18 + number * 10**7)
    return path


@pytest.fixture
def seen(monkeypatch):
    """Run `ebee run` with a view that `act(pilot, app)` works at; (exit code, what was printed)."""
    monkeypatch.setattr(report, "is_terminal", lambda stderr=False: True)

    def run(act, *words: object, size: tuple[int, int] = (120, 36)) -> object:
        made = []

        def show(session) -> None:
            app = view.view_of(session)
            made.append(app)

            async def main() -> None:
                async with app.run_test(size=size) as pilot:
                    await act(pilot, app)
                app.end()

            try:
                asyncio.run(main())
            finally:
                report.listeners.pop()

        monkeypatch.setattr(view, "show", show)
        monkeypatch.setattr(run_command, "wants_view", lambda options: True)
        run_command.run.main(list(map(str, words)), standalone_mode=False)
        return made[0]

    return run


async def until(pilot, condition, what: str) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end, f"waited for: {what}"
        await pilot.pause(0.05)


def test_a_replay_to_its_end(seen, program: Path, capture: Path) -> None:
    async def act(pilot, app) -> None:
        await until(pilot, lambda: app.shown and app.shown.state == "finished", "the end")
        assert app.shown.verdicts == {"XDP_PASS": (200, 12000), "XDP_DROP": (100, 15000)}
        for word in ("lengths", "XDP_PASS", "in.pcapng", "finished", "Pause", "Quit"):
            await until(pilot, lambda word=word: word in app.export_screenshot(), word)
        await pilot.press("q")

    app = seen(act, program, "--pcap", capture, "--speed", 100)
    assert app.session.control.stopped


def test_a_replay_takes_the_time_that_it_was_recorded_in(seen, program, capture) -> None:
    async def act(pilot, app) -> None:
        await until(pilot, lambda: app.shown and app.shown.state == "finished", "the end")

    begin = time.monotonic()
    app = seen(act, program, "--pcap", capture, "--speed", 4)
    assert time.monotonic() - begin >= 0.7
    assert app.session.total == 300


def test_pausing_and_going_on(seen, program: Path, capture: Path) -> None:
    async def act(pilot, app) -> None:
        await until(pilot, lambda: app.shown and app.shown.packets > 10, "packets")
        await pilot.press("space")
        await until(pilot, lambda: app.shown.state == "paused", "the pause")
        before = app.session.total
        await pilot.pause(0.3)
        assert app.session.total == before
        await pilot.press("space")
        await until(pilot, lambda: app.session.total > before, "going on")
        await pilot.press("q")

    assert seen(act, program, "--pcap", capture, "--speed", 0.25).session.total < 300


def test_faster_and_slower(seen, program: Path, capture: Path) -> None:
    async def act(pilot, app) -> None:
        speeds = [app.session.control.speed]
        for key in ("plus", "plus", "minus", "minus", "minus", *["plus"] * 12):
            await pilot.press(key)
            speeds.append(app.session.control.speed)
        assert speeds[:6] == [1.0, 2.0, 5.0, 2.0, 1.0, 0.5]
        assert speeds[-1] is None
        await until(pilot, lambda: app.session.total == 300, "the end, at full speed")

    seen(act, program, "--pcap", capture)


def test_running_again(seen, program: Path, capture: Path) -> None:
    async def act(pilot, app) -> None:
        await until(pilot, lambda: app.shown and app.shown.state == "finished", "the end")
        app.session.control.speed = 1.0
        await pilot.press("r")
        await until(pilot, lambda: 0 < app.shown.packets < 300, "the second time")
        app.session.control.speed = None
        await until(pilot, lambda: app.shown.state == "finished", "the second end")
        assert app.shown.packets == 300

    seen(act, program, "--pcap", capture, "--speed", 100)


def test_switching_tables(seen, capture: Path) -> None:
    examples = Path(__file__).parents[2] / "examples"

    async def act(pilot, app) -> None:
        await until(pilot, lambda: app.shown and app.shown.state == "finished", "the end")
        titles = []
        for key in ("tab", "m", "shift+tab", "tab", "tab"):
            await pilot.pause()  # what a key asks for is drawn when there is time
            titles.append(str(app.query_one("#table").border_title))
            await pilot.press(key)
        assert titles[0] == "Rules, in order"
        assert titles[1].endswith("sources")
        assert titles[2] == "Variables"
        assert titles[3] == titles[1]
        await pilot.press("s")
        assert "by rate" in str(app.query_one("#table").border_subtitle)

    seen(act, examples / "firewall.py", "--pcap", examples / "data/web.pcapng",
         "--config", examples / "firewall.toml", "--speed", 100)  # fmt: skip


@pytest.mark.parametrize("size", [(120, 36), (80, 24), (60, 14), (40, 8), (20, 5), (200, 60)])
def test_all_sizes_of_terminals(seen, program: Path, capture: Path, size) -> None:
    async def act(pilot, app) -> None:
        await until(pilot, lambda: app.shown and app.shown.packets, "packets")
        assert app.screen.has_class("narrow") == (size[0] < view.NARROW)
        assert app.screen.has_class("short") == (size[1] < view.SHORT)
        await pilot.resize_terminal(100, 30)
        await pilot.pause()
        assert not app.screen.has_class("narrow")

    seen(act, program, "--pcap", capture, "--speed", 10, size=size)


def test_what_goes_wrong_in_the_session_is_raised(seen, tmp_path: Path, capture: Path) -> None:
    code = "r1 = 0; r0 = *(u8 *)(r1 +0); exit"
    (tmp_path / "bad.o").write_bytes(write(to_object(isa.parse(code), "bad", "xdp", "GPL")))

    async def act(pilot, app) -> None:
        await until(pilot, lambda: not app.is_running or app.error, "the fault")

    from ebee.errors import MachineError

    with pytest.raises(MachineError, match="packet 1: "):
        seen(act, tmp_path / "bad.o", "--pcap", capture)


def test_changed_rules_are_told(seen, tmp_path: Path) -> None:
    examples = Path(__file__).parents[2] / "examples"
    rules = tmp_path / "rules.toml"
    rules.write_text('default = "pass"\n')

    async def act(pilot, app) -> None:
        await until(pilot, lambda: app.shown and app.shown.packets, "packets")
        rules.write_text('default = "nonsense"\n')
        await until(pilot, lambda: any("stay as they are" in e.text for e in app.shown.events),
                    "the complaint")  # fmt: skip
        rules.write_text('default = "drop"\n')
        await until(pilot, lambda: any("have changed" in e.text for e in app.shown.events),
                    "the change")  # fmt: skip

    seen(act, examples / "firewall.py", "--pcap", examples / "data/web.pcapng",
         "--config", rules, "--speed", 0.1)  # fmt: skip


# -- whether there is one --------------------------------------------------------------------------


OPTIONS = {"view": None, "as_json": False, "out": None, "dev": "veth0", "pcap": None}


@pytest.mark.parametrize(
    ("options", "terminal", "wanted"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"view": False}, True, False),
        ({"as_json": True}, True, False),
        ({"dev": None, "pcap": "x"}, True, False),
        ({"dev": None, "pcap": "x", "view": True}, True, True),
    ],
)
def test_when_there_is_a_view(monkeypatch, options, terminal, wanted) -> None:
    monkeypatch.setattr(report, "is_terminal", lambda stderr=False: terminal)
    monkeypatch.setattr("sys.stdin.isatty", lambda: terminal, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert run_command.wants_view(OPTIONS | options) == wanted


def test_a_view_without_a_terminal_or_without_textual(monkeypatch, capfd) -> None:
    from ebee.errors import ConfigError

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(report, "is_terminal", lambda stderr=False: False)
    with pytest.raises(ConfigError, match="--live needs a terminal"):
        run_command.wants_view(OPTIONS | {"view": True})
    monkeypatch.setattr(report, "is_terminal", lambda stderr=False: True)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"--live: .* pip install 'ebee\[view\]'"):
        run_command.wants_view(OPTIONS | {"view": True})
    assert run_command.wants_view(OPTIONS) is False
    assert "pip install 'ebee[view]'" in capfd.readouterr().err
