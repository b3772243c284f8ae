"""One run of `ebee run`: packets in, counts and events out, tables at the end."""

from __future__ import annotations

import math
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from operator import gt
from typing import TYPE_CHECKING, Any

import click

from ebee import hooks
from ebee.cli import report
from ebee.cli.companion import Companion
from ebee.cli.events import EventReader
from ebee.errors import CaptureError, ConfigError, KernelError

if TYPE_CHECKING:
    from ebee.cli.engines import Engine, Ran
    from ebee.machine.capture import Batch, Capture, CaptureWriter
    from ebee.obj.handles import Object

POLL = 0.05
"""Seconds between two looks at events and rules."""

LINES = 20
"""Events shown of one look; a flood of them would be of no use to anybody."""


class Session:
    """Counts what happens and shows it. `options` are those of the command."""

    def __init__(
        self, file: str, loaded: Object, program: str, engine: Engine, companion: Companion,
        options: dict[str, Any],
    ):  # fmt: skip
        self.file, self.loaded, self.program = file, loaded, loaded.programs[program]
        self.engine, self.companion, self.options = engine, companion, options
        self.packets: Counter[str] = Counter()
        self.bytes: Counter[str] = Counter()
        self.cut = 0
        self.seconds = 0.0
        self.events: list[Any] = []
        self.event_count = 0
        self.runs: tuple[int, int] | None = None
        """What the kernel counted on an interface: runs, and ns that they took."""
        self.readers = EventReader.all(loaded)
        hook = hooks.by_name(self.program.hook)
        self._names = {v & 0xFFFF_FFFF: n for n, v in (hook.returns if hook else {}).items()}

    # -- a capture ---------------------------------------------------------------------------------

    def replay(self) -> bool:
        """Every packet of a capture through the program; False when Ctrl-C came in between."""
        from ebee.machine.capture import Capture, CaptureWriter

        path, target = self.options["pcap"], self.options["out"]
        with Capture.open(path) as capture, ExitStack() as stack:
            _check_ethernet(capture)
            out = None
            if target:
                with suppress(OSError):
                    if os.path.samefile(path, target):
                        raise ConfigError(f"--out {target} is the capture that is being read")
                out = stack.enter_context(CaptureWriter(target))
            progress = stack.enter_context(_Progress())
            begin = time.perf_counter()
            try:
                for batch in capture.batches():
                    _check_ethernet(capture)
                    for _ in self._replay(batch, out):
                        progress.advance(capture.progress, self.total)
                    if self.total == self.options["limit"]:
                        break
            except KeyboardInterrupt:
                return False
            finally:
                self.seconds = time.perf_counter() - begin
                self.drain()
        return True

    def _replay(self, batch: Batch, out: CaptureWriter | None) -> Iterator[None]:
        """The packets of a batch, up to the limit, in steps of at most some 50 ms."""
        limit = self.options["limit"]
        stop = len(batch) if limit is None else min(len(batch), limit - self.total)
        first = 0
        while first < stop:
            ran = self.engine.run(batch, first, stop, out is not None)
            for value, packets in ran.packets.items():
                self.packets[self.verdict(value)] += packets
                self.bytes[self.verdict(value)] += ran.octets[value]
            if out is not None:
                self._write(batch, first, ran, out)
            first += ran.count
            self.drain()
            self.companion.follow(self.loaded.maps)
            yield
        self.cut += sum(map(gt, batch.orig_lens[:stop], batch.lengths[:stop]))

    def _write(self, batch: Batch, first: int, ran: Ran, out: CaptureWriter) -> None:
        for at, (value, data) in enumerate(ran.kept, first):
            missing = max(batch.orig_lens[at] - batch.lengths[at], 0)
            comment = self.verdict(value) if out.format == "pcapng" else ""
            out.write(data, batch.stamps[at], len(data) + missing, comment)

    def verdict(self, value: int | None) -> str:
        """The name of a return value."""
        if value is None:
            return "not run"
        return self._names.get(value) or (f"unknown({value})" if self._names else str(value))

    @property
    def total(self) -> int:
        """Packets so far, with those that could not be run."""
        return sum(self.packets.values())

    # -- an interface ------------------------------------------------------------------------------

    def live(self, dev: str) -> bool:
        """Attach to an interface until the time is over, or Ctrl-C or SIGTERM comes."""
        duration, shown = self.options["duration"], not self.options["as_json"]
        mode = {"mode": self.options["mode"] or "auto"} if self.program.hook == "xdp" else {}
        begin = time.perf_counter()
        with self._counted(), _stoppable() as stopped, self.program.attach(dev, **mode) as link:
            if shown:
                until = f"for {duration:g} s" if duration else "until Ctrl-C"
                target = getattr(link, "target", dev)
                click.echo(f"{self.program.name} runs on {target} {until}", err=True)
            while not stopped and (duration is None or time.perf_counter() - begin < duration):
                self._wait()
                self.drain(show=shown)
                self.companion.follow(self.loaded.maps)
            self.seconds = time.perf_counter() - begin
        self.drain(show=shown)
        return True

    def _wait(self) -> None:
        if len(self.readers) == 1:
            self.readers[0].wait(POLL)
        else:
            time.sleep(POLL)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        """Have the kernel count the program's runs, where it can."""
        from ebee.linux.programs import enable_stats

        with ExitStack() as stack:
            counting = False
            with suppress(KernelError):  # before Linux 5.8, or CAP_SYS_ADMIN is missing
                stack.enter_context(enable_stats())
                counting = True
            yield
            if counting:
                info = self.program.info()  # type: ignore[attr-defined]
                self.runs = info.run_cnt, info.run_time_ns

    # -- what came out -----------------------------------------------------------------------------

    def drain(self, show: bool = False) -> None:
        """Take the events that are there."""
        lines = 0
        for reader in self.readers:
            missing = max(self.options["top"] - len(self.events), 0)
            events, count = reader.read(max(missing, LINES if show else 0))
            self.event_count += count
            self.events += events[:missing]
            for event in events[: max(LINES - lines, 0)] if show else ():
                click.echo(self.companion.event_line(event))
            lines += count
        if show and lines > LINES:
            click.echo(f"... and {report.plural(lines - LINES, 'more event')}")

    def finish(self) -> None:
        """The final tables, or one JSON document."""
        from ebee.cli import summary

        if self.options["as_json"]:
            report.print_json(summary.document(self))
        else:
            summary.show(self, stderr=self.options["out"] == "-")


def _check_ethernet(capture: Capture) -> None:
    """CaptureError unless all packets are Ethernet frames, as far as is known by now."""
    from ebee.machine.capture import ETHERNET, linktype_name

    if capture.interfaces and capture.linktype != ETHERNET:
        kind = linktype_name(capture.linktype)
        raise CaptureError(
            f"{capture.name}: its packets are of link type {kind}; programs take Ethernet frames"
        )


@contextmanager
def _stoppable() -> Iterator[list[int]]:
    """A list that the first SIGINT or SIGTERM fills; the next one does what it always did."""
    stopped: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def stop(number: int, _: object) -> None:
        stopped.append(number)
        restore()

    for number in before:
        signal.signal(number, stop)
    try:
        yield stopped
    finally:
        restore()


class _Progress:
    """A bar on standard error, if that is a terminal and it takes long enough to want one."""

    PATIENCE = 0.5
    """Seconds until it appears."""

    def __init__(self) -> None:
        self.begin = time.perf_counter() if report.is_terminal(stderr=True) else math.inf
        self.bar: Any = None

    def advance(self, share: float | None, packets: int) -> None:
        """So much of the capture is done (None: nobody knows), so many packets."""
        if self.bar is None and time.perf_counter() - self.begin > self.PATIENCE:
            from rich import progress

            self.bar = progress.Progress(
                progress.BarColumn(),
                progress.TaskProgressColumn(),
                progress.TextColumn("{task.fields[packets]:,} packets"),
                progress.TimeRemainingColumn(),
                console=report.console(stderr=True),
                transient=True,
            )
            self.task = self.bar.add_task("", total=None, packets=0)
            self.bar.start()
        if self.bar is not None:
            total = None if share is None else 1.0
            self.bar.update(self.task, total=total, completed=share or 0, packets=packets)

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.stop()
