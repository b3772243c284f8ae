"""`ebee new`: the beginning of a project: a program, tests for it, and how to run both."""

from __future__ import annotations

import keyword
from pathlib import Path
from textwrap import dedent
from typing import NamedTuple

import click

from ebee.errors import ConfigError


class Kind(NamedTuple):
    """A template: what the program is, and how it is tried out."""

    doc: str
    program: str
    tests: str
    run: str


HEAD = '''"""{name}: {doc}

{run}
"""

'''

XDP = Kind(
    "counts packets by protocol, and drops TCP to the ports that are blocked.",
    """from ebee import (  # isort: skip
    ETH_IP, TCP, TCP_PROTOCOL, XDP, Const, Ethernet, Hash, IPv4, PerCpuArray, RingBuf, XdpContext,
    struct, u8, u16, u32, u64, xdp,
)  # fmt: skip

LICENSE = "GPL"

log: Const[u8] = 1  # set before loading: --set log=0


@struct
class Counter:
    packets: u64
    bytes: u64


@struct
class Dropped:
    source: u32
    port: u16
    length: u16


protocols = PerCpuArray[Counter](max_entries=256)
blocked = Hash[u16, u8](max_entries=1024)  # the ports; user space fills it
dropped = RingBuf[Dropped](size=1 << 16)


@xdp
def {name}(ctx: XdpContext) -> XDP:
    packet = ctx.packet()
    length = packet.remaining()
    eth = packet.parse(Ethernet)
    if eth is None or eth.type != ETH_IP:
        return XDP.PASS
    ip = packet.parse(IPv4)
    if ip is None:
        return XDP.PASS
    counter = protocols.lookup(ip.protocol)
    if counter is not None:  # this CPU's own
        counter.packets += 1
        counter.bytes += length
    if ip.protocol != TCP_PROTOCOL:
        return XDP.PASS
    tcp = packet.parse(TCP)
    if tcp is None or blocked.lookup(tcp.destination) is None:
        return XDP.PASS
    if log:
        with dropped.reserve() as event:
            if event is not None:
                event.source = ip.source
                event.port = tcp.destination
                event.length = u16(length)
    return XDP.DROP
""",
    '''import struct
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import ebee
import pytest

PROGRAM = Path(__file__).parents[1] / "{name}.py"
PASS, DROP = ebee.XDP.PASS, ebee.XDP.DROP


def frame(protocol: int, port: int, source: str = "192.0.2.1") -> bytes:
    """An Ethernet frame with IPv4, and TCP or what begins as it does."""
    ends = ip_address(source).packed + ip_address("192.0.2.2").packed
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 40, 1, 0, 64, protocol, 0) + ends
    tcp = struct.pack("!HHIIHHHH", 40000, port, 1, 0, 0x5002, 1024, 0, 0)
    return bytes(12) + b"\\x08\\x00" + ip + tcp


@pytest.fixture(params=["machine", "linux"])
def {name}(request: pytest.FixtureRequest) -> Iterator[Any]:
    """The program in user space, and in the kernel where that is allowed."""
    try:
        with ebee.load(PROGRAM, on=request.param) as loaded:
            yield loaded
    except ebee.KernelError as error:
        pytest.skip(str(error))


def run(loaded: Any, *frames: bytes) -> list[int]:
    return [loaded.programs["{name}"].test_run(each).retval for each in frames]


def test_all_may_pass_until_ports_are_blocked({name}: Any) -> None:
    assert run({name}, frame(6, 80), frame(6, 22)) == [PASS, PASS]
    {name}.maps["blocked"][22] = 1
    assert run({name}, frame(6, 80), frame(6, 22), frame(17, 22)) == [PASS, DROP, PASS]


def test_packets_are_counted_by_protocol({name}: Any) -> None:
    run({name}, frame(6, 80), frame(17, 53), frame(17, 53), bytes(60))
    counters = {name}.maps["protocols"]
    assert counters[6].sum().packets == 1
    assert counters[17].sum() == {{"packets": 2, "bytes": 108}}


def test_what_is_dropped_is_told({name}: Any) -> None:
    {name}.maps["blocked"][22] = 1
    run({name}, frame(6, 22, source="198.51.100.7"))
    (event,) = {name}.events("dropped").read()
    assert (str(ip_address(event.source)), event.port) == ("198.51.100.7", 22)


def test_damaged_packets_do_no_harm({name}: Any) -> None:
    whole = frame(6, 80)
    assert set(run({name}, *(whole[:cut] for cut in range(14, len(whole))))) == {{PASS}}
''',
    """    ebee run {name}.py --pcap capture.pcapng      over a capture, in user space
    sudo ebee run {name}.py --dev eth0            on an interface; q or Ctrl-C ends
    sudo ebee run {name}.py --dev eth0 --reload   edit it while it runs""",
)

TC = Kind(
    "marks packets by their IP precedence, on their way out.",
    """from ebee import (  # isort: skip
    ETH_IP, TCX, Array, Ethernet, IPv4, SkbContext, atomic_add, tcx, u32, u64,
)  # fmt: skip

LICENSE = "GPL"

seen = Array[u64](max_entries=8)


@tcx("egress")
def {name}(ctx: SkbContext) -> TCX:
    packet = ctx.packet()
    eth = packet.parse(Ethernet)
    if eth is None or eth.type != ETH_IP:
        return TCX.NEXT
    ip = packet.parse(IPv4)
    if ip is None:
        return TCX.NEXT
    precedence = u32(ip.tos >> 5)
    ctx.mark = precedence
    count = seen.lookup(precedence)
    if count is not None:
        atomic_add(count[0], 1)
    return TCX.NEXT
""",
    '''import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ebee
import pytest

PROGRAM = Path(__file__).parents[1] / "{name}.py"
NEXT = ebee.TCX.NEXT & 0xFFFFFFFF


def frame(tos: int) -> bytes:
    """An Ethernet frame with IPv4 of a type of service."""
    ip = struct.pack("!BBHHHBBHII", 0x45, tos, 28, 1, 0, 64, 17, 0, 1, 2)
    return bytes(12) + b"\\x08\\x00" + ip + bytes(8)


@pytest.fixture
def {name}() -> Iterator[Any]:
    """The program in the kernel, where that is allowed."""
    try:
        with ebee.load(PROGRAM, on="linux") as loaded:
            yield loaded
    except ebee.KernelError as error:
        pytest.skip(str(error))


def test_it_compiles() -> None:
    spec = ebee.read(PROGRAM)
    assert spec.programs["{name}"].section == "tcx/egress"


def test_packets_are_counted_by_precedence({name}: Any) -> None:
    program = {name}.programs["{name}"]
    for tos in (0xE0, 0xE3, 0x20, 0x00):
        assert program.test_run(frame(tos)).retval == NEXT
    assert {{k: n for k, n in {name}.maps["seen"].items() if n}} == {{0: 1, 1: 1, 7: 2}}


def test_other_packets_are_left_alone({name}: Any) -> None:
    assert {name}.programs["{name}"].test_run(bytes(60)).retval == NEXT
    assert not any({name}.maps["seen"].values())
''',
    """    sudo ebee run {name}.py --dev eth0            on an interface; q or Ctrl-C ends
    sudo ebee run {name}.py --dev eth0 --reload   edit it while it runs""",
)

TRACEPOINT = Kind(
    "an event for every program that is started.",
    '''from typing import Literal

from ebee import RingBuf, array, bpf, char, i32, struct, tracepoint, u32, u64

LICENSE = "GPL"


@struct
class Record:
    """/sys/kernel/tracing/events/sched/sched_process_exec/format"""

    common: u64
    filename: u32
    pid: i32
    old_pid: i32


@struct
class Started:
    pid: i32
    user: u32
    name: array[char, Literal[16]]


started = RingBuf[Started](size=1 << 16)


@tracepoint("sched/sched_process_exec")
def {name}(ctx: Record) -> int:
    with started.reserve() as event:
        if event is not None:
            event.pid = ctx.pid
            event.user = u32(bpf.get_current_uid_gid())
            bpf.get_current_comm(event.name, 16)
    return 0


def main() -> None:
    """Run as a script: show who is started, until Ctrl-C."""
    import ebee

    with ebee.load(__file__, on="linux") as loaded, loaded.programs["{name}"].attach():
        for event in loaded.events("started"):
            print(f"{{event.pid:>8}}  uid {{event.user:<6}} {{event.name}}")


if __name__ == "__main__":
    main()
''',
    """import os
import subprocess
from pathlib import Path

import ebee
import pytest

PROGRAM = Path(__file__).parents[1] / "{name}.py"


def test_it_compiles() -> None:
    spec = ebee.read(PROGRAM)
    assert spec.programs["{name}"].section == "tracepoint/sched/sched_process_exec"


def test_programs_that_are_started_are_told() -> None:
    try:
        loaded = ebee.load(PROGRAM, on="linux")
        link = loaded.programs["{name}"].attach()
    except ebee.KernelError as error:
        pytest.skip(str(error))
    with loaded, link:
        child = subprocess.Popen(["true"])
        child.wait()
        found = next(e for e in loaded.events("started", timeout=5) if e.pid == child.pid)
    assert (found.user, found.name) == (os.getuid(), "true")
""",
    """    sudo python {name}.py                         who is started, until Ctrl-C""",
)

KINDS = {"xdp": XDP, "tc": TC, "tracepoint": TRACEPOINT}

MORE = """
    pytest  its tests; as root also in the kernel
    ebee build {name}.py  an object for any loader: {name}.bpf.o"""

README = """# {name}

An eBPF program: {doc}

{commands}

`{name}.py` is the program, `tests/test_{name}.py` tests it{where}. The tests
need pytest: `pip install pytest`.
"""

PYPROJECT = """[project]
name = "{name}"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = ["ebee"]

[project.optional-dependencies]
test = ["pytest>=8"]

[tool.pytest.ini_options]
testpaths = ["tests"]

[tool.mypy]
strict = true
"""


@click.command()
@click.argument("name")
@click.option(
    "--kind",
    type=click.Choice(list(KINDS)),
    default="xdp",
    show_default=True,
    help="What it hooks into: packets that arrive, packets that leave, a tracepoint.",
)
def new(name: str, kind: str) -> None:
    """Begin a project in a new folder NAME: a program, tests that run, and how to go on.

    \b
    ebee new limiter
    ebee new watcher --kind tracepoint
    """
    folder = Path(name)
    word = folder.name.replace("-", "_")
    if not word.isidentifier() or keyword.iskeyword(word) or not word.isascii() or len(word) > 15:
        raise ConfigError(
            f"{folder.name!r} is no name for a program: letters, digits and _, at most 15,"
            " not beginning with a digit"
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{name} is there already, and it is not an empty folder")
    for path, text in files(word, KINDS[kind]).items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    click.echo(f"{name}: {', '.join(files(word, KINDS[kind]))}")
    click.echo(f"Next: cd {name}; pytest; and see README.md")


def files(name: str, kind: Kind) -> dict[str, str]:
    """The files of a project: path -> text."""
    run, commands = (_aligned(c.format(name=name)) for c in (kind.run, kind.run + MORE))
    where = "" if kind is XDP else ", as root"
    program, tests = (
        text.replace("{name}", name).replace("{{", "{").replace("}}", "}")
        for text in (kind.program, kind.tests)
    )
    said = {"name": name, "doc": kind.doc, "commands": commands, "where": where}
    return {
        f"{name}.py": HEAD.format(**said, run=dedent(run)) + program,
        f"tests/test_{name}.py": tests,
        "README.md": README.format(**said),
        "pyproject.toml": PYPROJECT.format(**said),
        ".gitignore": "__pycache__/\n.venv/\n*.bpf.o\n",
    }


def _aligned(text: str) -> str:
    """Lines `    command  what it does`, with what they do below each other."""
    rows = [line.strip().split("  ", 1) for line in text.splitlines()]
    width = max(len(command) for command, _ in rows)
    return "\n".join(f"    {command:{width}}   {does.strip()}" for command, does in rows)
