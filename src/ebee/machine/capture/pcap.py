"""The classic pcap format: a file header, then records of one packet each.

Source: draft-ietf-opsawg-pcap. The magic number tells byte order and unit of the times.
"""

from __future__ import annotations

from mmap import mmap
from struct import Struct
from typing import Final

from ebee.machine.capture.index import Indexer
from ebee.machine.capture.packet import LARGEST, SNAPLEN, Batch, Damaged, Interface

MICROSECONDS: Final = 0xA1B2C3D4
NANOSECONDS: Final = 0xA1B23C4D
# Formats of other tools that only look like pcap: their record headers differ.
FOREIGN: Final = {
    0xA1B2CD34: "modified pcap (Kuznetzov's patched libpcap)",
    0xA1B234CD: "modified pcap (Mesquita's patched libpcap)",
    0xA12B3C4D: "modified pcap (Navtel)",
    0x1C0001AC: "Ixia hardware capture (lcap)",
    0x1C0001AB: "Ixia software capture (lcap)",
}
HEADER: Final = "IHHIIII"  # magic, major, minor, zone, accuracy, snapshot length, link type
RECORD: Final = "IIII"  # seconds, fraction, captured length, original length


def is_pcap(start: bytes) -> bool:
    return any(
        int.from_bytes(start[:4], order) in (MICROSECONDS, NANOSECONDS)
        for order in ("little", "big")
    )


def foreign(start: bytes) -> str | None:
    """The name of the pcap dialect that begins like this and that ebee does not read."""
    little, big = int.from_bytes(start[:4], "little"), int.from_bytes(start[:4], "big")
    return FOREIGN.get(little) or FOREIGN.get(big)


class PcapScanner:
    """Finds the packets of a pcap file in buffers that are handed over one after the other."""

    format: Final = "pcap"

    def __init__(self) -> None:
        self.interfaces: list[Interface] = []
        self._indexer = Indexer("pcap_run")
        self._order = "<"
        self._record = Struct("<" + RECORD)
        self._fraction = 0  # nanoseconds in the unit of a record's second field
        self._largest = 0

    def scan(self, buffer: mmap | bytearray, pos: int, end: int, batch: Batch, limit: int) -> int:
        """Append packets of `buffer[pos:end]` until `batch` has `limit`; return where it stopped.

        It stops short of `end` at what is not there in full.
        """
        if not self.interfaces:
            if end - pos < 24:
                return pos
            self._header(buffer, pos)
            pos += 24
        indexer, largest, unit = self._indexer, self._largest, self._fraction
        indexer.begin()
        while True:
            pos = indexer.run(
                buffer, pos, end, batch, limit, self._order, largest=largest, unit=unit
            )
            bound = min(limit, max(indexer.due, len(batch) + 1))
            pos = self._walk(buffer, pos, end, batch, bound)
            if len(batch) < bound or bound == limit:
                break
        indexer.end(batch)
        return pos

    def _walk(self, buffer: mmap | bytearray, pos: int, end: int, batch: Batch, limit: int) -> int:
        unpack, largest, unit = self._record.unpack_from, self._largest, self._fraction
        add_stamp, add_length = batch.stamps.append, batch.lengths.append
        add_orig, add_offset = batch.orig_lens.append, batch.offsets.append
        try:
            for _ in range(limit - len(batch)):
                data = pos + 16
                if data > end:
                    break
                seconds, fraction, length, orig = unpack(buffer, pos)
                if length > largest:
                    raise Damaged(
                        pos, f"a record of {length} bytes, more than the {largest} allowed"
                    )
                after = data + length
                if after > end:
                    break
                add_stamp(seconds * 1_000_000_000 + fraction * unit)
                add_length(length)
                add_orig(orig)
                add_offset(data)
                pos = after
        finally:  # all packets are of the one interface
            batch.interfaces.frombytes(bytes(4 * (len(batch) - len(batch.interfaces))))
        return pos

    def missing(self, buffer: mmap | bytearray, pos: int, end: int) -> str:
        """What was expected at `pos`, where the file ends too early."""
        have = end - pos
        if not self.interfaces:
            return f"the file header takes 24 bytes, the file ends after {have}"
        if have < 16:
            return f"a record header takes 16 bytes, the file ends after {have}"
        length = self._record.unpack_from(buffer, pos)[2]
        return f"a record of {length} bytes, the file ends after {have - 16} of them"

    def _header(self, buffer: mmap | bytearray, pos: int) -> None:
        for order in "<>":
            magic, major, minor, _, _, snaplen, link = Struct(order + HEADER).unpack_from(
                buffer, pos
            )
            if magic in (MICROSECONDS, NANOSECONDS):
                break
        else:
            raise Damaged(pos, f"magic number {magic:#x} is not that of a pcap file")
        if (major, minor) != (2, 4):
            raise Damaged(
                pos + 4,
                f"pcap version {major}.{minor}, ebee reads 2.4 (convert: tcpdump -r OLD -w NEW)",
            )
        self._order, self._record = order, Struct(order + RECORD)
        self._fraction = 1 if magic == NANOSECONDS else 1000
        self._largest = min(max(snaplen, SNAPLEN), LARGEST)
        self.interfaces.append(
            Interface(
                linktype=link & 0xFFFF,
                snaplen=snaplen,
                resolution=1_000_000_000 // self._fraction,
                # Bit 26: the top four bits give the length of the FCS, in units of 16 bits.
                fcs_len=2 * (link >> 28) if link & 1 << 26 else 0,
            )
        )
