"""Reading the kernel's ring buffers: mapped memory, epoll, records without copying.

The layout is ebee.abi.ringbuf's. The kernel and we share memory without locks, so order matters:
the producer's position is read before headers, headers before payloads, and the consumer's position
is written after the reader is done with a record. CPython does these as separate 8- or 4-byte loads
and stores in program order; x86 keeps that order, other processors get a fence.
"""

from __future__ import annotations

import mmap
import os
import select
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress

from ebee.abi import ringbuf
from ebee.errors import KernelError
from ebee.linux.errors import refused
from ebee.linux.maps import LinuxMap

_ORDERED = os.uname().machine == "x86_64"


class RingBuffer:
    """The reader of a ring buffer map; a ring buffer has only one at a time. Since Linux 5.8.

        with RingBuffer(map) as events:
            for record in events:          # waits for ever; drain() takes what is there
                print(bytes(record))

    A record is a memoryview of the shared memory, valid until the next one is asked for: after that
    it is released, and using it raises ValueError. `bytes(record)` keeps it. `discarded` counts
    the records that the program took back.
    """

    def __init__(self, map: LinuxMap):
        if map.type != "ringbuf":
            raise KernelError(f"map {map.name} is a {map.type} map, not a ring buffer")
        self.map = map
        self.discarded = 0
        self._lock = threading.Lock()
        self._mapped: list[mmap.mmap] = []
        page, fd = mmap.PAGESIZE, map.fd.fileno()
        try:
            consumer = mmap.mmap(fd, page, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
            self._mapped.append(consumer)
            size = page * ringbuf.PRODUCER_PAGE + 2 * map.max_entries
            produced = mmap.mmap(fd, size, mmap.MAP_SHARED, mmap.PROT_READ, offset=page)
            self._mapped.append(produced)
            self._epoll = select.epoll()
        except OSError as error:
            self._unmap()
            raise refused(error, f"map ring buffer {map.name} into memory") from None
        # Edge-triggered: a record that is begun but not finished counts as data for the kernel's
        # poll, and would wake us again and again. Finishing the record that we wait for notifies.
        self._epoll.register(fd, select.EPOLLIN | select.EPOLLET)
        self._consumer = memoryview(consumer).cast("Q")
        self._producer = memoryview(produced).cast("Q")
        self._data = memoryview(produced)[page:]
        self._words = self._data.cast("I")

    @property
    def pending(self) -> int:
        """Bytes that are written or being written and not yet read, headers included."""
        return int(self._producer[0] - self._consumer[0])

    @property
    def closed(self) -> bool:
        return not self._mapped

    def drain(self) -> Iterator[memoryview]:
        """The records that are there now, oldest first; ends without waiting.

        It stops at a record that a program has begun and not yet finished.
        """
        while self._mapped:
            consumer = self._consumer[0]
            producer = self._producer[0]
            self._fence()
            for position, record in ringbuf.records(self._data, self._words, consumer, producer):
                if record is None:
                    self.discarded += 1
                else:
                    if not _ORDERED:
                        self._fence()
                    yield record
                    if not self._mapped:
                        return
                    try:  # noqa: SIM105  (suppress() would cost as much as all the rest)
                        record.release()
                    except BufferError:  # something else was built on it
                        pass
                if not _ORDERED:
                    self._fence()
                self._consumer[0] = position
            if self._consumer[0] == consumer:  # nothing more, or an unfinished record
                return

    def read(self) -> list[bytes]:
        """Copies of the records that are there now."""
        return [bytes(record) for record in self.drain()]

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until a record can be read, at most `timeout` seconds; whether there is one.

        Records sent with BPF_RB_NO_WAKEUP wake nobody: give a timeout, and read anyway.
        """
        # The other half of the kernel's "has the consumer caught up?": our position is out before
        # we look again, so either it sees us waiting or we see its record.
        self._fence(always=True)
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self._ready():
            left = None if deadline is None else max(deadline - time.monotonic(), 0)
            if not self._epoll.poll(left):  # time is up
                return self._ready()
        return True

    def __iter__(self) -> Iterator[memoryview]:
        """Every record, waiting for more; ends when the buffer is closed."""
        while not self.closed:
            if self.wait():
                yield from self.drain()

    async def __aiter__(self) -> AsyncIterator[memoryview]:
        """Every record, leaving the event loop free while there is none."""
        import asyncio

        loop = asyncio.get_running_loop()
        while not self.closed:
            for record in self.drain():
                yield record
            if self.closed or self.wait(0):
                continue
            woken = asyncio.Event()
            # Our epoll rather than the map: it is readable only once for each notification.
            fd = self._epoll.fileno()
            loop.add_reader(fd, woken.set)
            try:
                await woken.wait()
            finally:
                loop.remove_reader(fd)

    def _ready(self) -> bool:
        consumer, producer = self._consumer[0], self._producer[0]
        at = consumer & (self.map.max_entries - 1)
        return consumer < producer and not self._words[at >> 2] & ringbuf.BUSY

    def _fence(self, always: bool = False) -> None:
        """A full memory barrier where one is needed: a lock's release and acquire are one."""
        if always or not _ORDERED:
            with self._lock:
                pass

    def _unmap(self) -> None:
        for mapped in self._mapped:
            with suppress(BufferError):  # A record is still held; it goes when that goes.
                mapped.close()
        self._mapped = []

    def close(self) -> None:
        """Unmap the buffer; the map itself stays open. Records still held stay readable."""
        if self.closed:
            return
        self._epoll.close()
        for view in (self._consumer, self._producer, self._words, self._data):
            view.release()
        self._unmap()

    def __enter__(self) -> RingBuffer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
