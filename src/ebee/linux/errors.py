"""From errno to words: what was tried, to what, why the kernel refused, and what would help."""

from __future__ import annotations

import errno
import re

from ebee.errors import KernelError
from ebee.linux.host import kernel_version, lockdown, missing_capabilities, read
from ebee.linux.sys import strerror

ENOTSUPP = 524  # Meant for the kernel's inside, but bpf() lets it out.


def name_of(code: int) -> str:
    return "ENOTSUPP" if code == ENOTSUPP else errno.errorcode.get(code, str(code))


def refused(
    error: OSError, doing: str, why: str = "", needs: tuple[str, ...] = (), since: str = ""
) -> KernelError:
    """The error for a failed request: "cannot <doing>: <why> [ERRNO]".

    Without a `why`, EPERM is explained by what privilege is missing of those in `needs`; a kernel
    older than `since` explains the rest.
    """
    code = error.errno or 0
    if not why and code in (errno.EPERM, errno.EACCES):
        why = denied(needs)
    if not why and since and older_than(since):
        why = f"requires Linux >= {since}; this is {version_text()}"
    why = why or strerror(code)
    return KernelError(f"cannot {doing}: {why} [{name_of(code)}]", code)


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
    if needs and (read("/proc/self/uid_map") or "").split() not in ([], ["0", "0", "4294967295"]):
        return "the capabilities held are those of a user namespace, and BPF needs the first one's"
    if lockdown() not in ("", "none"):
        return (
            "the kernel forbids it although the privileges are there"
            f" (lockdown is '{lockdown()}', or another security policy)"
        )
    return "the kernel forbids it although the privileges are there (a security policy, perhaps)"
