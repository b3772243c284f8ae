"""`make demo`: a firewall in Python over captures, and as root in the kernel, on real traffic.

The traffic is between two network namespaces that are made for it, joined by a veth pair, and are
gone afterwards. Nothing else of the machine is touched.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

ROOT = Path(__file__).resolve().parents[1]
PROGRAM, RULES = "examples/firewall.py", "examples/firewall.toml"
EXCERPT = "def decide", "def firewall"
"""What is shown of the program: the function that decides."""
CAPTURES = {"examples/data/web.pcapng": "5", "examples/data/flood.pcap.gz": "3"}
"""Captures, and how many entries of maps to show."""
CAPTURES_MANY = ("many.pcap", "examples/data/web.pcapng", 500)
"""A capture to be made: its name, whose packets, and how often."""
EBEE = [sys.executable, "-c", "from ebee.cli import main; main()"]

SERVER, FRIEND, OFFENDER = "192.0.2.10", "198.51.100.7", "203.0.113.66"
TRIES = (
    # source, protocol, port, what the rules say about it
    (FRIEND, "tcp", 80, "pass", "rule web"),
    (FRIEND, "udp", 53, "pass", "rule dns"),
    (FRIEND, "tcp", 22, "drop", "nothing lets it in: default"),
    (FRIEND, "udp", 123, "drop", "nothing lets it in: default"),
    (OFFENDER, "tcp", 80, "drop", "rule blocklist"),
)
NEW_RULE = '[rule.ssh]\nprotocol = "tcp"\nport = 22\naction = "pass"\n'
PATIENCE = 0.6
"""Seconds until a packet without an answer counts as dropped."""

CLONE_NEWNET = 0x40000000


# -- showing ---------------------------------------------------------------------------------------


def title(text: str) -> None:
    click.secho(f"\n{text}\n{'─' * len(text)}", fg="yellow", bold=True)


def say(text: str) -> None:
    click.echo(text)
    sys.stdout.flush()


def prompt(words: list[str]) -> None:
    say(click.style("$ ", dim=True) + click.style(" ".join(["ebee", *words]), bold=True))


def ebee(*words: str) -> None:
    """Run a command of ebee's before everybody's eyes."""
    prompt(list(words))
    done = subprocess.run([*EBEE, *words])
    if done.returncode:
        raise SystemExit(f"demo: ebee {words[0]} ended with status {done.returncode}")


def ebee_json(*words: str) -> dict[str, Any]:
    """Run a command of ebee's for its result; SystemExit with its own words when it fails."""
    done = subprocess.run([*EBEE, *words, "--json"], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr.strip())
    found: dict[str, Any] = json.loads(done.stdout)
    return found


# -- the parts -------------------------------------------------------------------------------------


def the_program() -> None:
    """The heart of the source, and the object that it becomes."""
    title("An XDP firewall in Python becomes a standard BPF object")
    text = (ROOT / PROGRAM).read_text()
    start, end = (text.index(mark) for mark in EXCERPT)
    source = "@func\n" + text[start:end].rpartition("\n\n\n")[0]
    try:
        from rich.console import Console
        from rich.syntax import Syntax

        Console(width=104).print(
            Syntax(source, "python", theme="ansi_dark", background_color="default")
        )
    except ImportError:
        say(source)
    say("")
    ebee("build", PROGRAM)
    ebee("check", "firewall.bpf.o")


def engines() -> None:
    """The same packets, many times over, on both engines: packets a second."""
    title("How fast: the machine's two engines")
    capture = CAPTURES_MANY[0]
    many(Path(capture))
    words = ["run", PROGRAM, "--pcap", capture, "--config", RULES]
    for engine, limit in (("interpreter", 389), ("jit", None)):
        more = [*words, "--engine", engine, *(["--limit", str(limit)] if limit else [])]
        prompt(more)
        made = ebee_json(*more, "--top", "0")
        rate = made["packets"] / made["seconds"]
        counts = ", ".join(f"{v['packets']:,} {k}" for k, v in made["verdicts"].items())
        shown = click.style(f"{rate:,.0f} packets/s", fg="green", bold=True)
        say(f"  {made['packets']:,} packets ({counts}) in {made['seconds']:.2f} s: {shown}")


def many(target: Path) -> None:
    """A capture with the packets of another one, over and over."""
    from ebee import Capture, CaptureWriter

    source, times = CAPTURES_MANY[1:]
    with Capture.open(source) as capture:
        packets = [(p.data, p.ts_ns) for p in capture]
    length = packets[-1][1] - packets[0][1] + 1
    with CaptureWriter(target) as out:
        for turn in range(times):
            for data, stamp in packets:
                out.write(data, stamp + turn * length)


def over_captures() -> None:
    """The program on the machine."""
    for path, top in CAPTURES.items():
        title(f"A packet capture, in user space: {Path(path).name}")
        ebee("run", PROGRAM, "--pcap", path, "--config", RULES, "--top", top)


def in_the_kernel() -> None:
    """The same captures through BPF_PROG_TEST_RUN, compared with the machine."""
    title("The same program in the kernel: does it decide alike?")
    for path in CAPTURES:
        words = ["run", PROGRAM, "--pcap", path, "--config", RULES]
        prompt([*words, "--on", "linux"])
        kernel, machine = (ebee_json(*words, "--top", "100000", "--on", on)
                           for on in ("linux", "machine"))  # fmt: skip
        for result in (kernel, machine):
            for event in result["events"]["first"]:
                del event["time"]  # the kernel's is now, the machine's that of the capture
        if any(kernel[key] != machine[key] for key in ("verdicts", "tables", "events", "not_run")):
            raise SystemExit(f"demo: the machine and the kernel differ on {path}")
        counts = ", ".join(f"{v['packets']:,} {k}" for k, v in kernel["verdicts"].items())
        rows = sum(len(table["rows"]) for table in kernel["tables"])
        same = click.style("the same", fg="green", bold=True)
        say(f"  {counts}; {kernel['events']['count']:,} events, {rows:,} counters: {same}")


def on_real_traffic() -> None:
    """The program attached to an interface, with clients and a server around it."""
    title("Attached to a network interface, between real sockets")
    with contextlib.ExitStack() as stack:
        net = stack.enter_context(network())
        rules = Path("rules.toml")
        shutil.copy(ROOT / RULES, rules)
        stack.enter_context(servers(net["server"], {22, 80}, {53, 123}))
        words = [
            "run",
            PROGRAM,
            "--dev",
            "server0",
            "--config",
            str(rules),
            "--top",
            "4",
            "--plain",
        ]
        prompt(words)
        firewall = stack.enter_context(attached(net["server"], words))
        wrong = [t for t in TRIES if attempt(net["client"], *t) != t[3]]
        say(click.style("  # the rules change while it runs: ssh is welcome now", dim=True))
        rules.write_text(rules.read_text() + NEW_RULE)
        time.sleep(0.3)
        last = (FRIEND, "tcp", 22, "pass", "rule ssh, new")
        wrong += [last] if attempt(net["client"], *last) != "pass" else []
        firewall.send_signal(signal.SIGINT)
        firewall.wait(10)
        if wrong:
            raise SystemExit(f"demo: not as the rules say: {wrong}")


# -- namespaces, servers, clients ------------------------------------------------------------------


def ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"demo: ip {' '.join(words)}: {done.stderr.strip()}")


@contextlib.contextmanager
def network() -> Iterator[dict[str, str]]:
    """Namespaces of a server and of clients, joined; by their names."""
    names = {side: f"ebee-demo-{os.getpid()}-{side}" for side in ("server", "client")}
    addresses = {"server": [f"{SERVER}/24"], "client": [f"{FRIEND}/24", f"{OFFENDER}/24"]}
    try:
        for name in names.values():
            ip("netns", "add", name)
        ip("link", "add", "server0", "netns", names["server"], "type", "veth",
           "peer", "name", "client0", "netns", names["client"])  # fmt: skip
        for side, name in names.items():
            for address in addresses[side]:
                ip("-n", name, "address", "add", address, "dev", f"{side}0")
            ip("-n", name, "link", "set", f"{side}0", "up")
        for side, other in (("server", "client"), ("client", "server")):
            for address in addresses[other]:
                host = address.partition("/")[0]
                ip("-n", names[side], "route", "add", host, "dev", f"{side}0")
        yield names
    finally:
        for name in names.values():
            subprocess.run(["ip", "netns", "del", name], capture_output=True)


@contextlib.contextmanager
def inside(netns: str) -> Iterator[None]:
    """This thread in a network namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/thread-self/ns/net") as home, open(f"/run/netns/{netns}") as other:
        if libc.setns(other.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"cannot enter network namespace {netns}")
        try:
            yield
        finally:
            libc.setns(home.fileno(), CLONE_NEWNET)


@contextlib.contextmanager
def servers(netns: str, tcp: set[int], udp: set[int]) -> Iterator[None]:
    """A server that greets on each of these ports."""
    with contextlib.ExitStack() as stack:
        with inside(netns):
            for kind, ports in ((socket.SOCK_STREAM, tcp), (socket.SOCK_DGRAM, udp)):
                for port in ports:
                    made = stack.enter_context(socket.socket(socket.AF_INET, kind))
                    made.bind((SERVER, port))
                    threading.Thread(target=greet, args=(made,), daemon=True).start()
        yield


def greet(listener: socket.socket) -> None:
    """Answer everybody until the socket is closed."""
    with contextlib.suppress(OSError):
        if listener.type == socket.SOCK_STREAM:
            listener.listen()
        while True:
            if listener.type == socket.SOCK_STREAM:
                connection, _ = listener.accept()
                with connection:
                    connection.sendall(b"hello")
            else:
                _, sender = listener.recvfrom(100)
                listener.sendto(b"hello", sender)


@contextlib.contextmanager
def attached(netns: str, words: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """`ebee run --dev` in a namespace, as soon as it has said that it is attached."""
    said, heard = os.pipe()
    process = subprocess.Popen(["ip", "netns", "exec", netns, *EBEE, *words], stderr=heard)
    os.close(heard)
    try:
        with os.fdopen(said) as lines:
            first = lines.readline()
            say(f"  {first.strip()}")
            if " runs on " not in first:
                raise SystemExit(lines.read().strip() or "demo: the firewall did not start")
            threading.Thread(target=pass_on, args=(lines,), daemon=True).start()
            yield process
    finally:
        process.kill()
        process.wait()


def pass_on(lines: Any) -> None:
    """What the firewall says further."""
    with contextlib.suppress(ValueError, OSError):
        for line in lines:
            if line.strip():
                say(f"  {line.strip()}")


def attempt(netns: str, source: str, protocol: str, port: int, expected: str, why: str) -> str:
    """One client: "pass" if the server answers, else "drop"."""
    kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
    with inside(netns), socket.socket(socket.AF_INET, kind) as client:
        client.settimeout(PATIENCE)
        client.bind((source, 0))
        begin = time.perf_counter()
        try:
            client.connect((SERVER, port))
            if protocol == "udp":
                client.send(b"hello?")
            answer = client.recv(100)
        except OSError:
            answer = b""
        took = (time.perf_counter() - begin) * 1e3
    verdict = "pass" if answer else "drop"
    colour = "green" if verdict == "pass" else "red"
    time.sleep(0.1)  # the firewall's own line, if it has one, comes first
    result = f"answered in {took:.1f} ms" if answer else "no answer"
    say(f"  {source} {protocol} {port:<4} {click.style(f'{verdict:5}', fg=colour, bold=True)}"
        f" {result:20} {click.style(why, dim=True)}")  # fmt: skip
    return verdict


def main() -> None:
    """The whole show."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that everything is cleaned up
    begin = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="ebee-demo-") as folder:
        os.chdir(folder)  # what is built goes there
        Path("examples").symlink_to(ROOT / "examples")
        the_program()
        over_captures()
        engines()
        if os.geteuid() == 0:
            in_the_kernel()
            on_real_traffic()
        else:
            say(f"\nAs root there is more: sudo {sys.executable} {Path(__file__).resolve()}")
        os.chdir(ROOT)
    say(f"\nThat was the demo, in {time.perf_counter() - begin:.0f} s."
        " What else there is: ebee --help, README.md")  # fmt: skip


if __name__ == "__main__":
    main()
