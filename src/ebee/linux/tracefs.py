"""tracefs: the kernel's tracepoints and what it can trace, as files."""

from __future__ import annotations

import errno
import os

from ebee.errors import KernelError

ROOTS = ("/sys/kernel/tracing", "/sys/kernel/debug/tracing")


def root(doing: str) -> str:
    """Where it is mounted; KernelError, naming what was being done, when it is not."""
    for path in ROOTS:
        if os.path.isdir(f"{path}/events"):
            return path
    text = "tracefs is not mounted; `mount -t tracefs tracefs /sys/kernel/tracing` first"
    raise KernelError(f"cannot {doing}: {text}", errno.ENOENT)
