"""What a long run shows while it lasts, and how it is stopped in good order."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ebee.cli import report


class Progress:
    """A bar on standard error, if that is a terminal and it takes long enough to want one."""

    PATIENCE = 0.5
    """Seconds until it appears."""

    def __init__(self, wanted: bool = True) -> None:
        wanted = wanted and report.is_terminal(stderr=True)
        self.begin = time.perf_counter() if wanted else math.inf
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

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.stop()


class Control:
    """What the person at the keyboard asks of a run; set from any thread. `speed` is that of a
    replay: 1.0 is as it was recorded, None as fast as it goes. `again`: replay once more."""

    def __init__(self, speed: float | None = None):
        self.speed = speed
        self.paused = self.again = False
        self._stop = threading.Event()

    @property
    def stopped(self) -> bool:
        """Whether the run shall end."""
        return self._stop.is_set()

    def stop(self) -> None:
        """End the run as soon as it looks."""
        self._stop.set()

    def sleep(self, seconds: float) -> None:
        """Do nothing, until stopped."""
        self._stop.wait(seconds)

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """The first SIGINT or SIGTERM stops the run, the next one does what it always did. Other
        threads than the main one get no signals: nothing happens there."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

        def restore() -> None:
            for number, handler in before.items():
                signal.signal(number, handler)

        def stop(_number: int, _frame: object) -> None:
            self.stop()
            restore()

        for number in before:
            signal.signal(number, stop)
        try:
            yield
        finally:
            restore()
