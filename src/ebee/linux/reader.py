"""What all readers of the kernel's events share: waiting, iterating, callbacks, a clean stop."""

from __future__ import annotations

import errno
import os
import select
import signal
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

from ebee.errors import KernelError

if TYPE_CHECKING:
    from ebee.btf.codec import Codec

Self = TypeVar("Self", bound="Reader")


class Reader(ABC):
    """A reader of events.

        for record in reader: ...                # waits; ends with close() or stop()
        async for record in reader: ...          # the same, leaving the event loop free
        for event in reader.values(1.0): ...     # typed, until nothing came for a second
        reader.run(print, timeout=1.0)           # a callback for each

    A record is a memoryview of memory that is shared with the kernel, valid until the next one is
    asked for: after that it is released, and using it raises ValueError. `bytes(record)` keeps it.
    While a record is held its place is not given back: the kernel meets a full buffer rather than
    one that is overwritten, and what does not fit is counted (see `lost` of each reader).

    `codec` is the type of `values()`; without one, or where a record is too short for it, a value
    is the record's bytes. A reader belongs to the process that made it, and to one thread at a
    time; only `stop` may be called from anywhere, signal handlers included.
    """

    def __init__(self, codec: Codec | None = None):
        self.codec = codec
        self._pid = os.getpid()
        self._epoll = select.epoll()
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._epoll.register(self._wake, select.EPOLLIN)
        self._stopped = False

    # -- what each kind of reader does in its own way --------------------------------------------

    @abstractmethod
    def drain(self) -> Iterator[memoryview]:
        """The records that are there now, oldest first; ends without waiting."""

    @abstractmethod
    def read(self, limit: int | None = None) -> list[bytes]:
        """Copies of the records that are there now, `limit` at most."""

    @abstractmethod
    def _ready(self) -> bool:
        """Whether drain() would give something."""

    def _arm(self) -> None:  # noqa: B027  (most have nothing to do)
        """Called before the last look, and then waiting, so that no wake-up falls in between."""

    def read_values(self, limit: int | None = None) -> list[Any]:
        """The records that are there now as values, `limit` at most."""
        return [self.value(record) for record in self.read(limit)]

    def value(self, record: memoryview | bytes) -> Any:
        """A record as a value of the reader's type."""
        if self.codec is None or len(record) < self.codec.size:
            return bytes(record)
        return self.codec.decode_from(record)

    # -- waiting ---------------------------------------------------------------------------------

    @property
    def closed(self) -> bool:
        return self._epoll.closed

    @property
    def stopped(self) -> bool:
        """Whether stop() was called: iterations end once they have given what is there."""
        return self._stopped

    def stop(self) -> None:
        """End every iteration and wait, now and later; from any thread or signal handler."""
        self._stopped = True
        with suppress(OSError):  # closed, or told often enough
            os.eventfd_write(self._wake, 1)

    @contextmanager
    def stop_on(self, *signals: int) -> Iterator[None]:
        """Have signals (SIGINT and SIGTERM, unless others are named) stop the reader: iterations
        end after what is there by then. The second signal does what it always did. Only in the
        main thread."""
        numbers = signals or (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.getsignal(number) for number in numbers}

        def restore() -> None:
            for number, handler in before.items():
                signal.signal(number, handler)

        def stop(_number: int, _frame: object) -> None:
            restore()
            self.stop()

        for number in numbers:
            signal.signal(number, stop)
        try:
            yield
        finally:
            restore()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until a record can be read, at most `timeout` seconds; whether there is one.

        Signals whose handlers return do not end it, stop() does.
        """
        self._check()
        self._arm()
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self._ready():
            left = None if deadline is None else max(deadline - time.monotonic(), 0)
            if self._stopped or not self._poll(left):
                return not self.closed and self._ready()
        return True

    def _poll(self, timeout: float | None) -> Sequence[tuple[int, int]]:
        """What epoll says; nothing when another thread has closed the reader meanwhile."""
        try:
            return self._epoll.poll(timeout)
        except (OSError, ValueError):
            if self.closed:
                return ()
            raise

    def _check(self) -> None:
        if self.closed:
            raise KernelError("this reader is closed", errno.EBADF)
        if os.getpid() != self._pid:
            raise KernelError(
                f"this reader belongs to process {self._pid}: make one of your own after fork()",
                errno.EPERM,
            )

    def fileno(self) -> int:
        """A descriptor that is readable when there may be records, for event loops."""
        return self._epoll.fileno()

    # -- iterating -------------------------------------------------------------------------------

    def records(self, timeout: float | None = None) -> Iterator[memoryview]:
        """Every record, waiting for more; ends when the reader is stopped or closed, or when
        nothing came for `timeout` seconds."""
        while not self.closed:
            last = self._stopped
            yield from self.drain()
            if last or self.closed or not (self.wait(timeout) or self._stopped):
                return

    def values(self, timeout: float | None = None) -> Iterator[Any]:
        """Every record as a value; see records()."""
        while not self.closed:
            last = self._stopped
            while found := self.read_values(BLOCK):
                yield from found
            if last or self.closed or not (self.wait(timeout) or self._stopped):
                return

    def __iter__(self) -> Iterator[memoryview]:
        return self.records()

    def run(
        self,
        callback: Callable[[Any], object],
        *,
        timeout: float | None = None,
        typed: bool = True,
    ) -> int:
        """Call `callback` for every event until it returns False, the reader is stopped, or
        nothing came for `timeout` seconds; how many events there were.

        With `typed` false it is given records (memoryviews) in place of values.
        """
        count = 0
        while not self.closed:
            last, records = self._stopped, self.drain()
            for record in records:
                count += 1
                if callback(self.value(record) if typed else record) is False:
                    next(records, None)  # done with this one; the next one stays
                    return count
            if last or self.closed or not (self.wait(timeout) or self._stopped):
                break
        return count

    async def __aiter__(self) -> AsyncIterator[memoryview]:
        while not self.closed:
            last = self._stopped
            for record in self.drain():
                yield record
            if last or self.closed:
                return
            await self.async_wait()

    async def async_values(self, timeout: float | None = None) -> AsyncIterator[Any]:
        """values() for `async for`; between blocks the event loop has its turn, so a flood of
        events does not starve the other tasks."""
        import asyncio

        while not self.closed:
            last = self._stopped
            while found := self.read_values(BLOCK):
                for value in found:
                    yield value
                await asyncio.sleep(0)
            if last or self.closed or not (await self.async_wait(timeout) or self._stopped):
                return

    async def async_wait(self, timeout: float | None = None) -> bool:
        """wait() that leaves the event loop free."""
        import asyncio

        loop = asyncio.get_running_loop()
        deadline = None if timeout is None else loop.time() + timeout
        # Our epoll rather than the map: it is readable only once for each notification.
        while not (self.closed or self._stopped or self.wait(0)):
            left = None if deadline is None else deadline - loop.time()
            if left is not None and left <= 0:
                return False
            woken = asyncio.Event()
            fd = self.fileno()
            loop.add_reader(fd, woken.set)
            try:
                await asyncio.wait_for(woken.wait(), left)
            except TimeoutError:
                continue
            finally:
                loop.remove_reader(fd)
        return not self.closed and self._ready()

    # -- the end ---------------------------------------------------------------------------------

    def close(self) -> None:
        """Give the reader up; the map stays open."""
        if not self._epoll.closed:
            self._stopped = True
            self._epoll.close()
            os.close(self._wake)

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


BLOCK = 4096
"""How many values are made at once."""
