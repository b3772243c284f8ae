"""Attaching to the network: interfaces, namespaces, netfilter."""

from __future__ import annotations

import errno
from typing import Literal

from ebee.errors import KernelError
from ebee.linux import uapi
from ebee.linux.attach.common import opened
from ebee.linux.errors import ENOTSUPP
from ebee.linux.flags import XDP_FLAGS_DRV_MODE, XDP_FLAGS_HW_MODE, XDP_FLAGS_SKB_MODE
from ebee.linux.links import Link, create
from ebee.linux.programs import LinuxProgram

XdpMode = Literal["auto", "native", "generic", "offload"]
XDP_MODES: dict[str, int] = {
    "auto": 0,
    "native": XDP_FLAGS_DRV_MODE,
    "generic": XDP_FLAGS_SKB_MODE,
    "offload": XDP_FLAGS_HW_MODE,
}


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


def netns(program: LinuxProgram, path: str = "/proc/self/ns/net") -> Link:
    """Attach a sk_lookup or flow_dissector program to a network namespace. Since Linux 5.9, 5.8."""
    why = {
        errno.EEXIST: "there is another one, and no room for more",
        errno.EINVAL: f"{path} is no network namespace, or this type of program does not go there",
    }
    with opened(path) as namespace:
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
