"""Network interfaces to attach to: by name or number, the modes of XDP, and what refusals mean."""

from __future__ import annotations

import errno
from typing import Literal

from ebee.errors import KernelError
from ebee.linux.errors import ENOTSUPP
from ebee.linux.flags import XDP_FLAGS_DRV_MODE, XDP_FLAGS_HW_MODE, XDP_FLAGS_SKB_MODE

XdpMode = Literal["auto", "native", "generic", "offload"]
XDP_MODES: dict[str, int] = {
    "auto": 0,
    "native": XDP_FLAGS_DRV_MODE,
    "generic": XDP_FLAGS_SKB_MODE,
    "offload": XDP_FLAGS_HW_MODE,
}
DIRECTIONS = ("ingress", "egress")


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


def xdp_errors(dev: str | int, mode: str) -> dict[int, str]:
    """What the errnos of attaching XDP mean."""
    busy = (
        f"another XDP program is attached there in this or another mode"
        f" (`ebee net show dev {dev}` tells which; `ebee net detach xdp dev {dev}`, or"
        " `ebee link detach` for one with a link, removes it)"
    )
    no_mode = f"the driver of {dev} has no {mode} XDP; mode 'generic' works on every interface"
    if mode == "offload":
        no_mode = f"{dev} is no card that runs XDP itself; mode 'generic' works on every interface"
    return {
        errno.EBUSY: busy,
        errno.EEXIST: busy,
        errno.EOPNOTSUPP: no_mode,
        ENOTSUPP: no_mode,
        errno.ERANGE: f"the MTU of {dev} (or of its peer) is too large for native XDP",
        errno.EINVAL: no_mode
        if mode == "offload"
        else f"{dev} or its settings (MTU, LRO, queues) do not go with {mode} XDP,"
        " or the program was made for a device or CPU map",
    }
