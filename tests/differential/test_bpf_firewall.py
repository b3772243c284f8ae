"""firewall.py against firewall.c: the same verdict for every packet, the same maps, the same
events, on the machine (interpreter and compiled) and in the kernel."""

import importlib.util
import os
from pathlib import Path

import pytest

from ebee import linux
from ebee.clang import build as build_c
from ebee.cli.events import EventReader
from ebee.lang.bpf import build
from ebee.machine.capture import Capture
from ebee.machine.machine import Machine
from ebee.obj import link

pytestmark = pytest.mark.differential

EXAMPLES = Path(__file__).parents[2] / "examples"
CAPTURES = {"web.pcapng": None, "flood.pcap.gz": 300}


def module(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    made = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


rules = module("firewall_rules")


@pytest.fixture(scope="module")
def specs():
    return build_c(str(EXAMPLES / "firewall.c")), build.compile(EXAMPLES / "firewall.py")


def frames(name):
    found = []
    with Capture.open(EXAMPLES / "data" / name) as capture:
        for batch in capture.batches():
            found += [bytes(batch[i].data) for i in range(len(batch))]
    return [f for f in found if len(f) >= 14][: CAPTURES[name]]


def odd_frames():
    """Cut short, and with every length and version there is: where parsers go wrong."""
    base = [f for f in frames("web.pcapng") if len(f) > 60]
    kinds = {f[12:14] + f[14:15] + f[20:24]: f for f in base}
    for frame in list(kinds.values())[:12]:
        yield from (frame[:n] for n in range(14, min(len(frame), 90), 3))
        for at in (14, 15, 16, 17, 18, 20, 21, 23, 24, 40):
            yield from (frame[:at] + bytes([v]) + frame[at + 1 :] for v in (0, 4, 0x46, 0x4F, 255))


def outcome(loaded, packets):
    """Verdicts, contents of all maps, and lines of events."""
    rules.RuleFile(EXAMPLES / "firewall.toml").update(loaded.maps)
    run = loaded.programs["firewall"].test_run
    verdicts = [run(p).retval for p in packets]
    maps = {n: dict(m) for n, m in loaded.maps.items() if n[0] != "." and n != "events"}
    events, _ = EventReader(loaded, "events").read()
    variables = {n: loaded.variables[n].value for n in ("events_sent", "events_lost")}
    return verdicts, maps, [rules.event_line(e) for e in events], variables


@pytest.mark.parametrize("name", [*CAPTURES, "odd"])
def test_same_verdicts_maps_and_events(specs, name):
    packets = list(odd_frames()) if name == "odd" else frames(name)
    found = {}
    for language, spec in zip(("C", "Python"), specs, strict=True):
        with Machine() as machine:
            found[language, "machine"] = outcome(machine.load(spec), packets)
        if os.geteuid() == 0:
            with linux.load(spec) as loaded:
                found[language, "kernel"] = outcome(loaded, packets)
    expected = found["C", "machine"]
    for where, got in found.items():
        for part, want, have in zip(
            ("verdicts", "maps", "events", "variables"), expected, got, strict=True
        ):
            if where[1] == "kernel" and part == "maps":
                want, have = (without_cpus(m) for m in (want, have))
            assert have == want, (where, part)
    assert len(set(expected[0])) == 2


def without_cpus(maps):
    """Maps with per-CPU counters summed: the kernel has other CPUs than the machine."""
    return {
        n: {k: v.sum() if hasattr(v, "sum") else v for k, v in m.items()} for n, m in maps.items()
    }


def test_python_is_no_larger_than_c(specs):
    c, python = (len(link(spec, "firewall").insns) for spec in specs)
    assert python <= c
