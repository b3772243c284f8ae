"""Writing captures, with nanosecond times; pcapng also with a comment per packet."""

from __future__ import annotations

import gzip
import os
import struct
import sys
from contextlib import suppress
from types import TracebackType
from typing import Any, BinaryIO, Final

from ebee.errors import CaptureError
from ebee.machine.capture import pcap, pcapng
from ebee.machine.capture.linktypes import ETHERNET
from ebee.machine.capture.packet import SNAPLEN, Packet

Data = bytes | bytearray | memoryview

BUFFER: Final = 2 << 20
"""Bytes that are written to a file at once. The page cache keeps in one piece what comes in one
piece, and to map a few large pieces into a reader's memory takes a tenth of the time."""


class CaptureWriter:
    """Writes packets to a capture file.

    `path` is a file name (`-` is standard output; a name that ends in `.gz` is compressed) or a
    binary file object. `format` is `pcapng` or `pcap`; by default a name ending in `.pcap` or
    `.pcap.gz` gives pcap, everything else pcapng. Packets are cut to `snaplen` bytes.
    Both formats are written little-endian with times in nanoseconds.

    >>> with CaptureWriter("out.pcapng") as out:                          # doctest: +SKIP
    ...     out.write(frame, ts_ns=1_700_000_000_123_456_789, comment="XDP_DROP")
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | BinaryIO,
        format: str | None = None,
        linktype: int = ETHERNET,
        snaplen: int = SNAPLEN,
        name: str = "",
    ):
        self.name = str(path if isinstance(path, (str, os.PathLike)) else path.__class__.__name__)
        if format is None:
            format = "pcap" if self.name.removesuffix(".gz").endswith(".pcap") else "pcapng"
        if format not in ("pcap", "pcapng"):
            raise CaptureError(f"cannot write a capture as {format}: give pcap or pcapng")
        if not 0 < snaplen < 1 << 32:
            raise CaptureError(f"a snapshot length of {snaplen} makes no sense")
        self._check_linktype(linktype)
        self.format = format
        self.linktypes: list[int] = []
        self._snaplen = snaplen
        self._opened: list[BinaryIO] = []  # what close() must close, in this order
        self._closed = False
        self._file = self._open(path)
        if format == "pcap":
            self._put(
                struct.pack("<" + pcap.HEADER, pcap.NANOSECONDS, 2, 4, 0, 0, snaplen, linktype)
            )
            self.linktypes.append(linktype)
        else:
            section = struct.pack("<IHHq", pcapng.BYTE_ORDER, 1, 0, -1)
            self._put(_block(pcapng.SECTION, section, {pcapng.SHB_USERAPPL: b"ebee"}))
            self.add_interface(linktype, name)

    def add_interface(self, linktype: int = ETHERNET, name: str = "") -> int:
        """Declare one more interface (pcapng only); returns its index, for `write`."""
        if self.format == "pcap":
            raise CaptureError(f"cannot write {self.name}: pcap has one interface, pcapng has many")
        self._check_linktype(linktype)
        options = {pcapng.IF_TSRESOL: b"\x09"}
        if name:
            options[pcapng.IF_NAME] = name.encode()
        body = struct.pack("<HHI", linktype, 0, self._snaplen)
        self._put(_block(pcapng.INTERFACE, body, options))
        self.linktypes.append(linktype)
        return len(self.linktypes) - 1

    def write(
        self,
        data: Data,
        ts_ns: int = 0,
        orig_len: int | None = None,
        comment: str = "",
        interface: int = 0,
    ) -> None:
        """Add a packet; `orig_len` is its length on the wire, if `data` is only a part of it.

        Raises CaptureError for what the format cannot hold: a comment or a time past 2106 in
        pcap, an interface that was not declared.
        """
        orig = len(data) if orig_len is None else orig_len
        data = bytes(data[: self._snaplen])
        if not 0 <= interface < len(self.linktypes):
            raise CaptureError(f"cannot write to {self.name}: it has no interface {interface}")
        if not len(data) <= orig < 1 << 32:
            text = f"a packet of {len(data)} bytes, originally {orig}"
            raise CaptureError(f"cannot write to {self.name}: {text}")
        if self.format == "pcap":
            if comment:
                raise CaptureError(f"cannot write to {self.name}: pcap has no comments, use pcapng")
            seconds, fraction = divmod(ts_ns, 1_000_000_000)
            self._check_time(ts_ns, seconds, 32)
            self._put(struct.pack("<" + pcap.RECORD, seconds, fraction, len(data), orig) + data)
            return
        self._check_time(ts_ns, ts_ns, 64)
        note = comment.encode(errors="replace")
        if len(note) > 0xFFFF:
            raise CaptureError(f"cannot write to {self.name}: a comment of {len(note)} bytes")
        head = struct.pack("<IIIII", interface, ts_ns >> 32, ts_ns & 0xFFFFFFFF, len(data), orig)
        options = {pcapng.OPT_COMMENT: note} if note else {}
        self._put(_block(pcapng.ENHANCED_PACKET, head + _padded(data), options))

    def write_packet(self, packet: Packet) -> None:
        """Add a packet that was read elsewhere; its comment is left out where there are none."""
        comment = packet.comment if self.format == "pcapng" else ""
        self.write(packet.data, packet.ts_ns, packet.orig_len, comment, packet.interface)

    def flush(self) -> None:
        """Hand everything written so far to the system, so that others can read it."""
        try:
            self._file.flush()
        except OSError as error:
            raise self._failed(error) from None

    def close(self) -> None:
        """Finish and close the file (one that was passed in stays open). May be called twice."""
        if self._closed:
            return
        self._closed = True
        try:
            self._file.flush()
            for file in self._opened:
                file.close()
        except OSError as error:
            for file in self._opened:
                with suppress(OSError):
                    file.close()
            raise self._failed(error) from None

    def __enter__(self) -> CaptureWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _open(self, path: str | os.PathLike[str] | BinaryIO) -> BinaryIO:
        if not isinstance(path, (str, os.PathLike)):
            return path
        if os.fspath(path) == "-":
            return sys.stdout.buffer
        try:
            file: BinaryIO = open(path, "wb", _buffer(path))  # noqa: SIM115 (closed by close)
        except OSError as error:
            raise CaptureError(f"cannot create capture {path}: {error.strerror}") from None
        self._opened.append(file)
        if self.name.endswith(".gz"):
            # No name and time inside: the same packets give the same file.
            packer: Any = gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0)
            self._opened.insert(0, packer)
            return packer  # type: ignore[no-any-return]
        return file

    def _put(self, data: bytes) -> None:
        try:
            self._file.write(data)
        except OSError as error:
            raise self._failed(error) from None

    def _failed(self, error: OSError) -> CaptureError:
        return CaptureError(f"cannot write to {self.name}: {error.strerror or error}")

    def _check_linktype(self, linktype: int) -> None:
        if not 0 <= linktype <= 0xFFFF:
            raise CaptureError(f"cannot write to {self.name}: {linktype} is no link type")

    def _check_time(self, ts_ns: int, value: int, bits: int) -> None:
        if not 0 <= value < 1 << bits:
            text = f"{self.format} cannot hold a time of {ts_ns} ns"
            raise CaptureError(f"cannot write to {self.name}: {text}")


def _buffer(path: str | os.PathLike[str]) -> int:
    """How much of a file is written at once; of a pipe or a device as usual, since somebody waits
    for it at the other end."""
    return BUFFER if not os.path.exists(path) or os.path.isfile(path) else -1


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def _block(kind: int, body: bytes, options: dict[int, bytes]) -> bytes:
    """A pcapng block: its length stands at both ends, options follow the body."""
    if options:
        for code, value in options.items():
            body += struct.pack("<HH", code, len(value)) + _padded(value)
        body += bytes(4)  # end of options
    length = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + length + body + length
