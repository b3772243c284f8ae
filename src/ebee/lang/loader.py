"""Compiled code in memory: mapped writable, completed, then made executable and never both.

No llvmlite here: a cached image is in memory, ready to run, in about 50 microseconds.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import struct
from collections.abc import Mapping
from functools import cache
from typing import Any

from ebee.errors import CompileError
from ebee.lang.image import Image

_PROT_READ, _PROT_EXEC = 1, 4


@cache
def _libc() -> Any:
    if os.name != "posix":
        raise CompileError(
            "compiled code cannot be loaded on this system, only on Linux and macOS\n"
            "way out: use the interpreter"
        )
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
    return libc


@cache
def _of_libc(name: str) -> int | None:
    """The address of a function of the C library."""
    try:
        return ctypes.cast(getattr(_libc(), name), ctypes.c_void_p).value
    except AttributeError:
        return None


LIBRARY = frozenset(("bcmp", "clock_gettime", "memcpy", "memmove", "memset", "memcmp", "strlen"))
"""What compiled code may call of the C library without being given its address."""


class Loaded:
    """Code in memory. It goes with `close()`, at the end of a `with` block, or with this object;
    whoever keeps addresses or functions of it keeps this object too."""

    def __init__(self, image: Image, symbols: Mapping[str, int] | None = None):
        """Load an image; `symbols` are the addresses of the names that it refers to.

        CompileError when one is missing, or the system refuses executable memory.
        """
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
        self._pages: mmap.mmap | None = mmap.mmap(-1, len(image.data), flags=flags)
        self._pages[: len(image.data)] = image.data
        self.base = ctypes.addressof(ctypes.c_char.from_buffer(self._pages))
        self._complete(image, symbols or {})
        self._protect(image)
        self.symbols = {name: self.base + at for name, at in image.symbols.items()}
        self.size = len(image.data)

    def _complete(self, image: Image, symbols: Mapping[str, int]) -> None:
        pages, base = self._pages, self.base
        assert pages is not None
        for at in image.absolute:
            (offset,) = struct.unpack_from("<Q", pages, at)
            struct.pack_into("<Q", pages, at, base + offset)
        addresses = {}
        for name, at in image.imports.items():
            address = symbols.get(name)
            if address is None and name in LIBRARY:
                address = _of_libc(name)
            if address is None:
                raise CompileError(f"compiled code refers to {name!r}, whose address was not given")
            addresses[name] = address
            struct.pack_into("<Q", pages, at, address)
        for at, name in image.near:
            distance = addresses[name] - (base + at + 4)
            if -(1 << 31) <= distance < 1 << 31:
                pages[at - 2] = 0x8D  # lea
                struct.pack_into("<i", pages, at, distance)

    def _protect(self, image: Image) -> None:
        """Code: read and execute; the rest: read."""
        libc = _libc()
        _clear_cache(self.base, image.code)
        parts = [
            (self.base, image.code, _PROT_READ | _PROT_EXEC),
            (self.base + image.code, len(image.data) - image.code, _PROT_READ),
        ]
        for start, size, rights in parts:
            if size and libc.mprotect(start, size, rights):
                reason = os.strerror(ctypes.get_errno())
                raise CompileError(f"the system refuses executable memory: {reason}")

    def function(self, name: str, restype: Any, *argtypes: Any) -> Any:
        """A function as ctypes calls it; for tests and cold paths (200 ns a call)."""
        if self._pages is None:
            raise CompileError(f"{name}: the code is not in memory any more")
        if name not in self.symbols:
            raise CompileError(f"there is no function {name!r} in this code")
        f = ctypes.CFUNCTYPE(restype, *argtypes)(self.symbols[name])
        f.owner = self  # type: ignore[attr-defined]
        return f

    def close(self) -> None:
        """Take the code out of memory; its functions must not be called any more."""
        if self._pages is not None:
            self._pages.close()
            self._pages = None

    def __enter__(self) -> Loaded:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _clear_cache(start: int, size: int) -> None:
    """Arm processors do not see new code by themselves; x86 ones do."""
    import platform

    if platform.machine() in ("aarch64", "arm64"):
        library = ctypes.CDLL("libgcc_s.so.1")
        clear = library.__getattr__("__clear_cache")
        clear(ctypes.c_void_p(start), ctypes.c_void_p(start + size))
