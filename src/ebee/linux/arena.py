"""An arena's memory in this process, at the address that its programs take pointers for.

The kernel wants it mapped before a program that uses it is loaded (kernel/bpf/arena.c). Pages are
there when they are first touched, here or by a program. Since Linux 6.9.
"""

from __future__ import annotations

import mmap

from ebee.errors import KernelError
from ebee.linux.errors import refused
from ebee.linux.maps import LinuxMap
from ebee.linux.sys import last_errno, strerror

MAP_FIXED_NOREPLACE = 0x100000
_FAILED = (1 << 64) - 1  # MAP_FAILED, (void *)-1


class ArenaMemory:
    """`memory[at : at + n]` reads and writes bytes from the arena's start on."""

    def __init__(self, raw: LinuxMap, address: int = 0):
        """Map an arena, at `address` if the map was made with one (`map_extra`)."""
        import ctypes

        self.size = raw.max_entries * mmap.PAGESIZE
        libc = ctypes.CDLL(None, use_errno=True)
        libc.mmap.restype = ctypes.c_uint64
        libc.mmap.argtypes = [ctypes.c_uint64, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_int64]
        libc.munmap.argtypes = [ctypes.c_uint64, ctypes.c_size_t]
        access = mmap.PROT_READ | mmap.PROT_WRITE
        flags = mmap.MAP_SHARED | (MAP_FIXED_NOREPLACE if address else 0)
        at = libc.mmap(address, self.size, access, flags, raw.fd.fileno(), 0)
        if at == _FAILED:
            code = ctypes.get_errno() or last_errno()
            why = "that address is taken in this process" if code == 17 else ""
            error = OSError(code, strerror(code))
            raise refused(error, f"map arena {raw.name} into memory", why, since="6.9")
        self.address = at
        self._libc, self._bytes = libc, (ctypes.c_char * self.size).from_address(at)
        self._view = memoryview(self._bytes).cast("B")
        self.closed = False

    def __getitem__(self, part: slice) -> bytes:
        return bytes(self._open()[part])

    def __setitem__(self, part: slice, data: bytes) -> None:
        self._open()[part] = data

    def _open(self) -> memoryview:
        if self.closed:
            raise KernelError("the arena's memory is closed")
        return self._view

    def close(self) -> None:
        """Give the mapping up; the arena stays as long as programs or the map do."""
        if not self.closed:
            self.closed = True
            self._view.release()
            self._libc.munmap(self.address, self.size)
