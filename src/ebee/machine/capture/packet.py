"""What a capture holds: packets, their interfaces, and batches of packets with an index."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from mmap import mmap
from typing import NamedTuple

from ebee.machine.capture.linktypes import linktype_name

# No packet, and no block of a capture, is larger than this (D-Bus messages are the largest kind,
# at 128 MiB): a bound on what a damaged length can make us wait for or keep in memory.
LARGEST = 128 << 20
# What a record may hold whatever snapshot length the file header states (as libpcap has it).
SNAPLEN = 256 << 10


class Damaged(Exception):
    """Something wrong at `position` of a buffer; the reader, who knows the file, names it."""

    def __init__(self, position: int, message: str):
        super().__init__(message)
        self.position = position


class Packet(NamedTuple):
    """One packet of a capture."""

    ts_ns: int
    """Time of arrival in nanoseconds since 1970 (UTC); 0 where the format keeps none."""
    data: bytes
    """The bytes that were captured."""
    orig_len: int = 0
    """The packet's length on the wire; more than `len(data)` when the capture cut it."""
    interface: int = 0
    """Index into `Capture.interfaces`."""
    comment: str = ""
    """The comments that the file gives this packet, a line each."""


@dataclass(frozen=True)
class Interface:
    """Where packets were captured, and how they and their times are written down."""

    linktype: int
    snaplen: int = 0
    """Most bytes kept of one packet; 0 means no limit."""
    name: str = ""
    resolution: int = 1_000_000
    """Ticks of the stored time per second."""
    offset: int = 0
    """Seconds to add to every stored time."""
    fcs_len: int = 0
    """Bytes of frame check sequence at the end of each packet."""

    @property
    def linktype_name(self) -> str:
        return linktype_name(self.linktype)


@dataclass
class Batch:
    """A run of packets that lie in one buffer, as an index that needs no Python object per packet.

    The arrays have one element per packet and stay where they are while the batch lives.
    """

    buffer: mmap | bytearray
    offsets: array[int] = field(default_factory=lambda: array("Q"))
    """Where each packet's bytes begin in `buffer`."""
    lengths: array[int] = field(default_factory=lambda: array("I"))
    """Bytes captured of each packet."""
    orig_lens: array[int] = field(default_factory=lambda: array("I"))
    """Bytes each packet had on the wire."""
    stamps: array[int] = field(default_factory=lambda: array("Q"))
    """Nanoseconds since 1970."""
    interfaces: array[int] = field(default_factory=lambda: array("I"))
    comments: dict[int, str] = field(default_factory=dict)
    """Position in the batch -> comment, for the packets that have one."""

    def __len__(self) -> int:
        return len(self.offsets)

    def __getitem__(self, at: int) -> Packet:
        start = self.offsets[at]
        return Packet(
            self.stamps[at],
            bytes(self.buffer[start : start + self.lengths[at]]),
            self.orig_lens[at],
            self.interfaces[at],
            self.comments.get(at % len(self), "") if self.comments else "",
        )

    def __iter__(self) -> Iterator[Packet]:
        return map(self.__getitem__, range(len(self)))
