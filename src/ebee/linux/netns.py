"""Network namespaces: run something in one of its own, which ends with it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from ebee.linux.errors import refused

T = TypeVar("T")
CLONE_NEWNET = 0x40000000


def in_new_netns(function: Callable[[], T]) -> T:
    """Call `function` in a thread that alone is in a new network namespace; what it returns.

    The namespace has nothing but its own loopback interface (index 1), which is down, and is gone
    with the thread and what it left open there. Needs CAP_SYS_ADMIN.
    """
    result: list[Any] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            unshare(CLONE_NEWNET)
            result.append(function())
        except BaseException as error:
            failure.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return result[0]  # type: ignore[no-any-return]


def unshare(flags: int) -> None:
    """unshare(2): this thread alone gets namespaces of its own."""
    import ctypes

    if ctypes.CDLL(None, use_errno=True).unshare(flags):
        code = ctypes.get_errno()
        error = OSError(code, os.strerror(code))
        raise refused(error, "make a network namespace", needs=("CAP_SYS_ADMIN",)) from None
