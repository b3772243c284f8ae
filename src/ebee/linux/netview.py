"""Which programs are attached to the network: by interface, and to a namespace as a whole."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

from ebee.errors import KernelError
from ebee.linux import netlink
from ebee.linux.attach.netlinks import (
    BPF_FLAGS,
    BPF_NAME,
    CLSACT,
    DIRECT_ACTION,
    PARENTS,
    classifier_id,
)
from ebee.linux.attach.network import NETFILTER_FAMILIES, NETFILTER_HOOKS
from ebee.linux.info import each
from ebee.linux.links import Link
from ebee.linux.netlink import IFLA_IFNAME, IFLA_XDP, TCA_KIND, TCA_OPTIONS, Route, number, parse
from ebee.linux.netns import HERE
from ebee.linux.programs import LinuxProgram
from ebee.linux.query import query
from ebee.linux.sys import Fd

XDP_ATTACHED = 2
XDP_MODES = {1: "driver", 2: "generic", 3: "offload"}
XDP_PROG_ID, XDP_IDS = 4, {5: "driver", 6: "generic", 7: "offload"}
XDP_MULTIPLE = 4
GETCLASS = 42
ROOT = 0xFFFF_FFFF
BOTH = "tcx_ingress", "tcx_egress", "netkit_primary", "netkit_peer"
OF_NAMESPACE = "flow_dissector", "sk_lookup"
KINDS = "xdp", "tcx", "netkit", "tc", "netfilter", *OF_NAMESPACE
"""What `view` looks for."""


class Interface(NamedTuple):
    """An interface, and its IFLA_XDP."""

    ifindex: int
    name: str
    xdp: bytes


def view(dev: str | None = None) -> dict[str, list[dict[str, Any]]]:
    """The programs attached in the network namespace of this thread, by kind: "xdp", "tcx", "tc",
    "netkit" with `devname` and `ifindex`; "netfilter", "flow_dissector", "sk_lookup" (only when no
    `dev` is named).

    Each has `id` and `name` of the program, and `link_id` if a link holds it. KernelError when
    there is no such interface. Needs CAP_NET_ADMIN, CAP_SYS_ADMIN for names and links.
    """
    found: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS}
    links = dict(_links())
    names: dict[int, str] = {}
    with Route() as route:
        there = list(_interfaces(route))
        chosen = [i for i in there if dev in (None, i.name)]
        if not chosen:
            known = ", ".join(sorted(i.name for i in there))
            text = f"there is no network interface {dev!r} here; there are: {known}"
            raise KernelError(text, errno.ENODEV)
        for interface in chosen:
            place = {"devname": interface.name, "ifindex": interface.ifindex}
            for mode, number_ in _xdp(interface.xdp):
                held = links.get(("xdp", interface.ifindex, number_))
                found["xdp"].append({**place, "mode": mode, **_program(number_, held, names)})
            for kind in BOTH:
                family = kind.partition("_")[0]
                for n, entry in enumerate(_query(interface.ifindex, kind)):
                    held = entry.link_id or None
                    found[family].append(
                        {**place, "kind": kind, "position": n}
                        | _program(entry.prog_id, held, names)
                    )
            for row in _classifiers(route, interface.ifindex):
                id = row.pop("id")
                found["tc"].append({**place, **row, **_program(id, None, names)})
    if dev is None:
        found["netfilter"] = list(_netfilter(names))
        for kind in OF_NAMESPACE:
            found[kind] = [_program(n, None, names) for n in _of_namespace(kind)]
    return found


def _program(number_: int, link: int | None, names: dict[int, str]) -> dict[str, Any]:
    if number_ not in names:
        names[number_] = ""
        with suppress(KernelError), LinuxProgram.from_id(number_) as program:
            names[number_] = program.name
    row: dict[str, Any] = {"id": number_, "name": names[number_]}
    return row | ({"link_id": link} if link else {})


def _links() -> Iterator[tuple[tuple[str, int, int], int]]:
    """((type, interface, program), link) of the XDP links."""
    with suppress(KernelError):
        for link in each("link", Link.from_id):
            info = link.info()
            if info.type == "xdp":
                yield ("xdp", info.ifindex, info.prog_id), info.id


def _interfaces(route: Route) -> Iterator[Interface]:
    size = netlink.INTERFACE.size
    message = netlink.interface_message()
    for fixed, attributes in route.dump(netlink.GETLINK, message, "list interfaces", size):
        _, _, index, _, _ = netlink.INTERFACE.unpack(fixed)
        name = netlink.text(attributes.get(IFLA_IFNAME, b""))
        yield Interface(index, name, attributes.get(IFLA_XDP, b""))


def _xdp(raw: bytes) -> Iterator[tuple[str, int]]:
    """(mode, program) of IFLA_XDP."""
    found = parse(raw)
    attached = number(found.get(XDP_ATTACHED, b""))
    if attached == XDP_MULTIPLE or any(kind in found for kind in XDP_IDS):
        for kind, mode in XDP_IDS.items():
            if kind in found:
                yield mode, number(found[kind])
    elif attached:
        yield XDP_MODES.get(attached, str(attached)), number(found.get(XDP_PROG_ID, b""))


def _query(index: int, kind: str) -> list[Any]:
    try:
        return query(index, kind).programs
    except KernelError as error:
        # Older kernels, and interfaces that are no netkit devices.
        if error.errno in (errno.EINVAL, errno.ENXIO, errno.EACCES, errno.ENODEV, errno.ENOENT):
            return []
        raise


def _classifiers(route: Route, index: int) -> Iterator[dict[str, Any]]:
    """The BPF classifiers and actions of an interface: of clsact, and of its other qdiscs."""
    size = netlink.TRAFFIC.size
    parents: dict[int, str] = {ROOT: "root"}
    for type, what in ((netlink.GETQDISC, "qdiscs"), (GETCLASS, "classes")):
        message = netlink.traffic_message(index)
        for fixed, attributes in route.dump(type, message, f"list {what}", size):
            _, dev, handle, parent, _ = netlink.TRAFFIC.unpack(fixed)
            if dev != index:
                continue
            kind = netlink.text(attributes.get(TCA_KIND, b""))
            if parent == CLSACT:
                ends = PARENTS if kind == "clsact" else {"ingress": 0xFFFF_0000}
                parents |= {at: f"{kind}/{end}" for end, at in ends.items()}
            elif handle:
                parents.setdefault(handle, kind)
    for parent, kind in parents.items():
        message = netlink.traffic_message(index, 0, parent)
        try:
            found = list(route.dump(netlink.GETTFILTER, message, "list classifiers", size))
        except KernelError as error:
            if error.errno in (errno.EINVAL, errno.ENOENT, errno.EOPNOTSUPP):
                continue  # a qdisc without classifiers
            raise
        for fixed, attributes in found:
            _, _, handle, _, info = netlink.TRAFFIC.unpack(fixed)
            row = _classifier(attributes)
            if row is not None:
                yield {"kind": kind, **row, "handle": handle, "priority": info >> 16}


def _classifier(attributes: dict[int, bytes]) -> dict[str, Any] | None:
    """What there is of BPF in a filter."""
    id = classifier_id(attributes)
    if not id:
        return None
    if netlink.text(attributes[TCA_KIND]) != "bpf":
        return {"id": id, "label": "", "action": True}
    options = parse(attributes[TCA_OPTIONS])
    direct = bool(number(options.get(BPF_FLAGS, b"")) & DIRECT_ACTION)
    label = netlink.text(options.get(BPF_NAME, b""))
    return {"id": id, "label": label, "direct_action": direct}


def _netfilter(names: dict[int, str]) -> Iterator[dict[str, Any]]:
    """The netfilter links; the kernel does not tell of which namespace they are."""
    families = {n: name for name, n in NETFILTER_FAMILIES.items()}
    hooks = {n: name for name, n in NETFILTER_HOOKS.items()}
    with suppress(KernelError):
        for link in each("link", Link.from_id):
            info = link.info()
            if info.type == "netfilter":
                yield {
                    "pf": families.get(info.pf, str(info.pf)),
                    "hook": hooks.get(info.hooknum, str(info.hooknum)),
                    "priority": info.priority, "flags": info.flags,
                    **_program(info.prog_id, info.id, names),
                }  # fmt: skip


def _of_namespace(kind: str) -> list[int]:
    import os

    with Fd(os.open(HERE, os.O_RDONLY | os.O_CLOEXEC)) as namespace:
        try:
            return [entry.prog_id for entry in query(namespace, kind).programs]
        except KernelError as error:
            if error.errno == errno.EINVAL:  # before Linux 5.0 and 5.9
                return []
            raise
