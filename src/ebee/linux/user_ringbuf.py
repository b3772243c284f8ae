"""Writing user ring buffers, from which programs take records (bpf_user_ringbuf_drain).

The layout is the ring buffer's (ebee.abi.ringbuf) with the roles changed: here the kernel is the
consumer, and its page is the one that we may only read.
"""

from __future__ import annotations

import errno
import mmap
import select
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from ebee.abi import ringbuf
from ebee.abi.ringbuf import BUSY, DISCARD, HEADER
from ebee.errors import KernelError
from ebee.linux.barrier import fence
from ebee.linux.errors import refused
from ebee.linux.maps import LinuxMap

if TYPE_CHECKING:
    from ebee.btf.codec import Codec


class UserRingBuffer:
    """The producer of a user_ringbuf map; there is only one at a time. Since Linux 6.1.

        with UserRingBuffer(map) as ring:
            ring.send(b"record")               # waits for room; send(..., timeout=0) does not
            with ring.reserve(64) as record:   # written in place; sent at the end of the block,
                record[:4] = b"ping"           # or discarded when the block raises

    Records become visible in the order of their reservation. `codec` gives send() values in place
    of bytes. Threads may share a producer.
    """

    def __init__(self, map: LinuxMap, codec: Codec | None = None):
        if map.type != "user_ringbuf":
            raise KernelError(f"map {map.name} is a {map.type} map, not a user ring buffer")
        self.map, self.codec = map, codec
        self._lock = threading.Lock()
        self._mapped: list[mmap.mmap] = []
        page, fd = mmap.PAGESIZE, map.fd.fileno()
        try:
            consumer = mmap.mmap(fd, page, mmap.MAP_SHARED, mmap.PROT_READ)
            self._mapped.append(consumer)
            size = page * ringbuf.PRODUCER_PAGE + 2 * map.max_entries
            access = mmap.PROT_READ | mmap.PROT_WRITE
            produced = mmap.mmap(fd, size, mmap.MAP_SHARED, access, offset=page)
            self._mapped.append(produced)
        except OSError as error:
            self._unmap()
            doing = f"map user ring buffer {map.name} into memory"
            raise refused(error, doing, since="6.1") from None
        # Edge-triggered: the kernel says "there is room" also when a record would not fit.
        self._epoll = select.epoll()
        self._epoll.register(fd, select.EPOLLOUT | select.EPOLLET)
        self._consumer = memoryview(consumer).cast("Q")
        self._producer = memoryview(produced).cast("Q")
        self._data = memoryview(produced)[page:]
        self._words = self._data.cast("I")

    @property
    def free(self) -> int:
        """Bytes that can be reserved now, headers included."""
        return self.map.max_entries - int(self._producer[0] - self._consumer[0])

    @property
    def closed(self) -> bool:
        return not self._mapped

    @contextmanager
    def reserve(self, size: int, timeout: float | None = None) -> Iterator[memoryview]:
        """Room for a record of `size` bytes, waited for at most `timeout` seconds (None: for ever);
        KernelError (EAGAIN) when there is none. What is not written holds old bytes."""
        at = self._take(size, timeout)
        record = self._data[at + HEADER : at + HEADER + size]
        flag = DISCARD
        try:
            yield record
            flag = 0
        finally:
            with suppress(BufferError):
                record.release()
            self._commit(at, size | flag)

    def send(self, value: Any, timeout: float | None = None) -> None:
        """Send a record: bytes, or a value of the producer's type; waits as reserve() does."""
        raw = self.codec.encode(value) if self.codec is not None else value
        at = self._take(len(raw), timeout)
        self._data[at + HEADER : at + HEADER + len(raw)] = raw
        self._commit(at, len(raw))

    def _take(self, size: int, timeout: float | None) -> int:
        """The place of a new record, which is marked as being written."""
        whole = ringbuf.record_size(size)
        if self.closed:
            raise KernelError("this producer is closed", errno.EBADF)
        if size < 0 or whole > self.map.max_entries:
            text = f"user ring buffer {self.map.name}: a record of {size} bytes cannot fit into"
            raise KernelError(f"{text} {self.map.max_entries}", errno.E2BIG)
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            with self._lock:  # also the barrier between the consumer's position and our writes
                if whole <= self.free:
                    position = self._producer[0]
                    at = int(position & (self.map.max_entries - 1))
                    self._words[at + 4 >> 2] = 0
                    self._words[at >> 2] = size | BUSY
                    fence()
                    self._producer[0] = position + whole
                    return at
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                text = f"user ring buffer {self.map.name} is full: the program does not drain it"
                raise KernelError(f"{text}, or not fast enough", errno.EAGAIN)
            # Draining wakes us; a program that drains nothing wakes nobody, so look again.
            self._epoll.poll(POLL if left is None else min(left, POLL))

    def _commit(self, at: int, header: int) -> None:
        if not self.closed:
            fence()
            self._words[at >> 2] = header

    def _unmap(self) -> None:
        for mapped in self._mapped:
            with suppress(BufferError):  # a record is still held
                mapped.close()
        self._mapped = []

    def close(self) -> None:
        """Unmap the buffer; the map stays open, and what was sent stays in it."""
        if self.closed:
            return
        self._epoll.close()
        for view in (self._consumer, self._producer, self._words, self._data):
            view.release()
        self._unmap()

    def __enter__(self) -> UserRingBuffer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


POLL = 0.1
"""Seconds after which a waiting producer looks again by itself."""
