"""Reading the kernel's ring buffers: mapped memory, epoll, records without copying.

The layout is ebee.abi.ringbuf's. The kernel and we share memory without locks, so order matters:
the producer's position is read before headers, headers before payloads, and the consumer's position
is written after the reader is done with a record. CPython does these as separate 8- or 4-byte loads
and stores in program order; x86 keeps that order, other processors get a fence.

Records are mostly of one size, so they are taken in runs: where the header of a record is known,
those of its followers of the same size are at equal distances, which a slice with a step reads
without a line of Python for each.
"""

from __future__ import annotations

import errno
import mmap
import os
import select
import struct
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import repeat
from typing import TYPE_CHECKING, Any, NamedTuple

from ebee.abi import ringbuf
from ebee.abi.ringbuf import BUSY, DISCARD, HEADER, LENGTH
from ebee.errors import KernelError
from ebee.linux.barrier import ORDERED, fence, full_fence
from ebee.linux.errors import refused
from ebee.linux.maps import LinuxMap
from ebee.linux.reader import Reader

if TYPE_CHECKING:
    from ebee.btf.codec import Codec

_READERS: weakref.WeakValueDictionary[int, RingBuffer] = weakref.WeakValueDictionary()
"""The open readers of this process, by the map's id."""


class _Run(NamedTuple):
    """`number` complete records, `step` bytes each from `at` on, all with one `header`."""

    number: int
    at: int
    step: int
    header: int

    @property
    def length(self) -> int:
        return self.header & LENGTH


class RingBuffer(Reader):
    """The reader of a ring buffer map, which has only one at a time. Since Linux 5.8.

        with RingBuffer(map) as events:
            for record in events:          # waits for ever; drain() takes what is there
                print(bytes(record))

    See Reader for what records are and how to wait for them. `discarded` counts the records that
    programs took back. A full buffer is seen by the program alone (no reservation, -EAGAIN), which
    has to count it; `lost`, where the caller gives it, reads that count:

        RingBuffer(map, lost=lambda: obj.variables["dropped"].value)
    """

    def __init__(
        self, map: LinuxMap, codec: Codec | None = None, lost: Callable[[], int] | None = None
    ):
        if map.type != "ringbuf":
            raise KernelError(f"map {map.name} is a {map.type} map, not a ring buffer")
        other = _READERS.get(map.id) if map.id else None
        if other is not None and other._pid == os.getpid():
            raise KernelError(
                f"ring buffer {map.name} has a reader already: records go to one only", errno.EBUSY
            )
        self.map = map
        self.discarded = 0
        self._count_lost = lost
        self._mapped: list[mmap.mmap] = []
        page, fd = mmap.PAGESIZE, map.fd.fileno()
        try:
            consumer = mmap.mmap(fd, page, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
            self._mapped.append(consumer)
            size = page * ringbuf.PRODUCER_PAGE + 2 * map.max_entries
            produced = mmap.mmap(fd, size, mmap.MAP_SHARED, mmap.PROT_READ, offset=page)
            self._mapped.append(produced)
            super().__init__(codec)
        except OSError as error:
            self._unmap()
            raise refused(error, f"map ring buffer {map.name} into memory", since="5.8") from None
        # Edge-triggered: a record that is begun but not finished counts as data for the kernel's
        # poll, and would wake us again and again. Finishing the record that we wait for notifies.
        self._epoll.register(fd, select.EPOLLIN | select.EPOLLET)
        self._consumer = memoryview(consumer).cast("Q")
        self._producer = memoryview(produced).cast("Q")
        self._data = memoryview(produced)[page:]
        self._words = self._data.cast("I")
        self._mask = map.max_entries - 1
        self._guess = FIRST_GUESS
        self._packers: dict[int, struct.Struct] = {}
        if map.id:
            _READERS[map.id] = self

    @property
    def pending(self) -> int:
        """Bytes that are written or being written and not yet read, headers included."""
        return int(self._producer[0] - self._consumer[0])

    @property
    def lost(self) -> int | None:
        """How many records found no room, as the program counts them; None: nobody counts."""
        return None if self._count_lost is None else self._count_lost()

    # -- taking records --------------------------------------------------------------------------

    def drain(self) -> Iterator[memoryview]:
        """The records that are there now, oldest first; ends without waiting.

        It stops at a record that a program has begun and not yet finished.
        """
        self._check()
        consumer, data = self._consumer, self._data
        while self._mapped and (run := self._next()):
            position, step = consumer[0], run.step
            if run.number == 1:
                places: Iterable[tuple[int, int]] = self._walk(FEW)[0]
            elif run.header & DISCARD:
                self.discarded += run.number
                self._release(position + run.number * step)
                continue
            else:
                starts = range(run.at, run.at + run.number * step, step)
                places = zip(starts, repeat(run.header), strict=False)
            for at, header in places:
                position += ((header & LENGTH) + HEADER + 7) & ~7
                if header & DISCARD:
                    self.discarded += 1
                    self._release(position)
                    continue
                record = data[at + HEADER : at + HEADER + (header & LENGTH)]
                before = consumer[0]
                yield record
                if not self._mapped:  # closed meanwhile
                    return
                try:  # noqa: SIM105  (suppress() would cost as much as all the rest)
                    record.release()
                except BufferError:  # something else was built on it
                    pass
                if consumer[0] != before:
                    raise self._shared()
                if not ORDERED:
                    fence()
                consumer[0] = position

    def read(self, limit: int | None = None) -> list[bytes]:
        """Copies of the records that are there now, `limit` at most."""
        self._check()
        found: list[bytes] = []
        data = self._data
        while (left := _left(limit, found)) and (run := self._next(left)):
            step, end = run.step, self._consumer[0] + run.number * run.step
            if run.number == 1:
                places, end = self._walk(left)
                self.discarded += sum(1 for _, header in places if header & DISCARD)
                found += [
                    data[at + HEADER : at + HEADER + (header & LENGTH)].tobytes()
                    for at, header in places
                    if not header & DISCARD
                ]
            elif run.header & DISCARD:
                self.discarded += run.number
            else:
                block, length = data[run.at : run.at + run.number * step].tobytes(), run.length
                found += [block[at : at + length] for at in range(HEADER, len(block), step)]
            self._release(end)
        return found

    def read_values(self, limit: int | None = None) -> list[Any]:
        """The records that are there now as values, `limit` at most."""
        node: Any = getattr(self.codec, "node", None)
        if not hasattr(node, "layout"):  # no struct, whose values come from unpacked items
            return super().read_values(limit)
        self._check()
        found: list[Any] = []
        while (left := _left(limit, found)) and (run := self._next(left)):
            if run.number == 1 or run.header & DISCARD or run.length < node.size:
                found += map(
                    self.value, self.read(min(left, run.number if run.number > 1 else FEW))
                )
                continue
            make, packer = node.make, self._packer(node, run.step)
            items = packer.iter_unpack(self._data[run.at : run.at + run.number * run.step])
            found += [make(item) for item in items]
            self._release(self._consumer[0] + run.number * run.step)
        return found

    def _packer(self, node: Any, step: int) -> struct.Struct:
        """What unpacks a record with its header and padding, `step` bytes in all."""
        known = self._packers.get(step)
        if known is None:
            format: str = node.layout.format
            whole = f"{format[0]}{HEADER}x{format[1:]}{step - HEADER - node.size}x"
            known = self._packers[step] = struct.Struct(whole)
        return known

    def _next(self, limit: int | None = None) -> _Run | None:
        """The next complete records that have the same header; None when there is none."""
        consumer, producer = self._consumer[0], self._producer[0]
        if consumer >= producer:
            return None
        fence()
        at = consumer & self._mask
        header = self._words[at >> 2]
        if header & BUSY:
            return None
        step = ((header & LENGTH) + HEADER + 7) & ~7
        most = min((producer - consumer) // step, self._guess, limit or self._guess)
        count = 1
        if most > 1:
            headers = self._words[at >> 2 : (at + most * step) >> 2 : step >> 2].tolist()
            count = headers.count(header)
            if count < most:  # only those up to the first that differs are at their places
                count = next(n for n, other in enumerate(headers) if other != header)
        self._guess = min(self._guess * 4, MOST) if count == most else max(2 * count, 2)
        fence()
        return _Run(count, at, step, header)

    def _walk(self, limit: int) -> tuple[list[tuple[int, int]], int]:
        """(place, header) of the next complete records, one by one, and the position after them."""
        position, producer = self._consumer[0], self._producer[0]
        words, mask = self._words, self._mask
        found: list[tuple[int, int]] = []
        while position < producer and len(found) < limit:
            at = position & mask
            header = words[at >> 2]
            if header & BUSY:
                break
            found.append((at, header))
            position += ((header & LENGTH) + HEADER + 7) & ~7
        fence()
        return found, position

    def _release(self, position: int) -> None:
        """Give the memory before a position back to the kernel."""
        fence()
        self._consumer[0] = position

    def _shared(self) -> KernelError:
        return KernelError(
            f"somebody else reads ring buffer {self.map.name} at the same time; each record went"
            " to one of the readers, or to both",
            errno.EBUSY,
        )

    # -- waiting ---------------------------------------------------------------------------------

    def _ready(self) -> bool:
        consumer, producer = self._consumer[0], self._producer[0]
        return consumer < producer and not self._words[(consumer & self._mask) >> 2] & BUSY

    def _arm(self) -> None:
        """The other half of the kernel's "has the consumer caught up?": our position is out before
        we look again, so either it sees us waiting or we see its record. (Records sent with
        BPF_RB_NO_WAKEUP wake nobody: wait with a timeout, and read anyway.)"""
        full_fence()

    # -- the end ---------------------------------------------------------------------------------

    def _unmap(self) -> None:
        for mapped in self._mapped:
            with suppress(BufferError):  # A record is still held; it goes when that goes.
                mapped.close()
        self._mapped = []

    def close(self) -> None:
        """Unmap the buffer; the map itself stays open. Records still held stay readable."""
        if not self._mapped:
            return
        super().close()
        if _READERS.get(self.map.id) is self:
            del _READERS[self.map.id]
        for view in (self._consumer, self._producer, self._words, self._data):
            view.release()
        self._unmap()


FIRST_GUESS, MOST = 16, 8192
"""How many records of one size to expect in a row: at first, and at most."""
FEW = 256
"""How many records of different sizes are looked at together."""


def _left(limit: int | None, found: list[Any]) -> int:
    return MOST if limit is None else limit - len(found)
