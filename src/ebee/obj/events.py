"""Events: the records that programs send through a buffer, as typed values of Python."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING, Any

from ebee.errors import BtfError
from ebee.obj.handles import Closing

if TYPE_CHECKING:
    from ebee.btf.codec import Codec
    from ebee.obj.spec import MapSpec, ObjectSpec

BLOCK = 4096
"""Records that are decoded at once."""

PAUSE = 0.001, 0.02
"""Seconds between two looks at a buffer that cannot be waited for: the first time, and at most."""


class Events(Closing):
    """The events of one buffer, as typed values, oldest first.

        for event in obj.events("events", timeout=1.0):   # until nothing came for a second
            print(event.pid, event.name)

        async for event in obj.events("events"):          # the event loop stays free
            ...

        obj.events("events").read()                       # those that are there now: a list

    `timeout` is how many seconds an iteration waits for the next event before it ends; None waits
    for ever, 0 takes what is there. The machine stands still between runs, so nothing can come
    while one waits: with None an iteration ends when the buffer is empty, and a timeout is for
    programs that run on other threads.

    An iteration that was left (`break`) can be taken up again with a new one: no event is lost.
    `stop()` ends iterations, also one that waits in another thread, or from a signal handler.
    Values are records with attributes, or `bytes` where the object does not say of what type they
    are, or they are too short for it. `count` is how many have been read; `raw` is the backend's
    reader, in bytes. The object closes it; the buffer itself lives as long as the object.
    """

    def __init__(
        self, raw: Any, name: str, codec: Codec | None = None, timeout: float | None = None
    ):
        self.raw = raw
        self.name, self.codec, self.timeout = name, codec, timeout
        self.count = 0
        self._ready: deque[Any] = deque()
        self._stopped = False
        self._waits = hasattr(raw, "async_wait")
        if self._waits:
            self.raw.codec = codec

    # -- what is there -------------------------------------------------------------------------

    def read(self, most: int | None = None) -> list[Any]:
        """The events that are there now, at most so many; does not wait."""
        self._fill(most)
        here = len(self._ready) if most is None else min(most, len(self._ready))
        self.count += here
        return [self._ready.popleft() for _ in range(here)]

    def skim(self, most: int) -> tuple[list[Any], int]:
        """The first `most` events of those that are there now, and how many were there in all: the
        others are gone, too, but were not even decoded."""
        found = self.read(most)
        count = len(found)
        for _ in self.raw.drain():
            count += 1
        self.count += count - len(found)
        return found, count

    def _fill(self, most: int | None) -> None:
        """Have `most` events decoded, if there are so many."""
        missing = None if most is None else most - len(self._ready)
        if missing is not None and missing <= 0:
            return
        if self._waits:
            self._ready += self.raw.read_values(missing)
            return
        stop = None if missing is None else len(self._ready) + missing
        for record in self.raw.drain():
            if len(self._ready) == stop:  # before it counts as read
                break
            self._ready.append(self.value(record))

    def value(self, record: memoryview | bytes) -> Any:
        """A record as a value of its type."""
        if self.codec is None:
            return bytes(record)
        try:
            return self.codec.decode_from(bytes(record))
        except BtfError:
            return bytes(record)

    @property
    def pending(self) -> int | None:
        """Bytes that wait to be read, headers included; None where the reader cannot tell."""
        return getattr(self.raw, "pending", None)

    @property
    def lost(self) -> int | None:
        """Events that found no room, where somebody counts them."""
        return getattr(self.raw, "lost", None)

    # -- waiting -------------------------------------------------------------------------------

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for an event, at most `timeout` seconds (None: for ever, but see Events about the
        machine); whether there is one."""
        if self._waits:
            return bool(self.raw.wait(timeout))
        pause, end = PAUSE[0], time.monotonic() + (timeout or 0)
        while not self.raw.pending and not self._stopped and (left := end - time.monotonic()) > 0:
            time.sleep(min(pause, left))
            pause = min(2 * pause, PAUSE[1])
        return bool(self.raw.pending)

    def __iter__(self) -> Iterator[Any]:
        last = False
        while not last:
            last = self._stopped  # what is there by then is still given
            while self._some():
                yield self._ready.popleft()
            last = last or not (self.wait(self.timeout) or self._stopped)

    async def __aiter__(self) -> AsyncIterator[Any]:
        import asyncio

        last = False
        while not last:
            last = self._stopped
            while self._some():
                yield self._ready.popleft()
                if not self._ready:  # a flood of events leaves the other tasks their turn
                    await asyncio.sleep(0)
            last = last or not (await self._async_wait() or self._stopped)

    def _some(self) -> bool:
        """Whether there is an event, which is decoded then and counts as read."""
        if not self._ready:
            self._fill(BLOCK)
        self.count += bool(self._ready)
        return bool(self._ready)

    async def _async_wait(self) -> bool:
        import asyncio

        if self._waits:
            return bool(await self.raw.async_wait(self.timeout))
        pause, end = PAUSE[0], time.monotonic() + (self.timeout or 0)
        while not self.raw.pending and not self._stopped and (left := end - time.monotonic()) > 0:
            await asyncio.sleep(min(pause, left))
            pause = min(2 * pause, PAUSE[1])
        return bool(self.raw.pending)

    # -- the end -------------------------------------------------------------------------------

    def stop(self) -> None:
        """End every iteration, now and later, once it has given what is there."""
        self._stopped = True
        if hasattr(self.raw, "stop"):
            self.raw.stop()

    def close(self) -> None:
        """Stop, and give the reader up."""
        self.stop()
        self.raw.close()

    def __repr__(self) -> str:
        kind = self.codec.describe().partition(" {")[0] if self.codec else "bytes"
        return f"<Events {self.name}: {kind}>"


def event_type(spec: ObjectSpec, buffer: MapSpec) -> int:
    """BTF id of a buffer's records, 0 when the object does not tell.

    It is the map's declared value type, or what a global pointer `<map>_type` or `event_type`
    points to: the usual way to keep a type in BTF that only a ring buffer carries.
    """
    if (buffer.type == "ringbuf" and buffer.value_btf_id) or spec.btf is None:
        return buffer.value_btf_id
    from ebee.btf import Ptr

    for name in (f"{buffer.name}_type", f"{buffer.name.removesuffix('s')}_type", "event_type"):
        variable = spec.variables.get(name)
        if variable is not None and variable.btf_id:
            found = spec.btf.resolve(variable.btf_id)
            if isinstance(found, Ptr):
                return found.type
    return 0


def event_codec(spec: ObjectSpec, buffer: MapSpec) -> Codec | None:
    """The type of a buffer's records; None where it is not known."""
    found = event_type(spec, buffer)
    if not found or spec.btf is None:
        return None
    from ebee.btf.codec import Codec

    return Codec(spec.btf, found)
