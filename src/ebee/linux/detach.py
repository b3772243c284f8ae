"""Taking programs away that others have attached without a link, by what ebee.linux.netview says of
them."""

from __future__ import annotations

from typing import Any

from ebee.linux import netlink, uapi
from ebee.linux.attach.interfaces import XDP_MODES
from ebee.linux.attach.netlinks import NONE, PARENTS, XDP_FD, XDP_FLAGS
from ebee.linux.errors import refused
from ebee.linux.netlink import IFLA_XDP, TCA_KIND, Route
from ebee.linux.programs import LinuxProgram
from ebee.linux.sys import call

MODES = {"driver": "native", "generic": "generic", "offload": "offload"}


def xdp(row: dict[str, Any]) -> None:
    """The XDP program of a mode."""
    nested = [(XDP_FD, NONE), (XDP_FLAGS, XDP_MODES[MODES[row["mode"]]])]
    doing = f"take the XDP program off {row['devname']}"
    with Route() as route:
        message = netlink.interface_message(row["ifindex"])
        route.ask(netlink.SETLINK, message, [(IFLA_XDP, nested)], doing)


def tcx(row: dict[str, Any]) -> None:
    """A program of tcx."""
    with LinuxProgram.from_id(row["id"]) as program:
        try:
            call("PROG_DETACH", target_ifindex=row["ifindex"], attach_bpf_fd=program.fd,
                 attach_type=uapi.ATTACH_TYPES[row["kind"]])  # fmt: skip
        except OSError as error:
            raise refused(error, f"take program {row['id']} off {row['devname']}") from None


def classifier(row: dict[str, Any]) -> None:
    """A classifier of clsact."""
    direction = row["kind"].partition("/")[2]
    info = row["priority"] << 16
    message = netlink.traffic_message(row["ifindex"], row["handle"], PARENTS[direction], info)
    kind = "matchall" if row.get("action") else "bpf"
    doing = f"take the classifier off {row['devname']}"
    with Route() as route:
        route.ask(netlink.DELTFILTER, message, [(TCA_KIND, kind)], doing)
