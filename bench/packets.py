"""Packets: what one call costs, rates from memory, replay of capture files."""

from __future__ import annotations

import ctypes
import importlib.util
import random
import socket
import struct
import sys
from array import array
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from time import process_time
from typing import Any

from ebee.machine.capture import Capture, CaptureWriter
from ebee.machine.jit.batch import PacketBatch
from ebee.machine.machine import Machine, MachineObject, MachineProgram

from .build import EXAMPLES, O2, Builder, entry
from .measure import FULL, QUICK, Disagreement, Engine, Figure, Plan, best, measure, pinned
from .report import Report

SIZE = 64
COUNT = 1 << 15
FLOWS = 4096
"""Distinct packets; a batch goes through them again and again, so that they come from the cache."""
SERVER = "192.0.2.10"
XDP_PASS = 2

REPLAY = {64: 40.0, 512: 15.0, 1500: 5.0}
"""Bytes of a packet -> million packets a second asked for."""
REPLAY_BYTES = 64 << 20


# -- packets ---------------------------------------------------------------------------------------


def frame(
    source: int, port: int, size: int = SIZE, protocol: int = 6, target: str = SERVER
) -> bytes:
    """An Ethernet frame with an IPv4 packet of TCP or UDP to a port."""
    ip = struct.pack(
        ">BBHHHBBHI4s", 0x45, 0, size - 14, 0, 0x4000, 64, protocol, 0, source,
        socket.inet_aton(target),
    )  # fmt: skip
    transport = struct.pack(">HHIIBBH", 40000, port, 0, 0, 0x50, 0x10, 1024)
    return (bytes(12) + b"\x08\x00" + ip + transport).ljust(size, b"\0")


def web(flows: int = FLOWS) -> list[bytes]:
    """What the firewall lets pass: requests to the web server from many clients."""
    first = int.from_bytes(socket.inet_aton("198.51.100.0"), "big")
    return [frame(first + i % 1024, (80, 443)[i % 2]) for i in range(flows)]


def mixed(flows: int = FLOWS) -> list[bytes]:
    """The same, and in ten packets one from a blocked network and two that nothing lets in."""
    bad = int.from_bytes(socket.inet_aton("203.0.113.0"), "big")
    packets = web(flows)
    for i in range(0, flows, 10):
        packets[i] = frame(bad + i % 256, 443)
        packets[i + 1 : i + 3] = [frame(bad ^ 1 << 20, port) for port in (22, 25)]
    random.Random(1).shuffle(packets)
    return packets[:flows]


def batch_of(packets: Sequence[bytes], count: int = COUNT) -> PacketBatch:
    """`count` packets, taken in turn from those given, side by side in memory."""
    starts, at = [], 0
    for p in packets:
        starts.append(at)
        at += len(p)
    picks = [i % len(packets) for i in range(count)]
    return PacketBatch(
        b"".join(packets),
        array("Q", [starts[i] for i in picks]),
        array("I", [len(packets[i]) for i in picks]),
        array("Q", range(count)),
    )


def batch_engine(program: MachineProgram, batch: PacketBatch, trusted: bool = True) -> Engine:
    """A batch from its start to its end."""

    def run(n: int) -> int:
        total = 0
        for _ in range(n):
            _play(program, batch, trusted)
            total += batch.verdicts[0] + batch.verdicts[-1]
        return total

    return Engine(run, len(batch))


def firewall(machine: Machine, builder: Builder) -> MachineObject:
    """The example firewall with its example rules."""
    loaded = machine.load(builder.example("firewall"))
    rules = companion()
    rules.apply(loaded.maps, rules.load(EXAMPLES / "firewall.toml"))
    return loaded


def companion() -> Any:
    """examples/firewall_rules.py."""
    name = "firewall_rules"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


# -- suites ----------------------------------------------------------------------------------------


def calls(report: Report, builder: Builder, quick: bool) -> None:
    """What it costs to get into a program and out again."""
    plan = QUICK if quick else FULL
    packets = web()
    with pinned(), Machine(clock=0, seed=0) as machine:
        program = next(iter(machine.load(builder.small("empty")).programs.values()))
        compiled, cpu = program.compiled(trusted=True), machine.cpus[0]
        cpu.put_packet(packets[0])
        once, block = compiled.once, cpu.address

        def one_by_one(n: int) -> int:
            return sum(once(block) for _ in range(n))

        engines = {
            "a call through ctypes": Engine(one_by_one),
            "test_run (the interpreter)": Engine(
                lambda n: sum(program.test_run(packets[0]).retval for _ in range(n))
            ),
        }
        figures = measure(engines, plan, "empty")
        for count in (1024, COUNT):
            work = {"": batch_engine(program, batch_of(packets, count))}
            figures[f"each of a batch of {count:,}"] = measure(work, plan, "empty")[""]
    report.numbers["calls"] = {name: f.ns for name, f in figures.items()}
    report.table(
        "An empty program on packets of 64 bytes",
        ["entered by", "ns"],
        [[name, f.ns] for name, f in figures.items()],
    )


def rates(report: Report, builder: Builder, quick: bool) -> None:
    """Whole programs over packets in memory, on one core."""
    plan = QUICK if quick else Plan(1e-3, 200)
    with pinned():
        found = {
            "five-tuple parser": _parser(builder, plan),
            "firewall, packets that pass": _firewall(builder, plan, web()),
            "firewall, 30 % dropped": _firewall(builder, plan, mixed()),
        }
    rate = {name: {e: 1e3 / f.ns for e, f in figs.items()} for name, figs in found.items()}
    report.numbers["rates"] = rate
    columns = list(dict.fromkeys(e for figures in rate.values() for e in figures))
    report.table(
        f"Packets of {SIZE} bytes from memory, million a second on one core",
        ["program", *columns],
        [[name, *(figures.get(e) for e in columns)] for name, figures in rate.items()],
        "C: the parser at -O2 over the same packets, where they are; C, framed: each copied into a"
        " frame first.",
    )
    parser = rate["five-tuple parser"]
    report.judge("parser in a batch beside framed C", parser["trusted"] / parser["C, framed"],
                 ">=", 0.9)  # fmt: skip
    report.judge("parser in a batch beside C in place", parser["trusted"] / parser["C"], ">=", 0.9)
    passing = rate["firewall, packets that pass"]
    report.judge("firewall", passing["trusted"], ">=", 10, " million packets a second")


def _parser(builder: Builder, plan: Plan) -> dict[str, Figure]:
    packets = web()
    with Machine(clock=0, seed=0) as machine:
        program = next(iter(machine.load(builder.small("parse5")).programs.values()))
        work = batch_of(packets)
        engines = {
            "C": _native_parser(builder, packets, framed=False),
            "C, framed": _native_parser(builder, packets, framed=True),
            "trusted": batch_engine(program, work),
            "checked": batch_engine(program, work, trusted=False),
        }
        return measure(engines, plan, "parse5")


def _native_parser(builder: Builder, packets: Sequence[bytes], framed: bool) -> Engine:
    lib, driver, batch = builder.small_native("parse5", O2), builder.driver, batch_of(packets)
    data = (ctypes.c_char * len(batch.data)).from_buffer_copy(batch.data)
    arrays = [a.buffer_info()[0] for a in (batch.offsets, batch.lengths)]
    arguments = (entry(lib), data, *arrays, len(batch), batch.verdicts.buffer_info()[0])
    room = ctypes.create_string_buffer(1 << 12)

    def run(n: int) -> int:
        total = 0
        for _ in range(n):
            if framed:
                driver.call_frames(*arguments, room)
            else:
                driver.call_packets(*arguments)
            total += batch.verdicts[0] + batch.verdicts[-1]
        return total

    return Engine(run, len(batch))


def _firewall(builder: Builder, plan: Plan, packets: Sequence[bytes]) -> dict[str, Figure]:
    with Machine(clock=0, seed=0) as machine:
        program = firewall(machine, builder).programs["firewall"]
        work = batch_of(packets, COUNT // 2)
        engines = {
            name: batch_engine(program, work, trusted=name == "trusted")
            for name in ("trusted", "checked")
        }
        return measure(engines, plan, "firewall")


def replay(report: Report, builder: Builder, quick: bool) -> None:
    """A capture file in the page cache through a program that lets all pass."""
    rounds = 3 if quick else 40
    rows: dict[str, dict[str, float]] = {}
    with pinned(), Machine(clock=0, seed=0) as machine:
        program = next(iter(machine.load(builder.small("empty")).programs.values()))
        for size in REPLAY:
            rows[str(size)] = _replay(program, builder.folder / f"{size}.pcap", size, rounds)
    report.numbers["replay"] = rows
    columns = list(rows["64"])
    report.table(
        "Replay of a capture file from the page cache, million packets a second",
        ["bytes", *columns],
        [[size, *row.values()] for size, row in rows.items()],
        "indexing: finding the packets in the file; whole: from opening the file to the last"
        " verdict, batch by batch. These two in processor time, that of the system included.",
    )
    for size, asked in REPLAY.items():
        detail = f"of packets that are indexed already {rows[str(size)]['trusted']:.3g}"
        report.judge(f"replay of {size} bytes", rows[str(size)]["whole, trusted"], ">=", asked,
                     " million packets a second", detail)  # fmt: skip


def _replay(program: MachineProgram, path: Path, size: int, rounds: int) -> dict[str, float]:
    count = REPLAY_BYTES // (size + 16)
    frames = [frame(i, 443, size) for i in range(256)]
    with CaptureWriter(path) as out:
        for i in range(count):
            out.write(frames[i & 255], i)
    try:
        with Capture.open(path) as capture:
            index = capture.index
            batch = PacketBatch(index.buffer, index.offsets, index.lengths, index.stamps)
            took = {
                name: best(partial(_play, program, batch, trusted=name == "trusted"), rounds)
                for name in ("trusted", "checked")
            }
            if set(batch.verdicts) != {XDP_PASS}:
                raise Disagreement(f"a program that lets all pass gave {set(batch.verdicts)}")
        took["indexing"] = best(partial(_index, path), rounds // 2 or 1, process_time)
        for trusted in (True, False):
            whole = partial(_whole, program, path, count, trusted)
            took[f"whole, {'trusted' if trusted else 'checked'}"] = best(
                whole, rounds // 2 or 1, process_time
            )
        return {name: count / seconds / 1e6 for name, seconds in took.items()}
    finally:
        path.unlink()


def _whole(program: MachineProgram, path: Path, count: int, trusted: bool) -> None:
    """From opening a capture to the verdict on its last packet."""
    passed = 0
    with Capture.open(path) as capture:
        for found in capture.batches():
            batch = PacketBatch(found.buffer, found.offsets, found.lengths, found.stamps)
            _play(program, batch, trusted)
            passed += batch.actions[2 * XDP_PASS]
    if passed != count:
        raise Disagreement(f"of {count} packets {passed} passed")


def _play(program: MachineProgram, batch: PacketBatch, trusted: bool) -> None:
    batch.done = 0
    while program.run_batch(batch, trusted=trusted):
        pass


def _index(path: Path) -> None:
    with Capture.open(path) as capture:
        for found in capture.batches():
            len(found)
