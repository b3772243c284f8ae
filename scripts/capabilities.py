"""Capabilities of this process, for tests that ask the kernel what it lets others do."""

from __future__ import annotations

import ctypes
import os
import struct

from ebee.linux.host import CAPABILITIES
from ebee.verifier.core.privileges import Privileges

CAPSET = 126  # x86-64
VERSION = 0x20080522  # _LINUX_CAPABILITY_VERSION_3


def keep(held: Privileges) -> None:
    """Give up all capabilities but these, for good. OSError when that fails."""
    mask = sum(1 << CAPABILITIES[name] for name in held.names)
    low, high = mask & 0xFFFF_FFFF, mask >> 32
    head = struct.pack("=Ii", VERSION, 0)
    data = struct.pack("=6I", low, low, 0, high, high, 0)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(CAPSET, head, data):
        number = ctypes.get_errno()
        raise OSError(number, f"capset: {os.strerror(number)}")
