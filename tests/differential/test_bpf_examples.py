"""The small examples: on the machine and in the kernel, with packets made here, and the same
contents of their maps in both."""

import os
import socket
import struct
from pathlib import Path

import pytest

from ebee import linux
from ebee.cli.events import EventReader
from ebee.lang.bpf import build
from ebee.machine.machine import Machine

pytestmark = pytest.mark.differential

EXAMPLES = Path(__file__).parents[2] / "examples"
DROP, PASS = 1, 2


def ip4(protocol, payload, source="192.0.2.1", destination="192.0.2.2"):
    ends = socket.inet_aton(source) + socket.inet_aton(destination)
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), 1, 0, 64, protocol, 0)
    return bytes(12) + b"\x08\x00" + head + ends + payload


def tcp(port, **ends):
    return ip4(6, struct.pack("!HHIIHHHH", 40000, port, 1, 0, 0x5002, 1024, 0, 0), **ends)


def udp(port, data=b"", **ends):
    return ip4(17, struct.pack("!HHHH", 40000, port, 8 + len(data), 0) + data, **ends)


def dns(name):
    labels = b"".join(bytes([len(p)]) + p.encode() for p in name.split("."))
    return udp(53, struct.pack("!6H", 0x1234, 0x100, 1, 0, 0, 0) + labels + b"\0\0\1\0\1")


ARP = bytes(12) + b"\x08\x06" + bytes(46)
IPV6 = bytes(12) + b"\x86\xdd" + b"\x60" + bytes(5) + b"\x3a" + bytes(33) + bytes(8)


@pytest.fixture(params=["machine", "kernel"])
def load(request):
    """Compile and load an example on one of the backends."""
    if request.param == "kernel" and os.geteuid():
        pytest.skip("needs root")
    opened = []

    def run(name, **variables):
        spec = build.compile(EXAMPLES / f"{name}.py")
        for variable, value in variables.items():
            spec.variables[variable] = value
        if request.param == "kernel":
            opened.append(linux.load(spec))
        else:
            machine = Machine()
            opened.append(machine)
            return machine.load(spec)
        return opened[-1]

    yield run
    for thing in opened:
        thing.close()


def verdicts(loaded, program, *frames):
    return [loaded.programs[program].test_run(f).retval for f in frames]


def test_counter(load):
    loaded = load("counter")
    frames = [tcp(80), tcp(80), udp(53), IPV6, ARP, tcp(80)[:20]]
    assert verdicts(loaded, "counter", *frames) == [PASS] * 6
    found = {k: dict(v.sum()) for k, v in loaded.maps["protocols"].items() if v.sum()["packets"]}
    assert found == {
        6: {"packets": 2, "bytes": 108}, 17: {"packets": 1, "bytes": 42},
        58: {"packets": 1, "bytes": 62},
    }  # fmt: skip


def test_rate_limiter(load):
    loaded = load("rate_limiter", per_second=1, burst=3)
    assert verdicts(loaded, "rate_limiter", *[udp(1)] * 6) == [PASS] * 3 + [DROP] * 3
    assert verdicts(loaded, "rate_limiter", udp(1, source="192.0.2.9"), ARP) == [PASS, PASS]
    assert loaded.variables["dropped"].value == 3


def test_port_knocker(load):
    loaded = load("port_knocker")
    run = [tcp(p) for p in (22, 7000, 9000, 22, 7000, 8000, 9000, 22, 80)]
    expected = [DROP, DROP, DROP, DROP, DROP, DROP, DROP, PASS, PASS]
    assert verdicts(loaded, "port_knocker", *run) == expected
    assert verdicts(loaded, "port_knocker", tcp(22, source="192.0.2.7")) == [DROP]
    events, _ = EventReader(loaded, "events").read()
    assert [e["source"] for e in events] == [0xC0000201]


def test_dispatcher(load):
    loaded = load("dispatcher")
    assert set(verdicts(loaded, "dispatcher", tcp(1), IPV6, IPV6, ARP, bytes(60))) == {PASS}
    assert dict(loaded.maps["seen"]) == {0: 1, 1: 2, 2: 1, 3: 1}


def test_flow_table(load):
    loaded = load("flow_table")
    frames = [tcp(80), tcp(80), udp(53), ARP, ip4(1, bytes(8))]
    assert set(verdicts(loaded, "flow_table", *frames)) == {PASS}
    found = {(k["destination_port"], k["protocol"]): v for k, v in loaded.maps["flows"].items()}
    assert {k: (v["packets"], v["bytes"]) for k, v in found.items()} == {
        (80, 6): (2, 108), (53, 17): (1, 42),
    }  # fmt: skip
    assert found[80, 6]["last"] > found[80, 6]["first"] > 0


def test_dns_watcher(load):
    loaded = load("dns_watcher")
    names = ["example.com", "a.b.c", "x" * 30 + "." + "y" * 40]
    assert set(verdicts(loaded, "dns_watcher", *map(dns, names), udp(54), dns("a")[:50])) == {PASS}
    events, _ = EventReader(loaded, "questions").read()
    assert [e["name"] for e in events] == [*names[:2], names[2][:63]]
    assert {(e["id"], e["source"]) for e in events} == {(0x1234, 0xC0000201)}
