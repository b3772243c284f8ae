"""Who is behind a tunnel: packets by the key of GRE, or by a tenant that an option of Geneve names.

$ ebee run examples/tunnel_keys.py --pcap capture.pcapng
a frame in GRE with key 7, one in Geneve with option (0x0102, 0x80) = 9: tenants = {7: 1, 9: 1}
"""

from ebee import (  # isort: skip
    ETH_IP, GENEVE_PORT, GRE_PROTOCOL, UDP, UDP_PROTOCOL, XDP, Ethernet, Geneve, GeneveOption,
    GreFields, GreFlags, Hash, IPv4, Packet, XdpContext, atomic_add, be32, find_geneve_option, func,
    read_gre, sizeof, struct, u8, u16, u32, u64, xdp, zero,
)  # fmt: skip

OPTION_CLASS, OPTION_TYPE = 0x0102, 0x80

tenants = Hash[u32, u64](max_entries=4096)


@struct
class Tenant:
    number: be32


@func
def count(tenant: u32) -> None:
    found = tenants.lookup(tenant)
    if found is None:
        tenants[tenant] = u64(1)
    else:
        atomic_add(found[0], 1)


@func
def look_into_geneve(packet: Packet) -> None:
    udp = packet.parse(UDP)
    if udp is None or udp.destination != GENEVE_PORT:
        return
    geneve = packet.take(Geneve)
    if geneve is None or packet.remaining() < sizeof(GeneveOption):
        return
    if find_geneve_option(packet, geneve, u16(OPTION_CLASS), u8(OPTION_TYPE)) is None:
        return
    tenant = packet.take(Tenant)
    if tenant is not None:
        count(tenant.number)


@xdp
def tunnel_keys(ctx: XdpContext) -> XDP:
    packet = ctx.packet()
    eth = packet.parse(Ethernet)
    if eth is None or eth.type != ETH_IP:
        return XDP.PASS
    ip = packet.parse(IPv4)
    if ip is None:
        return XDP.PASS
    if ip.protocol == UDP_PROTOCOL:
        look_into_geneve(packet)
    elif ip.protocol == GRE_PROTOCOL:
        gre = zero(GreFields)
        if not read_gre(packet, gre):
            return XDP.DROP
        if gre.flags & GreFlags.KEY:
            count(gre.key)
    return XDP.PASS
