"""`ebee run`: a program over a packet capture, on the machine or in the kernel, or live on an
interface."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ebee.cli import report
from ebee.cli.companion import Companion
from ebee.cli.source import choose_program, read_spec, set_variables
from ebee.errors import CaptureError, ConfigError, EbeeError

if TYPE_CHECKING:
    from ebee.machine.capture import Capture, CaptureWriter
    from ebee.obj.handles import Object

ETHERNET = 1


@click.command()
@click.argument("file")
@click.option("--pcap", metavar="IN", help="Run over the packets of a capture (- for a pipe).")
@click.option("--out", metavar="OUT", help="Write the packets, with their verdicts, to a capture.")
@click.option("--dev", metavar="IF", help="Attach to a network interface of this machine.")
@click.option("--on", type=click.Choice(["machine", "linux"]), help="Where to run.")
@click.option("--prog", metavar="NAME", help="Which program, where FILE has several.")
@click.option("--config", metavar="TOML", help="Rules for the program; taken over when changed.")
@click.option("--set", "assignments", multiple=True, metavar="VAR=N", help="Set a variable.")
@click.option("--mode", type=click.Choice(["auto", "native", "generic"]), default="auto",
              help="How --dev attaches.")  # fmt: skip
@click.option("--duration", type=float, metavar="S", help="Detach after S seconds.")
@click.option("--limit", type=int, metavar="N", help="Stop after N packets.")
@click.option("--cpus", type=click.IntRange(1, 256), default=1, help="CPUs of the machine.")
@click.option("--seed", type=int, help="Make the machine's random numbers repeatable.")
@click.option("--top", type=int, default=10, metavar="N", help="Entries shown of each map.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of tables.")
def run(file: str, **options: Any) -> None:
    """Run the program in FILE (C source or an object) over a capture, or attach it.

    \b
    ebee run firewall.c --pcap web.pcapng --config firewall.toml
    ebee run firewall.c --pcap web.pcapng --on linux     the kernel decides (as root)
    ebee run firewall.c --dev veth0                      live, until Ctrl-C
    """
    source, dev = options["pcap"], options["dev"]
    if (source is None) == (dev is None):
        raise ConfigError(
            "say what to run on: --pcap IN for a capture, or --dev IF for live packets"
        )
    on = options["on"] or ("machine" if source else "linux")
    if dev and on == "machine":
        raise ConfigError("--dev is an interface of the kernel; on the machine, use --pcap")
    if dev and options["out"]:
        raise ConfigError("--out goes with --pcap")
    spec = read_spec(file)
    set_variables(spec, options["assignments"])
    companion = Companion.of(file, options["config"])
    program = choose_program(spec, options["prog"], "xdp")
    with ExitStack() as stack:
        if on == "machine":
            from ebee.machine.machine import Machine

            machine = stack.enter_context(Machine(options["cpus"], seed=options["seed"]))
            loaded: Object = machine.load(spec)
        else:
            from ebee.linux.backend import load

            machine = None
            loaded = stack.enter_context(load(spec))
        companion.update(loaded.maps)
        session = Session(loaded, program.name, on, companion, options)
        if source:
            session.replay(source, machine)
        else:
            session.live(dev)
        session.finish()


class Session:
    """One run: counts what happens and shows it."""

    def __init__(
        self, loaded: Object, program: str, on: str, companion: Companion, options: dict[str, Any]
    ):
        self.loaded, self.program, self.on = loaded, loaded.programs[program], on
        self.companion, self.options = companion, options
        self.verdicts: Counter[str] = Counter()
        self.bytes: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.seconds = 0.0
        self.events: list[Any] = []
        self.event_count = 0
        from ebee.cli.events import EventReader

        self.readers = EventReader.all(loaded)

    # -- a capture ---------------------------------------------------------------------------------

    def replay(self, path: str, machine: Any) -> None:
        """Every packet of a capture through the program."""
        from ebee.machine.capture import Capture

        with Capture.open(path) as capture, ExitStack() as stack:
            if capture.linktype != ETHERNET:
                raise CaptureError(f"{path}: its packets are not Ethernet frames, which XDP takes")
            out = None
            if self.options["out"]:
                from ebee.machine.capture import CaptureWriter

                out = stack.enter_context(CaptureWriter(self.options["out"]))
            self._replay(capture, machine, out, stack)

    def _replay(
        self, capture: Capture, machine: Any, out: CaptureWriter | None, stack: ExitStack
    ) -> None:
        from ebee.machine.devices import action_name

        advance = stack.enter_context(_Progress(capture))
        limit = self.options["limit"]
        begin = time.perf_counter()
        for number, packet in enumerate(capture):
            if limit is not None and number >= limit:
                break
            if machine is not None:
                machine.set_clock(packet.ts_ns)
            try:
                result = self.program.test_run(bytes(packet.data))  # type: ignore[attr-defined]
            except EbeeError as e:
                if self.on == "machine":
                    raise
                self.refused[e.summary] += 1  # BPF_PROG_TEST_RUN takes no frames under 14 bytes
                continue
            verdict = action_name(result.retval)
            self.verdicts[verdict] += 1
            self.bytes[verdict] += len(packet.data)
            if out is not None:
                out.write(result.data, packet.ts_ns, comment=verdict)
            if number & 63 == 0:
                self.drain()
                self.companion.update(self.loaded.maps)
                advance(number)
        self.seconds = time.perf_counter() - begin
        self.drain()

    # -- an interface ------------------------------------------------------------------------------

    def live(self, dev: str) -> None:
        """Attach to an interface until the time is over or Ctrl-C comes."""
        duration = self.options["duration"]
        begin = time.perf_counter()
        with self.program.attach(dev, mode=self.options["mode"]):
            if not self.options["as_json"]:
                until = f"for {duration:g} s" if duration else "until Ctrl-C"
                click.echo(f"{self.program.name} runs on {dev} {until}", err=True)
            try:
                while duration is None or time.perf_counter() - begin < duration:
                    self.drain(show=not self.options["as_json"])
                    if self.companion.update(self.loaded.maps):
                        click.echo("rules changed", err=True)
                    time.sleep(0.05)
            except KeyboardInterrupt:
                click.echo("", err=True)
            self.drain()
        self.seconds = time.perf_counter() - begin

    # -- what came out -----------------------------------------------------------------------------

    def drain(self, show: bool = False) -> None:
        """Take the events that are there."""
        for reader in self.readers:
            for event in reader.read():
                self.event_count += 1
                if len(self.events) < self.options["top"]:
                    self.events.append(event)
                if show:
                    click.echo(self.companion.event_line(event))

    def finish(self) -> None:
        """The final tables, or one JSON document."""
        tables = self.companion.tables(self.loaded, self.options["top"])
        if self.options["as_json"]:
            report.print_json(self._json(tables))
            return
        total = sum(self.verdicts.values())
        if total:
            report.show(self._verdict_table(total))
        for reason, n in self.refused.items():
            report.show(f"{report.count(n)} packets were not run: {reason}")
        for title, columns, rows in tables:
            numbers = [i for i, c in enumerate(columns) if c in ("packets", "bytes", "value")]
            report.show(report.table(title, columns, rows, numbers))
        if self.events:
            title = f"Events (the first {len(self.events)} of {report.count(self.event_count)})"
            lines = [(self.companion.event_line(e),) for e in self.events]
            report.show(report.table(title, ("event",), lines))

    def _verdict_table(self, total: int) -> Any:
        where = "the machine" if self.on == "machine" else "the kernel"
        title = f"{self.program.name}: verdicts of {where}"
        rows = [
            (name, report.count(n), report.count(self.bytes[name]), f"{100 * n / total:.1f} %")
            for name, n in self.verdicts.most_common()
        ]
        octets = sum(self.bytes.values())
        rows.append(("total", report.count(total), report.count(octets), ""))
        made = report.table(title, ("verdict", "packets", "bytes", "share"), rows, (1, 2, 3))
        made.caption = f"{report.rate(total / max(self.seconds, 1e-9))} packets/s"
        return made

    def _json(self, tables: list[Any]) -> dict[str, Any]:
        return {
            "program": self.program.name,
            "on": self.on,
            "packets": sum(self.verdicts.values()),
            "seconds": round(self.seconds, 6),
            "verdicts": {
                name: {"packets": n, "bytes": self.bytes[name]} for name, n in self.verdicts.items()
            },
            "not_run": dict(self.refused),
            "tables": [
                {"title": title, "rows": [dict(zip(columns, row, strict=True)) for row in rows]}
                for title, columns, rows in tables
            ],
            "events": {"count": self.event_count, "first": self.events},
        }


class _Progress:
    """A bar on long captures, on a terminal; gives a function to tell it how far we are."""

    def __init__(self, capture: Capture):
        self.capture = capture
        self.bar: Any = None

    def __enter__(self) -> Any:
        import sys

        if not sys.stderr.isatty():
            return lambda number: None
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

        columns = (BarColumn(), MofNCompleteColumn(), "packets", TimeRemainingColumn())
        self.bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self.bar.start()
        total = None
        if isinstance(self.capture.name, str) and Path(self.capture.name).is_file():
            total = len(self.capture)
        task = self.bar.add_task("", total=total)
        return lambda number: self.bar.update(task, completed=number)

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.stop()
