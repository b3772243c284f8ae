"""tracefs: the kernel's tracepoints and what it can trace, as files; probes of old kernels."""

from __future__ import annotations

import errno
import os

from ebee.errors import KernelError
from ebee.linux.errors import refused
from ebee.linux.host import read

ROOTS = ("/sys/kernel/tracing", "/sys/kernel/debug/tracing")


def root(doing: str) -> str:
    """Where it is mounted; KernelError, naming what was being done, when it is not."""
    for path in ROOTS:
        if os.path.isdir(f"{path}/events"):
            return path
    text = "tracefs is not mounted; `mount -t tracefs tracefs /sys/kernel/tracing` first"
    raise KernelError(f"cannot {doing}: {text}", errno.ENOENT)


def event_id(name: str, doing: str) -> int:
    """The number of a tracepoint "category/name", by which perf events know it."""
    folder = f"{root(doing)}/events"
    number = read(f"{folder}/{name}/id")
    if number:
        return int(number)
    from difflib import get_close_matches

    category, _, event = name.partition("/")
    try:
        known = os.listdir(f"{folder}/{category}") if os.path.isdir(f"{folder}/{category}") else []
        known = known or os.listdir(folder)
    except OSError:
        known = []
    near = get_close_matches(event, known, 3) or get_close_matches(category, known, 3)
    hint = f"; did you mean {' or '.join(sorted(near))}?" if near else ""
    raise KernelError(f"cannot {doing}: there is none of this name{hint}", errno.ENOENT)


def traceable(doing: str) -> list[tuple[str, int]]:
    """The kernel functions that can be probed at their entry: (name, address, 0 where unknown).

    From Linux 6.5 on with addresses (available_filter_functions_addrs). Functions of modules are
    called by their names alone.
    """
    folder = root(doing)
    found = []
    text = read(f"{folder}/available_filter_functions_addrs")
    if text is not None:
        for line in text.splitlines():
            address, name = line.split()[:2]
            found.append((name, int(address, 16)))
        return found
    text = read(f"{folder}/available_filter_functions")
    if text is None:
        raise KernelError(f"cannot {doing}: this kernel has no CONFIG_DYNAMIC_FTRACE")
    return [(line.split()[0], 0) for line in text.splitlines()]


def add_probe(kind: str, definition: str, name: str, doing: str) -> int:
    """Make a probe event ("kprobe" or "uprobe"): its number. It stays until remove_probe."""
    folder = root(doing)
    _write(f"{folder}/{kind}_events", definition, doing)
    return event_id(f"ebee/{name}", doing)


def remove_probe(kind: str, name: str) -> None:
    """Remove a probe event that nothing uses any more; one that is gone already is no fault."""
    try:
        _write(f"{root('remove a probe')}/{kind}_events", f"-:ebee/{name}", f"remove probe {name}")
    except KernelError as error:
        if error.errno != errno.ENOENT:
            raise


def _write(path: str, text: str, doing: str) -> None:
    """Write one line; not by open(..., "a"), which seeks, nor "w", which removes all probes."""
    try:
        fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        try:
            os.write(fd, text.encode() + b"\n")
        finally:
            os.close(fd)
    except OSError as error:
        why = _last_complaint(path) if error.errno == errno.EINVAL else ""
        raise refused(error, doing, why, needs=("CAP_SYS_ADMIN",)) from None


def _last_complaint(path: str) -> str:
    """The last message of tracefs's error log (since Linux 5.2): "Invalid probed address"."""
    log = read(os.path.join(os.path.dirname(path), "error_log")) or ""
    lines = [line for line in log.splitlines() if "error: " in line]
    return lines[-1].partition("error: ")[2] if lines else ""
