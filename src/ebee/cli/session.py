"""One run of `ebee run`: packets in, counts and events out, tables at the end."""

from __future__ import annotations

import os
import time
from bisect import bisect_right
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from operator import gt
from typing import TYPE_CHECKING, Any

import click

from ebee import hooks
from ebee.cli import report
from ebee.cli.companion import Companion
from ebee.cli.events import EventReader
from ebee.cli.progress import Control, Progress
from ebee.errors import CaptureError, ConfigError, EbeeError, KernelError

if TYPE_CHECKING:
    from ebee.cli.engines import Ran
    from ebee.cli.places import Loaded, Place
    from ebee.cli.reload import Sources
    from ebee.machine.capture import Batch, Capture, CaptureWriter
    from ebee.obj.spec import ObjectSpec

POLL = 0.05
"""Seconds between two looks at events, rules and sources."""

LINES = 20
"""Events shown of one look; a flood of them would be of no use to anybody."""

RECENT = 500
"""Lines of events that are kept for the live view."""


class Session:
    """Counts what happens and shows it. `options` are those of the command; `read` makes a spec of
    a file, as it is to be loaded. `watch`, where given, is called after each step, and then nothing
    is printed meanwhile."""

    def __init__(
        self, file: str, spec: ObjectSpec, names: Sequence[str], place: Place,
        options: dict[str, Any], read: Callable[[str], ObjectSpec],
    ):  # fmt: skip
        self.file, self.spec, self.names = file, spec, names
        self.place, self.options, self._read = place, options, read
        self.control = Control(options["speed"])
        self.watch: Callable[[Session], None] | None = None
        self.companion = Companion.of(file, options["config"])
        self.loaded: Loaded = place.load(spec, names, None, ())
        self.companion.update(self.loaded.object.maps)
        self.readers = EventReader.all(self.loaded.object)
        self.sources: Sources | None = None
        if options["reload"]:
            from ebee.cli.reload import Sources

            self.sources = Sources(file)
            self.sources.use(spec)
        self._links: dict[str, Any] = {}
        self._runs_before: dict[str, tuple[int, int]] = {}
        hook = hooks.by_name(spec.programs[names[0]].hook)
        self._names = {v & 0xFFFF_FFFF: n for n, v in (hook.returns if hook else {}).items()}
        self._begin_counting()

    def _begin_counting(self) -> None:
        self.packets: Counter[str] = Counter()
        self.bytes: Counter[str] = Counter()
        self.cut = 0
        self.seconds = 0.0
        self.share: float | None = None
        """How much of the capture is done."""
        self.state = "running"
        self.events: list[Any] = []
        self.event_count = 0
        self.recent: deque[tuple[float, str]] = deque(maxlen=RECENT)
        """Lines of the last events, with the time when they were read."""
        self.runs: dict[str, tuple[int, int]] | None = None
        """What the kernel counted of attached programs: runs, and ns that they took."""
        self._clock: int | None = None
        """Up to which time of the capture (ns) packets are due, when it is replayed slowly."""

    @property
    def program(self) -> Any:
        """The (first) program that runs now."""
        return self.loaded.program

    @property
    def source(self) -> str:
        """What it runs on: a capture, an interface, a control group, or its own hooks."""
        options = self.options
        return str(options["pcap"] or options["dev"] or options["cgroup"] or "its hooks")

    # -- a capture ---------------------------------------------------------------------------------

    def replay(self) -> bool:
        """Every packet of a capture through the program; False when it was ended before."""
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
            progress = stack.enter_context(Progress(self.watch is None))
            begin = time.perf_counter()
            try:
                read: float | None = 0.0
                for batch in capture.batches():
                    _check_ethernet(capture)
                    before, read = read, capture.progress
                    for done in self._replay(batch, out):
                        if read is not None and before is not None:
                            self.share = before + done * (read - before)
                        progress.advance(self.share, self.total)
                        self.seconds = self._ran_since(begin)
                        self.look()
                    if self.control.stopped or self.total == self.options["limit"]:
                        break
            except KeyboardInterrupt:
                self.control.stop()
            finally:
                self.seconds = self._ran_since(begin)
                self.drain()
                self.state = "finished"
        return not self.control.stopped

    def _ran_since(self, begin: float) -> float:
        return time.perf_counter() - begin - self.loaded.engine.apart

    def _replay(self, batch: Batch, out: CaptureWriter | None) -> Iterator[float]:
        """The packets of a batch, up to the limit, in steps of at most some 50 ms; gives the share
        that is done."""
        limit = self.options["limit"]
        stop = len(batch) if limit is None else min(len(batch), limit - self.total)
        first, clock = 0, time.perf_counter()
        while first < stop and not self.control.stopped:
            now = time.perf_counter()
            due = self._due(batch, first, stop, now - clock)
            clock = now
            if due > first:
                engine = self.loaded.engine
                ran = engine.run(batch, first, due, out is not None)
                for value, packets in ran.packets.items():
                    self.packets[self.verdict(value)] += packets
                    self.bytes[self.verdict(value)] += ran.octets[value]
                if out is not None:
                    self._write(batch, first, ran, out)
                first += ran.count
            yield first / stop
        self.cut += sum(map(gt, batch.orig_lens[:stop], batch.lengths[:stop]))

    def _due(self, batch: Batch, first: int, stop: int, passed: float) -> int:
        """Up to which packet it is time, after `passed` seconds; waits for a while if for none."""
        self.state = "paused" if self.control.paused else "running"
        speed, stamps = self.control.speed, batch.stamps
        if self.control.paused:
            self.control.sleep(POLL)
            return first
        if speed is None:
            self._clock = None
            return stop
        if self._clock is None:
            self._clock = stamps[first]
        else:
            self._clock += int(passed * speed * 1e9)
        due = bisect_right(stamps, self._clock, first, stop)
        if due == first:
            left = (stamps[first] - self._clock) / 1e9 / speed
            self.control.sleep(min(max(left, 0.001), POLL))
        return due

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

    def await_change(self) -> bool:
        """After a replay: wait until there is something to replay it for once more, with a new
        program or because somebody asked; False when stopped."""
        while not self.control.stopped:
            if self.reload(anew=True):
                return True
            if self.control.again:
                self.control.again = False
                self._replace(self.place.load(self.spec, self.names, None, ()), self.spec)
                self._begin_counting()
                return True
            self.look()
            self.control.sleep(POLL)
        return False

    # -- attached ----------------------------------------------------------------------------------

    def live(self) -> bool:
        """Attach until the time is over, or Ctrl-C or SIGTERM comes."""
        duration, quiet = self.options["duration"], self.options["as_json"] or self.watch
        begin = time.perf_counter()
        with ExitStack() as stack:
            stack.enter_context(self._counted())
            stack.enter_context(self.control.on_signals())
            stack.callback(self._detach)
            self._links = self._attach(self.loaded)
            if not quiet:
                until = f"for {duration:g} s" if duration else "until Ctrl-C"
                for name, link in self._links.items():
                    target = getattr(link, "target", self.source)
                    click.echo(f"{name} runs on {target} {until}", err=True)
            while not self.control.stopped and (duration is None or self.seconds < duration):
                self._wait()
                self.look(show=not quiet)
                self.seconds = time.perf_counter() - begin
            self.seconds = time.perf_counter() - begin
        self.state = "finished"
        self.drain(show=not quiet)
        return True

    def _attach(self, loaded: Loaded) -> dict[str, Any]:
        """Put the programs into their places; the links are ours to close."""
        options, made = self.options, {}
        where = [target for target in (options["dev"], options["cgroup"]) if target]
        mode = options["dev"] and loaded.program.hook == "xdp"
        how = {"mode": options["mode"] or "auto"} if mode else {}
        try:
            for name in self.names:
                made[name] = loaded.object.programs[name].attach(*where, **how)
                loaded.object.release(made[name])  # type: ignore[attr-defined]
        except BaseException:
            for link in made.values():
                link.close()
            raise
        return made

    def _detach(self) -> None:
        self._count()
        for link in self._links.values():
            link.close()
        self._links = {}

    def _wait(self) -> None:
        if len(self.readers) == 1:
            self.readers[0].wait(POLL)
        else:
            self.control.sleep(POLL)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        """Have the kernel count the program's runs, where it can."""
        from ebee.linux.programs import enable_stats

        with ExitStack() as stack:
            with suppress(KernelError):  # before Linux 5.8, or CAP_SYS_ADMIN is missing
                stack.enter_context(enable_stats())
                self.runs = dict.fromkeys(self.names, (0, 0))
            yield

    def _count(self) -> None:
        """Take over what the kernel has counted."""
        for name in self.runs or ():
            info = self.loaded.object.programs[name].info()  # type: ignore[attr-defined]
            count, took = self._runs_before.get(name, (0, 0))
            self.runs[name] = count + info.run_cnt, took + info.run_time_ns  # type: ignore[index]
        if self.loaded.counted:
            from ebee.cli.counted import counts

            for value, (packets, octets) in counts(self.loaded.object.maps).items():
                self.packets[self.verdict(value)] = packets
                self.bytes[self.verdict(value)] = octets

    # -- meanwhile ---------------------------------------------------------------------------------

    def look(self, show: bool = False) -> None:
        """Look after everything else: events, rules, sources, and who watches."""
        self.drain(show)
        self.companion.follow(self.loaded.object.maps)
        if self.state != "finished":
            self.reload()
        if self.watch is not None:
            if self._links:
                self._count()
            self.watch(self)

    def drain(self, show: bool = False) -> None:
        """Take the events that are there."""
        lines, keep = 0, show or self.watch is not None
        for reader in self.readers:
            missing = max(self.options["top"] - len(self.events), 0)
            events, count = reader.read(max(missing, LINES if keep else 0))
            self.event_count += count
            self.events += events[:missing]
            for event in events[: max(LINES - lines, 0)] if keep else ():
                line = self.companion.event_line(event)
                self.recent.append((time.time(), line))
                if show:
                    click.echo(line)
            lines += count
        if show and lines > LINES:
            click.echo(f"... and {report.plural(lines - LINES, 'more event')}")

    def reload(self, anew: bool = False) -> bool:
        """Compile the source if it has changed, and put the new program in the place of this one,
        with the same maps, or with new ones (`anew`); whether that was done."""
        if self.sources is None or not self.sources.changed():
            return False
        from ebee.cli import reload

        try:
            spec, took = reload.read_again(self.file, self._read)
            for name in self.names:
                reload.check_replaceable(self.spec, spec, name)
            fate = reload.fate(self.spec, spec)
            keep = () if anew else fate.kept
            self._replace(self.place.load(spec, self.names, self.loaded, keep), spec,
                          () if anew else fate.values)  # fmt: skip
        except EbeeError as error:
            self.sources.use(None)
            report.warn(f"{error}\nthe program that runs stays as it is")
            return False
        self.sources.use(spec)
        if anew:
            self._begin_counting()
        maps = "" if anew else f"; {fate}"
        report.warn(f"{report.path(self.file)} has changed: compiled in {took:.2f} s{maps}")
        return True

    def _replace(self, new: Loaded, spec: ObjectSpec, carried: Sequence[str] = ()) -> None:
        """Have a new program go on where this one is."""
        from ebee.cli.reload import carry_over

        old = self.loaded
        try:
            self.companion.renew()
            self.companion.update(new.object.maps)
            carry_over(carried, old.object, new.object)
            self._switch(new)
        except BaseException:
            self.place.retire(new, old)
            raise
        if self.runs is not None:
            self._count()
            self._runs_before = dict(self.runs)
        self.drain(show=bool(self._links) and self.watch is None)
        new.engine.not_run = old.engine.not_run
        self.place.retire(old, new)
        self.loaded, self.spec = new, spec
        self.readers = EventReader.all(new.object)

    def _switch(self, new: Loaded) -> None:
        """Put new programs in the places of the old ones: in one step where the kernel can. At
        other hooks both are there for a moment, so nothing is missed."""
        if self.options["dev"] or self.options["cgroup"]:
            for name, link in self._links.items():
                link.update(new.object.programs[name].raw)  # type: ignore[attr-defined]
        elif self._links:
            fresh = self._attach(new)
            for link in self._links.values():
                link.close()
            self._links = fresh


def _check_ethernet(capture: Capture) -> None:
    """CaptureError unless all packets are Ethernet frames, as far as is known by now."""
    from ebee.machine.capture import ETHERNET, linktype_name

    if capture.interfaces and capture.linktype != ETHERNET:
        kind = linktype_name(capture.linktype)
        raise CaptureError(
            f"{capture.name}: its packets are of link type {kind}; programs take Ethernet frames"
        )
