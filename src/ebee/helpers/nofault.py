"""Reading from an address that may not be there: an intrinsic of restricted Python.

Under CPython the memory answers; compiled code calls the machine.
"""

from typing import Any

from ebee.errors import EbeeError
from ebee.types import i32, ptr


def byte_at(memory: ptr[Any], addr: int) -> i32:
    """The byte at an address, or -1 where there is none; `memory` is any pointer."""
    try:
        return i32(memory._mem.load(int(addr), 1))
    except (EbeeError, IndexError):
        return i32(-1)
