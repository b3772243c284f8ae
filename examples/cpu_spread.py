"""Spreads packets over the CPUs of a map by the addresses at both ends: what belongs together stays
on one CPU. Where that CPU is not in the map, the packet goes on here.

    $ ebee run examples/cpu_spread.py --dev eth0
    packets of 100 sources with 2 CPUs in `cpus`: REDIRECT, each CPU is chosen; without: PASS
"""

from ebee import (  # isort: skip
    ETH_IP, XDP, Array, Const, CpuMap, Ethernet, IPv4, XdpContext, atomic_add, u32, u64, xdp,
)  # fmt: skip

count: Const[u32] = 2
cpus = CpuMap(max_entries=64)
chosen = Array[u64](max_entries=64)


@xdp
def cpu_spread(ctx: XdpContext) -> XDP:
    packet = ctx.packet()
    eth = packet.parse(Ethernet)
    if eth is None or eth.type != ETH_IP:
        return XDP.PASS
    ip = packet.parse(IPv4)
    if ip is None:
        return XDP.PASS
    cpu = ((ip.source ^ ip.destination) * 0x9E3779B1 >> 16) % count
    packets = chosen.lookup(cpu)
    if packets is not None:
        atomic_add(packets[0], 1)
    return cpus.redirect(cpu, XDP.PASS)
