"""One answer about this machine, as `ebee doctor` shows it."""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any, NamedTuple

from ebee.errors import KernelError
from ebee.linux.errors import older_than, version_text
from ebee.linux.host import missing_capabilities


class Finding(NamedTuple):
    """Whether `name` works here, and `detail`: what was seen. Where it does not, `reason` says why
    and what would change that; `ok` is None where privileges are missing that it takes to find out,
    or a file system that is not mounted. `since`: the Linux version that brought it, where known.
    """

    name: str
    ok: bool | None
    detail: str = ""
    reason: str = ""
    since: str = ""


def finding(name: str, ok: bool, detail: str, reason: str) -> Finding:
    """A Finding that keeps what belongs to its answer: the detail, or the reason."""
    return Finding(name, ok, detail if ok else "", "" if ok else reason)


def attempt(name: str, since: str, function: Callable[[], Any]) -> Finding:
    """Whether a function gets through; what it returns, if text, is the detail."""
    try:
        detail = function()
    except KernelError as error:
        denied = error.errno == errno.EPERM and missing_capabilities(("CAP_BPF", "CAP_NET_ADMIN"))
        reason = error.summary
        if since and older_than(since):
            reason = f"requires Linux >= {since}; this is {version_text()}"
        return Finding(name, None if denied else False, "", reason, since)
    return Finding(name, True, detail if isinstance(detail, str) else "", "", since)
