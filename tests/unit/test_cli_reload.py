"""Reload on change: what is watched, which maps stay, and what runs meanwhile and afterwards."""

import os
import re
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest

import ebee
from ebee.cli import places, reload
from ebee.cli.session import Session
from ebee.errors import ConfigError
from ebee.machine.capture import CaptureWriter

pytestmark = pytest.mark.unit

COMMAND = [sys.executable, "-c", "from ebee.cli import main; main()"]
SOURCE = """
from ebee import XDP, Array, Const, Global, Hash, RingBuf, XdpContext, atomic_add, struct, u32, u64, xdp

@struct
class Seen:
    length: u64

@struct
class Flow:
    packets: u64
    bytes: u64

limit: Const[u32] = 100
total: Global[u64] = 0
started: Global[u64] = 5
flows = Hash[u32, Flow](max_entries=64)
lengths = Array[u64](max_entries=8)
seen = RingBuf[Seen](size=4096)

@xdp
def watch(ctx: XdpContext) -> XDP:
    length = ctx.packet().remaining()
    atomic_add(total, 1)
    atomic_add(started, 1)
    flow = flows.lookup(length)
    if flow is None:
        flows[length] = Flow(packets=1, bytes=length)
    else:
        flow.packets += 1
        flow.bytes += length
    with seen.reserve() as record:
        if record is not None:
            record.length = length
    return XDP.PASS  # verdict
"""  # noqa: E501


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "watch.py"
    path.write_text(SOURCE)
    return path


def edit(path: Path, *changes: tuple[str, str]) -> None:
    """Change a source as editors do: a new file takes its place."""
    text = path.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    beside = path.with_suffix(".new")
    beside.write_text(text)
    beside.replace(path)


# -- which maps stay -------------------------------------------------------------------------------


def fate_of(source: Path, *changes: tuple[str, str]) -> reload.Fate:
    before = ebee.read(source)
    edit(source, *changes)
    return reload.fate(before, ebee.read(source))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ([], "maps kept: flows, lengths, seen"),
        ([("XDP.PASS  #", "XDP.DROP  #")], "maps kept: flows, lengths, seen"),
        ([("max_entries=64", "max_entries=128")],
         "maps kept: lengths, seen; reset: flows (max_entries 64 -> 128)"),
        ([("flows = Hash", "flows = LruHash"), ("import XDP,", "import XDP, LruHash,")],
         "maps kept: lengths, seen; reset: flows (type hash -> lru_hash)"),
        ([("    bytes: u64\\n", "    bytes: u64\\n    last: u64\\n"),
          ("bytes=length)", "bytes=length, last=0)")],
         "maps kept: lengths, seen; reset: flows (value of 16 -> 24 bytes)"),
        ([("    packets: u64\\n    bytes: u64\\n", "    bytes: u64\\n    packets: u64\\n")],
         "maps kept: lengths, seen; reset: flows (members of the value)"),
        ([("length: u64", "length: u32\\n    spare: u32"),
          ("record.length = length", "record.length = length\\n            record.spare = 0")],
         "maps kept: flows, lengths; reset: seen (members of its records)"),
        ([("lengths = Array[u64](max_entries=8)", "sizes = Array[u64](max_entries=8)")],
         "maps kept: flows, seen; new: sizes; gone: lengths"),
    ],
)  # fmt: skip
def test_maps_stay_when_their_definitions_do(source: Path, changes, said: str) -> None:
    changes = [(old.replace("\\n", "\n"), new.replace("\\n", "\n")) for old, new in changes]
    assert str(fate_of(source, *changes)) == said


def test_variables_stay_one_by_one(source: Path) -> None:
    fate = fate_of(source, ("limit: Const[u32] = 100", "limit: Const[u32] = 200"))
    assert {".bss", ".data"} <= set(fate.kept), "constants are always those of the source"
    fate = fate_of(
        source, ("started: Global[u64] = 5", "started: Global[u64] = 9"),
        ("total: Global[u64] = 0", "more: Global[u64] = 0\ntotal: Global[u64] = 0"),
    )  # fmt: skip
    assert "total" in fate.values
    assert "started" not in fate.values, "it begins with another value now"
    fate = fate_of(source, ("total: Global[u64]", "total: Global[u32]"))
    assert "total" not in fate.values


# -- what is watched -------------------------------------------------------------------------------


def test_sources_are_a_file_and_what_it_is_made_of(tmp_path: Path) -> None:
    (tmp_path / "common.py").write_text("LIMIT = 3\n")
    program = tmp_path / "prog.py"
    program.write_text("from common import LIMIT\n" + SOURCE.replace("= 100", "= LIMIT"))
    spec = ebee.read(program)
    watched = set(reload.sources(str(program), spec))
    assert {Path(f).name for f in watched} == {"prog.py", "common.py"}
    del sys.modules["common"]


def test_headers_are_watched(tmp_path: Path) -> None:
    (tmp_path / "a.h").write_text('#include "sub/b.h"\n#include <linux/bpf.h>\n')
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.h").write_text('#include "../a.h"\n')
    (tmp_path / "prog.c").write_text('#include "a.h"\n#include "missing.h"\n')
    found = set(reload.sources(str(tmp_path / "prog.c"), ebee.ObjectSpec("prog")))
    assert {os.path.basename(f) for f in found} == {"prog.c", "a.h", "b.h"}


def test_a_file_that_is_still_being_written_is_left_alone(source: Path) -> None:
    sources = reload.Sources(str(source))
    sources.use(ebee.read(source))
    assert not sources.changed()
    source.write_text(SOURCE + "\n")
    assert not sources.changed(), "seen for the first time"
    assert sources.changed()
    source.unlink()
    assert not sources.changed()
    assert not sources.changed(), "it is away for a moment"
    source.write_text(SOURCE)
    sources.changed()
    assert sources.changed()
    sources.use(None)
    assert not sources.changed()


def test_a_program_cannot_become_another_kind() -> None:
    old, new = (ebee.ObjectSpec("x") for _ in range(2))
    old.programs["p"] = ebee.ProgramSpec("p", "xdp", [], hook="xdp")
    with pytest.raises(ConfigError, match="no program 'p' any more; it has: none"):
        reload.check_replaceable(old, new, "p")
    new.programs["p"] = ebee.ProgramSpec("p", "tc", [], hook="tc")
    with pytest.raises(ConfigError, match=r"become a tc program .* start ebee again"):
        reload.check_replaceable(old, new, "p")


# -- on the machine --------------------------------------------------------------------------------

OPTIONS = dict.fromkeys(
    ("pcap", "dev", "cgroup", "on", "out", "limit", "engine", "trust", "cpus", "seed", "mode",
     "duration", "config", "count")
) | {"reload": True, "top": 100, "as_json": False, "speed": None}  # fmt: skip


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    path = tmp_path / "in.pcapng"
    with CaptureWriter(path) as out:
        for number in range(200):
            out.write(bytes(60), 10**18 + number * 10**7)
    return path


@contextmanager
def session(source: Path, capture: Path, **options):
    options = OPTIONS | options | {"pcap": str(capture)}
    there = places.OnMachine(options)
    made = Session(str(source), ebee.read(source), ["watch"], there, options, ebee.read)
    try:
        yield made
    finally:
        there.close()


@pytest.mark.parametrize("engine", ["jit", "interpreter"])
def test_a_program_is_swapped_while_a_capture_runs(source, capture, capfd, engine) -> None:
    with session(source, capture, speed=1.0, engine=engine) as made:

        def change(then: Session) -> None:
            if then.total > 50 and then.watch is not None:
                then.watch = None
                edit(source, ("XDP.PASS  #", "XDP.DROP  #"))

        made.watch = change
        assert made.replay()
        assert made.total == 200
        assert made.packets["XDP_PASS"] > 50
        assert made.packets["XDP_DROP"] > 50
        live = made.loaded.object
        assert live.maps["flows"][60].packets == 200, "the map was kept"
        assert live.variables["total"].value == 200
        assert live.variables["started"].value == 205
        assert made.event_count == 200
        assert len(made.place.machine.programs()) == 1
    err = capfd.readouterr().err
    assert re.search(
        r"watch.py has changed: compiled in \d.\d\d s; maps kept: flows, lengths, s", err
    )


def test_a_mistake_leaves_the_old_program_running(source, capture, capfd) -> None:
    with session(source, capture, speed=1.0) as made:

        def change(then: Session) -> None:
            if then.total > 20 and then.watch is not None:
                then.watch = None
                edit(source, ("XDP.PASS  #", "XDP.NEVER  #"))

        made.watch = change
        assert made.replay()
        assert made.packets == {"XDP_PASS": 200}
    err = capfd.readouterr().err
    assert "watch.py:" in err
    assert "return XDP.NEVER" in err, "the excerpt"
    assert err.endswith("the program that runs stays as it is\n")
    assert err.count("stays as it is") == 1, "complained about once"


def test_reset_maps_begin_empty_and_others_stay(source, capture) -> None:
    with session(source, capture) as made:
        assert made.replay()
        machine = made.place.machine
        before = len(machine._maps)
        edit(
            source,
            ("max_entries=64", "max_entries=32"),
            ("total: G", "more: Global[u64] = 0\ntotal: G"),
        )
        made.sources.changed()
        assert made.reload()
        live = made.loaded.object
        assert len(live.maps["flows"]) == 0
        assert (live.variables["total"].value, live.variables["started"].value) == (200, 205)
        assert len(machine._maps) == before


def test_a_capture_is_run_again_with_the_new_program(source, capture) -> None:
    with session(source, capture) as made:
        assert made.replay()
        threading.Timer(0.2, edit, (source, ("XDP.PASS  #", "XDP.DROP  #"))).start()
        assert made.await_change()
        assert made.replay()
        assert made.packets == {"XDP_DROP": 200}
        assert made.loaded.object.maps["flows"][60].packets == 200, "with new maps"
        threading.Timer(0.2, made.control.stop).start()
        assert not made.await_change()


def test_imported_modules_are_read_again(source, capture) -> None:
    helper = source.with_name("verdict_of_watch.py")
    helper.write_text("from ebee import XDP\n\nVERDICT = XDP.PASS\n")
    edit(
        source,
        ("XDP.PASS  #", "VERDICT  #"),
        ("@xdp\n", "from verdict_of_watch import VERDICT\n\n@xdp\n"),
    )
    with session(source, capture) as made:
        assert made.replay()
        assert made.packets == {"XDP_PASS": 200}
        edit(helper, ("XDP.PASS", "XDP.TX"))
        made.sources.changed()
        assert made.reload(anew=True)
        assert made.replay()
        assert made.packets == {"XDP_TX": 200}
    del sys.modules["verdict_of_watch"]


def test_the_command_waits_for_changes(source, capture) -> None:
    """From the shell: a table, an edit, another table, Ctrl-C."""
    words = [*COMMAND, "run", source, "--pcap", capture, "--reload"]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr is not None
            assert "waiting for changes of " in process.stderr.readline()
            edit(source, ("XDP.PASS  #", "XDP.DROP  #"))
            assert "has changed: compiled in" in process.stderr.readline()
            assert "waiting for changes" in process.stderr.readline()
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=20)
        finally:
            process.kill()
    assert process.returncode == 0, err
    assert re.findall(r"^XDP_(\w+) +200", out, re.MULTILINE) == ["PASS", "DROP"]
