"""Attaching by netlink: XDP on kernels without links, classifiers of clsact, routes.

What was there before is there again when an attachment is closed. Each keeps its netlink socket,
so that it can be closed from whatever network namespace.
"""

from __future__ import annotations

import errno
import socket
import struct
from contextlib import suppress
from typing import Any

from ebee.errors import KernelError
from ebee.linux import netlink
from ebee.linux.attachments import Attachment
from ebee.linux.errors import older_than, refused
from ebee.linux.flags import XDP_FLAGS_REPLACE, XDP_FLAGS_UPDATE_IF_NOEXIST
from ebee.linux.info import object_info, open_id
from ebee.linux.netlink import TCA_KIND, TCA_OPTIONS, Route
from ebee.linux.programs import LinuxProgram
from ebee.linux.sys import Fd

# -- XDP -------------------------------------------------------------------------------------------

XDP_FD, XDP_ATTACHED, XDP_FLAGS, XDP_PROG_ID = 1, 2, 3, 4
XDP_PROG_IDS = {"native": 5, "generic": 6, "offload": 7}
XDP_EXPECTED_FD = 8
NONE = -1


def xdp_by_netlink(
    program: LinuxProgram, dev: str | int, index: int, mode: str, flags: int, replace: bool
) -> Attachment:
    """See network.xdp."""
    from ebee.linux.attach.network import xdp_errors

    route = Route()
    before = _xdp_attached(route, index, mode) if replace else None
    doing = f"attach program {program.name!r} (xdp) to {dev} ({mode} XDP)"

    def put(new: int, old: Fd | None, doing: str) -> None:
        nested: list[tuple[int, Any]] = [(XDP_FD, new)]
        how = flags
        if old is not None and not older_than("5.7"):
            nested.append((XDP_EXPECTED_FD, old.fileno()))
            how |= XDP_FLAGS_REPLACE
        elif old is None:
            how |= XDP_FLAGS_UPDATE_IF_NOEXIST
        nested.append((XDP_FLAGS, how))
        message = netlink.interface_message(index)
        route.ask(netlink.SETLINK, message, [(netlink.IFLA_XDP, nested)], doing)

    def undo(own: Fd) -> None:
        try:
            if older_than("5.7"):  # what is there is not compared
                now = _xdp_attached(route, index, mode)
                if now is None or object_info(now, "prog").id != object_info(own, "prog").id:
                    raise KernelError("another XDP program is there by now", errno.ENOENT)
            put(before.fileno() if before else NONE, own, f"take the XDP program off {dev}")
        except KernelError as error:
            if error.errno == errno.EEXIST:  # another one is there by now
                raise KernelError(str(error), errno.ENOENT) from None
            raise
        finally:
            route.close()
            if before is not None:
                before.close()

    def exchange(own: Fd, new: Fd) -> None:
        put(new.fileno(), own, f"replace the XDP program on {dev}")

    try:
        put(program.fd.fileno(), before, doing)
    except KernelError as error:
        route.close()
        why = xdp_errors(dev, mode).get(error.errno, "")
        if why:
            text = OSError(error.errno, "")
            raise refused(text, doing, why, since="4.8") from None
        raise
    target = f"{dev} ({mode} XDP, netlink)"
    return Attachment(program, target, "netlink", undo, exchange, ifindex=index, mode=mode)


def _xdp_attached(route: Route, index: int, mode: str) -> Fd | None:
    """The program that is attached in a mode ("auto": in the only one)."""
    body = route.ask(
        netlink.GETLINK, netlink.interface_message(index), (), f"look at interface {index}"
    )[0]
    xdp = netlink.parse(netlink.parse(body[netlink.INTERFACE.size :]).get(netlink.IFLA_XDP, b""))
    raw = xdp.get(XDP_PROG_IDS.get(mode, XDP_PROG_ID), b"")
    return open_id("prog", netlink.number(raw)) if raw and netlink.number(raw) else None


# -- clsact ----------------------------------------------------------------------------------------

CLSACT, CLSACT_HANDLE = 0xFFFF_FFF1, 0xFFFF_0000
PARENTS = {"ingress": 0xFFFF_FFF2, "egress": 0xFFFF_FFF3}
BPF_FD, BPF_NAME, BPF_FLAGS, BPF_ID = 6, 7, 8, 11
DIRECT_ACTION = 1
CLASSIFIERS = {"sched_cls": "bpf", "sched_act": "matchall"}
MATCHALL_ACT = 2
ACT_PARMS, ACT_FD, ACT_NAME, ACT_ID = 2, 5, 6, 9
ACT_GENERIC = struct.pack("=IIiii", 0, 0, 3, 0, 0)  # struct tc_act_bpf: by default TC_ACT_PIPE
ALL_PROTOCOLS = socket.htons(3)


def tc(
    program: LinuxProgram,
    dev: str | int,
    direction: str = "ingress",
    priority: int = 0,
    handle: int = 0,
    direct: bool = True,
) -> Attachment:
    """Attach a sched_cls program as a classifier of an interface's clsact, or a sched_act program
    as the action of a classifier that takes all packets. Since Linux 4.5.

    Classifiers run by `priority`, 1 first; 0 lets the kernel choose one. `handle`: the number among
    those of a priority (0: the kernel's choice). `direct`: what the program returns is the action;
    else it is a class, for a qdisc of the caller's. The clsact that this makes goes with the
    attachment, unless it has other classifiers by then.
    """
    from ebee.linux.attach.network import DIRECTIONS, interface

    if direction not in DIRECTIONS:
        raise KernelError(f"{direction!r} is no direction; there are: {', '.join(DIRECTIONS)}")
    if program.type not in CLASSIFIERS:
        raise KernelError(f"clsact takes sched_cls and sched_act programs, not {program.type}")
    if not 0 <= priority < 1 << 16:
        raise KernelError(f"a classifier's priority is from 1 to 65535, not {priority}")
    index, parent, route = interface(dev), PARENTS[direction], Route()
    kind, target = CLASSIFIERS[program.type], f"{dev} ({direction} tc)"

    def options(fd: Fd) -> list[tuple[int, Any]]:
        name = object_info(fd, "prog").name or "program"
        nested: list[tuple[int, Any]]
        if kind == "bpf":
            flags = DIRECT_ACTION if direct else 0
            nested = [(BPF_FD, fd.fileno()), (BPF_NAME, name), (BPF_FLAGS, flags)]
        else:
            does = [(ACT_PARMS, ACT_GENERIC), (ACT_FD, fd.fileno()), (ACT_NAME, name)]
            nested = [(MATCHALL_ACT, [(1, [(TCA_KIND, "bpf"), (TCA_OPTIONS, does)])])]
        return [(TCA_KIND, kind), (TCA_OPTIONS, nested)]

    doing = f"attach program {program.name!r} ({program.type}) to {target}"
    try:
        made = _make_clsact(route, index, doing)
        message = netlink.traffic_message(index, handle, parent, priority << 16 | ALL_PROTOCOLS)
        flags = netlink.CREATE | netlink.EXCL | netlink.ECHO
        try:
            reply = route.ask(netlink.NEWTFILTER, message, options(program.fd), doing, flags)
        except KernelError:
            if made:
                _remove_clsact(route, index)
            raise
    except KernelError as error:
        route.close()
        if error.errno == errno.EEXIST:
            text = f"cannot {doing}: there is one of this priority and handle [EEXIST]"
            raise KernelError(text, errno.EEXIST) from None
        raise
    _, _, handle, _, info = netlink.TRAFFIC.unpack_from(reply[0])
    place = netlink.traffic_message(index, handle, parent, info)

    def undo(own: Fd) -> None:
        try:
            if _classifier_id(route, place, kind) != object_info(own, "prog").id:
                raise KernelError(f"another program is attached to {target} by now", errno.ENOENT)
            what = [(TCA_KIND, kind)]
            route.ask(netlink.DELTFILTER, place, what, f"take the classifier off {target}")
        finally:
            if made:
                with suppress(KernelError):
                    _remove_clsact(route, index)
            route.close()

    def exchange(own: Fd, new: Fd) -> None:
        route.ask(netlink.NEWTFILTER, place, options(new), f"replace the classifier on {target}")

    facts = {"ifindex": index, "direction": direction, "handle": handle, "priority": info >> 16}
    return Attachment(program, target, "netlink", undo, exchange, **facts)


def _make_clsact(route: Route, index: int, doing: str) -> bool:
    """Whether there was none."""
    message = netlink.traffic_message(index, CLSACT_HANDLE, CLSACT)
    flags = netlink.CREATE | netlink.EXCL
    try:
        route.ask(netlink.NEWQDISC, message, [(TCA_KIND, "clsact")], doing, flags)
    except KernelError as error:
        if error.errno == errno.EEXIST:
            return False
        raise
    return True


def _remove_clsact(route: Route, index: int) -> None:
    """Take clsact away if nothing is left in it."""
    for parent in PARENTS.values():
        message = netlink.traffic_message(index, 0, parent)
        filters = route.dump(netlink.GETTFILTER, message, "list classifiers", netlink.TRAFFIC.size)
        if any(True for _ in filters):
            return
    message = netlink.traffic_message(index, CLSACT_HANDLE, CLSACT)
    route.ask(netlink.DELQDISC, message, [(TCA_KIND, "clsact")], "take clsact away")


def _classifier_id(route: Route, place: bytes, kind: str) -> int:
    """The id of the program of a classifier or its action."""
    found = route.ask(netlink.GETTFILTER, place, [(TCA_KIND, kind)], "look at a classifier")[0]
    raw = found[netlink.TRAFFIC.size :]
    path: tuple[int, ...] = (TCA_OPTIONS, BPF_ID)
    if kind != "bpf":
        path = (TCA_OPTIONS, MATCHALL_ACT, 1, TCA_OPTIONS, ACT_ID)
    for attribute in path:
        raw = netlink.parse(raw).get(attribute, b"")
    return netlink.number(raw)


# -- routes ----------------------------------------------------------------------------------------

RTA_DST, RTA_OIF, RTA_GATEWAY, RTA_PRIORITY, RTA_TABLE = 1, 4, 5, 6, 15
RTA_ENCAP_TYPE, RTA_ENCAP = 21, 22
ENCAP_BPF, ENCAP_SEG6_LOCAL = 6, 7
LWT_PLACES = {"lwt_in": 1, "lwt_out": 2, "lwt_xmit": 3}
LWT_HEADROOM = 4
SEG6_ACTION, SEG6_BPF, SEG6_END_BPF = 1, 8, 15
PROG_FD, PROG_NAME = 1, 2
PROTOCOL_STATIC, SCOPE_UNIVERSE, SCOPE_LINK, UNICAST, MAIN_TABLE = 4, 0, 253, 1, 254


def route(
    program: LinuxProgram,
    destination: str,
    dev: str | int = "",
    via: str = "",
    table: int = MAIN_TABLE,
    metric: int = 0,
    headroom: int = 0,
) -> Attachment:
    """Add a route whose packets a program sees: lwt_in, lwt_out, lwt_xmit (Linux 4.10), or
    lwt_seg6local (an IPv6 route; Linux 4.18).

    `destination`: "10.1.0.0/16", an address, "default"; `dev` and/or `via` say where it leads.
    `headroom`: bytes that a lwt_xmit program may put in front of packets (at most 256). The route
    goes with the attachment.
    """
    import ipaddress

    from ebee.linux.attach.network import interface

    if program.type not in (*LWT_PLACES, "lwt_seg6local"):
        raise KernelError(f"a route takes lwt programs, {program.name!r} is a {program.type}")
    if not (dev or via):
        raise KernelError("a route leads to an interface (dev=) or a gateway (via=)")
    if headroom and program.type != "lwt_xmit":
        raise KernelError("headroom= is for lwt_xmit programs")
    try:
        text = destination
        if destination == "default":
            text = "::/0" if ":" in via else "0.0.0.0/0"
        network = ipaddress.ip_network(text, strict=False)
        gateway = ipaddress.ip_address(via) if via else None
    except ValueError as error:
        raise KernelError(f"cannot route to {destination!r}: {error}", errno.EINVAL) from None
    family = socket.AF_INET if network.version == 4 else socket.AF_INET6
    scope = SCOPE_LINK if family == socket.AF_INET and not via else SCOPE_UNIVERSE
    fixed = netlink.ROUTE.pack(
        family, network.prefixlen, 0, 0, table & 0xFF, PROTOCOL_STATIC, scope, UNICAST, 0
    )
    place: list[tuple[int, Any]] = [(RTA_DST, network.network_address.packed), (RTA_TABLE, table)]
    place += [(RTA_OIF, interface(dev))] if dev else []
    place += [(RTA_GATEWAY, gateway.packed)] if gateway else []
    place += [(RTA_PRIORITY, metric)] if metric else []
    connection = Route()
    target = f"route to {network}"

    def encap(fd: Fd) -> list[tuple[int, Any]]:
        # The kernel takes programs of one name for the same (bpf_lwt_prog_cmp), so name the id too.
        info = object_info(fd, "prog")
        nested = [(PROG_FD, fd.fileno()), (PROG_NAME, f"{info.name}:[{info.id}]")]
        if program.type == "lwt_seg6local":
            kind, found = ENCAP_SEG6_LOCAL, [(SEG6_ACTION, SEG6_END_BPF), (SEG6_BPF, nested)]
        else:
            kind, found = ENCAP_BPF, [(LWT_PLACES[program.type], nested)]
            found += [(LWT_HEADROOM, headroom)] if headroom else []
        return [(RTA_ENCAP_TYPE, struct.pack("=H", kind)), (RTA_ENCAP, found)]

    def put(fd: Fd, flags: int, doing: str) -> None:
        connection.ask(netlink.NEWROUTE, fixed, [*place, *encap(fd)], doing, flags)

    def undo(own: Fd) -> None:
        try:
            connection.ask(netlink.DELROUTE, fixed, place, f"remove the {target}")
        finally:
            connection.close()

    def exchange(own: Fd, new: Fd) -> None:
        put(new, netlink.REPLACE, f"replace the program of the {target}")

    try:
        doing = f"attach program {program.name!r} ({program.type}) to a {target}"
        put(program.fd, netlink.CREATE | netlink.EXCL, doing)
    except KernelError as error:
        connection.close()
        why = {
            errno.EEXIST: "there is such a route already",
            errno.EOPNOTSUPP: "this kernel has no BPF for routes (CONFIG_LWTUNNEL_BPF), or not"
            " for this address family",
        }.get(error.errno)
        if why:
            raise refused(OSError(error.errno, ""), doing, why, since="4.10") from None
        raise
    return Attachment(program, target, "netlink", undo, exchange, destination=str(network))
