"""Reading captures: files through a memory map, compressed ones and pipes as a stream."""

from __future__ import annotations

import gzip
import os
import stat
import sys
import zlib
from collections.abc import Iterator
from contextlib import suppress
from mmap import ACCESS_READ, mmap
from types import TracebackType
from typing import Any, BinaryIO, Final, Protocol

from ebee.errors import CaptureError
from ebee.machine.capture.packet import Batch, Damaged, Interface, Packet
from ebee.machine.capture.pcap import PcapScanner, foreign, is_pcap
from ebee.machine.capture.pcapng import SECTION, PcapngScanner

GZIP: Final = b"\x1f\x8b"
# What else people hand to a packet tool, by its first bytes.
OTHERS: Final = {
    b"\x28\xb5\x2f\xfd": "zstd-compressed data (unpack it first: zstd -d FILE)",
    b"\xfd7zXZ": "xz-compressed data (unpack it first: xz -d FILE)",
    b"BZh": "bzip2-compressed data (unpack it first: bzip2 -d FILE)",
    b"\x04\x22\x4d\x18": "lz4-compressed data (unpack it first: lz4 -d FILE)",
    b"PK\x03\x04": "a zip archive (unpack it first)",
    b"snoop\0": "a snoop capture (convert it: editcap -F pcapng IN OUT)",
    b"btsnoop\0": "a Bluetooth snoop capture",
    b"GMBU": "a Network Monitor capture (convert it: editcap -F pcapng IN OUT)",
    b"RTSS": "a Network Monitor capture (convert it: editcap -F pcapng IN OUT)",
    b"\x7fELF": "an ELF object, not a capture",
}
CHUNK: Final = 1 << 20
BATCH: Final = 1 << 14

Scanner = PcapScanner | PcapngScanner


class _Source(Protocol):
    """The bytes of a capture, of which `buffer` shows a part: all, or a window moving on."""

    buffer: Any
    base: int
    """The file offset of the buffer's first byte."""

    def more(self, pos: int) -> bool:
        """Get more bytes, keeping those from `pos` on (now at 0); False when there are none."""

    def progress(self, pos: int) -> float | None:
        """How much of the file lies before `pos`, 0 to 1; None if nobody can know."""


class _Mapped:
    """A regular file, mapped whole. Read-only, so a capture larger than memory is fine."""

    base = 0

    def __init__(self, buffer: mmap):
        self.buffer = buffer

    def more(self, pos: int) -> bool:
        return False

    def progress(self, pos: int) -> float:
        return pos / len(self.buffer)


class _Stream:
    """A pipe or a compressed file: its window is a buffer of its own for every batch."""

    def __init__(self, file: BinaryIO, name: str, packed: BinaryIO | None = None):
        self.buffer = bytearray()
        self.base = 0
        self._name = name
        self._packed = packed  # the regular file that all this comes out of
        self._read = getattr(file, "read1", file.read)  # read1: what a live pipe has right now
        self._problem: Exception | None = None

    def progress(self, pos: int) -> float | None:
        if self._packed is None:
            return None
        return self._packed.tell() / max(os.fstat(self._packed.fileno()).st_size, 1)

    def more(self, pos: int) -> bool:
        new = bytearray()
        try:
            while not self._problem and (data := self._read(CHUNK)):
                new += data
                if not self._packed or len(new) >= CHUNK:
                    break
        except (OSError, EOFError, zlib.error) as error:
            self._problem = error  # to be told when all that came before it has been read
        if not new:
            if self._problem:
                where = f"{self._name} past offset {self.base + len(self.buffer)}"
                raise CaptureError(f"cannot read {where}: {self._problem}") from None
            return False
        if pos:  # batches may refer to the old buffer: leave it to them
            self.buffer = self.buffer[pos:]
            self.base += pos
        self.buffer += new
        return True


class Capture:
    """A pcap or pcapng capture, read lazily; iterate over it for its packets.

    Regular files are mapped into memory and can be read again, counted and indexed; compressed
    ones (gzip) can be read again; pipes can be read once. Damage raises CaptureError
    where it is met: the packets before it have been delivered by then. A file may grow while it is
    read (what is new is not seen), but must not shrink.
    """

    def __init__(self, file: BinaryIO, name: str, *, ours: bool, reopenable: bool):
        self.name = name
        self.progress: float | None = None
        """How much of the file the packets delivered so far make up, 0 to 1; None for pipes."""
        self._file = file
        self._ours = ours
        self._reopenable = reopenable
        self._map: mmap | None = None
        self._index: Batch | None = None
        self._begun: tuple[_Source, Scanner, int] | None = self._begin()
        self._scanner = self._begun[1]

    @classmethod
    def open(cls, path: str | os.PathLike[str] | BinaryIO) -> Capture:
        """Open a capture by path (`-` is standard input), or take a binary file object.

        Raises CaptureError when it cannot be read or is no capture that ebee knows.
        """
        if not isinstance(path, (str, os.PathLike)):
            name = str(getattr(path, "name", "stream"))
            return cls(path, name, ours=False, reopenable=False)
        if os.fspath(path) == "-":
            return cls(sys.stdin.buffer, "standard input", ours=False, reopenable=False)
        try:
            file = open(path, "rb")  # noqa: SIM115 (closed by close)
        except OSError as error:
            raise CaptureError(f"cannot open capture {path}: {error.strerror}") from None
        try:
            regular = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
            return cls(file, os.fspath(path), ours=True, reopenable=regular)
        except BaseException:
            file.close()
            raise

    @property
    def format(self) -> str:
        """`pcap` or `pcapng`."""
        return self._scanner.format

    @property
    def interfaces(self) -> list[Interface]:
        """The interfaces met so far. A pcapng file may declare more between its packets."""
        return self._scanner.interfaces

    @property
    def linktype(self) -> int:
        """The one link type of all interfaces met so far; CaptureError if there is not just one."""
        kinds = {interface.linktype: interface.linktype_name for interface in self.interfaces}
        if len(kinds) != 1:
            what = f"mixes link types ({', '.join(kinds.values())})" if kinds else "is empty"
            raise CaptureError(f"{self.name} {what}: it has no one link type")
        return next(iter(kinds))

    def batches(self, limit: int = BATCH) -> Iterator[Batch]:
        """The packets as batches of at most `limit`, in order; a live pipe gives what it has."""
        if self._file.closed:
            raise CaptureError(f"{self.name} has been closed")
        begun, self._begun = self._begun, None
        if not (begun or self._reopenable):
            raise CaptureError(f"{self.name} is a stream: its packets can be read only once")
        source, self._scanner, pos = begun or self._begin()
        scanner, limit = self._scanner, max(limit, 1)
        while True:
            batch, problem = Batch(source.buffer), None
            try:
                pos = scanner.scan(source.buffer, pos, len(source.buffer), batch, limit)
            except Damaged as damage:
                problem = self._damaged(source, damage.position, str(damage))
            self.progress = source.progress(pos)
            if len(batch):
                yield batch
            if problem:
                raise problem
            if len(batch) < limit:
                if not source.more(pos):
                    break
                pos = 0
        if pos < len(source.buffer):
            text = scanner.missing(source.buffer, pos, len(source.buffer))
            raise self._damaged(source, pos, f"truncated: {text}")

    def __iter__(self) -> Iterator[Packet]:
        for batch in [self._index] if self._index else self.batches():
            yield from batch

    @property
    def index(self) -> Batch:
        """All packets as one batch, found in one pass and kept; only for uncompressed files."""
        if self._index is None:
            if self._map is None:
                raise CaptureError(
                    f"{self.name} is read as a stream and has no index: go through its batches, "
                    "or unpack it into a file"
                )
            found = list(self.batches(sys.maxsize))
            self._index = found[0] if found else Batch(self._map)
        return self._index

    def __len__(self) -> int:
        """How many packets there are; costs a pass over the file, the first time."""
        if self._map is None:  # a TypeError, so that list() just goes on without knowing
            raise TypeError(f"{self.name} is read as a stream: its packets are not counted")
        return len(self.index)

    def __getitem__(self, at: int) -> Packet:
        return self.index[at]

    def close(self) -> None:
        """Close the file, if it was opened here. Packets stay valid, batches of a mapped file do
        not."""
        self._index = self._begun = None
        if self._map is not None:
            with suppress(BufferError):  # native code still looks at it: it goes with that
                self._map.close()
        if self._ours:
            self._file.close()

    def __enter__(self) -> Capture:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _damaged(self, source: _Source, pos: int, text: str) -> CaptureError:
        return CaptureError(f"{self.name}: at offset {source.base + pos}: {text}")

    def _begin(self) -> tuple[_Source, Scanner, int]:
        """Start over: a source and a scanner that has read up to the first packet."""
        source = self._source()
        start = bytes(source.buffer[:8])
        if is_pcap(start):
            scanner: Scanner = PcapScanner()
        elif start[:4] == SECTION.to_bytes(4, "big"):
            scanner = PcapngScanner()
        else:
            raise CaptureError(f"{self.name} is not a capture: {_guess(start)}")
        pos = 0
        while True:
            try:
                pos = scanner.scan(source.buffer, pos, len(source.buffer), Batch(bytearray()), 0)
            except Damaged as damage:
                raise self._damaged(source, damage.position, str(damage)) from None
            if scanner.interfaces or not source.more(pos):
                break
            pos = 0
        if not scanner.interfaces and pos < len(source.buffer):
            text = scanner.missing(source.buffer, pos, len(source.buffer))
            raise self._damaged(source, pos, f"truncated: {text}")
        return source, scanner, pos

    def _source(self) -> _Source:
        if self._map is not None:
            return _Mapped(self._map)
        if self._reopenable:
            self._file.seek(0)
            if self._file.read(len(GZIP)) == GZIP:
                unpacked = gzip.GzipFile(self.name)  # each pass has its own position in the file
                return self._filled(unpacked, packed=unpacked.fileobj)
            try:
                self._map = mmap(self._file.fileno(), 0, access=ACCESS_READ)
            except (OSError, ValueError) as error:
                why = "the file is empty" if isinstance(error, ValueError) else str(error)
                raise CaptureError(f"{self.name} is not a capture: {why}") from None
            return _Mapped(self._map)
        stream = self._filled(self._file)
        if stream.buffer[:2] == GZIP:
            rest: Any = _Chained(stream.buffer, self._file)
            return self._filled(gzip.GzipFile(fileobj=rest, mode="rb"))
        return stream

    def _filled(self, file: Any, packed: Any = None) -> _Stream:
        """A stream with enough read to tell what it is."""
        stream = _Stream(file, self.name, packed)
        while len(stream.buffer) < 8 and stream.more(0):
            pass
        return stream


class _Chained:
    """A readable of some bytes that were read already and the file they came from."""

    def __init__(self, first: bytearray, rest: BinaryIO):
        self._first = bytes(first)
        self._rest = rest

    def read(self, size: int = -1) -> bytes:
        if self._first:
            data, self._first = self._first[:size], self._first[size:]
            return data
        return self._rest.read(size)


def _guess(start: bytes) -> str:
    """What a file that begins like this is, as far as we know."""
    if not start:
        return "there is nothing in it"
    known = foreign(start) or next((OTHERS[m] for m in OTHERS if start.startswith(m)), None)
    if known:
        return f"this is {known}"
    return f"it begins with {start[:4].hex(' ')}, which is neither pcap nor pcapng"
