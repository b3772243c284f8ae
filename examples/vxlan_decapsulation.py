"""Takes the outer headers off the VXLAN packets of the networks in `networks`: the frame inside
goes on as if it had come by itself.

    $ ebee run examples/vxlan_decapsulation.py --dev eth0
    a frame in VXLAN 42 with networks = {42: 0}: PASS, 50 bytes shorter, networks = {42: 1}
"""

from ebee import (  # isort: skip
    ETH_IP, UDP, UDP_PROTOCOL, VXLAN, VXLAN_PORT, XDP, Ethernet, Hash, IPv4, XdpContext,
    atomic_add, bpf, sizeof, u32, u64, xdp,
)  # fmt: skip

OUTER = sizeof(Ethernet) + sizeof(IPv4) + sizeof(UDP) + sizeof(VXLAN)
VNI_VALID = 0x08000000

networks = Hash[u32, u64](max_entries=1024)


@xdp
def vxlan_decapsulation(ctx: XdpContext) -> XDP:
    packet = ctx.packet()
    eth = packet.parse(Ethernet)
    if eth is None or eth.type != ETH_IP:
        return XDP.PASS
    ip = packet.parse(IPv4)
    if ip is None or ip.protocol != UDP_PROTOCOL or ip.version_ihl != 0x45:
        return XDP.PASS
    udp = packet.parse(UDP)
    if udp is None or udp.destination != VXLAN_PORT:
        return XDP.PASS
    vxlan = packet.parse(VXLAN)
    if vxlan is None or vxlan.flags & VNI_VALID == 0 or packet.remaining() < sizeof(Ethernet):
        return XDP.DROP
    count = networks.lookup(vxlan.vni)
    if count is None:
        return XDP.DROP
    atomic_add(count[0], 1)
    return XDP.PASS if bpf.xdp_adjust_head(ctx, OUTER) == 0 else XDP.ABORTED
