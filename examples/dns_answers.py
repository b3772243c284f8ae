"""Names that DNS answers are about, also where they are compressed: an event for the first record
of each answer.

    $ ebee run examples/dns_answers.py --pcap capture.pcapng
    an answer for www.example.org: {answers: 1, name: {length: 15, text: "www.example.org"}}
"""

from ebee import (  # isort: skip
    DNS, DNS_PORT, ETH_IP, UDP, UDP_PROTOCOL, XDP, DnsName, Ethernet, IPv4, RingBuf, XdpContext,
    read_dns_name_in, struct, u16, u32, xdp,
)  # fmt: skip

QUESTION_TAIL = 4  # type and class, behind its name


@struct
class Answer:
    server: u32
    answers: u16
    name: DnsName


answers = RingBuf[Answer](size=1 << 16)


@xdp
def dns_answers(ctx: XdpContext) -> XDP:
    packet = ctx.packet()
    eth = packet.parse(Ethernet)
    if eth is None or eth.type != ETH_IP:
        return XDP.PASS
    ip = packet.parse(IPv4)
    if ip is None or ip.protocol != UDP_PROTOCOL or ip.version_ihl != 0x45:
        return XDP.PASS
    udp = packet.parse(UDP)
    dns = packet.parse(DNS)
    if udp is None or dns is None or udp.source != DNS_PORT or dns.questions != 1:
        return XDP.PASS
    message = ctx.packet()
    if not dns.is_response or not message.skip(42):
        return XDP.PASS
    with answers.reserve() as answer:
        if answer is None:
            return XDP.PASS
        answer.server = ip.source
        answer.answers = dns.answers
        if not read_dns_name_in(message, packet, answer.name):
            answers.discard(answer)
            return XDP.DROP
    return XDP.PASS
