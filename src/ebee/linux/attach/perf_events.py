"""Attaching to perf events: counters, and tracepoints; kprobes and uprobes use what is here."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from typing import Literal

from ebee.errors import KernelError
from ebee.linux import perf, tracefs, uapi
from ebee.linux.attach.common import opened
from ebee.linux.errors import older_than, version_text
from ebee.linux.host import cpu_list, read
from ebee.linux.info import Info
from ebee.linux.links import Link, all_of, attach_error, create
from ebee.linux.programs import LinuxProgram
from ebee.linux.sys import Fd, call

Mode = Literal["auto", "link", "ioctl", "tracefs"]
"""How a program comes to a perf event: by a link of the kernel's (Linux 5.15), by ioctl() on an
event (of a kprobe or uprobe: 4.17), by one on an event made through tracefs; auto: the first of
these that the kernel has."""
DEFAULT_FREQUENCY = 99
"""Samples a second; not 100, so as not to march in step with what happens 100 times a second."""


def tracepoint(program: LinuxProgram, name: str, *, cookie: int = 0, mode: Mode = "auto") -> Link:
    """Attach to a tracepoint "category:name" of tracefs. Since Linux 4.7; `cookie` since 5.15."""
    target = f"tracepoint {name.replace('/', ':')}"
    number = tracefs.event_id(name.replace(":", "/"), f"attach to tracepoint {name!r}")
    event = perf.Event(perf.TYPES["tracepoint"], number)
    return attach_event(program, target, event, cookie=cookie, mode=mode)


def perf_event(
    program: LinuxProgram,
    event: str | perf.Event | None = None,
    *,
    frequency: int = 0,
    period: int = 0,
    pid: int = -1,
    cpu: int = -1,
    cgroup: str | os.PathLike[str] = "",
    cookie: int = 0,
) -> Link:
    """Attach to the samples of a counter. Since Linux 4.9.

    `event`: see ebee.linux.perf.named ("cpu-clock" unless said; "cycles", "page-faults", ...).
    A sample `frequency` times a second (99 unless said) or each `period` counts. On all CPUs, or on
    one (`cpu`); for everything, one process (`pid`, 0: this one), or a `cgroup` (its folder).
    """
    event = perf.named(event or "cpu-clock") if not isinstance(event, perf.Event) else event
    if frequency and period:
        raise KernelError("a perf event takes a frequency or a period, not both")
    if cgroup and pid != -1:
        raise KernelError("a perf event takes a process or a cgroup, not both")
    if not (frequency or period):
        period = 1 if event.type == perf.TYPES["breakpoint"] else 0
        frequency = 0 if period else DEFAULT_FREQUENCY
    cpus = [cpu] if cpu >= 0 or pid >= 0 else online()
    folder = opened(os.fspath(cgroup), os.O_DIRECTORY) if cgroup else None
    rate = {"frequency": frequency, "period": period}

    def parts() -> Iterator[Link]:
        for number in cpus:
            where = f"CPU {number}" if number >= 0 else f"process {pid}"
            try:
                fd = perf.open_event(event, **rate, pid=pid, cpu=number, cgroup=folder)
            except OSError as error:
                raise _open_error(error, program, f"perf event on {where}", pid, cgroup) from None
            yield perf_link(program, f"perf event on {where}", fd, cookie)

    try:
        return all_of(parts(), "perf events")
    finally:
        if folder is not None:
            folder.close()


def online() -> list[int]:
    """The CPUs that are running."""
    return cpu_list(read("/sys/devices/system/cpu/online") or "0")


def _open_error(
    error: OSError, program: LinuxProgram, target: str, pid: int, cgroup: str | os.PathLike[str]
) -> KernelError:
    limit = read("/proc/sys/kernel/perf_event_max_sample_rate")
    why = {
        errno.ENOENT: f"{cgroup} is no cgroup that counts perf events"
        if cgroup
        else "this machine does not count that",
        errno.EOPNOTSUPP: "this machine does not count that, or gives no samples of it",
        errno.ENODEV: "there is no such CPU",
        errno.ESRCH: f"there is no process {pid}",
        errno.EINVAL: f"the frequency may be too high (the limit is {limit} Hz), or the numbers"
        " make no event",
        errno.EBADF: f"{cgroup} is no cgroup that counts perf events",
        errno.EBUSY: "the counters are taken",
    }
    return attach_error(error, program, target, why, "4.9", ("CAP_PERFMON",))


def attach_event(
    program: LinuxProgram,
    target: str,
    event: perf.Event,
    *,
    pid: int = -1,
    cookie: int = 0,
    mode: Mode = "auto",
    why: dict[int, str] | None = None,
) -> Link:
    """Open the event of a tracepoint or probe, which fires on every CPU, and attach to it."""
    try:
        fd = perf.open_event(event, pid=pid, cpu=0 if pid == -1 else -1)
    except OSError as error:
        raise attach_error(error, program, target, why or {}, "4.7", ("CAP_PERFMON",)) from None
    return perf_link(program, target, fd, cookie, mode, why)


def perf_link(
    program: LinuxProgram,
    target: str,
    event: Fd,
    cookie: int = 0,
    mode: Mode = "auto",
    why: dict[int, str] | None = None,
) -> Link:
    """Run a program on a perf event, which the link owns; by ioctl before Linux 5.15."""
    import fcntl

    if mode == "link" or (mode == "auto" and not older_than("5.15")):
        fields = {
            "target_fd": event,
            "attach_type": uapi.ATTACH_TYPES["perf_event"],
            "perf_event_bpf_cookie": cookie,
        }
        with event:  # the kernel's link holds the event
            return create(program, target, fields, why or {}, "5.15", ("CAP_BPF", "CAP_PERFMON"))
    if cookie:
        event.close()
        raise KernelError(
            f"a cookie for {target} takes a link, which requires Linux >= 5.15;"
            f" this is {version_text()}, mode {mode!r}",
            errno.EOPNOTSUPP,
        )
    try:
        fcntl.ioctl(event.fileno(), perf.IOC_SET_BPF, program.fd.fileno())
        fcntl.ioctl(event.fileno(), perf.IOC_ENABLE, 0)
    except OSError as error:
        event.close()
        raise attach_error(error, program, target, why or {}, "4.7", ("CAP_PERFMON",)) from None
    return EventLink(event, target)


class EventLink(Link):
    """A program on a perf event without a link of the kernel's, as before Linux 5.15."""

    def info(self) -> Info:
        """What the event is: type "perf_event", prog_id, event ("kprobe", ...), name and offset."""
        room = bytearray(512)
        reply = call(
            "TASK_FD_QUERY", pid=os.getpid(), fd=self.fd.fileno(), buf=room, buf_len=len(room)
        )
        kind = FD_TYPES[reply["fd_type"]] if reply["fd_type"] < len(FD_TYPES) else ""
        return Info(
            {
                "type": "perf_event",
                "id": 0,
                "prog_id": reply["prog_id"],
                "event": kind,
                "name": room.partition(b"\0")[0].decode(errors="replace"),
                "offset": reply["probe_offset"],
                "addr": reply["probe_addr"],
            }
        )

    def update(self, program: object, replace: object = None) -> None:
        """Not possible here: KernelError."""
        self._cannot("be updated")

    def detach(self) -> None:
        """Stop the program; the event stays open until the link is closed."""
        import fcntl

        fcntl.ioctl(self.fd.fileno(), perf.IOC_DISABLE, 0)

    def pin(self, path: object) -> None:
        """Not possible here: KernelError."""
        self._cannot("be pinned")

    def _cannot(self, what: str) -> None:
        text = f"a program attached to {self.target} by ioctl cannot {what}: links can (Linux 5.15)"
        raise KernelError(text, errno.EOPNOTSUPP)


FD_TYPES = ("raw_tracepoint", "tracepoint", "kprobe", "kretprobe", "uprobe", "uretprobe")
"""enum bpf_task_fd_type."""
__all__ = ["EventLink", "Mode", "attach_event", "perf_event", "perf_link", "tracepoint"]
