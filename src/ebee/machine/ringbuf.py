"""Reading the machine's ring buffers: the same layout and the same face as the kernel's."""

from __future__ import annotations

from collections.abc import Iterator

from ebee.abi import ringbuf
from ebee.errors import MachineError
from ebee.machine.maps import MachineMap
from ebee.maps.ringbuf_ops import CONSUMER_AT, DATA_AT, PRODUCER_AT


class RingBuffer:
    """The reader of a ring buffer map. `drain()` gives records as memoryviews, valid until the next
    one is asked for; `read()` copies; `discarded` counts what programs took back."""

    def __init__(self, map: MachineMap):
        if map.type != "ringbuf":
            raise MachineError(f"map {map.name} is a {map.type} map, not a ring buffer")
        self.map = map
        self.discarded = 0
        area = int(map.state.area)
        region = map.memory.find(area, DATA_AT)
        start = area - region.base
        whole = region.data[start:]
        self._consumer = whole[CONSUMER_AT : CONSUMER_AT + 8].cast("Q")
        self._producer = whole[PRODUCER_AT : PRODUCER_AT + 8].cast("Q")
        self._data = whole[DATA_AT : DATA_AT + 2 * map.max_entries]
        self._words = self._data.cast("I")

    @property
    def pending(self) -> int:
        """Bytes that are not yet read, headers included."""
        return int(self._producer[0] - self._consumer[0])

    def drain(self) -> Iterator[memoryview]:
        """The records that are there now, oldest first."""
        start, end = self._consumer[0], self._producer[0]
        for position, record in ringbuf.records(self._data, self._words, start, end):
            if record is None:
                self.discarded += 1
            else:
                yield record
            self._consumer[0] = position

    def read(self) -> list[bytes]:
        """Copies of the records that are there now."""
        return [bytes(record) for record in self.drain()]

    def close(self) -> None:
        """Let go of the map's memory."""
        for view in (self._consumer, self._producer, self._words, self._data):
            view.release()
