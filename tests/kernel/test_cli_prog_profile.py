"""`ebee prog profile` and what it counts by: runs of a program of the test's own."""

import json
import threading
from collections.abc import Callable, Iterator

import pytest

from ebee.btf import BtfBuilder, Func, FuncProto, Int
from ebee.errors import KernelError
from ebee.isa import assemble
from ebee.linux import perf
from ebee.linux.btf import load_bytes
from ebee.linux.profile import METRICS, MOST, counting
from ebee.linux.programs import LinuxProgram

pytestmark = pytest.mark.kernel

Run = Callable[..., tuple[int, str, str]]
RUNS = 50


@pytest.fixture
def target() -> Iterator[LinuxProgram]:
    """A program with BTF, whose function may be traced."""
    types = BtfBuilder()
    types.add(Int("int", 4, 1, 32))
    types.add(FuncProto(1, ()))
    types.add(Func("target", 2))
    with load_bytes(types.bytes()) as btf:
        code = assemble("r1 = 100; again: r1 -= 1; if r1 != 0 goto again; r0 = 2; exit")
        info = (0).to_bytes(4, "little") + (3).to_bytes(4, "little")
        with LinuxProgram.load(code, "xdp", name="target", btf=btf, func_info=info) as program:
            yield program


@pytest.fixture
def traced(target: LinuxProgram) -> LinuxProgram:
    """The program, where programs can be traced."""
    try:
        with counting(target, ["cpu-clock"]):
            return target
    except KernelError as error:
        pytest.skip(str(error).splitlines()[-1])


def run(program: LinuxProgram, times: int = RUNS) -> None:
    for _ in range(times):
        program.test_run(bytes(64))


def test_runs_and_time_are_counted_by_the_kernel(target: LinuxProgram) -> None:
    run(target)
    with counting(target) as tell:
        assert tell().runs == 0
        run(target)
        found = tell()
    assert found.runs == RUNS
    assert found.nanoseconds > 0
    assert found.counts == ()


def test_metrics_are_counted_by_programs_around_it(traced: LinuxProgram) -> None:
    with counting(traced, ["cpu-clock", "page-faults"]) as tell:
        run(traced)
        found = tell()
    assert found.runs == RUNS
    clock, faults = found.counts
    # A software clock counts nanoseconds, within the time that we saw pass around it.
    assert (clock.metric, faults.metric) == ("cpu-clock", "page-faults")
    assert 0 < clock.value <= found.nanoseconds
    assert (faults.value, faults.scaled) == (0, 0.0)
    with pytest.raises(KernelError, match="closed"):  # with all that counted
        tell()


def test_as_many_metrics_as_may_be(traced: LinuxProgram) -> None:
    with counting(traced, perf.SOFTWARE[:MOST]) as tell:
        run(traced, 3)
        found = tell()
    assert found.runs == 3
    assert [c.metric for c in found.counts] == list(perf.SOFTWARE[:MOST])
    with pytest.raises(KernelError, match="up to 8 metrics"), counting(traced, perf.SOFTWARE[:9]):
        pass


def test_counters_of_the_hardware_count(traced: LinuxProgram) -> None:
    try:
        perf.open_event(perf.named("instructions"), cpu=0).close()
    except OSError as error:
        pytest.skip(f"this machine has no counter of instructions: {error.strerror}")
    with counting(traced, ["cycles", "instructions"]) as tell:
        run(traced)
        cycles, instructions = tell().counts
    assert instructions.value >= RUNS * 200
    assert cycles.value > 0


def test_what_is_counted_is_shown(ebee: Run, target: LinuxProgram) -> None:
    """Also where the command is waiting while the program runs."""
    done = threading.Event()

    def again() -> None:
        while not done.is_set():
            run(target, 1)

    thread = threading.Thread(target=again)
    thread.start()
    try:
        words = ("prog", "profile", "id", target.id, "duration", 1)
        found = json.loads(ebee(*words, "--json")[1])
        code, text, _ = ebee(*words)
    finally:
        done.set()
        thread.join()
    assert (found["id"], found["name"], found["metrics"]) == (target.id, "target", [])
    assert found["run_cnt"] > 0
    assert found["run_time_ns"] > 0
    assert found["seconds"] >= 1
    assert code == 0
    assert f"program {target.id}: target, " in text
    assert "time, ns" in text


def test_metrics_are_shown(ebee: Run, traced: LinuxProgram) -> None:
    words = ("prog", "profile", "id", traced.id, "duration", 0.05, "cpu-clock")
    found = json.loads(ebee(*words, "--json")[1])
    assert found["metrics"] == [
        {"metric": "cpu-clock", "run_cnt": 0, "value": 0, "enabled": 0, "running": 0, "scaled": 0}
    ]
    assert "it did not run" in ebee(*words)[1]


def test_bpftools_metrics_have_events() -> None:
    for name in METRICS.values():
        perf.named(name)


def test_where_programs_cannot_be_traced_it_is_said_what_that_takes(
    ebee: Run, target: LinuxProgram
) -> None:
    try:
        with counting(target, ["cpu-clock"]):
            pytest.skip("programs can be traced here")
    except KernelError:
        code, _, err = ebee("prog", "profile", target.id, "duration", 1, "cycles")
    assert code == 1
    assert "takes programs at its entry and exit (fentry, fexit" in err
    assert "Without metrics, runs and their time can be counted" in err


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("duration", "`duration` takes a number of seconds"),
        ("duration x", "`duration` takes a number of seconds"),
        ("duration 0", "Give a positive number"),
        ("duration nan", "Give a positive number"),
        ("cycles cycles", "each once"),
        ("cyles", "there is no perf event 'cyles'"),
    ],
)
def test_mistakes_are_told(ebee: Run, target: LinuxProgram, words: str, why: str) -> None:
    code, _, err = ebee("prog", "profile", target.id, *words.split())
    assert code == 1
    assert why in err
