"""What several ways of attaching use."""

from __future__ import annotations

import os

from ebee.errors import KernelError
from ebee.linux.sys import Fd


def opened(path: str, flags: int = 0) -> Fd:
    """A file or folder opened for reading, to be named to the kernel by its descriptor."""
    try:
        return Fd(os.open(path, os.O_RDONLY | os.O_CLOEXEC | flags))
    except OSError as error:
        raise KernelError(f"cannot open {path}: {error.strerror}", error.errno or 0) from None
