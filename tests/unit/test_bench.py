"""The benchmarks measure what they say, compare only like things, and judge by the numbers."""

from __future__ import annotations

import json
import math
import time

import pytest
from bench import build, facts, packets, programs
from bench.__main__ import SCRIPTS, SUITES, main
from bench.measure import Disagreement, Engine, Plan, best, geometric_mean, measure
from bench.report import Report, cell

from ebee import clang
from ebee.errors import CompileError
from ebee.machine.machine import Machine

pytestmark = pytest.mark.unit
BRIEF = Plan(sample=1e-4, rounds=4)


def busy(seconds: float, value: int = 7) -> Engine:
    """Takes a known time for each run."""

    def run(n: int) -> int:
        end = time.perf_counter() + seconds * n
        while time.perf_counter() < end:
            pass
        return value * n

    return Engine(run)


# -- measuring -------------------------------------------------------------------------------------


def test_figures_are_times_of_one_run() -> None:
    found = measure({"one": busy(20e-6), "ten": busy(200e-6)}, BRIEF)
    assert 20e3 <= found["one"].ns < 200e3 <= found["ten"].ns
    assert found["one"].value == 7


def test_units_share_the_time_of_a_run() -> None:
    engine = busy(100e-6)
    found = measure({"packets": Engine(engine.run, unit=100)}, BRIEF)["packets"]
    assert 1e3 <= found.ns < 100e3


def test_the_least_disturbed_sample_counts() -> None:
    turn = 0

    def run(n: int) -> int:
        nonlocal turn
        turn += 1
        return busy(1e-6 if turn % 3 else 1e-3).run(n)

    assert measure({"a": Engine(run)}, Plan(1e-4, 9))["a"].ns < 0.5e6


def test_engines_that_return_different_values_are_not_compared() -> None:
    with pytest.raises(Disagreement, match="prog: engines return different values: a 7, b 8"):
        measure({"a": busy(1e-6), "b": busy(1e-6, 8)}, BRIEF, "prog")


def test_an_engine_that_changes_its_mind_is_found() -> None:
    last = 0

    def run(n: int) -> int:
        nonlocal last
        last += 1
        return busy(1e-6, last).run(n)

    with pytest.raises(Disagreement, match="now this, now that"):
        measure({"a": Engine(run)}, BRIEF)


def test_one_wrong_run_among_many_is_found() -> None:
    def run(n: int) -> int:
        return busy(1e-6).run(n) + (n > 1)

    with pytest.raises(Disagreement):
        measure({"a": Engine(run)}, BRIEF)


def test_work_that_takes_no_time_is_no_work() -> None:
    with pytest.raises(Disagreement, match="does not take longer"):
        measure({"a": Engine(lambda n: n)}, BRIEF)


def test_what_need_not_agree_is_left_out() -> None:
    other = Engine(busy(1e-6, 8).run, alike=False)
    assert measure({"a": busy(1e-6), "b": other}, BRIEF)["b"].value == 8


def test_an_engine_may_have_a_clock_of_its_own() -> None:
    seen: list[int] = []

    def run(n: int) -> int:
        seen.append(n)
        return 7 * n

    engine = Engine(run, clock=lambda: 42.0, times=5)
    assert measure({"a": engine}, BRIEF)["a"].ns == 42
    assert set(seen) == {5}
    assert len(seen) >= 2


def test_best_is_the_least() -> None:
    waits = iter((0.3, 1e-4, 0.2))
    assert 1e-4 <= best(lambda: time.sleep(next(waits)), 3) < 0.15


def test_geometric_mean() -> None:
    assert geometric_mean([0.5, 2.0]) == pytest.approx(1.0)
    assert math.isnan(geometric_mean([]))


# -- judging ---------------------------------------------------------------------------------------

NUMBERS = {
    "empty": {"-O2": 1.0, "trusted": 1.0},
    "slow": {"-O2": 10.0, "trusted": 20.0, "kernel, net": 18.0},
    "fast": {"-O2": 10.0, "trusted": 5.0},
}


def test_ratios_leave_the_empty_program_out() -> None:
    assert programs.ratios(NUMBERS, "trusted") == {"slow": 2.0, "fast": 0.5}
    assert programs.ratios(NUMBERS, "kernel, net") == {"slow": 1.8}


def test_the_kernel_is_compared_without_loops_and_within_its_clock() -> None:
    assert programs.beside_kernel(NUMBERS) == {"slow": 19 / (18 + programs.KERNEL_CLOCK)}


def test_verdicts_say_what_was_asked() -> None:
    report = Report()
    report.judge("speed", 0.5, "<=", 0.6)
    report.judge("rate", 9.0, ">=", 10, " M/s", "one core")
    assert [v.met for v in report.verdicts] == [True, False]
    assert str(report.verdicts[1]) == "MISSED  rate: 9 M/s, asked >= 10 M/s (one core)"
    assert [v["met"] for v in report.as_json()["verdicts"]] == [True, False]
    json.dumps(report.as_json())


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "–"), (math.nan, "–"), (0.123, "0.12"), (12.34, "12.3"), (1234.5, "1,234"), (7, "7")],
)
def test_cells_show_three_digits(value: object, text: str) -> None:
    assert cell(value) == text


# -- what is measured ------------------------------------------------------------------------------


def test_the_packet_is_what_the_programs_expect() -> None:
    data = build.packet()
    assert len(data) == 512
    assert data[12:15] == b"\x08\x00\x45"
    assert data[320:416] == data[416:512]
    assert 0 not in data[320:416]


def test_missing_programs_are_said_to_be_missing(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(build.ENVIRONMENT, str(tmp_path))
    with pytest.raises(CompileError, match=f"not in {tmp_path}.*set {build.ENVIRONMENT}"):
        build.programs_folder()


def test_batches_take_packets_in_turn() -> None:
    batch = packets.batch_of([b"a" * 60, b"b" * 70], count=5)
    assert list(batch.offsets) == [0, 60, 0, 60, 0]
    assert list(batch.lengths) == [60, 70, 60, 70, 60]


def test_traffic_is_of_the_size_asked_for() -> None:
    assert {len(p) for p in packets.web(32) + packets.mixed(32)} == {packets.SIZE}
    assert len(packets.frame(1, 443, 1500)) == 1500


@pytest.mark.parametrize("name", facts.OWN)
def test_programs_where_facts_matter_are_accepted_and_return_something(name: str) -> None:
    try:
        spec = clang.build(build.HERE / "progs" / f"{name}.c")
    except CompileError as error:
        if "no clang" not in str(error):
            raise
        pytest.skip(str(error).splitlines()[0])
    with Machine(clock=0, seed=0) as machine:
        program = next(iter(machine.load(spec).programs.values()))
        assert program.verify().accepted
        assert program.test_run(build.packet()).retval > 1


def test_gains_are_ratios_of_one_run() -> None:
    report = Report()
    figures = {"checked, pass": 8.0, "checked, verifier": 2.0,
               "trusted, pass": 3.0, "trusted, verifier": 3.0}  # fmt: skip
    facts._table(report, {"one": figures})
    assert report.numbers["facts_gain"]["by program"] == {
        "checked": {"one": 4.0},
        "trusted": {"one": 1.0},
    }


# -- the command -----------------------------------------------------------------------------------


def test_all_suites_are_listed_and_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    assert set(capsys.readouterr().out.split()) >= {*SUITES, *SCRIPTS}
    for name in SCRIPTS:
        assert (build.HERE / f"{name}.py").is_file()


def test_unknown_suites_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["nonsense"])
    assert "there is no suite 'nonsense'" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["lang", "--json"])


def test_without_the_programs_it_ends_with_one_line(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(build.ENVIRONMENT, str(tmp_path))
    assert main(["programs", "--quick"]) == 1
    assert capsys.readouterr().err.startswith("bench: the small programs are not in")
