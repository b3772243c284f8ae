"""Reading perf event arrays: a buffer for each CPU, which bpf_perf_event_output writes into.

Ring buffers (ringbuf.py) are better in all but one thing: these are there since Linux 4.3. The
layout is that of perf_event_open(2): one page of positions, then the data, which does not appear
twice, so a record may be broken at the end.
"""

from __future__ import annotations

import errno
import fcntl
import heapq
import mmap
import os
import select
import struct
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from ebee.errors import KernelError
from ebee.linux.barrier import fence
from ebee.linux.errors import refused
from ebee.linux.host import cpu_list, possible_cpus, read
from ebee.linux.maps import LinuxMap
from ebee.linux.reader import Reader
from ebee.linux.sys import Fd, last_errno, strerror, syscall

if TYPE_CHECKING:
    from ebee.btf.codec import Codec

# include/uapi/linux/perf_event.h
SOFTWARE, BPF_OUTPUT = 1, 10
SAMPLE_TIME, SAMPLE_RAW = 1 << 2, 1 << 10
FORMAT_LOST = 1 << 4
WATERMARK, USE_CLOCKID = 1 << 14, 1 << 25
LOST, SAMPLE = 2, 9
ATTR = struct.Struct("=II4QQII32xIi")  # struct perf_event_attr up to clockid: 96 bytes
FLAG_FD_CLOEXEC = 8
ENABLE, DISABLE = 0x2400, 0x2401
HEAD_AT, TAIL_AT = 1024 // 8, 1032 // 8
HEADER = 8
CLOCK_MONOTONIC = 1
MOST = 4096  # Records of one size that are looked at together.
HELD = 1 << 16  # Records that are held back to be sorted; more stay in their buffers.


class _Buffer:
    """The buffer of one CPU."""

    def __init__(self, cpu: int, pages: int, timed: bool, wakeup: int):
        self.cpu, self.timed = cpu, timed
        self.event = _open(cpu, timed, wakeup)
        self.size = pages * mmap.PAGESIZE
        try:
            self.memory = mmap.mmap(self.event.fileno(), mmap.PAGESIZE + self.size)
        except OSError as error:
            self.event.close()
            why = ""
            if error.errno == errno.EPERM:
                why = "kernel.perf_event_mlock_kb allows less memory; ask for fewer pages"
            raise refused(error, f"map the perf buffer of CPU {cpu} into memory", why) from None
        self.positions = memoryview(self.memory)[: mmap.PAGESIZE].cast("Q")
        self.data = memoryview(self.memory)[mmap.PAGESIZE :]
        self.words = self.data.cast("Q")
        self.skip = HEADER + (8 if timed else 0) + 4
        self.reported = 0
        self.guess = 16

    @property
    def ready(self) -> bool:
        return bool(self.positions[HEAD_AT] != self.positions[TAIL_AT])

    def next(self, limit: int | None = None) -> tuple[memoryview, int, int] | None:
        """(block, bytes of a record, count) of samples of one size that stand together, `limit` at
        most; None when there are none. Their place is theirs until release(). Counts losses."""
        while self.ready:
            head, tail = self.positions[HEAD_AT], self.positions[TAIL_AT]
            fence()
            at = tail & (self.size - 1)
            header = self.words[at >> 3]
            kind, size = _header(header)
            if not size:
                raise KernelError(f"the perf buffer of CPU {self.cpu} is damaged", errno.EIO)
            count = 1
            if at + size > self.size:  # broken at the end of the memory
                rest = at + size - self.size
                block = memoryview(self.data[at:].tobytes() + self.data[:rest].tobytes())
            else:
                most = min(min(head - tail, self.size - at) // size, self.guess, limit or MOST)
                headers = self.words[at >> 3 : (at + most * size) >> 3 : size >> 3].tolist()
                count = headers.count(header)
                if count < most:  # only those up to the first that differs are at their places
                    count = next(n for n, other in enumerate(headers) if other != header)
                self.guess = min(self.guess * 4, MOST) if count == most else max(2 * count, 2)
                block = self.data[at : at + count * size]
            if kind == SAMPLE:
                return block, size, count
            if kind == LOST:
                places = range(HEADER, count * size, size)
                self.reported += sum(struct.unpack_from("=QQ", block, n)[1] for n in places)
            self.release(count * size)
        return None

    def release(self, size: int) -> None:
        """Give the memory of the oldest samples back to the kernel."""
        fence()
        self.positions[TAIL_AT] += size

    @property
    def lost(self) -> int:
        """What the kernel counts (since Linux 6.0), else what it has reported: what was lost at
        last is reported with the next record."""
        with suppress(OSError):
            reply = os.read(self.event.fileno(), 16)
            if len(reply) == 16:
                return int(struct.unpack("=QQ", reply)[1])
        return self.reported

    def close(self) -> None:
        for view in (self.positions, self.words, self.data):
            view.release()
        with suppress(BufferError):
            self.memory.close()
        self.event.close()


class PerfBuffer(Reader):
    """The reader of a perf_event_array map. Since Linux 4.4; needs CAP_PERFMON.

        with PerfBuffer(map, pages=64) as events:
            for record in events:
                print(events.cpu, bytes(record))

    `pages`: of data for each CPU, a power of two. `wakeup`: how many records wake a waiting reader
    (more: fewer wake-ups, later records). A record is as long as what the program wrote, rounded up
    so that it ends 4 bytes behind a multiple of 8: what the program's record does not fill is
    zero or rubbish. `cpu` is the CPU of the record that came last.

    Records of one CPU come in order, those of different CPUs as they are found; with `ordered` they
    are sorted by their time. Each round of reading then holds back what is younger than the round
    before, for a record with an earlier time may still be on its way from another CPU.

    What finds no room is lost: `lost` counts it, `lost_by_cpu` where.
    """

    def __init__(
        self,
        map: LinuxMap,
        codec: Codec | None = None,
        *,
        pages: int = 64,
        wakeup: int = 1,
        ordered: bool = False,
    ):
        if map.type != "perf_event_array":
            raise KernelError(f"map {map.name} is a {map.type} map, not a perf event array")
        if pages < 1 or pages & (pages - 1):
            raise KernelError(f"a perf buffer has a power of two of pages, not {pages}")
        self.map, self.ordered = map, ordered
        self.cpu = -1
        self._buffers: dict[int, _Buffer] = {}
        self._held: list[tuple[int, int, int, bytes]] = []
        self._horizon = self._newest = self._sequence = 0
        super().__init__(codec)
        try:
            for cpu in _online():
                if cpu < map.max_entries:
                    made = self._buffers[cpu] = _Buffer(cpu, pages, ordered, wakeup)
                    map.update(_number(cpu), _number(made.event.fileno()))
                    fcntl.ioctl(made.event.fileno(), ENABLE, 0)
                    self._epoll.register(made.event.fileno(), select.EPOLLIN)
        except BaseException:
            self.close()
            raise

    @property
    def lost_by_cpu(self) -> dict[int, int]:
        """How many records found no room, by CPU, since the reader was made."""
        return {cpu: buffer.lost for cpu, buffer in self._buffers.items()}

    @property
    def lost(self) -> int:
        """How many records found no room in all."""
        return sum(self.lost_by_cpu.values())

    def drain(self) -> Iterator[memoryview]:
        """The records that are there now; ends without waiting."""
        self._check()
        if self.ordered:
            for _, _, cpu, copied in self._sorted():
                self.cpu = cpu
                yield memoryview(copied)
            return
        for buffer in list(self._buffers.values()):
            while not self.closed and (run := buffer.next()):
                block, size, count = run
                for at in range(buffer.skip, size * count, size):
                    self.cpu = buffer.cpu
                    record = block[at : at + size - buffer.skip]
                    yield record
                    if self.closed:
                        return
                    try:  # noqa: SIM105  (suppress() would cost as much as all the rest)
                        record.release()
                    except BufferError:  # something else was built on it
                        pass
                    buffer.release(size)

    def read(self, limit: int | None = None) -> list[bytes]:
        """Copies of the records that are there now, `limit` at most."""
        self._check()
        if self.ordered:
            return [record for _, _, _, record in self._sorted(limit)]
        found: list[bytes] = []
        for buffer in self._buffers.values():
            while (left := _left(limit, found)) and (run := buffer.next(left)):
                block, size, count = run
                whole, skip = block.tobytes(), buffer.skip
                found += [whole[at + skip : at + size] for at in range(0, size * count, size)]
                buffer.release(len(whole))
                self.cpu = buffer.cpu
        return found

    def _sorted(self, limit: int | None = None) -> Iterator[tuple[int, int, int, bytes]]:
        """(time, order of arrival, CPU, record) by time, as far as nothing older can come."""
        fresh = False
        for buffer in self._buffers.values():
            while len(self._held) < HELD and (run := buffer.next()):
                block, size, count = run
                whole = block.tobytes()
                buffer.release(len(whole))
                for at in range(0, size * count, size):
                    (when,) = struct.unpack_from("=Q", whole, at + HEADER)
                    record = whole[at + buffer.skip : at + size]
                    heapq.heappush(self._held, (when, self._sequence, buffer.cpu, record))
                    self._sequence += 1
                    self._newest = max(self._newest, when)
                    fresh = True
        until = self._horizon if fresh else self._newest
        self._horizon = self._newest
        while self._held and self._held[0][0] <= until and limit != 0:
            yield heapq.heappop(self._held)
            limit = None if limit is None else limit - 1

    def _ready(self) -> bool:
        return bool(self._held) or any(b.ready for b in self._buffers.values())

    def close(self) -> None:
        """Stop the events and unmap the buffers; the map stays open."""
        super().close()
        for cpu, buffer in self._buffers.items():
            with suppress(KernelError):
                self.map.delete(_number(cpu))
            buffer.close()
        self._buffers = {}


def _open(cpu: int, timed: bool, wakeup: int) -> Fd:
    import ctypes

    sample = SAMPLE_RAW | (SAMPLE_TIME if timed else 0)
    for format in (FORMAT_LOST, 0):  # Linux 6.0 counts what is lost
        raw = ATTR.pack(
            SOFTWARE, ATTR.size, BPF_OUTPUT, 1, sample, format,
            USE_CLOCKID if timed else 0, wakeup, 0, 0, CLOCK_MONOTONIC if timed else 0,
        )  # fmt: skip
        attr = ctypes.create_string_buffer(raw, ATTR.size)
        number = syscall("perf_event_open")(attr, -1, cpu, -1, FLAG_FD_CLOEXEC)
        if number >= 0:
            return Fd(number)
        if last_errno() != errno.EINVAL:
            break
    error = OSError(last_errno(), strerror(last_errno()))
    raise refused(error, f"open a perf buffer on CPU {cpu}", "", ("CAP_PERFMON",), "4.4")


def _online() -> list[int]:
    text = read("/sys/devices/system/cpu/online")
    return cpu_list(text) if text else list(range(possible_cpus()))


def _header(word: int) -> tuple[int, int]:
    """(type, size) of struct perf_event_header, read as one word."""
    if sys.byteorder == "little":
        return word & 0xFFFF_FFFF, word >> 48
    return word >> 32, word & 0xFFFF


def _left(limit: int | None, found: list[bytes]) -> int:
    return MOST if limit is None else limit - len(found)


def _number(value: int) -> bytes:
    return value.to_bytes(4, sys.byteorder)
