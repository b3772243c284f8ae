"""Attaching to the network by links: interfaces, namespaces, netfilter."""

from __future__ import annotations

import errno
from typing import Any

from ebee.errors import KernelError
from ebee.linux import uapi
from ebee.linux.attach.common import (
    AT_AN_ANCHOR,
    anchor,
    attach_type_of,
    opened,
    without_link,
)
from ebee.linux.attach.interfaces import DIRECTIONS, XDP_MODES, XdpMode, interface, xdp_errors
from ebee.linux.errors import older_than
from ebee.linux.flags import (
    BPF_F_NETFILTER_IP_DEFRAG,
    BPF_F_REPLACE,
)
from ebee.linux.links import Link, create
from ebee.linux.netns import HERE, in_netns
from ebee.linux.programs import LinuxProgram

NETKIT_ENDS = ("primary", "peer")
# NFPROTO_* and NF_INET_* (include/uapi/linux/netfilter.h): those that BPF may have.
NETFILTER_FAMILIES = {"ipv4": 2, "ipv6": 10}
NETFILTER_HOOKS = {
    "pre_routing": 0, "local_in": 1, "forward": 2, "local_out": 3, "post_routing": 4,
}  # fmt: skip


def xdp(
    program: LinuxProgram,
    dev: str | int,
    mode: XdpMode = "auto",
    by: str = "auto",
    replace: bool = False,
) -> Link:
    """Attach an XDP program to a network interface, by name or index. Since Linux 4.8.

    `mode`: "native" (in the driver), "generic" (in the stack, any driver), "offload" (in the card),
    "auto" (native where the driver can, else generic). `by`: "link" (since Linux 5.9), "netlink",
    "auto" (a link where there are some). With netlink `replace` puts the program in the place of
    another one, which is there again afterwards.
    """
    _one_of("XDP mode", mode, XDP_MODES)
    _one_of("way to attach XDP", by, ("auto", "link", "netlink"))
    if by == "netlink" or replace or (by == "auto" and older_than("5.9")):
        from ebee.linux.attach.netlinks import xdp_by_netlink

        if by == "link":
            raise KernelError("an XDP link replaces no other program; update() a link instead")
        return xdp_by_netlink(program, dev, interface(dev), mode, XDP_MODES[mode], replace)
    fields = {
        "target_ifindex": interface(dev),
        "attach_type": uapi.ATTACH_TYPES["xdp"],
        "flags": XDP_MODES[mode],
    }
    return create(program, f"{dev} ({mode} XDP)", fields, xdp_errors(dev, mode), "5.9")


def tcx(
    program: LinuxProgram,
    dev: str | int,
    direction: str = "ingress",
    before: Any = None,
    after: Any = None,
    expected_revision: int = 0,
    by: str = "auto",
) -> Link:
    """Attach a sched_cls program to one direction of an interface. Since Linux 6.6.

    Programs run in order; `before` or `after` names a program or link (or a program's id) that the
    new one stands next to, or is True: the beginning, the end (the default). `expected_revision`:
    only while the list is still at that revision (see ebee.linux.query). `by`: "link", "attach"
    for a program that stays until it is detached, or "auto": a link, on older kernels a classifier
    of clsact, whose order is its priority (see `tc`).
    """
    _one_of("direction", direction, DIRECTIONS)
    _one_of("way to attach to tcx", by, ("auto", "link", "attach"))
    ordered = anchor("tcx_", before, after, expected_revision)
    if by == "auto" and older_than("6.6") and not ordered:
        from ebee.linux.attach.netlinks import tc

        return tc(program, dev, direction)
    fields = {
        "target_ifindex": interface(dev),
        "attach_type": uapi.ATTACH_TYPES[f"tcx_{direction}"],
        **ordered,
    }
    target = f"{dev} ({direction} tcx)"
    if by != "attach":
        return create(program, target, fields, AT_AN_ANCHOR, "6.6")
    place = {name: fields.pop(name) for name in ("target_ifindex", "attach_type")}
    how = {"attach_flags": fields.pop("flags", 0)}
    how |= {name.removeprefix("tcx_"): value for name, value in fields.items()}
    return without_link(
        program, target, place, how,
        lambda own: {"attach_flags": BPF_F_REPLACE, "replace_bpf_fd": own},
        AT_AN_ANCHOR, "6.6", ifindex=place["target_ifindex"],
    )  # fmt: skip


def netkit(
    program: LinuxProgram,
    dev: str | int,
    end: str | None = None,
    before: Any = None,
    after: Any = None,
    expected_revision: int = 0,
) -> Link:
    """Attach a sched_cls program to a netkit device: to its "primary" or "peer" end, both by the
    name of the primary device. Since Linux 6.7; for the others see `tcx`."""
    if end is None:
        end = attach_type_of(program, None, "netkit").removeprefix("netkit_")
    _one_of("end of a netkit pair", end, NETKIT_ENDS)
    fields = {
        "target_ifindex": interface(dev),
        "attach_type": uapi.ATTACH_TYPES[f"netkit_{end}"],
        **anchor("netkit_", before, after, expected_revision),
    }
    why = AT_AN_ANCHOR | {
        errno.ENXIO: f"{dev} is no netkit device",
        errno.EACCES: f"{dev} is the peer of its pair: name the primary device",
        errno.EINVAL: "this kernel was built without netkit (CONFIG_NETKIT)",
    }
    return create(program, f"{dev} (netkit {end})", fields, why, "6.7")


def netns(program: LinuxProgram, namespace: str = HERE, by: str = "auto") -> Link:
    """Attach a sk_lookup or flow_dissector program to a network namespace: a path, or a name as
    `ip netns` gives it. Since Linux 5.9 and 4.20.

    Socket lookups take several programs, flow dissection only one, and none where the first
    namespace has one. `by`: "link", "attach" (flow dissection only, where links came with Linux
    5.8: the program stays until it is detached), "auto".
    """
    _one_of("way to attach to a network namespace", by, ("auto", "link", "attach"))
    path = namespace if "/" in namespace else f"/run/netns/{namespace}"
    why = {
        errno.EEXIST: "this namespace, or the first one, has a program for that already",
        errno.E2BIG: "this namespace has a program for that already"
        if program.type == "flow_dissector"
        else "there is no room for more programs",
        errno.EINVAL: f"{path} is no network namespace, or this type of program does not go there",
    }
    if program.type not in ("sk_lookup", "flow_dissector"):
        raise KernelError(f"a {program.type} program does not go to a network namespace")
    since = {"sk_lookup": "5.9"}.get(program.type, "5.8")
    only = program.type == "flow_dissector"
    if by == "attach" or (by == "auto" and only and older_than("5.8")):
        if not only:
            raise KernelError(f"a {program.type} program is attached by a link only")
        return _dissector(program, path, why)
    with opened(path) as held:
        fields = {"target_fd": held, "attach_type": uapi.ATTACH_TYPES[program.type]}
        return create(program, f"network namespace {path}", fields, why, since)


def _dissector(program: LinuxProgram, path: str, why: dict[int, str]) -> Link:
    """BPF_PROG_ATTACH takes no namespace but that of its caller, so we go there each time."""
    held = opened(path)
    place = {"target_fd": 0, "attach_type": uapi.ATTACH_TYPES["flow_dissector"]}
    return without_link(
        program, f"network namespace {path}, attach", place, {}, lambda own: {}, why, "4.20",
        inside=lambda act: in_netns(f"/proc/self/fd/{held.fileno()}", act),
    )  # fmt: skip


def netfilter(
    program: LinuxProgram,
    family: str | int,
    hook: str | int = "local_in",
    priority: int = 0,
    defrag: bool = False,
) -> Link:
    """Attach to a netfilter hook. Since Linux 6.4.

    `family`: "ipv4" or "ipv6"; `hook`: "pre_routing", "local_in", "forward", "local_out",
    "post_routing"; both also as numbers (NFPROTO_*, NF_INET_*). `priority`: programs with lower
    ones run first; each is taken once, the lowest and highest integer never. `defrag`: fragments
    are put together before (Linux 6.6; priority over -400).
    """
    fields = {
        "attach_type": uapi.ATTACH_TYPES["netfilter"],
        "netfilter_pf": _number("netfilter family", family, NETFILTER_FAMILIES),
        "netfilter_hooknum": _number("netfilter hook", hook, NETFILTER_HOOKS),
        "netfilter_priority": priority,
        "netfilter_flags": BPF_F_NETFILTER_IP_DEFRAG if defrag else 0,
    }
    why = {
        errno.EBUSY: "this priority is taken",
        errno.EINVAL: "this hook, priority or flag is one that BPF cannot have there",
        errno.EPROTO: "this hook is one that BPF cannot have there",
        errno.ERANGE: "this priority is one of those that BPF cannot have",
        errno.EAFNOSUPPORT: f"BPF takes no {family}, or this kernel has none",
        errno.EPROTONOSUPPORT: f"BPF takes no {family}",
    }
    return create(program, f"netfilter {family} {hook}", fields, why, "6.4")


def _one_of(what: str, given: str, known: Any) -> None:
    if given not in known:
        raise KernelError(f"{given!r} is no {what}; there are: {', '.join(known)}")


def _number(what: str, given: str | int, known: dict[str, int]) -> int:
    if isinstance(given, int):
        return given
    _one_of(what, given, known)
    return known[given]
