"""Memory with guards: what compiled code touches beside a region ends the process, or shows."""

from __future__ import annotations

import ctypes
import mmap
from typing import Any

from ebee.machine.memory import Memory, Region

PAGE = mmap.PAGESIZE
MARK = 0xA5

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)


class GuardedMemory(Memory):
    """Each region ends at a page that cannot be touched, but for less than 16 bytes of marks; the
    page before its first one cannot be touched either."""

    def __init__(self) -> None:
        super().__init__()
        self._marks: list[tuple[str, memoryview]] = []

    def allocate(self, name: str, size: int, kind: type[Region] = Region, **rights: Any) -> Region:
        room = -(-max(size, 1) // PAGE) * PAGE
        pages = mmap.mmap(-1, room + 2 * PAGE)
        start = ctypes.addressof(ctypes.c_char.from_buffer(pages))
        for guard in (start, start + PAGE + room):
            assert _libc.mprotect(guard, PAGE, 0) == 0
        at = PAGE + room - -(-size // 16) * 16
        whole = memoryview(pages)
        for mark in (whole[PAGE:at], whole[at + size : PAGE + room]):
            mark[:] = bytes([MARK]) * len(mark)
            self._marks.append((name, mark))
        data = whole[at : at + size]
        return self.add(kind(name, start + at, size, data, _owner=pages, **rights))

    def overrun(self) -> str:
        """The name of a region beside which something was written; "" if there is none."""
        for name, mark in self._marks:
            if mark.tobytes().strip(bytes([MARK])):
                return name
        return ""
