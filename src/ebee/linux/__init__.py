"""The real kernel: bpf() commands, maps, programs, links, readers, probes; nothing in between.

Names are imported when they are first used (PEP 562), so that importing the room costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ebee.linux.maps import LinuxMap as LinuxMap
    from ebee.linux.programs import LinuxProgram as LinuxProgram
    from ebee.linux.ringbuf import RingBuffer as RingBuffer
    from ebee.linux.sys import Fd as Fd

_WHERE = {
    "Fd": "sys",
    "LinuxMap": "maps",
    "LinuxProgram": "programs",
    "RingBuffer": "ringbuf",
}
__all__ = sorted(_WHERE)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'ebee.linux' has no attribute {name!r}")
    return getattr(import_module(f"ebee.linux.{_WHERE[name]}"), name)
