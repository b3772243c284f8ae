"""From errno to words: what was tried, to what, why the kernel refused, and what would help."""

from __future__ import annotations

import errno
import re

from ebee.errors import KernelError
from ebee.linux.host import (
    in_first_user_namespace,
    kernel_version,
    lockdown,
    missing_capabilities,
    read,
)
from ebee.linux.sys import strerror

ENOTSUPP = 524  # Meant for the kernel's inside, but bpf() lets it out.


def name_of(code: int) -> str:
    return "ENOTSUPP" if code == ENOTSUPP else errno.errorcode.get(code, str(code))


def refused(
    error: OSError, doing: str, why: str = "", needs: tuple[str, ...] = (), since: str = ""
) -> KernelError:
    """The error for a failed request: "cannot <doing>: <why> [ERRNO]".

    What explains it best: a kernel older than `since`; the given `why`; for EPERM, which of the
    capabilities in `needs` is missing.
    """
    code = error.errno or 0
    denial = code in (errno.EPERM, errno.EACCES)
    if since and older_than(since) and not denial:
        why = f"requires Linux >= {since}; this is {version_text()}"
    if not why and denial and needs:
        why = denied(needs)
    return KernelError(f"cannot {doing}: {why or strerror(code)} [{name_of(code)}]", code)


def object_name(name: str) -> bytes:
    """A name as the kernel takes it: 15 characters of letters, digits, `_` and `.`."""
    return re.sub(rb"[^A-Za-z0-9_.]", b"_", name.encode())[:15]


def version_text() -> str:
    return ".".join(map(str, kernel_version()[:2]))


def older_than(since: str) -> bool:
    """Whether the running kernel is older than "5.9"."""
    return kernel_version() < tuple(map(int, since.split(".")))


def denied(needs: tuple[str, ...]) -> str:
    """Why the kernel said EPERM to a request that takes the capabilities `needs`."""
    missing = missing_capabilities(needs)
    if missing:
        text = f"needs {' and '.join(missing)}; run as root, or give these to the program (setcap)"
        level = read("/proc/sys/kernel/unprivileged_bpf_disabled")
        if level not in (None, "0") and "CAP_BPF" in missing:
            text += f" (kernel.unprivileged_bpf_disabled is {level})"
        return text
    if not in_first_user_namespace():
        return (
            "the capabilities held are those of a user namespace, and BPF needs the first one's,"
            " or a BPF token (see `ebee token run`)"
        )
    if lockdown() not in ("", "none"):
        return (
            "the kernel forbids it although the privileges are there"
            f" (lockdown is '{lockdown()}', or another security policy)"
        )
    return "the kernel forbids it although the privileges are there (a security policy, perhaps)"
