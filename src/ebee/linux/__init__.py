"""The real kernel: bpf() commands, maps, programs, links, readers, probes; nothing in between.

Names are imported when they are first used (PEP 562), so that importing the room costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ebee.linux.backend import LinuxObject as LinuxObject
    from ebee.linux.backend import load as load
    from ebee.linux.links import Link as Link
    from ebee.linux.maps import LinuxMap as LinuxMap
    from ebee.linux.perfbuf import PerfBuffer as PerfBuffer
    from ebee.linux.programs import LinuxProgram as LinuxProgram
    from ebee.linux.ringbuf import RingBuffer as RingBuffer
    from ebee.linux.symbols.stacks import Symbolizer as Symbolizer
    from ebee.linux.symbols.user import Frame as Frame
    from ebee.linux.sys import Fd as Fd
    from ebee.linux.user_ringbuf import UserRingBuffer as UserRingBuffer
    from ebee.linux.xsk import Umem as Umem
    from ebee.linux.xsk import XdpSocket as XdpSocket

_WHERE = {
    "Fd": "sys",
    "Frame": "symbols.user",
    "Link": "links",
    "LinuxMap": "maps",
    "LinuxObject": "backend",
    "LinuxProgram": "programs",
    "PerfBuffer": "perfbuf",
    "RingBuffer": "ringbuf",
    "Symbolizer": "symbols.stacks",
    "Umem": "xsk",
    "UserRingBuffer": "user_ringbuf",
    "XdpSocket": "xsk",
    "load": "backend",
}
__all__ = sorted(_WHERE)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'ebee.linux' has no attribute {name!r}")
    return getattr(import_module(f"ebee.linux.{_WHERE[name]}"), name)
