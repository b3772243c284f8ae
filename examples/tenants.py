"""A table of allowed ports for each tenant, which is a VLAN: user space swaps a tenant's whole
table at once, while packets go on.

    $ ebee run examples/tenants.py --dev eth0
    with tables = {1: {80: 0}}: VLAN 1 to port 80 PASS (counted), to port 22 DROP; VLAN 2 DROP
"""

from ebee import (  # isort: skip
    ETH_IP, ETH_VLAN, TCP, TCP_PROTOCOL, XDP, Ethernet, Hash, HashOfMaps, IPv4, Vlan, XdpContext,
    atomic_add, u16, u32, u64, xdp,
)  # fmt: skip

tables = HashOfMaps[u32](max_entries=4096, inner=Hash[u16, u64](max_entries=256))


@xdp
def tenants(ctx: XdpContext) -> XDP:
    packet = ctx.packet()
    eth = packet.parse(Ethernet)
    if eth is None or eth.type != ETH_VLAN:
        return XDP.PASS
    vlan = packet.parse(Vlan)
    if vlan is None or vlan.type != ETH_IP:
        return XDP.PASS
    ip = packet.parse(IPv4)
    if ip is None or ip.protocol != TCP_PROTOCOL:
        return XDP.PASS
    tcp = packet.parse(TCP)
    table = tables.lookup(u32(vlan.tci & 0xFFF))
    if tcp is None or table is None:
        return XDP.DROP
    count = table.lookup(tcp.destination)
    if count is None:
        return XDP.DROP
    atomic_add(count[0], 1)
    return XDP.PASS
