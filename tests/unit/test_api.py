"""The public interface, from a program to what it sends: the same on the machine and in the kernel
(there: those tests that take `loaded`, as root)."""

import asyncio
import doctest
import os
import signal
import threading
import time
from pathlib import Path

import pytest

import ebee
from ebee import loading
from ebee.obj import events as events_module

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[2]
SOURCE = """
from ebee import XDP, Const, Global, Hash, RingBuf, XdpContext, struct, u32, u64, xdp

@struct
class Seen:
    number: u64
    length: u32
    spare: u32

limit: Const[u32] = 1000
total: Global[u64] = 0
seen = RingBuf[Seen](size=4096)
lengths = Hash[u32, u64](max_entries=64)

@xdp
def watch(ctx: XdpContext) -> XDP:
    global total
    length = ctx.packet().remaining()
    total += 1
    lengths[length] = total
    if length > limit:
        return XDP.DROP
    with seen.reserve() as record:
        if record is not None:
            record.number = total
            record.length = length
            record.spare = 0
    return XDP.PASS
"""
HERE = ["machine", pytest.param("linux", marks=pytest.mark.kernel)]


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("api") / "watch.py"
    path.write_text(SOURCE)
    return path


@pytest.fixture(params=HERE)
def loaded(request, source):
    with ebee.load(source, on=request.param) as made:
        yield made


def send(loaded, *lengths: int) -> list[int]:
    run = loaded.programs["watch"].test_run
    return [run(bytes(length)).retval for length in lengths]


# -- reading and loading ---------------------------------------------------------------------------


def test_a_spec_is_read_from_all_that_holds_one(source, tmp_path, monkeypatch) -> None:
    spec = ebee.read(source)
    ebee.save(spec, tmp_path / "watch.bpf.o")
    content = (tmp_path / "watch.bpf.o").read_bytes()
    monkeypatch.syspath_prepend(source.parent)
    import watch

    for same in (str(source), tmp_path / "watch.bpf.o", content, watch, watch.watch, spec):
        found = ebee.read(same)
        assert found.programs["watch"].insns == spec.programs["watch"].insns
        assert set(found.maps) == set(spec.maps)
    assert ebee.read(spec) is spec


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("no/such.py", r"cannot read no/such.py: no such file"),
        ("no/such.c", r"cannot read no/such.c: no such file"),
        ("no/such.o", r"cannot read no/such.o: No such file"),
        (".", r"cannot read \.: "),
        (b"\x7fELF", "truncated ELF"),
        (b"", "the file is empty"),
    ],
)
def test_what_cannot_be_read_is_said(given, said: str) -> None:
    with pytest.raises(ebee.EbeeError, match=said):
        ebee.read(given)


def test_loading_somewhere_else(source) -> None:
    with pytest.raises(ebee.MachineError, match="'moon' is no place to load into"):
        ebee.load(source, on="moon")  # type: ignore[call-overload]


def test_variables_are_set_in_a_copy(source) -> None:
    spec = ebee.read(source)
    with ebee.load(spec, variables={"limit": 100, "total": 7}) as made:
        assert send(made, 100, 101) == [ebee.XDP.PASS, ebee.XDP.DROP]
        assert made.variables["total"].value == 9
        assert dict(made.maps["lengths"]) == {100: 8, 101: 9}
    assert spec.variables["limit"].value == 1000
    with pytest.raises(ebee.ObjectError, match=r"no variable 'limt'. Did you mean 'limit'"):
        ebee.load(spec, variables={"limt": 1})


@pytest.mark.parametrize("on", HERE)
def test_objects_share_maps(source, on) -> None:
    with ebee.load(source, on=on) as first:
        machine = first.machine if on == "machine" else "linux"
        with ebee.load(source, on=machine, maps={"lengths": first.maps["lengths"]}) as second:
            send(second, 60)
            assert first.maps["lengths"][60] == 1
        assert first.maps["lengths"][60] == 1, "it went with the object that only borrowed it"


def test_names_that_are_not_there(loaded) -> None:
    with pytest.raises(ebee.ObjectError, match=r"watch has no map 'lenghts'. Did you mean 'lengt"):
        loaded.maps["lenghts"]
    with pytest.raises(ebee.ObjectError, match=r"no program 'x'. It has: watch"):
        loaded.programs["x"]
    with pytest.raises(ebee.ObjectError, match=r"no variable 'totl'. Did you mean 'total'"):
        loaded.variables["totl"]
    assert loaded.maps.get("lenghts") is None
    assert "lenghts" not in loaded.maps


def test_a_machine_of_its_own_goes_with_the_object(source) -> None:
    made = ebee.load(source)
    machine = made.machine
    assert machine.cpus
    made.close()
    made.close()
    assert not machine.cpus


# -- events ----------------------------------------------------------------------------------------


def test_events_are_typed(loaded) -> None:
    send(loaded, 60, 2000, 90)
    events = loaded.events()
    assert [(e.number, e.length) for e in events.read()] == [(1, 60), (3, 90)]
    assert (events.count, events.read(), events.pending) == (2, [], 0)
    assert repr(events) == "<Events seen: struct Seen>"


def test_iterating_ends_when_nothing_comes(loaded) -> None:
    send(loaded, 60, 61, 62)
    begin = time.monotonic()
    assert [e.length for e in loaded.events("seen", timeout=0.05)] == [60, 61, 62]
    assert 0.05 <= time.monotonic() - begin < 5
    assert list(loaded.events("seen", timeout=0)) == []


def test_a_loop_that_was_left_loses_nothing(loaded) -> None:
    send(loaded, *range(60, 70))
    got = []
    for event in loaded.events(timeout=0):
        got.append(event.length)
        if len(got) == 3:
            break
    assert [e.length for e in loaded.events().read(2)] == [63, 64]
    got += [e.length for e in loaded.events(timeout=0)]
    assert got == [60, 61, 62, 65, 66, 67, 68, 69]
    assert loaded.events().count == 10


def test_skimming_decodes_only_some(loaded) -> None:
    send(loaded, *range(60, 70))
    first, count = loaded.events().skim(3)
    assert ([e.length for e in first], count) == ([60, 61, 62], 10)
    assert loaded.events().count == 10


def test_events_come_while_one_waits(loaded) -> None:
    def later() -> None:
        for length in (60, 61, 62):
            time.sleep(0.02)
            send(loaded, length)

    thread = threading.Thread(target=later)
    thread.start()
    got = [e.length for e in loaded.events(timeout=1.0)]
    thread.join()
    assert got == [60, 61, 62]


def test_stop_ends_an_iteration_that_waits(loaded) -> None:
    events = loaded.events(timeout=30)
    send(loaded, 60)
    threading.Timer(0.05, events.stop).start()
    begin = time.monotonic()
    assert [e.length for e in events] == [60]
    assert time.monotonic() - begin < 10
    send(loaded, 61)
    assert [e.length for e in events] == [61], "what is there by then is still given"


def test_a_signal_handler_may_stop_it(loaded) -> None:
    events = loaded.events(timeout=30)
    before = signal.signal(signal.SIGUSR1, lambda *_: events.stop())
    try:
        timer = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGUSR1))
        timer.start()
        assert list(events) == []
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_async_iteration_leaves_the_loop_free(loaded) -> None:
    async def main() -> tuple[list[int], int]:
        turns = 0

        async def spin() -> None:
            nonlocal turns
            for length in (61, 62, 63):
                await asyncio.sleep(0.02)
                send(loaded, length)
                turns += 1

        send(loaded, 60)
        task = asyncio.create_task(spin())
        got = [e.length async for e in loaded.events(timeout=1.0)]
        await task
        return got, turns

    assert asyncio.run(main()) == ([60, 61, 62, 63], 3)


def test_async_iteration_is_stopped(loaded) -> None:
    async def main() -> list[int]:
        events = loaded.events(timeout=30)
        asyncio.get_running_loop().call_later(0.05, events.stop)
        return [e.length async for e in events]

    send(loaded, 60)
    assert asyncio.run(main()) == [60]


def test_async_iteration_can_be_cancelled(loaded) -> None:
    async def main() -> None:
        async for _ in loaded.events(timeout=30):
            raise AssertionError

    async def limited() -> None:
        await asyncio.wait_for(main(), 0.05)

    with pytest.raises(asyncio.TimeoutError):
        asyncio.run(limited())


def test_on_the_machine_iteration_ends_when_the_buffer_is_empty(source) -> None:
    with ebee.load(source) as made:
        send(made, 60)
        assert [e.length for e in made.events()] == [60]


def test_buffers_that_are_none(loaded) -> None:
    with pytest.raises(ebee.ObjectError, match="'lengths' is no buffer of events; it has: seen"):
        loaded.events("lengths")


def test_which_buffer_must_be_said(tmp_path) -> None:
    path = tmp_path / "two.py"
    path.write_text(SOURCE.replace("lengths =", "more = RingBuf[Seen](size=4096)\nlengths ="))
    wrong = pytest.raises(ebee.ObjectError, match=r"say which .*: seen, more")
    with ebee.load(path) as made, wrong:
        made.events()


def test_events_end_with_their_object(source) -> None:
    with ebee.load(source) as made:
        events = made.events()
        with events:
            assert events.read() == []


# -- docstrings ------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", [loading, events_module], ids=lambda m: m.__name__)
def test_examples_of_docstrings_run(module, monkeypatch) -> None:
    monkeypatch.chdir(ROOT)
    assert doctest.testmod(module, optionflags=doctest.ELLIPSIS).failed == 0


def test_every_public_name_says_what_it_is() -> None:
    plain = (int, str, dict, type(NotImplemented))
    for name in ebee.__all__:
        thing = getattr(ebee, name)
        if not isinstance(thing, plain) and name not in ("Const", "Global"):
            assert (thing.__doc__ or "").strip(), f"ebee.{name} has no docstring"
