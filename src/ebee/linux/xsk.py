"""AF_XDP sockets: whole frames between an interface's queue and memory of ours, past the stack.

Four rings of descriptors are shared with the kernel. We fill the fill ring with empty frames, the
kernel hands them back in the receive ring with packets in them; we put packets into the transmit
ring, and the kernel hands the frames back in the completion ring when they are sent. Layouts and
numbers: include/uapi/linux/if_xdp.h.
"""

from __future__ import annotations

import errno
import mmap
import os
import select
import socket
import struct
import time
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Literal, NamedTuple

from ebee.errors import KernelError
from ebee.linux.attach.interfaces import interface
from ebee.linux.barrier import fence
from ebee.linux.errors import older_than, refused

AF_XDP, SOL_XDP = 44, 283
MMAP_OFFSETS, RX_RING, TX_RING, UMEM_REG, FILL_RING, COMPLETION_RING, STATISTICS, OPTIONS = range(
    1, 9
)
PAGE_OFFSETS = {RX_RING: 0, TX_RING: 1 << 31, FILL_RING: 1 << 32, COMPLETION_RING: 3 << 31}
SHARED, COPY, ZERO_COPY, NEED_WAKEUP, USE_SG = 1, 2, 4, 8, 16
CONTINUED = 1  # XDP_PKT_CONTD: the packet goes on in the next descriptor.
MODES = {"auto": 0, "copy": COPY, "zero-copy": ZERO_COPY}
SO_BUSY_POLL, SO_PREFER_BUSY_POLL, SO_BUSY_POLL_BUDGET = 46, 69, 70
DESCRIPTOR = struct.Struct("=QII")  # address, length, options
RING_NEED_WAKEUP = 1
BUSY = (errno.EAGAIN, errno.EBUSY, errno.ENOBUFS, errno.ENETDOWN)
MAX_FRAMES = 18  # Of one packet: the first, and MAX_SKB_FRAGS.
SENDING = 0.0002  # Seconds between two looks for frames that the driver is done with.
LEAVING = 0.5  # Seconds that the kernel may take to free the queue of a socket closed just now.
U32 = 0xFFFF_FFFF
Mode = Literal["auto", "copy", "zero-copy"]


class Frame(NamedTuple):
    """A packet in a frame of the umem: `data` is its bytes, `address` where they begin; `more`: it
    goes on in the next frame (only with `multi_buffer`)."""

    data: memoryview
    address: int
    more: bool = False


class Statistics(NamedTuple):
    """What a socket could not take or send (struct xdp_statistics); the last three since 5.9."""

    rx_dropped: int
    rx_invalid_descs: int
    tx_invalid_descs: int
    rx_ring_full: int = 0
    rx_fill_ring_empty_descs: int = 0
    tx_ring_empty_descs: int = 0


class Umem:
    """Memory for frames: `frames` of `frame_size` bytes each (2048 or 4096), which sockets share.

    A packet takes one frame, of which the kernel keeps 256 bytes and `headroom` for itself.
    """

    def __init__(self, frames: int = 4096, frame_size: int = 2048, headroom: int = 0):
        if frame_size not in (2048, 4096):
            raise KernelError(f"a frame has 2048 or 4096 bytes, not {frame_size}", errno.EINVAL)
        if frames < 1 or not 0 <= headroom <= frame_size - 256:
            text = f"a umem of {frames} frames with a headroom of {headroom} cannot be"
            raise KernelError(text, errno.EINVAL)
        self.frames, self.frame_size, self.headroom = frames, frame_size, headroom
        self._memory = mmap.mmap(-1, frames * frame_size)
        self.data = memoryview(self._memory)
        self.free = list(range(0, frames * frame_size, frame_size))
        self.sockets: list[XdpSocket] = []
        self.rings: dict[tuple[int, int], tuple[_Ring, _Ring]] = {}
        """The fill and completion rings, by interface and queue."""

    def take(self, count: int) -> list[Frame]:
        """Up to `count` free frames to write packets into; send_frames() or release() them."""
        start = max(len(self.free) - count, 0)
        taken = self.free[start:]
        del self.free[start:]
        return [Frame(self.data[at : at + self.frame_size], at) for at in taken]

    def release(self, frames: Iterable[Frame]) -> None:
        """Give frames back unsent."""
        mask = ~(self.frame_size - 1)
        self.free += [frame.address & mask for frame in frames]

    def close(self) -> None:
        """Give the memory up; after all sockets that use it."""
        self.data.release()
        with suppress(BufferError):  # a packet is still held
            self._memory.close()

    def __enter__(self) -> Umem:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Ring:
    """One ring; positions are free-running u32 numbers."""

    def __init__(self, fd: int, option: int, size: int, entry: int, offsets: Sequence[int]):
        producer, consumer, descriptors, *flags = offsets
        length = descriptors + size * entry
        self.size, self.mask = size, size - 1
        self._memory = mmap.mmap(fd, length, offset=PAGE_OFFSETS[option])
        whole = memoryview(self._memory)
        self.producer = whole[producer : producer + 4].cast("I")
        self.consumer = whole[consumer : consumer + 4].cast("I")
        self.flags = whole[flags[0] : flags[0] + 4].cast("I") if flags else None
        self.entries = whole[descriptors:]
        self.addresses = self.entries.cast("Q") if entry == 8 else None
        self._whole = whole

    @property
    def used(self) -> int:
        return (self.producer[0] - self.consumer[0]) & U32

    @property
    def needs_wakeup(self) -> bool:
        """Whether the kernel sleeps; kernels that cannot say so (before 5.4) always do."""
        return self.flags is None or bool(self.flags[0] & RING_NEED_WAKEUP)

    def parts(self, position: int, count: int) -> Iterator[tuple[int, int]]:
        """(first, after the last) entry of the one or two pieces that `count` entries are."""
        first = position & self.mask
        head = min(count, self.size - first)
        yield first, first + head
        if count > head:
            yield 0, count - head

    def put_addresses(self, addresses: Sequence[int]) -> None:
        """Produce: as many as there is room for must have been asked for."""
        assert self.addresses is not None
        position, done = self.producer[0], 0
        for first, last in self.parts(position, len(addresses)):
            self.addresses[first:last] = array("Q", addresses[done : done + last - first])
            done += last - first
        fence()
        self.producer[0] = (position + len(addresses)) & U32

    def get_addresses(self) -> list[int]:
        """Consume all."""
        assert self.addresses is not None
        position, count = self.consumer[0], self.used
        fence()
        found: list[int] = []
        for first, last in self.parts(position, count) if count else ():
            found += self.addresses[first:last].tolist()
        fence()
        self.consumer[0] = (position + count) & U32
        return found

    def put_descriptors(self, rows: Sequence[tuple[int, int, int]]) -> None:
        """Produce (address, length, options)."""
        position, done = self.producer[0], 0
        for first, last in self.parts(position, len(rows)):
            part = rows[done : done + last - first]
            packed = b"".join([DESCRIPTOR.pack(*row) for row in part])
            self.entries[first * 16 : last * 16] = packed
            done += last - first
        fence()
        self.producer[0] = (position + len(rows)) & U32

    def get_descriptors(self, limit: int) -> list[tuple[int, int, int]]:
        """Consume (address, length, options), `limit` at most."""
        position, count = self.consumer[0], min(self.used, limit)
        fence()
        found: list[tuple[int, int, int]] = []
        for first, last in self.parts(position, count) if count else ():
            found += DESCRIPTOR.iter_unpack(self.entries[first * 16 : last * 16])
        fence()
        self.consumer[0] = (position + count) & U32
        return found

    def close(self) -> None:
        views = (self.producer, self.consumer, self.flags, self.addresses, self.entries)
        for view in (*views, self._whole):
            if view is not None:
                view.release()
        self._memory.close()


class XdpSocket:
    """A socket on one queue of an interface, for the frames that an XDP program redirects to it
    through an xskmap. Since Linux 4.18; needs CAP_NET_RAW.

        with Umem() as umem, XdpSocket("eth0", 0, umem) as xsk:
            xsks.update(queue, xsk.fileno().to_bytes(4, "little"))
            for packet in xsk.receive(timeout=1.0):     # memoryviews of the umem, not copies
                xsk.send(bytes(packet))

    `mode`: "copy", "zero-copy" (where the driver can), "auto". `need_wakeup`: the kernel says when
    it wants to be woken (Linux 5.4). `busy_poll`: microseconds to poll the driver for instead of
    waiting for interrupts, `busy_budget` packets each time (Linux 5.11). `multi_buffer`: packets
    may be larger than a frame, and take several (Linux 6.6; with an XDP program for fragments).

    Ring sizes are powers of two; `rx` or `tx` 0 leaves that direction out. Sockets with one umem on
    the same queue share its fill and completion ring; on other queues and interfaces they have
    their own (Linux 5.10).
    """

    def __init__(
        self,
        dev: str | int,
        queue: int = 0,
        umem: Umem | None = None,
        *,
        mode: Mode = "auto",
        rx: int = 2048,
        tx: int = 2048,
        fill: int = 2048,
        completion: int = 2048,
        need_wakeup: bool = True,
        busy_poll: int = 0,
        busy_budget: int = 64,
        multi_buffer: bool = False,
    ):
        if mode not in MODES:
            raise KernelError(f"{mode!r} is no mode of AF_XDP; there are: {', '.join(MODES)}")
        sizes = {RX_RING: rx, TX_RING: tx, FILL_RING: fill, COMPLETION_RING: completion}
        for size in sizes.values():
            if size < 0 or size & (size - 1):
                raise KernelError(f"a ring has a power of two of entries, not {size}", errno.EINVAL)
        if not rx and not tx:
            raise KernelError("an AF_XDP socket receives (rx) or sends (tx), or both", errno.EINVAL)
        self.dev, self.queue = dev, queue
        self.umem = umem if umem is not None else Umem()
        self._own_umem = umem is None
        self._rings: dict[int, _Ring] = {}
        self._closed = False
        self._place = interface(dev), queue
        self._doing = f"open an AF_XDP socket on queue {queue} of {dev}"
        self._needs_wakeup = need_wakeup and not older_than("5.4")
        self.multi_buffer = multi_buffer
        if multi_buffer and older_than("6.6"):
            text = f"cannot {self._doing}: multi_buffer= requires Linux >= 6.6"
            raise KernelError(text, errno.EOPNOTSUPP)
        try:
            self._socket = socket.socket(AF_XDP, socket.SOCK_RAW | socket.SOCK_CLOEXEC)
        except OSError as error:
            raise self._refused(error) from None
        try:
            self._set_up(sizes, MODES[mode])
            if busy_poll:
                self._busy_poll(busy_poll, busy_budget)
        except OSError as error:
            self.close()
            raise self._refused(error, mode) from None
        except BaseException:
            self.close()
            raise

    def _set_up(self, sizes: dict[int, int], flags: int) -> None:
        umem, first = self.umem, next(iter(self.umem.sockets), None)
        shares_rings = self._place in umem.rings
        if first is None:
            fields = umem.frames * umem.frame_size, umem.frame_size, umem.headroom
            start = _address(umem.data)
            self._option(UMEM_REG, struct.pack("=QQIII4x", start, *fields, 0))
        wanted = [o for o in (RX_RING, TX_RING) if sizes[o]]
        wanted += [] if shares_rings else [FILL_RING, COMPLETION_RING]
        for option in wanted:
            self._option(option, struct.pack("=I", sizes[option]))
        raw = self._socket.getsockopt(SOL_XDP, MMAP_OFFSETS, 128)
        numbers = struct.unpack(f"={len(raw) // 8}Q", raw)
        each = len(numbers) // 4
        order = (RX_RING, TX_RING, FILL_RING, COMPLETION_RING)
        for option in wanted:
            at = order.index(option) * each
            entry = 16 if option in (RX_RING, TX_RING) else 8
            self._rings[option] = _Ring(
                self._socket.fileno(), option, sizes[option], entry, numbers[at : at + each]
            )
        self._rx, self._tx = self._rings.get(RX_RING), self._rings.get(TX_RING)
        if not shares_rings:
            umem.rings[self._place] = self._rings.pop(FILL_RING), self._rings.pop(COMPLETION_RING)
        self._fill, self._completion = umem.rings[self._place]
        umem.sockets.append(self)
        if first is None:
            flags |= NEED_WAKEUP if self._needs_wakeup else 0
            flags |= USE_SG if self.multi_buffer else 0
            shared_fd = 0
        else:
            flags, shared_fd = SHARED, first.fileno()
            self._needs_wakeup, self.multi_buffer = first._needs_wakeup, first.multi_buffer
        self._bind(flags, shared_fd)
        if self._rx is not None:
            self.refill()

    def _bind(self, flags: int, shared_fd: int) -> None:
        import ctypes

        raw = struct.pack("=HHIII", AF_XDP, flags, *self._place, shared_fd)
        libc, end = ctypes.CDLL(None, use_errno=True), time.monotonic() + LEAVING
        while libc.bind(self._socket.fileno(), raw, len(raw)):
            code = ctypes.get_errno()
            if code != errno.EBUSY or time.monotonic() > end:
                raise OSError(code, os.strerror(code))
            time.sleep(LEAVING / 50)

    def _option(self, option: int, raw: bytes) -> None:
        self._socket.setsockopt(SOL_XDP, option, raw)

    def _busy_poll(self, microseconds: int, budget: int) -> None:
        try:
            for option, value in (
                (SO_PREFER_BUSY_POLL, 1),
                (SO_BUSY_POLL, microseconds),
                (SO_BUSY_POLL_BUDGET, budget),
            ):
                self._socket.setsockopt(socket.SOL_SOCKET, option, value)
        except OSError as error:
            doing = f"poll {self.dev} busily"
            raise refused(error, doing, needs=("CAP_NET_ADMIN",), since="5.11") from None

    def _refused(self, error: OSError, mode: str = "") -> KernelError:
        why = {
            errno.EAFNOSUPPORT: "this kernel was built without AF_XDP (CONFIG_XDP_SOCKETS)",
            errno.EBUSY: "another socket, or a umem of another, has this queue",
            errno.EOPNOTSUPP: f"the driver of {self.dev} has no zero-copy mode; mode 'copy' works"
            " everywhere"
            if mode == "zero-copy"
            else "the driver cannot do that",
            errno.EINVAL: f"{self.dev} has no queue {self.queue}, or the sizes are not valid",
            errno.ENETDOWN: f"{self.dev} is down",
            errno.ENOBUFS: "the memory for the frames cannot be locked (RLIMIT_MEMLOCK)",
        }.get(error.errno or 0, "")
        return refused(error, self._doing, why, needs=("CAP_NET_RAW",), since="4.18")

    # -- receiving -------------------------------------------------------------------------------

    def refill(self) -> int:
        """Give free frames to the kernel, as many as its ring takes; how many. receive() and
        release() do that by themselves."""
        room = self._fill.size - self._fill.used
        free = self.umem.free
        # Frames that only receiving uses would leave none to send with.
        keep = self._completion.size if self._tx is not None else 0
        count = min(room, max(len(free) - min(keep, self.umem.frames // 2), 0))
        if count:
            self._fill.put_addresses(free[len(free) - count :])
            del free[len(free) - count :]
        if self._fill.needs_wakeup and self._rx is not None:
            with suppress(OSError):
                self._socket.recv(1, socket.MSG_DONTWAIT)
        return count

    def receive_frames(self, limit: int = 64) -> list[Frame]:
        """The packets that are there now, `limit` at most, without waiting. The frames are the
        caller's until release() or send_frames()."""
        if self._rx is None:
            raise KernelError("this AF_XDP socket was made without a receive ring", errno.EINVAL)
        data = self.umem.data
        return [
            Frame(data[at : at + length], at, options == CONTINUED)
            for at, length, options in self._rx.get_descriptors(limit)
        ]

    def release(self, frames: Iterable[Frame]) -> None:
        """Give received frames back."""
        self.umem.release(frames)
        if self._rx is not None:
            self.refill()

    def receive(self, timeout: float | None = None, batch: int = 64) -> Iterator[memoryview]:
        """Packets as memoryviews, each valid until the next one is asked for; ends when none came
        for `timeout` seconds (None: waits for ever). A packet of several frames is a copy."""
        parts: list[bytes] = []
        while self.wait(timeout):
            frames = self.receive_frames(batch)
            try:
                for data, _, more in frames:
                    if more or parts:
                        parts.append(bytes(data))
                        if more:
                            continue
                        data, parts = memoryview(b"".join(parts)), []
                    yield data
                    with suppress(BufferError):  # something else was built on it
                        data.release()
            finally:
                if not self._closed:
                    self.release(frames)
            if self._closed:
                return

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for a packet, at most `timeout` seconds; whether there is one."""
        if self._rx is None or self._closed:
            return False
        if self._rx.used:
            return True
        poll = select.poll()
        poll.register(self._socket.fileno(), select.POLLIN)
        deadline = None if timeout is None else time.monotonic() + timeout
        while not self._rx.used:
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left < 0:
                return False
            poll.poll(None if left is None else left * 1000)
        return True

    # -- sending ---------------------------------------------------------------------------------

    def send(self, *packets: bytes | bytearray | memoryview, timeout: float | None = None) -> int:
        """Send packets, copied into free frames; waits for room, at most `timeout` seconds (None:
        for ever); how many were handed to the kernel."""
        sent, size = 0, self.umem.frame_size
        most = size * (MAX_FRAMES if self.multi_buffer else 1)
        for packet in packets:
            if not 14 <= len(packet) <= most:
                text = f"a packet of {len(packet)} bytes is no frame of 14 to {most}"
                raise KernelError(text, errno.EMSGSIZE)
        while sent < len(packets):
            each = -(-len(packets[sent]) // size)
            count = self._sendable(timeout, each)
            if not count:
                break
            rows: list[tuple[int, int, int]] = []
            while sent < len(packets) and len(rows) + -(-len(packets[sent]) // size) <= count:
                rows += self._filled(packets[sent])
                sent += 1
            self._transmit(rows)
        return sent

    def _filled(self, packet: bytes | bytearray | memoryview) -> list[tuple[int, int, int]]:
        """The descriptors of a packet, which is copied into free frames."""
        data, free, size = self.umem.data, self.umem.free, self.umem.frame_size
        length = len(packet)
        if length <= size:
            at = free.pop()
            data[at : at + length] = packet
            return [(at, length, 0)]
        rows = []
        for start in range(0, length, size):
            at, part = free.pop(), packet[start : start + size]
            data[at : at + len(part)] = part
            rows.append((at, len(part), CONTINUED if start + size < length else 0))
        return rows

    def send_frames(self, frames: Sequence[Frame], timeout: float | None = None) -> int:
        """Send frames as they are, without a copy: those of receive_frames() or Umem.take(), their
        `data` cut to the packet. They are the kernel's then; how many it took."""
        sent = 0
        while sent < len(frames):
            count = self._sendable(timeout, copied=False)
            if not count:
                break
            part = frames[sent : sent + count]
            self._transmit([(at, len(data), CONTINUED * more) for data, at, more in part])
            sent += len(part)
        return sent

    def _sendable(self, timeout: float | None, least: int = 1, copied: bool = True) -> int:
        """How many frames there is room for, and (`copied`) are free; waited for until there are
        as many as a packet takes."""
        if self._tx is None:
            raise KernelError("this AF_XDP socket was made without a transmit ring", errno.EINVAL)
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            self.complete()
            room = self._tx.size - self._tx.used
            room = min(room, len(self.umem.free)) if copied else room
            if room >= least:
                return room
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                return 0
            self._kick()
            poll = select.poll()
            poll.register(self._socket.fileno(), select.POLLOUT)
            if poll.poll(10):  # the ring has room, so it is frames that are missing: not yet sent
                time.sleep(SENDING)

    def _transmit(self, rows: Sequence[tuple[int, int, int]]) -> None:
        assert self._tx is not None
        self._tx.put_descriptors(rows)
        self._kick()

    def _kick(self) -> None:
        """Have the kernel send; in copy mode it does some 32 packets each time."""
        assert self._tx is not None
        while self._tx.used and (self._tx.needs_wakeup or not self._needs_wakeup):
            before = self._tx.used
            try:
                self._socket.send(b"", socket.MSG_DONTWAIT)
            except OSError as error:
                if error.errno not in BUSY:
                    raise refused(error, f"send on queue {self.queue} of {self.dev}") from None
            self.complete()
            if self._tx.used >= before:
                return

    def complete(self) -> int:
        """Take back the frames that are sent; how many."""
        if self._closed:
            return 0
        mask = ~(self.umem.frame_size - 1)
        done = self._completion.get_addresses()
        self.umem.free += [at & mask for at in done]
        return len(done)

    # -- the socket ------------------------------------------------------------------------------

    @property
    def zero_copy(self) -> bool:
        """Whether driver and socket share the frames. Since Linux 5.3."""
        return bool(struct.unpack("=I", self._socket.getsockopt(SOL_XDP, OPTIONS, 4))[0] & 1)

    @property
    def statistics(self) -> Statistics:
        """What was dropped so far, and why."""
        raw = self._socket.getsockopt(SOL_XDP, STATISTICS, 48)
        return Statistics(*struct.unpack(f"={len(raw) // 8}Q", raw))

    def fileno(self) -> int:
        """The descriptor, which is the value to put into an xskmap."""
        return self._socket.fileno()

    @property
    def closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        """Close the socket; others that share its umem go on."""
        if self._closed:
            return
        self._closed = True
        umem = self.umem
        if self in umem.sockets:
            umem.sockets.remove(self)
        rings = list(self._rings.values())
        if all(other._place != self._place for other in umem.sockets):
            rings += umem.rings.pop(self._place, ())
        for ring in rings:
            ring.close()
        self._socket.close()
        if self._own_umem:
            umem.close()

    def __enter__(self) -> XdpSocket:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _address(view: Any) -> int:
    import ctypes

    return ctypes.addressof(ctypes.c_char.from_buffer(view))
