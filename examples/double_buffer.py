"""Counts into one of two tables, and sends frames on by device: user space swaps the tables by
setting `active`, then reads the other one in peace.

    $ ebee run examples/double_buffer.py --dev eth0
    two packets of TCP, active = 1, one more: table 0 {6: 2}, table 1 {6: 1}; REDIRECT or PASS
"""

from ebee import (  # isort: skip
    ETH_IP, XDP, ArrayOfMaps, DevMap, Ethernet, Global, Hash, IPv4, XdpContext, u8, u32, u64, xdp,
)  # fmt: skip

tables = ArrayOfMaps(max_entries=2, inner=Hash[u8, u64](max_entries=256))
ports = DevMap(max_entries=4)
active: Global[u32] = 0


@xdp
def double_buffer(ctx: XdpContext) -> XDP:
    packet = ctx.packet()
    eth = packet.parse(Ethernet)
    if eth is None or eth.type != ETH_IP:
        return XDP.PASS
    ip = packet.parse(IPv4)
    if ip is None:
        return XDP.DROP
    table = tables.lookup(active & 1)
    if table is not None:
        table[ip.protocol] = table.get(ip.protocol, 0) + 1
    return ports.redirect(u32(0), XDP.PASS)
