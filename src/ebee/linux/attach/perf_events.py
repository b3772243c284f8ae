"""Attaching to perf events: tracepoints, and later kprobes, uprobes, counters."""

from __future__ import annotations

import errno
import struct

from ebee.errors import KernelError
from ebee.linux import tracefs, uapi
from ebee.linux.errors import older_than
from ebee.linux.host import read
from ebee.linux.links import Link, attach_error, create
from ebee.linux.programs import LinuxProgram
from ebee.linux.sys import Fd, last_errno, strerror, syscall

PERF_TYPE_TRACEPOINT = 2
PERF_FLAG_FD_CLOEXEC = 8
PERF_ATTR_SIZE = 64  # PERF_ATTR_SIZE_VER0: all that is needed, and known to every kernel
PERF_EVENT_IOC_ENABLE, PERF_EVENT_IOC_SET_BPF = 0x2400, 0x40042408


def tracepoint(program: LinuxProgram, name: str, cookie: int = 0) -> Link:
    """Attach to a tracepoint "category:name" of tracefs. Since Linux 4.7; `cookie` since 5.15."""
    category, _, event = name.replace("/", ":").partition(":")
    number = read(f"{tracefs.root(f'attach to tracepoint {name!r}')}/events/{category}/{event}/id")
    if not number:
        text = f"cannot attach to tracepoint {name!r}: there is none of this name"
        raise KernelError(text, errno.ENOENT)
    target = f"tracepoint {category}:{event}"
    event_fd = perf_event(program, target, PERF_TYPE_TRACEPOINT, int(number))
    return perf_link(program, target, event_fd, cookie)


def perf_event(
    program: LinuxProgram, target: str, type: int, config: int, pid: int = -1, cpu: int = 0
) -> Fd:
    """Open a perf event to run a program on."""
    import ctypes

    attr = ctypes.create_string_buffer(PERF_ATTR_SIZE)
    struct.pack_into("=IIQ", attr, 0, type, PERF_ATTR_SIZE, config)
    number = syscall("perf_event_open")(attr, pid, cpu, -1, PERF_FLAG_FD_CLOEXEC)
    if number < 0:
        error = OSError(last_errno(), strerror(last_errno()))
        raise attach_error(error, program, target, {}, "4.7", ("CAP_PERFMON",))
    return Fd(number)


def perf_link(program: LinuxProgram, target: str, event: Fd, cookie: int = 0) -> Link:
    """Run a program on a perf event, which the link owns; by ioctl before Linux 5.15."""
    import fcntl

    if not older_than("5.15"):
        fields = {
            "target_fd": event,
            "attach_type": uapi.ATTACH_TYPES["perf_event"],
            "perf_event_bpf_cookie": cookie,
        }
        with event:  # the kernel's link holds the event
            return create(program, target, fields, {}, "5.15", ("CAP_BPF", "CAP_PERFMON"))
    if cookie:
        event.close()
        raise KernelError(f"a cookie for {target} requires Linux >= 5.15", errno.EOPNOTSUPP)
    try:
        fcntl.ioctl(event.fileno(), PERF_EVENT_IOC_SET_BPF, program.fd.fileno())
        fcntl.ioctl(event.fileno(), PERF_EVENT_IOC_ENABLE, 0)
    except OSError as error:
        event.close()
        raise attach_error(error, program, target, {}, "4.7", ("CAP_PERFMON",)) from None
    return Link(event, target)
