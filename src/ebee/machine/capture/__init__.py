"""Packet captures: pcap and pcapng, in and out, with exact nanosecond times.

>>> with Capture.open("web.pcapng") as capture:                     # doctest: +SKIP
...     for packet in capture:
...         print(packet.ts_ns, len(packet.data), packet.orig_len)
"""

from ebee.machine.capture.linktypes import ETHERNET, LINKTYPES, linktype_name
from ebee.machine.capture.packet import Batch, Interface, Packet
from ebee.machine.capture.reader import Capture
from ebee.machine.capture.writer import CaptureWriter

__all__ = [
    "ETHERNET",
    "LINKTYPES",
    "Batch",
    "Capture",
    "CaptureWriter",
    "Interface",
    "Packet",
    "linktype_name",
]
