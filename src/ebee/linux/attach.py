"""Attaching, by mechanism: the few ways in which all hooks of Linux take a program.

Each function here takes a loaded program and says where; MECHANISMS names them as the declarations
of hooks do.
"""

from __future__ import annotations

import errno
import os
import struct
from collections.abc import Callable
from typing import Literal

from ebee.errors import KernelError
from ebee.linux import uapi
from ebee.linux.errors import ENOTSUPP, older_than
from ebee.linux.flags import (
    XDP_FLAGS_DRV_MODE,
    XDP_FLAGS_HW_MODE,
    XDP_FLAGS_SKB_MODE,
)
from ebee.linux.host import read
from ebee.linux.links import Link, attach_error, create
from ebee.linux.programs import LinuxProgram
from ebee.linux.sys import Fd, last_errno, open_fd, strerror, syscall

XdpMode = Literal["auto", "native", "generic", "offload"]
XDP_MODES: dict[str, int] = {
    "auto": 0,
    "native": XDP_FLAGS_DRV_MODE,
    "generic": XDP_FLAGS_SKB_MODE,
    "offload": XDP_FLAGS_HW_MODE,
}
TRACEFS = ("/sys/kernel/tracing", "/sys/kernel/debug/tracing")
PERF_TYPE_TRACEPOINT = 2
PERF_FLAG_FD_CLOEXEC = 8
PERF_ATTR_SIZE = 64  # PERF_ATTR_SIZE_VER0: all that is needed, and known to every kernel
PERF_EVENT_IOC_ENABLE, PERF_EVENT_IOC_SET_BPF = 0x2400, 0x40042408


def interface(dev: str | int) -> int:
    """The index of a network interface of this network namespace."""
    import socket

    names = dict(socket.if_nameindex())
    if isinstance(dev, int):
        if dev in names:
            return dev
    else:
        for index, name in names.items():
            if name == dev:
                return index
    known = ", ".join(sorted(names.values()))
    raise KernelError(f"there is no network interface {dev!r} here; there are: {known}", 19)


def xdp(program: LinuxProgram, dev: str | int, mode: XdpMode = "auto") -> Link:
    """Attach an XDP program to a network interface, by name or index. Since Linux 5.9.

    `mode`: "native" (in the driver), "generic" (in the stack, any driver), "offload" (in the card),
    "auto" (native where the driver can, else generic).
    """
    if mode not in XDP_MODES:
        raise KernelError(f"{mode!r} is no XDP mode; there are: {', '.join(XDP_MODES)}")
    busy = (
        f"another XDP program is attached there in this or another mode"
        f" (`ip link show dev {dev}` tells; `ip link set dev {dev} xdp off` removes it)"
    )
    no_mode = f"the driver of {dev} has no {mode} XDP; mode 'generic' works on every interface"
    why = {
        errno.EBUSY: busy,
        errno.EEXIST: busy,
        errno.EOPNOTSUPP: no_mode,
        ENOTSUPP: no_mode,
        errno.ERANGE: f"the MTU of {dev} (or of its peer) is too large for native XDP",
        errno.EINVAL: f"{dev} or its settings (MTU, LRO, queues) do not go with {mode} XDP,"
        " or the program was made for a device or CPU map",
    }
    fields = {
        "target_ifindex": interface(dev),
        "attach_type": uapi.ATTACH_TYPES["xdp"],
        "flags": XDP_MODES[mode],
    }
    return create(program, f"{dev} ({mode} XDP)", fields, why, "5.9")


def tcx(program: LinuxProgram, dev: str | int, direction: str = "ingress") -> Link:
    """Attach a sched_cls program to one direction of an interface. Since Linux 6.6."""
    if direction not in ("ingress", "egress"):
        raise KernelError(f"{direction!r} is no direction; there are: ingress, egress")
    fields = {
        "target_ifindex": interface(dev),
        "attach_type": uapi.ATTACH_TYPES[f"tcx_{direction}"],
    }
    why = {errno.EEXIST: "this program is attached there already"}
    return create(program, f"{dev} ({direction} tcx)", fields, why, "6.6")


def cgroup(program: LinuxProgram, path: str, attach_type: str) -> Link:
    """Attach to a cgroup (version 2) for one of the cgroup_* attach types. Since Linux 5.7."""
    if attach_type not in uapi.ATTACH_TYPES or "cgroup" not in attach_type:
        raise KernelError(f"{attach_type!r} is no cgroup attach type")
    why = {
        errno.EINVAL: f"the program was not loaded for {attach_type}",
        errno.EPERM: "a program further up forbids others here",
        errno.EBADF: f"{path} is no cgroup of version 2",
    }
    with _open(path, os.O_DIRECTORY) as folder:
        fields = {"target_fd": folder, "attach_type": uapi.ATTACH_TYPES[attach_type]}
        return create(program, f"cgroup {path} ({attach_type})", fields, why, "5.7")


def netns(program: LinuxProgram, path: str = "/proc/self/ns/net") -> Link:
    """Attach a sk_lookup or flow_dissector program to a network namespace. Since Linux 5.9, 5.8."""
    why = {
        errno.EEXIST: "there is another one, and no room for more",
        errno.EINVAL: f"{path} is no network namespace, or this type of program does not go there",
    }
    with _open(path) as namespace:
        fields = {"target_fd": namespace, "attach_type": uapi.ATTACH_TYPES.get(program.type, 0)}
        return create(program, f"network namespace {path}", fields, why, "5.8")


def netfilter(program: LinuxProgram, family: int, hook: int, priority: int, flags: int = 0) -> Link:
    """Attach to a netfilter hook: NFPROTO_* family, NF_INET_* hook, priority. Since Linux 6.4."""
    fields = {
        "attach_type": uapi.ATTACH_TYPES["netfilter"],
        "netfilter_pf": family,
        "netfilter_hooknum": hook,
        "netfilter_priority": priority,
        "netfilter_flags": flags,
    }
    why = {
        errno.EBUSY: "this priority is taken",
        errno.EINVAL: "family, hook or priority is one that BPF cannot have",
        errno.EAFNOSUPPORT: "BPF takes only IPv4 and IPv6",
    }
    return create(program, f"netfilter hook {hook} of family {family}", fields, why, "6.4")


def raw_tracepoint(program: LinuxProgram, name: str) -> Link:
    """Attach to a tracepoint by name ("sched_switch"), with its raw arguments. Since Linux 4.17."""
    target = f"raw tracepoint {name}"
    try:
        return Link(open_fd("RAW_TRACEPOINT_OPEN", name=name, prog_fd=program.fd), target)
    except OSError as error:
        why = {errno.ENOENT: "there is none of this name"}
        needs = ("CAP_BPF", "CAP_PERFMON")
        raise attach_error(error, program, target, why, "4.17", needs) from None


def tracing(program: LinuxProgram) -> Link:
    """Attach where the program was loaded for: tp_btf, fentry, fexit, fmod_ret, LSM, freplace.

    Since Linux 5.5 (LSM 5.7, freplace 5.6).
    """
    try:
        return Link(open_fd("RAW_TRACEPOINT_OPEN", prog_fd=program.fd), "its BTF target")
    except OSError as error:
        needs = ("CAP_BPF", "CAP_PERFMON")
        why = {errno.EBUSY: "something else is attached that leaves no room"}
        raise attach_error(error, program, "its BTF target", why, "5.5", needs) from None


def tracepoint(program: LinuxProgram, name: str, cookie: int = 0) -> Link:
    """Attach to a tracepoint "category:name" of tracefs. Since Linux 4.7; `cookie` since 5.15."""
    category, _, event = name.replace("/", ":").partition(":")
    for root in TRACEFS:
        number = read(f"{root}/events/{category}/{event}/id")
        if number:
            break
    else:
        mounted = any(os.path.isdir(f"{root}/events") for root in TRACEFS)
        help = "`mount -t tracefs tracefs /sys/kernel/tracing` first"
        reason = "there is none of this name" if mounted else f"tracefs is not mounted; {help}"
        raise KernelError(f"cannot attach to tracepoint {name!r}: {reason}", errno.ENOENT)
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


def _open(path: str, flags: int = 0) -> Fd:
    try:
        return Fd(os.open(path, os.O_RDONLY | os.O_CLOEXEC | flags))
    except OSError as error:
        raise KernelError(f"cannot open {path}: {error.strerror}", error.errno or 0) from None


# By mechanism, and by the program's type where that makes a difference.
MECHANISMS: dict[str, dict[str, Callable[..., Link]]] = {
    "netdev": {"xdp": xdp, "sched_cls": tcx},
    "cgroup": {"": cgroup},
    "netns": {"": netns},
    "netfilter": {"": netfilter},
    "raw_tracepoint": {"": raw_tracepoint, "tracing": tracing},
    "tracing": {"": tracing},
    "tracepoint": {"": tracepoint},
}


def way(mechanism: str | None, type: str) -> Callable[..., Link]:
    """The function that attaches programs of a type by a mechanism of the declarations."""
    ways = MECHANISMS.get(mechanism or "", {})
    found = ways.get(type) or ways.get("")
    if found is None:
        raise KernelError(f"ebee cannot attach {type} programs ({mechanism}) yet")
    return found
