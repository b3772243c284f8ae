"""A bridge: frames go to the device behind which their destination is. `ports` says which that is,
learned by user space; frames for others go up the stack.

    $ ebee run examples/bridge.py --dev eth0
    a frame to an address in `ports`: REDIRECT; to another, or back where it came from: PASS
"""

from typing import Literal

from ebee import XDP, DevMapHash, Ethernet, Hash, XdpContext, array, struct, u8, u32, xdp, zero


@struct
class Mac:
    bytes: array[u8, Literal[6]]


ports = Hash[Mac, u32](max_entries=4096)
devices = DevMapHash(max_entries=64)


@xdp
def bridge(ctx: XdpContext) -> XDP:
    eth = ctx.packet().parse(Ethernet)
    if eth is None:
        return XDP.DROP
    mac = zero(Mac)
    for i in range(6):
        mac.bytes[i] = eth.destination[i]
    port = ports.lookup(mac)
    if port is None or port[0] == ctx.ingress_ifindex:
        return XDP.PASS
    return devices.redirect(port[0], XDP.PASS)
