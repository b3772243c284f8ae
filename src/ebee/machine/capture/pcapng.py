"""The pcapng format: sections of blocks, among them interfaces and packets.

Source: draft-ietf-opsawg-pcapng. Blocks without packets (names, statistics, secrets, custom and
unknown ones) are checked for length and skipped.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from math import gcd
from mmap import mmap
from struct import Struct
from typing import Final

from ebee.machine.capture.index import Clock, Indexer, clock_words
from ebee.machine.capture.packet import LARGEST, Batch, Damaged, Interface

SECTION: Final = 0x0A0D0D0A  # reads the same in both byte orders
INTERFACE: Final = 1
OLD_PACKET: Final = 2
SIMPLE_PACKET: Final = 3
ENHANCED_PACKET: Final = 6
# Block type -> its name and the least bytes it takes, lengths and trailer included.
BLOCKS: Final = {
    SECTION: ("a section header", 28),
    INTERFACE: ("an interface description", 20),
    OLD_PACKET: ("a packet", 32),
    SIMPLE_PACKET: ("a simple packet", 16),
    ENHANCED_PACKET: ("an enhanced packet", 32),
}
BYTE_ORDER: Final = 0x1A2B3C4D

OPT_END: Final = 0
OPT_COMMENT: Final = 1
SHB_USERAPPL: Final = 4
IF_NAME: Final = 2
IF_TSRESOL: Final = 9
IF_FCSLEN: Final = 13
IF_TSOFFSET: Final = 14
# Interface options that ebee reads -> their length in bytes.
SIZED: Final = {IF_TSRESOL: 1, IF_FCSLEN: 1, IF_TSOFFSET: 8}


def block_name(kind: int) -> str:
    return f"{BLOCKS[kind][0]} block" if kind in BLOCKS else f"a block of type {kind:#x}"


class PcapngScanner:
    """Finds the packets of a pcapng file in buffers that are handed over one after the other."""

    format: Final = "pcapng"

    def __init__(self) -> None:
        self.interfaces: list[Interface] = []
        self._section = 0  # index of the current section's first interface
        self._clocks: list[Clock] = []  # per interface of this section
        self._clock_words = array("Q")  # the same for compiled code
        self._indexer = Indexer("pcapng_run")
        self._comments: dict[bytes, str] = {}  # comments repeat: keep one string of each
        self._use("<")

    def _use(self, order: str) -> None:
        """Read what follows in this byte order."""
        self._order = order
        self._pair = Struct(order + "II").unpack_from
        self._word = Struct(order + "I").unpack_from
        self._enhanced = Struct(order + "IIIIIII").unpack_from
        self._old_packet = Struct(order + "8xHHIIII").unpack_from
        self._option = Struct(order + "HH").unpack_from

    def scan(self, buffer: mmap | bytearray, pos: int, end: int, batch: Batch, limit: int) -> int:
        """Append packets of `buffer[pos:end]` until `batch` has `limit`; return where it stopped.

        It stops short of `end` at what is not there in full, or at a packet too many.
        """
        self._indexer.begin()
        pos = self._scan(buffer, pos, end, batch, limit)
        self._indexer.end(batch)
        return pos

    def _scan(self, buffer: mmap | bytearray, pos: int, end: int, batch: Batch, limit: int) -> int:
        while True:
            pos = self._common(buffer, pos, end, batch, limit)
            if end - pos < 12:
                return pos
            kind, length = self._pair(buffer, pos)
            if kind == SECTION:
                length = self._byte_order(buffer, pos)
            after = pos + length
            if length % 4 or not 12 <= length <= LARGEST:
                raise Damaged(pos, f"{block_name(kind)} cannot have a length of {length}")
            if after > end:
                return pos
            (trailer,) = self._word(buffer, after - 4)
            if trailer != length:
                text = f"{block_name(kind)} of {length} bytes says {trailer} at its end"
                raise Damaged(after - 4, text)
            if kind in BLOCKS:
                if length < BLOCKS[kind][1]:
                    raise Damaged(pos, f"{block_name(kind)} cannot have a length of {length}")
                if kind == SECTION:
                    self._begin_section(buffer, pos)
                elif kind == INTERFACE:
                    self._add_interface(buffer, pos, after - 4)
                elif len(batch) == limit:
                    return pos
                else:
                    self._add_packet(buffer, pos, after - 4, batch, kind)
            pos = after

    def _common(
        self, buffer: mmap | bytearray, pos: int, end: int, batch: Batch, limit: int
    ) -> int:
        """Add sound enhanced packets without comments, up to whatever else comes."""
        indexer = self._indexer
        while True:
            if len(batch) >= indexer.due:
                pos = indexer.run(
                    buffer, pos, end, batch, limit, self._order, clocks=self._clock_words,
                    interfaces_known=len(self._clocks), first=self._section,
                )  # fmt: skip
            bound = min(limit, max(indexer.due, len(batch) + 1))
            pos = self._run(buffer, pos, end, batch, bound)
            if len(batch) < bound or bound == limit:
                return pos

    def _run(self, buffer: mmap | bytearray, pos: int, end: int, batch: Batch, limit: int) -> int:
        """The same in Python, and without any options."""
        unpack, word, clocks, base = self._enhanced, self._word, self._clocks, self._section
        add_stamp, add_length = batch.stamps.append, batch.lengths.append
        add_orig, add_interface = batch.orig_lens.append, batch.interfaces.append
        add_offset = batch.offsets.append
        for _ in range(limit - len(batch)):
            if end - pos < 32:
                break
            kind, size, interface, high, low, length, orig = unpack(buffer, pos)
            after = pos + size
            if (
                kind != ENHANCED_PACKET
                or size != 32 + (length + 3 & ~3)
                or size > LARGEST
                or after > end
                or interface >= len(clocks)
                or word(buffer, after - 4)[0] != size
            ):
                break
            times, over, plus = clocks[interface]
            stamp = (high << 32 | low) * times // over + plus
            if not 0 <= stamp < 1 << 64:
                break
            add_stamp(stamp)
            add_length(length)
            add_orig(orig)
            add_interface(base + interface)
            add_offset(pos + 28)
            pos = after
        return pos

    def missing(self, buffer: mmap | bytearray, pos: int, end: int) -> str:
        """What was expected at `pos`, where the file ends too early."""
        have = end - pos
        if have < 12:
            return f"a block takes at least 12 bytes, the file ends after {have}"
        kind, length = self._pair(buffer, pos)
        return f"{block_name(kind)} of {length} bytes, the file ends after {have} of them"

    def _byte_order(self, buffer: mmap | bytearray, pos: int) -> int:
        """Take over the byte order of the section that begins at `pos`; return its length field."""
        for order in "<>":
            if Struct(order + "8xI").unpack_from(buffer, pos) == (BYTE_ORDER,):
                self._use(order)
                length: int = self._pair(buffer, pos)[1]
                return length
        raise Damaged(pos + 8, f"the section's byte-order magic is not {BYTE_ORDER:#x}")

    def _begin_section(self, buffer: mmap | bytearray, pos: int) -> None:
        major, minor = Struct(self._order + "12xHH").unpack_from(buffer, pos)
        if major != 1:
            raise Damaged(pos + 12, f"pcapng version {major}.{minor}, ebee reads 1.x")
        self._section = len(self.interfaces)
        self._clocks, self._clock_words = [], array("Q")

    def _add_interface(self, buffer: mmap | bytearray, pos: int, end: int) -> None:
        linktype, snaplen = Struct(self._order + "8xHxxI").unpack_from(buffer, pos)
        options = {IF_NAME: b"", IF_TSRESOL: b"\x06", IF_TSOFFSET: bytes(8), IF_FCSLEN: b"\0"}
        for code, value in self._options(buffer, pos + 16, end):
            if len(value) != SIZED.get(code, len(value)):
                raise Damaged(pos, f"an interface option {code} of {len(value)} bytes")
            options[code] = value
        power = options[IF_TSRESOL][0]
        resolution = 2 ** (power & 0x7F) if power & 0x80 else 10**power
        (offset,) = Struct(self._order + "q").unpack(options[IF_TSOFFSET])
        common = gcd(resolution, 1_000_000_000)
        clock = (1_000_000_000 // common, resolution // common, offset * 1_000_000_000)
        self._clocks.append(clock)
        self._clock_words.extend(clock_words(clock))
        name = options[IF_NAME].decode(errors="replace")
        fcs_len = options[IF_FCSLEN][0]
        self.interfaces.append(Interface(linktype, snaplen, name, resolution, offset, fcs_len))

    def _add_packet(
        self, buffer: mmap | bytearray, pos: int, end: int, batch: Batch, kind: int
    ) -> None:
        if kind == ENHANCED_PACKET:
            _, _, interface, high, low, length, orig = self._enhanced(buffer, pos)
            data = pos + 28
        elif kind == OLD_PACKET:
            interface, _, high, low, length, orig = self._old_packet(buffer, pos)
            data = pos + 28
        else:
            interface = high = low = 0
            (orig,) = self._word(buffer, pos + 8)
            data = pos + 12
        if interface >= len(self._clocks):
            raise Damaged(
                pos,
                f"a packet of interface {interface}, the section has {len(self._clocks)} so far",
            )
        if kind == SIMPLE_PACKET:
            length = min(orig, self.interfaces[self._section].snaplen or orig)
            stamp = 0
        else:
            times, over, plus = self._clocks[interface]
            stamp = (high << 32 | low) * times // over + plus
        options = data + (length + 3 & ~3)
        if options > end:
            text = f"{block_name(kind)} claims {length} bytes of packet, it has {end - data}"
            raise Damaged(pos, text)
        if not 0 <= stamp < 1 << 64:
            raise Damaged(pos, f"a time of {stamp} ns, not between 1970 and 2554")
        if options < end and kind != SIMPLE_PACKET:
            self._add_comments(buffer, options, end, batch)
        batch.stamps.append(stamp)
        batch.lengths.append(length)
        batch.orig_lens.append(orig)
        batch.interfaces.append(self._section + interface)
        batch.offsets.append(data)

    def _add_comments(self, buffer: mmap | bytearray, pos: int, end: int, batch: Batch) -> None:
        texts = [value for code, value in self._options(buffer, pos, end) if code == OPT_COMMENT]
        if texts:
            raw = b"\n".join(texts)
            if len(self._comments) >= 4096:
                self._comments.clear()
            text = self._comments.setdefault(raw, raw.decode(errors="replace"))
            batch.comments[len(batch)] = text

    def _options(self, buffer: mmap | bytearray, pos: int, end: int) -> Iterator[tuple[int, bytes]]:
        while pos < end:
            code, length = self._option(buffer, pos)
            if code == OPT_END:
                return
            after = pos + 4 + (length + 3 & ~3)
            if after > end:
                raise Damaged(pos, f"option {code} of {length} bytes reaches past its block")
            yield code, bytes(buffer[pos + 4 : pos + 4 + length])
            pos = after
