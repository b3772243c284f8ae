"""Network namespaces: run something in one of its own, which ends with it."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple, TypeVar

from ebee.linux.errors import refused

T = TypeVar("T")
CLONE_NEWNET = 0x40000000


def in_new_netns(function: Callable[[], T]) -> T:
    """Call `function` in a thread that alone is in a new network namespace; what it returns.

    The namespace has nothing but its own loopback interface (index 1), which is down, and is gone
    with the thread and what it left open there. Needs CAP_SYS_ADMIN.
    """
    return _in_thread(lambda: unshare(CLONE_NEWNET), function)


def in_netns(path: str, function: Callable[[], T]) -> T:
    """Call `function` in a thread that has entered a network namespace; what it returns. `path`: a
    namespace's file, or a name as `ip netns` gives it. Needs CAP_SYS_ADMIN."""
    return _in_thread(lambda: enter(path), function)


def _in_thread(first: Callable[[], None], function: Callable[[], T]) -> T:
    result: list[Any] = []
    failure: list[BaseException] = []

    def run() -> None:
        try:
            first()
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


NAMED = "/run/netns"
HERE = "/proc/thread-self/ns/net"


def enter(path: str) -> None:
    """setns(2): from now on this thread is in another network namespace."""
    import ctypes

    path = path if "/" in path else f"{NAMED}/{path}"
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise refused(error, f"open network namespace {path}") from None
    try:
        if ctypes.CDLL(None, use_errno=True).setns(fd, CLONE_NEWNET):
            code = ctypes.get_errno()
            failure = OSError(code, os.strerror(code))
            why = "that is no network namespace" if code == errno.EINVAL else ""
            doing = f"enter network namespace {path}"
            raise refused(failure, doing, why, needs=("CAP_SYS_ADMIN",)) from None
    finally:
        os.close(fd)


class Namespace(NamedTuple):
    """A network namespace: a path that leads to it, its inode, its name ("" without one), and the
    processes in it as far as they are ours to see."""

    path: str
    inode: int
    name: str
    pids: tuple[int, ...]


def namespaces() -> list[Namespace]:
    """All that have a name or a process, this one first."""
    found: dict[int, tuple[str, str, list[int]]] = {os.stat(HERE).st_ino: (HERE, "", [])}
    with suppress(OSError):
        for name in sorted(os.listdir(NAMED)):
            with suppress(OSError):
                inode = os.stat(f"{NAMED}/{name}").st_ino
                path, _, pids = found.get(inode, (f"{NAMED}/{name}", "", []))
                found[inode] = path, name, pids
    for pid in sorted(int(name) for name in os.listdir("/proc") if name.isdecimal()):
        with suppress(OSError):
            inode = os.stat(f"/proc/{pid}/ns/net").st_ino
            found.setdefault(inode, (f"/proc/{pid}/ns/net", "", []))[2].append(pid)
    return [Namespace(path, n, name, tuple(pids)) for n, (path, name, pids) in found.items()]
