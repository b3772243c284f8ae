"""`ebee top` counts what programs do; `ebee perf` finds those at probes."""

import json
import os
import threading
from collections.abc import Callable, Iterator

import pytest

from ebee.cli import top
from ebee.isa import assemble
from ebee.linux import attach
from ebee.linux.fdquery import probes
from ebee.linux.maps import LinuxMap
from ebee.linux.programs import LinuxProgram, enable_stats

pytestmark = pytest.mark.kernel

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def loaded() -> Iterator[LinuxProgram]:
    with LinuxProgram.load(assemble("r0 = 2; exit"), "xdp", name="counted") as program:
        yield program


def test_runs_between_two_looks_are_counted(loaded: LinuxProgram) -> None:
    """A test run counts as one run and takes time."""
    with enable_stats():
        before = top._samples()[loaded.id]
        for _ in range(20):
            loaded.test_run(bytes(64))
        row = top._row(before, top._samples()[loaded.id], 2.0)
    assert (row["name"], row["type"], row["runs"]) == ("counted", "xdp", 10.0)
    assert row["mean"] > 0
    assert row["cpu"] == pytest.approx(row["mean"] * 10 / 1e7)


def test_the_command_shows_what_ran(ebee: Run, loaded: LinuxProgram) -> None:
    done = threading.Event()

    def work() -> None:
        while not done.is_set():
            loaded.test_run(bytes(64), repeat=100)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        code, out, _ = ebee("top", "-n", "2", "--interval", "1", "--json")
        text = ebee("top", "-n", "1", "--interval", "1", "--sort", "runs")[1]
    finally:
        done.set()
        worker.join()
    assert code == 0
    looks = [json.loads(line) for line in out.splitlines()]
    assert len(looks) == 2
    row = next(row for row in looks[1]["programs"] if row["id"] == loaded.id)
    assert row["runs"] > 100
    assert str(loaded.id) in text


def test_maps_are_listed_by_memory(ebee: Run) -> None:
    with (
        LinuxMap.create("array", 4, 4096, 5000, name="large") as large,
        LinuxMap.create("array", 4, 4, 1, name="small") as small,
    ):
        words = ("top", "-n", "1", "--interval", "0.05")
        [look] = map(json.loads, ebee(*words, "--all", "--json")[1].splitlines())
        places = {m["id"]: number for number, m in enumerate(look["maps"])}
        assert places[large.id] < places[small.id]
        row = look["maps"][places[large.id]]
        assert (row["name"], row["type"], row["max_entries"]) == ("large", "array", 5000)
        assert row["memory"] >= 5000 * 4096
        assert "large" in ebee(*words, "--all")[1]


def test_programs_at_probes_are_found_with_their_processes(ebee: Run) -> None:
    code = assemble("r0 = 0; exit")
    with LinuxProgram.load(code, "raw_tracepoint", name="probed") as program:
        with attach.raw_tracepoint(program, "sched_process_exit"):
            mine = [p for p in probes() if p.prog_id == program.id]
            assert [(p.pid, p.kind, p.name) for p in mine] == [
                (os.getpid(), "raw_tracepoint", "sched_process_exit")
            ]
            found = json.loads(ebee("perf", "show", "--json")[1])
            assert [p["prog_name"] for p in found if p["prog_id"] == program.id] == ["probed"]
            assert "sched_process_exit" in ebee("perf", "list")[1]
        assert not [p for p in probes() if p.prog_id == program.id]


def test_uprobes_tell_file_and_offset() -> None:
    with (
        LinuxProgram.load(assemble("r0 = 0; exit"), "kprobe", name="probed") as program,
        attach.uprobe(program, "libc", function="getppid", pid=os.getpid()),
    ):
        (mine,) = (p for p in probes() if p.prog_id == program.id)
    assert (mine.pid, mine.kind) == (os.getpid(), "uprobe")
    assert "libc" in mine.name
    assert mine.offset > 0
