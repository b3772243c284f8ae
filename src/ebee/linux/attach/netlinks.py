"""Attaching by netlink: XDP on kernels without links, classifiers of clsact, routes.

What was there before is there again when an attachment is closed. Each place keeps its netlink
socket, so that it can be closed from whatever network namespace.
"""

from __future__ import annotations

import errno
import ipaddress
import socket
import struct
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from ebee.errors import KernelError
from ebee.linux import netlink
from ebee.linux.attach.interfaces import DIRECTIONS, interface, xdp_errors
from ebee.linux.attachments import Attachment
from ebee.linux.errors import older_than, refused
from ebee.linux.flags import XDP_FLAGS_REPLACE, XDP_FLAGS_UPDATE_IF_NOEXIST
from ebee.linux.info import object_info, open_id
from ebee.linux.netlink import TCA_KIND, TCA_OPTIONS, Route
from ebee.linux.programs import LinuxProgram
from ebee.linux.sys import Fd

Attributes = list[tuple[int, Any]]


class _Place:
    """Where netlink puts a program: `put`, `exchange` and `undo` are what an Attachment needs."""

    def __init__(self, target: str):
        self.target = target
        self.route = Route()

    def put(self, program: Fd, doing: str) -> None:
        """Put the first program there."""
        raise NotImplementedError

    def exchange(self, own: Fd, new: Fd) -> None:
        """Put another program in its place."""
        raise NotImplementedError

    def remove(self, own: Fd) -> None:
        """Take the program away; KernelError (ENOENT) when it is not there."""
        raise NotImplementedError

    def undo(self, own: Fd) -> None:
        """The end of the attachment."""
        try:
            self.remove(own)
        finally:
            self.close()

    def close(self) -> None:
        self.route.close()

    def attach(
        self, program: LinuxProgram, why: Mapping[int, str], since: str, **facts: Any
    ) -> Attachment:
        """Put a program there; `why` explains the errnos that this place has."""
        doing = f"attach program {program.name!r} ({program.type}) to {self.target}"
        try:
            self.put(program.fd, doing)
        except KernelError as error:
            self.close()
            if error.errno in why:
                text = why[error.errno]
                raise refused(OSError(error.errno, ""), doing, text, since=since) from None
            raise
        return Attachment(program, self.target, "netlink", self.undo, self.exchange, **facts)


def _id(fd: Fd) -> int:
    return int(object_info(fd, "prog").id)


# -- XDP -------------------------------------------------------------------------------------------

XDP_FD, XDP_ATTACHED, XDP_FLAGS, XDP_PROG_ID = 1, 2, 3, 4
XDP_PROG_IDS = {"native": 5, "generic": 6, "offload": 7}
XDP_EXPECTED_FD = 8
NONE = -1


class _Xdp(_Place):
    """A mode of an interface; `before`: the program that was there and will be again."""

    def __init__(self, dev: str | int, index: int, mode: str, flags: int, replace: bool):
        super().__init__(f"{dev} ({mode} XDP, netlink)")
        self.dev, self.index, self.mode, self.flags = dev, index, mode, flags
        self.before = self._there() if replace else None

    def _set(self, new: int, old: Fd | None, doing: str) -> None:
        """Put `new` where `old` is (None: nothing)."""
        nested: Attributes = [(XDP_FD, new)]
        flags = self.flags
        if old is None:
            flags |= XDP_FLAGS_UPDATE_IF_NOEXIST
        elif not older_than("5.7"):
            nested.append((XDP_EXPECTED_FD, old.fileno()))
            flags |= XDP_FLAGS_REPLACE
        attributes = [(netlink.IFLA_XDP, [*nested, (XDP_FLAGS, flags)])]
        message = netlink.interface_message(self.index)
        self.route.ask(netlink.SETLINK, message, attributes, doing)

    def _there(self) -> Fd | None:
        """The program that is attached in the mode ("auto": in the only one)."""
        message = netlink.interface_message(self.index)
        body = self.route.ask(netlink.GETLINK, message, (), f"look at {self.dev}")[0]
        attributes = netlink.parse(body[netlink.INTERFACE.size :])
        xdp = netlink.parse(attributes.get(netlink.IFLA_XDP, b""))
        number = netlink.number(xdp.get(XDP_PROG_IDS.get(self.mode, XDP_PROG_ID), b""))
        return open_id("prog", number) if number else None

    def put(self, program: Fd, doing: str) -> None:
        self._set(program.fileno(), self.before, doing)

    def exchange(self, own: Fd, new: Fd) -> None:
        self._set(new.fileno(), own, f"replace the XDP program on {self.dev}")

    def remove(self, own: Fd) -> None:
        if older_than("5.7"):  # the kernel does not compare what is there
            now = self._there()
            if now is None or _id(now) != _id(own):
                raise KernelError("another XDP program is there by now", errno.ENOENT)
        doing = f"take the XDP program off {self.dev}"
        try:
            self._set(self.before.fileno() if self.before else NONE, own, doing)
        except KernelError as error:
            if error.errno == errno.EEXIST:  # another one is there by now
                raise KernelError(str(error), errno.ENOENT) from None
            raise

    def close(self) -> None:
        super().close()
        if self.before is not None:
            self.before.close()


def xdp_by_netlink(
    program: LinuxProgram, dev: str | int, index: int, mode: str, flags: int, replace: bool
) -> Attachment:
    """See network.xdp."""
    place = _Xdp(dev, index, mode, flags, replace)
    return place.attach(program, xdp_errors(dev, mode), "4.8", ifindex=index, mode=mode)


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


class _Classifier(_Place):
    """A priority and handle of one direction of an interface's clsact. The clsact that this makes
    goes with it, unless it has other classifiers by then."""

    def __init__(
        self, dev: str | int, index: int, kind: str, direction: str, direct: bool, message: bytes
    ):
        super().__init__(f"{dev} ({direction} tc)")
        self.index, self.kind, self.direct, self.message = index, kind, direct, message
        self.made = False

    def _options(self, program: Fd) -> Attributes:
        name = object_info(program, "prog").name or "program"
        nested: Attributes
        if self.kind == "bpf":
            flags = DIRECT_ACTION if self.direct else 0
            nested = [(BPF_FD, program.fileno()), (BPF_NAME, name), (BPF_FLAGS, flags)]
        else:
            does = [(ACT_PARMS, ACT_GENERIC), (ACT_FD, program.fileno()), (ACT_NAME, name)]
            nested = [(MATCHALL_ACT, [(1, [(TCA_KIND, "bpf"), (TCA_OPTIONS, does)])])]
        return [(TCA_KIND, self.kind), (TCA_OPTIONS, nested)]

    def put(self, program: Fd, doing: str) -> None:
        qdisc = netlink.traffic_message(self.index, CLSACT_HANDLE, CLSACT)
        new = netlink.CREATE | netlink.EXCL
        try:
            self.route.ask(netlink.NEWQDISC, qdisc, [(TCA_KIND, "clsact")], doing, new)
            self.made = True
        except KernelError as error:
            if error.errno != errno.EEXIST:
                raise
        options = self._options(program)
        reply = self.route.ask(
            netlink.NEWTFILTER, self.message, options, doing, new | netlink.ECHO
        )  # fmt: skip
        _, _, handle, parent, info = netlink.TRAFFIC.unpack_from(reply[0])
        # matchall's reply does not tell its handle, which is 1 (cls_matchall.c: mall_change).
        self.message = netlink.traffic_message(self.index, handle or 1, parent, info)

    def exchange(self, own: Fd, new: Fd) -> None:
        doing = f"replace the classifier on {self.target}"
        self.route.ask(netlink.NEWTFILTER, self.message, self._options(new), doing)

    def remove(self, own: Fd) -> None:
        kind = [(TCA_KIND, self.kind)]
        body = self.route.ask(netlink.GETTFILTER, self.message, kind, "look at a classifier")[0]
        if classifier_id(netlink.parse(body[netlink.TRAFFIC.size :])) != _id(own):
            raise KernelError(f"another program is attached to {self.target} by now", errno.ENOENT)
        doing = f"take the classifier off {self.target}"
        self.route.ask(netlink.DELTFILTER, self.message, kind, doing)

    def close(self) -> None:
        if self.made:
            with suppress(KernelError):
                self._remove_clsact()
        super().close()

    def _remove_clsact(self) -> None:
        """Take clsact away if nothing is left in it."""
        for parent in PARENTS.values():
            message = netlink.traffic_message(self.index, 0, parent)
            size = netlink.TRAFFIC.size
            if list(self.route.dump(netlink.GETTFILTER, message, "list classifiers", size)):
                return
        message = netlink.traffic_message(self.index, CLSACT_HANDLE, CLSACT)
        kind = [(TCA_KIND, "clsact")]
        self.route.ask(netlink.DELQDISC, message, kind, "take clsact away")


def classifier_id(attributes: dict[int, bytes]) -> int:
    """The program of a classifier or of its action; 0 when there is none."""
    path: tuple[int, ...] = (TCA_OPTIONS, BPF_ID)
    if netlink.text(attributes.get(TCA_KIND, b"")) == "matchall":
        path = (TCA_OPTIONS, MATCHALL_ACT, 1, TCA_OPTIONS, ACT_ID)
    for attribute in path[:-1]:
        attributes = netlink.parse(attributes.get(attribute, b""))
    return netlink.number(attributes.get(path[-1], b""))


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
    if direction not in DIRECTIONS:
        raise KernelError(f"{direction!r} is no direction; there are: {', '.join(DIRECTIONS)}")
    if program.type not in CLASSIFIERS:
        raise KernelError(f"clsact takes sched_cls and sched_act programs, not {program.type}")
    if not 0 <= priority < 1 << 16:
        raise KernelError(f"a classifier's priority is from 1 to 65535, not {priority}")
    index, info = interface(dev), priority << 16 | ALL_PROTOCOLS
    message = netlink.traffic_message(index, handle, PARENTS[direction], info)
    place = _Classifier(dev, index, CLASSIFIERS[program.type], direction, direct, message)
    why = {errno.EEXIST: "there is one of this priority and handle"}
    made = place.attach(program, why, "4.5", ifindex=index, direction=direction)
    _, _, handle, _, info = netlink.TRAFFIC.unpack(place.message)
    made.facts |= {"handle": handle, "priority": info >> 16}
    return made


# -- routes ----------------------------------------------------------------------------------------

RTA_DST, RTA_OIF, RTA_GATEWAY, RTA_PRIORITY, RTA_TABLE = 1, 4, 5, 6, 15
RTA_ENCAP_TYPE, RTA_ENCAP = 21, 22
ENCAP_BPF, ENCAP_SEG6_LOCAL = 6, 7
LWT_PLACES = {"lwt_in": 1, "lwt_out": 2, "lwt_xmit": 3}
LWT_HEADROOM = 4
SEG6_ACTION, SEG6_BPF, SEG6_END_BPF = 1, 8, 15
PROG_FD, PROG_NAME = 1, 2
PROTOCOL_STATIC, SCOPE_UNIVERSE, SCOPE_LINK, UNICAST, MAIN_TABLE = 4, 0, 253, 1, 254


class _Route(_Place):
    """A route of our own, for programs of one type."""

    def __init__(self, destination: str, type: str, fixed: bytes, where: Attributes, headroom: int):
        super().__init__(f"route to {destination}")
        self.type, self.fixed, self.where, self.headroom = type, fixed, where, headroom

    def _encap(self, program: Fd) -> Attributes:
        # The kernel takes programs of one name for the same (bpf_lwt_prog_cmp), so name the id too.
        info = object_info(program, "prog")
        nested = [(PROG_FD, program.fileno()), (PROG_NAME, f"{info.name}:[{info.id}]")]
        if self.type == "lwt_seg6local":
            kind, found = ENCAP_SEG6_LOCAL, [(SEG6_ACTION, SEG6_END_BPF), (SEG6_BPF, nested)]
        else:
            kind, found = ENCAP_BPF, [(LWT_PLACES[self.type], nested)]
            found += [(LWT_HEADROOM, self.headroom)] if self.headroom else []
        return [(RTA_ENCAP_TYPE, struct.pack("=H", kind)), (RTA_ENCAP, found)]

    def _set(self, program: Fd, flags: int, doing: str) -> None:
        attributes = [*self.where, *self._encap(program)]
        self.route.ask(netlink.NEWROUTE, self.fixed, attributes, doing, flags)

    def put(self, program: Fd, doing: str) -> None:
        self._set(program, netlink.CREATE | netlink.EXCL, doing)

    def exchange(self, own: Fd, new: Fd) -> None:
        self._set(new, netlink.REPLACE, f"replace the program of the {self.target}")

    def remove(self, own: Fd) -> None:
        self.route.ask(netlink.DELROUTE, self.fixed, self.where, f"remove the {self.target}")


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
    if program.type not in (*LWT_PLACES, "lwt_seg6local"):
        raise KernelError(f"a route takes lwt programs, {program.name!r} is a {program.type}")
    if not (dev or via):
        raise KernelError("a route leads to an interface (dev=) or a gateway (via=)")
    if headroom and program.type != "lwt_xmit":
        raise KernelError("headroom= is for lwt_xmit programs")
    network, gateway = _addresses(destination, via)
    family = socket.AF_INET if network.version == 4 else socket.AF_INET6
    scope = SCOPE_LINK if network.version == 4 and not via else SCOPE_UNIVERSE
    fixed = netlink.ROUTE.pack(
        family, network.prefixlen, 0, 0, table & 0xFF, PROTOCOL_STATIC, scope, UNICAST, 0
    )
    where: Attributes = [(RTA_DST, network.network_address.packed), (RTA_TABLE, table)]
    where += [(RTA_OIF, interface(dev))] if dev else []
    where += [(RTA_GATEWAY, gateway.packed)] if gateway else []
    where += [(RTA_PRIORITY, metric)] if metric else []
    why = {
        errno.EEXIST: "there is such a route already",
        errno.EOPNOTSUPP: "this kernel has no BPF for routes (CONFIG_LWTUNNEL_BPF), or not for"
        " this address family",
    }
    place = _Route(str(network), program.type, fixed, where, headroom)
    return place.attach(program, why, "4.10", destination=str(network))


def _addresses(destination: str, via: str) -> tuple[Any, Any]:
    """The network and the gateway (None: there is none) of a route."""
    if destination == "default":
        destination = "::/0" if ":" in via else "0.0.0.0/0"
    try:
        network = ipaddress.ip_network(destination, strict=False)
        return network, ipaddress.ip_address(via) if via else None
    except ValueError as error:
        text = f"cannot route to {destination!r}: {error}"
        raise KernelError(text, errno.EINVAL) from None
